//! One formula's source → RaTeX's tree. What can't be read as it stands is mended and told; the rest is read.

use ratex_parser::macro_expander::MacroDefinition;
use ratex_parser::{ParseError, ParseNode, Parser};

use crate::definitions::Definitions;
use crate::mend::{self, Mended};
use crate::prelude;
use crate::source::{self, Dialect};

/// A formula of more bytes is no formula that fits on a screen.
pub const LONGEST: usize = 16_000;

/// A formula with chemistry in it of more bytes: reading chemistry takes time in proportion to the square of its length, some 6 ms
/// for 65 bytes.
const LONGEST_CHEMISTRY: usize = 400;
/// More rows fit on no screen, and each costs a tenth of a millisecond.
const MOST_ROWS: usize = 200;

/// Faults that are mended in one formula; each costs a reading.
const MOST_FAULTS: usize = 24;

/// Something in a formula that could not be read as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Why, as part of a sentence: "the command `\foo` is not known".
    pub why: String,
    /// The command or environment that it is about, as written; empty when it is about none.
    pub about: String,
}

/// A formula that was read.
#[derive(Debug)]
pub struct Reading {
    /// RaTeX's tree.
    pub nodes: Vec<ParseNode>,
    /// What was mended, in the order in which it was met.
    pub faults: Vec<Fault>,
}

/// Reads a formula. What it defines itself holds for it alone; a document's formulas are given to [`Definitions::take`] in order.
///
/// # Errors
/// In words, when nothing of it can be drawn: it is empty, too long, nested too deep, or its macros never end.
pub fn read(source: &str, definitions: &Definitions, dialect: Dialect) -> Result<Reading, Fault> {
    let nothing = |why: &str| Err(Fault { why: why.to_owned(), about: String::new() });
    if source.len() > LONGEST {
        return nothing("it is too long");
    }
    if source.len() > LONGEST_CHEMISTRY && (source.contains("\\ce") || source.contains("\\pu")) {
        return nothing("its chemistry is too long");
    }
    if source.matches("\\\\").count() > MOST_ROWS {
        return nothing("it has too many rows");
    }
    let mut known = definitions.clone();
    let rest = known.take(source);
    if rest.trim().is_empty() {
        return nothing("it is empty");
    }
    let (mut text, mut faults) = source::prepared(&rest, &known, dialect);
    let mut unknown: Vec<String> = Vec::new();
    let (mut tries, mut salvaged) = (0, false);
    loop {
        let error = match parse(&text, &known, &unknown, dialect) {
            Ok(nodes) => return Ok(Reading { nodes, faults }),
            Err(error) => error,
        };
        tries += 1;
        let mended = if tries > MOST_FAULTS { None } else { mend::mend(&text, &error) };
        match mended {
            Some(Mended::Unknown(name)) if !unknown.contains(&name) => {
                let fault = Fault { why: format!("the command `{name}` is not known"), about: name.clone() };
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
                unknown.push(name);
            }
            Some(Mended::Source(better, fault)) if better != text && better.len() <= 4 * LONGEST => {
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
                text = better;
            }
            _ => {
                let told = Fault { why: mend::reason(&error), about: String::new() };
                if salvaged || mend::is_endless(&error) {
                    return Err(told);
                }
                salvaged = true;
                let reads = |piece: &str| parse(piece, &known, &unknown, dialect).is_ok();
                let Some((better, fault)) = mend::salvaged(&text, reads) else { return Err(told) };
                faults.push(fault);
                text = better;
            }
        }
    }
}

fn parse(text: &str, known: &Definitions, unknown: &[String], dialect: Dialect) -> Result<Vec<ParseNode>, ParseError> {
    let mut parser = Parser::new(text);
    let own = known.plain().map(|(name, body)| (name, source::prepared_body(body, known, dialect)));
    let own: Vec<(&str, String)> = own.chain(unknown.iter().map(|name| (&**name, mend::drawn(name)))).collect();
    let sources = own.iter().map(|(_, body)| &**body).chain([text]);
    // The document's own come after, and replace them.
    for (name, body) in prelude::reached(sources, &parser.gullet) {
        parser.gullet.set_macro_global((*name).to_owned(), MacroDefinition::Text((*body).to_owned()));
    }
    for (name, body) in own {
        parser.gullet.set_macro_global(name.to_owned(), MacroDefinition::Text(body));
    }
    parser.parse()
}
