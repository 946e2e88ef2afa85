//! From a lesson's text to its sections: headings with blocks that are spoken or shown, in document order.
//!
//! CommonMark with tables, footnotes, strike-through and `$…$` mathematics. A block that can't be drawn yet becomes a
//! placeholder and a warning, never a failed film.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::formula;
use crate::place::Places;
use crate::plot;
use crate::storyboard::{Bullet, Bullets, Code, ElementKind, Equation, Place, Placeholder, RichText, Span, Warning};

/// A heading and what stands below it, up to the next one of level 1 or 2.
#[derive(Debug)]
pub(crate) struct Section {
    /// 1 or 2; 0 for what stands before the first heading.
    pub(crate) level: u8,
    pub(crate) heading: Vec<Inline>,
    pub(crate) place: Place,
    pub(crate) blocks: Vec<Block>,
}

/// One block at its place.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) place: Place,
    pub(crate) kind: BlockKind,
}

/// What becomes of a block.
#[derive(Debug)]
pub(crate) enum BlockKind {
    /// A paragraph.
    Spoken(Vec<Inline>),
    /// Everything else.
    Shown(ElementKind),
    /// A thematic break: the screen is emptied.
    Break,
}

/// A stretch of a line.
#[derive(Debug, Clone)]
pub(crate) enum Inline {
    Text(String, Style),
    Code(String),
    Math(String, Place),
    /// `$$…$$` inside of a paragraph.
    Display(String, Place),
    /// Alternative text.
    Image(String, Place),
}

/// How words are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Strong,
    Emphasis,
}

/// Deeper lists are shown at this level.
const DEEPEST_LIST: u32 = 5;
/// What one element may hold; more is cut off with a warning.
const MOST_ITEMS: usize = 100;
const MOST_CODE_BYTES: usize = 20_000;
const MOST_SPANS: usize = 500;
const MOST_TEXT_BYTES: usize = 4_000;
/// More warnings than an author reads.
const MOST_WARNINGS: usize = 100;

/// The sections of `text` from byte `body` on, and what could not be honoured.
pub(crate) fn sections(text: &str, body: usize) -> (Vec<Section>, Vec<Warning>) {
    let mut options = Options::ENABLE_MATH | Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    options |= Options::ENABLE_FOOTNOTES;
    let mut reader = Reader {
        places: Places::of(text),
        sections: vec![Section {
            level: 0,
            heading: Vec::new(),
            place: Place { line: 1, column: 1 },
            blocks: Vec::new(),
        }],
        warnings: Vec::new(),
        line: Vec::new(),
        line_place: Place { line: 1, column: 1 },
        strong: 0,
        emphasis: 0,
        alternative: None,
        lists: Vec::new(),
        items: Vec::new(),
        items_place: Place { line: 1, column: 1 },
        number: None,
        quotes: 0,
        code: None,
        aside: None,
    };
    for (event, range) in Parser::new_ext(&text[body..], options).into_offset_iter() {
        reader.event(event, body + range.start..body + range.end);
    }
    let mut sections = reader.sections;
    if sections.first().is_some_and(|first| first.blocks.is_empty()) {
        sections.remove(0);
    }
    (sections, reader.warnings)
}

/// Something whose inside is not read: a table, a footnote, raw HTML.
struct Aside {
    label: &'static str,
    detail: String,
    place: Place,
    depth: usize,
}

struct Fence {
    info: String,
    text: String,
    /// Byte of `text` → byte of the document, at the beginning of each piece.
    pieces: Vec<(usize, usize)>,
    place: Place,
}

