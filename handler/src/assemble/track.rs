//! One continuous sound track, cut together sample by sample from the ledger, at one loudness.
//!
//! It goes from the beats' files to one file, block by block: a film of half an hour is larger than a small function.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use audio::{BLOCK, LOUDNESS, Mixdown, StereoFrame, factor};

use super::Ledger;
use super::music::Bed;
use super::recording::Recording;
use crate::deadline::Cutoff;
use crate::narrate::{SAMPLE_RATE, Sound};

/// Fade at the ends of each beat's words: 4 ms, so that no cut clicks.
const FADE: usize = SAMPLE_RATE as usize * 4 / 1000;
/// At the ends of the sound of intro and outro: 20 ms, for what may be cut off in the middle of a chord.
const CLIP_FADE: u64 = SAMPLE_RATE as u64 * 20 / 1000;
/// Attenuation of a voice that is panned to the middle of two channels, in decibels.
const CENTRE: f64 = -3.01;

/// Rounds of finding the gain. Beats come at the film's loudness already: what is left are the pauses between them, and music.
const ROUNDS: usize = 6;
/// What a decibel of gain makes the film louder, as measured between two rounds, is believed within these bounds: the limiter takes
/// the rest.
const SLOPES: (f64, f64) = (0.25, 1.0);
/// Close enough, in LU.
const CLOSE: f64 = 0.3;

/// The sound beside the voice, each with the factor that brings it to its loudness.
#[derive(Debug, Clone, Default)]
pub(super) struct Backing {
    /// From the film's first frame on.
    pub(super) intro: Option<(Recording, f32)>,
    /// From the outro's first frame on.
    pub(super) outro: Option<(Recording, f32)>,
    /// Under all scenes.
    pub(super) music: Option<(Recording, f32)>,
}

impl Backing {
    /// A voice alone is one channel; music and clips have two.
    fn channels(&self) -> usize {
        if self.intro.is_some() || self.outro.is_some() || self.music.is_some() { 2 } else { 1 }
    }
}

/// The film's sound, in a file of little-endian 16-bit samples, which ffmpeg reads as `s16le`: at 48 kHz, exactly as long as
/// the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Integrated loudness as measured afterwards, in LUFS; none for a film without sound.
    pub loudness: Option<f64>,
    /// 1 for a voice alone, else 2.
    pub channels: usize,
}

impl Track {
    /// Writes each beat's words at the place that the ledger says, mixed with intro, outro and music, to the file at `path`. `words` are in
    /// film order, empty for silent beats. When time is short, the first round counts, however loud it is.
    ///
    /// # Errors
    /// When a beat's file is gone, `path` can't be written, or the time ends in the first round.
    pub(super) fn lay(
        ledger: &Ledger,
        words: &[Sound],
        backing: &Backing,
        path: &Path,
        cutoff: &Cutoff,
    ) -> io::Result<Self> {
        let channels = backing.channels();
        let mix = Mix { ledger, words, bed: Bed::of(backing.music.as_ref(), ledger), backing, cutoff };
        let (mut gain, mut round) = (0.0, 1);
        let mut before: Option<(f64, f64)> = None;
        loop {
            let begun = Instant::now();
            let loudness = mix.write(gain, channels, path)?;
            let Some(found) = loudness else { return Ok(Self { loudness, channels }) };
            let missing = LOUDNESS - found;
            // What is there is not given up for a round that would not come to its end.
            let no_time = 2 * begun.elapsed() > cutoff.deadline().left();
            if missing.abs() < CLOSE || round == ROUNDS || no_time {
                return Ok(Self { loudness, channels });
            }
            let slope = before.map(|(gained, was)| (found - was) / (gain - gained)).filter(|slope| slope.is_finite());
            before = Some((gain, found));
            gain += missing / slope.unwrap_or(1.0).clamp(SLOPES.0, SLOPES.1);
            round += 1;
        }
    }
}

/// All sound of the film, with its times.
struct Mix<'a> {
    ledger: &'a Ledger,
    words: &'a [Sound],
    backing: &'a Backing,
    bed: Option<Bed<'a>>,
    cutoff: &'a Cutoff,
}

