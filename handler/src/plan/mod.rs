//! Turns the document into a storyboard, by a planner in the [`sandbox`].
//!
//! In: the document's bytes, not parsed before. Out: a [`Planned`] storyboard, or a [`PlanError`] with a code of its own for each limit.
//! What was not compiled ahead of time is never compiled on the handler's own threads.

pub mod custom;
mod error;
mod estimate;
pub mod translations;

use ::storyboard::{Scene, Storyboard};

use crate::error::{Code, JobError};

pub use error::code_of;
pub use estimate::Estimate;
pub use sandbox::{BUILT_IN_COMPONENT, Fault, Limits, PlanError, Planned, STACK_LIMIT, Sandbox, Usage};
pub use storyboard::check::check;

/// The scene of that id.
///
/// # Errors
/// `intake.bad_request`, with the ids that there are.
pub fn scene<'s>(storyboard: &'s Storyboard, id: &str) -> Result<&'s Scene, JobError> {
    storyboard.scenes.iter().find(|scene| scene.id == id).ok_or_else(|| {
        let known: Vec<&str> = storyboard.scenes.iter().map(|scene| scene.id.as_str()).collect();
        let error = JobError::new(Code::IntakeBadRequest, format!("the document has no scene `{id}`"));
        error.remedy(format!("Its scenes are {}.", known.join(", ")))
    })
}

/// The film of these scenes alone, without intro and outro and without captions in other languages, which are of the whole film; of all
/// scenes when none is named.
///
/// # Errors
/// As for [`scene`].
pub fn only(mut storyboard: Storyboard, ids: &[String]) -> Result<Storyboard, JobError> {
    if ids.is_empty() {
        return Ok(storyboard);
    }
    for id in ids {
        scene(&storyboard, id)?;
    }
    storyboard.scenes.retain(|scene| ids.contains(&scene.id));
    (storyboard.intro, storyboard.outro, storyboard.captions) = (None, None, Vec::new());
    Ok(storyboard)
}

/// Most bytes of a component: twice what Python's whole interpreter takes.
pub const MAX_COMPONENT: u64 = 80 << 20;
