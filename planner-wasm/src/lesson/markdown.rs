//! From a lesson's text to its sections: headings with blocks that are spoken or shown, in document order.
//!
//! CommonMark with tables, footnotes, task lists, alerts, strike-through and `$…$` mathematics. A block that can't be
//! drawn becomes a placeholder and a warning, never a failed film.

use std::collections::BTreeMap;
use std::ops::Range;

use latex_reader::Definitions;
use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};

use super::fence::{self, Fence, Fenced};
use crate::document::asset;
use crate::document::position::Positions;
use crate::film::Warnings;
use crate::film::draft::placeholder;
use crate::inline::{self, Inline, Picture, Style, is_blank};
use crate::storyboard::{Bullet, Bullets, ElementKind, Image, ManimScene, Place, RichText, Span, Table, TableRow};
use crate::text::{clean, one_line};

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
    /// A footnote, by its number, beside what refers to it.
    Note(u32),
    /// A Manim program, which is a scene of its own.
    Manim(ManimScene),
    /// A thematic break: the screen is emptied.
    Break,
}

/// What a lesson's text says.
pub(crate) struct Lesson {
    pub(crate) sections: Vec<Section>,
    /// The text of each footnote.
    pub(crate) notes: BTreeMap<u32, (Vec<Inline>, Place)>,
}

/// Deeper lists are shown at this level.
const DEEPEST_LIST: u32 = 5;
/// What one element may hold; more is cut off with a warning.
const MOST_ITEMS: usize = 400;
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 40;
/// Bytes of the words of an image inside of another one.
const MOST_NESTED_WORDS: usize = 1_000;

/// What a document's front matter defines for its formulas, and the numbers of the formulas that something refers to.
fn definitions(text: &str, body: usize) -> Definitions {
    let mut definitions = Definitions::default();
    definitions.take(&text[..body]);
    for (index, label) in latex_reader::referred(&text[body..]).into_iter().enumerate() {
        definitions.number(&label, &(index + 1).to_string());
    }
    definitions
}

/// Reads `text` from byte `body` on.
pub(crate) fn read(text: &str, body: usize, warnings: &mut Warnings) -> Lesson {
    let mut options = Options::ENABLE_MATH | Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    options |= Options::ENABLE_FOOTNOTES | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
    let start = Place { line: 1, column: 1 };
    let mut reader = Reader {
        positions: Positions::of(text),
        definitions: definitions(text, body),
        sections: vec![Section { level: 0, heading: Vec::new(), place: start, blocks: Vec::new() }],
        warnings,
        line: Vec::new(),
        line_place: start,
        strong: 0,
        emphasis: 0,
        pictures: Vec::new(),
        lists: Vec::new(),
        items: Vec::new(),
        items_place: start,
        number: None,
        quotes: Vec::new(),
        table: None,
        code: None,
        html: None,
        note: None,
        note_numbers: BTreeMap::new(),
        notes: BTreeMap::new(),
        cited: Vec::new(),
    };
    for (event, range) in Parser::new_ext(&text[body..], options).into_offset_iter() {
        reader.event(event, body + range.start..body + range.end);
    }
    let Reader { mut sections, mut notes, note_numbers, .. } = reader;
    if sections.first().is_some_and(|first| first.blocks.is_empty()) {
        sections.remove(0);
    }
    let mut numbered = BTreeMap::new();
    for (name, number) in note_numbers {
        if let Some(note) = notes.remove(&name) {
            numbered.insert(number, note);
        }
    }
    for (_, place) in notes.into_values() {
        warnings.add("plan.footnote_unused", "nothing refers to this footnote; it is left out", place);
    }
    Lesson { sections, notes: numbered }
}

