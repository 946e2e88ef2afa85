//! From a lesson's text to its sections: headings with blocks that are spoken or shown, in document order.
//!
//! CommonMark with tables, footnotes, task lists, alerts, strike-through and `$…$` mathematics. A block that can't be
//! drawn becomes a placeholder and a warning, never a failed film.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::fence::{self, Fence, Fenced};
use crate::document::asset;
use crate::document::position::Positions;
use crate::film::Warnings;
use crate::film::draft::placeholder;
use crate::inline::{self, Inline, Picture, Style, is_blank};
use crate::markup::formulas::{Formulas, PAUSE, closes, fence_marks};
use crate::markup::source::Source;
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
    /// A heading below those of scenes: it begins a screen.
    Subheading(ElementKind),
    /// A footnote, by its number, beside what refers to it.
    Note(u32),
    /// A Manim program, which is a scene of its own.
    Manim(ManimScene),
    /// A thematic break: the screen is emptied.
    Break,
    /// A moment to think, without words.
    Pause,
}

/// What a lesson's text says.
pub(crate) struct Lesson {
    pub(crate) sections: Vec<Section>,
    /// The text of each footnote.
    pub(crate) notes: BTreeMap<u32, (Vec<Inline>, Place)>,
    /// Recordings of paragraphs, by their lines and columns.
    pub(crate) recordings: BTreeMap<(u32, u32), String>,
}

/// Deeper lists are shown at this level.
const DEEPEST_LIST: u32 = 5;
/// What one element may hold; more is cut off with a warning.
const MOST_ITEMS: usize = 400;
/// Spans of all paragraphs of an item.
const MOST_ITEM_SPANS: usize = 1_000;
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 40;
/// Bytes of the words of an image inside of another one.
const MOST_NESTED_WORDS: usize = 1_000;

/// Reads what the passes before Markdown made of a document, from byte `body` on; `positions` are those of the document itself,
/// and `titled` says whether its front matter has a title.
pub(crate) fn read(
    source: &Source,
    body: usize,
    formulas: &Formulas,
    positions: &Positions<'_>,
    titled: bool,
    warnings: &mut Warnings,
) -> Lesson {
    let mut options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    options |= Options::ENABLE_FOOTNOTES | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
    let start = Place { line: 1, column: 1 };
    let mut reader = Reader {
        positions,
        source,
        formulas,
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
        levels: Levels::of(&source.text[body..], titled),
        item: None,
        recording: None,
        recordings: BTreeMap::new(),
    };
    for (event, range) in Parser::new_ext(&source.text[body..], options).into_offset_iter() {
        reader.event(event, body + range.start..body + range.end);
    }
    reader.unrecorded();
    let Reader { mut sections, mut notes, note_numbers, recordings, .. } = reader;
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
    Lesson { sections, notes: numbered, recordings }
}

/// Whether an image is a recording: `![voice](intro.wav)`.
fn is_voice(picture: &Picture) -> bool {
    picture.alternative.trim().eq_ignore_ascii_case("voice") && asset::picture(&picture.source).is_err()
}

struct Reader<'a, 'w> {
    positions: &'a Positions<'a>,
    source: &'a Source,
    formulas: &'a Formulas,
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
    levels: Levels,
    /// Which of the items the one that is being read is, once it has words: what follows belongs to it.
    item: Option<Vec<usize>>,
    /// A recording whose paragraph has not come yet.
    recording: Option<(String, Place)>,
    recordings: BTreeMap<(u32, u32), String>,
}

/// Which headings are titles and which begin scenes: the highest level that is there, and the one below a title that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Levels {
    /// None when there is no title.
    title: Option<usize>,
    scene: usize,
}

