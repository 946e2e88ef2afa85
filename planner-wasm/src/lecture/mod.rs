//! Lecture plans in JSON, as language models write them.
//!
//! In: the text of a `.json` document. Out: its film, as a storyboard. What can't be drawn becomes a placeholder and a
//! warning with its place, never a failed film; expressions are parsed, never run.
//!
//! ```text
//! json ─ parameters ─ element ─ scene → draft
//! (tree)  (what an     (what it  (groups
//!          element      is)       with words)
//!          says)
//! ```

mod canvas;
mod element;
mod fields;
mod figure;
pub(crate) mod json;
mod parameters;
mod scene;
mod transformation;

use self::json::{Kind, Value, plain};
use crate::check::SCENES;
use crate::document::asset;
use crate::document::position::Positions;
use crate::document::refusal;
use crate::document::settings::{ASPECTS, MOST_CAPTIONS, Settings, aspect, is_language, language_named};
use crate::film::FilmBuilder;
use crate::film::Warnings;
use crate::film::draft::Draft;
use crate::python;
use crate::storyboard::{OnFailure, Place, Quality, Refusal, SceneKind, Storyboard, Theme};
use crate::storyboard_json;
use crate::text::one_line;

/// JSON in a string in a string: as deep as anybody ever wrapped a plan.
const DEEPEST_STRING: usize = 3;

/// Makes a storyboard of a lecture plan; JSON that is a storyboard is read as one, strictly.
///
/// # Errors
/// A refusal whose code begins with `input.` or is `plan.too_large`, with its place in the document.
pub(crate) fn plan(name: &str, text: &str) -> Result<Storyboard, Refusal> {
    let positions = Positions::of(text);
    let (root, cut_off) = json::parse(text).map_err(|error| {
        let message = format!("the document is no JSON: {}", error.why);
        refusal("input.json_invalid", &message, "Mend the JSON at that place.", Some(positions.at(error.at)))
    })?;
    if is_storyboard(&root) {
        return storyboard_json::plan(text);
    }
    let mut warnings = Warnings::default();
    if cut_off {
        warnings.add("plan.document_cut_off", "the document ends in the middle of a value", positions.at(text.len()));
    }
    let root = unwrapped(root, 0);
    let Some((plan, scenes)) = scenes(&root) else {
        let message = "the JSON is neither a lecture plan, a storyboard nor a notebook: it has no `scenes`";
        let remedy = "Write `{\"animation_plan\": {\"scenes\": [{\"voiceover\": …, \"elements\": […]}]}}`.";
        return Err(refusal("input.unknown_format", message, remedy, Some(positions.at(root.at))));
    };
    let mut settings = settings(name, &[plan, &root], &positions, &mut warnings);
    fields::notice_language(&mut settings, &scenes, &mut warnings);
    fields::unused(plan, &scenes, &positions, &mut warnings);
    let given = title(&root, plan, &settings);
    let title = given.clone().unwrap_or_else(|| python::title(name));
    // The steps of the solution are those of the film when there are as many of them.
    let steps =
        root.get(&["solution"]).and_then(|solution| solution.get(&["steps"])).map(Value::items).unwrap_or_default();
    let steps: Vec<Option<String>> = steps.iter().map(|step| step.get(&["title", "heading", "name"])?.text()).collect();
    let mut drafts = Vec::new();
    for (index, one) in scenes.iter().enumerate() {
        let step = steps.get(index).and_then(Option::as_deref).filter(|_| steps.len() == scenes.len());
        let draft = scene::draft(one, (index, &title, step), &settings, &positions, &mut warnings);
        let recording = one.get(&["recording"]).and_then(|value| Some((value.text()?, positions.at(value.at))));
        let recording = recording.and_then(|(source, place)| match asset::sound(&source) {
            Ok(source) => Some(source),
            Err(why) => {
                let message = format!("the recording `{}` is left out: {why}", one_line(&source, 100));
                warnings.add("plan.left_out", message, place);
                None
            }
        });
        drafts.push((draft, recording));
    }
    let mut film = FilmBuilder::new(title, settings, warnings);
    if let (Some(heading), Some((first, _)), true) = (given, drafts.first(), (2..SCENES).contains(&drafts.len()))
        && matches!(first.kind, SceneKind::Lesson)
        && first.heading != heading
    {
        // A lecture opens with its name, as a lesson does.
        let (kind, place, name) = (SceneKind::TitleCard, positions.at(plan.at), Some("title-card".to_owned()));
        film.scene(Draft { kind, heading, name, place, steps: Vec::new(), plays_ms: 0 })?;
    }
    for (draft, recording) in drafts {
        if draft.steps.is_empty() {
            let message = format!("the scene `{}` has nothing to say or show and was left out", draft.heading);
            film.warnings.add("plan.empty_scene", message, draft.place);
        } else {
            film.scene(draft)?;
            if let Some(source) = recording {
                film.is_recorded(source);
            }
        }
    }
    if cfg!(target_family = "wasm") {
        // The component's memory goes as a whole, soon; value by value it takes a tenth of the planning.
        std::mem::forget(root);
    }
    film.storyboard()
}

