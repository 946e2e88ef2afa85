//! The fence `shapes`: figures in one plane, drawn to one scale.
//!
//! ````text
//! ```shapes
//! polygon (0,0) (4,0) (4,3) : triangle      corners; what stands after the `:` is its label
//! circle (0,0) radius 2 color red
//! ellipse (0,0) 4 by 2 fill blue opacity 0.5
//! rectangle (1,1) 4 by 2
//! annulus (0,0) 1 to 2
//! arrow (0,0) (1,2) : v                     also line, dashed, brace
//! dot (1,1) : P
//! label (0,2) : words at a point
//! ```
//! ````

use super::style;
use super::words::{FURTHEST, Words, short, statements};
use crate::drawing::expression::ParseError;
use crate::storyboard::{Annulus, Circle, Drawing, Extent, Point, Shape, ShapeKind, Stroke, Style};

/// More are no longer told apart.
pub(crate) const MOST_SHAPES: usize = 100;
const MOST_CORNERS: usize = 200;

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn drawing(text: &str) -> Result<Drawing, ParseError> {
    let mut shapes = Vec::new();
    statements(text, |words| {
        if shapes.len() == MOST_SHAPES {
            return words.wrong("a drawing has at most 100 shapes");
        }
        shapes.push(shape(words)?);
        Ok(())
    })?;
    if shapes.is_empty() {
        return Err(ParseError { why: "it has no shape".to_owned(), at: 0 });
    }
    Ok(Drawing { shapes })
}

fn shape(words: Words<'_>) -> Result<Shape, ParseError> {
    let colon = words.text.find(':');
    let label = colon.map(|colon| short(words.from(colon + 1).text)).unwrap_or_default();
    let words = colon.map_or(words, |colon| words.until(colon));
    let (name, rest) = words.first();
    let (points, rest) = points(rest)?;
    let mut given = Given { points, numbers: Vec::new(), style: style::unstyled() };
    given.options(rest)?;
    let kind = given.kind(&name, words)?;
    if matches!(kind, ShapeKind::Label(_)) && label.is_empty() {
        return words.wrong("a label needs words after a `:`");
    }
    Ok(Shape { kind, label, style: style::or_none(given.style) })
}

fn points(mut rest: Words<'_>) -> Result<(Vec<Point>, Words<'_>), ParseError> {
    let mut points = Vec::new();
    loop {
        for mark in ["->", "→", "to ", ","] {
            let after = rest.text.strip_prefix(mark).map(|_| rest.from(mark.len()));
            rest = after.filter(|after| !points.is_empty() && after.text.starts_with('(')).unwrap_or(rest);
        }
        if !rest.text.starts_with('(') {
            return Ok((points, rest));
        }
        if points.len() == MOST_CORNERS {
            return rest.wrong("a shape has at most 200 corners");
        }
        let (point, after) = rest.point()?;
        points.push(point);
        rest = after;
    }
}

/// What stands after a shape's name.
struct Given {
    points: Vec<Point>,
    numbers: Vec<f64>,
    style: Style,
}

