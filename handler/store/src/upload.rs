//! Writing objects, with and without a condition.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::client::{ATTEMPTS, BACKOFF, attempt_limit, within};
use super::error::{classify, status};
use super::{Condition, ETag, Store, StoreError};
use deadline::Deadline;

impl Store {
    /// Writes `bytes` to `key`, whatever was there.
    ///
    /// # Errors
    /// What every call may meet; after `store.timed_out` or `store.unavailable` the object may be written or not, but
    /// never in part.
    pub async fn put(
        &self,
        key: &str,
        bytes: impl Into<Bytes>,
        content_type: &str,
        deadline: Deadline,
    ) -> Result<ETag, StoreError> {
        self.put_with(key, bytes.into(), content_type, HashMap::new(), deadline).await
    }

    /// Writes the file at `path` to `key`, whatever was there. The file is streamed.
    ///
    /// # Errors
    /// `store.file`, and as for [`Store::put`].
    pub async fn put_file(
        &self,
        key: &str,
        path: &Path,
        content_type: &str,
        deadline: Deadline,
    ) -> Result<ETag, StoreError> {
        self.put_file_with(key, path, content_type, HashMap::new(), deadline).await
    }

    pub(super) async fn put_with(
        &self,
        key: &str,
        bytes: Bytes,
        content_type: &str,
        metadata: HashMap<String, String>,
        deadline: Deadline,
    ) -> Result<ETag, StoreError> {
        let size = bytes.len() as u64;
        let call = self.request(key, content_type).set_metadata(Some(metadata)).body(ByteStream::from(bytes));
        self.send(call, key, size, deadline).await
    }

    pub(super) async fn put_file_with(
        &self,
        key: &str,
        path: &Path,
        content_type: &str,
        metadata: HashMap<String, String>,
        deadline: Deadline,
    ) -> Result<ETag, StoreError> {
        let size = tokio::fs::metadata(path).await.map_err(|error| StoreError::file(path, error))?.len();
        let body =
            ByteStream::from_path(path).await.map_err(|error| StoreError::file(path, std::io::Error::other(error)))?;
        let call = self.request(key, content_type).set_metadata(Some(metadata)).body(body);
        self.send(call, key, size, deadline).await
    }

    /// Writes `bytes` to `key` only if `condition` holds, atomically. Gives the new entity tag; none when the condition did not hold.
    ///
    /// A reply may get lost after the store has applied the put. The next attempt then meets the object of the first
    /// and is refused: so after an attempt whose end is unknown, a refusal is believed only when the object is not,
    /// byte for byte, the one that was being written. Writers that must be told apart put something of their own
    /// into the bytes (an owner, a generation).
    ///
    /// # Errors
    /// As for [`Store::put`].
    pub async fn put_if(
        &self,
        key: &str,
        bytes: impl Into<Bytes>,
        content_type: &str,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<Option<ETag>, StoreError> {
        let bytes = bytes.into();
        let mut unknown = false; // whether an earlier attempt may have been applied
        let mut tried = 0;
        loop {
            tried += 1;
            let call = self.request(key, content_type).body(ByteStream::from(bytes.clone()));
            let call = match condition {
                Condition::Absent => call.if_none_match("*"),
                Condition::Matches(etag) => call.if_match(etag.as_str()),
            };
            // One attempt at a time: only by the end of each attempt can a refusal be told from one that an earlier attempt caused.
            let once = aws_sdk_s3::config::Builder::new()
                .retry_config(RetryConfig::disabled())
                .timeout_config(attempt_limit(bytes.len() as u64));
            let error = match within(deadline, key, call.customize().config_override(once).send()).await? {
                Ok(reply) => return Ok(Some(ETag(reply.e_tag.unwrap_or_default()))),
                Err(error) => error,
            };
            let conflict = error.code() == Some("ConditionalRequestConflict");
            match status(&error) {
                412 if unknown => return self.is_ours(key, &bytes, deadline).await,
                412 => return Ok(None),
                // Some servers say 404 where others say 412: the object to match is gone.
                404 if *condition != Condition::Absent && error.code() != Some("NoSuchBucket") => return Ok(None),
                _ => {}
            }
            let error = classify(error, &self.bucket, key);
            if !error.retryable() || tried == ATTEMPTS {
                return Err(error);
            }
            // A conflict says that this put was not applied.
            unknown |= !conflict;
            backoff(tried, key, deadline).await?;
        }
    }

    /// Whether the object at `key` is what this writer wrote.
    async fn is_ours(&self, key: &str, bytes: &Bytes, deadline: Deadline) -> Result<Option<ETag>, StoreError> {
        match self.get(key, bytes.len() as u64, deadline).await {
            Ok(object) if object.bytes == bytes => Ok(Some(object.etag)),
            Ok(_) | Err(StoreError::NotFound { .. } | StoreError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn request(&self, key: &str, content_type: &str) -> PutObjectFluentBuilder {
        self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type)
    }

    async fn send(
        &self,
        call: PutObjectFluentBuilder,
        key: &str,
        size: u64,
        deadline: Deadline,
    ) -> Result<ETag, StoreError> {
        let limits = aws_sdk_s3::config::Builder::new().timeout_config(attempt_limit(size));
        let reply = within(deadline, key, call.customize().config_override(limits).send()).await?;
        Ok(ETag(self.done(reply, key)?.e_tag.unwrap_or_default()))
    }
}

/// Waits before attempt `tried + 1`: exponential, with full jitter.
pub(super) async fn backoff(tried: u32, key: &str, deadline: Deadline) -> Result<(), StoreError> {
    let longest = BACKOFF.0.saturating_mul(1 << tried.min(16)).min(BACKOFF.1);
    // Each `RandomState` has keys of its own: jitter without a crate for it.
    let share = RandomState::new().build_hasher().finish() >> 11;
    let wait = longest.mul_f64(share as f64 / (1u64 << 53) as f64);
    within(deadline, key, tokio::time::sleep(wait)).await
}
