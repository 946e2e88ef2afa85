//! What a job left: `GET /jobs/{id}/film` and its like. Small texts come as they are, so that a page is one address with what
//! it needs beside it; all else is a redirect to the store, which knows ranges, or is passed on from there, ranges included.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::jobs::{known, standing};
use super::problem::{Failure, Named, Problem};
use crate::deadline::Deadline;
use crate::error::Code;
use crate::job::Status;
use crate::publish::keys;
use crate::store::StoreError;

/// How long a URL of the store opens an object: longer than a film that is watched with pauses. On AWS it ends with the
/// function's own credentials, when that is sooner.
const OPEN: Duration = Duration::from_secs(6 * 3600);
/// A Function URL answers with 6 MB at the most, base64 included.
const MAX_TEXT: u64 = 4 << 20;

/// The names under which a job's files are asked for: those of the interface, and those by which its page calls them.
const NAMES: &[(&str, &str, Way)] = &[
    ("film", keys::FILM, Way::Store),
    ("captions", keys::CAPTIONS_VTT, Way::Text("text/vtt; charset=utf-8")),
    ("page", keys::PAGE, Way::Text("text/html; charset=utf-8")),
    ("log", keys::LOG, Way::Text("application/x-ndjson")),
    ("poster", keys::POSTER, Way::Store),
    (keys::FILM, keys::FILM, Way::Store),
    (keys::POSTER, keys::POSTER, Way::Store),
    (keys::CAPTIONS_VTT, keys::CAPTIONS_VTT, Way::Text("text/vtt; charset=utf-8")),
    (keys::CAPTIONS_SRT, keys::CAPTIONS_SRT, Way::Text("application/x-subrip")),
    (keys::STORYBOARD, keys::STORYBOARD, Way::Store),
    (keys::SYNC, keys::SYNC, Way::Store),
    (keys::PAGE, keys::PAGE, Way::Text("text/html; charset=utf-8")),
    (keys::LOG, keys::LOG, Way::Text("application/x-ndjson")),
    (keys::STATUS, keys::STATUS, Way::Text("application/json")),
];

/// How a file comes.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Through this interface.
    Text(&'static str),
    /// As the store has it.
    Store,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct In {
    /// Of captions: the language, BCP 47; the film's own when it is missing.
    #[param(example = "de")]
    lang: Option<String>,
}

/// What the job left: `film`, `captions`, `page`, `log`, `poster`, or any file by its own name.
#[utoipa::path(
    get,
    path = "/jobs/{id}/{output}",
    params(
        ("id" = String, Path, description = "24 hexadecimal digits"),
        ("output" = String, Path, description = "film, captions, page, log, poster, or a file's name", example = "film"),
        In,
    ),
    responses(
        (status = 200, description = "Captions, page and log; film and poster where `chalkreel serve` has them itself",
            content_type = "text/html"),
        (status = 206, description = "The range of the film that was asked for, where 302 is not the answer",
            content_type = "video/mp4"),
        (status = 302, description = "Film and poster: where they are, for some hours; ranges work there",
            headers(("Location" = String))),
        (status = 404, description = "No such job, or it has not made that yet", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(super) async fn output(
    State(api): State<Api>,
    Named((id, output)): Named<(String, String)>,
    asked: Result<Query<In>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Query(In { lang }) = asked.map_err(|error| Failure::new(Code::HttpBadRequest, error.body_text()))?;
    let (id, deadline) = (known(&id)?, Api::deadline());
    let no_such = || Failure::new(Code::HttpNoSuchPath, format!("a job has no `{output}`"));
    let named = NAMES.iter().find(|(name, ..)| *name == output).map(|(_, file, way)| ((*file).to_owned(), *way));
    let (file, way) = named.or_else(|| in_another_language(&output)).ok_or_else(no_such)?;
    let status = standing(&api, &id, deadline).await?;
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
    match way {
        Way::Store => stored(&api, &key, &headers, deadline).await,
        Way::Text(content_type) => match api.store().get(&key, MAX_TEXT, deadline).await {
            Ok(object) => Ok(([(header::CONTENT_TYPE, content_type)], object.bytes).into_response()),
            Err(StoreError::NotFound { .. }) => Err(not_ready()),
            Err(StoreError::TooLarge { .. }) => stored(&api, &key, &headers, deadline).await,
            Err(error) => Err(error.into()),
        },
    }
}

/// An object as the store has it: by a redirect, or through this process where readers can't reach the store.
async fn stored(api: &Api, key: &str, headers: &HeaderMap, deadline: Deadline) -> Result<Response, Failure> {
    if !api.passes_on() {
        let url = api.store().presigned(key, OPEN, deadline).await?;
        return Ok((StatusCode::FOUND, [(header::LOCATION, url)]).into_response());
    }
    let range = range(headers);
    let no_such = |error| match error {
        StoreError::Refused { status: 400 | 416, message, .. } if range.is_some() => {
            Failure::new(Code::HttpNoSuchRange, message)
        }
        error => Failure::from(error),
    };
    let mut part = api.store().part(key, range, deadline).await.map_err(no_such)?;
    // Whoever has the beginning of another version needs all of this one.
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != part.etag.as_str().as_bytes()) {
        part = api.store().part(key, None, deadline).await?;
    }
    let status = if part.range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let head = Response::builder()
        .status(status)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_LENGTH, part.size)
        .header(header::ETAG, part.etag.as_str())
        .header(header::CONTENT_TYPE, part.content_type.as_deref().unwrap_or("application/octet-stream"));
    let head = part.range.iter().fold(head, |head, range| head.header(header::CONTENT_RANGE, range));
    let body = Body::from_stream(part.pieces());
    // Headers of the store's are headers here too.
    head.body(body).map_err(|error| Failure::new(Code::StoreDamaged, error.to_string()))
}

/// The one range that is asked for. Several at once, and what is none, count as none, as HTTP lets servers do.
fn range(headers: &HeaderMap) -> Option<&str> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (number(first) && number(last) && !(first.is_empty() && last.is_empty())).then_some(range)
}

/// `captions.de.vtt` and its like, as pages link them.
fn in_another_language(output: &str) -> Option<(String, Way)> {
    let (language, extension) = output.strip_prefix("captions.")?.rsplit_once('.')?;
    let way = match extension {
        "vtt" => Way::Text("text/vtt; charset=utf-8"),
        "srt" => Way::Text("application/x-subrip"),
        _ => return None,
    };
    Some((keys::captions(language, extension), way))
}

/// The key of the captions in `language`, or in another kind of it: whoever asks for `de` takes `de-AT`, and the other way round.
fn captions_in(language: &str, status: &Status) -> Option<String> {
    let prefix = keys::captions_output("", "vtt");
    let all = || status.outputs.iter().filter_map(|(kind, key)| Some((kind.strip_prefix(&prefix)?, key)));
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let same = all().find(|(tag, _)| tag.eq_ignore_ascii_case(language));
    same.or_else(|| all().find(|(tag, _)| primary(tag) == primary(language))).map(|(_, key)| key.clone())
}
