//! Figures of a plan: curves, shapes and solids out of parameters.

use super::json::{Kind, Value};
use super::parameters::{Parameters, datum, expressions, point, right_side, split};
use crate::drawing::expression;
use crate::drawing::surface;
use crate::storyboard::{
    Annulus, Area, Circle, CurveKind, Expression, Extent, Field, Parametric, Point, Point3, ShapeKind, Solid,
    SolidKind, SpaceCurve, SpaceStroke, Stroke, Surface, Torus,
};
use crate::text::one_line;

const MOST_POINTS: usize = 1_000;
const MOST_CORNERS: usize = 200;

/// A curve and its own name, or why there is none.
pub(super) type Drawn = Result<(CurveKind, String), String>;

/// The function that an element names: `x^2`, `y = x^2`, `lambda x: x**2`.
pub(super) fn function(parameters: &Parameters<'_>, variables: &[&str]) -> Result<(Expression, String), String> {
    let keys = ["function", "func", "expression", "equation", "formula", "fn", "f", "expr", "plot", "y"];
    let Some(text) = parameters.words(&keys).or_else(|| parameters.text()) else {
        return Err("it names no function".to_owned());
    };
    // Of several lines or curves the first one; words before a colon are a name.
    let line = text.lines().next().unwrap_or_default().replace('°', " pi/180");
    let line = line.as_str();
    let (name, right) = right_side(line);
    let read = expression::parse(right, variables).or_else(|error| {
        let after = line.rsplit_once(": ").filter(|_| !line.contains("lambda")).map(|(_, after)| right_side(after).1);
        after.and_then(|after| expression::parse(after, variables).ok()).ok_or(error)
    });
    let read = read.map_err(|error| format!("`{}`: {}", one_line(right, 60), error.why))?;
    let name = name.map_or_else(
        || format!("y = {}", written(&read.source)),
        |name| match name {
            "y" | "z" => format!("{name} = {}", written(&read.source)),
            name => name.to_owned(),
        },
    );
    Ok((read, one_line(&name, 60)))
}

/// An expression as people write it: `x^2` for `lambda x: x**2`.
fn written(source: &str) -> String {
    let bare = match source.strip_prefix("lambda ").and_then(|rest| rest.split_once(':')) {
        Some((_, body)) => body,
        None => source,
    };
    let bare = bare.replace("**", "^").replace("np.", "").replace("numpy.", "").replace("math.", "");
    let bare = bare.replace(" pi/180", "°");
    bare.replace(" * ", " ").replace('*', " ").trim().to_owned()
}

/// Single points: a list of pairs, wherever it is written.
pub(super) fn scatter(parameters: &Parameters<'_>) -> Drawn {
    let named =
        parameters.get(&["points", "data", "coordinates", "values"]).and_then(|value| points(value, MOST_POINTS));
    let found = named.or_else(|| points(parameters.content?, MOST_POINTS));
    found.map(|found| (CurveKind::Dots(found), String::new())).ok_or_else(|| "it has no points".to_owned())
}

pub(super) fn graph_of(parameters: &Parameters<'_>) -> Drawn {
    if let Some(points) =
        parameters.get(&["points", "data", "coordinates"]).and_then(|value| points(value, MOST_POINTS))
    {
        let dots = parameters.words(&["style", "kind", "mode"]).is_some_and(|mode| mode.contains("scatter"));
        return Ok((if dots { CurveKind::Dots(points) } else { CurveKind::Points(points) }, String::new()));
    }
    let listed = parameters.content.filter(|content| content.list().is_some());
    if let Some(points) = listed.and_then(|content| points(content, MOST_POINTS)) {
        return Ok((CurveKind::Points(points), String::new()));
    }
    function(parameters, &["x"]).map(|(function, name)| (CurveKind::Function(function), name))
}

