//! One scene's way from words to a clip, and what stands in when there is no way: a still card with the scene's heading and its
//! narration, or, when even that comes too late, nothing. A film with a card in it is a film; a film that never comes is none.
//!
//! In: the storyboard. Out: for each scene its narration and its clip. It never joins anything, and never waits beyond the
//! part of the job's time that [`Budget`] gives it.
//!
//! [`shoot`] does all of it in one process. Of a film that several machines make together, [`narrate`] does the first half, for
//! all scenes have one voice; [`draw_alone`] draws one scene into the cache; and [`shoot`] finds there what they left.

mod budget;
mod sheet;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::try_join_all;
use storyboard::{Beat, OnFailure, Scene, Storyboard};
use tokio::sync::Semaphore;
use tracing::{Instrument as _, Span, info_span, warn};

use crate::assemble::Ledger;
use crate::assemble::ledger::beat_frames;
use crate::assets::Assets;
use crate::deadline::Deadline;
use crate::error::{Code, JobError, Stage};
use crate::job::{Lease, Quality};
use crate::narrate::{Narration, Sound, Voices};
use crate::progress;
use crate::render::{Clip, Film, SceneOrder};
use crate::scratch::clips_beside;
use crate::studio::Studio;

pub use budget::Budget;
pub use sheet::CallSheet;

/// Times that a scene is tried when trying again can help.
const TRIES: u32 = 2;
/// Scenes in a row for which the stage did not start, after which the others don't wait for it any more.
const HOPELESS: u32 = 2;

/// What becomes of words that nobody could speak.
const UNSPOKEN: &str = "its words are shown as captions only";

/// A scene as it goes into the film.
#[derive(Debug)]
pub struct Shot<'a> {
    /// The scene.
    pub scene: &'a Scene,
    /// One for each beat.
    pub narrations: Vec<Narration>,
    /// The picture.
    pub clip: Clip,
}

/// Shoots all scenes, each as soon as it can; scenes wait for a free processor, not for each other. Scenes for which there is
/// not even a still card are left out.
///
/// # Errors
/// What ends the job: everything when the document says `on_failure: fail`, else only that no scene has a clip.
pub async fn shoot<'a>(
    sheet: &'a CallSheet,
    studio: &Studio,
    lease: &Lease,
    folder: &Path,
    assets: &Assets,
    budget: Budget,
) -> Result<Vec<Shot<'a>>, JobError> {
    let storyboard = &sheet.storyboard;
    let mut set = Set::of(sheet, studio, lease, folder, assets, budget);
    set.takes = sheet.takes(&studio.renderer.cache, folder, set.budget.ends.slice(set.budget.ends.left() / 3)).await;
    let shots = storyboard.scenes.iter().map(|scene| set.scene(scene).instrument(set.span(scene)));
    let shots: Vec<_> = try_join_all(shots).await?.into_iter().flatten().collect();
    let shots = set.settled(shots).await?;
    let paid = set.voices.paid_characters();
    let warnings = set.voices.warnings(shots.iter().flat_map(|shot| &shot.narrations));
    lease.change(|status| {
        status.cost.paid_characters += paid;
        status.warnings.extend(warnings);
    });
    // Without a single scene, what kept the first one from the film is the job's own failure.
    match set.left_out.into_inner() {
        Some(late) if shots.is_empty() && late.code == Code::RenderTimedOut.name() => {
            let message = format!("there was no time for a single scene: {}", late.message);
            Err(JobError::new(Code::JobDeadline, message).in_stage(Stage::Render))
        }
        Some(error) if shots.is_empty() => Err(error),
        _ => Ok(shots),
    }
}

