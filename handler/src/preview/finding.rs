//! What is wrong with a document, one by one.

use serde::Serialize;
use storyboard::{Action, Element, Place, Scene, SceneKind, Warning};

use crate::error::JobError;
use crate::render::{self, ClipReport, FindingKind};

/// Words that are spoken for longer than this, in milliseconds, while the screen is empty, are a finding.
const UNSEEN: u32 = 8_000;

/// Whether the film can be made with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// There is no film, or a still card stands in for a scene.
    Error,
    /// There is a film, and it is not as it was meant.
    Warning,
}

/// Something that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Whether the film can be made with it.
    pub severity: Severity,
    /// Stable: a code of errors or warnings, or `check.…`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do; none where the message says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Where in the document.
    pub place: Option<Place>,
    /// The id of the scene that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene: Option<String>,
}

impl Finding {
    /// A warning of the planner, or about a file.
    pub fn of_warning(warning: &Warning) -> Self {
        let Warning { code, message, place } = warning.clone();
        Self { severity: Severity::Warning, code, message, remedy: None, place, scene: None }
    }

    /// Why there is no film, or no scene.
    pub fn of_error(error: &JobError) -> Self {
        Self {
            severity: Severity::Error,
            code: error.code.name().to_owned(),
            message: error.message.clone(),
            remedy: Some(error.remedy.to_string()),
            place: error.place,
            scene: None,
        }
    }

    /// The same, in a scene.
    #[must_use]
    pub fn in_scene(self, scene: &Scene) -> Self {
        Self { place: self.place.or(scene.place), scene: Some(scene.id.clone()), ..self }
    }

    pub(super) fn warning(code: &str, message: String, remedy: &str, place: Option<Place>) -> Self {
        let (code, remedy) = (code.to_owned(), Some(remedy.to_owned()).filter(|remedy| !remedy.is_empty()));
        Self { severity: Severity::Warning, code, message, remedy, place, scene: None }
    }
}

/// Beats in which words are spoken for long while nothing but the heading is shown.
pub(super) fn words_without_a_picture(scene: &Scene) -> Vec<Finding> {
    if scene.kind != SceneKind::Lesson {
        return Vec::new();
    }
    let (mut shown, mut findings) = (Vec::new(), Vec::new());
    for beat in &scene.beats {
        for action in &beat.actions {
            match action {
                Action::Clear => shown.clear(),
                Action::Remove(id) => shown.retain(|one| one != id),
                _ => shown.extend(brought(action).map(|element| element.id.clone())),
            }
        }
        if shown.is_empty() && beat.estimate_ms > UNSEEN {
            let seconds = beat.estimate_ms / 1000;
            let message = format!("{seconds} s of words are spoken while only the heading is on the screen");
            let remedy = "Show something for them: a list, a formula, a picture, a program.";
            let finding = Finding::warning("check.words_without_picture", message, remedy, beat.place);
            findings.push(finding.in_scene(scene));
        }
    }
    findings
}

/// What the stage says of a scene's pictures.
pub(super) fn of_picture(scene: &Scene, report: &ClipReport, found: &[render::Finding]) -> Vec<Finding> {
    let elements: Vec<&Element> = scene.beats.iter().flat_map(|beat| &beat.actions).filter_map(brought).collect();
    let place = |id: &str| elements.iter().find(|element| element.id == id).and_then(|element| element.place);
    let told = report.warnings.iter().map(|message| {
        // The stage has no places, but it names elements.
        let named = elements.iter().find(|element| names(message, &element.id));
        Finding::warning("render.warning", message.clone(), "", named.and_then(|element| element.place))
    });
    let measured = found.iter().map(|finding| {
        let at = finding.elements.iter().find_map(|id| place(id));
        let what = what(&finding.elements);
        let (code, message, remedy) = match finding.kind {
            FindingKind::Overlap => (
                "audit.overlap",
                format!("{what} cover each other"),
                "Show less at a time, or take away what its author placed by hand.",
            ),
            FindingKind::Outside => {
                ("audit.outside", format!("{what} leaves the frame"), "Make it shorter, or divide it.")
            }
            FindingKind::TooSmall => (
                "audit.too_small",
                format!("the text of {what} is too small to read"),
                "Divide it over several screens.",
            ),
            FindingKind::LowContrast => (
                "audit.low_contrast",
                format!("the words of {what} hardly stand out from their ground"),
                "Name other colours under `theme`.",
            ),
            FindingKind::TooShort => {
                let (stands, needs) = (finding.seconds.unwrap_or(0.0), finding.needed.unwrap_or(0.0));
                (
                    "audit.too_short",
                    format!("{what} stands for {stands:.1} s, and reading it takes {needs:.1} s"),
                    "Say more about it, or show less.",
                )
            }
        };
        Finding::warning(code, finding.message.clone().unwrap_or(message), remedy, at)
    });
    told.chain(measured).map(|finding| finding.in_scene(scene)).collect()
}

/// The element that an action brings.
fn brought(action: &Action) -> Option<&Element> {
    match action {
        Action::Show(element) => Some(element),
        Action::Transform(transform) => Some(&transform.into),
        _ => None,
    }
}

/// Whether a message has this id as a word.
fn names(message: &str, id: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    message.split(|c| !word(c)).any(|one| one == id)
}

fn what(elements: &[String]) -> String {
    match elements {
        [] => "something".to_owned(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}
