//! Turns the document into a storyboard, inside the sandbox.
//!
//! In: the document's bytes, not parsed before. Out: a [`Planned`] storyboard that the host checked again,
//! with what the planner used; or a [`PlanError`] with a code of its own for each limit. It never gives a planner any
//! capability: it may import an empty WASI, and is refused when it imports anything else.
//!
//! A planner is limited in four ways. Fuel counts its instructions, and is matched by its trap, not by what is left. Epochs
//! are for the wall clock: many small ticks, at each of which this call's own clock is checked, since a tick is of the
//! engine and so of every call on it. Memory and tables have a limiter with typed errors. And because an epoch can't interrupt
//! the lifting of a result, the host waits for the wall-clock limit and one second at most.
//!
//! Fuel does not bound compilation: what was not compiled ahead of time is never compiled on the handler's own threads.

pub mod custom;
mod error;
mod estimate;
mod limits;
mod sandbox;
mod ticker;
pub mod translations;
mod wasi;

pub use built_in::COMPONENT as BUILT_IN_COMPONENT;
pub use error::{Fault, PlanError};
pub use estimate::Estimate;
pub use limits::Limits;
pub use sandbox::{Planned, Sandbox, Usage};
pub use storyboard::check::check;

/// Most bytes of a component: twice what Python's whole interpreter takes.
pub const MAX_COMPONENT: u64 = 80 << 20;
