//! A LaTeX formula as a tree of what it means, for `speech` (which writes words) and `label` (which writes signs): the parser's own tree
//! is about how a formula is drawn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use latex_reader::parts::UNKNOWN;
use latex_reader::{Definitions, Dialect, Fault, Palette, Reading};
use ratex_parser::ParseNode;
use ratex_parser::parse_node::Measurement;

use crate::symbols::{self, Symbol};

/// How lessons and plans write formulas.
const DIALECT: Dialect = Dialect { palette: Palette::Legible, strict: false, lines: true };

/// Bytes of formulas that are remembered, and of one of them: each is asked for when it is shown, when it is spoken, and for the words of
/// its parts when its scene is made, and reading costs more than anything else that is done to it.
const REMEMBERED: usize = 64 << 10;
const LONGEST_REMEMBERED: usize = 1_000;

/// A formula as it was read.
pub(crate) type Read = Rc<Result<Reading, Fault>>;

thread_local! {
    static READ: RefCell<Known> = RefCell::default();
}

/// Reads a formula whose document's macros are resolved.
pub(crate) fn read(source: &str) -> Read {
    let known = READ.with_borrow(|known| known.read.get(source).map(Rc::clone));
    known.unwrap_or_else(|| {
        let read = Rc::new(latex_reader::read(source, &Definitions::default(), DIALECT));
        if source.len() <= LONGEST_REMEMBERED {
            READ.with_borrow_mut(|known| known.remember(source, &read));
        }
        read
    })
}

/// Formulas that were read, by their sources.
#[derive(Default)]
struct Known {
    read: HashMap<String, Read>,
    /// The bytes of all sources.
    bytes: usize,
}

impl Known {
    fn remember(&mut self, source: &str, read: &Read) {
        if self.bytes > REMEMBERED {
            *self = Self::default();
        }
        self.bytes += source.len();
        self.read.insert(source.to_owned(), Rc::clone(read));
    }
}

/// Items side by side.
pub(crate) type Row = Vec<Node>;

/// One item of a formula.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A letter, digit string of one sign, or sign as written.
    Char(char),
    /// A delimiter of `\big` and the like.
    Big(char),
    /// A number with its decimal point.
    Number(String),
    /// `\text{…}` and the like.
    Text(String),
    /// A sign by its command.
    Symbol(&'static Symbol),
    /// A sign without words of its own: its command.
    Rare(String),
    /// `\sin`, `\operatorname{…}`; whether its scripts stand above and below.
    Operator(String, bool),
    /// `{…}`
    Group(Row),
    /// Whether it is a binomial, numerator, denominator.
    Fraction(bool, Row, Row),
    /// Index and radicand.
    Root(Option<Row>, Row),
    /// An accent, line or brace by its command.
    Accent(String, Row),
    /// `\mathbf{…}` and the like by command.
    Font(String, Row),
    /// Base, below, above, primes.
    Scripts { base: Option<Box<Node>>, below: Option<Row>, above: Option<Row>, primes: usize },
    /// `\left … \right`; a dot is no delimiter.
    Fenced(char, Row, char),
    /// `\middle`
    Middle(char),
    /// Rows of cells.
    Table(Table),
    /// `\overset`, `\underset`: what stands above or below, and its base.
    Stacked { note: Row, base: Row },
    /// An arrow as long as its notes: above.
    Arrow(Row),
    /// `\not` and what it denies.
    Not(Box<Node>),
    /// A space; whether it is so wide that it parts what is beside it.
    Space(bool),
}

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A matrix or array.
    Matrix,
    /// Cases behind a brace.
    Cases,
    /// Lines of a formula.
    Lines,
}

/// An environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    pub(crate) rows: Vec<Vec<Row>>,
}

/// The tree of a formula.
///
/// # Errors
/// In words, why it can't be understood.
pub(crate) fn parse(source: &str) -> Result<Row, String> {
    read(source).as_ref().as_ref().map(|reading| row(&reading.nodes)).map_err(|fault| fault.why.clone())
}

