//! gTTS: the speech of Google Translate, which needs no key. It is no official interface, and blocks by address.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, REFERER, USER_AGENT};
use serde_json::{Value, json};

use super::http::{self, Refusal};
use super::voice::{Recording, SpeechRequest, Voice, VoiceError};
use crate::config::VoiceConfig;

/// The remote procedure that speaks.
const PROCEDURE: &str = "jQ1olc";
/// The user agent that the web page sends; others get no answer.
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Gtts {
    client: reqwest::Client,
    url: String,
    language: String,
}

impl Gtts {
    pub(super) fn new(client: &reqwest::Client, config: &VoiceConfig, language: &str) -> Self {
        let language = config.google_language.clone().unwrap_or_else(|| google_language(language));
        Self { client: client.clone(), url: config.google_url.clone(), language }
    }
}

/// Google's name of a BCP 47 language.
fn google_language(language: &str) -> String {
    let lower = language.to_ascii_lowercase();
    match (lower.as_str(), lower.split('-').next().unwrap_or_default()) {
        ("zh-tw" | "zh-hant" | "zh-hk", _) => "zh-TW".to_owned(),
        ("fr-ca", _) => "fr-CA".to_owned(),
        ("pt-pt", _) => "pt-PT".to_owned(),
        ("yue" | "zh-yue", _) => "yue".to_owned(),
        (_, "zh" | "cmn") => "zh-CN".to_owned(),
        (_, "he") => "iw".to_owned(),
        (_, "nb" | "nn") => "no".to_owned(),
        (_, "jv") => "jw".to_owned(),
        (_, "fil") => "tl".to_owned(),
        (_, primary) => primary.to_owned(),
    }
}

#[async_trait]
impl Voice for Gtts {
    fn name(&self) -> &'static str {
        "gtts"
    }

    fn recipe(&self) -> Option<String> {
        Some(format!("{}\n{}", self.url, self.language))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn address(&self) -> Option<(String, u16)> {
        super::connectivity::address(&self.url)
    }

    /// More calls at a time get the address blocked sooner.
    fn concurrency(&self) -> usize {
        2
    }

    fn max_concurrency(&self) -> usize {
        2
    }

    fn follows_pace(&self) -> bool {
        false
    }

    /// The page's own limit.
    fn max_characters(&self) -> usize {
        100
    }

    fn pace(&self) -> u32 {
        160
    }

    async fn speak(&self, request: &SpeechRequest<'_>) -> Result<Recording, VoiceError> {
        let parameters = json!([request.text, self.language, null, "null"]).to_string();
        let calls = json!([[[PROCEDURE, parameters, null, "generic"]]]).to_string();
        let body = format!("f.req={}&", utf8_percent_encode(&calls, NON_ALPHANUMERIC));
        let http_request = self
            .client
            .post(format!("{}/_/TranslateWebserverUi/data/batchexecute", self.url))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8")
            .header(REFERER, format!("{}/", self.url))
            .header(USER_AGENT, BROWSER)
            .body(body);
        let bytes = http::fetch(http_request, request.deadline, classify).await?;
        let text = String::from_utf8_lossy(&bytes);
        match sound(&text)? {
            Some(sound) => Ok(Recording::File(sound.into(), Vec::new())),
            None => Err(VoiceError::Denied(format!("it does not speak `{}`", self.language))),
        }
    }
}

/// A redirect (to a captcha) means that this machine's address is blocked.
fn classify(refusal: Refusal) -> VoiceError {
    if refusal.status.is_redirection() {
        return VoiceError::Denied("Google blocks this machine's IP address".to_owned());
    }
    refusal.by_status()
}

/// Finds the sound in an answer: lines of JSON after a guard and lengths. None when the answer is well-formed
/// but has no sound.
fn sound(answer: &str) -> Result<Option<Vec<u8>>, VoiceError> {
    let no_answer = || VoiceError::NotDecodable("the answer has an unknown form".to_owned());
    let line = answer.lines().find(|line| line.starts_with('[') && line.contains(PROCEDURE)).ok_or_else(no_answer)?;
    let envelope: Value = serde_json::from_str(line).map_err(|_| no_answer())?;
    let calls = envelope.as_array().ok_or_else(no_answer)?;
    let call =
        calls.iter().find(|call| call.get(1).and_then(Value::as_str) == Some(PROCEDURE)).ok_or_else(no_answer)?;
    let Some(inner) = call.get(2).and_then(Value::as_str) else { return Ok(None) };
    let inner: Value = serde_json::from_str(inner).map_err(|_| no_answer())?;
    let Some(base64) = inner.get(0).and_then(Value::as_str) else { return Ok(None) };
    STANDARD.decode(base64).map(Some).map_err(|_| no_answer())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sound_is_found_in_the_answer() {
        let answer = ")]}'\n\n123\n[[\"wrb.fr\",\"jQ1olc\",\"[\\\"aGVsbG8=\\\"]\",null,null,null,\"generic\"]]\n25\n[[\"e\",4]]\n";
        assert_eq!(sound(answer).unwrap().as_deref(), Some(&b"hello"[..]));
        let none = ")]}'\n\n99\n[[\"wrb.fr\",\"jQ1olc\",null,null,null,[3],\"generic\"]]\n";
        assert_eq!(sound(none).unwrap(), None);
        assert!(sound("<html>sorry</html>").is_err());
    }

    #[test]
    fn languages_have_googles_names() {
        for (bcp47, google) in [("en", "en"), ("de-AT", "de"), ("zh", "zh-CN"), ("zh-TW", "zh-TW"), ("he", "iw")] {
            assert_eq!(google_language(bcp47), google);
        }
    }
}
