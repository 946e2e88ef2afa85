//! A document's intro, outro and music, prepared for the film: clips that can be joined by stream copy, and their sound and the music
//! as samples.
//!
//! These are untrusted files. One that can't be used gives a warning, and never costs the film.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use audio::{LOUDNESS, factor};
use storyboard::{FrameShape, Storyboard, Warning};

use super::recording::Recording;
use super::track::Backing;
use crate::deadline::Deadline;
use crate::error::WarningCode;
use crate::intake::assets::Assets;
use crate::job::Quality;
use crate::media::{Ffmpeg, Prober, encoder};
use crate::narrate::SAMPLE_RATE;

/// Longest intro or outro in seconds. More would be a film of its own, and encoding it takes as long as drawing one.
const LONGEST_CLIP: u64 = 120;
/// Music is decoded for so many seconds (ten minutes are 115 MB of samples), and then repeats from its beginning.
const LONGEST_MUSIC: u64 = 600;
/// Loudness of the voice in a film of two channels, in LUFS, which is the film's own.
const VOICE: f64 = LOUDNESS;
/// A clip's sound is raised by this much at the most, in decibels: intentionally quiet sound must not become noise.
const MOST_RAISED: f64 = 12.0;

/// The document's own files, fetched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// The shape of the film's picture; 16 to 9 when none.
    pub frame_shape: Option<FrameShape>,
    /// Music, and its loudness against the voice outside of speech, in decibels, at most 0.
    pub music: Option<(PathBuf, f64)>,
    /// A clip before the film.
    pub intro: Option<PathBuf>,
    /// A clip after the film.
    pub outro: Option<PathBuf>,
}

impl Extras {
    /// The files that a storyboard names and that were fetched.
    pub fn of(storyboard: &Storyboard, assets: &Assets) -> Self {
        let path = |source: &String| assets.get(source).map(|asset| asset.path.clone());
        Self {
            frame_shape: storyboard.frame_shape,
            music: storyboard.music.as_ref().and_then(|music| Some((path(&music.source)?, music.level_db))),
            intro: storyboard.intro.as_ref().and_then(path),
            outro: storyboard.outro.as_ref().and_then(path),
        }
    }
}

/// The prepared files.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// A warning for each file that can't be used.
    pub warnings: Vec<Warning>,
    pub(super) intro: Option<Surrounding>,
    pub(super) outro: Option<Surrounding>,
    pub(super) backing: Backing,
}

/// A clip before or after the scenes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surrounding {
    /// Without sound, of the film's size, rate and encoder settings.
    pub(super) path: PathBuf,
    pub(super) frames: u64,
}

impl Prepared {
    /// Frames before the scenes, and after them.
    pub(super) fn frames(&self) -> (u64, u64) {
        let frames = |clip: &Option<Surrounding>| clip.as_ref().map_or(0, |clip| clip.frames);
        (frames(&self.intro), frames(&self.outro))
    }
}

/// Prepares all there is, at the same time. Each file may be in use only under `folder` or where layers are read.
pub(super) async fn prepare(
    extras: &Extras,
    quality: Quality,
    (ffmpeg, prober): (&Ffmpeg, &Prober),
    folder: &Path,
    deadline: Deadline,
) -> Prepared {
    let work = Work { quality, shape: extras.frame_shape, ffmpeg, prober, folder, deadline };
    let music = async {
        let (source, level) = extras.music.as_ref()?;
        Some(deadline.run(work.music(source, *level)).await.unwrap_or_else(|_| Err(LATE.to_owned())))
    };
    let clip = async |name: &str, source: &Option<PathBuf>| {
        let source = source.as_ref()?;
        Some(deadline.run(work.clip(name, source)).await.unwrap_or_else(|_| Err(LATE.to_owned())))
    };
    let (music, intro, outro) = tokio::join!(music, clip("intro", &extras.intro), clip("outro", &extras.outro));
    let mut prepared = Prepared::default();
    prepared.backing.music = prepared.take("music", WarningCode::AssembleMusicLeftOut, music);
    if let Some((clip, sound)) = prepared.take("intro", WarningCode::AssembleIntroLeftOut, intro) {
        (prepared.intro, prepared.backing.intro) = (Some(clip), sound);
    }
    if let Some((clip, sound)) = prepared.take("outro", WarningCode::AssembleOutroLeftOut, outro) {
        (prepared.outro, prepared.backing.outro) = (Some(clip), sound);
    }
    prepared
}

const LATE: &str = "there was no time left for it";

impl Prepared {
    fn take<T>(&mut self, what: &str, left_out: WarningCode, made: Option<Result<T, String>>) -> Option<T> {
        match made? {
            Ok(made) => Some(made),
            Err(why) => {
                tracing::warn!(what, why, "the film is made without its {what}");
                self.warnings.push(left_out.at(None, format!("the film has no {what}: {why}")));
                None
            }
        }
    }
}

struct Work<'a> {
    quality: Quality,
    shape: Option<FrameShape>,
    ffmpeg: &'a Ffmpeg,
    prober: &'a Prober,
    folder: &'a Path,
    deadline: Deadline,
}

type Sound = Option<(Recording, f32)>;

