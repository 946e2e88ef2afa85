//! What planning takes, warm and with the sandbox: a hundred scenes of a lesson and of a lecture plan. The bound is 10 ms.

#![allow(clippy::expect_used)]

use handler::deadline::Deadline;
use handler::plan::{Limits, Sandbox};
use planner_wasm::storyboard::Document;

fn main() {
    divan::main();
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
        let planned = sandbox.plan(document.clone(), &limits, Deadline::after(limits.wall_clock));
        runtime.block_on(planned).expect("a storyboard")
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
