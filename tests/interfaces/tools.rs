//! `chalkreel mcp` as a client of the Model Context Protocol drives it, by the lines of its messages; and `POST /check`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::serve::{BINARY, Harness, LESSON};

const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
/// Longer than a film takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(200);
const WRONG: &str = "# T\n\nWords.\n\n## S\n\n$$\\foo{x} + 1$$\n\nMore words.\n";

struct Client {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    id: u64,
    dir: TempDir,
}

impl Client {
    /// The program with a root that has a lesson in it, and a secret beside it.
    fn start(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("lesson.md"), LESSON).unwrap();
        std::fs::write(dir.path().join("secret.md"), "# Secret\n\nNobody may know.\n").unwrap();
        let mut child = Command::new(BINARY)
            .args(["mcp", "--root"])
            .arg(&root)
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LAYERS_DIR", LAYERS)
            .env("CHALKREEL_STORE_DIR", dir.path().join("store"))
            .env("HOME", dir.path())
            .env("VOICE_CHAIN", "espeak-ng")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(dir.path().join("mcp.log")).unwrap())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines, id: 0, dir }
    }

    /// The same after the protocol's greeting.
    fn greeted(settings: &[(&str, &str)]) -> Self {
        let mut client = Self::start(settings);
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let told = client.ask("initialize", &hello);
        assert_eq!(told["result"]["serverInfo"]["name"], "chalkreel", "{told}");
        assert!(told["result"]["capabilities"]["tools"].is_object(), "{told}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        client
    }

    fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("root")
    }

    fn send(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn begin(&mut self, method: &str, params: &Value) -> u64 {
        self.id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}).to_string());
        self.id
    }

    /// The next answer, whichever call it is of. Every line must be one message.
    fn next(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.begin(method, params);
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
        }
    }

    /// A call of a tool: whether it failed, and its content.
    fn call(&mut self, tool: &str, arguments: Value) -> (bool, Vec<Value>) {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        assert!(result.is_object(), "{answer}");
        (result["isError"] == true, result["content"].as_array().unwrap().clone())
    }

    /// The text of a call that must succeed.
    fn text(&mut self, tool: &str, arguments: Value) -> String {
        let (failed, content) = self.call(tool, arguments);
        assert!(!failed, "{content:?}");
        content[0]["text"].as_str().unwrap().to_owned()
    }

    /// The text of a call that must fail.
    fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let (failed, content) = self.call(tool, arguments.clone());
        assert!(failed, "{arguments}: {content:?}");
        content[0]["text"].as_str().unwrap().to_owned()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("mcp.log")).unwrap_or_default()
    }

    /// The client goes, and so does the server.
    fn end(mut self) {
        drop(self.input);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > Duration::from_secs(20) {
                let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let log = std::fs::read_to_string(self.dir.path().join("mcp.log")).unwrap();
        assert!(status.success() && !log.contains("panicked"), "{status}: {log}");
        // Whatever it still said were messages, too.
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
        }
    }
}

/// All files and links below a folder.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() { found.extend(below(&path)) } else { found.push(path.display().to_string()) }
    }
    found.sort();
    found
}

