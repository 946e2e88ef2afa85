//! Chemical formulas and reactions as `\ce{…}` has them (the LaTeX package mhchem), written out as plain LaTeX mathematics.
//!
//! `2 H2O2 -> 2 H2O + O2 ^` becomes `2\,\mathrm{H}_{2}\mathrm{O}_{2} \rightarrow …`. What is not understood stays as it is, and is
//! told by whoever reads the LaTeX.

use crate::latex;

/// The source with every `\ce{…}` and `\pu{…}` in it written out; none when there is none, or when it is too long for a formula.
pub(crate) fn written_out(source: &str) -> Option<String> {
    if source.len() > latex::LONGEST {
        return None;
    }
    let mut out = String::new();
    let mut rest = source;
    let mut found = false;
    while let Some((at, command)) = command(rest) {
        let (inner, chemical) = (&rest[at + command.len()..], command == COMMANDS[0]);
        // One that is never closed is left for the reader to complain about.
        let Some(end) = closing(inner) else { break };
        out.push_str(&rest[..at]);
        out.push('{');
        out.push_str(&if chemical { reaction(&inner[..end]) } else { unit(&inner[..end]) });
        out.push('}');
        rest = &inner[end + 1..];
        found = true;
    }
    out.push_str(rest);
    found.then_some(out)
}

const COMMANDS: [&str; 2] = ["\\ce{", "\\pu{"];

/// The first of the commands in `text`, and where it begins.
fn command(text: &str) -> Option<(usize, &'static str)> {
    text.match_indices('\\').find_map(|(at, _)| {
        let command = COMMANDS.into_iter().find(|command| text[at..].starts_with(command))?;
        Some((at, command))
    })
}

/// Where the brace is closed that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A quantity: `9.8 m/s^2`.
fn unit(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(upright).collect();
    words.join("\\,")
}

/// Letters upright, all else as it stands.
fn upright(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        if letters > 0 {
            out.push_str(&format!("\\mathrm{{{}}}", &rest[..letters]));
            rest = &rest[letters..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

const ARROWS: &[(&str, &str)] = &[
    ("<=>>", "\\rightleftharpoons"),
    ("<<=>", "\\rightleftharpoons"),
    ("<=>", "\\rightleftharpoons"),
    ("<-->", "\\rightleftharpoons"),
    ("<->", "\\leftrightarrow"),
    ("->", "\\rightarrow"),
    ("<-", "\\leftarrow"),
];

/// Formulas, arrows and signs between them.
fn reaction(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some((arrow, command)) = ARROWS.iter().find(|(arrow, _)| rest.starts_with(arrow)) {
            rest = &rest[arrow.len()..];
            let above = bracketed(&mut rest);
            let below = bracketed(&mut rest);
            out.push(match (above, below) {
                (None, _) => (*command).to_owned(),
                (Some(above), below) => {
                    let below = below.map(|below| format!("[{}]", reaction(below))).unwrap_or_default();
                    let long = if arrow.starts_with('<') { "xleftrightarrow" } else { "xrightarrow" };
                    format!("\\{long}{below}{{{}}}", reaction(above))
                }
            });
        } else {
            let end = end_of_word(rest);
            out.push(word(&rest[..end]));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    out.join(" ")
}

/// Bytes of what stands above or below an arrow.
const LONGEST_NOTE: usize = 200;

/// What stands in brackets right here.
fn bracketed<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let inner = rest.strip_prefix('[')?;
    let end = inner.bytes().take(LONGEST_NOTE).position(|byte| byte == b']')?;
    *rest = &inner[end + 1..];
    Some(&inner[..end])
}

/// A word ends at white space, or where an arrow begins.
fn end_of_word(text: &str) -> usize {
    let arrow = |at: usize| ARROWS.iter().any(|(arrow, _)| text[at..].starts_with(arrow));
    let ends = |(at, c): &(usize, char)| c.is_whitespace() || (*at > 0 && matches!(c, '<' | '-') && arrow(*at));
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

/// One formula with its number before it, or a sign.
fn word(text: &str) -> String {
    match text {
        "+" | "-" | "=" => return text.to_owned(),
        "v" | "(v)" => return "\\downarrow".to_owned(),
        "^" | "(^)" => return "\\uparrow".to_owned(),
        _ => {}
    }
    let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '/' | '.'))).unwrap_or(text.len());
    let (number, formula) = text.split_at(digits);
    let mut out = String::new();
    if !number.is_empty() {
        out.push_str(number);
        if !formula.is_empty() {
            out.push_str("\\,");
        }
    }
    let mut rest = formula;
    // What a digit or a charge may hang on.
    let mut held = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            'A'..='Z' | 'a'..='z' => {
                let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
                out.push_str(&format!("\\mathrm{{{}}}", &rest[..length]));
                length
            }
            '0'..='9' if held => {
                let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                out.push_str(&format!("_{{{}}}", &rest[..length]));
                length
            }
            '^' | '_' => {
                let (script, length) = script(&rest[1..]);
                let script = if first == '_' { upright(script) } else { script.to_owned() };
                out.push_str(&format!("{first}{{{script}}}"));
                1 + length
            }
            '+' | '-' if held && rest[1..].chars().all(|c| matches!(c, '+' | '-')) => {
                out.push_str(&format!("^{{{rest}}}"));
                rest.len()
            }
            '#' => {
                out.push_str("\\equiv ");
                1
            }
            '*' | '.' => {
                out.push_str("\\cdot ");
                1
            }
            '\\' => {
                let name = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1).max(1);
                let length = (1 + name..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
                out.push_str(&rest[..length]);
                out.push(' ');
                length
            }
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        held = matches!(first, 'A'..='Z' | 'a'..='z' | '0'..='9' | ')' | ']' | '}' | '^' | '_');
        rest = &rest[length..];
    }
    out
}

