use super::*;
use crate::document::settings::Settings;
use crate::film::draft::{Draft, Shown, Step, StepKind};
use crate::film::{FilmBuilder, Warnings};
use crate::inline;
use crate::storyboard::{
    Axes, Axis, Bar, Bullet, Bullets, Chart, Curve, CurveKind, Edge, ElementKind, Equation, Formula, Graph, Mark, Node,
    NumberLine, Point, SceneKind, Storyboard, Table, TableRow,
};
use crate::text::plain;

const HERE: Place = Place { line: 1, column: 1 };

fn list(items: &[&str]) -> ElementKind {
    let rich = |text: &&str| inline::rich(inline::of_text(text, HERE), HERE, &mut Warnings::default());
    let item = |text: &&str| Bullet { level: 0, number: None, text: rich(text) };
    ElementKind::Bullets(Bullets { items: items.iter().map(item).collect() })
}

fn equation(latex: &str) -> ElementKind {
    ElementKind::Equation(Equation { formula: Formula { latex: latex.to_owned() }, spoken: Vec::new() })
}

fn code(text: &str) -> ElementKind {
    ElementKind::Code(Code { language: "python".to_owned(), text: text.to_owned(), highlighted: Vec::new() })
}

fn table(rows: &[&[&str]]) -> ElementKind {
    let mut rows = rows.iter().map(|row| row.iter().map(|cell| plain(*cell)).collect::<Vec<_>>());
    let header = rows.next().unwrap_or_default();
    ElementKind::Table(Table { header, rows: rows.map(|cells| TableRow { cells }).collect(), align: Vec::new() })
}

fn axes(labels: &[&str]) -> ElementKind {
    let axis = || Axis { min: 0.0, max: 1.0, step: 1.0, label: String::new() };
    let curve = |label: &&str| Curve {
        label: (*label).to_owned(),
        kind: CurveKind::Points(vec![Point { x: 0.0, y: 0.0 }, Point { x: 1.0, y: 1.0 }]),
        colour: None,
    };
    let curves = labels.iter().map(curve).collect();
    ElementKind::Axes(Axes { x: axis(), y: axis(), curves, caption: String::new(), legend: false })
}

fn graph(nodes: &[&str]) -> ElementKind {
    let node = |label: &&str| Node { id: label.to_lowercase(), label: (*label).to_owned() };
    let edges = vec![Edge { from: nodes[0].to_lowercase(), to: nodes[1].to_lowercase(), label: "7".to_owned() }];
    ElementKind::Graph(Graph { nodes: nodes.iter().map(node).collect(), edges, directed: false, layout: None })
}

fn chart(bars: &[&str]) -> ElementKind {
    let bar = |label: &&str| Bar { label: (*label).to_owned(), value: 1.0 };
    let bars = bars.iter().map(bar).collect();
    ElementKind::Chart(Chart { bars, value_label: String::new(), caption: String::new() })
}

fn marks(labels: &[&str]) -> ElementKind {
    let axis = Axis { min: 0.0, max: 9.0, step: 1.0, label: String::new() };
    let mark = |(at, label): (usize, &&str)| Mark { at: at as f64, label: (*label).to_owned() };
    ElementKind::NumberLine(NumberLine { axis, marks: labels.iter().enumerate().map(mark).collect() })
}

/// The cues of one scene in which each element comes with the words beside it: `item 1 ← these words`, and `+` before what comes then.
fn cues(language: &str, steps: Vec<(Option<ElementKind>, &str)>) -> (Vec<String>, Vec<String>) {
    let storyboard = planned(language, steps);
    let mut found = Vec::new();
    for beat in storyboard.scenes.iter().flat_map(|scene| &scene.beats) {
        let words: Vec<&str> = beat.narration.split_whitespace().collect();
        for cue in &beat.cues {
            let said = words[cue.word as usize..(cue.word + cue.words) as usize].join(" ");
            let sign = if cue.kind == CueKind::Reveal { "+" } else { "" };
            found.push(format!("{sign}{} ← {said}", cue.part.clone().unwrap_or_else(|| cue.target.clone())));
        }
    }
    (found, storyboard.warnings.into_iter().map(|warning| warning.message).collect())
}

