//! A formula's parts: which of its ink belongs to which term, fraction, root or row, and to what its author has named or coloured.
//!
//! The layout engine tells nothing of where ink comes from, and takes a colour for an atom, so that room around signs is lost where
//! one begins. Each formula is therefore laid out twice: the plain tree, without colours and names, gives every place; the marked
//! tree, with an invisible marker before and after each part, tells which ink lies between which markers. Both have the same ink
//! in the same order.

use ratex_parser::parse_node::{AtomFamily, Measurement, Mode, ParseNode, StyleStr};

use crate::tree::{Slot, slots};

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The whole formula.
    Whole,
    /// One of what is added or subtracted.
    Term,
    /// One side of a relation.
    Side,
    /// What has a numerator and a denominator.
    Fraction,
    /// See [`Kind::Fraction`].
    Numerator,
    /// See [`Kind::Fraction`].
    Denominator,
    /// A root with its sign.
    Root,
    /// What stands under a root.
    Radicand,
    /// A superscript: an exponent, an upper limit.
    Superscript,
    /// A subscript: an index, a lower limit.
    Subscript,
    /// What stands between a left and a right delimiter, with both.
    Fenced,
    /// What a brace is above or below of, with the brace and its note.
    Braced,
    /// The note at a brace.
    Note,
    /// A row of a matrix or of several lines.
    Row,
    /// A cell of a row.
    Cell,
    /// What has a colour by its author.
    Coloured,
    /// What has a name by its author: `\htmlId`, `\cssId`.
    Named,
    /// A command that is not known, drawn as its name.
    Unknown,
}

impl Kind {
    /// The name by which it is known outside.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Term => "term",
            Self::Side => "side",
            Self::Fraction => "fraction",
            Self::Numerator => "numerator",
            Self::Denominator => "denominator",
            Self::Root => "root",
            Self::Radicand => "radicand",
            Self::Superscript => "superscript",
            Self::Subscript => "subscript",
            Self::Fenced => "fenced",
            Self::Braced => "braced",
            Self::Note => "note",
            Self::Row => "row",
            Self::Cell => "cell",
            Self::Coloured => "coloured",
            Self::Named => "named",
            Self::Unknown => "unknown",
        }
    }
}

/// One part. Parts lie within each other; the first is the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// The number of the part around it; the whole has its own.
    pub parent: usize,
    /// The name by its author.
    pub name: Option<String>,
    /// The colour by its author: `#rrggbb`.
    pub colour: Option<String>,
}

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// Part of that number begins.
    Open(usize),
    /// It ends.
    Close(usize),
    /// What stands in the source at that place, by its number: see [`special`].
    Special(usize),
    /// A line of words may end here: after a relation or an operator that stands in no group, as in TeX.
    Break,
}

const SPECIALS: u32 = 0x80_0000;
const BREAK: u32 = SPECIALS - 1;

impl Marker {
    /// A colour that means it; see [`Marker::of_colour`].
    fn colour(self) -> String {
        let code = match self {
            Self::Open(part) => part as u32 * 2,
            Self::Close(part) => part as u32 * 2 + 1,
            Self::Special(number) => SPECIALS + number as u32,
            Self::Break => BREAK,
        };
        format!("#{:06x}", code & 0xff_ffff)
    }

    /// The marker whose ink has that colour, as 24 bits.
    #[must_use]
    pub fn of_colour(code: u32) -> Self {
        if code >= SPECIALS {
            Self::Special((code - SPECIALS) as usize)
        } else if code == BREAK {
            Self::Break
        } else if code.is_multiple_of(2) {
            Self::Open((code / 2) as usize)
        } else {
            Self::Close((code / 2) as usize)
        }
    }

    /// A rule without width and height, which the layout engine passes on as any other.
    fn node(self) -> ParseNode {
        let nothing = || Measurement { number: 0.0, unit: "em".to_owned() };
        let rule = ParseNode::Rule { mode: Mode::Math, shift: None, width: nothing(), height: nothing(), loc: None };
        ParseNode::Color { mode: Mode::Math, color: self.colour(), body: vec![rule], loc: None }
    }
}

const FIRST_SPECIAL: u32 = 0xf_0000;

/// The most places in a source that can be marked; a formula has never more than some hundred.
pub const MOST_SPECIALS: usize = 0xfffd;

