//! A scene of a plan: its elements in groups, each with the words that are heard while it comes.
//!
//! The scene's own words come first, with the elements before the first one that has words of its own; each of those
//! begins a group. Curves gather on their axes, placed shapes in one drawing, solids in one space: what comes later
//! grows out of what is there.

use std::collections::BTreeMap;

use super::element::{self, Made};
use super::figure;
use super::json::{Kind, Value, plain};
use super::parameters::Parameters;
use crate::draft::{Draft, Shown, Step, StepKind, Warnings, one_line, placeholder};
use crate::drawing::Range;
use crate::drawing::plane::Plane;
use crate::drawing::scenery::Scenery;
use crate::film::NAMELESS;
use crate::lesson::inline;
use crate::place::Places;
use crate::settings::Settings;
use crate::storyboard::{
    Action, Axis, CameraChange, Curve, CurveKind, Drawing, ElementKind, Formula, Place, Placement, RichText, SceneKind,
    Shape, ShapeKind, Span, Style, Timing,
};
use crate::tongue::Tongue;

/// A drawing holds no more shapes, axes no more curves, a space no more solids.
const MOST_PARTS: usize = 40;
/// Words at a point of a drawing are no longer, in characters.
const LONGEST_LABEL: usize = 12;
/// A scene of a plan has no more elements; more are left out with a warning.
const MOST_ELEMENTS: usize = 300;
/// From one body in space to the next, when nobody says where they are.
const APART: f64 = 4.0;
/// Half of Manim's frame, in its units, and a little more.
const HALF_FRAME: (f64, f64) = (7.2, 4.1);
/// Characters of a heading that is made of a description.
const LONGEST_HEADING: usize = 80;

const WORDS: &[&str] = &["voiceover", "narration", "voice", "speech", "script", "spokentext", "vo"];

/// Where a part of a scene stands: in which of its canvases.
#[derive(Debug, Clone, Copy)]
enum Canvas {
    Plane(usize),
    Space(usize),
    Drawing,
}

/// What is shown in a group, in order.
#[allow(clippy::large_enum_variant, reason = "one group's elements at a time; sizes differ by target")]
enum Item {
    Step(Step),
    /// A canvas as it is when the group ends.
    Canvas(Canvas, Place),
}

struct Reader<'a, 'w> {
    settings: &'a Settings,
    places: &'a Places<'a>,
    warnings: &'w mut Warnings,
    planes: Vec<Stage<Plane>>,
    spaces: Vec<Stage<Scenery>>,
    drawing: Stage<Vec<Shape>>,
    /// Names of parts, and where they are: their canvas, and their label.
    aliases: BTreeMap<String, (String, Option<String>)>,
    /// The name of what was shown last.
    last: Option<String>,
    /// Whether shapes with places of their own are drawn: short words at points belong to them.
    has_drawing: bool,
}

/// Something that grows over a scene.
struct Stage<T> {
    /// The author's name of it.
    name: String,
    what: T,
    /// Names under which it was shown so far.
    shown: usize,
    placement: Option<Placement>,
    style: Option<Style>,
    timing: Option<Timing>,
}

impl<T> Stage<T> {
    fn of(name: String, what: T) -> Self {
        Self { name, what, shown: 0, placement: None, style: None, timing: None }
    }

    /// The names of its next and its last showing.
    fn next(&mut self) -> (String, Option<String>) {
        let name = |shown: usize| if shown == 0 { self.name.clone() } else { format!("{}-{}", self.name, shown + 1) };
        let names = (name(self.shown), self.shown.checked_sub(1).map(name));
        self.shown += 1;
        names
    }
}