/// The tree of a formula of which nothing had to be mended; none otherwise.
pub(crate) fn parse_whole(source: &str) -> Option<Row> {
    let read = read(source);
    let reading = read.as_ref().as_ref().ok()?;
    reading.faults.is_empty().then(|| row(&reading.nodes))
}

/// From this many em on, a space parts what is beside it: `\quad`.
const WIDE_EM: f64 = 0.9;

/// The tree of some nodes side by side.
pub(crate) fn row(nodes: &[ParseNode]) -> Row {
    let mut out = Row::new();
    let mut denied = false;
    let mut skipped = 0;
    for (index, node) in nodes.iter().enumerate() {
        let before = out.len();
        if index < skipped {
            continue;
        }
        match function(nodes, index) {
            Some((length, function)) => {
                skipped = index + length;
                out.push(function);
            }
            None => item(node, &mut out),
        }
        // A comma with a space behind it parts two numbers, and is none of a decimal number.
        if let [ParseNode::Atom { text, loc: Some(comma), .. }, ParseNode::TextOrd { loc: Some(next), .. }, ..] =
            &nodes[index..]
            && text == ","
            && comma.end < next.start
        {
            out.push(Node::Space(false));
        }
        if denied && out.len() > before {
            let rest = out.split_off(before + 1);
            if let Some(of) = out.pop() {
                out.push(Node::Not(Box::new(of)));
            }
            out.extend(rest);
            denied = false;
        }
        if out.last() == Some(&Node::Char(NOT)) {
            out.pop();
            denied = true;
        }
    }
    numbered(out)
}

/// A function whose name is written without a backslash, `exp(x)`, and how many letters it has: letters side by side that are no more and
/// no less than its name.
fn function(nodes: &[ParseNode], at: usize) -> Option<(usize, Node)> {
    let letter = |node: &ParseNode| match node {
        ParseNode::MathOrd { text, loc: Some(loc), .. } if text.len() == 1 => {
            text.chars().next().filter(char::is_ascii_alphabetic).map(|c| (c, loc.start, loc.end))
        }
        _ => None,
    };
    let (first, begin, mut end) = letter(&nodes[at])?;
    if at.checked_sub(1).and_then(|before| letter(&nodes[before])).is_some_and(|(_, _, before)| before == begin) {
        return None;
    }
    let goes_on = |node: &ParseNode| match node {
        ParseNode::SupSub { base: Some(base), .. } => letter(base),
        node => letter(node),
    };
    // Nearly all letters stand alone.
    if nodes.get(at + 1).and_then(goes_on).is_none_or(|(_, from, _)| from != end) {
        return None;
    }
    let operator = |name: &str| {
        symbols::operator(name)
            .map(|(name, limits)| (name.to_owned(), limits))
            .or_else(|| (name == "mod").then(|| ("mod".to_owned(), false)))
    };
    let mut name = String::from(first);
    for (index, node) in nodes[at + 1..].iter().enumerate().take(LONGEST_FUNCTION) {
        let length = index + 2;
        if let Some((c, _, to)) = letter(node).filter(|(_, from, _)| *from == end) {
            name.push(c);
            end = to;
            continue;
        }
        // Its last letter has the index: `log_2(n)`.
        if let ParseNode::SupSub { base: Some(base), sup, sub, .. } = node
            && let Some((c, ..)) = letter(base).filter(|(_, from, _)| *from == end)
        {
            name.push(c);
            let (function, limits) = operator(&name)?;
            let of = scripts(None, sup.as_deref(), sub.as_deref());
            let Node::Scripts { below, above, primes, .. } = of else { return None };
            let base = Some(Box::new(Node::Operator(function, limits)));
            return Some((length, Node::Scripts { base, below, above, primes }));
        }
        let (function, limits) = operator(&name)?;
        // Before a bracket or a space: `lg` may be a product.
        let bracket =
            matches!(node, ParseNode::Atom { text, .. } if text == "(") || matches!(node, ParseNode::LeftRight { .. });
        return (name.len() > 2 || bracket).then(|| (length - 1, Node::Operator(function, limits)));
    }
    let (function, limits) = operator(&name)?;
    (name.len() > 2).then_some((name.len(), Node::Operator(function, limits)))
}

