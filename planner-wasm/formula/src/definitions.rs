//! Macros that a document defines, for all its formulas: `\newcommand`, `\def`, `\let`, `\DeclareMathOperator` and their kin.

use std::collections::BTreeMap;

use crate::colours::Colours;
use crate::cursor::{Cursor, Piece};

/// The most macros of a document; a book has some hundred.
const MOST: usize = 2_000;

/// Bytes of one definition, and of those that stand before one formula.
const LONGEST: usize = 2_000;
const LONGEST_NEEDED: usize = 2_000;

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
    "\\NewDocumentCommand",
    "\\RenewDocumentCommand",
    "\\ProvideDocumentCommand",
    "\\DeclareDocumentCommand",
    "\\DeclareMathOperator",
    "\\DeclarePairedDelimiter",
    "\\DeclarePairedDelimiterX",
    "\\DeclarePairedDelimiterXPP",
    "\\DeclareSIUnit",
    "\\bmdefine",
    "\\newenvironment",
    "\\renewenvironment",
    "\\definecolor",
    "\\providecolor",
    "\\colorlet",
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
    /// How its arguments are written.
    pub(crate) form: Form,
    /// How many arguments it has, the one in brackets among them.
    pub(crate) arguments: usize,
    /// `#1` to `#9` are its arguments.
    pub(crate) body: String,
}

/// How the arguments of a macro are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// As groups: RaTeX expands it by itself.
    Plain,
    /// The first may stand in brackets; this stands for it when it does not.
    Optional(String),
    /// `\def\pair(#1,#2){…}`: what stands before the first argument and after each of them; nothing after one that is a group.
    Delimited(Vec<String>),
    /// `\DeclarePairedDelimiter`.
    Paired(Box<Pair>),
}

impl Macro {
    /// Its definition.
    fn defined(&self) -> String {
        let Self { name, form, arguments, body } = self;
        let count = if *arguments > 0 { format!("[{arguments}]") } else { String::new() };
        match form {
            Form::Plain => format!("\\newcommand{{{name}}}{count}{{{body}}}"),
            Form::Optional(default) => format!("\\newcommand{{{name}}}{count}[{default}]{{{body}}}"),
            Form::Delimited(ends) => {
                let after =
                    |(index, end): (usize, &String)| if index == 0 { end.clone() } else { format!("#{index}{end}") };
                format!("\\def{name}{}{{{body}}}", ends.iter().enumerate().map(after).collect::<String>())
            }
            Form::Paired(pair) => {
                let Pair { before, left, right, after } = &**pair;
                format!(
                    "\\DeclarePairedDelimiterXPP{{{name}}}[{arguments}]{{{before}}}{{{left}}}{{{right}}}{{{after}}}{{{body}}}"
                )
            }
        }
    }
}

/// The delimiters of a macro, which are as tall as its body behind a star, or of a size in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) before: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) after: String,
}

