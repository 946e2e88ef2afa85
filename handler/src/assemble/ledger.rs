//! The ledger: when everything happens, in integer frames and integer samples. Sound, captions, chapters and the page
//! are all made from it, so that they agree.

use serde::{Deserialize, Serialize};
use storyboard::{Beat, Scene, lengths};

use crate::media::Still;
use crate::narrate::{SAMPLE_RATE, Word};

/// The timeline of the film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Frames per second; divides `sample_rate`.
    pub fps: u32,
    /// Samples per second.
    pub sample_rate: u32,
    /// Frames of the whole film.
    pub frames: u64,
    /// A clip before the first scene, with its own sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intro: Option<Stretch>,
    /// A clip after the last scene, with its own sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outro: Option<Stretch>,
    /// In film order.
    pub scenes: Vec<SceneEntry>,
}

/// A part of the film that is not a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// First frame in the film.
    pub first_frame: u64,
    /// Length in frames.
    pub frames: u64,
}

/// A scene's part of the film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneEntry {
    /// The scene's id.
    pub id: String,
    /// The chapter's name.
    pub heading: String,
    /// First frame in the film.
    pub first_frame: u64,
    /// Length in frames.
    pub frames: u64,
    /// In film order.
    pub beats: Vec<BeatEntry>,
    /// Chapters inside of the scene, in film order, as a Manim program sets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// Captions that nobody speaks, in film order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captions: Vec<UnspokenCaption>,
    /// The picture that stands for it, from its own first frame; none where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still: Option<Still>,
}

/// A chapter inside of a scene; it ends where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// First frame in the film.
    pub first_frame: u64,
    /// The chapter's name.
    pub name: String,
}

/// A caption that nobody speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnspokenCaption {
    /// First frame in the film.
    pub first_frame: u64,
    /// Length in frames.
    pub frames: u64,
    /// What is read.
    pub text: String,
}

/// A chapter of the film: a scene, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChapterEntry<'a> {
    /// First frame in the film.
    pub first_frame: u64,
    /// Length in frames.
    pub frames: u64,
    /// Its name.
    pub name: &'a str,
    /// The beats that begin in it.
    pub beats: &'a [BeatEntry],
}

impl SceneEntry {
    /// Its chapters, which tile it: the scene itself, up to its first section, and its sections.
    pub fn chapters(&self) -> Vec<ChapterEntry<'_>> {
        let end = self.first_frame + self.frames;
        let mut begins: Vec<(u64, &str)> = vec![(self.first_frame, &self.heading)];
        for section in &self.sections {
            match begins.last_mut() {
                // A section at the first frame is the scene itself, and two at one frame are one chapter.
                Some(last) if last.0 == section.first_frame => last.1 = &section.name,
                _ => begins.push((section.first_frame, &section.name)),
            }
        }
        let ends = begins.iter().skip(1).map(|begin| begin.0).chain([end]);
        let chapters = begins.iter().zip(ends).map(|(&(first_frame, name), end)| {
            let index = |frame: u64| self.beats.partition_point(|beat| beat.first_frame < frame);
            let beats = &self.beats[index(first_frame)..index(end)];
            ChapterEntry { first_frame, frames: end - first_frame, name, beats }
        });
        chapters.collect()
    }
}

/// A beat's part of the film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeatEntry {
    /// The beat's id.
    pub id: String,
    /// What is spoken.
    pub text: String,
    /// First frame in the film.
    pub first_frame: u64,
    /// Length in frames.
    pub frames: u64,
    /// First sample of its words in the film's sound.
    pub first_sample: u64,
    /// Samples of its words; 0 for a silent beat.
    pub samples: u64,
    /// When each word of `text` is spoken, from the first sample; empty when the voice does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
}

/// How long the beats of a scene last, in frames: the words of each, so many samples, and its pause, rounded up to whole frames, at
/// least one, and until what it holds could be read.
pub fn beat_frames(scene: &Scene, samples: impl IntoIterator<Item = usize>, fps: u32) -> Vec<u64> {
    let words_and_pause = |(beat, samples): (&Beat, usize)| {
        let pause = u64::from(beat.pause_ms) * u64::from(SAMPLE_RATE) / 1000;
        (samples as u64 + pause).div_ceil(samples_per_frame(fps)).max(1)
    };
    let mut frames: Vec<u64> = scene.beats.iter().zip(samples).map(words_and_pause).collect();
    lengths::hold(&scene.beats, &mut frames, u64::from(fps));
    frames
}

