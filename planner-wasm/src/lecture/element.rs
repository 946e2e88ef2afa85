//! An element of a plan: what it is to be, whatever a language model calls it.

use super::figure::{self, Drawn};
use super::json::{Kind, Value, plain};
use super::parameters::{Parameters, placement, range};
use super::transformation::Transformation;
use crate::document::asset;
use crate::drawing::axes::AxesBuilder;
use crate::drawing::space::SpaceBuilder;
use crate::drawing::{chart, forces, graph, number_line, style};
use crate::film::Warnings;
use crate::film::draft::placeholder;
use crate::inline;
use crate::label::label;
use crate::lesson::fence;
use crate::storyboard::{
    Action, Bar, Bullet, Bullets, Camera, CameraChange, Chart, Code, Curve, CurveKind, Drawing, Edge, ElementKind,
    Extent, Graph, Highlight, Image, Layout, Mark, Move, Node, Place, Point, RichText, Shape, ShapeKind, Span, Style,
    Table, TableRow,
};
use crate::text::{line_numbers, one_line};

/// What an element becomes.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one scene's elements at a time; sizes differ by target")]
pub(super) enum Made {
    /// Something of its own on the page.
    Element(ElementKind),
    /// Words that may become the scene's heading.
    Title(RichText),
    /// New axes, for what follows.
    Axes(AxesBuilder),
    /// Something on axes.
    Curve(Curve),
    /// A new space, for what follows.
    Space(SpaceBuilder),
    /// Something in a space.
    Solid(crate::storyboard::Solid),
    /// A shape, and whether the plan says where it is.
    Shape(Shape, bool),
    /// Something happens to what is there; an empty target means what was shown last.
    Act(Action),
    /// One thing becomes another.
    Transformation(Transformation),
    /// The screen is emptied.
    Clear,
    /// What is there stands so many milliseconds, without words.
    Pause(u32),
    /// There is nothing to show.
    Nothing,
}

impl Made {
    /// A change of one thing into another.
    pub(super) fn transformation(&self) -> Option<&Transformation> {
        match self {
            Self::Transformation(transformation) => Some(transformation),
            _ => None,
        }
    }
}

const MOST_LABEL: usize = 60;
const MOST_ITEMS: usize = 200;
const MOST_ROWS: usize = 100;
const MOST_COLUMNS: usize = 30;
/// Cells of an array that have room side by side, each of so many characters.
const MOST_CELLS: usize = 16;
const LONGEST_CELL: usize = 5;

