//! Whether there is a network at all: asked once for a film, of all voices at the same time.

use std::time::Duration;

use tokio::net::TcpStream;

/// A look-up and a handshake, of which one packet may get lost: TCP sends it again after a second. Hosts that need longer make
/// no film in time either. With this, a machine without network has found its local voice within 2 s.
const LIMIT: Duration = Duration::from_millis(1_600);

/// Host and port of a URL.
pub(super) fn address(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?))
}

/// Says why the host can't be reached; none when it can.
pub(super) async fn trouble((host, port): (String, u16)) -> Option<String> {
    match tokio::time::timeout(LIMIT, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(format!("{host}: {error}")),
        Err(_) => Some(format!("{host} does not answer")),
    }
}
