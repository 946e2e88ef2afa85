//! One ffmpeg call makes the film: clips joined by stream copy, one narration track encoded once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Ledger, Track, captions};
use crate::child::{self, Confinement, Ending, Limits, Mode, Outcome, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::status::Sync;
use crate::layers::Layers;
use crate::narrate::Sound;
use crate::render::Prober;

/// Runs ffmpeg.
#[derive(Debug, Clone)]
pub struct Assembler {
    program: PathBuf,
    prober: Prober,
    read: Vec<PathBuf>,
    confinement: Mode,
    timeout: Duration,
    stall: Duration,
}

/// Times that ffmpeg is run when it stalls.
const TRIES: u32 = 2;

/// What was made, as files and texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// `film.mp4`.
    pub path: PathBuf,
    /// `poster.jpg`.
    pub poster: PathBuf,
    /// The captions as SubRip.
    pub srt: String,
    /// The captions as WebVTT.
    pub vtt: String,
    /// Sound against picture, as measured on the finished film.
    pub sync: Sync,
    /// Integrated loudness in LUFS; none for a film without words.
    pub loudness: Option<f64>,
}

impl Assembler {
    /// The one of these layers.
    pub fn new(layers: &Layers, prober: Prober, config: &Config) -> Self {
        Self {
            program: layers.program("ffmpeg"),
            prober,
            read: layers.read().to_vec(),
            confinement: config.confinement,
            timeout: config.subprocess_timeout,
            stall: config.stall_timeout,
        }
    }

    /// Joins `clips` (in film order, all under `folder`) and lays `words` on them as the ledger says.
    ///
    /// # Errors
    /// `assemble.failed`, `assemble.timed_out`, `assemble.wrong_film` when the result is not as long as the ledger,
    /// `scratch.failed` when `folder` can't be written.
    pub async fn film<'a>(
        &self,
        title: &str,
        ledger: &Ledger,
        clips: &[PathBuf],
        words: impl IntoIterator<Item = &'a Sound>,
        folder: &Path,
        deadline: Deadline,
    ) -> Result<Film, JobError> {
        // Some milliseconds for each minute of sound: the runtime moves its other work to another thread meanwhile.
        let track = tokio::task::block_in_place(|| Track::lay(ledger, words, &folder.join("narration.s16le")))
            .map_err(|error| JobError::new(Code::ScratchFailed, format!("narration.s16le: {error}")))?;
        let cues = captions::cues(ledger);
        let (srt, vtt) = (captions::srt(&cues), captions::vtt(&cues));
        let list: String = clips.iter().map(|clip| format!("file '{}'\n", clip.display())).collect();
        let files: [(&str, Vec<u8>); 3] = [
            ("clips.txt", list.into_bytes()),
            ("captions.srt", srt.clone().into_bytes()),
            ("chapters.txt", captions::chapters(ledger, title).into_bytes()),
        ];
        for (name, bytes) in files {
            tokio::fs::write(folder.join(name), bytes)
                .await
                .map_err(|error| JobError::new(Code::ScratchFailed, format!("{name}: {error}")))?;
        }
        let (path, poster) = (folder.join("film.mp4"), folder.join("poster.jpg"));
        let joined = self.ffmpeg(join_arguments(!cues.is_empty()), folder, deadline);
        let still = self.ffmpeg(still_arguments(ledger, clips), folder, deadline);
        tokio::try_join!(joined, still)?;
        let sync = self.measure(&path, ledger, deadline).await?;
        Ok(Film { path, poster, srt, vtt, sync, loudness: track.loudness })
    }

    /// The film must be as long as the ledger says, in both streams, before anybody gets it.
    async fn measure(&self, film: &Path, ledger: &Ledger, deadline: Deadline) -> Result<Sync, JobError> {
        let wrong = |message: String| JobError::new(Code::AssembleWrongFilm, message);
        let measured = self.prober.measure(film, deadline).await.map_err(wrong)?;
        if measured.video_frames != ledger.frames {
            return Err(wrong(format!("the film has {} frames, the ledger {}", measured.video_frames, ledger.frames)));
        }
        let audio = measured.audio_seconds.ok_or_else(|| wrong("the film has no sound".to_owned()))?;
        let worst_frames = (audio - ledger.seconds()).abs() * f64::from(ledger.fps);
        if worst_frames > 1.0 {
            let message = format!("sound lasts {audio:.3} s, picture {:.3} s", ledger.seconds());
            return Err(wrong(message));
        }
        Ok(Sync { worst_frames })
    }

    /// Runs ffmpeg, and once more when it stalls.
    async fn ffmpeg(&self, arguments: Vec<OsString>, folder: &Path, deadline: Deadline) -> Result<(), JobError> {
        let deadline = deadline.slice(self.timeout);
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.watched(&arguments, folder, deadline).await;
            let Some(outcome) = outcome else {
                if tries < TRIES {
                    tracing::warn!(stall_s = self.stall.as_secs_f64(), "ffmpeg made no progress; it is started again");
                    continue;
                }
                let message = format!("ffmpeg made no progress for {:.0} s, twice", self.stall.as_secs_f64());
                return Err(JobError::new(Code::AssembleStalled, message));
            };
            let words = outcome.stderr.text_lossy();
            return match outcome.ending {
                Ending::Exited(0) => Ok(()),
                Ending::TimedOut | Ending::Ended => {
                    Err(JobError::new(Code::AssembleTimedOut, "ffmpeg did not end in time"))
                }
                ending => Err(JobError::new(Code::AssembleFailed, format!("ffmpeg: {ending}: {}", words.trim()))),
            };
        }
    }

    /// One run under the watch of its own progress reports; none when they said nothing new for too long.
    async fn watched(&self, arguments: &[OsString], folder: &Path, deadline: Deadline) -> Option<Outcome> {
        let mut spec = Spec::new(&self.program, folder);
        spec.args = ["-hide_banner", "-nostdin", "-loglevel", "error", "-y"].map(Into::into).to_vec();
        spec.args.extend(["-progress", "pipe:1", "-stats_period", "0.5"].map(Into::into));
        spec.args.extend_from_slice(arguments);
        spec.env = vec![("PATH".into(), "/usr/bin:/bin".into()), ("LANG".into(), "C.UTF-8".into())];
        // Copying takes 150 MB; six hours at 4k are some 30 GB.
        spec.limits = Limits::gibibytes(8, 64);
        spec.confinement =
            Confinement { read: self.read.clone(), write: vec![folder.to_owned()], mode: self.confinement };
        // A report comes every half second, whatever happened; only one that says something else counts as life.
        let mut done = [String::new(), String::new()];
        let news = |line: &str| {
            let which = ["frame=", "total_size="].iter().position(|key| line.starts_with(key));
            let Some(last) = which.and_then(|which| done.get_mut(which)) else { return false };
            let new = *last != line;
            line.clone_into(last);
            new
        };
        child::watched(spec, self.stall, deadline, news).await
    }
}

