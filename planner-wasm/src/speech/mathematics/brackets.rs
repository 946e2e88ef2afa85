//! Brackets and braces: where they are closed, what they mean behind a name, and how what stands in them is said.

use super::bars::{REACH, bar, bar_or_mid, size_of};
use super::fraction::small;
use super::pairs::pairs;
use super::said::{Bar, Pending, Said, around, put, say, say_paired, says_of, with_bar};
use super::scripts::{binds, ordinal, raised};
use super::sign::{adds, index_in_brackets, is_letter, is_name, is_operand, is_term, named, outside};
use crate::latex::{Node, Row};

/// What stands beside a bracket, and which kind it is.
pub(super) struct Sides<'a> {
    pub(super) before: Option<&'a Node>,
    pub(super) square: bool,
    pub(super) after: Option<&'a Node>,
    /// Whether what stands before it is a bracket of functions alone.
    pub(super) function: bool,
}

/// Index, power and primes of a closing bracket.
pub(super) type Scripts<'a> = Option<(Option<&'a Row>, Option<&'a Row>, usize)>;

pub(super) fn scripts_on(close: &Node) -> Scripts<'_> {
    match close {
        Node::Scripts { below, above, primes, .. } => Some((below.as_ref(), above.as_ref(), *primes)),
        _ => None,
    }
}

pub(super) fn opens_square(node: &Node) -> bool {
    match node {
        Node::Char('[') | Node::Big('[') | Node::Fenced('[', ..) => true,
        Node::Scripts { base: Some(base), .. } => matches!(**base, Node::Fenced('[', ..)),
        _ => false,
    }
}

pub(super) fn opens_bracket(node: &Node) -> bool {
    matches!(node, Node::Char('(' | '[') | Node::Big('(' | '[') | Node::Fenced('(' | '[', ..))
        || matches!(node, Node::Scripts { base: Some(base), .. } if matches!(**base, Node::Fenced('(' | '[', ..)))
}

/// The content of `\left( … \right)` and its scripts.
pub(super) fn fenced_bracket(node: &Node) -> Option<(&Row, Scripts<'_>)> {
    match node {
        Node::Fenced('(' | '[', inner, _) => Some((inner, None)),
        Node::Scripts { base: Some(base), .. } => match &**base {
            Node::Fenced('(' | '[', inner, _) => Some((inner, scripts_on(node))),
            _ => None,
        },
        _ => None,
    }
}

/// Braces: a set by its condition, or its items.
pub(super) fn braced((inner, pairs): (&[Node], &[Option<usize>]), close: &Node, out: &mut Said) {
    set((inner, pairs), out);
    match scripts_on(close) {
        Some((Some(below), above, _)) if below.contains(&Node::Char('=')) => {
            put(out, "from");
            say(below, out);
            if let Some(above) = above {
                put(out, "to:range");
                say(above, out);
            }
        }
        Some((below, above, primes)) => raised(below, above, primes, out),
        None => {}
    }
}

/// The content of braces.
pub(super) fn set((inner, pairs): (&[Node], &[Option<usize>]), out: &mut Said) {
    let bars = inner.iter().filter(|node| bar(node)).count();
    let parts = |node: &Node| match node {
        Node::Middle('|') | Node::Char(':') => true,
        node => named(node, "mid") || (bars == 1 && bar(node)) || named(node, "colon"),
    };
    let list = std::mem::replace(&mut out.list, true);
    match inner.iter().position(parts) {
        Some(at) if at > 0 && inner.get(at + 1) != Some(&Node::Char('=')) => {
            put(out, "the set of");
            say_paired(&inner[..at], &pairs[..at], out);
            put(out, "such that");
            out.list = list;
            with_bar(out, Bar::Plain, |out| say_paired(&inner[at + 1..], &pairs[at + 1..], out));
        }
        _ => say_paired(inner, pairs, out),
    }
    out.list = list;
}

