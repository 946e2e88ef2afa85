//! The local voice: espeak-ng, which needs no network and is always there.

use async_trait::async_trait;
use storyboard::VoiceSettings;

use super::local::{self, Program};
use super::voice::{Recording, SpeechRequest, Voice, VoiceError};
use crate::config::Config;
use crate::layers::Layers;

/// Its name in chains and in the status.
pub(super) const NAME: &str = "espeak-ng";
/// Words per minute that a class can follow; espeak-ng's own default is 175.
const PACE: u32 = 160;

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Espeak {
    program: Program,
    /// To try in this order: a language that it does not know is spoken as its parent language, or else as English.
    voices: Vec<String>,
    pace: u32,
    concurrency: usize,
}

impl Espeak {
    pub(super) fn new(layers: &Layers, config: &Config, language: &str, settings: &VoiceSettings) -> Self {
        let language = language.to_ascii_lowercase();
        // Its voices are languages with variants (`en-us+f3`); other forms are other providers' names.
        let own = |name: &String| {
            let simple = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_+".contains(c);
            (2..=40).contains(&name.len()) && name.chars().all(simple)
        };
        let mut voices: Vec<String> = settings.name.clone().filter(own).into_iter().collect();
        voices.extend([language.clone(), language.split('-').next().unwrap_or("en").to_owned(), "en".to_owned()]);
        voices.dedup();
        // It takes 60 MB.
        let program = Program::new(layers.program("espeak-ng"), 1, layers, config);
        Self { program, voices, pace: settings.words_per_minute.unwrap_or(PACE), concurrency: config.parallel }
    }
}

#[async_trait]
impl Voice for Espeak {
    fn name(&self) -> &'static str {
        NAME
    }

    /// It speaks a sentence in 20 ms; two calls to S3 take longer.
    fn recipe(&self) -> Option<String> {
        None
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn max_characters(&self) -> usize {
        usize::MAX
    }

    fn pace(&self) -> u32 {
        self.pace
    }

    async fn speak(&self, request: &SpeechRequest<'_>) -> Result<Recording, VoiceError> {
        // `[[` would switch it to phoneme names.
        let words = local::write(request, &request.text.replace("[[", "[ [")).await?;
        let sound = request.scratch.join(format!("{}.wav", request.name));
        let mut said = String::new();
        for voice in &self.voices {
            let pace = self.pace.to_string();
            let mut args = ["-b", "1", "-z", "-v", voice, "-s", &pace, "-w"].map(Into::into).to_vec();
            args.extend([sound.clone().into(), "-f".into(), words.clone().into()]);
            let outcome = self.program.run(args, request).await;
            said = match outcome {
                Ok(outcome) => outcome.stderr.text_lossy(),
                Err(VoiceError::Failed(said)) => said,
                Err(error) => return Err(error),
            };
            // When it does not know the voice, its exit code is 0 or 1, depending on its version, but it always says so.
            if !said.contains("voice does not exist") {
                break;
            }
        }
        match local::take(&sound).await {
            Ok(bytes) => Ok(Recording::File(bytes, Vec::new())),
            Err(_) if !said.trim().is_empty() => Err(VoiceError::Failed(said.trim().to_owned())),
            Err(error) => Err(error),
        }
    }
}
