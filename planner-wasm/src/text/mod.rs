//! Text by itself: cleaned, cut, measured, split into sentences. It knows no document and no language.

pub(crate) mod line_numbers;
pub(crate) mod marks;
pub(crate) mod sentence;

use crate::storyboard::{RichText, Span};

/// Text in one style, or nothing.
pub(crate) fn plain(text: impl Into<String>) -> RichText {
    let text = text.into();
    RichText { spans: if text.is_empty() { Vec::new() } else { vec![Span::Plain(text)] } }
}

/// How many characters there are to read.
pub(crate) fn length(text: &RichText) -> usize {
    text.spans.iter().map(span_length).sum()
}

pub(crate) fn span_length(span: &Span) -> usize {
    match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.chars().count(),
        Span::Math(formula) => latex_reader::written(&formula.latex).chars().count(),
    }
}

/// Text without control characters; white space is a space.
pub(crate) fn clean(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let visible = |c: char| {
        if c.is_whitespace() { Some(if c == '\u{a0}' { c } else { ' ' }) } else { Some(c).filter(|c| !c.is_control()) }
    };
    text.chars().filter_map(visible).collect()
}

/// One line of at most `most` characters, cut with `…`.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let text = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= most {
        return text;
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}
