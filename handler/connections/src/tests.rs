//! Peers that neither send nor read, on real sockets, with rules that are short enough to wait for.

use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

type Answer = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// A tenth of the usual patience, and more.
const RULES: Rules = Rules {
    most: 8,
    head: Duration::from_millis(400),
    body: Duration::from_millis(600),
    body_rate: 10_000,
    answer: Duration::from_millis(800),
    answer_rate: 100_000,
};
/// Longer than any of them, on a busy machine.
const LONG: Duration = Duration::from_secs(20);

fn whole(bytes: impl Into<Bytes>) -> Answer {
    Full::new(bytes.into()).boxed_unsync()
}

/// `/large` is more than sockets hold, `/stream` says something every now and then, `/work` takes a while to answer; all else is the
/// length of what was sent.
async fn answer(request: Request<Received>) -> Result<Response<Answer>, Fault> {
    let path = request.uri().path().to_owned();
    let length = request.into_body().collect().await?.to_bytes().len();
    let response = match path.as_str() {
        "/large" => Response::new(whole(vec![7; 64 << 20])),
        "/stream" => {
            let pieces = futures::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b": still there\n\n"))), ()))
            });
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(StreamBody::new(pieces).boxed_unsync())?
        }
        "/work" => {
            tokio::time::sleep(3 * RULES.answer).await;
            Response::new(whole("worked"))
        }
        _ => Response::new(whole(length.to_string())),
    };
    Ok(response)
}

async fn server(rules: Rules) -> (Server, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (Server::start(listener, rules, answer), address)
}

async fn sent(address: SocketAddr, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(text.as_bytes()).await.unwrap();
    socket
}

