//! The results of a job: `GET /jobs/{id}/film` and others. Small texts are served directly, so that a page and its files have one
//! origin; for the rest, the answer is a redirect to the store, or proxies the store, ranges included.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::jobs::{job_status, known};
use super::problem::{Failure, PathParam, Problem};
use crate::deadline::Deadline;
use crate::error::Code;
use crate::job::keys;
use crate::job::{JobId, Status};
use crate::publish::page_policy;
use crate::store::{ETag, StoreError};

/// The validity of a presigned URL: longer than a film that is watched with pauses. On AWS it ends with the function's own
/// credentials, when that is sooner.
const OPEN: Duration = Duration::from_secs(6 * 3600);
/// A Function URL answers with 6 MB at the most, base64 included.
const MAX_TEXT: u64 = 4 << 20;

/// The media types of films and posters. Those that the store reports are not trusted.
const VIDEO: &str = "video/mp4";
const PICTURE: &str = "image/jpeg";
const JSON: &str = "application/json";

/// The names of a job's files in URLs: those of the interface, and those that its page links.
const NAMES: &[(&str, &str, Delivery)] = &[
    ("film", keys::FILM, Delivery::Store(VIDEO)),
    ("captions", keys::CAPTIONS_VTT, Delivery::Text("text/vtt; charset=utf-8")),
    ("page", keys::PAGE, Delivery::Page),
    ("log", keys::LOG, Delivery::Text("application/x-ndjson")),
    ("lesson", keys::LESSON, Delivery::Text("text/markdown; charset=utf-8")),
    ("poster", keys::POSTER, Delivery::Store(PICTURE)),
    (keys::FILM, keys::FILM, Delivery::Store(VIDEO)),
    (keys::POSTER, keys::POSTER, Delivery::Store(PICTURE)),
    (keys::CAPTIONS_VTT, keys::CAPTIONS_VTT, Delivery::Text("text/vtt; charset=utf-8")),
    (keys::CAPTIONS_SRT, keys::CAPTIONS_SRT, Delivery::Text("application/x-subrip")),
    (keys::STORYBOARD, keys::STORYBOARD, Delivery::Store(JSON)),
    (keys::LESSON, keys::LESSON, Delivery::Text("text/markdown; charset=utf-8")),
    (keys::SYNC, keys::SYNC, Delivery::Store(JSON)),
    (keys::PAGE, keys::PAGE, Delivery::Page),
    (keys::LOG, keys::LOG, Delivery::Text("application/x-ndjson")),
    (keys::STATUS, keys::STATUS, Delivery::Text(JSON)),
];

