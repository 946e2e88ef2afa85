//! The routes on a real store, through Lambda's events, as a Function URL sends them.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::job::keys;
use crate::job::{JobId, Lease, State};
use crate::store::Embedded;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/events");
const SECRET: &str = "0123456789abcdef0123456789abcdef";

struct Harness {
    store: Store,
    routes: Router,
    _server: Embedded,
    _dir: TempDir,
}

struct Answer {
    status: u64,
    headers: Value,
    cookies: Value,
    body: Value,
    text: String,
}

impl Harness {
    async fn open(token: Option<&str>) -> Self {
        Self::with(token, |api| api).await
    }

    async fn with(token: Option<&str>, change: impl FnOnce(Api) -> Api) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Embedded::start(dir.path()).await.unwrap();
        server.create_bucket("films").unwrap();
        let store = Store::connect(&server.endpoint(), "films").await;
        let (routes, _) = router(change(Api::new(store.clone(), token.map(|token| Secret(token.to_owned())), false)));
        Self { store, routes, _server: server, _dir: dir }
    }

    async fn send(&self, event: Value) -> Answer {
        let event = serde_json::from_value(event).unwrap();
        let answer = event::answer(event, self.routes.clone()).await;
        let text = answer["body"].as_str().unwrap().to_owned();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let problem = answer["headers"]["content-type"] == "application/problem+json";
        let status = answer["statusCode"].as_u64().unwrap();
        assert_eq!(problem, status >= 400, "{text}");
        assert!(!problem || Code::from_name(body["code"].as_str().unwrap()).is_some(), "{text}");
        Answer { status, headers: answer["headers"].clone(), cookies: answer["cookies"].clone(), body, text }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut event = event("http-health");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        event["requestContext"]["http"]["method"] = json!(method);
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(query);
        for (name, value) in headers {
            event["headers"][name] = json!(value);
        }
        event["body"] = json!(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, body));
        event["isBase64Encoded"] = json!(true);
        self.send(event).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }

    async fn claim(&self, id: &str) -> Lease {
        let terms = crate::job::Terms {
            worker: crate::job::Worker::Alone,
            again: crate::job::Again::Retryable,
            timeout: Duration::from_secs(30),
            ends: jiff::Timestamp::now(),
        };
        match Lease::claim(&self.store, &id.parse().unwrap(), terms, Api::deadline()).await.unwrap() {
            crate::job::Claim::Mine(lease) => lease,
            other => panic!("{other:?}"),
        }
    }
}

fn event(name: &str) -> Value {
    let path = Path::new(EVENTS).join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_document_becomes_one_job_however_often_it_is_sent() {
    let harness = Harness::open(None).await;
    let first = harness.send(event("http-submit")).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let id = first.body["job_id"].as_str().unwrap().to_owned();
    assert_eq!(first.headers["location"], format!("/jobs/{id}"));
    assert_eq!(first.body["state"], "queued");

    // Where the trigger sees it, under a key that tells the very same job.
    let (keys, _) = harness.store.page(keys::INCOMING, None, 10, Api::deadline()).await.unwrap();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    let submission = keys::Submission::of(key).unwrap();
    let event_of = json!({"source": format!("s3://films/{key}")});
    let Ok(crate::intake::Asked::Direct(request)) = crate::intake::read(event_of, "films") else { panic!("{key}") };
    assert_eq!(JobId::of(&request, "recipe").as_str(), id);
    assert_eq!((submission.name.as_str(), request.quality), ("lesson.md", Some(crate::job::Quality::Draft)));

    let again = harness.send(event("http-submit")).await;
    assert_eq!((again.status, &again.body["job_id"]), (202, &json!(id)));
    let other = harness.send(event("http-submit-base64")).await;
    assert_ne!(other.body["job_id"], json!(id));
    let listed = harness.get("/jobs").await;
    assert_eq!(listed.body["jobs"].as_array().unwrap().len(), 2, "{}", listed.text);
    assert_eq!(listed.body["jobs"][0]["title"], "zaehlen.md");
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_document() {
    let harness = Harness::open(None).await;
    let send = async |key: &str, body: &str| {
        harness
            .ask("POST", "/jobs", &[("idempotency-key", key), ("content-type", "text/markdown")], body.as_bytes())
            .await
    };
    let first = send("k", "# One").await;
    assert_eq!(send("k", "# One").await.body["job_id"], first.body["job_id"]);
    let other = send("k", "# Two").await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("http.key_reused")));
    assert_ne!(send("k2", "# One").await.body["job_id"], first.body["job_id"]);
    let named = harness
        .ask("POST", "/jobs?name=b.md", &[("idempotency-key", "k"), ("content-type", "text/markdown")], b"# One")
        .await;
    assert_eq!(named.body["code"], "http.key_reused");
}

