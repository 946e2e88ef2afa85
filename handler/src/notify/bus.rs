//! Events on EventBridge: `chalkreel.job.queued` and the like, from the source `chalkreel`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::OnceCell;

use super::{Notice, Target};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::intake::OWN_SOURCE;
use crate::job::State;

/// One attempt: EventBridge answers in milliseconds.
const ATTEMPT: Duration = Duration::from_secs(4);
/// Attempts, the first included.
const ATTEMPTS: u32 = 3;

pub(super) struct Bus {
    client: OnceCell<Client>,
    name: String,
    url: Option<String>,
    region: Option<String>,
    credentials: Option<(String, String)>,
    bucket: String,
}

impl Bus {
    pub(super) fn new(name: &str, config: &Config, bucket: &str) -> Self {
        Self {
            client: OnceCell::new(),
            name: name.to_owned(),
            url: config.doors.events_url.clone(),
            region: config.region.clone(),
            credentials: config.credentials.clone(),
            bucket: bucket.to_owned(),
        }
    }

    async fn connect(&self) -> Client {
        let http = aws_smithy_http_client::Builder::new();
        let plain = self.url.as_deref().is_some_and(|url| url.starts_with("http://"));
        let http =
            if plain { http.build_http() } else { http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https() };
        let mut builder = match (&self.url, &self.credentials) {
            (Some(_), Some((access, secret))) => Builder::new()
                .behavior_version(BehaviorVersion::latest())
                .http_client(http)
                .credentials_provider(Credentials::new(access, secret, None, None, "chalkreel")),
            // On AWS credentials come with a session token, which the SDK alone knows how to find.
            _ => Builder::from(&aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await),
        };
        if let Some(region) = &self.region {
            builder = builder.region(Region::new(region.clone()));
        }
        if let Some(url) = &self.url {
            builder = builder.endpoint_url(url);
        }
        let limits = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        Client::from_conf(builder.timeout_config(limits).retry_config(retries).build())
    }
}

#[async_trait]
impl Target for Bus {
    fn name(&self) -> &'static str {
        "EventBridge"
    }

    fn hears(&self, _: State) -> bool {
        true
    }

    async fn tell(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
        // Made on first use: credentials may have to be looked up.
        let client = self.client.get_or_init(|| self.connect()).await;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(OWN_SOURCE)
            .detail_type(notice.name())
            .detail(notice.body(&self.bucket).to_string())
            .build();
        let reply = client.put_events().entries(entry).send().await;
        let reply = reply.map_err(|error| DisplayErrorContext(error).to_string())?;
        match reply.entries().iter().find_map(|entry| entry.error_message()) {
            Some(message) if reply.failed_entry_count() > 0 => Err(message.to_owned()),
            _ => Ok(()),
        }
    }
}
