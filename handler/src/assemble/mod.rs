//! Clips and one sound track become the film, its captions and chapters.
//!
//! In: clips with their frames, beats with their samples, and what the document brings along. Out: `film.mp4`, `poster.jpg`,
//! captions, the ledger and what was measured against it, in a folder. It never encodes a scene's picture again: clips are
//! joined by stream copy.
//!
//! - `ledger` says when everything happens, and `captions` says it to players, in the languages of `translation` too;
//! - `extras` makes intro, outro and music ready; `recording` is sound in a file, `music` the bed under the voice;
//! - `track` lays all that is heard on one track, and `limiter` holds its peaks;
//! - `film` joins, with `ffmpeg`, and `measure` looks and listens whether it came out as the ledger says.

pub mod captions;
mod extras;
mod ffmpeg;
pub mod film;
pub mod ledger;
mod limiter;
pub mod measure;
mod meter;
mod music;
mod recording;
pub mod track;
mod translation;

pub use extras::{Extras, Prepared};
pub use film::{Assembler, Captions, Film, Reel};
pub use ledger::Ledger;
pub use track::Track;
pub use translation::{Passage, Translation};
