//! What the fields of a scene are for, whatever a language model calls them: spoken, shown, for whoever draws, or settings.

use super::json::{Key, Kind, Value, plain};
use crate::document::language;
use crate::document::position::Positions;
use crate::document::settings::Settings;
use crate::film::Warnings;
use crate::film::draft::THINKING_MS;
use crate::python;
use crate::storyboard::{ManimScene, Place};
use crate::text::one_line;

/// Words to be spoken.
pub(super) const WORDS: &[&str] = &[
    "voiceover",
    "narration",
    "voice",
    "speech",
    "script",
    "spokentext",
    "vo",
    "audioscript",
    "narrationtext",
    "voiceovertext",
    "spoken",
    "narrator",
    "transcript",
    "dialogue",
    "dialog",
    "lecturelines",
    "lines",
    "voiceoverscript",
    "narrationscript",
    "say",
    "talk",
    "monologue",
    "audio",
    "speakernotes",
    "spokenwords",
];
/// Lists of elements.
const ELEMENTS: &[&str] = &[
    "elements",
    "objects",
    "mobjects",
    "items",
    "visuals",
    "visualelements",
    "components",
    "content",
    "onscreenelements",
    "graphics",
];
/// Words and formulas that are shown: the field, and the type of element that it is.
const SHOWN: &[(&str, &str)] = &[
    ("onscreentext", "text"),
    ("screentext", "text"),
    ("displaytext", "text"),
    ("textonscreen", "text"),
    ("caption", "text"),
    ("textoverlay", "text"),
    ("overlaytext", "text"),
    ("overlay", "text"),
    ("keytakeaway", "text"),
    ("takeaway", "text"),
    ("definition", "definition"),
    ("theorem", "theorem"),
    ("quote", "quote"),
    ("equation", "equation"),
    ("equations", "equation"),
    ("formula", "equation"),
    ("formulas", "equation"),
    ("latex", "equation"),
    ("math", "equation"),
    ("tex", "equation"),
    ("bulletpoints", "bullets"),
    ("bullets", "bullets"),
    ("keypoints", "bullets"),
    ("points", "bullets"),
    ("steps", "steps"),
    ("list", "bullets"),
    ("keyconcepts", "bullets"),
    ("takeaways", "bullets"),
    ("keytakeaways", "bullets"),
    ("facts", "bullets"),
    ("code", "code"),
    ("codesnippet", "code"),
    ("table", "table"),
];
/// Fields and types of elements that ask something, with options or without.
const QUESTIONS: &[&str] = &[
    "multiplechoice",
    "multiplechoicequestion",
    "mcq",
    "mcqs",
    "mcqquestion",
    "mcqquestions",
    "practiceproblem",
    "practiceproblems",
    "quiz",
    "quizquestion",
    "quizquestions",
    "exercise",
    "exercises",
    "checkpoint",
];
/// Manim programs that draw a scene.
const PROGRAMS: &[&str] = &["manimcode", "manimscript", "manimscene", "manim", "pythoncode"];
/// Fields that hold scenes, settings, numbers or names.
const OTHERS: &[&str] = &[
    "scenes",
    "scene",
    "slides",
    "segments",
    "sections",
    "outline",
    "lessons",
    "chapters",
    "parts",
    "shots",
    "id",
    "sceneid",
    "scenenumber",
    "number",
    "index",
    "title",
    "heading",
    "name",
    "header",
    "scenetitle",
    "sceneheading",
    "scenename",
    "slidetitle",
    "type",
    "kind",
    "scenetype",
    "duration",
    "durationseconds",
    "length",
    "runtime",
    "time",
    "start",
    "end",
    "starttime",
    "endtime",
    "timing",
    "language",
    "lang",
    "locale",
    "theme",
    "aspect",
    "aspectratio",
    "quality",
    "onfailure",
    "logo",
    "recording",
    "captions",
    "pronunciations",
    "topic",
    "lecturetitle",
    "videotitle",
    "lessontitle",
    "coursetitle",
    "filmtitle",
    "subject",
    "problem",
    "question",
    "order",
    "layout",
    "totalduration",
    "totaldurationseconds",
    "solution",
    "animationplan",
    "plan",
    "version",
    "text",
    "beats",
    "background",
    "backgroundcolor",
    "color",
    "style",
    "sectionid",
    "sectiontitle",
];

/// Whether a map is a scene by itself.
pub(super) fn is_scene(map: &Value) -> bool {
    let shown = SHOWN.iter().any(|(field, _)| map.get(&[field]).is_some());
    let asks = QUESTIONS.iter().any(|field| map.get(&[field]).is_some());
    map.get(&["elements"]).is_some() || asks || map.get(WORDS).is_some() || shown
}

