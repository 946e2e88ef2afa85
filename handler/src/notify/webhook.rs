//! The webhook: a signed POST at each state of a job.
//!
//! `Chalkreel-Signature` is `t=<seconds since 1970>,v1=<HMAC-SHA256 in hexadecimal digits>` over `<seconds>.<body>`, with the
//! secret as key. A receiver should refuse times that are minutes away, and accept each `Chalkreel-Delivery` once.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::address::is_public;
use super::{Notice, Target};
use crate::config::Secret;
use crate::deadline::Deadline;
use crate::job::State;

/// Time for one attempt, DNS look-up included.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Attempts, the first included.
const ATTEMPTS: u32 = 4;
/// The wait after the first failed attempt; each later one is twice as long.
const BACKOFF: Duration = Duration::from_millis(500);

pub(super) struct Webhook {
    url: String,
    secret: Secret,
    loopback: bool,
    bucket: String,
}

/// Why an attempt failed, and whether another can help.
struct Fault {
    reason: String,
    again: bool,
}

impl Webhook {
    pub(super) fn new(url: &str, secret: &Secret, loopback: bool, bucket: &str) -> Self {
        Self { url: url.to_owned(), secret: secret.clone(), loopback, bucket: bucket.to_owned() }
    }

    async fn attempt(&self, notice: &Notice, body: &str) -> Result<(), Fault> {
        let never = |reason: String| Fault { reason, again: false };
        let later = |reason: String| Fault { reason, again: true };
        let url = Url::parse(&self.url).map_err(|error| never(error.to_string()))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
        let found: Vec<SocketAddr> = found.map_err(|error| later(error.to_string()))?.collect();
        let pinned = *found.first().ok_or_else(|| later(format!("{host} has no address")))?;
        let may = |address: &SocketAddr| match url.scheme() {
            "https" => is_public(address.ip()),
            "http" => self.loopback && address.ip().is_loopback(),
            _ => false,
        };
        // All of them: a name that resolves to both public and private addresses is an attack.
        if let Some(address) = found.iter().find(|address| !may(address)) {
            return Err(never(format!(
                "{host} resolves to {}, which is not an allowed address for a webhook (public addresses over https only)",
                address.ip()
            )));
        }
        // Only the first call in a process has an effect.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The address that was checked is the one that is used: a second look-up could give another.
        let client = Client::builder()
            .resolve(&host, pinned)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(ATTEMPT)
            .user_agent(concat!("chalkreel/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| never(error.to_string()))?;
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("chalkreel-event", notice.name())
            .header("chalkreel-delivery", notice.id())
            .header("chalkreel-signature", signature(&self.secret, Timestamp::now().as_second(), body))
            .body(body.to_owned());
        let status = request.send().await.map_err(|error| later(error.without_url().to_string()))?.status();
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(later(status.to_string())),
            status if status.is_server_error() => Err(later(status.to_string())),
            status => Err(never(format!("it answered {status}"))),
        }
    }
}

/// The value of `Chalkreel-Signature`.
fn signature(secret: &Secret, seconds: i64, body: &str) -> String {
    let digits = secret.sign(&format!("{seconds}.{body}"));
    format!("t={seconds},v1={digits}")
}

#[async_trait]
impl Target for Webhook {
    fn name(&self) -> &'static str {
        "the webhook"
    }

    fn accepts(&self, _: State) -> bool {
        true
    }

    async fn deliver(&self, notice: &Notice, deadline: Deadline) -> Result<(), String> {
        let body = notice.body(&self.bucket).to_string();
        let mut wait = BACKOFF;
        for attempt in 1.. {
            let fault = match deadline.slice(ATTEMPT).run(self.attempt(notice, &body)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(fault)) => fault,
                Err(_) => Fault { reason: "it did not answer in time".to_owned(), again: true },
            };
            if !fault.again || attempt == ATTEMPTS || deadline.left() < wait {
                return Err(format!("{} (attempt {attempt})", fault.reason));
            }
            // Jitter, so that deliveries that failed together are not repeated together.
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
            wait *= 2;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Status;

    #[test]
    fn the_signature_is_that_of_openssl() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let signed = signature(&Secret("0123456789abcdef0123456789abcdef".to_owned()), 1_700_000_000, r#"{"a":1}"#);
        assert_eq!(signed, "t=1700000000,v1=f05f2539e3ae1c49aec5f8cfdad75ef6b06480b133973ffbb7ec9e18827af177");
    }

    #[tokio::test]
    async fn private_addresses_are_never_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let secret = Secret("0123456789abcdef0123456789abcdef".to_owned());
        let id = "0123456789abcdef01234567".parse().unwrap();
        let status = Status::queued(id, String::new(), Timestamp::now());
        let notice = Notice { state: State::Queued, status };
        for (url, loopback) in [
            (format!("https://127.0.0.1:{port}/"), false),
            (format!("https://127.0.0.1:{port}/"), true),
            (format!("https://localhost:{port}/"), false),
            (format!("https://[::1]:{port}/"), false),
            (format!("http://127.0.0.1:{port}/"), false),
            ("https://169.254.169.254/latest/meta-data/".to_owned(), false),
            ("http://169.254.169.254/latest/meta-data/".to_owned(), true),
            ("https://[fd00:ec2::254]/".to_owned(), false),
            ("https://2130706433/".to_owned(), false),
            ("https://0x7f.1/".to_owned(), false),
            ("ftp://127.0.0.1/".to_owned(), true),
            (format!("https://0.0.0.0:{port}/"), false),
            (format!("https://[::]:{port}/"), false),
            (format!("https://[::ffff:127.0.0.1]:{port}/"), false),
            (format!("https://[::ffff:a9fe:a9fe]:{port}/"), false),
            // What looks like a host before the @ is a user name.
            (format!("https://example.org@127.0.0.1:{port}/"), false),
            (format!("https://example.org:443@localhost:{port}/"), false),
            (format!("http://user:word@169.254.169.254:{port}/"), true),
        ] {
            let webhook = Webhook::new(&url, &secret, loopback, "films");
            let delivered = webhook.deliver(&notice, Deadline::after(Duration::from_secs(5))).await;
            assert!(delivered.unwrap_err().contains("not an allowed address for a webhook"), "{url}");
        }
        let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(connected.is_err(), "a connection was made");
    }

    /// An allowed receiver can't redirect to an address that is not allowed.
    #[tokio::test]
    async fn redirects_are_not_followed() {
        use axum::response::Redirect;
        let inner = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = format!("http://{}/latest/meta-data/", inner.local_addr().unwrap());
        let outer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", outer.local_addr().unwrap());
        let routes = axum::Router::new().fallback(async move || Redirect::temporary(&to));
        tokio::spawn(axum::serve(outer, routes).into_future());
        let secret = Secret("0123456789abcdef0123456789abcdef".to_owned());
        let id = "0123456789abcdef01234567".parse().unwrap();
        let status = Status::queued(id, String::new(), Timestamp::now());
        let notice = Notice { state: State::Queued, status };
        let delivered =
            Webhook::new(&url, &secret, true, "films").deliver(&notice, Deadline::after(Duration::from_secs(5))).await;
        assert!(delivered.unwrap_err().contains("307"), "a redirect is no receipt");
        let connected = tokio::time::timeout(Duration::from_millis(50), inner.accept()).await;
        assert!(connected.is_err(), "the redirect was followed");
    }
}
