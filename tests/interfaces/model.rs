//! A language model that stands in for real ones: it speaks the public protocol of `/v1/chat/completions`, checks what it is asked, and
//! misbehaves on demand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const KEY: &str = "key-of-a-model";
pub const NAME: &str = "teacher-1";
/// Tokens that it says each call takes.
pub const TOKENS: u64 = 1_000;

/// What becomes of a call.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer, in pieces.
    Says(String),
    /// The same, without the tokens that it took, and with thoughts before it.
    SaysUncounted(String),
    /// The same from a server that does not stream.
    SaysAtOnce(String),
    /// The answer ends at the model's own limit.
    CutOff(String),
    /// A status with headers and a body.
    Refuses(u16, &'static str, &'static str),
    /// Words of refusal, in the field that the protocol has for them.
    Declines,
    /// The server withholds the answer.
    Withholds,
    /// Half of an answer, and then the connection is closed.
    BreaksOff(String),
    /// The same, but the stream ends as if all were well.
    EndsEarly(String),
    /// Half of an answer, and then an error in the stream.
    Fails,
    /// Never answers.
    Hangs,
    /// Half of an answer, and then nothing.
    HangsMidway(String),
    /// An answer without end, in pieces or in one line.
    Floods {
        lines: bool,
    },
    /// A stream of what is no JSON.
    Garbage,
    Html,
}

pub struct Call {
    pub at: Instant,
    pub body: Value,
}

impl Call {
    /// The words of its last message.
    pub fn last(&self) -> String {
        let content = &self.body["messages"].as_array().unwrap().last().unwrap()["content"];
        match content {
            Value::String(text) => text.clone(),
            parts => parts[0]["text"].as_str().unwrap().to_owned(),
        }
    }

    /// The picture of its last message, decoded.
    pub fn picture(&self) -> Option<Vec<u8>> {
        use base64::Engine as _;
        let last = self.body["messages"].as_array().unwrap().last().unwrap();
        let url = last["content"].get(1)?["image_url"]["url"].as_str()?;
        let encoded = url.strip_prefix("data:image/png;base64,").unwrap();
        Some(base64::prelude::BASE64_STANDARD.decode(encoded).unwrap())
    }
}

#[derive(Default)]
struct Seen {
    calls: Mutex<Vec<Call>>,
    wrong: Mutex<Vec<String>>,
    sent: AtomicU64,
}

/// A model on loopback. It ends with the runtime of its test.
pub struct Model {
    pub url: String,
    seen: Arc<Seen>,
}

type Script = dyn Fn(usize) -> Reply + Send + Sync;

impl Model {
    /// `script` says what becomes of each call, by its number.
    pub async fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (seen, script): (Arc<Seen>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let all = seen.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // An error is a client that has gone.
                let (seen, script) = (all.clone(), script.clone());
                tokio::spawn(async move { answer(socket, &seen, &*script).await.ok() });
            }
        });
        Self { url, seen }
    }

    /// The settings that lead to it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OPENAI_CHAT_BASE_URL", self.url.clone()),
            ("OPENAI_CHAT_API_KEY", KEY.to_owned()),
            ("OPENAI_CHAT_MODEL", NAME.to_owned()),
        ]
    }

    /// What it was asked; it is an error if anything of that was against the protocol.
    pub fn calls(&self) -> Vec<Call> {
        let wrong = self.seen.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
        std::mem::take(&mut *self.seen.calls.lock().unwrap())
    }

    /// Bytes that it could send.
    pub fn sent(&self) -> u64 {
        self.seen.sent.load(Ordering::Relaxed)
    }
}

/// What is wrong with a call.
fn fault(head: &str, body: &Value) -> Option<String> {
    let lower = head.to_ascii_lowercase();
    if !head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n") {
        return Some(format!("not the path: {head}"));
    }
    if !lower.contains(&format!("authorization: bearer {KEY}\r\n")) || !lower.contains("content-type: application/json")
    {
        return Some(format!("the head: {head}"));
    }
    if body["model"] != NAME || body["stream"] != true || body["stream_options"]["include_usage"] != true {
        return Some(format!("the settings: {body}"));
    }
    let messages = body["messages"].as_array()?;
    let roles: Vec<&str> = messages.iter().filter_map(|message| message["role"].as_str()).collect();
    let in_turn = matches!(&roles[..], ["system", "user"] | ["system", "user", "assistant", "user"]);
    let said = |content: &Value| match content {
        Value::String(text) => !text.is_empty(),
        parts => parts.as_array().is_some_and(|parts| parts.iter().all(|part| part["type"].is_string())),
    };
    let whole = messages.iter().all(|message| said(&message["content"]));
    (!in_turn || !whole).then(|| format!("the messages: {roles:?}"))
}

