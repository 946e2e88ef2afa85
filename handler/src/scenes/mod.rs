//! Makes each scene: its narration and its clip. When a scene can't be drawn, a still card with its heading and narration replaces
//! it; when there is no time for that either, the scene is left out. A film with a still card is better than no film.
//!
//! In: the storyboard. Out: for each scene its narration and its clip. It never joins clips, and never waits beyond the
//! part of the job's time that [`Budget`] gives it.
//!
//! [`make`] does all of it in one process. For a film that several machines make together, [`narrate`] speaks all scenes, since
//! they have one voice; [`draw_alone`] draws one scene into the cache; and [`make`] then finds the narration and the clips there.

mod budget;
mod cues;
mod handover;
mod programs;
pub mod progress;
mod recordings;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use futures::future::try_join_all;
use storyboard::{Beat, OnFailure, Scene, SceneKind};
use tokio::sync::{Semaphore, oneshot};
use tracing::{Instrument as _, Span, info_span, warn};

use crate::assemble::ledger::{Section, UnspokenCaption, beat_frames};
use crate::assemble::{Ledger, Script};
use crate::deadline::Deadline;
use crate::error::{Code, JobError, Stage};
use crate::intake::assets::Assets;
use crate::job::events::JobEvent;
use crate::job::{Lease, Quality};
use crate::narrate::{Narration, Sound, Voices};
use crate::render::{self, Clip, Film, Performance, Runners, SceneOrder};
use crate::scratch::clips_beside;
use crate::services::Services;

pub use budget::Budget;
pub use handover::Handover;
use recordings::Narrations;
pub use recordings::prepared;

/// Attempts at a scene whose error is retryable.
const TRIES: u32 = 2;
/// After so many scenes in a row for which the stage did not start, the others don't wait for it.
const STAGE_FAILURES: u32 = 2;

/// What replaces the sound of words that no voice could speak.
const UNSPOKEN: &str = "its words are shown as captions only";

/// A scene as it goes into the film.
#[derive(Debug)]
pub struct RenderedScene<'a> {
    /// The scene as the storyboard has it.
    pub planned: &'a Scene,
    /// The same; of a Manim program with the beats as which it turned out.
    pub scene: Cow<'a, Scene>,
    /// One for each beat.
    pub narrations: Vec<Narration>,
    /// The picture.
    pub clip: Clip,
    /// What a Manim program has in its clip.
    pub performance: Option<Performance>,
}

impl<'a> RenderedScene<'a> {
    fn of(planned: &'a Scene, narrations: Vec<Narration>, clip: Clip) -> Self {
        Self { planned, scene: Cow::Borrowed(planned), narrations, clip, performance: None }
    }
}

/// Makes all scenes, each as soon as it can; scenes wait for a free processor, not for each other. Scenes for which there is
/// not even a still card are left out.
///
/// # Errors
/// Every error when the document says `on_failure: fail`, else only that no scene has a clip.
pub async fn make<'a>(
    handover: &'a Handover,
    services: &Services,
    lease: &Lease,
    folder: &Path,
    assets: &Assets,
    budget: Budget,
    spoken: oneshot::Sender<Script>,
) -> Result<Vec<RenderedScene<'a>>, JobError> {
    let storyboard = &handover.storyboard;
    let mut scheduler = SceneScheduler::of(handover, services, lease, folder, assets, budget);
    scheduler.heard = Some(Mutex::new(Heard { scenes: vec![None; storyboard.scenes.len()], tell: Some(spoken) }));
    scheduler.narrated = handover
        .narrated(&services.renderer.cache, folder, scheduler.budget.ends.slice(scheduler.budget.ends.left() / 3))
        .await;
    let rendered = storyboard.scenes.iter().map(|scene| scheduler.scene(scene).instrument(scheduler.span(scene)));
    let rendered: Vec<_> = try_join_all(rendered).await?.into_iter().flatten().collect();
    let rendered = scheduler.remake_outdated(rendered).await?;
    let paid = scheduler.voices.paid_characters();
    let warnings = scheduler.voices.warnings(rendered.iter().flat_map(|made| &made.narrations));
    lease.report(JobEvent::Paid(paid));
    lease.report(JobEvent::Warned(warnings));
    // Without any scene, the error of the first one is the job's.
    match scheduler.left_out.into_inner() {
        Some(late) if rendered.is_empty() && late.code == Code::RenderTimedOut => {
            let message = format!("not a single scene was ready in time: {}", late.message);
            Err(JobError::new(Code::JobDeadline, message).in_stage(Stage::Render))
        }
        Some(error) if rendered.is_empty() => Err(error),
        _ => Ok(rendered),
    }
}

