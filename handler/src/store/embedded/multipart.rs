//! Multipart uploads: parts lie sealed in a folder of their own until they are joined.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::{CompletedPart, ETag, Metadata, Part};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::folder::{Folder, Precondition, internal};
use super::receive::Received;
use super::sealed::{self, Seal};

/// S3's smallest part, the last excepted.
const SMALLEST_PART: u64 = 5 << 20;
/// S3's part numbers.
const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

/// What an upload becomes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Option<Metadata>,
}

impl Folder {
    pub(super) fn begin_upload(&self, upload: &Upload) -> S3Result<String> {
        self.require_bucket(&upload.bucket)?;
        let id = super::secret(16).map_err(internal)?;
        let folder = self.uploads().join(&id);
        fs::create_dir(&folder).map_err(internal)?;
        let json = serde_json::to_vec(upload).map_err(|error| internal(error.into()))?;
        fs::write(folder.join("upload.json"), json).map_err(internal)?;
        Ok(id)
    }

    /// The folder of an upload, if it is one of this bucket and key.
    pub(super) fn upload(&self, id: &str, bucket: &str, key: &str) -> S3Result<(PathBuf, Upload)> {
        // The id becomes a file name: only ours are looked up.
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(s3_error!(NoSuchUpload));
        }
        let folder = self.uploads().join(id);
        let json = fs::read(folder.join("upload.json")).map_err(|_| s3_error!(NoSuchUpload))?;
        let upload: Upload = serde_json::from_slice(&json).map_err(|_| s3_error!(NoSuchUpload))?;
        if upload.bucket != bucket || upload.key != key {
            return Err(s3_error!(NoSuchUpload));
        }
        Ok((folder, upload))
    }

    pub(super) fn add_part(&self, folder: PathBuf, number: i32, mut received: Received) -> S3Result<Seal> {
        if !PART_NUMBERS.contains(&number) {
            return Err(s3_error!(InvalidArgument, "part numbers go from 1 to 10000"));
        }
        let seal = Seal {
            length: received.length,
            etag: hex::encode(&received.md5),
            modified: Seal::now(),
            sums: received.sums,
            ..Seal::default()
        };
        sealed::close(&mut received.file, &seal).map_err(internal)?;
        // Fails when the upload was ended meanwhile: its folder is gone.
        received.file.persist(part_path(&folder, number)).map_err(|_| s3_error!(NoSuchUpload))?;
        Ok(seal)
    }

    pub(super) fn parts(&self, folder: &std::path::Path) -> S3Result<Vec<Part>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(folder).map_err(|_| s3_error!(NoSuchUpload))? {
            let path = entry.map_err(internal)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(number) = name.strip_prefix("part-").and_then(|number| number.parse().ok()) else { continue };
            let Some((_, seal)) = self.open_object(&path)? else { continue };
            parts.push(Part {
                part_number: Some(number),
                size: i64::try_from(seal.length).ok(),
                last_modified: Some(seal.modified()),
                e_tag: Some(ETag::Strong(seal.etag)),
                ..Part::default()
            });
        }
        parts.sort_unstable_by_key(|part| part.part_number);
        Ok(parts)
    }

    /// Joins the named parts to the object and ends the upload.
    pub(super) fn complete_upload(
        &self,
        folder: PathBuf,
        upload: Upload,
        named: &[CompletedPart],
        condition: &Precondition,
    ) -> S3Result<Seal> {
        if named.is_empty() {
            return Err(s3_error!(MalformedXML, "no parts are named"));
        }
        let mut file = self.temporary().map_err(internal)?;
        let mut sums = ChecksumHasher { crc64nvme: Some(Default::default()), ..ChecksumHasher::default() };
        let (mut tags, mut length, mut before) = (Md5::new(), 0, 0);
        let mut buffer = vec![0; 1 << 18];
        for (index, part) in named.iter().enumerate() {
            let number = part.part_number.unwrap_or(0);
            if number <= before {
                return Err(s3_error!(InvalidPartOrder));
            }
            before = number;
            let found = self.open_object(&part_path(&folder, number))?;
            let (mut body, seal) = found.ok_or_else(|| s3_error!(InvalidPart, "a named part was not uploaded"))?;
            if part.e_tag.as_ref().is_some_and(|tag| tag.value() != seal.etag) {
                return Err(s3_error!(InvalidPart, "a part has another entity tag"));
            }
            if index + 1 < named.len() && seal.length < SMALLEST_PART {
                return Err(s3_error!(EntityTooSmall));
            }
            let mut md5 = Md5::new();
            let mut left = seal.length;
            while left > 0 {
                let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let read = body.read(&mut buffer[..most]).map_err(internal)?;
                if read == 0 {
                    return Err(s3_error!(InvalidPart, "a part is damaged"));
                }
                let piece = &buffer[..read];
                md5.update(piece);
                sums.update(piece);
                file.write_all(piece).map_err(internal)?;
                left -= read as u64;
            }
            let md5 = md5.finalize();
            if hex::encode(&md5) != seal.etag {
                return Err(s3_error!(InvalidPart, "a part is damaged"));
            }
            tags.update(md5);
            length += seal.length;
        }
        let seal = Seal {
            key: upload.key.clone(),
            length,
            etag: format!("{}-{}", hex::encode(tags.finalize()), named.len()),
            modified: Seal::now(),
            content_type: upload.content_type,
            metadata: upload.metadata,
            sums: sums.finalize().into(),
        };
        sealed::close(&mut file, &seal).map_err(internal)?;
        self.commit(&upload.bucket, &upload.key, file, condition)?;
        // The object is there; a folder that can't be removed is only waste.
        let _ = fs::remove_dir_all(folder);
        Ok(seal)
    }

    pub(super) fn abort_upload(&self, folder: PathBuf) -> S3Result<()> {
        fs::remove_dir_all(folder).map_err(internal)
    }

    /// Identifier and upload of every open upload of a bucket.
    pub(super) fn open_uploads(&self, bucket: &str) -> S3Result<Vec<(String, Upload)>> {
        let mut open = Vec::new();
        for entry in fs::read_dir(self.uploads()).map_err(internal)? {
            let entry = entry.map_err(internal)?;
            let Ok(json) = fs::read(entry.path().join("upload.json")) else { continue }; // ended meanwhile
            let Ok(upload) = serde_json::from_slice::<Upload>(&json) else { continue };
            if let (true, Some(id)) = (upload.bucket == bucket, entry.file_name().to_str()) {
                open.push((id.to_owned(), upload));
            }
        }
        open.sort_unstable_by(|a, b| (&a.1.key, &a.0).cmp(&(&b.1.key, &b.0)));
        Ok(open)
    }
}

fn part_path(folder: &std::path::Path, number: i32) -> PathBuf {
    folder.join(format!("part-{number:05}"))
}
