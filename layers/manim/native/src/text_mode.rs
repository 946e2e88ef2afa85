//! TeX's text mode: words in lines, with mathematics, lists and tables among them, as a standalone document of `Tex` in Manim has them.
//!
//! Each word is a formula of `\text`s that is set like any other; lines are filled greedily and stand as TeX's would: 12 pt apart, 345 pt
//! wide. Hyphenation is not done.

use formula::parts::is_special;

use crate::typeset::{Answer, Item, Request, Setter, Told};
use crate::words::kern;

/// `\textwidth` of the standalone class at 10 pt, in em.
const TEXT_WIDTH: f64 = 34.5;
/// `\baselineskip` at 10 pt.
const LINE: f64 = 1.2;
/// `\lineskip`: the least distance between what is deep and what is high.
const LINE_SKIP: f64 = 0.1;
/// Where the middle of a box is, above the baseline.
const AXIS: f64 = 0.25;
/// A space of Computer Modern, and what is added to it after the end of a sentence.
const SPACE: f64 = 0.333_33;
const SENTENCE: f64 = 0.111_11;
/// `\abovedisplayskip` and `\belowdisplayskip`.
const DISPLAY_SKIP: f64 = 1.0;
/// `\leftmargin` of a list, and `\labelsep`, and what is between two items besides the line.
const MARGIN: f64 = 2.5;
const LABEL_SKIP: f64 = 0.5;
const ITEM_SKIP: f64 = 0.8;
/// What is above and below a section's title, besides the line.
const ABOVE_SECTION: f64 = 1.5;
const BELOW_SECTION: f64 = 1.0;
const BELOW_SUBSECTION: f64 = 0.65;
/// The paragraphs and groups inside of each other that are read.
const DEEPEST: usize = 20;
/// Words of one text at most; a film shows no more.
const MOST_WORDS: usize = 4_000;

/// How lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Centre,
    Right,
    /// Left and right, but for the last line of a paragraph.
    Both,
}

#[derive(Debug, Clone, PartialEq)]
struct Style {
    bold: bool,
    italic: bool,
    /// `tt`, `sf`, or empty.
    family: &'static str,
    size: &'static str,
    /// Small letters are drawn as capitals of a smaller size.
    caps: bool,
    colour: String,
}

#[derive(Debug)]
enum Piece {
    /// Source of something that no line breaks.
    Word(String),
    /// Room between words, in em; whether a line may end there.
    Space(f64, bool),
    /// The end of a line, and what is below it besides, in em.
    Break(f64),
    /// A formula that stands on a line of its own.
    Display(String),
    Align(Align),
    /// Lines begin that many em further to the right from here on.
    Indent(f64),
    /// A list's mark, which ends before the text's left edge.
    Mark(String),
    /// How wide the lines are.
    Width(f64),
    /// Lines of their own width, which stand on a line like a word.
    Box {
        width: f64,
        stand: Stand,
        pieces: Vec<Piece>,
    },
}

/// Where a box stands on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Its middle is at the axis.
    Middle,
    /// Its first line is at the baseline.
    First,
    /// Its last line is.
    Last,
}

impl Stand {
    /// What the brackets of a box say, and what follows them.
    fn read(text: &str) -> (Self, &str) {
        let (mut stand, mut rest) = (Self::Middle, text.trim_start());
        let mut is_first = true;
        while let Some((said, tail)) = bracket(rest) {
            match said.trim() {
                "t" if is_first => stand = Self::First,
                "b" if is_first => stand = Self::Last,
                _ => {}
            }
            (is_first, rest) = (false, tail.trim_start());
        }
        (stand, rest)
    }
}

struct Reader {
    pieces: Vec<Piece>,
    word: String,
    style: Style,
    depth: usize,
    lists: Vec<Option<usize>>,
    sentence: bool,
    /// The letter that the word ends in, and whether it is bold and italic; none after anything else, and in other families.
    last: Option<(char, bool, bool)>,
    /// Whether the word ends in a `\text` of letters, to which others may be added.
    ends_in_letters: bool,
    /// How many sections have begun.
    sections: usize,
    /// Whether mathematics stands among words, where TeX stops.
    is_bare: bool,
}

/// Sets a text. `environment` is what Manim puts around it: `center`, `flushleft`, `minipage}{9cm` …; empty for none.
#[must_use]
pub fn typeset(request: &Request, environment: &str) -> Answer {
    let mut setter = Setter::new(request);
    let (source, events) = crate::groups::taken_out(&setter.without_definitions(&request.tex));
    let style = Style { bold: false, italic: false, family: "", size: "", caps: false, colour: String::new() };
    let mut reader = Reader {
        pieces: Vec::new(),
        word: String::new(),
        style,
        depth: 0,
        lists: Vec::new(),
        sentence: false,
        last: None,
        ends_in_letters: false,
        sections: 0,
        is_bare: false,
    };
    let name = environment.split(['}', '{', '[']).next().unwrap_or_default().trim();
    reader.pieces.push(Piece::Align(match name {
        "center" | "centering" => Align::Centre,
        "flushleft" => Align::Left,
        "flushright" => Align::Right,
        _ => Align::Both,
    }));
    if let Some(width) = environment.split_once("}{").and_then(|(_, width)| length(width.trim_end_matches('}'))) {
        reader.pieces.push(Piece::Width(width));
    }
    reader.read(&source);
    reader.flush();
    let is_bare = reader.is_bare;
    let mut answer = Lines::new(setter, events).set(reader.pieces);
    if is_bare {
        let why = "mathematics stands outside of `$…$`, where TeX stops; it is set as if it stood inside".to_owned();
        answer.faults.insert(0, Told { why, about: String::new() });
    }
    answer
}

