//! What calls to other providers' HTTP interfaces share, of voices and of language models: a client, `Retry-After`, and messages of errors.

use std::time::{Duration, SystemTime};

use reqwest::Client;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;

/// Time for looking the host up, TCP and TLS: a few round trips, even on a bad line.
pub const CONNECT: Duration = Duration::from_secs(3);

/// A client.
///
/// # Errors
/// When the system's certificates can't be read.
pub fn client() -> Result<Client, reqwest::Error> {
    // Only the first call in a process has an effect; both calls name the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT)
        // No API redirects: a redirect leads to a page that says why there is no answer.
        .redirect(Policy::none())
        .user_agent(concat!("chalkreel/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The innermost cause says most. URLs are left out, since one may hold a key.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The least wait that an answer asks for.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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

/// A text of a stranger, on one line of a message.
pub fn short(text: &str) -> String {
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
}