/// Whether the bracket at `at` stands behind one of functions alone: `(f \circ g)(x)`, `(f + g)(x)`.
pub(super) fn is_of_functions(row: &[Node], pairs: &[Option<usize>], at: usize) -> bool {
    let Some(close) = at.checked_sub(1).filter(|close| matches!(row[*close], Node::Char(')'))) else { return false };
    let Some(open) = (0..close).rev().take(REACH).find(|open| pairs[*open] == Some(close - open)) else { return false };
    let inner = &row[open + 1..close];
    let letter = |node: &Node| matches!(node, Node::Char('f' | 'g' | 'h' | 'F' | 'G' | 'H'));
    let joins = |node: &Node| matches!(node, Node::Char('+' | '-')) || named(node, "circ") || named(node, "cdot");
    inner.iter().any(joins) && inner.iter().all(|node| letter(node) || joins(node))
}

/// A letter that usually names a function: `f(x)` is "f of x", `a(x)` is "a times x".
pub(super) fn is_function(node: &Node) -> bool {
    match node {
        Node::Char(c) => {
            matches!(c, 'f' | 'g' | 'h' | 'F' | 'G' | 'H' | 'P' | 'L' | 'u' | 'v' | 'y' | 'O' | 'o' | 'E' | 'T' | 'V')
        }
        Node::Symbol(symbol) => {
            matches!(
                symbol.name,
                "phi" | "varphi" | "psi" | "Phi" | "Psi" | "Gamma" | "zeta" | "sigma" | "Theta" | "Omega"
            )
        }
        Node::Operator(..) => true,
        Node::Font(_, row) | Node::Group(row) => matches!(row.as_slice(), [node] if is_function(node)),
        Node::Scripts { base: Some(base), .. } => is_function(base),
        _ => false,
    }
}

/// Whether what stands before a bracket is a function by what the bracket holds: a name of several letters always is one, and a letter is
/// where a product would have no bracket, or no comma in it.
pub(super) fn takes_bracket(before: &Node, inner: &[Node], square: bool) -> bool {
    if is_function(before) || is_name(before) {
        return true;
    }
    let divided = |node: &Node| matches!(node, Node::Char('|' | '‖') | Node::Middle('|')) || named(node, "mid");
    // `R([a,b])`
    let inner = index_in_brackets(inner).unwrap_or(inner);
    // Where something is listed, compared or conditioned there is no product, whatever power the letter has: `Q^\pi(s,a)`.
    let base = match before {
        Node::Scripts { base: Some(base), .. } => base,
        node => node,
    };
    if is_letter(base) && (!is_term(inner) || outside(inner).any(|(_, node)| divided(node))) {
        return true;
    }
    if !is_letter(before) {
        return false;
    }
    let argument = match inner {
        [Node::Scripts { base: Some(base), .. }] => is_letter(base),
        [node] => is_letter(node) || named(node, "cdot"),
        _ => false,
    };
    // `k[\text{A}]` is a product of a constant and a concentration.
    let written = |node: &Node| opens_bracket(node) || matches!(node, Node::Text(_) | Node::Font(..));
    let index = square && inner.len() <= 3 && !inner.iter().any(written);
    argument || index || is_delayed(before, inner)
}

/// A signal at another time: `x(k-1)`, `x(t+T)`; a count before it makes a product, `n(n-1)`.
pub(super) fn is_delayed(before: &Node, inner: &[Node]) -> bool {
    let base = match before {
        Node::Scripts { base: Some(base), .. } => base,
        node => node,
    };
    matches!(base, Node::Char('x' | 'X' | 's' | 'w' | 'z' | 'p' | 'q'))
        && matches!(
            inner,
            [Node::Char('t' | 'k' | 'n'), Node::Char('+' | '-'), _]
                | [Node::Char('t' | 'k' | 'n'), Node::Char('+' | '-'), _, _]
        )
}

pub(super) fn is_probability(node: &Node) -> bool {
    match node {
        Node::Char(c) => *c == 'P',
        Node::Operator(name, _) => matches!(name.as_str(), "Pr" | "P"),
        Node::Font(_, row) | Node::Group(row) => matches!(row.as_slice(), [node] if is_probability(node)),
        _ => false,
    }
}

