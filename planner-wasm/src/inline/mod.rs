//! A stretch of a line: how it is shown, and how it is heard.

pub(crate) mod nesting;

use std::borrow::Cow;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::document::settings::Settings;
use crate::film::Warnings;
use crate::formula;
use crate::markup::formulas::{self, Formulas, is_private};
use crate::markup::source::Source;
use crate::speech;
use crate::speech::Locale;
use crate::storyboard::{Formula, Place, RichText, Span};
use crate::text::{clean, marks, sentence};

/// A stretch of a line.
#[derive(Debug, Clone)]
pub(crate) enum Inline {
    Text(String, Style),
    Code(String),
    Math(String, Place),
    /// `$$…$$` inside of a paragraph.
    Display(String, Place),
    Image(Picture),
    /// A footnote's number.
    Note(u32),
    /// Words begin at which something is pointed at: the name of it, or nothing when the words say it.
    Cue(String),
    /// They end.
    CueEnd,
}

/// An image as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) source: String,
    pub(crate) title: String,
    pub(crate) alternative: String,
    pub(crate) place: Place,
}

/// How words are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Strong,
    Emphasis,
}

/// What one text may hold; more is cut off with a warning.
const MOST_SPANS: usize = 500;
const MOST_TEXT_BYTES: usize = 4_000;
/// Key words of one paragraph, and the characters of one of them.
const MOST_KEY_WORDS: usize = 4;
const LONGEST_KEY_WORD: usize = 60;
/// Letters of key words that say something by themselves, one of them at least; two of a script without spaces are a word.
const LEAST_TELLING: usize = 2;
/// Commands that relate two sides of a formula.
const RELATIONS: &[&str] = &["\\le", "\\ge", "\\ne", "\\approx", "\\equiv", "\\sim", "\\to", "\\in", "\\subset"];
/// Characters of a sentence that stands alone on the screen.
const LONGEST_SENTENCE: usize = 160;

/// The inlines of a text that is no document of its own: emphasis, code and `$…$` as in a lesson.
pub(crate) fn of_text(text: &str, place: Place) -> Vec<Inline> {
    if nothing_but_words(text) {
        let mut line = Vec::new();
        push(&mut line, text, Style::Plain);
        // As after every paragraph.
        push(&mut line, " ", Style::Plain);
        return line;
    }
    marked(text, place)
}

/// Whether a text is a line of words that no mark can be in: they are most of what plans say, and are read as they stand.
fn nothing_but_words(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .,;:?'".contains(&byte))
}

/// [`of_text`], for texts with marks in them.
fn marked(text: &str, place: Place) -> Vec<Inline> {
    let text = nesting::shallow(text, 0).map_or(Cow::Borrowed(text), |(shallow, _)| Cow::Owned(shallow));
    let mut formulas = Formulas::default();
    let text = formulas::taken(&Source::of(&text), 0, &mut formulas).text;
    let (mut line, mut strong, mut emphasis) = (Vec::new(), 0_usize, 0_usize);
    for event in Parser::new_ext(&text, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Strong) => strong += 1,
            Event::End(TagEnd::Strong) => strong -= 1,
            Event::Start(Tag::Emphasis) => emphasis += 1,
            Event::End(TagEnd::Emphasis) => emphasis -= 1,
            Event::Start(Tag::List(Some(first))) => push(&mut line, &format!("{first}. "), Style::Plain),
            Event::Text(text) => with_formulas(&text, style(strong, emphasis), &formulas, |_| place, &mut line),
            Event::Code(code) => line.push(Inline::Code(clean(&formulas.restored(&code)))),
            Event::Html(html) | Event::InlineHtml(html) if !html.starts_with("<br") => {
                push(&mut line, &clean(&formulas.restored(&html)), Style::Plain);
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Item)
            | Event::InlineHtml(_) => {
                push(&mut line, " ", Style::Plain);
            }
            _ => {}
        }
    }
    with_cues(line)
}

/// What stands behind the words: the bracket's end, and the beginning of the list in braces.
const CUE_CLOSES: &str = "]{show";
/// Characters of the name in a cue.
const LONGEST_NAME: usize = 100;

