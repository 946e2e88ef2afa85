//! The built-in planner: a document's bytes come in, a [`storyboard`] or a refusal goes out. It never reads a file, a
//! clock or the environment, and the same bytes give the same storyboard natively and in the sandbox.
//!
//! With the feature `planner` (default) the parsers are here too, and for WebAssembly the crate exports them as the
//! world of `wit/planner.wit`. With `default-features = false` only the storyboard types are left, which is all that
//! the host links: the document's bytes are parsed inside the sandbox alone.
//!
//! The way of a lesson:
//!
//! ```text
//! document ─ front_matter ─ markdown ─ lesson → storyboard
//!  (bytes →                  (text →    (blocks →
//!   text)                     blocks)    beats)
//! ```
//!
//! Under it lie `formula` (LaTeX → Typst), `speech` (LaTeX → words), both on the tokens of `latex`; `plot` (a fence →
//! axes) on `expression` and `axis`; `estimate` (words → milliseconds); `place` (byte → line and column).

pub mod storyboard;

#[cfg(feature = "planner")]
mod axis;
#[cfg(feature = "planner")]
mod document;
#[cfg(feature = "planner")]
mod estimate;
#[cfg(feature = "planner")]
mod expression;
#[cfg(feature = "planner")]
mod formula;
#[cfg(feature = "planner")]
mod front_matter;
#[cfg(all(feature = "planner", target_family = "wasm"))]
mod guest;
#[cfg(feature = "planner")]
mod latex;
#[cfg(feature = "planner")]
mod lesson;
#[cfg(feature = "planner")]
mod markdown;
#[cfg(feature = "planner")]
mod place;
#[cfg(feature = "planner")]
mod plot;
#[cfg(feature = "planner")]
mod speech;
#[cfg(feature = "planner")]
mod symbols;

#[cfg(feature = "planner")]
pub use lesson::plan;
