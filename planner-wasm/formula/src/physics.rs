//! Commands of `physics`, `braket` and `mathtools` that take a star, brackets or a choice of arguments.

use crate::cursor::{Cursor, Piece};
use crate::source::{Pass, SIZES, delimited, fill_last_cell};

/// What stands for a command of those packages.
pub(crate) fn command(pass: &mut Pass<'_>, name: &str, cursor: &mut Cursor<'_>) -> Option<String> {
    let mut at = *cursor;
    let written = match name {
        "\\dv"
        | "\\derivative"
        | "\\odv"
        | "\\fdv"
        | "\\fderivative"
        | "\\functionalderivative"
        | "\\pdv"
        | "\\pderivative"
        | "\\partialderivative" => {
            let sign = match name {
                "\\dv" | "\\derivative" | "\\odv" => "\\mathrm{d}",
                "\\fdv" | "\\fderivative" | "\\functionalderivative" => "\\delta",
                _ => "\\partial",
            };
            let flat = at.take("*");
            let order = at.optional().map(|order| pass.run(order));
            let first = pass.run(at.group()?);
            let second = at.group().map(|inner| pass.run(inner));
            let third =
                if sign == "\\partial" && second.is_some() { at.group().map(|inner| pass.run(inner)) } else { None };
            let power = order.as_ref().map_or(String::new(), |order| format!("^{{{order}}}"));
            let (above, below) = match (second, third) {
                (None, _) => (format!("{sign}{power}"), format!("{sign} {first}{power}")),
                (Some(by), None) => (format!("{sign}{power} {first}"), format!("{sign} {by}{power}")),
                (Some(by), Some(and)) => (format!("{sign}^{{2}} {first}"), format!("{sign} {by}\\,{sign} {and}")),
            };
            if flat { format!("{{{above}}}/{{{below}}}") } else { format!("\\frac{{{above}}}{{{below}}}") }
        }
        "\\dd" | "\\differential" | "\\dn" | "\\var" | "\\variation" => {
            let sign = if matches!(name, "\\var" | "\\variation") { "\\delta" } else { "\\mathrm{d}" };
            let power = at.optional().map_or(String::new(), |order| format!("^{{{order}}}"));
            let of = at.group().or_else(|| at.between('(', ')'));
            let of = of.map(|inner| pass.run(inner));
            match of {
                Some(of) => format!("\\,{{{sign}{power} {of}}}"),
                // `\var` is somebody's own name for the variance more often than not.
                None if name == "\\var" => return None,
                None => format!("\\,{sign}{power} "),
            }
        }
        "\\qty" | "\\pqty" | "\\bqty" | "\\vqty" | "\\Bqty" | "\\quantity" => {
            let fit = Fit::of(&mut at);
            let (left, inner, right) = match name {
                "\\pqty" => ("(", at.group()?, ")"),
                "\\bqty" => ("[", at.group()?, "]"),
                "\\vqty" => ("|", at.group()?, "|"),
                "\\Bqty" => ("\\{", at.group()?, "\\}"),
                _ => {
                    if let Some(inner) = at.between('(', ')') {
                        ("(", inner, ")")
                    } else if let Some(inner) = at.between('[', ']') {
                        ("[", inner, "]")
                    } else if let Some(inner) = at.between('|', '|') {
                        ("|", inner, "|")
                    } else {
                        ("\\{", at.group()?, "\\}")
                    }
                }
            };
            fenced(left, &pass.run(inner), right, fit)
        }
        "\\abs" | "\\absolutevalue" | "\\norm" | "\\order" | "\\eval" | "\\evaluated" | "\\ceil" | "\\floor"
        | "\\set" | "\\paren" | "\\inner" => {
            let fit = Fit::of(&mut at);
            // `\eval(x|_0^1`
            if name.starts_with("\\eval")
                && let Some(left) = ["(", "["].into_iter().find(|left| at.take(left))
            {
                let inner = pass.run(at.until("|")?);
                *cursor = at;
                return Some(format!("\\left{left}{inner}\\right|"));
            }
            at.optional();
            let inner = match at.group() {
                Some(inner) => inner,
                None if name == "\\abs" || name == "\\norm" => at.argument()?,
                None => return None,
            };
            let inner = pass.run(inner);
            match name {
                "\\norm" => fenced("\\lVert", &inner, "\\rVert", fit),
                "\\order" => format!("\\mathcal{{O}}{}", fenced("(", &inner, ")", fit)),
                "\\eval" | "\\evaluated" => format!("\\left.{inner}\\right|"),
                "\\ceil" => fenced("\\lceil", &inner, "\\rceil", fit),
                "\\floor" => fenced("\\lfloor", &inner, "\\rfloor", fit),
                "\\set" => fenced("\\{", &inner, "\\}", fit),
                "\\paren" => fenced("(", &inner, ")", fit),
                "\\inner" => fenced("\\langle", &inner, "\\rangle", fit),
                _ => fenced("\\lvert", &inner, "\\rvert", fit),
            }
        }
        "\\comm" | "\\commutator" | "\\acomm" | "\\anticommutator" | "\\pb" | "\\poissonbracket" => {
            let fit = Fit::of(&mut at);
            let (one, other) = (pass.run(at.group()?), pass.run(at.group()?));
            let (left, right) = if name.starts_with("\\comm") { ("[", "]") } else { ("\\{", "\\}") };
            fenced(left, &format!("{one}, {other}"), right, fit)
        }
        "\\ket" | "\\bra" | "\\Ket" | "\\Bra" => {
            let star = at.take("*");
            let inner = pass.run(at.argument()?);
            let (left, right) = if name.eq_ignore_ascii_case("\\ket") { ("|", "\\rangle") } else { ("\\langle", "|") };
            if name == "\\bra" && at.take("\\ket") {
                // They share their bar.
                let other = pass.run(at.argument()?);
                *cursor = at;
                return Some(format!("\\langle {inner} | {other} \\rangle "));
            }
            let fixed = star || name == "\\ket" || name == "\\bra";
            fenced(left, &inner, right, if fixed { Fit::Fixed } else { Fit::Tall })
        }
        "\\braket" | "\\Braket" | "\\ip" | "\\innerproduct" => {
            let star = at.take("*");
            let one = pass.run(at.group()?);
            let inner = match at.group() {
                Some(other) => format!("{one}\\middle|{}", pass.run(other)),
                // `\braket{a|b}`: the bar is in it already.
                None => one.replace('|', "\\middle|"),
            };
            if star { inner_fixed(&inner) } else { format!("\\left\\langle {inner}\\right\\rangle ") }
        }
        "\\ketbra" | "\\Ketbra" | "\\dyad" | "\\outerproduct" | "\\op" => {
            at.take("*");
            let one = pass.run(at.group()?);
            let other = at.group().map_or_else(|| one.clone(), |inner| pass.run(inner));
            format!("\\left|{one}\\middle\\rangle\\!\\middle\\langle {other}\\right|")
        }
        "\\ev" | "\\expval" | "\\expectationvalue" => {
            at.take("*");
            at.take("*");
            let of = pass.run(at.group()?);
            match at.group() {
                Some(state) => {
                    let state = pass.run(state);
                    format!("\\left\\langle {state}\\middle|{of}\\middle|{state}\\right\\rangle ")
                }
                None => format!("\\left\\langle {of}\\right\\rangle "),
            }
        }
        "\\vev" => format!("\\left\\langle 0\\middle|{}\\middle|0\\right\\rangle ", pass.run(at.group()?)),
        "\\mel" | "\\matrixel" | "\\matrixelement" => {
            at.take("*");
            at.take("*");
            let (bra, of, ket) = (pass.run(at.group()?), pass.run(at.group()?), pass.run(at.group()?));
            format!("\\left\\langle {bra}\\middle|{of}\\middle|{ket}\\right\\rangle ")
        }
        "\\vb" | "\\vectorbold" => {
            let italic = at.take("*");
            let inner = pass.run(at.argument()?);
            if italic { format!("\\boldsymbol{{{inner}}}") } else { format!("\\mathbf{{{inner}}}") }
        }
        "\\va" | "\\vectorarrow" | "\\vu" | "\\vectorunit" => {
            let italic = at.take("*");
            let inner = pass.run(at.argument()?);
            let accent = if name.starts_with("\\va") || name == "\\vectorarrow" { "\\vec" } else { "\\hat" };
            let font = if italic { "\\boldsymbol" } else { "\\mathbf" };
            format!("{accent}{{{font}{{{inner}}}}}")
        }
        "\\grad" | "\\gradient" | "\\curl" | "\\laplacian" => {
            let sign = match name {
                "\\curl" => "\\nabla\\times ",
                "\\laplacian" => "\\nabla^{2} ",
                _ => "\\nabla ",
            };
            match at.peek() {
                Some(Piece::Letter('{')) => format!("{sign}{{{}}}", pass.run(at.group()?)),
                _ => sign.to_owned(),
            }
        }
        // Without an argument it is the sign of division.
        "\\div" | "\\divergence" => match at.group() {
            Some(inner) => format!("\\nabla\\cdot {{{}}}", pass.run(inner)),
            None if name == "\\div" => return None,
            None => "\\nabla\\cdot ".to_owned(),
        },
        "\\qq" | "\\qqtext" => {
            at.take("*");
            format!("\\quad\\text{{{}}}\\quad ", pass.text(at.group()?))
        }
        "\\mqty"
        | "\\matrixquantity"
        | "\\smqty"
        | "\\smallmatrixquantity"
        | "\\pmqty"
        | "\\Pmqty"
        | "\\bmqty"
        | "\\vmqty"
        | "\\spmqty"
        | "\\sPmqty"
        | "\\sbmqty"
        | "\\svmqty"
        | "\\mdet"
        | "\\matrixdeterminant"
        | "\\smdet" => {
            let star = at.take("*");
            let bare = name.trim_start_matches("\\s");
            let small = bare.len() < name.len();
            let (inner, left, right) = match bare.trim_start_matches('\\') {
                "pmqty" | "Pmqty" => (at.group()?, "(", ")"),
                "bmqty" => (at.group()?, "[", "]"),
                "vmqty" | "mdet" | "matrixdeterminant" => (at.group()?, "|", "|"),
                _ => {
                    if let Some(inner) = at.between('(', ')') {
                        (inner, "(", ")")
                    } else if let Some(inner) = at.between('[', ']') {
                        (inner, "[", "]")
                    } else if let Some(inner) = at.between('|', '|') {
                        (inner, "|", "|")
                    } else {
                        let inner = at.group()?;
                        if star { (inner, "(", ")") } else { (inner, ".", ".") }
                    }
                }
            };
            let mut inner = pass.run(inner);
            fill_last_cell(&mut inner);
            if small {
                format!("\\left{left}\\begin{{smallmatrix}}{inner}\\end{{smallmatrix}}\\right{right}")
            } else {
                let kind = match left {
                    "(" => "pmatrix",
                    "[" => "bmatrix",
                    "|" => "vmatrix",
                    _ => "matrix",
                };
                format!("\\begin{{{kind}}}{inner}\\end{{{kind}}}")
            }
        }
        // What stands in a matrix.
        "\\imat" | "\\identitymatrix" => {
            let size = count(at.group()?)?;
            grid(size, size, |row, column| if row == column { "1".to_owned() } else { "0".to_owned() })
        }
        "\\zmat" | "\\zeromatrix" => {
            let (rows, columns) = (count(at.group()?)?, count(at.group()?)?);
            grid(rows, columns, |_, _| "0".to_owned())
        }
        "\\xmat" | "\\xmatrix" => {
            let indexed = at.take("*");
            let of = pass.run(at.group()?);
            let (rows, columns) = (count(at.group()?)?, count(at.group()?)?);
            grid(rows, columns, |row, column| match (indexed, rows, columns) {
                (false, ..) => of.clone(),
                (true, 1, _) => format!("{of}_{{{}}}", column + 1),
                (true, _, 1) => format!("{of}_{{{}}}", row + 1),
                (true, ..) => format!("{of}_{{{}{}}}", row + 1, column + 1),
            })
        }
        "\\pmat" | "\\paulimatrix" => match at.group()?.trim() {
            "0" => "1&0\\\\0&1".to_owned(),
            "1" | "x" => "0&1\\\\1&0".to_owned(),
            "2" | "y" => "0&-i\\\\i&0".to_owned(),
            "3" | "z" => "1&0\\\\0&-1".to_owned(),
            _ => return None,
        },
        "\\dmat" | "\\diagonalmatrix" | "\\admat" | "\\antidiagonalmatrix" => {
            let fill = at.optional().map_or(String::new(), |fill| pass.run(fill));
            let blocks = pass.run(at.group()?);
            diagonal(&blocks, &fill, matches!(name, "\\admat" | "\\antidiagonalmatrix"))
        }
        "\\flatfrac" => {
            let (above, below) = (pass.run(at.argument()?), pass.run(at.argument()?));
            format!("{{{above}}}/{{{below}}}")
        }
        "\\trace" | "\\Trace" => format!("\\operatorname{{{}}}", if name == "\\trace" { "tr" } else { "Tr" }),
        _ => return None,
    };
    *cursor = at;
    Some(written)
}

