//! The only place where S3 keys are spelled.

use crate::job::{JobId, Quality};

/// Documents dropped here become jobs.
pub const INCOMING: &str = "incoming/";
/// Documents that came over HTTP: a [`Submission`] each.
const SUBMITTED: &str = "incoming/http/";
/// Everything a job leaves lies under here.
pub const FILMS: &str = "films/";
/// An empty object for each job, named so that a listing begins with the newest.
pub const BY_TIME: &str = "films/by-time/";
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
/// What was asked for over HTTP, until the job has a status.
pub const REQUEST: &str = "request.json";

/// A document that came over HTTP. Its key tells all that an event about it must know, for events carry nothing else:
/// `incoming/http/<token>/<quality>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The job's idempotency token: [`TOKEN`] hexadecimal digits.
    pub token: String,
    /// Overrides the document's own quality.
    pub quality: Option<Quality>,
    /// The document's name.
    pub name: String,
}

/// Digits of a submission's token.
pub const TOKEN: usize = 32;
/// In the place of a quality where the document's own counts.
const AS_WRITTEN: &str = "as-written";

impl Submission {
    /// What the key says; none for other keys.
    pub fn of(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(SUBMITTED)?.splitn(3, '/');
        let (token, quality, name) = (parts.next()?, parts.next()?, parts.next()?);
        let hex = token.len() == TOKEN && token.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        let quality = if quality == AS_WRITTEN { None } else { Some(quality.parse().ok()?) };
        let whole = hex && !name.is_empty() && !name.contains('/');
        whole.then(|| Self { token: token.to_owned(), quality, name: name.to_owned() })
    }

    /// Its key.
    pub fn key(&self) -> String {
        let quality = self.quality.map_or_else(|| AS_WRITTEN.to_owned(), |quality| quality.to_string());
        format!("{}{quality}/{}", Self::folder(&self.token), self.name)
    }

    /// Where everything with that token lies.
    pub fn folder(token: &str) -> String {
        format!("{SUBMITTED}{token}/")
    }
}

/// The key under [`BY_TIME`] of a job that was first claimed or asked for at `created`.
pub fn by_time(job: &JobId, created: jiff::Timestamp) -> String {
    // Listings ascend, so time is counted down, in milliseconds from the year 5138.
    let left = 99_999_999_999_999_i64.saturating_sub(created.as_millisecond());
    format!("{BY_TIME}{left:014}-{job}")
}

/// The job of a key under [`BY_TIME`].
pub fn job_by_time(key: &str) -> Option<JobId> {
    key.strip_prefix(BY_TIME)?.split_once('-')?.1.parse().ok()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_its_key() {
        let token = "0123456789abcdef0123456789abcdef".to_owned();
        for quality in [None, Some(Quality::Draft), Some(Quality::Uhd)] {
            let submission = Submission { token: token.clone(), quality, name: "a \u{221a}2.md".to_owned() };
            assert_eq!(Submission::of(&submission.key()), Some(submission));
        }
        for other in ["incoming/a.md", "incoming/http/abc/draft/a.md", "incoming/http/a/b/c/d"] {
            assert_eq!(Submission::of(other), None, "{other}");
        }
        assert_eq!(Submission::of(&format!("{SUBMITTED}{token}/best/a.md")), None);
        assert_eq!(Submission::of(&format!("{SUBMITTED}{token}/draft/a/b.md")), None);
    }

    #[test]
    fn newer_jobs_are_listed_first() {
        let job: JobId = "0123456789abcdef01234567".parse().unwrap();
        let at = |text: &str| by_time(&job, text.parse().unwrap());
        assert!(at("2026-11-24T00:00:00.001Z") < at("2026-11-24T00:00:00Z"));
        assert_eq!(job_by_time(&at("2026-11-24T00:00:00Z")), Some(job));
    }
}
