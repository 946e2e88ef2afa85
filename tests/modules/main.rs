//! Modules, each by itself: planner and sandbox, store, lease, voices, the architecture and its documents.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod growing;
mod hostile;
mod imports;
mod provider;

mod architecture;
mod documents;
mod growth;
mod lease;
mod planner;
mod sandbox;
mod store;
mod voices;
