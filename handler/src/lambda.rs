//! The Lambda front door: serves the runtime until it is told to stop.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing::{error, info};

use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::intake::{self, Origin};
use crate::job::log::JobLogs;
use crate::job::{Again, State, Status};
use crate::pipeline;
use crate::store::{Endpoint, Store};
use crate::studio::{self, Studio};

/// What is kept back of the invocation itself, to hand the answer over before Lambda kills the sandbox.
const ANSWER: Duration = Duration::from_millis(500);

/// For a job that is told to stop to write log and status: Lambda kills a function with internal extensions some 500 ms after TERM.
const SHUTDOWN: Duration = Duration::from_millis(400);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves invocations.
///
/// # Errors
/// When the studio can't be opened, or the runtime's own protocol fails.
pub async fn serve(config: Config, logs: JobLogs) -> Result<(), Failure> {
    let bucket = config.bucket.clone().ok_or("CHALKREEL_BUCKET must name the bucket for films, status and cache")?;
    let endpoint =
        studio::endpoint(&config).unwrap_or_else(|| Endpoint { region: config.region.clone(), ..Endpoint::default() });
    let store = Store::connect(&endpoint, &bucket).await;
    let studio = Arc::new(Studio::open(config, store, logs)?);
    let stopping = studio.clone();
    lambda_runtime::spawn_graceful_shutdown_handler(move || async move {
        stopping.interrupt();
        // There is no time for a grace: what a child leaves half done is thrown away anyhow.
        crate::child::kill_all();
        if !stopping.idle(Deadline::after(SHUTDOWN)).await {
            error!("a job could not write its status before the end");
        }
        stopping.close().await;
    })
    .await;
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let studio = studio.clone();
        async move { answer(event, &studio).await }
    });
    lambda_runtime::run(handler).await
}

async fn answer(event: LambdaEvent<Value>, studio: &Studio) -> Result<Value, Failure> {
    let ends = ends(event.context.deadline, studio.config.job_timeout);
    let (origin, requests) = match intake::requests(event.payload, studio.store.bucket()) {
        Ok(requests) => requests,
        Err(refused) => {
            // Delivering it again would not help, so the refusal is an answer and not a failure.
            error!(code = refused.code, "{}", refused.message);
            return Ok(json!({"error": refused}));
        }
    };
    let mut statuses = Vec::new();
    for request in requests {
        // Boxed: a job's future is large, and what holds it would be too.
        statuses.push(pipeline::film(request, studio, ends, Again::Retryable).boxed().await?);
    }
    crate::child::sweep();
    info!(jobs = statuses.len(), "answered");
    match origin {
        Origin::Direct => Ok(serde_json::to_value(statuses.pop())?),
        Origin::Delivered => delivered(&statuses),
    }
}

/// A job that can succeed when it is tried again fails the invocation, so that its event is delivered again.
fn delivered(statuses: &[Status]) -> Result<Value, Failure> {
    let again = statuses.iter().filter_map(|status| status.error.as_ref()).find(|error| error.retryable);
    if let Some(error) = again {
        return Err(Box::new(JobError::clone(error)));
    }
    // Still running elsewhere: the delivery that holds it will end it, or be followed by another.
    let jobs = statuses.iter().map(|status| json!({"job_id": status.job_id, "state": status.state}));
    let done = statuses.iter().filter(|status| status.state != State::Running).count();
    Ok(json!({"jobs": jobs.collect::<Vec<_>>(), "done": done}))
}

/// The invocation's deadline, in milliseconds since 1970, as one of ours. Some local servers put it into the past before
/// the invocation begins: then it says nothing, and JOB_TIMEOUT alone counts.
fn ends(context_ms: u64, job_timeout: Duration) -> Deadline {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match Duration::from_millis(context_ms).checked_sub(now) {
        Some(left) if !left.is_zero() => Deadline::after(left.saturating_sub(ANSWER)).slice(job_timeout),
        _ => Deadline::after(job_timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_before_its_own_start_falls_back_to_the_jobs() {
        let job = Duration::from_secs(1200);
        for nonsense in [0, 600_000] {
            assert!(ends(nonsense, job).left() > Duration::from_secs(1199));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let left = ends(now + 10_000, job).left();
        assert!(left > Duration::from_secs(9) && left <= Duration::from_millis(9_500), "{left:?}");
        assert!(ends(now + 10_000, Duration::from_secs(3)).left() <= Duration::from_secs(3));
    }
}
