//! `chalkreel guide`: how documents are written, for a language model's prompt.

use std::process::ExitCode;

use super::output::{Text, line};
use crate::write::GUIDE;

/// The JSON Schema of plans, made of the planner's own types.
pub(super) const PLAN: &str = include_str!("../../../planner-wasm/schema/plan.json");

pub(super) fn run(plan: bool) -> ExitCode {
    let mut text = Text::default();
    line!(text, "{}", if plan { PLAN } else { GUIDE }.trim_end());
    text.print(ExitCode::SUCCESS)
}
