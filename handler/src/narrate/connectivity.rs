//! Whether a voice's host can be connected to: tried once for a film, for all voices at the same time.

use std::time::Duration;

use tokio::net::TcpStream;

/// Time for a DNS look-up and a TCP handshake, with one lost packet, which TCP sends again after a second. A machine without
/// network finds its local voice within 2 s this way; a host that needs longer would be too slow for a film.
const LIMIT: Duration = Duration::from_millis(1_600);

/// Host and port of a URL.
pub(super) fn address(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?))
}

/// Connects, and says why that failed; none when it succeeded.
pub(super) async fn probe((host, port): (String, u16)) -> Option<String> {
    match tokio::time::timeout(LIMIT, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(format!("{host}: {error}")),
        Err(_) => Some(format!("{host} did not answer within {LIMIT:?}")),
    }
}
