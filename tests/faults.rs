//! Everything that can go wrong around a job, each as a real misbehaving program, server or disk, through the real binary: whatever
//! it is, the job ends by its deadline and 2 s, its status and log say what was wrong, and nothing of it is left.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "faults/damage.rs"]
mod damage;
#[path = "faults/exits.rs"]
mod exits;
#[path = "film/harness.rs"]
mod harness;
#[path = "faults/leftovers.rs"]
mod leftovers;
#[path = "faults/programs.rs"]
mod programs;
#[path = "modules/provider.rs"]
mod provider;
#[path = "film/storm.rs"]
mod storm;

use std::io::BufRead as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use handler::config::Config;
use handler::deadline::Deadline;
use handler::job::log::JobLogs;
use handler::job::{Again, JobRequest, Source, State};
use handler::pipeline;
use handler::services::Services;
use handler::store::{Embedded, Endpoint, Store};
use harness::{BINARY, Harness, Made, SMALL};
use provider::{Behaviour, Kind, Provider};
use serde_json::{Value, json};
use storm::{Weather, storm};

/// Seconds that the jobs of this table have: six times what this machine takes for as many healthy ones as run at once, so that
/// only what is broken is late.
fn job() -> f64 {
    static JOB: OnceLock<f64> = OnceLock::new();
    *JOB.get_or_init(|| {
        let slowest = Mutex::new(0_f64);
        all(&[(); AT_ONCE], AT_ONCE, |()| {
            let harness = Harness::new();
            let made = harness.render(&harness.document("small.md", SMALL), &[]);
            assert_eq!(made.code(), 0, "{}", made.words());
            let mut slowest = slowest.lock().unwrap();
            *slowest = slowest.max(made.seconds);
        });
        (6.0 * slowest.into_inner().unwrap()).max(20.0).round()
    })
}
/// Jobs at a time: most of them wait for a program that hangs.
const AT_ONCE: usize = 4;

/// A program, what it does instead of its work, and what may come of it: exit code and the code of error or replacement.
type Fault = (&'static str, &'static str, &'static [(i32, &'static str)]);

/// A scene without a picture becomes a card.
const CARDS: &[(i32, &str)] = &[
    (3, "render.could_not_start"),
    (3, "render.crashed"),
    (3, "render.stalled"),
    (3, "render.timed_out"),
    (3, "render.wrong_frames"),
    (3, "render.wrong_clip"),
];
const STALLED: &[(i32, &str)] = &[(3, "render.stalled"), (3, "render.timed_out")];
const CRASHED: &[(i32, &str)] = &[(3, "render.crashed"), (3, "render.could_not_start")];
const WRONG: &[(i32, &str)] = &[(3, "render.wrong_frames"), (3, "render.wrong_clip")];
/// Words that no voice speaks are silent.
const SILENT: &[(i32, &str)] = &[(3, "voice.exhausted")];
/// After some beats without a sound the voice is not asked any more.
const NO_SOUND: &[(i32, &str)] = &[(3, "voice.not_decodable"), (3, "voice.exhausted")];
/// Without ffmpeg there is no film.
const UNJOINED: &[(i32, &str)] = &[
    (1, "assemble.failed"),
    (1, "assemble.stalled"),
    (1, "assemble.timed_out"),
    (1, "assemble.wrong_film"),
    (4, "job.deadline"),
];
/// A film that can't be counted is not believed.
const UNCOUNTED: &[(i32, &str)] = &[(1, "assemble.wrong_film"), (4, "job.deadline")];

/// What any of the four programs may do.
const ANY: &[&str] = &[
    "MISBEHAVE sleep",
    "MISBEHAVE ignore_term",
    "MISBEHAVE obey_but_leave_grandchild",
    "MISBEHAVE leave_grandchild",
    "MISBEHAVE escape stay",
    "MISBEHAVE chatter",
    "MISBEHAVE flood 2000000000",
    "MISBEHAVE long_line 200000000",
    "MISBEHAVE not_utf8",
    "MISBEHAVE read_stdin",
    "MISBEHAVE close_pipes",
    "MISBEHAVE crash",
    "MISBEHAVE stop",
    "MISBEHAVE spin",
    "MISBEHAVE open_files",
    "MISBEHAVE bomb 9",
    "MISBEHAVE network",
    "exit 0",
    "exit 1",
    "kill -SEGV $$",
    "kill -KILL $$",
    "rm -f \"$0\"; exec \"$0\"",
];