pub(super) fn area(parameters: &Parameters<'_>, x: Option<(f64, f64)>) -> Drawn {
    let (function, _) = function(parameters, &["x"])?;
    let own =
        parameters.range(&["xrange", "range", "interval", "bounds"], &["from", "a", "xmin"], &["to", "b", "xmax"]);
    let (from, to) = own.map(|range| (range.min, range.max)).or(x).unwrap_or((0.0, 1.0));
    Ok((CurveKind::Area(Area { function, from, to }), String::new()))
}

/// The expressions of a tuple, wherever it is written.
fn tuple(parameters: &Parameters<'_>, variables: &[&str], least: usize) -> Result<Vec<Expression>, String> {
    let keys = ["function", "func", "functions", "expression", "equation", "field", "formula", "components", "expr"];
    let named = parameters.get(&keys).and_then(|value| expressions(value, variables));
    let content = || parameters.content.and_then(|content| expressions(content, variables));
    let element = || expressions(parameters.element, variables);
    let found = named.or_else(content).or_else(element).filter(|found| found.len() >= least);
    found.ok_or_else(|| format!("it needs {least} expressions of {}, such as a list of them", variables.join(" and ")))
}

/// The components of a sum along Manim's directions: `sin(y)*RIGHT + x*UP`.
fn along(parameters: &Parameters<'_>) -> Option<Vec<Expression>> {
    let text = parameters.words(&["function", "func", "expression", "field"]).or_else(|| parameters.text())?;
    let text = text.rsplit(':').next()?.replace(" - ", " + -");
    let (mut right, mut up) = (String::new(), String::new());
    for term in split(&text, &['+']).into_iter().map(str::trim).filter(|term| !term.is_empty()) {
        let ways = [("RIGHT", "", true), ("LEFT", "-", true), ("UP", "", false), ("DOWN", "-", false)];
        let (way, sign, sideways) = ways.into_iter().find(|(way, ..)| term.contains(way))?;
        let factor = term.replacen(way, "", 1);
        let factor = factor.trim().trim_matches('*').trim();
        let factor = if factor.is_empty() {
            "1"
        } else if factor == "-" {
            "-1"
        } else {
            factor
        };
        let sum = if sideways { &mut right } else { &mut up };
        sum.push_str(&format!("{}{sign}({factor})", if sum.is_empty() { "" } else { " + " }));
    }
    let component = |sum: &str| expression::parse(if sum.is_empty() { "0" } else { sum }, &["x", "y"]).ok();
    (!right.is_empty() || !up.is_empty()).then(|| Some(vec![component(&right)?, component(&up)?]))?
}

pub(super) fn field(parameters: &Parameters<'_>) -> Result<Field, String> {
    let mut parts = tuple(parameters, &["x", "y"], 2).or_else(|why| along(parameters).ok_or(why))?.into_iter();
    match (parts.next(), parts.next()) {
        (Some(x), Some(y)) => Ok(Field { x, y }),
        _ => Err("it needs two expressions".to_owned()),
    }
}

const T: (&[&str], &[&str], &[&str]) = (&["trange", "range", "domain", "parameterrange"], &["tmin"], &["tmax"]);

pub(super) fn parametric(parameters: &Parameters<'_>) -> Drawn {
    let mut parts = tuple(parameters, &["t"], 2)?.into_iter();
    let (Some(x), Some(y)) = (parts.next(), parts.next()) else { return Err("it needs two expressions".to_owned()) };
    let (from, to) = parameters.range(T.0, T.1, T.2).map_or((0.0, std::f64::consts::TAU), |t| (t.min, t.max));
    Ok((CurveKind::Parametric(Parametric { x, y, from, to }), String::new()))
}

pub(super) fn space_curve(parameters: &Parameters<'_>) -> Result<SolidKind, String> {
    let mut parts = tuple(parameters, &["t"], 3)?.into_iter();
    let (Some(x), Some(y), Some(z)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it needs three expressions".to_owned());
    };
    let (from, to) = parameters.range(T.0, T.1, T.2).map_or((0.0, std::f64::consts::TAU), |t| (t.min, t.max));
    Ok(SolidKind::Curve(SpaceCurve { x, y, z, from, to }))
}

