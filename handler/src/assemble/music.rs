//! Music under the voice: as long as the film, and ducked during speech.

use std::f32::consts::FRAC_PI_2;
use std::io;

use audio::StereoFrame;

use super::Ledger;
use super::recording::Recording;
use crate::narrate::SAMPLE_RATE;

/// How far music is ducked during speech, in decibels: words must be understood at any level that the author chose.
const DUCK: f32 = 12.0;
/// Attack: 250 ms before the first word, whose time the ledger knows.
const ATTACK: u64 = SAMPLE_RATE as u64 / 4;
/// Release: 800 ms after the last word.
const RELEASE: u64 = SAMPLE_RATE as u64 * 8 / 10;
/// In a pause that is shorter than this it stays back: coming and going would be heard as pumping. More than attack and
/// release together.
const BREATH: u64 = SAMPLE_RATE as u64 * 3 / 2;
/// It comes in over half a second, and leaves over three (or over a quarter of a very short film).
const FADE: (u64, u64) = (SAMPLE_RATE as u64 / 2, SAMPLE_RATE as u64 * 3);
/// Where it begins again, its end goes over into its beginning: one second (or a quarter of very short music).
const OVERLAP: u64 = SAMPLE_RATE as u64;

/// Music from the first scene's first frame to the last scene's last.
#[derive(Debug)]
pub(super) struct Bed<'a> {
    music: &'a Recording,
    gain: f32,
    from: u64,
    to: u64,
    /// The stretches of speech, ascending, with pauses longer than [`BREATH`] between.
    speech: Vec<(u64, u64)>,
}

impl<'a> Bed<'a> {
    /// Of music with the factor that brings it to its level.
    pub(super) fn of(music: Option<&'a (Recording, f32)>, ledger: &Ledger) -> Option<Self> {
        music.map(|(music, gain)| Self::new(music, *gain, ledger))
    }

    fn new(music: &'a Recording, gain: f32, ledger: &Ledger) -> Self {
        let mut speech: Vec<(u64, u64)> = Vec::new();
        for beat in ledger.beats().filter(|beat| beat.samples > 0) {
            let (begin, end) = (beat.first_sample, beat.first_sample + beat.samples);
            match speech.last_mut() {
                Some((_, last)) if begin < *last + BREATH => *last = end,
                _ => speech.push((begin, end)),
            }
        }
        let (from, to) = ledger.scene_samples();
        Self { music, gain, from, to, speech }
    }

    /// Adds what is heard of it from sample frame `at` of the film on.
    ///
    /// # Errors
    /// When the music's file can't be read.
    pub(super) fn add(&self, at: u64, block: &mut [StereoFrame]) -> io::Result<()> {
        let begin = self.from.max(at);
        let end = self.to.min(at + block.len() as u64);
        if begin >= end || self.music.stereo_frames() == 0 {
            return Ok(());
        }
        let music = self.looped(begin - self.from, (end - begin) as usize)?;
        let mut spoken = self.speech.partition_point(|&(_, last)| last + RELEASE <= begin);
        let mixed = block.iter_mut().skip((begin - at) as usize);
        for (sample, (frame, music)) in (begin..end).zip(mixed.zip(music)) {
            while self.speech.get(spoken).is_some_and(|&(_, last)| last + RELEASE <= sample) {
                spoken += 1;
            }
            let level = self.gain * self.fade(sample) * ducked(self.speech.get(spoken), sample);
            frame[0] += music[0] * level;
            frame[1] += music[1] * level;
        }
        Ok(())
    }

    /// The music over and over, from its sample frame `from`.
    fn looped(&self, from: u64, count: usize) -> io::Result<Vec<StereoFrame>> {
        let length = self.music.stereo_frames();
        let overlap = OVERLAP.min(length / 4);
        let period = (length - overlap).max(1);
        let mut music = Vec::with_capacity(count);
        while music.len() < count {
            let at = from + music.len() as u64;
            let (round, position) = (at / period, at % period);
            let part = ((count - music.len()) as u64).min(period - position) as usize;
            let mut frames = self.music.read(position as i64, part)?;
            if round > 0 && position < overlap {
                let ending = self.music.read((position + period) as i64, part)?;
                for (n, (frame, ending)) in (position..overlap).zip(frames.iter_mut().zip(ending)) {
                    // Equal power: the loudness of two different sounds stays.
                    let (rise, fall) = (n as f32 / overlap as f32 * FRAC_PI_2).sin_cos();
                    *frame = [frame[0] * rise + ending[0] * fall, frame[1] * rise + ending[1] * fall];
                }
            }
            music.extend(frames);
        }
        Ok(music)
    }

