//! The page of a film: player, captions, chapters, timeline, in one file that needs no network but for `film.mp4` beside
//! it. It works from a folder on disk too, which is why the captions are in the page itself.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use isolang::Language;
use planner_wasm::storyboard::Storyboard;

use super::keys;
use crate::assemble::{Captions, Film, Ledger};

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: &'a str,
    language: &'a str,
    film: &'static str,
    poster: &'static str,
    tracks: Vec<Track<'a>>,
    length: String,
    chapters: Vec<Chapter<'a>>,
    warnings: Vec<String>,
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
}

struct Line<'a> {
    at: f64,
    text: &'a str,
}

/// The page's HTML.
pub fn of(film: &Film, storyboard: &Storyboard, ledger: &Ledger) -> String {
    let at = |frame: u64| frame as f64 / f64::from(ledger.fps);
    let percent = |frames: u64| 100.0 * frames as f64 / ledger.frames.max(1) as f64;
    let chapters = ledger.scenes.iter().map(|scene| Chapter {
        heading: &scene.heading,
        at: at(scene.first_frame),
        clock: clock(at(scene.first_frame)),
        left: percent(scene.first_frame),
        width: percent(scene.frames),
        beats: scene
            .beats
            .iter()
            .filter(|beat| !beat.text.is_empty())
            .map(|beat| Line { at: at(beat.first_frame), text: &beat.text })
            .collect(),
    });
    let place = |warning: &planner_wasm::storyboard::Warning| match warning.place {
        Some(place) => format!("line {}: {}", place.line, warning.message),
        None => warning.message.clone(),
    };
    let page = Page {
        title: &storyboard.title,
        language: &storyboard.language,
        film: keys::FILM,
        poster: keys::POSTER,
        tracks: film.captions.iter().map(track).collect(),
        length: clock(ledger.seconds()),
        chapters: chapters.collect(),
        warnings: storyboard.warnings.iter().map(place).collect(),
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

/// What lies beside the page, by what it is.
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

fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
