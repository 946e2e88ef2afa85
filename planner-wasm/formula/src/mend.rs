//! What the parser stops at, and how the formula is read all the same.

use ratex_parser::ParseError;

use crate::cursor::{Cursor, Piece};
use crate::parts::UNKNOWN;
use crate::reading::Fault;

/// What to read instead.
pub(crate) enum Mended {
    /// A command is not known: it is drawn as its name.
    Unknown(String),
    /// Another source.
    Source(String, Fault),
}

fn fault(why: &str, about: &str) -> Fault {
    Fault { why: why.to_owned(), about: about.to_owned() }
}

/// How to go on after an error; none when there is no way. Errors within macros have places that are not of this source, so a place is
/// believed only where the source has what the error is about.
pub(crate) fn mend(source: &str, error: &ParseError) -> Option<Mended> {
    let message = &*error.message;
    let at = error.loc.as_ref().map(|place| place.start).filter(|at| source.is_char_boundary(*at));
    let quoted = message.split('\'').nth(1).unwrap_or_default();
    if let Some(name) = message.strip_prefix("Undefined control sequence: ") {
        if name == "\\" {
            return Some(Mended::Source(
                source.trim_end_matches('\\').to_owned(),
                fault("a backslash stands at its end", "\\"),
            ));
        }
        // Known after all: it is one of mathematics, and stands in words.
        if let Some(at) = at.filter(|at| source[*at..].starts_with(name))
            && ratex_parser::parse(name).is_ok()
        {
            let (before, after) = (&source[..at], &source[at + name.len()..]);
            return Some(Mended::Source(
                format!("{before}${name}${after}"),
                fault(&format!("`{name}` stands in words"), name),
            ));
        }
        return Some(Mended::Unknown(name.to_owned()));
    }
    if let Some(name) = message.strip_prefix("No such environment: ") {
        return without_environment(source, name);
    }
    if message.starts_with("Double superscript") || message.starts_with("Double subscript") {
        // A group before it, as TeX's own advice is.
        let at = at.filter(|at| source[*at..].starts_with(['^', '_', '\'']))?;
        return Some(Mended::Source(
            format!("{}{{}}{}", &source[..at], &source[at..]),
            fault("a superscript or subscript stands twice", ""),
        ));
    }
    if message.starts_with("Expected group") || message.starts_with("Unexpected end of input in a macro argument") {
        return missing_argument(source, message, at);
    }
    if message.starts_with("Got function") {
        let sign = at.filter(|at| source[*at..].starts_with(quoted) && !quoted.is_empty())?;
        let mut cursor = Cursor::new(&source[sign..]);
        cursor.next();
        // `x^\sqrt 2`: what follows belongs together.
        let end = cursor.argument().map_or(quoted.len(), |_| source[sign..].len() - cursor.rest.len());
        let (group, rest) = source[sign..].split_at(end);
        return Some(Mended::Source(
            format!("{}{{{group}}}{rest}", &source[..sign]),
            fault(&format!("`{quoted}` needs braces around it there"), quoted),
        ));
    }
    if message.starts_with("Expected '\\right'") || message.starts_with("Expected \\right") {
        return Some(Mended::Source(fenced(source), fault("a `\\left` has no `\\right`", "\\left")));
    }
    if message.starts_with("Expected 'EOF'")
        || message.starts_with("Expected '}'")
        || message.starts_with("Expected & or")
    {
        return stray(source, message, at);
    }
    if message.starts_with("\\middle must") {
        return Some(Mended::Source(
            source.replace("\\middle", ""),
            fault("a `\\middle` stands outside of `\\left` and `\\right`", "\\middle"),
        ));
    }
    if message.contains("valid only within array environment") {
        let name = message.split(' ').next().unwrap_or_default();
        return Some(Mended::Source(
            without(source, name),
            fault(&format!("`{name}` stands outside of a table"), name),
        ));
    }
    if message.starts_with("Mismatch: \\begin") || message.starts_with("Expected \\end") {
        return Some(Mended::Source(closed(source), fault("a `\\begin` and its `\\end` don't match", "\\begin")));
    }
    if message.starts_with("Invalid delimiter") {
        let name = message.rsplit('\'').nth(1).unwrap_or_default();
        let name = if name.starts_with('\\') { name } else { "\\left" };
        return Some(Mended::Source(
            undelimited(source),
            fault(&format!("there is no delimiter after `{name}`"), name),
        ));
    }
    if message.starts_with("Invalid size")
        || message.starts_with("Invalid unit")
        || message.starts_with("Invalid color")
    {
        let bad = quoted.trim();
        let better = source.replacen(
            &format!("{{{bad}}}"),
            if message.starts_with("Invalid color") { "{#e8833a}" } else { "{0pt}" },
            1,
        );
        let better = if better == source { source.replacen(&format!("[{bad}]"), "", 1) } else { better };
        return Some(Mended::Source(better, fault(&format!("`{bad}` is no length or colour"), "")));
    }
    if message.starts_with("Can't use function") {
        // A sign of mathematics in words, or of words in mathematics.
        let at = at.filter(|at| source[*at..].starts_with(quoted) && !quoted.is_empty());
        let at = at.or_else(|| source.find(quoted).filter(|_| !quoted.is_empty()))?;
        if message.ends_with("text mode") {
            let mut cursor = Cursor::new(&source[at + quoted.len()..]);
            let mut end = cursor.rest;
            while cursor.group().is_some() {
                end = cursor.rest;
            }
            let end = source.len() - end.len();
            return Some(Mended::Source(
                format!("{}${}${}", &source[..at], &source[at..end], &source[end..]),
                fault(&format!("`{quoted}` stands in words"), quoted),
            ));
        }
        return Some(Mended::Source(
            format!("{}{}", &source[..at], &source[at + quoted.len()..]),
            fault(&format!("`{quoted}` can't stand in a formula"), quoted),
        ));
    }
    if message.starts_with("Too many tab")
        || message.starts_with("Too many math")
        || message.starts_with("\\tag must")
        || message.starts_with("Multiple \\tag")
    {
        let better = untagged(source);
        return Some(Mended::Source(better, fault("a `\\tag` stands where a line can't have one", "\\tag")));
    }
    if message.starts_with("only one infix") {
        let at = source.rfind("\\over").or_else(|| source.rfind("\\choose"))?;
        let end = source[at + 1..].find(|c: char| !c.is_ascii_alphabetic()).map_or(source.len(), |end| at + 1 + end);
        return Some(Mended::Source(
            format!("{}/{}", &source[..at], &source[end..]),
            fault("`\\over` stands twice in a group", "\\over"),
        ));
    }
    None
}

