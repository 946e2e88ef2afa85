//! Providers of speech that stand in for the real ones: each speaks its provider's public protocol over HTTP, checks what it
//! is asked, and misbehaves on demand.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const KEY: &str = "key-of-a-test";

/// Characters a second of every fake voice.
const PACE: f64 = 15.0;
/// Of [`SPEECH`]: MPEG 2 layer III at 24 kHz and 64 kbit/s.
const FRAME_BYTES: usize = 192;
const FRAME_SECONDS: f64 = 0.024;

/// A minute of a tone that comes and goes like syllables, as MP3 frames that can be cut anywhere between two of them.
static SPEECH: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers/bin/ffmpeg");
    let sound = "aevalsrc=0.3*sin(440*2*PI*t)*(0.6+0.4*sin(4*2*PI*t)):s=24000:d=60";
    let output = Command::new(program)
        .args(["-v", "error", "-f", "lavfi", "-i", sound, "-c:a", "libmp3lame", "-b:a", "64k", "-reservoir", "0"])
        .args(["-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
});

/// That text as sound.
fn speech(text: &str) -> &'static [u8] {
    let frames = (text.chars().count() as f64 / PACE / FRAME_SECONDS).ceil() as usize + 1;
    &SPEECH[..(frames * FRAME_BYTES).min(SPEECH.len())]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    ElevenLabs,
    Polly,
    Google,
    OpenAi,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::ElevenLabs, Self::Polly, Self::Google, Self::OpenAi];

    /// Its name in chains.
    pub fn voice(self) -> &'static str {
        match self {
            Self::ElevenLabs => "elevenlabs",
            Self::Polly => "polly",
            Self::Google => "gtts",
            Self::OpenAi => "openai",
        }
    }

    /// The settings that lead to a server at `url`.
    pub fn settings(self, url: &str) -> Vec<(&'static str, String)> {
        let key = KEY.to_owned();
        match self {
            Self::ElevenLabs => vec![("ELEVENLABS_BASE_URL", url.to_owned()), ("ELEVENLABS_API_KEY", key)],
            Self::Polly => vec![
                ("POLLY_BASE_URL", url.to_owned()),
                ("AWS_ACCESS_KEY_ID", "AKIDTEST".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", key),
                ("AWS_REGION", "eu-central-1".to_owned()),
            ],
            Self::Google => vec![("GOOGLE_TTS_BASE_URL", url.to_owned())],
            Self::OpenAi => vec![("OPENAI_TTS_BASE_URL", format!("{url}/v1")), ("OPENAI_API_KEY", key)],
        }
    }

    /// Calls that one piece of text takes when all goes well: Polly gives sound and marks one by one.
    pub fn calls(self) -> usize {
        if self == Self::Polly { 2 } else { 1 }
    }
}

/// What a provider does with a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    Speaks,
    /// After this long.
    SpeaksLate(Duration),
    /// Never answers.
    Hangs,
    /// Closes without a word.
    Closes,
    /// Answers half, and then nothing.
    HangsMidway,
    /// Answers half, and closes.
    BreaksOff,
    /// A status with a body and perhaps `Retry-After`.
    Refuses(u16, String, Option<String>),
    Html,
    Nothing,
    /// Half of the sound, as if it were whole.
    HalfSound,
    /// Noise that is no sound file.
    Garbage,
    /// A hundred megabytes, with or without saying so first.
    Floods {
        told: bool,
    },
}

#[derive(Debug, Clone)]
pub struct Call {
    pub text: String,
    pub at: Instant,
    /// As it was asked.
    pub request: Request,
}

type Script = dyn Fn(usize, &str) -> Behaviour + Send + Sync;

/// A provider on loopback. It ends with the runtime of its test.
pub struct Provider {
    pub kind: Kind,
    pub url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: Mutex<Vec<Call>>,
    wrong: Mutex<Vec<String>>,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    sent: AtomicU64,
    /// More calls at a time are refused; 0 for any number.
    lanes: AtomicUsize,
    /// Whether any voice, model and language is as good as those without settings.
    easy: AtomicBool,
}

impl Provider {
    /// `script` says what becomes of each call, by its number and text.
    pub async fn start(kind: Kind, script: impl Fn(usize, &str) -> Behaviour + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let script: Arc<Script> = Arc::new(script);
        let shared = seen.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(kind, stream, shared.clone(), script.clone()));
            }
        });
        Self { kind, url: format!("http://{address}"), seen }
    }

    pub async fn that(kind: Kind, action: Behaviour) -> Self {
        Self::start(kind, move |_, _| action.clone()).await
    }

    /// The same, with calls at a time that it takes.
    pub fn with_lanes(self, lanes: usize) -> Self {
        self.seen.lanes.store(lanes, Ordering::SeqCst);
        self
    }

    /// The same, with any voice, model and language.
    pub fn easy(self) -> Self {
        self.seen.easy.store(true, Ordering::SeqCst);
        self
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        self.kind.settings(&self.url)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.seen.calls.lock().unwrap().clone()
    }

    /// Bytes that went out.
    pub fn sent(&self) -> u64 {
        self.seen.sent.load(Ordering::SeqCst)
    }

    pub fn most_at_a_time(&self) -> usize {
        self.seen.most_inside.load(Ordering::SeqCst)
    }

    /// Every call was as the provider's documents want it.
    pub fn assert_well_asked(&self) {
        let wrong = self.seen.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{:?}: {wrong:?}", self.kind);
    }
}

