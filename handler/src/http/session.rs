//! Browser sessions. A browser that sends the token once gets a cookie, since links, players and pictures of a page can't send one.
//!
//! The cookie holds its time of expiry, signed with the token as key. So the server stores nothing, and a new token ends all sessions.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::Api;
use super::problem::Problem;
use crate::config::Secret;

/// The cookie's name.
pub(super) const NAME: &str = "chalkreel";
/// Seconds that a session lasts: a working day.
const LENGTH: i64 = 12 * 3600;

/// Sets a cookie that replaces the bearer token for twelve hours.
#[utoipa::path(
    post,
    path = "/session",
    responses(
        (status = 204, description = "The session is open; no cookie is set when no token is required",
            headers(("Set-Cookie" = String))),
        (status = 401, description = "No token, or a wrong one", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(super) async fn open(State(api): State<Api>, headers: HeaderMap) -> Response {
    match api.token() {
        Some(token) => set(&value(token, Timestamp::now().as_second() + LENGTH), LENGTH, &headers),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Removes the cookie.
#[utoipa::path(delete, path = "/session", responses((status = 204, description = "The cookie is removed")))]
pub(super) async fn close(headers: HeaderMap) -> Response {
    set("", 0, &headers)
}

fn set(value: &str, seconds: i64, asked: &HeaderMap) -> Response {
    // Browsers drop `Secure` cookies that come over plain HTTP. A proxy in front says which scheme it was.
    let secure = if asked.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https") { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}

/// Whether the request has a valid session cookie.
pub(super) fn is_held(headers: &HeaderMap, token: &Secret) -> bool {
    is_good(headers, token, Timestamp::now().as_second())
}

fn is_good(headers: &HeaderMap, token: &Secret, now: i64) -> bool {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(name, given)| {
        let until = given.split_once('.').and_then(|(until, _)| until.parse::<i64>().ok());
        name == NAME
            && until
                .is_some_and(|until| until > now && bool::from(value(token, until).as_bytes().ct_eq(given.as_bytes())))
    })
}

/// `<seconds since 1970>.<HMAC-SHA256 in hexadecimal digits>`.
fn value(token: &Secret, until: i64) -> String {
    let digits = token.sign(&format!("session until {until}"));
    format!("{until}.{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_valid_when_signed_and_not_expired() {
        let (text, now) = ("0123456789abcdef0123456789abcdef", 1_700_000_000);
        let token = Secret(text.to_owned());
        let good = value(&token, now + 10);
        let held = |cookie: &str, now| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, cookie.parse().unwrap());
            is_good(&headers, &token, now)
        };
        assert!(held(&format!("chalkreel={good}"), now));
        assert!(held(&format!("other=1; chalkreel={good}; more=x=y"), now + 9));
        assert!(!held(&format!("chalkreel={good}"), now + 10), "it has expired");
        let longer = good.replace("1700000010.", "1700000099.");
        let foreign = value(&Secret("another token, of thirty-two bytes".to_owned()), now + 10);
        for wrong in [&*longer, &*foreign, &good[..good.len() - 1], text, "1700000010.", ".", ""] {
            assert!(!held(&format!("chalkreel={wrong}"), now), "{wrong}");
        }
        assert!(!held(&format!("chalk={good}"), now) && !is_good(&HeaderMap::new(), &token, now));
        assert!(!good.contains(text));
    }
}
