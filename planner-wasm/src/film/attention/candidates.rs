//! What of an element can be pointed at, and the words by which it is known.

use super::words::{Tongue, Word};
use crate::label::label;
use crate::speech::{self, Locale};
use crate::storyboard::{Code, Element, ElementKind, RichText, Span};

/// Something that can be pointed at.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The element, counted in the order in which they came.
    pub(super) thing: usize,
    /// How a cue names it.
    pub(super) part: String,
    pub(super) words: Vec<Word>,
    /// Whether each of the words says something of its own; of exact ones, the first.
    pub(super) content: Vec<bool>,
    /// How many of the words are its name: whoever says all of them means it.
    pub(super) name: usize,
    /// Whether only all of its words, as they are written, mean it: parts of formulas.
    pub(super) exact: bool,
    /// What is written at it, without spaces, as formulas of a line are compared with it.
    pub(super) label: String,
    /// The row that a cell stands in.
    pub(super) row: Option<usize>,
}

/// Longest text that is compared, in words.
const MOST_WORDS: usize = 60;
/// Words of a name: longer ones are sentences.
const LONGEST_NAME: usize = 5;

/// Something on the screen.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) id: String,
    /// The beat that it came in.
    pub(super) beat: usize,
    pub(super) shape: Shape,
    /// Formula and program, for what of them is named by its source.
    pub(super) latex: String,
    pub(super) code: Option<Code>,
    /// All its words, for its author's cues.
    pub(super) text: String,
    /// Numbers of an ordered list's items.
    pub(super) numbers: Vec<Option<u32>>,
    /// Whether its author says when it comes.
    pub(super) timed: bool,
}

/// What parts an element has, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Items(usize),
    Rows(usize),
    Curves(usize),
    Bars(usize),
    Lines(usize),
    Other,
}

/// The element and what can be pointed at in it.
pub(super) fn of(
    element: &Element,
    thing: usize,
    beat: usize,
    tongue: &'static Tongue,
    locale: &'static Locale,
) -> (Thing, Vec<Candidate>) {
    let mut maker = Maker { thing, tongue, locale, found: Vec::new() };
    let mut made = Thing {
        id: element.id.clone(),
        beat,
        shape: Shape::Other,
        latex: String::new(),
        code: None,
        text: String::new(),
        numbers: Vec::new(),
        timed: element.timing.as_ref().is_some_and(|timing| timing.start_ms.is_some() || timing.duration_ms.is_some()),
    };
    match &element.kind {
        ElementKind::Text(text) | ElementKind::Callout(text) => {
            maker.spans(text);
            made.text = written(text);
        }
        ElementKind::Bullets(list) => {
            made.shape = Shape::Items(list.items.len());
            for (index, item) in list.items.iter().enumerate() {
                maker.item(format!("item {}", index + 1), &item.text);
                made.numbers.push(item.number);
            }
        }
        ElementKind::Equation(equation) => {
            made.latex = latex_reader::written(&equation.formula.latex);
            for part in &equation.spoken {
                maker.exact(part.part.clone(), &part.words);
                // Whoever speaks of a term alone leaves out what it is added by.
                let plus = part.words.strip_prefix(locale.say("plus")).filter(|rest| rest.starts_with(' '));
                if let Some(rest) = plus.filter(|_| part.part.starts_with("term ")) {
                    maker.exact(part.part.clone(), rest);
                }
            }
        }
        ElementKind::Code(code) => {
            made.shape = Shape::Lines(code.text.lines().count());
            made.code = Some(code.clone());
        }
        ElementKind::Table(table) => {
            made.shape = Shape::Rows(table.rows.len());
            let known = table.rows.len() * table.rows.first().map_or(0, |row| row.cells.len()) <= 80;
            for (index, row) in table.rows.iter().enumerate().filter(|_| known) {
                let number = index + 1;
                for (column, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.spans.is_empty()) {
                    if column == 0 {
                        maker.named(format!("row {number}"), cell, None);
                    } else {
                        maker.named(format!("cell {number} {}", column + 1), cell, Some(number));
                    }
                }
            }
        }
        ElementKind::Axes(axes) => {
            made.shape = Shape::Curves(axes.curves.len());
            for (index, curve) in axes.curves.iter().enumerate() {
                maker.labelled(format!("curve {}", index + 1), &curve.label);
            }
        }
        ElementKind::Graph(graph) => {
            for (index, node) in graph.nodes.iter().enumerate() {
                let label = if node.label.is_empty() { &node.id } else { &node.label };
                maker.labelled(format!("node {}", index + 1), label);
            }
            for (index, edge) in graph.edges.iter().enumerate() {
                maker.labelled(format!("edge {}", index + 1), &edge.label);
            }
        }
        ElementKind::Chart(chart) => {
            made.shape = Shape::Bars(chart.bars.len());
            for (index, bar) in chart.bars.iter().enumerate() {
                maker.labelled(format!("bar {}", index + 1), &bar.label);
            }
        }
        ElementKind::NumberLine(line) => {
            for (index, mark) in line.marks.iter().enumerate() {
                maker.labelled(format!("mark {}", index + 1), &mark.label);
            }
        }
        ElementKind::Drawing(drawing) => {
            for (index, shape) in drawing.shapes.iter().enumerate() {
                maker.labelled(format!("shape {}", index + 1), &shape.label);
            }
        }
        ElementKind::Placeholder(_) | ElementKind::Image(_) | ElementKind::Space(_) => {}
    }
    (made, maker.found)
}

