//! Bars and angle brackets: sizes, norms, kets and bras, and bars that divide.

use super::said::{Bar, Said, around, put, say};
use super::scripts::scripts_of;
use super::sign::{is_operand, is_term, named};
use crate::latex::Node;

/// Items that are looked through for the other end of a bar or an angle bracket.
pub(super) const REACH: usize = 60;

/// Where, from `at` on, the first item is that `fits`, and whether it is one that is `wanted`.
pub(super) fn first(row: &[Node], at: usize, wanted: fn(&Node) -> bool, other: fn(&Node) -> bool) -> Option<usize> {
    let ahead = row.get(at..)?.iter().take(REACH).position(|node| wanted(node) || other(node))?;
    wanted(&row[at + ahead]).then_some(at + ahead)
}

pub(super) fn closes_angle(node: &Node) -> bool {
    named(node, "rangle") || matches!(node, Node::Scripts { base: Some(base), .. } if named(base, "rangle"))
}

pub(super) fn opens_angle(node: &Node) -> bool {
    named(node, "langle")
}

pub(super) fn bar_or_mid(node: &Node) -> bool {
    bar(node) || named(node, "mid")
}

/// `|ψ⟩`
pub(super) fn ket(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let end = first(row, at + 1, closes_angle, |node| bar_or_mid(node) || opens_angle(node))?;
    put(out, "ket");
    say(&row[at + 1..end], out);
    scripts_of(&row[end], out);
    Some(end + 1 - at)
}

/// `⟨φ|`, and `⟨φ|ψ⟩`
pub(super) fn bra(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let end = first(row, at + 1, bar_or_mid, |node| closes_angle(node) || opens_angle(node))?;
    put(out, "bra");
    say(&row[at + 1..end], out);
    Some(ket(row, end, out).map_or(end + 1 - at, |length| end + length - at))
}

/// `<S, P>` for `⟨S, P⟩`
pub(super) fn angled(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let relation = |node: &Node| matches!(node, Node::Char('<' | '=' | '>'));
    let end = first(row, at + 1, |node| *node == Node::Char('>'), |node| matches!(node, Node::Char('<' | '=')))?;
    let inner = &row[at + 1..end];
    let list = inner.contains(&Node::Char(',')) && !inner.iter().any(relation);
    if !list || row.get(end + 1).is_some_and(|next| matches!(next, Node::Number(_))) {
        return None;
    }
    say(inner, out);
    Some(end + 1 - at)
}

/// `||x||`
pub(super) fn norm(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let single = |node: Option<&Node>| matches!(node, Some(Node::Char('|')));
    if !single(row.get(at + 1)) {
        return None;
    }
    let content = row.get(at + 2..)?;
    let length = content.iter().take(REACH).position(closing_bar).filter(|length| *length > 0)?;
    let end = at + 2 + length;
    let close = row.get(end + 1).filter(|close| closing_bar(close) && single(row.get(end)))?;
    around(out, "the norm of", |out| say(&row[at + 2..end], out));
    scripts_of(close, out);
    Some(end + 2 - at)
}

/// What stands between two bars; none of a bar that has no other end, or that divides.
pub(super) fn between_bars(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let node = &row[at];
    if !bar(node) {
        return None;
    }
    let before = at.checked_sub(1).map(|before| &row[before]);
    let length = row[at + 1..].iter().position(closing_bar).filter(|length| *length > 0);
    let Some(length) =
        length.filter(|length| before.is_none_or(|before| !is_operand(before)) || is_term(&row[at + 1..=at + length]))
    else {
        divider(before, row.get(at + 1), nearby(row, at), out);
        return Some(1);
    };
    let inside = &row[at + 1..=at + length];
    around(out, size_of(node, inside), |out| say(inside, out));
    scripts_of(&row[at + 1 + length], out);
    Some(length + 2)
}

/// The items from `at` on that are looked through.
pub(super) fn nearby(row: &[Node], at: usize) -> &[Node] {
    &row[at..(at + REACH).min(row.len())]
}

/// Says a bar, or `\mid`, that stands between two items; `row` is what follows.
pub(super) fn divider(before: Option<&Node>, after: Option<&Node>, row: &[Node], out: &mut Said) {
    if double_bar(&row[0]) {
        return match out.bar {
            // The divergence of one distribution from another.
            Bar::Given => out.text.push_str(" ,"),
            Bar::Plain => put(out, "is parallel to"),
        };
    }
    let divides = before.is_some_and(may_divide) && after.is_some_and(may_divide);
    let phrase = match out.bar {
        Bar::Given => "given",
        Bar::Plain if divides && !row.iter().any(|node| named(node, "sim")) => "divides",
        Bar::Plain => "given",
    };
    put(out, phrase);
}

/// What may be a whole number: events and parameters are capital or Greek letters.
pub(super) fn may_divide(node: &Node) -> bool {
    match node {
        Node::Char(c) => c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '(' | ')' | '-' | '!'),
        Node::Number(_) | Node::Fenced('(', ..) => true,
        Node::Scripts { base: Some(base), .. } => may_divide(base),
        Node::Operator(name, _) => matches!(name.as_str(), "gcd" | "lcm"),
        _ => false,
    }
}

/// What bars around something mean: of a set its size, of a vector its norm.
pub(super) fn size_of(bar: &Node, inside: &[Node]) -> &'static str {
    match inside {
        _ if double_bar(bar) => "the norm of",
        [Node::Char(c)] if c.is_ascii_uppercase() => "the size of",
        _ => "the absolute value of",
    }
}

pub(super) fn double_bar(bar: &Node) -> bool {
    match bar {
        Node::Char(c) | Node::Big(c) => matches!(c, '‖' | '∥'),
        Node::Symbol(symbol) => symbol.sign == '‖',
        _ => false,
    }
}

pub(super) fn bar(node: &Node) -> bool {
    matches!(node, Node::Char('|' | '‖' | '∣' | '∥') | Node::Big('|' | '‖'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.sign, '|' | '‖'))
}

pub(super) fn closing_bar(node: &Node) -> bool {
    bar(node) || matches!(node, Node::Scripts { base: Some(base), .. } if bar(base))
}