/// Letters of the longest name of a function.
const LONGEST_FUNCTION: usize = 7;

/// The sign that strikes through the next one.
const NOT: char = '\u{338}';

/// Digits side by side become numbers. A digit that stands alone stays what it is.
fn numbered(row: Row) -> Row {
    if !row.iter().any(|node| matches!(node, Node::Char(c) if c.is_ascii_digit())) {
        return row;
    }
    let mut out = Row::with_capacity(row.len());
    let mut digits = String::new();
    let mut items = row.into_iter().peekable();
    while let Some(node) = items.next() {
        match node {
            Node::Char(c) if c.is_ascii_digit() => digits.push(c),
            node if !digits.is_empty()
                && let Some(mark) = mark(&node).filter(|mark| *mark == ',' || !digits.contains('.'))
                && matches!(items.peek(), Some(Node::Char(next)) if next.is_ascii_digit()) =>
            {
                digits.push(mark);
            }
            node => {
                // A script belongs to the whole number before it.
                let node = match node {
                    Node::Scripts { base: Some(base), below, above, primes } => match *base {
                        Node::Char(c) if c.is_ascii_digit() && !digits.is_empty() => {
                            digits.push(c);
                            let base = Some(Box::new(Node::Number(std::mem::take(&mut digits))));
                            Node::Scripts { base, below, above, primes }
                        }
                        base => Node::Scripts { base: Some(Box::new(base)), below, above, primes },
                    },
                    node => node,
                };
                flush(&mut digits, &mut out);
                out.push(node);
            }
        }
    }
    flush(&mut digits, &mut out);
    out
}

/// A decimal point, or a comma in braces, which LaTeX sets as one.
fn mark(node: &Node) -> Option<char> {
    match node {
        Node::Char('.') => Some('.'),
        Node::Group(row) if matches!(row.as_slice(), [Node::Char(',')]) => Some(','),
        _ => None,
    }
}

fn flush(digits: &mut String, out: &mut Row) {
    if !digits.is_empty() {
        out.push(Node::Number(std::mem::take(digits)));
    }
}

/// What stands as an argument: a group's content, or one item.
fn argument(node: &ParseNode) -> Row {
    match node {
        ParseNode::OrdGroup { body, .. } | ParseNode::Styling { body, .. } => row(body),
        node => row(std::slice::from_ref(node)),
    }
}

/// Three dots on the line or above it, which are drawn one by one.
fn dots(row: &[Node]) -> Option<Node> {
    let of = |name: &str| !row.is_empty() && row.iter().all(|node| matches!(node, Node::Rare(dot) if dot == name));
    let name = if of("ldotp") {
        "ldots"
    } else if of("cdotp") {
        "cdots"
    } else {
        return None;
    };
    symbols::find(name).map(Node::Symbol)
}

fn sign(text: &str) -> Node {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some('\\'), Some(_)) => {
            let name = match &text[1..] {
                "varvdots" => "vdots",
                "@cdots" => "cdots",
                name => name,
            };
            match (symbols::find(name), name.chars().next()) {
                // As `\{` and `\}`, which are paired.
                (Some(Symbol { name: "lbrace" | "rbrace", sign, .. }), _) => Node::Char(*sign),
                (Some(symbol), _) => Node::Symbol(symbol),
                (None, Some(c)) if !c.is_ascii_alphabetic() => Node::Char(if c == '|' { '‖' } else { c }),
                _ => Node::Rare(name.to_owned()),
            }
        }
        (Some(c), None) => Node::Char(c),
        _ => Node::Text(text.to_owned()),
    }
}

