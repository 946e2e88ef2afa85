//! Spans of a real film, in a collector that reads the real protocol; and collectors that don't.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::collector::{Collector, above, one};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");
const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
const LESSON: &str = "# Squares\n\n## Nine\n\nNine is the square of three.\n\n- nine\n\n## Four\n\nFour is the square of two.\n\n- four\n";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Makes a film in `dir` with those settings.
async fn render(dir: &Path, lesson: &str, settings: &[(&str, &str)]) -> Output {
    let (document, out) = (dir.join("lesson.md"), dir.join("out"));
    std::fs::write(&document, lesson).unwrap();
    let mut command = tokio::process::Command::new(BINARY);
    command
        .args(["render", document.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quality", "draft", "--json"])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", dir)
        .env("LAYERS_DIR", LAYERS)
        .env("VOICE_CHAIN", "espeak-ng")
        .env("CHALKREEL_STORE_DIR", dir.join("store"))
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(240), command.output()).await.unwrap().unwrap()
}

fn status(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_covers_a_film_from_its_command_to_each_child() {
    let (collector, address) = Collector::start().await;
    let dir = tempfile::tempdir().unwrap();
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*format!("http://{address}")),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=course"),
        ("TRACEPARENT", &format!("00-{TRACE}-{PARENT}-01")),
    ];
    let output = render(dir.path(), LESSON, &settings).await;
    let status = status(&output);
    assert_eq!(status["state"], "succeeded", "{status}");

    // All of them are there by the end of the process.
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == TRACE && !span.failed && span.from <= span.to), "{spans:#?}");
    let command = one(&spans, "command");
    assert_eq!(command.parent, PARENT);
    assert_eq!(command.service["service.name"], "chalkreel");
    assert_eq!(command.service["deployment.environment"], "course");
    let job = one(&spans, "job");
    assert_eq!(
        (job.fields["job_id"].as_str(), job.fields["state"].as_str()),
        (status["job_id"].as_str().unwrap(), "succeeded")
    );
    assert_eq!(above(&spans, job), ["command"]);

    let mut before = job.from;
    for stage in ["intake", "plan", "render", "assemble", "publish"] {
        let span = one(&spans, stage);
        assert_eq!(above(&spans, span), ["job", "command"], "{stage}");
        assert!(before <= span.from && span.to <= job.to, "{stage} is out of order");
        before = span.to;
    }
    let scenes: Vec<_> = spans.iter().filter(|span| span.name == "scene").collect();
    assert_eq!(scenes.len(), status["scenes"].as_array().unwrap().len());
    for scene in &scenes {
        assert_eq!(above(&spans, scene), ["render", "job", "command"]);
        let below: Vec<_> = spans.iter().filter(|span| span.parent == scene.id).map(|span| &*span.name).collect();
        assert!(below.contains(&"narrate") && below.contains(&"draw"), "{below:?}");
    }
    let children: Vec<_> = spans.iter().filter(|span| span.name == "child").collect();
    for (program, stage) in [("espeak-ng", "narrate"), ("ffmpeg", "assemble"), ("ffprobe", "assemble")] {
        let child = children.iter().find(|span| span.fields["program"] == program);
        let child = child.unwrap_or_else(|| panic!("no {program}: {children:#?}"));
        assert_eq!(child.fields["ending"], "it exited with code 0");
        assert!(
            children.iter().any(|span| span.fields["program"] == program && above(&spans, span)[0] == stage),
            "{program}"
        );
    }
    assert!(collector.headers().iter().all(|headers| headers["x-key"] == "abc"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_marked_in_its_span_and_nothing_is_sent_when_disabled() {
    let (collector, address) = Collector::start().await;
    let dir = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{address}");
    let off = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("OTEL_SDK_DISABLED", "true")];
    assert_eq!(render(dir.path(), "# No words", &off).await.status.code(), Some(1));
    assert!(collector.spans().is_empty(), "{:?}", collector.spans());

    let on =
        [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*format!("{endpoint}/v1/traces")), ("OTEL_SERVICE_NAME", "course")];
    assert_eq!(render(dir.path(), "# No words either", &on).await.status.code(), Some(1));
    let spans = collector.spans();
    let job = one(&spans, "job");
    assert!(
        job.failed && job.fields["code"] == "input.nothing_to_show" && job.service["service.name"] == "course",
        "{job:?}"
    );
}

/// A collector that is not there, one that never answers, and one that refuses: the film is made all the same, and in its time.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_collector_of_spans_fails_no_job_and_costs_little_time() {
    let dir = tempfile::tempdir().unwrap();
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refuses = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = refuses.local_addr().unwrap();
    tokio::spawn(axum::serve(refuses, axum::Router::new()).into_future());
    let quick = "# No words at all";
    let start = Instant::now();
    assert_eq!(render(dir.path(), quick, &[]).await.status.code(), Some(1));
    let usual = start.elapsed();
    for address in [deaf.local_addr().unwrap(), gone, refusing] {
        let endpoint = format!("http://{address}");
        let start = Instant::now();
        let output =
            render(dir.path(), quick, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("CHALKREEL_LOG", "warn")]).await;
        let took = start.elapsed();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(status(&output)["error"]["code"], "input.nothing_to_show");
        // Two seconds for the last of the spans, one for a thread that still waits, and some for a busy machine.
        assert!(took < usual * 2 + Duration::from_secs(5), "{took:?} with {address}, {usual:?} without");
    }
    let output = render(dir.path(), quick, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense://")]).await;
    assert_eq!(status(&output)["error"]["code"], "input.nothing_to_show");
}
