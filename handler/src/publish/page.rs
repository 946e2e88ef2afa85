//! The page of a film: player, captions, chapters, timeline, in one file that needs no network but for `film.mp4` beside
//! it. It works from a folder on disk too, which is why the captions are in the page itself.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use isolang::Language;
use sha2::{Digest as _, Sha256};
use storyboard::{Colours, Storyboard};

use crate::assemble::{Captions, Film, Ledger};
use crate::job::Status;
use crate::job::keys;

const STYLE: &str = include_str!("../../templates/page.css");
const SCRIPT: &str = include_str!("../../templates/page.js");

/// What the page lets a browser do, by itself, from a disk too: no script and no style but its own, and nothing from elsewhere but the
/// film and its poster, to which a server may redirect. `frame-ancestors` means something in a header alone.
static POLICY: LazyLock<String> = LazyLock::new(|| policy("'self' file: http: https:"));

/// The same with `media` as the only sources of film and poster, for a server of the page. Whatever else is in the page does
/// nothing, a page of another version of this program included, whose film still plays.
pub fn policy(media: &str) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let (script, style) = (hash(SCRIPT), hash(STYLE));
    format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src {media} data:; \
         media-src {media} data:; base-uri 'none'; form-action 'none'"
    )
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    policy: &'static str,
    style: &'static str,
    script: &'static str,
    title: &'a str,
    language: &'a str,
    /// Background, text and accent, where the author has colours of the author's own.
    colours: Option<[&'a str; 3]>,
    film: &'static str,
    poster: &'static str,
    tracks: Vec<Track<'a>>,
    length: String,
    chapters: Vec<Chapter<'a>>,
    warnings: Vec<String>,
    ran: Vec<Bar<'a>>,
    /// Seconds that the timeline is long.
    seconds: String,
    audit: Vec<(&'static str, u32)>,
    log: Vec<Entry>,
    files: Vec<(String, String)>,
}

struct Track<'a> {
    language: &'a str,
    /// The language's name in itself.
    label: String,
    captions: String,
}

struct Chapter<'a> {
    heading: &'a str,
    at: f64,
    clock: String,
    /// Part of the film before it and of itself, in percent.
    left: f64,
    width: f64,
    beats: Vec<Line<'a>>,
    /// A picture of its scene, as base64; empty where there is none.
    picture: String,
}

/// Something that ran, on the timeline of the making.
struct Bar<'a> {
    name: &'a str,
    scene: bool,
    from: String,
    seconds: String,
    /// In percent of the timeline.
    left: f64,
    width: f64,
}

/// A line of the log.
struct Entry {
    time: String,
    level: String,
    text: String,
}

/// Lines of the log on the page: the last ones; the whole log is a file of its own.
const LINES: usize = 300;

struct Line<'a> {
    at: f64,
    text: &'a str,
}

/// The page's HTML.
pub fn of(film: &Film, storyboard: &Storyboard, ledger: &Ledger, status: &Status, log: &[u8]) -> String {
    let at = |frame: u64| frame as f64 / f64::from(ledger.fps);
    let percent = |frames: u64| 100.0 * frames as f64 / ledger.frames.max(1) as f64;
    // A scene that has several chapters shows itself at its first.
    let parts = ledger.scenes.iter().enumerate().flat_map(|(number, scene)| {
        let picture = film.pictures.get(number).and_then(Option::as_ref).map(|bytes| BASE64_STANDARD.encode(bytes));
        let pictures = std::iter::once(picture.unwrap_or_default()).chain(std::iter::repeat(String::new()));
        scene.chapters().into_iter().zip(pictures)
    });
    let chapters = parts.map(|(chapter, picture)| Chapter {
        picture,
        heading: chapter.name,
        at: at(chapter.first_frame),
        clock: clock(at(chapter.first_frame)),
        left: percent(chapter.first_frame),
        width: percent(chapter.frames),
        beats: chapter
            .beats
            .iter()
            .filter(|beat| !beat.text.is_empty())
            .map(|beat| Line { at: at(beat.first_frame), text: &beat.text })
            .collect(),
    });
    let place = |warning: &storyboard::Warning| match warning.place {
        Some(place) => format!("line {}: {}", place.line, warning.message),
        None => warning.message.clone(),
    };
    let page = Page {
        policy: &POLICY,
        style: STYLE,
        script: SCRIPT,
        title: &storyboard.title,
        language: &storyboard.language,
        colours: storyboard.colours.as_ref().map(|own| Colours::look(Some(own), storyboard.theme)),
        film: keys::FILM,
        poster: keys::POSTER,
        tracks: film.captions.iter().map(track).collect(),
        length: clock(ledger.seconds()),
        chapters: chapters.collect(),
        warnings: status.warnings.iter().map(place).collect(),
        ran: ran(status, storyboard),
        seconds: format!("{:.1}", longest(status)),
        audit: audit(status),
        log: entries(log),
        files: files(film),
    };
    // The template writes into a string, and its values can all be written.
    page.render().unwrap_or_default()
}

