//! How words are heard: formulas, units, abbreviations, programs.
//!
//! In: a stretch of text, a formula in LaTeX or a piece of a program, and the language of the film. Out: the words of a lecturer, without
//! markup. What is shown is none of its business.

mod locale;
mod mathematics;
mod prose;
mod ssml;

pub(crate) use locale::Locale;
pub(crate) use mathematics::{parts, tidy, words};
pub(crate) use prose::{code, part, prose, unread, written};
pub(crate) use ssml::unmarked;
