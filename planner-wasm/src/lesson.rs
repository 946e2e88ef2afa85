//! From a lesson's sections to the storyboard: scenes and beats.
//!
//! The one rule: paragraphs are spoken, everything else is shown, document order is time order. A beat is what is shown
//! since the last paragraph, and the next paragraph.

use std::collections::BTreeSet;

use crate::document::{self, refusal};
use crate::estimate::speaking_ms;
use crate::front_matter::{self, Settings};
use crate::markdown::{self, Block, BlockKind, Section};
use crate::storyboard::{
    Action, Beat, Document, Element, ElementKind, Place, Refusal, Scene, SceneKind, Span, Storyboard, Warning,
};

/// Silence after a paragraph, in milliseconds: a breath, as between two sentences of someone who explains.
const BREATH_MS: u32 = 350;
/// How long a title card without words stands.
const TITLE_MS: u32 = 2_500;
/// How long something without words stands: this and so much for each character, and no longer than a patient viewer waits.
const READING_MS: (u32, u32, u32) = (2_500, 60, 8_000);
/// Voices and captions take no more characters at once; a longer paragraph becomes several beats.
const LONGEST_NARRATION: usize = 1_500;

/// What one film may have; the host checks the same.
const MOST_SCENES: usize = 500;
const MOST_BEATS: usize = 5_000;
const MOST_ELEMENTS: usize = 5_000;
/// The same of one scene and of one beat.
const MOST_BEATS_OF_SCENE: usize = 500;
const MOST_ACTIONS_OF_BEAT: usize = 200;

/// Makes a storyboard of `document`.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
pub fn plan(document: &Document) -> Result<Storyboard, Refusal> {
    let text = document::lesson(document)?;
    let settings = front_matter::read(text)?;
    let (sections, warnings) = markdown::sections(text, settings.body);
    let title = title(&settings, &sections)?;
    let mut film = Film { title, settings, scenes: Vec::new(), ids: BTreeSet::new(), warnings, elements: 0, beats: 0 };
    for section in sections {
        film.section(section)?;
    }
    film.storyboard()
}

/// The film's title: of the front matter, else the first heading of the highest level.
fn title(settings: &Settings, sections: &[Section]) -> Result<String, Refusal> {
    let heading =
        |level| sections.iter().find(|section| section.level == level).map(|one| markdown::read(&one.heading));
    let headings = [settings.title.clone(), heading(1), heading(2)];
    headings.into_iter().flatten().find(|title| !title.is_empty()).ok_or_else(|| {
        let message = "the lesson has no heading";
        let remedy = "Begin it with `# Title`, and each scene with `## Heading`.";
        refusal("input.no_heading", message, remedy, Some(Place { line: 1, column: 1 }))
    })
}

struct Film {
    title: String,
    settings: Settings,
    scenes: Vec<Scene>,
    ids: BTreeSet<String>,
    warnings: Vec<Warning>,
    elements: usize,
    beats: usize,
}

impl Film {
    fn section(&mut self, section: Section) -> Result<(), Refusal> {
        let Section { level, heading, place, mut blocks } = section;
        let name = Some(markdown::read(&heading)).filter(|name| !name.is_empty()).unwrap_or_else(|| self.title.clone());
        if level == 2 {
            if blocks.iter().all(|block| matches!(block.kind, BlockKind::Break)) {
                let message = format!("the scene `{name}` has nothing to say or show and was left out");
                self.warnings.push(Warning { code: "plan.empty_scene".to_owned(), message, place: Some(place) });
                return Ok(());
            }
            return self.scene(SceneKind::Lesson, name, place, blocks);
        }
        // The card holds the title and what is said before anything is shown; the rest is a scene of its own.
        let said = blocks.iter().position(|block| !matches!(block.kind, BlockKind::Spoken(_))).unwrap_or(blocks.len());
        let shown = blocks.split_off(said);
        if level == 1 || !blocks.is_empty() {
            self.scene(SceneKind::TitleCard, name.clone(), place, blocks)?;
        }
        match shown.iter().find(|block| !matches!(block.kind, BlockKind::Break)).map(|block| block.place) {
            Some(place) => self.scene(SceneKind::Lesson, name, place, shown),
            None => Ok(()),
        }
    }

