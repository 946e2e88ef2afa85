//! `chalkreel guide`: how documents are written, for a language model's prompt.

use std::process::ExitCode;

use super::output::{Text, line};

/// Of lessons. A test holds it to the planner: whatever it shows is understood.
pub(super) const LESSON: &str = include_str!("../../../planner-wasm/docs/guide.md");
/// The JSON Schema of plans, made of the planner's own types.
pub(super) const PLAN: &str = include_str!("../../../planner-wasm/schema/plan.json");

pub(super) fn run(plan: bool) -> ExitCode {
    let mut text = Text::default();
    line!(text, "{}", if plan { PLAN } else { LESSON }.trim_end());
    text.print(ExitCode::SUCCESS)
}