impl Levels {
    fn of(text: &str, titled: bool) -> Self {
        let mut counts = [0_usize; 7];
        let mut marks = None;
        let mut before = "";
        for line in text.lines() {
            match marks {
                Some(open) if closes(line, open) => marks = None,
                Some(_) => {}
                None => marks = fence_marks(line),
            }
            let indent = line.len() - line.trim_start().len();
            let level = line.trim_start().bytes().take_while(|byte| *byte == b'#').count();
            let rest = &line.trim_start()[level..];
            if marks.is_none() && indent < 4 {
                let under = |sign: char| !line.trim().is_empty() && line.trim().chars().all(|c| c == sign);
                let words = !before.trim().is_empty() && !before.trim_start().starts_with(['#', '>', '-', '*', '|']);
                match level {
                    1..=6 if rest.is_empty() || rest.starts_with([' ', '\t']) => counts[level] += 1,
                    0 if words && under('=') => counts[1] += 1,
                    0 if words && under('-') => counts[2] += 1,
                    _ => {}
                }
            }
            before = line;
        }
        let next = |above: usize| (above + 1..=6).find(|level| counts[*level] > 0);
        let Some(top) = next(0) else { return Self { title: Some(1), scene: 2 } };
        // Many titles under the title of the front matter are scenes.
        let alone = counts[top] == 1 && next(top).is_some();
        match top {
            1 if titled && counts[1] > 1 && counts[2] == 0 => Self { title: None, scene: 1 },
            1 => Self { title: Some(1), scene: next(1).unwrap_or(2) },
            2 => Self { title: Some(1), scene: 2 },
            top if alone && !titled => Self { title: Some(top), scene: next(top).unwrap_or(top) },
            top => Self { title: None, scene: top },
        }
    }
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, &range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(fence) => {
                    fence.pieces.push((fence.text.len(), self.source.origin(range.start)));
                    fence.text.push_str(&self.formulas.restored(&text));
                }
                None if text.trim() == PAUSE => {
                    let place = self.place(range.start);
                    self.block(BlockKind::Pause, place);
                }
                None => {
                    let text = self.without_loose_marks(&text, range);
                    self.words(&text);
                }
            },
            Event::Code(code) => match self.pictures.last_mut() {
                Some(picture) => picture.alternative.push_str(&self.formulas.restored(&code)),
                None => self.line.push(Inline::Code(clean(&self.formulas.restored(&code)))),
            },
            Event::SoftBreak | Event::HardBreak => self.words(" "),
            Event::InlineHtml(html) if html.starts_with("<br") => self.words(" "),
            Event::TaskListMarker(done) => self.words(if done { "☑ " } else { "☐ " }),
            Event::FootnoteReference(name) => self.reference(&name),
            Event::Rule if self.lists.is_empty() && self.quotes.is_empty() => {
                let place = self.place(range.start);
                self.block(BlockKind::Break, place);
            }
            Event::Html(html) => {
                if let Some((text, _)) = &mut self.html
                    && text.len() < 1_000
                {
                    text.push_str(&html);
                }
            }
            Event::InlineHtml(_) | Event::Rule | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        let place = self.place(range.start);
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
                self.item.get_or_insert_default().push(usize::MAX);
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
                // Of two notes with one name, nothing is lost.
                self.notes.entry(name.to_string()).or_insert((Vec::new(), place));
                self.note = Some(name.to_string());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.finish_line(),
            TagEnd::Item => {
                self.finish_line();
                if let Some(items) = &mut self.item {
                    items.pop();
                }
            }
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

    /// A text without marks of bold words that are missing their other one, as in `(** words **)`: they are neither shown nor heard.
    fn without_loose_marks<'a>(&self, text: &'a str, range: Range<usize>) -> Cow<'a, str> {
        // What is not as it is written has no marks: `&ast;`.
        if !text.contains('*') || text.len() != range.len() {
            return Cow::Borrowed(text);
        }
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('*') {
            let (before, from) = rest.split_at(at);
            let after = from.trim_start_matches('*');
            kept.push_str(before);
            if !self.is_loose_mark(range.end - from.len()) {
                kept.push_str(&from[..from.len() - after.len()]);
            }
            rest = after;
        }
        kept.push_str(rest);
        Cow::Owned(kept)
    }

    /// Whether the stars around a byte are a mark of bold words. Two between operands are an operator.
    fn is_loose_mark(&self, begin: usize) -> bool {
        let all = self.source.text.as_str();
        if all[..begin].ends_with('\\') {
            return false;
        }
        let (front, back) = (all[..begin].trim_end_matches('*'), all[begin..].trim_start_matches('*'));
        let count = all.len() - front.len() - back.len();
        let (left, right) = (front.chars().next_back(), back.chars().next());
        let blank = |c: char| c.is_whitespace() && c != '\n';
        let (before, after) = (front.trim_end_matches(blank), back.trim_start_matches(blank));
        let edge = before.is_empty() || before.ends_with('\n') || after.is_empty() || after.starts_with('\n');
        let space = |c: Option<char>| c.is_some_and(char::is_whitespace);
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let operator = !edge && ((space(left) && space(right)) || (word(left) && word(right)));
        count > 2 || (count == 2 && !operator)
    }

    /// The place of a byte of the text that is read.
    fn place(&self, at: usize) -> Place {
        self.positions.at(self.source.origin(at))
    }

    /// Words, and the formulas among them.
    fn words(&mut self, text: &str) {
        if let Some(picture) = self.pictures.last_mut() {
            return picture.alternative.push_str(&self.formulas.restored(text));
        }
        let style = inline::style(self.strong, self.emphasis);
        inline::with_formulas(text, style, self.formulas, |at| self.positions.at(at), &mut self.line);
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
        let mut line = inline::with_cues(std::mem::take(&mut self.line));
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
            let own = self.item.as_mut().and_then(|items| items.last_mut());
            match own {
                // The items before were shown already, with what stands between: it is no item of its own.
                Some(own) if *own != usize::MAX && self.items.is_empty() => {
                    self.shown(ElementKind::Text(text), place);
                }
                // Another paragraph of an item is the item's.
                Some(own) if *own != usize::MAX => match self.items.get_mut(*own) {
                    Some(item) if item.text.spans.len() + text.spans.len() < MOST_ITEM_SPANS => {
                        item.text.spans.push(Span::Plain(" ".to_owned()));
                        item.text.spans.extend(text.spans);
                    }
                    Some(_) => {
                        let message = "the item is longer than can be shown; this paragraph of it is left out";
                        self.warnings.add("plan.text_cut", message, place);
                    }
                    // Of items that were shown, one of another list.
                    None => self.items.push(Bullet { level, number, text }),
                },
                own => {
                    if let Some(own) = own {
                        *own = self.items.len();
                    }
                    self.items.push(Bullet { level, number, text });
                }
            }
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
        for inline in line {
            let (kind, place) = match inline {
                Inline::Display(source, place) => (fence::equation(&source, place, self.warnings), place),
                Inline::Image(picture) if is_voice(&picture) => {
                    self.record(&picture);
                    continue;
                }
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

    fn spoken(&mut self, words: Vec<Inline>, place: Place) {
        if !words.iter().all(is_blank) {
            if let Some((source, _)) = self.recording.take() {
                self.recordings.insert((place.line, place.column), source);
            }
            self.block(BlockKind::Spoken(words), place);
        }
    }

    /// A recording is of the paragraph that comes next.
    fn record(&mut self, picture: &Picture) {
        self.unrecorded();
        match asset::sound(&picture.source) {
            Ok(source) => self.recording = Some((source, picture.place)),
            Err(why) => {
                let message = format!("the recording `{}` is left out: {why}", one_line(&picture.source, 100));
                self.warnings.add("plan.left_out", message, picture.place);
            }
        }
    }

    /// Tells of a recording after which no paragraph came.
    fn unrecorded(&mut self) {
        if let Some((source, place)) = self.recording.take() {
            let message = format!("the recording `{source}` is left out: no paragraph comes after it");
            self.warnings.add("plan.left_out", message, place);
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
        let line = inline::with_cues(std::mem::take(&mut self.line));
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
        let heading = inline::with_cues(std::mem::take(&mut self.line));
        let place = self.line_place;
        let inside = !self.lists.is_empty() || !self.quotes.is_empty() || self.note.is_some();
        let level = match level as usize {
            level if self.levels.title == Some(level) => 1,
            level if self.levels.scene >= level => 2,
            _ => 3,
        };
        if !inside && level < 3 {
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
        let text = ElementKind::Text(self.rich(heading.into_iter().map(strong).collect(), place));
        if inside {
            return self.shown(text, place);
        }
        self.block(BlockKind::Subheading(text), place);
        self.footnotes(place);
    }

    /// Something else stands inside of a list: the items before it are shown first, the list goes on after it.
    fn break_list(&mut self) {
        if !self.lists.is_empty() {
            self.finish_list();
        }
    }

    fn finish_list(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        // What follows in an item that was shown is one more item.
        self.item.iter_mut().flatten().filter(|item| **item != usize::MAX).for_each(|item| *item = usize::MAX - 1);
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
        match fence.read(self.formulas, self.positions, self.warnings) {
            Fenced::Nothing => {}
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
