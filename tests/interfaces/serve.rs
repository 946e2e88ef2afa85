//! `chalkreel serve` as a user without AWS runs it: the real binary, real films, and servers that play
//! EventBridge and the receiver of webhooks.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::process::{Server, free_port};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use handler::deadline::Deadline;
use handler::store::Store;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");
const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const LESSON: &str = "---\nquality: draft\n---\n# Squares\n\n## Nine\n\nNine is the square of three.\n\n- nine\n";
const MORE: &str = "\n## More\n\nThis takes a while to say, and longer to draw.\n\n- more\n";
/// Longer than the film takes on a busy machine.
const FILM: Duration = Duration::from_secs(200);

/// A harness of its own: store, scratch, and the server in it.
pub struct Harness {
    pub dir: TempDir,
    pub address: SocketAddr,
    pub client: Client,
}

impl Harness {
    pub fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        Self { dir, address: free_port(), client }
    }

    pub fn start(&self, settings: &[(&str, &str)]) -> Server {
        self.start_by(Command::new(BINARY), settings)
    }

    /// The same by a command that ends in the program, or in what runs it.
    pub fn start_by(&self, mut command: Command, settings: &[(&str, &str)]) -> Server {
        command
            .args(["serve", "--listen", &self.address.to_string()])
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path().join("tmp"))
            .env("LAYERS_DIR", LAYERS)
            .env("VOICE_CHAIN", "espeak-ng")
            .env("CHALKREEL_STORE_DIR", self.dir.path().join("store"))
            .env("CHALKREEL_LOG", "info")
            .envs(settings.iter().copied());
        Server::start(&mut command, &self.dir.path().join("serve.log"), self.address)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Value {
        self.client.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn submit(&self, name: &str, text: &str) -> String {
        let request = self.client.post(self.url(&format!("/jobs?name={name}"))).body(text.to_owned());
        let answer = request.header("content-type", "text/markdown").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 202);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let status: Value = answer.json().await.unwrap();
        assert_eq!(location, format!("/jobs/{}", status["job_id"].as_str().unwrap()));
        status["job_id"].as_str().unwrap().to_owned()
    }

    /// The job's status, once `ready` holds.
    pub async fn when(&self, job: &str, ready: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let status = self.get(&format!("/jobs/{job}")).await;
            if ready(&status) {
                return status;
            }
            assert!(start.elapsed() < FILM, "{status}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn over(&self, job: &str) -> Value {
        self.when(job, |status| !["queued", "running"].contains(&status["state"].as_str().unwrap_or("queued"))).await
    }
}

/// What the other servers received.
#[derive(Clone, Default)]
struct Heard {
    hooks: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    events: Arc<Mutex<Vec<Value>>>,
}

async fn hook(State(heard): State<Heard>, headers: HeaderMap, body: String) -> StatusCode {
    let mut hooks = heard.hooks.lock().unwrap();
    hooks.push((headers, body));
    // The first call falls into a restart of the receiver.
    if hooks.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}

async fn bus(State(heard): State<Heard>, headers: HeaderMap, body: String) -> String {
    assert_eq!(headers["x-amz-target"], "AWSEvents.PutEvents");
    assert!(headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 "));
    let call: Value = serde_json::from_str(&body).unwrap();
    heard.events.lock().unwrap().extend(call["Entries"].as_array().unwrap().iter().cloned());
    json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}).to_string()
}

