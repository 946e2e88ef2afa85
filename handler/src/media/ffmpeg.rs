//! Runs ffmpeg with a watchdog on its progress reports.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child::{self, Confinement, Ending, Limits, Mode, Outcome, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::layers::Layers;
use crate::scratch::clips_beside;

/// Times that ffmpeg is run when it stalls.
const TRIES: u32 = 2;

/// Runs ffmpeg.
#[derive(Debug, Clone)]
pub(crate) struct Ffmpeg {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    timeout: Duration,
    stall: Duration,
}

impl Ffmpeg {
    /// The one of these layers.
    pub(crate) fn new(layers: &Layers, config: &Config) -> Self {
        Self {
            program: layers.program("ffmpeg"),
            read: layers.read().to_vec(),
            confinement: config.confinement,
            timeout: config.subprocess_timeout,
            stall: config.stall_timeout,
        }
    }

    /// Runs it in `folder`, and once more when it stalls.
    ///
    /// # Errors
    /// `assemble.failed` with its last output, `assemble.timed_out`, `assemble.stalled`.
    pub(crate) async fn run(&self, arguments: &[OsString], folder: &Path, deadline: Deadline) -> Result<(), JobError> {
        let deadline = deadline.slice(self.timeout);
        for _ in 1..TRIES {
            match self.once(arguments, folder, deadline).await {
                Err(error) if error.code == Code::AssembleStalled => {
                    tracing::warn!(stall_s = self.stall.as_secs_f64(), "ffmpeg made no progress; it is started again");
                }
                ended => return ended,
            }
        }
        self.once(arguments, folder, deadline).await
    }

    /// Runs it in `folder`.
    ///
    /// # Errors
    /// As for [`Ffmpeg::run`].
    pub(crate) async fn once(&self, arguments: &[OsString], folder: &Path, deadline: Deadline) -> Result<(), JobError> {
        let Some(outcome) = self.run_with_watchdog(arguments, folder, deadline.slice(self.timeout)).await else {
            let message = format!("ffmpeg made no progress for {:.0} s", self.stall.as_secs_f64());
            return Err(JobError::new(Code::AssembleStalled, message));
        };
        match outcome.ending {
            Ending::Exited(0) => Ok(()),
            Ending::TimedOut | Ending::Ended => {
                Err(JobError::new(Code::AssembleTimedOut, "ffmpeg did not finish in time"))
            }
            ending => {
                let words = outcome.stderr.text_lossy();
                Err(JobError::new(Code::AssembleFailed, format!("ffmpeg failed ({ending}): {}", words.trim())))
            }
        }
    }

    /// One run; none when its reports showed no progress for too long.
    async fn run_with_watchdog(&self, arguments: &[OsString], folder: &Path, deadline: Deadline) -> Option<Outcome> {
        let mut spec = Spec::new(&self.program, folder);
        spec.args = ["-hide_banner", "-nostdin", "-loglevel", "error", "-y"].map(Into::into).to_vec();
        spec.args.extend(["-progress", "pipe:1", "-stats_period", "0.5"].map(Into::into));
        spec.args.extend_from_slice(arguments);
        spec.env = vec![("PATH".into(), "/usr/bin:/bin".into()), ("LANG".into(), "C.UTF-8".into())];
        // Copying takes 150 MB; six hours at 4k are some 30 GB.
        spec.limits = Limits::gibibytes(8, 64);
        let mut read = self.read.clone();
        read.push(clips_beside(folder));
        spec.confinement = Confinement { read, write: vec![folder.to_owned()], mode: self.confinement };
        // A report comes every half second, whatever happened; only one that says something else counts as life.
        let mut done = [String::new(), String::new()];
        let news = |line: &str| {
            let which = ["frame=", "total_size="].iter().position(|key| line.starts_with(key));
            let Some(last) = which.and_then(|which| done.get_mut(which)) else { return false };
            let new = *last != line;
            line.clone_into(last);
            new
        };
        child::run_with_watchdog(spec, self.stall, deadline, news).await
    }
}