/// A length in em.
fn length(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(share) = text.strip_suffix("\\textwidth").or_else(|| text.strip_suffix("\\linewidth")) {
        return if share.trim().is_empty() {
            Some(TEXT_WIDTH)
        } else {
            share.trim().parse::<f64>().ok().map(|share| share * TEXT_WIDTH)
        };
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ' ')))?;
    let number: f64 = text[..end].trim().parse().ok()?;
    // Points of TeX at a size of ten.
    let unit = match text[end..].trim() {
        "em" => 1.0,
        "ex" => 0.430_55,
        "pt" => 0.1,
        "mm" => 0.284_53,
        "cm" => 2.845_28,
        "in" => 7.227,
        _ => return None,
    };
    Some(number * unit)
}

/// Where the group, bracket or environment ends that `text` begins in, before the end's own `close`.
fn until<'a>(text: &'a str, open: &str, close: &str) -> (&'a str, &'a str) {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if let Some(after) = rest.strip_prefix(close) {
            if depth == 0 {
                return (&text[..at], after);
            }
            depth -= 1;
            at += close.len();
        } else if !open.is_empty() && rest.starts_with(open) {
            depth += 1;
            at += open.len();
        } else if rest.starts_with('\\') && rest.len() > 1 {
            at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    (text, "")
}

fn group(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('{').map(|inner| until(inner, "{", "}"))
}

fn bracket(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('[').map(|inner| until(inner, "[", "]"))
}

/// Commands with which TeX stops outside of mathematics.
const MATHS: &str = "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho \
    sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega frac sqrt sum \
    prod int oint infty times div cdot pm mp leq geq le ge neq ne approx equiv sim propto in subset cup cap forall \
    exists partial nabla rightarrow leftarrow Rightarrow Leftarrow leftrightarrow to mapsto vec hat bar dot overline \
    lim sin cos tan log ln exp angle circ triangle mathbb mathbf mathcal";

/// How long the command or letter is that a text begins with.
fn first_sign(text: &str) -> usize {
    let letter = text.chars().next().map_or(0, char::len_utf8);
    let Some(name) = text.strip_prefix('\\') else { return letter };
    let letters = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
    letter + if letters > 0 { letters } else { name.chars().next().map_or(0, char::len_utf8) }
}

const SIZES: &[&str] =
    &["tiny", "scriptsize", "footnotesize", "small", "normalsize", "large", "Large", "LARGE", "huge", "Huge"];

impl Reader {
    fn flush(&mut self) {
        self.last = None;
        if !self.word.is_empty() {
            self.pieces.push(Piece::Word(std::mem::take(&mut self.word)));
        }
    }

    /// Adds letters to the word, in the style that is in force.
    fn letters(&mut self, text: &str) {
        let mut alone = text.chars();
        let letter = alone.next().filter(|_| alone.next().is_none());
        if let Some(small) = letter.filter(|letter| self.style.caps && letter.is_lowercase()) {
            let before = self.style.clone();
            self.style.caps = false;
            if self.style.size.is_empty() {
                self.style.size = "footnotesize";
            }
            self.letters(&small.to_uppercase().to_string());
            self.style = before;
            return;
        }
        let font = (self.style.bold, self.style.italic);
        if let (Some(letter), Some((before, bold, italic))) = (letter, self.last)
            && (bold, italic) == font
            && self.style.family.is_empty()
        {
            let kern = kern(before, letter, bold, italic);
            if kern != 0.0 {
                self.add(&format!("\\kern{kern:.4}em "));
            }
        }
        self.letters_in_style(text);
        self.last = letter.filter(|_| self.style.family.is_empty()).map(|letter| (letter, font.0, font.1));
    }

    fn letters_in_style(&mut self, text: &str) {
        let command = match (self.style.family, self.style.bold, self.style.italic) {
            ("tt", ..) => "texttt",
            ("sf", ..) => "textsf",
            (_, true, true) => "textbf{\\textit",
            (_, true, _) => "textbf",
            (_, _, true) => "textit",
            _ => "text",
        };
        let close = if command.contains('{') { "}}" } else { "}" };
        // A word's letters are one `\text`, so that its ligatures of dashes and quotes are made.
        let open = format!("\\{command}{{");
        if self.ends_in_letters && self.word.ends_with(close) && !self.style.is_marked() {
            let at = self.word.rfind("\\text").map(|at| {
                if command.contains("textit") && self.style.bold {
                    self.word[..at].rfind("\\text").unwrap_or(at)
                } else {
                    at
                }
            });
            if let Some(at) = at
                .filter(|at| self.word[*at..].starts_with(&open) && !self.word[at + open.len()..].contains(['{', '$']))
            {
                self.word.truncate(self.word.len() - close.len());
                let _ = at;
                self.word.push_str(text);
                self.word.push_str(close);
                return;
            }
        }
        let set = format!("{open}{text}{close}");
        self.add(&set);
        self.ends_in_letters = true;
    }

    /// Adds mathematics to the word, in the size and colour that are in force.
    fn add(&mut self, source: &str) {
        self.last = None;
        self.ends_in_letters = false;
        let mut set = source.to_owned();
        if !self.style.size.is_empty() {
            set = format!("{{\\{} {set}}}", self.style.size);
        }
        if !self.style.colour.is_empty() {
            set = format!("\\textcolor{}{{{set}}}", self.style.colour);
        }
        self.word.push_str(&set);
    }

    /// The source of words that stand side by side within something, in the style that is in force.
    fn within(&self, source: &str) -> String {
        let mut inner = Self {
            pieces: Vec::new(),
            word: String::new(),
            style: self.style.clone(),
            depth: self.depth,
            lists: Vec::new(),
            sentence: false,
            last: None,
            ends_in_letters: false,
            sections: 0,
            is_bare: false,
        };
        inner.read(source);
        inner.flush();
        let set = inner.pieces.into_iter().map(|piece| match piece {
            Piece::Word(word) => word,
            Piece::Space(width, _) => format!("\\kern{width:.4}em "),
            Piece::Display(formula) => format!("{{\\displaystyle {formula}}}"),
            _ => String::new(),
        });
        set.collect()
    }

    /// Adds a formula that holds words in the style that is in force.
    fn wrap(&mut self, before: &str, source: &str, after: &str) {
        let set = format!("{before}{}{after}", self.within(source));
        (self.last, self.ends_in_letters) = (None, false);
        self.word.push_str(&set);
    }

    fn space(&mut self, width: f64, breakable: bool) {
        if self.word.is_empty()
            && matches!(self.pieces.last(), Some(Piece::Space(..) | Piece::Break(..)) | None)
            && breakable
        {
            return;
        }
        self.flush();
        self.pieces.push(Piece::Space(width, breakable));
    }

    fn read(&mut self, source: &str) {
        self.depth += 1;
        if self.depth <= DEEPEST {
            self.read_all(source);
        }
        self.depth -= 1;
    }

    fn read_all(&mut self, source: &str) {
        let before = self.style.clone();
        let mut rest = source;
        while let Some(letter) = rest.chars().next() {
            let after = &rest[letter.len_utf8()..];
            match letter {
                '\\' => {
                    rest = self.command(after);
                    continue;
                }
                '{' => {
                    let (inner, end) = until(after, "{", "}");
                    self.read(inner);
                    rest = end;
                    continue;
                }
                '}' => {}
                '$' if after.starts_with('$') => {
                    let (inner, end) = until(&after[1..], "", "$$");
                    self.flush();
                    self.pieces.push(Piece::Display(inner.to_owned()));
                    rest = end;
                    continue;
                }
                '$' => {
                    let (inner, end) = until(after, "", "$");
                    self.add(&format!("{{\\textstyle {inner}}}"));
                    self.sentence = false;
                    rest = end;
                    continue;
                }
                '%' => {
                    rest = after.split_once('\n').map_or("", |(_, next)| next);
                    continue;
                }
                '~' => self.space(SPACE, false),
                letter if letter.is_whitespace() => {
                    let end = rest.trim_start();
                    let gap = &rest[..rest.len() - end.len()];
                    if gap.matches('\n').count() >= 2 {
                        self.flush();
                        self.pieces.push(Piece::Break(0.0));
                    } else {
                        self.space(if self.sentence { SPACE + SENTENCE } else { SPACE }, true);
                    }
                    rest = end;
                    continue;
                }
                // What stands here is kinder than TeX: these need mathematics.
                '_' | '^' => {
                    let (script, end) = match group(after) {
                        Some(found) => found,
                        None => after.split_at(first_sign(after)),
                    };
                    self.is_bare = true;
                    self.add(&format!("{{}}{letter}{{{script}}}"));
                    rest = end;
                    continue;
                }
                '&' | '#' => self.letters(&format!("\\{letter}")),
                letter if is_special(letter) => self.word.push(letter),
                letter => self.letters(letter.encode_utf8(&mut [0; 4])),
            }
            if !is_special(letter) {
                // A capital before a stop is an initial.
                self.sentence = match letter {
                    '.' | '?' | '!' | ':' => {
                        !self.word.trim_end_matches(['}', '.']).ends_with(|c: char| c.is_ascii_uppercase())
                    }
                    ')' | '\'' | '"' | ']' => self.sentence,
                    _ => false,
                };
            }
            rest = after;
        }
        self.style = before;
    }

    /// Reads a command whose backslash is taken; gives what is left.
    fn command<'a>(&mut self, text: &'a str) -> &'a str {
        let length_of_name = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        let length_of_name =
            if length_of_name == 0 { text.chars().next().map_or(0, char::len_utf8) } else { length_of_name };
        let (name, rest) = text.split_at(length_of_name);
        let letters = name.starts_with(|c: char| c.is_ascii_alphabetic());
        // Spaces after a word of letters belong to it.
        let tail = if letters { rest.trim_start_matches([' ', '\n', '\t']) } else { rest };
        self.sentence = false;
        match name {
            "\\" | "newline" | "linebreak" | "cr" => {
                let tail = tail.strip_prefix('*').unwrap_or(tail);
                let (skip, tail) =
                    bracket(tail).map_or((0.0, tail), |(skip, tail)| (length(skip).unwrap_or(0.0), tail));
                self.flush();
                self.pieces.push(Piece::Break(skip));
                tail.trim_start()
            }
            "par" | "bigskip" | "medskip" | "smallskip" => {
                self.flush();
                let skip = match name {
                    "bigskip" => 1.2,
                    "medskip" => 0.6,
                    "smallskip" => 0.3,
                    _ => 0.0,
                };
                self.pieces.push(Piece::Break(skip));
                tail
            }
            "vspace" | "hspace" => {
                let tail = tail.strip_prefix('*').unwrap_or(tail);
                let Some((inner, tail)) = group(tail) else { return tail };
                let size = length(inner).unwrap_or(0.0);
                if name == "hspace" {
                    self.space(size, false);
                } else {
                    self.flush();
                    self.pieces.push(Piece::Break(size));
                }
                tail
            }
            " " | "\n" => {
                self.flush();
                self.pieces.push(Piece::Space(SPACE, true));
                rest
            }
            "," | ";" | ":" | "!" | "quad" | "qquad" | "enspace" | "thinspace" => {
                let width = match name {
                    "," | "thinspace" => 1.0 / 6.0,
                    ":" => 2.0 / 9.0,
                    ";" => 5.0 / 18.0,
                    "!" => -1.0 / 6.0,
                    "enspace" => 0.5,
                    "quad" => 1.0,
                    _ => 2.0,
                };
                // Unlike a space between words it is added to what room there is.
                self.flush();
                self.pieces.push(Piece::Space(width, name.ends_with("quad")));
                tail
            }
            "(" => {
                let (inner, end) = until(rest, "", "\\)");
                self.add(&format!("{{\\textstyle {inner}}}"));
                end
            }
            "[" => {
                let (inner, end) = until(rest, "", "\\]");
                self.flush();
                self.pieces.push(Piece::Display(inner.to_owned()));
                end
            }
            "textbf" | "textit" | "emph" | "texttt" | "textsf" | "textrm" | "text" | "textsl" | "textsc"
            | "textnormal" | "textup" | "mbox" => {
                let Some((inner, tail)) = group(tail) else { return tail };
                let before = self.style.clone();
                self.font(name);
                self.read(inner);
                self.style = before;
                tail
            }
            "underline" | "uline" | "fbox" | "framebox" | "textsuperscript" | "textsubscript" => {
                let Some((inner, tail)) = group(tail) else { return tail };
                let (before, after) = match name {
                    "underline" | "uline" => ("\\underline{", "}"),
                    "fbox" | "framebox" => ("\\boxed{", "}"),
                    "textsuperscript" => ("{}^{", "}"),
                    _ => ("{}_{", "}"),
                };
                self.wrap(before, inner, after);
                tail
            }
            "ldots" | "dots" | "textellipsis" => {
                self.add("{\\ldots\\kern0.1667em}");
                tail
            }
            "verb" => {
                let rest = rest.strip_prefix('*').unwrap_or(rest);
                let Some(mark) = rest.chars().next() else { return rest };
                let inner = &rest[mark.len_utf8()..];
                let (inner, end) = inner.split_once(mark).unwrap_or((inner, ""));
                self.add(&format!("\\texttt{{{}}}", verbatim(inner)));
                end
            }
            "textbullet" | "textperiodcentered" | "textdegree" | "textrightarrow" | "textleftarrow" | "texttimes" => {
                self.add(match name {
                    "textbullet" => "{\\bullet}",
                    "textperiodcentered" => "{\\cdot}",
                    "textdegree" => "{}^{\\circ}",
                    "textrightarrow" => "{\\rightarrow}",
                    "textleftarrow" => "{\\leftarrow}",
                    _ => "{\\times}",
                });
                tail
            }
            "bf" | "it" | "em" | "tt" | "sf" | "rm" | "bfseries" | "itshape" | "slshape" | "ttfamily" | "sffamily"
            | "rmfamily" | "normalfont" | "upshape" | "mdseries" | "sc" | "scshape" => {
                self.font(name);
                tail
            }
            "color" => {
                let (colour, tail) = colour(tail);
                self.style.colour = colour;
                tail
            }
            "textcolor" => {
                let (colour, tail) = colour(tail);
                let Some((inner, tail)) = group(tail) else { return tail };
                let before = std::mem::replace(&mut self.style.colour, colour);
                self.read(inner);
                self.style.colour = before;
                tail
            }
            "parbox" => {
                let (stand, rest) = Stand::read(tail);
                let Some((width, rest)) = group(rest) else { return rest };
                let Some((inner, rest)) = group(rest) else { return rest };
                self.column(length(width), stand, inner);
                rest
            }
            "section" | "subsection" | "subsubsection" => {
                let (rest, numbered) = tail.strip_prefix('*').map_or((tail, name == "section"), |rest| (rest, false));
                let Some((inner, rest)) = group(rest) else { return rest };
                self.flush();
                self.pieces.push(Piece::Break(ABOVE_SECTION));
                let style = self.style.clone();
                self.style.bold = true;
                self.style.size = match name {
                    "section" => "Large",
                    "subsection" => "large",
                    _ => "",
                };
                if numbered {
                    self.sections += 1;
                    self.read(&self.sections.to_string());
                    self.space(1.44, false);
                }
                self.read(inner);
                self.style = style;
                self.flush();
                self.pieces.push(Piece::Break(if name == "section" { BELOW_SECTION } else { BELOW_SUBSECTION }));
                rest
            }
            "begin" => self.environment(tail),
            "end" => group(tail).map_or(tail, |(_, tail)| tail),
            "item" => {
                let (label, tail) = bracket(tail).map_or((None, tail), |(label, tail)| (Some(label), tail));
                self.flush();
                let mark = match (label, self.lists.last_mut()) {
                    (Some(label), _) => format!("\\textbf{{{label}}}"),
                    (None, Some(Some(number))) => {
                        *number += 1;
                        format!("\\text{{{number}.}}")
                    }
                    _ => if self.lists.len() > 1 { "\\text{\\textbf{–}}" } else { "\\bullet" }.to_owned(),
                };
                self.pieces.push(Piece::Break(ITEM_SKIP));
                self.pieces.push(Piece::Mark(mark));
                tail
            }
            "centering" | "raggedright" | "raggedleft" | "justifying" => {
                self.pieces.push(Piece::Align(match name {
                    "centering" => Align::Centre,
                    "raggedright" => Align::Left,
                    "justifying" => Align::Both,
                    _ => Align::Right,
                }));
                tail
            }
            "noindent" | "indent" | "hfill" | "vfill" | "selectfont" | "null" | "leavevmode" | "protect" | "/"
            | "-" | "@" | "relax" | "strut" => {
                if name == "hfill" {
                    self.space(1.0, true);
                }
                tail
            }
            "label" | "pagestyle" | "thispagestyle" => group(tail).map_or(tail, |(_, tail)| tail),
            "%" | "$" | "#" | "&" | "_" | "{" | "}" => {
                self.letters(&format!("\\{name}"));
                rest
            }
            "'" | "`" | "^" | "\"" | "~" | "=" | "." | "u" | "v" | "H" | "c" | "r" | "k" | "b" | "d" | "t" => {
                let (inner, tail) = match group(tail) {
                    Some(found) => found,
                    None => tail.split_at(tail.chars().next().map_or(0, char::len_utf8)),
                };
                // An accent stands in place of the dot.
                let inner = match inner.trim() {
                    "i" | "\\i" => "ı",
                    "j" | "\\j" => "ȷ",
                    inner => inner,
                };
                self.letters(&format!("\\{name}{{{inner}}}"));
                tail
            }
            name if SIZES.contains(&name) => {
                let known = SIZES.iter().find(|known| **known == name).copied().unwrap_or_default();
                self.style.size = if known == "normalsize" { "" } else { known };
                tail
            }
            "ss" | "ae" | "AE" | "oe" | "OE" | "o" | "O" | "aa" | "AA" | "l" | "L" | "i" | "j" | "S" | "P"
            | "pounds" | "copyright" | "dag" | "ddag" => {
                let sign = match name {
                    "ss" => "ß",
                    "ae" => "æ",
                    "AE" => "Æ",
                    "oe" => "œ",
                    "OE" => "Œ",
                    "o" => "ø",
                    "O" => "Ø",
                    "aa" => "å",
                    "AA" => "Å",
                    "l" => "ł",
                    "L" => "Ł",
                    "i" => "ı",
                    "j" => "ȷ",
                    "S" => "§",
                    "P" => "¶",
                    "pounds" => "£",
                    "copyright" => "©",
                    "dag" => "†",
                    _ => "‡",
                };
                self.letters(sign);
                tail
            }
            name if name.starts_with("text") && letters => {
                self.letters(&format!("\\{name} "));
                tail
            }
            // Anything else is mathematics, with the groups that follow it.
            name => {
                let mut end = rest;
                loop {
                    if let Some((_, tail)) = bracket(end).filter(|_| name == "sqrt") {
                        end = tail;
                    } else if end.starts_with('{')
                        && let Some((_, tail)) = group(end)
                    {
                        end = tail;
                    } else {
                        break;
                    }
                }
                let source = &text[..text.len() - end.len()];
                let mut scripts = end;
                while scripts.starts_with(['^', '_']) {
                    let tail = &scripts[1..];
                    scripts = match group(tail) {
                        Some((_, tail)) => tail,
                        None => &tail[tail.chars().next().map_or(0, char::len_utf8)..],
                    };
                }
                let with_scripts = &text[..text.len() - scripts.len()];
                self.is_bare |= scripts.len() < end.len() || MATHS.split_whitespace().any(|known| known == name);
                self.add(&format!("{{\\{}}}", if scripts.len() < end.len() { with_scripts } else { source }));
                // A space after a command of letters ends its name, and is none.
                if scripts.len() == rest.len() { tail } else { scripts }
            }
        }
    }

    fn font(&mut self, name: &str) {
        match name {
            "textbf" | "bf" | "bfseries" => self.style.bold = true,
            "textit" | "it" | "itshape" | "textsl" | "slshape" => self.style.italic = true,
            "emph" | "em" => self.style.italic = !self.style.italic,
            "texttt" | "tt" | "ttfamily" => self.style.family = "tt",
            "textsf" | "sf" | "sffamily" => self.style.family = "sf",
            "textrm" | "rm" | "rmfamily" => self.style.family = "",
            "textsc" | "sc" | "scshape" => self.style.caps = true,
            "normalfont" | "textnormal" => {
                (self.style.bold, self.style.italic, self.style.family) = (false, false, "");
                self.style.caps = false;
            }
            "upshape" | "textup" => (self.style.italic, self.style.caps) = (false, false),
            "mdseries" => self.style.bold = false,
            _ => {}
        }
    }

    /// Reads a text into a box of its own width, which stands on the line like a word.
    fn column(&mut self, width: Option<f64>, stand: Stand, source: &str) {
        self.flush();
        let around = std::mem::take(&mut self.pieces);
        self.read(source.trim());
        self.flush();
        let pieces = std::mem::replace(&mut self.pieces, around);
        self.pieces.push(Piece::Box { width: width.unwrap_or(TEXT_WIDTH), stand, pieces });
    }

    /// How lines stand here.
    fn alignment(&self) -> Align {
        let set = self
            .pieces
            .iter()
            .rev()
            .find_map(|piece| if let Piece::Align(align) = piece { Some(*align) } else { None });
        set.unwrap_or(Align::Both)
    }

    fn environment<'a>(&mut self, text: &'a str) -> &'a str {
        let Some((name, mut rest)) = group(text) else { return text };
        let (inner, end) = {
            let (open, close) = (format!("\\begin{{{name}}}"), format!("\\end{{{name}}}"));
            // The environment's own end, those of the same name within it counted.
            let (mut depth, mut at) = (0usize, 0);
            loop {
                let here = &rest[at..];
                match (here.find(&close), here.find(&open)) {
                    (None, _) => break (rest, ""),
                    (Some(to), Some(next)) if next < to => {
                        depth += 1;
                        at += next + open.len();
                    }
                    (Some(to), _) if depth == 0 => break (&rest[..at + to], &rest[at + to + close.len()..]),
                    (Some(to), _) => {
                        depth -= 1;
                        at += to + close.len();
                    }
                }
            }
        };
        rest = inner;
        match name.trim_end_matches('*') {
            "itemize" | "enumerate" | "description" => {
                self.flush();
                if let Some((_, tail)) = bracket(rest) {
                    rest = tail;
                }
                let before = self.alignment();
                self.lists.push((name == "enumerate").then_some(0));
                // Lists stand at the left also where what is around them is centred.
                self.pieces.push(Piece::Align(Align::Both));
                self.pieces.push(Piece::Indent(MARGIN));
                self.read(rest.trim_start());
                self.flush();
                self.pieces.push(Piece::Break(ITEM_SKIP));
                self.pieces.push(Piece::Indent(-MARGIN));
                self.pieces.push(Piece::Align(before));
                self.lists.pop();
            }
            "center" | "flushleft" | "flushright" => {
                self.flush();
                self.pieces.push(Piece::Break(0.0));
                let before = self.alignment();
                self.pieces.push(Piece::Align(match name {
                    "center" => Align::Centre,
                    "flushleft" => Align::Left,
                    _ => Align::Right,
                }));
                self.read(rest.trim());
                self.flush();
                self.pieces.push(Piece::Break(0.0));
                self.pieces.push(Piece::Align(before));
            }
            "minipage" => {
                let stand;
                (stand, rest) = Stand::read(rest);
                let mut width = None;
                if let Some((own, tail)) = group(rest) {
                    width = length(own);
                    rest = tail;
                }
                self.column(width, stand, rest);
            }
            "tabular" => {
                if let Some((_, tail)) = bracket(rest) {
                    rest = tail;
                }
                let (columns, body) = group(rest).unwrap_or(("c", rest));
                self.add(&table(columns, body));
            }
            "equation" | "align" | "gather" | "multline" | "displaymath" | "eqnarray" | "alignat" | "flalign" => {
                self.flush();
                self.pieces.push(Piece::Display(format!("\\begin{{{name}}}{inner}\\end{{{name}}}")));
            }
            "math" | "array" | "matrix" | "pmatrix" | "bmatrix" | "vmatrix" | "cases" | "aligned" | "split" => {
                self.add(&format!("\\begin{{{name}}}{inner}\\end{{{name}}}"));
            }
            "verbatim" | "lstlisting" => {
                self.flush();
                for line in inner.trim_matches('\n').lines() {
                    self.word = format!("\\texttt{{{}}}", verbatim(line));
                    self.flush();
                    self.pieces.push(Piece::Break(0.0));
                }
            }
            _ => self.read(rest),
        }
        end
    }
}