/// The draft of a scene; `index` counts from 0, and `film` is the film's title.
pub(super) fn draft(
    scene: &Value,
    (index, film): (usize, &str),
    settings: &Settings,
    places: &Places<'_>,
    warnings: &mut Warnings,
) -> Draft {
    let place = places.at(scene.at);
    let mut reader = Reader {
        settings,
        places,
        warnings,
        planes: Vec::new(),
        spaces: Vec::new(),
        drawing: Stage::of("drawing".to_owned(), Vec::new()),
        aliases: BTreeMap::new(),
        last: None,
        has_drawing: false,
    };
    let elements =
        scene.get(&["elements", "objects", "mobjects", "items", "visuals", "visualelements", "components", "content"]);
    let elements: Vec<&Value> = match elements.map(|elements| (&elements.kind, elements)) {
        Some((Kind::List(list), _)) => list.iter().filter(|one| one.kind != Kind::Null).collect(),
        // One element, or a map of them by id.
        Some((Kind::Map(_), one)) if one.get(&["type", "content"]).is_some() => vec![one],
        Some((Kind::Map(entries), _)) => {
            entries.iter().map(|(_, one)| one).filter(|one| one.kind != Kind::Null).collect()
        }
        Some((Kind::Text(_), one)) => vec![one],
        _ => Vec::new(),
    };
    if elements.len() > MOST_ELEMENTS {
        let message = format!("the scene has {} elements; the first {MOST_ELEMENTS} are shown", elements.len());
        reader.warnings.add("plan.text_cut", message, place);
    }
    let elements = &elements[..elements.len().min(MOST_ELEMENTS)];
    let own = scene.get(&["title", "heading", "name", "header"]).and_then(Value::text);
    let description = scene.get(&["description", "summary", "goal", "purpose"]).and_then(Value::text);
    let mut heading = own.map(|title| inline::read(&inline::of_text(&title, place), settings));
    let steps = reader.steps(scene, elements, &mut heading, description.as_deref());
    let heading = heading.or_else(|| description.as_deref().map(described)).filter(|heading| !heading.is_empty());
    let heading =
        heading.unwrap_or_else(|| if index == 0 { film.to_owned() } else { format!("{film} ({})", index + 1) });
    let name = scene.get(&["id", "sceneid", "scene"]).and_then(Value::text).map(|id| match id.parse::<f64>() {
        Ok(_) => format!("scene-{id}"),
        Err(_) => id,
    });
    Draft { kind: SceneKind::Lesson, heading: one_line(&heading, 150), name, place, steps }
}

/// A description as a heading: its first sentence, if that is short, or its first clause.
fn described(description: &str) -> String {
    let sentence = crate::sentence::all(description).first().map_or(description, |one| *one);
    let clause = if sentence.chars().count() > LONGEST_HEADING { sentence.split([',', ';', ':']).next() } else { None };
    one_line(clause.unwrap_or(sentence).trim_end_matches('.'), LONGEST_HEADING)
}

impl Reader<'_, '_> {
    fn heard(&mut self, value: Option<&Value>) -> String {
        let place = value.map(|value| self.places.at(value.at));
        match (value.and_then(Value::text), place) {
            (Some(text), Some(place)) => inline::heard(&inline::of_text(&text, place), self.settings),
            _ => String::new(),
        }
    }

    fn steps(
        &mut self,
        scene: &Value,
        elements: &[&Value],
        heading: &mut Option<String>,
        description: Option<&str>,
    ) -> Vec<Step> {
        let words = scene.get(WORDS);
        let spoken = self.heard(words);
        let place = self.places.at(words.map_or(scene.at, |words| words.at));
        let of_scene = self.places.at(scene.at);
        let all: Vec<Parameters<'_>> = elements.iter().map(|element| Parameters::of(element)).collect();
        self.has_drawing = all.iter().any(is_placed_shape);
        let made = self.made(&all);
        let ranges = Ranges::of(&made);
        let mut out = Vec::new();
        let mut items = Vec::new();
        // Whether the words that the items wait for are known, and which.
        let mut waiting = Some((spoken, place)).filter(|(words, _)| !words.is_empty());
        let spoken: Vec<String> = all.iter().map(|one| self.heard(one.element.get(WORDS))).collect();
        let several = spoken.iter().any(|words| !words.is_empty());
        for (((index, parameters), made), words) in all.iter().enumerate().zip(made).zip(spoken) {
            let own = parameters.element.get(WORDS);
            let at = self.places.at(parameters.element.at);
            if !words.is_empty() {
                // Elements without words wait for the first that has some.
                if waiting.is_some() {
                    self.close(&mut items, waiting.take(), &mut out);
                }
                waiting = Some((words, own.map_or(at, |own| self.places.at(own.at))));
            }
            let name = parameters.element.get(&["id", "elementid", "name", "key"]).and_then(Value::text);
            let name = name.unwrap_or_else(|| format!("{NAMELESS}{index}"));
            self.element(made, parameters, name, at, heading, &ranges, !several, &mut items);
        }
        let length = scene.get(&["durationseconds", "duration", "length", "runtime", "time"]).and_then(Value::number);
        let nothing_shown = items.is_empty() && out.is_empty();
        if nothing_shown && waiting.is_some() && elements.is_empty() {
            // No scene is an empty screen: the words' own first sentence, or the description.
            let line = inline::of_text(&words.and_then(Value::text).unwrap_or_default(), place);
            let key = inline::key_words(&line);
            let text = if key.spans.is_empty() { inline::first_sentence(&line) } else { key };
            if !text.spans.is_empty() {
                items.push(Item::Step(Step::show(ElementKind::Text(text), place)));
            }
        } else if nothing_shown
            && waiting.is_none()
            && let Some(description) = description
        {
            let text = inline::rich(inline::of_text(description, of_scene), of_scene, self.warnings);
            items.push(Item::Step(Step::show(ElementKind::Text(text), of_scene)));
        }
        let silent = waiting.is_none() && out.iter().all(|step: &Step| !matches!(step.kind, StepKind::Speak(_)));
        self.close(&mut items, waiting.take(), &mut out);
        if let (true, Some(seconds)) = (silent && !out.is_empty(), length.filter(|seconds| *seconds >= 0.5)) {
            out.push(Step { place: of_scene, kind: StepKind::Hold((seconds * 1_000.0).min(60_000.0) as u32) });
        }
        out
    }

