//! The settings of the voices: chain, addresses and keys.

use std::path::PathBuf;

use super::{Secret, shortened, url_fault};

/// Every voice by its name in `VOICE_CHAIN` and in lessons.
pub const VOICES: &[&str] = &["elevenlabs", "polly", "gtts", "openai", "piper", "espeak-ng", "espeak", "silent"];

/// The voices' settings. URLs have no slash at their end.
#[derive(Debug, Clone)]
pub struct VoiceConfig {
    /// `VOICE_CHAIN`; empty when it is not set.
    pub chain: Vec<String>,
    /// Key of ElevenLabs.
    pub elevenlabs_key: Option<Secret>,
    /// Voice of ElevenLabs.
    pub elevenlabs_voice: String,
    /// Model of ElevenLabs.
    pub elevenlabs_model: String,
    /// How the voice of ElevenLabs is to speak.
    pub elevenlabs_manner: ElevenLabsSettings,
    /// Where ElevenLabs is.
    pub elevenlabs_url: String,
    /// Voice of Polly; none means by language.
    pub polly_voice: Option<String>,
    /// Engine of Polly.
    pub polly_engine: String,
    /// Where Polly is; none means AWS's own.
    pub polly_url: Option<String>,
    /// Where the AWS SDK looks for its services instead, by its own variables.
    pub aws_url: Option<String>,
    /// Token of the session to which AWS's credentials belong; none for those that last.
    pub polly_session: Option<Secret>,
    /// Language of gTTS; none means the film's.
    pub google_language: Option<String>,
    /// Where Google Translate is.
    pub google_url: String,
    /// Key of the OpenAI-compatible voice.
    pub openai_key: Option<Secret>,
    /// Where it is.
    pub openai_url: String,
    /// Whether that was set, so that a voice without a key makes sense.
    pub openai_url_set: bool,
    /// Its model.
    pub openai_model: String,
    /// Its voice.
    pub openai_voice: String,
    /// Piper's voice model.
    pub piper_voice: Option<PathBuf>,
    /// Folder of Piper's models; none means `voices` in the layers.
    pub piper_voices: Option<PathBuf>,
    /// Whether a proxy is configured, so that hosts can't be reached directly.
    pub proxied: bool,
}

/// The voice settings of ElevenLabs; the voice's own apply where none is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ElevenLabsSettings {
    /// How even, 0 to 1.
    pub stability: Option<f64>,
    /// How close to the voice that it was made of, 0 to 1.
    pub similarity: Option<f64>,
    /// How much its style is exaggerated, 0 to 1.
    pub style: Option<f64>,
    /// Whether it is brought closer still to the voice that it was made of.
    pub boost: Option<bool>,
}

