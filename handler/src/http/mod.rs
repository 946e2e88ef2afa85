//! The HTTP interface, shared by Function URLs and HTTP APIs ([`event`]) and `chalkreel serve`.
//!
//! In: requests. Out: answers from the bucket's objects; failures as problem details. It never makes a film: a document goes
//! under `incoming/`, whose trigger does the rest, and status and cancelling are those of `status.json`.

mod access;
pub mod event;
mod jobs;
mod outputs;
mod problem;
mod session;
mod submit;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::problem::{Failure, PathParam};
pub use self::submit::{Options, again, document, document_of};
use crate::config::Secret;
use crate::deadline::Deadline;
use crate::error::Code;
use crate::intake::MAX_DOCUMENT;
use crate::job::Status;
use crate::notify::Notices;
use crate::store::Store;

/// Time for the few calls to the store that one request makes: half of API Gateway's longest timeout.
const REQUEST: Duration = Duration::from_secs(15);
/// A document in base64 within JSON is a third longer.
pub const MAX_BODY: usize = (MAX_DOCUMENT as usize) / 3 * 4 + (64 << 10);

/// What the routes share.
#[derive(Debug, Clone)]
pub struct Api(Arc<Shared>);

#[derive(Debug, Clone)]
struct Shared {
    store: Store,
    token: Option<Secret>,
    local: bool,
    /// Whether clients can't reach the store, so that films are proxied.
    proxied: bool,
    /// Notifications of the states that this interface writes.
    notices: Option<Arc<Notices>>,
    /// The queue of uploads, where the store has no trigger.
    uploads: Option<Arc<dyn UploadQueue>>,
}

/// A queue for the keys of documents that come in. It must neither block nor lose a key.
pub trait UploadQueue: std::fmt::Debug + Send + Sync {
    /// A document was stored at `key`.
    fn enqueue(&self, key: &str);
}

impl Api {
    /// An interface on `store`. With a `token`, requests must have it. `local` says that it is served on this machine's loopback,
    /// where requests of other sites' pages must be refused.
    pub fn new(store: Store, token: Option<Secret>, local: bool) -> Self {
        Self(Arc::new(Shared { store, token, local, proxied: false, notices: None, uploads: None }))
    }

    /// The same, for a store without a trigger: the key of each document that comes in is put into the queue `uploads`.
    #[must_use]
    pub fn with_queue(self, uploads: Arc<dyn UploadQueue>) -> Self {
        self.with(|shared| shared.uploads = Some(uploads))
    }

    /// The same, for a store that clients can't reach: films and pictures are proxied instead of redirected to.
    #[must_use]
    pub fn proxying_store(self) -> Self {
        self.with(|shared| shared.proxied = true)
    }

    /// The same, with notifications of the states that this interface writes.
    #[must_use]
    pub fn notifying(self, notices: Arc<Notices>) -> Self {
        self.with(|shared| shared.notices = Some(notices))
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        change(&mut shared);
        Self(Arc::new(shared))
    }

    /// Notifies of a state that was written here.
    fn notify(&self, status: &Status) {
        if let Some(notices) = &self.0.notices {
            notices.wrote(status);
        }
    }

    fn proxies_store(&self) -> bool {
        self.0.proxied
    }

    fn enqueue(&self, key: &str) {
        if let Some(uploads) = &self.0.uploads {
            uploads.enqueue(key);
        }
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn token(&self) -> Option<&Secret> {
        self.0.token.as_ref()
    }

    fn is_local(&self) -> bool {
        self.0.local
    }

    fn deadline() -> Deadline {
        Deadline::after(REQUEST)
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chalkreel",
        description = "A lesson in, a narrated film out. Failures are problem details (RFC 9457) with a stable `code`. Where IAM is the \
            guard, requests are signed (AWS Signature Version 4) and need no token."
    ),
    modifiers(&SecuritySchemes)
)]
struct Description;

/// The security schemes of the OpenAPI description.
struct SecuritySchemes;

const BEARER: &str = "bearer";
const SESSION: &str = "session";

impl Modify for SecuritySchemes {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("CHALKREEL_HTTP_TOKEN")).build();
        let cookie = ApiKeyValue::with_description(session::NAME, "The cookie that POST /session sets");
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The routes and their OpenAPI description, from one source.
pub fn router(api: Api) -> (Router, utoipa::openapi::OpenApi) {
    let (router, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(submit::submit, jobs::list))
        .routes(routes!(jobs::status, jobs::cancel))
        .routes(routes!(outputs::output))
        .routes(routes!(session::open, session::close))
        .routes(routes!(health))
        .split_for_parts();
    if api.token().is_some() {
        let way = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        description.security = Some(vec![way(BEARER), way(SESSION)]);
    }
    let document = description.clone();
    let router = router
        .route("/openapi.json", axum::routing::get(async move || Json(document)))
        .fallback(async || Failure::new(Code::HttpNoSuchPath, "there is nothing under this path"))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(api.clone(), access::guard))
        .layer(from_fn(access::traced))
        .with_state(api);
    (router, description)
}

/// Other routes behind the same guard.
pub fn guarded(routes: Router, api: Api) -> Router {
    routes.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(api, access::guard))
}

/// Other pages, which ask for the token themselves when there is one.
pub fn open(routes: Router, api: Api) -> Router {
    routes.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(api, access::guard_open))
}

/// Whether there is a job of that id.
///
/// # Errors
/// `job.not_found`, or what the store says.
pub async fn is_job(api: &Api, id: &str) -> Result<(), Failure> {
    jobs::job_status(api, &jobs::known(id)?, Api::deadline()).await.map(drop)
}

/// The answer to a method that a path does not take.
pub async fn wrong_method() -> Failure {
    Failure::new(Code::HttpWrongMethod, "this path does not support this method")
}

/// Whether the service answers.
#[utoipa::path(get, path = "/health", security(()), responses((status = 200, description = "It does", content_type = "text/plain")))]
async fn health() -> &'static str {
    "ok\n"
}
