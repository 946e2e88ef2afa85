//! A formula as words, as a teacher reads it aloud, in the lesson's language where that is known here.

use ratex_parser::ParseNode;

use super::locale::Locale;
use crate::latex::{self, Kind, Node, Row, Table};
use crate::storyboard::SpokenPart;
use crate::symbols;

/// What was said so far, and in which language.
struct Said {
    text: String,
    locale: &'static Locale,
    /// Whether an arrow means that something comes ever closer.
    approaches: bool,
    /// Whether events are joined: `P(A ∩ B)` is "P of A and B".
    events: bool,
}

/// The words of a formula; of one that can't be understood, its letters and numbers, never its markup. A command that is not known is
/// shown and has no words.
pub(crate) fn words(source: &str, locale: &'static Locale) -> String {
    // What it defines and what its commands are called is markup.
    let Ok(row) = latex::parse(source) else { return letters(&without_commands(&latex_reader::written(source))) };
    let said = spoken(&row, locale);
    // Nothing but what is not known.
    if said.is_empty() { letters(source) } else { said }
}

/// Bytes of a formula whose parts have words, and how many of them: longer ones are lines of a derivation.
const LONGEST_DIVIDED: usize = 1_000;
const MOST_PARTS: usize = 40;

/// How the parts of a formula are read aloud, by the names that a highlight has for them. Those whose words are not among the words of the
/// whole are left out: nobody hears the exponent of "x squared".
pub(crate) fn parts(source: &str, locale: &'static Locale) -> Vec<SpokenPart> {
    if source.len() > LONGEST_DIVIDED {
        return Vec::new();
    }
    let read = latex::read(source);
    let Some(reading) = read.as_ref().as_ref().ok().filter(|reading| reading.faults.is_empty()) else {
        return Vec::new();
    };
    let whole = format!(" {} ", spoken(&latex::row(&reading.nodes), locale));
    let heard = |(part, nodes): (String, Vec<ParseNode>)| {
        let words = spoken(&latex::row(&nodes), locale);
        let bare = words.trim_end_matches([',', '.']);
        let among = !bare.is_empty()
            && whole.match_indices(bare).any(|(at, _)| {
                let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                !letter(whole[..at].chars().next_back()) && !letter(whole[at + bare.len()..].chars().next())
            });
        among.then(|| SpokenPart { part, words: bare.to_owned() })
    };
    latex_reader::parts::named(reading.nodes.clone()).into_iter().take(MOST_PARTS).filter_map(heard).collect()
}

/// Bytes of what may be a formula within words.
const LONGEST_IN_WORDS: usize = 400;

/// The words of what may be a formula: its letters and numbers unless all of it is understood.
pub(crate) fn words_if_whole(source: &str, locale: &'static Locale) -> String {
    // Within words nobody writes longer ones, and reading them takes time.
    if source.len() > LONGEST_IN_WORDS {
        return letters(source);
    }
    latex::parse_whole(source).map_or_else(|| letters(source), |row| spoken(&row, locale))
}

/// Whether words stand first, which say themselves that it is a condition.
fn begins_with_words(row: &[Node]) -> bool {
    match row.iter().find(|node| !matches!(node, Node::Space(_))) {
        Some(Node::Text(_)) => true,
        Some(Node::Group(inner)) => begins_with_words(inner),
        _ => false,
    }
}

/// A formula without the names of its commands, and of its environments.
fn without_commands(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        out.push(' ');
        let name = &rest[at + 1..];
        let letters = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
        rest = &name[letters..];
        if matches!(&name[..letters], "begin" | "end") {
            rest = rest.split_once('}').map_or("", |(_, rest)| rest);
        }
    }
    out.push_str(rest);
    out
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

/// Says a phrase, given in English.
fn put(out: &mut Said, phrase: &str) {
    let locale = out.locale;
    put_as_it_is(out, locale.say(phrase));
}

/// Says what is the same in every language.
fn put_as_it_is(out: &mut Said, words: &str) {
    if !words.is_empty() {
        out.text.push(' ');
        out.text.push_str(words);
    }
}

