//! A beat's sound, kept in a file: a long film's narration is larger than the memory of a small function.

use std::io;
use std::path::{Path, PathBuf};

use ebur128::{EbuR128, Mode};

use super::SAMPLE_RATE;

/// Loudness of every beat before the film's own normalisation, in LUFS: what broadcasters use, so that peaks fit.
const LOUDNESS: f64 = -23.0;
/// No sample is above this (-1 dBFS).
const CEILING: f64 = 0.89;
/// Loudness is measured in blocks of 400 ms; a shorter word is repeated until there are some.
const MEASURED: usize = SAMPLE_RATE as usize;

/// Mono at 48 kHz, 16 bits a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sound {
    path: PathBuf,
    samples: usize,
}

impl Sound {
    /// Keeps `samples` (-1 to 1) at `path`, brought to one loudness so that neither beats nor voices differ. Silence is kept
    /// without a file.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn keep(path: &Path, samples: &[f32]) -> io::Result<Self> {
        if samples.iter().all(|sample| *sample == 0.0) {
            return Ok(Self::at(None, samples.len()));
        }
        let gain = gain(samples);
        let whole = |sample: &f32| (f64::from(*sample) * gain * 32_767.0).round().clamp(-32_767.0, 32_767.0) as i16;
        let bytes: Vec<u8> = samples.iter().map(whole).flat_map(i16::to_le_bytes).collect();
        std::fs::write(path, bytes)?;
        Ok(Self { path: path.to_owned(), samples: samples.len() })
    }

    /// So many samples that [`Sound::keep`] has left at `path`, or silence when there is no path.
    pub fn at(path: Option<PathBuf>, samples: usize) -> Self {
        Self { path: path.unwrap_or_default(), samples }
    }

    /// Where it lies; none for silence.
    pub fn path(&self) -> Option<&Path> {
        (!self.path.as_os_str().is_empty()).then_some(&*self.path)
    }

    /// Nothing to hear for so long, in milliseconds; it needs no file.
    pub fn silence(ms: u32) -> Self {
        Self { path: PathBuf::new(), samples: ms as usize * SAMPLE_RATE as usize / 1000 }
    }

    /// Its length in samples; 0 for a silent beat.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// All of it, -1 to 1.
    ///
    /// # Errors
    /// When the file is gone or has another length.
    pub fn read(&self) -> io::Result<Vec<f32>> {
        if self.samples == 0 {
            return Ok(Vec::new());
        }
        if self.path.as_os_str().is_empty() {
            return Ok(vec![0.0; self.samples]);
        }
        let bytes = std::fs::read(&self.path)?;
        if bytes.len() != 2 * self.samples {
            return Err(io::Error::other(format!("{} does not have {} samples", self.path.display(), self.samples)));
        }
        let pairs = bytes.as_chunks::<2>().0;
        Ok(pairs.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_767.0).collect())
    }
}

/// What brings a sound to [`LOUDNESS`], as far as its peaks allow; 1 for silence.
fn gain(samples: &[f32]) -> f64 {
    let peak = f64::from(samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())));
    let Some(loudness) = loudness(samples).filter(|loudness| loudness.is_finite()) else { return 1.0 };
    10_f64.powf((LOUDNESS - loudness) / 20.0).min(CEILING / peak)
}

fn loudness(samples: &[f32]) -> Option<f64> {
    let mut meter = EbuR128::new(1, SAMPLE_RATE, Mode::I).ok()?;
    for _ in 0..MEASURED.div_ceil(samples.len().max(1)).max(1) {
        meter.add_frames_f32(samples).ok()?;
    }
    meter.loudness_global().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(seconds: f64, level: f32) -> Vec<f32> {
        (0..(seconds * 48_000.0) as usize).map(|n| (n as f32 * 0.1).sin() * level).collect()
    }

    #[test]
    fn loud_and_quiet_long_and_short_become_even() {
        let folder = tempfile::tempdir().unwrap();
        for (seconds, level) in [(3.0, 0.8), (3.0, 0.02), (0.2, 0.5), (0.2, 0.02)] {
            let path = folder.path().join("sound");
            let sound = Sound::keep(&path, &tone(seconds, level)).unwrap();
            let kept = sound.read().unwrap();
            assert_eq!(kept.len(), sound.samples());
            let loudness = loudness(&kept).unwrap();
            assert!((loudness - LOUDNESS).abs() < 0.2, "{seconds} s at {level}: {loudness}");
        }
    }

    #[test]
    fn silence_stays_silent_and_a_damaged_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound");
        let sound = Sound::keep(&path, &[0.0; 4_800]).unwrap();
        assert_eq!((sound.path(), sound.samples()), (None, 4_800));
        assert!(sound.read().unwrap().iter().all(|sample| *sample == 0.0));
        let sound = Sound::keep(&path, &tone(0.1, 0.5)).unwrap();
        std::fs::write(&path, [0; 10]).unwrap();
        assert!(sound.read().is_err());
        assert_eq!(Sound::silence(500).read().unwrap(), vec![0.0; 24_000]);
        assert_eq!(Sound::default().read().unwrap(), Vec::<f32>::new());
    }
}
