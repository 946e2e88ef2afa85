//! Joins clips and one sound track into the film, with captions and chapters.
//!
//! In: clips with their frames, beats with their samples, and the document's intro, outro and music. Out: `film.mp4`, `poster.jpg`,
//! captions, the ledger and what was measured against it, in a folder. It never encodes a scene's picture again: clips are
//! joined by stream copy.
//!
//! - `ledger` is the timeline, and `captions` derive from it, in the languages of `translation` too;
//! - `extras` prepares intro, outro and music; `recording` is sound in a file, `music` the bed under the voice;
//! - `pictures` are the poster and those of the scenes;
//! - `decoded` is the author's own voice;
//! - `track` mixes all sound into one track, and `soundtrack` encodes it, while scenes are still drawn;
//! - `film` joins everything with `ffmpeg`, and `measure` verifies the result against the ledger.

pub mod captions;
mod decoded;
mod extras;
pub mod film;
pub mod ledger;
pub mod measure;
mod music;
mod pictures;
mod recording;
mod soundtrack;
pub mod track;
mod translation;

use std::time::Duration;

pub use captions::{ends_sentence, word_times};
pub use extras::{Extras, Prepared};
pub use film::{Assembler, Captions, Film, FilmParts};
pub use ledger::Ledger;
pub use soundtrack::{Script, Soundtrack};
pub use track::Track;

/// What a film takes whatever its length, and for each second of it. Measured on two quiet processors at 720p: 0.9 s, and 10 ms (the
/// sound track 2, AAC 5, decoding it again 2, and copying and counting pictures). Threefold.
const COST: (Duration, f64) = (Duration::from_millis(2_500), 0.03);

/// How long making a film of clips takes, when it is so long.
pub fn cost(length: Duration) -> Duration {
    COST.0 + length.mul_f64(COST.1)
}