    /// Ends a group: what it shows, with canvases as they are now, and its words.
    fn close(&mut self, items: &mut Vec<Item>, words: Option<(String, Place)>, out: &mut Vec<Step>) {
        for item in std::mem::take(items) {
            match item {
                Item::Step(step) => out.push(step),
                Item::Canvas(canvas, place) => out.push(self.canvas(canvas, place)),
            }
        }
        if let Some((words, place)) = words {
            out.push(Step { place, kind: StepKind::Speak(words) });
        }
    }

    /// A canvas as it is now.
    fn canvas(&mut self, canvas: Canvas, place: Place) -> Step {
        let (kind, names, placement, style, timing) = match canvas {
            Canvas::Plane(index) => {
                let stage = &mut self.planes[index];
                let kind = stage.what.clone().axes().map(ElementKind::Axes);
                (kind, stage.next(), stage.placement.clone(), stage.style.clone(), stage.timing.clone())
            }
            Canvas::Space(index) => {
                let stage = &mut self.spaces[index];
                let kind = stage.what.clone().space().map(ElementKind::Space);
                (kind, stage.next(), stage.placement.clone(), stage.style.clone(), stage.timing.clone())
            }
            Canvas::Drawing => {
                let stage = &mut self.drawing;
                let kind = Ok(ElementKind::Drawing(Drawing { shapes: stage.what.clone() }));
                (kind, stage.next(), stage.placement.clone(), stage.style.clone(), stage.timing.clone())
            }
        };
        let kind = kind.unwrap_or_else(|why| {
            self.warnings.add("plan.expression_not_understood", format!("the plot can't be drawn: {why}"), place);
            placeholder("Plot", &why)
        });
        let (name, from) = names;
        Step { place, kind: StepKind::Show(Shown { name: Some(name), kind, placement, style, timing, from }) }
    }

