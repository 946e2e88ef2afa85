//! Amazon Polly: the natural voice on AWS. It needs no key of its own: the function's role is enough.

use async_trait::async_trait;
use aws_sdk_polly::Client;
use aws_sdk_polly::config::http::HttpResponse;
use aws_sdk_polly::config::retry::RetryConfig;
use aws_sdk_polly::config::timeout::TimeoutConfig;
use aws_sdk_polly::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_polly::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_polly::operation::synthesize_speech::SynthesizeSpeechError;
use aws_sdk_polly::primitives::ByteStream;
use aws_sdk_polly::types::{Engine, OutputFormat, SpeechMarkType, VoiceId};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bytes::{Bytes, BytesMut};
use planner_wasm::storyboard::VoiceSettings;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::http;
use super::voice::{Order, Recording, Voice, VoiceError, Word};
use crate::config::Config;

/// Bytes of sound that are still read: three thousand characters are five minutes, 2 MB.
const MOST: usize = 16 << 20;

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Polly {
    client: OnceCell<Client>,
    url: Option<String>,
    region: Option<String>,
    credentials: Option<(String, String)>,
    voice: Option<String>,
    engine: String,
    language: String,
}

impl Polly {
    pub(super) fn new(config: &Config, language: &str, settings: &VoiceSettings) -> Self {
        // Its voices have names such as `Joanna`; other forms are other providers' names.
        let capital = |name: &String| {
            name.len() < 16
                && name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.chars().skip(1).all(|c| c.is_ascii_lowercase())
        };
        let named = settings.name.clone().filter(capital).or_else(|| config.voices.polly_voice.clone());
        Self {
            client: OnceCell::new(),
            url: config.voices.polly_url.clone(),
            region: config.region.clone(),
            credentials: config.credentials.clone(),
            voice: named.or_else(|| by_language(language).map(str::to_owned)),
            engine: config.voices.polly_engine.clone(),
            language: language.to_owned(),
        }
    }

    /// Made on first use: credentials may have to be looked up.
    async fn client(&self) -> &Client {
        self.client.get_or_init(|| self.connect()).await
    }

    async fn connect(&self) -> Client {
        let plain = self.url.as_deref().is_some_and(|url| url.starts_with("http://"));
        let client = aws_smithy_http_client::Builder::new();
        let client = if plain {
            client.build_http()
        } else {
            client.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
        };
        let region = || Region::new(self.region.clone().unwrap_or_else(|| "us-east-1".to_owned()));
        let mut builder = match (&self.url, &self.credentials) {
            // Only another server than AWS's takes the two alone; on AWS there is a session's token too.
            (Some(_), Some((access, secret))) => Builder::new()
                .behavior_version(BehaviorVersion::latest())
                .http_client(client)
                .region(region())
                .credentials_provider(Credentials::new(access, secret, None, None, "chalkreel")),
            _ => {
                let found = aws_config::defaults(BehaviorVersion::latest()).http_client(client).load().await;
                let builder = Builder::from(&found);
                if found.region().is_none() { builder.region(region()) } else { builder }
            }
        };
        if let Some(url) = &self.url {
            builder = builder.endpoint_url(url);
        }
        let limits = TimeoutConfig::builder().connect_timeout(http::CONNECT).read_timeout(http::FIRST_BYTE).build();
        // Tries are counted in one place, for all voices.
        Client::from_conf(builder.timeout_config(limits).retry_config(RetryConfig::disabled()).build())
    }

    async fn synthesize(&self, text: &str, voice: &str, marks: bool) -> Result<Bytes, VoiceError> {
        let call = self.client().await.synthesize_speech().text(text).voice_id(VoiceId::from(voice));
        let call = call.engine(Engine::from(self.engine.as_str()));
        let call = if marks {
            call.output_format(OutputFormat::Json).speech_mark_types(SpeechMarkType::Word)
        } else {
            call.output_format(OutputFormat::Mp3).sample_rate("24000")
        };
        let answer = call.send().await.map_err(of)?;
        body(answer.audio_stream).await
    }
}

/// A neural voice of that language.
fn by_language(language: &str) -> Option<&'static str> {
    let lower = language.to_ascii_lowercase();
    let exact = match lower.as_str() {
        "en-gb" => "Amy",
        "en-au" => "Olivia",
        "en-nz" => "Aria",
        "en-za" => "Ayanda",
        "en-ie" => "Niamh",
        "en-in" | "hi" | "hi-in" => "Kajal",
        "de-at" => "Hannah",
        "de-ch" => "Sabrina",
        "fr-ca" => "Gabrielle",
        "fr-be" => "Isabelle",
        "nl-be" => "Lisa",
        "es-mx" => "Mia",
        "es-us" => "Lupe",
        "pt-pt" => "Ines",
        "ar-ae" => "Hala",
        "yue" | "yue-cn" | "zh-hk" => "Hiujin",
        _ => "",
    };
    if !exact.is_empty() {
        return Some(exact);
    }
    Some(match lower.split('-').next()? {
        "en" => "Joanna",
        "de" => "Vicki",
        "fr" => "Lea",
        "es" => "Lucia",
        "it" => "Bianca",
        "pt" => "Camila",
        "nl" => "Laura",
        "pl" => "Ola",
        "sv" => "Elin",
        "nb" | "no" => "Ida",
        "da" => "Sofie",
        "fi" => "Suvi",
        "ja" => "Kazuha",
        "ko" => "Seoyeon",
        "zh" | "cmn" => "Zhiyu",
        "ca" => "Arlet",
        "cs" => "Jitka",
        "tr" => "Burcu",
        "ar" => "Zayd",
        _ => return None,
    })
}

