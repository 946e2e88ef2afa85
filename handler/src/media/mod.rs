//! Video files: ffmpeg and ffprobe as children, and what a clip must be, byte by byte.
//!
//! It starts, confines, watches and reads the two programs. What films are made of is known by [`crate::render`] and
//! [`crate::assemble`].

pub(crate) mod encoder;
mod ffmpeg;
mod ffprobe;
pub mod mp4;
mod still;

pub(crate) use ffmpeg::Ffmpeg;
pub use ffprobe::Prober;
pub use still::Still;
