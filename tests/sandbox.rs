//! The sandbox: what the built-in planner is given, and how its limits end it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use handler::deadline::Deadline;
use handler::error::Code;
use handler::plan::{BUILT_IN_COMPONENT, Limits, Sandbox};
use planner_wasm::storyboard::Document;

fn lesson() -> Document {
    let bytes = include_bytes!("fixtures/lessons/pythagoras.md").to_vec();
    Document { name: "pythagoras.md".to_owned(), bytes }
}

async fn ends_with(limits: Limits) -> Code {
    let deadline = Deadline::after(Duration::from_secs(20));
    let error = Sandbox::new().unwrap().plan(lesson(), &limits, deadline).await.unwrap_err();
    error.code()
}

#[test]
fn the_built_in_planner_asks_for_nothing() {
    assert_eq!(Sandbox::new().unwrap().imports(), Vec::<String>::new());
    assert_eq!(Sandbox::compile(BUILT_IN_COMPONENT).unwrap().imports(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_has_a_code_of_its_own() {
    assert_eq!(ends_with(Limits { fuel: 1_000, ..Limits::default() }).await, Code::PlannerOutOfFuel);
    assert_eq!(ends_with(Limits { memory: 1 << 16, ..Limits::default() }).await, Code::PlannerMemoryLimit);
    assert_eq!(ends_with(Limits { table: 0, ..Limits::default() }).await, Code::PlannerTableLimit);
    assert_eq!(ends_with(Limits { output: 100, ..Limits::default() }).await, Code::PlannerOutputLimit);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_is_counted_against_the_limits() {
    let limits = Limits::default();
    let deadline = Deadline::after(limits.wall_clock);
    let planned = Sandbox::new().unwrap().plan(lesson(), &limits, deadline).await.unwrap();
    let usage = planned.usage;
    assert!(usage.fuel_used > 0 && usage.fuel_used < usage.fuel_limit);
    assert!(usage.memory_used > 0 && usage.memory_used < usage.memory_limit);
    assert!(usage.output_bytes > 0 && usage.output_bytes < usage.output_limit);
    assert_eq!(usage.sha256.len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn natively_and_in_the_sandbox_every_lesson_gives_the_same() {
    let limits = Limits::default();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/lessons")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let document = Document { name, bytes: std::fs::read(&path).unwrap() };
        let natively = planner_wasm::plan(&document).unwrap();
        let deadline = Deadline::after(limits.wall_clock);
        let planned = Sandbox::new().unwrap().plan(document, &limits, deadline).await.unwrap();
        assert!(planned.storyboard == natively, "{}", path.display());
    }
}

#[test]
fn what_is_no_component_is_refused() {
    let error = Sandbox::compile(b"\0asm\x01\0\0\0").unwrap_err();
    assert_eq!(error.code(), Code::PlannerComponentInvalid);
}
