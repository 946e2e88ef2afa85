//! Questions, in the notation of LiaScript: options, a moment to think, the answer with its reason.

use super::rule::{Context, Taken, leading};
use crate::markup::formulas::PAUSE;
use crate::markup::source::{Source, near};

/// Bytes at the beginning of a document that say what it is made with.
const HEAD: usize = 4_000;
/// Options of one question, with its hints.
const MOST_OPTIONS: usize = 40;
/// Lines of what explains an answer.
const MOST_LINES: usize = 300;

/// Whether a document is a course of LiaScript: it says what is spoken, or begins with a remark that has its settings.
pub(super) fn is_liascript(text: &str) -> bool {
    if text.contains("--{{") || text.contains("@LIA.") {
        return true;
    }
    let Some(inside) = near(text.trim_start(), HEAD).strip_prefix("<!--") else { return false };
    let head = inside.split("-->").next().unwrap_or_default();
    let known = ["narrator:", "version:", "import:", "author:", "language:", "mode:", "logo:"];
    head.lines().filter(|line| known.iter().any(|key| line.trim_start().starts_with(key))).count() > 1
}

/// Names of macros that one head defines.
const MOST_MACROS: usize = 200;

/// The names of the macros that the head of a course defines: `@name: words`, and `@name` above lines that `@end` ends.
pub(super) fn macros(text: &str) -> Vec<String> {
    let head = text.trim_start().strip_prefix("<!--").and_then(|inside| inside.split("-->").next()).unwrap_or_default();
    let name = |line: &str| {
        let rest = line.trim().strip_prefix('@')?;
        let name = rest.split([':', '(', ' ']).next()?;
        (!name.is_empty() && name != "end").then(|| name.to_owned())
    };
    head.lines().filter_map(name).take(MOST_MACROS).collect()
}

/// What one line of a question is, and the byte at which its words begin.
enum Line {
    Option { right: bool, words: usize },
    Hint(usize),
    Answer(String),
}

/// `[( )] no`, `[(X)] yes`, `[[ ]] no`, `[[X]] yes`, `[[?]] a hint` and `[[the answer]]`, with a mark of a list before it or without.
fn line(text: &str) -> Option<Line> {
    let begin = leading(text).1;
    let bare = &text[begin..];
    let item = bare.strip_prefix(['-', '*', '+']).map_or(bare, str::trim_start);
    let (inside, close) =
        if let Some(inside) = item.strip_prefix("[(") { (inside, ")]") } else { (item.strip_prefix("[[")?, "]]") };
    let (mark, words) = near(inside, HEAD).split_once(close)?;
    let begin = text.len() - inside.len() + mark.len() + close.len();
    let begin = begin + text[begin..].len() - text[begin..].trim_start().len();
    match mark.trim() {
        "X" | "x" if !words.trim().is_empty() => Some(Line::Option { right: true, words: begin }),
        "" if !words.trim().is_empty() => Some(Line::Option { right: false, words: begin }),
        "?" if close == "]]" => Some(Line::Hint(begin)),
        answer if close == "]]" && words.trim().is_empty() && !answer.is_empty() => {
            (!answer.contains(['[', '|', ':', '!'])).then(|| Line::Answer(answer.to_owned()))
        }
        _ => None,
    }
}

/// A choice in the words of a sentence, `[[ one | (two) ]]`, that stands in several lines.
fn choice(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let next = lines.get(1).filter(|_| context.liascript)?;
    if !lines[0].text.trim_start().starts_with("[[")
        || lines[0].text.contains("]]")
        || !next.text.trim_start().starts_with('|')
    {
        return None;
    }
    let last = lines.iter().take(MOST_OPTIONS).position(|line| line.text.contains("]]"))?;
    let all: Vec<&str> = lines[..=last].iter().map(|line| line.text.trim()).collect();
    let line = Source::made(all.join(" "), lines[0].begin());
    Some((last + 1, super::inline::rewritten(&line, context).into_iter().collect()))
}