/// The source with each of its pieces that can't be read by itself drawn as its name. What belongs together stays together: a command
/// and its arguments, a sign and its scripts, what stands between `\left` and `\right` or in an environment.
pub(crate) fn salvaged(source: &str, reads: impl Fn(&str) -> bool) -> Option<(String, Fault)> {
    let mut out = String::with_capacity(source.len());
    let mut told: Option<Fault> = None;
    let mut cursor = Cursor::new(source);
    let mut tries = 0;
    while !cursor.rest.is_empty() {
        let piece = piece(&mut cursor);
        tries += 1;
        if tries > MOST_PIECES {
            return None;
        }
        if piece.trim().is_empty() || matches!(piece, "&" | "\\") || reads(piece) {
            out.push_str(piece);
            continue;
        }
        let mut inner = Cursor::new(piece.trim_start());
        let name = match inner.next() {
            Some(Piece::Command("\\begin")) => format!("\\{}", inner.group().unwrap_or_default()),
            Some(Piece::Command(name)) => name.to_owned(),
            _ => String::new(),
        };
        out.push_str(&if name.is_empty() { "\\ldots ".to_owned() } else { drawn(&name) });
        told.get_or_insert_with(|| fault(&format!("`{}` can't be read", shortened(piece.trim())), &name));
    }
    told.map(|fault| (out, fault))
}

/// Pieces of a formula that are tried one by one.
const MOST_PIECES: usize = 400;

fn shortened(text: &str) -> String {
    if text.chars().count() > 60 { text.chars().take(59).chain(['…']).collect() } else { text.to_owned() }
}

/// What belongs together from here on.
fn piece<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    let start = cursor.rest;
    let first = cursor.next();
    let (open, close) = match first {
        Some(Piece::Command("\\begin")) => ("\\begin", "\\end"),
        Some(Piece::Command("\\left")) => ("\\left", "\\right"),
        Some(Piece::Letter('{')) => {
            cursor.rest = start;
            if cursor.group().is_none() {
                cursor.rest = "";
            }
            ("", "")
        }
        Some(Piece::Command(_)) => {
            while cursor.rest.starts_with('[') && cursor.optional().is_some() {}
            while cursor.rest.trim_start().starts_with('{') && cursor.group().is_some() {}
            ("", "")
        }
        _ => ("", ""),
    };
    if !open.is_empty() {
        let mut depth = 1usize;
        while depth > 0 {
            match cursor.next() {
                Some(Piece::Command(name)) if name == open => depth += 1,
                Some(Piece::Command(name)) if name == close => depth -= 1,
                Some(_) => {}
                None => break,
            }
        }
        cursor.argument();
    }
    loop {
        let mut ahead = *cursor;
        ahead.spaces();
        match ahead.next() {
            Some(Piece::Letter('^' | '_')) if ahead.argument().is_some() => *cursor = ahead,
            Some(Piece::Letter('\'')) => *cursor = ahead,
            _ => break,
        }
    }
    &start[..start.len() - cursor.rest.len()]
}

