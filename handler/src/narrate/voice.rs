//! What every voice is: it takes words and gives a recording, or says why not.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::deadline::Deadline;

/// The most calls at a time that any voice is ever given.
pub(super) const MOST_LANES: usize = 16;

/// Somebody who can speak.
#[async_trait]
pub(super) trait Voice: Debug + Send + Sync {
    /// Its name in chains and in the status.
    fn name(&self) -> &'static str;

    /// All that decides how it sounds beside the words: model, voice, settings, language. None for a voice that speaks
    /// faster than a cache answers.
    fn recipe(&self) -> Option<String>;

    /// Whether its sound comes over a network, where a part can get lost.
    fn is_remote(&self) -> bool {
        false
    }

    /// Host and port, when they are known.
    fn address(&self) -> Option<(String, u16)> {
        None
    }

    /// Whether its characters cost money.
    fn paid(&self) -> bool {
        false
    }

    /// List price of a million characters in US dollars, as of 2026; none when nobody knows. Asked only when it is paid.
    fn price(&self) -> Option<f64> {
        None
    }

    /// How often each character is billed: once, or more where the words' times cost as much as the sound.
    fn billed(&self) -> u64 {
        1
    }

    /// Calls at a time, to begin with.
    fn lanes(&self) -> usize;

    /// The most calls at a time that it is ever given, however well it answers.
    fn most_lanes(&self) -> usize {
        MOST_LANES
    }

    /// Whether it speaks at the pace that the lesson asks for.
    fn paces(&self) -> bool {
        true
    }

    /// Most characters of one call.
    fn longest(&self) -> usize;

    /// Words a minute: its usual pace, or the one that is set when that is faster. What is far faster was cut off; what is
    /// slower than it should be is whole all the same.
    fn pace(&self) -> u32;

    /// Speaks. It need not watch the deadline: it is dropped then.
    async fn speak(&self, order: &Order<'_>) -> Result<Recording, VoiceError>;
}

/// What one call is to speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The words, never empty.
    pub(super) text: &'a str,
    /// Names the order's own files.
    pub(super) name: &'a str,
    /// A folder for them.
    pub(super) scratch: &'a Path,
    /// When the call is cut off.
    pub(super) deadline: Deadline,
}

/// What a voice gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Recording {
    /// A sound file, and when each word of the text begins and ends in it, if the voice says.
    File(Bytes, Vec<Word>),
    /// Nothing to hear, for this long.
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
    /// There is no way to it: no such host, nobody listens, no network.
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    /// It took longer than it may.
    #[error("{0} did not come in time")]
    TimedOut(&'static str),
    /// It wants to be asked later.
    #[error("it is busy: {reason}")]
    Busy {
        /// In its own words.
        reason: String,
        /// The least wait that it asks for.
        after: Option<Duration>,
        /// Whether only the number of calls at a time is too high.
        crowded: bool,
    },
    /// A fault that may pass.
    #[error("it failed: {0}")]
    Failed(String),
    /// It answered with something that is no sound, or not all of it.
    #[error("its sound can't be used: {0}")]
    NotDecodable(String),
    /// It can't speak this text, however often it is asked.
    #[error("it refused the text: {0}")]
    Refused(String),
    /// It will speak nothing for this job: the key, the quota, the voice's name or the language.
    #[error("it refused: {0}")]
    Denied(String),
    /// The call would cost more than the film may.
    #[error("{0}")]
    TooDear(String),
}

impl VoiceError {
    /// Whether the same call can succeed later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Busy { .. } | Self::Failed(_) | Self::NotDecodable(_))
    }

    /// Whether the call can't have been billed: nothing was spoken.
    pub(super) fn is_free(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy { .. } | Self::Refused(_) | Self::Denied(_))
    }

    /// Whether the voice is of no use for the rest of the job.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Denied(_))
    }
}