fn spoken(row: &[Node], locale: &'static Locale) -> String {
    let mut said = Said { text: String::new(), locale, approaches: false, events: false };
    say(row, &mut said);
    tidy(&said.text)
}

/// Items of a script or note whose meaning is asked for. Those with a meaning of their own are short, and what is longer is said
/// once and not twice: of scripts in scripts, each would double the work.
const MEANT: usize = 8;

/// Brackets inside of each other that are told apart; the same depth as that of groups in `latex`.
const DEEPEST: usize = 40;
/// Items of a row that may be one unit: `\mathrm{J}\,\mathrm{mol}^{-1}\,\mathrm{K}^{-1}` has five.
const LONGEST_UNIT: usize = 9;

/// In English, to see what it is; nothing when it is more than a sign or a word.
fn meaning(row: &[Node]) -> String {
    if is_short(row, &mut { MEANT }) { spoken(row, Locale::english()) } else { String::new() }
}

/// Whether a row has no more than `left` items, those inside of others counted.
fn is_short(row: &[Node], left: &mut usize) -> bool {
    row.iter().all(|node| {
        let Some(fewer) = left.checked_sub(1) else { return false };
        *left = fewer;
        match node {
            Node::Char(_) | Node::Big(_) | Node::Number(_) | Node::Text(_) | Node::Symbol(_) | Node::Rare(_) => true,
            Node::Operator(..) | Node::Middle(_) | Node::Space(_) => true,
            Node::Scripts { base: None, below: None, above: None, .. } => true,
            Node::Group(row) | Node::Font(_, row) => is_short(row, left),
            // Nothing that is built of others is a sign or a word.
            _ => false,
        }
    })
}

fn say(row: &[Node], out: &mut Said) {
    say_paired(row, &pairs(row), out);
}

/// Says a row of which it is known where its brackets are closed.
fn say_paired(row: &[Node], pairs: &[Option<usize>], out: &mut Said) {
    let mut at = 0;
    while let Some(node) = row.get(at) {
        if let Some(length) = pairs[at] {
            let inner = at + 1..at + length;
            let before = at.checked_sub(1).map(|before| &row[before]);
            bracketed((&row[inner.clone()], &pairs[inner]), &row[at + length], before, out);
            at += length + 1;
        } else if bar(node)
            && let Some(length) = row[at + 1..].iter().position(closing_bar).filter(|length| *length > 0)
        {
            let inside = &row[at + 1..=at + length];
            put(out, size_of(node, inside));
            say(inside, out);
            scripts_of(&row[at + 1 + length], out);
            at += length + 2;
        } else {
            if at > 0 && multiplied(&row[at - 1], node) {
                put(out, "times");
            }
            let bracket = matches!(
                row.get(at + 1),
                Some(Node::Char('(' | '[') | Node::Big('(' | '[') | Node::Fenced('(' | '[', ..))
            );
            match node {
                // The letters of complexity: "theta of n".
                Node::Symbol(symbol) if bracket && matches!(symbol.name, "Theta" | "Omega") => {
                    put(out, symbol.words.trim_start_matches("capital "));
                }
                node => match unit(&row[at..], out.locale).filter(|_| at > 0 && measured(&row[..at])) {
                    Some((length, words)) => {
                        put_as_it_is(out, &words);
                        at += length - 1;
                    }
                    None => one(node, out),
                },
            }
            at += 1;
        }
    }
}

/// Whether what stands before is a number, with spaces behind it: then roman letters are its unit.
fn measured(before: &[Node]) -> bool {
    let last = before.iter().rev().find(|node| !matches!(node, Node::Space(_)));
    match last {
        Some(Node::Number(_)) => true,
        Some(Node::Char(c)) => c.is_ascii_digit(),
        Some(Node::Scripts { base: Some(base), .. }) => matches!(&**base, Node::Number(_)),
        _ => false,
    }
}