struct Reader<'a> {
    places: Places<'a>,
    sections: Vec<Section>,
    warnings: Vec<Warning>,
    /// The line that is being read, and where it begins.
    line: Vec<Inline>,
    line_place: Place,
    strong: usize,
    emphasis: usize,
    /// The alternative text of the image that is being read, and how many images are open.
    alternative: Option<(String, usize)>,
    /// The next number of each open list.
    lists: Vec<Option<u64>>,
    items: Vec<Bullet>,
    items_place: Place,
    /// The number of the item that is being read, until its first words have it.
    number: Option<u32>,
    quotes: usize,
    code: Option<Fence>,
    aside: Option<Aside>,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.aside.is_some() {
            return self.inside_aside(event);
        }
        match event {
            Event::Start(tag) => self.start(tag, &range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(fence) => {
                    fence.pieces.push((fence.text.len(), range.start));
                    fence.text.push_str(&text);
                }
                None => self.words(&text, range.start),
            },
            Event::Code(code) => match &mut self.alternative {
                Some((alternative, _)) => alternative.push_str(&code),
                None => self.put(Inline::Code(clean(&code)), range.start),
            },
            Event::InlineMath(source) => self.mathematics(&source, range.start, false),
            Event::DisplayMath(source) => self.mathematics(&source, range.start, true),
            Event::SoftBreak | Event::HardBreak => self.words(" ", range.start),
            Event::InlineHtml(html) if html.starts_with("<br") => self.words(" ", range.start),
            Event::Rule if self.lists.is_empty() && self.quotes == 0 => {
                let place = self.places.at(range.start);
                self.block(BlockKind::Break, place);
            }
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        let place = self.places.at(range.start);
        match tag {
            Tag::Paragraph | Tag::Heading { .. } => {
                self.finish_line();
                self.line_place = place;
            }
            Tag::BlockQuote(_) => {
                self.finish_line();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.finish_line();
                let info = if let CodeBlockKind::Fenced(info) = kind { clean(&info) } else { String::new() };
                self.code = Some(Fence { info, text: String::new(), pieces: Vec::new(), place });
            }
            Tag::List(first) => {
                self.finish_line();
                if self.lists.is_empty() {
                    self.items_place = place;
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.finish_line();
                self.line_place = place;
                self.number = None;
                if let Some(Some(next)) = self.lists.last_mut() {
                    self.number = u32::try_from(*next).ok();
                    *next += 1;
                }
            }
            Tag::Emphasis => self.emphasis += 1,
            Tag::Strong => self.strong += 1,
            Tag::Image { .. } => match &mut self.alternative {
                Some((_, depth)) => *depth += 1,
                None => self.alternative = Some((String::new(), 1)),
            },
            Tag::Table(_) => self.set_aside("Table", place),
            Tag::HtmlBlock => self.set_aside("HTML", place),
            Tag::FootnoteDefinition(_) => self.set_aside("Footnote", place),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Item => self.finish_line(),
            TagEnd::Heading(level) => self.finish_heading(level),
            TagEnd::BlockQuote(_) => {
                self.finish_line();
                self.quotes -= 1;
            }
            TagEnd::CodeBlock => self.finish_code(),
            TagEnd::List(_) => {
                self.finish_line();
                self.lists.pop();
                if self.lists.is_empty() {
                    self.finish_list();
                }
            }
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Image => {
                if let Some((alternative, depth)) = self.alternative.take() {
                    if depth > 1 {
                        self.alternative = Some((alternative, depth - 1));
                    } else {
                        self.line.push(Inline::Image(alternative, self.line_place));
                    }
                }
            }
            _ => {}
        }
    }

    fn put(&mut self, inline: Inline, at: usize) {
        if self.line.is_empty() && self.number.is_none() && self.lists.is_empty() {
            self.line_place = self.places.at(at);
        }
        self.line.push(inline);
    }

    fn words(&mut self, text: &str, at: usize) {
        if let Some((alternative, _)) = &mut self.alternative {
            return alternative.push_str(text);
        }
        let style = match (self.strong, self.emphasis) {
            (0, 0) => Style::Plain,
            (0, _) => Style::Emphasis,
            _ => Style::Strong,
        };
        match self.line.last_mut() {
            Some(Inline::Text(before, known)) if *known == style => before.push_str(&clean(text)),
            _ => self.put(Inline::Text(clean(text), style), at),
        }
    }

    fn mathematics(&mut self, source: &CowStr<'_>, at: usize, display: bool) {
        if let Some((alternative, _)) = &mut self.alternative {
            return alternative.push_str(source);
        }
        let place = self.places.at(at);
        let source = source.to_string();
        self.put(if display { Inline::Display(source, place) } else { Inline::Math(source, place) }, at);
    }

    fn block(&mut self, kind: BlockKind, place: Place) {
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(Block { place, kind });
        }
    }

    fn shown(&mut self, kind: ElementKind, place: Place) {
        self.block(BlockKind::Shown(kind), place);
    }

    fn warn(&mut self, code: &str, message: String, place: Place) {
        match self.warnings.len() {
            MOST_WARNINGS => {
                let message = "there are more warnings than these".to_owned();
                self.warnings.push(Warning { code: "plan.more_warnings".to_owned(), message, place: Some(place) });
            }
            count if count < MOST_WARNINGS => {
                self.warnings.push(Warning { code: code.to_owned(), message, place: Some(place) });
            }
            _ => {}
        }
    }

    fn set_aside(&mut self, label: &'static str, place: Place) {
        self.finish_line();
        self.aside = Some(Aside { label, detail: String::new(), place, depth: 1 });
    }

    fn inside_aside(&mut self, event: Event<'_>) {
        let Some(aside) = &mut self.aside else { return };
        let room = aside.detail.len() < 200;
        match event {
            Event::Start(_) => aside.depth += 1,
            Event::End(tag) => {
                aside.depth -= 1;
                if matches!(tag, TagEnd::TableCell) && room {
                    aside.detail.push_str(" · ");
                }
            }
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::Html(text) if room => {
                aside.detail.push_str(&clean(&text));
            }
            _ => {}
        }
        if aside.depth > 0 {
            return;
        }
        let Some(Aside { label, detail, place, .. }) = self.aside.take() else { return };
        if label == "HTML" && detail.trim_start().starts_with("<!--") {
            return;
        }
        self.break_list();
        let kind = if label == "HTML" { "raw HTML".to_owned() } else { format!("a {}", label.to_lowercase()) };
        self.warn("plan.not_yet_drawn", format!("{kind} can't be drawn yet; a box stands in its place"), place);
        let detail = detail.trim_end_matches(" · ").chars().take(200).collect();
        self.shown(ElementKind::Placeholder(Placeholder { label: label.to_owned(), detail }), place);
    }

    /// Ends the line that is being read: an item's, a quotation's or a paragraph.
    fn finish_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let place = self.line_place;
        if line.iter().all(is_blank) {
            return;
        }
        if !self.lists.is_empty() {
            let number = self.number.take();
            let level = u32::try_from(self.lists.len() - 1).unwrap_or(u32::MAX).min(DEEPEST_LIST);
            let text = self.rich(line, place);
            self.items.push(Bullet { level, number, text });
        } else if self.quotes > 0 {
            let text = self.rich(line, place);
            self.shown(ElementKind::Text(text), place);
        } else {
            self.paragraph(line, place);
        }
    }

    /// A paragraph is spoken, but for the formulas and images in it, which are shown where they stand.
    fn paragraph(&mut self, line: Vec<Inline>, place: Place) {
        let mut spoken = Vec::new();
        for inline in line {
            let (kind, place) = match inline {
                Inline::Display(source, place) => (self.equation(source, place), place),
                Inline::Image(alternative, place) => (self.image(&alternative, place), place),
                inline => {
                    spoken.push(inline);
                    continue;
                }
            };
            self.spoken(std::mem::take(&mut spoken), place);
            self.shown(kind, place);
        }
        self.spoken(spoken, place);
    }

    fn spoken(&mut self, words: Vec<Inline>, place: Place) {
        if !words.iter().all(is_blank) {
            self.block(BlockKind::Spoken(words), place);
        }
    }

    fn image(&mut self, alternative: &str, place: Place) -> ElementKind {
        self.warn("plan.not_yet_drawn", "an image can't be drawn yet; a box stands in its place".to_owned(), place);
        let detail = clean(alternative).chars().take(200).collect();
        ElementKind::Placeholder(Placeholder { label: "Image".to_owned(), detail })
    }

    fn equation(&mut self, source: String, place: Place) -> ElementKind {
        match formula::formula(&source) {
            Ok(formula) => ElementKind::Equation(Equation { formula }),
            Err(why) => {
                self.not_understood(&why, place);
                let detail = clean(source.trim()).chars().take(500).collect();
                ElementKind::Placeholder(Placeholder { label: "Formula".to_owned(), detail })
            }
        }
    }

    fn not_understood(&mut self, why: &str, place: Place) {
        self.warn("plan.formula_not_understood", format!("the formula is shown as it is written: {why}"), place);
    }

    /// Spans to show; formulas that aren't understood are shown as they are written.
    pub(crate) fn rich(&mut self, line: Vec<Inline>, place: Place) -> RichText {
        let mut spans: Vec<Span> = Vec::new();
        let mut room = MOST_TEXT_BYTES;
        let mut cut = line.len() > MOST_SPANS;
        for inline in line.into_iter().take(MOST_SPANS) {
            let span = match inline {
                Inline::Text(text, style) => {
                    let short = shortened(&text, room);
                    cut |= short.len() < text.len();
                    let text = short.to_owned();
                    match style {
                        Style::Plain => Span::Plain(text),
                        Style::Strong => Span::Strong(text),
                        Style::Emphasis => Span::Emphasis(text),
                    }
                }
                Inline::Code(code) => {
                    let short = shortened(&code, room);
                    cut |= short.len() < code.len();
                    Span::Code(short.to_owned())
                }
                Inline::Math(source, place) | Inline::Display(source, place) => match formula::formula(&source) {
                    Ok(formula) => Span::Math(formula),
                    Err(why) => {
                        self.not_understood(&why, place);
                        Span::Code(shortened(&clean(&source), room).to_owned())
                    }
                },
                Inline::Image(alternative, place) => {
                    self.warn("plan.not_yet_drawn", "an image in a line is shown as its words".to_owned(), place);
                    Span::Plain(shortened(&alternative, room).to_owned())
                }
            };
            room = room.saturating_sub(length(&span));
            if length(&span) > 0 {
                spans.push(span);
            }
        }
        trim(&mut spans);
        if cut {
            spans.push(Span::Plain("…".to_owned()));
            self.warn("plan.text_cut", "the text is longer than can be shown and was cut".to_owned(), place);
        }
        RichText { spans }
    }

    fn finish_heading(&mut self, level: HeadingLevel) {
        let heading = std::mem::take(&mut self.line);
        let place = self.line_place;
        let inside = !self.lists.is_empty() || self.quotes > 0;
        if !inside && matches!(level, HeadingLevel::H1 | HeadingLevel::H2) {
            let level = if level == HeadingLevel::H1 { 1 } else { 2 };
            return self.sections.push(Section { level, heading, place, blocks: Vec::new() });
        }
        if heading.iter().all(is_blank) {
            return;
        }
        let strong = |inline| match inline {
            Inline::Text(text, _) => Inline::Text(text, Style::Strong),
            other => other,
        };
        self.break_list();
        let text = self.rich(heading.into_iter().map(strong).collect(), place);
        self.shown(ElementKind::Text(text), place);
    }

    /// Something else stands inside of a list: the items before it are shown first, the list goes on after it.
    fn break_list(&mut self) {
        if !self.lists.is_empty() {
            self.finish_list();
        }
    }

    fn finish_list(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        let place = self.items_place;
        if items.is_empty() {
            return;
        }
        if items.len() > MOST_ITEMS {
            let message = format!("the list has {} items; the first {MOST_ITEMS} are shown", items.len());
            self.warn("plan.text_cut", message, place);
            items.truncate(MOST_ITEMS);
        }
        self.shown(ElementKind::Bullets(Bullets { items }), place);
        self.items_place = self.line_place;
    }

    fn finish_code(&mut self) {
        let Some(fence) = self.code.take() else { return };
        let place = fence.place;
        self.break_list();
        let language = fence.info.split([' ', ',', '{']).next().unwrap_or_default().to_lowercase();
        let kind = match language.as_str() {
            "plot" => match plot::axes(&fence.text) {
                Ok(axes) => ElementKind::Axes(axes),
                Err(misread) => {
                    let piece = fence.pieces.iter().rev().find(|(start, _)| *start <= misread.at);
                    let at = piece.map(|(start, source)| self.places.at(source + misread.at - start)).unwrap_or(place);
                    let message = format!("the plot can't be drawn: {}", misread.why);
                    self.warn("plan.expression_not_understood", message, at);
                    let detail = clean(fence.text.trim()).chars().take(500).collect();
                    ElementKind::Placeholder(Placeholder { label: "Plot".to_owned(), detail })
                }
            },
            "math" | "latex" if !fence.text.contains("\\documentclass") => self.equation(fence.text, place),
            "graph" | "vectors" | "manim" => {
                self.warn(
                    "plan.not_yet_drawn",
                    format!("`{language}` can't be drawn yet; a box stands in its place"),
                    place,
                );
                let detail = fence.text.chars().take(500).map(|c| if c.is_control() { ' ' } else { c }).collect();
                ElementKind::Placeholder(Placeholder { label: language, detail })
            }
            _ => self.program(language, &fence.text, place),
        };
        self.shown(kind, place);
    }

    fn program(&mut self, language: String, text: &str, place: Place) -> ElementKind {
        let short = shortened(text, MOST_CODE_BYTES);
        if short.len() < text.len() {
            self.warn("plan.text_cut", "the program is longer than can be shown and was cut".to_owned(), place);
        }
        let lines = short.lines().map(|line| clean(&line.replace('\t', "    ")).trim_end().to_owned());
        let text = lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned();
        let language =
            language.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#_.".contains(*c)).take(30).collect();
        ElementKind::Code(Code { language, text, highlighted: Vec::new() })
    }
}

