//! The built-in planner: the same storyboard natively and in the sandbox, and a clear answer to every bad document.

use std::path::Path;
use std::time::{Duration, Instant};

use handler::deadline::Deadline;
use handler::error::Code;
use handler::plan::{Fault, Limits, PlanError, Planned, Sandbox, check, code_of};
use planner_wasm::plan;
use storyboard::{Action, Beat, Document, ElementKind, Place, SceneKind, Span, Storyboard};

const LESSONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/lessons");

/// Fuel that planning a hundred scenes may take, with the everyday profile of the guest: a lesson (142 million were measured, and some
/// 63 before the parts of formulas had words of their own and more dialects were read), and a plan. Unlike a clock it is the same on every machine; the
/// clock is `make bench`'s, and so is the profile that is shipped.
const FUEL: [u64; 2] = [150_000_000, 148_000_000];

fn document(name: &str, bytes: impl Into<Vec<u8>>) -> Document {
    Document { name: name.to_owned(), bytes: bytes.into() }
}

fn lesson(name: &str) -> Document {
    document(name, std::fs::read(Path::new(LESSONS).join(name)).unwrap())
}

/// Plans natively, and holds the result to the host's check.
fn planned(text: &str) -> Storyboard {
    let storyboard = plan(&document("lesson.md", text)).unwrap_or_else(|refusal| panic!("{refusal:?}\n{text:.300}"));
    check(&storyboard).unwrap_or_else(|broken| panic!("{broken}\n{text:.300}"));
    storyboard
}

async fn sandboxed(document: Document) -> Result<Planned, PlanError> {
    let limits = Limits::default();
    Sandbox::new().unwrap().plan(document, &limits, Deadline::after(limits.wall_clock)).await
}

/// What each action of a beat is: for something shown, the kind of element.
fn kinds(beat: &Beat) -> Vec<String> {
    let first = |value: &serde_json::Value| match value {
        serde_json::Value::Object(fields) => fields.keys().next().unwrap().clone(),
        serde_json::Value::String(word) => word.clone(),
        other => panic!("{other}"),
    };
    let kind = |action: &Action| match action {
        Action::Show(element) => first(&serde_json::to_value(&element.kind).unwrap()),
        action => first(&serde_json::to_value(action).unwrap()),
    };
    beat.actions.iter().map(kind).collect()
}

fn narrations(storyboard: &Storyboard) -> Vec<&str> {
    storyboard.scenes.iter().flat_map(|scene| &scene.beats).map(|beat| beat.narration.as_str()).collect()
}

fn warnings(storyboard: &Storyboard) -> Vec<(&str, u32)> {
    storyboard.warnings.iter().map(|one| (one.code.as_str(), one.place.map_or(0, |place| place.line))).collect()
}

#[tokio::test]
async fn every_fixture_gives_the_same_natively_and_in_the_sandbox() {
    let sandbox = Sandbox::new().unwrap();
    let limits = Limits::default();
    let mut documents = 0;
    for folder in ["", "../plans", "../storyboards"] {
        for entry in std::fs::read_dir(Path::new(LESSONS).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let name = path.file_name().unwrap().to_str().unwrap();
            let document = document(name, std::fs::read(&path).unwrap());
            let native = plan(&document).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
            let planned = sandbox.plan(document, &limits, Deadline::after(limits.wall_clock)).await;
            // The host's own check is in this too.
            let planned = planned.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(planned.storyboard == native, "{name} is another storyboard in the sandbox");
            documents += 1;
        }
    }
    assert!(documents >= 40, "only {documents} documents were found");
}

#[test]
fn the_showcase_is_a_lesson_of_a_minute_or_so() {
    let storyboard = plan(&lesson("pythagoras.md")).unwrap();
    assert_eq!(storyboard.title, "The theorem of Pythagoras");
    assert_eq!(storyboard.warnings, []);
    assert_eq!(storyboard.scenes[0].kind, SceneKind::TitleCard);
    assert!(storyboard.scenes[1..].iter().all(|scene| scene.kind == SceneKind::Lesson));
    let shown: Vec<_> = storyboard.scenes.iter().flat_map(|scene| &scene.beats).flat_map(kinds).collect();
    for kind in ["equation", "axes", "bullets", "code"] {
        assert!(shown.iter().any(|one| one == kind), "{kind} is missing from {shown:?}");
    }
    let spoken: u32 = storyboard.scenes.iter().flat_map(|scene| &scene.beats).map(|beat| beat.estimate_ms).sum();
    assert!((60_000..90_000).contains(&spoken), "{spoken} ms");
    let said = narrations(&storyboard).join(" ");
    assert!(!said.contains(['$', '\\', '`', '*', '^', '#']), "{said}");
}

