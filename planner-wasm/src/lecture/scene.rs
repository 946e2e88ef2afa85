//! A scene of a plan: its elements in groups, each with the words that are heard while it comes.
//!
//! The scene's own words come first, with the elements before the first one that has words of its own; each of those
//! begins a group. Curves gather on their axes, and so do vectors there; other placed shapes gather in one drawing, solids in one
//! space: what comes later grows out of what is there. What an element is transformed into comes with the transformation.

use std::collections::{BTreeMap, BTreeSet};

use super::canvas::{Canvas, Canvases, Stage, put};
use super::element::{self, Made};
use super::fields::{self, WORDS};
use super::figure;
use super::json::{Value, plain};
use super::parameters::Parameters;
use super::transformation::Transformation;
use crate::document::position::Positions;
use crate::document::settings::Settings;
use crate::drawing::Range;
use crate::drawing::axes::AxesBuilder;
use crate::drawing::space::SpaceBuilder;
use crate::film::NAMELESS;
use crate::film::Warnings;
use crate::film::draft::{Draft, Shown, Step, StepKind, placeholder, target};
use crate::inline;
use crate::python;
use crate::speech::Locale;
use crate::storyboard::{
    Action, Axis, Curve, CurveKind, Drawing, ElementKind, Formula, Place, Point, RichText, SceneKind, Shape, ShapeKind,
    Span,
};
use crate::text::one_line;

/// Fields with a scene's heading.
const HEADINGS: &[&str] =
    &["title", "heading", "name", "header", "scenetitle", "sceneheading", "scenename", "slidetitle", "sectiontitle"];

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
/// What a name of the plan's is, where it is no element of its own.
#[derive(Debug, Clone)]
enum Named {
    Whole(Canvas),
    /// Of a canvas, and its label.
    Part(Canvas, Option<String>),
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
    positions: &'a Positions<'a>,
    warnings: &'w mut Warnings,
    canvases: Canvases,
    /// What is on a canvas, or is one, by the plan's names.
    names: BTreeMap<String, Named>,
    /// Axes by their own names and those of what is drawn on them.
    on_planes: BTreeMap<String, usize>,
    /// The name of what was shown last.
    last: Option<String>,
    /// The name of what the next thing shown grows out of.
    from: Option<String>,
    /// The name of the part of a canvas in whose place the next part of it comes.
    old: Option<String>,
    /// What parts of canvases have become, by their names.
    became: BTreeMap<String, String>,
    /// Whether shapes with positions of their own are drawn: short words at points belong to them.
    has_drawing: bool,
}

/// The draft of a scene; `index` counts from 0, `film` is the film's title, and `step` that of the step of the solution that it shows.
pub(super) fn draft(
    scene: &Value,
    (index, film, step): (usize, &str, Option<&str>),
    settings: &Settings,
    positions: &Positions<'_>,
    warnings: &mut Warnings,
) -> Draft {
    let place = positions.at(scene.at);
    let mut reader = Reader {
        settings,
        positions,
        warnings,
        canvases: Canvases::new(),
        names: BTreeMap::new(),
        on_planes: BTreeMap::new(),
        last: None,
        from: None,
        old: None,
        became: BTreeMap::new(),
        has_drawing: false,
    };
    let (own, asked): (Vec<&Value>, Vec<&Value>) =
        fields::elements(scene).into_iter().partition(|one| !fields::asks(one));
    let written: Vec<Value> = asked.into_iter().flat_map(fields::question).chain(fields::shown(scene)).collect();
    // In the order in which the plan names them.
    let mut elements: Vec<&Value> = own.into_iter().chain(&written).collect();
    elements.sort_by_key(|element| element.at);
    if elements.len() > MOST_ELEMENTS {
        let message = format!("the scene has {} elements; the first {MOST_ELEMENTS} are shown", elements.len());
        reader.warnings.add("plan.text_cut", message, place);
    }
    let elements = &elements[..elements.len().min(MOST_ELEMENTS)];
    let own = scene.get(HEADINGS).and_then(Value::text);
    let mut heading = own.map(|title| {
        let line = inline::of_text(&title, place);
        inline::tell_unreadable(&line, place, reader.warnings);
        inline::read(&line, settings)
    });
    let mut steps = reader.steps(scene, elements, &mut heading);
    let mut kind = if elements.is_empty() { card(scene) } else { SceneKind::Lesson };
    let mut plays_ms = 0;
    if let Some(program) = fields::program(scene) {
        // It shows what the scene is about, and the scene's words are heard over it.
        plays_ms = python::estimate_ms(&program.source, &program.class);
        kind = SceneKind::Manim(program);
    }
    if !matches!(kind, SceneKind::Lesson) {
        // A card shows its heading, and nothing of what is said.
        steps.retain(|step| !matches!(step.kind, StepKind::Show(_)));
    }
    // What a scene is for is said to whoever draws it: it is no heading.
    let heading = heading.or_else(|| step.map(str::to_owned)).filter(|heading| !heading.is_empty());
    let heading =
        heading.unwrap_or_else(|| if index == 0 { film.to_owned() } else { format!("{film} ({})", index + 1) });
    let name = scene.get(&["id", "sceneid", "scene"]).and_then(Value::text).map(|id| match id.parse::<f64>() {
        Ok(_) => format!("scene-{id}"),
        Err(_) => id,
    });
    Draft { kind, heading: one_line(&heading, 150), name, place, steps, plays_ms }
}

