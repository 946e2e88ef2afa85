//! AWS's services beside S3, as far as the functions call them: each call is recorded as IAM would judge it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Action and resource of each call.
#[derive(Clone, Default)]
pub struct Services(Arc<Mutex<Vec<(String, String)>>>);

impl Services {
    /// EventBridge and Polly, under one address.
    pub async fn start() -> (Self, SocketAddr) {
        let services = Self::default();
        let routes = Router::new().fallback(serve).with_state(services.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes).into_future());
        (services, address)
    }

    pub fn calls(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

async fn serve(State(services): State<Services>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    // `…/<service>/aws4_request`: who signs for a service means that service.
    let service = text("authorization").split("/aws4_request").next().unwrap().rsplit('/').next().unwrap().to_owned();
    let operation = match (service.as_str(), uri.path()) {
        ("events", "/") => text("x-amz-target").strip_prefix("AWSEvents.").unwrap().to_owned(),
        ("polly", "/v1/speech") => "SynthesizeSpeech".to_owned(),
        ("polly", path) if path.starts_with("/v1/voices") => "DescribeVoices".to_owned(),
        (service, path) => panic!("{service} is asked for {path}"),
    };
    let mut calls = services.0.lock().unwrap();
    if service == "events" {
        let body: Value = serde_json::from_slice(&body).unwrap();
        for entry in body["Entries"].as_array().unwrap() {
            calls.push((format!("events:{operation}"), entry["EventBusName"].as_str().unwrap().to_owned()));
        }
        return axum::Json(json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})).into_response();
    }
    calls.push((format!("{service}:{operation}"), "*".to_owned()));
    // As for a region whose Polly lacks the voice: the next one speaks.
    let error = json!({"message": "This voice does not support the selected engine: neural"});
    (StatusCode::BAD_REQUEST, [("x-amzn-errortype", "EngineNotSupportedException")], axum::Json(error)).into_response()
}
