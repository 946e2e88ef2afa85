//! The YAML between `---` lines at the top of a lesson: settings of the film.
//!
//! ```yaml
//! title: The theorem of Pythagoras
//! language: en            # BCP 47
//! theme: dark             # or light, or {base: light, background: '#fff8e7', text: navy, accent: '#c1121f'}
//! logo: logo.png          # a picture that stands small in a corner of each scene
//! aspect: 16:9            # or 9:16, 1:1
//! quality: standard       # draft, standard, high, 4k
//! on_failure: still       # or fail: whether a still card may stand in for a scene that can't be drawn
//! voice:
//!   chain: [espeak]       # voices in the order to try them
//!   name: en-us           # the voice's own name
//!   words_per_minute: 165
//!   model: eleven_v3      # the provider's model
//!   consistency: film     # or scene, beat: what falls back together when a voice fails
//!   max_characters: 5000  # that voices which cost money may speak
//!   recording: narration/ # a folder with one recording for each scene
//! pronunciations:         # how words are spoken
//!   SQL: sequel
//! music: quiet.mp3        # or {source: quiet.mp3, level_db: -20}
//! intro: intro.mp4        # clips before and after the film
//! outro: outro.mp4
//! captions: [de, fr]      # other languages; their words are those of lesson.captions.de.md and lesson.captions.fr.md
//! ```
//!
//! TOML between `+++` lines is read as well, line by line, and so is YAML that a template makes none of. A value that can't be is left
//! out with a warning, and so is a key that is neither ours nor that of a tool which courses are made with.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::asset;
use super::settings::{ASPECTS, MOST_CAPTIONS, Settings, aspect, language_named};
use crate::storyboard::{Consistency, Music, OnFailure, Place, Quality, Theme, Warning};
use crate::text::one_line;

/// No front matter that a person wrote is longer, in bytes.
const LONGEST: usize = 64 * 1024;
/// Characters of what a document says it is about.
const LONGEST_DESCRIPTION: usize = 1_000;
/// Loudness of music against the voice, in decibels, when the lesson doesn't say: heard, and never in the way.
const MUSIC_LEVEL_DB: f64 = -20.0;
/// More than any lesson has names.
const MOST_PRONUNCIATIONS: usize = 200;
/// Voices that one lesson names.
const MOST_VOICES: usize = 10;

