//! Manim programs that leave something else in place of a clip, or more than they may: each costs its own scene and nothing else. The
//! rest of the film is drawn as ever, nothing of it stays in the cache, and the program is welcome again once it was mended.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use handler::config::Config;
use handler::deadline::Deadline;
use handler::intake::assets::Assets;
use handler::job::Quality;
use handler::layers::Layers;
use handler::media::mp4::{self, promise};
use handler::render::{Cards, Film, SceneOrder};
use serde_json::Value;
use storyboard::{Beat, FrameShape, Scene, SceneKind};

use super::harness::{BINARY, Harness, Made, REPOSITORY, users};
use super::{all, job};

const WRONG: &[&str] = &["render.wrong_clip"];
const LENGTH: &[&str] = &["program.wrong_report"];
const TOO_MUCH: &[&str] = &["render.too_many_files"];
const BOMB: &[&str] = &["render.too_many_processes"];

/// What a program does, in the words of `fixtures/programs/leave.py`, and the codes of which one stands in its scene's place.
type Row = (&'static str, &'static [&'static str]);

/// Things that are no file of its own.
const NO_FILES: &[Row] = &[
    ("os.symlink('/proc/self/cwd/private.mp4', CLIP); done()", WRONG),
    ("os.symlink('clip.mp4', CLIP); done()", WRONG),
    ("os.symlink('/etc/passwd', CLIP); done()", WRONG),
    ("ours('mine.mp4'); os.symlink('mine.mp4', CLIP); done()", WRONG),
    ("os.symlink('../scene-good.mp4', CLIP); done()", WRONG),
    ("os.mkfifo(CLIP); done()", WRONG),
    ("os.mkfifo(CLIP); done(segments=[])", LENGTH),
    ("os.mkdir(CLIP); done()", WRONG),
    ("os.mknod(CLIP, 0o666 | stat.S_IFSOCK); done()", WRONG),
    // The kernel refuses it, and there is no clip.
    ("try: os.mknod(CLIP, 0o666 | stat.S_IFCHR, os.makedev(1, 5))\nexcept OSError: pass\ndone()", WRONG),
    ("ours('mine.mp4'); os.link('mine.mp4', CLIP); done()", WRONG),
    ("done()", WRONG),
    // The answer comes first, and what another process would still do never does.
    ("say()\nif os.fork() == 0: time.sleep(1); ours()\nos._exit(0)", WRONG),
];

/// Files that are no clips, or clips of another making.
const NO_CLIPS: &[Row] = &[
    ("open(CLIP, 'w'); done()", WRONG),
    ("open(CLIP, 'wb').truncate(3 << 30); done()", WRONG),
    ("open(CLIP, 'wb').truncate(16 << 30); done()", &["render.wrong_clip", "program.error", "render.crashed"]),
    ("open(CLIP, 'w').write('ffconcat version 1.0\\nfile scene-one.mp4\\n'); done()", WRONG),
    ("open(CLIP, 'w').write('#EXTM3U\\n#EXT-X-TARGETDURATION:9\\n#EXTINF:9,\\nclip.mp4\\n'); done()", WRONG),
    ("other(codec='mpeg4', size=(64, 48)); done()", WRONG),
    ("other(size=(64, 48)); done()", WRONG),
    ("other(size=(2048, 2048), options={'preset': 'ultrafast'}); done()", WRONG),
    ("other(options={'preset': 'veryfast', 'tune': 'animation', 'crf': '20'}); done()", WRONG),
    ("other(tracks=2); done()", WRONG),
    ("other(sound=True, title='<script>alert(1)</script>'); done()", WRONG),
    ("other(kind='matroska'); done()", WRONG),
];

/// Clips of our own encoder that are not as promised.
const NOT_AS_PROMISED: &[Row] = &[
    ("ours(frames=FRAMES + 1); done()", LENGTH),
    ("ours(frames=FRAMES - 1); done()", LENGTH),
    ("ours(frames=1); done(frames=0)", LENGTH),
    ("ours(); done(frames=1 << 60)", LENGTH),
    // Parts that leave a gap, that end too early, and words that nobody was asked for.
    ("ours(); done(segments=[{'first_frame': 3, 'frames': FRAMES - 3}])", LENGTH),
    ("ours(); done(segments=[{'first_frame': 0, 'frames': FRAMES - 1}])", LENGTH),
    ("ours(); done(segments=[{'first_frame': 0, 'frames': FRAMES, 'ask': 7, 'text': 'Never asked.'}])", LENGTH),
    ("ours(); done(frames=-1)", &["render.crashed"]),
    ("ours(); done(frames=float('nan'))", &["render.crashed"]),
    ("ours(); clip = open(CLIP, 'r+b'); clip.seek(3 << 20); clip.write(b'x'); clip.close(); done()", WRONG),
    (
        "ours(); data = open(CLIP, 'rb').read(); open(CLIP, 'wb').write(data.replace(b'url \\0\\0\\0\\1', b'url \\0\\0\\0\\0')); done()",
        WRONG,
    ),
    ("rubbish(); done()", WRONG),
    ("ours(); os.truncate(CLIP, os.path.getsize(CLIP) - 1); done()", WRONG),
    ("ours(); open(CLIP, 'ab').write(b'\\0\\0\\0\\x08moof'); done()", WRONG),
    ("ours(); os.truncate(CLIP, 3 << 30); done()", WRONG),
];

/// More than a folder may hold. The last ones end before the first check.
const FLOODS: &[Row] = &[
    ("for _ in range(30000): os.mkdir('d'); os.chdir('d')\ntime.sleep(60)", TOO_MUCH),
    ("for number in range(40000): open(f'file-{number}', 'w')\ntime.sleep(60)", TOO_MUCH),
    (
        "for number in range(40): os.mkdir('d'); os.chdir('d')\nos.chdir(os.path.dirname(CLIP)); ours(); done()",
        TOO_MUCH,
    ),
    // Processes that run, and processes that nobody reaps.
    ("for _ in range(400):\n    if os.fork() == 0: time.sleep(60); os._exit(0)\ntime.sleep(60)", BOMB),
    ("for _ in range(2000):\n    if os.fork() == 0: os._exit(0)\ntime.sleep(60)", BOMB),
    (
        "os.mkdir('closed'); os.mkdir('closed/in'); os.mkfifo('closed/in/pipe'); raise SystemExit(3)",
        &["program.error", "render.crashed"],
    ),
];

fn document(rows: &[Row], mended: bool) -> String {
    let leave = std::fs::read_to_string(format!("{REPOSITORY}/tests/fixtures/programs/leave.py")).unwrap();
    let scene = |(number, (does, _)): (usize, &Row)| {
        // The places of what comes after it stay.
        let does = if mended { "\n".repeat(does.matches('\n').count()) } else { (*does).to_owned() };
        let program = leave.replace("\nLEAVE\n", &format!("\n{does}\n"));
        format!("## Row {number}\n\n```manim One\n{program}```\n\nSome words.\n\n")
    };
    let scenes: String = rows.iter().enumerate().map(scene).collect();
    format!(
        "# A film\n\nSome words.\n\n## Good\n\nMore words.\n\n- a list\n\n{scenes}## Last\n\nLast words.\n\n- a list\n"
    )
}

fn scenes(made: &Made) -> Vec<Value> {
    made.status()["scenes"].as_array().unwrap().clone()
}

/// Files of clips in the store's cache.
fn cached(harness: &Harness) -> usize {
    fn files(folder: &std::path::Path, found: &mut usize) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                files(&entry.path(), found);
            } else if entry.path().to_string_lossy().contains("clips")
                || entry.path().to_string_lossy().contains("programs")
            {
                *found += 1;
            }
        }
    }
    let mut found = 0;
    files(&harness.path("store"), &mut found);
    found
}

