//! The function as Lambda runs it: the real binary under `cargo lambda watch` and under AWS's Runtime Interface
//! Emulator, with a real S3 server, real Manim and real ffmpeg.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "lambda/process.rs"]
mod process;
#[path = "lambda/rig.rs"]
mod rig;

use std::time::{Duration, Instant};

use rig::{Rig, event, soon};
use serde_json::{Value, json};

const LESSON: &str =
    "---\nquality: draft\n---\n# A right angle\n\n## Corners\n\nThree corners, one of them right.\n\n- one\n";

const NOTHING: [&str; 0] = [];

/// The notification of an upload, with the entity tag that the store gave.
async fn upload(rig: &Rig, document: &[u8]) -> Value {
    let etag = rig.store.put("incoming/my lesson.md", document.to_vec(), "text/markdown", soon()).await.unwrap();
    let mut event = event("s3-upload.json");
    let object = &mut event["Records"][0]["s3"]["object"];
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
    // Its deadline lies in 1970, so a function that believed it would give up at once.
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
async fn an_upload_becomes_a_film_once_however_often_it_is_told() {
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

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_become_a_film_is_said_and_not_delivered_again() {
    let rig = Rig::new().await;
    let emulator = rig.emulator(60);
    let answer = emulator.invoke(&upload(&rig, b"# Caf\xe9\n\nLatin-1.\n").await);
    assert_eq!(answer["jobs"][0]["state"], "failed", "{answer}");
    let job = job_id(&answer["jobs"][0]);
    let status = rig.status(&job).await;
    assert_eq!((&status["state"], &status["error"]["code"]), (&json!("failed"), &json!("input.not_utf8")), "{status}");
    let log = rig.log(&job).await;
    assert!(log.iter().any(|line| line.to_string().contains("input.not_utf8")), "{log:?}");

    let films = rig.store.list("films/", 100, soon()).await.unwrap();
    for (name, code) in [("s3-own-output.json", "intake.own_output"), ("unknown.json", "intake.unknown_event")] {
        let answer = emulator.invoke(&event(name));
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    assert_eq!(rig.store.list("films/", 100, soon()).await.unwrap(), films, "a refused event leaves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_late_tells_so_before_lambda_kills_it() {
    let rig = Rig::new().await;
    let mut emulator = rig.emulator(6);
    let scene =
        "## One more\n\nA sentence that takes some seconds to say, and its picture longer to draw.\n\n- a point\n\n";
    let slow =
        json!({"document": {"name": "slow.md", "text": format!("# Long\n\n{}", scene.repeat(20))}, "quality": "high"});
    let start = Instant::now();
    let status = emulator.invoke(&slow);
    assert!(start.elapsed() < Duration::from_secs(7), "{:?}", start.elapsed());
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
