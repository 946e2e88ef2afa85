//! JSON as language models write it: a tree whose values know where they stand.
//!
//! Besides JSON this takes remarks, commas too many or too few, keys without quotes, single quotes, line breaks in
//! strings, Python's `None`, `True` and `False`, `NaN`, a fence of back-ticks and words around it, and an end that is
//! missing. LaTeX in a string keeps its backslashes: `"\frac"` is no form feed.

use crate::drawing::expression::ParseError;

/// Deeper values are no plan; also bounds the stack.
const DEEPEST: usize = 64;
/// More values are no plan that becomes a film.
const MOST_VALUES: usize = 500_000;

/// A value at a byte of the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    /// In the document's order.
    Map(Vec<(Key, Value)>),
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) written: String,
    /// See [`plain`]; made once, for it is compared often. None when it is what is written.
    plain: Option<String>,
}

impl Key {
    pub(crate) fn of(written: String) -> Self {
        let is_plain = written.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        Self { plain: (!is_plain).then(|| plain(&written)), written }
    }

    /// Without case, `_`, `-` and spaces.
    fn plain(&self) -> &str {
        self.plain.as_ref().unwrap_or(&self.written)
    }
}

/// Reads the first object or list of `text`. Also whether the text ended in the middle of it.
///
/// # Errors
/// [`ParseError`].
pub(crate) fn parse(text: &str) -> Result<(Value, bool), ParseError> {
    let Some(start) = text.find(['{', '[']) else {
        return Err(ParseError { why: "it holds no object and no list".to_owned(), at: 0 });
    };
    let mut parser = Parser { text, at: start, depth: 0, values: 0, cut_off: false };
    let value = parser.value()?;
    Ok((value, parser.cut_off))
}

