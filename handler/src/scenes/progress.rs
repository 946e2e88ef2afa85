//! Reports the progress of stages and scenes: each report becomes a [`JobEvent`] of the job's status.

use storyboard::{Scene, Storyboard};
use tracing::{Span, info};

use crate::child;
use crate::deadline::Deadline;
use crate::error::{JobError, Stage};
use crate::job::events::{JobEvent, SceneClip};
use crate::job::status::{BeatVoice, PlannerUse};
use crate::job::{Lease, Status};
use crate::narrate::Narration;
use crate::plan::{PlanError, Planned, Usage, only};
use crate::render::Clip;

/// The job has come to `stage`.
pub fn enter(lease: &Lease, stage: Stage, progress: f64, ends: Deadline) {
    info!(stage = stage.name(), left_s = ends.left().as_secs(), "stage begins");
    lease.report(JobEvent::StageBegan { stage, progress });
}

/// The job is over: records in its span how.
pub fn ended(span: &Span, outcome: Result<&Status, &JobError>) {
    let (state, error) = match outcome {
        Ok(status) => (Some(status.state), status.error.as_ref()),
        Err(error) => (None, Some(error)),
    };
    if let Some(state) = state {
        span.record("state", state.name());
    }
    if let Some(error) = error {
        span.record("code", error.code.name());
        span.record("otel.status_code", "ERROR");
    }
}

/// The planner has answered: its use of resources goes into the status, its storyboard to the next stage.
///
/// # Errors
/// The planner's own error, as the job's.
pub fn planned(lease: &Lease, planned: Result<Planned, PlanError>, scenes: &[String]) -> Result<Storyboard, JobError> {
    let usage = match &planned {
        Ok(planned) => Some(&planned.usage),
        Err(error) => error.usage(),
    };
    lease.report(JobEvent::PlannerRan(usage.map(used)));
    let storyboard = only(planned?.storyboard, scenes)?;
    info!(scenes = storyboard.scenes.len(), warnings = storyboard.warnings.len(), "the film is planned");
    lease.report(JobEvent::Planned {
        title: storyboard.title.clone(),
        scenes: storyboard.scenes.iter().map(|scene| scene.id.clone()).collect(),
        warnings: storyboard.warnings.clone(),
    });
    Ok(storyboard)
}

fn used(usage: &Usage) -> PlannerUse {
    PlannerUse {
        sha256: usage.sha256.clone(),
        fuel_used: usage.fuel_used,
        fuel_limit: usage.fuel_limit,
        memory_used: usage.memory_used,
        memory_limit: usage.memory_limit,
        output_bytes: usage.output_bytes,
    }
}

/// A scene's narration is there, and it is being drawn.
pub fn drawing(lease: &Lease, scene: &str) {
    lease.report(JobEvent::SceneBegan { scene: scene.to_owned() });
}

/// A scene, or a part of it, was replaced; `instead` says by what, as a clause.
pub fn replaced(lease: &Lease, scene: &str, error: &JobError, instead: &str) {
    let (scene, error, instead) = (scene.to_owned(), error.clone(), instead.to_owned());
    lease.report(JobEvent::SceneReplaced { scene, error, instead });
}

/// A scene has its clip, or is left out.
pub fn scene_made(lease: &Lease, scene: &str, narrations: &[Narration], clip: Option<&Clip>) {
    let confinement = child::granted().and_then(|granted| serde_json::to_value(granted).ok());
    lease.report(JobEvent::SceneMade {
        scene: scene.to_owned(),
        clip: clip.map(seen),
        voices: voices(narrations),
        confinement: confinement.unwrap_or_default(),
    });
}

/// A scene was made again, in another voice.
pub fn scene_remade(lease: &Lease, scene: &str, narrations: &[Narration], clip: &Clip) {
    let (scene, clip, voices) = (scene.to_owned(), seen(clip), voices(narrations));
    lease.report(JobEvent::SceneRemade { scene, clip, voices });
}

/// A scene could not be made again in another voice, and keeps the old one.
pub fn voice_kept(lease: &Lease, scene: &Scene, error: &JobError) {
    let (id, why) = (scene.id.clone(), error.message.clone());
    lease.report(JobEvent::SceneKeptVoice { scene: id, place: scene.place, why });
}

/// A task of its own has drawn a scene in so many seconds, or failed to.
pub fn drawn_alone(scene: &str, clip: Result<&Clip, &JobError>, seconds: f64) -> JobEvent {
    let clip = clip.map(seen).map_err(JobError::clone);
    JobEvent::SceneDrawnAlone { scene: scene.to_owned(), clip, seconds }
}

fn seen(clip: &Clip) -> SceneClip {
    SceneClip {
        origin: clip.origin,
        frames: clip.frames(),
        warnings: clip.report.warnings.clone(),
        audit: clip.report.audit,
        beat_audits: clip.report.beat_audits.clone(),
    }
}

fn voices(narrations: &[Narration]) -> Vec<BeatVoice> {
    narrations.iter().filter_map(|narration| narration.voice.clone()).collect()
}
