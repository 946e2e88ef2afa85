//! Markdown lessons.
//!
//! In: a lesson's text. Out: its film, still as drafts of scenes. It never decides what fits on a screen: `screen`
//! does.
//!
//! The one rule: paragraphs are spoken, everything else is shown, document order is time order.

pub(crate) mod fence;
mod markdown;

use std::collections::BTreeMap;

use self::markdown::{Block, BlockKind, Section};
use crate::document::position::Positions;
use crate::document::settings::Settings;
use crate::document::{front_matter, language};
use crate::drawing::style;
use crate::film::FilmBuilder;
use crate::film::Warnings;
use crate::film::draft::{Draft, Shown, Step, StepKind, THINKING_MS};
use crate::film::screen;
use crate::inline::{self, Inline};
use crate::markup;
use crate::markup::formulas::Formulas;
use crate::markup::source::{Remark, Source};
use crate::python;
use crate::storyboard::{ElementKind, Place, Refusal, RichText, SceneKind, Span, Storyboard, Style};

/// Bytes of words by which a language is noticed.
const MOST_WORDS: usize = 30_000;
/// A footnote's size against that of other text.
const NOTE_SCALE: f64 = 0.75;
/// Bytes of words before anything is shown that leave the heading alone: about four seconds, whatever the script.
const HEADING_ALONE: usize = 70;
/// Bytes of words that are said while a heading comes: about a second.
const LEAD: usize = 15;
/// Bytes of words over which a screen of prose stays as it is: about 20 seconds.
const UNCHANGED: usize = 300;
/// Bytes of words for which a title card stands: about 20 seconds.
const CARD: usize = 300;

/// Makes a storyboard of a lesson.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
pub(crate) fn plan(name: &str, text: &str) -> Result<Storyboard, Refusal> {
    of_source(name, &Source::of(text), &Positions::of(text), Vec::new())
}

/// Makes a storyboard of a lesson that was written in something else; `remarks` are what was left out on the way, and `positions` those of
/// the document.
///
/// # Errors
/// As those of [`plan`].
pub(crate) fn of_source(
    name: &str,
    written: &Source,
    positions: &Positions<'_>,
    mut remarks: Vec<Remark>,
) -> Result<Storyboard, Refusal> {
    let mut settings = front_matter::read(name, &written.text);
    let mut warnings = Warnings::default();
    let mut formulas = Formulas::default();
    let (mut source, more) = markup::markdown(written, settings.body, &mut formulas);
    remarks.extend(more);
    let remarks = markup::told_once(remarks);
    for (code, message, at) in remarks {
        warnings.add(code, message, positions.at(at));
    }
    if let Some((shallow, line)) = inline::nesting::shallow(&source.text, settings.body) {
        let message = "quotations and lists are nested more than 100 deep in one line; the rest is taken as one";
        warnings.add("plan.nested_too_deep", message, positions.at(source.origin(line)));
        source.text = shallow;
    }
    for at in &formulas.unpaired {
        inline::not_understood("`$$` has no partner", positions.at(*at), &mut warnings);
    }
    let lesson = markdown::read(&source, settings.body, &formulas, positions, settings.title.is_some(), &mut warnings);
    let mut lesson = lesson;
    announce(&settings, &mut lesson.sections, &mut warnings);
    notice_language(&mut settings, &lesson.sections, &mut warnings);
    let title = title(&settings, name, &lesson.sections).unwrap_or_else(|| python::title(name));
    without_decoration(&mut lesson.sections, &mut warnings);
    let last = lesson.sections.len().saturating_sub(1);
    let mut writer =
        Writer { wrote: false, film: FilmBuilder::new(title.clone(), settings, warnings), title, notes: lesson.notes };
    writer.film.are_recorded(lesson.recordings);
    for (index, section) in lesson.sections.into_iter().enumerate() {
        writer.section(section, index > 0 && index == last)?;
    }
    writer.film.storyboard()
}

/// Names of files that say nothing of what is in them.
const NAMES: &[&str] =
    &["readme", "index", "lesson", "lecture", "input", "document", "main", "notes", "untitled", "stdin"];

