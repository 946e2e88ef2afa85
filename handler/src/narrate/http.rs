//! One HTTP call: time limits for every step, a limit on the size of the answer, and what each status means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::voice::VoiceError;
use crate::deadline::Deadline;
pub(super) use crate::remote::{CONNECT, short};
use crate::remote::{causes, retry_after};

/// Time up to the head of the answer, at least. Voices synthesise before they answer: some seconds for the longest beat.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes: an hour of speech at 32 kbit/s.
const MOST: usize = 16 << 20;
/// Largest error answer that is read, in bytes.
const MAX_ERROR_BODY: usize = 64 << 10;

/// When the head of the answer must be there: two thirds of a long call's time may pass before, since a longer VOICE_TIMEOUT is
/// meant for slow voices.
pub(super) fn first_byte(deadline: Deadline) -> Deadline {
    deadline.slice(FIRST_BYTE.max(deadline.left() * 2 / 3))
}

/// A client for voices.
///
/// # Errors
/// When the system's certificates can't be read.
pub(super) fn client() -> Result<Client, VoiceError> {
    crate::remote::client().map_err(|error| VoiceError::Unreachable(causes(&error)))
}

/// An error answer.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its status.
    pub(super) status: StatusCode,
    /// The least wait that it asks for.
    pub(super) after: Option<Duration>,
    /// Its body as text, cut.
    pub(super) text: String,
    /// The error code that AWS sends in a header.
    pub(super) kind: Option<String>,
}

impl Refusal {
    /// A value of its JSON body, by path.
    pub(super) fn field(&self, pointer: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.text).ok()?;
        body.pointer(pointer)?.as_str().map(str::to_owned)
    }

    /// AWS's own code, in a header or in the body; empty when there is none.
    pub(super) fn aws_code(&self) -> String {
        let code = self.kind.clone().or_else(|| self.field("/__type")).or_else(|| self.field("/code"));
        code.map_or_else(String::new, |code| crate::aws::bare(&code).to_owned())
    }

    /// The error by its HTTP status alone.
    pub(super) fn by_status(self) -> VoiceError {
        let reason = format!("{} {}", self.status.as_u16(), short(&self.text));
        match self.status.as_u16() {
            429 => VoiceError::Busy { reason, after: self.after, crowded: false },
            503 if self.after.is_some() => VoiceError::Busy { reason, after: self.after, crowded: false },
            401..=404 => VoiceError::Denied(reason),
            408 | 425 => VoiceError::Failed(reason),
            300..500 => VoiceError::Refused(reason),
            _ => VoiceError::Failed(reason),
        }
    }
}

/// Makes the call and gives the body of a good answer. `classify` knows the provider's own error codes.
///
/// # Errors
/// [`VoiceError`] for everything else; HTML counts as something else.
pub(super) async fn fetch(
    request: RequestBuilder,
    deadline: Deadline,
    classify: impl Fn(Refusal) -> VoiceError,
) -> Result<Bytes, VoiceError> {
    let head = first_byte(deadline).run(request.send()).await;
    let response = head.map_err(|_| VoiceError::TimedOut("the first byte of the answer"))?.map_err(of)?;
    if !response.status().is_success() {
        let (status, after) = (response.status(), retry_after(response.headers()));
        let kind = response.headers().get("x-amzn-errortype").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        // The message of a refusal is worth a moment, not more.
        let body = deadline.slice(CONNECT).run(body(response, MAX_ERROR_BODY)).await;
        let text = body.ok().and_then(Result::ok).unwrap_or_default();
        return Err(classify(Refusal { status, after, text: String::from_utf8_lossy(&text).into_owned(), kind }));
    }
    let html = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if html {
        return Err(VoiceError::NotDecodable("the answer is an HTML page".to_owned()));
    }
    let body =
        deadline.run(body(response, MOST)).await.map_err(|_| VoiceError::TimedOut("the rest of the answer"))??;
    if body.is_empty() {
        return Err(VoiceError::NotDecodable("the answer is empty".to_owned()));
    }
    Ok(body)
}

async fn body(mut response: Response, most: usize) -> Result<Bytes, VoiceError> {
    let too_large = || VoiceError::Refused(format!("its answer is larger than {most} bytes"));
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(of)? {
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn of(error: reqwest::Error) -> VoiceError {
    if error.is_connect() {
        VoiceError::Unreachable(causes(&error))
    } else if error.is_timeout() {
        VoiceError::TimedOut("the answer")
    } else {
        VoiceError::Failed(causes(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_call_may_begin_later() {
        let head = |seconds: u64| {
            let left = first_byte(Deadline::after(Duration::from_secs(seconds))).left();
            (left.as_secs_f64()).round() as u64
        };
        assert_eq!([5, 12, 15, 60].map(head), [5, 10, 10, 40]);
    }

    #[test]
    fn lasting_errors_are_not_retried() {
        let by_status = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Refusal { status, after: None, text: String::new(), kind: None }.by_status()
        };
        for status in [400, 401, 402, 403, 404, 413, 422, 302] {
            assert!(!by_status(status).is_retryable(), "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(by_status(status).is_retryable() && !by_status(status).is_final(), "{status}");
        }
        assert!(by_status(401).is_final() && !by_status(422).is_final());
    }
}
