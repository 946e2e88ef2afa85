//! The call sheet: what the machines that make one film together have to know of it. It is kept in the cache by its content,
//! and so is every take of the narration, since the length of a beat decides what is drawn.

use std::collections::HashMap;
use std::path::Path;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use storyboard::{Beat, Scene, Storyboard};

use crate::assemble::Translation;
use crate::assemble::ledger::beat_frames;
use crate::assets::Beside;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::Quality;
use crate::job::status::BeatVoice;
use crate::narrate::{Narration, Sound, Word};
use crate::store::cache::digest;
use crate::store::{Cache, CacheKey};

/// Kinds of the cache's entries.
const SHEETS: &str = "call-sheets";
const TAKES: &str = "takes";
/// Takes that are fetched or kept at a time.
const AT_ONCE: usize = 8;

/// A film as planned, and what has been spoken of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallSheet {
    /// What the planner made.
    pub storyboard: Storyboard,
    /// What is said in it, in other languages.
    pub translations: Vec<Translation>,
    /// Size and frame rate of the film.
    pub quality: Quality,
    /// Where the document's files are.
    pub beside: Beside,
    /// One for each beat, in film order; none before the film is narrated.
    pub takes: Vec<Take>,
}

/// A beat as it was spoken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Take {
    beat: String,
    samples: usize,
    /// None for silence.
    sound: Option<CacheKey>,
    words: Vec<Word>,
    voice: Option<BeatVoice>,
    unspoken: Option<JobError>,
}

impl CallSheet {
    /// The sheet that is kept under `key`; `folder` is for its file.
    ///
    /// # Errors
    /// `store.not_found` when it is not there; else what the store says.
    pub async fn fetch(cache: &Cache, key: &CacheKey, folder: &Path, deadline: Deadline) -> Result<Self, JobError> {
        let path = folder.join("call-sheet.json");
        let gone = || JobError::new(Code::StoreNotFound, "the film's call sheet is not in the cache any more");
        if !cache.fetch_file(SHEETS, key, &path, deadline).await? {
            return Err(gone());
        }
        let bytes = tokio::fs::read(&path).await.map_err(|error| JobError::new(Code::StoreFile, error.to_string()))?;
        // Another version of this program may have written it.
        let sheet: Self = serde_json::from_slice(&bytes).map_err(|_| gone())?;
        tracing::info!(scenes = sheet.storyboard.scenes.len(), takes = sheet.takes.len(), "goes on");
        Ok(sheet)
    }

    /// Keeps it, and gives its key; `folder` is for its file.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keep(&self, cache: &Cache, folder: &Path, deadline: Deadline) -> Result<CacheKey, JobError> {
        let path = folder.join("call-sheet.json");
        let file = |error: std::io::Error| JobError::new(Code::StoreFile, format!("the call sheet: {error}"));
        tokio::fs::write(&path, serde_json::to_vec(self).unwrap_or_default()).await.map_err(file)?;
        let sha256 = digest(&path, deadline).await.map_err(file)?;
        let key = CacheKey::of("call sheet, version 3").part("sha256", sha256).finish();
        cache.store_file(SHEETS, &key, &path, "application/json", deadline).await?;
        Ok(key)
    }

    /// Puts what was spoken on the sheet, scene by scene, and its sound into the cache.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn take(
        &mut self,
        said: &[Vec<Narration>],
        cache: &Cache,
        deadline: Deadline,
    ) -> Result<(), JobError> {
        let beats = self.storyboard.scenes.iter().flat_map(|scene| &scene.beats);
        // In boxes, as the compiler can't prove of closures that they are `Send`.
        let takes = beats.zip(said.iter().flatten()).map(|(beat, said)| {
            let take: BoxFuture<'_, Result<Take, JobError>> = Box::pin(Take::keep(beat, said, cache, deadline));
            take
        });
        self.takes = stream::iter(takes.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        Ok(())
    }

    /// What was spoken, by beat, with its sound under `folder`. A take that can't be had has to be spoken again.
    pub(super) async fn takes(&self, cache: &Cache, folder: &Path, deadline: Deadline) -> HashMap<&str, Narration> {
        let takes = self.takes.iter().map(|take| {
            let take: BoxFuture<'_, Option<(&str, Narration)>> = Box::pin(take.fetch(cache, folder, deadline));
            take
        });
        stream::iter(takes.collect::<Vec<_>>()).buffered(AT_ONCE).filter_map(std::future::ready).collect().await
    }

    /// Frames of each beat of a scene; none before it is narrated.
    pub(super) fn frames(&self, scene: &Scene) -> Option<Vec<u64>> {
        let take = |beat: &Beat| self.takes.iter().find(|take| take.beat == beat.id);
        let frames = |beat: &Beat| Some(beat_frames(beat, take(beat)?.samples, self.quality.fps()));
        scene.beats.iter().map(frames).collect()
    }
}

impl Take {
    async fn keep(beat: &Beat, said: &Narration, cache: &Cache, deadline: Deadline) -> Result<Self, JobError> {
        let mut take = Self {
            beat: beat.id.clone(),
            samples: said.sound.samples(),
            sound: None,
            words: said.words.clone(),
            voice: said.voice.clone(),
            unspoken: said.unspoken.clone(),
        };
        if let Some(path) = said.sound.path() {
            let sha256 = digest(path, deadline)
                .await
                .map_err(|error| JobError::new(Code::StoreFile, format!("the sound of beat {}: {error}", beat.id)))?;
            let key = CacheKey::of("take, version 2").part("sha256", sha256).finish();
            cache.store_file(TAKES, &key, path, "application/octet-stream", deadline).await?;
            take.sound = Some(key);
        }
        Ok(take)
    }

    async fn fetch(&self, cache: &Cache, folder: &Path, deadline: Deadline) -> Option<(&str, Narration)> {
        let path = folder.join(format!("{}.take.s16le", self.beat));
        if let Some(key) = &self.sound
            && !cache.fetch_file(TAKES, key, &path, deadline).await.unwrap_or_default()
        {
            tracing::warn!(beat = self.beat, "the take is not in the cache any more");
            return None;
        }
        let sound = Sound::at(self.sound.as_ref().map(|_| path), self.samples);
        let narration = Narration::kept(sound, self.words.clone(), self.voice.clone(), self.unspoken.clone());
        Some((&self.beat, narration))
    }
}
