//! Deadlines. Nothing waits or computes without a [`Deadline`].
//!
//! What waits is cut off by [`Deadline::run`]. What computes can't be cut off: it runs on a thread of its own by
//! [`Deadline::work`], and checks its [`Cutoff`] every so often.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A point on the monotonic clock by which something has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// A wait that reached its [`Deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Passed;

impl From<Passed> for io::Error {
    fn from(passed: Passed) -> Self {
        Self::new(io::ErrorKind::TimedOut, passed)
    }
}

/// Why work on another thread gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// It took too long.
    #[error(transparent)]
    Passed(#[from] Passed),
    /// It panicked.
    #[error("{0}")]
    Panicked(String),
}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Passed(passed) => passed.into(),
            Stopped::Panicked(panic) => Self::other(panic),
        }
    }
}

/// Until when work on another thread may go on: to its deadline, and as long as somebody waits for what comes of it.
#[derive(Debug, Clone)]
pub struct Cutoff {
    deadline: Deadline,
    abandoned: Arc<AtomicBool>,
}

impl Cutoff {
    /// To be asked between parts that take a few milliseconds each.
    ///
    /// # Errors
    /// [`Passed`] when the work must stop.
    pub fn check(&self) -> Result<(), Passed> {
        if self.abandoned.load(Ordering::Relaxed) || self.deadline.passed() { Err(Passed) } else { Ok(()) }
    }

    /// Its deadline.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }
}

impl From<Deadline> for Cutoff {
    /// For work that is waited for on its own thread.
    fn from(deadline: Deadline) -> Self {
        Self { deadline, abandoned: Arc::default() }
    }
}

/// Tells the work when its result is no longer awaited.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Deadline {
    /// `length` from now. A length that the clock can't hold becomes the furthest that it can (about a century).
    pub fn after(length: Duration) -> Self {
        let now = Instant::now();
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        Self(now.checked_add(length.min(century)).unwrap_or(now))
    }

    /// At `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// The instant itself, for clocks of other libraries.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left; zero once it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }

    /// The earlier of this and `length` from now: a slice of what is left.
    #[must_use]
    pub fn slice(self, length: Duration) -> Self {
        self.min(Self::after(length))
    }

    /// This deadline less a reserve for what must still happen after it; never before now.
    #[must_use]
    pub fn less(self, reserve: Duration) -> Self {
        let now = Instant::now();
        Self(self.0.checked_sub(reserve).map_or(now, |at| at.max(now)))
    }

    /// This, but at least `length` from now: for what must happen even when nothing is left.
    #[must_use]
    pub fn no_sooner_than(self, length: Duration) -> Self {
        self.max(Self::after(length))
    }

    /// Waits for `work`, but no longer than this deadline. What `work` held is dropped when it is cut off.
    ///
    /// # Errors
    /// [`Passed`] when the deadline comes first. Work that is ready at once succeeds even when nothing is left.
    pub async fn run<F: Future>(self, work: F) -> Result<F::Output, Passed> {
        tokio::time::timeout_at(self.0.into(), work).await.map_err(|_| Passed)
    }

    /// Computes on a thread of its own, in the caller's span. When the deadline comes first, or whoever waits is dropped, `work`
    /// is told so at its next check.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn work<T: Send + 'static>(self, work: impl FnOnce(&Cutoff) -> T + Send + 'static) -> Result<T, Stopped> {
        let cutoff = Cutoff::from(self);
        let _waiting = Waiting(Arc::clone(&cutoff.abandoned));
        let span = tracing::Span::current();
        let running = tokio::task::spawn_blocking(move || span.in_scope(|| work(&cutoff)));
        self.run(running).await?.map_err(|panic| Stopped::Panicked(panic.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_never_later_than_the_whole() {
        let whole = Deadline::after(Duration::from_secs(5));
        assert_eq!(whole.slice(Duration::from_secs(50)), whole);
        assert!(whole.slice(Duration::from_secs(1)) < whole);
    }

    #[test]
    fn a_reserve_larger_than_what_is_left_leaves_nothing() {
        let short = Deadline::after(Duration::from_secs(1)).less(Duration::from_secs(9));
        assert!(short.passed());
    }

    #[tokio::test]
    async fn work_is_cut_off() {
        let short = Deadline::after(Duration::from_millis(20));
        assert_eq!(short.run(std::future::pending::<()>()).await, Err(Passed));
    }

    #[tokio::test]
    async fn computing_ends_at_the_deadline_and_when_its_result_is_not_awaited() {
        // Says how often it went round once it was told to stop.
        let endless = |done: std::sync::mpsc::Sender<u64>| {
            move |cutoff: &Cutoff| {
                let mut rounds = 0_u64;
                while cutoff.check().is_ok() {
                    rounds += 1;
                }
                let _ = done.send(rounds);
            }
        };
        let stopped = |ended: std::sync::mpsc::Receiver<u64>| ended.recv_timeout(Duration::from_secs(5)).is_ok();
        let (done, ended) = std::sync::mpsc::channel();
        let short = Deadline::after(Duration::from_millis(20));
        // It may say so itself before its waiter is woken.
        assert!(matches!(short.work(endless(done)).await, Ok(()) | Err(Stopped::Passed(_))));
        assert!(short.passed() && stopped(ended));
        let (done, ended) = std::sync::mpsc::channel();
        let long = Deadline::after(Duration::from_secs(600));
        let dropped = tokio::time::timeout(Duration::from_millis(20), long.work(endless(done))).await;
        assert!(dropped.is_err() && stopped(ended));
        assert_eq!(long.work(|cutoff| cutoff.check()).await, Ok(Ok(())));
        let panicked = long.work(|_| panic!("as it should")).await;
        assert!(matches!(panicked, Err(Stopped::Panicked(_))));
    }

    #[test]
    fn the_longest_length_does_not_overflow() {
        assert!(!Deadline::after(Duration::MAX).passed());
    }
}