pub(super) fn space_surface(parameters: &Parameters<'_>) -> Result<SolidKind, String> {
    let ends = |keys: &[&str], min: &[&str], max: &[&str], otherwise| {
        parameters.range(keys, min, max).map_or(otherwise, |range| (range.min, range.max))
    };
    if let Ok(parts) = tuple(parameters, &["u", "v"], 3) {
        let mut parts = parts.into_iter();
        if let (Some(x), Some(y), Some(z)) = (parts.next(), parts.next(), parts.next()) {
            let (u_from, u_to) = ends(&["urange"], &["umin"], &["umax"], (0.0, std::f64::consts::TAU));
            let (v_from, v_to) = ends(&["vrange"], &["vmin"], &["vmax"], (0.0, std::f64::consts::PI));
            return Ok(SolidKind::Surface(Surface { x, y, z, u_from, u_to, v_from, v_to }));
        }
    }
    let (z, _) = function(parameters, &["x", "y"]).or_else(|why| function(parameters, &["u", "v"]).map_err(|_| why))?;
    let x = ends(&["xrange", "urange", "range"], &["xmin"], &["xmax"], (-3.0, 3.0));
    let y = ends(&["yrange", "vrange", "range"], &["ymin"], &["ymax"], (-3.0, 3.0));
    Ok(SolidKind::Surface(surface::over_plane(z, x, y)))
}

/// A solid by its plain name; what isn't said is as Manim has it.
pub(super) fn solid(name: &str, parameters: &Parameters<'_>) -> Result<SolidKind, String> {
    let origin = Point3 { x: 0.0, y: 0.0, z: 0.0 };
    let center = parameters.center().unwrap_or(origin);
    let radius = parameters.length(&["radius", "r", "baseradius"]);
    let made = match name {
        "sphere" => surface::kind("sphere", &[center], &radius.into_iter().collect::<Vec<_>>()),
        "cylinder" | "cone" => {
            let numbers = [radius.unwrap_or(1.0), parameters.length(&["height", "h", "length"]).unwrap_or(2.0)];
            surface::kind(name, &[center], &numbers)
        }
        "box" => {
            let size = parameters.get(&["size", "dimensions", "sides", "dimension"]);
            let sides = size.and_then(point).map(|size| [size.x.abs(), size.y.abs(), size.z.abs()]);
            let sides = sides.filter(|sides| sides.iter().all(|side| *side > 1e-6));
            let side = parameters.length(&["side", "sidelength", "size"]).unwrap_or(2.0);
            let each = |keys: &[&str]| parameters.length(keys).unwrap_or(side);
            let own = [each(&["width", "x"]), each(&["depth", "y"]), each(&["height", "z"])];
            surface::kind("box", &[center], &sides.unwrap_or(own))
        }
        "torus" => {
            let major = parameters.length(&["major", "majorradius", "radius", "r"]).unwrap_or(2.0);
            let minor = parameters.length(&["minor", "minorradius", "tuberadius"]).unwrap_or(major / 4.0);
            let (major, minor) = if minor < major { (major, minor) } else { (minor, major.min(minor / 2.0)) };
            Some(SolidKind::Torus(Torus { center, major, minor }))
        }
        _ => {
            let (from, to) = ends(parameters);
            let (from, to) = (from.unwrap_or(origin), to.unwrap_or(Point3 { x: 1.0, y: 1.0, z: 1.0 }));
            (from != to).then_some(SolidKind::Arrow(SpaceStroke { from, to }))
        }
    };
    made.ok_or_else(|| "its measures don't fit together".to_owned())
}

/// Whether it is a body, and no curve, surface or arrow.
pub(super) fn is_body(kind: &SolidKind) -> bool {
    !matches!(kind, SolidKind::Curve(_) | SolidKind::Surface(_) | SolidKind::Arrow(_))
}