fn planned(language: &str, steps: Vec<(Option<ElementKind>, &str)>) -> Storyboard {
    let settings = Settings { language: language.to_owned(), language_is_named: true, ..Settings::default() };
    let mut film = FilmBuilder::new("Film".to_owned(), settings, Warnings::default());
    let mut all = Vec::new();
    for (kind, words) in steps {
        all.extend(kind.map(|kind| Step { place: HERE, kind: StepKind::Show(Shown::of(kind)) }));
        let line = inline::of_text(words, HERE);
        let words = inline::heard(&line, film.settings());
        all.push(Step { place: HERE, kind: StepKind::Speak(words) });
    }
    let draft = Draft {
        kind: SceneKind::Lesson,
        heading: "Scene".to_owned(),
        name: None,
        place: HERE,
        steps: all,
        plays_ms: 0,
    };
    film.scene(draft).unwrap();
    let storyboard = film.storyboard().unwrap();
    crate::check::check(&storyboard).unwrap();
    storyboard
}

#[test]
fn cues_are_believed_only_where_they_can_be() {
    let right =
        planned("en", vec![(Some(list(&["Heat", "Light"])), "…"), (None, "First comes heat, and then light comes.")]);
    assert_eq!(right.scenes[0].beats[1].cues.len(), 2);
    let wrong: [(&str, fn(&mut Cue)); 7] = [
        ("is not there", |cue| cue.target = "list-9".to_owned()),
        ("was there before", |cue| cue.kind = CueKind::Reveal),
        ("at word 99", |cue| cue.word = 99),
        ("at word 5 of", |cue| cue.words = 9),
        ("a cue at word", |cue| cue.words = 0),
        ("from 5 to 4 ms", |cue| (cue.start_ms, cue.end_ms) = (Some(5), Some(4))),
        ("part of 1001 bytes", |cue| cue.part = Some("x".repeat(1_001))),
    ];
    for (why, spoil) in wrong {
        let mut storyboard = right.clone();
        spoil(&mut storyboard.scenes[0].beats[1].cues[1]);
        let broken = crate::check::check(&storyboard).unwrap_err();
        assert!(broken.contains(why), "{broken}");
    }
    let mut storyboard = right;
    storyboard.scenes[0].beats[1].cues.reverse();
    assert!(crate::check::check(&storyboard).unwrap_err().contains("after one at"));
}

fn found(language: &str, kind: ElementKind, words: &str) -> Vec<String> {
    cues(language, vec![(Some(kind), "…"), (None, words)]).0
}

#[test]
fn items_are_known_by_their_names_and_first_words() {
    let laws = || {
        list(&[
            "**Inertia**: a body keeps its speed",
            "**Force**: mass times acceleration",
            "Action and reaction are alike",
        ])
    };
    assert_eq!(
        found(
            "en",
            laws(),
            "We begin with forces, and with them comes the mass of a body. Much later, inertia tells why. To each action belongs a reaction."
        ),
        ["item 2 ← forces,", "item 1 ← inertia", "item 3 ← action"]
    );
    // Small words and words of several items mean none.
    assert_eq!(
        found("en", list(&["Cells divide", "Cells grow", "Cells die"]), "All cells are small, and they are alike."),
        Vec::<String>::new()
    );
    assert_eq!(
        found("en", list(&["Push the four triangles away", "Take four triangles"]), "All four triangles are the same."),
        Vec::<String>::new()
    );
    assert_eq!(
        found("en", axes(&["hypotenuse", "other leg"]), "Any leg will do, but the other leg grows."),
        ["curve 2 ← other leg"]
    );
    assert_eq!(found("en", axes(&["with light", "in the dark"]), "It works with it."), Vec::<String>::new());
    assert_eq!(found("en", axes(&["y = x²"]), "Here is x squared."), ["curve 1 ← x squared."]);
    assert_eq!(
        found("en", list(&["The first law", "The other law"]), "It is the one after the other."),
        Vec::<String>::new()
    );
}

