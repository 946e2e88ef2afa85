//! One call over HTTP: time limits at every step, a limit on what comes back, and what each answer means.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::voice::VoiceError;
use crate::deadline::Deadline;

/// Time for looking the host up, TCP and TLS: a few round trips, even on a bad line.
pub(super) const CONNECT: Duration = Duration::from_secs(3);
/// Time up to the head of the answer, at least. Voices synthesise before they answer: some seconds for the longest beat.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// Bytes of an answer that is still read: an hour of speech at 32 kbit/s.
const MOST: usize = 16 << 20;
/// Bytes of an answer that only says what went wrong.
const MOST_OF_ERROR: usize = 64 << 10;

/// When the head of the answer must be there: two thirds of a long call's time may pass before, for whoever allows a slow
/// voice more time means that.
pub(super) fn first_byte(deadline: Deadline) -> Deadline {
    deadline.slice(FIRST_BYTE.max(deadline.left() * 2 / 3))
}

/// A client for voices.
///
/// # Errors
/// When the system's certificates can't be read.
pub(super) fn client() -> Result<Client, VoiceError> {
    // Only the first call in a process does anything; both calls name the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT)
        // A redirect is never a voice: it is a page that says why there is none.
        .redirect(Policy::none())
        .user_agent(concat!("chalkreel/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| VoiceError::Unreachable(causes(&error)))
}

/// An answer that says what went wrong.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its status.
    pub(super) status: StatusCode,
    /// The least wait that it asks for.
    pub(super) after: Option<Duration>,
    /// Its body as text, cut.
    pub(super) text: String,
    /// What AWS says in a header of its own.
    kind: Option<String>,
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

    /// What it means by its status alone.
    pub(super) fn meaning(self) -> VoiceError {
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

/// Makes the call and gives the body of a good answer. `means` knows the provider's own words for what went wrong.
///
/// # Errors
/// [`VoiceError`] for everything else; HTML counts as something else.
pub(super) async fn fetch(
    request: RequestBuilder,
    deadline: Deadline,
    means: impl Fn(Refusal) -> VoiceError,
) -> Result<Bytes, VoiceError> {
    let head = first_byte(deadline).run(request.send()).await;
    let response = head.map_err(|_| VoiceError::TimedOut("the answer's first byte"))?.map_err(of)?;
    if !response.status().is_success() {
        let (status, after) = (response.status(), retry_after(response.headers()));
        let kind = response.headers().get("x-amzn-errortype").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        // What it says is worth a moment, not more.
        let body = deadline.slice(CONNECT).run(body(response, MOST_OF_ERROR)).await;
        let text = body.ok().and_then(Result::ok).unwrap_or_default();
        return Err(means(Refusal { status, after, text: String::from_utf8_lossy(&text).into_owned(), kind }));
    }
    let html = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if html {
        return Err(VoiceError::NotDecodable("a page of HTML".to_owned()));
    }
    let body =
        deadline.run(body(response, MOST)).await.map_err(|_| VoiceError::TimedOut("the rest of the answer"))??;
    if body.is_empty() {
        return Err(VoiceError::NotDecodable("an empty answer".to_owned()));
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

/// The innermost cause says most; URLs are left out, since a key may stand in one.
fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    wait(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// The value of a `Retry-After`: seconds, or a date.
fn wait(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

pub(super) fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_date() {
        let wait = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(wait("3"), Some(Duration::from_secs(3)));
        assert_eq!(wait("-3"), None);
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        assert!(wait(&soon).is_some_and(|wait| (88..=90).contains(&wait.as_secs())));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_long_call_may_begin_later() {
        let head = |seconds: u64| {
            let left = first_byte(Deadline::after(Duration::from_secs(seconds))).left();
            (left.as_secs_f64()).round() as u64
        };
        assert_eq!([5, 12, 15, 60].map(head), [5, 10, 10, 40]);
    }

    #[test]
    fn what_asking_again_can_not_help_is_not_asked_again() {
        let meaning = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Refusal { status, after: None, text: String::new(), kind: None }.meaning()
        };
        for status in [400, 401, 402, 403, 404, 413, 422, 302] {
            assert!(!meaning(status).may_pass(), "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(meaning(status).may_pass() && !meaning(status).is_final(), "{status}");
        }
        assert!(meaning(401).is_final() && !meaning(422).is_final());
    }
}
