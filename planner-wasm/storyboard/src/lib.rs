//! The storyboard: what a planner makes of a document. Declarative, typed, no code. Planners and the handler share this crate, and
//! the handler links nothing else of a planner: documents are parsed inside the sandbox alone.
//!
//! [`types`] are the storyboard itself, [`check`] the rules that a storyboard must keep to be drawn and published, and
//! [`lengths`] how long its beats last.

pub mod check;
pub mod lengths;
#[cfg(test)]
mod schema;
pub mod types;

pub use types::*;