#[test]
fn what_comes_is_seen_when_it_is_first_spoken_of() {
    let colours = || list(&["Red light", "Green light", "Blue light", "White light"]);
    let words = "First there is red light, which bends the least. Then there is green, in the middle of all. White light has them all.";
    // The first one does not wait on an empty screen, and the third comes between its neighbours.
    assert_eq!(
        cues("en", vec![(Some(colours()), words)]).0,
        ["item 1 ← red light,", "+item 2 ← green,", "+item 4 ← White light"]
    );
    let words = "White light has them all, and red light bends the least. Then there is green.";
    assert!(cues("en", vec![(Some(colours()), words)]).0.iter().all(|cue| !cue.starts_with('+')));
    let words = "The supply curve rises with the price. Demand falls with it.";
    assert_eq!(
        cues("en", vec![(Some(axes(&["supply", "demand"])), words)]).0,
        ["+curve 1 ← supply", "+curve 2 ← Demand"]
    );
    let metals = || table(&[&["metal", "melts at"], &["Iron", "1538 °C"], &["Lead", "327 °C"]]);
    let words = "Iron melts late, at one thousand five hundred. Lead melts on a fire.";
    assert_eq!(cues("en", vec![(Some(metals()), words)]).0, ["+row 1 ← Iron", "+row 2 ← Lead"]);
    assert_eq!(cues("en", vec![(Some(metals()), "Iron melts late, on no fire that we know.")]).0, ["row 1 ← Iron"]);
}

#[test]
fn cells_are_meant_in_their_rows() {
    let metals = || table(&[&["metal", "melts at"], &["Iron", "1538"], &["Lead", "327"], &["Tin", "232"]]);
    assert_eq!(
        found("en", metals(), "For iron we need a furnace of 1538 degrees. A candle reaches 327."),
        ["row 1 ← iron", "cell 1 2 ← 1538", "cell 2 2 ← 327."]
    );
    let years = || table(&[&["year", "event"], &["1041", "type of clay"], &["1454", "the Bible"]]);
    assert_eq!(found("en", years(), "It was in 1454 that it came out."), ["row 2 ← 1454"]);
    let verbs = || table(&[&["pronom", "exemple"], &["je", "je parlais"], &["vous", "vous parliez"]]);
    assert_eq!(
        found("fr", verbs(), "Avec une deuxième ligne, on dit vous parliez."),
        ["row 2 ← deuxième ligne,", "cell 2 2 ← vous parliez."]
    );
}

#[test]
fn parts_of_formulas_are_known_as_they_are_read() {
    let pythagoras = || equation("a^2 + b^2 = c^2");
    assert_eq!(found("en", pythagoras(), "The longest side gives c squared, whatever comes."), ["side 2 ← c squared,"]);
    assert_eq!(
        found("en", pythagoras(), "The longest side gives $c^2$, and $a$ is short."),
        ["side 2 ← c squared,", "a ← a"]
    );
    assert_eq!(found("de", pythagoras(), "Die längste Seite gibt $c^2$."), ["side 2 ← c Quadrat."]);
    // A letter that stands twice is none, nor is a word that looks like one.
    assert_eq!(found("en", equation("x^2 + 2x = a"), "So a value $x$ is a root."), Vec::<String>::new());
}

#[test]
fn figures_are_known_by_their_labels() {
    assert_eq!(
        found("en", chart(&["Coal", "Wind power", "Gas"]), "Wind power grows, and coal loses."),
        ["bar 2 ← Wind power", "bar 1 ← coal"]
    );
    assert_eq!(
        found("en", marks(&["π", "√2", "Euler's number"]), "Then comes Euler's number."),
        ["mark 3 ← Euler's number."]
    );
    let towns = || graph(&["A", "B", "C"]);
    // A is an article, and C begins no sentence.
    assert_eq!(found("en", towns(), "A way leads from here to B and there to C."), ["node 2 ← B", "node 3 ← C."]);
    assert_eq!(found("en", towns(), "We stand at node A now."), ["node 1 ← A"]);
    assert_eq!(found("en", axes(&["$v_0$", "sin x"]), "It begins with $v_0$, of course."), ["curve 1 ← v sub 0,"]);
}

#[test]
fn programs_are_known_by_their_lines() {
    let program = || {
        code("def total(prices):\n    result = 0\n    for price in prices:\n        result += price\n    return result")
    };
    assert_eq!(
        found(
            "en",
            program(),
            "The function `total` takes all prices. It sets `result` to nothing, and `return` gives it back. Look at line 3 again."
        ),
        ["1 ← total", "2 ← result", "5 ← return", "3 ← line 3"]
    );
    assert_eq!(found("en", program(), "What `price` is, `nobody` knows."), ["3 ← price"][..0].to_vec());
}

