//! The shapes of events: S3 notification and direct invoke.

use aws_lambda_events::s3::S3Event;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Code, JobError};
use crate::job::{JobRequest, Quality, Source};
use crate::publish::keys;

/// Who sent an event, and so what they make of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A caller who reads the final status.
    Direct,
    /// A service that delivers again when we say that we failed.
    Delivered,
}

/// Makes requests of an event. `own_bucket` is the bucket that this service writes to.
///
/// # Errors
/// `intake.unknown_event`, `intake.bad_request`, `intake.own_output`.
pub fn requests(event: Value, own_bucket: &str) -> Result<(Origin, Vec<JobRequest>), JobError> {
    if event.get("Records").is_some_and(Value::is_array) {
        return Ok((Origin::Delivered, from_s3(event, own_bucket)?));
    }
    // What S3 sends once when a notification is set up.
    if event.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok((Origin::Delivered, Vec::new()));
    }
    // Events of EventBridge have a `source` too, but it names who sent them.
    let direct_invoke = event.get("document").is_some() || event.get("source").is_some();
    if direct_invoke && event.get("detail-type").is_none() {
        return Ok((Origin::Direct, vec![direct(event, own_bucket)?]));
    }
    let first: String = event.to_string().chars().take(200).collect();
    Err(JobError::new(Code::IntakeUnknownEvent, format!("the event is of no known shape; it begins: {first}")))
}

fn bad(message: impl Into<String>) -> JobError {
    JobError::new(Code::IntakeBadRequest, message)
}

fn object(bucket: String, key: String, version: Option<String>, own_bucket: &str) -> Result<Source, JobError> {
    if bucket == own_bucket && keys::is_own(&key) {
        return Err(JobError::new(Code::IntakeOwnOutput, format!("s3://{bucket}/{key} was written by this service")));
    }
    Ok(Source::Object { bucket, key, version })
}

fn from_s3(event: Value, own_bucket: &str) -> Result<Vec<JobRequest>, JobError> {
    let event: S3Event = serde_json::from_value(event).map_err(|error| {
        JobError::new(Code::IntakeUnknownEvent, format!("the event has records, but not S3's: {error}"))
    })?;
    let mut requests = Vec::new();
    for record in event.records {
        let name = record.event_name.unwrap_or_default();
        // AWS writes `ObjectCreated:Put`, some servers `s3:ObjectCreated:Put`.
        if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
            let named = if name.is_empty() { "no name" } else { &name };
            return Err(JobError::new(Code::IntakeUnknownEvent, format!("{named} is not an ObjectCreated event")));
        }
        let bucket = record.s3.bucket.name.ok_or_else(|| bad("a record names no bucket"))?;
        let raw = record.s3.object.key.ok_or_else(|| bad("a record names no key"))?;
        let version = record.s3.object.version_id.filter(|id| id != "null").or(record.s3.object.e_tag);
        let source = object(bucket, decode_key(&raw)?, version, own_bucket)?;
        requests.push(JobRequest { source, quality: None, token: None });
    }
    Ok(requests)
}

/// Keys in S3 notifications are form-encoded: `+` is a space, the rest is percent-encoded.
fn decode_key(raw: &str) -> Result<String, JobError> {
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(|key| key.into_owned()).map_err(|_| bad(format!("the key `{raw}` does not decode to UTF-8")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Direct {
    document: Option<InlineDocument>,
    source: Option<String>,
    quality: Option<Quality>,
    idempotency_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InlineDocument {
    name: String,
    text: Option<String>,
    base64: Option<String>,
}

fn direct(event: Value, own_bucket: &str) -> Result<JobRequest, JobError> {
    let direct: Direct = serde_json::from_value(event).map_err(|error| bad(error.to_string()))?;
    let source = match (direct.document, direct.source) {
        (Some(document), None) => {
            let bytes = match (document.text, document.base64) {
                (Some(text), None) => text.into_bytes(),
                (None, Some(encoded)) => BASE64_STANDARD
                    .decode(encoded)
                    .map_err(|error| bad(format!("`document.base64` is not base64: {error}")))?,
                _ => return Err(bad("`document` needs one of `text` and `base64`")),
            };
            Source::Inline { name: document.name, bytes, folder: None }
        }
        (None, Some(uri)) => {
            let rest = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) = rest
                .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
                .ok_or_else(|| bad(format!("`source` is `{uri}`; it must be s3://bucket/key")))?;
            object(bucket.to_owned(), key.to_owned(), None, own_bucket)?
        }
        _ => return Err(bad("the request needs one of `document` and `source`")),
    };
    Ok(JobRequest { source, quality: direct.quality, token: direct.idempotency_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notification(name: &str, bucket: &str, key: &str) -> Value {
        json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1",
            "eventTime": "2026-01-02T03:04:05.678Z", "eventName": name, "userIdentity": {"principalId": "p"},
            "requestParameters": {"sourceIPAddress": "192.0.2.1"}, "responseElements": {},
            "s3": {"s3SchemaVersion": "1.0", "configurationId": "c", "bucket": {"name": bucket,
                "ownerIdentity": {"principalId": "p"}, "arn": "arn:aws:s3:::b"},
                "object": {"key": key, "size": 3, "eTag": "abc", "sequencer": "1"}}}]})
    }

    #[test]
    fn keys_are_decoded_as_s3_encodes_them() {
        let event = notification("ObjectCreated:Put", "b", "incoming/my+lesson+%E2%88%9A2%2B1.md");
        let (origin, requests) = requests(event, "b").unwrap();
        let Source::Object { key, version, .. } = &requests[0].source else { panic!("not an object") };
        assert_eq!(key, "incoming/my lesson √2+1.md");
        assert_eq!(version.as_deref(), Some("abc"));
        assert_eq!(origin, Origin::Delivered);
    }

    #[test]
    fn what_the_service_wrote_is_refused() {
        let event = |bucket| notification("ObjectCreated:Put", bucket, "films/1/film.mp4");
        assert_eq!(requests(event("b"), "b").unwrap_err().code, "intake.own_output");
        assert!(requests(event("elsewhere"), "b").is_ok());
        let source = json!({"source": "s3://b/cache/clips/x.mp4"});
        assert_eq!(requests(source, "b").unwrap_err().code, "intake.own_output");
    }

    #[test]
    fn unknown_events_say_how_they_begin() {
        let error = requests(json!({"hello": "world"}), "b").unwrap_err();
        assert_eq!(error.code, "intake.unknown_event");
        assert!(error.message.contains("hello"));
        let removed = notification("ObjectRemoved:Delete", "b", "k");
        assert_eq!(requests(removed, "b").unwrap_err().code, "intake.unknown_event");
    }

    #[test]
    fn direct_requests_name_the_field_at_fault() {
        for (event, word) in [
            (json!({"document": {"name": "a.md"}}), "base64"),
            (json!({"document": {"name": "a.md", "base64": "%"}}), "base64"),
            (json!({"document": {"name": "a.md", "text": ""}, "qualty": "draft"}), "qualty"),
            (json!({"document": {"name": "a.md", "text": ""}, "quality": "best"}), "best"),
            (json!({"source": "http://x/y"}), "s3://"),
            (json!({"source": "s3://b/k", "document": {"name": "a", "text": "b"}}), "one of"),
        ] {
            let error = requests(event, "own").unwrap_err();
            assert_eq!(error.code, "intake.bad_request");
            assert!(error.message.contains(word), "{}", error.message);
        }
    }
}
