//! The whole story of a job, top to bottom.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use planner_wasm::storyboard::{Beat, Scene, Storyboard};
use tokio::sync::Semaphore;
use tracing::{Instrument as _, info, info_span};

use crate::assemble::{Ledger, ledger::beat_frames};
use crate::deadline::Deadline;
use crate::error::{Code, JobError, Stage};
use crate::job::{Again, Claim, JobId, JobRequest, Lease, Quality, Status};
use crate::narrate::{Narration, Voices};
use crate::publish::{self, Published};
use crate::render::{Clip, Film, SceneOrder};
use crate::scratch::Scratch;
use crate::studio::Studio;
use crate::{intake, plan, progress};

/// Makes a film of `request`, or says in the status why there is none. `ends` is when the caller needs an answer.
///
/// # Errors
/// Only when not even a status could be published.
pub async fn film(request: JobRequest, studio: &Studio, ends: Deadline, again: Again) -> Result<Status, JobError> {
    let id = JobId::of(&request, &studio.recipe());
    let ends = ends.slice(studio.config.job_timeout);
    let span = info_span!("job", job_id = id.as_str());
    let log = studio.logs.begin(id.as_str());
    let work = async {
        let at = Timestamp::now() + SignedDuration::try_from(ends.left()).unwrap_or(SignedDuration::ZERO);
        let lease = match Lease::claim(&studio.store, &id, at, again, ends).await? {
            Claim::Mine(lease) => lease,
            Claim::Done(status) | Claim::Held(status) => return Ok(*status),
        };
        studio.claimed(&lease);
        let until = ends.less(publish::reserve(ends));
        let made = tokio::select! {
            made = until.run(make(request, &id, studio, &lease, until)) => match made {
                Ok(Err(error)) if until.passed() => Err(late(&lease, &error.message)),
                Ok(made) => made,
                Err(_) => Err(late(&lease, "its work was cut off")),
            },
            () = lease.lost() => Err(JobError::new(Code::JobLost, "another worker took the job over")),
            () = studio.interrupted() => Err(JobError::new(Code::JobInterrupted, "the process was told to stop")),
        };
        publish::outcome(made, lease, &id, &log, &studio.store, ends).await
    };
    let outcome = work.instrument(span).await;
    studio.logs.end(&log);
    outcome
}

async fn make(
    request: JobRequest,
    id: &JobId,
    studio: &Studio,
    lease: &Lease,
    ends: Deadline,
) -> Result<Published, JobError> {
    let scratch =
        Scratch::under(studio.scratch.path()).map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))?;
    let wanted = request.quality;

    progress::enter(lease, Stage::Intake, 0.0);
    let document = intake::document(request, &studio.store, ends).await?;

    progress::enter(lease, Stage::Plan, 0.02);
    let limits = plan::Limits::default();
    let planned = studio.sandbox.plan(document, &limits, ends.slice(limits.wall_clock)).await;
    let storyboard = progress::planned(lease, planned)?;
    let quality = wanted.or_else(|| storyboard.quality.as_deref()?.parse().ok()).unwrap_or(Quality::Standard);

    progress::enter(lease, Stage::Render, 0.05);
    let (narrations, clips) = shoot(&storyboard, quality, studio, lease, scratch.path(), ends).await?;

    progress::enter(lease, Stage::Assemble, 0.9);
    let lengths = narrations.iter().map(|beats| beats.iter().map(|beat| beat.sound.samples()).collect());
    let scenes = storyboard.scenes.iter().zip(&clips).zip(lengths);
    let mut ledger =
        Ledger::of(quality.fps(), scenes.map(|((scene, clip), lengths)| (scene, &clip.report.beats[..], lengths)));
    ledger.time(narrations.iter().flatten().map(|beat| beat.words.clone()));
    let words = narrations.iter().flatten().map(|beat| &beat.sound);
    let paths: Vec<_> = clips.iter().map(|clip| clip.path.clone()).collect();
    let film = studio.assembler.film(&storyboard.title, &ledger, &paths, words, scratch.path(), ends).await?;
    info!(seconds = ledger.seconds(), loudness = film.loudness, "assembled");

    progress::enter(lease, Stage::Publish, 0.97);
    publish::film(&film, &storyboard, &ledger, id, &studio.store, ends).await
}

/// Narrates and renders all scenes, each as soon as it can; scenes wait for a free processor, not for each other.
async fn shoot(
    storyboard: &Storyboard,
    quality: Quality,
    studio: &Studio,
    lease: &Lease,
    folder: &Path,
    ends: Deadline,
) -> Result<(Vec<Vec<Narration>>, Vec<Clip>), JobError> {
    let (voices, missing) = Voices::of(storyboard, &studio.layers, &studio.config, &studio.renderer.cache);
    lease.change(|status| status.warnings.extend(missing));
    let Storyboard { title, theme, language, .. } = storyboard;
    let shared = Film { title: title.clone(), theme: theme.clone(), language: language.clone() };
    let drawing = Semaphore::new(studio.config.parallel);
    let tools = studio.layers.versions_sha256();
    let scene = async |scene: &Scene| -> Result<(Vec<Narration>, Clip), JobError> {
        let (narrations, _turn) = loop {
            let narrations = voices.scene(scene, folder, ends).await?;
            let turn = drawing.acquire().await;
            if voices.stand(&narrations) {
                break (narrations, turn);
            }
        };
        let frames = |(beat, said): (&Beat, &Narration)| beat_frames(beat, said.sound.samples(), quality.fps());
        let beats: Vec<u64> = scene.beats.iter().zip(&narrations).map(frames).collect();
        progress::drawing(lease, &scene.id);
        let order = SceneOrder { scene, film: &shared, quality, beats: &beats, tools };
        let clip = studio.renderer.clip(order, folder, ends).await;
        progress::drawn(lease, &scene.id, &narrations, clip.as_ref().ok());
        Ok((narrations, clip?))
    };
    let named = async |one: &Scene| scene(one).instrument(info_span!("scene", scene = one.id)).await;
    Ok(voices.settled(&storyboard.scenes, named).await?.into_iter().unzip())
}

/// Whatever else went wrong: once the deadline has passed, it is what the user has to know.
fn late(lease: &Lease, then: &str) -> JobError {
    let stage = lease.status().stage;
    JobError::new(Code::JobDeadline, format!("the deadline came before the film was ready: {then}")).in_stage(stage)
}