    fn scene(&mut self, kind: SceneKind, heading: String, place: Place, blocks: Vec<Block>) -> Result<(), Refusal> {
        let title = kind == SceneKind::TitleCard;
        let too_large = |what: &str| {
            let message = format!("the lesson makes more than {what}");
            refusal("plan.too_large", &message, "Split the lesson into several films.", Some(place))
        };
        if self.scenes.len() == MOST_SCENES {
            return Err(too_large("500 scenes"));
        }
        let id = self.id(&heading);
        let pace = self.settings.voice.words_per_minute;
        let mut scene =
            Building { id: &id, pace, beats: Vec::new(), actions: Vec::new(), place, elements: 0, clear: false };
        let words_only = !blocks.iter().any(|block| matches!(block.kind, BlockKind::Shown(_)));
        for block in blocks {
            match block.kind {
                BlockKind::Spoken(line) => {
                    if words_only && !title && scene.elements == 0 {
                        // No scene is an empty screen.
                        let sentence = markdown::first_sentence(&line);
                        if !sentence.spans.is_empty() {
                            scene.show(ElementKind::Text(sentence), block.place);
                        }
                    }
                    scene.speak(&markdown::heard(&line), block.place);
                }
                BlockKind::Shown(kind) => scene.show(kind, block.place),
                BlockKind::Break => scene.clear = scene.elements > 0,
            }
        }
        if title && scene.beats.is_empty() {
            scene.beat("", TITLE_MS, place);
        }
        scene.rest();
        let (elements, beats) = (scene.elements, scene.beats);
        self.elements += elements;
        self.beats += beats.len();
        if beats.len() > MOST_BEATS_OF_SCENE {
            return Err(too_large("500 beats in one scene"));
        }
        if beats.iter().any(|beat| beat.actions.len() > MOST_ACTIONS_OF_BEAT) {
            return Err(too_large("200 things to show at once"));
        }
        if self.elements > MOST_ELEMENTS {
            return Err(too_large("5000 things to show"));
        }
        if self.beats > MOST_BEATS {
            return Err(too_large("5000 beats"));
        }
        if !beats.is_empty() {
            self.scenes.push(Scene { id, kind, heading, beats, place: Some(place) });
        }
        Ok(())
    }

    /// An id made of the heading's letters, unique in the film.
    fn id(&mut self, heading: &str) -> String {
        let mut slug = String::new();
        for c in heading.chars().map(|c| c.to_ascii_lowercase()) {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() == 40 {
                break;
            }
        }
        let slug = slug.trim_end_matches('-');
        let slug = if slug.is_empty() { "scene" } else { slug };
        let mut id = slug.to_owned();
        let mut count = 1;
        while !self.ids.insert(id.clone()) {
            count += 1;
            id = format!("{slug}-{count}");
        }
        id
    }

    fn storyboard(self) -> Result<Storyboard, Refusal> {
        let Self { title, mut settings, scenes, warnings, .. } = self;
        let speaks =
            |scene: &Scene| scene.beats.iter().any(|beat| !beat.narration.is_empty() || !beat.actions.is_empty());
        if !scenes.iter().any(speaks) {
            let message = "the lesson has headings, but nothing to say or show";
            let remedy = "Write paragraphs, which are spoken, and lists, formulas, code or plots, which are shown.";
            let place = scenes.first().and_then(|scene| scene.place);
            return Err(refusal("input.nothing_to_show", message, remedy, place));
        }
        settings.warnings.extend(warnings);
        Ok(Storyboard {
            title,
            language: settings.language,
            theme: settings.theme,
            quality: settings.quality,
            on_failure: settings.on_failure,
            music: None,
            intro: None,
            outro: None,
            voice: settings.voice,
            scenes,
            warnings: settings.warnings,
        })
    }
}

/// A scene in the making.
struct Building<'a> {
    id: &'a str,
    pace: Option<u32>,
    beats: Vec<Beat>,
    /// What is shown with the next words.
    actions: Vec<Action>,
    place: Place,
    elements: usize,
    /// The screen is to be emptied before the next thing is shown or said.
    clear: bool,
}

