//! Every fixture document, held to a snapshot of its storyboard.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use planner_wasm::storyboard::{Document, Storyboard};
use serde_json::{Value, json};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

/// All documents, in the order of their names.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["lessons", "plans", "storyboards"] {
        for entry in std::fs::read_dir(Path::new(FIXTURES).join(folder)).unwrap() {
            // Pictures lie in a folder beside the lessons.
            found.extend(Some(entry.unwrap().path()).filter(|path| path.is_file()));
        }
    }
    found.sort();
    found
}

/// The storyboard as JSON with one line for each action, so that a snapshot can be read.
fn lines(storyboard: &Storyboard) -> String {
    let mut board = serde_json::to_value(storyboard).unwrap();
    let scenes = board["scenes"].take();
    let mut out = String::new();
    for (key, value) in board.as_object().unwrap() {
        match value.as_array().filter(|_| key == "warnings") {
            Some(warnings) => warnings.iter().for_each(|warning| writeln!(out, "warning {warning}").unwrap()),
            None if *value == Value::Null => {}
            None => writeln!(out, "{key} {value}").unwrap(),
        }
    }
    for scene in scenes.as_array().unwrap() {
        let kind = &scene["kind"];
        writeln!(out, "\nscene {} {} {} {}", scene["id"], kind, scene["heading"], scene["place"]).unwrap();
        for beat in scene["beats"].as_array().unwrap() {
            let head = json!([beat["pause_ms"], beat["estimate_ms"], beat["place"]]);
            writeln!(out, "  beat {} {head} {}", beat["id"], beat["narration"]).unwrap();
            for hold in beat["holds"].as_array().into_iter().flatten() {
                writeln!(out, "    hold {} ms since {}", hold["ms"], hold["since"]).unwrap();
            }
            for action in beat["actions"].as_array().unwrap() {
                writeln!(out, "    {}", without_nulls(action)).unwrap();
            }
            let said: Vec<&str> = beat["narration"].as_str().unwrap().split_whitespace().collect();
            for cue in beat["cues"].as_array().into_iter().flatten() {
                let number = |key: &str| usize::try_from(cue[key].as_u64().unwrap()).unwrap();
                let words = said[number("word")..number("word") + number("words")].join(" ");
                let what = format!("{} {} {}", cue["kind"], cue["target"], cue["part"]).replace('"', "");
                writeln!(out, "    cue {what} at {}: {words}", cue["word"]).unwrap();
            }
        }
    }
    out
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_fixture_gives_the_storyboard_of_its_snapshot() {
    let documents = documents();
    assert!(documents.len() >= 40, "there are only {} documents", documents.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    let _settings = settings.bind_to_scope();
    for path in documents {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let document = Document { name: name.clone(), bytes: std::fs::read(&path).unwrap() };
        let storyboard = planner_wasm::plan(&document).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        insta::assert_snapshot!(name.as_str(), lines(&storyboard));
        let again = planner_wasm::plan(&document).unwrap();
        assert!(storyboard == again, "{name} gives two storyboards");
        let json = serde_json::to_vec(&storyboard).unwrap();
        let read = Document { name: "a.storyboard.json".to_owned(), bytes: json };
        assert!(planner_wasm::plan(&read).unwrap() == storyboard, "{name} is not the same when it is read again");
    }
}

/// Notes which cases and words of the schema a storyboard uses: `CurveKind.area`, `easing linear`.
fn used<'a>(root: &'a Value, mut schema: &'a Value, value: &Value, seen: &mut BTreeSet<String>) {
    let mut name = "";
    while let Some(reference) = schema["$ref"].as_str() {
        name = reference.rsplit('/').next().unwrap();
        schema = &root["$defs"][name];
    }
    for option in schema["anyOf"].as_array().into_iter().flatten().filter(|_| !value.is_null()) {
        used(root, option, value, seen);
    }
    for option in schema["oneOf"].as_array().into_iter().flatten() {
        if option["const"].is_string() && option["const"] == *value {
            seen.insert(format!("{name}.{}", value.as_str().unwrap()));
        }
        for (case, inner) in option["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(case) {
                seen.insert(format!("{name}.{case}"));
                used(root, inner, value, seen);
            }
        }
    }
    for item in value.as_array().into_iter().flatten() {
        used(root, &schema["items"], item, seen);
    }
    for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
        match value.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(word)) if inner["$ref"].is_null() => {
                seen.insert(format!("{field} {word}"));
            }
            Some(Value::Bool(yes)) => {
                seen.insert(format!("{field} {yes}"));
            }
            Some(value) => used(root, inner, value, seen),
        }
    }
}

