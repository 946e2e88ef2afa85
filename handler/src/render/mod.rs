//! Scenes become silent clips.
//!
//! In: a scene, the length of each of its beats in frames, and the film's settings. Out: a clip that was counted before it
//! was believed, and what the stage reports of it. It never hears a sound, and never stretches a clip afterwards.

mod bounds;
mod card;
pub mod mp4;
mod protocol;
mod raw;
mod stage;
mod verify;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use storyboard::{Scene, SceneKind};

use crate::assets::Assets;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::{Quality, status};
use crate::store::{Cache, CacheKey};

pub use card::Cards;
pub use protocol::Film;
pub use raw::Raw;
pub use stage::{Stage, StageError};
pub use verify::{Prober, promise};

/// What would be told of a line of the stage or of a program; for the fuzz targets.
pub(crate) fn told(line: &[u8]) -> Vec<String> {
    protocol::told(line)
}

/// Kind of the cache's entries.
const CLIPS: &str = "clips";

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
    /// Which tools draw: clips of other tools are other clips.
    pub tools: &'a str,
    /// Where its clip shall lie: a folder that no child can write.
    pub clips: &'a Path,
}

/// What the stage reports of a clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipReport {
    /// Frames of each beat as drawn, in order.
    pub beats: Vec<u64>,
    /// What was measured on the laid-out scene.
    pub audit: status::Audit,
    /// The same at the end of each beat; empty for what was not laid out here.
    #[serde(default)]
    pub beat_audits: Vec<status::Audit>,
    /// What could not be honoured.
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
    pub made: Made,
}

/// How a clip came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The stage drew it now.
    Drawn,
    /// It was drawn earlier, by this job or another.
    Cached,
    /// It is a still card.
    Card,
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
    /// Somebody's own Manim programs.
    pub raw: Raw,
    /// What stands in for a scene that can't be drawn.
    pub cards: Cards,
    /// Clips of earlier jobs.
    pub cache: Cache,
}

impl Renderer {
    /// The scene's clip as it was drawn earlier. A cache that fails is only a cache that misses, and so is one whose clip is not as
    /// promised: an older version of this program may have written it.
    pub async fn kept(&self, order: SceneOrder<'_>, deadline: Deadline) -> Option<Clip> {
        let (path, key) = (order.path(), order.key());
        let fetched = async {
            let Some(report) = self.cache.fetch_json::<ClipReport>(CLIPS, &key, deadline).await? else {
                return Ok(None);
            };
            Ok(self.cache.fetch_file(CLIPS, &key, &path, deadline).await?.then_some(report))
        };
        let report = fetched.await.unwrap_or_else(|error: crate::store::StoreError| {
            tracing::warn!(%error, "the cache could not be asked");
            None
        })?;
        let checked = if report.beats == order.beats {
            verify::look(&path, order).await
        } else {
            Err(mp4::WrongClip::Form("its report is another clip's".to_owned()))
        };
        if let Err(error) = checked {
            tracing::warn!(scene = order.scene.id, %error, "the clip in the cache is drawn again");
            return None;
        }
        Some(Clip { path, report, made: Made::Cached })
    }

    /// Draws the scene's clip, and keeps it for other jobs.
    ///
    /// # Errors
    /// `render.…`: what kept the scene from being drawn by `deadline`.
    pub async fn clip(&self, order: SceneOrder<'_>, deadline: Deadline) -> Result<Clip, JobError> {
        let (path, key) = (order.path(), order.key());
        let report = self.draw(order, &path, deadline).await.map_err(|error| error.at(order.scene.place))?;
        let kept = async {
            // The clip first: a side-car without its clip would be a promise that can't be kept.
            self.cache.store_file(CLIPS, &key, &path, "video/mp4", deadline).await?;
            self.cache.store_json(CLIPS, &key, &report, deadline).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "the clip could not be kept in the cache");
        }
        Ok(Clip { path, report, made: Made::Drawn })
    }

    async fn draw(&self, order: SceneOrder<'_>, path: &Path, deadline: Deadline) -> Result<ClipReport, JobError> {
        let drawn = match &order.scene.kind {
            SceneKind::Manim(program) => self.raw.draw(order, program, path, deadline).await,
            _ => self.stage.draw(order, path, deadline).await,
        };
        let report = drawn.map_err(|error| error.of_scene(&order.scene.id))?;
        if report.beats == order.beats {
            return Ok(report);
        }
        let differs = report.beats.iter().zip(order.beats).position(|(drawn, planned)| drawn != planned);
        let message = format!(
            "scene {}: the stage drew {} beats, not {} as planned; the first that differs is number {}",
            order.scene.id,
            report.beats.len(),
            order.beats.len(),
            differs.unwrap_or(report.beats.len().min(order.beats.len())) + 1
        );
        Err(JobError::new(Code::RenderWrongFrames, message))
    }
}

impl SceneOrder<'_> {
    fn path(&self) -> PathBuf {
        self.clips.join(format!("scene-{}.mp4", self.scene.id))
    }

    fn key(&self) -> CacheKey {
        let (width, height) = self.quality.size();
        // Neither can fail to be written: they are plain data without maps.
        let scene = serde_json::to_vec(self.scene).unwrap_or_default();
        let film = serde_json::to_vec(self.film).unwrap_or_default();
        let mut key = CacheKey::of("clip, version 2").part("scene", scene).part("film", film).part("tools", self.tools);
        for number in [u64::from(width), u64::from(height), u64::from(self.quality.fps())].iter().chain(self.beats) {
            key = key.number("number", *number);
        }
        for (source, asset) in self.assets.of_scene(self.scene) {
            key = key.part("asset", source).part("sha256", &asset.sha256);
        }
        key.finish()
    }
}
