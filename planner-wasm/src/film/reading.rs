//! How long what is shown must stand to be read, by somebody who sees it for the first time.

use crate::storyboard::{ElementKind, RichText, Span};

/// Milliseconds to find what has come, and for each word, cell, line of a program or group of signs in a formula.
const FIND_MS: u32 = 1_500;
const UNIT_MS: u32 = 250;
/// A picture is looked at about as long as a short sentence, in units.
const PICTURE: usize = 8;
/// Lines of a program that the stage has room for at once, and milliseconds for a page to go and the next to come.
const LINES_OF_PAGE: usize = 12;
const PAGE_MS: u32 = 1_000;
/// Signs of a formula that are read as one group.
const GROUP: usize = 3;
/// Letters of a script without spaces that are read as one word.
const LETTERS_OF_WORD: usize = 2;

/// Milliseconds that an element must stand complete, with those in which its pages come and go.
pub(super) fn reading_ms(kind: &ElementKind) -> u32 {
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let pages = match kind {
        ElementKind::Code(code) => code.text.lines().count().div_ceil(LINES_OF_PAGE),
        _ => 1,
    };
    let turning = small(pages).saturating_sub(1).saturating_mul(PAGE_MS);
    FIND_MS.saturating_add(small(units(kind)).saturating_mul(UNIT_MS)).saturating_add(turning)
}

fn units(kind: &ElementKind) -> usize {
    match kind {
        ElementKind::Text(text) | ElementKind::Callout(text) => words(text),
        ElementKind::Bullets(bullets) => bullets.items.iter().map(|item| words(&item.text)).sum(),
        ElementKind::Equation(equation) => groups(&latex_reader::written(&equation.formula.latex)),
        ElementKind::Code(code) => code.text.lines().filter(|line| !line.trim().is_empty()).count(),
        ElementKind::Table(table) => {
            let cells = table.header.iter().chain(table.rows.iter().flat_map(|row| &row.cells));
            cells.map(|cell| words(cell).min(1).max(words(cell) / 2)).sum()
        }
        ElementKind::Chart(chart) => PICTURE.max(2 * chart.bars.len()),
        ElementKind::Graph(graph) => PICTURE.max(graph.nodes.len()),
        ElementKind::Image(image) => PICTURE + image.caption.split_whitespace().count(),
        ElementKind::Axes(_) | ElementKind::NumberLine(_) | ElementKind::Drawing(_) | ElementKind::Space(_) => PICTURE,
        ElementKind::Placeholder(placeholder) => placeholder.label.split_whitespace().count(),
    }
}

fn words(text: &RichText) -> usize {
    let count = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => {
            let unspaced = text.chars().filter(|c| *c >= '\u{3040}').count();
            let spaced = text
                .split_whitespace()
                .filter(|word| word.chars().any(|c| c.is_alphanumeric() && c < '\u{3040}'))
                .count();
            spaced + unspaced.div_ceil(LETTERS_OF_WORD)
        }
        Span::Math(formula) => groups(&latex_reader::written(&formula.latex)),
    };
    text.spans.iter().map(count).sum()
}

/// Groups of signs in a formula: letters, numbers, operators and commands that show something.
fn groups(latex: &str) -> usize {
    const LAYOUT: &[&str] = &[
        "left",
        "right",
        "begin",
        "end",
        "quad",
        "qquad",
        "text",
        "mathrm",
        "mathbf",
        "mathbb",
        "mathcal",
        "displaystyle",
        "big",
        "Big",
        "frac",
        "dfrac",
        "sqrt",
        "operatorname",
    ];
    let mut signs = 0;
    let mut rest = latex;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\\' => {
                let name = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
                signs += usize::from(name > 0 && !LAYOUT.contains(&&rest[1..=name]));
                1 + name.max(rest[1..].chars().next().map_or(0, char::len_utf8))
            }
            '0'..='9' => {
                signs += 1;
                rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())
            }
            '{' | '}' | '^' | '_' | '&' | ' ' | '\n' => 1,
            c => {
                signs += 1;
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    signs.div_ceil(GROUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storyboard::{Code, Equation, Formula};
    use crate::text::plain;

    #[test]
    fn what_holds_more_stands_longer() {
        let equation = |latex: &str| {
            let formula = Formula { latex: latex.to_owned() };
            reading_ms(&ElementKind::Equation(Equation { formula, spoken: Vec::new() }))
        };
        assert_eq!(equation("x = 1"), 1_750);
        assert!(
            equation(r"\hat\theta = \arg\min_{\theta \in \Theta} \sum_{i=1}^n \left( y_i - \beta_0 \right)^2") > 3_000
        );
        assert_eq!(reading_ms(&ElementKind::Text(plain("four words stand here"))), 2_500);
        assert_eq!(reading_ms(&ElementKind::Text(plain("直角三角形才适用"))), 2_500);
        let code = Code { language: String::new(), text: "a\n\nb\nc".to_owned(), highlighted: Vec::new() };
        assert_eq!(reading_ms(&ElementKind::Code(code)), 2_250);
    }
}
