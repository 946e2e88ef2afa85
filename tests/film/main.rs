//! Documents become films: the program as its users call it, with real Manim and ffmpeg.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../interfaces/collector.rs"]
mod collector;
mod harness;
#[path = "../modules/hostile.rs"]
mod hostile;
#[path = "../modules/provider.rs"]
mod provider;
mod tones;
mod witness;

mod captions;
mod confinement;
mod documents;
mod making;
mod pictures;
mod planners;
mod preview;
mod recordings;
mod sound;
mod spans;
mod sync;
