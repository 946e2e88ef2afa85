//! Still cards, which replace scenes that can't be drawn. They are made by ffmpeg alone, so that they need no Manim.
//!
//! Two seconds are encoded, once, and repeated by stream copy: a card costs the same whatever its length. Its encoder settings
//! are those of clips ([`encoder`]), so that they share their parameter sets and can be joined.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use storyboard::Colours;

use super::{Clip, ClipReport, SceneOrder, verify};
use crate::child::{self, Confinement, Ending, Limits, Mode, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::Quality;
use crate::job::events::ClipOrigin;
use crate::layers::Layers;
use crate::media::encoder;
use crate::untrusted_file::UntrustedFolder;

/// Seconds that are encoded: as long as the stage's distance of two keyframes.
const ENCODED: u64 = 2;
/// Longest heading in characters; more would not fit the frame at the smallest size.
const LONGEST: usize = 240;

/// Makes still cards.
#[derive(Debug, Clone)]
pub struct Cards {
    program: PathBuf,
    fonts: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    timeout: Duration,
}

impl Cards {
    /// With the ffmpeg and the fonts of these layers.
    pub fn new(layers: &Layers, config: &Config) -> Self {
        Self {
            program: layers.program("ffmpeg"),
            fonts: layers.root().join("etc/fonts/fonts.conf"),
            read: layers.read().to_vec(),
            confinement: config.confinement,
            timeout: config.subprocess_timeout,
        }
    }

    /// How long one card may take on one processor: two seconds of encoding, and two starts of ffmpeg.
    pub fn cost(quality: Quality) -> Duration {
        // Measured on a quiet machine: 0.35, 0.5, 1.1 and 4.5 s. Threefold: what ate the scene's time may have eaten the machine's.
        Duration::from_millis(match quality {
            Quality::Draft => 1_000,
            Quality::Standard => 1_500,
            Quality::High => 3_300,
            Quality::Uhd => 13_500,
        })
    }

    /// A card that shows the scene's heading for as long as its beats last, made in `folder` and left as the scene's clip.
    ///
    /// # Errors
    /// `render.failed` with ffmpeg's last words, `render.timed_out`, `render.wrong_frames`, `render.wrong_clip`, `scratch.failed`.
    pub async fn clip(&self, order: SceneOrder<'_>, folder: &Path, deadline: Deadline) -> Result<Clip, JobError> {
        let SceneOrder { scene, film, quality, beats, .. } = order;
        let (fps, frames) = (u64::from(quality.fps()), beats.iter().sum::<u64>());
        let heading = if scene.heading.trim().is_empty() { &film.title } else { &scene.heading };
        let [background, text, _] = Colours::look(film.colours.as_ref(), film.theme);
        let file = |kind: &str| format!("{}-card{kind}", scene.id);
        let allowed = deadline.left().as_secs_f64();
        let period = frames.min(ENCODED * fps);
        let list = format!("file '{}'\n", file("-part.mp4")).repeat(frames.div_ceil(period) as usize);
        for (file, bytes) in [(file(".ass"), subtitles(heading, text)), (file(".txt"), list)] {
            tokio::fs::write(folder.join(&file), bytes)
                .await
                .map_err(|error| JobError::new(Code::ScratchFailed, format!("can't write {file}: {error}")))?;
        }
        self.ffmpeg(
            picture((&file(".ass"), &file("-part.mp4")), background, order.size(), (fps, period)),
            folder,
            deadline,
        )
        .await?;
        let (list, out) = (file(".txt"), file(".mp4"));
        let (count, ticks) = (frames.to_string(), (fps * 512).to_string());
        let repeat = ["-f", "concat", "-safe", "0", "-i", &list, "-c", "copy", "-frames:v", &count];
        let repeat = repeat.into_iter().chain(["-video_track_timescale", &ticks, &out]).map(OsString::from);
        self.ffmpeg(repeat.collect(), folder, deadline).await?;
        let path = order.path();
        let made =
            UntrustedFolder::open(folder).map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))?;
        verify::take(made, out, order, &path, (deadline, allowed))
            .await
            .map_err(|error| error.of_scene(&format!("{} (its card)", scene.id)))?;
        let report = ClipReport {
            beats: beats.to_vec(),
            audit: None,
            beat_audits: Vec::new(),
            still: None,
            warnings: Vec::new(),
        };
        Ok(Clip { path, report, origin: ClipOrigin::Card })
    }

    async fn ffmpeg(&self, arguments: Vec<OsString>, folder: &Path, deadline: Deadline) -> Result<(), JobError> {
        let mut spec = Spec::new(&self.program, folder);
        spec.args = ["-hide_banner", "-nostdin", "-loglevel", "error", "-y"].map(Into::into).to_vec();
        spec.args.extend(arguments);
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), folder.into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("FONTCONFIG_FILE".into(), self.fonts.clone().into()),
            ("XDG_CACHE_HOME".into(), folder.into()),
        ];
        // At 4k it takes 1.5 GB.
        spec.limits = Limits::gibibytes(8, 8);
        spec.confinement =
            Confinement { read: self.read.clone(), write: vec![folder.to_owned()], mode: self.confinement };
        let outcome = child::run(spec, deadline.slice(self.timeout)).await;
        match outcome.ending {
            Ending::Exited(0) => Ok(()),
            Ending::TimedOut | Ending::Ended => {
                Err(JobError::new(Code::RenderTimedOut, "there was no time left to make a still card"))
            }
            ending => {
                let words = outcome.stderr.text_lossy();
                Err(JobError::new(
                    Code::RenderFailed,
                    format!("ffmpeg could not make a still card: {ending}: {}", words.trim()),
                ))
            }
        }
    }
}

