//! An S3 server, the function's environment, and the two local Lambdas that run the real binary.

#![allow(dead_code, reason = "each test binary uses a part of this rig")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handler::deadline::Deadline;
use handler::store::embedded::StoreObserver;
use handler::store::{Embedded, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Server, free_port};

pub const BUCKET: &str = "lessons";
const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");

/// Longer than any film of these tests takes on a busy machine.
const INVOCATION: Duration = Duration::from_secs(240);

/// Tests run in the folder of their package. Not where they were compiled: those of the layers are in another root.
pub fn repository() -> PathBuf {
    Path::new("..").canonicalize().unwrap()
}

pub fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

pub fn tool(name: &str) -> PathBuf {
    let path = repository().join("target/test-tools/bin").join(name);
    assert!(path.is_file(), "{name} is missing: run tests/setup.sh");
    path
}

/// A program of the layers.
pub fn layer(name: &str) -> PathBuf {
    repository().join("target/layers/bin").join(name)
}

/// A recorded event.
pub fn event(name: &str) -> Value {
    let path = repository().join("tests/fixtures/events").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The calls that were made, by name and key.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Vec<(String, String)>>);

impl Calls {
    /// Those since the last time.
    pub fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl StoreObserver for Calls {
    fn called(&self, operation: &str, key: Option<&str>) {
        self.0.lock().unwrap().push((operation.to_owned(), key.unwrap_or_default().to_owned()));
    }
}

pub struct Rig {
    pub store: Store,
    pub calls: Arc<Calls>,
    server: Embedded,
    pub dir: TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["store", "tmp", "home"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let calls = Arc::new(Calls::default());
        let server = Embedded::start_observed(&dir.path().join("store"), calls.clone()).await.unwrap();
        server.create_bucket(BUCKET).unwrap();
        let store = Store::connect(&server.endpoint(), BUCKET).await;
        Self { store, calls, server, dir }
    }

    /// Where the store is, as the function is told.
    pub fn settings(&self) -> [(&'static str, String); 5] {
        let endpoint = self.server.endpoint();
        let (access, secret) = endpoint.credentials.unwrap();
        [
            ("CHALKREEL_BUCKET", BUCKET.to_owned()),
            ("CHALKREEL_S3_ENDPOINT", endpoint.url.unwrap()),
            ("AWS_REGION", endpoint.region.unwrap()),
            ("AWS_ACCESS_KEY_ID", access),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ]
    }

    /// A program with the function's environment and no other.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.dir.path().join("home"))
            .env("TMPDIR", self.dir.path().join("tmp"))
            .env("VOICE_CHAIN", "espeak-ng")
            .env("LAYERS_DIR", repository().join("target/layers"))
            .envs(self.settings())
            .env("JOB_TIMEOUT", "200");
        command
    }

    /// AWS's Runtime Interface Emulator around the binary. `timeout` is the function's, in seconds.
    pub fn emulator(&self, timeout: u32) -> Emulator {
        self.emulator_with(timeout, &[])
    }

    /// The same as the template's HTTP function, which has no layers.
    pub fn http_emulator(&self, settings: &[(&str, &str)]) -> Emulator {
        let nothing = self.dir.path().join("home");
        self.emulator_with(30, &[&[("LAYERS_DIR", nothing.to_str().unwrap())], settings].concat())
    }

    /// The same with other settings too.
    pub fn emulator_with(&self, timeout: u32, settings: &[(&str, &str)]) -> Emulator {
        let mut command = self.command(&tool("aws-lambda-rie"));
        command
            .env("AWS_LAMBDA_FUNCTION_NAME", "chalkreel")
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", timeout.to_string())
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3008")
            .envs(settings.iter().copied());
        // Several may run at once.
        let log = self.dir.path().join(format!("emulator-{}.log", free_port().port()));
        Emulator::start(command, BINARY, &log)
    }

    /// `cargo lambda watch` on this workspace.
    pub fn cargo_lambda(&self) -> CargoLambda {
        // It would build anew; the binary under test is there. So its `cargo run` runs that, all else is cargo's.
        let cargo = self.dir.path().join("bin/cargo");
        std::fs::create_dir(cargo.parent().unwrap()).unwrap();
        let script = format!("#!/bin/sh\n[ \"$1\" = run ] && exec '{BINARY}'\nexec '{}' \"$@\"\n", env!("CARGO"));
        std::fs::write(&cargo, script).unwrap();
        std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();

        let address = free_port();
        let mut command = self.command(&tool("cargo-lambda"));
        command
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", cargo.parent().unwrap().display()))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["lambda", "watch", "--offline", "--ignore-changes", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &address.port().to_string()]);
        let server = Server::start(&mut command, &self.dir.path().join("watch.log"), address);
        CargoLambda { address, server, dir: self.dir.path().to_owned() }
    }

