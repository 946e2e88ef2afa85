//! The sandbox: what the built-in planner is given, and how its limits end it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::hostile::hostile;
use handler::deadline::Deadline;
use handler::error::Code;
use handler::plan::{BUILT_IN_COMPONENT, Limits, Sandbox, code_of};
use storyboard::Document;

fn lesson() -> Document {
    let bytes = include_bytes!("../fixtures/lessons/pythagoras.md").to_vec();
    Document { name: "pythagoras.md".to_owned(), bytes }
}

async fn ends_with(limits: Limits) -> Code {
    let deadline = Deadline::after(Duration::from_secs(20));
    let error = Sandbox::new().unwrap().plan(lesson(), &limits, deadline).await.unwrap_err();
    code_of(&error)
}

#[test]
fn the_built_in_planner_has_no_imports() {
    assert_eq!(Sandbox::new().unwrap().imports(), Vec::<String>::new());
    assert_eq!(Sandbox::compile(BUILT_IN_COMPONENT).unwrap().imports(), Vec::<String>::new());
}

/// The build script takes the bytes: a compiler for the text would take two minutes of each build.
#[test]
fn the_wasi_adapter_matches_its_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../planner-wasm");
    let fresh = wat::parse_file(folder.join("wasi-nothing.wat")).unwrap();
    if fresh != std::fs::read(folder.join("wasi-nothing.wasm")).unwrap() {
        std::fs::write(folder.join("wasi-nothing.wasm.new"), fresh).unwrap();
        panic!("planner-wasm/wasi-nothing.wasm is not that of its text; wasi-nothing.wasm.new is");
    }
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
async fn every_lesson_gives_the_same_natively_and_in_the_sandbox() {
    let limits = Limits::default();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/lessons")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let document = Document { name, bytes: std::fs::read(&path).unwrap() };
        let natively = planner_wasm::plan(&document).unwrap();
        let deadline = Deadline::after(limits.wall_clock);
        let planned = Sandbox::new().unwrap().plan(document, &limits, deadline).await.unwrap();
        assert!(planned.storyboard == natively, "{}", path.display());
    }
}

#[test]
fn planner_check_accepts_planners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, component: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, component).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chalkreel"));
        let output = command.args(["planner", "check", "--json"]).arg(path).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), answer)
    };
    let (code, answer) = check("built-in.wasm", BUILT_IN_COMPONENT);
    assert_eq!((code, &answer["ok"]), (Some(0), &true.into()), "{answer:#}");
    // What it used of each limit, and never nothing.
    for limit in ["fuel", "memory", "table", "stack", "output", "seconds"] {
        let (used, limit) = (&answer["documents"][0][limit]["used"], &answer["documents"][0][limit]["limit"]);
        assert!(used.as_f64().unwrap() > 0.0 && used.as_f64() < limit.as_f64(), "{answer:#}");
    }
    let (code, answer) = check("empty.wasm", &hostile("empty-storyboard"));
    assert_eq!((code, &answer["ok"]), (Some(1), &false.into()), "{answer:#}");
    let (code, answer) = check("wants.wasm", &hostile("wants-wasi"));
    assert_eq!((code, &answer["ok"]), (Some(1), &false.into()), "{answer:#}");
    assert!(answer["documents"][0]["ending"].as_str().unwrap().starts_with("planner.imports_not_granted"));
    let (code, answer) = check("text.wasm", b"text");
    assert_eq!((code, &answer["code"]), (Some(1), &"planner.component_invalid".into()), "{answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planner_with_too_little_stack_overflows_it() {
    let (limits, sandbox) = (Limits::default(), Sandbox::new().unwrap());
    let planned = async |stack: usize| {
        let sandbox = sandbox.with_stack(stack).unwrap();
        sandbox.plan(lesson(), &limits, Deadline::after(limits.wall_clock)).await
    };
    assert_eq!(code_of(&planned(1 << 10).await.unwrap_err()), Code::PlannerStackOverflow);
    let deeper = planned(2 << 20).await.unwrap();
    let usual = sandbox.plan(lesson(), &limits, Deadline::after(limits.wall_clock)).await.unwrap();
    assert_eq!(deeper, usual, "what is planned does not hang on the stack's size");
}

