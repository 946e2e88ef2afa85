//! What is said to the stage and what it answers: one JSON document a line, over a Unix socket.
//! `layers/manim/stage` holds the other end.

use std::collections::BTreeMap;
use std::path::Path;

use planner_wasm::storyboard::Scene;
use serde::{Deserialize, Serialize};

use super::{ClipReport, SceneOrder};
use crate::child;
use crate::job::status::Audit;

/// What all scenes of a film share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Film {
    /// The film's title.
    pub title: String,
    /// `dark` or `light`.
    pub theme: String,
    /// BCP 47.
    pub language: String,
}

/// A line to the stage.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Request<'a> {
    /// Draw a scene in a forked child.
    Render {
        id: &'a str,
        scene: &'a Scene,
        film: &'a Film,
        width: u32,
        height: u32,
        fps: u32,
        beats: Vec<BeatFrames>,
        out: &'a Path,
        assets: BTreeMap<&'a str, &'a Path>,
        timeout_s: f64,
        /// Of its own, used or not.
        memory_bytes: u64,
    },
    /// End that child.
    Cancel { id: &'a str },
    /// End all children, and leave.
    Quit,
}

/// Length of a beat.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct BeatFrames {
    pub frames: u64,
}

/// A line from the stage.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Reply {
    /// Manim is imported.
    Ready { manim: String, import_s: f64 },
    /// The child runs.
    Started { id: String },
    /// Frames drawn so far.
    Frames { id: String, frames: u64 },
    /// The clip is there.
    Done {
        id: String,
        beats: Vec<BeatFrames>,
        audit: Audit,
        #[serde(default)]
        beat_audits: Vec<Audit>,
        #[serde(default)]
        warnings: Vec<String>,
        #[serde(default)]
        render_s: f64,
    },
    /// There is no clip.
    Failed {
        id: String,
        kind: FailedKind,
        #[serde(default)]
        message: String,
        #[serde(default)]
        trace: String,
    },
    /// A request was not understood.
    Refused { message: String },
}

/// How a scene's child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailedKind {
    Error,
    Crashed,
    TimedOut,
    Cancelled,
    /// It needed more memory than it may have.
    Memory,
}

/// The most memory for one scene, in bytes: at 4k it takes 3 GB of address space.
const SCENE: u64 = 8 << 30;

/// Bytes of memory that the process of one scene may have: half of the machine's, and at most [`SCENE`].
fn scene_memory() -> u64 {
    (child::share_of_memory() / 3 * 2).min(SCENE)
}

/// Whether the last words of a process say that it got no more memory: those of Rust, of C++ and of Python.
pub(super) fn ran_out(words: &str) -> bool {
    ["memory allocation of", "std::bad_alloc", "MemoryError"].iter().any(|sign| words.contains(sign))
}

impl Request<'_> {
    /// As a line, newline included.
    pub(super) fn line(&self) -> Vec<u8> {
        // Plain data without maps: it can't fail to be written.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

impl<'a> SceneOrder<'a> {
    pub(super) fn request(&self, id: &'a str, out: &'a Path, timeout_s: f64) -> Request<'a> {
        let (width, height) = self.quality.size();
        let beats = self.beats.iter().map(|&frames| BeatFrames { frames }).collect();
        let (scene, film, fps) = (self.scene, self.film, self.quality.fps());
        let assets = self.assets.of_scene(scene).into_iter().map(|(source, asset)| (source, &*asset.path)).collect();
        Request::Render { id, scene, film, width, height, fps, beats, out, assets, timeout_s, memory_bytes: scene_memory() }
    }
}

impl Reply {
    /// The order it is about.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Started { id } | Self::Frames { id, .. } | Self::Done { id, .. } | Self::Failed { id, .. } => {
                Some(id)
            }
            Self::Ready { .. } | Self::Refused { .. } => None,
        }
    }
}

pub(super) fn report(
    beats: Vec<BeatFrames>,
    audit: Audit,
    beat_audits: Vec<Audit>,
    warnings: Vec<String>,
) -> ClipReport {
    ClipReport { beats: beats.into_iter().map(|beat| beat.frames).collect(), audit, beat_audits, warnings }
}
