//! The tasks of the state machine in `template.yaml`: `Plan → Map(Scene) → Assemble`, each an invocation of the same function.
//!
//! In: one task. Out: what the next one needs, or an error by whose code the state machine knows whether to retry. `Plan` and
//! `Assemble` are parts of a job that [`pipeline`] does, each with a claim of its own; they exchange data through the store.
//! `Scene` claims nothing: many run at a time, draw into the cache and note the result in the status. A scene that it could not
//! draw, `Assemble` draws or replaces, as one process would.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing::{Instrument as _, info, info_span, warn};

use super::attempt::{Attempt, AttemptStart};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::{self, Subject, Task, TaskError};
use crate::job::{Again, JobId, Lease, State, Status, Worker};
use crate::pipeline::{self, Origin};
use crate::scenes::progress;
use crate::scenes::{self, Handover};
use crate::services::Services;
use crate::store::CacheKey;

/// The time that a scene's task reserves to note its result.
const NOTE: Duration = Duration::from_secs(5);
/// How often a scene's task checks whether it is still needed.
const PACE: Duration = Duration::from_secs(2);
/// Characters kept of a cause that Step Functions gives.
const CAUSE: usize = 500;

/// The result of a task.
#[derive(Debug)]
pub struct Done {
    /// For the next task.
    pub answer: Value,
    /// The job's status, when the task had claimed it.
    pub status: Option<Status>,
    /// Why the task failed.
    pub error: Option<JobError>,
}

impl Done {
    /// A failed job fails its task; one that ended otherwise, or that another worker has, does not.
    fn of(answer: Value, status: Status) -> Self {
        let cancelled = status.state == State::Cancelled;
        let error = status.error.clone().filter(|_| !cancelled);
        Self { answer, status: Some(status), error }
    }
}

/// Does one task; `ends` is when the caller needs an answer.
///
/// # Errors
/// Only when not even a status could be written.
pub async fn run(task: Task, services: &Services, ends: Deadline) -> Result<Done, JobError> {
    match task {
        Task::Plan { subject, execution } => {
            let (id, origin) = match subject {
                Subject::Request(request) => {
                    let request = intake::with_companions(request, &services.store, ends).await?;
                    (JobId::of(&request, &services.recipe()), Origin::Request(request))
                }
                Subject::Job(id, handover) => (id, Origin::Handover(handover)),
            };
            let worker = Worker::First(&execution);
            let (status, handover) = pipeline::part(origin, &id, worker, services, ends, Again::Retryable).await?;
            // Without a handover there is nothing to do for the later tasks.
            let scenes = status.scenes.iter().map(|scene| &*scene.id).filter(|_| handover.is_some());
            let answer = json!({"job_id": id, "handover": handover, "scenes": scenes.collect::<Vec<_>>()});
            Ok(Done::of(answer, status))
        }
        Task::Scene { job, handover, scene, execution } => {
            let span = info_span!("job", job_id = job.as_str());
            let drawn = scene_alone(&job, &handover, &scene, &execution, services, ends).instrument(span).await;
            Ok(Done { answer: json!({"scene": scene}), status: None, error: drawn.err() })
        }
        Task::Assemble { job, handover, execution } => {
            let status = match handover {
                Some(handover) => {
                    let worker = Worker::Next(&execution);
                    let ended =
                        pipeline::part(Origin::Handover(handover), &job, worker, services, ends, Again::Retryable)
                            .await?;
                    ended.0
                }
                // The first task found the job ended, or another worker had it.
                None => Lease::read(&services.store, &job, ends).await?,
            };
            let answer = json!({"job_id": job, "state": status.state, "outputs": status.outputs});
            Ok(Done::of(answer, status))
        }
        Task::Fail { subject, execution, error } => {
            let id = match subject {
                Subject::Request(request) => {
                    JobId::of(&intake::with_companions(request, &services.store, ends).await?, &services.recipe())
                }
                Subject::Job(id, _) => id,
            };
            let status = fail(&id, &execution, &error, services, ends).await?;
            let answer = json!({"job_id": id, "state": status.as_ref().map(|status| status.state)});
            Ok(Done { answer, status, error: None })
        }
    }
}

