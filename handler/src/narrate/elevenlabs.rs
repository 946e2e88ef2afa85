//! ElevenLabs: natural voices, with the time of every character.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use storyboard::VoiceSettings;

use super::http::{self, Refusal};
use super::voice::{Order, Recording, Voice, VoiceError, Word};
use crate::config::{Manner, Secret, VoiceConfig};

/// Words a minute of its voices at speed 1.
const PACE: u32 = 160;
/// What the service takes as `speed`.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.7..=1.2;
/// 44.1 kHz at 128 kbit/s: the best that every plan gives.
const FORMAT: &str = "mp3_44100_128";

/// The voice of one film.
#[derive(Debug)]
pub(super) struct ElevenLabs {
    client: reqwest::Client,
    url: String,
    key: Secret,
    voice: String,
    model: String,
    language: Option<String>,
    manner: Manner,
    pace: Option<u32>,
}

#[derive(Deserialize)]
struct Answer {
    audio_base64: String,
    alignment: Option<Alignment>,
}

/// One entry a character of the text that was sent.
#[derive(Deserialize)]
struct Alignment {
    characters: Vec<String>,
    character_start_times_seconds: Vec<f64>,
    character_end_times_seconds: Vec<f64>,
}

impl ElevenLabs {
    /// None without a key.
    pub(super) fn new(
        client: &reqwest::Client,
        config: &VoiceConfig,
        language: &str,
        settings: &VoiceSettings,
    ) -> Option<Self> {
        let model = settings.model.clone().filter(|model| model.starts_with("eleven_"));
        let model = model.unwrap_or_else(|| config.elevenlabs_model.clone());
        // Its voices have ids of 20 letters and digits; another name is another provider's.
        let is_id = |name: &String| name.len() == 20 && name.chars().all(|c| c.is_ascii_alphanumeric());
        let voice = settings.name.clone().filter(is_id).unwrap_or_else(|| config.elevenlabs_voice.clone());
        // Other models refuse a language; they hear it in the text.
        let tells = ["_v2_5", "_v3"].iter().any(|kind| model.contains(kind));
        let language = tells.then(|| language.split('-').next().unwrap_or(language).to_ascii_lowercase());
        Some(Self {
            client: client.clone(),
            url: config.elevenlabs_url.clone(),
            key: config.elevenlabs_key.clone()?,
            voice,
            model,
            language,
            manner: config.elevenlabs_manner.clone(),
            pace: settings.words_per_minute,
        })
    }

    /// What its voice does otherwise than by itself, in the API's terms.
    fn settings(&self) -> Map<String, Value> {
        let Manner { stability, similarity, style, boost } = self.manner;
        let speed = self.pace.map(|_| self.speed());
        let shares = [("stability", stability), ("similarity_boost", similarity), ("style", style), ("speed", speed)];
        let shares = shares.into_iter().filter_map(|(name, share)| Some((name.to_owned(), json!(share?))));
        shares.chain(boost.map(|boost| ("use_speaker_boost".to_owned(), json!(boost)))).collect()
    }

    fn speed(&self) -> f64 {
        let wanted = self.pace.map_or(1.0, |pace| f64::from(pace) / f64::from(PACE));
        wanted.clamp(*SPEEDS.start(), *SPEEDS.end())
    }
}

#[async_trait]
impl Voice for ElevenLabs {
    fn name(&self) -> &'static str {
        "elevenlabs"
    }

    fn recipe(&self) -> Option<String> {
        let language = self.language.as_deref().unwrap_or_default();
        let mut recipe =
            format!("{}\n{}\n{}\n{:.3}\n{FORMAT}\n{language}", self.url, self.voice, self.model, self.speed());
        if self.manner != Manner::default() {
            recipe.push_str(&format!("\n{}", Value::Object(self.settings())));
        }
        Some(recipe)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn address(&self) -> Option<(String, u16)> {
        super::reach::address(&self.url)
    }

    fn paid(&self) -> bool {
        true
    }

    /// What its API asks without a plan; plans make it credits, which cost about as much.
    fn price(&self) -> Option<f64> {
        let quick = ["turbo", "flash"].iter().any(|kind| self.model.contains(kind));
        Some(if quick { 50.0 } else { 100.0 })
    }

    /// Plans allow 2 to 15 calls at a time; more than it takes are told by 429.
    fn lanes(&self) -> usize {
        4
    }

    fn most_lanes(&self) -> usize {
        15
    }

    /// The least of its models.
    fn longest(&self) -> usize {
        5_000
    }

    fn pace(&self) -> u32 {
        PACE.max((f64::from(PACE) * self.speed()) as u32)
    }

    async fn speak(&self, order: &Order<'_>) -> Result<Recording, VoiceError> {
        let url = format!("{}/v1/text-to-speech/{}/with-timestamps?output_format={FORMAT}", self.url, self.voice);
        let mut body = json!({"text": order.text, "model_id": self.model});
        if let Some(language) = &self.language {
            body["language_code"] = json!(language);
        }
        let settings = self.settings();
        if !settings.is_empty() {
            body["voice_settings"] = Value::Object(settings);
        }
        let request = self.client.post(url).header("xi-api-key", &self.key.0).json(&body);
        let bytes = http::fetch(request, order.deadline, means).await?;
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|error| VoiceError::NotDecodable(format!("not the JSON that was promised: {error}")))?;
        let sound = STANDARD
            .decode(&answer.audio_base64)
            .map_err(|error| VoiceError::NotDecodable(format!("no base64: {error}")))?;
        if sound.is_empty() {
            return Err(VoiceError::NotDecodable("an empty sound".to_owned()));
        }
        let words = answer.alignment.and_then(|alignment| words(order.text, &alignment)).unwrap_or_default();
        Ok(Recording::File(sound.into(), words))
    }
}