impl Style {
    fn is_marked(&self) -> bool {
        !self.size.is_empty() || !self.colour.is_empty()
    }
}

/// Text that stands as it is written.
fn verbatim(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\\' => "\\textbackslash ".to_owned(),
            ' ' => "\\ ".to_owned(),
            '^' => "\\textasciicircum ".to_owned(),
            '~' => "\\textasciitilde ".to_owned(),
            letter if "{}$&#_%".contains(letter) => format!("\\{letter}"),
            letter => letter.to_string(),
        })
        .collect()
}

/// A colour's arguments as they stand, and what follows.
fn colour(text: &str) -> (String, &str) {
    let (model, rest) = bracket(text).map_or((String::new(), text), |(model, rest)| (format!("[{model}]"), rest));
    match group(rest) {
        Some((name, rest)) => (format!("{model}{{{name}}}"), rest),
        None => (String::new(), text),
    }
}

/// `\tabcolsep` is 6 pt, and `\arraycolsep` 5.
const TABLE_SKIP: &str = "\\kern0.1em ";

/// A table of words as an array.
fn table(columns: &str, body: &str) -> String {
    let mut out = format!("\\begin{{array}}{{{columns}}}");
    let (mut depth, mut cell, mut rest) = (0i32, String::new(), body);
    let close = |cell: &mut String, out: &mut String| {
        let mut inner = std::mem::take(cell);
        // Lines stand between rows and not in a cell.
        while let Some(after) = ["\\hline", "\\toprule", "\\midrule", "\\bottomrule"]
            .iter()
            .find_map(|line| inner.trim_start().strip_prefix(line).map(str::to_owned))
        {
            out.push_str("\\hline ");
            inner = after;
        }
        if !inner.trim().is_empty() {
            out.push_str(&format!("{TABLE_SKIP}\\text{{{}}}{TABLE_SKIP}", inner.trim()));
        }
    };
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("\\\\") && depth == 0 {
            close(&mut cell, &mut out);
            out.push_str("\\\\");
            rest = &rest[2..];
            continue;
        }
        if letter == '\\' {
            let next = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            cell.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if letter == '&' && depth == 0 {
            close(&mut cell, &mut out);
            out.push('&');
        } else {
            cell.push(letter);
        }
        rest = &rest[letter.len_utf8()..];
    }
    close(&mut cell, &mut out);
    out.push_str("\\end{array}");
    out
}

