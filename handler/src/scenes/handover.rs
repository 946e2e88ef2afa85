//! The handover: what the machines that make one film together need to know of it. It is stored in the cache under its hash,
//! and so is the sound of every narrated beat, since the length of a beat decides how many frames are drawn.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use storyboard::{Beat, Scene, Storyboard};

use super::recordings::Narrations;
use crate::assemble::ledger::beat_frames;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::assets::AssetBase;
use crate::job::Quality;
use crate::job::status::BeatVoice;
use crate::narrate::{Narration, Sound, Word};
use crate::plan::translations::Translation;
use crate::store::cache::digest;
use crate::store::{Cache, CacheKey};

/// Kinds of the cache's entries.
const HANDOVERS: &str = "handovers";
const BEATS: &str = "narrated-beats";
/// Beats that are fetched or stored at a time.
const AT_ONCE: usize = 8;

/// A planned film, with the narration as far as it is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handover {
    /// What the planner made.
    pub storyboard: Storyboard,
    /// Its captions in other languages.
    pub translations: Vec<Translation>,
    /// Size and frame rate of the film.
    pub quality: Quality,
    /// Where the files are that the document names.
    pub asset_base: AssetBase,
    /// One for each beat, and for what each Manim program asks for; none before the film is narrated.
    pub narrated: Vec<NarratedBeat>,
    /// What the author has recorded, as far as this machine has decoded it.
    #[serde(skip)]
    pub recorded: Narrations,
}

/// A spoken beat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NarratedBeat {
    beat: String,
    text: String,
    samples: usize,
    /// None for silence.
    sound: Option<CacheKey>,
    words: Vec<Word>,
    voice: Option<BeatVoice>,
    unspoken: Option<JobError>,
}

impl Handover {
    /// A film that was planned, and of which nothing is spoken yet.
    pub fn of(storyboard: Storyboard, translations: Vec<Translation>, quality: Quality, asset_base: AssetBase) -> Self {
        let (narrated, recorded) = (Vec::new(), Narrations::new());
        Self { storyboard, translations, quality, asset_base, narrated, recorded }
    }

    /// Reads the handover under `key`; `folder` is for its file.
    ///
    /// # Errors
    /// `store.not_found` when it is not there; else what the store says.
    pub async fn fetch(cache: &Cache, key: &CacheKey, folder: &Path, deadline: Deadline) -> Result<Self, JobError> {
        let path = folder.join("handover.json");
        let gone =
            || JobError::new(Code::StoreNotFound, "the handover between the film's tasks is no longer in the cache");
        if !cache.fetch_file(HANDOVERS, key, &path, deadline).await? {
            return Err(gone());
        }
        let bytes = tokio::fs::read(&path).await.map_err(|error| JobError::new(Code::StoreFile, error.to_string()))?;
        // Another version of this program may have written it.
        let handover: Self = serde_json::from_slice(&bytes).map_err(|_| gone())?;
        tracing::info!(
            scenes = handover.storyboard.scenes.len(),
            beats = handover.narrated.len(),
            "continuing from the handover of an earlier task"
        );
        Ok(handover)
    }

    /// Stores it in the cache, and gives its key; `folder` is for its file.
    ///
    /// # Errors
    /// `store.…`
    pub async fn save(&self, cache: &Cache, folder: &Path, deadline: Deadline) -> Result<CacheKey, JobError> {
        let path = folder.join("handover.json");
        let file = |error: std::io::Error| {
            JobError::new(Code::StoreFile, format!("the handover between the film's tasks can't be written: {error}"))
        };
        tokio::fs::write(&path, serde_json::to_vec(self).unwrap_or_default()).await.map_err(file)?;
        let sha256 = digest(&path, deadline).await.map_err(file)?;
        let key = CacheKey::of("handover, version 5").part("sha256", sha256).finish();
        cache.store_file(HANDOVERS, &key, &path, "application/json", deadline).await?;
        Ok(key)
    }