fn delimiter(text: &str) -> char {
    match text {
        "<" => '⟨',
        ">" => '⟩',
        text => match text.strip_prefix('\\') {
            Some(name) => symbols::delimiter(name).unwrap_or('.'),
            None => text.chars().next().unwrap_or('.'),
        },
    }
}

/// Em of a length, where that is known without a font.
fn em(length: &Measurement) -> f64 {
    match &*length.unit {
        "em" => length.number,
        "mu" => length.number / 18.0,
        "ex" => length.number * 0.43,
        "pt" => length.number / 10.0,
        "cm" => length.number * 2.85,
        _ => 0.0,
    }
}

fn item(node: &ParseNode, out: &mut Row) {
    use ParseNode as N;
    match node {
        N::Atom { text, .. } | N::MathOrd { text, .. } | N::TextOrd { text, .. } | N::OpToken { text, .. } => {
            out.push(sign(text))
        }
        N::SpacingNode { .. } => out.push(Node::Space(false)),
        N::Kern { dimension, .. } => out.push(Node::Space(em(dimension) >= WIDE_EM)),
        N::OrdGroup { body, .. } => out.push(match row(body) {
            // A column of dots stands beside a strut.
            inner if matches!(inner.as_slice(), [Node::Symbol(symbol)] if symbol.name == "vdots") => {
                inner.into_iter().next().unwrap_or(Node::Space(false))
            }
            inner => Node::Group(inner),
        }),
        N::Text { body, .. } => words(body, out),
        N::Verb { body, .. } => out.push(Node::Text(body.clone())),
        // What is not known is drawn as its name, and has no words.
        N::Color { color, .. } if color == UNKNOWN => {}
        N::Color { body, .. }
        | N::Styling { body, .. }
        | N::Sizing { body, .. }
        | N::Href { body, .. }
        | N::Html { body, .. }
        | N::Pmb { body, .. }
        | N::HBox { body, .. }
        | N::Tag { body, .. } => out.extend(row(body)),
        // One by one: what strikes through the next sign has none beside it here.
        N::HtmlMathMl { mathml, .. } => mathml.iter().for_each(|node| item(node, out)),
        N::MClass { body, .. } => match &*row(body) {
            [one] => out.push(one.clone()),
            several if let Some(dots) = dots(several) => out.push(dots),
            several => out.push(Node::Group(several.to_vec())),
        },
        N::MathChoice { text, .. } => out.extend(row(text)),
        N::Font { font, body, .. } => {
            let inner = argument(body);
            let word: Option<String> =
                inner.iter().map(|node| if let Node::Char(c) = node { Some(*c) } else { None }).collect();
            match (word.as_deref(), inner.as_slice()) {
                (Some("mod"), _) => out.push(Node::Operator("mod".to_owned(), false)),
                // `\mathrm{log}` is the function.
                (_, [Node::Operator(..)]) => out.extend(inner),
                _ => out.push(Node::Font(font.clone(), inner)),
            }
        }
        N::SupSub { base, sup, sub, .. } => out.push(scripts(base.as_deref(), sup.as_deref(), sub.as_deref())),
        N::Op { name: Some(name), symbol: true, .. } => out.push(sign(name)),
        N::Op { name: Some(name), limits, .. } => {
            let name = name.strip_prefix('\\').unwrap_or(name);
            let (word, below) = symbols::operator(name).unwrap_or((name, *limits));
            out.push(Node::Operator(word.to_owned(), below));
        }
        N::Op { body: Some(body), .. } => out.push(Node::Group(row(body))),
        N::OperatorName { body, always_handle_sup_sub, .. } => {
            let name = plain(body);
            let below =
                *always_handle_sup_sub || symbols::operator(&name.replace(' ', "")).is_some_and(|(_, below)| below);
            out.push(Node::Operator(name, below));
        }
        N::GenFrac { numer, denom, has_bar_line, left_delim, .. } => {
            let binomial = !has_bar_line && left_delim.is_some();
            out.push(Node::Fraction(binomial, argument(numer), argument(denom)));
        }
        N::Sqrt { body, index, .. } => out.push(Node::Root(index.as_deref().map(argument), argument(body))),
        N::Accent { label, base, .. } | N::AccentUnder { label, base, .. } => {
            out.push(Node::Accent(label.trim_start_matches('\\').to_owned(), argument(base)));
        }
        N::HorizBrace { label, base, .. } => {
            out.push(Node::Accent(label.trim_start_matches('\\').to_owned(), argument(base)));
        }
        N::Overline { body, .. } => out.push(Node::Accent("overline".to_owned(), argument(body))),
        N::Underline { body, .. } => out.push(Node::Accent("underline".to_owned(), argument(body))),
        N::Enclose { body, .. } => out.push(Node::Accent("enclose".to_owned(), argument(body))),
        N::Smash { body, .. } | N::Lap { body, .. } | N::RaiseBox { body, .. } | N::VCenter { body, .. } => {
            out.extend(argument(body));
        }
        N::LeftRight { body, left, right, .. } => {
            let (left, right) = (delimiter(left), delimiter(right));
            let mut inner = row(body);
            if let ('{', '.', [Node::Table(table)]) = (left, right, inner.as_mut_slice()) {
                table.kind = Kind::Cases;
                out.append(&mut inner);
            } else {
                out.push(Node::Fenced(left, inner, right));
            }
        }
        N::Middle { delim, .. } => out.push(Node::Middle(delimiter(delim))),
        N::DelimSizing { delim, .. } => out.push(Node::Big(delimiter(delim))),
        N::Array { body, cols, col_separation_type, .. } => {
            // `rcl` is how LaTeX's old `eqnarray` lines up its lines.
            let columns: String = cols.iter().flatten().filter_map(|column| column.align.as_deref()).collect();
            let single = body.iter().all(|cells| cells.len() == 1);
            let lines = match col_separation_type.as_deref() {
                Some("small") => single,
                Some(_) => true,
                None => columns == "rcl",
            };
            let kind = if lines { Kind::Lines } else { Kind::Matrix };
            let mut rows: Vec<Vec<Row>> = body.iter().map(|cells| cells.iter().map(argument).collect()).collect();
            if rows.len() > 1 && rows.last().is_some_and(|cells| cells.iter().all(Vec::is_empty)) {
                rows.pop();
            }
            out.push(Node::Table(Table { kind, rows }));
        }
        N::XArrow { body, .. } => out.push(Node::Arrow(argument(body))),
        N::Cr { .. } => out.push(Node::Space(true)),
        N::CdLabel { label, .. } => out.extend(argument(label)),
        // What draws nothing, or nothing that has words.
        _ => {}
    }
}

