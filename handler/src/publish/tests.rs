use std::collections::BTreeMap;

use super::*;
use crate::job::events::JobEvent;
use crate::job::log::JobLogs;
use crate::services::testing::{Rig, job, soon};

fn published() -> Published {
    let outputs = BTreeMap::from([("film".to_owned(), keys::of(&job(), keys::FILM))]);
    Published { outputs, sync: None, film_seconds: 12.5 }
}

/// A running job with one scene.
fn running() -> Status {
    let mut status = Status::queued(job(), "owner".to_owned(), Timestamp::now());
    status.apply(JobEvent::StageBegan { stage: Stage::Render, progress: 0.05 }, 1.0);
    let scenes = vec!["a".to_owned()];
    status.apply(JobEvent::Planned { title: "T".to_owned(), scenes, warnings: Vec::new() }, 1.0);
    status
}

#[test]
fn the_reserve_is_a_fifth_and_at_most_fifteen_seconds() {
    let reserved = |seconds| reserve(Deadline::after(Duration::from_secs(seconds))).as_secs_f64();
    assert!((9.9..=10.0).contains(&reserved(50)), "{}", reserved(50));
    assert_eq!(reserved(900), 15.0);
}

#[test]
fn a_film_with_something_replaced_is_degraded() {
    let (mut whole, mut replaced) = (running(), running());
    let error = JobError::new(Code::RenderFailed, "no");
    let instead = "a still card is shown".to_owned();
    replaced.apply(JobEvent::SceneReplaced { scene: "a".to_owned(), error, instead }, 2.0);
    for status in [&mut whole, &mut replaced] {
        conclude(status, Ok(Outcome::Published(published())), Some("log".to_owned()), 20.0);
        assert!(status.is_consistent() && status.progress == 1.0 && status.cost.film_seconds == 12.5);
        assert!(status.timeline.iter().all(|ran| ran.to == Some(20.0)), "{:?}", status.timeline);
    }
    assert_eq!((whole.state, replaced.state), (State::Succeeded, State::Degraded));
}

#[test]
fn the_deadline_is_a_state_of_its_own_and_every_other_error_a_failure() {
    for (code, state) in [(Code::JobDeadline, State::TimedOut), (Code::PlanTooLarge, State::Failed)] {
        let mut status = running();
        conclude(&mut status, Err(JobError::new(code, "x")), None, 2.0);
        assert!(status.is_consistent() && status.outputs.is_empty());
        assert_eq!((status.state, status.error.unwrap().code), (state, code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_written_before_the_status_that_names_it() {
    let rig = Rig::open().await;
    let store = &rig.services.store;
    let lease = rig.claim().await;
    let log = JobLogs::default().begin(job().as_str());
    let made = Err(JobError::new(Code::PlanTooLarge, "x"));
    let status = outcome(made, lease, &job(), &log, store, soon()).await.unwrap();
    assert!(store.exists(&status.outputs["log"], soon()).await.unwrap());
    assert_eq!(Lease::read(store, &job(), soon()).await.unwrap(), status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_is_gone_is_lost_and_can_be_made_again() {
    let rig = Rig::open().await;
    let store = &rig.services.store;
    let mut status = running();
    conclude(&mut status, Ok(Outcome::Published(published())), None, 2.0);
    let lost = whole(&status, store, soon()).await.unwrap_err();
    assert_eq!((lost.code, lost.retryable), (Code::StoreNotFound, true));
    store.put(&status.outputs["film"], "film", "video/mp4", soon()).await.unwrap();
    whole(&status, store, soon()).await.unwrap();
}