/// What `element` becomes; `x` is the range of the axes that are there. What can't be drawn becomes a placeholder and a
/// warning.
pub(super) fn made(parameters: &Parameters<'_>, x: Option<(f64, f64)>, place: Place, warnings: &mut Warnings) -> Made {
    let element = parameters.element;
    if let Kind::Text(text) = &element.kind {
        return text_of(text, false, place, warnings);
    }
    let named = element
        .get(&["type", "kind", "elementtype", "class", "mobject", "shape"])
        .and_then(Value::text)
        .unwrap_or_default();
    let name = plain(&named);
    let name = name.trim_end_matches("mobject");
    let content = || parameters.text().or_else(|| parameters.content.and_then(Value::text)).unwrap_or_default();
    let curve = |drawn: Drawn, warnings: &mut Warnings| match drawn {
        Ok((kind, own)) => {
            let label = parameters.words(&["label", "legend", "name"]).unwrap_or(own);
            let label = one_line(&crate::label::label(&label), MOST_LABEL);
            Made::Curve(Curve { label, kind, colour: parameters.style().and_then(|style| style.colour) })
        }
        Err(why) => undrawn(&named, &why, &content(), place, warnings),
    };
    let solid = |made: Result<crate::storyboard::SolidKind, String>, warnings: &mut Warnings| match made {
        Ok(kind) => Made::Solid(figure::solid_of(kind, parameters)),
        Err(why) => undrawn(&named, &why, &content(), place, warnings),
    };
    match name {
        "text" | "paragraph" | "label" | "caption" | "markuptext" | "markup" | "sentence" | "note" | "annotation"
        | "statement" | "definition" | "question" | "answer" | "theorem" | "quote" | "callout" | "textbox"
        | "explanation" => {
            let text = text_of(&content(), parameters.is_bold(), place, warnings);
            match text {
                Made::Element(ElementKind::Text(text))
                    if matches!(name, "quote" | "callout" | "definition" | "theorem") =>
                {
                    Made::Element(ElementKind::Callout(text))
                }
                text => text,
            }
        }
        "title" | "heading" | "header" | "subtitle" | "headline" | "titletext" | "sectiontitle" => {
            let spans = inline::rich(inline::of_text(&content(), place), place, warnings).spans;
            let strong = |span| if let Span::Plain(text) = span { Span::Strong(text) } else { span };
            let text = RichText { spans: spans.into_iter().map(strong).collect() };
            if text.spans.is_empty() { Made::Nothing } else { Made::Title(text) }
        }
        "bullets" | "bulletlist" | "bulletedlist" | "list" | "bulletpoints" | "numberedlist" | "orderedlist"
        | "enumeration" | "steps" | "blist" => {
            list(parameters, matches!(name, "numberedlist" | "orderedlist" | "enumeration" | "steps"), place, warnings)
        }
        "freebodydiagram" | "freebody" | "fbd" | "forcediagram" | "forces" => {
            free_body(parameters, &named, place, warnings)
        }
        "code" | "codeblock" | "snippet" | "program" | "pseudocode" => code(parameters, place, warnings),
        "mathtex" | "math" | "equation" | "formula" | "singlestringmathtex" => {
            mathematics(&content(), true, place, warnings)
        }
        "latex" | "tex" => mathematics(&content(), false, place, warnings),
        "table" | "mathtable" | "integertable" | "decimaltable" | "matrix" => table(parameters, place, warnings),
        "image" | "picture" | "figure" | "svg" | "photo" | "diagramimage" => image(parameters, place, warnings),
        "numberline" | "line1d" => number_line_of(parameters),
        "axes" | "axis" | "numberplane" | "plane" | "coordinateplane" | "coordinatesystem" | "coordinateaxes"
        | "grid" | "complexplane" | "axes2d" | "cartesianplane" | "polarplane" => {
            Made::Axes(AxesBuilder { is_frame: name.contains("plane") || name == "grid", ..plane(parameters) })
        }
        "graph" | "network" | "digraph" | "tree" | "flowchart" | "nodegraph" | "diagram" if has_nodes(parameters) => {
            Made::Element(nodes(parameters))
        }
        "network" | "digraph" | "tree" | "flowchart" | "nodegraph" | "mermaid" => match graph::graph(&content()) {
            Ok(graph) => Made::Element(ElementKind::Graph(graph)),
            Err(error) => undrawn(&named, &error.why, &content(), place, warnings),
        },
        "graph" | "plot" | "function" | "functiongraph" | "functionplot" | "curve" | "implicitfunction"
        | "linegraph" | "tangent" | "tangentline" | "linechart" => curve(figure::graph_of(parameters), warnings),
        "scatter" | "scatterplot" | "datapoints" => curve(figure::scatter(parameters), warnings),
        "array" | "list1d" | "stack" | "queue" | "linkedlist" => row(parameters, place, warnings),
        "area" | "areaundercurve" | "shadedarea" | "riemannrectangles" | "shadedregion" => {
            curve(figure::area(parameters, x), warnings)
        }
        "parametric" | "parametricfunction" | "parametriccurve" | "parametricplot" => {
            curve(figure::parametric(parameters), warnings)
        }
        "vectorfield" | "arrowvectorfield" | "field" => {
            let field = figure::field(parameters).map(|field| (CurveKind::Vectors(field), String::new()));
            curve(field, warnings)
        }
        "streamlines" | "streamline" | "flow" => {
            let field = figure::field(parameters).map(|field| (CurveKind::Streamlines(field), String::new()));
            curve(field, warnings)
        }
        "barchart" | "chart" | "histogram" | "bargraph" | "bars" | "columnchart" => {
            bars(parameters, &named, place, warnings)
        }
        "axes3d" | "threedaxes" | "3daxes" | "space" | "axis3d" => Made::Space(space(parameters)),
        "parametric3d" | "parametriccurve3d" | "curve3d" | "parametricfunction3d" | "helix" => {
            solid(figure::space_curve(parameters), warnings)
        }
        "surface3d" | "surface" | "parametricsurface" | "surfaceplot" | "plot3d" | "function3d" => {
            solid(figure::space_surface(parameters), warnings)
        }
        "sphere3d" | "sphere" | "ball" => solid(figure::solid("sphere", parameters), warnings),
        "cylinder3d" | "cylinder" => solid(figure::solid("cylinder", parameters), warnings),
        "cone3d" | "cone" => solid(figure::solid("cone", parameters), warnings),
        "box3d" | "box" | "cube" | "cube3d" | "prism" | "cuboid" | "cuboid3d" => {
            solid(figure::solid("box", parameters), warnings)
        }
        "torus3d" | "torus" => solid(figure::solid("torus", parameters), warnings),
        "arrow3d" | "vector3d" | "line3d" => solid(figure::solid("arrow", parameters), warnings),
        "circle" | "ellipse" | "square" | "rectangle" | "roundedrectangle" | "annulus" | "ring" | "polygon"
        | "regularpolygon" | "triangle" | "arrow" | "line" | "segment" | "linesegment" | "dashedline" | "vector"
        | "brace" | "doublearrow" | "dot" | "point" | "curvedarrow" | "rect" | "disk" | "disc" => {
            shape(name, parameters, &named, place, warnings)
        }
        "highlight"
        | "indicate"
        | "circumscribe"
        | "flash"
        | "focus"
        | "focuson"
        | "surroundingrectangle"
        | "emphasis"
        | "emphasize"
        | "underline"
        | "highlightbox"
        | "backgroundrectangle" => Made::Act(highlight(parameters)),
        "transform"
        | "replacementtransform"
        | "transformmatchingtex"
        | "transformmatchingshapes"
        | "fadetransform"
        | "morph"
        | "become"
        | "replace" => Made::Transformation(Transformation::of(parameters)),
        "remove" | "fadeout" | "hide" | "uncreate" | "delete" => Made::Act(Action::Remove(target(parameters))),
        "clear" | "clearscreen" | "fadeoutall" | "reset" => Made::Clear,
        "dim" | "fade" => Made::Act(Action::Dim(target(parameters))),
        "move" | "shift" | "moveto" => {
            match parameters.get(&["to", "destination", "position", "direction"]).and_then(placement) {
                Some(to) => {
                    Made::Act(Action::Move(Move { target: target(parameters), to, timing: parameters.timing(false) }))
                }
                None => Made::Nothing,
            }
        }
        "camera" | "zoom" | "zoomin" | "zoomout" | "rotatecamera" | "cameramove" | "orbit" => {
            Made::Act(camera(name, parameters))
        }
        "wait" | "pause" => {
            let seconds = parameters
                .number(&["duration", "seconds", "time", "runtime", "content"])
                .filter(|seconds| *seconds > 0.0);
            seconds.map_or(Made::Nothing, |seconds| Made::Pause((seconds * 1_000.0).min(60_000.0) as u32))
        }
        "voiceover" | "narration" | "audio" => Made::Nothing,
        "" => untyped(parameters, place, warnings),
        _ => {
            let message =
                format!("`{}` is no element that can be drawn; a box stands in its place", one_line(&named, 40));
            warnings.add("plan.unknown_element", message, place);
            let detail = parameters.content.and_then(Value::text).unwrap_or_default();
            Made::Element(placeholder(&named, &detail))
        }
    }
}

