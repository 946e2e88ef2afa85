//! Calls of an OpenAI-compatible `/chat/completions`: streamed, repeated with backoff, within a deadline and a budget.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use super::lesson::MOST;
use crate::config::WriteConfig;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::remote::{self, CONNECT, causes, retry_after, short};

/// Tries of one call, the first included.
const TRIES: usize = 4;
/// First and longest wait between two of them.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Time up to the first piece of an answer: models think first.
const FIRST: Duration = Duration::from_secs(180);
/// Time between two pieces.
const BETWEEN: Duration = Duration::from_secs(60);
/// The share of what is left that one try may wait for its first piece, so that another is possible.
const SHARE: u32 = 2;
/// Most bytes of one answer with all that is around its words: each of some letters has a line of some hundred bytes.
const MOST_RAW: usize = 64 * MOST;
/// Largest error answer that is read, in bytes.
const MOST_ERROR: usize = 64 << 10;
/// Bytes of a token, for what no server counts. Fewer than the usual four, since other scripts have fewer.
const TOKEN: u64 = 3;

/// Calls for one lesson.
#[derive(Debug)]
pub(super) struct Chat<'c> {
    client: Client,
    config: &'c WriteConfig,
    model: &'c str,
    deadline: Deadline,
    tokens: u64,
    requests: u64,
}

/// A model's answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) ending: Ending,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    /// At the model's own limit.
    CutOff,
}

/// A call that failed.
#[derive(Debug)]
struct Failed {
    error: JobError,
    /// Whether another call can succeed.
    again: bool,
    /// The least wait before it.
    after: Option<Duration>,
}

impl Failed {
    fn lasting(code: Code, message: impl Into<String>) -> Self {
        Self { error: JobError::new(code, message), again: false, after: None }
    }

    fn passing(message: impl Into<String>) -> Self {
        Self { error: JobError::new(Code::WriteUnavailable, message), again: true, after: None }
    }
}

impl<'c> Chat<'c> {
    /// # Errors
    /// `write.not_configured`; `write.unavailable` when the system's certificates can't be read.
    pub(super) fn new(config: &'c WriteConfig, deadline: Deadline) -> Result<Self, JobError> {
        let model = config.model.as_deref().ok_or_else(|| {
            JobError::new(Code::WriteNotConfigured, "no language model is named that could write the lesson")
        })?;
        let client = remote::client().map_err(|error| JobError::new(Code::WriteUnavailable, causes(&error)))?;
        Ok(Self { client, config, model, deadline, tokens: 0, requests: 0 })
    }

    /// Tokens of all calls so far.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Calls so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// The model's answer to these messages.
    ///
    /// # Errors
    /// `write.…`
    pub(super) async fn ask(&mut self, messages: &[Value]) -> Result<Answer, JobError> {
        let body = json!({
            "model": self.model, "messages": messages, "stream": true, "stream_options": {"include_usage": true},
        });
        let body = body.to_string();
        // A picture costs by its size on the screen, and not by its bytes: far less than they would be as words.
        let words: usize = messages.iter().map(|message| words(&message["content"])).sum();
        let asked = words as u64 / TOKEN;
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(BACKOFF.0)
            .with_max_delay(BACKOFF.1)
            .with_max_times(TRIES - 1)
            .with_jitter()
            .build();
        loop {
            self.reserve(asked)?;
            let Failed { error, again, after } = match self.call(&body, asked).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let wait = waits.next().filter(|_| again).map(|wait| wait.max(after.unwrap_or_default()));
            match wait {
                Some(wait) if wait < self.deadline.left() => {
                    warn!(
                        code = error.code.name(),
                        wait_s = wait.as_secs_f64(),
                        "the language model is asked again: {}",
                        error.message
                    );
                    tokio::time::sleep(wait).await;
                }
                Some(_) if self.deadline.passed() => {
                    return Err(JobError::new(Code::WriteTimedOut, error.message));
                }
                _ => return Err(error),
            }
        }
    }

    /// Whether another call fits into the budget.
    fn reserve(&mut self, asked: u64) -> Result<(), JobError> {
        let WriteConfig { max_requests, max_tokens, .. } = self.config;
        if self.requests >= *max_requests {
            return Err(JobError::new(Code::WriteBudget, format!("all {max_requests} calls are used")));
        }
        if self.tokens + asked >= *max_tokens {
            let message = format!(
                "the next call takes some {asked} tokens for its question alone, and {} of {max_tokens} are used",
                self.tokens
            );
            return Err(JobError::new(Code::WriteBudget, message));
        }
        self.requests += 1;
        Ok(())
    }

