//! The protocol of the stage: one JSON document a line, over a Unix socket. `layers/manim/stage` implements the other end.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use storyboard::{Colours, FrameShape, Scene, Storyboard, Theme};

use super::{ClipReport, SceneOrder};
use crate::child;
use crate::job::status::Audit;
use crate::media::Still;
use crate::untrusted_text::plain;
use crate::worker::{self, Addressee};

/// What all scenes of a film share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Film {
    /// The film's title.
    pub title: String,
    /// `dark` or `light`.
    pub theme: Theme,
    /// Colours of the author's own in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colours: Option<Colours>,
    /// The picture in a corner of each scene, as the document names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// BCP 47.
    pub language: String,
    /// The shape of the picture; 16 to 9 when none. The stage is told a size instead.
    #[serde(skip)]
    pub frame_shape: Option<FrameShape>,
}

impl Film {
    /// Of a storyboard.
    pub fn of(storyboard: &Storyboard) -> Self {
        let Storyboard { title, theme, colours, logo, language, frame_shape, .. } = storyboard;
        let (title, language, colours, logo) = (title.clone(), language.clone(), colours.clone(), logo.clone());
        Self { title, theme: *theme, colours, logo, language, frame_shape: *frame_shape }
    }
}

/// A request to the stage.
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
        /// Frames that are wanted as pictures, instead of a clip.
        #[serde(skip_serializing_if = "Option::is_none")]
        stills: Option<&'a [u64]>,
    },
    /// End that scene's child.
    Cancel { id: &'a str },
    /// End all children, and exit.
    Quit,
}

/// Length of a beat.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct BeatFrames {
    pub frames: u64,
}

/// How a scene uses its screen.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ScreenUse {
    /// For each beat the part of the room beside the heading that its last picture takes; none for an empty one.
    #[serde(default)]
    used: Vec<Option<f64>>,
    /// Longest time without a change while words are spoken, in seconds.
    #[serde(default)]
    still_s: Option<f64>,
}

impl ScreenUse {
    /// The same among what was measured on the scene.
    fn noted(&self, mut audit: Audit) -> Audit {
        // A float that is no number, or out of range, becomes the nearest whole number that is.
        audit.still_ms = self.still_s.map(|seconds| (seconds * 1000.0).round() as u32);
        let fullest = self.used.iter().flatten().copied().reduce(f64::max);
        audit.used_percent = fullest.map(|part| (part.clamp(0.0, 1.0) * 100.0).round() as u32);
        audit
    }
}

/// A reply of the stage.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Reply {
    /// Manim is imported.
    Ready { manim: String, import_s: f64 },
    /// The child runs.
    Started { id: String },
    /// Frames drawn so far.
    Frames { id: String, frames: u64 },
    /// The clip is finished.
    Done {
        id: String,
        beats: Vec<BeatFrames>,
        audit: Audit,
        #[serde(default)]
        beat_audits: Vec<Audit>,
        #[serde(default, rename = "use")]
        used: Option<ScreenUse>,
        #[serde(default)]
        still: Option<Still>,
        #[serde(default)]
        findings: Vec<Finding>,
        #[serde(default)]
        warnings: Vec<String>,
        #[serde(default)]
        render_s: f64,
    },
    /// The scene failed.
    Failed {
        id: String,
        kind: FailedKind,
        #[serde(default)]
        message: String,
        #[serde(default)]
        trace: String,
    },
    /// A request could not be parsed.
    Refused { message: String },
}

/// One thing that the audit counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The ids of the elements that it is about; the heading has none.
    #[serde(default)]
    pub elements: Vec<String>,
    /// The stage's own words; none where the kind says all.
    pub message: Option<String>,
    /// Of a text that goes too soon: seconds that it stands.
    pub seconds: Option<f64>,
    /// And those that reading it takes.
    pub needed: Option<f64>,
}

/// What the audit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Two elements cover each other.
    Overlap,
    /// Something leaves the frame.
    Outside,
    /// A text is under the legible floor.
    TooSmall,
    /// A text is gone before it can be read.
    TooShort,
    /// Words hardly stand out from their ground.
    LowContrast,
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

/// Whether the last output of a process says that it ran out of memory, as Rust, C++ and Python word it.
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
    /// What is asked for: a clip, or the stills of so many frames a second.
    pub(super) fn request(
        &self,
        id: &'a str,
        out: &'a Path,
        timeout_s: f64,
        stills: Option<Wanted<'a>>,
    ) -> Request<'a> {
        let (width, height) = self.size();
        let beats = self.beats.iter().map(|&frames| BeatFrames { frames }).collect();
        let (scene, film, fps) = (self.scene, self.film, stills.map_or(self.quality.fps(), |wanted| wanted.fps));
        let stills = stills.map(|wanted| wanted.frames);
        let assets = self.assets.of_scene(scene).into_iter().map(|(source, asset)| (source, &*asset.path)).collect();
        Request::Render {
            id,
            scene,
            film,
            width,
            height,
            fps,
            beats,
            out,
            assets,
            timeout_s,
            memory_bytes: scene_memory(),
            stills,
        }
    }
}

/// Frames of a scene that are wanted as pictures.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Frames per second in which the order's beats are counted: what is on the screen at a beat's end does not depend on how smooth the
    /// way there was.
    pub fps: u32,
    /// Their numbers, ascending, from 0.
    pub frames: &'a [u64],
}

