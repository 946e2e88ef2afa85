//! What follows something of its kind on one screen, and is surely that with a change: a program's next version, a plot with a
//! further curve. It grows out of what is there, instead of coming beside it.
//!
//! Formulas stay, each below the one it is made of: that is the stage's.

use crate::storyboard::{Axes, Code, Curve, ElementKind};

/// Of a program's lines, how many percent both versions must have; and lines at least.
const SURE_PERCENT: usize = 60;
const LEAST_LINES: usize = 3;
/// Lines beyond which two programs are not compared.
const MOST_LINES: usize = 200;

/// Whether `after` is `before` with a change.
pub(super) fn follows(before: &ElementKind, after: &ElementKind) -> bool {
    match (before, after) {
        (ElementKind::Code(before), ElementKind::Code(after)) => is_version(before, after),
        (ElementKind::Axes(before), ElementKind::Axes(after)) => has_more_curves(before, after),
        _ => false,
    }
}

fn is_version(before: &Code, after: &Code) -> bool {
    let lines = |code: &Code| -> Vec<String> {
        code.text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let (old, new) = (lines(before), lines(after));
    let longest = old.len().max(new.len());
    if before.language != after.language || old == new || longest > MOST_LINES {
        return false;
    }
    let same = in_both(&old, &new);
    same >= LEAST_LINES && same * 100 >= longest * SURE_PERCENT
}

/// How many lines both have in the same order: the longest common subsequence.
fn in_both(old: &[String], new: &[String]) -> usize {
    let mut row = vec![0; new.len() + 1];
    for line in old {
        let mut diagonal = 0;
        for (at, other) in new.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if line == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[new.len()]
}

fn has_more_curves(before: &Axes, after: &Axes) -> bool {
    let same_plane = before.x == after.x && before.y == after.y && before.legend == after.legend;
    let kept = before.curves.iter().all(|curve| after.curves.iter().any(|other| is_same(curve, other)));
    same_plane && kept && !before.curves.is_empty() && after.curves.len() > before.curves.len()
}

/// The same curve; one that stands alone needs no label.
fn is_same(before: &Curve, after: &Curve) -> bool {
    let named = before.label.is_empty() || before.label == after.label;
    named && before.kind == after.kind && before.colour == after.colour
}

/// Curves have from the beginning the labels that they need later, or they would not be the same.
pub(super) fn named_early(before: &mut ElementKind, after: &ElementKind) {
    let (ElementKind::Axes(before), ElementKind::Axes(after)) = (before, after) else { return };
    for curve in &mut before.curves {
        if let Some(later) = after.curves.iter().find(|later| is_same(curve, later)) {
            curve.label.clone_from(&later.label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> ElementKind {
        ElementKind::Code(Code { language: "python".to_owned(), text: text.to_owned(), highlighted: Vec::new() })
    }

    #[test]
    fn a_program_with_a_few_other_lines_is_its_next_version() {
        let first = code("def f(n):\n    if n < 2:\n        return n\n    return f(n - 1) + f(n - 2)");
        let next = code("@cache\ndef f(n):\n    if n < 2:\n        return n\n    return f(n - 1) + f(n - 2)");
        assert!(follows(&first, &next));
        assert!(!follows(&first, &first));
        assert!(!follows(&first, &code("x = 1\nprint(x)\nreturn n")));
        // Two lines that both have may be chance.
        assert!(!follows(&code("import os\nx = 1"), &code("import os\nx = 1\ny = 2")));
    }
}
