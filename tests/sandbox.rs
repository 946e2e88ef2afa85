//! The sandbox against planners that mean harm: each meets its own limit, has its own code, and ends in time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handler::deadline::Deadline;
use handler::plan::{Limits, PlanError, Planned, Sandbox};
use planner_wasm::storyboard::Document;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn fixture(name: &str) -> Vec<u8> {
    wat::parse_file(Path::new(REPOSITORY).join("tests/fixtures/planners").join(name)).unwrap()
}

/// A core module of the fixtures as a component of the planner world.
fn component(name: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(PathBuf::from(REPOSITORY).join("planner-wasm/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("planner")).unwrap();
    let mut module = fixture(name);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

fn lesson() -> Document {
    Document { name: "lesson.md".to_owned(), bytes: b"# T\n\nWords.\n".to_vec() }
}

async fn run(sandbox: &Sandbox, limits: &Limits) -> (Result<Planned, PlanError>, Duration) {
    let began = Instant::now();
    let answer = sandbox.plan(lesson(), limits, Deadline::after(Duration::from_secs(60))).await;
    (answer, began.elapsed())
}

/// Runs a fixture under limits that it meets soon, and gives its error.
async fn hostile(name: &str, limits: &Limits) -> PlanError {
    let sandbox = Sandbox::compile(&component(name)).unwrap();
    let (answer, took) = run(&sandbox, limits).await;
    assert!(took < Duration::from_secs(5), "{name} took {took:?}");
    let error = answer.expect_err(name);
    let usage = error.usage().unwrap_or_else(|| panic!("{name} has no usage: {error}"));
    assert_eq!(usage.sha256, sandbox.sha256(), "{name}");
    assert_eq!((usage.fuel_limit, usage.memory_limit, usage.output_limit), (limits.fuel, limits.memory, limits.output));
    assert!(usage.fuel_used <= usage.fuel_limit && usage.memory_used <= usage.memory_limit, "{name}: {usage:?}");
    error
}

fn limits() -> Limits {
    Limits { fuel: 50_000_000, wall_clock: Duration::from_secs(4), ..Limits::default() }
}

#[test]
fn the_built_in_planner_imports_nothing() {
    assert_eq!(Sandbox::new().unwrap().imports(), Vec::<String>::new());
}

#[tokio::test]
async fn the_built_in_planner_plans_and_tells_its_use() {
    let (answer, _) = run(&Sandbox::new().unwrap(), &Limits::default()).await;
    let usage = answer.unwrap().usage;
    assert!(usage.fuel_used > 0 && usage.memory_used > 0 && usage.output_bytes > 0, "{usage:?}");
    assert!(usage.sha256.len() == 64 && usage.sha256.chars().all(|c| c.is_ascii_hexdigit()));
}

#[tokio::test]
async fn each_limit_has_its_own_code() {
    for (name, code) in [
        ("endless-loop.wat", "planner.out_of_fuel"),
        ("endless-start.wat", "planner.out_of_fuel"),
        ("recursion.wat", "planner.stack_overflow"),
        ("memory-bomb.wat", "planner.memory_limit"),
        ("memory-born-large.wat", "planner.memory_limit"),
        ("table-bomb.wat", "planner.table_limit"),
        ("output-bomb.wat", "planner.output_limit"),
        ("trap.wat", "planner.trapped"),
        ("wild-pointer.wat", "planner.trapped"),
        ("not-utf8.wat", "planner.trapped"),
        ("empty-storyboard.wat", "planner.storyboard_invalid"),
        ("forged-refusal.wat", "plan.refused"),
        ("own-refusal.wat", "plan.refused"),
    ] {
        let error = hostile(name, &limits()).await;
        assert_eq!(error.code().name(), code, "{name}: {error}");
    }
}

#[tokio::test]
async fn an_endless_loop_with_endless_fuel_meets_its_wall_clock() {
    for name in ["endless-loop.wat", "endless-start.wat"] {
        let wall_clock = Duration::from_millis(300);
        let limits = Limits { fuel: u64::MAX, wall_clock, ..Limits::default() };
        let sandbox = Sandbox::compile(&component(name)).unwrap();
        let (answer, took) = run(&sandbox, &limits).await;
        let error = answer.expect_err(name);
        assert_eq!(error.code().name(), "planner.timed_out", "{name}: {error}");
        assert!(took >= wall_clock && took < wall_clock + Duration::from_secs(1), "{name} took {took:?}");
        let usage = error.usage().expect("its epoch ended it, and not the clock outside");
        assert!(usage.fuel_used > 1_000_000, "{usage:?}");
    }
}

#[tokio::test]
async fn the_jobs_deadline_counts_when_it_is_earlier() {
    let sandbox = Sandbox::compile(&component("endless-loop.wat")).unwrap();
    let limits = Limits { fuel: u64::MAX, ..Limits::default() };
    let began = Instant::now();
    let answer = sandbox.plan(lesson(), &limits, Deadline::after(Duration::from_millis(200))).await;
    assert_eq!(answer.unwrap_err().code().name(), "planner.timed_out");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_planner_that_nobody_waits_for_still_ends() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = Sandbox::compile(&component("endless-loop.wat")).unwrap();
    let limits = Limits { fuel: u64::MAX, wall_clock: Duration::from_millis(500), ..Limits::default() };
    runtime.block_on(async {
        let call = sandbox.plan(lesson(), &limits, Deadline::after(Duration::from_secs(60)));
        assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err(), "it ended before its time");
    });
    let began = Instant::now();
    // Waits for the thread that the planner runs on.
    drop(runtime);
    assert!(began.elapsed() < Duration::from_secs(2), "the planner ran on for {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_does_not_shorten_anothers_time() {
    let sandbox = Sandbox::compile(&component("endless-loop.wat")).unwrap();
    let short = Limits { fuel: u64::MAX, wall_clock: Duration::from_millis(50), ..Limits::default() };
    let long = Limits { wall_clock: Duration::from_millis(800), ..short };
    let other = sandbox.clone();
    let noise = tokio::spawn(async move {
        for _ in 0..10 {
            run(&other, &short).await.0.unwrap_err();
        }
    });
    let (answer, took) = run(&sandbox, &long).await;
    assert_eq!(answer.unwrap_err().code().name(), "planner.timed_out");
    assert!(took >= Duration::from_millis(800), "it was cut off after {took:?}");
    noise.await.unwrap();
}

#[tokio::test]
async fn a_limit_that_is_met_exactly_is_no_failure() {
    let sandbox = Sandbox::new().unwrap();
    let usage = run(&sandbox, &Limits::default()).await.0.unwrap().usage;
    let exact = Limits { fuel: usage.fuel_used, memory: usage.memory_used, ..Limits::default() };
    let again = run(&sandbox, &exact).await.0.unwrap().usage;
    assert_eq!((again.fuel_used, again.memory_used), (usage.fuel_used, usage.memory_used), "the same call, the same use");
    let less = Limits { fuel: usage.fuel_used - 1, ..Limits::default() };
    assert_eq!(run(&sandbox, &less).await.0.unwrap_err().code().name(), "planner.out_of_fuel");
    let less = Limits { memory: usage.memory_used - 1, ..Limits::default() };
    assert_eq!(run(&sandbox, &less).await.0.unwrap_err().code().name(), "planner.memory_limit");
    let less = Limits { output: 50, ..Limits::default() };
    assert_eq!(run(&sandbox, &less).await.0.unwrap_err().code().name(), "planner.output_limit");
}

#[tokio::test]
async fn what_is_no_planner_is_refused() {
    let module = fixture("trap.wat");
    for (what, bytes) in [("nothing", &b""[..]), ("text", b"not wasm"), ("a core module", &module)] {
        let error = Sandbox::compile(bytes).expect_err(what);
        assert_eq!(error.code().name(), "planner.component_invalid", "{what}: {error}");
    }
    let mut torn = component("trap.wat");
    torn.truncate(torn.len() / 2);
    assert_eq!(Sandbox::compile(&torn).unwrap_err().code().name(), "planner.component_invalid");
    for (name, code) in [("another-world.wat", "planner.component_invalid"), ("wants-wasi.wat", "planner.imports_not_granted")] {
        let sandbox = Sandbox::compile(&fixture(name)).unwrap();
        let error = run(&sandbox, &limits()).await.0.expect_err(name);
        assert_eq!(error.code().name(), code, "{name}: {error}");
    }
    assert_eq!(Sandbox::compile(&fixture("wants-wasi.wat")).unwrap().imports(), ["wasi:cli/environment@0.2.0"]);
}

#[test]
fn the_built_in_planner_is_ready_at_once() {
    let quickest = (0..20)
        .map(|_| {
            let began = Instant::now();
            Sandbox::new().unwrap();
            began.elapsed()
        })
        .min()
        .unwrap();
    assert!(quickest < Duration::from_millis(5), "{quickest:?}");
}