/// Speaks the whole film, for others to draw, and puts it on its call sheet.
///
/// # Errors
/// As for [`shoot`]; `job.deadline` when it takes too long, after which it goes on from the cache of voices.
pub async fn narrate(
    mut sheet: CallSheet,
    studio: &Studio,
    lease: &Lease,
    folder: &Path,
    ends: Deadline,
) -> Result<CallSheet, JobError> {
    let assets = Assets::default();
    let set = Set::of(&sheet, studio, lease, folder, &assets, Budget::of_voices(ends));
    let scenes = &sheet.storyboard.scenes;
    let mut said = vec![Vec::new(); scenes.len()];
    let mut open: Vec<usize> = (0..scenes.len()).collect();
    while !open.is_empty() {
        let speak = open.iter().map(|&index| set.spoken(&scenes[index]).instrument(set.span(&scenes[index])));
        for (index, spoken) in open.iter().zip(try_join_all(speak).await?) {
            said[*index] = spoken;
        }
        // A voice that failed later makes void what it spoke before.
        open = (0..scenes.len()).filter(|&index| !set.voices.stand(&said[index])).collect();
    }
    let paid = set.voices.paid_characters();
    lease.change(|status| status.cost.paid_characters += paid);
    if set.budget.drawing(0).passed() && said.iter().flatten().any(|beat| beat.unspoken.is_some()) {
        return Err(JobError::new(Code::JobDeadline, "the film could not be spoken in time").in_stage(Stage::Narrate));
    }
    sheet.take(&said, &studio.renderer.cache, ends).await?;
    Ok(sheet)
}

/// Draws one scene of a film that has been spoken, for others to join, into the cache.
///
/// # Errors
/// `render.…`, or `intake.bad_request` when the call sheet has no such scene.
pub async fn draw_alone(
    sheet: &CallSheet,
    scene: &str,
    studio: &Studio,
    folder: &Path,
    ends: Deadline,
) -> Result<Clip, JobError> {
    let found = sheet.storyboard.scenes.iter().find(|one| one.id == scene);
    let Some((scene, beats)) = found.and_then(|scene| Some((scene, sheet.frames(scene)?))) else {
        return Err(JobError::new(Code::IntakeBadRequest, format!("no scene `{scene}` has been spoken of this film")));
    };
    let assets = Assets::fetch_scene(&sheet.storyboard, scene, &sheet.beside, &studio.store, folder, ends).await;
    let (film, tools) = (film(&sheet.storyboard), studio.layers.versions_sha256());
    let (quality, clips) = (sheet.quality, clips_beside(folder));
    let order = SceneOrder { scene, film: &film, assets: &assets, quality, beats: &beats, tools, clips: &clips };
    match studio.renderer.kept(order, ends).await {
        Some(clip) => Ok(clip),
        None => studio.renderer.clip(order, ends).await,
    }
}

fn film(storyboard: &Storyboard) -> Film {
    let Storyboard { title, theme, language, .. } = storyboard;
    Film { title: title.clone(), theme: theme.to_string(), language: language.clone() }
}

/// The ledger of a film of these shots.
pub fn ledger(shots: &[Shot<'_>], quality: Quality) -> Ledger {
    let scenes = shots.iter().map(|shot| {
        (shot.scene, &shot.clip.report.beats[..], shot.narrations.iter().map(|beat| beat.sound.samples()).collect())
    });
    let mut ledger = Ledger::of(quality.fps(), scenes);
    ledger.time(shots.iter().flat_map(|shot| &shot.narrations).map(|beat| beat.words.clone()));
    ledger
}

/// What the scenes of one film share.
struct Set<'s> {
    /// What was spoken by another machine.
    takes: HashMap<&'s str, Narration>,
    /// Scenes that others tried in vain to draw.
    given_up: HashMap<String, JobError>,
    strict: bool,
    film: Film,
    voices: Voices,
    quality: Quality,
    studio: &'s Studio,
    lease: &'s Lease,
    folder: &'s Path,
    clips: PathBuf,
    assets: &'s Assets,
    budget: Budget,
    /// Scenes without a clip so far.
    missing: AtomicU32,
    /// Scenes in a row for which the stage did not start.
    silent_stage: AtomicU32,
    /// What kept the first scene out of the film that is not in it.
    left_out: OnceLock<JobError>,
    drawing: Semaphore,
    carding: Semaphore,
}