    /// Records the narration, in film order, and stores its sound in the cache.
    ///
    /// # Errors
    /// `store.…`
    pub(super) async fn record(
        &mut self,
        said: &[Vec<(Beat, Narration)>],
        cache: &Cache,
        deadline: Deadline,
    ) -> Result<(), JobError> {
        // Boxed: the compiler can't prove that the closures' futures are `Send`.
        let narrated = said.iter().flatten().map(|(beat, said)| {
            let saved: BoxFuture<'_, Result<NarratedBeat, JobError>> =
                Box::pin(NarratedBeat::save(beat, said, cache, deadline));
            saved
        });
        self.narrated = stream::iter(narrated.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        Ok(())
    }

    /// Samples and words of a beat as it was spoken with just this text; none when it was not.
    pub(super) fn spoken(&self, beat: &Beat) -> Option<(usize, Vec<Word>)> {
        let narrated = self.narrated.iter().find(|narrated| narrated.beat == beat.id);
        let narrated = narrated.filter(|narrated| narrated.text == beat.narration)?;
        Some((narrated.samples, narrated.words.clone()))
    }

    /// The narration, by beat and its text, with its sound under `folder`. A beat whose sound is gone is missing: it is to be spoken again.
    pub(super) async fn narrated(
        &self,
        cache: &Cache,
        folder: &Path,
        deadline: Deadline,
    ) -> HashMap<(&str, &str), Narration> {
        let narrated = self.narrated.iter().map(|beat| {
            let fetched: BoxFuture<'_, Option<((&str, &str), Narration)>> =
                Box::pin(beat.fetch(cache, folder, deadline));
            fetched
        });
        stream::iter(narrated.collect::<Vec<_>>()).buffered(AT_ONCE).filter_map(std::future::ready).collect().await
    }

    /// A scene with the times of what its words speak of.
    pub(super) fn timed<'a>(&self, scene: &'a Scene) -> Cow<'a, Scene> {
        let spoken = |beat: &Beat| {
            let narrated = self.narrated.iter().find(|narrated| narrated.beat == beat.id);
            narrated.map_or((0, &[][..]), |narrated| (narrated.samples, &*narrated.words))
        };
        super::cues::timed(scene, scene.beats.iter().map(spoken))
    }

    /// Frames of each beat of a scene; none before it is narrated.
    pub(super) fn frames(&self, scene: &Scene) -> Option<Vec<u64>> {
        let narrated = |beat: &Beat| self.narrated.iter().find(|narrated| narrated.beat == beat.id);
        let samples: Option<Vec<usize>> =
            scene.beats.iter().map(|beat| narrated(beat).map(|narrated| narrated.samples)).collect();
        Some(beat_frames(scene, samples?, self.quality.fps()))
    }
}

impl NarratedBeat {
    async fn save(beat: &Beat, said: &Narration, cache: &Cache, deadline: Deadline) -> Result<Self, JobError> {
        let mut narrated = Self {
            beat: beat.id.clone(),
            text: beat.narration.clone(),
            samples: said.sound.samples(),
            sound: None,
            words: said.words.clone(),
            voice: said.voice.clone(),
            unspoken: said.unspoken.clone(),
        };
        if let Some(path) = said.sound.path() {
            let sha256 = digest(path, deadline).await.map_err(|error| {
                JobError::new(Code::StoreFile, format!("the sound of beat {} can't be read: {error}", beat.id))
            })?;
            let key = CacheKey::of("take, version 2").part("sha256", sha256).finish();
            cache.store_file(BEATS, &key, path, "application/octet-stream", deadline).await?;
            narrated.sound = Some(key);
        }
        Ok(narrated)
    }

    async fn fetch(&self, cache: &Cache, folder: &Path, deadline: Deadline) -> Option<((&str, &str), Narration)> {
        let path = folder.join(format!("{}.narrated.s16le", self.beat));
        if let Some(key) = &self.sound
            && !cache.fetch_file(BEATS, key, &path, deadline).await.unwrap_or_default()
        {
            tracing::warn!(
                beat = self.beat,
                "the sound of the beat is no longer in the cache; the beat is spoken again"
            );
            return None;
        }
        let sound = Sound::at(self.sound.as_ref().map(|_| path), self.samples);
        let narration = Narration::restored(sound, self.words.clone(), self.voice.clone(), self.unspoken.clone());
        Some(((&self.beat, &self.text), narration))
    }
}
