//! What a document says about the whole film.

use crate::storyboard::{Music, VoiceSettings, Warning};

/// What a document says about the whole film.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) title: Option<String>,
    pub(crate) language: String,
    pub(crate) theme: String,
    pub(crate) quality: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(crate) voice: VoiceSettings,
    pub(crate) music: Option<Music>,
    pub(crate) intro: Option<String>,
    pub(crate) outro: Option<String>,
    /// Words, and how they are spoken.
    pub(crate) pronunciations: Vec<(String, String)>,
    pub(crate) warnings: Vec<Warning>,
    /// The byte at which the document itself begins.
    pub(crate) body: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: None,
            language: "en".to_owned(),
            theme: "dark".to_owned(),
            quality: None,
            on_failure: None,
            voice: VoiceSettings {
                chain: Vec::new(),
                name: None,
                words_per_minute: None,
                model: None,
                consistency: None,
                max_characters: None,
            },
            music: None,
            intro: None,
            outro: None,
            pronunciations: Vec::new(),
            warnings: Vec::new(),
            body: 0,
        }
    }
}

impl Settings {
    /// `words` with every word that has a pronunciation as it is spoken. Whole words alone, in any case; of two that
    /// begin alike the longer one.
    pub(crate) fn pronounced(&self, words: &str) -> String {
        if self.pronunciations.is_empty() {
            return words.to_owned();
        }
        let mut out = String::with_capacity(words.len());
        let mut rest = words;
        let mut before = None;
        while let Some(c) = rest.chars().next() {
            let begins = !before.is_some_and(char::is_alphanumeric);
            let matching = |written: &str| {
                let length = prefix(rest, written)?;
                let inside = rest[length..].chars().next().is_some_and(char::is_alphanumeric);
                (!inside).then_some(length)
            };
            let found = self.pronunciations.iter().filter(|_| begins);
            let found =
                found.filter_map(|(written, spoken)| Some((matching(written)?, spoken))).max_by_key(|one| one.0);
            let length = match found {
                Some((length, spoken)) => {
                    out.push_str(spoken);
                    length
                }
                None => {
                    out.push(c);
                    c.len_utf8()
                }
            };
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
        out
    }
}

/// How many bytes of `text` are `wanted`, in any case.
fn prefix(text: &str, wanted: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    for wanted in wanted.chars() {
        let (_, c) = characters.next()?;
        if c != wanted && !c.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(characters.next().map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_pronounced_in_any_case() {
        let pair = |written: &str, spoken: &str| (written.to_owned(), spoken.to_owned());
        let pronunciations =
            vec![pair("sql", "sequel"), pair("Bézier", "bezzy-ay"), pair("C", "see"), pair("C++", "see plus plus")];
        let settings = Settings { pronunciations, ..Settings::default() };
        assert_eq!(settings.pronounced("SQL, MySQL and sqlite."), "sequel, MySQL and sqlite.");
        assert_eq!(settings.pronounced("A bézier in C++ or C."), "A bezzy-ay in see plus plus or see.");
    }
}
