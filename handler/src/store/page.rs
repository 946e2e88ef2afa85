//! Reading for others: pages of a listing, and URLs that open one object for a while.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::client::within;
use super::{Store, StoreError};
use crate::deadline::Deadline;

impl Store {
    /// At most `limit` (up to 1000) keys that begin with `prefix` and come after `after`, in the order of their bytes; and
    /// whether there are more.
    ///
    /// # Errors
    /// What every call may meet.
    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u16,
        deadline: Deadline,
    ) -> Result<(Vec<String>, bool), StoreError> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_start_after(after.map(str::to_owned))
            .max_keys(i32::from(limit))
            .send();
        let reply = self.done(within(deadline, prefix, call).await?, prefix)?;
        let more = reply.is_truncated.unwrap_or(false);
        Ok((reply.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect(), more))
    }

    /// A URL that opens the object at `key` to whoever has it, for `length`, ranges included. Nothing is sent.
    ///
    /// # Errors
    /// `store.denied` and the like, when no credentials can be had to sign with.
    pub async fn presigned(&self, key: &str, length: Duration, deadline: Deadline) -> Result<String, StoreError> {
        // Only lengths above a week are refused.
        let unavailable = |message: String| StoreError::Unavailable { key: key.to_owned(), message };
        let config = PresigningConfig::expires_in(length).map_err(|error| unavailable(error.to_string()))?;
        let call = self.client.get_object().bucket(&self.bucket).key(key).presigned(config);
        let request = self.done(within(deadline, key, call).await?, key)?;
        Ok(request.uri().to_owned())
    }
}