fn undrawn(name: &str, why: &str, content: &str, place: Place, warnings: &mut Warnings) -> Made {
    warnings.add("plan.expression_not_understood", format!("`{}` can't be drawn: {why}", one_line(name, 40)), place);
    Made::Element(placeholder(name, content))
}

fn empty(place: Place, warnings: &mut Warnings) -> Made {
    warnings.add("plan.empty_element", "the element has no content and is left out", place);
    Made::Nothing
}

/// Content of which nobody says what it is.
fn untyped(parameters: &Parameters<'_>, place: Place, warnings: &mut Warnings) -> Made {
    match parameters.content.and_then(Value::text) {
        Some(text) if text.contains('\\') && !text.contains("$") => mathematics(&text, false, place, warnings),
        Some(text) => text_of(&text, false, place, warnings),
        None if has_nodes(parameters) => Made::Element(nodes(parameters)),
        None => empty(place, warnings),
    }
}

/// Content of which nobody says more than whether it is a formula.
pub(super) fn words(content: &str, formula: bool, place: Place, warnings: &mut Warnings) -> Made {
    match content.trim() {
        "" => empty(place, warnings),
        content if formula || content.contains(['\\', '^', '_']) => mathematics(content, formula, place, warnings),
        content => text_of(content, false, place, warnings),
    }
}

fn text_of(text: &str, bold: bool, place: Place, warnings: &mut Warnings) -> Made {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let marked = lines.iter().filter(|line| item(line).is_some()).count();
    if marked >= 2 {
        let bullet = |line: &&str| {
            let (number, words) = item(line).unwrap_or((None, line));
            Bullet { level: 0, number, text: inline::rich(inline::of_text(words, place), place, warnings) }
        };
        return Made::Element(ElementKind::Bullets(Bullets {
            items: lines.iter().take(MOST_ITEMS).map(bullet).collect(),
        }));
    }
    let mut text = inline::rich(inline::of_text(&lines.join(" "), place), place, warnings);
    if bold {
        let strong = |span| if let Span::Plain(text) = span { Span::Strong(text) } else { span };
        text.spans = text.spans.into_iter().map(strong).collect();
    }
    if text.spans.is_empty() { empty(place, warnings) } else { Made::Element(ElementKind::Text(text)) }
}

