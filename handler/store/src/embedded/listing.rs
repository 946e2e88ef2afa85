//! Listing a bucket: prefix, delimiter, pages, in the order of the keys' bytes.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::{CommonPrefix, ETag, ListObjectsV2Input, ListObjectsV2Output, Object};
use s3s::{S3Result, s3_error};

use super::folder::{Folder, internal};
use super::keys;

/// S3's largest page.
const PAGE: i32 = 1000;

impl Folder {
    /// The keys of a bucket that begin with `prefix`, sorted.
    fn keys(&self, bucket: &str, prefix: &str) -> S3Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.require_bucket(bucket)?).map_err(internal)? {
            let entry = entry.map_err(internal)?;
            let name = entry.file_name();
            let key = match name.to_str().map(keys::key_of) {
                Some(Some(key)) => key,
                // Long keys stand in the file alone.
                Some(None) => match self.open_object(&entry.path())? {
                    Some((_, meta)) => meta.key,
                    None => continue,
                },
                None => continue,
            };
            // An earlier version of this program may have stored such a key, which would break the whole listing.
            if key.starts_with(prefix) && keys::is_listable(&key) {
                found.push(key);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    pub(super) fn list(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let prefix = input.prefix.clone().unwrap_or_default();
        let delimiter = input.delimiter.clone().filter(|delimiter| !delimiter.is_empty());
        let most = input.max_keys.unwrap_or(PAGE).clamp(0, PAGE);
        let after = match &input.continuation_token {
            Some(token) => After::read(token).ok_or_else(|| s3_error!(InvalidArgument, "not a token of this store"))?,
            None => After::Key(input.start_after.clone().unwrap_or_default()),
        };
        let (mut objects, mut groups) = (Vec::new(), Vec::<CommonPrefix>::new());
        let mut last = None;
        let mut truncated = false;
        for key in self.keys(&input.bucket, &prefix)? {
            if after.has(&key) || matches!(&last, Some(After::Group(group)) if key.starts_with(group)) {
                continue;
            }
            let group = delimiter.as_ref().and_then(|delimiter| {
                let end = key[prefix.len()..].find(delimiter.as_str())? + prefix.len() + delimiter.len();
                Some(key[..end].to_owned())
            });
            if objects.len() + groups.len() == usize::try_from(most).unwrap_or(0) {
                truncated = most > 0;
                break;
            }
            if let Some(group) = group {
                groups.push(CommonPrefix { prefix: Some(group.clone()) });
                last = Some(After::Group(group));
                continue;
            }
            // Removed since the names were read, or damaged: not there.
            let Ok((_, meta)) = self.get(&input.bucket, &key) else { continue };
            objects.push(Object {
                key: Some(key.clone()),
                size: i64::try_from(meta.length).ok(),
                last_modified: Some(meta.modified()),
                e_tag: Some(ETag::Strong(meta.etag)),
                ..Object::default()
            });
            last = Some(After::Key(key));
        }
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(objects.len() + groups.len()).ok(),
            max_keys: Some(most),
            is_truncated: Some(truncated),
            next_continuation_token: last.filter(|_| truncated).map(|last| last.token()),
            contents: Some(objects),
            common_prefixes: Some(groups),
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            start_after: input.start_after,
            continuation_token: input.continuation_token,
            ..ListObjectsV2Output::default()
        })
    }
}

/// Where a page begins: after a key, or after all keys of a group.
#[derive(Debug, PartialEq, Eq)]
enum After {
    Key(String),
    Group(String),
}

impl After {
    /// Whether `key` belongs to what was listed before.
    fn has(&self, key: &str) -> bool {
        match self {
            Self::Key(last) => !last.is_empty() && key <= last.as_str(),
            Self::Group(group) => key < group.as_str() || key.starts_with(group),
        }
    }

    fn token(&self) -> String {
        let (kind, text) = match self {
            Self::Key(key) => ('k', key),
            Self::Group(group) => ('g', group),
        };
        URL_SAFE_NO_PAD.encode(format!("{kind}{text}"))
    }

    fn read(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        if let Some(key) = text.strip_prefix('k') {
            return Some(Self::Key(key.to_owned()));
        }
        text.strip_prefix('g').map(|group| Self::Group(group.to_owned()))
    }
}
