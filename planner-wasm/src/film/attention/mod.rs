//! Attention follows the voice: what the words of a beat speak of among what is on the screen.
//!
//! In: the beats of a scene, and the marks that stood in their words. Out: cues, each some words and the thing that they mean. The
//! words themselves say it: a thing's whole name, the first words of an item, a part of a formula as it is read aloud, a formula or
//! a name of a program that stands in the line. Nothing is pointed at that is not sure: two things that are meant alike are neither.

mod candidates;
mod latex;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use self::candidates::{Candidate, Shape, Thing, compact};
use self::words::{Counted, Tongue, Word};
use super::warnings::Warnings;
use crate::speech::Locale;
use crate::storyboard::{Action, Beat, Code, Cue, CueKind, Place};
use crate::text::marks::{Kind, Marked};

/// Words between the beginnings of two cues: about a second of speech. Nobody looks from one thing to another faster.
const APART: usize = 3;
/// Words within which one thing is pointed at once.
const AGAIN: usize = 14;
/// Cues of one beat.
const MOST: usize = 60;
/// Words that a cue lasts at most.
const LONGEST: usize = 12;
/// Letters of a word that alone means an item.
const LONG_WORD: usize = 4;

/// Places at which a word may stand on the screen and still say which of them is meant.
const EVERYWHERE: usize = 16;

/// Words that say of the next one that it is not there, in the languages whose articles are known. "Without water" speaks of water.
const NEGATIONS: [&str; 12] =
    ["no", "not", "kein", "keine", "keinen", "keinem", "keiner", "aucun", "aucune", "ningún", "ninguna", "nessun"];

/// How sure it is that words mean a thing; less than [`SURE`] is nothing.
const SURE: u32 = 2;

/// Words of a beat that mean a thing.
#[derive(Debug, Clone)]
struct Hit {
    thing: usize,
    part: Option<String>,
    /// The first word and how many, as white space divides them.
    word: usize,
    words: usize,
    grade: u32,
    sentence: usize,
    /// Whether its author wants it.
    wanted: bool,
}

/// Finds the cues of a scene. `marks` are those of each beat's words, and `named` has the ids of what its author has named.
pub(super) fn find(
    beats: &mut [Beat],
    marks: &[Vec<Marked>],
    named: &BTreeMap<String, String>,
    language: &str,
    warnings: &mut Warnings,
) {
    let wanted = marks.iter().flatten().any(|mark| mark.kind == Kind::Show);
    let Some(tongue) = Tongue::of(language).or_else(|| if wanted { Tongue::of("en") } else { None }) else { return };
    let known = Tongue::of(language).is_some();
    let locale = Locale::of(language);
    let mut screen = Screen { tongue, locale, things: Vec::new(), there: BTreeSet::new(), found: Vec::new() };
    for (index, (beat, marks)) in beats.iter_mut().zip(marks).enumerate() {
        let alone = screen.there.is_empty();
        let pointed = screen.change(index, &beat.actions);
        if beat.narration.is_empty() || screen.there.is_empty() {
            let orphans = marks.iter().filter(|mark| mark.kind == Kind::Show);
            orphans.for_each(|mark| not_found(mark, &beat.narration, beat.place, warnings));
            continue;
        }
        let said = tongue.words(&beat.narration);
        let mut hits = if known { screen.hits(&said, marks, &pointed) } else { Vec::new() };
        for mark in marks.iter().filter(|mark| mark.kind == Kind::Show) {
            match screen.wanted(mark, &beat.narration, named) {
                Some(hit) => hits.push(hit),
                None => not_found(mark, &beat.narration, beat.place, warnings),
            }
        }
        let (hits, revealed) = screen.revealed(hits, index, alone);
        let mut cues: Vec<Cue> = revealed.iter().map(|hit| screen.cue(hit, CueKind::Reveal)).collect();
        cues.extend(chosen(hits, &revealed).iter().map(|hit| screen.cue(hit, CueKind::Point)));
        cues.sort_by_key(|cue| cue.word);
        cues.truncate(MOST);
        beat.cues = cues;
    }
}

fn not_found(mark: &Marked, narration: &str, place: Option<Place>, warnings: &mut Warnings) {
    let words: Vec<&str> = narration.split_whitespace().skip(mark.word).take(mark.words).collect();
    let wanted = if mark.source.is_empty() { words.join(" ") } else { mark.source.clone() };
    let wanted = crate::text::one_line(&wanted, 60);
    let message = format!("`{wanted}` is not found on the screen while these words are spoken: nothing is pointed at");
    warnings.add("plan.cue_not_found", message, place.unwrap_or(Place { line: 1, column: 1 }));
}

/// The cues that are kept, in the order of the words: no two at once, and nothing twice in one breath.
fn chosen(mut hits: Vec<Hit>, revealed: &[Hit]) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.word, std::cmp::Reverse((hit.wanted, hit.grade, hit.words))));
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        let near = |other: &Hit| hit.word.abs_diff(other.word) < APART;
        // What comes is looked at of itself.
        if revealed.iter().any(near) && !hit.wanted {
            continue;
        }
        let again = |other: &Hit| {
            (other.thing, &other.part) == (hit.thing, &hit.part) && hit.word - other.word < AGAIN && !hit.wanted
        };
        if kept.last().is_some_and(again) {
            continue;
        }
        match kept.last() {
            Some(last) if near(last) && !hit.wanted => {}
            Some(last) if near(last) && !last.wanted => {
                kept.pop();
                kept.push(hit);
            }
            _ => kept.push(hit),
        }
    }
    kept
}

/// Where a word is spoken, and its stem.
type Spoken<'a> = (usize, &'a str);

