//! The function as Lambda runs it: the real binary under `cargo lambda watch` and under AWS's Runtime Interface
//! Emulator, with a real S3 server, real Manim and real ffmpeg.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::collector::{Collector, above, one};
use crate::read;
use crate::rig::{Rig, event, soon};
use crate::services::Services;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};

const LESSON: &str =
    "---\nquality: draft\n---\n# A right angle\n\n## Corners\n\nThree corners, one of them right.\n\n- one\n";

const NOTHING: [&str; 0] = [];

/// The notification of a lesson's upload.
async fn upload(rig: &Rig, document: &[u8]) -> Value {
    upload_as(rig, "my lesson.md", document).await
}

/// The notification of an upload under that name, with the entity tag that the store gave.
async fn upload_as(rig: &Rig, name: &str, document: &[u8]) -> Value {
    let key = format!("incoming/{name}");
    let etag = rig.store.put(&key, document.to_vec(), "application/octet-stream", soon()).await.unwrap();
    let mut event = event("s3-upload.json");
    let object = &mut event["Records"][0]["s3"]["object"];
    object["key"] = json!(key.replace(' ', "+"));
    object["size"] = json!(document.len());
    object["eTag"] = json!(etag.as_str().trim_matches('"'));
    event
}

fn job_id(status: &Value) -> String {
    status["job_id"].as_str().unwrap_or_else(|| panic!("no job: {status}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_invoke_under_cargo_lambda_answers_with_the_final_status() {
    let rig = Rig::new().await;
    let mut lambda = rig.cargo_lambda();
    // Its deadline is in 1970, so a function that trusted it would give up at once.
    let status = lambda.invoke(&event("direct.json"));
    assert_eq!(status["state"], "succeeded", "{status}");
    assert_eq!(status["error"], Value::Null);
    let job = job_id(&status);
    assert_eq!(status["outputs"]["film"], format!("films/{job}/film.mp4"));
    assert_eq!(rig.status(&job).await, status);
    assert!(!rig.log(&job).await.is_empty());
    rig.assert_playable(&job).await;
    for (kind, key) in status["outputs"].as_object().unwrap() {
        let head = rig.store.head(key.as_str().unwrap(), soon()).await;
        assert!(head.is_ok_and(|head| head.size > 0), "{kind}");
    }

    let again = lambda.invoke(&event("direct.json"));
    assert_eq!(again, status, "the same document is the same job");
    let refused = lambda.invoke(&event("unknown.json"));
    assert_eq!(refused["error"]["code"], "intake.unknown_event");
    assert_eq!(lambda.server.stop(), NOTHING, "left running");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_becomes_one_film_however_often_it_is_delivered() {
    let rig = Rig::new().await;
    let mut emulator = rig.emulator(240);
    let event = upload(&rig, LESSON.as_bytes()).await;
    let answer = emulator.invoke(&event);
    assert_eq!(answer["jobs"][0]["state"], "succeeded", "{answer}");
    let job = job_id(&answer["jobs"][0]);
    let status = rig.status(&job).await;
    assert_eq!((&status["state"], &status["attempts"]), (&json!("succeeded"), &json!(1)), "{status}");
    assert!(!rig.log(&job).await.is_empty());
    rig.assert_playable(&job).await;

    let films = rig.store.list("films/", 100, soon()).await.unwrap();
    let start = Instant::now();
    assert_eq!(emulator.invoke(&event), answer);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(rig.status(&job).await, status, "a second delivery must not touch the job");
    assert_eq!(rig.store.list("films/", 100, soon()).await.unwrap(), films);
    assert_eq!(emulator.server.stop(), NOTHING, "left running");
}

/// Its data, its modules and its narration lie beside it in the bucket.
#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_program_has_the_files_beside_it() {
    const PROGRAM: &str = "from manim import *\nfrom shapes.round import SIDE\n\nclass Only(Scene):\n    def construct(self):\n        \
                           self.add(Square(SIDE))\n        self.wait(float(open('data/wait.txt').read()))\n";
    let rig = Rig::new().await;
    let emulator = rig.emulator(240);
    for (name, text) in [
        ("shapes/round.py", "from sides import SIDE\n"),
        ("sides.py", "SIDE = float(open('side.csv').read())\n"),
        ("side.csv", "2\n"),
        ("data/wait.txt", "7\n"),
        ("film.narration.md", "This is a square.\n"),
    ] {
        upload_as(&rig, name, text.as_bytes()).await;
    }
    let answer = emulator.invoke(&upload_as(&rig, "film.py", PROGRAM.as_bytes()).await);
    assert_eq!(answer["jobs"][0]["state"], "succeeded", "{answer}");
    let job = job_id(&answer["jobs"][0]);
    let status = rig.status(&job).await;
    assert_eq!(status["warnings"], json!([]), "{status}");
    let frames = status["scenes"][0]["frames"].as_u64().unwrap();
    assert!((210..240).contains(&frames), "{status}");
    let captions = String::from_utf8(rig.published(&job, "captions.vtt").await).unwrap();
    assert!(captions.contains("This is a square."), "{captions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_document_is_reported_and_not_delivered_again() {
    let rig = Rig::new().await;
    let emulator = rig.emulator(60);
    let answer = emulator.invoke(&upload(&rig, b"# Caf\xe9\n\nLatin-1.\n").await);
    assert_eq!(answer["jobs"][0]["state"], "failed", "{answer}");
    let job = job_id(&answer["jobs"][0]);
    let status = rig.status(&job).await;
    assert_eq!((&status["state"], &status["error"]["code"]), (&json!("failed"), &json!("input.not_utf8")), "{status}");
    let log = rig.log(&job).await;
    assert!(log.iter().any(|line| line.to_string().contains("input.not_utf8")), "{log:?}");

    // Without dead letters a message that can't be read is left to its queue's redrive.
    let mut batch = event("sqs-batch.json");
    batch["Records"].as_array_mut().unwrap().truncate(2);
    let ids: Vec<_> = (0..2).map(|index| json!({"itemIdentifier": batch["Records"][index]["messageId"]})).collect();
    assert_eq!(emulator.invoke(&batch), json!({"batchItemFailures": ids}));

    let films = rig.store.list("films/", 100, soon()).await.unwrap();
    for (name, code) in [("s3-own-output.json", "intake.own_output"), ("unknown.json", "intake.unknown_event")] {
        let answer = emulator.invoke(&event(name));
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    assert_eq!(rig.store.list("films/", 100, soon()).await.unwrap(), films, "a refused event leaves nothing");
}

/// A receiver that is away when the job ends, and back before its tries are used up.
#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_retried_while_a_receiver_is_down() {
    type Heard = Arc<Mutex<Vec<String>>>;
    async fn hook(State(heard): State<Heard>, body: String) -> StatusCode {
        let news: Value = serde_json::from_str(&body).unwrap();
        let mut heard = heard.lock().unwrap();
        heard.push(news["state"].as_str().unwrap().to_owned());
        let ends = heard.iter().filter(|state| *state == "failed").count();
        if (1..4).contains(&ends) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
    }
    let heard = Heard::default();
    let routes = Router::new().route("/", post(hook)).with_state(heard.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, routes).into_future());
    let rig = Rig::new().await;
    let settings = [
        ("CHALKREEL_WEBHOOK_URL", url.as_str()),
        ("CHALKREEL_WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef"),
        ("CHALKREEL_WEBHOOK_LOOPBACK", "on"),
    ];
    let emulator = rig.emulator_with(60, &settings);
    let answer = emulator.invoke(&upload(&rig, b"# Caf\xe9\n\nLatin-1.\n").await);
    // The process's clock would stop here.
    let heard = heard.lock().unwrap().clone();
    assert_eq!(answer["jobs"][0]["state"], "failed", "{answer}");
    assert_eq!(heard.iter().filter(|state| *state == "failed").count(), 4, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_job_writes_its_status_before_lambda_kills_it() {
    let rig = Rig::new().await;
    let mut emulator = rig.emulator(12);
    let scene =
        "## One more\n\nA sentence that takes some seconds to say, and its picture longer to draw.\n\n- a point\n\n";
    let slow =
        json!({"document": {"name": "slow.md", "text": format!("# Long\n\n{}", scene.repeat(20))}, "quality": "high"});
    let start = Instant::now();
    let status = emulator.invoke(&slow);
    assert!(start.elapsed() < Duration::from_secs(13), "{:?}", start.elapsed());
    let state = status["state"].as_str().unwrap_or_else(|| panic!("{status}"));
    assert!(["timed_out", "degraded"].contains(&state), "{status}");
    let job = job_id(&status);
    assert_eq!(rig.status(&job).await, status);
    assert!(!rig.log(&job).await.is_empty());

    // The same sandbox serves the next event, with nothing of the late job in its way.
    let refused = emulator.invoke(&event("unknown.json"));
    assert_eq!(refused["error"]["code"], "intake.unknown_event", "{refused}");
    let warm = rig.temporary();
    assert!(!warm.iter().any(|path| path.contains("/chalkreel-")), "the late job's folder is still there: {warm:?}");
    assert!(!emulator.server.log().contains("timed out after"), "{}", emulator.server.log());
    assert_eq!(emulator.server.stop(), NOTHING, "left running");
    assert_eq!(rig.temporary(), NOTHING, "left behind");
}

/// What IAM calls an operation.
fn action(operation: &str) -> &'static str {
    match operation {
        "GetObject" | "HeadObject" => "s3:GetObject",
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => "s3:PutObject",
        "AbortMultipartUpload" => "s3:AbortMultipartUpload",
        "DeleteObject" => "s3:DeleteObject",
        "ListObjectsV2" => "s3:ListBucket",
        other => panic!("{other} is not in the list of this test"),
    }
}

/// Compares what a function was seen to do with what its role may do.
fn assert_least_privilege(role: &str, calls: &[(String, String)]) {
    let allowed: BTreeSet<(String, String)> = read::in_the_bucket(&read::template(), role).into_iter().collect();
    let mut used = BTreeSet::new();
    for (operation, key) in calls {
        let action = action(operation);
        let key = if action == "s3:ListBucket" { "" } else { key };
        let found = allowed.iter().find(|(name, prefix)| name == action && key.starts_with(prefix));
        let found = found.unwrap_or_else(|| panic!("{role} may not {operation} {key}, which it did"));
        used.insert(found.clone());
    }
    // A missing object must be distinguishable from a forbidden one.
    used.insert(("s3:ListBucket".to_owned(), String::new()));
    let unused: Vec<_> = allowed.difference(&used).collect();
    assert!(unused.is_empty(), "{role} may {unused:?}, which nothing needs");
}

/// The same beside S3: what its code was seen to call, and what Lambda itself does in the role's name, for a queue that feeds
/// the function, for events that failed, and for its log.
fn assert_least_privilege_elsewhere(function: &str, role: &str, calls: &[(String, String)]) {
    let template = read::template();
    let resources = &template["Resources"];
    let properties = &resources[function]["Properties"];
    assert_eq!(properties["Role"]["Fn::GetAtt"][0], role);
    let mut needed: BTreeSet<(String, String)> = calls.iter().cloned().collect();
    let mut need = |actions: &[&str], on: &Value| {
        let on = on["Fn::GetAtt"][0].as_str().or_else(|| on["Ref"].as_str()).unwrap();
        needed.extend(actions.iter().map(|action| ((*action).to_owned(), on.to_owned())));
    };
    for event in properties["Events"].as_object().into_iter().flat_map(|events| events.values()) {
        if event["Type"] == "SQS" {
            let actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
            need(&actions, &event["Properties"]["Queue"]);
        }
    }
    let failed = &properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
    if failed["Type"] == "SQS" {
        need(&["sqs:SendMessage"], &failed["Destination"]);
    }
    need(&["logs:CreateLogStream", "logs:PutLogEvents"], &properties["LoggingConfig"]["LogGroup"]);

    let named = |resource: &Value| -> String {
        let name = resource["Fn::GetAtt"][0].as_str().or_else(|| resource.as_str());
        let arn = name.or_else(|| resource["Fn::Sub"].as_str()).unwrap();
        // A group of the log by its resource, a bus by its name.
        let group = arn.split_once(":log-group:").map(|(_, name)| name.trim_end_matches(":*"));
        let group = group.map(|name| {
            let found = resources
                .as_object()
                .unwrap()
                .iter()
                .find(|(_, one)| one["Properties"]["LogGroupName"]["Fn::Sub"] == name);
            found.unwrap_or_else(|| panic!("no log group is named {name}")).0.as_str()
        });
        group.or_else(|| arn.rsplit_once(":event-bus/").map(|(_, bus)| bus)).unwrap_or(arn).to_owned()
    };
    // Films that are too long are started in `tests/interfaces/machine.rs`, by the machine that the function is told of.
    if let Some(machine) = properties["Environment"]["Variables"]["CHALKREEL_STATE_MACHINE"]["Fn::Sub"].as_str() {
        needed.insert(("states:StartExecution".to_owned(), machine.to_owned()));
    }

    let mut granted = BTreeSet::new();
    for statement in read::statements(&template, role) {
        assert_eq!(statement["Effect"], "Allow");
        for action in read::each(&statement["Action"]).into_iter().map(|action| action.as_str().unwrap()) {
            if !action.starts_with("s3:") {
                let on = read::each(&statement["Resource"]).into_iter().map(named);
                granted.extend(on.map(|on| (action.to_owned(), on)));
            }
        }
    }
    assert_eq!(granted, needed, "{role} may what is on the left, and needs what is on the right");
}

/// The functions of the template, one after the other: a lesson comes over HTTP, and the notification of its upload makes the
/// film. Each may do what it does, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn the_roles_of_the_template_suffice_for_a_lesson_over_http() {
    let rig = Rig::new().await;
    let http = |method: &str, path: &str| {
        let mut request = event("http-health.json");
        request["requestContext"]["http"]["method"] = json!(method);
        request["rawPath"] = json!(path);
        request
    };
    let body = |answer: &Value| -> Value { serde_json::from_str(answer["body"].as_str().unwrap()).unwrap() };

    let (heard, bus) = Services::start().await;
    let bus = format!("http://{bus}");
    // As the template says it.
    let notifying = [("CHALKREEL_EVENT_BUS", "${EventBus}"), ("CHALKREEL_EVENTS_ENDPOINT", bus.as_str())];
    let mut interface = rig.http_emulator(&notifying);
    rig.calls.take();
    let submit = event("http-submit.json");
    let answer = interface.invoke(&submit);
    assert_eq!(answer["statusCode"], 202, "{answer}");
    let job = job_id(&body(&answer));
    assert_eq!(body(&answer)["state"], "queued", "the request must not wait for its film");
    assert_eq!(body(&interface.invoke(&submit))["job_id"], job);
    assert_eq!(interface.invoke(&event("http-submit-base64.json"))["statusCode"], 202);
    let other = job_id(&body(&interface.invoke(&event("http-submit-base64.json"))));
    let cancelled = interface.invoke(&http("DELETE", &format!("/jobs/{other}")));
    assert_eq!(body(&cancelled)["state"], "cancelled", "{cancelled}");
    // Before it began, no other process could have notified.
    let news = heard.sent("events:PutEvents");
    assert_eq!(news.len(), 1, "{news:?}");
    assert_eq!((&news[0]["job_id"], &news[0]["state"]), (&json!(other), &json!("cancelled")));
    let listed = body(&interface.invoke(&http("GET", "/jobs")));
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 2, "{listed}");
    let refused = interface.invoke(&event("unknown.json"));
    assert_eq!(refused["error"]["code"], "intake.unknown_event");
    assert_eq!(interface.server.stop(), NOTHING, "left running");
    let asked = rig.calls.take();

    // As S3 notifies of an upload.
    let uploads = rig.store.list("incoming/http/", 10, soon()).await.unwrap();
    let told = |name: &str| {
        let upload = uploads.iter().find(|entry| entry.key.ends_with(name)).unwrap();
        let mut notification = event("s3-upload.json");
        notification["Records"][0]["s3"]["object"]["key"] = json!(upload.key);
        notification["Records"][0]["s3"]["object"]["eTag"] = json!("0123456789abcdef0123456789abcdef");
        notification
    };
    let (services, endpoint) = Services::start().await;
    let (collector, collecting) = Collector::start().await;
    let (endpoint, collecting) = (format!("http://{endpoint}"), format!("http://{collecting}"));
    let mut emulator = rig.emulator_with(
        240,
        &[
            ("CHALKREEL_METRICS", "on"),
            ("CHALKREEL_PLANNERS", "planners/"),
            // As the template says it.
            ("CHALKREEL_EVENT_BUS", "${EventBus}"),
            ("CHALKREEL_EVENTS_ENDPOINT", &endpoint),
            ("VOICE_CHAIN", "polly,espeak-ng"),
            ("POLLY_BASE_URL", &endpoint),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collecting),
            ("CHALKREEL_DEAD_LETTERS", "https://sqs.us-east-1.amazonaws.com/123456789012/FailedEvents"),
            ("AWS_ENDPOINT_URL", &endpoint),
        ],
    );
    let dropped = upload(&rig, b"# Caf\xe9\n\nLatin-1.\n").await;
    rig.calls.take();
    let answer = emulator.invoke(&told("lesson.md"));
    assert_eq!((&answer["jobs"][0]["job_id"], &answer["jobs"][0]["state"]), (&json!(job), &json!("succeeded")));
    // All spans of an invocation are there before its answer: Lambda stops the clock then.
    let spans = collector.spans();
    let film = one(&spans, "job");
    assert_eq!((film.fields["job_id"].as_str(), film.fields["state"].as_str()), (&*job, "succeeded"));
    assert_eq!(above(&spans, film), ["invocation"]);
    assert!(one(&spans, "invocation").fields.contains_key("request_id"));
    assert_eq!(above(&spans, one(&spans, "publish")), ["job", "invocation"]);

    let skipped = emulator.invoke(&told("zaehlen.md"));
    assert_eq!((&skipped["jobs"][0]["job_id"], &skipped["jobs"][0]["state"]), (&json!(other), &json!("cancelled")));

    let lesson = json!({"name": "lesson.md", "text": LESSON});
    let unplanned = emulator.invoke(&json!({"document": lesson, "planner": "not-there"}));
    assert_eq!(unplanned["error"]["code"], "planner.not_found", "{unplanned}");

    // Messages of a queue fail one by one; a job that failed for good is none of the queue's business.
    let mut batch = event("sqs-batch.json");
    let mut again = batch["Records"][0].clone();
    again["body"] = json!(dropped.to_string());
    batch["Records"] = json!([batch["Records"][0], batch["Records"][1], again, batch["Records"][3]]);
    // A message that can't be parsed is in the dead-letter queue at once, unchanged, with the reason.
    assert_eq!(emulator.invoke(&batch), json!({"batchItemFailures": []}));
    let letters = services.sent("sqs:SendMessage");
    assert_eq!(letters.len(), 2, "{letters:?}");
    for (letter, record) in letters.iter().zip(batch["Records"].as_array().unwrap()) {
        let attribute = |name: &str| letter["MessageAttributes"][name]["StringValue"].as_str().unwrap();
        assert_eq!((&letter["MessageBody"], attribute("code")), (&record["body"], "intake.unknown_event"));
        assert!(!attribute("message").is_empty());
    }
    assert!(emulator.server.log().contains("intake.unknown_event"), "{}", emulator.server.log());
    // A batch that can't be read at all must not pass for one that succeeded.
    let mut unread = batch.clone();
    unread["Records"][0].as_object_mut().unwrap().remove("messageId");
    let failed = emulator.invoke(&unread);
    assert_eq!(failed["errorType"], "intake.bad_request", "{failed}");

    // What CloudWatch counts, one line a job that was worked on.
    let log = emulator.server.log();
    let counted: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let counted: Vec<_> = counted.iter().filter(|line| line["_aws"].is_object()).collect();
    let states: Vec<_> = counted.iter().map(|line| &line["state"]).collect();
    assert_eq!(states, ["succeeded", "failed", "failed"], "{log}");
    for line in counted {
        let (seconds, billed) = (line["Seconds"].as_f64().unwrap(), line["GigabyteSeconds"].as_f64().unwrap());
        assert!((billed - seconds * 3008.0 / 1024.0).abs() < 1e-6 && line["FunctionName"] == "chalkreel", "{line}");
    }
    assert_eq!(emulator.server.stop(), NOTHING, "left running");
    let made = rig.calls.take();

    // Served like everything else, from what the other function left.
    let interface = rig.http_emulator(&notifying);
    rig.calls.take();
    for (output, status) in [("", 200), ("/log", 200), ("/page", 200), ("/captions", 200), ("/film", 302)] {
        let answer = interface.invoke(&http("GET", &format!("/jobs/{job}{output}")));
        assert_eq!(answer["statusCode"], status, "{output}: {answer}");
    }
    let film = interface.invoke(&http("GET", &format!("/jobs/{job}/film")));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let part =
        client.get(film["headers"]["location"].as_str().unwrap()).header("range", "bytes=4-7").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.bytes().await.unwrap()[..]), (206, &b"ftyp"[..]));
    let listed = body(&interface.invoke(&http("GET", "/jobs")));
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 4, "{listed}");

    let served = [asked, rig.calls.take()].concat();
    assert_least_privilege("HttpRole", &served);
    assert_least_privilege("RenderRole", &made);
    assert_least_privilege_elsewhere("RenderFunction", "RenderRole", &services.calls());
    assert_least_privilege_elsewhere("HttpFunction", "HttpRole", &heard.calls());
}
