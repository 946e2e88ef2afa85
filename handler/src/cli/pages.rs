//! The pages of `chalkreel serve`, with their scripts and styles as files of their own: so a browser runs nothing else.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// What a page may do: its own scripts, styles and questions, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// `GET /`, the page with all jobs and a form to drop a document, and `GET /watch/{id}`, of one job, live.
pub(super) fn routes() -> Router {
    let file = |kind: &'static str, text: &'static str| get(async move || answer(kind, text));
    Router::new()
        .route("/", file(HTML, include_str!("../../templates/jobs.html")))
        .route("/watch/{id}", file(HTML, include_str!("../../templates/job.html")))
        .route("/jobs.css", file(STYLE, include_str!("../../templates/jobs.css")))
        .route("/jobs.js", file(SCRIPT, include_str!("../../templates/jobs.js")))
        .route("/job.css", file(STYLE, include_str!("../../templates/job.css")))
        .route("/job.js", file(SCRIPT, include_str!("../../templates/job.js")))
        .route("/session.js", file(SCRIPT, include_str!("../../templates/session.js")))
}

fn answer(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], text)
}