/// A character that stands in the source for something at that place that is no ink. It is no letter of anybody's: those of this plane
/// are taken out of what people write.
#[must_use]
pub fn special(number: usize) -> char {
    char::from_u32(FIRST_SPECIAL + number.min(MOST_SPECIALS) as u32).unwrap_or(' ')
}

/// Whether a character is one of those of [`special`].
#[must_use]
pub fn is_special(letter: char) -> bool {
    u32::from(letter) >= FIRST_SPECIAL
}

fn special_of(node: &ParseNode) -> Option<usize> {
    match node {
        ParseNode::TextOrd { text, .. } => {
            let letter = text.chars().next().filter(|letter| is_special(*letter))?;
            Some((u32::from(letter) - FIRST_SPECIAL) as usize)
        }
        _ => None,
    }
}

/// A formula in both trees.
#[derive(Debug)]
pub struct Divided {
    /// What gives every place: no colours of the author, no names, no markers.
    pub plain: Vec<ParseNode>,
    /// The same ink with markers. The same as `plain` when markers would change what is drawn.
    pub marked: Vec<ParseNode>,
    /// All parts, each after the one around it.
    pub parts: Vec<Part>,
}

/// The most parts of one formula; beyond it, what is within is not divided.
const MOST_PARTS: usize = 20_000;

/// Both trees of a formula and its parts.
#[must_use]
pub fn divide(nodes: Vec<ParseNode>) -> Divided {
    let whole = Part { kind: Kind::Whole, parent: 0, name: None, colour: None };
    let mut divider = Divider { parts: vec![whole], outermost: true, contents: None };
    let (plain, marked) = divider.list(nodes, 0, true);
    Divided { plain, marked, parts: divider.parts }
}

/// The parts by the names under which the stage knows them: its author's name, or its kind and the how-manieth of that kind it is
/// (`fraction 1`, `term 2`). The whole is not among them. `holds` is told what is in each: the number of the part, and nodes; a part may
/// be told in pieces.
pub fn named(nodes: Vec<ParseNode>, holds: &mut dyn FnMut(usize, &[ParseNode])) -> Vec<String> {
    let whole = Part { kind: Kind::Whole, parent: 0, name: None, colour: None };
    let mut told = |part: usize, nodes: &[ParseNode]| {
        if let Some(part) = part.checked_sub(1) {
            holds(part, nodes);
        }
    };
    let mut divider = Divider { parts: vec![whole], outermost: true, contents: Some(&mut told) };
    divider.list(nodes, 0, true);
    let mut counts: Vec<(Kind, usize)> = Vec::new();
    let mut names = Vec::new();
    for part in divider.parts.into_iter().skip(1) {
        let count = match counts.iter_mut().find(|(kind, _)| *kind == part.kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                counts.push((part.kind, 1));
                1
            }
        };
        names.push(part.name.unwrap_or_else(|| format!("{} {count}", part.kind.name())));
    }
    names
}

struct Divider<'a> {
    parts: Vec<Part>,
    /// Not within any node.
    outermost: bool,
    /// Is told what is in each part, where that is all that is asked for: then there are no markers.
    contents: Option<&'a mut Contents<'a>>,
}

/// Is told the number of a part, and what is in it.
type Contents<'a> = dyn FnMut(usize, &[ParseNode]) + 'a;
type Both = (Vec<ParseNode>, Vec<ParseNode>);

