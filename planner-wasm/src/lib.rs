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
//! document ┬ lesson            Markdown         ┐
//!  (bytes →├ lecture           a model's plan   ├ film: drafts ─ screens ─ beats → storyboard
//!   text)  ├ python            Manim classes    ┘       (steps)  (what fits)
//!          └ storyboard_json   a storyboard
//! ```
//!
//! Under the readers lie `inline` (a stretch of a line: how it is shown and heard), `drawing` (fences, shapes and expressions) and `speech`
//! (what is written in signs → words, a language each), `formula` (LaTeX → what the storyboard has) and `label`, all on the tree of `latex`; `document`
//! has settings, front matter, assets and positions; `text` knows neither document nor language. `tests/architecture.rs` holds which may
//! use which.

mod document;
mod drawing;
mod film;
mod fonts;
mod formula;
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "the exports of a component, generated from the WIT file")]
mod guest;
mod inline;
mod label;
mod latex;
mod lecture;
mod lesson;
mod markup;
#[cfg(any(test, target_family = "wasm"))]
mod memory;
mod notebook;
#[cfg(test)]
mod plan_schema;
mod python;
#[cfg(test)]
mod schema;
mod speech;
mod storyboard_json;
mod symbols;
mod text;

pub use storyboard::{self, check};

/// Makes a storyboard of `document`.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
pub fn plan(document: &storyboard::Document) -> Result<storyboard::Storyboard, storyboard::Refusal> {
    let (format, text) = document::read(document)?;
    let mut storyboard = match format {
        document::Format::Lesson => lesson::plan(&document.name, &text),
        document::Format::Notebook => notebook::plan(&document.name, &text),
        document::Format::Json if notebook::is_notebook(&text) => notebook::plan(&document.name, &text),
        document::Format::Json => lecture::plan(&document.name, &text),
        // It has the warnings that it was made with.
        document::Format::Storyboard => return storyboard_json::plan(&text),
        document::Format::Manim => python::plan(&document.name, &text),
    }?;
    fonts::tell(&text, &mut storyboard);
    // They come from passes one after the other; an author reads them from the beginning of the document to its end.
    let order = |warning: &storyboard::Warning| {
        (warning.code == "plan.more_warnings", warning.place.map(|place| (place.line, place.column)))
    };
    storyboard.warnings.sort_by_key(order);
    Ok(storyboard)
}