/// What comes until the server closes the connection, and after how long; a reset counts as the end.
async fn rest(mut socket: TcpStream) -> (Vec<u8>, Duration) {
    let (begun, mut bytes) = (Instant::now(), Vec::new());
    let read = tokio::time::timeout(LONG, socket.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the connection stays open");
    (bytes, begun.elapsed())
}

async fn asked(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    let (bytes, _) = rest(sent(address, &request).await).await;
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_head_that_does_not_come_and_one_that_comes_by_the_byte() {
    let (_server, address) = server(RULES).await;
    for begun in ["", "GET / HTTP/1.1\r\nHost: here\r\nX-"] {
        let (bytes, after) = rest(sent(address, begun).await).await;
        assert!(bytes.is_empty() && after >= RULES.head / 2, "{begun:?}: {after:?}");
    }
    let mut socket = sent(address, "GET / HTTP/1.1\r\nX-Slow: ").await;
    let begun = Instant::now();
    while socket.write_all(b"x").await.is_ok() {
        assert!(begun.elapsed() < LONG, "byte by byte it lasts for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Between two requests too.
    let (bytes, after) = rest(sent(address, "GET / HTTP/1.1\r\nHost: here\r\n\r\n").await).await;
    assert!(String::from_utf8_lossy(&bytes).starts_with("HTTP/1.1 200") && after >= RULES.head / 2, "{after:?}");
}

#[tokio::test]
async fn a_body_may_be_slow_but_not_too_slow() {
    let (_server, address) = server(RULES).await;
    let head = "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n";
    let (bytes, _) = rest(sent(address, &format!("{head}some")).await).await;
    assert!(bytes.is_empty(), "half a body was answered");
    let mut socket = sent(address, head).await;
    let begun = Instant::now();
    while socket.write_all(b"x").await.is_ok() {
        assert!(begun.elapsed() < LONG, "byte by byte it lasts for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Twice as long as a body without bytes may take, but at twice the rate.
    let mut socket = sent(address, head).await;
    for _ in 0..20 {
        socket.write_all(&[b'x'; 1000]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (bytes, _) = rest(socket).await;
    assert!(String::from_utf8_lossy(&bytes).ends_with("20000"), "{}", String::from_utf8_lossy(&bytes));
}

#[tokio::test]
async fn an_answer_that_nobody_takes_and_one_that_is_taken_by_the_byte() {
    let (_server, address) = server(RULES).await;
    let request = "GET /large HTTP/1.1\r\nHost: here\r\n\r\n";
    for pause in [None, Some(Duration::from_millis(20))] {
        let mut socket = sent(address, request).await;
        let begun = Instant::now();
        let mut bytes = [0; 512];
        // Nothing is read for longer than an answer may wait; or little at a time.
        let length = match pause {
            None => {
                tokio::time::sleep(3 * RULES.answer).await;
                rest(socket).await.0.len()
            }
            Some(pause) => loop {
                match socket.read(&mut bytes).await {
                    Ok(0) | Err(_) => break 0,
                    Ok(_) => tokio::time::sleep(pause).await,
                }
                // What lies in the sockets' buffers is read after the end, so the server's end is seen by a write.
                if socket.write_all(b"x").await.is_err() {
                    break 0;
                }
                assert!(begun.elapsed() < LONG, "byte by byte it lasts for ever");
            },
        };
        assert!(length < 64 << 20, "all of it was sent to somebody who does not read");
    }
    let (bytes, _) = rest(sent(address, request).await).await;
    assert!(bytes.len() > 64 << 20, "whoever reads gets all of it: {}", bytes.len());
}

#[tokio::test]
async fn a_stream_lasts_as_long_as_it_says_something() {
    let (_server, address) = server(RULES).await;
    let mut socket = sent(address, "GET /stream HTTP/1.1\r\nHost: here\r\n\r\n").await;
    let (begun, mut bytes) = (Instant::now(), [0; 4096]);
    while begun.elapsed() < 3 * RULES.answer {
        let read = tokio::time::timeout(LONG, socket.read(&mut bytes)).await.unwrap().unwrap();
        assert!(read > 0, "it ended after {:?}", begun.elapsed());
    }
    assert!(asked(address, "/work").await.ends_with("worked"), "nor is an answer hurried that is still worked on");
}

#[tokio::test]
async fn there_is_always_room_for_one_more() {
    let patient = Rules { head: LONG, body: LONG, answer: LONG, ..RULES };
    let (_server, address) = server(patient).await;
    let working = tokio::spawn(async move { asked(address, "/work").await });
    let mut peers = Vec::new();
    for number in 0..10 * patient.most {
        let begun = match number % 4 {
            0 => "",
            1 => "GET / HTTP/1.1\r\nX-",
            2 => "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nsome",
            _ => "GET /stream HTTP/1.1\r\nHost: here\r\n\r\n",
        };
        peers.push(sent(address, begun).await);
        let asking = tokio::time::timeout(Duration::from_secs(5), asked(address, "/"));
        assert!(asking.await.unwrap().starts_with("HTTP/1.1 200"), "after {number} others");
    }
    assert!(working.await.unwrap().ends_with("worked"), "what is worked on is not cut off");
}

#[tokio::test]
async fn whoever_comes_while_all_are_worked_for_is_told() {
    let (_server, address) = server(Rules { most: 2, ..RULES }).await;
    let working = [(); 2].map(|()| tokio::spawn(async move { asked(address, "/work").await }));
    // Until both have asked: before that they would make room.
    tokio::time::sleep(RULES.answer / 4).await;
    let mut answer = String::new();
    let begun = Instant::now();
    while !answer.starts_with("HTTP/1.1 503") {
        assert!(begun.elapsed() < RULES.answer, "{answer}");
        answer = asked(address, "/").await;
    }
    for one in working {
        assert!(one.await.unwrap().ends_with("worked"));
    }
    assert!(asked(address, "/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_end_waits_for_what_was_begun_and_for_nobody_else() {
    let (server, address) = server(RULES).await;
    let working = tokio::spawn(async move { asked(address, "/work").await });
    let idle = sent(address, "GET / HTTP/1.1\r\nX-").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.shutdown(Deadline::after(LONG)).await;
    assert!(working.await.unwrap().ends_with("worked"));
    assert!(rest(idle).await.0.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}
