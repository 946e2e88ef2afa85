//! `status.json` is the lease: claimed with `If-None-Match`, renewed with `If-Match`. A worker that loses a conditional write
//! has lost the job, and stops. A job is cancelled by the same means.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::{Instrument, error, warn};

use super::events::JobEvent;
use super::{JobId, State, Status};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::keys;
use crate::store::{Condition, ETag, Store, StoreError};

/// Heartbeats in a lease's timeout: an owner counts as dead when it missed so many.
const BEATS: u32 = 6;
/// Changes are written at most this often; a reader sees the newest.
const PACE: Duration = Duration::from_millis(400);
/// One write of a small document takes milliseconds; longer than ten seconds, the store must have failed.
const WRITE: Duration = Duration::from_secs(10);

/// The result of a cancellation.
#[derive(Debug)]
pub enum Cancellation {
    /// The job's status as it was written, of which the caller notifies subscribers.
    Cancelled(Status),
    /// The status of a job that had ended already.
    AlreadyOver(Status),
}

/// Which ended jobs a new delivery starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Those whose error says that a retry can help.
    Retryable,
    /// All that have no film: a user at a terminal asks for it again.
    Failed,
    /// None.
    Never,
}

/// Who claims a job. The tasks of one Step Functions execution come one after the other, so a task takes the job over from the
/// earlier ones at once, while all others have to leave it to the execution until its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker<'a> {
    /// A process that makes the whole film.
    Alone,
    /// The first task of the execution of that name.
    First(&'a str),
    /// A later task of it, which continues from the earlier ones, and never begins a job.
    Next(&'a str),
}

impl<'a> Worker<'a> {
    /// The execution.
    pub fn execution(self) -> Option<&'a str> {
        match self {
            Self::Alone => None,
            Self::First(execution) | Self::Next(execution) => Some(execution),
        }
    }
}

/// The terms of a claim.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Who claims it.
    pub worker: Worker<'a>,
    /// Which finished jobs are started again.
    pub again: Again,
    /// The age of the heartbeat after which an owner counts as dead (LEASE_TIMEOUT).
    pub timeout: Duration,
    /// When the job ends, as wall-clock time, for readers of the status.
    pub ends: Timestamp,
}

/// The result of a claim.
#[derive(Debug)]
pub enum Claim {
    /// The job is ours.
    Mine(Lease),
    /// The job has ended; there is nothing to do.
    Done(Box<Status>),
    /// Another worker has it, and is alive.
    Held(Box<Status>),
}

/// The right to work on a job, and the one way to write its status.
#[derive(Debug)]
pub struct Lease {
    status: watch::Sender<Status>,
    lost: watch::Receiver<bool>,
    stop: Arc<Notify>,
    writer: JoinHandle<ETag>,
    store: Store,
    key: String,
    since: Instant,
}