#[test]
fn every_language_has_its_endings_and_articles() {
    assert_eq!(
        found(
            "de",
            list(&["Die Kathete am rechten Winkel", "Die Hypotenuse gegenüber"]),
            "Beide Katheten sind kurz, und der Hypotenuse fehlt nichts."
        ),
        ["item 1 ← Katheten", "item 2 ← Hypotenuse"]
    );
    assert_eq!(
        found(
            "fr",
            list(&["Les cathètes : autour de l'angle droit", "L'hypoténuse : en face"]),
            "On regarde l'hypoténuse, puis une cathète."
        ),
        ["item 2 ← l'hypoténuse,", "item 1 ← cathète."]
    );
    assert_eq!(
        found("es", list(&["Los catetos", "La hipotenusa"]), "Primero miramos la hipotenusa y después cada cateto."),
        ["item 2 ← hipotenusa", "item 1 ← cateto."]
    );
    assert_eq!(
        found(
            "ru",
            list(&["Катеты при прямом угле", "Гипотенуза напротив"]),
            "Посмотрим на гипотенузу, а затем на каждый из катетов."
        ),
        ["item 2 ← гипотенузу,", "item 1 ← катетов."]
    );
    assert_eq!(
        found("de", list(&["Eins", "Zwei", "Drei"]), "Der zweite Punkt ist der wichtigste."),
        ["item 2 ← zweite Punkt"]
    );
    // Nobody is sure where words end.
    assert_eq!(found("zh", list(&["勾股定理", "三角形"]), "勾股定理说的是三角形。"), Vec::<String>::new());
}

#[test]
fn an_author_says_what_is_meant() {
    let (cues, warnings) = cues(
        "en",
        vec![
            (
                Some(list(&["Heat", "Light"])),
                "Look at [this one]{show=\"Light\"} first, and then at [heat]{show}. And [here]{show=\"Sound\"}.",
            ),
            (
                Some(equation(r"E = \frac{m}{2} v^2")),
                "It is [this]{show=\"v^2\"} that counts, or [the half mass]{show=\"fraction 1\"}.",
            ),
        ],
    );
    assert_eq!(cues, ["item 2 ← this one", "item 1 ← heat.", "v^2 ← this", "fraction 1 ← the half mass."]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`Sound`"), "{warnings:?}");
    // Where no words are known, those of the author are.
    let (cues, _) =
        super::tests::cues("zh", vec![(Some(list(&["勾股定理", "三角形"])), "看 [这里]{show=\"三角形\"} 。")]);
    assert_eq!(cues, ["item 2 ← 这里"]);
}

#[test]
fn two_things_at_once_are_one() {
    let (cues, _) = cues(
        "en",
        vec![
            (Some(list(&["Oxygen", "Nitrogen", "Argon"])), "…"),
            (None, "Oxygen, nitrogen, argon: all of them are in the air."),
        ],
    );
    assert_eq!(cues, ["item 1 ← Oxygen,"]);
}

#[test]
fn an_author_names_an_element_of_a_plan() {
    let settings = Settings { language: "en".to_owned(), language_is_named: true, ..Settings::default() };
    let mut film = FilmBuilder::new("Film".to_owned(), settings, Warnings::default());
    let shown = Shown { name: Some("Two Areas".to_owned()), ..Shown::of(list(&["One", "Another"])) };
    let words = inline::heard(&inline::of_text("See [them]{show=\"Two Areas\"} here.", HERE), film.settings());
    let steps = [StepKind::Show(shown), StepKind::Speak(words)].map(|kind| Step { place: HERE, kind }).into();
    let heading = "Scene".to_owned();
    let draft = Draft { kind: SceneKind::Lesson, heading, name: None, place: HERE, steps, plays_ms: 0 };
    film.scene(draft).unwrap();
    let beat = film.storyboard().unwrap().scenes.remove(0).beats.remove(0);
    assert_eq!(beat.narration, "See them here.");
    let cue = &beat.cues[0];
    assert_eq!((&*cue.target, &cue.part, cue.word, cue.words), ("two-areas", &None, 1, 1));
}
