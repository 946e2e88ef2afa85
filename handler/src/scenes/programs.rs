//! Scenes of Manim programs. How long one is, and what is said in it, is known only once it has run: the program asks for each of its
//! words how long they take, and what it then reports of itself becomes the scene's beats.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use storyboard::{Beat, ManimScene, Scene, SceneKind};
use tracing::{Instrument as _, info_span, warn};

use super::{Failure, Handover, RenderedScene, SceneScheduler, TRIES, progress};
use crate::assemble::ledger::samples_per_frame;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::narrate::{Narration, SAMPLE_RATE, Sound, Word};
use crate::render::{
    Clip, ClipOrigin, Part, Performance, Picture, Play, Recording, Renderer, Runners, Said, Say, SceneOrder, Speaker,
    Spoken, StageError,
};

/// Pause after words for which a program does not wait by itself, as after the beats of a lesson.
const PAUSE_MS: u32 = 350;
/// Characters that are read in a second: how long words without a voice are shown.
const READ: u32 = 14;

/// Words that a program asks for, as a beat of its scene.
pub(super) fn beat_of(scene: &Scene, say: &Say) -> Beat {
    let characters = u32::try_from(say.text.chars().count()).unwrap_or(u32::MAX);
    Beat {
        id: format!("{}-say-{}", scene.id, say.ask),
        narration: say.text.clone(),
        pause_ms: if say.is_timed_by_program { 0 } else { PAUSE_MS },
        actions: Vec::new(),
        estimate_ms: characters.saturating_mul(1000) / READ,
        cues: Vec::new(),
        place: scene.place,
        holds: Vec::new(),
    }
}

/// How long they take.
pub(super) fn answer(beat: &Beat, samples: usize, words: &[Word]) -> Said {
    let seconds = samples as f64 / f64::from(SAMPLE_RATE) + f64::from(beat.pause_ms) / 1000.0;
    let mut at = 0;
    let mut begins = Vec::new();
    for (index, word) in beat.narration.split_whitespace().enumerate() {
        if let Some(time) = words.get(index) {
            begins.push((at, f64::from(time.from_ms) / 1000.0));
        }
        // Its words stand on one line with single spaces.
        at += word.chars().count() + 1;
    }
    Said { seconds, words: begins }
}

