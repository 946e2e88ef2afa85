//! The lesson in a model's answer.

/// Largest lesson, in bytes: an hour of film has a tenth of it.
pub(super) const MOST: usize = 256 << 10;

/// The lesson of an answer, without what models put around it: their thoughts, a fence around the whole, and words before and after that
/// fence.
pub(super) fn lesson(answer: &str) -> String {
    let answer = answer.trim_start_matches('\u{feff}').trim();
    let answer = match answer.strip_prefix("<think>") {
        Some(thoughts) => thoughts.split_once("</think>").map_or("", |(_, rest)| rest),
        None => answer,
    };
    let lines: Vec<&str> = answer.trim().lines().collect();
    let lines = within(&lines).unwrap_or(&lines);
    let text = lines.join("\n").trim().to_owned();
    if text.is_empty() { text } else { text + "\n" }
}

/// The lines within a fence around the whole; none when there is none.
fn within<'a>(lines: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let opening = lines.iter().position(|line| {
        let info = fence(line).map(|fence| line.trim()[fence.len()..].trim().to_ascii_lowercase());
        info.is_some_and(|info| matches!(&*info, "" | "markdown" | "md"))
    })?;
    // What has a heading or front matter is the lesson itself, and this is one of its fences.
    let before = &lines[..opening];
    if before.iter().any(|line| line.starts_with('#') || line.trim_end() == "---" || fence(line).is_some()) {
        return None;
    }
    let outer = fence(lines[opening])?;
    let inside = &lines[opening + 1..];
    // A fence of the same letters may be one of the lesson's own: those come in pairs, and the last of an odd number closes the whole.
    let same: Vec<usize> = (0..inside.len())
        .filter(|&at| {
            fence(inside[at]).is_some_and(|inner| inner.starts_with(&outer[..1]) && inner.len() >= outer.len())
        })
        .collect();
    match same.last() {
        Some(&last) if same.len() % 2 == 1 && inside[last].trim() == fence(inside[last])? => Some(&inside[..last]),
        _ => Some(inside),
    }
}

/// The marks that open or close a block of code.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim();
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let marks = line.len() - line.trim_start_matches(first).len();
    (marks >= 3).then(|| &line[..marks])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "# Sky\n\nBlue.\n\n```python\nx = 1\n```\n\nEnd.\n";

    #[test]
    fn what_stands_around_a_lesson_is_taken_away() {
        for around in [
            PLAIN.to_owned(),
            format!("```markdown\n{PLAIN}```"),
            format!("```\n{PLAIN}```\n"),
            format!("````md\n{PLAIN}````"),
            format!("~~~markdown\n{PLAIN}~~~"),
            format!("Here is your lesson:\n\n```markdown\n{PLAIN}```\n\nI hope that it helps!"),
            format!("<think>\nA # heading first?\n</think>\n\n{PLAIN}"),
            format!("\u{feff}\r\n```markdown\r\n{}```\r\n", PLAIN.replace('\n', "\r\n")),
            // Cut off before the fence ends.
            format!("```markdown\n{PLAIN}"),
        ] {
            assert_eq!(lesson(&around), PLAIN, "{around}");
        }
    }

    #[test]
    fn a_lessons_own_fences_stay() {
        for own in [
            PLAIN,
            "# T\n\n```\ncode\n```\n",
            "---\nlanguage: en\n---\n\n```md\n# inner\n```\n",
            "# T\n\nWords.\n\n```markdown\n# inner\n```\n",
            "```python\nx = 1\n```\n\n# T\n\nWords.\n\n```\ny\n```\n",
        ] {
            assert_eq!(lesson(own), own);
        }
        assert_eq!(lesson("```markdown\n```"), "");
        assert_eq!(lesson("<think>for ever"), "");
        assert_eq!(lesson(""), "");
    }
}
