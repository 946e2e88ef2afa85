//! The interface of a voice: it takes words and gives a recording, or an error.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::deadline::Deadline;

/// The most calls at a time that any voice is ever given.
pub(super) const MAX_CONCURRENCY: usize = 16;

/// A text-to-speech service or program.
#[async_trait]
pub(super) trait Voice: Debug + Send + Sync {
    /// Its name in chains and in the status.
    fn name(&self) -> &'static str;

    /// All that decides how it sounds beside the words: model, voice, settings, language. It becomes part of the cache key.
    /// None for a voice that speaks faster than the cache answers.
    fn recipe(&self) -> Option<String>;

    /// Whether its sound comes over a network, where a part can get lost.
    fn is_remote(&self) -> bool {
        false
    }

    /// Host and port, when they are known.
    fn address(&self) -> Option<(String, u16)> {
        None
    }

    /// Whether its characters are billed.
    fn paid(&self) -> bool {
        false
    }

    /// List price of a million characters in US dollars, as of 2026; none when it is not known. Used only for paid voices.
    fn price(&self) -> Option<f64> {
        None
    }

    /// How often each character is billed: twice where the words' times cost as much as the sound.
    fn billing_factor(&self) -> u64 {
        1
    }

    /// Calls at a time, to begin with.
    fn concurrency(&self) -> usize;

    /// The most calls at a time, however well it answers.
    fn max_concurrency(&self) -> usize {
        MAX_CONCURRENCY
    }

    /// A limit on calls that voices of several films share: a call's time begins when it has its turn. None for a voice without one.
    fn turns(&self) -> Option<Arc<Semaphore>> {
        None
    }

    /// Whether it follows the lesson's `words_per_minute`.
    fn follows_pace(&self) -> bool {
        true
    }

    /// Most characters of one call.
    fn max_characters(&self) -> usize;

    /// Words a minute: its usual pace, or the one that is set when that is faster. Sound that is far faster was cut off; sound
    /// that is slower is whole all the same.
    fn pace(&self) -> u32;

    /// Speaks. It need not watch the deadline: the caller drops the future then.
    async fn speak(&self, request: &SpeechRequest<'_>) -> Result<Recording, VoiceError>;
}

/// What one call speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpeechRequest<'a> {
    /// The words, never empty.
    pub(super) text: &'a str,
    /// A prefix for the names of its files.
    pub(super) name: &'a str,
    /// The number of its scene in the film.
    pub(super) scene: usize,
    /// A folder for them.
    pub(super) scratch: &'a Path,
    /// When the call is dropped.
    pub(super) deadline: Deadline,
}

/// What a voice gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Recording {
    /// A sound file, and when each word of the text begins and ends in it, if the voice says.
    File(Bytes, Vec<Word>),
    /// Silence of this length.
    Silence(Duration),
}

/// When a word is spoken: milliseconds from the first sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Begins.
    pub from_ms: u32,
    /// Ends.
    pub to_ms: u32,
}

/// Why a voice gave no sound.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VoiceError {
    /// No connection: no such host, nothing listens, no network.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("timed out waiting for {0}")]
    TimedOut(&'static str),
    /// It asks to be called later.
    #[error("the service is busy: {reason}")]
    Busy {
        /// The service's own message.
        reason: String,
        /// The least wait that it asks for.
        after: Option<Duration>,
        /// Whether only the number of calls at a time is too high.
        crowded: bool,
    },
    /// A failure that a retry may cure.
    #[error("the call failed: {0}")]
    Failed(String),
    /// The answer is no sound, or only a part of it.
    #[error("the sound can't be used: {0}")]
    NotDecodable(String),
    /// It can't speak this text; a retry does not help.
    #[error("the text was refused: {0}")]
    Refused(String),
    /// It speaks nothing for this job: the key, the quota, the voice's name or the language.
    #[error("refused: {0}")]
    Denied(String),
    /// The call would exceed the lesson's `max_characters`.
    #[error("{0}")]
    BudgetExceeded(String),
}

impl VoiceError {
    /// Whether the same call can succeed later.
    pub(super) fn is_retryable(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Busy { .. } | Self::Failed(_) | Self::NotDecodable(_))
    }

    /// Whether the call can't have been billed: nothing was spoken.
    pub(super) fn is_unbilled(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy { .. } | Self::Refused(_) | Self::Denied(_))
    }

    /// Whether the voice is of no use for the rest of the job.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Denied(_))
    }
}