fn check(made: &Made, rows: &[Row]) {
    assert_eq!(made.code(), 3, "{}", made.words());
    assert_eq!(made.status()["state"], "degraded");
    let scenes = scenes(made);
    assert_eq!(scenes.len(), rows.len() + 3);
    for (number, scene) in scenes.iter().enumerate() {
        let state = scene["state"].as_str().unwrap();
        let Some((does, codes)) = number.checked_sub(2).and_then(|row| rows.get(row)) else {
            assert_eq!((state, &scene["replaced"]), ("rendered", &Value::Null), "scene {number} beside them");
            continue;
        };
        let why = scene["replaced"].as_str().unwrap_or_default();
        assert_eq!(state, "still", "{does}");
        assert!(codes.iter().any(|code| why.starts_with(&format!("{code}: "))), "{does}: {why}");
    }
    // A program that does what it may not would do so again.
    let log = std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
    for line in log.lines().filter(|line| line.contains("it is run again")) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["code"], "render.crashed", "{line}");
    }
}

#[test]
fn an_invalid_result_of_a_program_fails_its_scene_alone() {
    let films = [NO_FILES, NO_CLIPS, NOT_AS_PROMISED, FLOODS];
    // What is in a clip doesn't depend on the user, unlike files, folders and processes.
    let of = |user: Option<u32>| if user == users()[0] { films.to_vec() } else { vec![NO_FILES, FLOODS] };
    let cases: Vec<_> =
        users().into_iter().flat_map(|user| of(user).into_iter().map(move |rows| (user, rows))).collect();
    all(&cases, 2, |(user, rows)| {
        let harness = Harness::of(*user).set("JOB_TIMEOUT", &(job() + 10.0 * rows.len() as f64).to_string());
        std::fs::copy(format!("{REPOSITORY}/tests/fixtures/clips/stage.mp4"), harness.path("private.mp4")).unwrap();
        let made = harness.render(&harness.document("film.md", document(rows, false)), &[]);
        check(&made, rows);
        harness.assert_told(&made);
        harness.assert_clean();
        // An entry and its side-car for each scene that was drawn.
        let before = cached(&harness);
        assert_eq!(before % 3, 0, "{before} files for three clips");
        // What is found again afterwards doesn't depend on the user.
        if *user != users()[0] {
            return;
        }
        let mended = harness.render(&harness.document("film.md", document(rows, true)), &[]);
        assert_eq!(mended.code(), 0, "{}", mended.words());
        let states: Vec<Value> = scenes(&mended).iter().map(|scene| scene["state"].clone()).collect();
        let expected: Vec<&str> = (0..rows.len() + 3)
            .map(|number| if (2..rows.len() + 2).contains(&number) { "rendered" } else { "cached" })
            .collect();
        assert_eq!(states, expected);
        harness.assert_clean();
    });
}

