//! An author's own commands: `\newcommand`, `\def`, `\DeclareMathOperator` and their kin hold for all formulas after them.

use std::collections::BTreeMap;

/// Commands inside of commands, and bytes of a formula in which they are written out: a few lines could make gigabytes of them.
const DEEPEST: usize = 20;
const LONGEST: usize = 8_000;
/// Commands of one document.
const MOST: usize = 500;

/// A command: how many arguments it takes, the first of them when it may be left out, and what stands for it.
#[derive(Debug, Clone)]
struct Command {
    arguments: usize,
    default: Option<String>,
    body: String,
}

/// The commands that were defined so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Macros(BTreeMap<String, Command>);

const DEFINES: &[&str] =
    &["\\newcommand", "\\renewcommand", "\\providecommand", "\\DeclareMathOperator", "\\def", "\\gdef", "\\let"];

/// Whether `text` begins with a definition.
pub(crate) fn defines(text: &str) -> bool {
    DEFINES.iter().any(|command| text.strip_prefix(command).is_some_and(|rest| rest.starts_with(['{', '\\', '*', ' '])))
}

/// Commands of packages that lessons use as if they were LaTeX's own: what they stand for, with the number of their arguments. An author's
/// own definition comes before them.
const PACKAGES: &[(&str, usize, &str)] = &[
    // physics, braket
    ("ket", 1, "\\left|#1\\right\\rangle"),
    ("bra", 1, "\\left\\langle#1\\right|"),
    ("braket", 1, "\\left\\langle#1\\right\\rangle"),
    ("dv", 2, "\\frac{d#1}{d#2}"),
    ("pdv", 2, "\\frac{\\partial #1}{\\partial #2}"),
    ("laplacian", 0, "\\nabla^2"),
    ("grad", 0, "\\nabla"),
    ("norm", 1, "\\left\\|#1\\right\\|"),
    ("abs", 1, "\\left|#1\\right|"),
    ("expval", 1, "\\left\\langle#1\\right\\rangle"),
    ("dd", 1, "\\,d#1"),
    // dsfont, bm
    ("mathds", 1, "\\mathbb{#1}"),
    ("bm", 1, "\\boldsymbol{#1}"),
    ("bbR", 0, "\\mathbb{R}"),
    ("bbN", 0, "\\mathbb{N}"),
    ("bbZ", 0, "\\mathbb{Z}"),
    ("bbQ", 0, "\\mathbb{Q}"),
    ("bbC", 0, "\\mathbb{C}"),
];

/// The symbols of siunitx's words.
const UNITS: &[(&str, &str)] = &[
    ("meter", "m"),
    ("metre", "m"),
    ("second", "s"),
    ("gram", "g"),
    ("kilogram", "kg"),
    ("ampere", "A"),
    ("kelvin", "K"),
    ("mole", "mol"),
    ("mol", "mol"),
    ("candela", "cd"),
    ("hertz", "Hz"),
    ("newton", "N"),
    ("pascal", "Pa"),
    ("joule", "J"),
    ("watt", "W"),
    ("coulomb", "C"),
    ("volt", "V"),
    ("farad", "F"),
    ("ohm", "\\Omega"),
    ("siemens", "S"),
    ("weber", "Wb"),
    ("tesla", "T"),
    ("henry", "H"),
    ("celsius", "{}^\\circ C"),
    ("degreeCelsius", "{}^\\circ C"),
    ("degree", "{}^\\circ"),
    ("litre", "L"),
    ("liter", "L"),
    ("minute", "min"),
    ("hour", "h"),
    ("day", "d"),
    ("percent", "\\%"),
    ("electronvolt", "eV"),
    ("tonne", "t"),
    ("bar", "bar"),
    ("kilo", "k"),
    ("mega", "M"),
    ("giga", "G"),
    ("milli", "m"),
    ("micro", "\\mu "),
    ("nano", "n"),
    ("pico", "p"),
    ("centi", "c"),
    ("deci", "d"),
    ("femto", "f"),
    ("tera", "T"),
    ("cm", "cm"),
    ("mm", "mm"),
    ("km", "km"),
    ("kg", "kg"),
    ("m", "m"),
    ("s", "s"),
    ("ms", "ms"),
    ("K", "K"),
    ("N", "N"),
    ("J", "J"),
    ("V", "V"),
    ("A", "A"),
    ("W", "W"),
    ("Hz", "Hz"),
    ("kHz", "kHz"),
    ("eV", "eV"),
];

