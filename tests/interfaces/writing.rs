//! Questions: a language model writes their lessons. The model is a server of ours that speaks the real protocol, and answers badly first.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use handler::config::{Config, WriteConfig};
use handler::deadline::Deadline;
use handler::error::{Code, JobError};
use handler::intake::Question;
use handler::store::Store;
use handler::write::{self, Review, Reviewer, Written};
use serde_json::{Value, json};
use storyboard::Document;

use crate::model::{KEY, Model, Reply, TOKENS};
use crate::rig::Rig;
use crate::serve::{BINARY, Harness};

const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
const GOOD: &str = "---\nlanguage: en\nquality: draft\n---\n\n# The blue sky\n\nThe sky is blue.\n\n## Light\n\n- short waves\n\nShort waves are scattered most.\n";
/// Its formula has a command that is none, in line 10.
const BAD: &str = "---\nlanguage: en\nquality: draft\n---\n\n# The blue sky\n\n## Light\n\n$$\\foo{x} + 1$$\n\nShort waves are scattered most.\n";

fn question(text: &str) -> Question {
    Question { question: text.to_owned(), language: None, minutes: None, quality: None }
}

fn settings(model: &Model, more: &[(&'static str, &str)]) -> WriteConfig {
    let mut all = model.settings();
    all.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let value = |name: &str| all.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    Config::from_lookup(value).unwrap().write
}

/// Finds what the marks in a lesson say.
#[derive(Default)]
struct Marks(Mutex<Vec<String>>);

#[async_trait]
impl Reviewer for Marks {
    async fn review(&self, lesson: &Document, _deadline: Deadline) -> Result<Review, JobError> {
        let text = String::from_utf8(lesson.bytes.clone()).unwrap();
        self.0.lock().unwrap().push(text.clone());
        let findings: Vec<String> = text.lines().filter(|line| line.contains("WRONG")).map(str::to_owned).collect();
        let errors = text.matches("VERY WRONG").count();
        Ok(Review { findings, errors, picture: None })
    }
}

async fn ask(model: &Model, more: &[(&'static str, &str)]) -> Result<Written, JobError> {
    let deadline = Deadline::after(Duration::from_secs(60));
    write::lesson(&question("Why is the sky blue?"), &settings(model, more), &Marks::default(), deadline).await
}

fn text(written: &Written) -> &str {
    std::str::from_utf8(&written.lesson.bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_goes_back_until_nothing_is() {
    let model = Model::start(|call| match call {
        0 => Reply::Says("Sure!\n\n```markdown\n# Sky\n\nWRONG colour\n```\nEnjoy!".to_owned()),
        1 => Reply::SaysUncounted("# Sky\n\nWRONG \u{20ac} again\n".to_owned()),
        _ => Reply::SaysAtOnce("```\n# Sky\n\nBlue.\n```".to_owned()),
    })
    .await;
    let written = ask(&model, &[]).await.unwrap();
    assert_eq!((text(&written), written.requests, written.review.findings.len()), ("# Sky\n\nBlue.\n", 3, 0));
    let calls = model.calls();
    let system = calls[0].body["messages"][0]["content"].as_str().unwrap();
    assert!(system.starts_with("# Writing a lesson for Chalkreel"), "{system}");
    assert!(calls[0].last().contains("Why is the sky blue?"), "{}", calls[0].last());
    assert!(calls[1].last().contains("- WRONG colour\n") && calls[2].last().contains("- WRONG \u{20ac} again\n"));
    assert_eq!(
        calls[1].body["messages"][2]["content"], "# Sky\n\nWRONG colour\n",
        "its lesson, without what was around it"
    );
    // Two of the three calls were counted by the server; the third is estimated.
    assert!(written.tokens > 2 * TOKENS && written.tokens < 2 * TOKENS + 4_000, "{}", written.tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_rounds_the_best_lesson_counts() {
    let lessons =
        ["# A\n\nWRONG\nWRONG\n", "# B\n\nWRONG\n", "# C\n\nVERY WRONG\n", "# D\n\nWRONG\nWRONG\nWRONG\n", "# E\n"];
    let model = Model::start(move |call| Reply::Says(lessons[call].to_owned())).await;
    let written = ask(&model, &[]).await.unwrap();
    assert_eq!((text(&written), written.requests), ("# B\n\nWRONG\n", 4));
    assert!(written.stopped.is_none() && written.review.errors == 0);
    assert_eq!(model.calls().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_is_repeated() {
    let half = || "# Half of a lesson, and".to_owned();
    let failures = [
        Reply::Refuses(500, "", "{\"error\": {\"message\": \"oops\"}}"),
        Reply::Refuses(503, "Content-Type: text/html\r\n", "<html>down</html>"),
        Reply::BreaksOff(half()),
        Reply::EndsEarly(half()),
        Reply::Fails,
        Reply::Garbage,
    ];
    let all = failures.map(|failure| async move {
        let first = failure.clone();
        let model = Model::start(
            move |call| if call == 0 { first.clone() } else { Reply::Says("# Sky\n\nBlue.\n".to_owned()) },
        )
        .await;
        let written = ask(&model, &[]).await.unwrap_or_else(|error| panic!("{failure:?}: {error}"));
        assert_eq!((text(&written), written.requests), ("# Sky\n\nBlue.\n", 2), "{failure:?}");
        assert_eq!(model.calls().len(), 2);
    });
    futures::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_says_when_to_come_again() {
    let model = Model::start(|call| match call {
        0 => Reply::Refuses(
            429,
            "Retry-After: 4\r\n",
            "{\"error\": {\"message\": \"slow down\", \"code\": \"rate_limit_exceeded\"}}",
        ),
        _ => Reply::Says("# Sky\n\nBlue.\n".to_owned()),
    })
    .await;
    ask(&model, &[]).await.unwrap();
    let calls = model.calls();
    let waited = calls[1].at - calls[0].at;
    assert!(waited >= Duration::from_secs(4) && waited < Duration::from_secs(12), "{waited:?}");
    // One that asks for more time than there is, is not waited for.
    let model = Model::start(|_| Reply::Refuses(429, "Retry-After: 3600\r\n", "later")).await;
    let begun = Instant::now();
    let error = ask(&model, &[]).await.unwrap_err();
    assert!(
        error.code == Code::WriteUnavailable && error.retryable && begun.elapsed() < Duration::from_secs(5),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_repetition_mends_ends_at_once() {
    for (reply, code, named) in [
        (Reply::Refuses(401, "", "{\"error\": {\"message\": \"wrong key\"}}"), Code::WriteDenied, "wrong key"),
        (
            Reply::Refuses(429, "", "{\"error\": {\"message\": \"pay\", \"code\": \"insufficient_quota\"}}"),
            Code::WriteDenied,
            "pay",
        ),
        (Reply::Refuses(404, "", "{\"error\": {\"message\": \"no such model\"}}"), Code::WriteRefused, "no such model"),
        (Reply::Refuses(302, "Location: http://192.0.2.1/\r\n", ""), Code::WriteRefused, "302"),
        (Reply::Html, Code::WriteRefused, "HTML"),
        (Reply::Withholds, Code::WriteRefused, "content_filter"),
        (Reply::Declines, Code::WriteRefused, "won't teach"),
    ] {
        let model = Model::start(move |_| reply.clone()).await;
        let error = ask(&model, &[]).await.unwrap_err();
        assert!(error.code == code && error.message.contains(named) && !error.message.contains(KEY), "{error}");
        assert_eq!(model.calls().len(), 1, "{error}");
    }
    let nobody = settings(&Model::start(|_| Reply::Hangs).await, &[("OPENAI_CHAT_MODEL", "")]);
    let deadline = Deadline::after(Duration::from_secs(5));
    let error = write::lesson(&question("Why?"), &nobody, &Marks::default(), deadline).await.unwrap_err();
    assert_eq!(error.code, Code::WriteNotConfigured);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_hangs_or_floods_costs_neither_time_nor_memory() {
    for reply in [Reply::Hangs, Reply::HangsMidway("# Half".to_owned())] {
        let model = Model::start(move |_| reply.clone()).await;
        let begun = Instant::now();
        let error = ask(&model, &[("WRITE_TIMEOUT", "3")]).await.unwrap_err();
        assert_eq!(error.code, Code::WriteTimedOut, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    }
    for lines in [true, false] {
        let model = Model::start(move |_| Reply::Floods { lines }).await;
        let error = ask(&model, &[]).await.unwrap_err();
        assert_eq!(error.code, Code::WriteNoLesson, "{error}");
        // What is in buffers of the system counts as sent.
        assert!(model.sent() < 40 << 20, "{}", model.sent());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_has_a_budget() {
    let bad = || Model::start(|call| Reply::Says(format!("# Sky {call}\n\nWRONG\n")));
    let model = bad().await;
    let written = ask(&model, &[("WRITE_MAX_REQUESTS", "2")]).await.unwrap();
    let stopped = written.stopped.as_ref().unwrap();
    assert_eq!((stopped.code, text(&written), model.calls().len()), (Code::WriteBudget, "# Sky 1\n\nWRONG\n", 2));

    let model = bad().await;
    let written = ask(&model, &[("WRITE_MAX_TOKENS", "3000")]).await.unwrap();
    assert!(written.stopped.is_some_and(|stopped| stopped.code == Code::WriteBudget) && written.tokens <= 3_000);

    let model = bad().await;
    let error = ask(&model, &[("WRITE_MAX_TOKENS", "100")]).await.unwrap_err();
    assert_eq!((error.code, model.calls().len()), (Code::WriteBudget, 0), "not even the first call fits");

    let model = Model::start(|_| Reply::Floods { lines: true }).await;
    let error = ask(&model, &[("WRITE_MAX_TOKENS", "10000")]).await.unwrap_err();
    assert_eq!(error.code, Code::WriteBudget, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_lesson_are_told_so() {
    let model = Model::start(|call| match call {
        0 => Reply::Says("```markdown\n```".to_owned()),
        1 => Reply::CutOff("# Sky\n\nIt is blue beca".to_owned()),
        _ => Reply::Says("# Sky\n\nBlue.\n".to_owned()),
    })
    .await;
    assert_eq!(text(&ask(&model, &[]).await.unwrap()), "# Sky\n\nBlue.\n");
    let calls = model.calls();
    assert!(calls[1].last().contains("has no lesson") && calls[2].last().contains("was cut off"));

    let model = Model::start(|_| Reply::Says("  \n".to_owned())).await;
    let error = ask(&model, &[]).await.unwrap_err();
    assert_eq!((error.code, model.calls().len()), (Code::WriteNoLesson, 4), "{error}");
}

/// The program, in a home of its own.
fn program(dir: &Path, model: Option<&Model>) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=5", "240", BINARY])
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LAYERS_DIR", LAYERS)
        .env("CHALKREEL_STORE_DIR", dir.join("store"))
        .env("HOME", dir)
        .env("VOICE_CHAIN", "espeak-ng")
        .stdin(Stdio::null());
    if let Some(model) = model {
        command.envs(model.settings());
    }
    command
}

/// Runs it without blocking the model, which is in this process.
async fn run(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_has_a_lesson_written_checked_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    let model =
        Model::start(|call| Reply::Says(if call == 0 { format!("```markdown\n{BAD}```") } else { GOOD.to_owned() }))
            .await;
    let mut command = program(dir.path(), Some(&model));
    command.args(["write", "Why is the sky blue?", "--out", "sky.md", "--language", "en", "--minutes", "2"]);
    command.env("OPENAI_CHAT_PICTURES", "on").env("CHALKREEL_LOG", "trace");
    let (code, stdout, stderr) = run(command).await;
    assert_eq!((code, &*stdout), (0, "sky.md\n"), "{stderr}");
    assert_eq!(std::fs::read_to_string(dir.path().join("sky.md")).unwrap(), GOOD);
    assert!(!stderr.contains(KEY), "{stderr}");
    let calls = model.calls();
    assert_eq!(calls.len(), 2, "{stderr}");
    assert!(calls[0].last().contains("language is en.") && calls[0].last().contains("about 2 minutes"));
    let line = 1 + BAD.lines().position(|line| line.contains("\\foo")).unwrap();
    assert!(calls[1].last().contains(&format!("- line {line}: ")), "{}", calls[1].last());
    assert!(calls[1].picture().is_some_and(|picture| picture.starts_with(b"\x89PNG")), "no picture");

    // A file that is there is never written over, and nothing is paid for.
    let mut command = program(dir.path(), Some(&model));
    command.args(["write", "And at night?", "--out", "sky.md"]);
    let (code, _, stderr) = run(command).await;
    assert!(code == 1 && stderr.contains("sky.md") && stderr.contains("--out"), "{stderr}");
    assert!(model.calls().is_empty());
    assert_eq!(std::fs::read_to_string(dir.path().join("sky.md")).unwrap(), GOOD);

    let mut command = program(dir.path(), None);
    command.args(["write", "Why?", "--out", "why.md"]);
    let (code, _, stderr) = run(command).await;
    assert!(code == 1 && stderr.contains("write.not_configured") && stderr.contains("OPENAI_CHAT_MODEL"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_that_stays_bad_is_left_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    // Words alone that name a file of whoever asks: it is not read.
    std::fs::write(dir.path().join("secret.png"), b"not a picture").unwrap();
    let bad = BAD.replace("$$\\foo{x} + 1$$", "![a secret](secret.png)");
    let answer = bad.clone();
    let model = Model::start(move |_| Reply::Says(answer.clone())).await;
    let mut command = program(dir.path(), Some(&model));
    command.args(["write", "Why is the sky blue?"]);
    let (code, _, stderr) = run(command).await;
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("still wrong: line ") && stderr.contains("secret.png"), "{stderr}");
    assert_eq!(std::fs::read_to_string(dir.path().join("lesson.md")).unwrap(), bad);
    assert_eq!(model.calls().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_a_job_in_every_door() {
    let model = Model::start(|call| Reply::Says(if call % 2 == 0 { BAD.to_owned() } else { GOOD.to_owned() })).await;
    let settings = model.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();

    // Over HTTP.
    let harness = Harness::new();
    let mut server = harness.start(&settings);
    let asked = json!({"question": "Why is the sky blue?", "quality": "draft"});
    let answer = harness.client.post(harness.url("/jobs")).json(&asked).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 202);
    let job = answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned();
    let status = harness.over(&job).await;
    assert_eq!((&status["state"], &status["title"]), (&json!("succeeded"), &json!("The blue sky")), "{status}");
    let lesson = harness.client.get(harness.url(&format!("/jobs/{job}/lesson"))).send().await.unwrap();
    assert!(lesson.headers()["content-type"].to_str().unwrap().starts_with("text/markdown"));
    assert_eq!(lesson.text().await.unwrap(), GOOD);
    let calls = model.calls();
    assert!(calls.len() == 2 && calls[1].last().contains("- line 10: "), "{}", calls[1].last());
    for wrong in [
        json!({"question": ""}),
        json!({"question": 7}),
        json!({"question": "Why?", "minutes": -1}),
        json!({"question": "Why?", "tone": "dry"}),
    ] {
        let answer = harness.client.post(harness.url("/jobs")).json(&wrong).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{wrong}");
    }
    // The same question is the same job, and not asked again.
    let again = harness.client.post(harness.url("/jobs")).json(&asked).send().await.unwrap();
    assert_eq!(again.json::<Value>().await.unwrap()["job_id"], job);

    // As an object.
    let store = Store::connect(&server.s3(), "chalkreel").await;
    let deadline = Deadline::after(Duration::from_secs(20));
    let asked = br#"{"question": "And at night?"}"#.to_vec();
    store.put("incoming/night.json", asked, "application/json", deadline).await.unwrap();
    let begun = Instant::now();
    let second = loop {
        let listed = harness.get("/jobs").await;
        let newest = &listed["jobs"][0]["job_id"];
        if *newest != job {
            break newest.as_str().unwrap().to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{listed}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let status = harness.over(&second).await;
    assert_eq!(status["state"], "succeeded", "{status}");
    assert!(model.calls()[0].last().contains("And at night?"));
    assert!(server.stop().is_empty());

    // As an event of Lambda, and of a program that names no model.
    let rig = Rig::new().await;
    let mut emulator = rig.emulator_with(240, &settings);
    let asked = json!({"question": "Why is the sky blue?", "quality": "draft", "language": "en"});
    let event = asked.clone();
    let address = emulator.address;
    let invoke = |emulator: crate::rig::Emulator, event: Value| {
        tokio::task::spawn_blocking(move || {
            let status = emulator.invoke(&event);
            (emulator, status)
        })
    };
    let (back, status) = invoke(emulator, event).await.unwrap();
    emulator = back;
    assert!(status["state"] == "succeeded" && emulator.address == address, "{status}");
    let job = status["job_id"].as_str().unwrap();
    assert_eq!(rig.published(job, "lesson.md").await, GOOD.as_bytes());
    assert!(model.calls()[0].last().contains("language is en."));
    assert!(emulator.server.stop().is_empty());
    let (mut emulator, status) = invoke(rig.emulator(60), json!({"question": "Who pays?"})).await.unwrap();
    assert_eq!((&status["state"], &status["error"]["code"]), (&json!("failed"), &json!("write.not_configured")));
    assert!(emulator.server.stop().is_empty());

    // On the command line.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("sky.json"), asked.to_string()).unwrap();
    let mut command = program(dir.path(), Some(&model));
    command.args(["render", "sky.json", "--out", "film"]);
    let (code, _, stderr) = run(command).await;
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(std::fs::read_to_string(dir.path().join("film/lesson.md")).unwrap(), GOOD);
    assert!(dir.path().join("film/film.mp4").is_file());
}