impl Mix<'_> {
    /// Writes the track with `gain` in decibels, limited, and gives its loudness.
    fn write(&self, gain: f64, channels: usize, path: &Path) -> io::Result<Option<f64>> {
        // Children write in this folder too: whatever stands at this place is not followed.
        let _ = std::fs::remove_file(path);
        let mut file = File::create_new(path)?;
        // Words alone are limited already, each beat by itself.
        let mut mixdown = Mixdown::new(channels, gain, channels == 1).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        self.stream(if channels == 1 { 1.0 } else { factor(CENTRE) }, |block| {
            bytes.clear();
            mixdown.take(block, &mut bytes).map_err(io::Error::other)?;
            file.write_all(&bytes)
        })?;
        bytes.clear();
        let loudness = mixdown.finish(&mut bytes).map_err(io::Error::other)?;
        file.write_all(&bytes)?;
        Ok(loudness)
    }

    /// Hands out the whole track, at most a second at a time; `level` is the voice's.
    fn stream(&self, level: f32, mut each: impl FnMut(&[StereoFrame]) -> io::Result<()>) -> io::Result<()> {
        let mut done = 0;
        let mut emit = |mut block: Vec<StereoFrame>| {
            self.cutoff.check()?;
            self.add_accompaniment(done, &mut block)?;
            done += block.len() as u64;
            each(&block)?;
            Ok::<u64, io::Error>(done)
        };
        let still_until = |mut at: u64, sample: u64, emit: &mut dyn FnMut(Vec<StereoFrame>) -> io::Result<u64>| {
            while at < sample {
                at = emit(vec![[0.0; 2]; (sample - at).min(BLOCK as u64) as usize])?;
            }
            Ok::<u64, io::Error>(at)
        };
        let mut at = 0;
        let ends = self.ledger.beats().skip(1).map(|beat| beat.first_sample).chain([self.ledger.samples()]);
        for ((beat, sound), end) in self.ledger.beats().zip(self.words).zip(ends) {
            at = still_until(at, beat.first_sample, &mut emit)?;
            let mut samples = sound.read()?;
            // A beat lasts at least as long as its words; only a broken ledger cuts here.
            samples.truncate((end - beat.first_sample) as usize);
            let (half, last) = (FADE.min(samples.len().div_ceil(2)), samples.len().saturating_sub(1));
            for index in 0..half {
                let share = index as f32 / FADE as f32;
                samples[index] *= share;
                if last - index != index {
                    samples[last - index] *= share;
                }
            }
            for block in samples.chunks(BLOCK) {
                at = emit(audio::mono_to_stereo(block, level))?;
            }
        }
        still_until(at, self.ledger.samples(), &mut emit)?;
        Ok(())
    }

    /// Adds intro, outro and music to the voice, from sample frame `at` on.
    fn add_accompaniment(&self, at: u64, block: &mut [StereoFrame]) -> io::Result<()> {
        let Ledger { intro, outro, .. } = self.ledger;
        for (stretch, sound) in [(intro, &self.backing.intro), (outro, &self.backing.outro)] {
            let (Some(stretch), Some((sound, gain))) = (stretch, sound) else { continue };
            let (from, length) = (self.ledger.sample(stretch.first_frame), self.ledger.sample(stretch.frames));
            let length = length.min(sound.stereo_frames());
            if at >= from + length || at + block.len() as u64 <= from {
                continue;
            }
            let added = sound.read(at as i64 - from as i64, block.len())?;
            for (sample, (frame, added)) in (at..).zip(block.iter_mut().zip(added)) {
                if !(from..from + length).contains(&sample) {
                    continue;
                }
                let end = (sample - from).min(from + length - 1 - sample);
                let level = gain * (end as f32 / CLIP_FADE as f32).min(1.0);
                *frame = [frame[0] + added[0] * level, frame[1] + added[1] * level];
            }
        }
        self.bed.as_ref().map_or(Ok(()), |bed| bed.add(at, block))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use audio::CEILING;

    use super::super::ledger::tests::scene;
    use super::*;
    use crate::deadline::Deadline;

    fn soon() -> Cutoff {
        Deadline::after(Duration::from_secs(60)).into()
    }

    /// A stretch of something like speech: a tone in bursts, with a sharp peak now and then.
    fn bursts(seconds: usize, level: f32) -> Vec<f32> {
        (0..seconds * 48_000)
            .map(|n| {
                let tone = (n as f32 * 0.05).sin() * level;
                let peak = if n % 9_600 == 4_800 { 6.0 } else { 1.0 };
                if (n / 9_600) % 3 == 2 { 0.0 } else { tone * peak }
            })
            .collect()
    }

    fn ledger_of(words: &[Vec<f32>]) -> Ledger {
        let scene = scene("s", &vec!["x"; words.len()]);
        let frames: Vec<u64> = words.iter().map(|words| (words.len() as u64).div_ceil(1600) + 10).collect();
        Ledger::of(30, [(&scene, &frames[..], words.iter().map(Vec::len).collect())])
    }

    fn laid_with(ledger: &Ledger, words: &[Vec<f32>], backing: &Backing) -> (Track, Vec<f32>) {
        let folder = tempfile::tempdir().unwrap();
        let keep = |(number, words): (usize, &Vec<f32>)| match words.len() {
            0 => Sound::default(),
            _ => Sound::write(&folder.path().join(number.to_string()), words, &soon()).unwrap(),
        };
        let sounds: Vec<Sound> = words.iter().enumerate().map(keep).collect();
        let path = folder.path().join("track");
        let track = Track::lay(ledger, &sounds, backing, &path, &soon()).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let samples = bytes.as_chunks::<2>().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_767.0);
        (track, samples.collect())
    }

    fn laid(words: &[Vec<f32>]) -> (Track, Vec<f32>) {
        laid_with(&ledger_of(words), words, &Backing::default())
    }

    #[test]
    fn quiet_and_loud_voices_come_out_at_the_same_loudness() {
        for level in [0.01, 0.1, 0.6] {
            let (track, samples) = laid(&[bursts(4, level), bursts(3, level)]);
            let loudness = track.loudness.unwrap();
            assert!((loudness - LOUDNESS).abs() < 0.7, "{level}: {loudness}");
            assert!(samples.iter().all(|sample| sample.abs() <= CEILING + 0.0001));
        }
    }

    #[test]
    fn words_begin_where_the_ledger_says_and_the_rest_is_silent() {
        let words = vec![bursts(1, 0.3), Vec::new(), bursts(1, 0.3)];
        let ledger = ledger_of(&words);
        let (track, samples) = laid(&words);
        assert_eq!((samples.len() as u64, track.channels), (ledger.samples(), 1));
        for beat in ledger.beats() {
            let (first, after) = (beat.first_sample as usize, (beat.first_sample + beat.samples) as usize);
            let end = first + beat.frames as usize * 1600;
            assert!(samples[after..end].iter().all(|&sample| sample == 0.0));
            assert!(beat.samples == 0 || samples[first..first + 100].iter().any(|&sample| sample != 0.0));
        }
    }

    #[test]
    fn no_seam_clicks() {
        let (_, samples) = laid(&[vec![0.4; 24_000], bursts(1, 0.3), vec![-0.4; 24_000]]);
        // Words that begin and end at full level fade over 4 ms: no step is larger than a few of its parts.
        let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        let within_bursts = 0.3;
        let around_cuts = [0, 24_000].map(|at| samples[at..at + 400].windows(2).map(|pair| (pair[1] - pair[0]).abs()));
        assert!(around_cuts.into_iter().flatten().all(|step| step < 0.02));
        assert!(steps.fold(0.0_f32, f32::max) < within_bursts * 6.0);
    }

    #[test]
    fn laying_ends_at_its_deadline_and_what_is_loud_enough_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let sounds = [Sound::write(&folder.path().join("0"), &bursts(3, 0.2), &soon()).unwrap()];
        let ledger = ledger_of(&[bursts(3, 0.2)]);
        let passed = Deadline::after(Duration::ZERO).into();
        let ended = Track::lay(&ledger, &sounds, &Backing::default(), &folder.path().join("track"), &passed);
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // What is laid without a second round is as long, and not far from as loud.
        let mix = Mix { ledger: &ledger, words: &sounds, backing: &Backing::default(), bed: None, cutoff: &soon() };
        let loudness = mix.write(0.0, 1, &folder.path().join("once")).unwrap().unwrap();
        assert!((loudness - LOUDNESS).abs() < 1.0, "{loudness}");
    }

    #[test]
    fn a_film_without_words_stays_silent() {
        let (track, samples) = laid(&[Vec::new()]);
        assert_eq!(track.loudness, None);
        assert!(!samples.is_empty() && samples.iter().all(|&sample| sample == 0.0));
    }

    /// A constant on the left and its opposite on the right: where it is heard, and how loud, can be read off.
    fn constant(folder: &tempfile::TempDir, name: &str, level: f32, frames: usize) -> Recording {
        let path = folder.path().join(name);
        let whole = |side: f32| ((level * side * 32_767.0) as i16).to_le_bytes();
        let bytes: Vec<u8> = std::iter::repeat_n([whole(1.0), whole(-1.0)], frames).flatten().flatten().collect();
        std::fs::write(&path, bytes).unwrap();
        Recording::open(&path, 2).unwrap()
    }

    #[test]
    fn intro_and_outro_are_heard_in_their_own_stretch_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let words = vec![bursts(2, 0.3), bursts(1, 0.3)];
        let mut ledger = ledger_of(&words);
        ledger.surround(45, 30);
        // The sound of the intro is longer than its picture, that of the outro is shorter.
        let intro = Some((constant(&folder, "intro", 0.02, 200_000), 0.5));
        let outro = Some((constant(&folder, "outro", 0.02, 24_000), 0.5));
        let (track, samples) = laid_with(&ledger, &words, &Backing { intro, outro, music: None });
        let frames = samples.as_chunks::<2>().0;
        assert_eq!((frames.len() as u64, track.channels), (ledger.samples(), 2));
        let opposite = |frame: &[f32; 2]| frame[0] > 0.001 && (frame[0] + frame[1]).abs() < 0.000_1;
        assert!(frames[1_000..71_000].iter().all(opposite));
        let begin = ledger.outro.unwrap().first_frame as usize * 1600;
        assert!(frames[begin + 1_000..begin + 23_000].iter().all(opposite));
        assert!(frames[begin + 24_000..].iter().flatten().all(|sample| *sample == 0.0));
        // Between them both sides hear the voice, and nothing jumps where they meet.
        assert!(frames[72_000..begin].iter().all(|frame| frame[0] == frame[1]));
        for seam in [0, 71_990, begin - 100, begin, begin + 23_900] {
            let around = &frames[seam..seam + 200];
            assert!(around.windows(2).all(|pair| (pair[1][0] - pair[0][0]).abs() < 0.02), "{seam}");
        }
    }

    #[test]
    fn with_music_the_film_is_as_loud_as_without() {
        let folder = tempfile::tempdir().unwrap();
        let words = vec![bursts(4, 0.2), Vec::new(), bursts(4, 0.2)];
        let path = folder.path().join("music");
        let tune = |n: usize| ((n as f32 * 0.031).sin() * 8_000.0) as i16;
        let bytes: Vec<u8> = (0..96_000).flat_map(|n| [tune(n), tune(n + 9)]).flat_map(i16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        let music = Some((Recording::open(&path, 2).unwrap(), 0.3));
        let (track, samples) = laid_with(&ledger_of(&words), &words, &Backing { music, ..Backing::default() });
        let loudness = track.loudness.unwrap();
        assert!((loudness - LOUDNESS).abs() < 0.7, "{loudness}");
        assert!(samples.iter().all(|sample| sample.abs() <= CEILING + 0.0001));
        // In the silent part of a burst only the music is heard, and it has stepped back.
        let quiet = &samples[2 * 25_000..2 * 28_000];
        let peak = quiet.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.01..0.2).contains(&peak), "{peak}");
    }
}
