//! The status of jobs: `GET /jobs`, `GET /jobs/{id}`, `DELETE /jobs/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use futures::stream::{self, StreamExt as _};
use http::header;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::problem::{Failure, PathParam, Problem};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::keys;
use crate::job::lease::Cancellation;
use crate::job::{JobId, Lease, State as JobState, Status};
use crate::store::{Condition, StoreError};

/// Jobs on a page, when the request does not say.
const PAGE: u16 = 20;
/// The most on a page: each is read from the store.
const MAX_PAGE: u16 = 100;
/// Reads at a time.
const READS: usize = 8;
/// A status of 500 scenes with every field filled is well under a mebibyte.
const MAX_STATUS: u64 = 8 << 20;
/// Largest request note, in bytes.
const MAX_NOTE: u64 = 64 << 10;

/// A page of jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Jobs {
    jobs: Vec<Job>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// A summary of a job.
#[derive(Debug, Serialize, ToSchema)]
struct Job {
    #[schema(value_type = String)]
    job_id: JobId,
    /// The film's title, or the document's name until it is planned.
    title: String,
    #[schema(value_type = String, example = "running")]
    state: JobState,
    #[schema(value_type = String, example = "render")]
    stage: crate::error::Stage,
    /// 0 to 1.
    progress: f64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// The code of its error.
    error: Option<String>,
}

