//! Lessons, plans and programs as people and models really write them: each kind has a document in `tests/fixtures/as-written`, and here
//! stands what is right for it. And one invariant for all documents: no word or number is lost silently.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use planner_wasm::storyboard::{Action, Bullet, Document, Element, ElementKind, RichText, SceneKind, Span, Storyboard};
use proptest::prelude::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

fn document(path: &Path) -> Document {
    Document { name: path.file_name().unwrap().to_str().unwrap().to_owned(), bytes: std::fs::read(path).unwrap() }
}

fn planned(name: &str) -> Storyboard {
    let document = document(&Path::new(FIXTURES).join("as-written").join(name));
    planner_wasm::plan(&document).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"))
}

fn of_text(name: &str, text: &str) -> Storyboard {
    planner_wasm::plan(&Document { name: name.to_owned(), bytes: text.as_bytes().to_vec() })
        .unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"))
}

fn rich(text: &RichText) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) => text.clone(),
        Span::Strong(text) => format!("**{text}**"),
        Span::Emphasis(text) => format!("*{text}*"),
        Span::Code(text) => format!("`{text}`"),
        Span::Math(formula) => format!("${}$", formula.latex),
    };
    text.spans.iter().map(span).collect()
}

/// Milliseconds that a scene's first beats last, words and silence.
fn lasts(storyboard: &Storyboard, scene: usize, beats: usize) -> u64 {
    storyboard.scenes[scene].planned_ms().iter().take(beats).sum()
}

#[test]
fn marks_of_bold_words_without_their_other_one_are_neither_shown_nor_heard() {
    for (text, said) in [
        ("We [** list the colours **] of it.", "We [ list the colours ] of it."),
        ("We (** choose *one* `x` of it **) here.", "We ( choose one x of it ) here."),
        ("*** Entropy *** is what is sought.", "Entropy is what is sought."),
        ("**NOTE: it *is* there. **", "NOTE: it is there."),
        ("It is **so.", "It is so."),
        ("It is $B$**-smooth** now.", "It is B-smooth now."),
        // What its author means as stars, and an operator.
        ("It is \\*\\*so.", "It is **so."),
        ("Take 2 ** 3 here, or a**b.", "Take 2 ** 3 here, or a**b."),
    ] {
        let storyboard = of_text("a.md", &format!("# A\n\n## B\n\n{text}\n"));
        let heard: Vec<&str> = storyboard.scenes[1].beats.iter().map(|beat| beat.narration.as_str()).collect();
        assert_eq!(heard.join(" ").replace("  ", " "), said, "{text}");
    }
}

#[test]
fn the_only_heading_is_no_title_when_the_lesson_began_before_it() {
    let text = "Charges attract each other.\n\n$$F = k q$$\n\n## Balance\n\nIt is stable.\n";
    let storyboard = of_text("Law of Coulomb.md", text);
    assert_eq!(storyboard.title, "Law of Coulomb");
    assert_eq!(storyboard.scenes.last().unwrap().heading, "Balance");
    assert_eq!(of_text("Law of Coulomb.md", "## Balance\n\nIt is stable.\n").title, "Balance");
    assert_eq!(of_text("notes.md", text).title, "Balance");
}

#[test]
fn loud_words_are_no_markup() {
    let told = |text: &str| {
        let storyboard = of_text("a.md", &format!("# A\n\n{text}\n"));
        storyboard.warnings.iter().any(|warning| warning.code == "plan.markup_spoken")
    };
    assert!(!told("Please remember!!! It counts."));
    assert!(told("It is {% so."));
}

#[test]
fn what_is_shown_stands_long_enough_however_late_it_comes() {
    // 1.5 s and 0.25 s for each of eight units, after the heading and before the end.
    let plots = |plots: &str| of_text("a.md", &format!("# A\n\n## B\n\n{plots}Look.\n"));
    let one = plots("```plot\ny = x\n```\n\n");
    assert!((5_000..5_200).contains(&lasts(&one, 1, 100)), "{one:#?}");
    // Of two, each has its time.
    let two = plots("```plot\ny = x\n```\n\n```plot\ny = 2x\n```\n\n");
    assert!((8_500..8_700).contains(&lasts(&two, 1, 100)), "{two:#?}");
    // More than one beat may be silent for is silence in several.
    let words = "word ".repeat(600);
    let long = of_text(
        "a.json",
        &format!(
            r#"{{"title": "T", "scenes": [{{"narration": "Look.", "elements": [{{"type": "text", "content": "{words}"}}]}}]}}"#
        ),
    );
    let scene = long
        .scenes
        .iter()
        .position(|scene| scene.beats.iter().any(|beat| !beat.actions.is_empty() && !beat.narration.is_empty()));
    let scene = scene.unwrap();
    assert!(
        lasts(&long, scene, 100) >= 151_000 && long.scenes[scene].beats.iter().all(|beat| beat.pause_ms <= 60_000),
        "{long:#?}"
    );
}

/// An element as a line.
fn line(kind: &ElementKind) -> String {
    match kind {
        ElementKind::Text(text) => format!("text {}", rich(text)),
        ElementKind::Callout(text) => format!("callout {}", rich(text)),
        ElementKind::Bullets(list) => {
            let item = |item: &Bullet| {
                let number = item.number.map(|number| format!("{number}. ")).unwrap_or_default();
                format!("[{}{number}{}]", "-".repeat(item.level as usize), rich(&item.text))
            };
            format!("list {}", list.items.iter().map(item).collect::<Vec<_>>().join(""))
        }
        ElementKind::Equation(equation) => format!("equation {}", equation.formula.latex.replace('\n', " ")),
        ElementKind::Code(code) => format!("code {} {}", code.language, code.text),
        ElementKind::Table(table) => {
            let row = |cells: &[RichText]| cells.iter().map(rich).collect::<Vec<_>>().join("|");
            let rows = table.rows.iter().map(|cells| row(&cells.cells));
            format!("table {}", std::iter::once(row(&table.header)).chain(rows).collect::<Vec<_>>().join("/"))
        }
        ElementKind::Image(image) => format!("image {} {} {}", image.source, image.alt, image.caption),
        ElementKind::Placeholder(holder) => format!("placeholder {} {}", holder.label, holder.detail),
        ElementKind::Graph(graph) => {
            let nodes: Vec<String> = graph.nodes.iter().map(|node| format!("{}={}", node.id, node.label)).collect();
            let edges: Vec<String> =
                graph.edges.iter().map(|edge| format!("{}>{}:{}", edge.from, edge.to, edge.label)).collect();
            format!("graph {} | {}", nodes.join(" "), edges.join(" "))
        }
        ElementKind::Chart(chart) => {
            let bars: Vec<String> = chart.bars.iter().map(|bar| format!("{}={}", bar.label, bar.value)).collect();
            format!("chart {} {}", chart.caption, bars.join(" "))
        }
        other => serde_json::to_string(other).unwrap(),
    }
}