impl Building<'_> {
    fn empty_screen(&mut self) {
        if std::mem::take(&mut self.clear) {
            self.actions.push(Action::Clear);
        }
    }

    fn show(&mut self, kind: ElementKind, place: Place) {
        self.empty_screen();
        if self.actions.is_empty() {
            self.place = place;
        }
        self.elements += 1;
        let name = match &kind {
            ElementKind::Text(_) => "text",
            ElementKind::Bullets(_) => "list",
            ElementKind::Equation(_) => "equation",
            ElementKind::Code(_) => "code",
            ElementKind::Axes(_) => "plot",
            ElementKind::Placeholder(_) => "box",
            ElementKind::Callout(_) => "callout",
            ElementKind::Table(_) => "table",
            ElementKind::Image(_) => "image",
            ElementKind::NumberLine(_) => "line",
            ElementKind::Drawing(_) => "drawing",
            ElementKind::Graph(_) => "graph",
            ElementKind::Chart(_) => "chart",
            ElementKind::Space(_) => "space",
        };
        let id = format!("{name}-{}", self.elements);
        self.actions.push(Action::Show(Element {
            id,
            kind,
            placement: None,
            style: None,
            timing: None,
            place: Some(place),
        }));
    }

    fn speak(&mut self, narration: &str, place: Place) {
        let parts = parts(narration);
        self.empty_screen();
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.into_iter().enumerate() {
            self.beat(part, if index == last { BREATH_MS } else { 0 }, place);
        }
    }

    /// What is left without words stands long enough to be read.
    fn rest(&mut self) {
        let (least, each, most) = READING_MS;
        let characters: u32 = self.actions.iter().map(characters).fold(0, u32::saturating_add);
        if characters > 0 {
            let pause = least.saturating_add(characters.saturating_mul(each)).min(most);
            self.beat("", pause, self.place);
        }
    }

    fn beat(&mut self, narration: &str, pause_ms: u32, place: Place) {
        let actions = std::mem::take(&mut self.actions);
        self.beats.push(Beat {
            id: format!("{}-{}", self.id, self.beats.len() + 1),
            narration: narration.to_owned(),
            pause_ms,
            actions,
            estimate_ms: speaking_ms(narration, self.pace),
            place: Some(place),
        });
    }
}

/// A long paragraph in parts that end with sentences, or at least with words.
fn parts(narration: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = narration.trim();
    while rest.chars().nth(LONGEST_NARRATION).is_some() {
        let limit = rest.char_indices().nth(LONGEST_NARRATION).map_or(rest.len(), |(at, _)| at);
        let mut end = 0;
        while let Some(sentence) = markdown::sentence_end(&rest[end..limit]) {
            end += sentence;
        }
        if end == 0 {
            end = rest[..limit].rfind(' ').filter(|at| *at > 0).unwrap_or(limit);
        }
        let (part, after) = rest.split_at(end);
        parts.push(part.trim());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// How much there is to read in what an action shows.
fn characters(action: &Action) -> u32 {
    let spans = |spans: &[Span]| spans.iter().map(span_length).sum::<usize>();
    let count = match action {
        Action::Show(element) => match &element.kind {
            ElementKind::Text(text) => spans(&text.spans),
            ElementKind::Bullets(bullets) => bullets.items.iter().map(|item| spans(&item.text.spans)).sum(),
            ElementKind::Equation(equation) => equation.formula.latex.chars().count(),
            ElementKind::Code(code) => code.text.chars().count(),
            ElementKind::Callout(text) => spans(&text.spans),
            ElementKind::Table(table) => {
                let cells = table.header.iter().chain(table.rows.iter().flat_map(|row| &row.cells));
                cells.map(|cell| spans(&cell.spans)).sum()
            }
            // A picture is looked at about as long as a short sentence.
            ElementKind::Axes(_)
            | ElementKind::Image(_)
            | ElementKind::NumberLine(_)
            | ElementKind::Drawing(_)
            | ElementKind::Graph(_)
            | ElementKind::Chart(_)
            | ElementKind::Space(_) => 50,
            ElementKind::Placeholder(placeholder) => placeholder.label.chars().count(),
        }
        .max(1),
        _ => 0,
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn span_length(span: &Span) -> usize {
    match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.chars().count(),
        Span::Math(formula) => formula.latex.chars().count(),
    }
}