/// Moves a body to the right.
pub(super) fn shift(kind: &mut SolidKind, by: f64) {
    match kind {
        SolidKind::Sphere(sphere) => sphere.center.x += by,
        SolidKind::Cylinder(solid) | SolidKind::Cone(solid) => solid.base.x += by,
        SolidKind::Cuboid(cuboid) => cuboid.center.x += by,
        SolidKind::Torus(torus) => torus.center.x += by,
        SolidKind::Curve(_) | SolidKind::Surface(_) | SolidKind::Arrow(_) => {}
    }
}

pub(super) fn solid_of(kind: SolidKind, parameters: &Parameters<'_>) -> Solid {
    let plotted = matches!(kind, SolidKind::Surface(_) | SolidKind::Curve(_));
    let label = if plotted { parameters.words(&["label", "caption"]) } else { Some(parameters.label()) };
    let label = label.map(|label| one_line(label.trim_matches('$'), 60)).unwrap_or_default();
    Solid { kind, label, style: parameters.style() }
}

/// Where a line or arrow begins and ends.
fn ends(parameters: &Parameters<'_>) -> (Option<Point3>, Option<Point3>) {
    let from = parameters.point(&["start", "from", "tail", "startpoint", "begin", "origin"]);
    let to =
        parameters.point(&["end", "to", "tip", "head", "endpoint", "direction", "components", "vector", "coordinates"]);
    let both = parameters.get(&["points", "vertices"]).and_then(|value| points3(value, 2, point));
    let content = parameters.content.and_then(|content| both_of(content, point));
    match (from, to, both.or(content)) {
        (None, None, Some(both)) => (both.first().copied(), both.get(1).copied()),
        // `"content": "[2, 1]"` of a vector.
        (None, None, None) => (None, parameters.content.and_then(point)),
        (from, to, _) => (from, to),
    }
}

/// Two points in a text such as `from [0,0] to [1,2]` or `(0,0) -> (1,2)`.
fn both_of(value: &Value, point: fn(&Value) -> Option<Point3>) -> Option<Vec<Point3>> {
    let Kind::Text(text) = &value.kind else { return None };
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find(['(', '[']) {
        let close = open + rest[open..].find([')', ']'])?;
        let inside = Value { at: value.at, kind: Kind::Text(rest[open..=close].to_owned()) };
        found.extend(point(&inside));
        rest = &rest[close + 1..];
    }
    (found.len() >= 2).then_some(found)
}

fn points3(value: &Value, most: usize, point: fn(&Value) -> Option<Point3>) -> Option<Vec<Point3>> {
    if let Some(text) = both_of(value, point) {
        return Some(text.into_iter().take(most).collect());
    }
    let found: Option<Vec<Point3>> = value.list()?.iter().take(most).map(point).collect();
    found.filter(|found| !found.is_empty())
}

fn points(value: &Value, most: usize) -> Option<Vec<Point>> {
    // `{"x": [1, 2], "y": [3, 4]}`
    if let (Some(x), Some(y)) = (value.get(&["x"]).and_then(Value::list), value.get(&["y"]).and_then(Value::list)) {
        let pair = |(x, y): (&Value, &Value)| Some(Point { x: x.number()?, y: y.number()? });
        let found: Option<Vec<Point>> = x.iter().zip(y).take(most).map(pair).collect();
        return found.filter(|found| !found.is_empty());
    }
    Some(points3(value, most, datum)?.into_iter().map(flat).collect())
}

pub(super) fn flat(point: Point3) -> Point {
    Point { x: point.x, y: point.y }
}

