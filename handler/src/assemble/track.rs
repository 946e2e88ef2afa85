//! One continuous sound track, cut together sample by sample from the ledger, at one loudness.
//!
//! It goes from the beats' files to one file, block by block: a film of half an hour is larger than a small function.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::Ledger;
use super::limiter::{LOOK_AHEAD, Limiter};
use super::meter::{BeatMeter, Meter};
use super::music::Bed;
use super::recording::{Moment, Recording};
use crate::narrate::{SAMPLE_RATE, Sound};

/// Integrated loudness of every film, in LUFS: what streaming services and classrooms expect of speech.
pub const LOUDNESS: f64 = -16.0;
/// At the ends of each beat's words: 4 ms, so that no cut clicks.
const FADE: usize = SAMPLE_RATE as usize * 4 / 1000;
/// At the ends of the sound of intro and outro: 20 ms, for what may be cut off in the middle of a chord.
const CLIP_FADE: u64 = SAMPLE_RATE as u64 * 20 / 1000;

/// Rounds of finding the gain: limiting takes loudness away, of a voice with sharp peaks more than half of what is added.
const ROUNDS: usize = 6;
/// From the second round on the gain grows by so many times what is missing, for the limiter takes the rest.
const EAGERNESS: f64 = 1.6;
/// No beat is more than so many decibels louder or quieter than the limiter would have it.
const TRIM: f64 = 9.0;
/// Beats that are as loud to each other as before the limiter, to so many decibels, are even.
const EVEN: f64 = 0.5;
/// Samples of silence at a time.
const BLOCK: usize = SAMPLE_RATE as usize;

/// What is heard beside the voice, each with the factor that brings it to its loudness.
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
    /// Lays each beat's words where the ledger says, with what is heard beside them, into the file at `path`. `words` are in
    /// film order, empty for silent beats.
    ///
    /// # Errors
    /// When a beat's file is gone, or `path` can't be written.
    pub(super) fn lay<'a>(
        ledger: &Ledger,
        words: impl IntoIterator<Item = &'a Sound>,
        backing: &Backing,
        path: &Path,
    ) -> io::Result<Self> {
        let words: Vec<&Sound> = words.into_iter().collect();
        let channels = backing.channels();
        let trims = vec![0.0; words.len()];
        let mut mix = Mix { ledger, words: &words, trims, bed: Bed::of(backing.music.as_ref(), ledger), backing };
        let mut meter = Meter::new(channels)?;
        let mut beats = mix.beats(channels)?;
        mix.stream(|block| block.iter().try_for_each(|moment| meter.take(*moment).and_then(|()| beats.take(*moment))))?;
        let mut loudness = meter.loudness()?;
        let mut gain = loudness.map_or(0.0, |loudness| LOUDNESS - loudness);
        let wanted: Vec<Option<f64>> = beats.loudness()?.iter().map(|beat| beat.map(|beat| beat + gain)).collect();
        for _ in 0..ROUNDS {
            let beats;
            (loudness, beats) = mix.write(gain, channels, path)?;
            let Some(missing) = loudness.map(|loudness| LOUDNESS - loudness) else { break };
            // The limiter takes more of a voice with sharp peaks than of another, or of the same voice at other words.
            let lack = |(wanted, is): (&Option<f64>, Option<f64>)| Some((*wanted)? - is? - missing);
            let lacks: Vec<f64> = wanted.iter().zip(beats).map(|pair| lack(pair).unwrap_or_default()).collect();
            if missing.abs() < 0.2 && lacks.iter().all(|lack| lack.abs() < EVEN) {
                break;
            }
            gain += missing * EAGERNESS;
            for (trim, lack) in mix.trims.iter_mut().zip(lacks) {
                *trim = (*trim + lack * EAGERNESS).clamp(-TRIM, TRIM);
            }
        }
        Ok(Self { loudness, channels })
    }
}

/// All that is heard, and when.
struct Mix<'a> {
    ledger: &'a Ledger,
    words: &'a [&'a Sound],
    /// What each beat's words get beside the gain of all, in decibels.
    trims: Vec<f64>,
    backing: &'a Backing,
    bed: Option<Bed<'a>>,
}