/// Whether the top of it is that of a storyboard: scenes with beats.
fn is_storyboard(root: &Value) -> bool {
    let scenes = root.entries().iter().find(|(key, _)| key.written == "scenes").and_then(|(_, scenes)| scenes.list());
    scenes
        .is_some_and(|scenes| scenes.iter().any(|scene| scene.entries().iter().any(|(key, _)| key.written == "beats")))
}

/// The value, or the JSON that a string holds, with or without a fence.
fn unwrapped(mut value: Value, depth: usize) -> Value {
    const PLANS: &[&str] =
        &["animationplan", "plan", "lectureplan", "lecture", "scenes", "result", "response", "output", "data"];
    let at = value.at;
    match &mut value.kind {
        Kind::Text(text) if depth < DEEPEST_STRING && text.contains(['{', '[']) => match json::parse(text) {
            Ok((mut inner, _)) => {
                inner.all_at(at);
                unwrapped(inner, depth + 1)
            }
            Err(_) => value,
        },
        Kind::Map(entries) => {
            for (key, inner) in entries {
                if PLANS.contains(&plain(&key.written).as_str()) {
                    let taken = std::mem::replace(&mut inner.kind, Kind::Null);
                    *inner = unwrapped(Value { at: inner.at, kind: taken }, depth);
                }
            }
            value
        }
        _ => value,
    }
}

/// The map that holds the scenes, and they.
fn scenes(root: &Value) -> Option<(&Value, Vec<&Value>)> {
    let inside = [
        "animationplan",
        "plan",
        "lectureplan",
        "lecture",
        "result",
        "response",
        "output",
        "data",
        "video",
        "lesson",
        "film",
    ];
    let mut candidates = vec![root];
    let mut last = root;
    while let Some(inner) = last.get(&inside).filter(|_| candidates.len() < 6) {
        candidates.push(inner);
        last = inner;
    }
    for plan in candidates.into_iter().rev() {
        if let Some(list) = plan.list() {
            return Some((plan, list.iter().filter(|scene| matches!(scene.kind, Kind::Map(_))).collect()));
        }
        if let Some(scenes) = plan.get(&[
            "scenes",
            "scene",
            "slides",
            "segments",
            "sections",
            "shots",
            "parts",
            "chapters",
            "storyboard",
            "beats",
            "outline",
            "lessons",
        ]) {
            let single = fields::is_scene(scenes);
            let all = if single { vec![scenes] } else { scenes.items() };
            let all: Vec<&Value> = all.into_iter().filter(|scene| matches!(scene.kind, Kind::Map(_))).collect();
            // An outline of one scene may be words.
            if !all.is_empty() || !fields::is_scene(plan) {
                return Some((plan, all));
            }
        }
        if fields::is_scene(plan) {
            return Some((plan, vec![plan]));
        }
    }
    None
}

fn title(root: &Value, plan: &Value, settings: &Settings) -> Option<String> {
    let keys = [
        "title",
        "videotitle",
        "lessontitle",
        "coursetitle",
        "filmtitle",
        "topic",
        "lecturetitle",
        "name",
        "subject",
        "problem",
        "question",
    ];
    let solution = root.get(&["solution"]).and_then(|solution| solution.get(&["title", "topic", "problem"]));
    let title = plan.get(&keys).or_else(|| root.get(&keys)).or(solution).and_then(Value::text)?;
    let place = Place { line: 1, column: 1 };
    let title = crate::inline::read(&crate::inline::of_text(&title, place), settings);
    Some(one_line(&title, 150)).filter(|title| !title.is_empty())
}

/// The words of an enumeration.
fn words<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| name(*one)).collect()
}