    #[expect(clippy::too_many_arguments, reason = "what one element needs to know of its scene")]
    fn element(
        &mut self,
        made: Made,
        parameters: &Parameters<'_>,
        name: String,
        place: Place,
        heading: &mut Option<String>,
        ranges: &Ranges,
        from_scene: bool,
        items: &mut Vec<Item>,
    ) {
        match made {
            Made::Nothing => {}
            Made::Clear => items.push(Item::Step(Step { place, kind: StepKind::Clear })),
            Made::Title(text) if heading.is_none() && items.is_empty() => {
                *heading = Some(spoken_heading(&text, self.settings))
            }
            Made::Title(text) => self.show(ElementKind::Text(text), parameters, name, place, from_scene, items),
            Made::Element(ElementKind::Equation(equation))
                if self.has_drawing && is_letter(&equation.formula, parameters) =>
            {
                if let Some(at) = parameters.center().map(figure::flat) {
                    let (kind, label) = (ShapeKind::Label(at), equation.formula.latex);
                    self.shape(Shape { kind, label, style: parameters.style() }, name, place, items);
                }
            }
            Made::Element(ElementKind::Text(text)) if self.has_drawing && is_label(&text, parameters) => {
                let at = parameters.center().map(figure::flat);
                let label = text.spans.iter().map(|span| match span {
                    Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.as_str(),
                    Span::Math(formula) => formula.latex.as_str(),
                });
                let label = label.collect();
                if let Some(at) = at {
                    self.shape(
                        Shape { kind: ShapeKind::Label(at), label, style: parameters.style() },
                        name,
                        place,
                        items,
                    );
                }
            }
            Made::Element(kind) => self.show(kind, parameters, name, place, from_scene, items),
            Made::Shape(shape, true) if self.beyond_the_frame(&shape.kind).is_some() => {
                if let Some(kind) = self.beyond_the_frame(&shape.kind) {
                    let curve = Made::Curve(Curve { label: shape.label, kind });
                    self.element(curve, parameters, name, place, heading, ranges, from_scene, items);
                }
            }
            Made::Shape(shape, true) => self.shape(shape, name, place, items),
            Made::Shape(shape, false) => {
                let kind = ElementKind::Drawing(Drawing { shapes: vec![shape] });
                self.show(kind, parameters, name, place, from_scene, items);
            }
            Made::Plane(mut plane) => {
                let index = self.planes.len();
                if let Some((x, y)) = ranges.planes.get(index) {
                    (plane.x, plane.y) = (*x, *y);
                }
                let mut stage = Stage::of(name, plane);
                stage.placement = parameters.placement();
                stage.timing = parameters.timing(from_scene);
                self.last = Some(stage.name.clone());
                self.planes.push(stage);
                items.push(Item::Canvas(Canvas::Plane(index), place));
            }
            Made::Curve(curve) => {
                let index = self.plane_of(parameters).unwrap_or_else(|| {
                    let index = self.planes.len();
                    let mut plane = Plane::default();
                    if let Some((x, y)) = ranges.planes.get(index) {
                        (plane.x, plane.y) = (*x, *y);
                    }
                    self.planes.push(Stage::of(format!("axes-{}", index + 1), plane));
                    index
                });
                let stage = &mut self.planes[index];
                if stage.what.curves.len() == MOST_PARTS {
                    return self.warnings.add("plan.text_cut", "the axes hold 40 curves; this one is left out", place);
                }
                let label = Some(curve.label.clone()).filter(|label| !label.is_empty());
                self.aliases.insert(name.clone(), (stage.name.clone(), label));
                stage.what.curves.push(curve);
                self.last = Some(name);
                touch(items, Canvas::Plane(index), place);
            }
            Made::Space(mut scenery) => {
                let index = self.spaces.len();
                scenery.ranges = ranges.spaces.get(index).copied().unwrap_or(scenery.ranges);
                let mut stage = Stage::of(name, scenery);
                stage.placement = parameters.placement();
                stage.timing = parameters.timing(from_scene);
                self.last = Some(stage.name.clone());
                self.spaces.push(stage);
                items.push(Item::Canvas(Canvas::Space(index), place));
            }
            Made::Solid(solid) => {
                if self.spaces.is_empty() {
                    let ranges = ranges.spaces.first().copied().unwrap_or_default();
                    let scenery = Scenery { ranges, ..Scenery::default() };
                    self.spaces.push(Stage::of("space-1".to_owned(), scenery));
                }
                let index = self.spaces.len() - 1;
                let stage = &mut self.spaces[index];
                if stage.what.solids.len() == crate::drawing::surface::MOST_SOLIDS {
                    return self.warnings.add(
                        "plan.text_cut",
                        "the space holds 20 solids; this one is left out",
                        place,
                    );
                }
                let label = Some(solid.label.clone()).filter(|label| !label.is_empty());
                self.aliases.insert(name.clone(), (stage.name.clone(), label));
                stage.what.solids.push(solid);
                self.last = Some(name);
                touch(items, Canvas::Space(index), place);
            }
            Made::Act(action) => self.act(action, place, items),
        }
    }

