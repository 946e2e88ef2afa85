//! From drafts of scenes to the storyboard: ids, beats, lengths, and the bounds of one film.
//!
//! A beat is what is shown since the last words, and the next words.

mod attention;
mod continuity;
pub(crate) mod draft;
pub(crate) mod estimate;
mod reading;
pub(crate) mod screen;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::draft::NAMELESS;
use self::draft::{Draft, Shown, Step, StepKind, noun, target};
use self::estimate::speaking_ms;
pub(crate) use self::warnings::Warnings;
use crate::check::{ACTIONS, BEATS, HOLD, PAUSE, SCENES};
use crate::document::refusal;
use crate::document::settings::Settings;
use crate::speech::{self, Locale};
use crate::storyboard::{
    Action, Beat, ElementKind, Hold, Place, Recording, Refusal, Scene, SceneKind, Storyboard, Transform,
};
use crate::text::marks::{self, Marked};
use crate::text::sentence;

/// Silence after words, in milliseconds: a breath, as between two sentences of someone who explains.
const BREATH_MS: u32 = 350;
/// Of the time that words are estimated to take, what the quickest voice takes: what must stand longer is held.
const QUICKEST_PERCENT: u32 = 50;
/// How long the stage's own movements take, at which nothing is read (`layers/manim/stage/chalkreel_stage/scene`): a heading comes, an element comes,
/// elements go, a scene fades out. A figure comes part by part.
const HEADING_MS: u32 = 1_200;
const ARRIVE_MS: u32 = 1_000;
const FIGURE_MS: u32 = 2_200;
const LEAVE_MS: u32 = 350;
const FADE_MS: u32 = 300;
/// How long a title card without words stands.
const TITLE_MS: u32 = 2_500;
/// How long a change of what is there is looked at.
const CHANGE_MS: u32 = 2_000;

/// What one film may have in all.
const MOST_BEATS: usize = 5_000;
const MOST_ELEMENTS: usize = 5_000;

/// A film in the making.
pub(crate) struct FilmBuilder {
    title: String,
    settings: Settings,
    scenes: Vec<Scene>,
    ids: Ids,
    pub(crate) warnings: Warnings,
    elements: usize,
    beats: usize,
    /// Where markup that is spoken is what the document speaks of, as in `` `[[` selects ``.
    quoted: BTreeSet<(u32, u32, &'static str)>,
    /// Recordings of the author's own, by the places of the words that are in them.
    recordings: BTreeMap<(u32, u32), String>,
    recorded: Vec<Recording>,
}

impl FilmBuilder {
    pub(crate) fn new(title: String, settings: Settings, warnings: Warnings) -> Self {
        let (scenes, ids) = (Vec::new(), Ids::default());
        Self {
            title,
            settings,
            scenes,
            ids,
            warnings,
            elements: 0,
            beats: 0,
            quoted: BTreeSet::new(),
            recordings: BTreeMap::new(),
            recorded: Vec::new(),
        }
    }

    /// What the document says about the whole film.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whatever markup `code` looks like is meant where it is spoken.
    pub(crate) fn quotes(&mut self, code: &str, place: Place) {
        self.quoted.extend(markup(code).map(|mark| (place.line, place.column, mark)));
    }

    /// The words at each of these places are those of a recording.
    pub(crate) fn are_recorded(&mut self, recordings: BTreeMap<(u32, u32), String>) {
        self.recordings = recordings;
    }

    /// All words of the scene that was added last are those of a recording.
    pub(crate) fn is_recorded(&mut self, source: String) {
        let beats = self.scenes.last().into_iter().flat_map(|scene| &scene.beats);
        let beats: Vec<String> = beats.filter(|beat| !beat.narration.is_empty()).map(|beat| beat.id.clone()).collect();
        if !beats.is_empty() {
            self.recorded.push(Recording { source, beats });
        }
    }

