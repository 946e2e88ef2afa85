//! The engine's epochs: many small ticks, at each of which running planners check their time limits.
//!
//! The thread ticks as long as a planner runs, awaited or not: a cancelled job drops its future, and the planner must still
//! end at its limit. While no planner runs, the thread sleeps.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// The time between two ticks.
const TICK: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    started: bool,
    closed: bool,
}

/// Ticks an engine while its planners run.
#[derive(Debug, Default)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
}

/// While it lives, the engine ticks.
#[derive(Debug)]
pub(super) struct Ticking {
    shared: Arc<Shared>,
}

impl Ticker {
    /// Begins to tick, if no other planner runs yet.
    ///
    /// # Errors
    /// When no thread can be had: then nothing may run either.
    pub(super) fn tick(&self, engine: &Engine) -> std::io::Result<Ticking> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.started {
            let (shared, engine) = (Arc::clone(&self.shared), engine.weak());
            std::thread::Builder::new().name("planner-epochs".to_owned()).spawn(move || run(&shared, &engine))?;
            state.started = true;
        }
        state.running += 1;
        self.shared.changed.notify_all();
        Ok(Ticking { shared: Arc::clone(&self.shared) })
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.changed.notify_all();
    }
}

fn run(shared: &Shared, engine: &EngineWeak) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    // A planner may outlive the sandbox by a moment: it is ticked to its end.
    while !(state.closed && state.running == 0) {
        if state.running == 0 {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        state = shared.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