/// A line that begins as an item of a list does, without its mark.
fn item(line: &str) -> Option<(Option<u32>, &str)> {
    if let Some(words) = ["- ", "• ", "* ", "– ", "· "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some((None, words));
    }
    let digits = line.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    let words = line[digits..].strip_prefix([')', '.'])?.strip_prefix(' ')?;
    Some((line[..digits].parse().ok(), words))
}

/// A body and the forces on it: `{"object": "block", "forces": [{"name": "mg", "direction": "down"}]}`.
fn free_body(parameters: &Parameters<'_>, named: &str, place: Place, warnings: &mut Warnings) -> Made {
    let body = parameters.words(&["object", "body", "mass", "on"]).map(|body| label(&body)).unwrap_or_default();
    let source = parameters.get(&["forces", "vectors", "arrows"]).or(parameters.content);
    let mut all = Vec::new();
    // A list of them, or a map of their names.
    let entries = source.map(Value::entries).unwrap_or_default();
    let listed = source.map(Value::items).unwrap_or_default();
    let each: Vec<(Option<String>, &Value)> = if entries.is_empty() {
        listed.into_iter().map(|one| (None, one)).collect()
    } else {
        entries.iter().map(|(key, one)| (Some(key.written.clone()), one)).collect()
    };
    let mut add = |name: Option<String>, words: &str, length: f64, warnings: &mut Warnings| {
        // `"mg down"`, where somebody wrote it in one.
        let last = words.rsplit_once([' ', ':']).map(|(label, direction)| (label.trim().to_owned(), direction));
        let whole = forces::angle(words).map(|angle| (name.clone().unwrap_or_default(), angle));
        let parts = || last.and_then(|(label, direction)| Some((name.unwrap_or(label), forces::angle(direction)?)));
        match whole.or_else(parts) {
            Some((name, angle)) => {
                all.push(forces::Force { label: one_line(&label(&name), MOST_LABEL), angle, length });
            }
            None => {
                let message = format!("`{}` is no direction of a force, and it is left out", one_line(words, 40));
                warnings.add("plan.expression_not_understood", message, place);
            }
        }
    };
    if each.is_empty() {
        let words = source.and_then(Value::text).unwrap_or_default();
        for words in words.split(['\n', ',', ';']).map(str::trim).filter(|words| !words.is_empty()) {
            add(None, words, 1.0, warnings);
        }
    }
    for (name, force) in each.into_iter().take(forces::MOST_FORCES) {
        let name = name.or_else(|| force.get(&["symbol", "label", "name", "force", "text"]).and_then(Value::text));
        let direction = force.get(&["direction", "angle", "dir", "angledeg", "angledegrees"]);
        let length = force.get(&["length", "relativelength", "scale"]).and_then(Value::number).unwrap_or(1.0);
        if let Some(words) = direction.and_then(Value::text).or_else(|| force.text()) {
            add(name, &words, length, warnings);
        }
    }
    if all.is_empty() {
        return undrawn(named, "it has no forces with directions", &body, place, warnings);
    }
    Made::Element(ElementKind::Drawing(forces::diagram(&body, &all)))
}

fn list(parameters: &Parameters<'_>, ordered: bool, place: Place, warnings: &mut Warnings) -> Made {
    let own = parameters.get(&["items", "bullets", "points", "list", "steps"]);
    let Some(source) = own.or(parameters.content) else {
        return empty(place, warnings);
    };
    let mut items = Vec::new();
    bullets(source, 0, ordered, place, warnings, &mut items);
    items.truncate(MOST_ITEMS);
    if items.is_empty() { empty(place, warnings) } else { Made::Element(ElementKind::Bullets(Bullets { items })) }
}

fn bullets(source: &Value, level: u32, ordered: bool, place: Place, warnings: &mut Warnings, out: &mut Vec<Bullet>) {
    let mut next = 1;
    let mut add = |words: &str, number: Option<u32>, warnings: &mut Warnings, out: &mut Vec<Bullet>| {
        let text = inline::rich(inline::of_text(words, place), place, warnings);
        if !text.spans.is_empty() {
            let number = number.or_else(|| ordered.then_some(next));
            next += 1;
            out.push(Bullet { level, number, text });
        }
    };
    match &source.kind {
        Kind::List(items) => {
            for one in items {
                match &one.kind {
                    Kind::List(_) if level < 4 => bullets(one, level + 1, ordered, place, warnings, out),
                    _ => {
                        let words = one.text().unwrap_or_default();
                        let (number, words) = item(&words).unwrap_or((None, &words));
                        add(words, number, warnings, out);
                        if let Some(inner) =
                            one.get(&["items", "children", "subitems", "bullets"]).filter(|_| level < 4)
                        {
                            bullets(inner, level + 1, ordered, place, warnings, out);
                        }
                    }
                }
            }
        }
        _ => {
            for words in source.text().unwrap_or_default().lines().map(str::trim) {
                let (number, words) = item(words).unwrap_or((None, words));
                add(words, number, warnings, out);
            }
        }
    }
}