/// Text without control characters; a tab is a space.
fn clean(text: &str) -> String {
    let visible = |c: char| {
        if c.is_whitespace() { Some(if c == '\u{a0}' { c } else { ' ' }) } else { Some(c).filter(|c| !c.is_control()) }
    };
    text.chars().filter_map(visible).collect()
}

/// The beginning of `text`, at most `room` bytes of it, cut between characters.
fn shortened(text: &str, room: usize) -> &str {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn is_blank(inline: &Inline) -> bool {
    matches!(inline, Inline::Text(text, _) if text.trim().is_empty())
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

/// The words of a line as they are heard: no markup, formulas as words.
pub(crate) fn heard(line: &[Inline]) -> String {
    let mut said = String::new();
    for inline in line {
        match inline {
            Inline::Text(text, _) | Inline::Code(text) => said.push_str(text),
            Inline::Math(source, _) | Inline::Display(source, _) => {
                said.push_str(&crate::speech::words(source));
            }
            Inline::Image(alternative, _) => said.push_str(alternative),
        }
    }
    let said = crate::speech::tidy(&said);
    if said.chars().any(char::is_alphanumeric) { said } else { String::new() }
}

/// The words of a heading as they are read; formulas as words.
pub(crate) fn read(line: &[Inline]) -> String {
    let heading: Vec<_> = heard(line).chars().collect();
    if heading.len() > 150 { heading[..149].iter().chain(&['…']).collect() } else { heading.into_iter().collect() }
}

/// The first sentence of a paragraph as spans, for a scene that has nothing else to show.
pub(crate) fn first_sentence(line: &[Inline]) -> RichText {
    let mut spans = Vec::new();
    let mut length = 0;
    for inline in line {
        let (text, style) = match inline {
            Inline::Text(text, style) => (text, *style),
            Inline::Code(code) => {
                spans.push(Span::Code(code.chars().take(200).collect()));
                continue;
            }
            Inline::Math(source, _) | Inline::Display(source, _) => {
                spans.push(formula::formula(source).map_or_else(|_| Span::Code(clean(source)), Span::Math));
                continue;
            }
            Inline::Image(..) => continue,
        };
        let room = 240_usize.saturating_sub(length);
        let end = sentence_end(text);
        let mut part: String = text[..end.unwrap_or(text.len())].chars().take(room).collect();
        let full = part.chars().count() == room;
        if full {
            part.push('…');
        }
        length += part.chars().count();
        spans.push(match style {
            Style::Plain => Span::Plain(part),
            Style::Strong => Span::Strong(part),
            Style::Emphasis => Span::Emphasis(part),
        });
        if end.is_some() || full {
            break;
        }
    }
    spans.truncate(MOST_SPANS);
    trim(&mut spans);
    RichText { spans }
}

/// The byte after the first sentence of `text`, if it ends there.
pub(crate) fn sentence_end(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let stop = matches!(c, '.' | '!' | '?') && characters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if stop || matches!(c, '。' | '！' | '？') {
            return Some(at + c.len_utf8());
        }
    }
    None
}