/// Keys of the tools that courses are made with, in lower case: they say nothing about a film.
const OF_TOOLS: &[&str] = &[
    "abstract",
    "aliases",
    "allowtitletodifferfromfilename",
    "alt",
    "aspectratio",
    "audience",
    "author",
    "authors",
    "background",
    "backgroundcolor",
    "backgroundimage",
    "banner",
    "bib",
    "bibliography",
    "biblio-style",
    "breadcrumb",
    "breaks",
    "categories",
    "category",
    "changelog",
    "class",
    "classes",
    "classoption",
    "code-fold",
    "colorlinks",
    "color",
    "colorschema",
    "comment",
    "comments",
    "copyright",
    "course",
    "cover",
    "csl",
    "css",
    "cssclass",
    "cssclasses",
    "custom_edit_url",
    "dark",
    "date",
    "date-modified",
    "dateformat",
    "defaults",
    "description",
    "dg-publish",
    "documentclass",
    "doi",
    "download",
    "downloads",
    "draft",
    "drawings",
    "duration",
    "editor",
    "editor_options",
    "email",
    "embed-resources",
    "engine",
    "eqnprefix",
    "excerpt",
    "execute",
    "exercises",
    "exports",
    "extensions",
    "featured",
    "fig-cap-location",
    "file_format",
    "filters",
    "fonts",
    "fontsize",
    "footer",
    "format",
    "freeze",
    "from",
    "front",
    "geometry",
    "github",
    "github-repo",
    "glossary",
    "grade",
    "group",
    "has_children",
    "has_math",
    "has_toc",
    "header",
    "header-includes",
    "headingdivider",
    "headings",
    "hide",
    "hide_table_of_contents",
    "hide_title",
    "highlighter",
    "icon",
    "id",
    "image",
    "image-alt",
    "imports",
    "include-after",
    "include-before",
    "include-in-header",
    "index",
    "info",
    "institute",
    "jekyll",
    "jupyter",
    "jupytext",
    "katex",
    "kernel",
    "kernelspec",
    "keypoints",
    "keywords",
    "knit",
    "label",
    "language_info",
    "last_modified_at",
    "lastmod",
    "layout",
    "level",
    "license",
    "license_url",
    "lesson",
    "level",
    "link",
    "link-citations",
    "links",
    "lof",
    "lot",
    "mainfont",
    "markdown",
    "marp",
    "math",
    "mathjax",
    "mdc",
    "menu",
    "meta",
    "metadata",
    "minutes",
    "modified",
    "module",
    "modules",
    "myst",
    "name",
    "narrator",
    "nav",
    "nav_exclude",
    "nav_order",
    "navigation",
    "next",
    "next_page",
    "no_list",
    "notes",
    "number-sections",
    "numbering",
    "objectives",
    "og_image",
    "order",
    "output",
    "outputs",
    "pagetitle",
    "page-layout",
    "page_nav",
    "pagination_label",
    "pagination_next",
    "pagination_prev",
    "paginate",
    "pandoc",
    "papersize",
    "params",
    "parent",
    "permalink",
    "persist",
    "position",
    "prerequisites",
    "presentation",
    "prev",
    "previous",
    "previous_page",
    "project",
    "published",
    "publishdate",
    "questions",
    "redirect_from",
    "reference-section-title",
    "references",
    "resources",
    "reveal",
    "revealoptions",
    "runtime",
    "script",
    "search",
    "section",
    "sections",
    "selectable",
    "series",
    "show_downloads",
    "show-notes",
    "sidebar",
    "sidebar_class_name",
    "sidebar_label",
    "sidebar_position",
    "site",
    "size",
    "slug",
    "source",
    "start",
    "status",
    "style",
    "subject",
    "subtitle",
    "summary",
    "tableofcontents",
    "tag",
    "tags",
    "teaching",
    "teaser",
    "template",
    "text_representation",
    "thanks",
    "thumbnail",
    "time",
    "titleslide",
    "titletemplate",
    "toc",
    "toc-depth",
    "toc_depth",
    "toc_label",
    "topic",
    "transition",
    "translations",
    "type",
    "unlisted",
    "updated",
    "uptodate",
    "url",
    "uuid",
    "version",
    "video",
    "visibility",
    "weight",
    "week",
    "words",
    "year",
    "created",
    "credits",
    "ordinal",
    "cdate",
    "mdate",
    "kernel_info",
    "toc-title",
    "lang-variant",
    "always_allow_html",
    "bookfilename",
    "cover-image",
    "editor_options",
];

/// Reads the front matter of `text`, if it has one. `name` is the document's.
pub(crate) fn read(name: &str, text: &str) -> Settings {
    let mut settings = Settings::of(name);
    let Some(front) = split(text, &mut settings.warnings) else { return settings };
    settings.body = front.body;
    let entries = match front.kind {
        _ if front.text.len() > LONGEST => Err("it is longer than 64 KiB".to_owned()),
        Kind::Toml => Ok(by_lines(front.text, '=')),
        Kind::Yaml => yaml(front.text),
    };
    let entries = entries.unwrap_or_else(|why| {
        let message = format!("the front matter is no YAML, and was read line by line: {}", one_line(&why, 200));
        settings.warnings.push(warning("plan.unknown_setting", message, Place { line: 1, column: 1 }));
        by_lines(front.text, ':')
    });
    let mut unknown = Vec::new();
    for (key, value) in entries {
        set(&mut settings, &key, &value, &mut unknown);
    }
    settings.warnings.extend(not_known(&unknown));
    // A film's own language needs no other captions.
    let own = settings.language.clone();
    settings.captions.retain(|language| !language.eq_ignore_ascii_case(&own));
    settings
}

enum Kind {
    Yaml,
    Toml,
}

struct Front<'a> {
    kind: Kind,
    text: &'a str,
    /// The byte after it.
    body: usize,
}

/// The front matter; none when the text begins otherwise. As in Pandoc, a `---` with an empty line after it is a thematic break.
fn split<'a>(text: &'a str, warnings: &mut Vec<Warning>) -> Option<Front<'a>> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next()?;
    let kind = match first.trim_end() {
        "---" => Kind::Yaml,
        "+++" => Kind::Toml,
        _ => return None,
    };
    let mut at = first.len();
    for (index, line) in lines.enumerate() {
        let content = line.trim_end();
        if index == 0 && content.is_empty() {
            return None;
        }
        if content == first.trim_end() || (content == "..." && matches!(kind, Kind::Yaml)) {
            return Some(Front { kind, text: &text[first.len()..at], body: at + line.len() });
        }
        at += line.len();
    }
    let message = format!("the front matter has no closing `{}` line; it is read as text", first.trim_end());
    warnings.push(warning("plan.unknown_setting", message, Place { line: 1, column: 1 }));
    None
}

