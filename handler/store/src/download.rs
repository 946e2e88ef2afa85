//! Reading objects: whole or not at all.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tempfile::{Builder, NamedTempFile};
use tokio::io::AsyncWriteExt;

use super::client::within;
use super::error::chain;
use super::upload::backoff;
use super::{ETag, Head, Object, Store, StoreError};
use deadline::Deadline;

/// Attempts for a body whose transfer breaks off. The SDK itself retries only up to the reply's head.
const BODIES: u32 = 3;

/// Prefix of the names of unfinished files.
const PART: &str = ".chalkreel-";

/// Removes unfinished downloads in `folder` whose process has died.
pub fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let part = entry.file_name().to_str().is_some_and(|name| name.starts_with(PART));
        let file = part && entry.file_type().is_ok_and(|kind| kind.is_file());
        if file && std::fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(entry.path()); // another process may sweep too
        }
    }
}

/// A body in a temporary file, in the folder where it is to go.
pub(super) struct Download {
    pub(super) file: NamedTempFile,
    pub(super) head: Head,
    pub(super) sha256: Option<[u8; 32]>,
}

impl Store {
    /// The object at `key`, if it has at most `max_bytes` bytes. A larger one is refused before its body is read.
    /// Length and checksum are verified.
    ///
    /// # Errors
    /// `store.not_found`, `store.too_large`, `store.damaged`, and what every call may meet.
    pub async fn get(&self, key: &str, max_bytes: u64, deadline: Deadline) -> Result<Object, StoreError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.get_once(key, max_bytes, deadline).await {
                Err(Attempt::Broken(_)) if tried < BODIES => backoff(tried, key, deadline).await?,
                Err(Attempt::Broken(error) | Attempt::Failed(error)) => return Err(error),
                Ok(object) => return Ok(object),
            }
        }
    }

    /// Writes the object at `key` to `path`, which appears (or is replaced) only when the whole body is there.
    ///
    /// # Errors
    /// `store.not_found`, `store.damaged`, `store.file`, and what every call may meet.
    pub async fn get_to_file(&self, key: &str, path: &Path, deadline: Deadline) -> Result<Head, StoreError> {
        let Download { file, head, .. } = self.download(key, path, false, deadline).await?;
        file.persist(path).map_err(|error| StoreError::file(path, error.error))?;
        Ok(head)
    }

    /// Verifies the object at `key`: reads it to its end, and discards it.
    ///
    /// # Errors
    /// As [`Store::get_to_file`].
    pub async fn check(&self, key: &str, deadline: Deadline) -> Result<(), StoreError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.check_once(key, deadline).await {
                Err(Attempt::Broken(_)) if tried < BODIES => backoff(tried, key, deadline).await?,
                Err(Attempt::Broken(error) | Attempt::Failed(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn check_once(&self, key: &str, deadline: Deadline) -> Result<(), Attempt> {
        let (_, mut body) = self.open(key, deadline).await?;
        while body.next(key, deadline).await?.is_some() {}
        Ok(())
    }

    /// Reads the object at `key` into a temporary file beside `path`, and its SHA-256 when `digest` is set.
    pub(super) async fn download(
        &self,
        key: &str,
        path: &Path,
        digest: bool,
        deadline: Deadline,
    ) -> Result<Download, StoreError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.download_once(key, path, digest, deadline).await {
                Err(Attempt::Broken(_)) if tried < BODIES => backoff(tried, key, deadline).await?,
                Err(Attempt::Broken(error) | Attempt::Failed(error)) => return Err(error),
                Ok(download) => return Ok(download),
            }
        }
    }

    async fn get_once(&self, key: &str, max_bytes: u64, deadline: Deadline) -> Result<Object, Attempt> {
        let (head, mut body) = self.open(key, deadline).await?;
        if head.size > max_bytes {
            let (size, limit) = (head.size, max_bytes);
            return Err(Attempt::Failed(StoreError::TooLarge { key: key.to_owned(), size, limit }));
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(head.size).unwrap_or(0));
        while let Some(chunk) = body.next(key, deadline).await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Object {
            bytes: bytes.freeze(),
            etag: head.etag,
            content_type: head.content_type,
            version_id: head.version_id,
            metadata: head.metadata,
        })
    }

    async fn download_once(
        &self,
        key: &str,
        path: &Path,
        digest: bool,
        deadline: Deadline,
    ) -> Result<Download, Attempt> {
        let file_error = |error| Attempt::Failed(StoreError::file(path, error));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (head, mut body) = self.open(key, deadline).await?;
        // Readable for other users than the temporary file's default: children that read it may run as one.
        let mode = Permissions::from_mode(0o644);
        let file = Builder::new().prefix(PART).permissions(mode).tempfile_in(folder).map_err(file_error)?;
        // Locked as long as it is written: a sweep that gets the lock knows that no process writes it any more.
        let _ = file.as_file().try_lock();
        let mut writer = tokio::fs::File::from_std(file.reopen().map_err(file_error)?);
        let mut sha256 = digest.then(Sha256::new);
        while let Some(chunk) = body.next(key, deadline).await? {
            if let Some(sha256) = &mut sha256 {
                sha256.update(&chunk);
            }
            writer.write_all(&chunk).await.map_err(file_error)?;
        }
        writer.flush().await.map_err(file_error)?;
        Ok(Download { file, head, sha256: sha256.map(|sha256| sha256.finalize().into()) })
    }

    async fn open(&self, key: &str, deadline: Deadline) -> Result<(Head, Body), Attempt> {
        let call = self.client.get_object().bucket(&self.bucket).key(key).send();
        let reply: GetObjectOutput = self.done(within(deadline, key, call).await?, key)?;
        let size = reply.content_length().and_then(|size| u64::try_from(size).ok()).ok_or_else(|| {
            StoreError::Damaged { key: key.to_owned(), message: "the reply has no Content-Length".to_owned() }
        })?;
        let head = Head {
            size,
            etag: ETag(reply.e_tag.unwrap_or_default()),
            content_type: reply.content_type,
            version_id: reply.version_id,
            metadata: reply.metadata.unwrap_or_default(),
        };
        Ok((head, Body { stream: reply.body, size, read: 0 }))
    }
}

