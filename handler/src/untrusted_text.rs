//! Text of somebody else's, as it may be shown.

/// A child's output as it may go into a status, a log and a terminal: at most so many characters, without control characters, escapes
/// and changes of direction. Lines stay.
pub fn plain(words: &str, most: usize) -> String {
    let harmless = |c: char| match c {
        '\n' => Some('\n'),
        c if c.is_control() => Some(' '),
        // Marks, overrides, embeddings and isolates of the direction of writing (Unicode's UAX #9), and separators of lines.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c => Some(c),
    };
    let mut plain: String = words.chars().filter_map(harmless).take(most + 1).collect();
    if let Some((at, _)) = plain.char_indices().nth(most) {
        plain.truncate(at);
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(plain("a\u{202e}b\x1b[31mred\x07\tc\nd\u{2028}", 100), "ab [31mred  c\nd");
        assert_eq!(plain("Ünï — 字 🙂", 100), "Ünï — 字 🙂");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn plain_text_has_no_control_characters(words in any::<String>(), most in 0_usize..50) {
            let plain = plain(&words, most);
            prop_assert!(plain.chars().count() <= most + 1);
            prop_assert!(plain.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
