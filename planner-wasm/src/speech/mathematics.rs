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
    /// What a bar between two items means.
    bar: Bar,
    /// Whether what is said stands side by side in a bracket or an index: `(0,5)` are two numbers in every language.
    list: bool,
    /// What is said before the next word, when there is one.
    pending: Pending,
    /// Where the last phrase ends; behind a letter, nothing is joined: `a la` may be a variable.
    phrase: usize,
}

/// What a bar between two items means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bar {
    /// `a | b`: it divides.
    Plain,
    /// `P(A | B)`: given.
    Given,
}

/// What is said before the next word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// A pause, where something is whose end would not be heard otherwise.
    Pause,
    /// "of", behind "the sum".
    Of,
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
    let mut rows: Vec<Row> = Vec::new();
    let names = latex_reader::parts::named(reading.nodes.clone(), &mut |part, nodes: &[ParseNode]| {
        if part < MOST_PARTS {
            rows.resize_with(rows.len().max(part + 1), Row::new);
            rows[part].extend(latex::row(nodes));
        }
    });
    let heard = |(part, row): (String, Row)| {
        let words = spoken(&row, locale);
        let among = |bare: &str| {
            !bare.is_empty()
                && whole.match_indices(bare).any(|(at, _)| {
                    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                    !letter(whole[..at].chars().next_back()) && !letter(whole[at + bare.len()..].chars().next())
                })
        };
        let bare = words.trim_end_matches([',', '.']).to_owned();
        // A term's sign is an operation in the whole.
        let operation = || {
            let term = bare.strip_prefix(locale.say("minus:sign"))?;
            Some(format!("{}{term}", locale.say("minus"))).filter(|bare| among(bare))
        };
        let words = if among(&bare) { Some(bare) } else { operation() };
        words.map(|words| SpokenPart { part, words })
    };
    names.into_iter().zip(rows).filter_map(heard).collect()
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

/// Whether all of what may be a formula within words is understood.
pub(crate) fn is_whole(source: &str) -> bool {
    source.len() <= LONGEST_IN_WORDS && latex::parse_whole(source).is_some()
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
fn put(out: &mut Said, phrase: &'static str) {
    if phrase == "of" && out.pending == Pending::Of {
        out.pending = Pending::Nothing;
    }
    resume(out);
    let locale = out.locale;
    let words = locale.say(phrase);
    let behind_phrase = out.phrase == out.text.len();
    // "The real part of" has said it.
    if phrase == "of" && behind_phrase && ends_with_word(&out.text, words) {
        return;
    }
    match words.split_once('{') {
        None => put_joined(out, words),
        // What goes around others: where those are not known, only what stands before or behind them.
        Some((before, rest)) => {
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            put_as_it_is(out, if before.trim().is_empty() { after.trim() } else { before.trim() });
        }
    }
    out.phrase = out.text.len();
}

/// Says words that may become one with the last phrase.
fn put_joined(out: &mut Said, words: &str) {
    resume(out);
    let joined = if out.phrase == out.text.len() { out.locale.joined(&out.text, words) } else { None };
    match joined {
        Some((kept, joined, rest)) => {
            out.text.truncate(kept);
            out.text.push_str(joined);
            out.text.push_str(rest);
        }
        None => put_as_it_is(out, words),
    }
}

/// Says what is the same in every language.
fn put_as_it_is(out: &mut Said, words: &str) {
    if !words.is_empty() {
        resume(out);
        out.text.push(' ');
        out.text.push_str(words);
    }
}

/// Says what was to be said before the next word.
fn resume(out: &mut Said) {
    match std::mem::replace(&mut out.pending, Pending::Nothing) {
        Pending::Nothing => {}
        Pending::Pause => out.text.push_str(" ,"),
        Pending::Of => put(out, "of"),
    }
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|before| before.ends_with(' '))
}

/// Says a phrase and what belongs to it: in most languages behind it, in some within it or before it.
fn around(out: &mut Said, phrase: &'static str, inner: impl FnOnce(&mut Said)) {
    match out.locale.around(phrase) {
        Some((before, after)) => {
            put_as_it_is(out, before);
            inner(out);
            out.pending = Pending::Nothing;
            put_as_it_is(out, after);
        }
        None => {
            put(out, phrase);
            inner(out);
        }
    }
}

