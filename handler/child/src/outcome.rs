//! How a child ended. An outcome is data: none of it is an error of this crate.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tracing::Span;

/// Everything that is known of a child that has ended.
#[derive(Debug)]
pub struct Outcome {
    /// How.
    pub ending: Ending,
    /// Processes that outlived the child's first process, and were killed.
    pub leaked: usize,
    /// Whether it was killed for having more processes than its limit.
    pub too_many_processes: bool,
    /// Whether it was killed for having more memory in use than its limit.
    pub too_much_memory: bool,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// From start to the last thing that was waited for.
    pub elapsed: Duration,
    /// What the kernel granted to confine it.
    pub confinement: Granted,
}

impl Outcome {
    /// The outcome of a program that never ran.
    pub fn not_started(error: StartError) -> Self {
        // A deadline that has passed is the deadline's doing, not the program's.
        let ending = if error == StartError::NoTime { Ending::TimedOut } else { Ending::CouldNotStart(error) };
        Self {
            ending,
            leaked: 0,
            too_many_processes: false,
            too_much_memory: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
            elapsed: Duration::ZERO,
            confinement: Granted::default(),
        }
    }
}

impl Outcome {
    /// Records in the child's span how it ended.
    pub(super) fn record_in(&self, span: &Span) {
        span.record("ending", tracing::field::display(&self.ending));
        if self.ending != Ending::Exited(0) {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// The end of a child's first process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It exited by itself, with this code.
    Exited(i32),
    /// A signal of this number ended it, and not one of ours at the deadline.
    Signalled(i32),
    /// Its deadline passed, and it was ended.
    TimedOut,
    /// It was ended because it was asked to be.
    Ended,
    /// Its program never ran.
    CouldNotStart(StartError),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "it exited with code {code}"),
            Self::Signalled(signal) => match nix::sys::signal::Signal::try_from(*signal) {
                Ok(signal) => write!(f, "it was killed by {signal}"),
                Err(_) => write!(f, "it was killed by signal {signal}"),
            },
            Self::TimedOut => f.write_str("it ran past its deadline and was ended"),
            Self::Ended => f.write_str("it was ended on request"),
            Self::CouldNotStart(error) => error.fmt(f),
        }
    }
}

/// Why a program never ran.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such file.
    #[error("the program {0} does not exist")]
    Missing(PathBuf),
    /// The file is there, but the interpreter or loader that it names is not.
    #[error("the interpreter or loader that {0} needs is missing")]
    InterpreterMissing(PathBuf),
    /// The file lacks the permission to be executed, or is a folder.
    #[error("{0} is not executable")]
    NotExecutable(PathBuf),
    /// The file is executable, but the confinement or the file system refuses.
    #[error("no permission to execute {0} here")]
    Refused(PathBuf),
    /// A program for another machine.
    #[error("{0} is a program for another processor architecture")]
    WrongArchitecture(PathBuf),
    /// A file that is no program at all.
    #[error("{0} is not a program")]
    NotAProgram(PathBuf),
    /// Its working folder can't be entered.
    #[error("the working folder {0} can't be entered: {1}")]
    Folder(PathBuf, String),
    /// An argument or variable holds a zero byte, or all of them are too long.
    #[error("its arguments or environment can't be passed to it: {0}")]
    Arguments(String),
    /// The confinement was required and this part of it was not granted.
    #[error("confinement is required, but this part of it is missing here: {0}")]
    Unconfined(&'static str),
    /// No processes, descriptors or memory are left.
    #[error("the system has no resources left to start it: {0}")]
    Resources(String),
    /// Its deadline had passed already.
    #[error("its deadline had passed before it started")]
    NoTime,
    /// The program's file could not be read in time.
    #[error("its program did not start in time")]
    Slow,
    /// The thread that watches children is gone.
    #[error("the thread that supervises children has ended")]
    NoSupervisor,
    /// Anything else, in the system's words.
    #[error("{step}: {reason}")]
    Other {
        /// What was being done.
        step: &'static str,
        /// The system's words.
        reason: String,
    },
}

/// What is kept of an output stream: its head and its tail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// The first bytes.
    pub head: Vec<u8>,
    /// The last bytes, as far as they are not in the head.
    pub tail: Vec<u8>,
    /// Bytes that lay between them and are gone.
    pub dropped: u64,
}

impl Captured {
    /// As text; bytes that are no UTF-8 become U+FFFD, and a line says how much is missing.
    pub fn text_lossy(&self) -> String {
        if self.dropped == 0 {
            // Joined first: a character may lie across the seam.
            return String::from_utf8_lossy(&[&self.head[..], &self.tail[..]].concat()).into_owned();
        }
        let (head, tail) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&self.tail));
        format!("{head}\n[… {} bytes dropped …]\n{tail}", self.dropped)
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }
}

