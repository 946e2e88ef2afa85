//! The one reader of mathematics in running text: it goes before Markdown, whose rules would take formulas apart.
//!
//! `$…$`, `$$…$$` with anything between, `\(…\)`, `\[…\]`, bare environments such as `align`, bare commands, `` $`…`$ `` and the role `` {math}`…` ``. Each
//! becomes one character of a private plane, which Markdown takes for a letter; [`Formulas`] knows what it stands for. Prices are none, and
//! in programs nothing is looked for.

use std::borrow::Cow;
use std::ops::Range;

use latex_reader::Definitions;

use super::bare;
pub(crate) use super::source::is_private;
use super::source::{Ends, FIRST, Rewriter, Source, near, near_end};

/// A formula as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The formula, which needs its document no more: what it uses of the document's macros stands before it.
    pub(crate) latex: String,
    /// With its marks, as it stood there.
    pub(crate) source: String,
    /// Whether it is set apart from the words around it.
    pub(crate) display: bool,
    /// Byte of the document.
    pub(crate) at: usize,
}

/// The formulas of a document, by the characters that stand for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Formulas {
    all: Vec<Written>,
    /// What formulas so far have defined for those that follow, and the numbers of those that something refers to.
    pub(crate) definitions: Definitions,
    /// Bytes of the document at which `$$` has no partner.
    pub(crate) unpaired: Vec<usize>,
}

/// How many characters there are to stand for formulas.
const MOST: usize = 0xff00;
/// A letter that is not shown, between a mark of emphasis and a mark that Markdown would not see the end of it beside.
pub(crate) const GUARD: char = '\u{10fffd}';
/// A sign that is not shown, alone in a paragraph: a moment to think, without words.
pub(crate) const PAUSE: &str = "\u{10fffc}";
/// Bytes of a formula between its marks.
const LONGEST: usize = 8_000;

/// Bytes of a line that are looked at around a formula.
const LINE: usize = 400;

/// Elements of HTML in which nothing is looked for.
const RAW: [&str; 4] = ["script", "style", "pre", "code"];

/// Environments that are formulas by themselves.
const ENVIRONMENTS: &[&str] = &[
    "align",
    "align*",
    "alignat",
    "alignat*",
    "aligned",
    "displaymath",
    "eqnarray",
    "eqnarray*",
    "equation",
    "equation*",
    "flalign",
    "flalign*",
    "gather",
    "gather*",
    "gathered",
    "math",
    "multline",
    "multline*",
    "split",
    "subequations",
];

impl Formulas {
    /// The formula that a character stands for.
    pub(crate) fn of(&self, c: char) -> Option<&Written> {
        self.all.get((c as u32).checked_sub(FIRST)? as usize)
    }

    /// Text with its formulas as they were written.
    pub(crate) fn restored<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.chars().any(is_private) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match self.of(c) {
                Some(formula) => out.push_str(&formula.source),
                None if c == GUARD || PAUSE.starts_with(c) => {}
                None => out.push(c),
            }
        }
        Cow::Owned(out)
    }

    /// The definitions of a document, whose text begins at byte `body`: those of its front matter (Pandoc's `header-includes`), and the
    /// numbers of the formulas that something refers to.
    pub(super) fn begin(&mut self, text: &str, body: usize) {
        self.definitions.take(&text[..body]);
        for (index, label) in super::labels::referred(&text[body..]).into_iter().enumerate() {
            self.definitions.number(&label, &(index + 1).to_string());
        }
    }

    /// A formula that Markdown itself kept together, such as a fence's, with the definitions of the whole document.
    pub(crate) fn standing(&self, latex: &str) -> Option<String> {
        self.definitions.clone().resolve(&without_empty_lines(latex))
    }

    /// The character of a formula.
    fn add(&mut self, latex: String, source: &str, display: bool, at: usize) -> Option<char> {
        if self.all.len() >= MOST {
            return None;
        }
        self.all.push(Written { latex, source: source.to_owned(), display, at });
        char::from_u32(FIRST + u32::try_from(self.all.len() - 1).ok()?)
    }
}

/// Bytes of a definition between formulas.
const LONGEST_DEFINITION: usize = 2_000;