/// Words that a candidate has as they are spoken.
struct Run<'a> {
    /// The first of the candidate's words, how many they are, and how many of them say something of their own.
    begin: usize,
    length: usize,
    content: usize,
    /// What is spoken from there on, and the word before.
    said: &'a [Word],
    before: Option<&'a Word>,
}

/// What is on the screen, and what can be pointed at.
struct Screen {
    tongue: &'static Tongue,
    locale: &'static Locale,
    /// All that ever came, in order.
    things: Vec<Thing>,
    /// Those that are there.
    there: BTreeSet<usize>,
    found: Vec<Candidate>,
}

impl Screen {
    /// What a beat's actions change; gives back the ids of what their author points at.
    fn change(&mut self, beat: usize, actions: &[Action]) -> BTreeSet<String> {
        let mut pointed = BTreeSet::new();
        for action in actions {
            match action {
                Action::Show(element) => self.put(element, beat),
                Action::Remove(id) => self.take(id),
                Action::Clear => {
                    self.there.clear();
                    self.found.clear();
                }
                Action::Transform(transform) => {
                    self.take(&transform.from);
                    self.put(&transform.into, beat);
                }
                Action::Highlight(highlight) => {
                    pointed.insert(highlight.target.clone());
                }
                Action::Dim(id) => {
                    pointed.insert(id.clone());
                }
                // What is out of the frame can't be pointed at.
                Action::Camera(_) => pointed.extend(self.things.iter().map(|thing| thing.id.clone())),
                Action::Move(_) => {}
            }
        }
        pointed
    }

    fn put(&mut self, element: &crate::storyboard::Element, beat: usize) {
        let number = self.things.len();
        let (thing, found) = candidates::of(element, number, beat, self.tongue, self.locale);
        self.things.push(thing);
        self.there.insert(number);
        self.found.extend(found);
    }

    fn take(&mut self, id: &str) {
        if let Some(number) = self.things.iter().rposition(|thing| thing.id == id) {
            self.there.remove(&number);
            self.found.retain(|candidate| candidate.thing != number);
        }
    }

    fn cue(&self, hit: &Hit, kind: CueKind) -> Cue {
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let target = self.things[hit.thing].id.clone();
        let (word, words) = (small(hit.word), small(hit.words.clamp(1, LONGEST)));
        Cue { target, part: hit.part.clone(), kind, word, words, start_ms: None, end_ms: None }
    }

    /// What words mean, without those whose author points at something else.
    fn hits(&self, said: &[Word], marks: &[Marked], pointed: &BTreeSet<String>) -> Vec<Hit> {
        // Where on the screen each of the words stands.
        let spoken = said.iter().flat_map(|word| [word.stem(), &word.bare]);
        let mut index: BTreeMap<&str, Vec<(usize, usize)>> = spoken.map(|word| (word, Vec::new())).collect();
        for (number, candidate) in self.found.iter().enumerate() {
            for (at, word) in candidate.words.iter().enumerate() {
                let key = if candidate.exact { &word.bare } else { word.stem() };
                if let Some(places) = index.get_mut(key) {
                    places.push((number, at));
                }
            }
        }
        let mut hits = Vec::new();
        // Single words of a sentence that only one thing has, by sentence and thing.
        let mut scattered: BTreeMap<(usize, usize, &str), Vec<Spoken<'_>>> = BTreeMap::new();
        for (at, word) in said.iter().enumerate() {
            let mut here: Vec<Hit> = Vec::new();
            let by_stem = index.get(word.stem());
            let by_itself = if word.bare == word.stem() { None } else { index.get(&*word.bare) };
            hits.extend(self.counted(said, at));
            let places = by_stem.map_or(0, Vec::len) + by_itself.map_or(0, Vec::len);
            if places == 0 || places > EVERYWHERE {
                continue;
            }
            let mut seen = BTreeSet::new();
            for &(number, begin) in by_stem.into_iter().chain(by_itself).flatten() {
                if !seen.insert((number, begin)) {
                    continue;
                }
                let candidate = &self.found[number];
                let same = |own: &Word, other: &Word| {
                    if candidate.exact { own.bare == other.bare } else { own.stem() == other.stem() }
                };
                if !same(&candidate.words[begin], word) {
                    continue;
                }
                // It began with the word before.
                if at > 0 && begin > 0 && same(&candidate.words[begin - 1], &said[at - 1]) {
                    continue;
                }
                let own = candidate.words[begin..].iter();
                let length = own
                    .zip(&said[at..])
                    .take_while(|(own, other)| same(own, other) && other.sentence == word.sentence)
                    .count();
                let content = candidate.content.iter().skip(begin).take(length).filter(|content| **content).count();
                let alone = |word: &Word| self.is_alone(&index, candidate, word.stem());
                let run =
                    Run { begin, length, content, said: &said[at..], before: at.checked_sub(1).map(|at| &said[at]) };
                let grade = self.grade(candidate, &run, alone);
                if grade == 1 {
                    let key = (word.sentence, candidate.thing, candidate.part.as_str());
                    scattered.entry(key).or_default().push((word.at, word.stem()));
                } else if grade >= SURE {
                    here.push(self.hit(candidate, &said[at..at + length], grade));
                }
            }
            hits.extend(self.surest(here));
        }
        for ((sentence, thing, part), found) in scattered {
            let stems: BTreeSet<&str> = found.iter().map(|(_, stem)| *stem).collect();
            let known = hits.iter().any(|hit| hit.sentence == sentence && hit.thing == thing);
            if let (true, false, Some((word, _))) = (stems.len() >= 2, known, found.first()) {
                let part = Some(part.to_owned());
                hits.push(Hit { thing, part, word: *word, words: 1, grade: SURE, sentence, wanted: false });
            }
        }
        hits.extend(marks.iter().filter_map(|mark| self.marked(mark, said)));
        // A cell is meant where its row is, or where nothing else is written like it.
        let row = |hit: &Hit| {
            let row = hit.part.as_ref().filter(|part| part.starts_with("row "))?;
            Some((hit.sentence, hit.thing, row.clone()))
        };
        let rows: BTreeSet<(usize, usize, String)> = hits.iter().filter_map(row).collect();
        let stray = |hit: &Hit| {
            let part = hit.part.as_deref().unwrap_or_default();
            part.strip_prefix("cell ").and_then(|cell| cell.split_once(' ')).is_some_and(|(row, _)| {
                hit.grade < 5 && !rows.contains(&(hit.sentence, hit.thing, format!("row {row}")))
            })
        };
        hits.retain(|hit| !stray(hit) && !pointed.contains(&self.things[hit.thing].id));
        hits
    }