#[test]
fn paragraphs_are_spoken_and_other_blocks_are_shown_in_document_order() {
    let storyboard = planned(
        "# T\n\nHello *there*.\n\n## A\n\n$$x$$\n\n- one\n\nFirst.\n\n```py\nx\n```\n\nSecond.\n\n```py\ny\n```\n",
    );
    assert_eq!(narrations(&storyboard), ["Hello there.", "First.", "Second.", ""]);
    let scene = &storyboard.scenes[1];
    let shown: Vec<_> = scene.beats.iter().map(kinds).collect();
    assert_eq!(shown, [vec!["equation", "bullets"], vec!["code"], vec!["code"]]);
    assert_eq!(scene.beats[0].pause_ms, 350);
    let last = *scene.planned_ms().last().unwrap();
    assert!((1_750..8_000).contains(&last), "what is shown last stands {last} ms");
    assert_eq!(scene.beats[1].place, Some(Place { line: 17, column: 1 }), "where its words are");
}

#[test]
fn a_scene_without_elements_shows_its_first_sentence() {
    let storyboard = planned("# T\n\n## A\n\nThe first sentence. The second one.\n\nAnother paragraph.\n");
    let Action::Show(element) = &storyboard.scenes[1].beats[0].actions[0] else { panic!("{storyboard:?}") };
    let ElementKind::Text(text) = &element.kind else { panic!("{element:?}") };
    assert_eq!(text.spans, [Span::Plain("The first sentence.".to_owned())]);
    assert!(storyboard.scenes[1].beats[1].actions.is_empty());
    assert!(storyboard.scenes[0].beats[0].pause_ms == 2_500, "a title without words stands a moment");
}

#[test]
fn titles_come_from_front_matter_or_headings() {
    assert_eq!(planned("## Only scenes\n\nWords.\n").title, "Only scenes");
    assert_eq!(planned("## Only scenes\n\nWords.\n").scenes.len(), 1, "no title card without a title");
    assert_eq!(planned("---\ntitle: Front\n---\n# Back\n\nWords.\n").title, "Front");
    let parts = planned("# One\n\nWords.\n\n## A\n\nMore.\n\n# Two\n\nWords.\n\n- shown\n\nEnd.\n");
    let kinds: Vec<_> = parts.scenes.iter().map(|scene| (scene.heading.as_str(), scene.kind.clone())).collect();
    let (card, lesson) = (SceneKind::TitleCard, SceneKind::Lesson);
    assert_eq!(kinds, [("One", card.clone()), ("A", lesson.clone()), ("Two", card), ("Two", lesson)]);
    let ids: Vec<_> = parts.scenes.iter().map(|scene| scene.id.as_str()).collect();
    assert_eq!(ids, ["one", "a", "two", "two-2"]);
}

#[test]
fn every_block_has_a_position_or_a_warning() {
    let storyboard = plan(&lesson("every-block.md")).unwrap();
    check(&storyboard).unwrap();
    let text = String::from_utf8(lesson("every-block.md").bytes).unwrap();
    let line = |what: &str| text.lines().position(|line| line.starts_with(what)).unwrap() as u32 + 1;
    let formula = "plan.formula_in_part";
    let expected = [
        ("plan.unknown_setting", line("voice")),
        (formula, line(r"$$\frac{1}{$$")),
        (formula, line(r"$$\foo")),
        (formula, line("The second and third")),
        ("plan.expression_not_understood", line("y = sin(x +")),
        ("plan.empty_scene", line("## Empty")),
    ];
    assert_eq!(warnings(&storyboard), expected);
    let scene = |heading: &str| storyboard.scenes.iter().find(|scene| scene.heading == heading).unwrap();
    let shown = |heading| scene(heading).beats.iter().flat_map(kinds).collect::<Vec<_>>();
    assert_eq!(shown("Lists and headings"), ["text", "bullets", "bullets", "code", "bullets"]);
    assert_eq!(shown("Formulas"), ["equation", "equation", "equation"], "the one within a sentence is spoken");
    assert_eq!(shown("Plots"), ["axes", "axes", "placeholder", "clear", "callout", "bullets"]);
    assert_eq!(shown("What is shown"), ["table", "image", "graph", "text"]);
    let Action::Show(code) = &scene("Code at the end").beats[0].actions[0] else { panic!() };
    let ElementKind::Code(code) = &code.kind else { panic!() };
    assert_eq!((code.language.as_str(), code.text.contains("    println")), ("rust", true));
    let numbers: Vec<_> = scene("Lists and headings")
        .beats
        .iter()
        .flat_map(|beat| &beat.actions)
        .filter_map(|action| match action {
            Action::Show(element) => match &element.kind {
                ElementKind::Bullets(list) => Some(list.items.iter().map(|item| (item.level, item.number)).collect()),
                _ => None,
            },
            _ => None,
        })
        .collect::<Vec<Vec<_>>>();
    assert_eq!(numbers[0], [(0, None), (1, None), (2, Some(1)), (0, None)], "a second paragraph is its item's");
    assert_eq!(numbers[1], [(0, Some(7)), (0, Some(8))]);
    assert_eq!(numbers[2], [(0, Some(9))]);
}