fn code(parameters: &Parameters<'_>, place: Place, warnings: &mut Warnings) -> Made {
    let source = parameters.get(&["code", "content", "source", "text", "snippet"]);
    let text = match source.map(|source| &source.kind) {
        // Its own white space counts.
        Some(Kind::Text(text)) => text.clone(),
        _ => source.and_then(Value::text).unwrap_or_default(),
    };
    // A fence inside of the string.
    let bare = text.trim_matches('\n');
    let (fenced, bare) = match bare.trim().strip_prefix("```").and_then(|rest| rest.split_once('\n')) {
        Some((info, rest)) => (info.trim().to_owned(), rest.trim_end().trim_end_matches('`').to_owned()),
        None => (String::new(), bare.to_owned()),
    };
    let language = parameters.words(&["language", "lang", "syntax"]).unwrap_or(fenced);
    let code = fence::program(language, &bare, place, warnings);
    if code.text.is_empty() {
        return empty(place, warnings);
    }
    let marks = parameters.words(&["highlightlines", "highlightedlines", "highlighted", "hllines", "highlight"]);
    let lines = code.text.lines().count() as u32;
    let highlighted =
        marks.map(|marks| line_numbers::marked(&format!("{{{}}}", marks.replace('\n', ",")))).unwrap_or_default();
    let highlighted = highlighted.into_iter().filter(|line| (1..=lines).contains(line)).collect();
    Made::Element(ElementKind::Code(Code { highlighted, ..code }))
}

/// A formula, or words with formulas in them: `sure` tells that it is no words.
fn mathematics(source: &str, sure: bool, place: Place, warnings: &mut Warnings) -> Made {
    let mut bare = source.trim();
    for (open, close) in [("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")] {
        let inside = bare.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        bare = inside.filter(|inside| !inside.contains('$')).map_or(bare, str::trim);
    }
    if bare.is_empty() {
        return empty(place, warnings);
    }
    let prose =
        bare.contains('$') || (!sure && bare.split_whitespace().count() > 2 && !bare.contains(['\\', '=', '^', '_']));
    if prose {
        return text_of(source, false, place, warnings);
    }
    // Rows of a matrix end in two backslashes, of which JSON leaves one.
    let mended = (bare.contains("\\begin{") && !bare.contains("\\\\"))
        .then(|| bare.replace("\\ ", "\\\\ ").replace("\\\n", "\\\\ "));
    Made::Element(fence::equation(mended.as_deref().unwrap_or(bare), place, warnings))
}

fn table(parameters: &Parameters<'_>, place: Place, warnings: &mut Warnings) -> Made {
    let rows = parameters.get(&["rows", "data", "content", "table", "cells", "values", "text"]);
    let rows = rows.and_then(|rows| rows.get(&["rows", "data", "cells"]).or(Some(rows)));
    let mut rows = rows.map(figure::cells).unwrap_or_default();
    rows.retain(|row| !row.is_empty());
    let header = parameters.get(&["headers", "header", "columns", "collabels", "columnlabels"]);
    let header: Vec<String> = match header {
        Some(header) => figure::cells(header).into_iter().flatten().collect(),
        None if rows.len() > 1 => rows.remove(0),
        None => Vec::new(),
    };
    if rows.is_empty() {
        return empty(place, warnings);
    }
    let widest = rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
    if rows.len() > MOST_ROWS || widest > MOST_COLUMNS {
        warnings.add(
            "plan.text_cut",
            format!("the table has {} rows and {widest} columns and was cut", rows.len()),
            place,
        );
    }
    let mut cell = |text: String| inline::rich(inline::of_text(&text, place), place, warnings);
    let header = header.into_iter().take(MOST_COLUMNS).map(&mut cell).collect();
    let row = |row: Vec<String>| TableRow { cells: row.into_iter().take(MOST_COLUMNS).map(&mut cell).collect() };
    let rows: Vec<TableRow> = rows.into_iter().take(MOST_ROWS).map(row).collect();
    let table = Table { header, rows, align: Vec::new() };
    if table.is_empty() { empty(place, warnings) } else { Made::Element(ElementKind::Table(table)) }
}

