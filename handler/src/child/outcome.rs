//! How a child ended. An outcome is data: none of it is an error of this room.

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
            stdout: Captured::default(),
            stderr: Captured::default(),
            elapsed: Duration::ZERO,
            confinement: Granted::default(),
        }
    }
}

impl Outcome {
    /// Says in the child's span how it ended.
    pub(super) fn told(&self, span: &Span) {
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
            Self::Exited(code) => write!(f, "it left with code {code}"),
            Self::Signalled(signal) => match nix::sys::signal::Signal::try_from(*signal) {
                Ok(signal) => write!(f, "{signal} ended it"),
                Err(_) => write!(f, "signal {signal} ended it"),
            },
            Self::TimedOut => f.write_str("its time was up"),
            Self::Ended => f.write_str("it was ended"),
            Self::CouldNotStart(error) => error.fmt(f),
        }
    }
}

/// Why a program never ran.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such file.
    #[error("there is no program {0}")]
    Missing(PathBuf),
    /// The file is there, but the interpreter or loader that it names is not.
    #[error("the interpreter or loader that {0} needs is missing")]
    InterpreterMissing(PathBuf),
    /// The file lacks the permission to be executed, or is a folder.
    #[error("{0} is not executable")]
    NotExecutable(PathBuf),
    /// The file is executable, but the confinement or the file system refuses.
    #[error("{0} may not be executed here")]
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
    #[error("its arguments or environment can't be passed on: {0}")]
    Arguments(String),
    /// The confinement was required and this part of it was not granted.
    #[error("this kernel does not grant {0}, and confinement is required")]
    Unconfined(&'static str),
    /// No processes, descriptors or memory are left.
    #[error("no resources are left to start it: {0}")]
    Resources(String),
    /// Its deadline had passed already.
    #[error("its deadline had passed")]
    NoTime,
    /// The program's file could not be read in time.
    #[error("its program did not begin to run in time")]
    Slow,
    /// The thread that watches children is gone.
    #[error("the thread that supervises children is gone")]
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

/// What the kernel granted to confine a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Granted {
    /// The version of Landlock's interface that confines its files; none without Landlock.
    pub landlock: Option<u32>,
    /// Whether Landlock keeps it from signalling processes that are not its own (interface 6 and later).
    pub signals_scoped: bool,
    /// Whether the system call filter is on: no network, no tracing, no mounting and the like.
    pub seccomp: bool,
    /// Whether set-user-id programs give it nothing.
    pub no_new_privs: bool,
    /// Whether it lost every capability but those over the files of its own machine.
    pub capabilities_dropped: bool,
    /// Whether every resource limit was set.
    pub limits: bool,
    /// Whether it carries its mark, and its orphans come to the handler, so that none escapes.
    pub swept: bool,
    /// Whether the handler's memory and environment are closed to it.
    pub handler_hidden: bool,
}
