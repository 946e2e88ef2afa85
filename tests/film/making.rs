//! The whole way of a job through the real binary: real Manim, real ffmpeg, the real embedded S3 server, real documents.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Harness, REPOSITORY, SMALL};

fn fixture(name: &str) -> String {
    Path::new(REPOSITORY).join("tests/fixtures/lessons").join(name).to_str().unwrap().to_owned()
}

fn tool(name: &str, arguments: &[&str]) -> String {
    let program = Path::new(REPOSITORY).join("target/layers/bin").join(name);
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn probe(film: &Path) -> Value {
    let film = film.to_str().unwrap();
    let arguments =
        ["-v", "error", "-count_frames", "-show_streams", "-show_format", "-show_chapters", "-of", "json", film];
    serde_json::from_str(&tool("ffprobe", &arguments)).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_showcase_film_matches_its_ledger() {
    let harness = Harness::new();
    let made = harness.render(&fixture("pythagoras.md"), &["--json"]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    assert_eq!(status, serde_json::from_slice::<Value>(&made.output.stdout).unwrap());
    assert_eq!((&status["state"], &status["error"]), (&"succeeded".into(), &Value::Null));
    made.assert_well_laid_out();
    assert!(number(&status["sync"]["worst_frames"]) <= 1.0);
    assert!(number(&status["planner"]["fuel_used"]) > 0.0);
    assert_eq!(status["confinement"]["no_new_privs"], true, "{status}");

    // Pictures, decoded one by one, are as many as the ledger says, and sound is as long.
    let ledger = &made.json("sync.json")["ledger"];
    let film = probe(&made.out.join("film.mp4"));
    let stream = |kind: &str| film["streams"].as_array().unwrap().iter().find(|one| one["codec_type"] == kind).unwrap();
    let (video, audio) = (stream("video"), stream("audio"));
    assert_eq!(number(&video["nb_read_frames"]), number(&ledger["frames"]));
    assert_eq!((&video["width"], &video["height"]), (&854.into(), &480.into()));
    let difference = (number(&video["duration"]) - number(&audio["duration"])).abs();
    assert!(difference <= 1.0 / 15.0, "sound and picture differ by {difference} s");
    assert_eq!(film["chapters"].as_array().unwrap().len(), status["scenes"].as_array().unwrap().len());

    // Words are spoken, at one loudness, and every one of them is in the captions.
    let path = made.out.join("film.mp4");
    let measured = tool(
        "ffmpeg",
        &["-hide_banner", "-nostats", "-i", path.to_str().unwrap(), "-af", "ebur128=peak=true", "-f", "null", "-"],
    );
    let after = |mark: &str| {
        let (_, rest) = measured.rsplit_once(mark).unwrap();
        rest.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    assert!((after("I:") + 16.0).abs() <= 1.0, "{} LUFS", after("I:"));
    assert!(after("Peak:") < -1.0, "{} dBTP", after("Peak:"));
    let spoken: Vec<String> = made.json("storyboard.json")["scenes"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|scene| scene["beats"].as_array().unwrap())
        .flat_map(|beat| beat["narration"].as_str().unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let captions = std::fs::read_to_string(made.out.join("captions.srt")).unwrap();
    let is_word_line = |line: &&str| !line.contains("-->") && line.parse::<u32>().is_err();
    let captioned: Vec<&str> = captions.lines().filter(is_word_line).flat_map(str::split_whitespace).collect();
    assert!(spoken.len() > 80);
    assert_eq!(captioned, spoken);
    assert!(std::fs::read(made.out.join("poster.jpg")).unwrap().starts_with(b"\xff\xd8"));
    harness.assert_clean();
}

#[test]
fn speech_is_exactly_where_the_ledger_says() {
    let harness = Harness::new();
    let made = harness.render(&harness.document("small.md", SMALL), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let raw = harness.path("sound.f32");
    let film = made.out.join("film.mp4");
    tool(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            film.to_str().unwrap(),
            "-f",
            "f32le",
            "-ac",
            "1",
            "-ar",
            "48000",
            raw.to_str().unwrap(),
        ],
    );
    let sound: Vec<f32> = std::fs::read(raw)
        .unwrap()
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let loud = |range: std::ops::Range<usize>| sound[range].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let sync = made.json("sync.json");
    for beat in sync["ledger"]["scenes"].as_array().unwrap().iter().flat_map(|scene| scene["beats"].as_array().unwrap())
    {
        let (first, samples) = (number(&beat["first_sample"]) as usize, number(&beat["samples"]) as usize);
        let end = (first + number(&beat["frames"]) as usize * 3_200).min(sound.len());
        if samples == 0 {
            // The first 2,048 samples may hold what AAC rings on of the words before.
            assert!(loud(first + 2_048..end) < 0.01, "a silent beat is not silent: {beat}");
            continue;
        }
        // One frame at 15 frames per second is 3,200 samples: speech begins and ends within it.
        assert!(loud(first..first + 3_200) > 0.01, "late: {beat}");
        assert!(loud(first + samples - 4_800..first + samples) > 0.005, "cut: {beat}");
        // AAC rings on a little after the last word.
        assert!(loud((first + samples + 2_048).min(end)..end) < 0.01, "the pause is not silent: {beat}");
    }
}

#[test]
fn rendering_the_same_lesson_again_repeats_no_work() {
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    let first = harness.render(&document, &[]);
    assert_eq!(first.code(), 0, "{}", first.words());
    let film = std::fs::read(first.out.join("film.mp4")).unwrap();
    let status = first.status();
    let again = harness.render(&document, &[]);
    assert_eq!((again.code(), &again.status()), (0, &status), "{}", again.words());
    assert!(again.seconds < first.seconds / 3.0, "{} s after {} s", again.seconds, first.seconds);
    // Another job of the same scenes takes them from the cache, and its film is the same to the byte.
    let anew = harness.render(&document, &["--again"]);
    assert_ne!(anew.status()["job_id"], status["job_id"]);
    assert_eq!(anew.status()["cache"], serde_json::json!({"hits": 2, "misses": 0}));
    assert!(std::fs::read(anew.out.join("film.mp4")).unwrap() == film, "the films differ");
    // One scene changed: the other is not drawn again.
    let changed = harness.render(&harness.document("small.md", SMALL.replace("nine.", "nine, and so on.")), &[]);
    assert_eq!(changed.status()["cache"], serde_json::json!({"hits": 1, "misses": 1}));
    // What stands further down than before is drawn as it was.
    let moved = harness.render(&harness.document("small.md", format!("<!-- a remark -->\n\n{SMALL}")), &[]);
    assert_ne!(moved.status()["job_id"], status["job_id"]);
    assert_eq!(moved.status()["cache"], serde_json::json!({"hits": 2, "misses": 0}));
}

#[test]
fn bad_documents_get_a_code_a_place_a_status_and_a_log() {
    let harness = Harness::new();
    let big = [b"# Title\n\n".as_slice(), &vec![b'x'; 50 << 20]].concat();
    let table: [(&str, &[u8], &str, Option<u64>); 6] = [
        ("latin1.md", b"# Caf\xe9\n\nText.\n", "input.not_utf8", Some(1)),
        ("empty.md", b"", "input.empty", None),
        ("blank.md", b" \n\n", "input.empty", None),
        ("big.md", &big, "input.too_large", None),
        ("title.md", b"# Only a title\n", "input.nothing_to_show", None),
        ("lesson.docx", b"# Title\n\nText.\n", "input.unknown_format", None),
    ];
    for (name, bytes, code, line) in table {
        let made = harness.render(&harness.document(name, bytes), &[]);
        assert_eq!(made.code(), 1, "{name}: {}", made.words());
        let status = made.status();
        assert_eq!((&status["state"], &status["error"]["code"]), (&"failed".into(), &code.into()), "{name}");
        assert!(!status["error"]["remedy"].as_str().unwrap().is_empty());
        if let Some(line) = line {
            assert_eq!(status["error"]["place"]["line"], line, "{name}");
        }
        assert!(made.words().contains(code), "{}", made.words());
        let log = std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().any(|line| line["code"] == code), "{name}: {log}");
        harness.assert_clean();
    }
}

#[test]
fn wrong_usage_exits_with_2_and_a_missing_document_with_1() {
    let harness = Harness::new();
    for arguments in [&["render"][..], &["rendre", "x.md"], &["render", "x.md", "--quality", "best"]] {
        assert_eq!(harness.command(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
    let made = harness.render("nowhere.md", &[]);
    assert_eq!(made.code(), 1);
    assert!(made.words().contains("input.not_found"), "{}", made.words());
    let harness = harness.set("SUBPROCESS_TIMEOUT", "10");
    let made = harness.render("nowhere.md", &[]);
    assert_eq!(made.code(), 2);
    assert!(made.words().contains("MANIM_TIMEOUT"), "{}", made.words());
}

/// Waits for a job's first line of progress: then it is claimed, and the handler listens to signals. Whoever drops what comes
/// back closes the pipe.
fn narrating(child: &mut Child) -> BufReader<ChildStderr> {
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("scenes narrated") {
        line.clear();
        assert!(progress.read_line(&mut line).unwrap() > 0, "it ended by itself");
    }
    progress
}

#[test]
fn an_interrupted_job_says_so_and_continues_next_time() {
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    let out = harness.path("out");
    let arguments = ["render", &document, "--out", out.to_str().unwrap(), "--quality", "draft"];
    let mut child = harness.command(&arguments).spawn().unwrap();
    let _progress = narrating(&mut child);
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let told = Instant::now();
    let ended = child.wait().unwrap();
    assert!(told.elapsed() < Duration::from_secs(8), "{:?}", told.elapsed());
    assert_eq!(ended.code(), Some(1));
    let status: Value = serde_json::from_slice(&std::fs::read(out.join("status.json")).unwrap()).unwrap();
    assert_eq!(status["error"]["code"], "job.interrupted");
    assert_eq!(status["error"]["retryable"], true);
    harness.assert_clean();
    let made = harness.render(&document, &[]);
    assert_eq!((made.code(), &made.status()["attempts"]), (0, &2.into()), "{}", made.words());
}

#[test]
fn a_job_can_be_cancelled_from_elsewhere() {
    let harness = Harness::new().set("LEASE_TIMEOUT", "3");
    let scene =
        "## One more\n\nA sentence that takes some seconds to say, and its picture longer to draw.\n\n- a point\n\n";
    let document = harness.document("long.md", format!("# Long\n\n{}", scene.repeat(40)));
    let out = harness.path("out");
    let arguments = ["render", &document, "--out", out.to_str().unwrap(), "--quality", "high", "--json"];
    let mut child = harness.command(&arguments).spawn().unwrap();
    let _progress = narrating(&mut child);
    let folder = harness.path("store").join("buckets/chalkreel");
    let job = std::fs::read_dir(folder)
        .unwrap()
        .find_map(|entry| {
            entry.unwrap().file_name().to_str()?.strip_prefix("films%2F")?.split('%').next().map(str::to_owned)
        })
        .unwrap();
    let cancel = harness.command(&["cancel", &job, "--json"]).output().unwrap();
    assert!(cancel.status.success(), "{}", String::from_utf8_lossy(&cancel.stderr));
    let told = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(told.elapsed() < Duration::from_secs(8), "{:?}", told.elapsed());
    assert_eq!(output.status.code(), Some(1));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&status["state"], &status["error"]["code"]),
        (&"cancelled".into(), &"job.cancelled".into()),
        "{status}"
    );
    assert_eq!(status["generation"], 2);
    assert!(out.join("log.jsonl").is_file());
    harness.assert_clean();
    // It has ended; neither an ended job nor a missing one can be cancelled.
    assert!(harness.command(&["cancel", &job]).output().unwrap().status.success());
    let nobody = harness.command(&["cancel", "000000000000000000000000"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(harness.command(&["cancel", "x"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_plan_shows_the_cost_of_its_first_voice() {
    let quote = |settings: &[(&'static str, &str)]| {
        let harness = settings.iter().fold(Harness::new(), |harness, (name, value)| harness.set(name, value));
        let plan = harness.command(&["plan", &fixture("pythagoras.md"), "--json"]).output().unwrap();
        let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
        let said = harness.command(&["plan", &fixture("pythagoras.md")]).output().unwrap();
        (plan["estimate"].clone(), String::from_utf8_lossy(&said.stdout).into_owned())
    };
    // Polly bills the times of its words like its sound.
    let billed =
        |name: &str, estimate: &Value| estimate["characters"].as_u64().unwrap() * if name == "polly" { 2 } else { 1 };
    for (name, price, settings) in [
        ("elevenlabs", 100.0, vec![("ELEVENLABS_API_KEY", "k"), ("VOICE_CHAIN", "elevenlabs")]),
        (
            "elevenlabs",
            50.0,
            vec![
                ("ELEVENLABS_API_KEY", "k"),
                ("VOICE_CHAIN", "elevenlabs"),
                ("ELEVENLABS_MODEL_ID", "eleven_flash_v2_5"),
            ],
        ),
        ("polly", 16.0, vec![("VOICE_CHAIN", "polly,espeak-ng")]),
        ("polly", 100.0, vec![("VOICE_CHAIN", "polly"), ("POLLY_ENGINE", "long-form")]),
        ("openai", 15.0, vec![("VOICE_CHAIN", "openai"), ("OPENAI_API_KEY", "k"), ("OPENAI_TTS_MODEL", "tts-1")]),
    ] {
        let (estimate, said) = quote(&settings);
        let speech = &estimate["cost"]["speech"];
        let billed = billed(name, &estimate);
        assert_eq!((&speech["voice"], &speech["paid_characters"]), (&name.into(), &billed.into()), "{said}");
        let dollars = price * billed as f64 / 1e6;
        assert!((number(&speech["dollars"]) - dollars).abs() < 1e-9, "{name}: {estimate}");
        assert!(said.contains(&format!("{name} costs about ${dollars:.2}")), "{said}");
    }
    let (estimate, said) = quote(&[("VOICE_CHAIN", "espeak-ng")]);
    let nothing = serde_json::json!({"voice": "espeak-ng", "paid_characters": 0, "dollars": 0.0});
    assert_eq!(estimate["cost"]["speech"], nothing);
    assert!(said.contains("espeak-ng costs nothing"), "{said}");
    // A server of one's own has its own price.
    let own = [("VOICE_CHAIN", "openai"), ("OPENAI_API_KEY", "k"), ("OPENAI_TTS_BASE_URL", "http://127.0.0.1:1/v1")];
    let (estimate, said) = quote(&own);
    assert_eq!(estimate["cost"]["speech"]["dollars"], Value::Null);
    assert!(said.contains("openai is a paid voice"), "{said}");
}

#[test]
fn plan_and_doctor_print_estimates_and_checks() {
    let harness = Harness::new();
    let plan = harness.command(&["plan", &fixture("pythagoras.md"), "--json"]).output().unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["estimate"]["fits_deadline"], true);
    assert!(number(&plan["estimate"]["seconds"]) > 30.0);
    let frames = (number(&plan["estimate"]["seconds"]) * 30.0).round();
    assert!((number(&plan["estimate"]["frames"]) - frames).abs() < 0.5, "{}", plan["estimate"]);
    assert!(number(&plan["estimate"]["cost"]["compute_dollars"]) > 0.0);
    let spoken = plan["storyboard"]["scenes"].as_array().unwrap().iter().flat_map(|scene| {
        scene["beats"].as_array().unwrap().iter().map(|beat| beat["narration"].as_str().unwrap().chars().count())
    });
    assert_eq!(plan["estimate"]["characters"], spoken.sum::<usize>());
    let doctor = harness.command(&["doctor", "--json"]).output().unwrap();
    assert!(doctor.status.success());
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(doctor["checks"]["layers"]["ok"], true);
    let nowhere = Harness::new().set("LAYERS_DIR", "/nonexistent");
    let output = nowhere.command(&["doctor"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("make tools"));
}
