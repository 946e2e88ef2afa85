//! The document becomes a storyboard, inside the sandbox.
//!
//! In: the document's bytes, which nobody before has looked into. Out: a [`Planned`] storyboard that the host checked again,
//! with what the planner used; or a [`PlanError`] with a code of its own for each limit. It never gives a planner any
//! authority: what it may import is a WASI with nothing in it, and whatever else it imports refuses it.
//!
//! Four fences stand around a planner. Fuel counts its instructions, and is matched by its trap, not by what is left. Epochs
//! are for the wall clock: many small ticks, each of which asks this call's own clock, for a tick belongs to the
//! engine and so to every call on it. Memory and tables are metered by a typed error. And because an epoch can't wake a call
//! that is lifting its result, the host waits no longer than the wall clock and a second, whatever the call does.
//!
//! Fuel does not bound compilation: what was not compiled ahead of time is never compiled on the handler's own threads.

pub mod engine;
mod error;
mod estimate;
mod limits;
mod sandbox;
mod ticker;
mod wasi;

pub use error::{Fault, PlanError};
pub use estimate::Estimate;
pub use limits::Limits;
pub use sandbox::{BUILT_IN_COMPONENT, Planned, Sandbox, Usage};
pub use storyboard::check::check;

/// Most bytes of a component: twice what Python's whole interpreter takes.
pub const MAX_COMPONENT: u64 = 80 << 20;