    /// What lies in the function's folder for temporary files, and in its folders.
    pub fn temporary(&self) -> Vec<String> {
        let names = |folder: &Path| -> Vec<PathBuf> {
            let entries =
                std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
            entries.unwrap_or_default()
        };
        let tmp = self.dir.path().join("tmp");
        let top = names(&tmp);
        let all = top.iter().flat_map(|one| names(one).into_iter().chain([one.clone()]));
        let mut all: Vec<String> = all.map(|path| path.strip_prefix(&tmp).unwrap().display().to_string()).collect();
        all.sort();
        all
    }

    /// A file of a job, from the store.
    pub async fn published(&self, job: &str, file: &str) -> Vec<u8> {
        let key = format!("films/{job}/{file}");
        let object = self.store.get(&key, 64 << 20, soon()).await;
        object.unwrap_or_else(|error| panic!("{key}: {error}")).bytes.to_vec()
    }

    pub async fn status(&self, job: &str) -> Value {
        serde_json::from_slice(&self.published(job, "status.json").await).unwrap()
    }

    /// The job's log, line by line, each of them JSON.
    pub async fn log(&self, job: &str) -> Vec<Value> {
        let text = String::from_utf8(self.published(job, "log.jsonl").await).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
    }

    /// Asserts that the film plays: every frame decodes, there is sound, and both are as long as each other.
    pub async fn assert_playable(&self, job: &str) {
        let film = self.dir.path().join("film.mp4");
        std::fs::write(&film, self.published(job, "film.mp4").await).unwrap();
        let mut probe = Command::new(layer("ffprobe"));
        probe.args(["-v", "error", "-count_frames", "-of", "json"]);
        probe.args(["-show_entries", "stream=codec_name,nb_read_frames,duration"]).arg(&film);
        let output = probe.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        let streams: Value = serde_json::from_slice(&output.stdout).unwrap();
        let stream = |codec: &str| {
            let found = streams["streams"].as_array().unwrap().iter().find(|stream| stream["codec_name"] == codec);
            let stream = found.unwrap_or_else(|| panic!("no {codec} in {streams}"));
            let number = |name: &str| stream[name].as_str().unwrap().parse::<f64>().unwrap();
            (number("nb_read_frames"), number("duration"))
        };
        let ((frames, picture), (_, sound)) = (stream("h264"), stream("aac"));
        assert!(picture > 1.0 && (picture - sound).abs() <= picture / frames, "{streams}");
    }
}

pub struct Emulator {
    pub address: SocketAddr,
    pub server: Server,
}

impl Emulator {
    /// One that `command` starts, wherever that is, with the arguments that make it listen.
    pub fn start(mut command: Command, function: &str, log: &Path) -> Self {
        let (address, runtime) = (free_port(), free_port());
        command
            .args(["--log-level", "warn"])
            .args(["--runtime-interface-emulator-address", &address.to_string()])
            .args(["--runtime-api-address", &runtime.to_string()])
            .arg(function);
        let server = Server::start(&mut command, log, address);
        Self { address, server }
    }

    /// Invokes the function and waits for its answer.
    pub fn invoke(&self, event: &Value) -> Value {
        let body = event.to_string();
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(INVOCATION)).unwrap();
        // HTTP/1.0: the answer comes unchunked and ends with the connection.
        let path = "/2015-03-31/functions/function/invocations";
        write!(socket, "POST {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{error}:\n{}", self.server.log()));
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}\n{}", self.server.log()))
    }
}

pub struct CargoLambda {
    address: SocketAddr,
    pub server: Server,
    dir: PathBuf,
}

impl CargoLambda {
    /// `cargo lambda invoke chalkreel`.
    pub fn invoke(&self, event: &Value) -> Value {
        let file = self.dir.join("event.json");
        std::fs::write(&file, event.to_string()).unwrap();
        let mut command = Command::new("timeout");
        command
            .arg(INVOCATION.as_secs().to_string())
            .arg(tool("cargo-lambda"))
            .args(["lambda", "invoke", "chalkreel", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &self.address.port().to_string(), "--data-file"])
            .arg(&file)
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}\n{}", output.status, self.server.log());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }
}
