//! What the pipeline writes into the status as it goes.

use storyboard::{Scene, Storyboard, Warning};
use tracing::{Span, info};

use crate::child;
use crate::deadline::Deadline;
use crate::error::{JobError, Stage};
use crate::job::status::{Audit, PlannerUse, Ran, SceneState, SceneStatus, State};
use crate::job::{Lease, Status};
use crate::narrate::Narration;
use crate::plan::{PlanError, Planned, Usage};
use crate::render::{Clip, Made};

/// The part of a job's time that rendering takes, as progress from and to.
const RENDERING: (f64, f64) = (0.05, 0.9);

/// The job has come to `stage`.
pub fn enter(lease: &Lease, stage: Stage, progress: f64, ends: Deadline) {
    info!(stage = stage.name(), left_s = ends.left().as_secs(), "begins");
    let at = lease.held().as_secs_f64();
    lease.change(|status| {
        status.state = State::Running;
        status.stage = stage;
        // What another machine has done is done.
        status.progress = status.progress.max(progress);
        end(status, None, at);
        status.timeline.push(Ran { stage, scene: None, from: at, to: None });
    });
}

/// What runs of the scene, or of the job itself, has its end at `at` seconds.
fn end(status: &mut Status, scene: Option<&str>, at: f64) {
    let open = status.timeline.iter_mut().filter(|ran| ran.to.is_none() && ran.scene.as_deref() == scene);
    open.for_each(|ran| ran.to = Some(at));
}

/// The job is over: its span says how.
pub fn ended(span: &Span, outcome: Result<&Status, &JobError>) {
    let (state, error) = match outcome {
        Ok(status) => (Some(status.state), status.error.as_ref()),
        Err(error) => (None, Some(error)),
    };
    if let Some(state) = state {
        span.record("state", state.name());
    }
    if let Some(error) = error {
        span.record("code", error.code.as_str());
        span.record("otel.status_code", "ERROR");
    }
}

