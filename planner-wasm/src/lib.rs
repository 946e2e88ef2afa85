//! The built-in planner: a document's bytes come in, a [`storyboard`] or a refusal goes out. It never reads a file, a
//! clock or the environment, and the same bytes give the same storyboard natively and in the sandbox.
//!
//! For WebAssembly the crate exports itself as the world of `wit/planner.wit`. The types and their check are the crate
//! `storyboard`, which is all that the host links: the document's bytes are parsed inside the sandbox alone. Natively this crate is
//! for tests, which hold the two to each other.
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

mod asset;
mod axis;
mod board;
mod chemistry;
mod document;
mod draft;
mod drawing;
mod estimate;
mod expression;
mod film;
mod formula;
mod front_matter;
#[cfg(target_family = "wasm")]
mod guest;
mod label;
mod latex;
mod lecture;
mod lesson;
#[cfg(any(test, target_family = "wasm"))]
mod memory;
mod place;
mod python;
#[cfg(test)]
mod schema;
mod screen;
mod sentence;
mod settings;
mod speech;
mod symbols;
mod tongue;
mod utterance;

pub use storyboard::{self, check};

/// Makes a storyboard of `document`.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
pub fn plan(document: &storyboard::Document) -> Result<storyboard::Storyboard, storyboard::Refusal> {
    let (format, text) = document::read(document)?;
    match format {
        document::Format::Lesson => lesson::plan(&document.name, &text),
        document::Format::Json => lecture::plan(&document.name, &text),
        document::Format::Storyboard => board::plan(&text),
        document::Format::Manim => python::plan(&document.name, &text),
    }
}