/// Commands that define when they stand between formulas, where others are words.
const DEFINES: &[&str] = &[
    "\\newcommand",
    "\\renewcommand",
    "\\providecommand",
    "\\DeclareMathOperator",
    "\\DeclarePairedDelimiter",
    "\\newenvironment",
    "\\renewenvironment",
    "\\definecolor",
    "\\def",
    "\\gdef",
    "\\let",
];

/// Whether `text` begins with a definition.
fn defines(text: &str) -> bool {
    DEFINES.iter().any(|command| text.strip_prefix(command).is_some_and(|rest| rest.starts_with(['{', '\\', '*', ' '])))
}

/// LaTeX takes no empty lines in a formula.
fn without_empty_lines(latex: &str) -> String {
    let lines: Vec<&str> = latex.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    lines.join("\n").trim().to_owned()
}

/// The source from byte `from` on with a character in place of each formula; what comes before stays.
pub(crate) fn taken(source: &Source, from: usize, formulas: &mut Formulas) -> Source {
    let text = source.text.as_str();
    let mut pass = Pass {
        text,
        source,
        formulas,
        out: Rewriter::of(source),
        copied: 0,
        at: from,
        ends: Ends::default(),
        unclosed: [false; RAW.len()],
        for_tex: 0,
    };
    if text[from..].contains(['$', '\\', '`'])
        || text[from..].contains("^{")
        || text[from..].contains("_{")
        || text[from..].contains("<math")
        || text[from..].contains("{math}")
        || text.chars().any(is_private)
    {
        pass.run();
    }
    pass.copy_to(text.len());
    pass.out.finish()
}

struct Pass<'a, 'f> {
    text: &'a str,
    source: &'a Source,
    formulas: &'f mut Formulas,
    out: Rewriter<'a>,
    /// Up to here everything is written.
    copied: usize,
    at: usize,
    /// Where the marks that end formulas stand.
    ends: Ends,
    /// Which elements of [`RAW`] nothing closes any more.
    unclosed: [bool; RAW.len()],
    /// Up to here an environment goes that is none of mathematics.
    for_tex: usize,
}