/// A theme of the author's own colours.
fn theme(settings: &mut Settings, own: &Value, positions: &Positions<'_>, told: &mut Vec<(String, Place)>) {
    let mut based = false;
    for (key, value) in own.entries() {
        let name = key.written.to_lowercase();
        let word = value.text().ok_or_else(|| "it is no word".to_owned());
        match word.and_then(|word| settings.theme_field(&name, &word)) {
            Ok(()) => based |= matches!(name.as_str(), "base" | "name"),
            Err(why) => {
                let message = format!("`theme.{}` was left out: {why}", one_line(&key.written, 60));
                told.push((message, positions.at(value.at)));
            }
        }
    }
    settings.theme_read(based);
}

/// Settings of the film, where they are understood; others are left out with a warning.
fn settings(name: &str, maps: &[&Value], positions: &Positions<'_>, warnings: &mut Warnings) -> Settings {
    let mut settings = Settings::of(name);
    let mut own_warnings = Vec::new();
    let found = |keys: &[&str]| {
        let value = maps.iter().find_map(|map| map.get(keys))?;
        Some((value.text()?, positions.at(value.at)))
    };
    let mut choice = |key: &str, known: &[&str]| {
        let (word, place) = found(&[&plain(key)])?;
        let word = word.to_lowercase();
        if known.contains(&word.as_str()) {
            return Some(word);
        }
        warnings.add(
            "plan.unknown_setting",
            format!("`{key}` is none of {}; it was left out", known.join(", ")),
            place,
        );
        None
    };
    let own = maps.iter().find_map(|map| map.get(&["theme"])).filter(|theme| matches!(theme.kind, Kind::Map(_)));
    if let Some(own) = own {
        theme(&mut settings, own, positions, &mut own_warnings);
    } else if let Some(theme) = choice("theme", &words(Theme::ALL, Theme::name)).and_then(|word| Theme::named(&word)) {
        settings.theme = theme;
    }
    settings.quality = choice("quality", &words(Quality::ALL, Quality::name)).and_then(|word| Quality::named(&word));
    let on_failure = choice("on_failure", &words(OnFailure::ALL, OnFailure::name));
    settings.on_failure = on_failure.and_then(|word| OnFailure::named(&word));
    for (message, place) in own_warnings {
        warnings.add("plan.unknown_setting", message, place);
    }
    let recording = maps.iter().find_map(|map| map.get(&["voice"])?.get(&["recording"]));
    let files = [
        ("logo", maps.iter().find_map(|map| map.get(&["logo"])), &mut settings.logo, asset::picture as fn(&str) -> _),
        ("voice.recording", recording, &mut settings.voice.recording, asset::path),
    ];
    for (key, value, wanted, read) in files {
        let Some((path, at)) = value.and_then(|value| Some((value.text()?, value.at))) else { continue };
        match read(&path) {
            Ok(path) => *wanted = Some(path),
            Err(why) => {
                let message = format!("`{key}` was left out: {why}");
                warnings.add("plan.unknown_setting", message, positions.at(at));
            }
        }
    }
    if let Some((word, place)) = found(&["aspect", "aspectratio"]) {
        match aspect(&word) {
            Some(shape) => settings.frame_shape = shape,
            None => {
                let message = format!("`aspect` is none of {ASPECTS}; it was left out");
                warnings.add("plan.unknown_setting", message, place);
            }
        }
    }
    if let Some((language, place)) = found(&["language", "lang", "locale"]) {
        if let Some(language) = language_named(&language) {
            settings.language = language;
            settings.language_is_named = true;
        } else {
            let message = "`language` is no language tag such as `en` or `de-AT`; it was left out";
            warnings.add("plan.unknown_setting", message, place);
        }
    }
    let captions = maps
        .iter()
        .find_map(|map| map.get(&["captions"]))
        .map_or_else(Vec::new, |value| if matches!(value.kind, Kind::Text(_)) { vec![value] } else { value.items() });
    for value in captions.into_iter().take(MOST_CAPTIONS) {
        match value.text().filter(|language| is_language(language)) {
            Some(language) => settings.caption(language),
            None => {
                let message = "`captions` names no language such as `de` or `pt-BR`; it was left out";
                warnings.add("plan.unknown_setting", message, positions.at(value.at));
            }
        }
    }
    let spoken = maps.iter().find_map(|map| map.get(&["pronunciations"])).map(Value::entries).unwrap_or_default();
    for (written, value) in spoken.iter().map(|(key, value)| (&key.written, value)).take(200) {
        if let (false, Some(spoken)) = (written.trim().is_empty(), value.text()) {
            settings.pronunciations.push((one_line(written, 100), one_line(&spoken, 200)));
        }
    }
    settings
}
