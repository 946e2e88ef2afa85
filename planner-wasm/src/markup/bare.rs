//! Mathematics that stands in prose without its dollars, where it surely is some: `\phi(n)`, `x^{2} + 1`, `\frac{1}{2}`.
//!
//! It begins with a command that shows a sign or with a script in braces on one letter, number or bracket, and goes on over signs of
//! operation as long as what stands behind them is no word.

use std::ops::Range;

use super::source::{is_private, near, near_end};
use crate::symbols;

/// Bytes of a line that are looked at on each side.
const LINE: usize = 400;
/// Operands that one formula takes in on each side.
const MOST_OPERANDS: usize = 12;

/// Commands that take arguments, and how many of them stand in braces.
const WITH_ARGUMENTS: &[(&str, usize)] = &[
    ("frac", 2),
    ("dfrac", 2),
    ("tfrac", 2),
    ("binom", 2),
    ("sqrt", 1),
    ("vec", 1),
    ("hat", 1),
    ("bar", 1),
    ("tilde", 1),
    ("dot", 1),
    ("ddot", 1),
    ("overline", 1),
    ("widehat", 1),
    ("mathbb", 1),
    ("mathcal", 1),
    ("mathbf", 1),
    ("mathrm", 1),
    ("operatorname", 1),
    ("pmod", 1),
];
/// Signs with an operand on each side.
const BETWEEN: &[&str] = &[
    "in",
    "notin",
    "leq",
    "le",
    "geq",
    "ge",
    "neq",
    "ne",
    "approx",
    "equiv",
    "to",
    "rightarrow",
    "leftarrow",
    "gets",
    "Rightarrow",
    "Leftarrow",
    "Leftrightarrow",
    "leftrightarrow",
    "iff",
    "implies",
    "subset",
    "subseteq",
    "supset",
    "supseteq",
    "cup",
    "cap",
    "times",
    "cdot",
    "div",
    "pm",
    "mp",
    "mid",
    "sim",
    "simeq",
    "cong",
    "ll",
    "gg",
    "propto",
    "mapsto",
    "wedge",
    "vee",
    "land",
    "lor",
    "oplus",
    "otimes",
    "circ",
    "setminus",
    "ast",
    "perp",
    "parallel",
    "lt",
    "gt",
];
/// Names in prose that are no sign of a formula: of sections, currencies and boxes.
const OTHERS: &[&str] =
    &["S", "copyright", "pounds", "euro", "dots", "ldots", "checkmark", "square", "Box", "backslash"];
/// Words that are functions.
const FUNCTIONS: &[&str] = &["sin", "cos", "tan", "log", "ln", "lg", "exp", "max", "min", "gcd", "lim", "det", "mod"];

/// The formula around byte `at` of `text`, where a backslash, `^` or `_` stands. It begins at byte `from` or later, and ends in its line.
pub(super) fn around(text: &str, from: usize, at: usize) -> Option<Range<usize>> {
    let before = near_end(&text[from..at], LINE);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = near(&text[at..], LINE);
    let after = after.split('\n').next().unwrap_or_default();
    let (first, line) = (at - before.len(), &text[at - before.len()..at + after.len()]);
    let here = before.len();
    let begin = match line.as_bytes()[here] {
        b'\\' => {
            command(&line[here..])?;
            prefix(line, here)?
        }
        _ => {
            if !line[here + 1..].starts_with('{') {
                return None;
            }
            let base = prefix(line, here).filter(|begin| *begin < here)?;
            line[..here]
                .ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, ')' | ']' | '}'))
                .then_some(base)?
        }
    };
    let mut end = item(line, begin)?;
    if end <= here {
        return None;
    }
    // What goes on behind it.
    for _ in 0..MOST_OPERANDS {
        match following(line, &line[begin..end], end) {
            Some(next) => end = next,
            None => break,
        }
    }
    let begin = preceding(line, begin);
    Some(first + begin..first + end)
}

/// The bytes of the command that `text` begins with, when it is one of mathematics and has its arguments.
fn command(text: &str) -> Option<usize> {
    let name = text.strip_prefix('\\')?;
    let name = &name[..name.bytes().take_while(u8::is_ascii_alphabetic).count()];
    let after = &text[1 + name.len()..];
    if let Some((_, wanted)) = WITH_ARGUMENTS.iter().find(|(known, _)| *known == name) {
        let mut rest = after;
        if name == "sqrt" && rest.starts_with('[') {
            rest = &rest[rest.find(']')? + 1..];
        }
        for _ in 0..*wanted {
            let length = argument(rest)?;
            rest = &rest[length..];
        }
        return Some(text.len() - rest.len());
    }
    if name == "not" {
        return command(after).map(|length| 4 + length);
    }
    let left = matches!(name, "left" | "right" | "big" | "Big" | "bigl" | "bigr")
        && after.starts_with(['(', '[', '\\', '|', ')', ']']);
    let known = symbols::find(name).is_some() || symbols::operator(name).is_some() || left;
    (known && name.len() > 1 && !OTHERS.contains(&name)).then_some(1 + name.len())
}

