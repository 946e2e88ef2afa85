//! The silent voice: silence for as long as reading takes.

use std::time::Duration;

use async_trait::async_trait;

use super::voice::{Recording, SpeechRequest, Voice, VoiceError};

/// Words a minute at which captions are read without haste.
const PACE: u32 = 160;
/// Characters a second at which captions are still readable.
const CHARACTERS: f64 = 17.0;

/// A voice that only takes time.
#[derive(Debug)]
pub(super) struct Silent {
    pub(super) pace: Option<u32>,
}

#[async_trait]
impl Voice for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn recipe(&self) -> Option<String> {
        None
    }

    fn concurrency(&self) -> usize {
        usize::MAX
    }

    fn max_characters(&self) -> usize {
        usize::MAX
    }

    fn pace(&self) -> u32 {
        self.pace.unwrap_or(PACE)
    }

    async fn speak(&self, request: &SpeechRequest<'_>) -> Result<Recording, VoiceError> {
        let by_words = request.text.split_whitespace().count() as f64 * 60.0 / f64::from(self.pace());
        let by_characters = request.text.chars().count() as f64 / CHARACTERS;
        Ok(Recording::Silence(Duration::from_secs_f64(by_words.max(by_characters).max(0.5))))
    }
}
