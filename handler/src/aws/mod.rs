//! Calls of AWS's smaller services: EventBridge, IAM, Lambda, Polly, SQS, Step Functions and STS.
//!
//! In: an operation and its parameters. Out: the service's answer, or what its refusal means. S3 has a client of its own, `store`.
//!
//! Why not the SDK's clients: the handler needs a dozen operations of these services, each a request of a few lines. Three of their
//! SDKs alone took 140 CPU seconds of each build. What is hard stays with AWS's own crates: `aws-config` finds credentials,
//! `aws-sigv4` signs.

mod endpoint;
mod refusal;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use backon::{ExponentialBuilder, Retryable as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use self::refusal::Failure;
pub(crate) use self::refusal::{Refusal, bare};
use crate::config::{Config, Secret};
use crate::deadline::Deadline;

/// Time for a TCP and TLS connection: a few round trips.
const CONNECT: Duration = Duration::from_secs(3);
/// Time for one attempt. None of these services takes a second.
const ATTEMPT: Duration = Duration::from_secs(4);
/// Attempts of one call, the first included.
const ATTEMPTS: usize = 3;
/// First and longest wait between two attempts, before jitter.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// Credentials are looked up anew this long before they expire, as the SDKs do by default.
const EARLY: Duration = Duration::from_secs(10);

/// All but RFC 3986's unreserved characters: some servers encode a form anew before they check its signature.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What Chalkreel's own settings say of a service. What they leave out is found as by every AWS program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// Another server than AWS's.
    pub(crate) url: Option<String>,
    /// Where AWS's own settings name no region.
    pub(crate) region: Option<String>,
    credentials: Option<(String, Secret)>,
    session: Option<Secret>,
}

impl Access {
    /// What `config` says, for a service that may be at `url`.
    pub(crate) fn of(config: &Config, url: Option<&String>) -> Self {
        Self {
            url: url.cloned(),
            region: config.region.clone(),
            credentials: config.credentials.clone().map(|(key, secret)| (key, Secret(secret))),
            session: config.voices.polly_session.clone(),
        }
    }
}

/// Who calls, and how. Clones share connections and credentials.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    /// For clients of the SDK.
    pub(crate) sdk: SdkConfig,
    url: Option<String>,
    region: String,
    provider: SharedCredentialsProvider,
    /// The credentials of the last call. One caller looks them up, the others wait for it.
    found: Arc<Mutex<Option<Credentials>>>,
    http: Client,
    deadline: Option<Deadline>,
}

