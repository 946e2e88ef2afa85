//! The settings of the interfaces: authorization of requests, and receivers of notifications.

use super::{Secret, url_fault};

/// Shortest token and secret, in bytes: 128 bits in hexadecimal digits.
const SHORTEST: usize = 32;

/// Settings of the interfaces.
#[derive(Debug, Clone)]
pub struct InterfaceConfig {
    /// The bearer token of the HTTP interface; none when requests are authorized otherwise.
    pub http_token: Option<Secret>,
    /// The EventBridge bus for events of jobs.
    pub event_bus: Option<String>,
    /// Where EventBridge is; none means AWS's own.
    pub events_url: Option<String>,
    /// The webhook for events of jobs, and the secret that signs them.
    pub webhook: Option<(String, Secret)>,
    /// Whether a webhook may be plain HTTP on loopback.
    pub webhook_loopback: bool,
    /// Whether spans are sent to the collector that OpenTelemetry's own variables name.
    pub spans: bool,
    /// The service's name in spans.
    pub service_name: Option<String>,
    /// The trace that a command of the command line belongs to.
    pub traceparent: Option<String>,
    /// The queue for messages that can't be parsed.
    pub dead_letters: Option<String>,
    /// Whether each film is counted in CloudWatch, by log lines in the embedded metric format.
    pub metrics: bool,
}

impl InterfaceConfig {
    pub(super) fn from_lookup(get: &dyn Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Self {
        let mut secret = |name: &str| {
            let secret = get(name).map(|text| Secret(text.trim().to_owned()));
            if secret.as_ref().is_some_and(|secret| secret.0.len() < SHORTEST) {
                faults.push(format!("{name} is too short for a secret; it must have at least {SHORTEST} bytes"));
            }
            secret
        };
        let http_token = secret("CHALKREEL_HTTP_TOKEN");
        let webhook_secret = secret("CHALKREEL_WEBHOOK_SECRET");
        faults.extend(http_token.as_ref().and_then(|token| token.header_fault("CHALKREEL_HTTP_TOKEN")));
        let mut switch = |name: &str| match get(name).as_deref().map(str::trim) {
            None | Some("off") => false,
            Some("on") => true,
            Some(other) => {
                faults.push(format!("{name} is `{other}`; it must be on or off"));
                false
            }
        };
        let webhook_loopback = switch("CHALKREEL_WEBHOOK_LOOPBACK");
        let metrics = switch("CHALKREEL_METRICS");
        let webhook = match (get("CHALKREEL_WEBHOOK_URL"), webhook_secret) {
            (Some(url), Some(secret)) => Some((url.trim().to_owned(), secret)),
            (Some(_), None) => {
                faults
                    .push("CHALKREEL_WEBHOOK_URL needs CHALKREEL_WEBHOOK_SECRET, which signs what is sent".to_owned());
                None
            }
            (None, _) => None,
        };
        if let Some((url, _)) = &webhook
            && !url.starts_with("https://")
            && !(webhook_loopback && url.starts_with("http://"))
        {
            faults.push(format!("CHALKREEL_WEBHOOK_URL is `{url}`; it must begin with https://"));
        }
        let mut url = |name: &str| {
            let url = get(name).map(|url| url.trim().to_owned());
            faults.extend(url.as_ref().and_then(|url| url_fault(name, url)));
            url
        };
        let events_url = url("CHALKREEL_EVENTS_ENDPOINT");
        // A wrong address of the collector costs spans, and never a film.
        let collector = get("OTEL_EXPORTER_OTLP_ENDPOINT").or_else(|| get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
        let disabled = match get("OTEL_SDK_DISABLED").map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                faults.push(format!("OTEL_SDK_DISABLED is `{other}`; it must be true or false"));
                false
            }
        };
        Self {
            http_token,
            event_bus: get("CHALKREEL_EVENT_BUS"),
            events_url,
            webhook,
            webhook_loopback,
            spans: collector.is_some() && !disabled,
            service_name: get("OTEL_SERVICE_NAME"),
            traceparent: get("TRACEPARENT"),
            dead_letters: get("CHALKREEL_DEAD_LETTERS"),
            metrics,
        }
    }
}
