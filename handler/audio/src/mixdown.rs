//! Turns samples into the bytes of a track.

use ebur128::Error;

use crate::limiter::{LOOK_AHEAD, Limiter};
use crate::loudness::Meter;
use crate::{Moment, factor, to_bytes};

/// Turns moments into the bytes of a track, louder or quieter, with its peaks held, and measures it.
pub struct Mixdown {
    channels: usize,
    factor: f32,
    /// None where nothing can be too loud.
    limiter: Option<Limiter<2>>,
    meter: Meter,
    /// Kept, so that not each second of sound asks for memory.
    limited: Vec<Moment>,
}

impl Mixdown {
    /// Of one channel, which takes the left side, or of two; `gain` is in decibels. `is_limited` says that no moment that goes in is
    /// above [`crate::CEILING`].
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(channels: usize, gain: f64, is_limited: bool) -> Result<Self, Error> {
        let limiter = (!is_limited || gain > 0.0).then(Limiter::new);
        Ok(Self { channels, factor: factor(gain), limiter, meter: Meter::new(channels)?, limited: Vec::new() })
    }

    /// Takes moments, and puts the bytes of those that are ready behind what is in `out`.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn take(&mut self, moments: &[Moment], out: &mut Vec<u8>) -> Result<(), Error> {
        self.limited.clear();
        let (factor, limited) = (self.factor, &mut self.limited);
        let scaled = moments.iter().map(|moment| moment.map(|sample| sample * factor));
        match &mut self.limiter {
            Some(limiter) => limiter.run(scaled, |moment| limited.push(moment)),
            None => limited.extend(scaled),
        }
        self.meter.take_moments(&self.limited)?;
        if self.channels == 1 {
            out.extend(self.limited.iter().flat_map(|moment| to_bytes(moment[0])));
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