impl Value {
    /// Every value in it as if it stood at `at`: for JSON inside of a string.
    pub(crate) fn all_at(&mut self, at: usize) {
        self.at = at;
        match &mut self.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| item.all_at(at)),
            Kind::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.all_at(at)),
            _ => {}
        }
    }

    /// The first of these keys that has a value other than null; keys are compared without case, `_`, `-` and spaces.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&Value> {
        let Kind::Map(entries) = &self.kind else { return None };
        keys.iter().find_map(|key| {
            let same = |(known, value): &&(Key, Value)| known.plain() == *key && value.kind != Kind::Null;
            entries.iter().find(same).map(|(_, value)| value)
        })
    }

    /// Its words: a string, a number, or a list of them as lines. None when it has none.
    pub(crate) fn text(&self) -> Option<String> {
        let text = match &self.kind {
            Kind::Text(text) => text.trim().to_owned(),
            Kind::Number(number) => number.to_string(),
            Kind::Bool(yes) => yes.to_string(),
            Kind::List(items) => items.iter().filter_map(Value::text).collect::<Vec<_>>().join("\n"),
            Kind::Map(_) => {
                let inner = self.get(&[
                    "text",
                    "content",
                    "value",
                    "latex",
                    "tex",
                    "label",
                    "code",
                    "expression",
                    "narration",
                ])?;
                inner.text()?
            }
            Kind::Null => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// A number, also written as a string, with a unit after it or as a constant expression.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = match &self.kind {
            Kind::Number(number) => *number,
            Kind::Text(text) => {
                let bare = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || c == '%' || c == ' ');
                let constant = |text: &str| {
                    crate::drawing::expression::parse(text, &[])
                        .ok()
                        .map(|read| crate::drawing::expression::value(&read, f64::NAN))
                };
                constant(text).or_else(|| constant(bare))?
            }
            _ => return None,
        };
        Some(number).filter(|number| number.is_finite() && number.abs() <= crate::drawing::FURTHEST)
    }

    pub(crate) fn yes(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(yes) => Some(*yes),
            Kind::Number(number) => Some(*number != 0.0),
            Kind::Text(text) => match text.trim().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" | "none" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Items of a list, values of a map; nothing of anything else.
    pub(crate) fn items(&self) -> Vec<&Value> {
        match &self.kind {
            Kind::List(items) => items.iter().collect(),
            Kind::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn list(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn entries(&self) -> &[(Key, Value)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// A word without case, `_`, `-` and spaces.
pub(crate) fn plain(word: &str) -> String {
    if word.is_ascii() {
        // Nearly always, and many times faster.
        let kept = word.bytes().filter(u8::is_ascii_alphanumeric);
        let mut out = String::with_capacity(word.len());
        out.extend(kept.map(|byte| char::from(byte.to_ascii_lowercase())));
        return out;
    }
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
    cut_off: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn wrong<T>(&self, why: &str) -> Result<T, ParseError> {
        Err(ParseError { why: why.to_owned(), at: self.at })
    }

    /// Skips white space, remarks and commas.
    fn gap(&mut self) {
        loop {
            let bytes = self.text.as_bytes();
            while bytes.get(self.at).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b',') {
                self.at += 1;
            }
            // Nearly always a value, a key or a bracket is next.
            if bytes
                .get(self.at)
                .is_some_and(|byte| byte.is_ascii() && !matches!(byte, b'/' | b'#' | 0x0b | 0x1c..=0x1f))
            {
                return;
            }
            let rest = &self.text[self.at..];
            let ascii = rest.bytes().take_while(|byte| byte.is_ascii_whitespace() || *byte == b',').count();
            let beyond = rest[ascii..].trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let space = rest.len() - beyond.len();
            let rest = beyond;
            let remark = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                0
            };
            self.at += space + remark;
            if remark == 0 {
                return;
            }
        }
    }

    fn value(&mut self) -> Result<Value, ParseError> {
        self.gap();
        self.values += 1;
        if self.values > MOST_VALUES {
            return self.wrong("it has too many values");
        }
        let at = self.at;
        let kind = match self.peek() {
            Some('{') => self.inside(Self::map)?,
            Some('[') => self.inside(Self::list)?,
            Some(quote @ ('"' | '\'' | '“' | '”')) => Kind::Text(self.string(quote)),
            Some(_) => self.word()?,
            None => {
                self.cut_off = true;
                Kind::Null
            }
        };
        Ok(Value { at, kind })
    }

    fn inside(&mut self, read: fn(&mut Self) -> Result<Kind, ParseError>) -> Result<Kind, ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.wrong("it is nested too deep");
        }
        self.at += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn list(&mut self) -> Result<Kind, ParseError> {
        let mut items = Vec::new();
        loop {
            self.gap();
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    return Ok(Kind::List(items));
                }
                None => {
                    self.cut_off = true;
                    return Ok(Kind::List(items));
                }
                Some('}' | ')' | ':') => return self.wrong("a list is never closed"),
                Some(_) => items.push(self.value()?),
            }
        }
    }

    fn map(&mut self) -> Result<Kind, ParseError> {
        let mut entries = Vec::new();
        loop {
            self.gap();
            let key = match self.peek() {
                Some('}') => {
                    self.at += 1;
                    return Ok(Kind::Map(entries));
                }
                None => {
                    self.cut_off = true;
                    return Ok(Kind::Map(entries));
                }
                Some(quote @ ('"' | '\'' | '“' | '”')) => self.string(quote),
                Some(c) if c.is_alphanumeric() || c == '_' || c == '$' => {
                    let rest = &self.text[self.at..];
                    let end = rest
                        .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '$' | '.'))
                        .unwrap_or(rest.len());
                    self.at += end;
                    rest[..end].to_owned()
                }
                Some(_) => return self.wrong("a key is missing"),
            };
            self.gap();
            match self.peek() {
                Some(':' | '=') => self.at += 1,
                None => {
                    self.cut_off = true;
                    return Ok(Kind::Map(entries));
                }
                Some(_) => return self.wrong("a `:` is missing"),
            }
            entries.push((Key::of(key), self.value()?));
        }
    }

    /// A number, or a word of JSON, Python or JavaScript.
    fn word(&mut self) -> Result<Kind, ParseError> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':')).unwrap_or(rest.len());
        let word = &rest[..end];
        let kind = match word {
            "null" | "None" | "undefined" | "nil" | "NaN" | "Infinity" | "-Infinity" => Kind::Null,
            "true" | "True" => Kind::Bool(true),
            "false" | "False" => Kind::Bool(false),
            word => match word.parse::<f64>() {
                Ok(number) if number.is_finite() => Kind::Number(number),
                // A bare word, such as a constant of Manim: `UP`.
                _ if !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_.*/+-".contains(c)) => {
                    Kind::Text(word.to_owned())
                }
                _ => return self.wrong("a value is missing"),
            },
        };
        self.at += end;
        Ok(kind)
    }

    fn string(&mut self, quote: char) -> String {
        self.at += quote.len_utf8();
        let close = if matches!(quote, '“' | '”') { '”' } else { quote };
        let mut out = String::new();
        loop {
            // Byte by byte: none of a longer character's is a quote or a backslash, but those of the rounded quote.
            let rest = &self.text[self.at..];
            let plain = if close.is_ascii() {
                rest.bytes().take_while(|byte| *byte != close as u8 && *byte != b'\\').count()
            } else {
                rest.find([close, '\\']).unwrap_or(rest.len())
            };
            out.push_str(&rest[..plain]);
            self.at += plain;
            let Some(c) = self.peek() else { break };
            self.at += c.len_utf8();
            if c == close {
                return out;
            }
            let rest = &self.text[self.at..];
            if latex(rest) {
                out.push('\\');
                continue;
            }
            let Some(escaped) = rest.chars().next() else { break };
            self.at += escaped.len_utf8();
            match escaped {
                'n' => out.push('\n'),
                'r' => {}
                't' => out.push('\t'),
                'b' | 'f' => out.push(' '),
                '"' | '\'' | '/' => out.push(escaped),
                '\\' => out.push('\\'),
                'u' => out.push(Some(self.unicode()).filter(|c| !c.is_control() || *c == '\n').unwrap_or(' ')),
                other => {
                    out.push('\\');
                    out.push(other);
                }
            }
        }
        self.cut_off = true;
        out
    }

    /// The character of four hexadecimal digits, or of two such halves.
    fn unicode(&mut self) -> char {
        let first = self.hexadecimal();
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.hexadecimal();
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(code).unwrap_or('\u{fffd}');
            }
            self.at = before;
        }
        char::from_u32(first).unwrap_or('\u{fffd}')
    }

    fn hexadecimal(&mut self) -> u32 {
        let digits = self.text[self.at..].get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(digits) = digits else { return 0xfffd };
        self.at += 4;
        u32::from_str_radix(digits, 16).unwrap_or(0xfffd)
    }
}

