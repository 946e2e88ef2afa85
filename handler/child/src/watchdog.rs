//! A watchdog: a child that makes no progress for too long is ended, long before its deadline.

use std::time::Duration;

use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{Outcome, Spec, start};
use deadline::Deadline;

/// Runs a child that writes lines. `is_progress` says of each line whether it shows progress. Gives none
/// when there was none for `stall`. The child and all its descendants have ended when this returns.
pub async fn run_with_watchdog(
    spec: Spec,
    stall: Duration,
    deadline: Deadline,
    is_progress: impl FnMut(&str) -> bool,
) -> Option<Outcome> {
    let span = spec.span();
    let outcome = run_until_silent(spec, stall, deadline, is_progress).instrument(span.clone()).await;
    match &outcome {
        Some(outcome) => outcome.record_in(&span),
        None => {
            span.record("ending", "it made no progress for too long and was ended");
            span.record("otel.status_code", "ERROR");
        }
    }
    outcome
}

async fn run_until_silent(
    mut spec: Spec,
    stall: Duration,
    deadline: Deadline,
    mut is_progress: impl FnMut(&str) -> bool,
) -> Option<Outcome> {
    let (sender, mut lines) = mpsc::channel(64);
    spec.lines = Some(sender);
    let running = match start(spec, deadline) {
        Ok(running) => running,
        Err(error) => return Some(Outcome::not_started(error)),
    };
    let stop_handle = running.stop_handle();
    let mut outcome = std::pin::pin!(running.outcome());
    let mut until = Deadline::after(stall);
    loop {
        tokio::select! {
            outcome = &mut outcome => return Some(outcome),
            // The queue closes with standard output; from then on only the timeout counts.
            Some(line) = lines.recv() => {
                if is_progress(&line) {
                    until = Deadline::after(stall);
                }
            }
            () = tokio::time::sleep_until(until.instant().into()) => {
                stop_handle.end();
                // The next run writes the same files, so this one must have ended.
                outcome.await;
                return None;
            }
        }
    }
}