/// `\\SI{3.0e8}{\\meter\\per\\second}` and its kin as plain LaTeX; none when it is something else.
fn quantity(name: &str, rest: &str) -> Option<(String, usize)> {
    let (has_number, has_unit) = match name {
        "SI" | "qty" => (true, true),
        "si" | "unit" => (false, true),
        "num" => (true, false),
        _ => return None,
    };
    let mut length = bracket(rest).map_or(0, |(_, length)| length);
    let mut out = String::new();
    if has_number {
        let (number, more) = group(&rest[length..])?;
        length += more;
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, ""));
        out.push_str(mantissa.trim());
        if !exponent.is_empty() {
            out.push_str(&format!(" \\times 10^{{{}}}", exponent.trim()));
        }
    }
    if has_unit {
        // A quantity of `physics` has one argument, and is a bracket.
        let (unit, more) = group(rest[length..].trim_start())?;
        length += more + (rest[length..].len() - rest[length..].trim_start().len());
        if has_number {
            out.push_str("\\,");
        }
        out.push_str(&format!("\\mathrm{{{}}}", unit_symbols(unit)));
    }
    Some((out, length))
}

fn unit_symbols(unit: &str) -> String {
    let mut out = String::new();
    let mut rest = unit;
    let mut prefix = false;
    while let Some(c) = rest.chars().next() {
        let Some(name) = command_name(rest) else {
            // `m.s^{-2}`
            out.push_str(if c == '.' || c == '~' { "\\," } else { &rest[..c.len_utf8()] });
            rest = &rest[c.len_utf8()..];
            continue;
        };
        rest = &rest[name.len()..];
        let gap = if out.is_empty() || out.ends_with('/') || prefix { "" } else { "\\," };
        prefix = false;
        match &name[1..] {
            "per" => out.push('/'),
            "squared" => out.push_str("^2"),
            "cubed" => out.push_str("^3"),
            "square" => {}
            known => {
                let symbol = UNITS.iter().find(|(word, _)| *word == known).map_or(known, |(_, symbol)| *symbol);
                out.push_str(gap);
                out.push_str(symbol);
                prefix = ["kilo", "mega", "giga", "milli", "micro", "nano", "pico", "centi", "deci", "femto", "tera"]
                    .contains(&known);
            }
        }
    }
    out
}

