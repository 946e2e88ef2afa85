//! Turns samples into the bytes of a track.

use ebur128::Error;

use crate::limiter::{LOOK_AHEAD, Limiter};
use crate::loudness::Meter;
use crate::{StereoFrame, factor, to_bytes};

/// Turns frames into the bytes of a track, louder or quieter, with its peaks held, and measures it.
pub struct Mixdown {
    channels: usize,
    factor: f32,
    /// None where nothing can be too loud.
    limiter: Option<Limiter<2>>,
    meter: Meter,
    /// Kept, so that not each second of sound asks for memory.
    limited: Vec<StereoFrame>,
}

impl Mixdown {
    /// Of one channel, which takes the left side, or of two; `gain` is in decibels. `is_limited` says that no frame that goes in is
    /// above [`crate::CEILING`].
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(channels: usize, gain: f64, is_limited: bool) -> Result<Self, Error> {
        let limiter = (!is_limited || gain > 0.0).then(Limiter::new);
        Ok(Self { channels, factor: factor(gain), limiter, meter: Meter::new(channels)?, limited: Vec::new() })
    }

    /// Takes frames, and puts the bytes of those that are ready behind what is in `out`.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn take(&mut self, frames: &[StereoFrame], out: &mut Vec<u8>) -> Result<(), Error> {
        self.limited.clear();
        let (factor, limited) = (self.factor, &mut self.limited);
        let scaled = frames.iter().map(|frame| frame.map(|sample| sample * factor));
        match &mut self.limiter {
            Some(limiter) => limiter.run(scaled, |frame| limited.push(frame)),
            None => limited.extend(scaled),
        }
        self.meter.add_frames(&self.limited)?;
        if self.channels == 1 {
            out.extend(self.limited.iter().flat_map(|frame| to_bytes(frame[0])));
        } else {
            out.extend(self.limited.as_flattened().iter().flat_map(|sample| to_bytes(*sample)));
        }
        Ok(())
    }

    /// What is still held comes out; then the loudness of all of it in LUFS, none for silence.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Option<f64>, Error> {
        if self.limiter.is_some() {
            self.take(&[[0.0; 2]; LOOK_AHEAD], out)?;
        }
        Ok(self.meter.loudness())
    }
}
