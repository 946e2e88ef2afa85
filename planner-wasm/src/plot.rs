//! The fence `plot`: lines of text become axes with curves.
//!
//! ````text
//! ```plot
//! title: A wave and its envelope      shown below
//! x: 0..4*pi                          range of x; also `step 2` after it
//! y: -1..1                            range of y; from the curves when it isn't given
//! x label: time in seconds
//! y = exp(-x/5) sin(x)                a curve; `f(x) = …` names it
//! label: damped                       of the curve above it
//! x(t) = cos(t); y(t) = sin(t); t: 0..2*pi
//! points: (0,0) (1,2) (2,1)           joined by straight lines
//! # a remark
//! ```
//! ````
//!
//! Statements end at a line's end or at `;`. Expressions are those of `expression`.

use crate::axis;
use crate::expression::{self, Misread};
use crate::storyboard::{Axes, Curve, CurveKind, Expression, Parametric, Point};

/// Samples of a curve from which ranges are found; odd, so that the middle is one.
const SAMPLES: usize = 401;
const MOST_CURVES: usize = 12;
const MOST_POINTS: usize = 1_000;
/// Further out, floating-point numbers lose the picture.
const FURTHEST: f64 = 1e12;

/// Reads the text of a fence.
///
/// # Errors
/// [`Misread`] with a place in `text`.
pub(crate) fn axes(text: &str) -> Result<Axes, Misread> {
    let mut plot = Plot::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with('#') {
            let mut start = at;
            for statement in line.split(';') {
                plot.statement(Words { text: statement, at: start }.trimmed())?;
                start += statement.len() + 1;
            }
        }
        at += line.len();
    }
    plot.finish()
}

/// A part of the fence's text, and where it begins.
#[derive(Debug, Clone, Copy)]
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn trimmed(self) -> Self {
        let text = self.text.trim_start();
        Self { at: self.at + self.text.len() - text.len(), text: text.trim_end() }
    }

    fn from(self, start: usize) -> Self {
        Self { text: &self.text[start..], at: self.at + start }.trimmed()
    }

    fn until(self, end: usize) -> Self {
        Self { text: &self.text[..end], at: self.at }.trimmed()
    }

    fn wrong<T>(self, why: &str) -> Result<T, Misread> {
        Err(Misread { why: why.to_owned(), at: self.at })
    }

    fn expression(self, variable: &str) -> Result<Expression, Misread> {
        expression::parse(self.text, Some(variable)).map_err(|misread| Misread { at: self.at + misread.at, ..misread })
    }

    fn number(self) -> Result<f64, Misread> {
        let constant =
            expression::parse(self.text, None).map_err(|misread| Misread { at: self.at + misread.at, ..misread })?;
        let value = expression::value(&constant, f64::NAN);
        if value.is_finite() && value.abs() <= FURTHEST {
            Ok(value)
        } else {
            self.wrong("it is not a number that can be drawn")
        }
    }

    /// `-3..3`, `-3 to 3` or `[-3, 3]`, with an optional `step 1`.
    fn range(self) -> Result<Range, Misread> {
        let (ends, step) = match self.text.find(" step ") {
            Some(at) => (self.until(at), Some(self.from(at + 6).number()?)),
            None => (self, None),
        };
        let bracketed = ends.text.starts_with('[') && ends.text.ends_with(']');
        let ends = if bracketed { ends.until(ends.text.len() - 1).from(1) } else { ends };
        let found = ["..", " to ", ","].iter().find_map(|mark| Some((ends.text.find(mark)?, mark.len())));
        let Some((at, length)) = found else { return ends.wrong("it is no range such as `-3..3`") };
        let (min, max) = (ends.until(at).number()?, ends.from(at + length).number()?);
        if max - min <= 1e-9 * min.abs().max(max.abs()) {
            return ends.wrong("the range must begin before it ends");
        }
        Ok(Range { min, max, step })
    }
}

#[derive(Debug, Clone, Copy)]
struct Range {
    min: f64,
    max: f64,
    step: Option<f64>,
}