impl Macros {
    /// Takes the definitions out of `text`; what is left of it.
    pub(crate) fn learn(&mut self, text: &str) -> String {
        if !text.contains("\\newcommand") && !DEFINES.iter().any(|command| text.contains(command)) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            match self.definition(rest) {
                Some(length) => rest = &rest[length..],
                None => {
                    // `\\` is no command.
                    let length = rest.chars().take(2).map(char::len_utf8).sum();
                    out.push_str(&rest[..length]);
                    rest = &rest[length..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// The definition that `text` begins with, and how long it is.
    pub(crate) fn definition(&mut self, text: &str) -> Option<usize> {
        if !defines(text) {
            return None;
        }
        let command = &text[..1 + text[1..].find(|c: char| !c.is_ascii_alphabetic())?];
        let mut rest = text[command.len()..].trim_start_matches('*').trim_start();
        let name = match group(rest) {
            Some((name, length)) => {
                rest = &rest[length..];
                name.trim().to_owned()
            }
            None => {
                let name = command_name(rest)?;
                rest = &rest[name.len()..];
                name.to_owned()
            }
        };
        let name = name.strip_prefix('\\')?.to_owned();
        rest = rest.trim_start();
        let mut made = Command { arguments: 0, default: None, body: String::new() };
        match command {
            "\\let" => {
                rest = rest.trim_start_matches('=').trim_start();
                let other = command_name(rest)?;
                rest = &rest[other.len()..];
                made.body = self.0.get(&other[1..]).map_or_else(|| other.to_owned(), |known| known.body.clone());
            }
            "\\def" | "\\gdef" => {
                let open = rest.find('{')?;
                made.arguments = rest[..open].matches('#').count();
                rest = &rest[open..];
                let (body, length) = group(rest)?;
                rest = &rest[length..];
                made.body = body.to_owned();
            }
            _ => {
                while let Some((inside, length)) = bracket(rest) {
                    match inside.trim().parse() {
                        Ok(count) if made.arguments == 0 => made.arguments = count,
                        _ => made.default = Some(inside.to_owned()),
                    }
                    rest = rest[length..].trim_start();
                }
                let (body, length) = group(rest)?;
                rest = &rest[length..];
                let operator = command == "\\DeclareMathOperator";
                let star = if text[command.len()..].starts_with('*') { "*" } else { "" };
                made.body = if operator { format!("\\operatorname{star}{{{body}}}") } else { body.to_owned() };
            }
        }
        // One that names itself would never end.
        let itself = made.body.contains(&format!("\\{name}")) && command_name_in(&made.body, &name);
        if made.arguments <= 9 && !itself && self.0.len() < MOST {
            self.0.insert(name, made);
        }
        Some(text.len() - rest.len())
    }

    /// A formula with the author's commands written out.
    pub(crate) fn expand(&self, formula: &str) -> String {
        let mut text = formula.to_owned();
        for _ in 0..DEEPEST {
            let next = self.once(&text);
            if next == text {
                break;
            }
            if next.len() > LONGEST {
                return formula.to_owned();
            }
            text = next;
        }
        text
    }

    fn once(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let name = command_name(rest).unwrap_or_else(|| &rest[..rest.chars().take(2).map(char::len_utf8).sum()]);
            rest = &rest[name.len()..];
            let package = || {
                let (_, arguments, body) = PACKAGES.iter().find(|(known, ..)| *known == &name[1..])?;
                let given = group(rest.trim_start()).is_some() || *arguments == 0;
                given.then(|| Command { arguments: *arguments, default: None, body: (*body).to_owned() })
            };
            let Some(command) = self.0.get(&name[1..]).cloned().or_else(package) else {
                match quantity(&name[1..], rest) {
                    Some((made, length)) => {
                        out.push_str(&made);
                        rest = &rest[length..];
                    }
                    None => out.push_str(name),
                }
                continue;
            };
            let mut arguments = Vec::new();
            if let Some(default) = &command.default {
                match bracket(rest.trim_start()) {
                    Some((given, length)) => {
                        arguments.push(given.to_owned());
                        rest = &rest.trim_start()[length..];
                    }
                    None => arguments.push(default.clone()),
                }
            }
            while arguments.len() < command.arguments {
                let after = rest.trim_start();
                let (argument, length) = match group(after) {
                    Some(group) => group,
                    None => {
                        let one = command_name(after)
                            .map_or_else(|| after.chars().next().map_or(0, char::len_utf8), str::len);
                        (&after[..one], one)
                    }
                };
                arguments.push(argument.to_owned());
                rest = &after[length..];
            }
            let body = put_in(&command.body, &arguments);
            out.push_str(&body);
            // `\R x` is no `\Rx`.
            if rest.starts_with(|c: char| c.is_ascii_alphabetic()) && body.ends_with(|c: char| c.is_ascii_alphabetic())
            {
                out.push(' ');
            }
            if out.len() > 2 * LONGEST {
                break;
            }
        }
        out.push_str(rest);
        out
    }
}

/// A body with its arguments in place of `#1`.
fn put_in(body: &str, arguments: &[String]) -> String {
    let mut out = String::with_capacity(body.len());
    let mut characters = body.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek().and_then(|next| next.to_digit(10)).filter(|_| c == '#') {
            Some(number) => {
                characters.next();
                out.push_str(
                    (number as usize).checked_sub(1).and_then(|at| arguments.get(at)).map_or("", String::as_str),
                );
            }
            None => out.push(c),
        }
    }
    out
}

/// `\name` at the beginning of `text`.
fn command_name(text: &str) -> Option<&str> {
    let letters = text.strip_prefix('\\')?;
    let end = letters.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(letters.len());
    (end > 0).then(|| &text[..=end])
}

fn command_name_in(body: &str, name: &str) -> bool {
    body.match_indices('\\').any(|(at, _)| command_name(&body[at..]).is_some_and(|found| found[1..] == *name))
}

/// What stands in the braces that `text` begins with, and how long they are.
pub(crate) fn group(text: &str) -> Option<(&str, usize)> {
    between(text, '{', '}')
}

fn bracket(text: &str) -> Option<(&str, usize)> {
    between(text, '[', ']')
}

fn between(text: &str, open: char, close: char) -> Option<(&str, usize)> {
    if !text.starts_with(open) {
        return None;
    }
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some((&text[1..at], at + 1));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_hold_after_their_definition() {
        let mut macros = Macros::default();
        let left = macros.learn(
            r"\newcommand{\R}{\mathbb{R}} \newcommand\vb[1]{\mathbf{#1}} \def\d#1#2{\frac{d#1}{d#2}}
            \DeclareMathOperator*{\argmin}{arg\,min} \newcommand{\n}[2][p]{\|#2\|_{#1}} \let\eps\varepsilon x",
        );
        assert_eq!(left.trim(), "x");
        for (source, written) in [
            (r"\R^n", r"\mathbb{R}^n"),
            (r"\vb{x} + \vb y", r"\mathbf{x} + \mathbf{y}"),
            (r"\d{y}{x}", r"\frac{dy}{dx}"),
            (r"\argmin_x", r"\operatorname*{arg\,min}_x"),
            (r"\n{x} \n[2]{y}", r"\|x\|_{p} \|y\|_{2}"),
            (r"\eps\Rx \\", r"\varepsilon\Rx \\"),
        ] {
            assert_eq!(macros.expand(source), written, "{source}");
        }
    }

    #[test]
    fn commands_of_packages_are_written_out() {
        let macros = Macros::default();
        for (source, written) in [
            (r"\ket{0}", r"\left|0\right\rangle"),
            (r"\dv{f}{x}", r"\frac{df}{dx}"),
            (r"\SI{3.0e8}{\meter\per\second}", r"3.0 \times 10^{8}\,\mathrm{m/s}"),
            (r"\qty{8.314}{\joule\per\mol\per\kelvin}", r"8.314\,\mathrm{J/mol/K}"),
            (r"\SI{5}{\kilo\gram}", r"5\,\mathrm{kg}"),
            (r"\laplacian u", r"\nabla^2 u"),
            (r"\alpha + \sin x", r"\alpha + \sin x"),
        ] {
            assert_eq!(macros.expand(source), written, "{source}");
        }
    }

    #[test]
    fn commands_that_grow_without_end_are_left_as_they_are() {
        let mut macros = Macros::default();
        macros.learn(r"\def\a{\b\b}\def\b{\c\c}\def\c{\d\d}\def\d{\a\a}\newcommand{\e}{x\e}");
        assert_eq!(macros.expand(r"\a"), r"\a");
        assert_eq!(macros.expand(r"\e"), r"\e");
        macros.learn(r"\newcommand{\q}");
        macros.learn(r"\def");
        assert_eq!(macros.expand(r"\q"), r"\q");
    }
}
