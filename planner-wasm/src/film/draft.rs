//! What every kind of document becomes first: scenes of steps, before anybody asks what fits a screen.

use crate::storyboard::{Action, CameraChange, Element, ElementKind, Place, Placement, SceneKind, Style, Timing};
use crate::text::one_line;

/// A scene as its document has it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: SceneKind,
    /// Shown above the body.
    pub(crate) heading: String,
    /// The author's own name of the scene; ids are made of it, or of the heading.
    pub(crate) name: Option<String>,
    pub(crate) place: Place,
    pub(crate) steps: Vec<Step>,
    /// How long a Manim program plays at least, in milliseconds, as far as it can be read; 0 for every other scene.
    pub(crate) plays_ms: u32,
}

/// A moment to think about a question, in milliseconds: as long as teachers are advised to wait (Rowe 1974, three to five seconds).
pub(crate) const THINKING_MS: u32 = 4_000;

/// Names that begin with it are no author's: ids are made of the kind of element.
pub(crate) const NAMELESS: char = '\u{1}';

/// One step of a scene, at its place.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) place: Place,
    pub(crate) kind: StepKind,
}

/// What happens. What is shown is shown with the words that follow it.
#[derive(Debug, Clone)]
pub(crate) enum StepKind {
    /// Something comes onto the screen.
    Show(Shown),
    /// Something that is there changes: highlight, move, dim, remove, camera. Never show, transform or clear.
    Act(Action),
    /// Words, without markup, about all that was shown since the words before.
    Speak(String),
    /// Words that stand after all that was shown: what comes on a screen of its own stands there before they begin.
    SpeakAfter(String),
    /// What was shown stands so many milliseconds, without words; 0 means as long as it takes to read.
    Hold(u32),
    /// What was shown with the last words stands until it can be read, should they be short.
    Dwell,
    /// The screen is emptied.
    Clear,
}

/// The name of what an action is about; none when it is about the whole screen, or brings something.
pub(crate) fn target(action: &mut Action) -> Option<&mut String> {
    match action {
        Action::Remove(name) | Action::Dim(name) => Some(name),
        Action::Highlight(highlight) => Some(&mut highlight.target),
        Action::Move(step) => Some(&mut step.target),
        Action::Camera(camera) => match &mut camera.change {
            CameraChange::ZoomTo(name) => Some(name),
            CameraChange::Back | CameraChange::Orbit(_) => None,
        },
        Action::Show(_) | Action::Clear | Action::Transform(_) => None,
    }
}

/// Something to show.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// The author's own name of it; none makes one of its kind.
    pub(crate) name: Option<String>,
    pub(crate) kind: ElementKind,
    pub(crate) placement: Option<Placement>,
    pub(crate) style: Option<Style>,
    pub(crate) timing: Option<Timing>,
    /// The name of what it grows out of, when that is still there.
    pub(crate) from: Option<String>,
}

impl Shown {
    /// Something in the flow of the page, as the theme has it.
    pub(crate) fn of(kind: ElementKind) -> Self {
        Self { name: None, kind, placement: None, style: None, timing: None, from: None }
    }

    pub(crate) fn into_element(self, id: String, place: Place) -> Element {
        let Self { kind, placement, style, timing, .. } = self;
        Element { id, kind, placement, style, timing, place: Some(place) }
    }
}

impl Step {
    pub(crate) fn show(kind: ElementKind, place: Place) -> Self {
        Self { place, kind: StepKind::Show(Shown::of(kind)) }
    }
}

/// The name of a kind of element, of which ids are made.
pub(crate) fn noun(kind: &ElementKind) -> &'static str {
    match kind {
        ElementKind::Text(_) => "text",
        ElementKind::Bullets(_) => "list",
        ElementKind::Equation(_) => "equation",
        ElementKind::Code(_) => "code",
        ElementKind::Axes(_) => "plot",
        ElementKind::Placeholder(_) => "box",
        ElementKind::Callout(_) => "callout",
        ElementKind::Table(_) => "table",
        ElementKind::Image(_) => "image",
        ElementKind::NumberLine(_) => "line",
        ElementKind::Drawing(_) => "drawing",
        ElementKind::Graph(_) => "graph",
        ElementKind::Chart(_) => "chart",
        ElementKind::Space(_) => "space",
    }
}

/// A labelled box in place of what can't be drawn.
pub(crate) fn placeholder(label: &str, detail: &str) -> ElementKind {
    let (label, detail) = (one_line(label, 60), one_line(detail, 500));
    ElementKind::Placeholder(crate::storyboard::Placeholder { label, detail })
}