impl Range {
    fn samples(self) -> impl Iterator<Item = f64> {
        let span = self.max - self.min;
        (0..SAMPLES).map(move |index| self.min + span * index as f64 / (SAMPLES - 1) as f64)
    }
}

/// What was read so far.
#[derive(Default)]
struct Plot {
    title: String,
    x: Option<Range>,
    y: Option<Range>,
    t: Option<Range>,
    x_label: String,
    y_label: String,
    curves: Vec<Drawn>,
    /// The x of a parametric curve whose y is still to come.
    x_of_t: Option<Expression>,
}

struct Drawn {
    /// Given by the author.
    label: Option<String>,
    /// Used when there are several curves to tell apart.
    name: String,
    kind: CurveKind,
    /// Its own `t:` is yet to come.
    waits_for_t: bool,
}

impl Plot {
    fn statement(&mut self, words: Words<'_>) -> Result<(), Misread> {
        if words.text.is_empty() {
            return Ok(());
        }
        if words.text.starts_with('(') && matches!(self.curves.last(), Some(Drawn { kind: CurveKind::Points(_), .. })) {
            return self.points(words);
        }
        if let Some(colon) = words.text.find(':') {
            let key = words.until(colon).text.to_lowercase().replace(['-', '_'], " ");
            let value = words.from(colon + 1);
            match key.as_str() {
                "title" | "caption" => {
                    self.title = short(value.text);
                    return Ok(());
                }
                "x label" | "xlabel" => {
                    self.x_label = short(value.text);
                    return Ok(());
                }
                "y label" | "ylabel" => {
                    self.y_label = short(value.text);
                    return Ok(());
                }
                "label" => {
                    let Some(curve) = self.curves.last_mut() else {
                        return words.wrong("a label stands below its curve");
                    };
                    curve.label = Some(short(value.text));
                    return Ok(());
                }
                "x" => {
                    self.x = Some(value.range()?);
                    return Ok(());
                }
                "y" => {
                    self.y = Some(value.range()?);
                    return Ok(());
                }
                "t" => return self.range_of_t(value.range()?),
                "points" => {
                    self.draw(words, String::new(), CurveKind::Points(Vec::new()))?;
                    return self.points(value);
                }
                _ if !words.text.contains('=') => return words.wrong("this setting of a plot is not known"),
                _ => {}
            }
        }
        let Some(equals) = words.text.find('=') else {
            let curve = words.expression("x")?;
            return self.draw(words, format!("y = {}", curve.source), CurveKind::Function(curve));
        };
        let (left, right) = (words.until(equals), words.from(equals + 1));
        let left_name = left.text.replace(' ', "");
        match left_name.as_str() {
            "x" | "x(t)" => self.x_of_t = Some(right.expression("t")?),
            "y" | "y(t)" if self.x_of_t.is_some() || left_name == "y(t)" => {
                let y = right.expression("t")?;
                let Some(x) = self.x_of_t.take() else { return words.wrong("`x(t) = …` must come before it") };
                let (from, to) = self.t.map_or((0.0, std::f64::consts::TAU), |t| (t.min, t.max));
                self.draw(words, String::new(), CurveKind::Parametric(Parametric { x, y, from, to }))?;
                if let Some(curve) = self.curves.last_mut() {
                    curve.waits_for_t = true;
                }
            }
            "y" => {
                let curve = right.expression("x")?;
                self.draw(words, format!("y = {}", curve.source), CurveKind::Function(curve))?;
            }
            name if name.ends_with("(x)") && name.len() < 20 => {
                let curve = right.expression("x")?;
                self.draw(words, name.to_owned(), CurveKind::Function(curve))?;
            }
            _ => return left.wrong("a curve begins with `y =`, `f(x) =` or `x(t) =`"),
        }
        Ok(())
    }

