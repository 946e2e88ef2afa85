//! Calls of a service on loopback, which answers by a script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::{error::CredentialsError, future};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;

use super::*;

type Answers = Arc<Mutex<Vec<(u16, &'static str)>>>;

/// A service that gives these answers in turn, the last one again and again, and what it was asked.
async fn service(answers: &[(u16, &'static str)]) -> (Aws, Arc<Mutex<Vec<HeaderMap>>>) {
    let (asked, answers) = (Arc::<Mutex<Vec<HeaderMap>>>::default(), Arc::new(Mutex::new(answers.to_vec())));
    let answer = |State((asked, answers)): State<(Arc<Mutex<Vec<HeaderMap>>>, Answers)>, headers: HeaderMap| async move {
        asked.lock().unwrap().push(headers);
        let mut answers = answers.lock().unwrap();
        let (status, text) = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
        (StatusCode::from_u16(status).unwrap(), text)
    };
    let routes = Router::new().fallback(answer).with_state((asked.clone(), answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let access = Access {
        url: Some(format!("http://{}", listener.local_addr().unwrap())),
        region: Some("eu-central-1".to_owned()),
        credentials: Some(("AKIDTEST".to_owned(), Secret("secret".to_owned()))),
        session: Some(Secret("a-token".to_owned())),
    };
    tokio::spawn(axum::serve(listener, routes).into_future());
    (Aws::connect(&access).await.unwrap(), asked)
}

#[tokio::test]
async fn a_service_that_is_busy_or_broken_is_asked_again_and_one_that_refuses_is_not() {
    const BUSY: (u16, &str) = (400, r#"{"__type": "com.amazonaws#ThrottlingException", "message": "Rate exceeded"}"#);
    const DENIED: (u16, &str) = (400, r#"{"__type": "AccessDeniedException", "message": "no"}"#);
    const WELL: (u16, &str) = (200, r#"{"is": "well"}"#);
    for (answers, calls, expected) in [
        (&[WELL][..], 1, Ok("well")),
        (&[BUSY, (503, ""), WELL], 3, Ok("well")),
        (&[BUSY], 3, Err("ThrottlingException: Rate exceeded")),
        (&[(500, "")], 3, Err("500 ")),
        (&[DENIED, WELL], 1, Err("AccessDeniedException: no")),
        // A page of somebody between this and AWS.
        (&[(200, "<html>")], 1, Err("expected value at line 1 column 1")),
    ] {
        let (aws, asked) = service(answers).await;
        let said = aws.json("states", "AWSStepFunctions.StartExecution", &json!({"name": "x"})).await;
        let said = said.map(|body| body["is"].as_str().unwrap().to_owned()).map_err(Refusal::reason);
        assert_eq!(said.as_deref().map_err(String::as_str), expected, "{answers:?}");
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), calls, "{answers:?}");
        for headers in asked.iter() {
            let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
            assert!(
                header("authorization").contains("/eu-central-1/states/aws4_request, SignedHeaders="),
                "{headers:?}"
            );
            assert!(header("authorization").contains("x-amz-security-token"), "the token is signed: {headers:?}");
            assert_eq!(header("x-amz-security-token"), "a-token");
            assert_eq!(header("x-amz-target"), "AWSStepFunctions.StartExecution");
        }
    }
}

#[tokio::test]
async fn all_attempts_end_by_the_deadline() {
    let (aws, asked) = service(&[(503, "")]).await;
    let aws = aws.until(Deadline::after(Duration::from_millis(1)));
    assert!(aws.json("sqs", "AmazonSQS.SendMessage", &json!({})).await.is_err());
    assert!(asked.lock().unwrap().len() <= 1, "it waits longer than it may");
}

/// Credentials that expire after `lasts`; the second look-up and all after it fail.
#[derive(Debug)]
struct Passing {
    lasts: Duration,
    looked: Arc<AtomicUsize>,
}

impl aws_credential_types::provider::ProvideCredentials for Passing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let first = self.looked.fetch_add(1, Ordering::SeqCst) == 0;
        let found = Credentials::new("key", "secret", None, Some(SystemTime::now() + self.lasts), "test");
        let none = || CredentialsError::provider_error("the metadata service is gone");
        future::ProvideCredentials::ready(if first { Ok(found) } else { Err(none()) })
    }
}

#[tokio::test]
async fn credentials_are_looked_up_before_they_expire() {
    for (lasts, looked, works) in [(3600, 1, true), (5, 2, true), (0, 2, false)] {
        let (mut aws, _) = service(&[(200, "{}")]).await;
        let count = Arc::<AtomicUsize>::default();
        let provider = Passing { lasts: Duration::from_secs(lasts), looked: count.clone() };
        aws.provider = SharedCredentialsProvider::new(provider);
        aws.credentials().await.unwrap();
        assert_eq!(aws.clone().credentials().await.is_ok(), works, "{lasts} s");
        assert_eq!(count.load(Ordering::SeqCst), looked, "{lasts} s");
    }
}
