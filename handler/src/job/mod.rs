//! A job: its request, identity, status, events and log.
//!
//! In: requests from all interfaces. Out: an identity that is the same for the same request, a status that is one
//! document and always whole, a log that never blocks. It never does any of the job's work.

pub mod events;
pub mod identity;
pub mod keys;
pub mod lease;
pub mod log;
pub mod status;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use storyboard::FrameShape;

pub use identity::JobId;
pub use lease::{Again, Claim, Lease, Terms, Worker};
pub use status::{State, Status};

/// A request for one film.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRequest {
    /// Where the document is.
    pub source: Source,
    /// Overrides the document's own quality.
    pub quality: Option<Quality>,
    /// The planner to use instead of the built-in one: a name under the prefix that the settings allow. A changed planner needs a
    /// new name, as a changed document has a new version.
    pub planner: Option<String>,
    /// The caller's idempotency token: two requests with the same one are one job.
    pub token: Option<String>,
    /// The ids of the scenes that are wanted, in any order; empty for all.
    pub scenes: Vec<String>,
}

impl JobRequest {
    /// For the whole film of a document, as the document has it.
    pub fn of(source: Source) -> Self {
        Self { source, quality: None, planner: None, token: None, scenes: Vec::new() }
    }
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// In the request itself.
    Inline {
        /// File name, whose extension decides the format.
        name: String,
        /// As they arrived.
        bytes: Vec<u8>,
        /// Where the files are that it names; none for a document that came over a network.
        folder: Option<Folder>,
    },
    /// In S3.
    Object {
        /// Bucket.
        bucket: String,
        /// Key, decoded.
        key: String,
        /// Version id or entity tag, when the event names one: another version is another job.
        version: Option<String>,
    },
}

/// The folder of this machine that holds a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Changes when a file that the document names changes, so that the same words with other pictures are another job.
    pub version: String,
}

/// Size and frame rate of the film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// 854x480 at 15 frames per second.
    Draft,
    /// 1280x720 at 30.
    Standard,
    /// 1920x1080 at 60.
    High,
    /// 3840x2160 at 60.
    #[serde(rename = "4k")]
    #[value(name = "4k")]
    Uhd,
}

impl Quality {
    /// Width and height in pixels of a picture of that shape, 16 to 9 when none is named; both even, as yuv420p needs.
    pub fn size(self, shape: Option<FrameShape>) -> (u32, u32) {
        let (long, short) = match self {
            Self::Draft => (854, 480),
            Self::Standard => (1280, 720),
            Self::High => (1920, 1080),
            Self::Uhd => (3840, 2160),
        };
        match shape {
            None => (long, short),
            Some(FrameShape::Portrait) => (short, long),
            Some(FrameShape::Square) => (short, short),
        }
    }

    /// Frames per second; each divides 48,000 samples per second.
    pub fn fps(self) -> u32 {
        match self {
            Self::Draft => 15,
            Self::Standard => 30,
            Self::High | Self::Uhd => 60,
        }
    }
}

impl From<storyboard::Quality> for Quality {
    fn from(quality: storyboard::Quality) -> Self {
        match quality {
            storyboard::Quality::Draft => Self::Draft,
            storyboard::Quality::Standard => Self::Standard,
            storyboard::Quality::High => Self::High,
            storyboard::Quality::Uhd => Self::Uhd,
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Standard => "standard",
            Self::High => "high",
            Self::Uhd => "4k",
        })
    }
}

impl FromStr for Quality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Draft, Self::Standard, Self::High, Self::Uhd]
            .into_iter()
            .find(|quality| quality.to_string() == text)
            .ok_or_else(|| format!("quality is `{text}`; it must be draft, standard, high or 4k"))
    }
}
