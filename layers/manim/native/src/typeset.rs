//! One formula → its ink, with what each piece of ink is part of.

use std::collections::HashMap;
use std::sync::Arc;

use formula::parts::{Divided, Marker, in_style};
use formula::{Definitions, Dialect, Fault, Palette};
use ratex_layout::{LayoutOptions, layout_with_fallback_metrics, validate_layout};
use ratex_types::color::Color;
use ratex_types::math_style::MathStyle;
use serde::{Deserialize, Serialize};

use crate::fonts;
use crate::groups::Event;
use crate::ink::{Ink, Shape, ink};

/// What is to be set.
#[derive(Debug, Default, Deserialize)]
pub struct Request {
    /// LaTeX without its dollar signs.
    pub tex: String,
    /// Set as a formula of its own, not as one within words.
    #[serde(default)]
    pub display: bool,
    /// Macros of its document: names with their backslash, and bodies.
    #[serde(default)]
    pub macros: Vec<(String, String)>,
    /// Source in which macros are defined: `\newcommand`, `\def`, `\DeclareMathOperator` and so on; all else in it is left out.
    #[serde(default)]
    pub preamble: String,
    /// Text mode: what Manim puts around it (`center`, `minipage}{9cm`, or nothing). None for mathematics.
    #[serde(default)]
    pub environment: Option<String>,
    /// Read as LaTeX reads programs, not as people write lessons: see `formula::Dialect`.
    #[serde(default)]
    pub strict: bool,
}

impl Request {
    fn dialect(&self) -> Dialect {
        let palette = if self.strict { Palette::Exact } else { Palette::Legible };
        Dialect { palette, strict: self.strict, lines: true }
    }
}

/// What was set. Lengths are in em, the origin is the left end of the baseline, y points upwards.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// Width of the box.
    pub width: f64,
    /// Height of the box above the baseline.
    pub height: f64,
    /// Depth of the box below it.
    pub depth: f64,
    /// The ink in TeX's order.
    pub items: Vec<Item>,
    /// The parts; each lies within its parent, which comes before it.
    pub parts: Vec<Part>,
    /// Lists of names of groups that `\special` opens, outermost first; ink tells its list by number. The first is empty.
    pub groups: Vec<Vec<String>>,
    /// The names of all groups, in the order in which they are opened.
    pub opened: Vec<String>,
    /// Before which pieces of ink a line of words may end.
    pub breaks: Vec<usize>,
    /// What could not be read as it stands.
    pub faults: Vec<Told>,
    /// Letters that no font has: they are not drawn.
    pub missing: String,
    /// Why nothing is drawn at all.
    pub error: Option<String>,
}

/// A piece of ink, as a list: font (-1 for curves of its own), code, x, y, scale, part, groups, colour, curves.
#[derive(Debug, PartialEq, Serialize)]
pub struct Item(
    pub i32,
    pub u32,
    pub f64,
    pub f64,
    pub f64,
    pub usize,
    pub usize,
    pub Option<String>,
    pub Option<Vec<f64>>,
);

/// A part.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is: see `formula::Kind`.
    pub kind: &'static str,
    /// The number of the part around it.
    pub parent: usize,
    /// Its name by its author.
    pub name: Option<String>,
}

/// A fault.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Why, as part of a sentence.
    pub why: String,
    /// The command it is about.
    pub about: String,
}

impl From<Fault> for Told {
    fn from(fault: Fault) -> Self {
        Self { why: fault.why, about: fault.about }
    }
}

/// Inherits the colour of what is around: no author writes a colour without any strength.
const INHERITED: Color = Color::new(0.0, 0.0, 0.0, 0.0);

/// Sets what is asked for, words or mathematics.
#[must_use]
pub fn answered(request: &Request) -> Answer {
    match &request.environment {
        Some(environment) => crate::text_mode::typeset(request, environment),
        None => typeset(request),
    }
}

/// Sets a formula.
#[must_use]
pub fn typeset(request: &Request) -> Answer {
    let mut setter = Setter::new(request);
    let (source, events) = crate::groups::taken_out(&request.tex);
    let mut whole = Answer { groups: vec![Vec::new()], ..Answer::default() };
    let part = setter.part(&source, &events, request.display, &mut whole);
    Answer { groups: whole.groups, opened: whole.opened, faults: whole.faults, missing: whole.missing, ..part }
}

/// Sets formulas of one document, one after the other.
pub struct Setter<'a> {
    request: &'a Request,
    definitions: Definitions,
    /// Groups of `\special` that are open.
    open: Vec<String>,
}

impl<'a> Setter<'a> {
    /// With what the request defines.
    #[must_use]
    pub fn new(request: &'a Request) -> Self {
        let mut definitions = Definitions::default();
        if !request.preamble.is_empty() {
            definitions.take(&request.preamble);
        }
        for (name, body) in &request.macros {
            definitions.set(name, body);
        }
        Self { request, definitions, open: Vec::new() }
    }

    /// Takes the definitions out of a source, for all that is set from here on.
    pub fn without_definitions(&mut self, source: &str) -> String {
        self.definitions.take(source)
    }

