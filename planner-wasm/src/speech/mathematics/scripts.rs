//! What stands above and below: indices, powers, limits, ordinals and derivatives.

use super::super::locale::Locale;
use super::said::{Pending, Said, around, meaning, one, put, put_as_it_is, put_joined, resume, say, spoken};
use super::sign::index_in_brackets;
use crate::latex::{Node, Row};

/// A sign that takes no more than one factor: without a word for it, the end of a sum beside it is not heard.
pub(super) fn binds(node: &Node) -> bool {
    matches!(node, Node::Char('-' | '−' | '/' | '*' | '!'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.name, "cdot" | "times" | "div"))
}

pub(super) fn scripts_of(node: &Node, out: &mut Said) {
    if let Node::Scripts { below, above, primes, .. } = node {
        raised(below.as_ref(), above.as_ref(), *primes, out);
    }
}

pub(super) fn raised(below: Option<&Row>, above: Option<&Row>, primes: usize, out: &mut Said) {
    if let Some(below) = below {
        put(out, "sub");
        let list = std::mem::replace(&mut out.list, true);
        match below.as_slice() {
            [Node::Char('*')] => put(out, "star"),
            below => say(below, out),
        }
        out.list = list;
    }
    match primes {
        0 => {}
        1 => put(out, "prime"),
        2 => put(out, "double prime"),
        _ => put(out, "triple prime"),
    }
    let Some(above) = above else { return };
    if let Some(ending) = ordinal(above) {
        let locale = out.locale;
        resume(out);
        return out.text.push_str(&ordinal_of("", &ending, locale));
    }
    if let Some(index) = index_in_brackets(above) {
        put(out, "superscript");
        return say(index, out);
    }
    match above.as_slice() {
        [Node::Char('*')] => return put(out, "star"),
        // A name, and no power.
        [Node::Text(_)] => return say(above, out),
        [Node::Font(font, row)] if font == "mathrm" && row.len() > 1 => return say(above, out),
        _ => {}
    }
    match meaning(above, out.speaker).as_str() {
        "2" => put(out, "squared"),
        "3" => put(out, "cubed"),
        "composed with" | "degrees" => put(out, "degrees"),
        "prime" => put(out, "prime"),
        "star" => put(out, "star"),
        "dagger" => put(out, "dagger"),
        "T" | "top" | "true" => put(out, "transpose"),
        "plus" => put(out, "plus"),
        "minus" => put(out, "minus"),
        "minus 1" => put(out, "to the minus 1"),
        _ => around(out, if above.len() == 1 { "to the power" } else { "to the power of" }, |out| say(above, out)),
    }
}

/// The letters of `th` in `i^{th}`, and of what other languages write there.
pub(super) fn ordinal(above: &[Node]) -> Option<String> {
    const ENGLISH: &[&str] = &["th", "st", "nd", "rd"];
    const OTHERS: &[&str] = &[
        "te", "ter", "ten", "tes", "ième", "ème", "ieme", "eme", "ésimo", "ésima", "esimo", "esima", "ый", "ой", "ая",
        "го",
    ];
    let mut letters = String::new();
    let (row, upright) = match above {
        [Node::Font(_, row) | Node::Group(row)] => (row.as_slice(), true),
        row => (row, false),
    };
    // Longer than any of these.
    if row.len() > 5 {
        return None;
    }
    for node in row {
        match node {
            Node::Char(c) => letters.push(*c),
            Node::Text(text) if text.len() < 16 => letters.push_str(text.trim().trim_start_matches('-')),
            _ => return None,
        }
    }
    let text = upright || matches!(above, [Node::Text(_)]);
    (ENGLISH.contains(&letters.as_str()) || (text && OTHERS.contains(&letters.as_str()))).then_some(letters)
}

/// What is said for `i` as an ordinal number: "i-th", "1st".
pub(super) fn ordinal_of(words: &str, ending: &str, locale: &'static Locale) -> String {
    if words.ends_with(|c: char| c.is_ascii_digit()) && locale.say("and") == "and" {
        return format!("{words}{ending}");
    }
    locale.say("{n}-th").replace("{n}", words)
}

/// Operators that take what follows: "the sum … of", "the limit … of".
pub(super) fn takes(node: &Node) -> bool {
    match node {
        Node::Symbol(symbol) => symbol.words.starts_with("the ") && !matches!(symbol.sign, '∅' | 'ℜ' | 'ℑ' | '⌊' | '⌈'),
        Node::Operator(name, below) => *below || matches!(name.as_str(), "log" | "lg"),
        _ => false,
    }
}