/// The field with a scene's words: where none is named for them, its text.
pub(super) fn words(scene: &Value) -> Option<&Value> {
    let words = WORDS.iter().find_map(|field| scene.get(&[field]).filter(|value| spoken(value).is_some()));
    words.or_else(|| scene.get(&["text", "body", "explanation"]).filter(|value| matches!(value.kind, Kind::Text(_))))
}

/// Words to speak, without marks for voices: a text, lines, or turns of a dialogue.
pub(super) fn spoken(value: &Value) -> Option<String> {
    let text = match &value.kind {
        Kind::Text(text) => text.trim().to_owned(),
        Kind::List(items) => items.iter().filter_map(spoken).collect::<Vec<_>>().join(" "),
        Kind::Map(_) => {
            let inner =
                value.get(WORDS).or_else(|| value.get(&["text", "content", "line", "words", "beats", "sentences"]))?;
            return spoken(inner);
        }
        Kind::Number(_) | Kind::Bool(_) | Kind::Null => return None,
    };
    let text = crate::speech::unmarked(&text).trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}

/// The elements of a scene.
pub(super) fn elements(scene: &Value) -> Vec<&Value> {
    let there = |value: &&Value| value.kind != Kind::Null;
    let found = ELEMENTS.iter().find_map(|field| {
        let value = scene.get(&[field])?;
        // Words there describe what is to be drawn.
        let described = matches!(value.kind, Kind::Text(_)) && !matches!(*field, "elements" | "items" | "content");
        (!described).then_some(value)
    });
    match found.map(|elements| (&elements.kind, elements)) {
        Some((Kind::List(list), elements)) => {
            // Of a list of words each describes something, unless it says that they are the elements.
            let named = scene.get(&["elements", "items", "content"]).is_some_and(|named| std::ptr::eq(named, elements));
            list.iter().filter(there).filter(|one| named || !matches!(one.kind, Kind::Text(_))).collect()
        }
        // One element, or a map of them by id.
        Some((Kind::Map(_), one)) if one.get(&["type", "content"]).is_some() => vec![one],
        Some((Kind::Map(entries), _)) => entries.iter().map(|(_, one)| one).filter(there).collect(),
        Some((Kind::Text(_), one)) => vec![one],
        _ => Vec::new(),
    }
}

/// Elements made of the fields of a scene that are to be seen.
pub(super) fn shown(scene: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    for (key, value) in scene.entries() {
        let name = plain(&key.written);
        if QUESTIONS.contains(&name.as_str()) {
            out.extend(question(value));
            continue;
        }
        if WORDS.contains(&name.as_str()) {
            out.extend(beside_words(value));
            continue;
        }
        let Some((_, kind)) = SHOWN.iter().find(|(field, _)| *field == name) else { continue };
        if value.text().is_none() || value.get(&["type"]).is_some() {
            continue;
        }
        let several = matches!(value.kind, Kind::List(_));
        let one = |kind: &str, content: Value| {
            let at = content.at;
            let word = Value { at, kind: Kind::Text(kind.to_owned()) };
            Value {
                at,
                kind: Kind::Map(vec![(Key::of("type".to_owned()), word), (Key::of("content".to_owned()), content)]),
            }
        };
        match *kind {
            "text" if several => out.push(one("bullets", value.clone())),
            "equation" | "definition" | "theorem" | "quote" | "code" if several => {
                out.extend(value.items().into_iter().map(|item| one(kind, item.clone())))
            }
            kind => out.push(one(kind, value.clone())),
        }
    }
    out
}

/// What is to be seen of the parts that a scene's words are divided into, as `{"beats": [{"narration", "formula"}]}`.
fn beside_words(words: &Value) -> Vec<Value> {
    let parts = match &words.kind {
        Kind::List(parts) => parts.iter().collect(),
        Kind::Map(_) => words.items(),
        _ => Vec::new(),
    };
    let of = |part: &Value| if matches!(part.kind, Kind::Map(_)) { shown(part) } else { beside_words(part) };
    parts.into_iter().flat_map(of).collect()
}

/// Whether an element asks something.
pub(super) fn asks(element: &Value) -> bool {
    let kind = element.get(&["type", "kind", "elementtype"]).and_then(Value::text).map(|kind| plain(&kind));
    kind.is_some_and(|kind| QUESTIONS.contains(&kind.as_str())) && !questions(element).is_empty()
}