/// Speaks the whole film, for other machines to draw, and records the narration in the handover.
///
/// # Errors
/// As for [`make`]; `job.deadline` when it took too long; the next attempt continues from the voice cache.
pub async fn narrate(
    mut handover: Handover,
    services: &Services,
    lease: &Lease,
    folder: &Path,
    ends: Deadline,
) -> Result<Handover, JobError> {
    // What programs say may depend on files; nothing else is drawn here.
    let programs: Vec<&Scene> =
        handover.storyboard.scenes.iter().filter(|scene| matches!(scene.kind, SceneKind::Manim(_))).collect();
    let Handover { storyboard, asset_base, .. } = &handover;
    let assets = Assets::fetch_scenes(storyboard, &programs, asset_base, &services.store, folder, ends).await;
    let scheduler = SceneScheduler::of(&handover, services, lease, folder, &assets, Budget::of_voices(ends));
    let scenes = &handover.storyboard.scenes;
    let mut said = vec![Vec::new(); scenes.len()];
    let mut open: Vec<usize> = (0..scenes.len()).collect();
    while !open.is_empty() {
        let speak =
            open.iter().map(|&index| scheduler.rehearsed(&scenes[index]).instrument(scheduler.span(&scenes[index])));
        for (index, spoken) in open.iter().zip(try_join_all(speak).await?) {
            said[*index] = spoken;
        }
        // When a voice fails, scenes that it has spoken before are spoken again.
        open = (0..scenes.len())
            .filter(|&index| !said[index].iter().all(|(_, beat)| scheduler.voices.is_current(beat)))
            .collect();
    }
    let paid = scheduler.voices.paid_characters();
    lease.report(JobEvent::Paid(paid));
    if scheduler.budget.drawing(0).passed() && said.iter().flatten().any(|(_, beat)| beat.unspoken.is_some()) {
        return Err(JobError::new(Code::JobDeadline, "the narration of the film was not ready in time")
            .in_stage(Stage::Narrate));
    }
    handover.record(&said, &services.renderer.cache, ends).await?;
    Ok(handover)
}

/// Draws one scene of a narrated film into the cache, for another machine to join.
///
/// # Errors
/// `render.…`, or `intake.bad_request` when the handover has no such scene.
pub async fn draw_alone(
    handover: &Handover,
    scene: &str,
    services: &Services,
    folder: &Path,
    ends: Deadline,
) -> Result<Clip, JobError> {
    let found = handover.storyboard.scenes.iter().find(|one| one.id == scene);
    let timed = |scene| handover.timed(scene);
    let frames = |scene: &Scene| match &scene.kind {
        // It says itself how long it is.
        SceneKind::Manim(_) => Some(Vec::new()),
        _ => handover.frames(scene),
    };
    let Some((scene, beats)) = found.and_then(|scene| Some((timed(scene), frames(scene)?))) else {
        return Err(JobError::new(Code::IntakeBadRequest, format!("the handover has no narrated scene `{scene}`")));
    };
    let Handover { storyboard, asset_base, .. } = handover;
    let scene = &*scene;
    let assets = Assets::fetch_scenes(storyboard, &[scene], asset_base, &services.store, folder, ends).await;
    let (film, tools) = (Film::of(&handover.storyboard), services.layers.versions_sha256());
    let (quality, clips) = (handover.quality, clips_beside(folder));
    let order = SceneOrder { scene, film: &film, assets: &assets, quality, beats: &beats, tools, clips: &clips };
    if let SceneKind::Manim(program) = &scene.kind {
        return programs::draw_alone(handover, order, program, &services.renderer, ends).await;
    }
    match services.renderer.cached(order, ends).await {
        Some(clip) => Ok(clip),
        None => services.renderer.clip(order, ends).await,
    }
}

