use std::future::pending;
use std::time::Duration;

use super::*;
use crate::job::State;
use crate::services::testing::{Rig, job, soon};

async fn begin(services: &Services, ends: Deadline) -> Attempt<'_> {
    match Attempt::begin(&job(), Worker::Alone, services, ends, Again::Failed).await.unwrap() {
        AttemptStart::Attempt(attempt) => *attempt,
        AttemptStart::NotOurs(status) => panic!("{status:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_cut_off_in_time_for_a_status_that_says_so() {
    let rig = Rig::open().await;
    let ends = Deadline::after(Duration::from_millis(800));
    let attempt = begin(&rig.services, ends).await;
    let made = attempt.run(pending()).await;
    assert_eq!(made.as_ref().unwrap_err().code, Code::JobDeadline);
    assert!(!ends.passed(), "nothing is left for the status");
    let (status, handover) = attempt.end(made).await.unwrap();
    assert_eq!((status.state, handover), (State::TimedOut, None));
    assert_eq!(Lease::read(&rig.services.store, &job(), soon()).await.unwrap(), status);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_deadline_it_is_the_error_whatever_else_failed() {
    let rig = Rig::open().await;
    let attempt = begin(&rig.services, Deadline::after(Duration::from_millis(200))).await;
    let failing = async {
        tokio::time::sleep_until(attempt.ends.instant().into()).await;
        Err(JobError::new(Code::StoreTimedOut, "S3 did not answer"))
    };
    let error = attempt.run(failing).await.unwrap_err();
    assert_eq!(error.code, Code::JobDeadline);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_attempt_leaves_a_status_that_can_be_retried() {
    let rig = Rig::open().await;
    let attempt = begin(&rig.services, soon()).await;
    rig.services.interrupt();
    let made = attempt.run(pending()).await;
    let (status, _) = attempt.end(made).await.unwrap();
    let error = status.error.unwrap();
    assert_eq!((status.state, error.code, error.retryable), (State::Failed, Code::JobInterrupted, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_attempt_ends_at_once_and_keeps_its_log() {
    let rig = Rig::open().await;
    let attempt = begin(&rig.services, soon()).await;
    let id = job();
    let cancel = Lease::cancel(&rig.services.store, &id, soon());
    let (made, cancelled) = tokio::join!(attempt.run(pending()), cancel);
    cancelled.unwrap();
    assert_eq!(made.as_ref().unwrap_err().code, Code::JobLost);
    let (status, _) = attempt.end(made).await.unwrap();
    assert_eq!(status.state, State::Cancelled);
    assert!(status.outputs.contains_key("log"), "{:?}", status.outputs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_worked_on_is_not_begun_again() {
    let rig = Rig::open().await;
    let attempt = begin(&rig.services, soon()).await;
    let second = Attempt::begin(&job(), Worker::Next("x"), &rig.services, soon(), Again::Never).await.unwrap();
    let AttemptStart::NotOurs(status) = second else { panic!("two workers have the job") };
    assert_eq!(status.owner, attempt.lease.status().owner);
}
