//! What an element of a plan says of itself, wherever a language model wrote it: in the element, its content, its
//! style, or a map of parameters.

use super::json::{self, Key, Kind, Value, plain};
use crate::drawing::axis;
use crate::drawing::expression;
use crate::drawing::{Range, style};
use crate::storyboard::{Easing, Entrance, Exit, Expression, Placement, Point3, Region, Style, Timing};
use crate::text::one_line;

/// No length on the screen is larger, in Manim's units.
const FURTHEST: f64 = 1_000.0;
/// Nothing in a beat takes longer.
const LONGEST_MS: f64 = 60_000.0;

/// An element of a plan.
pub(super) struct Parameters<'a> {
    pub(super) element: &'a Value,
    pub(super) content: Option<&'a Value>,
    /// `radius=2, color=red` in the content, as a map.
    pairs: Option<Value>,
    /// Maps in which parameters are looked for, in order.
    maps: Vec<&'a Value>,
}

impl<'a> Parameters<'a> {
    pub(super) fn of(element: &'a Value) -> Self {
        let content =
            element.get(&["content", "text", "value", "latex", "tex", "expression", "equation", "data", "body"]);
        let mut maps = vec![element];
        maps.extend(content);
        let groups = [
            "params",
            "parameters",
            "properties",
            "props",
            "options",
            "attributes",
            "config",
            "args",
            "kwargs",
            "style",
        ];
        maps.extend(groups.iter().filter_map(|group| element.get(&[group])));
        let pairs = content.and_then(|content| match &content.kind {
            Kind::Text(text) => pairs(text, content.at),
            _ => None,
        });
        Self { element, content, pairs, maps }
    }

    /// The first of these parameters.
    pub(super) fn get(&self, keys: &[&str]) -> Option<&Value> {
        let found = self.maps.iter().find_map(|map| map.get(keys));
        found.or_else(|| self.pairs.as_ref().and_then(|pairs| pairs.get(keys)))
    }

    pub(super) fn number(&self, keys: &[&str]) -> Option<f64> {
        self.get(keys).and_then(Value::number)
    }

    /// Greater than 0, and no larger than a screen bears.
    pub(super) fn length(&self, keys: &[&str]) -> Option<f64> {
        self.number(keys).map(f64::abs).filter(|length| *length > 1e-6 && *length <= FURTHEST)
    }

    pub(super) fn words(&self, keys: &[&str]) -> Option<String> {
        self.get(keys).and_then(Value::text)
    }

    pub(super) fn point(&self, keys: &[&str]) -> Option<Point3> {
        self.get(keys).and_then(point)
    }

    pub(super) fn range(&self, keys: &[&str], min: &[&str], max: &[&str]) -> Option<Range> {
        self.get(keys).and_then(range).or_else(|| ordered(self.number(min)?, self.number(max)?, None))
    }

    /// The content as words; none when it is a map, or holds parameters alone.
    pub(super) fn text(&self) -> Option<String> {
        if self.pairs.is_some() {
            return None;
        }
        self.content.filter(|content| !matches!(content.kind, Kind::Map(_))).and_then(Value::text)
    }

    /// A label: of its own, or short content.
    pub(super) fn label(&self) -> String {
        let own = self.words(&["label", "caption", "name"]).or_else(|| self.text());
        own.map(|own| one_line(&crate::label::label(&own), 60)).unwrap_or_default()
    }

    pub(super) fn style(&self) -> Option<Style> {
        let mut style = style::unstyled();
        let colour = |value: &Value| value.text().and_then(|text| style::colour(&text));
        style.colour = self.get(&["color", "colour", "strokecolor", "fontcolor", "textcolor"]).and_then(colour);
        style.fill = self.get(&["fill", "fillcolor"]).and_then(colour);
        style.opacity = self.number(&["opacity", "fillopacity", "alpha"]).map(|opacity| opacity.clamp(0.05, 1.0));
        // Manim's formulas have size 48 when nobody says otherwise; its words are set smaller by whoever knows them.
        let kind = self.element.get(&["type", "kind", "elementtype"]).and_then(Value::text).unwrap_or_default();
        let usual = if ["tex", "math", "equation", "formula"].iter().any(|one| plain(&kind).ends_with(one)) {
            48.0
        } else {
            30.0
        };
        let usual = if plain(&kind) == "text" { 30.0 } else { usual };
        let font = self.number(&["fontsize"]).filter(|size| *size > 0.0).map(|size| (size / usual).max(0.75));
        style.scale = font.or_else(|| self.number(&["scale", "scalefactor"])).filter(|scale| *scale > 0.0);
        style.scale = style.scale.map(|scale| scale.clamp(0.5, 2.0));
        // `"style": "red"` or `"style": "color: red; bold"`.
        if let Some(Kind::Text(text)) = self.element.get(&["style"]).map(|value| &value.kind) {
            let named = || pairs(text, 0).and_then(|pairs| pairs.get(&["color", "colour"]).and_then(colour));
            style.colour = style.colour.or_else(|| style::colour(text)).or_else(named);
        }
        style::or_none(style)
    }

