//! The YAML between `---` lines at the top of a lesson: settings of the film.
//!
//! ```yaml
//! title: The theorem of Pythagoras
//! language: en            # BCP 47
//! theme: dark             # or light
//! quality: standard       # draft, standard, high, 4k
//! on_failure: still       # or fail: whether a still card may stand in for a scene that can't be drawn
//! voice:
//!   chain: [espeak]       # voices in the order to try them
//!   name: en-us           # the voice's own name
//!   words_per_minute: 165
//!   model: eleven_v3      # the provider's model
//!   consistency: film     # or scene, beat: what falls back together when a voice fails
//!   max_characters: 5000  # that voices which cost money may speak
//! pronunciations:         # how words are spoken
//!   SQL: sequel
//! music: quiet.mp3        # or {source: quiet.mp3, level_db: -20}
//! intro: intro.mp4        # clips before and after the film
//! outro: outro.mp4
//! captions: [de, fr]      # other languages; their words are those of lesson.captions.de.md and lesson.captions.fr.md
//! ```
//!
//! A key that isn't known is left out with a warning; a value that can't be is refused, for it is quickly mended.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::document::asset;
use crate::document::refusal;
use crate::document::settings::{MOST_CAPTIONS, Settings, is_language};
use crate::storyboard::{Consistency, Music, OnFailure, Place, Quality, Refusal, Theme, Warning};

/// No front matter that a person wrote is longer, in bytes.
const LONGEST: usize = 64 * 1024;

/// Reads the front matter of `text`, if it has one. `name` is the document's.
pub(crate) fn read(name: &str, text: &str) -> Result<Settings, Refusal> {
    let Some((yaml, body)) = split(text)? else { return Ok(Settings::of(name)) };
    if yaml.len() > LONGEST {
        return Err(invalid("it is longer than 64 KiB", Some(Place { line: 1, column: 1 })));
    }
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let raw: Option<Raw> = serde_saphyr::from_str_with_options(yaml, options).map_err(|error| {
        let at = error.location().map(|at| below_fence(at.line(), at.column()));
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default();
        invalid(message.split(" at line ").next().unwrap_or(message), at)
    })?;
    let mut settings = Settings { body, ..Settings::of(name) };
    raw.unwrap_or_default().into_settings(&mut settings)?;
    Ok(settings)
}

/// The YAML and the byte after it; none when the text begins otherwise. As in Pandoc, a `---` with an empty line after
/// it is a thematic break and no front matter.
fn split(text: &str) -> Result<Option<(&str, usize)>, Refusal> {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return Ok(None) };
    let mut at = first.len();
    for (index, line) in lines.enumerate() {
        let content = line.trim_end();
        if index == 0 && content.is_empty() {
            return Ok(None);
        }
        if content == "---" || content == "..." {
            return Ok(Some((&text[first.len()..at], at + line.len())));
        }
        at += line.len();
    }
    Err(invalid("it has no closing `---` line", Some(Place { line: 1, column: 1 })))
}

fn invalid(why: &str, place: Option<Place>) -> Refusal {
    let message = format!("the front matter can't be used: {why}");
    let remedy = "Mend that line; put quotes around a value that holds `: ` or begins with a sign.";
    refusal("input.front_matter_invalid", &message, remedy, place)
}

/// A place in the YAML as a place in the document: the `---` line comes before.
fn below_fence(line: u64, column: u64) -> Place {
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Place { line: small(line.saturating_add(1)), column: small(column) }
}

fn place<T>(spanned: &Spanned<T>) -> Place {
    below_fence(spanned.referenced.line(), spanned.referenced.column())
}

/// The YAML as it stands; values are checked afterwards, so that messages are ours and have places.
#[derive(Default)]
struct Raw {
    title: Option<Spanned<String>>,
    language: Option<Spanned<String>>,
    theme: Option<Spanned<String>>,
    quality: Option<Spanned<String>>,
    on_failure: Option<Spanned<String>>,
    voice: Voice,
    pronunciations: Pairs,
    music: Option<Spanned<RawMusic>>,
    intro: Option<Spanned<String>>,
    outro: Option<Spanned<String>>,
    captions: Vec<Spanned<String>>,
    unknown: Vec<Spanned<String>>,
}

/// `music: file` or a map.
enum RawMusic {
    File(String),
    Map(Pairs),
}

/// A map of one word to another.
#[derive(Default)]
struct Pairs(Vec<(Spanned<String>, Spanned<String>)>);

/// Loudness of music against the voice, in decibels, when the lesson doesn't say: heard, and never in the way.
const MUSIC_LEVEL_DB: f64 = -20.0;
/// More than any lesson has names.
const MOST_PRONUNCIATIONS: usize = 200;

