//! The host's own check: a storyboard is believed only as far as the stage and the ledger can bear it.

use std::collections::BTreeSet;

use planner_wasm::storyboard::{
    Action, Axes, Axis, CurveKind, ElementKind, Expression, Refusal, RichText, Scene, SceneKind, Span, Storyboard,
    Token, arity,
};

/// Most scenes of one film.
const SCENES: usize = 500;
/// Most beats of one scene.
const BEATS: usize = 500;
/// Most changes in one beat.
const ACTIONS: usize = 200;
/// Most items, curves, points or tokens of one element.
const ITEMS: usize = 5_000;
/// Longest text, in bytes.
const TEXT: usize = 200_000;
/// Longest narration of one beat, in bytes.
const NARRATION: usize = 20_000;
/// Longest silence, in milliseconds.
const PAUSE: u32 = 60_000;

/// Checks counts, lengths, ids, references and numbers.
///
/// # Errors
/// The first rule that is broken, in words.
pub fn check(storyboard: &Storyboard) -> Result<(), String> {
    text("title", &storyboard.title, 1_000)?;
    one_of("theme", &storyboard.theme, &["dark", "light"])?;
    if let Some(quality) = &storyboard.quality {
        one_of("quality", quality, &["draft", "standard", "high", "4k"])?;
    }
    if let Some(on_failure) = &storyboard.on_failure {
        one_of("on_failure", on_failure, &["still", "fail"])?;
    }
    let sound = storyboard.music.is_some() || storyboard.intro.is_some() || storyboard.outro.is_some();
    rule(!sound, || "music, intro or outro, which can't be mixed yet".to_owned())?;
    let language = &storyboard.language;
    let well_formed = language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    rule(well_formed && (2..=35).contains(&language.len()), || format!("language `{}`", short(language)))?;
    let voice = &storyboard.voice;
    count("voice.chain", voice.chain.len(), 0, 20)?;
    for name in voice.chain.iter().chain(&voice.name) {
        rule(name.len() <= 100 && !name.starts_with('-'), || format!("voice `{}`", short(name)))?;
    }
    rule(voice.words_per_minute.is_none_or(|pace| (80..=450).contains(&pace)), || "words per minute".to_owned())?;
    count("warnings", storyboard.warnings.len(), 0, 10_000)?;
    count("scenes", storyboard.scenes.len(), 1, SCENES)?;
    let mut ids = BTreeSet::new();
    let mut beats = BTreeSet::new();
    for scene in &storyboard.scenes {
        id(&scene.id)?;
        rule(ids.insert(&scene.id), || format!("scene `{}` stands twice", scene.id))?;
        of_scene(scene).map_err(|broken| format!("scene `{}`: {broken}", scene.id))?;
        for beat in &scene.beats {
            rule(beats.insert(&beat.id), || format!("beat `{}` stands twice", beat.id))?;
        }
    }
    Ok(())
}

/// Checks a refusal: its words go into the status as they are.
///
/// # Errors
/// The first rule that is broken, in words.
pub fn refusal(refusal: &Refusal) -> Result<(), String> {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let well_formed = refusal.code.split_once('.').is_some_and(|(room, rest)| word(room) && word(rest));
    rule(well_formed && refusal.code.len() <= 60, || format!("a refusal's code `{}`", short(&refusal.code)))?;
    text("message", &refusal.message, 4_000)?;
    text("remedy", &refusal.remedy, 4_000)
}

fn of_scene(scene: &Scene) -> Result<(), String> {
    text("heading", &scene.heading, 1_000)?;
    let known = matches!(scene.kind, SceneKind::TitleCard | SceneKind::Lesson);
    rule(known, || "a kind of scene that the stage can't draw yet".to_owned())?;
    count("beats", scene.beats.len(), 1, BEATS)?;
    let mut shown = BTreeSet::new();
    let mut known = BTreeSet::new();
    for beat in &scene.beats {
        id(&beat.id)?;
        text("narration", &beat.narration, NARRATION)?;
        rule(beat.pause_ms <= PAUSE, || format!("a pause of {} ms", beat.pause_ms))?;
        let lasts = beat.pause_ms > 0 || !beat.narration.trim().is_empty();
        rule(lasts, || format!("beat `{}` has neither words nor length", beat.id))?;
        count("actions", beat.actions.len(), 0, ACTIONS)?;
        for action in &beat.actions {
            match action {
                Action::Show(element) => {
                    id(&element.id)?;
                    rule(known.insert(element.id.clone()), || format!("element `{}` stands twice", element.id))?;
                    shown.insert(element.id.clone());
                    of_element(&element.kind).map_err(|broken| format!("element `{}`: {broken}", element.id))?;
                }
                Action::Remove(gone) => {
                    rule(shown.remove(gone), || format!("`{}` is removed, and is not there", short(gone)))?;
                }
                Action::Clear => shown.clear(),
                Action::Transform(_) | Action::Highlight(_) | Action::Dim(_) | Action::Move(_) | Action::Camera(_) => {
                    return Err("an action that the stage can't play yet".to_owned());
                }
            }
        }
    }
    Ok(())
}