fn picture(
    (subtitles, out): (&str, &str),
    background: &str,
    (width, height): (u32, u32),
    (fps, frames): (u64, u64),
) -> Vec<OsString> {
    let background = background.trim_start_matches('#');
    let source = format!("color=c=0x{background}:s={width}x{height}:r={fps}");
    // The stage leaves the pixels' aspect unsaid, and so does the card: another parameter set could not be joined.
    let filter = format!(
        "ass={subtitles},setsar=0,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709,format=yuv420p"
    );
    let (frames, ticks) = (frames.to_string(), (fps * 512).to_string());
    let source = ["-f", "lavfi", "-i", &source, "-vf", &filter, "-frames:v", &frames].map(OsString::from);
    let encoder = encoder::drawn(ENCODED * fps).into_iter().map(Into::into);
    let out = ["-video_track_timescale", &ticks, out].map(OsString::from);
    source.into_iter().chain(encoder).chain(out).collect()
}

/// The heading as Advanced SubStation subtitles: libass wraps it, finds glyphs in other fonts and writes right to left.
fn subtitles(heading: &str, colour: &str) -> String {
    let mut text = String::new();
    let mut shown: Vec<char> = heading.chars().take(LONGEST + 1).collect();
    if shown.len() > LONGEST {
        shown[LONGEST] = '…';
    }
    for c in &shown {
        match c {
            // The marks of its own language: braces begin commands, and so do backslashes but before a word joiner.
            '{' | '}' => text.extend(['\\', *c]),
            '\\' => text.push_str("\\\u{2060}"),
            c if c.is_control() => text.push(' '),
            c => text.push(*c),
        }
    }
    let size = match shown.len() {
        0..=60 => 72,
        61..=120 => 56,
        _ => 42,
    };
    let colour = colour.trim_start_matches('#');
    // Its colours are written blue first.
    let bgr = format!("&H00{}{}{}", &colour[4..6], &colour[2..4], &colour[0..2]);
    let mut script = String::from("[Script Info]\nScriptType: v4.00+\nPlayResX: 1280\nPlayResY: 720\nWrapStyle: 0\n\n");
    script.push_str(
        "[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, Bold, BorderStyle, Outline, Shadow, ",
    );
    script.push_str("Alignment, MarginL, MarginR, MarginV, Encoding\n");
    // Writing to a string can't fail. Alignment 5 is the middle of the frame; encoding -1 finds the direction of writing.
    let _ = writeln!(script, "Style: heading,Inter SemiBold,{size},{bgr},0,1,0,0,5,110,110,60,-1\n");
    script.push_str("[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n");
    let _ = writeln!(script, "Dialogue: 0,0:00:00.00,9:59:59.00,heading,,0,0,0,,{text}");
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_can_not_inject_ass_commands() {
        let script = subtitles("{\\pos(0,0)}\nStyle: x \\N \\h", "#e9edf3");
        let line = script.lines().find(|line| line.starts_with("Dialogue")).unwrap();
        assert!(line.ends_with(",,\\{\\\u{2060}pos(0,0)\\} Style: x \\\u{2060}N \\\u{2060}h"), "{line}");
        assert_eq!(script.lines().filter(|line| line.starts_with("Style:")).count(), 1);
    }

    #[test]
    fn a_long_heading_is_cut() {
        let script = subtitles(&"word ".repeat(200), "#1c2430");
        assert!(script.contains('…') && script.len() < 1_000, "{}", script.len());
        assert!(script.contains("&H0030241c"), "{script}");
    }
}
