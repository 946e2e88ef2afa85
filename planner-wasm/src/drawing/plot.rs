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
//! colour: red                         of the curve above it
//! x(t) = cos(t); y(t) = sin(t); t: 0..2*pi
//! points: (0,0) (1,2) (2,1)           joined by straight lines
//! dots: (0,0) (1,2)                   not joined
//! arrow: (1,0) (3,2)                  from point to point; `vector: (2,1)` begins at the origin
//! area: exp(-x) from 0 to 2           between a curve and the axis
//! field: (-y, x)                      arrows; in a fence `vectors` brackets alone say the same
//! streamlines: (-y, x)                lines that follow the field
//! legend: yes                         labels in a box instead of at their curves
//! # a remark
//! ```
//! ````
//!
//! Statements end at a line's end or at `;`. Expressions are those of `expression`.

use super::axes::AxesBuilder;
use super::style;
use super::words::{Range, Words, short, statements, yes};
use crate::drawing::expression::ParseError;
use crate::storyboard::{Area, Axes, Curve, CurveKind, Expression, Field, Parametric, Point, Stroke};

const MOST_CURVES: usize = 12;
const MOST_POINTS: usize = 1_000;

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn axes(text: &str) -> Result<Axes, ParseError> {
    let mut plot = Plot::default();
    statements(text, |words| plot.statement(words))?;
    plot.finish()
}

/// What was read so far.
#[derive(Default)]
struct Plot {
    /// Its curves come last.
    plane: AxesBuilder,
    t: Option<Range>,
    curves: Vec<Drawn>,
    /// The x of a parametric curve whose y is still to come.
    x_of_t: Option<Expression>,
}

struct Drawn {
    /// Given by the author.
    label: Option<String>,
    colour: Option<String>,
    /// Used when there are several curves to tell apart.
    name: String,
    kind: CurveKind,
    /// Its own `t:` is yet to come.
    waits_for_t: bool,
}

impl Plot {
    fn statement(&mut self, words: Words<'_>) -> Result<(), ParseError> {
        if words.text.starts_with('(') {
            return match self.curves.last() {
                Some(Drawn { kind: CurveKind::Points(_) | CurveKind::Dots(_), .. }) => self.points(words),
                _ => self.field(words, words, CurveKind::Vectors),
            };
        }
        if let Some((key, value)) = words.setting() {
            match key.as_str() {
                "title" | "caption" => self.plane.caption = short(value.text),
                "x label" | "xlabel" => self.plane.x_label = short(value.text),
                "y label" | "ylabel" => self.plane.y_label = short(value.text),
                "legend" => self.plane.legend = yes(value.text),
                "label" => {
                    let Some(curve) = self.curves.last_mut() else {
                        return words.wrong("a label stands below its curve");
                    };
                    curve.label = Some(short(value.text));
                }
                "colour" | "color" => {
                    let Some(curve) = self.curves.last_mut() else {
                        return words.wrong("a colour stands below its curve");
                    };
                    let Some(colour) = style::colour(value.text) else {
                        return value.wrong("this is no colour, such as `red` or `#ff8800`");
                    };
                    curve.colour = Some(colour);
                }
                "x" => self.plane.x = Some(value.range()?),
                "y" => self.plane.y = Some(value.range()?),
                "t" => return self.range_of_t(value.range()?),
                "points" => {
                    self.draw(words, String::new(), CurveKind::Points(Vec::new()))?;
                    return self.points(value);
                }
                "dots" => {
                    self.draw(words, String::new(), CurveKind::Dots(Vec::new()))?;
                    return self.points(value);
                }
                "arrow" => return self.arrow(words, value, None),
                "vector" => return self.arrow(words, value, Some(Point { x: 0.0, y: 0.0 })),
                "area" => return self.area(words, value),
                "field" | "vectors" => return self.field(words, value, CurveKind::Vectors),
                "streamlines" | "stream lines" => return self.field(words, value, CurveKind::Streamlines),
                _ if !words.text.contains('=') => return words.wrong("this setting of a plot is not known"),
                _ => return self.curve(words),
            }
            return Ok(());
        }
        if words.text == "legend" {
            self.plane.legend = true;
            return Ok(());
        }
        self.curve(words)
    }