#[test]
fn a_model_learns_writes_looks_and_makes_a_film() {
    let mut client = Client::greeted(&[]);
    let listed = client.ask("tools/list", &json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["guide", "check", "still", "render", "status"]);
    for tool in tools {
        assert!(tool["inputSchema"]["type"] == "object" && tool["description"].as_str().unwrap().len() > 20, "{tool}");
    }

    assert!(client.text("guide", json!({})).starts_with("# Writing a lesson for Chalkreel"));
    let schema: Value = serde_json::from_str(&client.text("guide", json!({"plan": true}))).unwrap();
    assert!(schema["properties"].is_object() || schema["$defs"].is_object(), "{schema}");

    let found: Value = serde_json::from_str(&client.text("check", json!({"text": WRONG}))).unwrap();
    let finding = &found["findings"][0];
    assert_eq!((&finding["code"], &finding["place"]["line"]), (&json!("plan.formula_in_part"), &json!(7)), "{found}");
    let found: Value = serde_json::from_str(&client.text("check", json!({"path": "lesson.md"}))).unwrap();
    assert_eq!(found["findings"], json!([]), "{found}");

    let png = |content: &Value| {
        assert_eq!((&content["type"], &content["mimeType"]), (&json!("image"), &json!("image/png")));
        let bytes = BASE64_STANDARD.decode(content["data"].as_str().unwrap()).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
        u32::from_be_bytes(bytes[16..20].try_into().unwrap())
    };
    let (failed, content) = client.call("still", json!({"path": "lesson.md", "scene": "nine", "beat": 1}));
    assert!(!failed && content.len() == 1 && png(&content[0]) == 854, "{}", content[0]["text"]);
    let (failed, content) = client.call("still", json!({"path": "lesson.md"}));
    assert!(!failed && png(&content[0]) > 400 && content[1]["text"].as_str().unwrap().contains("nine, beat 1"));

    let begun = Instant::now();
    let told: Value = serde_json::from_str(&client.text("render", json!({"path": "lesson.md"}))).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5) && told["film"] == "films/lesson/film.mp4", "{told}");
    let job = told["job_id"].as_str().unwrap().to_owned();
    let status = loop {
        let status: Value = serde_json::from_str(&client.text("status", json!({"job_id": job}))).unwrap();
        if !["queued", "running"].contains(&status["state"].as_str().unwrap())
            && !status["files"].as_array().unwrap().is_empty()
        {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "{status}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!((&status["state"], &status["error"]), (&json!("succeeded"), &Value::Null), "{status}");
    for file in status["files"].as_array().unwrap() {
        let path = client.root().join(file.as_str().unwrap());
        let begun = Instant::now();
        while !path.is_file() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{file}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    client.end();
}

#[test]
fn no_argument_leads_out_of_the_root() {
    let mut client = Client::greeted(&[]);
    let (dir, root) = (client.dir.path().to_owned(), client.root());
    std::os::unix::fs::symlink("../secret.md", root.join("link.md")).unwrap();
    std::os::unix::fs::symlink("..", root.join("up")).unwrap();
    let secret = dir.join("secret.md");
    let paths = [
        "../secret.md",
        "link.md",
        "up/secret.md",
        "./up/../up/secret.md",
        secret.to_str().unwrap(),
        "/etc/passwd",
        "/dev/zero",
        "",
        ".",
    ];
    for path in paths.into_iter().chain(["nothing.md", "a\u{0}b.md"]) {
        for tool in ["check", "still", "render"] {
            let told = client.refusal(tool, json!({"path": path}));
            assert!(told.starts_with("input.not_found: ") && !told.contains("Nobody"), "{path}: {told}");
        }
    }
    for name in ["../x.md", "a/b.md", "..", ".x.md", "x\\y.md", &"n".repeat(500)] {
        let told = client.refusal("render", json!({"text": "# T\n\nWords.\n", "name": name}));
        assert!(told.starts_with("intake.bad_request: "), "{name}: {told}");
    }
    // A document can't name files outside either.
    let told = client.text("check", json!({"text": "# T\n\nWords.\n\n## S\n\n![x](../secret.png)\n\nWords.\n"}));
    assert!(told.contains("secret.png") && told.contains("findings"), "{told}");
    // Nor can what is there already lead films out.
    std::os::unix::fs::symlink(&dir, root.join("films")).unwrap();
    let before = below(&dir);
    let told = client.refusal("render", json!({"path": "lesson.md"}));
    assert!(told.starts_with("store.file: ") && told.contains("link"), "{told}");
    assert!(!dir.join("lesson").exists(), "a folder outside of the root");
    let outside = |all: Vec<String>| -> Vec<String> {
        let own = ["store", "mcp.log", ".cache"].map(|name| dir.join(name).display().to_string());
        all.into_iter().filter(|path| own.iter().all(|own| !path.starts_with(own))).collect()
    };
    assert_eq!(outside(below(&dir)), outside(before));
    client.end();
}

#[test]
fn wrong_arguments_and_endless_documents_are_refused_and_nothing_else_suffers() {
    let mut client = Client::greeted(&[]);
    for (tool, arguments, named) in [
        ("check", json!({}), "path"),
        ("check", json!({"path": "lesson.md", "text": "# T"}), "path"),
        ("check", json!({"path": 7}), "7"),
        ("check", json!({"pth": "lesson.md"}), "pth"),
        ("guide", json!({"plan": "yes"}), "boolean"),
        ("still", json!({"path": "lesson.md", "beat": 1}), "scene"),
        ("still", json!({"path": "lesson.md", "scene": "ten"}), "ten"),
        ("still", json!({"path": "lesson.md", "scene": "nine", "beat": 99}), "99"),
        ("still", json!({"path": "lesson.md", "scene": "nine", "beat": -1}), "-1"),
        ("render", json!({"path": "lesson.md", "quality": "best"}), "best"),
        ("status", json!({"job_id": "../../etc/passwd"}), "job.not_found"),
        ("status", json!({"job_id": "0123456789abcdef01234567"}), "0123456789abcdef01234567"),
    ] {
        let told = client.refusal(tool, arguments.clone());
        assert!(told.contains(named) && told.lines().count() == 2, "{arguments}: {told}");
    }
    let unknown = client.ask("tools/call", &json!({"name": "delete", "arguments": {}}));
    assert!(unknown["error"]["message"].as_str().is_some_and(|told| told.contains("delete")), "{unknown}");

    // Larger than a document may be, and larger than a line may be.
    let told = client.refusal("check", json!({"text": "word ".repeat(1_800_000)}));
    assert!(told.starts_with("input.too_large: "), "{told}");
    let id = client.begin("tools/call", &json!({"name": "check", "arguments": {"text": "x".repeat(40 << 20)}}));
    let told = client.ask("tools/call", &json!({"name": "guide", "arguments": {}}));
    assert_eq!(told["result"]["isError"], false, "after line {id}: {told}");
    for noise in [
        "",
        "{",
        "[]",
        "null",
        "{\"jsonrpc\": \"2.0\"}",
        "\u{1}\u{2}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}",
    ] {
        client.send(noise);
    }
    assert!(client.text("guide", json!({})).contains("lesson"));

    // More calls than are answered at a time.
    let ids: Vec<u64> = (0..40)
        .map(|number| {
            let text = format!("# T\n\nWords {number}.\n\n## S\n\n- one\n\nMore words.\n");
            client.begin("tools/call", &json!({"name": "check", "arguments": {"text": text}}))
        })
        .collect();
    let mut answers = Vec::new();
    while answers.len() < ids.len() {
        let message = client.next();
        if message["id"].as_u64().is_some_and(|id| ids.contains(&id)) {
            answers.push(message["result"]["content"][0]["text"].as_str().unwrap().to_owned());
        }
    }
    let busy = answers.iter().filter(|told| told.starts_with("http.busy: ")).count();
    let done = answers.iter().filter(|told| told.contains("findings")).count();
    assert!(done >= 8 && busy >= 1 && busy + done == 40, "{busy} busy, {done} done");
    client.end();
}

#[test]
fn a_client_that_goes_or_speaks_otherwise_leaves_nothing_behind() {
    let client = Client::start(&[]);
    client.end();
    let mut client = Client::start(&[]);
    client.send("GET / HTTP/1.1");
    client.end();
    // In the midst of a film.
    let mut client = Client::greeted(&[]);
    client.text("render", json!({"path": "lesson.md"}));
    client.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_checked_over_http() {
    let harness = Harness::new();
    let mut server = harness.start(&[]);
    let send = |name: &str, kind: &str, body: String| {
        let request = harness.client.post(harness.url(&format!("/check{name}"))).header("content-type", kind);
        let request = request.body(body).timeout(Duration::from_secs(150));
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            (status, serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap_or_default())
        }
    };
    let (status, told) = send("?name=wrong.md", "text/markdown", WRONG.to_owned()).await;
    assert_eq!(status, 200, "{told}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wrong.md");
    std::fs::write(&file, WRONG).unwrap();
    let output = Command::new(BINARY)
        .args(["check", "--json"])
        .arg(&file)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LAYERS_DIR", LAYERS)
        .env("CHALKREEL_STORE_DIR", dir.path().join("store"))
        .env("HOME", dir.path())
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["findings"], printed[0]["findings"]);
    assert_eq!((&told[0]["document"], &told[0]["scenes"]), (&json!("wrong.md"), &printed[0]["scenes"]));
    let (status, told) = send("", "application/json", "{\"animation_plan\": {\"scenes\": [}}".to_owned()).await;
    assert_eq!((status, &told[0]["findings"][0]["code"]), (200, &json!("input.json_invalid")), "{told}");
    // It came over a network: a file of this machine is not there for it, even if it is.
    let (_, told) =
        send("", "text/markdown", format!("# T\n\nWords.\n\n## S\n\n![x]({})\n\nMore.\n", file.display())).await;
    assert!(told.to_string().contains("plan.image_not_usable"), "{told}");
    let (_, told) = send("", "text/markdown", "# T\n\nWords.\n\n## S\n\n![x](Cargo.toml)\n\nMore.\n".to_owned()).await;
    assert!(
        told.to_string().contains("input.file_missing") || told.to_string().contains("plan.image_not_usable"),
        "{told}"
    );

    for (name, kind, body, expected, code) in [
        ("", "text/markdown", String::new(), 400, "input.empty"),
        ("", "image/png", "x".to_owned(), 415, "input.unknown_format"),
        ("?name=a/..", "text/markdown", "x".to_owned(), 400, "http.bad_request"),
        ("", "text/markdown", "word ".repeat(1_800_000), 413, "input.too_large"),
        ("", "text/markdown", "word ".repeat(3_600_000), 413, "http.too_large"),
    ] {
        let (status, told) = send(name, kind, body).await;
        assert_eq!((status, &told["code"]), (expected, &json!(code)), "{told}");
    }
    let got = harness.client.get(harness.url("/check")).send().await.unwrap();
    assert_eq!(got.status().as_u16(), 405);
    let foreign = harness.client.post(harness.url("/check")).header("origin", "https://example.org").body("# T").send();
    assert_eq!(foreign.await.unwrap().status().as_u16(), 403);

    // Some wait, and the rest are told to come again.
    let all = (0..24).map(|number| send("", "text/markdown", WRONG.replace("Words", &format!("Words {number}"))));
    let all = futures::future::join_all(all).await;
    let count = |wanted: u16| all.iter().filter(|(status, _)| *status == wanted).count();
    assert!(count(200) >= 9 && count(503) >= 1 && count(200) + count(503) == 24, "{} and {}", count(200), count(503));
    assert!(all.iter().filter(|(status, _)| *status == 503).all(|(_, told)| told["code"] == "http.busy"));
    assert!(server.stop().is_empty());
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}
