//! The first pass over a formula's source: what people write and RaTeX does not read becomes what it reads. Macros that RaTeX can expand
//! by itself stand in `prelude`; here is what takes stars, brackets or a choice of arguments, and what is about the whole formula.

use crate::colours::Palette;
use crate::cursor::{Cursor, Piece};
use crate::definitions::{Definitions, Form, Macro, Pair, filled};
use crate::parts::{NAMED, is_special};
use crate::reading::Fault;
use crate::{chemistry, physics, units};

/// How a formula is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Whose names colours go by.
    pub palette: Palette,
    /// `\color{red}{x}` colours all that follows, as in LaTeX, and not `x` alone, as in MathJax and in most lessons.
    pub strict: bool,
    /// `\\` and `&` that stand in no environment are lines: of `aligned` when there is an `&`, centred otherwise.
    pub lines: bool,
}

/// Groups within each other; deeper, the source is left as it is.
const DEEPEST: usize = 40;

/// Columns that a table gets beyond those that it says.
const MOST_COLUMNS: usize = 100;

/// Bytes of a row of a table that are looked at.
const LONGEST_ROW: usize = 2_000;

/// Bytes that the pass may write, against macros that grow.
const LONGEST: usize = 100_000;

pub(crate) struct Pass<'a> {
    pub(crate) definitions: &'a Definitions,
    pub(crate) dialect: Dialect,
    pub(crate) faults: Vec<Fault>,
    depth: usize,
    written: usize,
    /// Within `\text{…}`, outside of its dollar signs.
    text: bool,
    tag: Option<String>,
}

/// The source that RaTeX reads.
pub(crate) fn prepared(source: &str, definitions: &Definitions, dialect: Dialect) -> (String, Vec<Fault>) {
    let mut pass = Pass { definitions, dialect, faults: Vec::new(), depth: 0, written: 0, text: false, tag: None };
    let bare = undelimited(source.trim());
    let (braced, fault) = balanced(bare);
    pass.faults.extend(fault);
    let mut text = pass.run(&braced);
    if dialect.lines {
        text = lined(&text);
    }
    if let Some(tag) = pass.tag.take() {
        text = format!("{text}\\tag{{{tag}}}");
    }
    (text, pass.faults)
}

/// The body of a macro, as RaTeX reads it. Its faults are told where it is used, by the parser.
pub(crate) fn prepared_body(body: &str, definitions: &Definitions, dialect: Dialect) -> String {
    let mut pass = Pass { definitions, dialect, faults: Vec::new(), depth: 0, written: 0, text: false, tag: None };
    pass.run(body)
}

/// Without the dollar signs or brackets around the whole.
fn undelimited(source: &str) -> &str {
    for (open, close) in [("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")] {
        if let Some(inner) = source.strip_prefix(open).and_then(|inner| inner.strip_suffix(close))
            && !inner.contains('$')
            && !inner.ends_with('\\')
        {
            return inner.trim();
        }
    }
    source
}

/// With as many closing as opening braces: those that close nothing are left out, those that are never closed are closed at the end.
fn balanced(source: &str) -> (String, Option<Fault>) {
    let mut out = String::with_capacity(source.len() + 4);
    let mut cursor = Cursor::new(source);
    let mut depth = 0usize;
    let mut fault = None;
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Letter('}') if depth == 0 => {
                fault = Some(Fault { why: "a `}` closes nothing".to_owned(), about: "}".to_owned() });
                continue;
            }
            Piece::Letter('}') => depth -= 1,
            Piece::Letter('{') => depth += 1,
            _ => {}
        }
        match piece {
            Piece::Letter(letter) => out.push(letter),
            Piece::Command(name) => out.push_str(name),
        }
    }
    if depth > 0 {
        fault = Some(Fault { why: "a `{` is never closed".to_owned(), about: "{".to_owned() });
    }
    out.extend(std::iter::repeat_n('}', depth));
    (out, fault)
}

/// Lines that stand in no environment are put into one.
fn lined(text: &str) -> String {
    let mut cursor = Cursor::new(text);
    let (mut depth, mut broken, mut aligned) = (0i32, false, false);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Letter('{') | Piece::Command("\\begin" | "\\left") => depth += 1,
            Piece::Letter('}') | Piece::Command("\\end" | "\\right") => depth -= 1,
            Piece::Letter('&') if depth == 0 => aligned = true,
            Piece::Command("\\\\" | "\\cr" | "\\newline") if depth == 0 => broken |= !cursor.rest.trim().is_empty(),
            _ => {}
        }
        // The name of an environment stands in braces of its own.
        if matches!(piece, Piece::Command("\\begin" | "\\end")) {
            cursor.group();
        }
    }
    let mut text = text.to_owned();
    match (broken, aligned) {
        (_, true) => {
            fill_last_cell(&mut text);
            format!("\\begin{{aligned}}{text}\\end{{aligned}}")
        }
        (true, false) => format!("\\begin{{gathered}}{text}\\end{{gathered}}"),
        _ => text,
    }
}

/// Fills the last cell of a table that is to end here when it is empty and its row is not: RaTeX takes such a row for the end of the
/// one before, and leaves it out.
pub(crate) fn fill_last_cell(table: &mut String) {
    let last = table.trim_end();
    if !last.ends_with('&') || last.ends_with("\\&") {
        return;
    }
    // Longer rows are none.
    let near = &last[last.floor_char_boundary(last.len().saturating_sub(LONGEST_ROW))..];
    let row = near.rsplit("\\\\").next().unwrap_or_default();
    let row = row.rsplit_once("\\begin{").map_or(row, |(_, inside)| inside.split_once('}').map_or("", |(_, row)| row));
    if row.chars().any(|c| c != '&' && !c.is_whitespace()) {
        table.push_str("{}");
    }
}