    pub(super) fn is_bold(&self) -> bool {
        let bold = self.get(&["bold"]).and_then(Value::yes).unwrap_or(false);
        bold || self
            .words(&["weight", "fontweight", "style"])
            .is_some_and(|words| words.to_lowercase().contains("bold"))
    }

    pub(super) fn placement(&self) -> Option<Placement> {
        let wanted = self.get(&["position", "pos", "location", "placement", "at", "align", "region"])?;
        placement(wanted)
    }

    /// Where it is, when that is a point.
    pub(super) fn center(&self) -> Option<Point3> {
        self.get(&["position", "pos", "location", "at", "center", "point"]).and_then(point)
    }

    pub(super) fn timing(&self, from_scene: bool) -> Option<Timing> {
        let own = self.element.get(&["timing", "animation", "time"]);
        let maps: Vec<&Value> = own.into_iter().chain([self.element]).collect();
        let get = |keys: &[&str]| maps.iter().find_map(|map| map.get(keys));
        let seconds = |keys: &[&str]| get(keys).and_then(Value::number).filter(|seconds| *seconds >= 0.0);
        let ms = |seconds: f64| (seconds * 1_000.0).min(LONGEST_MS) as u32;
        let start = seconds(&["start", "starttime", "begin", "delay", "at"]);
        let end = seconds(&["end", "endtime"]);
        let length = seconds(&["duration", "runtime", "length", "durationseconds"]);
        let bare = own.and_then(Value::number).filter(|seconds| *seconds > 0.0);
        let length = length.or(bare).or_else(|| Some(end? - start?)).filter(|length| *length > 0.0);
        let word = |keys: &[&str]| get(keys).and_then(Value::text).map(|word| plain(&word));
        let said = own.and_then(|own| if let Kind::Text(text) = &own.kind { Some(plain(text)) } else { None });
        let entrance = word(&["entrance", "animation", "animationtype", "in", "effect", "enter"]).or(said);
        let timing = Timing {
            start_ms: start.filter(|_| from_scene).map(ms),
            duration_ms: length.map(ms),
            easing: word(&["easing", "ratefunc", "ratefunction", "ease"]).and_then(|word| easing(&word)),
            entrance: entrance.and_then(|word| entrance_of(&word)),
            exit: word(&["exit", "out", "leave"]).and_then(|word| exit_of(&word)),
        };
        let none = Timing { start_ms: None, duration_ms: None, easing: None, entrance: None, exit: None };
        (timing != none).then_some(timing)
    }
}

fn easing(word: &str) -> Option<Easing> {
    let known = match word {
        "linear" => Easing::Linear,
        "easein" | "rushinto" | "easeinquad" | "easeinsine" => Easing::EaseIn,
        "easeout" | "rushfrom" | "easeoutquad" | "easeoutsine" => Easing::EaseOut,
        "thereandback" | "wiggle" => Easing::ThereAndBack,
        "smooth" | "easeinout" | "ease" => Easing::Smooth,
        _ => return None,
    };
    Some(known)
}

fn entrance_of(word: &str) -> Option<Entrance> {
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    let known = if has(&["write", "type", "letterbyletter"]) {
        Entrance::Write
    } else if has(&["create", "draw", "trace"]) {
        Entrance::Create
    } else if has(&["fade", "appear", "dissolve"]) {
        Entrance::Fade
    } else if has(&["grow", "scale", "pop", "zoom", "spin"]) {
        Entrance::Grow
    } else if has(&["slide", "shift", "fly"]) {
        Entrance::Slide
    } else if matches!(word, "none" | "instant" | "add") {
        Entrance::None
    } else {
        return None;
    };
    Some(known)
}