/// The line with its cues, as `[the hypotenuse]{show="c"}`, in the place of their brackets: words at which something on the screen is
/// pointed at.
pub(crate) fn with_cues(line: Vec<Inline>) -> Vec<Inline> {
    let closes = |inline: &Inline| matches!(inline, Inline::Text(text, _) if text.contains(CUE_CLOSES));
    if !line.iter().any(closes) {
        return line;
    }
    let mut out: Vec<Inline> = Vec::with_capacity(line.len() + 4);
    for inline in line {
        let Inline::Text(text, style) = inline else {
            out.push(inline);
            continue;
        };
        let mut rest = text.as_str();
        let mut seen = 0;
        while let Some(at) = rest[seen..].find(CUE_CLOSES).map(|at| seen + at) {
            let Some((name, length)) = cue_name(&rest[at + CUE_CLOSES.len()..]) else {
                seen = at + CUE_CLOSES.len();
                continue;
            };
            put(&rest[..at], style, &mut out);
            if open_cue(name, &mut out) {
                out.push(Inline::CueEnd);
            } else {
                put(&rest[at..at + CUE_CLOSES.len() + length], style, &mut out);
            }
            rest = &rest[at + CUE_CLOSES.len() + length..];
            seen = 0;
        }
        put(rest, style, &mut out);
    }
    out
}

/// The name that a list asks for behind its word `show`, and the bytes to the list's end; an empty name when it has none.
fn cue_name(rest: &str) -> Option<(&str, usize)> {
    if rest.starts_with('}') {
        return Some(("", 1));
    }
    let value = rest.strip_prefix('=')?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '“' | '”' | '’'));
    let (name, length) = match quote {
        Some(quote) => {
            let inside = &value[quote.len_utf8()..];
            let closes = |c: char| c == quote || (quote == '“' && c == '”');
            let (end, close) = inside.char_indices().find(|(_, c)| closes(*c))?;
            (&inside[..end], quote.len_utf8() + end + close.len_utf8())
        }
        None => {
            let end = value.find(['}', ' '])?;
            (&value[..end], end)
        }
    };
    let fits = value[length..].starts_with('}') && name.chars().count() <= LONGEST_NAME;
    fits.then(|| (name.trim(), 1 + length + 1))
}

/// Puts the cue's beginning in the place of the last bracket that is open; false when there is none.
fn open_cue(name: &str, out: &mut Vec<Inline>) -> bool {
    let bracket = |inline: &Inline| matches!(inline, Inline::Text(text, _) if text.contains('['));
    let ended = out.iter().rposition(|inline| matches!(inline, Inline::CueEnd)).map_or(0, |end| end + 1);
    let Some(at) = out[ended..].iter().rposition(bracket).map(|at| at + ended) else { return false };
    if let Inline::Text(text, style) = out.remove(at) {
        let (before, after) = text.rsplit_once('[').unwrap_or((&text, ""));
        let mut parts = Vec::with_capacity(3);
        put(before, style, &mut parts);
        parts.push(Inline::Cue(name.to_owned()));
        put(after, style, &mut parts);
        out.splice(at..at, parts);
    }
    true
}

fn put(text: &str, style: Style, out: &mut Vec<Inline>) {
    if !text.is_empty() {
        out.push(Inline::Text(text.to_owned(), style));
    }
}

/// Adds words to a line, and the formulas that stand among them; `place` knows a byte of the document.
pub(crate) fn with_formulas(
    text: &str,
    style: Style,
    formulas: &Formulas,
    place: impl Fn(usize) -> Place,
    line: &mut Vec<Inline>,
) {
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_private(*c)) {
        push(line, &clean(&rest[..at]), style);
        if let Some(formula) = formulas.of(c) {
            let (latex, place) = (formula.latex.clone(), place(formula.at));
            line.push(if formula.display { Inline::Display(latex, place) } else { Inline::Math(latex, place) });
        }
        rest = &rest[at + c.len_utf8()..];
    }
    push(line, &clean(rest), style);
}

