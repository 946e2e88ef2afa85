//! The documents agree with the code: tables of codes, settings, states and qualities, the map of modules, the words of plans and
//! storyboards, the examples, and every link and path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use handler::config::VARIABLES;
use handler::error::{Code, WarningCode};
use handler::job::Quality;
use handler::job::status::MOVES;
use serde_json::Value;
use storyboard::Document;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Fences of lessons that draw.
const DRAWINGS: &[&str] = &["plot", "vectors", "graph", "chart", "shapes", "surface", "numberline", "manim"];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(REPOSITORY).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of what lies in a folder.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(Path::new(REPOSITORY).join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Paths of all documents.
fn documents() -> Vec<String> {
    let mut found = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned(), ".github/CONTRIBUTING.md".to_owned()];
    for folder in ["handler/docs", "planner-wasm/docs"] {
        let inside = names(folder).into_iter().filter(|name| name.ends_with(".md"));
        found.extend(inside.map(|name| format!("{folder}/{name}")));
    }
    found
}

/// The fenced blocks of a document: what stands after the fence, and the text between.
fn blocks(document: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let info = line.trim_start_matches('`');
        let fence = &line[..line.len() - info.len()];
        if fence.len() >= 3 {
            let inside = lines.by_ref().take_while(|line| *line != fence);
            found.push((info, inside.map(|line| format!("{line}\n")).collect()));
        }
    }
    found
}

/// The lines of a document outside of its fenced blocks.
fn prose(document: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let fence = &line[..line.len() - line.trim_start_matches('`').len()];
        if fence.len() >= 3 {
            lines.by_ref().find(|line| *line == fence);
        } else {
            found.push(line);
        }
    }
    found
}

/// `document` with these rows in its table below `header`.
fn with_table(path: &str, document: &str, header: &str, rows: &[String]) -> String {
    let (before, rest) =
        document.split_once(&format!("{header}\n")).unwrap_or_else(|| panic!("{path} has no table {header}"));
    let (rule, rest) = rest.split_once('\n').unwrap();
    let after: String = rest.lines().skip_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    format!("{before}{header}\n{rule}\n{}\n{after}", rows.join("\n"))
}

