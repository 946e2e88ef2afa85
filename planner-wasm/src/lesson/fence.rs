//! Fenced code: drawings, formulas, Manim programs, and programs to show.

use crate::document::position::Positions;
use crate::drawing::expression::ParseError;
use crate::drawing::{chart, forces, graph, mermaid, number_line, plot, shapes, surface};
use crate::film::Warnings;
use crate::film::draft::placeholder;
use crate::inline;
use crate::markup::formulas::Formulas;
use crate::python;
use crate::storyboard::{Code, ElementKind, Equation, ManimScene, Place};
use crate::text::{clean, line_numbers};

/// What one program holds; more is cut off with a warning.
const MOST_CODE_BYTES: usize = 20_000;

/// A fence as it is written.
pub(crate) struct Fence {
    pub(crate) info: String,
    pub(crate) text: String,
    /// Byte of `text` → byte of the document, at the beginning of each piece.
    pub(crate) pieces: Vec<(usize, usize)>,
    pub(crate) place: Place,
}

/// What becomes of a fence.
pub(crate) enum Fenced {
    Shown(ElementKind),
    /// A formula that only defines, for those after it.
    Nothing,
    Manim(ManimScene),
}

impl Fence {
    /// Reads the fence by the name after it; `formulas` know what the document defines.
    pub(crate) fn read(self, formulas: &Formulas, positions: &Positions<'_>, warnings: &mut Warnings) -> Fenced {
        let name = self.info.split([' ', ',', '{', ':']).next().unwrap_or_default().to_lowercase();
        let text = self.text.as_str();
        let (label, read) = match name.as_str() {
            "plot" => ("Plot", plot::axes(text).map(ElementKind::Axes)),
            "vectors" => ("Vector field", plot::axes(text).map(ElementKind::Axes)),
            "graph" => ("Graph", graph::graph(text).map(ElementKind::Graph)),
            "chart" => ("Chart", chart::chart(text).map(ElementKind::Chart)),
            "shapes" => ("Shapes", shapes::drawing(text).map(ElementKind::Drawing)),
            "forces" | "free-body" | "freebody" => ("Forces", forces::forces(text).map(ElementKind::Drawing)),
            "surface" => ("Surface", surface::space(text).map(ElementKind::Space)),
            "numberline" | "number-line" => ("Number line", number_line::line(text).map(ElementKind::NumberLine)),
            "math" | "latex" if !text.contains("\\documentclass") => {
                let latex = formulas.standing(text);
                return latex.map_or(Fenced::Nothing, |latex| Fenced::Shown(equation(&latex, self.place, warnings)));
            }
            // What isn't a graph of nodes and edges is shown as it is written.
            "mermaid" => match mermaid::diagram(text) {
                Ok((kind, left_out)) => {
                    for message in left_out {
                        warnings.add("plan.left_out", message, self.place);
                    }
                    return Fenced::Shown(kind);
                }
                Err(error) => {
                    let at = self.at(&error, positions);
                    let message = format!("the diagram is shown as it is written: {}", error.why);
                    warnings.add("plan.cannot_draw", message, at);
                    return Fenced::Shown(self.program(name, warnings));
                }
            },
            "manim" => return self.manim(warnings),
            _ => return Fenced::Shown(self.program(name, warnings)),
        };
        let kind = read.unwrap_or_else(|error| {
            let at = self.at(&error, positions);
            warnings.add("plan.expression_not_understood", format!("`{name}` can't be drawn: {}", error.why), at);
            placeholder(label, text)
        });
        Fenced::Shown(kind)
    }

    fn at(&self, error: &ParseError, positions: &Positions<'_>) -> Place {
        let piece = self.pieces.iter().rev().find(|(start, _)| *start <= error.at);
        piece.map_or(self.place, |(start, source)| positions.at(source + error.at - start))
    }

    fn manim(&self, warnings: &mut Warnings) -> Fenced {
        // The class may be named after the fence; otherwise it is the first one.
        let wanted =
            self.info.split([' ', ',', '=']).skip(1).map(str::trim).find(|word| !word.is_empty() && *word != "class");
        let classes = python::scenes(&self.text);
        let found = match wanted {
            Some(wanted) => classes.iter().find(|class| class.name == wanted),
            None => classes.first(),
        };
        match found {
            Some(_) if self.text.len() > python::LONGEST => {
                let message = format!("the Manim program has {} bytes, too many for one scene", self.text.len());
                warnings.add("plan.cannot_draw", message, self.place);
                Fenced::Shown(placeholder("Manim", &self.text))
            }
            Some(class) => Fenced::Manim(ManimScene { source: self.text.clone(), class: class.name.clone() }),
            None => {
                let message = match wanted {
                    Some(wanted) => format!("the Manim program has no scene class `{}`", clean(wanted)),
                    None => "the Manim program has no class that derives from a `Scene`".to_owned(),
                };
                warnings.add("plan.no_scene_class", message, self.place);
                Fenced::Shown(placeholder("Manim", &self.text))
            }
        }
    }

    fn program(&self, name: String, warnings: &mut Warnings) -> ElementKind {
        let code = program(name, &self.text, self.place, warnings);
        let lines = u32::try_from(code.text.lines().count()).unwrap_or(u32::MAX);
        // Leading empty lines are not shown, and the author counted them.
        let dropped = self.text.lines().take_while(|line| line.trim().is_empty()).count() as u32;
        let wanted = line_numbers::marked(&self.info).into_iter().filter_map(|line| line.checked_sub(dropped));
        let highlighted: Vec<u32> = wanted.filter(|line| (1..=lines).contains(line)).collect();
        ElementKind::Code(Code { highlighted, ..code })
    }
}

/// Program text as it is shown.
pub(crate) fn program(name: String, text: &str, place: Place, warnings: &mut Warnings) -> Code {
    let short = inline::shortened(text, MOST_CODE_BYTES);
    if short.len() < text.len() {
        warnings.add("plan.text_cut", "the program is longer than can be shown and was cut", place);
    }
    let lines = short.lines().map(|line| clean(&line.replace('\t', "    ")).trim_end().to_owned());
    let text = lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned();
    let language = name.to_lowercase();
    let language = language.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#_.".contains(*c)).take(30).collect();
    Code { language, text, highlighted: Vec::new() }
}

/// A displayed formula, or a box with what is written.
pub(crate) fn equation(source: &str, place: Place, warnings: &mut Warnings) -> ElementKind {
    match inline::drawable(source, place, warnings) {
        Ok(formula) => ElementKind::Equation(Equation { formula, spoken: Vec::new() }),
        Err(why) => {
            inline::not_understood(&why, place, warnings);
            placeholder("Formula", &latex_reader::written(source))
        }
    }
}