/// Something on a line.
struct Set {
    answer: Answer,
    /// Room before it.
    space: f64,
    /// Whether a line may end before it.
    breakable: bool,
}

struct Lines<'a> {
    setter: Setter<'a>,
    events: Vec<crate::groups::Event>,
    out: Answer,
    line: Vec<Set>,
    mark: Option<Answer>,
    align: Align,
    width: f64,
    indent: f64,
    /// Where the baseline of the line before is, and how deep it is; none before the first.
    above: Option<(f64, f64)>,
    skip: f64,
    words: usize,
}

impl<'a> Lines<'a> {
    fn new(setter: Setter<'a>, events: Vec<crate::groups::Event>) -> Self {
        let out = Answer { groups: vec![Vec::new()], ..Answer::default() };
        Self {
            setter,
            events,
            out,
            line: Vec::new(),
            mark: None,
            align: Align::Both,
            width: TEXT_WIDTH,
            indent: 0.0,
            above: None,
            skip: 0.0,
            words: 0,
        }
    }

    fn set(mut self, pieces: Vec<Piece>) -> Answer {
        self.fill(pieces);
        let left = self.out.items.iter().map(|item| item.2).fold(f64::INFINITY, f64::min);
        if left.is_finite() && left > 0.0 {
            // The picture begins where its ink does.
            for item in &mut self.out.items {
                item.2 -= left;
            }
            self.out.width -= left;
        }
        self.out
    }

