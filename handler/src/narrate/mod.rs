//! Beats become sound.
//!
//! In: a beat's words. Out: mono samples at 48 kHz, and who spoke them. It never looks at the screen: how long a beat
//! lasts is the words' own length and the pause that the storyboard asks for.

mod decode;
mod espeak;

use std::path::Path;

use planner_wasm::storyboard::{Beat, Storyboard, VoiceSettings, Warning};

use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::status::BeatVoice;
use crate::layers::Layers;

pub use decode::{SAMPLE_RATE, decode};
pub use espeak::Espeak;

/// A beat's words as sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Narration {
    /// Mono, 48,000 a second, -1 to 1. Empty for a silent beat.
    pub samples: Vec<f32>,
    /// Who spoke; none for a silent beat.
    pub voice: Option<BeatVoice>,
}

/// Why a voice gave no sound.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// The voice's program or service failed.
    #[error("{voice}: {reason}")]
    Failed {
        /// The voice.
        voice: &'static str,
        /// In its own words.
        reason: String,
    },
    /// It took longer than VOICE_TIMEOUT, or than the job has.
    #[error("{voice} did not answer in time")]
    TimedOut {
        /// The voice.
        voice: &'static str,
    },
    /// It answered with something that is no sound.
    #[error("the sound can't be decoded: {0}")]
    NotDecodable(String),
}

/// The voices of one film.
#[derive(Debug, Clone)]
pub struct Voices {
    espeak: Espeak,
    settings: VoiceSettings,
    language: String,
}

/// A local voice that failed once is asked once more; one that fails twice is broken.
const TRIES: u32 = 2;

impl Voices {
    /// The voices that a storyboard asks for, and a warning for each that isn't there.
    pub fn of(storyboard: &Storyboard, layers: &Layers, config: &Config) -> (Self, Vec<Warning>) {
        let unknown = storyboard.voice.chain.iter().filter(|name| *name != espeak::NAME).map(|name| Warning {
            code: "voice.not_available".to_owned(),
            message: format!("there is no voice `{name}` here; {} speaks", espeak::NAME),
            place: None,
        });
        let voices = Self {
            espeak: Espeak::new(layers, config),
            settings: storyboard.voice.clone(),
            language: storyboard.language.clone(),
        };
        (voices, unknown.collect())
    }

    /// Speaks a beat. `scratch` is a folder for the voice's own files.
    ///
    /// # Errors
    /// `voice.exhausted` when no voice could speak it, `voice.not_decodable` when what it gave is no sound.
    pub async fn speak(&self, beat: &Beat, scratch: &Path, deadline: Deadline) -> Result<Narration, JobError> {
        if beat.narration.trim().is_empty() {
            return Ok(Narration { samples: Vec::new(), voice: None });
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let spoken =
                self.espeak.speak(&beat.id, &beat.narration, &self.language, &self.settings, scratch, deadline);
            match spoken.await.and_then(decode) {
                Ok(samples) => {
                    let characters = beat.narration.chars().count() as u64;
                    let voice = BeatVoice { beat: beat.id.clone(), voice: espeak::NAME.to_owned(), tries, characters };
                    return Ok(Narration { samples, voice: Some(voice) });
                }
                Err(error) if tries < TRIES && !deadline.passed() => {
                    tracing::warn!(beat = beat.id, tries, %error, "the voice failed; it is asked again");
                }
                Err(error) => {
                    let code = match error {
                        VoiceError::NotDecodable(_) => Code::VoiceNotDecodable,
                        _ => Code::VoiceExhausted,
                    };
                    return Err(JobError::new(code, format!("beat {}: {error}", beat.id)).at(beat.place));
                }
            }
        }
    }
}