/// An environment: what stands for its `\begin` and `\end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) name: String,
    /// What stands for the first argument when it is not given in brackets; none when it is a group.
    pub(crate) default: Option<String>,
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
    /// Defines a macro whose arguments are groups; they are counted.
    pub fn set(&mut self, name: &str, body: &str) {
        let arguments = (1..=9).rev().find(|number| body.contains(&format!("#{number}"))).unwrap_or(0);
        self.add(Macro { name: name.to_owned(), form: Form::Plain, arguments, body: body.to_owned() });
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

    /// Names and bodies of the macros that RaTeX expands by itself.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (&str, &str)> {
        self.macros.iter().filter(|known| known.form == Form::Plain).map(|known| (&*known.name, &*known.body))
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
            "\\NewDocumentCommand"
            | "\\RenewDocumentCommand"
            | "\\ProvideDocumentCommand"
            | "\\DeclareDocumentCommand" => self.document_command(&mut at),
            "\\DeclareMathOperator" => self.operator(&mut at),
            "\\DeclarePairedDelimiter" => self.delimiters(&mut at, false, false),
            "\\DeclarePairedDelimiterX" => self.delimiters(&mut at, true, false),
            "\\DeclarePairedDelimiterXPP" => self.delimiters(&mut at, true, true),
            "\\DeclareSIUnit" => self.unit(&mut at),
            "\\bmdefine" => at
                .argument()
                .zip(at.argument())
                .map(|(name, of)| self.set(name.trim(), &format!("\\boldsymbol{{{of}}}"))),
            "\\newenvironment" | "\\renewenvironment" => self.surroundings(&mut at),
            "\\definecolor" | "\\providecolor" => self.colour(&mut at),
            "\\colorlet" => at.group().zip(at.group()).map(|(name, of)| self.colours.name(name.trim(), of.trim())),
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
        let form = default.map_or(Form::Plain, Form::Optional);
        self.add(Macro { name, form, arguments, body });
        Some(())
    }

    /// `\NewDocumentCommand{\name}{O{n} m}{body}`: arguments that are groups, of which the first may be one in brackets.
    fn document_command(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        let name = at.argument()?.trim().to_owned();
        let mut kinds = Cursor::new(at.group()?);
        let body = at.argument()?.to_owned();
        let (mut arguments, mut form) = (0, Form::Plain);
        while let Some(piece) = kinds.next() {
            match piece {
                Piece::Letter('m') => arguments += 1,
                Piece::Letter('o') if arguments == 0 => {
                    (arguments, form) = (1, Form::Optional(String::new()));
                }
                Piece::Letter('O') if arguments == 0 => {
                    (arguments, form) = (1, Form::Optional(kinds.group().unwrap_or_default().to_owned()));
                }
                Piece::Letter(' ' | '+' | '!' | '>') => {}
                _ => return None,
            }
        }
        let name = name.starts_with('\\').then_some(name).filter(|_| arguments <= 9)?;
        self.add(Macro { name, form, arguments, body });
        Some(())
    }

    /// `\def\name#1#2{body}`, `\def\name(#1,#2){body}`.
    fn def(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.spaces();
        let Some(Piece::Command(name)) = at.next() else { return None };
        let mut arguments = 0;
        let mut ends = vec![String::new()];
        while !at.rest.starts_with('{') {
            match at.next()? {
                Piece::Letter('#') => {
                    arguments += 1;
                    if arguments > 9 || !at.take(&arguments.to_string()) {
                        return None;
                    }
                    ends.push(String::new());
                }
                Piece::Letter('}') => return None,
                Piece::Letter(letter) => ends.last_mut()?.push(letter),
                Piece::Command(name) => ends.last_mut()?.push_str(name),
            }
        }
        let body = at.group()?.to_owned();
        // Spaces before the first argument and before the body are none to TeX.
        let plain = ends.iter().all(|end| end.trim().is_empty());
        let form = if plain { Form::Plain } else { Form::Delimited(ends) };
        self.add(Macro { name: name.to_owned(), form, arguments, body });
        Some(())
    }

    /// `\DeclareSIUnit{\name}{unit}`
    fn unit(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.optional();
        let name = at.argument()?.trim().to_owned();
        let unit = at.group()?;
        self.set(&name, &format!("\\unit{{{unit}}}"));
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
            Some(known) if known.form != Form::Plain => {
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

    /// `\DeclarePairedDelimiter\name{left}{right}`; `X` has a number of arguments and a body, `XPP` also what stands around all of it.
    fn delimiters(&mut self, at: &mut Cursor<'_>, with_body: bool, with_surroundings: bool) -> Option<()> {
        let name = at.argument()?.trim().to_owned();
        let arguments = if with_body { at.optional()?.trim().parse().ok().filter(|count| *count <= 9)? } else { 1 };
        let before = if with_surroundings { at.argument()? } else { "" };
        let (left, right) = (at.argument()?, at.argument()?);
        let after = if with_surroundings { at.argument()? } else { "" };
        let body = if with_body { at.argument()?.to_owned() } else { "#1".to_owned() };
        let [before, left, right, after] = [before, left, right, after].map(|text| text.trim().to_owned());
        let form = Form::Paired(Box::new(Pair { before, left, right, after }));
        self.add(Macro { name, form, arguments, body });
        Some(())
    }

    fn surroundings(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        at.take("*");
        let name = at.group()?.trim().to_owned();
        let arguments = at.optional().and_then(|count| count.trim().parse().ok()).unwrap_or(0).min(9);
        let default = if arguments > 0 { at.optional().map(str::to_owned) } else { None };
        let (begin, end) = (at.group()?.to_owned(), at.group()?.to_owned());
        self.environments.retain(|known| known.name != name);
        if self.environments.len() < MOST {
            self.environments.push(Environment { name, default, arguments, begin, end });
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
                let default = environment.default.as_ref().map_or(String::new(), |default| format!("[{default}]"));
                let one = format!(
                    "\\newenvironment{{{}}}[{}]{default}{{{}}}{{{}}}",
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
            colours.push_str(&known.defined());
        }
        colours
    }
}

/// A formula without the definitions before it, as its author wrote it.
#[must_use]
pub fn written(source: &str) -> String {
    Definitions::default().take(source).trim().to_owned()
}
