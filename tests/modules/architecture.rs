//! The architecture: the top level, which module may import which, and that every code is provoked by a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::imports;
use handler::error::Code;

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

/// Not that a test would fail without it, but that somebody thought of provoking it.
#[test]
fn every_code_of_documents_planners_and_scenes_is_provoked_by_a_test() {
    let tests: String = files(&Path::new(REPOSITORY).join("tests"))
        .iter()
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("architecture.rs")
        })
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for code in Code::ALL {
        let module = code.name().split('.').next().unwrap();
        if ["input", "plan", "planner", "program", "render", "voice", "assemble", "write"].contains(&module) {
            let (by_name, by_code) = (tests.contains(code.name()), tests.contains(&format!("Code::{code:?}")));
            assert!(by_name || by_code, "no test provokes {}", code.name());
        }
    }
}

/// A crate that is missing below would be large and slow in the function.
#[test]
fn what_is_not_optimized_every_day_is_small_in_the_function() {
    let manifest = read("Cargo.toml");
    let listed = |from: &str| -> BTreeSet<(String, String)> {
        let (_, list) = manifest.split_once(from).unwrap();
        let settings = list.lines().skip(1).map_while(|line| line.split_once(" = { opt-level = "));
        settings.map(|(name, level)| (name.to_owned(), level.split(' ').next().unwrap().to_owned())).collect()
    };
    let small: BTreeSet<String> = listed("[profile.function.package]").into_iter().map(|(name, _)| name).collect();
    assert!(small.contains("aws-sdk-s3"), "{small:?}");
    let everyday = listed("# by the same list below.");
    let missing: Vec<_> = everyday.iter().filter(|(name, _)| !small.contains(name)).collect();
    assert!(missing.is_empty() && everyday.len() > 20, "{missing:?}");
    // What the function has small although it is fast every day says so by its level, "s".
    let tuned: BTreeSet<String> = listed("[profile.function.package]")
        .into_iter()
        .filter_map(|(name, level)| (level == "\"s\"").then_some(name))
        .collect();
    let names: BTreeSet<String> = everyday.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.union(&tuned).cloned().collect::<BTreeSet<_>>(), small);
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

/// Which modules a module of the handler may import, besides the crates below it.
const HANDLER: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("remote", &[]),
    ("scratch", &[]),
    ("layers", &[]),
    ("speed", &[]),
    ("untrusted_file", &[]),
    ("untrusted_text", &[]),
    ("worker", &["untrusted_text"]),
    ("config", &[]),
    ("telemetry", &["config"]),
    ("job", &["error"]),
    ("aws", &["config", "job"]),
    ("media", &["config", "error", "job", "layers", "scratch"]),
    // The stages, in the order of a job's way. Each may take values of those before it.
    ("intake", &["error", "job"]),
    ("write", &["config", "error", "intake", "remote"]),
    ("plan", &["config", "error", "intake", "job", "scratch", "untrusted_file"]),
    (
        "narrate",
        &["aws", "config", "error", "job", "layers", "remote", "speed", "untrusted_file", "untrusted_text", "worker"],
    ),
    (
        "render",
        &[
            "config",
            "error",
            "intake",
            "job",
            "layers",
            "media",
            "scratch",
            "untrusted_file",
            "untrusted_text",
            "worker",
        ],
    ),
    (
        "assemble",
        &["config", "error", "intake", "job", "layers", "media", "narrate", "plan", "scratch", "untrusted_file"],
    ),
    ("publish", &["assemble", "error", "job"]),
    // What brings them together.
    (
        "services",
        &["assemble", "aws", "config", "error", "job", "layers", "media", "narrate", "plan", "render", "scratch"],
    ),
    ("scenes", &["assemble", "error", "intake", "job", "narrate", "plan", "render", "scratch", "services", "speed"]),
    (
        "pipeline",
        &["assemble", "aws", "error", "intake", "job", "plan", "publish", "scenes", "scratch", "services", "write"],
    ),
    (
        "preview",
        &["assemble", "error", "intake", "job", "media", "plan", "render", "scratch", "services", "untrusted_file"],
    ),
    ("notify", &["aws", "config", "error", "intake", "job", "services"]),
    // The ways in.
    ("http", &["config", "error", "intake", "job", "notify", "publish", "telemetry"]),
    (
        "cli",
        &[
            "aws",
            "config",
            "error",
            "http",
            "intake",
            "job",
            "layers",
            "narrate",
            "notify",
            "pipeline",
            "plan",
            "preview",
            "publish",
            "scratch",
            "services",
            "telemetry",
            "write",
        ],
    ),
    ("entry", &["aws", "config", "error", "http", "intake", "job", "notify", "pipeline", "services", "telemetry"]),
    ("fuzzing", &["http", "intake", "job", "media", "render"]),
];