    fn hit(&self, candidate: &Candidate, said: &[Word], grade: u32) -> Hit {
        // "The legs" are pointed at where their own word is heard.
        let content = |word: &&Word| candidate.exact || !self.tongue.is_article(word);
        let (first, last) = (said.iter().find(content).unwrap_or(&said[0]), &said[said.len() - 1]);
        Hit {
            thing: candidate.thing,
            part: Some(candidate.part.clone()),
            word: first.at,
            words: last.at - first.at + 1,
            grade,
            sentence: first.sentence,
            wanted: false,
        }
    }

    /// Whether no other thing on the screen has that word.
    fn is_alone(&self, index: &BTreeMap<&str, Vec<(usize, usize)>>, candidate: &Candidate, stem: &str) -> bool {
        let own = |(number, _): &(usize, usize)| {
            let other = &self.found[*number];
            (other.thing, &other.part) == (candidate.thing, &candidate.part)
        };
        index.get(stem).is_some_and(|found| found.iter().all(own))
    }

    /// How sure it is that words mean a candidate: 1 together with others, from [`SURE`] on alone. `is_alone` says whether nothing
    /// else has a word.
    fn grade(&self, candidate: &Candidate, run: &Run<'_>, is_alone: impl Fn(&Word) -> bool) -> u32 {
        let Run { begin, length, content, said, before } = *run;
        let alone = || is_alone(&candidate.words[begin]);
        let any_alone = || candidate.words[begin..begin + length].iter().any(&is_alone);
        let all = begin == 0 && length == candidate.words.len();
        if candidate.exact {
            let long = candidate.words[0].bare.chars().count() >= LONG_WORD && candidate.content[0];
            return if all && (length > 1 || long) { 4 } else { 0 };
        }
        // A letter alone is a name where it is written large, or where the word before says so.
        if length == 1
            && candidate.words.len() == 1
            && let Some(letter) = candidate.words[0].letter
        {
            let is_named = before.is_some_and(|word| self.tongue.names(word));
            let same = said[0].letter == Some(letter);
            let large = letter.is_uppercase() && !(self.tongue.is_word(letter) || said[0].first);
            return if same && letter.is_alphabetic() && (is_named || large) { 4 } else { 0 };
        }
        if content == 0 {
            return 0;
        }
        let first = candidate.content.iter().position(|content| *content).unwrap_or(0);
        // "No moons" doesn't mean the item "the Moon".
        if length == 1 && before.is_some_and(|word| NEGATIONS.contains(&&*word.bare)) {
            return 0;
        }
        let named = candidate.name > 0 && begin <= first && begin + length >= candidate.name;
        let digits = candidate.words[begin].bare.bytes().filter(u8::is_ascii_digit).count();
        if length == 1 && digits > 0 {
            // A small number is everywhere; a year, or a number in its row, is not.
            return match (all, candidate.row.is_some()) {
                (true, false) if digits > 2 => 4,
                (true, true) if digits > 2 && alone() => 5,
                (true, true) => 3,
                _ => 0,
            };
        }
        if named {
            return if candidate.row.is_some() && length > 1 { 5 } else { 4 };
        }
        if candidate.row.is_some() {
            return 0;
        }
        match content {
            3.. => 3,
            2 if begin <= first => 3,
            2 if any_alone() => 2,
            2 => 0,
            _ if !alone() => 0,
            _ => {
                let word = &candidate.words[begin];
                let long = word.bare.chars().count() >= LONG_WORD && self.tongue.is_content(word);
                if long && begin <= first && first < begin + length { 2 } else { u32::from(long) }
            }
        }
    }

    /// The surest of those that begin at one word: of the same part in several things, the newest; none when two parts of one thing are
    /// meant alike.
    fn surest(&self, here: Vec<Hit>) -> Option<Hit> {
        let best = here.iter().map(|hit| (hit.grade, hit.words)).max()?;
        let mut best: Vec<Hit> = here.into_iter().filter(|hit| (hit.grade, hit.words) == best).collect();
        let newest = best.iter().map(|hit| hit.thing).max()?;
        best.retain(|hit| hit.thing == newest);
        best.dedup_by(|a, b| a.part == b.part);
        if best.len() == 1 { best.pop() } else { None }
    }

