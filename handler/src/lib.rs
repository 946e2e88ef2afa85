//! Chalkreel turns a lesson into a narrated Manim film, and never freezes.
//!
//! The modules of the crate. Data flows one way; [`pipeline`] alone knows the order, and no stage imports another:
//!
//! ```text
//! event ─ intake ─ plan ─ narrate ─ render ─ assemble ─ publish
//! ```
//!
//! - [`intake`]: any event or command becomes a [`job::JobRequest`]; its document is read, and the files that it names.
//! - [`plan`]: the document becomes a storyboard, inside the WebAssembly sandbox; custom planners and translations too.
//! - [`narrate`]: turns beats into sound of a known length.
//! - [`render`]: turns scenes into silent clips with an exact frame count.
//! - [`assemble`]: joins clips and one sound track into the film, with captions and chapters.
//! - [`publish`]: writes the results to the store, and last the status.
//!
//! Between them, [`scenes`] schedules narration and rendering of each scene within a budget of time, and replaces scenes that can't be
//! drawn. [`pipeline`] also holds what every attempt at a job needs, and the tasks of the state machine for films too long for one
//! invocation.
//!
//! [`write`] has a language model write the lesson that answers a question, before it is planned.
//!
//! `preview` shows a document before its film is made: stills of its beats, and what is wrong with it.
//!
//! The interfaces are [`entry`] (AWS Lambda), [`http`] and [`cli`]; [`notify`] sends notifications about jobs.
//!
//! All of them use [`job`] (identity, S3 keys, status, lease, log), [`services`] (what jobs share), [`aws`]
//! (AWS's other services), [`media`] (video files, ffmpeg and ffprobe), [`untrusted_file`] and `untrusted_text` (what children leave and say), `worker` (a child that is kept and asked), `remote` (calls of other providers),
//! `speed` (of this machine), [`layers`], [`scratch`], [`error`], [`telemetry`] and [`config`]. Crates of their own are [`child`] (processes), [`store`]
//! (S3), `connections` (of HTTP servers), [`deadline`] and `audio` (loops over samples).

#![cfg_attr(not(feature = "local"), allow(dead_code, reason = "the commands of one's own machine use it"))]
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, reason = "a closed pipe makes them panic: see `cli::output`")
)]

pub mod assemble;
pub mod aws;
pub mod cli;
pub mod config;
pub mod entry;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod intake;
pub mod job;
pub mod layers;
pub mod media;
pub mod narrate;
pub mod notify;
pub mod pipeline;
pub mod plan;
#[cfg(feature = "local")]
pub mod preview;
pub mod publish;
mod remote;
pub mod render;
pub mod scenes;
pub mod scratch;
pub mod services;
mod speed;
pub mod telemetry;
pub mod untrusted_file;
mod untrusted_text;
mod worker;
pub mod write;

/// The targets of this program's own log lines and spans: one for each crate.
pub(crate) const OWN_TARGETS: [&str; 7] =
    ["handler", "chalkreel", "audio", "child", "connections", "deadline", "store"];

#[cfg(feature = "local")]
pub use connections;
pub use {child, deadline, store};
