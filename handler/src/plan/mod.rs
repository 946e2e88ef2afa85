//! Turns the document into a storyboard, by a planner in the [`sandbox`].
//!
//! In: the document's bytes, not parsed before. Out: a [`Planned`] storyboard, or a [`PlanError`] with a code of its own for each limit.
//! What was not compiled ahead of time is never compiled on the handler's own threads.

pub mod custom;
mod error;
mod estimate;
pub mod translations;

pub use error::code_of;
pub use estimate::Estimate;
pub use sandbox::{BUILT_IN_COMPONENT, Fault, Limits, PlanError, Planned, STACK_LIMIT, Sandbox, Usage};
pub use storyboard::check::check;

/// Most bytes of a component: twice what Python's whole interpreter takes.
pub const MAX_COMPONENT: u64 = 80 << 20;