pub(super) fn quiz(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    if let Some(taken) = choice(lines, context) {
        return Some(taken);
    }
    let first = line(&lines[0].text)?;
    let at = lines[0].begin();
    let mut options: Vec<(bool, Source)> = Vec::new();
    let mut hints = Vec::new();
    let mut answer = None;
    let mut length = 0;
    match first {
        // Elsewhere such a line is a link to a page.
        Line::Answer(words) if context.liascript => {
            answer = Some(words);
            length = 1;
        }
        Line::Answer(_) | Line::Hint(_) => return None,
        Line::Option { .. } => {}
    }
    for (index, source) in lines.iter().enumerate().take(MOST_OPTIONS).skip(length) {
        match line(&source.text) {
            Some(Line::Option { right, words }) if answer.is_none() => {
                options.push((right, source.part(words..source.text.len())));
            }
            Some(Line::Hint(words)) => hints.push(source.part(words..source.text.len())),
            _ => break,
        }
        length = index + 1;
    }
    if answer.is_none() && (options.len() < 2 || !options.iter().any(|(right, _)| *right)) {
        return None;
    }
    // What stands between two lines of stars explains the answer.
    let stars = |source: &Source| {
        let text = source.text.trim();
        text.len() >= 3 && text.bytes().all(|byte| byte == b'*')
    };
    let mut reason = Vec::new();
    let opens = lines.get(length).is_some_and(stars);
    let close = lines.iter().take(length + MOST_LINES).skip(length + 1).position(stars).filter(|_| opens);
    if let Some(close) = close {
        let body = &lines[length + 1..length + 1 + close];
        let indent = body.iter().filter(|line| !line.text.trim().is_empty()).map(|line| leading(&line.text).1).min();
        let indent = indent.unwrap_or_default();
        let body: Vec<Source> =
            body.iter().map(|line| line.part(indent.min(line.text.len())..line.text.len())).collect();
        reason = context.lines(&body);
        length += close + 2;
    }
    let empty = || Source::made("", at);
    let letter = |index: usize| char::from(b'A' + u8::try_from(index % 26).unwrap_or_default());
    let mut lettered = Vec::with_capacity(options.len());
    for (index, (right, words)) in options.into_iter().enumerate() {
        let words = words.after(&format!("{}. ", letter(index)));
        if let Some(words) = super::inline::rewritten(&words, context) {
            lettered.push((right, words));
        }
    }
    let mut out = vec![empty()];
    out.extend(lettered.iter().map(|(_, words)| words.clone().after("- ")));
    out.push(empty());
    for hint in hints {
        out.extend(super::inline::rewritten(&hint, context));
        out.push(empty());
    }
    out.extend([Source::made(PAUSE, at), empty()]);
    let right: Vec<Source> = match answer {
        Some(words) => vec![Source::made(words, at)],
        None => lettered.into_iter().filter(|(right, _)| *right).map(|(_, words)| words).collect(),
    };
    for words in right {
        // It is seen, and heard.
        out.extend([words.clone().after("> "), empty(), words, empty()]);
    }
    out.extend(reason);
    out.push(empty());
    Some((length, out))
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;

    #[test]
    fn questions_are_options_a_moment_to_think_and_the_answer() {
        for (text, made) in [
            (
                "What is 2 + 2?\n\n- [( )] 3\n- [(X)] *four*\n\nOn.",
                "What is 2 + 2?\n\n- A. 3\n- B. *four*\n\n> B. *four*\n\nB. *four*\n\nOn.",
            ),
            (
                "    [[X]] one\n    [[ ]] two\n    [[X]] three\n    [[?]] Think.\n    ***\n    Because.\n    ***\n\nOn.",
                "- A. one\n- B. two\n- C. three\n\nThink.\n\n> A. one\n\nA. one\n\n> C. three\n\nC. three\n\nBecause.\n\nOn.",
            ),
            (
                "<!--\nauthor: A\nversion: 1\n-->\n\nWhat?\n\n    [[dam]]\n    [[?]] A hint.",
                "What?\n\nA hint.\n\n> dam\n\ndam",
            ),
            (
                "<!--\nauthor: A\nversion: 1\n-->\n\nWhich?\n\n[[ A class\n| (A structure)\n| Nothing, really\n]]\n\nOn.",
                "Which?\n\nA class / A structure / Nothing, really\n\nOn.",
            ),
            ("[[A page]]\n\nWords.", "A page\n\nWords."),
            ("- [x] done\n- [ ] open", "- [x] done\n- [ ] open"),
        ] {
            // The moment to think is no word.
            assert_eq!(plain(text), made, "{text}");
        }
    }
}
