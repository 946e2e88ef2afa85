//! `status.json` is the lease: claimed with `If-None-Match`, renewed with `If-Match`. Whoever loses a conditional write
//! has lost the job, and stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::{Instrument, warn};

use super::{JobId, State, Status};
use crate::deadline::Deadline;
use crate::publish::keys;
use crate::store::{Condition, ETag, Store, StoreError};

/// How often a running job says that it is alive, even when nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A heartbeat older than this means that the owner is gone: six were missed.
const STALE: Duration = Duration::from_secs(30);
/// Changes are written at most this often; a reader sees the newest.
const PACE: Duration = Duration::from_millis(400);
/// One write of a small document takes milliseconds; ten seconds mean that the store is in trouble.
const WRITE: Duration = Duration::from_secs(10);

/// Which finished jobs a new delivery starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Those whose error says that a retry can help.
    Retryable,
    /// All that have no film: somebody at a terminal asks once more.
    Failed,
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
    /// Claims the job, or says why not. `ends` is the job's deadline as wall-clock time, for readers.
    ///
    /// # Errors
    /// [`StoreError`] when the status can be neither read nor written by `deadline`.
    pub async fn claim(
        store: &Store,
        id: &JobId,
        ends: Timestamp,
        again: Again,
        deadline: Deadline,
    ) -> Result<Claim, StoreError> {
        let key = keys::status(id);
        let owner = owner_name();
        // Each round that is lost was won by another worker, so the next read finds its claim: this ends.
        loop {
            let (status, condition) = match store.get(&key, MAX_STATUS, deadline).await {
                Err(StoreError::NotFound { .. }) => {
                    (Status::queued(id.clone(), owner.clone(), ends), Condition::Absent)
                }
                Err(error) => return Err(error),
                Ok(object) => {
                    // What can't be read as a status was not written by us, and says nothing about the job: it is taken over.
                    let Ok(found) = serde_json::from_slice::<Status>(&object.bytes) else {
                        warn!(key, "status.json can't be read; the job is claimed anew");
                        let claim = Status::queued(id.clone(), owner.clone(), ends);
                        match Self::write(store, &key, &claim, &Condition::Matches(object.etag), deadline).await? {
                            Some(etag) => return Ok(Claim::Mine(Self::hold(store.clone(), key, claim, etag))),
                            None => continue,
                        }
                    };
                    if !found.is_free(again) {
                        let done = found.state.is_final();
                        return Ok(if done { Claim::Done(Box::new(found)) } else { Claim::Held(Box::new(found)) });
                    }
                    (found.claimed_again(owner.clone(), ends), Condition::Matches(object.etag))
                }
            };
            if let Some(etag) = Self::write(store, &key, &status, &condition, deadline).await? {
                return Ok(Claim::Mine(Self::hold(store.clone(), key, status, etag)));
            }
        }
    }

    async fn write(
        store: &Store,
        key: &str,
        status: &Status,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<Option<ETag>, StoreError> {
        let body = serde_json::to_vec_pretty(status).unwrap_or_default();
        Ok(store.put_if(key, body, "application/json", condition, deadline).await?.ok())
    }

    fn hold(store: Store, key: String, status: Status, etag: ETag) -> Self {
        let (sender, receiver) = watch::channel(status);
        let (lost_sender, lost) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let writer = Self::keep_writing(store.clone(), key.clone(), receiver, lost_sender, stop.clone(), etag);
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
        mut etag: ETag,
    ) -> ETag {
        loop {
            tokio::select! {
                () = stop.notified() => return etag,
                // A closed channel means that the lease was dropped: nobody will ask for the tag.
                changed = tokio::time::timeout(HEARTBEAT, status.changed()) => if matches!(changed, Ok(Err(_))) { return etag },
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
                () = tokio::time::sleep(PACE) => {}
            }
        }
    }

    /// Changes the status; it is written soon.
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(|status| {
            let before = status.state;
            change(status);
            debug_assert!(before == status.state || before.may_become(status.state), "{before:?} → {:?}", status.state);
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
        debug_assert!(last.state.is_final() && last.is_consistent(), "{last:?}");
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
    /// Whether a new delivery may claim the job.
    fn is_free(&self, again: Again) -> bool {
        match self.state {
            State::Queued | State::Running => {
                let age = Timestamp::now().duration_since(self.updated_at);
                age > jiff::SignedDuration::try_from(STALE).unwrap_or(jiff::SignedDuration::ZERO)
            }
            State::Succeeded | State::Degraded => false,
            State::Failed | State::TimedOut | State::Cancelled => {
                again == Again::Failed || self.error.as_ref().is_some_and(|error| error.retryable)
            }
        }
    }
}

/// A name that no other attempt has.
fn owner_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hasher is seeded by the system's randomness; a name, not a secret.
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}-{random:016x}", std::process::id())
}