    fn curve(&mut self, words: Words<'_>) -> Result<(), ParseError> {
        let Some(equals) = words.text.find('=') else {
            let curve = words.expression(&["x"])?;
            return self.draw(words, format!("y = {}", curve.source), CurveKind::Function(curve));
        };
        let (left, right) = (words.until(equals), words.from(equals + 1));
        let left_name = left.text.replace(' ', "");
        match left_name.as_str() {
            "x" | "x(t)" => self.x_of_t = Some(right.expression(&["t"])?),
            "y" | "y(t)" if self.x_of_t.is_some() || left_name == "y(t)" => {
                let y = right.expression(&["t"])?;
                let Some(x) = self.x_of_t.take() else { return words.wrong("`x(t) = …` must come before it") };
                let (from, to) = self.t.map_or((0.0, std::f64::consts::TAU), |t| (t.min, t.max));
                self.draw(words, String::new(), CurveKind::Parametric(Parametric { x, y, from, to }))?;
                if let Some(curve) = self.curves.last_mut() {
                    curve.waits_for_t = true;
                }
            }
            "F(x,y)" | "f(x,y)" | "v(x,y)" | "field" | "F" => return self.field(words, right, CurveKind::Vectors),
            "y" => {
                let curve = right.expression(&["x"])?;
                self.draw(words, format!("y = {}", curve.source), CurveKind::Function(curve))?;
            }
            name if name.ends_with("(x)") && name.len() < 20 => {
                let curve = right.expression(&["x"])?;
                self.draw(words, name.to_owned(), CurveKind::Function(curve))?;
            }
            _ => return left.wrong("a curve begins with `y =`, `f(x) =` or `x(t) =`"),
        }
        Ok(())
    }

    fn draw(&mut self, words: Words<'_>, name: String, kind: CurveKind) -> Result<(), ParseError> {
        if self.curves.len() == MOST_CURVES {
            return words.wrong("a plot has at most 12 curves");
        }
        self.curves.push(Drawn { label: None, colour: None, name: short(&name), kind, waits_for_t: false });
        Ok(())
    }

    fn range_of_t(&mut self, range: Range) -> Result<(), ParseError> {
        match self.curves.last_mut() {
            Some(Drawn { kind: CurveKind::Parametric(curve), waits_for_t: waits @ true, .. }) => {
                (curve.from, curve.to) = (range.min, range.max);
                *waits = false;
            }
            _ => self.t = Some(range),
        }
        Ok(())
    }

    fn area(&mut self, words: Words<'_>, value: Words<'_>) -> Result<(), ParseError> {
        let (function, ends) = match value.text.rfind(" from ") {
            Some(at) => (value.until(at), Some(value.from(at + 6).range()?)),
            None => (value, None),
        };
        let function = match function.text.find('=') {
            Some(equals) => function.from(equals + 1),
            None => function,
        };
        // No number is an end that is still to be found.
        let (from, to) = ends.map_or((f64::NAN, f64::NAN), |ends| (ends.min, ends.max));
        self.draw(words, String::new(), CurveKind::Area(Area { function: function.expression(&["x"])?, from, to }))
    }

    fn field(&mut self, words: Words<'_>, value: Words<'_>, kind: fn(Field) -> CurveKind) -> Result<(), ParseError> {
        let (x, y) = value.pair(&["x", "y"])?;
        self.draw(words, String::new(), kind(Field { x, y }))
    }

    /// An arrow to a point, from the origin or the point before it.
    fn arrow(&mut self, words: Words<'_>, value: Words<'_>, from: Option<Point>) -> Result<(), ParseError> {
        let (from, rest) = match from {
            Some(from) => (from, value),
            None => value.point()?,
        };
        let (to, rest) = rest.point()?;
        if !rest.text.is_empty() {
            return rest.wrong("something is left over");
        }
        if from == to {
            return words.wrong("an arrow goes from one point to another, as in `(0,0) (2,1)`");
        }
        self.draw(words, String::new(), CurveKind::Arrow(Stroke { from, to }))
    }

