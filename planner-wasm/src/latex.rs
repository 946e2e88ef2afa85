//! A LaTeX formula as a tree, for `formula` (which writes Typst) and `speech` (which writes words).
//!
//! Why it is read here and not by one of the converters on crates.io: they swallow mistakes (`\frac{1}{` becomes a fraction, an
//! unknown command becomes letters), lose colours, `\big` delimiters and the lines of arrays, break on a comma inside `\frac`, write
//! `\text` as markup, and can't be held to a depth. Words need the tree in any case.

use crate::symbols::{self, Symbol};

/// A formula of more bytes is no formula that fits on a screen.
pub(crate) const LONGEST: usize = 4_000;

/// Arguments, groups and environments inside each other. Deeper than any formula that is read, and shallow enough for
/// the sandbox's stack: the tree is walked by recursion.
const DEEPEST: usize = 40;

/// Items side by side.
pub(crate) type Row<'a> = Vec<Node<'a>>;

/// One item of a formula.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node<'a> {
    /// A letter, digit string of one sign, or sign as written.
    Char(char),
    /// A delimiter of `\big` and the like, and its height in per cent of the usual one.
    Big(char, u16),
    /// A number with its decimal point.
    Number(String),
    /// `\text{…}` and the like.
    Text(String),
    /// A sign by its command.
    Symbol(&'static Symbol),
    /// A sign that only the larger table knows: its command and its Typst.
    Rare(&'a str, &'static str),
    /// `\sin`, `\operatorname{…}`; whether its scripts stand above and below.
    Operator(String, bool),
    /// `{…}`
    Group(Row<'a>),
    /// `\frac`, `\dfrac`, `\tfrac` by name, numerator, denominator; also `\binom`.
    Fraction(&'a str, Row<'a>, Row<'a>),
    /// Index and radicand.
    Root(Option<Row<'a>>, Row<'a>),
    /// An accent, line or brace by its command.
    Accent(&'a str, Row<'a>),
    /// `\mathbf{…}` and the like by command.
    Font(&'a str, Row<'a>),
    /// Base, below, above, primes.
    Scripts { base: Option<Box<Node<'a>>>, below: Option<Row<'a>>, above: Option<Row<'a>>, primes: usize },
    /// `\left … \right`; a dot is no delimiter.
    Fenced(char, Row<'a>, char),
    /// `\middle`
    Middle(char),
    /// Rows of cells.
    Table(Table<'a>),
    /// `\overset`, `\underset`: what stands above (or below), and its base.
    Stacked { above: bool, note: Row<'a>, base: Row<'a> },
    /// An arrow as long as its notes: the arrow, above, below.
    Arrow(char, Row<'a>, Row<'a>),
    /// A colour's name and what has it.
    Colour(String, Row<'a>),
    /// `\not` and what it denies.
    Not(Box<Node<'a>>),
    /// A space by its command.
    Space(&'a str),
    /// `\pmod{n}`
    Modulo(Row<'a>),
}

/// An environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table<'a> {
    /// Without a star.
    pub(crate) name: String,
    /// The column letters of an `array`, `|` for a line.
    pub(crate) columns: String,
    pub(crate) rows: Vec<Vec<Row<'a>>>,
    /// Before which rows a line is drawn.
    pub(crate) lines: Vec<usize>,
}

/// The tree of a formula; several lines outside of an environment are taken as `aligned`.
///
/// # Errors
/// In words, why it can't be understood.
pub(crate) fn parse(source: &str) -> Result<Row<'_>, String> {
    if source.len() > LONGEST {
        return Err("it is too long".to_owned());
    }
    let mut parser = Parser { tokens: tokens(source), at: 0, depth: 0 };
    let (mut rows, lines) = parser.rows()?;
    match parser.peek() {
        None => {}
        Some(Token::Close) => return Err("a `}` closes nothing".to_owned()),
        Some(Token::Command("right")) => return Err("a `\\right` has no `\\left`".to_owned()),
        Some(_) => return Err("an `\\end` has no `\\begin`".to_owned()),
    }
    if rows.iter().flatten().all(Vec::is_empty) {
        return Err("it is empty".to_owned());
    }
    if rows.len() == 1 && rows[0].len() == 1 {
        return Ok(rows.swap_remove(0).swap_remove(0));
    }
    Ok(vec![Node::Table(Table { name: "aligned".to_owned(), columns: String::new(), rows, lines })])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// `\name` or `\,`, without the backslash.
    Command(&'a str),
    Open,
    Close,
    Char(char),
    Space,
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\\' => {
                let name = &rest[1..];
                let letters = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
                let length = if letters > 0 { letters } else { name.chars().next().map_or(0, char::len_utf8) };
                (Token::Command(&name[..length]), length + 1)
            }
            '{' => (Token::Open, 1),
            '}' => (Token::Close, 1),
            '%' => (Token::Space, rest.find('\n').unwrap_or(rest.len())),
            c if c.is_whitespace() => (Token::Space, rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())),
            c => (Token::Char(c), c.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

type Answer<T> = Result<T, String>;

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn spaces(&mut self) {
        while self.peek() == Some(Token::Space) {
            self.at += 1;
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Answer<T>) -> Answer<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deep".to_owned());
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Rows and cells up to something that ends them, which is left; and before which rows lines are drawn.
    fn rows(&mut self) -> Answer<(Vec<Vec<Row<'a>>>, Vec<usize>)> {
        let mut rows = vec![vec![]];
        let mut lines = Vec::new();
        loop {
            self.spaces();
            while let Some(Token::Command("hline" | "toprule" | "midrule" | "bottomrule")) = self.peek() {
                lines.push(rows.len() - 1);
                self.next();
                self.spaces();
            }
            let cell = self.row(None)?;
            if let Some(row) = rows.last_mut() {
                row.push(cell);
            }
            match self.peek() {
                Some(Token::Char('&')) => {
                    self.next();
                }
                Some(Token::Command("\\" | "cr" | "newline")) => {
                    self.next();
                    if self.peek() == Some(Token::Char('[')) {
                        self.bracketed()?;
                    }
                    rows.push(vec![]);
                }
                _ => break,
            }
        }
        // A last `\\` begins no row.
        if rows.len() > 1 && rows.last().is_some_and(|row| row.iter().all(Vec::is_empty)) {
            rows.pop();
        }
        Ok((rows, lines))
    }

    /// Items up to `}`, `\right`, `\end`, `&`, `\\`, `until` or the end; the terminator is left.
    fn row(&mut self, until: Option<char>) -> Answer<Row<'a>> {
        let mut row = Row::new();
        loop {
            self.spaces();
            match self.peek() {
                None | Some(Token::Close | Token::Char('&')) => break,
                Some(Token::Command("right" | "end" | "\\" | "cr" | "newline")) => break,
                Some(Token::Char(c)) if Some(c) == until => break,
                Some(Token::Command("hline")) => break,
                Some(Token::Command(name @ ("rm" | "bf" | "it" | "sf" | "tt" | "cal"))) => {
                    self.next();
                    let rest = self.deeper(|parser| parser.row(until))?;
                    row.push(Node::Font(name, rest));
                }
                Some(Token::Command("color")) => {
                    self.next();
                    let colour = self.word()?;
                    // `\color{red}{x}` is meant for `x` alone, `{\color{red} x y}` for all that follows.
                    let body = if self.peek() == Some(Token::Open) {
                        self.argument()?
                    } else {
                        self.deeper(|parser| parser.row(until))?
                    };
                    row.push(Node::Colour(colour, body));
                }
                Some(Token::Command(
                    "displaystyle" | "textstyle" | "scriptstyle" | "limits" | "nolimits" | "nonumber",
                ))
                | Some(Token::Command("notag" | "strut" | "relax" | "centering" | "allowbreak")) => {
                    self.next();
                }
                Some(Token::Command("label" | "tag" | "vspace" | "hspace")) => {
                    self.next();
                    self.word()?;
                }
                Some(_) => row.push(self.item()?),
            }
        }
        Ok(row)
    }

    /// One item with its scripts.
    fn item(&mut self) -> Answer<Node<'a>> {
        let base = match self.peek() {
            Some(Token::Char('^' | '_' | '\'' | '’')) => None,
            _ => Some(self.base(true)?),
        };
        let (mut below, mut above, mut primes) = (None, None, 0);
        loop {
            self.spaces();
            match self.peek() {
                Some(Token::Command("limits" | "nolimits")) if base.is_some() => {
                    self.next();
                }
                Some(Token::Char('\'' | '’')) => {
                    self.next();
                    primes += 1;
                }
                Some(Token::Char('^')) if above.is_none() => {
                    self.next();
                    above = Some(self.argument()?);
                }
                Some(Token::Char('_')) if below.is_none() => {
                    self.next();
                    below = Some(self.argument()?);
                }
                Some(Token::Char('^' | '_')) => return Err("a superscript or subscript stands twice".to_owned()),
                _ => break,
            }
        }
        match base {
            Some(base) if below.is_none() && above.is_none() && primes == 0 => Ok(base),
            base => Ok(Node::Scripts { base: base.map(Box::new), below, above, primes }),
        }
    }

    /// One item without scripts. A number is taken whole where it stands free, and digit by digit as an argument.
    fn base(&mut self, free: bool) -> Answer<Node<'a>> {
        match self.next() {
            Some(Token::Open) => {
                let row = self.deeper(|parser| parser.row(None))?;
                self.close()?;
                Ok(Node::Group(row))
            }
            Some(Token::Char(c)) if c.is_ascii_digit() && free => Ok(Node::Number(self.number(c))),
            Some(Token::Char('#' | '$')) => Err("it holds a `#` or `$`".to_owned()),
            Some(Token::Char('~')) => Ok(Node::Space(" ")),
            Some(Token::Char(c)) => Ok(Node::Char(c)),
            Some(Token::Command(name)) => self.deeper(|parser| parser.command(name)),
            Some(Token::Space | Token::Close) | None => Err("something is missing".to_owned()),
        }
    }

    fn number(&mut self, first: char) -> String {
        let mut number = first.to_string();
        let digit = |token: Option<&Token<'_>>| match token {
            Some(Token::Char(c)) if c.is_ascii_digit() => Some(*c),
            _ => None,
        };
        loop {
            if let Some(c) = digit(self.tokens.get(self.at)) {
                number.push(c);
                self.at += 1;
            } else if self.peek() == Some(Token::Char('.'))
                && !number.contains('.')
                && digit(self.tokens.get(self.at + 1)).is_some()
            {
                number.push('.');
                self.at += 1;
            } else {
                return number;
            }
        }
    }

    fn close(&mut self) -> Answer<()> {
        match self.next() {
            Some(Token::Close) => Ok(()),
            None => Err("a `{` is never closed".to_owned()),
            Some(Token::Char('&') | Token::Command("\\")) => Err("a line ends inside of braces".to_owned()),
            Some(_) => Err("a `{` is closed by something else".to_owned()),
        }
    }

    /// One argument: a group's content, or one item.
    fn argument(&mut self) -> Answer<Row<'a>> {
        self.spaces();
        match self.deeper(|parser| parser.base(false))? {
            Node::Group(row) => Ok(row),
            one => Ok(vec![one]),
        }
    }

    /// What stands in brackets.
    fn bracketed(&mut self) -> Answer<Row<'a>> {
        self.next();
        let row = self.deeper(|parser| parser.row(Some(']')))?;
        match self.next() {
            Some(Token::Char(']')) => Ok(row),
            _ => Err("a `[` is never closed".to_owned()),
        }
    }

    fn optional(&mut self) -> Answer<Option<Row<'a>>> {
        self.spaces();
        if self.peek() == Some(Token::Char('[')) { self.bracketed().map(Some) } else { Ok(None) }
    }

    /// A group's content as plain words.
    fn word(&mut self) -> Answer<String> {
        self.spaces();
        if self.next() != Some(Token::Open) {
            return Err("a `{` is missing".to_owned());
        }
        let mut word = String::new();
        let mut open = 1;
        loop {
            match self.next() {
                None => return Err("a `{` is never closed".to_owned()),
                Some(Token::Open) => open += 1,
                Some(Token::Close) if open == 1 => return Ok(word),
                Some(Token::Close) => open -= 1,
                Some(Token::Space | Token::Char('~') | Token::Command(" " | "," | ";" | "quad")) => word.push(' '),
                Some(Token::Char('$')) => {}
                Some(Token::Char(c)) => word.push(c),
                Some(Token::Command("textbf" | "textit" | "emph" | "mathrm" | "text" | "textrm" | "em" | "bf")) => {}
                Some(Token::Command(name)) => match (symbols::find(name), name.chars().next()) {
                    (Some(symbol), _) => word.push(symbol.sign),
                    (None, Some(c)) if !c.is_ascii_alphabetic() => word.push(c),
                    _ => return Err(format!("`\\{name}` stands in text")),
                },
            }
        }
    }

    fn delimiter(&mut self) -> Answer<char> {
        self.spaces();
        let found = match self.next() {
            Some(Token::Char('<')) => Some('⟨'),
            Some(Token::Char('>')) => Some('⟩'),
            Some(Token::Char(c @ ('(' | ')' | '[' | ']' | '|' | '/' | '.'))) => Some(c),
            Some(Token::Command(name)) => symbols::delimiter(name),
            _ => None,
        };
        found.ok_or_else(|| "a delimiter is missing after `\\left`, `\\right` or `\\big`".to_owned())
    }

    fn command(&mut self, name: &'a str) -> Answer<Node<'a>> {
        Ok(match name {
            "" => return Err("a backslash stands at its end".to_owned()),
            "frac" | "dfrac" | "tfrac" | "cfrac" | "binom" | "dbinom" | "tbinom" => {
                Node::Fraction(name, self.argument()?, self.argument()?)
            }
            "sqrt" => Node::Root(self.optional()?, self.argument()?),
            "text" | "textrm" | "textnormal" | "textbf" | "textit" | "textsf" | "texttt" | "mbox" | "hbox" | "emph" => {
                Node::Text(self.word()?)
            }
            "operatorname" => {
                let below = self.peek() == Some(Token::Char('*'));
                self.at += usize::from(below);
                Node::Operator(self.word()?.trim().to_owned(), below)
            }
            "mathbf" | "mathbb" | "mathcal" | "mathscr" | "mathfrak" | "mathrm" | "mathsf" | "mathtt" | "mathit"
            | "bm" | "boldsymbol" | "pmb" | "mathnormal" => Node::Font(name, self.argument()?),
            "mathop" | "mathbin" | "mathrel" | "mathord" | "mathopen" | "mathclose" | "mathpunct" | "mathinner"
            | "mathstrut" | "ensuremath" => Node::Group(self.argument()?),
            "hat" | "widehat" | "tilde" | "widetilde" | "bar" | "overline" | "underline" | "vec" | "overrightarrow"
            | "overleftarrow" | "dot" | "ddot" | "dddot" | "acute" | "grave" | "breve" | "check" | "mathring"
            | "overbrace" | "underbrace" | "boxed" | "fbox" | "cancel" | "bcancel" | "xcancel" | "phantom"
            | "hphantom" | "vphantom" => Node::Accent(name, self.argument()?),
            "overset" | "stackrel" => Node::Stacked { above: true, note: self.argument()?, base: self.argument()? },
            "underset" => Node::Stacked { above: false, note: self.argument()?, base: self.argument()? },
            "xrightarrow" | "xleftarrow" | "xRightarrow" | "xLeftarrow" | "xmapsto" | "xleftrightarrow" => {
                let below = self.optional()?.unwrap_or_default();
                let arrow = symbols::find(&name[1..]).map_or('→', |symbol| symbol.sign);
                Node::Arrow(arrow, self.argument()?, below)
            }
            "textcolor" => Node::Colour(self.word()?, self.argument()?),
            "left" => self.fenced()?,
            "middle" => Node::Middle(self.delimiter()?),
            "big" | "bigl" | "bigr" | "bigm" => Node::Big(self.delimiter()?, 120),
            "Big" | "Bigl" | "Bigr" | "Bigm" => Node::Big(self.delimiter()?, 180),
            "bigg" | "biggl" | "biggr" | "biggm" => Node::Big(self.delimiter()?, 240),
            "Bigg" | "Biggl" | "Biggr" | "Biggm" => Node::Big(self.delimiter()?, 300),
            "begin" => self.environment()?,
            "substack" => self.substack()?,
            "not" => {
                self.spaces();
                Node::Not(Box::new(self.deeper(|parser| parser.base(false))?))
            }
            "pmod" | "pod" => Node::Modulo(self.argument()?),
            "bmod" | "mod" => Node::Operator("mod".to_owned(), false),
            "," | ":" | ";" | "!" | " " | ">" | "quad" | "qquad" | "enspace" | "thinspace" | "space" | "\n" => {
                Node::Space(name)
            }
            "{" | "}" | "%" | "&" | "#" | "$" | "_" => Node::Char(name.chars().next().unwrap_or(' ')),
            "|" => Node::Char('‖'),
            _ => return self.sign(name),
        })
    }

    fn sign(&self, name: &'a str) -> Answer<Node<'a>> {
        if let Some((word, below)) = symbols::operator(name) {
            return Ok(Node::Operator(word.to_owned(), below));
        }
        if let Some(symbol) = symbols::find(name) {
            return Ok(Node::Symbol(symbol));
        }
        match symbols::rare::find(name) {
            Some(typst) => Ok(Node::Rare(name, typst)),
            None => Err(format!("`\\{}` is not known", name.chars().take(40).collect::<String>())),
        }
    }

    fn fenced(&mut self) -> Answer<Node<'a>> {
        let left = self.delimiter()?;
        let row = self.deeper(|parser| parser.row(None))?;
        if self.next() != Some(Token::Command("right")) {
            return Err("a `\\left` has no `\\right`".to_owned());
        }
        Ok(Node::Fenced(left, row, self.delimiter()?))
    }

    fn substack(&mut self) -> Answer<Node<'a>> {
        self.spaces();
        if self.next() != Some(Token::Open) {
            return Err("a `{` is missing".to_owned());
        }
        let (rows, lines) = self.deeper(Self::rows)?;
        self.close()?;
        Ok(Node::Table(Table { name: "substack".to_owned(), columns: String::new(), rows, lines }))
    }

    fn environment(&mut self) -> Answer<Node<'a>> {
        let name = self.word()?.trim_end_matches('*').to_owned();
        let columns = match name.as_str() {
            "array" => {
                self.optional()?;
                self.word()?
            }
            "alignedat" | "alignat" => {
                self.word()?;
                String::new()
            }
            "aligned" | "gathered" | "matrix" => {
                self.optional()?;
                String::new()
            }
            _ => String::new(),
        };
        if !symbols::ENVIRONMENTS.contains(&name.as_str()) {
            return Err(format!("the environment `{}` is not known", name.chars().take(40).collect::<String>()));
        }
        let (rows, lines) = self.deeper(Self::rows)?;
        if self.next() != Some(Token::Command("end")) {
            return Err("a `\\begin` has no `\\end`".to_owned());
        }
        if self.word()?.trim_end_matches('*') != name {
            return Err(format!("`\\begin{{{name}}}` is ended by another name"));
        }
        Ok(Node::Table(Table { name, columns, rows, lines }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_but_as_arguments() {
        assert_eq!(parse("12.5x"), Ok(vec![Node::Number("12.5".to_owned()), Node::Char('x')]));
        assert_eq!(parse(r"\frac12"), Ok(vec![Node::Fraction("frac", vec![Node::Char('1')], vec![Node::Char('2')])]));
    }

    #[test]
    fn what_is_no_formula() {
        for (source, why) in [
            ("", "empty"),
            ("  ", "empty"),
            (r"\frac{1}{", "never closed"),
            ("a}", "closes nothing"),
            (r"{\left( x}", "no `\\right`"),
            (r"\left( x", "no `\\right`"),
            (r"x \right)", "no `\\left`"),
            (r"\begin{pmatrix} 1", "no `\\end`"),
            (r"\begin{pmatrix} 1 \end{bmatrix}", "another name"),
            (r"\begin{tikzpicture} 1 \end{tikzpicture}", "not known"),
            (r"x^", "missing"),
            (r"x^2^3", "twice"),
            (r"\frac", "missing"),
            (r"x\", "backslash"),
            (r"\def\a{\a\a}\a", "not known"),
            (r"#read(1)", "`#`"),
        ] {
            assert!(parse(source).is_err_and(|said| said.contains(why)), "{source}: {:?}", parse(source));
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        for deep in [
            "{".repeat(3_000),
            format!("{}x{}", "{".repeat(1_000), "}".repeat(1_000)),
            format!("{}x{}", "x^{".repeat(900), "}".repeat(900)),
            format!("{}x", r"\sqrt".repeat(700)),
            format!("{}x", r"\not".repeat(900)),
            format!("{}x", r"\left(".repeat(600)),
            format!("{}x", r"\rm ".repeat(900)),
            format!("{}x", r"\frac".repeat(700)),
            format!("{}x", r"\sqrt[".repeat(600)),
        ] {
            assert!(parse(&deep).is_err_and(|said| said.contains("deep")), "{:.12}: {:?}", deep, parse(&deep));
        }
        assert!(parse(&"x".repeat(9_000)).is_err_and(|said| said.contains("long")));
    }
}
