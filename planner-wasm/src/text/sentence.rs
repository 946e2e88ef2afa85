//! Where sentences end, and how words are shared out.

/// Voices and captions take no more characters at once.
const LONGEST: usize = 1_500;

/// The byte after the first sentence of `text`, if it ends there.
pub(crate) fn end(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let stop = matches!(c, '.' | '!' | '?' | '…') && next.is_none_or(char::is_whitespace);
        // A letter and a stop is an initial: `J. Wallis`. So is the last letter of `e.g.`, unless the text ends there.
        // Looked at only where a word ends, as it reads the whole word.
        let initial = || c == '.' && before.is_alphabetic() && next.is_some() && is_initial(&text[..at]);
        let goes_on = || c == '.' && goes_on(&text[..at], &text[at + c.len_utf8()..]);
        if matches!(c, '。' | '！' | '？') || (stop && !initial() && !goes_on()) {
            return Some(at + c.len_utf8());
        }
        before = c;
    }
    None
}

/// What stands before numbers, without its stop, in small letters.
const BEFORE_NUMBERS: &[&str] = &[
    "abb", "approx", "aufg", "ca", "cap", "ch", "chap", "def", "ec", "eq", "eqs", "fig", "figs", "gl", "kap", "max",
    "min", "mind", "no", "nr", "núm", "p", "pp", "pág", "s", "sec", "tab", "thm", "vgl", "éq", "гл", "п", "рис", "см",
    "стр", "табл", "ур",
];

/// Whether a stop ends an abbreviation: a small letter comes next, or a number behind one that stands before numbers, or it stands between
/// single letters, as in `z. B.` and `i. d. R.`.
fn goes_on(before: &str, after: &str) -> bool {
    let mut next = after.trim_start().chars();
    let Some(letter) = next.next() else { return false };
    let is_single = |word: &str| word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let last = before.rsplit(char::is_whitespace).next().unwrap_or(before).trim_start_matches(['(', '"', '“']);
    if letter.is_ascii_digit() {
        return BEFORE_NUMBERS.contains(&last.to_lowercase().as_str());
    }
    letter.is_lowercase() || (is_single(last) && letter.is_alphabetic() && next.next() == Some('.'))
}

/// Whether the last word of `text` is one letter, or letters with stops between them.
fn is_initial(text: &str) -> bool {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or(text).trim_start_matches(['(', '"', '“']);
    let letters: Vec<&str> = word.split('.').collect();
    let single = |letter: &&str| letter.chars().count() == 1 && letter.chars().all(char::is_alphabetic);
    letters.iter().all(single) && word != "I" && (letters.len() > 1 || word.chars().all(char::is_uppercase))
}

/// The sentences of `text`, without the space between them.
pub(crate) fn all(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut rest = text.trim();
    while let Some(end) = end(rest) {
        sentences.push(rest[..end].trim());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        sentences.push(rest);
    }
    sentences
}

/// `text` in `count` shares of whole sentences, the earlier ones first; shares at the end may be empty.
pub(crate) fn shares(text: &str, count: usize) -> Vec<String> {
    if count <= 1 {
        return vec![text.trim().to_owned()];
    }
    let sentences = all(text);
    let mut shares = Vec::with_capacity(count);
    let mut taken = 0;
    for index in 0..count {
        let take = (sentences.len() - taken).div_ceil(count - index);
        shares.push(sentences[taken..taken + take].join(" "));
        taken += take;
    }
    shares
}

/// A long text in parts that end with sentences, or at least with words.
pub(crate) fn parts(narration: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = narration.trim();
    while rest.chars().nth(LONGEST).is_some() {
        let limit = rest.char_indices().nth(LONGEST).map_or(rest.len(), |(at, _)| at);
        let mut last = 0;
        while let Some(sentence) = end(&rest[last..limit]) {
            last += sentence;
        }
        if last == 0 {
            last = rest[..limit].rfind(' ').filter(|at| *at > 0).unwrap_or(limit);
        }
        let (part, after) = rest.split_at(last);
        parts.push(part.trim());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_with_stops_and_not_with_initials() {
        assert_eq!(all("One. Two! Three? four"), ["One.", "Two!", "Three?", "four"]);
        assert_eq!(
            all("J. Wallis found it, e.g. by induction. So did C. F. Gauss."),
            ["J. Wallis found it, e.g. by induction.", "So did C. F. Gauss."]
        );
        assert_eq!(
            all("Das gilt z. B. hier, i. d. R. auch dort. Siehe vgl. oben bzw. unten. Ende."),
            ["Das gilt z. B. hier, i. d. R. auch dort.", "Siehe vgl. oben bzw. unten.", "Ende."]
        );
        assert_eq!(all("It is 3.14 here. 勾股定理。很简单"), ["It is 3.14 here.", "勾股定理。", "很简单"]);
    }

    #[test]
    fn shares_are_whole_sentences() {
        assert_eq!(shares("One. Two. Three. Four. Five.", 3), ["One. Two.", "Three. Four.", "Five."]);
        assert_eq!(shares("One.", 2), ["One.", ""]);
        assert_eq!(shares("", 2), ["", ""]);
    }
}
