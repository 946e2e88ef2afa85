//! Writes the results to the store, whatever happened: the film and its files, then the log, and last the status, which tells
//! readers that all the rest is there.
//!
//! In: files and texts, or an error. Out: objects under `films/<job-id>/`. The only thing it makes itself is the page.

mod page;

pub use page::policy as page_policy;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use storyboard::Storyboard;
use tracing::{error, info, warn};

use crate::assemble::{Film, Ledger};
use crate::deadline::{Cutoff, Deadline, Passed, Stopped};
use crate::error::{Code, JobError, Stage};
use crate::job::keys;
use crate::job::lease::FinishError;
use crate::job::log::JobLog;
use crate::job::status::{State, Sync};
use crate::job::{JobId, Lease, Status};
use crate::store::{CacheKey, Store, StoreError};

/// What has been published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Kind → key.
    pub outputs: BTreeMap<String, String>,
    /// Sound against picture; none when there was no time to measure it.
    pub sync: Option<Sync>,
    /// Seconds of film.
    pub film_seconds: f64,
}

/// The result of a part of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The film.
    Published(Published),
    /// Something for the next task of a Step Functions execution.
    HandedOver {
        /// Its ARN.
        execution: String,
        /// What the next task has to know.
        handover: CacheKey,
        /// When the execution is over, whatever happens.
        until: Timestamp,
    },
}

/// The time that log and status get even when nothing is left: less than the two seconds by which any deadline may be overrun.
pub const LEAST: Duration = Duration::from_millis(1_500);

/// The reserve of a job's time for writing log and status: a fifth, at most 15 s.
pub fn reserve(ends: Deadline) -> Duration {
    (ends.left() / 5).min(Duration::from_secs(15))
}

/// Writes the film and all that belongs to it, but log and status. `status` and `log` are those so far, for the page.
///
/// # Errors
/// `store.…`
pub async fn film(
    film: &Film,
    storyboard: &Storyboard,
    ledger: &Ledger,
    status: &Status,
    log: &[u8],
    store: &Store,
    deadline: Deadline,
) -> Result<Published, JobError> {
    let written = {
        let (film, storyboard, ledger) = (film.clone(), storyboard.clone(), ledger.clone());
        let (status, log) = (status.clone(), log.to_vec());
        deadline.work(move |cutoff| texts(&film, &storyboard, &ledger, &status, &log, cutoff)).await
    };
    let late = |stopped: Stopped| JobError::new(Code::JobDeadline, format!("writing the film's page: {stopped}"));
    let texts = written.map_err(late)?.map_err(|passed| late(passed.into()))?;
    let texts = texts.map(|(kind, file, media, bytes)| (kind.to_owned(), file.to_owned(), media, bytes));
    let texts = texts.into_iter().chain(captions(film));
    let files: [(&str, &str, &str, &Path); 2] =
        [("film", keys::FILM, "video/mp4", &film.path), ("poster", keys::POSTER, "image/jpeg", &film.poster)];
    let (id, mut outputs) = (&status.job_id, BTreeMap::new());
    let texts: Vec<_> = texts
        .map(|(kind, file, content_type, bytes)| {
            let key = keys::of(id, &file);
            outputs.insert(kind, key.clone());
            async move { store.put(&key, bytes, content_type, deadline).await }
        })
        .collect();
    let files = files.map(|(kind, file, content_type, path)| {
        let key = keys::of(id, file);
        outputs.insert(kind.to_owned(), key.clone());
        async move { store.put_file(&key, path, content_type, deadline).await }
    });
    tokio::try_join!(futures::future::try_join_all(texts), futures::future::try_join_all(files))?;
    // The film's own language is published under its name too.
    if let Some(own) = film.captions.first() {
        for extension in ["srt", "vtt"] {
            let own_key = outputs.get(&format!("captions_{extension}")).cloned();
            outputs.extend(own_key.map(|key| (keys::captions_output(&own.language, extension), key)));
        }
    }
    Ok(Published { outputs, sync: film.sync, film_seconds: ledger.seconds() })
}