/// A value of YAML, and where it stands.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Nothing,
    Word(String),
    List(Vec<(Value, Place)>),
    Map(Vec<(Key, (Value, Place))>),
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    name: String,
    place: Place,
}

type Entry = (Key, (Value, Place));

impl Value {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

fn yaml(text: &str) -> Result<Vec<Entry>, String> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let raw: Option<Raw> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        message.lines().next().unwrap_or_default().to_owned()
    })?;
    match raw.map(|raw| raw.0) {
        Some(Value::Map(entries)) => Ok(entries),
        None | Some(Value::Nothing) => Ok(Vec::new()),
        Some(_) => Err("it holds no settings such as `title: …`".to_owned()),
    }
}

/// Lines such as `title: Words` or `title = "Words"`, where nothing else can be made of them.
fn by_lines(text: &str, sign: char) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            break;
        }
        let Some((key, value)) = line.split_once(sign).filter(|_| !line.starts_with([' ', '\t', '#', '-'])) else {
            continue;
        };
        let place = Place { line: u32::try_from(index + 2).unwrap_or(u32::MAX), column: 1 };
        let value = value.trim();
        let bare = value.trim_matches(['"', '\'']);
        let value = match value.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
            Some(inside) => {
                let item = |item: &str| (Value::Word(item.trim().trim_matches(['"', '\'']).to_owned()), place);
                Value::List(inside.split(',').filter(|item| !item.trim().is_empty()).map(item).collect())
            }
            None if bare.is_empty() => Value::Nothing,
            None => Value::Word(bare.to_owned()),
        };
        entries.push((Key { name: key.trim().to_owned(), place }, (value, place)));
    }
    entries
}

fn warning(code: &str, message: impl Into<String>, place: Place) -> Warning {
    Warning { code: code.to_owned(), message: message.into(), place: Some(place) }
}

/// A place in the YAML as a place in the document: the `---` line comes before.
fn below_fence(line: u64, column: u64) -> Place {
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Place { line: small(line.saturating_add(1)), column: small(column) }
}

/// Sets what a key says, or says why it can't.
fn set(settings: &mut Settings, key: &Key, (value, place): &(Value, Place), unknown: &mut Vec<(String, Place)>) {
    if *value == Value::Nothing {
        return;
    }
    let name = key.name.to_lowercase();
    let done = match name.as_str() {
        "title" => word(value).map(|title| {
            settings.title = Some(one_line(title, 200)).filter(|title| !title.is_empty());
        }),
        "language" | "lang" | "locale" => word(value).and_then(|word| {
            let named = language_named(word).ok_or("it is no language such as `en`, `de-AT` or `french`")?;
            settings.language = named;
            settings.language_is_named = true;
            Ok(())
        }),
        "theme" => match value {
            Value::Map(entries) => return theme(settings, entries),
            _ => choice(value, Theme::ALL, Theme::name).map(|theme| settings.theme = theme),
        },
        "logo" => word(value).and_then(asset::picture).map(|logo| settings.logo = Some(logo)),
        "aspect" => value
            .word()
            .and_then(aspect)
            .map(|shape| settings.frame_shape = shape)
            .ok_or_else(|| format!("it is none of {ASPECTS}")),
        "quality" => choice(value, Quality::ALL, Quality::name).map(|quality| settings.quality = Some(quality)),
        "on_failure" => choice(value, OnFailure::ALL, OnFailure::name).map(|one| settings.on_failure = Some(one)),
        "voice" => return voice(settings, value, *place),
        "pronunciations" => pronunciations(settings, value),
        "music" => music(value, &mut settings.warnings).map(|music| settings.music = Some(music)),
        "intro" => clip(value).map(|clip| settings.intro = Some(clip)),
        "outro" => clip(value).map(|clip| settings.outro = Some(clip)),
        "captions" => captions(settings, value),
        name if OF_TOOLS.contains(&name) => {
            if let (true, Some(words)) = (matches!(name, "description" | "summary" | "excerpt"), value.word()) {
                settings.description.get_or_insert(one_line(words, LONGEST_DESCRIPTION));
            }
            Ok(())
        }
        _ => {
            unknown.push((one_line(&key.name, 60), key.place));
            Ok(())
        }
    };
    if let Err(why) = done {
        left_out(settings, &key.name, &why, *place);
    }
}