/// The style of words inside of so many emphases.
pub(crate) fn style(strong: usize, emphasis: usize) -> Style {
    match (strong, emphasis) {
        (0, 0) => Style::Plain,
        (0, _) => Style::Emphasis,
        _ => Style::Strong,
    }
}

fn push(line: &mut Vec<Inline>, text: &str, style: Style) {
    if text.is_empty() {
        return;
    }
    match line.last_mut() {
        Some(Inline::Text(before, known)) if *known == style => before.push_str(text),
        _ => line.push(Inline::Text(text.to_owned(), style)),
    }
}

pub(crate) fn is_blank(inline: &Inline) -> bool {
    matches!(inline, Inline::Text(text, _) if text.trim().is_empty())
}

/// Whether something of it is heard; a mark alone, as the one that ends a sentence, is none.
fn is_heard(inline: &Inline) -> bool {
    match inline {
        Inline::Text(text, _) => text.contains(char::is_alphanumeric),
        Inline::Code(_) | Inline::Math(..) | Inline::Display(..) => true,
        Inline::Image(_) | Inline::Note(_) | Inline::Cue(_) | Inline::CueEnd => false,
    }
}

/// Spans to show; formulas that aren't understood are shown as they are written.
pub(crate) fn rich(line: Vec<Inline>, place: Place, warnings: &mut Warnings) -> RichText {
    let mut spans: Vec<Span> = Vec::new();
    let mut room = MOST_TEXT_BYTES;
    let mut cut = line.len() > MOST_SPANS;
    for inline in line.into_iter().take(MOST_SPANS) {
        let span = match inline {
            Inline::Text(text, style) => {
                let short = shortened(&text, room);
                cut |= short.len() < text.len();
                styled(short.to_owned(), style)
            }
            Inline::Code(code) => {
                let short = shortened(&code, room);
                cut |= short.len() < code.len();
                Span::Code(short.to_owned())
            }
            Inline::Math(source, place) | Inline::Display(source, place) => match drawable(&source, place, warnings) {
                Ok(formula) => Span::Math(formula),
                Err(why) => {
                    not_understood(&why, place, warnings);
                    Span::Code(shortened(&clean(&latex_reader::written(&source)), room).to_owned())
                }
            },
            Inline::Image(picture) => {
                let message = "an image inside of a line is shown as its words; give it a paragraph of its own";
                warnings.add("plan.cannot_draw", message, picture.place);
                Span::Plain(shortened(&picture.alternative, room).to_owned())
            }
            Inline::Note(number) => Span::Plain(superscript(number)),
            // What is shown is not spoken.
            Inline::Cue(_) | Inline::CueEnd => continue,
        };
        room = room.saturating_sub(length(&span));
        if length(&span) > 0 {
            spans.push(span);
        }
    }
    trim(&mut spans);
    if cut {
        spans.push(Span::Plain("…".to_owned()));
        warnings.add("plan.text_cut", "the text is longer than can be shown and was cut", place);
    }
    RichText { spans }
}

/// The formula; what of it could not be read as it stands is told with its place.
///
/// # Errors
/// In words, why nothing of it can be drawn.
pub(crate) fn drawable(source: &str, place: Place, warnings: &mut Warnings) -> Result<Formula, String> {
    let (formula, faults) = formula::with_faults(source)?;
    for fault in faults {
        warnings.add("plan.formula_in_part", fault, place);
    }
    Ok(formula)
}

pub(crate) fn not_understood(why: &str, place: Place, warnings: &mut Warnings) {
    warnings.add("plan.formula_not_understood", format!("the formula is shown as it is written: {why}"), place);
}

fn styled(text: String, style: Style) -> Span {
    match style {
        Style::Plain => Span::Plain(text),
        Style::Strong => Span::Strong(text),
        Style::Emphasis => Span::Emphasis(text),
    }
}

/// `¹²` for 12.
pub(crate) fn superscript(number: u32) -> String {
    let digit = |c: char| match c {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => char::from_u32(0x2070 + c as u32 - '0' as u32).unwrap_or(c),
    };
    number.to_string().chars().map(digit).collect()
}

