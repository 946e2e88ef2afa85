//! Any server that speaks OpenAI's `/v1/audio/speech`: OpenAI's own, or one of your own.

use async_trait::async_trait;
use serde_json::json;
use storyboard::VoiceSettings;

use super::http::{self, Refusal};
use super::voice::{Order, Recording, Voice, VoiceError};
use crate::config::{Secret, VoiceConfig};

/// Words a minute of its voices at speed 1.
const PACE: u32 = 165;

/// The voice of one film.
#[derive(Debug)]
pub(super) struct OpenAi {
    client: reqwest::Client,
    url: String,
    key: Option<Secret>,
    model: String,
    voice: String,
    pace: Option<u32>,
}

impl OpenAi {
    /// None without a key, unless a server of one's own is named.
    pub(super) fn new(client: &reqwest::Client, config: &VoiceConfig, settings: &VoiceSettings) -> Option<Self> {
        if config.openai_key.is_none() && !config.openai_url_set {
            return None;
        }
        let others = |model: &String| !model.starts_with("eleven_");
        // Its voices have plain names (`alloy`); other forms are other providers' names.
        let plain = |name: &String| name.len() > 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        Some(Self {
            client: client.clone(),
            url: config.openai_url.clone(),
            key: config.openai_key.clone(),
            model: settings.model.clone().filter(others).unwrap_or_else(|| config.openai_model.clone()),
            voice: settings.name.clone().filter(plain).unwrap_or_else(|| config.openai_voice.clone()),
            pace: settings.words_per_minute,
        })
    }

    /// What the service takes: 0.25 to 4.
    fn speed(&self) -> f64 {
        self.pace.map_or(1.0, |pace| (f64::from(pace) / f64::from(PACE)).clamp(0.25, 4.0))
    }
}

#[async_trait]
impl Voice for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn recipe(&self) -> Option<String> {
        Some(format!("{}\n{}\n{}\n{:.3}", self.url, self.model, self.voice, self.speed()))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn address(&self) -> Option<(String, u16)> {
        super::reach::address(&self.url)
    }

    fn paid(&self) -> bool {
        self.key.is_some()
    }

    /// Of OpenAI's own server alone: what others ask is their affair.
    fn price(&self) -> Option<f64> {
        match self.model.as_str() {
            _ if !self.url.starts_with("https://api.openai.com/") => None,
            "tts-1" => Some(15.0),
            "tts-1-hd" => Some(30.0),
            // Sold by the minute of sound, at 1.5 cents: some 900 characters.
            model if model.starts_with("gpt-4o-mini-tts") => Some(16.7),
            _ => None,
        }
    }

    fn lanes(&self) -> usize {
        4
    }

    /// The service's own limit.
    fn longest(&self) -> usize {
        4_096
    }

    fn pace(&self) -> u32 {
        // Many servers that speak the protocol take no notice of `speed`.
        PACE.max((f64::from(PACE) * self.speed()) as u32)
    }

    async fn speak(&self, order: &Order<'_>) -> Result<Recording, VoiceError> {
        let mut body = json!({"model": self.model, "voice": self.voice, "input": order.text, "response_format": "mp3"});
        if self.pace.is_some() {
            body["speed"] = json!(self.speed());
        }
        let mut request = self.client.post(format!("{}/audio/speech", self.url)).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(&key.0);
        }
        Ok(Recording::File(http::fetch(request, order.deadline, means).await?, Vec::new()))
    }
}

fn means(refusal: Refusal) -> VoiceError {
    match refusal.field("/error/code").as_deref() {
        // Comes as 429, but waiting does not help.
        Some("insufficient_quota") => VoiceError::Denied("the quota is used up".to_owned()),
        _ => refusal.meaning(),
    }
}
