//! Whether a voice is still called at all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::voice::VoiceError;

/// The breaker opens after this many failed calls in a row. A call that timed out counts for two: it has cost much more
/// time.
const THRESHOLD: u32 = 6;

/// The circuit breaker of one voice, for one job. Once open it stays open: the next voice of the chain takes over.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    /// Failed calls in a row, weighted.
    failures: Mutex<u32>,
    /// Why it opened; none while it is closed.
    open: watch::Sender<Option<String>>,
}

impl CircuitBreaker {
    pub(super) fn new() -> Self {
        Self { failures: Mutex::new(0), open: watch::Sender::new(None) }
    }

    fn failures(&self) -> MutexGuard<'_, u32> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call succeeded: the count of failures starts again.
    pub(super) fn record_success(&self) {
        *self.failures() = 0;
    }

    /// A call failed. A voice that asks callers to wait, or refuses one text, has not failed.
    pub(super) fn record_failure(&self, error: &VoiceError) {
        let weight = match error {
            VoiceError::TimedOut(_) => 2,
            VoiceError::Failed(_) | VoiceError::NotDecodable(_) => 1,
            _ => 0,
        };
        self.count(weight, error);
    }

    /// A beat was given up because the voice was busy for all of the time that the beat had. It counts as a failed call, or
    /// every other beat would wait as long.
    pub(super) fn record_abandoned(&self, error: &VoiceError) {
        self.count(1, error);
    }

    fn count(&self, weight: u32, error: &VoiceError) {
        let mut failures = self.failures();
        *failures += weight;
        if error.is_final() || *failures >= THRESHOLD {
            self.open.send_if_modified(|open| {
                let opens = open.is_none();
                open.get_or_insert_with(|| error.to_string());
                opens
            });
        }
    }

    /// Whether the voice is not called any more.
    pub(super) fn is_open(&self) -> bool {
        self.open.borrow().is_some()
    }

    /// Waits until the breaker opens, and gives the reason.
    pub(super) async fn opened(&self) -> String {
        let mut open = self.open.subscribe();
        // The sender lives in `self`, so this can't fail.
        let reason = open.wait_for(Option::is_some).await.ok().and_then(|open| open.clone());
        reason.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_failures_open_it_and_a_success_resets_the_count() {
        let breaker = CircuitBreaker::new();
        let failed = VoiceError::Failed(String::new());
        for _ in 0..20 {
            breaker.record_failure(&failed);
            breaker.record_failure(&VoiceError::Refused(String::new()));
            assert!(!breaker.is_open());
            breaker.record_success();
        }
        (1..THRESHOLD).for_each(|_| breaker.record_failure(&failed));
        assert!(!breaker.is_open());
        breaker.record_failure(&failed);
        assert!(breaker.is_open());
    }

    #[test]
    fn a_timeout_counts_twice() {
        let breaker = CircuitBreaker::new();
        let timed_out = VoiceError::TimedOut("x");
        (1..THRESHOLD / 2).for_each(|_| breaker.record_failure(&timed_out));
        assert!(!breaker.is_open());
        breaker.record_failure(&timed_out);
        assert!(breaker.is_open());
    }

    #[tokio::test]
    async fn an_unreachable_voice_opens_it_at_once() {
        let breaker = CircuitBreaker::new();
        let error = VoiceError::Unreachable("no route".to_owned());
        let (reason, ()) = tokio::join!(breaker.opened(), async { breaker.record_failure(&error) });
        assert_eq!(reason, error.to_string());
    }
}
