//! AWS Lambda: serves invocations until the process is told to stop.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use futures::FutureExt as _;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing::{Instrument as _, error, info, info_span};

use super::dead_letters::DeadLetters;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::http::{self, Api};
use crate::intake::{self, Asked, Batch, Message, Sender};
use crate::job::log::JobLogs;
use crate::job::{Again, JobRequest, State, Status};
use crate::notify::{self, Notices};
use crate::pipeline::tasks;
use crate::services::{self, Services};
use crate::store::{Endpoint, Store};
use crate::{pipeline, telemetry};

/// The time reserved for returning the answer before Lambda kills the sandbox.
const ANSWER: Duration = Duration::from_millis(500);

/// Time for an interrupted job to write log and status: Lambda kills a function with internal extensions some 500 ms after TERM.
const SHUTDOWN: Duration = Duration::from_millis(400);

/// The least time left in which another message of the same batch is begun.
const ENOUGH: Duration = Duration::from_secs(60);

/// Time for notifications about a job: as long as one delivery takes. And the least of it when the time is used up.
const NOTIFY: Duration = notify::DELIVERY;
const NOTIFY_LATE: Duration = Duration::from_millis(150);
/// Time for exporting spans.
const SPANS: Duration = Duration::from_secs(1);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A failed invocation. Its type is the error's code, by which a state machine decides whether to retry.
#[derive(Debug)]
struct Fault(JobError);

impl From<JobError> for Fault {
    fn from(error: JobError) -> Self {
        Self(error)
    }
}

impl From<Fault> for Diagnostic {
    fn from(Fault(error): Fault) -> Self {
        Self { error_type: error.code.name().to_owned(), error_message: error.message }
    }
}

/// Serves invocations. Without the layers it serves HTTP alone: that function makes no films.
///
/// # Errors
/// When no bucket is named, or the runtime's own protocol fails.
pub async fn serve(config: Config, logs: JobLogs) -> Result<(), Failure> {
    let bucket =
        config.bucket.clone().ok_or("CHALKREEL_BUCKET is not set: it names the bucket for films, status and cache")?;
    let endpoint = services::endpoint(&config)
        .unwrap_or_else(|| Endpoint { region: config.region.clone(), ..Endpoint::default() });
    let store = Store::connect(&endpoint, &bucket).await;
    let letters = config.interfaces.dead_letters.clone().map(DeadLetters);
    let services = Services::open(config.clone(), store.clone(), logs);
    let notices = Arc::new(match &services {
        Ok(services) => Notices::start(services),
        Err(error) => {
            info!("this function makes no films and serves HTTP alone: {error}");
            Notices::without_services(&config, &bucket)
        }
    });
    let api = Api::new(store, config.interfaces.http_token.clone(), false).notifying(notices.clone());
    let (routes, _) = http::router(api);
    let runtime = Arc::new(Runtime { services, notices, letters, routes, bucket });
    let stopping = runtime.clone();
    lambda_runtime::spawn_graceful_shutdown_handler(move || async move {
        let Ok(services) = &stopping.services else { return };
        services.interrupt();
        // There is no time for a grace, and unfinished results of children are discarded anyway.
        crate::child::kill_all();
        if !services.idle(Deadline::after(SHUTDOWN)).await {
            error!("Lambda stops this process before a running job could write its final status; another delivery takes the job over after LEASE_TIMEOUT");
        }
        services.close().await;
    })
    .await;
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let runtime = runtime.clone();
        async move { traced(event, &runtime).await }
    });
    lambda_runtime::run(handler).await
}

/// What invocations share.
struct Runtime {
    /// The error when HTTP alone is served.
    services: Result<Services, JobError>,
    notices: Arc<Notices>,
    letters: Option<DeadLetters>,
    routes: Router,
    bucket: String,
}

/// Answers an invocation within the trace that Lambda names. Its spans are exported before Lambda freezes the process.
async fn traced(event: LambdaEvent<Value>, runtime: &Runtime) -> Result<Value, Fault> {
    let span = info_span!("invocation", request_id = event.context.request_id, otel.kind = "server");
    telemetry::follow_xray(&span, event.context.xray_trace_id.as_deref());
    let ends = ends(event.context.deadline, Duration::MAX);
    let answer = answer(event, runtime, ends).instrument(span).await;
    // Lambda freezes the process once it has the answer.
    runtime.notices.flush(ends.slice(NOTIFY).no_sooner_than(NOTIFY_LATE)).await;
    telemetry::flush(ends.slice(SPANS).no_sooner_than(NOTIFY_LATE)).await;
    answer
}

/// `ends` is when Lambda needs the answer.
async fn answer(event: LambdaEvent<Value>, runtime: &Runtime, ends: Deadline) -> Result<Value, Fault> {
    let sender = intake::sender(&event.payload);
    let asked = match intake::read(event.payload, &runtime.bucket) {
        Ok(Asked::Http(event)) => return Ok(http::event::answer(*event, runtime.routes.clone()).await),
        Ok(asked) => asked,
        Err(refused) => {
            error!(code = refused.code.name(), "the event is refused: {}", refused.message);
            return match sender {
                Sender::Http => Ok(http::event::refusal(refused).await),
                // These take any answer as a success.
                Sender::Queue | Sender::Machine => Err(Fault(refused)),
                // Delivering it again would not help, so the refusal is an answer and not a failure.
                Sender::Other => Ok(json!({"error": refused})),
            };
        }
    };
    let services = runtime.services.as_ref().map_err(|error| Fault(error.clone()))?;
    let worker = Worker { services, notices: &runtime.notices, letters: runtime.letters.as_ref() };
    let answer = worker.answer(asked, ends.slice(services.config.job_timeout)).await;
    crate::child::sweep();
    answer
}

