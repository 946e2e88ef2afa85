//! The host's own check: a storyboard is believed only as far as the stage and the ledger can bear it. The built-in planner
//! holds to the same rules, and refuses a storyboard of the author's by them.
//!
//! Counts and lengths are bounded, numbers are numbers, ids are file names, what is referred to is there, and files lie
//! beside the document.

mod element;
mod figure;

use std::collections::BTreeSet;

use crate::types::{
    Action, Beat, CameraChange, Colours, CueKind, Element, Placement, Point3, Refusal, Scene, SceneKind, Storyboard,
    Style, Timing,
};

/// Most items or tokens of one element.
const ITEMS: usize = 5_000;
/// Most scenes of one film.
pub const SCENES: usize = 500;
/// Most languages of captions beside the film's own.
const LANGUAGES: usize = 20;
/// Most beats of one scene.
pub const BEATS: usize = 500;
/// Most changes in one beat.
pub const ACTIONS: usize = 200;
/// Most things that the words of one beat speak of.
const CUES: usize = 200;
/// Latest time inside of a beat, in milliseconds.
const LONGEST_BEAT: u32 = 3_600_000;
/// Longest narration of one beat, in bytes.
const NARRATION: usize = 20_000;
/// Longest silence, and latest end of anything inside of a beat, in milliseconds.
pub const PAUSE: u32 = 60_000;
/// Longest time that something must stand, in milliseconds.
pub const HOLD: u32 = 1_800_000;
/// Longest Manim program, in bytes.
pub const PROGRAM: usize = 1 << 20;
/// Longest path of a file, in bytes.
const PATH: usize = 500;
/// Larger numbers lose the picture to rounding.
const LARGEST: f64 = 1e12;
/// The frame is 14 units wide: what is wanted further out is wanted nowhere.
const OUTERMOST: f64 = 1e6;

/// Checks counts, lengths, ids, references and numbers.
///
/// # Errors
/// The first rule that is broken, in words.
pub fn check(storyboard: &Storyboard) -> Result<(), String> {
    text("title", &storyboard.title, 1_000)?;
    if let Some(music) = &storyboard.music {
        asset("music", &music.source)?;
        rule((-100.0..=0.0).contains(&music.level_db), || format!("music at {} dB", music.level_db))?;
    }
    for file in storyboard.intro.iter().chain(&storyboard.outro).chain(&storyboard.logo) {
        asset("file", file)?;
    }
    for colour in storyboard.colours.iter().flat_map(Colours::all) {
        let code = colour.strip_prefix('#').unwrap_or_default();
        let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
        rule(is_code, || format!("colour `{}`", short(colour)))?;
    }
    recordings(storyboard)?;
    count("captions", storyboard.captions.len(), 0, LANGUAGES)?;
    for language in std::iter::once(&storyboard.language).chain(&storyboard.captions) {
        let well_formed = language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        rule(well_formed && (2..=35).contains(&language.len()), || format!("language `{}`", short(language)))?;
    }
    // Each makes files of its own name, on systems for which `de` and `DE` may be one.
    let mut languages = BTreeSet::from([storyboard.language.to_ascii_lowercase()]);
    for language in &storyboard.captions {
        rule(languages.insert(language.to_ascii_lowercase()), || format!("captions in `{language}` twice"))?;
    }
    let voice = &storyboard.voice;
    count("voice.chain", voice.chain.len(), 0, 20)?;
    for name in voice.chain.iter().chain(&voice.name).chain(&voice.model) {
        text("voice", name, 100)?;
        rule(!name.starts_with('-'), || format!("voice `{}`", short(name)))?;
    }
    voice.recording.as_deref().map_or(Ok(()), |folder| asset("voice.recording", folder))?;
    rule(voice.words_per_minute.is_none_or(|pace| (80..=450).contains(&pace)), || "words per minute".to_owned())?;
    count("warnings", storyboard.warnings.len(), 0, 10_000)?;
    for warning in &storyboard.warnings {
        text("warning", &warning.code, 100)?;
        text("warning", &warning.message, 4_000)?;
    }
    count("scenes", storyboard.scenes.len(), 1, SCENES)?;
    let mut ids = BTreeSet::new();
    let mut beats = BTreeSet::new();
    for scene in &storyboard.scenes {
        id(&scene.id)?;
        rule(ids.insert(&scene.id), || format!("scene `{}` stands twice", scene.id))?;
        of_scene(scene).map_err(|broken| format!("scene `{}`: {broken}", scene.id))?;
        for beat in &scene.beats {
            rule(beats.insert(&beat.id), || format!("beat `{}` stands twice", beat.id))?;
        }
    }
    Ok(())
}

