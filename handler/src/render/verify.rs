//! Output is verified before it is believed. A clip is taken out of its child's hands and its bytes are looked at; one of a program is
//! decoded too. Of films, and of clips that a document brings along, ffprobe counts packets, whatever the container claims.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::mp4::{self, Promise, WrongClip};
use super::{SceneOrder, StageError};
use crate::child::{self, Confinement, Ending, Limits, Mode, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::job::Quality;
use crate::layers::Layers;
use crate::untrusted_file::{Unfit, UntrustedFolder};

/// What x264 makes of white noise at our settings is half a byte a pixel, measured; with noise in the colours too, less than one.
const BYTES_PER_PIXEL: u64 = 1;
/// The tables of a clip, and its head.
const TABLES: u64 = 1 << 20;
/// What a decoder may take: a start on a machine under load, and for each second so many pixels. It decodes 800 million a second on
/// two quiet processors.
const DECODER_START: Duration = Duration::from_secs(10);
const DECODER_PACE: u64 = 50_000_000;
/// What ffprobe may take: a start on a machine under load, and for each second so many bytes. It reads 300 MB a second.
const PROBE_START: Duration = Duration::from_secs(20);
const PROBE_PACE: u64 = 20_000_000;

/// What a clip of so many frames must be. The decoder's configurations are those that x264 makes of the settings in
/// `chalkreel_stage/frames/clip.py` and `card.rs`; all versions that are used here make the same.
pub fn promise(quality: Quality, frames: u64) -> Promise {
    let parameters: &[u8] = match quality {
        Quality::Draft => {
            b"\x01\x64\x00\x1e\xff\xe1\x00\x1b\x67\x64\x00\x1e\xac\xb4\x06\xc1\xef\x37\x35\x01\x01\x01\x40\x00\x00\x03\x00\
            \x40\x00\x00\x07\x83\xc5\x8b\xa8\x01\x00\x05\x68\xef\x06\xf2\xc0\xfd\xf8\xf8\x00"
        }
        Quality::Standard => {
            b"\x01\x64\x00\x1f\xff\xe1\x00\x1c\x67\x64\x00\x1f\xac\xb4\x02\x80\x2d\xd3\x50\x10\x10\x14\x00\x00\x03\x00\x04\
            \x00\x00\x03\x00\xf0\x3c\x60\xca\x80\x01\x00\x05\x68\xef\x06\xf2\xc0\xfd\xf8\xf8\x00"
        }
        Quality::High => {
            b"\x01\x64\x00\x2a\xff\xe1\x00\x1d\x67\x64\x00\x2a\xac\xb4\x03\xc0\x11\x3f\x2c\xd4\x04\x04\x05\x00\x00\x03\x00\
            \x01\x00\x00\x03\x00\x78\x0f\x18\x32\xa0\x01\x00\x05\x68\xef\x06\xf2\xc0\xfd\xf8\xf8\x00"
        }
        Quality::Uhd => {
            b"\x01\x64\x00\x34\xff\xe1\x00\x1b\x67\x64\x00\x34\xac\xb4\x01\xe0\x02\x1f\x4d\x40\x40\x40\x50\x00\x00\x03\x00\
            \x10\x00\x00\x07\x80\xf1\x83\x2a\x01\x00\x05\x68\xef\x06\xf2\xc0\xfd\xf8\xf8\x00"
        }
    };
    Promise { size: quality.size(), fps: quality.fps(), frames, parameters }
}

impl SceneOrder<'_> {
    fn promise(&self) -> Promise {
        promise(self.quality, self.beats.iter().sum())
    }

    /// Pixels of all its frames.
    fn pixels(&self) -> u64 {
        let (width, height) = self.quality.size();
        u64::from(width) * u64::from(height) * self.beats.iter().sum::<u64>()
    }

    /// Bytes that a clip of it may have.
    pub(super) fn most_bytes(&self) -> u64 {
        TABLES + self.pixels() * BYTES_PER_PIXEL
    }
}

