//! Which module of the planner may use which, and that no files use each other in a circle.
//!
//! A module is a file or folder directly under `src`. To let one use another, add a word to [`MODULES`]: the later a module stands
//! there, the higher it lies, and none uses one that stands later.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Each module and those that it may use. The crate `storyboard` is everybody's.
const MODULES: &[(&str, &str)] = &[
    ("text", ""),
    ("symbols", ""),
    ("latex", "symbols"),
    ("formula", "latex"),
    ("label", "latex symbols"),
    ("speech", "latex symbols"),
    ("document", "speech text"),
    ("film", "document label speech text"),
    ("fonts", ""),
    ("drawing", "text"),
    ("markup", "document symbols"),
    ("inline", "document film formula markup speech text"),
    ("python", "document film inline speech text"),
    ("lesson", "document drawing film inline markup python text"),
    ("storyboard_json", "document"),
    ("lecture", "document drawing film inline label lesson python speech storyboard_json text"),
    ("notebook", "document lecture lesson markup"),
    ("memory", ""),
    ("guest", "memory"),
    ("plan_schema", "lecture"),
    ("schema", "plan_schema"),
];

/// Files by their module path, such as `lesson::markdown`, without remarks, strings and tests.
fn sources() -> BTreeMap<String, String> {
    files().into_iter().map(|(name, text)| (name, code(&text))).collect()
}

/// Files by their module path, as they are written.
fn files() -> BTreeMap<String, String> {
    fn walk(folder: &Path, path: &str, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap();
            let name = if path.is_empty() { stem.to_owned() } else { format!("{path}::{stem}") };
            if file.is_dir() {
                walk(&file, &name, found);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let module = if stem == "mod" { path.to_owned() } else { name };
                found.insert(module, std::fs::read_to_string(&file).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    found.remove("lib");
    found
}

/// Rust without remarks, strings and its module of tests, which ends a file.
fn code(text: &str) -> String {
    // `pub(in crate::a)` is no import.
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap().replace("pub(in crate::", "pub(in ");
    let text = text.as_str();
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            3 + raw.find("\"#").map_or(raw.len(), |end| end + 2)
        } else if c == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            rest.find("\"'").unwrap() + 2
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.push(' ');
            rest = &rest[skipped..];
        }
    }
    out
}

/// The paths that begin with `crate::`, `super::`, `self::` or a file of the module's own folder, from the crate's root; trees of `use`
/// as the paths in them.
fn paths(module: &str, code: &str, is_file: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let own: Vec<String> = module.split("::").map(str::to_owned).collect();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let begins = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let first = &before[begins..];
        if before[..begins].ends_with("::") {
            continue;
        }
        // `super` of a file is its folder; that of a `mod.rs` the folder above.
        let root = match first {
            "crate" => Vec::new(),
            "self" => own.clone(),
            "super" => own[..own.len() - 1].to_vec(),
            _ if is_file(&format!("{module}::{first}")) => own.iter().cloned().chain([first.to_owned()]).collect(),
            _ => continue,
        };
        tree(&code[at + 2..], root, &mut found);
    }
    found
}