/// The cells of an array, side by side; cells with more than fits into one are a list.
fn row(parameters: &Parameters<'_>, place: Place, warnings: &mut Warnings) -> Made {
    let cells =
        parameters.get(&["values", "data", "elements", "items", "content"]).map(Value::items).unwrap_or_default();
    let cells: Vec<String> = cells.into_iter().take(MOST_CELLS + 1).filter_map(Value::text).collect();
    if cells.is_empty() || cells.len() > MOST_CELLS || cells.iter().any(|cell| cell.chars().count() > LONGEST_CELL) {
        return list(parameters, false, place, warnings);
    }
    let style = style::or_none(Style { colour: Some("blue".to_owned()), ..style::unstyled() });
    let cell = |(index, text): (usize, String)| {
        let center = Point { x: index as f64, y: 0.0 };
        let kind = ShapeKind::Rectangle(Extent { center, width: 1.0, height: 1.0 });
        Shape { kind, label: one_line(&label(&text), MOST_LABEL), style: style.clone() }
    };
    Made::Element(ElementKind::Drawing(Drawing { shapes: cells.into_iter().enumerate().map(cell).collect() }))
}

fn image(parameters: &Parameters<'_>, place: Place, warnings: &mut Warnings) -> Made {
    let named = parameters.words(&["source", "src", "path", "file", "filename", "url", "image"]);
    let source = named.clone().or_else(|| parameters.text()).unwrap_or_default();
    let words = parameters.words(&["alt", "description", "caption"]);
    let alt = words.or_else(|| named.and(parameters.text())).unwrap_or_default();
    let path = asset::path(&source).and_then(|path| {
        if asset::is_picture(&path) { Ok(path) } else { Err("a picture is a PNG, JPEG or SVG file".to_owned()) }
    });
    match path {
        Ok(source) => {
            let caption = parameters.words(&["caption"]).map(|caption| one_line(&caption, 200)).unwrap_or_default();
            Made::Element(ElementKind::Image(Image { source, alt: one_line(&alt, 200), caption }))
        }
        Err(why) => {
            warnings.add(
                "plan.image_not_usable",
                format!("the image `{}` can't be shown: {why}", one_line(&source, 100)),
                place,
            );
            Made::Element(placeholder("Image", if alt.is_empty() { &source } else { &alt }))
        }
    }
}

fn number_line_of(parameters: &Parameters<'_>) -> Made {
    let range = parameters.range(&["xrange", "range"], &["min", "xmin", "start"], &["max", "xmax", "end"]);
    let marks = parameters.get(&["marks", "points", "dots", "values", "highlight"]).map(|marks| {
        let mark = |mark: &Value| {
            let at = mark.number().or_else(|| mark.get(&["at", "value", "x", "position"]).and_then(Value::number))?;
            Some(Mark {
                at,
                label: mark.get(&["label"]).and_then(Value::text).map(|label| one_line(&label, 40)).unwrap_or_default(),
            })
        };
        marks.items().into_iter().take(20).filter_map(mark).collect::<Vec<_>>()
    });
    let label = parameters.words(&["label", "xlabel"]).map(|label| one_line(&label, MOST_LABEL)).unwrap_or_default();
    Made::Element(ElementKind::NumberLine(number_line::settled(range, label, marks.unwrap_or_default())))
}

fn plane(parameters: &Parameters<'_>) -> AxesBuilder {
    let axis = |keys: &[&str], min: &str, max: &str| parameters.range(keys, &[min], &[max]);
    // `"axis_labels": ["x", "y"]`
    let labels = parameters
        .get(&["axislabels", "labels"])
        .map(|labels| labels.items().into_iter().filter_map(Value::text).collect::<Vec<_>>());
    let labels = labels.unwrap_or_default();
    let label = |keys: &[&str], at: usize| {
        let own = parameters.words(keys).or_else(|| labels.get(at).cloned());
        own.map(|own| one_line(&crate::label::label(&own), 40)).unwrap_or_default()
    };
    AxesBuilder {
        caption: parameters.words(&["caption"]).map(|caption| one_line(&caption, 80)).unwrap_or_default(),
        x: axis(&["xrange", "x", "domain"], "xmin", "xmax"),
        y: axis(&["yrange", "y"], "ymin", "ymax"),
        x_label: label(&["xlabel", "xaxislabel"], 0),
        y_label: label(&["ylabel", "yaxislabel"], 1),
        legend: parameters.get(&["legend"]).and_then(Value::yes).unwrap_or(false),
        is_frame: false,
        curves: Vec::new(),
    }
}

fn space(parameters: &Parameters<'_>) -> SpaceBuilder {
    let range_of = |keys: &[&str]| parameters.get(keys).and_then(range);
    let label = |keys: &[&str], otherwise: &str| {
        parameters.words(keys).map_or_else(|| otherwise.to_owned(), |own| one_line(&crate::label::label(&own), 40))
    };
    SpaceBuilder {
        caption: parameters.words(&["caption"]).map(|caption| one_line(&caption, 80)).unwrap_or_default(),
        ranges: [range_of(&["xrange", "x"]), range_of(&["yrange", "y"]), range_of(&["zrange", "z"])],
        labels: [label(&["xlabel"], "x"), label(&["ylabel"], "y"), label(&["zlabel"], "z")],
        axes: Some(true),
        solids: Vec::new(),
        phi: parameters.number(&["phi"]).map(degrees).filter(|angle| (0.0..=180.0).contains(angle)),
        theta: parameters.number(&["theta"]).map(degrees).filter(|angle| angle.abs() <= 720.0),
    }
}

