//! Modules, each by itself: planner and sandbox, store, lease, voices, the architecture and its documents.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod growing_documents;
mod hostile;
mod imports;
mod provider;

mod architecture;
mod cost_growth;
mod documents;
mod lease;
mod planner;
mod sandbox;
mod store;
mod voices;