/// The final status could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Another worker holds the job by now.
    #[error("another worker has taken the job over")]
    Lost,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lease {
    /// Claims the job, or says why not. A job that another worker holds is watched until its heartbeat moves, which shows that its
    /// owner lives, or until it has not moved for the lease's timeout.
    ///
    /// # Errors
    /// [`StoreError`] when the status can be neither read nor written by `deadline`; `store.not_found` when a later task of an
    /// execution finds no job.
    pub async fn claim(store: &Store, id: &JobId, terms: Terms<'_>, deadline: Deadline) -> Result<Claim, StoreError> {
        let key = keys::status(id);
        let owner = owner_name();
        let began = Instant::now();
        let mut watched: Option<(ETag, Instant)> = None;
        // A round is lost only when another worker won it, and the next read finds its claim: so this ends.
        loop {
            let (mut status, condition) = match store.get(&key, MAX_STATUS, deadline).await {
                Err(StoreError::NotFound { .. }) if !matches!(terms.worker, Worker::Next(_)) => {
                    (Status::queued(id.clone(), owner.clone(), terms.ends), Condition::Absent)
                }
                // The object is corrupt and the job's state unknown, so the job begins again. An owner that still holds it loses it at its
                // next write.
                Err(StoreError::Damaged { message, .. }) if !matches!(terms.worker, Worker::Next(_)) => {
                    warn!(key, message, "status.json is damaged; the job starts again");
                    let there = store.head(&key, deadline).await?;
                    (Status::queued(id.clone(), owner.clone(), terms.ends), Condition::Matches(there.etag))
                }
                Err(error) => return Err(error),
                Ok(object) => {
                    let claimed = match serde_json::from_slice::<Status>(&object.bytes) {
                        // A document that is no status was not written by this program, and says nothing about the job.
                        Err(error) => {
                            warn!(key, %error, "status.json is not a valid status; the job starts again");
                            Status::queued(id.clone(), owner.clone(), terms.ends)
                        }
                        Ok(found) if found.state.is_final() && !found.may_start_again(terms.again) => {
                            return Ok(Claim::Done(Box::new(found)));
                        }
                        Ok(found) if found.is_of(terms.worker) => found.resumed(owner.clone()),
                        Ok(found) if matches!(terms.worker, Worker::Next(_)) || found.is_handed_over() => {
                            return Ok(Claim::Held(Box::new(found)));
                        }
                        Ok(found) if found.state.is_final() => found.claimed_again(owner.clone(), terms.ends),
                        Ok(found) => {
                            let moved = watched.as_ref().is_some_and(|(tag, _)| *tag != object.etag);
                            // The process that started an execution hands the job over to it a moment later.
                            let patient = matches!(terms.worker, Worker::First(_)) && began.elapsed() < terms.timeout;
                            if (moved && !patient) || deadline.passed() {
                                return Ok(Claim::Held(Box::new(found)));
                            }
                            watched = watched.filter(|_| !moved);
                            let silent = watched.as_ref().map(|(_, since)| since.elapsed());
                            if !found.is_older_than(terms.timeout) && silent.is_none_or(|silent| silent < terms.timeout)
                            {
                                watched = watched.or(Some((object.etag, Instant::now())));
                                let pause = deadline.slice(terms.timeout / (2 * BEATS));
                                tokio::time::sleep_until(pause.instant().into()).await;
                                continue;
                            }
                            warn!(
                                owner = found.owner,
                                "the job's owner has sent no heartbeat for LEASE_TIMEOUT; this worker takes the job over"
                            );
                            found.claimed_again(owner.clone(), terms.ends)
                        }
                    };
                    (claimed, Condition::Matches(object.etag))
                }
            };
            status.execution = terms.worker.execution().map(str::to_owned);
            if let Some(etag) = Self::write(store, &key, &status, &condition, deadline).await? {
                let beat = terms.timeout / BEATS;
                return Ok(Claim::Mine(Self::hold(store.clone(), key, status, etag, beat)));
            }
        }
    }

    /// Ends a job from outside: its owner's next write fails, and it stops. Gives the status as it was written here, of which the
    /// caller notifies subscribers, or that of a job which had ended already and stays as it is.
    ///
    /// # Errors
    /// [`StoreError`]; `store.not_found` when there is no such job.
    pub async fn cancel(store: &Store, id: &JobId, deadline: Deadline) -> Result<Cancellation, StoreError> {
        let key = keys::status(id);
        // A round is lost when the owner's heartbeat came between; the next one reads that.
        loop {
            let (found, etag) = Self::found(store, &key, deadline).await?;
            if found.state.is_final() {
                return Ok(Cancellation::AlreadyOver(found));
            }
            let cancelled = Status {
                state: State::Cancelled,
                generation: found.generation + 1,
                updated_at: Timestamp::now(),
                error: Some(
                    JobError::new(Code::JobCancelled, "the job was cancelled on request").in_stage(found.stage),
                ),
                ..found
            };
            let condition = Condition::Matches(etag);
            if Self::write(store, &key, &cancelled, &condition, deadline).await?.is_some() {
                return Ok(Cancellation::Cancelled(cancelled));
            }
        }
    }

    /// Marks a job whose files are lost as failed, for the reason `why`, so that it is made again when it is sent again. Gives the
    /// status as it was written; none when the job has no film, or another worker has it.
    ///
    /// # Errors
    /// [`StoreError`]; `store.not_found` when there is no such job.
    pub async fn revoke_film(
        store: &Store,
        id: &JobId,
        why: &JobError,
        deadline: Deadline,
    ) -> Result<Option<Status>, StoreError> {
        let key = keys::status(id);
        let (found, etag) = Self::found(store, &key, deadline).await?;
        if !found.state.may_become(State::Failed, true) {
            return Ok(None);
        }
        warn!(
            job_id = id.as_str(),
            code = why.code.name(),
            "files that the job has published are lost; it can be made again: {}",
            why.message
        );
        let revoked = Status {
            state: State::Failed,
            generation: found.generation + 1,
            updated_at: Timestamp::now(),
            outputs: std::collections::BTreeMap::new(),
            error: Some(why.clone()),
            ..found
        };
        let written = Self::write(store, &key, &revoked, &Condition::Matches(etag), deadline).await?;
        Ok(written.map(|_| revoked))
    }

    /// Reads the status of a job, whichever worker has it.
    ///
    /// # Errors
    /// [`StoreError`]; `store.not_found` when there is no such job.
    pub async fn read(store: &Store, id: &JobId, deadline: Deadline) -> Result<Status, StoreError> {
        Self::found(store, &keys::status(id), deadline).await.map(|(status, _)| status)
    }

    async fn found(store: &Store, key: &str, deadline: Deadline) -> Result<(Status, ETag), StoreError> {
        let object = store.get(key, MAX_STATUS, deadline).await?;
        let status = serde_json::from_slice(&object.bytes).map_err(|_| StoreError::NotFound { key: key.to_owned() })?;
        Ok((status, object.etag))
    }

    /// Records an event of one of many parallel tasks, while the job is between two tasks of `execution` and has no owner. The
    /// status stays as it is when the job has ended, or has an owner or another execution.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn note(
        store: &Store,
        id: &JobId,
        execution: &str,
        event: JobEvent,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let key = keys::status(id);
        // A round is lost when another task wrote between; the next one reads that.
        loop {
            let (mut status, etag) = Self::found(store, &key, deadline).await?;
            if !status.waits_for(execution) {
                return Ok(());
            }
            // The job has no owner, so there is no time since its claim.
            status.apply(event.clone(), 0.0);
            status.updated_at = Timestamp::now();
            if !status.is_consistent() {
                error!(
                    state = status.state.name(),
                    "BUG: a change of the status that contradicts itself was not written"
                );
                return Ok(());
            }
            if Self::write(store, &key, &status, &Condition::Matches(etag), deadline).await?.is_some() {
                return Ok(());
            }
            // Without a pause, many tasks that end together would keep each other from writing.
            let pause = Duration::from_millis(fastrand::u64(10..200));
            tokio::time::sleep_until(deadline.slice(pause).instant().into()).await;
        }
    }

    /// Ends when a job is no longer between two tasks of `execution`: it was cancelled or taken over. Polls every `pace`.
    pub async fn until_unneeded(store: &Store, id: &JobId, execution: &str, pace: Duration) {
        loop {
            tokio::time::sleep(pace).await;
            // A store that does not answer says nothing about the job.
            if let Ok(status) = Self::read(store, id, Deadline::after(WRITE)).await
                && !status.waits_for(execution)
            {
                return;
            }
        }
    }

    /// After a loss: the status, when the job was not taken over but cancelled, with `outputs` added to it. None when
    /// another worker has it.
    pub async fn cancelled(&self, outputs: &[(String, String)], deadline: Deadline) -> Option<Status> {
        let object = self.store.get(&self.key, MAX_STATUS, deadline).await.ok()?;
        let mut found = serde_json::from_slice::<Status>(&object.bytes).ok()?;
        if found.state != State::Cancelled || found.generation != self.status.borrow().generation + 1 {
            return None;
        }
        found.outputs.extend(outputs.iter().cloned());
        let condition = Condition::Matches(object.etag);
        Self::write(&self.store, &self.key, &found, &condition, deadline).await.ok()?.map(|_| found)
    }

    async fn write(
        store: &Store,
        key: &str,
        status: &Status,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<Option<ETag>, StoreError> {
        let body = serde_json::to_vec_pretty(status).unwrap_or_default();
        store.put_if(key, body, "application/json", condition, deadline).await
    }

    fn hold(store: Store, key: String, status: Status, etag: ETag, beat: Duration) -> Self {
        let (sender, receiver) = watch::channel(status);
        let (lost_sender, lost) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let writer = Self::keep_writing(store.clone(), key.clone(), receiver, lost_sender, stop.clone(), (etag, beat));
        let writer = tokio::spawn(writer.in_current_span());
        Self { status: sender, lost, stop, writer, store, key, since: Instant::now() }
    }

    /// Writes each change, or a heartbeat when there is none, until `stop` is notified. Gives the last entity tag.
    async fn keep_writing(
        store: Store,
        key: String,
        mut status: watch::Receiver<Status>,
        lost: watch::Sender<bool>,
        stop: Arc<Notify>,
        (mut etag, beat): (ETag, Duration),
    ) -> ETag {
        loop {
            tokio::select! {
                () = stop.notified() => return etag,
                // A closed channel means that the lease was dropped: the tag is not needed.
                changed = tokio::time::timeout(beat, status.changed()) => if matches!(changed, Ok(Err(_))) { return etag },
            }
            let mut now = status.borrow_and_update().clone();
            now.updated_at = Timestamp::now();
            match Self::write(&store, &key, &now, &Condition::Matches(etag.clone()), Deadline::after(WRITE)).await {
                Ok(Some(newer)) => etag = newer,
                Ok(None) => {
                    let _ = lost.send(true);
                    return etag;
                }
                // The next heartbeat tries again; a lasting failure of the store is noticed by the job's own calls.
                Err(error) => warn!(%error, "can't write the heartbeat to status.json; the next one tries again"),
            }
            tokio::select! {
                () = stop.notified() => return etag,
                () = tokio::time::sleep(PACE.min(beat)) => {}
            }
        }
    }

    /// Applies an event to the status, which is written soon.
    pub fn report(&self, event: JobEvent) {
        let at = self.held().as_secs_f64();
        self.change(|status| status.apply(event, at));
    }

    /// Changes the status; it is written soon. A change that [`MOVES`](super::status::MOVES) does not allow, or after which the
    /// fields contradict the state, is not made, and logged as an error.
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_if_modified(|status| {
            let mut next = status.clone();
            change(&mut next);
            let allowed = status.state.may_become(next.state, false) && next.is_consistent();
            if allowed {
                *status = next;
            } else {
                error!(
                    from = status.state.name(),
                    to = next.state.name(),
                    "BUG: a change of the status that contradicts itself was not written"
                );
            }
            allowed
        });
    }

    /// The current status.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Subscribes to the status.
    pub fn follow(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// How long this attempt has lasted.
    pub fn held(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits until another worker has taken the job over.
    pub async fn lost(&self) {
        let mut lost = self.lost.clone();
        // An error means that the writer has ended without a loss.
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Writes the final status and gives it back as written.
    ///
    /// # Errors
    /// [`FinishError`] when another worker has the job, or the store fails until `deadline`.
    pub async fn finish(self, change: impl FnOnce(&mut Status), deadline: Deadline) -> Result<Status, FinishError> {
        self.change(change);
        let mut last = self.status();
        last.updated_at = Timestamp::now();
        self.stop.notify_one();
        if *self.lost.borrow() {
            return Err(FinishError::Lost);
        }
        let Ok(Ok(etag)) = deadline.run(self.writer).await else {
            return Err(FinishError::Store(StoreError::TimedOut { key: self.key }));
        };
        match Self::write(&self.store, &self.key, &last, &Condition::Matches(etag), deadline).await? {
            Some(_) => Ok(last),
            None => Err(FinishError::Lost),
        }
    }
}

/// A status of 500 scenes with every field filled is well under a mebibyte.
const MAX_STATUS: u64 = 8 << 20;

impl Status {
    /// Whether a new delivery starts the ended job again.
    fn may_start_again(&self, again: Again) -> bool {
        let asked = match again {
            Again::Failed => true,
            Again::Retryable => self.error.as_ref().is_some_and(|error| error.retryable),
            Again::Never => false,
        };
        asked && self.state.may_become(State::Queued, true)
    }

    /// Whether that worker's own execution has the job.
    fn is_of(&self, worker: Worker<'_>) -> bool {
        worker.execution().is_some_and(|execution| self.execution.as_deref() == Some(execution))
    }

    /// Whether it is between two tasks of `execution`.
    pub fn waits_for(&self, execution: &str) -> bool {
        !self.state.is_final() && self.owner.is_empty() && self.execution.as_deref() == Some(execution)
    }

    /// Whether its last write is longer ago than `timeout`, by this machine's clock.
    fn is_older_than(&self, timeout: Duration) -> bool {
        let age = Timestamp::now().duration_since(self.updated_at);
        SignedDuration::try_from(timeout).is_ok_and(|timeout| age > timeout)
    }
}

/// A name that no other attempt has.
fn owner_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hasher is seeded with the system's randomness. It is a name, not a secret.
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}-{random:016x}", std::process::id())
}
