//! Modules, each by itself: planner and sandbox, store, lease, voices, and the architecture.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod growing;
mod hostile;
mod imports;
mod provider;

mod architecture;
mod growth;
mod lease;
mod planner;
mod sandbox;
mod store;
mod voices;
