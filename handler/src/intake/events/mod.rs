//! The kinds of events, and what their senders expect as an answer.
//!
//! In: a Lambda event as JSON. Out: [`Asked`], or an error with the event's beginning. It never reads a document,
//! and never makes a job of a key that the service itself wrote.

mod delivered;
mod direct;
mod task;
#[cfg(test)]
mod tests;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde_json::Value;

use crate::error::{Code, JobError};
use crate::job::keys;
use crate::job::{JobRequest, Source};

pub use task::{Subject, Task, TaskError};

/// Characters of an unknown event that its error shows.
const BEGINNING: usize = 200;

/// The `detail-type` of EventBridge's events about executions.
const EXECUTION_ENDED: &str = "Step Functions Execution Status Change";

/// The `source` of the events that this service sends to EventBridge.
pub const OWN_SOURCE: &str = "chalkreel";

/// What an event requests, by its sender.
#[derive(Debug)]
pub enum Asked {
    /// A job, from a caller that reads the final status.
    Direct(JobRequest),
    /// Jobs, from a service that delivers the whole event again after a failure. Not all of them are refused.
    Delivered(Vec<Read>),
    /// Messages of a queue, each with a result of its own.
    Batch(Batch),
    /// A task of the state machine.
    Task(Box<Task>),
    /// An HTTP request, from a Function URL or an HTTP API.
    Http(Box<ApiGatewayV2httpRequest>),
}

/// Messages of one queue.
#[derive(Debug)]
pub struct Batch {
    /// Whether it is a FIFO queue: then no message after a failed one may be processed.
    pub fifo: bool,
    /// As they came.
    pub messages: Vec<Message>,
}

/// A message of a queue.
#[derive(Debug)]
pub struct Message {
    /// Its id, by which its failure is reported.
    pub id: String,
    /// Times that it was delivered, this one included.
    pub receives: u32,
    /// As it came.
    pub body: String,
    /// The jobs in it, and the errors of refused ones.
    pub requests: Vec<Read>,
}

/// The result of parsing a record: a job, or why it is refused.
pub type Read = Result<JobRequest, JobError>;

/// The sender of an event, which decides the form of an error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// An HTTP client, which reads a response.
    Http,
    /// A queue, which takes an answer without failed messages as a success.
    Queue,
    /// A state machine, which takes any answer as a success.
    Machine,
    /// Any other.
    Other,
}

/// The sender of an event.
pub fn sender(event: &Value) -> Sender {
    let http = event.get("requestContext").and_then(|context| context.get("http")).is_some_and(Value::is_object);
    // An authorizer's event looks like a request, and is none.
    let authorizer = event.get("routeArn").is_some();
    if http && !authorizer && event.get("version").and_then(Value::as_str) == Some("2.0") {
        Sender::Http
    } else if delivered::source(event) == Some("aws:sqs") {
        Sender::Queue
    } else if task::is(event) {
        Sender::Machine
    } else {
        Sender::Other
    }
}

/// Reads an event. `own_bucket` is the bucket that this service writes to.
///
/// # Errors
/// `intake.unknown_event`, `intake.bad_request`, `intake.own_output`.
pub fn read(event: Value, own_bucket: &str) -> Result<Asked, JobError> {
    match sender(&event) {
        Sender::Http => {
            let beginning = beginning(&event);
            let request = serde_json::from_value(event).map_err(|error| unknown(&error.to_string(), &beginning))?;
            return Ok(Asked::Http(Box::new(request)));
        }
        Sender::Queue => return Ok(Asked::Batch(delivered::batch(event, own_bucket)?)),
        Sender::Machine => return Ok(Asked::Task(Box::new(task::task(event, own_bucket)?))),
        Sender::Other => {}
    }
    if event["source"] == "aws.states" && event["detail-type"] == EXECUTION_ENDED {
        return Ok(Asked::Task(Box::new(task::ended(event["detail"].clone(), own_bucket)?)));
    }
    if direct::is(&event) {
        return Ok(Asked::Direct(direct::request(event, own_bucket)?));
    }
    Ok(Asked::Delivered(delivered::requests(event, own_bucket)?))
}

/// The job of an object that came into this service's own bucket. `etag` has no quotes, as in S3's events.
///
/// # Errors
/// `intake.own_output`.
pub fn upload(bucket: &str, key: &str, etag: &str) -> Result<JobRequest, JobError> {
    let version = Some(etag.to_owned()).filter(|etag| !etag.is_empty());
    object(bucket.to_owned(), key.to_owned(), version, bucket)
}

/// Whether an object is no document but a picture, a sound, a clip, data, a translation or the narration of a program that belongs to
/// one; or a folder marker, as consoles make them.
pub fn is_companion(key: &str) -> bool {
    const COMPANIONS: &[&str] = &[
        "png", "jpg", "jpeg", "svg", "mp3", "wav", "ogg", "flac", "m4a", "mp4", "mov", "webm", "webp", "csv", "tsv",
        "npy", "npz", "ttf", "otf",
    ];
    let extension = key.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let beside = extension.is_some_and(|extension| COMPANIONS.contains(&&*extension));
    beside || keys::is_translation(key) || keys::is_narration(key) || key.ends_with('/')
}

fn bad(message: impl Into<String>) -> JobError {
    JobError::new(Code::IntakeBadRequest, message)
}

/// An error that says why, and how the event begins.
fn unknown(why: &str, beginning: &str) -> JobError {
    JobError::new(Code::IntakeUnknownEvent, format!("{why}; the event begins with: {beginning}"))
}

fn beginning(event: &Value) -> String {
    event.to_string().chars().take(BEGINNING).collect()
}

/// The job of an object. The key of a document that came over HTTP holds the job's token and quality.
fn object(bucket: String, key: String, version: Option<String>, own_bucket: &str) -> Result<JobRequest, JobError> {
    let own = bucket == own_bucket;
    if own && keys::is_own(&key) {
        return Err(JobError::new(
            Code::IntakeOwnOutput,
            format!("s3://{bucket}/{key} was written by this service itself"),
        ));
    }
    if own && let Some(submission) = keys::Submission::of(&key) {
        let (quality, token) = (submission.quality, Some(submission.token));
        return Ok(JobRequest { quality, token, ..JobRequest::of(Source::Object { bucket, key, version: None }) });
    }
    Ok(JobRequest::of(Source::Object { bucket, key, version }))
}
