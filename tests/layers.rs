//! The layers and the function that `make layers` built, in a bare root as Lambda gives them: `make test-layers`, and never part of
//! `make test`, which has them not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "layers/bare.rs"]
mod bare;
#[path = "interfaces/process.rs"]
mod process;
#[path = "interfaces/rig.rs"]
mod rig;

use std::process::Command;
use std::time::Instant;

use bare::Bare;
use rig::{Emulator, Rig, event};
use serde_json::{Value, json};

/// Seconds that the function may take, as in the template.
const TIMEOUT: u32 = 900;

fn text(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {words}", output.status);
    words
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_layers_need_nothing_that_lambda_lacks() {
    let bare = Bare::new();
    let words = text(&mut bare.shell(
        "for path in /* /usr/* /lib/*; do echo $path; done; (: >/opt/x) 2>/dev/null && echo /opt is writable; \
         (: >/var/task/x) 2>/dev/null && echo /var/task is writable; (: >/x) 2>/dev/null && echo / is writable; \
         : >/tmp/x; [ -e /dev/shm ] && echo shared memory; [ $(/opt/manim/bin/python3 -c 'import os; print(os.getuid())') = 993 ] || echo root",
    ));
    let seen: Vec<&str> = words.lines().collect();
    let there = ["/bin", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/rie", "/tests", "/tmp", "/usr", "/var"];
    assert_eq!(seen, [&there[..], &["/usr/*", "/lib/x86_64-linux-gnu"]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrated_film_matches_its_ledger() {
    let bare = Bare::new();
    let rig = Rig::new().await;
    let mut emulator = Emulator::start(bare.emulator(TIMEOUT, &rig.settings()), "/var/task/bootstrap", &bare.log());
    let asked = Instant::now();
    assert_eq!(emulator.invoke(&event("unknown.json"))["error"]["code"], "intake.unknown_event");
    let cold = asked.elapsed();

    let lesson = rig::repository().join("tests/fixtures/lessons/pythagoras.md");
    let document = json!({"name": "pythagoras.md", "text": std::fs::read_to_string(lesson).unwrap()});
    let asked = Instant::now();
    let status = emulator.invoke(&json!({ "document": document }));
    let wall = asked.elapsed();
    assert_eq!((&status["state"], &status["error"]), (&json!("succeeded"), &Value::Null), "{status}");
    assert_eq!(status["audit"], json!({"overlaps": 0, "outside": 0, "too_small": 0}));
    assert!(number(&status["sync"]["worst_frames"]) <= 1.0, "{}", status["sync"]);
    // Lambda's kernel may grant less; what this one grants must have come through.
    assert_eq!(status["confinement"]["no_new_privs"], true, "{status}");

    let job = status["job_id"].as_str().unwrap();
    let made: Value = serde_json::from_slice(&rig.published(job, "sync.json").await).unwrap();
    let film = bare.tmp().join("film.mp4");
    std::fs::write(&film, rig.published(job, "film.mp4").await).unwrap();
    let probed = text(bare.run("/opt/bin/ffprobe").args([
        "-v",
        "error",
        "-count_frames",
        "-show_streams",
        "-show_chapters",
        "-of",
        "json",
        "/tmp/film.mp4",
    ]));
    let probed: Value = serde_json::from_str(&probed).unwrap();
    let stream = |kind: &str| {
        let found = probed["streams"].as_array().unwrap().iter().find(|one| one["codec_type"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {probed}"))
    };
    let (video, audio) = (stream("video"), stream("audio"));
    let frames = number(&made["ledger"]["frames"]);
    assert!(frames > 100.0, "{frames}");
    assert_eq!(number(&video["nb_read_frames"]), frames);
    assert_eq!((&video["codec_name"], &audio["codec_name"]), (&json!("h264"), &json!("aac")));
    let seconds = number(&video["duration"]);
    assert!((seconds - number(&audio["duration"])).abs() <= seconds / frames, "{probed}");
    assert_eq!(stream("subtitle")["codec_name"], "mov_text");
    assert_eq!(probed["chapters"].as_array().unwrap().len(), status["scenes"].as_array().unwrap().len());
    // Spoken by the voice of the layer, and not by the silent one.
    let loud = text(bare.run("/opt/bin/ffmpeg").args([
        "-hide_banner",
        "-nostats",
        "-i",
        "/tmp/film.mp4",
        "-map",
        "0:a",
        "-af",
        "ebur128",
        "-f",
        "null",
        "-",
    ]));
    let (_, loudness) = loud.rsplit_once("I:").unwrap();
    let loudness: f64 = loudness.split_whitespace().next().unwrap().parse().unwrap();
    assert!((loudness + 16.0).abs() <= 1.0, "{loudness} LUFS");
    assert_eq!(emulator.server.stop(), [""; 0], "left running");
    println!("first answer of a cold start after {cold:.2?}; {seconds:.1} s of film ({frames} frames) in {wall:.1?}");
}

#[test]
fn every_element_is_drawn() {
    let bare = Bare::new();
    let start = Instant::now();
    let mut gallery = bare.run("/opt/manim/bin/python3");
    let words = text(gallery.args(["-I", "-B", "/tests/gallery.py", "/var/task/bootstrap", "/opt", "/tmp/gallery"]));
    let sheets = rig::repository().join("target/lambda/gallery");
    let _ = std::fs::remove_dir_all(&sheets);
    std::fs::create_dir(&sheets).unwrap();
    let drawn = std::fs::read_dir(bare.tmp().join("gallery")).unwrap().flatten();
    let drawn = drawn.map(|sheet| std::fs::copy(sheet.path(), sheets.join(sheet.file_name())).unwrap()).count();
    assert!(drawn > 20, "{drawn} sheets: {words}");
    println!("{} ({drawn} sheets in {:.0?})", words.lines().last().unwrap(), start.elapsed());
}

#[test]
fn programs_can_typeset_and_get_a_clear_error_without_scipy() {
    let bare = Bare::new();
    let seen = text(bare.run("/opt/manim/bin/python3").args(["-I", "-B", "/tests/layers/programs.py"]));
    println!("{}", seen.trim());
}