/// The bytes of an argument: a group, a digit, or a letter alone.
fn argument(text: &str) -> Option<usize> {
    let rest = text.trim_start_matches(' ');
    let spaces = text.len() - rest.len();
    if rest.starts_with('{') {
        return group(rest).map(|length| spaces + length);
    }
    let mut next = rest.chars();
    let sign = next.next().filter(char::is_ascii_alphanumeric)?;
    let word = sign.is_ascii_alphabetic() && (spaces == 0 || next.next().is_some_and(char::is_alphabetic));
    (!word).then_some(spaces + 1)
}

/// The bytes of `{…}`, with braces in it.
fn group(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (at > 0).then_some(at + 1);
        }
    }
    None
}

/// Where the word begins that goes on at byte `at`, if it can be a piece of a formula: no word of letters is in it.
fn prefix(line: &str, at: usize) -> Option<usize> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "\\^_{}()[]+-=/'!<>|,.".contains(c);
    let begin = line[..at].char_indices().rev().take_while(|(_, c)| inside(*c)).last().map_or(at, |(begin, _)| begin);
    let outside = line[..begin].chars().next_back();
    if outside.is_some_and(|c| !c.is_whitespace() && !"*~\"“„«»‘’:;&→".contains(c) && c.is_ascii() && !is_private(c))
    {
        return None;
    }
    // `C:\alpha` is a path.
    if outside == Some(':') && line[..begin].chars().rev().nth(1).is_some_and(char::is_alphanumeric) {
        return None;
    }
    // A bracket or mark of the sentence.
    let word = &line[begin..at];
    let open = |word: &str| word.matches('(').count() > word.matches(')').count();
    let marks = word.len()
        - word.trim_start_matches(['+', '-', '=', '/', '!', '<', '>', '|', ',', '.', ')', ']', '}', '\'']).len();
    let mut begin = begin + marks;
    if line[begin..at].starts_with('(') && open(&line[begin..at]) && !closes(&line[begin..]) {
        begin += 1;
    }
    is_free_of_words(&line[begin..at]).then_some(begin)
}

/// Whether the bracket that `text` begins with is closed before its next space.
fn closes(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    word.matches('(').count() <= word.matches(')').count()
}

/// Whether no run of letters is a word: each is one letter, a function or a command.
fn is_free_of_words(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '{') {
        // What stands in braces is an index or an argument.
        if rest[at..].starts_with('{') {
            rest = &rest[at + group(&rest[at..]).unwrap_or(1)..];
            continue;
        }
        let command = rest[..at].ends_with('\\');
        let length = rest[at..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let word = &rest[at..at + length];
        if !command && length > 1 && !FUNCTIONS.contains(&word) {
            return false;
        }
        rest = &rest[at + length..];
    }
    true
}

/// The end of the piece of a formula that begins at byte `begin`: at a space, a word or a mark of the sentence. None of one whose brackets
/// are not closed.
fn item(line: &str, begin: usize) -> Option<usize> {
    let mut at = begin;
    let mut open: Vec<char> = Vec::new();
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        match c {
            '\\' => {
                let length = match command(rest) {
                    Some(length) => length,
                    // In braces everything belongs to the formula.
                    None if !open.is_empty() || rest[1..].starts_with(['{', '}', ',', ';', '!', '|']) => {
                        let name = rest[1..].bytes().take_while(u8::is_ascii_alphabetic).count();
                        1 + name.max(rest[1..].chars().next().map_or(0, char::len_utf8))
                    }
                    None => break,
                };
                at += length;
                continue;
            }
            '{' | '(' | '[' => open.push(c),
            '}' | ')' | ']' => {
                let fits = matches!((open.last(), c), (Some('{'), '}') | (Some('(' | '['), ')' | ']'));
                if !fits {
                    break;
                }
                open.pop();
            }
            c if is_private(c) || matches!(c, '$' | '`') => break,
            c if !open.is_empty() && !c.is_control() => {}
            c if c.is_ascii_alphabetic() => {
                let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                if length > 1 && !FUNCTIONS.contains(&&rest[..length]) {
                    break;
                }
                at += length;
                continue;
            }
            c if c.is_ascii_digit() || "^_+-=/'!<>|,.".contains(c) => {}
            _ => break,
        }
        at += c.len_utf8();
    }
    let text = &line[begin..at];
    let end = begin + text.trim_end_matches(['+', '-', '=', '/', '!', '<', '>', ',', '.', '^', '_']).len();
    (open.is_empty() && end > begin).then_some(end)
}

/// Whether a piece of a formula is an operand when it stands alone: no word, and no article.
fn is_operand(text: &str) -> bool {
    let sign = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '\\' | '(' | '['))
        || text.len() == 1
        || text.contains(['(', '^', '_', '\\']);
    sign && is_free_of_words(text) && text.chars().any(char::is_alphanumeric)
}

