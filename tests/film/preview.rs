//! What is shown of a document before its film is made: `check`, `still`, and single scenes.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use crate::harness::{Harness, REPOSITORY};

/// Runs `check --json`: the exit code, and the findings of each document.
fn checked(harness: &Harness, documents: &[String], more: &[&str]) -> (i32, Vec<Value>) {
    let mut arguments = vec!["check", "--json"];
    arguments.extend(documents.iter().map(String::as_str));
    arguments.extend(more);
    let Output { status, stdout, stderr } = harness.command(&arguments).output().unwrap();
    let told =
        serde_json::from_slice(&stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&stderr)));
    (status.code().unwrap(), told)
}

/// A planted defect: the document's name, its text, the code of the finding, and its line; 0 for none.
type Defect = (&'static str, &'static str, &'static str, u32);

/// A program with that body.
macro_rules! program {
    ($body:literal) => {
        concat!("from manim import *\n\n\nclass One(Scene):\n    def construct(self):\n        ", $body, "\n")
    };
}

const DEFECTS: &[Defect] = &[
    // Documents that are refused.
    ("empty.md", "", "input.empty", 0),
    ("headings.md", "# One\n\n## Two\n", "input.nothing_to_show", 0),
    ("a.pages", "# One\n\nWords.\n", "input.unknown_format", 0),
    ("broken.json", "{\"animation_plan\": {\"scenes\": [}}", "input.json_invalid", 1),
    ("none.py", "print(1)\n", "input.no_scene_class", 0),
    ("wrong.storyboard.json", "{\n  \"title\": 1\n}", "input.storyboard_invalid", 2),
    // Front matter.
    ("quality.md", "---\nquality: ultra\n---\n\n# T\n\nWords.\n", "plan.unknown_setting", 2),
    ("theme.md", "---\nlanguage: en\ntheme: purple\n---\n\n# T\n\nWords.\n", "plan.unknown_setting", 3),
    (
        "language.md",
        "---\nlanguage: en\n---\n\n# Der Satz\n\nDas Quadrat über der langen Seite ist so groß wie die beiden anderen zusammen, und das gilt immer.\n",
        "plan.language_differs",
        0,
    ),
    ("music.md", "---\nmusic: gone.mp3\n---\n\n# T\n\nWords.\n", "input.file_missing", 0),
    ("intro.md", "---\nintro: gone.mp4\n---\n\n# T\n\nWords.\n", "input.file_missing", 0),
    // Formulas.
    ("command.md", "# T\n\nWords.\n\n## S\n\n$$\\foo{x} + 1$$\n\nMore words.\n", "plan.formula_in_part", 7),
    ("brace.md", "# T\n\nWords.\n\n## S\n\n$$\\frac{1}{x$$\n\nMore words.\n", "plan.formula_in_part", 7),
    ("alone.md", "# T\n\nWords.\n\n## S\n\n$$ x = 1\n\nMore words.\n", "plan.formula_not_understood", 7),
    (
        "reference.md",
        "# T\n\nWords.\n\n## S\n\n$$x = 1$$\n\nSee $\\eqref{nowhere}$ for it.\n",
        "plan.formula_in_part",
        9,
    ),
    // Files.
    ("picture.md", "# T\n\nWords.\n\n## S\n\n![a cat](cat.png)\n\nMore words.\n", "input.file_missing", 7),
    ("link.md", "# T\n\nWords.\n\n## S\n\n- item\n\nSee [the notes](notes.md) too.\n", "check.link_missing", 9),
    // Drawings.
    ("plot.md", "# T\n\nWords.\n\n## S\n\n```plot\ny = frob(x)\n```\n\nMore.\n", "plan.expression_not_understood", 8),
    ("graph.md", "# T\n\nWords.\n\n## S\n\n```graph\n-> b\n```\n\nMore.\n", "plan.expression_not_understood", 8),
    (
        "chart.md",
        "# T\n\nWords.\n\n## S\n\n```chart\nApples: many\n```\n\nMore.\n",
        "plan.expression_not_understood",
        8,
    ),
    (
        "shapes.md",
        "# T\n\nWords.\n\n## S\n\n```shapes\nblob (0,0)\n```\n\nMore.\n",
        "plan.expression_not_understood",
        8,
    ),
    ("line.md", "# T\n\nWords.\n\n## S\n\n```numberline\nx: 3..1\n```\n\nMore.\n", "plan.expression_not_understood", 8),
    // Markup and letters.
    ("letters.md", "# T\n\nWords.\n\n## S\n\n- \u{f40}\u{f41}\u{f42}\n\nMore words.\n", "plan.no_font", 7),
    ("shortcode.md", "# T\n\nWords and {% widget with a name %} more of them.\n", "plan.", 3),
    ("include.md", "# T\n\nWords.\n\n```{include} other.md\n```\n", "plan.left_out", 5),
    // Words and pictures, of a storyboard whose author has set them.
    ("unseen.storyboard.json", UNSEEN, "check.words_without_picture", 0),
    ("hasty.storyboard.json", HASTY, "audit.too_short", 0),
    // Plans.
    (
        "type.json",
        "{\"animation_plan\": {\"scenes\": [{\"id\": \"a\", \"voiceover\": \"Words.\", \"elements\": [\n  {\"id\": \"b\", \"type\": \"hologram\", \"content\": \"x\"}]}]}}",
        "plan.",
        2,
    ),
    (
        "target.json",
        "{\"animation_plan\": {\"scenes\": [{\"id\": \"a\", \"voiceover\": \"Words.\", \"elements\": [\n  {\"id\": \"b\", \"type\": \"text\", \"content\": \"x\"},\n  {\"id\": \"c\", \"type\": \"highlight\", \"content\": \"nobody\"}]}]}}",
        "plan.",
        3,
    ),
    (
        "note.json",
        "{\"animation_plan\": {\"scenes\": [{\"id\": \"a\", \"voiceover\": \"Words.\",\n  \"director_remark\": \"Make it shine like gold.\", \"elements\": [{\"id\": \"b\", \"type\": \"text\", \"content\": \"x\"}]}]}}",
        "plan.left_out",
        0,
    ),
    // Programs.
    (
        "syntax.py",
        "from manim import *\n\n\nclass One(Scene):\n    def construct(self):\n        self.play(\n",
        "program.unreadable",
        4,
    ),
    ("name.py", program!("self.add(Cirle())"), "program.error", 0),
    (
        "manimlib.py",
        "from manimlib import *\n\n\nclass One(Scene):\n    def construct(self):\n        self.play(ShowCreation(Circle()))\n",
        "program.other_manim",
        4,
    ),
    ("input.py", program!("name = input()\n        self.add(Text(name))"), "program.input", 0),
    ("module.py", program!("import pandas\n        self.wait()"), "program.", 0),
    ("later.py", program!("self.play(Create(Circle()))\n        self.play(Create(nothing))"), "program.error", 0),
    ("over.py", program!("self.add(Text('one word'), Text('another'))\n        self.wait(3)"), "render.warning", 0),
    ("outside.py", program!("self.add(Text('far away').shift(RIGHT * 7))\n        self.wait(3)"), "render.warning", 0),
    ("small.py", program!("self.add(Text('tiny words', font_size=6))\n        self.wait(3)"), "render.warning", 0),
    ("old.py", program!("self.play(ShowCreation(Circle()))"), "render.warning", 0),
];

const UNSEEN: &str = r#"{"title": "T", "language": "en", "theme": "dark", "voice": {"chain": []}, "warnings": [], "scenes": [
  {"id": "s", "kind": "lesson", "heading": "H", "beats": [{"id": "s-1", "pause_ms": 300, "estimate_ms": 20000, "actions": [],
   "narration": "Somebody speaks for a long time here, and there is nothing at all to see but the heading of the scene."}]}]}"#;