#[tokio::test]
async fn what_can_be_no_document_is_refused() {
    let harness = Harness::open(None).await;
    let huge = vec![b'a'; usize::try_from(MAX_DOCUMENT).unwrap() + 1];
    let endless = vec![b'a'; MAX_BODY + 1];
    let json = "application/json";
    for (path, kind, body, status, code) in [
        ("/jobs", "text/markdown", &b""[..], 400, "input.empty"),
        ("/jobs", "video/mp4", b"x", 415, "input.unknown_format"),
        ("/jobs", "application/octet-stream", b"x", 415, "input.unknown_format"),
        ("/jobs?quality=best", "text/markdown", b"x", 400, "http.bad_request"),
        ("/jobs?name=..", "text/markdown", b"x", 400, "http.bad_request"),
        ("/jobs?name=a%0Ab.md", "text/markdown", b"x", 400, "http.bad_request"),
        ("/jobs", json, br#"{"document": {"name": "a.md"}}"#, 400, "http.bad_request"),
        ("/jobs", json, br#"{"document": {"name": "a.md", "text": "x"}, "qualty": 1}"#, 400, "http.bad_request"),
        ("/jobs", json, br#"{"document": {"name": "", "text": "x"}}"#, 400, "http.bad_request"),
        ("/jobs", json, br#"{"animation_plan": {"scenes": []}}"#, 202, ""),
        ("/jobs", "text/markdown", &huge, 413, "input.too_large"),
        ("/jobs", "text/markdown", &endless, 413, "http.too_large"),
    ] {
        let answer = harness.ask("POST", path, &[("content-type", kind)], body).await;
        let reported = answer.body["code"].as_str().unwrap_or_default();
        assert_eq!((answer.status, reported), (status, code), "{path} {kind}: {}", answer.text);
    }
}

#[tokio::test]
async fn strange_paths_are_told_as_problems() {
    let harness = Harness::open(None).await;
    for (method, path, status, code) in [
        ("GET", "/", 404, "http.no_such_path"),
        ("PUT", "/jobs", 405, "http.wrong_method"),
        ("GET", "/jobs/nonsense", 404, "job.not_found"),
        ("GET", "/jobs/0123456789abcdef01234567", 404, "job.not_found"),
        ("DELETE", "/jobs/0123456789abcdef01234567", 404, "job.not_found"),
        ("GET", "/jobs/0123456789abcdef01234567/film", 404, "job.not_found"),
        ("GET", "/jobs/0123456789abcdef01234567/request.json", 404, "http.no_such_path"),
        ("GET", "/jobs/..%2f..%2fcache/film", 404, "job.not_found"),
        ("GET", "/jobs/%FF", 400, "http.bad_request"),
        ("DELETE", "/jobs/%FF", 400, "http.bad_request"),
        ("GET", "/jobs/%FF/film", 400, "http.bad_request"),
        ("GET", "/jobs?limit=0", 400, "http.bad_request"),
        ("GET", "/jobs?limit=x", 400, "http.bad_request"),
        ("GET", "/jobs?after=../cache", 400, "http.bad_request"),
    ] {
        let answer = harness.ask(method, path, &[], b"").await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{method} {path}");
    }
}

#[tokio::test]
async fn an_event_that_holds_no_request_is_told_as_a_problem() {
    let harness = Harness::open(None).await;
    let mut broken = event("http-submit-base64");
    broken["body"] = json!("no base64!");
    let answer = harness.send(broken).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("http.bad_request")));
    let refused = crate::error::JobError::new(Code::IntakeUnknownEvent, "no shape");
    let answer = event::refusal(refused).await;
    assert_eq!(
        (&answer["statusCode"], &answer["headers"]["content-type"]),
        (&json!(400), &json!("application/problem+json"))
    );
}

/// A browser shows the token once; from then on links and players bear a cookie, which other pages' requests can't use.
#[tokio::test]
async fn a_session_stands_for_the_token() {
    let harness = Harness::open(Some(SECRET)).await;
    assert_eq!(harness.ask("POST", "/session", &[], b"").await.status, 401);
    let bearer = format!("Bearer {SECRET}");
    let opened = harness.ask("POST", "/session", &[("authorization", &bearer)], b"").await;
    assert_eq!(opened.status, 204, "{}", opened.text);
    let cookie = opened.cookies[0].as_str().unwrap().to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(SECRET), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let ask = async |cookie: &str, origin: Option<&str>| {
        let mut event = event("http-health");
        event["rawPath"] = json!("/jobs");
        event["cookies"] = json!(["other=1", cookie]);
        if let Some(origin) = origin {
            event["headers"]["origin"] = json!(origin);
        }
        harness.send(event).await.status
    };
    assert_eq!(ask(pair, None).await, 200);
    assert_eq!(ask(pair, Some("https://abcdefghij.lambda-url.us-east-1.on.aws")).await, 200);
    assert_eq!(ask(pair, Some("https://abcdefghij.lambda-url.us-east-1.on.aws:8443")).await, 403);
    assert_eq!(ask(&format!("{pair}0"), None).await, 401);
    let closed = harness.ask("DELETE", "/session", &[("authorization", &bearer)], b"").await;
    assert!(closed.cookies[0].as_str().unwrap().starts_with("chalkreel=; "), "{}", closed.cookies);
}

#[tokio::test]
async fn only_holders_of_the_token_come_in() {
    let harness = Harness::open(Some(SECRET)).await;
    for path in ["/jobs", "/jobs/0123456789abcdef01234567", "/nothing"] {
        assert_eq!(harness.get(path).await.status, 401, "{path}");
        let wrong = harness.ask("GET", path, &[("authorization", "Bearer wrong")], b"").await;
        assert_eq!((wrong.status, wrong.headers["www-authenticate"].as_str()), (401, Some("Bearer")), "{path}");
    }
    let bearer = format!("Bearer {SECRET}");
    assert_eq!(harness.ask("GET", "/jobs", &[("authorization", &bearer)], b"").await.status, 200);
    assert_eq!(harness.get("/health").await.text, "ok\n");
    assert_eq!(harness.get("/openapi.json").await.status, 200);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let harness = Harness::open(None).await;
    let mut sent = Vec::new();
    for number in 0..5 {
        let document = format!("# {number}");
        let answer = harness.ask("POST", "/jobs", &[("content-type", "text/markdown")], document.as_bytes()).await;
        sent.push(answer.body["job_id"].clone());
        // Times are kept to the millisecond.
        let now = jiff::Timestamp::now().as_millisecond();
        while jiff::Timestamp::now().as_millisecond() == now {
            tokio::task::yield_now().await;
        }
    }
    let (mut listed, mut path) = (Vec::new(), "/jobs?limit=2".to_owned());
    loop {
        let page = harness.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        listed.extend(page.body["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("/jobs?limit=2&after={next}");
        assert_eq!(page.headers["link"], format!("<{path}>; rel=\"next\""));
    }
    sent.reverse();
    assert_eq!(listed, sent);
}

#[tokio::test]
async fn a_job_is_cancelled_before_it_began_and_while_it_runs() {
    let harness = Harness::open(None).await;
    let id = harness.send(event("http-submit")).await.body["job_id"].as_str().unwrap().to_owned();
    let path = format!("/jobs/{id}");
    let cancelled = harness.ask("DELETE", &path, &[], b"").await;
    assert_eq!((cancelled.status, cancelled.body["state"].as_str()), (200, Some("cancelled")));
    assert_eq!(harness.get(&path).await.body["error"]["code"], "job.cancelled");
    assert_eq!(harness.ask("DELETE", &path, &[], b"").await.body["state"], "cancelled", "twice is no other than once");

    let id = harness.send(event("http-submit-base64")).await.body["job_id"].as_str().unwrap().to_owned();
    let path = format!("/jobs/{id}");
    let lease = harness.claim(&id).await;
    lease.change(|status| status.state = State::Running);
    let cancelled = harness.ask("DELETE", &path, &[], b"").await;
    assert_eq!(cancelled.body["state"], "cancelled", "{}", cancelled.text);
    lease.change(|status| status.progress = 0.5);
    Deadline::after(Duration::from_secs(10)).run(lease.lost()).await.unwrap();
}

/// Who hears of jobs, played by a server on loopback.
async fn listener() -> (Arc<Notices>, Arc<std::sync::Mutex<Vec<Value>>>) {
    let seen_events = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hook = async |axum::extract::State(seen_events): axum::extract::State<Arc<std::sync::Mutex<Vec<Value>>>>,
                      body: String| {
        seen_events.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    };
    let routes = Router::new().route("/", axum::routing::post(hook)).with_state(seen_events.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, routes).into_future());
    let config = crate::config::Config::from_lookup(|name| match name {
        "CHALKREEL_WEBHOOK_URL" => Some(url.clone()),
        "CHALKREEL_WEBHOOK_SECRET" => Some(SECRET.to_owned()),
        "CHALKREEL_WEBHOOK_LOOPBACK" => Some("on".to_owned()),
        _ => None,
    });
    (Arc::new(Notices::without_services(&config.unwrap(), "films")), seen_events)
}

/// Nobody else would: the one job has no owner yet, the other lies between two tasks of its state machine.
#[tokio::test]
async fn whoever_cancels_a_job_over_http_tells_it() {
    let (notices, seen_events) = listener().await;
    let harness = Harness::with(None, |api| api.notifying(notices.clone())).await;
    let cancel = async |id: &str| {
        for _ in 0..2 {
            let answer = harness.ask("DELETE", &format!("/jobs/{id}"), &[], b"").await;
            assert_eq!(answer.body["state"], "cancelled", "{}", answer.text);
        }
        assert!(notices.flush(Deadline::after(Duration::from_secs(10))).await);
        std::mem::take(&mut *seen_events.lock().unwrap())
    };
    let waiting = harness.send(event("http-submit")).await.body["job_id"].as_str().unwrap().to_owned();
    let reported = cancel(&waiting).await;
    assert_eq!(reported.len(), 1, "twice is no other than once: {reported:?}");
    assert_eq!((&reported[0]["job_id"], &reported[0]["state"]), (&json!(waiting), &json!("cancelled")));
    assert_eq!(reported[0]["error"]["code"], "job.cancelled");

    let between = harness.send(event("http-submit-base64")).await.body["job_id"].as_str().unwrap().to_owned();
    let lease = harness.claim(&between).await;
    lease.change(|status| status.state = State::Running);
    let hand_over = |status: &mut crate::job::Status| {
        status.owner.clear();
        status.execution = Some("arn:execution".to_owned());
    };
    lease.finish(hand_over, Api::deadline()).await.unwrap();
    let reported = cancel(&between).await;
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert_eq!((&reported[0]["job_id"], &reported[0]["state"]), (&json!(between), &json!("cancelled")));
}

#[tokio::test]
async fn what_a_job_left_is_found_under_its_names() {
    let harness = Harness::open(None).await;
    let id = harness.send(event("http-submit")).await.body["job_id"].as_str().unwrap().to_owned();
    let film = harness.get(&format!("/jobs/{id}/film")).await;
    assert_eq!((film.status, film.body["code"].as_str()), (404, Some("job.not_ready")));

    let lease = harness.claim(&id).await;
    let job: JobId = id.parse().unwrap();
    let mut outputs = Vec::new();
    for (kind, file, text) in [
        ("film", keys::FILM, "0123456789"),
        ("page", keys::PAGE, "<title>page</title>"),
        ("captions_vtt", keys::CAPTIONS_VTT, "WEBVTT"),
        ("captions_vtt_en", keys::CAPTIONS_VTT, "WEBVTT"),
        ("captions_vtt_de-AT", "captions.de-AT.vtt", "WEBVTT de-AT"),
        ("captions_vtt_pt", "captions.pt.vtt", "WEBVTT pt"),
        ("captions_srt_pt", "captions.pt.srt", "1"),
        ("log", keys::LOG, "{}"),
    ] {
        let key = keys::of(&job, file);
        harness.store.put(&key, text.as_bytes().to_vec(), "text/plain", Api::deadline()).await.unwrap();
        outputs.push((kind.to_owned(), key));
    }
    lease.change(|status| status.state = State::Running);
    let finish = |status: &mut crate::job::Status| {
        status.state = State::Succeeded;
        status.outputs.extend(outputs);
    };
    lease.finish(finish, Api::deadline()).await.unwrap();

    for (output, text) in [("page", "<title>page</title>"), ("captions", "WEBVTT"), ("log", "{}")] {
        let answer = harness.get(&format!("/jobs/{id}/{output}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, text), "{output}");
    }
    // In other languages: by the whole tag, or by the language alone, whichever there is.
    for (output, text) in [
        ("captions?lang=en", "WEBVTT"),
        ("captions?lang=de-AT", "WEBVTT de-AT"),
        ("captions?lang=DE", "WEBVTT de-AT"),
        ("captions?lang=pt-BR", "WEBVTT pt"),
        ("captions.de-AT.vtt", "WEBVTT de-AT"),
        ("captions.pt.srt", "1"),
    ] {
        let answer = harness.get(&format!("/jobs/{id}/{output}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, text), "{output}");
    }
    for (output, code) in [
        ("captions?lang=fr", "job.not_ready"),
        ("captions?lang=../../x", "job.not_ready"),
        ("captions.fr.vtt", "job.not_ready"),
        ("captions.pt.txt", "http.no_such_path"),
    ] {
        let answer = harness.get(&format!("/jobs/{id}/{output}")).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (404, Some(code)), "{output}");
    }
    for output in ["film", "film.mp4"] {
        let answer = harness.get(&format!("/jobs/{id}/{output}")).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        let url = answer.headers["location"].as_str().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let part = client.get(url).header("range", "bytes=2-4").send().await.unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.text().await.unwrap(), "234");
        let forged = url.replace("film.mp4", "status.json");
        assert_eq!(client.get(forged).send().await.unwrap().status(), 403, "a URL opens one object alone");
    }
    assert_eq!(harness.get(&format!("/jobs/{id}/poster")).await.body["code"], "job.not_ready");
}

#[tokio::test]
async fn the_description_tells_every_route_and_resolves() {
    let harness = Harness::open(None).await;
    let description = harness.get("/openapi.json").await.body;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"), "{description}");
    for (path, methods) in [
        ("/jobs", &["get", "post"][..]),
        ("/jobs/{id}", &["get", "delete"]),
        ("/jobs/{id}/{output}", &["get"]),
        ("/health", &["get"]),
    ] {
        for method in methods {
            let route = &description["paths"][path][method];
            assert!(route["summary"].is_string() || route["description"].is_string(), "{method} {path}");
        }
    }
    let schemes = &description["components"]["securitySchemes"];
    assert_eq!((&schemes["bearer"]["type"], &schemes["bearer"]["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!((&schemes["session"]["in"], &schemes["session"]["name"]), (&json!("cookie"), &json!("chalkreel")));
    assert!(description["security"].is_null(), "here IAM is the guard");
    let guarded = Harness::open(Some(SECRET)).await.get("/openapi.json").await.body;
    assert_eq!(guarded["security"], json!([{"bearer": []}, {"session": []}]));
    assert_eq!(guarded["paths"]["/health"]["get"]["security"], json!([{}]), "open to everybody");
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(description.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    // The status is described as it is written.
    let status = &description["components"]["schemas"]["Status"]["properties"];
    let job = "0123456789abcdef01234567".parse().unwrap();
    let written = crate::job::Status::queued(job, String::new(), jiff::Timestamp::now());
    for name in serde_json::to_value(written).unwrap().as_object().unwrap().keys() {
        assert!(status[name].is_object(), "{name} is not described");
    }
}

#[tokio::test]
async fn the_stage_of_an_http_api_is_no_part_of_the_path() {
    let harness = Harness::open(None).await;
    let answer = harness.send(event("http-api-jobs")).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({"jobs": [], "next": null})));

    // But addresses that are told begin with it, or they would lead nowhere.
    let send = async |method: &str, query: &str, body: &str| {
        let mut event = event("http-api-jobs");
        event["requestContext"]["http"]["method"] = json!(method);
        event["rawQueryString"] = json!(query);
        event["body"] = json!(body);
        harness.send(event).await
    };
    for document in ["# One", "# Two"] {
        let sent = send("POST", "", document).await;
        let expected = format!("/production/jobs/{}", sent.body["job_id"].as_str().unwrap());
        assert_eq!(sent.headers["location"], expected, "{}", sent.text);
    }
    let page = send("GET", "limit=1", "").await;
    let link = page.headers["link"].as_str().unwrap();
    assert!(link.starts_with("</production/jobs?limit=1&after="), "{link}");
}

/// Pieces of names that mean something to somebody on the way: extensions, marks, folders, and what can't be told in XML or a header.
const PIECES: &[&str] = &[
    "lesson",
    ".",
    "..",
    ".captions",
    ".de",
    ".pt-BR",
    ".md",
    ".json",
    ".storyboard",
    ".py",
    ".png",
    ".MP4",
    ".exe",
    "/",
    "\\",
    " ",
    "\u{1}",
    "\n",
    "\u{7f}",
    "\u{85}",
    "\u{202e}",
    "\u{fffe}",
    "\u{10ffff}",
    "é",
    "日本",
    "%2F",
    "+",
    "&",
    "?",
    "#",
    "\"",
    "<",
    "incoming/",
    "films/",
    "cache/",
    "status",
    "long-enough-to-matter-when-it-stands-there-twice-or-thrice-in-a-row",
];

/// What is told as accepted is what the trigger takes, as the very same job, however it hears of it: nothing waits for ever.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_accepted_is_taken_by_the_trigger() {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;
    let harness = Harness::open(None).await;
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let taken = async |name: String| {
        let body = format!("# {name}");
        let answer = harness.ask("POST", &format!("/jobs?name={}", encoded(&name)), &[], body.as_bytes()).await;
        if answer.status != 202 {
            assert!([400, 413, 415].contains(&answer.status), "{name:?}: {}", answer.text);
            return false;
        }
        let id = answer.body["job_id"].as_str().unwrap().to_owned();
        let (keys, _) = harness.store.page(keys::INCOMING, None, 1000, Api::deadline()).await.unwrap();
        let notification = |key: &str| {
            let mut notification = event("s3-upload");
            let reported = &mut notification["Records"][0]["s3"];
            reported["bucket"]["name"] = json!("films");
            reported["object"] = json!({"key": encoded(key), "size": 1, "eTag": "e", "sequencer": "0"});
            notification
        };
        let bus = |key: &str| {
            json!({"source": "aws.s3", "detail-type": "Object Created", "id": "1", "account": "1",
            "time": "2026-01-01T00:00:00Z", "region": "r", "resources": [], "version": "0",
            "detail": {"bucket": {"name": "films"}, "object": {"key": key, "etag": "e"}}})
        };
        let named: Vec<&String> = keys
            .iter()
            .filter(|key| {
                let seen_events =
                    [notification(key), bus(key)].map(|event| match crate::intake::read(event, "films") {
                        Ok(crate::intake::Asked::Delivered(jobs)) => jobs
                            .into_iter()
                            .map(|job| JobId::of(&job.unwrap(), "any").as_str().to_owned())
                            .collect::<Vec<_>>(),
                        other => panic!("{key}: {other:?}"),
                    });
                let uploaded = crate::intake::upload("films", key, "e").unwrap();
                assert!(!crate::intake::is_companion(key), "{key} is accepted, and nobody works on it");
                let own = vec![JobId::of(&uploaded, "any").as_str().to_owned()];
                assert!(seen_events.iter().all(|seen_events| *seen_events == own), "{key}: {seen_events:?}");
                own[0] == id
            })
            .collect();
        assert_eq!(named.len(), 1, "{name:?}: job {id} has no document");
        true
    };
    for name in
        ["x.captions.de.md", "x.captions.pt-BR.json", "x.captions.de.storyboard.json", "a.png", "A.MP3", "a/b.svg"]
    {
        let answer = harness.ask("POST", &format!("/jobs?name={name}"), &[], b"# T").await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("http.bad_request")), "{name}");
        let envelope = json!({"document": {"name": name, "text": "# T"}}).to_string();
        let answer = harness.ask("POST", "/jobs", &[("content-type", "application/json")], envelope.as_bytes()).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("http.bad_request")), "{name}");
    }
    for name in ["lesson.md", ".md", "captions.de.md", "a.captions.md", "x", "x.exe", "incoming/films/status.json"] {
        assert!(taken(name.to_owned()).await, "{name}");
    }
    let settings = proptest::test_runner::Config { cases: 250, failure_persistence: None, ..Default::default() };
    let names = prop::collection::vec(prop::sample::select(PIECES), 0..7).prop_map(|pieces| pieces.concat());
    let run = |name: String| {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(taken(name)));
        Ok(())
    };
    proptest::test_runner::TestRunner::new(settings).run(&names, run).unwrap();
}

/// A listing is XML, in which some characters can't stand: a document of such a name would hide all others from whoever looks through
/// them.
#[tokio::test]
async fn no_key_keeps_others_from_being_listed() {
    let harness = Harness::open(None).await;
    for key in ["incoming/a\u{1}.md", "incoming/a\u{fffe}.md", "incoming/\u{b}.md"] {
        let put = harness.store.put(key, "# T", "text/markdown", Api::deadline()).await;
        assert_eq!(put.map_err(|error| error.code()), Err("store.refused"), "{key:?}");
    }
    for key in
        ["incoming/a\u{85}.md", "incoming/a\u{7f}.md", "incoming/&<>\"'.md", "incoming/a\tb\r\n.md", "incoming/ a .md"]
    {
        harness.store.put(key, "# T", "text/markdown", Api::deadline()).await.unwrap();
        let listed = harness.store.list(keys::INCOMING, 100, Api::deadline()).await.unwrap();
        assert!(listed.iter().any(|entry| entry.key == key), "{key:?}: {listed:?}");
    }
}

/// The files of the store whose names hold `part`, with one bit flipped.
fn damage(harness: &Harness, part: &str) {
    let mut found = 0;
    for entry in std::fs::read_dir(harness._dir.path().join("buckets/films")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().contains(part) {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[0] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            found += 1;
        }
    }
    assert!(found > 0, "nothing is called {part}");
}

/// One flipped bit: the job is told as what it is, hides no other, and sending the document again has it made anew.
#[tokio::test]
async fn what_the_store_damaged_is_made_anew_when_it_is_sent_again() {
    let harness = Harness::with(None, Api::proxying_store).await;
    let send = async |text: &str| harness.ask("POST", "/jobs?name=a.md", &[], text.as_bytes()).await;
    let healthy = send("# Healthy").await.body["job_id"].clone();
    let made = async |text: &str| {
        let id = send(text).await.body["job_id"].as_str().unwrap().to_owned();
        let lease = harness.claim(&id).await;
        let key = keys::of(&id.parse().unwrap(), keys::FILM);
        harness.store.put(&key, "a film", "video/mp4", Api::deadline()).await.unwrap();
        lease.change(|status| status.state = State::Running);
        let finish = |status: &mut crate::job::Status| {
            status.state = State::Succeeded;
            status.outputs.insert("film".to_owned(), key);
        };
        lease.finish(finish, Api::deadline()).await.unwrap();
        id
    };
    // The status.
    let id = made("# One").await;
    damage(&harness, &format!("{id}%2Fstatus"));
    let reported = harness.get(&format!("/jobs/{id}")).await;
    assert_eq!((reported.status, reported.body["code"].as_str()), (500, Some("store.damaged")));
    assert!(reported.body["remedy"].as_str().unwrap().contains("again"), "{}", reported.text);
    let listed = harness.get("/jobs").await;
    let jobs = listed.body["jobs"].as_array().unwrap();
    assert!(jobs.iter().any(|job| job["job_id"] == healthy) && jobs.len() == 2, "{}", listed.text);
    assert!(jobs.iter().any(|job| job["job_id"] == json!(id) && job["error"] == "store.damaged"), "{}", listed.text);
    let again = send("# One").await;
    assert_eq!((again.status, &again.body["job_id"]), (202, &json!(id)), "{}", again.text);
    let status = harness.claim(&id).await.status();
    assert_eq!(status.state, State::Queued, "whoever claims it begins anew");

    // The film.
    let id = made("# Two").await;
    assert_eq!(send("# Two").await.body["state"], "succeeded", "a film that is whole is left alone");
    damage(&harness, &format!("{id}%2Ffilm"));
    let again = send("# Two").await;
    assert_eq!((again.status, again.body["error"]["code"].as_str()), (202, Some("store.damaged")), "{}", again.text);
    let status = harness.claim(&id).await.status();
    assert_eq!((status.state, status.outputs.len()), (State::Queued, 0));
    assert_eq!(status.generation, 3, "made, lost, claimed");

    // The document itself, before anybody has read it, and the note of what was asked for.
    let id = send("# Three").await.body["job_id"].as_str().unwrap().to_owned();
    damage(&harness, "incoming");
    damage(&harness, &format!("{id}%2Frequest"));
    assert_eq!(send("# Three").await.status, 202);
    let (documents, _) = harness.store.page(keys::INCOMING, None, 10, Api::deadline()).await.unwrap();
    let mut whole = 0;
    for key in &documents {
        let document = harness.store.get(key, 99, Api::deadline()).await;
        whole += usize::from(document.is_ok_and(|document| document.bytes == b"# Three"[..]));
    }
    assert_eq!(whole, 1);
    assert_eq!(harness.get(&format!("/jobs/{id}")).await.body["state"], "queued");
}

/// Every answer says how browsers must treat it.
#[tokio::test]
async fn every_answer_bears_the_rules_for_browsers() {
    let harness = Harness::open(Some(SECRET)).await;
    for path in ["/health", "/openapi.json", "/jobs", "/nothing", "/jobs/0123456789abcdef01234567"] {
        let headers = harness.get(path).await.headers;
        let has = |name: &str, value: &str| headers[name].as_str().is_some_and(|given| given.contains(value));
        assert!(
            has("content-security-policy", "default-src 'none'")
                && has("content-security-policy", "frame-ancestors 'none'")
        );
        assert!(has("x-content-type-options", "nosniff") && has("x-frame-options", "DENY"), "{path}: {headers}");
        assert!(
            has("referrer-policy", "no-referrer") && has("cross-origin-resource-policy", "same-origin"),
            "{headers}"
        );
        assert!(has("cross-origin-opener-policy", "same-origin") && has("cache-control", "no-store"), "{headers}");
        assert!(!has("content-security-policy", "script-src"), "{path}: {headers}");
    }
}