#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// What Google is asked: text, language, and two that are always the same.
    pub fn of_google(&self) -> Result<Value, String> {
        let body = String::from_utf8_lossy(&self.body);
        let calls = body.strip_prefix("f.req=").and_then(|rest| rest.strip_suffix('&')).unwrap_or_default();
        let calls = percent_encoding::percent_decode_str(calls).decode_utf8_lossy().into_owned();
        let calls: Value = serde_json::from_str(&calls).map_err(|error| error.to_string())?;
        let call = &calls[0][0];
        if call[0] != "jQ1olc" || !call[2].is_null() || call[3] != "generic" {
            return Err("Google wants one call of jQ1olc".to_owned());
        }
        Ok(serde_json::from_str(call[1].as_str().unwrap_or_default()).unwrap_or_default())
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { line, headers, body })
}

async fn serve(kind: Kind, mut stream: TcpStream, seen: Arc<Seen>, script: Arc<Script>) {
    while let Some(request) = read(&mut stream).await {
        let inside = seen.inside.fetch_add(1, Ordering::SeqCst) + 1;
        let lanes = seen.lanes.load(Ordering::SeqCst);
        let crowded = lanes > 0 && inside > lanes;
        let text = match text_of(kind, &request, seen.easy.load(Ordering::SeqCst)) {
            Ok(text) => text,
            Err(wrong) => {
                seen.wrong.lock().unwrap().push(format!("{wrong}: {}", request.line));
                String::new()
            }
        };
        let number = {
            let mut calls = seen.calls.lock().unwrap();
            calls.push(Call { text: text.clone(), at: Instant::now(), request: request.clone() });
            calls.len() - 1
        };
        let action = if crowded {
            let detail = json!({"detail": {"status": "too_many_concurrent_requests", "message": "wait"}});
            Behaviour::Refuses(429, detail.to_string(), None)
        } else {
            seen.most_inside.fetch_max(inside, Ordering::SeqCst);
            script(number, &text)
        };
        let open = answer(kind, &request, &text, &action, &mut stream, &seen).await;
        seen.inside.fetch_sub(1, Ordering::SeqCst);
        if !open {
            return;
        }
    }
}

/// Checks the call as the provider would, and gives its text. If it is `easy`, any voice, model and language will do.
fn text_of(kind: Kind, request: &Request, easy: bool) -> Result<String, String> {
    let rule = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{kind:?} wants {what}")) };
    let json = request.json();
    let text = |field: &str| json[field].as_str().map(str::to_owned).ok_or(format!("{kind:?} wants {field}"));
    match kind {
        Kind::ElevenLabs => {
            let line =
                "POST /v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/with-timestamps?output_format=mp3_44100_128 HTTP/1.1";
            rule(easy || request.line == line, line)?;
            rule(request.header("xi-api-key") == KEY, "the key in xi-api-key")?;
            rule(request.header("content-type") == "application/json", "JSON")?;
            rule(easy || json["model_id"] == "eleven_multilingual_v2", "model_id")?;
            rule(easy || json.get("language_code").is_none(), "no language for this model")?;
            text("text")
        }
        Kind::OpenAi => {
            rule(request.line == "POST /v1/audio/speech HTTP/1.1", "POST /v1/audio/speech")?;
            rule(request.header("authorization") == format!("Bearer {KEY}"), "the key as bearer")?;
            rule(easy || (json["model"] == "gpt-4o-mini-tts" && json["voice"] == "alloy"), "model and voice")?;
            rule(json["response_format"] == "mp3", "mp3")?;
            let text = text("input")?;
            rule(text.chars().count() <= 4096, "4,096 characters at most")?;
            Ok(text)
        }
        Kind::Polly => {
            rule(request.line == "POST /v1/speech HTTP/1.1", "POST /v1/speech")?;
            let signed = "AWS4-HMAC-SHA256 Credential=AKIDTEST/";
            rule(request.header("authorization").starts_with(signed), "a signature")?;
            rule(request.header("authorization").contains("/eu-central-1/polly/aws4_request"), "region and service")?;
            rule(easy || (json["Engine"] == "neural" && json["VoiceId"] == "Joanna"), "engine and voice")?;
            let sound = json["OutputFormat"] == "mp3" && json.get("SpeechMarkTypes").is_none();
            let marks = json["OutputFormat"] == "json" && json["SpeechMarkTypes"] == json!(["word"]);
            rule(sound || marks, "mp3, or json with marks of words")?;
            text("Text")
        }
        Kind::Google => {
            let line = "POST /_/TranslateWebserverUi/data/batchexecute HTTP/1.1";
            rule(request.line == line, line)?;
            let form = request.header("content-type").starts_with("application/x-www-form-urlencoded");
            rule(form && request.header("user-agent").starts_with("Mozilla/"), "a form from a browser")?;
            let inner = request.of_google()?;
            rule((easy || inner[1] == "en") && inner[2].is_null() && inner[3] == "null", "language and speed")?;
            let text = inner[0].as_str().unwrap_or_default().to_owned();
            rule(!text.is_empty() && text.chars().count() <= 100, "1 to 100 characters")?;
            Ok(text)
        }
    }
}

