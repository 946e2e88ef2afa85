//! Sound in a file, read a piece at a time: a film's worth of it is larger than the memory of a small function.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use audio::{BLOCK, Meter, StereoFrame};

use crate::deadline::Cutoff;

/// A file of little-endian 16-bit samples at 48 kHz, interleaved, as ffmpeg's `s16le`.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    file: Arc<File>,
    channels: usize,
    frames: u64,
}

impl Recording {
    /// Opens a file of 1 or 2 channels.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn open(path: &Path, channels: usize) -> io::Result<Self> {
        let file = File::open(path)?;
        let frames = file.metadata()?.len() / (2 * channels as u64);
        Ok(Self { file: Arc::new(file), channels, frames })
    }

    /// Its length in sample frames, 48,000 a second.
    pub(super) fn stereo_frames(&self) -> u64 {
        self.frames
    }

    /// So many sample frames from `from`, which may lie before the first: there is silence outside. One channel is heard on both
    /// sides.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn read(&self, from: i64, frames: usize) -> io::Result<Vec<StereoFrame>> {
        let mut read = vec![[0.0; 2]; frames];
        let before = from.min(0).unsigned_abs().min(frames as u64) as usize;
        let begin = from.max(0).unsigned_abs().min(self.frames);
        let count = (frames - before).min((self.frames - begin) as usize);
        let width = 2 * self.channels;
        let mut bytes = vec![0; count * width];
        self.file.read_exact_at(&mut bytes, begin * width as u64)?;
        audio::stereo_frames(&bytes, self.channels, &mut read[before..before + count]);
        Ok(read)
    }

    /// Integrated loudness (EBU R 128) over both channels in LUFS; none when all is silent.
    ///
    /// # Errors
    /// When the file can't be read, and when there is no time.
    pub(super) fn loudness(&self, cutoff: &Cutoff) -> io::Result<Option<f64>> {
        let mut meter = Meter::new(2).map_err(io::Error::other)?;
        for from in (0..self.frames).step_by(BLOCK) {
            cutoff.check()?;
            let count = (self.frames - from).min(BLOCK as u64) as usize;
            let block = self.read(from as i64, count)?;
            meter.take(block.as_flattened()).map_err(io::Error::other)?;
        }
        Ok(meter.loudness())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deadline::Deadline;

    #[test]
    fn outside_of_the_file_is_silence_and_one_channel_is_heard_on_both_sides() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound");
        let bytes: Vec<u8> = [32_767_i16, -32_767, 0, 16_384].into_iter().flat_map(i16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        let mono = Recording::open(&path, 1).unwrap();
        assert_eq!(mono.stereo_frames(), 4);
        assert_eq!(mono.read(-1, 3).unwrap(), [[0.0; 2], [1.0; 2], [-1.0; 2]]);
        let stereo = Recording::open(&path, 2).unwrap();
        assert_eq!(stereo.stereo_frames(), 2);
        assert_eq!(stereo.read(0, 3).unwrap()[0], [1.0, -1.0]);
        assert_eq!(stereo.read(1, 2).unwrap()[1], [0.0; 2]);
        assert_eq!(stereo.read(9, 1).unwrap(), [[0.0; 2]]);
        assert_eq!(stereo.read(-9, 2).unwrap(), [[0.0; 2]; 2]);
        let soon = Deadline::after(Duration::from_secs(60)).into();
        assert_eq!(stereo.loudness(&soon).unwrap(), None);
    }
}
