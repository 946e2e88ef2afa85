//! The Lambda front door: serves the runtime until it is told to stop.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use futures::FutureExt as _;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing::{Instrument as _, error, info, info_span};

use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::http::{self, Api};
use crate::intake::{self, Asked, Batch, Message};
use crate::job::log::JobLogs;
use crate::job::{Again, JobRequest, State, Status};
use crate::notify::Notices;
use crate::store::{Endpoint, Store};
use crate::studio::{self, Studio};
use crate::{pipeline, tasks, telemetry};

/// What is kept back of the invocation itself, to hand the answer over before Lambda kills the sandbox.
const ANSWER: Duration = Duration::from_millis(500);

/// For a job that is told to stop to write log and status: Lambda kills a function with internal extensions some 500 ms after TERM.
const SHUTDOWN: Duration = Duration::from_millis(400);

/// The least time in which a film can be made of another message of the same batch.
const ENOUGH: Duration = Duration::from_secs(60);

/// For those who are told how a job ended, and the least of it when the job has used up its time.
const TELL: Duration = Duration::from_secs(3);
const TELL_LATE: Duration = Duration::from_millis(150);
/// For a collector of spans to take what there is.
const SPANS: Duration = Duration::from_secs(1);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A failed invocation. Its type is the error's code, by which a state machine knows whether to try again.
#[derive(Debug)]
struct Fault(JobError);

impl From<JobError> for Fault {
    fn from(error: JobError) -> Self {
        Self(error)
    }
}

impl From<Fault> for Diagnostic {
    fn from(Fault(error): Fault) -> Self {
        Self { error_type: error.code, error_message: error.message }
    }
}

/// Serves invocations. Where there are no layers, HTTP alone is served: that function makes no films.
///
/// # Errors
/// When no bucket is named, or the runtime's own protocol fails.
pub async fn serve(config: Config, logs: JobLogs) -> Result<(), Failure> {
    let bucket = config.bucket.clone().ok_or("CHALKREEL_BUCKET must name the bucket for films, status and cache")?;
    let endpoint =
        studio::endpoint(&config).unwrap_or_else(|| Endpoint { region: config.region.clone(), ..Endpoint::default() });
    let store = Store::connect(&endpoint, &bucket).await;
    let (routes, _) = http::router(Api::new(store.clone(), config.doors.http_token.clone(), false));
    let house = match Studio::open(config, store, logs) {
        Ok(studio) => Ok(House { notices: Notices::start(&studio), studio }),
        Err(error) => {
            info!("only HTTP is served: {error}");
            Err(error)
        }
    };
    let house = Arc::new(house);
    let stopping = house.clone();
    lambda_runtime::spawn_graceful_shutdown_handler(move || async move {
        let Ok(House { studio, .. }) = &*stopping else { return };
        studio.interrupt();
        // There is no time for a grace: what a child leaves half done is thrown away anyhow.
        crate::child::kill_all();
        if !studio.idle(Deadline::after(SHUTDOWN)).await {
            error!("a job could not write its status before the end");
        }
        studio.close().await;
    })
    .await;
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let (house, routes, bucket) = (house.clone(), routes.clone(), bucket.clone());
        async move { traced(event, &house, &bucket, routes).await }
    });
    lambda_runtime::run(handler).await
}

/// What outlives an invocation.
struct House {
    studio: Studio,
    notices: Notices,
}

/// An invocation within the trace that Lambda tells of. Its spans are sent before Lambda stops the process's clock.
async fn traced(
    event: LambdaEvent<Value>,
    house: &Result<House, JobError>,
    bucket: &str,
    routes: Router,
) -> Result<Value, Fault> {
    let span = info_span!("invocation", request_id = event.context.request_id, otel.kind = "server");
    telemetry::follow_xray(&span, event.context.xray_trace_id.as_deref());
    let ends = ends(event.context.deadline, Duration::MAX);
    let answer = answer(event, house, bucket, routes).instrument(span).await;
    telemetry::flush(ends.slice(SPANS).no_sooner_than(TELL_LATE)).await;
    answer
}