impl Divider<'_> {
    fn part(&mut self, kind: Kind, parent: usize) -> usize {
        if self.parts.len() >= MOST_PARTS {
            return parent;
        }
        self.parts.push(Part { kind, parent, name: None, colour: None });
        self.parts.len() - 1
    }

    /// Tells that `nodes` are in a part.
    fn holds(&mut self, part: usize, nodes: &[ParseNode]) {
        if let Some(contents) = &mut self.contents {
            contents(part, nodes);
        }
    }

    fn around(&mut self, part: usize, parent: usize, (plain, marked): Both) -> Both {
        if part == parent {
            return (plain, marked);
        }
        if self.contents.is_some() {
            self.holds(part, &plain);
            return (plain, Vec::new());
        }
        let marked =
            [Marker::Open(part).node()].into_iter().chain(marked).chain([Marker::Close(part).node()]).collect();
        (plain, marked)
    }

    /// Nodes side by side; `sum` when they are divided into sides and terms.
    fn list(&mut self, nodes: Vec<ParseNode>, parent: usize, sum: bool) -> Both {
        if !sum || nodes.len() < 2 || !nodes.iter().any(|node| breaks(node).is_some()) {
            return self.items(nodes, parent);
        }
        let related = nodes.iter().any(|node| breaks(node) == Some(AtomFamily::Rel));
        let (mut plain, mut marked) = (Vec::new(), Vec::new());
        let mut add = |(a, b): Both| {
            plain.extend(a);
            marked.extend(b);
        };
        let mut side: Vec<ParseNode> = Vec::new();
        for node in nodes {
            if matches!(node, ParseNode::Cr { .. }) || (related && breaks(&node) == Some(AtomFamily::Rel)) {
                let before = std::mem::take(&mut side);
                add(self.side(before, parent, related));
                add(self.items(vec![node], parent));
            } else {
                side.push(node);
            }
        }
        add(self.side(side, parent, related));
        (plain, marked)
    }

    fn side(&mut self, nodes: Vec<ParseNode>, parent: usize, related: bool) -> Both {
        if nodes.iter().all(|node| special_of(node).is_some()) {
            return self.items(nodes, parent);
        }
        let part = if related { self.part(Kind::Side, parent) } else { parent };
        let mut terms: Vec<Vec<ParseNode>> = vec![Vec::new()];
        for node in nodes {
            if breaks(&node) == Some(AtomFamily::Bin) && terms.last().is_some_and(|term| !term.is_empty()) {
                terms.push(Vec::new());
            }
            if let Some(term) = terms.last_mut() {
                term.push(node);
            }
        }
        if terms.len() == 1 {
            let only = self.items(terms.swap_remove(0), part);
            return self.around(part, parent, only);
        }
        let (mut plain, mut marked) = (Vec::new(), Vec::new());
        for term in terms {
            let number = self.part(Kind::Term, part);
            let inner = self.items(term, number);
            let (a, b) = self.around(number, part, inner);
            plain.extend(a);
            marked.extend(b);
        }
        self.around(part, parent, (plain, marked))
    }

    fn items(&mut self, nodes: Vec<ParseNode>, parent: usize) -> Both {
        let (mut plain, mut marked) = (Vec::new(), Vec::new());
        for node in nodes {
            let breakable = self.outermost && may_end_line(&node);
            let outermost = self.outermost;
            self.outermost = outermost && matches!(node, ParseNode::Color { .. } | ParseNode::Html { .. });
            let (a, b) = self.item(node, parent);
            self.outermost = outermost;
            plain.extend(a);
            marked.extend(b);
            if breakable && self.contents.is_none() {
                marked.push(Marker::Break.node());
            }
        }
        (plain, marked)
    }

    /// One node of a list: none, one or several in its place.
    fn item(&mut self, node: ParseNode, parent: usize) -> Both {
        if let Some(number) = special_of(&node) {
            let marked = if self.contents.is_none() { vec![Marker::Special(number).node()] } else { Vec::new() };
            return (Vec::new(), marked);
        }
        match node {
            ParseNode::Color { color, body, .. } => {
                let part = self.part(if color == UNKNOWN { Kind::Unknown } else { Kind::Coloured }, parent);
                if part != parent {
                    self.parts[part].colour = Some(color);
                }
                let inner = self.list(body, part, false);
                self.around(part, parent, inner)
            }
            ParseNode::Html { attributes, body, .. } => {
                let name = attributes.get("style").and_then(|style| style.strip_prefix(NAMED)).map(str::to_owned);
                let part = if name.is_some() { self.part(Kind::Named, parent) } else { parent };
                if part != parent {
                    self.parts[part].name = name;
                }
                let inner = self.list(body, part, false);
                self.around(part, parent, inner)
            }
            node => {
                let kind = match &node {
                    ParseNode::GenFrac { .. } => Some(Kind::Fraction),
                    ParseNode::Sqrt { .. } => Some(Kind::Root),
                    ParseNode::LeftRight { .. } => Some(Kind::Fenced),
                    ParseNode::HorizBrace { .. } => Some(Kind::Braced),
                    ParseNode::SupSub { base: Some(base), .. } if matches!(**base, ParseNode::HorizBrace { .. }) => {
                        Some(Kind::Braced)
                    }
                    _ => None,
                };
                let part = kind.map_or(parent, |kind| self.part(kind, parent));
                let fraction = is_fraction(&node);
                let (mut a, mut b) = self.node(node, part);
                if fraction {
                    (a, b) = (group(vec![a]), group(vec![b]));
                }
                let marked = if self.contents.is_none() { vec![b] } else { Vec::new() };
                self.around(part, parent, (vec![a], marked))
            }
        }
    }

    /// One node, whose children are divided.
    fn node(&mut self, mut node: ParseNode, parent: usize) -> (ParseNode, ParseNode) {
        if let ParseNode::LeftRight { right_color, .. } = &mut node {
            *right_color = None;
        }
        // Nearly all nodes are signs, with nothing inside.
        if slots(&mut node).is_empty() {
            let copy = if self.contents.is_none() { node.clone() } else { nothing() };
            return (node, copy);
        }
        let kinds = kinds(&node);
        let sums = matches!(node, ParseNode::LeftRight { .. });
        let width = row_width(&node);
        let mut contents = Vec::new();
        for slot in slots(&mut node) {
            contents.push(match slot {
                Slot::List(list) => std::mem::take(list),
                Slot::One(one) | Slot::Base(one) => vec![std::mem::replace(one, nothing())],
            });
        }
        let mut copy = if self.contents.is_none() { node.clone() } else { nothing() };
        let mut row = parent;
        let mut filled = Vec::new();
        for (index, content) in contents.into_iter().enumerate() {
            let within = match width {
                // Cells of a row follow each other.
                Some(width) if index % width.max(1) == 0 => {
                    row = self.part(Kind::Row, parent);
                    row
                }
                Some(_) => row,
                None => parent,
            };
            filled.push((within, content));
        }
        let count = filled.len();
        let mut first = slots(&mut node);
        let mut second = slots(&mut copy);
        for (index, (a, (within, content))) in first.iter_mut().zip(filled).enumerate() {
            let kind = if width.is_some() { Some(Kind::Cell) } else { kinds.get(index).copied().flatten() };
            match (a, second.get_mut(index)) {
                (Slot::List(a), b) => {
                    let (plain, marked) = self.list(content, within, sums);
                    **a = plain;
                    if let Some(Slot::List(b)) = b {
                        **b = marked;
                    }
                }
                (Slot::One(a), b) => {
                    let part = kind.map_or(within, |kind| self.part(kind, within));
                    let Some(one) = content.into_iter().next() else { continue };
                    let (plain, marked) = self.one(one, part);
                    if part != within {
                        self.holds(part, std::slice::from_ref(&plain));
                    }
                    if width.is_some() && within != parent {
                        self.holds(within, std::slice::from_ref(&plain));
                    }
                    **a = plain;
                    let Some(Slot::One(b)) = b else { continue };
                    **b = if part == within { marked } else { wrapped(part, marked) };
                    // A row has no node of its own: its first cell begins it and its last one ends it.
                    if let Some(width) = width {
                        let last = index + 1 == count || (index + 1) % width.max(1) == 0;
                        let begun = index % width.max(1) == 0;
                        if within != parent && (begun || last) {
                            let cell = std::mem::replace(&mut **b, nothing());
                            **b = edged(within, cell, begun, last);
                        }
                    }
                }
                (Slot::Base(a), b) => {
                    let Some(one) = content.into_iter().next() else { continue };
                    let fraction = is_fraction(&one);
                    let (plain, marked) = self.one(one, within);
                    **a = if fraction { group(vec![plain]) } else { plain };
                    if let Some(Slot::Base(b)) = b {
                        **b = if fraction { group(vec![marked]) } else { marked };
                    }
                }
            }
        }
        drop((first, second));
        (node, copy)
    }

    /// A node that stands alone. What is no ink leaves an empty group.
    fn one(&mut self, node: ParseNode, parent: usize) -> (ParseNode, ParseNode) {
        match node {
            ParseNode::OrdGroup { mode, body, semisimple, loc } => {
                let (plain, marked) = self.list(body, parent, true);
                let group = |body| ParseNode::OrdGroup { mode, body, semisimple, loc: loc.clone() };
                (group(plain), group(marked))
            }
            ParseNode::Styling { mode, style, body, loc } => {
                let (plain, marked) = self.list(body, parent, true);
                let styled = |body| ParseNode::Styling { mode, style, body, loc: loc.clone() };
                (styled(plain), styled(marked))
            }
            ParseNode::Color { .. } | ParseNode::Html { .. } => {
                let (mut plain, mut marked) = self.item(node, parent);
                // One node stays one, so that a coloured sum keeps its limits. Its markers are lost with it, and the part around it
                // is told instead.
                if plain.len() == 1 && marked.len() == 3 && is_operator(&plain[0]) {
                    return (plain.swap_remove(0), marked.swap_remove(1));
                }
                (group(plain), group(marked))
            }
            node if special_of(&node).is_some() => {
                let (plain, marked) = self.item(node, parent);
                (group(plain), group(marked))
            }
            node => self.node(node, parent),
        }
    }
}

