//! The film's sound, laid along the ledger and encoded. It needs words and no pictures, so it is made while scenes are still drawn.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::extras::Prepared;
use super::{Ledger, Track};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::media::Ffmpeg;
use crate::narrate::Sound;
use crate::untrusted_file::UntrustedFile;

/// As it was laid, for ffmpeg and for measuring the film; and encoded.
const LAID: &str = "narration.s16le";
pub(super) const ENCODED: &str = "narration.m4a";
/// Bytes of the encoded sound: six hours have half of it.
const LARGEST: u64 = 1 << 30;

/// What is to be heard in a film: its ledger, and each beat's words, empty for silent beats.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Where the words begin.
    pub ledger: Ledger,
    /// In film order.
    pub words: Vec<Sound>,
}

/// The sound of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Soundtrack {
    pub(super) track: Track,
    pub(super) laid: PathBuf,
    times: Times,
    words: Vec<Sound>,
}

/// All of a ledger that can be heard: first sample and samples of each beat, intro and outro in samples, and all.
type Times = (Vec<(u64, u64)>, (u64, u64), u64);

fn times(ledger: &Ledger) -> Times {
    let beats = ledger.beats().map(|beat| (beat.first_sample, beat.samples)).collect();
    (beats, ledger.scene_samples(), ledger.samples())
}

impl Soundtrack {
    /// Lays and encodes the sound of a film in `folder`; the ledger has intro and outro.
    ///
    /// # Errors
    /// `assemble.failed`, `assemble.timed_out`, `assemble.stalled`, `assemble.wrong_film` when ffmpeg left something else,
    /// `scratch.failed` when `folder` can't be written.
    pub(super) async fn of(
        Script { ledger, words }: Script,
        extras: &Prepared,
        ffmpeg: &Ffmpeg,
        folder: &Path,
        deadline: Deadline,
    ) -> Result<Self, JobError> {
        let (laid, times) = (folder.join(LAID), times(&ledger));
        let (track, words) = {
            let (backing, laid) = (extras.backing.clone(), laid.clone());
            let track = deadline
                .work(move |cutoff| Track::lay(&ledger, &words, &backing, &laid, cutoff).map(|track| (track, words)));
            track.await.map_err(std::io::Error::from).flatten().map_err(|error| could_not("the sound", error))?
        };
        // What an earlier try has left may be a pipe, for which ffmpeg would wait.
        let _ = tokio::fs::remove_file(folder.join(ENCODED)).await;
        ffmpeg.run(&arguments(track.channels), folder, deadline).await?;
        // A pipe would be waited for when it is joined.
        UntrustedFile::open(&folder.join(ENCODED), LARGEST).map_err(|unfit| {
            JobError::new(Code::AssembleWrongFilm, format!("ffmpeg wrote no usable {ENCODED}: {unfit}"))
        })?;
        Ok(Self { track, laid, times, words })
    }

    /// Whether it is the sound of a film with this ledger and these words: a scene may have been left out or spoken again since.
    pub(super) fn fits(&self, ledger: &Ledger, words: &[Sound]) -> bool {
        self.times == times(ledger) && self.words == words
    }
}

/// The error of a step outside of ffmpeg that failed, or took too long.
pub(super) fn could_not(what: &str, error: std::io::Error) -> JobError {
    match error.kind() {
        std::io::ErrorKind::TimedOut => {
            JobError::new(Code::AssembleTimedOut, format!("preparing {what} took too long"))
        }
        _ => JobError::new(Code::ScratchFailed, format!("preparing {what} failed: {error}")),
    }
}

fn arguments(channels: usize) -> Vec<OsString> {
    // Speech in one channel is transparent at 128 kbit/s, pulses and all, and both speakers play it; two take 192.
    let (channels, rate) = if channels == 1 { ("1", "128k") } else { ("2", "192k") };
    let input = ["-f", "s16le", "-ar", "48000", "-ac", channels, "-i", LAID];
    // Its other search takes twice as long for more noise: 27 dB below the sound instead of 41, measured on speech.
    let output = ["-c:a", "aac", "-aac_coder", "fast", "-b:a", rate, ENCODED];
    input.into_iter().chain(output).map(Into::into).collect()
}
