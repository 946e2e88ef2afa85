//! Who may come in: holders of the bearer token or of a session that it opened; without a token whoever was let through by IAM, or
//! sits at this machine.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::{Instrument as _, field::Empty, info_span};

use super::problem::Failure;
use super::{Api, session};
use crate::error::Code;
use crate::telemetry;

/// A span for each request, within the trace that its `traceparent` tells of.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let span = info_span!(
        "request",
        otel.kind = "server",
        http.request.method = method,
        url.path = path,
        http.response.status_code = Empty
    );
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    telemetry::follow(&span, parent);
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

/// What anybody may ask without a token: whether the service lives, and what it takes.
const OPEN: &[&str] = &["/health", "/openapi.json"];

/// Refuses requests that have no right to be here, and says in each response how browsers must treat it.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let open = OPEN.contains(&request.uri().path());
    let mut response = match admit(&api, open, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn admit(api: &Api, open: bool, headers: &HeaderMap) -> Result<(), Failure> {
    if api.at_home() {
        same_site(headers)?;
    }
    match api.token() {
        Some(token) if !open && !has_token(headers, &token.0) => {
            if !session::is_held(headers, token) {
                let message = "the request has no bearer token, or a wrong one, and no session";
                return Err(Failure::new(Code::HttpUnauthorized, message));
            }
            same_origin(headers)
        }
        _ => Ok(()),
    }
}

/// A browser sends a session's cookie for pages from other ports of this host too; `Origin` tells those apart.
fn same_origin(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    let ours = |origin: &str| origin.split_once("://").is_some_and(|(_, origin)| origin == host);
    if text(ORIGIN).is_none_or(ours) {
        return Ok(());
    }
    Err(Failure::new(Code::HttpForbiddenOrigin, "only pages of this very server may use its sessions"))
}

/// Pages of other sites can make a browser send requests to this machine: they say so in `Origin`, and a name of theirs that
/// leads here stands in `Host`.
fn same_site(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = ["127.0.0.1", "localhost", "[::1]"].contains(&name);
    let same = text(ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    if local && same {
        return Ok(());
    }
    Err(Failure::new(Code::HttpForbiddenOrigin, "only pages of this very server may ask it"))
}

/// Digests are compared, so that neither length nor content shows in the time that it takes.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, given)) = given.split_once(' ') else { return false };
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    scheme.eq_ignore_ascii_case("bearer") && bool::from(digest(given.trim()).ct_eq(&digest(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let has = |value: &'static str| has_token(&headers(&[("authorization", value)]), "secret");
        assert!(has("Bearer secret") && has("bearer secret"));
        for wrong in ["Bearer secre", "Bearer secrets", "Basic secret", "secret", "Bearer", ""] {
            assert!(!has(wrong), "{wrong}");
        }
        assert!(!has_token(&HeaderMap::new(), "secret"));
    }

    #[test]
    fn a_session_serves_pages_of_this_very_server_alone() {
        for (origin, may) in [
            (None, true),
            (Some("http://films.example:8080"), true),
            (Some("https://films.example:8080"), true),
            (Some("http://films.example:9090"), false),
            (Some("https://example.org"), false),
            (Some("null"), false),
        ] {
            let pairs = [("host", "films.example:8080")].into_iter().chain(origin.map(|origin| ("origin", origin)));
            assert_eq!(same_origin(&headers(&pairs.collect::<Vec<_>>())).is_ok(), may, "{origin:?}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_kept_out() {
        for (pairs, may) in [
            (&[("host", "127.0.0.1:8080")][..], true),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:8080")], true),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:9090")], false),
            (&[("host", "127.0.0.1:8080"), ("origin", "https://example.org")], false),
            (&[("host", "127.0.0.1:8080"), ("origin", "null")], false),
            (&[("host", "rebound.example.org:8080")], false),
            (&[], false),
        ] {
            assert_eq!(same_site(&headers(pairs)).is_ok(), may, "{pairs:?}");
        }
    }
}
