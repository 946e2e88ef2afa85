//! The fence `graph`: nodes and edges.
//!
//! ````text
//! ```graph
//! layout: tree               circular, layered, tree, grid, spring
//! a -> b -> c                edges with a direction; `--` without one
//! a -> c : shortcut          an edge's label
//! a: Start                   what is shown in a node
//! b[Middle] --> d            as Mermaid writes it
//! ```
//! ````

use super::words::{Words, short, statements};
use crate::drawing::expression::ParseError;
use crate::storyboard::{Edge, Graph, Layout, Node};

/// More are no longer told apart.
pub(crate) const MOST_NODES: usize = 40;
pub(crate) const MOST_EDGES: usize = 120;

/// Longer ones first.
const ARROWS: &[(&str, Way)] = &[
    ("<-->", Way::Both),
    ("<->", Way::Both),
    ("-->", Way::There),
    ("==>", Way::There),
    ("<--", Way::Back),
    ("---", Way::None),
    ("->", Way::There),
    ("=>", Way::There),
    ("<-", Way::Back),
    ("--", Way::None),
    ("→", Way::There),
    ("←", Way::Back),
    ("↔", Way::Both),
    ("—", Way::None),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
    Both,
    None,
}

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn graph(text: &str) -> Result<Graph, ParseError> {
    let mut graph = Graph { nodes: Vec::new(), edges: Vec::new(), directed: false, layout: None };
    statements(text, |words| statement(&mut graph, words))?;
    if graph.nodes.is_empty() {
        return Err(ParseError { why: "it has no node".to_owned(), at: 0 });
    }
    Ok(graph)
}

fn statement(graph: &mut Graph, words: Words<'_>) -> Result<(), ParseError> {
    let arrow = arrow(words.text);
    if arrow.is_none() {
        return node_or_setting(graph, words);
    }
    let colon = words.text.find(':').filter(|colon| arrow.is_some_and(|(at, ..)| at < *colon));
    let label = colon.map(|colon| short(words.from(colon + 1).text)).unwrap_or_default();
    let mut rest = colon.map_or(words, |colon| words.until(colon));
    let mut before: Option<(String, Way, String)> = None;
    loop {
        let found = self::arrow(rest.text);
        let name = found.map_or(rest, |(at, ..)| rest.until(at));
        let id = node(graph, name)?;
        if let Some((from, way, note)) = before.take() {
            let note = if note.is_empty() { label.clone() } else { note };
            edge(graph, words, (from, id.clone()), way, note)?;
        }
        let Some((at, length, way)) = found else { return Ok(()) };
        rest = rest.from(at + length);
        // `-->|label|`
        let mut note = String::new();
        if let Some(after) = rest.text.strip_prefix('|')
            && let Some(end) = after.find('|')
        {
            note = short(&after[..end]);
            rest = rest.from(end + 2);
        }
        before = Some((id, way, note));
    }
}

/// The first arrow outside of brackets and quotes: where, how long, which way.
fn arrow(text: &str) -> Option<(usize, usize, Way)> {
    let mut depth = 0_usize;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !quoted {
            let found = ARROWS.iter().find(|(sign, _)| text[at..].starts_with(sign));
            if let Some((sign, way)) = found {
                return Some((at, sign.len(), *way));
            }
        }
    }
    None
}

fn node_or_setting(graph: &mut Graph, words: Words<'_>) -> Result<(), ParseError> {
    match words.text.to_lowercase().as_str() {
        "directed" => graph.directed = true,
        "undirected" => graph.directed = false,
        // How Mermaid begins.
        "graph" | "graph td" | "graph tb" | "graph lr" | "flowchart td" | "flowchart tb" | "flowchart lr" => {
            graph.layout = Some(Layout::Layered);
        }
        _ => {
            let Some((key, value)) = words.setting() else { return node(graph, words).map(drop) };
            match key.as_str() {
                "layout" => {
                    let Some(layout) = Layout::named(&value.text.to_lowercase()) else {
                        return value.wrong("a layout is one of circular, layered, tree, grid, spring");
                    };
                    graph.layout = Some(layout);
                }
                _ => {
                    let colon = words.text.find(':').unwrap_or_default();
                    let id = node(graph, words.until(colon))?;
                    if let Some(node) = graph.nodes.iter_mut().find(|node| node.id == id) {
                        node.label = short(value.text.trim_matches('"'));
                    }
                }
            }
        }
    }
    Ok(())
}

