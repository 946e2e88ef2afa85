//! What a service that gave no answer means, and whether asking again can help.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

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

    /// In words.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Denied(reason) | Self::Missing(reason) | Self::Other(reason) => reason,
        }
    }
}

/// What became of one attempt.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no answer: why, and whether it may pass.
    None(String, bool),
    /// Status, the service's own code, and its message.
    Refused(StatusCode, String, String),
}

impl Failure {
    /// A fault on this side, that asking again does not mend.
    pub(super) fn lasting(reason: String) -> Self {
        Self::None(reason, false)
    }

    pub(super) fn timed_out() -> Self {
        Self::None("no answer in time".to_owned(), true)
    }

    pub(super) fn of(error: reqwest::Error) -> Self {
        // The innermost cause says most.
        let error = error.without_url();
        let causes = std::iter::successors(Some(&error as &(dyn std::error::Error + 'static)), |error| error.source());
        Self::None(causes.last().map_or_else(String::new, ToString::to_string), true)
    }

    /// As the answer tells it.
    pub(super) fn told(status: StatusCode, headers: &HeaderMap, text: &str) -> Self {
        let (code, message) = told(headers, text);
        Self::Refused(status, code, message)
    }

    /// Whether the same call can succeed later: the service was too busy or failed, or the network did. The codes are those that
    /// the SDKs take for throttling and for passing faults.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::None(_, may_pass) => *may_pass,
            Self::Refused(status, code, _) => {
                let busy = ["Throttl", "TooManyRequests", "LimitExceeded", "SlowDown", "ProvisionedThroughputExceeded"];
                let passing = ["RequestTimeout", "PriorRequestNotComplete", "TransactionInProgress"];
                matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
                    || busy.iter().chain(&passing).any(|name| code.contains(name))
            }
        }
    }

    pub(super) fn refusal(self, service: &str) -> Refusal {
        match self {
            Self::None(reason, _) => Refusal::Other(format!("{service}: {reason}")),
            Self::Refused(status, code, message) => Refusal::of(status.as_u16(), &code, &message),
        }
    }
}

/// Code and message of a refusal: in JSON, whose code may stand in a header instead, or in XML.
fn told(headers: &HeaderMap, text: &str) -> (String, String) {
    let header = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    if let Ok(body) = serde_json::from_str::<Value>(text) {
        let field = |names: [&str; 3]| names.iter().find_map(|name| body[name].as_str()).unwrap_or_default().to_owned();
        let code = header.map_or_else(|| field(["__type", "Code", "code"]), str::to_owned);
        return (bare(&code).to_owned(), field(["message", "Message", "errorMessage"]));
    }
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    let code = element("Code").or_else(|| header.map(|code| bare(code).to_owned()));
    (code.unwrap_or_default(), element("Message").unwrap_or_default())
}

/// The code alone: `aws.protocols#FooError:http://…` is a `FooError`.
pub(crate) fn bare(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, kind: &str, text: &str) -> Failure {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert("x-amzn-errortype", kind.parse().unwrap());
        }
        Failure::told(StatusCode::from_u16(status).unwrap(), &headers, text)
    }

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
            let refusal = match failure(status, "", text).refusal("x") {
                Refusal::Denied(_) => "denied",
                Refusal::Missing(_) => "missing",
                Refusal::Other(_) => "other",
            };
            assert_eq!(refusal, expected, "{status} {text}");
        }
    }

    #[test]
    fn what_is_busy_or_broken_is_asked_again_and_what_is_refused_is_not() {
        let error = |code: &str| format!(r#"{{"__type": "com.amazonaws#{code}"}}"#);
        for (status, kind, text, expected) in [
            (400, "", error("ThrottlingException"), true),
            (400, "", error("LimitExceededException"), true),
            (400, "RequestLimitExceeded:http://internal.amazon.com/", String::new(), true),
            (429, "", String::new(), true),
            (503, "", "<html>".to_owned(), true),
            (500, "", error("InternalException"), true),
            (400, "", error("ValidationException"), false),
            (403, "", error("AccessDeniedException"), false),
            (501, "", String::new(), false),
            (400, "AccessDeniedException", "{}".to_owned(), false),
        ] {
            assert_eq!(failure(status, kind, &text).may_pass(), expected, "{status} {kind} {text}");
        }
        assert!(Failure::timed_out().may_pass() && !Failure::lasting("no credentials".to_owned()).may_pass());
    }

    #[test]
    fn a_code_may_stand_in_a_header() {
        let refusal = failure(400, "aws.polly#EngineNotSupportedException:http://x/", r#"{"message": "neural"}"#);
        assert_eq!(refusal.refusal("polly").reason(), "EngineNotSupportedException: neural");
    }
}
