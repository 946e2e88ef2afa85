//! Failures as RFC 9457 problem details, with the codes of the table in `error`.

use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::error::{Code, JobError};
use crate::store::StoreError;

/// A problem (RFC 9457), and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:chalkreel:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: &'static str,
    /// As in the response's head.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The stable code, as `handler/docs/errors.md` lists it.
    code: &'static str,
    /// What you can do.
    remedy: &'static str,
    /// Whether the same request can succeed later.
    retryable: bool,
}

/// A request that failed.
#[derive(Debug)]
pub struct Failure(pub(super) Code, pub(super) String);

impl Failure {
    /// With a message for this time.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(code, message.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = Code::from_name(error.code()).unwrap_or(Code::StoreUnavailable);
        Self(code, error.to_string())
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        Self(error.code, error.message)
    }
}

/// The parameters of a route's path. A path that can't be parsed is answered with a problem.
#[derive(Debug)]
pub struct PathParam<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParam<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(named)| Self(named)).map_err(|error| Failure::new(Code::HttpBadRequest, error.body_text()))
    }
}

/// The HTTP status of a code.
fn status(code: Code) -> StatusCode {
    match code {
        Code::HttpUnauthorized => StatusCode::UNAUTHORIZED,
        Code::HttpForbiddenOrigin => StatusCode::FORBIDDEN,
        Code::HttpNoSuchPath | Code::JobNotFound | Code::JobNotReady => StatusCode::NOT_FOUND,
        Code::HttpWrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Code::HttpNoSuchRange => StatusCode::RANGE_NOT_SATISFIABLE,
        Code::HttpTooLarge | Code::InputTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::InputUnknownFormat => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::HttpKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Code::HttpBadRequest | Code::IntakeBadRequest | Code::IntakeUnknownEvent | Code::InputEmpty => {
            StatusCode::BAD_REQUEST
        }
        Code::StoreDamaged => StatusCode::INTERNAL_SERVER_ERROR,
        Code::IntakeOwnOutput => StatusCode::BAD_REQUEST,
        // The others are the store's.
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(code, detail) = self;
        let status = status(code);
        if status.is_server_error() {
            tracing::error!(code = code.name(), "an HTTP request failed: {detail}");
        }
        let problem = Problem {
            kind: format!("urn:chalkreel:{}", code.name()),
            title: code.meaning(),
            status: status.as_u16(),
            detail,
            code: code.name(),
            remedy: code.remedy(),
            retryable: code.retryable(),
        };
        // Plain data that can be written.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
