//! Fractions, simple ones by their names.

use super::said::{Pending, Said, put, put_as_it_is, say};
use super::sign::{adds, is_sum};
use crate::latex::{Node, Row};

pub(super) fn fraction(top: &Row, bottom: &Row, out: &mut Said) {
    if let (Some(n), Some(d)) = (small(top), small(bottom))
        && let Some((number, part)) = simple_fraction(n, d)
    {
        // In Chinese, the parts come first.
        let words = out.locale.say(part);
        return match words.contains("{n}") {
            true => put_as_it_is(out, &words.replace("{n}", out.locale.say(number))),
            false => {
                put(out, number);
                put(out, part);
            }
        };
    }
    let derivative = |row: &Row| match row.first() {
        Some(Node::Char('d')) => Some('d'),
        Some(Node::Symbol(symbol)) if symbol.sign == '∂' => Some('∂'),
        Some(Node::Scripts { base: Some(base), .. }) => match base.as_ref() {
            Node::Char('d') => Some('d'),
            Node::Symbol(symbol) if symbol.sign == '∂' => Some('∂'),
            _ => None,
        },
        _ => None,
    };
    if derivative(top).is_some() && derivative(top) == derivative(bottom) && bottom.len() > 1 {
        say(top, out);
        put(out, "by");
        say(bottom, out);
        if top.len() == 1 {
            put(out, "of");
        }
        return;
    }
    say(top, out);
    if top.len() > 1 && top.iter().any(is_sum) {
        out.text.push_str(" ,");
        put(out, "all over");
    } else {
        put(out, "over");
    }
    let several = adds(bottom);
    if several {
        put(out, "the quantity");
    }
    say(bottom, out);
    if several {
        out.pending = Pending::Pause;
    }
}

pub(super) fn small(row: &Row) -> Option<u32> {
    match row.as_slice() {
        [Node::Number(number)] => number.parse().ok(),
        [Node::Char(c)] => c.to_digit(10),
        _ => None,
    }
}

pub(super) fn simple_fraction(n: u32, d: u32) -> Option<(&'static str, &'static str)> {
    let number = *["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"].get(n as usize)?;
    let (one, several) = match d {
        2 => ("half", "halves"),
        3 => ("third", "thirds"),
        4 => ("quarter", "quarters"),
        5 => ("fifth", "fifths"),
        6 => ("sixth", "sixths"),
        7 => ("seventh", "sevenths"),
        8 => ("eighth", "eighths"),
        9 => ("ninth", "ninths"),
        10 => ("tenth", "tenths"),
        _ => return None,
    };
    (n > 0).then_some((number, if n == 1 { one } else { several }))
}
