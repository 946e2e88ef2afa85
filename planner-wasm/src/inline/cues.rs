//! An author's cues: `[the hypotenuse]{show="c"}`, words at which something on the screen is pointed at.

use super::{Inline, Style};

/// What stands behind the words: the bracket's end, and the beginning of the list in braces.
const CLOSES: &str = "]{show";
/// Characters of a name.
const LONGEST: usize = 100;

/// The line with its cues in the place of their brackets.
pub(crate) fn read(line: Vec<Inline>) -> Vec<Inline> {
    let closes = |inline: &Inline| matches!(inline, Inline::Text(text, _) if text.contains(CLOSES));
    if !line.iter().any(closes) {
        return line;
    }
    let mut out: Vec<Inline> = Vec::with_capacity(line.len() + 4);
    for inline in line {
        let Inline::Text(text, style) = inline else {
            out.push(inline);
            continue;
        };
        let mut rest = text.as_str();
        let mut seen = 0;
        while let Some(at) = rest[seen..].find(CLOSES).map(|at| seen + at) {
            let Some((name, length)) = name(&rest[at + CLOSES.len()..]) else {
                seen = at + CLOSES.len();
                continue;
            };
            words(&rest[..at], style, &mut out);
            if open(name, &mut out) {
                out.push(Inline::CueEnd);
            } else {
                words(&rest[at..at + CLOSES.len() + length], style, &mut out);
            }
            rest = &rest[at + CLOSES.len() + length..];
            seen = 0;
        }
        words(rest, style, &mut out);
    }
    out
}

/// The name that a list asks for behind its word `show`, and the bytes to the list's end; an empty name when it has none.
fn name(rest: &str) -> Option<(&str, usize)> {
    if rest.starts_with('}') {
        return Some(("", 1));
    }
    let value = rest.strip_prefix('=')?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '“' | '”' | '’'));
    let (name, length) = match quote {
        Some(quote) => {
            let inside = &value[quote.len_utf8()..];
            let closes = |c: char| c == quote || (quote == '“' && c == '”');
            let (end, close) = inside.char_indices().find(|(_, c)| closes(*c))?;
            (&inside[..end], quote.len_utf8() + end + close.len_utf8())
        }
        None => {
            let end = value.find(['}', ' '])?;
            (&value[..end], end)
        }
    };
    let fits = value[length..].starts_with('}') && name.chars().count() <= LONGEST;
    fits.then(|| (name.trim(), 1 + length + 1))
}

/// Puts the cue's beginning in the place of the last bracket that is open; false when there is none.
fn open(name: &str, out: &mut Vec<Inline>) -> bool {
    let bracket = |inline: &Inline| matches!(inline, Inline::Text(text, _) if text.contains('['));
    let ended = out.iter().rposition(|inline| matches!(inline, Inline::CueEnd)).map_or(0, |end| end + 1);
    let Some(at) = out[ended..].iter().rposition(bracket).map(|at| at + ended) else { return false };
    if let Inline::Text(text, style) = out.remove(at) {
        let (before, after) = text.rsplit_once('[').unwrap_or((&text, ""));
        let mut parts = Vec::with_capacity(3);
        words(before, style, &mut parts);
        parts.push(Inline::Cue(name.to_owned()));
        words(after, style, &mut parts);
        out.splice(at..at, parts);
    }
    true
}

fn words(text: &str, style: Style, out: &mut Vec<Inline>) {
    if !text.is_empty() {
        out.push(Inline::Text(text.to_owned(), style));
    }
}

#[cfg(test)]
mod tests {
    use super::super::of_text;
    use crate::document::settings::Settings;
    use crate::inline::heard;
    use crate::storyboard::Place;
    use crate::text::marks::{Kind, taken};

    fn cues(text: &str) -> (String, Vec<(String, usize, usize)>) {
        let line = of_text(text, Place { line: 1, column: 1 });
        let (words, marks) = taken(heard(&line, &Settings::default()));
        let cues = marks.into_iter().filter(|mark| mark.kind == Kind::Show);
        (words, cues.map(|mark| (mark.source, mark.word, mark.words)).collect())
    }

    #[test]
    fn cues_are_spoken_without_their_brackets() {
        let one = |name: &str, word, words| (name.to_owned(), word, words);
        for (text, said, found) in [
            (r#"Look at [the hypotenuse]{show="c"}, here."#, "Look at the hypotenuse, here.", vec![one("c", 2, 2)]),
            (
                "[First]{show}, then [**so** $x^2$]{show='x^2'}.",
                "First, then so x squared.",
                vec![one("", 0, 1), one("x^2", 2, 3)],
            ),
            ("A [b]{show=line} c", "A b c", vec![one("line", 1, 1)]),
            ("see [1] and [two]{show}", "see [1] and two", vec![one("", 3, 1)]),
            ("no bracket]{show} here", "no bracket]{show} here", vec![]),
            ("[open]{show=\"a} b", "[open]{show=\"a} b", vec![]),
        ] {
            assert_eq!(cues(text), (said.to_owned(), found), "{text}");
        }
    }
}