/// An argument that is missing is an empty one.
fn missing_argument(source: &str, message: &str, at: Option<usize>) -> Option<Mended> {
    let quoted = message.split('\'').nth(1).unwrap_or_default();
    let told = fault("something is missing after a command or script", quoted);
    // The sign itself, and what stands after it.
    let after = at.filter(|at| !quoted.is_empty() && source[*at..].starts_with(quoted)).map(|at| at + quoted.len());
    let place = after.or_else(|| at.filter(|at| *at > 0)).unwrap_or(source.len());
    let better = format!("{}{{}}{}", &source[..place], &source[place..]);
    Some(Mended::Source(better, told))
}

/// The source with what stands at the wrong place left out.
fn stray(source: &str, message: &str, at: Option<usize>) -> Option<Mended> {
    let got = message.rsplit('\'').nth(1).unwrap_or_default();
    if got == "EOF" {
        return Some(Mended::Source(closed(&fenced(source)), fault("something is opened and never closed", "")));
    }
    let told = fault(&format!("`{got}` stands where it can't"), got);
    let at = at.filter(|at| !got.is_empty() && source[*at..].starts_with(got))?;
    match got {
        "&" => Some(Mended::Source(format!("\\begin{{aligned}}{source}\\end{{aligned}}"), told))
            .filter(|_| !source.starts_with("\\begin{aligned}")),
        "\\right" => {
            let mut cursor = Cursor::new(&source[at + got.len()..]);
            cursor.argument();
            // The delimiter itself stays.
            Some(Mended::Source(
                format!("{}\\left.{}", &source[..lefts(source, at)], &source[lefts(source, at)..]),
                told,
            ))
        }
        "\\end" => {
            let mut cursor = Cursor::new(&source[at + got.len()..]);
            cursor.group();
            Some(Mended::Source(format!("{}{}", &source[..at], cursor.rest), told))
        }
        _ => Some(Mended::Source(format!("{}{}", &source[..at], &source[at + got.len()..]), told)),
    }
}

/// Where the group begins in which `at` stands.
fn lefts(source: &str, at: usize) -> usize {
    let (mut depth, mut begin) = (0i32, Vec::new());
    let mut cursor = Cursor::new(&source[..at]);
    while let Some(piece) = cursor.next() {
        let here = at - cursor.rest.len();
        match piece {
            Piece::Letter('{') => {
                depth += 1;
                begin.push(here);
            }
            Piece::Letter('}') => {
                depth -= 1;
                begin.pop();
            }
            Piece::Letter('&') | Piece::Command("\\\\") if depth == 0 => begin = vec![here],
            _ => {}
        }
    }
    begin.last().copied().unwrap_or(0)
}

/// With a `\right.` for each `\left` of a group that has none, before what ends the group.
fn fenced(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut cursor = Cursor::new(source);
    let mut open: Vec<usize> = vec![0];
    while let Some(piece) = cursor.next() {
        let close = |out: &mut String, open: &mut Vec<usize>| {
            if let Some(count) = open.last_mut() {
                out.push_str(&"\\right.".repeat(std::mem::take(count)));
            }
        };
        match piece {
            Piece::Letter('{') => open.push(0),
            Piece::Letter('}') => {
                close(&mut out, &mut open);
                open.pop();
                if open.is_empty() {
                    open.push(0);
                }
            }
            Piece::Letter('&') | Piece::Command("\\\\" | "\\end") => close(&mut out, &mut open),
            Piece::Command("\\begin") => open.push(0),
            Piece::Command("\\left") => *open.last_mut().unwrap_or(&mut 0) += 1,
            Piece::Command("\\right") => {
                if let Some(count) = open.last_mut() {
                    *count = count.saturating_sub(1);
                }
            }
            _ => {}
        }
        match piece {
            Piece::Letter(letter) => out.push(letter),
            Piece::Command(name) => out.push_str(name),
        }
        if piece == Piece::Command("\\end") {
            if open.len() > 1 {
                open.pop();
            }
            if let Some(name) = cursor.group() {
                out.push_str(&format!("{{{name}}}"));
            }
        } else if piece == Piece::Command("\\begin")
            && let Some(name) = cursor.group()
        {
            out.push_str(&format!("{{{name}}}"));
        }
    }
    out.push_str(&"\\right.".repeat(open.last().copied().unwrap_or(0)));
    out
}