/// The ledger of a film of these scenes.
pub fn ledger(rendered: &[RenderedScene<'_>], quality: Quality) -> Ledger {
    let scenes = rendered.iter().map(|made| {
        (&*made.scene, &made.clip.report.beats[..], made.narrations.iter().map(|beat| beat.sound.samples()).collect())
    });
    let mut ledger = Ledger::of(quality.fps(), scenes);
    ledger.time(rendered.iter().flat_map(|made| &made.narrations).map(|beat| beat.words.clone()));
    for (entry, made) in ledger.scenes.iter_mut().zip(rendered) {
        entry.still = made.clip.report.still;
        let Some(performance) = &made.performance else { continue };
        let first = entry.first_frame;
        let section = |one: &render::Chapter| Section { first_frame: first + one.first_frame, name: one.name.clone() };
        entry.sections = performance.chapters.iter().map(section).collect();
        let caption = |one: &render::Caption| UnspokenCaption {
            first_frame: first + one.first_frame,
            frames: one.frames,
            text: one.text.clone(),
        };
        entry.captions = performance.captions.iter().map(caption).collect();
    }
    ledger
}

/// Why a scene was not made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The whole job ends.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The scene can't be drawn; the film goes on, with what is spoken in it.
    #[error("{error}")]
    Scene { error: JobError, narrations: Vec<Narration> },
}

impl Failure {
    fn scene(error: JobError) -> Self {
        Self::Scene { error, narrations: Vec::new() }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Job(error) | Failure::Scene { error, .. } => error,
        }
    }
}

/// What is spoken so far in a film that is being made.
struct Heard {
    /// Frames and words of each scene's beats, in film order.
    scenes: Vec<Option<(Vec<u64>, Vec<Sound>)>>,
    /// Who waits for all of it.
    tell: Option<oneshot::Sender<Script>>,
}

/// What the scenes of one film share.
struct SceneScheduler<'s> {
    scenes: &'s [Scene],
    /// None when nobody waits for it.
    heard: Option<Mutex<Heard>>,
    /// The narration that another machine has made, by beat and text.
    narrated: HashMap<(&'s str, &'s str), Narration>,
    /// The narration that the author has recorded, by beat.
    recorded: &'s Narrations,
    /// Scenes that tasks of their own could not draw.
    given_up: HashMap<String, JobError>,
    strict: bool,
    film: Film,
    voices: Voices,
    quality: Quality,
    services: &'s Services,
    lease: &'s Lease,
    folder: &'s Path,
    clips: PathBuf,
    assets: &'s Assets,
    budget: Budget,
    /// Scenes without a clip so far.
    missing: AtomicU32,
    /// Scenes in a row for which the stage did not start.
    stage_failures: AtomicU32,
    /// The error of the first scene that was left out.
    left_out: OnceLock<JobError>,
    /// Of Manim programs.
    runners: Runners,
    draw_permits: Semaphore,
    card_permits: Semaphore,
}

impl<'s> SceneScheduler<'s> {
    fn of(
        handover: &'s Handover,
        services: &'s Services,
        lease: &'s Lease,
        folder: &'s Path,
        assets: &'s Assets,
        budget: Budget,
    ) -> Self {
        let storyboard = &handover.storyboard;
        let (cache, neural) = (&services.renderer.cache, &services.neural_voices);
        let (voices, missing) = Voices::of(storyboard, &services.layers, neural, &services.config, cache);
        lease.report(JobEvent::Warned(missing));
        let parallel = services.config.parallel;
        let programs = storyboard.scenes.iter().filter_map(|scene| match &scene.kind {
            SceneKind::Manim(program) => Some(program),
            _ => None,
        });
        let given_up = lease.status().scenes.into_iter().filter_map(|scene| Some((scene.id, scene.error?)));
        Self {
            scenes: &storyboard.scenes,
            heard: None,
            narrated: HashMap::new(),
            recorded: &handover.recorded,
            given_up: given_up.collect(),
            strict: storyboard.on_failure == Some(OnFailure::Fail),
            film: Film::of(storyboard),
            missing: AtomicU32::new(u32::try_from(storyboard.scenes.len()).unwrap_or(u32::MAX)),
            stage_failures: AtomicU32::new(0),
            left_out: OnceLock::new(),
            runners: Runners::of(programs, budget.ends),
            draw_permits: Semaphore::new(parallel),
            card_permits: Semaphore::new(parallel),
            voices,
            quality: handover.quality,
            services,
            lease,
            folder,
            clips: clips_beside(folder),
            assets,
            budget,
        }
    }