#[test]
fn crlf_and_byte_order_marks_change_nothing() {
    let storyboard = plan(&lesson("windows.md")).unwrap();
    assert_eq!(warnings(&storyboard), [("plan.expression_not_understood", 16)]);
    let text = "# T\n\nWords.\n\n```plot\ny = x\n```\n";
    let unix = planned(text);
    let marked = plan(&document("a.md", [b"\xef\xbb\xbf", text.as_bytes()].concat())).unwrap();
    assert_eq!(marked, unix);
    let front = "---\r\ntitle: W\r\ntheme: light\r\n---\r\n# T\r\n\r\nWords.\r\n";
    let windows = planned(front);
    assert_eq!((windows.title.as_str(), windows.theme.name()), ("W", "light"));
}

#[tokio::test]
async fn a_bad_document_is_refused_with_code_and_place() {
    let at = |line, column| Some(Place { line, column });
    let cases: Vec<(&str, Vec<u8>, &str, Option<Place>)> = vec![
        ("a.md", vec![], "input.empty", None),
        ("a.md", b" \n\t\r\n".to_vec(), "input.empty", None),
        ("a.md", b"\xef\xbb\xbf".to_vec(), "input.empty", None),
        ("a.md", b"# T\n\nok \xff\xfe".to_vec(), "input.not_utf8", at(3, 4)),
        ("a.md", "# T\n\nö".encode_utf16().flat_map(u16::to_le_bytes).collect(), "input.not_utf8", None),
        ("a.docx", b"# T".to_vec(), "input.unknown_format", None),
        ("README", b"# T".to_vec(), "input.unknown_format", None),
        ("a.md", b"# T\n\n## A\n\n## B\n".to_vec(), "input.nothing_to_show", at(1, 1)),
        ("a.md", b"# T\n".to_vec(), "input.nothing_to_show", at(1, 1)),
        ("a.md", "## A\n\nW.\n\n".repeat(501).into_bytes(), "plan.too_large", None),
        ("a.md", vec![b'x'; (8 << 20) + 1], "input.too_large", None),
        ("a.json", b"nothing like JSON".to_vec(), "input.json_invalid", at(1, 1)),
        ("a.json", b"{\"scenes\":\n [}]".to_vec(), "input.json_invalid", at(2, 3)),
        ("a.json", b"\n{\"title\": 1}".to_vec(), "input.unknown_format", at(2, 1)),
        ("a.json", b"{\"scenes\": []}".to_vec(), "input.nothing_to_show", None),
        ("a.json", b"{\"scenes\": [{}, {\"elements\": []}]}".to_vec(), "input.nothing_to_show", None),
        (
            "a.json",
            b"{\"title\": \"T\",\n\"scenes\": [{\"beats\": 1}]}".to_vec(),
            "input.storyboard_invalid",
            at(2, 22),
        ),
        ("a.storyboard.json", b"{\"scenes\": []}".to_vec(), "input.storyboard_invalid", at(1, 14)),
        ("a.storyboard.json", b"[]".to_vec(), "input.storyboard_invalid", None),
        ("a.storyboard.json", board(r#""scenes": []"#), "input.storyboard_invalid", None),
        ("a.json", board(&format!(r#""scenes": [{SCENE}, {SCENE}]"#)), "input.storyboard_invalid", None),
        (
            "program.py",
            format!("class A(Scene):\n    pass\n# {}", "x".repeat(1 << 20)).into_bytes(),
            "plan.too_large",
            at(1, 1),
        ),
        (
            "programs.py",
            format!("class A(Scene):\n    pass\nclass B(Scene):\n    pass\n# {}", "x".repeat(1 << 20)).into_bytes(),
            "plan.too_large",
            at(1, 1),
        ),
        ("a.\u{7}\n", b"# T\n\nW.\n".to_vec(), "input.unknown_format", None),
        ("a.py", b"print('no scene')\n".to_vec(), "input.no_scene_class", at(1, 1)),
    ];
    for (name, bytes, code, place) in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let native = plan(&document(name, bytes.clone())).expect_err(&shown);
        assert_eq!(native.code, code, "{shown:?}: {}", native.message);
        if place.is_some() {
            assert_eq!(native.place, place, "{shown:?}: {}", native.message);
        } else if code == "input.not_utf8" {
            assert!(native.place.is_some(), "{shown:?}: {}", native.message);
        }
        assert!(native.message.len() > 10 && native.remedy.ends_with('.'), "{native:?}");
        let error = sandboxed(document(name, bytes)).await.expect_err(&shown);
        // A code that the host doesn't know is the planner's own affair.
        assert_eq!(code_of(&error).name(), Code::from_name(code).map_or("plan.refused", Code::name));
        assert_eq!(error.fault, Fault::Refused(native.clone()));
        assert!(error.usage().unwrap().fuel_used > 0, "a refusal has its use too");
    }
}

/// A storyboard with these fields among its own.
fn board(fields: &str) -> Vec<u8> {
    let voice = r#"{"chain": [], "name": null, "words_per_minute": null, "model": null, "consistency": null, "max_characters": null}"#;
    let rest = r#""quality": null, "on_failure": null, "music": null, "intro": null, "outro": null, "warnings": []"#;
    format!(r#"{{"title": "T", "language": "en", "theme": "dark", "voice": {voice}, {rest}, {fields}}}"#).into_bytes()
}

const SCENE: &str = r#"{"id": "a", "kind": "lesson", "heading": "A", "beats": [{"id": "a-1", "narration": "W.", "pause_ms": 0,
    "actions": [], "estimate_ms": 0, "place": null}], "place": null}"#;

#[test]
fn an_invalid_storyboard_document_is_an_input_error() {
    let refused = plan(&document("a.storyboard.json", board(&format!(r#""scenes": [{SCENE}, {SCENE}]"#)))).unwrap_err();
    assert_eq!(refused.code, "input.storyboard_invalid");
    assert!(refused.message.contains("scene `a` stands twice"), "{}", refused.message);
    plan(&document("a.storyboard.json", board(&format!(r#""scenes": [{SCENE}]"#)))).unwrap();
}

/// A lesson with these lines below its first heading.
fn below(text: &str) -> Document {
    document("lesson.md", format!("# T\n\nWords.\n\n{text}\n"))
}

/// A plan of one scene with these elements.
fn elements(elements: &str) -> Document {
    document("plan.json", format!("{{\"scenes\": [{{\"voiceover\": \"Words.\", \"elements\": [{elements}]}}]}}"))
}

/// Each of them once became a storyboard that the host refuses, or could have; with the code of the warning or refusal that
/// it has to come with.
fn beyond() -> Vec<(Document, Option<&'static str>)> {
    let fenced = |name: &str, text: &str| below(&format!("```{name}\n{text}\n```"));
    let code = |info: &str| {
        let line = |n: usize| if n == 14 { "\n".to_owned() } else { format!("line {n}\n") };
        below(&format!("```python {info}\n{}```", (1..=30).map(line).collect::<String>()))
    };
    let front = |lines: &str| document("lesson.md", format!("---\n{lines}\n---\n# T\n\nWords.\n"));
    let letter = |n: u32| char::from_u32(u32::from('a') + n % 26).unwrap();
    let keys: String = (0..9_000).map(|n| format!("{}{}{}: 1\n", letter(n / 676), letter(n / 26), letter(n))).collect();
    vec![
        (code("{12-16}"), None),
        (code("{14}"), None),
        (below("| | |\n|-|-|"), Some("plan.empty_element")),
        (below("| | |\n|-|-|\n| | |"), Some("plan.empty_element")),
        (below("- a\n\n  | |\n  |-|\n"), Some("plan.empty_element")),
        (below(&format!("- a\n\n{}", "  a\n\n".repeat(3_000))), Some("plan.text_cut")),
        (below("![x](~a.png)"), Some("plan.image_not_usable")),
        (below("![x](./-a.png)"), Some("plan.image_not_usable")),
        (below("![x](a/b:c.png)"), Some("plan.image_not_usable")),
        (elements(r#"{"type": "image", "src": "a/b:c.png"}"#), Some("plan.image_not_usable")),
        (front("music: ~a.mp3"), Some("plan.unknown_setting")),
        (front("outro: -a.mp4"), Some("plan.unknown_setting")),
        (front(&format!("voice:\n  chain: [{}]", "İ".repeat(50))), Some("plan.unknown_setting")),
        (front("\"a\\u0007b\": 1"), Some("plan.unknown_setting")),
        (front(&keys), Some("plan.unknown_setting")),
        (document("a.py", format!("class A(Scene):\n    pass\n# {}", "x".repeat(1 << 20))), Some("plan.too_large")),
        (fenced("manim", &format!("class A(Scene):\n    pass\n# {}", "x".repeat(1 << 20))), Some("plan.cannot_draw")),
        (fenced("plot", "y = x\nx: 0..1e-300"), Some("plan.expression_not_understood")),
        (fenced("plot", "y = x\nx: 0..1e-17"), Some("plan.expression_not_understood")),
        (fenced("plot", "y = 1e-17x"), None),
        (fenced("plot", "points: (0,0) (1e-17,1)"), None),
        (fenced("plot", "points: (0,1e12) (1,1e12)"), Some("plan.expression_not_understood")),
        (fenced("plot", "x(t) = 1e14 t; y(t) = t"), Some("plan.expression_not_understood")),
        (fenced("plot", "y = x1e999"), Some("plan.expression_not_understood")),
        (
            fenced("plot", &format!("y = {}x{}", "cbrt(".repeat(14), ")".repeat(14))),
            Some("plan.expression_not_understood"),
        ),
        (fenced("numberline", "x: 0..1e-310"), Some("plan.expression_not_understood")),
        (fenced("surface", "z = x; view: 65, 100000"), None),
        (fenced("surface", "x(t) = t; y(t) = t; z(t) = 1e12; t: 0..1"), Some("plan.expression_not_understood")),
        (below(&format!("$${}$$", "|".repeat(3_990))), None),
        (below(&format!("$${}$$", "|".repeat(17_000))), Some("plan.formula_not_understood")),
        (below("- a ![b&#7;c](a.png) d"), Some("plan.cannot_draw")),
        (elements(r#"{"type": "axes", "x_range": [0, 1e-17]}, {"type": "plot", "content": "x"}"#), None),
        (elements(r#"{"type": "table", "rows": [["", ""], ["", ""]]}"#), None),
        (elements(&format!("{{\"type\": \"plot\", \"content\": \"{}x\"}}", "cbrt ".repeat(20))), None),
        (document("a.py", "class A(Scene):\n    \"\"\"It is $\u{7}x$ \u{1b}[31m.\"\"\"\n    pass\n"), None),
        (document("a\u{7}.md", "# &#7;T `&#7;`\n\n`&#7;` W&#133;.\n\n## &#7;\n\nW.\n"), None),
    ]
}

#[tokio::test]
async fn no_document_gives_a_storyboard_that_fails_the_hosts_check() {
    let sandbox = Sandbox::new().unwrap();
    let limits = Limits::default();
    for (document, code) in beyond() {
        let shown = String::from_utf8_lossy(&document.bytes[..document.bytes.len().min(120)]).into_owned();
        let told = match sandbox.plan(document, &limits, Deadline::after(limits.wall_clock)).await {
            Ok(planned) => planned.storyboard.warnings.into_iter().map(|warning| warning.code).collect(),
            Err(PlanError { fault: Fault::Refused(refusal), .. }) => vec![refusal.code],
            Err(error) => panic!("{shown}: {error}"),
        };
        match code {
            Some(code) => assert!(told.iter().any(|one| one == code), "{shown}: {told:?}"),
            None => assert!(told.iter().all(|one| one.starts_with("plan.")), "{shown}: {told:?}"),
        }
    }
}

#[test]
fn the_number_of_warnings_is_limited() {
    let lesson = (0..150).map(|n| format!("```plot\ny = q{n}\n```\n\n")).collect::<String>();
    let storyboard = planned(&format!("# T\n\nWords.\n\n{lesson}"));
    let codes: Vec<&str> = storyboard.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!((codes.len(), codes[99], codes[100]), (101, "plan.expression_not_understood", "plan.more_warnings"));
}

/// Documents made to hang or overflow a parser.
fn hostile() -> Vec<(&'static str, String)> {
    let head = "# T\n\nWords.\n\n";
    let element = |kind: &str, content: String| {
        format!(
            "{{\"scenes\": [{{\"voiceover\": \"Words.\", \"elements\": [{{\"type\": \"{kind}\", \"content\": {content}}}]}}]}}"
        )
    };
    vec![
        ("deep.json", "{\"a\":[".repeat(50_000)),
        ("wide.json", format!("{{\"scenes\": [{}]}}", "{\"voiceover\": \"x\"},".repeat(499))),
        ("values.json", format!("{{\"scenes\": [[{}]]}}", "1,".repeat(1_000_000))),
        ("string.json", element("text", format!("\"{}\"", "\\\\n".repeat(200_000)))),
        ("escapes.json", element("text", format!("\"{}\"", "\\ud83d".repeat(100_000)))),
        (
            "nested-strings.json",
            (0..12).fold("{\"scenes\": []}".to_owned(), |text, _| format!("{{\"plan\": {text:?}}}")),
        ),
        ("brackets.json", element("plot", format!("\"{}\"", "(".repeat(100_000)))),
        ("tuple.json", element("parametric", format!("\"{}1{}\"", "(".repeat(20_000), ")".repeat(20_000)))),
        ("formula.json", element("mathtex", format!("\"{}\"", "{".repeat(3_000)))),
        ("points.json", element("polygon", format!("[{}]", "[1,2],".repeat(50_000)))),
        ("pairs.json", element("axes", format!("\"{}\"", "x_range=[0,1],".repeat(60)))),
        ("list.json", element("bullets", format!("{}\"x\"{}", "[".repeat(40), "]".repeat(40)))),
        ("edges.json", element("network", format!("{{\"edges\": [{}]}}", "[1,2],".repeat(20_000)))),
        ("numbers.json", element("axes", "{\"x_range\": [1e308, -1e308], \"y_range\": [0, 1e-320]}".to_owned())),
        (
            "elements.json",
            format!(
                "{{\"scenes\": [{{\"elements\": [{}]}}]}}",
                "{\"type\": \"plot\", \"content\": \"x\"},".repeat(5_000)
            ),
        ),
        ("classes.py", "class A(Scene):\n    pass\n".repeat(5_000)),
        ("many-classes.py", (0..600).map(|n| format!("class A{n}(Scene):\n    pass\n")).collect()),
        ("quotes.py", format!("class A(Scene):\n    {}", "\"\"\"".repeat(10_001))),
        ("bases.py", format!("class A({}\n", "Scene,\n".repeat(10_000))),
        ("long-line.py", format!("class A({}Scene):\n", "x,".repeat(100_000))),
        ("board.storyboard.json", "[".repeat(100_000)),
        ("graph.md", format!("{head}```graph\n{}\n```\n", "a->".repeat(20_000))),
        ("shapes.md", format!("{head}```shapes\npolygon {}\n```\n", "(0,0)".repeat(20_000))),
        ("surface.md", format!("{head}```surface\n{}```\n", "z = sin(x)\n".repeat(1_000))),
        ("chart.md", format!("{head}```chart\n{}```\n", "a: 1\n".repeat(10_000))),
        ("plots.md", format!("{head}{}", "```plot\ny = x\n```\n\n".repeat(3_000))),
        ("notes.md", format!("{head}{}", (0..2_000).map(|n| format!("x[^{n}]\n\n[^{n}]: y\n\n")).collect::<String>())),
        ("lists", format!("{head}{}x\n", "- ".repeat(10_000))),
        ("numbered lists", format!("{head}{}x\n", "1. ".repeat(10_000))),
        ("quotes", format!("{head}{}x\n", "> ".repeat(10_000))),
        ("lists and quotes", format!("{head}{}x\n", "> - ".repeat(10_000))),
        ("indented lists", (0..300).fold(head.to_owned(), |text, n| text + &"  ".repeat(n) + "- x\n")),
        ("brackets", format!("{head}{}x\n", "[".repeat(10_000))),
        ("links", format!("{head}{}\n", "[a](".repeat(10_000))),
        ("images", format!("{head}{}x{}\n", "![".repeat(5_000), "](y)".repeat(5_000))),
        ("stars", format!("{head}{}\n", "*a **b ".repeat(10_000))),
        ("underscores", format!("{head}{}\n", "_".repeat(50_000))),
        ("back-ticks", format!("{head}{}\n", (1..300).map(|n| "`".repeat(n) + " ").collect::<String>())),
        ("dollars", format!("{head}{}\n", "$a ".repeat(20_000))),
        ("formulas", format!("{head}{}\n", "$x$ ".repeat(20_000))),
        ("deep formula", format!("{head}$${}x{}$$\n", "{".repeat(10_000), "}".repeat(10_000))),
        ("fractions", format!("{head}$${}x$$\n", "\\frac".repeat(700))),
        ("html", format!("{head}{}\n", "<a ".repeat(10_000))),
        ("comments", format!("{head}{}\n", "<!-- ".repeat(10_000))),
        ("tables", format!("{head}|{}\n|{}\n{}", "a|".repeat(500), "-|".repeat(500), "|x".repeat(500))),
        ("deep expression", format!("{head}```plot\ny = {}x\n```\n", "(".repeat(10_000))),
        ("front matter", format!("---\na: {}\n---\n{head}", "[".repeat(10_000))),
        ("anchors", format!("---\na: &a [x]\nb: {}\n---\n{head}", "[*a, *a, *a]".repeat(1_000))),
        ("references", format!("{head}{}", (0..3_000).map(|n| format!("[{n}]: x\n[{n}]\n\n")).collect::<String>())),
        ("footnotes", format!("{head}{}", (0..2_000).map(|n| format!("[^{n}]: [^{n}]\n\n")).collect::<String>())),
        ("one long line", format!("{head}{}\n", "word ".repeat(200_000))),
        ("nul", format!("{head}\0 \u{1b}[31m \u{7f} x\n\n- \0\u{8}y\n")),
        ("long list", format!("{head}{}", "- x\n".repeat(20_000))),
        ("long heading", format!("# {}\n\nWords.\n", "T".repeat(100_000))),
        ("thematic", format!("{head}{}", "***\n\n".repeat(10_000))),
    ]
}

#[tokio::test]
async fn hostile_documents_never_crash_or_stall_the_planner() {
    let sandbox = Sandbox::new().unwrap();
    let limits = Limits::default();
    for (name, text) in hostile() {
        let began = Instant::now();
        let name = if name.contains('.') { name } else { "a.md" };
        let answer = sandbox.plan(document(name, text), &limits, Deadline::after(limits.wall_clock)).await;
        let code = answer.as_ref().map_or_else(|error| code_of(error).name(), |_| "planned");
        assert!(code == "planned" || code.starts_with("input.") || code.starts_with("plan."), "{name}: {answer:.300?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{name} took {:?}", began.elapsed());
    }
}

#[test]
fn long_paragraphs_become_several_beats() {
    let storyboard = planned(&format!("# T\n\n{}\n", "This is one sentence of many. ".repeat(200)));
    // The title stands alone for a moment; so many words have a scene of their own.
    assert_eq!(storyboard.scenes.len(), 2);
    let beats = &storyboard.scenes[1].beats;
    assert!(beats.len() >= 4, "{} beats", beats.len());
    assert!(beats.iter().all(|beat| beat.narration.len() <= 1_500 && beat.narration.ends_with('.')));
    assert!(beats[..beats.len() - 1].iter().all(|beat| beat.pause_ms == 0), "no breath inside of a paragraph");
}

#[tokio::test]
async fn planning_is_fast_and_reports_its_use_of_resources() {
    let hundred: String = (0..100)
        .map(|n| {
            format!(
                "## Scene {n}\n\n$$x_{{{n}}}^2 + \\frac{{a}}{{b}} = \\sqrt{{{n}}}$$\n\nHere we look at number {n} and at what it means for \
                 the rest of the lesson.\n\n- a first point\n- a second point with $x^{n}$\n\nAnd that is all there is to it.\n\n"
            )
        })
        .collect();
    let sandbox = Sandbox::new().unwrap();
    let limits = Limits::default();
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let began = Instant::now();
        let planned = sandbox
            .plan(document("a.md", format!("# T\n\n{hundred}")), &limits, Deadline::after(limits.wall_clock))
            .await
            .unwrap();
        quickest = quickest.min(began.elapsed());
        assert_eq!(planned.storyboard.scenes.len(), 101);
        let usage = planned.usage;
        assert!(usage.fuel_used > 100_000 && usage.fuel_used < FUEL[0], "{usage:?}");
        assert!(usage.memory_used > 1_000_000 && usage.memory_used < usage.memory_limit / 4, "{usage:?}");
        assert!(usage.output_bytes > 10_000 && usage.output_bytes < usage.output_limit / 20, "{usage:?}");
        assert_eq!(usage.sha256.len(), 64);
    }
    println!("a hundred scenes took {quickest:?} at best");
}

#[tokio::test]
async fn a_lecture_plan_of_a_hundred_scenes_is_planned_fast() {
    let sandbox = Sandbox::new().unwrap();
    let limits = Limits::default();
    let bytes = std::fs::read(Path::new(LESSONS).join("../plans/hundred-scenes.json")).unwrap();
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let began = Instant::now();
        let document = document("plan.json", bytes.clone());
        let planned = sandbox.plan(document, &limits, Deadline::after(limits.wall_clock)).await.unwrap();
        quickest = quickest.min(began.elapsed());
        assert_eq!(planned.storyboard.scenes.len(), 101, "and the card with its title");
        assert!(planned.usage.fuel_used < FUEL[1], "{:?}", planned.usage);
    }
    println!("a lecture plan of a hundred scenes took {quickest:?} at best");
}

/// The storyboard of every action, as JSON, with one value of it replaced.
fn with(pointer: &str, value: serde_json::Value) -> serde_json::Value {
    let path = Path::new(LESSONS).join("../storyboards/every-action.storyboard.json");
    let mut storyboard: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    *storyboard.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is nowhere")) = value;
    storyboard
}

/// The storyboard of every action with one value of it replaced.
fn replaced(pointer: &str, value: serde_json::Value) -> Storyboard {
    serde_json::from_value(with(pointer, value)).unwrap_or_else(|error| panic!("{pointer}: {error}"))
}

#[test]
fn the_host_checks_every_part_of_a_storyboard() {
    use serde_json::json;
    check(&replaced("/title", json!("Sound"))).unwrap();
    let action = |beat: usize, action: usize, rest: &str| format!("/scenes/1/beats/{beat}/actions/{action}/{rest}");
    let text = |words: &str| json!([{"plain": words}]);
    let cases = [
        ("/music/source".to_owned(), json!("https://example.org/a.mp3"), "music"),
        ("/music/source".to_owned(), json!("../a.mp3"), "music"),
        ("/music/level_db".to_owned(), json!(3.0), "music"),
        ("/intro".to_owned(), json!("/etc/passwd"), "no path beside the document"),
        ("/outro".to_owned(), json!("a//b.mp4"), "no path beside the document"),
        ("/captions".to_owned(), json!(["de", "../de"]), "language"),
        ("/captions".to_owned(), json!(["de", "DE"]), "twice"),
        ("/captions".to_owned(), json!(["en"]), "twice"),
        ("/voice/chain".to_owned(), json!(["-f"]), "voice"),
        ("/voice/words_per_minute".to_owned(), json!(10_000), "words per minute"),
        ("/scenes/0/id".to_owned(), json!("../x"), "id"),
        ("/scenes/3/id".to_owned(), json!("title"), "twice"),
        ("/scenes/0/beats/0/id".to_owned(), json!("end-1"), "twice"),
        ("/scenes/3/beats/0/pause_ms".to_owned(), json!(0), "neither words nor length"),
        ("/scenes/3/beats/0/pause_ms".to_owned(), json!(60_001), "pause"),
        ("/scenes/2/kind/manim/class".to_owned(), json!("A; import os"), "class"),
        ("/scenes/2/kind/manim/source".to_owned(), json!("\u{0}"), "null"),
        ("/scenes/2/beats/0/actions".to_owned(), json!(["clear"]), "Manim"),
        (action(0, 0, "show/id"), json!("program"), "twice"),
        (action(0, 0, "show/kind/equation/formula/latex"), json!("\u{7}"), "control"),
        (action(0, 0, "show/timing/duration_ms"), json!(60_001), "time"),
        (action(0, 1, "show/style/colour"), json!("#12345"), "colour"),
        (action(0, 1, "show/style/opacity"), json!(1.5), "opacity"),
        (action(0, 1, "show/style/scale"), json!(0.0), "scale"),
        (action(0, 1, "show/kind/code/highlighted"), json!([3]), "highlighted"),
        (action(0, 1, "show/kind/code/highlighted"), json!([2, 1]), "highlighted"),
        (action(1, 0, "highlight/target"), json!("nothing"), "highlighted"),
        (action(1, 0, "highlight/colour"), json!("Red"), "colour"),
        (action(1, 1, "dim"), json!("nothing"), "dimmed"),
        (action(2, 0, "transform/from"), json!("nothing"), "becomes"),
        (action(2, 0, "transform/into/id"), json!("formula"), "twice"),
        (action(2, 1, "move/to/at/x"), json!(1e300), "nowhere"),
        (action(2, 1, "move/to/at"), json!(null), "nowhere"),
        (action(3, 0, "camera/change/zoom_to"), json!("formula"), "zoomed"),
        (action(4, 1, "remove"), json!("formula"), "removed"),
        (action(5, 1, "show/kind/space/solids/0/kind/sphere/radius"), json!(-1.0), "radius"),
        (action(5, 1, "show/kind/space/solids/1/kind/surface/u_to"), json!(-1.0), "range"),
        (action(5, 1, "show/kind/space/solids/1/kind/surface/z/postfix"), json!([{"variable": "x"}]), "variable"),
        (action(5, 1, "show/kind/space/solids/1/kind/surface/z/postfix"), json!([{"apply": "exec"}]), "operator"),
        (action(5, 1, "show/kind/space/solids/1/kind/surface/z/postfix"), json!([{"apply": "add"}]), "operands"),
        (action(5, 1, "show/kind/space/phi"), json!(200.0), "phi"),
        (action(5, 1, "show/kind/space/axes/x/step"), json!(0.0), "tick"),
        (action(5, 2, "camera/change/orbit"), json!(1e9), "orbit"),
        (action(6, 1, "show/kind/table/align"), json!(["middle"]), "align"),
        (action(6, 1, "show/kind/table/rows/0/cells/0/spans"), text("\u{1b}[31m"), "control"),
        (action(6, 3, "show/kind/number_line/marks/0/at"), json!(99.0), "mark"),
        (action(6, 4, "show/kind/chart/bars"), json!([]), "bars"),
        (action(6, 4, "show/kind/chart/bars/0/value"), json!(1e300), "bar"),
    ];
    // Words of a closed list are types: what is no such word is no storyboard.
    let unknown = [
        ("/theme".to_owned(), "blue"),
        ("/quality".to_owned(), "best"),
        ("/on_failure".to_owned(), "shrug"),
        ("/voice/consistency".to_owned(), "never"),
        (action(0, 0, "show/placement/region"), "nowhere"),
        (action(0, 0, "show/timing/easing"), "wild"),
        (action(0, 0, "show/timing/entrance"), "explode"),
        (action(0, 0, "show/timing/exit"), "vanish"),
    ];
    for (pointer, word) in unknown {
        let error = serde_json::from_value::<Storyboard>(with(&pointer, json!(word))).expect_err(&pointer).to_string();
        assert!(error.contains(&format!("unknown variant `{word}`")), "{pointer}: {error}");
    }
    for (pointer, value, expected) in cases {
        let broken = check(&replaced(&pointer, value.clone())).expect_err(&format!("{pointer} = {value}"));
        assert!(broken.contains(expected), "{pointer} = {value}: {broken}");
    }
    let kinds = [
        (json!({"image": {"source": "http://x/a.png", "alt": "", "caption": ""}}), "picture"),
        (json!({"image": {"source": "a/../../b.png", "alt": "", "caption": ""}}), "picture"),
        (
            json!({"graph": {"nodes": [{"id": "a", "label": ""}], "edges": [{"from": "a", "to": "b", "label": ""}],
            "directed": false, "layout": null}}),
            "edge",
        ),
        (
            json!({"graph": {"nodes": [{"id": "a", "label": ""}, {"id": "a", "label": ""}], "edges": [], "directed": false,
            "layout": null}}),
            "twice",
        ),
        (json!({"drawing": {"shapes": []}}), "shapes"),
        (
            json!({"drawing": {"shapes": [{"kind": {"polygon": [{"x": 0.0, "y": 0.0}]}, "label": "", "style": null}]}}),
            "corners",
        ),
        (
            json!({"drawing": {"shapes": [{"kind": {"line": {"from": {"x": 0.0, "y": 0.0}, "to": {"x": 0.0, "y": 0.0}}},
            "label": "", "style": null}]}}),
            "ends where it begins",
        ),
        (
            json!({"drawing": {"shapes": [{"kind": {"annulus": {"center": {"x": 0.0, "y": 0.0}, "inner": 2.0, "outer": 1.0}},
            "label": "", "style": null}]}}),
            "ring",
        ),
        (json!({"space": {"axes": null, "solids": [], "phi": null, "theta": null, "caption": ""}}), "empty space"),
        (json!({"bullets": {"items": []}}), "items"),
    ];
    for (kind, expected) in kinds {
        let broken = check(&replaced(&action(0, 0, "show/kind"), kind.clone())).expect_err(&kind.to_string());
        assert!(broken.contains(expected), "{kind}: {broken}");
    }
}
