//! The state machine that makes a film on many machines, as seen from one of them: how an execution is started, and how long one
//! may take. Its definition lies in `template.yaml`; what its tasks do, in `tasks`.
//!
//! In: a call sheet's key. Out: the execution's name. It never waits for an execution.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::timeout::TimeoutConfig;
use aws_sdk_sfn::config::{Builder, Credentials, Region};
use aws_sdk_sfn::error::DisplayErrorContext;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::deadline::Deadline;
use crate::job::Status;
use crate::store::CacheKey;

/// The longest execution; the template says the same of its state machine.
pub const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// One attempt: Step Functions answers in milliseconds.
const ATTEMPT: Duration = Duration::from_secs(4);
/// Attempts, the first included.
const ATTEMPTS: u32 = 3;

/// A state machine of Step Functions.
#[derive(Debug)]
pub struct Machine {
    client: OnceCell<Client>,
    arn: String,
    url: Option<String>,
    region: Option<String>,
    credentials: Option<(String, String)>,
}

impl Machine {
    /// The one that the settings name; what is not on Lambda has all the time that it wants.
    pub fn of(config: &Config) -> Option<Self> {
        if !config.under_lambda {
            return None;
        }
        Some(Self {
            client: OnceCell::new(),
            arn: config.state_machine.clone()?,
            url: config.states_url.clone(),
            region: config.region.clone(),
            credentials: config.credentials.clone(),
        })
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

    /// Starts an execution that goes on with the job of `status` from the call sheet under `sheet`, and gives its ARN. A call that
    /// is repeated by the SDK finds the execution that it started.
    ///
    /// # Errors
    /// What Step Functions said, in words.
    pub async fn start(&self, status: &Status, sheet: &CacheKey, deadline: Deadline) -> Result<String, String> {
        // Made on first use: credentials may have to be looked up.
        let client = self.client.get_or_init(|| self.connect()).await;
        let Status { job_id, generation, owner, .. } = status;
        let input = json!({"job_id": job_id, "sheet": sheet}).to_string();
        let name = format!("{job_id}-{generation}-{owner}");
        let start = client.start_execution().state_machine_arn(&self.arn).name(name).input(input).send();
        match deadline.run(start).await {
            Ok(Ok(started)) => Ok(started.execution_arn().to_owned()),
            Ok(Err(error)) => Err(DisplayErrorContext(error).to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }
}