    fn span(&self, scene: &Scene) -> Span {
        info_span!("scene", scene = scene.id, left_s = self.budget.ends.left().as_secs())
    }

    async fn scene<'a>(&self, scene: &'a Scene) -> Result<Option<RenderedScene<'a>>, JobError> {
        let made = match self.drawn(scene).await {
            Ok(made) => Some(made),
            Err(Failure::Job(error)) => return Err(error),
            Err(Failure::Scene { error, narrations }) => {
                let card = self.replace(scene, &narrations, error).await?;
                if card.is_none() {
                    progress::scene_made(self.lease, &scene.id, &narrations, None);
                }
                card.map(|clip| RenderedScene::of(scene, narrations, clip))
            }
        };
        self.missing.fetch_sub(1, Ordering::Relaxed);
        if let Some(made) = &made {
            progress::scene_made(self.lease, &scene.id, &made.narrations, Some(&made.clip));
            self.check_whole(made)?;
        }
        Ok(made)
    }

    /// The scene in its narration's time.
    async fn drawn<'a>(&self, scene: &'a Scene) -> Result<RenderedScene<'a>, Failure> {
        if let SceneKind::Manim(program) = &scene.kind {
            return match Box::pin(self.perform(scene, program)).await {
                // The card has the words that the document has for it.
                Err(Failure::Scene { error, .. }) => {
                    Err(Failure::Scene { error, narrations: self.speak(scene).await? })
                }
                other => other,
            };
        }
        loop {
            let narrations = self.speak(scene).await?;
            self.record_heard(scene, &narrations);
            match self.draw(scene, &narrations).instrument(info_span!("draw")).await {
                Some(Ok(clip)) => return Ok(RenderedScene::of(scene, narrations, clip)),
                Some(Err(error)) => return Err(Failure::Scene { error, narrations }),
                // A voice was given up meanwhile.
                None => {}
            }
        }
    }

    /// Once all scenes are spoken, tells who waits for that.
    fn record_heard(&self, scene: &Scene, narrations: &[Narration]) {
        let Some(heard) = &self.heard else { return };
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.scenes.iter().position(|one| one.id == scene.id);
        let Some(said) = place.and_then(|place| heard.scenes.get_mut(place)) else { return };
        let words = narrations.iter().map(|said| said.sound.clone()).collect();
        *said = Some((self.beat_frames(scene, narrations), words));
        let Some(all) = heard.scenes.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else { return };
        let samples = |words: &[Sound]| words.iter().map(Sound::samples).collect();
        let scenes = self.scenes.iter().zip(&all).map(|(scene, (frames, words))| (scene, &frames[..], samples(words)));
        let ledger = Ledger::of(self.quality.fps(), scenes);
        let script = Script { ledger, words: all.iter().flat_map(|(_, words)| words).cloned().collect() };
        if let Some(tell) = heard.tell.take() {
            // It may have ended.
            let _ = tell.send(script);
        }
    }

    /// Reports a program that was broken off: what it drew before that stays in the film.
    fn check_whole(&self, made: &RenderedScene<'_>) -> Result<(), JobError> {
        let broken_off = made.performance.as_ref().and_then(|performance| performance.broken_off.as_ref());
        let Some((error, seconds)) = broken_off else { return Ok(()) };
        let error = error.clone().at(made.scene.place);
        if self.strict {
            return Err(error);
        }
        warn!(code = error.code.name(), seconds, "the program was broken off: {}", error.message);
        let shown = match *seconds {
            // It had put something on the screen, and played nothing.
            ..0.05 => "the film shows what was on the screen then".to_owned(),
            seconds => format!("the film shows the {seconds:.1} s before it"),
        };
        progress::replaced(self.lease, &made.scene.id, &error, &shown);
        Ok(())
    }

    /// What is spoken in a scene: its beats, or what its program asks for.
    async fn rehearsed(&self, scene: &Scene) -> Result<Vec<(Beat, Narration)>, JobError> {
        if let SceneKind::Manim(program) = &scene.kind
            && let Some(said) = Box::pin(self.rehearse(scene, program)).await?
        {
            return Ok(said);
        }
        let narrations = self.speak(scene).await?;
        Ok(scene.beats.iter().cloned().zip(narrations).collect())
    }

    async fn speak(&self, scene: &Scene) -> Result<Vec<Narration>, JobError> {
        let mut narrations = Vec::new();
        while let Some(beat) = scene.beats.get(narrations.len()) {
            let narrate = info_span!("narrate", beat = beat.id);
            narrations.push(self.narration(scene, beat).instrument(narrate).await?);
            if !self.voices.all_current(&narrations) {
                narrations.clear();
            }
        }
        Ok(narrations)
    }

    /// Makes scenes again whose voice has failed since, elsewhere in the film: at most once for each voice. A scene that can't be
    /// made in the new voice keeps the old one.
    async fn remake_outdated<'a>(
        &self,
        mut rendered: Vec<RenderedScene<'a>>,
    ) -> Result<Vec<RenderedScene<'a>>, JobError> {
        let mut kept = vec![false; rendered.len()];
        loop {
            let mut outdated = Vec::new();
            for (made, kept) in rendered.iter_mut().zip(&mut kept) {
                if !*kept && !self.voices.all_current(&made.narrations) {
                    let span = self.span(&made.scene);
                    outdated.push(self.remake(made, kept).instrument(span));
                }
            }
            if outdated.is_empty() {
                break;
            }
            try_join_all(outdated).await?;
        }
        Ok(rendered)
    }

    async fn remake(&self, made: &mut RenderedScene<'_>, kept: &mut bool) -> Result<(), JobError> {
        match self.speak_and_draw_again(made.planned).await {
            Ok(again) => {
                progress::scene_remade(self.lease, &again.scene.id, &again.narrations, &again.clip);
                *made = again;
            }
            Err(error) if self.strict => return Err(error),
            Err(error) => {
                warn!(
                    code = error.code.name(),
                    "the scene keeps the voice that failed elsewhere, since it can't be made again: {}", error.message
                );
                progress::voice_kept(self.lease, &made.scene, &error);
                *kept = true;
            }
        }
        Ok(())
    }

    async fn speak_and_draw_again<'a>(&self, scene: &'a Scene) -> Result<RenderedScene<'a>, JobError> {
        if let SceneKind::Manim(program) = &scene.kind {
            return Ok(Box::pin(self.perform(scene, program)).await?);
        }
        loop {
            let until = self.budget.drawing(0);
            let late = |_| {
                JobError::new(
                    Code::VoiceExhausted,
                    format!("scene {}: there was no time left to speak it again", scene.id),
                )
            };
            let spoken = self.voices.scene(scene, self.recorded, self.folder, until);
            let narrations = until.run(spoken).await.map_err(late)??;
            if let Some(drawn) = self.draw(scene, &narrations).await {
                return Ok(RenderedScene::of(scene, narrations, drawn?));
            }
        }
    }

    /// The beat's narration, whose length then replaces the estimate in the budget. Words that no voice could speak become silence,
    /// for as long as reading their captions takes.
    async fn narration(&self, scene: &Scene, beat: &Beat) -> Result<Narration, JobError> {
        let said = self.speak_beat(scene, beat).await?;
        self.budget.record_spoken(beat, said.sound.samples());
        Ok(said)
    }

    async fn speak_beat(&self, scene: &Scene, beat: &Beat) -> Result<Narration, JobError> {
        if let Some(narration) = self.recorded.get(&beat.id) {
            return Ok(narration.clone());
        }
        if let Some(narration) = self.narrated.get(&(&*beat.id, &*beat.narration)) {
            if let Some(error) = &narration.unspoken {
                progress::replaced(self.lease, &scene.id, error, UNSPOKEN);
            }
            return Ok(narration.clone());
        }
        let until = self.budget.drawing(self.missing.load(Ordering::Relaxed));
        let error = match until.run(self.voices.speak(beat, &scene.id, self.folder, until)).await {
            Ok(Ok(narration)) => return Ok(narration),
            Ok(Err(error)) => error,
            Err(_) => {
                JobError::new(Code::VoiceExhausted, format!("beat {}: there was no time left to speak it", beat.id))
            }
        };
        // A limit on characters ends the job: silence would hide that it was reached.
        if self.strict || error.code == Code::VoiceTooDear {
            return Err(error);
        }
        warn!(
            beat = beat.id,
            code = error.code.name(),
            "no voice could speak the beat; it is silent, and its words are shown as captions: {}",
            error.message
        );
        progress::replaced(self.lease, &scene.id, &error, UNSPOKEN);
        Ok(Narration::restored(Sound::silence(beat.estimate_ms), Vec::new(), None, Some(error)))
    }

    /// Draws the scene. None when its narration is outdated by the time a processor is free.
    async fn draw(&self, scene: &Scene, narrations: &[Narration]) -> Option<Result<Clip, JobError>> {
        let late =
            || JobError::new(Code::RenderTimedOut, format!("scene {}: there was no time left to draw it", scene.id));
        let until = self.budget.drawing(self.missing.load(Ordering::Relaxed));
        let Ok(_permit) = until.run(self.draw_permits.acquire()).await else { return Some(Err(late())) };
        if !self.voices.all_current(narrations) {
            return None;
        }
        progress::drawing(self.lease, &scene.id);
        let beats = self.beat_frames(scene, narrations);
        let timed = cues::timed(scene, narrations.iter().map(|said| (said.sound.samples(), &*said.words)));
        let order = self.order(&timed, &beats);
        // A cached clip needs no stage.
        if let Some(clip) = self.services.renderer.cached(order, until).await {
            return Some(Ok(clip));
        }
        if let Some(error) = self.given_up.get(&scene.id) {
            return Some(Err(error.clone()));
        }
        let mut tries = 0;
        let failed = loop {
            let until = self.budget.drawing(self.missing.load(Ordering::Relaxed));
            if until.passed() {
                break late();
            }
            if self.stage_failures.load(Ordering::Relaxed) >= STAGE_FAILURES {
                let message =
                    format!("scene {}: not tried, since the stage did not start for the scenes before it", scene.id);
                break JobError::new(Code::RenderCouldNotStart, message);
            }
            tries += 1;
            let error = match self.services.renderer.clip(order, until).await {
                Ok(clip) => {
                    self.stage_failures.store(0, Ordering::Relaxed);
                    return Some(Ok(clip));
                }
                Err(error) => error,
            };
            if error.code == Code::RenderCouldNotStart {
                self.stage_failures.fetch_add(1, Ordering::Relaxed);
            }
            // A scene that timed out would time out again.
            if !error.retryable || error.code == Code::RenderTimedOut || tries == TRIES {
                break error;
            }
            warn!(code = error.code.name(), "drawing the scene failed; it is tried again: {}", error.message);
        };
        Some(Err(failed))
    }

    /// Frames of each beat.
    fn beat_frames(&self, scene: &Scene, narrations: &[Narration]) -> Vec<u64> {
        beat_frames(scene, narrations.iter().map(|said| said.sound.samples()), self.quality.fps())
    }

    fn order<'o>(&'o self, scene: &'o Scene, beats: &'o [u64]) -> SceneOrder<'o> {
        let tools = self.services.layers.versions_sha256();
        let (film, assets, quality, clips) = (&self.film, self.assets, self.quality, &self.clips);
        SceneOrder { scene, film, assets, quality, beats, tools, clips }
    }

    /// Makes a still card in place of a scene that failed with `error`; none when there is no time for that either.
    async fn replace(
        &self,
        scene: &Scene,
        narrations: &[Narration],
        error: JobError,
    ) -> Result<Option<Clip>, JobError> {
        if self.strict {
            return Err(error);
        }
        let until = self.budget.cards();
        let card = until.run(async {
            let _permit = self.card_permits.acquire().await;
            let beats = self.beat_frames(scene, narrations);
            self.services.renderer.cards.clip(self.order(scene, &beats), self.folder, until).await
        });
        match card.await {
            Ok(Ok(card)) => {
                warn!(code = error.code.name(), "the scene is replaced by a still card: {}", error.message);
                progress::replaced(self.lease, &scene.id, &error, "it is replaced by a still card");
                return Ok(Some(card));
            }
            Ok(Err(failed)) => {
                warn!(code = failed.code.name(), "the still card could not be made either: {}", failed.message)
            }
            Err(_) => {}
        }
        warn!(code = error.code.name(), "the scene is left out of the film: {}", error.message);
        progress::replaced(self.lease, &scene.id, &error, "it is left out of the film, with its narration");
        let _ = self.left_out.set(error);
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