const HASTY: &str = r#"{"title": "T", "language": "en", "theme": "dark", "voice": {"chain": []}, "warnings": [], "scenes": [
  {"id": "s", "kind": "lesson", "heading": "H", "beats": [{"id": "s-1", "pause_ms": 900, "estimate_ms": 0, "narration": "", "actions": [
   {"show": {"id": "t", "kind": {"text": {"spans": [{"plain": "These are many words that nobody is able to read in less than a second of time."}]}}}}]}]}]}"#;

#[test]
fn planted_defects_are_found_where_they_are() {
    assert!(DEFECTS.len() >= 40, "{}", DEFECTS.len());
    let harness = Harness::new();
    let documents: Vec<String> = DEFECTS.iter().map(|(name, text, ..)| harness.document(name, text)).collect();
    let (code, told) = checked(&harness, &documents, &[]);
    assert_eq!(code, 1);
    let mut missed = Vec::new();
    for ((name, _, code, line), told) in DEFECTS.iter().zip(&told) {
        let findings = told["findings"].as_array().unwrap();
        let is_it = |finding: &&Value| {
            finding["code"].as_str().unwrap().starts_with(code) && (*line == 0 || finding["place"]["line"] == *line)
        };
        if !findings.iter().any(|finding| is_it(&finding)) {
            missed.push(format!("{name}: {code} in line {line}: {findings:#?}"));
        }
    }
    assert!(missed.len() <= 2, "{} of {} were missed:\n{}", missed.len(), DEFECTS.len(), missed.join("\n"));
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let harness = Harness::new();
    let lessons = ["pythagoras.md"].map(|name| format!("{REPOSITORY}/tests/fixtures/lessons/{name}"));
    let started = harness.path("first.md").to_str().unwrap().to_owned();
    assert!(harness.command(&["new", &started]).status().unwrap().success());
    assert!(!harness.command(&["new", &started]).status().unwrap().success(), "a lesson was overwritten");
    let documents = [&lessons[..], &[started]].concat();
    let sheet = harness.path("sheet.png");
    let (code, told) = checked(&harness, &documents, &["--sheet", sheet.to_str().unwrap()]);
    assert_eq!(code, 0, "{told:#?}");
    assert!(told.iter().all(|one| one["findings"] == Value::Array(Vec::new()) && one["scenes"].as_u64() > Some(2)));
    assert!(std::fs::read(sheet).unwrap().starts_with(b"\x89PNG"));
    harness.assert_clean();
}

