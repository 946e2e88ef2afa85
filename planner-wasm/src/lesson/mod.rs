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
use crate::document::front_matter;
use crate::document::position::Positions;
use crate::document::refusal;
use crate::document::settings::Settings;
use crate::drawing::style;
use crate::film::FilmBuilder;
use crate::film::Warnings;
use crate::film::draft::{Draft, Shown, Step, StepKind};
use crate::inline::{self, Inline};
use crate::python;
use crate::storyboard::{ElementKind, Place, Refusal, SceneKind, Storyboard, Style};

/// A footnote's size against that of other text.
const NOTE_SCALE: f64 = 0.75;
/// Bytes of words before anything is shown that leave the heading alone: about four seconds, whatever the script.
const HEADING_ALONE: usize = 70;

/// Makes a storyboard of a lesson.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
pub(crate) fn plan(name: &str, text: &str) -> Result<Storyboard, Refusal> {
    let settings = front_matter::read(name, text)?;
    let mut warnings = Warnings::default();
    let shallow = inline::nesting::shallow(text, settings.body);
    if let Some((_, line)) = &shallow {
        let message = "quotations and lists are nested more than 100 deep in one line; the rest is taken as one";
        warnings.add("plan.nested_too_deep", message, Positions::of(text).at(*line));
    }
    let text = shallow.as_ref().map_or(text, |(text, _)| text);
    let lesson = markdown::read(text, settings.body, &mut warnings);
    let title = title(&settings, &lesson.sections)?;
    let last = lesson.sections.len().saturating_sub(1);
    let mut writer = Writer { film: FilmBuilder::new(title.clone(), settings, warnings), title, notes: lesson.notes };
    for (index, section) in lesson.sections.into_iter().enumerate() {
        writer.section(section, index > 0 && index == last)?;
    }
    writer.film.storyboard()
}

/// The film's title: of the front matter, else the first heading of the highest level.
fn title(settings: &Settings, sections: &[Section]) -> Result<String, Refusal> {
    let heading =
        |level| sections.iter().find(|section| section.level == level).map(|one| inline::read(&one.heading, settings));
    let headings = [settings.title.clone(), heading(1), heading(2)];
    headings.into_iter().flatten().find(|title| !title.is_empty()).ok_or_else(|| {
        let message = "the lesson has no heading";
        let remedy = "Begin it with `# Title`, and each scene with `## Heading`.";
        refusal("input.no_heading", message, remedy, Some(Place { line: 1, column: 1 }))
    })
}

struct Writer {
    film: FilmBuilder,
    title: String,
    notes: BTreeMap<u32, (Vec<Inline>, Place)>,
}

impl Writer {
    fn section(&mut self, section: Section, last: bool) -> Result<(), Refusal> {
        let Section { level, heading, place, mut blocks } = section;
        let name = Some(inline::read(&heading, self.film.settings()))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.title.clone());
        let is_break = |block: &Block| matches!(block.kind, BlockKind::Break);
        if level == 2 {
            if blocks.iter().all(is_break) {
                let message = format!("the scene `{name}` has nothing to say or show and was left out");
                self.film.warnings.add("plan.empty_scene", message, place);
                return Ok(());
            }
            return self.scenes(&name, place, blocks);
        }
        // The card holds the title and what is said before anything is shown; the rest is a scene of its own.
        let said = blocks.iter().position(|block| !matches!(block.kind, BlockKind::Spoken(_))).unwrap_or(blocks.len());
        let shown = blocks.split_off(said);
        if level == 1 || !blocks.is_empty() {
            // A part with nothing but words after all scenes is the end of the film.
            let end = last && level == 1 && shown.iter().all(is_break);
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
        let mut kind = SceneKind::Lesson;
        let mut steps: Vec<Step> = Vec::new();
        let mut first = true;
        for (index, block) in blocks.into_iter().enumerate() {
            if index == bare && steps.iter().any(Step::is_show) {
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
            if let (true, BlockKind::Spoken(line)) = (index < bare, &block.kind) {
                // No screen is empty: what the author set apart is shown, and at least a sentence at first.
                let mut words = inline::key_words(line);
                if words.spans.is_empty() && first {
                    words = inline::first_sentence(line);
                }
                first = false;
                if !words.spans.is_empty() {
                    steps.push(Step::show(ElementKind::Text(words), at));
                }
            }
            steps.extend(self.steps(block));
        }
        self.scene(kind, heading, place, steps)
    }

    /// How many blocks at the beginning of a section have a screen that would show the heading alone: all of one with nothing but
    /// words, and the words before the first thing that is shown when they take a while.
    fn bare(blocks: &[Block]) -> usize {
        let is_words = |block: &Block| matches!(block.kind, BlockKind::Spoken(_) | BlockKind::Break);
        let Some(words) = blocks.iter().position(|block| !is_words(block)) else { return blocks.len() };
        let bytes = blocks[..words].iter().map(|block| match &block.kind {
            BlockKind::Spoken(line) => inline::bytes(line),
            _ => 0,
        });
        if bytes.sum::<usize>() > HEADING_ALONE { words } else { 0 }
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
            BlockKind::Spoken(line) => StepKind::Speak(inline::heard(&line, self.film.settings())),
            BlockKind::Shown(kind) => StepKind::Show(Shown::of(kind)),
            BlockKind::Break => StepKind::Clear,
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
