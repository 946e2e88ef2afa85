//! Elements: what they hold is bounded, and what they refer to is there.

use std::collections::BTreeSet;

use crate::types::{ElementKind, Formula, Graph, RichText, Span, Table};

use super::{ITEMS, asset, count, figure, number, one_of, rule, short, text};

/// Longest text, in bytes.
const TEXT: usize = 200_000;

pub(super) fn kind(kind: &ElementKind) -> Result<(), String> {
    match kind {
        ElementKind::Text(rich) | ElementKind::Callout(rich) => of_text(rich),
        ElementKind::Bullets(list) => {
            count("items", list.items.len(), 1, ITEMS)?;
            list.items.iter().try_for_each(|item| {
                rule(item.level <= 20, || "a list nested more than 20 deep".to_owned())?;
                of_text(&item.text)
            })
        }
        ElementKind::Equation(equation) => {
            of_formula(&equation.formula)?;
            count("spoken parts", equation.spoken.len(), 0, ITEMS)?;
            equation.spoken.iter().try_for_each(|spoken| {
                text("part", &spoken.part, 1_000)?;
                text("words", &spoken.words, TEXT)
            })
        }
        ElementKind::Code(code) => {
            text("language", &code.language, 100)?;
            text("code", &code.text, TEXT)?;
            let lines = u32::try_from(code.text.lines().count()).unwrap_or(u32::MAX);
            let ascending = code.highlighted.windows(2).all(|pair| pair[0] < pair[1]);
            let inside = code.highlighted.iter().all(|line| (1..=lines).contains(line));
            rule(ascending && inside, || "highlighted lines that are none".to_owned())
        }
        ElementKind::Axes(axes) => figure::axes(axes),
        ElementKind::Placeholder(placeholder) => {
            text("label", &placeholder.label, 1_000)?;
            text("detail", &placeholder.detail, 10_000)
        }
        ElementKind::Table(table) => of_table(table),
        ElementKind::Image(image) => {
            asset("picture", &image.source)?;
            text("description", &image.alt, 2_000)?;
            text("caption", &image.caption, 1_000)
        }
        ElementKind::NumberLine(line) => {
            figure::axis(&line.axis)?;
            count("marks", line.marks.len(), 0, 100)?;
            line.marks.iter().try_for_each(|mark| {
                text("label", &mark.label, 1_000)?;
                let on = (line.axis.min..=line.axis.max).contains(&mark.at);
                rule(on, || format!("a mark at {}, which is not on its line", mark.at))
            })
        }
        ElementKind::Drawing(drawing) => figure::drawing(drawing),
        ElementKind::Graph(graph) => of_graph(graph),
        ElementKind::Chart(chart) => {
            text("label", &chart.value_label, 1_000)?;
            text("caption", &chart.caption, 1_000)?;
            count("bars", chart.bars.len(), 1, 200)?;
            chart.bars.iter().try_for_each(|bar| {
                text("label", &bar.label, 1_000)?;
                number("bar", bar.value)
            })
        }
        ElementKind::Space(space) => figure::space(space),
    }
}

fn of_text(rich: &RichText) -> Result<(), String> {
    count("spans", rich.spans.len(), 0, ITEMS)?;
    rich.spans.iter().try_for_each(|span| match span {
        Span::Plain(words) | Span::Strong(words) | Span::Emphasis(words) | Span::Code(words) => {
            text("text", words, TEXT)
        }
        Span::Math(formula) => of_formula(formula),
    })
}

fn of_formula(formula: &Formula) -> Result<(), String> {
    text("formula", &formula.latex, 50_000)
}

fn of_table(table: &Table) -> Result<(), String> {
    count("rows", table.rows.len() + usize::from(!table.header.is_empty()), 1, 1_000)?;
    count("columns", table.header.len().max(table.align.len()), 0, 100)?;
    for row in &table.rows {
        count("cells", row.cells.len(), 0, 100)?;
    }
    table.align.iter().try_for_each(|side| one_of("align", side, &["left", "center", "right"]))?;
    table.header.iter().chain(table.rows.iter().flat_map(|row| &row.cells)).try_for_each(of_text)
}

fn of_graph(graph: &Graph) -> Result<(), String> {
    count("nodes", graph.nodes.len(), 1, 500)?;
    count("edges", graph.edges.len(), 0, 2_000)?;
    let mut ids = BTreeSet::new();
    for node in &graph.nodes {
        text("node", &node.id, 1_000)?;
        text("label", &node.label, 1_000)?;
        rule(ids.insert(node.id.as_str()), || format!("node `{}` stands twice", short(&node.id)))?;
    }
    graph.edges.iter().try_for_each(|edge| {
        text("label", &edge.label, 1_000)?;
        let known = |id: &String| rule(ids.contains(id.as_str()), || format!("an edge to no node `{}`", short(id)));
        known(&edge.from)?;
        known(&edge.to)
    })
}