    /// A point or line that lies outside of Manim's frame, and so is meant in the units of the axes that are there.
    fn beyond_the_frame(&self, kind: &ShapeKind) -> Option<CurveKind> {
        let plane = &self.planes.last()?.what;
        let (x, y) = (plane.x?, plane.y?);
        let (points, joined) = match kind {
            ShapeKind::Dot(point) => (vec![*point], false),
            ShapeKind::Line(way) | ShapeKind::DashedLine(way) | ShapeKind::Arrow(way) => (vec![way.from, way.to], true),
            _ => return None,
        };
        let outside = points.iter().any(|point| point.x.abs() > HALF_FRAME.0 || point.y.abs() > HALF_FRAME.1);
        let on_axes =
            points.iter().all(|point| (x.min..=x.max).contains(&point.x) && (y.min..=y.max).contains(&point.y));
        (outside && on_axes).then_some(if joined { CurveKind::Points(points) } else { CurveKind::Dots(points) })
    }

    fn show(
        &mut self,
        kind: ElementKind,
        parameters: &Parameters<'_>,
        name: String,
        place: Place,
        from_scene: bool,
        items: &mut Vec<Item>,
    ) {
        let own = matches!(kind, ElementKind::Drawing(_));
        let shown = Shown {
            name: Some(name.clone()),
            kind,
            placement: parameters.placement(),
            // A shape has its own.
            style: if own { None } else { parameters.style() },
            timing: parameters.timing(from_scene),
            from: None,
        };
        self.last = Some(name);
        items.push(Item::Step(Step { place, kind: StepKind::Show(shown) }));
    }

    fn shape(&mut self, shape: Shape, name: String, place: Place, items: &mut Vec<Item>) {
        if self.drawing.what.len() == MOST_PARTS {
            return self.warnings.add("plan.text_cut", "the drawing holds 40 shapes; this one is left out", place);
        }
        let label = Some(shape.label.clone()).filter(|label| !label.is_empty());
        self.aliases.insert(name.clone(), (self.drawing.name.clone(), label));
        self.drawing.what.push(shape);
        self.last = Some(name);
        touch(items, Canvas::Drawing, place);
    }

    /// The axes that a curve names, or the last ones.
    fn plane_of(&self, parameters: &Parameters<'_>) -> Option<usize> {
        let named = parameters.element.get(&["axes", "axesid", "on", "parent", "target"]).and_then(Value::text);
        let named = named.and_then(|name| self.planes.iter().position(|stage| stage.name == name));
        named.or(self.planes.len().checked_sub(1))
    }

    /// What an action is about: an element, or the canvas that holds it; without a name what was shown last.
    fn act(&mut self, mut action: Action, place: Place, items: &mut Vec<Item>) {
        let mut part = None;
        let target = match &mut action {
            Action::Remove(name) | Action::Dim(name) => Some(name),
            Action::Highlight(highlight) => Some(&mut highlight.target),
            Action::Move(step) => Some(&mut step.target),
            Action::Camera(camera) => match &mut camera.change {
                CameraChange::ZoomTo(name) => Some(name),
                CameraChange::Back | CameraChange::Orbit(_) => None,
            },
            Action::Show(_) | Action::Clear | Action::Transform(_) => None,
        };
        if let Some(name) = target {
            let known = |name: &String| {
                self.aliases.contains_key(name)
                    || self.planes.iter().any(|stage| stage.name == *name)
                    || items.iter().any(|item| matches!(item, Item::Step(step) if is_named(step, name)))
            };
            // A target in words (`the equation`) is no name; what was shown last is the best guess.
            let words = name.is_empty() || (name.contains(' ') && !known(name));
            if let (true, Some(last)) = (words, &self.last) {
                name.clone_from(last);
            }
            if let Some((canvas, label)) = self.aliases.get(name) {
                name.clone_from(canvas);
                part.clone_from(label);
            }
        }
        if let (Action::Highlight(highlight), Some(part)) = (&mut action, part) {
            highlight.part.get_or_insert(part);
        }
        // A part of a canvas can't leave or move alone.
        items.push(Item::Step(Step { place, kind: StepKind::Act(action) }));
    }