impl<'a> Pass<'a, '_> {
    fn copy_to(&mut self, end: usize) {
        self.out.copy(self.copied..end.max(self.copied));
        self.copied = end.max(self.copied);
    }

    fn run(&mut self) {
        let mut line_begins = true;
        while self.at < self.text.len() {
            if line_begins {
                line_begins = false;
                if let Some(length) = fence(&self.text[self.at..]) {
                    self.learn(self.at..self.at + length);
                    self.at += length;
                    line_begins = true;
                    continue;
                }
            }
            let rest = &self.text[self.at..];
            let Some(next) =
                rest.find(|c: char| matches!(c, '\n' | '$' | '\\' | '`' | '{' | '<' | '^' | '_') || is_private(c))
            else {
                break;
            };
            self.at += next;
            let rest = &rest[next..];
            let length = match rest.as_bytes()[0] {
                b'\n' => {
                    line_begins = true;
                    1
                }
                b'$' => self.dollar(rest),
                b'\\' => self.backslash(rest),
                b'`' => code_span(rest),
                b'{' => self.role(rest),
                b'^' | b'_' if rest[1..].starts_with('{') => self.bare().unwrap_or(1),
                b'^' | b'_' => 1,
                b'<' => self.raw_html(rest),
                _ => {
                    // Somebody else's sign of that plane stands for no formula.
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    self.copy_to(self.at);
                    self.out.put("\u{fffd}", self.at);
                    self.copied += length;
                    length
                }
            };
            self.at += length;
        }
    }

    /// MathML with its LaTeX beside it, as converters write it.
    fn mathml(&mut self, rest: &'a str) -> Option<usize> {
        let inside = rest.strip_prefix("<math").filter(|inside| inside.starts_with(['>', ' ', '\n']))?;
        let end = self.end(inside, "</math>").filter(|end| *end <= LONGEST)?;
        let element = &inside[..end];
        if element.contains("<math") {
            return None;
        }
        let annotation = element.split_once("application/x-tex\">").and_then(|(_, rest)| rest.split_once("</"));
        let text = element.split_once("alttext=\"").and_then(|(_, rest)| rest.split_once('"'));
        let (latex, _) = annotation.or(text)?;
        let latex = latex.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&quot;", "\"");
        let length = "<math".len() + end + "</math>".len();
        Some(self.formula(&latex, length, element.split('>').next().unwrap_or_default().contains("display=\"block\"")))
    }

    /// The length of an element whose content is no text, or of `<`.
    fn raw_html(&mut self, rest: &'a str) -> usize {
        if let Some(length) = self.mathml(rest) {
            return length;
        }
        let named = |name: &&str| starts_with(&rest[1..], name) && rest[1 + name.len()..].starts_with(['>', ' ', '\n']);
        let Some(index) = RAW.iter().position(named) else { return 1 };
        // What nothing closes from here on, nothing closes further on.
        if self.unclosed[index] {
            return 1;
        }
        let close = |at: &usize| starts_with(&rest[*at + 2..], RAW[index]);
        let end = rest.match_indices("</").map(|(at, _)| at).find(close);
        self.unclosed[index] = end.is_none();
        end.unwrap_or(1)
    }

    /// What the formula of a fence defines holds for those after it.
    fn learn(&mut self, fence: Range<usize>) {
        let text = &self.text[fence];
        let (info, body) = text.split_once('\n').unwrap_or_default();
        if is_formula_fence(info) {
            self.formulas.definitions.take(body);
        }
    }

    /// Writes the formula of `length` bytes that begins here, whose content is `latex`.
    fn formula(&mut self, latex: &str, length: usize, display: bool) -> usize {
        let at = self.at;
        let origin = self.source.origin(at);
        let source = &self.text[at..at + length];
        let Some(latex) = self.formulas.definitions.resolve(&without_empty_lines(latex)) else {
            // It defines, and shows nothing.
            self.copy_to(at);
            self.copied = at + length;
            return length;
        };
        if let Some(c) = self.formulas.add(latex, source, display, origin) {
            self.copy_to(at);
            self.out.put(c.encode_utf8(&mut [0; 4]), at);
            self.copied = at + length;
        }
        length
    }

    /// Where the mark `close` ends what `inside`, the rest of the text, begins with.
    fn end(&mut self, inside: &str, close: &'static str) -> Option<usize> {
        let from = self.text.len() - inside.len();
        // Before a dollar, a backslash makes it one of the formula.
        let find = |text: &str, mark: &str| if mark == "$$" { unescaped(text, mark) } else { text.find(mark) };
        self.ends.next(self.text, from, close, find).map(|at| at - from)
    }

    fn dollar(&mut self, rest: &'a str) -> usize {
        if rest.starts_with("$$") {
            return self.double(rest);
        }
        if let Some((length, latex)) = with_values(rest) {
            return self.formula(&latex, length, false);
        }
        if let Some(inside) = rest.strip_prefix("$`") {
            let end =
                self.end(inside, "`$").filter(|end| *end > 0 && *end < LONGEST && !inside[..*end].contains("\n\n"));
            return match end {
                Some(end) => self.formula(&inside[..end], end + 4, false),
                None => 1,
            };
        }
        let before = self.text[..self.at].chars().next_back();
        if let Some(length) = quantity(rest).filter(|_| !before.is_some_and(|c| c.is_ascii_alphanumeric())) {
            // Words say it better: they know the unit.
            self.copy_to(self.at);
            self.out.copy(self.at + 1..self.at + length - 1);
            self.copied = self.at + length;
            return length;
        }
        match single(rest, before) {
            Some(length) => {
                let latex = self.unquoted(&rest[1..length - 1]);
                // In lines of its own it is set apart.
                let after = near(&rest[length..], LINE).split('\n').next().unwrap_or_default();
                let alone = latex.starts_with('\n') && is_mark(self.line_before()) && is_note(after);
                self.formula(&latex, length, alone)
            }
            None => 1,
        }
    }

    /// `$$…$$`
    fn double(&mut self, rest: &'a str) -> usize {
        let inside = &rest[2..];
        let end = self.end(inside, "$$").filter(|end| *end <= LONGEST && is_formula(&inside[..*end]));
        let Some(end) = end else {
            self.formulas.unpaired.push(self.source.origin(self.at));
            self.copy_to(self.at);
            self.copied = self.at + 2;
            return 2;
        };
        let latex = &inside[..end];
        let length = end + 4;
        if latex.trim().is_empty() {
            self.copy_to(self.at);
            self.copied = self.at + length;
            return length;
        }
        let before = self.line_before();
        let after = near(&rest[length..], LINE).split('\n').next().unwrap_or_default();
        let alone = latex.contains('\n') || (is_mark(before) && is_note(after)) || {
            // Several of them are a line of formulas when nothing else stands there.
            let line = format!("{before}{after}");
            let words: String = line.split("$$").step_by(2).collect();
            let known = |c: char| !c.is_alphanumeric() || is_private(c);
            is_mark(&words) || words.chars().all(known)
        };
        let mut latex = self.unquoted(latex);
        let (label, note) = super::labels::after_formula(&rest[length..]).unwrap_or_default();
        if alone && self.formulas.definitions.numbered(label).is_some() {
            let labelled = format!("{}\\label{{{label}}}", latex.trim_end());
            let taken = self.formula(&labelled, length, alone);
            // The label itself is no word.
            self.copied += note;
            return taken + note;
        }
        // `$$…$$ (label)` names the formula, and `$$…$$ (3)` numbers it.
        let note = after.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).filter(|_| alone);
        let Some(note) = note.filter(|note| is_label(note)) else { return self.formula(&latex, length, alone) };
        if note.chars().all(|c| c.is_ascii_digit() || c == '.') && !latex.contains("\\tag") {
            latex = Cow::Owned(format!("{} \\tag{{{note}}}", latex.trim_end()));
        }
        self.formula(&latex, length, alone);
        self.copied = self.at + length + after.trim_end().len();
        self.copied - self.at
    }

    /// What stands before this place in its line.
    fn line_before(&self) -> &'a str {
        near_end(&self.text[..self.at], LINE).rsplit('\n').next().unwrap_or_default()
    }

    /// A formula within a quotation has its marks at the beginning of each line.
    fn unquoted(&self, latex: &'a str) -> Cow<'a, str> {
        if !latex.contains('\n') || !self.line_before().trim_start().starts_with('>') {
            return Cow::Borrowed(latex);
        }
        let bare = |line: &'a str| line.trim_start().trim_start_matches(['>', ' ']);
        let mut lines = latex.split('\n');
        let first = lines.next().unwrap_or_default();
        Cow::Owned(std::iter::once(first).chain(lines.map(bare)).collect::<Vec<_>>().join("\n"))
    }

    fn backslash(&mut self, rest: &'a str) -> usize {
        // With one backslash, or with two as Markdown wants them.
        for (open, close, display) in
            [("\\(", "\\)", false), ("\\[", "\\]", true), ("\\\\(", "\\\\)", false), ("\\\\[", "\\\\]", true)]
        {
            let Some(inside) = rest.strip_prefix(open) else { continue };
            let end = self.end(inside, close);
            let end = end.filter(|end| *end <= LONGEST && !inside[..*end].trim().is_empty());
            let Some(end) = end.filter(|end| is_formula(&inside[..*end])) else { continue };
            if !display && inside[..end].contains("\n\n") {
                continue;
            }
            // `\[x\](y)` is a bracket that is no link, and `\\[2pt]` a line break of LaTeX.
            if display && (inside[end + close.len()..].starts_with('(') || inside[..end].trim_end().ends_with("pt")) {
                continue;
            }
            let latex = self.unquoted(&inside[..end]);
            return self.formula(&latex, open.len() + end + close.len(), display);
        }
        if let Some(name) =
            near(rest, 40).strip_prefix("\\begin{").and_then(|inside| inside.split_once('}')).map(|(name, _)| name)
            && ENVIRONMENTS.contains(&name)
        {
            let close = format!("\\end{{{name}}}");
            if let Some(end) = near(rest, LONGEST + 32).find(&close).filter(|end| *end <= LONGEST) {
                let length = end + close.len();
                let whole = self.unquoted(&rest[..length]);
                let name = name.to_owned();
                let inside = whole[name.len() + 8..whole.len() - close.len()].to_owned();
                let bare = matches!(name.trim_end_matches('*'), "equation" | "displaymath" | "math" | "subequations");
                let latex = if bare { inside } else { whole.into_owned() };
                return self.formula(&latex, length, true);
            }
        }
        if defines(rest)
            && let Some(length) = self.formulas.definitions.define(near(rest, LONGEST_DEFINITION))
        {
            self.copy_to(self.at);
            self.copied = self.at + length;
            return length;
        }
        if rest.starts_with("\\begin{")
            && let Some(end) = near(rest, LONGEST).find("\\end{")
        {
            // What is in an environment that is none of mathematics is for TeX alone.
            self.for_tex = self.at + end;
        }
        self.bare().unwrap_or_else(|| rest.chars().take(2).map(char::len_utf8).sum())
    }

    /// A formula without marks around this place.
    fn bare(&mut self) -> Option<usize> {
        if self.at < self.for_tex {
            return None;
        }
        let range = bare::around(self.text, self.copied, self.at)?;
        self.at = range.start;
        Some(self.formula(&self.text[range.clone()], range.len(), false))
    }

    /// `` {math}`…` `` of MyST.
    fn role(&mut self, rest: &'a str) -> usize {
        let inside = rest.strip_prefix("{math}`");
        match inside.and_then(|inside| Some((inside, near(inside, 2_000).find('`')?))) {
            Some((inside, end)) if end > 0 => self.formula(&inside[..end], end + 8, false),
            _ => 1,
        }
    }
}