/// A clip's mode: ffmpeg, which joins clips, may run as another user.
fn readable() -> Permissions {
    Permissions::from_mode(0o644)
}

/// Takes the clip that a child left as `name` in its folder, to `path`, and checks all of it there. A clip that is not as promised
/// does not stay.
pub(super) async fn take(
    folder: UntrustedFolder,
    name: String,
    order: SceneOrder<'_>,
    path: &Path,
) -> Result<(), StageError> {
    let (path, promise, most) = (path.to_owned(), order.promise(), order.most_bytes());
    let taken = tokio::task::spawn_blocking(move || {
        let clip = folder.file(&name, most)?.copy_to(&path)?;
        let size = clip.metadata().map_err(Unfit::Io)?.len();
        clip.set_permissions(readable()).map_err(Unfit::Io)?;
        mp4::check(&clip, size, &promise).map_err(|wrong| {
            // What can't be removed is overwritten by the card, or left out of the film.
            let _ = std::fs::remove_file(&path);
            StageError::Wrong(wrong)
        })
    });
    taken.await.unwrap_or_else(|panic| Err(StageError::Crashed(panic.to_string())))
}

/// Checks a clip that lies where no child can write.
pub(super) async fn look(path: &Path, order: SceneOrder<'_>) -> Result<(), WrongClip> {
    let (path, promise) = (path.to_owned(), order.promise());
    let looked = tokio::task::spawn_blocking(move || {
        let unread = |error: std::io::Error| WrongClip::Form(error.to_string());
        let clip = std::fs::File::open(path).map_err(unread)?;
        let size = clip.metadata().map_err(unread)?.len();
        clip.set_permissions(readable()).map_err(unread)?;
        mp4::check(&clip, size, &promise)
    });
    looked.await.unwrap_or_else(|panic| Err(WrongClip::Form(panic.to_string())))
}

/// Decodes clips of programs: their boxes may be right and their pictures rubbish.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
}

impl Decoder {
    /// The ffmpeg of these layers.
    pub(super) fn new(layers: &Layers, config: &Config) -> Self {
        let (program, read) = (layers.program("ffmpeg"), layers.read().to_vec());
        Self { program, read, confinement: config.confinement }
    }

    /// Decodes a clip whose bytes were checked.
    pub(super) async fn decode(
        &self,
        clip: &Path,
        order: SceneOrder<'_>,
        deadline: Deadline,
    ) -> Result<(), StageError> {
        let folder = clip.parent().unwrap_or(Path::new("/"));
        let mut spec = Spec::new(&self.program, folder);
        spec.args =
            ["-hide_banner", "-nostdin", "-v", "error", "-xerror", "-err_detect", "explode"].map(Into::into).into();
        spec.args.extend(["-f", "mp4", "-protocol_whitelist", "file", "-i"].map(Into::into));
        spec.args.push(clip.into());
        spec.args.extend(
            ["-map", "0:v", "-fps_mode", "passthrough", "-progress", "pipe:1", "-f", "null", "-"].map(Into::into),
        );
        spec.env = vec![("PATH".into(), "/usr/bin:/bin".into()), ("LANG".into(), "C.UTF-8".into())];
        // At 4k it takes 0.5 GB.
        spec.limits = Limits::gibibytes(4, 1);
        let mut read = self.read.clone();
        read.push(folder.to_owned());
        spec.confinement = Confinement { read, write: Vec::new(), mode: self.confinement };
        let limit = DECODER_START + Duration::from_secs(order.pixels() / DECODER_PACE);
        let outcome = child::run(spec, deadline.slice(limit)).await;
        let wrong = |why: String| Err(StageError::Wrong(WrongClip::Form(why)));
        let words = outcome.stderr.text_lossy();
        match outcome.ending {
            Ending::Exited(0) if words.trim().is_empty() => {}
            Ending::CouldNotStart(error) => return Err(StageError::CouldNotStart(error.to_string())),
            Ending::TimedOut | Ending::Ended => return wrong("decoding it takes too long".to_owned()),
            ending => {
                let first = words.lines().next().unwrap_or_default();
                return wrong(format!("it can't be decoded: {ending}: {}", super::protocol::plain(first, 200)));
            }
        }
        let said = outcome.stdout.text_lossy();
        let decoded: u64 =
            said.lines().rev().find_map(|line| line.strip_prefix("frame=")?.trim().parse().ok()).unwrap_or(0);
        let promised: u64 = order.beats.iter().sum();
        if decoded == promised {
            return Ok(());
        }
        Err(StageError::Wrong(WrongClip::Frames { counted: decoded, promised }))
    }
}

