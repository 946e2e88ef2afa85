//! A row of items, one after the other.

use super::bars::between_bars;
use super::brackets::{
    Sides, braced, bracketed, fenced, fenced_bracket, is_of_functions, opens_bracket, opens_square, scripts_on,
};
use super::fraction::fraction;
use super::idiom::idiom;
use super::pairs;
use super::said::{Bar, Pending, Said, Speaker, meaning, put, put_as_it_is, resume, say, spoken};
use super::scripts::{scripts, takes};
use super::sign::{character, denied, operator};
use super::table::rows;
use super::unit::measured;
use crate::latex::{Node, Row};

/// What says all of a formula.
pub(super) const SPEAKER: Speaker = Speaker { row: paired, one: item };

/// Says a row of which it is known where its brackets are closed.
fn paired(row: &[Node], pairs: &[Option<usize>], out: &mut Said) {
    let mut at = 0;
    while let Some(node) = row.get(at) {
        let before = at.checked_sub(1).map(|before| &row[before]);
        if let Some(length) = pairs[at].filter(|length| at + length < row.len()) {
            let (close, inner) = (&row[at + length], at + 1..at + length);
            let content = (&row[inner.clone()], &pairs[inner]);
            if matches!(node, Node::Char('{') | Node::Big('{')) {
                braced(content, close, out);
            } else {
                bracketed(
                    content,
                    scripts_on(close),
                    Sides {
                        before,
                        square: opens_square(node),
                        after: row.get(at + length + 1),
                        function: is_of_functions(row, pairs, at),
                    },
                    out,
                );
            }
            at += length + 1;
        } else if let Some((inner, scripts)) = fenced_bracket(node) {
            let square = opens_square(node);
            bracketed(
                (inner, &pairs::pairs(inner)),
                scripts,
                Sides { before, square, after: row.get(at + 1), function: false },
                out,
            );
            at += 1;
        } else if let Some(length) = idiom(row, pairs, at, out).or_else(|| between_bars(row, at, out)) {
            at += length;
        } else {
            if before.is_some_and(|before| multiplied(before, node)) {
                put(out, "times");
            }
            let bracket = row.get(at + 1).is_some_and(opens_bracket);
            match node {
                // The letters of complexity: "theta of n".
                Node::Symbol(symbol) if bracket && matches!(symbol.name, "Theta" | "Omega") => {
                    put(out, symbol.words.trim_start_matches("capital "));
                }
                node => match measured(row, at, out) {
                    Some((length, words)) => {
                        put_as_it_is(out, &words);
                        at += length - 1;
                    }
                    None => item(node, out),
                },
            }
            at += 1;
        }
    }
}

/// Numbers side by side are told apart: "2 times 10", not "210"; so are fractions.
pub(super) fn multiplied(before: &Node, node: &Node) -> bool {
    let number = |node: &Node| matches!(node, Node::Number(_) | Node::Fraction(..));
    number(before) && number(node)
}

fn item(node: &Node, out: &mut Said) {
    match node {
        Node::Char(c) | Node::Big(c) => character(*c, out),
        Node::Number(number) => put_as_it_is(out, number),
        // `i\text{-th}`
        Node::Text(text) if text.starts_with('-') && text[1..].starts_with(char::is_alphabetic) => {
            resume(out);
            out.text.push_str(text);
        }
        Node::Text(text) => put_as_it_is(out, text),
        Node::Symbol(symbol) if symbol.words == "to" && out.approaches => put(out, "goes to"),
        Node::Symbol(symbol) if symbol.words == "intersect" && out.events => put(out, "and:event"),
        Node::Symbol(symbol) if symbol.words == "union" && out.events => put(out, "or:event"),
        Node::Symbol(symbol) => {
            put(out, symbol.words);
            if takes(node) && !out.locale.has_ranges_first() {
                out.pending = Pending::Of;
            }
        }
        Node::Rare(name) => put_as_it_is(out, name.strip_prefix("var").unwrap_or(name)),
        Node::Operator(name, _) => match operator(name) {
            Ok("log") => put(out, "log:of"),
            Ok(phrase) => put(out, phrase),
            Err(name) => put_as_it_is(out, name),
        },
        Node::Font(font, row) => match word(font, row) {
            Some(word) => put_as_it_is(out, &word),
            None => say(row, out),
        },
        Node::Group(row) => say(row, out),
        Node::Fraction(true, top, bottom) => {
            say(top, out);
            put(out, "choose");
            say(bottom, out);
        }
        Node::Fraction(false, top, bottom) => fraction(top, bottom, out),
        Node::Root(index, of) => {
            let locale = out.locale;
            let root = |phrase: &str, n: &str| locale.say(phrase).replace("{n}", n);
            match index.as_ref().map(|index| spoken(index, locale, out.speaker)).as_deref() {
                None | Some("2") => put(out, "the square root of"),
                Some("3") => put(out, "the cube root of"),
                Some(n) if n.chars().all(|c| c.is_ascii_digit()) => put_as_it_is(out, &root("the {n}th root of", n)),
                Some(n) => put_as_it_is(out, &root("the {n}-th root of", n)),
            }
            say(of, out);
        }
        Node::Accent(name, row) => accent(name, row, out),
        Node::Scripts { base, below, above, primes } => {
            scripts(base.as_deref(), below.as_ref(), above.as_ref(), *primes, out);
        }
        Node::Fenced(left, row, right) => fenced(*left, row, *right, out),
        Node::Middle(_) => put(out, if out.bar == Bar::Given { "given" } else { "such that" }),
        Node::Table(table) => rows(table, out),
        Node::Stacked { note, base } => {
            match (meaning(base, out.speaker).as_str(), meaning(note, out.speaker).as_str()) {
                ("equals", "def") => put(out, "is defined as"),
                ("equals", "factorial") => put(out, "must equal"),
                _ => {
                    say(base, out);
                    say(note, out);
                }
            }
        }
        Node::Arrow(above) => {
            put(out, "goes by");
            say(above, out);
            put(out, "to");
        }
        Node::Not(of) => match denied(of) {
            Some(phrase) => put(out, phrase),
            None => {
                put(out, "not");
                item(of, out);
            }
        },
        Node::Space(true) => out.text.push_str(" ,"),
        Node::Space(false) => {}
    }
}

/// A name that is read as a word and not by its letters: of small letters, or a capital and several small ones.
pub(super) fn word(font: &str, row: &[Node]) -> Option<String> {
    if !matches!(font, "mathrm" | "mathsf" | "mathtt" | "mathit" | "mathnormal") || row.len() < 3 {
        return None;
    }
    let letter = |node: &Node| if let Node::Char(c) = node { Some(*c).filter(|c| c.is_alphabetic()) } else { None };
    let word: String = row.iter().map(letter).collect::<Option<_>>()?;
    let vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y') || !c.is_ascii();
    let mixed = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    (word.chars().any(vowel) && !mixed).then_some(word)
}

pub(super) fn accent(name: &str, row: &Row, out: &mut Said) {
    let (before, after) = match name {
        "vec" | "overrightarrow" => ("the vector", ""),
        "hat" | "widehat" => ("", "hat"),
        "tilde" | "widetilde" => ("", "tilde"),
        "bar" | "overline" => ("", "bar"),
        "dot" => ("", "dot"),
        "ddot" => ("", "double dot"),
        "dddot" => ("", "triple dot"),
        "mathring" | "r" => ("", "ring"),
        "phantom" | "hphantom" | "vphantom" => return,
        _ => ("", ""),
    };
    put(out, before);
    say(row, out);
    put(out, after);
}
