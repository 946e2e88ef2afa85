//! Splits a text into pieces that a voice accepts in one call.

/// One space between words, none around them: texts that sound the same are the same.
pub(super) fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Splits normalised text into pieces of at most `longest` characters: after a sentence where no piece gets too short, else
/// after a clause, else between words, and inside a word only when it is longer than a piece.
pub(super) fn pieces(text: &str, longest: usize) -> Vec<&str> {
    let mut rest = text.trim();
    let mut pieces = Vec::new();
    while let Some((limit, _)) = rest.char_indices().nth(longest) {
        let head = &rest[..limit];
        // The ends of all words in it, a word that ends exactly at the limit included.
        let ends: Vec<usize> = head
            .char_indices()
            .filter(|(_, c)| c.is_whitespace())
            .map(|(at, _)| at)
            .chain(rest[limit..].starts_with(char::is_whitespace).then_some(limit))
            .collect();
        let after = |marks: &[char]| ends.iter().rev().find(|&&end| rest[..end].ends_with(marks)).copied();
        let cut = after(&['.', '?', '!', '…', ':', ';'])
            .filter(|&end| end >= limit / 3)
            .or_else(|| after(&[',', '–', '—', ')']).filter(|&end| end >= limit / 3))
            .or_else(|| ends.last().copied())
            // Scripts without spaces have their own marks.
            .or_else(|| head.rfind(['。', '、', '，', '！', '？', '；', '：']).map(|at| at + '。'.len_utf8()))
            .filter(|&end| end > 0)
            .unwrap_or(limit);
        pieces.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_the_whole_text_and_are_short_enough() {
        let prose =
            "In a right triangle, the square on the hypotenuse is as large as both others together. That is all. "
                .repeat(5);
        let long_word = "a".repeat(250);
        let chinese = "勾股定理很简单。".repeat(40);
        for text in [prose.trim(), &long_word, &chinese, "ok", ""] {
            for longest in [3, 20, 100, 5000] {
                let pieces = pieces(text, longest);
                assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.chars().count() <= longest), "{pieces:?}");
                let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                assert_eq!(bare(&pieces.concat()), bare(text));
            }
        }
    }

    #[test]
    fn sentences_stay_whole_where_they_fit() {
        let text = "One sentence that stays whole. Another one that is a little longer, with a clause. And a third.";
        assert_eq!(pieces(text, 60)[0], "One sentence that stays whole.");
        assert_eq!(pieces("abc def", 3), ["abc", "def"]);
        assert_eq!(pieces("Rain, and a walk that goes on and on", 20)[0], "Rain, and a walk");
    }

    #[test]
    fn white_space_is_normalised() {
        assert_eq!(normalised("  a\n\tb  c "), "a b c");
    }
}