impl Given {
    fn options(&mut self, mut rest: Words<'_>) -> Result<(), ParseError> {
        while !rest.text.is_empty() {
            if rest.text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+')) {
                let end =
                    rest.text.find(|c: char| c.is_whitespace() || c == 'x' || c == '×').unwrap_or(rest.text.len());
                self.numbers.push(rest.until(end).number()?);
                rest = rest.from(end);
                continue;
            }
            let (word, after) = rest.first();
            match word.as_str() {
                "radius" | "by" | "x" | "to" | "size" | "inner" | "outer" | "and" | "r" => rest = after,
                "color" | "colour" | "fill" => {
                    let end = after.text.find(char::is_whitespace).unwrap_or(after.text.len());
                    let Some(colour) = style::colour(&after.text[..end]) else {
                        return after.wrong("it is no colour such as `blue` or `#4c8fe8`");
                    };
                    let target = if word == "fill" { &mut self.style.fill } else { &mut self.style.colour };
                    *target = Some(colour);
                    rest = after.from(end);
                }
                "opacity" => {
                    let (opacity, after) = after.leading_number()?;
                    self.style.opacity = Some(opacity.clamp(0.0, 1.0));
                    rest = after;
                }
                // `4x2`
                _ if rest
                    .text
                    .strip_prefix('x')
                    .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit())) =>
                {
                    rest = rest.from(1);
                }
                _ if rest.text.starts_with('×') => rest = rest.from('×'.len_utf8()),
                _ => return rest.wrong("this can't be said of a shape"),
            }
        }
        Ok(())
    }

    fn kind(&self, name: &str, words: Words<'_>) -> Result<ShapeKind, ParseError> {
        let points = &self.points;
        let origin = Point { x: 0.0, y: 0.0 };
        let center = points.first().copied().unwrap_or(origin);
        let positive = |number: f64| number > 0.0 && number <= FURTHEST;
        let kind = match (name, self.numbers.as_slice()) {
            ("polygon" | "triangle", []) if points.len() >= 3 => ShapeKind::Polygon(points.clone()),
            ("polygon" | "triangle", _) => return words.wrong("a polygon needs at least three corners"),
            ("circle", []) => ShapeKind::Circle(Circle { center, radius: 1.0 }),
            ("circle", [radius]) if positive(*radius) => ShapeKind::Circle(Circle { center, radius: *radius }),
            ("ellipse", [width, height]) if positive(*width) && positive(*height) => {
                ShapeKind::Ellipse(Extent { center, width: *width, height: *height })
            }
            ("rectangle" | "box", [width, height]) if positive(*width) && positive(*height) => {
                ShapeKind::Rectangle(Extent { center, width: *width, height: *height })
            }
            ("square" | "rectangle", [side]) if positive(*side) => {
                ShapeKind::Rectangle(Extent { center, width: *side, height: *side })
            }
            ("annulus" | "ring", [inner, outer]) if *inner >= 0.0 && outer > inner && positive(*outer) => {
                ShapeKind::Annulus(Annulus { center, inner: *inner, outer: *outer })
            }
            ("dot" | "point", []) if points.len() == 1 => ShapeKind::Dot(center),
            ("label" | "text", []) if points.len() == 1 => ShapeKind::Label(center),
            ("arrow" | "vector" | "line" | "segment" | "dashed" | "dashed-line" | "brace", []) => {
                let stroke = match points.as_slice() {
                    [from, to] if from != to => Stroke { from: *from, to: *to },
                    [to] if name == "vector" && *to != origin => Stroke { from: origin, to: *to },
                    _ => return words.wrong("it needs two different points, such as `(0,0) (1,2)`"),
                };
                match name {
                    "arrow" | "vector" => ShapeKind::Arrow(stroke),
                    "brace" => ShapeKind::Brace(stroke),
                    "line" | "segment" => ShapeKind::Line(stroke),
                    _ => ShapeKind::DashedLine(stroke),
                }
            }
            ("ellipse" | "rectangle" | "box" | "square", _) => {
                return words.wrong("it needs a width and a height, such as `(0,0) 4 by 2`");
            }
            ("circle", _) => return words.wrong("it needs a radius greater than 0, such as `(0,0) radius 2`"),
            ("annulus" | "ring", _) => return words.wrong("it needs two radii, such as `(0,0) 1 to 2`"),
            ("dot" | "point" | "label" | "text", _) => return words.wrong("it needs one point, such as `(1,1)`"),
            _ => return words.wrong("this shape is not known"),
        };
        Ok(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read() {
        let text = "polygon (0,0) (4,0) (4,3) : triangle\ncircle (0,0) radius 2 color red\nellipse (0,0) 4 by 2 fill #4c8fe8 \
                    opacity 0.5\nrectangle (1,1) 4x2\nannulus (0,0) 1 to 2\narrow (0,0) -> (1,2) : v\nline (0,0) to (1,1); dashed \
                    (0,0) (1,0)\nbrace (0,0) (4,0) : 4\ndot (1,1) : P\nlabel (0,sqrt(4)) : words: more\nvector (1,2)\nsquare (0,0) 3";
        let drawing = drawing(text).unwrap();
        assert_eq!(drawing.shapes.len(), 13);
        assert_eq!(drawing.shapes[0].label, "triangle");
        assert_eq!(drawing.shapes[1].style.as_ref().unwrap().colour.as_deref(), Some("red"));
        let style = drawing.shapes[2].style.as_ref().unwrap();
        assert_eq!((style.fill.as_deref(), style.opacity), (Some("#4c8fe8"), Some(0.5)));
        assert_eq!(drawing.shapes[10].kind, ShapeKind::Label(Point { x: 0.0, y: 2.0 }));
        assert_eq!(drawing.shapes[10].label, "words: more");
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at) in [
            ("circle (0,0) radius -1", 0),
            ("blob (0,0)", 0),
            ("dot (0,0)\nline (0,0) (0,0)", 10),
            ("polygon (0,0) (1,1)", 0),
            ("circle (0,0", 7),
            ("circle (0,0) color dirt", 19),
            ("circle (0,0) twice", 13),
            ("dot (a,1)", 5),
            ("", 0),
        ] {
            assert_eq!(drawing(text).unwrap_err().at, at, "{text}");
        }
    }
}
