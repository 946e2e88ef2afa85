//! Macros that a document defines, for all its formulas: `\newcommand`, `\def`, `\let`, `\DeclareMathOperator` and their kin.

use std::collections::{BTreeMap, BTreeSet};

use crate::colours::Colours;
use crate::cursor::{Cursor, Piece};

/// The most macros of a document; a book has some hundred.
const MOST: usize = 2_000;

/// Bytes of one definition, of those that stand before one formula, and of a label with its braces.
const LONGEST: usize = 2_000;
const LONGEST_NEEDED: usize = 2_000;
const LONGEST_LABEL: usize = 202;

/// Definitions without an end in one source; those after them are not looked at, since each costs a look at what follows it.
const MOST_OPEN: usize = 20;
/// Commands that define something in braces.
const DEFINING: &[&str] = &[
    "\\newcommand",
    "\\renewcommand",
    "\\providecommand",
    "\\DeclareRobustCommand",
    "\\def",
    "\\gdef",
    "\\edef",
    "\\xdef",
    "\\DeclareMathOperator",
    "\\DeclarePairedDelimiter",
    "\\newenvironment",
    "\\renewenvironment",
    "\\definecolor",
    "\\usepackage",
    "\\RequirePackage",
    "\\require",
];

/// The beginning of a text, at most so many bytes of it.
fn near(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// A macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Macro {
    /// With its backslash.
    pub(crate) name: String,
    /// What stands for the first argument when it is not given in brackets.
    pub(crate) default: Option<String>,
    /// How many arguments it has, the one in brackets among them.
    pub(crate) arguments: usize,
    /// `#1` to `#9` are its arguments.
    pub(crate) body: String,
}

/// An environment: what stands for its `\begin` and `\end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) name: String,
    pub(crate) arguments: usize,
    pub(crate) begin: String,
    pub(crate) end: String,
}

/// What a document defines for its formulas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    macros: Vec<Macro>,
    /// Where the macro of a name is among them.
    places: BTreeMap<String, usize>,
    environments: Vec<Environment>,
    pub(crate) colours: Colours,
    labels: BTreeMap<String, String>,
}

impl Definitions {
    /// Defines a macro without an argument in brackets; its arguments are counted.
    pub fn set(&mut self, name: &str, body: &str) {
        let arguments = (1..=9).rev().find(|number| body.contains(&format!("#{number}"))).unwrap_or(0);
        self.add(Macro { name: name.to_owned(), default: None, arguments, body: body.to_owned() });
    }

    /// Gives a label the number by which it is shown: `\label{name}` then numbers its formula, and `\eqref{name}` shows the number.
    pub fn number(&mut self, label: &str, number: &str) {
        self.labels.insert(label.to_owned(), number.to_owned());
    }

    /// The number of a label.
    #[must_use]
    pub fn numbered(&self, label: &str) -> Option<&str> {
        self.labels.get(label.trim()).map(String::as_str)
    }

