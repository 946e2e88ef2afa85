//! Clips and one narration track become the film, its captions and chapters.
//!
//! In: clips with their frames, beats with their samples. Out: `film.mp4`, `poster.jpg`, captions and the ledger, in a
//! folder. It never encodes a picture again: clips are joined by stream copy.

pub mod captions;
pub mod film;
pub mod ledger;
pub mod track;

pub use film::{Assembler, Film};
pub use ledger::Ledger;
pub use track::Track;
