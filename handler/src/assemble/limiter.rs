//! A look-ahead peak limiter: the gain falls before a peak arrives, and comes back slowly.

use std::collections::VecDeque;

use super::recording::Moment;
use crate::narrate::SAMPLE_RATE;

/// No sample of the track is above this (-5.2 dBFS): AAC raises the pulses of espeak-ng's buzz by up to 3.8 dB, measured, and
/// the film's true peak has to stay below -1 dBTP.
pub(super) const CEILING: f32 = 0.55;
/// The limiter looks this far ahead: 5 ms, which a voice does not show.
pub(super) const LOOK_AHEAD: usize = SAMPLE_RATE as usize * 5 / 1000;
/// The limiter lets go in about this time: 80 ms.
const RELEASE: f32 = 1.0 / (SAMPLE_RATE as f32 * 0.080);

/// Moments come out in order, [`LOOK_AHEAD`] pushes after they went in. Both sides have one gain, so that nothing moves.
#[derive(Debug)]
pub(super) struct Limiter {
    waiting: VecDeque<Moment>,
    /// What the peaks in `waiting` need: index and gain, both ascending.
    ahead: VecDeque<(u64, f32)>,
    entered: u64,
    held: f32,
    /// The last gains held, and their sum.
    window: VecDeque<f32>,
    sum: f64,
    /// Moments since the gain was last held down; capped.
    free: usize,
}

impl Limiter {
    pub(super) fn new() -> Self {
        let window = VecDeque::from(vec![1.0; LOOK_AHEAD]);
        let (waiting, ahead) = (VecDeque::with_capacity(LOOK_AHEAD + 1), VecDeque::new());
        Self { waiting, ahead, entered: 0, held: 1.0, window, sum: LOOK_AHEAD as f64, free: LOOK_AHEAD }
    }

    pub(super) fn push(&mut self, moment: Moment) -> Option<Moment> {
        let peak = moment[0].abs().max(moment[1].abs());
        if peak > CEILING {
            let gain = CEILING / peak;
            while self.ahead.back().is_some_and(|&(_, kept)| kept >= gain) {
                self.ahead.pop_back();
            }
            self.ahead.push_back((self.entered, gain));
        }
        self.waiting.push_back(moment);
        self.entered += 1;
        if self.waiting.len() <= LOOK_AHEAD {
            return None;
        }
        let moment = self.waiting.pop_front()?;
        let index = self.entered - 1 - LOOK_AHEAD as u64;
        while self.ahead.front().is_some_and(|&(at, _)| at < index) {
            self.ahead.pop_front();
        }
        let gain = self.gain();
        Some(moment.map(|sample| (sample * gain).clamp(-CEILING, CEILING)))
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
    use super::*;

    #[test]
    fn the_limiter_holds_every_peak_and_leaves_the_rest() {
        let mut samples: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        samples[24_000] = 3.0;
        let mut limiter = Limiter::new();
        let padded = samples.iter().copied().chain(std::iter::repeat_n(0.0, LOOK_AHEAD));
        let limited: Vec<Moment> = padded.filter_map(|sample| limiter.push([sample, sample / 2.0])).collect();
        assert_eq!(limited.len(), samples.len());
        assert!(limited.iter().flatten().all(|sample| sample.abs() <= CEILING));
        assert!(limited[..20_000].iter().zip(&samples).all(|(limited, sample)| limited[0] == *sample));
        assert!(limited[24_000][0] > 0.45 && (limited[47_999][0] - samples[47_999]).abs() < 0.005);
        // What is quieter on the right stays as much quieter.
        assert!(limited.iter().all(|[left, right]| (left / 2.0 - right).abs() < 0.000_1));
    }
}
