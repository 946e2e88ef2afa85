//! One continuous narration track, cut together sample by sample from the ledger, at one loudness.
//!
//! It goes from the beats' files to one file, block by block: a film of half an hour is larger than a small function.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use ebur128::{EbuR128, Mode};

use super::Ledger;
use crate::narrate::{SAMPLE_RATE, Sound};

/// Integrated loudness of every film, in LUFS: what streaming services and classrooms expect of speech.
pub const LOUDNESS: f64 = -16.0;
/// No sample of the track is above this (-2 dBFS): AAC and true peaks between samples stay below -1 dBTP.
const CEILING: f32 = 0.794;
/// The limiter looks this far ahead: 5 ms, which a voice does not show.
const LOOK_AHEAD: usize = SAMPLE_RATE as usize * 5 / 1000;
/// The limiter lets go in about this time: 80 ms.
const RELEASE: f32 = 1.0 / (SAMPLE_RATE as f32 * 0.080);
/// At the ends of each beat's words: 4 ms, so that no cut clicks.
const FADE: usize = SAMPLE_RATE as usize * 4 / 1000;

/// Rounds of finding the gain: limiting takes a little loudness away, and two rounds are enough for speech.
const ROUNDS: usize = 3;
/// Samples of silence at a time.
const BLOCK: usize = SAMPLE_RATE as usize;

/// The film's sound, in a file of little-endian 16-bit samples, which ffmpeg reads as `s16le`: mono at 48 kHz, exactly as
/// long as the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Integrated loudness as measured afterwards, in LUFS; none for a film without words.
    pub loudness: Option<f64>,
}

impl Track {
    /// Lays each beat's words where the ledger says, into the file at `path`. `words` are in film order, empty for silent
    /// beats.
    ///
    /// # Errors
    /// When a beat's file is gone, or `path` can't be written.
    pub fn lay<'a>(ledger: &Ledger, words: impl IntoIterator<Item = &'a Sound>, path: &Path) -> io::Result<Self> {
        let words: Vec<&Sound> = words.into_iter().collect();
        let mut meter = meter()?;
        stream(ledger, &words, |block| meter.add_frames_f32(block).map_err(io::Error::other))?;
        let mut loudness = measured(&meter);
        let mut gain = loudness.map_or(0.0, |loudness| LOUDNESS - loudness);
        for _ in 0..ROUNDS {
            loudness = write(ledger, &words, gain, path)?;
            match loudness.map(|loudness| LOUDNESS - loudness) {
                Some(missing) if missing.abs() >= 0.2 => gain += missing,
                _ => break,
            }
        }
        Ok(Self { loudness })
    }
}

/// Writes the track with `gain` in decibels, limited, and gives its loudness.
fn write(ledger: &Ledger, words: &[&Sound], gain: f64, path: &Path) -> io::Result<Option<f64>> {
    let factor = 10_f64.powf(gain / 20.0) as f32;
    let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
    let mut meter = meter()?;
    let mut limiter = Limiter::new();
    let mut ready = Vec::with_capacity(BLOCK);
    let mut pass = |block: &mut dyn Iterator<Item = f32>| {
        ready.clear();
        ready.extend(block.filter_map(|sample| limiter.push(sample)));
        meter.add_frames_f32(&ready).map_err(io::Error::other)?;
        ready.iter().try_for_each(|sample| file.write_all(&((sample * 32_767.0).round() as i16).to_le_bytes()))
    };
    stream(ledger, words, |block| pass(&mut block.iter().map(|sample| sample * factor)))?;
    // What the limiter still holds.
    pass(&mut std::iter::repeat_n(0.0, LOOK_AHEAD))?;
    file.flush()?;
    Ok(measured(&meter))
}

