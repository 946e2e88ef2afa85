//! `status.json` is the lease: claimed with `If-None-Match`, renewed with `If-Match`. Whoever loses a conditional write
//! has lost the job, and stops. It is also the place to cancel a job, by the same means.

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

/// Heartbeats in a lease's timeout: an owner counts as gone when it missed so many.
const BEATS: u32 = 6;
/// Changes are written at most this often; a reader sees the newest.
const PACE: Duration = Duration::from_millis(400);
/// One write of a small document takes milliseconds; ten seconds mean that the store is in trouble.
const WRITE: Duration = Duration::from_secs(10);

/// What became of a cancellation.
#[derive(Debug)]
pub enum Cancellation {
    /// The job's status as it was written: whoever asked tells others of it.
    Cancelled(Status),
    /// That of a job which was over already.
    AlreadyOver(Status),
}

/// Which finished jobs a new delivery starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Those whose error says that a retry can help.
    Retryable,
    /// All that have no film: somebody at a terminal asks once more.
    Failed,
    /// None: what is over stays over.
    Never,
}

/// Who claims a job. The tasks of one Step Functions execution come one after the other, so a task takes the job over from those
/// before it at once, while everybody else has to leave it to the execution until its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker<'a> {
    /// A process that makes the whole film.
    Alone,
    /// The first task of the execution of that name.
    First(&'a str),
    /// A later task of it, which goes on with what those before left, and begins nothing.
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

/// On what terms a job is claimed.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Who claims it.
    pub worker: Worker<'a>,
    /// Which finished jobs are started again.
    pub again: Again,
    /// How old the heartbeat of an owner must be that counts as gone (LEASE_TIMEOUT).
    pub timeout: Duration,
    /// When the job ends, as wall-clock time, for readers of the status.
    pub ends: Timestamp,
}