impl Mix<'_> {
    fn beats(&self, channels: usize) -> io::Result<BeatMeter> {
        let stretches = self.ledger.beats().zip(self.words).map(|(beat, sound)| (beat.first_sample, sound.samples()));
        BeatMeter::new(stretches.collect(), channels)
    }

    /// Writes the track with `gain` in decibels, limited, and gives its loudness, and that of each beat's words.
    fn write(&self, gain: f64, channels: usize, path: &Path) -> io::Result<(Option<f64>, Vec<Option<f64>>)> {
        let factor = 10_f64.powf(gain / 20.0) as f32;
        let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
        let mut meter = Meter::new(channels)?;
        let mut limiter = Limiter::new();
        let mut beats = self.beats(channels)?;
        let mut push = |moment: Moment| -> io::Result<()> {
            let Some(ready) = limiter.push(moment.map(|sample| sample * factor)) else { return Ok(()) };
            meter.take(ready)?;
            beats.take(ready)?;
            let whole = |sample: &f32| file.write_all(&((sample * 32_767.0).round() as i16).to_le_bytes());
            ready[..channels].iter().try_for_each(whole)
        };
        self.stream(|block| block.iter().try_for_each(|moment| push(*moment)))?;
        // What the limiter still holds.
        (0..LOOK_AHEAD).try_for_each(|_| push([0.0; 2]))?;
        file.flush()?;
        Ok((meter.loudness()?, beats.loudness()?))
    }

    /// Hands out the whole track, block by block.
    fn stream(&self, mut each: impl FnMut(&[Moment]) -> io::Result<()>) -> io::Result<()> {
        let mut done = 0;
        let mut heard = |mut block: Vec<Moment>| {
            self.beside(done, &mut block)?;
            done += block.len() as u64;
            each(&block)?;
            Ok::<u64, io::Error>(done)
        };
        let still_until = |mut at: u64, sample: u64, heard: &mut dyn FnMut(Vec<Moment>) -> io::Result<u64>| {
            while at < sample {
                at = heard(vec![[0.0; 2]; (sample - at).min(BLOCK as u64) as usize])?;
            }
            Ok::<u64, io::Error>(at)
        };
        let mut at = 0;
        let ends = self.ledger.beats().skip(1).map(|beat| beat.first_sample).chain([self.ledger.samples()]);
        for (((beat, sound), trim), end) in self.ledger.beats().zip(self.words).zip(&self.trims).zip(ends) {
            still_until(at, beat.first_sample, &mut heard)?;
            let mut samples = sound.read()?;
            // A beat lasts at least as long as its words; only a broken ledger cuts here.
            samples.truncate((end - beat.first_sample) as usize);
            let last = samples.len().saturating_sub(1);
            let level = 10_f64.powf(trim / 20.0) as f32;
            let faded = |(index, sample): (usize, &f32)| {
                sample * level * (index.min(last - index) as f32 / FADE as f32).min(1.0)
            };
            at = heard(samples.iter().enumerate().map(faded).map(|sample| [sample; 2]).collect())?;
        }
        still_until(at, self.ledger.samples(), &mut heard)?;
        Ok(())
    }

    /// Adds what is heard beside the voice from moment `at` on.
    fn beside(&self, at: u64, block: &mut [Moment]) -> io::Result<()> {
        let Ledger { intro, outro, .. } = self.ledger;
        for (stretch, sound) in [(intro, &self.backing.intro), (outro, &self.backing.outro)] {
            let (Some(stretch), Some((sound, gain))) = (stretch, sound) else { continue };
            let (from, length) = (self.ledger.sample(stretch.first_frame), self.ledger.sample(stretch.frames));
            let length = length.min(sound.moments());
            if at >= from + length || at + block.len() as u64 <= from {
                continue;
            }
            let heard = sound.read(at as i64 - from as i64, block.len())?;
            for (sample, (moment, heard)) in (at..).zip(block.iter_mut().zip(heard)) {
                if !(from..from + length).contains(&sample) {
                    continue;
                }
                let end = (sample - from).min(from + length - 1 - sample);
                let level = gain * (end as f32 / CLIP_FADE as f32).min(1.0);
                *moment = [moment[0] + heard[0] * level, moment[1] + heard[1] * level];
            }
        }
        self.bed.as_ref().map_or(Ok(()), |bed| bed.add(at, block))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::scene;
    use super::super::limiter::CEILING;
    use super::*;

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
            _ => Sound::keep(&folder.path().join(number.to_string()), words).unwrap(),
        };
        let sounds: Vec<Sound> = words.iter().enumerate().map(keep).collect();
        let path = folder.path().join("track");
        let track = Track::lay(ledger, &sounds, backing, &path).unwrap();
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
    fn a_film_without_words_stays_silent() {
        let (track, samples) = laid(&[Vec::new()]);
        assert_eq!(track.loudness, None);
        assert!(!samples.is_empty() && samples.iter().all(|&sample| sample == 0.0));
    }

    /// A constant on the left and its opposite on the right: where it is heard, and how loud, can be read off.
    fn constant(folder: &tempfile::TempDir, name: &str, level: f32, moments: usize) -> Recording {
        let path = folder.path().join(name);
        let whole = |side: f32| ((level * side * 32_767.0) as i16).to_le_bytes();
        let bytes: Vec<u8> = std::iter::repeat_n([whole(1.0), whole(-1.0)], moments).flatten().flatten().collect();
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
        let moments = samples.as_chunks::<2>().0;
        assert_eq!((moments.len() as u64, track.channels), (ledger.samples(), 2));
        let opposite = |moment: &[f32; 2]| moment[0] > 0.001 && (moment[0] + moment[1]).abs() < 0.000_1;
        assert!(moments[1_000..71_000].iter().all(opposite));
        let begin = ledger.outro.unwrap().first_frame as usize * 1600;
        assert!(moments[begin + 1_000..begin + 23_000].iter().all(opposite));
        assert!(moments[begin + 24_000..].iter().flatten().all(|sample| *sample == 0.0));
        // Between them both sides hear the voice, and nothing jumps where they meet.
        assert!(moments[72_000..begin].iter().all(|moment| moment[0] == moment[1]));
        for seam in [0, 71_990, begin - 100, begin, begin + 23_900] {
            let around = &moments[seam..seam + 200];
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
