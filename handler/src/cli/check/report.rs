//! Findings for people: the line, a caret, and what to do, as the Rust compiler shows its own.

use std::io::IsTerminal as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use storyboard::Place;

use super::super::output::{Text, line};
use super::Checked;
use crate::preview::{Finding, Severity};

/// Longest line that is shown, in characters: a formula or a plan may be one line of a megabyte.
const LONGEST: usize = 160;

pub(super) fn print(all: &[Checked], text: &mut Text) {
    let coloured = std::io::stdout().is_terminal();
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    let (mut errors, mut warnings) = (0, 0);
    for one in all {
        let lines: Vec<&str> = one.text.lines().collect();
        for finding in &one.findings {
            match finding.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
            line!(text, "{}\n", shown(finding, &one.document, &lines, &renderer));
        }
    }
    let scenes: usize = all.iter().map(|one| one.scenes).sum();
    let found = match (errors, warnings) {
        (0, 0) => "nothing is wrong".to_owned(),
        (0, warnings) => counted(warnings, "warning"),
        (errors, 0) => counted(errors, "error"),
        (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    line!(text, "{} checked: {found}", counted(scenes, "scene"));
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn shown(finding: &Finding, document: &str, lines: &[&str], renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&finding.message).id(&finding.code);
    let line = finding.place.and_then(|place| Some((place, *lines.get(place.line as usize - 1)?)));
    let (shown, span) = line.map(|(place, line)| cut(line, place)).unwrap_or_default();
    let group: Group<'_> = match finding.place {
        Some(place) if !shown.is_empty() => title.element(
            Snippet::source(shown.as_str())
                .path(document)
                .line_start(place.line as usize)
                .annotation(AnnotationKind::Primary.span(span)),
        ),
        Some(place) => {
            title.element(Origin::path(document).line(place.line as usize).char_column(place.column as usize))
        }
        None => title.element(Origin::path(document)),
    };
    let group = match &finding.remedy {
        Some(remedy) => group.element(Level::HELP.message(remedy)),
        None => group,
    };
    renderer.render(&[group])
}

/// The line as far as it is shown, and the bytes of it that are marked: from the place to the line's end.
fn cut(line: &str, place: Place) -> (String, std::ops::Range<usize>) {
    let column = place.column.saturating_sub(1) as usize;
    let from = column.saturating_sub(LONGEST / 2);
    let shown: String = line.chars().skip(from).take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let shown = shown.trim_end().to_owned();
    let start = shown.char_indices().nth(column - from).map_or(shown.len(), |(at, _)| at);
    let end = shown.len();
    (shown, start.min(end)..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(line: u32, column: u32) -> Finding {
        Finding {
            severity: Severity::Warning,
            code: "plan.example".to_owned(),
            message: "the example is wrong".to_owned(),
            remedy: Some("Write another.".to_owned()),
            place: Some(Place { line, column }),
            scene: None,
        }
    }

    #[test]
    fn a_finding_shows_its_line_its_place_and_its_remedy() {
        let text = shown(&finding(2, 5), "lesson.md", &["# One", "Two \u{e9}\u{e9} three"], &Renderer::plain());
        assert!(text.starts_with("warning[plan.example]: the example is wrong\n"), "{text}");
        assert!(text.contains("lesson.md:2:5\n"), "{text}");
        assert!(text.contains("2 | Two \u{e9}\u{e9} three\n  |     ^^^^^^^^"), "{text}");
        assert!(text.contains("help: Write another."), "{text}");
    }

    #[test]
    fn a_place_beyond_the_text_and_a_line_without_end_are_no_fault() {
        let beyond = shown(&finding(9, 1), "lesson.md", &["# One"], &Renderer::plain());
        assert!(beyond.contains("lesson.md:9:1"), "{beyond}");
        let long = "x".repeat(1_000_000);
        let text = shown(&finding(1, 900_000), "plan.json", &[&long], &Renderer::plain());
        assert!(text.len() < 2_000, "{}", text.len());
        let behind = shown(&finding(1, 80), "lesson.md", &["short"], &Renderer::plain());
        assert!(behind.contains("1 | short"), "{behind}");
    }
}