/// Whether the last word is the "of" of a phrase, or will be.
fn says_of(out: &Said) -> bool {
    out.pending == Pending::Of || (out.phrase == out.text.len() && ends_with_word(&out.text, out.locale.say("of")))
}

/// Says something under another meaning of its bars.
fn with_bar(out: &mut Said, bar: Bar, inner: impl FnOnce(&mut Said)) {
    let outer = std::mem::replace(&mut out.bar, bar);
    inner(out);
    out.bar = outer;
}

fn spoken(row: &[Node], locale: &'static Locale) -> String {
    let mut said = Said {
        text: String::new(),
        locale,
        approaches: false,
        events: false,
        bar: Bar::Plain,
        list: false,
        pending: Pending::Nothing,
        phrase: usize::MAX,
    };
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
/// Items that are looked through for the other end of a bar or an angle bracket.
const REACH: usize = 60;

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
                (inner, &self::pairs(inner)),
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
                node => match measured(row, at, out.locale) {
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

/// What stands beside a bracket, and which kind it is.
struct Sides<'a> {
    before: Option<&'a Node>,
    square: bool,
    after: Option<&'a Node>,
    /// Whether what stands before it is a bracket of functions alone.
    function: bool,
}

/// Index, power and primes of a closing bracket.
type Scripts<'a> = Option<(Option<&'a Row>, Option<&'a Row>, usize)>;

fn scripts_on(close: &Node) -> Scripts<'_> {
    match close {
        Node::Scripts { below, above, primes, .. } => Some((below.as_ref(), above.as_ref(), *primes)),
        _ => None,
    }
}

fn opens_square(node: &Node) -> bool {
    match node {
        Node::Char('[') | Node::Big('[') | Node::Fenced('[', ..) => true,
        Node::Scripts { base: Some(base), .. } => matches!(**base, Node::Fenced('[', ..)),
        _ => false,
    }
}

fn opens_bracket(node: &Node) -> bool {
    matches!(node, Node::Char('(' | '[') | Node::Big('(' | '[') | Node::Fenced('(' | '[', ..))
        || matches!(node, Node::Scripts { base: Some(base), .. } if matches!(**base, Node::Fenced('(' | '[', ..)))
}

/// The content of `\left( … \right)` and its scripts.
fn fenced_bracket(node: &Node) -> Option<(&Row, Scripts<'_>)> {
    match node {
        Node::Fenced('(' | '[', inner, _) => Some((inner, None)),
        Node::Scripts { base: Some(base), .. } => match &**base {
            Node::Fenced('(' | '[', inner, _) => Some((inner, scripts_on(node))),
            _ => None,
        },
        _ => None,
    }
}

fn named(node: &Node, name: &str) -> bool {
    matches!(node, Node::Symbol(symbol) if symbol.name == name)
}

fn is_dots(node: &Node) -> bool {
    matches!(node, Node::Symbol(symbol) if symbol.words == "and so on")
        || matches!(node, Node::Char('…' | '⋯' | '⋮' | '⋱'))
}

/// Whether nothing stands before that a sign could join: it begins a term.
fn begins_term(before: Option<&Node>) -> bool {
    match before {
        None => true,
        Some(Node::Char(c) | Node::Big(c)) => !c.is_alphanumeric() && !matches!(c, ')' | ']' | '}' | '!' | '|'),
        Some(Node::Symbol(symbol)) => !symbol.sign.is_alphabetic() && symbol.sign != '∞',
        Some(Node::Operator(..)) => true,
        _ => false,
    }
}