/// Keys that nobody knows, in one warning: whoever keeps notes has a dozen of their own.
fn not_known(keys: &[(String, Place)]) -> Option<Warning> {
    const NAMED: usize = 10;
    let (first, place) = keys.first()?;
    let names: Vec<String> = keys.iter().take(NAMED).map(|(name, _)| format!("`{name}`")).collect();
    let message = match keys.len().saturating_sub(NAMED) {
        0 if keys.len() == 1 => format!("the setting `{first}` is not known and was left out"),
        0 => format!("the settings {} are not known and were left out", names.join(", ")),
        more => format!("the settings {} and {more} more are not known and were left out", names.join(", ")),
    };
    Some(warning("plan.unknown_setting", message, *place))
}

fn left_out(settings: &mut Settings, key: &str, why: &str, place: Place) {
    let message = format!("`{}` was left out: {why}", one_line(key, 60));
    settings.warnings.push(warning("plan.unknown_setting", message, place));
}

type Done<T> = Result<T, String>;

fn word(value: &Value) -> Done<&str> {
    value.word().filter(|word| !word.chars().any(char::is_control)).ok_or_else(|| "it is no word".to_owned())
}

fn choice<T: Copy>(value: &Value, all: &[T], name: fn(T) -> &'static str) -> Done<T> {
    let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let wanted = value.word().map(str::to_lowercase).unwrap_or_default();
    let found = known.iter().position(|word| *word == wanted).and_then(|at| all.get(at));
    found.copied().ok_or_else(|| format!("it is none of {}", known.join(", ")))
}

fn theme(settings: &mut Settings, entries: &[Entry]) {
    let mut based = false;
    for (key, (value, place)) in entries {
        let name = key.name.to_lowercase();
        let done = match value {
            // YAML takes a `#` for the beginning of a comment.
            Value::Nothing => {
                Err("it has no value; a colour such as `\"#1a2b3c\"` stands in quotation marks".to_owned())
            }
            _ => word(value).and_then(|word| settings.theme_field(&name, word)),
        };
        match done {
            Ok(()) => based |= matches!(name.as_str(), "base" | "name"),
            Err(why) => left_out(settings, &format!("theme.{}", key.name), &why, *place),
        }
    }
    settings.theme_read(based);
}

/// Names are handed to programs, for which a `-` begins an option.
fn voice_name(value: &Value) -> Done<String> {
    let name = one_line(word(value)?, 200);
    let fits = !name.is_empty() && name.len() <= 100 && !name.starts_with('-');
    if fits { Ok(name) } else { Err("it is no name of a voice".to_owned()) }
}

fn voice(settings: &mut Settings, value: &Value, place: Place) {
    let Value::Map(entries) = value else {
        let why = "it is a map such as `{chain: [espeak], words_per_minute: 165}`";
        return left_out(settings, "voice", why, place);
    };
    for (key, (value, place)) in entries {
        let name = key.name.to_lowercase();
        let voice = &mut settings.voice;
        let whole = |least: u32, most: u32| {
            let number = value.word().and_then(|word| word.replace('_', "").parse().ok());
            let why = if most == u32::MAX {
                "it is no whole number".to_owned()
            } else {
                format!("it is no whole number from {least} to {most}")
            };
            number.filter(|number| (least..=most).contains(number)).ok_or(why)
        };
        let done = match name.as_str() {
            _ if *value == Value::Nothing => Ok(()),
            "chain" => chain(value).map(|chain| voice.chain = chain),
            "name" => voice_name(value).map(|name| voice.name = Some(name)),
            "model" => voice_name(value).map(|model| voice.model = Some(model)),
            "words_per_minute" => whole(80, 450).map(|pace| voice.words_per_minute = Some(pace)),
            "recording" => word(value).and_then(asset::path).map(|folder| voice.recording = Some(folder)),
            "max_characters" => whole(0, u32::MAX).map(|most| voice.max_characters = Some(most)),
            "consistency" => {
                choice(value, Consistency::ALL, Consistency::name).map(|one| voice.consistency = Some(one))
            }
            _ => {
                let message = format!("the setting `voice.{}` is not known and was left out", one_line(&key.name, 60));
                settings.warnings.push(warning("plan.unknown_setting", message, key.place));
                Ok(())
            }
        };
        if let Err(why) = done {
            left_out(settings, &format!("voice.{}", key.name), &why, *place);
        }
    }
}