pub(super) fn scripts(base: Option<&Node>, below: Option<&Row>, above: Option<&Row>, primes: usize, out: &mut Said) {
    let Some(base) = base else { return raised(below, above, primes, out) };
    if let (None, Some(above), 0) = (below, above, primes)
        && let Some(ending) = ordinal(above)
    {
        let words = spoken(std::slice::from_ref(base), out.locale, out.speaker);
        return put_as_it_is(out, &ordinal_of(&words, &ending, out.locale));
    }
    if let Some(index) = above.and_then(|above| index_in_brackets(above)).filter(|_| below.is_none() && primes == 0)
        && is_derivative(base, index)
    {
        return derivative_of(base, index, out);
    }
    if let Node::Operator(name, _) = base
        && matches!(name.as_str(), "log" | "lg")
    {
        match (below, above) {
            (Some(below), None) => {
                // "log base 2 of 8"
                put(out, "log base");
                say(below, out);
            }
            (below, above) => {
                put(out, "log");
                raised(None, above, primes, out);
                if let Some(below) = below {
                    put(out, "to base");
                    say(below, out);
                }
            }
        }
        out.pending = Pending::Of;
        return;
    }
    if let (Node::Char('C' | 'С'), Some(below), Some(above), 0) = (base, below, above, primes)
        && let Some(phrase) = out.locale.combinations()
    {
        put_as_it_is(out, phrase);
        say(below, out);
        put(out, "choose");
        return say(above, out);
    }
    if takes(base) && matches!(base, Node::Symbol(_)) && out.locale.has_ranges_first() {
        return ranged(base, below, above, out);
    }
    if takes(base) {
        one(base, out);
        out.pending = Pending::Nothing;
        if let Some(below) = below {
            let from = above.is_some();
            let by = match base {
                Node::Operator(name, _) if name.starts_with("lim") => "as",
                _ if from => "from",
                _ => "over:sum",
            };
            put(out, by);
            let approaches = std::mem::replace(&mut out.approaches, true);
            say(below, out);
            out.approaches = approaches;
        }
        if let Some(above) = above {
            put(out, "to:range");
            say(above, out);
        }
        out.pending = Pending::Of;
        return;
    }
    match base {
        // "sine squared of x" is what is written, and how it is read.
        // What stands beside a brace is said behind what the brace holds.
        Node::Accent(name, of) if matches!(&**name, "overbrace" | "underbrace") => {
            say(of, out);
            for note in [below, above].into_iter().flatten() {
                out.pending = Pending::Pause;
                say(note, out);
                out.pending = Pending::Pause;
            }
        }
        // What has powers: a number, and e.
        Node::Number(_) | Node::Char('e' | '0'..='9')
            if let (None, Some(above), 0) = (below, above, primes)
                && let Some(power) = index_in_brackets(above) =>
        {
            one(base, out);
            around(out, if power.len() == 1 { "to the power" } else { "to the power of" }, |out| say(power, out));
        }
        base => {
            one(base, out);
            raised(below, above, primes, out);
        }
    }
}

/// Whether brackets above a letter tell which derivative it is, and not which layer or sample.
pub(super) fn is_derivative(base: &Node, index: &[Node]) -> bool {
    let index = match index {
        [Node::Number(number)] => number.parse::<u8>().ok(),
        [Node::Char(c)] if c.is_ascii_digit() => c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()),
        [Node::Char('n')] => Some(u8::MAX),
        [Node::Char('k' | 'm' | 'i' | 'j')] => Some(0),
        [Node::Char('n' | 'k' | 'm'), Node::Char('+' | '-'), Node::Number(_)] => Some(u8::MAX),
        _ => None,
    };
    match (base, index) {
        (_, None) => false,
        (Node::Char('f' | 'g' | 'F' | 'G'), Some(_)) => true,
        (Node::Char('h' | 'y' | 'u' | 'v'), Some(order)) => order > 2,
        (Node::Symbol(symbol), Some(order)) => matches!(symbol.name, "phi" | "varphi" | "psi") && order > 2,
        _ => false,
    }
}

pub(super) fn derivative_of(base: &Node, index: &[Node], out: &mut Said) {
    let locale = out.locale;
    let order = spoken(index, locale, out.speaker);
    let phrase = match order.as_str() {
        "1" => "the first derivative of",
        "2" => "the second derivative of",
        "3" => "the third derivative of",
        order if order.chars().all(|c| c.is_ascii_digit()) => "the {n}th derivative of",
        _ => "the {n}-th derivative of",
    };
    let words = locale.say(phrase).replace("{n}", &order);
    match words.split_once("{}") {
        Some((before, after)) => {
            put_as_it_is(out, before.trim());
            one(base, out);
            put_as_it_is(out, after.trim());
        }
        None => {
            put_joined(out, &words);
            one(base, out);
        }
    }
}

/// The range of a sum or an integral before its name, as in Chinese.
pub(super) fn ranged(base: &Node, below: Option<&Row>, above: Option<&Row>, out: &mut Said) {
    let equals = |row: &&Row| row.iter().position(|node| *node == Node::Char('='));
    let from = |from: &[Node], to: Option<&Row>, out: &mut Said| {
        put(out, "from");
        say(from, out);
        if let Some(to) = to {
            put(out, "to:range");
            say(to, out);
        }
    };
    match (below, below.as_ref().and_then(equals)) {
        (Some(below), Some(at)) if above.is_some() => {
            put(out, "over:sum");
            say(&below[..at], out);
            from(&below[at + 1..], above, out);
        }
        (Some(below), _) if above.is_some() => from(below, above, out),
        (Some(below), _) => {
            put(out, "over:sum");
            say(below, out);
        }
        _ => {}
    }
    one(base, out);
    out.pending = Pending::Pause;
}
