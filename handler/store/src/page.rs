//! Reading on behalf of clients: pages of a listing, parts of an object, and presigned URLs.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::stream::{Stream, try_unfold};

use super::client::within;
use super::error::chain;
use super::{ETag, Store, StoreError};
use deadline::Deadline;

/// For the next piece of a body to come from the store.
const PIECE: Duration = Duration::from_secs(10);

/// An object, or a part of it, that is streamed to a client, which sees by its length whether it is complete.
#[derive(Debug)]
pub struct Part {
    /// Length of this part in bytes.
    pub size: u64,
    /// What part it is, as Content-Range has it; none for the whole object.
    pub range: Option<String>,
    /// Of the object.
    pub etag: ETag,
    /// Its media type, if the writer said.
    pub content_type: Option<String>,
    key: String,
    body: ByteStream,
}

impl Part {
    /// The bytes, piece by piece. A reader may take them as slowly as it likes; the store may not.
    pub fn pieces(self) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static {
        let Self { key, body, .. } = self;
        try_unfold((body, key), async |(mut body, key)| {
            let piece = Deadline::after(PIECE).run(body.try_next()).await.map_err(|_| StoreError::timed_out(&key))?;
            match piece {
                Ok(piece) => Ok(piece.map(|piece| (piece, (body, key)))),
                Err(error) => Err(StoreError::Unavailable { key, message: chain(&error) }),
            }
        })
    }
}

impl Store {
    /// The object at `key`, or the bytes of it that `range` names, as HTTP's header does.
    ///
    /// # Errors
    /// `store.not_found`, `store.refused` with status 416 when there are no such bytes, and what every call may meet.
    pub async fn part(&self, key: &str, range: Option<&str>, deadline: Deadline) -> Result<Part, StoreError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key).set_range(range.map(str::to_owned)).send();
        let reply = self.done(within(deadline, key, call).await?, key)?;
        Ok(Part {
            size: reply.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            range: reply.content_range,
            etag: ETag(reply.e_tag.unwrap_or_default()),
            content_type: reply.content_type,
            key: key.to_owned(),
            body: reply.body,
        })
    }

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