fn chain(value: &Value) -> Done<Vec<String>> {
    let Value::List(voices) = value else { return Err("it is no list such as `[espeak]`".to_owned()) };
    if voices.len() > MOST_VOICES {
        return Err(format!("it names more than {MOST_VOICES} voices"));
    }
    // In lower case a name may be longer.
    let name = |(value, _): &(Value, Place)| {
        let name = voice_name(value)?.to_lowercase();
        if name.len() <= 100 { Ok(name) } else { Err("it is no name of a voice".to_owned()) }
    };
    voices.iter().map(name).collect()
}

fn pronunciations(settings: &mut Settings, value: &Value) -> Done<()> {
    let Value::Map(entries) = value else { return Err("it is no map such as `SQL: sequel`".to_owned()) };
    for (key, (value, place)) in entries.iter().take(MOST_PRONUNCIATIONS) {
        let written = one_line(&key.name, 100);
        match value.word() {
            Some(spoken) if !written.is_empty() => settings.pronunciations.push((written, one_line(spoken, 200))),
            _ => left_out(settings, &format!("pronunciations.{written}"), "it is no word", *place),
        }
    }
    if entries.len() > MOST_PRONUNCIATIONS {
        return Err(format!("of {} words the first {MOST_PRONUNCIATIONS} are kept", entries.len()));
    }
    Ok(())
}

fn music(value: &Value, warnings: &mut Vec<Warning>) -> Done<Music> {
    let source = |value: &Value| word(value).and_then(asset::sound);
    let entries = match value {
        Value::Word(_) => return Ok(Music { source: source(value)?, level_db: MUSIC_LEVEL_DB }),
        Value::Map(entries) => entries,
        _ => return Err("it is no sound file".to_owned()),
    };
    let mut settled = Music { source: String::new(), level_db: MUSIC_LEVEL_DB };
    for (key, (value, _)) in entries {
        match key.name.as_str() {
            "source" => settled.source = source(value)?,
            "level_db" => {
                let number =
                    value.word().and_then(|word| word.parse().ok()).filter(|level| (-60.0..=0.0).contains(level));
                settled.level_db = number.ok_or("`level_db` is no number from -60 to 0")?;
            }
            _ => {
                let message = format!("the setting `music.{}` is not known and was left out", one_line(&key.name, 60));
                warnings.push(warning("plan.unknown_setting", message, key.place));
            }
        }
    }
    if settled.source.is_empty() { Err("it names no `source`".to_owned()) } else { Ok(settled) }
}

fn clip(value: &Value) -> Done<String> {
    file(value, &["mp4", "mov", "webm", "mkv", "m4v", "avi"], "a clip such as `intro.mp4`")
}

fn file(value: &Value, extensions: &[&str], what: &str) -> Done<String> {
    let path = asset::path(word(value)?)?;
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
    if extensions.contains(&extension.as_str()) { Ok(path) } else { Err(format!("it is not {what}")) }
}

fn captions(settings: &mut Settings, value: &Value) -> Done<()> {
    let one = [(value.clone(), Place { line: 1, column: 1 })];
    let languages = match value {
        Value::List(languages) => languages.as_slice(),
        Value::Word(_) => &one,
        _ => return Err("it is no list of languages such as `[de, pt-BR]`".to_owned()),
    };
    let mut wrong = Ok(());
    for (language, _) in languages.iter().take(MOST_CAPTIONS) {
        match language.word().and_then(language_named) {
            Some(language) => settings.caption(language),
            None => wrong = Err("it names no language such as `de` or `pt-BR`".to_owned()),
        }
    }
    if languages.len() > MOST_CAPTIONS {
        return Err(format!("it names more than {MOST_CAPTIONS} languages; the first of them are kept"));
    }
    wrong
}

