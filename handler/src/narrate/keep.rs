//! What was spoken once is kept, for all jobs.
//!
//! An entry is a sound file and a side-car with the times of its words. The side-car names the sound's hash: two jobs may
//! keep the same words at the same time, and neither may ever get the other's times.

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
/// A store that needs longer is slower than speaking again.
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct SideCar {
    sound: String,
    words: Vec<Word>,
}

/// The key of normalised `text` in this voice; none when it is not kept.
pub(super) fn key(voice: &dyn Voice, language: &str, text: &str) -> Option<CacheKey> {
    let recipe = voice.recipe()?;
    let key = CacheKey::of("narration, version 1").part("voice", voice.name()).part("recipe", recipe);
    Some(key.part("language", language).part("text", text).finish())
}

/// What is kept under `key`. `path` is for its file. A cache that fails is only a cache that misses.
pub(super) async fn fetch(cache: &Cache, key: &CacheKey, path: &Path, deadline: Deadline) -> Option<Recording> {
    let deadline = deadline.slice(LIMIT);
    let fetched = async {
        let Some(side_car) = cache.fetch_json::<SideCar>(KIND, key, deadline).await? else { return Ok(None) };
        Ok(cache.fetch_file(KIND, key, path, deadline).await?.then_some(side_car))
    };
    let side_car = fetched.await.unwrap_or_else(|error: StoreError| {
        tracing::warn!(%error, "the cache of voices could not be asked");
        None
    })?;
    let bytes = Bytes::from(tokio::fs::read(path).await.ok()?);
    let _ = tokio::fs::remove_file(path).await;
    (hash(&bytes) == side_car.sound).then_some(Recording::File(bytes, side_car.words))
}

/// Keeps a sound and its words' times under `key`. `path` is for its file.
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
    let kept = async {
        tokio::fs::write(path, bytes).await.map_err(|error| error.to_string())?;
        // The sound first: a side-car without its sound would be a promise that can't be kept.
        let sound = cache.store_file(KIND, key, path, "application/octet-stream", deadline).await;
        sound.map_err(|error| error.to_string())?;
        cache.store_json(KIND, key, &side_car, deadline).await.map_err(|error| error.to_string())
    };
    if let Err(error) = kept.await {
        tracing::warn!(error, "the sound could not be kept in the cache");
    }
    let _ = tokio::fs::remove_file(path).await;
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
