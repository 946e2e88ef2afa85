//! `\special{dvisvgm:raw <g id='…'>}` and `\special{dvisvgm:raw </g>}`, by which Manim marks the parts of a formula.

use formula::parts::{MOST_SPECIALS, is_special, special};

/// What happens at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A group of that name begins.
    Open(String),
    /// The innermost group ends.
    Close,
}

const COMMAND: &str = "\\special";

/// The source with a character of `formula::parts::special` in place of each special, and what each is. Other specials are left out:
/// they draw nothing here.
#[must_use]
pub fn taken_out(source: &str) -> (String, Vec<Event>) {
    let source: String = source.chars().filter(|letter| !is_special(*letter)).collect();
    let mut out = String::with_capacity(source.len());
    let mut events = Vec::new();
    let mut rest = &*source;
    while let Some(at) = rest.find(COMMAND) {
        let after = rest[at + COMMAND.len()..].trim_start();
        let Some(inner) = after.strip_prefix('{').and_then(|after| Some(&after[..after.find('}')?])) else {
            out.push_str(&rest[..at + COMMAND.len()]);
            rest = &rest[at + COMMAND.len()..];
            continue;
        };
        out.push_str(&rest[..at]);
        rest = &after[inner.len() + 2..];
        let Some(raw) = inner.trim().strip_prefix("dvisvgm:raw") else { continue };
        let event = match raw.trim() {
            "</g>" => Event::Close,
            raw => match raw.split(['\'', '"']).nth(1) {
                Some(name) if raw.starts_with("<g ") => Event::Open(name.to_owned()),
                _ => continue,
            },
        };
        if events.len() < MOST_SPECIALS {
            out.push(special(events.len()));
            events.push(event);
        }
    }
    out.push_str(rest);
    (out, events)
}