fn elements(storyboard: &Storyboard) -> Vec<&Element> {
    let beats = storyboard.scenes.iter().flat_map(|scene| &scene.beats);
    beats.flat_map(|beat| &beat.actions).filter_map(on_screen).collect()
}

/// The element that an action brings.
fn on_screen(action: &Action) -> Option<&Element> {
    match action {
        Action::Show(element) => Some(element),
        Action::Transform(transform) => Some(&transform.into),
        _ => None,
    }
}

fn shown(storyboard: &Storyboard) -> Vec<String> {
    elements(storyboard).into_iter().map(|element| line(&element.kind)).collect()
}

fn said(storyboard: &Storyboard) -> Vec<&str> {
    let beats = storyboard.scenes.iter().flat_map(|scene| &scene.beats);
    beats.map(|beat| beat.narration.as_str()).filter(|words| !words.is_empty()).collect()
}

fn headings(storyboard: &Storyboard) -> Vec<&str> {
    storyboard.scenes.iter().map(|scene| scene.heading.as_str()).collect()
}

fn warned(storyboard: &Storyboard, code: &str) -> Vec<String> {
    storyboard
        .warnings
        .iter()
        .filter(|one| one.code == code)
        .map(|one| format!("{}: {}", one.place.map_or(0, |place| place.line), one.message))
        .collect()
}

#[track_caller]
fn none_of(texts: &[&str], words: &[&str]) {
    for text in texts {
        for word in words {
            assert!(!text.contains(word), "`{word}` in {text:?}");
        }
    }
}

#[test]
fn displayed_formulas_are_whole_whatever_stands_in_them() {
    let film = planned("display-lone-equals.md");
    assert_eq!(said(&film), ["We solve a system.", "In matrix form it reads", "and has one solution."]);
    assert_eq!(shown(&film).len(), 1);
    assert!(
        shown(&film)[0].starts_with("equation \\begin{bmatrix}") && shown(&film)[0].matches("bmatrix").count() == 6
    );
    assert_eq!(headings(&film), ["Linear systems", "The system"]);
    assert_eq!(
        shown(&planned("display-plus-lines.md")),
        ["equation e^x = 1 + x + \\frac{x^2}{2} + \\frac{x^3}{6} - \\ldots"]
    );
    let film = planned("display-blank-lines.md");
    assert_eq!((shown(&film).len(), said(&film)), (1, vec!["We invert a probability.", "That is Bayes' rule."]));
}

#[test]
fn formulas_are_found_in_all_their_marks() {
    let film = planned("latex-brackets.md");
    none_of(&said(&film), &["\\", "x_", "(x", "$"]);
    assert!(said(&film)[0].starts_with("The population next year is x sub n plus 1 equals r x sub n times"));
    assert!(shown(&film).contains(&"equation x^* = r x^* (1 - x^*)".to_owned()));
    assert_eq!(
        *said(&film).last().unwrap(),
        "Here a is the slope and b the intercept, so y equals a x plus b is the line."
    );
    let film = planned("bare-align.md");
    assert_eq!(shown(&film).iter().filter(|one| one.starts_with("equation")).count(), 2);
    none_of(&said(&film), &["begin", "align", "eqref", "label", "eq:"]);
    let film = planned("inline-double-dollars.md");
    let words = "Let x be a number and y equals x plus 1 its successor, so that y is greater than x holds.";
    assert_eq!(said(&film), [words, "Done with m x plus b."]);
    assert_eq!(shown(&film), ["list [The slope is $m$][The offset is $b$]"]);
    let film = planned("currency-after.md");
    let all = said(&film).join(" ");
    assert!(all.contains("35 dollars ou 40 dollars") && all.contains("6.20 dollars per hour"), "{all}");
    assert!(all.contains("300 equals 1.2 n"), "{all}");
    let film = planned("macros.md");
    assert!(said(&film)[0].contains("f of x plus y equals f of x plus f of y"), "{:?}", said(&film));
    let all = shown(&film).join("\n");
    assert!(
        all.contains("equation \\newcommand{\\vb}[1]{\\mathbf{#1}}\\newcommand{\\R}{\\mathbb{R}}\\vb{y} = A\\,\\vb{x}"),
        "{all}"
    );
    assert!(
        all.contains("x = {-b \\pm \\sqrt{b^2-4ac} \\over 2a}, \\quad {n \\choose k}") && film.warnings.is_empty(),
        "{all}"
    );
}

#[test]
fn a_screen_of_prose_changes_with_its_paragraphs() {
    let paragraph = |n: usize| format!("Paragraph {n} begins. {}\n\n", "It goes on with more words. ".repeat(12));
    let prose: String = (1..5).map(paragraph).collect();
    for (text, scene) in [(format!("# T\n\n{prose}"), 1), (format!("# T\n\nShort.\n\n## S\n\n{prose}"), 1)] {
        let storyboard = of_text("a.md", &text);
        assert_eq!(storyboard.scenes[0].beats.len(), 1, "{storyboard:#?}");
        for (n, beat) in storyboard.scenes[scene].beats.iter().enumerate() {
            let new = beat.actions.iter().filter_map(on_screen).map(|element| line(&element.kind)).collect::<Vec<_>>();
            assert_eq!(new, [format!("text Paragraph {} begins.", n + 1)]);
            // One sentence at a time.
            assert_eq!(beat.actions.contains(&Action::Clear), n > 0, "{beat:?}");
        }
    }
}

