//! The same routes under Lambda: a Function URL's or HTTP API's event becomes a request, and the answer an event's.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

/// Answers an event with `router`. Never fails: what can't be a request is answered as such.
pub async fn answer(event: ApiGatewayV2httpRequest, router: Router) -> Value {
    let Some(request) = request(event) else {
        return json!({"statusCode": StatusCode::BAD_REQUEST.as_u16(), "body": "the event holds no request\n"});
    };
    // A router's error type has no values.
    let Ok(response) = router.oneshot(request).await;
    let (head, body) = response.into_parts();
    // Bodies here are whole texts, never streams that could break.
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut headers = Map::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let entry = headers.entry(name.as_str()).or_insert_with(|| json!(""));
        let before = entry.as_str().unwrap_or_default();
        *entry = if before.is_empty() { json!(value) } else { json!(format!("{before}, {value}")) };
    }
    let (body, encoded) = match std::str::from_utf8(&bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(&bytes), true),
    };
    json!({"statusCode": head.status.as_u16(), "headers": headers, "body": body, "isBase64Encoded": encoded})
}

fn request(event: ApiGatewayV2httpRequest) -> Option<Request<Body>> {
    let path = event.raw_path.as_deref().filter(|path| path.starts_with('/')).unwrap_or("/");
    // An HTTP API puts its stage before the path, unless it is the default one.
    let stage = event.request_context.stage.as_deref().filter(|stage| !["", "$default"].contains(stage));
    let path = stage
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path);
    let uri = match event.raw_query_string.as_deref() {
        None | Some("") => path.to_owned(),
        Some(query) => format!("{path}?{query}"),
    };
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded { BASE64_STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut request = Request::builder().method(event.request_context.http.method).uri(uri);
    *request.headers_mut()? = event.headers;
    request.body(Body::from(body)).ok()
}
