//! The built-in planner: a document's bytes come in, a [`storyboard`] or a refusal goes out. It never reads a file, a
//! clock or the environment, and the same bytes give the same storyboard natively and in the sandbox.
//!
//! With the feature `planner` (default) the parsers are here too, and for WebAssembly the crate exports them as the
//! world of `wit/planner.wit`. With `default-features = false` only the storyboard types and their `check` are left, which is
//! all that the host links: the document's bytes are parsed inside the sandbox alone.
//!
//! The way of a document:
//!
//! ```text
//! document ┬ lesson    Markdown          ┐
//!  (bytes →├ lecture   a language model's├ draft ─ screen ─ film → storyboard
//!   text)  ├ python    Manim classes     ┘ (steps)  (what   (beats)
//!          └ board     a storyboard               fits)
//! ```
//!
//! Under them lie `drawing` (fences and shapes), `expression` and `axis`; `formula` (LaTeX → Typst) and `speech` (LaTeX
//! → words), both on the tokens of `latex`; `front_matter` and `settings`; `estimate` (words → milliseconds);
//! `sentence`; `asset` (files beside the document); `place` (byte → line and column); `memory` (the sandbox's allocator).

pub mod check;
pub mod storyboard;

#[cfg(feature = "planner")]
mod asset;
#[cfg(feature = "planner")]
mod axis;
#[cfg(feature = "planner")]
mod board;
#[cfg(feature = "planner")]
mod chemistry;
#[cfg(feature = "planner")]
mod document;
#[cfg(feature = "planner")]
mod draft;
#[cfg(feature = "planner")]
mod drawing;
#[cfg(feature = "planner")]
mod estimate;
#[cfg(feature = "planner")]
mod expression;
#[cfg(feature = "planner")]
mod film;
#[cfg(feature = "planner")]
mod formula;
#[cfg(feature = "planner")]
mod front_matter;
#[cfg(all(feature = "planner", target_family = "wasm"))]
mod guest;
#[cfg(feature = "planner")]
mod label;
#[cfg(feature = "planner")]
mod latex;
#[cfg(feature = "planner")]
mod lecture;
#[cfg(feature = "planner")]
mod lesson;
#[cfg(any(test, all(feature = "planner", target_family = "wasm")))]
mod memory;
#[cfg(feature = "planner")]
mod place;
#[cfg(feature = "planner")]
mod python;
#[cfg(test)]
mod schema;
#[cfg(feature = "planner")]
mod screen;
#[cfg(feature = "planner")]
mod sentence;
#[cfg(feature = "planner")]
mod settings;
#[cfg(feature = "planner")]
mod speech;
#[cfg(feature = "planner")]
mod symbols;
#[cfg(feature = "planner")]
mod tongue;
#[cfg(feature = "planner")]
mod utterance;

/// Makes a storyboard of `document`.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
#[cfg(feature = "planner")]
pub fn plan(document: &storyboard::Document) -> Result<storyboard::Storyboard, storyboard::Refusal> {
    let (format, text) = document::read(document)?;
    match format {
        document::Format::Lesson => lesson::plan(&document.name, &text),
        document::Format::Json => lecture::plan(&document.name, &text),
        document::Format::Storyboard => board::plan(&text),
        document::Format::Manim => python::plan(&document.name, &text),
    }
}