/// Says what means more than its signs one by one, and how many items it takes; none when nothing there does.
fn idiom(row: &[Node], pairs: &[Option<usize>], at: usize, out: &mut Said) -> Option<usize> {
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
fn is_joining(node: &Node) -> bool {
    matches!(node, Node::Char('+' | '-' | '*' | '=' | '<' | '>'))
        || matches!(node, Node::Symbol(symbol) if !symbol.sign.is_alphanumeric() && !symbol.words.is_empty())
}

/// The same for what begins with a sign.
fn sign_idiom(
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
fn is_modulo(node: &Node) -> bool {
    match node {
        Node::Operator(name, _) => name == "mod",
        Node::Group(row) => row.iter().take(REACH).any(is_modulo),
        _ => false,
    }
}

/// A name that what varies may be distributed by.
fn is_distribution(node: &Node) -> bool {
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
fn is_named_distribution(node: &Node) -> bool {
    match node {
        Node::Font(font, _) => matches!(font.as_str(), "mathcal" | "mathrm" | "mathsf"),
        Node::Operator(..) | Node::Text(_) => true,
        Node::Scripts { base: Some(base), .. } => is_named_distribution(base),
        _ => false,
    }
}

/// How many items from `at` on are one operand: a bracket as a whole, and a spaced one with its space.
fn operand(row: &[Node], pairs: &[Option<usize>], at: usize) -> usize {
    let spaces = row[at.min(row.len())..].iter().take_while(|node| matches!(node, Node::Space(_))).count();
    match (row.get(at + spaces), pairs.get(at + spaces).copied().flatten()) {
        (None, _) => 0,
        (Some(_), Some(length)) => (spaces + length + 1).min(row.len() - at),
        (Some(_), None) => spaces + 1,
    }
}

/// Says words before a phrase: "50 percent".
fn around_before(out: &mut Said, phrase: &'static str, inner: impl FnOnce(&mut Said)) {
    if out.locale.around(phrase).is_some() {
        around(out, phrase, inner);
    } else {
        inner(out);
        put(out, phrase);
    }
}

/// A number whose digits a comma parts, in a language that writes it so. Numbers side by side in a bracket or an index are several.
fn decimal(row: &[Node], at: usize, number: &str, out: &mut Said) -> Option<usize> {
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

/// Where, from `at` on, the first item is that `fits`, and whether it is one that is `wanted`.
fn first(row: &[Node], at: usize, wanted: fn(&Node) -> bool, other: fn(&Node) -> bool) -> Option<usize> {
    let ahead = row.get(at..)?.iter().take(REACH).position(|node| wanted(node) || other(node))?;
    wanted(&row[at + ahead]).then_some(at + ahead)
}

fn closes_angle(node: &Node) -> bool {
    named(node, "rangle") || matches!(node, Node::Scripts { base: Some(base), .. } if named(base, "rangle"))
}

fn opens_angle(node: &Node) -> bool {
    named(node, "langle")
}

fn bar_or_mid(node: &Node) -> bool {
    bar(node) || named(node, "mid")
}

/// `|ψ⟩`
fn ket(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let end = first(row, at + 1, closes_angle, |node| bar_or_mid(node) || opens_angle(node))?;
    put(out, "ket");
    say(&row[at + 1..end], out);
    scripts_of(&row[end], out);
    Some(end + 1 - at)
}

/// `⟨φ|`, and `⟨φ|ψ⟩`
fn bra(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
    let end = first(row, at + 1, bar_or_mid, |node| closes_angle(node) || opens_angle(node))?;
    put(out, "bra");
    say(&row[at + 1..end], out);
    Some(ket(row, end, out).map_or(end + 1 - at, |length| end + length - at))
}

/// `<S, P>` for `⟨S, P⟩`
fn angled(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
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
fn norm(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
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
fn between_bars(row: &[Node], at: usize, out: &mut Said) -> Option<usize> {
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

/// Whether nothing in a row compares or lists, but in brackets.
fn is_term(row: &[Node]) -> bool {
    outside(row).all(|(_, node)| match node {
        Node::Char(c) => !matches!(c, ',' | ';' | '=' | '<' | '>'),
        Node::Symbol(symbol) => {
            !symbol.words.starts_with("is ") && !matches!(symbol.words, "implies" | "if and only if" | "and" | "or")
        }
        Node::Not(_) => false,
        _ => true,
    })
}

/// The items from `at` on that are looked through.
fn nearby(row: &[Node], at: usize) -> &[Node] {
    &row[at..(at + REACH).min(row.len())]
}

/// Says a bar, or `\mid`, that stands between two items; `row` is what follows.
fn divider(before: Option<&Node>, after: Option<&Node>, row: &[Node], out: &mut Said) {
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
fn may_divide(node: &Node) -> bool {
    match node {
        Node::Char(c) => c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '(' | ')' | '-' | '!'),
        Node::Number(_) | Node::Fenced('(', ..) => true,
        Node::Scripts { base: Some(base), .. } => may_divide(base),
        Node::Operator(name, _) => matches!(name.as_str(), "gcd" | "lcm"),
        _ => false,
    }
}

/// Braces: a set by its condition, or its items.
fn braced((inner, pairs): (&[Node], &[Option<usize>]), close: &Node, out: &mut Said) {
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
fn set((inner, pairs): (&[Node], &[Option<usize>]), out: &mut Said) {
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

/// The number that stands before, with spaces behind it: then roman letters are its unit. A number that is not known, as of a power, is
/// many.
fn counted(before: &[Node]) -> Option<String> {
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
fn measured(row: &[Node], at: usize, locale: &'static Locale) -> Option<(usize, String)> {
    let node = &row[at];
    // `2\Omega` is a product, `2\,\Omega` are two ohms.
    let apart = at > 0 && matches!(row[at - 1], Node::Space(_));
    if !begins_unit(node) || (named(node, "Omega") && !apart) {
        return None;
    }
    unit(&row[at..], locale, &counted(&row[..at])?)
}

/// Whether an item may be the first of a unit, or the last.
fn begins_unit(node: &Node) -> bool {
    match node {
        Node::Text(_) | Node::Font(..) => true,
        Node::Scripts { base: Some(base), .. } => matches!(&**base, Node::Font(..)),
        node => named(node, "Omega"),
    }
}

/// The words of so many of the unit that a row begins with, set in roman letters (`\mathrm{m/s^2}`, `\text{ kg}`,
/// `\mathrm{m}\,\mathrm{s}^{-2}`), and how many items it takes.
fn unit(row: &[Node], locale: &'static Locale, number: &str) -> Option<(usize, String)> {
    let (mut written, mut found) = (String::new(), None);
    for (index, node) in row.iter().take(LONGEST_UNIT).enumerate() {
        let Some(part) = roman(std::slice::from_ref(node)) else { break };
        written.push_str(&part);
        let whole = locale.alias(written.trim());
        if let Some((length, one, many)) = locale.units(whole).filter(|_| begins_unit(node))
            && length == whole.len()
        {
            found = Some((index + 1, locale.counted(number, &one, &many)));
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
    match inside {
        _ if double_bar(bar) => "the norm of",
        [Node::Char(c)] if c.is_ascii_uppercase() => "the size of",
        _ => "the absolute value of",
    }
}

fn double_bar(bar: &Node) -> bool {
    match bar {
        Node::Char(c) | Node::Big(c) => matches!(c, '‖' | '∥'),
        Node::Symbol(symbol) => symbol.sign == '‖',
        _ => false,
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
    let (mut open, mut braces) = (Vec::new(), Vec::new());
    for (index, node) in row.iter().enumerate() {
        let (sign, alone) = match node {
            Node::Scripts { base: Some(base), .. } => (&**base, false),
            node => (node, true),
        };
        match sign {
            Node::Char('(' | '[') | Node::Big('(' | '[') => {
                open.push((index, alone && open.len() + braces.len() < DEEPEST));
            }
            Node::Char('{') | Node::Big('{') => braces.push((index, alone && open.len() + braces.len() < DEEPEST)),
            Node::Char('}') | Node::Big('}') => {
                if let Some((begin, true)) = braces.pop() {
                    pairs[begin] = Some(index - begin);
                }
            }
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

/// Whether the bracket at `at` stands behind one of functions alone: `(f \circ g)(x)`, `(f + g)(x)`.
fn is_of_functions(row: &[Node], pairs: &[Option<usize>], at: usize) -> bool {
    let Some(close) = at.checked_sub(1).filter(|close| matches!(row[*close], Node::Char(')'))) else { return false };
    let Some(open) = (0..close).rev().take(REACH).find(|open| pairs[*open] == Some(close - open)) else { return false };
    let inner = &row[open + 1..close];
    let letter = |node: &Node| matches!(node, Node::Char('f' | 'g' | 'h' | 'F' | 'G' | 'H'));
    let joins = |node: &Node| matches!(node, Node::Char('+' | '-')) || named(node, "circ") || named(node, "cdot");
    inner.iter().any(joins) && inner.iter().all(|node| letter(node) || joins(node))
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

/// Whether what stands before a bracket is a function by what the bracket holds: a name of several letters always is one, and a letter is
/// where a product would have no bracket, or no comma in it.
fn takes_bracket(before: &Node, inner: &[Node], square: bool) -> bool {
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
fn is_delayed(before: &Node, inner: &[Node]) -> bool {
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

/// A name of several letters: `\mathrm{ReLU}`, `\text{softmax}`.
fn is_name(node: &Node) -> bool {
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
fn is_letter(node: &Node) -> bool {
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

/// What stands in the brackets of `(n)` and `[n]`.
fn index_in_brackets(row: &[Node]) -> Option<&[Node]> {
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

/// A bracket's content, with its own pairs, the scripts on its end, and what stands beside it.
fn bracketed((inner, pairs): (&[Node], &[Option<usize>]), scripts: Scripts<'_>, sides: Sides<'_>, out: &mut Said) {
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

/// A sign that takes no more than one factor: without a word for it, the end of a sum beside it is not heard.
fn binds(node: &Node) -> bool {
    matches!(node, Node::Char('-' | '−' | '/' | '*' | '!'))
        || matches!(node, Node::Symbol(symbol) if matches!(symbol.name, "cdot" | "times" | "div"))
}

fn scripts_of(node: &Node, out: &mut Said) {
    if let Node::Scripts { below, above, primes, .. } = node {
        raised(below.as_ref(), above.as_ref(), *primes, out);
    }
}

fn raised(below: Option<&Row>, above: Option<&Row>, primes: usize, out: &mut Said) {
    if let Some(below) = below {
        put(out, "sub");
        let list = std::mem::replace(&mut out.list, true);
        match below.as_slice() {
            [Node::Char('*')] => put(out, "star"),
            below => say(below, out),
        }
        out.list = list;
    }
    match primes {
        0 => {}
        1 => put(out, "prime"),
        2 => put(out, "double prime"),
        _ => put(out, "triple prime"),
    }
    let Some(above) = above else { return };
    if let Some(ending) = ordinal(above) {
        let locale = out.locale;
        resume(out);
        return out.text.push_str(&ordinal_of("", &ending, locale));
    }
    if let Some(index) = index_in_brackets(above) {
        put(out, "superscript");
        return say(index, out);
    }
    match above.as_slice() {
        [Node::Char('*')] => return put(out, "star"),
        // A name, and no power.
        [Node::Text(_)] => return say(above, out),
        [Node::Font(font, row)] if font == "mathrm" && row.len() > 1 => return say(above, out),
        _ => {}
    }
    match meaning(above).as_str() {
        "2" => put(out, "squared"),
        "3" => put(out, "cubed"),
        "composed with" | "degrees" => put(out, "degrees"),
        "prime" => put(out, "prime"),
        "star" => put(out, "star"),
        "dagger" => put(out, "dagger"),
        "T" | "top" | "true" => put(out, "transpose"),
        "plus" => put(out, "plus"),
        "minus" => put(out, "minus"),
        "minus 1" => put(out, "to the minus 1"),
        _ => around(out, if above.len() == 1 { "to the power" } else { "to the power of" }, |out| say(above, out)),
    }
}

/// The letters of `th` in `i^{th}`, and of what other languages write there.
fn ordinal(above: &[Node]) -> Option<String> {
    const ENGLISH: &[&str] = &["th", "st", "nd", "rd"];
    const OTHERS: &[&str] = &[
        "te", "ter", "ten", "tes", "ième", "ème", "ieme", "eme", "ésimo", "ésima", "esimo", "esima", "ый", "ой", "ая",
        "го",
    ];
    let mut letters = String::new();
    let (row, upright) = match above {
        [Node::Font(_, row) | Node::Group(row)] => (row.as_slice(), true),
        row => (row, false),
    };
    // Longer than any of these.
    if row.len() > 5 {
        return None;
    }
    for node in row {
        match node {
            Node::Char(c) => letters.push(*c),
            Node::Text(text) if text.len() < 16 => letters.push_str(text.trim().trim_start_matches('-')),
            _ => return None,
        }
    }
    let text = upright || matches!(above, [Node::Text(_)]);
    (ENGLISH.contains(&letters.as_str()) || (text && OTHERS.contains(&letters.as_str()))).then_some(letters)
}

/// What is said for `i` as an ordinal number: "i-th", "1st".
fn ordinal_of(words: &str, ending: &str, locale: &'static Locale) -> String {
    if words.ends_with(|c: char| c.is_ascii_digit()) && locale.say("and") == "and" {
        return format!("{words}{ending}");
    }
    locale.say("{n}-th").replace("{n}", words)
}

fn one(node: &Node, out: &mut Said) {
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
        Node::Fenced(left, row, right) => fenced(*left, row, *right, out),
        Node::Middle(_) => put(out, if out.bar == Bar::Given { "given" } else { "such that" }),
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
        Node::Not(of) => match denied(of) {
            Some(phrase) => put(out, phrase),
            None => {
                put(out, "not");
                one(of, out);
            }
        },
        Node::Space(true) => out.text.push_str(" ,"),
        Node::Space(false) => {}
    }
}

/// A name that is read as a word and not by its letters: of small letters, or a capital and several small ones.
fn word(font: &str, row: &[Node]) -> Option<String> {
    if !matches!(font, "mathrm" | "mathsf" | "mathtt" | "mathit" | "mathnormal") || row.len() < 3 {
        return None;
    }
    let letter = |node: &Node| if let Node::Char(c) = node { Some(*c).filter(|c| c.is_alphabetic()) } else { None };
    let word: String = row.iter().map(letter).collect::<Option<_>>()?;
    let vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y') || !c.is_ascii();
    let mixed = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    (word.chars().any(vowel) && !mixed).then_some(word)
}

/// What is between `\left` and `\right`.
fn fenced(left: char, row: &Row, right: char, out: &mut Said) {
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

/// The phrase for a relation that `\not` strikes through.
fn denied(node: &Node) -> Option<&'static str> {
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

/// The phrase for an operator, or its name.
fn operator(name: &str) -> Result<&'static str, &str> {
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
    if let (None, Some(above), 0) = (below, above, primes)
        && let Some(ending) = ordinal(above)
    {
        let words = spoken(std::slice::from_ref(base), out.locale);
        return put_as_it_is(out, &ordinal_of(&words, &ending, out.locale));
    }
    if let Some(index) = above.and_then(|above| index_in_brackets(above)).filter(|_| below.is_none() && primes == 0)
        && is_derivative(base, index)
    {
        return derivative_of(base, index, out);
    }
    if let Node::Operator(name, _) = base
        && matches!(name.as_str(), "log" | "lg")
    {
        match (below, above) {
            (Some(below), None) => {
                // "log base 2 of 8"
                put(out, "log base");
                say(below, out);
            }
            (below, above) => {
                put(out, "log");
                raised(None, above, primes, out);
                if let Some(below) = below {
                    put(out, "to base");
                    say(below, out);
                }
            }
        }
        out.pending = Pending::Of;
        return;
    }
    if let (Node::Char('C' | 'С'), Some(below), Some(above), 0) = (base, below, above, primes)
        && let Some(phrase) = out.locale.combinations()
    {
        put_as_it_is(out, phrase);
        say(below, out);
        put(out, "choose");
        return say(above, out);
    }
    if takes(base) && matches!(base, Node::Symbol(_)) && out.locale.has_ranges_first() {
        return ranged(base, below, above, out);
    }
    if takes(base) {
        one(base, out);
        out.pending = Pending::Nothing;
        if let Some(below) = below {
            let from = above.is_some();
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
        out.pending = Pending::Of;
        return;
    }
    match base {
        // "sine squared of x" is what is written, and how it is read.
        // What stands beside a brace is said behind what the brace holds.
        Node::Accent(name, of) if matches!(&**name, "overbrace" | "underbrace") => {
            say(of, out);
            for note in [below, above].into_iter().flatten() {
                out.pending = Pending::Pause;
                say(note, out);
                out.pending = Pending::Pause;
            }
        }
        // What has powers: a number, and e.
        Node::Number(_) | Node::Char('e' | '0'..='9')
            if let (None, Some(above), 0) = (below, above, primes)
                && let Some(power) = index_in_brackets(above) =>
        {
            one(base, out);
            around(out, if power.len() == 1 { "to the power" } else { "to the power of" }, |out| say(power, out));
        }
        base => {
            one(base, out);
            raised(below, above, primes, out);
        }
    }
}

/// Whether brackets above a letter tell which derivative it is, and not which layer or sample.
fn is_derivative(base: &Node, index: &[Node]) -> bool {
    let index = match index {
        [Node::Number(number)] => number.parse::<u8>().ok(),
        [Node::Char(c)] if c.is_ascii_digit() => c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()),
        [Node::Char('n')] => Some(u8::MAX),
        [Node::Char('k' | 'm' | 'i' | 'j')] => Some(0),
        [Node::Char('n' | 'k' | 'm'), Node::Char('+' | '-'), Node::Number(_)] => Some(u8::MAX),
        _ => None,
    };
    match (base, index) {
        (_, None) => false,
        (Node::Char('f' | 'g' | 'F' | 'G'), Some(_)) => true,
        (Node::Char('h' | 'y' | 'u' | 'v'), Some(order)) => order > 2,
        (Node::Symbol(symbol), Some(order)) => matches!(symbol.name, "phi" | "varphi" | "psi") && order > 2,
        _ => false,
    }
}

fn derivative_of(base: &Node, index: &[Node], out: &mut Said) {
    let locale = out.locale;
    let order = spoken(index, locale);
    let phrase = match order.as_str() {
        "1" => "the first derivative of",
        "2" => "the second derivative of",
        "3" => "the third derivative of",
        order if order.chars().all(|c| c.is_ascii_digit()) => "the {n}th derivative of",
        _ => "the {n}-th derivative of",
    };
    let words = locale.say(phrase).replace("{n}", &order);
    match words.split_once("{}") {
        Some((before, after)) => {
            put_as_it_is(out, before.trim());
            one(base, out);
            put_as_it_is(out, after.trim());
        }
        None => {
            put_joined(out, &words);
            one(base, out);
        }
    }
}

/// The range of a sum or an integral before its name, as in Chinese.
fn ranged(base: &Node, below: Option<&Row>, above: Option<&Row>, out: &mut Said) {
    let equals = |row: &&Row| row.iter().position(|node| *node == Node::Char('='));
    let from = |from: &[Node], to: Option<&Row>, out: &mut Said| {
        put(out, "from");
        say(from, out);
        if let Some(to) = to {
            put(out, "to:range");
            say(to, out);
        }
    };
    match (below, below.as_ref().and_then(equals)) {
        (Some(below), Some(at)) if above.is_some() => {
            put(out, "over:sum");
            say(&below[..at], out);
            from(&below[at + 1..], above, out);
        }
        (Some(below), _) if above.is_some() => from(below, above, out),
        (Some(below), _) => {
            put(out, "over:sum");
            say(below, out);
        }
        _ => {}
    }
    one(base, out);
    out.pending = Pending::Pause;
}

fn fraction(top: &Row, bottom: &Row, out: &mut Said) {
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

/// The items of a row that stand in none of its brackets, and where.
fn outside(row: &[Node]) -> impl Iterator<Item = (usize, &Node)> {
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
fn adds(row: &[Node]) -> bool {
    outside(row).any(|(index, node)| index > 0 && is_sum(node))
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

fn simple_fraction(n: u32, d: u32) -> Option<(&'static str, &'static str)> {
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

fn accent(name: &str, row: &Row, out: &mut Said) {
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

/// Whether a cell leaves out what is in it.
fn only_dots(cell: &Row) -> bool {
    match cell.as_slice() {
        [Node::Group(inner)] => only_dots(inner),
        [node] => is_dots(node),
        _ => false,
    }
}

fn rows(table: &Table, out: &mut Said) {
    let (matrix, cases) = (table.kind == Kind::Matrix, table.kind == Kind::Cases);
    if matrix {
        put(out, "the matrix with rows");
    }
    for (index, row) in table.rows.iter().enumerate() {
        let begins_with_dots = row.first().is_some_and(only_dots);
        if index > 0 {
            out.text.push_str(if matrix || cases { " ," } else { " ." });
            put(out, if matrix && !begins_with_dots { "and" } else { "" });
        }
        // A row of nothing but dots is heard as one.
        let row = if begins_with_dots && row.iter().all(only_dots) { &row[..1] } else { row };
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
mod heard;

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
            // Names of functions without their backslash.
            ("exp(x) + sin(2x)", "the exponential of x plus sine of 2 x"),
            ("log_2(n)", "log base 2 of n"),
            ("sinus(x)", "s i n u s of x"),
            (r"(f \circ g)(x)", "f composed with g of x"),
            (r"(f + g)(x)", "the quantity f plus g, of x"),
            (r"a \equiv b \pmod{n}", "a is congruent to b modulo n"),
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