/// Its error codes stand in `detail.status` or, in newer answers, in `detail.code`.
fn means(refusal: Refusal) -> VoiceError {
    let code = refusal.field("/detail/code").or_else(|| refusal.field("/detail/status")).unwrap_or_default();
    let reason = refusal.field("/detail/message").unwrap_or_else(|| code.clone());
    match code.as_str() {
        "too_many_concurrent_requests" | "concurrent_limit_exceeded" => {
            VoiceError::Busy { reason, after: refusal.after, crowded: true }
        }
        "system_busy" | "rate_limit_exceeded" => VoiceError::Busy { reason, after: refusal.after, crowded: false },
        "quota_exceeded"
        | "insufficient_credits"
        | "invalid_api_key"
        | "missing_permissions"
        | "voice_not_found"
        | "model_not_found"
        | "detected_unusual_activity" => VoiceError::Denied(format!("{code}: {reason}")),
        _ => refusal.meaning(),
    }
}

/// Characters' times become words' times. None when the characters aren't those of the text.
fn words(text: &str, alignment: &Alignment) -> Option<Vec<Word>> {
    let (from, to) = (&alignment.character_start_times_seconds, &alignment.character_end_times_seconds);
    let whole = alignment.characters.concat() == text;
    if !whole || from.len() != alignment.characters.len() || to.len() != alignment.characters.len() {
        return None;
    }
    let ms = |seconds: f64| (seconds * 1000.0).round().clamp(0.0, f64::from(u32::MAX)) as u32;
    let mut words: Vec<Word> = Vec::new();
    let mut inside = false;
    for (at, character) in alignment.characters.iter().enumerate() {
        let space = character.chars().all(char::is_whitespace);
        match words.last_mut() {
            Some(word) if inside && !space => word.to_ms = ms(to[at]),
            _ if !space => words.push(Word { from_ms: ms(from[at]), to_ms: ms(to[at]) }),
            _ => {}
        }
        inside = !space;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_words() {
        let text = "a bc, d";
        let alignment = Alignment {
            characters: text.chars().map(String::from).collect(),
            character_start_times_seconds: (0..7).map(|n| f64::from(n) / 10.0).collect(),
            character_end_times_seconds: (1..8).map(|n| f64::from(n) / 10.0).collect(),
        };
        let pairs = words(text, &alignment).unwrap().iter().map(|word| (word.from_ms, word.to_ms)).collect::<Vec<_>>();
        assert_eq!(pairs, [(0, 100), (200, 500), (600, 700)]);
        assert_eq!(words("another", &alignment), None);
    }

    #[test]
    fn its_own_words_decide_before_the_status() {
        let refusal = |status: u16, text: &str| Refusal {
            status: reqwest::StatusCode::from_u16(status).unwrap(),
            after: None,
            text: text.to_owned(),
        };
        let crowded = means(refusal(429, r#"{"detail":{"status":"too_many_concurrent_requests","message":"wait"}}"#));
        assert!(matches!(crowded, VoiceError::Busy { crowded: true, .. }));
        let busy = means(refusal(429, r#"{"detail":{"type":"rate_limit_error","code":"system_busy","message":"x"}}"#));
        assert!(matches!(busy, VoiceError::Busy { crowded: false, .. }));
        let spent = means(refusal(401, r#"{"detail":{"status":"quota_exceeded","message":"x"}}"#));
        assert!(matches!(spent, VoiceError::Denied(_)));
        let list = means(refusal(422, r#"{"detail":[{"loc":["body","text"],"msg":"x","type":"missing"}]}"#));
        assert!(matches!(list, VoiceError::Refused(_)));
    }
}