    /// Adds a scene, unless it has neither words nor anything to show.
    ///
    /// # Errors
    /// `plan.too_large`.
    pub(crate) fn scene(&mut self, draft: Draft) -> Result<(), Refusal> {
        let Draft { kind, heading, name, place, steps, plays_ms } = draft;
        let card = matches!(kind, SceneKind::TitleCard | SceneKind::Outro);
        let too_large = |what: &str| {
            let message = format!("the document makes more than {what}");
            refusal("plan.too_large", &message, "Split it into several films.", Some(place))
        };
        if self.scenes.len() == SCENES {
            return Err(too_large("500 scenes"));
        }
        let id = self.ids.unique(&slug(name.as_deref().unwrap_or(&heading), "scene"));
        let mut scene = SceneBuilder::new(&id, &self.settings, place);
        scene.recordings = Some(&self.recordings);
        for step in screen::fitted(steps) {
            scene.step(step, &mut self.warnings);
            if scene.elements > MOST_ELEMENTS || scene.beats.len() > BEATS {
                break;
            }
        }
        if card && scene.beats.is_empty() {
            scene.beat(String::new(), TITLE_MS, place);
        }
        scene.rest();
        scene.fade();
        if plays_ms > 0 {
            scene.plays_for(plays_ms);
        }
        let SceneBuilder { elements, mut beats, marks, named, recorded, .. } = scene;
        attention::find(&mut beats, &marks, &named, &self.settings.language, &mut self.warnings);
        for beat in &beats {
            let at = beat.place.unwrap_or(place);
            if let Some(mark) = markup(&beat.narration).find(|mark| !self.quoted.contains(&(at.line, at.column, *mark)))
            {
                let message = format!("`{mark}` is spoken as it stands: it looks like markup that is not known here");
                self.warnings.add("plan.markup_spoken", message, at);
            }
        }
        self.elements += elements;
        self.beats += beats.len();
        if beats.len() > BEATS {
            return Err(too_large("500 beats in one scene"));
        }
        if beats.iter().any(|beat| beat.actions.len() > ACTIONS) {
            return Err(too_large("200 things to show at once"));
        }
        if self.elements > MOST_ELEMENTS {
            return Err(too_large("5000 things to show"));
        }
        if self.beats > MOST_BEATS {
            return Err(too_large("5000 beats"));
        }
        self.recorded.extend(recorded.into_values());
        if !beats.is_empty() {
            self.scenes.push(Scene { id, kind, heading, beats, place: Some(place) });
        }
        Ok(())
    }

    /// The storyboard.
    ///
    /// # Errors
    /// `input.nothing_to_show`.
    pub(crate) fn storyboard(self) -> Result<Storyboard, Refusal> {
        let Self { title, settings, scenes, warnings, recorded, .. } = self;
        let speaks = |scene: &Scene| {
            let filled = |beat: &Beat| !beat.narration.is_empty() || !beat.actions.is_empty();
            matches!(scene.kind, SceneKind::Manim(_)) || scene.beats.iter().any(filled)
        };
        if !scenes.iter().any(speaks) {
            let message = "the document has nothing to say or show";
            let remedy = "Write paragraphs, which are spoken, and lists, formulas, code or plots, which are shown.";
            let place = scenes.first().and_then(|scene| scene.place);
            return Err(refusal("input.nothing_to_show", message, remedy, place));
        }
        let mut all = Warnings::default();
        settings.warnings.into_iter().chain(warnings.into_vec()).for_each(|warning| all.push(warning));
        Ok(Storyboard {
            title,
            language: settings.language,
            theme: settings.theme,
            colours: settings.colours,
            quality: settings.quality,
            frame_shape: settings.frame_shape,
            on_failure: settings.on_failure,
            voice: settings.voice,
            music: settings.music,
            intro: settings.intro,
            outro: settings.outro,
            logo: settings.logo,
            recordings: recorded,
            captions: settings.captions,
            scenes,
            warnings: all.into_vec(),
        })
    }
}

/// What looks like markup in words that are to be spoken.
fn markup(words: &str) -> impl Iterator<Item = &'static str> {
    const MARKS: &[&str] = &["{%", "{{", "[[", ":::", "\\begin", "**", "](", "![", "</", "$$", "!!! ", "```"];
    // Nearly all words have none of the signs.
    let signs = words.contains(['{', '[', ':', '\\', '*', ']', '!', '<', '$', '`']);
    let stands = |mark: &str| match mark {
        // Elsewhere someone is loud.
        "!!! " => words.starts_with(mark),
        mark => words.contains(mark),
    };
    MARKS.iter().copied().filter(move |mark| signs && stands(mark)).map(str::trim_end)
}

