//! Interfaces: Lambda's events, the state machine, HTTP, pages, the template and what checks an account.
//!
//! One program, since each takes a while to compile and link.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod collector;
mod model;
mod process;
mod read;
mod rig;
mod services;

mod doctor;
mod function;
mod machine;
mod pages;
mod peers;
mod serve;
mod template;
mod tools;
mod writing;