fn exit_of(word: &str) -> Option<Exit> {
    let known = match word {
        _ if word.contains("fade") => Exit::Fade,
        _ if word.contains("shrink") || word.contains("uncreate") => Exit::Shrink,
        _ if word.contains("slide") => Exit::Slide,
        "none" => Exit::None,
        _ => return None,
    };
    Some(known)
}

/// `radius=2, color=red` or `x_range: [-3, 3]; y_range: [0, 1]` as a map; none when a part of it is no such pair.
pub(super) fn pairs(text: &str, at: usize) -> Option<Value> {
    if !text.contains(['=', ':']) || text.len() > 1_000 {
        return None;
    }
    const KNOWN: &[&str] = &[
        "radius",
        "r",
        "width",
        "height",
        "side",
        "sidelength",
        "start",
        "end",
        "from",
        "to",
        "color",
        "colour",
        "fill",
        "fillcolor",
        "opacity",
        "fillopacity",
        "strokewidth",
        "strokecolor",
        "xrange",
        "yrange",
        "zrange",
        "trange",
        "urange",
        "vrange",
        "xmin",
        "xmax",
        "ymin",
        "ymax",
        "zmin",
        "zmax",
        "tmin",
        "tmax",
        "xlabel",
        "ylabel",
        "zlabel",
        "xlength",
        "ylength",
        "function",
        "func",
        "expression",
        "innerradius",
        "outerradius",
        "inner",
        "outer",
        "vertices",
        "points",
        "center",
        "position",
        "label",
        "target",
        "size",
        "majorradius",
        "minorradius",
        "major",
        "minor",
        "direction",
        "step",
        "xstep",
        "ystep",
        "n",
        "fontsize",
        "scale",
        "bold",
        "axes",
        "nodes",
        "edges",
        "layout",
        "values",
        "labels",
        "grid",
        "tips",
        "dimensions",
        "depth",
        "x",
        "y",
        "z",
        "length",
    ];
    let mut entries = Vec::new();
    for part in split(text, &[',', ';', '\n']) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let sign = part.find(['=', ':'])?;
        let (key, value) = (plain(&part[..sign]), part[sign + 1..].trim());
        if !KNOWN.contains(&key.as_str()) || value.is_empty() {
            return None;
        }
        // `y = x^2` is a curve and no pair.
        if matches!(key.as_str(), "x" | "y" | "z" | "r") && value.parse::<f64>().is_err() {
            return None;
        }
        let kind = match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Kind::Number(number),
            _ if value.starts_with('[') => json::parse(value).map(|(value, _)| value.kind).unwrap_or(Kind::Null),
            _ => Kind::Text(value.trim_matches(['"', '\'']).to_owned()),
        };
        entries.push((Key::of(key), Value { at, kind }));
    }
    (!entries.is_empty()).then_some(Value { at, kind: Kind::Map(entries) })
}

/// Parts of a text between signs that stand outside of brackets.
pub(super) fn split<'t>(text: &'t str, signs: &[char]) -> Vec<&'t str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            c if depth == 0 && signs.contains(&c) => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A point on the screen; see [`datum`].
pub(super) fn point(value: &Value) -> Option<Point3> {
    datum(value).filter(|point| [point.x, point.y, point.z].iter().all(|number| number.abs() <= FURTHEST))
}

