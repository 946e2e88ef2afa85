//! The voices of a film, in the order to try them.

use storyboard::{Storyboard, Warning};

use super::elevenlabs::ElevenLabs;
use super::espeak::{self, Espeak};
use super::gtts::Gtts;
use super::http;
use super::openai::OpenAi;
use super::piper::NeuralVoices;
use super::polly::Polly;
use super::silent::Silent;
use super::voice::{Voice, VoiceError};
use crate::config::Config;
use crate::error::WarningCode;
use crate::layers::Layers;

/// The lesson's chain, or else that of VOICE_CHAIN, or else all voices that are available. The local voice is the last resort.
pub(super) fn of(
    storyboard: &Storyboard,
    layers: &Layers,
    neural: &NeuralVoices,
    config: &Config,
) -> (Vec<Box<dyn Voice>>, Vec<Warning>) {
    let named = [&storyboard.voice.chain, &config.voices.chain].into_iter().find(|chain| !chain.is_empty());
    let usual = || {
        let all = [("elevenlabs", true), ("polly", config.under_lambda), ("gtts", true), ("piper", true)];
        all.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| (*name).to_owned()).collect()
    };
    let names: Vec<String> = named.cloned().unwrap_or_else(usual);
    let mut maker = Maker { storyboard, layers, neural, config, client: None };
    let mut warnings = Vec::new();
    let mut voices: Vec<Box<dyn Voice>> = Vec::new();
    for name in &names {
        match maker.voice(name) {
            Ok(voice) if voices.iter().any(|other| other.name() == voice.name()) => {}
            Ok(voice) => voices.push(voice),
            // Somebody has installed it, and then its model went.
            Err(why) if named.is_none() && name == "piper" && neural.lacks_models() => {
                warnings.push(WarningCode::VoiceNotAvailable.at(None, format!("the neural voice is skipped: {why}")));
            }
            // The default chain holds what is available: the others were not requested.
            Err(_) if named.is_none() => {}
            Err(why) => {
                warnings.push(WarningCode::VoiceNotAvailable.at(None, format!("the voice `{name}` is skipped: {why}")));
            }
        }
    }
    // After a voice that can't fail, no other is needed.
    if !voices.iter().any(|voice| [espeak::NAME, "silent"].contains(&voice.name())) {
        voices.push(maker.espeak());
    }
    (voices, warnings)
}

struct Maker<'a> {
    storyboard: &'a Storyboard,
    layers: &'a Layers,
    neural: &'a NeuralVoices,
    config: &'a Config,
    /// Made for the first voice that needs it: it reads the system's certificates.
    client: Option<Result<reqwest::Client, VoiceError>>,
}

impl Maker<'_> {
    /// The voice of that name, or why there is none.
    fn voice(&mut self, name: &str) -> Result<Box<dyn Voice>, String> {
        let (settings, language) = (&self.storyboard.voice, &self.storyboard.language);
        let voices = &self.config.voices;
        match name {
            "elevenlabs" => {
                let client = self.client()?;
                let voice = ElevenLabs::new(&client, voices, language, settings);
                voice.map(boxed).ok_or_else(|| "ELEVENLABS_API_KEY is not set".to_owned())
            }
            "openai" => {
                let client = self.client()?;
                let voice = OpenAi::new(&client, voices, settings);
                voice.map(boxed).ok_or_else(|| "neither OPENAI_API_KEY nor OPENAI_TTS_BASE_URL is set".to_owned())
            }
            "gtts" => Ok(boxed(Gtts::new(&self.client()?, voices, language))),
            "polly" => Ok(boxed(Polly::new(self.config, language, settings))),
            "piper" => self.neural.voice(self.config, language, settings).map(boxed),
            espeak::NAME | "espeak" => Ok(self.espeak()),
            "silent" => Ok(boxed(Silent { pace: settings.words_per_minute })),
            _ => Err("there is no voice of that name; handler/docs/voices.md lists them".to_owned()),
        }
    }

    fn espeak(&self) -> Box<dyn Voice> {
        boxed(Espeak::new(self.layers, self.config, &self.storyboard.language, &self.storyboard.voice))
    }

    fn client(&mut self) -> Result<reqwest::Client, String> {
        self.client.get_or_insert_with(http::client).clone().map_err(|error| error.to_string())
    }
}

fn boxed(voice: impl Voice + 'static) -> Box<dyn Voice> {
    Box::new(voice)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use storyboard::{Theme, VoiceSettings};

    use super::*;

    /// The order in which voices are tried under these settings, when the lesson names none.
    fn chain(settings: &[(&str, &str)]) -> Vec<&'static str> {
        let value = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let layers = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
        let layers = Layers::find(Some(Path::new(layers))).unwrap();
        let storyboard = Storyboard {
            title: String::new(),
            language: "en".to_owned(),
            theme: Theme::Dark,
            colours: None,
            quality: None,
            frame_shape: None,
            on_failure: None,
            voice: VoiceSettings::default(),
            music: None,
            intro: None,
            outro: None,
            logo: None,
            recordings: Vec::new(),
            captions: Vec::new(),
            scenes: Vec::new(),
            warnings: Vec::new(),
        };
        let config = Config::from_lookup(value).unwrap();
        let neural = NeuralVoices::new(&layers, &config, Path::new("/nonexistent"));
        let (voices, warnings) = of(&storyboard, &layers, &neural, &config);
        assert_eq!(warnings, []);
        voices.iter().map(|voice| voice.name()).collect()
    }

    #[test]
    fn the_default_chain_holds_the_available_voices() {
        let key = ("ELEVENLABS_API_KEY", "key");
        let lambda = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
        assert_eq!(chain(&[]), ["gtts", "piper", "espeak-ng"]);
        assert_eq!(chain(&[key]), ["elevenlabs", "gtts", "piper", "espeak-ng"]);
        assert_eq!(chain(&[lambda]), ["polly", "gtts", "piper", "espeak-ng"]);
        assert_eq!(chain(&[key, lambda]), ["elevenlabs", "polly", "gtts", "piper", "espeak-ng"]);
        assert_eq!(chain(&[key, ("VOICE_CHAIN", "polly, espeak, gtts")]), ["polly", "espeak-ng", "gtts"]);
    }
}