    /// One call. Whatever becomes of it, it counts.
    async fn call(&mut self, body: &str, asked: u64) -> Result<Answer, Failed> {
        let mut received = Received::default();
        let answer = self.receive(body, asked, &mut received).await;
        self.tokens += received.tokens.unwrap_or(asked + received.estimate());
        answer
    }

    async fn receive(&self, body: &str, asked: u64, received: &mut Received) -> Result<Answer, Failed> {
        let mut request = self.client.post(format!("{}/chat/completions", self.config.url));
        if let Some(key) = &self.config.key {
            request = request.bearer_auth(&key.0);
        }
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        let first = self.deadline.slice(FIRST.min(self.deadline.left() / SHARE));
        let mut response =
            first.run(request.send()).await.map_err(|_| self.late("the head of the answer"))?.map_err(broken)?;
        if !response.status().is_success() {
            return Err(refusal(response, self.deadline).await);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/html") {
            return Err(Failed::lasting(Code::WriteRefused, "the server answers with an HTML page"));
        }
        let streamed = !kind.starts_with("application/json");
        let allowed = self.config.max_tokens - (self.tokens + asked).min(self.config.max_tokens);
        let mut wait = first;
        loop {
            let chunk = wait.run(response.chunk()).await.map_err(|_| self.late("the next piece of the answer"))?;
            let Some(chunk) = chunk.map_err(broken)? else { break };
            wait = self.deadline.slice(BETWEEN);
            received.take(&chunk, streamed)?;
            if received.text.len() > MOST || received.raw > MOST_RAW {
                let message = format!("the model's answer is longer than {} KiB, and does not end", MOST >> 10);
                return Err(Failed::lasting(Code::WriteNoLesson, message));
            }
            if received.estimate() > allowed {
                let message = format!("the answer takes more than the rest of the {} tokens", self.config.max_tokens);
                return Err(Failed::lasting(Code::WriteBudget, message));
            }
            if received.done {
                break;
            }
        }
        received.end(streamed)
    }

    /// The time is over; of one call, or of all.
    fn late(&self, awaited: &str) -> Failed {
        let message = format!("waiting for {awaited} of the language model took too long");
        Failed { error: JobError::new(Code::WriteTimedOut, message), again: !self.deadline.passed(), after: None }
    }
}

/// Bytes of the words of a message.
fn words(content: &Value) -> usize {
    match content {
        Value::String(text) => text.len(),
        Value::Array(parts) => parts.iter().map(|part| part["text"].as_str().map_or(4_000, str::len)).sum(),
        _ => 0,
    }
}

fn broken(error: reqwest::Error) -> Failed {
    Failed::passing(format!("the language model's server: {}", causes(&error)))
}

/// What an error answer means.
async fn refusal(mut response: Response, deadline: Deadline) -> Failed {
    let (status, after) = (response.status(), retry_after(response.headers()));
    let mut text = Vec::new();
    // The message of a refusal is worth a moment, not more.
    let reading = deadline.slice(CONNECT);
    while let Ok(Ok(Some(chunk))) = reading.run(response.chunk()).await {
        text.extend_from_slice(&chunk);
        if text.len() > MOST_ERROR {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let said = body.pointer("/error/message").and_then(Value::as_str).unwrap_or(&text);
    let message = format!("the language model's server answers {} {}", status.as_u16(), short(said));
    // Comes as 429, but waiting does not help.
    let empty = body.pointer("/error/code").and_then(Value::as_str) == Some("insufficient_quota");
    match status {
        _ if empty => Failed::lasting(Code::WriteDenied, message),
        StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
            Failed::lasting(Code::WriteDenied, message)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Failed { after, ..Failed::passing(message) }
        }
        status if status.is_server_error() => Failed { after, ..Failed::passing(message) },
        _ => Failed::lasting(Code::WriteRefused, message),
    }
}

/// A piece of an answer, or a whole one: `delta` in a stream, `message` without.
#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default, alias = "message")]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    total_tokens: u64,
}

/// As much of an answer as is there.
#[derive(Debug, Default)]
struct Received {
    text: String,
    refusal: String,
    finish: Option<String>,
    /// As the server counts them.
    tokens: Option<u64>,
    /// Whether the stream has said that it is over.
    done: bool,
    /// Bytes that came.
    raw: usize,
    /// What is not read yet: the beginning of a line.
    line: Vec<u8>,
}