/// The document's own words for the scene, which are spoken at the beginning of a program that has none.
pub(super) fn words_of(scene: &Scene) -> String {
    scene.beats.iter().map(|beat| beat.narration.trim()).filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Speaks for one run of a program, by the voices of the film.
pub(super) struct Narrator<'n, 's> {
    scheduler: &'n SceneScheduler<'s>,
    scene: &'n Scene,
    /// What was spoken, in order.
    pub(super) said: Vec<(Beat, Narration)>,
    /// Why nothing more is spoken: an error of the job.
    failed: Option<JobError>,
}

impl<'n, 's> Narrator<'n, 's> {
    pub(super) fn of(scheduler: &'n SceneScheduler<'s>, scene: &'n Scene) -> Self {
        Self { scheduler, scene, said: Vec::new(), failed: None }
    }

    async fn speak(&mut self, say: &Say) -> Result<Said, JobError> {
        let beat = beat_of(self.scene, say);
        let narrate = info_span!("narrate", beat = beat.id);
        // Boxed: it lies deep inside of the futures of a run.
        let narration = Box::pin(self.scheduler.speak_beat(self.scene, &beat)).instrument(narrate).await?;
        let said = answer(&beat, narration.sound.samples(), &narration.words);
        self.said.push((beat, narration));
        Ok(said)
    }

    /// Whether all of it was spoken by the film's current voice.
    fn is_current(&self) -> bool {
        self.said.iter().all(|(_, narration)| self.scheduler.voices.is_current(narration))
    }

    fn spoken(&self) -> Vec<Spoken> {
        let spoken = self.said.iter().map(|(beat, narration)| Spoken {
            text: beat.narration.clone(),
            samples: narration.sound.samples(),
            is_timed_by_program: beat.pause_ms == 0,
        });
        spoken.collect()
    }
}

#[async_trait]
impl Speaker for Narrator<'_, '_> {
    async fn say(&mut self, say: Say) -> Option<Said> {
        match self.speak(&say).await {
            // A run that began with another voice is begun again.
            Ok(said) => self.is_current().then_some(said),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }
}

impl SceneScheduler<'_> {
    /// Plays a program, or finds it played before.
    pub(super) async fn perform<'a>(
        &self,
        scene: &'a Scene,
        program: &ManimScene,
    ) -> Result<RenderedScene<'a>, Failure> {
        let late = || {
            let message = format!("scene {}: there was no time left to draw it", scene.id);
            Failure::scene(JobError::new(Code::RenderTimedOut, message))
        };
        let Ok(_permit) = self.until().run(self.draw_permits.acquire()).await else { return Err(late()) };
        progress::drawing(self.lease, &scene.id);
        let order = self.order(scene, &[]);
        let mut tries = 0;
        loop {
            let until = self.until();
            if until.passed() {
                return Err(late());
            }
            let mut narrator = Narrator::of(self, scene);
            if let Some((recording, clip)) = self.services.renderer.recorded(order, until).await
                && self.speak_again(&recording, &mut narrator).await?
            {
                return Ok(self.rendered(scene, recording.performance, narrator.said, clip));
            }
            if let Some(error) = self.given_up.get(&scene.id) {
                return Err(Failure::scene(error.clone()));
            }
            let mut narrator = Narrator::of(self, scene);
            let words = words_of(scene);
            let played = self.services.renderer.play(order, program, &words, &mut narrator, (until, &self.runners));
            let error = match played.instrument(info_span!("draw")).await {
                Ok(_) if !narrator.is_current() => continue,
                Ok((performance, clip)) => {
                    let recording = Recording { performance, spoken: narrator.spoken() };
                    self.services.renderer.keep(order, &recording, &clip, until).await;
                    return Ok(self.rendered(scene, recording.performance, narrator.said, clip));
                }
                Err(error) => error,
            };
            match narrator.failed {
                Some(error) => return Err(error.into()),
                None if error.code == Code::VoiceExhausted => continue,
                None => {}
            }
            tries += 1;
            // One that timed out would do so again.
            if !error.retryable || error.code == Code::RenderTimedOut || tries == TRIES {
                return Err(Failure::scene(error));
            }
            warn!(code = error.code.name(), "the program failed; it is run again: {}", error.message);
        }
    }

    fn until(&self) -> Deadline {
        self.budget.drawing(self.missing.load(Ordering::Relaxed))
    }

    /// Speaks what was spoken in an earlier run, and says whether it takes as long as it did then. What the voice cache has costs nothing.
    async fn speak_again(&self, recording: &Recording, narrator: &mut Narrator<'_, '_>) -> Result<bool, JobError> {
        for (ask, spoken) in (1..).zip(&recording.spoken) {
            let (text, is_timed_by_program) = (spoken.text.clone(), spoken.is_timed_by_program);
            narrator.speak(&Say { ask, text, is_timed_by_program }).await?;
            let samples = narrator.said.last().map(|(_, narration)| narration.sound.samples());
            if samples != Some(spoken.samples) {
                return Ok(false);
            }
        }
        Ok(narrator.is_current())
    }

    /// What is said in a program, found by a run without pictures; none when it can't be run.
    pub(super) async fn rehearse(
        &self,
        scene: &Scene,
        program: &ManimScene,
    ) -> Result<Option<Vec<(Beat, Narration)>>, JobError> {
        let Ok(_permit) = self.until().run(self.draw_permits.acquire()).await else { return Ok(None) };
        loop {
            let mut narrator = Narrator::of(self, scene);
            let (order, words) = (self.order(scene, &[]), words_of(scene));
            let play = Play { order, program, words: &words, picture: Picture::None(self.folder) };
            let programs = &self.services.renderer.programs;
            let run = programs.run(play, &mut narrator, self.until(), &self.runners).await;
            if let Some(error) = narrator.failed {
                return Err(error);
            }
            match run {
                Ok(_) if narrator.is_current() => return Ok(Some(narrator.said)),
                // Another voice has taken over.
                Ok(_) | Err(StageError::GivenUp) if !self.until().passed() => {}
                Ok(_) => return Ok(None),
                Err(error) => {
                    warn!(%error, "the program can't be rehearsed; its scene's task will say why");
                    return Ok(None);
                }
            }
        }
    }

    /// The scene as the program turned out.
    fn rendered<'a>(
        &self,
        scene: &'a Scene,
        performance: Performance,
        said: Vec<(Beat, Narration)>,
        mut clip: Clip,
    ) -> RenderedScene<'a> {
        let fps = self.quality.fps();
        let guessed: u64 = scene.beats.iter().map(|beat| u64::from(beat.estimate_ms)).sum();
        self.budget.record_length(guessed, clip.frames() * 1000 / u64::from(fps));
        let said_in = |part: &Part| part.ask.and_then(|ask| said.get(ask as usize - 1));
        let (mut beats, mut narrations) = (Vec::new(), Vec::new());
        for (number, part) in performance.parts.iter().enumerate() {
            let room = usize::try_from(part.frames * samples_per_frame(fps)).unwrap_or(usize::MAX);
            let text = part.caption.as_ref().unwrap_or(&part.text);
            let (id, mut narration) = match said_in(part) {
                Some((beat, narration)) => (beat.id.clone(), narration.clone()),
                // Nobody speaks it, and it can be read.
                None => {
                    let silence = Sound::at(None, if text.is_empty() { 0 } else { room });
                    (format!("{}-part-{}", scene.id, number + 1), Narration::silent(silence))
                }
            };
            if said_in(part).is_some_and(|(beat, _)| beat.narration != *text) {
                // The times are those of other words.
                narration.words.clear();
            }
            if narration.sound.samples() > room {
                clip.report.warnings.push(format!("there was no time for all of these words: {text}"));
                narration.sound = narration.sound.shortened(room);
            }
            let (narration_text, actions) = (text.clone(), Vec::new());
            beats.push(Beat {
                id,
                narration: narration_text,
                pause_ms: 0,
                actions,
                estimate_ms: 0,
                cues: Vec::new(),
                place: scene.place,
                holds: Vec::new(),
            });
            narrations.push(narration);
        }
        let used: HashSet<u32> = performance.parts.iter().filter_map(|part| part.ask).collect();
        let unused = (1..).zip(&said).filter(|(ask, _)| !used.contains(ask));
        clip.report
            .warnings
            .extend(unused.map(|(_, (beat, _))| format!("these words are not in the film: {}", beat.narration)));
        if performance.has_own_words && scene.beats.iter().any(|beat| !is_in(&beat.narration, scene)) {
            clip.report
                .warnings
                .push("the words beside the program are not spoken, since the program says its own".to_owned());
        }
        let turned_out = Scene { beats, ..scene.clone() };
        let performance = Some(performance);
        RenderedScene { planned: scene, scene: Cow::Owned(turned_out), narrations, clip, performance }
    }
}

