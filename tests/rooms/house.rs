//! The house is as its README says: the top level, the rooms and who may look into whom, the tables of codes and settings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use handler::config::VARIABLES;
use handler::error::Code;
use handler::job::status::MOVES;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(Path::new(REPOSITORY).join(path.as_ref())).unwrap()
}

/// All files under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn the_readme_lists_every_code_with_its_meaning_and_remedy() {
    let readme = read("README.md");
    for code in Code::ALL {
        let retry = if code.retryable() { "yes" } else { "no" };
        let row = format!("| `{}` | {} | {retry} | {} |", code.name(), code.meaning(), code.remedy());
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
    let rows = readme.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 5).count();
    assert_eq!(rows, Code::ALL.len(), "the README lists codes that are none");
}

/// Not that a test would fail without it, but that somebody thought of provoking it.
#[test]
fn every_code_of_documents_planners_and_scenes_is_provoked_by_a_test() {
    let tests: String = files(&Path::new(REPOSITORY).join("tests"))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("house.rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for code in Code::ALL {
        let room = code.name().split('.').next().unwrap();
        if ["input", "plan", "planner", "render", "voice", "assemble"].contains(&room) {
            let (by_name, by_code) = (tests.contains(code.name()), tests.contains(&format!("Code::{code:?}")));
            assert!(by_name || by_code, "no test provokes {}", code.name());
        }
    }
}

#[test]
fn the_readme_lists_every_setting() {
    let readme = read("README.md");
    for variable in VARIABLES {
        let row = format!("| `{}` | {} | {} |", variable.name, variable.default, variable.meaning);
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}

#[test]
fn the_readme_shows_every_move_of_a_state_and_no_other() {
    let readme = read("README.md");
    let (_, table) = readme.split_once("| from | to | generation | when |").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let moves: Vec<String> = MOVES
        .iter()
        .map(|step| {
            let generation = if step.new_generation { "next" } else { "same" };
            format!("| {} | {} | {generation} | {} |", step.from.name(), step.to.name(), step.when)
        })
        .collect();
    assert_eq!(rows, moves);
}

/// A crate that is missing below would be large and slow in the function.
#[test]
fn what_is_not_optimized_every_day_is_small_in_the_function() {
    let manifest = read("Cargo.toml");
    let listed = |from: &str| -> BTreeSet<String> {
        let (_, list) = manifest.split_once(from).unwrap();
        let names = list.lines().skip(1).map_while(|line| line.split_once(" = { opt-level = "));
        names.map(|(name, _)| name.to_owned()).collect()
    };
    let small = listed("[profile.function.package]");
    assert!(small.contains("aws-sdk-s3"), "{small:?}");
    assert_eq!(listed("# by the same list below."), small);
}

#[test]
fn the_top_level_is_what_was_agreed() {
    let agreed =
        ["Cargo.toml", "Cargo.lock", "handler", "planner-wasm", "layers", "template.yaml", "tests", "README.md"];
    let files = ["Makefile", "CHANGELOG.md", "LICENSE", "clippy.toml", "rustfmt.toml", "deny.toml"];
    let made = ["target", "films"];
    for entry in std::fs::read_dir(REPOSITORY).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known =
            name.starts_with('.') || [&agreed[..], &files, &made].iter().any(|set| set.contains(&name.as_str()));
        assert!(known, "{name} is not at home at the top level");
    }
}

/// Who may look into whom. Stages know what lies under them, and no other stage's inside but for the values they take.
#[test]
fn imports_point_one_way() {
    const FOUNDATION: &[&str] =
        &["deadline", "error", "config", "scratch", "layers", "child", "store", "job", "telemetry", "untrusted_file"];
    let allowed = |room: &str| -> Vec<&str> {
        let more: &[&str] = match room {
            "deadline" | "error" | "layers" | "untrusted_file" => return vec![],
            "scratch" => return vec!["child", "deadline"],
            "speed" => return vec!["deadline"],
            "fuzzing" => &["http", "intake", "render"],
            "connections" => return vec!["deadline"],
            "config" => return vec!["child"],
            "aws" => return vec!["config", "deadline"],
            "child" => return vec!["deadline"],
            "telemetry" => return vec!["config", "deadline"],
            "store" => return vec!["connections", "deadline"],
            // Keys are spelled in one place, and the status lies under one of them.
            "job" => return vec!["deadline", "error", "store", "publish"],
            "intake" => &["publish"],
            "assets" | "plan" => &[],
            "narrate" => &["aws", "speed"],
            "render" => &["assets"],
            "planners" => &["plan"],
            "translations" => &["assemble", "assets", "intake", "plan", "publish"],
            "assemble" => &["assets", "narrate", "render"],
            "publish" => &["assemble"],
            "machine" => return vec!["aws", "config", "deadline", "job", "store"],
            "studio" => &["assemble", "machine", "plan", "planners", "render"],
            "progress" => &["narrate", "plan", "render"],
            "shooting" => &["assemble", "assets", "narrate", "progress", "render", "speed", "studio"],
            "attempt" => &["machine", "plan", "progress", "publish", "shooting", "studio"],
            "pipeline" => &[
                "assemble",
                "assets",
                "attempt",
                "intake",
                "plan",
                "progress",
                "publish",
                "shooting",
                "studio",
                "translations",
            ],
            "tasks" => &["attempt", "intake", "pipeline", "progress", "shooting", "studio"],
            // Whoever cancels a job over HTTP tells others.
            "http" => &["intake", "notify", "publish"],
            "notify" => &["aws", "intake", "publish", "studio"],
            // It says what a film would cost to speak.
            "cli" => &[
                "aws",
                "connections",
                "http",
                "intake",
                "narrate",
                "notify",
                "pipeline",
                "plan",
                "planners",
                "publish",
                "studio",
            ],
            "lambda" => {
                &["aws", "http", "intake", "notify", "pipeline", "plan", "planners", "publish", "studio", "tasks"]
            }
            other => panic!("{other} is a room that nobody planned"),
        };
        [FOUNDATION, more].concat()
    };
    let source = Path::new(REPOSITORY).join("handler/src").canonicalize().unwrap();
    for path in files(&source) {
        let inside = path.strip_prefix(&source).unwrap().to_str().unwrap();
        let room = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if room == "main" || room == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for rest in code.split("crate::").skip(1) {
            if let Some(list) = rest.strip_prefix('{') {
                let list = list.split('}').next().unwrap();
                used.extend(list.split(',').map(|item| item.trim().split("::").next().unwrap().to_owned()));
            } else {
                used.insert(rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect());
            }
        }
        let allowed = allowed(room);
        for other in used.iter().filter(|other| !other.is_empty() && *other != room) {
            assert!(allowed.contains(&other.as_str()), "{inside} looks into {other}");
        }
    }
}

#[test]
fn the_pipeline_fits_on_one_screen_and_no_file_is_a_drawer() {
    // A tall screen, the docs and imports at the top scrolled away.
    let pipeline = read("handler/src/pipeline.rs");
    let story = pipeline.lines().skip_while(|line| !line.starts_with("pub async fn")).count();
    assert!(story <= 110, "pipeline.rs tells its story in {story} lines");
    for folder in ["handler/src", "planner-wasm/src", "layers/manim/stage"] {
        for path in files(&Path::new(REPOSITORY).join(folder)) {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let drawer = ["utils", "util", "helpers", "helper", "manager", "common", "misc"].contains(&stem);
            assert!(!drawer, "{} names nothing", path.display());
        }
    }
}
