//! The guide for language models, which `chalkreel guide` prints: whatever it shows is planned without a warning, and it leaves out no
//! drawing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use planner_wasm::storyboard::{Action, Document, ElementKind, Storyboard};

const GUIDE: &str = include_str!("../docs/guide.md");
const LESSONS: &str = include_str!("../docs/lessons.md");

/// What stands between fences of four backticks.
fn examples() -> Vec<String> {
    let parts: Vec<&str> = GUIDE.split("````").collect();
    let inside = parts.iter().skip(1).step_by(2);
    inside.map(|part| part.split_once('\n').unwrap().1.to_owned()).collect()
}

fn planned(lesson: &str) -> Storyboard {
    let document = Document { name: "example.md".to_owned(), bytes: lesson.as_bytes().to_vec() };
    planner_wasm::plan(&document).unwrap_or_else(|refusal| panic!("{refusal:?}\n{lesson}"))
}

#[test]
fn what_the_guide_shows_is_understood() {
    let examples = examples();
    let [vocabulary, lesson] = &examples[..] else { panic!("{} examples", examples.len()) };
    assert_eq!(planned(lesson).warnings, []);
    let board =
        planned(&format!("---\nlanguage: en\n---\n\n# All\n\nAll of it.\n\n## Shown\n\n{vocabulary}\nThat was all.\n"));
    assert_eq!(board.warnings, []);
    let shown = board.scenes.iter().flat_map(|scene| &scene.beats).flat_map(|beat| &beat.actions);
    let unread = shown.filter(
        |action| matches!(action, Action::Show(element) if matches!(element.kind, ElementKind::Placeholder(_))),
    );
    assert_eq!(unread.count(), 0);
}

#[test]
fn the_guide_names_every_drawing_of_the_documentation() {
    let drawings: Vec<&str> =
        LESSONS.lines().filter_map(|line| line.strip_prefix("### `")?.split('`').next()).collect();
    assert!(drawings.len() >= 9, "{drawings:?}");
    for name in drawings.iter().filter(|name| **name != "manim") {
        assert!(GUIDE.contains(&format!("```{name}\n")), "{name}");
    }
    assert!(GUIDE.contains("A fence named `manim`"));
}