fn of_element(kind: &ElementKind) -> Result<(), String> {
    match kind {
        ElementKind::Text(rich) => of_text(rich),
        ElementKind::Bullets(list) => {
            count("items", list.items.len(), 1, ITEMS)?;
            list.items.iter().try_for_each(|item| {
                rule(item.level <= 20, || "a list nested more than 20 deep".to_owned())?;
                of_text(&item.text)
            })
        }
        ElementKind::Equation(equation) => {
            text("formula", &equation.formula.latex, 10_000)?;
            text("formula", &equation.formula.typst, 50_000)
        }
        ElementKind::Code(code) => {
            text("language", &code.language, 100)?;
            text("code", &code.text, TEXT)
        }
        ElementKind::Axes(axes) => of_axes(axes),
        ElementKind::Placeholder(placeholder) => {
            text("label", &placeholder.label, 1_000)?;
            text("detail", &placeholder.detail, 10_000)
        }
        ElementKind::Callout(_)
        | ElementKind::Table(_)
        | ElementKind::Image(_)
        | ElementKind::NumberLine(_)
        | ElementKind::Drawing(_)
        | ElementKind::Graph(_)
        | ElementKind::Chart(_)
        | ElementKind::Space(_) => Err("an element that the stage can't draw yet".to_owned()),
    }
}

fn of_text(rich: &RichText) -> Result<(), String> {
    count("spans", rich.spans.len(), 0, ITEMS)?;
    rich.spans.iter().try_for_each(|span| match span {
        Span::Plain(words) | Span::Strong(words) | Span::Emphasis(words) | Span::Code(words) => {
            text("text", words, TEXT)
        }
        Span::Math(formula) => {
            text("formula", &formula.latex, 10_000)?;
            text("formula", &formula.typst, 50_000)
        }
    })
}

fn of_axes(axes: &Axes) -> Result<(), String> {
    of_axis(&axes.x)?;
    of_axis(&axes.y)?;
    text("caption", &axes.caption, 1_000)?;
    count("curves", axes.curves.len(), 0, 50)?;
    axes.curves.iter().try_for_each(|curve| {
        text("label", &curve.label, 1_000)?;
        match &curve.kind {
            CurveKind::Function(function) => of_expression(function, "x"),
            CurveKind::Parametric(curve) => {
                let ordered = curve.from.is_finite() && curve.to.is_finite() && curve.from < curve.to;
                rule(ordered, || "a range of t that is none".to_owned())?;
                of_expression(&curve.x, "t")?;
                of_expression(&curve.y, "t")
            }
            CurveKind::Points(points) => {
                count("points", points.len(), 1, ITEMS)?;
                let finite = points.iter().all(|point| point.x.is_finite() && point.y.is_finite());
                rule(finite, || "a point that is nowhere".to_owned())
            }
            CurveKind::Dots(_) | CurveKind::Area(_) | CurveKind::Vectors(_) | CurveKind::Streamlines(_) => {
                Err("a curve that the stage can't draw yet".to_owned())
            }
        }
    })
}

fn of_axis(axis: &Axis) -> Result<(), String> {
    text("axis label", &axis.label, 1_000)?;
    let ordered = axis.min.is_finite() && axis.max.is_finite() && axis.min < axis.max;
    rule(ordered, || format!("an axis from {} to {}", axis.min, axis.max))?;
    let ticks = (axis.max - axis.min) / axis.step;
    rule(axis.step > 0.0 && ticks <= 200.0, || format!("an axis with a tick every {}", axis.step))
}

fn of_expression(expression: &Expression, variable: &str) -> Result<(), String> {
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
                rule(name == variable, || format!("a variable `{}`", short(name)))?;
                0
            }
            Token::Apply(name) => arity(name).ok_or_else(|| format!("an operator `{}`", short(name)))?,
        };
        depth = depth.checked_sub(taken).ok_or("an expression that lacks operands")? + 1;
    }
    rule(depth == 1, || "an expression with operands left over".to_owned())
}

fn rule(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

fn count(what: &str, number: usize, least: usize, most: usize) -> Result<(), String> {
    rule((least..=most).contains(&number), || format!("{number} {what}; there must be {least} to {most}"))
}

fn text(what: &str, words: &str, most: usize) -> Result<(), String> {
    rule(words.len() <= most, || format!("a {what} of {} bytes; at most {most} are taken", words.len()))?;
    let clean = !words.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    rule(clean, || format!("a {what} with control characters"))
}

fn one_of(what: &str, word: &str, allowed: &[&str]) -> Result<(), String> {
    rule(allowed.contains(&word), || format!("{what} `{}`; it must be one of {}", short(word), allowed.join(", ")))
}

/// Ids become file names and keys.
fn id(id: &str) -> Result<(), String> {
    let well_formed = id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    rule(well_formed && (1..=100).contains(&id.len()), || format!("an id `{}`", short(id)))
}

fn short(word: &str) -> String {
    word.chars().take(40).collect()
}
