//! The object store: how every other room reaches S3.
//!
//! In: keys, bytes and files, each call with a [`Deadline`](crate::deadline::Deadline). Out: objects, their entity
//! tags, or a [`StoreError`] with a stable code. The [`Embedded`] server gives local runs the same S3 over loopback.
//!
//! It never keeps state of its own between calls, never waits without a deadline, and never hands out a body that
//! is not whole, but for a [`Part`] that is passed on while it comes.

pub mod cache;
mod client;
pub mod download;
#[cfg(feature = "local")]
pub mod embedded;
mod error;
mod page;
mod upload;

use std::collections::HashMap;
use std::fmt;

pub use cache::{Cache, CacheKey};
pub use client::Store;
#[cfg(feature = "local")]
pub use embedded::Embedded;
pub use error::StoreError;
pub use page::Part;

/// Where the store is and how to speak to it.
#[derive(Clone, Default)]
pub struct Endpoint {
    /// Its address; none for AWS itself.
    pub url: Option<String>,
    /// The region; none for what the environment says, or `us-east-1` when credentials are given here.
    pub region: Option<String>,
    /// Access key and secret; none for what the environment gives.
    pub credentials: Option<(String, String)>,
    /// Bucket in the path instead of in the host name, as servers other than AWS want it.
    pub path_style: bool,
}

impl fmt::Debug for Endpoint {
    // The secret stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("region", &self.region)
            .field("access_key", &self.credentials.as_ref().map(|(key, _)| key))
            .field("path_style", &self.path_style)
            .finish()
    }
}

/// An entity tag as the store gave it, quotes included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(pub(crate) String);

impl ETag {
    /// An entity tag that was kept as text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The tag's text, quotes included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of an object without its body.
#[derive(Debug, Clone)]
pub struct Head {
    /// Length of the body in bytes.
    pub size: u64,
    /// Its entity tag.
    pub etag: ETag,
    /// Its media type, if the writer said.
    pub content_type: Option<String>,
    /// Its version, in a bucket with versions.
    pub version_id: Option<String>,
    /// The writer's own names and values.
    pub metadata: HashMap<String, String>,
}

/// An object in memory.
#[derive(Debug, Clone)]
pub struct Object {
    /// The whole body.
    pub bytes: bytes::Bytes,
    /// Its entity tag.
    pub etag: ETag,
    /// Its media type, if the writer said.
    pub content_type: Option<String>,
    /// Its version, in a bucket with versions.
    pub version_id: Option<String>,
    /// The writer's own names and values.
    pub metadata: HashMap<String, String>,
}

/// A line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The object's key.
    pub key: String,
    /// Length of its body in bytes.
    pub size: u64,
    /// Its entity tag, if the store lists it.
    pub etag: Option<ETag>,
}

/// What must hold for a conditional put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// No object has the key.
    Absent,
    /// The object still has this entity tag.
    Matches(ETag),
}

/// A conditional put whose condition did not hold: another writer was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another writer was first")]
pub struct Lost;