fn join_arguments(captions: bool) -> Vec<OsString> {
    let mut arguments = vec!["-f", "concat", "-safe", "0", "-i", "clips.txt"];
    arguments.extend(["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "narration.s16le", "-i", "chapters.txt"]);
    if captions {
        arguments.extend(["-i", "captions.srt", "-map", "3:s", "-c:s", "mov_text"]);
    }
    arguments.extend(["-map", "0:v", "-map", "1:a", "-map_metadata", "2", "-map_chapters", "2", "-c:v", "copy"]);
    // Speech in one channel is transparent at 96 kbit/s; both speakers play it.
    arguments.extend(["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "film.mp4"]);
    arguments.into_iter().map(Into::into).collect()
}

/// The still is the fullest picture of the longest scene: the middle of its last beat, before anything fades.
fn still_arguments(ledger: &Ledger, clips: &[PathBuf]) -> Vec<OsString> {
    let longest = ledger.scenes.iter().zip(clips).max_by_key(|(scene, _)| scene.frames);
    let Some((scene, clip)) = longest else { return Vec::new() };
    let frame = scene.beats.last().map_or(0, |beat| beat.first_frame - scene.first_frame + beat.frames / 2);
    let mut arguments: Vec<OsString> =
        vec!["-ss".into(), format!("{:.3}", frame as f64 / f64::from(ledger.fps)).into()];
    arguments.extend(["-i".into(), clip.clone().into_os_string()]);
    arguments.extend(["-frames:v", "1", "-q:v", "3", "poster.jpg"].map(Into::into));
    arguments
}