/// A point in units of its own as `[x, y, z]`, `(x, y)`, `{x, y}`, or in Manim's directions: `2*UP + LEFT`.
pub(super) fn datum(value: &Value) -> Option<Point3> {
    let of = |numbers: &[f64]| match numbers {
        [x, y] => Some(Point3 { x: *x, y: *y, z: 0.0 }),
        [x, y, z] => Some(Point3 { x: *x, y: *y, z: *z }),
        _ => None,
    };
    let point = match &value.kind {
        Kind::List(items) => of(&items.iter().map(Value::number).collect::<Option<Vec<_>>>()?),
        Kind::Map(_) => {
            let number = |key: &str| value.get(&[key]).and_then(Value::number);
            let (x, y) = (number("x"), number("y"));
            if x.is_none() && y.is_none() {
                return None;
            }
            Some(Point3 { x: x.unwrap_or(0.0), y: y.unwrap_or(0.0), z: number("z").unwrap_or(0.0) })
        }
        Kind::Text(text) => {
            let bare = text.trim().trim_start_matches("np.array").trim_matches(['(', ')', '[', ']', '{', '}', ' ']);
            let constant = |part: &&str| {
                let read = expression::parse(part, &[]).ok()?;
                Some(expression::value(&read, f64::NAN)).filter(|number| number.is_finite())
            };
            let numbers: Option<Vec<f64>> = split(bare, &[',']).iter().map(constant).collect();
            numbers.and_then(|numbers| of(&numbers)).or_else(|| directions(bare))
        }
        _ => None,
    };
    point.filter(|point| [point.x, point.y, point.z].iter().all(|number| number.abs() <= crate::drawing::FURTHEST))
}

/// A sum such as `2*UP + LEFT*0.5`.
fn directions(text: &str) -> Option<Point3> {
    let mut sum = Point3 { x: 0.0, y: 0.0, z: 0.0 };
    let spaced = text.replace(' ', "").replace('-', "+-");
    for term in spaced.split('+').filter(|term| !term.is_empty()) {
        let (mut factor, mut way) = (1.0, None);
        for part in term.split('*') {
            let (sign, name) = part.strip_prefix('-').map_or((1.0, part), |rest| (-1.0, rest));
            way = way.or(match name {
                "UP" => Some((0.0, 1.0, 0.0)),
                "DOWN" => Some((0.0, -1.0, 0.0)),
                "LEFT" => Some((-1.0, 0.0, 0.0)),
                "RIGHT" => Some((1.0, 0.0, 0.0)),
                "UL" => Some((-1.0, 1.0, 0.0)),
                "UR" => Some((1.0, 1.0, 0.0)),
                "DL" => Some((-1.0, -1.0, 0.0)),
                "DR" => Some((1.0, -1.0, 0.0)),
                "OUT" => Some((0.0, 0.0, 1.0)),
                "IN" => Some((0.0, 0.0, -1.0)),
                "ORIGIN" => Some((0.0, 0.0, 0.0)),
                _ => None,
            });
            factor *= match name.parse::<f64>() {
                Ok(number) => sign * number,
                Err(_) if way.is_some() => sign,
                Err(_) => return None,
            };
        }
        let (x, y, z) = way?;
        sum = Point3 { x: sum.x + factor * x, y: sum.y + factor * y, z: sum.z + factor * z };
    }
    (!spaced.is_empty()).then_some(sum)
}

/// A range as `[min, max, step]`, `"-3..3"`, `"-3 to 3"` or `{min, max}`.
pub(super) fn range(value: &Value) -> Option<Range> {
    match &value.kind {
        Kind::List(items) => {
            let numbers: Vec<f64> = items.iter().filter_map(Value::number).collect();
            ordered(*numbers.first()?, *numbers.get(1)?, numbers.get(2).copied())
        }
        Kind::Map(_) => {
            let number = |keys: &[&str]| value.get(keys).and_then(Value::number);
            ordered(number(&["min", "start", "from"])?, number(&["max", "end", "to"])?, number(&["step"]))
        }
        Kind::Text(text) => {
            let bare = text.trim().trim_matches(['[', ']', '(', ')', '{', '}']);
            let parts: Vec<&str> = ["..", " to ", ",", ";"].iter().find_map(|sign| {
                let parts: Vec<&str> = bare.split(sign).collect();
                (parts.len() > 1).then_some(parts)
            })?;
            let number = |text: &&str| Value { at: 0, kind: Kind::Text((*text).to_owned()) }.number();
            let numbers: Vec<f64> = parts.iter().filter_map(number).collect();
            ordered(*numbers.first()?, *numbers.get(1)?, numbers.get(2).copied())
        }
        _ => None,
    }
}

fn ordered(first: f64, second: f64, step: Option<f64>) -> Option<Range> {
    let (min, max) = (first.min(second), first.max(second));
    axis::is_wide(min, max).then_some(Range { min, max, step })
}