async fn answer(
    event: LambdaEvent<Value>,
    house: &Result<House, JobError>,
    bucket: &str,
    routes: Router,
) -> Result<Value, Fault> {
    let is_task = event.payload.get("task").is_some();
    let asked = match intake::read(event.payload, bucket) {
        Ok(asked) => asked,
        // A state machine goes on after an answer.
        Err(refused) if is_task => return Err(Fault(refused)),
        Err(refused) => {
            // Delivering it again would not help, so the refusal is an answer and not a failure.
            error!(code = refused.code, "{}", refused.message);
            return Ok(json!({"error": refused}));
        }
    };
    if let Asked::Http(event) = asked {
        return Ok(http::event::answer(*event, routes).await);
    }
    let house = house.as_ref().map_err(|error| Fault(error.clone()))?;
    let ends = ends(event.context.deadline, house.studio.config.job_timeout);
    let answer = jobs(asked, house, ends).await;
    crate::child::sweep();
    // Lambda stops the process's clock once it has its answer.
    house.notices.flush(ends.slice(TELL).no_sooner_than(TELL_LATE)).await;
    answer
}

/// Makes what an event asks for, one film after the other.
async fn jobs(asked: Asked, house: &House, ends: Deadline) -> Result<Value, Fault> {
    match asked {
        Asked::Direct(request) => Ok(json!(film(request, house, ends).await?)),
        Asked::Task(task) => {
            let done = tasks::run(*task, &house.studio, ends).boxed().await?;
            if let Some(status) = &done.status {
                house.notices.ended(status);
            }
            match done.error {
                Some(error) => Err(Fault(error)),
                None => Ok(done.answer),
            }
        }
        Asked::Delivered(requests) => {
            let mut statuses = Vec::new();
            for request in requests {
                statuses.push(film(request, house, ends).await?);
            }
            delivered(&statuses)
        }
        Asked::Batch(batch) => {
            let failed = failures(batch, house, ends).await;
            let items: Vec<_> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
            Ok(json!({"batchItemFailures": items}))
        }
        // Answered before.
        Asked::Http(_) => Ok(Value::Null),
    }
}

async fn film(request: JobRequest, house: &House, ends: Deadline) -> Result<Status, JobError> {
    // Boxed: a job's future is large, and what holds it would be too.
    let status = pipeline::film(request, &house.studio, ends, Again::Retryable).boxed().await?;
    house.notices.ended(&status);
    Ok(status)
}

/// Works on the messages of a queue, and gives the ids of those that must be delivered again. What can't be read is among them,
/// so that it ends in the dead-letter queue, where somebody looks; the log says why, with its id.
async fn failures(batch: Batch, house: &House, ends: Deadline) -> Vec<String> {
    let mut failed = Vec::new();
    let mut done = 0;
    for Message { id, receives, requests } in batch.messages {
        // After a failure, order forbids the rest; and what can't be finished is better left to another invocation.
        let late = done > 0 && ends.left() < ENOUGH;
        if (batch.fifo && !failed.is_empty()) || late {
            failed.push(id);
            continue;
        }
        if let Err(error) = message(requests, house, ends).await {
            error!(message_id = id, receives, code = error.code, "a message failed: {}", error.message);
            failed.push(id);
        }
        done += 1;
    }
    info!(messages = done, failed = failed.len(), "answered a batch");
    failed
}

/// What of a message must be tried again; a job that failed for good has said so in its status.
async fn message(requests: Result<Vec<JobRequest>, JobError>, house: &House, ends: Deadline) -> Result<(), JobError> {
    for request in requests? {
        let status = film(request, house, ends).await?;
        if let Some(error) = status.error.filter(|error| error.retryable) {
            return Err(error);
        }
    }
    Ok(())
}

/// A job that can succeed when it is tried again fails the invocation, so that its event is delivered again.
fn delivered(statuses: &[Status]) -> Result<Value, Fault> {
    let again = statuses.iter().filter_map(|status| status.error.as_ref()).find(|error| error.retryable);
    if let Some(error) = again {
        return Err(Fault(JobError::clone(error)));
    }
    info!(jobs = statuses.len(), "answered");
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