/// Angles below a turn of radians are radians only when they are no whole number: `1.2`, and not `45`.
fn degrees(angle: f64) -> f64 {
    if angle.abs() <= std::f64::consts::TAU && angle.fract() != 0.0 { angle.to_degrees() } else { angle }
}

fn has_nodes(parameters: &Parameters<'_>) -> bool {
    parameters.get(&["nodes", "vertices", "edges"]).is_some_and(|nodes| !nodes.items().is_empty())
}

fn nodes(parameters: &Parameters<'_>) -> ElementKind {
    let word = |value: &Value| value.text().map(|text| one_line(&text, 40));
    let mut graph = Graph { nodes: Vec::new(), edges: Vec::new(), directed: false, layout: None };
    fn add(graph: &mut Graph, id: String, label: Option<String>) {
        let full = graph.nodes.len() == graph::MOST_NODES;
        if !full && !graph.nodes.iter().any(|node| node.id == id) {
            graph.nodes.push(Node { label: label.unwrap_or_else(|| id.clone()), id });
        }
    }
    for node in parameters.get(&["nodes", "vertices"]).map(Value::items).unwrap_or_default() {
        let id = node.get(&["id", "name", "key"]).and_then(word).or_else(|| word(node));
        if let Some(id) = id {
            add(&mut graph, id, node.get(&["label", "text", "title"]).and_then(word));
        }
    }
    for edge in parameters.get(&["edges", "links", "connections"]).map(Value::items).unwrap_or_default() {
        let items = edge.items();
        let listed = edge.list().is_some();
        let from = edge
            .get(&["from", "source", "start", "u"])
            .or_else(|| items.first().copied().filter(|_| listed))
            .and_then(word);
        let to =
            edge.get(&["to", "target", "end", "v"]).or_else(|| items.get(1).copied().filter(|_| listed)).and_then(word);
        // `"a -> b"`
        let ends = edge.text().filter(|_| from.is_none() || to.is_none()).and_then(|text| graph::graph(&text).ok());
        let pair = ends.and_then(|ends| ends.edges.first().map(|edge| (edge.from.clone(), edge.to.clone())));
        let Some((from, to)) = from.zip(to).or(pair) else { continue };
        if graph.edges.len() == graph::MOST_EDGES {
            break;
        }
        add(&mut graph, from.clone(), None);
        add(&mut graph, to.clone(), None);
        let known = |id: &String| graph.nodes.iter().any(|node| node.id == *id);
        if known(&from) && known(&to) {
            let label = edge.get(&["label", "weight", "name"]).and_then(word).unwrap_or_default();
            graph.edges.push(Edge { from, to, label });
        }
    }
    let kind = parameters.words(&["type", "kind"]).map(|kind| plain(&kind)).unwrap_or_default();
    graph.directed =
        parameters.get(&["directed"]).and_then(Value::yes).unwrap_or(matches!(kind.as_str(), "digraph" | "flowchart"));
    let layout =
        parameters.words(&["layout"]).map(|layout| plain(&layout)).or((kind == "tree").then(|| "tree".to_owned()));
    graph.layout = layout.and_then(|wanted| Layout::named(&wanted));
    if graph.nodes.is_empty() { placeholder("Graph", "") } else { ElementKind::Graph(graph) }
}

