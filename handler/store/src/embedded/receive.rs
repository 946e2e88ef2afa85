//! Receives a body: writes it to a file, hashes and verifies it. It is never in memory as a whole.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::folder::{Folder, blocking, internal};
use super::object_meta::Sums;

/// Pieces between the socket and the disk. hyper's are at most some 400 KiB.
const PIECES: usize = 8;

/// What the request announces of its body.
#[derive(Debug, Default)]
pub(super) struct Claim {
    pub(super) length: Option<i64>,
    /// Base64, from `Content-MD5`.
    pub(super) md5: Option<String>,
    pub(super) sums: Sums,
    /// An algorithm whose sum comes in the trailer.
    pub(super) algorithm: Option<String>,
    pub(super) trailers: Option<TrailingHeaders>,
}

/// A body that arrived whole and as it was announced.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) file: NamedTempFile,
    pub(super) length: u64,
    pub(super) md5: [u8; 16],
    pub(super) sums: Sums,
}

/// Takes a body. When its request is dropped or its body breaks off, the file goes away.
pub(super) async fn receive(folder: &Folder, body: Option<StreamingBlob>, claim: Claim) -> S3Result<Received> {
    let (pieces, arriving) = mpsc::channel(PIECES);
    let (folder, hasher) = (folder.clone(), claim.hasher());
    let writer = tokio::spawn(blocking(move || write(&folder, arriving, hasher)));
    let mut broken = None;
    if let Some(mut body) = body {
        while let Some(piece) = body.next().await {
            match piece {
                // The writer gives up only with an error, which it returns below.
                Ok(piece) => {
                    if pieces.send(piece).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    broken = Some(broken_body(&*error));
                    break;
                }
            }
        }
    }
    drop(pieces);
    let written = writer.await.map_err(|panic| S3Error::with_message(S3ErrorCode::InternalError, panic.to_string()))?;
    match broken {
        Some(error) => Err(error),
        None => written.and_then(|received| claim.verify(received)),
    }
}

fn write(folder: &Folder, mut arriving: mpsc::Receiver<Bytes>, mut hasher: ChecksumHasher) -> S3Result<Received> {
    let mut file = folder.temporary().map_err(internal)?;
    let (mut md5, mut length) = (Md5::new(), 0);
    while let Some(piece) = arriving.blocking_recv() {
        md5.update(&piece);
        hasher.update(&piece);
        file.write_all(&piece).map_err(internal)?;
        length += piece.len() as u64;
    }
    Ok(Received { file, length, md5: md5.finalize().into(), sums: hasher.finalize().into() })
}

/// Why a body broke off: its sender cut it, or what it sent does not agree with its signature or sum.
fn broken_body(error: &(dyn std::error::Error + Send + Sync + 'static)) -> S3Error {
    let text = error.to_string();
    let code = if text.to_ascii_lowercase().contains("mismatch") {
        S3ErrorCode::BadDigest
    } else {
        S3ErrorCode::IncompleteBody
    };
    S3Error::with_message(code, text)
}

impl Claim {
    /// Computes what was announced; CRC-64/NVME when nothing was, as S3 does.
    fn hasher(&self) -> ChecksumHasher {
        let wants = |sum: &Option<String>, name| sum.is_some() || self.algorithm.as_deref() == Some(name);
        let mut hasher = ChecksumHasher::default();
        if wants(&self.sums.crc32, "CRC32") {
            hasher.crc32 = Some(Default::default());
        }
        if wants(&self.sums.crc32c, "CRC32C") {
            hasher.crc32c = Some(Default::default());
        }
        if wants(&self.sums.sha1, "SHA1") {
            hasher.sha1 = Some(Default::default());
        }
        if wants(&self.sums.sha256, "SHA256") {
            hasher.sha256 = Some(Default::default());
        }
        let none =
            hasher.crc32.is_none() && hasher.crc32c.is_none() && hasher.sha1.is_none() && hasher.sha256.is_none();
        if none || wants(&self.sums.crc64nvme, "CRC64NVME") {
            hasher.crc64nvme = Some(Default::default());
        }
        hasher
    }

    fn verify(mut self, received: Received) -> S3Result<Received> {
        if self.length.is_some_and(|length| u64::try_from(length) != Ok(received.length)) {
            return Err(s3_error!(IncompleteBody, "the body does not have the announced length"));
        }
        if self.md5.as_ref().is_some_and(|md5| *md5 != STANDARD.encode(received.md5)) {
            return Err(s3_error!(BadDigest, "the body does not have the announced MD5"));
        }
        self.add_trailers();
        let (wanted, got) = (&self.sums, &received.sums);
        let pairs = [
            (&wanted.crc32, &got.crc32),
            (&wanted.crc32c, &got.crc32c),
            (&wanted.sha1, &got.sha1),
            (&wanted.sha256, &got.sha256),
            (&wanted.crc64nvme, &got.crc64nvme),
        ];
        if pairs.iter().any(|(wanted, got)| wanted.is_some() && wanted != got) {
            return Err(s3_error!(BadDigest, "the body does not have the announced checksum"));
        }
        Ok(received)
    }

    fn add_trailers(&mut self) {
        let Some(trailers) = self.trailers.take().and_then(|trailers| trailers.take()) else { return };
        let named = |name: &str| trailers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let sums = &mut self.sums;
        for (sum, name) in [
            (&mut sums.crc32, "x-amz-checksum-crc32"),
            (&mut sums.crc32c, "x-amz-checksum-crc32c"),
            (&mut sums.sha1, "x-amz-checksum-sha1"),
            (&mut sums.sha256, "x-amz-checksum-sha256"),
            (&mut sums.crc64nvme, "x-amz-checksum-crc64nvme"),
        ] {
            if let Some(value) = named(name) {
                *sum = Some(value);
            }
        }
    }
}
