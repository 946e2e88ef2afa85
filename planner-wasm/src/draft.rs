//! What every kind of document becomes first: scenes of steps, before anybody asks what fits a screen.

use crate::storyboard::{
    Action, CameraChange, Element, ElementKind, Place, Placement, RichText, SceneKind, Span, Style, Timing, Warning,
};

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
}

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
    /// Words, without markup.
    Speak(String),
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

/// More warnings than an author reads.
const MOST_WARNINGS: usize = 100;

/// Characters of a warning: more is not read, and may be a whole document.
const LONGEST_WARNING: usize = 500;

/// What could not be honoured, up to as many as an author reads.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(crate) fn add(&mut self, code: &str, message: impl AsRef<str>, place: Place) {
        let message = one_line(message.as_ref(), LONGEST_WARNING);
        self.push(Warning { code: code.to_owned(), message, place: Some(place) });
    }

    pub(crate) fn push(&mut self, warning: Warning) {
        match self.0.len() {
            MOST_WARNINGS => {
                let (code, message) =
                    ("plan.more_warnings".to_owned(), "there are more warnings than these".to_owned());
                self.0.push(Warning { code, message, place: warning.place });
            }
            count if count < MOST_WARNINGS => self.0.push(warning),
            _ => {}
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Warning> {
        self.0
    }
}

/// Text in one style, or nothing.
pub(crate) fn plain(text: impl Into<String>) -> RichText {
    let text = text.into();
    RichText { spans: if text.is_empty() { Vec::new() } else { vec![Span::Plain(text)] } }
}

/// How many characters there are to read.
pub(crate) fn length(text: &RichText) -> usize {
    text.spans.iter().map(span_length).sum()
}

pub(crate) fn span_length(span: &Span) -> usize {
    match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.chars().count(),
        Span::Math(formula) => formula.latex.chars().count(),
    }
}

/// How much there is to read in an element, in characters. A picture is looked at about as long as a short sentence.
pub(crate) fn characters(kind: &ElementKind) -> usize {
    match kind {
        ElementKind::Text(text) | ElementKind::Callout(text) => length(text),
        ElementKind::Bullets(bullets) => bullets.items.iter().map(|item| length(&item.text)).sum(),
        ElementKind::Equation(equation) => equation.formula.latex.chars().count(),
        ElementKind::Code(code) => code.text.chars().count(),
        ElementKind::Table(table) => {
            table.header.iter().chain(table.rows.iter().flat_map(|row| &row.cells)).map(length).sum()
        }
        ElementKind::Axes(_)
        | ElementKind::Image(_)
        | ElementKind::NumberLine(_)
        | ElementKind::Drawing(_)
        | ElementKind::Graph(_)
        | ElementKind::Chart(_)
        | ElementKind::Space(_) => 50,
        ElementKind::Placeholder(placeholder) => placeholder.label.chars().count(),
    }
    .max(1)
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

/// Text without control characters; white space is a space.
pub(crate) fn clean(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let visible = |c: char| {
        if c.is_whitespace() { Some(if c == '\u{a0}' { c } else { ' ' }) } else { Some(c).filter(|c| !c.is_control()) }
    };
    text.chars().filter_map(visible).collect()
}

/// One line of at most `most` characters, cut with `…`.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let text = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= most {
        return text;
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// A labelled box in place of what can't be drawn.
pub(crate) fn placeholder(label: &str, detail: &str) -> ElementKind {
    let (label, detail) = (one_line(label, 60), one_line(detail, 500));
    ElementKind::Placeholder(crate::storyboard::Placeholder { label, detail })
}
