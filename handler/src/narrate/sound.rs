//! A beat's sound, in a file: a long film's narration is larger than the memory of a small function.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::SAMPLE_RATE;
use crate::deadline::Cutoff;
use crate::speed;

/// Mono at 48 kHz, 16 bits a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sound {
    path: PathBuf,
    samples: usize,
}

impl Sound {
    /// Writes `samples` (-1 to 1) to `path` at the film's loudness, so that beats and voices do not differ, with limited peaks.
    /// Silence gets no file. When the time ends, the level is what was found by then.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(path: &Path, samples: &[f32], cutoff: &Cutoff) -> io::Result<Self> {
        if samples.iter().all(|sample| *sample == 0.0) {
            return Ok(Self::at(None, samples.len()));
        }
        let begun = Instant::now();
        let bytes = audio::normalized(samples, &mut || cutoff.check().is_ok());
        let length = Duration::from_secs_f64(samples.len() as f64 / f64::from(SAMPLE_RATE));
        speed::measured(length, begun.elapsed());
        std::fs::write(path, bytes)?;
        Ok(Self { path: path.to_owned(), samples: samples.len() })
    }

    /// The sound of so many samples that [`Sound::write`] has written to `path`, or silence when there is no path.
    pub fn at(path: Option<PathBuf>, samples: usize) -> Self {
        Self { path: path.unwrap_or_default(), samples }
    }

    /// Its file; none for silence.
    pub fn path(&self) -> Option<&Path> {
        (!self.path.as_os_str().is_empty()).then_some(&*self.path)
    }

    /// Silence of so many milliseconds; it needs no file.
    pub fn silence(ms: u32) -> Self {
        Self { path: PathBuf::new(), samples: ms as usize * SAMPLE_RATE as usize / 1000 }
    }

    /// Its length in samples; 0 for a silent beat.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Its first samples.
    #[must_use]
    pub fn shortened(mut self, samples: usize) -> Self {
        self.samples = self.samples.min(samples);
        self
    }

    /// All of it, -1 to 1.
    ///
    /// # Errors
    /// When the file is gone or shorter.
    pub fn read(&self) -> io::Result<Vec<f32>> {
        if self.samples == 0 {
            return Ok(Vec::new());
        }
        if self.path.as_os_str().is_empty() {
            return Ok(vec![0.0; self.samples]);
        }
        let bytes = std::fs::read(&self.path)?;
        let Some(bytes) = bytes.get(..2 * self.samples) else {
            return Err(io::Error::other(format!("{} does not have {} samples", self.path.display(), self.samples)));
        };
        Ok(audio::samples(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(seconds: f64, level: f32) -> Vec<f32> {
        (0..(seconds * 48_000.0) as usize).map(|n| (n as f32 * 0.1).sin() * level).collect()
    }

    fn soon() -> Cutoff {
        crate::deadline::Deadline::after(Duration::from_secs(60)).into()
    }

    #[test]
    fn a_written_sound_is_read_at_the_films_loudness() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound");
        let sound = Sound::write(&path, &tone(3.0, 0.02), &soon()).unwrap();
        let kept = sound.read().unwrap();
        assert_eq!((kept.len(), sound.samples()), (144_000, 144_000));
        // A tone at -16 LUFS peaks at about -13 dBFS.
        let peak = kept.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.15..0.35).contains(&peak), "{peak}");
    }

    #[test]
    fn silence_stays_silent_and_a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound");
        let sound = Sound::write(&path, &[0.0; 4_800], &soon()).unwrap();
        assert_eq!((sound.path(), sound.samples()), (None, 4_800));
        assert!(sound.read().unwrap().iter().all(|sample| *sample == 0.0));
        let sound = Sound::write(&path, &tone(0.1, 0.5), &soon()).unwrap();
        std::fs::write(&path, [0; 10]).unwrap();
        assert!(sound.read().is_err());
        assert_eq!(Sound::silence(500).read().unwrap(), vec![0.0; 24_000]);
        assert_eq!(Sound::default().read().unwrap(), Vec::<f32>::new());
    }
}
