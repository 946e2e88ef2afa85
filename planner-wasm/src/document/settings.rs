//! What a document says about the whole film.

use crate::speech::Locale;
use crate::storyboard::{Colours, FrameShape, Music, OnFailure, Quality, Theme, VoiceSettings, Warning};

/// What a document says about the whole film.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) title: Option<String>,
    /// What the document says it is about.
    pub(crate) description: Option<String>,
    pub(crate) language: String,
    /// Whether the document, or its name, says which language it is in.
    pub(crate) language_is_named: bool,
    pub(crate) theme: Theme,
    /// Colours of the author's own.
    pub(crate) colours: Option<Colours>,
    /// A picture in a corner of each scene.
    pub(crate) logo: Option<String>,
    /// The shape of the picture; 16 to 9 when none.
    pub(crate) frame_shape: Option<FrameShape>,
    pub(crate) quality: Option<Quality>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) voice: VoiceSettings,
    pub(crate) music: Option<Music>,
    pub(crate) intro: Option<String>,
    pub(crate) outro: Option<String>,
    /// Other languages that captions are wanted in; never the film's own, none twice.
    pub(crate) captions: Vec<String>,
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
            description: None,
            language: "en".to_owned(),
            language_is_named: false,
            theme: Theme::Dark,
            colours: None,
            logo: None,
            frame_shape: None,
            quality: None,
            on_failure: None,
            voice: VoiceSettings::default(),
            music: None,
            intro: None,
            outro: None,
            captions: Vec::new(),
            pronunciations: Vec::new(),
            warnings: Vec::new(),
            body: 0,
        }
    }
}

impl Settings {
    /// Settings of a document of that name: the words of another one for captions say in their name which language they are
    /// in, as `lesson.captions.de.md`.
    pub(crate) fn of(name: &str) -> Self {
        let mut settings = Self::default();
        let parts: Vec<&str> = name.rsplit(['/', '\\']).next().unwrap_or(name).split('.').collect();
        let tag = parts.windows(2).skip(1).rev().find(|pair| pair[0].eq_ignore_ascii_case("captions"));
        if let Some(tag) = tag.map(|pair| pair[1]).filter(|tag| is_language(tag)) {
            settings.language = tag.to_owned();
            settings.language_is_named = true;
        }
        settings
    }

    /// Wants captions in a language; the film's own come anyway.
    pub(crate) fn caption(&mut self, language: String) {
        let same = |other: &String| other.eq_ignore_ascii_case(&language);
        if !same(&self.language) && !self.captions.iter().any(same) {
            self.captions.push(language);
        }
    }

    /// `words` with every word that has a pronunciation as it is spoken, and the stretches between them as `otherwise` says. Whole
    /// words alone, in any case; of two that begin alike the longer one. The `km` of `km/h` is no word of its own.
    pub(crate) fn pronounced(&self, words: &str, otherwise: impl Fn(&str) -> String) -> String {
        if self.pronunciations.is_empty() {
            return otherwise(words);
        }
        let mut out = String::with_capacity(words.len());
        let mut plain = String::new();
        let mut rest = words;
        let mut before = None;
        while let Some(c) = rest.chars().next() {
            let begins = !before.is_some_and(char::is_alphanumeric);
            let matching = |written: &str| {
                let length = prefix(rest, written)?;
                let inside = rest[length..].chars().next().is_some_and(char::is_alphanumeric);
                let in_unit = || Locale::english().unit(rest).is_some_and(|(unit, ..)| unit > length);
                (!inside && !in_unit()).then_some(length)
            };
            let found = self.pronunciations.iter().filter(|(written, _)| begins && begins_alike(rest, written));
            let found =
                found.filter_map(|(written, spoken)| Some((matching(written)?, spoken))).max_by_key(|one| one.0);
            let length = match found {
                Some((length, spoken)) => {
                    out.push_str(&otherwise(&std::mem::take(&mut plain)));
                    out.push_str(spoken);
                    length
                }
                None => {
                    plain.push(c);
                    c.len_utf8()
                }
            };
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
        out.push_str(&otherwise(&plain));
        out
    }
}

/// Names of the colours that a theme has.
pub(crate) const COLOURS: &str = "background, panel, text, muted, accent, code";

impl Settings {
    /// A field of `theme`: the base that the others are put into, or a colour.
    ///
    /// # Errors
    /// In words, why it is none.
    pub(crate) fn theme_field(&mut self, name: &str, value: &str) -> Result<(), String> {
        if matches!(name, "base" | "name") {
            self.theme = Theme::named(&value.trim().to_lowercase()).ok_or("it is none of dark, light")?;
            return Ok(());
        }
        let colours = self.colours.get_or_insert_default();
        let name = if name == "muted_text" { "muted" } else { name };
        let wanted = colours.named(name).ok_or_else(|| format!("a theme has base, {COLOURS}"))?;
        *wanted = Some(latex_reader::colour(value).ok_or("it is no colour such as `#1a2b3c` or `navy`")?);
        Ok(())
    }