impl Pass<'_> {
    pub(crate) fn fault(&mut self, why: String, about: &str) {
        let fault = Fault { why, about: about.to_owned() };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// A source, rewritten.
    pub(crate) fn run(&mut self, source: &str) -> String {
        self.depth += 1;
        if self.depth > DEEPEST || self.written > LONGEST {
            self.depth -= 1;
            return source.to_owned();
        }
        let mut out = String::with_capacity(source.len() + 16);
        let mut cursor = Cursor::new(source);
        while let Some(piece) = cursor.next() {
            match piece {
                Piece::Letter(letter) => self.letter(letter, &mut cursor, &mut out),
                Piece::Command(name) => self.command(name, &mut cursor, &mut out),
            }
        }
        self.written += out.len();
        self.depth -= 1;
        out
    }

    /// The content of a `\text`.
    pub(crate) fn text(&mut self, source: &str) -> String {
        let before = std::mem::replace(&mut self.text, true);
        let out = self.run(source);
        self.text = before;
        out
    }

    fn letter(&mut self, letter: char, cursor: &mut Cursor<'_>, out: &mut String) {
        match letter {
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0e}' | '\u{fe0f}' | '\0' => {}
            '\u{a0}' | '\u{2009}' | '\u{202f}' | '\t' => out.push(' '),
            '\u{2003}' => out.push_str("\\quad "),
            '\u{2212}' => out.push('-'),
            '’' | '\u{2032}' if !self.text => out.push('\''),
            '″' if !self.text => out.push_str("''"),
            '“' if self.text => out.push_str("``"),
            '”' if self.text => out.push_str("''"),
            // A comment ends with its line; without one, somebody means the sign.
            '%' => match cursor.rest.find('\n') {
                Some(end) => cursor.rest = &cursor.rest[end + 1..],
                None => {
                    self.fault("a `%` begins a comment; it is read as `\\%`".to_owned(), "%");
                    out.push_str("\\%");
                }
            },
            '$' if self.text => {
                // Mathematics within words.
                let end = cursor.rest.find('$').unwrap_or(cursor.rest.len());
                let (inner, rest) = cursor.rest.split_at(end);
                cursor.rest = rest.strip_prefix('$').unwrap_or(rest);
                self.text = false;
                let inner = self.run(inner);
                self.text = true;
                out.push_str(&format!("${inner}$"));
            }
            '$' => self.fault("a `$` stands within a formula; it is left out".to_owned(), "$"),
            '#' if !cursor.rest.starts_with(|next: char| next.is_ascii_digit()) => out.push_str("\\#"),
            '_' | '^' | '&' if self.text => {
                out.push('\\');
                out.push(letter);
                if letter == '^' {
                    out.push_str("{}");
                }
            }
            letter if is_special(letter) && !cursor.rest.is_empty() => out.push(letter),
            letter => out.push(letter),
        }
    }

    /// An argument, rewritten; an empty one when there is none.
    pub(crate) fn argument(&mut self, cursor: &mut Cursor<'_>) -> String {
        let found = cursor.argument().unwrap_or_default();
        // A command as an argument takes none of its own.
        if found.starts_with('\\') && !found[1..].contains(|c: char| !c.is_ascii_alphabetic()) {
            found.to_owned()
        } else {
            self.run(found)
        }
    }

    fn command(&mut self, name: &str, cursor: &mut Cursor<'_>, out: &mut String) {
        if let Some(known) = self.definitions.find(name).filter(|known| known.form != Form::Plain) {
            if let Some(body) = self.expanded(known, cursor) {
                out.push_str(&body);
            } else {
                out.push_str(name);
            }
            return;
        }
        // What a document defines itself is not what a package has by that name.
        if self.definitions.find(name).is_none() {
            let in_words = std::mem::replace(&mut self.text, false);
            let written = units::command(self, name, cursor).or_else(|| physics::command(self, name, cursor));
            self.text = in_words;
            if let Some(written) = written {
                // All of these are mathematics, also in words.
                let written = if in_words { format!("${written}$") } else { written };
                // A command before a letter would run into it.
                out.push_str(&written);
                if written.ends_with(|c: char| c.is_ascii_alphabetic())
                    && cursor.rest.starts_with(|c: char| c.is_ascii_alphabetic())
                {
                    out.push(' ');
                }
                return;
            }
        } else {
            out.push_str(name);
            return;
        }
        match name {
            "\\text" | "\\textrm" | "\\textnormal" | "\\textbf" | "\\textit" | "\\textsf" | "\\texttt" | "\\textup"
            | "\\textmd" | "\\mbox" | "\\hbox" | "\\emph" | "\\textsc" | "\\textsl" | "\\fbox" | "\\makebox"
            | "\\framebox" | "\\textlf" | "\\intertext" | "\\shortintertext" => self.words(name, cursor, out),
            "\\begin" | "\\end" => self.environment(name, cursor, out),
            "\\operatorname" => {
                let star = if cursor.take("*") { "*" } else { "" };
                let inner = self.argument(cursor);
                out.push_str(&format!("\\operatorname{star}{{{}}}", grouped_signs(&inner)));
            }
            "\\color" => self.colour(cursor, out),
            "\\textcolor" | "\\mathcolor" => {
                let model = cursor.optional();
                let colour = self.colour_of(cursor.group().unwrap_or_default(), model);
                let inner =
                    if self.text { self.text(cursor.group().unwrap_or_default()) } else { self.argument(cursor) };
                // A dot is the colour of what is around.
                out.push_str(&match &*colour {
                    "." => format!("{{{inner}}}"),
                    colour => format!("\\textcolor{{{colour}}}{{{inner}}}"),
                });
            }
            "\\colorbox" => {
                let model = cursor.optional();
                let colour = self.colour_of(cursor.group().unwrap_or_default(), model);
                let inner = self.text(cursor.group().unwrap_or_default());
                out.push_str(&format!("\\colorbox{{{colour}}}{{{inner}}}"));
            }
            "\\fcolorbox" => {
                let model = cursor.optional();
                let border = self.colour_of(cursor.group().unwrap_or_default(), model);
                let ground = self.colour_of(cursor.group().unwrap_or_default(), model);
                let inner = self.text(cursor.group().unwrap_or_default());
                out.push_str(&format!("\\fcolorbox{{{border}}}{{{ground}}}{{{inner}}}"));
            }
            "\\label" => {
                let label = cursor.group().unwrap_or_default().trim();
                if let Some(number) = self.definitions.numbered(label) {
                    self.tag.get_or_insert_with(|| number.to_owned());
                }
            }
            "\\tag" => {
                let star = cursor.take("*");
                let tag = self.text(cursor.group().unwrap_or_default());
                if self.depth > 1 || self.in_lines(cursor) {
                    out.push_str(&format!("\\tag{}{{{tag}}}", if star { "*" } else { "" }));
                } else {
                    self.tag = Some(tag);
                }
            }
            "\\ref" | "\\eqref" | "\\autoref" | "\\cref" | "\\Cref" => {
                let label = cursor.group().unwrap_or_default();
                let number = match self.definitions.numbered(label) {
                    Some(number) => number.to_owned(),
                    None => {
                        self.fault(format!("the label `{}` is nowhere", label.trim()), name);
                        "?".to_owned()
                    }
                };
                let shown = if name == "\\eqref" { format!("({number})") } else { number };
                out.push_str(&if self.text { shown } else { format!("\\text{{{shown}}}") });
            }
            "\\cite" | "\\citep" | "\\citet" => {
                cursor.optional();
                let key = cursor.group().unwrap_or_default();
                self.fault("literature can't be looked up in a formula".to_owned(), name);
                out.push_str(&format!("\\text{{[{}]}}", escaped(key)));
            }
            // What says how lines and pages break, or what only a document has.
            "\\nonumber"
            | "\\notag"
            | "\\displaybreak"
            | "\\allowbreak"
            | "\\allowdisplaybreaks"
            | "\\pagebreak"
            | "\\newpage"
            | "\\noindent"
            | "\\centering"
            | "\\par"
            | "\\samepage"
            | "\\strut"
            | "\\ignorespaces"
            | "\\unskip"
            | "\\hfil"
            | "\\hfill"
            | "\\vfill"
            | "\\boldmath"
            | "\\unboldmath"
            | "\\protect"
            | "\\leavevmode"
            | "\\selectfont"
            | "\\raggedright"
            | "\\smallskip"
            | "\\medskip"
            | "\\bigskip"
            | "\\null"
            | "\\displaylimits"
            | "\\qedhere"
            | "\\nobreak"
            | "\\relax"
            | "\\everymath"
            | "\\adjustlimits"
            | "\\MoveEqLeft"
            | "\\mathsurround"
            | "\\flushleft" => {
                if cursor
                    .peek()
                    .is_some_and(|next| matches!(next, Piece::Letter(letter) if letter.is_ascii_alphabetic()))
                {
                    out.push(' ');
                }
                if matches!(name, "\\displaybreak" | "\\pagebreak" | "\\MoveEqLeft") {
                    cursor.optional();
                }
            }
            "\\vspace" | "\\vskip" | "\\setlength" | "\\addtolength" | "\\arraycolsep" | "\\setcounter"
            | "\\phantomsection" | "\\sisetup" | "\\mathtoolsset" | "\\noeqref" | "\\usetagform" | "\\raisetag"
            | "\\leftroot" | "\\uproot" | "\\numberwithin" | "\\newtheorem" => {
                cursor.take("*");
                cursor.group();
                if ["\\set", "\\add", "\\num", "\\newt"].iter().any(|start| name.starts_with(start)) {
                    cursor.group();
                }
            }
            "\\rowcolor" | "\\cellcolor" | "\\columncolor" | "\\arrayrulecolor" => {
                cursor.optional();
                cursor.group();
            }
            "\\cline" | "\\cmidrule" => {
                cursor.between('(', ')');
                cursor.group();
            }
            "\\multicolumn" => {
                let span: usize = cursor.group().and_then(|count| count.trim().parse().ok()).unwrap_or(1);
                cursor.group();
                let inner = self.argument(cursor);
                out.push_str(&inner);
                out.extend(std::iter::repeat_n('&', span.clamp(1, 40) - 1));
            }
            "\\multirow" => {
                cursor.group();
                cursor.optional();
                cursor.group();
                let inner = self.argument(cursor);
                out.push_str(&inner);
            }
            "\\resizebox" | "\\parbox" | "\\scalebox" | "\\rotatebox" | "\\adjustbox" | "\\fontsize" => {
                cursor.take("*");
                cursor.optional();
                cursor.group();
                if matches!(name, "\\resizebox" | "\\fontsize") {
                    cursor.group();
                }
                // In LaTeX it holds words, in lessons a formula.
                let words = { *cursor }.group().is_some_and(|inner| inner.contains('$'));
                if name == "\\parbox" || (words && !self.text && name != "\\fontsize") {
                    self.words("\\text", cursor, out);
                } else if name != "\\fontsize" {
                    let inner = self.argument(cursor);
                    out.push_str(&format!("{{{inner}}}"));
                }
            }
            "\\raisebox" => {
                let by = cursor.group().unwrap_or("0pt").to_owned();
                cursor.optional();
                cursor.optional();
                let inner = self.text(cursor.group().unwrap_or_default());
                out.push_str(&format!("\\raisebox{{{by}}}{{{inner}}}"));
            }
            "\\ensuremath" | "\\smashoperator" | "\\shoveleft" | "\\shoveright" | "\\mathstrut"
                if name != "\\mathstrut" =>
            {
                cursor.optional();
                let inner = self.argument(cursor);
                out.push_str(&if self.text { format!("${inner}$") } else { format!("{{{inner}}}") });
            }
            "\\cramped" | "\\mathmakebox" | "\\hyperref" => {
                cursor.optional();
                cursor.optional();
                let inner = self.argument(cursor);
                out.push_str(&format!("{{{inner}}}"));
            }
            "\\crampedllap" | "\\crampedrlap" | "\\crampedclap" => {
                cursor.optional();
                let inner = self.argument(cursor);
                out.push_str(&format!("\\math{}{{{inner}}}", name.trim_start_matches("\\cramped")));
            }
            "\\ArrowBetweenLines" => {
                cursor.take("*");
                let arrow = cursor.optional().unwrap_or("\\Updownarrow");
                out.push_str(&format!("&{arrow}\\\\"));
            }
            "\\vdotswithin" | "\\shortvdotswithin" => {
                cursor.take("*");
                cursor.group();
                // The second one is a line of its own.
                out.push_str(if name == "\\vdotswithin" { "\\vdots " } else { "&\\vdots\\\\" });
            }
            "\\cfrac" | "\\underbracket" | "\\overbracket" => {
                cursor.optional();
                cursor.optional();
                out.push_str(name);
            }
            "\\mspace" => out.push_str(&format!("\\mkern{} ", cursor.group().unwrap_or("0mu"))),
            "\\hdotsfor" => {
                cursor.optional();
                let span: usize = cursor.group().and_then(|count| count.trim().parse().ok()).unwrap_or(1);
                let cells = vec!["\\dots"; span.clamp(1, 40)];
                out.push_str(&cells.join("&"));
            }
            "\\xfrac" => {
                let (above, below) = (self.argument(cursor), self.argument(cursor));
                out.push_str(&format!("{{{{}}^{{{above}}}\\!/\\!{{}}_{{{below}}}}}"));
            }
            "\\underaccent" => {
                let accent = cursor.argument().unwrap_or_default().trim().to_owned();
                let inner = self.argument(cursor);
                out.push_str(&match accent.as_str() {
                    "\\bar" => format!("\\underline{{{inner}}}"),
                    "\\tilde" | "\\widetilde" => format!("\\utilde{{{inner}}}"),
                    accent => format!("\\underset{{{accent}{{}}}}{{{inner}}}"),
                });
            }
            "\\enclose" => {
                let kind = cursor.group().unwrap_or_default().to_owned();
                cursor.optional();
                let mut inner = self.argument(cursor);
                for kind in kind.split([' ', ',']).filter(|kind| !kind.is_empty()) {
                    let command = match kind {
                        "updiagonalstrike" => "\\cancel",
                        "downdiagonalstrike" => "\\bcancel",
                        "horizontalstrike" => "\\sout",
                        "top" => "\\overline",
                        "bottom" => "\\underline",
                        "radical" => "\\sqrt",
                        _ => "\\boxed",
                    };
                    inner = format!("{command}{{{inner}}}");
                }
                out.push_str(&inner);
            }
            "\\bbox" => {
                let look = cursor.optional().unwrap_or_default();
                let inner = self.argument(cursor);
                let command = if look.contains("border") { "\\boxed" } else { "" };
                out.push_str(&format!("{command}{{{inner}}}"));
            }
            "\\unicode" => {
                cursor.optional();
                let code = cursor.group().unwrap_or_default().trim();
                let number = match code.strip_prefix('x') {
                    Some(digits) => u32::from_str_radix(digits, 16).ok(),
                    None => code.parse().ok(),
                };
                match number.and_then(char::from_u32).filter(|letter| !letter.is_control() && !is_special(*letter)) {
                    Some(letter) => out.push_str(&format!("\\text{{{letter}}}")),
                    None => self.fault(format!("`{code}` is no sign"), name),
                }
            }
            "\\Rule" => {
                let (width, height) = (cursor.group().unwrap_or("0em"), cursor.group().unwrap_or("0em"));
                cursor.group();
                out.push_str(&format!("\\rule{{{width}}}{{{height}}}"));
            }
            "\\ding" => match cursor.group().and_then(|code| code.trim().parse::<u32>().ok()).and_then(dingbat) {
                Some(sign) => out.push_str(&format!("\\text{{{sign}}}")),
                None => out.push_str(name),
            },
            "\\skew" => {
                cursor.rest = cursor.rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
            }
            // What stands after it in its line is its number.
            "\\eqno" | "\\leqno" => {
                let tag = self.text(std::mem::take(&mut cursor.rest));
                self.tag = Some(tag.trim().trim_start_matches('(').trim_end_matches(')').to_owned());
            }
            "\\bordermatrix" => {
                let inner = self.argument(cursor);
                self.fault("`\\bordermatrix` is drawn without its brackets".to_owned(), name);
                out.push_str(&format!("\\begin{{matrix}}{inner}\\end{{matrix}}"));
            }
            "\\texorpdfstring" => {
                let inner = self.argument(cursor);
                cursor.group();
                out.push_str(&inner);
            }
            "\\Aboxed" => {
                let inner = self.argument(cursor).replace('&', "");
                out.push_str(&format!("\\boxed{{{inner}}}"));
            }
            "\\sideset" => self.sideset(cursor, out),
            "\\prescript" => {
                let (above, below) = (self.argument(cursor), self.argument(cursor));
                let base = self.argument(cursor);
                out.push_str(&format!("{{}}^{{{above}}}_{{{below}}}{{{base}}}"));
            }
            "\\overunderset" => {
                let (above, below) = (self.argument(cursor), self.argument(cursor));
                let base = self.argument(cursor);
                out.push_str(&format!("\\overset{{{above}}}{{\\underset{{{below}}}{{{base}}}}}"));
            }
            "\\cancelto" => {
                let (to, of) = (self.argument(cursor), self.argument(cursor));
                out.push_str(&format!("{{\\cancel{{{of}}}}}^{{{to}}}"));
            }
            "\\htmlId" | "\\cssId" | "\\htmlClass" | "\\class" => {
                let id: String =
                    cursor.group().unwrap_or_default().chars().filter(|c| !matches!(c, '{' | '}' | '\\')).collect();
                let inner = self.argument(cursor);
                out.push_str(&format!("\\htmlStyle{{{NAMED}{id}}}{{{inner}}}"));
            }
            "\\ce" | "\\pu" | "\\ch" | "\\cee" | "\\cf" => {
                let command = if name == "\\pu" { "pu" } else { "ce" };
                let inner = cursor.group().unwrap_or_default();
                // What stands for the argument of a macro is not there yet.
                let made = if inner.contains('#') { None } else { chemistry::expanded(command, inner) };
                out.push_str(&made.unwrap_or_else(|| format!("\\{command}{{{inner}}}")));
            }
            "\\htmlData" => {
                cursor.group();
            }
            "\\htmlStyle" | "\\href" | "\\url" => {
                out.push_str(&format!("{name}{{{}}}", cursor.group().unwrap_or_default()));
            }
            // Plain TeX.
            "\\cases" | "\\matrix" | "\\pmatrix" | "\\eqalign" | "\\displaylines"
                if cursor.peek() == Some(Piece::Letter('{')) =>
            {
                let mut inner = self.argument(cursor);
                fill_last_cell(&mut inner);
                let kind = match name {
                    "\\eqalign" => "aligned",
                    "\\displaylines" => "gathered",
                    name => &name[1..],
                };
                out.push_str(&format!("\\begin{{{kind}}}{inner}\\end{{{kind}}}"));
            }
            "\\root" => {
                let end = cursor.rest.find("\\of").unwrap_or(0);
                let (index, rest) = cursor.rest.split_at(end);
                cursor.rest = rest.strip_prefix("\\of").unwrap_or(rest);
                let index = self.run(index.trim().trim_start_matches('{').trim_end_matches('}'));
                out.push_str(&format!("\\sqrt[{index}]"));
            }
            "\\buildrel" => {
                let end = cursor.rest.find("\\over").unwrap_or(0);
                let (above, rest) = cursor.rest.split_at(end);
                cursor.rest = rest.strip_prefix("\\over").unwrap_or(rest);
                let above = self.run(above.trim());
                out.push_str(&format!("\\stackrel{{{above}}}"));
            }
            // A delimiter in braces is no delimiter to RaTeX.
            "\\big" | "\\Big" | "\\bigg" | "\\Bigg" | "\\bigl" | "\\Bigl" | "\\biggl" | "\\Biggl" | "\\bigr"
            | "\\Bigr" | "\\biggr" | "\\Biggr" | "\\bigm" | "\\Bigm" | "\\biggm" | "\\Biggm" | "\\left" | "\\right"
            | "\\middle" => {
                let mut ahead = *cursor;
                ahead.spaces();
                let doubled = match ahead.next() {
                    Some(Piece::Command("\\llbracket" | "\\lBrack") | Piece::Letter('⟦')) => Some("["),
                    Some(Piece::Command("\\rrbracket" | "\\rBrack") | Piece::Letter('⟧')) => Some("]"),
                    _ => None,
                };
                if let Some(bracket) = doubled {
                    *cursor = ahead;
                    // RaTeX has no such delimiter of any size: two of them close to each other are one.
                    out.push_str(&format!("{name}{bracket}\\mkern-3mu{name}{bracket}"));
                    return;
                }
                out.push_str(name);
                let mut copy = *cursor;
                if let Some(delimiter) =
                    copy.group().filter(|inner| inner.trim().len() <= 8 && !inner.trim().is_empty())
                {
                    *cursor = copy;
                    out.push_str(delimiter.trim());
                    out.push(' ');
                }
            }
            "\\mathds" | "\\mathbbm" | "\\mathbb" | "\\Bbb" | "\\symbb" => {
                let inner = self.argument(cursor);
                for letter in inner.chars() {
                    match letter.to_digit(10) {
                        Some(digit) => {
                            out.extend(char::from_u32(0x1d7d8 + digit).map(|letter| format!("{{{letter}}}")))
                        }
                        None if letter.is_ascii_alphabetic() => out.push_str(&format!("\\mathbb{{{letter}}}")),
                        None => {
                            out.push_str(&format!("\\mathbb{{{inner}}}"));
                            break;
                        }
                    }
                }
            }
            "\\SetLabelAlign" => {
                cursor.group();
            }
            _ => out.push_str(name),
        }
    }

    /// What stands for a macro whose arguments RaTeX does not read; none when they are not there.
    fn expanded(&mut self, known: &Macro, cursor: &mut Cursor<'_>) -> Option<String> {
        let mut at = *cursor;
        let mut arguments: Vec<String> = Vec::with_capacity(known.arguments);
        let body = match &known.form {
            Form::Plain => return None,
            Form::Optional(default) => {
                arguments.push(at.optional().unwrap_or(default).to_owned());
                arguments.extend((1..known.arguments).map(|_| at.argument().unwrap_or_default().to_owned()));
                filled(&known.body, &arguments)
            }
            Form::Delimited(ends) => {
                let mut ends = ends.iter();
                if !at.take(ends.next()?) {
                    return None;
                }
                for end in ends {
                    arguments.push(if end.is_empty() { at.argument()? } else { at.until(end)? }.to_owned());
                }
                filled(&known.body, &arguments)
            }
            Form::Paired(pair) => {
                let tall = at.take("*");
                let size = at.optional().map(str::trim).filter(|size| SIZES.contains(size));
                arguments.extend((0..known.arguments).map(|_| at.argument().unwrap_or_default().to_owned()));
                let body = filled(&known.body, &arguments);
                let Pair { before, left, right, after } = &**pair;
                let inner = delimited((left, &body, right), tall, size);
                format!("{before}{inner}{after}")
            }
        };
        *cursor = at;
        Some(self.run(&body))
    }

    /// Whether what is left of the formula has further lines: then a tag belongs to its own.
    fn in_lines(&self, cursor: &Cursor<'_>) -> bool {
        cursor.rest.contains("\\end{") || cursor.rest.contains("\\\\")
    }

    fn words(&mut self, name: &str, cursor: &mut Cursor<'_>, out: &mut String) {
        cursor.optional();
        cursor.optional();
        let inner = match cursor.group() {
            Some(inner) => self.text(inner),
            None => {
                let inner = cursor.argument().unwrap_or_default();
                self.text(inner)
            }
        };
        let command = match name {
            "\\mbox" | "\\hbox" | "\\makebox" | "\\textsc" | "\\textlf" | "\\textmd" | "\\textup" => "\\text",
            "\\emph" | "\\textsl" => "\\textit",
            "\\framebox" => "\\fbox",
            "\\intertext" | "\\shortintertext" => {
                // A line of its own, aligned with the others' left sides.
                out.push_str(&format!("\\text{{{inner}}}\\\\"));
                return;
            }
            name => name,
        };
        // Fonts within each other add up in LaTeX; RaTeX knows one at a time, and the innermost plain `\text` would end the outer one.
        let inner = if command == "\\text" { inner } else { inner.replace("\\text{", "{").replace("\\textrm{", "{") };
        out.push_str(&format!("{command}{{{inner}}}"));
    }

    fn colour_of(&mut self, written: &str, model: Option<&str>) -> String {
        if written.contains('#') && written.len() <= 2 {
            return written.to_owned();
        }
        if written.trim() == "." {
            return written.to_owned();
        }
        self.definitions.colours.find(written, model, self.dialect.palette).unwrap_or_else(|| {
            self.fault(format!("the colour `{}` is not known", written.trim()), "\\color");
            // One that stands out, as something is meant to.
            "#e8833a".to_owned()
        })
    }

    fn colour(&mut self, cursor: &mut Cursor<'_>, out: &mut String) {
        let model = cursor.optional();
        let colour = self.colour_of(cursor.group().unwrap_or_default(), model);
        let mut ahead = *cursor;
        ahead.spaces();
        if !self.dialect.strict && ahead.rest.starts_with('{') {
            let inner = self.argument(cursor);
            out.push_str(&format!("\\textcolor{{{colour}}}{{{inner}}}"));
        } else {
            out.push_str(&format!("\\color{{{colour}}}"));
        }
    }

    /// `\sideset{_a^b}{_c^d}\sum`: scripts beside a sign that has others above and below.
    fn sideset(&mut self, cursor: &mut Cursor<'_>, out: &mut String) {
        let (left, right) = (self.argument(cursor), self.argument(cursor));
        cursor.spaces();
        let sign = self.argument(cursor);
        let right = if right.trim().is_empty() { String::new() } else { format!("\\nolimits{right}") };
        let left = if left.trim().is_empty() { String::new() } else { format!("{{\\vphantom{{{sign}}}}}{left}\\!") };
        out.push_str(&format!("\\mathop{{{left}{sign}{right}}}"));
    }

    /// `\begin{bmatrix}[cc|c]`: a matrix with columns of its own, and lines between them. Whether it is one.
    fn columned(&mut self, name: &str, cursor: &mut Cursor<'_>, out: &mut String) -> bool {
        let (left, right) = match name {
            "pmatrix" => ("(", ")"),
            "bmatrix" => ("[", "]"),
            "vmatrix" => ("|", "|"),
            "Bmatrix" => ("\\{", "\\}"),
            "Vmatrix" => ("\\|", "\\|"),
            "matrix" => (".", "."),
            _ => return false,
        };
        let mut at = *cursor;
        let Some(written) = at.optional().map(str::trim).filter(|columns| !columns.is_empty()) else { return false };
        if !written.chars().all(|c| matches!(c, 'l' | 'c' | 'r' | '|' | ':' | ' ')) {
            return false;
        }
        let end = format!("\\end{{{name}}}");
        let Some(length) = at.rest.find(&end) else { return false };
        let mut inner = self.run(&at.rest[..length]);
        fill_last_cell(&mut inner);
        let columns = columns(written);
        out.push_str(&format!("\\left{left}\\begin{{array}}{{{columns}}}{inner}\\end{{array}}\\right{right}"));
        at.rest = &at.rest[length + end.len()..];
        *cursor = at;
        true
    }

    /// `\begin{cases*}`: what stands behind the first `&` of a line is words.
    fn cases_of_words(&mut self, kind: &str, name: &str, cursor: &mut Cursor<'_>, out: &mut String) {
        let end = format!("\\end{{{name}}}");
        let length = cursor.rest.find(&end).unwrap_or(cursor.rest.len());
        let (inner, rest) = cursor.rest.split_at(length);
        cursor.rest = rest.strip_prefix(&*end).unwrap_or(rest);
        let mut lines = Vec::new();
        for line in inner.split("\\\\") {
            let (value, words) = line.split_once('&').unwrap_or((line, ""));
            let value = self.run(value);
            lines.push(if words.trim().is_empty() {
                value
            } else {
                format!("{value}&\\text{{{}}}", self.text(words.trim()))
            });
        }
        out.push_str(&format!("\\begin{{{kind}}}{}\\end{{{kind}}}", lines.join("\\\\")));
    }

    fn environment(&mut self, command: &str, cursor: &mut Cursor<'_>, out: &mut String) {
        let name = cursor.group().unwrap_or_default().trim().to_owned();
        let begins = command == "\\begin";
        if let Some(known) = self.definitions.environment(&name).cloned() {
            let body = if begins {
                let first = known.default.map(|default| cursor.optional().map_or(default, str::to_owned));
                let mut arguments: Vec<String> = first.into_iter().collect();
                while arguments.len() < known.arguments {
                    arguments.push(cursor.argument().unwrap_or_default().to_owned());
                }
                filled(&known.begin, &arguments)
            } else {
                known.end
            };
            let body = self.run(&body);
            out.push_str(&body);
            return;
        }
        let bare = name.trim_end_matches('*');
        if !begins {
            fill_last_cell(out);
        }
        if begins && self.columned(&name, cursor, out) {
            return;
        }
        if begins && matches!(bare, "aligned" | "gathered" | "alignedat" | "split" | "array" | "tabular") {
            // Where it stands beside others: it is in their middle here.
            let mut ahead = *cursor;
            if ahead.optional().is_some_and(|place| matches!(place.trim(), "t" | "b" | "c")) {
                *cursor = ahead;
            }
        }
        let renamed = match bare {
            // What is around a formula and draws nothing.
            "equation" | "displaymath" | "math" | "subequations" | "center" | "flushleft" | "flushright" | "small"
            | "large" | "Large" | "footnotesize" | "normalsize" | "huge" | "Huge" | "LARGE" | "tiny" | "scriptsize"
            | "minipage" | "figure" | "table" | "document" | "quote" | "proof" | "theorem" | "lemma" | "definition"
            | "empheq" | "frame" | "adjustbox" => {
                if begins {
                    cursor.optional();
                    if matches!(bare, "minipage" | "empheq" | "adjustbox") {
                        cursor.group();
                    }
                }
                out.push_str(if begins { "{" } else { "}" });
                return;
            }
            "align" | "flalign" | "eqalign" | "IEEEeqnarray" | "dgroup" | "xalignat" if bare != "IEEEeqnarray" => {
                "aligned"
            }
            "gather" | "multline" | "multlined" | "dmath" | "lgathered" | "rgathered" => {
                if begins {
                    cursor.optional();
                }
                "gathered"
            }
            "alignat" | "xxalignat" => {
                let count = if begins { cursor.group().unwrap_or("1").to_owned() } else { String::new() };
                out.push_str(&if begins {
                    format!("\\begin{{alignedat}}{{{count}}}")
                } else {
                    "\\end{alignedat}".to_owned()
                });
                return;
            }
            "eqnarray" | "IEEEeqnarray" => {
                if begins {
                    if bare == "IEEEeqnarray" {
                        cursor.group();
                    }
                    out.push_str("\\begin{array}{rcl}");
                } else {
                    out.push_str("\\end{array}");
                }
                return;
            }
            "tabular" | "tabularx" | "longtable" | "array" | "NiceArray" | "pNiceArray" | "tabu" | "tabulary" => {
                if begins {
                    cursor.optional();
                    if matches!(bare, "tabularx" | "tabulary") {
                        cursor.group();
                    }
                    let mut columns = columns(cursor.group().unwrap_or("c"));
                    // MathJax sets cells beyond the last column, and so do people who write for it.
                    let told = columns.chars().filter(char::is_ascii_alphabetic).count();
                    columns.extend(std::iter::repeat_n('c', widest(*cursor).saturating_sub(told).min(MOST_COLUMNS)));
                    out.push_str(&format!("\\begin{{array}}{{{columns}}}"));
                } else {
                    out.push_str("\\end{array}");
                }
                return;
            }
            "NiceMatrix" => "matrix",
            "pNiceMatrix" => "pmatrix",
            "bNiceMatrix" => "bmatrix",
            "vNiceMatrix" => "vmatrix",
            "psmallmatrix" | "bsmallmatrix" | "vsmallmatrix" | "Bsmallmatrix" => {
                if begins && bare.len() < name.len() {
                    cursor.optional();
                }
                let (left, right) = match bare.as_bytes()[0] {
                    b'p' => ("(", ")"),
                    b'b' => ("[", "]"),
                    b'v' => ("|", "|"),
                    _ => ("\\{", "\\}"),
                };
                out.push_str(&if begins {
                    format!("\\left{left}\\begin{{smallmatrix}}")
                } else {
                    format!("\\end{{smallmatrix}}\\right{right}")
                });
                return;
            }
            "numcases" | "subnumcases" => {
                let before = if begins { self.argument(cursor) } else { String::new() };
                out.push_str(&if begins { format!("{before}\\begin{{cases}}") } else { "\\end{cases}".to_owned() });
                return;
            }
            "cases" | "dcases" | "rcases" | "drcases" => {
                if begins && bare.len() < name.len() {
                    self.cases_of_words(bare, &name, cursor, out);
                    return;
                }
                bare
            }
            "smallmatrix" => {
                if begins && bare.len() < name.len() {
                    cursor.optional();
                }
                bare
            }
            "spreadlines" => {
                if begins {
                    cursor.group();
                }
                out.push_str(if begins { "{" } else { "}" });
                return;
            }
            "itemize" | "enumerate" | "tikzpicture" | "tikzcd" | "pspicture" | "algorithm" | "algorithmic"
            | "verbatim" | "lstlisting" => {
                if begins {
                    let end = format!("\\end{{{name}}}");
                    let length = cursor.rest.find(&end).map_or(cursor.rest.len(), |at| at + end.len());
                    cursor.rest = &cursor.rest[length..];
                    self.fault(format!("the environment `{name}` can't be drawn in a formula"), &name);
                    out.push_str(&crate::mend::drawn(&format!("\\{bare}")));
                }
                return;
            }
            _ => &name,
        };
        out.push_str(&format!("{command}{{{renamed}}}"));
    }
}