/// The beginning of `text`, at most `room` bytes of it, cut between characters.
pub(crate) fn shortened(text: &str, room: usize) -> &str {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn length(span: &Span) -> usize {
    match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.len(),
        Span::Math(formula) => formula.latex.len(),
    }
}

/// Takes the white space off both ends.
fn trim(spans: &mut Vec<Span>) {
    if let Some(Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text)) = spans.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text)) = spans.last_mut() {
        *text = text.trim_end().to_owned();
    }
    spans.retain(|span| length(span) > 0);
}

/// The words of a line as they are heard: no markup, formulas as words, and the author's pronunciations before all else.
pub(crate) fn heard(line: &[Inline], settings: &Settings) -> String {
    let locale = Locale::of(&settings.language);
    let mut said = String::new();
    let last = line.iter().rposition(is_heard);
    // Whether a formula was said last.
    let mut formula = false;
    for (index, inline) in line.iter().enumerate() {
        if std::mem::take(&mut formula) && begins_a_word(inline) {
            said.push(' ');
        }
        match inline {
            Inline::Text(text, _) => {
                let goes_on = last.is_some_and(|last| last > index);
                said.push_str(&settings.pronounced(text, |text| speech::part(text, goes_on, locale)));
            }
            Inline::Code(text) => {
                let marked = marks::open(marks::Kind::Code, text, &mut said);
                said.push_str(&settings.pronounced(text, |text| speech::code(text, locale)));
                marked.then(|| marks::close(&mut said));
            }
            Inline::Math(source, _) | Inline::Display(source, _) => {
                formula = true;
                if said.trim_end_matches(marks::is_mark).ends_with(is_spaced) {
                    said.push(' ');
                }
                let marked = marks::open(marks::Kind::Math, source, &mut said);
                said.push_str(&settings.pronounced(&speech::words(source, locale), str::to_owned));
                marked.then(|| marks::close(&mut said));
            }
            Inline::Cue(name) => {
                marks::open(marks::Kind::Show, name, &mut said);
            }
            Inline::CueEnd => marks::close(&mut said),
            Inline::Image(picture) => {
                let words = &picture.alternative;
                said.push_str(&settings.pronounced(words, |text| speech::prose(text, locale)));
            }
            Inline::Note(_) => {}
        }
    }
    said = clean(&speech::tidy(&said));
    // "The vector $\\vec v$" names it twice.
    for word in ["vector", "Vektor", "vecteur"] {
        // Few lines have one of them, and each line is looked at.
        if said.contains(word) {
            // It stands in a formula, whose mark would come between.
            if said.contains(marks::is_mark) {
                let bare = marks::without(&said);
                let doubled = |article: &&str| bare.contains(&format!("{word} {article} {word} "));
                if !["the", "der", "le", "el"].iter().any(doubled) {
                    continue;
                }
                said = bare;
            }
            for article in ["the", "der", "le", "el"] {
                said = said.replace(&format!("{word} {article} {word} "), &format!("{word} "));
            }
        }
    }
    if said.chars().any(char::is_alphanumeric) { said } else { String::new() }
}

/// Whether a letter is of a script that has spaces between words.
fn is_spaced(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2e80}'
}

/// Whether what stands directly after a formula is a word of its own, and no ending of it, as in `$n$th` and `$x$s`.
fn begins_a_word(inline: &Inline) -> bool {
    const ENDINGS: &[&str] =
        &["th", "st", "nd", "rd", "s", "te", "ten", "ter", "tes", "ige", "iger", "igen", "ème", "ième"];
    match inline {
        Inline::Text(text, _) => {
            let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            word.starts_with(is_spaced) && !ENDINGS.contains(&word)
        }
        Inline::Code(_) => true,
        Inline::Math(..)
        | Inline::Display(..)
        | Inline::Image(_)
        | Inline::Note(_)
        | Inline::Cue(_)
        | Inline::CueEnd => false,
    }
}

