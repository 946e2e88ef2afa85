//! The editor of `chalkreel serve`: the document of a job, with what `chalkreel watch` shows of it, and the same job again.
//!
//! In: the id of a job whose document came over HTTP, or whose lesson was written for it. Out: routes under `/edit/{id}/`. What is edited is
//! a copy, which is kept in the store beside the job; it becomes a film when it is sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, post};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::watch::{Desk, Following};
use crate::deadline::Deadline;
use crate::error::Code;
use crate::http::{self, Api, Failure, PathParam};
use crate::intake::MAX_DOCUMENT;
use crate::job::{JobId, keys};
use crate::services::Services;

/// Documents that are open at a time: each is looked at ten times a second, and drawn when it changes.
const OPEN: usize = 4;
/// After so long without a request, one is closed for the next.
const IDLE: Duration = Duration::from_secs(1_800);
/// Time for the store's answers.
const READ: Duration = Duration::from_secs(15);
/// The copy that is edited.
const EDITED: &str = "edited";

/// What the routes share.
#[derive(Clone)]
pub(super) struct Editors {
    services: Arc<Services>,
    api: Api,
    open: Arc<Mutex<Vec<Editor>>>,
}

/// An open document.
struct Editor {
    id: JobId,
    routes: Router,
    used: Instant,
    _following: Following,
    _folder: TempDir,
}

impl Editors {
    pub(super) fn new(services: Arc<Services>, api: Api) -> Self {
        Self { services, api, open: Arc::default() }
    }

    pub(super) fn routes(self) -> Router {
        Router::new()
            .route(
                "/edit/{id}",
                any(async |PathParam(id): PathParam<String>| Redirect::permanent(&format!("/edit/{id}/"))),
            )
            .route("/edit/{id}/", any(page))
            .route("/edit/{id}/{*rest}", any(part))
            .route("/jobs/{id}/again", post(again))
            .with_state(self)
    }

    /// The routes of a document, which is opened if it is not.
    async fn editor(&self, id: &str) -> Result<Router, Failure> {
        let id: JobId = id.parse().map_err(|_| Failure::new(Code::JobNotFound, format!("there is no job `{id}`")))?;
        if let Some(routes) = self.used(&id) {
            return Ok(routes);
        }
        let (name, bytes) = http::document_of(&self.api, &id).await?;
        let store = &self.services.store;
        let key = format!("{}.{}", keys::of(&id, EDITED), name.rsplit('.').next().unwrap_or("md"));
        let edited = store.get(&key, MAX_DOCUMENT, Deadline::after(READ)).await.map(|object| object.bytes.to_vec());
        let failed = |error: std::io::Error| Failure::new(Code::ScratchFailed, error.to_string());
        let folder = tempfile::tempdir_in(&self.services.config.temp_dir).map_err(failed)?;
        let path = folder.path().join(&name);
        tokio::fs::write(&path, edited.unwrap_or(bytes)).await.map_err(failed)?;
        let kept = Some((store.clone(), key));
        let (desk, following) = Desk::open(name, path, self.services.clone(), kept);
        let routes = desk.routes();
        let mut open = self.lock();
        // Another request may have opened it meanwhile.
        if let Some(there) = open.iter().find(|editor| editor.id == id) {
            return Ok(there.routes.clone());
        }
        open.retain(|editor| editor.used.elapsed() < IDLE);
        if open.len() >= OPEN
            && let Some(oldest) = (0..open.len()).min_by_key(|index| open[*index].used)
        {
            open.remove(oldest);
        }
        open.push(Editor { id, routes: routes.clone(), used: Instant::now(), _following: following, _folder: folder });
        Ok(routes)
    }

    fn used(&self, id: &JobId) -> Option<Router> {
        let mut open = self.lock();
        let editor = open.iter_mut().find(|editor| editor.id == *id)?;
        editor.used = Instant::now();
        Some(editor.routes.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Editor>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn page(State(editors): State<Editors>, PathParam(id): PathParam<String>, request: Request) -> Response {
    answer(&editors, &id, "", request).await
}

async fn part(
    State(editors): State<Editors>,
    PathParam((id, rest)): PathParam<(String, String)>,
    request: Request,
) -> Response {
    // As it was sent: a part of it may be encoded.
    let prefix = format!("/edit/{id}/");
    let rest = request.uri().path().strip_prefix(&prefix).unwrap_or(&rest).to_owned();
    answer(&editors, &id, &rest, request).await
}

async fn answer(editors: &Editors, id: &str, rest: &str, mut request: Request) -> Response {
    let routes = match editors.editor(id).await {
        Ok(routes) => routes,
        Err(failure) => return failure.into_response(),
    };
    let Ok(uri) = format!("/{rest}").parse::<Uri>() else {
        return Failure::new(Code::HttpNoSuchPath, "there is nothing under this path").into_response();
    };
    *request.uri_mut() = uri;
    // The parameters of this path are none of that one.
    request.extensions_mut().clear();
    match routes.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// The same document once more, as a job of its own.
async fn again(State(editors): State<Editors>, PathParam(id): PathParam<String>) -> Result<Response, Failure> {
    let id: JobId = id.parse().map_err(|_| Failure::new(Code::JobNotFound, format!("there is no job `{id}`")))?;
    let (job, status) = http::again(&editors.api, &id).await?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/jobs/{job}"))], Body::from(status)).into_response())
}
