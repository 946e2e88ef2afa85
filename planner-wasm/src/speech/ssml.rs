//! Marks for voices in what is to be spoken: SSML and stage directions are heeded or dropped, never spoken.

use std::borrow::Cow;

/// Elements of SSML and of its dialects.
const ELEMENTS: &[&str] = &[
    "speak",
    "bookmark",
    "break",
    "emphasis",
    "prosody",
    "p",
    "s",
    "say-as",
    "sub",
    "phoneme",
    "voice",
    "audio",
    "mark",
    "lang",
    "w",
    "token",
    "desc",
    "par",
    "seq",
    "media",
    "amazon:effect",
    "amazon:domain",
    "amazon:breath",
    "mstts:express-as",
    "mstts:silence",
    "mstts:viseme",
    "google:style",
];
/// What is directed, in brackets: `[pause]`, `(beat)`, `[pause 2s]`.
const DIRECTIONS: &[&str] = &[
    "pause",
    "beat",
    "silence",
    "short pause",
    "long pause",
    "brief pause",
    "music",
    "sound",
    "laughs",
    "smiles",
    "sighs",
    "chuckles",
    "break",
    "wait",
    "breath",
    "pauses",
    "music fades",
    "applause",
    "dramatic pause",
    "transition",
    "upbeat music",
    "intro music",
    "outro music",
    "emphasis",
    "slowly",
    "whispers",
];

/// What stage directions are about, and what becomes of it.
const DIRECTED: &[&str] = &["music", "sound", "sfx", "camera", "cut", "fade", "zoom", "screen", "pause"];
const MOVES: &[&str] = &[
    "fades", "fade", "starts", "stops", "plays", "begins", "ends", "swells", "in", "out", "up", "down", "effect", "to",
    "pans", "for", "zooms",
];

/// Bytes of a direction, and of an element whose alias is heard.
const LONGEST_DIRECTION: usize = 41;
const LONGEST_ALIAS: usize = 1_000;

/// Words without marks for voices.
pub(crate) fn unmarked(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '[', '(', '*']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find(['<', '[', '(', '*']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match element(rest).or_else(|| direction(rest)) {
            Some((length, words)) => {
                changed = true;
                // A mark between two words parts them.
                if words.is_empty()
                    && out.ends_with(char::is_alphanumeric)
                    && rest[length..].starts_with(char::is_alphanumeric)
                {
                    out.push(' ');
                }
                out.push_str(words);
                rest = &rest[length..];
            }
            None => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    out.push_str(rest);
    if changed { Cow::Owned(out) } else { Cow::Borrowed(text) }
}

/// The tag that `rest` begins with: its length, and what is heard in its place.
fn element(rest: &str) -> Option<(usize, &str)> {
    let inside = rest.strip_prefix('<')?;
    let name = inside.trim_start_matches('/');
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':'))?;
    if !ELEMENTS.contains(&name[..end].to_ascii_lowercase().as_str()) {
        return None;
    }
    // Within the tag: what nothing closes is not searched to the end of the text again and again.
    let length = inside.find(['<', '>']).filter(|end| inside[*end..].starts_with('>'))? + 2;
    // `<sub alias="World Wide Web">WWW</sub>` is heard as its alias.
    if &name[..end] == "sub"
        && let Some((_, alias)) = rest[..length].split_once("alias=")
        && let Some(close) = rest.as_bytes().windows(6).take(LONGEST_ALIAS).position(|end| end == b"</sub>")
    {
        let quote = alias.chars().next()?;
        return Some((close + "</sub>".len(), alias[1..].split(quote).next()?));
    }
    Some((length, ""))
}

fn direction(rest: &str) -> Option<(usize, &str)> {
    let close = match rest.chars().next()? {
        '[' => ']',
        '(' => ')',
        '*' => '*',
        _ => return None,
    };
    let end = rest.bytes().skip(1).take(LONGEST_DIRECTION).position(|byte| char::from(byte) == close)? + 1;
    let inside = rest[1..end].trim().to_lowercase();
    let words = inside.trim_end_matches(['.', '!', '…']);
    // `[pause 2s]`, `[pause: 500ms]`
    let bare = words.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | ':' | '.' | 's' | 'm' | '='));
    let timed = ["pause", "break", "wait", "silence"].contains(&bare);
    // `[Music fades in]`, `[Upbeat intro music]`, `[cut to black]`
    let mut parts = words.split(' ');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let last = words.rsplit(' ').next().unwrap_or_default();
    let directed = close == ']'
        && (DIRECTED.contains(&first) && MOVES.contains(&second)
            || ["music", "applause", "laughter", "pause", "sfx"].contains(&last));
    (DIRECTIONS.contains(&words) || timed || directed).then_some((end + 1, ""))
}

#[cfg(test)]
mod tests {
    use super::unmarked;

    #[test]
    fn marks_for_voices_are_not_words() {
        for (text, heard) in [
            ("Here <bookmark mark='A'/>a circle, <break time=\"500ms\"/> it.", "Here a circle,  it."),
            (
                "<speak>Think.<break time='1s'/> What is the <emphasis level=\"strong\">sum</emphasis>? [pause] (beat) *smiles*</speak>",
                "Think. What is the sum?   ",
            ),
            ("The <sub alias=\"World Wide Web\">WWW</sub> is", "The World Wide Web is"),
            ("One<break/>two [pause 2s] three", "One two  three"),
            (
                "[Music fades in] Go [upbeat music] on. The array [cut, paste] and [music theory] stay.",
                " Go  on. The array [cut, paste] and [music theory] stay.",
            ),
            ("a < b and f(x) in [0, 1] is *so* (see)", "a < b and f(x) in [0, 1] is *so* (see)"),
        ] {
            assert_eq!(unmarked(text), heard);
        }
    }
}
