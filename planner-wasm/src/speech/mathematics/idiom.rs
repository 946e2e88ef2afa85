//! What several items mean together, which is more than their signs one by one.

use super::bars::{REACH, angled, bra, divider, ket, nearby, norm};
use super::brackets::{opens_bracket, scripts_on};
use super::fraction::{fraction, simple_fraction, small};
use super::said::{Pending, Said, around, around_before, put, put_as_it_is, say};
use super::scripts::raised;
use super::sign::{begins_term, is_dots, is_name, named};
use super::unit::counted;
use crate::latex::Node;
use crate::symbols;

/// Says what means more than its signs one by one, and how many items it takes; none when nothing there does.
pub(super) fn idiom(row: &[Node], pairs: &[Option<usize>], at: usize, out: &mut Said) -> Option<usize> {
    let node = &row[at];
    let before = at.checked_sub(1).map(|before| &row[before]);
    let (next, third) = (row.get(at + 1), row.get(at + 2));
    match node {
        Node::Symbol(symbol) => return sign_idiom(symbol, row, pairs, at, out),
        Node::Char(':') if next == Some(&Node::Char('=')) => {
            put(out, "is defined as");
            return Some(2);
        }
        Node::Char('-' | '−') if begins_term(before) && next.is_some_and(|next| !matches!(next, Node::Space(_))) => {
            put(out, "minus:sign");
            return Some(1);
        }
        Node::Char('<') if begins_term(before) => return angled(row, at, out),
        Node::Char('#') if next.is_some() => {
            let length = operand(row, pairs, at + 1);
            around(out, "the number of", |out| say(&row[at + 1..at + 1 + length], out));
            return Some(1 + length);
        }
        // A function by its name, however it is capitalized.
        Node::Font(_, letters) if next.is_some_and(opens_bracket) && is_name(node) && counted(&row[..at]).is_none() => {
            let name: String =
                letters.iter().filter_map(|node| if let Node::Char(c) = node { Some(*c) } else { None }).collect();
            put_as_it_is(out, &name);
            return Some(1);
        }
        Node::Char('|') => return ket(row, at, out).or_else(|| norm(row, at, out)),
        Node::Number(number) => {
            if let Some(Node::Fraction(false, top, bottom)) = next
                && let (Some(n), Some(d)) = (small(top), small(bottom))
                && n < d
                && simple_fraction(n, d).is_some()
                && !number.contains([',', '.'])
            {
                put_as_it_is(out, number);
                put(out, "and:mixed");
                fraction(top, bottom, out);
                return Some(2);
            }
            if next == Some(&Node::Char('%')) {
                around_before(out, "percent", |out| put_as_it_is(out, number));
                return Some(2);
            }
            return decimal(row, at, number, out);
        }
        Node::Scripts { base: Some(base), below, above, primes: 0 } => match (&**base, below, above) {
            // A logarithm in Chinese has what it is of before its name.
            (Node::Operator(name, _), Some(below), above) if name == "log" => {
                let (head, rest) = out.locale.say("log base").split_once("{x}")?;
                let (middle, tail) = rest.split_once("{y}")?;
                let length = operand(row, pairs, at + 1);
                put_as_it_is(out, head.trim());
                say(below, out);
                put_as_it_is(out, middle.trim());
                say(&row[at + 1..at + 1 + length], out);
                put_as_it_is(out, tail.trim());
                raised(None, above.as_ref(), 0, out);
                return Some(1 + length);
            }
            _ => {}
        },
        _ => {}
    }
    // The sign before dots is that behind them: "1 plus 2, and so on, plus n".
    if next.is_some_and(is_dots) && third == Some(node) && is_joining(node) {
        return Some(1);
    }
    None
}

/// Whether a sign joins the terms of a sum, a product or a chain.
pub(super) fn is_joining(node: &Node) -> bool {
    matches!(node, Node::Char('+' | '-' | '*' | '=' | '<' | '>'))
        || matches!(node, Node::Symbol(symbol) if !symbol.sign.is_alphanumeric() && !symbol.words.is_empty())
}

