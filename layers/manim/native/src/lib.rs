//! The stage's native library: formulas to outlines, behind a C interface.
//!
//! Comes in: JSON. Goes out: JSON, or curves as 64-bit numbers. Never: threads (the stage forks), files but the fonts that it is told
//! of, and no panic over the border: what goes wrong inside is an answer with `error`.
//!
//! `ink` turns boxes into ink in TeX's order, `fonts` has the outlines, `typeset` puts both together with the parts of `formula`,
//! `rules` has what TeX does and RaTeX doesn't, `text_mode` sets words in lines.

pub mod fonts;
pub mod groups;
pub mod ink;
pub mod interface;
pub mod outline;
mod rules;
pub mod text_mode;
pub mod typeset;
mod words;