impl Received {
    /// The tokens of the answer so far: a model's thoughts are not shown, but fill lines of their own.
    fn estimate(&self) -> u64 {
        (self.text.len() as u64).max(self.raw as u64 / 64) / TOKEN
    }

    fn take(&mut self, chunk: &[u8], streamed: bool) -> Result<(), Failed> {
        self.raw += chunk.len();
        self.line.extend_from_slice(chunk);
        // What is not streamed is read at its end, and a line without end is not looked through again and again.
        if !streamed || !chunk.contains(&b'\n') {
            return Ok(());
        }
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            self.event(line.trim_ascii())?;
        }
        Ok(())
    }

    /// A line of the stream. Comments, which keep connections open, and other fields say nothing.
    fn event(&mut self, line: &[u8]) -> Result<(), Failed> {
        match line.strip_prefix(b"data:").map(<[u8]>::trim_ascii) {
            Some(b"[DONE]") => self.done = true,
            Some(data) if !data.is_empty() => self.piece(data)?,
            _ => {}
        }
        Ok(())
    }

    fn piece(&mut self, data: &[u8]) -> Result<(), Failed> {
        let piece: Piece = serde_json::from_slice(data)
            .map_err(|error| Failed::passing(format!("the language model's server sends no valid JSON: {error}")))?;
        if let Some(error) = piece.error {
            let said = error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
            return Err(Failed::passing(format!("the language model breaks off: {}", short(&said))));
        }
        self.tokens = piece.usage.map(|usage| usage.total_tokens).filter(|tokens| *tokens > 0).or(self.tokens);
        if let Some(choice) = piece.choices.into_iter().next() {
            let delta = choice.delta.unwrap_or(Delta { content: None, refusal: None });
            self.text.extend(delta.content);
            self.refusal.extend(delta.refusal);
            self.finish = choice.finish_reason.or(self.finish.take());
        }
        Ok(())
    }

    /// All that comes has come.
    fn end(&mut self, streamed: bool) -> Result<Answer, Failed> {
        let rest = std::mem::take(&mut self.line);
        if streamed {
            // The last line may have no end.
            self.event(rest.trim_ascii())?;
        } else {
            self.piece(&rest)?;
        }
        let ending = match self.finish.as_deref() {
            Some("length") => Ending::CutOff,
            Some("content_filter") => {
                return Err(Failed::lasting(
                    Code::WriteRefused,
                    "the model's server withholds the answer (content_filter)",
                ));
            }
            Some(_) => Ending::Whole,
            None if self.done => Ending::Whole,
            None => return Err(Failed::passing("the language model's answer broke off")),
        };
        if self.text.trim().is_empty() && !self.refusal.is_empty() {
            let message = format!("the model refuses the question: {}", short(&self.refusal));
            return Err(Failed::lasting(Code::WriteRefused, message));
        }
        Ok(Answer { text: std::mem::take(&mut self.text), ending })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(parts: &[&str]) -> Result<Answer, Failed> {
        let mut received = Received::default();
        for part in parts {
            received.take(part.as_bytes(), true)?;
        }
        received.end(true)
    }

    #[test]
    fn pieces_may_be_cut_anywhere() {
        let stream = ": ping\r\n\r\nevent: x\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
                      data:{\"choices\":[{\"delta\":{\"content\":\"# \u{e9}\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
                      data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\ndata: [DONE]";
        let bytes = stream.as_bytes();
        for cut in 0..bytes.len() {
            let mut received = Received::default();
            received.take(&bytes[..cut], true).unwrap();
            received.take(&bytes[cut..], true).unwrap();
            let answer = received.end(true).unwrap();
            assert_eq!((&*answer.text, answer.ending, received.tokens), ("# \u{e9}", Ending::Whole, Some(9)), "{cut}");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_asked_for_again() {
        let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"# Half\"}}]}\n\n";
        for parts in
            [&[begun][..], &[], &["data: {\"cho"], &[begun, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"]]
        {
            let failed = streamed(parts).unwrap_err();
            assert!(failed.again && failed.error.code == Code::WriteUnavailable, "{failed:?}");
        }
        let cut = streamed(&[begun, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"]).unwrap();
        assert_eq!(cut.ending, Ending::CutOff);
    }
}