/// How a file is delivered.
#[derive(Debug, Clone, Copy)]
enum Delivery {
    /// Through this interface, as this media type.
    Text(&'static str),
    /// The same, as a page.
    Page,
    /// From the store itself, where that can be reached.
    Store(&'static str),
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LanguageQuery {
    /// Of captions: the language, BCP 47; the film's own when it is missing.
    #[param(example = "de")]
    lang: Option<String>,
}

/// A result of the job: `film`, `captions`, `page`, `log`, `poster`, `lesson` (of a question), or any file by its own name.
#[utoipa::path(
    get,
    path = "/jobs/{id}/{output}",
    params(
        ("id" = String, Path, description = "24 hexadecimal digits"),
        ("output" = String, Path, description = "film, captions, page, log, poster, lesson, or a file's name", example = "film"),
        LanguageQuery,
    ),
    responses(
        (status = 200, description = "Captions, page and log; film and poster where `chalkreel serve` has the store itself",
            content_type = "text/html"),
        (status = 206, description = "The requested range of the film, where 302 is not the answer",
            content_type = "video/mp4"),
        (status = 302, description = "Film and poster: where they are, for some hours; ranges work there",
            headers(("Location" = String))),
        (status = 404, description = "No such job, or it has not made that yet", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(super) async fn output(
    State(api): State<Api>,
    PathParam((id, output)): PathParam<(String, String)>,
    asked: Result<Query<LanguageQuery>, QueryRejection>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Query(LanguageQuery { lang }) = asked.map_err(|error| Failure::new(Code::HttpBadRequest, error.body_text()))?;
    let (id, deadline) = (known(&id)?, Api::deadline());
    let no_such = || Failure::new(Code::HttpNoSuchPath, format!("a job has no `{output}`"));
    let named = NAMES.iter().find(|(name, ..)| *name == output).map(|(_, file, way)| ((*file).to_owned(), *way));
    let (file, way) = named.or_else(|| in_another_language(&output)).ok_or_else(no_such)?;
    let status = job_status(&api, &id, deadline).await?;
    let mut key = keys::of(&id, &file);
    if let (Some(lang), true) = (&lang, output == "captions") {
        key = captions_in(lang, &status).ok_or_else(|| {
            Failure::new(
                Code::JobNotReady,
                format!("the job is {} and has no captions in `{lang}`", status.state.name()),
            )
        })?;
    }
    let there = file == keys::STATUS || status.outputs.values().any(|made| *made == key);
    let not_ready =
        || Failure::new(Code::JobNotReady, format!("the job is {} and has no {output}", status.state.name()));
    if !there {
        return Err(not_ready());
    }
    let text = match way {
        Delivery::Store(kind) => return stored(&api, &key, kind, &method, &headers, deadline).await,
        Delivery::Text(kind) => kind,
        Delivery::Page => "text/html; charset=utf-8",
    };
    let object = match api.store().get(&key, MAX_TEXT, deadline).await {
        Ok(object) => object,
        Err(StoreError::NotFound { .. }) => return Err(not_ready()),
        Err(StoreError::TooLarge { .. }) => return stored(&api, &key, text, &method, &headers, deadline).await,
        Err(error) => return Err(error.into()),
    };
    let mut response = ([(header::CONTENT_TYPE, text)], object.bytes).into_response();
    if let Delivery::Page = way {
        let policy = format!("{}; frame-ancestors 'none'", page_policy(&media(&api, &id, deadline).await?));
        // Hashes and an origin: all ASCII.
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    Ok(response)
}

/// Where a page's film and poster come from, as a policy names sources: from here, and from where they are redirected to.
async fn media(api: &Api, id: &JobId, deadline: Deadline) -> Result<String, Failure> {
    if api.proxies_store() {
        return Ok("'self'".to_owned());
    }
    let film = api.store().presigned(&keys::of(id, keys::FILM), OPEN, deadline).await?;
    let origin = film.split_inclusive('/').take(3).collect::<String>();
    Ok(format!("'self' {}", origin.trim_end_matches('/')))
}

/// An object of the store: by a redirect, or through this process where readers can't reach the store.
async fn stored(
    api: &Api,
    key: &str,
    content_type: &'static str,
    method: &Method,
    headers: &HeaderMap,
    deadline: Deadline,
) -> Result<Response, Failure> {
    if !api.proxies_store() {
        let url = api.store().presigned(key, OPEN, deadline).await?;
        return Ok((StatusCode::FOUND, [(header::LOCATION, url)]).into_response());
    }
    let answer = |status: StatusCode, size: u64, etag: &ETag| {
        Response::builder()
            .status(status)
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_LENGTH, size)
            .header(header::ETAG, etag.as_str())
            .header(header::CONTENT_TYPE, content_type)
    };
    // Values of the store's headers are valid here too.
    let built =
        |answer: http::Result<Response>| answer.map_err(|error| Failure::new(Code::StoreDamaged, error.to_string()));
    // Ranges apply to GET alone.
    let range = Range::asked(headers).filter(|_| *method == Method::GET);
    if range.is_none() && *method != Method::HEAD {
        let part = api.store().part(key, None, deadline).await?;
        return built(answer(StatusCode::OK, part.size, &part.etag).body(Body::from_stream(part.pieces())));
    }
    let head = api.store().head(key, deadline).await?;
    // A client that has a part of another version needs all of this one.
    let same = headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == head.etag.as_str().as_bytes());
    match range.filter(|_| same) {
        None if *method == Method::HEAD => built(answer(StatusCode::OK, head.size, &head.etag).body(Body::empty())),
        None => {
            let part = api.store().part(key, None, deadline).await?;
            built(answer(StatusCode::OK, part.size, &part.etag).body(Body::from_stream(part.pieces())))
        }
        Some(range) => match range.within(head.size) {
            Some((first, last)) => {
                let part = api.store().part(key, Some(&format!("bytes={first}-{last}")), deadline).await?;
                let content_range = part.range.clone().unwrap_or_else(|| format!("bytes {first}-{last}/{}", head.size));
                let answer = answer(StatusCode::PARTIAL_CONTENT, part.size, &part.etag)
                    .header(header::CONTENT_RANGE, content_range);
                built(answer.body(Body::from_stream(part.pieces())))
            }
            None => {
                let message = format!("the file has {} bytes", head.size);
                let mut refused = Failure::new(Code::HttpNoSuchRange, message).into_response();
                let whole = HeaderValue::from_str(&format!("bytes */{}", head.size));
                refused.headers_mut().extend(whole.map(|whole| (header::CONTENT_RANGE, whole)));
                Ok(refused)
            }
        },
    }
}

/// The requested range of bytes (RFC 9110).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// From a byte on, to another one or to the end.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl Range {
    /// Several ranges, and invalid ones, are ignored, as HTTP lets servers do.
    fn asked(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(header::RANGE).iter();
        let (range, None) = (all.next()?, all.next()) else { return None };
        let (unit, ranges) = range.to_str().ok()?.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = ranges.trim().split_once('-')?;
        // A number too large to parse is beyond any file's end.
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(u64::MAX))
        };
        match (first, last) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// First and last byte of it in a file of `size` bytes; none when it has none of them.
    fn within(self, size: u64) -> Option<(u64, u64)> {
        let end = size.checked_sub(1)?;
        match self {
            Self::From(first, last) => (first <= end).then(|| (first, last.unwrap_or(end).min(end))),
            Self::Last(0) => None,
            Self::Last(length) => Some((size.saturating_sub(length), end)),
        }
    }
}

/// `captions.de.vtt` and its like, as pages link them.
fn in_another_language(output: &str) -> Option<(String, Delivery)> {
    let (language, extension) = output.strip_prefix("captions.")?.rsplit_once('.')?;
    let way = match extension {
        "vtt" => Delivery::Text("text/vtt; charset=utf-8"),
        "srt" => Delivery::Text("application/x-subrip"),
        _ => return None,
    };
    Some((keys::captions(language, extension), way))
}

/// The key of the captions in `language`, or in another kind of it: `de` also finds `de-AT`, and the other way round.
fn captions_in(language: &str, status: &Status) -> Option<String> {
    let prefix = keys::captions_output("", "vtt");
    let all = || status.outputs.iter().filter_map(|(kind, key)| Some((kind.strip_prefix(&prefix)?, key)));
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let same = all().find(|(tag, _)| tag.eq_ignore_ascii_case(language));
    same.or_else(|| all().find(|(tag, _)| primary(tag) == primary(language))).map(|(_, key)| key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_rfc_9110() {
        let parsed = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static(text));
            Range::asked(&headers)
        };
        for (text, expected) in [
            ("bytes=0-0", Some((0, 0))),
            ("bytes=2-4", Some((2, 4))),
            ("bytes=2-", Some((2, 9))),
            ("bytes=-3", Some((7, 9))),
            ("bytes=-30", Some((0, 9))),
            ("bytes=5-99999999999999999999999", Some((5, 9))),
            ("Bytes=1-2", Some((1, 2))),
            ("bytes=10-", None),
            ("bytes=10-12", None),
            ("bytes=99999999999999999999999-", None),
            ("bytes=-0", None),
        ] {
            let range = parsed(text).unwrap_or_else(|| panic!("{text} is a range"));
            assert_eq!(range.within(10), expected, "{text}");
            assert_eq!(range.within(0), None, "{text}");
        }
        for none in [
            "bytes=4-2",
            "bytes=-",
            "bytes=",
            "bytes",
            "bytes=a-b",
            "bytes=1-2,4-5",
            "lines=1-2",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes=0x1-2",
            "=1-2",
        ] {
            assert_eq!(parsed(none), None, "{none}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(header::RANGE, HeaderValue::from_static("bytes=2-3"));
        assert_eq!(Range::asked(&twice), None);
    }
}
