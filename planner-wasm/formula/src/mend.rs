//! What the parser stops at, and how the formula is read all the same.

use ratex_parser::ParseError;

use crate::parts::UNKNOWN;
use crate::reading::Fault;

/// What to read instead.
pub(crate) enum Mended {
    /// A command is not known: it is drawn as its name.
    Unknown(String),
    /// Another source.
    Source(String, Fault),
}

/// How to go on after an error; none when there is no way.
pub(crate) fn mend(_source: &str, error: &ParseError) -> Option<Mended> {
    if let Some(name) = error.message.strip_prefix("Undefined control sequence: ") {
        return Some(Mended::Unknown(name.to_owned()));
    }
    None
}

/// What is drawn of a command that is not known.
pub(crate) fn drawn(name: &str) -> String {
    let letters: String =
        name.chars().skip(1).filter(|letter| !matches!(letter, '{' | '}' | '\\' | '#' | '%')).collect();
    format!("\\textcolor{{{UNKNOWN}}}{{\\texttt{{\\textbackslash {letters}}}}}")
}

/// The parser's words for an error, in ours.
pub(crate) fn reason(error: &ParseError) -> String {
    error.message.clone()
}