impl Aws {
    /// With the region and the provider of credentials that `access` or else AWS's own settings name. Credentials are looked up by
    /// the first call.
    ///
    /// # Errors
    /// In words: no region or no provider of credentials is set, or the system's certificates can't be read.
    pub(crate) async fn connect(access: &Access) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sdk = match (&access.url, &access.credentials) {
            // Another server than AWS's is not to be looked for; but a proxy before AWS wants the session's token too.
            (Some(_), Some((key, secret))) => {
                let session = access.session.clone().map(|session| session.0);
                let credentials = Credentials::new(key, &secret.0, session, None, "chalkreel");
                SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
            }
            _ => {
                let tls = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
                aws_config::defaults(BehaviorVersion::latest()).http_client(tls.build_https()).load().await
            }
        };
        let anywhere = || access.url.is_some().then(|| "us-east-1".to_owned());
        let region = sdk.region().map(Region::to_string).or_else(|| access.region.clone()).or_else(anywhere);
        let provider = sdk.credentials_provider().ok_or("no credentials are set")?;
        let http = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(Policy::none())
            .user_agent(concat!("chalkreel/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            url: access.url.clone(),
            region: region.ok_or("no region is set")?,
            provider,
            found: Arc::default(),
            http: http.build().map_err(|error| error.to_string())?,
            deadline: None,
            sdk,
        })
    }

    /// The same, whose calls all end by `deadline`.
    pub(crate) fn until(self, deadline: Deadline) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The credentials that calls are signed with.
    ///
    /// # Errors
    /// In words, why there are none.
    pub(crate) async fn credentials(&self) -> Result<Credentials, String> {
        let mut found = self.found.lock().await;
        let lasts = |kept: &Credentials, length: Duration| {
            kept.expiry().is_none_or(|at| at.duration_since(SystemTime::now()).is_ok_and(|left| left > length))
        };
        if let Some(kept) = found.as_ref().filter(|kept| lasts(kept, EARLY)) {
            return Ok(kept.clone());
        }
        match self.provider.provide_credentials().await {
            Ok(fresh) => Ok(found.insert(fresh).clone()),
            // The old ones are still good for this call.
            Err(error) => found.clone().filter(|kept| lasts(kept, Duration::ZERO)).ok_or_else(|| error.to_string()),
        }
    }

    /// Account and ARN of whoever asks.
    pub(crate) async fn caller(&self) -> Result<(String, String), Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            get_caller_identity_result: Identity,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Identity {
            account: String,
            arn: String,
        }
        let Answer { get_caller_identity_result: Identity { account, arn } } =
            self.query("sts", "2011-06-15", &[("Action", "GetCallerIdentity")]).await?;
        Ok((account, arn))
    }

    /// A GET of Lambda's REST interface.
    pub(crate) async fn lambda(&self, path: &str) -> Result<Value, Refusal> {
        let text = self.send("lambda", || http::Request::get(path), "").await?;
        serde_json::from_str(&text).map_err(|error| Refusal::Other(error.to_string()))
    }

    /// A call of EventBridge, SQS or Step Functions, which take and give JSON: `target` is the service's own prefix and the operation.
    pub(crate) async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, Refusal> {
        // Both versions are the same on the wire, but EventBridge takes the newer name alone.
        let version = if service == "events" { "1.1" } else { "1.0" };
        let request = || {
            http::Request::post("/")
                .header("content-type", format!("application/x-amz-json-{version}"))
                .header("x-amz-target", target)
        };
        let text = self.send(service, request, &body.to_string()).await?;
        serde_json::from_str(&text).map_err(|error| Refusal::Other(error.to_string()))
    }

    /// A call of STS or IAM, which take a form and give XML.
    pub(crate) async fn query<T: for<'de> Deserialize<'de>>(
        &self,
        service: &str,
        version: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let form = [&[("Version", version)], form].concat();
        let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let request = || http::Request::post("/").header("content-type", kind);
        let text = self.send(service, request, &form.join("&")).await?;
        quick_xml::de::from_str(&text).map_err(|error| Refusal::Other(format!("{service}: {error}")))
    }

    /// A signed request, for callers that send it themselves. The URI of `request` is a path.
    ///
    /// # Errors
    /// In words: there are no credentials, or the request is none.
    pub(crate) async fn request(
        &self,
        service: &str,
        request: http::request::Builder,
        body: String,
    ) -> Result<RequestBuilder, String> {
        let mut request = request.body(body).map_err(|error| error.to_string())?;
        let uri = format!("{}{}", self.endpoint(service), request.uri());
        *request.uri_mut() = uri.parse().map_err(|error| format!("{uri}: {error}"))?;
        let credentials = self.credentials().await?;
        sign_for(service, self.scope(service), credentials, &mut request)?;
        let request = reqwest::Request::try_from(request).map_err(|error| error.to_string())?;
        Ok(RequestBuilder::from_parts(self.http.clone(), request))
    }

    /// Makes a call, again where the fault may pass, and gives the text of a good answer.
    async fn send(
        &self,
        service: &str,
        request: impl Fn() -> http::request::Builder,
        body: &str,
    ) -> Result<String, Refusal> {
        let limit = || self.deadline.map_or(Deadline::after(ATTEMPT), |deadline| deadline.slice(ATTEMPT));
        let attempt = || async {
            let answer = limit().run(async {
                let request = self.request(service, request(), body.to_owned()).await.map_err(Failure::lasting)?;
                let answer = request.send().await.map_err(Failure::of)?;
                let (status, headers) = (answer.status(), answer.headers().clone());
                let text = answer.text().await.map_err(Failure::of)?;
                if status.is_success() { Ok(text) } else { Err(Failure::told(status, &headers, &text)) }
            });
            answer.await.unwrap_or_else(|_| Err(Failure::timed_out()))
        };
        let backoff = ExponentialBuilder::new()
            .with_min_delay(BACKOFF.0)
            .with_max_delay(BACKOFF.1)
            .with_max_times(ATTEMPTS - 1)
            .with_jitter();
        let left = |wait: &Duration| self.deadline.is_none_or(|deadline| *wait < deadline.left());
        let answer = attempt
            .retry(backoff)
            .when(Failure::may_pass)
            .adjust(|_: &Failure, wait: Option<Duration>| wait.filter(left))
            .await;
        answer.map_err(|failure| failure.refusal(service))
    }
}

/// Signs a request with signature version 4.
fn sign_for(
    service: &str,
    region: &str,
    credentials: Credentials,
    request: &mut http::Request<String>,
) -> Result<(), String> {
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let url = request.uri().to_string();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body = SignableBody::Bytes(request.body().as_bytes());
    let signable = SignableRequest::new(request.method().as_str(), url, headers, body);
    let signed = sign(signable.map_err(|error| error.to_string())?, &parameters).map_err(|error| error.to_string())?;
    signed.into_parts().0.apply_to_request_http1x(request);
    Ok(())
}

#[cfg(test)]
mod tests;
