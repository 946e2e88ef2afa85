//! The little languages of drawing fences, and what is worked out for drawings of any document.
//!
//! In: the text of a fence, one statement a line. Out: an element of the storyboard with its ranges found, or what was
//! misread and where. Numbers and curves are read by `expression`; nothing is ever evaluated as a program.

pub(crate) mod axes;
pub(crate) mod axis;
pub(crate) mod chart;
pub(crate) mod expression;
pub(crate) mod forces;
pub(crate) mod graph;
pub(crate) mod mermaid;
pub(crate) mod number_line;
pub(crate) mod plot;
pub(crate) mod shapes;
pub(crate) mod space;
pub(crate) mod style;
pub(crate) mod surface;
mod words;

pub(crate) use words::{FURTHEST, Range};
