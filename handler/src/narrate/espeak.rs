//! The local voice: espeak-ng, which needs no network and is always there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use planner_wasm::storyboard::VoiceSettings;

use super::VoiceError;
use crate::child::{self, Confinement, Ending, Limits, Mode, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::layers::Layers;

/// Its name in chains and in the status.
pub const NAME: &str = "espeak-ng";
/// Words per minute that a class can follow; espeak-ng's own default is 175.
const PACE: u32 = 160;

/// The local voice.
#[derive(Debug, Clone)]
pub struct Espeak {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    timeout: Duration,
}

impl Espeak {
    /// The one of these layers.
    pub fn new(layers: &Layers, config: &Config) -> Self {
        Self {
            program: layers.program("espeak-ng"),
            read: layers.read().to_vec(),
            confinement: config.confinement,
            timeout: config.voice_timeout,
        }
    }

    /// Speaks `text` and gives a WAV file's bytes. `name` makes its files unique in `scratch`.
    ///
    /// # Errors
    /// [`VoiceError`] with the program's own last words.
    pub async fn speak(
        &self,
        name: &str,
        text: &str,
        language: &str,
        settings: &VoiceSettings,
        scratch: &Path,
        deadline: Deadline,
    ) -> Result<Vec<u8>, VoiceError> {
        let failed = |reason: String| VoiceError::Failed { voice: NAME, reason };
        let (words, sound) = (scratch.join(format!("{name}.txt")), scratch.join(format!("{name}.wav")));
        // `[[` would switch espeak-ng to phoneme names.
        let text = text.replace("[[", "[ [");
        tokio::fs::write(&words, text).await.map_err(|error| failed(format!("its text can't be written: {error}")))?;
        let voice = settings.name.clone().unwrap_or_else(|| language.to_ascii_lowercase());
        let pace = settings.words_per_minute.unwrap_or(PACE).to_string();
        let mut spec = Spec::new(&self.program, scratch);
        spec.args = ["-b", "1", "-z", "-v", &voice, "-s", &pace, "-w"].map(Into::into).to_vec();
        spec.args.extend([sound.clone().into(), "-f".into(), words.into()]);
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), scratch.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        // It takes 60 MB, and an hour of sound is 160.
        spec.limits = Limits::gibibytes(1, 1);
        spec.confinement =
            Confinement { read: self.read.clone(), write: vec![scratch.to_owned()], mode: self.confinement };
        let outcome = child::run(spec, deadline.slice(self.timeout)).await;
        let last_words = outcome.stderr.text_lossy();
        match outcome.ending {
            // It says so on standard error, and leaves with 0, when it does not know the voice.
            Ending::Exited(0) if !last_words.contains("voice does not exist") => {}
            Ending::Exited(_) => return Err(failed(last_words.trim().to_owned())),
            Ending::TimedOut | Ending::Ended => return Err(VoiceError::TimedOut { voice: NAME }),
            Ending::Signalled(signal) => return Err(failed(format!("ended by signal {signal}"))),
            Ending::CouldNotStart(error) => return Err(failed(error.to_string())),
        }
        tokio::fs::read(&sound).await.map_err(|error| failed(format!("it left no sound: {error}")))
    }
}