/// The words of the unit that a row begins with, set in roman letters (`\mathrm{m/s^2}`, `\text{ kg}`, `\mathrm{m}\,\mathrm{s}^{-2}`), and
/// how many items it takes.
fn unit(row: &[Node], locale: &'static Locale) -> Option<(usize, String)> {
    let letters = |node: &Node| match node {
        Node::Text(_) | Node::Font(..) => true,
        Node::Scripts { base: Some(base), .. } => matches!(&**base, Node::Font(..)),
        _ => false,
    };
    let (mut written, mut found) = (String::new(), None);
    if !row.first().is_some_and(letters) {
        return None;
    }
    for (index, node) in row.iter().take(LONGEST_UNIT).enumerate() {
        let Some(part) = roman(std::slice::from_ref(node)) else { break };
        written.push_str(&part);
        let whole = written.trim();
        if let Some((length, _, many)) = locale.units(whole).filter(|_| letters(node))
            && length == whole.len()
        {
            found = Some((index + 1, many));
        }
    }
    found
}

/// A row of letters as it would be written in a text, with powers as small signs.
fn roman(row: &[Node]) -> Option<String> {
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
            Node::Group(row) | Node::Font(_, row) => out.push_str(&roman(row)?),
            Node::Scripts { base: Some(base), below: None, above: Some(above), primes: 0 } => {
                out.push_str(&roman(std::slice::from_ref(base))?);
                for c in meaning(above).replace("minus ", "-").chars() {
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

/// What bars around something mean: of a set its size, of a vector its norm.
fn size_of(bar: &Node, inside: &[Node]) -> &'static str {
    let double = match bar {
        Node::Char(c) | Node::Big(c) => matches!(c, '‖' | '∥'),
        Node::Symbol(symbol) => symbol.sign == '‖',
        _ => false,
    };
    match inside {
        _ if double => "the norm of",
        [Node::Char(c)] if c.is_ascii_uppercase() => "the size of",
        _ => "the absolute value of",
    }
}

fn bar(node: &Node) -> bool {
    matches!(node, Node::Char('|' | '‖' | '∣' | '∥') | Node::Big('|' | '‖'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.sign, '|' | '‖'))
}

fn closing_bar(node: &Node) -> bool {
    bar(node) || matches!(node, Node::Scripts { base: Some(base), .. } if bar(base))
}

/// For each item of `row` that opens a bracket without scripts, how many items on it is closed; the closing one may carry scripts.
/// Found for all of them at once: one by one, each would look through the whole rest. Pairs deeper than any that is heard are none,
/// which bounds the stack.
fn pairs(row: &[Node]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; row.len()];
    let mut open = Vec::new();
    for (index, node) in row.iter().enumerate() {
        let (sign, alone) = match node {
            Node::Scripts { base: Some(base), .. } => (&**base, false),
            node => (node, true),
        };
        match sign {
            Node::Char('(' | '[') | Node::Big('(' | '[') => open.push((index, alone && open.len() < DEEPEST)),
            Node::Char(')' | ']') | Node::Big(')' | ']') => {
                if let Some((begin, true)) = open.pop() {
                    pairs[begin] = Some(index - begin);
                }
            }
            _ => {}
        }
    }
    pairs
}

/// A letter that usually names a function: `f(x)` is "f of x", `a(x)` is "a times x".
fn is_function(node: &Node) -> bool {
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

fn is_probability(node: &Node) -> bool {
    match node {
        Node::Char(c) => *c == 'P',
        Node::Operator(name, _) => matches!(name.as_str(), "Pr" | "P"),
        Node::Font(_, row) | Node::Group(row) => matches!(row.as_slice(), [node] if is_probability(node)),
        _ => false,
    }
}

fn is_operand(node: &Node) -> bool {
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

/// Numbers side by side are told apart: "2 times 10", not "210"; so are fractions.
fn multiplied(before: &Node, node: &Node) -> bool {
    let number = |node: &Node| matches!(node, Node::Number(_) | Node::Fraction(..));
    number(before) && number(node)
}

/// A bracket's content, with its own pairs, its end, and what stands before it.
fn bracketed((inner, pairs): (&[Node], &[Option<usize>]), close: &Node, before: Option<&Node>, out: &mut Said) {
    let simple = inner.len() == 1 || matches!(inner, [Node::Char('-' | '+'), _]);
    match before {
        Some(before) if is_function(before) => put(out, "of"),
        Some(before) if is_operand(before) => put(out, if simple { "times" } else { "times the quantity" }),
        _ if matches!(close, Node::Scripts { .. }) && !simple => put(out, "the quantity"),
        _ => {}
    }
    let events = before.is_some_and(is_probability);
    let joined = out.events;
    out.events |= events;
    say_paired(inner, pairs, out);
    out.events = joined;
    if matches!(close, Node::Scripts { .. }) && !simple {
        out.text.push_str(" ,");
        put(out, "all");
    }
    scripts_of(close, out);
}

fn scripts_of(node: &Node, out: &mut Said) {
    if let Node::Scripts { below, above, primes, .. } = node {
        raised(below.as_ref(), above.as_ref(), *primes, out);
    }
}

fn raised(below: Option<&Row>, above: Option<&Row>, primes: usize, out: &mut Said) {
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
    match meaning(above).as_str() {
        "2" => put(out, "squared"),
        "3" => put(out, "cubed"),
        "composed with" | "degrees" => put(out, "degrees"),
        "prime" => put(out, "prime"),
        "star" => put(out, "star"),
        "T" | "top" | "true" => put(out, "transpose"),
        "plus" => put(out, "plus"),
        "minus" => put(out, "minus"),
        "minus 1" => put(out, "to the minus 1"),
        _ => {
            put(out, if above.len() == 1 { "to the power" } else { "to the power of" });
            say(above, out);
        }
    }
}

fn one(node: &Node, out: &mut Said) {
    match node {
        Node::Char(c) | Node::Big(c) => character(*c, out),
        Node::Number(number) => put_as_it_is(out, number),
        Node::Text(text) => put_as_it_is(out, text),
        Node::Symbol(symbol) if symbol.words == "to" && out.approaches => put(out, "goes to"),
        Node::Symbol(symbol) if symbol.words == "intersect" && out.events => put(out, "and:event"),
        Node::Symbol(symbol) if symbol.words == "union" && out.events => put(out, "or:event"),
        Node::Symbol(symbol) => put(out, symbol.words),
        Node::Rare(name) => put_as_it_is(out, name.strip_prefix("var").unwrap_or(name)),
        Node::Operator(name, _) => put(out, operator(name)),
        Node::Group(row) | Node::Font(_, row) => say(row, out),
        Node::Fraction(true, top, bottom) => {
            say(top, out);
            put(out, "choose");
            say(bottom, out);
        }
        Node::Fraction(false, top, bottom) => fraction(top, bottom, out),
        Node::Root(index, of) => {
            let locale = out.locale;
            let root = |phrase: &str, n: &str| locale.say(phrase).replace("{n}", n);
            match index.as_ref().map(|index| spoken(index, locale)).as_deref() {
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
        Node::Stacked { note, base } => match (meaning(base).as_str(), meaning(note).as_str()) {
            ("equals", "def") => put(out, "is defined as"),
            ("equals", "factorial") => put(out, "must equal"),
            _ => {
                say(base, out);
                say(note, out);
            }
        },
        Node::Arrow(above) => {
            put(out, "goes by");
            say(above, out);
            put(out, "to");
        }
        Node::Not(denied) => {
            put(out, "not");
            one(denied, out);
        }
        Node::Space(true) => out.text.push_str(" ,"),
        Node::Space(false) => {}
    }
}

fn character(c: char, out: &mut Said) {
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
        "log" | "lg" => "log",
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
fn takes(node: &Node) -> bool {
    match node {
        Node::Symbol(symbol) => symbol.words.starts_with("the ") && !matches!(symbol.sign, '∅' | 'ℜ' | 'ℑ' | '⌊' | '⌈'),
        Node::Operator(name, below) => *below || matches!(name.as_str(), "log" | "lg"),
        _ => false,
    }
}

fn scripts(base: Option<&Node>, below: Option<&Row>, above: Option<&Row>, primes: usize, out: &mut Said) {
    let Some(base) = base else { return raised(below, above, primes, out) };
    if takes(base) {
        one(base, out);
        if let Some(below) = below {
            let from = above.is_some();
            if matches!(base, Node::Operator(name, _) if name == "log") {
                // "log base 2 of 8"
                let locale = out.locale;
                if out.text.ends_with(locale.say("log")) {
                    out.text.truncate(out.text.len() - locale.say("log").len());
                }
                put(out, "log base");
                say(below, out);
                return put(out, "of");
            }
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
        return put(out, "of");
    }
    match base {
        // "sine squared of x" is what is written, and how it is read.
        Node::Accent(name, of) if matches!(&**name, "overbrace" | "underbrace") => say(of, out),
        base => {
            one(base, out);
            raised(below, above, primes, out);
        }
    }
}

fn fraction(top: &Row, bottom: &Row, out: &mut Said) {
    if let (Some(n), Some(d)) = (small(top), small(bottom))
        && let Some((number, part)) = simple_fraction(n, d)
    {
        put(out, number);
        return put(out, &part);
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
    say(bottom, out);
}

/// A sign that makes "over" ambiguous.
fn is_sum(node: &Node) -> bool {
    matches!(node, Node::Char('+' | '-' | '−'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.sign, '±' | '∓'))
}

fn small(row: &Row) -> Option<u32> {
    match row.as_slice() {
        [Node::Number(number)] => number.parse().ok(),
        [Node::Char(c)] => c.to_digit(10),
        _ => None,
    }
}

fn simple_fraction(n: u32, d: u32) -> Option<(&'static str, String)> {
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
    (n > 0).then(|| (number, format!("{part}{plural}")))
}

fn accent(name: &str, row: &Row, out: &mut Said) {
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

fn rows(table: &Table, out: &mut Said) {
    let (matrix, cases) = (table.kind == Kind::Matrix, table.kind == Kind::Cases);
    if matrix {
        put(out, "the matrix with rows");
    }
    for (index, row) in table.rows.iter().enumerate() {
        if index > 0 {
            out.text.push_str(if matrix || cases { " ," } else { " ." });
            put(out, if matrix { "and" } else { "" });
        }
        for (cell, content) in row.iter().enumerate() {
            if cell > 0 && matrix {
                out.text.push_str(" ,");
            } else if cell > 0 && cases && !begins_with_words(content) {
                put(out, "if");
            }
            say(content, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::locale::Locale;
    use super::{parts, words};

    #[test]
    fn parts_have_the_words_that_are_heard_of_them() {
        let heard = |source: &str| {
            let parts = parts(source, Locale::english());
            parts.into_iter().map(|part| format!("{}: {}", part.part, part.words)).collect::<Vec<_>>()
        };
        assert_eq!(
            heard(r"x^2 + \frac{a+b}{c} = \sqrt{y}"),
            [
                "side 1: x squared plus a plus b, all over c",
                "term 1: x squared",
                "term 2: plus a plus b, all over c",
                "fraction 1: a plus b, all over c",
                "numerator 1: a plus b",
                "term 3: a",
                "term 4: plus b",
                "denominator 1: c",
                "side 2: the square root of y",
                "root 1: the square root of y",
                "radicand 1: y",
            ]
        );
        // Its author's name; what can't be read has no words.
        assert!(heard(r"a + \htmlId{here}{b c}").contains(&"here: b c".to_owned()));
        assert!(heard(r"a + \nosuch b").is_empty());
        assert!(heard("x").is_empty());
    }

    #[test]
    fn a_condition_in_words_is_said_once() {
        let cases = r"\begin{cases} x & \text{if } x \ge 0 \\ -x & \text{otherwise} \\ 1 & x = 3 \end{cases}";
        let said = "x if x is at least 0, minus x otherwise, 1 if x equals 3";
        assert_eq!(words(cases, Locale::english()), said);
    }

    #[test]
    fn no_command_is_heard_of_what_can_not_be_read() {
        assert_eq!(words(r"\def\a{\a\a} x \a", Locale::english()), "x");
    }

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
            (r"\log_2 n", "log base 2 of n"),
            (r"\vec{v}", "the vector v"),
            (r"x^{n+1}", "x to the power of n plus 1"),
            (r"n!", "n factorial"),
            ("-1", "minus 1"),
            ("e^{i\\pi} = -1", "e to the power of i pi equals minus 1"),
        ] {
            assert_eq!(words(source, Locale::of("en")), said, "{source}");
        }
    }

    #[test]
    fn units_are_whole_however_they_are_written() {
        for (source, said) in [
            (r"9.81\,\mathrm{m/s^2}", "9.81 metres per second squared"),
            (r"9.8\,\mathrm{m\,s^{-2}}", "9.8 metres per second squared"),
            (r"\SI{9.81}{\meter\per\second\squared}", "9.81 metres per second squared"),
            (r"\qty{8.314}{\joule\per\mol\per\kelvin}", "8.314 joules per mole per kelvin"),
            (r"\SI{5}{\kilo\gram}", "5 kilograms"),
            (r"m = 3\text{ kg}, t = 2\,\mathrm{s}", "m equals 3 kilograms, t equals 2 seconds"),
            (r"2\,\mathrm{N}\,\mathbf{x}", "2 newtons x"),
            (r"9{,}81\,\mathrm{m}", "9,81 metres"),
        ] {
            assert_eq!(words(source, Locale::of("en")), said, "{source}");
        }
        let german = "9,81 Meter pro Sekunde zum Quadrat";
        assert_eq!(words(r"9{,}81\,\mathrm{m}\,\mathrm{s}^{-2}", Locale::of("de")), german);
    }

    #[test]
    fn formulas_are_read_in_the_lessons_language() {
        for (source, german, french, spanish) in [
            (
                "a^2 + b^2 = c^2",
                "a Quadrat plus b Quadrat gleich c Quadrat",
                "a au carré plus b au carré égale c au carré",
                "a al cuadrado más b al cuadrado es igual a c al cuadrado",
            ),
            (r"\frac{3}{4}", "drei Viertel", "trois quarts", "tres cuartos"),
            (
                r"\sqrt[5]{x} \leq \pi",
                "die 5-te Wurzel aus x ist höchstens Pi",
                "la racine 5-ième de x est au plus pi",
                "la raíz 5-ésima de x es como mucho pi",
            ),
            (
                r"\lim_{x \to 0} \frac{\sin x}{x}",
                "der Grenzwert für x gegen 0 von Sinus x durch x",
                "la limite quand x tend vers 0 de sinus x sur x",
                "el límite cuando x tiende a 0 de seno x sobre x",
            ),
            (
                r"\sum_{k=1}^{n} k",
                "die Summe von k gleich 1 bis n von k",
                "la somme de k égale 1 à n de k",
                "la suma desde k es igual a 1 hasta n de k",
            ),
        ] {
            for (language, said) in [("de", german), ("fr-CA", french), ("es", spanish)] {
                assert_eq!(words(source, Locale::of(language)), said, "{language}: {source}");
            }
        }
    }

    #[test]
    fn no_markup_is_ever_spoken() {
        for source in include_str!("../../../tests/fixtures/formulas.txt").lines() {
            let said = words(source, Locale::of("en"));
            assert!(!said.contains(['\\', '{', '}', '^', '_', '$', '&', '#']), "{source}: {said}");
            assert!(said.chars().any(char::is_alphanumeric), "{source}: {said}");
            // Whatever is known in English has words in the other languages: none of its own is left.
            let german = format!(" {} ", words(source, Locale::of("de")));
            let english = [" the ", " of ", " is ", " squared ", " equals ", " to ", " times ", " over ", " and "];
            let shown = source.contains("text");
            assert!(shown || english.iter().all(|word| !german.contains(word)), "{source}: {german}");
        }
    }
}