fn scripts(base: Option<&ParseNode>, sup: Option<&ParseNode>, sub: Option<&ParseNode>) -> Node {
    // `\overset` is a script above what is made an operator for it.
    if let Some(ParseNode::Op { body: Some(body), suppress_base_shift: Some(true), .. }) = base
        && let Some(note) = sup.or(sub)
    {
        return Node::Stacked { note: argument(note), base: row(body) };
    }
    let mut above = sup.map(argument);
    let mut primes = 0;
    if let Some(row) = &mut above {
        while matches!(row.first(), Some(Node::Symbol(symbol)) if symbol.name == "prime")
            || matches!(row.first(), Some(Node::Rare(name)) if name == "prime")
        {
            row.remove(0);
            primes += 1;
        }
    }
    let above = above.filter(|row| !row.is_empty() || primes == 0);
    let mut bases = base.map(|base| row(std::slice::from_ref(base))).unwrap_or_default();
    let base = match bases.len() {
        0 => None,
        1 => bases.pop().map(Box::new),
        _ => Some(Box::new(Node::Group(bases))),
    };
    let base = base.map(|base| match *base {
        Node::Number(number) if number.chars().count() == 1 => {
            Box::new(Node::Char(number.chars().next().unwrap_or('0')))
        }
        base => Box::new(base),
    });
    Node::Scripts { base, below: sub.map(argument), above, primes }
}

