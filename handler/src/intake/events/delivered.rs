//! Events that AWS's services deliver: S3's notifications, EventBridge's events, and both of them inside messages of SNS and SQS.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::s3::{S3Event, S3EventRecord};
use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::sqs::SqsEvent;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::{Batch, Message, OWN_SOURCE, Read, bad, beginning, direct, is_companion, object, unknown};
use crate::error::{Code, JobError};
use crate::job::JobRequest;

/// Envelopes within envelopes: EventBridge → SNS → SQS is the deepest that makes sense.
const ENVELOPES: u32 = 3;

/// The source of an event's records. SNS alone spells the field with a capital letter.
pub(super) fn source(event: &Value) -> Option<&str> {
    let record = event.get("Records")?.as_array()?.first()?;
    record.get("eventSource").or_else(|| record.get("EventSource"))?.as_str()
}

/// The jobs of an event that a service delivered. A refused record does not affect the others.
///
/// # Errors
/// When the event can't be parsed, or none of its records.
pub(super) fn requests(event: Value, own_bucket: &str) -> Result<Vec<Read>, JobError> {
    let read = inside(event, own_bucket, ENVELOPES)?;
    match read.iter().all(Result::is_err).then(|| read.first().cloned()).flatten() {
        Some(Err(refused)) => Err(refused),
        _ => Ok(read),
    }
}

fn inside(event: Value, own_bucket: &str, envelopes: u32) -> Result<Vec<Read>, JobError> {
    let start = beginning(&event);
    let open = |text: &str| {
        let inner =
            envelopes.checked_sub(1).ok_or_else(|| unknown("the event is nested in too many messages", &start))?;
        let event = serde_json::from_str(text)
            .map_err(|error| unknown(&format!("the message inside is not JSON: {error}"), text))?;
        inside(event, own_bucket, inner)
    };
    match source(&event) {
        Some("aws:sns") => {
            let event: SnsEvent = serde_json::from_value(event)
                .map_err(|error| unknown(&format!("the event is not a valid SNS event: {error}"), &start))?;
            let opened = event.records.iter().map(|record| open(&record.sns.message));
            return Ok(opened.flat_map(|read| read.unwrap_or_else(|refused| vec![Err(refused)])).collect());
        }
        // Some servers leave the source out.
        Some("aws:s3") | None if event.get("Records").is_some_and(Value::is_array) => {
            return from_s3(event, &start, own_bucket);
        }
        Some(other) => return Err(unknown(&format!("events from {other} are not supported"), &start)),
        None => {}
    }
    // SNS in SQS, unless the subscription delivers raw messages.
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    if text("Type") == Some("Notification")
        && let Some(message) = text("Message")
    {
        return open(message);
    }
    // S3 sends it once when a notification is configured.
    if text("Event") == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if event.get("detail-type").is_some() {
        return from_eventbridge(event, &start, own_bucket);
    }
    if direct::is(&event) {
        return Ok(vec![Ok(direct::request(event, own_bucket)?)]);
    }
    Err(unknown("the event has no known format", &start))
}

fn from_s3(event: Value, start: &str, own_bucket: &str) -> Result<Vec<Read>, JobError> {
    let event: S3Event = serde_json::from_value(event)
        .map_err(|error| unknown(&format!("the event's records are not those of S3: {error}"), start))?;
    let read = event.records.into_iter().map(|record| created(record, start, own_bucket));
    Ok(read.filter_map(Result::transpose).collect())
}

/// The job of an object in an S3 notification; none for a file that belongs to a document.
fn created(record: S3EventRecord, start: &str, own_bucket: &str) -> Result<Option<JobRequest>, JobError> {
    let name = record.event_name.unwrap_or_default();
    // AWS writes `ObjectCreated:Put`, some servers `s3:ObjectCreated:Put`.
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        let named = if name.is_empty() { "no name" } else { &name };
        return Err(unknown(&format!("{named} is not an ObjectCreated event"), start));
    }
    let bucket = record.s3.bucket.name.ok_or_else(|| bad("a record names no bucket"))?;
    let raw = record.s3.object.key.ok_or_else(|| bad("a record names no key"))?;
    let version = version(record.s3.object.version_id, record.s3.object.e_tag);
    let key = decode_key(&raw)?;
    let companion = is_companion(&key);
    let request = object(bucket, key, version, own_bucket)?;
    Ok((!companion).then_some(request))
}

