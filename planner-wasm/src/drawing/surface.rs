//! The fence `surface`: surfaces, curves and solids in space.
//!
//! ````text
//! ```surface
//! z = sin(x) cos(y); x: -3..3; y: -3..3     a surface over the plane
//! x(u,v) = cos(u) sin(v); y(u,v) = …; z(u,v) = …; u: 0..2*pi; v: 0..pi
//! x(t) = cos(t); y(t) = sin(t); z(t) = t/4; t: 0..6*pi     a curve
//! sphere (0,0,0) radius 1 color red : a ball
//! cylinder (0,0,0) radius 1 height 2        also cone
//! box (0,0,0) 1 by 2 by 3
//! torus (0,0,0) 2 and 0.5
//! arrow (0,0,0) (1,1,1)
//! view: 65, -45                             angles of the camera in degrees
//! axes: no; title: …; x label: …
//! label: of the surface or curve above it
//! ```
//! ````

use std::f64::consts::{PI, TAU};

use super::space::{SpaceBuilder, renamed, variable};
use super::style;
use super::words::{FURTHEST, Range, Words, short, statements, yes};
use crate::drawing::expression::ParseError;
use crate::storyboard::{
    Cuboid, Expression, Point3, Solid, SolidKind, Space, SpaceCurve, SpaceStroke, Sphere, Style, Surface, Torus,
    Upright,
};

/// More are slow to draw, and hide each other.
pub(crate) const MOST_SOLIDS: usize = 20;

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn space(text: &str) -> Result<Space, ParseError> {
    let mut reader = Reader { scenery: SpaceBuilder::default(), pending: Default::default(), over_plane: Vec::new() };
    statements(text, |words| reader.statement(words))?;
    reader.finish()
}

struct Reader {
    scenery: SpaceBuilder,
    /// x, y and z of a surface or curve that is not complete, and whether it is a curve.
    pending: ([Option<Expression>; 3], Option<bool>),
    /// Which solids are surfaces over the plane: they follow the ranges of x and y.
    over_plane: Vec<usize>,
}

impl Reader {
    fn statement(&mut self, words: Words<'_>) -> Result<(), ParseError> {
        let (name, _) = words.first();
        if let Some(kind) = ["sphere", "ball", "cylinder", "cone", "box", "cube", "cuboid", "torus", "arrow", "vector"]
            .iter()
            .find(|kind| **kind == name)
        {
            let solid = solid(kind, words)?;
            return self.add(words, solid);
        }
        if let Some((key, value)) = words.setting()
            && !key.contains('=')
        {
            return self.setting(words, &key, value);
        }
        let Some(equals) = words.text.find('=') else {
            let z = words.expression(&["x", "y"])?;
            return self.over_plane(words, z);
        };
        let (left, right) = (words.until(equals), words.from(equals + 1));
        match left.text.replace(' ', "").as_str() {
            "z" | "z(x,y)" | "f(x,y)" => {
                let z = right.expression(&["x", "y"])?;
                self.over_plane(words, z)
            }
            "x(u,v)" => self.part(words, 0, right.expression(&["u", "v"])?, false),
            "y(u,v)" => self.part(words, 1, right.expression(&["u", "v"])?, false),
            "z(u,v)" => self.part(words, 2, right.expression(&["u", "v"])?, false),
            "x(t)" => self.part(words, 0, right.expression(&["t"])?, true),
            "y(t)" => self.part(words, 1, right.expression(&["t"])?, true),
            "z(t)" => self.part(words, 2, right.expression(&["t"])?, true),
            _ => left.wrong("a surface begins with `z =` or `x(u,v) =`, a curve with `x(t) =`"),
        }
    }