#[async_trait]
impl Voice for Polly {
    fn name(&self) -> &'static str {
        "polly"
    }

    fn recipe(&self) -> Option<String> {
        Some(format!("{}\n{}", self.voice.as_deref().unwrap_or_default(), self.engine))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn address(&self) -> Option<(String, u16)> {
        // AWS's own address depends on the region, and inside a network of one's own on its endpoints: the SDK knows.
        super::reach::address(self.url.as_deref()?)
    }

    fn paid(&self) -> bool {
        true
    }

    fn price(&self) -> Option<f64> {
        match self.engine.as_str() {
            "standard" => Some(4.0),
            "neural" => Some(16.0),
            "generative" => Some(30.0),
            "long-form" => Some(100.0),
            _ => None,
        }
    }

    /// Neural voices: 8 calls a second, and up to 18 at a time, in every region.
    fn lanes(&self) -> usize {
        4
    }

    /// The service's limit of characters that cost money.
    fn longest(&self) -> usize {
        3_000
    }

    /// Its own pace: neural voices know no other without markup.
    fn pace(&self) -> u32 {
        165
    }

    async fn speak(&self, order: &Order<'_>) -> Result<Recording, VoiceError> {
        let voice = self.voice.as_deref();
        let voice = voice.ok_or_else(|| VoiceError::Denied(format!("it does not speak `{}`", self.language)))?;
        let (sound, marks) =
            tokio::try_join!(self.synthesize(order.text, voice, false), self.synthesize(order.text, voice, true))?;
        if sound.is_empty() {
            return Err(VoiceError::NotDecodable("an empty sound".to_owned()));
        }
        Ok(Recording::File(sound, words(order.text, &marks).unwrap_or_default()))
    }
}

async fn body(mut stream: ByteStream) -> Result<Bytes, VoiceError> {
    let too_large = || VoiceError::Refused(format!("its answer is larger than {MOST} bytes"));
    if stream.size_hint().0 > MOST as u64 {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| VoiceError::Failed(format!("its answer broke off: {error}")))?;
        if bytes.len() + chunk.len() > MOST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn of(error: SdkError<SynthesizeSpeechError, HttpResponse>) -> VoiceError {
    let reason = format!("{}", DisplayErrorContext(&error)).chars().take(300).collect::<String>();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let after = error.raw_response().and_then(|response| response.headers().get("retry-after")?.parse().ok());
    let after = after.map(std::time::Duration::from_secs);
    match &error {
        SdkError::TimeoutError(_) => VoiceError::TimedOut("the answer"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => VoiceError::TimedOut("the connection"),
        SdkError::DispatchFailure(_) => VoiceError::Unreachable(reason),
        SdkError::ConstructionFailure(_) => VoiceError::Denied(reason),
        _ => match error.code() {
            Some(code) if code.contains("Throttling") || code.contains("TooManyRequests") => {
                VoiceError::Busy { reason, after, crowded: false }
            }
            Some("TextLengthExceededException" | "InvalidSsmlException") => VoiceError::Refused(reason),
            Some(
                "EngineNotSupportedException"
                | "LanguageNotSupportedException"
                | "AccessDeniedException"
                | "ValidationException",
            ) => VoiceError::Denied(reason),
            _ if status == 429 => VoiceError::Busy { reason, after, crowded: false },
            _ if (401..=403).contains(&status) => VoiceError::Denied(reason),
            _ if (300..500).contains(&status) => VoiceError::Refused(reason),
            _ => VoiceError::Failed(reason),
        },
    }
}

/// One line of the marks: where a word begins, in milliseconds and in bytes of the text.
#[derive(Deserialize)]
struct Mark {
    time: u32,
    #[serde(rename = "type")]
    kind: String,
    start: usize,
}

/// Marks become the times of the text's words; each lasts until the next begins, as the marks know no ends. None when the
/// marks can't be read.
fn words(text: &str, marks: &[u8]) -> Option<Vec<Word>> {
    let lines = marks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let marks: Vec<Mark> = lines.map(|line| serde_json::from_slice(line).ok()).collect::<Option<_>>()?;
    let mut marks = marks.into_iter().filter(|mark| mark.kind == "word").peekable();
    let mut words: Vec<Word> = Vec::new();
    for word in text.split_whitespace() {
        let end = word.as_ptr() as usize - text.as_ptr() as usize + word.len();
        // A word without a mark of its own (a dash, a number that is read as part of another) shares the one before.
        let mut from_ms = None;
        while let Some(mark) = marks.next_if(|mark| mark.start < end) {
            from_ms = from_ms.or(Some(mark.time));
        }
        let from_ms = from_ms.unwrap_or_else(|| words.last().map_or(0, |word| word.from_ms));
        if let Some(before) = words.last_mut() {
            before.to_ms = from_ms.max(before.from_ms);
        }
        words.push(Word { from_ms, to_ms: u32::MAX });
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_words() {
        let marks = "{\"time\":6,\"type\":\"word\",\"start\":0,\"end\":4,\"value\":\"Mary\"}\n\
            {\"time\":373,\"type\":\"word\",\"start\":5,\"end\":8,\"value\":\"had\"}\n\
            {\"time\":604,\"type\":\"word\",\"start\":13,\"end\":14,\"value\":\"a\"}\n";
        let words = words("Mary had – a", marks.as_bytes()).unwrap();
        let pairs: Vec<_> = words.iter().map(|word| (word.from_ms, word.to_ms)).collect();
        assert_eq!(pairs, [(6, 373), (373, 373), (373, 604), (604, u32::MAX)]);
        assert_eq!(super::words("a", b"no json"), None);
    }

    #[test]
    fn languages_have_voices() {
        assert_eq!(
            (by_language("de-AT"), by_language("de-LI"), by_language("tlh")),
            (Some("Hannah"), Some("Vicki"), None)
        );
    }
}
