//! A way to an S3 server on which everything goes wrong that can.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Every call is answered with 503 the first time.
    EachCallFailsOnce,
    /// Every call takes this long.
    EachCallIsSlow(Duration),
    /// Every third call is answered with 503 and Retry-After.
    Busy,
    /// Every first body of an object is cut off in the middle, and the connection reset.
    ResetInMidBody,
    /// Every conditional write loses.
    ConditionsNeverHold,
    /// A document is there when it is asked for, and gone when it is read.
    Vanishes,
    /// After so many calls the credentials have expired.
    CredentialsExpire(usize),
    /// Nothing is ever answered.
    Silence,
}

#[derive(Default)]
struct Seen {
    calls: usize,
    once: HashSet<String>,
}

/// Listens on loopback and passes on to `behind` what the weather lets through. Gives its address.
pub async fn storm(weather: Weather, behind: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (seen, behind) = (seen.clone(), behind.clone());
            // A client that hangs up is weather too.
            tokio::spawn(async move { serve(socket, weather, &seen, &behind).await });
        }
    });
    format!("http://{address}")
}

async fn serve(
    mut client: TcpStream,
    weather: Weather,
    seen: &Mutex<Seen>,
    behind: &str,
) -> Result<(), std::io::Error> {
    let mut request = Vec::new();
    let head_end = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&request[..head_end]).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    if header("expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let length: usize = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while request.len() < head_end + length {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let first = head.lines().next().unwrap_or_default().to_owned();
    let (method, target) = (first.split(' ').next().unwrap_or_default(), first.split(' ').nth(1).unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (calls, is_new) = {
        let mut seen = seen.lock().unwrap();
        seen.calls += 1;
        (seen.calls, seen.once.insert(format!("{method} {path}")))
    };
    let conditional = method == "PUT" && (header("if-match").is_some() || header("if-none-match").is_some());
    let refusal = match weather {
        Weather::EachCallFailsOnce if is_new => Some(error(503, "SlowDown", "")),
        Weather::Busy if calls % 3 == 0 => Some(error(503, "SlowDown", "retry-after: 1\r\n")),
        Weather::ConditionsNeverHold if conditional => Some(error(412, "PreconditionFailed", "")),
        Weather::Vanishes if method == "GET" && path.contains("/incoming/") => Some(error(404, "NoSuchKey", "")),
        Weather::CredentialsExpire(after) if calls > after => Some(error(400, "ExpiredToken", "")),
        _ => None,
    };
    if let Some(refusal) = refusal {
        let end = if method == "HEAD" { refusal.find("\r\n\r\n").map_or(0, |end| end + 4) } else { refusal.len() };
        return client.write_all(&refusal.as_bytes()[..end]).await;
    }
    match weather {
        Weather::EachCallIsSlow(length) => tokio::time::sleep(length).await,
        // Until the client gives up and closes.
        Weather::Silence => return client.read_u8().await.map(drop),
        _ => {}
    }
    let mut server = TcpStream::connect(behind).await?;
    // One request on each connection, so that the reply's end is the connection's.
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    server.write_all(head.as_bytes()).await?;
    server.write_all(&request[head_end..]).await?;
    let mut reply = Vec::new();
    server.read_to_end(&mut reply).await?;
    if weather == Weather::ResetInMidBody && method == "GET" && is_new && reply.len() > 2_000 {
        client.write_all(&reply[..reply.len() / 2]).await?;
        // A socket that is closed with no linger sends a reset.
        return client.set_zero_linger();
    }
    client.write_all(&reply).await
}

fn error(status: u16, code: &str, headers: &str) -> String {
    let body =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
    format!(
        "HTTP/1.1 {status} Weather\r\n{headers}content-type: application/xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
