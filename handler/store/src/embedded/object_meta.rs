//! One object, one file: the body, followed by its metadata.
//!
//! Body and metadata are in one file so that one rename replaces both. The file ends with the metadata as JSON, its length
//! (four bytes, little-endian) and a magic number. A file whose parts do not add up is treated as damaged.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use s3s::dto::Checksum;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

const MAGIC: &[u8; 8] = b"chalkob1";
/// Bytes after the JSON.
const TAIL: u64 = 4 + MAGIC.len() as u64;
/// Keys have at most 1 KiB and metadata 2 KiB (S3's limits); escaped as JSON that stays far below.
const MAX_META: u64 = 1 << 20;

/// What is known of an object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ObjectMeta {
    pub(super) key: String,
    pub(super) length: u64,
    /// Without quotes.
    pub(super) etag: String,
    /// Milliseconds since 1970.
    pub(super) modified: u64,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Option<HashMap<String, String>>,
    pub(super) sums: Sums,
}

/// Checksums of the body in base64, each under the name of its algorithm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) crc32: Option<String>,
    pub(super) crc32c: Option<String>,
    pub(super) sha1: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) crc64nvme: Option<String>,
}

impl From<Checksum> for Sums {
    fn from(sums: Checksum) -> Self {
        Self {
            crc32: sums.checksum_crc32,
            crc32c: sums.checksum_crc32c,
            sha1: sums.checksum_sha1,
            sha256: sums.checksum_sha256,
            crc64nvme: sums.checksum_crc64nvme,
        }
    }
}

impl ObjectMeta {
    /// When it was written.
    pub(super) fn modified(&self) -> s3s::dto::Timestamp {
        (std::time::UNIX_EPOCH + std::time::Duration::from_millis(self.modified)).into()
    }

    /// Now, in its unit.
    pub(super) fn now() -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Appends the metadata to a file that holds the body, and makes it durable. A rename then puts it in place.
pub(super) fn finalize(file: &mut NamedTempFile, meta: &ObjectMeta) -> io::Result<()> {
    let file = file.as_file_mut();
    let json = serde_json::to_vec(meta)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&[&json[..], &length.to_le_bytes(), MAGIC].concat())?;
    // The rename must never become durable before the file's content.
    file.sync_data()
}

/// The metadata of an open file; none when the file is not a whole object.
pub(super) fn read(file: &File) -> io::Result<Option<ObjectMeta>> {
    let size = file.metadata()?.len();
    if size < TAIL {
        return Ok(None);
    }
    // Most metadata fits into the first read.
    let mut end = vec![0; usize::try_from(size.min(2048)).unwrap_or(0)];
    let start = size - end.len() as u64;
    file.read_exact_at(&mut end, start)?;
    let (rest, tail) = end.split_at(end.len() - TAIL as usize);
    let Some(length) = tail.strip_suffix(MAGIC).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes)
    else {
        return Ok(None);
    };
    let length = u64::from(length);
    if length > MAX_META || length + TAIL > size {
        return Ok(None);
    }
    let meta: Option<ObjectMeta> = match usize::try_from(length).ok().and_then(|length| rest.len().checked_sub(length))
    {
        Some(start) => serde_json::from_slice(&rest[start..]).ok(),
        None => {
            let mut json = vec![0; usize::try_from(length).unwrap_or(0)];
            file.read_exact_at(&mut json, size - TAIL - length)?;
            serde_json::from_slice(&json).ok()
        }
    };
    Ok(meta.filter(|meta| meta.length + length + TAIL == size))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_truncated_file_is_no_object() {
        let meta = ObjectMeta { key: "k".into(), length: 5, etag: "e".into(), ..ObjectMeta::default() };
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"hello").unwrap();
        finalize(&mut file, &meta).unwrap();
        assert_eq!(read(file.as_file()).unwrap().unwrap().key, "k");
        let size = file.as_file().metadata().unwrap().len();
        for length in (0..size).rev() {
            file.as_file().set_len(length).unwrap();
            assert!(read(file.as_file()).unwrap().is_none(), "{length}");
        }
    }

    #[test]
    fn metadata_longer_than_the_first_read_is_read() {
        let metadata = HashMap::from([("note".to_owned(), "x".repeat(5000))]);
        let meta = ObjectMeta { length: 0, metadata: Some(metadata), ..ObjectMeta::default() };
        let mut file = NamedTempFile::new().unwrap();
        finalize(&mut file, &meta).unwrap();
        assert_eq!(read(file.as_file()).unwrap().unwrap().metadata.unwrap()["note"].len(), 5000);
    }
}