    /// What each element becomes.
    fn made(&mut self, all: &[Parameters<'_>]) -> Vec<Made> {
        let mut x = None;
        let mut unplaced = 0_u32;
        let mut made = Vec::with_capacity(all.len());
        for parameters in all {
            let mut one = element::made(parameters, x, self.places.at(parameters.element.at), self.warnings);
            match &mut one {
                Made::Plane(plane) => x = plane.x.map(|x| (x.min, x.max)),
                Made::Space(_) => unplaced = 0,
                // Bodies of which nobody says where they are stand side by side.
                Made::Solid(solid) if parameters.center().is_none() && figure::is_body(&solid.kind) => {
                    figure::shift(&mut solid.kind, APART * f64::from(unplaced));
                    unplaced += 1;
                }
                _ => {}
            }
            made.push(one);
        }
        made
    }
}

/// The ranges of all axes of a scene, each with everything that is ever drawn on them, so that they stay as they are
/// while things come.
struct Ranges {
    planes: Vec<(Option<Range>, Option<Range>)>,
    spaces: Vec<[Option<Range>; 3]>,
}

impl Ranges {
    fn of(made: &[Made]) -> Self {
        let (mut planes, mut spaces): (Vec<Plane>, Vec<Scenery>) = (Vec::new(), Vec::new());
        for one in made {
            match one {
                Made::Plane(plane) => planes.push(plane.clone()),
                Made::Curve(curve) => {
                    if planes.is_empty() {
                        planes.push(Plane::default());
                    }
                    if let Some(plane) = planes.last_mut() {
                        plane.curves.push(curve.clone());
                    }
                }
                Made::Space(scenery) => spaces.push(scenery.clone()),
                Made::Solid(solid) => {
                    if spaces.is_empty() {
                        spaces.push(Scenery::default());
                    }
                    if let Some(scenery) = spaces.last_mut() {
                        scenery.solids.push(solid.clone());
                    }
                }
                _ => {}
            }
        }
        let ends = |axis: &Axis| Some(Range { min: axis.min, max: axis.max, step: Some(axis.step) });
        let of_plane = |plane: Plane| {
            let given = (plane.x, plane.y);
            plane.axes().map_or(given, |axes| (ends(&axes.x), ends(&axes.y)))
        };
        let of_space = |scenery: Scenery| {
            let given = scenery.ranges;
            let axes = Scenery { axes: Some(true), ..scenery }.space().ok().and_then(|space| space.axes);
            axes.map_or(given, |axes| [ends(&axes.x), ends(&axes.y), ends(&axes.z)])
        };
        Self { planes: planes.into_iter().map(of_plane).collect(), spaces: spaces.into_iter().map(of_space).collect() }
    }
}

fn touch(items: &mut Vec<Item>, canvas: Canvas, place: Place) {
    let same = |item: &Item| match (item, canvas) {
        (Item::Canvas(Canvas::Plane(one), _), Canvas::Plane(other))
        | (Item::Canvas(Canvas::Space(one), _), Canvas::Space(other)) => *one == other,
        (Item::Canvas(Canvas::Drawing, _), Canvas::Drawing) => true,
        _ => false,
    };
    if !items.iter().any(same) {
        items.push(Item::Canvas(canvas, place));
    }
}

fn is_named(step: &Step, name: &str) -> bool {
    matches!(&step.kind, StepKind::Show(shown) if shown.name.as_deref() == Some(name))
}

/// Whether an element is a shape that the plan gives a place.
fn is_placed_shape(parameters: &Parameters<'_>) -> bool {
    const SHAPES: &[&str] = &[
        "circle",
        "ellipse",
        "square",
        "rectangle",
        "annulus",
        "ring",
        "polygon",
        "regularpolygon",
        "triangle",
        "arrow",
        "line",
        "dashedline",
        "vector",
        "brace",
        "dot",
        "point",
    ];
    let name = parameters.element.get(&["type", "kind", "elementtype"]).and_then(Value::text).map(|name| plain(&name));
    let name = name.unwrap_or_default();
    SHAPES.contains(&name.as_str()) && figure::shape(&name, parameters).is_some_and(|(_, placed)| placed)
}

/// Whether words at a point belong to a drawing.
fn is_label(text: &RichText, parameters: &Parameters<'_>) -> bool {
    crate::draft::length(text) <= LONGEST_LABEL && parameters.center().is_some()
}

/// Whether a formula at a point is the name of something in a drawing.
fn is_letter(formula: &Formula, parameters: &Parameters<'_>) -> bool {
    let plain = formula.latex.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '=' | '+' | '-' | '\''));
    plain && formula.latex.chars().count() <= LONGEST_LABEL && parameters.center().is_some()
}

/// A title element as a heading, in words.
fn spoken_heading(text: &RichText, settings: &Settings) -> String {
    let tongue = Tongue::of(&settings.language);
    let word = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.clone(),
        Span::Math(formula) => crate::speech::words(&formula.latex, tongue),
    };
    one_line(&text.spans.iter().map(word).collect::<String>(), 150)
}