/// The planner has answered: its use goes into the status, its storyboard on to the next stage.
///
/// # Errors
/// The planner's own error, as the job's.
pub fn planned(lease: &Lease, planned: Result<Planned, PlanError>) -> Result<Storyboard, JobError> {
    let usage = match &planned {
        Ok(planned) => Some(&planned.usage),
        Err(error) => error.usage(),
    };
    let usage = usage.map(used);
    lease.change(|status| status.planner = usage);
    let storyboard = planned?.storyboard;
    info!(scenes = storyboard.scenes.len(), warnings = storyboard.warnings.len(), "planned");
    let scene = |id: &String| SceneStatus {
        id: id.clone(),
        state: SceneState::Waiting,
        frames: 0,
        warnings: Vec::new(),
        audits: Vec::new(),
        replaced: None,
        error: None,
    };
    lease.change(|status| {
        status.title.clone_from(&storyboard.title);
        status.warnings.extend(storyboard.warnings.iter().cloned());
        status.scenes = storyboard.scenes.iter().map(|one| scene(&one.id)).collect();
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

/// A scene's narration is there, and it is its turn on the stage.
pub fn drawing(lease: &Lease, scene: &str) {
    let from = lease.held().as_secs_f64();
    let draws = |scene: &mut SceneStatus| {
        // Not again what a task of its own has drawn.
        if scene.state != SceneState::Rendered {
            scene.state = SceneState::Rendering;
        }
    };
    lease.change(|status| {
        of_scene(status, scene, draws);
        status.timeline.push(Ran { stage: Stage::Render, scene: Some(scene.to_owned()), from, to: None });
    });
}

/// Something else stands in a scene's place, or in a part of it; `then` says what.
pub fn replaced(lease: &Lease, scene: &str, error: &JobError, then: &str) {
    let why = format!("{}: {}; {then}", error.code, error.message);
    lease.change(|status| {
        let place = error.place;
        status.warnings.push(Warning {
            code: error.code.clone(),
            message: format!("{}; {then}", error.message),
            place,
        });
        of_scene(status, scene, |scene| match &mut scene.replaced {
            // Many beats of one scene fail for one reason.
            Some(_) => {}
            none => *none = Some(why),
        });
    });
}

/// A scene has its clip, or is left out.
pub fn shot(lease: &Lease, scene: &str, narrations: &[Narration], clip: Option<&Clip>) {
    let confinement = child::granted().and_then(|granted| serde_json::to_value(granted).ok());
    let at = lease.held().as_secs_f64();
    lease.change(|status| {
        status.confinement = confinement.unwrap_or_default();
        end(status, Some(scene), at);
        status.voices.extend(narrations.iter().filter_map(|narration| narration.voice.clone()));
        of_scene(status, scene, |scene| match clip {
            Some(clip) => {
                let here = scene.state != SceneState::Rendered;
                scene.state = match clip.made {
                    Made::Drawn => SceneState::Rendered,
                    Made::Cached if !here => SceneState::Rendered,
                    Made::Cached => SceneState::Cached,
                    Made::Card => SceneState::Still,
                };
                scene.frames = clip.frames();
                scene.warnings.clone_from(&clip.report.warnings);
                scene.audits.clone_from(&clip.report.beat_audits);
            }
            None => scene.state = SceneState::LeftOut,
        });
        drawn(status);
        let Some(clip) = clip else { return };
        let state = status.scenes.iter().find(|other| other.id == scene).map(|scene| scene.state);
        match state {
            Some(SceneState::Rendered) => status.cache.misses += 1,
            Some(SceneState::Cached) => status.cache.hits += 1,
            _ => {}
        }
        let (audit, seen) = (status.audit.unwrap_or_default(), clip.report.audit);
        status.audit = Some(Audit {
            overlaps: audit.overlaps.saturating_add(seen.overlaps),
            outside: audit.outside.saturating_add(seen.outside),
            too_small: audit.too_small.saturating_add(seen.too_small),
        });
        let warning = |message: &String| Warning {
            code: "render.warning".to_owned(),
            message: format!("scene {scene}: {message}"),
            place: None,
        };
        status.warnings.extend(clip.report.warnings.iter().map(warning));
    });
}

/// How far rendering has come.
fn drawn(status: &mut Status) {
    let done = status.scenes.iter().filter(|scene| scene.state.is_done()).count();
    let part = done as f64 / status.scenes.len().max(1) as f64;
    status.progress = status.progress.max(RENDERING.0 + (RENDERING.1 - RENDERING.0) * part);
}

/// A task of its own has drawn a scene, in so many seconds, or found out why it can't be drawn.
pub fn drawn_alone(status: &mut Status, scene: &str, clip: Result<&Clip, &JobError>, seconds: f64) {
    of_scene(status, scene, |scene| match clip {
        Ok(clip) => {
            scene.state = if clip.made == Made::Cached { SceneState::Cached } else { SceneState::Rendered };
            scene.frames = clip.frames();
            scene.error = None;
        }
        Err(error) => scene.error = Some(error.clone()),
    });
    status.stage = Stage::Render;
    status.cost.seconds += seconds;
    drawn(status);
}

/// A scene was made again, in another voice: what was said of its picture stays true.
pub fn shot_again(lease: &Lease, scene: &str, narrations: &[Narration], clip: &Clip) {
    let at = lease.held().as_secs_f64();
    lease.change(|status| {
        end(status, Some(scene), at);
        let new = || narrations.iter().filter_map(|narration| narration.voice.clone());
        status.voices.retain(|old| new().all(|new| new.beat != old.beat));
        status.voices.extend(new());
        of_scene(status, scene, |scene| {
            scene.state = if clip.made == Made::Cached { SceneState::Cached } else { SceneState::Rendered };
            scene.frames = clip.frames();
        });
    });
}

/// A scene should have been made again in another voice, and was not.
pub fn keeps_its_voice(lease: &Lease, scene: &Scene, error: &JobError) {
    let message = format!("scene {} keeps the voice that failed later: {}", scene.id, error.message);
    let at = lease.held().as_secs_f64();
    lease.change(|status| {
        end(status, Some(&scene.id), at);
        of_scene(status, &scene.id, |scene| scene.state = SceneState::Rendered);
        status.warnings.push(Warning { code: "voice.mixed".to_owned(), message, place: scene.place });
    });
}

fn of_scene(status: &mut Status, scene: &str, change: impl FnOnce(&mut SceneStatus)) {
    if let Some(scene) = status.scenes.iter_mut().find(|other| other.id == scene) {
        change(scene);
    }
}
