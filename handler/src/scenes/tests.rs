use std::time::Duration;

use super::*;
use crate::intake::assets::AssetBase;
use crate::job::status::SceneState;
use crate::job::{State, Status};
use crate::services::testing::{Rig, soon};

/// Six scenes, none of which can be drawn.
fn lesson(settings: &str) -> String {
    let scenes: String = (1..=6).map(|n| format!("## Scene {n}\n\nWords of scene {n}.\n\n- a point\n\n")).collect();
    format!("---\nquality: draft\n{settings}---\n# Title\n\n{scenes}")
}

async fn made(rig: &Rig, lesson: &str, ends: Deadline) -> (Result<usize, JobError>, Status) {
    let services = &rig.services;
    let storyboard = rig.plan(lesson).await;
    let lease = rig.claim().await;
    progress::enter(&lease, Stage::Render, 0.05, ends);
    lease.report(JobEvent::Planned {
        title: storyboard.title.clone(),
        scenes: storyboard.scenes.iter().map(|scene| scene.id.clone()).collect(),
        warnings: Vec::new(),
    });
    let (translations, narrated, asset_base) = (Vec::new(), Vec::new(), AssetBase::Nothing);
    let handover = Handover {
        storyboard,
        translations,
        quality: Quality::Draft,
        asset_base,
        narrated,
        recorded: super::Narrations::new(),
    };
    let scratch = services.job_scratch().unwrap();
    let budget = Budget::of(&handover.storyboard, Quality::Draft, services.config.parallel, ends);
    let spoken = tokio::sync::oneshot::channel().0;
    let made = make(&handover, services, &lease, &scratch.work(), &Assets::default(), budget, spoken).await;
    let made = made.map(|scenes| scenes.len());
    let status = lease.status();
    scratch.clear().await;
    (made, status)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stage_and_without_cards_the_stage_is_the_jobs_error() {
    let rig = Rig::open().await;
    let (made, status) = made(&rig, &lesson(""), soon()).await;
    assert_eq!(made.unwrap_err().code, Code::RenderCouldNotStart);
    assert_eq!(status.state, State::Running, "how the job ends is not decided here");
    assert!(status.scenes.iter().all(|scene| scene.state == SceneState::LeftOut), "{:?}", status.scenes);
    // Each says why. All but the first few did not wait for a stage that does not start.
    let waited = status.scenes.iter().filter(|scene| {
        let why = scene.replaced.as_deref().unwrap();
        assert!(why.starts_with("render.could_not_start"), "{why}");
        !why.contains("not tried")
    });
    let waited = waited.count();
    assert!((1..=4).contains(&waited), "{waited} scenes waited: {:?}", status.scenes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_lesson_ends_with_the_first_error() {
    let rig = Rig::open().await;
    let (made, status) = made(&rig, &lesson("on_failure: fail\n"), soon()).await;
    assert_eq!(made.unwrap_err().code, Code::RenderCouldNotStart);
    assert!(status.scenes.iter().all(|scene| scene.replaced.is_none()), "{:?}", status.scenes);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_time_for_a_single_scene_the_deadline_is_the_jobs_error() {
    let rig = Rig::open().await;
    let (made, _) = made(&rig, &lesson(""), Deadline::after(Duration::ZERO)).await;
    assert_eq!(made.unwrap_err().code, Code::JobDeadline);
}