/// How one attempt failed: during the body (worth another), or before it (the SDK has retried already).
enum Attempt {
    Broken(StoreError),
    Failed(StoreError),
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// A body being received, with its bytes counted.
struct Body {
    stream: aws_sdk_s3::primitives::ByteStream,
    size: u64,
    read: u64,
}

impl Body {
    /// The next piece; none at the end, and then the body is whole: its length is right and so was its checksum.
    async fn next(&mut self, key: &str, deadline: Deadline) -> Result<Option<Bytes>, Attempt> {
        let piece = deadline.run(self.stream.try_next()).await.map_err(|_| StoreError::timed_out(key))?;
        match piece {
            Ok(Some(piece)) => {
                self.read += piece.len() as u64;
                if self.read > self.size {
                    return Err(self.damaged(key, "it is longer than its Content-Length".to_owned()));
                }
                Ok(Some(piece))
            }
            Ok(None) if self.read == self.size => Ok(None),
            Ok(None) => Err(self.cut(key, "the connection was closed".to_owned())),
            // The SDK compares checksums after the last byte.
            Err(error) if self.read == self.size => Err(self.damaged(key, chain(&error))),
            Err(error) => Err(self.cut(key, chain(&error))),
        }
    }

    fn damaged(&self, key: &str, message: String) -> Attempt {
        Attempt::Broken(StoreError::Damaged { key: key.to_owned(), message })
    }

    fn cut(&self, key: &str, why: String) -> Attempt {
        let message = format!("the transfer broke off after {} of {} bytes: {why}", self.read, self.size);
        Attempt::Broken(StoreError::Unavailable { key: key.to_owned(), message })
    }
}
