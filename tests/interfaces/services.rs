//! AWS's services beside S3, as far as the functions call them: each call is recorded as IAM would judge it.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Each call: action, resource, and what was sent.
#[derive(Clone, Default)]
pub struct Services(Arc<Mutex<Vec<(String, String, Value)>>>);

impl Services {
    /// EventBridge, SQS and Polly, under one address.
    pub async fn start() -> (Self, SocketAddr) {
        let services = Self::default();
        let routes = Router::new().fallback(serve).with_state(services.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes).into_future());
        (services, address)
    }

    /// Action and resource of each call.
    pub fn calls(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().iter().map(|(action, on, _)| (action.clone(), on.clone())).collect()
    }

    /// What came with the calls for an action: details of events, bodies of others.
    pub fn sent(&self, action: &str) -> Vec<Value> {
        let calls = self.0.lock().unwrap();
        calls.iter().filter(|(name, ..)| name == action).map(|(.., sent)| sent.clone()).collect()
    }
}

async fn serve(State(services): State<Services>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    // `…/<service>/aws4_request`: who signs for a service means that service.
    let service = text("authorization").split("/aws4_request").next().unwrap().rsplit('/').next().unwrap().to_owned();
    let operation = match (service.as_str(), uri.path()) {
        ("events", "/") => text("x-amz-target").strip_prefix("AWSEvents.").unwrap().to_owned(),
        ("sqs", "/") => text("x-amz-target").strip_prefix("AmazonSQS.").unwrap().to_owned(),
        ("polly", "/v1/speech") => "SynthesizeSpeech".to_owned(),
        ("polly", path) if path.starts_with("/v1/voices") => "DescribeVoices".to_owned(),
        (service, path) => panic!("{service} is asked for {path}"),
    };
    let mut calls = services.0.lock().unwrap();
    if service == "events" {
        let body: Value = serde_json::from_slice(&body).unwrap();
        for entry in body["Entries"].as_array().unwrap() {
            let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            assert_eq!(entry["DetailType"], format!("chalkreel.job.{}", detail["state"].as_str().unwrap()));
            calls.push((format!("events:{operation}"), entry["EventBusName"].as_str().unwrap().to_owned(), detail));
        }
        return axum::Json(json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})).into_response();
    }
    if service == "sqs" {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        calls.push((format!("sqs:{operation}"), queue, body));
        return axum::Json(json!({"MessageId": "1", "MD5OfMessageBody": "x"})).into_response();
    }
    calls.push((format!("{service}:{operation}"), "*".to_owned(), Value::Null));
    // As for a region whose Polly lacks the voice: the next one speaks.
    let error = json!({"message": "This voice does not support the selected engine: neural"});
    (StatusCode::BAD_REQUEST, [("x-amzn-errortype", "EngineNotSupportedException")], axum::Json(error)).into_response()
}
