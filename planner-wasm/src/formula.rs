//! From LaTeX to Typst mathematics, without the dollar signs. What can't be understood is said, never guessed.
//!
//! Every sign of the formula's own is escaped, so that a comma or bracket of the author's is never one of Typst's.

use std::fmt::Write as _;

use crate::chemistry;
use crate::latex::{self, Node, Row, Table};
use crate::storyboard::Formula;

/// Bytes of Typst: some of LaTeX's signs are twenty times as long there.
const LONGEST: usize = 50_000;

/// The formula in both languages.
///
/// # Errors
/// In words, why it can't be understood.
pub(crate) fn formula(source: &str) -> Result<Formula, String> {
    let chemical = chemistry::written_out(source);
    let row = latex::parse(chemical.as_deref().unwrap_or(source))?;
    let typst = match row.as_slice() {
        [Node::Table(table)] if is_lines(&table.name) => lines(table),
        _ => all(&row),
    };
    if typst.len() > LONGEST {
        return Err("it is too long".to_owned());
    }
    Ok(Formula { latex: source.trim().to_owned(), typst })
}

/// Whether an environment is lines of a formula, with or without places to align.
fn is_lines(name: &str) -> bool {
    matches!(
        name,
        "aligned"
            | "align"
            | "alignedat"
            | "alignat"
            | "split"
            | "eqnarray"
            | "gathered"
            | "gather"
            | "multline"
            | "equation"
            | "displaymath"
            | "substack"
    )
}