impl Job {
    /// A job whose status can't be read.
    fn unreadable(job_id: JobId, code: Code) -> Self {
        Self {
            job_id,
            title: String::new(),
            state: JobState::Failed,
            stage: code.stage(),
            progress: 0.0,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            error: Some(code.name().to_owned()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Jobs on a page, 1 to 100.
    limit: Option<u16>,
}

/// Lists jobs, newest first.
#[utoipa::path(
    get,
    path = "/jobs",
    params(PageQuery),
    responses(
        (status = 200, description = "A page", body = Jobs,
            headers(("Link" = String, description = "The next page, as rel=next"))),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(api): State<Api>,
    asked: Result<Query<PageQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failure> {
    let bad = |message: String| Failure::new(Code::HttpBadRequest, message);
    let Query(PageQuery { after, limit }) = asked.map_err(|error| bad(error.body_text()))?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(bad(format!("`limit` is {limit}; it must be 1 to {MAX_PAGE}")));
    }
    let after = after.map(|after| format!("{}{after}", keys::BY_TIME));
    if after.as_ref().is_some_and(|key| keys::job_by_time(key).is_none()) {
        return Err(bad("`after` is not the `next` of a previous page".to_owned()));
    }
    let deadline = Api::deadline();
    let (found, more) = api.store().page(keys::BY_TIME, after.as_deref(), limit, deadline).await?;
    let next = found.last().filter(|_| more).and_then(|key| key.strip_prefix(keys::BY_TIME)).map(str::to_owned);
    let mut jobs = Vec::new();
    let read = |id: JobId| {
        let api = &api;
        async move { (named(api, &id, deadline).await, id) }
    };
    let ids: Vec<JobId> = found.iter().filter_map(|key| keys::job_by_time(key)).collect();
    let mut reads = stream::iter(ids).map(read).buffered(READS);
    while let Some((job_status, job_id)) = reads.next().await {
        match job_status {
            Ok((status, name)) => jobs.push(Job {
                job_id,
                title: if status.title.is_empty() { name } else { status.title },
                state: status.state,
                stage: status.stage,
                progress: status.progress,
                created_at: status.created_at,
                updated_at: status.updated_at,
                error: status.error.map(|error| error.code.name().to_owned()),
            }),
            // The bucket's lifecycle removes a job's files one by one.
            Err(Failure(Code::JobNotFound, _)) => {}
            // One that can't be read must not hide the others.
            Err(Failure(code @ Code::StoreDamaged, _)) => jobs.push(Job::unreadable(job_id, code)),
            Err(failure) => return Err(failure),
        }
    }
    drop(reads);
    let link = next.as_ref().map(|next| [(header::LINK, format!("</jobs?limit={limit}&after={next}>; rel=\"next\""))]);
    Ok((link, Json(Jobs { jobs, next })))
}

/// The status of a job.
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    params(("id" = String, Path, description = "24 hexadecimal digits")),
    responses(
        (status = 200, description = "As status.json has it", body = Status),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn status(State(api): State<Api>, PathParam(id): PathParam<String>) -> Result<Json<Status>, Failure> {
    job_status(&api, &known(&id)?, Api::deadline()).await.map(Json)
}

/// Cancels a job; one that has ended stays as it is.
#[utoipa::path(
    delete,
    path = "/jobs/{id}",
    params(("id" = String, Path, description = "24 hexadecimal digits")),
    responses(
        (status = 200, description = "Its status now", body = Status),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel(State(api): State<Api>, PathParam(id): PathParam<String>) -> Result<Json<Status>, Failure> {
    let (id, deadline) = (known(&id)?, Api::deadline());
    // A job that is not claimed yet has no status: it gets one now.
    let waiting = job_status(&api, &id, deadline).await?;
    if waiting.attempts == 0 {
        let error = JobError::new(Code::JobCancelled, "the job was cancelled on request before it began");
        let cancelled = Status { state: JobState::Cancelled, generation: 1, error: Some(error), ..waiting };
        let body = serde_json::to_vec_pretty(&cancelled).unwrap_or_default();
        let key = keys::status(&id);
        if api.store().put_if(&key, body, "application/json", &Condition::Absent, deadline).await?.is_some() {
            api.notify(&cancelled);
            return Ok(Json(cancelled));
        }
    }
    Ok(Json(match Lease::cancel(api.store(), &id, deadline).await? {
        Cancellation::Cancelled(cancelled) => {
            api.notify(&cancelled);
            cancelled
        }
        Cancellation::AlreadyOver(status) => status,
    }))
}

/// Parses an id; an invalid one is no job's.
pub(super) fn known(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| Failure::new(Code::JobNotFound, format!("there is no job `{id}`")))
}

/// A job's status; a job that was accepted and has not begun gets one from its request.
pub(super) async fn job_status(api: &Api, id: &JobId, deadline: Deadline) -> Result<Status, Failure> {
    named(api, id, deadline).await.map(|(status, _)| status)
}

/// The same, with the document's name when that is known and needed.
async fn named(api: &Api, id: &JobId, deadline: Deadline) -> Result<(Status, String), Failure> {
    let store = api.store();
    let unreadable = || Failure::new(Code::StoreDamaged, format!("the status of job {id} is damaged"));
    match store.get(&keys::status(id), MAX_STATUS, deadline).await {
        Ok(object) => {
            let status: Status = serde_json::from_slice(&object.bytes).map_err(|_| unreadable())?;
            if !status.title.is_empty() {
                return Ok((status, String::new()));
            }
            let name = asked(api, id, deadline).await?.map(|asked| asked.name).unwrap_or_default();
            Ok((status, name))
        }
        Err(StoreError::NotFound { .. }) => {
            let asked = asked(api, id, deadline).await?;
            let asked = asked.ok_or_else(|| Failure::new(Code::JobNotFound, format!("there is no job `{id}`")))?;
            Ok((waiting(id, &asked), asked.name))
        }
        Err(StoreError::Damaged { .. }) => Err(unreadable()),
        Err(error) => Err(error.into()),
    }
}

/// The status of a job that is not claimed yet.
pub(super) fn waiting(id: &JobId, asked: &Asked) -> Status {
    let status = Status::queued(id.clone(), String::new(), asked.created_at);
    let (created_at, updated_at) = (asked.created_at, asked.created_at);
    Status { attempts: 0, generation: 0, created_at, updated_at, ..status }
}

/// The request of a job that came over HTTP: what there is of the job until it has a status, and where its document is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    /// Where its document is; none in notes of earlier versions.
    #[serde(default)]
    pub(super) key: Option<String>,
}

/// The stored request of a job; none when it is missing or can't be parsed.
pub(super) async fn asked(api: &Api, id: &JobId, deadline: Deadline) -> Result<Option<Asked>, Failure> {
    match api.store().get(&keys::of(id, keys::REQUEST), MAX_NOTE, deadline).await {
        Ok(object) => Ok(serde_json::from_slice(&object.bytes).ok()),
        Err(error) if error.is_lost() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
