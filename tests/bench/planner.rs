//! What planning takes, warm and with the sandbox: a hundred scenes of a lesson and of a lecture plan. A median of more than 10 ms
//! is a failure.

#![allow(clippy::expect_used)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use handler::deadline::Deadline;
use handler::plan::{Limits, Sandbox};
use storyboard::Document;

/// What a film of a hundred scenes may take.
const BOUND: Duration = Duration::from_millis(10);

/// What each plan took, by the name of its document.
static TAKEN: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

fn main() -> ExitCode {
    divan::main();
    let taken = TAKEN.lock().expect("nobody holds it any more");
    let mut in_time = true;
    for name in ["lesson.md", "plan.json"] {
        let mut times: Vec<Duration> = taken.iter().filter(|one| one.0 == name).map(|one| one.1).collect();
        times.sort_unstable();
        // None when only the other one, or the list of them, was asked for.
        let Some(median) = times.get(times.len() / 2) else { continue };
        let verdict = if *median <= BOUND { "in time" } else { "TOO LONG" };
        println!("{name}: {median:.2?} at the median of {}, of {BOUND:?}: {verdict}", times.len());
        in_time &= *median <= BOUND;
    }
    if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A hundred scenes of two paragraphs, a formula and a list each.
fn lesson() -> Document {
    let scene = |n: usize| {
        format!(
            "## Scene {n}\n\n$$x_{{{n}}}^2 + \\frac{{a}}{{b}} = \\sqrt{{{n}}}$$\n\nHere we look at number {n}.\n\n- a first point\n\
             - a second point with $x^{n}$\n\nAnd that is all there is to it.\n\n"
        )
    };
    let scenes: String = (0..100).map(scene).collect();
    Document { name: "lesson.md".to_owned(), bytes: format!("# A lesson\n\n{scenes}").into_bytes() }
}

fn plan() -> Document {
    let bytes = include_bytes!("../fixtures/plans/hundred-scenes.json").to_vec();
    Document { name: "plan.json".to_owned(), bytes }
}

fn planned(bencher: divan::Bencher<'_, '_>, document: &Document) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (sandbox, limits) = (Sandbox::new().expect("the built-in planner"), Limits::default());
    bencher.bench(|| {
        let document = document.clone();
        let (name, begun) = (document.name.clone(), Instant::now());
        let planned = sandbox.plan(document, &limits, Deadline::after(limits.wall_clock));
        let planned = runtime.block_on(planned).expect("a storyboard");
        TAKEN.lock().expect("one at a time").push((name, begun.elapsed()));
        planned
    });
}

#[divan::bench(sample_count = 200, sample_size = 1)]
fn a_lesson_of_a_hundred_scenes(bencher: divan::Bencher<'_, '_>) {
    planned(bencher, &lesson());
}

#[divan::bench(sample_count = 200, sample_size = 1)]
fn a_lecture_plan_of_a_hundred_scenes(bencher: divan::Bencher<'_, '_>) {
    planned(bencher, &plan());
}
