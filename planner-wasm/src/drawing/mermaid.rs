//! Mermaid: flowcharts as graphs, `pie` as a chart. Other kinds are none of these, and are shown as they are written.

use std::borrow::Cow;

use super::graph::{MOST_EDGES, MOST_NODES};
use super::words::short;
use crate::drawing::expression::ParseError;
use crate::storyboard::{Bar, Chart, Edge, ElementKind, Graph, Layout, Node};

/// Slices of a pie that are told apart.
const MOST_SLICES: usize = 20;
/// Lines of one quoted label.
const MOST_LINES_OF_LABEL: usize = 12;
/// Statements about how it looks.
const LOOKS: &[&str] =
    &["style", "classdef", "class", "linkstyle", "click", "direction", "acctitle", "accdescr", "end", "%%"];

/// Reads a diagram.
///
/// # Errors
/// [`ParseError`] with a place in `text`: it is of another kind, or too large.
pub(crate) fn diagram(text: &str) -> Result<(ElementKind, Vec<String>), ParseError> {
    let wrong = |why: &str, at: usize| Err(ParseError { why: why.to_owned(), at });
    let mut lines = whole(lines(text)).into_iter().peekable();
    // A front matter of its own.
    if lines.peek().is_some_and(|(_, line)| line == "---") {
        lines.next();
        lines.by_ref().find(|(_, line)| line == "---");
    }
    let Some((at, head)) = lines.next() else { return wrong("it is empty", 0) };
    let head = head.as_ref();
    let kind = head.split([' ', '\t', ';']).next().unwrap_or_default().to_lowercase();
    match kind.as_str() {
        "pie" => Ok((ElementKind::Chart(pie(head, lines, at)?), Vec::new())),
        "graph" | "flowchart" | "flowchart-elk" => {
            let first = head.split_once(';').map(|(_, rest)| (at, rest.trim())).filter(|(_, rest)| !rest.is_empty());
            let first = first.map(|(at, rest)| (at, Cow::Borrowed(rest)));
            flowchart(first.into_iter().chain(lines))
        }
        _ => wrong("only flowcharts and pies are drawn", at),
    }
}

/// Lines that say something, with the byte that each begins at.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let begins = text.split_inclusive('\n').map(move |line| {
        let begin = at;
        at += line.len();
        (begin + line.len() - line.trim_start().len(), line.trim())
    });
    begins.filter(|(_, line)| !line.is_empty() && !line.starts_with("%%"))
}

/// Lines in which every quoted label is whole: a string of Markdown goes over several.
fn whole<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, Cow<'a, str>)> {
    let mut out: Vec<(usize, Cow<'a, str>)> = Vec::new();
    let mut open = 0_usize;
    for (at, line) in lines {
        let odd = line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        match out.last_mut() {
            Some((_, before)) if (1..MOST_LINES_OF_LABEL).contains(&open) => {
                *before = Cow::Owned(format!("{before} {line}"));
                open = if odd { 0 } else { open + 1 };
            }
            _ => {
                out.push((at, Cow::Borrowed(line)));
                open = usize::from(odd);
            }
        }
    }
    out
}

fn pie<'a>(head: &str, lines: impl Iterator<Item = (usize, Cow<'a, str>)>, at: usize) -> Result<Chart, ParseError> {
    let mut caption = head.split_once("title ").map(|(_, title)| short(title.trim())).unwrap_or_default();
    let mut bars = Vec::new();
    for (at, line) in lines {
        let line = line.as_ref();
        if let Some(title) = line.strip_prefix("title ") {
            caption = short(title.trim());
            continue;
        }
        if line == "showData" {
            continue;
        }
        let Some((label, value)) = line.rsplit_once(':') else { continue };
        match value.trim().parse::<f64>() {
            Ok(value) if value.is_finite() && bars.len() < MOST_SLICES => {
                bars.push(Bar { label: short(label.trim().trim_matches('"')), value });
            }
            _ => return Err(ParseError { why: format!("`{}` is no slice with a number", short(line)), at }),
        }
    }
    if bars.is_empty() {
        return Err(ParseError { why: "it has no slices".to_owned(), at });
    }
    Ok(Chart { bars, value_label: String::new(), caption })
}

