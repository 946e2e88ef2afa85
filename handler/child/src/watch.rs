//! A child that must show signs of life: one that is silent for too long is ended, long before its deadline.

use std::time::Duration;

use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{Outcome, Spec, start};
use deadline::Deadline;

/// Runs a child that writes lines. `news` says of each whether the child has come further; none when that took longer than
/// `stall`. Whatever comes back, the child and all of its children are gone.
pub async fn watched(
    spec: Spec,
    stall: Duration,
    deadline: Deadline,
    news: impl FnMut(&str) -> bool,
) -> Option<Outcome> {
    let span = spec.span();
    let outcome = watched_within(spec, stall, deadline, news).instrument(span.clone()).await;
    match &outcome {
        Some(outcome) => outcome.told(&span),
        None => {
            span.record("ending", "it was silent for too long");
            span.record("otel.status_code", "ERROR");
        }
    }
    outcome
}

async fn watched_within(
    mut spec: Spec,
    stall: Duration,
    deadline: Deadline,
    mut news: impl FnMut(&str) -> bool,
) -> Option<Outcome> {
    let (sender, mut lines) = mpsc::channel(64);
    spec.lines = Some(sender);
    let running = match start(spec, deadline) {
        Ok(running) => running,
        Err(error) => return Some(Outcome::not_started(error)),
    };
    let ender = running.ender();
    let mut outcome = std::pin::pin!(running.outcome());
    let mut alive = Deadline::after(stall);
    loop {
        tokio::select! {
            outcome = &mut outcome => return Some(outcome),
            // The queue closes with standard output; from then on only the clock counts.
            Some(line) = lines.recv() => {
                if news(&line) {
                    alive = Deadline::after(stall);
                }
            }
            () = tokio::time::sleep_until(alive.instant().into()) => {
                ender.end();
                // The next run writes the same files, so this one must be gone.
                outcome.await;
                return None;
            }
        }
    }
}
