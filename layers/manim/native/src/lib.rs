//! The stage's native library: formulas to outlines, and pixels to what the encoder takes, behind a C interface.
//!
//! Comes in: JSON, or pixels. Goes out: JSON, curves as 64-bit numbers, or planes of pixels. Never: threads (the stage forks), files but the fonts that it is told
//! of, and no panic over the border: what goes wrong inside is an answer with `error`.
//!
//! `ink` turns boxes into ink in TeX's order, `fonts` has the outlines, `typeset` puts both together with the parts of `formula`,
//! `rules` has what TeX does and RaTeX doesn't, `text_mode` sets words in lines; `pixels` converts pictures.

pub mod fonts;
pub mod groups;
pub mod ink;
pub mod interface;
pub mod outline;
pub mod pixels;
mod rules;
pub mod text_mode;
pub mod typeset;
mod words;