/// The film's title: of the front matter, else the heading that stands above all others; none when there is neither. The first of several
/// scenes is none, and neither is one below words, unless the file's name says nothing either.
fn title(settings: &Settings, name: &str, sections: &[Section]) -> Option<String> {
    let scenes = sections.iter().filter(|section| section.level == 2).count();
    let file = name.rsplit('/').next().unwrap_or(name).split('.').next().unwrap_or_default().to_lowercase();
    let named = file.len() > 2 && !NAMES.contains(&file.as_str());
    // What much stands before is a part of the whole.
    let spoken = |block: &Block| matches!(block.kind, BlockKind::Spoken(_));
    let late = sections.first().is_some_and(|first| first.level == 0 && first.blocks.iter().any(spoken));
    let heading =
        |level| sections.iter().find(|section| section.level == level).map(|one| inline::read(&one.heading, settings));
    let headings = [settings.title.clone(), heading(1), heading(2).filter(|_| (scenes < 2 && !late) || !named)];
    headings.into_iter().flatten().find(|title| !title.is_empty())
}

/// A lesson of nothing but front matter, as of a film that lies elsewhere, is announced with what it says of itself.
fn announce(settings: &Settings, sections: &mut Vec<Section>, warnings: &mut Warnings) {
    let (Some(title), Some(description), true) = (&settings.title, &settings.description, sections.is_empty()) else {
        return;
    };
    let place = Place { line: 1, column: 1 };
    let words = |words: &str| vec![Inline::Text(words.to_owned(), inline::Style::Plain)];
    let blocks = vec![Block { place, kind: BlockKind::Spoken(words(description)) }];
    sections.push(Section { level: 1, heading: words(title), place, blocks });
    let message = "the lesson has nothing but its front matter: its title and description are the film";
    warnings.add("plan.empty_scene", message, place);
}

/// Pictures without words before the title, such as logos and badges, are the page's and not the lesson's.
fn without_decoration(sections: &mut Vec<Section>, warnings: &mut Warnings) {
    let decoration = |block: &Block| match &block.kind {
        BlockKind::Shown(ElementKind::Image(image)) => image.alt.is_empty() && image.caption.is_empty(),
        _ => false,
    };
    let alone = sections.len() > 1
        && sections.first().is_some_and(|first| first.level == 0 && first.blocks.iter().all(decoration));
    if alone {
        let first = sections.remove(0);
        if let Some(block) = first.blocks.first() {
            let message = "pictures without words before the title are left out";
            warnings.add("plan.left_out", message, block.place);
        }
    }
}

/// The language of the words, when nobody names it; where somebody does and they are in another one, a voice reads them wrongly.
fn notice_language(settings: &mut Settings, sections: &[Section], warnings: &mut Warnings) {
    let mut words = String::new();
    for section in sections {
        inline::words(&section.heading, &mut words);
        for block in &section.blocks {
            match &block.kind {
                BlockKind::Spoken(line) => inline::words(line, &mut words),
                BlockKind::Shown(kind) | BlockKind::Subheading(kind) => shown_words(kind, &mut words),
                BlockKind::Note(_) | BlockKind::Manim(_) | BlockKind::Break | BlockKind::Pause => {}
            }
            if words.len() > MOST_WORDS {
                break;
            }
        }
    }
    let Some(detected) = language::detected(&words) else { return };
    if !settings.language_is_named {
        settings.language = detected.to_owned();
    } else if language::differs(&settings.language, detected) {
        let message = format!(
            "the lesson is said to be in `{}`, and its words are in `{detected}`: a voice for the one reads the other wrongly",
            settings.language
        );
        warnings.add("plan.language_differs", message, Place { line: 1, column: 1 });
    }
}

/// Words of what is shown.
fn shown_words(kind: &ElementKind, words: &mut String) {
    let mut text = |text: &RichText| {
        for span in &text.spans {
            if let Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) = span {
                words.push_str(text);
                words.push(' ');
            }
        }
    };
    match kind {
        ElementKind::Text(one) | ElementKind::Callout(one) => text(one),
        ElementKind::Bullets(list) => list.items.iter().for_each(|item| text(&item.text)),
        ElementKind::Table(table) => {
            table.header.iter().chain(table.rows.iter().flat_map(|row| &row.cells)).for_each(text);
        }
        _ => {}
    }
}

struct Writer {
    film: FilmBuilder,
    /// Whether there is a scene already.
    wrote: bool,
    title: String,
    notes: BTreeMap<u32, (Vec<Inline>, Place)>,
}