#[test]
fn what_is_no_component_is_refused() {
    let error = Sandbox::compile(b"\0asm\x01\0\0\0").unwrap_err();
    assert_eq!(code_of(&error), Code::PlannerComponentInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hostile_planner_ends_in_time_with_its_own_code() {
    let limits = Limits {
        fuel: 200_000_000,
        wall_clock: Duration::from_secs(5),
        memory: 64 << 20,
        table: 10_000,
        output: 32 << 20,
    };
    for (name, code) in [
        ("endless-loop", Code::PlannerOutOfFuel),
        ("endless-start", Code::PlannerOutOfFuel),
        ("allocate-and-free", Code::PlannerOutOfFuel),
        ("recursion", Code::PlannerStackOverflow),
        ("memory-bomb", Code::PlannerMemoryLimit),
        ("memory-born-large", Code::PlannerMemoryLimit),
        ("table-bomb", Code::PlannerTableLimit),
        ("output-bomb", Code::PlannerOutputLimit),
        ("trap", Code::PlannerTrapped),
        ("wild-pointer", Code::PlannerTrapped),
        ("not-utf8", Code::PlannerTrapped),
        ("wants-wasi", Code::PlannerImportsNotGranted),
        ("another-world", Code::PlannerComponentInvalid),
        // They look around while they start, crash if there is anything to see, and then are no planners.
        ("looks-around", Code::PlannerComponentInvalid),
        ("sleeps-for-ever", Code::PlannerOutOfFuel),
        ("opens-a-file", Code::PlannerTrapped),
        ("empty-storyboard", Code::PlannerStoryboardInvalid),
        ("forged-refusal", Code::PlanRefused),
        ("own-refusal", Code::PlanRefused),
    ] {
        let sandbox = Sandbox::compile(&hostile(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let begun = Instant::now();
        let error = sandbox.plan(lesson(), &limits, Deadline::after(Duration::from_secs(20))).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{name}: {error}");
        // The refusals are read as they were written.
        assert_eq!(name.ends_with("-refusal"), error.to_string() == "Not so.", "{name}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(7), "{name}: {:?}", begun.elapsed());
        if let Some(usage) = error.usage() {
            assert!(
                usage.fuel_used <= usage.fuel_limit && usage.memory_used <= usage.memory_limit,
                "{name}: {usage:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wall_clock_limit_ends_what_fuel_does_not() {
    for name in ["endless-loop", "allocate-and-free"] {
        let limits = Limits { fuel: u64::MAX / 2, wall_clock: Duration::from_millis(300), ..Limits::default() };
        let sandbox = Sandbox::compile(&hostile(name)).unwrap();
        let begun = Instant::now();
        // A neighbour in the same engine is not ended by another one's clock.
        let neighbour = sandbox.clone();
        let generous = Limits { wall_clock: Duration::from_secs(2), ..limits };
        let longer = tokio::spawn(async move {
            let begun = Instant::now();
            let error =
                neighbour.plan(lesson(), &generous, Deadline::after(Duration::from_secs(20))).await.unwrap_err();
            (code_of(&error), begun.elapsed())
        });
        let error = sandbox.plan(lesson(), &limits, Deadline::after(Duration::from_secs(20))).await.unwrap_err();
        assert_eq!(code_of(&error), Code::PlannerTimedOut, "{name}");
        assert!(begun.elapsed() < Duration::from_millis(1_800), "{name}: {:?}", begun.elapsed());
        let (code, took) = longer.await.unwrap();
        assert_eq!(code, Code::PlannerTimedOut, "{name}");
        assert!(took > Duration::from_millis(1_900) && took < Duration::from_secs(4), "{name}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_s_deadline_ends_a_planner_too() {
    let sandbox = Sandbox::compile(&hostile("endless-loop")).unwrap();
    let limits = Limits { fuel: u64::MAX / 2, ..Limits::default() };
    let begun = Instant::now();
    let error = sandbox.plan(lesson(), &limits, Deadline::after(Duration::from_millis(200))).await.unwrap_err();
    assert_eq!(code_of(&error), Code::PlannerTimedOut);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