/// What is before the name of a part where it is handed on as a style, the one attribute that RaTeX keeps.
pub(crate) const NAMED: &str = "part:";

/// The colour of the name that is drawn of a command that is not known. Nobody writes this very colour.
pub const UNKNOWN: &str = "#8a8f9a";

fn nothing() -> ParseNode {
    ParseNode::Internal { mode: Mode::Math, loc: None }
}

fn group(body: Vec<ParseNode>) -> ParseNode {
    ParseNode::OrdGroup { mode: Mode::Math, body, semisimple: None, loc: None }
}

fn wrapped(part: usize, node: ParseNode) -> ParseNode {
    edged(part, node, true, true)
}

fn edged(part: usize, node: ParseNode, begun: bool, ended: bool) -> ParseNode {
    let open = begun.then(|| Marker::Open(part).node());
    let close = ended.then(|| Marker::Close(part).node());
    group(open.into_iter().chain([node]).chain(close).collect())
}

/// A fraction is an ordinary atom in LaTeX, as it is in KaTeX, for its braces; RaTeX puts room beside it, as TeX does beside `\over`.
fn is_fraction(node: &ParseNode) -> bool {
    matches!(node, ParseNode::GenFrac { .. })
}

fn is_operator(node: &ParseNode) -> bool {
    matches!(node, ParseNode::Op { .. } | ParseNode::OperatorName { .. } | ParseNode::HorizBrace { .. })
}