/// A sign of Zapf's dingbats by its number in that font.
fn dingbat(code: u32) -> Option<char> {
    char::from_u32(match code {
        33..=126 => 0x26e0 + code,
        172..=181 => 0x2460 + code - 172,
        182..=191 => 0x2776 + code - 182,
        _ => return None,
    })
}

/// Sizes of delimiters by their commands.
pub(crate) const SIZES: &[&str] = &["\\big", "\\Big", "\\bigg", "\\Bigg"];

/// What stands between two delimiters: as tall as it is, of a size, or as they are.
pub(crate) fn delimited((left, inner, right): (&str, &str, &str), tall: bool, size: Option<&str>) -> String {
    // A bar in it is as tall as they are.
    let middle = |command: &str| inner.replace("\\delimsize", command);
    match size {
        Some(size) => format!("{size}l{left} {} {size}r{right} ", middle(size)),
        None if tall => format!("\\left{left} {} \\right{right} ", middle("\\middle")),
        // A letter for a delimiter would run into it.
        None => format!("{left} {} {right} ", middle("")),
    }
}

/// Cells of the widest row of a table that has begun here.
fn widest(mut cursor: Cursor<'_>) -> usize {
    let (mut widest, mut cells, mut depth) = (1, 1, 0usize);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Letter('{') | Piece::Command("\\begin") => depth += 1,
            Piece::Command("\\end") if depth == 0 => break,
            Piece::Letter('}') | Piece::Command("\\end") => depth = depth.saturating_sub(1),
            Piece::Letter('&') if depth == 0 => cells += 1,
            Piece::Command("\\\\" | "\\cr" | "\\tabularnewline") if depth == 0 => cells = 1,
            _ => {}
        }
        widest = widest.max(cells);
        // The name of an environment stands in braces of its own.
        if matches!(piece, Piece::Command("\\begin" | "\\end")) {
            cursor.group();
        }
    }
    widest
}

