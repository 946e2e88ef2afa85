//! Decks of slides in Markdown (Marp, Slidev, reveal.js, remark): a slide is a scene, and speaker notes are spoken.

use super::rule::{Context, Taken};
use crate::markup::formulas::{closes, fence_marks};
use crate::markup::source::{Source, near};

/// Keys of a front matter that only tools for slides know.
const KEYS: &[&str] = &[
    "marp:",
    "revealoptions:",
    "slidev:",
    "transition:",
    "highlighter:",
    "drawings:",
    "mdc:",
    "headingdivider:",
    "paginate:",
    "slidenumber:",
    "separator:",
    "verticalseparator:",
    "format: revealjs",
    "theme: seriph",
    "theme: apple-basic",
    "theme: gaia",
    "theme: uncover",
    "output: revealjs",
];

/// Bytes of a heading that slides without one go by.
const LONGEST_HEADING: usize = 200;

/// Whether a document is a deck: its front matter says so, or most parts between rules begin with a heading.
pub(super) fn is_deck(front: &str, text: &str) -> bool {
    let front = front.to_lowercase();
    if KEYS.iter().any(|key| front.lines().any(|line| line.trim_start().starts_with(key))) {
        return true;
    }
    let mut marks = None;
    let (mut parts, mut headed, mut begins, mut notes) = (0_usize, 0_usize, true, false);
    for line in text.lines() {
        let text = line.trim();
        match marks {
            Some(open) if closes(line, open) => marks = None,
            Some(_) => {}
            None if fence_marks(line).is_some() => marks = fence_marks(line),
            None if text == "---" => {
                parts += 1;
                begins = true;
            }
            None if text == "???" || text.eq_ignore_ascii_case("note:") || text.eq_ignore_ascii_case("notes:") => {
                notes = true
            }
            None if begins && !text.is_empty() && !text.starts_with("<!--") => {
                begins = false;
                headed += usize::from(text.starts_with('#'));
            }
            None => {}
        }
    }
    parts >= 3 && (headed * 10 >= parts * 7 || notes)
}

/// The slides as scenes: the first heading of each begins one, and one without goes by the heading before.
pub(super) fn slides(lines: Vec<Source>) -> Vec<Source> {
    let mut slides: Vec<Vec<Source>> = vec![Vec::new()];
    let mut marks = None;
    for line in lines {
        match marks {
            Some(open) if closes(&line.text, open) => marks = None,
            Some(_) => {}
            None => marks = fence_marks(&line.text),
        }
        let rule = marks.is_none() && matches!(line.text.trim(), "---" | "***" | "___" | "----");
        match slides.last_mut() {
            Some(slide) if !rule => {
                // Parts of one slide, as reveal.js and remark have them.
                if !(marks.is_none() && line.text.trim() == "--") {
                    slide.push(line);
                }
            }
            _ => slides.push(Vec::new()),
        }
    }
    let mut out = Vec::new();
    let mut before: Option<String> = None;
    for slide in slides {
        let Some(at) = slide.iter().find(|line| !line.text.trim().is_empty()).map(Source::begin) else { continue };
        if is_settings(&slide) {
            continue;
        }
        out.push(Source::made("", at));
        let mut headed = false;
        let mut marks = None;
        let mut made = Vec::new();
        for line in slide {
            match marks {
                Some(open) if closes(&line.text, open) => marks = None,
                Some(_) => {}
                None => marks = fence_marks(&line.text),
            }
            let level = line.text.bytes().take_while(|byte| *byte == b'#').count();
            if marks.is_some() || !(1..=6).contains(&level) || !line.text[level..].starts_with(' ') {
                made.push(line);
                continue;
            }
            let words = line.part(level + 1..line.text.len());
            let first = before.is_none() && !headed;
            if !headed {
                before = Some(near(words.text.trim(), LONGEST_HEADING).to_owned());
            }
            let wanted = match (headed, first) {
                (false, true) => "# ",
                (false, false) => "## ",
                (true, _) => "### ",
            };
            headed = true;
            made.push(words.after(wanted));
        }
        if let (false, Some(before)) = (headed, &before) {
            out.extend([Source::made(format!("## {before}"), at), Source::made("", at)]);
        }
        out.extend(made);
    }
    out
}