/// A bracket's content, with its own pairs, the scripts on its end, and what stands beside it.
pub(super) fn bracketed(
    (inner, pairs): (&[Node], &[Option<usize>]),
    scripts: Scripts<'_>,
    sides: Sides<'_>,
    out: &mut Said,
) {
    let Sides { before, square, after, function } = sides;
    // "The limit of" takes all that follows, and no bracket as its own.
    let function = !says_of(out) && (function || before.is_some_and(|before| takes_bracket(before, inner, square)));
    let ordinal = scripts.and_then(|(_, above, _)| above).is_some_and(|above| ordinal(above).is_some());
    let powered = scripts.is_some() && !ordinal;
    let alone =
        matches!(inner, [Node::Fraction(false, top, bottom)] if small(top).is_none() || small(bottom).is_none());
    let simple = (inner.len() == 1 && !(powered && alone))
        || (!powered && matches!(inner, [Node::Char('-' | '+'), _]))
        || matches!(inner, [Node::Table(_)]);
    let sum = !simple && adds(inner);
    let numbers = |node: &Node| matches!(node, Node::Number(_) | Node::Char(',' | ';' | '-') | Node::Space(_));
    let list = std::mem::replace(&mut out.list, inner.iter().all(numbers));
    let mut grouped = powered && !simple;
    match before {
        _ if function => put(out, "of"),
        // "The real part of" says it.
        Some(Node::Symbol(symbol)) if symbol.words.ends_with(" of") => {}
        // Nothing is multiplied behind "d by d x of".
        // For which values: `(i = 1, …, n)`.
        Some(before) if is_operand(before) && !is_term(inner) && !says_of(out) => out.pending = Pending::Pause,
        Some(before) if (is_operand(before) || *before == Node::Char('!')) && !says_of(out) => {
            put(out, if simple { "times" } else { "times the quantity" });
            grouped |= sum;
        }
        before => {
            grouped |= sum
                && (before.is_some_and(binds)
                    || after.is_some_and(|after| binds(after) || opens_bracket(after) || is_operand(after)));
            if grouped {
                put(out, "the quantity");
            }
        }
    }
    let joined = out.events;
    out.events |= before.is_some_and(is_probability);
    let bar = if function { Bar::Given } else { out.bar };
    with_bar(out, bar, |out| match inner {
        // What stands for any argument: `f(\cdot)`.
        [dot] if named(dot, "cdot") => put(out, "dot"),
        inner => say_paired(inner, pairs, out),
    });
    out.events = joined;
    out.list = list;
    // `[x^2]_0^1`
    if square && let Some((Some(below), Some(above), 0)) = scripts {
        out.pending = Pending::Pause;
        put(out, "from");
        say(below, out);
        put(out, "to:range");
        say(above, out);
        out.pending = Pending::Pause;
        return;
    }
    if powered && !simple {
        out.pending = Pending::Nothing;
        out.text.push_str(" ,");
        put(out, "all");
    } else if grouped {
        out.pending = Pending::Pause;
    }
    if let Some((below, above, primes)) = scripts {
        raised(below, above, primes, out);
    }
}

/// What is between `\left` and `\right`.
pub(super) fn fenced(left: char, row: &Row, right: char, out: &mut Said) {
    let divided = || row.iter().position(|node| matches!(node, Node::Middle('|')) || bar_or_mid(node));
    match (left, right) {
        ('|', '⟩') => {
            put(out, "ket");
            say(row, out);
        }
        ('⟨', '|') => {
            put(out, "bra");
            say(row, out);
        }
        ('⟨', '⟩') if let Some(at) = divided() => {
            put(out, "bra");
            say(&row[..at], out);
            let rest = &row[at + 1..];
            match rest.iter().position(|node| matches!(node, Node::Middle('|')) || bar_or_mid(node)) {
                Some(second) => {
                    say(&rest[..second], out);
                    put(out, "ket");
                    say(&rest[second + 1..], out);
                }
                None => {
                    put(out, "ket");
                    say(rest, out);
                }
            }
        }
        ('|', _) if matches!(row.as_slice(), [Node::Table(_)]) => {
            put(out, "the determinant");
            put(out, "of");
            say(row, out);
        }
        ('|', '|') => around(out, size_of(&Node::Char('|'), row), |out| say(row, out)),
        ('|', _) => around(out, "the absolute value of", |out| say(row, out)),
        ('‖', _) if !matches!(row.as_slice(), [Node::Table(_)]) => around(out, "the norm of", |out| say(row, out)),
        ('⌊', _) => around(out, "the floor of", |out| say(row, out)),
        ('⌈', _) => around(out, "the ceiling of", |out| say(row, out)),
        ('{', '}') => set((row, &pairs(row)), out),
        _ => say(row, out),
    }
}
