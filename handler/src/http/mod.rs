//! The HTTP interface, one for all who offer it: Function URLs and HTTP APIs ([`event`]), and `chalkreel serve`.
//!
//! In: requests. Out: answers from what lies in the bucket; failures as problem details. It never makes a film: a document goes
//! under `incoming/`, whose trigger does the rest, and status and cancelling are those of `status.json`.

pub mod event;
mod guard;
mod jobs;
mod outputs;
mod problem;
mod submit;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::mpsc;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::Failure;
use crate::config::Secret;
use crate::deadline::Deadline;
use crate::error::Code;
use crate::intake::MAX_DOCUMENT;
use crate::store::Store;

/// For the few calls to the store that one request makes: half of what API Gateway waits at the most.
const REQUEST: Duration = Duration::from_secs(15);
/// A document in base64 within JSON is a third longer.
const MAX_BODY: usize = (MAX_DOCUMENT as usize) / 3 * 4 + (64 << 10);

/// What the routes share.
#[derive(Debug, Clone)]
pub struct Api(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    token: Option<Secret>,
    home: bool,
    /// Who is told key and entity tag of what comes in, where no trigger of the store does that.
    handed_on: Option<mpsc::Sender<(String, String)>>,
}

impl Api {
    /// An interface on `store`. With a `token`, requests must bear it. `home` says that it is served on this machine's own
    /// loopback, where pages of other sites must be kept out.
    pub fn new(store: Store, token: Option<Secret>, home: bool) -> Self {
        Self(Arc::new(Shared { store, token, home, handed_on: None }))
    }

    /// The same, for a store without a trigger: key and entity tag of each document that comes in are handed on to `uploads`,
    /// if it has room.
    #[must_use]
    pub fn handing_on(self, uploads: mpsc::Sender<(String, String)>) -> Self {
        let Shared { store, token, home, .. } = &*self.0;
        let (store, token, home) = (store.clone(), token.clone(), *home);
        Self(Arc::new(Shared { store, token, home, handed_on: Some(uploads) }))
    }

    fn hand_on(&self, key: &str) {
        if let Some(uploads) = &self.0.handed_on {
            // What finds no room is found under `incoming/` when the process begins anew.
            let _ = uploads.try_send((key.to_owned(), String::new()));
        }
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn token(&self) -> Option<&str> {
        self.0.token.as_ref().map(|token| token.0.as_str())
    }

    fn at_home(&self) -> bool {
        self.0.home
    }

    fn deadline() -> Deadline {
        Deadline::after(REQUEST)
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Chalkreel",
    description = "A lesson in, a narrated film out. Failures are problem details (RFC 9457) with a stable `code`."
))]
struct Description;

/// The routes and their description, which are one.
pub fn router(api: Api) -> (Router, utoipa::openapi::OpenApi) {
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(submit::submit, jobs::list))
        .routes(routes!(jobs::status, jobs::cancel))
        .routes(routes!(outputs::output))
        .routes(routes!(health))
        .split_for_parts();
    let told = description.clone();
    let router = router
        .route("/openapi.json", axum::routing::get(async move || Json(told)))
        .fallback(async || Failure::new(Code::HttpNoSuchPath, "nothing is served under this path"))
        .method_not_allowed_fallback(async || Failure::new(Code::HttpWrongMethod, "the path does not take this method"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(api.clone(), guard::guard))
        .layer(from_fn(guard::traced))
        .with_state(api);
    (router, description)
}

/// Others' routes behind the same guard.
pub fn guarded(routes: Router, api: Api) -> Router {
    routes.layer(from_fn_with_state(api, guard::guard))
}

/// Whether the service answers.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "It does", content_type = "text/plain")))]
async fn health() -> &'static str {
    "ok\n"
}
