//! Callers of `chalkreel serve` that neither send nor read, that come by another name, or that ask for what is not there.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serve::{BINARY, Harness, LESSON};

/// Longer than an idle connection, half a head or half a body may last, and as long again for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn connect(address: SocketAddr, begun: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(begun.as_bytes()).unwrap();
    socket
}

/// Whether the server has closed it.
fn is_closed(mut socket: &TcpStream) -> bool {
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    loop {
        match socket.read(&mut [0; 65536]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// A request as it stands, and the answer: status, head in small letters, body.
fn ask(address: SocketAddr, request: &str) -> (u16, String, Vec<u8>) {
    let mut socket = connect(address, request);
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    (head[9..12].parse().unwrap(), head, answer[end + 4..].to_vec())
}

fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"))
}

/// How long `/health` takes.
fn health(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let (status, _, body) = get(address, "/health", "");
    assert_eq!((status, &body[..]), (200, &b"ok\n"[..]));
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_peers_are_disconnected_and_delay_nobody() {
    let harness = Harness::new();
    let mut server = harness.start(&[]);
    let (address, host) = (harness.address, format!("Host: {}\r\n", harness.address));
    let peers: Vec<(&str, TcpStream)> = (0..190)
        .map(|number| match number {
            0..70 => ("head", connect(address, &format!("GET /jobs HTTP/1.1\r\n{host}X-"))),
            70..120 => {
                let head = format!("POST /jobs?name=a.md HTTP/1.1\r\n{host}Content-Length: 1000000\r\n\r\n# T");
                ("body", connect(address, &head))
            }
            120..150 => ("live", connect(address, &format!("GET /live HTTP/1.1\r\n{host}\r\n"))),
            _ => ("idle", connect(address, "")),
        })
        .collect();
    let start = Instant::now();
    assert!(health(address) < Duration::from_secs(2));
    let left = || peers.iter().filter(|(_, socket)| !is_closed(socket)).map(|(kind, _)| *kind).collect::<Vec<_>>();
    let mut open = left();
    while open.iter().any(|kind| *kind != "live") {
        assert!(start.elapsed() < PATIENCE, "{open:?}");
        assert!(health(address) < Duration::from_secs(2));
        open = left();
    }
    assert!(!open.is_empty(), "somebody who follows a job is not sent away");
    drop(peers);
    assert!(server.stop().is_empty());
}

/// A hundred and twenty connections where the process may have as many descriptors: others are answered, and a film is made.
#[tokio::test(flavor = "multi_thread")]
async fn few_descriptors_suffice_for_many_peers_and_a_film() {
    let harness = Harness::new();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\"", BINARY]);
    let mut server = harness.start_by(command, &[]);
    let address = harness.address;
    let crowd = || (0..120).map(|_| connect(address, "")).collect::<Vec<_>>();
    let mut waiting = crowd();
    assert!(health(address) < Duration::from_secs(2));
    let job = harness.submit("lesson.md", LESSON).await;
    loop {
        // Each time by a connection of its own: one that waits for its next request makes room for the crowd.
        let (_, _, status) = get(address, &format!("/jobs/{job}"), "");
        let status: Value = serde_json::from_slice(&status).unwrap();
        if !["queued", "running"].contains(&status["state"].as_str().unwrap()) {
            assert_eq!(status["state"], "succeeded", "{status:#}");
            break;
        }
        assert!(health(address) < Duration::from_secs(2));
        // They come again and again.
        waiting = crowd();
    }
    let (status, _, film) = get(address, &format!("/jobs/{job}/film"), "");
    assert_eq!((status, &film[4..8]), (200, &b"ftyp"[..]));
    drop(waiting);
    assert!(!server.log().contains("Too many open files"), "{}", server.log());
    assert!(server.stop().is_empty());
}

/// Every accepted document becomes a finished job, whatever its name.
#[tokio::test(flavor = "multi_thread")]
async fn no_accepted_connection_waits_for_ever() {
    let harness = Harness::new();
    let mut server = harness.start(&[]);
    let mut accepted = Vec::new();
    for name in [
        "x.captions.de.md",
        "x.png",
        "x.captions.de.storyboard.json",
        ".md",
        ".hidden.md",
        "x",
        "x.exe",
        "x.md.bak",
        "captions.de.md",
        "status.json",
        "request.json",
        "film.mp4",
        "incoming/http/x.md",
        "../../films/x.md",
        "a\u{202e}b.md",
        "%2F.md",
        "a b+c&d.md",
        "\u{10ffff}.md",
        "CON.md",
        "x.md/",
        "x.MD",
    ] {
        let url = reqwest::Url::parse_with_params(&harness.url("/jobs"), [("name", name)]).unwrap();
        let answer = harness.client.post(url).body("# Only a title").send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.unwrap();
        match status {
            202 => accepted.push((name, told["job_id"].as_str().unwrap().to_owned())),
            400 => assert_eq!(told["code"], "http.bad_request", "{name}"),
            other => panic!("{name}: {other} {told}"),
        }
    }
    assert!(accepted.len() > 10, "{accepted:?}");
    for (name, job) in accepted {
        let status = harness.over(&job).await;
        assert_eq!(status["state"], "failed", "{name}: {status:#}");
    }
    assert!(server.stop().is_empty());
}

/// A foreign name that resolves to this machine (DNS rebinding) is refused, for pages too.
#[tokio::test(flavor = "multi_thread")]
async fn requests_with_other_host_names_are_refused() {
    let harness = Harness::new();
    let mut server = harness.start(&[]);
    let (address, port) = (harness.address, harness.address.port());
    for path in
        ["/", "/watch/0123456789abcdef01234567", "/jobs.js", "/job.css", "/jobs", "/live", "/health", "/nothing"]
    {
        for (host, may) in [
            (format!("localhost:{port}"), true),
            (format!("LOCALHOST:{port}"), true),
            (format!("[::1]:{port}"), true),
            ("rebound.example.org".to_owned(), false),
            (format!("127.0.0.1.example.org:{port}"), false),
            (format!("x@127.0.0.1:{port}"), false),
            (String::new(), false),
        ] {
            // HEAD, since streams have no end.
            let (status, head, _) =
                ask(address, &format!("HEAD {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
            assert_eq!(status != 403, may, "{path} of {host:?}: {head}");
            for rule in [
                "content-security-policy",
                "x-content-type-options: nosniff",
                "x-frame-options: deny",
                "referrer-policy",
            ] {
                assert!(head.contains(rule), "{path} of {host:?}: {head}");
            }
        }
    }
    assert!(server.stop().is_empty());
}

/// RFC 9110, word for word; and nothing of what a caller gets wrong is an error in the log.
#[tokio::test(flavor = "multi_thread")]
async fn ranges_follow_the_standard_and_unknown_jobs_are_404() {
    let harness = Harness::new();
    let mut server = harness.start(&[("CHALKREEL_LOG", "error")]);
    let address = harness.address;
    let job = harness.submit("lesson.md", LESSON).await;
    assert_eq!(harness.over(&job).await["state"], "succeeded");
    let film = format!("/jobs/{job}/film");
    let (status, head, whole) = get(address, &film, "");
    assert_eq!(status, 200, "{head}");
    assert!(head.contains("accept-ranges: bytes") && head.contains("content-type: video/mp4"), "{head}");
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let size = whole.len();
    let part =
        |first: usize, last: usize| (206, Some(format!("bytes {first}-{last}/{size}")), whole[first..=last].to_vec());
    let all = || (200, None, whole.clone());
    for (headers, expected) in [
        ("Range: bytes=0-0".to_owned(), part(0, 0)),
        ("Range: bytes=4-7".to_owned(), part(4, 7)),
        (format!("Range: bytes={}-", size - 3), part(size - 3, size - 1)),
        ("Range: bytes=-5".to_owned(), part(size - 5, size - 1)),
        (format!("Range: bytes=-{}", size * 2), part(0, size - 1)),
        (format!("Range: bytes=5-{}", size * 2), part(5, size - 1)),
        ("range: BYTES=1-2".to_owned(), part(1, 2)),
        (format!("Range: bytes=4-7\r\nIf-Range: {etag}"), part(4, 7)),
        ("Range: bytes=4-7\r\nIf-Range: \"another\"".to_owned(), all()),
        (format!("Range: bytes=4-7\r\nIf-Range: W/{etag}"), all()),
        ("Range: bytes=4-7\r\nIf-Range: Sat, 28 Nov 2026 00:00:00 GMT".to_owned(), all()),
        (format!("Range: bytes={size}-\r\nIf-Range: \"another\""), all()),
        ("Range: bytes=0-1,4-7".to_owned(), all()),
        ("Range: bytes=7-4".to_owned(), all()),
        ("Range: bytes=x-y".to_owned(), all()),
        ("Range: lines=1-2".to_owned(), all()),
        ("Range: bytes".to_owned(), all()),
    ] {
        let (status, head, body) = get(address, &film, &format!("{headers}\r\n"));
        let told = head.lines().find_map(|line| line.strip_prefix("content-range: ")).map(str::to_owned);
        assert_eq!((status, told, body.len()), (expected.0, expected.1, expected.2.len()), "{headers}");
        assert!(body == expected.2, "{headers}: other bytes");
    }
    for beyond in [format!("bytes={size}-"), format!("bytes={}-{}", size + 5, size + 9), "bytes=-0".to_owned()] {
        let (status, head, body) = get(address, &film, &format!("Range: {beyond}\r\n"));
        assert_eq!(status, 416, "{beyond}: {head}");
        assert!(head.contains(&format!("content-range: bytes */{size}\r\n")), "{beyond}: {head}");
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["code"], "http.no_such_range");
    }
    // Ranges are of GET alone.
    let head_of = |more: &str| {
        ask(address, &format!("HEAD {film} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n"))
    };
    for more in ["", "Range: bytes=0-1\r\n", &format!("Range: bytes={size}-\r\n")] {
        let (status, head, body) = head_of(more);
        assert!(status == 200 && head.contains(&format!("content-length: {size}")) && body.is_empty(), "{head}");
    }
    // Types are what the names say.
    for (name, kind) in [
        ("poster", "image/jpeg"),
        ("storyboard.json", "application/json"),
        ("page", "text/html; charset=utf-8"),
        ("captions.vtt", "text/vtt; charset=utf-8"),
    ] {
        let (status, head, _) = get(address, &format!("/jobs/{job}/{name}"), "");
        assert!(status == 200 && head.contains(&format!("content-type: {kind}")), "{name}: {head}");
    }

    for (path, code) in [
        ("/live/x", "job.not_found"),
        ("/live/0123456789abcdef01234567", "job.not_found"),
        ("/live/", "http.no_such_path"),
        ("/jobs/0123456789abcdef01234567", "job.not_found"),
        ("/jobs/0123456789abcdef01234567/film", "job.not_found"),
        ("/jobs/..%2F..%2Fcache/film", "job.not_found"),
    ] {
        let (status, _, body) = get(address, path, "");
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, &told["code"]), (404, &json!(code)), "{path}");
    }
    let log = server.log();
    assert!(!log.contains("ERROR"), "{log}");
    assert!(server.stop().is_empty());
}