/// Columns of a table as RaTeX reads them: letters and lines.
fn columns(written: &str) -> String {
    let mut out = String::new();
    let mut cursor = Cursor::new(written);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Letter(letter @ ('l' | 'c' | 'r' | '|' | ':')) => out.push(letter),
            Piece::Letter('X' | 'L') => out.push('l'),
            Piece::Letter('C' | 'S') => out.push('c'),
            Piece::Letter('R') => out.push('r'),
            Piece::Letter('p' | 'm' | 'b' | 'w') => {
                cursor.group();
                out.push('l');
            }
            Piece::Letter('@' | '!' | '>' | '<') => {
                cursor.group();
            }
            Piece::Letter('*') => {
                let count: usize = cursor.group().and_then(|count| count.trim().parse().ok()).unwrap_or(0);
                let repeated = columns(cursor.group().unwrap_or_default());
                for _ in 0..count.min(40) {
                    out.push_str(&repeated);
                }
            }
            _ => {}
        }
    }
    if out.is_empty() { "c".to_owned() } else { out }
}

/// A name with its escaped signs in groups: RaTeX sets a bare `\_` in an operator's name as its backslash.
fn grouped_signs(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut cursor = Cursor::new(name);
    while let Some(piece) = cursor.next() {
        match piece {
            Piece::Letter(letter) => out.push(letter),
            Piece::Command(sign @ ("\\_" | "\\%" | "\\&" | "\\#" | "\\$")) => out.push_str(&format!("{{{sign}}}")),
            Piece::Command(command) => out.push_str(command),
        }
    }
    out
}

/// Words as the content of a `\text`.
pub(crate) fn escaped(words: &str) -> String {
    let mut out = String::new();
    for letter in words.chars() {
        match letter {
            '\\' => out.push_str("\\textbackslash "),
            '{' | '}' | '_' | '%' | '&' | '#' | '$' => {
                out.push('\\');
                out.push(letter);
            }
            '^' => out.push_str("\\textasciicircum "),
            '~' => out.push_str("\\textasciitilde "),
            letter => out.push(letter),
        }
    }
    out
}