/// The end of what stands behind the formula `so_far`, which ends at byte `end`, and belongs to it.
fn following(line: &str, so_far: &str, end: usize) -> Option<usize> {
    let rest = &line[end..];
    let after = rest.trim_start_matches(' ');
    let next = line.len() - after.len();
    let spaced = after.len() < rest.len();
    // A sign of operation, and something behind it.
    let sign = after.chars().next().filter(|c| "=+-<>≤≥≠≈".contains(*c)).map_or(0, char::len_utf8);
    let behind = after[sign..].trim_start_matches(' ');
    let operand = |begin: usize| {
        let stop = item(line, begin)?;
        let word = line[stop..].starts_with(|c: char| c.is_alphanumeric());
        // `- a dog`
        let article = matches!(&line[begin..stop], "a" | "A" | "I")
            && line[stop..].trim_start_matches(' ').starts_with(|c: char| c.is_alphabetic());
        (is_operand(&line[begin..stop]) && !word && !article).then_some(stop)
    };
    if sign > 0 {
        let loose = spaced && behind.len() < after[sign..].len();
        return if loose || !spaced { operand(line.len() - behind.len()) } else { None };
    }
    if !spaced {
        return None;
    }
    let waits = ends_between(so_far);
    let scripted = || item(line, next).is_some_and(|end| line[next..end].contains(['^', '_']));
    if after.starts_with('\\') || waits || scripted() {
        let begins = command(after).is_some() || !after.starts_with('\\');
        return if begins { operand(next) } else { None };
    }
    None
}

/// Whether a formula ends with a sign that needs something behind it.
fn ends_between(formula: &str) -> bool {
    formula.rsplit_once('\\').is_some_and(|(_, name)| BETWEEN.contains(&name.trim_end()))
}

/// Where the formula begins that goes on at byte `begin`: with what stands before a sign of operation.
fn preceding(line: &str, begin: usize) -> usize {
    let mut begin = begin;
    for _ in 0..MOST_OPERANDS {
        // `d\ |\ \phi(n)`: with spaces of TeX around a sign.
        let of_tex = line[..begin].ends_with("\\ ");
        let before = line[..begin].trim_end_matches([' ', '\\']);
        let spaced = before.len() < begin;
        let name = line[begin..]
            .trim_start_matches("\\not")
            .strip_prefix('\\')
            .map(|name| &name[..name.bytes().take_while(u8::is_ascii_alphabetic).count()]);
        let between = name.is_some_and(|name| BETWEEN.contains(&name));
        let signless = before.trim_end_matches(['=', '+', '-', '<', '>', '≤', '≥', '≠', '≈']);
        let signless = if of_tex { signless.trim_end_matches('|') } else { signless };
        let sign = signless.len() < before.len() && signless.ends_with(' ') && spaced;
        let operand = match (between, sign) {
            (true, _) if spaced => before,
            (false, true) => signless.trim_end_matches([' ', '\\']),
            _ => break,
        };
        let word = operand.rfind([' ', '*', '"', '(', ':', ';']).map_or(0, |at| at + 1);
        let word = if operand.ends_with(')') { operand.rfind(' ').map_or(0, |at| at + 1) } else { word };
        let text = &operand[word..];
        if !text.is_ascii() || !is_operand(text) || item(line, word) != Some(operand.len()) {
            break;
        }
        begin = word;
    }
    begin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<&str> {
        text.match_indices(['\\', '^', '_']).find_map(|(at, _)| around(text, 0, at)).map(|range| &text[range])
    }

    #[test]
    fn what_surely_is_a_formula_is_one() {
        for (text, formula) in [
            (r"Let \phi(n) be it.", r"\phi(n)"),
            (r"The value x^{2} + 1 is.", "x^{2} + 1"),
            (r"Take \frac{1}{2} of it.", r"\frac{1}{2}"),
            (r"If x \in A, then", r"x \in A"),
            (r"so n = \phi(m) - 1.", r"n = \phi(m) - 1"),
            (r"angle \theta = 30 degrees", r"\theta = 30"),
            (r"the \alpha-helix", r"\alpha"),
            (r"A_{ij} = \sum_{k=1}^{n} B_{ik} C_{kj}", r"A_{ij} = \sum_{k=1}^{n} B_{ik} C_{kj}"),
            (r"(where \lambda \geq 0)", r"\lambda \geq 0"),
            (r"so 2\pi r is", r"2\pi"),
            (r"f(x) = \sqrt{x + 1}, and", r"f(x) = \sqrt{x + 1}"),
            (r"Energie \Delta E ist", r"\Delta"),
            (r"since \alpha - a dog", r"\alpha"),
            (r"a \equiv b \pmod{n}.", r"a \equiv b \pmod{n}"),
            (r"delers d\ |\ \phi(n) is", r"d\ |\ \phi(n)"),
            (r"so g^d \not\equiv 1 \pmod{n}. And", r"g^d \not\equiv 1 \pmod{n}"),
            (r"数字 x^{2} 是", "x^{2}"),
            (r"数字x^{2}是", "x^{2}"),
        ] {
            assert_eq!(first(text), Some(formula), "{text}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_none() {
        for text in [
            r"C:\alpha\beta",
            r"See \ref{x}.",
            "snake_case_{x}",
            "a name_{id} here",
            r"Use \frac to write",
            "a _{b",
            r"\emph{x}",
            "[^{note}]",
            r"file\theta",
            r"\dots and more",
            "x_{",
            r"https://a.b/c_{d}",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
