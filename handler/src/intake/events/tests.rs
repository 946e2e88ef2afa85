use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/events");

fn event(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn summary(requests: &[Read]) -> String {
    let one = |request: &Read| {
        let request = match request {
            Ok(request) => request,
            Err(refused) => return refused.code.name().to_owned(),
        };
        let what = match &request.source {
            Source::Object { bucket, key, version } => {
                format!("s3://{bucket}/{key}@{}", version.as_deref().unwrap_or("-"))
            }
            source @ Source::Inline { .. } => format!("{source:?}").split('"').nth(1).unwrap().to_owned(),
        };
        let quality = request.quality.map(|quality| format!(" {quality}")).unwrap_or_default();
        let token = request.token.as_ref().map(|token| format!(" ={token}")).unwrap_or_default();
        format!("{what}{quality}{token}")
    };
    requests.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What is made of an event, in one line.
fn line(event: Value) -> String {
    match read(event, "own") {
        Ok(Asked::Direct(request)) => format!("direct {}", summary(&[Ok(request)])),
        Ok(Asked::Task(task)) => format!("{task:?}"),
        Ok(Asked::Delivered(requests)) => format!("delivered {}", summary(&requests)),
        Ok(Asked::Batch(batch)) => {
            let message = |message: &Message| format!("[{}]", summary(&message.requests));
            let order = if batch.fifo { "fifo" } else { "batch" };
            format!("{order} {}", batch.messages.iter().map(message).collect::<Vec<_>>().join(" "))
        }
        Ok(Asked::Http(request)) => {
            format!("http {} {}", request.request_context.http.method, request.raw_path.unwrap_or_default())
        }
        Err(error) => error.code.name().to_owned(),
    }
}

#[test]
fn every_door_is_known() {
    let upload = "s3://lessons/incoming/my lesson.md@0123456789abcdef0123456789abcdef";
    for (file, expected) in [
        ("s3-upload", format!("delivered {upload}")),
        ("s3-multipart", "delivered s3://lessons/incoming/über √2+1 & co.md@3HL4kqtJvjVBH40Nrjfkd".to_owned()),
        ("s3-test", "delivered ".to_owned()),
        ("eventbridge-s3", format!("delivered {upload}")),
        ("eventbridge-custom", "delivered s3://courses/algebra/lesson.md@- high".to_owned()),
        ("eventbridge-own", "intake.own_output".to_owned()),
        ("eventbridge-removed", "intake.unknown_event".to_owned()),
        ("scheduler", "direct s3://lessons/incoming/daily.md@- draft =d32c5kddcf5bb8c3".to_owned()),
        ("sns-s3", format!("delivered {upload}")),
        ("sns-eventbridge", format!("delivered {upload}")),
        ("sqs-s3", format!("batch [{upload}]")),
        ("sqs-eventbridge", format!("batch [{upload}]")),
        ("sqs-sns-s3", format!("batch [{upload}]")),
        ("sqs-batch", "batch [intake.unknown_event] [intake.unknown_event] [lesson.md draft] []".to_owned()),
        ("sqs-fifo", "fifo [intake.unknown_event] [lesson.md draft]".to_owned()),
        ("http-submit", "http POST /jobs".to_owned()),
        ("http-submit-base64", "http POST /jobs".to_owned()),
        ("http-health", "http GET /health".to_owned()),
        ("http-api-jobs", "http GET /production/jobs".to_owned()),
        ("direct", "direct lesson.md draft".to_owned()),
        ("unknown", "intake.unknown_event".to_owned()),
    ] {
        assert_eq!(line(event(&Path::new(EVENTS).join(format!("{file}.json")))), expected, "{file}");
    }
}

/// Events that the library's authors keep, most of them recorded. Each is read or refused with a code.
#[test]
fn recorded_events_are_read_or_refused() {
    let folder = Path::new(EVENTS).join("aws_lambda_events");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    assert!(files.len() > 50);
    let mut read = Vec::new();
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap().trim_start_matches("example-").to_owned();
        let line = line(event(&path));
        let code = line.starts_with("intake.");
        let known = ["delivered ", "batch ", "http "].iter().any(|kind| line.starts_with(kind));
        assert!(code || known, "{name}: {line}");
        if !code {
            read.push(format!("{name}: {line}"));
        }
    }
    read.sort();
    let expected = [
        "apigw-sam-http-request: http GET /dump",
        "apigw-v2-request-iam: http GET /my/path",
        "apigw-v2-request-jwt-authorizer: http GET /my/path",
        "apigw-v2-request-lambda-authorizer: http GET /my/path",
        "apigw-v2-request-multi-value-parameters: http GET /my/path",
        "apigw-v2-request-no-authorizer: http GET /",
        // An uploaded picture is no job.
        "s3-event-with-decoded: delivered ",
        "s3-event: delivered ",
        "sqs-event-obj: batch [intake.unknown_event]",
        "sqs-event: batch [intake.unknown_event]",
    ];
    assert_eq!(read, expected);
}

/// The same upload, told over different interfaces, is one job.
#[test]
fn one_upload_is_one_job_whichever_way_it_is_told() {
    let id = |file: &str| {
        let request = match read(event(&Path::new(EVENTS).join(file)), "own").unwrap() {
            Asked::Delivered(requests) => requests.into_iter().next().unwrap(),
            Asked::Batch(mut batch) => batch.messages.remove(0).requests.remove(0),
            other => panic!("{other:?}"),
        };
        let request = request.unwrap();
        crate::job::JobId::of(&request, "")
    };
    let one = id("s3-upload.json");
    for file in ["eventbridge-s3.json", "sns-s3.json", "sns-eventbridge.json", "sqs-s3.json", "sqs-sns-s3.json"] {
        assert_eq!(id(file), one, "{file}");
    }
}

fn notification(name: &str, bucket: &str, key: &str) -> Value {
    let mut event = event(&Path::new(EVENTS).join("s3-upload.json"));
    let record = &mut event["Records"][0];
    record["eventName"] = json!(name);
    record["s3"]["bucket"]["name"] = json!(bucket);
    record["s3"]["object"]["key"] = json!(key);
    event
}

#[test]
fn what_the_service_wrote_is_refused() {
    let created = |bucket, key| line(notification("ObjectCreated:Put", bucket, key));
    for key in ["films/1/film.mp4", "films%2F1%2Ffilm.mp4", "cache/clips/x.mp4", "films/by-time/1"] {
        assert_eq!(created("own", key), "intake.own_output", "{key}");
        assert!(created("elsewhere", key).starts_with("delivered "), "{key}");
    }
    assert_eq!(line(json!({"source": "s3://own/cache/clips/x.mp4"})), "intake.own_output");
    let mut summary = event(&Path::new(EVENTS).join("eventbridge-s3.json"));
    summary["detail"]["bucket"]["name"] = json!("own");
    summary["detail"]["object"]["key"] = json!("films/1/film.mp4");
    assert_eq!(line(summary), "intake.own_output");
}

#[test]
fn what_came_over_http_says_in_its_key_which_job_it_is() {
    let key = "incoming/http/0123456789abcdef0123456789abcdef/draft/a+b.md";
    let expected = "s3://own/incoming/http/0123456789abcdef0123456789abcdef/draft/a b.md@- draft \
        =0123456789abcdef0123456789abcdef";
    assert_eq!(line(notification("ObjectCreated:Put", "own", key)), format!("delivered {expected}"));
}

#[test]
fn unknown_events_say_how_they_begin() {
    let unknown = |event: Value| {
        let error = read(event, "own").unwrap_err();
        assert_eq!(error.code, Code::IntakeUnknownEvent);
        error.message
    };
    assert!(unknown(json!({"hello": "world"})).contains("hello"));
    assert!(unknown(json!({"hello": "x".repeat(100_000)})).len() < 300);
    assert!(unknown(notification("ObjectRemoved:Delete", "b", "k")).contains("ObjectRemoved"));
    assert!(unknown(json!({"Records": [{"eventSource": "aws:kinesis"}]})).contains("aws:kinesis"));
    for nothing in [json!(null), json!([]), json!({"Records": []}), json!({"Records": [null]}), json!("x"), json!(1)] {
        let line = line(nothing.clone());
        assert!(["intake.unknown_event", "delivered "].contains(&line.as_str()), "{nothing}: {line}");
    }
}

/// One record that is refused does not keep the others from being made, whichever envelope they came in.
#[test]
fn one_bad_record_does_not_refuse_the_others() {
    let mut records = notification("ObjectCreated:Put", "b", "a.md");
    for (name, key) in
        [("ObjectRemoved:Delete", "gone.md"), ("ObjectCreated:Put", "%FF.md"), ("ObjectCreated:Put", "c.md")]
    {
        records["Records"].as_array_mut().unwrap().push(notification(name, "b", key)["Records"][0].clone());
    }
    let etag = "0123456789abcdef0123456789abcdef";
    let read = format!("s3://b/a.md@{etag}, intake.unknown_event, intake.bad_request, s3://b/c.md@{etag}");
    assert_eq!(line(records.clone()), format!("delivered {read}"));

    let mut posted = event(&Path::new(EVENTS).join("sns-s3.json"));
    let mut letter = posted["Records"][0].clone();
    letter["Sns"]["Message"] = json!("no JSON");
    posted["Records"].as_array_mut().unwrap().insert(0, letter.clone());
    let read = line(posted.clone());
    assert!(read.starts_with("delivered intake.unknown_event, s3://lessons/"), "{read}");
    posted["Records"] = json!([letter]);
    assert_eq!(line(posted), "intake.unknown_event", "an event of which nothing can be read is refused as a whole");

    let mut queued = event(&Path::new(EVENTS).join("sqs-s3.json"));
    queued["Records"][0]["body"] = json!(records.to_string());
    assert!(line(queued).starts_with("batch [s3://b/a.md@"));
}

#[test]
fn who_sent_an_event_decides_how_a_refusal_is_told() {
    for (file, expected) in [
        ("http-submit", Sender::Http),
        ("sqs-batch", Sender::Queue),
        ("sns-s3", Sender::Other),
        ("direct", Sender::Other),
        ("unknown", Sender::Other),
    ] {
        assert_eq!(sender(&event(&Path::new(EVENTS).join(format!("{file}.json")))), expected, "{file}");
    }
    assert_eq!(sender(&json!({"task": "plan"})), Sender::Machine);
}

#[test]
fn envelopes_end() {
    let mut event = json!({"source": "s3://b/k"});
    for depth in 0..8 {
        let wrapped = json!({"Type": "Notification", "Message": event.to_string()});
        let line = line(wrapped.clone());
        assert_eq!(line.starts_with("delivered "), depth < 3, "{depth}: {line}");
        event = wrapped;
    }
}

#[test]
fn a_schedule_without_an_input_says_what_it_lacks() {
    let path = Path::new(EVENTS).join("aws_lambda_events/example-eventbridge-schedule.json");
    let error = read(event(&path), "own").unwrap_err();
    assert_eq!(error.code, Code::IntakeUnknownEvent);
    assert!(error.message.contains("input"), "{}", error.message);
}

#[test]
fn direct_requests_name_the_field_at_fault() {
    for (event, word) in [
        (json!({"document": {"name": "a.md"}}), "base64"),
        (json!({"document": {"name": "a.md", "base64": "%"}}), "base64"),
        (json!({"document": {"name": "a.md", "text": ""}, "qualty": "draft"}), "qualty"),
        (json!({"document": {"name": "a.md", "text": ""}, "quality": "best"}), "best"),
        (json!({"source": "http://x/y"}), "s3://"),
        (json!({"source": "s3://b/k", "document": {"name": "a", "text": "b"}}), "one of"),
    ] {
        let error = read(event, "own").unwrap_err();
        assert_eq!(error.code, Code::IntakeBadRequest);
        assert!(error.message.contains(word), "{}", error.message);
    }
}

#[test]
fn a_picture_beside_a_lesson_is_no_lesson() {
    let mut event = event(&Path::new(EVENTS).join("s3-upload.json"));
    event["Records"][0]["s3"]["object"]["key"] = json!("incoming/pictures/a+b.PNG");
    assert_eq!(line(event), "delivered ");
}

#[test]
fn the_words_of_a_lesson_in_another_language_are_no_lesson() {
    let summary = |key: &str| {
        let mut event = event(&Path::new(EVENTS).join("s3-upload.json"));
        event["Records"][0]["s3"]["object"]["key"] = json!(key);
        line(event)
    };
    assert_eq!(summary("incoming/a.captions.pt-BR.md"), "delivered ");
    assert!(summary("incoming/a.de.md").contains("incoming/a.de.md"));
}

#[test]
fn tasks_of_the_state_machine_are_read_as_its_definition_spells_them() {
    let handover = "0123456789abcdef".repeat(4);
    let job = "0123456789abcdef01234567";
    let task = |event: Value| match read(event, "own") {
        Ok(Asked::Task(task)) => Ok(*task),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code.name()),
    };
    let of_request = task(json!({"task": "plan", "request": {"source": "s3://b/a.md"}, "execution": "x"}));
    let Ok(Task::Plan { subject: Subject::Request(request), .. }) = of_request else { panic!("{of_request:?}") };
    assert_eq!(summary(&[Ok(request)]), "s3://b/a.md@-");
    let handed = json!({"job_id": job, "handover": handover});
    let of_job = task(json!({"task": "plan", "request": handed, "execution": "x"}));
    assert!(matches!(&of_job, Ok(Task::Plan { subject: Subject::Job(id, _), .. }) if id.as_str() == job), "{of_job:?}");
    let scene = task(json!({"task": "scene", "job_id": job, "handover": handover, "scene": "s", "execution": "x"}));
    assert!(matches!(&scene, Ok(Task::Scene { scene, .. }) if scene == "s"), "{scene:?}");
    let nothing = task(json!({"task": "assemble", "job_id": job, "handover": null, "execution": "x"}));
    assert!(matches!(&nothing, Ok(Task::Assemble { handover: None, .. })), "{nothing:?}");

    // What EventBridge tells of an execution that was stopped, as its documentation shows it.
    let stopped = task(json!({
        "version": "0", "id": "1", "detail-type": "Step Functions Execution Status Change", "source": "aws.states",
        "account": "1", "time": "2019-02-26T19:42:21Z", "region": "us-east-1", "resources": ["x"],
        "detail": {"executionArn": "x", "stateMachineArn": "m", "name": "n", "status": "ABORTED", "startDate": 1,
            "stopDate": 2, "input": handed.to_string(), "inputDetails": {"included": true}, "output": null,
            "error": null, "cause": null},
    }));
    let Ok(Task::Fail { subject: Subject::Job(..), execution, error }) = stopped else { panic!("{stopped:?}") };
    assert_eq!((&*execution, &*error.name), ("x", "ABORTED"));

    for wrong in [
        json!({"task": "paint"}),
        json!({"task": "plan", "request": {}, "execution": "x"}),
        json!({"task": "scene", "job_id": "../x", "handover": handover, "scene": "s", "execution": "x"}),
        json!({"task": "scene", "job_id": job, "handover": "x", "scene": "s", "execution": "x"}),
    ] {
        assert_eq!(task(wrong.clone()).err(), Some("intake.bad_request"), "{wrong}");
    }
}
