//! OpenTelemetry spans: an invocation, its jobs, their stages and scenes, and each child process, sent to a
//! collector as OTLP over HTTP. Off unless `OTEL_EXPORTER_OTLP_ENDPOINT` names one.
//!
//! In: the spans of the program's log. Out: batches, from a thread of its own behind a bounded queue. It never
//! delays a job and never fails one: when the queue is full, spans are dropped; failures are logged; and a process that exits waits a
//! bounded time only.
//!
//! Why OTLP and not X-Ray's daemon: every collector takes it, AWS's own too, and it works where there is no daemon. Why not the
//! exporter's own HTTP client: the program has one, with its TLS.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceFlags, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_aws::trace::xray_propagator::span_context_from_str;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Level, Span, Subscriber, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::OWN_TARGETS;
use crate::config::Config;
use crate::deadline::Deadline;

/// One attempt to send a batch: a collector is near, and answers in milliseconds.
const ATTEMPT: Duration = Duration::from_secs(3);
/// To reach it at all.
const CONNECT: Duration = Duration::from_secs(1);

/// The exporter, once it is set up; it is global like the log that feeds it.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// A layer of the log that exports spans, when the settings name a collector. Calls over HTTP are made on `runtime`.
pub fn layer<S>(config: &Config, runtime: &Handle) -> Option<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    if !config.interfaces.spans {
        return None;
    }
    let client = Sender { runtime: runtime.clone(), client: OnceLock::new() };
    let exporter = match SpanExporter::builder().with_http().with_http_client(client).build() {
        Ok(exporter) => exporter,
        Err(error) => {
            // There is no log yet.
            let _ = writeln!(std::io::stderr(), "chalkreel: can't set up the export of spans: {error}");
            return None;
        }
    };
    // What the environment says of the service counts more than what we say.
    let own = [KeyValue::new("service.name", "chalkreel"), KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    let said: [Box<dyn ResourceDetector>; 1] = [Box::new(EnvResourceDetector::new())];
    let resource = Resource::builder_empty().with_attributes(own).with_detectors(&said);
    let resource = match &config.interfaces.service_name {
        Some(name) => resource.with_service_name(name.clone()),
        None => resource,
    };
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    let tracer = PROVIDER.get_or_init(|| provider).tracer("chalkreel");
    // This program's spans, and warnings and errors within them. Spans of other crates are about sockets.
    let ours = filter_fn(|what| {
        let ours = OWN_TARGETS.contains(&what.target().split("::").next().unwrap_or_default());
        ours && *what.level() <= if what.is_span() { Level::INFO } else { Level::WARN }
    });
    let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
    Some(layer.with_tracked_inactivity(false).with_filter(ours).boxed())
}

/// Exports ended spans, and says whether that was done by `deadline`. To be called before Lambda freezes the process, and before a
/// process exits.
pub async fn flush(deadline: Deadline) -> bool {
    let Some(provider) = PROVIDER.get() else { return true };
    let flushed = tokio::task::spawn_blocking(|| provider.force_flush());
    matches!(deadline.run(flushed).await, Ok(Ok(Ok(()))))
}

/// Makes `span` part of the trace that Lambda names (`Root=…;Parent=…;Sampled=…`).
pub fn follow_xray(span: &Span, header: Option<&str>) {
    if let Some(parent) = header.and_then(span_context_from_str).filter(SpanContext::is_valid) {
        // Lambda says "not sampled" when X-Ray itself is off; spans that the settings turn on are exported all the same.
        let flags = parent.trace_flags() | TraceFlags::SAMPLED;
        let parent = SpanContext::new(parent.trace_id(), parent.span_id(), flags, true, parent.trace_state().clone());
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Makes `span` part of the trace that a `traceparent` of W3C's Trace Context names.
pub fn follow(span: &Span, traceparent: Option<&str>) {
    struct One<'a>(&'a str);
    impl Extractor for One<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(self.0)
        }
        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    if let Some(traceparent) = traceparent {
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &One(traceparent));
        if parent.span().span_context().is_valid() {
            // It fails only where there are no spans.
            let _ = span.set_parent(parent);
        }
    }
}

/// The program's own HTTP client, on its own runtime: batches are sent by a thread that has none.
#[derive(Debug)]
struct Sender {
    runtime: Handle,
    /// Made when the first batch is sent, since certificates take some milliseconds to read.
    client: OnceLock<Result<reqwest::Client, String>>,
}

impl Sender {
    fn client(&self) -> Result<reqwest::Client, HttpError> {
        let client = self.client.get_or_init(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = reqwest::Client::builder().connect_timeout(CONNECT).timeout(ATTEMPT);
            client.redirect(reqwest::redirect::Policy::none()).build().map_err(|error| error.to_string())
        });
        client.clone().map_err(Into::into)
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, request) = (self.client()?, reqwest::Request::try_from(request)?);
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request).await.map_err(reqwest::Error::without_url)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        });
        let (status, headers, body) = match sent.await? {
            Ok((status, ..)) if !status.is_success() => {
                warn!("the collector of spans answered {status}; spans are lost");
                return Ok(Response::builder().status(status).body(Bytes::new())?);
            }
            Ok(answer) => answer,
            Err(error) => {
                warn!("can't send spans to the collector: {error}");
                return Err(error.into());
            }
        };
        let mut response = Response::builder().status(status).body(body)?;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