/// Whether what follows a backslash is a LaTeX command that begins as an escape of JSON does: `\frac`, `\theta`,
/// `\nabla`.
fn latex(rest: &str) -> bool {
    const COMMANDS: &[&str] = &[
        "bar",
        "because",
        "begin",
        "beta",
        "bf",
        "big",
        "Big",
        "bigcup",
        "bigcap",
        "bigg",
        "bigl",
        "bigr",
        "binom",
        "blacksquare",
        "bm",
        "boldsymbol",
        "bot",
        "boxed",
        "bullet",
        "bmod",
        "flat",
        "forall",
        "frac",
        "frak",
        "nabla",
        "natural",
        "nearrow",
        "neg",
        "neq",
        "newline",
        "nexists",
        "nmid",
        "not",
        "notin",
        "nparallel",
        "nsubseteq",
        "nu",
        "nwarrow",
        "rVert",
        "rangle",
        "rceil",
        "rfloor",
        "rho",
        "right",
        "rightarrow",
        "rightharpoonup",
        "rightleftharpoons",
        "rm",
        "tan",
        "tanh",
        "tau",
        "tbinom",
        "text",
        "textbf",
        "textit",
        "textrm",
        "texttt",
        "textcolor",
        "tfrac",
        "therefore",
        "theta",
        "thickapprox",
        "tilde",
        "times",
        "to",
        "top",
        "triangle",
        "triangleq",
        "underbrace",
        "underline",
        "underset",
        "uparrow",
        "uplus",
        "upsilon",
    ];
    if !rest.starts_with(['b', 'f', 'n', 'r', 't', 'u', 'B']) {
        return false;
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    COMMANDS.contains(&&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).0
    }

    #[test]
    fn what_language_models_write_is_read() {
        let value = read(
            "Here is the plan:\n```json\n{'a': 1, // one\n b: [1 2,], \"c\": None, /* x */ \"d\": True,}\n```\nEnjoy!",
        );
        assert_eq!(value.get(&["a"]).unwrap().number(), Some(1.0));
        assert_eq!(value.get(&["b"]).unwrap().items().len(), 2);
        assert_eq!(value.get(&["c"]), None);
        assert_eq!(value.get(&["d"]).unwrap().yes(), Some(true));
    }

    #[test]
    fn latex_keeps_its_backslashes() {
        let text = |json: &str| read(json).get(&["x"]).unwrap().text().unwrap();
        assert_eq!(
            text(r#"{"x": "\frac{1}{2} \theta \nabla \beta \alpha \right)"}"#),
            r"\frac{1}{2} \theta \nabla \beta \alpha \right)"
        );
        assert_eq!(text(r#"{"x": "\\frac{1}{2}"}"#), r"\frac{1}{2}");
        assert_eq!(text(r#"{"x": "one\ntwo\tthree \"q\" \u00e9 \ud83d\ude42"}"#), "one\ntwo\tthree \"q\" é 🙂");
        assert_eq!(text("{\"x\": \"one\ntwo\"}"), "one\ntwo");
    }

    #[test]
    fn numbers_may_be_strings() {
        let value = read(r#"{"a": "2.5", "b": "3s", "c": "pi/2", "d": "many", "e": "1e400", "F_g": "40 %"}"#);
        let number = |key: &str| value.get(&[key]).and_then(Value::number);
        assert_eq!(
            (number("a"), number("b"), number("d"), number("e"), number("fg")),
            (Some(2.5), Some(3.0), None, None, Some(40.0))
        );
        assert!((number("c").unwrap() - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    }

    #[test]
    fn a_missing_end_is_noticed_and_nonsense_has_a_place() {
        let (value, cut_off) = parse("{\"a\": [1, {\"b\": \"tex").unwrap();
        assert!(cut_off && value.get(&["a"]).unwrap().items().len() == 2);
        assert_eq!(parse("{\"a\" 1}").unwrap_err().at, 5);
        assert_eq!(parse("[1}").unwrap_err().at, 2);
        assert!(parse("no JSON at all").is_err());
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse("").is_err());
    }
}
