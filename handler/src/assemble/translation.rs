//! How the words of a translation are shared out over the sound of the film.

use std::collections::HashMap;

use super::Ledger;
use super::captions::units;
use crate::plan::translations::Translation;

impl Translation {
    /// The film's ledger with these words in place of its own. A passage of several beats is shared out by the length of their
    /// sound; a beat that is in none has no words.
    pub fn ledger(&self, film: &Ledger) -> Ledger {
        let lengths: HashMap<&str, u64> = film.beats().map(|beat| (beat.id.as_str(), beat.samples)).collect();
        let mut texts: HashMap<&str, String> = HashMap::new();
        for passage in &self.passages {
            // Scenes that were left out have no beats in the film.
            let beats = passage.beats.iter().filter_map(|id| Some((id.as_str(), *lengths.get(id.as_str())?)));
            let beats: Vec<(&str, u64)> = beats.filter(|(_, samples)| *samples > 0).collect();
            let lengths: Vec<u64> = beats.iter().map(|(_, samples)| *samples).collect();
            texts.extend(beats.iter().map(|(id, _)| *id).zip(shares(&passage.text, &lengths)));
        }
        let mut ledger = film.clone();
        // They are in the film's own language.
        ledger.scenes.iter_mut().for_each(|scene| scene.captions.clear());
        for beat in ledger.scenes.iter_mut().flat_map(|scene| &mut scene.beats) {
            beat.text = texts.remove(beat.id.as_str()).unwrap_or_default();
            beat.words.clear();
        }
        ledger
    }
}

/// A text in as many parts as there are lengths, in proportion to them; it is cut between words.
fn shares(text: &str, lengths: &[u64]) -> Vec<String> {
    let mut parts = vec![String::new(); lengths.len()];
    let Some(last) = lengths.len().checked_sub(1) else { return parts };
    let all: u64 = lengths.iter().sum::<u64>().max(1);
    let ends: Vec<u64> = lengths
        .iter()
        .scan(0, |end, length| {
            *end += length;
            Some(*end)
        })
        .collect();
    let characters = text.split_whitespace().map(|word| word.chars().count() as u64).sum::<u64>().max(1);
    let (mut before, mut at) = (0, 0);
    for word in text.split_whitespace() {
        for (number, unit) in units(word).into_iter().enumerate() {
            let length = unit.chars().count() as u64;
            // Where its middle is, in halves of a character.
            let middle = 2 * before + length;
            while at < last && middle * all > 2 * characters * ends[at] {
                at += 1;
            }
            before += length;
            let part = &mut parts[at];
            if number == 0 && !part.is_empty() {
                part.push(' ');
            }
            part.push_str(unit);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::captions::cues;
    use super::super::ledger::tests::scene;
    use super::*;
    use crate::plan::translations::Passage;

    fn passage(beats: &[&str], text: &str) -> Passage {
        Passage { beats: beats.iter().map(|beat| (*beat).to_owned()).collect(), text: text.to_owned() }
    }

    #[test]
    fn each_beat_has_its_own_words_in_its_own_time() {
        let scene = scene("s", &["One and two.", "", "Three and four.", "Five."]);
        let film = Ledger::of(30, [(&scene, &[90, 30, 90, 60][..], vec![96_000, 0, 96_000, 48_000])]);
        let passages = vec![passage(&["s-0"], "Eins und zwei."), passage(&["s-2"], "Drei und vier.")];
        let german = Translation { language: "de".to_owned(), passages }.ledger(&film);
        let texts: Vec<&str> = german.beats().map(|beat| beat.text.as_str()).collect();
        assert_eq!(texts, ["Eins und zwei.", "", "Drei und vier.", ""]);
        let cues = cues(&german);
        let read: Vec<(u64, String)> = cues.iter().map(|cue| (cue.from_ms, cue.lines.join(" "))).collect();
        assert_eq!(read, [(0, "Eins und zwei.".to_owned()), (4_000, "Drei und vier.".to_owned())]);
        // In step with the film, to the sample.
        assert!(german.beats().zip(film.beats()).all(|(one, other)| one.first_sample == other.first_sample));
    }

    #[test]
    fn a_passage_over_several_beats_is_cut_where_their_sound_is() {
        let words = "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf";
        let parts = shares(words, &[100, 300]);
        assert_eq!(parts.join(" "), words);
        let (first, second) = (parts[0].len() as f64, parts[1].len() as f64);
        assert!((first / (first + second) - 0.25).abs() < 0.08, "{parts:?}");
        // Scripts without spaces are cut too, and nothing gets lost.
        let chinese = "勾股定理很简单，直角三角形斜边上的正方形面积等于另外两边上的正方形面积之和。";
        let parts = shares(chinese, &[1, 1, 1]);
        assert_eq!(parts.concat(), chinese);
        assert!(parts.iter().all(|part| (8..20).contains(&part.chars().count())), "{parts:?}");
        assert_eq!(shares("", &[1, 2]), ["", ""]);
        assert_eq!(shares("nobody hears it", &[]), Vec::<String>::new());
    }
}
