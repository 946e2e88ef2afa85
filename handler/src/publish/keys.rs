//! The only place where S3 keys are spelled.

use crate::job::JobId;

/// Documents dropped here become jobs.
pub const INCOMING: &str = "incoming/";
/// Everything a job leaves lies under here.
pub const FILMS: &str = "films/";
/// The content-addressed cache.
pub const CACHE: &str = "cache/";

/// The film.
pub const FILM: &str = "film.mp4";
/// A still of it.
pub const POSTER: &str = "poster.jpg";
/// Captions as SubRip.
pub const CAPTIONS_SRT: &str = "captions.srt";
/// Captions as WebVTT.
pub const CAPTIONS_VTT: &str = "captions.vtt";
/// What the planner made.
pub const STORYBOARD: &str = "storyboard.json";
/// The ledger and the measured error.
pub const SYNC: &str = "sync.json";
/// The page.
pub const PAGE: &str = "index.html";
/// What happened, line by line.
pub const LOG: &str = "log.jsonl";
/// How it stands; always written last.
pub const STATUS: &str = "status.json";

/// A file of a job.
pub fn of(job: &JobId, file: &str) -> String {
    format!("{FILMS}{job}/{file}")
}

/// The job's status.
pub fn status(job: &JobId) -> String {
    of(job, STATUS)
}

/// Whether the service itself writes under this key: an event about it must never become a job.
pub fn is_own(key: &str) -> bool {
    key.starts_with(FILMS) || key.starts_with(CACHE)
}