/// A region by its name, or a point.
pub(super) fn placement(value: &Value) -> Option<Placement> {
    if let Some(at) = point(value) {
        return Some(Placement { region: None, at: Some(at) });
    }
    let words = value.text()?.to_lowercase();
    let has = |names: &[&str]| {
        words.split(|c: char| !c.is_alphabetic()).any(|word| names.contains(&word))
            || names.contains(&plain(&words).as_str())
    };
    let up = has(&[
        "top",
        "up",
        "upper",
        "above",
        "topleft",
        "topright",
        "ul",
        "ur",
        "upperleft",
        "upperright",
        "topcenter",
    ]);
    let down = has(&[
        "bottom",
        "down",
        "lower",
        "below",
        "bottomleft",
        "bottomright",
        "dl",
        "dr",
        "lowerleft",
        "lowerright",
        "bottomcenter",
    ]);
    let left =
        has(&["left", "topleft", "bottomleft", "ul", "dl", "upperleft", "lowerleft", "leftcenter", "centerleft"]);
    let right = has(&[
        "right",
        "topright",
        "bottomright",
        "ur",
        "dr",
        "upperright",
        "lowerright",
        "rightcenter",
        "centerright",
    ]);
    let region = match (up, down, left, right) {
        (true, false, true, false) => Region::TopLeft,
        (true, false, false, true) => Region::TopRight,
        (true, false, ..) => Region::Top,
        (false, true, true, false) => Region::BottomLeft,
        (false, true, false, true) => Region::BottomRight,
        (false, true, ..) => Region::Bottom,
        (_, _, true, false) => Region::Left,
        (_, _, false, true) => Region::Right,
        _ if has(&["center", "centre", "middle", "origin"]) => Region::Center,
        _ => return None,
    };
    Some(Placement { region: Some(region), at: None })
}

/// What stands right of `y =`, `f(x) =` and the like, and its name.
pub(super) fn right_side(text: &str) -> (Option<&str>, &str) {
    let bare = text.trim().trim_matches('$').trim();
    match bare.split_once('=') {
        Some((left, right))
            if left.trim().len() <= 12 && !right.starts_with('=') && !left.trim_start().starts_with("lambda") =>
        {
            (Some(left.trim()), right.trim())
        }
        _ => (None, bare),
    }
}