/// The questions in a value: itself, or those in a list or under one of its fields.
fn questions(value: &Value) -> Vec<&Value> {
    let asked = |value: &Value| {
        value.get(&["question", "problem", "prompt", "stem", "statement"]).and_then(Value::text).is_some()
    };
    match &value.kind {
        Kind::List(items) => items.iter().flat_map(questions).collect(),
        Kind::Map(_) if asked(value) => vec![value],
        Kind::Map(_) => value
            .get(&["questions", "problems", "content", "items", "data", "exercises"])
            .map(questions)
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The elements of questions: what is asked, the options, a moment to think, and the answer with its reason; each is spoken too.
pub(super) fn question(value: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    for asked in questions(value) {
        let at = asked.at;
        let word = |text: &str| Value { at, kind: Kind::Text(text.to_owned()) };
        let element = |kind: &str, content: Value, spoken: &str| {
            let mut fields = vec![(Key::of("type".to_owned()), word(kind)), (Key::of("content".to_owned()), content)];
            if !spoken.is_empty() {
                fields.push((Key::of("voiceover".to_owned()), word(spoken)));
            }
            Value { at, kind: Kind::Map(fields) }
        };
        let text = |keys: &[&str]| asked.get(keys).and_then(Value::text);
        let Some(question) = text(&["question", "problem", "prompt", "stem", "statement"]) else { continue };
        out.push(element("text", word(&question), &question));
        let options: Vec<String> = match asked.get(&["options", "choices", "alternatives"]) {
            Some(options) => match &options.kind {
                Kind::Map(entries) => entries
                    .iter()
                    .filter_map(|(key, value)| Some(format!("{}. {}", key.written, value.text()?)))
                    .collect(),
                _ => options.items().into_iter().filter_map(Value::text).collect(),
            },
            None => Vec::new(),
        };
        let letter = |index: usize| char::from(b'A' + u8::try_from(index % 26).unwrap_or(0));
        let lettered = |(index, option): (usize, &String)| {
            let known = option.chars().nth(1).is_some_and(|c| matches!(c, '.' | ')' | ':'));
            if known { option.clone() } else { format!("{}. {option}", letter(index)) }
        };
        let options: Vec<String> = options.iter().enumerate().map(lettered).collect();
        if !options.is_empty() {
            let list = Value { at, kind: Kind::List(options.iter().map(|option| word(option)).collect()) };
            out.push(element("bullets", list, &options.join("; ")));
        }
        let seconds = Value { at, kind: Kind::Number(f64::from(THINKING_MS) / 1_000.0) };
        out.push(Value {
            at,
            kind: Kind::Map(vec![
                (Key::of("type".to_owned()), word("pause")),
                (Key::of("duration".to_owned()), seconds),
            ]),
        });
        let answer = asked.get(&[
            "answer",
            "correctanswer",
            "correct",
            "correctoption",
            "solution",
            "finalanswer",
            "correctindex",
        ]);
        let answer = answer.and_then(|answer| match answer.kind {
            // An index counts from 0.
            Kind::Number(index) => options.get(index as usize).cloned().or_else(|| answer.text()),
            _ => {
                let text = answer.text()?;
                let meant =
                    options.iter().find(|option| text.chars().count() == 1 && option.starts_with(text.as_str()));
                Some(meant.cloned().unwrap_or(text))
            }
        });
        let reason = text(&["explanation", "reason", "rationale", "why", "solutionsteps", "working", "hint"]);
        let told: Vec<String> = answer.into_iter().chain(reason).collect();
        if !told.is_empty() {
            let told = told.join(" — ");
            out.push(element("callout", word(&told), &told));
        }
    }
    out
}

/// The Manim program that draws a scene, if it has a scene class.
pub(super) fn program(scene: &Value) -> Option<ManimScene> {
    let source = PROGRAMS.iter().find_map(|field| scene.get(&[field])?.text())?;
    let source =
        source.trim().trim_start_matches("```python").trim_start_matches("```").trim_end_matches("```").to_owned();
    let class = python::scenes(&source).into_iter().next()?.name;
    (source.len() <= python::LONGEST).then_some(ManimScene { source, class })
}

/// The language of what is said, when the plan doesn't name it.
pub(super) fn notice_language(settings: &mut Settings, scenes: &[&Value], warnings: &mut Warnings) {
    let mut said = String::new();
    for scene in scenes {
        let own = words(scene).and_then(spoken);
        let of_elements = elements(scene).into_iter().filter_map(|element| element.get(WORDS).and_then(spoken));
        for words in own.into_iter().chain(of_elements) {
            said.push_str(&words);
            said.push(' ');
        }
        if said.len() > 30_000 {
            break;
        }
    }
    let Some(detected) = language::detected(&said) else { return };
    if !settings.language_is_named {
        settings.language = detected.to_owned();
    } else if language::differs(&settings.language, detected) {
        let message = format!(
            "the plan is said to be in `{}`, and its words are in `{detected}`: a voice for the one reads the other wrongly",
            settings.language
        );
        warnings.add("plan.language_differs", message, Place { line: 1, column: 1 });
    }
}

/// Tells each field with words that is neither spoken nor shown, once.
pub(super) fn unused(plan: &Value, scenes: &[&Value], positions: &Positions<'_>, warnings: &mut Warnings) {
    let mut told: Vec<(String, usize, usize)> = Vec::new();
    let lone = scenes.iter().any(|scene| std::ptr::eq(*scene, plan));
    for map in scenes.iter().copied().chain((!lone).then_some(plan)) {
        let spoken_field = words(map).map(|value| value.at);
        for (key, value) in map.entries() {
            let name = plain(&key.written);
            let name = name.as_str();
            let is_element = ELEMENTS.contains(&name) && !matches!(value.kind, Kind::Text(_));
            let asked = QUESTIONS.contains(&name) && !questions(value).is_empty();
            let drawn = PROGRAMS.contains(&name) && program(map).is_some();
            let used = OTHERS.contains(&name)
                || asked
                || drawn
                || is_element
                || SHOWN.iter().any(|(field, _)| *field == name)
                || spoken_field == Some(value.at);
            if used || !has_words(value) {
                continue;
            }
            match told.iter_mut().find(|(known, ..)| *known == key.written) {
                Some((.., count)) => *count += 1,
                None => told.push((key.written.clone(), value.at, 1)),
            }
        }
    }
    for (field, at, count) in told {
        let places = if count > 1 { format!(" of {count} scenes") } else { String::new() };
        let message = format!(
            "`{}`{places} is neither spoken nor shown: it is taken for a note to whoever draws",
            one_line(&field, 60)
        );
        warnings.add("plan.left_out", message, positions.at(at));
    }
}

/// Whether a field holds a sentence, and not only a name or a number.
fn has_words(value: &Value) -> bool {
    match &value.kind {
        Kind::Text(text) => text.trim().contains(' '),
        Kind::List(items) => items.iter().any(has_words),
        Kind::Map(_) => value.items().into_iter().any(has_words),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::storyboard::{Action, ElementKind, SceneKind};

    #[test]
    fn questions_are_asked_and_answered() {
        let plan = r#"{"scenes": [{"voiceover": "Let us see.", "multiple_choice": {"question": "What is 2 + 2?", "options": ["3", "4"], "answer": "B", "explanation": "Two and two."}},
            {"elements": [{"type": "practice_problems", "problems": [{"problem": "Find x.", "answer": "7"}]}]}]}"#;
        let film = crate::lecture::plan("a.json", plan).unwrap();
        assert_eq!(film.warnings, []);
        let said: Vec<&str> =
            film.scenes[0].beats.iter().map(|beat| beat.narration.as_str()).filter(|words| !words.is_empty()).collect();
        assert_eq!(said, ["Let us see.", "What is 2 + 2?", "A. 3; B. 4", "B. 4 — Two and two."]);
        assert!(
            film.scenes[0].beats.iter().any(|beat| beat.narration.is_empty() && beat.pause_ms >= 4_000),
            "a moment to think"
        );
        let boxes = |action: &&Action| matches!(action, Action::Show(element) if matches!(element.kind, ElementKind::Placeholder(_)));
        assert!(film.scenes.iter().flat_map(|scene| &scene.beats).flat_map(|beat| &beat.actions).find(boxes).is_none());
        assert_eq!(film.scenes[1].beats[0].narration, "Find x.");
    }

    #[test]
    fn beats_of_scripts_are_spoken_and_programs_draw() {
        let plan = r#"{"scenes": [{"script": {"beats": [{"narration": "One."}, {"narration": "Two."}]}, "manim_code": "class A(Scene):\n    def construct(self):\n        self.wait(3)"}]}"#;
        let film = crate::lecture::plan("a.json", plan).unwrap();
        assert_eq!(film.scenes[0].beats[0].narration, "One. Two.");
        let shows = plan.replace(r#"{"narration": "One."}"#, r#"{"narration": "One.", "formula": "x^2 = 4"}"#);
        let shows = crate::lecture::plan("a.json", &shows.replace("manim_code", "summary")).unwrap();
        let elements = shows.scenes.iter().flat_map(|scene| &scene.beats).flat_map(|beat| &beat.actions);
        let formulas = elements.filter(
            |action| matches!(action, Action::Show(element) if matches!(element.kind, ElementKind::Equation(_))),
        );
        assert_eq!(formulas.count(), 1, "{shows:?}");
        assert!(matches!(&film.scenes[0].kind, SceneKind::Manim(program) if program.class == "A"));
    }
}