/// A script after its sign, and how long it is: a group, or a charge such as `2-`.
fn script(text: &str) -> (&str, usize) {
    if let Some(inner) = text.strip_prefix('{')
        && let Some(end) = closing(inner)
    {
        return (&inner[..end], end + 2);
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-'))).unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_reactions_are_written_out() {
        for (source, latex) in [
            (r"\ce{H2O}", r"{\mathrm{H}_{2}\mathrm{O}}"),
            (r"\ce{2H2 + O2 -> 2H2O}", r"{2\,\mathrm{H}_{2} + \mathrm{O}_{2} \rightarrow 2\,\mathrm{H}_{2}\mathrm{O}}"),
            (r"\ce{SO4^2-}", r"{\mathrm{SO}_{4}^{2-}}"),
            (r"\ce{Na+}", r"{\mathrm{Na}^{+}}"),
            (r"\ce{Ca(OH)2}", r"{\mathrm{Ca}(\mathrm{OH})_{2}}"),
            (r"\ce{A <=> B}", r"{\mathrm{A} \rightleftharpoons \mathrm{B}}"),
            (r"\ce{A->[MnO2]B}", r"{\mathrm{A} \xrightarrow{\mathrm{MnO}_{2}} \mathrm{B}}"),
            (r"x = \ce{^{14}_{6}C}", r"x = {^{14}_{6}\mathrm{C}}"),
            (r"\pu{9.8 m/s^2}", r"{9.8\,\mathrm{m}/\mathrm{s}^2}"),
            (r"\ce{O2 ^}", r"{\mathrm{O}_{2} \uparrow}"),
        ] {
            assert_eq!(written_out(source).as_deref(), Some(latex), "{source}");
        }
        assert_eq!(written_out(r"\frac{1}{2}"), None);
        assert_eq!(written_out(r"\ce{never closed"), None);
    }

    #[test]
    fn no_input_is_too_odd() {
        for odd in
            [r"\ce{\}}", r"\ce{^}", r"\ce{_}", r"\ce{[}", r"\ce{->[}", r"\ce{ö²→\é}", r"\ce{}", r"\ce{{}", r"\ce{2+}"]
        {
            let _ = written_out(odd).map(|latex| crate::latex::parse(&latex).is_ok());
        }
    }
}