    /// Whether nothing is defined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.macros.is_empty() && self.environments.is_empty() && self.labels.is_empty()
    }

    /// Names and bodies of the macros that have no argument in brackets.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (&str, &str)> {
        self.macros.iter().filter(|known| known.default.is_none()).map(|known| (&*known.name, &*known.body))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Macro> {
        self.places.get(name).and_then(|place| self.macros.get(*place))
    }

    pub(crate) fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|known| known.name == name)
    }

    fn add(&mut self, one: Macro) {
        let place = self.places.get(&one.name).copied().unwrap_or(self.macros.len());
        if let Some(known) = self.macros.get_mut(place) {
            *known = one;
        } else if place < MOST {
            self.places.insert(one.name.clone(), place);
            self.macros.push(one);
        }
    }

    /// Takes the definitions out of a source and keeps them; gives what is left.
    pub fn take(&mut self, source: &str) -> String {
        let mut out = String::with_capacity(source.len());
        let mut cursor = Cursor::new(source);
        let mut open = 0;
        while let Some(piece) = cursor.next() {
            match piece {
                Piece::Command(name) if open > MOST_OPEN || !self.definition(name, &mut cursor) => {
                    open += usize::from(DEFINING.contains(&name));
                    out.push_str(name);
                }
                Piece::Command(_) => {}
                Piece::Letter(letter) => out.push(letter),
            }
        }
        out
    }

    /// Keeps the definition that `text` begins with; gives how many bytes of it that is. None when there is none.
    pub fn define(&mut self, text: &str) -> Option<usize> {
        let mut cursor = Cursor::new(text);
        let Some(Piece::Command(name)) = cursor.next() else { return None };
        self.definition(name, &mut cursor).then(|| text.len() - cursor.rest.len())
    }

    /// Whether `name` begins a definition, which is then taken and kept.
    fn definition(&mut self, name: &str, cursor: &mut Cursor<'_>) -> bool {
        // What nothing closes is not searched to the end of the source for each definition in it.
        let window = near(cursor.rest, LONGEST);
        let mut at = Cursor::new(window);
        let taken = match name {
            "\\newcommand" | "\\renewcommand" | "\\providecommand" | "\\DeclareRobustCommand" => self.command(&mut at),
            "\\def" | "\\gdef" | "\\edef" | "\\xdef" => self.def(&mut at),
            "\\let" => self.alias(&mut at),
            "\\global" | "\\long" => Some(()),
            "\\DeclareMathOperator" => self.operator(&mut at),
            "\\DeclarePairedDelimiter" => self.delimiters(&mut at),
            "\\newenvironment" | "\\renewenvironment" => self.surroundings(&mut at),
            "\\definecolor" => self.colour(&mut at),
            "\\usepackage" | "\\RequirePackage" => {
                at.optional();
                at.group().map(|_| ())
            }
            "\\require" => at.group().map(|_| ()),
            _ => None,
        };
        if taken.is_some() {
            cursor.rest = &cursor.rest[window.len() - at.rest.len()..];
        }
        taken.is_some()
    }

    fn command(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.take("*");
        let name = at.argument()?.trim();
        let arguments = match at.optional() {
            Some(count) => count.trim().parse().ok().filter(|count| *count <= 9)?,
            None => 0,
        };
        let default = if arguments > 0 { at.optional().map(str::to_owned) } else { None };
        let body = at.argument()?.to_owned();
        let name = name.starts_with('\\').then(|| name.to_owned())?;
        self.add(Macro { name, default, arguments, body });
        Some(())
    }

    /// `\def\name#1#2{body}`; arguments that are ended by signs are RaTeX's own business.
    fn def(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.spaces();
        let Some(Piece::Command(name)) = at.next() else { return None };
        let mut arguments = 0;
        while at.take("#") {
            arguments += 1;
            if !at.take(&arguments.to_string()) {
                return None;
            }
        }
        let body = at.group()?.to_owned();
        self.add(Macro { name: name.to_owned(), default: None, arguments, body });
        Some(())
    }

    fn alias(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.spaces();
        let Some(Piece::Command(name)) = at.next() else { return None };
        at.spaces();
        at.take("=");
        at.spaces();
        let meant = match at.next()? {
            Piece::Command(meant) => meant.to_owned(),
            Piece::Letter(letter) => letter.to_string(),
        };
        // What the other name means now is kept, whatever it means later.
        let body = match self.find(&meant) {
            Some(known) if known.default.is_some() => {
                let copy = Macro { name: name.to_owned(), ..known.clone() };
                self.add(copy);
                return Some(());
            }
            Some(known) => known.body.clone(),
            None if meant == name => return Some(()),
            None => meant,
        };
        self.set(name, &body);
        Some(())
    }

    fn operator(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        let star = if at.take("*") { "*" } else { "" };
        let name = at.argument()?.trim().to_owned();
        let body = format!("\\operatorname{star}{{{}}}", at.group()?);
        self.set(&name, &body);
        Some(())
    }

    fn delimiters(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        let name = at.argument()?.trim().to_owned();
        let (left, right) = (at.argument()?, at.argument()?);
        self.set(&name, &format!("\\left{left} #1 \\right{right}"));
        Some(())
    }

    fn surroundings(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.take("*");
        let name = at.group()?.trim().to_owned();
        let arguments = at.optional().and_then(|count| count.trim().parse().ok()).unwrap_or(0).min(9);
        if arguments > 0 {
            at.optional();
        }
        let (begin, end) = (at.group()?.to_owned(), at.group()?.to_owned());
        self.environments.retain(|known| known.name != name);
        if self.environments.len() < MOST {
            self.environments.push(Environment { name, arguments, begin, end });
        }
        Some(())
    }

    fn colour(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        let (name, model, value) = (at.group()?, at.group()?, at.group()?);
        self.colours.define(name.trim(), model.trim(), value.trim());
        Some(())
    }
}

/// A body with its arguments in place of `#1` to `#9`.
pub(crate) fn filled(body: &str, arguments: &[String]) -> String {
    let mut out = String::with_capacity(body.len());
    let mut letters = body.chars().peekable();
    while let Some(letter) = letters.next() {
        let number = letters.peek().and_then(|next| next.to_digit(10)).filter(|_| letter == '#');
        match number {
            Some(number) => {
                letters.next();
                let argument = (number as usize).checked_sub(1).and_then(|index| arguments.get(index));
                out.push_str(argument.map_or("", |argument| argument));
            }
            None => out.push(letter),
        }
    }
    out
}