    fn fade(&self, sample: u64) -> f32 {
        let length = self.to - self.from;
        let share = |done: u64, of: u64| if done >= of { 1.0 } else { smooth(done as f32 / of as f32) };
        share(sample - self.from, FADE.0.min(length / 4)) * share(self.to - 1 - sample, FADE.1.min(length / 4))
    }
}

/// What is left of the music at a sample, by the stretch of speech that it is in, comes to, or comes from.
fn ducked(speech: Option<&(u64, u64)>, sample: u64) -> f32 {
    let Some(&(begin, end)) = speech else { return 1.0 };
    let back = if sample < begin {
        if begin - sample >= ATTACK {
            return 1.0;
        }
        1.0 - (begin - sample) as f32 / ATTACK as f32
    } else if sample < end {
        1.0
    } else {
        1.0 - (sample - end) as f32 / RELEASE as f32
    };
    10_f32.powf(-DUCK * smooth(back) / 20.0)
}

/// From 0 to 1 without a corner.
fn smooth(share: f32) -> f32 {
    share * share * (3.0 - 2.0 * share)
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::scene;
    use super::*;

    fn recorded(folder: &tempfile::TempDir, left: impl Fn(usize) -> f32, frames: usize) -> Recording {
        let path = folder.path().join("music");
        let sample = |n: usize, side: f32| (left(n) * side * 32_767.0) as i16;
        let bytes: Vec<u8> =
            (0..frames).flat_map(|n| [sample(n, 1.0), sample(n, -1.0)]).flat_map(i16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        Recording::open(&path, 2).unwrap()
    }

    /// Fourteen seconds at 30 frames a second: words from 0 to 2, from 3 (a breath later) to 4, and from 8 to 9.
    fn ledger() -> Ledger {
        let scene = scene("s", &["x", "x", "", "x", ""]);
        let seconds = [3, 1, 4, 1, 5].map(|seconds| seconds * 30);
        Ledger::of(30, [(&scene, &seconds[..], vec![96_000, 48_000, 0, 48_000, 0])])
    }

    fn mixed(bed: &Bed<'_>, frames: usize, block: usize) -> Vec<StereoFrame> {
        let mut film = vec![[0.0; 2]; frames];
        for (number, part) in film.chunks_mut(block).enumerate() {
            bed.add((number * block) as u64, part).unwrap();
        }
        film
    }

    #[test]
    fn music_steps_back_for_words_and_not_for_a_breath() {
        let folder = tempfile::tempdir().unwrap();
        let music = recorded(&folder, |_| 0.5, 48_000 * 20);
        let film = mixed(&Bed::new(&music, 0.5, &ledger()), 672_000, 7_777);
        let level = |seconds: f64| film[(seconds * 48_000.0) as usize][0];
        let ducked = 0.25 * 10_f32.powf(-DUCK / 20.0);
        for seconds in [1.0, 2.5, 3.9, 8.0, 8.9] {
            assert!((level(seconds) - ducked).abs() < 0.001, "{seconds}: {}", level(seconds));
        }
        assert!((level(6.0) - 0.25).abs() < 0.001);
        assert!(level(13.999) < 0.001 && level(0.0) == 0.0);
        // Nothing jumps, the other side is the other side, and blocks leave no trace.
        assert!(film.windows(2).all(|pair| (pair[1][0] - pair[0][0]).abs() < 0.001));
        assert!(film.iter().all(|[left, right]| *left == -right));
        assert_eq!(film, mixed(&Bed::new(&music, 0.5, &ledger()), 672_000, 672_000));
    }

    #[test]
    fn short_music_goes_on_without_a_jump() {
        let folder = tempfile::tempdir().unwrap();
        // Its end is far from its beginning.
        let music = recorded(&folder, |n| n as f32 / 100_000.0 - 0.5, 100_000);
        let bed = Bed::new(&music, 1.0, &ledger());
        let film = bed.looped(0, 480_000).unwrap();
        assert!(film.windows(2).all(|pair| (pair[1][0] - pair[0][0]).abs() < 0.001));
        assert!(film[99_999 - 25_000][0] > 0.2 && film[400_000..].iter().any(|frame| frame[0].abs() > 0.1));
        // A click of music, or none at all, is no reason to hang.
        for frames in [1, 2, 5] {
            let music = recorded(&folder, |_| 0.1, frames);
            assert_eq!(Bed::new(&music, 1.0, &ledger()).looped(3, 1_000).unwrap().len(), 1_000);
        }
        let nothing = recorded(&folder, |_| 0.1, 0);
        assert_eq!(mixed(&Bed::new(&nothing, 1.0, &ledger()), 100, 10), [[0.0; 2]; 100]);
    }
}
