//! Amazon Polly: the natural voice on AWS. It needs no key of its own: the function's role is enough.

use std::io::ErrorKind;

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
use super::reach;
use super::voice::{Order, Recording, Voice, VoiceError, Word};
use crate::config::{Config, Secret};

/// Bytes of sound that are still read: three thousand characters are five minutes, 2 MB.
const MOST: usize = 16 << 20;

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Polly {
    client: OnceCell<Client>,
    url: Option<String>,
    elsewhere: Option<String>,
    region: Option<String>,
    credentials: Option<(String, String)>,
    session: Option<Secret>,
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
            elsewhere: config.voices.aws_url.clone(),
            region: config.region.clone(),
            credentials: config.credentials.clone(),
            session: config.voices.polly_session.clone(),
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
            // Another server than AWS's is not to be looked for; but a proxy before AWS wants the session's token too.
            (Some(_), Some((access, secret))) => {
                let session = self.session.clone().map(|session| session.0);
                Builder::new()
                    .behavior_version(BehaviorVersion::latest())
                    .http_client(client)
                    .region(region())
                    .credentials_provider(Credentials::new(access, secret, session, None, "chalkreel"))
            }
            _ => {
                let found = aws_config::defaults(BehaviorVersion::latest()).http_client(client).load().await;
                let builder = Builder::from(&found);
                if found.region().is_none() { builder.region(region()) } else { builder }
            }
        };
        if let Some(url) = &self.url {
            builder = builder.endpoint_url(url);
        }
        let limits = TimeoutConfig::builder().connect_timeout(http::CONNECT).build();
        // Tries are counted in one place, for all voices.
        Client::from_conf(builder.timeout_config(limits).retry_config(RetryConfig::disabled()).build())
    }

    async fn synthesize(&self, order: &Order<'_>, voice: &str, marks: bool) -> Result<Bytes, VoiceError> {
        let call = self.client().await.synthesize_speech().text(order.text).voice_id(VoiceId::from(voice));
        let call = call.engine(Engine::from(self.engine.as_str()));
        let call = if marks {
            call.output_format(OutputFormat::Json).speech_mark_types(SpeechMarkType::Word)
        } else {
            call.output_format(OutputFormat::Mp3).sample_rate("24000")
        };
        let answer = http::first_byte(order.deadline).run(call.send()).await;
        let answer = answer.map_err(|_| VoiceError::TimedOut("the answer's first byte"))?.map_err(of)?;
        body(answer.audio_stream).await
    }

    /// When the words of a text are spoken whose sound is there. That has been paid for, so it is never lost for want of this.
    async fn times(&self, order: &Order<'_>, voice: &str) -> Vec<Word> {
        let deadline = order.deadline.slice(order.deadline.left() / 2);
        let marks = deadline.run(self.synthesize(&Order { deadline, ..*order }, voice, true)).await;
        let error = match marks.unwrap_or(Err(VoiceError::TimedOut("the times of its words"))) {
            Ok(marks) => match words(order.text, &marks) {
                Some(words) => return words,
                None => VoiceError::NotDecodable("its marks can't be read".to_owned()),
            },
            Err(error) => error,
        };
        tracing::warn!(%error, "polly's sound has no times of words");
        Vec::new()
    }
}

/// Host and port in a region.
fn at_aws(region: &str) -> (String, u16) {
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    (format!("polly.{region}.amazonaws.com{china}"), 443)
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
        // An endpoint inside a network of one's own has the same name.
        let aws = || self.region.as_deref().map(at_aws);
        self.url.as_ref().or(self.elsewhere.as_ref()).map_or_else(aws, |url| reach::address(url))
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

    /// The sound, and the marks that tell the words' times.
    fn billed(&self) -> u64 {
        2
    }

    fn paces(&self) -> bool {
        false
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
        let sound = self.synthesize(order, voice, false).await?;
        if sound.is_empty() {
            return Err(VoiceError::NotDecodable("an empty sound".to_owned()));
        }
        Ok(Recording::File(sound, self.times(order, voice).await))
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
    let after = error.raw_response().and_then(|response| http::wait(response.headers().get("retry-after")?));
    match &error {
        SdkError::TimeoutError(_) => VoiceError::TimedOut("the answer"),
        // Connecting alone has a limit inside of the SDK.
        SdkError::DispatchFailure(failure) if failure.is_timeout() => VoiceError::Unreachable(reason),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error().and_then(|error| kind_of(error)) {
            Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
            | Some(ErrorKind::UnexpectedEof)
            | None => VoiceError::Failed(reason),
            Some(_) => VoiceError::Unreachable(reason),
        },
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

/// What kind of input or output failed. A connection that the other side closes before it answers is none.
fn kind_of(error: &(dyn std::error::Error + 'static)) -> Option<ErrorKind> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.filter_map(|error| error.downcast_ref::<std::io::Error>()).map(std::io::Error::kind).next()
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
/// marks can't be read, or there are none.
fn words(text: &str, marks: &[u8]) -> Option<Vec<Word>> {
    let lines = marks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let marks: Vec<Mark> = lines.map(|line| serde_json::from_slice(line).ok()).collect::<Option<_>>()?;
    let mut marks = marks.into_iter().filter(|mark| mark.kind == "word").peekable();
    marks.peek()?;
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
        assert_eq!((super::words("a", b"no json"), super::words("a", b"")), (None, None));
    }

    fn polly(settings: &[(&str, &str)]) -> Polly {
        let value = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let config = Config::from_lookup(value).unwrap();
        Polly::new(&config, "en", &VoiceSettings::default())
    }

    #[test]
    fn its_address_is_known_so_that_it_can_be_looked_for() {
        let there = |settings: &[(&str, &str)]| polly(settings).address().map(|(host, port)| format!("{host}:{port}"));
        let region = |name: &'static str| ("AWS_REGION", name);
        assert_eq!(there(&[region("eu-central-1")]).unwrap(), "polly.eu-central-1.amazonaws.com:443");
        assert_eq!(there(&[region("cn-northwest-1")]).unwrap(), "polly.cn-northwest-1.amazonaws.com.cn:443");
        assert_eq!(there(&[]), None);
        let own = [region("eu-central-1"), ("POLLY_BASE_URL", "http://127.0.0.1:4000")];
        assert_eq!(there(&own).unwrap(), "127.0.0.1:4000");
        let elsewhere = [region("eu-central-1"), ("AWS_ENDPOINT_URL", "https://aws.test")];
        assert_eq!(there(&elsewhere).unwrap(), "aws.test:443");
    }

    #[test]
    fn languages_have_voices() {
        assert_eq!(
            (by_language("de-AT"), by_language("de-LI"), by_language("tlh")),
            (Some("Hannah"), Some("Vicki"), None)
        );
    }
}
