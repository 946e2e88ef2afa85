//! Captions, from the ledger: SubRip, WebVTT, and chapters as ffmpeg reads them.

use std::sync::LazyLock;

use icu_segmenter::options::LineBreakOptions;
use icu_segmenter::{LineSegmenter, LineSegmenterBorrowed};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

use super::Ledger;
use super::ledger::{BeatEntry, SceneEntry};
use crate::narrate::{SAMPLE_RATE, Word};

/// Longest line of a caption, in columns: what subtitling guidelines agree on. A letter of Chinese, Japanese or Korean takes two.
const LINE: usize = 42;
/// Columns of two lines and the space between them.
const TWO_LINES: usize = 2 * LINE + 1;
/// A caption: what is read from one millisecond to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// First millisecond.
    pub from_ms: u64,
    /// Millisecond after the last.
    pub to_ms: u64,
    /// One or two lines of at most 42 columns.
    pub lines: Vec<String>,
}

/// A cue is shown for at least this long, where the next one leaves room.
const SHORTEST_MS: u64 = 1_000;
/// Characters a second that are still readable; a cue stays for the pause after it when the words are faster.
const READABLE: u64 = 20;
/// A gap between two cues that is shorter than this flickers: the first one stays.
const FLICKER_MS: u64 = 250;

/// A unit that is not broken over lines: a word, or one letter of a script without spaces.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    /// Whether a space precedes it.
    spaced: bool,
    /// The column at which it would begin if all of its beat stood in one line, and how many it takes.
    column: usize,
    columns: usize,
    from_ms: u64,
    to_ms: u64,
}

/// Makes the cues of a film. Words are shown when they are spoken; when the voice gives no times, the words of a beat share
/// its sound by their number of characters.
pub fn cues(ledger: &Ledger) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    for beat in ledger.beats().filter(|beat| beat.samples > 0) {
        let tokens = tokens(beat, ledger.sample_rate);
        for part in parts(&tokens) {
            let [first, .., last] = part else {
                cues.extend(part.iter().map(|one| cue(&[*one], one.from_ms, one.to_ms)));
                continue;
            };
            cues.push(cue(part, first.from_ms, last.to_ms));
        }
    }
    let end = ledger.samples() * 1000 / u64::from(ledger.sample_rate);
    cues = with_unspoken(cues, ledger);
    extend(&mut cues, end);
    cues
}

/// The cues with the captions that nobody speaks among them: each in the longest time in which it is wanted and nobody speaks. One
/// for which there is less than a second is left to the spoken words.
fn with_unspoken(mut cues: Vec<Cue>, ledger: &Ledger) -> Vec<Cue> {
    let rate = u64::from(ledger.sample_rate);
    for caption in ledger.scenes.iter().flat_map(|scene| &scene.captions) {
        let (mut from, end) =
            (ledger.milliseconds(caption.first_frame), ledger.milliseconds(caption.first_frame + caption.frames));
        let mut longest = (from, from);
        let others =
            cues.iter().filter(|cue| cue.to_ms > from && cue.from_ms < end).map(|cue| (cue.from_ms, cue.to_ms));
        for (next, after) in others.collect::<Vec<_>>().into_iter().chain([(end, end)]) {
            if next.saturating_sub(from) > longest.1 - longest.0 {
                longest = (from, next);
            }
            from = from.max(after);
        }
        if longest.1 - longest.0 < SHORTEST_MS {
            continue;
        }
        let beat = BeatEntry {
            id: String::new(),
            text: caption.text.clone(),
            first_frame: caption.first_frame,
            frames: caption.frames,
            first_sample: longest.0 * rate / 1000,
            samples: (longest.1 - longest.0) * rate / 1000,
            words: Vec::new(),
        };
        for part in parts(&tokens(&beat, ledger.sample_rate)) {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            cues.push(cue(part, first.from_ms, last.to_ms));
        }
        cues.sort_by_key(|cue| cue.from_ms);
    }
    cues
}

