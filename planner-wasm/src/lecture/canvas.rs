//! What grows over a scene of a plan: axes with their curves, spaces with their solids, and the drawing with its shapes.

use crate::drawing::axes::AxesBuilder;
use crate::drawing::space::SpaceBuilder;
use crate::film::NAMELESS;
use crate::storyboard::{Drawing, ElementKind, Placement, Shape, Style, Timing};

/// Where a part of a scene stands: in which of its canvases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Canvas {
    Axes(usize),
    Space(usize),
    Drawing,
}

/// Something that grows over a scene.
pub(super) struct Stage<T> {
    /// Its own name, which nothing else has.
    pub(super) name: String,
    pub(super) what: T,
    /// The plan's names of what it holds, in order.
    pub(super) parts: Vec<String>,
    /// Names under which it was shown so far.
    shown: usize,
    pub(super) placement: Option<Placement>,
    pub(super) style: Option<Style>,
    pub(super) timing: Option<Timing>,
}

impl<T> Stage<T> {
    /// `others` is how many there were before it: plans give one name to several things.
    pub(super) fn of(name: &str, others: usize, what: T) -> Self {
        let name = format!("{name}{}", String::from(NAMELESS).repeat(others + 1));
        Self { name, what, parts: Vec::new(), shown: 0, placement: None, style: None, timing: None }
    }

    /// The names of its next and its last showing.
    fn next(&mut self) -> (String, Option<String>) {
        let name = |shown: usize| if shown == 0 { self.name.clone() } else { format!("{}{}", self.name, shown + 1) };
        let names = (name(self.shown), self.shown.checked_sub(1).map(name));
        self.shown += 1;
        names
    }
}

/// All canvases of a scene.
pub(super) struct Canvases {
    pub(super) planes: Vec<Stage<AxesBuilder>>,
    pub(super) spaces: Vec<Stage<SpaceBuilder>>,
    pub(super) drawing: Stage<Vec<Shape>>,
}

/// A canvas as an element: what it is or why it can't be drawn, the names of its next and its last showing, and how it is shown.
type Shown = (Result<ElementKind, String>, (String, Option<String>), Option<Placement>, Option<Style>, Option<Timing>);

impl Canvases {
    pub(super) fn new() -> Self {
        Self { planes: Vec::new(), spaces: Vec::new(), drawing: Stage::of("drawing", 0, Vec::new()) }
    }

    pub(super) fn all(&self) -> Vec<Canvas> {
        let planes = (0..self.planes.len()).map(Canvas::Axes);
        let spaces = (0..self.spaces.len()).map(Canvas::Space);
        planes.chain(spaces).chain([Canvas::Drawing]).collect()
    }

    /// A canvas as it is now.
    pub(super) fn shown(&mut self, canvas: Canvas) -> Shown {
        match canvas {
            Canvas::Axes(index) => {
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
        }
    }

    /// The name under which a canvas is shown.
    pub(super) fn name(&self, canvas: Canvas) -> &str {
        match canvas {
            Canvas::Axes(index) => &self.planes[index].name,
            Canvas::Space(index) => &self.spaces[index].name,
            Canvas::Drawing => &self.drawing.name,
        }
    }

    /// Whether a canvas is nothing but the one part that it has.
    pub(super) fn is_alone(&self, canvas: Canvas) -> bool {
        match canvas {
            Canvas::Axes(_) => false,
            Canvas::Space(index) => {
                let space = &self.spaces[index].what;
                space.axes.is_none() && space.solids.len() == 1
            }
            Canvas::Drawing => self.drawing.what.len() == 1,
        }
    }

    /// Takes a part out of its canvas.
    pub(super) fn take(&mut self, canvas: Canvas, name: &str) {
        fn out<T>(parts: &mut Vec<String>, what: &mut Vec<T>, name: &str) {
            if let Some(at) = parts.iter().rposition(|part| part == name) {
                parts.remove(at);
                what.remove(at);
            }
        }
        match canvas {
            Canvas::Axes(index) => {
                let stage = &mut self.planes[index];
                out(&mut stage.parts, &mut stage.what.curves, name);
            }
            Canvas::Space(index) => {
                let stage = &mut self.spaces[index];
                out(&mut stage.parts, &mut stage.what.solids, name);
            }
            Canvas::Drawing => out(&mut self.drawing.parts, &mut self.drawing.what, name),
        }
    }

    /// Takes all parts off.
    pub(super) fn empty(&mut self, canvas: Canvas) {
        match canvas {
            Canvas::Axes(index) => {
                self.planes[index].parts.clear();
                self.planes[index].what.curves.clear();
            }
            Canvas::Space(index) => {
                self.spaces[index].parts.clear();
                self.spaces[index].what.solids.clear();
            }
            Canvas::Drawing => {
                self.drawing.parts.clear();
                self.drawing.what.clear();
            }
        }
    }
}

/// A part comes onto its canvas: in the place of `old`, which becomes it and is returned, or after all others.
pub(super) fn put<T>(
    parts: &mut Vec<String>,
    what: &mut Vec<T>,
    name: &str,
    part: T,
    old: Option<String>,
) -> Option<String> {
    let at = old.as_ref().and_then(|old| parts.iter().rposition(|part| part == old));
    if let Some(at) = at {
        (parts[at], what[at]) = (name.to_owned(), part);
        return old;
    }
    parts.push(name.to_owned());
    what.push(part);
    None
}