    /// Once all fields of `theme` are known; `based` says whether one named its base. On a light ground the rest of the theme is the light one.
    pub(crate) fn theme_read(&mut self, based: bool) {
        let ground = self.colours.as_ref().and_then(|colours| colours.background.as_deref());
        if let (false, Some(ground)) = (based, ground) {
            self.theme = if luminance(ground) > MIDDLE { Theme::Light } else { Theme::Dark };
        }
        self.colours = self.colours.take().filter(|colours| *colours != Colours::default());
    }
}

/// The luminance from which on black stands out more than white (WCAG 2.2).
const MIDDLE: f64 = 0.179;

/// The luminance of `#rrggbb` from 0 to 1, as WCAG 2.2 has it.
fn luminance(code: &str) -> f64 {
    let channel = |at: usize| {
        let level = code.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default();
        let share = f64::from(level) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { libm::pow((share + 0.055) / 1.055, 2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

/// What `aspect` may be.
pub(crate) const ASPECTS: &str = "16:9, 9:16, 1:1";

/// The shape of the picture that `aspect` names; none when it names none.
pub(crate) fn aspect(word: &str) -> Option<Option<FrameShape>> {
    match word.trim().to_ascii_lowercase().replace(['/', 'x'], ":").as_str() {
        "16:9" | "wide" | "landscape" => Some(None),
        "9:16" | "portrait" | "vertical" => Some(Some(FrameShape::Portrait)),
        "1:1" | "square" => Some(Some(FrameShape::Square)),
        _ => None,
    }
}

/// More languages than one film has readers of.
pub(crate) const MOST_CAPTIONS: usize = 20;

/// Whether a word is formed as a language tag is.
pub(crate) fn is_language(tag: &str) -> bool {
    let well_formed = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    let first = tag.split('-').next().unwrap_or(tag);
    let primary = matches!(first.len(), 2 | 3) && first.chars().all(|c| c.is_ascii_alphabetic());
    tag.len() <= 35 && primary && tag.split('-').all(well_formed)
}

/// The tag of a language that is named by its tag, in any of the ways these are written, or by its name in English or in itself.
pub(crate) fn language_named(word: &str) -> Option<String> {
    const NAMES: &[(&str, &[&str])] = &[
        ("ar", &["arabic", "العربية"]),
        ("bg", &["bulgarian", "български"]),
        ("bn", &["bengali", "বাংলা"]),
        ("ca", &["catalan", "català"]),
        ("cs", &["czech", "čeština"]),
        ("da", &["danish", "dansk"]),
        ("de", &["german", "deutsch", "ngerman"]),
        ("el", &["greek", "ελληνικά"]),
        ("en", &["english", "british", "american", "ukenglish"]),
        ("es", &["spanish", "español", "espanol", "castellano"]),
        ("et", &["estonian", "eesti"]),
        ("fa", &["persian", "farsi", "فارسی"]),
        ("fi", &["finnish", "suomi"]),
        ("fr", &["french", "français", "francais"]),
        ("he", &["hebrew", "עברית"]),
        ("hi", &["hindi", "हिन्दी"]),
        ("hr", &["croatian", "hrvatski"]),
        ("hu", &["hungarian", "magyar"]),
        ("id", &["indonesian", "bahasa indonesia"]),
        ("it", &["italian", "italiano"]),
        ("ja", &["japanese", "日本語"]),
        ("ko", &["korean", "한국어"]),
        ("lt", &["lithuanian", "lietuvių"]),
        ("lv", &["latvian", "latviešu"]),
        ("nb", &["norwegian", "norsk"]),
        ("nl", &["dutch", "nederlands"]),
        ("pl", &["polish", "polski"]),
        ("pt", &["portuguese", "português", "portugues"]),
        ("pt-BR", &["brazilian", "brazilian portuguese", "português do brasil"]),
        ("ro", &["romanian", "română"]),
        ("ru", &["russian", "русский"]),
        ("sk", &["slovak", "slovenčina"]),
        ("sl", &["slovenian", "slovenščina"]),
        ("sr", &["serbian", "српски"]),
        ("sv", &["swedish", "svenska"]),
        ("ta", &["tamil", "தமிழ்"]),
        ("te", &["telugu", "తెలుగు"]),
        ("th", &["thai", "ไทย"]),
        ("tr", &["turkish", "türkçe"]),
        ("uk", &["ukrainian", "українська"]),
        ("ur", &["urdu", "اردو"]),
        ("vi", &["vietnamese", "tiếng việt"]),
        ("zh", &["chinese", "mandarin", "中文", "汉语", "漢語"]),
    ];
    let word = word.trim();
    let lower = word.to_lowercase();
    if let Some((tag, _)) = NAMES.iter().find(|(_, names)| names.contains(&lower.as_str())) {
        return Some((*tag).to_owned());
    }
    // `en_US.UTF-8`
    let tag = word.split('.').next().unwrap_or(word).replace('_', "-");
    is_language(&tag).then_some(tag)
}

/// Whether `text` may begin with `wanted`, by its first two bytes: most words begin otherwise than most of those with a pronunciation.
fn begins_alike(text: &str, wanted: &str) -> bool {
    text.bytes().zip(wanted.bytes()).take(2).all(|(one, other)| {
        // A character beyond ASCII may be another one in lower case.
        !one.is_ascii() || !other.is_ascii() || one.eq_ignore_ascii_case(&other)
    })
}

/// How many bytes of `text` are `wanted`, in any case.
fn prefix(text: &str, wanted: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    for wanted in wanted.chars() {
        let (_, c) = characters.next()?;
        // Nearly always ASCII, and many times faster.
        let same = if c.is_ascii() && wanted.is_ascii() {
            c.eq_ignore_ascii_case(&wanted)
        } else {
            c == wanted || c.to_lowercase().eq(wanted.to_lowercase())
        };
        if !same {
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
        assert_eq!(settings.pronounced("SQL, MySQL and sqlite.", str::to_owned), "sequel, MySQL and sqlite.");
        assert_eq!(settings.pronounced("A bézier in C++ or C.", str::to_owned), "A bezzy-ay in see plus plus or see.");
        let settings = Settings { pronunciations: vec![pair("km", "klicks"), pair("sql", "sequel")], ..settings };
        let said = settings.pronounced("5 km at 100 km/h, in SQL/NoSQL", str::to_owned);
        assert_eq!(said, "5 klicks at 100 km/h, in sequel/NoSQL");
    }
}