    /// "The second row", "line 3".
    fn counted(&self, said: &[Word], at: usize) -> Option<Hit> {
        let noun = said.get(at + 1).filter(|noun| noun.sentence == said[at].sentence);
        let (counted, number, length) = match (self.tongue.ordinal(&said[at]), noun) {
            (Some(number), Some(noun)) => (self.tongue.counted(noun)?, number, 2),
            (None, Some(number)) => {
                (self.tongue.counted(&said[at])?, number.bare.parse().ok().filter(|number| *number > 0)?, 2)
            }
            _ => return None,
        };
        let fits = |thing: &Thing| match (counted, thing.shape) {
            (Counted::Item, Shape::Items(count)) => Some((count, "item ")),
            (Counted::Row, Shape::Rows(count)) => Some((count, "row ")),
            (Counted::Line, Shape::Lines(count)) => Some((count, "")),
            // Many languages have one word for both.
            (Counted::Line, Shape::Rows(count)) if !self.tongue.counts(Counted::Row) => Some((count, "row ")),
            (Counted::Curve, Shape::Curves(count)) => Some((count, "curve ")),
            (Counted::Bar, Shape::Bars(count)) => Some((count, "bar ")),
            _ => None,
        };
        let mut there = self.there.iter().filter_map(|thing| Some((*thing, fits(&self.things[*thing])?)));
        // Of two lists nobody knows which one is meant.
        let (thing, (count, word)) = there.next().filter(|_| there.next().is_none())?;
        let number = if number == 0 { count } else { number };
        let numbers = &self.things[thing].numbers;
        let own = numbers.iter().position(|own| own.is_some_and(|own| own as usize == number)).map(|at| at + 1);
        let number = own.unwrap_or(number);
        let sentence = said[at].sentence;
        let part = Some(format!("{word}{number}"));
        (number <= count && count > 1).then_some(Hit {
            thing,
            part,
            word: said[at].at,
            words: said[at + length - 1].at - said[at].at + 1,
            grade: 4,
            sentence,
            wanted: false,
        })
    }

    /// What a formula or a piece of a program in the line stands at.
    fn marked(&self, mark: &Marked, said: &[Word]) -> Option<Hit> {
        let sentence = said.iter().find(|word| word.at >= mark.word).map_or(0, |word| word.sentence);
        let hit = |(thing, part): (usize, String), grade| Hit {
            thing,
            part: Some(part),
            word: mark.word,
            words: mark.words,
            grade,
            sentence,
            wanted: false,
        };
        match mark.kind {
            Kind::Math => self
                .labelled(&mark.source)
                .map(|at| hit(at, 5))
                .or_else(|| self.in_formula(&mark.source).map(|at| hit(at, 3))),
            Kind::Code => self.labelled(&mark.source).or_else(|| self.in_program(&mark.source)).map(|at| hit(at, 4)),
            Kind::Show => None,
        }
    }

    /// The newest thing that has exactly that label; none when two parts of it have.
    fn labelled(&self, source: &str) -> Option<(usize, String)> {
        let label = compact(source);
        let is = |candidate: &&Candidate| !label.is_empty() && candidate.label == label;
        let newest = self.found.iter().filter(is).map(|candidate| candidate.thing).max()?;
        let mut found = self.found.iter().filter(is).filter(|candidate| candidate.thing == newest);
        let one = found.next()?;
        found.all(|other| other.part == one.part).then(|| (newest, one.part.clone()))
    }

    /// The newest formula in which that stands once.
    fn in_formula(&self, source: &str) -> Option<(usize, String)> {
        let formulas = self.there.iter().rev().filter(|thing| !self.things[**thing].latex.is_empty());
        let bare = source.trim().trim_matches('$');
        let mut found = formulas.filter(|thing| latex::is_once_in(bare, &self.things[**thing].latex));
        found.next().map(|thing| (*thing, bare.to_owned()))
    }

    /// The line of the newest program that a piece of it stands in, or that defines it.
    fn in_program(&self, source: &str) -> Option<(usize, String)> {
        let programs = self.there.iter().rev();
        programs
            .filter_map(|thing| Some((*thing, line_of(self.things[*thing].code.as_ref()?, source)?.to_string())))
            .next()
    }

    /// What an author wants.
    fn wanted(&self, mark: &Marked, narration: &str, named: &BTreeMap<String, String>) -> Option<Hit> {
        let spoken: Vec<&str> = narration.split_whitespace().skip(mark.word).take(mark.words).collect();
        let spoken = spoken.join(" ");
        let name = if mark.source.is_empty() { spoken.as_str() } else { mark.source.as_str() };
        let (thing, part) = self.called(name, named)?;
        Some(Hit { thing, part, word: mark.word, words: mark.words, grade: 9, sentence: 0, wanted: true })
    }