    fn draw(&mut self, words: Words<'_>, name: String, kind: CurveKind) -> Result<(), Misread> {
        if self.curves.len() == MOST_CURVES {
            return words.wrong("a plot has at most 12 curves");
        }
        self.curves.push(Drawn { label: None, name: short(&name), kind, waits_for_t: false });
        Ok(())
    }

    fn range_of_t(&mut self, range: Range) -> Result<(), Misread> {
        match self.curves.last_mut() {
            Some(Drawn { kind: CurveKind::Parametric(curve), waits_for_t: waits @ true, .. }) => {
                (curve.from, curve.to) = (range.min, range.max);
                *waits = false;
            }
            _ => self.t = Some(range),
        }
        Ok(())
    }

    fn points(&mut self, words: Words<'_>) -> Result<(), Misread> {
        let mut rest = words;
        while !rest.text.is_empty() {
            rest = if rest.text.starts_with(',') { rest.from(1) } else { rest };
            let (Some(close), true) = (rest.text.find(')'), rest.text.starts_with('(')) else {
                return rest.wrong("points are written `(0,0) (1,2)`");
            };
            let point = rest.until(close).from(1);
            let Some(comma) = point.text.find(',') else { return point.wrong("a point needs two numbers") };
            let point = Point { x: point.until(comma).number()?, y: point.from(comma + 1).number()? };
            if let Some(Drawn { kind: CurveKind::Points(points), .. }) = self.curves.last_mut() {
                if points.len() == MOST_POINTS {
                    return rest.wrong("a curve has at most 1000 points");
                }
                points.push(point);
            }
            rest = rest.from(close + 1);
        }
        Ok(())
    }

    fn finish(self) -> Result<Axes, Misread> {
        let nothing = |why: &str| Err(Misread { why: why.to_owned(), at: 0 });
        if self.x_of_t.is_some() {
            return nothing("`y(t) = …` is missing");
        }
        if self.curves.is_empty() {
            return nothing("it has no curve");
        }
        if self.curves.iter().any(|curve| matches!(&curve.kind, CurveKind::Points(points) if points.is_empty())) {
            return nothing("`points:` has no points");
        }
        let x = match self.x {
            Some(x) => axis::exactly(x.min, x.max, x.step, self.x_label),
            None => match axis::range_of(&self.known_x()) {
                Some((low, high)) => axis::around(low, high, self.x_label),
                None => axis::exactly(-5.0, 5.0, None, self.x_label),
            },
        };
        let y = match self.y {
            Some(y) => axis::exactly(y.min, y.max, y.step, self.y_label),
            None => {
                let ranges: Vec<_> =
                    self.curves.iter().filter_map(|curve| range_of_y(&curve.kind, x.min, x.max)).collect();
                let low = ranges.iter().map(|range| range.0).fold(f64::INFINITY, f64::min);
                let high = ranges.iter().map(|range| range.1).fold(f64::NEG_INFINITY, f64::max);
                if ranges.is_empty() {
                    return nothing("no curve has a value in the range of x");
                }
                if low.abs().max(high.abs()) > FURTHEST {
                    return nothing("the values are too large to draw; give a range such as `y: -10..10`");
                }
                axis::around(low, high, self.y_label)
            }
        };
        let several = self.curves.len() > 1;
        let label = |curve: &Drawn| match &curve.label {
            Some(label) => label.clone(),
            None if several || !curve.name.starts_with("y =") => curve.name.clone(),
            None => String::new(),
        };
        let curves = self.curves.iter().map(|curve| Curve { label: label(curve), kind: curve.kind.clone() }).collect();
        Ok(Axes { x, y, curves, caption: self.title, legend: false })
    }

    /// The x of points and parametric curves.
    fn known_x(&self) -> Vec<f64> {
        let mut known = Vec::new();
        for curve in &self.curves {
            match &curve.kind {
                CurveKind::Function(_) | CurveKind::Vectors(_) | CurveKind::Streamlines(_) => {}
                CurveKind::Area(area) => known.extend([area.from, area.to]),
                CurveKind::Parametric(curve) => {
                    let t = Range { min: curve.from, max: curve.to, step: None };
                    known.extend(t.samples().map(|t| expression::value(&curve.x, t)));
                }
                CurveKind::Points(points) | CurveKind::Dots(points) => known.extend(points.iter().map(|point| point.x)),
            }
        }
        known
    }
}