fn bars(parameters: &Parameters<'_>, named: &str, place: Place, warnings: &mut Warnings) -> Made {
    let labels =
        parameters.get(&["labels", "barnames", "names", "categories", "x"]).map(Value::items).unwrap_or_default();
    let labels: Vec<String> = labels.into_iter().map(|label| label.text().unwrap_or_default()).collect();
    let data = parameters.get(&["values", "data", "bars", "heights", "y"]).or(parameters.content);
    let mut bars = Vec::new();
    let mut add = |label: String, value: Option<f64>| {
        if let (Some(value), true) = (value, bars.len() < chart::MOST_BARS) {
            bars.push(Bar { label: one_line(&label, 40), value });
        }
    };
    match data {
        Some(data) if !data.entries().is_empty() => {
            data.entries().iter().for_each(|(label, value)| add(label.written.clone(), value.number()));
        }
        Some(data) => {
            for (index, one) in data.items().into_iter().enumerate() {
                let own = one.get(&["label", "name", "category", "x"]).and_then(Value::text);
                let pair = one.list().filter(|pair| pair.len() == 2);
                let value =
                    one.number().or_else(|| one.get(&["value", "y", "height", "count"]).and_then(Value::number));
                let value = value.or_else(|| pair.and_then(|pair| pair[1].number()));
                let paired = pair.and_then(|pair| pair[0].text());
                add(own.or(paired).or_else(|| labels.get(index).cloned()).unwrap_or_default(), value);
            }
        }
        None => {}
    }
    if bars.is_empty() {
        let text = parameters.content.and_then(Value::text).unwrap_or_default();
        return match chart::chart(&text.replace(',', "\n")) {
            Ok(chart) => Made::Element(ElementKind::Chart(chart)),
            Err(_) => undrawn(named, "it has no values", &text, place, warnings),
        };
    }
    let words = |keys: &[&str]| parameters.words(keys).map(|words| one_line(&words, 80)).unwrap_or_default();
    Made::Element(ElementKind::Chart(Chart {
        bars,
        value_label: words(&["ylabel", "valuelabel"]),
        caption: words(&["title", "caption"]),
    }))
}

fn shape(name: &str, parameters: &Parameters<'_>, named: &str, place: Place, warnings: &mut Warnings) -> Made {
    let plain_name = match name {
        "ring" => "annulus",
        "rect" | "roundedrectangle" => "rectangle",
        "regularpolygon" => "polygon",
        "segment" | "linesegment" => "line",
        "doublearrow" | "curvedarrow" => "arrow",
        "point" => "dot",
        "disk" | "disc" => "circle",
        other => other,
    };
    let Some((kind, placed)) = figure::shape(plain_name, parameters) else {
        return undrawn(named, "it begins where it ends", "", place, warnings);
    };
    // Content that says where it lies is no label.
    let own = parameters.words(&["label"]);
    let content = || parameters.text().filter(|text| !text.contains(['[', '(', '=']) && text.chars().count() <= 40);
    let label = own.or_else(content).map(|own| one_line(&label(&own), MOST_LABEL)).unwrap_or_default();
    Made::Shape(Shape { kind, label, style: parameters.style() }, placed)
}

/// The id of what an action is about; empty when it isn't said.
fn target(parameters: &Parameters<'_>) -> String {
    let keys = [
        "target",
        "targetid",
        "targetelement",
        "element",
        "elementid",
        "object",
        "ref",
        "refers",
        "targets",
        "mobject",
    ];
    let named = parameters.words(&keys).or_else(|| parameters.text());
    named.map(|name| name.lines().next().unwrap_or_default().to_owned()).unwrap_or_default()
}

fn highlight(parameters: &Parameters<'_>) -> Action {
    let colour = parameters.style().and_then(|style| style.colour);
    let part = parameters.words(&["part", "lines", "substring", "term"]);
    // `"target": "code", "content": "lines 4-5"`
    let content = || parameters.element.get(&["target"]).and_then(|_| parameters.text());
    let part = part.or_else(content).map(|part| one_line(&lines(&part), 100));
    Action::Highlight(Highlight { target: target(parameters), part, colour, timing: parameters.timing(false) })
}

/// Lines of a program as `4` or `4-7`, however they are written; other parts as they are.
fn lines(part: &str) -> String {
    let bare = part.trim().trim_start_matches(|c: char| c.is_alphabetic() || c == ' ');
    let numbers: Option<Vec<u32>> =
        bare.split([',', '-', '–', '\n', ' ']).filter(|one| !one.is_empty()).map(|one| one.parse().ok()).collect();
    let lines = part.trim().to_lowercase().starts_with("line") || part.trim().starts_with(|c: char| c.is_ascii_digit());
    match numbers.as_deref().filter(|_| lines) {
        Some([one]) => one.to_string(),
        Some([first, .., last]) => format!("{}-{}", first.min(last), last.max(first)),
        _ => part.to_owned(),
    }
}

fn camera(name: &str, parameters: &Parameters<'_>) -> Action {
    let angle =
        parameters.number(&["angle", "degrees", "theta", "rate"]).map(degrees).filter(|angle| angle.abs() <= 720.0);
    let said = parameters.words(&["action", "change", "content", "mode"]).map(|word| plain(&word)).unwrap_or_default();
    let change = if name == "zoomout" || said.contains("back") || said.contains("out") || said.contains("reset") {
        CameraChange::Back
    } else if matches!(name, "orbit" | "rotatecamera") || said.contains("orbit") || said.contains("rotat") {
        CameraChange::Orbit(angle.unwrap_or(90.0))
    } else {
        CameraChange::ZoomTo(target(parameters))
    };
    Action::Camera(Camera { change, timing: parameters.timing(false) })
}