/// Checks a refusal: its words go into the status as they are.
///
/// # Errors
/// The first rule that is broken, in words.
pub fn refusal(refusal: &Refusal) -> Result<(), String> {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let well_formed = refusal.code.split_once('.').is_some_and(|(room, rest)| word(room) && word(rest));
    rule(well_formed && refusal.code.len() <= 60, || format!("a refusal's code `{}`", short(&refusal.code)))?;
    text("message", &refusal.message, 4_000)?;
    text("remedy", &refusal.remedy, 4_000)
}

/// A recording is of beats of one scene in their order, and no beat has two.
fn recordings(storyboard: &Storyboard) -> Result<(), String> {
    let mut spoken = BTreeSet::new();
    for recording in &storyboard.recordings {
        asset("recording", &recording.source)?;
        let source = short(&recording.source);
        rule(!recording.beats.is_empty(), || format!("the recording `{source}` is of no beat"))?;
        let of = |scene: &&Scene| scene.beats.iter().any(|beat| Some(&beat.id) == recording.beats.first());
        let scene = storyboard.scenes.iter().find(of);
        let mut beats = scene.into_iter().flat_map(|scene| &scene.beats);
        let in_order = recording.beats.iter().all(|id| beats.any(|beat| beat.id == *id));
        rule(in_order, || format!("the beats of the recording `{source}` are not those of one scene in their order"))?;
        let once = recording.beats.iter().all(|id| spoken.insert(id));
        rule(once, || format!("a beat of the recording `{source}` has another one"))?;
    }
    Ok(())
}

fn of_scene(scene: &Scene) -> Result<(), String> {
    text("heading", &scene.heading, 1_000)?;
    count("beats", scene.beats.len(), 1, BEATS)?;
    let manim = match &scene.kind {
        SceneKind::TitleCard | SceneKind::Lesson | SceneKind::Outro => false,
        SceneKind::Manim(program) => {
            rule(program.source.len() <= PROGRAM, || format!("a program of {} bytes", program.source.len()))?;
            rule(!program.source.contains('\0'), || "a program with a null character".to_owned())?;
            let begins = program.class.starts_with(|c: char| c.is_alphabetic() || c == '_');
            let name = begins && program.class.chars().all(|c| c.is_alphanumeric() || c == '_');
            rule(name && program.class.len() <= 200, || format!("a class `{}`", short(&program.class)))?;
            true
        }
    };
    let mut screen = Screen::default();
    let mut begun = BTreeSet::new();
    for beat in &scene.beats {
        of_beat(beat, &mut screen)?;
        begun.insert(&beat.id);
        for hold in &beat.holds {
            rule(hold.ms <= HOLD, || format!("beat `{}` holds for {} ms", beat.id, hold.ms))?;
            rule(begun.contains(&hold.since), || format!("beat `{}` holds since `{}`", beat.id, short(&hold.since)))?;
        }
        rule(!manim || (beat.actions.is_empty() && beat.cues.is_empty()), || {
            "actions in a Manim scene, which plays as it stands".to_owned()
        })?;
    }
    Ok(())
}

/// Ids that were ever given in a scene, and those of what is on the screen.
#[derive(Default)]
struct Screen {
    given: BTreeSet<String>,
    there: BTreeSet<String>,
}