/// How long it takes to read what actions show, in milliseconds; none when they show nothing.
fn reading_ms(actions: &[Action]) -> Option<u32> {
    let shown = |action: &Action| match action {
        Action::Show(element) => Some(reading::reading_ms(&element.kind)),
        Action::Transform(transform) => Some(reading::reading_ms(&transform.into.kind)),
        Action::Clear => None,
        _ => Some(CHANGE_MS),
    };
    actions.iter().filter_map(shown).reduce(u32::saturating_add)
}

/// How long an element takes to come, in milliseconds.
fn arriving_ms(kind: &ElementKind) -> u32 {
    use ElementKind::{Axes, Chart, Drawing, Graph, Space};
    if matches!(kind, Axes(_) | Chart(_) | Drawing(_) | Graph(_) | Space(_)) { FIGURE_MS } else { ARRIVE_MS }
}

/// Lower-case letters, digits and `-` of a name; `otherwise` when there are none.
fn slug(name: &str, otherwise: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
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
    if slug.is_empty() { otherwise.to_owned() } else { slug.to_owned() }
}

/// Ids that were given.
#[derive(Default)]
struct Ids {
    given: BTreeSet<String>,
    /// How often each name was asked for, and no number below is free: a thousand things of one name are not counted anew for each.
    counts: BTreeMap<String, u32>,
}

