//! How many calls of a voice run at a time, and whether it is still asked at all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::voice::{MOST_LANES, VoiceError};
use crate::deadline::Deadline;

/// A voice whose calls fail this often in a row is not asked any more in this job. A call that timed out counts for two:
/// it has cost much more time.
const TRIP: u32 = 6;

/// The gate before one voice, for one job.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// What the limit may grow to.
    most: usize,
    inside: usize,
    /// Calls that went well since the limit last changed.
    well: usize,
    /// Nobody enters before.
    not_before: Option<Instant>,
    /// Failed calls in a row, weighted.
    failed: u32,
    /// Why the voice is not asked any more.
    closed: Option<String>,
}

/// One call's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
        self.0.freed.notify_waiters();
    }
}

impl Gate {
    /// For a voice that takes `lanes` calls at a time to begin with, and never more than `most`.
    pub(super) fn new(lanes: usize, most: usize) -> Self {
        let most = most.clamp(1, MOST_LANES);
        let limit = lanes.clamp(1, most);
        let state = State { limit, most, inside: 0, well: 0, not_before: None, failed: 0, closed: None };
        Self { state: Mutex::new(state), freed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. The caller cuts the wait at `deadline`.
    ///
    /// # Errors
    /// [`VoiceError::Denied`] once the gate is closed; [`VoiceError::Busy`] at once when the voice wants to be left alone until
    /// `deadline` or longer.
    pub(super) async fn enter(&self, deadline: Deadline) -> Result<Place<'_>, VoiceError> {
        loop {
            // Made before the look, so that no news between look and wait is missed.
            let freed = self.freed.notified();
            let pause = {
                let mut state = self.state();
                if let Some(reason) = &state.closed {
                    return Err(VoiceError::Denied(reason.clone()));
                }
                let now = Instant::now();
                let pause = state.not_before.filter(|at| *at > now);
                if let Some(at) = pause.filter(|at| *at >= deadline.instant()) {
                    let reason = "it has asked for a longer wait than there is time".to_owned();
                    return Err(VoiceError::Busy { reason, after: Some(at - now), crowded: false });
                }
                if pause.is_none() && state.inside < state.limit {
                    state.inside += 1;
                    return Ok(Place(self));
                }
                pause
            };
            match pause {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => freed.await,
            }
        }
    }

    /// A call went well.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        state.failed = 0;
        state.well += 1;
        if state.well > 2 * state.limit && state.limit < state.most {
            state.limit += 1;
            state.well = 0;
            self.freed.notify_waiters();
        }
    }

    /// A call went wrong: fewer at a time when there were too many, a pause when the voice asks for one, and the gate
    /// closes when there is no use in asking. Says whether it is closed now.
    pub(super) fn went_wrong(&self, error: &VoiceError) -> bool {
        let mut state = self.state();
        match error {
            VoiceError::Busy { after, crowded, .. } => {
                // Too many at a time: one less than just now. Too fast: half of them.
                state.limit = if *crowded { state.inside.saturating_sub(1) } else { state.limit / 2 }.max(1);
                state.well = 0;
                if let Some(at) = after.and_then(|wait| Instant::now().checked_add(wait)) {
                    state.not_before = state.not_before.max(Some(at));
                }
            }
            VoiceError::TimedOut(_) => state.failed += 2,
            VoiceError::Failed(_) | VoiceError::NotDecodable(_) => state.failed += 1,
            _ => {}
        }
        self.close_if(error.is_final(), error, state)
    }

    /// A beat was given up because the voice was busy all the time that there was for it: as good as a call that failed, or
    /// every other beat would wait as long. Says whether the gate is closed now.
    pub(super) fn gave_up(&self, error: &VoiceError) -> bool {
        let mut state = self.state();
        state.failed += 1;
        self.close_if(false, error, state)
    }

    /// Closes it when it is `over`, or when too many calls have failed in a row.
    fn close_if(&self, over: bool, error: &VoiceError, mut state: MutexGuard<'_, State>) -> bool {
        if over || state.failed >= TRIP {
            state.closed.get_or_insert_with(|| error.to_string());
        }
        let closed = state.closed.is_some();
        drop(state);
        if closed {
            self.freed.notify_waiters();
        }
        closed
    }

    /// Whether the voice is not asked any more.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
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
    async fn no_more_enter_than_may_and_the_limit_follows_the_voice() {
        let gate = Gate::new(2, MOST_LANES);
        let (first, second) = (gate.enter(soon()).await.unwrap(), gate.enter(soon()).await.unwrap());
        assert!(tokio::time::timeout(Duration::from_millis(20), gate.enter(soon())).await.is_err());
        gate.went_wrong(&busy(true, None));
        assert_eq!(gate.limit(), 1);
        drop(first);
        assert!(tokio::time::timeout(Duration::from_millis(20), gate.enter(soon())).await.is_err());
        drop(second);
        let _third = gate.enter(soon()).await.unwrap();
        for _ in 0..20 {
            gate.went_well();
        }
        assert!(gate.limit() > 2, "{}", gate.limit());
    }

    #[test]
    fn the_limit_grows_no_further_than_the_voice_bears() {
        for (lanes, most, grown) in [(2, 2, 2), (4, 15, 15), (4, usize::MAX, MOST_LANES), (usize::MAX, 3, 3)] {
            let gate = Gate::new(lanes, most);
            (0..1_000).for_each(|_| gate.went_well());
            assert_eq!(gate.limit(), grown);
        }
    }

    #[tokio::test]
    async fn a_pause_that_the_voice_asks_for_holds_everybody() {
        let gate = Gate::new(4, MOST_LANES);
        gate.went_wrong(&busy(false, Some(Duration::from_millis(80))));
        let begun = Instant::now();
        let _place = gate.enter(soon()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(80));
        assert!(!gate.is_closed());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_pause_that_is_longer_than_his_time() {
        let gate = Gate::new(4, MOST_LANES);
        gate.went_wrong(&busy(false, Some(Duration::from_secs(3_600))));
        let begun = Instant::now();
        for _ in 0..TRIP {
            assert!(!gate.is_closed());
            let error = gate.enter(soon()).await.map(drop).unwrap_err();
            assert!(matches!(error, VoiceError::Busy { after: Some(_), .. }), "{error}");
            gate.gave_up(&error);
        }
        assert!(gate.is_closed() && begun.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn whoever_waits_hears_that_the_gate_is_closed() {
        let gate = Gate::new(1, MOST_LANES);
        let _place = gate.enter(soon()).await.unwrap();
        let waiting = async { gate.enter(soon()).await.map(drop) };
        let closing = async { gate.went_wrong(&VoiceError::Unreachable("no route".to_owned())) };
        let (entered, closed) = tokio::join!(waiting, closing);
        assert!(closed && entered.is_err());
    }

    #[test]
    fn failures_in_a_row_close_it_and_one_success_begins_anew() {
        let gate = Gate::new(1, MOST_LANES);
        let failed = VoiceError::Failed(String::new());
        for _ in 0..20 {
            assert!(!gate.went_wrong(&failed) && !gate.went_wrong(&VoiceError::Refused(String::new())));
            gate.went_well();
        }
        assert!((0..TRIP).map(|_| gate.went_wrong(&failed)).last().unwrap());
        let gate = Gate::new(1, MOST_LANES);
        let timed_out = VoiceError::TimedOut("x");
        assert!(!gate.went_wrong(&timed_out) && !gate.went_wrong(&timed_out) && gate.went_wrong(&timed_out));
    }
}