/// What a scene without elements says of itself: that it opens or ends the film.
fn card(scene: &Value) -> SceneKind {
    let said = [&["type", "kind", "scenetype"][..], &["id", "sceneid", "scene"]].into_iter();
    let said: Vec<String> = said.filter_map(|keys| scene.get(keys)?.text()).map(|name| plain(&name)).collect();
    let is = |names: &[&str]| said.iter().any(|name| names.contains(&name.as_str()));
    if is(&["title", "titlecard", "titlescene", "intro", "opening", "cover"]) {
        SceneKind::TitleCard
    } else if is(&["outro", "end", "ending", "closing", "credits", "endcard"]) {
        SceneKind::Outro
    } else {
        SceneKind::Lesson
    }
}

impl Reader<'_, '_> {
    fn heard(&mut self, value: Option<&Value>) -> String {
        let place = value.map(|value| self.positions.at(value.at));
        match (value.and_then(fields::spoken), place) {
            (Some(text), Some(place)) => {
                let line = inline::of_text(&text, place);
                inline::tell_unreadable(&line, place, self.warnings);
                inline::heard(&line, self.settings)
            }
            _ => String::new(),
        }
    }

    fn steps(&mut self, scene: &Value, elements: &[&Value], heading: &mut Option<String>) -> Vec<Step> {
        let words = fields::words(scene);
        let spoken = self.heard(words);
        let place = self.positions.at(words.map_or(scene.at, |words| words.at));
        let of_scene = self.positions.at(scene.at);
        let all: Vec<Parameters<'_>> = elements.iter().map(|element| Parameters::of(element)).collect();
        let mut made = self.made(&all);
        let name = |(index, one): (usize, &Parameters<'_>)| {
            let name = one.element.get(&["id", "elementid", "name", "key"]).and_then(Value::text);
            name.unwrap_or_else(|| format!("{NAMELESS}{index}"))
        };
        let names: Vec<String> = all.iter().enumerate().map(name).collect();
        let ranges = Ranges::of(&made, &all, &names);
        self.has_drawing = draws(&made, &all, &ranges);
        let mut out = Vec::new();
        let mut items = Vec::new();
        // Whether the words that the items wait for are known, and which.
        let mut waiting = Some((spoken, place)).filter(|(words, _)| !words.is_empty());
        let spoken: Vec<String> = all.iter().map(|one| self.heard(one.element.get(WORDS))).collect();
        let several = spoken.iter().any(|words| !words.is_empty());
        let formulas: Vec<bool> =
            made.iter().map(|one| matches!(one, Made::Element(ElementKind::Equation(_)))).collect();
        let of = |name: &str| names.iter().position(|one| one == name);
        // What comes of a transformation is not there before, unless it was what another one began with.
        let growths: Vec<Transformation> = made.iter().filter_map(Made::transformation).cloned().collect();
        let results: BTreeSet<&str> = growths.iter().map(|transformation| &*transformation.into).collect();
        let begins = |name: &str| {
            growths.iter().take_while(|transformation| transformation.into != name).any(|one| one.from == name)
        };
        for ((index, parameters), words) in all.iter().enumerate().zip(spoken) {
            let own = parameters.element.get(WORDS);
            let at = self.positions.at(parameters.element.at);
            if !words.is_empty() {
                // Elements without words wait for the first that has some.
                if waiting.is_some() {
                    self.close(&mut items, waiting.take(), &mut out);
                }
                waiting = Some((words, own.map_or(at, |own| self.positions.at(own.at))));
            }
            let name = names[index].clone();
            let result = results.contains(&*name);
            let made_here =
                if result { made[index].clone() } else { std::mem::replace(&mut made[index], Made::Nothing) };
            let (made_here, parameters, name) = match made_here {
                Made::Transformation(transformation) => {
                    self.from = if transformation.from.is_empty() {
                        self.last.clone()
                    } else {
                        Some(transformation.from.clone())
                    };
                    let formula = self.from.as_deref().and_then(of).is_some_and(|index| formulas[index]);
                    let next = match of(&transformation.into) {
                        Some(result) => (made[result].clone(), &all[result], names[result].clone()),
                        None => (element::words(&transformation.into, formula, at, self.warnings), parameters, name),
                    };
                    self.grows(&next.0, next.1, at, &mut items);
                    next
                }
                _ if result && !begins(&name) => continue,
                made => (made, parameters, name),
            };
            if let Made::Pause(ms) = made_here {
                // What came before is seen, and its words are heard, before it is silent.
                self.close(&mut items, waiting.take(), &mut out);
                if !out.is_empty() {
                    out.push(Step { place: at, kind: StepKind::Hold(ms) });
                }
                continue;
            }
            self.element(made_here, parameters, name, at, heading, &ranges, !several, &mut items);
            (self.from, self.old) = (None, None);
        }
        let length = scene.get(&["durationseconds", "duration", "length", "runtime", "time"]).and_then(Value::number);
        let nothing_shown = items.is_empty() && out.is_empty();
        if nothing_shown && waiting.is_some() && elements.is_empty() {
            // No scene is an empty screen: the words' own first sentence, or the description.
            let line = inline::of_text(&words.and_then(fields::spoken).unwrap_or_default(), place);
            let key = inline::key_words(&line);
            let text = if key.spans.is_empty() { inline::first_sentence(&line) } else { key };
            if !text.spans.is_empty() {
                items.push(Item::Step(Step::show(ElementKind::Text(text), place)));
            }
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
        let (kind, names, placement, style, timing) = self.canvases.shown(canvas);
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
        self.became.remove(&name);
        match made {
            Made::Nothing | Made::Transformation(_) | Made::Pause(_) => {}
            Made::Clear => {
                self.clear(items);
                items.push(Item::Step(Step { place, kind: StepKind::Clear }));
            }
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
            Made::Shape(shape, true) => match self.on_axes(&shape.kind, parameters) {
                Some(kind) => {
                    let colour = shape.style.and_then(|style| style.colour);
                    let curve = Made::Curve(Curve { label: shape.label, kind, colour });
                    self.element(curve, parameters, name, place, heading, ranges, from_scene, items);
                }
                None => self.shape(shape, name, place, items),
            },
            Made::Shape(shape, false) => {
                let kind = ElementKind::Drawing(Drawing { shapes: vec![shape] });
                self.show(kind, parameters, name, place, from_scene, items);
            }
            Made::Axes(mut plane) => {
                let index = self.canvases.planes.len();
                if let Some((x, y, _)) = ranges.planes.get(index) {
                    (plane.x, plane.y) = (*x, *y);
                }
                let mut stage = Stage::of(&name, index, plane);
                stage.placement = parameters.placement();
                stage.timing = parameters.timing(from_scene);
                self.canvases.planes.push(stage);
                self.on_planes.insert(name.clone(), index);
                self.names.insert(name.clone(), Named::Whole(Canvas::Axes(index)));
                self.last = Some(name);
                items.push(Item::Canvas(Canvas::Axes(index), place));
            }
            Made::Curve(curve) => {
                let index = self.plane_of(parameters).unwrap_or_else(|| {
                    let index = self.canvases.planes.len();
                    let mut plane = AxesBuilder::default();
                    if let Some((x, y, _)) = ranges.planes.get(index) {
                        (plane.x, plane.y) = (*x, *y);
                    }
                    self.canvases.planes.push(Stage::of("axes-1", index, plane));
                    index
                });
                let stage = &mut self.canvases.planes[index];
                if stage.what.curves.len() == MOST_PARTS && self.old.is_none() {
                    return self.warnings.add("plan.text_cut", "the axes hold 40 curves; this one is left out", place);
                }
                let label = Some(curve.label.clone()).filter(|label| !label.is_empty());
                let old = put(&mut stage.parts, &mut stage.what.curves, &name, curve, self.old.take());
                self.becomes(old, &name);
                self.on_planes.insert(name.clone(), index);
                self.names.insert(name.clone(), Named::Part(Canvas::Axes(index), label));
                self.last = Some(name);
                touch(items, Canvas::Axes(index), place);
            }
            Made::Space(mut scenery) => {
                let index = self.canvases.spaces.len();
                scenery.ranges = ranges.spaces.get(index).copied().unwrap_or(scenery.ranges);
                let mut stage = Stage::of(&name, index, scenery);
                stage.placement = parameters.placement();
                stage.timing = parameters.timing(from_scene);
                self.canvases.spaces.push(stage);
                self.names.insert(name.clone(), Named::Whole(Canvas::Space(index)));
                self.last = Some(name);
                items.push(Item::Canvas(Canvas::Space(index), place));
            }
            Made::Solid(solid) => {
                if self.canvases.spaces.is_empty() {
                    let ranges = ranges.spaces.first().copied().unwrap_or_default();
                    let scenery = SpaceBuilder { ranges, ..SpaceBuilder::default() };
                    self.canvases.spaces.push(Stage::of("space-1", 0, scenery));
                }
                let index = self.canvases.spaces.len() - 1;
                let stage = &mut self.canvases.spaces[index];
                if stage.what.solids.len() == crate::drawing::surface::MOST_SOLIDS && self.old.is_none() {
                    return self.warnings.add(
                        "plan.text_cut",
                        "the space holds 20 solids; this one is left out",
                        place,
                    );
                }
                let label = Some(solid.label.clone()).filter(|label| !label.is_empty());
                let old = put(&mut stage.parts, &mut stage.what.solids, &name, solid, self.old.take());
                self.becomes(old, &name);
                self.names.insert(name.clone(), Named::Part(Canvas::Space(index), label));
                self.last = Some(name);
                touch(items, Canvas::Space(index), place);
            }
            Made::Act(action) => self.act(action, place, items),
        }
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
            from: self.from.take(),
        };
        self.names.remove(&name);
        self.last = Some(name);
        items.push(Item::Step(Step { place, kind: StepKind::Show(shown) }));
    }

