//! Measures the synchronisation of sound and picture in the finished film, at every beat.
//!
//! The ledger only says where to search. The time of a beat's first picture is read from the film's own packets. The beginning of
//! its words is measured: the film's sound is decoded as a player does it, with the encoder's delay and the container's edit list,
//! and correlated with the track that went in.

use std::io;

use audio::{STEP, best_match, envelope};
use serde::{Deserialize, Serialize};

use super::Ledger;
use super::recording::Recording;
use crate::deadline::Cutoff;
use crate::narrate::SAMPLE_RATE;

/// How far off words are looked for: 100 ms, on both sides.
const REACH: usize = SAMPLE_RATE as usize / 10;
/// What is compared of a beat: 40 ms before its words, for their onset, and 210 ms of them.
const BEFORE: usize = SAMPLE_RATE as usize * 40 / 1000;
const LENGTH: usize = SAMPLE_RATE as usize / 4;
/// Samples around the best step of the envelope in which words are placed to the sample.
const FINE: usize = 10 * STEP;
/// Samples that are compared for that.
const FINE_LENGTH: usize = SAMPLE_RATE as usize / 10;
/// Two sounds that are less alike than this are not the same words: AAC at our rate leaves 0.98 of speech, and 0.92 of white
/// noise, of which it keeps least.
const ALIKE: f64 = 0.8;

/// A beat as it was planned, and as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeatSync {
    /// The beat's id.
    pub id: String,
    /// What the ledger says.
    pub planned: Planned,
    /// What the finished film says.
    pub measured: Measured,
    /// By how much its words come later than its picture, in frames; none for a beat without words.
    pub error_frames: Option<f64>,
    /// Whether its words are not recognised within 100 ms of their place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unheard: bool,
}

/// Where the ledger puts a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// First frame of its picture.
    pub first_frame: u64,
    /// First sample of its words.
    pub first_sample: u64,
}

/// Where a beat is in the finished film.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// When its first picture is presented, in frames from the film's beginning.
    pub first_frame: f64,
    /// Where its words begin in the decoded sound; none for a beat without words.
    pub first_sample: Option<u64>,
}

/// Measures all beats. `packets` are the film's pictures as ffmpeg's `framecrc`, `spoken` says of each beat whether there is
/// any sound in its words, `laid` is the track that went in, `decoded` the film's sound, decoded.
///
/// # Errors
/// A message: what can't be read, or that most words are not near their place. A single beat that is not recognised may begin with a
/// whisper that the encoder turns into noise: that gives a warning, and does not fail the film.
pub(super) fn beats(
    ledger: &Ledger,
    packets: &str,
    spoken: &[bool],
    laid: &Recording,
    decoded: &Recording,
    cutoff: &Cutoff,
) -> Result<Vec<BeatSync>, String> {
    let times = times(packets)?;
    let beat = |(beat, spoken): (&super::ledger::BeatEntry, &bool)| {
        cutoff.check().map_err(|passed| passed.to_string())?;
        let planned = Planned { first_frame: beat.first_frame, first_sample: beat.first_sample };
        let seconds = times.get(beat.first_frame as usize).ok_or_else(|| "the film ends before the beat".to_owned())?;
        // A thousandth of a frame is more than any clock in the file can tell.
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        let first_frame = rounded(seconds * f64::from(ledger.fps));
        let samples = usize::try_from(beat.samples).unwrap_or(LENGTH);
        let found = spoken.then(|| onset(laid, decoded, beat.first_sample, samples)).transpose();
        let (first_sample, unheard) = match found.map_err(|error| error.to_string())? {
            None | Some(Onset::Silent) => (None, false),
            Some(Onset::At(sample)) => (Some(sample), false),
            Some(Onset::Missing) => (None, true),
        };
        let frames = |sample: u64| sample as f64 * f64::from(ledger.fps) / f64::from(ledger.sample_rate);
        let error_frames = first_sample.map(|sample| rounded(frames(sample) - first_frame));
        let id = beat.id.clone();
        Ok(BeatSync { id, planned, measured: Measured { first_frame, first_sample }, error_frames, unheard })
    };
    let beats: Vec<BeatSync> = ledger.beats().zip(spoken).map(beat).collect::<Result<_, String>>()?;
    let unheard: Vec<&BeatSync> = beats.iter().filter(|beat| beat.unheard).collect();
    let sought = unheard.len() + beats.iter().filter(|beat| beat.measured.first_sample.is_some()).count();
    match unheard.first() {
        Some(first) if 2 * unheard.len() > sought => Err(format!(
            "the words of {} of {sought} beats (beat {} first) are not within 100 ms of their place",
            unheard.len(),
            first.id
        )),
        _ => Ok(beats),
    }
}

