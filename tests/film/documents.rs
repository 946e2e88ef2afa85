//! Every kind of document becomes a film: lessons with pictures, lecture plans, storyboards, Manim programs, good ones and bad.

use std::collections::HashSet;
use std::io::Error;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use serde_json::Value;

use crate::harness::{Harness, Made, REPOSITORY, SMALL};

fn fixture(name: &str) -> String {
    Path::new(REPOSITORY).join("tests/fixtures").join(name).to_str().unwrap().to_owned()
}

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    tool("ffmpeg", arguments)
}

fn tool(name: &str, arguments: &[&str]) -> Vec<u8> {
    let program = Path::new(REPOSITORY).join("target/layers/bin").join(name);
    let output = Command::new(program).args(["-v", "error"]).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Share of the film's pictures, looked at twice a second, in which something of this colour is seen.
fn seen(made: &Made, is_colour: impl Fn(&[u8; 3]) -> bool) -> f64 {
    let film = made.out.join("film.mp4");
    let pixels =
        ffmpeg(&["-i", film.to_str().unwrap(), "-vf", "fps=2,scale=64:36", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
    let pictures: Vec<&[u8]> = pixels.chunks_exact(64 * 36 * 3).collect();
    let with = pictures.iter().filter(|picture| picture.as_chunks::<3>().0.iter().any(&is_colour)).count();
    with as f64 / pictures.len() as f64
}

fn magenta(pixel: &[u8; 3]) -> bool {
    let [red, green, blue] = *pixel;
    red > 180 && blue > 180 && green < 90
}

fn warnings(status: &Value) -> String {
    status["warnings"].as_array().unwrap().iter().map(|warning| format!("{}\n", warning["message"])).collect()
}

/// A document of a program with these lines in its `construct`.
fn program(lines: &str) -> String {
    let lines = lines.lines().map(|line| format!("        {line}\n")).collect::<String>();
    format!(
        "from manim import *\n\n\nclass Only(Scene):\n    \"\"\"Some words.\"\"\"\n\n    def construct(self):\n{lines}"
    )
}

#[test]
fn pictures_come_from_the_lessons_own_folder_alone() {
    let harness = Harness::new();
    std::fs::create_dir(harness.path("pictures")).unwrap();
    let paint = |path: &str| {
        let path = harness.path(path);
        ffmpeg(&["-y", "-f", "lavfi", "-i", "color=magenta:size=640x360", "-frames:v", "1", path.to_str().unwrap()]);
    };
    paint("pictures/a b.png");
    let lesson = harness.document(
        "lesson.md",
        "# Pictures\n\nOne is here.\n\n![a magenta field](pictures/a%20b.png)\n\n## Others\n\nNone of these is.\n\n\
         ![gone](pictures/gone.png)\n\n![up](../secret.png)\n",
    );
    let made = harness.render(&lesson, &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    let share = seen(&made, magenta);
    assert!(share > 0.1 && share < 0.9, "{share}");
    let told = warnings(&status);
    assert!(told.contains("pictures/gone.png") && told.contains("does not exist"), "{told}");
    assert!(told.contains("../secret.png"), "{told}");
    assert!(!told.contains("a b.png"), "{told}");
    let line = "warning: line 11: the picture `pictures/gone.png` is left out";
    assert!(made.words().contains(line), "{}", made.words());

    // The same words with another picture are another film.
    ffmpeg(&[
        "-y",
        "-f",
        "lavfi",
        "-i",
        "color=yellow:size=640x360",
        "-frames:v",
        "1",
        harness.path("pictures/a b.png").to_str().unwrap(),
    ]);
    let made = harness.render(&lesson, &["--again"]);
    assert_eq!(made.code(), 0, "{}", made.words());
    assert!(seen(&made, magenta) < 0.01);
    harness.assert_clean();
}

#[test]
fn a_terminal_shows_once_why_there_is_no_film() {
    let harness = Harness::new();
    let made = harness.render(&harness.document("lesson.md", b"\xff\xfe#\0"), &[]);
    assert_eq!(made.code(), 1);
    assert_eq!(made.words().matches("not UTF-8").count(), 1, "{}", made.words());
    assert!(!made.words().contains("ERROR"), "{}", made.words());
    harness.assert_clean();
}

#[test]
fn a_lecture_plan_becomes_a_film() {
    let harness = Harness::new();
    let made = harness.render(&fixture("plans/derivative.json"), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    assert_eq!(status["state"], "succeeded", "{status:#}");
    made.assert_well_laid_out();
    // Measured after each beat.
    let board = made.json("storyboard.json");
    for (scene, planned) in status["scenes"].as_array().unwrap().iter().zip(board["scenes"].as_array().unwrap()) {
        assert_eq!(scene["audits"].as_array().unwrap().len(), planned["beats"].as_array().unwrap().len(), "{scene:#}");
    }
}

#[test]
fn every_supported_formula_is_typeset() {
    let harness = Harness::new();
    let made = harness.render(&fixture("lessons/fifty-formulas.md"), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    let told = status["scenes"].as_array().unwrap().iter().flat_map(|scene| scene["warnings"].as_array().unwrap());
    assert_eq!(told.map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    // The last of the list is never closed, and nothing else of it is beyond us.
    assert_eq!(warnings(&status).lines().count(), 1, "{}", warnings(&status));
}

#[test]
fn a_storyboard_with_every_action_becomes_a_film() {
    let harness = Harness::new();
    let made = harness.render(&fixture("storyboards/every-action.storyboard.json"), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    made.assert_well_laid_out();
}

#[test]
fn a_manim_program_becomes_a_film_of_all_its_scenes() {
    let harness = Harness::new();
    let made = harness.render(&fixture("lessons/scenes.py"), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    assert_eq!(status["state"], "succeeded", "{status:#}");
    let drawn = |scene: &&Value| scene["state"] == "rendered" && scene["frames"].as_u64().unwrap() > 15;
    assert_eq!(status["scenes"].as_array().unwrap().iter().filter(drawn).count(), 2, "{status:#}");
    harness.assert_clean();
}

/// Width and height of the film, with a comma.
fn size_of(made: &Made) -> String {
    let film = made.out.join("film.mp4");
    let entries = ["-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0"];
    let probed = tool("ffprobe", &[&entries[..], &[film.to_str().unwrap()]].concat());
    String::from_utf8(probed).unwrap().trim().to_owned()
}

#[test]
fn a_lesson_says_the_shape_of_its_film() {
    let harness = Harness::new();
    for (aspect, size) in [("9:16", "480,854"), ("1:1", "480,480")] {
        let lesson =
            format!("---\naspect: {aspect}\n---\n{SMALL}\n```python\nfor i in range(10):\n    print(i)\n```\n");
        let made = harness.render(&harness.document("shape.md", &lesson), &[]);
        assert_eq!(made.code(), 0, "{}", made.words());
        made.assert_well_laid_out();
        assert_eq!(size_of(&made), size, "{aspect}");
    }
}

/// The film of telephones is upright, its still cards and what comes before it too.
#[test]
fn a_program_with_a_frame_of_its_own_makes_a_film_of_that_shape() {
    let harness = Harness::new();
    for (frame, size) in [("1080, 1920", "480,854"), ("1080, 1080", "480,480"), ("1440, 1080", "854,480")] {
        let document = program("self.add(Square(2, color='#ff00ff', fill_opacity=1))\nself.wait()")
            + "\n\nclass Broken(Scene):\n    def construct(self):\n        raise ValueError('no')\n";
        let document = document.replace("*\n", &format!("*\n\nconfig.pixel_width, config.pixel_height = {frame}\n"));
        let made = harness.render(&harness.document("shape.py", document), &[]);
        assert_eq!(made.code(), 3, "{}", made.words());
        let status = made.status();
        let states: Vec<_> = status["scenes"].as_array().unwrap().iter().map(|scene| &scene["state"]).collect();
        assert_eq!(states, ["rendered", "still"], "{status:#}");
        assert_eq!(size_of(&made), size);
        assert!(seen(&made, magenta) > 0.1, "{frame}");
    }
    harness.assert_clean();
}

#[test]
fn a_misbehaving_program_fails_its_scene_alone() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("written");
    let write = format!("open({:?}, 'w').write('here')\nself.wait()", target.to_str().unwrap());
    let cases = [
        ("raises", "raise ValueError('of its own')".to_owned(), "of its own"),
        ("leaves", "import os; os._exit(0)".to_owned(), "render.crashed"),
        ("dies", "import os; os.kill(os.getpid(), 9)".to_owned(), "SIGKILL"),
        ("hangs", "while True: pass".to_owned(), "render.stalled"),
        ("sleeps", "import time; time.sleep(600)".to_owned(), "render.stalled"),
        (
            "lies",
            "import os; os.write(1, b'{\"event\":\"done\",\"id\":\"run\",\"frames\":9}\\n'); os._exit(0)".to_owned(),
            "render.crashed",
        ),
        ("connects", "import socket; socket.create_connection(('127.0.0.1', 9))".to_owned(), "Permission"),
        ("writes", write, "Permission"),
    ];
    for (name, lines, why) in cases {
        // A program that is to fail by itself needs time to begin, on a busy machine too.
        let stall = if why == "render.stalled" { "3" } else { "30" };
        let harness = Harness::new().set("STALL_TIMEOUT", stall).set("JOB_TIMEOUT", "60");
        let made = harness.render(&harness.document(&format!("{name}.py"), program(&lines)), &[]);
        assert_eq!(made.code(), 3, "{name}: {}", made.words());
        assert!(made.seconds < 62.0, "{name}: {} s", made.seconds);
        let status = made.status();
        let replaced: String =
            status["scenes"].as_array().unwrap().iter().filter_map(|scene| scene["replaced"].as_str()).collect();
        assert!(replaced.contains(why), "{name}: {replaced}");
        assert!(!target.exists());
        harness.assert_told(&made);
        harness.assert_clean();
    }
}

/// Nothing of one class is there for the next one, and what a class has done to its runner costs the runner and no other class.
#[test]
fn classes_of_a_file_share_a_runner_unless_one_of_them_leaves_something() {
    let harness = Harness::new().set("CHALKREEL_PARALLEL", "1");
    let made = harness.render(&fixture("programs/classes.py"), &[]);
    assert_eq!(made.code(), 3, "{}", made.words());
    let status = made.status();
    for scene in status["scenes"].as_array().unwrap() {
        assert_eq!(scene["state"], "rendered", "{scene:#}");
        let why = scene["replaced"].as_str().unwrap_or_default();
        assert_eq!(!why.is_empty(), scene["id"] == "breaks", "{scene:#}");
        assert!(why.is_empty() || why.contains("ValueError: of its own"), "{why}");
    }
    let captions = std::fs::read_to_string(made.out.join("captions.vtt")).unwrap();
    let runner = |class: &str| {
        let of = |line: &str| line.strip_prefix(&format!("{class} of "))?.parse::<u32>().ok();
        captions.lines().find_map(of).unwrap_or_else(|| panic!("{class}: {captions}"))
    };
    let shared = ["A1", "A2", "StaysBehind"].map(runner);
    assert!(shared.iter().all(|one| *one == shared[0]), "{captions}");
    let after_stray = ["B1", "SpeaksAhead", "B2", "MakesDeaf"].map(runner);
    assert!(after_stray.iter().all(|one| *one == after_stray[0]), "{captions}");
    let one_for_each: HashSet<u32> = ["A1", "B1", "C1", "D1", "E1"].map(runner).into_iter().collect();
    assert_eq!(one_for_each.len(), 5, "{captions}");
    harness.assert_clean();
}

/// A fence with a program of this name in `fixtures/programs`.
fn fence(name: &str) -> String {
    let program = std::fs::read_to_string(fixture(&format!("programs/{name}.py"))).unwrap();
    format!("```manim\n{program}```\n\n")
}

#[test]
fn each_way_in_which_a_program_fails_has_its_code_and_what_was_drawn_stays() {
    let head = "from manim import *\n\n\n";
    let endless = format!(
        "```manim\n{head}class Endless(Scene):\n    def construct(self):\n        while True:\n            \
         self.play(Create(Square()), run_time=0.5)\n```\n\n"
    );
    let half = format!(
        "```manim\n{head}class Half(Scene):\n    def construct(self):\n        self.play(Create(Square()), run_time=1)\n        \
         self.play(Create(nothing))\n```\n\n"
    );
    let unreadable =
        format!("```manim\n{head}class Unreadable(Scene):\n    def construct(self:\n        pass\n```\n\n");
    let removed = format!(
        "```manim\n{head}class Removed(Scene):\n    def construct(self):\n        self.wait()\n\n\ndel Removed\n```\n\n"
    );
    let cases = [
        ("program.film_limit: ", endless, Some("2.0 s")),
        ("program.error: ", half, Some("1.0 s")),
        ("program.unreadable: ", unreadable, None),
        ("program.no_scene_class: ", removed, None),
        ("program.other_manim: ", fence("other_manim"), None),
        ("program.opengl: ", fence("opengl").replace("self.play(Create(Square()), run_time=0.3)", "pass"), None),
        ("program.input: ", fence("asks"), Some("on the screen")),
    ];
    let scenes: String =
        cases.iter().enumerate().map(|(n, (_, fence, _))| format!("## Case {n}\n\nWords.\n\n{fence}")).collect();
    let harness = Harness::new().set("MANIM_MAX_FILM", "2");
    let made = harness.render(&harness.document("lesson.md", format!("# Programs\n\nAll fail.\n\n{scenes}")), &[]);
    assert_eq!(made.code(), 3, "{}", made.words());
    let status = made.status();
    let replaced: Vec<&Value> =
        status["scenes"].as_array().unwrap().iter().filter(|scene| !scene["replaced"].is_null()).collect();
    for (code, _, shown) in cases {
        let scene = replaced.iter().find(|scene| scene["replaced"].as_str().unwrap().starts_with(code));
        let scene = scene.unwrap_or_else(|| panic!("{code}: {status:#}"));
        let why = scene["replaced"].as_str().unwrap();
        match shown {
            Some(shown) => assert!(scene["state"] == "rendered" && why.contains(shown), "{code}: {scene:#}"),
            None => assert!(scene["state"] == "still" && why.contains("still card"), "{code}: {scene:#}"),
        }
    }
    // The line and its text.
    assert!(replaced.iter().any(|scene| scene["replaced"].as_str().unwrap().contains("Create(nothing)")), "{status:#}");
    harness.assert_clean();
}

#[test]
fn a_program_is_spoken_by_our_voice_in_step_with_its_blocks() {
    let harness = Harness::new();
    let made = harness.render(&fixture("programs/spoken.py"), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    assert_eq!(
        (&status["sync"]["worst_frames"], &status["warnings"]),
        (&serde_json::json!(0.0), &serde_json::json!([]))
    );
    let ledger: Value = serde_json::from_slice(&std::fs::read(made.out.join("sync.json")).unwrap()).unwrap();
    let beats = ledger["ledger"]["scenes"][0]["beats"].as_array().unwrap();
    assert!(beats.len() >= 3 && beats.iter().all(|beat| beat["samples"].as_u64().unwrap() > 10_000), "{ledger:#}");
    // Once more, with the clip of the first time.
    let again = harness.render(&fixture("programs/spoken.py"), &["--again"]);
    let status = again.status();
    assert_eq!(status["scenes"][0]["state"], "cached", "{status:#}");
    assert_eq!(status["sync"]["worst_frames"], 0.0);
    let captions = std::fs::read_to_string(again.out.join("captions.vtt")).unwrap();
    assert!(captions.contains("It vanishes."), "{captions}");
    harness.assert_clean();
}

#[test]
fn a_program_has_the_files_and_the_narration_that_lie_beside_it() {
    let harness = Harness::new();
    std::fs::create_dir(harness.path("pictures")).unwrap();
    let picture = harness.path("pictures/one.png");
    ffmpeg(&["-y", "-f", "lavfi", "-i", "color=magenta:size=640x360", "-frames:v", "1", picture.to_str().unwrap()]);
    std::fs::write(harness.path("points.csv"), "1,2\n3,4\n").unwrap();
    // A module, one that it imports, and what that opens.
    std::fs::create_dir(harness.path("parts")).unwrap();
    std::fs::write(harness.path("parts/names.py"), "from kept import FIRST\n").unwrap();
    std::fs::write(harness.path("kept.py"), "FIRST = open('first.txt').read().strip()\n").unwrap();
    std::fs::write(harness.path("first.txt"), "First\n").unwrap();
    let document = harness.document(
        "boxes.py",
        program(
            "from parts.names import FIRST\nself.next_section(FIRST)\nself.add(ImageMobject('pictures/one.png'))\nself.wait()\n\
             self.next_section('Second')\nself.add(Text(open('points.csv').read()))\nself.wait()",
        ),
    );
    let silent = harness.render(&document, &[]);
    assert_eq!((silent.code(), warnings(&silent.status()).as_str()), (0, ""), "{}", silent.words());
    assert!(seen(&silent, magenta) > 0.5, "{}", seen(&silent, magenta));

    // Another narration is another film.
    harness.document("boxes.narration.md", "# Second\n\nThe box opens.\n\n# First\n\nA box is shut.\n");
    harness.document("boxes.narration.json", r#"["Nobody says this."]"#);
    let spoken = harness.render(&document, &[]);
    let told = warnings(&spoken.status());
    assert!(told.contains("the narration `boxes.narration.json` is not spoken: `boxes.narration.md` is"), "{told}");
    assert_eq!(spoken.code(), 0, "{}", spoken.words());
    let captions = std::fs::read_to_string(spoken.out.join("captions.vtt")).unwrap();
    assert!(!captions.contains("Nobody"), "{captions}");
    let (first, second) = (captions.find("A box is shut."), captions.find("The box opens."));
    assert!(first.is_some() && first < second, "{captions}");

    // So is another module.
    std::fs::write(harness.path("kept.py"), "FIRST = first\n").unwrap();
    let broken = harness.render(&document, &[]);
    assert!(warnings(&broken.status()).contains("NameError"), "{:#}", broken.status());
    harness.assert_clean();
}

#[test]
fn programs_do_not_run_when_they_are_not_allowed() {
    let harness = Harness::new().set("MANIM_SOURCE", "deny");
    let made = harness.render(&harness.document("only.py", program("self.wait()")), &[]);
    assert_eq!(made.code(), 3, "{}", made.words());
    let replaced = made.status()["scenes"].to_string();
    assert!(replaced.contains("render.refused") && replaced.contains("MANIM_SOURCE"), "{replaced}");
}

/// Starts a command as on a kernel that has no seccomp.
fn without_seccomp(command: &mut Command) {
    let set = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::PR_SET_SECCOMP as u64).unwrap();
    let rules = [(libc::SYS_seccomp, vec![]), (libc::SYS_prctl, vec![SeccompRule::new(vec![set]).unwrap()])];
    let missing = SeccompAction::Errno(libc::ENOSYS as u32);
    let filter = SeccompFilter::new(rules.into(), SeccompAction::Allow, missing, TargetArch::x86_64).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    // SAFETY: between fork and exec it makes two system calls, and allocates nothing.
    #[expect(unsafe_code, reason = "a filter on the program under test")]
    unsafe {
        command.pre_exec(move || seccompiler::apply_filter(&filter).map_err(|_| Error::last_os_error()))
    };
}

#[test]
fn programs_do_not_run_when_they_can_not_be_confined() {
    for (allowed, code) in [("confined", 3), ("allow", 0)] {
        let harness = Harness::new().set("MANIM_SOURCE", allowed);
        let document = harness.document("only.py", program("self.wait()"));
        let made = harness.render_under(&document, &[], without_seccomp);
        assert_eq!(made.code(), code, "{allowed}: {}", made.words());
        let status = made.status();
        assert_eq!(status["confinement"]["seccomp"], false, "{allowed}: {status:#}");
        let replaced = status["scenes"].to_string();
        let refused = replaced.contains("render.refused") && replaced.contains("can't confine");
        assert_eq!(refused, code == 3, "{allowed}: {replaced}");
        harness.assert_told(&made);
    }
}
