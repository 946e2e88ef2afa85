//! Results kept by what they were made from, so that nothing is made twice.
//!
//! An entry lies at `cache/<kind>/<hash>` and names the SHA-256 of its body in its metadata. What does not agree
//! with that is a miss, never an error: the entry is made and written again.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Store, StoreError};
use crate::deadline::{Cutoff, Deadline};

/// The metadata name under which an entry's SHA-256 lies.
const DIGEST: &str = "sha256";
/// The largest JSON entry, in bytes: a ledger of a long scene has some tens of kilobytes.
const MAX_JSON: u64 = 4 << 20;

/// A content address: the SHA-256 of labelled parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CacheKey(String);

impl CacheKey {
    /// Begins a key. `purpose` names what is made and in which version of its making, so that keys of different
    /// makings never meet.
    pub fn of(purpose: &str) -> CacheKeyBuilder {
        CacheKeyBuilder(Sha256::new()).part("purpose", purpose)
    }

    /// The address as 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CacheKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for CacheKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let well_formed = text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        well_formed.then(|| Self(text.to_owned())).ok_or_else(|| "a cache key is 64 hexadecimal digits".to_owned())
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Collects the parts of a [`CacheKey`]. Their order counts.
#[derive(Clone)]
pub struct CacheKeyBuilder(Sha256);

impl CacheKeyBuilder {
    /// Adds a part. Label and value go in with their lengths, so no two lists of parts run together to the same bytes.
    #[must_use]
    pub fn part(mut self, label: &str, value: impl AsRef<[u8]>) -> Self {
        for bytes in [label.as_bytes(), value.as_ref()] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, label: &str, value: u64) -> Self {
        self.part(label, value.to_le_bytes())
    }

    /// The finished key.
    pub fn finish(self) -> CacheKey {
        CacheKey(hex::encode(self.0.finalize()))
    }
}

/// The cache in a store's bucket.
#[derive(Debug, Clone)]
pub struct Cache {
    store: Store,
}

impl Cache {
    /// The cache in `store`'s bucket.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Writes the entry to `path` and says whether there was one. `path` appears only when the entry is sound.
    ///
    /// # Errors
    /// When the store can't be asked; a missing or damaged entry is `false`.
    pub async fn fetch_file(
        &self,
        kind: &str,
        key: &CacheKey,
        path: &Path,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let name = file_name(kind, key);
        let download = match self.store.download(&name, path, true, deadline).await {
            Ok(download) => download,
            Err(error) => return miss(&name, error).map(|()| false),
        };
        let digest = download.sha256.map(hex::encode);
        if digest.is_none() || download.head.metadata.get(DIGEST) != digest.as_ref() {
            tracing::warn!(entry = name, "damaged cache entry");
            return Ok(false);
        }
        download.file.persist(path).map_err(|error| StoreError::file(path, error.error))?;
        Ok(true)
    }

    /// Keeps the file at `path` as the entry.
    ///
    /// # Errors
    /// As for [`Store::put_file`].
    pub async fn store_file(
        &self,
        kind: &str,
        key: &CacheKey,
        path: &Path,
        content_type: &str,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let digest = digest(path, deadline).await.map_err(|error| StoreError::file(path, error))?;
        let metadata = HashMap::from([(DIGEST.to_owned(), digest)]);
        self.store.put_file_with(&file_name(kind, key), path, content_type, metadata, deadline).await.map(drop)
    }

    /// The entry's JSON side-car, if there is one that is sound and has this shape.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn fetch_json<T: DeserializeOwned>(
        &self,
        kind: &str,
        key: &CacheKey,
        deadline: Deadline,
    ) -> Result<Option<T>, StoreError> {
        let name = json_name(kind, key);
        let object = match self.store.get(&name, MAX_JSON, deadline).await {
            Ok(object) => object,
            Err(error) => return miss(&name, error).map(|()| None),
        };
        let sound = object.metadata.get(DIGEST) == Some(&hex::encode(Sha256::digest(&object.bytes)));
        let value = serde_json::from_slice(&object.bytes).ok().filter(|_| sound);
        if value.is_none() {
            tracing::warn!(entry = name, "damaged cache entry");
        }
        Ok(value)
    }

    /// Keeps `value` as the entry's JSON side-car.
    ///
    /// # Errors
    /// `store.refused` when `value` has no JSON form or one that is too large to be read back; else as for
    /// [`Store::put`].
    pub async fn store_json<T: Serialize>(
        &self,
        kind: &str,
        key: &CacheKey,
        value: &T,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let name = json_name(kind, key);
        let refused = |message| StoreError::Refused { key: name.clone(), status: 0, message };
        let bytes = serde_json::to_vec(value).map_err(|error| refused(error.to_string()))?;
        if bytes.len() as u64 > MAX_JSON {
            return Err(refused(format!("{} bytes of JSON, more than {MAX_JSON}", bytes.len())));
        }
        let metadata = HashMap::from([(DIGEST.to_owned(), hex::encode(Sha256::digest(&bytes)))]);
        self.store.put_with(&name, bytes.into(), "application/json", metadata, deadline).await.map(drop)
    }
}

/// Passes on what is no miss.
fn miss(name: &str, error: StoreError) -> Result<(), StoreError> {
    match error {
        StoreError::NotFound { .. } => Ok(()),
        StoreError::Damaged { .. } | StoreError::TooLarge { .. } => {
            tracing::warn!(entry = name, %error, "damaged cache entry");
            Ok(())
        }
        error => Err(error),
    }
}

fn file_name(kind: &str, key: &CacheKey) -> String {
    format!("cache/{kind}/{key}")
}

fn json_name(kind: &str, key: &CacheKey) -> String {
    format!("cache/{kind}/{key}.json")
}

/// SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// When the file can't be read, and when there is no time.
pub fn digest_of(path: &Path, cutoff: &Cutoff) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        cutoff.check()?;
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(sha256.finalize())),
            read => sha256.update(&buffer[..read]),
        }
    }
}

/// [`digest_of`], for those who may not wait for a disk.
///
/// # Errors
/// When the file can't be read, and when there is no time.
pub async fn digest(path: &Path, deadline: Deadline) -> std::io::Result<String> {
    let owned = path.to_owned();
    let digest = deadline.work(move |cutoff| digest_of(&owned, cutoff)).await;
    digest.map_err(std::io::Error::from).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let keys = [
            CacheKey::of("clip 1").part("ab", "c").finish(),
            CacheKey::of("clip 1").part("a", "bc").finish(),
            CacheKey::of("clip 1").part("", "abc").finish(),
            CacheKey::of("clip 1").part("a", "b").part("", "c").finish(),
            CacheKey::of("clip 2").part("ab", "c").finish(),
            CacheKey::of("clip 1").finish(),
        ];
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(keys[0], CacheKey::of("clip 1").part("ab", "c").finish());
        assert_eq!(keys[0].as_str().len(), 64);
    }
}
