//! Submitting a document: `POST /jobs`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::jobs::{self, Asked, job_status};
use super::problem::{Failure, Problem};
use crate::deadline::Deadline;
use crate::error::Code;
use crate::intake::{self, MAX_DOCUMENT, QUESTION, Question, is_companion};
use crate::job::keys::{self, Submission};
use crate::job::{JobId, Lease, Quality, Status};
use crate::publish;
use crate::store::cache::CacheKey;
use crate::store::{Condition, StoreError};

/// Longest name of a document, in characters.
const MAX_NAME: usize = 120;
/// Longest Idempotency-Key, in bytes.
const MAX_KEY: usize = 255;

/// What the query of a submission may say.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Options {
    /// The document's name, whose extension decides the format. Else the `filename` of Content-Disposition, else one by
    /// content type.
    name: Option<String>,
    /// Overrides the document's own quality.
    #[param(value_type = Option<String>, example = "draft")]
    quality: Option<Quality>,
}

/// A document within JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope {
    document: Inline,
    /// Overrides the document's own quality: draft, standard, high or 4k.
    #[schema(value_type = Option<String>, example = "draft")]
    quality: Option<Quality>,
    /// As the header Idempotency-Key.
    idempotency_token: Option<String>,
}

/// What JSON may be, besides a document itself.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is read in two ways")]
enum Submitted {
    Document(Envelope),
    Question(Asking),
}