/// Draws a scene into the cache, as long as the job needs it, and notes the result in the status.
async fn scene_alone(
    job: &JobId,
    handover: &CacheKey,
    scene: &str,
    execution: &str,
    services: &Services,
    ends: Deadline,
) -> Result<(), JobError> {
    let _busy = services.busy();
    let began = Instant::now();
    if !Lease::read(&services.store, job, ends).await?.waits_for(execution) {
        info!(scene, "the scene is no longer needed: its job has ended or been taken over");
        return Ok(());
    }
    let until = ends.less(NOTE.min(ends.left() / 5));
    let draw = async {
        let scratch = services.job_scratch()?;
        let folder = &*scratch.work();
        let handover = Handover::fetch(&services.renderer.cache, handover, folder, until).await?;
        let drawn = scenes::draw_alone(&handover, scene, services, folder, until).await;
        scratch.clear().await;
        drawn
    };
    let late = || JobError::new(Code::RenderTimedOut, format!("scene {scene}: there was no time left to draw it"));
    let drawn = tokio::select! {
        drawn = until.run(draw) => drawn.unwrap_or_else(|_| Err(late())),
        () = Lease::until_unneeded(&services.store, job, execution, PACE) => {
            info!(scene, "the scene is no longer needed: its job has ended or been taken over");
            return Ok(());
        }
        () = services.interrupted() => return Err(JobError::new(Code::JobInterrupted, "the process that worked on the job was told to stop")),
    };
    match &drawn {
        Ok(clip) => info!(scene, frames = clip.frames(), "the scene is drawn"),
        Err(error) => warn!(scene, code = error.code.name(), "the scene could not be drawn: {}", error.message),
    }
    let seconds = began.elapsed().as_secs_f64();
    let note = progress::drawn_alone(scene, drawn.as_ref(), seconds);
    // The clip is in the cache: without the note, only readers of the status miss something.
    if let Err(error) = Lease::note(&services.store, job, execution, note, ends).await {
        warn!(scene, %error, "can't note the scene's result in the status");
    }
    drawn.map(drop)
}

/// Records that an execution failed. None when there is no such job.
async fn fail(
    id: &JobId,
    execution: &str,
    caught: &TaskError,
    services: &Services,
    ends: Deadline,
) -> Result<Option<Status>, JobError> {
    match Attempt::begin(id, Worker::Next(execution), services, ends, Again::Never).await {
        Ok(AttemptStart::Attempt(attempt)) => Ok(Some(attempt.end(Err(cause(caught))).await?.0)),
        Ok(AttemptStart::NotOurs(status)) => Ok(Some(*status)),
        Err(error) if error.code == Code::StoreNotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The error that Step Functions caught, as the job's.
fn cause(caught: &TaskError) -> JobError {
    let said = serde_json::from_str::<Value>(&caught.cause).ok();
    let said = said.as_ref().and_then(|said| said["errorMessage"].as_str()).unwrap_or(&caught.cause);
    let said: String = said.chars().take(CAUSE).collect();
    match Code::from_name(&caught.name) {
        Some(code) => JobError::new(code, said),
        // The names that Step Functions gives to its own errors.
        None if ["States.Timeout", "TIMED_OUT"].contains(&&*caught.name) => {
            JobError::new(Code::JobDeadline, "the state machine's execution timed out")
        }
        None if caught.name == "ABORTED" => {
            JobError::new(Code::JobCancelled, "the state machine's execution was stopped")
        }
        None => JobError::new(Code::JobCrashed, format!("{}: {said}", caught.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_caught_by_step_functions_becomes_the_jobs() {
        let of = |name: &str, cause: &str| {
            let error = super::cause(&TaskError { name: name.to_owned(), cause: cause.to_owned() });
            (error.code.name(), error.message)
        };
        let ours = of("input.not_utf8", r#"{"errorType":"input.not_utf8","errorMessage":"line 3"}"#);
        assert_eq!(ours, ("input.not_utf8", "line 3".to_owned()));
        let crash = of("Runtime.ExitError", r#"{"errorMessage":"RequestId: 1 Error: Runtime exited"}"#);
        assert_eq!(crash.0, "job.crashed");
        assert!(crash.1.contains("Runtime.ExitError: RequestId: 1"), "{}", crash.1);
        assert_eq!(of("States.Timeout", "").0, "job.deadline");
        assert_eq!(of("ABORTED", "").0, "job.cancelled");
    }
}