/// Whether these words are the program's own, as the planner has read them: most of them stand in it, with marks and names between.
fn is_in(words: &str, scene: &Scene) -> bool {
    let SceneKind::Manim(program) = &scene.kind else { return false };
    let split = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let source: HashSet<String> = split(&program.source).into_iter().collect();
    let words = split(words);
    let found = words.iter().filter(|word| source.contains(*word)).count();
    found * 5 >= words.len() * 4
}

/// Answers the questions of one run with what another machine has spoken.
pub(super) struct Reader<'h> {
    pub(super) handover: &'h Handover,
    pub(super) scene: &'h Scene,
    pub(super) spoken: Vec<Spoken>,
}

#[async_trait]
impl Speaker for Reader<'_> {
    async fn say(&mut self, say: Say) -> Option<Said> {
        let beat = beat_of(self.scene, &say);
        let (samples, words) = match self.handover.spoken(&beat) {
            Some(spoken) => spoken,
            None => {
                // It is spoken when the film is joined; when it then takes another time, the program is run again.
                warn!(beat = beat.id, "the program says other words than in its rehearsal");
                (beat.estimate_ms as usize * SAMPLE_RATE as usize / 1000, Vec::new())
            }
        };
        let said = answer(&beat, samples, &words);
        let (text, is_timed_by_program) = (say.text, say.is_timed_by_program);
        self.spoken.push(Spoken { text, samples, is_timed_by_program });
        Some(said)
    }
}

/// Draws a program's scene of a narrated film into the cache.
pub(super) async fn draw_alone(
    handover: &Handover,
    order: SceneOrder<'_>,
    program: &ManimScene,
    renderer: &Renderer,
    ends: Deadline,
) -> Result<Clip, JobError> {
    if let Some((recording, clip)) = renderer.recorded(order, ends).await
        && (1..).zip(&recording.spoken).all(|(ask, spoken)| {
            let (text, is_timed_by_program) = (spoken.text.clone(), spoken.is_timed_by_program);
            let beat = beat_of(order.scene, &Say { ask, text, is_timed_by_program });
            handover.spoken(&beat).is_some_and(|(samples, _)| samples == spoken.samples)
        })
    {
        return Ok(Clip { origin: ClipOrigin::Cached, ..clip });
    }
    let runners = Runners::of([], ends);
    let mut reader = Reader { handover, scene: order.scene, spoken: Vec::new() };
    let (performance, clip) =
        renderer.play(order, program, &words_of(order.scene), &mut reader, (ends, &runners)).await?;
    renderer.keep(order, &Recording { performance, spoken: reader.spoken }, &clip, ends).await;
    Ok(clip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(source: &str) -> Scene {
        let program = ManimScene { class: "A".to_owned(), source: source.to_owned() };
        Scene {
            id: "s".into(),
            kind: SceneKind::Manim(program),
            heading: String::new(),
            beats: Vec::new(),
            place: None,
        }
    }

    #[test]
    fn words_of_the_program_itself_are_told_from_words_beside_it() {
        let scene = scene("self.voiceover(text=\"See how the <bookmark mark='a'/>circle grows by {factor}.\")");
        assert!(is_in("See how the circle grows by two.", &scene));
        assert!(is_in("", &scene));
        assert!(!is_in("A square is something else, and this is said beside it.", &scene));
    }

    #[test]
    fn words_begin_where_their_voice_says() {
        let say = Say { ask: 3, text: "Über den Kreis.".to_owned(), is_timed_by_program: false };
        let beat = beat_of(&scene(""), &say);
        assert_eq!((beat.id.as_str(), beat.pause_ms), ("s-say-3", PAUSE_MS));
        let words = [(0, 300), (400, 700), (900, 1_400)].map(|(from_ms, to_ms)| Word { from_ms, to_ms });
        let said = answer(&beat, 96_000, &words);
        assert_eq!(said, Said { seconds: 2.35, words: vec![(0, 0.0), (5, 0.4), (9, 0.9)] });
        assert_eq!(answer(&beat, 96_000, &[]).words, []);
    }
}
