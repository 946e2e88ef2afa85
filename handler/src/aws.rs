//! Calls of AWS's services that are signed here, for those that are called too seldom for a client of their own.
//!
//! In: an operation and its parameters. Out: the service's answer, or what its refusal means. It never tries a call again.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;

use crate::deadline::Deadline;

/// For one call. None of these takes a second.
const CALL: Duration = Duration::from_secs(10);

/// All but RFC 3986's unreserved characters: some servers encode a form anew before they check its signature.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The caller may not ask that.
    Denied(String),
    /// There is no such thing.
    Missing(String),
    /// Anything else.
    Other(String),
}

impl Refusal {
    /// By HTTP status and the service's own code.
    pub(crate) fn of(status: u16, code: &str, message: &str) -> Self {
        let text = if message.is_empty() { format!("{status} {code}") } else { format!("{code}: {message}") };
        let denied =
            code.contains("AccessDenied") || code.contains("Unauthorized") || code.contains("AuthorizationError");
        let missing = code.contains("NotFound") || code.contains("NoSuch") || code.contains("NonExistent");
        match status {
            _ if missing || code.contains("DoesNotExist") => Self::Missing(text),
            401 | 403 => Self::Denied(text),
            _ if denied => Self::Denied(text),
            404 => Self::Missing(text),
            _ => Self::Other(text),
        }
    }
}

/// Who asks, and how.
pub(crate) struct Aws {
    /// For clients of the SDK.
    pub(crate) sdk: SdkConfig,
    credentials: Credentials,
    region: String,
    http: Client,
    deadline: Deadline,
}

impl Aws {
    /// With the credentials and region that the AWS SDK finds; it heeds `AWS_ENDPOINT_URL` too.
    pub(crate) async fn connect(deadline: Deadline) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(tls.build_https()).load().await;
        let region = sdk.region().ok_or("no region is set")?.to_string();
        let provider = sdk.credentials_provider().ok_or("no credentials are set")?;
        let credentials = provider.provide_credentials().await.map_err(|error| error.to_string())?;
        let http =
            Client::builder().redirect(Policy::none()).user_agent(concat!("chalkreel/", env!("CARGO_PKG_VERSION")));
        let http = http.build().map_err(|error| error.to_string())?;
        Ok(Self { sdk, credentials, region, http, deadline })
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
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
        let request = http::Request::get(format!("{}{path}", self.endpoint("lambda")));
        let text = self.send("lambda", request, String::new()).await?;
        serde_json::from_str(&text).map_err(|error| Refusal::Other(error.to_string()))
    }

    /// A call of SQS or Step Functions, which take and give JSON: `target` is the service's own prefix and the operation.
    pub(crate) async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, Refusal> {
        let request = http::Request::post(format!("{}/", self.endpoint(service)))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target);
        let text = self.send(service, request, body.to_string()).await?;
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
        let request = http::Request::post(format!("{}/", self.endpoint(service)))
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let text = self.send(service, request, form.join("&")).await?;
        quick_xml::de::from_str(&text).map_err(|error| Refusal::Other(format!("{service}: {error}")))
    }

    /// Where a service is, without a path. IAM is at one place for all regions.
    fn endpoint(&self, service: &str) -> String {
        if let Some(url) = self.sdk.endpoint_url() {
            return url.trim_end_matches('/').to_owned();
        }
        let (cn, gov) = (self.region.starts_with("cn-"), self.region.starts_with("us-gov-"));
        match (service, cn, gov) {
            ("iam", true, _) => "https://iam.cn-north-1.amazonaws.com.cn".to_owned(),
            ("iam", _, true) => "https://iam.us-gov.amazonaws.com".to_owned(),
            ("iam", ..) => "https://iam.amazonaws.com".to_owned(),
            (_, true, _) => format!("https://{service}.{}.amazonaws.com.cn", self.region),
            _ => format!("https://{service}.{}.amazonaws.com", self.region),
        }
    }

    /// Which region a service's calls are signed for.
    fn scope(&self, service: &str) -> &str {
        match service {
            "iam" if self.region.starts_with("cn-") => "cn-north-1",
            "iam" if self.region.starts_with("us-gov-") => "us-gov-west-1",
            "iam" => "us-east-1",
            _ => &self.region,
        }
    }

    async fn send(&self, service: &str, request: http::request::Builder, body: String) -> Result<String, Refusal> {
        let other = |reason: String| Refusal::Other(format!("{service}: {reason}"));
        let mut request = request.body(body).map_err(|error| other(error.to_string()))?;
        self.sign(service, &mut request).map_err(other)?;
        let request = reqwest::Request::try_from(request).map_err(|error| other(error.to_string()))?;
        let answer = self.deadline.slice(CALL).run(async {
            let answer = self.http.execute(request).await?;
            Ok((answer.status(), answer.text().await?))
        });
        let answer = answer.await.map_err(|_| other("no answer in time".to_owned()))?;
        let (status, text) = answer.map_err(|error: reqwest::Error| other(error.without_url().to_string()))?;
        if status.is_success() {
            return Ok(text);
        }
        let (code, message) = told(&text);
        Err(Refusal::of(status.as_u16(), &code, &message))
    }

    fn sign(&self, service: &str, request: &mut http::Request<String>) -> Result<(), String> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.scope(service))
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
        let signed =
            sign(signable.map_err(|error| error.to_string())?, &parameters).map_err(|error| error.to_string())?;
        signed.into_parts().0.apply_to_request_http1x(request);
        Ok(())
    }
}

/// Code and message of a refusal, in JSON or in XML.
fn told(text: &str) -> (String, String) {
    if let Ok(body) = serde_json::from_str::<Value>(text) {
        let field = |names: [&str; 3]| names.iter().find_map(|name| body[name].as_str()).unwrap_or_default().to_owned();
        let code = field(["__type", "Code", "code"]);
        return (code.rsplit('#').next().unwrap_or_default().to_owned(), field(["message", "Message", "errorMessage"]));
    }
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    (element("Code").unwrap_or_default(), element("Message").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_its_code() {
        for (status, text, expected) in [
            (403, r#"{"message": "no"}"#, "denied"),
            (400, r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "none"}"#, "missing"),
            (400, r#"{"__type": "com.amazon.coral.service#AccessDeniedException"}"#, "denied"),
            (400, r#"{"__type": "com.amazonaws.swf.service.v2.model#StateMachineDoesNotExist"}"#, "missing"),
            (404, r#"{"Type": "User", "Message": "Function not found"}"#, "missing"),
            (
                404,
                "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>",
                "missing",
            ),
            (
                403,
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>",
                "denied",
            ),
            (500, "", "other"),
            (400, r#"{"__type": "ThrottlingException"}"#, "other"),
        ] {
            let (code, message) = told(text);
            let refusal = match Refusal::of(status, &code, &message) {
                Refusal::Denied(_) => "denied",
                Refusal::Missing(_) => "missing",
                Refusal::Other(_) => "other",
            };
            assert_eq!(refusal, expected, "{status} {text}");
        }
    }
}