fn inner_fixed(inner: &str) -> String {
    format!("\\langle {} \\rangle ", inner.replace("\\middle|", "|"))
}

/// How tall delimiters are.
#[derive(Clone, Copy)]
enum Fit {
    /// As what they are around.
    Tall,
    /// As letters.
    Fixed,
    /// Of a size by its command.
    Sized(&'static str),
}

impl Fit {
    /// By what stands after a command: a star, or a size.
    fn of(at: &mut Cursor<'_>) -> Self {
        if at.take("*") {
            return Self::Fixed;
        }
        let mut ahead = *at;
        if let Some(Piece::Command(name)) = ahead.next()
            && let Some(size) = SIZES.iter().find(|size| **size == name)
        {
            *at = ahead;
            return Self::Sized(size);
        }
        Self::Tall
    }
}

fn fenced(left: &str, inner: &str, right: &str, fit: Fit) -> String {
    match fit {
        Fit::Tall => format!("\\left{left} {inner} \\right{right} "),
        Fit::Fixed => delimited((left, inner, right), false, None),
        Fit::Sized(size) => delimited((left, inner, right), false, Some(size)),
    }
}

/// Rows or columns of a matrix that a command fills; more fit on no screen.
const MOST_LINES: usize = 20;

fn count(written: &str) -> Option<usize> {
    written.trim().parse().ok().filter(|count| (1..=MOST_LINES).contains(count))
}

/// The cells of a matrix.
fn grid(rows: usize, columns: usize, cell: impl Fn(usize, usize) -> String) -> String {
    let row = |row: usize| (0..columns).map(|column| cell(row, column)).collect::<Vec<_>>().join("&");
    (0..rows).map(row).collect::<Vec<_>>().join("\\\\")
}

/// Blocks between commas on a diagonal, and `fill` elsewhere.
fn diagonal(blocks: &str, fill: &str, backwards: bool) -> String {
    let blocks: Vec<Vec<Vec<&str>>> = split(blocks, ",")
        .into_iter()
        .map(|block| split(block, "\\\\").into_iter().map(|row| split(row, "&")).collect())
        .collect();
    let widths: Vec<usize> = blocks.iter().map(|block| block.iter().map(Vec::len).max().unwrap_or(0)).collect();
    let width: usize = widths.iter().sum();
    let mut rows = Vec::new();
    let mut left = 0;
    for (block, own) in blocks.iter().zip(&widths) {
        let before = if backwards { width - left - own } else { left };
        for row in block {
            let mut cells = vec![fill; before];
            cells.extend(row);
            cells.resize(width.max(before + row.len()), fill);
            rows.push(cells.join("&"));
        }
        left += own;
        if rows.len() > MOST_LINES {
            break;
        }
    }
    rows.join("\\\\")
}

/// What stands between signs that are in no group.
fn split<'a>(text: &'a str, sign: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut cursor = Cursor::new(text);
    let (mut start, mut depth) = (0, 0_i32);
    loop {
        let here = text.len() - cursor.rest.len();
        if depth == 0 && cursor.take(sign) {
            parts.push(&text[start..here]);
            start = text.len() - cursor.rest.len();
            continue;
        }
        match cursor.next() {
            Some(Piece::Letter('{')) => depth += 1,
            Some(Piece::Letter('}')) => depth -= 1,
            Some(_) => {}
            None => break,
        }
    }
    parts.push(&text[start..]);
    parts
}
