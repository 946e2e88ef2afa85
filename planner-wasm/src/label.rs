//! Labels of figures, which are words and no formulas: the LaTeX that authors write in them becomes signs of Unicode.

use crate::latex::{self, Node};
use crate::symbols;

/// `v_0 \cos\theta` as `v₀ cos θ`; what has no such signs stays as it was written, without its dollars.
pub(crate) fn label(text: &str) -> String {
    let bare = text.trim().trim_matches('$').trim();
    // Words are no formula, and a formula has one of these.
    if !bare.contains(['\\', '^', '_']) {
        return bare.to_owned();
    }
    // White space separates words here, and LaTeX takes it away.
    let words: Option<Vec<String>> = bare.split_whitespace().map(word).collect();
    if let Some(words) = words {
        return words.join(" ");
    }
    let mut out = String::new();
    match latex::parse_whole(bare) {
        Some(row) if signs(&row, &mut out) => out,
        _ => bare.to_owned(),
    }
}

fn word(text: &str) -> Option<String> {
    if !text.contains(['\\', '^', '_']) {
        return Some(text.to_owned());
    }
    if let Some(plain) = with_powers(text) {
        return Some(plain);
    }
    let row = latex::parse_whole(text)?;
    let mut out = String::new();
    signs(&row, &mut out).then_some(out)
}

/// A term whose only marks are powers of one letter or digit, as nearly every function of a plot is labelled: what the parser would make
/// of it, and parsing took longest of all that such plots need. None of any other.
fn with_powers(text: &str) -> Option<String> {
    if text.len() > latex_reader::LONGEST {
        return None;
    }
    let mut out = String::with_capacity(2 * text.len());
    let mut rest = text.bytes().peekable();
    let mut based = false;
    while let Some(byte) = rest.next() {
        match byte {
            b'^' => {
                let power = rest.next().filter(|power| based && power.is_ascii_alphanumeric())?;
                script(&[Node::Char(char::from(power))], '^', small_above, &mut out);
                based = false;
                if rest.peek() == Some(&b'^') {
                    return None;
                }
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'(' | b')' | b'+' | b'=' | b'/' => {
                out.push(char::from(byte));
                based = byte.is_ascii_alphanumeric() || byte == b')';
            }
            _ => return None,
        }
    }
    Some(out)
}

/// Writes a row; false when some of it has no signs.
fn signs(row: &[Node], out: &mut String) -> bool {
    row.iter().all(|node| match node {
        Node::Char(c) | Node::Big(c) | Node::Middle(c) => push(*c, out),
        Node::Number(number) => append(number, out),
        Node::Text(text) => append(text, out),
        Node::Symbol(symbol) => push(symbol.sign, out),
        Node::Operator(name, _) => {
            let apart = out.ends_with(char::is_alphanumeric);
            append(if apart { " " } else { "" }, out) && append(name, out) && append(" ", out)
        }
        Node::Group(row) | Node::Font(_, row) => signs(row, out),
        Node::Fraction(false, top, bottom) => inside(top, out) && push('/', out) && inside(bottom, out),
        Node::Root(None, of) => push('√', out) && inside(of, out),
        // An arrow above a letter is a mark that fonts put beside it.
        Node::Accent(name, row) => {
            let mark = match &**name {
                "vec" | "overrightarrow" => "",
                "hat" | "widehat" => "\u{302}",
                "bar" | "overline" => "\u{304}",
                "dot" => "\u{307}",
                _ => return false,
            };
            signs(row, out) && append(mark, out)
        }
        Node::Scripts { base, below, above, primes } => {
            let written = base.as_deref().is_none_or(|base| signs(std::slice::from_ref(base), out));
            // A function's script stands at its name.
            let operator = matches!(base.as_deref(), Some(Node::Operator(..)));
            out.truncate(if operator { out.trim_end().len() } else { out.len() });
            written
                && append(&"′".repeat(*primes), out)
                && below.as_deref().is_none_or(|below| script(below, '_', symbols::lowered, out))
                && above.as_deref().is_none_or(|row| script(row, '^', small_above, out))
                && append(if operator { " " } else { "" }, out)
        }
        Node::Fenced(left, row, right) => {
            let delimiter = |c: char, out: &mut String| c == '.' || push(c, out);
            delimiter(*left, out) && signs(row, out) && delimiter(*right, out)
        }
        Node::Not(denied) => signs(std::slice::from_ref(denied), out) && push('\u{338}', out),
        Node::Space(_) => push(' ', out),
        _ => false,
    })
}

fn push(c: char, out: &mut String) -> bool {
    out.push(c);
    true
}

fn append(text: &str, out: &mut String) -> bool {
    out.push_str(text);
    true
}

/// In brackets, when it is more than one sign.
fn inside(row: &[Node], out: &mut String) -> bool {
    let mut inner = String::new();
    let drawn = signs(row, &mut inner);
    let alone = inner.chars().count() <= 1 || inner.chars().all(|c| c.is_ascii_digit());
    out.push_str(&if alone { inner } else { format!("({inner})") });
    drawn
}

/// A sign above the line as labels have it: a circle is that of degrees, and a prime and a star stand there anyhow.
fn small_above(c: char) -> Option<char> {
    match c {
        '∘' => Some('°'),
        '′' | '*' => Some(c),
        c => symbols::raised(c),
    }
}

/// A script in small signs; one that has none follows `sign` as it is.
fn script(row: &[Node], sign: char, small: fn(char) -> Option<char>, out: &mut String) -> bool {
    let mut inner = String::new();
    if !signs(row, &mut inner) {
        return false;
    }
    match inner.chars().map(small).collect::<Option<String>>() {
        Some(small) => out.push_str(&small),
        None => {
            out.push(sign);
            out.push_str(&inner);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{label, latex, signs, with_powers};

    #[test]
    fn terms_with_powers_are_what_the_parser_makes_of_them() {
        const LETTERS: &[u8] = b"xnT0 12()+=/^";
        let mut terms = 0;
        for number in 0..LETTERS.len().pow(4) {
            let letter = |place: u32| char::from(LETTERS[number / LETTERS.len().pow(place) % LETTERS.len()]);
            for text in [String::from_iter((0..4).map(letter)), format!("x{}^2", String::from_iter((0..4).map(letter)))]
            {
                // Words have no spaces in them, and are parsed when they have a mark.
                let Some(plain) = with_powers(&text).filter(|_| text.contains('^')) else { continue };
                let row = latex::parse_whole(&text).unwrap_or_else(|| panic!("{text} is no formula"));
                let mut parsed = String::new();
                assert!(signs(&row, &mut parsed), "{text}");
                assert_eq!(plain, parsed, "{text}");
                terms += 1;
            }
        }
        assert!(terms > 10_000, "{terms}");
    }

    #[test]
    fn latex_in_labels_becomes_signs() {
        for (source, shown) in [
            ("v_0 cos θ", "v₀ cos θ"),
            (r"v_0\cos\theta", "v₀ cos θ"),
            (r"\sin^{2}x", "sin² x"),
            (r"$\vec{v}$", "v"),
            (r"A\vec{v}", "Av"),
            (r"x^2 + y^2", "x² + y²"),
            (r"\frac{a}{b}", "a/b"),
            (r"\sqrt{2}", "√2"),
            (r"F_{\text{net}}", "Fₙₑₜ"),
            (r"F_{\text{drag}}", "F_drag"),
            (r"90^\circ", "90°"),
            ("a plain label", "a plain label"),
            ("snake_case", "snake_case"),
            (r"\unknown{x}", r"\unknown{x}"),
        ] {
            assert_eq!(label(source), shown, "{source}");
        }
    }
}