fn cue(part: &[Token<'_>], from_ms: u64, to_ms: u64) -> Cue {
    Cue { from_ms, to_ms, lines: lines(part) }
}

/// Extends cues so that they can be read, without overlaps.
fn extend(cues: &mut [Cue], end: u64) {
    let mut begin = 0;
    for index in 0..cues.len() {
        // Words may come at the same millisecond; cues may not.
        cues[index].from_ms = cues[index].from_ms.max(begin);
        begin = cues[index].from_ms + 1;
        let next = cues.get(index + 1).map_or(end, |next| next.from_ms).max(begin);
        let cue = &mut cues[index];
        let characters: usize = cue.lines.iter().map(|line| line.chars().count()).sum();
        let needed = (characters as u64 * 1000).div_ceil(READABLE).max(SHORTEST_MS);
        let mut to_ms = cue.to_ms.max(cue.from_ms + needed);
        if to_ms + FLICKER_MS > next {
            to_ms = next;
        }
        cue.to_ms = to_ms.clamp(begin, next);
        begin = cue.to_ms;
    }
}

/// A beat's words with their times.
fn tokens(beat: &BeatEntry, sample_rate: u32) -> Vec<Token<'_>> {
    let words: Vec<&str> = beat.text.split_whitespace().collect();
    let ms = |samples: u64| samples * 1000 / u64::from(sample_rate);
    let first = ms(beat.first_sample);
    let times: Vec<(u64, u64)> = if beat.words.len() == words.len() {
        beat.words.iter().map(|word| (first + u64::from(word.from_ms), first + u64::from(word.to_ms))).collect()
    } else {
        let at = |sample: u64| ms(beat.first_sample + sample);
        shares(&words, beat.samples).into_iter().map(|(from, to)| (at(from), at(to))).collect()
    };
    let mut tokens = Vec::new();
    let mut column = 0;
    for (word, (from_ms, to_ms)) in words.into_iter().zip(times) {
        let letters = word.chars().count() as u64;
        let mut before = 0;
        for (number, text) in units(word).into_iter().enumerate() {
            let at = |letter: u64| from_ms + (to_ms - from_ms.min(to_ms)) * letter / letters;
            let after = before + text.chars().count() as u64;
            let (spaced, columns) = (number == 0, width(text));
            column += usize::from(spaced);
            tokens.push(Token { text, spaced, column, columns, from_ms: at(before), to_ms: at(after) });
            column += columns;
            before = after;
        }
    }
    tokens
}

/// When each word of a beat is spoken, in milliseconds after its first sample: as the voice says, or by share.
pub fn word_times(text: &str, words: &[Word], samples: usize) -> Vec<(u32, u32)> {
    let texts: Vec<&str> = text.split_whitespace().collect();
    if words.len() == texts.len() {
        return words.iter().map(|word| (word.from_ms, word.to_ms)).collect();
    }
    let ms = |sample: u64| u32::try_from(sample * 1000 / u64::from(SAMPLE_RATE)).unwrap_or(u32::MAX);
    shares(&texts, samples as u64).into_iter().map(|(from, to)| (ms(from), ms(to))).collect()
}

/// The samples of words whose times no voice says: they share those of their beat by their number of characters.
fn shares(words: &[&str], samples: u64) -> Vec<(u64, u64)> {
    let weight = |word: &&str| word.chars().count() as u64 + 1;
    let all: u64 =
        words.iter().map(|word| weight(word) + breath(word)).sum::<u64>() - words.last().map_or(0, |word| breath(word));
    let mut spoken = 0;
    let at = |share: u64| samples * share.min(all) / all.max(1);
    let mut time = |word: &&str| {
        let from = at(spoken);
        spoken += weight(word);
        let to = at(spoken);
        spoken += breath(word);
        (from, to)
    };
    words.iter().map(&mut time).collect()
}