/// Whether what stands before a formula in its line is no word: marks of quotations and lists.
fn is_mark(before: &str) -> bool {
    let before = before.trim_matches(|c: char| c.is_whitespace() || matches!(c, '>' | '-' | '*' | '+' | '|'));
    before.is_empty()
        || before.strip_suffix(['.', ')']).is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Whether what stands after a formula in its line is no word: a mark, a number in brackets, an attribute.
fn is_note(after: &str) -> bool {
    let after = after.trim();
    after.chars().all(|c| matches!(c, '.' | ',' | ';' | ':' | '\\'))
        || (after.starts_with('{') && after.ends_with('}'))
        || (after.starts_with('(') && after.ends_with(')') && !after.contains(' '))
}

/// Whether what stands in brackets after a formula is its number or its label, and no word.
fn is_label(note: &str) -> bool {
    let number = note.starts_with(|c: char| c.is_ascii_digit()) && note.chars().all(|c| c.is_ascii_digit() || c == '.');
    let label = note.contains(['-', ':', '_'])
        && note.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_' | '.'));
    number || label
}

/// Whether it can be a formula: no heading, fence or rule stands in it.
fn is_formula(inside: &str) -> bool {
    let block = |line: &str| {
        let line = line.trim_start_matches([' ', '>']);
        line.starts_with("# ")
            || line.starts_with("## ")
            || line.starts_with("### ")
            || line.starts_with("```")
            || line.starts_with("---")
    };
    !inside.lines().any(block)
}

/// The first `mark` in `text` that no backslash stands before.
fn unescaped(text: &str, mark: &str) -> Option<usize> {
    text.match_indices(mark).map(|(at, _)| at).find(|at| {
        let escapes = text[..*at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        escapes % 2 == 0
    })
}

/// A formula with values that R puts in, ``$R^2 = `r x`$``, without them, and its length: nobody has run the program.
fn with_values(rest: &str) -> Option<(usize, String)> {
    let line = near(rest, LINE);
    let line = line.split('\n').next().unwrap_or_default();
    if !line.contains("`r ") {
        return None;
    }
    let (mut latex, mut at, mut values) = (String::new(), 1, 0);
    loop {
        let next = at + line.get(at..)?.find(['`', '$'])?;
        latex.push_str(&line[at..next]);
        if line[next..].starts_with("`r ") {
            values += 1;
            at = next + code_span(&line[next..]);
        } else if line[..next].ends_with('\\') {
            latex.push('$');
            at = next + 1;
        } else {
            let formula = values > 0 && line[next..].starts_with('$') && latex.contains(char::is_alphanumeric);
            return formula.then_some((next + 1, latex));
        }
    }
}

/// Signs that no price has.
const SIGNS: [char; 7] = ['\\', '^', '_', '=', '{', '<', '>'];

/// Units that are taken for one between the dollars of a number alone: `$30dB$`. Other letters are factors, as in `$4ac$`.
const UNITS: &[&str] = &[
    "dB", "km", "cm", "mm", "nm", "kg", "mg", "ms", "ns", "Hz", "kHz", "MHz", "GHz", "kB", "MB", "GB", "TB", "kW",
    "MW", "kWh", "mV", "kV", "mA", "Pa", "kPa", "hPa", "kJ", "eV", "keV", "MeV", "mol", "min", "ml", "mL", "Nm", "bit",
    "bits", "km/h", "m/s",
];

/// The length of a number with its unit between dollars, `$5km$`, that `rest` begins with.
fn quantity(rest: &str) -> Option<usize> {
    const LONGEST_QUANTITY: usize = 30;
    let inside = near(rest.strip_prefix('$')?, LONGEST_QUANTITY);
    let (content, after) = inside.split_once('$')?;
    let unit = content.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    let number = content.len() > unit.len() && content.starts_with(|c: char| c.is_ascii_digit());
    let free = !after.starts_with(|c: char| c.is_ascii_alphanumeric());
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    (number && free && UNITS.contains(&unit)).then_some(content.len() + 2)
}

/// The length of the formula `$…$` that `rest` begins with; none of a price.
fn single(rest: &str, before: Option<char>) -> Option<usize> {
    // `US$`, `35$`
    if before.is_some_and(|c| c.is_alphanumeric() && !is_private(c) && c.is_ascii()) {
        return None;
    }
    let inside = &rest[1..];
    let end = unescaped(near(inside, 2_001), "$").filter(|end| *end > 0 && *end <= 2_000)?;
    let content = &inside[..end];
    let after = inside[end + 1..].chars().next();
    if content.contains("\n\n") || content.contains('`') || after.is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    let (opens, closes) = (content.starts_with(char::is_whitespace), content.ends_with(char::is_whitespace));
    let fits = match (opens, closes) {
        (false, false) => true,
        // `$ a $`, as some write it.
        (true, true) if !content.contains('\n') => content.trim().len() < 200 && is_mathematical(content.trim()),
        // In lines of its own.
        (true, true) => {
            content.trim_matches([' ', '>']).starts_with('\n')
                && content.trim_end_matches([' ', '>']).ends_with('\n')
                && content.contains(SIGNS)
        }
        // `$x = 3 $`
        _ => {
            let word = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
            let words = content.split(|c: char| !c.is_alphanumeric()).any(word);
            !content.contains('\n')
                && content.contains(SIGNS)
                && (content.contains('\\') || !words)
                && !content.starts_with(|c: char| c.is_ascii_digit())
        }
    };
    // `$4ac$` and `$30dBm$` have no space that a price would have.
    let factors = content.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ','))
        && content.ends_with(|c: char| c.is_ascii_alphabetic())
        && !after.is_some_and(char::is_alphanumeric);
    let price = content.starts_with(|c: char| c.is_ascii_digit()) && !is_mathematical(content) && !factors;
    (fits && !content.trim().is_empty() && !price && !is_prose(content)).then_some(end + 2)
}

