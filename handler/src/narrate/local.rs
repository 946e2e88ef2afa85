//! What the two local voices have in common: a child that reads a file of words and leaves a sound file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::voice::{Order, VoiceError};
use crate::child::{self, Confinement, Ending, Limits, Mode, Outcome, Spec};
use crate::config::Config;
use crate::layers::Layers;
use crate::untrusted_file::UntrustedFile;

/// Bytes of a sound: an hour of it, mono at 22 kHz with 16 bits.
const MOST: u64 = 160 << 20;

/// A program that speaks, and how it is confined.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    limits: Limits,
}

impl Program {
    /// `more` may be read beside the layers; it may take so many `gibibytes` of memory.
    pub(super) fn new(path: PathBuf, more: Vec<PathBuf>, gibibytes: u64, layers: &Layers, config: &Config) -> Self {
        let mut read = layers.read().to_vec();
        read.extend(more);
        Self { path, read, confinement: config.confinement, limits: Limits::gibibytes(gibibytes, 1) }
    }

    /// Runs it in the order's folder.
    pub(super) async fn run(
        &self,
        args: Vec<OsString>,
        order: &Order<'_>,
        more: &[(&str, &str)],
    ) -> Result<Outcome, VoiceError> {
        let mut spec = Spec::new(&self.path, order.scratch);
        spec.args = args;
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), order.scratch.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        spec.env.extend(more.iter().map(|(name, value)| (name.into(), value.into())));
        spec.limits = self.limits;
        spec.confinement =
            Confinement { read: self.read.clone(), write: vec![order.scratch.to_owned()], mode: self.confinement };
        let outcome = child::run(spec, order.deadline).await;
        match &outcome.ending {
            Ending::Exited(0) => Ok(outcome),
            Ending::Exited(_) => Err(VoiceError::Failed(outcome.stderr.text_lossy().trim().to_owned())),
            Ending::TimedOut | Ending::Ended => Err(VoiceError::TimedOut("its sound")),
            Ending::Signalled(signal) => Err(VoiceError::Failed(format!("ended by signal {signal}"))),
            Ending::CouldNotStart(error) => Err(VoiceError::Denied(error.to_string())),
        }
    }
}

/// Writes the order's words to a file.
pub(super) async fn write(order: &Order<'_>, text: &str) -> Result<PathBuf, VoiceError> {
    let path = order.scratch.join(format!("{}.txt", order.name));
    let written = tokio::fs::write(&path, text).await;
    written.map_err(|error| VoiceError::Failed(format!("its text can't be written: {error}")))?;
    Ok(path)
}

/// Takes the sound that the program left.
pub(super) async fn take(sound: &Path) -> Result<Bytes, VoiceError> {
    let path = sound.to_owned();
    let taken = tokio::task::spawn_blocking(move || {
        let bytes = UntrustedFile::open(&path, MOST).and_then(|file| file.read());
        // Only room is lost when it stays.
        let _ = std::fs::remove_file(&path);
        bytes.map(Bytes::from).map_err(|error| VoiceError::Failed(format!("it left no sound: {error}")))
    });
    taken.await.unwrap_or_else(|panic| Err(VoiceError::Failed(panic.to_string())))
}