impl Work<'_> {
    async fn music(&self, source: &Path, level: f64) -> Result<(Recording, f32), String> {
        let sound = self.samples(source, "music.s16le", LONGEST_MUSIC).await?;
        let loudness = self.loudness(&sound).await?.ok_or("its sound is silent")?;
        Ok((sound, factor(VOICE + level.min(0.0) - loudness)))
    }

    /// The picture and the sound in one file first, so that both keep their place in time; then each for itself.
    async fn clip(&self, name: &str, source: &Path) -> Result<(Surrounding, Sound), String> {
        let whole = format!("{name}-whole.mov");
        let fps = u64::from(self.quality.fps());
        self.run(whole_arguments(source, &whole, self.quality.size(self.shape), self.quality.fps())).await?;
        let measured = self.prober.measure(&self.folder.join(&whole), self.deadline).await?;
        let frames = measured.video_frames;
        if frames == 0 || frames > LONGEST_CLIP * fps {
            return Err(format!("it lasts {} s; allowed are 1 frame to {LONGEST_CLIP} s", frames / fps));
        }
        let (path, ticks) = (format!("{name}.mp4"), (fps * 512).to_string());
        let alone = ["-i", &whole, "-map", "0:v", "-c", "copy", "-video_track_timescale", &ticks, &path];
        self.run(alone.map(OsString::from).to_vec()).await?;
        let path = self.folder.join(path);
        let counted = self.prober.video_frames(&path, self.deadline).await?;
        if counted != frames {
            return Err(format!("only {counted} of its {frames} frames could be decoded"));
        }
        let sound = match measured.audio_seconds {
            None => None,
            Some(_) => {
                let sound = self.samples(&self.folder.join(&whole), &format!("{name}.s16le"), LONGEST_CLIP + 1).await?;
                let loudness = self.loudness(&sound).await?;
                loudness.map(|loudness| (sound, factor((VOICE - loudness).min(MOST_RAISED))))
            }
        };
        // 23 MB a minute at most, on a small disk.
        let _ = tokio::fs::remove_file(self.folder.join(whole)).await;
        Ok((Surrounding { path, frames }, sound))
    }

    /// The sound of a file, two channels at 48 kHz, from its first moment on.
    async fn samples(&self, source: &Path, out: &str, seconds: u64) -> Result<Recording, String> {
        let mut arguments = input(source, seconds);
        arguments
            .extend(["-map", "0:a:0", "-vn", "-sn", "-dn", "-af", "aresample=async=1:first_pts=0"].map(Into::into));
        arguments.extend(["-ac", "2", "-ar", &SAMPLE_RATE.to_string(), "-f", "s16le", out].map(Into::into));
        self.run(arguments).await?;
        let sound = Recording::open(&self.folder.join(out), 2).map_err(|error| error.to_string())?;
        if sound.stereo_frames() == 0 { Err("it has no sound".to_owned()) } else { Ok(sound) }
    }

    async fn loudness(&self, sound: &Recording) -> Result<Option<f64>, String> {
        let sound = sound.clone();
        let measured = self.deadline.work(move |cutoff| sound.loudness(cutoff)).await;
        measured.map_err(|stopped| stopped.to_string())?.map_err(|error| error.to_string())
    }

    async fn run(&self, arguments: Vec<OsString>) -> Result<(), String> {
        self.ffmpeg.once(&arguments, self.folder, self.deadline).await.map_err(|error| error.message)
    }
}

/// Demultiplexers of ffmpeg for files that hold sound and pictures. Its others read lists of more files, or devices.
const FORMATS: &str = "aac,ac3,aiff,asf,avi,caf,flac,flv,gif,matroska,mov,mp3,mpeg,mpegts,mxf,ogg,w64,wav";

/// An untrusted file: no other file that it names is opened.
pub(super) fn input(source: &Path, seconds: u64) -> Vec<OsString> {
    let mut arguments =
        ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-t"].map(OsString::from).to_vec();
    arguments.extend([seconds.to_string().into(), "-i".into(), source.as_os_str().to_owned()]);
    arguments
}

/// Arguments for ffmpeg: pictures of the film's size and rate that can be joined to its clips, and sound.
fn whole_arguments(source: &Path, out: &str, (width, height): (u32, u32), fps: u32) -> Vec<OsString> {
    // Square pixels, the whole picture, black around it.
    let filter = format!(
        "fps=fps={fps}:start_time=0,scale=w='iw*if(sar,sar,1)':h=ih,\
        scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=lanczos\
        :out_color_matrix=bt709:out_range=tv,format=yuv420p,pad={width}:{height}:-1:-1,setsar=0,\
        setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    );
    let ticks = (fps * 512).to_string();
    let encoder = encoder::filmed(u64::from(2 * fps));
    let mut arguments = input(source, LONGEST_CLIP + 1);
    let encoder: Vec<&str> = encoder.iter().map(String::as_str).collect();
    let more = [
        ["-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"].as_slice(),
        &["-vf", &filter],
        &encoder,
        &["-af", "aresample=async=1:first_pts=0", "-c:a", "pcm_s16le", "-ac", "2", "-ar", "48000"],
        &["-video_track_timescale", &ticks, "-f", "mov", out],
    ];
    arguments.extend(more.concat().into_iter().map(Into::into));
    arguments
}
