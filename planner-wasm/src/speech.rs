//! A formula as words, as a teacher reads it aloud; in English, whatever the lesson speaks.

use crate::chemistry;
use crate::latex::{self, Node, Row, Table};
use crate::symbols;

/// The words of a formula; of one that can't be understood, its letters and numbers, never its markup.
pub(crate) fn words(source: &str) -> String {
    let chemical = chemistry::written_out(source);
    let source = chemical.as_deref().unwrap_or(source);
    let Ok(row) = latex::parse(source) else { return letters(source) };
    let mut said = String::new();
    say(&row, &mut said);
    tidy(&said)
}

/// Prose as it is heard: LaTeX that stands bare in it, and signs that no voice reads, become words.
pub(crate) fn prose(text: &str) -> String {
    let bare = text.contains('\\')
        && text.split('\\').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic()));
    let text = if bare { unwrapped(text) } else { text.to_owned() };
    if !text.chars().any(|c| sign(c).is_some()) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match sign(c) {
            Some(words) => {
                out.push(' ');
                out.push_str(words);
                out.push(' ');
            }
            None => out.push(c),
        }
    }
    // The white space of the author's stays where it separates from the next stretch of the line.
    let lead = if text.starts_with(char::is_whitespace) { " " } else { "" };
    let trail = if text.ends_with(char::is_whitespace) { " " } else { "" };
    format!("{lead}{}{trail}", tidy(&out))
}

/// The words of a sign that voices read wrongly or not at all.
fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        '²' => "squared",
        '³' => "cubed",
        '√' => "the square root of",
        '≤' => "is at most",
        '≥' => "is at least",
        '≠' => "is not equal to",
        '≈' => "is about",
        '∞' => "infinity",
        '→' => "to",
        '⇒' => "implies",
        '∈' => "in",
        '×' => "times",
        '÷' => "divided by",
        '±' => "plus or minus",
        '−' => "minus",
        'π' => "pi",
        'θ' => "theta",
        'Δ' => "delta",
        '∑' | 'Σ' => "the sum of",
        '∫' => "the integral of",
        '∂' => "partial",
        '·' | '⋅' | '•' => " ",
        _ => return None,
    })
}

/// Text whose bare LaTeX (words with a backslash, up to the end of their braces) is words.
fn unwrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut formula = String::new();
    let mut depth = 0_i32;
    for piece in text.split_inclusive(char::is_whitespace) {
        if depth > 0 || piece.contains('\\') {
            formula.push_str(piece);
            let braces = |c: char| piece.chars().filter(|other| *other == c).count() as i32;
            depth += braces('{') - braces('}');
            if depth <= 0 {
                depth = 0;
                flush(&mut formula, &mut out);
            }
        } else {
            out.push_str(piece);
        }
    }
    flush(&mut formula, &mut out);
    out
}

/// Says the formula that was gathered; a stop after it stays a stop.
fn flush(formula: &mut String, out: &mut String) {
    let text = std::mem::take(formula);
    if text.is_empty() {
        return;
    }
    let bare = text.trim_end();
    let end = bare.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    out.push_str(&words(end.trim_matches('$')));
    out.push_str(&bare[end.len()..]);
    out.push_str(&text[bare.len()..]);
}

/// What is left of a formula without its markup.
fn letters(source: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '.' | ',') { c } else { ' ' };
    tidy(&source.chars().map(keep).collect::<String>())
}