impl<'s> Set<'s> {
    fn of(
        sheet: &'s CallSheet,
        studio: &'s Studio,
        lease: &'s Lease,
        folder: &'s Path,
        assets: &'s Assets,
        budget: Budget,
    ) -> Self {
        let storyboard = &sheet.storyboard;
        let (voices, missing) = Voices::of(storyboard, &studio.layers, &studio.config, &studio.renderer.cache);
        lease.change(|status| status.warnings.extend(missing));
        let parallel = studio.config.parallel;
        let given_up = lease.status().scenes.into_iter().filter_map(|scene| Some((scene.id, scene.error?)));
        Self {
            takes: HashMap::new(),
            given_up: given_up.collect(),
            strict: storyboard.on_failure == Some(OnFailure::Fail),
            film: film(storyboard),
            missing: AtomicU32::new(u32::try_from(storyboard.scenes.len()).unwrap_or(u32::MAX)),
            silent_stage: AtomicU32::new(0),
            left_out: OnceLock::new(),
            drawing: Semaphore::new(parallel),
            carding: Semaphore::new(parallel),
            voices,
            quality: sheet.quality,
            studio,
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

    async fn scene<'a>(&self, scene: &'a Scene) -> Result<Option<Shot<'a>>, JobError> {
        let (narrations, drawn) = self.spoken_and_drawn(scene).await?;
        let clip = match drawn {
            Ok(clip) => Some(clip),
            Err(error) => self.stand_in(scene, &narrations, error).await?,
        };
        self.missing.fetch_sub(1, Ordering::Relaxed);
        progress::shot(self.lease, &scene.id, &narrations, clip.as_ref());
        Ok(clip.map(|clip| Shot { scene, narrations, clip }))
    }

    async fn spoken_and_drawn(&self, scene: &Scene) -> Result<(Vec<Narration>, Result<Clip, JobError>), JobError> {
        loop {
            let narrations = self.spoken(scene).await?;
            if let Some(drawn) = self.draw(scene, &narrations).instrument(info_span!("draw")).await {
                return Ok((narrations, drawn));
            }
        }
    }

    async fn spoken(&self, scene: &Scene) -> Result<Vec<Narration>, JobError> {
        let mut narrations = Vec::new();
        while let Some(beat) = scene.beats.get(narrations.len()) {
            let narrate = info_span!("narrate", beat = beat.id);
            narrations.push(self.narration(scene, beat).instrument(narrate).await?);
            if !self.voices.stand(&narrations) {
                narrations.clear();
            }
        }
        Ok(narrations)
    }