impl Writer {
    fn section(&mut self, section: Section, last: bool) -> Result<(), Refusal> {
        let Section { level, heading, place, mut blocks } = section;
        let first = !std::mem::replace(&mut self.wrote, true);
        let last = last && !first;
        inline::tell_unreadable(&heading, place, &mut self.film.warnings);
        let name = Some(inline::read(&heading, self.film.settings()))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.title.clone());
        let is_break = |block: &Block| matches!(block.kind, BlockKind::Break);
        if level == 2 {
            if blocks.iter().all(is_break) && last {
                // The last words of all: a heading alone.
                let steps = Vec::new();
                return self.film.scene(Draft {
                    kind: SceneKind::Outro,
                    heading: name,
                    name: None,
                    place,
                    steps,
                    plays_ms: 0,
                });
            }
            if blocks.iter().all(is_break) {
                let message = format!("the scene `{name}` has nothing to say or show and was left out");
                self.film.warnings.add("plan.empty_scene", message, place);
                return Ok(());
            }
            return self.scenes(&name, place, blocks);
        }
        // The card holds the title and what is said before anything is shown, unless that takes long; the rest is a scene of its own.
        let said = blocks.iter().position(|block| !matches!(block.kind, BlockKind::Spoken(_))).unwrap_or(blocks.len());
        // A part with nothing but words after all scenes is the end of the film.
        let end = last && level == 1 && blocks[said..].iter().all(is_break);
        let shown = blocks.split_off(if end { said } else { Self::on_card(&blocks[..said]) });
        if level == 1 || !blocks.is_empty() {
            let kind = if end { SceneKind::Outro } else { SceneKind::TitleCard };
            let steps = blocks.into_iter().flat_map(|block| self.steps(block)).collect();
            self.film.scene(Draft { kind, heading: name.clone(), name: None, place, steps, plays_ms: 0 })?;
        }
        match shown.iter().find(|block| !is_break(block)).map(|block| block.place) {
            Some(place) => self.scenes(&name, place, shown),
            None => Ok(()),
        }
    }

    /// The scenes of a section: one, and one for each Manim program in it, which is narrated by the paragraphs after
    /// it.
    fn scenes(&mut self, heading: &str, mut place: Place, blocks: Vec<Block>) -> Result<(), Refusal> {
        let bare = Self::bare(&blocks);
        let blocks = Self::led_to(blocks, &bare);
        let under = Self::under_subheadings(&blocks);
        let mut kind = SceneKind::Lesson;
        let mut steps: Vec<Step> = Vec::new();
        // Bytes of words since something new was shown; at first that is long ago.
        let mut since = usize::MAX;
        // Whether the screen has a heading of its own that nothing stands under yet.
        let mut headed = false;
        for (index, block) in blocks.into_iter().enumerate() {
            // What stood beside words alone goes when something else is shown.
            if index > 0 && bare[index - 1] && !bare[index] && steps.iter().any(Step::is_show) {
                steps.push(Step { place: block.place, kind: StepKind::Clear });
            }
            let at = block.place;
            let ends = match (&kind, &block.kind) {
                (_, BlockKind::Manim(_)) => true,
                (SceneKind::Manim(_), BlockKind::Spoken(_)) => false,
                (SceneKind::Manim(_), _) => true,
                _ => false,
            };
            if ends {
                let before = std::mem::replace(&mut kind, SceneKind::Lesson);
                self.scene(before, heading, place, std::mem::take(&mut steps))?;
                place = at;
            }
            if let BlockKind::Manim(scene) = block.kind {
                kind = SceneKind::Manim(scene);
                continue;
            }
            if matches!(block.kind, BlockKind::Break) {
                since = usize::MAX;
            }
            headed |= matches!(block.kind, BlockKind::Subheading(_));
            if let (true, BlockKind::Spoken(line)) = (bare[index] || under[index], &block.kind) {
                // No screen is empty: what the author set apart is shown, and at least a sentence at first and when nothing new came
                // for long.
                let mut words = inline::key_words(line);
                if words.spans.is_empty() && (headed || since > UNCHANGED) {
                    words = inline::first_sentence(line);
                    if !headed && steps.iter().any(Step::is_show) {
                        steps.push(Step { place: at, kind: StepKind::Clear });
                    }
                }
                if !words.spans.is_empty() {
                    (since, headed) = (0, false);
                    steps.push(Step::show(ElementKind::Text(words), at));
                }
            }
            since = since.saturating_add(Self::bytes(&block));
            steps.extend(self.steps(block));
        }
        self.scene(kind, heading, place, steps)
    }

    /// How many of these words a title card stands for: all of them, or the first paragraphs when they take long.
    fn on_card(words: &[Block]) -> usize {
        let mut bytes = 0;
        let first = words.iter().take_while(|block| {
            bytes += Self::bytes(block);
            bytes <= CARD
        });
        let first = first.count();
        // For the last sentence another screen is not worth it.
        if words.iter().map(Self::bytes).sum::<usize>() <= CARD + CARD / 2 { words.len() } else { first }
    }

    /// Bytes of the words of a block.
    fn bytes(block: &Block) -> usize {
        match &block.kind {
            BlockKind::Spoken(line) => inline::bytes(line),
            _ => 0,
        }
    }

    /// Which blocks have a screen that would show the heading alone: of each part between two breaks all of one with nothing but words,
    /// and the words before the first thing that is shown when they take a while.
    fn bare(blocks: &[Block]) -> Vec<bool> {
        let mut bare = Vec::with_capacity(blocks.len());
        for part in blocks.split_inclusive(|block| matches!(block.kind, BlockKind::Break)) {
            let is_words = |block: &&Block| matches!(block.kind, BlockKind::Spoken(_) | BlockKind::Break);
            let words = part.iter().take_while(is_words).count();
            let long = part[..words].iter().map(Self::bytes).sum::<usize>() > HEADING_ALONE;
            let first = if bare.is_empty() { words == part.len() || long } else { long };
            bare.extend((0..part.len()).map(|at| first && at < words));
        }
        bare
    }

    /// A few words at the beginning of a screen come with what they lead to, so that no heading stands alone; but no answer comes before
    /// its question was heard.
    fn led_to(mut blocks: Vec<Block>, bare: &[bool]) -> Vec<Block> {
        for at in 1..blocks.len() {
            let begins = at == 1 || matches!(blocks[at - 2].kind, BlockKind::Break);
            if let (true, BlockKind::Spoken(line), BlockKind::Shown(kind)) =
                (begins && !bare[at - 1], &blocks[at - 1].kind, &blocks[at].kind)
                && inline::bytes(line) > LEAD
                && screen::is_whole(kind)
                && !inline::asks(line)
            {
                blocks.swap(at - 1, at);
            }
        }
        blocks
    }

    /// Which blocks are words for which a heading inside of the scene would stand alone for a while.
    fn under_subheadings(blocks: &[Block]) -> Vec<bool> {
        let mut under = vec![false; blocks.len()];
        for (at, _) in blocks.iter().enumerate().filter(|(_, block)| matches!(block.kind, BlockKind::Subheading(_))) {
            let is_words = |block: &&Block| matches!(block.kind, BlockKind::Spoken(_) | BlockKind::Break);
            let words = blocks[at + 1..].iter().take_while(is_words);
            let (count, bytes) = words.fold((0, 0), |(count, bytes), block| (count + 1, bytes + Self::bytes(block)));
            under[at + 1..=at + count].fill(bytes > HEADING_ALONE);
        }
        under
    }

    fn scene(&mut self, kind: SceneKind, heading: &str, place: Place, steps: Vec<Step>) -> Result<(), Refusal> {
        let empty = steps.iter().all(|step| matches!(step.kind, StepKind::Clear));
        if empty && !matches!(kind, SceneKind::Manim(_)) {
            return Ok(());
        }
        let plays_ms = match &kind {
            SceneKind::Manim(scene) => python::estimate_ms(&scene.source, &scene.class),
            _ => 0,
        };
        self.film.scene(Draft { kind, heading: heading.to_owned(), name: None, place, steps, plays_ms })
    }

    fn steps(&mut self, block: Block) -> Vec<Step> {
        let Block { place, kind } = block;
        let kind = match kind {
            BlockKind::Spoken(line) => {
                inline::tell_unreadable(&line, place, &mut self.film.warnings);
                for inline in &line {
                    if let Inline::Code(code) = inline {
                        self.film.quotes(code, place);
                    }
                }
                let words = inline::heard(&line, self.film.settings());
                if words.is_empty() {
                    return Vec::new();
                }
                StepKind::SpeakAfter(words)
            }
            BlockKind::Shown(kind) => StepKind::Show(Shown::of(kind)),
            // A screen begins with it, and what was shown before is read first.
            BlockKind::Subheading(kind) => {
                let step = |kind| Step { place, kind };
                return vec![step(StepKind::Hold(0)), step(StepKind::Clear), step(StepKind::Show(Shown::of(kind)))];
            }
            BlockKind::Break => StepKind::Clear,
            BlockKind::Pause => StepKind::Hold(THINKING_MS),
            BlockKind::Note(number) => match self.notes.remove(&number) {
                Some((line, place)) => {
                    let text = markdown::note(number, line, place, &mut self.film.warnings);
                    let style = Some(Style { scale: Some(NOTE_SCALE), ..style::unstyled() });
                    StepKind::Show(Shown { style, ..Shown::of(ElementKind::Text(text)) })
                }
                None => return Vec::new(),
            },
            // Its scene is made where it stands.
            BlockKind::Manim(_) => return Vec::new(),
        };
        vec![Step { place, kind }]
    }
}