/// Words, and the mathematics in them.
fn words(body: &[ParseNode], out: &mut Row) {
    let mut text = String::new();
    for node in body {
        match node {
            ParseNode::Styling { body, .. } => {
                if !text.trim().is_empty() {
                    out.push(Node::Text(std::mem::take(&mut text)));
                }
                text.clear();
                out.extend(row(body));
            }
            node => text.push_str(&plain(std::slice::from_ref(node))),
        }
    }
    if !text.trim().is_empty() {
        out.push(Node::Text(text));
    }
}

/// Nodes as plain words.
fn plain(nodes: &[ParseNode]) -> String {
    let mut out = String::new();
    for node in nodes {
        match node {
            ParseNode::Atom { text, .. } | ParseNode::MathOrd { text, .. } | ParseNode::TextOrd { text, .. } => {
                match sign(text) {
                    Node::Char(c) => out.push(c),
                    Node::Symbol(symbol) => out.push(symbol.sign),
                    _ => {
                        let dash = matches!(&**text, "--" | "---");
                        out.push_str(if dash { "–" } else { text.trim_start_matches('\\') });
                    }
                }
            }
            ParseNode::SpacingNode { .. } | ParseNode::Kern { .. } => out.push(' '),
            ParseNode::OrdGroup { body, .. }
            | ParseNode::Text { body, .. }
            | ParseNode::Styling { body, .. }
            | ParseNode::Color { body, .. }
            | ParseNode::Sizing { body, .. }
            | ParseNode::MClass { body, .. } => out.push_str(&plain(body)),
            ParseNode::Font { body, .. } => out.push_str(&plain(std::slice::from_ref(body))),
            ParseNode::Accent { label, base, .. } => {
                let letters = plain(std::slice::from_ref(base));
                let mut rest = letters.chars();
                let first = rest.next();
                match first.and_then(|letter| symbols::accented(label, letter)) {
                    Some(letter) => out.push(letter),
                    None => out.extend(first),
                }
                out.push_str(rest.as_str());
            }
            ParseNode::HtmlMathMl { mathml, .. } => out.push_str(&plain(mathml)),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_but_as_arguments() {
        let number = |text: &str| Node::Number(text.to_owned());
        assert_eq!(parse("12.5x"), Ok(vec![number("12.5"), Node::Char('x')]));
        assert_eq!(parse("1{,}250 a"), Ok(vec![number("1,250"), Node::Char('a')]));
        assert_eq!(parse(r"\frac12"), Ok(vec![Node::Fraction(false, vec![number("1")], vec![number("2")])]));
    }

    #[test]
    fn what_is_struck_through_is_denied() {
        let denied = |node| Node::Not(Box::new(node));
        assert_eq!(parse(r"\not= b"), Ok(vec![denied(Node::Char('=')), Node::Char('b')]));
        let Ok(row) = parse(r"a \not\in B") else { panic!("no formula") };
        assert!(matches!(&row[1], Node::Not(of) if matches!(**of, Node::Symbol(symbol) if symbol.name == "in")));
    }

    #[test]
    fn dots_are_one_sign() {
        for (source, name) in [(r"\ldots", "ldots"), (r"\dots", "ldots"), (r"\cdots", "cdots"), (r"\vdots", "vdots")] {
            let row = parse(source).unwrap_or_default();
            assert!(matches!(row.as_slice(), [Node::Symbol(symbol)] if symbol.name == name), "{source}: {row:?}");
        }
    }

    #[test]
    fn letters_of_words_keep_their_accents() {
        for text in ["für Größen", "où ça naïve", "año ¿sí?", "ação", "è così", "Ёлка й", "Škoda, Łódź"]
        {
            assert_eq!(parse(&format!(r"\text{{{text}}}")), Ok(vec![Node::Text(text.to_owned())]));
        }
    }

    #[test]
    fn what_is_not_known_has_no_words() {
        assert_eq!(parse(r"x \nosuch y"), Ok(vec![Node::Char('x'), Node::Char('y')]));
    }
}
