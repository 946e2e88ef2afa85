//! Loudness (EBU R 128) of what passes by: of a whole track, and of each beat's words in it.

use std::io;

use ebur128::{EbuR128, Mode};

use super::recording::Moment;
use crate::narrate::SAMPLE_RATE;

/// Samples that are handed to the meter at a time.
const BLOCK: usize = SAMPLE_RATE as usize;
/// Loudness is measured in blocks of 400 ms: shorter words have none of their own.
const MEASURED: usize = SAMPLE_RATE as usize * 4 / 10;

/// Loudness of what passes by. A track of one channel is played by two speakers; ffmpeg's ebur128 counts it as one all the
/// same, and so do we.
pub(super) struct Meter {
    meter: EbuR128,
    channels: usize,
    waiting: Vec<f32>,
}

impl Meter {
    pub(super) fn new(channels: usize) -> io::Result<Self> {
        let meter = EbuR128::new(channels as u32, SAMPLE_RATE, Mode::I).map_err(io::Error::other)?;
        Ok(Self { meter, channels, waiting: Vec::with_capacity(BLOCK + 1) })
    }

    pub(super) fn take(&mut self, moment: Moment) -> io::Result<()> {
        self.waiting.extend_from_slice(&moment[..self.channels]);
        if self.waiting.len() >= BLOCK { self.measure() } else { Ok(()) }
    }

    fn measure(&mut self) -> io::Result<()> {
        self.meter.add_frames_f32(&self.waiting).map_err(io::Error::other)?;
        self.waiting.clear();
        Ok(())
    }

    /// Integrated loudness (EBU R 128) in LUFS; none when all is silent.
    pub(super) fn loudness(&mut self) -> io::Result<Option<f64>> {
        self.measure()?;
        Ok(self.meter.loudness_global().ok().filter(|loudness| loudness.is_finite()))
    }
}

/// Loudness of each beat's words.
pub(super) struct BeatMeter {
    /// First sample and length of each, in film order.
    stretches: Vec<(u64, usize)>,
    channels: usize,
    /// Moments that have passed.
    passed: u64,
    meter: Meter,
    found: Vec<Option<f64>>,
}

impl BeatMeter {
    /// Of words that begin at a sample and are so many samples long, in film order.
    pub(super) fn new(stretches: Vec<(u64, usize)>, channels: usize) -> io::Result<Self> {
        Ok(Self { stretches, channels, passed: 0, meter: Meter::new(channels)?, found: Vec::new() })
    }

    pub(super) fn take(&mut self, moment: Moment) -> io::Result<()> {
        let at = self.passed;
        self.passed += 1;
        while let Some(&(first, samples)) = self.stretches.get(self.found.len()) {
            if at < first {
                break;
            }
            if at < first + samples as u64 {
                return self.meter.take(moment);
            }
            self.close(samples)?;
        }
        Ok(())
    }

    fn close(&mut self, samples: usize) -> io::Result<()> {
        let loudness = self.meter.loudness()?;
        self.meter = Meter::new(self.channels)?;
        self.found.push(loudness.filter(|_| samples >= MEASURED));
        Ok(())
    }

    /// In LUFS, one for each; none for silence and for words that are too short.
    pub(super) fn loudness(mut self) -> io::Result<Vec<Option<f64>>> {
        while let Some(&(_, samples)) = self.stretches.get(self.found.len()) {
            self.close(samples)?;
        }
        Ok(self.found)
    }
}
