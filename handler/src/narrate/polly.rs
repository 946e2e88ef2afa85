//! Amazon Polly: the natural voice on AWS. It needs no key of its own: the function's role is enough.

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use storyboard::VoiceSettings;
use tokio::sync::OnceCell;

use super::http::{self, Refusal};
use super::reach;
use super::voice::{Order, Recording, Voice, VoiceError, Word};
use crate::aws::{Access, Aws};
use crate::config::Config;

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Polly {
    /// Made on first use: credentials may have to be looked up.
    aws: OnceCell<Aws>,
    access: Access,
    elsewhere: Option<String>,
    region: Option<String>,
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
        let mut access = Access::of(config, config.voices.polly_url.as_ref());
        // The region with all its voices.
        access.region.get_or_insert_with(|| "us-east-1".to_owned());
        Self {
            aws: OnceCell::new(),
            access,
            elsewhere: config.voices.aws_url.clone(),
            region: config.region.clone(),
            voice: named.or_else(|| by_language(language).map(str::to_owned)),
            engine: config.voices.polly_engine.clone(),
            language: language.to_owned(),
        }
    }

    async fn synthesize(&self, order: &Order<'_>, voice: &str, marks: bool) -> Result<Bytes, VoiceError> {
        let mut asked = json!({"Text": order.text, "VoiceId": voice, "Engine": self.engine});
        if marks {
            (asked["OutputFormat"], asked["SpeechMarkTypes"]) = (json!("json"), json!(["word"]));
        } else {
            (asked["OutputFormat"], asked["SampleRate"]) = (json!("mp3"), json!("24000"));
        }
        let request = async {
            let aws = self.aws.get_or_try_init(|| Aws::connect(&self.access)).await?;
            let request = ::http::Request::post("/v1/speech").header("content-type", "application/json");
            aws.request("polly", request, asked.to_string()).await
        };
        let request = http::first_byte(order.deadline).run(request).await;
        let request = request.map_err(|_| VoiceError::TimedOut("its credentials"))?.map_err(VoiceError::Denied)?;
        // Tries are counted in one place, for all voices.
        http::fetch(request, order.deadline, means).await
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
        self.access.url.as_ref().or(self.elsewhere.as_ref()).map_or_else(aws, |url| reach::address(url))
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
        Ok(Recording::File(sound, self.times(order, voice).await))
    }
}

fn means(refusal: Refusal) -> VoiceError {
    let code = refusal.aws_code();
    let reason = || http::short(&format!("{code}: {}", refusal.field("/message").unwrap_or_default()));
    match code.as_str() {
        _ if code.contains("Throttling") || code.contains("TooManyRequests") => {
            VoiceError::Busy { reason: reason(), after: refusal.after, crowded: false }
        }
        "TextLengthExceededException" | "InvalidSsmlException" => VoiceError::Refused(reason()),
        "EngineNotSupportedException"
        | "LanguageNotSupportedException"
        | "AccessDeniedException"
        | "ValidationException" => VoiceError::Denied(reason()),
        _ => refusal.meaning(),
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
