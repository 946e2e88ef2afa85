//! A request in this program's own format: a direct invoke, the detail of an EventBridge event, or the body of a message.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::super::question::{QUESTION, Question};
use super::{bad, object};
use crate::error::JobError;
use crate::job::{JobRequest, Quality, Source};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Direct {
    document: Option<InlineDocument>,
    source: Option<String>,
    question: Option<String>,
    language: Option<String>,
    minutes: Option<f64>,
    quality: Option<Quality>,
    planner: Option<String>,
    idempotency_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InlineDocument {
    name: String,
    text: Option<String>,
    base64: Option<String>,
}

/// Whether an event has this program's own format. Events of EventBridge have a `source` too, but it names their sender.
pub(super) fn is(event: &Value) -> bool {
    ["document", "source", "question"].iter().any(|field| event.get(field).is_some())
        && event.get("detail-type").is_none()
}

pub(super) fn request(event: Value, own_bucket: &str) -> Result<JobRequest, JobError> {
    let direct: Direct = serde_json::from_value(event).map_err(|error| bad(error.to_string()))?;
    let Direct { language, minutes, .. } = direct;
    if direct.question.is_none() && (language.is_some() || minutes.is_some()) {
        return Err(bad("`language` and `minutes` belong to a `question`"));
    }
    let request = match (direct.document, direct.source, direct.question) {
        (Some(document), None, None) => {
            let bytes = match (document.text, document.base64) {
                (Some(text), None) => text.into_bytes(),
                (None, Some(encoded)) => BASE64_STANDARD
                    .decode(encoded)
                    .map_err(|error| bad(format!("`document.base64` is not base64: {error}")))?,
                _ => return Err(bad("`document` needs one of `text` and `base64`")),
            };
            JobRequest::of(Source::Inline { name: document.name, bytes, folder: None })
        }
        (None, Some(uri), None) => {
            let rest = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) = rest
                .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
                .ok_or_else(|| bad(format!("`source` is `{uri}`; it must be s3://bucket/key")))?;
            object(bucket.to_owned(), key.to_owned(), None, own_bucket)?
        }
        (None, None, Some(question)) => {
            let question = Question { question, language, minutes, quality: None }.checked()?;
            // Plain data without maps that could fail.
            let bytes = serde_json::to_vec(&question).unwrap_or_default();
            JobRequest::of(Source::Inline { name: QUESTION.to_owned(), bytes, folder: None })
        }
        _ => return Err(bad("the request needs one of `document`, `source` and `question`")),
    };
    let quality = direct.quality.or(request.quality);
    Ok(JobRequest { quality, planner: direct.planner, token: direct.idempotency_token.or(request.token), ..request })
}
