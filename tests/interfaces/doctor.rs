//! `chalkreel doctor --aws` against a server that speaks AWS's protocols, checks signatures and refuses who may not: a stack
//! made of the template itself, and the same with one thing after the other broken.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use crate::process::{Server, free_port};
use crate::read;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use handler::cli::doctor::aws::{HTTP, On, RENDER, Role, Stack};
use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// An account: the server, and IAM's simulator, which that doesn't have, before it.
struct Account {
    dir: TempDir,
    server: Server,
    moto: SocketAddr,
    front: SocketAddr,
    simulator: Simulator,
    keys: (String, String),
}

/// What IAM's simulator is asked, and what it does not allow.
#[derive(Clone, Default)]
struct Simulator {
    asked: Arc<Mutex<BTreeSet<(String, String, String)>>>,
    denied: Arc<Mutex<Vec<&'static str>>>,
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned()
}

impl Simulator {
    /// The answer to `SimulatePrincipalPolicy`, as IAM's reference has it: a result for each action on each resource.
    fn answer(&self, form: &str) -> String {
        let fields: Vec<(String, String)> = form
            .split('&')
            .map(|field| field.split_once('=').unwrap())
            .map(|(n, v)| (decoded(n), decoded(v)))
            .collect();
        let all = |prefix: &str| -> Vec<&String> {
            fields.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, value)| value).collect()
        };
        let role = all("PolicySourceArn")[0];
        let mut results = String::new();
        for action in all("ActionNames.member.") {
            for resource in all("ResourceArns.member.") {
                self.asked.lock().unwrap().insert((role.clone(), action.clone(), resource.clone()));
                let denied = self.denied.lock().unwrap().contains(&action.as_str());
                let decision = if denied { "implicitDeny" } else { "allowed" };
                results += &format!(
                    "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>\
                     <EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
                );
            }
        }
        format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{results}\
             </EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>1</RequestId>\
             </ResponseMetadata></SimulatePrincipalPolicyResponse>"
        )
    }
}

#[derive(Clone)]
struct Front {
    moto: SocketAddr,
    client: reqwest::Client,
    simulator: Simulator,
}

/// Hands a request on as it came, its `Host` included, which is signed.
async fn front(State(front): State<Front>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 1 << 20).await.unwrap();
    let form = String::from_utf8_lossy(&body).into_owned();
    if form.contains("Action=SimulatePrincipalPolicy") {
        let signed = parts.headers["authorization"].to_str().unwrap();
        assert!(signed.contains("/us-east-1/iam/aws4_request"), "IAM is signed for one region: {signed}");
        return ([("content-type", "text/xml")], front.simulator.answer(&form)).into_response();
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let request = front.client.request(parts.method, format!("http://{}{path}", front.moto)).headers(parts.headers);
    let answer = request.body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    *response.headers_mut().unwrap() = answer.headers().clone();
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

impl Account {
    /// With the stack in it, and a user who may call `actions`.
    async fn new(actions: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (dir, moto) = (tempfile::tempdir().unwrap(), free_port());
        let mut command = Command::new(format!("{REPOSITORY}/target/test-tools/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &moto.port().to_string()]).current_dir(dir.path());
        let server = Server::start(&mut command, &dir.path().join("moto.log"), moto);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let simulator = Simulator::default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let routes = Router::new().fallback(front).with_state(Front {
            moto,
            client: client.clone(),
            simulator: simulator.clone(),
        });
        tokio::spawn(axum::serve(listener, routes).into_future());
        let mut account = Self { dir, server, moto, front: at, simulator, keys: Default::default() };
        account.change(&["make"]);
        let keys = account.change(&[&["user"], actions].concat());
        let (access, secret) = keys.trim().split_once(' ').unwrap();
        account.keys = (access.to_owned(), secret.to_owned());
        account
    }

    fn change(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(format!("{REPOSITORY}/target/test-tools/bin/python3"));
        command.args(["-I", "tests/interfaces/stack.py", &format!("http://{}", self.moto)]).args(arguments);
        let output = command.current_dir(REPOSITORY).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}\n{}", self.server.log());
        String::from_utf8(output.stdout).unwrap()
    }

    /// From now on signatures are checked and policies heeded; before, anybody may do anything.
    async fn guarded(&self) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let set = client.post(format!("http://{}/moto-api/reset-auth", self.moto)).body("0").send().await.unwrap();
        assert!(set.status().is_success());
    }

    async fn doctor(&self, arguments: &[&str], secret: &str) -> Output {
        let mut command = tokio::process::Command::new(BINARY);
        command
            .args(["doctor", "--aws"])
            .args(arguments)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.front))
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", &self.keys.0)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .stdin(Stdio::null());
        command.output().await.unwrap()
    }

    /// Exit code, and each part that is not right with its verdict.
    async fn ills(&self) -> (i32, BTreeMap<String, String>) {
        let output = self.doctor(&["--json"], &self.keys.1).await;
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let checks = told["checks"].as_array().unwrap();
        for check in checks {
            assert_eq!(check["verdict"] == "ok", check["remedy"].is_null(), "{check}");
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ills = checks.iter().filter(|check| check["verdict"] != "ok");
        (output.status.code().unwrap(), ills.map(|check| (text(&check["part"]), text(&check["verdict"]))).collect())
    }
}

