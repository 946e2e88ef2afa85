//! Rooms of the house, each by itself: planner and sandbox, store, lease, voices, and how the rooms lie to each other.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod growing;
mod hostile;
mod provider;

mod growth;
mod house;
mod lease;
mod planner;
mod sandbox;
mod store;
mod voices;