#[test]
fn every_word_of_the_storyboard_is_drawn_by_a_fixture() {
    let root: Value = serde_json::from_str(include_str!("../schema/storyboard.json")).unwrap();
    let mut seen = BTreeSet::new();
    for path in documents() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let storyboard = planner_wasm::plan(&Document { name, bytes: std::fs::read(&path).unwrap() }).unwrap();
        used(&root, &root, &serde_json::to_value(storyboard).unwrap(), &mut seen);
    }
    let cases = root["$defs"].as_object().unwrap().iter().flat_map(|(name, definition)| {
        definition["oneOf"].as_array().into_iter().flatten().flat_map(move |option| {
            let named = option["properties"].as_object().into_iter().flatten().map(|(case, _)| case.clone());
            named.chain(option["const"].as_str().map(str::to_owned)).map(move |case| format!("{name}.{case}"))
        })
    });
    let words = [
        ("easing", "linear ease-in ease-out smooth there-and-back"),
        ("entrance", "write create fade grow slide none"),
        ("exit", "fade shrink slide none"),
        ("region", "center top bottom left right top-left top-right bottom-left bottom-right"),
        ("layout", "circular layered tree grid spring"),
        ("theme", "dark light"),
        ("legend", "true false"),
        ("directed", "true false"),
    ];
    let words = words.iter().flat_map(|(field, words)| words.split(' ').map(move |word| format!("{field} {word}")));
    let wanted: Vec<String> = cases.chain(words).collect();
    assert!(wanted.len() > 90, "{wanted:?}");
    let missing: Vec<&String> = wanted.iter().filter(|one| !seen.contains(*one)).collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

#[test]
fn the_nasty_ones_are_as_nasty_as_they_should_be() {
    let read = |name: &str| {
        let path = Path::new(FIXTURES).join(name);
        String::from_utf8(std::fs::read(&path).unwrap()).unwrap()
    };
    let planned = |name: &str| {
        let bytes = read(name).into_bytes();
        let name = name.rsplit('/').next().unwrap().to_owned();
        planner_wasm::plan(&Document { name, bytes }).unwrap()
    };
    let is_item = |line: &&str| {
        let line = line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        line.starts_with("- ") || line.starts_with(". ")
    };
    let items = read("lessons/long-lists.md").lines().filter(is_item).count();
    assert!(items >= 40, "{items} items");
    let plan: Value = serde_json::from_str(&read("plans/twelve-elements.json")).unwrap();
    let elements = plan.pointer("/animation_plan/scenes/0/elements").or(plan.pointer("/scenes/0/elements")).unwrap();
    assert!(elements.as_array().unwrap().len() >= 12);
    assert!(planned("lessons/formulas-broken.md").warnings.iter().any(|one| one.code == "plan.formula_not_understood"));
    assert!(read("lessons/right-to-left.md").contains(['\u{5d0}', '\u{5e9}', '\u{627}', '\u{644}']));
    assert!(read("lessons/emoji.md").chars().any(|c| c > '\u{1f300}'));
    let fenced = read("lessons/long-code.md");
    assert!(fenced.split("```").nth(1).unwrap().lines().count() > 300);
    let widest = read("lessons/wide-table.md").lines().map(|line| line.matches('|').count()).max();
    assert!(widest >= Some(21), "{widest:?} bars in the widest row");
    let size = |name: &str| std::fs::metadata(Path::new(FIXTURES).join("lessons/pictures").join(name)).unwrap().len();
    assert!(size("tiny.png") < 200 && size("huge.jpg") > 100_000);
    let images = read("lessons/images.md");
    assert!(["tiny.png", "huge.jpg", "triangle.svg"].iter().all(|name| images.contains(name)));
}
