//! The tasks of the state machine in `template.yaml`.

use serde::Deserialize;
use serde_json::Value;

use super::{bad, direct};
use crate::error::JobError;
use crate::job::{JobId, JobRequest};
use crate::store::CacheKey;

/// One task of a Step Functions execution.
#[derive(Debug)]
pub enum Task {
    /// Plans and narrates the film.
    Plan {
        /// What the execution was started for.
        subject: Subject,
        /// The execution's ARN.
        execution: String,
    },
    /// Draws one scene.
    Scene {
        /// The job.
        job: JobId,
        /// The film's handover.
        handover: CacheKey,
        /// The scene's id.
        scene: String,
        /// The execution's ARN.
        execution: String,
    },
    /// Joins the film and publishes it.
    Assemble {
        /// The job.
        job: JobId,
        /// The film's handover; none when the first task had nothing to do.
        handover: Option<CacheKey>,
        /// The execution's ARN.
        execution: String,
    },
    /// Records why there is no film, when the task that should have done so has died.
    Fail {
        /// What the execution was started for.
        subject: Subject,
        /// The execution's ARN.
        execution: String,
        /// The error that Step Functions caught.
        error: TaskError,
    },
}

/// What an execution was started for.
#[derive(Debug)]
pub enum Subject {
    /// A request for a film.
    Request(JobRequest),
    /// A job that was too long for one process, with its handover.
    Job(JobId, CacheKey),
}

/// An error as Step Functions catches it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TaskError {
    /// A code of this program, or an error name of Step Functions or Lambda.
    #[serde(rename = "Error")]
    pub name: String,
    /// The cause, often as JSON.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

#[derive(Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
enum Event {
    Plan { request: Value, execution: String },
    Scene { job_id: String, handover: CacheKey, scene: String, execution: String },
    Assemble { job_id: String, handover: Option<CacheKey>, execution: String },
    Fail { request: Value, execution: String, error: TaskError },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandedOver {
    job_id: String,
    handover: CacheKey,
}

/// Whether an event is a task.
pub(super) fn is(event: &Value) -> bool {
    event.get("task").is_some()
}

pub(super) fn task(event: Value, own_bucket: &str) -> Result<Task, JobError> {
    let job = |id: String| id.parse::<JobId>().map_err(|error| bad(format!("`job_id`: {error}")));
    Ok(match serde_json::from_value(event).map_err(|error| bad(error.to_string()))? {
        Event::Plan { request, execution } => Task::Plan { subject: subject(request, own_bucket)?, execution },
        Event::Scene { job_id, handover, scene, execution } => {
            Task::Scene { job: job(job_id)?, handover, scene, execution }
        }
        Event::Assemble { job_id, handover, execution } => Task::Assemble { job: job(job_id)?, handover, execution },
        Event::Fail { request, execution, error } => {
            Task::Fail { subject: subject(request, own_bucket)?, execution, error }
        }
    })
}

fn subject(request: Value, own_bucket: &str) -> Result<Subject, JobError> {
    if request.get("job_id").is_none() {
        return Ok(Subject::Request(direct::request(request, own_bucket)?));
    }
    let HandedOver { job_id, handover } = serde_json::from_value(request).map_err(|error| bad(error.to_string()))?;
    Ok(Subject::Job(job_id.parse().map_err(|error| bad(format!("`job_id`: {error}")))?, handover))
}

/// The end of an execution, as EventBridge reports it, which no task of it could record.
pub(super) fn ended(detail: Value, own_bucket: &str) -> Result<Task, JobError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Ended {
        execution_arn: String,
        status: String,
        input: String,
        error: Option<String>,
        cause: Option<String>,
    }
    let ended: Ended = serde_json::from_value(detail).map_err(|error| bad(format!("`detail`: {error}")))?;
    let input = serde_json::from_str(&ended.input).map_err(|error| bad(format!("`detail.input`: {error}")))?;
    let error = TaskError { name: ended.error.unwrap_or(ended.status), cause: ended.cause.unwrap_or_default() };
    Ok(Task::Fail { subject: subject(input, own_bucket)?, execution: ended.execution_arn, error })
}