#[derive(Default)]
struct Voice {
    chain: Vec<Spanned<String>>,
    name: Option<Spanned<String>>,
    words_per_minute: Option<Spanned<String>>,
    model: Option<Spanned<String>>,
    consistency: Option<Spanned<String>>,
    max_characters: Option<Spanned<String>>,
    unknown: Vec<Spanned<String>>,
}

impl Raw {
    fn into_settings(self, settings: &mut Settings) -> Result<(), Refusal> {
        if let Some(title) = self.title {
            settings.title = Some(one_line(&title, "title", 200)?).filter(|title| !title.is_empty());
        }
        if let Some(language) = self.language {
            if !is_language(&language.value) {
                return Err(invalid("`language` is no language tag such as `en` or `de-AT`", Some(place(&language))));
            }
            settings.language = language.value;
        }
        if let Some(theme) = self.theme {
            settings.theme = choice(&theme, "theme", Theme::ALL, Theme::name)?;
        }
        if let Some(quality) = self.quality {
            settings.quality = Some(choice(&quality, "quality", Quality::ALL, Quality::name)?);
        }
        if let Some(on_failure) = self.on_failure {
            settings.on_failure = Some(choice(&on_failure, "on_failure", OnFailure::ALL, OnFailure::name)?);
        }
        if self.voice.chain.len() > 10 {
            return Err(invalid("`voice.chain` names more than 10 voices", self.voice.chain.first().map(place)));
        }
        for voice in &self.voice.chain {
            settings.voice.chain.push(voice_name(voice, "voice.chain", str::to_lowercase)?);
        }
        if let Some(name) = &self.voice.name {
            settings.voice.name = Some(voice_name(name, "voice.name", str::to_owned)?);
        }
        if let Some(pace) = &self.voice.words_per_minute {
            let number = pace.value.parse().ok().filter(|number| (80..=450).contains(number));
            let why = "`voice.words_per_minute` is no whole number from 80 to 450";
            settings.voice.words_per_minute = Some(number.ok_or_else(|| invalid(why, Some(place(pace))))?);
        }
        if let Some(model) = &self.voice.model {
            settings.voice.model = Some(voice_name(model, "voice.model", str::to_owned)?);
        }
        if let Some(consistency) = &self.voice.consistency {
            settings.voice.consistency =
                Some(choice(consistency, "voice.consistency", Consistency::ALL, Consistency::name)?);
        }
        if let Some(most) = &self.voice.max_characters {
            let why = "`voice.max_characters` is no whole number";
            let number = most.value.replace('_', "").parse();
            settings.voice.max_characters = Some(number.map_err(|_| invalid(why, Some(place(most))))?);
        }
        if self.pronunciations.0.len() > MOST_PRONUNCIATIONS {
            let at = place(&self.pronunciations.0[MOST_PRONUNCIATIONS].0);
            return Err(invalid("`pronunciations` has more than 200 words", Some(at)));
        }
        for (written, spoken) in &self.pronunciations.0 {
            let written = one_line(written, "pronunciations", 100)?;
            if !written.is_empty() {
                settings.pronunciations.push((written, one_line(spoken, "pronunciations", 200)?));
            }
        }
        settings.music = self.music.map(|music| checked(&music, &mut settings.warnings)).transpose()?;
        settings.intro = self.intro.map(|clip| file(&clip, "intro")).transpose()?;
        settings.outro = self.outro.map(|clip| file(&clip, "outro")).transpose()?;
        if self.captions.len() > MOST_CAPTIONS {
            let at = self.captions.get(MOST_CAPTIONS).map(place);
            return Err(invalid(&format!("`captions` names more than {MOST_CAPTIONS} languages"), at));
        }
        for language in self.captions {
            if !is_language(&language.value) {
                let at = Some(place(&language));
                return Err(invalid("`captions` names no language such as `de` or `pt-BR`", at));
            }
            settings.caption(language.value);
        }
        settings.warnings.extend(self.unknown.iter().map(|key| unknown(key, "")));
        settings.warnings.extend(self.voice.unknown.iter().map(|key| unknown(key, "voice.")));
        Ok(())
    }
}

