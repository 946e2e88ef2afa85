//! The one way to speak of time. Nothing in this house waits without a [`Deadline`].

use std::future::Future;
use std::time::{Duration, Instant};

/// A point on the monotonic clock by which something has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// A wait that reached its [`Deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Passed;

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

    #[test]
    fn the_longest_length_does_not_overflow() {
        assert!(!Deadline::after(Duration::MAX).passed());
    }
}