/// A question, of which a language model writes the lesson.
#[derive(ToSchema)]
#[expect(dead_code, reason = "`intake::Question` is what is read")]
struct Asking {
    #[schema(example = "Why is the sky blue?")]
    question: String,
    /// The lesson's language (BCP 47); else the question's own.
    language: Option<String>,
    /// Minutes that its film should take.
    minutes: Option<f64>,
    /// draft, standard, high or 4k.
    quality: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Inline {
    /// Its extension decides the format.
    #[schema(example = "lesson.md")]
    name: String,
    /// The document, when it is text.
    text: Option<String>,
    /// The document in base64.
    base64: Option<String>,
}

struct Document {
    name: String,
    bytes: Bytes,
    quality: Option<Quality>,
    idempotency: Option<String>,
}

/// Submits a document to make a film of. The same document, or the same Idempotency-Key, is the same job.
#[utoipa::path(
    post,
    path = "/jobs",
    params(Options, ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same one are one job")),
    request_body(description = "The document itself, or a JSON object around it, or a question that a lesson is to answer", content(
        (String = "text/markdown"), (String = "text/x-python"), (String = "application/x-ipynb+json"), (Submitted = "application/json")
    )),
    responses(
        (status = 202, description = "The job, new or known already", body = Status,
            headers(("Location" = String, description = "Where its status is"))),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn submit(
    State(api): State<Api>,
    options: Result<Query<Options>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Failure> {
    let document = received(options, &headers, body)?;
    let status = store_document(&api, document).await?;
    let location = format!("/jobs/{}", status.job_id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(status)))
}

/// The name and the bytes of a document, in whatever form `POST /jobs` takes it.
///
/// # Errors
/// `http.…`, `input.…`
pub fn document(
    options: Result<Query<Options>, axum::extract::rejection::QueryRejection>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(String, Bytes), Failure> {
    received(options, headers, body).map(|document| (document.name, document.bytes))
}

fn received(
    options: Result<Query<Options>, axum::extract::rejection::QueryRejection>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Document, Failure> {
    let Query(options) = options.map_err(|error| Failure::new(Code::HttpBadRequest, error.body_text()))?;
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(Code::HttpTooLarge, error.body_text()),
        _ => Failure::new(Code::HttpBadRequest, error.body_text()),
    })?;
    read(options, headers, body)
}

fn read(options: Options, headers: &HeaderMap, body: Bytes) -> Result<Document, Failure> {
    let bad = |message: String| Failure::new(Code::HttpBadRequest, message);
    let text =
        |name: &str| headers.get(name).map(|value| value.to_str().map_err(|_| bad(format!("{name} is not text"))));
    let content_type = text("content-type").transpose()?.unwrap_or("text/markdown");
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let given = options.name.or_else(|| {
        let disposition = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
        Some(disposition.split_once("filename=")?.1.split(';').next()?.trim().trim_matches('"').to_owned())
    });
    let mut document = Document { name: String::new(), bytes: body, quality: options.quality, idempotency: None };
    let usual = match media.as_str() {
        "text/markdown" | "text/x-markdown" | "text/plain" => "lesson.md",
        "text/x-python" | "application/x-python" | "text/x-script.python" => "scenes.py",
        "application/x-ipynb+json" => "notebook.ipynb",
        "application/json" if is_envelope(&document.bytes) => {
            let envelope: Envelope = serde_json::from_slice(&document.bytes)
                .map_err(|error| bad(format!("the JSON object can't be parsed: {error}")))?;
            document.bytes = match (envelope.document.text, envelope.document.base64) {
                (Some(text), None) => text.into_bytes().into(),
                (None, Some(encoded)) => BASE64_STANDARD
                    .decode(encoded)
                    .map_err(|error| bad(format!("`document.base64` is not base64: {error}")))?
                    .into(),
                _ => return Err(bad("`document` needs one of `text` and `base64`".to_owned())),
            };
            document.quality = envelope.quality.or(document.quality);
            document.idempotency = envelope.idempotency_token;
            document.name = envelope.document.name;
            ""
        }
        "application/json" => match Question::of(QUESTION, &document.bytes) {
            // What the job would refuse is refused here.
            Some(question) => {
                question?;
                QUESTION
            }
            None => "plan.json",
        },
        // The name alone decides the format.
        "application/octet-stream" if given.is_some() => "",
        _ => {
            let message = format!("documents of the type `{media}` are not supported");
            return Err(Failure::new(Code::InputUnknownFormat, message));
        }
    };
    if document.name.is_empty() {
        document.name = given.unwrap_or_else(|| usual.to_owned());
    }
    document.name = name(&document.name).ok_or_else(|| bad(format!("`{}` is not a valid file name", document.name)))?;
    if is_companion(&document.name) {
        let name = &document.name;
        return Err(bad(format!(
            "`{name}` is the name of a file that belongs to a document (a picture, a sound, data, captions in another language, a program's narration), not of a document"
        )));
    }
    if document.bytes.is_empty() {
        return Err(Failure::new(Code::InputEmpty, "the body is empty"));
    }
    if document.bytes.len() as u64 > MAX_DOCUMENT {
        let message = format!("the document has more than {} MiB", MAX_DOCUMENT >> 20);
        return Err(Failure::new(Code::InputTooLarge, message));
    }
    if let Some(key) = text("idempotency-key").transpose()? {
        document.idempotency = Some(key.to_owned());
    }
    if document.idempotency.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
        return Err(bad(format!("an Idempotency-Key has 1 to {MAX_KEY} bytes")));
    }
    Ok(document)
}

/// Lecture plans and storyboards are JSON too, but have no `document`.
fn is_envelope(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Peek {
        #[serde(default)]
        document: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Peek>(bytes).is_ok_and(|peek| peek.document.is_some())
}

/// The last part of a path, if it can be the name of a file. XML, in which stores list their keys, can't contain U+FFFE
/// and U+FFFF.
fn name(given: &str) -> Option<String> {
    let name = given.rsplit(['/', '\\']).next()?.trim();
    let fits = name.chars().count() <= MAX_NAME
        && !name.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    (fits && !["", ".", ".."].contains(&name)).then(|| name.to_owned())
}

/// Stores the document where the trigger watches, unless it is there already.
async fn store_document(api: &Api, document: Document) -> Result<Status, Failure> {
    let deadline = Api::deadline();
    let store = api.store();
    let Document { name, bytes, quality, idempotency } = document;
    let token = match &idempotency {
        Some(key) => CacheKey::of("request by idempotency key").part("key", key),
        // Another version of this program makes another film of the same document.
        None => CacheKey::of("request by document")
            .part("name", &name)
            .part("bytes", &bytes)
            .part("quality", quality.map(|quality| quality.to_string()).unwrap_or_default())
            .part("version", env!("CARGO_PKG_VERSION")),
    };
    let token: String = token.finish().as_str().chars().take(keys::TOKEN).collect();
    let submission = Submission { token: token.clone(), quality, name: name.clone() };
    let key = submission.key();
    // Parsed as the trigger will do it: what it would refuse is refused here.
    let id = JobId::of(&intake::upload(store.bucket(), &key, "")?, "");

    let reused =
        || Failure::new(Code::HttpKeyReused, "this Idempotency-Key was sent before with another document or quality");
    if idempotency.is_some() {
        let (others, _) = store.page(&Submission::folder(&token), None, 2, deadline).await?;
        if others.iter().any(|other| *other != key) {
            return Err(reused());
        }
    }
    // Before the document: once that is stored, the job may begin.
    let asked = Asked { name, created_at: Timestamp::now(), key: Some(key.clone()) };
    let note = serde_json::to_vec(&asked).unwrap_or_default();
    let request = keys::of(&id, keys::REQUEST);
    let condition = Condition::Absent;
    if store.put_if(&request, note.clone(), "application/json", &condition, deadline).await?.is_some() {
        store.put(&keys::by_time(&id, asked.created_at), Vec::new(), "text/plain", deadline).await?;
    } else if jobs::asked(api, &id, deadline).await?.is_none() {
        // The stored request can't be parsed.
        store.put(&request, note, "application/json", deadline).await?;
    }
    if store.put_if(&key, bytes.clone(), "application/octet-stream", &condition, deadline).await?.is_none() {
        let same = match store.get(&key, MAX_DOCUMENT, deadline).await {
            Ok(there) => there.bytes == bytes,
            // The token is a hash of the document, unless the caller chose an Idempotency-Key and is responsible for it.
            Err(StoreError::Damaged { .. }) => true,
            Err(error) => return Err(error.into()),
        };
        if !same {
            return Err(reused());
        }
        let status = match job_status(api, &id, deadline).await {
            Ok(status) => recheck_film(api, status, deadline).await?,
            // The next claim of the job writes its status again.
            Err(Failure(Code::StoreDamaged, _)) => jobs::waiting(&id, &asked),
            Err(failure) => return Err(failure),
        };
        // A retryable failure is tried again; so is a job whose event was lost.
        if status.error.as_ref().is_some_and(|error| error.retryable) || status.attempts == 0 {
            match store.put(&key, bytes, "application/octet-stream", deadline).await {
                Ok(_) => api.enqueue(&key),
                Err(StoreError::NotFound { .. }) => return Err(reused()),
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(status);
    }
    api.enqueue(&key);
    job_status(api, &id, deadline).await
}

/// The document of a job, with its name: the lesson that was written for it, or what came over HTTP.
///
/// # Errors
/// `job.not_found`; `job.not_ready` when it is not known; what the store says.
pub async fn document_of(api: &Api, id: &JobId) -> Result<(String, Vec<u8>), Failure> {
    let deadline = Api::deadline();
    let status = job_status(api, id, deadline).await?;
    if let Some(lesson) = status.outputs.get("lesson") {
        let object = api.store().get(lesson, MAX_DOCUMENT, deadline).await?;
        return Ok((keys::LESSON.to_owned(), object.bytes.to_vec()));
    }
    submitted(api, id, deadline).await
}

/// What came over HTTP.
async fn submitted(api: &Api, id: &JobId, deadline: Deadline) -> Result<(String, Vec<u8>), Failure> {
    let unknown = || Failure::new(Code::JobNotReady, "its document did not come over HTTP, or is no longer there");
    let key = jobs::asked(api, id, deadline).await?.and_then(|asked| asked.key).ok_or_else(unknown)?;
    // The note lies beside what the job itself writes.
    let submission = Submission::of(&key).ok_or_else(unknown)?;
    match api.store().get(&key, MAX_DOCUMENT, deadline).await {
        Ok(object) => Ok((submission.name, object.bytes.to_vec())),
        Err(StoreError::NotFound { .. }) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

/// Submits the document of a job once more, as a job of its own. Gives its id, and its status as JSON.
///
/// # Errors
/// As for [`document_of`].
pub async fn again(api: &Api, id: &JobId) -> Result<(JobId, Vec<u8>), Failure> {
    let deadline = Api::deadline();
    job_status(api, id, deadline).await?;
    let (name, bytes) = submitted(api, id, deadline).await?;
    let quality = jobs::asked(api, id, deadline).await?.and_then(|asked| Submission::of(&asked.key?)?.quality);
    let idempotency = Some(format!("again {id} {}", Timestamp::now()));
    let status = store_document(api, Document { name, bytes: bytes.into(), quality, idempotency }).await?;
    // Plain data without maps that could fail.
    let body = serde_json::to_vec(&status).unwrap_or_default();
    Ok((status.job_id, body))
}

/// The status of a job after checking that its film is still there: a lost film is made again. The embedded store is a folder on a
/// disk, so the film is read and verified; of other stores, only its existence is checked.
async fn recheck_film(api: &Api, status: Status, deadline: Deadline) -> Result<Status, Failure> {
    let (true, Some(film)) = (status.has_film(), status.outputs.get("film")) else { return Ok(status) };
    let lost = if api.proxies_store() {
        publish::whole(&status, api.store(), deadline).await.err()
    } else {
        match api.store().head(film, deadline).await {
            Err(error @ StoreError::NotFound { .. }) => Some(publish::lost(error)),
            _ => None,
        }
    };
    let Some(lost) = lost else { return Ok(status) };
    let recheck_film = Lease::revoke_film(api.store(), &status.job_id, &lost, deadline).await?;
    Ok(recheck_film.unwrap_or(status))
}