/// Hands out the whole track, block by block.
fn stream(ledger: &Ledger, words: &[&Sound], mut each: impl FnMut(&[f32]) -> io::Result<()>) -> io::Result<()> {
    let silence = vec![0.0; BLOCK];
    let mut done = 0;
    let still_until = |done: &mut u64, sample: u64, each: &mut dyn FnMut(&[f32]) -> io::Result<()>| {
        while *done < sample {
            let length = (sample - *done).min(BLOCK as u64);
            each(&silence[..length as usize])?;
            *done += length;
        }
        Ok::<_, io::Error>(())
    };
    let ends = ledger.beats().skip(1).map(|beat| beat.first_sample).chain([ledger.samples()]);
    for ((beat, sound), end) in ledger.beats().zip(words).zip(ends) {
        still_until(&mut done, beat.first_sample, &mut each)?;
        let mut samples = sound.read()?;
        // A beat lasts at least as long as its words; only a broken ledger cuts here.
        samples.truncate((end - beat.first_sample) as usize);
        let last = samples.len().saturating_sub(1);
        for (index, sample) in samples.iter_mut().enumerate() {
            *sample *= (index.min(last - index) as f32 / FADE as f32).min(1.0);
        }
        each(&samples)?;
        done += samples.len() as u64;
    }
    still_until(&mut done, ledger.samples(), &mut each)
}

/// A mono track is played by two speakers; ffmpeg's ebur128 counts it as one channel all the same, and so do we.
fn meter() -> io::Result<EbuR128> {
    EbuR128::new(1, SAMPLE_RATE, Mode::I).map_err(io::Error::other)
}

/// Integrated loudness (EBU R 128) in LUFS; none when all is silent.
fn measured(meter: &EbuR128) -> Option<f64> {
    meter.loudness_global().ok().filter(|loudness| loudness.is_finite())
}

/// A look-ahead peak limiter: the gain falls before a peak arrives, and comes back slowly. Samples come out in order,
/// [`LOOK_AHEAD`] pushes after they went in.
#[derive(Debug)]
struct Limiter {
    waiting: VecDeque<f32>,
    /// What the peaks in `waiting` need: index and gain, both ascending.
    ahead: VecDeque<(u64, f32)>,
    entered: u64,
    held: f32,
    /// The last gains held, and their sum.
    window: VecDeque<f32>,
    sum: f64,
    /// Samples since the gain was last held down; capped.
    free: usize,
}

impl Limiter {
    fn new() -> Self {
        let window = VecDeque::from(vec![1.0; LOOK_AHEAD]);
        let (waiting, ahead) = (VecDeque::with_capacity(LOOK_AHEAD + 1), VecDeque::new());
        Self { waiting, ahead, entered: 0, held: 1.0, window, sum: LOOK_AHEAD as f64, free: LOOK_AHEAD }
    }

    fn push(&mut self, sample: f32) -> Option<f32> {
        if sample.abs() > CEILING {
            let gain = CEILING / sample.abs();
            while self.ahead.back().is_some_and(|&(_, kept)| kept >= gain) {
                self.ahead.pop_back();
            }
            self.ahead.push_back((self.entered, gain));
        }
        self.waiting.push_back(sample);
        self.entered += 1;
        if self.waiting.len() <= LOOK_AHEAD {
            return None;
        }
        let sample = self.waiting.pop_front()?;
        let index = self.entered - 1 - LOOK_AHEAD as u64;
        while self.ahead.front().is_some_and(|&(at, _)| at < index) {
            self.ahead.pop_front();
        }
        let gain = self.gain();
        Some((sample * gain).clamp(-CEILING, CEILING))
    }

