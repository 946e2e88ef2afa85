//! What to start, and under which limits.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{Span, field::Empty, info_span};

/// A child to start.
#[derive(Debug)]
pub struct Spec {
    /// Its program. A name without a slash is looked up in the `PATH` of `env`.
    pub program: PathBuf,
    /// Arguments, without the program's own name.
    pub args: Vec<OsString>,
    /// Its working folder.
    pub dir: PathBuf,
    /// The whole environment: nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Whose program it is.
    pub author: Author,
    /// What it may touch.
    pub confinement: Confinement,
    /// What it may use up.
    pub limits: Limits,
    /// From TERM to KILL.
    pub grace: Duration,
    /// How long its pipes are still read after its end; counted once, whatever arrives.
    pub drain: Duration,
    /// Bytes kept of the head, and as many of the tail, of each output stream.
    pub keep: usize,
    /// Whether it gets one end of a Unix stream socket pair as descriptor 3, named by `CHALKREEL_STAGE_FD`.
    pub channel: bool,
    /// Gets the lines of its standard output, without their newline. A line is cut at 8 KiB and dropped when the
    /// queue is full: a slow reader delays nothing.
    pub lines: Option<mpsc::Sender<String>>,
}

impl Spec {
    /// `program` in `dir`, with no arguments and an empty environment, confined as well as the kernel can.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            dir: dir.into(),
            env: Vec::new(),
            author: Author::default(),
            confinement: Confinement::default(),
            limits: Limits::default(),
            grace: Duration::from_secs(1),
            drain: Duration::from_secs(1),
            keep: 64 * 1024,
            channel: false,
            lines: None,
        }
    }
}

impl Spec {
    /// The span of its life; how it ended is recorded at its end.
    pub(super) fn span(&self) -> Span {
        let program = self.program.file_name().unwrap_or_default().to_string_lossy();
        info_span!("child", program = &*program, ending = Empty, otel.status_code = Empty)
    }
}

/// Who wrote a child's program. When the handler is root, it decides the user that the child runs as; see `user`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Author {
    /// A tool of ours: all of them run as one user, which owns the jobs' folders.
    #[default]
    Us,
    /// An untrusted program, such as a Manim scene. Each runs as a user of its own, which owns the folders that it may
    /// write, passes through those above them, and changes nothing else.
    Somebody,
}

/// Which files a child may touch, and how strictly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confinement {
    /// Files and folders that it may read and execute. Its own program is always among them; paths that don't exist
    /// are skipped.
    pub read: Vec<PathBuf>,
    /// Files and folders that it may read and write, but not execute.
    pub write: Vec<PathBuf>,
    /// How strictly.
    pub mode: Mode,
}

/// What happens when the kernel can't confine children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing is confined. Ending and resource limits are as always.
    Off,
    /// What the kernel grants is used, and reported.
    #[default]
    BestEffort,
    /// A child is not started when any part of the confinement is missing; see [`super::Granted::missing`].
    Require,
}

/// Resource limits; none means that of the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of virtual memory of one process.
    pub address_space: Option<u64>,
    /// Bytes of memory: what one process may have of its own, used or not (`RLIMIT_DATA`), and what the whole tree may have in
    /// use, with what its sockets may hold in the kernel. A tree that has more is killed.
    pub memory: Option<u64>,
    /// Seconds of processor time of one process.
    pub cpu_seconds: Option<u64>,
    /// Bytes of one file.
    pub file_size: Option<u64>,
    /// Processes of the whole tree, with dead ones that nobody reaps, and 32 times as many threads. The kernel's own limit counts per user and does not
    /// bind root, so the tree is counted too, and a child that exceeds this is killed.
    pub processes: Option<u64>,
    /// Open descriptors of one process.
    pub open_files: Option<u64>,
}

impl Default for Limits {
    /// 256 processes and 1,024 descriptors: many times what Manim and ffmpeg use (3 and 40); three quarters of the machine's
    /// memory. The rest is without limit.
    fn default() -> Self {
        Self {
            address_space: None,
            memory: Some(super::memory::share_of_memory()),
            cpu_seconds: None,
            file_size: None,
            processes: Some(256),
            open_files: Some(1024),
        }
    }
}

impl Limits {
    /// The default, and no more than so many gibibytes of memory, for each process and for all together, and of one file.
    pub fn gibibytes(memory: u64, file: u64) -> Self {
        let (default, memory) = (Self::default(), memory << 30);
        let least = default.memory.map_or(memory, |share| share.min(memory));
        Self { address_space: Some(memory), memory: Some(least), file_size: Some(file << 30), ..default }
    }

    /// Threads that go with a process: numerical libraries start one for each core.
    pub(super) const THREADS: u64 = 32;
}