/// The receiver's own check of a signature.
fn assert_signed(headers: &HeaderMap, body: &str) {
    let signature = headers["chalkreel-signature"].to_str().unwrap();
    let (time, digits) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let age = jiff::Timestamp::now().as_second() - time.parse::<i64>().unwrap();
    assert!((0..300).contains(&age), "{signature}");
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    mac.verify_slice(&bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_over_http_becomes_a_film_with_all_notifications() {
    let heard = Heard::default();
    let routes = Router::new().route("/hook", post(hook)).route("/", post(bus)).with_state(heard.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let others = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, routes).into_future());

    let harness = Harness::new();
    let mut server = harness.start(&[
        ("CHALKREEL_WEBHOOK_URL", &format!("http://{others}/hook")),
        ("CHALKREEL_WEBHOOK_SECRET", SECRET),
        ("CHALKREEL_WEBHOOK_LOOPBACK", "on"),
        ("CHALKREEL_EVENT_BUS", "courses"),
        ("CHALKREEL_EVENTS_ENDPOINT", &format!("http://{others}")),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-central-1"),
    ]);
    let job = harness.submit("squares.md", LESSON).await;
    let status = harness.over(&job).await;
    assert_eq!(status["state"], "succeeded", "{status}\n{}", server.log());
    assert_eq!(harness.submit("squares.md", LESSON).await, job, "the same document is the same job");

    let film = harness.client.get(harness.url(&format!("/jobs/{job}/film"))).header("range", "bytes=4-7").send();
    let film = film.await.unwrap();
    assert_eq!((film.status().as_u16(), &film.bytes().await.unwrap()[..]), (206, &b"ftyp"[..]));
    let page = harness.client.get(harness.url(&format!("/jobs/{job}/page"))).send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.text().await.unwrap().contains("<title>Squares</title>"));
    let captions = harness.client.get(harness.url(&format!("/jobs/{job}/captions"))).send().await.unwrap();
    assert!(captions.text().await.unwrap().starts_with("WEBVTT"));
    let listed = harness.get("/jobs").await;
    assert_eq!((&listed["jobs"][0]["job_id"], &listed["jobs"][0]["title"]), (&json!(job), &json!("Squares")));

    // A page of another site that a browser here has open.
    let foreign =
        harness.client.get(harness.url("/jobs")).header("origin", "https://example.org").send().await.unwrap();
    assert_eq!(foreign.status().as_u16(), 403);
    let told: Value = serde_json::from_slice(&foreign.bytes().await.unwrap()).unwrap();
    assert_eq!(told["code"], "http.forbidden_origin", "{told}");

    // A second job, whose notifications are complete although the process is stopped while it is made.
    let late = harness.submit("late.md", &format!("{LESSON}{}", MORE.repeat(6))).await;
    harness.when(&late, |status| status["state"] == "running").await;
    let start = Instant::now();
    let left: Vec<String> = server.stop();
    assert!(left.is_empty() && start.elapsed() < Duration::from_secs(10), "{left:?} after {:?}", start.elapsed());

    let states = |all: Vec<Value>, job: &str| -> Vec<String> {
        let of_job = all.into_iter().filter(|one| one["job_id"] == *job);
        of_job.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
    };
    let events = heard.events.lock().unwrap().clone();
    for event in &events {
        assert_eq!((&event["Source"], &event["EventBusName"]), (&json!("chalkreel"), &json!("courses")));
    }
    let detail = |event: &Value| -> Value {
        let detail: Value = serde_json::from_str(event["Detail"].as_str().unwrap()).unwrap();
        assert_eq!(event["DetailType"], format!("chalkreel.job.{}", detail["state"].as_str().unwrap()));
        detail
    };
    let details: Vec<Value> = events.iter().map(detail).collect();
    assert_eq!(states(details.clone(), &job), ["queued", "running", "succeeded"]);
    assert_eq!(states(details.clone(), &late), ["queued", "running", "failed"]);
    let done = details.iter().find(|detail| detail["state"] == "succeeded").unwrap();
    assert_eq!(done["outputs"]["film"], format!("films/{job}/film.mp4"));

    let hooks = heard.hooks.lock().unwrap().clone();
    hooks.iter().for_each(|(headers, body)| assert_signed(headers, body));
    assert_eq!(hooks[0].1, hooks[1].1, "what was not heard is told again");
    let bodies: Vec<Value> = hooks[1..].iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(states(bodies, &job), ["queued", "running", "succeeded"]);

    // Another process goes on with what the first one could not end.
    let mut server = harness.start(&[]);
    let status = harness.over(&late).await;
    assert!(["succeeded", "failed"].contains(&status["state"].as_str().unwrap()), "{status}");
    let status = harness.when(&late, |status| status["state"] == "succeeded").await;
    assert!(status["attempts"].as_u64().unwrap() >= 2, "{status}");
    assert!(server.stop().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_upload_under_incoming_becomes_a_listed_film() {
    let harness = Harness::new();
    let mut server = harness.start(&[]);
    assert_eq!(harness.get("/jobs").await, json!({"jobs": [], "next": null}));
    // Any S3 client may come, with what the server printed.
    let store = Store::connect(&server.s3(), "chalkreel").await;
    let soon = || Deadline::after(Duration::from_secs(20));
    // Its words in German come first, and are no lesson.
    let german = LESSON.replace("Nine is the square of three.", "Neun ist das Quadrat von drei.");
    store.put("incoming/by hand.captions.de.md", german.into_bytes(), "text/markdown", soon()).await.unwrap();
    let lesson = LESSON.replacen("---\n", "---\ncaptions: [de]\n", 1);
    store.put("incoming/by hand.md", lesson.into_bytes(), "text/markdown", soon()).await.unwrap();
    store.put("elsewhere/not this.md", LESSON.as_bytes().to_vec(), "text/markdown", soon()).await.unwrap();
    let start = Instant::now();
    let job = loop {
        let listed = harness.get("/jobs").await;
        if let Some(job) = listed["jobs"][0]["job_id"].as_str() {
            break job.to_owned();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{listed}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let status = harness.over(&job).await;
    assert_eq!(status["state"], "succeeded", "{status}");
    let german = harness.client.get(harness.url(&format!("/jobs/{job}/captions?lang=de"))).send().await.unwrap();
    let german = german.text().await.unwrap();
    assert!(german.starts_with("WEBVTT") && german.contains("Neun ist das Quadrat von drei."), "{german}");
    let refused = harness.submit("broken.md", "# Only a title").await;
    assert_eq!(harness.over(&refused).await["error"]["code"], "input.nothing_to_show");

    let listed = harness.get("/jobs").await;
    let job_of = |state: &str| listed["jobs"].as_array().unwrap().iter().find(|job| job["state"] == state);
    assert_eq!(job_of("succeeded").unwrap()["job_id"], json!(job), "{listed}");
    assert_eq!(job_of("failed").unwrap()["error"], "input.nothing_to_show", "{listed}");

    // The description is one by the standard's own schema.
    let description = harness.dir.path().join("openapi.json");
    std::fs::write(&description, harness.get("/openapi.json").await.to_string()).unwrap();
    let validator = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/test-tools/bin/openapi-spec-validator");
    let checked = Command::new(validator).args(["--schema", "3.1"]).arg(&description).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()));
    assert!(server.stop().is_empty());
}

/// As from another machine: with a token, by a browser's means, and nothing leads to the store on loopback.
#[tokio::test(flavor = "multi_thread")]
async fn a_remote_browser_gets_the_film_with_its_session() {
    let mut harness = Harness::new();
    harness.address.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
    let server = harness.start(&[("CHALKREEL_HTTP_TOKEN", SECRET)]);
    harness.address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    let stay = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let bearer = format!("Bearer {SECRET}");
    let sent =
        stay.post(harness.url("/jobs?name=a.md")).header("authorization", &bearer).body(LESSON).send().await.unwrap();
    let job = sent.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned();

    let refused = stay.post(harness.url("/session")).header("authorization", "Bearer wrong").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().get("set-cookie")), (401, None));
    let opened = stay.post(harness.url("/session")).header("authorization", &bearer).send().await.unwrap();
    assert_eq!(opened.status().as_u16(), 204);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("Secure"), "over plain HTTP no browser would keep it: {cookie}");
    let pair = cookie.split(';').next().unwrap();
    let get = |path: &str| stay.get(harness.url(path)).header("cookie", pair);

    let start = Instant::now();
    loop {
        let status: Value = get(&format!("/jobs/{job}")).send().await.unwrap().json().await.unwrap();
        match status["state"].as_str().unwrap() {
            "succeeded" => break,
            "queued" | "running" if start.elapsed() < FILM => tokio::time::sleep(Duration::from_millis(100)).await,
            _ => panic!("{status}\n{}", server.log()),
        }
    }
    for path in ["page", "log", "film", "film.mp4", "poster", "sync.json"] {
        let path = format!("/jobs/{job}/{path}");
        assert_eq!(get(&path).send().await.unwrap().status().as_u16(), 200, "{path}");
        assert_eq!(stay.get(harness.url(&path)).send().await.unwrap().status().as_u16(), 401, "{path}");
    }
    assert_eq!(stay.get(harness.url("/live")).send().await.unwrap().status().as_u16(), 401);
    assert_eq!(get("/live").send().await.unwrap().status().as_u16(), 200);

    let film = format!("/jobs/{job}/film.mp4");
    let head = stay.head(harness.url(&film)).header("cookie", pair).send().await.unwrap();
    let size: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(
        (&head.headers()["accept-ranges"], &head.headers()["content-type"]),
        (&"bytes".parse().unwrap(), &"video/mp4".parse().unwrap())
    );
    let etag = head.headers()["etag"].clone();
    let whole = get(&film).send().await.unwrap().bytes().await.unwrap();
    assert_eq!((whole.len(), &whole[4..8]), (size, &b"ftyp"[..]));
    for (range, bytes) in [
        ("bytes=4-7", &whole[4..8]),
        ("bytes=-5", &whole[size - 5..]),
        (&*format!("bytes={}-", size - 3), &whole[size - 3..]),
    ] {
        let part = get(&film).header("range", range).header("if-range", &etag).send().await.unwrap();
        assert_eq!(part.status().as_u16(), 206, "{range}");
        assert!(part.headers()["content-range"].to_str().unwrap().ends_with(&format!("/{size}")), "{range}");
        assert_eq!(part.bytes().await.unwrap(), bytes, "{range}");
    }
    let other = get(&film).header("range", "bytes=4-7").header("if-range", "\"other\"").send().await.unwrap();
    assert_eq!(
        (other.status().as_u16(), other.bytes().await.unwrap().len()),
        (200, size),
        "another version is sent whole"
    );
    for several in ["bytes=0-1,4-7", "bytes=x-y", "lines=1-2"] {
        assert_eq!(get(&film).header("range", several).send().await.unwrap().status().as_u16(), 200, "{several}");
    }
    let beyond = get(&film).header("range", format!("bytes={size}-")).send().await.unwrap();
    let (status, told) = (beyond.status().as_u16(), beyond.json::<Value>().await.unwrap());
    assert_eq!((status, &told["code"], &told["status"]), (416, &json!("http.no_such_range"), &json!(416)));

    // What a page of another port of this host could send in the browser's name.
    let foreign = stay.delete(harness.url(&format!("/jobs/{job}"))).header("cookie", pair);
    let foreign = foreign.header("origin", "http://127.0.0.1:1").send().await.unwrap();
    assert_eq!(foreign.status().as_u16(), 403);
    for (method, path) in
        [(reqwest::Method::GET, "/live/%FF"), (reqwest::Method::PUT, "/live"), (reqwest::Method::PUT, "/")]
    {
        let answer = stay.request(method, harness.url(path)).header("cookie", pair).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
}

#[test]
fn remote_requests_need_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("timeout");
    command.args(["20", BINARY, "serve", "--listen", "0.0.0.0:0"]).env_clear().env("HOME", dir.path());
    let output = command.env("PATH", "/usr/bin:/bin").env("LAYERS_DIR", LAYERS).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("http.unauthorized") && said.contains("CHALKREEL_HTTP_TOKEN"), "{said}");
}