/// Samples of a frame; the sample rate is a multiple of every frame rate.
pub fn samples_per_frame(fps: u32) -> u64 {
    u64::from(SAMPLE_RATE / fps)
}

impl Ledger {
    /// Lays scenes end to end. For each: the scene, the frames of its beats, the samples of their words.
    pub fn of<'a>(fps: u32, scenes: impl IntoIterator<Item = (&'a Scene, &'a [u64], Vec<usize>)>) -> Self {
        let mut ledger =
            Self { fps, sample_rate: SAMPLE_RATE, frames: 0, intro: None, outro: None, scenes: Vec::new() };
        for (scene, frames, samples) in scenes {
            let first_frame = ledger.frames;
            let mut beats = Vec::new();
            for ((beat, &frames), samples) in scene.beats.iter().zip(frames).zip(samples) {
                beats.push(BeatEntry {
                    id: beat.id.clone(),
                    text: beat.narration.clone(),
                    first_frame: ledger.frames,
                    frames,
                    first_sample: ledger.frames * samples_per_frame(fps),
                    samples: samples as u64,
                    words: Vec::new(),
                });
                ledger.frames += frames;
            }
            let (id, heading) = (scene.id.clone(), scene.heading.clone());
            let frames = ledger.frames - first_frame;
            let (sections, captions) = (Vec::new(), Vec::new());
            ledger.scenes.push(SceneEntry { id, heading, first_frame, frames, beats, sections, captions, still: None });
        }
        ledger
    }

    /// Puts a clip of so many frames before the first scene, and one after the last; 0 for none. Everything in between moves.
    pub fn surround(&mut self, intro: u64, outro: u64) {
        let stretch = |first_frame: u64, frames: u64| (frames > 0).then_some(Stretch { first_frame, frames });
        self.intro = stretch(0, intro);
        self.outro = stretch(intro + self.frames, outro);
        self.frames += intro + outro;
        let samples = intro * samples_per_frame(self.fps);
        for scene in &mut self.scenes {
            scene.first_frame += intro;
            scene.sections.iter_mut().for_each(|section| section.first_frame += intro);
            scene.captions.iter_mut().for_each(|caption| caption.first_frame += intro);
            for beat in &mut scene.beats {
                beat.first_frame += intro;
                beat.first_sample += samples;
            }
        }
    }

    /// First sample of the first scene, and the one after the last of the last.
    pub fn scene_samples(&self) -> (u64, u64) {
        let before = self.intro.map_or(0, |intro| intro.frames);
        let after = self.outro.map_or(self.frames, |outro| outro.first_frame);
        (before * samples_per_frame(self.fps), after * samples_per_frame(self.fps))
    }

    /// A frame's first sample.
    pub fn sample(&self, frame: u64) -> u64 {
        frame * samples_per_frame(self.fps)
    }

    /// Records when words are spoken, for all beats in film order.
    pub fn time(&mut self, words: impl IntoIterator<Item = Vec<Word>>) {
        let beats = self.scenes.iter_mut().flat_map(|scene| &mut scene.beats);
        beats.zip(words).for_each(|(beat, words)| beat.words = words);
    }

    /// All beats, in film order.
    pub fn beats(&self) -> impl Iterator<Item = &BeatEntry> {
        self.scenes.iter().flat_map(|scene| &scene.beats)
    }

    /// Samples of the whole film.
    pub fn samples(&self) -> u64 {
        self.frames * samples_per_frame(self.fps)
    }

    /// Seconds of the whole film.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.fps)
    }

    /// A frame's time in milliseconds, rounded down.
    pub fn milliseconds(&self, frame: u64) -> u64 {
        frame * 1000 / u64::from(self.fps)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use storyboard::SceneKind;

    pub(crate) fn scene(id: &str, words: &[&str]) -> Scene {
        let beat = |(number, words): (usize, &&str)| Beat {
            id: format!("{id}-{number}"),
            narration: (*words).to_owned(),
            pause_ms: 350,
            actions: Vec::new(),
            estimate_ms: 0,
            cues: Vec::new(),
            place: None,
            holds: Vec::new(),
        };
        let beats = words.iter().enumerate().map(beat).collect();
        Scene { id: id.to_owned(), kind: SceneKind::Lesson, heading: id.to_owned(), beats, place: None }
    }

    #[test]
    fn a_beat_holds_its_words_and_its_pause() {
        let mut scene = scene("s", &["words"]);
        // 1 s of words and 350 ms of pause: 40.5 frames at 30.
        assert_eq!(beat_frames(&scene, [48_000], 30), [41]);
        scene.beats[0].pause_ms = 0;
        assert_eq!(beat_frames(&scene, [0], 30), [1]);
    }

    #[test]
    fn a_quick_voice_leaves_time_to_read() {
        let mut scene = scene("s", &["a", "b"]);
        scene.beats[1].holds.push(storyboard::Hold { since: "s-0".to_owned(), ms: 4_000 });
        // 41 frames of the first one, and 120 of both together.
        assert_eq!(beat_frames(&scene, [48_000, 24_000], 30), [41, 79]);
        assert_eq!(beat_frames(&scene, [48_000, 144_000], 30), [41, 101]);
    }

    #[test]
    fn an_intro_moves_everything_and_an_outro_nothing() {
        let scene = scene("s", &["a", "b"]);
        let plain = Ledger::of(30, [(&scene, &[60, 40][..], vec![90_000, 48_000])]);
        let mut ledger = plain.clone();
        ledger.surround(0, 0);
        assert_eq!(ledger, plain);
        ledger.surround(45, 15);
        assert_eq!((ledger.frames, ledger.scenes[0].first_frame, ledger.scenes[0].frames), (160, 45, 100));
        assert_eq!(ledger.intro, Some(Stretch { first_frame: 0, frames: 45 }));
        assert_eq!(ledger.outro, Some(Stretch { first_frame: 145, frames: 15 }));
        let firsts: Vec<(u64, u64)> = ledger.beats().map(|beat| (beat.first_frame, beat.first_sample)).collect();
        assert_eq!(firsts, [(45, 72_000), (105, 168_000)]);
        assert_eq!(ledger.scene_samples(), (72_000, 232_000));
    }

    #[test]
    fn the_sections_of_a_scene_are_chapters_that_tile_it() {
        let scene = scene("s", &["a", "b", "c"]);
        let mut ledger = Ledger::of(30, [(&scene, &[60, 40, 50][..], vec![0, 0, 0])]);
        let section = |first_frame, name: &str| Section { first_frame, name: name.to_owned() };
        ledger.scenes[0].sections = vec![section(60, "two"), section(100, "three")];
        ledger.surround(10, 0);
        let chapters = |ledger: &Ledger| -> Vec<(u64, u64, String, usize)> {
            let of = |one: ChapterEntry<'_>| (one.first_frame, one.frames, one.name.to_owned(), one.beats.len());
            ledger.scenes[0].chapters().into_iter().map(of).collect()
        };
        let named = |at: u64, frames, name: &str| (at, frames, name.to_owned(), 1);
        assert_eq!(chapters(&ledger), [named(10, 60, "s"), named(70, 40, "two"), named(110, 50, "three")]);
        // One at the beginning is the scene itself.
        ledger.scenes[0].sections.insert(0, section(10, "one"));
        assert_eq!(chapters(&ledger)[0], named(10, 60, "one"));
    }

    #[test]
    fn a_hundred_scenes_do_not_drift() {
        for fps in [15, 30, 60] {
            let scenes: Vec<Scene> = (0..100).map(|number| scene(&format!("s{number}"), &["a", "b", "c"])).collect();
            let samples: Vec<Vec<usize>> = (0..100).map(|n| vec![1_000 + n * 37, 48_001, 799]).collect();
            let of_scene = |(scene, samples): (&Scene, &Vec<usize>)| beat_frames(scene, samples.iter().copied(), fps);
            let frames: Vec<Vec<u64>> = scenes.iter().zip(&samples).map(of_scene).collect();
            let parts = scenes.iter().zip(&frames).zip(&samples);
            let ledger = Ledger::of(fps, parts.map(|((scene, frames), samples)| (scene, &frames[..], samples.clone())));
            let mut frame = 0;
            for beat in ledger.beats() {
                assert_eq!(beat.first_frame, frame);
                assert_eq!(beat.first_sample * u64::from(fps), frame * 48_000);
                assert!(beat.samples * u64::from(fps) <= beat.frames * 48_000);
                frame += beat.frames;
            }
            assert_eq!((ledger.frames, ledger.samples()), (frame, frame * 48_000 / u64::from(fps)));
        }
    }
}