    /// Sets a formula whose specials are `events`. Groups, faults and missing letters are told in `whole`.
    pub fn part(&mut self, source: &str, events: &[Event], display: bool, whole: &mut Answer) -> Answer {
        match formula::read(source, &self.definitions, self.request.dialect()) {
            Ok(reading) => {
                for fault in reading.faults.into_iter().map(Told::from) {
                    if !whole.faults.contains(&fault) {
                        whole.faults.push(fault);
                    }
                }
                let mut nodes = reading.nodes;
                if self.request.strict {
                    crate::words::widen_spaces(&mut nodes);
                    crate::rules::adapt(&mut nodes);
                }
                self.set(formula::divide(nodes), events, source, display, whole)
            }
            Err(fault) => {
                let told = Told { why: fault.why.clone(), about: fault.about };
                if !whole.faults.contains(&told) {
                    whole.faults.push(told);
                }
                Answer { error: Some(fault.why), ..Answer::default() }
            }
        }
    }

    fn set(&mut self, divided: Divided, events: &[Event], source: &str, display: bool, whole: &mut Answer) -> Answer {
        let style = if display { MathStyle::Display } else { MathStyle::Text };
        let options = LayoutOptions { style, color: INHERITED, ..LayoutOptions::default() };
        let metrics = Arc::new(fonts::measured(source));
        let laid = |nodes: Vec<_>| {
            let mut root = layout_with_fallback_metrics(&in_style(nodes, display), &options, Arc::clone(&metrics));
            if self.request.strict {
                crate::rules::fit_delimiters(&mut root);
            }
            validate_layout(&root).map(|_| root)
        };
        let Divided { plain, marked, parts } = divided;
        let root = match laid(plain) {
            Ok(root) => root,
            Err(why) => return Answer { error: Some(why), ..Answer::default() },
        };
        let all = ink(&root);
        let owners = laid(marked).map(|root| self.owners(&ink(&root), events, whole)).ok();
        let owners = owners.filter(|owners| {
            owners.ink.len() == all.len()
                && owners.ink.iter().zip(&all).all(|((shape, ..), ink)| same(shape, &ink.shape))
        });
        let mut known: HashMap<(usize, u32), bool> = HashMap::new();
        let colours: Vec<Option<&String>> = (0..parts.len())
            .map(|mut part| {
                while parts[part].colour.is_none() && parts[part].parent != part {
                    part = parts[part].parent;
                }
                parts[part].colour.as_ref()
            })
            .collect();
        let items = all.into_iter().enumerate().map(|(index, ink)| {
            let (part, group) = owners.as_ref().map_or((0, 0), |owners| (owners.ink[index].1, owners.ink[index].2));
            let colour = if ink.own && ink.colour != INHERITED && ink.colour != Color::BLACK {
                Some(hex(ink.colour))
            } else {
                colours[part].and_then(|colour| Color::parse(colour)).map(hex)
            };
            let (font, code, curves) = match ink.shape {
                Shape::Glyph(font, code) => {
                    let number = fonts::number(font);
                    let drawn = *known.entry((number, code)).or_insert_with(|| fonts::outline(font, code).is_some());
                    if !drawn
                        && let Some(letter) = char::from_u32(code)
                        && !whole.missing.contains(letter)
                    {
                        whole.missing.push(letter);
                    }
                    (number as i32, code, None)
                }
                Shape::Curves(curves) => (-1, 0, Some(curves.points().to_vec())),
            };
            Item(font, code, ink.x, ink.y, ink.scale, part, group, colour, curves)
        });
        let items = items.collect();
        Answer {
            width: root.width,
            height: root.height,
            depth: root.depth,
            items,
            parts: parts
                .into_iter()
                .map(|part| Part { kind: part.kind.name(), parent: part.parent, name: part.name })
                .collect(),
            breaks: owners.map_or_else(Vec::new, |owners| owners.breaks),
            ..Answer::default()
        }
    }

    /// Of which parts and groups ink is, by the markers before it.
    fn owners(&mut self, all: &[Ink], events: &[Event], whole: &mut Answer) -> Owners {
        let number_of = |open: &[String], whole: &mut Answer| {
            whole.groups.iter().position(|known| known == open).unwrap_or_else(|| {
                whole.groups.push(open.to_vec());
                whole.groups.len() - 1
            })
        };
        let mut found = Owners { ink: Vec::new(), breaks: Vec::new() };
        let mut parts: Vec<usize> = vec![0];
        let mut list = number_of(&self.open, whole);
        for item in all {
            if !item.is_marker() {
                found.ink.push((item.shape.clone(), parts.last().copied().unwrap_or(0), list));
                continue;
            }
            match Marker::of_colour(code(item.colour)) {
                Marker::Open(part) => parts.push(part),
                Marker::Break => found.breaks.push(found.ink.len()),
                Marker::Close(part) => {
                    if let Some(at) = parts.iter().rposition(|known| *known == part) {
                        parts.truncate(at);
                    }
                }
                Marker::Special(number) => {
                    match events.get(number) {
                        Some(Event::Open(name)) => {
                            self.open.push(name.clone());
                            whole.opened.push(name.clone());
                        }
                        Some(Event::Close) => {
                            self.open.pop();
                        }
                        None => continue,
                    }
                    list = number_of(&self.open, whole);
                }
            }
        }
        found
    }
}

struct Owners {
    /// Shape, part and number of the list of groups of each piece of ink.
    ink: Vec<(Shape, usize, usize)>,
    breaks: Vec<usize>,
}

fn same(one: &Shape, other: &Shape) -> bool {
    match (one, other) {
        (Shape::Glyph(font, code), Shape::Glyph(other, same)) => font == other && code == same,
        (Shape::Curves(_), Shape::Curves(_)) => true,
        _ => false,
    }
}

fn code(colour: Color) -> u32 {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u32;
    byte(colour.r) << 16 | byte(colour.g) << 8 | byte(colour.b)
}

fn hex(colour: Color) -> String {
    format!("#{:06x}", code(colour))
}