/// Kind, file, media type and bytes of what is published.
type Text = (&'static str, &'static str, &'static str, Vec<u8>);

/// The texts of a film apart from its captions: kind, file, media type, bytes. Megabytes, of a long one.
fn texts(
    film: &Film,
    storyboard: &Storyboard,
    ledger: &Ledger,
    status: &Status,
    log: &[u8],
    cutoff: &Cutoff,
) -> Result<[Text; 3], Passed> {
    let json = |value: Result<Vec<u8>, serde_json::Error>| value.unwrap_or_default();
    let sync = serde_json::json!({
        "ledger": ledger, "measured": film.sync, "beats": film.beats, "loudness_lufs": film.loudness,
    });
    let sync = json(serde_json::to_vec_pretty(&sync));
    cutoff.check()?;
    let planned = json(serde_json::to_vec_pretty(storyboard));
    cutoff.check()?;
    let page = page::of(film, storyboard, ledger, status, log).into_bytes();
    Ok([
        ("storyboard", keys::STORYBOARD, "application/json", planned),
        ("sync", keys::SYNC, "application/json", sync),
        ("page", keys::PAGE, "text/html; charset=utf-8", page),
    ])
}

/// Whether all that a job published is still there and whole, as far as the store itself can tell by reading it.
///
/// # Errors
/// What is lost, as `store.not_found` or `store.damaged`. When the store can't be read, nothing counts as lost.
pub async fn whole(status: &Status, store: &Store, deadline: Deadline) -> Result<(), JobError> {
    let files: BTreeSet<&String> = status.outputs.values().collect();
    for key in files {
        match store.check(key, deadline).await {
            Err(error) if error.is_lost() => return Err(lost(error)),
            Err(error) => {
                warn!(%error, "can't verify whether the published files are intact; they are used as they are");
                return Ok(());
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// A loss as a retryable error: the files can be made again.
pub fn lost(error: StoreError) -> JobError {
    JobError { retryable: true, ..JobError::from(error).in_stage(Stage::Publish) }
}

/// The captions in every language: kind, file, media type, bytes. The film's own come first, and their names have no language.
fn captions(film: &Film) -> impl Iterator<Item = (String, String, &'static str, Vec<u8>)> {
    film.captions.iter().enumerate().flat_map(|(number, captions)| {
        let texts = [("srt", "application/x-subrip", &captions.srt), ("vtt", "text/vtt", &captions.vtt)];
        texts.map(|(extension, media, text)| {
            let (kind, file) = match (number, extension) {
                (0, "srt") => ("captions_srt".to_owned(), keys::CAPTIONS_SRT.to_owned()),
                (0, _) => ("captions_vtt".to_owned(), keys::CAPTIONS_VTT.to_owned()),
                _ => {
                    let language = &captions.language;
                    (keys::captions_output(language, extension), keys::captions(language, extension))
                }
            };
            (kind, file, media, text.clone().into_bytes())
        })
    })
}

/// Writes log and status, whatever the job's result, and gives the status as written.
///
/// # Errors
/// When the status can't be written, or another worker has the job.
pub async fn outcome(
    made: Result<Outcome, JobError>,
    lease: Lease,
    id: &JobId,
    log: &JobLog,
    store: &Store,
    deadline: Deadline,
) -> Result<Status, JobError> {
    match &made {
        Ok(Outcome::Published(_)) => info!("the film is published"),
        Ok(Outcome::HandedOver { execution, .. }) => {
            info!(execution, "the job is handed over to the state machine")
        }
        Err(error) => error!(code = error.code.name(), remedy = error.remedy, "{}", error.message),
    }
    if let Err(error) = &made
        && error.code == Code::JobLost
    {
        return after_loss(error, &lease, id, log, store, deadline).await;
    }
    let mut log_key = Some(keys::of(id, keys::LOG));
    // A log that can't be written must not keep the status from being written: it gets half of what is left.
    let log_deadline = deadline.slice(deadline.left() / 2);
    if let Some(key) = &log_key
        && let Err(error) = store.put(key, log.bytes(), "application/x-ndjson", log_deadline).await
    {
        warn!(%error, "can't write the job's log to the store");
        log_key = None;
    }
    let seconds = lease.held().as_secs_f64();
    let finished = lease.finish(|status| conclude(status, made, log_key, seconds), deadline).await;
    finished.map_err(|error| match error {
        FinishError::Lost => JobError::new(Code::JobLost, "another worker has taken the job over"),
        FinishError::Store(error) => JobError::from(error),
    })
}

/// A cancelled job still gets its log. A job that was taken over belongs to the other worker, its log included.
async fn after_loss(
    error: &JobError,
    lease: &Lease,
    id: &JobId,
    log: &JobLog,
    store: &Store,
    deadline: Deadline,
) -> Result<Status, JobError> {
    if lease.cancelled(&[], deadline).await.is_none() {
        return Err(error.clone());
    }
    let key = keys::of(id, keys::LOG);
    store.put(&key, log.bytes(), "application/x-ndjson", deadline).await?;
    lease.cancelled(&[("log".to_owned(), key)], deadline).await.ok_or_else(|| error.clone())
}

fn conclude(status: &mut Status, made: Result<Outcome, JobError>, log: Option<String>, seconds: f64) {
    status.outputs.extend(log.map(|key| ("log".to_owned(), key)));
    status.cost.seconds += seconds;
    status.timeline.iter_mut().for_each(|ran| _ = ran.to.get_or_insert(seconds));
    match made {
        Ok(Outcome::HandedOver { execution, until, .. }) => {
            status.owner.clear();
            status.execution = Some(execution);
            status.deadline = until;
        }
        Ok(Outcome::Published(published)) => {
            status.outputs.extend(published.outputs);
            status.sync = published.sync;
            status.cost.film_seconds = published.film_seconds;
            status.stage = Stage::Publish;
            status.progress = 1.0;
            status.state = if status.is_whole() { State::Succeeded } else { State::Degraded };
        }
        Err(error) => {
            status.state = if error.code == Code::JobDeadline { State::TimedOut } else { State::Failed };
            status.error = Some(error);
        }
    }
}

#[cfg(test)]
mod tests;