/// A value as YAML has it, words as they are written.
struct Raw(Value);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("settings such as `title: …`")
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw(Value::Nothing))
            }

            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw(Value::Nothing))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
                deserializer.deserialize_any(Self)
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Raw, E> {
                Ok(Raw(Value::Word(yes.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
                Ok(Raw(Value::Word(number.to_string())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
                Ok(Raw(Value::Word(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
                Ok(Raw(Value::Word(number.to_string())))
            }

            fn visit_str<E>(self, word: &str) -> Result<Raw, E> {
                Ok(Raw(Value::Word(word.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element::<Spanned<Raw>>()? {
                    let place = below_fence(item.referenced.line(), item.referenced.column());
                    list.push((item.value.0, place));
                }
                Ok(Raw(Value::List(list)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Raw>>()? {
                    let key_place = below_fence(key.referenced.line(), key.referenced.column());
                    let place = below_fence(value.referenced.line(), value.referenced.column());
                    entries.push((Key { name: key.value, place: key_place }, (value.value.0, place)));
                }
                Ok(Raw(Value::Map(entries)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storyboard::FrameShape;

    fn said(text: &str) -> Vec<String> {
        let place = |one: &Warning| one.place.map_or((0, 0), |place| (place.line, place.column));
        read("a.md", text).warnings.iter().map(|one| format!("{:?} {}", place(one), one.message)).collect()
    }

    #[test]
    fn what_cannot_be_is_left_out_and_told_with_its_place() {
        let settings =
            read("a.md", "---\ntitle: T\ntheme: light\nlang: deutsch\nvoice:\n  words_per_minute: 180\n---\nx");
        assert_eq!(
            (settings.title.as_deref(), settings.theme, settings.language.as_str()),
            (Some("T"), Theme::Light, "de")
        );
        assert_eq!((settings.voice.words_per_minute, settings.warnings.len(), settings.body), (Some(180), 0, 75));
        for (front, shape) in [
            ("aspect: 9:16", Some(FrameShape::Portrait)),
            ("aspect: '1:1'", Some(FrameShape::Square)),
            ("aspect: 16/9", None),
            ("aspect: vertical", Some(FrameShape::Portrait)),
        ] {
            let settings = read("a.md", &format!("---\n{front}\n---\nx"));
            assert_eq!((settings.frame_shape, settings.warnings.len()), (shape, 0), "{front}");
        }
        for (front, warnings) in [
            ("aspect: 4:3", vec!["(2, 9) `aspect` was left out: it is none of 16:9, 9:16, 1:1"]),
            ("theme: gaia", vec!["(2, 8) `theme` was left out: it is none of dark, light"]),
            ("quality: best", vec!["(2, 10) `quality` was left out: it is none of draft, standard, high, 4k"]),
            ("captions: true", vec!["(2, 11) `captions` was left out: it names no language such as `de` or `pt-BR`"]),
            ("music: false", vec!["(2, 8) `music` was left out: it is not a sound file"]),
            ("intro: Welcome to week three", vec!["(2, 8) `intro` was left out: it is not a clip such as `intro.mp4`"]),
            (
                "voice: alloy",
                vec!["(2, 8) `voice` was left out: it is a map such as `{chain: [espeak], words_per_minute: 165}`"],
            ),
            ("titel: T", vec!["(2, 1) the setting `titel` is not known and was left out"]),
            ("mood: 1\nfoo: 2\nup: x", vec!["(2, 1) the settings `mood`, `foo`, `up` are not known and were left out"]),
            ("tags: [a, b]\nlayout: post\noutput:\n  html_document:\n    toc: true", vec![]),
            (
                "language: klingonisch",
                vec!["(2, 11) `language` was left out: it is no language such as `en`, `de-AT` or `french`"],
            ),
        ] {
            assert_eq!(said(&format!("---\n{front}\n---\nx")), warnings, "{front}");
        }
    }

    #[test]
    fn templates_and_toml_are_read_line_by_line() {
        let settings = read("a.md", "---\ntitle: A: B\nlang: fr\n---\nx");
        assert_eq!(
            (settings.title.as_deref(), settings.language.as_str(), settings.warnings.len()),
            (Some("A: B"), "fr", 1)
        );
        let settings = read("a.md", "+++\ntitle = \"Week 3\"\nlanguage = \"es\"\n[params]\ntitle = \"no\"\n+++\nx");
        assert_eq!(
            (settings.title.as_deref(), settings.language.as_str(), settings.warnings.len()),
            (Some("Week 3"), "es", 0)
        );
        assert_eq!(read("a.md", "---\ntitle: T\n\n# A").warnings.len(), 1);
        assert_eq!(read("a.md", "---\n\n# A").warnings.len(), 0);
    }
}