/// At what a list is divided: relations, then what is added.
fn breaks(node: &ParseNode) -> Option<AtomFamily> {
    match node {
        ParseNode::Atom { family: AtomFamily::Rel, .. } => Some(AtomFamily::Rel),
        ParseNode::XArrow { .. } => Some(AtomFamily::Rel),
        ParseNode::MClass { mclass, .. } if mclass == "mrel" => Some(AtomFamily::Rel),
        ParseNode::Atom { family: AtomFamily::Bin, text, .. }
            if matches!(&**text, "+" | "-" | "\\pm" | "\\mp" | "−") =>
        {
            Some(AtomFamily::Bin)
        }
        _ => None,
    }
}

fn may_end_line(node: &ParseNode) -> bool {
    match node {
        ParseNode::Atom { family: AtomFamily::Rel | AtomFamily::Bin, .. } => true,
        ParseNode::MClass { mclass, .. } => matches!(&**mclass, "mrel" | "mbin"),
        _ => breaks(node).is_some(),
    }
}

/// What the children of a node are, in the order of [`slots`].
fn kinds(node: &ParseNode) -> Vec<Option<Kind>> {
    match node {
        ParseNode::GenFrac { .. } => vec![Some(Kind::Numerator), Some(Kind::Denominator)],
        ParseNode::Sqrt { index, .. } => index.iter().map(|_| None).chain([Some(Kind::Radicand)]).collect(),
        ParseNode::SupSub { base, sup, sub, .. } => {
            let noted = base.as_ref().is_some_and(|base| matches!(**base, ParseNode::HorizBrace { .. }));
            let script = |kind| Some(if noted { Kind::Note } else { kind });
            base.iter()
                .map(|_| None)
                .chain(sup.iter().map(|_| script(Kind::Superscript)))
                .chain(sub.iter().map(|_| script(Kind::Subscript)))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Cells of a row, where all rows have as many.
fn row_width(node: &ParseNode) -> Option<usize> {
    match node {
        ParseNode::Array { body, tags, .. } if tags.is_none() => {
            let width = body.first()?.len();
            body.iter().all(|row| row.len() == width).then_some(width)
        }
        _ => None,
    }
}

/// The node with a style of its own around it: a formula in words is set as LaTeX sets it there.
#[must_use]
pub fn in_style(nodes: Vec<ParseNode>, display: bool) -> Vec<ParseNode> {
    let style = if display { StyleStr::Display } else { StyleStr::Text };
    vec![ParseNode::Styling { mode: Mode::Math, style, body: nodes, loc: None }]
}