/// The id of a node that is written `a`, `a[Label]`, `a(Label)`, `a{Label}` or `"a"`; a new one is added.
fn node(graph: &mut Graph, words: Words<'_>) -> Result<String, ParseError> {
    let open = words.text.find(['[', '(', '{']);
    let id = short(open.map_or(words, |open| words.until(open)).text.trim_matches('"'));
    if id.is_empty() {
        return words.wrong("a node is missing");
    }
    let marks = ['[', '(', '{', ']', ')', '}', '"', ' '];
    let label = open.map(|open| short(words.text[open..].trim_matches(marks)));
    let full = graph.nodes.len() == MOST_NODES;
    match graph.nodes.iter_mut().find(|node| node.id == id) {
        Some(node) => node.label = label.unwrap_or_else(|| node.label.clone()),
        None if full => return words.wrong("a graph has at most 40 nodes"),
        None => graph.nodes.push(Node { id: id.clone(), label: label.unwrap_or_else(|| id.clone()) }),
    }
    Ok(id)
}

fn edge(
    graph: &mut Graph,
    words: Words<'_>,
    (from, to): (String, String),
    way: Way,
    label: String,
) -> Result<(), ParseError> {
    if graph.edges.len() + 1 >= MOST_EDGES {
        return words.wrong("a graph has at most 120 edges");
    }
    graph.directed |= matches!(way, Way::There | Way::Back);
    let edge = |from: &str, to: &str| Edge { from: from.to_owned(), to: to.to_owned(), label: label.clone() };
    match way {
        Way::There | Way::None => graph.edges.push(edge(&from, &to)),
        Way::Back => graph.edges.push(edge(&to, &from)),
        Way::Both => graph.edges.extend([edge(&from, &to), edge(&to, &from)]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(graph: &Graph) -> Vec<String> {
        graph.edges.iter().map(|edge| format!("{}>{}:{}", edge.from, edge.to, edge.label)).collect()
    }

    #[test]
    fn chains_labels_and_layouts_are_read() {
        let read = graph("layout: tree\na -> b -> c : next\na: The start\n# a remark\nd").unwrap();
        assert_eq!(edges(&read), ["a>b:next", "b>c:next"]);
        let labels: Vec<_> = read.nodes.iter().map(|node| node.label.as_str()).collect();
        assert_eq!(labels, ["The start", "b", "c", "d"]);
        assert_eq!((read.directed, read.layout), (true, Some(Layout::Tree)));
        let plain = graph("a -- b; b -- c; c -- a").unwrap();
        assert_eq!((plain.directed, plain.edges.len()), (false, 3));
    }

    #[test]
    fn mermaid_is_understood() {
        let read = graph("graph LR\nA[Start here] -->|yes| B{Is it?}\nB --> C(\"An -> end\")").unwrap();
        assert_eq!(edges(&read), ["A>B:yes", "B>C:"]);
        assert_eq!(read.nodes[0].label, "Start here");
        assert_eq!(read.nodes[2].label, "An -> end");
    }

    #[test]
    fn mistakes_have_a_place() {
        assert_eq!(graph("a -> \n").unwrap_err().at, 4);
        assert_eq!(graph("layout: heap\na").unwrap_err().at, 8);
        assert!(graph("").is_err());
        assert!(graph(&(0..50).map(|n| format!("n{n}\n")).collect::<String>()).is_err());
    }
}