/// How a child was confined, as its self-test found it just before its program began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Granted {
    /// The version of Landlock's interface that confines its files; none when it could open what it may not.
    pub landlock: Option<u32>,
    /// Whether the handler can't be signalled, not even through one of its threads.
    pub signals_scoped: bool,
    /// Whether the system call filter is on: no network, no tracing, no mounting and the like.
    pub seccomp: bool,
    /// Whether set-user-id programs give it nothing.
    pub no_new_privs: bool,
    /// The user of its own that it runs as; none when it is the handler's user.
    pub user: Option<u32>,
    /// Whether it is not root.
    pub not_root: bool,
    /// The capabilities that it has.
    pub capabilities: Capabilities,
    /// Whether it has none.
    pub capabilities_dropped: bool,
    /// Whether every resource limit was set.
    pub limits: bool,
    /// Whether it carries its mark, and its orphans come to the handler, so that none escapes.
    pub swept: bool,
    /// Whether the handler's memory and environment are closed to it.
    pub handler_hidden: bool,
    /// Whether the command lines of others are closed to it.
    pub processes_hidden: bool,
    /// Whether it can't change mode, owner, times and attributes of files.
    pub metadata_refused: bool,
    /// Whether it can't make sockets, of whatever kind.
    pub sockets_refused: bool,
    /// Whether it can't leave shared memory, queues and semaphores behind.
    pub shared_memory_refused: bool,
    /// Whether it can't make files that lie in no folder, and execute them.
    pub memory_files_refused: bool,
    /// Whether it can't change the handler's priority.
    pub priorities_kept: bool,
}

impl Granted {
    /// The parts of the confinement that are not in force, in words; the most important first.
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [
            (self.landlock.is_some(), "Landlock"),
            (self.seccomp, "seccomp"),
            (self.no_new_privs, "no_new_privs"),
            (
                self.not_root,
                "a user that is not root (root needs CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL and mapped users to give it one)",
            ),
            (self.few_capabilities(), "dropping capabilities"),
            (self.limits, "resource limits"),
            (self.swept, "a child subreaper (orphans can't be swept)"),
            (self.signals_scoped, "protecting the handler from signals (needs a user of its own, or Landlock ABI 6)"),
            (self.handler_hidden, "hiding the handler's environment"),
            (self.processes_hidden, "hiding the command lines of other processes"),
            (self.metadata_refused, "refusing changes of file permissions"),
            (self.sockets_refused, "refusing sockets"),
            (self.shared_memory_refused, "refusing shared memory"),
            (self.memory_files_refused, "refusing files in memory"),
            (self.priorities_kept, "refusing changes of priorities"),
        ];
        parts.into_iter().filter_map(|(there, words)| (!there).then_some(words)).collect()
    }

    /// Whether it has no capability, or the one by which it passes through folders that only root may enter, while Landlock
    /// says what it may read there.
    fn few_capabilities(&self) -> bool {
        let left = self.capabilities.0;
        left == 0 || (left == super::user::READ_SEARCH && self.landlock.is_some())
    }

    /// What holds for both of two children.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            landlock: self.landlock.min(other.landlock),
            signals_scoped: self.signals_scoped && other.signals_scoped,
            seccomp: self.seccomp && other.seccomp,
            no_new_privs: self.no_new_privs && other.no_new_privs,
            user: self.user.and(other.user),
            not_root: self.not_root && other.not_root,
            capabilities: Capabilities(self.capabilities.0 | other.capabilities.0),
            capabilities_dropped: self.capabilities_dropped && other.capabilities_dropped,
            limits: self.limits && other.limits,
            swept: self.swept && other.swept,
            handler_hidden: self.handler_hidden && other.handler_hidden,
            processes_hidden: self.processes_hidden && other.processes_hidden,
            metadata_refused: self.metadata_refused && other.metadata_refused,
            sockets_refused: self.sockets_refused && other.sockets_refused,
            shared_memory_refused: self.shared_memory_refused && other.shared_memory_refused,
            memory_files_refused: self.memory_files_refused && other.memory_files_refused,
            priorities_kept: self.priorities_kept && other.priorities_kept,
        }
    }
}

/// Capabilities, one bit each, with the numbers of `linux/capability.h`. As JSON it is a list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(pub u64);

impl serde::Serialize for Capabilities {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A child is left with these at most; others can only be told by their numbers.
        let name = |number: u32| match number {
            1 => "dac_override".to_owned(),
            2 => "dac_read_search".to_owned(),
            other => other.to_string(),
        };
        serializer.collect_seq((0..u64::BITS).filter(|number| self.0 >> number & 1 == 1).map(name))
    }
}
