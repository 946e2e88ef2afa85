//! The words of each language for what is written in signs: formulas, units, abbreviations, addresses.
//!
//! English is the key: a phrase is looked up under its English words. Where one English word has two meanings, the second one's
//! key has a mark after a colon (`over:sum`), which nobody hears. Languages that are not here hear formulas in English and
//! units as they are written, which most voices read in their own way.
//!
//! One file for each language: to add one, copy `en.rs`, write its words beside the keys of `de.rs`, and name it in [`Locale::of`]; a test says
//! what is missing.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod pt;
mod ru;
mod words;
mod zh;

use self::words::Words;

/// A language, for as far as it is known here.
#[derive(Debug)]
pub(crate) struct Locale {
    /// None of a language without a file.
    words: Option<&'static Words>,
}

const ENGLISH: Locale = Locale { words: Some(&en::WORDS) };
const ANOTHER: Locale = Locale { words: None };

impl Locale {
    /// The language of a BCP 47 tag.
    pub(crate) fn of(language: &str) -> &'static Self {
        const LOCALES: &[(&str, Locale)] = &[
            ("de", Locale { words: Some(&de::WORDS) }),
            ("en", Locale { words: Some(&en::WORDS) }),
            ("es", Locale { words: Some(&es::WORDS) }),
            ("fr", Locale { words: Some(&fr::WORDS) }),
            ("it", Locale { words: Some(&it::WORDS) }),
            ("pt", Locale { words: Some(&pt::WORDS) }),
            ("ru", Locale { words: Some(&ru::WORDS) }),
            ("zh", Locale { words: Some(&zh::WORDS) }),
        ];
        let primary = language.split('-').next().unwrap_or(language).to_ascii_lowercase();
        LOCALES.iter().find(|(tag, _)| *tag == primary).map_or(&ANOTHER, |(_, locale)| locale)
    }

    /// English, to compare with.
    pub(crate) fn english() -> &'static Self {
        &ENGLISH
    }

    /// Whether it is known how units and addresses are said.
    pub(crate) fn is_known(&self) -> bool {
        self.words.is_some()
    }

    /// Abbreviations, and what is said for them.
    pub(crate) fn abbreviations(&self) -> &'static [(&'static str, &'static str)] {
        self.words.map_or(&[], |words| words.abbreviations)
    }

    /// A phrase in this language.
    pub(crate) fn say<'a>(&self, phrase: &'a str) -> &'a str {
        let english = phrase.split_once(':').map_or(phrase, |(words, _)| words);
        let Some(words) = self.words else { return english };
        words.phrases.iter().find(|(key, _)| *key == phrase).map_or(english, |(_, said)| said)
    }

    /// What stands before and behind the words that a phrase goes around: Chinese has them within `的 {} 次方`. None of a phrase that
    /// stands before them.
    pub(crate) fn around(&self, phrase: &'static str) -> Option<(&'static str, &'static str)> {
        self.say(phrase).split_once("{}").map(|(before, after)| (before.trim(), after.trim()))
    }

    /// A phrase and the words that belong to it.
    pub(crate) fn say_of(&self, phrase: &'static str, words: &str) -> String {
        let (before, after) = self.around(phrase).unwrap_or((self.say(phrase), ""));
        format!("{before} {words} {after}").trim().to_owned()
    }

    /// What is said before `n` and `k` of `C_n^k`, where it is written for the number of combinations.
    pub(crate) fn combinations(&self) -> Option<&'static str> {
        self.words.map(|words| words.combinations).filter(|words| !words.is_empty())
    }

    /// Whether a range is said before what it is of.
    pub(crate) fn has_ranges_first(&self) -> bool {
        self.words.is_some_and(|words| words.ranges_first)
    }

    /// Whether a comma parts the digits of a number.
    pub(crate) fn has_decimal_comma(&self) -> bool {
        self.words.is_some_and(|words| words.decimal_comma)
    }

    /// What is said in place of the last word of `said` and the beginning of the next phrase, when both become one: the bytes that are
    /// left of `said`, what is said for both, and the rest of the phrase.
    pub(crate) fn joined<'a>(&self, said: &str, next: &'a str) -> Option<(usize, &'static str, &'a str)> {
        self.words?.joins.iter().find_map(|(word, beginning, joined)| {
            let rest = next.strip_prefix(beginning)?;
            let ends = beginning.ends_with([' ', '\'']) || rest.is_empty() || rest.starts_with(' ');
            let kept = said.strip_suffix(word).filter(|kept| ends && (kept.is_empty() || kept.ends_with(' ')))?;
            Some((kept.len(), *joined, rest))
        })
    }

    /// A unit as `units` has it, of one that formulas of this language write in another way.
    pub(crate) fn alias<'a>(&self, written: &'a str) -> &'a str {
        let aliases = self.words.map_or(&[][..], |words| words.aliases);
        aliases.iter().find(|(own, _)| *own == written).map_or(written, |(_, unit)| unit)
    }

    /// The form of a unit behind a number, of its forms for one and for many.
    pub(crate) fn counted(&self, number: &str, one: &str, many: &str) -> String {
        self.words.map_or_else(|| many.to_owned(), |words| (words.counted)(number, one, many))
    }

    /// A unit, or several as `m s⁻²`, `J s` and `kg·m/s`: bytes, one of it, several of it.
    pub(crate) fn units(&self, text: &str) -> Option<(usize, String, String)> {
        let (mut length, one, many) = self.unit(text)?;
        let (mut one, mut many) = (one.to_owned(), many.to_owned());
        loop {
            let rest = &text[length..];
            let gap = rest
                .chars()
                .next()
                .filter(|c| matches!(c, ' ' | '·' | '⋅' | '\u{a0}' | '\u{202f}'))
                .map_or(0, char::len_utf8);
            let Some((next, of_next, many_of_next)) = self.unit(&rest[gap..]).filter(|_| gap > 0) else { break };
            let power = &rest[gap + next..];
            let per = power.strip_prefix('⁻').and_then(|power| power.chars().next());
            // What has a name as a whole is called by it.
            let sign = per.filter(|c| *c != '¹').map_or(String::new(), String::from);
            let fraction = format!("{}/{}{sign}", &text[..length], &rest[gap..gap + next]);
            if let Some(power) = per.filter(|c| matches!(c, '¹' | '²' | '³'))
                && let Some((_, of_all, many_of_all)) = self.unit(&fraction).filter(|(all, ..)| *all == fraction.len())
            {
                (one, many) = (of_all.to_owned(), many_of_all.to_owned());
                length += gap + next + '⁻'.len_utf8() + power.len_utf8();
                continue;
            }
            let words = match per {
                Some('¹') => format!(" {} {of_next}", self.say("per")),
                Some('²') => format!(" {} {of_next} {}", self.say("per"), self.say("squared")),
                Some('³') => format!(" {} {of_next} {}", self.say("per"), self.say("cubed")),
                _ => {
                    // Of two words the second may be no unit; signs that are multiplied are of these kinds.
                    let first =
                        ["J", "N", "W", "kW", "MW", "Pa", "V", "A", "C"].iter().any(|unit| text[..length] == **unit);
                    let second = ["s", "m", "h"].contains(&&rest[gap..gap + next]);
                    if !(first && second) || power.starts_with(char::is_alphanumeric) {
                        break;
                    }
                    many = format!("{one} {many_of_next}");
                    one = format!("{one} {of_next}");
                    length += gap + next;
                    break;
                }
            };
            one.push_str(&words);
            many.push_str(&words);
            length += gap + next + '⁻'.len_utf8() + per.map_or(0, char::len_utf8);
        }
        Some((length, one, many))
    }

    /// The longest unit at the beginning of `text`: its bytes, one of it, several of it.
    pub(crate) fn unit(&self, text: &str) -> Option<(usize, &'static str, &'static str)> {
        let ends =
            |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '²' | '³' | '/' | '^' | '_'));
        let words = self.words?;
        let fits = |written: &str| text.strip_prefix(written).is_some_and(ends);
        let longest =
            words.units.iter().filter(|(written, ..)| fits(written)).max_by_key(|(written, ..)| written.len());
        if let Some((written, one, many)) = longest {
            return Some((written.len(), one, many));
        }
        // In letters of the language's own.
        let (written, unit) =
            words.aliases.iter().filter(|(written, _)| fits(written)).max_by_key(|(written, _)| written.len())?;
        let (_, one, many) = words.units.iter().find(|(known, ..)| known == unit)?;
        Some((written.len(), one, many))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[(&str, &Words)] = &[
        ("de", &de::WORDS),
        ("en", &en::WORDS),
        ("es", &es::WORDS),
        ("fr", &fr::WORDS),
        ("it", &it::WORDS),
        ("pt", &pt::WORDS),
        ("ru", &ru::WORDS),
        ("zh", &zh::WORDS),
    ];

    #[test]
    fn every_language_has_every_phrase_and_unit_once() {
        let keys: Vec<&str> = de::WORDS.phrases.iter().map(|(key, _)| *key).collect();
        let units: Vec<&str> = en::WORDS.units.iter().map(|(unit, ..)| *unit).collect();
        for (language, words) in ALL.iter().filter(|(language, _)| *language != "en") {
            let own: Vec<&str> = words.phrases.iter().map(|(key, _)| *key).collect();
            assert_eq!(own, keys, "{language}");
            assert!(words.phrases.iter().all(|(_, said)| !said.is_empty()), "{language}");
        }
        for (language, words) in ALL {
            let own: Vec<&str> = words.units.iter().map(|(unit, ..)| *unit).collect();
            assert_eq!(own, units, "{language}");
        }
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{key} twice");
        }
        for words in crate::symbols::words().filter(|words| !words.is_empty()) {
            assert!(keys.contains(&words), "no translation of {words:?}");
        }
    }

    #[test]
    fn the_longest_unit_is_meant() {
        let german = Locale::of("de-AT");
        assert_eq!(german.unit("km/h."), Some((4, "Kilometer pro Stunde", "Kilometer pro Stunde")));
        assert_eq!(german.unit("km"), Some((2, "Kilometer", "Kilometer")));
        assert_eq!(german.unit("m²"), Some((3, "Quadratmeter", "Quadratmeter")));
        assert_eq!(german.unit("meters"), None);
        assert_eq!(Locale::of("ja").unit("km"), None);
        assert_eq!(
            (german.say("over"), german.say("over:sum"), Locale::of("ja").say("over:sum")),
            ("durch", "über", "over")
        );
    }
}