    /// The mean over the look-ahead behind is smooth, and at a peak all of it is at or below what the peak needs.
    fn gain(&mut self) -> f32 {
        let floor = self.ahead.front().map_or(1.0, |&(_, gain)| gain);
        self.held = floor.min(self.held + (1.0 - self.held) * RELEASE);
        if self.held > 0.9999 {
            self.held = 1.0;
            if self.free == LOOK_AHEAD {
                return 1.0;
            }
            self.free += 1;
        } else {
            self.free = 0;
        }
        self.sum += f64::from(self.held) - f64::from(self.window.pop_front().unwrap_or(1.0));
        self.window.push_back(self.held);
        (self.sum / LOOK_AHEAD as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::scene;
    use super::*;

    /// A stretch of something like speech: a tone in bursts, with a sharp peak now and then.
    fn bursts(seconds: usize, level: f32) -> Vec<f32> {
        (0..seconds * 48_000)
            .map(|n| {
                let tone = (n as f32 * 0.05).sin() * level;
                let peak = if n % 9_600 == 4_800 { 6.0 } else { 1.0 };
                if (n / 9_600) % 3 == 2 { 0.0 } else { tone * peak }
            })
            .collect()
    }

    fn ledger_of(words: &[Vec<f32>]) -> Ledger {
        let scene = scene("s", &vec!["x"; words.len()]);
        let frames: Vec<u64> = words.iter().map(|words| (words.len() as u64).div_ceil(1600) + 10).collect();
        Ledger::of(30, [(&scene, &frames[..], words.iter().map(Vec::len).collect())])
    }

    fn laid(words: &[Vec<f32>]) -> (Track, Vec<f32>) {
        let folder = tempfile::tempdir().unwrap();
        let keep = |(number, words): (usize, &Vec<f32>)| match words.len() {
            0 => Sound::default(),
            _ => Sound::keep(&folder.path().join(number.to_string()), words).unwrap(),
        };
        let sounds: Vec<Sound> = words.iter().enumerate().map(keep).collect();
        let path = folder.path().join("track");
        let track = Track::lay(&ledger_of(words), &sounds, &path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let samples = bytes.as_chunks::<2>().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_767.0);
        (track, samples.collect())
    }

    #[test]
    fn quiet_and_loud_voices_come_out_at_the_same_loudness() {
        for level in [0.01, 0.1, 0.6] {
            let (track, samples) = laid(&[bursts(4, level), bursts(3, level)]);
            let loudness = track.loudness.unwrap();
            assert!((loudness - LOUDNESS).abs() < 0.7, "{level}: {loudness}");
            assert!(samples.iter().all(|sample| sample.abs() <= CEILING + 0.0001));
        }
    }

    #[test]
    fn words_begin_where_the_ledger_says_and_the_rest_is_silent() {
        let words = vec![bursts(1, 0.3), Vec::new(), bursts(1, 0.3)];
        let ledger = ledger_of(&words);
        let (_, samples) = laid(&words);
        assert_eq!(samples.len() as u64, ledger.samples());
        for beat in ledger.beats() {
            let (first, after) = (beat.first_sample as usize, (beat.first_sample + beat.samples) as usize);
            let end = first + beat.frames as usize * 1600;
            assert!(samples[after..end].iter().all(|&sample| sample == 0.0));
            assert!(beat.samples == 0 || samples[first..first + 100].iter().any(|&sample| sample != 0.0));
        }
    }

    #[test]
    fn no_seam_clicks() {
        let (_, samples) = laid(&[vec![0.4; 24_000], bursts(1, 0.3), vec![-0.4; 24_000]]);
        // Words that begin and end at full level fade over 4 ms: no step is larger than a few of its parts.
        let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        let within_bursts = 0.3;
        let around_cuts = [0, 24_000].map(|at| samples[at..at + 400].windows(2).map(|pair| (pair[1] - pair[0]).abs()));
        assert!(around_cuts.into_iter().flatten().all(|step| step < 0.02));
        assert!(steps.fold(0.0_f32, f32::max) < within_bursts * 6.0);
    }

    #[test]
    fn a_film_without_words_stays_silent() {
        let (track, samples) = laid(&[Vec::new()]);
        assert_eq!(track.loudness, None);
        assert!(!samples.is_empty() && samples.iter().all(|&sample| sample == 0.0));
    }

    #[test]
    fn the_limiter_holds_every_peak_and_leaves_the_rest() {
        let mut samples: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        samples[24_000] = 3.0;
        let mut limiter = Limiter::new();
        let padded = samples.iter().copied().chain(std::iter::repeat_n(0.0, LOOK_AHEAD));
        let limited: Vec<f32> = padded.filter_map(|sample| limiter.push(sample)).collect();
        assert_eq!(limited.len(), samples.len());
        assert!(limited.iter().all(|sample| sample.abs() <= CEILING));
        assert_eq!(limited[..20_000], samples[..20_000]);
        assert!(limited[24_000] > 0.7 && (limited[47_999] - samples[47_999]).abs() < 0.005);
    }
}
