//! When the words of a scene are spoken that speak of something on its screen: the planner counts words, and the stage knows
//! milliseconds.

use std::borrow::Cow;

use storyboard::{Cue, CueKind, Scene};

use crate::assemble::{ends_sentence, word_times};
use crate::narrate::{SAMPLE_RATE, Word};

/// What is pointed at stays marked until its sentence ends: at least for so long, and at most, in milliseconds.
const SHORTEST_MS: u32 = 900;
const LONGEST_MS: u32 = 3_000;
/// How long it stays behind its own words at least.
const BEHIND_MS: u32 = 400;
/// Nobody looks at two things in a shorter time: what comes sooner after another is not pointed at.
const APART_MS: u32 = 500;

/// The scene with the times of its cues; `spoken` has the samples of each beat's words, and the times of the words when the voice
/// says them.
pub(super) fn timed<'a, 'w>(scene: &'a Scene, spoken: impl Iterator<Item = (usize, &'w [Word])>) -> Cow<'a, Scene> {
    if scene.beats.iter().all(|beat| beat.cues.is_empty()) {
        return Cow::Borrowed(scene);
    }
    let mut scene = scene.clone();
    for (beat, (samples, words)) in scene.beats.iter_mut().zip(spoken) {
        if beat.cues.is_empty() {
            continue;
        }
        let times = word_times(&beat.narration, words, samples);
        let ends: Vec<bool> = beat.narration.split_whitespace().map(ends_sentence).collect();
        let length = u32::try_from(samples as u64 * 1000 / u64::from(SAMPLE_RATE)).unwrap_or(u32::MAX);
        let whole = length.saturating_add(beat.pause_ms);
        let mut cues: Vec<Cue> = Vec::new();
        for mut cue in std::mem::take(&mut beat.cues) {
            let (first, last) = (cue.word as usize, (cue.word as usize + cue.words as usize).saturating_sub(1));
            let (Some(&(start, _)), Some(&(_, said))) = (times.get(first), times.get(last)) else { continue };
            let start = start.min(whole);
            let before = cues.iter_mut().rfind(|before| before.kind == CueKind::Point && cue.kind == CueKind::Point);
            if let Some(before) = before {
                if start < before.start_ms.unwrap_or(0) + APART_MS {
                    continue;
                }
                before.end_ms = before.end_ms.map(|end| end.min(start));
            }
            let end = (last..times.len()).find(|at| ends[*at]).map_or(length, |at| times[at].1);
            let end = end.max(said.saturating_add(BEHIND_MS)).max(start + SHORTEST_MS).min(start + LONGEST_MS);
            (cue.start_ms, cue.end_ms) = (Some(start), Some(end.min(whole).max(start)));
            cues.push(cue);
        }
        beat.cues = cues;
    }
    Cow::Owned(scene)
}

#[cfg(test)]
mod tests {
    use storyboard::{Beat, SceneKind};

    use super::*;

    fn scene(narration: &str, cues: &[(u32, u32, CueKind)]) -> Scene {
        let cue = |(word, words, kind): &(u32, u32, CueKind)| Cue {
            target: "list-1".into(),
            part: Some("item 1".into()),
            kind: *kind,
            word: *word,
            words: *words,
            // No planner knows them.
            start_ms: Some(7),
            end_ms: Some(8),
        };
        let beat = Beat {
            id: "s-1".into(),
            narration: narration.into(),
            pause_ms: 500,
            actions: Vec::new(),
            estimate_ms: 0,
            cues: cues.iter().map(cue).collect(),
            place: None,
            holds: Vec::new(),
        };
        Scene { id: "s".into(), kind: SceneKind::Lesson, heading: String::new(), beats: vec![beat], place: None }
    }

    fn times(scene: &Scene, samples: usize, words: &[Word]) -> Vec<(u32, u32)> {
        let timed = timed(scene, std::iter::once((samples, words)));
        timed.beats[0].cues.iter().map(|cue| (cue.start_ms.unwrap(), cue.end_ms.unwrap())).collect()
    }

    #[test]
    fn cues_have_the_times_of_their_words() {
        use CueKind::{Point, Reveal};
        let narration = "One two three four. Five six seven eight nine ten.";
        let word = |n: u32| Word { from_ms: n * 700, to_ms: n * 700 + 500 };
        let words: Vec<Word> = (0..10).map(word).collect();
        let scene_of = |cues: &[(u32, u32, CueKind)]| scene(narration, cues);
        // Until the sentence ends, at most three seconds; until the next begins; no two within half a second.
        assert_eq!(times(&scene_of(&[(1, 1, Point)]), 48_000 * 7, &words), [(700, 2_600)]);
        assert_eq!(times(&scene_of(&[(4, 2, Point)]), 48_000 * 7, &words), [(2_800, 5_800)]);
        assert_eq!(times(&scene_of(&[(0, 1, Point), (2, 1, Point)]), 48_000 * 7, &words), [(0, 1_400), (1_400, 2_600)]);
        let close: Vec<Word> = (0..10).map(|n| Word { from_ms: n * 200, to_ms: n * 200 + 150 }).collect();
        assert_eq!(times(&scene_of(&[(0, 1, Point), (1, 1, Point)]), 48_000 * 2, &close), [(0, 900)]);
        // What comes is no pointing, and never ends behind its beat.
        assert_eq!(
            times(&scene_of(&[(3, 1, Reveal), (9, 1, Point)]), 48_000 * 7, &words),
            [(2_100, 3_000), (6_300, 7_200)]
        );
    }

    #[test]
    fn without_word_times_words_have_their_share() {
        let narration = "One two three four. Five six seven eight nine ten.";
        let of = |word| times(&scene(narration, &[(word, 1, CueKind::Point)]), 48_000 * 10, &[])[0].0;
        assert_eq!(of(0), 0);
        assert!((3_000..5_000).contains(&of(4)) && of(9) > 8_000, "{} {}", of(4), of(9));
        // Of a word that is not there, or of no sound, nothing is made up.
        assert_eq!(times(&scene("", &[(0, 1, CueKind::Point)]), 0, &[]), []);
        let none = scene(narration, &[]);
        assert!(matches!(timed(&none, std::iter::empty()), Cow::Borrowed(_)));
    }
}