    /// Makes again what a voice that failed later, elsewhere in the film, has made void: at most once for each voice. A scene
    /// that can't be had in the new voice keeps the old one.
    async fn settled<'a>(&self, mut shots: Vec<Shot<'a>>) -> Result<Vec<Shot<'a>>, JobError> {
        let mut kept = vec![false; shots.len()];
        loop {
            let mut again = Vec::new();
            for (shot, kept) in shots.iter_mut().zip(&mut kept) {
                if !*kept && !self.voices.stand(&shot.narrations) {
                    let span = self.span(shot.scene);
                    again.push(self.settle(shot, kept).instrument(span));
                }
            }
            if again.is_empty() {
                break;
            }
            try_join_all(again).await?;
        }
        Ok(shots)
    }

    async fn settle(&self, shot: &mut Shot<'_>, kept: &mut bool) -> Result<(), JobError> {
        match self.again(shot.scene).await {
            Ok((narrations, clip)) => {
                progress::shot_again(self.lease, &shot.scene.id, &narrations, &clip);
                (shot.narrations, shot.clip) = (narrations, clip);
            }
            Err(error) if self.strict => return Err(error),
            Err(error) => {
                warn!(code = error.code, "the scene keeps its voice: {}", error.message);
                progress::keeps_its_voice(self.lease, shot.scene, &error);
                *kept = true;
            }
        }
        Ok(())
    }

    async fn again(&self, scene: &Scene) -> Result<(Vec<Narration>, Clip), JobError> {
        loop {
            let until = self.budget.drawing(0);
            let late = |_| JobError::new(Code::VoiceExhausted, format!("scene {}: no time was left", scene.id));
            let narrations = until.run(self.voices.scene(scene, self.folder, until)).await.map_err(late)??;
            if let Some(drawn) = self.draw(scene, &narrations).await {
                return Ok((narrations, drawn?));
            }
        }
    }

    /// The beat's narration, whose length is known from then on. Words that nobody could speak are silence, for as long as it takes to read their captions.
    async fn narration(&self, scene: &Scene, beat: &Beat) -> Result<Narration, JobError> {
        let said = self.said(scene, beat).await?;
        self.budget.spoken(beat, said.sound.samples());
        Ok(said)
    }

    async fn said(&self, scene: &Scene, beat: &Beat) -> Result<Narration, JobError> {
        if let Some(take) = self.takes.get(&*beat.id) {
            if let Some(error) = &take.unspoken {
                progress::replaced(self.lease, &scene.id, error, UNSPOKEN);
            }
            return Ok(take.clone());
        }
        let until = self.budget.drawing(self.missing.load(Ordering::Relaxed));
        let error = match until.run(self.voices.speak(beat, &scene.id, self.folder, until)).await {
            Ok(Ok(narration)) => return Ok(narration),
            Ok(Err(error)) => error,
            Err(_) => JobError::new(Code::VoiceExhausted, format!("beat {}: no time was left to speak it", beat.id)),
        };
        // Whoever sets a limit wants to be asked before more is spent.
        if self.strict || error.code == Code::VoiceTooDear.name() {
            return Err(error);
        }
        warn!(beat = beat.id, code = error.code, "the beat stays silent: {}", error.message);
        progress::replaced(self.lease, &scene.id, &error, UNSPOKEN);
        Ok(Narration::kept(Sound::silence(beat.estimate_ms), Vec::new(), None, Some(error)))
    }

    /// None when the narration is void before the scene's turn has come.
    async fn draw(&self, scene: &Scene, narrations: &[Narration]) -> Option<Result<Clip, JobError>> {
        let late = || JobError::new(Code::RenderTimedOut, format!("scene {}: no time was left to draw it", scene.id));
        let until = self.budget.drawing(self.missing.load(Ordering::Relaxed));
        let Ok(_turn) = until.run(self.drawing.acquire()).await else { return Some(Err(late())) };
        if !self.voices.stand(narrations) {
            return None;
        }
        progress::drawing(self.lease, &scene.id);
        let beats = self.beats(scene, narrations);
        let order = self.order(scene, &beats);
        // What is there needs no stage, not even one that works.
        if let Some(clip) = self.studio.renderer.kept(order, until).await {
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
            if self.silent_stage.load(Ordering::Relaxed) >= HOPELESS {
                let message = format!("scene {}: the stage did not start for others", scene.id);
                break JobError::new(Code::RenderCouldNotStart, message);
            }
            tries += 1;
            let error = match self.studio.renderer.clip(order, until).await {
                Ok(clip) => {
                    self.silent_stage.store(0, Ordering::Relaxed);
                    return Some(Ok(clip));
                }
                Err(error) => error,
            };
            if error.code == Code::RenderCouldNotStart.name() {
                self.silent_stage.fetch_add(1, Ordering::Relaxed);
            }
            // A scene that took all its time would take it again.
            if !error.retryable || error.code == Code::RenderTimedOut.name() || tries == TRIES {
                break error;
            }
            warn!(code = error.code, "the scene is tried again: {}", error.message);
        };
        Some(Err(failed))
    }

    /// Frames of each beat.
    fn beats(&self, scene: &Scene, narrations: &[Narration]) -> Vec<u64> {
        let beats = scene.beats.iter().zip(narrations);
        beats.map(|(beat, said)| beat_frames(beat, said.sound.samples(), self.quality.fps())).collect()
    }

    fn order<'o>(&'o self, scene: &'o Scene, beats: &'o [u64]) -> SceneOrder<'o> {
        let tools = self.studio.layers.versions_sha256();
        let (film, assets, quality, clips) = (&self.film, self.assets, self.quality, &self.clips);
        SceneOrder { scene, film, assets, quality, beats, tools, clips }
    }

    /// A still card in place of a scene that failed with `error`; none when there is no time for that either.
    async fn stand_in(
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
            let _turn = self.carding.acquire().await;
            let beats = self.beats(scene, narrations);
            self.studio.renderer.cards.clip(self.order(scene, &beats), self.folder, until).await
        });
        match card.await {
            Ok(Ok(card)) => {
                warn!(code = error.code, "a still card stands in: {}", error.message);
                progress::replaced(self.lease, &scene.id, &error, "a still card stands in");
                return Ok(Some(card));
            }
            Ok(Err(failed)) => warn!(code = failed.code, "there is no still card: {}", failed.message),
            Err(_) => {}
        }
        warn!(code = error.code, "the scene is left out: {}", error.message);
        progress::replaced(self.lease, &scene.id, &error, "it is left out, with its narration");
        let _ = self.left_out.set(error);
        Ok(None)
    }
}