fn ills(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(part, verdict)| ((*part).to_owned(), (*verdict).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_no_fault_in_the_templates_stack() {
    let account = Account::new(&["*"]).await;
    // Not guarded yet: moto refuses every GET of Lambda's then, AWS's own client's too.
    let output = account.doctor(&[], &account.keys.1).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let parts = [
        "bucket's trigger",
        "queue's visibility",
        "dead letters",
        "layers",
        "concurrency",
        "state machine",
        "function's role",
    ];
    for part in parts {
        let line = text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("nothing of {part}: {text}"));
        assert!(line.starts_with("ok "), "{line}");
    }
    assert!(text.starts_with("stack chalkreel, account 123456789012, region eu-central-1, as arn:aws:iam:"), "{text}");
    assert!(!text.contains(&account.keys.1) && !text.contains("AWS_SECRET"), "{text}");
    // Both functions' roles were asked about, each by its own name.
    let asked = account.simulator.asked.lock().unwrap().clone();
    let roles: BTreeSet<&str> = asked.iter().map(|(role, ..)| role.rsplit('/').next().unwrap()).collect();
    assert!(roles.iter().any(|role| role.contains("RenderRole")) && roles.iter().any(|role| role.contains("HttpRole")));

    // Who has the wrong secret is told so, and nothing else.
    account.guarded().await;
    let output = account.doctor(&["--json"], "wrong").await;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), told["checks"].as_array().unwrap().len()), (Some(1), 1), "{told}");
    assert_eq!((&told["checks"][0]["part"], &told["stack"]), (&"caller".into(), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_reports_exactly_what_is_broken() {
    let account = Account::new(&["*"]).await;
    for (breaks, expected) in [
        (&["encryption", "privacy"][..], &[("bucket's encryption", "missing"), ("bucket's privacy", "missing")][..]),
        // S3 greets the queue that it is told of, which is that of the dead letters.
        (
            &["lifecycle", "trigger"],
            &[("bucket's lifecycle", "missing"), ("bucket's trigger", "missing"), ("dead letters", "wrong")],
        ),
        (&["loop"], &[("bucket's trigger", "wrong")]),
        (&["visibility"], &[("queue's visibility", "wrong")]),
        (&["redrive", "letter"], &[("queue's redrive", "missing"), ("dead letters", "wrong")]),
        (&["memory", "scratch", "runtime"], &[("memory", "wrong"), ("scratch", "wrong"), ("function", "wrong")]),
        (&["layer", "concurrency"], &[("layers", "missing"), ("concurrency", "wrong")]),
        (&["job-timeout"], &[("settings", "wrong")]),
        (&["setting"], &[]),
        (&["bucket-setting"], &[]),
        (&["machine-setting"], &[("state machine", "wrong")]),
        (&["machine"], &[("state machine", "missing")]),
        (&["mapping"], &[("queue's mapping", "missing")]),
        (&["failed-events", "open-door"], &[("failed events", "missing"), ("HTTP access", "wrong")]),
        (&["http-function"], &[("HTTP function", "missing")]),
    ] {
        let (_, before) = account.ills().await;
        account.change(&[&["break"], breaks].concat());
        let (code, mut after) = account.ills().await;
        assert_eq!(code, 1, "{breaks:?}");
        for (part, verdict) in expected {
            assert_eq!(after.get(*part).map(String::as_str), Some(*verdict), "{breaks:?}: {after:?}");
        }
        // What was wrong stays so; nothing else has come.
        after.retain(|part, _| !before.contains_key(part) && !expected.iter().any(|(other, _)| other == part));
        assert!(after.is_empty(), "{breaks:?} broke {after:?} too");
    }
    account.change(&["break", "function", "queue"]);
    let (_, after) = account.ills().await;
    assert_eq!(after.get("function").map(String::as_str), Some("missing"), "{after:?}");
    assert_eq!(after.get("queue").map(String::as_str), Some("missing"), "{after:?}");

    // Another stack's name, of which nothing is there.
    let output = account.doctor(&["--name", "other"], &account.keys.1).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(1) && text.contains("MISSING    bucket "), "{text}");
    assert!(text.contains("other-123456789012-eu-central-1") && text.contains("make deploy"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_can_not_be_read_are_not_reported_as_missing() {
    let account = Account::new(&["s3:*", "sqs:*", "sts:*"]).await;
    account.guarded().await;
    let (code, seen) = account.ills().await;
    assert_eq!(
        (code, seen),
        (3, ills(&[("function", "cant_tell"), ("state machine", "cant_tell"), ("HTTP function", "cant_tell")]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_a_needed_permission_is_reported() {
    let account = Account::new(&["*"]).await;
    account.simulator.denied.lock().unwrap().extend(["events:PutEvents", "s3:ListBucket"]);
    let (code, found) = account.ills().await;
    assert_eq!((code, found), (1, ills(&[("function's role", "wrong"), ("HTTP function's role", "wrong")])));
    let output = account.doctor(&[], &account.keys.1).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("may not s3:ListBucket on arn:aws:s3:::chalkreel-123456789012-eu-central-1,"), "{text}");
    assert!(text.contains("events:PutEvents on arn:aws:events:eu-central-1:123456789012:event-bus/default"), "{text}");
}

/// What the doctor asks for is what the template grants, no more and no less; and the names are the template's.
#[test]
fn the_doctor_knows_the_template() {
    let template = read::template();
    let stack = Stack::new("${Name}", "${AWS::AccountId}", "${AWS::Region}", "arn:${AWS::Partition}:iam::1:user/me");
    let property = |resource: &str, name: &str| -> String {
        let value = &template["Resources"][resource]["Properties"][name];
        value["Fn::Sub"].as_str().map_or_else(|| format!("${{{}}}", value["Ref"].as_str().unwrap()), str::to_owned)
    };
    assert_eq!(property("FilmBucket", "BucketName"), stack.bucket());
    assert_eq!(property("RenderFunction", "FunctionName"), stack.function());
    assert_eq!(property("HttpFunction", "FunctionName"), stack.http_function());
    assert_eq!(property("Lessons", "QueueName"), stack.queue());
    assert_eq!(property("FailedEvents", "QueueName"), stack.dead_letters());
    assert_eq!(property("FilmMachine", "StateMachineName"), stack.machine());
    let layers = ["ManimLayer", "FfmpegLayer", "VoiceLayer"].map(|layer| property(layer, "LayerName"));
    assert_eq!(layers, stack.layers());

    for (name, role) in [("RenderRole", RENDER), ("HttpRole", HTTP)] {
        let mut granted = BTreeSet::new();
        for statement in read::statements(&template, name) {
            for action in read::each(&statement["Action"]) {
                for resource in read::each(&statement["Resource"]) {
                    let on = resource["Fn::GetAtt"][0].as_str().or_else(|| resource.as_str());
                    let on = on.or_else(|| resource["Fn::Sub"].as_str()).unwrap();
                    let of_bucket = on
                        .split_once(&stack.bucket())
                        .map(|(_, rest)| rest.trim_start_matches('/').trim_end_matches('*'));
                    granted.insert((action.as_str().unwrap().to_owned(), of_bucket.unwrap_or(on).to_owned()));
                }
            }
        }
        granted.retain(|(action, _)| !action.starts_with("logs:"));
        assert_eq!(needs(&role), granted, "{name}");
    }
}

fn needs(role: &Role) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for need in role.needs {
        let on: Vec<&str> = match need.on {
            On::Bucket(prefixes) => prefixes.to_vec(),
            On::Bus => vec!["arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBus}"],
            On::Queue => vec!["Lessons"],
            On::DeadLetters => vec!["FailedEvents"],
            On::Machine => vec!["arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Name}"],
            On::Anything => vec!["*"],
        };
        all.extend(need.actions.iter().flat_map(|action| on.iter().map(|on| ((*action).to_owned(), (*on).to_owned()))));
    }
    all
}