    fn setting(&mut self, words: Words<'_>, key: &str, value: Words<'_>) -> Result<(), ParseError> {
        let last = self.scenery.solids.last_mut();
        match key {
            "title" | "caption" => self.scenery.caption = short(value.text),
            "x" => self.scenery.ranges[0] = Some(value.range()?),
            "y" => self.scenery.ranges[1] = Some(value.range()?),
            "z" => self.scenery.ranges[2] = Some(value.range()?),
            "x label" | "xlabel" => self.scenery.labels[0] = short(value.text),
            "y label" | "ylabel" => self.scenery.labels[1] = short(value.text),
            "z label" | "zlabel" => self.scenery.labels[2] = short(value.text),
            "axes" => self.scenery.axes = Some(yes(value.text)),
            "view" | "camera" => {
                let (phi, rest) = value.leading_number()?;
                let rest = if rest.text.starts_with(',') { rest.from(1) } else { rest };
                self.scenery.phi = Some(phi.clamp(0.0, 180.0));
                // Whole turns say nothing.
                self.scenery.theta = if rest.text.is_empty() { None } else { Some(rest.number()? % 360.0) };
            }
            "label" => match last {
                Some(solid) => solid.label = short(value.text),
                None => return words.wrong("a label stands below its surface"),
            },
            "color" | "colour" => match (last, style::colour(value.text)) {
                (Some(solid), Some(colour)) => {
                    solid.style = Some(Style { colour: Some(colour), ..style::unstyled() });
                }
                (None, _) => return words.wrong("a colour stands below its surface"),
                (_, None) => return value.wrong("it is no colour such as `blue` or `#4c8fe8`"),
            },
            "t" | "u" | "v" => {
                let Range { min, max, .. } = value.range()?;
                match (key, last.map(|solid| &mut solid.kind)) {
                    ("t", Some(SolidKind::Curve(curve))) => (curve.from, curve.to) = (min, max),
                    ("u", Some(SolidKind::Surface(surface))) => (surface.u_from, surface.u_to) = (min, max),
                    ("v", Some(SolidKind::Surface(surface))) => (surface.v_from, surface.v_to) = (min, max),
                    _ => return words.wrong("a range of `t`, `u` or `v` stands below its curve or surface"),
                }
            }
            _ => return words.wrong("this setting of a space is not known"),
        }
        Ok(())
    }

    fn add(&mut self, words: Words<'_>, solid: Solid) -> Result<(), ParseError> {
        if self.scenery.solids.len() == MOST_SOLIDS {
            return words.wrong("a space has at most 20 surfaces, curves and solids");
        }
        self.scenery.solids.push(solid);
        Ok(())
    }

    fn over_plane(&mut self, words: Words<'_>, z: Expression) -> Result<(), ParseError> {
        self.over_plane.push(self.scenery.solids.len());
        let kind = SolidKind::Surface(over_plane(z, (-3.0, 3.0), (-3.0, 3.0)));
        self.add(words, Solid { kind, label: String::new(), style: None })
    }

