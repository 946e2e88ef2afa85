//! The protocol of the runner of Manim programs, version 2: one JSON object a line over a socket pair.
//! `layers/manim/stage/PROTOCOL.md` describes it, and `layers/manim/stage/chalkreel_stage/program` implements the other end.
//!
//! A program can write to the same socket, so no line is believed: it is parsed, bounded, and what it claims is checked.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::ManimTex;
use crate::error::Code;
use crate::media::Still;
use crate::untrusted_text::plain;

/// The version that this program speaks.
pub(super) const VERSION: u32 = 2;
/// Longest line that is read, in bytes: the report of a film of 2,000 parts has some 600 KB.
pub(super) const MAX_LINE: usize = 4 << 20;

/// A request to the runner.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Request<'a> {
    /// Play a scene class to its end.
    Run {
        id: &'a str,
        source: &'a Path,
        class: &'a str,
        out: &'a Path,
        width: u32,
        height: u32,
        fps: u32,
        theme: &'a str,
        /// The author's own background; none means the theme's.
        #[serde(skip_serializing_if = "Option::is_none")]
        background: Option<&'a str>,
        language: &'a str,
        /// Words for the beginning, unless the program brings words of its own.
        docstring: &'a str,
        /// Words for each of its sections.
        #[serde(skip_serializing_if = "Option::is_none")]
        narration_file: Option<&'a Path>,
        /// Whether there is to be a clip.
        draw: bool,
        formulas: ManimTex,
        limits: Limits,
    },
    /// The answer to a question for speech.
    Said {
        id: &'a str,
        ask: u32,
        seconds: Option<f64>,
        words: &'a [(usize, f64)],
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
}

/// What a run may take, in seconds: of film, and of time from the request on. At each of them it ends by itself, with what it has drawn.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Limits {
    pub film_s: f64,
    pub wall_s: f64,
    /// Without a new frame.
    pub stall_s: f64,
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

/// An event of the runner, or what a program made look like one.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// Manim is imported.
    Ready { protocol: u32 },
    /// A process of its own has begun with the request.
    Started { id: String },
    /// Frames drawn so far.
    Frames { id: String, frames: u64 },
    /// The program has words, and waits for [`Request::Said`].
    Say {
        id: String,
        ask: u32,
        text: String,
        #[serde(default)]
        caption: Option<String>,
        #[serde(default)]
        source: String,
    },
    /// The clip is there.
    Done(Box<Done>),
    /// There is no clip.
    Failed(Failure),
    /// A request could not be parsed.
    Refused { message: String },
}

/// The report on a finished run.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    pub id: String,
    pub frames: u64,
    #[serde(default)]
    pub narration: String,
    #[serde(default)]
    pub segments: Vec<Segment>,
    #[serde(default)]
    pub chapters: Vec<Chapter>,
    #[serde(default)]
    pub captions: Vec<Caption>,
    #[serde(default)]
    pub still: Option<Still>,
    #[serde(default)]
    pub audit: Audit,
    #[serde(default)]
    pub findings: Vec<Note>,
    #[serde(default)]
    pub warnings: Vec<Note>,
    #[serde(default)]
    pub error: Option<Failure>,
}

/// A part of the film; parts tile it.
#[derive(Debug, Deserialize)]
pub(super) struct Segment {
    pub first_frame: u64,
    pub frames: u64,
    #[serde(default)]
    pub ask: Option<u32>,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub caption: Option<String>,
}

/// Where a chapter begins.
#[derive(Debug, Deserialize)]
pub(super) struct Chapter {
    pub first_frame: u64,
    pub name: String,
}

/// A caption that is not spoken.
#[derive(Debug, Deserialize)]
pub(super) struct Caption {
    pub first_frame: u64,
    pub frames: u64,
    pub text: String,
}

/// What was measured on the picture.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Audit {
    pub measured: bool,
    pub overlaps: u32,
    pub outside: u32,
    pub too_small: u32,
    pub too_short: u32,
}

/// A finding or a warning.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    #[serde(default)]
    pub kind: String,
    pub text: String,
    #[serde(default)]
    pub line: Option<u32>,
}

/// Why a program ended early.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Failure {
    #[serde(default)]
    pub id: String,
    pub kind: Kind,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub remedy: String,
    #[serde(default)]
    pub line: Option<u32>,
    #[serde(default)]
    pub line_text: String,
    #[serde(default)]
    pub trace: String,
    /// Seconds of film before it; of a clip that holds them.
    #[serde(default)]
    pub seconds: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Error,
    Unreadable,
    NoSceneClass,
    OtherManim,
    Opengl,
    Input,
    FilmLimit,
    CpuLimit,
    WallLimit,
    Stalled,
    Memory,
    Crashed,
}

impl Kind {
    pub(super) fn code(self) -> Code {
        match self {
            Self::Error => Code::ProgramError,
            Self::Unreadable => Code::ProgramUnreadable,
            Self::NoSceneClass => Code::ProgramNoSceneClass,
            Self::OtherManim => Code::ProgramOtherManim,
            Self::Opengl => Code::ProgramOpengl,
            Self::Input => Code::ProgramInput,
            Self::FilmLimit => Code::ProgramFilmLimit,
            Self::CpuLimit | Self::WallLimit => Code::RenderTimedOut,
            Self::Stalled => Code::RenderStalled,
            Self::Memory => Code::RenderOutOfMemory,
            Self::Crashed => Code::RenderCrashed,
        }
    }
}

/// Characters of a finding's words, of a line of a program, and of a remedy.
const NOTE: usize = 300;
const LINE: usize = 160;
const REMEDY: usize = 500;

impl Note {
    /// As a warning: where, and what.
    pub(super) fn told(&self) -> String {
        let text = plain(&self.text, NOTE);
        let what = match self.kind.as_str() {
            "overlap" => format!("words cover each other: {text}"),
            "outside" => format!("words leave the frame: {text}"),
            "too_small" => format!("words are too small to read: {text}"),
            "too_short" => format!("words are on screen for too short a time to read them: {text}"),
            _ => text,
        };
        match self.line {
            Some(line) => format!("line {line}: {what}"),
            None => what,
        }
    }
}

impl Failure {
    /// Where and what, with the line's text.
    pub(super) fn told(&self) -> String {
        let message = plain(self.message.trim(), super::super::protocol::MESSAGE);
        let Some(line) = self.line else { return message };
        match plain(self.line_text.trim(), LINE) {
            text if text.is_empty() => format!("line {line}: {message}"),
            text => format!("line {line}: {message} (in `{}`)", text.replace('`', "'")),
        }
    }

    /// What to do; none when the code's own remedy is the best there is.
    pub(super) fn remedy(&self) -> Option<String> {
        let remedy = plain(self.remedy.trim(), REMEDY);
        (!remedy.is_empty()).then_some(remedy)
    }
}
