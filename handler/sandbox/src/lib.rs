//! Runs a planner on a document, and never gives it any capability: it may import an empty WASI, and is refused when it imports
//! anything else.
//!
//! In: a document's bytes, not parsed before. Out: a [`Planned`] storyboard that was checked again here, with what the planner used; or a
//! [`PlanError`] that names the limit.
//!
//! A planner is limited in four ways. Fuel counts its instructions, and is matched by its trap, not by what is left. Epochs
//! are for the wall clock: many small ticks, at each of which this call's own clock is checked, since a tick is of the
//! engine and so of every call on it. Memory and tables have a limiter with typed errors. And because an epoch can't interrupt
//! the lifting of a result, the host waits for the wall-clock limit and one second at most.
//!
//! Fuel does not bound compilation: what was not compiled ahead of time is never compiled on the handler's own threads.
//!
//! A crate of its own, since storyboards are lifted out of the planner's memory by generic code, which is compiled for speed here.

mod error;
mod limits;
mod sandbox;
mod ticker;
mod wasi;

pub use built_in::{COMPONENT as BUILT_IN_COMPONENT, STACK_LIMIT};
pub use error::{Fault, PlanError};
pub use limits::Limits;
pub use sandbox::{Planned, Sandbox, Usage};