/// A shape by its plain name, and whether the plan says where it is; what isn't said is as Manim has it.
pub(super) fn shape(name: &str, parameters: &Parameters<'_>) -> Option<(ShapeKind, bool)> {
    let position = parameters.center();
    let center = position.map_or(Point { x: 0.0, y: 0.0 }, flat);
    let length = |keys: &[&str], otherwise| parameters.length(keys).unwrap_or(otherwise);
    let placed = position.is_some();
    let shape = match name {
        "circle" => {
            let radius = parameters.length(&["radius", "r"]).or_else(|| Some(parameters.length(&["diameter"])? / 2.0));
            ShapeKind::Circle(Circle { center, radius: radius.unwrap_or(1.0) })
        }
        "ellipse" => {
            ShapeKind::Ellipse(Extent { center, width: length(&["width"], 2.0), height: length(&["height"], 1.0) })
        }
        "square" => {
            let side = length(&["side", "sidelength", "size", "width"], 2.0);
            ShapeKind::Rectangle(Extent { center, width: side, height: side })
        }
        "rectangle" => ShapeKind::Rectangle(Extent {
            center,
            width: length(&["width", "w"], 4.0),
            height: length(&["height", "h"], 2.0),
        }),
        "annulus" => {
            let outer = length(&["outer", "outerradius", "radius"], 2.0);
            let inner =
                parameters.length(&["inner", "innerradius"]).filter(|inner| *inner < outer).unwrap_or(outer / 2.0);
            ShapeKind::Annulus(Annulus { center, inner, outer })
        }
        "dot" => ShapeKind::Dot(center),
        "polygon" | "triangle" => {
            let corners = parameters.get(&["vertices", "points", "corners", "coordinates"]).or(parameters.content);
            let corners = corners.and_then(|value| points(value, MOST_CORNERS)).filter(|corners| corners.len() >= 3);
            if let Some(corners) = corners {
                return Some((ShapeKind::Polygon(corners), true));
            }
            let sides =
                if name == "triangle" { 3.0 } else { parameters.number(&["n", "sides", "numsides"]).unwrap_or(5.0) };
            ShapeKind::Polygon(regular(center, sides.clamp(3.0, 50.0) as usize, length(&["radius", "r", "side"], 1.0)))
        }
        _ => {
            let (from, to) = ends(parameters);
            let given = to.is_some();
            let start = if name == "vector" {
                Point3 { x: center.x, y: center.y, z: 0.0 }
            } else {
                Point3 { x: -1.0, y: 0.0, z: 0.0 }
            };
            let from = from.unwrap_or(if given { Point3 { x: 0.0, y: 0.0, z: 0.0 } } else { start });
            let to = to.unwrap_or(Point3 { x: from.x + 2.0, ..from });
            let stroke = Stroke { from: flat(from), to: flat(to) };
            if stroke.from == stroke.to {
                return None;
            }
            let kind = match name {
                "arrow" | "vector" => ShapeKind::Arrow(stroke),
                "brace" => ShapeKind::Brace(stroke),
                "dashedline" => ShapeKind::DashedLine(stroke),
                _ => ShapeKind::Line(stroke),
            };
            return Some((kind, given));
        }
    };
    Some((shape, placed))
}

/// The corners of a regular polygon, one of them at the top.
fn regular(center: Point, sides: usize, radius: f64) -> Vec<Point> {
    let corner = |index: usize| {
        let angle = std::f64::consts::FRAC_PI_2 + std::f64::consts::TAU * index as f64 / sides as f64;
        Point { x: center.x + radius * libm::cos(angle), y: center.y + radius * libm::sin(angle) }
    };
    (0..sides).map(corner).collect()
}

/// Cells of a table: a list of lists, or lines with `|` or commas between cells.
pub(super) fn cells(value: &Value) -> Vec<Vec<String>> {
    let row = |row: &Value| match &row.kind {
        Kind::List(_) | Kind::Map(_) => row.items().into_iter().map(|cell| cell.text().unwrap_or_default()).collect(),
        _ => row.text().map(|text| line(&text)).unwrap_or_default(),
    };
    match &value.kind {
        Kind::List(rows) => rows.iter().map(row).collect(),
        Kind::Text(text) => {
            let rule = |text: &&str| text.chars().all(|c| "|-: ".contains(c));
            text.lines().filter(|text| !rule(text)).map(line).collect()
        }
        _ => Vec::new(),
    }
}

fn line(text: &str) -> Vec<String> {
    let cells =
        if text.contains('|') { text.trim().trim_matches('|').split('|').collect() } else { split(text, &[',', ';']) };
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}