    fn shape(&mut self, shape: Shape, name: String, place: Place, items: &mut Vec<Item>) {
        if self.canvases.drawing.what.len() == MOST_PARTS && self.old.is_none() {
            return self.warnings.add("plan.text_cut", "the drawing holds 40 shapes; this one is left out", place);
        }
        let label = Some(shape.label.clone()).filter(|label| !label.is_empty());
        let Stage { parts, what, .. } = &mut self.canvases.drawing;
        let old = put(parts, what, &name, shape, self.old.take());
        self.becomes(old, &name);
        self.names.insert(name.clone(), Named::Part(Canvas::Drawing, label));
        self.last = Some(name);
        touch(items, Canvas::Drawing, place);
    }

    /// What `self.from` names grows into `made`: a whole canvas under the name that it is shown by, a part of one into another part
    /// of it, and into anything else by leaving.
    fn grows(&mut self, made: &Made, parameters: &Parameters<'_>, place: Place, items: &mut Vec<Item>) {
        let Some(from) = self.from.take().map(|from| self.now(&from)) else { return };
        match self.names.get(&from) {
            Some(Named::Whole(canvas)) => self.from = Some(self.canvases.name(*canvas).to_owned()),
            Some(Named::Part(canvas, _)) => {
                let canvas = *canvas;
                if self.canvas_of(made, parameters) == Some(canvas) {
                    self.settle(canvas, items);
                    self.old = Some(from);
                } else if !matches!(made, Made::Nothing) {
                    self.act(Action::Remove(from), place, items);
                }
            }
            None => self.from = Some(from),
        }
    }

