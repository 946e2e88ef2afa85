//! Figures: numbers are numbers, lengths are lengths, and expressions can be worked out.

use crate::types::{
    Axes, Axis, CurveKind, Drawing, Expression, Point, Point3, Shape, ShapeKind, Solid, SolidKind, Space, Token,
    Upright, arity,
};

use super::element::ITEMS;
use super::{colour, count, number, positive, rule, short, style, text};

pub(super) fn axes(axes: &Axes) -> Result<(), String> {
    axis(&axes.x)?;
    axis(&axes.y)?;
    text("caption", &axes.caption, 1_000)?;
    count("curves", axes.curves.len(), 0, 50)?;
    axes.curves.iter().try_for_each(|curve| {
        text("label", &curve.label, 1_000)?;
        curve.colour.as_deref().map_or(Ok(()), colour)?;
        match &curve.kind {
            CurveKind::Function(function) => expression(function, &["x"]),
            CurveKind::Parametric(curve) => {
                ordered("t", curve.from, curve.to)?;
                expression(&curve.x, &["t"])?;
                expression(&curve.y, &["t"])
            }
            CurveKind::Points(points) | CurveKind::Dots(points) => {
                count("points", points.len(), 1, ITEMS)?;
                points.iter().try_for_each(|one| point(*one))
            }
            CurveKind::Arrow(way) => {
                point(way.from)?;
                point(way.to)
            }
            CurveKind::Area(area) => {
                ordered("x", area.from, area.to)?;
                expression(&area.function, &["x"])
            }
            CurveKind::Vectors(field) | CurveKind::Streamlines(field) => {
                expression(&field.x, &["x", "y"])?;
                expression(&field.y, &["x", "y"])
            }
        }
    })
}

pub(super) fn axis(axis: &Axis) -> Result<(), String> {
    text("axis label", &axis.label, 1_000)?;
    ordered("an axis", axis.min, axis.max)?;
    let ticks = (axis.max - axis.min) / axis.step;
    rule(axis.step > 0.0 && ticks <= 200.0, || format!("an axis with a tick every {}", axis.step))
}

fn ordered(what: &str, from: f64, to: f64) -> Result<(), String> {
    number("range", from)?;
    number("range", to)?;
    rule(from < to, || format!("a range of {what} from {from} to {to}"))
}

fn expression(expression: &Expression, variables: &[&str]) -> Result<(), String> {
    text("expression", &expression.source, 10_000)?;
    count("tokens", expression.postfix.len(), 1, ITEMS)?;
    let mut depth = 0_usize;
    for token in &expression.postfix {
        let taken = match token {
            Token::Number(number) => {
                rule(number.is_finite(), || "a number that is none".to_owned())?;
                0
            }
            Token::Variable(name) => {
                rule(variables.contains(&name.as_str()), || format!("a variable `{}`", short(name)))?;
                0
            }
            Token::Apply(name) => arity(name).ok_or_else(|| format!("an operator `{}`", short(name)))?,
        };
        depth = depth.checked_sub(taken).ok_or("an expression that lacks operands")? + 1;
    }
    rule(depth == 1, || "an expression with operands left over".to_owned())
}

fn point(point: Point) -> Result<(), String> {
    number("coordinate", point.x)?;
    number("coordinate", point.y)
}

fn point3(point: Point3) -> Result<(), String> {
    [point.x, point.y, point.z].into_iter().try_for_each(|one| number("coordinate", one))
}

pub(super) fn drawing(drawing: &Drawing) -> Result<(), String> {
    count("shapes", drawing.shapes.len(), 1, 500)?;
    drawing.shapes.iter().try_for_each(shape)
}

fn shape(shape: &Shape) -> Result<(), String> {
    text("label", &shape.label, 1_000)?;
    shape.style.as_ref().map_or(Ok(()), style)?;
    match &shape.kind {
        ShapeKind::Polygon(corners) => {
            count("corners", corners.len(), 3, 1_000)?;
            corners.iter().try_for_each(|corner| point(*corner))
        }
        ShapeKind::Circle(circle) => {
            point(circle.center)?;
            positive("radius", circle.radius)
        }
        ShapeKind::Ellipse(extent) | ShapeKind::Rectangle(extent) => {
            point(extent.center)?;
            positive("width", extent.width)?;
            positive("height", extent.height)
        }
        ShapeKind::Annulus(ring) => {
            point(ring.center)?;
            positive("radius", ring.outer)?;
            let inside = (0.0..ring.outer).contains(&ring.inner);
            rule(inside, || format!("a ring from {} to {}", ring.inner, ring.outer))
        }
        ShapeKind::Arrow(way) | ShapeKind::Line(way) | ShapeKind::DashedLine(way) | ShapeKind::Brace(way) => {
            point(way.from)?;
            point(way.to)?;
            rule(way.from != way.to, || "a line that ends where it begins".to_owned())
        }
        ShapeKind::Dot(at) | ShapeKind::Label(at) => point(*at),
    }
}

pub(super) fn space(space: &Space) -> Result<(), String> {
    text("caption", &space.caption, 1_000)?;
    if let Some(axes) = &space.axes {
        [&axes.x, &axes.y, &axes.z].into_iter().try_for_each(axis)?;
    }
    rule(space.phi.is_none_or(|phi| (0.0..=180.0).contains(&phi)), || "an angle phi not from 0 to 180".to_owned())?;
    rule(space.theta.is_none_or(|theta| theta.abs() <= 3_600.0), || "an angle theta that is none".to_owned())?;
    count("solids", space.solids.len(), 0, 100)?;
    rule(space.axes.is_some() || !space.solids.is_empty(), || "an empty space".to_owned())?;
    space.solids.iter().try_for_each(solid)
}

fn solid(solid: &Solid) -> Result<(), String> {
    text("label", &solid.label, 1_000)?;
    solid.style.as_ref().map_or(Ok(()), style)?;
    let upright = |solid: &Upright| {
        point3(solid.base)?;
        positive("radius", solid.radius)?;
        positive("height", solid.height)
    };
    match &solid.kind {
        SolidKind::Curve(curve) => {
            ordered("t", curve.from, curve.to)?;
            [&curve.x, &curve.y, &curve.z].into_iter().try_for_each(|one| expression(one, &["t"]))
        }
        SolidKind::Surface(surface) => {
            ordered("u", surface.u_from, surface.u_to)?;
            ordered("v", surface.v_from, surface.v_to)?;
            [&surface.x, &surface.y, &surface.z].into_iter().try_for_each(|one| expression(one, &["u", "v"]))
        }
        SolidKind::Sphere(sphere) => {
            point3(sphere.center)?;
            positive("radius", sphere.radius)
        }
        SolidKind::Cylinder(solid) | SolidKind::Cone(solid) => upright(solid),
        SolidKind::Cuboid(cuboid) => {
            point3(cuboid.center)?;
            [cuboid.size.x, cuboid.size.y, cuboid.size.z].into_iter().try_for_each(|edge| positive("edge", edge))
        }
        SolidKind::Torus(torus) => {
            point3(torus.center)?;
            positive("radius", torus.major)?;
            positive("radius", torus.minor)?;
            rule(torus.minor < torus.major, || "a torus that is thicker than wide".to_owned())
        }
        SolidKind::Arrow(way) => {
            point3(way.from)?;
            point3(way.to)?;
            rule(way.from != way.to, || "an arrow that ends where it begins".to_owned())
        }
    }
}
