//! Storyboards as JSON: read strictly, for whoever writes one has the schema.

use crate::document::refusal;
use crate::storyboard::{Place, Refusal, Storyboard};

/// Reads a storyboard. The host checks it as it checks any other.
///
/// # Errors
/// `input.storyboard_invalid`, with the place at which it stops being one.
pub(crate) fn plan(text: &str) -> Result<Storyboard, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let why = message.split(" at line ").next().unwrap_or(&message);
        let why: String = why.chars().filter(|c| !c.is_control()).take(300).collect();
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let place = Place { line: small(error.line()), column: small(error.column()) };
        let remedy = "Hold it against planner-wasm/schema/storyboard.json.";
        refusal("input.storyboard_invalid", &format!("the storyboard can't be read: {why}"), remedy, Some(place))
    })
}