fn all(row: &[Node<'_>]) -> String {
    let mut typst = String::new();
    for (index, node) in row.iter().enumerate() {
        let before = typst.len();
        one(node, &mut typst);
        // Typst shows a space beside quoted text, and LaTeX only what stands within it.
        let quoted = typst[..before].ends_with('"') || typst[before..].starts_with('"');
        if index > 0 && !quoted {
            typst.insert(before, ' ');
        }
    }
    typst
}

/// A row as an argument of a Typst function, which must not be empty.
fn argument(row: &[Node<'_>]) -> String {
    let typst = all(row);
    if typst.trim().is_empty() { "\"\"".to_owned() } else { typst }
}

fn one(node: &Node<'_>, out: &mut String) {
    // Writing to a string can't fail.
    let _ = match node {
        // LaTeX takes them for letters, Typst for signs with room around them.
        Node::Char(c @ ('|' | '‖')) => write!(out, "class(\"normal\", {})", sign(*c)),
        Node::Char(c) => write!(out, "{}", sign(*c)),
        Node::Big('.', _) => Ok(()),
        Node::Big(c, height) => write!(out, "stretch({}, size: #{height}%)", sign(*c)),
        Node::Number(number) => write!(out, "{number}"),
        Node::Text(text) => write!(out, "{}", quoted(text)),
        Node::Symbol(symbol) => write!(out, "{}", sign(symbol.sign)),
        Node::Rare(_, typst) => write!(out, "{typst}"),
        Node::Operator(name, true) => write!(out, "op({}, limits: #true)", quoted(name)),
        Node::Operator(name, false) => write!(out, "op({})", quoted(name)),
        Node::Group(row) => write!(out, "{}", argument(row)),
        Node::Fraction(name, top, bottom) => {
            let (top, bottom) = (argument(top), argument(bottom));
            match *name {
                "binom" | "dbinom" | "tbinom" => write!(out, "binom({top}, {bottom})"),
                "dfrac" | "cfrac" => write!(out, "display(frac({top}, {bottom}))"),
                "tfrac" => write!(out, "inline(frac({top}, {bottom}))"),
                _ => write!(out, "frac({top}, {bottom})"),
            }
        }
        Node::Root(None, of) => write!(out, "sqrt({})", argument(of)),
        Node::Root(Some(index), of) => write!(out, "root({}, {})", argument(index), argument(of)),
        Node::Accent(name, row) => write!(out, "{}", accent(name, &argument(row))),
        Node::Font(name, row) => write!(out, "{}", font(name, row)),
        Node::Scripts { base, below, above, primes } => {
            write!(out, "{}", scripts(base.as_deref(), below.as_ref(), above.as_ref(), *primes))
        }
        Node::Fenced('{', row, '.') if matches!(row.as_slice(), [Node::Table(_)]) => match row.as_slice() {
            [Node::Table(table)] => write!(out, "{}", cases(table, "")),
            _ => Ok(()),
        },
        Node::Fenced(left, row, right) => {
            let end = |c: char| if c == '.' { String::new() } else { sign(c) };
            write!(out, "lr({} {} {})", end(*left), argument(row), end(*right))
        }
        Node::Middle(c) => write!(out, "mid({})", sign(*c)),
        Node::Table(table) => write!(out, "{}", environment(table)),
        Node::Stacked { above, note, base } => {
            write!(out, "limits({}){}({})", argument(base), if *above { '^' } else { '_' }, argument(note))
        }
        Node::Arrow(arrow, above, below) => {
            let below = if below.is_empty() { String::new() } else { format!("_({})", all(below)) };
            write!(out, "limits(stretch({arrow})){below}^({})", argument(above))
        }
        Node::Colour(colour, row) => write!(out, "text(fill: #{}, {})", paint(colour), argument(row)),
        Node::Not(denied) => write!(out, "{}", not(denied)),
        Node::Space(name) => write!(out, "{}", space(name)),
        Node::Modulo(row) => write!(out, "quad \\( op(\"mod\") {} \\)", argument(row)),
    };
}

/// A character as itself: signs that mean something to Typst are escaped.
fn sign(c: char) -> String {
    match c {
        '-' | '+' | '=' | '<' | '>' | '*' => c.to_string(),
        c if c.is_ascii_punctuation() => format!("\\{c}"),
        // Typst looks for the other one of a pair, which may stand in another argument or nowhere.
        '⟨' | '⟩' | '⌊' | '⌋' | '⌈' | '⌉' | '⟦' | '⟧' | '⟪' | '⟫' | '⟮' | '⟯' | '⌜' | '⌝' | '⌞' | '⌟' =>
        {
            format!("\\{c}")
        }
        c if c.is_ascii_alphanumeric() || !c.is_alphanumeric() => c.to_string(),
        // Greek and other mathematical letters are set as letters, other scripts as words.
        'α'..='ω' | 'Α'..='Ω' | 'ϑ' | 'ϕ' | 'ϖ' | 'ϱ' | 'ϵ' | 'ı' | 'ȷ' | '\u{2100}'..='\u{214f}' => {
            c.to_string()
        }
        c => quoted(&c.to_string()),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn accent(name: &str, of: &str) -> String {
    match name {
        "hat" | "widehat" => format!("hat({of})"),
        "tilde" | "widetilde" => format!("tilde({of})"),
        "bar" | "overline" => format!("overline({of})"),
        "vec" | "overrightarrow" => format!("arrow({of})"),
        "overleftarrow" => format!("arrow.l({of})"),
        "ddot" => format!("dot.double({of})"),
        "dddot" => format!("dot.triple({of})"),
        "check" => format!("caron({of})"),
        "mathring" => format!("circle({of})"),
        "bcancel" => format!("cancel(inverted: #true, {of})"),
        "xcancel" => format!("cancel(cross: #true, {of})"),
        "boxed" | "fbox" => {
            format!("#(context box(stroke: 0.05em + text.fill, inset: 0.35em, baseline: 0.35em, $display({of})$))")
        }
        "phantom" | "hphantom" | "vphantom" => format!("#hide($display({of})$)"),
        // `dot`, `acute`, `grave`, `breve`, `underline`, `overbrace`, `underbrace` and `cancel` have the same names.
        _ => format!("{name}({of})"),
    }
}

fn font(name: &str, row: &Row<'_>) -> String {
    let letters: Option<String> =
        row.iter().map(|node| if let Node::Char(c) = node { Some(*c) } else { None }).collect();
    let word = letters.filter(|word| word.chars().count() > 1 && word.chars().all(char::is_alphabetic));
    let of = match (name, word) {
        // A word in upright letters is set as one, closer than letters that are multiplied.
        ("mathrm" | "rm" | "mathsf" | "sf" | "mathtt" | "tt", Some(word)) => quoted(&word),
        _ => argument(row),
    };
    match name {
        "mathbf" | "bf" => format!("upright(bold({of}))"),
        "bm" | "boldsymbol" | "pmb" => format!("bold({of})"),
        "mathbb" => format!("bb({of})"),
        "mathcal" | "cal" => format!("cal({of})"),
        "mathscr" => format!("scr({of})"),
        "mathfrak" => format!("frak({of})"),
        "mathsf" | "sf" => format!("sans({of})"),
        "mathtt" | "tt" => format!("mono({of})"),
        "mathrm" | "rm" => format!("upright({of})"),
        _ => format!("italic({of})"),
    }
}

fn scripts(base: Option<&Node<'_>>, below: Option<&Row<'_>>, above: Option<&Row<'_>>, primes: usize) -> String {
    let mut out = String::new();
    match (base, below, above) {
        // A brace's script is its note.
        (Some(Node::Accent(name @ "overbrace", of)), None, Some(note))
        | (Some(Node::Accent(name @ "underbrace", of)), Some(note), None) => {
            return format!("{name}({}, {})", argument(of), argument(note));
        }
        (None, ..) => out.push_str("\"\""),
        (Some(node), ..) => one(node, &mut out),
    }
    if let Some(below) = below {
        let _ = write!(out, "_({})", script(below));
    }
    if primes > 0 || above.is_some() {
        let marks = vec!["′"; primes].join(" ");
        let _ = write!(out, "^({marks} {})", above.map(script).unwrap_or_default());
    }
    out
}

fn script(row: &Row<'_>) -> String {
    match row.as_slice() {
        [Node::Table(table)] if is_lines(&table.name) => lines(table),
        _ => argument(row),
    }
}

fn lines(table: &Table<'_>) -> String {
    let line = |cells: &Vec<Row<'_>>| cells.iter().map(|cell| all(cell)).collect::<Vec<_>>().join(" & ");
    table.rows.iter().map(line).collect::<Vec<_>>().join(" \\ ")
}

fn cases(table: &Table<'_>, options: &str) -> String {
    let display = table.name == "dcases" || is_lines(&table.name);
    let cell = |row: &Row<'_>| if display { format!("display({})", argument(row)) } else { argument(row) };
    let gap = if is_lines(&table.name) { " & " } else { " & quad " };
    let line = |cells: &Vec<Row<'_>>| cells.iter().map(cell).collect::<Vec<_>>().join(gap);
    format!("cases({options}{})", table.rows.iter().map(line).collect::<Vec<_>>().join(", "))
}

fn environment(table: &Table<'_>) -> String {
    let delimiter = match table.name.as_str() {
        "cases" | "dcases" => return cases(table, ""),
        "rcases" => return cases(table, "reverse: #true, "),
        "pmatrix" => "\"(\"",
        "bmatrix" => "\"[\"",
        "Bmatrix" => "\"{\"",
        "vmatrix" => "\"|\"",
        "Vmatrix" => "\"‖\"",
        _ => "#none",
    };
    // Lines of a formula inside of something are a matrix of one column whose cells align.
    let (gap, style) = if is_lines(&table.name) { (" & ", "display") } else { (", ", "") };
    let cell = |row: &Row<'_>| if style.is_empty() { argument(row) } else { format!("{style}({})", argument(row)) };
    let line = |cells: &Vec<Row<'_>>| cells.iter().map(cell).collect::<Vec<_>>().join(gap);
    let rows = table.rows.iter().map(line).collect::<Vec<_>>().join("; ");
    let mat = format!("mat(delim: {delimiter}, {}{rows})", rules(table));
    if table.name == "smallmatrix" { format!("inline({mat})") } else { mat }
}

/// The lines between the columns and rows of an array.
fn rules(table: &Table<'_>) -> String {
    let columns = table.columns.chars().filter(|c| matches!(c, 'l' | 'c' | 'r')).count();
    let mut seen = 0;
    let mut vertical = Vec::new();
    for c in table.columns.chars() {
        match c {
            '|' if (1..columns).contains(&seen) => vertical.push(seen),
            'l' | 'c' | 'r' => seen += 1,
            _ => {}
        }
    }
    let horizontal: Vec<_> = table.lines.iter().filter(|line| (1..table.rows.len()).contains(line)).collect();
    if vertical.is_empty() && horizontal.is_empty() {
        return String::new();
    }
    let list = |numbers: Vec<String>| format!("({},)", numbers.join(", "));
    let mut parts = Vec::new();
    if !horizontal.is_empty() {
        parts.push(format!("hline: {}", list(horizontal.iter().map(ToString::to_string).collect())));
    }
    if !vertical.is_empty() {
        parts.push(format!("vline: {}", list(vertical.iter().map(ToString::to_string).collect())));
    }
    format!("augment: #({}), ", parts.join(", "))
}

fn not(denied: &Node<'_>) -> String {
    let sign_of = match denied {
        Node::Char(c) => Some(*c),
        Node::Symbol(symbol) => Some(symbol.sign),
        _ => None,
    };
    match sign_of {
        Some('=') => "≠".to_owned(),
        Some('<') => "≮".to_owned(),
        Some('>') => "≯".to_owned(),
        Some('∈') => "∉".to_owned(),
        Some('⊂') => "⊄".to_owned(),
        Some('⊆') => "⊈".to_owned(),
        Some('≡') => "≢".to_owned(),
        Some('∼') => "≁".to_owned(),
        Some('≤') => "≰".to_owned(),
        Some('≥') => "≱".to_owned(),
        _ => {
            let mut of = String::new();
            one(denied, &mut of);
            format!("cancel({of})")
        }
    }
}

fn space(name: &str) -> &'static str {
    match name {
        "," | "thinspace" => "thin",
        ":" | ">" => "med",
        ";" => "thick",
        "!" => "#h(-0.16em)",
        "quad" => "quad",
        "qquad" => "wide",
        _ => "space",
    }
}

/// A colour's name as Typst's; a name that isn't known is drawn in a colour that stands out.
fn paint(colour: &str) -> String {
    let name = colour.trim().to_ascii_lowercase();
    let code = name.strip_prefix('#').unwrap_or(&name);
    if code.len() == 6 && code.chars().all(|c| c.is_ascii_hexdigit()) {
        return format!("rgb(\"{code}\")");
    }
    // Bright enough to be read on a dark ground and dark enough on a light one.
    let code = match name.as_str() {
        "red" => "e5534b",
        "blue" | "navy" => "4c8fe8",
        "green" | "lime" | "olive" => "3fa45b",
        "purple" | "violet" | "magenta" | "fuchsia" => "b07be0",
        "yellow" | "gold" => "d9a514",
        "cyan" | "teal" | "aqua" => "2aa5b5",
        "pink" => "e0699f",
        "brown" => "b0793f",
        "gray" | "grey" => "8a8f98",
        _ => "e8833a",
    };
    format!("rgb(\"{code}\")")
}