impl Ids {
    /// `slug`, or with the first number behind it that makes it another id.
    fn unique(&mut self, slug: &str) -> String {
        let count = self.counts.entry(slug.to_owned()).or_default();
        loop {
            *count += 1;
            let id = if *count == 1 { slug.to_owned() } else { format!("{slug}-{count}") };
            if self.given.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// Something on the screen.
#[derive(Clone, Copy)]
struct Standing {
    /// The beat that it came in.
    came: usize,
    /// How long it takes in that beat until it begins to come, in milliseconds.
    lead_ms: u32,
    /// How long it must stand to be read, in milliseconds.
    reading_ms: u32,
}

/// A scene in the making.
struct SceneBuilder<'a> {
    id: &'a str,
    settings: &'a Settings,
    beats: Vec<Beat>,
    /// The marks in the words of each beat.
    marks: Vec<Vec<Marked>>,
    /// What is shown with the next words.
    actions: Vec<Action>,
    place: Place,
    elements: usize,
    ids: Ids,
    /// The ids of what the author names.
    named: BTreeMap<String, String>,
    /// What is on the screen, by id.
    there: BTreeMap<String, Standing>,
    /// How long it takes in the coming beat until the next element begins to come, in milliseconds.
    lead_ms: u32,
    /// Those of the film, by the places of their words; and what of it is in this scene.
    recordings: Option<&'a BTreeMap<(u32, u32), String>>,
    recorded: BTreeMap<(u32, u32), Recording>,
}

impl<'a> SceneBuilder<'a> {
    fn new(id: &'a str, settings: &'a Settings, place: Place) -> Self {
        Self {
            id,
            settings,
            beats: Vec::new(),
            marks: Vec::new(),
            actions: Vec::new(),
            place,
            elements: 0,
            ids: Ids::default(),
            named: BTreeMap::new(),
            there: BTreeMap::new(),
            lead_ms: HEADING_MS,
            recordings: None,
            recorded: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: Step, warnings: &mut Warnings) {
        let Step { place, kind } = step;
        match kind {
            StepKind::Show(shown) => self.show(shown, place),
            StepKind::Act(action) => self.act(action, place, warnings),
            StepKind::Speak(words) | StepKind::SpeakAfter(words) => self.speak(&words, place),
            StepKind::Hold(0) => self.rest(),
            StepKind::Dwell => self.dwell(),
            StepKind::Hold(ms) => self.beat(String::new(), ms.min(PAUSE), place),
            // Before anything was shown there is nothing to empty.
            StepKind::Clear if self.there.is_empty() => {}
            StepKind::Clear => {
                self.stand(None);
                self.leave(None);
                self.lead_ms += LEAVE_MS;
                self.push(Action::Clear, place);
            }
        }
    }

    fn push(&mut self, action: Action, place: Place) {
        if self.actions.is_empty() {
            self.place = place;
        }
        self.actions.push(action);
    }

    fn show(&mut self, shown: Shown, place: Place) {
        self.elements += 1;
        let id = match shown.name.as_ref().filter(|name| !name.starts_with(NAMELESS)) {
            Some(name) => self.ids.unique(&slug(name, noun(&shown.kind))),
            None => self.ids.unique(&format!("{}-{}", noun(&shown.kind), self.elements)),
        };
        if let Some(name) = &shown.name {
            self.named.insert(name.clone(), id.clone());
        }
        let grown =
            shown.from.as_ref().and_then(|from| self.named.get(from)).filter(|from| self.there.contains_key(*from));
        let from = grown.cloned();
        let (came, reading_ms) = (self.beats.len(), reading::reading_ms(&shown.kind));
        let arrives = Standing { came, lead_ms: self.lead_ms, reading_ms };
        self.lead_ms += arriving_ms(&shown.kind);
        let mut element = shown.into_element(id, place);
        if let ElementKind::Equation(equation) = &mut element.kind {
            equation.spoken = speech::parts(&equation.formula.latex, Locale::of(&self.settings.language));
        }
        match from {
            Some(from) => {
                self.leave(Some(&from));
                self.there.insert(element.id.clone(), arrives);
                // Whoever spoke of the old one means the new one.
                for id in self.named.values_mut().filter(|id| **id == from) {
                    *id = element.id.clone();
                }
                self.push(Action::Transform(Transform { from, into: element }), place);
            }
            None => {
                self.there.insert(element.id.clone(), arrives);
                self.push(Action::Show(element), place);
            }
        }
    }

    /// An action about something that is there; what is not there can't be touched.
    fn act(&mut self, mut action: Action, place: Place, warnings: &mut Warnings) {
        if let Some(name) = target(&mut action) {
            match self.named.get(name).filter(|id| self.there.contains_key(*id)) {
                Some(id) => *name = id.clone(),
                None => {
                    let message =
                        format!("`{}` is not on the screen; this is left out", crate::text::one_line(name, 60));
                    return warnings.add("plan.not_on_screen", message, place);
                }
            }
        }
        if let Action::Remove(id) = &action {
            self.stand(Some(id));
            self.leave(Some(id));
            self.lead_ms += LEAVE_MS;
        }
        self.push(action, place);
    }

    fn speak(&mut self, words: &str, place: Place) {
        let parts = sentence::parts(words);
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.into_iter().enumerate() {
            self.beat(part.to_owned(), if index == last { BREATH_MS } else { 0 }, place);
            let at = (place.line, place.column);
            if let Some((source, beat)) = self.recordings.and_then(|all| all.get(&at)).zip(self.beats.last()) {
                let new = || Recording { source: source.clone(), beats: Vec::new() };
                self.recorded.entry(at).or_insert_with(new).beats.push(beat.id.clone());
            }
        }
    }

    /// What is left without words stands long enough to be read.
    fn rest(&mut self) {
        if let Some(pause) = reading_ms(&self.actions) {
            self.beat(String::new(), pause.min(PAUSE), self.place);
        }
    }

    /// What is to leave before anything was said about it stands first in a beat of its own.
    fn stand(&mut self, id: Option<&str>) {
        let comes = |(name, one): (&String, &Standing)| one.came == self.beats.len() && id.is_none_or(|id| id == name);
        if self.there.iter().any(comes) {
            self.rest();
        }
    }

    /// One element, or all of them, leave the screen with the next beat: the last one before holds until they could be read.
    fn leave(&mut self, id: Option<&str>) {
        let leaving: Vec<Standing> = match id {
            Some(id) => self.there.remove(id).into_iter().collect(),
            None => std::mem::take(&mut self.there).into_values().collect(),
        };
        // Whoever reads what came last has read what came before; each beat's own words are heard meanwhile.
        let beaten = || leaving.iter().filter(|one| one.came < self.beats.len());
        let mut needs: BTreeMap<usize, u32> = BTreeMap::new();
        for from in beaten().map(|one| one.came) {
            needs.entry(from).or_insert_with(|| {
                let since = || beaten().filter(|one| one.came >= from);
                let all =
                    since().map(|one| one.reading_ms).sum::<u32>() + since().map(|one| one.lead_ms).min().unwrap_or(0);
                let last = since().map(|one| one.lead_ms + one.reading_ms).max().unwrap_or(0);
                all.max(last)
            });
        }
        for (from, ms) in needs {
            self.hold(from, ms);
        }
    }

    /// By the end of the last beat so many milliseconds have passed since the beginning of beat `from`.
    fn hold(&mut self, from: usize, ms: u32) {
        let surely = |beat: &Beat| beat.estimate_ms / 100 * QUICKEST_PERCENT + beat.pause_ms;
        let since = &self.beats[from..];
        if since.iter().map(surely).sum::<u32>() < ms {
            let (since, ms) = (self.beats[from].id.clone(), ms.min(HOLD));
            let Some(beat) = self.beats.last_mut() else { return };
            match beat.holds.iter_mut().find(|hold| hold.since == since) {
                Some(hold) => hold.ms = hold.ms.max(ms),
                None => beat.holds.push(Hold { since, ms }),
            }
        }
    }

    /// A program's picture goes on when its words have ended.
    fn plays_for(&mut self, ms: u32) {
        let planned: u32 = self.beats.iter().map(|beat| beat.estimate_ms + beat.pause_ms).sum();
        let left = ms.saturating_sub(planned);
        match self.beats.last_mut() {
            Some(beat) => beat.pause_ms = (beat.pause_ms + left).min(PAUSE),
            None => self.beat(String::new(), left.min(PAUSE), self.place),
        }
    }

    /// What was shown with the last words stands long enough to be read.
    fn dwell(&mut self) {
        if let Some(ms) = self.beats.last().and_then(|beat| reading_ms(&beat.actions)) {
            self.hold(self.beats.len() - 1, ms);
        }
    }

    /// The scene fades out, with all that is there.
    fn fade(&mut self) {
        self.there.values_mut().for_each(|standing| standing.lead_ms += FADE_MS);
        self.leave(None);
    }

    fn beat(&mut self, narration: String, pause_ms: u32, place: Place) {
        let (narration, marks) = marks::taken(narration);
        let (actions, cues) = (std::mem::take(&mut self.actions), Vec::new());
        self.lead_ms = 0;
        let estimate_ms = speaking_ms(&narration, self.settings.voice.words_per_minute);
        let id = format!("{}-{}", self.id, self.beats.len() + 1);
        let holds = Vec::new();
        self.beats.push(Beat { id, narration, pause_ms, actions, estimate_ms, cues, place: Some(place), holds });
        self.marks.push(marks);
    }
}