fn range_of_y(kind: &CurveKind, min: f64, max: f64) -> Option<(f64, f64)> {
    let values: Vec<f64> = match kind {
        CurveKind::Function(function) => {
            Range { min, max, step: None }.samples().map(|x| expression::value(function, x)).collect()
        }
        CurveKind::Parametric(curve) => Range { min: curve.from, max: curve.to, step: None }
            .samples()
            .map(|t| expression::value(&curve.y, t))
            .collect(),
        CurveKind::Points(points) | CurveKind::Dots(points) => points.iter().map(|point| point.y).collect(),
        CurveKind::Area(area) => Range { min: area.from, max: area.to, step: None }
            .samples()
            .map(|x| expression::value(&area.function, x))
            .chain([0.0])
            .collect(),
        CurveKind::Vectors(_) | CurveKind::Streamlines(_) => Vec::new(),
    };
    axis::range_of(&values)
}

/// Labels longer than a line are cut.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Axes {
        axes(text).unwrap_or_else(|misread| panic!("{text}: {misread:?}"))
    }

    #[test]
    fn a_function_gets_its_range_from_its_values() {
        let plot = read("y = sin(x)\nx: -3..3");
        assert_eq!((plot.x.min, plot.x.max, plot.x.step), (-3.0, 3.0, 1.0));
        assert_eq!((plot.y.min, plot.y.max, plot.y.step), (-1.0, 1.0, 0.2));
        assert_eq!(plot.curves.len(), 1);
        assert_eq!(plot.curves[0].label, "");
    }

    #[test]
    fn every_statement_is_read() {
        let plot = read(
            "title: Two curves\nx: 0..4 step 2\ny: -1..9\nx label: time\ny-label: height\n# no curve\nf(x) = x^2/2\n\
             y = 2x\n",
        );
        assert_eq!(plot.caption, "Two curves");
        assert_eq!((plot.x.step, plot.x.label.as_str(), plot.y.label.as_str()), (2.0, "time", "height"));
        assert_eq!(plot.curves[0].label, "f(x)");
    }

    #[test]
    fn a_circle_on_one_line() {
        let plot = read("x(t) = 2cos(t); y(t) = 2sin(t); t: 0..2*pi");
        let CurveKind::Parametric(circle) = &plot.curves[0].kind else { panic!("{plot:?}") };
        assert!((circle.to - std::f64::consts::TAU).abs() < 1e-12);
        assert_eq!((plot.x.min, plot.x.max, plot.y.min, plot.y.max), (-2.0, 2.0, -2.0, 2.0));
    }

    #[test]
    fn points_and_a_line_have_labels() {
        let plot = read("points: (0,0) (1, 2), (2,1)\nlabel: measured\ny = x");
        let CurveKind::Points(points) = &plot.curves[0].kind else { panic!("{plot:?}") };
        assert_eq!(points.len(), 3);
        assert_eq!((plot.curves[0].label.as_str(), plot.curves[1].label.as_str()), ("measured", "y = x"));
        assert_eq!((plot.x.min, plot.x.max), (0.0, 2.0));
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at) in [
            ("y = sin(x\n", 9),
            ("x: 3..-3\ny = x", 3),
            ("y = x\nx: -3..foo", 13),
            ("label: none", 0),
            ("color: red\ny = x", 0),
            ("z = x", 0),
            ("", 0),
            ("y = sqrt(-1-x^2)", 0),
            ("points: (1,2) 3", 14),
            ("y(t) = t", 0),
        ] {
            match axes(text) {
                Err(misread) => assert_eq!(misread.at, at, "{text}: {}", misread.why),
                Ok(plot) => panic!("{text} became {plot:?}"),
            }
        }
    }
}
