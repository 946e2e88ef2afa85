//! Single signs: what kind each is, and the words of those that have some.

use super::said::{Said, put, put_as_it_is};
use crate::latex::Node;
use crate::symbols;

pub(super) fn named(node: &Node, name: &str) -> bool {
    matches!(node, Node::Symbol(symbol) if symbol.name == name)
}

pub(super) fn is_dots(node: &Node) -> bool {
    matches!(node, Node::Symbol(symbol) if symbol.words == "and so on")
        || matches!(node, Node::Char('…' | '⋯' | '⋮' | '⋱'))
}

/// Whether nothing stands before that a sign could join: it begins a term.
pub(super) fn begins_term(before: Option<&Node>) -> bool {
    match before {
        None => true,
        Some(Node::Char(c) | Node::Big(c)) => !c.is_alphanumeric() && !matches!(c, ')' | ']' | '}' | '!' | '|'),
        Some(Node::Symbol(symbol)) => !symbol.sign.is_alphabetic() && symbol.sign != '∞',
        Some(Node::Operator(..)) => true,
        _ => false,
    }
}

/// Whether nothing in a row compares or lists, but in brackets.
pub(super) fn is_term(row: &[Node]) -> bool {
    outside(row).all(|(_, node)| match node {
        Node::Char(c) => !matches!(c, ',' | ';' | '=' | '<' | '>'),
        Node::Symbol(symbol) => {
            !symbol.words.starts_with("is ") && !matches!(symbol.words, "implies" | "if and only if" | "and" | "or")
        }
        Node::Not(_) => false,
        _ => true,
    })
}

/// A name of several letters: `\mathrm{ReLU}`, `\text{softmax}`.
pub(super) fn is_name(node: &Node) -> bool {
    match node {
        Node::Font(_, row) => {
            row.len() > 1 && row.iter().all(|node| matches!(node, Node::Char(c) if c.is_alphabetic()))
        }
        Node::Text(text) => text.chars().count() > 1 && text.chars().all(|c| c.is_alphanumeric() || c == '-'),
        Node::Scripts { base: Some(base), .. } => is_name(base),
        _ => false,
    }
}

/// One letter, with an index or without.
pub(super) fn is_letter(node: &Node) -> bool {
    match node {
        Node::Char(c) => c.is_alphabetic(),
        Node::Symbol(symbol) => symbol.sign.is_alphabetic() && !matches!(symbol.name, "Re" | "Im" | "partial"),
        Node::Font(_, row) | Node::Group(row) | Node::Accent(_, row) => {
            matches!(row.as_slice(), [node] if is_letter(node))
        }
        Node::Scripts { base: Some(base), above: None, .. } => is_letter(base),
        Node::Scripts { base: Some(base), above: Some(above), .. } => {
            is_letter(base) && (matches!(above.as_slice(), [Node::Char('*')]) || index_in_brackets(above).is_some())
        }
        _ => false,
    }
}

pub(super) fn is_operand(node: &Node) -> bool {
    match node {
        Node::Char(c) | Node::Big(c) => c.is_alphanumeric() || *c == ')',
        Node::Symbol(symbol) => symbol.sign.is_alphabetic() || symbol.sign == '∞',
        Node::Scripts { base: Some(base), .. } => is_operand(base),
        Node::Number(_) | Node::Fraction(..) | Node::Root(..) | Node::Group(_) | Node::Fenced(..) | Node::Font(..) => {
            true
        }
        _ => false,
    }
}

/// The phrase for a relation that `\not` strikes through.
pub(super) fn denied(node: &Node) -> Option<&'static str> {
    let words = match node {
        Node::Char('=') => "equals",
        Node::Char('<') => "is less than",
        Node::Char('>') => "is greater than",
        Node::Char('|' | '∣') => return Some("does not divide"),
        Node::Char('∥') => "is parallel to",
        Node::Char(c) => symbols::of_char(*c)?.words,
        Node::Symbol(symbol) if matches!(symbol.name, "mid" | "vert") => return Some("does not divide"),
        Node::Symbol(symbol) => symbol.words,
        Node::Group(row) => match row.as_slice() {
            [node] => return denied(node),
            _ => return None,
        },
        _ => return None,
    };
    Some(match words {
        "equals" => "is not equal to",
        "in" => "not in",
        "contains" => "does not contain",
        "there exists" => "there does not exist",
        "is less than" => "is not less than",
        "is greater than" => "is not greater than",
        "is at most" => "is not at most",
        "is at least" => "is not at least",
        "is a subset of" | "is a proper subset of" => "is not a subset of",
        "is a superset of" => "is not a superset of",
        "is equivalent to" | "if and only if" => "is not equivalent to",
        "is congruent to" => "is not congruent to",
        "is similar to" => "is not similar to",
        "is approximately" => "is not approximately",
        "is parallel to" => "is not parallel to",
        "is perpendicular to" => "is not perpendicular to",
        "implies" => "does not imply",
        _ => return None,
    })
}