impl Screen {
    fn put(&mut self, element: &Element) -> Result<(), String> {
        id(&element.id)?;
        rule(self.given.insert(element.id.clone()), || format!("element `{}` stands twice", element.id))?;
        self.there.insert(element.id.clone());
        let wrong = |broken| format!("element `{}`: {broken}", element.id);
        element::kind(&element.kind).map_err(wrong)?;
        element.placement.as_ref().map_or(Ok(()), placement).map_err(wrong)?;
        element.style.as_ref().map_or(Ok(()), style).map_err(wrong)?;
        element.timing.as_ref().map_or(Ok(()), timing).map_err(wrong)
    }

    fn has(&self, what: &str, target: &str) -> Result<(), String> {
        rule(self.there.contains(target), || format!("`{}` {what}, and is not there", short(target)))
    }

    fn take(&mut self, what: &str, target: &str) -> Result<(), String> {
        self.has(what, target)?;
        self.there.remove(target);
        Ok(())
    }
}

fn of_beat(beat: &Beat, screen: &mut Screen) -> Result<(), String> {
    id(&beat.id)?;
    text("narration", &beat.narration, NARRATION)?;
    rule(beat.pause_ms <= PAUSE, || format!("a pause of {} ms", beat.pause_ms))?;
    let lasts = beat.pause_ms > 0 || !beat.narration.trim().is_empty();
    rule(lasts, || format!("beat `{}` has neither words nor length", beat.id))?;
    count("actions", beat.actions.len(), 0, ACTIONS)?;
    count("holds", beat.holds.len(), 0, ACTIONS)?;
    let before = if beat.cues.is_empty() { BTreeSet::new() } else { screen.there.clone() };
    for action in &beat.actions {
        match action {
            Action::Show(element) => screen.put(element)?,
            Action::Remove(gone) => screen.take("is removed", gone)?,
            Action::Clear => screen.there.clear(),
            Action::Transform(transform) => {
                screen.take("becomes something else", &transform.from)?;
                screen.put(&transform.into)?;
            }
            Action::Highlight(highlight) => {
                screen.has("is highlighted", &highlight.target)?;
                highlight.part.as_ref().map_or(Ok(()), |part| text("part", part, 1_000))?;
                highlight.colour.as_ref().map_or(Ok(()), |one| colour(one))?;
                highlight.timing.as_ref().map_or(Ok(()), timing)?;
            }
            Action::Dim(target) => screen.has("is dimmed", target)?,
            Action::Move(step) => {
                screen.has("is moved", &step.target)?;
                placement(&step.to)?;
                rule(step.to.region.is_some() || step.to.at.is_some(), || "a move to nowhere".to_owned())?;
                step.timing.as_ref().map_or(Ok(()), timing)?;
            }
            Action::Camera(camera) => {
                match &camera.change {
                    CameraChange::ZoomTo(target) => screen.has("is zoomed to", target)?,
                    CameraChange::Back => {}
                    CameraChange::Orbit(angle) => {
                        rule(angle.abs() <= 3_600.0, || format!("an orbit of {angle} degrees"))?
                    }
                }
                camera.timing.as_ref().map_or(Ok(()), timing)?;
            }
        }
    }
    of_cues(beat, &before, screen)
}

/// What words speak of is there while they are spoken, and the words are the beat's.
fn of_cues(beat: &Beat, before: &BTreeSet<String>, screen: &Screen) -> Result<(), String> {
    if beat.cues.is_empty() {
        return Ok(());
    }
    count("cues", beat.cues.len(), 0, CUES)?;
    let spoken = beat.narration.split_whitespace().count();
    let mut word = 0;
    for cue in &beat.cues {
        let (stays, came) = (before.contains(&cue.target), screen.there.contains(&cue.target));
        rule(stays || came, || format!("`{}` is spoken of, and is not there", short(&cue.target)))?;
        let comes = cue.kind == CueKind::Point || (came && !stays);
        rule(comes, || format!("`{}` comes with a word, and was there before", short(&cue.target)))?;
        cue.part.as_ref().map_or(Ok(()), |part| text("part", part, 1_000))?;
        let end = (cue.word as usize).saturating_add(cue.words as usize);
        rule(cue.words > 0 && end <= spoken, || format!("a cue at word {} of {spoken}", cue.word))?;
        rule(cue.word >= word, || format!("a cue at word {} after one at {word}", cue.word))?;
        word = cue.word;
        let (start, end) = (cue.start_ms.unwrap_or(0), cue.end_ms.unwrap_or(LONGEST_BEAT));
        rule(start <= end && end <= LONGEST_BEAT, || format!("a cue from {start} to {end} ms"))?;
    }
    Ok(())
}