/// The largest error of all, in frames.
pub(super) fn worst(beats: &[BeatSync]) -> f64 {
    beats.iter().filter_map(|beat| beat.error_frames).map(f64::abs).fold(0.0, f64::max)
}

/// When each picture is presented, in seconds: one line a packet, `stream, dts, pts, …` in ticks of `#tb 0: 1/15360`.
fn times(packets: &str) -> Result<Vec<f64>, String> {
    let clock = packets.lines().find_map(|line| line.strip_prefix("#tb 0:")?.trim().split_once('/'));
    let number = |text: &str| text.trim().parse::<f64>().map_err(|error| format!("packet list: {text}: {error}"));
    let (ticks, second) = clock.ok_or("ffmpeg's packet list has no time base")?;
    let tick = number(ticks)? / number(second)?;
    let lines = packets.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut times = lines
        .map(|line| number(line.split(',').nth(2).unwrap_or_default()).map(|pts| pts * tick))
        .collect::<Result<Vec<f64>, String>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// The measured onset of a beat's words.
enum Onset {
    /// They begin with silence that is longer than what is compared.
    Silent,
    /// They begin here.
    At(u64),
    /// Something else is there, or silence.
    Missing,
}

/// Where in `decoded` the words begin that were laid at `planned`.
fn onset(laid: &Recording, decoded: &Recording, planned: u64, samples: usize) -> io::Result<Onset> {
    let from = planned as i64 - BEFORE as i64;
    let length = BEFORE + samples.min(LENGTH - BEFORE);
    let mono = |recording: &Recording, from: i64, length: usize| -> io::Result<Vec<f32>> {
        Ok(recording.read(from, length)?.into_iter().map(|[left, right]| left + right).collect())
    };
    let sought = mono(laid, from, length)?;
    if sought.iter().all(|sample| *sample == 0.0) {
        return Ok(Onset::Silent);
    }
    let around = mono(decoded, from - REACH as i64, length + 2 * REACH)?;
    let (coarse, _) = best_match(&envelope(&sought), &envelope(&around));
    // To the sample, around the best step.
    let first = (coarse * STEP).saturating_sub(FINE);
    let fine = &sought[..length.min(FINE_LENGTH)];
    let last = (coarse * STEP + FINE + fine.len()).min(around.len());
    let (lag, alike) = best_match(fine, &around[first..last]);
    let sample = from + (first + lag) as i64 - REACH as i64 + BEFORE as i64;
    // Words at the film's first sample may be found one sample before it.
    let sample = sample.max(0).cast_unsigned();
    Ok(if alike > ALIKE { Onset::At(sample) } else { Onset::Missing })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::ledger::tests::scene;
    use super::*;
    use crate::deadline::Deadline;

    fn beats(
        ledger: &Ledger,
        packets: &str,
        spoken: &[bool],
        laid: &Recording,
        decoded: &Recording,
    ) -> Result<Vec<BeatSync>, String> {
        super::beats(ledger, packets, spoken, laid, decoded, &Deadline::after(Duration::from_secs(60)).into())
    }

    fn recording(folder: &tempfile::TempDir, name: &str, samples: &[f32]) -> Recording {
        let path = folder.path().join(name);
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
        std::fs::write(&path, bytes).unwrap();
        Recording::open(&path, 1).unwrap()
    }

    /// Which beats of [`ledger`] have words.
    const SPOKEN: &[bool] = &[true, false, true];

    /// Two beats of a second at 30 frames, the second after a pause, all after an intro of 12 frames.
    fn ledger() -> Ledger {
        let scene = scene("s", &["x", "", "x"]);
        let mut ledger = Ledger::of(30, [(&scene, &[40, 10, 40][..], vec![48_000, 0, 48_000])]);
        ledger.surround(12, 0);
        ledger
    }

    fn track(ledger: &Ledger, tone: impl Fn(f32) -> f32) -> Vec<f32> {
        let mut track = vec![0.0; ledger.samples() as usize];
        for beat in ledger.beats() {
            let first = beat.first_sample as usize;
            for (n, sample) in track[first..first + beat.samples as usize].iter_mut().enumerate() {
                *sample = tone(n as f32) * (n as f32 / 192.0).min(1.0);
            }
        }
        track
    }

    fn noise(seed: &mut u32) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    }

    fn packets(ledger: &Ledger, late: u64) -> String {
        let line = |frame: u64| format!("0, {0:10}, {0:10}, 512, 99, 0x12345678\n", frame * 512 + late);
        "#software: Lavf\n#tb 0: 1/15360\n#media_type 0: video\n".to_owned()
            + &(0..ledger.frames).map(line).collect::<String>()
    }

    const TONES: [fn(f32) -> f32; 3] = [
        |n| (n * 0.057).sin() * 0.4,
        |n| (n * 0.39).sin() * 0.4,
        // Something like speech: changing pitch and level.
        |n| (n * 0.02 + (n * 0.000_9).sin() * 9.0).sin() * (0.3 + 0.2 * (n * 0.002).sin()),
    ];

    /// The track as it is heard so many samples later.
    fn moved(track: &[f32], by: i64) -> Vec<f32> {
        let shift = |n: usize| *usize::try_from(n as i64 - by).ok().and_then(|n| track.get(n)).unwrap_or(&0.0);
        (0..track.len()).map(|n| shift(n) * 0.7).collect()
    }

    #[test]
    fn a_shift_is_measured_to_the_sample() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger();
        for tone in TONES {
            let track = track(&ledger, tone);
            for by in [-1_024_i64, -1, 0, 1, 17, 1_024, 3_000] {
                let laid = recording(&folder, "laid", &track);
                let decoded = recording(&folder, "decoded", &moved(&track, by));
                let measured = beats(&ledger, &packets(&ledger, 0), SPOKEN, &laid, &decoded).unwrap();
                let expected = |first: i64| u64::try_from(first + by).ok();
                assert_eq!(measured[2].measured.first_sample, expected(99_200), "{by}");
                assert_eq!(measured[0].measured.first_sample, expected(19_200), "{by}");
                assert_eq!(measured[1].measured.first_sample, None);
                assert_eq!(measured[2].measured.first_frame, 62.0);
                let frames = (by as f64 / 1_600.0).abs();
                assert!((worst(&measured) - frames).abs() < 0.001, "{by}: {}", worst(&measured));
            }
        }
    }

    #[test]
    fn a_shift_beyond_the_search_range_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger();
        for tone in TONES {
            let track = track(&ledger, tone);
            let laid = recording(&folder, "laid", &track);
            for by in [-9_600, 9_600] {
                let decoded = recording(&folder, "decoded", &moved(&track, by));
                let measured = beats(&ledger, &packets(&ledger, 0), SPOKEN, &laid, &decoded);
                // Something else that is like it may be found, but not in step.
                assert!(measured.is_err_and(|why| why.contains("beat s-0")), "{by}");
            }
        }
    }

    #[test]
    fn words_at_the_first_sample_may_seem_to_begin_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene("s", &["x"]);
        let ledger = Ledger::of(30, [(&scene, &[40][..], vec![48_000])]);
        let track = track(&ledger, TONES[2]);
        let laid = recording(&folder, "laid", &track);
        let decoded = recording(&folder, "decoded", &moved(&track, -1));
        let measured = beats(&ledger, &packets(&ledger, 0), &[true], &laid, &decoded).unwrap();
        assert_eq!((measured[0].measured.first_sample, measured[0].unheard), (Some(0), false));
    }

    #[test]
    fn late_pictures_and_other_sounds_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger();
        let track = track(&ledger, |n| (n * 0.057).sin() * 0.4);
        let laid = recording(&folder, "laid", &track);
        let measured = beats(&ledger, &packets(&ledger, 512), SPOKEN, &laid, &laid).unwrap();
        assert_eq!((measured[2].measured.first_frame, measured[2].error_frames), (63.0, Some(-1.0)));
        let silence = recording(&folder, "decoded", &vec![0.0; track.len()]);
        let noise_samples: Vec<f32> = track.iter().scan(1_u32, |seed, _| Some(noise(seed))).collect();
        let noise = recording(&folder, "noise", &noise_samples);
        for other in [&silence, &noise] {
            assert!(beats(&ledger, &packets(&ledger, 0), SPOKEN, &laid, other).is_err());
        }
        // A single beat that is not recognised is reported.
        let mut half = track.clone();
        half[90_000..].copy_from_slice(&noise_samples[90_000..]);
        let half = recording(&folder, "half", &half);
        let measured = beats(&ledger, &packets(&ledger, 0), SPOKEN, &laid, &half).unwrap();
        assert_eq!(measured.iter().map(|beat| beat.unheard).collect::<Vec<_>>(), [false, false, true]);
        // Where nothing was laid, nothing is missing; and what is heard beside beats without words is not theirs.
        for (laid, spoken) in [(&silence, SPOKEN), (&laid, &[false; 3])] {
            let measured = beats(&ledger, &packets(&ledger, 0), spoken, laid, &silence).unwrap();
            assert!(measured.iter().all(|beat| beat.measured.first_sample.is_none() && beat.error_frames.is_none()));
        }
        assert!(beats(&ledger, "#tb 0: 1/15360\n", SPOKEN, &laid, &laid).is_err());
        assert!(beats(&ledger, "no list", SPOKEN, &laid, &laid).is_err());
    }
}