/// Whether a text has a sign of mathematics, or is a number or a letter alone.
fn is_mathematical(text: &str) -> bool {
    let word = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
    text.contains(['\\', '^', '_', '=', '<', '>', '+', '{']) || !text.split(|c: char| !c.is_alphanumeric()).any(word)
}

/// Whether a text is words rather than a formula: three of them that no command, script or brace stands by.
fn is_prose(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut words = 0;
    for word in text.split_whitespace() {
        let bare =
            depth == 0 && word.chars().all(|c| c.is_alphabetic() || matches!(c, ',' | '.' | ';' | ':' | '*' | '\''));
        words += usize::from(bare && word.chars().filter(|c| c.is_alphabetic()).count() > 2);
        depth = (depth + word.matches('{').count()).saturating_sub(word.matches('}').count());
    }
    words > 2 || (words > 1 && !text.contains(['\\', '^', '_', '=']))
}

/// The length of the code span that `rest` begins with, or of its marks when nothing closes it.
fn code_span(rest: &str) -> usize {
    let marks = rest.bytes().take_while(|byte| *byte == b'`').count();
    let mut at = marks;
    let end = paragraph_end(rest);
    // More marks than a code span is long are none.
    while let Some(next) = rest.get(at..end).and_then(|inside| inside.find('`')) {
        let begin = at + next;
        let length = rest[begin..].bytes().take_while(|byte| *byte == b'`').count();
        if length == marks {
            return begin + length;
        }
        at = begin + length;
    }
    marks
}