/// The unbreakable parts of a word, in order: all of it; in scripts without spaces, what lies between two places where a line may
/// break (Unicode's line breaking algorithm, UAX #14, with a model for Thai, Lao, Khmer and Burmese); and what fits a line of a word
/// that does not.
pub(super) fn units(word: &str) -> Vec<&str> {
    static LINES: LazyLock<LineSegmenterBorrowed<'static>> =
        LazyLock::new(|| LineSegmenter::new_lstm(LineBreakOptions::default()));
    let ends: Vec<usize> = match word.chars().any(is_spaceless) {
        true => LINES.segment_str(word).filter(|at| *at > 0).collect(),
        false => vec![word.len()],
    };
    let mut units = Vec::new();
    let mut begin = 0;
    for end in ends {
        let mut unit = &word[begin..end];
        begin = end;
        while let Some(end) = fitting(unit) {
            let (line, rest) = unit.split_at(end);
            units.push(line);
            unit = rest;
        }
        units.push(unit);
    }
    units
}

/// How many bytes of a word fit a line: up to the last mark at which it may be broken, or as many whole letters as fit. None
/// when all of it does.
fn fitting(word: &str) -> Option<usize> {
    // No letter takes more columns than bytes.
    if word.len() <= LINE {
        return None;
    }
    let mut columns = 0;
    let mut end = 0;
    let mut mark = None;
    for letter in word.graphemes(true) {
        columns += width(letter);
        if columns > LINE && end > 0 {
            return Some(mark.unwrap_or(end));
        }
        end += letter.len();
        if matches!(letter, "-" | "/" | "_" | "–" | "—") {
            mark = Some(end);
        }
    }
    None
}

/// Voices pause after a sentence about as long as for five letters, after a clause for two.
fn breath(word: &str) -> u64 {
    if ends_sentence(word) {
        5
    } else if ends_clause(word) {
        2
    } else {
        0
    }
}

/// Whether a sentence ends with a word.
pub fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches(['"', '\'', '”', '’', ')', '»', '」']).ends_with(['.', '?', '!', '…', ':', '。', '？', '！'])
}

fn ends_clause(word: &str) -> bool {
    word.ends_with([',', ';', '–', '—', ')', '，', '、', '；'])
}