impl worker::Reply for Reply {
    fn addressee(&self) -> Addressee<'_> {
        match self {
            Self::Started { id } | Self::Frames { id, .. } | Self::Done { id, .. } | Self::Failed { id, .. } => {
                Addressee::Request(id)
            }
            Self::Ready { manim, import_s } => Addressee::Ready(format!("Manim {manim}, imported in {import_s} s")),
            Self::Refused { message } => Addressee::Refused(message),
        }
    }

    fn settles(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed { .. })
    }
}

/// The stage's report, within bounds; audits whose number does not match the beats are dropped.
pub(super) fn report(
    beats: Vec<BeatFrames>,
    audit: Audit,
    mut beat_audits: Vec<Audit>,
    used: Option<ScreenUse>,
    still: Option<Still>,
    warnings: Vec<String>,
) -> ClipReport {
    let audit = used.map_or(audit, |used| used.noted(audit));
    beat_audits.truncate(beats.len());
    let beats: Vec<u64> = beats.into_iter().map(|beat| beat.frames).collect();
    let still = still.and_then(|still| still.within(beats.iter().sum()));
    ClipReport { beats, audit: Some(audit), beat_audits, still, warnings: bounded(warnings, WARNINGS) }
}

/// The findings, within bounds.
pub(super) fn findings(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.truncate(FINDINGS);
    for finding in &mut findings {
        for words in finding.elements.iter_mut().chain(&mut finding.message) {
            *words = plain(words, WARNING);
        }
    }
    findings
}

/// Most findings of one scene that are told one by one.
const FINDINGS: usize = 500;
/// Most warnings of one scene: the stage has one for an element at the most.
const WARNINGS: usize = 200;
/// Characters of one of them.
pub(super) const WARNING: usize = 500;
/// Characters of an error's message, as `chalkreel_stage/program` cuts it, and of a traceback.
pub(super) const MESSAGE: usize = 2_000;
pub(super) const TRACE: usize = 4_000;

fn bounded(warnings: Vec<String>, most: usize) -> Vec<String> {
    let more = warnings.len().saturating_sub(most);
    let mut shown: Vec<String> = warnings.iter().take(most).map(|warning| plain(warning, WARNING)).collect();
    if more > 0 {
        shown.push(format!("{more} more warnings are not shown"));
    }
    shown
}

/// All text of a line that users see.
pub(super) fn user_visible(line: &[u8]) -> Vec<String> {
    match serde_json::from_slice(line) {
        Ok(Reply::Done { beats, audit, beat_audits, used, still, warnings, .. }) => {
            report(beats, audit, beat_audits, used, still, warnings).warnings
        }
        Ok(Reply::Failed { message, trace, .. }) => vec![plain(&message, WARNING), plain(&trace, WARNING)],
        Ok(Reply::Refused { message }) => vec![plain(&message, WARNING)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn too_many_warnings_are_cut() {
        let flood = vec!["<script>".repeat(2_000); 300];
        let ClipReport { warnings, beats, .. } =
            report(vec![BeatFrames { frames: 3 }], Audit::default(), Vec::new(), None, None, flood);
        assert_eq!(beats, [3]);
        assert_eq!(warnings.len(), WARNINGS + 1);
        assert!(warnings.iter().all(|warning| warning.len() < 600));
        assert!(warnings.last().unwrap().contains("100 more"));
    }

    #[test]
    fn a_scenes_use_of_its_screen_is_noted() {
        let line = r#"{"event": "done", "id": "1", "beats": [], "audit": {"overlaps": 0, "outside": 0, "too_small": 0},
            "use": {"used": [0.41, null, 0.555], "still_s": 12.34, "marks": 1}}"#;
        let Ok(Reply::Done { audit, used, .. }) = serde_json::from_str(line) else { panic!("it is a report") };
        let told = report(Vec::new(), audit, Vec::new(), used, None, Vec::new()).audit.unwrap();
        assert_eq!((told.still_ms, told.used_percent), (Some(12_340), Some(56)));
        let mut film = told;
        film.add(Audit { still_ms: Some(900), used_percent: Some(20), ..Audit::default() });
        film.add(Audit::default());
        assert_eq!((film.still_ms, film.used_percent), (Some(12_340), Some(20)), "the longest, and the least");
        let unread = ScreenUse { used: vec![Some(7.0)], still_s: Some(-1.0) }.noted(Audit::default());
        assert_eq!(
            (unread.still_ms, unread.used_percent),
            (Some(0), Some(100)),
            "within bounds, whatever a child says"
        );
    }

    #[test]
    fn invalid_numbers_are_refused() {
        let frames = |frames: &str| format!(r#"{{"event": "frames", "id": "1", "frames": {frames}}}"#);
        assert!(serde_json::from_str::<Reply>(&frames("7")).is_ok());
        for number in ["-1", "1e999", "NaN", "1.5", "18446744073709551616", "\"7\"", "null", "true", "[7]"] {
            assert!(serde_json::from_str::<Reply>(&frames(number)).is_err(), "{number}");
        }
        let audit = r#"{"event": "done", "id": "1", "beats": [], "audit": {"overlaps": 4294967296, "outside": 0, "too_small": 0}}"#;
        assert!(serde_json::from_str::<Reply>(audit).is_err());
    }

    proptest! {
        // Also run without end by `make fuzz`.
        #[test]
        fn any_line_is_parsed_or_refused(line in r#"(\{"event": ?"(done|failed|frames|ready)", ?"id": ?"[a-z]{0,3}", ?"(beats|frames|warnings|audit|kind)": ?\PC{0,40}\})|\PC{0,80}"#) {
            if let Ok(reply) = serde_json::from_str::<Reply>(&line) {
                let _ = worker::Reply::addressee(&reply);
            }
        }
    }
}