/// Tells each formula of a line that is heard and can't be read, or only in part.
pub(crate) fn tell_unreadable(line: &[Inline], place: Place, warnings: &mut Warnings) {
    for inline in line {
        if let Inline::Text(text, _) = inline
            && let Some(piece) = speech::unread(text)
        {
            let piece = crate::text::one_line(&piece, 60);
            let message =
                format!("`{piece}` looks like LaTeX without its dollar signs; its letters and numbers are read");
            warnings.add("plan.formula_not_understood", message, place);
        }
        if let Inline::Math(source, place) | Inline::Display(source, place) = inline
            && let Err(why) = drawable(source, *place, warnings)
        {
            let message = format!("the formula is read letter by letter: {why}");
            warnings.add("plan.formula_not_understood", message, *place);
        }
    }
}

/// A heading: as it is written, with formulas as words.
pub(crate) fn read(line: &[Inline], settings: &Settings) -> String {
    let locale = Locale::of(&settings.language);
    let mut said = String::new();
    let mut formula = false;
    for inline in line {
        if std::mem::take(&mut formula) && begins_a_word(inline) {
            said.push(' ');
        }
        match inline {
            Inline::Text(text, _) => said.push_str(&speech::written(text, locale)),
            Inline::Code(text) => said.push_str(text),
            Inline::Math(source, _) | Inline::Display(source, _) => {
                formula = true;
                if said.ends_with(is_spaced) {
                    said.push(' ');
                }
                said.push_str(&speech::words(source, locale));
            }
            Inline::Image(picture) => said.push_str(&picture.alternative),
            Inline::Note(_) | Inline::Cue(_) | Inline::CueEnd => {}
        }
    }
    crate::text::one_line(&said, 150)
}

/// The words of a line as they are written, without programs and formulas.
pub(crate) fn words(line: &[Inline], out: &mut String) {
    for inline in line {
        if let Inline::Text(text, _) = inline {
            // An address is in no language.
            out.extend(text.split_inclusive(' ').filter(|word| !word.contains("://") && !word.contains('@')));
        }
    }
    out.push(' ');
}

/// How long a paragraph is, as it was written.
pub(crate) fn bytes(line: &[Inline]) -> usize {
    let bytes = |inline: &Inline| match inline {
        Inline::Text(text, _) | Inline::Code(text) | Inline::Math(text, _) | Inline::Display(text, _) => text.len(),
        Inline::Image(_) | Inline::Note(_) | Inline::Cue(_) | Inline::CueEnd => 0,
    };
    line.iter().map(bytes).sum()
}

/// Whether words ask something.
pub(crate) fn asks(line: &[Inline]) -> bool {
    line.iter().any(|inline| matches!(inline, Inline::Text(text, _) if text.contains(['?', '\u{ff1f}', '\u{61f}'])))
}

/// What an author set apart in a paragraph: its key words; empty when nothing is, or too much, or when by itself it says nothing, as a
/// letter of a formula or the name of a variable.
pub(crate) fn key_words(line: &[Inline]) -> RichText {
    let mut spans: Vec<Span> = Vec::new();
    for inline in line {
        let span = match inline {
            Inline::Text(text, style @ (Style::Strong | Style::Emphasis)) => {
                styled(text.trim().trim_end_matches(['.', ',', ':', ';', '!', '?']).to_owned(), *style)
            }
            Inline::Code(code) => Span::Code(code.clone()),
            Inline::Math(source, _) | Inline::Display(source, _) => match formula::formula(source) {
                Ok(formula) => Span::Math(formula),
                Err(_) => continue,
            },
            _ => continue,
        };
        let length = crate::text::span_length(&span);
        if length > LONGEST_KEY_WORD {
            return RichText { spans: Vec::new() };
        }
        if says_something(&span) && !spans.contains(&span) && spans.len() < 2 * MOST_KEY_WORDS - 1 {
            if let Some(last) = spans.last() {
                // A dot between two formulas would multiply them.
                let formula = [last, &span].iter().any(|span| matches!(span, Span::Math(_)));
                spans.push(Span::Plain(if formula { ",  " } else { "  ·  " }.to_owned()));
            }
            spans.push(span);
        }
    }
    if !spans.iter().any(tells) {
        spans.clear();
    }
    RichText { spans }
}