fn checked(music: &Spanned<RawMusic>, warnings: &mut Vec<Warning>) -> Result<Music, Refusal> {
    let pairs = match &music.value {
        RawMusic::File(source) => {
            let source = asset::path(source).map_err(|why| invalid(&format!("`music`: {why}"), Some(place(music))))?;
            return Ok(Music { source, level_db: MUSIC_LEVEL_DB });
        }
        RawMusic::Map(pairs) => &pairs.0,
    };
    let mut settled = Music { source: String::new(), level_db: MUSIC_LEVEL_DB };
    for (key, value) in pairs {
        match key.value.as_str() {
            "source" => settled.source = file(value, "music.source")?,
            "level_db" => {
                let number = value.value.parse().ok().filter(|level| (-60.0..=0.0).contains(level));
                let why = "`music.level_db` is no number from -60 to 0";
                settled.level_db = number.ok_or_else(|| invalid(why, Some(place(value))))?;
            }
            _ => warnings.push(unknown(key, "music.")),
        }
    }
    if settled.source.is_empty() {
        return Err(invalid("`music` names no `source`", Some(place(music))));
    }
    Ok(settled)
}

fn unknown(key: &Spanned<String>, inside: &str) -> Warning {
    let key_name = crate::text::one_line(&key.value, 60);
    Warning {
        code: "plan.unknown_setting".to_owned(),
        message: format!("the setting `{inside}{key_name}` is not known and was left out"),
        place: Some(place(key)),
    }
}

fn file(value: &Spanned<String>, key: &str) -> Result<String, Refusal> {
    asset::path(&value.value).map_err(|why| invalid(&format!("`{key}`: {why}"), Some(place(value))))
}

fn choice<T: Copy>(value: &Spanned<String>, key: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, Refusal> {
    let wanted = value.value.to_lowercase();
    let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let found = known.iter().position(|word| *word == wanted).and_then(|at| all.get(at));
    found.copied().ok_or_else(|| invalid(&format!("`{key}` is none of {}", known.join(", ")), Some(place(value))))
}

/// Names are handed to programs, for which a `-` begins an option. `written` is how the name is kept.
fn voice_name(value: &Spanned<String>, key: &str, written: fn(&str) -> String) -> Result<String, Refusal> {
    // In lower case a name may be longer.
    let name = written(&one_line(value, key, 100)?);
    if name.is_empty() || name.len() > 100 || name.starts_with('-') {
        return Err(invalid(&format!("`{key}` is no name of a voice"), Some(place(value))));
    }
    Ok(name)
}

fn one_line(value: &Spanned<String>, key: &str, longest: usize) -> Result<String, Refusal> {
    let text = value.value.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > longest || text.chars().any(char::is_control) {
        let why = format!("`{key}` is longer than {longest} characters or has control characters");
        return Err(invalid(&why, Some(place(value))));
    }
    Ok(text)
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("settings such as `title: …`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut raw = Raw::default();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    match key.value.as_str() {
                        "title" => raw.title = map.next_value()?,
                        "language" => raw.language = map.next_value()?,
                        "theme" => raw.theme = map.next_value()?,
                        "quality" => raw.quality = map.next_value()?,
                        "on_failure" => raw.on_failure = map.next_value()?,
                        "voice" => raw.voice = map.next_value::<Option<Voice>>()?.unwrap_or_default(),
                        "pronunciations" => raw.pronunciations = map.next_value::<Option<Pairs>>()?.unwrap_or_default(),
                        "music" => raw.music = map.next_value()?,
                        "intro" => raw.intro = map.next_value()?,
                        "outro" => raw.outro = map.next_value()?,
                        "captions" => {
                            raw.captions = map.next_value::<Option<Words>>()?.map(|words| words.0).unwrap_or_default();
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            raw.unknown.push(key);
                        }
                    }
                }
                Ok(raw)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de> Deserialize<'de> for Voice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Voice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`chain`, `name` and `words_per_minute` under `voice`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Voice, A::Error> {
                let mut voice = Voice::default();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    match key.value.as_str() {
                        "chain" => voice.chain = map.next_value::<Words>()?.0,
                        "name" => voice.name = map.next_value()?,
                        "words_per_minute" => voice.words_per_minute = map.next_value()?,
                        "model" => voice.model = map.next_value()?,
                        "consistency" => voice.consistency = map.next_value()?,
                        "max_characters" => voice.max_characters = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            voice.unknown.push(key);
                        }
                    }
                }
                Ok(voice)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// A list of words.
struct Words(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words such as `[espeak]`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lines;
        impl<'de> Visitor<'de> for Lines {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lines such as `SQL: sequel`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Lines)
    }
}

impl<'de> Deserialize<'de> for RawMusic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawMusic;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sound file, or `source` and `level_db`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawMusic, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(RawMusic::Map(Pairs(pairs)))
            }

            fn visit_str<E: serde::de::Error>(self, file: &str) -> Result<RawMusic, E> {
                Ok(RawMusic::File(file.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