/// Runs ffprobe.
#[derive(Debug, Clone)]
pub struct Prober {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    timeout: Duration,
}

/// What a film or clip holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Packets of the first video stream, one a frame.
    pub video_frames: u64,
    /// Seconds of the first video stream.
    pub video_seconds: f64,
    /// Seconds of the first audio stream; none when there is none.
    pub audio_seconds: Option<f64>,
}

#[derive(Deserialize)]
struct Probe {
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: String,
    nb_read_packets: Option<String>,
    duration: Option<String>,
}

impl Prober {
    /// The one of these layers.
    pub fn new(layers: &Layers, config: &Config) -> Self {
        Self {
            program: layers.program("ffprobe"),
            read: layers.read().to_vec(),
            confinement: config.confinement,
            timeout: config.subprocess_timeout,
        }
    }

    /// Counts the frames of a clip that our own ffmpeg made.
    ///
    /// # Errors
    /// A sentence: ffprobe's own last words, or that it took too long.
    pub async fn video_frames(&self, path: &Path, deadline: Deadline) -> Result<u64, String> {
        Ok(self.measure(path, deadline).await?.video_frames)
    }

    /// Measures a clip or film.
    ///
    /// # Errors
    /// A sentence: ffprobe's own last words, or that it took too long.
    pub async fn measure(&self, path: &Path, deadline: Deadline) -> Result<Measured, String> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut spec = Spec::new(&self.program, folder);
        spec.args = ["-v", "error", "-count_packets", "-of", "json", "-show_entries"].map(Into::into).to_vec();
        spec.args.push("stream=codec_type,nb_read_packets,duration".into());
        // One kind of file, and none that it names.
        spec.args.extend(["-f", "mp4", "-protocol_whitelist", "file"].map(Into::into));
        spec.args.push(path.into());
        spec.env = vec![("PATH".into(), "/usr/bin:/bin".into()), ("LANG".into(), "C.UTF-8".into())];
        let mut read = self.read.clone();
        read.push(folder.to_owned());
        // It takes 120 MB, and writes nothing.
        spec.limits = Limits::gibibytes(2, 1);
        spec.confinement = Confinement { read, write: Vec::new(), mode: self.confinement };
        let size = tokio::fs::symlink_metadata(path).await.map_or(0, |file| file.len());
        let limit = self.timeout.min(PROBE_START + Duration::from_secs(size / PROBE_PACE));
        let outcome = child::run(spec, deadline.slice(limit)).await;
        match outcome.ending {
            Ending::Exited(0) => {}
            Ending::TimedOut | Ending::Ended => return Err("ffprobe took too long".to_owned()),
            ending => return Err(format!("ffprobe: {ending}: {}", outcome.stderr.text_lossy().trim())),
        }
        let probe: Probe = serde_json::from_str(&outcome.stdout.text_lossy()).map_err(|error| error.to_string())?;
        let of = |kind: &str| probe.streams.iter().find(|stream| stream.codec_type == kind);
        let seconds = |stream: &Stream| stream.duration.as_ref().and_then(|text| text.parse::<f64>().ok());
        let video = of("video").ok_or("there is no picture in it")?;
        let packets = video.nb_read_packets.as_ref().and_then(|text| text.parse().ok());
        Ok(Measured {
            video_frames: packets.ok_or("its packets can't be counted")?,
            video_seconds: seconds(video).ok_or("its picture has no length")?,
            audio_seconds: of("audio").and_then(seconds),
        })
    }
}
