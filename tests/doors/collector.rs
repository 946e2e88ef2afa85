//! A collector of spans: takes OTLP over HTTP, as OpenTelemetry's own definition of the protocol reads it.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message as _;

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    /// Nanoseconds since 1970.
    pub from: u64,
    pub to: u64,
    pub failed: bool,
    pub fields: BTreeMap<String, String>,
    pub service: BTreeMap<String, String>,
}

/// What has come.
#[derive(Clone, Default)]
pub struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn fields(all: &[KeyValue]) -> BTreeMap<String, String> {
    all.iter().map(|field| (field.key.clone(), text(field.value.as_ref()))).collect()
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> &'static str {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    collector.headers.lock().unwrap().push(headers);
    let mut spans = collector.spans.lock().unwrap();
    for resource in request.resource_spans {
        let service = fields(&resource.resource.unwrap_or_default().attributes);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                trace: hex::encode(&span.trace_id),
                id: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
                from: span.start_time_unix_nano,
                to: span.end_time_unix_nano,
                // 2 is ERROR.
                failed: span.status.is_some_and(|status| status.code == 2),
                fields: fields(&span.attributes),
                service: service.clone(),
                name: span.name,
            });
        }
    }
    // An empty ExportTraceServiceResponse.
    ""
}

impl Collector {
    /// Listens on loopback.
    pub async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes).into_future());
        (collector, address)
    }

    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    pub fn headers(&self) -> Vec<HeaderMap> {
        self.headers.lock().unwrap().clone()
    }
}

/// The one span of that name.
pub fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

/// The names of those above a span, from the next one up to the first of the process.
pub fn above<'a>(spans: &'a [Span], span: &Span) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut parent = span.parent.clone();
    while let Some(found) = spans.iter().find(|other| other.id == parent) {
        assert!(names.len() < 20 && found.trace == span.trace);
        names.push(found.name.as_str());
        parent.clone_from(&found.parent);
    }
    names
}