    /// Lines of their own width, as one box.
    fn boxed(&mut self, width: f64, stand: Stand, pieces: Vec<Piece>) -> Answer {
        // What is told of formulas and groups is told of the whole text.
        let items = std::mem::take(&mut self.out.items);
        let size = (self.out.width, self.out.height, self.out.depth);
        let mark = self.mark.take();
        let line = std::mem::take(&mut self.line);
        let (align, indent, skip) = (self.align, self.indent, self.skip);
        let (around, above) = (self.width, self.above.take());
        (self.align, self.indent, self.skip, self.width) = (Align::Both, 0.0, 0.0, width);
        (self.out.width, self.out.height, self.out.depth) = (0.0, 0.0, 0.0);
        self.fill(pieces);
        let last = self.above.map_or(0.0, |(baseline, _)| baseline);
        let mut made = Answer { width, height: self.out.height, depth: self.out.depth, ..Answer::default() };
        made.items = std::mem::replace(&mut self.out.items, items);
        (self.out.width, self.out.height, self.out.depth) = size;
        (self.align, self.indent, self.skip) = (align, indent, skip);
        (self.line, self.mark, self.width, self.above) = (line, mark, around, above);
        let up = match stand {
            Stand::Middle => AXIS + (made.depth - made.height) / 2.0,
            Stand::First => 0.0,
            Stand::Last => -last,
        };
        (made.height, made.depth) = (made.height + up, made.depth - up);
        for item in &mut made.items {
            item.3 += up;
        }
        made
    }

