//! What all rules share: what they know of the document, and how bodies are taken out of lines and call-outs are made.

use crate::markup::formulas::{Formulas, is_private};
use crate::markup::source::{Remark, Source};
use crate::markup::targets::Targets;

/// What the rules know of the document.
pub(in crate::markup) struct Context<'a> {
    pub(in crate::markup) formulas: &'a mut Formulas,
    /// Codes and messages of warnings, with bytes of the document.
    pub(in crate::markup) warnings: Vec<Remark>,
    /// Whether the document is a deck of slides, whose rules between lines part them.
    pub(in crate::markup) deck: bool,
    /// Whether the document is a course of LiaScript.
    pub(super) liascript: bool,
    /// The names of the macros that the head of a course of LiaScript defines.
    pub(super) macros: Vec<String>,
    /// What figures, tables and sections are referred to by.
    pub(super) targets: Targets,
    /// How many blocks this one is inside of.
    pub(in crate::markup) depth: usize,
    /// Applies all rules to lines.
    read: fn(&[Source], &mut Context<'_>) -> Vec<Source>,
}

/// How many lines a rule takes, and what stands in their place.
pub(super) type Taken = (usize, Vec<Source>);
pub(super) type BlockRule = fn(&[Source], &mut Context<'_>) -> Option<Taken>;

impl<'a> Context<'a> {
    pub(super) fn of(
        formulas: &'a mut Formulas,
        deck: bool,
        read: fn(&[Source], &mut Context<'_>) -> Vec<Source>,
    ) -> Self {
        Self {
            formulas,
            warnings: Vec::new(),
            deck,
            liascript: false,
            macros: Vec::new(),
            targets: Targets::default(),
            depth: 0,
            read,
        }
    }

    pub(super) fn warn(&mut self, code: &'static str, message: impl Into<String>, at: usize) {
        self.warnings.push((code, message.into(), at));
    }

    /// Lines of a body with all rules applied to them.
    pub(super) fn lines(&mut self, lines: &[Source]) -> Vec<Source> {
        (self.read)(lines, self)
    }
}

/// Empty lines in a row that a body keeps.
const MOST_EMPTY_LINES: usize = 20;

/// The lines of a body that is indented by at least `indent` columns, without the indent; empty lines between them belong to it.
pub(super) fn indented(lines: &[Source], indent: usize) -> (usize, Vec<Source>) {
    let mut body = Vec::new();
    let (mut empty, mut length) = (0, 0);
    for (index, line) in lines.iter().enumerate() {
        let spaces = leading(&line.text);
        if line.text.trim().is_empty() {
            empty += 1;
            // More of them in a row say no more, and each block around them would have them once more.
            if empty <= MOST_EMPTY_LINES {
                body.push(line.part(0..0));
            }
            continue;
        }
        empty = 0;
        if spaces.0 >= indent {
            body.push(line.part(spaces.1.min(bytes_of_indent(&line.text, indent))..line.text.len()));
            length = index + 1;
        } else {
            break;
        }
    }
    while body.last().is_some_and(|line: &Source| line.text.trim().is_empty()) {
        body.pop();
    }
    (length, body)
}

/// A division between lines of colons.
pub(super) struct Division<'a> {
    /// What stands behind the first colons; nothing when they open none.
    pub(super) info: &'a str,
    /// Its body goes from the second line up to this one.
    pub(super) end: usize,
    /// All of its lines.
    pub(super) length: usize,
}

/// The division that the lines begin with.
pub(super) fn division(lines: &[Source]) -> Option<Division<'_>> {
    let head = lines[0].text.trim();
    let count = head.bytes().take_while(|byte| *byte == b':').count();
    if count < 3 {
        return None;
    }
    let info = head[count..].trim().trim_end_matches(':').trim();
    if info.is_empty() {
        return Some(Division { info, end: 1, length: 1 });
    }
    let mut depth = 0_usize;
    let mut close = None;
    for (index, line) in lines.iter().enumerate().skip(1) {
        let text = line.text.trim();
        let marks = text.bytes().take_while(|byte| *byte == b':').count();
        if marks < 3 {
            continue;
        }
        if !text[marks..].trim().is_empty() {
            depth += usize::from(marks <= count);
        } else if depth == 0 && marks >= count.min(3) && (marks == count || close.is_none()) {
            close = Some(index);
            break;
        } else {
            depth = depth.saturating_sub(1);
        }
    }
    let end = close.unwrap_or(lines.len());
    Some(Division { info, end, length: (end + 1).min(lines.len()) })
}