/// What one of them may do in the middle of its own work.
const OWN: &[Fault] = &[
    ("chalkreel-stage", "STAGE hangs", STALLED),
    ("chalkreel-stage", "STAGE repeats-itself", STALLED),
    ("chalkreel-stage", "STAGE speaks-no-protocol", STALLED),
    ("chalkreel-stage", "STAGE another-id", STALLED),
    ("chalkreel-stage", "STAGE endless-line", CRASHED),
    ("chalkreel-stage", "STAGE segv", CRASHED),
    ("chalkreel-stage", "STAGE exits", CRASHED),
    ("chalkreel-stage", "STAGE closes", CRASHED),
    ("chalkreel-stage", "STAGE no-file", WRONG),
    ("chalkreel-stage", "STAGE empty-file", WRONG),
    ("chalkreel-stage", "STAGE half-a-clip", WRONG),
    ("chalkreel-stage", "STAGE pipe", WRONG),
    ("chalkreel-stage", "STAGE link", WRONG),
    ("chalkreel-stage", "STAGE folder", WRONG),
    ("chalkreel-stage", "STAGE fewer-frames", WRONG),
    ("chalkreel-stage", "STAGE other-beats", WRONG),
    ("espeak-ng", "MISBEHAVE memory", SILENT),
    ("ffprobe", "MISBEHAVE memory", UNCOUNTED),
    ("espeak-ng", "SOUND '<html>nothing here</html>'", NO_SOUND),
    ("espeak-ng", "SOUND ''", NO_SOUND),
    ("espeak-ng", "LEAVES mkfifo", SILENT),
    ("espeak-ng", "LEAVES ln -s /proc/self/cwd/small.md", SILENT),
    ("espeak-ng", "LEAVES truncate -s 900000000", SILENT),
    ("ffmpeg", "REAL \"$@\"; rm -f \"${@: -1}\"; mkfifo \"${@: -1}\"", &[(1, "assemble.wrong_film")]),
    ("ffmpeg", "REAL \"$@\"; ln -sf /proc/self/cwd/small.md \"${@: -1}\"", &[(1, "assemble.wrong_film")]),
    ("ffmpeg", "REAL \"${@:1:$#-1}\" -t 1 \"${@: -1}\"", &[(1, "assemble.wrong_film")]),
    ("ffmpeg", "REAL \"$@\"; truncate -s 3000 \"${@: -1}\"", &[(1, "assemble.wrong_film")]),
    ("ffmpeg", "REAL \"$@\"; : > \"${@: -1}\"", &[(1, "assemble.wrong_film")]),
    ("ffmpeg", "while :; do echo frame=7; echo progress=continue; sleep 0.2; done", &[(1, "assemble.stalled")]),
    ("ffprobe", "echo '{\"streams\":[]}'", UNCOUNTED),
    (
        "ffprobe",
        "echo '{\"streams\":[{\"codec_type\":\"video\",\"nb_read_packets\":\"7\",\"duration\":\"1.0\"}]}'",
        UNCOUNTED,
    ),
];

fn script(text: &str) -> String {
    if let Some(sound) = text.strip_prefix("SOUND ") {
        return format!("while [ $# -gt 0 ]; do [ \"$1\" = -w ] && printf %s {sound} > \"$2\"; shift; done");
    }
    if let Some(command) = text.strip_prefix("LEAVES ") {
        return format!("while [ $# -gt 0 ]; do [ \"$1\" = -w ] && {command} \"$2\"; shift; done");
    }
    text.replace("MISBEHAVE", "exec /usr/bin/python3 -I -B LAYERS/misbehave.py")
        .replace("STAGE", "exec /usr/bin/python3 -I -B LAYERS/stage.py")
}

/// What the status names: the job's error, or what kept the first replaced scene from being as planned.
fn named(status: &Value) -> String {
    let replaced = status["scenes"].as_array().into_iter().flatten().find_map(|scene| scene["replaced"].as_str());
    let error = status["error"]["code"].as_str();
    error.or_else(|| replaced?.split(':').next()).unwrap_or_default().to_owned()
}

