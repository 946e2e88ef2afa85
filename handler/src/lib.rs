//! Chalkreel turns a lesson into a narrated Manim film, and never freezes.
//!
//! The map of the house. Data flows one way; [`pipeline`] alone knows the order, and no stage reaches into another:
//!
//! ```text
//! event ─ intake ─ plan ─ narrate ─ render ─ assemble ─ publish
//! ```
//!
//! - [`attempt`]: what every attempt at a job has around it.
//! - [`intake`]: any event or command becomes a [`job::JobRequest`], and its document is read.
//! - [`plan`]: the document becomes a storyboard, inside the WebAssembly sandbox.
//! - [`planners`]: components of somebody's own that a job names instead of the built-in planner, compiled in a child.
//! - [`assets`]: the pictures, sounds and clips that a document names, from beside it and from nowhere else.
//! - [`translations`]: the same document in other languages, for captions in them.
//! - [`narrate`]: beats become sound of a known length.
//! - [`render`]: scenes become silent clips with an exact frame count.
//! - [`shooting`]: the two above for each scene, and what stands in for a scene that has no clip.
//! - [`assemble`]: clips and one narration track become the film, its captions and chapters.
//! - [`publish`]: what was made goes to the store; here alone S3 keys are spelled.
//!
//! Beside them, [`http`] is the interface over HTTP, and [`notify`] tells others how jobs stand.
//!
//! A film too long for one invocation is made by many machines: [`machine`] starts a Step Functions execution, whose [`tasks`] are
//! parts of the same way, with the store between them.
//!
//! Under them lie [`child`] (processes), [`store`] (S3), `aws` (AWS's other services), [`job`] (identity, status, log), [`layers`],
//! [`scratch`], [`untrusted_file`] (what children leave), [`deadline`], `speed` (of this machine), [`error`], [`connections`] (of HTTP
//! servers), [`telemetry`] (spans) and [`config`]. [`studio`] is what lives longer than one job. Above them lie [`cli`] and
//! [`lambda`], the two front doors.

#![cfg_attr(not(feature = "local"), allow(dead_code, reason = "the commands of one's own machine use it"))]
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "a closed pipe makes them panic: see `cli::output`")
)]

pub mod assemble;
pub mod assets;
pub mod attempt;
mod aws;
pub mod child;
pub mod cli;
pub mod config;
#[cfg(feature = "local")]
pub mod connections;
pub mod deadline;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod intake;
pub mod job;
pub mod lambda;
pub mod layers;
pub mod machine;
pub mod narrate;
pub mod notify;
pub mod pipeline;
pub mod plan;
pub mod planners;
pub mod progress;
pub mod publish;
pub mod render;
pub mod scratch;
pub mod shooting;
mod speed;
pub mod store;
pub mod studio;
pub mod tasks;
pub mod telemetry;
pub mod translations;
pub mod untrusted_file;
