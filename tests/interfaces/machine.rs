//! Films that many machines make: the state machine of `template.yaml`, run by an engine of the States Language, whose tasks are
//! invocations of the real binary in several of AWS's Runtime Interface Emulators, with a real S3 server between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Server, free_port};
use crate::read;
use crate::rig::{Emulator, Rig, event, layer, soon, tool};
use crate::services::Services;
use serde_json::{Value, json};

/// Sandboxes that do tasks, and scenes that are drawn at a time.
const SANDBOXES: usize = 2;
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:chalkreel";
const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:chalkreel";
/// Longer than any execution of these tests takes on a busy machine.
const LONGEST: Duration = Duration::from_secs(240);

const LESSON: &str = "---\nquality: draft\n---\n# Squares\n\nNine is a square, and so are sixteen and twenty-five, as everybody \
    knows who has ever laid out tiles on the floor of a kitchen.\n\n## Three times three\n\nThree rows of three tiles are nine tiles \
    in all, and so we say that the square of three is nine.\n\n- nine\n\n## Four times four\n\nFour rows of four tiles are sixteen \
    tiles in all, and so we say that the square of four is sixteen.\n\n$$4^2 = 16$$\n\n## A graph\n\nThe graph of the square opens \
    upwards, and on both sides it rises faster and faster.\n\n```plot\ny = x^2\n```\n";

/// The machine's definition, as the template has it for these names.
fn definition() -> String {
    let template = read::template();
    let machine = &template["Resources"]["FilmMachine"]["Properties"];
    let mut definition = machine["Definition"].to_string();
    for (name, value) in [
        ("Invoke", "arn:aws:states:::lambda:invoke".to_owned()),
        ("Function", FUNCTION.to_owned()),
        ("ScenesAtATime", SANDBOXES.to_string()),
    ] {
        assert!(machine["DefinitionSubstitutions"].get(name).is_some(), "{name} is not substituted");
        definition = definition.replace(&format!("${{{name}}}"), &value);
    }
    assert!(!definition.contains("${"), "{definition}");
    definition
}

/// A store, sandboxes, and Step Functions.
struct Factory {
    rig: Rig,
    sandboxes: Vec<Emulator>,
    url: String,
    calls: PathBuf,
    _engine: Server,
}

/// A call of the function by the engine.
#[derive(Debug, Clone)]
struct Call {
    task: String,
    scene: String,
    port: u16,
    /// None while it runs.
    answer: Option<Value>,
}