fn flowchart<'a>(lines: impl Iterator<Item = (usize, Cow<'a, str>)>) -> Result<(ElementKind, Vec<String>), ParseError> {
    let mut graph = Graph { nodes: Vec::new(), edges: Vec::new(), directed: false, layout: Some(Layout::Layered) };
    // Groups of nodes, by what links call them, with what stands above them.
    let mut groups: Vec<(String, String)> = Vec::new();
    for (at, line) in lines {
        for statement in statements(&line) {
            let word = statement.split([' ', '\t', ':']).next().unwrap_or_default().to_lowercase();
            if word == "subgraph" && groups.len() < MOST_NODES {
                groups.extend(group(&statement["subgraph".len()..]));
            }
            // `e1@{ animate: true }` is about a link that has a name.
            let of_link = statement.split_once("@{").is_some_and(|(name, inside)| {
                name.chars().all(|c| c.is_alphanumeric() || c == '_')
                    && (inside.contains("animat") || inside.contains("curve:"))
            });
            if LOOKS.contains(&word.as_str()) || word == "subgraph" || of_link {
                continue;
            }
            chain(&mut graph, statement).map_err(|why| ParseError { why, at })?;
        }
    }
    if graph.nodes.is_empty() {
        return Err(ParseError { why: "it has no node".to_owned(), at: 0 });
    }
    // A link may lead to a group as a whole.
    let mut unseen = Vec::new();
    for (id, title) in groups {
        match graph.nodes.iter_mut().find(|node| node.id == id) {
            Some(node) if node.label == id => node.label = title,
            _ => unseen.push(title),
        }
    }
    let told = |title: String| format!("the group `{title}` of the flowchart is drawn without a frame and its name");
    Ok((ElementKind::Graph(graph), unseen.into_iter().filter(|title| !title.is_empty()).map(told).collect()))
}

/// The name of a group and what stands above it: `one [First part]`, `"First part"`.
fn group(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let (id, title) = match text.find('[') {
        Some(open) => (text[..open].trim(), text[open + 1..].trim_end().trim_end_matches(']')),
        None => (text, text),
    };
    (!text.is_empty()).then(|| (id.trim_matches('"').to_owned(), label_of(title)))
}