/// Scripts that put no space between words: Thai and Lao, Burmese, Khmer; kana and Chinese characters.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Width in columns.
fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Columns of tokens in one line.
fn line_width(tokens: &[Token<'_>]) -> usize {
    let ends = tokens.first().zip(tokens.last());
    ends.map_or(0, |(first, last)| last.column + last.columns - first.column)
}

/// Where a second line begins so that both are about as long; none when one line is enough.
fn second_line(part: &[Token<'_>]) -> Option<usize> {
    if line_width(part) <= LINE {
        return None;
    }
    let longer = |at: &usize| line_width(&part[..*at]).max(line_width(&part[*at..]));
    (1..part.len()).min_by_key(longer)
}

fn fits(part: &[Token<'_>]) -> bool {
    // The space between two lines is not shown.
    line_width(part) <= TWO_LINES
        && second_line(part).is_none_or(|at| line_width(&part[..at]) <= LINE && line_width(&part[at..]) <= LINE)
}

fn lines(part: &[Token<'_>]) -> Vec<String> {
    let joined = |tokens: &[Token<'_>]| {
        tokens.iter().fold(String::new(), |mut line, token| {
            if token.spaced && !line.is_empty() {
                line.push(' ');
            }
            line.push_str(token.text);
            line
        })
    };
    match second_line(part) {
        Some(at) => vec![joined(&part[..at]), joined(&part[at..])],
        None => vec![joined(part)],
    }
}

/// Splits a beat's words into cues: at the ends of sentences, and a sentence that is too long into even parts.
fn parts<'a, 'b>(tokens: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let mut sentences: Vec<&[Token<'_>]> = Vec::new();
    let mut begin = 0;
    for (index, token) in tokens.iter().enumerate() {
        let sentence = &tokens[begin..=index];
        let last = index + 1 == tokens.len();
        // Short sentences share a cue; a sentence that ended well into one leaves the next to begin its own.
        if last || (ends_sentence(token.text) && line_width(sentence) > LINE / 2) {
            sentences.push(sentence);
            begin = index + 1;
        }
    }
    sentences.into_iter().flat_map(even_parts).collect()
}

fn even_parts<'a, 'b>(sentence: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    // Fewer parts than lines for all of it can't fit, each with a space between its lines and one after it.
    let least = line_width(sentence).div_ceil(TWO_LINES + 1).max(1);
    for count in least..sentence.len() {
        let mut rest = sentence;
        let mut parts = Vec::new();
        for left in (2..=count).rev() {
            let target = line_width(rest) / left;
            let cost = |at: &usize| {
                let bonus = if ends_clause(rest[at - 1].text) || ends_sentence(rest[at - 1].text) { BONUS } else { 0 };
                (line_width(&rest[..*at]).abs_diff(target)).saturating_sub(bonus)
            };
            // As many tokens are left as parts, at least.
            let most = rest.len().saturating_sub(left - 1);
            let Some(at) = near(rest, target, most).min_by_key(cost) else { break };
            parts.push(&rest[..at]);
            rest = &rest[at..];
        }
        parts.push(rest);
        if parts.iter().all(|part| fits(part)) {
            return parts;
        }
    }
    sentence.chunks(1).collect()
}

/// A bonus for the end of a clause or sentence, in columns.
const BONUS: usize = 10;

/// Where `rest` may be cut so that the first part has about `target` columns: all places that are no more than the bonus worse than
/// the best one, from 1 to `most`.
fn near(rest: &[Token<'_>], target: usize, most: usize) -> std::ops::Range<usize> {
    let Some(first) = rest.first() else { return 0..0 };
    let width = |token: &Token<'_>| token.column + token.columns - first.column;
    let tokens = &rest[..most];
    let reaches = |columns: usize| tokens.partition_point(|token| width(token) < columns);
    // The one that reaches the target, or the one before it.
    let at = reaches(target);
    let off = [at.checked_sub(1), Some(at)].into_iter().flatten();
    let off = off.filter_map(|at| Some(width(tokens.get(at)?).abs_diff(target))).min().unwrap_or_default();
    let (low, high) = (target.saturating_sub(off + BONUS), target + off + BONUS);
    reaches(low) + 1..reaches(high + 1).min(most) + 1
}

fn clock(ms: u64, point: char) -> String {
    format!("{:02}:{:02}:{:02}{point}{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// As SubRip.
pub fn srt(cues: &[Cue]) -> String {
    let one = |(index, cue): (usize, &Cue)| {
        let (from, to) = (clock(cue.from_ms, ','), clock(cue.to_ms, ','));
        format!("{}\n{from} --> {to}\n{}\n\n", index + 1, cue.lines.join("\n"))
    };
    cues.iter().enumerate().map(one).collect()
}

/// SubRip as ffmpeg is to embed it: it takes `<b and c>` for markup and `\n` for the end of a line, unless an invisible character
/// that is no part of a name (a word joiner) stands in between.
pub fn embedded(srt: &str) -> String {
    srt.replace('<', "<\u{2060}").replace('\\', "\\\u{2060}")
}

/// As WebVTT.
pub fn vtt(cues: &[Cue]) -> String {
    let escaped = |line: &str| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let one = |cue: &Cue| {
        let lines: Vec<String> = cue.lines.iter().map(|line| escaped(line)).collect();
        format!("{} --> {}\n{}\n\n", clock(cue.from_ms, '.'), clock(cue.to_ms, '.'), lines.join("\n"))
    };
    std::iter::once("WEBVTT\n\n".to_owned()).chain(cues.iter().map(one)).collect()
}

/// Title and chapters, as ffmpeg's metadata format.
pub fn chapters(ledger: &Ledger, title: &str) -> String {
    let escaped = |text: &str| -> String {
        let special = |c: char| matches!(c, '=' | ';' | '#' | '\\');
        text.chars()
            .flat_map(|c| special(c).then_some('\\').into_iter().chain([if c == '\n' { ' ' } else { c }]))
            .collect()
    };
    let mut text = format!(";FFMETADATA1\ntitle={}\n", escaped(title));
    let mut chapter = |from: u64, to: u64, title: &str| {
        let (from, to) = (ledger.milliseconds(from), ledger.milliseconds(to));
        let title = escaped(title);
        text.push_str(&format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={from}\nEND={to}\ntitle={title}\n"));
    };
    // Chapters leave no gap: what comes before the first scene has the film's own name, and the last one goes on to the end.
    if let Some(intro) = ledger.intro {
        chapter(intro.first_frame, intro.frames, title);
    }
    let all: Vec<_> = ledger.scenes.iter().flat_map(SceneEntry::chapters).collect();
    let ends = all.iter().skip(1).map(|next| next.first_frame).chain([ledger.frames]);
    for (one, end) in all.iter().zip(ends) {
        chapter(one.first_frame, end, one.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::scene;
    use super::*;

    const WORDS: &str = "In a right triangle, the square on the hypotenuse is as large as the two other squares together. \
        That is all. But why, and since when have people known? Incomprehensibilities-and-antidisestablishmentarianisms & <i>.";

    fn ledger() -> Ledger {
        let scene = scene("s", &[WORDS, "", WORDS]);
        Ledger::of(30, [(&scene, &[300, 30, 400][..], vec![470_000, 0, 630_000])])
    }

    #[test]
    fn a_film_of_endless_sentences_has_its_captions_at_once() {
        let words = ["a ".repeat(9_999), "勾股定理".repeat(1_600), "o\u{301}".repeat(6_000), "word-".repeat(3_999)];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let scene = scene("s", &words);
        let frames = vec![30_000; words.len()];
        let ledger = Ledger::of(30, [(&scene, &frames[..], vec![47_000_000; words.len()])]);
        let begun = std::time::Instant::now();
        let cues = cues(&ledger);
        assert!(cues.len() > 500 && cues.iter().flat_map(|cue| &cue.lines).all(|line| width(line) <= LINE));
        // Less than a second on any machine; with a width counted anew at each place it was hours.
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn every_word_appears_once_and_in_order() {
        let cues = cues(&ledger());
        let read: Vec<&str> = cues.iter().flat_map(|cue| &cue.lines).flat_map(|line| line.split_whitespace()).collect();
        // One word does not fit a line.
        let broken = WORDS.replace("and-anti", "and- anti");
        let spoken: Vec<&str> = broken.split_whitespace().chain(broken.split_whitespace()).collect();
        assert_eq!(read, spoken);
    }

    #[test]
    fn captions_fit_and_never_overlap_in_time() {
        let cues = cues(&ledger());
        for cue in &cues {
            assert!(cue.from_ms < cue.to_ms && cue.lines.len() <= 2);
            assert!(cue.lines.iter().all(|line| line.chars().count() <= LINE), "{cue:?}");
        }
        assert!(cues.windows(2).all(|pair| pair[0].to_ms <= pair[1].from_ms));
        // The words of the third beat begin with its own first frame.
        assert!(cues.iter().any(|cue| cue.from_ms == 11_000), "{cues:?}");
    }

    #[test]
    fn captions_follow_the_voices_word_times() {
        let text = "One two three four five six seven eight nine ten. Eleven twelve.";
        let scene = scene("s", &[text]);
        let mut ledger = Ledger::of(30, [(&scene, &[300][..], vec![432_000])]);
        // The second sentence comes late: its words begin at 8 s.
        let word = |n: u32| Word { from_ms: if n < 10 { n * 300 } else { 8_000 + n }, to_ms: n * 300 + 250 };
        ledger.time([(0..12).map(word).collect::<Vec<_>>()]);
        let cues = cues(&ledger);
        assert_eq!(cues.len(), 2, "{cues:?}");
        assert_eq!((cues[0].from_ms, cues[1].from_ms), (0, 8_010));
        // It stays as long as reading needs, not until the next one.
        assert!((2_950..4_000).contains(&cues[0].to_ms), "{cues:?}");
    }

    #[test]
    fn captions_of_a_fast_voice_stay_during_the_pause() {
        let scene = scene("s", &["Sixty characters of text that nobody can read in one second.", "Next."]);
        let ledger = Ledger::of(30, [(&scene, &[180, 60][..], vec![48_000, 48_000])]);
        let cues = cues(&ledger);
        assert!((2_900..3_300).contains(&cues[0].to_ms), "{cues:?}");
        assert_eq!(cues[1].from_ms, 6_000);
    }

    #[test]
    fn long_sentences_are_split_evenly_and_lines_are_balanced() {
        let text = "The square on the hypotenuse of a right triangle is exactly as large as the two squares on its other \
            sides taken together, whatever the triangle.";
        let scene = scene("s", &[text]);
        let cues = cues(&Ledger::of(30, [(&scene, &[300][..], vec![470_000])]));
        assert_eq!(cues.len(), 2, "{cues:?}");
        for cue in &cues {
            let lengths: Vec<usize> = cue.lines.iter().map(|line| line.chars().count()).collect();
            assert!(lengths.len() == 2 && lengths[0].abs_diff(lengths[1]) <= 12, "{cue:?}");
        }
    }

    /// Texts in many scripts, each long enough for several captions.
    #[test]
    fn every_script_is_read_whole_in_order_and_in_two_lines() {
        let arabic =
            "في كل مثلث قائم الزاوية علاقة بسيطة بين الأضلاع الثلاثة، وهي أن مربع الوتر يساوي مجموع مربعي الضلعين الآخرين.";
        let hebrew = "בכל משולש ישר זווית מתקיים הקשר הזה: ריבוע היתר שווה לסכום ריבועי הניצבים, וזה כל הסיפור כולו.";
        let korean = "직각삼각형에서 빗변의 제곱은 다른 두 변의 제곱의 합과 같습니다. 이것이 증명의 전부이며 다른 것은 없습니다.";
        let japanese = "直角三角形の斜辺の二乗は、ほかの二辺の二乗の和に等しい。これが証明のすべてであり、ほかには何もありません。";
        let thai = "ในสามเหลี่ยมมุมฉากกำลังสองของด้านตรงข้ามมุมฉากเท่ากับผลบวกของกำลังสองของด้านอื่นทั้งสองด้านเสมอ";
        let hindi = "समकोण त्रिभुज में कर्ण का वर्ग अन्य दो भुजाओं के वर्गों के योग के बराबर होता है, और यही पूरी बात है।";
        let address = format!("Read example.org/{} today.", "a-very-long-name".repeat(8));
        let thai = thai.repeat(2);
        for text in [arabic, hebrew, korean, japanese, &thai, hindi, &address] {
            let scene = scene("s", &[text]);
            let cues = cues(&Ledger::of(30, [(&scene, &[600][..], vec![900_000])]));
            let lines: Vec<&String> = cues.iter().flat_map(|cue| &cue.lines).collect();
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(bare(&lines.iter().map(|line| line.as_str()).collect::<String>()), bare(text), "{text}");
            assert!(cues.len() > 1 && cues.iter().all(|cue| cue.lines.len() <= 2), "{cues:?}");
            assert!(lines.iter().all(|line| UnicodeWidthStr::width(line.as_str()) <= LINE), "{cues:?}");
            assert!(cues.windows(2).all(|pair| pair[0].to_ms <= pair[1].from_ms), "{cues:?}");
            // No mark of a letter begins a line.
            let combining =
                |line: &&String| line.chars().next().is_some_and(|c| UnicodeWidthStr::width(&*c.to_string()) == 0);
            assert!(!lines.iter().any(combining), "{cues:?}");
            for cue in &cues {
                let columns: usize = cue.lines.iter().map(|line| UnicodeWidthStr::width(line.as_str())).sum();
                assert!(columns as u64 * 1000 <= READABLE * (cue.to_ms - cue.from_ms) + 1_000, "{cue:?}");
            }
        }
        // Words that are written from right to left are not turned around: players do that.
        let scene = scene("s", &[hebrew]);
        let cues = cues(&Ledger::of(30, [(&scene, &[600][..], vec![900_000])]));
        assert!(cues[0].lines[0].starts_with("בכל משולש"), "{cues:?}");
    }

    #[test]
    fn scripts_without_spaces_break_between_words_and_never_before_what_belongs_to_the_letter_before() {
        assert_eq!(units("สามเหลี่ยมมุมฉาก"), ["สาม", "เหลี่ยม", "มุม", "ฉาก"]);
        assert_eq!(units("ត្រីកោណកែង").concat(), "ត្រីកោណកែង");
        assert!(units("ត្រីកោណកែង").len() > 1);
        assert_eq!(units("コーヒー。"), ["コー", "ヒー。"]);
        assert_eq!(units("「三角形」"), ["「三", "角", "形」"]);
        assert_eq!(units("hypotenuse"), ["hypotenuse"]);
    }

    #[test]
    fn scripts_without_spaces_are_split_too() {
        let text =
            "勾股定理很简单，直角三角形斜边上的正方形面积等于另外两边上的正方形面积之和。这就是全部内容，没有别的了。";
        let scene = scene("s", &[text]);
        let cues = cues(&Ledger::of(30, [(&scene, &[600][..], vec![900_000])]));
        assert!(cues.len() > 1 && cues.iter().all(|cue| cue.lines.len() <= 2), "{cues:?}");
        let read: String = cues.iter().flat_map(|cue| &cue.lines).cloned().collect();
        assert_eq!(read, text);
        assert!(cues.iter().flat_map(|cue| &cue.lines).all(|line| width(line) <= LINE), "{cues:?}");
        let begins = |c: char| cues.iter().flat_map(|cue| &cue.lines).any(|line| line.starts_with(c));
        assert!(!begins('，') && !begins('。'), "{cues:?}");
    }

    #[test]
    fn captions_that_nobody_speaks_are_shown_where_nobody_speaks() {
        use super::super::ledger::UnspokenCaption;
        let scene = scene("s", &["Spoken words of the first part.", ""]);
        let mut ledger = Ledger::of(30, [(&scene, &[90, 210][..], vec![96_000, 0])]);
        let caption = |first_frame, frames, text: &str| UnspokenCaption { first_frame, frames, text: text.to_owned() };
        ledger.scenes[0].captions =
            vec![caption(30, 20, "No room for it."), caption(45, 105, "A remark."), caption(200, 60, "Another one.")];
        let cues = cues(&ledger);
        let read: Vec<(u64, String)> = cues.iter().map(|cue| (cue.from_ms, cue.lines.join(" "))).collect();
        let expected = [(0, "Spoken words of the first part."), (2_000, "A remark."), (6_666, "Another one.")];
        assert_eq!(read, expected.map(|(from, words)| (from, words.to_owned())));
        assert!(cues.windows(2).all(|pair| pair[0].to_ms <= pair[1].from_ms), "{cues:?}");
    }

    #[test]
    fn the_formats_are_valid() {
        let cues = [Cue { from_ms: 3_661_001, to_ms: 3_662_000, lines: vec!["a & <b>".into(), "c".into()] }];
        assert_eq!(srt(&cues), "1\n01:01:01,001 --> 01:01:02,000\na & <b>\nc\n\n");
        assert_eq!(vtt(&cues), "WEBVTT\n\n01:01:01.001 --> 01:01:02.000\na &amp; &lt;b&gt;\nc\n\n");
        let chapters = chapters(&ledger(), "a=b; c");
        assert!(
            chapters.starts_with(";FFMETADATA1\ntitle=a\\=b\\; c\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=24333\n")
        );
    }
}