/// What a program says is cut, marked as its own, and decides nothing.
#[test]
fn a_programs_messages_are_bounded() {
    const WORDS: &str = "'<script>document.title=1</script>' * 27 + '\\u202e\\x1b[31mred\\x07'";
    let (flood, deluge) = (
        format!("ours(); done(warnings=[{WORDS}] * 40)").leak(),
        format!("ours(); done(warnings=[{WORDS}] * 900)").leak(),
    );
    let audits = "ours(); done(audit={'measured': True, 'overlaps': 1 << 31}, findings=[{'kind': 'x', 'text': 7}])";
    let rows: &[Row] = &[(flood, &[]), (deluge, &[]), (audits, &["render.crashed"])];
    let harness = Harness::new();
    let made = harness.render(&harness.document("film.md", document(rows, false)), &[]);
    assert_eq!(made.code(), 3, "{}\n{}", made.words(), made.status());
    let scenes = scenes(&made);
    let warnings = |scene: usize| -> Vec<String> {
        scenes[scene]["warnings"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    // What is no event of the protocol was not said at all, and its author has left.
    assert_eq!((warnings(2).len(), warnings(3).len(), &scenes[4]["state"]), (40, 101, &serde_json::json!("still")));
    for warning in warnings(2).iter().chain(&warnings(3)) {
        assert!(warning.chars().count() < 400 && !warning.chars().any(|c| c.is_control() || c == '\u{202e}'));
    }
    let page = std::fs::read_to_string(made.out.join("index.html")).unwrap();
    assert!(!page.contains("<script>document.title") && !page.contains('\u{202e}'));
}

/// A disk that a program fills is there again for the other scenes: one that is 48 MB large, of the test's own.
#[test]
fn a_program_that_fills_the_disk_fails_its_scene_alone() {
    let ways = [["--user", "--map-root-user", "--mount"].as_slice(), &["--mount"]];
    let may =
        |way: &&&[&str]| Command::new("unshare").args(**way).arg("true").output().is_ok_and(|out| out.status.success());
    let Some(way) = ways.iter().find(may) else {
        eprintln!("left out: this machine lets nobody mount anything, not even in a namespace of its own");
        return;
    };
    let one = "try:\n    fill = open('fill', 'wb')\n    while True: fill.write(bytes(1 << 20)); fill.flush()\nexcept OSError: time.sleep(60)";
    let many = "for number in range(1000):\n    open(f'fill-{number}', 'wb').write(bytes(1 << 20)); time.sleep(0.02)\ntime.sleep(60)";
    let rows: &[Row] = &[(one, TOO_MUCH), (many, TOO_MUCH)];
    let harness = Harness::new();
    let (document, out) = (harness.document("film.md", document(rows, false)), harness.path("out"));
    let line = format!(
        "mount -t tmpfs -o size=48m tmpfs '{}' && exec '{BINARY}' render '{document}' --out '{}' --quality draft",
        harness.path("tmp").display(),
        out.display()
    );
    let mut command = Command::new("unshare");
    command.args(*way).args(["sh", "-c", &line]).stdin(Stdio::null());
    let like = harness.command(&[]);
    command.env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let begun = Instant::now();
    let output = command.output().unwrap();
    check(&Made { output, out, seconds: begun.elapsed().as_secs_f64() }, rows);
}

/// A list of files is no intro, whatever it names.
#[test]
fn an_intro_that_refers_to_other_files_is_left_out() {
    let harness = Harness::new();
    std::fs::copy(format!("{REPOSITORY}/tests/fixtures/clips/stage.mp4"), harness.path("other.mp4")).unwrap();
    harness.document("intro.mp4", "ffconcat version 1.0\nfile other.mp4\n");
    let document = harness.document("film.md", "---\nintro: intro.mp4\n---\n\n# A film\n\nSome words.\n");
    let made = harness.render(&document, &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let warnings = made.status()["warnings"].to_string();
    assert!(warnings.contains("assemble.intro_left_out"), "{warnings}");
}

/// The parameter sets that the handler knows are those of the encoders in these layers, at every quality and shape: the stage's, and that of
/// cards.
#[tokio::test(flavor = "multi_thread")]
async fn stage_and_cards_make_valid_clips_at_every_size() {
    let layers = Layers::find(Some(&Path::new(REPOSITORY).join("target/layers"))).unwrap();
    let cards = Cards::new(&layers, &Config::from_lookup(|_| None).unwrap());
    let home = tempfile::tempdir().unwrap();
    let (folder, soon) = (home.path(), Deadline::after(Duration::from_secs(300)));
    let beat = Beat {
        id: "one-1".into(),
        narration: String::new(),
        pause_ms: 0,
        actions: vec![],
        estimate_ms: 0,
        cues: vec![],
        holds: Vec::new(),
        place: None,
    };
    let scene =
        Scene { heading: "One".into(), id: "one".into(), kind: SceneKind::Lesson, beats: vec![beat], place: None };
    let assets = Assets::default();
    let qualities = [Quality::Draft, Quality::Standard, Quality::High, Quality::Uhd];
    let shapes = [None, Some(FrameShape::Portrait), Some(FrameShape::Square)];
    for (quality, frame_shape) in qualities.into_iter().flat_map(|quality| shapes.map(|shape| (quality, shape))) {
        let (theme, colours, logo) = (storyboard::Theme::Dark, None, None);
        let film = Film { title: "T".into(), theme, colours, logo, language: "en".into(), frame_shape };
        // A card repeats what is longer than two seconds.
        let frames = 2 * u64::from(quality.fps()) + 5;
        let (scene, film, assets, beats) = (&scene, &film, &assets, [frames]);
        let order = SceneOrder { scene, film, assets, quality, beats: &beats, tools: "", clips: folder };
        cards.clip(order, folder, soon).await.unwrap_or_else(|error| panic!("{quality}: {error}"));
        let (width, height) = quality.size(frame_shape);
        let draw = format!(
            "import numpy; from pathlib import Path; from chalkreel_stage.frames.clip import Clip\n\
             clip = Clip(Path('{}/stage.mp4'), {width}, {height}, {})\n\
             for number in range(3): clip.write(numpy.full(({height}, {width}, 4), 50 * number, numpy.uint8))\n\
             clip.close()",
            folder.display(),
            quality.fps()
        );
        let python = layers.root().join("manim/bin/python3");
        let drawn = Command::new(python).args(["-I", "-c", &draw]).output().unwrap();
        assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
        let clip = std::fs::File::open(folder.join("stage.mp4")).unwrap();
        let size = clip.metadata().unwrap().len();
        assert_eq!(mp4::check(&clip, size, &promise(quality, frame_shape, 3)), Ok(()), "{quality} {frame_shape:?}");
    }
}