struct Reader<'a, 'w> {
    positions: Positions<'a>,
    /// What formulas so far have defined for those that follow, and the numbers of those that are referred to.
    definitions: Definitions,
    sections: Vec<Section>,
    warnings: &'w mut Warnings,
    /// The line that is being read, and where it begins.
    line: Vec<Inline>,
    line_place: Place,
    strong: usize,
    emphasis: usize,
    /// The images that are being read, each inside of the one before.
    pictures: Vec<Picture>,
    /// The next number of each open list.
    lists: Vec<Option<u64>>,
    items: Vec<Bullet>,
    items_place: Place,
    /// The number of the item that is being read, until its first words have it.
    number: Option<u32>,
    /// The open quotations; an alert's name until its first words have it.
    quotes: Vec<Option<&'static str>>,
    table: Option<(Table, Place)>,
    code: Option<Fence>,
    /// The raw HTML that is being read.
    html: Option<(String, Place)>,
    /// The footnote that is being read.
    note: Option<String>,
    /// The numbers of footnotes by their names, in the order in which they are first referred to.
    note_numbers: BTreeMap<String, u32>,
    notes: BTreeMap<String, (Vec<Inline>, Place)>,
    /// Footnotes that the line which was read last refers to for the first time.
    cited: Vec<u32>,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, &range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(fence) => {
                    fence.pieces.push((fence.text.len(), range.start));
                    fence.text.push_str(&text);
                }
                None => self.words(&text),
            },
            Event::Code(code) => match self.pictures.last_mut() {
                Some(picture) => picture.alternative.push_str(&code),
                None => self.line.push(Inline::Code(clean(&code))),
            },
            Event::InlineMath(source) => self.mathematics(&source, range.start, false),
            Event::DisplayMath(source) => self.mathematics(&source, range.start, true),
            Event::SoftBreak | Event::HardBreak => self.words(" "),
            Event::InlineHtml(html) if html.starts_with("<br") => self.words(" "),
            Event::TaskListMarker(done) => self.words(if done { "☑ " } else { "☐ " }),
            Event::FootnoteReference(name) => self.reference(&name),
            Event::Rule if self.lists.is_empty() && self.quotes.is_empty() => {
                let place = self.positions.at(range.start);
                self.block(BlockKind::Break, place);
            }
            Event::Html(html) => {
                if let Some((text, _)) = &mut self.html
                    && text.len() < 1_000
                {
                    text.push_str(&html);
                }
            }
            Event::InlineHtml(_) | Event::Rule => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        let place = self.positions.at(range.start);
        match tag {
            Tag::Paragraph | Tag::Heading { .. } => {
                self.finish_line();
                self.line_place = place;
            }
            Tag::BlockQuote(kind) => {
                self.finish_line();
                self.quotes.push(kind.map(alert));
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
            Tag::Image { dest_url, title, .. } => {
                let (source, title) = (dest_url.to_string(), clean(&title));
                self.pictures.push(Picture { source, title, alternative: String::new(), place });
            }
            Tag::Table(alignments) => {
                self.finish_line();
                let align = alignments.iter().map(|one| side(*one).to_owned()).collect();
                self.table = Some((Table { header: Vec::new(), rows: Vec::new(), align }, place));
            }
            Tag::TableRow => {
                if let Some((table, _)) = &mut self.table {
                    table.rows.push(TableRow { cells: Vec::new() });
                }
            }
            Tag::TableCell => self.line_place = place,
            Tag::HtmlBlock => {
                self.finish_line();
                self.html = Some((String::new(), place));
            }
            Tag::FootnoteDefinition(name) => {
                self.finish_line();
                self.notes.insert(name.to_string(), (Vec::new(), place));
                self.note = Some(name.to_string());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Item => self.finish_line(),
            TagEnd::Heading(level) => self.finish_heading(level),
            TagEnd::BlockQuote(_) => {
                self.finish_line();
                self.quotes.pop();
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
            TagEnd::Image => match (self.pictures.pop(), self.pictures.last_mut()) {
                // Of images inside of each other, each holds the words of all those in it: what is shown of them is enough.
                (Some(inner), Some(outer)) => {
                    outer.alternative.push_str(inline::shortened(&inner.alternative, MOST_NESTED_WORDS));
                }
                (Some(mut picture), None) => {
                    picture.alternative = clean(&picture.alternative);
                    self.line.push(Inline::Image(picture));
                }
                (None, _) => {}
            },
            TagEnd::TableCell => self.finish_cell(),
            TagEnd::Table => self.finish_table(),
            TagEnd::HtmlBlock => self.finish_html(),
            TagEnd::FootnoteDefinition => {
                self.finish_line();
                self.note = None;
            }
            _ => {}
        }
    }

    fn words(&mut self, text: &str) {
        if let Some(picture) = self.pictures.last_mut() {
            return picture.alternative.push_str(text);
        }
        let style = inline::style(self.strong, self.emphasis);
        let text = &*self.definitions.referring(text);
        match self.line.last_mut() {
            Some(Inline::Text(before, known)) if *known == style => before.push_str(&clean(text)),
            _ => self.line.push(Inline::Text(clean(text), style)),
        }
    }

    fn mathematics(&mut self, source: &CowStr<'_>, at: usize, display: bool) {
        if let Some(picture) = self.pictures.last_mut() {
            return picture.alternative.push_str(source);
        }
        let place = self.positions.at(at);
        // One that only defines macros is nothing to see.
        let Some(source) = self.definitions.resolve(source) else { return };
        self.line.push(if display { Inline::Display(source, place) } else { Inline::Math(source, place) });
    }

    fn reference(&mut self, name: &str) {
        let number = self.note_numbers.get(name).copied().unwrap_or_else(|| {
            let number = u32::try_from(self.note_numbers.len() + 1).unwrap_or(u32::MAX);
            self.note_numbers.insert(name.to_owned(), number);
            self.cited.push(number);
            number
        });
        self.line.push(Inline::Note(number));
    }

    fn block(&mut self, kind: BlockKind, place: Place) {
        if self.note.is_some() {
            let message = "a footnote holds words alone; the rest of it is left out";
            return self.warnings.add("plan.cannot_draw", message, place);
        }
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(Block { place, kind });
        }
    }

    /// Something to show, and the footnotes that it refers to.
    fn shown(&mut self, kind: ElementKind, place: Place) {
        self.block(BlockKind::Shown(kind), place);
        self.footnotes(place);
    }

    fn footnotes(&mut self, place: Place) {
        for number in std::mem::take(&mut self.cited) {
            self.block(BlockKind::Note(number), place);
        }
    }

    fn rich(&mut self, line: Vec<Inline>, place: Place) -> RichText {
        inline::rich(line, place, self.warnings)
    }

    /// Ends the line that is being read: an item's, a quotation's, a footnote's or a paragraph.
    fn finish_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let place = self.line_place;
        if line.iter().all(is_blank) {
            return;
        }
        if let Some((note, _)) = self.note.as_ref().and_then(|name| self.notes.get_mut(name)) {
            if !note.is_empty() {
                note.push(Inline::Text(" ".to_owned(), Style::Plain));
            }
            note.extend(line);
        } else if !self.lists.is_empty() {
            let number = self.number.take();
            let level = u32::try_from(self.lists.len() - 1).unwrap_or(u32::MAX).min(DEEPEST_LIST);
            let text = self.rich(line, place);
            self.items.push(Bullet { level, number, text });
        } else if let Some(quote) = self.quotes.last_mut() {
            if let Some(alert) = quote.take() {
                line.insert(0, Inline::Text(format!("{alert}: "), Style::Strong));
            }
            let text = self.rich(line, place);
            self.shown(ElementKind::Callout(text), place);
        } else {
            self.paragraph(line, place);
        }
    }

    /// A paragraph is spoken, but for the formulas and images in it, which are shown where they stand.
    fn paragraph(&mut self, line: Vec<Inline>, place: Place) {
        self.footnotes(place);
        let mut spoken = Vec::new();
        for inline in self.unpaired(line, place) {
            let (kind, place) = match inline {
                Inline::Display(source, place) => (fence::equation(&source, place, self.warnings), place),
                Inline::Image(picture) => (self.image(&picture), picture.place),
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

    /// `$$…$$` that CommonMark does not take for a formula, for its braces don't match: it was meant as one.
    fn unpaired(&mut self, line: Vec<Inline>, place: Place) -> Vec<Inline> {
        let mut out = Vec::new();
        for inline in line {
            let Inline::Text(text, style) = &inline else {
                out.push(inline);
                continue;
            };
            let mut parts = text.split("$$");
            let first = parts.next().unwrap_or_default();
            if first.len() == text.len() {
                out.push(inline);
                continue;
            }
            out.push(Inline::Text(first.to_owned(), *style));
            let rest: Vec<&str> = parts.collect();
            for (index, part) in rest.iter().enumerate() {
                let formula = index % 2 == 0 && index + 1 < rest.len();
                out.push(if formula {
                    Inline::Display((*part).to_owned(), place)
                } else {
                    Inline::Text((*part).to_owned(), *style)
                });
            }
            if rest.len() % 2 == 1 {
                inline::not_understood("`$$` has no partner", place, self.warnings);
            }
        }
        out
    }

    fn spoken(&mut self, words: Vec<Inline>, place: Place) {
        if !words.iter().all(is_blank) {
            self.block(BlockKind::Spoken(words), place);
        }
    }

    fn image(&mut self, picture: &Picture) -> ElementKind {
        let alt = one_line(&picture.alternative, 200);
        let path = asset::path(&picture.source).and_then(|path| {
            if asset::is_picture(&path) { Ok(path) } else { Err("a picture is a PNG, JPEG or SVG file".to_owned()) }
        });
        match path {
            Ok(source) => ElementKind::Image(Image { source, alt, caption: one_line(&picture.title, 200) }),
            Err(why) => {
                let message = format!("the image `{}` can't be shown: {why}", one_line(&picture.source, 100));
                self.warnings.add("plan.image_not_usable", message, picture.place);
                placeholder("Image", if alt.is_empty() { &picture.title } else { &alt })
            }
        }
    }

    fn finish_cell(&mut self) {
        let line = std::mem::take(&mut self.line);
        let cell = self.rich(line, self.line_place);
        let Some((table, _)) = &mut self.table else { return };
        match table.rows.last_mut() {
            Some(row) => row.cells.push(cell),
            None => table.header.push(cell),
        }
    }

    fn finish_table(&mut self) {
        let Some((mut table, place)) = self.table.take() else { return };
        self.break_list();
        if table.is_empty() {
            return self.warnings.add("plan.empty_element", "the table has no content and is left out", place);
        }
        let columns = table.header.len();
        if table.rows.len() > MOST_ROWS || columns > MOST_COLUMNS {
            let message = format!("the table has {} rows and {columns} columns and was cut", table.rows.len());
            self.warnings.add("plan.text_cut", message, place);
            table.rows.truncate(MOST_ROWS);
            table.header.truncate(MOST_COLUMNS);
            table.align.truncate(MOST_COLUMNS);
            table.rows.iter_mut().for_each(|row| row.cells.truncate(MOST_COLUMNS));
        }
        if table.header.iter().all(|cell| cell.spans.is_empty()) {
            table.header.clear();
        }
        self.shown(ElementKind::Table(table), place);
    }

    fn finish_html(&mut self) {
        let Some((text, place)) = self.html.take() else { return };
        // A comment is neither shown nor spoken.
        if text.trim_start().starts_with("<!--") {
            return;
        }
        self.break_list();
        self.warnings.add("plan.cannot_draw", "raw HTML can't be drawn; a box stands in its place", place);
        let bare =
            text.split('<').map(|part| part.split_once('>').map_or(part, |(_, after)| after)).collect::<String>();
        self.shown(placeholder("HTML", &bare), place);
    }

    fn finish_heading(&mut self, level: HeadingLevel) {
        let heading = std::mem::take(&mut self.line);
        let place = self.line_place;
        let inside = !self.lists.is_empty() || !self.quotes.is_empty() || self.note.is_some();
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
            self.warnings.add("plan.text_cut", message, place);
            items.truncate(MOST_ITEMS);
        }
        self.shown(ElementKind::Bullets(Bullets { items }), place);
        self.items_place = self.line_place;
    }

    fn finish_code(&mut self) {
        let Some(fence) = self.code.take() else { return };
        let place = fence.place;
        self.break_list();
        match fence.read(&self.positions, self.warnings) {
            Fenced::Shown(kind) => self.shown(kind, place),
            Fenced::Manim(scene) => self.block(BlockKind::Manim(scene), place),
        }
    }
}

fn alert(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}

fn side(alignment: Alignment) -> &'static str {
    match alignment {
        Alignment::Center => "center",
        Alignment::Right => "right",
        Alignment::Left | Alignment::None => "left",
    }
}

/// A footnote as it is shown: its number, and its words.
pub(crate) fn note(number: u32, line: Vec<Inline>, place: Place, warnings: &mut Warnings) -> RichText {
    let mut text = inline::rich(line, place, warnings);
    text.spans.insert(0, Span::Plain(format!("{} ", inline::superscript(number))));
    text
}