fn placement(placement: &Placement) -> Result<(), String> {
    let near = |at: Point3| [at.x, at.y, at.z].iter().all(|number| number.abs() <= OUTERMOST);
    rule(placement.at.is_none_or(near), || "a place that is nowhere".to_owned())
}

fn style(style: &Style) -> Result<(), String> {
    for one in style.colour.iter().chain(&style.fill) {
        colour(one)?;
    }
    rule(style.opacity.is_none_or(|opacity| (0.0..=1.0).contains(&opacity)), || {
        "an opacity not from 0 to 1".to_owned()
    })?;
    rule(style.scale.is_none_or(|scale| scale > 0.0 && scale <= 100.0), || "a scale not from 0 to 100".to_owned())
}

fn timing(timing: &Timing) -> Result<(), String> {
    for ms in timing.start_ms.iter().chain(&timing.duration_ms) {
        rule(*ms <= PAUSE, || format!("a time of {ms} ms inside of a beat"))?;
    }
    Ok(())
}

/// A name, or `#rrggbb`.
fn colour(colour: &str) -> Result<(), String> {
    let code = colour.strip_prefix('#').map(|code| code.len() == 6 && code.chars().all(|c| c.is_ascii_hexdigit()));
    let name = || (1..=30).contains(&colour.len()) && colour.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    rule(code.unwrap_or_else(name), || format!("a colour `{}`", short(colour)))
}

/// A file beside the document: no address, and no way out of its folder.
fn asset(what: &str, path: &str) -> Result<(), String> {
    text(what, path, PATH)?;
    rule(is_asset(path), || format!("a {what} `{}` that is no path beside the document", short(path)))
}

/// Whether it is the path of a file beside the document.
pub fn is_asset(path: &str) -> bool {
    let inside = !path.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    let local = !path.contains(['\\', ':', '\n', '\t']) && !path.starts_with(['-', '~']);
    inside && local
}

fn rule(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

fn count(what: &str, number: usize, least: usize, most: usize) -> Result<(), String> {
    rule((least..=most).contains(&number), || format!("{number} {what}; there must be {least} to {most}"))
}

fn text(what: &str, words: &str, most: usize) -> Result<(), String> {
    rule(words.len() <= most, || format!("a {what} of {} bytes; at most {most} are taken", words.len()))?;
    let clean = !words.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    rule(clean, || format!("a {what} with control characters"))
}

/// A number that can be drawn.
fn number(what: &str, number: f64) -> Result<(), String> {
    // False for what is no number.
    rule(number.abs() <= LARGEST, || format!("a {what} of {number}"))
}

fn positive(what: &str, length: f64) -> Result<(), String> {
    rule(length > 0.0 && length <= LARGEST, || format!("a {what} of {length}"))
}

fn one_of(what: &str, word: &str, allowed: &[&str]) -> Result<(), String> {
    rule(allowed.contains(&word), || format!("{what} `{}`; it must be one of {}", short(word), allowed.join(", ")))
}

/// Ids become file names and keys.
fn id(id: &str) -> Result<(), String> {
    let well_formed = id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    rule(well_formed && (1..=100).contains(&id.len()), || format!("an id `{}`", short(id)))
}

fn short(word: &str) -> String {
    word.chars().take(40).collect()
}
