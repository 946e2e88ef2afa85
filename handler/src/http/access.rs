//! Authorization: requests need the bearer token or a session opened with it; without a token, those that IAM has let through, or
//! that come from this machine.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::{Instrument as _, field::Empty, info_span};

use super::problem::Failure;
use super::{Api, session};
use crate::error::Code;
use crate::telemetry;

/// A span for each request, within the trace that its `traceparent` names.
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

/// Paths that need no token: health check and API description.
const OPEN: &[&str] = &["/health", "/openapi.json"];

/// Refuses unauthorized requests, and adds security headers to each response.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let open = OPEN.contains(&request.uri().path());
    let admitted = authorize(&api, open, &request);
    with_headers(admitted, request, next).await
}

/// The same for pages that need no token, since they ask for it themselves.
pub(super) async fn guard_open(State(api): State<Api>, request: Request, next: Next) -> Response {
    let admitted = authorize(&api, true, &request);
    with_headers(admitted, request, next).await
}

async fn with_headers(admitted: Result<(), Failure>, request: Request, next: Next) -> Response {
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    for (name, value) in RULES {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The security headers of each response that does not set its own: no sniffing of types, no embedding in other sites' pages, no
/// scripts. A film that is opened directly is shown by a page of the browser's own, which needs inline styles.
const RULES: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

fn authorize(api: &Api, open: bool, request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    if api.is_local() {
        same_site(request.uri(), headers)?;
    }
    match api.token() {
        Some(token) if !open && !has_token(headers, &token.0) => {
            if !session::is_held(headers, token) {
                let message = "the request has neither the right bearer token nor a session";
                return Err(Failure::new(Code::HttpUnauthorized, message));
            }
            same_origin(headers)
        }
        _ => Ok(()),
    }
}

/// Browsers send a session's cookie for pages from other ports of this host too; `Origin` tells them apart.
fn same_origin(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    let ours = |origin: &str| origin.split_once("://").is_some_and(|(_, origin)| origin == host);
    if text(ORIGIN).is_none_or(ours) {
        return Ok(());
    }
    Err(Failure::new(Code::HttpForbiddenOrigin, "only pages of this server may use its sessions"))
}

/// Pages of other sites can make a browser send requests to this machine (DNS rebinding included): `Origin` or `Host` then names the
/// other site.
fn same_site(uri: &Uri, headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    // A request line may name its server too.
    let asked = uri.authority().is_none_or(|authority| authority.as_str() == host);
    let one = headers.get_all(HOST).iter().count() == 1;
    let same = text(ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    if one && asked && is_loopback(host) && same {
        return Ok(());
    }
    Err(Failure::new(Code::HttpForbiddenOrigin, "only pages of this server may send requests to it"))
}

/// Whether a `Host` names this machine's loopback.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    local && !host.contains('@')
}

/// Compares digests, so that the time taken depends neither on the length nor on the content.
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
    fn only_the_exact_token_is_accepted() {
        let has = |value: &'static str| has_token(&headers(&[("authorization", value)]), "secret");
        assert!(has("Bearer secret") && has("bearer secret"));
        for wrong in ["Bearer secre", "Bearer secrets", "Basic secret", "secret", "Bearer", ""] {
            assert!(!has(wrong), "{wrong}");
        }
        assert!(!has_token(&HeaderMap::new(), "secret"));
    }

    #[test]
    fn a_session_works_for_pages_of_this_server_alone() {
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
    fn requests_of_other_sites_pages_are_refused() {
        for (pairs, may) in [
            (&[("host", "127.0.0.1:8080")][..], true),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:8080")], true),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:9090")], false),
            (&[("host", "127.0.0.1:8080"), ("origin", "https://example.org")], false),
            (&[("host", "127.0.0.1:8080"), ("origin", "null")], false),
            (&[("host", "LocalHost")], true),
            (&[("host", "[::1]")], true),
            (&[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")], true),
            (&[("host", "127.4.5.6:8080")], true),
            (&[("host", "rebound.example.org:8080")], false),
            (&[("host", "localhost.example.org")], false),
            (&[("host", "127.0.0.1.example.org")], false),
            (&[("host", "127.0.0.1@example.org")], false),
            (&[("host", "example.org@127.0.0.1")], false),
            (&[("host", "10.0.0.1:8080")], false),
            (&[("host", "")], false),
            (&[], false),
        ] {
            assert_eq!(same_site(&Uri::from_static("/"), &headers(pairs)).is_ok(), may, "{pairs:?}");
        }
        let own = headers(&[("host", "localhost:8080")]);
        assert!(same_site(&Uri::from_static("http://localhost:8080/"), &own).is_ok());
        assert!(same_site(&Uri::from_static("http://example.org/"), &own).is_err());
        let mut two = own.clone();
        two.append(HOST, HeaderValue::from_static("example.org"));
        assert!(same_site(&Uri::from_static("/"), &two).is_err());
    }
}