    /// A word, or what stands like one; on the next line where there is no room on this one.
    fn add(&mut self, answer: Answer, mut space: f64, breakable: bool) {
        let used: f64 = self.line.iter().map(|set| set.space + set.answer.width).sum();
        if breakable && !self.line.is_empty() && used + space + answer.width > self.width - self.indent + 1e-6 {
            self.end_line(true);
            space = 0.0;
        }
        if self.line.is_empty() && breakable {
            space = 0.0;
        }
        self.line.push(Set { answer, space, breakable });
    }

    fn fill(&mut self, pieces: Vec<Piece>) {
        let (mut space, mut breakable) = (0.0, false);
        for piece in pieces {
            match piece {
                Piece::Word(source) => {
                    self.words += 1;
                    if self.words > MOST_WORDS {
                        continue;
                    }
                    let answer = self.setter.part(&source, &self.events, false, &mut self.out);
                    self.add(answer, space, breakable);
                    (space, breakable) = (0.0, false);
                }
                Piece::Box { width, stand, pieces } => {
                    let answer = self.boxed(width, stand, pieces);
                    self.add(answer, space, breakable);
                    (space, breakable) = (0.0, false);
                }
                Piece::Space(width, may_break) => {
                    space += width;
                    breakable |= may_break;
                }
                Piece::Break(skip) => {
                    self.end_line(false);
                    if self.above.is_some() {
                        self.skip += skip;
                    }
                    (space, breakable) = (0.0, false);
                }
                Piece::Display(source) => {
                    self.end_line(false);
                    if self.above.is_some() {
                        self.skip += DISPLAY_SKIP;
                    }
                    let answer = self.setter.part(&source, &self.events, true, &mut self.out);
                    self.line.push(Set { answer, space: 0.0, breakable: false });
                    let align = std::mem::replace(&mut self.align, Align::Centre);
                    self.end_line(false);
                    self.align = align;
                    self.skip += DISPLAY_SKIP;
                    (space, breakable) = (0.0, false);
                }
                Piece::Align(align) => self.align = align,
                Piece::Indent(by) => self.indent += by,
                Piece::Width(width) => self.width = width,
                Piece::Mark(source) => self.mark = Some(self.setter.part(&source, &self.events, false, &mut self.out)),
            }
        }
        self.end_line(false);
    }