/// The crates whose files must not import each other in a circle.
const CRATES: &[&str] = &[
    "handler/audio/src",
    "handler/built-in/src",
    "handler/child/src",
    "handler/connections/src",
    "handler/sandbox/src",
    "handler/src",
    "handler/store/src",
    "planner-wasm/src",
    "planner-wasm/storyboard/src",
];

fn crate_at(folder: &str) -> imports::Imports {
    imports::of_crate(&Path::new(REPOSITORY).join(folder))
}

/// The first folder or file of a path inside of a crate.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// What is wrong with a crate's imports by a table of what is allowed.
fn wrong_ways(imports: &imports::Imports, table: &[(&str, &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, others) in imports {
        let Some((_, allowed)) = table.iter().find(|(module, _)| *module == top(file)) else {
            wrong.push(format!("{file} belongs to no module of the table"));
            continue;
        };
        let outside = others.iter().filter(|other| top(other) != top(file) && !allowed.contains(&top(other)));
        wrong.extend(outside.map(|other| format!("{file} imports {other}")));
    }
    wrong
}

#[test]
fn imports_point_one_way() {
    assert_eq!(wrong_ways(&crate_at("handler/src"), HANDLER), Vec::<String>::new());
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for folder in CRATES {
        assert_eq!(imports::circles(&crate_at(folder)), Vec::<Vec<String>>::new(), "{folder}");
    }
}

#[test]
fn a_wrong_import_is_found() {
    let mut imports = crate_at("handler/src");
    imports.get_mut("plan/custom.rs").unwrap().insert("cli/mod.rs".to_owned());
    assert_eq!(wrong_ways(&imports, HANDLER), ["plan/custom.rs imports cli/mod.rs"]);
    imports.insert("drawer.rs".to_owned(), BTreeSet::new());
    assert!(wrong_ways(&imports, HANDLER).contains(&"drawer.rs belongs to no module of the table".to_owned()));
    for folder in CRATES {
        let mut imports = crate_at(folder);
        let (first, second) = ("planted/a.rs".to_owned(), "planted/b.rs".to_owned());
        imports.insert(first.clone(), BTreeSet::from([second.clone()]));
        imports.insert(second.clone(), BTreeSet::from([first.clone()]));
        assert!(imports::circles(&imports).contains(&vec![first, second]), "{folder}");
    }
}

#[test]
fn the_pipeline_fits_on_one_screen_and_no_file_is_a_drawer() {
    // A tall screen, the docs and imports at the top scrolled away.
    let pipeline = read("handler/src/pipeline/mod.rs");
    let story = pipeline.lines().skip_while(|line| !line.starts_with("pub async fn")).count();
    assert!(story <= 110, "pipeline/mod.rs tells its story in {story} lines");
    for folder in ["handler/src", "planner-wasm/src", "layers/manim/stage"] {
        for path in files(&Path::new(REPOSITORY).join(folder)) {
            // Stand-ins of other packages have the names that programs import.
            if path.to_string_lossy().contains("/program/modules/") {
                continue;
            }
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let drawer = ["utils", "util", "helpers", "helper", "manager", "common", "misc"].contains(&stem);
            assert!(!drawer, "{} names nothing", path.display());
        }
    }
}
