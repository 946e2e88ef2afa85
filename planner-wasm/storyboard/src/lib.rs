//! The storyboard: what a planner makes of a document. Declarative, typed, no code. Planners and the handler share this crate, and
//! the handler links nothing else of a planner: documents are parsed inside the sandbox alone.
//!
//! [`types`] are the storyboard itself, [`check`] the rules that a storyboard must keep to be drawn and published.

pub mod check;
#[cfg(test)]
mod schema;
pub mod types;

pub use types::*;