#[test]
fn words_wait_for_what_stands_before_them() {
    let cell = |code: &str, out: &str| {
        format!(
            r#"{{"cell_type": "code", "source": "{code}", "outputs": [{{"output_type": "stream", "name": "stdout", "text": "{out}"}}]}}"#
        )
    };
    let words = |words: &str| format!(r#"{{"cell_type": "markdown", "source": "{words}"}}"#);
    let cells = [
        words("# Arrays\\n\\n## Single elements"),
        cell("x1", "[5 0 3]"),
        cell("x1[0]", "5"),
        cell("x1[4]", "7"),
        words("To index from the end. You can use negative indices:"),
        cell("x1[-1]", "9"),
    ];
    let film = of_text("a.ipynb", &format!(r#"{{"nbformat": 4, "metadata": {{}}, "cells": [{}]}}"#, cells.join(",")));
    let beats = || film.scenes.iter().flat_map(|scene| &scene.beats);
    let with = |wanted: &str| {
        let shows = |action: &Action| on_screen(action).is_some_and(|element| line(&element.kind) == wanted);
        beats().position(|beat| beat.actions.iter().any(shows)).unwrap()
    };
    let spoken = beats().position(|beat| beat.narration.starts_with("To index")).unwrap();
    assert_eq!((with("code text 5") + 1, spoken), (spoken, with("code python x1[4]")), "{:#?}", film.scenes);
    assert_eq!(with("code text 7"), spoken);
    assert!(with("code python x1[-1]") > spoken);
}

#[test]
fn files_without_a_title_have_that_of_their_name() {
    let text = "## Definition\n\nWords.\n\n## Theorem\n\nWords.\n";
    assert_eq!(of_text("Metric spaces.md", text).title, "Metric spaces");
    assert_eq!(of_text("index.md", text).title, "Definition");
    assert_eq!(of_text("Metric spaces.md", "## Definition\n\nWords.\n").title, "Definition");
}

#[test]
fn tables_of_pages_hold_together() {
    let film = of_text(
        "a.md",
        "# A long<br>title\n\n## B<br/>C\n\n| What<br>for | d |\n| --- | --- |\n| 1<br>2 | 3 |\n| `a|b` | keep |\n| 4 | 5 | 6 |\n\nSo.\n",
    );
    assert_eq!(headings(&film), ["A long title", "B C"]);
    assert_eq!(shown(&film), ["table What for|d|/1 2|3|/`a|b`|keep|/4|5|6"]);
    assert_eq!(said(&film), ["So."]);
    assert!(
        warned(&film, "plan.cannot_draw")[0].starts_with("9: a row of the table has 3 cells"),
        "{:?}",
        film.warnings
    );
}

#[test]
fn the_language_is_noticed_and_taken() {
    let film = planned("no-language-russian.md");
    assert_eq!(film.language, "ru");
    assert!(!said(&film).join(" ").contains("ampere"));
    let film = planned("lang-key.md");
    assert_eq!((film.language.as_str(), said(&film)), ("de", vec!["Heute sind es 22,1 Grad Celsius."]));
    let words = "---\nlang: en\n---\n# A\n\nСила тока прямо пропорциональна напряжению.\n";
    assert_eq!(warned(&of_text("a.md", words), "plan.language_differs").len(), 1);
}

#[test]
fn what_is_shown_stands_long_enough_to_be_read() {
    for (name, least) in [("pacing.md", [4_500, 7_000, 2_500].as_slice()), ("pacing-steps.md", &[6_000])] {
        let film = planned(name);
        for (scene, least) in film.scenes.iter().skip(1).zip(least) {
            let ms: u64 = scene.planned_ms().iter().sum();
            assert!(ms >= *least, "{name}: {} stands {ms} ms", scene.heading);
        }
    }
}

#[test]
fn front_matter_of_tools_is_no_error() {
    let film = planned("front-matter-marp.md");
    assert_eq!(warned(&film, "plan.unknown_setting"), ["4: `theme` was left out: it is none of dark, light"]);
    assert_eq!(headings(&film), ["Thermodynamics", "Introduction", "First law", "Second law", "Thank you"]);
    assert!(said(&film).contains(&"ask for examples"), "speaker notes are spoken: {:?}", said(&film));
    assert_eq!(warned(&planned("front-matter-others.md"), "plan.unknown_setting").len(), 5);
    assert_eq!(planned("front-matter-others.md").language, "en");
    let film = planned("deep-headings-only.md");
    assert_eq!(headings(&film), ["Photosynthesis", "Light reactions", "Dark reactions"]);
    assert_eq!(of_text("my-notes.md", "Words without a heading.\n").title, "My notes");
}

#[test]
fn dialects_are_read_as_they_are_meant() {
    let film = planned("mkdocs-admonition.md");
    let all = shown(&film).join("\n");
    assert!(all.contains("callout **Remember:** Divide numerator and denominator by the **same** number."), "{all}");
    assert!(all.contains("callout **Worked example:**\nlist [1. Take $\\frac{12}{18}$.][2. Divide by six.]"), "{all}");
    assert!(all.contains("text **Method A**") && all.contains("text **Method B**") && !all.contains("code"), "{all}");
    none_of(&said(&film), &["Remember", "!!!", "===", "annotate", "{"]);
    let film = planned("obsidian.md");
    let all = shown(&film).join("\n");
    assert_eq!(said(&film)[0], "See Rolle's theorem and the derivative first.");
    assert!(
        all.contains("image mvt-picture.png")
            && all.contains("callout **Mean value theorem:** Let")
            && all.contains("callout **Folded:**"),
        "{all}"
    );
    none_of(&said(&film), &["[[", "%%", "#", "^", "==", "to do", "week3"]);
    let film = planned("colon-fences.md");
    let all = shown(&film).join("\n");
    assert!(
        all.contains("callout **Units:** Voltage is measured") && all.contains("callout **Careful:** Never"),
        "{all}"
    );
    assert!(!all.contains("placeholder"), "{all}");
    none_of(&said(&film), &["import", "Tabs", "<", ":::", "details", "summary"]);
    let film = planned("rmarkdown.md");
    let all = shown(&film).join("\n");
    assert!(all.contains("code r x <- rnorm") && !all.contains("knitr") && !all.contains("hist("), "{all}");
    assert!(
        headings(&film)
            .iter()
            .all(|one| ["Confidence intervals", "Sampling", "The interval", "Exercises"].contains(one)),
        "{:?}",
        headings(&film)
    );
    none_of(&said(&film), &["`r", "r round", "@", "newpage", "student1908", ":::", "{", "callout"]);
    let film = planned("jekyll.md");
    let all = shown(&film).join("\n");
    assert!(all.contains("code python pairs = {"), "{all}");
    none_of(&said(&film), &["include", "{", "toc", "TOC", "site", "highlight", "page.date"]);
    assert!(warned(&film, "plan.image_not_usable")[0].contains("assets/dna.png"), "{:?}", film.warnings);
    let film = planned("small-marks.md");
    let all = said(&film).join(" ");
    assert!(all.contains("This is highlighted, this is struck, and this inserted; H 2 O and x squared too."), "{all}");
    none_of(&said(&film), &["==", "++", "rocket", "smile", "@knuth", "~"]);
}

#[test]
fn html_is_what_it_says() {
    let film = planned("html-layout.md");
    let all = shown(&film).join("\n");
    assert_eq!(film.title, "Electric circuits");
    assert!(all.contains("table Law|Meaning/KCL|currents") && !all.contains("placeholder"), "{all}");
    assert!(said(&film).iter().any(|words| words.starts_with("The sum of all currents")), "{:?}", said(&film));
    none_of(&said(&film), &["<", "div", "script", "iframe"]);
    let film = planned("jupyter-dataframe.md");
    let all = shown(&film).join("\n");
    assert!(
        all.contains("table |x|y/0|1|2") && all.contains("equation \\hat\\beta") && !all.contains("dataframe"),
        "{all}"
    );
    let film = planned("sup-sub.md");
    let all = said(&film).join(" ");
    assert!(all.contains("6.02 times 10 to the power of 23 per mole"), "{all}");
    let all = shown(&film).join("\n");
    assert!(all.contains("10⁻³ is a thousandth") && all.contains("6.63 × 10⁻³⁴ J s") && all.contains("SO₄²⁻"), "{all}");
    let all = said(&planned("less-than-in-text.md")).join(" ");
    for words in ["vector<int>", "List<String>", "if x<y and y>z", "<p>", "<img>", "<Enter>"] {
        assert!(all.contains(words), "{words}: {all}");
    }
    let all = said(&planned("unicode-powers.md")).join(" ");
    for words in [
        "6.63 times 10 to the power of minus 34",
        "6.02 times 10 to the power of 23",
        "10 to the power of minus 9 metres",
        "2 to the power of 10 is",
        "12 square metres",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
    none_of(&[&all], &["⁻", "²", "³", "ⁿ", "₄"]);
}

#[test]
fn commands_of_packages_are_known_and_formulas_spoken_as_in_a_lecture() {
    let film = planned("packages.md");
    let all = shown(&film);
    assert!(all.len() == 10 && all.iter().all(|one| one.starts_with("equation ")), "{all:?}");
    assert!(film.warnings.is_empty(), "{:?}", film.warnings);
    let all = said(&planned("spoken-formulas.md")).join(" ");
    for words in [
        "O of n log n",
        "O of log n",
        "O of 1",
        "O of n squared",
        "theta of n",
        "P of A and B",
        "E of X",
        "log n",
        "n choose k",
        "metres per second squared",
        "the size of S",
        "The vector v",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
}

/// A lesson that is written here.
fn lesson(text: &str) -> Storyboard {
    planner_wasm::plan(&Document { name: "lesson.md".to_owned(), bytes: text.as_bytes().to_vec() }).unwrap()
}

#[test]
fn macros_hold_for_later_formulas_wherever_they_stand() {
    let film = lesson(
        "---\nheader-includes:\n  - \\newcommand{\\E}{\\mathbb{E}}\n---\n# A\n\n## B\n\n$$\\E[X]$$\n\n\
         ```math\n\\def\\v{\\mathbf{v}}\n```\n\n```math\n\\v + 1\n```\n\nThe vector $\\v$ of $\\R$.\n\n\
         \\newcommand{\\R}{\\mathbb{R}}\n\nNow $x \\in \\R$.\n",
    );
    assert_eq!(
        shown(&film),
        [r"equation \newcommand{\E}{\mathbb{E}}\E[X]", r"equation \newcommand{\v}{\mathbf{v}}\v + 1",]
    );
    assert_eq!(said(&film), ["The vector v of R.", "Now x in R."]);
    assert!(film.warnings.is_empty(), "{:?}", film.warnings);
}

#[test]
fn references_are_the_numbers_of_their_formulas() {
    let film = lesson(
        "# A\n\n## B\n\n$$a \\label{eq:a}$$\n\n\\begin{equation}\nb\n\\label{eq:b}\n\\end{equation}\n\n$$c \\label{eq:c}$$\n\n\
         By \\eqref{eq:c}, and by equation \\ref{eq:b}, so $d \\overset{\\eqref{eq:b}}{=} e$.\n",
    );
    assert_eq!(shown(&film), ["equation a", "equation b \\tag{1}", "equation c \\tag{2}"]);
    assert_eq!(said(&film).join(" "), "By (2), and by equation 1, so d equals (1) e.");
}

#[test]
fn a_formula_that_is_only_spoken_tells_what_it_lacks() {
    let film = lesson("# A\n\n## B\n\nWords, and then $\\nosuch{x} + 1$.\n");
    let told = warned(&film, "plan.formula_in_part");
    assert!(told.len() == 1 && told[0].contains("nosuch"), "{told:?}");
}

#[test]
fn diagrams_are_graphs_charts_or_their_source() {
    let all = shown(&planned("mermaid-labels.md")).join("\n");
    assert!(
        all.contains("A=Weigh the sample B=Is it dry? C=Divide by M D=moles E=E | A>B: B>C:yes B>A:no C>D: C>E:"),
        "{all}"
    );
    let film = planned("mermaid-other-kinds.md");
    let all = shown(&film).join("\n");
    assert!(all.contains("code mermaid sequenceDiagram") && all.contains("chart Pets Dogs=386 Cats=85"), "{all}");
    assert_eq!(warned(&film, "plan.cannot_draw").len(), 1);
}

#[test]
fn emphasis_lists_and_screens_hold_together() {
    let film = planned("cjk-bold.md");
    none_of(&said(&film), &["*"]);
    assert!(shown(&film).join("\n").contains("**定义：**斜边"), "{:?}", shown(&film));
    assert_eq!(
        shown(&planned("list-continuation.md")),
        [
            "list [1. The law says that $F = m a$ where $m$ is the mass.][2. It holds for every body: and in every direction.][-at rest][-in motion]",
            "list [☐ Task with text More about the task.]",
        ]
    );
    let film = planned("words-on-wrong-screen.md");
    let beats = film.scenes[1].beats.iter();
    let beat = beats.clone().find(|beat| beat.narration.starts_with("It is the displacement")).unwrap();
    let on =
        |action: &Action| matches!(action, Action::Show(element) if line(&element.kind) == "text **Mean velocity**");
    assert!(beat.actions.iter().any(on), "{:?}", beat.actions);
    let film = planned("rtl-table.md");
    assert_eq!(film.language, "he");
}

#[test]
fn plans_say_and_show_what_they_have() {
    let film = planned("plan-lecture-lines.json");
    assert_eq!(film.scenes.len(), 4);
    assert!(matches!(film.scenes[0].kind, SceneKind::TitleCard));
    assert!(
        said(&film)[0].starts_with("Mathematics has five fundamental constants")
            && said(&film)[0].ends_with("unites them.")
    );
    let film = planned("plan-on-screen-text.json");
    assert_eq!(film.title, "Photosynthesis in 60 seconds");
    assert_eq!(
        shown(&film),
        [
            "text Where does oxygen come from?",
            "text 6CO2 + 6H2O → C6H12O6 + 6O2",
            "list [Light reactions][Calvin cycle]"
        ]
    );
    assert!(warned(&film, "plan.left_out").iter().any(|one| one.contains("visual_description")));
    let film = planned("plan-scene-keys.json");
    let all = shown(&film).join("\n");
    for part in [
        "text S = k ln W",
        "equation S = k \\ln W",
        "list [micro states][macro states]",
        "code  print('S')",
        "list [one][two]",
        "equation E=mc^2",
        "equation p=mv",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!all.contains("gas molecules"), "{all}");
    for words in ["Only text here, to be spoken or shown.", "A line of dialogue.", "This is what the narrator says."] {
        assert!(said(&film).contains(&words), "{words}: {:?}", said(&film));
    }
    let film = planned("plan-description-heading.json");
    assert!(!headings(&film).contains(&"Show two groups merging"), "{:?}", headings(&film));
    let film = planned("ssml.json");
    none_of(&said(&film), &["<", "bookmark", "break", "pause", "beat", "speak", "emphasis", "smiles"]);
    assert!(said(&film)[1].starts_with("Think about it. What is the circumference?"), "{:?}", said(&film));
}

#[test]
fn programs_say_what_their_voiceovers_say() {
    let film = planned("manim-voiceover.py");
    assert_eq!(
        said(&film),
        [
            "First we draw a circle of radius one.",
            "Then it doubles in size.",
            "The square moves three units to the left."
        ]
    );
    assert_eq!(warned(&planned("manim-old.py"), "plan.other_manim").len(), 1);
    let film = planned("docstring-args.py");
    none_of(&said(&film), &["Args", "none", "narration"]);
    assert_eq!(said(&film).len(), 3, "{:?}", said(&film));
    assert_eq!(said(&planned("manim-loop.py")), ["We count to twelve."]);
}

#[test]
fn notebooks_are_lessons_with_programs_and_outputs() {
    let film = planned("notebook.ipynb");
    assert_eq!((film.title.as_str(), headings(&film)), ("Fitting a line", vec!["Fitting a line", "The data"]));
    assert_eq!(said(&film), ["We fit y equals a x plus b to three points.", "Two rows are enough to see it."]);
    let all = shown(&film).join("\n");
    assert!(
        all.contains("code python import pandas")
            && all.contains("table |x|y/0|1|2/1|2|4")
            && all.contains("code text slope 2.0"),
        "{all}"
    );
    assert!(!all.contains("secret") && !all.contains("dataframe"), "{all}");
    assert_eq!(warned(&film, "plan.image_not_usable").len(), 1);
}

#[test]
fn components_of_pages_leave_their_words() {
    let film = planned("mdx-page.mdx");
    assert_eq!(headings(&film), ["Mixing"]);
    assert_eq!(
        said(&film),
        [
            "Green light and red light together look yellow.",
            "Paint",
            "Paint takes light away.",
            "Light",
            "Light adds up.",
            "Screens use RGB.",
        ]
    );
    assert_eq!(
        shown(&film).iter().filter(|one| one.starts_with("code")).collect::<Vec<_>>(),
        ["code js mix(\"red\", \"green\");\n  // brown"]
    );
    assert_eq!(warned(&film, "plan.left_out").len(), 1, "what the abbreviation stands for: {:?}", film.warnings);
    assert!(warned(&film, "plan.markup_spoken").is_empty(), "{:?}", film.warnings);
}

#[test]
fn questions_of_lessons_are_asked_and_answered() {
    let film = planned("liascript-quiz.md");
    let words = said(&film);
    let at = |wanted: &str| {
        words.iter().position(|words| words.starts_with(wanted)).unwrap_or_else(|| panic!("{wanted}: {words:?}"))
    };
    assert!(at("What does a fish") < at("B. gills") && at("It keeps water") < at("dam"), "{words:?}");
    assert!(at("dam") < at("A wall that holds"), "{words:?}");
    assert_eq!(*words.last().unwrap(), "Water is wet / dry here, and a film shows it.");
    let all = shown(&film);
    assert!(all.contains(&"list [A. lungs][B. gills][C. leaves]".to_owned()), "{all:?}");
    assert!(all.contains(&"callout B. gills".to_owned()) && all.contains(&"callout dam".to_owned()), "{all:?}");
    let moments = film
        .scenes
        .iter()
        .flat_map(|scene| &scene.beats)
        .filter(|beat| beat.narration.is_empty() && beat.pause_ms >= 4_000);
    assert!(moments.count() >= 2, "a moment to think before each answer");
}

#[test]
fn divisions_and_tables_of_books_are_what_they_say() {
    let film = planned("quarto-divs.qmd");
    let all = shown(&film).join("\n");
    assert!(all.contains("callout **Mind the angle:** Only right triangles obey it."), "{all}");
    assert!(all.contains("callout **Pythagoras:** The squares add up."), "{all}");
    assert!(all.contains("equation a = 3 \\tag{1.2}"), "{all}");
    assert!(said(&film).contains(&"Written in small capitals, it reads the same now."), "{:?}", said(&film));
    none_of(&said(&film), &["1.2", "eq-sides", "{", "]"]);
    let film = planned("myst-tables.md");
    let all = shown(&film);
    assert!(all.contains(&"table Fruit|Price/Apple|3".to_owned()), "{all:?}");
    assert!(all.contains(&"table Day|Sold, in all/Monday|12".to_owned()), "{all:?}");
    assert!(all.contains(&"text **Storage**".to_owned()), "{all:?}");
    assert_eq!(said(&film), ["What fruit costs", "Keep apples cool.", "The price grows with the number."]);
    let film = planned("jekyll-links.md");
    assert_eq!(said(&film), ["Read the first part and the map before.", "A river flows downhill."]);
    let all = shown(&film);
    assert!(all.contains(&"image spring.png A spring in the hills ".to_owned()), "{all:?}");
    assert!(all.contains(&"equation Q = A v".to_owned()), "{all:?}");
    assert!(
        warned(&film, "plan.left_out").iter().any(|one| one.contains("table of contents with 3")),
        "{:?}",
        film.warnings
    );
}

#[test]
fn forces_on_a_body_are_arrows() {
    for (name, labels) in
        [("forces.md", ["sledge", "mg", "N", "friction"]), ("plan-free-body.json", ["block", "mg", "N", "F"])]
    {
        let film = planned(name);
        let drawings = elements(&film).into_iter().filter_map(|element| match &element.kind {
            ElementKind::Drawing(drawing) => Some(drawing),
            _ => None,
        });
        let found: Vec<Vec<&str>> = drawings
            .map(|drawing| {
                drawing.shapes.iter().map(|shape| shape.label.as_str()).filter(|label| !label.is_empty()).collect()
            })
            .collect();
        assert_eq!(found, [labels.to_vec()], "{name}");
        assert!(film.warnings.is_empty(), "{name}: {:?}", film.warnings);
    }
    assert_eq!(said(&planned("plan-free-body.json")), ["Two forces are in balance."]);
}

#[test]
fn flowcharts_are_read_in_all_their_forms() {
    let film = planned("mermaid-forms.md");
    assert_eq!(
        shown(&film),
        ["graph ice=Ice water=Water at 0 °C warm=Warm & wet steam=Steam one=Above freezing air=Air lost=Lost | \
             ice>water: water>warm:heat it warm>steam: one>air: ice>lost: water>lost:"]
    );
    assert!(film.warnings.is_empty(), "{:?}", film.warnings);
}

#[test]
fn what_is_set_apart_in_an_item_is_no_item() {
    let film =
        lesson("# A\n\n## B\n\n1. Do this\n\n   ```python\n   x = 1\n   ```\n\n   and look at it.\n\n2. Do that\n");
    assert_eq!(shown(&film), ["list [1. Do this]", "code python x = 1", "text and look at it.", "list [2. Do that]"]);
}

#[test]
fn short_lessons_are_in_their_language() {
    for (text, language) in [
        ("# Légende\n\n## Courant\n\n- tension\n- courant\n\nLe courant est donné par la loi.\n", "fr"),
        ("# Lezione 1\n\n## Funzioni\n\nUna funzione associa ad ogni x un y.\n", "it"),
        ("# Sets\n\n## De Morgan\n\nNot A or B.\n", "en"),
    ] {
        assert_eq!(lesson(text).language, language, "{text}");
    }
}

#[test]
fn a_lesson_that_lies_elsewhere_is_announced() {
    let film = lesson("---\ntitle: Duality\ndescription: A very clever proof with trees.\nvideo: \"abc\"\n---\n");
    assert_eq!((film.title.as_str(), said(&film)), ("Duality", vec!["A very clever proof with trees."]));
    assert_eq!(warned(&film, "plan.empty_scene").len(), 1, "{:?}", film.warnings);
}

#[test]
fn marks_in_code_are_meant() {
    let film =
        lesson("# A\n\n## B\n\nThe operator `[[` selects one, and `{{ }}` embraces.\n\nBut [[this is no link.\n");
    let told = warned(&film, "plan.markup_spoken");
    assert!(told.len() == 1 && told[0].starts_with("7: `[[`"), "{told:?}");
}

/// All that is seen, heard or told of a storyboard, in lower case.
fn told(storyboard: &Storyboard) -> String {
    let mut all = format!("{} ", storyboard.title);
    for scene in &storyboard.scenes {
        all.push_str(&format!("{} ", scene.heading));
        scene.beats.iter().for_each(|beat| all.push_str(&format!("{} ", beat.narration)));
    }
    elements(storyboard).into_iter().for_each(|element| all.push_str(&format!("{} ", line(&element.kind))));
    storyboard.warnings.iter().for_each(|warning| all.push_str(&format!("{} ", warning.message)));
    all.to_lowercase()
}

/// The words of a lesson: what is no formula, tag, template, address, attribute or front matter. Such marks of a dialect have tests of their own.
fn words(text: &str) -> Vec<String> {
    let mut text = text.to_owned();
    if let Some(rest) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---")) {
        text = rest.1.to_owned();
    }
    text = text
        .lines()
        .filter(|line| !line.starts_with("import ") && !line.starts_with("export "))
        .collect::<Vec<_>>()
        .join("\n");
    let mut out = String::new();
    let mut rest = text.as_str();
    let skipped = [
        ("<!--", "-->"),
        ("{{", "}}"),
        ("{%", "%}"),
        ("%%", "%%"),
        ("$$", "$$"),
        ("$", "$"),
        ("\\[", "\\]"),
        ("\\(", "\\)"),
        ("](", ")"),
        ("<", ">"),
        ("{", "}"),
        ("[@", "]"),
        ("[^", "]"),
    ];
    while let Some(c) = rest.chars().next() {
        let skip = skipped.iter().find_map(|(open, close)| {
            let inside = rest.strip_prefix(open)?;
            let end = inside.find(close).filter(|end| *end < 400)?;
            Some(open.len() + end + close.len())
        });
        match skip {
            Some(length) => {
                out.push(' ');
                rest = &rest[length..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    let word = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    out.split(|c: char| !c.is_alphanumeric())
        .map(word)
        .filter(|word| word.chars().count() > 2 && word.is_ascii())
        .collect()
}

#[test]
fn no_word_of_a_fixture_is_lost_silently() {
    // Words that are marks: names of languages and call-outs, settings of fences, words of HTML.
    let marks = [
        "import",
        "export",
        "note",
        "info",
        "danger",
        "tip",
        "warning",
        "caution",
        "important",
        "toc",
        "newpage",
        "begin",
        "end",
        "align",
        "equation",
        "label",
        "eqref",
        "eq",
        "newcommand",
        "mathbb",
        "mathbf",
        "graph",
        "style",
        "class",
        "classdef",
        "mermaid",
        "python",
        "bash",
        "jsx",
        "live",
        "setup",
        "include",
        "false",
        "echo",
        "rocket",
        "smile",
        "png",
        "fff",
        "details",
        "summary",
        "example",
        "todo",
        "week3",
        "analysis",
        "key",
        "point",
        "remark",
        "fig",
        "cap",
        "knitr",
        "dataframe",
        "tbody",
        "only",
        "type",
        "hist",
        "round",
        "see",
        "figure",
        "ref",
        "amp",
        "copy",
        "x1f600",
        "alert",
        "never",
        "run",
    ];
    let folders = ["lessons", "as-written"].map(|folder| Path::new(FIXTURES).join(folder));
    let files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "md"))
        .collect();
    assert!(files.len() > 50);
    let mut all = Vec::new();
    for path in files {
        let document = document(&path);
        let text = String::from_utf8_lossy(&document.bytes).replace('\r', "");
        let storyboard = planner_wasm::plan(&document).unwrap();
        let told = told(&storyboard);
        // Programs and drawings are read by rules of their own.
        let fenced = text.split("```").step_by(2).collect::<Vec<_>>().join(" ");
        let lost: Vec<String> = words(&fenced)
            .into_iter()
            .filter(|word| !told.contains(word.as_str()) && !marks.contains(&word.as_str()))
            .collect();
        let most = if storyboard
            .warnings
            .iter()
            .any(|one| one.code == "plan.text_cut" || one.code == "plan.nested_too_deep")
        {
            usize::MAX
        } else {
            2
        };
        if lost.len() > most {
            all.push(format!("{}: {lost:?}", document.name));
        }
    }
    assert!(all.is_empty(), "{all:#?}");
}

/// One stretch of a document, whose words are numbered.
fn stretch() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "# W W\n\n",
        "## W\n\n",
        "### W W\n\n",
        "W W W.\n\n",
        "W **W** *W* `W` ==W== W.\n\n",
        "- W\n- W W\n\n",
        "1. W\n\n   W W\n\n2. W\n\n",
        "> W W\n\n",
        "> [!note] W\n> W W\n\n",
        "!!! tip \"W\"\n    W W\n\n",
        "??? W\n    W\n\n",
        ":::info W\nW W\n:::\n\n",
        "::: {.callout-note}\nW\n:::\n\n",
        "=== \"W\"\n\n    W W\n\n",
        "| W | W |\n| - | - |\n| W | W |\n\n",
        "W [W](https://example.org) W\n\n",
        "[[W]] and [[a/b|W]] W\n\n",
        "<div>\n\nW W\n\n</div>\n\n",
        "<p>W <b>W</b> W</p>\n\n",
        "<table><tr><th>W</th><th>W</th></tr><tr><td>W</td><td>W</td></tr></table>\n\n",
        "<ul><li>W</li><li>W</li></ul>\n\n",
        "W<sup>2</sup> W<br>W\n\n",
        "W vector<int> W<x W\n\n",
        "W $x^2$ W $$y$$ W\n\n",
        "W\n\n$$\nx = 1\n\n+ 2\n$$\n\nW\n\n",
        "W costs $5 or $6 W\n\n",
        "W {.x} W {#id} W\n\n",
        "W\n: W W\n\n",
        "---\n\n",
        "```python\nW = W\n```\n\n",
        "~~~\nW\n~~~\n\n",
        "    W W\n\n",
        "- W\n\n  > W\n\n",
        "W[^1] W\n\n[^1]: W\n\n",
        "* W\n  * W\n    * W\n\n",
        "<details><summary>W</summary>\n\nW\n\n</details>\n\n",
        "{{< note >}}\nW\n{{< /note >}}\n\n",
        "W `r x` W\n\n",
        "**W：**W W\n\n",
        "\\begin{align}\nx &= 1\n\\end{align}\n\nW\n\n",
        "W ~~W~~ H~2~O W\n\n",
        "![W](a.png)\n\n",
        "--{{1}}--\nW W\n\n",
        "W <T> W </T> W\n\n",
        "W & W < W > W\n\n",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_word_is_lost_however_marks_follow_each_other(stretches in prop::collection::vec(stretch(), 1..12)) {
        let mut number = 0;
        let mut text = String::from("# Film\n\nIt begins.\n\n");
        for part in stretches.concat().split_inclusive('W') {
            match part.strip_suffix('W') {
                Some(before) => {
                    number += 1;
                    text.push_str(&format!("{before}word{number}q"));
                }
                None => text.push_str(part),
            }
        }
        let storyboard = planner_wasm::plan(&Document { name: "a.md".to_owned(), bytes: text.clone().into_bytes() }).unwrap();
        let told = told(&storyboard);
        for number in 1..=number {
            let word = format!("word{number}q");
            prop_assert!(told.contains(&word), "{word} is lost:\n{text}\n{told}");
        }
    }

    /// Whatever marks follow each other: a storyboard that the host takes, or a refusal, and twice the same.
    #[test]
    fn no_marks_are_too_much(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40)) {
        let text = pieces.concat();
        for name in ["a.md", "a.json", "a.ipynb", "a.py"] {
            let text = match name {
                "a.json" => format!("{{\"scenes\": [{{\"voiceover\": {0}, \"on_screen_text\": {0}, \"equation\": {0}}}]}}", serde_json::to_string(&text).unwrap()),
                "a.ipynb" => format!("{{\"nbformat\": 4, \"cells\": [{{\"cell_type\": \"markdown\", \"source\": {}}}]}}", serde_json::to_string(&text).unwrap()),
                "a.py" => format!("class A(Scene):\n    \"\"\"{text}\"\"\"\n    def construct(self):\n        self.voiceover(text=\"{text}\")\n"),
                _ => text.clone(),
            };
            let document = Document { name: name.to_owned(), bytes: text.clone().into_bytes() };
            let first = planner_wasm::plan(&document);
            prop_assert_eq!(&first, &planner_wasm::plan(&document));
            if let Ok(storyboard) = first {
                prop_assert!(planner_wasm::check::check(&storyboard).is_ok(), "{text}");
            }
        }
    }
}

/// Marks, and letters of one to four bytes.
const PIECES: &[&str] = &[
    "$",
    "$$",
    "\\",
    "\\(",
    "\\)",
    "\\[",
    "\\]",
    "\\begin{align}",
    "\\end{align}",
    "\\newcommand{\\a}[1]{",
    "\\def\\b",
    "\\over",
    "\\SI{1}",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "</",
    "/>",
    "<b>",
    "</b>",
    "<sup>",
    "</sup>",
    "<table>",
    "<td>",
    "</table>",
    "<li>",
    "<ul>",
    "<pre>",
    "<h1>",
    "</h1>",
    "<img src=",
    "<!--",
    "-->",
    "`",
    "```",
    "~~~",
    "```{note}",
    "```{r}",
    "```mermaid",
    "graph TD",
    "pie",
    "\n",
    "\n\n",
    "\n    ",
    "\n> ",
    "\n- ",
    "\n1. ",
    "# ",
    "## ",
    "### ",
    "---",
    "===",
    "+++",
    ":::",
    "::: note",
    "!!! tip",
    "??? x",
    "=== \"a\"",
    "[[",
    "]]",
    "![[",
    "%%",
    "{{",
    "}}",
    "{%",
    "%}",
    "{{<",
    "==",
    "++",
    "~",
    "^",
    "^[",
    "[^1]",
    ":a:",
    "#t",
    "@fig-a",
    "[@",
    "**",
    "*",
    "_",
    "|",
    "| - | - |",
    "é",
    "直",
    "。",
    "😀",
    "ß",
    "x",
    "7",
    "10⁻³",
    "H₂",
    " ",
    "--{{1}}--",
    "???",
    "Note:",
    "\u{f0000}",
    "\u{10fffd}",
    "\u{200b}",
    "-->|",
    "-- a -->",
    "A[",
    "&",
    ";",
    ": ",
    "$5",
    "&lt;",
    "\"",
    "'",
    "<a href=\"",
    "\\ref{",
    "import a from 'b'",
    "\t",
];

/// Sources of recordings with their beats.
fn recordings(storyboard: &Storyboard) -> Vec<(String, String)> {
    storyboard.recordings.iter().map(|one| (one.source.clone(), one.beats.join(" "))).collect()
}

#[test]
fn recordings_are_of_the_paragraph_that_comes_next() {
    let pair = |source: &str, beats: &str| (source.to_owned(), beats.to_owned());
    let film = lesson(
        "---\nvoice: {recording: ./narration/}\n---\n# A\n\n![voice](a.wav)\n\nFirst words.\n\n## B\n\n![Voice](b.mp3) Words on the same line.\n\n\
         ![voice](<c d.ogg>)\n\n- an item\n\nTwo sentences. They are one paragraph.\n\nNobody has recorded these.\n\n\
         ![voice](voice.png)\n\nMore.\n",
    );
    assert_eq!(film.voice.recording.as_deref(), Some("narration"));
    assert_eq!(recordings(&film), [pair("a.wav", "a-1"), pair("b.mp3", "b-1"), pair("c d.ogg", "b-2")]);
    let of = |id: &str| film.scenes.iter().flat_map(|scene| &scene.beats).find(|beat| beat.id == id).unwrap();
    assert_eq!(of("b-1").narration, "Words on the same line.");
    assert_eq!(of("b-2").narration, "Two sentences. They are one paragraph.");
    assert!(
        shown(&film).iter().any(|one| one.contains("voice.png")),
        "a picture of a voice is a picture: {:?}",
        shown(&film)
    );
    assert!(film.warnings.is_empty(), "{:?}", film.warnings);
    planner_wasm::check::check(&film).unwrap();
    // Words over several screens are parts of one recording.
    let items: String = (1..=20).map(|n| format!("- item number {n} of the list\n")).collect();
    let film =
        lesson(&format!("# A\n\n## B\n\n{items}\n![voice](b.wav)\n\nOne sentence. Another one. A third sentence.\n"));
    let spoken = film.scenes.iter().flat_map(|scene| &scene.beats).filter(|beat| !beat.narration.is_empty());
    let spoken: Vec<&str> = spoken.map(|beat| &*beat.id).collect();
    assert_eq!(recordings(&film), [pair("b.wav", &spoken.join(" "))]);
    let film = lesson(
        "# A\n\n![voice](https://example.org/a.wav)\n\nWords.\n\n![voice](a.txt)\n\n![voice](a.wav)\n\n![voice](b.wav)\n\n- an item\n",
    );
    assert_eq!(
        warned(&film, "plan.left_out"),
        [
            "3: the recording `https://example.org/a.wav` is left out: an address is not fetched; put the file beside the document and name it",
            "7: the recording `a.txt` is left out: it is not a sound file",
            "9: the recording `a.wav` is left out: no paragraph comes after it",
            "11: the recording `b.wav` is left out: no paragraph comes after it",
        ]
    );
}

#[test]
fn themes_have_colours_and_a_logo() {
    let film = lesson(
        "---\ntheme: {background: '#FFF8E7', text: navy, accent: '#c12'}\nlogo: ./pictures/logo.svg\n---\n# A\n\nWords.\n",
    );
    let colours = film.colours.clone().unwrap();
    assert_eq!(
        (colours.background.as_deref(), colours.text.as_deref(), colours.accent.as_deref(), colours.panel),
        (Some("#fff8e7"), Some("#000080"), Some("#cc1122"), None)
    );
    // The rest is that of the theme which suits the ground, unless somebody says which.
    assert_eq!((film.theme.name(), film.logo.as_deref()), ("light", Some("pictures/logo.svg")));
    assert!(film.warnings.is_empty(), "{:?}", film.warnings);
    planner_wasm::check::check(&film).unwrap();
    for (theme, base) in [
        ("{background: white, base: dark}", "dark"),
        ("{base: light}", "light"),
        ("{background: midnight blue}", "dark"),
        ("{text: white}", "dark"),
        ("light", "light"),
    ] {
        let film = lesson(&format!("---\ntheme: {theme}\n---\n# A\n\nWords.\n"));
        assert_eq!((film.theme.name(), film.warnings.len()), (base, 0), "{theme}");
    }
    let film = lesson(
        "---\ntheme:\n  background: #fff8e7\n  text: nocolour\n  font: Inter\n  base: gaia\nlogo: https://example.org/a.png\n---\n# A\n\nWords.\n",
    );
    assert_eq!(film.colours, None);
    assert_eq!(
        warned(&film, "plan.unknown_setting"),
        [
            "3: `theme.background` was left out: it has no value; a colour such as `\"#1a2b3c\"` stands in quotation marks",
            "4: `theme.text` was left out: it is no colour such as `#1a2b3c` or `navy`",
            "5: `theme.font` was left out: a theme has base, background, panel, text, muted, accent, code",
            "6: `theme.base` was left out: it is none of dark, light",
            "7: `logo` was left out: an address is not fetched; put the file beside the document and name it",
        ]
    );
}

#[test]
fn plans_have_the_same_recordings_themes_and_logos() {
    let plan = serde_json::json!({"title": "T", "theme": {"background": "#101820", "accent": "gold"}, "logo": "logo.png",
        "voice": {"recording": "narration/"}, "scenes": [
            {"id": "one", "title": "One", "voiceover": "Words of one.", "recording": "one.wav", "elements": [{"type": "text", "content": "x"}]},
            {"id": "two", "title": "Two", "voiceover": "Words of two.", "recording": "two.txt", "elements": [{"type": "text", "content": "y"}]}]});
    let film = of_text("plan.json", &plan.to_string());
    assert_eq!(recordings(&film), [("one.wav".to_owned(), "one-1".to_owned())]);
    let accent = film.colours.as_ref().and_then(|colours| colours.accent.as_deref());
    assert_eq!(
        (accent, film.logo.as_deref(), film.voice.recording.as_deref()),
        (Some("#ffd700"), Some("logo.png"), Some("narration"))
    );
    let told: Vec<&str> = film.warnings.iter().map(|one| &*one.message).collect();
    assert_eq!(told, ["the recording `two.txt` is left out: it is not a sound file"]);
}

#[test]
fn a_recording_has_beats_of_one_scene_in_their_order() {
    let mut film = lesson("# A\n\nWords.\n\n## B\n\nOne.\n\n- x\n\nTwo.\n\n- y\n\nThree.\n");
    let mut with = |recordings: &[(&str, &[&str])]| {
        film.recordings = recordings
            .iter()
            .map(|(source, beats)| planner_wasm::storyboard::Recording {
                source: (*source).to_owned(),
                beats: beats.iter().map(|beat| (*beat).to_owned()).collect(),
            })
            .collect();
        planner_wasm::check::check(&film).map_err(|error| error.split(" `").next().unwrap_or_default().to_owned())
    };
    assert_eq!(with(&[("a.wav", &["b-1", "b-2"]), ("b.wav", &["b-3"])]), Ok(()));
    for wrong in [
        &[("a.wav", &["b-2", "b-1"][..])][..],
        &[("a.wav", &["a-1", "b-1"])],
        &[("a.wav", &["nowhere"])],
        &[("a.wav", &[])],
        &[("../a.wav", &["b-1"])],
        &[("a.wav", &["b-1"]), ("b.wav", &["b-1"])],
    ] {
        assert!(with(wrong).is_err(), "{wrong:?}");
    }
}
