//! ffprobe: counts the packets of films, and of clips that belong to a document, whatever the container claims.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::child::{self, Confinement, Ending, Limits, Mode, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::layers::Layers;

/// What ffprobe may take: a start on a machine under load, and for each second so many bytes. It reads 300 MB a second.
const PROBE_START: Duration = Duration::from_secs(20);
const PROBE_PACE: u64 = 20_000_000;

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
    /// A message: ffprobe's last output, or that it took too long.
    pub async fn video_frames(&self, path: &Path, deadline: Deadline) -> Result<u64, String> {
        Ok(self.measure(path, deadline).await?.video_frames)
    }

    /// Measures a clip or film.
    ///
    /// # Errors
    /// A message: ffprobe's last output, or that it took too long.
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
            ending => return Err(format!("ffprobe failed ({ending}): {}", outcome.stderr.text_lossy().trim())),
        }
        let probe: Probe = serde_json::from_str(&outcome.stdout.text_lossy()).map_err(|error| error.to_string())?;
        let of = |kind: &str| probe.streams.iter().find(|stream| stream.codec_type == kind);
        let seconds = |stream: &Stream| stream.duration.as_ref().and_then(|text| text.parse::<f64>().ok());
        let video = of("video").ok_or("it has no video stream")?;
        let packets = video.nb_read_packets.as_ref().and_then(|text| text.parse().ok());
        Ok(Measured {
            video_frames: packets.ok_or("ffprobe could not count its packets")?,
            video_seconds: seconds(video).ok_or("its video stream has no length")?,
            audio_seconds: of("audio").and_then(seconds),
        })
    }
}