/// Columns and bytes of the white space at the beginning.
pub(super) fn leading(text: &str) -> (usize, usize) {
    let mut columns = 0;
    for (at, c) in text.char_indices() {
        match c {
            ' ' => columns += 1,
            '\t' => columns += 4 - columns % 4,
            _ => return (columns, at),
        }
    }
    (columns, text.len())
}

pub(super) fn bytes_of_indent(text: &str, indent: usize) -> usize {
    let mut columns = 0;
    for (at, c) in text.char_indices() {
        if columns >= indent {
            return at;
        }
        columns += if c == '\t' { 4 - columns % 4 } else { 1 };
    }
    text.len()
}

/// A call-out: a quotation that begins with its title.
pub(super) fn callout(title: &str, body: Vec<Source>, at: usize) -> Vec<Source> {
    let mut out = Vec::new();
    let title = title.trim();
    if !title.is_empty() {
        // A title that ends with a mark of its own needs no colon.
        let colon = if title.ends_with(['.', ':', '!', '?', '：', '。', '？', '！']) { "" } else { ":" };
        out.push(Source::made(format!("> **{title}{colon}**"), at));
    }
    let end = body.iter().rposition(|line| !line.text.trim().is_empty()).map_or(0, |last| last + 1);
    let mut body = body.into_iter().take(end).skip_while(|line| line.text.trim().is_empty()).peekable();
    let block = |line: &Source| {
        let text = line.text.trim_start();
        text.starts_with(['-', '*', '+', '|', '#', '>', '`', '~', '<', '!'])
            || text.starts_with(|c: char| c.is_ascii_digit())
            || text.starts_with(is_private)
    };
    // What is no paragraph begins anew below the title.
    if !out.is_empty() && body.peek().is_some_and(block) {
        out.push(Source::made(">", at));
    }
    out.extend(body.map(|line| if line.text.is_empty() { line.after(">") } else { line.after("> ") }));
    // The next paragraph is no part of the quotation.
    out.push(Source::made("", at));
    out.insert(0, Source::made("", at));
    out
}

/// A word with a capital: `note` as `Note`.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Kinds of call-outs, by the names that dialects have for them.
pub(super) fn is_callout(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "note",
        "tip",
        "info",
        "warning",
        "danger",
        "caution",
        "important",
        "hint",
        "success",
        "question",
        "failure",
        "bug",
        "example",
        "quote",
        "abstract",
        "summary",
        "tldr",
        "todo",
        "attention",
        "error",
        "seealso",
        "admonition",
        "theorem",
        "lemma",
        "proof",
        "definition",
        "corollary",
        "proposition",
        "remark",
        "exercise",
        "solution",
        "conjecture",
        "axiom",
        "property",
        "observation",
        "algorithm",
        "criterion",
        "assumption",
        "warn",
        "help",
        "faq",
        "check",
        "done",
        "cite",
        "missing",
        "fail",
        "check",
        "alert",
        "secondary",
        "primary",
        "details",
        "spoiler",
        "topic",
        "key",
        "callout",
        "callout-note",
        "callout-tip",
        "callout-warning",
        "callout-caution",
        "callout-important",
        "exr",
        "exm",
        "thm",
        "def",
        "lem",
        "cor",
        "prp",
        "rem",
        "sol",
        "challenge",
        "objectives",
        "keypoints",
        "prereq",
        "discussion",
        "instructor",
        "testimonial",
        "card",
        "dropdown",
        "toggle",
        "margin",
        "sidebar",
        "block",
        "rmdnote",
        "rmdtip",
        "rmdwarning",
        "rmdcaution",
        "rmdimportant",
        "infobox",
        "warnbox",
    ];
    NAMES.contains(&name)
}