async fn answer(mut socket: TcpStream, seen: &Seen, script: &Script) -> std::io::Result<()> {
    let mut received = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 65_536];
        let count = socket.read(&mut piece).await?;
        if count == 0 {
            return Ok(());
        }
        received.extend_from_slice(&piece[..count]);
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&received[..end + 2]).into_owned();
        let length = head
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .map(|(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
        if received.len() >= end + 4 + length.unwrap_or_default() {
            break (head, serde_json::from_slice(&received[end + 4..]).unwrap_or_default());
        }
    };
    seen.wrong.lock().unwrap().extend(fault(&head, &body));
    let number = {
        let mut calls = seen.calls.lock().unwrap();
        calls.push(Call { at: Instant::now(), body });
        calls.len() - 1
    };
    let mut wire = Wire { socket, seen };
    match script(number) {
        Reply::Says(text) => {
            wire.begin().await?;
            wire.say(&text).await?;
            wire.finish("stop").await?;
            wire.event(&json!({"choices": [], "usage": {"total_tokens": TOKENS}})).await?;
            wire.end().await
        }
        Reply::SaysUncounted(text) => {
            wire.begin().await?;
            wire.chunk(": keep-alive\n\n").await?;
            wire.event(&json!({"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "Hm."}}]}))
                .await?;
            wire.say(&text).await?;
            wire.finish("stop").await?;
            wire.end().await
        }
        Reply::SaysAtOnce(text) => {
            let choice =
                json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}});
            let body = json!({"choices": [choice], "usage": {"total_tokens": TOKENS}}).to_string();
            wire.whole(200, "Content-Type: application/json\r\n", &body).await
        }
        Reply::CutOff(text) => {
            wire.begin().await?;
            wire.say(&text).await?;
            wire.finish("length").await?;
            wire.end().await
        }
        Reply::Refuses(status, headers, body) => wire.whole(status, headers, body).await,
        Reply::Declines => {
            wire.begin().await?;
            wire.event(&json!({"choices": [{"index": 0, "delta": {"refusal": "I won't teach that."}}]})).await?;
            wire.finish("stop").await?;
            wire.end().await
        }
        Reply::Withholds => {
            wire.begin().await?;
            wire.finish("content_filter").await?;
            wire.end().await
        }
        Reply::BreaksOff(text) => {
            wire.begin().await?;
            wire.say(&text).await
        }
        Reply::EndsEarly(text) => {
            wire.begin().await?;
            wire.say(&text).await?;
            wire.write(b"0\r\n\r\n").await
        }
        Reply::Fails => {
            wire.begin().await?;
            wire.say("# Half").await?;
            wire.event(&json!({"error": {"message": "the model is overloaded", "type": "server_error"}})).await?;
            wire.end().await
        }
        Reply::Hangs => wire.stay().await,
        Reply::HangsMidway(text) => {
            wire.begin().await?;
            wire.say(&text).await?;
            wire.stay().await
        }
        Reply::Floods { lines: true } => {
            wire.begin().await?;
            let words = json!({"choices": [{"index": 0, "delta": {"content": "more and more ".repeat(100)}}]});
            loop {
                wire.event(&words).await?;
            }
        }
        Reply::Floods { lines: false } => {
            wire.begin().await?;
            wire.chunk("data: {\"choices\": [{\"delta\": {\"content\": \"").await?;
            loop {
                wire.chunk(&"x".repeat(16_384)).await?;
            }
        }
        Reply::Garbage => {
            wire.begin().await?;
            wire.chunk("data: <html>\n\n").await?;
            wire.end().await
        }
        Reply::Html => wire.whole(200, "Content-Type: text/html\r\n", "<html>Sign in</html>").await,
    }
}

struct Wire<'s> {
    socket: TcpStream,
    seen: &'s Seen,
}

impl Wire<'_> {
    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.seen.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn whole(&mut self, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        self.write((head + body).as_bytes()).await
    }

    async fn begin(&mut self) -> std::io::Result<()> {
        self.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await
    }

    async fn chunk(&mut self, text: &str) -> std::io::Result<()> {
        self.write(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await
    }

    async fn event(&mut self, data: &Value) -> std::io::Result<()> {
        self.chunk(&format!("data: {data}\n\n")).await
    }

    /// A few letters at a time, as models do; an event may be cut in the middle.
    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        let letters: Vec<char> = text.chars().collect();
        let mut all = String::new();
        for piece in letters.chunks(7) {
            let piece: String = piece.iter().collect();
            all += &format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": piece}}]}));
        }
        let (mut from, bytes) = (0, all.as_bytes());
        while from < bytes.len() {
            let to = bytes.len().min(from + 333);
            self.write(format!("{:x}\r\n", to - from).as_bytes()).await?;
            self.write(&bytes[from..to]).await?;
            self.write(b"\r\n").await?;
            from = to;
        }
        Ok(())
    }

    async fn finish(&mut self, reason: &str) -> std::io::Result<()> {
        self.event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})).await
    }

    async fn end(&mut self) -> std::io::Result<()> {
        self.chunk("data: [DONE]\n\n").await?;
        self.write(b"0\r\n\r\n").await
    }

    /// Until the client goes.
    async fn stay(&mut self) -> std::io::Result<()> {
        let gone = tokio::time::timeout(Duration::from_secs(120), self.socket.read(&mut [0])).await;
        gone.map(|_| ()).map_err(Into::into)
    }
}