/// Whether a key word says something by itself: words of some length, or a formula with a relation.
fn tells(span: &Span) -> bool {
    match span {
        Span::Strong(text) | Span::Emphasis(text) => {
            text.chars().filter(|c| c.is_alphanumeric()).count() >= LEAST_TELLING
        }
        Span::Math(formula) => {
            formula.latex.contains(['=', '<', '>']) || RELATIONS.iter().any(|one| formula.latex.contains(one))
        }
        Span::Plain(_) | Span::Code(_) => false,
    }
}

/// Whether a span says something when it stands alone: a term, a name or a relation, and no letter or number.
fn says_something(span: &Span) -> bool {
    match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => {
            let letters = text.chars().filter(|c| c.is_alphanumeric());
            let capitals = text.chars().filter(|c| c.is_uppercase()).count();
            letters.clone().count() > 3 || capitals > 1 || letters.into_iter().any(|c| c >= '\u{2e80}')
        }
        Span::Math(formula) => {
            const RELATIONS: &[&str] = &[
                "=", "<", ">", "+", "(", "^", "\\frac", "\\sum", "\\int", "\\sqrt", "\\le", "\\ge", "\\ne", "\\in",
                "\\to", "\\approx", "\\sim", "\\begin",
            ];
            let written = latex_reader::written(&formula.latex);
            RELATIONS.iter().any(|sign| written.contains(sign))
        }
    }
}

/// The first sentence of a paragraph as spans, for a scene that has nothing else to show.
pub(crate) fn first_sentence(line: &[Inline]) -> RichText {
    let mut spans = Vec::new();
    let mut length = 0;
    for inline in line {
        let (text, style) = match inline {
            Inline::Text(text, style) => (text, *style),
            Inline::Code(code) => {
                spans.push(Span::Code(code.chars().take(LONGEST_SENTENCE).collect()));
                continue;
            }
            Inline::Math(source, _) | Inline::Display(source, _) => {
                spans.push(
                    formula::formula(source)
                        .map_or_else(|_| Span::Code(clean(&latex_reader::written(source))), Span::Math),
                );
                continue;
            }
            Inline::Image(_) | Inline::Note(_) | Inline::Cue(_) | Inline::CueEnd => continue,
        };
        let end = sentence::end(text);
        let part = &text[..end.unwrap_or(text.len())];
        let (part, full) = clause(part, LONGEST_SENTENCE.saturating_sub(length));
        length += part.chars().count();
        spans.push(styled(part, style));
        if end.is_some() || full {
            break;
        }
    }
    spans.truncate(MOST_SPANS);
    trim(&mut spans);
    RichText { spans }
}