struct Maker {
    thing: usize,
    tongue: &'static Tongue,
    locale: &'static Locale,
    found: Vec<Candidate>,
}

impl Maker {
    fn add(&mut self, part: String, text: &str, name: Option<&str>, label: String, exact: bool, row: Option<usize>) {
        let mut words = if exact { self.tongue.exact(text) } else { self.tongue.words(text) };
        words.truncate(MOST_WORDS);
        if words.is_empty() && label.is_empty() {
            return;
        }
        // Of what is meant by all of its words alone, the first one is asked for.
        let asked = if exact { 1 } else { words.len() };
        let mut content: Vec<bool> = words.iter().take(asked).map(|word| self.tongue.is_content(word)).collect();
        // "The other leg" is no leg: what a name begins with is part of it, but for an article.
        if let (Some(first), Some(word)) = (content.first_mut(), words.first()) {
            *first |= words.len() > 1 && self.tongue.is_small(word) && !self.tongue.is_article(word);
        }
        let name = name.map_or(words.len(), |name| self.tongue.words(name).len());
        let name = if name <= LONGEST_NAME || exact { name } else { 0 };
        self.found.push(Candidate { thing: self.thing, part, words, content, name, exact, label, row });
    }

    /// A label of a figure.
    fn labelled(&mut self, part: String, text: &str) {
        if !text.trim().is_empty() {
            let said = self.said(text);
            self.add(part, &said, None, compact(text), false, None);
        }
    }

    /// A part of a formula, by the words that it is read as.
    fn exact(&mut self, part: String, words: &str) {
        self.add(part, words, None, String::new(), true, None);
    }

    /// A cell, by all that stands in it.
    fn named(&mut self, part: String, cell: &RichText, row: Option<usize>) {
        let said = self.heard(&cell.spans);
        self.add(part, &said, None, compact(&written(cell)), false, row);
    }

    /// An item of a list. Its name is what stands before a colon or a dash, or what is set apart at its beginning.
    fn item(&mut self, part: String, text: &RichText) {
        let said = self.heard(&text.spans);
        let apart =
            text.spans.first().filter(|span| matches!(span, Span::Strong(_) | Span::Emphasis(_) | Span::Code(_)));
        let mark = [": ", " – ", " — ", " - ", ", "].iter().filter_map(|mark| said.find(mark)).min();
        let name = match (apart, mark) {
            (Some(span), _) => Some(self.heard(std::slice::from_ref(span))),
            (None, Some(at)) => Some(said[..at].to_owned()),
            (None, None) => None,
        };
        let label = match text.spans.as_slice() {
            [Span::Math(formula), ..] => compact(&latex_reader::written(&formula.latex)),
            _ => String::new(),
        };
        self.add(part.clone(), &said, name.as_deref(), label, false, None);
        for span in text.spans.iter().skip(1).filter(|span| matches!(span, Span::Strong(_) | Span::Code(_))) {
            let key = self.heard(std::slice::from_ref(span));
            if key.split_whitespace().count() <= LONGEST_NAME {
                self.add(part.clone(), &key, None, String::new(), false, None);
            }
        }
    }

    /// What is set apart in a text, when it is not all of it.
    fn spans(&mut self, text: &RichText) {
        if text.spans.len() < 2 {
            return;
        }
        for span in &text.spans {
            match span {
                Span::Strong(words) | Span::Emphasis(words) | Span::Code(words) => {
                    let said = self.heard(std::slice::from_ref(span));
                    self.add(words.clone(), &said, None, compact(words), false, None);
                }
                Span::Math(formula) => {
                    let latex = latex_reader::written(&formula.latex);
                    let label = compact(&latex);
                    self.add(latex, "", None, label, false, None);
                }
                Span::Plain(_) => {}
            }
        }
    }

    /// Spans as they are heard.
    fn heard(&self, spans: &[Span]) -> String {
        let mut said = String::new();
        for span in spans {
            match span {
                Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) => said.push_str(&self.said(text)),
                Span::Code(text) => said.push_str(&speech::code(text, self.locale)),
                Span::Math(formula) => {
                    said.push(' ');
                    said.push_str(&speech::words(&formula.latex, self.locale));
                    said.push(' ');
                }
            }
        }
        said
    }

    /// Text as it is heard: what has no signs is heard as it stands.
    fn said(&self, text: &str) -> String {
        let plain = |c: char| c.is_alphabetic() || " .,:;-–—'’\"!?".contains(c);
        if text.chars().all(plain) { text.to_owned() } else { speech::prose(text, self.locale) }
    }
}

/// Text as it is written, formulas in LaTeX.
fn written(text: &RichText) -> String {
    let word = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.clone(),
        Span::Math(formula) => latex_reader::written(&formula.latex),
    };
    text.spans.iter().map(word).collect()
}

/// A label without spaces, as figures have it: `v_0` is `v₀`.
pub(super) fn compact(text: &str) -> String {
    let text = if text.contains(['\\', '^', '_', '$']) { label(text) } else { text.to_owned() };
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