/// What Slidev says of the next slide, between two rules.
fn is_settings(slide: &[Source]) -> bool {
    let mut lines = slide.iter().map(|line| line.text.as_str()).filter(|line| !line.trim().is_empty()).peekable();
    let setting = |line: &str| {
        line.starts_with([' ', '-'])
            || line
                .split_once(':')
                .is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)))
    };
    lines.peek().is_some_and(|line| !line.starts_with([' ', '-'])) && lines.all(setting)
}

/// What remark and reveal.js have for notes: the words after it are spoken, as all words are.
pub(super) fn notes(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let text = lines[0].text.trim();
    if !context.deck {
        return None;
    }
    if text == "???" {
        return Some((1, vec![Source::made("", lines[0].begin())]));
    }
    let spoken = without_label(text);
    if spoken.len() == text.len() {
        return None;
    }
    let begin = lines[0].text.trim_end().len() - spoken.len();
    let rest = lines[0].part(begin..lines[0].text.len());
    let mut out = vec![Source::made("", lines[0].begin())];
    out.extend(super::inline::rewritten(&rest, context));
    Some((1, out))
}

/// Words without `Note:` before them.
pub(super) fn without_label(text: &str) -> &str {
    let Some((label, rest)) = text.split_once(':') else { return text };
    let known = ["note", "notes", "presenter note", "presenter notes", "speaker note", "speaker notes", "speaker"];
    if known.contains(&label.trim().to_lowercase().as_str()) { rest.trim_start() } else { text }
}

/// Whether a comment of a deck is a note, and no directive.
pub(super) fn is_note(comment: &str) -> bool {
    const DIRECTIVES: &[&str] = &[
        "class",
        "paginate",
        "header",
        "footer",
        "backgroundcolor",
        "backgroundimage",
        "backgroundposition",
        "backgroundrepeat",
        "backgroundsize",
        "color",
        "theme",
        "size",
        "math",
        "style",
        "headingdivider",
        "transition",
        "fit",
        "slide",
        "element",
        "page_number",
        "more",
        "title",
        "author",
        "layout",
    ];
    let directive = |line: &str| {
        let key = line.trim().split([':', ' ']).next().unwrap_or_default();
        let key = key.trim_start_matches(['_', '.', '$']).to_lowercase();
        DIRECTIVES.contains(&key.as_str()) || line.trim().is_empty()
    };
    !comment.lines().all(directive) && !comment.starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;

    #[test]
    fn slides_are_scenes_and_notes_are_spoken() {
        let deck = "# Heat\n\n---\n# First law\n\n- a\n\n<!-- _class: lead -->\n<!-- presenter note: ask for examples -->\n\n---\n\n\
                    ![w:300](a.png)\n\n---\n## Second law\n\nText\n# More\n\nNote:\nSay this.";
        let made = "# Heat\n\n## First law\n\n- a\n\nask for examples\n\n## First law\n\n![](a.png)\n\n## Second law\n\nText\n\
                    ### More\n\nSay this.";
        assert_eq!(plain(deck), made);
        let slidev =
            "# A\n\n---\nlayout: two-cols\nclass: x\n---\n\n# B\n\n::right::\n\nWords.\n\n---\n\n# C\n\n---\n\n# D";
        assert_eq!(plain(slidev), "# A\n\n## B\n\nWords.\n\n## C\n\n## D");
        // Rules of a text that is no deck stay.
        assert_eq!(plain("# A\n\nWords.\n\n---\n\nMore."), "# A\n\nWords.\n\n---\n\nMore.");
    }
}