/// One space between words, and none before a comma or stop.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let mark = word.chars().all(|c| matches!(c, ',' | '.' | ';' | ':' | '!' | '?'));
        let doubled = mark && out.ends_with([',', '.', ';', ':', '!', '?']);
        if doubled || (mark && out.is_empty()) {
            continue;
        }
        if !out.is_empty() && !mark {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn put(out: &mut String, words: &str) {
    if !words.is_empty() {
        out.push(' ');
        out.push_str(words);
    }
}

fn spoken(row: &[Node<'_>]) -> String {
    let mut said = String::new();
    say(row, &mut said);
    tidy(&said)
}

fn say(row: &[Node<'_>], out: &mut String) {
    let mut at = 0;
    while let Some(node) = row.get(at) {
        let open = matches!(node, Node::Char('(' | '[') | Node::Big('(' | '[', _));
        if open && let Some(length) = closing(&row[at..]) {
            bracketed(&row[at + 1..at + length], &row[at + length], at.checked_sub(1).map(|before| &row[before]), out);
            at += length + 1;
        } else if bar(node)
            && let Some(length) = row[at + 1..].iter().position(closing_bar).filter(|length| *length > 0)
        {
            put(out, "the absolute value of");
            say(&row[at + 1..=at + length], out);
            scripts_of(&row[at + 1 + length], out);
            at += length + 2;
        } else {
            if at > 0 && multiplied(&row[at - 1], node) {
                put(out, "times");
            }
            one(node, out);
            at += 1;
        }
    }
}

fn bar(node: &Node<'_>) -> bool {
    matches!(node, Node::Char('|' | '‖') | Node::Big('|' | '‖', _))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.sign, '|' | '‖'))
}

fn closing_bar(node: &Node<'_>) -> bool {
    bar(node) || matches!(node, Node::Scripts { base: Some(base), .. } if bar(base))
}

/// How many items on the bracket that opens `row` is closed; the closing one may carry scripts.
fn closing(row: &[Node<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, node) in row.iter().enumerate() {
        let sign = match node {
            Node::Scripts { base: Some(base), .. } => base,
            node => node,
        };
        match sign {
            Node::Char('(' | '[') | Node::Big('(' | '[', _) => depth += 1,
            Node::Char(')' | ']') | Node::Big(')' | ']', _) => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// A letter that usually names a function: `f(x)` is "f of x", `a(x)` is "a times x".
fn is_function(node: &Node<'_>) -> bool {
    match node {
        Node::Char(c) => matches!(c, 'f' | 'g' | 'h' | 'F' | 'G' | 'H' | 'P' | 'L' | 'u' | 'v' | 'y'),
        Node::Symbol(symbol) => {
            matches!(symbol.name, "phi" | "varphi" | "psi" | "Phi" | "Psi" | "Gamma" | "zeta" | "sigma")
        }
        Node::Operator(..) => true,
        Node::Font(_, row) | Node::Group(row) => matches!(row.as_slice(), [node] if is_function(node)),
        Node::Scripts { base: Some(base), .. } => is_function(base),
        _ => false,
    }
}

fn is_operand(node: &Node<'_>) -> bool {
    match node {
        Node::Char(c) | Node::Big(c, _) => c.is_alphanumeric() || *c == ')',
        Node::Symbol(symbol) => symbol.sign.is_alphabetic() || symbol.sign == '∞',
        Node::Scripts { base: Some(base), .. } => is_operand(base),
        Node::Number(_) | Node::Fraction(..) | Node::Root(..) | Node::Group(_) | Node::Fenced(..) | Node::Font(..) => {
            true
        }
        _ => false,
    }
}

/// Numbers side by side are told apart: "2 times 10", not "210"; so are fractions.
fn multiplied(before: &Node<'_>, node: &Node<'_>) -> bool {
    let number = |node: &Node<'_>| matches!(node, Node::Number(_) | Node::Fraction(..));
    number(before) && number(node)
}

fn bracketed(inner: &[Node<'_>], close: &Node<'_>, before: Option<&Node<'_>>, out: &mut String) {
    let simple = inner.len() == 1 || matches!(inner, [Node::Char('-' | '+'), _]);
    match before {
        Some(before) if is_function(before) => put(out, "of"),
        Some(before) if is_operand(before) => put(out, if simple { "times" } else { "times the quantity" }),
        _ if matches!(close, Node::Scripts { .. }) && !simple => put(out, "the quantity"),
        _ => {}
    }
    say(inner, out);
    if matches!(close, Node::Scripts { .. }) && !simple {
        out.push_str(" , all");
    }
    scripts_of(close, out);
}

fn scripts_of(node: &Node<'_>, out: &mut String) {
    if let Node::Scripts { below, above, primes, .. } = node {
        raised(below.as_ref(), above.as_ref(), *primes, out);
    }
}

fn raised(below: Option<&Row<'_>>, above: Option<&Row<'_>>, primes: usize, out: &mut String) {
    if let Some(below) = below {
        put(out, "sub");
        say(below, out);
    }
    match primes {
        0 => {}
        1 => put(out, "prime"),
        2 => put(out, "double prime"),
        _ => put(out, "triple prime"),
    }
    let Some(above) = above else { return };
    match spoken(above).as_str() {
        "2" => put(out, "squared"),
        "3" => put(out, "cubed"),
        "composed with" | "degrees" => put(out, "degrees"),
        "prime" => put(out, "prime"),
        "star" => put(out, "star"),
        "T" | "top" | "true" => put(out, "transpose"),
        "plus" => put(out, "plus"),
        "minus" => put(out, "minus"),
        "minus 1" => put(out, "to the minus 1"),
        power => {
            put(out, if above.len() == 1 { "to the power" } else { "to the power of" });
            put(out, power);
        }
    }
}

fn one(node: &Node<'_>, out: &mut String) {
    match node {
        Node::Char(c) | Node::Big(c, _) => character(*c, out),
        Node::Number(number) => put(out, number),
        Node::Text(text) => put(out, text),
        Node::Symbol(symbol) => put(out, symbol.words),
        Node::Rare(name, _) => put(out, name.strip_prefix("var").unwrap_or(name)),
        Node::Operator(name, _) => put(out, operator(name)),
        Node::Group(row) | Node::Font(_, row) | Node::Colour(_, row) => say(row, out),
        Node::Fraction(name, top, bottom) if name.ends_with("binom") => {
            say(top, out);
            put(out, "choose");
            say(bottom, out);
        }
        Node::Fraction(_, top, bottom) => fraction(top, bottom, out),
        Node::Root(index, of) => {
            let index = index.as_ref().map(|index| spoken(index));
            match index.as_deref() {
                None | Some("2") => put(out, "the square root of"),
                Some("3") => put(out, "the cube root of"),
                Some(n) if n.chars().all(|c| c.is_ascii_digit()) => put(out, &format!("the {n}th root of")),
                Some(n) => put(out, &format!("the {n}-th root of")),
            }
            say(of, out);
        }
        Node::Accent(name, row) => accent(name, row, out),
        Node::Scripts { base, below, above, primes } => {
            scripts(base.as_deref(), below.as_ref(), above.as_ref(), *primes, out);
        }
        Node::Fenced(left, row, _) => {
            match left {
                '|' if !matches!(row.as_slice(), [Node::Table(_)]) => put(out, "the absolute value of"),
                '‖' => put(out, "the norm of"),
                '⌊' => put(out, "the floor of"),
                '⌈' => put(out, "the ceiling of"),
                _ => {}
            }
            say(row, out);
        }
        Node::Middle(_) => put(out, "such that"),
        Node::Table(table) => rows(table, out),
        Node::Stacked { note, base, .. } => {
            let note = spoken(note);
            let said = spoken(base);
            match (said.as_str(), note.as_str()) {
                ("equals", "def") => put(out, "is defined as"),
                ("equals", "factorial") => put(out, "must equal"),
                _ => {
                    put(out, &said);
                    put(out, &note);
                }
            }
        }
        Node::Arrow(_, above, _) => {
            put(out, "goes by");
            say(above, out);
            put(out, "to");
        }
        Node::Not(denied) => {
            put(out, "not");
            one(denied, out);
        }
        Node::Space("quad" | "qquad") => out.push_str(" ,"),
        Node::Space(_) => {}
        Node::Modulo(row) => {
            put(out, "modulo");
            say(row, out);
        }
    }
}

fn character(c: char, out: &mut String) {
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
        ':' => put(out, ":"),
        '%' => put(out, "percent"),
        ',' | ';' => out.push_str(" ,"),
        '.' => out.push_str(" ."),
        c if c.is_alphanumeric() && c.is_ascii() => put(out, c.encode_utf8(&mut [0; 4])),
        c => match symbols::of_char(c) {
            Some(symbol) => put(out, symbol.words),
            None if c.is_alphanumeric() => put(out, c.encode_utf8(&mut [0; 4])),
            None => {}
        },
    }
}

fn operator(name: &str) -> &str {
    match name {
        "sin" => "sine",
        "cos" => "cosine",
        "tan" => "tangent",
        "cot" => "cotangent",
        "sec" => "secant",
        "csc" => "cosecant",
        "arcsin" => "arc sine",
        "arccos" => "arc cosine",
        "arctan" => "arc tangent",
        "sinh" => "hyperbolic sine",
        "cosh" => "hyperbolic cosine",
        "tanh" => "hyperbolic tangent",
        "exp" => "the exponential",
        "ln" => "the natural logarithm",
        "log" | "lg" => "the logarithm",
        "lim" => "the limit",
        "max" => "the maximum",
        "min" => "the minimum",
        "sup" => "the supremum",
        "inf" => "the infimum",
        "det" => "the determinant",
        "gcd" => "the greatest common divisor",
        "lcm" => "the least common multiple",
        "mod" => "modulo",
        "Pr" => "the probability",
        other => other,
    }
}

/// Operators that take what follows: "the sum … of", "the limit … of".
fn takes(node: &Node<'_>) -> bool {
    match node {
        Node::Symbol(symbol) => symbol.words.starts_with("the ") && !matches!(symbol.sign, '∅' | 'ℜ' | 'ℑ' | '⌊' | '⌈'),
        Node::Operator(name, below) => *below || matches!(name.as_str(), "log" | "lg"),
        _ => false,
    }
}

fn scripts(base: Option<&Node<'_>>, below: Option<&Row<'_>>, above: Option<&Row<'_>>, primes: usize, out: &mut String) {
    let Some(base) = base else { return raised(below, above, primes, out) };
    if takes(base) {
        one(base, out);
        if let Some(below) = below {
            let from = above.is_some();
            let by = match base {
                Node::Operator(name, _) if name.starts_with("lim") => "as",
                Node::Operator(name, _) if name == "log" => "to base",
                _ if from => "from",
                _ => "over",
            };
            put(out, by);
            put(out, &spoken(below).replace(" to ", " goes to "));
        }
        if let Some(above) = above {
            put(out, "to");
            say(above, out);
        }
        return put(out, "of");
    }
    match base {
        // "sine squared of x" is what is written, and how it is read.
        Node::Accent("overbrace" | "underbrace", of) => say(of, out),
        base => {
            one(base, out);
            raised(below, above, primes, out);
        }
    }
}

fn fraction(top: &Row<'_>, bottom: &Row<'_>, out: &mut String) {
    if let (Some(n), Some(d)) = (small(top), small(bottom))
        && let Some(words) = simple_fraction(n, d)
    {
        return put(out, &words);
    }
    let derivative = |row: &Row<'_>| match row.first() {
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
    put(out, if top.len() > 1 && top.iter().any(is_sum) { ", all over" } else { "over" });
    say(bottom, out);
}

/// A sign that makes "over" ambiguous.
fn is_sum(node: &Node<'_>) -> bool {
    matches!(node, Node::Char('+' | '-' | '−'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.sign, '±' | '∓'))
}

fn small(row: &Row<'_>) -> Option<u32> {
    match row.as_slice() {
        [Node::Number(number)] => number.parse().ok(),
        [Node::Char(c)] => c.to_digit(10),
        _ => None,
    }
}

fn simple_fraction(n: u32, d: u32) -> Option<String> {
    let number = *["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"].get(n as usize)?;
    let part = match d {
        2 if n == 1 => "half",
        2 => "halves",
        3 => "third",
        4 => "quarter",
        5 => "fifth",
        6 => "sixth",
        7 => "seventh",
        8 => "eighth",
        9 => "ninth",
        10 => "tenth",
        _ => return None,
    };
    let plural = if n == 1 || d == 2 { "" } else { "s" };
    (n > 0).then(|| format!("{number} {part}{plural}"))
}

fn accent(name: &str, row: &Row<'_>, out: &mut String) {
    let (before, after) = match name {
        "vec" | "overrightarrow" => ("the vector", ""),
        "hat" | "widehat" => ("", "hat"),
        "tilde" | "widetilde" => ("", "tilde"),
        "bar" | "overline" => ("", "bar"),
        "dot" => ("", "dot"),
        "ddot" => ("", "double dot"),
        "dddot" => ("", "triple dot"),
        "phantom" | "hphantom" | "vphantom" => return,
        _ => ("", ""),
    };
    put(out, before);
    say(row, out);
    put(out, after);
}

fn rows(table: &Table<'_>, out: &mut String) {
    let matrix = table.name.ends_with("matrix") || table.name == "array";
    if matrix {
        put(out, "the matrix with rows");
    }
    for (index, row) in table.rows.iter().enumerate() {
        if index > 0 {
            out.push_str(if matrix || table.name.ends_with("cases") { " ," } else { " ." });
            put(out, if matrix { "and" } else { "" });
        }
        for (cell, content) in row.iter().enumerate() {
            if cell > 0 && matrix {
                out.push_str(" ,");
            } else if cell > 0 && table.name.ends_with("cases") && !matches!(content.first(), Some(Node::Text(_))) {
                put(out, "if");
            }
            say(content, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{prose, words};

    #[test]
    fn formulas_are_read_as_a_teacher_reads_them() {
        for (source, said) in [
            ("a^2 + b^2 = c^2", "a squared plus b squared equals c squared"),
            (r"\frac{1}{2}", "one half"),
            (r"\frac34", "three quarters"),
            (r"\frac{x}{y}", "x over y"),
            (r"\frac{a+b}{c}", "a plus b, all over c"),
            (r"\sqrt{x+1}", "the square root of x plus 1"),
            (r"\sqrt[3]{8}", "the cube root of 8"),
            (r"2 \times 3 = 6", "2 times 3 equals 6"),
            (r"\sum_{k=1}^{n} k", "the sum from k equals 1 to n of k"),
            (r"\int_0^1 x^2 \, dx", "the integral from 0 to 1 of x squared d x"),
            (r"\lim_{x \to 0} \frac{\sin x}{x}", "the limit as x goes to 0 of sine x over x"),
            (r"\alpha + \beta \leq \pi", "alpha plus beta is at most pi"),
            ("x_1 + x_2", "x sub 1 plus x sub 2"),
            ("f(x) = 2x", "f of x equals 2 x"),
            ("(a+b)^2", "the quantity a plus b, all squared"),
            ("2(a+b)", "2 times the quantity a plus b"),
            ("f'(x)", "f prime of x"),
            (r"\frac{dy}{dx}", "d y by d x"),
            ("|x|", "the absolute value of x"),
            ("90^\\circ", "90 degrees"),
            (r"\binom{n}{k}", "n choose k"),
            (r"\log_2 n", "the logarithm to base 2 of n"),
            (r"\vec{v}", "the vector v"),
            (r"x^{n+1}", "x to the power of n plus 1"),
            (r"n!", "n factorial"),
            ("-1", "minus 1"),
            ("e^{i\\pi} = -1", "e to the power of i pi equals minus 1"),
        ] {
            assert_eq!(words(source), said, "{source}");
        }
    }

    #[test]
    fn prose_has_no_markup_and_no_signs() {
        for (text, said) in [
            (r"We take \frac{1}{2}, and add.", "We take one half, and add."),
            (r"The \sqrt{x + 1} of it", "The the square root of x plus 1 of it"),
            ("Then x² ≤ 4.", "Then x squared is at most 4."),
            ("A plain C:\\path and 5 $ stay.", "A plain C path and 5 $ stay."),
            (" spaces stay ", " spaces stay "),
        ] {
            assert_eq!(prose(text), said);
        }
    }

    #[test]
    fn no_markup_is_ever_spoken() {
        for source in include_str!("../../tests/fixtures/formulas.txt").lines() {
            let said = words(source);
            assert!(!said.contains(['\\', '{', '}', '^', '_', '$', '&', '#']), "{source}: {said}");
            assert!(said.chars().any(char::is_alphanumeric), "{source}: {said}");
        }
    }
}
