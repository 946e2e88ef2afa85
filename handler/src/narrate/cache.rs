//! The cache of spoken text, shared by all jobs.
//!
//! An entry is a sound file and a side-car file with the times of its words. The side-car holds the sound's hash: two jobs may
//! write the same entry at the same time, and neither may ever read one's sound with the other's times.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::voice::{Recording, Voice, Word};
use crate::deadline::Deadline;
use crate::store::{Cache, CacheKey, StoreError};

/// Kind of the cache's entries.
const KIND: &str = "voices";
/// A store that needs longer is slower than calling the voice again.
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct SideCar {
    sound: String,
    words: Vec<Word>,
}

/// The key of normalised `text` in this voice; none when this voice is not cached.
pub(super) fn key(voice: &dyn Voice, language: &str, text: &str) -> Option<CacheKey> {
    let recipe = voice.recipe()?;
    let key = CacheKey::of("narration, version 1").part("voice", voice.name()).part("recipe", recipe);
    Some(key.part("language", language).part("text", text).finish())
}

/// Reads the entry of `key`; `path` is where its file is written meanwhile. A cache that fails counts as a miss.
pub(super) async fn fetch(cache: &Cache, key: &CacheKey, path: &Path, deadline: Deadline) -> Option<Recording> {
    let deadline = deadline.slice(LIMIT);
    let fetched = async {
        let Some(side_car) = cache.fetch_json::<SideCar>(KIND, key, deadline).await? else { return Ok(None) };
        Ok(cache.fetch_file(KIND, key, path, deadline).await?.then_some(side_car))
    };
    let side_car = fetched.await.unwrap_or_else(|error: StoreError| {
        tracing::warn!(%error, "can't read the voice cache; the voice is called instead");
        None
    })?;
    let bytes = Bytes::from(tokio::fs::read(path).await.ok()?);
    let _ = tokio::fs::remove_file(path).await;
    (hash(&bytes) == side_car.sound).then_some(Recording::File(bytes, side_car.words))
}

/// Writes a sound and its words' times as the entry of `key`; `path` is where its file is written meanwhile.
pub(super) async fn store(
    cache: &Cache,
    key: &CacheKey,
    bytes: &Bytes,
    words: &[Word],
    path: &Path,
    deadline: Deadline,
) {
    let deadline = deadline.slice(LIMIT);
    let side_car = SideCar { sound: hash(bytes), words: words.to_vec() };
    let stored = async {
        tokio::fs::write(path, bytes).await.map_err(|error| error.to_string())?;
        // The sound first: an entry is valid as soon as its side-car is there.
        let sound = cache.store_file(KIND, key, path, "application/octet-stream", deadline).await;
        sound.map_err(|error| error.to_string())?;
        cache.store_json(KIND, key, &side_car, deadline).await.map_err(|error| error.to_string())
    };
    if let Err(error) = stored.await {
        tracing::warn!(error, "can't write the sound to the voice cache; it is used, but not cached");
    }
    let _ = tokio::fs::remove_file(path).await;
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
