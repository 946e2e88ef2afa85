//! A child that reads a text file and writes a sound file, and how the sound of a local voice is taken.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::voice::{SpeechRequest, VoiceError};
use crate::child::{self, Confinement, Ending, Limits, Mode, Outcome, Spec};
use crate::config::Config;
use crate::layers::Layers;
use crate::untrusted_file::UntrustedFile;

/// Bytes of a sound: an hour of it, mono at 22 kHz with 16 bits.
const MOST: u64 = 160 << 20;

/// A text-to-speech program, and how it is confined.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    limits: Limits,
}

impl Program {
    /// It may read the layers, and take so many `gibibytes` of memory.
    pub(super) fn new(path: PathBuf, gibibytes: u64, layers: &Layers, config: &Config) -> Self {
        let read = layers.read().to_vec();
        Self { path, read, confinement: config.confinement, limits: Limits::gibibytes(gibibytes, 1) }
    }

    /// Runs it in the request's folder.
    pub(super) async fn run(&self, args: Vec<OsString>, request: &SpeechRequest<'_>) -> Result<Outcome, VoiceError> {
        let mut spec = Spec::new(&self.path, request.scratch);
        spec.args = args;
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), request.scratch.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        spec.limits = self.limits;
        spec.confinement =
            Confinement { read: self.read.clone(), write: vec![request.scratch.to_owned()], mode: self.confinement };
        let outcome = child::run(spec, request.deadline).await;
        match &outcome.ending {
            Ending::Exited(0) => Ok(outcome),
            Ending::Exited(_) => Err(VoiceError::Failed(outcome.stderr.text_lossy().trim().to_owned())),
            Ending::TimedOut | Ending::Ended => Err(VoiceError::TimedOut("the program's sound")),
            Ending::Signalled(signal) => Err(VoiceError::Failed(format!("the program was ended by signal {signal}"))),
            Ending::CouldNotStart(error) => Err(VoiceError::Denied(error.to_string())),
        }
    }
}

/// Writes the request's words to a file.
pub(super) async fn write(request: &SpeechRequest<'_>, text: &str) -> Result<PathBuf, VoiceError> {
    let path = request.scratch.join(format!("{}.txt", request.name));
    let written = tokio::fs::write(&path, text).await;
    written.map_err(|error| VoiceError::Failed(format!("the file for its text can't be written: {error}")))?;
    Ok(path)
}

/// Reads and removes the sound file that the program wrote.
pub(super) async fn take(sound: &Path) -> Result<Bytes, VoiceError> {
    let path = sound.to_owned();
    let taken = tokio::task::spawn_blocking(move || {
        let bytes = UntrustedFile::open(&path, MOST).and_then(|file| file.read());
        // If it can't be removed, it only takes up space until the job ends.
        let _ = std::fs::remove_file(&path);
        bytes
            .map(Bytes::from)
            .map_err(|error| VoiceError::Failed(format!("the program's sound file can't be read: {error}")))
    });
    taken.await.unwrap_or_else(|panic| Err(VoiceError::Failed(panic.to_string())))
}