#[test]
fn findings_are_told_to_people_and_to_machines() {
    let harness = Harness::new();
    let document = harness.document("lesson.md", "# T\n\nWords.\n\n## S\n\n$$\\foo{x} + 1$$\n\nMore words.\n");
    let said = |more: &[&str]| {
        let output = harness.command(&[&["check", &document], more].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = said(&[]);
    for part in [
        "warning[plan.formula_in_part]: ",
        "lesson.md:7:1",
        "7 | $$\\foo{x} + 1$$",
        "^^^",
        "2 scenes checked: 1 warning",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let sarif: Value = serde_json::from_str(&said(&["--sarif"])).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&sarif["version"], &result["ruleId"]), (&"2.1.0".into(), &"plan.formula_in_part".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 7);
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("lesson.md"));
}

#[test]
fn a_still_is_the_picture_of_a_beat() {
    let harness = Harness::new();
    let lesson = format!("{REPOSITORY}/tests/fixtures/lessons/pythagoras.md");
    let out = harness.path("stills");
    let drawn = |more: &[&str]| {
        let arguments = [&["still", &lesson, "--quality", "draft", "--out", out.to_str().unwrap()], more].concat();
        let output = harness.command(&arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let paths = String::from_utf8(output.stdout).unwrap();
        paths.lines().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    let scene = drawn(&["--scene", "what-it-says"]);
    assert_eq!(scene.len(), 2);
    for picture in &scene {
        // Width and height stand in the picture's head.
        assert_eq!(&picture[16..24], [0, 0, 3, 86, 0, 0, 1, 224], "not 854x480");
    }
    assert_eq!(drawn(&["--scene", "what-it-says", "--beat", "2"]), scene[1..]);
    let times: BTreeSet<Vec<u8>> = ["0", "2", "30"].iter().flat_map(|at| drawn(&["--at", at])).collect();
    assert_eq!(times.len(), 3, "pictures of three times are alike");
    for (wrong, says) in [(["--scene", "nowhere"], "Its scenes are the-theorem"), (["--at", "9000"], "up to")] {
        let output = harness.command(&[&["still", &lesson][..], &wrong].concat()).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && words.contains(says), "{words}");
    }
    harness.assert_clean();
}

#[test]
fn a_program_is_seen_as_it_ends() {
    let harness = Harness::new();
    let program = harness.document("one.py", program!("self.play(Create(Circle()))\n        self.wait()"));
    let out = harness.path("stills");
    let output =
        harness.command(&["still", &program, "--quality", "draft", "--out", out.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).unwrap();
    assert!(paths.lines().count() >= 1);
    for path in paths.lines() {
        assert!(std::fs::read(path).unwrap().starts_with(b"\x89PNG"));
    }
    harness.assert_clean();
}

/// Width and height of a picture.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn one_sheet_has_the_pictures_of_documents_of_every_shape() {
    let harness = Harness::new();
    let lesson = |name: &str, aspect: &str| {
        harness.document(name, format!("---\naspect: {aspect}\n---\n\n# T\n\nWords.\n\n## S\n\n- one\n\nMore words.\n"))
    };
    let all =
        [lesson("wide.md", "16:9"), lesson("tall.md", "9:16"), lesson("square.md", "1:1"), lesson("more.md", "16:9")];
    let sheet = harness.path("sheet.png");
    let (code, told) = checked(&harness, &all, &["--sheet", sheet.to_str().unwrap()]);
    assert_eq!(code, 0, "{told:#?}");
    let (width, height) = size(&std::fs::read(&sheet).unwrap());
    // Each has two pictures or more, in rows of four; a cell is as tall as the tallest needs.
    let rows = (height - 6) / (480 * 854 / 480 + 6);
    assert!(width == 4 * 486 + 6 && rows >= 2, "{width}x{height}");
    harness.assert_clean();
}

#[test]
fn a_film_is_opened_by_what_opens_pages_here() {
    let mut harness = Harness::new();
    let (bin, told) = (harness.path("bin"), harness.path("opened"));
    std::fs::create_dir(&bin).unwrap();
    let opener = bin.join("xdg-open");
    std::fs::write(&opener, format!("#!/bin/sh\necho \"$@\" >> {}\n", told.display())).unwrap();
    std::fs::set_permissions(&opener, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    harness.settings.push(("PATH", format!("{}:/usr/bin:/bin", bin.display())));
    let lesson = harness.document("lesson.md", "# T\n\nWords.\n");
    let made = harness.render(&lesson, &["--open"]);
    assert_eq!(made.code(), 0, "{}", made.words());
    // It is started without waiting for it.
    let begun = std::time::Instant::now();
    while !told.is_file() || std::fs::read_to_string(&told).unwrap().is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "nothing was opened: {}", made.words());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let opened = std::fs::read_to_string(&told).unwrap();
    assert_eq!(opened.trim(), made.out.join("index.html").to_str().unwrap());
    // A machine without one still has its film.
    harness.settings.pop();
    harness.settings.push(("PATH", bin.join("none").display().to_string()));
    let made = harness.render(&lesson, &["--open"]);
    assert!(made.code() == 0 && made.words().contains("can't open"), "{}", made.words());
}

#[test]
fn single_scenes_are_a_film_of_their_own() {
    let harness = Harness::new();
    let lesson =
        harness.document("lesson.md", "# T\n\nFirst.\n\n## One\n\n- a\n\nSecond.\n\n## Two\n\n- b\n\nThird.\n");
    let made = harness.render(&lesson, &["--scene", "two", "--scene", "t"]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let scenes: Vec<Value> =
        made.status()["scenes"].as_array().unwrap().iter().map(|scene| scene["id"].clone()).collect();
    assert_eq!(scenes, ["t", "two"]);
    let whole = harness.render(&lesson, &[]);
    assert_eq!(whole.status()["cache"], serde_json::json!({"hits": 2, "misses": 1}));
    let none = harness.render(&lesson, &["--scene", "three"]);
    assert!(none.code() == 1 && none.words().contains("Its scenes are t, one, two."), "{}", none.words());
}
