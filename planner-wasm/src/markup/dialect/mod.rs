//! The dialects of Markdown that courses are written in, made plain: one pass of small rules over the lines of a document.
//!
//! A rule of [`BLOCKS`] looks at the lines that are left, and says how many it takes and what stands in their place; a rule of [`INLINE`]
//! looks at the rest of a line. To read one more dialect, add a rule to one of the lists, and a test beside it. Programs in fences and code
//! spans are nobody's markup, and formulas are one character each by now.

mod admonition;
mod deck;
mod fence;
mod inline;
mod page;
mod quiz;
mod rule;
mod table;

pub(super) use self::inline::{lowered, raised};
use self::rule::BlockRule;
pub(super) use self::rule::Context;
use super::formulas::{Formulas, Indents, closes, fence_marks};
use super::source::Source;
use super::targets::Targets;

/// Blocks inside of each other that are read; deeper ones stay as they are.
const DEEPEST: usize = 20;

/// In this order.
const BLOCKS: &[BlockRule] = &[
    admonition::admonition,
    admonition::tabs,
    fence::between_colons,
    admonition::colons,
    admonition::quoted,
    admonition::slashes,
    quiz::quiz,
    page::liquid_block,
    page::comment,
    page::obsidian_comment,
    page::module,
    page::remark,
    page::abbreviation,
    page::contents,
    page::lines_for_tools,
    page::d2l_tab,
    page::long_attributes,
    page::brackets,
    table::wide_rows,
    table::grid,
    table::simple,
    page::definitions,
    deck::notes,
];

/// The context of a document: `front` is the front matter, which may say what the document is for.
pub(super) fn context<'a>(formulas: &'a mut Formulas, front: &str, text: &str) -> Context<'a> {
    let mut context = Context::of(formulas, deck::is_deck(front, text), lines_of);
    context.liascript = quiz::is_liascript(text);
    if context.liascript {
        context.macros = quiz::macros(text);
    }
    context.targets = Targets::of(text);
    context
}

/// A lesson's text from byte `from` on as CommonMark; what comes before stays.
pub(super) fn rewritten(source: &Source, from: usize, context: &mut Context<'_>) -> Source {
    let mut out = source.part(0..from);
    let mut lines = source.lines(from);
    // Who wrote a page of a wiki is for its head.
    if let Some(first) = lines.iter().position(|line| !line.text.trim().is_empty())
        && ["author:", "authors:"].iter().any(|key| lines[first].text.starts_with(key))
        && lines.get(first + 1).is_none_or(|next| next.text.trim().is_empty())
    {
        let message = "the line that names the authors is left out";
        context.warn("plan.left_out", message, lines[first].begin());
        lines[first] = Source::made("", lines[first].begin());
    }
    if context.deck {
        lines = deck::slides(lines);
    }
    out.extend(lines_of(&lines, context));
    out
}

/// Lines with the rules applied to them.
fn lines_of(lines: &[Source], context: &mut Context<'_>) -> Vec<Source> {
    if context.depth == DEEPEST {
        return lines.to_vec();
    }
    context.depth += 1;
    let mut out = Vec::with_capacity(lines.len());
    let mut at = 0;
    let mut indents = Indents::default();
    while at < lines.len() {
        let rest = &lines[at..];
        let program = indents.is_program(&rest[0].text) && !context.liascript;
        let (taken, made) = match fence_marks(&rest[0].text) {
            Some(marks) => {
                let end = rest[1..].iter().position(|line| closes(&line.text, marks));
                let length = end.map_or(rest.len(), |end| end + 2);
                (length, fence::rewritten(&rest[..length], end.is_some(), context))
            }
            None if !context.liascript && is_plain(rest) => (1, vec![rest[0].clone()]),
            None => match BLOCKS.iter().find_map(|rule| rule(rest, context)) {
                Some(taken) => taken,
                // A program has no marks of dialects.
                None if program => (1, vec![rest[0].clone()]),
                None => (1, inline::rewritten(&rest[0], context).into_iter().collect()),
            },
        };
        out.extend(made);
        at += taken.max(1);
    }
    context.depth -= 1;
    out
}

/// Whether the first of these lines has no mark of any dialect, and none below it makes it one: most lines are empty or plain words.
fn is_plain(lines: &[Source]) -> bool {
    let line = lines[0].text.as_str();
    if line.is_empty() {
        return true;
    }
    // A heading or an item; `#word` is a tag.
    let heading = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'));
    let words = heading.or_else(|| line.strip_prefix("- ")).unwrap_or(line);
    words.starts_with(|c: char| c.is_ascii_alphabetic())
        && words.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ,.;?'".contains(&byte))
        && !["import ", "export ", "www."].iter().any(|mark| words.contains(mark))
        && lines.get(1).is_none_or(|next| !next.text.trim_start().starts_with([':', '=', '-', '+', '|', '~']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the pass makes of a text, with formulas as they were written.
    pub(super) fn plain(text: &str) -> String {
        let mut formulas = Formulas::default();
        let source = super::super::formulas::taken(&Source::of(text), 0, &mut formulas);
        let mut of_document = context(&mut formulas, "", text);
        let out = rewritten(&source, 0, &mut of_document);
        let out = formulas.restored(&out.text).into_owned();
        let mut short = String::new();
        // Empty lines are told once.
        for line in out.lines() {
            if !(line.trim().is_empty() && (short.is_empty() || short.ends_with("\n\n"))) {
                short.push_str(line.trim_end());
                short.push('\n');
            }
        }
        short.trim().to_owned()
    }

    #[test]
    fn lines_without_marks_are_seen_at_a_glance() {
        let plain = |text: &str| is_plain(&Source::of(text).lines(0));
        for text in ["\n", "Some words, and more.", "## A heading", "- an item", "Is it?\nYes."] {
            assert!(plain(text), "{text}");
        }
        for text in [
            "#Tag",
            "#tag",
            "A [link]",
            "import a from 'b'",
            "Term\n: what it is",
            "Title\n===",
            "a: b",
            "See www.a.b",
            "--",
            "$x$",
        ] {
            assert!(!plain(text), "{text}");
        }
    }

    #[test]
    fn plain_markdown_stays_as_it_is() {
        let text = "# A *title*\n\nA [link](https://example.org/a_b?c=d#e), `code`, **strong** and a < b.\n\n- one\n- two\n\n\
                    > [!NOTE]\n> Words.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```python {1,3}\nx = {{ 1 }}\n```\n\n[^1]: A note.\n\n\
                    ![A picture](a.png \"Title\")\n\nIt is 10:30, C# and #5, {1, 2}, a ~ b, 2 ^ 3, e.g. a::b, [x] and @home.";
        assert_eq!(plain(text), text);
    }
}
