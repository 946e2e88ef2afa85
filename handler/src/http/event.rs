//! The same routes under Lambda: turns a Function URL's or HTTP API's event into a request, and the response into its answer.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{COOKIE, LINK, LOCATION, SET_COOKIE};
use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use super::problem::Failure;
use crate::error::{Code, JobError};

/// Answers an event with `router`. Never fails: an event that is no valid request gets an error answer.
pub async fn answer(event: ApiGatewayV2httpRequest, router: Router) -> Value {
    // An HTTP API puts its stage before the path, unless it is the default one.
    let path = event.raw_path.as_deref().filter(|path| path.starts_with('/')).unwrap_or("/");
    let stage = event.request_context.stage.as_deref().filter(|stage| !["", "$default"].contains(stage));
    let stage = stage
        .map(|stage| format!("/{stage}"))
        .filter(|stage| path.strip_prefix(stage.as_str()).is_some_and(|rest| rest.starts_with('/')));
    let stage = stage.unwrap_or_default();
    let path = path.strip_prefix(stage.as_str()).unwrap_or(path).to_owned();
    let response = match request(event, &path) {
        // A router's error type has no values.
        Some(request) => match router.oneshot(request).await {
            Ok(response) => response,
        },
        None => Failure::new(Code::HttpBadRequest, "the event is no valid HTTP request").into_response(),
    };
    written(response, &stage).await
}

/// The answer to an event that is meant as a request, but was refused for `error`.
pub async fn refusal(error: JobError) -> Value {
    written(Failure::from(error).into_response(), "").await
}

/// A response as Lambda hands it on. `stage` is put before paths again.
async fn written(response: Response, stage: &str) -> Value {
    let (head, body) = response.into_parts();
    // Bodies here are whole texts, never streams that could break.
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (mut headers, mut cookies) = (Map::new(), Vec::new());
    for (name, value) in &head.headers {
        let mut value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if *name == SET_COOKIE {
            // The one header whose values can't be joined.
            cookies.push(json!(value));
            continue;
        }
        if *name == LOCATION && value.starts_with('/') {
            value.insert_str(0, stage);
        } else if *name == LINK && value.starts_with("</") {
            value.insert_str(1, stage);
        }
        let entry = headers.entry(name.as_str()).or_insert_with(|| json!(""));
        let before = entry.as_str().unwrap_or_default();
        *entry = if before.is_empty() { json!(value) } else { json!(format!("{before}, {value}")) };
    }
    let (body, encoded) = match std::str::from_utf8(&bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(&bytes), true),
    };
    json!({
        "statusCode": head.status.as_u16(), "headers": headers, "cookies": cookies, "body": body,
        "isBase64Encoded": encoded,
    })
}

/// The request of an event, for `path`.
fn request(event: ApiGatewayV2httpRequest, path: &str) -> Option<Request<Body>> {
    let uri = match event.raw_query_string.as_deref() {
        None | Some("") => path.to_owned(),
        Some(query) => format!("{path}?{query}"),
    };
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded { BASE64_STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut request = Request::builder().method(event.request_context.http.method).uri(uri);
    let headers = request.headers_mut()?;
    *headers = event.headers;
    // They come beside the other headers.
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty()) {
        headers.insert(COOKIE, HeaderValue::from_str(&cookies.join("; ")).ok()?);
    }
    request.body(Body::from(body)).ok()
}