    /// The canvas that something will be a part of.
    fn canvas_of(&self, made: &Made, parameters: &Parameters<'_>) -> Option<Canvas> {
        match made {
            Made::Curve(_) => self.plane_of(parameters).map(Canvas::Axes),
            Made::Solid(_) => self.canvases.spaces.len().checked_sub(1).map(Canvas::Space),
            Made::Shape(shape, true) if self.on_axes(&shape.kind, parameters).is_some() => {
                self.plane_of(parameters).map(Canvas::Axes)
            }
            Made::Shape(_, true) => Some(Canvas::Drawing),
            _ => None,
        }
    }

    /// Whoever speaks of `old` means `name` from now on.
    fn becomes(&mut self, old: Option<String>, name: &str) {
        if let Some(old) = old.filter(|old| old != name) {
            self.became.insert(old, name.to_owned());
        }
    }

    /// The name of what something has become.
    fn now(&self, name: &str) -> String {
        let mut now = name;
        while let Some(next) = self.became.get(now) {
            now = next;
        }
        now.to_owned()
    }

    /// The axes that an element is on.
    fn plane_of(&self, parameters: &Parameters<'_>) -> Option<usize> {
        plane_of(parameters, &self.on_planes, self.canvases.planes.len())
    }

    /// A point, line or arrow as what it is on the axes that are there.
    fn on_axes(&self, kind: &ShapeKind, parameters: &Parameters<'_>) -> Option<CurveKind> {
        let plane = &self.canvases.planes[self.plane_of(parameters)?].what;
        on_axes(kind, parameters, plane.x?, plane.y?, plane.is_frame)
    }