/// What a claim found.
#[derive(Debug)]
pub enum Claim {
    /// The job is ours.
    Mine(Lease),
    /// The job is over; nothing is to be done.
    Done(Box<Status>),
    /// Another worker is at it, and alive.
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
    #[error("another worker took the job over")]
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
        // Each round that is lost was won by another worker, so the next read finds its claim: this ends.
        loop {
            let (mut status, condition) = match store.get(&key, MAX_STATUS, deadline).await {
                Err(StoreError::NotFound { .. }) if !matches!(terms.worker, Worker::Next(_)) => {
                    (Status::queued(id.clone(), owner.clone(), terms.ends), Condition::Absent)
                }
                // A bit that flipped on a disk: nobody knows any more how the job stood, so it begins anew. Whoever may still hold it
                // loses it by its next write.
                Err(StoreError::Damaged { message, .. }) if !matches!(terms.worker, Worker::Next(_)) => {
                    warn!(key, message, "status.json is damaged; the job is claimed anew");
                    let there = store.head(&key, deadline).await?;
                    (Status::queued(id.clone(), owner.clone(), terms.ends), Condition::Matches(there.etag))
                }
                Err(error) => return Err(error),
                Ok(object) => {
                    let claimed = match serde_json::from_slice::<Status>(&object.bytes) {
                        // What can't be read as a status was not written by us, and says nothing about the job: it is taken over.
                        Err(error) => {
                            warn!(key, %error, "status.json can't be read; the job is claimed anew");
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
                            // Whoever has started an execution hands the job over to it a moment later.
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
                            warn!(owner = found.owner, "the job's owner is gone; it is taken over");
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

    /// Ends a job from outside: its owner's next write fails, and it stops. Gives the status as it was written here, which the
    /// caller tells others of, or that of a job which was over already and stays as it is.
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
                    JobError::new(Code::JobCancelled, "somebody asked for the job's end").in_stage(found.stage),
                ),
                ..found
            };
            let condition = Condition::Matches(etag);
            if Self::write(store, &key, &cancelled, &condition, deadline).await?.is_some() {
                return Ok(Cancellation::Cancelled(cancelled));
            }
        }
    }

    /// Takes the film from a job whose files are lost, for the reason `why`: it has failed, so that whoever sends it again has it made
    /// anew. Gives the status as it was written; none when the job has no film, or is another's by now.
    ///
    /// # Errors
    /// [`StoreError`]; `store.not_found` when there is no such job.
    pub async fn spoil(
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
        warn!(job_id = id.as_str(), code = why.code.name(), "what the job published is lost: {}", why.message);
        let spoilt = Status {
            state: State::Failed,
            generation: found.generation + 1,
            updated_at: Timestamp::now(),
            outputs: std::collections::BTreeMap::new(),
            error: Some(why.clone()),
            ..found
        };
        let written = Self::write(store, &key, &spoilt, &Condition::Matches(etag), deadline).await?;
        Ok(written.map(|_| spoilt))
    }

    /// The status of a job, whoever works on it.
    ///
    /// # Errors
    /// [`StoreError`]; `store.not_found` when there is no such job.
    pub async fn look(store: &Store, id: &JobId, deadline: Deadline) -> Result<Status, StoreError> {
        Self::found(store, &keys::status(id), deadline).await.map(|(status, _)| status)
    }

    async fn found(store: &Store, key: &str, deadline: Deadline) -> Result<(Status, ETag), StoreError> {
        let object = store.get(key, MAX_STATUS, deadline).await?;
        let status = serde_json::from_slice(&object.bytes).map_err(|_| StoreError::NotFound { key: key.to_owned() })?;
        Ok((status, object.etag))
    }

    /// Writes down what one of many tasks found out, while the job lies between two tasks of `execution` and nobody holds it. It
    /// stays as it is when it is over, another's or held again.
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
            // Nobody holds the job, so there is no time since its claim.
            status.apply(event.clone(), 0.0);
            status.updated_at = Timestamp::now();
            if !status.is_consistent() {
                error!(state = status.state.name(), "a status that can't be was not written");
                return Ok(());
            }
            if Self::write(store, &key, &status, &Condition::Matches(etag), deadline).await?.is_some() {
                return Ok(());
            }
            // Many tasks that end together would else keep each other from writing.
            let pause = Duration::from_millis(fastrand::u64(10..200));
            tokio::time::sleep_until(deadline.slice(pause).instant().into()).await;
        }
    }

    /// Ends when a job is no longer between two tasks of `execution`: it is cancelled, or another's. Looks every `pace`.
    pub async fn left(store: &Store, id: &JobId, execution: &str, pace: Duration) {
        loop {
            tokio::time::sleep(pace).await;
            // A store that does not answer says nothing about the job.
            if let Ok(status) = Self::look(store, id, Deadline::after(WRITE)).await
                && !status.waits_for(execution)
            {
                return;
            }
        }
    }

    /// After a loss: the status, when the job was not taken over but cancelled, with `outputs` added to it. None when it
    /// is another worker's.
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
        Ok(store.put_if(key, body, "application/json", condition, deadline).await?)
    }

    fn hold(store: Store, key: String, status: Status, etag: ETag, beat: Duration) -> Self {
        let (sender, receiver) = watch::channel(status);
        let (lost_sender, lost) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let writer = Self::keep_writing(store.clone(), key.clone(), receiver, lost_sender, stop.clone(), (etag, beat));
        let writer = tokio::spawn(writer.in_current_span());
        Self { status: sender, lost, stop, writer, store, key, since: Instant::now() }
    }

    /// Writes each change, and a heartbeat when there is none, until it is told to stop. Gives the last entity tag.
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
                // A closed channel means that the lease was dropped: nobody will ask for the tag.
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
                // The next beat tries again; a store that stays away is found out by the job's own calls.
                Err(error) => warn!(%error, "the heartbeat could not be written"),
            }
            tokio::select! {
                () = stop.notified() => return etag,
                () = tokio::time::sleep(PACE.min(beat)) => {}
            }
        }
    }

    /// Something happened to the job: its status says so, and is written soon.
    pub fn report(&self, event: JobEvent) {
        let at = self.held().as_secs_f64();
        self.change(|status| status.apply(event, at));
    }

    /// Changes the status; it is written soon. A change that [`MOVES`](super::status::MOVES) does not allow, or after which the
    /// fields contradict the state, is not made, and said to the log.
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_if_modified(|status| {
            let mut next = status.clone();
            change(&mut next);
            let allowed = status.state.may_become(next.state, false) && next.is_consistent();
            if allowed {
                *status = next;
            } else {
                error!(from = status.state.name(), to = next.state.name(), "a status that can't be was not written");
            }
            allowed
        });
    }

    /// The status as it stands.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Follows the status.
    pub fn follow(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// How long this attempt has lasted.
    pub fn held(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ends when another worker has taken the job over.
    pub async fn lost(&self) {
        let mut lost = self.lost.clone();
        // An error means that the writer has ended without a loss: then nobody takes the job from us.
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Writes the final status and gives it back as written.
    ///
    /// # Errors
    /// [`FinishError`] when the job is another's by now, or the store fails until `deadline`.
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
    /// Whether a new delivery starts the finished job again.
    fn may_start_again(&self, again: Again) -> bool {
        let asked = match again {
            Again::Failed => true,
            Again::Retryable => self.error.as_ref().is_some_and(|error| error.retryable),
            Again::Never => false,
        };
        asked && self.state.may_become(State::Queued, true)
    }

    /// Whether it is that worker's own execution that has the job.
    fn is_of(&self, worker: Worker<'_>) -> bool {
        worker.execution().is_some_and(|execution| self.execution.as_deref() == Some(execution))
    }

    /// Whether it lies between two tasks of `execution`.
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
    // The standard library's hasher is seeded by the system's randomness; a name, not a secret.
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}-{random:016x}", std::process::id())
}
