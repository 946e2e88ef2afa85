//! What the planner makes of documents, as an outline: `cargo run -p planner-wasm --example outline -- lesson.md …`.
#![allow(clippy::expect_used)]

use planner_wasm::storyboard::{Action, Document, ElementKind, RichText, Span, Storyboard};

fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("a file that can be read");
        println!("=== {path}");
        match planner_wasm::plan(&Document { name: path, bytes }) {
            Ok(storyboard) => outline(&storyboard),
            Err(refusal) => println!("REFUSED {} {:?}: {}", refusal.code, refusal.place, refusal.message),
        }
    }
}

fn outline(storyboard: &Storyboard) {
    println!("title {:?} language {}", storyboard.title, storyboard.language);
    for warning in &storyboard.warnings {
        let line = warning.place.map_or(0, |place| place.line);
        println!("warning {}:{line} {}", warning.code, warning.message);
    }
    for scene in &storyboard.scenes {
        let kind = format!("{:?}", scene.kind);
        println!("scene {} {:?}", kind.split('(').next().unwrap_or_default(), scene.heading);
        for beat in &scene.beats {
            println!("  beat {} + {} ms {:?}", beat.estimate_ms, beat.pause_ms, beat.narration);
            for action in &beat.actions {
                match action {
                    Action::Show(element) => println!("    show {}", shown(&element.kind)),
                    Action::Transform(transform) => println!("    transform {}", shown(&transform.into.kind)),
                    action => println!("    {action:?}"),
                }
            }
        }
    }
}

fn shown(kind: &ElementKind) -> String {
    match kind {
        ElementKind::Text(text) => format!("text {}", rich(text)),
        ElementKind::Callout(text) => format!("callout {}", rich(text)),
        ElementKind::Bullets(list) => {
            let item = |item: &planner_wasm::storyboard::Bullet| {
                format!(
                    "[{}{} {}]",
                    item.level,
                    item.number.map(|n| format!("#{n}")).unwrap_or_default(),
                    rich(&item.text)
                )
            };
            format!("list {}", list.items.iter().map(item).collect::<Vec<_>>().join(" "))
        }
        ElementKind::Equation(equation) => format!("equation {:?}", equation.formula.latex),
        ElementKind::Code(code) => format!("code {} {:?}", code.language, code.text),
        ElementKind::Table(table) => {
            let row = |cells: &[RichText]| cells.iter().map(rich).collect::<Vec<_>>().join(" | ");
            let rows = table.rows.iter().map(|cells| row(&cells.cells));
            format!("table {}", std::iter::once(row(&table.header)).chain(rows).collect::<Vec<_>>().join(" // "))
        }
        other => format!("{other:?}").chars().take(300).collect(),
    }
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
