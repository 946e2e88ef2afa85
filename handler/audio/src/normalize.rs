//! Normalizes a beat's words to the film's loudness, with their peaks limited.
//!
//! Each beat by itself, as soon as it is spoken: a film's words are even then whoever spoke them, and the track is laid of what is
//! ready. Limiting takes loudness away, of a voice with sharp peaks more than half of what is added, so the gain is found in rounds.

use crate::limiter::{CEILING, LOOK_AHEAD, Limiter};
use crate::loudness::Meter;
use crate::{BLOCK, LOUDNESS, SAMPLE_RATE, factor, to_bytes};

/// Rounds of finding the gain; three are the rule.
const ROUNDS: usize = 5;
/// What a decibel of gain makes a sound louder, at first: the limiter takes the rest. From the second round on it is measured, and
/// believed within these bounds.
const SLOPE: f64 = 0.625;
const SLOPES: (f64, f64) = (0.25, 1.0);
/// Close enough, in LU.
const CLOSE: f64 = 0.2;
/// Peaks are limited by so many decibels at the most: a click is no speech, and stays quiet beside it.
const MOST_LIMITED: f64 = 20.0;
/// Loudness is measured in blocks of 400 ms; a shorter sound is repeated until there is a second of it.
const MEASURED: usize = SAMPLE_RATE as usize * 4 / 10;
const REPEATED: usize = SAMPLE_RATE as usize;

/// `samples` (-1 to 1) at [`LOUDNESS`], as far as their peaks allow, as little-endian 16-bit samples; none is above [`CEILING`].
/// `check` is asked before each second of sound whether there is time; once it says no, the level is that of the last whole round.
pub fn normalized(samples: &[f32], check: &mut dyn FnMut() -> bool) -> Vec<u8> {
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let most = 20.0 * f64::from(CEILING / peak.max(f32::MIN_POSITIVE)).log10() + MOST_LIMITED;
    let raw = measured(samples, check);
    let mut gain = raw.map_or(0.0, |loudness| LOUDNESS - loudness).min(most);
    let mut out = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for round in 0..ROUNDS {
        let Some(limited) = limited(samples, factor(gain), check) else { break };
        out = limited;
        // What no peak was taken from is as loud as it was meant to be.
        if raw.is_none() || peak * factor(gain) <= CEILING || round + 1 == ROUNDS {
            break;
        }
        let Some(loudness) = measured(&out, check) else { break };
        let missing = LOUDNESS - loudness;
        if missing.abs() < CLOSE || (missing > 0.0 && gain >= most) {
            break;
        }
        let slope = before.map(|(gained, was)| (loudness - was) / (gain - gained)).filter(|slope| slope.is_finite());
        before = Some((gain, loudness));
        gain = (gain + missing / slope.unwrap_or(SLOPE).clamp(SLOPES.0, SLOPES.1)).min(most);
    }
    if out.len() < samples.len() {
        // There was no time for a single round: as loud as can be without a limiter.
        let plain = factor(gain).min(CEILING / peak.max(f32::MIN_POSITIVE));
        return samples.iter().flat_map(|sample| to_bytes(sample * plain)).collect();
    }
    out.into_iter().flat_map(to_bytes).collect()
}

/// None when the time was up.
fn limited(samples: &[f32], factor: f32, check: &mut dyn FnMut() -> bool) -> Option<Vec<f32>> {
    let mut limiter = Limiter::<1>::new();
    let mut out = Vec::with_capacity(samples.len() + LOOK_AHEAD);
    for block in samples.chunks(BLOCK) {
        if !check() {
            return None;
        }
        limiter.run(block.iter().map(|sample| [sample * factor]), |[sample]| out.push(sample));
    }
    // What it still holds.
    limiter.run(std::iter::repeat_n([0.0], LOOK_AHEAD), |[sample]| out.push(sample));
    Some(out)
}

/// Integrated loudness in LUFS; none for silence, and when there was no time.
fn measured(samples: &[f32], check: &mut dyn FnMut() -> bool) -> Option<f64> {
    let mut meter = Meter::new(1).ok()?;
    let times = if samples.len() < MEASURED { REPEATED.div_ceil(samples.len().max(1)) } else { 1 };
    for _ in 0..times {
        for block in samples.chunks(BLOCK) {
            if !check() {
                return None;
            }
            meter.take(block).ok()?;
        }
    }
    meter.loudness()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(seconds: f64, level: f32) -> Vec<f32> {
        (0..(seconds * 48_000.0) as usize).map(|n| (n as f32 * 0.1).sin() * level).collect()
    }

    /// Something like speech: a tone in bursts, with a sharp peak now and then.
    fn bursts(seconds: usize, level: f32) -> Vec<f32> {
        (0..seconds * 48_000)
            .map(|n| {
                let tone = (n as f32 * 0.05).sin() * level;
                let peak = if n % 9_600 == 4_800 { 6.0 } else { 1.0 };
                if (n / 9_600) % 3 == 2 { 0.0 } else { tone * peak }
            })
            .collect()
    }

    fn normalized(samples: &[f32]) -> Vec<f32> {
        crate::samples(&super::normalized(samples, &mut || true))
    }

    fn loudness(samples: &[f32]) -> f64 {
        measured(samples, &mut || true).unwrap()
    }

    #[test]
    fn sounds_of_any_level_and_length_get_the_films_loudness() {
        for (seconds, level) in [(3.0, 0.8), (3.0, 0.02), (0.2, 0.5), (0.2, 0.02)] {
            let level_of = loudness(&normalized(&tone(seconds, level)));
            assert!((level_of - LOUDNESS).abs() < 0.3, "{seconds} s at {level}: {level_of}");
        }
        for level in [0.01, 0.1, 0.6] {
            let out = normalized(&bursts(4, level));
            assert!((loudness(&out) - LOUDNESS).abs() < 0.3, "{level}: {}", loudness(&out));
            assert!(out.iter().all(|sample| sample.abs() <= CEILING + 0.0001));
        }
    }

    #[test]
    fn a_click_is_limited_by_the_maximum_at_most() {
        let mut click = vec![0.000_1; 48_000];
        click[20_000] = 0.9;
        let out = normalized(&click);
        assert!(out[100] <= 0.000_1 * factor(MOST_LIMITED), "{}", out[100]);
    }

    #[test]
    fn without_time_it_is_as_loud_as_its_peaks_allow() {
        for asked in [0, 1, 5, 9] {
            let mut left = asked;
            let mut check = || {
                left -= 1;
                left >= 0
            };
            let out = crate::samples(&super::normalized(&bursts(4, 0.2), &mut check));
            assert_eq!(out.len(), 4 * 48_000, "{asked}");
            assert!(out.iter().all(|sample| sample.abs() <= CEILING + 0.0001), "{asked}");
            assert!(out.iter().any(|sample| *sample != 0.0), "{asked}");
        }
    }
}