/// The statements of a line: semicolons part them, where no label is around.
fn statements(line: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut begin) = (0_i32, false, 0);
    let mut out = Vec::new();
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth -= 1,
            ';' if !quoted && depth <= 0 => {
                out.push(line[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    out.push(line[begin..].trim());
    out.retain(|statement| !statement.is_empty());
    out
}

/// `A & B -- words --> C --> D`
fn chain(graph: &mut Graph, statement: &str) -> Result<(), String> {
    let mut rest = statement;
    let mut before: Option<(Vec<String>, Link)> = None;
    loop {
        let mut group = Vec::new();
        loop {
            let (id, after) = node(graph, rest)?;
            group.push(id);
            rest = after.trim_start();
            match rest.strip_prefix('&') {
                Some(next) => rest = next.trim_start(),
                None => break,
            }
        }
        if let Some((from, link)) = before.take() {
            let seen = if link.unseen { Vec::new() } else { from };
            for (from, to) in seen.iter().flat_map(|from| group.iter().map(move |to| (from, to))) {
                if graph.edges.len() + 1 >= MOST_EDGES {
                    return Err(format!("a graph has at most {MOST_EDGES} edges"));
                }
                let edge =
                    |from: &str, to: &str| Edge { from: from.to_owned(), to: to.to_owned(), label: link.label.clone() };
                graph.directed |= link.there || link.back;
                if link.back {
                    graph.edges.push(edge(to, from));
                }
                if link.there || !link.back {
                    graph.edges.push(edge(from, to));
                }
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        // `A e1@--> B` names the link.
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if let Some(after) = rest[name..].strip_prefix('@').filter(|after| name > 0 && !after.starts_with('{')) {
            rest = after;
        }
        let (found, length) = self::link(rest).ok_or_else(|| format!("`{}` is no link", short(rest)))?;
        rest = rest[length..].trim_start();
        if rest.is_empty() {
            return Err("a link leads nowhere".to_owned());
        }
        before = Some((group, found));
    }
}

/// A link between nodes.
struct Link {
    /// It only says where nodes stand.
    unseen: bool,
    there: bool,
    back: bool,
    label: String,
}

/// The link that `rest` begins with, and its length: a line of `-`, `=` or `.`, with ends, and a label in it or after it.
fn link(rest: &str) -> Option<(Link, usize)> {
    let begins = rest.trim_start_matches(['<', 'o', 'x']);
    let back = rest.starts_with('<');
    let head = rest.len() - begins.len();
    if head > 1 || !begins.starts_with(['-', '=', '~']) {
        return None;
    }
    let line = |c: char| matches!(c, '-' | '=' | '.' | '~');
    let mut length = begins.find(|c| !line(c)).unwrap_or(begins.len());
    let end = |rest: &str| {
        rest.chars()
            .next()
            .filter(|c| *c == '>' || (matches!(c, 'o' | 'x') && rest[1..].starts_with([' ', '|'])))
            .map_or(0, char::len_utf8)
    };
    let mut tip = end(&begins[length..]);
    let mut label = String::new();
    let open = &begins[..length];
    if tip == 0 && matches!(open, "--" | "==" | "-.") {
        // `-- words -->`
        let words = &begins[length..];
        let close = match open.chars().next() {
            Some('=') => "==",
            _ if open.contains('.') => ".-",
            _ => "--",
        };
        let quoted = if words.trim_start().starts_with('"') {
            words.match_indices('"').nth(1).map_or(0, |(at, _)| at)
        } else {
            0
        };
        if let Some(at) = words[quoted..].find(close).map(|at| at + quoted) {
            label = label_of(&words[..at]);
            let after = &words[at..];
            let more = after.find(|c| !line(c)).unwrap_or(after.len());
            tip = end(&after[more..]);
            length += at + more;
        }
    }
    length += tip;
    let there = tip > 0;
    // `-->|words|`
    let after = begins[length..].trim_start();
    if let Some(inside) = after.strip_prefix('|')
        && let Some(close) = inside.find('|')
    {
        label = label_of(&inside[..close]);
        length = begins.len() - inside.len() + close + 1;
    }
    Some((Link { unseen: open.starts_with('~'), there, back, label }, head + length))
}

fn label_of(text: &str) -> String {
    let text = text
        .trim()
        .trim_matches(['"', '`'])
        .replace("<br/>", " ")
        .replace("<br>", " ")
        .replace("<br />", " ")
        .replace("\\n", " ");
    let text = if text.contains('#') { without_codes(&text) } else { text };
    // `fa:fa-car Car` begins with a picture's name.
    let icon = |word: &str| ["fa:", "fab:", "fas:", "far:", "mdi:"].iter().any(|set| word.starts_with(set));
    let words: Vec<&str> = text.split_whitespace().filter(|word| !icon(word)).collect();
    short(words.join(" ").replace("**", "").trim_matches(['`', ' ']))
}

/// `#quot;` and `#35;` as the characters that they stand for.
fn without_codes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('#') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest[1..].find(';').filter(|end| *end <= 8).map(|end| &rest[1..=end]);
        let sign = code.and_then(|code| match code {
            "quot" => Some('"'),
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "nbsp" => Some(' '),
            code => code.parse().ok().and_then(char::from_u32).filter(|c| !c.is_control()),
        });
        match (sign, code) {
            (Some(sign), Some(code)) => {
                out.push(sign);
                rest = &rest[code.len() + 2..];
            }
            _ => {
                out.push('#');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The node that `rest` begins with, and what comes after it.
fn node<'a>(graph: &mut Graph, rest: &'a str) -> Result<(String, &'a str), String> {
    let rest = rest.trim_start();
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        let hyphen = c == '-' && !rest[at + 1..].starts_with(['-', '.', '>']) && at > 0;
        if !(c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '#' | '*') || hyphen) {
            end = at;
            break;
        }
    }
    let id = &rest[..end];
    if id.is_empty() {
        return Err("a node is missing".to_owned());
    }
    let mut after = &rest[end..];
    let mut label = None;
    if let Some(shape) = after.strip_prefix("@{") {
        let close = shape.find('}').ok_or("a node is not closed")?;
        label =
            shape[..close].split_once("label:").map(|(_, label)| label_of(label.split(',').next().unwrap_or(label)));
        after = &shape[close + 1..];
    } else if after.starts_with(['[', '(', '{', '>']) {
        let (mut depth, mut quoted, mut close) = (0_i32, false, None);
        for (at, c) in after.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '[' | '(' | '{' if !quoted => depth += 1,
                '>' if at == 0 => depth += 1,
                ']' | ')' | '}' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 && !quoted {
                close = Some(at + 1);
                break;
            }
        }
        let close = close.ok_or("a node is not closed")?;
        let inside = after[..close].trim_matches(['[', ']', '(', ')', '{', '}', '/', '\\', '>', ' ']);
        label = Some(label_of(inside));
        after = &after[close..];
    }
    // `:::class`
    if let Some(class) = after.strip_prefix(":::") {
        after = &class[class.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(class.len())..];
    }
    let full = graph.nodes.len() == MOST_NODES;
    match graph.nodes.iter_mut().find(|node| node.id == id) {
        Some(node) => node.label = label.unwrap_or_else(|| node.label.clone()),
        None if full => return Err(format!("a graph has at most {MOST_NODES} nodes")),
        None => graph.nodes.push(Node { id: id.to_owned(), label: label.unwrap_or_else(|| id.to_owned()) }),
    }
    Ok((id.to_owned(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(text: &str) -> String {
        match diagram(text) {
            Ok((ElementKind::Graph(graph), _)) => {
                let label = |id: &str| {
                    graph.nodes.iter().find(|node| node.id == id).map(|node| node.label.clone()).unwrap_or_default()
                };
                graph
                    .edges
                    .iter()
                    .map(|edge| format!("{}>{}:{}", label(&edge.from), label(&edge.to), edge.label))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn flowcharts_are_graphs_with_the_labels_of_their_links() {
        for (text, found) in [
            (
                "graph TD\n %% a remark\n A[\"Weigh it\"] --> B{\"Is it dry?\"}\n B -- yes --> C([Divide])\n B -- no --> A\n C -.-> D((moles))\n C ==> E\n style A fill:#f9f\n classDef big font-size:20px\n class A big\n linkStyle 0 stroke:red",
                "Weigh it>Is it dry?: Is it dry?>Divide:yes Is it dry?>Weigh it:no Divide>moles: Divide>E:",
            ),
            ("flowchart LR\nA & B --> C & D", "A>C: A>D: B>C: B>D:"),
            ("flowchart LR\nA -->|one way| B -. dotted .-> C == thick ==> D", "A>B:one way B>C:dotted C>D:thick"),
            ("graph LR; A-->B; B---C;", "A>B: B>C:"),
            ("graph LR\nA --- B --> C", "A>B: B>C:"),
            ("flowchart TB\nsubgraph one [First part]\na1-->a2\nend\na1:::x --o b", "a1>a2: a1>b:"),
            ("flowchart LR\nA e1@==> B\ne1@{ animate: true }\nA ~~~ C", "A>B:"),
            ("flowchart TD\nA[\"`The **big**\n  one`\"] --> B[\"say #quot;hi#quot;\"]", "The big one>say \"hi\":"),
            ("flowchart TD\nA[fa:fa-car Car] --x B\nA o--o C", "Car>B: Car>C:"),
            ("graph TD\nsubgraph one [First part]\na-->b\nend\none --> c", "a>b: First part>c:"),
            (
                "graph TD\nA[(Data base)] <--> B[[Sub]]\nB --text--> C>flag]",
                "Sub>Data base: Data base>Sub: Sub>flag:text",
            ),
        ] {
            assert_eq!(edges(text), found, "{text}");
        }
    }

    #[test]
    fn groups_that_are_not_drawn_are_told() {
        let (_, told) =
            diagram("graph TD\nsubgraph \"First part\"\na-->b\nend\nsubgraph x [Second]\nc-->d\nend").unwrap();
        assert!(told.len() == 2 && told[0].contains("First part") && told[1].contains("Second"), "{told:?}");
    }

    #[test]
    fn pies_are_charts_and_other_kinds_are_neither() {
        let Ok((ElementKind::Chart(chart), _)) = diagram("pie title Pets\n \"Dogs\" : 386\n \"Cats\" : 85") else {
            panic!()
        };
        assert_eq!(
            (chart.caption.as_str(), chart.bars.len(), chart.bars[0].label.as_str(), chart.bars[1].value),
            ("Pets", 2, "Dogs", 85.0)
        );
        for text in ["sequenceDiagram\n A->>B: hi", "classDiagram\n A <|-- B", "", "pie\n", "graph TD\n"] {
            assert!(diagram(text).is_err(), "{text}");
        }
    }
}
