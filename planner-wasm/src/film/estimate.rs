//! How long words take to speak: a guess, for planning alone. The real length is the voice's.

/// Words a minute of the local voice at its own pace, measured with espeak-ng 1.51 on English prose.
const WORDS_PER_MINUTE: u32 = 165;

/// Milliseconds of one letter of a script that is written without spaces: about 250 a minute in Mandarin and Japanese
/// read aloud.
const IDEOGRAPH_MS: u64 = 240;

/// Letters and the space after them in an average English word; long words take longer.
const LETTERS_PER_WORD: u64 = 6;

/// Milliseconds that `narration` takes to speak at `words_per_minute`, or at the voice's own pace.
pub(crate) fn speaking_ms(narration: &str, words_per_minute: Option<u32>) -> u32 {
    let pace = u64::from(words_per_minute.unwrap_or(WORDS_PER_MINUTE).max(1));
    let ideographs = narration.chars().filter(|c| is_ideograph(*c)).count() as u64;
    let words = narration.split_whitespace().filter(|word| !word.chars().all(is_ideograph)).count() as u64;
    let letters = narration.chars().filter(|c| !is_ideograph(*c)).count() as u64;
    // Half by words, half by letters: short words are spoken faster than long ones, but not in proportion.
    let by_words = words * 60_000 / pace;
    let by_letters = letters * 60_000 / (pace * LETTERS_PER_WORD);
    let written_without_spaces = ideographs * IDEOGRAPH_MS * u64::from(WORDS_PER_MINUTE) / pace;
    let ms = u64::midpoint(by_words, by_letters) + written_without_spaces;
    u32::try_from(ms).unwrap_or(u32::MAX)
}

/// Whether `c` belongs to a script whose words stand without spaces (kana, Han, Hangul is not one).
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::speaking_ms;

    #[test]
    fn a_minute_of_english_is_a_minute() {
        let prose = "Every right triangle hides one simple rule about its three sides. ".repeat(15);
        let ms = speaking_ms(&prose, None);
        assert!((55_000..66_000).contains(&ms), "165 words took {ms} ms");
    }

    #[test]
    fn pace_and_script_count() {
        assert_eq!(speaking_ms("", None), 0);
        assert!(speaking_ms("one two three", Some(330)) < speaking_ms("one two three", None));
        assert_eq!(speaking_ms("勾股定理很简单", None), 7 * 240);
    }
}
