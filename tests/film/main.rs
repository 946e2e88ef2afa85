//! Documents become films: the program as its users call it, with real Manim and ffmpeg.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../doors/collector.rs"]
mod collector;
#[path = "../rooms/hostile.rs"]
mod hostile;
mod house;
#[path = "../rooms/provider.rs"]
mod provider;
mod tones;
mod witness;

mod captions;
mod confinement;
mod documents;
mod making;
mod planners;
mod sound;
mod spans;
mod sync;
