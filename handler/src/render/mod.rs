//! Turns scenes into silent clips.
//!
//! In: a scene, the length of each of its beats in frames, and the film's settings. Out: a verified clip, and
//! the stage's report on it. It knows nothing of sound, and never stretches a clip afterwards.

mod card;
mod folder_limits;
mod program;
mod protocol;
mod stage;
mod verify;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use storyboard::{ManimScene, Scene};

use crate::config::ManimTex;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::assets::Assets;
pub use crate::job::events::ClipOrigin;
use crate::job::{Quality, status};
use crate::media::{Still, mp4};
use crate::store::{Cache, CacheKey, StoreError};

pub use card::Cards;
pub use program::{Caption, Chapter, Part, Performance, Picture, Play, Programs, Runners, Said, Say, Speaker};
pub use protocol::{Film, Finding, FindingKind, Wanted};
pub use stage::{Stage, StageError};

/// What would be reported of a line of the stage or of a program; for the fuzz targets.
pub(crate) fn user_visible(line: &[u8]) -> Vec<String> {
    [protocol::user_visible(line), program::user_visible(line)].concat()
}

/// Kinds of the cache's entries.
const CLIPS: &str = "clips";
const PROGRAMS: &str = "programs";
const LATEX_PROGRAMS: &str = "programs-latex";

/// A scene to render.
#[derive(Debug, Clone, Copy)]
pub struct SceneOrder<'a> {
    /// What is shown.
    pub scene: &'a Scene,
    /// What all scenes of the film share.
    pub film: &'a Film,
    /// The document's pictures.
    pub assets: &'a Assets,
    /// Size and frame rate.
    pub quality: Quality,
    /// Frames of each beat, in order, each at least 1.
    pub beats: &'a [u64],
    /// The versions of the tools that draw: other tools give other clips.
    pub tools: &'a str,
    /// The folder for its clip, which no child can write.
    pub clips: &'a Path,
}

/// What the stage reports of a clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipReport {
    /// Frames of each beat as drawn, in order.
    pub beats: Vec<u64>,
    /// What was measured on the laid-out scene; none when nothing was.
    pub audit: Option<status::Audit>,
    /// The same at the end of each beat; empty for what was not laid out here.
    #[serde(default)]
    pub beat_audits: Vec<status::Audit>,
    /// Its fullest picture in which nothing moves; none when that is not known.
    #[serde(default)]
    pub still: Option<Still>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// A scene's silent clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// The file.
    pub path: PathBuf,
    /// What the stage reports.
    pub report: ClipReport,
    /// How it came to be.
    pub origin: ClipOrigin,
}

impl Clip {
    /// Frames in all.
    pub fn frames(&self) -> u64 {
        self.report.beats.iter().sum()
    }
}

/// Where clips come from: the stage, and the cache of what it drew before.
#[derive(Debug, Clone)]
pub struct Renderer {
    /// The warm worker.
    pub stage: Stage,
    /// Manim programs in documents.
    pub programs: Programs,
    /// Replacements of scenes that can't be drawn.
    pub cards: Cards,
    /// Clips of earlier jobs.
    pub cache: Cache,
}

impl Renderer {
    /// The scene's clip from the cache. A failure of the cache counts as a miss; so does a clip that does not pass verification, which an
    /// older version of this program may have written.
    pub async fn cached(&self, order: SceneOrder<'_>, deadline: Deadline) -> Option<Clip> {
        let path = order.path();
        let report: ClipReport = self.fetch(CLIPS, order, deadline).await?;
        let checked = if report.beats == order.beats {
            verify::check(&path, order).await
        } else {
            Err(mp4::WrongClip::Form("its report belongs to another clip".to_owned()))
        };
        if let Err(error) = checked {
            tracing::warn!(scene = order.scene.id, %error, "the cached clip is not valid; the scene is drawn again");
            return None;
        }
        Some(Clip { path, report, origin: ClipOrigin::Cached })
    }

    /// Draws the scene's clip, and stores it in the cache.
    ///
    /// # Errors
    /// `render.…` when the scene could not be drawn by `deadline`.
    pub async fn clip(&self, order: SceneOrder<'_>, deadline: Deadline) -> Result<Clip, JobError> {
        let path = order.path();
        let report = self.draw(order, &path, deadline).await.map_err(|error| error.at(order.scene.place))?;
        self.store(CLIPS, order, &path, &report, deadline).await;
        Ok(Clip { path, report, origin: ClipOrigin::Drawn })
    }

    /// What stands beside the order's clip in the cache; the clip is then at its path. A failure of the cache counts as a miss.
    async fn fetch<T: DeserializeOwned>(&self, kind: &str, order: SceneOrder<'_>, deadline: Deadline) -> Option<T> {
        let (path, key) = (order.path(), order.key());
        let fetched = async {
            let Some(beside) = self.cache.fetch_json::<T>(kind, &key, deadline).await? else {
                return Ok(None);
            };
            Ok(self.cache.fetch_file(kind, &key, &path, deadline).await?.then_some(beside))
        };
        fetched.await.unwrap_or_else(|error: StoreError| {
            tracing::warn!(%error, "can't read the clip cache; the scene is drawn");
            None
        })
    }