/// Where a table differs, the new document is left beside the committed one, to be looked at and renamed.
#[test]
fn the_documents_tables_are_those_of_the_types() {
    let codes = Code::ALL.iter().map(|code| {
        let retry = if code.retryable() { "yes" } else { "no" };
        format!("| `{}` | {} | {retry} | {} |", code.name(), code.meaning(), code.remedy())
    });
    let settings = VARIABLES
        .iter()
        .map(|variable| format!("| `{}` | {} | {} |", variable.name, variable.default, variable.meaning));
    let moves = MOVES.iter().map(|step| {
        let generation = if step.new_generation { "next" } else { "same" };
        format!("| {} | {} | {generation} | {} |", step.from.name(), step.to.name(), step.when)
    });
    let qualities = [Quality::Draft, Quality::Standard, Quality::High, Quality::Uhd].into_iter().map(|quality| {
        let (width, height) = quality.size(None);
        format!("| {quality} | {width}x{height} | {} |", quality.fps())
    });
    let warnings = WarningCode::ALL.iter().map(|code| format!("| `{}` | {} |", code.name(), code.meaning()));
    let tables: [(&str, &str, Vec<String>); 5] = [
        ("handler/docs/errors.md", "| code | meaning | retry helps | what you can do |", codes.collect()),
        ("handler/docs/errors.md", "| warning | meaning |", warnings.collect()),
        ("handler/docs/settings.md", "| variable | default | meaning |", settings.collect()),
        ("handler/docs/status.md", "| from | to | generation | when |", moves.collect()),
        ("planner-wasm/docs/lessons.md", "| quality | size | frames per second |", qualities.collect()),
    ];
    let mut fresh = BTreeMap::new();
    for (path, header, rows) in tables {
        let document = fresh.entry(path).or_insert_with(|| read(path));
        *document = with_table(path, document, header, &rows);
    }
    let mut wrong = Vec::new();
    for (path, fresh) in fresh {
        if fresh != read(path) {
            std::fs::write(Path::new(REPOSITORY).join(format!("{path}.new")), fresh).unwrap();
            wrong.push(format!("{path} is not what the types say; {path}.new is"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_names_every_module_and_no_other() {
    let map = read("handler/docs/architecture.md");
    for (heading, folder) in [
        ("## Modules of the handler", "handler/src"),
        ("## Modules of the planner", "planner-wasm/src"),
        ("## Modules of the stage", "layers/manim/stage/chalkreel_stage"),
    ] {
        let (_, section) = map.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let first_cells = section.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').nth(1));
        let named: BTreeSet<String> =
            first_cells.flat_map(|cell| cell.unwrap().split('`').skip(1).step_by(2)).map(str::to_owned).collect();
        let modules: BTreeSet<String> = names(folder)
            .iter()
            .map(|name| name.trim_end_matches(".rs").trim_end_matches(".py"))
            // A dot is left in the names of libraries that were built there.
            .filter(|name| !["main", "lib"].contains(name) && !name.starts_with("__") && !name.contains('.'))
            .map(str::to_owned)
            .collect();
        assert_eq!(named, modules, "handler/docs/architecture.md, {heading}");
    }
}

#[test]
fn every_word_of_plans_and_storyboards_is_documented() {
    let document = read("planner-wasm/docs/plans.md");
    let schema =
        |name: &str| -> Value { serde_json::from_str(&read(&format!("planner-wasm/schema/{name}.json"))).unwrap() };
    let (plan, storyboard) = (schema("plan"), schema("storyboard"));
    let types = plan["$defs"]["Element"]["properties"]["type"]["enum"].as_array().unwrap();
    let mut words: Vec<&str> = types.iter().map(|word| word.as_str().unwrap()).collect();
    for name in ["Action", "ElementKind"] {
        for case in storyboard["$defs"][name]["oneOf"].as_array().unwrap() {
            let fields = case["properties"].as_object().into_iter().flat_map(|fields| fields.keys());
            words.extend(fields.map(String::as_str).chain(case["const"].as_str()));
        }
    }
    assert!(words.len() > 50, "{words:?}");
    for word in words {
        assert!(document.contains(&format!("`{word}`")), "planner-wasm/docs/plans.md lacks `{word}`");
    }
}

/// Lessons, drawings and plans that documents show are planned, without a warning.
#[test]
fn the_documents_examples_are_understood() {
    let mut drawn = BTreeSet::new();
    for path in ["README.md", "planner-wasm/docs/lessons.md", "planner-wasm/docs/plans.md"] {
        let document = read(path);
        for (info, text) in blocks(&document) {
            let name = info.split(' ').next().unwrap();
            let (file, text) = match name {
                "markdown" => ("lesson.md", text),
                "json" => ("plan.json", text),
                _ if DRAWINGS.contains(&name) => {
                    drawn.insert(name.to_owned());
                    ("lesson.md", format!("# Title\n\nWords.\n\n## Scene\n\n```{info}\n{text}```\n\nWords.\n"))
                }
                _ => continue,
            };
            let planned = planner_wasm::plan(&Document { name: file.to_owned(), bytes: text.clone().into_bytes() });
            let storyboard = planned.unwrap_or_else(|refusal| panic!("{path}: {refusal:?}\n{text}"));
            assert_eq!(storyboard.warnings, [], "{path}:\n{text}");
        }
    }
    assert_eq!(drawn, DRAWINGS.iter().map(|name| (*name).to_owned()).collect(), "drawings without an example");
}

#[test]
fn every_event_file_and_every_path_of_http_is_documented() {
    let document = read("handler/docs/aws.md");
    for file in names("tests/fixtures/events") {
        assert!(document.contains(&format!("`{file}")), "handler/docs/aws.md lacks {file}");
    }
    let document = read("handler/docs/http.md");
    let mut paths = BTreeSet::new();
    for file in names("handler/src/http").iter().filter(|name| name.ends_with(".rs")) {
        let source = read(&format!("handler/src/http/{file}"));
        let named = source.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next());
        paths.extend(named.map(|path| path.trim_end_matches("{output}").to_owned()));
    }
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        assert!(document.contains(&path), "handler/docs/http.md lacks {path}");
    }
}

/// What is copied into an editor's settings must be whole.
#[test]
fn json_of_the_documents_is_valid_and_snippets_are_snippets() {
    let document = read("handler/docs/command-line.md");
    let all: Vec<Value> = blocks(&document)
        .into_iter()
        .filter(|(info, _)| *info == "json")
        .map(|(_, text)| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
        .collect();
    let snippets = all.iter().find(|value| value["Lesson"].is_object()).unwrap().as_object().unwrap();
    for (name, snippet) in snippets {
        let body: Vec<&str> = snippet["body"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        assert!(snippet["prefix"].is_string() && snippet["scope"] == "markdown" && body.len() > 2, "{name}");
        // As it stands when nobody has filled anything in, it is understood.
        let mut text = body.join("\n").replace("\\$", "\u{1}").replace("$0", "");
        while let Some(start) = text.find("${") {
            let end = start + text[start..].find('}').unwrap();
            let filled = text[start + 4..end].to_owned();
            text.replace_range(start..=end, &filled);
        }
        let text = text.replace('\u{1}', "$");
        let text = match name.as_str() {
            "Lesson" => format!("{text}\n- one\n\nWords.\n"),
            "Scene" => format!("# T\n\nWords.\n\n{text}"),
            _ => format!("# T\n\nWords.\n\n## S\n\n{text}"),
        };
        let planned =
            planner_wasm::plan(&Document { name: "a.md".to_owned(), bytes: text.clone().into_bytes() }).unwrap();
        assert!(planned.warnings.is_empty(), "{name}: {:?}\n{text}", planned.warnings);
    }
    assert!(snippets.len() >= 4 && all.iter().any(|value| value["tasks"].is_array()));
}

/// A heading's name in links, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_and_paths_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in documents() {
        let (document, folder) = (read(&path), Path::new(REPOSITORY).join(&path).parent().unwrap().to_owned());
        for line in prose(&document) {
            let outside = line.split('`').step_by(2).collect::<Vec<_>>().concat();
            for target in outside.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if target.starts_with("https://") {
                    continue;
                }
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { Path::new(REPOSITORY).join(&path) } else { folder.join(file) };
                let has_heading = || {
                    let other = std::fs::read_to_string(&file).unwrap();
                    prose(&other).iter().any(|line| line.starts_with('#') && anchor(line) == heading)
                };
                if !file.exists() || (!heading.is_empty() && !has_heading()) {
                    wrong.push(format!("{path}: {target}"));
                }
            }
            // A list of changes may name files that are gone.
            for named in line.split('`').skip(1).step_by(2).filter(|_| path != "CHANGELOG.md") {
                let ours = ["handler/", "layers/", "planner-wasm/", "tests/"].iter().any(|top| named.starts_with(top));
                let plain = named.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
                if ours && plain && !Path::new(REPOSITORY).join(named).exists() {
                    wrong.push(format!("{path}: {named}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn the_front_page_leads_to_every_document() {
    let front = read("README.md");
    for path in documents() {
        assert!(path == "README.md" || front.contains(&format!("]({path})")), "README.md doesn't link {path}");
    }
    assert!(front.lines().count() <= 120, "the front page fits on two screens");
}