    fn points(&mut self, words: Words<'_>) -> Result<(), ParseError> {
        let mut rest = words;
        while !rest.text.is_empty() {
            rest = if rest.text.starts_with(',') { rest.from(1) } else { rest };
            if !rest.text.starts_with('(') {
                return rest.wrong("points are written `(0,0) (1,2)`");
            }
            let (point, after) = rest.point()?;
            if let Some(Drawn { kind: CurveKind::Points(points) | CurveKind::Dots(points), .. }) =
                self.curves.last_mut()
            {
                if points.len() == MOST_POINTS {
                    return rest.wrong("a curve has at most 1000 points");
                }
                points.push(point);
            }
            rest = after;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Axes, ParseError> {
        let nothing = |why: &str| Err(ParseError { why: why.to_owned(), at: 0 });
        if self.x_of_t.is_some() {
            return nothing("`y(t) = …` is missing");
        }
        if self.curves.is_empty() {
            return nothing("it has no curve");
        }
        let empty =
            |kind: &CurveKind| matches!(kind, CurveKind::Points(points) | CurveKind::Dots(points) if points.is_empty());
        if self.curves.iter().any(|curve| empty(&curve.kind)) {
            return nothing("it has points without numbers");
        }
        let several = self.curves.len() > 1;
        let label = |curve: &Drawn| match &curve.label {
            Some(label) => label.clone(),
            None if several || !curve.name.starts_with("y =") => curve.name.clone(),
            None => String::new(),
        };
        let curves = std::mem::take(&mut self.curves).into_iter();
        let curves = curves.map(|curve| Curve { label: label(&curve), kind: curve.kind, colour: curve.colour });
        self.plane.curves = curves.collect();
        self.whole_range();
        self.plane.axes().map_err(|why| ParseError { why, at: 0 })
    }

    /// An area that was given no ends reaches over the whole range of x.
    fn whole_range(&mut self) {
        let x = self.plane.x.map_or((-5.0, 5.0), |x| (x.min, x.max));
        for curve in &mut self.plane.curves {
            if let CurveKind::Area(area) = &mut curve.kind
                && area.from.is_nan()
            {
                (area.from, area.to) = x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Axes {
        axes(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
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
    fn arrows_go_from_point_to_point() {
        let plot = read("arrow: (1,0) (3,2)\nlabel: u\nvector: (-2,1)");
        let way = |curve: &Curve| match &curve.kind {
            CurveKind::Arrow(way) => (way.from.x, way.from.y, way.to.x, way.to.y),
            other => panic!("{other:?}"),
        };
        assert_eq!((way(&plot.curves[0]), plot.curves[0].label.as_str()), ((1.0, 0.0, 3.0, 2.0), "u"));
        assert_eq!(way(&plot.curves[1]), (0.0, 0.0, -2.0, 1.0));
        assert!(plot.x.min <= -2.0 && plot.x.max >= 3.0 && plot.y.min <= 0.0 && plot.y.max >= 2.0, "{plot:?}");
        for wrong in ["arrow: (1,1)", "arrow: (1,1) (1,1)", "vector: (0,0)", "vector: (1,1) (2,2)", "arrow:"] {
            assert!(axes(wrong).is_err(), "{wrong}");
        }
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
    fn a_curve_has_a_colour_of_its_own() {
        let plot = read("y = x\ncolour: Red\ny = 2x\ny = 3x\ncolor: #00AAFF");
        let colours: Vec<_> = plot.curves.iter().map(|curve| curve.colour.as_deref()).collect();
        assert_eq!(colours, [Some("red"), None, Some("#00aaff")]);
        assert_eq!(axes("y = x\ncolour: of the sea").unwrap_err().at, 14);
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
    fn areas_dots_and_fields_are_drawn() {
        let plot = read("y = x^2; area: x^2 from 0 to 2; label: its area\ndots: (0,0) (2,4)\nlegend: yes\nx: 0..3");
        let CurveKind::Area(area) = &plot.curves[1].kind else { panic!("{plot:?}") };
        assert_eq!((area.from, area.to, plot.curves[1].label.as_str(), plot.legend), (0.0, 2.0, "its area", true));
        assert!(matches!(&plot.curves[2].kind, CurveKind::Dots(dots) if dots.len() == 2));
        let whole = read("area: sin(x)\nx: 0..pi");
        let CurveKind::Area(area) = &whole.curves[0].kind else { panic!("{whole:?}") };
        assert!((area.from, area.to) == (0.0, std::f64::consts::PI));
        let field = read("(-y, x)\nstreamlines: (y, max(x, 0))");
        assert!(matches!(field.curves[0].kind, CurveKind::Vectors(_)));
        assert!(matches!(field.curves[1].kind, CurveKind::Streamlines(_)));
        assert_eq!((field.x.min, field.y.max), (-3.0, 3.0));
        let part = read("y = x^2\narea: x^2 from 0 to 2");
        assert!(part.x.min < 0.0 && part.x.max > 2.0, "the curve goes on beyond its area: {:?}", part.x);
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
                Err(error) => assert_eq!(error.at, at, "{text}: {}", error.why),
                Ok(plot) => panic!("{text} became {plot:?}"),
            }
        }
    }
}