    /// The newest thing that has a name, a label, a part, a line or words like that.
    fn called(&self, name: &str, named: &BTreeMap<String, String>) -> Option<(usize, Option<String>)> {
        let id = named.get(name).map_or(name, String::as_str);
        let newest = || self.there.iter().rev().copied();
        if let Some(thing) = newest().find(|thing| self.things[*thing].id == id) {
            return Some((thing, None));
        }
        let is_line = name.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '–' | ',' | ' '));
        let lines = |thing: &usize| match self.things[*thing].shape {
            Shape::Lines(count) => {
                let numbers =
                    name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<usize>().ok());
                numbers.clone().count() > 0 && numbers.into_iter().all(|number| (1..=count).contains(&number))
            }
            _ => false,
        };
        if is_line && let Some(thing) = newest().find(lines) {
            return Some((thing, Some(name.to_owned())));
        }
        let one = |(thing, part)| (thing, Some(part));
        if let Some(found) = self.labelled(name).or_else(|| self.by_words(name)) {
            return Some(one(found));
        }
        let part = |thing: usize| self.found.iter().any(|one| one.thing == thing && one.exact && one.part == name);
        if let Some(thing) = newest().find(|thing| part(*thing)) {
            return Some((thing, Some(name.to_owned())));
        }
        if let Some(found) = self.in_formula(name).or_else(|| self.in_program(name)) {
            return Some(one(found));
        }
        let lowered = name.to_lowercase();
        let holds = |thing: &usize| !lowered.is_empty() && self.things[*thing].text.to_lowercase().contains(&lowered);
        newest().find(holds).map(|thing| (thing, Some(name.to_owned())))
    }

    /// The part whose words hold all of these, in order: the newest one with the fewest others.
    fn by_words(&self, name: &str) -> Option<(usize, String)> {
        let wanted = self.tongue.words(name);
        let holds = |candidate: &&Candidate| {
            let same = |own: &Word, other: &Word| match candidate.exact {
                true => self.tongue.words(&own.bare).first().is_some_and(|own| own.stem() == other.stem()),
                false => own.stem() == other.stem(),
            };
            let all = |window: &[Word]| window.iter().zip(&wanted).all(|(own, other)| same(own, other));
            !wanted.is_empty() && candidate.words.windows(wanted.len()).any(all)
        };
        let found = self.found.iter().filter(holds);
        let best = found.min_by_key(|candidate| {
            (candidate.words.len() != wanted.len(), std::cmp::Reverse(candidate.thing), candidate.words.len())
        })?;
        Some((best.thing, best.part.clone()))
    }

    /// Parts of what comes in this beat that come when they are first spoken of: all of a list's items, a plot's curves or a table's
    /// rows in their order, but for some between two others. Gives back the other hits, and these.
    fn revealed(&self, mut hits: Vec<Hit>, beat: usize, alone: bool) -> (Vec<Hit>, Vec<Hit>) {
        let mut revealed = Vec::new();
        let came = self.there.iter().filter(|thing| self.things[**thing].beat == beat && !self.things[**thing].timed);
        let came: Vec<usize> = came.copied().collect();
        for thing in &came {
            let (count, word, all) = match self.things[*thing].shape {
                Shape::Items(count) => (count, "item ", false),
                Shape::Curves(count) => (count, "curve ", false),
                Shape::Rows(count) => (count, "row ", true),
                _ => continue,
            };
            // A cell comes with its row.
            let number = |hit: &Hit| {
                let part = hit.part.as_ref()?;
                let own = part.strip_prefix(word).or_else(|| part.strip_prefix("cell ").filter(|_| word == "row "))?;
                own.split(' ').next()?.parse::<usize>().ok()
            };
            let mut first: BTreeMap<usize, Hit> = BTreeMap::new();
            for hit in hits.iter().filter(|hit| hit.thing == *thing) {
                if let Some(number) = number(hit) {
                    let known = first.entry(number).or_insert_with(|| hit.clone());
                    if hit.word < known.word {
                        *known = hit.clone();
                    }
                    known.part = Some(format!("{word}{number}"));
                }
            }
            let ends = first.contains_key(&1) && first.contains_key(&count);
            let enough = if all { first.len() == count } else { 2 * first.len() > count };
            let ordered = first.values().zip(first.values().skip(1)).all(|(one, next)| next.word >= one.word + APART);
            if count < 2 || !ends || !enough || !ordered {
                continue;
            }
            // A screen that is otherwise empty doesn't wait for the words.
            let waits = !alone || came.len() > 1 || word != "item ";
            let these: Vec<Hit> =
                first.into_iter().filter(|(number, _)| waits || *number > 1).map(|(_, hit)| hit).collect();
            hits.retain(|hit| {
                !these.iter().any(|one| (one.thing, one.word) == (hit.thing, hit.word) && one.part == hit.part)
            });
            revealed.extend(these);
        }
        (hits, revealed)
    }
}

