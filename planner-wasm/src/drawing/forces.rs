//! The fence `forces`: a body and the forces on it, as a free-body diagram.
//!
//! ````text
//! ```forces
//! body: block                what is shown in the body
//! down: mg                   a direction, or an angle in degrees from the right, counter-clockwise
//! up 1.5: N                  and how long the arrow is against the others
//! 30: T
//! ```
//! ````

use super::style;
use super::words::{short, statements};
use crate::drawing::expression::ParseError;
use crate::storyboard::{Drawing, Extent, Point, Shape, ShapeKind, Stroke};

/// Forces on one body that are told apart.
pub(crate) const MOST_FORCES: usize = 12;
/// Half of the body's width and height, how long an arrow is, and how far those of one direction are apart.
const HALF: (f64, f64) = (0.9, 0.6);
const LENGTH: f64 = 1.8;
const APART: f64 = 0.4;
/// Arrows are at least and at most so long against others.
const SHORTEST: f64 = 0.4;
const LONGEST: f64 = 2.0;

/// A force on a body.
#[derive(Debug, Clone)]
pub(crate) struct Force {
    pub(crate) label: String,
    /// Degrees from the right, counter-clockwise.
    pub(crate) angle: f64,
    /// Against the others.
    pub(crate) length: f64,
}

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn forces(text: &str) -> Result<Drawing, ParseError> {
    let mut body = String::new();
    let mut all = Vec::new();
    statements(text, |words| {
        let Some((name, label)) = words.setting() else {
            return words.wrong("it needs a direction and a name, such as `down: mg`");
        };
        if matches!(name.as_str(), "body" | "object") {
            body = short(label.text);
            return Ok(());
        }
        if all.len() == MOST_FORCES {
            return words.wrong("a body has at most 12 forces");
        }
        let (direction, length) = match name.rsplit_once(' ') {
            Some((direction, length)) if length.parse::<f64>().is_ok() => (direction, length.parse().ok()),
            _ => (name.as_str(), None),
        };
        let Some(angle) = angle(direction) else {
            return words.wrong("it is no direction such as `up`, `left` or `30`");
        };
        let label = short(label.text);
        all.push(Force { label, angle, length: length.unwrap_or(1.0) });
        Ok(())
    })?;
    if all.is_empty() {
        return Err(ParseError { why: "it has no force".to_owned(), at: 0 });
    }
    Ok(diagram(&body, &all))
}

/// The angle of a direction in words, or in degrees.
pub(crate) fn angle(direction: &str) -> Option<f64> {
    let word = direction.trim().to_lowercase().replace(['-', '_'], " ");
    Some(match word.as_str() {
        "right" | "east" | "rightward" | "rightwards" | "forward" | "+x" => 0.0,
        "up right" | "right up" | "northeast" => 45.0,
        "up" | "north" | "upward" | "upwards" | "top" | "+y" => 90.0,
        "up left" | "left up" | "northwest" => 135.0,
        "left" | "west" | "leftward" | "leftwards" | "backward" | " x" | "x" => 180.0,
        "down left" | "left down" | "southwest" => 225.0,
        "down" | "south" | "downward" | "downwards" | "bottom" | " y" | "y" => 270.0,
        "down right" | "right down" | "southeast" => 315.0,
        _ => {
            let number = direction.trim().trim_end_matches(['°', ' ']).trim_end_matches("deg").trim_end();
            number.parse::<f64>().ok().filter(|angle| angle.is_finite() && angle.abs() <= 3_600.0)?
        }
    })
}

/// The body with an arrow for each force, from its edge outwards.
pub(crate) fn diagram(body: &str, forces: &[Force]) -> Drawing {
    let origin = Point { x: 0.0, y: 0.0 };
    let extent = Extent { center: origin, width: 2.0 * HALF.0, height: 2.0 * HALF.1 };
    let mut shapes = vec![Shape {
        kind: ShapeKind::Rectangle(extent),
        label: String::new(),
        style: style::or_none(style::unstyled()),
    }];
    if !body.is_empty() {
        shapes.push(Shape { kind: ShapeKind::Label(origin), label: body.to_owned(), style: None });
    }
    for (index, force) in forces.iter().enumerate() {
        let radians = force.angle.to_radians();
        let (cos, sin) = (libm::cos(radians), libm::sin(radians));
        let same = |other: &&Force| libm::fabs(other.angle - force.angle) < 1.0;
        let all = forces.iter().filter(same).count();
        let before = forces[..index].iter().filter(same).count();
        // Those of one direction stand side by side.
        let aside = APART * (before as f64 - (all as f64 - 1.0) / 2.0);
        let reach = f64::min(HALF.0 / libm::fabs(cos).max(1e-9), HALF.1 / libm::fabs(sin).max(1e-9));
        let at = |far: f64| Point { x: far * cos - aside * sin, y: far * sin + aside * cos };
        let length = LENGTH * force.length.clamp(SHORTEST, LONGEST);
        let stroke = Stroke { from: at(reach), to: at(reach + length) };
        shapes.push(Shape { kind: ShapeKind::Arrow(stroke), label: force.label.clone(), style: None });
    }
    Drawing { shapes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forces_are_arrows_from_the_edge_of_the_body_outwards() {
        let drawing = forces("body: block\ndown: mg\nup 0.5: N\n180: friction\nright: F; right: F_2").unwrap();
        let arrows: Vec<(&str, Stroke)> = drawing
            .shapes
            .iter()
            .filter_map(|shape| match &shape.kind {
                ShapeKind::Arrow(stroke) => Some((shape.label.as_str(), stroke.clone())),
                _ => None,
            })
            .collect();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert_eq!(arrows.iter().map(|(label, _)| *label).collect::<Vec<_>>(), ["mg", "N", "friction", "F", "F_2"]);
        let (down, up, left) = (&arrows[0].1, &arrows[1].1, &arrows[2].1);
        assert!(near(down.from.y, -0.6) && near(down.to.y, -2.4) && near(down.to.x, 0.0), "{down:?}");
        assert!(near(up.from.y, 0.6) && near(up.to.y, 1.5), "{up:?}");
        assert!(near(left.from.x, -0.9) && near(left.to.x, -2.7), "{left:?}");
        assert!(near((arrows[3].1.from.y - arrows[4].1.from.y).abs(), APART), "two of one direction lie apart");
        assert_eq!(drawing.shapes[1].label, "block");
        for (text, at) in [("", 0), ("body: x", 0), ("down mg", 0), ("up: N\nsideways: F", 6)] {
            assert_eq!(forces(text).unwrap_err().at, at, "{text}");
        }
    }
}
