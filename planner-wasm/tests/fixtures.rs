//! Every fixture document, held to a snapshot of its storyboard.
#![allow(clippy::unwrap_used, clippy::expect_used)]

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
            found.push(entry.unwrap().path());
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
            for action in beat["actions"].as_array().unwrap() {
                writeln!(out, "    {}", without_nulls(action)).unwrap();
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