pub(super) fn character(c: char, out: &mut Said) {
    match c {
        '+' => put(out, "plus"),
        '-' | '−' => put(out, "minus"),
        '=' => put(out, "equals"),
        '<' => put(out, "is less than"),
        '>' => put(out, "is greater than"),
        '*' => put(out, "times"),
        '/' => put(out, "over"),
        '!' => put(out, "factorial"),
        '|' => put(out, "given"),
        ':' => put_as_it_is(out, ":"),
        '%' => put(out, "percent"),
        '$' => put(out, "dollars"),
        ',' | ';' => out.text.push_str(" ,"),
        '.' => out.text.push_str(" ."),
        c if c.is_alphanumeric() && c.is_ascii() => put_as_it_is(out, c.encode_utf8(&mut [0; 4])),
        c => match symbols::of_char(c) {
            Some(symbol) => put(out, symbol.words),
            None if c.is_alphanumeric() => put_as_it_is(out, c.encode_utf8(&mut [0; 4])),
            None => {}
        },
    }
}

/// The phrase for an operator, or its name.
pub(super) fn operator(name: &str) -> Result<&'static str, &str> {
    Ok(match name {
        "sin" | "sen" => "sine",
        "cos" => "cosine",
        "tan" | "tg" => "tangent",
        "cot" | "ctg" | "cotg" => "cotangent",
        "sec" => "secant",
        "csc" => "cosecant",
        "arcsin" | "arcsen" => "arc sine",
        "arccos" => "arc cosine",
        "arctan" | "arctg" => "arc tangent",
        "sinh" | "sh" => "hyperbolic sine",
        "cosh" | "ch" => "hyperbolic cosine",
        "tanh" | "th" => "hyperbolic tangent",
        "exp" => "the exponential",
        "ln" => "the natural logarithm",
        "log" | "lg" => "log",
        "lim" => "the limit",
        "max" | "máx" => "the maximum",
        "min" | "mín" => "the minimum",
        "sup" => "the supremum",
        "inf" => "the infimum",
        "det" => "the determinant",
        "gcd" | "ggT" | "pgcd" | "PGCD" | "mcd" | "MCD" | "mdc" | "НОД" => "the greatest common divisor",
        "lcm" | "kgV" | "ppcm" | "PPCM" | "mcm" | "MCM" | "mmc" | "НОК" => "the least common multiple",
        "mod" => "modulo",
        "Pr" => "the probability",
        other => return Err(other),
    })
}

/// The items of a row that stand in none of its brackets, and where.
pub(super) fn outside(row: &[Node]) -> impl Iterator<Item = (usize, &Node)> {
    let mut depth = 0_usize;
    row.iter().enumerate().filter(move |(_, node)| {
        let sign = match node {
            Node::Scripts { base: Some(base), .. } => base,
            node => *node,
        };
        match sign {
            Node::Char('(' | '[' | '{') | Node::Big('(' | '[' | '{') => depth += 1,
            Node::Char(')' | ']' | '}') | Node::Big(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

/// Whether a row is a sum: a sign in its brackets, or the one it begins with, makes none.
pub(super) fn adds(row: &[Node]) -> bool {
    outside(row).any(|(index, node)| index > 0 && is_sum(node))
}

/// A sign that makes "over" ambiguous.
pub(super) fn is_sum(node: &Node) -> bool {
    matches!(node, Node::Char('+' | '-' | '−'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.sign, '±' | '∓'))
}

/// What stands in the brackets of `(n)` and `[n]`.
pub(super) fn index_in_brackets(row: &[Node]) -> Option<&[Node]> {
    // The first bracket must not be closed before the last one: `(m-1) \times (n-1)`.
    let whole = |inner: &[Node]| {
        let bracket = |node: &Node| matches!(node, Node::Char('(' | ')' | '[' | ']'));
        !inner.is_empty() && !inner.iter().any(bracket)
    };
    match row {
        [Node::Char('('), inner @ .., Node::Char(')')] if whole(inner) => Some(inner),
        [Node::Char('['), inner @ .., Node::Char(']')] if whole(inner) => Some(inner),
        [Node::Fenced('(' | '[', inner, _)] if !inner.is_empty() => Some(inner),
        _ => None,
    }
}