/// Follows one path or tree; gives back what comes after it.
fn tree<'a>(text: &'a str, mut root: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                inside = tree(inside, root.clone(), found).trim_start();
                match inside.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => inside = next,
                    next => return next.unwrap_or(inside).trim_start().trim_start_matches('}'),
                }
            }
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        match &rest[..end] {
            "super" => drop(root.pop()),
            "self" | "" => {}
            part => root.push(part.to_owned()),
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(next) => rest = next,
            None => break,
        }
    }
    found.push(root);
    // What it is renamed to is no path.
    rest.trim_start()
        .strip_prefix("as ")
        .map_or(rest, |renamed| renamed.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The modules, by file, that each file uses.
fn uses(sources: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let of = |(module, code): (&String, &String)| {
        let file = |path: Vec<String>| {
            (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|path| sources.contains_key(path))
        };
        let used: BTreeSet<String> = paths(module, code, |file| sources.contains_key(file))
            .into_iter()
            .filter_map(file)
            .filter(|one| one != module)
            .collect();
        (module.clone(), used)
    };
    sources.iter().map(of).collect()
}

/// What breaks the table.
fn wrong(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let top = |module: &str| module.split("::").next().unwrap().to_owned();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        MODULES.iter().map(|(module, used)| (*module, used.split_whitespace().collect())).collect();
    let mut wrong = Vec::new();
    for (module, used) in uses {
        let Some(allowed) = allowed.get(top(module).as_str()) else {
            wrong.push(format!("`{module}` is in no row of the table"));
            continue;
        };
        for other in used.iter().filter(|other| top(other) != top(module)) {
            if !allowed.contains(top(other).as_str()) {
                wrong.push(format!("`{module}` uses `{other}`"));
            }
        }
    }
    wrong
}

/// A circle of files, if there is one. A folder's `mod.rs` and the files in it are counted apart.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left = uses.clone();
    // Files that use nothing that is left lie in no circle.
    loop {
        let done: Vec<String> = left
            .iter()
            .filter(|(_, used)| !used.iter().any(|one| left.contains_key(one)))
            .map(|(one, _)| one.clone())
            .collect();
        if done.is_empty() {
            break;
        }
        done.iter().for_each(|one| drop(left.remove(one)));
    }
    let mut way = vec![left.keys().next()?.clone()];
    loop {
        let next = left[way.last().unwrap()].iter().find(|one| left.contains_key(*one)).unwrap().clone();
        if let Some(begins) = way.iter().position(|one| *one == next) {
            return Some(way.split_off(begins));
        }
        way.push(next);
    }
}

/// Warnings are what users read: each has its line in the table.
#[test]
fn every_warning_is_in_the_table_and_no_other() {
    let table = include_str!("../../handler/docs/errors.md").split_once("## Warnings of the planner").unwrap().1;
    let told: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `plan.")?.split_once('`'))
        .map(|(code, _)| format!("plan.{code}"))
        .collect();
    // These are refusals, files, or parts of other words.
    const OTHERS: &[&str] = &["plan.json", "plan.too_large"];
    let mut given = BTreeSet::new();
    for text in files().values() {
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for (at, _) in text.match_indices("\"plan.") {
            let code = text[at + 1..].split('"').next().unwrap();
            if code.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.')) && !OTHERS.contains(&code) {
                given.insert(code.to_owned());
            }
        }
    }
    assert_eq!(told, given);
}

#[test]
fn modules_use_what_the_table_lets_them_and_nothing_else() {
    let uses = uses(&sources());
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 100, "imports are not found any more: {uses:?}");
    let wrong = wrong(&uses);
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (index, (module, allowed)) in MODULES.iter().enumerate() {
        for other in allowed.split_whitespace() {
            let below = MODULES[..index].iter().any(|(below, _)| *below == other);
            assert!(below, "the table lets `{module}` use `{other}`, which lies above it");
            let used = uses.iter().any(|(one, used)| {
                one.split("::").next() == Some(*module)
                    && used.iter().any(|used| used.split("::").next() == Some(other))
            });
            assert!(used, "the table lets `{module}` use `{other}`, and it doesn't");
        }
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    assert_eq!(circle(&uses(&sources())), None);
}

#[test]
fn a_wrong_import_is_found() {
    for (module, line, name) in [
        ("text::sentence", "use crate::film::Film;", "`text::sentence` uses `film`"),
        ("film::screen", "fn a() { crate::lesson::fence::program(); }", "`film::screen` uses `lesson::fence`"),
        (
            "drawing::axis",
            "use crate::{text::clean, lecture::{json, element}};",
            "`drawing::axis` uses `lecture::json`",
        ),
        ("inline", "use super::lesson::markdown as m;", "`inline` uses `lesson::markdown`"),
        ("unknown", "", "`unknown` is in no row of the table"),
    ] {
        let mut sources = sources();
        sources.entry(module.to_owned()).or_default().push_str(&format!("\n{line}\n"));
        let wrong = wrong(&uses(&sources));
        assert!(wrong.iter().any(|one| one == name), "{module}: {line}: {wrong:?}");
    }
    let mut sources = sources();
    sources.get_mut("lesson::fence").unwrap().push_str("use super::markdown::Lesson;");
    assert!(circle(&uses(&sources)).is_some(), "markdown uses fence");
    // What is a remark, a string or a test is no import.
    let harmless =
        code("// use crate::film;\nlet a = \"crate::film::b\";\n#[cfg(test)]\nmod tests { use crate::film; }");
    assert!(paths("text", &harmless, |_| false).is_empty(), "{harmless}");
}
