//! A look-ahead peak limiter: the gain falls before a peak arrives, and comes back slowly.

use std::collections::VecDeque;

use crate::SAMPLE_RATE;

/// No sample of the track is above this (-5.2 dBFS): AAC raises the pulses of espeak-ng's buzz by up to 3.8 dB, measured, and
/// the film's true peak has to stay below -1 dBTP.
pub const CEILING: f32 = 0.55;
/// The limiter looks this far ahead: 5 ms, which a voice does not show.
pub const LOOK_AHEAD: usize = SAMPLE_RATE as usize * 5 / 1000;
/// The limiter lets go in about this time: 80 ms.
const RELEASE: f32 = 1.0 / (SAMPLE_RATE as f32 * 0.080);

/// Moments come out in order, [`LOOK_AHEAD`] of them after they went in. All channels have one gain, so that nothing moves.
#[derive(Debug)]
pub struct Limiter<const CHANNELS: usize> {
    /// The last frames, and the gains held at the last ones that came out; rings, both at the same place.
    waiting: [[f32; CHANNELS]; LOOK_AHEAD],
    window: [f32; LOOK_AHEAD],
    place: usize,
    /// What the peaks in `waiting` need: index and gain, both ascending.
    ahead: VecDeque<(u64, f32)>,
    entered: u64,
    held: f32,
    /// The sum of `window`.
    sum: f64,
    /// Moments since the gain was last held down; capped.
    free: usize,
}

impl<const CHANNELS: usize> Default for Limiter<CHANNELS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CHANNELS: usize> Limiter<CHANNELS> {
    /// With nothing in it.
    pub fn new() -> Self {
        Self {
            waiting: [[0.0; CHANNELS]; LOOK_AHEAD],
            window: [1.0; LOOK_AHEAD],
            place: 0,
            ahead: VecDeque::new(),
            entered: 0,
            held: 1.0,
            sum: LOOK_AHEAD as f64,
            free: LOOK_AHEAD,
        }
    }

    /// Takes frames, and hands out those that are ready. What it holds at the end comes out when as many more go in.
    pub fn run(&mut self, frames: impl Iterator<Item = [f32; CHANNELS]>, mut ready: impl FnMut([f32; CHANNELS])) {
        for frame in frames {
            let peak = frame.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            if peak > CEILING {
                let gain = CEILING / peak;
                while self.ahead.back().is_some_and(|&(_, kept)| kept >= gain) {
                    self.ahead.pop_back();
                }
                self.ahead.push_back((self.entered, gain));
            }
            let oldest = std::mem::replace(&mut self.waiting[self.place], frame);
            self.entered += 1;
            if let Some(index) = self.entered.checked_sub(1 + LOOK_AHEAD as u64) {
                while self.ahead.front().is_some_and(|&(at, _)| at < index) {
                    self.ahead.pop_front();
                }
                let gain = self.gain();
                ready(oldest.map(|sample| (sample * gain).clamp(-CEILING, CEILING)));
            }
            self.place = if self.place + 1 == LOOK_AHEAD { 0 } else { self.place + 1 };
        }
    }

    /// The mean over the look-ahead behind is smooth, and at a peak all of it is at or below what the peak needs.
    #[inline]
    fn gain(&mut self) -> f32 {
        let floor = self.ahead.front().map_or(1.0, |&(_, gain)| gain);
        self.held = floor.min(self.held + (1.0 - self.held) * RELEASE);
        if self.held > 0.9999 {
            self.held = 1.0;
            if self.free == LOOK_AHEAD {
                // Nothing in the window is anything but 1.
                return 1.0;
            }
            self.free += 1;
        } else {
            self.free = 0;
        }
        let leaves = std::mem::replace(&mut self.window[self.place], self.held);
        self.sum += f64::from(self.held) - f64::from(leaves);
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
        let mut limiter = Limiter::<2>::new();
        let padded = samples.iter().copied().chain(std::iter::repeat_n(0.0, LOOK_AHEAD));
        let mut limited = Vec::new();
        limiter.run(padded.map(|sample| [sample, sample / 2.0]), |frame| limited.push(frame));
        assert_eq!(limited.len(), samples.len());
        assert!(limited.iter().flatten().all(|sample| sample.abs() <= CEILING));
        assert!(limited[..20_000].iter().zip(&samples).all(|(limited, sample)| limited[0] == *sample));
        assert!(limited[24_000][0] > 0.45 && (limited[47_999][0] - samples[47_999]).abs() < 0.005);
        // What is quieter on the right stays as much quieter.
        assert!(limited.iter().all(|[left, right]| (left / 2.0 - right).abs() < 0.000_1));
    }
}
