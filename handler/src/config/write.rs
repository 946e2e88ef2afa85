//! The settings of the language model that writes lessons.

use std::time::Duration;

use super::{Secret, shortened, url_fault};

/// The settings of an OpenAI-compatible `/chat/completions`, and what writing one lesson may cost.
#[derive(Debug, Clone)]
pub struct WriteConfig {
    /// Its model; none when no lessons are written.
    pub model: Option<String>,
    /// Where it is, without a slash at the end.
    pub url: String,
    /// Its key.
    pub key: Option<Secret>,
    /// Whether it takes pictures.
    pub pictures: bool,
    /// Longest time for one lesson.
    pub timeout: Duration,
    /// Most tokens for one lesson.
    pub max_tokens: u64,
    /// Most calls for one lesson.
    pub max_requests: u64,
}

impl WriteConfig {
    pub(super) fn from_lookup(
        get: &dyn Fn(&str) -> Option<String>,
        timeout: Duration,
        faults: &mut Vec<String>,
    ) -> Self {
        let url = get("OPENAI_CHAT_BASE_URL").unwrap_or_else(|| "https://api.openai.com/v1".to_owned());
        let url = url.trim().trim_end_matches('/').to_owned();
        faults.extend(url_fault("OPENAI_CHAT_BASE_URL", &url));
        let own_key = get("OPENAI_CHAT_API_KEY").map(|key| Secret(key.trim().to_owned()));
        faults.extend(own_key.as_ref().and_then(|key| key.header_fault("OPENAI_CHAT_API_KEY")));
        let pictures = match get("OPENAI_CHAT_PICTURES").as_deref().map(str::trim) {
            None | Some("off") => false,
            Some("on") => true,
            Some(other) => {
                faults.push(format!("OPENAI_CHAT_PICTURES is `{}`; it must be on or off", shortened(other)));
                false
            }
        };
        let mut count = |name: &str, default: u64| match get(name) {
            None => default,
            Some(text) => text.trim().parse().ok().filter(|count| *count > 0).unwrap_or_else(|| {
                faults.push(format!("{name} is `{}`; it must be a whole number above 0", shortened(&text)));
                default
            }),
        };
        Self {
            model: get("OPENAI_CHAT_MODEL").map(|model| model.trim().to_owned()),
            url,
            key: own_key.or_else(|| get("OPENAI_API_KEY").map(|key| Secret(key.trim().to_owned()))),
            pictures,
            timeout,
            max_tokens: count("WRITE_MAX_TOKENS", 200_000),
            max_requests: count("WRITE_MAX_REQUESTS", 12),
        }
    }
}
