//! The real binary in a home of its own, with real layers in which single programs can be made to misbehave.

#![allow(dead_code, reason = "each test binary uses a part of this harness")]

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use nix::unistd::{Gid, Uid, chown, geteuid};
use serde_json::Value;
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");
pub const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Two scenes, quickly drawn.
pub const SMALL: &str = "# Squares\n\nNine is a square.\n\n## Why\n\nThree times three is nine.\n\n$$3^2 = 9$$\n";

/// An unused user, and none of those that children get.
const NOBODY: u32 = 61_180;

/// The users that a test is for: that of the tests, and where that is root, an unprivileged one too.
pub fn users() -> Vec<Option<u32>> {
    if geteuid().is_root() { vec![None, Some(NOBODY)] } else { vec![None] }
}

/// A home of its own for one test: store, scratch, output.
pub struct Harness {
    pub dir: TempDir,
    pub layers: PathBuf,
    pub settings: Vec<(&'static str, String)>,
    /// Whom the program runs as; none for the user of the tests.
    pub user: Option<u32>,
}

pub struct Made {
    pub output: Output,
    pub out: PathBuf,
    pub seconds: f64,
}

impl Made {
    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    pub fn words(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub fn json(&self, name: &str) -> Value {
        let path = self.out.join(name);
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), self.words()));
        serde_json::from_slice(&bytes).unwrap()
    }

    pub fn status(&self) -> Value {
        self.json("status.json")
    }

    /// Nothing covers anything, leaves the frame or is too small; and how long things stand was measured.
    pub fn assert_well_laid_out(&self) {
        let audit = &self.status()["audit"];
        for what in ["overlaps", "outside", "too_small"] {
            assert_eq!(audit[what], 0, "{what}: {audit}");
        }
        assert!(audit["too_short"].is_u64(), "{audit}");
    }
}

impl Harness {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["tmp", "store"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Self { dir, layers: Path::new(REPOSITORY).join("target/layers"), settings: Vec::new(), user: None }
    }

    /// The same for a program of that user.
    pub fn of(user: Option<u32>) -> Self {
        let harness = Self { user, ..Self::new() };
        std::fs::set_permissions(harness.dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        if let Some(user) = user {
            for path in [harness.dir.path().to_owned(), harness.path("tmp"), harness.path("store")] {
                chown(&path, Some(Uid::from_raw(user)), Some(Gid::from_raw(user))).unwrap();
            }
        }
        harness
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn set(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    /// Layers in which one program is replaced by a shell script. Only the stage can misbehave in confinement: what the others
    /// would call lies outside of these layers.
    pub fn with_program(mut self, name: &str, script: &str) -> Self {
        let (real, fake) = (self.layers.canonicalize().unwrap(), self.path("layers"));
        std::fs::create_dir_all(fake.join("bin")).unwrap();
        std::fs::copy(real.join("versions.json"), fake.join("versions.json")).unwrap();
        for program in ["chalkreel-stage", "ffmpeg", "ffprobe", "espeak-ng"] {
            let path = fake.join("bin").join(program);
            let script = match program {
                _ if program == name => script.to_owned(),
                // Where a confined child may look.
                _ if name == "chalkreel-stage" => format!("exec /usr/bin/{program} \"$@\""),
                _ => "exec REAL \"$@\"".to_owned(),
            };
            let script = script.replace("REAL", real.join("bin").join(program).to_str().unwrap());
            let script = script.replace("LAYERS", fake.to_str().unwrap());
            std::fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let children = Path::new(REPOSITORY).join("tests/fixtures/children");
        for script in ["misbehave.py", "stage.py"] {
            std::fs::copy(children.join(script), fake.join(script)).unwrap();
        }
        self.layers = fake;
        self.set("CONFINEMENT", if name == "chalkreel-stage" { "best-effort" } else { "off" })
    }

    /// What the job left in its folder says that it has ended as it should: a log of JSON lines, and a status that agrees with itself.
    pub fn assert_told(&self, made: &Made) {
        let status = made.status();
        let state = status["state"].as_str().unwrap();
        let film = status["outputs"].get("film").is_some();
        assert_eq!(film, ["succeeded", "degraded"].contains(&state), "{status:#}");
        assert_eq!(made.out.join("film.mp4").is_file(), film);
        assert_eq!(status["error"].is_null(), film, "{status:#}");
        let log = std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
        assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()) && !log.is_empty());
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(self.dir.path()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.dir.path()).env("TMPDIR", self.path("tmp"));
        command.env("CHALKREEL_STORE_DIR", self.path("store")).env("LAYERS_DIR", &self.layers);
        command.env("JOB_TIMEOUT", "240").env("VOICE_CHAIN", "espeak-ng");
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    pub fn document(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn render(&self, document: &str, more: &[&str]) -> Made {
        self.render_under(document, more, |_| ())
    }

    /// As [`Harness::render`], once `prepare` has had its way with the command.
    pub fn render_under(&self, document: &str, more: &[&str], prepare: impl FnOnce(&mut Command)) -> Made {
        let out = self.path("out");
        let _ = std::fs::remove_dir_all(&out);
        let arguments = [&["render", document, "--out", out.to_str().unwrap(), "--quality", "draft"], more].concat();
        let mut command = self.command(&arguments);
        prepare(&mut command);
        let begun = Instant::now();
        let output = command.output().unwrap();
        Made { output, out, seconds: begun.elapsed().as_secs_f64() }
    }

    /// Nothing of a job is left: no scratch file, and no process that knows its scratch folder.
    pub fn assert_clean(&self) {
        let left: Vec<_> = std::fs::read_dir(self.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left in the scratch folder: {left:?}");
        let mark = self.path("tmp").to_str().unwrap().to_owned();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let knows = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&mark);
            assert!(!knows(&environment) && !knows(&line), "left running: {:?}", String::from_utf8_lossy(&line));
        }
    }
}