/// The text, or as much of it as there is room for: its first clauses, or its first words and `…`.
fn clause(text: &str, room: usize) -> (String, bool) {
    let Some((limit, _)) = text.char_indices().nth(room) else { return (text.to_owned(), false) };
    let head = &text[..limit];
    let comma = head.rfind([',', ';', ':', '–', '—']).filter(|at| *at > limit / 2);
    let end = comma.or_else(|| head.rfind(' ').filter(|at| *at > 0)).unwrap_or(limit);
    (format!("{}…", head[..end].trim_end()), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::marks::{Kind, taken};

    const HERE: Place = Place { line: 1, column: 1 };

    #[test]
    fn key_words_are_what_the_author_set_apart() {
        let words = |text: &str| {
            let spans = key_words(&of_text(text, HERE)).spans;
            spans
                .iter()
                .map(|span| format!("{span:?}").split('(').next().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(words("The **hypotenuse**, `length` and $x^2$; **hypotenuse**."), "Strong Plain Code Plain Math");
        assert_eq!(words("Nothing here."), "");
        assert_eq!(words("Here `code` and $x^2$ say nothing by themselves, nor does *n*."), "");
        assert_eq!(words("But $x^2 = 4$ does."), "Math");
        assert_eq!(words("A *b* of `_` and `x`, $A$ and $7\\,m$, *so* it is."), "");
        assert_eq!(words("The *DNA* of `fork`, $a = b$ and **数**."), "Emphasis Plain Code Plain Math Plain Strong");
        assert_eq!(words(&format!("**{}**", "long ".repeat(30))), "");
    }

    #[test]
    fn words_alone_are_read_as_if_they_had_marks() {
        for text in ["A word", "It's two; here: one, and 3.5?", "Spaces  and  more.", "a. b. c", "Number 1"] {
            assert!(nothing_but_words(text), "{text}");
            assert_eq!(format!("{:?}", of_text(text, HERE)), format!("{:?}", marked(text, HERE)), "{text}");
        }
        for text in
            ["1. one", " a", "a ", "", "a\nb", "a*b*", "$x$", "a_b", "a < b", "https://a.b/c", "a\\", "ä", "[a]"]
        {
            assert!(!nothing_but_words(text), "{text}");
        }
    }

    #[test]
    fn a_sentence_alone_is_short() {
        let long = format!("This is a sentence, which {} for ever.", "goes on and ".repeat(30));
        let RichText { spans } = first_sentence(&of_text(&long, HERE));
        let length: usize = spans.iter().map(crate::text::span_length).sum();
        assert!(length <= LONGEST_SENTENCE + 1, "{length}");
        assert_eq!(first_sentence(&of_text("One. Two.", HERE)).spans, [Span::Plain("One.".to_owned())]);
    }

    /// What is heard of a text, without its marks.
    fn heard_bare(text: &str) -> String {
        marks::without(&heard(&of_text(text, HERE), &Settings::default()))
    }

    #[test]
    fn text_of_a_plan_is_read_as_in_a_lesson() {
        let mut warnings = Warnings::default();
        let text = rich(of_text("**Bold** and \\(x_1\\) of a_b * c", HERE), HERE, &mut warnings);
        assert_eq!(text.spans[0], Span::Strong("Bold".to_owned()));
        assert!(matches!(&text.spans[2], Span::Math(formula) if formula.latex == "x_1"));
        assert_eq!(text.spans[3], Span::Plain(" of a_b * c".to_owned()));
        assert_eq!(heard_bare("So $x^2$ is \\frac{1}{2}, and x ≤ 4."), "So x squared is one half, and x is at most 4.");
        assert_eq!(heard_bare("So $x$, e.g. 5 m."), "So x, for example 5 metres.");
        for (text, said) in [
            ("So $$a=b$$Then$$c$$and: $d$**or**", "So a equals b Then c and: d or"),
            ("the $n$th, $x$s and $n$-th `a`$b$`c`", "the nth, xs and n-th a b c"),
            ("设$x$为数", "设x为数"),
            (
                "It is so (i.e. $x$), e.g. **bold** and e.g. `code`, etc.",
                "It is so (that is x), for example bold and for example code, and so on.",
            ),
        ] {
            assert_eq!(heard_bare(text), said, "{text}");
        }
    }

    fn cues_of(text: &str) -> (String, Vec<(String, usize, usize)>) {
        let line = of_text(text, Place { line: 1, column: 1 });
        let (words, marks) = taken(heard(&line, &Settings::default()));
        let cues = marks.into_iter().filter(|mark| mark.kind == Kind::Show);
        (words, cues.map(|mark| (mark.source, mark.word, mark.words)).collect())
    }

    #[test]
    fn cues_are_spoken_without_their_brackets() {
        let one = |name: &str, word, words| (name.to_owned(), word, words);
        for (text, said, found) in [
            (r#"Look at [the hypotenuse]{show="c"}, here."#, "Look at the hypotenuse, here.", vec![one("c", 2, 2)]),
            (
                "[First]{show}, then [**so** $x^2$]{show='x^2'}.",
                "First, then so x squared.",
                vec![one("", 0, 1), one("x^2", 2, 3)],
            ),
            ("A [b]{show=line} c", "A b c", vec![one("line", 1, 1)]),
            ("see [1] and [two]{show}", "see [1] and two", vec![one("", 3, 1)]),
            ("no bracket]{show} here", "no bracket]{show} here", vec![]),
            ("[open]{show=\"a} b", "[open]{show=\"a} b", vec![]),
        ] {
            assert_eq!(cues_of(text), (said.to_owned(), found), "{text}");
        }
    }
}