/// The expressions of a tuple such as `(cos(t), sin(t))`, `x = …, y = …` or `lambda t: np.array([…])`; none when one of
/// them isn't one.
pub(super) fn expressions(value: &Value, variables: &[&str]) -> Option<Vec<Expression>> {
    if let Some(items) = value.list() {
        let one = |item: &Value| expression::parse(right_side(&item.text()?).1, variables).ok();
        return items.iter().map(one).collect();
    }
    if let Kind::Map(_) = value.kind {
        let axis = |name: &str| {
            let long = format!("{name}function");
            value.get(&[name, &format!("{name}t"), &format!("{name}uv"), &long, &format!("{name}expr")])
        };
        let parts: Vec<&Value> = ["x", "y", "z"].iter().filter_map(|name| axis(name)).collect();
        if parts.len() >= 2 {
            let one = |item: &&Value| expression::parse(right_side(&item.text()?).1, variables).ok();
            return parts.iter().map(one).collect();
        }
    }
    // Longer is no expression, and would be looked at again for each of its brackets.
    let text = value.text().filter(|text| text.len() <= 3_000)?;
    let mut text = text.trim().trim_matches('$').trim().to_owned();
    let mut prefix = String::new();
    if let Some((parameters, body)) = text.strip_prefix("lambda ").and_then(|rest| rest.split_once(':')) {
        let (name, body) = (parameters.trim().to_owned(), body.trim().to_owned());
        // `lambda p: … p[0] …`: the parameter is a point.
        let indexed = ["[0]", "[1]", "[2]"].map(|index| format!("{name}{index}"));
        if indexed.iter().any(|one| body.contains(one)) {
            let names = ["x", "y", "z"];
            text = indexed.iter().zip(names).fold(body, |body, (one, name)| body.replace(one, &format!("({name})")));
        } else {
            prefix = format!("lambda {name}: ");
            text = body;
        }
    }
    let mut bare = text.as_str();
    for wrapper in [
        "np.array",
        "numpy.array",
        "array",
        "axes.c2p",
        "vec",
        "r(t) =",
        "F(x,y) =",
        "F(x, y) =",
        "r(u,v) =",
        "r(t)=",
        "F(x,y)=",
        "F =",
    ] {
        bare = bare.strip_prefix(wrapper).unwrap_or(bare).trim();
    }
    // Only brackets around the whole of it.
    while bare.starts_with(['(', '[', '<', '⟨']) && split(bare, &[',', ';']).len() == 1 {
        bare = bare[bare.chars().next().map_or(0, char::len_utf8)..].trim();
        bare = bare.strip_suffix([')', ']', '>', '⟩']).unwrap_or(bare).trim();
    }
    let parts = split(bare, &[',', ';', '\n']);
    if parts.len() < 2 {
        return None;
    }
    parts.iter().map(|part| expression::parse(&format!("{prefix}{}", right_side(part).1), variables).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        let (list, _) = json::parse(&format!("[{json}]")).unwrap();
        list.items()[0].clone()
    }

    #[test]
    fn points_and_regions_are_read_however_they_are_written() {
        let at = |json: &str| point(&value(json)).map(|point| (point.x, point.y, point.z));
        for json in [
            r#"[1, "2", 0]"#,
            r#""[1, 2, 0]""#,
            r#""(1,2)""#,
            r#"{"x": 1, "y": "2"}"#,
            r#""RIGHT + 2*UP""#,
            r#""UP*2 + RIGHT""#,
        ] {
            assert_eq!(at(json), Some((1.0, 2.0, 0.0)), "{json}");
        }
        assert_eq!(at(r#""LEFT*3 - UP""#), Some((-3.0, -1.0, 0.0)));
        for json in ["[1]", r#""center""#, "null", r#"[1e9, 0]"#, r#""""#] {
            assert_eq!(at(json), None, "{json}");
        }
        let region = |json: &str| placement(&value(json)).and_then(|placement| placement.region);
        for (json, name) in [
            ("\"Top Left\"", "top-left"),
            ("\"upper_right\"", "top-right"),
            ("\"center\"", "center"),
            ("\"bottom center\"", "bottom"),
            ("\"leftmost corner, left\"", "left"),
            ("\"below title\"", "bottom"),
            ("\"topleft\"", "top-left"),
        ] {
            assert_eq!(region(json).map(Region::name), Some(name), "{json}");
        }
        assert_eq!(region("\"somewhere\""), None);
    }

    #[test]
    fn ranges_and_tuples_are_read_however_they_are_written() {
        let ends = |json: &str| range(&value(json)).map(|range| (range.min, range.max));
        for json in [
            "[-3, 3, 1]",
            "[\"-3\", \"3\"]",
            "\"-3..3\"",
            "\"[-3, 3]\"",
            "\"-3 to 3\"",
            "{\"min\": -3, \"max\": 3}",
            "[3, -3]",
        ] {
            assert_eq!(ends(json), Some((-3.0, 3.0)), "{json}");
        }
        assert_eq!(ends("[1, 1]"), None);
        let count = |json: &str| expressions(&value(json), &["t"]).map(|found| found.len());
        for json in [
            r#""(cos(t), sin(t))""#,
            r#"["cos(t)", "sin(t)"]"#,
            r#""lambda t: np.array([np.cos(t), np.sin(t)])""#,
            r#""lambda s: (np.cos(s), np.sin(s))""#,
            r#""x = cos(t), y = sin(t)""#,
            r#"{"x": "cos(t)", "y": "sin(t)"}"#,
        ] {
            assert_eq!(count(json), Some(2), "{json}");
        }
        let field = expressions(&value(r#""lambda p: np.array([-p[1], p[0], 0])""#), &["x", "y"]).unwrap();
        assert_eq!((field[0].postfix.len(), field.len()), (2, 3));
        assert_eq!(count(r#""cos(t)""#), None);
        assert_eq!(count(r#""(import os, t)""#), None);
    }

    #[test]
    fn pairs_are_told_from_words() {
        assert!(pairs("radius=2, color=red", 0).is_some());
        assert!(pairs("x_range: [-3, 3]; y_range: [0, 1]", 0).is_some());
        assert!(pairs("y = x^2", 0).is_none());
        assert!(pairs("Note: this is prose", 0).is_none());
        assert!(pairs("r = 2 cos(t)", 0).is_none());
    }
}