fn paragraph_end(text: &str) -> usize {
    // No code span is longer.
    let mut end = text.len().min(4_000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].find("\n\n").unwrap_or(end)
}

/// Whether `text` begins with `start`, in any case.
pub(crate) fn starts_with(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// A line without the marks of quotations and lists at its beginning, and without white space.
pub(crate) fn unmarked(line: &str) -> &str {
    let mut rest = line.trim_start();
    loop {
        let next = rest.strip_prefix('>').or_else(|| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let mark =
                if digits > 0 { rest[digits..].strip_prefix(['.', ')']) } else { rest.strip_prefix(['-', '*', '+']) };
            mark.filter(|after| after.starts_with(' '))
        });
        match next {
            Some(next) => rest = next.trim_start(),
            None => return rest,
        }
    }
}

/// Tells lines of an indented program from those that are indented for another reason.
#[derive(Debug)]
pub(crate) struct Indents {
    /// Whether the line before was empty, or one of a program.
    begins: bool,
    /// Whether something is open that goes on in indented lines, such as a list.
    list: bool,
}

impl Default for Indents {
    fn default() -> Self {
        Self { begins: true, list: false }
    }
}

impl Indents {
    /// Whether the next line is one of a program.
    pub(crate) fn is_program(&mut self, line: &str) -> bool {
        let bare = line.trim_start_matches(' ');
        let indented = line.len() - bare.len() >= 4 || bare.starts_with('\t');
        if line.trim().is_empty() {
            self.begins = true;
            return false;
        }
        let program = indented && self.begins && !self.list;
        if !indented {
            let item = unmarked(bare).len() < bare.len() && !bare.starts_with('>');
            // Notes and elements of HTML go on in indented lines too.
            let item = item || bare.starts_with("[^") || bare.starts_with('<');
            self.list = item || (self.list && (!self.begins || bare.len() < line.len()));
        }
        self.begins = program;
        program
    }
}