/// The good answer: its media type and body. `sound` is its content, complete or not.
fn good(kind: Kind, request: &Request, text: &str, sound: &[u8]) -> (&'static str, Vec<u8>) {
    match kind {
        Kind::ElevenLabs => {
            let characters: Vec<String> = text.chars().map(String::from).collect();
            let at = |n: usize| n as f64 / PACE;
            let body = json!({
                "audio_base64": STANDARD.encode(sound),
                "alignment": {
                    "characters": characters,
                    "character_start_times_seconds": (0..characters.len()).map(at).collect::<Vec<_>>(),
                    "character_end_times_seconds": (1..=characters.len()).map(at).collect::<Vec<_>>(),
                },
                "normalized_alignment": null,
            });
            ("application/json", body.to_string().into_bytes())
        }
        Kind::Polly if request.json()["OutputFormat"] == "json" => {
            let mark = |word: &str| {
                let start = word.as_ptr() as usize - text.as_ptr() as usize;
                let time = (text[..start].chars().count() as f64 / PACE * 1000.0) as u64;
                json!({"time": time, "type": "word", "start": start, "end": start + word.len(), "value": word})
            };
            let lines: Vec<String> = text.split_whitespace().map(|word| mark(word).to_string()).collect();
            ("application/x-json-stream", lines.join("\n").into_bytes())
        }
        Kind::Polly | Kind::OpenAi => ("audio/mpeg", sound.to_vec()),
        Kind::Google => {
            let inner = json!([STANDARD.encode(sound)]).to_string();
            let call = json!([["wrb.fr", "jQ1olc", inner, null, null, null, "generic"]]).to_string();
            let body = format!(")]}}'\n\n{}\n{call}\n25\n[[\"e\",4,null,null,99]]\n", call.len());
            ("application/json; charset=utf-8", body.into_bytes())
        }
    }
}

/// Says whether the connection stays open.
async fn answer(
    kind: Kind,
    request: &Request,
    text: &str,
    action: &Behaviour,
    stream: &mut TcpStream,
    seen: &Seen,
) -> bool {
    let head = |status: u16, media: &str, length: Option<usize>, more: &str| {
        let length = length.map_or("transfer-encoding: chunked\r\n".to_owned(), |n| format!("content-length: {n}\r\n"));
        format!("HTTP/1.1 {status} Said\r\ncontent-type: {media}\r\n{length}{more}\r\n").into_bytes()
    };
    let (media, body) = good(kind, request, text, speech(text));
    let whole = |media: &str, body: &[u8]| [head(200, media, Some(body.len()), ""), body.to_vec()].concat();
    let bytes = match action {
        Behaviour::Speaks => whole(media, &body),
        Behaviour::SpeaksLate(wait) => {
            tokio::time::sleep(*wait).await;
            whole(media, &body)
        }
        Behaviour::Hangs => {
            // Until the other side gives up.
            let _ = stream.read_u8().await;
            return false;
        }
        Behaviour::Closes => return false,
        Behaviour::HangsMidway | Behaviour::BreaksOff => {
            let part = [head(200, media, Some(body.len()), ""), body[..body.len() / 2].to_vec()].concat();
            let _ = stream.write_all(&part).await;
            if *action == Behaviour::HangsMidway {
                let _ = stream.read_u8().await;
            }
            return false;
        }
        Behaviour::Refuses(status, words, after) => {
            let more = after.as_ref().map(|after| format!("retry-after: {after}\r\n")).unwrap_or_default();
            [head(*status, "application/json", Some(words.len()), &more), words.clone().into_bytes()].concat()
        }
        Behaviour::Html => whole("text/html; charset=utf-8", b"<!doctype html><title>Sorry</title><p>Not today."),
        Behaviour::Nothing => whole(media, b""),
        Behaviour::HalfSound => {
            let sound = speech(text);
            let (media, body) = good(kind, request, text, &sound[..sound.len() / 2 - 50]);
            whole(media, &body)
        }
        Behaviour::Garbage => {
            let (media, body) = good(kind, request, text, &[7; 5_000]);
            whole(media, &body)
        }
        Behaviour::Floods { told } => {
            let megabyte = vec![0_u8; 1 << 20];
            let _ = stream.write_all(&head(200, media, told.then_some(100 << 20), "")).await;
            for _ in 0..100 {
                let size = if *told { String::new() } else { "100000\r\n".to_owned() };
                let end: &[u8] = if *told { b"" } else { b"\r\n" };
                for part in [size.as_bytes(), &megabyte, end] {
                    if stream.write_all(part).await.is_err() {
                        return false;
                    }
                }
                seen.sent.fetch_add(megabyte.len() as u64, Ordering::SeqCst);
            }
            return false;
        }
    };
    seen.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
    stream.write_all(&bytes).await.is_ok()
}