fn check(harness: &Harness, made: &Made, what: &str, expected: &[(i32, &str)], seconds: f64) {
    assert!(made.seconds < seconds + 2.0, "{what}: late, after {} s", made.seconds);
    harness.assert_told(made);
    let found = (made.code(), named(&made.status()));
    let known = expected.iter().any(|(exit, code)| *exit == found.0 && *code == found.1);
    harness.assert_clean();
    assert!(known, "{OTHERWISE}{what}: {found:?}\n{}", made.words());
}

/// How the words about a job begin that was over in time and tidy, but with another code than it should.
const OTHERWISE: &str = "otherwise: ";

/// What a case says when it goes wrong.
fn attempt<T>(case: &T, run: impl Fn(&T)) -> Option<String> {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(case))).err()?;
    Some(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".to_owned()))
}

/// Runs every case, some at a time, and reports all failures. Some of them take the whole machine for a while, so one that ended
/// with another code than it should is seen again by itself; what was late or left something is wrong at once.
fn all<T: Sync>(cases: &[T], at_once: usize, run: impl Fn(&T) + Sync) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(words) = attempt(case, &run) {
                        wrong.lock().unwrap().push((case, words));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.retain_mut(|(case, words)| {
        eprintln!("beside others: {words}");
        let again = words.starts_with(OTHERWISE).then(|| attempt(*case, &run));
        again.is_none_or(|again| again.map(|now| *words = now).is_some())
    });
    let wrong: Vec<String> = wrong.into_iter().map(|(_, words)| words).collect();
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[test]
fn whatever_a_program_does_the_job_ends_in_time_with_a_status() {
    let any = [("chalkreel-stage", CARDS), ("espeak-ng", SILENT), ("ffmpeg", UNJOINED), ("ffprobe", UNCOUNTED)];
    let any = any.iter().flat_map(|(program, expected)| ANY.iter().map(|script| (*program, *script, *expected)));
    let cases: Vec<Fault> = any.chain(OWN.iter().copied()).collect();
    all(&cases, AT_ONCE, |(program, fault, expected)| {
        let harness = Harness::new().with_program(program, &script(fault));
        let harness =
            harness.set("JOB_TIMEOUT", &job().to_string()).set("STALL_TIMEOUT", "3").set("VOICE_TIMEOUT", "2");
        let made = harness.render(&harness.document("small.md", SMALL), &[]);
        check(&harness, &made, &format!("{program}: {fault}"), expected, job());
    });
}

#[test]
fn a_program_that_can_not_run_is_named() {
    let programs = [("chalkreel-stage", CARDS), ("espeak-ng", SILENT), ("ffmpeg", UNJOINED), ("ffprobe", UNCOUNTED)];
    let cases: Vec<_> = programs
        .iter()
        .flat_map(|program| ["missing", "not executable", "another machine's"].map(|how| (*program, how)))
        .collect();
    all(&cases, AT_ONCE, |((program, expected), how)| {
        let harness = Harness::new().with_program(program, "exit 0").set("JOB_TIMEOUT", &job().to_string());
        let path = harness.layers.join("bin").join(program);
        match *how {
            "missing" => std::fs::remove_file(&path).unwrap(),
            "not executable" => {
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            }
            _ => {
                // The head of an ELF file for AArch64 (machine 183).
                let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0\x01\0\0\0".to_vec();
                head.resize(4096, 0);
                std::fs::write(&path, head).unwrap();
            }
        }
        let made = harness.render(&harness.document("small.md", SMALL), &[]);
        check(&harness, &made, &format!("{program} is {how}"), expected, job());
        let status = made.status().to_string();
        let said = ["does not exist", "is not executable", "is a program for another processor", "is not a program"];
        assert!(said.iter().any(|words| status.contains(words)), "{program} is {how}: {status}");
    });
}

#[test]
fn on_failure_fail_means_fail() {
    let harness = Harness::new().with_program("chalkreel-stage", "exit 1").set("JOB_TIMEOUT", &job().to_string());
    let strict = format!("---\non_failure: fail\n---\n{SMALL}");
    let made = harness.render(&harness.document("strict.md", strict), &[]);
    check(&harness, &made, "the stage exits", &[(1, "render.could_not_start")], job());
    let silent = Harness::new().with_program("espeak-ng", "exit 1").set("JOB_TIMEOUT", &job().to_string());
    let made = silent.render(&silent.document("strict.md", format!("---\non_failure: fail\n---\n{SMALL}")), &[]);
    check(&silent, &made, "the voice exits", &[(1, "voice.exhausted")], job());
}

#[test]
fn what_stalls_is_tried_once_more() {
    for (program, fault, exit, code) in [
        ("chalkreel-stage", "STAGE hangs", 3, "render.stalled"),
        ("ffmpeg", "while :; do echo frame=7; echo progress=continue; sleep 0.2; done", 1, "assemble.stalled"),
    ] {
        let harness = Harness::new().with_program(program, &script(fault));
        let harness = harness.set("JOB_TIMEOUT", "60").set("STALL_TIMEOUT", "2");
        let made = harness.render(&harness.document("small.md", SMALL), &[]);
        check(&harness, &made, fault, &[(exit, code)], 60.0);
        let log = std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
        assert!(log.contains("tried again") || log.contains("started again"), "{fault}: {log}");
    }
}

/// A film with a card in it is one film: every frame of it can be decoded, and it is as long as its ledger.
#[test]
fn a_card_joins_the_clips_of_the_stage() {
    // The second scene alone is drawn by a stage that draws nothing.
    let harness = Harness::new();
    let first = harness.render(&harness.document("small.md", SMALL), &[]);
    assert_eq!(first.code(), 0, "{}", first.words());
    let mut broken = Harness::new().with_program("chalkreel-stage", "exit 1").set("CONFINEMENT", "best-effort");
    broken.settings.push(("CHALKREEL_STORE_DIR", harness.path("store").to_str().unwrap().to_owned()));
    let changed =
        SMALL.replace("nine.\n\n$$", "nine, {and} \\so on.\n\n$$").replace("## Why", "## Why {nine} \\is nine");
    let made = broken.render(&broken.document("small.md", changed), &[]);
    assert_eq!(made.code(), 3, "{}", made.words());
    let status = made.status();
    let states: Vec<&str> =
        status["scenes"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    let log = || std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
    assert_eq!(states, ["cached", "still"], "{}\n{}", first.words(), log());
    let film = made.out.join("film.mp4");
    let decode = Command::new("/usr/bin/ffmpeg")
        .args(["-v", "error", "-xerror", "-i", film.to_str().unwrap(), "-f", "framemd5", "-map", "0:v", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(decode.status.success() && decode.stderr.is_empty(), "{}", String::from_utf8_lossy(&decode.stderr));
    let frames = String::from_utf8_lossy(&decode.stdout).lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(json!(frames), made.json("sync.json")["ledger"]["frames"]);
}

#[test]
fn a_job_without_time_says_so() {
    for seconds in ["0.01", "0.3", "1"] {
        let harness = Harness::new().set("JOB_TIMEOUT", seconds);
        let made = harness.render(&harness.document("small.md", SMALL), &[]);
        let seconds: f64 = seconds.parse().unwrap();
        check(&harness, &made, "no time", &[(4, "job.deadline"), (3, "render.timed_out")], seconds.max(0.5));
    }
}

/// A film of about nine minutes: 36 paragraphs of forty words.
fn long() -> String {
    let words = "The square on the long side is as large as both others together, and whoever doubts it may cut them out of paper, \
        lay them side by side, and count; for what can be counted can be believed by anybody who has the patience.";
    let scene = |n: usize| format!("## Scene {n}\n\n{words}\n\n- Point {n}\n\nAnd once more, number {n}: {words}\n\n");
    format!("# Long\n\n{}", (0..18).map(scene).collect::<String>())
}

/// Each deadline comes in the middle of something else: speaking, drawing, the sound track, joining, measuring. What is long is the
/// work of the handler's own.
#[test]
fn a_long_film_meets_its_deadline_and_is_made_when_time_allows() {
    let made = |seconds: f64| {
        let harness = Harness::new().with_program("chalkreel-stage", "exit 1").set("JOB_TIMEOUT", &seconds.to_string());
        let made = harness.render(&harness.document("long.md", long()), &[]);
        let late = [
            // There is no time for a single card, and no stage.
            (1, "render.could_not_start"),
            (3, "render.could_not_start"),
            (3, "render.timed_out"),
            (3, "voice.exhausted"),
            (4, "job.deadline"),
            (4, "render.could_not_start"),
        ];
        check(&harness, &made, &format!("{seconds:.1} s"), &late, seconds);
        let whole = made.status()["cost"]["film_seconds"].as_f64().filter(|length| *length > 400.0);
        eprintln!("{seconds:.1} s: code {} after {:.1} s, {whole:?} s of film", made.code(), made.seconds);
        (made.seconds, whole)
    };
    // How long this machine takes, today.
    let (takes, whole) = made(300.0);
    assert!(whole.is_some(), "no film in 300 s");
    for share in [0.05, 0.15, 0.3, 0.5, 0.75, 1.0] {
        made((share * takes).max(0.5));
    }
    // A fifth of the time is kept for log and status, and what is planned with is threefold.
    let (_, whole) = made(4.0 * takes);
    assert!(whole.is_some(), "four times the time, and no whole film");
}

#[test]
fn an_unusable_scratch_folder_is_reported() {
    // Read-only, also for root.
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    // A file system of our own needs a mount namespace; within a chroot a user may not have one, root may.
    let ways = [["--user", "--map-root-user", "--mount"].as_slice(), &["--mount"]];
    let may =
        |way: &&&[&str]| Command::new("unshare").args(**way).arg("true").output().is_ok_and(|out| out.status.success());
    let Some(way) = ways.iter().find(may) else {
        eprintln!("left out: this machine lets nobody mount anything, not even in a namespace of its own");
        return;
    };
    let mounted = |options: &str| {
        let out = harness.path("out");
        let _ = std::fs::remove_dir_all(&out);
        let line = format!(
            "mount -t tmpfs -o {options} tmpfs '{}' && exec '{BINARY}' render '{document}' --out '{}' --quality draft --again",
            harness.path("tmp").display(),
            out.display()
        );
        let mut command = Command::new("unshare");
        command.args(*way).args(["sh", "-c", &line]).stdin(Stdio::null());
        let like = harness.command(&[]);
        command.env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let begun = Instant::now();
        let output = command.output().unwrap();
        Made { output, out, seconds: begun.elapsed().as_secs_f64() }
    };
    check(&harness, &mounted("ro"), "read-only", &[(1, "scratch.failed")], job());
    // Large enough for folders and words, too small for a clip.
    let full: &[(i32, &str)] = &[
        (1, "scratch.failed"),
        (1, "render.failed"),
        (1, "render.crashed"),
        (1, "render.could_not_start"),
        (1, "voice.exhausted"),
        (1, "assemble.failed"),
    ];
    check(&harness, &mounted("size=64k"), "full", full, 60.0);
}

#[test]
fn a_signal_in_any_stage_interrupts_the_job_and_it_can_continue() {
    let cases = ["claimed", "planning", "scenes narrated", "1 of 2", "joining", "publishing"];
    all(&cases, 2, |stage| {
        let harness = Harness::new();
        let document = harness.document("small.md", SMALL);
        let out = harness.path("out");
        let arguments = ["render", &document, "--out", out.to_str().unwrap(), "--quality", "draft"];
        let mut child = harness.command(&arguments).spawn().unwrap();
        let mut progress = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(stage) && progress.read_line(&mut line).unwrap() > 0 {}
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let told = Instant::now();
        let ended = child.wait().unwrap();
        assert!(told.elapsed() < Duration::from_secs(6), "{stage}: {:?}", told.elapsed());
        harness.assert_clean();
        let status: Value = serde_json::from_slice(&std::fs::read(out.join("status.json")).unwrap()).unwrap();
        // A signal that came when all was done changes nothing.
        let done = status["state"] == "succeeded" && ended.code() == Some(0);
        assert!(done || status["error"]["code"] == "job.interrupted", "{stage}: {status:#}");
        assert!(status["outputs"].get("log").is_some());
        let made = harness.render(&document, &[]);
        assert_eq!(made.code(), 0, "{stage}: {}", made.words());
    });
}

/// A job of its own store behind the weather.
async fn in_weather(weather: Weather, seconds: f64) -> (Harness, Made, Store) {
    let harness = Harness::new();
    let server = Embedded::start(&harness.path("store")).await.unwrap();
    server.create_bucket("chalkreel").unwrap();
    let Endpoint { url, credentials, .. } = server.endpoint();
    let store = Store::connect(&server.endpoint(), "chalkreel").await;
    let behind = url.unwrap().strip_prefix("http://").unwrap().to_owned();
    let (access, secret) = credentials.unwrap();
    let address = storm(weather, behind).await;
    let mut harness = harness.set("CHALKREEL_S3_ENDPOINT", &address).set("JOB_TIMEOUT", &seconds.to_string());
    for (name, value) in [("AWS_ACCESS_KEY_ID", access), ("AWS_SECRET_ACCESS_KEY", secret)] {
        harness.settings.push((name, value));
    }
    harness.settings.push(("AWS_REGION", "us-east-1".to_owned()));
    let document = harness.document("small.md", SMALL);
    let (harness, made) = tokio::task::spawn_blocking(move || {
        let made = harness.render(&document, &[]);
        (harness, made)
    })
    .await
    .unwrap();
    server.shutdown(Deadline::after(Duration::from_secs(2))).await;
    (harness, made, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_transient_failures_of_the_store() {
    for weather in [
        Weather::EachCallFailsOnce,
        Weather::Busy,
        Weather::EachCallIsSlow(Duration::from_millis(300)),
        Weather::ResetInMidBody,
    ] {
        let (harness, made, _) = in_weather(weather, 60.0).await;
        assert_eq!(made.code(), 0, "{weather:?}: {}", made.words());
        harness.assert_told(&made);
        harness.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_store_ends_the_job_in_time() {
    for (weather, exit, code) in [
        (Weather::ConditionsNeverHold, 1, ""),
        (Weather::CredentialsExpire(6), 1, "store."),
        (Weather::Silence, 1, "store.timed_out"),
    ] {
        let (harness, made, _) = in_weather(weather, 8.0).await;
        assert!(made.seconds < 10.0, "{weather:?}: {} s", made.seconds);
        assert_eq!(made.code(), exit, "{weather:?}: {}", made.words());
        assert!(made.words().contains(code), "{weather:?}: {}", made.words());
        harness.assert_clean();
    }
}

/// A network voice that misbehaves costs its film nothing but that voice: the next one speaks all of it.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_voice_does_the_film_is_made() {
    let after = |seconds: &str| Some(seconds.to_owned());
    let actions = [
        Behaviour::Hangs,
        Behaviour::HangsMidway,
        Behaviour::BreaksOff,
        Behaviour::Refuses(429, "{}".to_owned(), None),
        Behaviour::Refuses(429, "{}".to_owned(), after("1")),
        Behaviour::Refuses(429, "{}".to_owned(), after("86400")),
        Behaviour::Refuses(500, "{}".to_owned(), None),
        Behaviour::Refuses(503, "<html>".to_owned(), after("Wed, 21 Oct 2065 07:28:00 GMT")),
        Behaviour::Refuses(401, "{}".to_owned(), None),
        Behaviour::Html,
        Behaviour::Nothing,
        Behaviour::HalfSound,
        Behaviour::Garbage,
        Behaviour::Floods { told: true },
        Behaviour::Floods { told: false },
    ];
    for action in actions {
        let provider = Provider::that(Kind::ElevenLabs, action.clone()).await;
        let mut harness = Harness::new()
            .set("JOB_TIMEOUT", "60")
            .set("VOICE_TIMEOUT", "2")
            .set("VOICE_CHAIN", "elevenlabs,espeak-ng");
        harness.settings.extend(provider.settings());
        let what = format!("{action:?}");
        let (harness, made) = tokio::task::spawn_blocking(move || {
            let made = harness.render(&harness.document("small.md", SMALL), &[]);
            (harness, made)
        })
        .await
        .unwrap();
        assert!(made.seconds < job() + 2.0, "{what}: {} s", made.seconds);
        assert_eq!(made.code(), 0, "{what}: {}", made.words());
        harness.assert_told(&made);
        harness.assert_clean();
        let status = made.status();
        let voices = status["voices"].as_array().unwrap();
        assert!(!voices.is_empty(), "{what}");
        // Half a sound is still a sound; what is there is spoken, by the first voice or by the last, never by both.
        let heard: Vec<&str> = voices.iter().map(|voice| voice["voice"].as_str().unwrap()).collect();
        let one = heard.iter().all(|voice| *voice == heard[0]);
        assert!(one && (heard[0] == "espeak-ng" || action == Behaviour::HalfSound), "{what}: {heard:?}");
        provider.assert_well_asked();
    }
}

/// The pipeline in this process, as in a warm one of Lambda's.
fn services(harness: &Harness, store: Store) -> Services {
    let tmp = harness.path("tmp").display().to_string();
    let layers = harness.layers.display().to_string();
    let config = Config::from_lookup(|name| match name {
        "TMPDIR" => Some(tmp.clone()),
        "LAYERS_DIR" => Some(layers.clone()),
        _ => None,
    });
    Services::open(config.unwrap(), store, JobLogs::default()).unwrap()
}

fn uploaded(key: &str) -> JobRequest {
    let source = Source::Object { bucket: "chalkreel".to_owned(), key: key.to_owned(), version: None };
    JobRequest::of(source)
}

/// Another worker that took the job over has it to itself from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_another_worker_has_taken_over_is_left_alone() {
    let harness = Harness::new();
    let server = Embedded::start(&harness.path("store")).await.unwrap();
    server.create_bucket("chalkreel").unwrap();
    let store = Store::connect(&server.endpoint(), "chalkreel").await;
    let soon = || Deadline::after(Duration::from_secs(60));
    let long = format!(
        "{SMALL}\n{}",
        "## More\n\nOne more sentence that is spoken for some seconds, and drawn.\n\n".repeat(30)
    );
    store.put("incoming/lesson.md", long.into_bytes(), "text/markdown", soon()).await.unwrap();
    let services = std::sync::Arc::new(services(&harness, store.clone()));
    let worker = tokio::spawn({
        let services = services.clone();
        async move { pipeline::film(uploaded("incoming/lesson.md"), &services, soon(), Again::Retryable).await }
    });
    // While it draws, another worker takes the job over.
    let (key, theirs) = loop {
        assert!(!worker.is_finished());
        let all = store.list("films/", 100, soon()).await.unwrap();
        if let Some(entry) = all.iter().find(|entry| entry.key.ends_with("/status.json")) {
            let object = store.get(&entry.key, 1 << 20, soon()).await.unwrap();
            let mut status: Value = serde_json::from_slice(&object.bytes).unwrap();
            if status["stage"] == "render" {
                status["owner"] = json!("another");
                status["generation"] = json!(status["generation"].as_u64().unwrap() + 1);
                let text = serde_json::to_vec(&status).unwrap();
                store.put(&entry.key, text.clone(), "application/json", soon()).await.unwrap();
                break (entry.key.clone(), text);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let lost = worker.await.unwrap().unwrap_err();
    assert_eq!(lost.code.name(), "job.lost", "{lost:?}");
    assert_eq!(store.get(&key, 1 << 20, soon()).await.unwrap().bytes, theirs, "the other's status is the other's");
    let folder = key.trim_end_matches("status.json");
    let left: Vec<String> = store.list(folder, 100, soon()).await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, [key.as_str()], "nothing else was published");
    services.close().await;
    harness.assert_clean();
}

/// A document that is gone when it is read: the event was true when it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_vanishes_is_told() {
    let harness = Harness::new();
    let server = Embedded::start(&harness.path("store")).await.unwrap();
    server.create_bucket("chalkreel").unwrap();
    let endpoint = server.endpoint();
    let direct = Store::connect(&endpoint, "chalkreel").await;
    let soon = || Deadline::after(Duration::from_secs(20));
    direct.put("incoming/lesson.md", SMALL.as_bytes().to_vec(), "text/markdown", soon()).await.unwrap();
    let behind = endpoint.url.as_deref().unwrap().strip_prefix("http://").unwrap().to_owned();
    let address = storm(Weather::Vanishes, behind).await;
    let store = Store::connect(&Endpoint { url: Some(address), ..endpoint.clone() }, "chalkreel").await;
    assert!(store.exists("incoming/lesson.md", soon()).await.unwrap());
    let services = services(&harness, store);
    let request = uploaded("incoming/lesson.md");
    let status = pipeline::film(request, &services, soon(), Again::Retryable).await.unwrap();
    assert_eq!(status.state, State::Failed);
    assert_eq!(status.error.unwrap().code.name(), "input.not_found");
    services.close().await;
    harness.assert_clean();
}
