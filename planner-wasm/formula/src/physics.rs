//! Commands of `physics`, `braket` and `mathtools` that take a star, brackets or a choice of arguments.

use crate::cursor::{Cursor, Piece};
use crate::source::Pass;

/// What stands for a command of those packages.
#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(crate) fn command(pass: &mut Pass<'_>, name: &str, cursor: &mut Cursor<'_>) -> Option<String> {
    let mut at = *cursor;
    let written = match name {
        "\\dv"
        | "\\derivative"
        | "\\odv"
        | "\\fdv"
        | "\\fderivative"
        | "\\pdv"
        | "\\pderivative"
        | "\\partialderivative" => {
            let sign = match name {
                "\\dv" | "\\derivative" | "\\odv" => "\\mathrm{d}",
                "\\fdv" | "\\fderivative" => "\\delta",
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
            let star = at.take("*");
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
            fenced(left, &pass.run(inner), right, star)
        }
        "\\abs" | "\\absolutevalue" | "\\norm" | "\\order" | "\\eval" | "\\evaluated" | "\\ceil" | "\\floor"
        | "\\set" | "\\paren" | "\\inner" => {
            let star = at.take("*");
            at.optional();
            let inner = match at.group() {
                Some(inner) => inner,
                None if name == "\\abs" || name == "\\norm" => at.argument()?,
                None => return None,
            };
            let inner = pass.run(inner);
            match name {
                "\\norm" => fenced("\\lVert", &inner, "\\rVert", star),
                "\\order" => format!("\\mathcal{{O}}{}", fenced("(", &inner, ")", star)),
                "\\eval" | "\\evaluated" => format!("\\left.{inner}\\right|"),
                "\\ceil" => fenced("\\lceil", &inner, "\\rceil", star),
                "\\floor" => fenced("\\lfloor", &inner, "\\rfloor", star),
                "\\set" => fenced("\\{", &inner, "\\}", star),
                "\\paren" => fenced("(", &inner, ")", star),
                "\\inner" => fenced("\\langle", &inner, "\\rangle", star),
                _ => fenced("\\lvert", &inner, "\\rvert", star),
            }
        }
        "\\comm" | "\\commutator" | "\\acomm" | "\\anticommutator" | "\\pb" | "\\poissonbracket" => {
            let star = at.take("*");
            let (one, other) = (pass.run(at.group()?), pass.run(at.group()?));
            let (left, right) = if name.starts_with("\\comm") { ("[", "]") } else { ("\\{", "\\}") };
            fenced(left, &format!("{one}, {other}"), right, star)
        }
        "\\ket" | "\\bra" | "\\Ket" | "\\Bra" => {
            let star = at.take("*");
            let inner = pass.run(at.argument()?);
            let (left, right) = if name.eq_ignore_ascii_case("\\ket") { ("|", "\\rangle") } else { ("\\langle", "|") };
            fenced(left, &inner, right, star || !name.starts_with(['\\']) || name == "\\ket" || name == "\\bra")
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
        "\\ketbra" | "\\dyad" | "\\outerproduct" | "\\op" => {
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
        "\\qq" => {
            at.take("*");
            format!("\\quad\\text{{{}}}\\quad ", pass.text(at.group()?))
        }
        "\\mqty" | "\\matrixquantity" | "\\smqty" | "\\pmqty" | "\\bmqty" | "\\vmqty" | "\\Pmqty" | "\\mdet"
        | "\\smdet" => {
            let star = at.take("*");
            let (inner, kind) = match name {
                "\\pmqty" | "\\Pmqty" => (at.group()?, "pmatrix"),
                "\\bmqty" => (at.group()?, "bmatrix"),
                "\\vmqty" | "\\mdet" | "\\smdet" => (at.group()?, "vmatrix"),
                _ => {
                    if let Some(inner) = at.between('(', ')') {
                        (inner, "pmatrix")
                    } else if let Some(inner) = at.between('[', ']') {
                        (inner, "bmatrix")
                    } else if let Some(inner) = at.between('|', '|') {
                        (inner, "vmatrix")
                    } else {
                        (at.group()?, if star { "pmatrix" } else { "matrix" })
                    }
                }
            };
            format!("\\begin{{{kind}}}{}\\end{{{kind}}}", pass.run(inner))
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

fn fenced(left: &str, inner: &str, right: &str, fixed: bool) -> String {
    if fixed { format!("{left} {inner} {right} ") } else { format!("\\left{left} {inner} \\right{right} ") }
}