/// The labels of a source that some `\ref` or `\eqref` in it names, in the order in which they are set: a lecturer numbers what is
/// referred to.
#[must_use]
pub fn referred(source: &str) -> Vec<String> {
    // Most documents refer to nothing.
    if !source.contains("ref") {
        return Vec::new();
    }
    let names = |commands: &[&str]| {
        let mut found: Vec<String> = Vec::new();
        let mut cursor = Cursor::new(source);
        while let Some(piece) = cursor.next() {
            if let Piece::Command(name) = piece
                && commands.contains(&name)
                && let Some(label) = Cursor::new(near(cursor.rest, LONGEST_LABEL)).group()
                && found.len() < MOST
            {
                found.push(label.trim().to_owned());
            }
        }
        found
    };
    let wanted = names(&["\\ref", "\\eqref", "\\autoref", "\\cref", "\\Cref"]);
    let mut set = names(&["\\label"]);
    let wanted: BTreeSet<String> = wanted.into_iter().collect();
    set.retain(|label| wanted.contains(label));
    set.dedup();
    set
}

impl Definitions {
    /// A formula that needs its document no more: what it defines is taken for those after it, its labels become tags, references to
    /// numbers, and what it uses of the document's macros stands before it. None when it only defines.
    pub fn resolve(&mut self, source: &str) -> Option<String> {
        let rest = self.take(source);
        if rest.trim().is_empty() && !source.trim().is_empty() {
            return None;
        }
        let mut out = String::new();
        let mut cursor = Cursor::new(&rest);
        while let Some(piece) = cursor.next() {
            match piece {
                Piece::Command("\\label") => {
                    let label = cursor.group().unwrap_or_default();
                    if let Some(number) = self.numbered(label).filter(|_| !rest.contains("\\tag")) {
                        out.push_str(&format!("\\tag{{{number}}}"));
                    }
                }
                Piece::Command(name @ ("\\ref" | "\\eqref" | "\\autoref" | "\\cref" | "\\Cref")) => {
                    let mut ahead = cursor;
                    match ahead.group().and_then(|label| self.numbered(label)) {
                        Some(number) => {
                            cursor = ahead;
                            let shown = if name == "\\eqref" { format!("({number})") } else { number.to_owned() };
                            out.push_str(&format!("\\text{{{shown}}}"));
                        }
                        None => out.push_str(name),
                    }
                }
                Piece::Command(name) => out.push_str(name),
                Piece::Letter(letter) => out.push(letter),
            }
        }
        Some(format!("{}{}", self.needed(&out), out.trim()))
    }

    /// Definitions of the macros that a source uses, and of those that they use.
    fn needed(&self, source: &str) -> String {
        let mut wanted: Vec<&Macro> = Vec::new();
        let mut colours = String::new();
        let mut waiting = vec![source];
        let mut length = 0;
        while let Some(text) = waiting.pop() {
            let mut cursor = Cursor::new(text);
            while let Some(piece) = cursor.next() {
                let Piece::Command(name) = piece else { continue };
                if let Some(known) = self.find(name).filter(|known| !wanted.contains(known)) {
                    // Each formula has its own copy of them.
                    length += known.body.len();
                    if length > LONGEST_NEEDED {
                        break;
                    }
                    wanted.push(known);
                    waiting.push(&known.body);
                }
            }
            for environment in self.environments.iter().filter(|known| text.contains(&format!("{{{}}}", known.name))) {
                let one = format!(
                    "\\newenvironment{{{}}}[{}]{{{}}}{{{}}}",
                    environment.name, environment.arguments, environment.begin, environment.end
                );
                if !colours.contains(&one) {
                    colours.push_str(&one);
                    waiting.push(&environment.begin);
                }
            }
        }
        for (name, code) in self.colours.all() {
            if source.contains(name) || wanted.iter().any(|known| known.body.contains(name)) {
                colours.push_str(&format!("\\definecolor{{{name}}}{{HTML}}{{{}}}", code.trim_start_matches('#')));
            }
        }
        for known in wanted {
            let arguments = if known.arguments > 0 { format!("[{}]", known.arguments) } else { String::new() };
            let default = known.default.as_ref().map_or(String::new(), |default| format!("[{default}]"));
            colours.push_str(&format!("\\newcommand{{{}}}{arguments}{default}{{{}}}", known.name, known.body));
        }
        colours
    }
}

/// A formula without the definitions before it, as its author wrote it.
#[must_use]
pub fn written(source: &str) -> String {
    Definitions::default().take(source).trim().to_owned()
}