fn track(captions: &Captions) -> Track<'_> {
    let primary = captions.language.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let known = Language::from_639_1(&primary).or_else(|| Language::from_639_3(&primary));
    let name = known.and_then(|language| language.to_autonym());
    // `pt` and `pt-BR` are two tracks of one language.
    let label = match name {
        Some(name) if captions.language.eq_ignore_ascii_case(&primary) => name.to_owned(),
        Some(name) => format!("{name} ({})", captions.language),
        None => captions.language.clone(),
    };
    Track { language: &captions.language, label, captions: BASE64_STANDARD.encode(&captions.vtt) }
}

/// The files linked from the page, by their kind.
fn files(film: &Film) -> Vec<(String, String)> {
    let own =
        [("Film", keys::FILM), ("Captions (WebVTT)", keys::CAPTIONS_VTT), ("Captions (SubRip)", keys::CAPTIONS_SRT)];
    let rest = [("Storyboard", keys::STORYBOARD), ("Ledger", keys::SYNC), ("Log", keys::LOG), ("Status", keys::STATUS)];
    let owned = |(what, file): (&str, &str)| (what.to_owned(), file.to_owned());
    let others = film.captions.iter().skip(1).flat_map(|captions| {
        let language = &captions.language;
        let of = |kind: &str, extension: &str| {
            (format!("Captions ({kind}, {language})"), keys::captions(language, extension))
        };
        [of("WebVTT", "vtt"), of("SubRip", "srt")]
    });
    own.map(owned).into_iter().chain(others).chain(rest.map(owned)).collect()
}

/// Seconds from the claim to the last beginning or end that is known.
fn longest(status: &Status) -> f64 {
    status.timeline.iter().map(|ran| ran.to.unwrap_or(ran.from)).fold(0.001, f64::max)
}

fn ran<'a>(status: &'a Status, storyboard: &'a Storyboard) -> Vec<Bar<'a>> {
    let whole = longest(status);
    let heading = |id: &'a str| {
        let scene = storyboard.scenes.iter().find(|scene| scene.id == *id);
        scene.map(|scene| scene.heading.as_str()).filter(|heading| !heading.is_empty()).unwrap_or(id)
    };
    // What has no end yet is the page's own publishing.
    let over = status.timeline.iter().filter_map(|ran| Some((ran, ran.to?)));
    over.map(|(ran, to)| Bar {
        name: ran.scene.as_deref().map_or(ran.stage.name(), heading),
        scene: ran.scene.is_some(),
        from: format!("{:.1}", ran.from),
        seconds: format!("{:.1}", to - ran.from),
        left: 100.0 * ran.from / whole,
        width: (100.0 * (to - ran.from) / whole).max(0.3),
    })
    .collect()
}

/// A picture that stands longer while words are spoken is named.
const LONG_STILL_MS: u32 = 8_000;

fn audit(status: &Status) -> Vec<(&'static str, u32)> {
    let mut told = Vec::new();
    if let Some(audit) = status.audit {
        told.extend([
            ("pairs of elements that cover each other", audit.overlaps),
            ("elements that leave the frame", audit.outside),
            ("texts too small to read", audit.too_small),
        ]);
        told.extend(audit.too_short.map(|count| ("texts gone too soon to be read", count)));
        told.extend(audit.low_contrast.map(|count| ("words that hardly stand out from their ground", count)));
        let long = audit.still_ms.filter(|still| *still > LONG_STILL_MS);
        told.extend(long.map(|still| ("seconds in which nothing changes while words are spoken", still / 1000)));
    }
    if status.unmeasured_scenes > 0 {
        told.push(("scenes that could not be measured", status.unmeasured_scenes));
    }
    told
}

fn entries(log: &[u8]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    let entry = |line: &&str| -> Option<Entry> {
        let serde_json::Value::Object(mut fields) = serde_json::from_str(line).ok()? else { return None };
        let mut take =
            |name: &str| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let (time, level, message) = (take("time"), take("level"), take("message"));
        fields.remove("job_id");
        let rest = fields.iter().map(|(name, value)| match value.as_str() {
            Some(value) => format!("{name}={value}"),
            None => format!("{name}={value}"),
        });
        let text = std::iter::once(message).chain(rest).collect::<Vec<_>>().join(" ");
        let clock = time.split('T').nth(1).unwrap_or_default();
        Some(Entry { time: clock.chars().take(8).collect(), level, text })
    };
    lines[lines.len().saturating_sub(LINES)..].iter().filter_map(entry).collect()
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