/// The version of an object; the same in a notification as from EventBridge.
fn version(id: Option<String>, etag: Option<String>) -> Option<String> {
    let given = |text: &String| !text.is_empty() && text != "null";
    id.filter(given).or(etag.filter(given))
}

/// Keys in S3 notifications are form-encoded: `+` is a space, the rest is percent-encoded.
fn decode_key(raw: &str) -> Result<String, JobError> {
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(|key| key.into_owned()).map_err(|_| bad(format!("the key `{raw}` does not decode to UTF-8")))
}

/// The detail of S3's own events on EventBridge, in which keys are not encoded.
#[derive(Deserialize)]
struct ObjectCreated {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    etag: Option<String>,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
}

fn from_eventbridge(event: Value, start: &str, own_bucket: &str) -> Result<Vec<Read>, JobError> {
    let event: EventBridgeEvent<Value> = serde_json::from_value(event)
        .map_err(|error| unknown(&format!("the event is not a valid EventBridge event: {error}"), start))?;
    if event.source == OWN_SOURCE {
        let what = format!("`{}` was sent by this service", event.detail_type);
        return Err(JobError::new(Code::IntakeOwnOutput, what));
    }
    if event.source == "aws.s3" {
        if event.detail_type != "Object Created" {
            return Err(unknown(&format!("`{}` is not `Object Created`", event.detail_type), start));
        }
        let detail: ObjectCreated =
            serde_json::from_value(event.detail).map_err(|error| bad(format!("`detail`: {error}")))?;
        let companion = is_companion(&detail.object.key);
        let version = version(detail.object.version_id, detail.object.etag);
        let request = object(detail.bucket.name, detail.object.key, version, own_bucket)?;
        return Ok(if companion { Vec::new() } else { vec![Ok(request)] });
    }
    if direct::is(&event.detail) {
        return Ok(vec![Ok(direct::request(event.detail, own_bucket)?)]);
    }
    if event.detail_type == "Scheduled Event" {
        let why =
            "a scheduled event without a request: give the schedule an input with `document`, `source` or `question`";
        return Err(unknown(why, start));
    }
    Err(unknown(
        &format!("the detail of `{}` has none of `document`, `source` and `question`", event.detail_type),
        start,
    ))
}

/// The messages of a queue. One that can't be parsed does not affect the others.
pub(super) fn batch(event: Value, own_bucket: &str) -> Result<Batch, JobError> {
    let start = beginning(&event);
    let event: SqsEvent = serde_json::from_value(event)
        .map_err(|error| unknown(&format!("the event is not a valid SQS event: {error}"), &start))?;
    let fifo = |message: &aws_lambda_events::sqs::SqsMessage| {
        message.event_source_arn.as_ref().is_some_and(|arn| arn.ends_with(".fifo"))
    };
    let fifo = event.records.iter().any(fifo);
    let mut messages = Vec::new();
    for message in event.records {
        let id = message.message_id.ok_or_else(|| bad("a message has no `messageId`"))?;
        let receives = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let body = message.body.unwrap_or_default();
        let read = match serde_json::from_str::<Value>(&body) {
            Ok(event) => inside(event, own_bucket, ENVELOPES - 1),
            Err(error) => {
                let start: String = body.chars().take(super::BEGINNING).collect();
                Err(unknown(&format!("the message is not JSON: {error}"), &start))
            }
        };
        let requests = read.unwrap_or_else(|refused| vec![Err(refused)]);
        messages.push(Message { id, receives: receives.unwrap_or(1), body, requests });
    }
    Ok(Batch { fifo, messages })
}
