//! A space in three dimensions, with axes that hold what is drawn in it.

use super::words::{FURTHEST, Range};
use crate::drawing::axis;
use crate::drawing::expression::Evaluator;
use crate::storyboard::{Axis, Expression, Point3, Solid, SolidKind, Space, SpaceAxes, Token};

/// Samples along each parameter of a surface, from which ranges are found.
const SAMPLES: usize = 25;

/// What is known of a space before its axes are.
#[derive(Debug, Clone)]
pub(crate) struct SpaceBuilder {
    pub(crate) caption: String,
    /// Ranges and labels of x, y and z.
    pub(crate) ranges: [Option<Range>; 3],
    pub(crate) labels: [String; 3],
    /// Whether axes are wanted; none means when there are curves or surfaces.
    pub(crate) axes: Option<bool>,
    pub(crate) solids: Vec<Solid>,
    /// Angles of the camera, in degrees.
    pub(crate) phi: Option<f64>,
    pub(crate) theta: Option<f64>,
}

impl Default for SpaceBuilder {
    fn default() -> Self {
        Self {
            caption: String::new(),
            ranges: [None; 3],
            labels: ["x", "y", "z"].map(str::to_owned),
            axes: None,
            solids: Vec::new(),
            phi: None,
            theta: None,
        }
    }
}

impl SpaceBuilder {
    /// The space.
    ///
    /// # Errors
    /// In words, why there is nothing to see.
    pub(crate) fn space(self) -> Result<Space, String> {
        let plotted = |solid: &Solid| matches!(solid.kind, SolidKind::Curve(_) | SolidKind::Surface(_));
        let wanted = self.axes.unwrap_or_else(|| self.solids.is_empty() || self.solids.iter().any(plotted));
        let mut points = [Vec::new(), Vec::new(), Vec::new()];
        for solid in &self.solids {
            bounds(&solid.kind, &mut points);
        }
        let mut axes = Vec::new();
        for ((range, label), values) in self.ranges.into_iter().zip(self.labels).zip(points) {
            let found = axis::range_of(&values);
            if found.is_none() && !values.is_empty() {
                return Err("a surface or curve has no value in its range".to_owned());
            }
            if found.is_some_and(|(low, high)| low.abs().max(high.abs()) > FURTHEST) {
                return Err("the values are too large to draw".to_owned());
            }
            axes.push(match (range, found) {
                (Some(range), _) => axis::exactly(range.min, range.max, range.step, label),
                (None, Some((low, high))) => axis::around(low, high, label),
                (None, None) => axis::exactly(-3.0, 3.0, Some(1.0), label),
            });
        }
        // An axis may reach further than what it holds.
        if wanted && axes.iter().any(|axis| axis.min.abs().max(axis.max.abs()) > FURTHEST) {
            return Err("the values are too large to draw".to_owned());
        }
        let [x, y, z]: [Axis; 3] = axes.try_into().map_err(|_| "a space has three axes".to_owned())?;
        let axes = wanted.then_some(SpaceAxes { x, y, z });
        Ok(Space { axes, solids: self.solids, phi: self.phi, theta: self.theta, caption: self.caption })
    }
}

/// Some points of a solid: enough to know how far it reaches.
fn bounds(kind: &SolidKind, points: &mut [Vec<f64>; 3]) {
    let mut add = |x: f64, y: f64, z: f64| {
        points[0].push(x);
        points[1].push(y);
        points[2].push(z);
    };
    let mut cuboid = |center: Point3, x: f64, y: f64, z: f64| {
        add(center.x - x, center.y - y, center.z - z);
        add(center.x + x, center.y + y, center.z + z);
    };
    match kind {
        SolidKind::Sphere(sphere) => cuboid(sphere.center, sphere.radius, sphere.radius, sphere.radius),
        SolidKind::Cuboid(solid) => cuboid(solid.center, solid.size.x / 2.0, solid.size.y / 2.0, solid.size.z / 2.0),
        SolidKind::Cylinder(solid) | SolidKind::Cone(solid) => {
            let half = solid.height / 2.0;
            cuboid(Point3 { z: solid.base.z + half, ..solid.base }, solid.radius, solid.radius, half);
        }
        SolidKind::Torus(torus) => {
            let out = torus.major + torus.minor;
            cuboid(torus.center, out, out, torus.minor);
        }
        SolidKind::Arrow(arrow) => {
            add(arrow.from.x, arrow.from.y, arrow.from.z);
            add(arrow.to.x, arrow.to.y, arrow.to.z);
        }
        SolidKind::Curve(curve) => {
            let range = Range { min: curve.from, max: curve.to, step: None };
            let [mut x, mut y, mut z] = [&curve.x, &curve.y, &curve.z].map(Evaluator::of);
            range.samples().for_each(|t| add(x.at(|_| t), y.at(|_| t), z.at(|_| t)));
        }
        SolidKind::Surface(surface) => {
            let [mut x, mut y, mut z] = [&surface.x, &surface.y, &surface.z].map(Evaluator::of);
            for i in 0..SAMPLES {
                for j in 0..SAMPLES {
                    let share = |index: usize| index as f64 / (SAMPLES - 1) as f64;
                    let u = surface.u_from + (surface.u_to - surface.u_from) * share(i);
                    let v = surface.v_from + (surface.v_to - surface.v_from) * share(j);
                    let of = |name: &str| if name == "u" { u } else { v };
                    add(x.at(of), y.at(of), z.at(of));
                }
            }
        }
    }
}

/// The tree with its variables renamed; what is written stays.
pub(crate) fn renamed(mut expression: Expression, names: &[(&str, &str)]) -> Expression {
    for token in &mut expression.postfix {
        if let Token::Variable(name) = token
            && let Some((_, to)) = names.iter().find(|(from, _)| from == name)
        {
            *name = (*to).to_owned();
        }
    }
    expression
}

/// A variable as an expression.
pub(crate) fn variable(name: &str) -> Expression {
    Expression { source: name.to_owned(), postfix: vec![Token::Variable(name.to_owned())] }
}