    fn end_line(&mut self, full: bool) {
        let line = std::mem::take(&mut self.line);
        let mark = self.mark.take();
        if line.is_empty() && mark.is_none() {
            return;
        }
        let room = self.width - self.indent;
        let natural: f64 = line.iter().map(|set| set.space + set.answer.width).sum();
        let gaps = line.iter().filter(|set| set.breakable).count();
        let free = room - natural;
        let (begin, stretch) = match self.align {
            Align::Centre => (free / 2.0, 0.0),
            Align::Right => (free, 0.0),
            Align::Both if full && gaps > 0 && free > 0.0 => (0.0, free / gaps as f64),
            _ => (0.0, 0.0),
        };
        let height = line.iter().map(|set| set.answer.height).fold(0.0, f64::max);
        let depth = line.iter().map(|set| set.answer.depth).fold(0.0, f64::max);
        let baseline = match self.above {
            None => {
                self.out.height = height;
                0.0
            }
            Some((baseline, deep)) => baseline - LINE.max(deep + LINE_SKIP + height) - self.skip,
        };
        self.skip = 0.0;
        self.above = Some((baseline, depth));
        self.out.depth = depth - baseline;
        if let Some(mark) = mark {
            let x = self.indent - LABEL_SKIP - mark.width;
            self.put(mark.items, x, baseline);
        }
        let mut x = self.indent + begin;
        for set in line {
            x += set.space + if set.breakable { stretch } else { 0.0 };
            let width = set.answer.width;
            self.put(set.answer.items, x, baseline);
            x += width;
            self.out.width = self.out.width.max(x);
        }
    }

    fn put(&mut self, items: Vec<Item>, x: f64, baseline: f64) {
        self.out.items.extend(items.into_iter().map(|mut item| {
            item.2 += x;
            item.3 += baseline;
            // Those of its formulas are not told of a text.
            item.5 = 0;
            item
        }));
    }
}
