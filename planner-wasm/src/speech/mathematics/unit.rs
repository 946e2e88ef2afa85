//! Quantities: a number and its unit, however it is written.

use super::said::{Said, meaning};
use super::sign::named;
use crate::latex::Node;

/// Items of a row that may be one unit: `\mathrm{J}\,\mathrm{mol}^{-1}\,\mathrm{K}^{-1}` has five.
pub(super) const LONGEST_UNIT: usize = 9;

/// The number that stands before, with spaces behind it: then roman letters are its unit. A number that is not known, as of a power, is
/// many.
pub(super) fn counted(before: &[Node]) -> Option<String> {
    let last = before.iter().rposition(|node| !matches!(node, Node::Space(_)))?;
    let parted = last >= 2
        && before[last - 1] == Node::Char(',')
        && matches!(before[last - 2], Node::Number(_))
        && matches!(before[last], Node::Number(_));
    match &before[last] {
        Node::Number(_) if parted => Some("0,5".to_owned()),
        Node::Number(number) => Some(number.clone()),
        Node::Char(c) if c.is_ascii_digit() => Some(c.to_string()),
        Node::Scripts { base: Some(base), .. } if matches!(&**base, Node::Number(_)) => Some(String::new()),
        _ => None,
    }
}

/// The unit at `at` of a row, as many of it as the number before it says: its items and its words.
pub(super) fn measured(row: &[Node], at: usize, out: &Said) -> Option<(usize, String)> {
    let node = &row[at];
    // `2\Omega` is a product, `2\,\Omega` are two ohms.
    let apart = at > 0 && matches!(row[at - 1], Node::Space(_));
    if !begins_unit(node) || (named(node, "Omega") && !apart) {
        return None;
    }
    unit(&row[at..], out, &counted(&row[..at])?)
}

/// Whether an item may be the first of a unit, or the last.
pub(super) fn begins_unit(node: &Node) -> bool {
    match node {
        Node::Text(_) | Node::Font(..) => true,
        Node::Scripts { base: Some(base), .. } => matches!(&**base, Node::Font(..)),
        node => named(node, "Omega"),
    }
}

/// The words of so many of the unit that a row begins with, set in roman letters (`\mathrm{m/s^2}`, `\text{ kg}`,
/// `\mathrm{m}\,\mathrm{s}^{-2}`), and how many items it takes.
pub(super) fn unit(row: &[Node], out: &Said, number: &str) -> Option<(usize, String)> {
    let (mut written, mut found) = (String::new(), None);
    for (index, node) in row.iter().take(LONGEST_UNIT).enumerate() {
        let Some(part) = roman(std::slice::from_ref(node), out) else { break };
        written.push_str(&part);
        let whole = out.locale.alias(written.trim());
        if let Some((length, one, many)) = out.locale.units(whole).filter(|_| begins_unit(node))
            && length == whole.len()
        {
            found = Some((index + 1, out.locale.counted(number, &one, &many)));
        }
    }
    found
}

/// A row of letters as it would be written in a text, with powers as small signs.
pub(super) fn roman(row: &[Node], said: &Said) -> Option<String> {
    let mut out = String::new();
    for node in row {
        match node {
            Node::Char(c) if c.is_alphanumeric() || matches!(c, '/' | '·' | '%') => out.push(*c),
            Node::Symbol(symbol) if matches!(symbol.sign, '·' | '⋅') => out.push('·'),
            Node::Symbol(symbol) if matches!(symbol.name, "Omega" | "mu") => {
                out.push(if symbol.name == "mu" { 'µ' } else { 'Ω' })
            }
            Node::Space(_) => out.push(' '),
            Node::Text(text) => out.push_str(&text.replace('~', " ")),
            Node::Group(row) | Node::Font(_, row) => out.push_str(&roman(row, said)?),
            Node::Scripts { base: Some(base), below: None, above: Some(above), primes: 0 } => {
                out.push_str(&roman(std::slice::from_ref(base), said)?);
                for c in meaning(above, said.speaker).replace("minus ", "-").chars() {
                    out.push(match c {
                        '-' => '⁻',
                        '1' => '¹',
                        '2' => '²',
                        '3' => '³',
                        _ => return None,
                    });
                }
            }
            _ => return None,
        }
    }
    Some(out)
}