impl ElevenLabsSettings {
    fn from_lookup(get: &dyn Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Self {
        let mut share = |name: &str| {
            let given = get(name)?;
            let share = given.parse().ok().filter(|share| (0.0..=1.0).contains(share));
            if share.is_none() {
                faults.push(format!("{name} is `{given}`; it must be a number from 0 to 1"));
            }
            share
        };
        let (stability, similarity) = (share("ELEVENLABS_STABILITY"), share("ELEVENLABS_SIMILARITY"));
        let style = share("ELEVENLABS_STYLE");
        let boost = match get("ELEVENLABS_SPEAKER_BOOST").as_deref() {
            None => None,
            Some("on") => Some(true),
            Some("off") => Some(false),
            Some(other) => {
                faults.push(format!("ELEVENLABS_SPEAKER_BOOST is `{other}`; it must be on or off"));
                None
            }
        };
        Self { stability, similarity, style, boost }
    }
}

impl VoiceConfig {
    pub(super) fn from_lookup(get: &dyn Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Self {
        let elevenlabs_manner = ElevenLabsSettings::from_lookup(get, faults);
        let or = |name: &str, default: &str| get(name).unwrap_or_else(|| default.to_owned());
        let mut url = |name: &str, default: &str| {
            let url = or(name, default).trim_end_matches('/').to_owned();
            faults.extend(url_fault(name, &url));
            url
        };
        let tld = or("GOOGLE_TTS_TLD", "com").trim().to_owned();
        let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let voices = Self {
            elevenlabs_url: url("ELEVENLABS_BASE_URL", "https://api.elevenlabs.io"),
            polly_url: get("POLLY_BASE_URL").map(|given| url("POLLY_BASE_URL", &given)),
            google_url: url("GOOGLE_TTS_BASE_URL", &format!("https://translate.google.{tld}")),
            openai_url: url("OPENAI_TTS_BASE_URL", "https://api.openai.com/v1"),
            openai_url_set: get("OPENAI_TTS_BASE_URL").is_some(),
            elevenlabs_manner,
            chain: or("VOICE_CHAIN", "").split(',').map(|name| name.trim().to_lowercase()).collect(),
            elevenlabs_key: get("ELEVENLABS_API_KEY").map(|key| Secret(key.trim().to_owned())),
            elevenlabs_voice: or("ELEVENLABS_VOICE_ID", "JBFqnCBsd6RMkjVDRZzb"),
            elevenlabs_model: or("ELEVENLABS_MODEL_ID", "eleven_multilingual_v2"),
            polly_voice: get("POLLY_VOICE"),
            polly_engine: or("POLLY_ENGINE", "neural"),
            aws_url: get("AWS_ENDPOINT_URL_POLLY").or_else(|| get("AWS_ENDPOINT_URL")),
            polly_session: get("AWS_SESSION_TOKEN").map(Secret),
            google_language: get("GOOGLE_TTS_LANGUAGE"),
            openai_key: get("OPENAI_API_KEY").map(|key| Secret(key.trim().to_owned())),
            openai_model: or("OPENAI_TTS_MODEL", "gpt-4o-mini-tts"),
            openai_voice: or("OPENAI_TTS_VOICE", "alloy"),
            piper_voice: get("PIPER_VOICE").map(PathBuf::from),
            piper_voices: get("PIPER_VOICES").map(PathBuf::from),
            proxied: proxies.iter().any(|name| get(name).is_some()),
        };
        for (name, key) in [("ELEVENLABS_API_KEY", &voices.elevenlabs_key), ("OPENAI_API_KEY", &voices.openai_key)] {
            faults.extend(key.as_ref().and_then(|key| key.header_fault(name)));
        }
        let language = voices.google_language.as_deref().unwrap_or_default().trim();
        for (name, value, more) in [("GOOGLE_TTS_TLD", &*tld, '.'), ("GOOGLE_TTS_LANGUAGE", language, '-')] {
            if !value.chars().all(|c| c.is_ascii_alphanumeric() || c == more) {
                faults.push(format!("{name} is `{}`; it may have letters, digits and `{more}`", shortened(value)));
            }
        }
        let mut known = |name: &str, value: &str, among: &[&str]| {
            if !among.contains(&value) {
                faults.push(format!("{name} is `{}`; it must be one of {}", shortened(value), among.join(", ")));
            }
        };
        known("POLLY_ENGINE", &voices.polly_engine, &["standard", "neural", "long-form", "generative"]);
        for voice in voices.chain.iter().filter(|name| !name.is_empty()) {
            known("VOICE_CHAIN", voice, VOICES);
        }
        Self { chain: voices.chain.iter().filter(|name| !name.is_empty()).cloned().collect(), ..voices }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manner(settings: &[(&str, &str)]) -> (ElevenLabsSettings, Vec<String>) {
        let value = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let mut faults = Vec::new();
        (ElevenLabsSettings::from_lookup(&value, &mut faults), faults)
    }

    #[test]
    fn voice_settings_are_numbers_from_0_to_1_and_a_switch() {
        assert_eq!(manner(&[]), (ElevenLabsSettings::default(), Vec::new()));
        let (set, faults) = manner(&[("ELEVENLABS_STYLE", "0.3"), ("ELEVENLABS_SPEAKER_BOOST", "off")]);
        assert_eq!((set.style, set.boost, set.stability, faults.len()), (Some(0.3), Some(false), None, 0));
        for value in ["1.1", "-0.1", "NaN", "much"] {
            let (_, faults) = manner(&[("ELEVENLABS_STABILITY", value), ("ELEVENLABS_SPEAKER_BOOST", value)]);
            let named = |name: &str| faults.iter().any(|fault| fault.starts_with(name) && fault.contains(value));
            assert!(named("ELEVENLABS_STABILITY") && named("ELEVENLABS_SPEAKER_BOOST"), "{faults:?}");
        }
    }
}