/// Makes films.
struct Worker<'h> {
    services: &'h Services,
    notices: &'h Notices,
    letters: Option<&'h DeadLetters>,
}

impl Worker<'_> {
    /// Makes what an event asks for, one film after the other.
    async fn answer(&self, asked: Asked, ends: Deadline) -> Result<Value, Fault> {
        match asked {
            Asked::Direct(request) => Ok(json!(self.film(request, ends).await?)),
            Asked::Task(task) => {
                let done = tasks::run(*task, self.services, ends).boxed().await?;
                if let Some(status) = &done.status {
                    self.notices.ended(status);
                }
                match done.error {
                    Some(error) => Err(Fault(error)),
                    None => Ok(done.answer),
                }
            }
            Asked::Delivered(requests) => {
                let (mut statuses, mut refused) = (Vec::new(), Vec::new());
                for request in requests {
                    match request {
                        Ok(request) => statuses.push(self.film(request, ends).await?),
                        Err(error) => {
                            error!(code = error.code.name(), "a record of the event is refused: {}", error.message);
                            refused.push(error);
                        }
                    }
                }
                delivered(&statuses, &refused)
            }
            Asked::Batch(batch) => {
                let failed = self.failures(batch, ends).await;
                let items: Vec<_> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
                Ok(json!({"batchItemFailures": items}))
            }
            // Answered by the caller.
            Asked::Http(_) => Ok(Value::Null),
        }
    }

    async fn film(&self, request: JobRequest, ends: Deadline) -> Result<Status, JobError> {
        // Boxed, since a job's future is large.
        let status = pipeline::film(request, self.services, ends, Again::Retryable).boxed().await?;
        self.notices.ended(&status);
        Ok(status)
    }

    /// Works on the messages of a queue, and gives the ids of those that must be delivered again.
    async fn failures(&self, batch: Batch, ends: Deadline) -> Vec<String> {
        let mut failed = Vec::new();
        let mut done = 0;
        for Message { id, receives, body, requests } in batch.messages {
            // After a failure, a FIFO queue's order forbids the rest; and a film that can't be finished is left to another invocation.
            let late = done > 0 && ends.left() < ENOUGH;
            if (batch.fifo && !failed.is_empty()) || late {
                failed.push(id);
                continue;
            }
            let worked_on = match self.message(requests, ends).await {
                Ok(None) => Ok(()),
                Ok(Some(unreadable)) => self.to_dead_letters(&body, unreadable, ends).await,
                Err(error) => Err(error),
            };
            if let Err(error) = worked_on {
                error!(
                    message_id = id,
                    receives,
                    code = error.code.name(),
                    "the message failed and will be delivered again: {}",
                    error.message
                );
                failed.push(id);
            }
            done += 1;
        }
        info!(messages = done, failed = failed.len(), "a batch of messages is done");
        failed
    }

    /// Makes the films of a message. Gives the error of a request in it that can't be parsed, which no retry cures.
    ///
    /// # Errors
    /// Retryable errors alone; a job that failed for good has a status that says so.
    async fn message(&self, requests: Vec<intake::Read>, ends: Deadline) -> Result<Option<JobError>, JobError> {
        let mut unreadable = None;
        for request in requests {
            match request {
                Ok(request) => {
                    let status = self.film(request, ends).await?;
                    if let Some(error) = status.error.filter(|error| error.retryable) {
                        return Err(error);
                    }
                }
                Err(error) => unreadable = unreadable.or(Some(error)),
            }
        }
        Ok(unreadable)
    }

    /// Moves a message that can't be parsed to the dead-letter queue. Without one, the message fails again and again, until its own
    /// queue's redrive moves it, without the reason.
    async fn to_dead_letters(&self, body: &str, unreadable: JobError, ends: Deadline) -> Result<(), JobError> {
        let Some(letters) = self.letters else { return Err(unreadable) };
        match letters.put(body, &unreadable, ends).await {
            Ok(()) => {
                error!(
                    code = unreadable.code.name(),
                    "the message can't be processed and was moved to the dead-letter queue: {}", unreadable.message
                );
                Ok(())
            }
            Err(reason) => {
                error!("can't send the message to the dead-letter queue: {reason}");
                Err(unreadable)
            }
        }
    }
}

/// A job that can succeed when it is tried again fails the invocation, so that its event is delivered again.
fn delivered(statuses: &[Status], refused: &[JobError]) -> Result<Value, Fault> {
    let again = statuses.iter().filter_map(|status| status.error.as_ref()).find(|error| error.retryable);
    if let Some(error) = again {
        return Err(Fault(JobError::clone(error)));
    }
    info!(jobs = statuses.len(), "the event's jobs are done");
    // Jobs that run elsewhere: the delivery that has them ends them, or is repeated.
    let jobs = statuses.iter().map(|status| json!({"job_id": status.job_id, "state": status.state}));
    let done = statuses.iter().filter(|status| status.state != State::Running).count();
    let mut answer = json!({"jobs": jobs.collect::<Vec<_>>(), "done": done});
    if !refused.is_empty() {
        answer["refused"] = json!(refused);
    }
    Ok(answer)
}

/// The invocation's deadline, in milliseconds since 1970, as one of ours. Some local emulators set it to a time in the
/// past: then it is ignored, and JOB_TIMEOUT alone counts.
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
    fn a_deadline_in_the_past_falls_back_to_job_timeout() {
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