    /// Stores the clip at `path` in the cache, and what stands beside it. A failure is only logged.
    async fn store<T: Serialize + Sync>(
        &self,
        kind: &str,
        order: SceneOrder<'_>,
        path: &Path,
        beside: &T,
        deadline: Deadline,
    ) {
        let key = order.key();
        let kept = async {
            // The clip first: a side-car without its clip would be a promise that can't be kept.
            self.cache.store_file(kind, &key, path, "video/mp4", deadline).await?;
            self.cache.store_json(kind, &key, beside, deadline).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "can't write the clip to the cache; it is used, but not cached");
        }
    }

    async fn draw(&self, order: SceneOrder<'_>, path: &Path, deadline: Deadline) -> Result<ClipReport, JobError> {
        let drawn = self.stage.draw(order, path, deadline).await;
        let report = drawn.map_err(|error| error.of_scene(&order.scene.id))?;
        if report.beats == order.beats {
            return Ok(report);
        }
        let differs = report.beats.iter().zip(order.beats).position(|(drawn, planned)| drawn != planned);
        let message = format!(
            "scene {}: the stage drew {} beats instead of the planned {}; they differ from number {} on",
            order.scene.id,
            report.beats.len(),
            order.beats.len(),
            differs.unwrap_or(report.beats.len().min(order.beats.len())) + 1
        );
        Err(JobError::new(Code::RenderWrongFrames, message))
    }
}

/// What an earlier run of a program has left in the cache beside its clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What is in the clip.
    pub performance: Performance,
    /// What was spoken for it, question by question: its length decided how long the program is.
    pub spoken: Vec<Spoken>,
}

/// Words that were spoken for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The words.
    pub text: String,
    /// Their sound's length.
    pub samples: usize,
    /// As in [`Say`].
    pub is_timed_by_program: bool,
}

impl Renderer {
    /// The kind of programs' clips, which differ by what sets their formulas.
    fn kept_programs(&self) -> &'static str {
        match self.programs.formulas {
            ManimTex::Native => PROGRAMS,
            ManimTex::Latex => LATEX_PROGRAMS,
        }
    }

    /// A program's clip from the cache, and what is in it. It is valid as long as its words take the same time.
    pub async fn recorded(&self, order: SceneOrder<'_>, deadline: Deadline) -> Option<(Recording, Clip)> {
        let path = order.path();
        let recording: Recording = self.fetch(self.kept_programs(), order, deadline).await?;
        let beats = recording.performance.frames();
        if let Err(error) = verify::check(&path, SceneOrder { beats: &beats, ..order }).await {
            tracing::warn!(scene = order.scene.id, %error, "the cached clip is not valid; the program is run again");
            return None;
        }
        let report = recording.performance.report();
        Some((recording, Clip { path, report, origin: ClipOrigin::Cached }))
    }

    /// Plays a program; its clip is not cached yet.
    ///
    /// # Errors
    /// `render.…` and `program.…` when there is no clip; `voice.exhausted` when the speaker has given up.
    pub async fn play(
        &self,
        order: SceneOrder<'_>,
        program: &ManimScene,
        words: &str,
        speaker: &mut dyn Speaker,
        (deadline, runners): (Deadline, &Runners),
    ) -> Result<(Performance, Clip), JobError> {
        let path = order.path();
        let play = Play { order, program, words, picture: Picture::Clip(&path) };
        let played = self.programs.run(play, speaker, deadline, runners).await;
        let performance = played.map_err(|error| error.of_scene(&order.scene.id).at(order.scene.place))?;
        let report = performance.report();
        Ok((performance, Clip { path, report, origin: ClipOrigin::Drawn }))
    }

    /// Stores a program's clip in the cache, also one that an error of the program broke off. One that ran out of time or memory is not
    /// kept: another try may come further.
    pub async fn keep(&self, order: SceneOrder<'_>, recording: &Recording, clip: &Clip, deadline: Deadline) {
        let broken_off = recording.performance.broken_off.as_ref().map(|(error, _)| error);
        if broken_off.is_some_and(|error| error.retryable || error.code == Code::RenderOutOfMemory) {
            return;
        }
        self.store(self.kept_programs(), order, &clip.path, recording, deadline).await;
    }
}

impl SceneOrder<'_> {
    /// Width and height of the picture in pixels.
    fn size(&self) -> (u32, u32) {
        self.quality.size(self.film.frame_shape)
    }

    fn path(&self) -> PathBuf {
        self.clips.join(format!("scene-{}.mp4", self.scene.id))
    }

    /// What its clip is kept under: it changes with all that is drawn, and not with the scene's place in the document.
    pub fn key(&self) -> CacheKey {
        let (width, height) = self.size();
        // Neither can fail to be written: they are plain data without maps.
        let scene = serde_json::to_vec(&self.scene.without_places()).unwrap_or_default();
        let film = serde_json::to_vec(self.film).unwrap_or_default();
        let mut key = CacheKey::of("clip, version 4").part("scene", scene).part("film", film).part("tools", self.tools);
        for number in [u64::from(width), u64::from(height), u64::from(self.quality.fps())].iter().chain(self.beats) {
            key = key.number("number", *number);
        }
        for (source, asset) in self.assets.of_scene(self.scene) {
            key = key.part("asset", source).part("sha256", &asset.sha256);
        }
        key.finish()
    }
}