/// The same for what begins with a sign.
pub(super) fn sign_idiom(
    symbol: &'static symbols::Symbol,
    row: &[Node],
    pairs: &[Option<usize>],
    at: usize,
    out: &mut Said,
) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| &row[before]);
    let (next, third) = (row.get(at + 1), row.get(at + 2));
    match symbol.name {
        "nabla" if third.is_some() => {
            let phrase = match next {
                Some(next) if named(next, "cdot") => "the divergence of",
                Some(next) if named(next, "times") => "the curl of",
                _ => return None,
            };
            let length = operand(row, pairs, at + 2);
            around(out, phrase, |out| say(&row[at + 2..at + 2 + length], out));
            Some(2 + length)
        }
        "sim"
            if next.is_some_and(is_distribution)
                && (third.is_some_and(opens_bracket) || out.list || next.is_some_and(is_named_distribution)) =>
        {
            put(out, "is distributed as");
            Some(1)
        }
        // Of forms it is another product.
        "wedge" if next == Some(&Node::Char('d')) => {
            put(out, "wedge");
            Some(1)
        }
        "equiv" if row[at..].iter().take(REACH).any(is_modulo) => {
            put(out, "is congruent to");
            Some(1)
        }
        "mid" => {
            divider(before, next, nearby(row, at), out);
            Some(1)
        }
        "langle" => bra(row, at, out),
        "Re" | "Im" if out.locale.around(symbol.words).is_some() => {
            let length = operand(row, pairs, at + 1);
            around(out, symbol.words, |out| say(&row[at + 1..at + 1 + length], out));
            Some(1 + length)
        }
        _ if symbol.words == "and so on" => {
            if before.is_some_and(|before| !matches!(before, Node::Char(',' | ';'))) {
                out.text.push_str(" ,");
            }
            put(out, symbol.words);
            out.pending = Pending::Pause;
            Some(1)
        }
        _ if next.is_some_and(is_dots) && third == row.get(at) && is_joining(&row[at]) => Some(1),
        _ => None,
    }
}

/// Whether it is the sign of a remainder, as `\pmod` has it.
pub(super) fn is_modulo(node: &Node) -> bool {
    match node {
        Node::Operator(name, _) => name == "mod",
        Node::Group(row) => row.iter().take(REACH).any(is_modulo),
        _ => false,
    }
}

/// A name that what varies may be distributed by.
pub(super) fn is_distribution(node: &Node) -> bool {
    match node {
        Node::Char(c) => c.is_ascii_uppercase() || matches!(c, 'p' | 'q'),
        Node::Symbol(symbol) => matches!(symbol.name, "pi" | "chi"),
        Node::Operator(..) | Node::Text(_) => true,
        Node::Font(_, row) | Node::Group(row) => row.first().is_some_and(is_distribution),
        Node::Scripts { base: Some(base), .. } => is_distribution(base),
        _ => false,
    }
}

/// A distribution that is known by how it is written: `\mathcal{N}`, `\text{Poisson}`.
pub(super) fn is_named_distribution(node: &Node) -> bool {
    match node {
        Node::Font(font, _) => matches!(font.as_str(), "mathcal" | "mathrm" | "mathsf"),
        Node::Operator(..) | Node::Text(_) => true,
        Node::Scripts { base: Some(base), .. } => is_named_distribution(base),
        _ => false,
    }
}

/// How many items from `at` on are one operand: a bracket as a whole, and a spaced one with its space.
pub(super) fn operand(row: &[Node], pairs: &[Option<usize>], at: usize) -> usize {
    let spaces = row[at.min(row.len())..].iter().take_while(|node| matches!(node, Node::Space(_))).count();
    match (row.get(at + spaces), pairs.get(at + spaces).copied().flatten()) {
        (None, _) => 0,
        (Some(_), Some(length)) => (spaces + length + 1).min(row.len() - at),
        (Some(_), None) => spaces + 1,
    }
}

/// A number whose digits a comma parts, in a language that writes it so. Numbers side by side in a bracket or an index are several.
pub(super) fn decimal(row: &[Node], at: usize, number: &str, out: &mut Said) -> Option<usize> {
    if out.list || !out.locale.has_decimal_comma() || number.contains([',', '.']) {
        return None;
    }
    let comma = |node: Option<&Node>| node == Some(&Node::Char(','));
    let neighbour = |at: Option<usize>| at.and_then(|at| row.get(at));
    let (left, right) = (neighbour(at.checked_sub(1)), neighbour(Some(at + 3)));
    let bracket = |node: Option<&Node>| matches!(node, Some(Node::Char('(' | ')' | '[' | ']')));
    // `]0,1[` is no pair of brackets here.
    let listed = comma(left) || comma(right) || (bracket(left) && bracket(right));
    if !comma(row.get(at + 1)) || listed {
        return None;
    }
    let digits = |node: &Node| match node {
        Node::Number(digits) if !digits.contains([',', '.']) => Some(digits.clone()),
        Node::Char(c) if c.is_ascii_digit() => Some(c.to_string()),
        _ => None,
    };
    let rest = row.get(at + 2)?;
    let (fraction, scripts) = match rest {
        Node::Scripts { base: Some(base), .. } => (digits(base)?, scripts_on(rest)),
        node => (digits(node)?, None),
    };
    put_as_it_is(out, &format!("{number},{fraction}"));
    if let Some((below, above, primes)) = scripts {
        raised(below, above, primes, out);
    }
    Some(3)
}