    /// What an action is about: an element, a canvas or a part of one; without a name what was shown last.
    fn act(&mut self, mut action: Action, place: Place, items: &mut Vec<Item>) {
        let Some(name) = target(&mut action) else {
            return items.push(Item::Step(Step { place, kind: StepKind::Act(action) }));
        };
        let known = |name: &String| {
            self.names.contains_key(name)
                || items.iter().any(|item| matches!(item, Item::Step(step) if is_named(step, name)))
        };
        // A target in words (`the equation`) is no name; what was shown last is the best guess.
        let words = name.is_empty() || (name.contains(' ') && !known(name));
        if let (true, Some(last)) = (words, &self.last) {
            name.clone_from(last);
        }
        *name = self.now(name);
        match self.names.get(name).cloned() {
            Some(Named::Whole(canvas)) => self.act_on(canvas, action, place, items),
            Some(Named::Part(canvas, label)) => self.act_on_part(canvas, label, action, place, items),
            None => items.push(Item::Step(Step { place, kind: StepKind::Act(action) })),
        }
    }

    /// Something happens to a whole canvas.
    fn act_on(&mut self, canvas: Canvas, mut action: Action, place: Place, items: &mut Vec<Item>) {
        if let Some(name) = target(&mut action) {
            self.canvases.name(canvas).clone_into(name);
        }
        if let Action::Remove(_) = action {
            self.settle(canvas, items);
            self.empty(canvas);
        }
        items.push(Item::Step(Step { place, kind: StepKind::Act(action) }));
    }

    /// Something happens to a part of a canvas. It can leave alone, and be pointed at by its label; what else happens to it would
    /// happen to everything that is there and that comes.
    fn act_on_part(
        &mut self,
        canvas: Canvas,
        label: Option<String>,
        mut action: Action,
        place: Place,
        items: &mut Vec<Item>,
    ) {
        let name = target(&mut action).cloned().unwrap_or_default();
        let alone = self.canvases.is_alone(canvas);
        let what = match &mut action {
            Action::Remove(_) if alone => None,
            Action::Remove(_) => {
                self.settle(canvas, items);
                self.canvases.take(canvas, &name);
                self.names.remove(&name);
                return touch(items, canvas, place);
            }
            Action::Highlight(highlight) => {
                highlight.part = highlight.part.take().or(label);
                let unlabelled = highlight.part.is_none() && !alone;
                unlabelled.then_some("has no label by which it can be pointed at")
            }
            _ => (!alone).then_some("can't be dimmed, moved or zoomed to without the rest of the figure"),
        };
        match what {
            Some(what) => {
                let message = format!("`{}` is a part of a figure and {what}; this is left out", one_line(&name, 60));
                self.warnings.add("plan.cannot_draw", message, place);
            }
            None => {
                // What comes later is not meant.
                if alone {
                    self.settle(canvas, items);
                }
                self.act_on(canvas, action, place, items);
            }
        }
    }