/// The line of a program that a piece of it stands in: the only one, or the only one that defines it.
fn line_of(code: &Code, piece: &str) -> Option<usize> {
    let piece = piece.trim().trim_end_matches("()");
    let name = |c: char| c.is_alphanumeric() || c == '_';
    if !piece.contains(name) {
        return None;
    }
    let stands = |line: &str| {
        line.match_indices(piece).any(|(at, _)| {
            let before = line[..at].chars().next_back().filter(|_| piece.starts_with(name));
            let after = line[at + piece.len()..].chars().next().filter(|_| piece.ends_with(name));
            !before.is_some_and(name) && !after.is_some_and(name)
        })
    };
    let mut lines = code.text.lines().enumerate().filter(|(_, line)| stands(line));
    let first = lines.next()?;
    if lines.next().is_none() {
        return Some(first.0 + 1);
    }
    let defines = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix(piece).map(str::trim_start);
        let assigned =
            rest.is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("==") || rest.starts_with(":="));
        const WORDS: &[&str] =
            &["def ", "class ", "fn ", "struct ", "function ", "let ", "const ", "var ", "fun ", "func ", "enum "];
        let named = |word: &&str| {
            line.split_once(*word).is_some_and(|(before, rest)| {
                let before = before.trim();
                (before.is_empty() || matches!(before, "pub" | "async" | "export" | "static" | "public"))
                    && rest.strip_prefix(piece).is_some_and(|rest| !rest.starts_with(name))
            })
        };
        assigned || WORDS.iter().any(named)
    };
    let mut lines = code.text.lines().enumerate().filter(|(_, line)| defines(line));
    lines.next().filter(|_| lines.next().is_none()).map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::settings::Settings;
    use crate::film::draft::{Draft, Shown, Step, StepKind};
    use crate::film::{FilmBuilder, Warnings};
    use crate::inline;
    use crate::storyboard::{
        Axes, Axis, Bar, Bullet, Bullets, Chart, Curve, CurveKind, Edge, ElementKind, Equation, Formula, Graph, Mark,
        Node, NumberLine, Point, SceneKind, Storyboard, Table, TableRow,
    };
    use crate::text::plain;

    const HERE: Place = Place { line: 1, column: 1 };

    fn list(items: &[&str]) -> ElementKind {
        let rich = |text: &&str| inline::rich(inline::of_text(text, HERE), HERE, &mut Warnings::default());
        let item = |text: &&str| Bullet { level: 0, number: None, text: rich(text) };
        ElementKind::Bullets(Bullets { items: items.iter().map(item).collect() })
    }

    fn equation(latex: &str) -> ElementKind {
        ElementKind::Equation(Equation { formula: Formula { latex: latex.to_owned() }, spoken: Vec::new() })
    }

    fn code(text: &str) -> ElementKind {
        ElementKind::Code(Code { language: "python".to_owned(), text: text.to_owned(), highlighted: Vec::new() })
    }

    fn table(rows: &[&[&str]]) -> ElementKind {
        let mut rows = rows.iter().map(|row| row.iter().map(|cell| plain(*cell)).collect::<Vec<_>>());
        let header = rows.next().unwrap_or_default();
        ElementKind::Table(Table { header, rows: rows.map(|cells| TableRow { cells }).collect(), align: Vec::new() })
    }

    fn axes(labels: &[&str]) -> ElementKind {
        let axis = || Axis { min: 0.0, max: 1.0, step: 1.0, label: String::new() };
        let curve = |label: &&str| Curve {
            label: (*label).to_owned(),
            kind: CurveKind::Points(vec![Point { x: 0.0, y: 0.0 }, Point { x: 1.0, y: 1.0 }]),
            colour: None,
        };
        let curves = labels.iter().map(curve).collect();
        ElementKind::Axes(Axes { x: axis(), y: axis(), curves, caption: String::new(), legend: false })
    }

    fn graph(nodes: &[&str]) -> ElementKind {
        let node = |label: &&str| Node { id: label.to_lowercase(), label: (*label).to_owned() };
        let edges = vec![Edge { from: nodes[0].to_lowercase(), to: nodes[1].to_lowercase(), label: "7".to_owned() }];
        ElementKind::Graph(Graph { nodes: nodes.iter().map(node).collect(), edges, directed: false, layout: None })
    }

    fn chart(bars: &[&str]) -> ElementKind {
        let bar = |label: &&str| Bar { label: (*label).to_owned(), value: 1.0 };
        let bars = bars.iter().map(bar).collect();
        ElementKind::Chart(Chart { bars, value_label: String::new(), caption: String::new() })
    }

    fn marks(labels: &[&str]) -> ElementKind {
        let axis = Axis { min: 0.0, max: 9.0, step: 1.0, label: String::new() };
        let mark = |(at, label): (usize, &&str)| Mark { at: at as f64, label: (*label).to_owned() };
        ElementKind::NumberLine(NumberLine { axis, marks: labels.iter().enumerate().map(mark).collect() })
    }

    /// The cues of one scene in which each element comes with the words beside it: `item 1 ← these words`, and `+` before what comes then.
    fn cues(language: &str, steps: Vec<(Option<ElementKind>, &str)>) -> (Vec<String>, Vec<String>) {
        let storyboard = planned(language, steps);
        let mut found = Vec::new();
        for beat in storyboard.scenes.iter().flat_map(|scene| &scene.beats) {
            let words: Vec<&str> = beat.narration.split_whitespace().collect();
            for cue in &beat.cues {
                let said = words[cue.word as usize..(cue.word + cue.words) as usize].join(" ");
                let sign = if cue.kind == CueKind::Reveal { "+" } else { "" };
                found.push(format!("{sign}{} ← {said}", cue.part.clone().unwrap_or_else(|| cue.target.clone())));
            }
        }
        (found, storyboard.warnings.into_iter().map(|warning| warning.message).collect())
    }

    fn planned(language: &str, steps: Vec<(Option<ElementKind>, &str)>) -> Storyboard {
        let settings = Settings { language: language.to_owned(), language_is_named: true, ..Settings::default() };
        let mut film = FilmBuilder::new("Film".to_owned(), settings, Warnings::default());
        let mut all = Vec::new();
        for (kind, words) in steps {
            all.extend(kind.map(|kind| Step { place: HERE, kind: StepKind::Show(Shown::of(kind)) }));
            let line = inline::of_text(words, HERE);
            let words = inline::heard(&line, film.settings());
            all.push(Step { place: HERE, kind: StepKind::Speak(words) });
        }
        let draft = Draft {
            kind: SceneKind::Lesson,
            heading: "Scene".to_owned(),
            name: None,
            place: HERE,
            steps: all,
            plays_ms: 0,
        };
        film.scene(draft).unwrap();
        let storyboard = film.storyboard().unwrap();
        crate::check::check(&storyboard).unwrap();
        storyboard
    }

    #[test]
    fn cues_are_believed_only_where_they_can_be() {
        let right = planned(
            "en",
            vec![(Some(list(&["Heat", "Light"])), "…"), (None, "First comes heat, and then light comes.")],
        );
        assert_eq!(right.scenes[0].beats[1].cues.len(), 2);
        type Break = fn(&mut Cue);
        let wrong: [(&str, Break); 7] = [
            ("is not there", |cue| cue.target = "list-9".to_owned()),
            ("was there before", |cue| cue.kind = CueKind::Reveal),
            ("at word 99", |cue| cue.word = 99),
            ("at word 5 of", |cue| cue.words = 9),
            ("a cue at word", |cue| cue.words = 0),
            ("from 5 to 4 ms", |cue| (cue.start_ms, cue.end_ms) = (Some(5), Some(4))),
            ("part of 1001 bytes", |cue| cue.part = Some("x".repeat(1_001))),
        ];
        for (why, spoil) in wrong {
            let mut storyboard = right.clone();
            spoil(&mut storyboard.scenes[0].beats[1].cues[1]);
            let broken = crate::check::check(&storyboard).unwrap_err();
            assert!(broken.contains(why), "{broken}");
        }
        let mut storyboard = right;
        storyboard.scenes[0].beats[1].cues.reverse();
        assert!(crate::check::check(&storyboard).unwrap_err().contains("after one at"));
    }

    fn found(language: &str, kind: ElementKind, words: &str) -> Vec<String> {
        cues(language, vec![(Some(kind), "…"), (None, words)]).0
    }

    #[test]
    fn items_are_known_by_their_names_and_first_words() {
        let laws = || {
            list(&[
                "**Inertia**: a body keeps its speed",
                "**Force**: mass times acceleration",
                "Action and reaction are alike",
            ])
        };
        assert_eq!(
            found(
                "en",
                laws(),
                "We begin with forces, and with them comes the mass of a body. Much later, inertia tells why. To each action belongs a reaction."
            ),
            ["item 2 ← forces,", "item 1 ← inertia", "item 3 ← action"]
        );
        // Small words and words of several items mean none.
        assert_eq!(
            found("en", list(&["Cells divide", "Cells grow", "Cells die"]), "All cells are small, and they are alike."),
            Vec::<String>::new()
        );
        assert_eq!(
            found(
                "en",
                list(&["Push the four triangles away", "Take four triangles"]),
                "All four triangles are the same."
            ),
            Vec::<String>::new()
        );
        assert_eq!(
            found("en", axes(&["hypotenuse", "other leg"]), "Any leg will do, but the other leg grows."),
            ["curve 2 ← other leg"]
        );
        assert_eq!(found("en", axes(&["with light", "in the dark"]), "It works with it."), Vec::<String>::new());
        assert_eq!(
            found("en", list(&["Earth", "the Moon", "Mars"]), "Mars has no moon. The moon is ours."),
            ["item 3 ← Mars", "item 2 ← moon"]
        );
        assert_eq!(found("de", list(&["Erde", "der Mond"]), "Die Venus hat keinen Mond."), Vec::<String>::new());
        assert_eq!(found("en", axes(&["y = x²"]), "Here is x squared."), ["curve 1 ← x squared."]);
        assert_eq!(
            found("en", list(&["The first law", "The other law"]), "It is the one after the other."),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_comes_is_seen_when_it_is_first_spoken_of() {
        let colours = || list(&["Red light", "Green light", "Blue light", "White light"]);
        let words = "First there is red light, which bends the least. Then there is green, in the middle of all. White light has them all.";
        // The first one does not wait on an empty screen, and the third comes between its neighbours.
        assert_eq!(
            cues("en", vec![(Some(colours()), words)]).0,
            ["item 1 ← red light,", "+item 2 ← green,", "+item 4 ← White light"]
        );
        let words = "White light has them all, and red light bends the least. Then there is green.";
        assert!(cues("en", vec![(Some(colours()), words)]).0.iter().all(|cue| !cue.starts_with('+')));
        let words = "The supply curve rises with the price. Demand falls with it.";
        assert_eq!(
            cues("en", vec![(Some(axes(&["supply", "demand"])), words)]).0,
            ["+curve 1 ← supply", "+curve 2 ← Demand"]
        );
        let metals = || table(&[&["metal", "melts at"], &["Iron", "1538 °C"], &["Lead", "327 °C"]]);
        let words = "Iron melts late, at one thousand five hundred. Lead melts on a fire.";
        assert_eq!(cues("en", vec![(Some(metals()), words)]).0, ["+row 1 ← Iron", "+row 2 ← Lead"]);
        assert_eq!(cues("en", vec![(Some(metals()), "Iron melts late, on no fire that we know.")]).0, ["row 1 ← Iron"]);
    }

    #[test]
    fn cells_are_meant_in_their_rows() {
        let metals = || table(&[&["metal", "melts at"], &["Iron", "1538"], &["Lead", "327"], &["Tin", "232"]]);
        assert_eq!(
            found("en", metals(), "For iron we need a furnace of 1538 degrees. A candle reaches 327."),
            ["row 1 ← iron", "cell 1 2 ← 1538", "cell 2 2 ← 327."]
        );
        let years = || table(&[&["year", "event"], &["1041", "type of clay"], &["1454", "the Bible"]]);
        assert_eq!(found("en", years(), "It was in 1454 that it came out."), ["row 2 ← 1454"]);
        let verbs = || table(&[&["pronom", "exemple"], &["je", "je parlais"], &["vous", "vous parliez"]]);
        assert_eq!(
            found("fr", verbs(), "Avec une deuxième ligne, on dit vous parliez."),
            ["row 2 ← deuxième ligne,", "cell 2 2 ← vous parliez."]
        );
    }

    #[test]
    fn parts_of_formulas_are_known_as_they_are_read() {
        let pythagoras = || equation("a^2 + b^2 = c^2");
        assert_eq!(
            found("en", pythagoras(), "The longest side gives c squared, whatever comes."),
            ["side 2 ← c squared,"]
        );
        assert_eq!(
            found("en", pythagoras(), "The longest side gives $c^2$, and $a$ is short."),
            ["side 2 ← c squared,", "a ← a"]
        );
        assert_eq!(found("de", pythagoras(), "Die längste Seite gibt $c^2$."), ["side 2 ← c Quadrat."]);
        // A letter that stands twice is none, nor is a word that looks like one.
        assert_eq!(found("en", equation("x^2 + 2x = a"), "So a value $x$ is a root."), Vec::<String>::new());
    }

    #[test]
    fn figures_are_known_by_their_labels() {
        assert_eq!(
            found("en", chart(&["Coal", "Wind power", "Gas"]), "Wind power grows, and coal loses."),
            ["bar 2 ← Wind power", "bar 1 ← coal"]
        );
        assert_eq!(
            found("en", marks(&["π", "√2", "Euler's number"]), "Then comes Euler's number."),
            ["mark 3 ← Euler's number."]
        );
        let towns = || graph(&["A", "B", "C"]);
        // A is an article, and C begins no sentence.
        assert_eq!(found("en", towns(), "A way leads from here to B and there to C."), ["node 2 ← B", "node 3 ← C."]);
        assert_eq!(found("en", towns(), "We stand at node A now."), ["node 1 ← A"]);
        assert_eq!(found("en", axes(&["$v_0$", "sin x"]), "It begins with $v_0$, of course."), ["curve 1 ← v sub 0,"]);
    }

    #[test]
    fn programs_are_known_by_their_lines() {
        let program = || {
            code(
                "def total(prices):\n    result = 0\n    for price in prices:\n        result += price\n    return result",
            )
        };
        assert_eq!(
            found(
                "en",
                program(),
                "The function `total` takes all prices. It sets `result` to nothing, and `return` gives it back. Look at line 3 again."
            ),
            ["1 ← total", "2 ← result", "5 ← return", "3 ← line 3"]
        );
        assert_eq!(found("en", program(), "What `price` is, `nobody` knows."), ["3 ← price"][..0].to_vec());
    }

    #[test]
    fn every_language_has_its_endings_and_articles() {
        assert_eq!(
            found(
                "de",
                list(&["Die Kathete am rechten Winkel", "Die Hypotenuse gegenüber"]),
                "Beide Katheten sind kurz, und der Hypotenuse fehlt nichts."
            ),
            ["item 1 ← Katheten", "item 2 ← Hypotenuse"]
        );
        assert_eq!(
            found(
                "fr",
                list(&["Les cathètes : autour de l'angle droit", "L'hypoténuse : en face"]),
                "On regarde l'hypoténuse, puis une cathète."
            ),
            ["item 2 ← l'hypoténuse,", "item 1 ← cathète."]
        );
        assert_eq!(
            found(
                "es",
                list(&["Los catetos", "La hipotenusa"]),
                "Primero miramos la hipotenusa y después cada cateto."
            ),
            ["item 2 ← hipotenusa", "item 1 ← cateto."]
        );
        assert_eq!(
            found(
                "ru",
                list(&["Катеты при прямом угле", "Гипотенуза напротив"]),
                "Посмотрим на гипотенузу, а затем на каждый из катетов."
            ),
            ["item 2 ← гипотенузу,", "item 1 ← катетов."]
        );
        assert_eq!(
            found("de", list(&["Eins", "Zwei", "Drei"]), "Der zweite Punkt ist der wichtigste."),
            ["item 2 ← zweite Punkt"]
        );
        // Nobody is sure where words end.
        assert_eq!(found("zh", list(&["勾股定理", "三角形"]), "勾股定理说的是三角形。"), Vec::<String>::new());
    }

    #[test]
    fn an_author_says_what_is_meant() {
        let (cues, warnings) = cues(
            "en",
            vec![
                (
                    Some(list(&["Heat", "Light"])),
                    "Look at [this one]{show=\"Light\"} first, and then at [heat]{show}. And [here]{show=\"Sound\"}.",
                ),
                (
                    Some(equation(r"E = \frac{m}{2} v^2")),
                    "It is [this]{show=\"v^2\"} that counts, or [the half mass]{show=\"fraction 1\"}.",
                ),
            ],
        );
        assert_eq!(cues, ["item 2 ← this one", "item 1 ← heat.", "v^2 ← this", "fraction 1 ← the half mass."]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("`Sound`"), "{warnings:?}");
        // Where no words are known, those of the author are.
        let (cues, _) =
            super::tests::cues("zh", vec![(Some(list(&["勾股定理", "三角形"])), "看 [这里]{show=\"三角形\"} 。")]);
        assert_eq!(cues, ["item 2 ← 这里"]);
    }

    #[test]
    fn two_things_at_once_are_one() {
        let (cues, _) = cues(
            "en",
            vec![
                (Some(list(&["Oxygen", "Nitrogen", "Argon"])), "…"),
                (None, "Oxygen, nitrogen, argon: all of them are in the air."),
            ],
        );
        assert_eq!(cues, ["item 1 ← Oxygen,"]);
    }

    #[test]
    fn an_author_names_an_element_of_a_plan() {
        let settings = Settings { language: "en".to_owned(), language_is_named: true, ..Settings::default() };
        let mut film = FilmBuilder::new("Film".to_owned(), settings, Warnings::default());
        let shown = Shown { name: Some("Two Areas".to_owned()), ..Shown::of(list(&["One", "Another"])) };
        let words = inline::heard(&inline::of_text("See [them]{show=\"Two Areas\"} here.", HERE), film.settings());
        let steps = [StepKind::Show(shown), StepKind::Speak(words)].map(|kind| Step { place: HERE, kind }).into();
        let heading = "Scene".to_owned();
        let draft = Draft { kind: SceneKind::Lesson, heading, name: None, place: HERE, steps, plays_ms: 0 };
        film.scene(draft).unwrap();
        let beat = film.storyboard().unwrap().scenes.remove(0).beats.remove(0);
        assert_eq!(beat.narration, "See them here.");
        let cue = &beat.cues[0];
        assert_eq!((&*cue.target, &cue.part, cue.word, cue.words), ("two-areas", &None, 1, 1));
    }
}
