//! How many calls of a voice run at a time. The limit follows the voice: it grows with successes, and shrinks when the voice
//! says that it gets too many calls. Of those that wait, the scene that comes first in the film is next, so that it can be drawn while
//! the others are spoken.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::voice::{MAX_CONCURRENCY, VoiceError};
use crate::deadline::Deadline;

/// The concurrency limit of one voice, for one job.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    state: Mutex<State>,
    released: Notify,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// What the limit may grow to.
    max: usize,
    running: usize,
    /// Calls that succeeded since the limit last changed.
    successes: usize,
    /// No call starts before.
    not_before: Option<Instant>,
    /// How many wait, by the number of their scene.
    waiting: BTreeMap<usize, usize>,
}

/// A place among those that wait; given up when it is dropped.
struct Place<'a> {
    limit: &'a ConcurrencyLimit,
    scene: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.limit.state();
        if let Some(count) = state.waiting.get_mut(&self.scene) {
            *count -= 1;
            if *count == 0 {
                state.waiting.remove(&self.scene);
            }
        }
        drop(state);
        // Somebody else may be first now.
        self.limit.released.notify_waiters();
    }
}

/// The right to make one call; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a ConcurrencyLimit);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.released.notify_waiters();
    }
}

impl ConcurrencyLimit {
    /// For a voice that takes `initial` calls at a time to begin with, and never more than `max`.
    pub(super) fn new(initial: usize, max: usize) -> Self {
        let max = max.clamp(1, MAX_CONCURRENCY);
        let limit = initial.clamp(1, max);
        let state = State { limit, max, running: 0, successes: 0, not_before: None, waiting: BTreeMap::new() };
        Self { state: Mutex::new(state), released: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit for a beat of the scene of this number. The caller cuts the wait at `deadline`.
    ///
    /// # Errors
    /// [`VoiceError::Busy`] at once when the voice has asked callers to wait until `deadline` or longer.
    pub(super) async fn acquire(&self, scene: usize, deadline: Deadline) -> Result<Permit<'_>, VoiceError> {
        *self.state().waiting.entry(scene).or_default() += 1;
        let _place = Place { limit: self, scene };
        loop {
            // Made before the state is read, so that no notice between reading and waiting is missed.
            let released = self.released.notified();
            let pause = {
                let mut state = self.state();
                let now = Instant::now();
                let pause = state.not_before.filter(|at| *at > now);
                if let Some(at) = pause.filter(|at| *at >= deadline.instant()) {
                    let reason = "it asked for a longer wait than the time left for the beat".to_owned();
                    return Err(VoiceError::Busy { reason, after: Some(at - now), crowded: false });
                }
                let is_first = state.waiting.keys().next().is_none_or(|first| *first >= scene);
                if pause.is_none() && state.running < state.limit && is_first {
                    state.running += 1;
                    return Ok(Permit(self));
                }
                pause
            };
            match pause {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => released.await,
            }
        }
    }

    /// A call succeeded: after enough of them, one more may run at a time.
    pub(super) fn record_success(&self) {
        let mut state = self.state();
        state.successes += 1;
        if state.successes > 2 * state.limit && state.limit < state.max {
            state.limit += 1;
            state.successes = 0;
            self.released.notify_waiters();
        }
    }

    /// A call failed: fewer run at a time when there were too many, and none for as long as the voice asks callers to wait.
    pub(super) fn record_failure(&self, error: &VoiceError) {
        let VoiceError::Busy { after, crowded, .. } = error else { return };
        let mut state = self.state();
        // Too many at a time: one less than just now. Too fast: half of them.
        state.limit = if *crowded { state.running.saturating_sub(1) } else { state.limit / 2 }.max(1);
        state.successes = 0;
        if let Some(at) = after.and_then(|wait| Instant::now().checked_add(wait)) {
            state.not_before = state.not_before.max(Some(at));
        }
    }

    /// Calls at a time, now.
    #[cfg(test)]
    fn limit(&self) -> usize {
        self.state().limit
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn busy(crowded: bool, after: Option<Duration>) -> VoiceError {
        VoiceError::Busy { reason: String::new(), after, crowded }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(10))
    }

    #[tokio::test]
    async fn calls_wait_at_the_limit_and_the_limit_follows_the_voice() {
        let limit = ConcurrencyLimit::new(2, MAX_CONCURRENCY);
        let (first, second) = (limit.acquire(0, soon()).await.unwrap(), limit.acquire(0, soon()).await.unwrap());
        assert!(tokio::time::timeout(Duration::from_millis(20), limit.acquire(0, soon())).await.is_err());
        limit.record_failure(&busy(true, None));
        assert_eq!(limit.limit(), 1);
        drop(first);
        assert!(tokio::time::timeout(Duration::from_millis(20), limit.acquire(0, soon())).await.is_err());
        drop(second);
        let _third = limit.acquire(0, soon()).await.unwrap();
        for _ in 0..20 {
            limit.record_success();
        }
        assert!(limit.limit() > 2, "{}", limit.limit());
    }

    #[tokio::test]
    async fn the_scene_that_comes_first_in_the_film_is_next() {
        let limit = ConcurrencyLimit::new(1, 1);
        let served = Mutex::new(Vec::new());
        let running = limit.acquire(9, soon()).await.unwrap();
        let call = |scene| {
            let (limit, served) = (&limit, &served);
            async move {
                let _permit = limit.acquire(scene, soon()).await.unwrap();
                served.lock().unwrap().push(scene);
            }
        };
        let release = async {
            // The others wait by now; the first in the film has been given up.
            assert!(tokio::time::timeout(Duration::from_millis(1), limit.acquire(0, soon())).await.is_err());
            drop(running);
        };
        tokio::join!(call(3), call(1), call(2), call(1), release);
        assert_eq!(served.into_inner().unwrap(), [1, 1, 2, 3]);
    }

    #[test]
    fn the_limit_grows_to_the_voices_maximum_and_no_further() {
        for (initial, max, grown) in [(2, 2, 2), (4, 15, 15), (4, usize::MAX, MAX_CONCURRENCY), (usize::MAX, 3, 3)] {
            let limit = ConcurrencyLimit::new(initial, max);
            (0..1_000).for_each(|_| limit.record_success());
            assert_eq!(limit.limit(), grown);
        }
    }

    #[tokio::test]
    async fn all_calls_wait_as_long_as_the_voice_asks() {
        let limit = ConcurrencyLimit::new(4, MAX_CONCURRENCY);
        limit.record_failure(&busy(false, Some(Duration::from_millis(80))));
        let begun = Instant::now();
        let _permit = limit.acquire(0, soon()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(80));
    }

    #[tokio::test]
    async fn a_wait_past_the_deadline_is_refused_at_once() {
        let limit = ConcurrencyLimit::new(4, MAX_CONCURRENCY);
        limit.record_failure(&busy(false, Some(Duration::from_secs(3_600))));
        let begun = Instant::now();
        let error = limit.acquire(0, soon()).await.map(drop).unwrap_err();
        assert!(matches!(error, VoiceError::Busy { after: Some(_), .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
