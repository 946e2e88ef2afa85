//! Storyboards as JSON: read strictly, for whoever writes one has the schema.

use crate::check::check;
use crate::document::refusal;
use crate::storyboard::{Place, Refusal, Storyboard};

/// Reads a storyboard, and checks it as the host does: what is wrong with it is the author's to mend, and no planner's.
///
/// # Errors
/// `input.storyboard_invalid`, with the place at which it stops being one, or with the rule that it breaks.
pub(crate) fn plan(text: &str) -> Result<Storyboard, Refusal> {
    let storyboard = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let why = message.split(" at line ").next().unwrap_or(&message);
        let why: String = why.chars().take(300).collect();
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let place = Place { line: small(error.line()), column: small(error.column()) };
        let remedy = "Hold it against planner-wasm/schema/storyboard.json.";
        refusal("input.storyboard_invalid", &format!("the storyboard can't be read: {why}"), remedy, Some(place))
    })?;
    check(&storyboard).map_err(|broken| {
        let message = format!("the storyboard is not sound: {broken}");
        refusal("input.storyboard_invalid", &message, "Mend what the message names.", None)
    })?;
    Ok(storyboard)
}
