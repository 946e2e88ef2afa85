//! The HTTP interface, one for all who offer it: Function URLs and HTTP APIs ([`event`]), and `chalkreel serve`.
//!
//! In: requests. Out: answers from what lies in the bucket; failures as problem details. It never makes a film: a document goes
//! under `incoming/`, whose trigger does the rest, and status and cancelling are those of `status.json`.

pub mod event;
mod guard;
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

pub use self::problem::{Failure, Named};
use crate::config::Secret;
use crate::deadline::Deadline;
use crate::error::Code;
use crate::intake::MAX_DOCUMENT;
use crate::job::Status;
use crate::notify::Notices;
use crate::store::Store;

/// For the few calls to the store that one request makes: half of what API Gateway waits at the most.
const REQUEST: Duration = Duration::from_secs(15);
/// A document in base64 within JSON is a third longer.
const MAX_BODY: usize = (MAX_DOCUMENT as usize) / 3 * 4 + (64 << 10);

/// What the routes share.
#[derive(Debug, Clone)]
pub struct Api(Arc<Shared>);

#[derive(Debug, Clone)]
struct Shared {
    store: Store,
    token: Option<Secret>,
    home: bool,
    /// Whether readers can't reach the store, so that films come through here.
    through: bool,
    /// The way to those who are told of what is done here.
    notices: Option<Arc<Notices>>,
    /// Who is told the key of what comes in, where no trigger of the store does that.
    handed_on: Option<Arc<dyn HandOn>>,
}

/// Takes the key of each document that comes in. It must not wait, and must not forget.
pub trait HandOn: std::fmt::Debug + Send + Sync {
    /// A document lies at `key`.
    fn hand_on(&self, key: &str);
}

impl Api {
    /// An interface on `store`. With a `token`, requests must bear it. `home` says that it is served on this machine's own
    /// loopback, where pages of other sites must be kept out.
    pub fn new(store: Store, token: Option<Secret>, home: bool) -> Self {
        Self(Arc::new(Shared { store, token, home, through: false, notices: None, handed_on: None }))
    }

    /// The same, for a store without a trigger: the key of each document that comes in is handed on to `uploads`.
    #[must_use]
    pub fn handing_on(self, uploads: Arc<dyn HandOn>) -> Self {
        self.with(|shared| shared.handed_on = Some(uploads))
    }

    /// The same, for a store that readers can't reach: films and pictures come through here instead of by a redirect.
    #[must_use]
    pub fn passing_on(self) -> Self {
        self.with(|shared| shared.through = true)
    }

    /// The same, and what is done here is told to those of `notices`.
    #[must_use]
    pub fn telling(self, notices: Arc<Notices>) -> Self {
        self.with(|shared| shared.notices = Some(notices))
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        change(&mut shared);
        Self(Arc::new(shared))
    }

    /// Tells others of a state that was written here.
    fn tell(&self, status: &Status) {
        if let Some(notices) = &self.0.notices {
            notices.wrote(status);
        }
    }

    fn passes_on(&self) -> bool {
        self.0.through
    }

    fn hand_on(&self, key: &str) {
        if let Some(uploads) = &self.0.handed_on {
            uploads.hand_on(key);
        }
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn token(&self) -> Option<&Secret> {
        self.0.token.as_ref()
    }

    fn at_home(&self) -> bool {
        self.0.home
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
    modifiers(&WaysIn)
)]
struct Description;

/// The ways in as OpenAPI has them.
struct WaysIn;

const BEARER: &str = "bearer";
const SESSION: &str = "session";

impl Modify for WaysIn {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("CHALKREEL_HTTP_TOKEN")).build();
        let cookie = ApiKeyValue::with_description(session::NAME, "What POST /session gives");
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The routes and their description, which are one.
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
    let told = description.clone();
    let router = router
        .route("/openapi.json", axum::routing::get(async move || Json(told)))
        .fallback(async || Failure::new(Code::HttpNoSuchPath, "nothing is served under this path"))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(api.clone(), guard::guard))
        .layer(from_fn(guard::traced))
        .with_state(api);
    (router, description)
}

/// Others' routes behind the same guard.
pub fn guarded(routes: Router, api: Api) -> Router {
    routes.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(api, guard::guard))
}

/// Others' pages, which ask for the token themselves where there is one.
pub fn open(routes: Router, api: Api) -> Router {
    routes.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(api, guard::guard_open))
}

/// Whether there is a job of that id.
///
/// # Errors
/// `job.not_found`, or what the store says.
pub async fn is_job(api: &Api, id: &str) -> Result<(), Failure> {
    jobs::standing(api, &jobs::known(id)?, Api::deadline()).await.map(drop)
}

/// The answer to a method that a path does not take.
pub async fn wrong_method() -> Failure {
    Failure::new(Code::HttpWrongMethod, "the path does not take this method")
}

/// Whether the service answers.
#[utoipa::path(get, path = "/health", security(()), responses((status = 200, description = "It does", content_type = "text/plain")))]
async fn health() -> &'static str {
    "ok\n"
}
