//! The page of a film: player, captions, chapters, timeline, in one file that needs no network but for `film.mp4` beside
//! it. It works from a folder on disk too, which is why the captions are in the page itself.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use planner_wasm::storyboard::Storyboard;

use super::keys;
use crate::assemble::{Film, Ledger};

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: &'a str,
    language: &'a str,
    film: &'static str,
    poster: &'static str,
    captions: String,
    length: String,
    chapters: Vec<Chapter<'a>>,
    warnings: Vec<String>,
    files: &'static [(&'static str, &'static str)],
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
        captions: BASE64_STANDARD.encode(&film.vtt),
        length: clock(ledger.seconds()),
        chapters: chapters.collect(),
        warnings: storyboard.warnings.iter().map(place).collect(),
        files: &[
            ("Film", keys::FILM),
            ("Captions (WebVTT)", keys::CAPTIONS_VTT),
            ("Captions (SubRip)", keys::CAPTIONS_SRT),
            ("Storyboard", keys::STORYBOARD),
            ("Ledger", keys::SYNC),
            ("Log", keys::LOG),
            ("Status", keys::STATUS),
        ],
    };
    // The template writes into a string, and its values can all be written.
    page.render().unwrap_or_default()
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