impl Factory {
    async fn open() -> Self {
        let rig = Rig::new().await;
        let sandboxes: Vec<Emulator> = (0..SANDBOXES).map(|_| rig.emulator(240)).collect();
        let (address, calls) = (free_port(), rig.dir.path().join("calls.jsonl"));
        let mut engine = Command::new(tool("python3"));
        engine
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .args(["-I", concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interfaces/states.py")])
            .arg(address.port().to_string())
            .arg(&calls)
            .args(sandboxes.iter().map(|sandbox| sandbox.address.port().to_string()));
        let engine = Server::start(&mut engine, &rig.dir.path().join("engine.log"), address);
        let url = format!("http://{address}");
        let factory = Self { rig, sandboxes, url, calls, _engine: engine };
        let role = "arn:aws:iam::123456789012:role/machine";
        let machine = json!({"name": "chalkreel", "definition": definition(), "roleArn": role});
        assert_eq!(factory.states("CreateStateMachine", &machine).await["stateMachineArn"], MACHINE);
        factory
    }

    /// An operation of Step Functions. The engine tells services by whom a call is signed for, and checks no signature.
    async fn states(&self, operation: &str, parameters: &Value) -> Value {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let scope = "Credential=test/20260101/us-east-1/states/aws4_request";
        let request = client
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"));
        let answer = request.body(parameters.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{operation}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Starts an execution of that name, which the engine does not find by itself.
    async fn start(&self, name: &str, input: &Value) -> String {
        let start = json!({"stateMachineArn": MACHINE, "name": name, "input": input.to_string()});
        self.states("StartExecution", &start).await["executionArn"].as_str().unwrap().to_owned()
    }

    /// Waits for an execution's end: its status, its output, and its error.
    async fn ended(&self, execution: &str) -> (String, Value, String) {
        let began = Instant::now();
        loop {
            let told = self.states("DescribeExecution", &json!({"executionArn": execution})).await;
            if told["status"] != "RUNNING" {
                let text = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
                let output =
                    told["output"].as_str().map_or(Value::Null, |output| serde_json::from_str(output).unwrap());
                return (text("status"), output, text("error"));
            }
            assert!(began.elapsed() < LONGEST, "it does not end; {:?}\n{}", self.calls(), self._engine.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn calls(&self) -> Vec<Call> {
        let mut calls: BTreeMap<u64, Call> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.calls).unwrap_or_default().lines() {
            // The last one may be half written.
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let number = line["call"].as_u64().unwrap();
            assert!(line.get("throttled").is_none(), "more at a time than the definition says: {line}");
            if let Some(event) = line.get("event") {
                let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                let port = u16::try_from(line["port"].as_u64().unwrap()).unwrap();
                calls.insert(number, Call { task: text("task"), scene: text("scene"), port, answer: None });
            } else {
                calls.get_mut(&number).unwrap().answer = Some(line["answer"].clone());
            }
        }
        calls.into_values().collect()
    }

    /// The calls for one kind of task.
    fn of(&self, task: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.task == task).collect()
    }

    /// Waits until the engine has called for something.
    async fn call(&self, wanted: impl Fn(&Call) -> bool) -> Call {
        let began = Instant::now();
        loop {
            if let Some(call) = self.calls().into_iter().find(&wanted) {
                return call;
            }
            assert!(began.elapsed() < LONGEST, "{:?}", self.calls());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Every frame and every sample of a film, as hashes.
async fn decoded(rig: &Rig, job: &str) -> String {
    let film = rig.dir.path().join("compared.mp4");
    std::fs::write(&film, rig.published(job, "film.mp4").await).unwrap();
    let mut ffmpeg = Command::new(layer("ffmpeg"));
    ffmpeg.args(["-v", "error", "-i"]).arg(&film).args(["-map", "0:v:0", "-map", "0:a", "-f", "framemd5", "-"]);
    let output = ffmpeg.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn ids(status: &Value) -> BTreeSet<String> {
    let scenes = status["scenes"].as_array().unwrap().iter();
    scenes.map(|scene| scene["id"].as_str().unwrap().to_owned()).collect()
}

/// A process finds the film too long for itself, and hands it over. One scene's process is killed; it is drawn again. What comes out
/// is, to the frame and the sample, what one process makes.
#[tokio::test(flavor = "multi_thread")]
async fn a_film_made_by_many_invocations_equals_one_made_by_a_single_process() {
    let factory = Factory::open().await;
    let rig = &factory.rig;
    // More work than is left of this function's time.
    let settings = [("CHALKREEL_STATE_MACHINE", MACHINE), ("CHALKREEL_STATES_ENDPOINT", factory.url.as_str())];
    let front = rig.emulator_with(6, &settings);
    let event = json!({"document": {"name": "squares.md", "text": LESSON}});
    let status = front.invoke(&event);
    assert_eq!((&status["state"], &status["owner"]), (&json!("running"), &json!("")), "{status}");
    let (job, execution) = (status["job_id"].as_str().unwrap(), status["execution"].as_str().unwrap());
    assert_eq!(ids(&status).len(), 4);

    // Delivered again, it is left to the machine.
    let again = front.invoke(&event);
    assert_eq!((&again["state"], &again["execution"]), (&json!("running"), &json!(execution)), "{again}");

    // Readers see how it comes along; then one process is killed in the middle of its scene.
    let victim = factory.call(|call| call.task == "scene" && call.answer.is_none()).await;
    let sandbox = factory.sandboxes.iter().find(|one| one.address.port() == victim.port).unwrap();
    // The emulator starts the function with its first call.
    let begun = Instant::now();
    while sandbox.server.kill("chalkreel") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "there is nothing to kill");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut seen = BTreeSet::new();
    loop {
        let now = rig.status(job).await;
        let drawn = now["scenes"].as_array().unwrap().iter().filter(|scene| scene["state"] == "rendered").count();
        if now["owner"] != "" || now["state"] != "running" {
            break;
        }
        seen.insert((drawn, (now["progress"].as_f64().unwrap() * 1000.0) as u64));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(seen.len() >= 3, "how many are drawn, and the progress: {seen:?}");

    let (ended, output, error) = factory.ended(execution).await;
    assert_eq!((&*ended, &output["state"], &*error), ("SUCCEEDED", &json!("succeeded"), ""), "{output}");
    let status = rig.status(job).await;
    assert_eq!((&status["state"], &status["execution"]), (&json!("succeeded"), &json!(execution)), "{status}");
    // Claimed by the first process and by two tasks, none of which had to take it from a dead one.
    assert_eq!((&status["attempts"], &status["generation"], &status["progress"]), (&json!(1), &json!(3), &json!(1.0)));
    assert_eq!(status["cache"], json!({"hits": 0, "misses": 4}));
    assert_eq!(status["planner"]["sha256"].as_str().unwrap().len(), 64);

    // Each scene by a task of its own, in different processes; the one that was killed, twice.
    let scenes = factory.of("scene");
    let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
    scenes.iter().for_each(|call| *tasks.entry(&call.scene).or_default() += 1);
    assert_eq!(tasks.keys().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(), ids(&status));
    assert_eq!((tasks[&*victim.scene], scenes.len()), (2, 5), "{scenes:?}");
    let died = scenes.iter().find(|call| call.scene == victim.scene).unwrap().answer.as_ref().unwrap();
    // The emulator has two words for it, whichever of its clocks notices first.
    let names = ["Runtime.ExitError", "Sandbox.Timedout"];
    assert!(names.iter().any(|name| died["errorType"] == *name), "{died}");
    assert_eq!(scenes.iter().map(|call| call.port).collect::<BTreeSet<_>>().len(), SANDBOXES);
    assert_eq!((factory.of("plan").len(), factory.of("assemble").len(), factory.of("fail").len()), (1, 1, 0));

    // One log, of the process that began it and of the tasks that had it in hand.
    let log = rig.log(job).await;
    let said = |words: &str| log.iter().filter(|line| line.to_string().contains(words)).count();
    assert_eq!(
        (said("too long for one process"), said("handed over"), said("the film is published")),
        (1, 2, 1),
        "{log:?}"
    );

    // A repeated request gets the same film.
    let last = front.invoke(&event);
    assert_eq!(last, status);

    let alone = Rig::new().await;
    let made = alone.emulator(240).invoke(&event);
    assert_eq!(made["state"], "succeeded", "{made}");
    assert_eq!(made["job_id"], job, "the same request is the same job");
    let ledger = |sync: &[u8]| serde_json::from_slice::<Value>(sync).unwrap()["ledger"].clone();
    assert_eq!(ledger(&rig.published(job, "sync.json").await), ledger(&alone.published(job, "sync.json").await));
    assert_eq!(decoded(rig, job).await, decoded(&alone, job).await);
    for file in ["captions.vtt", "storyboard.json"] {
        assert_eq!(rig.published(job, file).await, alone.published(job, file).await, "{file}");
    }
    // Scenes come in any order.
    let sorted = |list: &Value| list.as_array().unwrap().iter().map(Value::to_string).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&status["voices"]), sorted(&made["voices"]));
    assert_eq!((sorted(&status["warnings"]), &status["audit"]), (sorted(&made["warnings"]), &made["audit"]));
}

/// Failures, in executions that were started directly with a request.
#[tokio::test(flavor = "multi_thread")]
async fn failures_are_retried_replaced_or_reported_by_their_code() {
    let factory = Factory::open().await;
    let rig = &factory.rig;

    // A document that can never become a film is not tried again.
    let latin = json!({"document": {"name": "latin.md", "base64": "IyBDYWbpCgpMYXRpbi0xLgo="}});
    let (ended, _, error) = factory.ended(&factory.start("latin", &latin).await).await;
    assert_eq!((&*ended, &*error), ("FAILED", "input.not_utf8"));
    assert_eq!((factory.of("plan").len(), factory.of("fail").len(), factory.of("scene").len()), (1, 1, 0));
    let answer = factory.of("fail")[0].answer.clone().unwrap();
    let status = rig.status(answer["job_id"].as_str().unwrap()).await;
    assert_eq!((&status["state"], &status["error"]["code"]), (&json!("failed"), &json!("input.not_utf8")), "{status}");
    assert_eq!(status["attempts"], 1);

    // One that can't even be read as a request never becomes a job.
    let (ended, _, error) = factory.ended(&factory.start("no-request", &json!({"document": 1})).await).await;
    assert_eq!((&*ended, &*error), ("FAILED", "intake.bad_request"));

    // A scene that never works is a card, and the film is degraded. It is tried once: its code says that trying again can't help.
    let broken = format!(
        "{LESSON}\n## Broken\n\nThis can't be drawn.\n\n```manim\nfrom manim import *\n\nclass Broken(Scene):\n    \
        def construct(self):\n        raise RuntimeError('on purpose')\n```\n"
    );
    let request = json!({"document": {"name": "broken.md", "text": broken}, "idempotency_token": "broken"});
    let execution = factory.start("broken", &request).await;
    let (ended, output, _) = factory.ended(&execution).await;
    assert_eq!((&*ended, &output["state"]), ("SUCCEEDED", &json!("degraded")), "{output}");
    let job = output["job_id"].as_str().unwrap();
    let status = rig.status(job).await;
    let replaced: Vec<&Value> =
        status["scenes"].as_array().unwrap().iter().filter(|scene| !scene["replaced"].is_null()).collect();
    assert_eq!(replaced.len(), 1, "{status}");
    assert_eq!((&replaced[0]["state"], &replaced[0]["error"]["code"]), (&json!("still"), &json!("program.error")));
    assert!(replaced[0]["replaced"].as_str().unwrap().contains("on purpose"), "{}", replaced[0]);
    let scenes = ids(&status).len();
    assert_eq!(factory.of("scene").len(), scenes, "{:?}", factory.of("scene"));
    assert_eq!(status["cache"], json!({"hits": 0, "misses": scenes - 1}));
    rig.assert_playable(job).await;

    // A request whose film is there is answered with it.
    let (ended, output, _) = factory.ended(&factory.start("broken-again", &request).await).await;
    assert_eq!((&*ended, &output["state"], &output["job_id"]), ("SUCCEEDED", &json!("degraded"), &json!(job)));
    assert_eq!(factory.of("scene").len(), scenes);

    // A job that is cancelled while a scene is drawn stops there, and its execution ends well.
    let long = LESSON.replace("draft", "high").replace("Squares", "Long squares");
    let execution = factory.start("long", &json!({"document": {"name": "long.md", "text": long}})).await;
    factory.call(|call| call.task == "scene" && call.answer.is_none()).await;
    let plan = factory.of("plan").pop().unwrap().answer.unwrap();
    let id = plan["job_id"].as_str().unwrap();
    // No task has claimed it then, so the process that cancels it notifies.
    let (services, endpoint) = Services::start().await;
    let bus = [("CHALKREEL_EVENT_BUS", "courses"), ("CHALKREEL_EVENTS_ENDPOINT", &*format!("http://{endpoint}"))];
    let interface = rig.http_emulator(&bus);
    let mut request = event("http-health.json");
    request["requestContext"]["http"]["method"] = json!("DELETE");
    request["rawPath"] = json!(format!("/jobs/{id}"));
    let answer = interface.invoke(&request);
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let told = services.sent("events:PutEvents");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["job_id"], &told[0]["state"]), (&json!(id), &json!("cancelled")));
    let cancelled: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let (ended, output, _) = factory.ended(&execution).await;
    assert_eq!((&*ended, &output["state"]), ("SUCCEEDED", &json!("cancelled")), "{output}");
    let status = rig.status(id).await;
    assert_eq!((&status["state"], &status["generation"]), (&json!("cancelled"), &cancelled["generation"]));
    assert!(rig.store.head(&format!("films/{id}/film.mp4"), soon()).await.is_err());
    let drawn = status["scenes"].as_array().unwrap().iter().filter(|scene| scene["state"] == "rendered").count();
    assert_eq!(drawn, 0, "{status}");
    assert_eq!(factory.of("fail").len(), 2);
}

/// Recordings beside a document in the bucket: one task decodes them, others draw for their lengths, and the last one joins what it gets.
#[tokio::test(flavor = "multi_thread")]
async fn recordings_in_the_bucket_are_heard_in_a_film_of_many_machines() {
    let factory = Factory::open().await;
    let rig = &factory.rig;
    let tone = |hertz: u32, seconds: u32| {
        let path = rig.dir.path().join(format!("{hertz}.flac"));
        let sound = format!("sine=f={hertz}:r=48000:d={seconds}");
        let made = Command::new(layer("ffmpeg")).args(["-v", "error", "-f", "lavfi", "-i", &sound]).arg(&path).status();
        assert!(made.unwrap().success());
        std::fs::read(path).unwrap()
    };
    let lesson = LESSON.replacen("quality: draft", "quality: draft\nvoice: {recording: narration}", 1);
    let files = [("1.flac", tone(300, 9)), ("three-times-three.flac", tone(400, 6)), ("03-four.flac", tone(500, 7))];
    for (name, bytes) in files {
        rig.store.put(&format!("incoming/own/narration/{name}"), bytes, "audio/flac", soon()).await.unwrap();
    }
    rig.store.put("incoming/own/squares.md", lesson, "text/markdown", soon()).await.unwrap();
    let source = json!({"source": format!("s3://{}/incoming/own/squares.md", rig.store.bucket())});
    let (ended, output, error) = factory.ended(&factory.start("own-voice", &source).await).await;
    assert_eq!((&*ended, &output["state"], &*error), ("SUCCEEDED", &json!("succeeded"), ""), "{output}");
    let job = output["job_id"].as_str().unwrap();
    let status = rig.status(job).await;
    let voices = status["voices"].as_array().unwrap();
    let spoke = |voice: &str| voices.iter().filter(|one| one["voice"] == voice).count();
    assert!(spoke("recording") >= 3 && spoke("espeak-ng") >= 1, "{voices:?}");
    let left_out: Vec<&Value> =
        status["warnings"].as_array().unwrap().iter().filter(|one| one["code"] == "voice.recording_left_out").collect();
    assert!(
        left_out.len() == 1 && left_out[0]["message"].as_str().unwrap().contains("scene 4 (`a-graph`)"),
        "{left_out:?}"
    );
    let sync: Value = serde_json::from_slice(&rig.published(job, "sync.json").await).unwrap();
    let lengths: Vec<u64> = sync["ledger"]["scenes"].as_array().unwrap()[..3]
        .iter()
        .map(|scene| scene["beats"].as_array().unwrap().iter().map(|beat| beat["samples"].as_u64().unwrap()).sum())
        .collect();
    assert_eq!(lengths, [9, 6, 7].map(|seconds| seconds * 48_000));
    assert_eq!(factory.of("scene").len(), 4);
    rig.assert_playable(job).await;
}
