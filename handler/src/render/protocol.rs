//! What is said to the stage and what it answers: one JSON document a line, over a Unix socket.
//! `layers/manim/stage` holds the other end.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use storyboard::Scene;

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
        }
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

/// What the stage reports, within bounds; an audit more than there are beats is no audit.
pub(super) fn report(
    beats: Vec<BeatFrames>,
    audit: Audit,
    mut beat_audits: Vec<Audit>,
    warnings: Vec<String>,
) -> ClipReport {
    beat_audits.truncate(beats.len());
    let beats = beats.into_iter().map(|beat| beat.frames).collect();
    ClipReport { beats, audit, beat_audits, warnings: bounded(warnings, WARNINGS) }
}

/// What a program reports of a clip with these beats: its own words, marked as such. Its frames are counted, not asked for, and its
/// picture is not measured.
pub(super) fn report_of_program(beats: &[u64], warnings: Vec<String>) -> ClipReport {
    let told = |warning| format!("the program says: {warning}");
    let warnings = bounded(warnings, PROGRAM_WARNINGS).into_iter().map(told).collect();
    ClipReport { beats: beats.to_vec(), audit: Audit::default(), beat_audits: Vec::new(), warnings }
}

/// Warnings of one scene that are told: of the stage, which has one for an element at the most, and of a program.
const WARNINGS: usize = 200;
const PROGRAM_WARNINGS: usize = 8;
/// Characters of one of them.
const WARNING: usize = 500;
/// Characters of an error's message, as `chalkreel_stage/raw` cuts it, and of a traceback.
pub(super) const MESSAGE: usize = 2_000;
pub(super) const TRACE: usize = 4_000;

fn bounded(warnings: Vec<String>, most: usize) -> Vec<String> {
    let more = warnings.len().saturating_sub(most);
    let mut told: Vec<String> = warnings.iter().take(most).map(|warning| plain(warning, WARNING)).collect();
    if more > 0 {
        told.push(format!("{more} more warnings are left out"));
    }
    told
}

/// A child's words as they may go into a status, a log and a terminal: at most so many characters, in one direction, and none that
/// commands a terminal. Lines stay.
pub(super) fn plain(words: &str, most: usize) -> String {
    let harmless = |c: char| match c {
        '\n' => Some('\n'),
        c if c.is_control() => Some(' '),
        // Marks, overrides, embeddings and isolates of the direction of writing (Unicode's UAX #9), and separators of lines.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c => Some(c),
    };
    let mut plain: String = words.chars().filter_map(harmless).take(most + 1).collect();
    if let Some((at, _)) = plain.char_indices().nth(most) {
        plain.truncate(at);
        plain.push('…');
    }
    plain
}

/// All words of a line that reach somebody.
pub(super) fn told(line: &[u8]) -> Vec<String> {
    match serde_json::from_slice(line) {
        Ok(Reply::Done { beats, audit, beat_audits, warnings, .. }) => {
            let frames: Vec<u64> = beats.iter().map(|beat| beat.frames).collect();
            let of_program = report_of_program(&frames, warnings.clone());
            let of_stage = report(beats, audit, beat_audits, warnings);
            [of_program.warnings, of_stage.warnings].concat()
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
    fn words_can_not_command_a_terminal() {
        assert_eq!(plain("a\u{202e}b\x1b[31mred\x07\tc\nd\u{2028}", 100), "ab [31mred  c\nd");
        assert_eq!(plain("Ünï — 字 🙂", 100), "Ünï — 字 🙂");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("abc", 3), "abc");
    }

    #[test]
    fn a_flood_of_warnings_is_cut_and_says_whose_they_are() {
        let flood = vec!["<script>".repeat(2_000); 200];
        let ClipReport { warnings, beats, .. } = report_of_program(&[3, 4], flood);
        assert_eq!(beats, [3, 4]);
        assert_eq!(warnings.len(), PROGRAM_WARNINGS + 1);
        assert!(warnings.iter().all(|warning| warning.starts_with("the program says: ") && warning.len() < 600));
        assert!(warnings.last().unwrap().contains("192 more"));
    }

    #[test]
    fn numbers_that_are_none_are_no_reply() {
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
        fn no_line_confuses_it(line in r#"(\{"event": ?"(done|failed|frames|ready)", ?"id": ?"[a-z]{0,3}", ?"(beats|frames|warnings|audit|kind)": ?\PC{0,40}\})|\PC{0,80}"#) {
            if let Ok(reply) = serde_json::from_str::<Reply>(&line) {
                let _ = reply.id();
            }
        }

        #[test]
        fn plain_words_are_plain(words in any::<String>(), most in 0_usize..50) {
            let plain = plain(&words, most);
            prop_assert!(plain.chars().count() <= most + 1);
            prop_assert!(plain.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
