//! Measures loudness (EBU R 128) of a stream of samples.

use ebur128::{EbuR128, Error, Mode};

use crate::{SAMPLE_RATE, StereoFrame};

/// Measures the loudness of the samples it is given. A track of one channel is played by two speakers; ffmpeg's ebur128 counts it as one all the
/// same, and so do we.
pub struct Meter {
    meter: EbuR128,
    channels: usize,
    /// The left side, where that alone is measured.
    left: Vec<f32>,
}

impl Meter {
    /// Of so many channels, 1 or 2.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(channels: usize) -> Result<Self, Error> {
        let meter = EbuR128::new(if channels == 1 { 1 } else { 2 }, SAMPLE_RATE, Mode::I)?;
        Ok(Self { meter, channels, left: Vec::new() })
    }

    /// Takes interleaved samples.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn take(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.meter.add_frames_f32(samples)
    }

    /// Takes frames; of one channel, their left side.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn add_frames(&mut self, frames: &[StereoFrame]) -> Result<(), Error> {
        if self.channels != 1 {
            return self.take(frames.as_flattened());
        }
        self.left.clear();
        self.left.extend(frames.iter().map(|frame| frame[0]));
        self.meter.add_frames_f32(&self.left)
    }

    /// Integrated loudness in LUFS; none when all is silent, or shorter than the 400 ms in which it is measured.
    pub fn loudness(&self) -> Option<f64> {
        self.meter.loudness_global().ok().filter(|loudness| loudness.is_finite())
    }
}