/// The sign and number of the marks that a fence opens with.
pub(crate) fn fence_marks(line: &str) -> Option<(char, usize)> {
    let line = unmarked(line);
    let sign = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let count = line.chars().take_while(|c| *c == sign).count();
    let info = line.get(count..).unwrap_or_default();
    // The title of a call-out may hold code: `smart header="About `let`"`.
    let titled = info.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with(" header=\"")
        && info.trim_end().ends_with('"');
    (count >= 3 && (titled || !(sign == '`' && info.contains('`')))).then_some((sign, count))
}

/// Whether a line closes a fence.
pub(crate) fn closes(line: &str, (sign, count): (char, usize)) -> bool {
    let line = line.trim_start().trim_start_matches(['>', ' ']);
    let marks = line.chars().take_while(|c| *c == sign).count();
    marks >= count && line[marks..].trim().is_empty()
}

/// Whether a fence that opens with this line holds a formula.
fn is_formula_fence(line: &str) -> bool {
    let info = unmarked(line).trim_start_matches(['`', '~']).trim().trim_start_matches('{');
    let name = info.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    matches!(name.to_ascii_lowercase().as_str(), "math" | "latex")
}

/// The length of the fence that `rest`, the beginning of a line, begins with.
fn fence(rest: &str) -> Option<usize> {
    let first = rest.split_inclusive('\n').next()?;
    let marks = fence_marks(first)?;
    let mut length = first.len();
    for line in rest[length..].split_inclusive('\n') {
        length += line.len();
        if closes(line, marks) {
            break;
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with its formulas in guillemets, and those that are set apart in double ones.
    fn marked(text: &str) -> String {
        let mut formulas = Formulas::default();
        let taken = taken(&Source::of(text), 0, &mut formulas);
        let mark = |c| match formulas.of(c) {
            Some(formula) if formula.display => format!("«{}»", formula.latex),
            Some(formula) => format!("‹{}›", formula.latex),
            None => c.to_string(),
        };
        taken.text.chars().map(mark).collect()
    }

    #[test]
    fn formulas_are_found_however_they_are_marked() {
        for (text, found) in [
            ("So $x^2$ is.", "So ‹x^2› is."),
            ("Here $ a $ and $ y = a x + b $.", "Here ‹a› and ‹y = a x + b›."),
            ("A\n\n$$\nx\n=\n\ny\n$$\n\nB", "A\n\n«x\n=\ny»\n\nB"),
            ("Let $$x$$ be", "Let ‹x› be"),
            ("- The slope is $$m$$\n- $$b$$", "- The slope is ‹m›\n- «b»"),
            ("$$a$$, $$b$$.", "«a», «b»."),
            (r"\(x_1\) and \[ y \]", "‹x_1› and « y »".replace("« y »", "«y»").as_str()),
            (r"\\(x\\) and \\[y\\]", "‹x› and «y»"),
            (
                "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
                "«\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}»",
            ),
            ("\\begin{equation}\nx \\label{eq:x}\n\\end{equation}", "«x»"),
            ("$`a_1`$ and {math}`b`", "‹a_1› and ‹b›"),
            ("> $$\n> x\n> $$", "> «x»"),
            ("| $|x|$ | b |", "| ‹|x|› | b |"),
            ("**$x$**", "**‹x›**"),
            (r"$a\$b$", r"‹a\$b›"),
            ("$$ 10^{9} $$ base pairs", "‹10^{9}› base pairs"),
            ("$$ E = mc^2 $$ {#eq-e}", "«E = mc^2» {#eq-e}"),
            (r"\newcommand{\R}{\mathbb{R}} $\R$", r" ‹\newcommand{\R}{\mathbb{R}}\R›"),
            (r"$$\def\v{\mathbf{v}}$$ $\v$ $x$", r" ‹\newcommand{\v}{\mathbf{v}}\v› ‹x›"),
            ("```math\n\\def\\v{u}\n\\v\n```\n$\\v$", "```math\n\\def\\v{u}\n\\v\n```\n‹\\newcommand{\\v}{u}\\v›"),
            ("$\\text{if it is so}$", "‹\\text{if it is so}›"),
            ("Für $n$-te Zahlen", "Für ‹n›-te Zahlen"),
            ("$$\na\n$$ (eq-a)\nb", "«a»\nb"),
            ("$$ a $$ (2.1)\nb", "«a \\tag{2.1}»\nb"),
            ("$$ a $$ (b)", "«a» (b)"),
            ("<math alttext=\"a&lt;b\"><mi>a</mi></math> so", "‹a<b› so"),
            (
                "<math display=\"block\"><mi>x</mi><annotation encoding=\"application/x-tex\">x^2</annotation></math>",
                "«x^2»",
            ),
            ("在$x$中", "在‹x›中"),
            ("gain $30dB$, way $5 km$, $4ac$ and $x = 3 $ is", "gain 30dB, way 5 km, ‹4ac› and ‹x = 3› is"),
            ("A\n$\nx \\in \\R\n$\nis", "A\n«x \\in \\R»\nis"),
            ("We have $\na = b\n$ here", "We have ‹a = b› here"),
            ("> $\n> a_1\n> $", "> «a_1»"),
        ] {
            assert_eq!(marked(text), found, "{text}");
        }
    }

    #[test]
    fn prices_and_programs_are_no_formulas() {
        for text in [
            "It costs $5 and $10.",
            "Cela coûte **35$** ou **40$** au Québec.",
            "From US$ 3 to US$ 4.",
            "That is $6.20/hr, not $7/hr.",
            "A cup costs $2 and the lemons $0.80, so the margin is $1.20.",
            "$5-$10",
            "`$x$` and ``a ` $y$``",
            "```\n$x$\n```",
            "> ```\n> $x$\n> ```\nb",
            "~~~ sh\necho $A $B\n~~~",
            "<script>\nlet a = \"$x$\";\n</script>",
            r"\$5 and \$6",
            "Run $HOME then $PATH",
            "It costs $5k or $7 million and $8",
            "We pay 5$\n\nand 6$",
            "set $HOME = here $ and",
            "a $\nb and the c\n$ d",
            "$5 (or 5$)",
            r"\[not a link\](x)",
        ] {
            assert_eq!(marked(text), text);
        }
        assert_eq!(marked("break-even is $300 = 1.2 n$"), "break-even is ‹300 = 1.2 n›");
        let mut formulas = Formulas::default();
        let text = "a $$ b\n\n# Heading\n\n$$x$$";
        let taken = taken(&Source::of(text), 0, &mut formulas);
        assert_eq!(formulas.unpaired, [2]);
        assert_eq!(formulas.restored(&taken.text), "a  b\n\n# Heading\n\n$$x$$");
    }

    #[test]
    fn formulas_know_where_they_stood() {
        let mut formulas = Formulas::default();
        let text = "a $x$ b $y$ c";
        let taken = taken(&Source::of(text), 0, &mut formulas);
        let y = taken.text.char_indices().filter(|(_, c)| is_private(*c)).nth(1).unwrap();
        assert_eq!((formulas.of(y.1).unwrap().at, taken.origin(y.0)), (8, 8));
        assert_eq!(taken.origin(taken.text.find('c').unwrap()), 12);
    }
}