    fn part(&mut self, words: Words<'_>, index: usize, part: Expression, curve: bool) -> Result<(), ParseError> {
        if self.pending.1.is_some_and(|before| before != curve) || self.pending.0[index].is_some() {
            return words.wrong("x, y and z of one curve or surface belong together");
        }
        self.pending.0[index] = Some(part);
        self.pending.1 = Some(curve);
        if let [Some(x), Some(y), Some(z)] = &self.pending.0 {
            let (x, y, z) = (x.clone(), y.clone(), z.clone());
            self.pending = Default::default();
            let kind = if curve {
                SolidKind::Curve(SpaceCurve { x, y, z, from: 0.0, to: TAU })
            } else {
                SolidKind::Surface(Surface { x, y, z, u_from: 0.0, u_to: TAU, v_from: 0.0, v_to: PI })
            };
            self.add(words, Solid { kind, label: String::new(), style: None })?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Space, ParseError> {
        let nothing = |why: &str| Err(ParseError { why: why.to_owned(), at: 0 });
        if self.pending.1.is_some() {
            return nothing("x, y or z of a curve or surface is missing");
        }
        if self.scenery.solids.is_empty() {
            return nothing("it has no surface, curve or solid");
        }
        let ends = |range: Option<Range>| range.map_or((-3.0, 3.0), |range| (range.min, range.max));
        let (x, y) = (ends(self.scenery.ranges[0]), ends(self.scenery.ranges[1]));
        for index in &self.over_plane {
            if let Some(SolidKind::Surface(surface)) = self.scenery.solids.get_mut(*index).map(|solid| &mut solid.kind)
            {
                (surface.u_from, surface.u_to, surface.v_from, surface.v_to) = (x.0, x.1, y.0, y.1);
            }
        }
        self.scenery.space().map_err(|why| ParseError { why, at: 0 })
    }
}

/// The surface `z` over a part of the plane; `z` is of `x` and `y`.
pub(crate) fn over_plane(z: Expression, x: (f64, f64), y: (f64, f64)) -> Surface {
    let z = renamed(z, &[("x", "u"), ("y", "v")]);
    Surface { x: variable("u"), y: variable("v"), z, u_from: x.0, u_to: x.1, v_from: y.0, v_to: y.1 }
}

fn solid(name: &str, words: Words<'_>) -> Result<Solid, ParseError> {
    let colon = words.text.find(':');
    let label = colon.map(|colon| short(words.from(colon + 1).text)).unwrap_or_default();
    let words = colon.map_or(words, |colon| words.until(colon));
    let (_, mut rest) = words.first();
    let mut points = Vec::new();
    while rest.text.starts_with('(') || (!points.is_empty() && rest.text.starts_with("->")) {
        rest = if rest.text.starts_with("->") { rest.from(2) } else { rest };
        let (point, after) = rest.point3()?;
        points.push(point);
        rest = after;
    }
    let mut style = style::unstyled();
    let mut numbers = Vec::new();
    while !rest.text.is_empty() {
        if rest.text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let (number, after) = rest.leading_number()?;
            numbers.push(number);
            rest = after;
            continue;
        }
        let (word, after) = rest.first();
        rest = match word.as_str() {
            "radius" | "height" | "by" | "and" | "size" | "r" | "x" => after,
            "color" | "colour" => {
                let (named, past) = after.first();
                let hash = after.text.split_whitespace().next().filter(|word| word.starts_with('#'));
                let Some(colour) = style::colour(hash.unwrap_or(&named)) else {
                    return after.wrong("it is no colour such as `blue` or `#4c8fe8`");
                };
                style.colour = Some(colour);
                hash.map_or(past, |hash| after.from(hash.len()))
            }
            "opacity" => {
                let (opacity, past) = after.leading_number()?;
                style.opacity = Some(opacity.clamp(0.0, 1.0));
                past
            }
            _ => return rest.wrong("this can't be said of a solid"),
        };
    }
    if numbers.iter().any(|number| !(*number > 0.0 && *number <= FURTHEST)) {
        return words.wrong("its measures must be greater than 0");
    }
    let Some(kind) = kind(name, &points, &numbers) else {
        return words.wrong(match name {
            "arrow" | "vector" => "it needs two different points, such as `(0,0,0) (1,1,1)`",
            "torus" => "it needs two radii, the larger one first, such as `(0,0,0) 2 and 0.5`",
            "box" | "cube" | "cuboid" => "it needs one measure or three, such as `(0,0,0) 1 by 2 by 3`",
            _ => "it has too many points or measures",
        });
    };
    Ok(Solid { kind, label, style: style::or_none(style) })
}

/// A solid of its points and measures; what isn't said is 1. None when they don't fit it.
pub(crate) fn kind(name: &str, points: &[Point3], numbers: &[f64]) -> Option<SolidKind> {
    let origin = Point3 { x: 0.0, y: 0.0, z: 0.0 };
    let center = points.first().copied().unwrap_or(origin);
    if matches!(name, "arrow" | "vector") {
        let (from, to) = match points {
            [from, to] => (*from, *to),
            [to] => (origin, *to),
            _ => return None,
        };
        return (from != to && numbers.is_empty()).then_some(SolidKind::Arrow(SpaceStroke { from, to }));
    }
    if points.len() > 1 {
        return None;
    }
    Some(match (name, numbers) {
        ("sphere" | "ball", []) => SolidKind::Sphere(Sphere { center, radius: 1.0 }),
        ("sphere" | "ball", [radius]) => SolidKind::Sphere(Sphere { center, radius: *radius }),
        ("cylinder" | "cone", [] | [_] | [_, _]) => {
            let radius = numbers.first().copied().unwrap_or(1.0);
            let upright = Upright { base: center, radius, height: numbers.get(1).copied().unwrap_or(2.0) };
            if name == "cone" { SolidKind::Cone(upright) } else { SolidKind::Cylinder(upright) }
        }
        ("box" | "cube" | "cuboid", []) => {
            SolidKind::Cuboid(Cuboid { center, size: Point3 { x: 1.0, y: 1.0, z: 1.0 } })
        }
        ("box" | "cube" | "cuboid", [side]) => {
            SolidKind::Cuboid(Cuboid { center, size: Point3 { x: *side, y: *side, z: *side } })
        }
        ("box" | "cuboid" | "cube", [x, y, z]) => {
            SolidKind::Cuboid(Cuboid { center, size: Point3 { x: *x, y: *y, z: *z } })
        }
        ("torus", []) => SolidKind::Torus(Torus { center, major: 2.0, minor: 0.5 }),
        ("torus", [major, minor]) if minor < major => SolidKind::Torus(Torus { center, major: *major, minor: *minor }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_curves_and_solids_share_a_space() {
        let read = space("title: Waves\nz = sin(x) cos(y)\nlabel: f\nx: -2..2\ncolor: teal\nview: 60, 30").unwrap();
        let SolidKind::Surface(surface) = &read.solids[0].kind else { panic!("{read:?}") };
        assert_eq!((surface.u_from, surface.u_to, surface.v_from), (-2.0, 2.0, -3.0));
        let axes = read.axes.unwrap();
        assert_eq!((axes.x.min, axes.z.min, axes.z.max), (-2.0, -1.0, 1.0));
        assert_eq!((read.phi, read.theta, read.solids[0].label.as_str()), (Some(60.0), Some(30.0), "f"));
        assert_eq!(space("z = x; view: 60, 36030").unwrap().theta, Some(30.0));
        let helix = space("x(t) = cos(t); y(t) = sin(t); z(t) = t/4; t: 0..6*pi").unwrap();
        let SolidKind::Curve(curve) = &helix.solids[0].kind else { panic!("{helix:?}") };
        assert!(curve.to > 18.0);
        let ball =
            space("x(u,v) = cos(u) sin(v)\ny(u,v) = sin(u) sin(v)\nz(u,v) = cos(v)\nu: 0..2*pi; v: 0..pi").unwrap();
        assert!(matches!(ball.solids[0].kind, SolidKind::Surface(_)));
        let solids = "sphere (0,0,0) radius 1 color red : a ball\ncylinder (3,0,0) radius 1 height 2\ncone (0,3,0) 1 2 opacity 0.5\n\
                      box (0,0,3) 1 by 2 by 3\ntorus (0,0,0) 2 and 0.5\narrow (0,0,0) -> (1,1,1)";
        let solids = space(solids).unwrap();
        assert_eq!((solids.solids.len(), solids.axes.is_none()), (6, true));
        assert_eq!(solids.solids[0].label, "a ball");
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at) in [
            ("z = sin(q)", 8),
            ("sphere (0,0,0) radius -1", 22),
            ("sphere (0,0) radius 1", 7),
            ("x(t) = t", 0),
            ("x(t) = t; y(u,v) = u", 10),
            ("torus (0,0,0) 1 and 2", 0),
            ("w = x", 0),
            ("t: 0..1", 0),
            ("", 0),
        ] {
            assert_eq!(space(text).unwrap_err().at, at, "{text}");
        }
    }
}