    /// A canvas that was to be shown when the group ends is shown as it is now.
    fn settle(&mut self, canvas: Canvas, items: &mut [Item]) {
        let waits = |item: &&mut Item| matches!(item, Item::Canvas(waiting, _) if *waiting == canvas);
        if let Some(item) = items.iter_mut().find(waits)
            && let Item::Canvas(_, place) = *item
        {
            *item = Item::Step(self.canvas(canvas, place));
        }
    }

    /// What was on a canvas does not come back with what is drawn on it later.
    fn empty(&mut self, canvas: Canvas) {
        self.canvases.empty(canvas);
        self.names.retain(|_, named| !matches!(named, Named::Part(on, _) if *on == canvas));
    }

    /// The whole screen is emptied.
    fn clear(&mut self, items: &mut [Item]) {
        for canvas in self.canvases.all() {
            self.settle(canvas, items);
            self.empty(canvas);
        }
    }

    /// What each element becomes.
    fn made(&mut self, all: &[Parameters<'_>]) -> Vec<Made> {
        let mut x = None;
        let mut unplaced = 0_u32;
        let mut made = Vec::with_capacity(all.len());
        for parameters in all {
            let mut one = element::made(parameters, x, self.positions.at(parameters.element.at), self.warnings);
            match &mut one {
                Made::Axes(plane) => x = plane.x.map(|x| (x.min, x.max)),
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
    /// Ranges of x and y, and whether the units are the frame's.
    planes: Vec<(Option<Range>, Option<Range>, bool)>,
    spaces: Vec<[Option<Range>; 3]>,
    /// The axes that each element is on, or would be.
    at: Vec<Option<usize>>,
}

impl Ranges {
    fn of(made: &[Made], all: &[Parameters<'_>], names: &[String]) -> Self {
        let (mut planes, mut spaces): (Vec<AxesBuilder>, Vec<SpaceBuilder>) = (Vec::new(), Vec::new());
        let (mut on_planes, mut at) = (BTreeMap::new(), Vec::new());
        for ((one, parameters), name) in made.iter().zip(all).zip(names) {
            at.push(plane_of(parameters, &on_planes, planes.len()));
            match one {
                Made::Axes(plane) => {
                    on_planes.insert(name.clone(), planes.len());
                    planes.push(plane.clone());
                }
                Made::Curve(curve) => {
                    if planes.is_empty() {
                        planes.push(AxesBuilder::default());
                    }
                    let index = plane_of(parameters, &on_planes, planes.len()).unwrap_or_default();
                    on_planes.insert(name.clone(), index);
                    planes[index].curves.push(curve.clone());
                }
                Made::Space(scenery) => spaces.push(scenery.clone()),
                Made::Solid(solid) => {
                    if spaces.is_empty() {
                        spaces.push(SpaceBuilder::default());
                    }
                    if let Some(scenery) = spaces.last_mut() {
                        scenery.solids.push(solid.clone());
                    }
                }
                _ => {}
            }
        }
        let ends = |axis: &Axis| Some(Range { min: axis.min, max: axis.max, step: Some(axis.step) });
        let of_plane = |plane: AxesBuilder| {
            let given = (plane.x, plane.y, plane.is_frame);
            plane.axes().map_or(given, |axes| (ends(&axes.x), ends(&axes.y), given.2))
        };
        let of_space = |scenery: SpaceBuilder| {
            let given = scenery.ranges;
            let axes = SpaceBuilder { axes: Some(true), ..scenery }.space().ok().and_then(|space| space.axes);
            axes.map_or(given, |axes| [ends(&axes.x), ends(&axes.y), ends(&axes.z)])
        };
        let (planes, spaces) = (planes.into_iter().map(of_plane), spaces.into_iter().map(of_space));
        Self { planes: planes.collect(), spaces: spaces.collect(), at }
    }
}

/// Whether there are placed shapes that are not on axes.
fn draws(made: &[Made], all: &[Parameters<'_>], ranges: &Ranges) -> bool {
    made.iter().zip(all).zip(&ranges.at).any(|((one, parameters), at)| match one {
        Made::Shape(shape, _) if is_placed_shape(parameters) => {
            let plane = at.and_then(|at| ranges.planes.get(at));
            let on = plane.and_then(|(x, y, is_frame)| on_axes(&shape.kind, parameters, (*x)?, (*y)?, *is_frame));
            on.is_none()
        }
        _ => false,
    })
}

/// The axes that an element names, by their own name or that of something on them, of `count` that there are; else the last ones.
fn plane_of(parameters: &Parameters<'_>, named: &BTreeMap<String, usize>, count: usize) -> Option<usize> {
    let name = parameters.element.get(&["axes", "axesid", "on", "parent", "target"]).and_then(Value::text);
    name.and_then(|name| named.get(&name).copied()).or(count.checked_sub(1))
}

fn touch(items: &mut Vec<Item>, canvas: Canvas, place: Place) {
    if !items.iter().any(|item| matches!(item, Item::Canvas(waiting, _) if *waiting == canvas)) {
        items.push(Item::Canvas(canvas, place));
    }
}

fn is_named(step: &Step, name: &str) -> bool {
    matches!(&step.kind, StepKind::Show(shown) if shown.name.as_deref() == Some(name))
}

/// A point, line or arrow as what it is on axes of these ranges: on a plane whose units are the frame's, and on others when it lies
/// outside of the frame or is a vector, and so can only be meant in their units. None where it isn't on them.
fn on_axes(
    kind: &ShapeKind,
    parameters: &Parameters<'_>,
    x: Range,
    y: Range,
    plane_is_frame: bool,
) -> Option<CurveKind> {
    let (points, curve) = match kind {
        ShapeKind::Dot(point) => (vec![*point], CurveKind::Dots(vec![*point])),
        ShapeKind::Line(way) | ShapeKind::DashedLine(way) => {
            (vec![way.from, way.to], CurveKind::Points(vec![way.from, way.to]))
        }
        ShapeKind::Arrow(way) => (vec![way.from, way.to], CurveKind::Arrow(way.clone())),
        _ => return None,
    };
    let outside = |point: &Point| point.x.abs() > HALF_FRAME.0 || point.y.abs() > HALF_FRAME.1;
    let meant = plane_is_frame || type_of(parameters) == "vector" || points.iter().any(outside);
    let within = |point: &Point| (x.min..=x.max).contains(&point.x) && (y.min..=y.max).contains(&point.y);
    (meant && points.iter().all(within)).then_some(curve)
}

/// The plain name of an element's type.
fn type_of(parameters: &Parameters<'_>) -> String {
    let name = parameters.element.get(&["type", "kind", "elementtype"]).and_then(Value::text);
    name.map(|name| plain(&name)).unwrap_or_default()
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
    let name = type_of(parameters);
    SHAPES.contains(&name.as_str()) && figure::shape(&name, parameters).is_some_and(|(_, placed)| placed)
}

/// Whether words at a point belong to a drawing.
fn is_label(text: &RichText, parameters: &Parameters<'_>) -> bool {
    crate::text::length(text) <= LONGEST_LABEL && parameters.center().is_some()
}

/// Whether a formula at a point is the name of something in a drawing.
fn is_letter(formula: &Formula, parameters: &Parameters<'_>) -> bool {
    let plain = formula.latex.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '=' | '+' | '-' | '\''));
    plain && formula.latex.chars().count() <= LONGEST_LABEL && parameters.center().is_some()
}

/// A title element as a heading, in words.
fn spoken_heading(text: &RichText, settings: &Settings) -> String {
    let locale = Locale::of(&settings.language);
    let word = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.clone(),
        Span::Math(formula) => crate::speech::words(&formula.latex, locale),
    };
    one_line(&text.spans.iter().map(word).collect::<String>(), 150)
}
