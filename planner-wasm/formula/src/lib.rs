//! LaTeX formulas: read, mended where they can't be read as they stand, and divided into named parts.
//!
//! Comes in: the source of one formula and the macros that its document defines. Goes out: RaTeX's tree of it, what was mended and
//! where, and the parts. Never: layout, which is the stage's (`layers/manim/native`); the planner reads formulas with the same code
//! inside its sandbox, so both see the same tree and tell the same faults.

mod chemistry;
mod colours;
mod cursor;
mod definitions;
mod mend;
pub mod parts;
mod physics;
mod prelude;
mod reading;
mod source;
pub mod tree;
mod units;

pub use colours::{Palette, exact as colour};
pub use definitions::{Definitions, written};
pub use parts::{Divided, Kind, Marker, Part, divide};
pub use reading::{Fault, LONGEST, Reading, read};
pub use source::Dialect;
