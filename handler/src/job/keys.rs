//! S3 keys: the only place where they are built and parsed.

use crate::job::{JobId, Quality};

/// Documents dropped here become jobs.
pub const INCOMING: &str = "incoming/";
/// Documents that came over HTTP: a [`Submission`] each.
const SUBMITTED: &str = "incoming/http/";
/// The results of all jobs.
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
/// Captions in another language, as `captions.de.vtt`; the extension is `srt` or `vtt`.
pub fn captions(language: &str, extension: &str) -> String {
    format!("captions.{language}.{extension}")
}

/// Under which name the status' outputs have those captions: `captions_vtt_de`.
pub fn captions_output(language: &str, extension: &str) -> String {
    format!("captions_{extension}_{language}")
}

/// The name of the same document in another language, in the same folder: `lesson.captions.de.md` for `lesson.md`.
pub fn translation(document: &str, language: &str) -> String {
    let (stem, extension) = document.rsplit_once('.').unwrap_or((document, ""));
    // What is read as a storyboard by its name stays one.
    match stem.strip_suffix(".storyboard") {
        Some(stem) => format!("{stem}.{CAPTIONS}.{language}.storyboard.{extension}"),
        None => format!("{stem}.{CAPTIONS}.{language}.{extension}"),
    }
}

/// What the keys of all translations of a document begin with.
pub fn translations(document: &str) -> String {
    let (stem, _) = document.rsplit_once('.').unwrap_or((document, ""));
    format!("{}.{CAPTIONS}.", stem.strip_suffix(".storyboard").unwrap_or(stem))
}

/// Whether a key is that of a [`translation`]: it belongs to another document.
pub fn is_translation(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    let parts: Vec<&str> = name.split('.').collect();
    let tag = |part: &str| {
        let first = part.split('-').next().unwrap_or(part);
        let letters = matches!(first.len(), 2 | 3) && first.bytes().all(|b| b.is_ascii_alphabetic());
        letters && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // A name, the mark, a language, and an extension.
    parts.windows(3).skip(1).any(|three| three[0].eq_ignore_ascii_case(CAPTIONS) && tag(three[1]))
}

/// The names of what is spoken in a Manim program, in the program's folder: `program.narration.md` and `program.narration.json` for
/// `program.py`; none for other documents.
pub fn narrations(document: &str) -> Vec<String> {
    let program = document.rsplit_once('.').filter(|(_, extension)| extension.eq_ignore_ascii_case("py"));
    let of = |(stem, _)| NARRATION_EXTENSIONS.map(|extension| format!("{stem}.{NARRATION}.{extension}")).to_vec();
    program.map(of).unwrap_or_default()
}

/// Whether a key is one of [`narrations`]: it belongs to another document.
pub fn is_narration(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let is_marked = stem.rsplit_once('.').is_some_and(|(_, mark)| mark.eq_ignore_ascii_case(NARRATION));
    is_marked && NARRATION_EXTENSIONS.iter().any(|one| extension.eq_ignore_ascii_case(one))
}

/// Stands in the names of [`narrations`], and what they end with, the first that is there counting.
const NARRATION: &str = "narration";
const NARRATION_EXTENSIONS: [&str; 2] = ["md", "json"];

/// Stands in the name of a [`translation`]. Without such a mark a lesson that is called `lesson.en.md` would be none.
const CAPTIONS: &str = "captions";

/// What the planner made.
pub const STORYBOARD: &str = "storyboard.json";
/// The ledger and the measured error.
pub const SYNC: &str = "sync.json";
/// The lesson that a language model wrote, of a job that came with a question.
pub const LESSON: &str = "lesson.md";
/// The page.
pub const PAGE: &str = "index.html";
/// The job's log as JSON lines.
pub const LOG: &str = "log.jsonl";
/// The job's status; always written last.
pub const STATUS: &str = "status.json";
/// The request that came over HTTP, until the job has a status.
pub const REQUEST: &str = "request.json";

/// A document that came over HTTP. Its key holds all parameters of the job, for an S3 event carries nothing else:
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
/// In place of a quality when the document's own applies.
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

    /// The prefix of everything with that token.
    pub fn folder(token: &str) -> String {
        format!("{SUBMITTED}{token}/")
    }
}

/// The key under [`BY_TIME`] of a job that was first claimed or submitted at `created`.
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
    fn a_submission_is_parsed_from_its_key() {
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
    fn the_narration_of_a_program_is_known_by_its_name_alone() {
        assert_eq!(narrations("a/circle.py"), ["a/circle.narration.md", "a/circle.narration.json"]);
        assert!(narrations("lesson.md").is_empty());
        assert!(narrations("a/circle.py").iter().all(|name| is_narration(name)));
        for document in ["narration.md", "a.narration/b.md", "a.narration.py", "the-narration.md"] {
            assert!(!is_narration(document), "{document}");
        }
    }

    #[test]
    fn a_translation_is_known_by_its_name_alone() {
        for (document, name) in [
            ("lesson.md", "lesson.captions.pt-BR.md"),
            ("a.b.json", "a.b.captions.pt-BR.json"),
            ("a.storyboard.json", "a.captions.pt-BR.storyboard.json"),
        ] {
            assert_eq!(translation(document, "pt-BR"), name);
            assert!(name.starts_with(&translations(document)), "{name}");
            assert!(is_translation(&format!("incoming/{name}")) && !is_translation(document), "{name}");
        }
        // Lessons in one language, about captions, or in a folder of that name are documents like others.
        let documents = ["lesson.en.md", "captions.de.md", "captions.md", "a.captions.md", "a.captions.de/b.md"];
        for document in [&documents[..], &["a.captions.v2.md", "a.captions.deutsch.md"]].concat() {
            assert!(!is_translation(&format!("incoming/{document}")), "{document}");
        }
    }

    #[test]
    fn newer_jobs_are_listed_first() {
        let job: JobId = "0123456789abcdef01234567".parse().unwrap();
        let at = |text: &str| by_time(&job, text.parse().unwrap());
        assert!(at("2026-11-24T00:00:00.001Z") < at("2026-11-24T00:00:00Z"));
        assert_eq!(job_by_time(&at("2026-11-24T00:00:00Z")), Some(job));
    }
}