/// With an `\end` for each `\begin`, in their order; what ends nothing is left out.
fn closed(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut cursor = Cursor::new(source);
    let mut open: Vec<String> = Vec::new();
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Command("\\begin") => {
                let name = cursor.group().unwrap_or_default();
                open.push(name.to_owned());
                out.push_str(&format!("\\begin{{{name}}}"));
            }
            Piece::Command("\\end") => {
                cursor.group();
                if let Some(name) = open.pop() {
                    out.push_str(&format!("\\end{{{name}}}"));
                }
            }
            Piece::Command(name) => out.push_str(name),
            Piece::Letter(letter) => out.push(letter),
        }
    }
    for name in open.into_iter().rev() {
        out.push_str(&format!("\\end{{{name}}}"));
    }
    out
}

fn without(source: &str, name: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut cursor = Cursor::new(source);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Command(known) if known == name => {}
            Piece::Command(known) => out.push_str(known),
            Piece::Letter(letter) => out.push(letter),
        }
    }
    out
}

fn untagged(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut cursor = Cursor::new(source);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Command("\\tag") => {
                cursor.take("*");
                if let Some(tag) = cursor.group() {
                    out.push_str(&format!("\\qquad\\text{{({tag})}}"));
                }
            }
            Piece::Command(known) => out.push_str(known),
            Piece::Letter(letter) => out.push(letter),
        }
    }
    out
}

/// Without the `\left`s and `\big`s that have no delimiter after them.
fn undelimited(source: &str) -> String {
    const SIZES: &[&str] = &[
        "\\left", "\\right", "\\big", "\\Big", "\\bigg", "\\Bigg", "\\bigl", "\\bigr", "\\Bigl", "\\Bigr", "\\biggl",
        "\\biggr", "\\Biggl", "\\Biggr", "\\bigm",
    ];
    let mut out = String::with_capacity(source.len());
    let mut cursor = Cursor::new(source);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Command(name) if SIZES.contains(&name) => {
                let mut ahead = cursor;
                ahead.spaces();
                let good = match ahead.next() {
                    Some(Piece::Letter(letter)) => "()[]|/.<>⟨⟩⌊⌋⌈⌉‖∣".contains(letter),
                    Some(Piece::Command(name)) => {
                        let name = &name[1..];
                        matches!(name, "{" | "}" | "|" | "backslash" | "Vert" | "vert")
                            || name.ends_with("angle")
                            || name.ends_with("brace")
                            || name.ends_with("floor")
                            || name.ends_with("ceil")
                            || name.ends_with("vert")
                            || name.ends_with("Vert")
                            || name.ends_with("arrow")
                            || name.ends_with("brack")
                            || name.ends_with("bracket")
                            || name.ends_with("group")
                            || name.ends_with("moustache")
                            || name.ends_with("corner")
                    }
                    None => false,
                };
                match name {
                    _ if good => out.push_str(name),
                    "\\left" | "\\right" => out.push_str(&format!("{name}.")),
                    _ => {}
                }
            }
            Piece::Command(name) => out.push_str(name),
            Piece::Letter(letter) => out.push(letter),
        }
    }
    out
}

/// The content of an environment that is not known, after its name.
fn without_environment(source: &str, name: &str) -> Option<Mended> {
    let begin = format!("\\begin{{{name}}}");
    let end = format!("\\end{{{name}}}");
    if !source.contains(&begin) {
        return None;
    }
    let lines = source
        .split(&begin)
        .nth(1)
        .and_then(|after| after.split(&end).next())
        .is_some_and(|inner| inner.contains('&') || inner.contains("\\\\"));
    let (open, close) = if lines { ("{\\begin{aligned}", "\\end{aligned}}") } else { ("{", "}") };
    let better = source.replace(&begin, &format!("{}{open}", drawn(&format!("\\{name}")))).replace(&end, close);
    Some(Mended::Source(better, fault(&format!("the environment `{name}` is not known"), name)))
}

/// What is drawn of a command that is not known.
pub(crate) fn drawn(name: &str) -> String {
    let letters: String =
        name.chars().skip(1).filter(|letter| letter.is_alphanumeric() || matches!(letter, '@' | '*' | '-')).collect();
    format!("\\textcolor{{{UNKNOWN}}}{{\\texttt{{\\textbackslash {letters}}}}}")
}

/// Whether a limit was met: what is read piece by piece would meet it again and again.
pub(crate) fn is_endless(error: &ParseError) -> bool {
    let message = &*error.message;
    message.starts_with("Recursion limit")
        || message.starts_with("Too many expansions")
        || message.contains("esource")
        || message.contains("budget")
}

/// The parser's words for an error, in ours.
pub(crate) fn reason(error: &ParseError) -> String {
    let message = &*error.message;
    if message.starts_with("Recursion limit") {
        "it is nested too deep".to_owned()
    } else if message.starts_with("Too many expansions")
        || message.contains("resource limit")
        || message.contains("budget")
    {
        "its macros never end".to_owned()
    } else if message.starts_with("Layout resource") {
        "it is too large".to_owned()
    } else {
        let first: String = message.chars().take(120).collect();
        format!("it can't be read: {first}")
    }
}
