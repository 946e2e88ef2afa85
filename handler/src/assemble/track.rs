//! One continuous narration track, cut together sample by sample from the ledger, at one loudness.

use std::collections::VecDeque;

use ebur128::{EbuR128, Mode};

use super::Ledger;
use crate::narrate::SAMPLE_RATE;

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

/// The film's sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Mono at 48 kHz, exactly as long as the picture.
    pub samples: Vec<f32>,
    /// Integrated loudness as measured afterwards, in LUFS; none for a film without words.
    pub loudness: Option<f64>,
}

impl Track {
    /// Lays each beat's words where the ledger says. `words` are in film order, empty for silent beats.
    pub fn lay<'a>(ledger: &Ledger, words: impl IntoIterator<Item = &'a [f32]>) -> Self {
        let mut samples = vec![0.0; ledger.samples() as usize];
        for (beat, words) in ledger.beats().zip(words) {
            let first = beat.first_sample as usize;
            for (index, (place, &sample)) in samples[first..].iter_mut().zip(words).enumerate() {
                let from_end = words.len() - 1 - index;
                let fade = (index.min(from_end) as f32 / FADE as f32).min(1.0);
                *place = sample * fade;
            }
        }
        // Limiting takes a little loudness away, so the gain is found in a few rounds: two are enough for speech.
        for _ in 0..3 {
            let Some(loudness) = loudness(&samples) else { break };
            if (loudness - LOUDNESS).abs() < 0.2 {
                break;
            }
            let gain = 10_f64.powf((LOUDNESS - loudness) / 20.0) as f32;
            samples.iter_mut().for_each(|sample| *sample *= gain);
            limit(&mut samples);
        }
        let loudness = loudness(&samples);
        Self { samples, loudness }
    }

    /// As little-endian 32-bit floats, which ffmpeg reads as `f32le`.
    pub fn bytes(&self) -> Vec<u8> {
        self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
    }
}

/// Integrated loudness (EBU R 128) in LUFS; none when all is silent.
fn loudness(samples: &[f32]) -> Option<f64> {
    let mut meter = EbuR128::new(1, SAMPLE_RATE, Mode::I).ok()?;
    // A mono track is played by two speakers; ffmpeg's ebur128 counts it as one channel all the same, and so do we.
    meter.add_frames_f32(samples).ok()?;
    meter.loudness_global().ok().filter(|loudness| loudness.is_finite())
}

/// A look-ahead peak limiter: the gain falls before a peak arrives, and comes back slowly. Nothing is moved in time.
fn limit(samples: &mut [f32]) {
    let needed = |sample: f32| if sample.abs() > CEILING { CEILING / sample.abs() } else { 1.0 };
    if samples.iter().all(|&sample| needed(sample) >= 1.0) {
        return;
    }
    // The smallest needed gain in the window ahead, by a monotonic queue of (index, gain).
    let mut ahead: VecDeque<(usize, f32)> = VecDeque::new();
    let mut floor = Vec::with_capacity(samples.len());
    let mut entered = 0;
    for index in 0..samples.len() {
        while entered < samples.len() && entered <= index + LOOK_AHEAD {
            let gain = needed(samples[entered]);
            while ahead.back().is_some_and(|&(_, kept)| kept >= gain) {
                ahead.pop_back();
            }
            ahead.push_back((entered, gain));
            entered += 1;
        }
        while ahead.front().is_some_and(|&(at, _)| at < index) {
            ahead.pop_front();
        }
        floor.push(ahead.front().map_or(1.0, |&(_, gain)| gain));
    }
    // The mean over the look-ahead behind is smooth, and at a peak all of it is at or below what the peak needs.
    let (mut sum, mut held) = (0.0_f64, 1.0_f32);
    let mut window: VecDeque<f32> = VecDeque::with_capacity(LOOK_AHEAD + 1);
    for (sample, floor) in samples.iter_mut().zip(floor) {
        held = floor.min(held + (1.0 - held) * RELEASE);
        window.push_back(held);
        sum += f64::from(held);
        if window.len() > LOOK_AHEAD {
            sum -= f64::from(window.pop_front().unwrap_or(0.0));
        }
        let gain = (sum / window.len() as f64) as f32;
        *sample = (*sample * gain).clamp(-CEILING, CEILING);
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

    #[test]
    fn quiet_and_loud_voices_come_out_at_the_same_loudness() {
        for level in [0.01, 0.1, 0.6] {
            let words = vec![bursts(4, level), bursts(3, level)];
            let track = Track::lay(&ledger_of(&words), words.iter().map(Vec::as_slice));
            let loudness = track.loudness.unwrap();
            assert!((loudness - LOUDNESS).abs() < 0.7, "{level}: {loudness}");
            assert!(track.samples.iter().all(|sample| sample.abs() <= CEILING));
        }
    }

    #[test]
    fn words_begin_where_the_ledger_says_and_the_rest_is_silent() {
        let words = vec![bursts(1, 0.3), Vec::new(), bursts(1, 0.3)];
        let ledger = ledger_of(&words);
        let track = Track::lay(&ledger, words.iter().map(Vec::as_slice));
        assert_eq!(track.samples.len() as u64, ledger.samples());
        for beat in ledger.beats() {
            let (first, after) = (beat.first_sample as usize, (beat.first_sample + beat.samples) as usize);
            let end = first + beat.frames as usize * 1600;
            assert!(track.samples[after..end].iter().all(|&sample| sample == 0.0));
            assert!(beat.samples == 0 || track.samples[first..after].iter().any(|&sample| sample != 0.0));
        }
    }

    #[test]
    fn a_film_without_words_stays_silent() {
        let words = vec![Vec::new()];
        let track = Track::lay(&ledger_of(&words), words.iter().map(Vec::as_slice));
        assert_eq!(track.loudness, None);
        assert!(track.samples.iter().all(|&sample| sample == 0.0));
    }

    #[test]
    fn the_limiter_holds_every_peak_and_leaves_the_rest() {
        let mut samples: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        let before = samples.clone();
        samples[24_000] = 3.0;
        limit(&mut samples);
        assert!(samples.iter().all(|sample| sample.abs() <= CEILING));
        assert_eq!(samples[..20_000], before[..20_000]);
    }
}
