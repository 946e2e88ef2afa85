//! Prose and code as they are heard: what is written in signs becomes words, in the lesson's language where that is known here.
//!
//! LaTeX that stands bare in it, addresses, numbers with their units, abbreviations and signs that no voice reads become words;
//! emoji are not heard. What stands in the author's list of pronunciations never comes here.

use std::borrow::Cow;

use super::locale::Locale;
use super::mathematics::{is_whole, tidy, words_if_whole};
use crate::symbols::{of_lowered, of_raised};

/// Prose as it is heard. Its spaces are those of a part of a line, and not tidy.
pub(crate) fn prose(text: &str, locale: &'static Locale) -> String {
    part(text, false, locale)
}

/// [`prose`], of a part of a line; `goes_on` says that something else that is heard stands behind it.
pub(crate) fn part(text: &str, goes_on: bool, locale: &'static Locale) -> String {
    let text = written(text, locale);
    let out = String::with_capacity(text.len());
    let mut reader = Reader { text: &text, at: 0, goes_on, locale, out, word_end: 0, word_fits: false, no_mailbox: 0 };
    while let Some(c) = reader.rest().chars().next() {
        reader.step(c);
    }
    reader.out
}

/// Prose without bare LaTeX, and otherwise as it is written.
pub(crate) fn written<'a>(text: &'a str, locale: &'static Locale) -> Cow<'a, str> {
    if !has_commands(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(unwrapped(text, &mut |formula| words_if_whole(formula, locale)))
}

/// The first piece of bare LaTeX in prose of which only letters and numbers are read.
pub(crate) fn unread(text: &str) -> Option<String> {
    let mut unread = None;
    if has_commands(text) {
        unwrapped(text, &mut |formula| {
            let command =
                formula.split('\\').nth(1).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
            // `C:\path`, `server\share`
            let path = formula
                .split('\\')
                .next()
                .is_some_and(|before| before.ends_with(|c: char| c == ':' || c.is_alphabetic()));
            if unread.is_none() && command && !path && !is_whole(formula) {
                unread = Some(formula.to_owned());
            }
            String::new()
        });
    }
    unread
}

/// Whether a backslash stands before a letter.
fn has_commands(text: &str) -> bool {
    text.contains('\\') && text.split('\\').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Longest address, in characters, that is read as one.
const ADDRESS: usize = 2_000;
/// Longest name of a mailbox and of its host, in bytes (RFC 5321, 4.5.3.1).
const MAILBOX: usize = 64;
const HOST: usize = 255;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Whether the line goes on behind the text.
    goes_on: bool,
    locale: &'static Locale,
    out: String,
    /// Where the word ends that is being read: an address ends there at the latest. Found once for a word, not for each letter.
    word_end: usize,
    /// Whether that word is short enough for an address.
    word_fits: bool,
    /// Up to here no name of a mailbox begins: what stands there is the rest of a name that was none.
    no_mailbox: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    /// Says `words` in place of the next `bytes`.
    fn say(&mut self, words: &str, bytes: usize) {
        self.out.push_str(words);
        self.at += bytes;
    }

    fn step(&mut self, c: char) {
        let inside = self.before().is_some_and(char::is_alphanumeric);
        // What is most of any text first: nothing below would change it.
        let length = match c {
            _ if c.is_ascii_alphanumeric() && inside => {
                self.rest().bytes().take_while(u8::is_ascii_alphanumeric).count()
            }
            '&' | '#' | '~' | '$' => 0,
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => 1,
            _ => 0,
        };
        if length > 0 {
            let same = &self.text[self.at..self.at + length];
            return self.say(same, length);
        }
        if is_small(c) && self.script() {
            return;
        }
        if !inside
            && (self.address()
                || self.sum_in_us_dollars()
                || self.abbreviation()
                || self.sum_of_money(c)
                || self.number(c))
        {
            return;
        }
        let next = self.rest()[c.len_utf8()..].chars().next();
        let locale = self.locale;
        if is_emoji(c) {
            let after: usize = self.rest().chars().take_while(|c| is_emoji(*c) || joins(*c)).map(char::len_utf8).sum();
            self.say(" ", after);
        } else if let Some(phrase) = sign(c).filter(|_| !self.in_greek(c, next)) {
            let words = format!(" {} ", locale.say(phrase));
            self.say(&words, c.len_utf8());
        } else if c == '&' && locale.is_known() && next == Some('&') {
            let words = format!(" {} ", locale.say("and"));
            self.say(&words, 2);
        } else if c == '&' && locale.is_known() && !inside && next.is_none_or(char::is_whitespace) {
            self.say(locale.say("and"), 1);
        } else if matches!(c, '#' | '~') && locale.is_known() && !inside && next.is_some_and(|c| c.is_ascii_digit()) {
            let words = format!("{} ", locale.say(if c == '#' { "number" } else { "about" }));
            self.say(&words, 1);
        } else {
            self.out.push(c);
            self.at += c.len_utf8();
        }
    }

    /// A power or an index in small signs: `10⁻³⁴`, `xᵢ`, `SO₄²⁻`.
    fn script(&mut self) -> bool {
        let Some(before) = self.before().filter(|c| c.is_alphanumeric() || matches!(c, ')' | ']') || is_small(*c))
        else {
            return false;
        };
        let rest = self.rest();
        let raised = of_raised(rest.chars().next().unwrap_or(' ')).is_some();
        let of = |c: &char| if raised { of_raised(*c) } else { of_lowered(*c) };
        let run: String = rest.chars().map_while(|c| of(&c)).collect();
        let length: usize = rest.chars().take_while(|c| of(c).is_some()).map(char::len_utf8).sum();
        let locale = self.locale;
        let signs = |run: &str| {
            let mut words = String::new();
            for c in run.chars() {
                match c {
                    '+' => words.push_str(&format!(" {} ", locale.say("plus"))),
                    '-' => words.push_str(&format!(" {} ", locale.say("minus"))),
                    c => words.push(c),
                }
            }
            words.trim().to_owned()
        };
        let words = match run.as_str() {
            // Charges of ions, and indices of chemistry.
            run if run.ends_with(['+', '-']) => signs(run),
            run if !raised && (before.is_uppercase() || before == ')' || is_small(before)) => signs(run),
            run if !raised && before.is_lowercase() && self.in_symbol() => signs(run),
            run if !raised => format!("{} {}", locale.say("sub"), signs(run)),
            "2" => locale.say("squared").to_owned(),
            "3" => locale.say("cubed").to_owned(),
            "-1" => locale.say("to the minus 1").to_owned(),
            run => locale.say_of("to the power of", &signs(run)),
        };
        // `10⁻⁹ m`
        let after = &rest[length..];
        let space = after
            .chars()
            .next()
            .filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'))
            .map_or(0, char::len_utf8);
        let digits = before.is_ascii_digit() && space > 0;
        match self.locale.units(&after[space..]).filter(|_| digits) {
            Some((unit, _, many)) => self.say(&format!(" {words} {many}"), length + space + unit),
            None => {
                let gap = if after.starts_with(char::is_alphanumeric) || after.chars().next().is_some_and(is_small) {
                    " "
                } else {
                    ""
                };
                self.say(&format!(" {words}{gap}"), length);
            }
        }
        true
    }

    /// Whether the letter before is the second of an element's symbol, as that of `Na`.
    fn in_symbol(&self) -> bool {
        let mut before = self.text[..self.at].chars().rev().skip(1);
        before.next().is_some_and(char::is_uppercase) && !before.next().is_some_and(char::is_lowercase)
    }

    /// Whether a letter is one of a Greek word.
    fn in_greek(&self, c: char, next: Option<char>) -> bool {
        let greek = |c: char| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}');
        greek(c) && (self.before().is_some_and(greek) || next.is_some_and(greek))
    }

    /// A web address or that of a mailbox: what of it somebody would read to somebody else.
    fn address(&mut self) -> bool {
        if !self.rest().starts_with(char::is_alphanumeric) {
            return false;
        }
        let rest = self.rest();
        let starts = |text: &str, start: &str| {
            text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
        };
        let web = ["https://", "http://", "www."].iter().find(|start| starts(rest, start)).map(|start| start.len());
        let Some(word) = (if web.is_some() { self.word() } else { self.mailbox() }) else { return false };
        let shown = &word[web.unwrap_or_default()..];
        let shown = if starts(shown, "www.") { &shown[4..] } else { shown };
        // What comes after these is for machines.
        let shown = shown.split(['?', '#']).next().unwrap_or(shown).trim_end_matches('/');
        if shown.is_empty() {
            return false;
        }
        let locale = self.locale;
        let mut words = String::new();
        for c in shown.chars() {
            let sign = match c {
                '.' => "dot",
                '/' => "slash",
                '-' => "dash",
                '_' => "underscore",
                '@' => "at",
                c if c.is_alphanumeric() => {
                    words.push(c);
                    continue;
                }
                _ => "",
            };
            words.push(' ');
            words.push_str(locale.say(sign));
            words.push(' ');
        }
        self.say(words.trim(), word.len());
        true
    }

    /// From here to the next white space, without the marks at its end; none of a word that is too long for an address.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if self.word_end <= self.at {
            let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"');
            let length = rest.find(ends).unwrap_or(rest.len());
            self.word_end = self.at + length;
            self.word_fits = rest[..length].chars().nth(ADDRESS).is_none();
        }
        let word = &rest[..self.word_end - self.at];
        let marks = ['.', ',', ';', ':', '!', '?', ')', ']', '»', '”', '’', '\'', '*'];
        self.word_fits.then(|| word.trim_end_matches(marks))
    }

    /// The mailbox that is named here.
    fn mailbox(&mut self) -> Option<&'a str> {
        if self.at < self.no_mailbox {
            return None;
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
        let name = self.rest().bytes().take_while(|byte| fits(*byte)).count();
        self.no_mailbox = self.at + name;
        if !(1..=MAILBOX).contains(&name) || !self.rest()[name..].starts_with('@') {
            return None;
        }
        let word = self.word()?;
        let host = word.get(name + 1..)?;
        (host.len() <= HOST && host.contains('.') && host.bytes().all(fits)).then_some(word)
    }

    /// `e.g.`, with or without a space after its stops.
    fn abbreviation(&mut self) -> bool {
        let Some(first) = self.rest().bytes().next() else { return false };
        for (short, long) in self.locale.abbreviations() {
            // Most begin otherwise, and this looks at every word.
            if first.is_ascii() && !short.as_bytes()[0].eq_ignore_ascii_case(&first) {
                continue;
            }
            let (short, numbered) = short.strip_suffix('#').map_or((*short, false), |short| (short, true));
            let Some(length) = matching(self.rest(), short) else { continue };
            let after = &self.rest()[length..];
            let number = after.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '(');
            if (numbered && !number) || after.starts_with(char::is_alphanumeric) {
                continue;
            }
            let mut words = (*long).to_owned();
            let capital = |text: &str| text.starts_with(char::is_uppercase);
            if capital(self.rest())
                && !capital(long)
                && let Some(first) = long.chars().next()
            {
                words = first.to_uppercase().chain(long.chars().skip(1)).collect();
            }
            // The stop of `etc.` may be that of its sentence.
            let next = after.trim_start_matches(['"', ')', '”', '»']).trim_start();
            let last = next.is_empty() && !self.goes_on;
            let sentence = last || (after.starts_with(char::is_whitespace) && capital(next));
            let list = ["and so on", "und so weiter", "et cetera", "etcétera"].contains(long);
            if short.ends_with('.') && (last || (list && sentence)) {
                words.push('.');
            }
            if numbered && !after.starts_with(char::is_whitespace) {
                words.push(' ');
            }
            self.say(&words, length);
            return true;
        }
        false
    }

    /// `US$ 5`
    fn sum_in_us_dollars(&mut self) -> bool {
        let Some(after) = self.rest().strip_prefix("US$") else { return false };
        let space = usize::from(after.starts_with(' '));
        let length = number(&after[space..]);
        let Some((_, _, many)) = self.locale.unit("$").filter(|_| length > 0) else { return false };
        let amount = &after[space..space + length];
        let (scale, bytes) = self.scale(&after[space + length..]);
        self.say(&format!("{amount}{scale} US {many}"), "US$".len() + space + length + bytes);
        true
    }

    /// `M`, `bn` and ` million` behind a sum, as words before its currency, and their bytes.
    fn scale(&self, rest: &str) -> (String, usize) {
        const WORDS: &[&str] = &[
            "thousand",
            "million",
            "billion",
            "trillion",
            "Millionen",
            "Milliarden",
            "millions",
            "milliards",
            "millones",
            "milhões",
            "milioni",
            "miliardi",
        ];
        let end = |text: &str| text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
        if let Some(after) = rest.strip_prefix(' ') {
            let word = &after[..end(after)];
            return if WORDS.contains(&word) { (format!(" {word}"), word.len() + 1) } else { (String::new(), 0) };
        }
        let mark = &rest[..end(rest)];
        let english = self.locale.say("and") == "and";
        let word = match mark {
            "k" | "K" if english => " thousand",
            "M" | "m" | "mn" | "mio" if english => " million",
            "B" | "bn" | "b" if english => " billion",
            "T" | "tn" if english => " trillion",
            "k" | "K" | "M" | "B" | "bn" | "T" => mark,
            _ => return (String::new(), 0),
        };
        (word.to_owned(), mark.len())
    }

    /// `$5` and `€ 5`: the other way round than it is written.
    fn sum_of_money(&mut self, c: char) -> bool {
        if !matches!(c, '$' | '€' | '£') {
            return false;
        }
        let after = &self.rest()[c.len_utf8()..];
        let space = after.len() - after.trim_start_matches([' ', '\u{a0}', '\u{202f}']).len();
        let length = number(&after[space..]);
        let Some((_, one, many)) = self.locale.unit(c.encode_utf8(&mut [0; 4])).filter(|_| length > 0 && space < 2)
        else {
            return false;
        };
        let amount = &after[space..space + length];
        let (scale, scaled) = self.scale(&after[space + length..]);
        let single = amount == "1" && scale.is_empty();
        let mut words = format!("{amount}{scale} {}", if single { one } else { many });
        // `$6.20/hr`
        let length = length + scaled;
        let rest = &after[space + length..];
        let per =
            rest.strip_prefix('/').map(|rest| &rest[..rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())]);
        let per = per.filter(|word| !word.is_empty());
        if let Some(word) = per {
            let long = self.locale.unit(if word == "hr" { "h" } else { word }).map_or(word, |(_, one, _)| one);
            words.push_str(&format!(" {} {long}", self.locale.say("per")));
        }
        self.say(&words, c.len_utf8() + space + length + per.map_or(0, |word| word.len() + 1));
        true
    }

    /// A number, or two with a dash between them, and its unit.
    fn number(&mut self, c: char) -> bool {
        if !c.is_ascii_digit() || self.before().is_some_and(|c| matches!(c, '.' | ',' | '_')) {
            return false;
        }
        let rest = self.rest();
        let first = number(rest);
        let mut said = rest[..first].to_owned();
        let mut length = first;
        let dash = rest[length..].chars().next().filter(|c| *c == '–').map_or(0, char::len_utf8);
        let second = if dash > 0 { number(&rest[length + dash..]) } else { 0 };
        let ranged = second > 0 && self.locale.is_known();
        if ranged {
            let other = &rest[length + dash..length + dash + second];
            said = format!("{said} {} {other}", self.locale.say("to:range"));
            length += dash + second;
        }
        let after = &rest[length..];
        let space = after
            .chars()
            .next()
            .filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'))
            .map_or(0, char::len_utf8);
        // `9.11·10⁻³¹`
        if self.locale.is_known()
            && after.starts_with(['·', '⋅'])
            && after.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
        {
            let sign = after.chars().next().map_or(0, char::len_utf8);
            let words = format!("{said} {} ", self.locale.say("times"));
            self.say(&words, length + sign);
            return true;
        }
        // `1.6e-19`, as programs write it.
        if !ranged
            && self.locale.is_known()
            && let Some(exponent) = exponent(after)
        {
            let power = after[1..exponent].trim_start_matches('+');
            let sign = if power.starts_with('-') { format!("{} ", self.locale.say("minus")) } else { String::new() };
            let digits = power.trim_start_matches('-').trim_start_matches('0');
            let words = format!(
                "{said} {} 10 {}",
                self.locale.say("times"),
                self.locale.say_of("to the power of", &format!("{sign}{digits}"))
            );
            let rest = &after[exponent..];
            let space = usize::from(rest.starts_with(' '));
            let unit = self.locale.units(&rest[space..]).filter(|_| space > 0);
            let (unit, many) = unit.map_or((0, String::new()), |(unit, _, many)| (unit + space, format!(" {many}")));
            self.say(&format!("{words}{many}"), length + exponent + unit);
            return true;
        }
        match self.locale.units(&after[space..]) {
            Some((unit, one, many)) => {
                let words = format!("{said} {}", self.locale.counted(&said, &one, &many));
                self.say(&words, length + space + unit);
            }
            None if ranged => self.say(&said, length),
            None => {
                self.out.push_str(&said);
                self.at += length;
            }
        }
        true
    }
}

/// Bytes of the power of ten that `text` begins with: `e-19`, `E23`.
fn exponent(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['e', 'E'])?;
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let ends = !digits[count..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    ((1..=3).contains(&count) && ends && digits.bytes().any(|byte| matches!(byte, b'1'..=b'9')))
        .then(|| text.len() - digits.len() + count)
}

/// Bytes of the number at the beginning of `text`: digits, with stops, commas and apostrophes between them.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (end > 0 && matches!(bytes.get(end), Some(b'.' | b',' | b'\'')) && digit(end + 1)) {
        end += 1;
    }
    end
}

/// How many bytes of `text` are the abbreviation: its first letter in any case, and perhaps a space after a stop inside of it.
fn matching(text: &str, short: &str) -> Option<usize> {
    let mut rest = text;
    let mut before = ' ';
    for (number, wanted) in short.chars().enumerate() {
        if before == '.' {
            rest = rest.strip_prefix([' ', '\u{a0}', '\u{202f}', '\u{2009}']).unwrap_or(rest);
        }
        let c = rest.chars().next()?;
        let same = c.eq_ignore_ascii_case(&wanted) && (c == wanted || number == 0)
            || (number == 0 && !c.is_ascii() && c.to_lowercase().eq(wanted.to_lowercase()));
        if !same {
            return None;
        }
        rest = &rest[c.len_utf8()..];
        before = wanted;
    }
    Some(text.len() - rest.len())
}

fn is_small(c: char) -> bool {
    !c.is_ascii() && (of_raised(c).is_some() || of_lowered(c).is_some())
}

/// The phrase of a sign that voices read wrongly or not at all.
fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        '²' => "squared",
        '³' => "cubed",
        '√' => "the square root of",
        '≤' => "is at most",
        '≥' => "is at least",
        '≠' => "is not equal to",
        '≈' => "is about",
        '∞' => "infinity",
        '→' => "to",
        '⇒' => "implies",
        '∈' => "in",
        '×' => "times",
        '÷' => "divided by",
        '±' => "plus or minus",
        '∀' => "for all",
        '∃' => "there exists",
        '∪' => "union",
        '∩' => "intersect",
        '⊂' | '⊆' => "is a subset of",
        '∉' => "not in",
        '−' => "minus",
        'π' => "pi",
        'θ' => "theta",
        'Δ' => "delta",
        '∑' | 'Σ' => "the sum of",
        '∫' => "the integral of",
        '∂' => "partial",
        '∘' => "composed with",
        '≡' => "is equivalent to",
        '∝' => "is proportional to",
        '∇' => "nabla",
        '⇔' | '⟺' => "if and only if",
        '⟹' => "implies",
        '∅' => "the empty set",
        '¬' => "not",
        '∧' => "and",
        '∨' => "or",
        '·' | '⋅' | '•' => "",
        _ => return None,
    })
}

/// Whether a character is a picture, which nobody reads aloud.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{231a}' | '\u{231b}'
        | '\u{23e9}'..='\u{23fa}' | '\u{20e3}')
}

/// Whether a character belongs to the emoji before it. Alone, it joins letters in some scripts.
fn joins(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Text whose bare LaTeX (words with a backslash, up to the end of their braces) is words.
fn unwrapped(text: &str, words: &mut dyn FnMut(&str) -> String) -> String {
    let text = without_text_commands(text);
    let mut out = String::with_capacity(text.len());
    let mut formula = String::new();
    let mut depth = 0_i32;
    let pieces = text.split_inclusive(char::is_whitespace);
    // Where words have no spaces between them, LaTeX ends where they begin.
    let pieces = pieces.flat_map(|piece| if piece.contains('\\') { scripts(piece) } else { vec![piece] });
    for piece in pieces {
        if depth > 0 || piece.contains('\\') {
            formula.push_str(piece);
            let braces = |c: char| piece.chars().filter(|other| *other == c).count() as i32;
            depth += braces('{') - braces('}');
            if depth <= 0 {
                depth = 0;
                flush(&mut formula, &mut out, words);
            }
        } else {
            out.push_str(piece);
        }
    }
    flush(&mut formula, &mut out, words);
    out
}

/// A word in parts that are of a script without spaces, and others; what stands in braces stays together.
fn scripts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut depth) = (0, 0_i32);
    let mut unspaced = None;
    for (at, c) in word.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        let known = c >= '\u{2e80}';
        if depth <= 0 && c != '}' && unspaced.is_some_and(|before| before != known) {
            parts.push(&word[begin..at]);
            begin = at;
        }
        if depth <= 0 {
            unspaced = Some(known && c != '}');
        }
    }
    parts.push(&word[begin..]);
    parts
}

/// Text without the commands of LaTeX that only say how words are set: `\emph{words}`.
fn without_text_commands(text: &str) -> String {
    const COMMANDS: &[&str] =
        &["emph", "textbf", "textit", "texttt", "textsc", "textrm", "textsf", "textsl", "underline", "mbox"];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // How deep the braces are, and at which depths those of a command stand.
    let (mut depth, mut left_out) = (0_usize, Vec::new());
    while let Some(at) = rest.find(['\\', '{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest
            .strip_prefix('\\')
            .map(|name| &name[..name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len())]);
        match (rest.as_bytes()[0], name) {
            (_, Some(name)) if COMMANDS.contains(&name) && rest[1 + name.len()..].starts_with('{') => {
                depth += 1;
                left_out.push(depth);
                rest = &rest[name.len() + 2..];
            }
            (b'}', _) if left_out.last() == Some(&depth) && depth > 0 => {
                left_out.pop();
                depth -= 1;
                rest = &rest[1..];
            }
            (sign, _) => {
                match sign {
                    b'{' => depth += 1,
                    b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                out.push(char::from(sign));
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Says the formula that was gathered; a stop after it stays a stop.
fn flush(formula: &mut String, out: &mut String, words: &mut dyn FnMut(&str) -> String) {
    let text = std::mem::take(formula);
    if text.is_empty() {
        return;
    }
    let bare = text.trim_end();
    let end = bare.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    out.push_str(&words(end.trim_matches('$')));
    out.push_str(&bare[end.len()..]);
    out.push_str(&text[bare.len()..]);
}

/// Code in a line of prose as a programmer would say it: names and the signs between them. What has neither stays as it is written.
pub(crate) fn code(text: &str, locale: &'static Locale) -> String {
    let mut out = String::new();
    let mut at = 0;
    // Angle brackets that are open, as those of `List<String>`.
    let mut angles = 0_usize;
    while let Some(c) = text[at..].chars().next() {
        let here = Sign { text, at, before: text[..at].chars().next_back() };
        let (phrase, length) = match c {
            '<' if here.opens_angle() => {
                angles += 1;
                ("", 1)
            }
            '>' if angles > 0 => {
                angles -= 1;
                ("", 1)
            }
            _ => match here.phrase(locale) {
                Some(said) => said,
                None if c.is_alphanumeric() || matches!(c, '.' | ',' | '\'') => {
                    out.push(c);
                    at += c.len_utf8();
                    continue;
                }
                None => ("", c.len_utf8()),
            },
        };
        out.push(' ');
        out.push_str(locale.say(phrase));
        out.push(' ');
        at += length;
    }
    let said = tidy(&out);
    if said.chars().any(char::is_alphanumeric) { said } else { text.to_owned() }
}

/// A place in code, and the character before it.
struct Sign<'a> {
    text: &'a str,
    at: usize,
    before: Option<char>,
}

impl Sign<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// The character behind a sign of `length` bytes.
    fn after(&self, length: usize) -> Option<char> {
        self.rest()[length..].chars().next()
    }

    /// Whether a sign of `length` bytes stands between two values, with spaces or without.
    fn is_binary(&self, length: usize) -> bool {
        let ends = |c: char| c.is_alphanumeric() || matches!(c, ')' | ']' | '_' | '"' | '\'' | '}');
        let begins = |c: char| c.is_alphanumeric() || matches!(c, '(' | '[' | '_' | '"' | '\'' | '-' | '!' | '{' | '$');
        self.text[..self.at].trim_end().ends_with(ends) && self.rest()[length..].trim_start().starts_with(begins)
    }

    /// Whether spaces are around a sign of `length` bytes.
    fn is_spaced(&self, length: usize) -> bool {
        self.before.is_some_and(char::is_whitespace) && self.after(length).is_some_and(char::is_whitespace)
    }

    /// Whether the code is short and has one stroke, where `1/2/2024` is a date.
    fn is_fraction(&self) -> bool {
        const LONGEST_FRACTION: usize = 60;
        self.text.len() <= LONGEST_FRACTION && self.text.matches('/').count() == 1
    }

    /// What is said for the sign here, and its bytes; none where no sign is said.
    fn phrase(&self, locale: &'static Locale) -> Option<(&'static str, usize)> {
        const SIGNS: &[(&str, &str)] = &[
            ("|>", "pipe"),
            ("%>%", "pipe"),
            (">>>", ""),
            ("<<<", ""),
            (">>", ""),
            ("<<", ""),
            ("===", "equals"),
            ("!==", "is not equal to"),
            ("==", "equals"),
            ("!=", "is not equal to"),
            ("<=", "is at most"),
            (">=", "is at least"),
            ("->", "to"),
            ("=>", "to"),
            ("&&", "and"),
            ("||", "or"),
            ("=", "equals"),
            ("<", "is less than"),
            (">", "is greater than"),
            ("+", "plus"),
        ];
        let rest = self.rest();
        let english = locale.say("and") == "and";
        for (sign, phrase) in [("<<", "shifted left by"), (">>", "shifted right by")] {
            if rest.starts_with(sign) && self.is_spaced(2) && self.is_binary(2) && english {
                return Some((phrase, 2));
            }
        }
        if rest.starts_with("<-") && !rest.starts_with("<--") {
            return Some((if english { "gets" } else { "equals" }, 2));
        }
        if let Some((sign, phrase)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            return Some((phrase, sign.len()));
        }
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let c = rest.chars().next()?;
        let after = self.after(c.len_utf8());
        match c {
            '.' if word(self.before) && word(after) && !(digit(self.before) && digit(after)) => Some(("dot", 1)),
            '/' if self.is_spaced(1) && self.is_binary(1) => Some(("divided by", 1)),
            '/' if digit(self.before) && digit(after) && self.is_fraction() => Some(("divided by", 1)),
            '/' if word(self.before) && word(after) => Some(("slash", 1)),
            '|' if self.is_spaced(1) => Some(("pipe", 1)),
            '&' if self.is_spaced(1) => Some(("and", 1)),
            '%' if self.is_spaced(1) && self.is_binary(1) => Some(("modulo", 1)),
            '%' => Some(("percent", 1)),
            '*' if rest.starts_with("**") && self.is_binary(2) => Some(self.power(2)),
            '*' if rest.starts_with("**") => Some(("", 2)),
            '*' if self.is_binary(1) || self.text == "*" => Some(("times", 1)),
            '^' if self.is_binary(1) => Some(self.power(1)),
            '!' if !word(self.before) && !rest.starts_with("!important") && word(after) => Some(("not", 1)),
            '!' if !word(self.before) && after == Some('(') => Some(("not", 1)),
            '-' => {
                let unary = self.before.is_none_or(|c| c.is_whitespace() || "([{,=<>+*/:".contains(c));
                let minus = (unary && digit(after)) || (self.is_spaced(1) && self.is_binary(1));
                minus.then_some(("minus", 1))
            }
            _ => None,
        }
    }

    /// A power, whose sign has `length` bytes: the second and third have names of their own.
    fn power(&self, length: usize) -> (&'static str, usize) {
        let exponent = self.rest()[length..].trim_start_matches(' ');
        let number = exponent.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_')).unwrap_or(exponent.len());
        let whole = self.rest().len() - exponent.len() + number;
        match &exponent[..number] {
            "2" => ("squared", whole),
            "3" => ("cubed", whole),
            _ => ("to the power of", length),
        }
    }

    /// Whether an angle bracket here is one of a pair around types or a tag: `List<String>`, `</p>`.
    fn opens_angle(&self) -> bool {
        const LONGEST_TYPE: usize = 80;
        let inside = self.rest()[1..].trim_start_matches('/');
        let inside = &inside[..inside.floor_char_boundary(LONGEST_TYPE)];
        let glued = self.before.is_none_or(|c| !c.is_whitespace()) && inside.starts_with(|c: char| c.is_alphabetic());
        let end = inside.find(|c: char| !c.is_alphanumeric() && !"<,_:*&.[] ".contains(c));
        let spaced = |inside: &str| inside.replace(", ", ",").contains(' ');
        glued && end.is_some_and(|end| inside[end..].starts_with('>') && !spaced(&inside[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(language: &str, cases: &[(&str, &str)]) {
        for (text, said) in cases {
            assert_eq!(tidy(&prose(text, Locale::of(language))), *said, "{language}: {text}");
        }
    }

    #[test]
    fn prose_has_no_markup_and_no_signs() {
        all(
            "en",
            &[
                (r"We take \frac{1}{2}, and add.", "We take one half, and add."),
                (r"The \sqrt{x + 1} of it", "The the square root of x plus 1 of it"),
                ("Then x² ≤ 4.", "Then x squared is at most 4."),
                ("A plain C:\\path and a $ stay.", "A plain C path and a $ stay."),
                (
                    r"We say \emph{not the product}, and \textbf{important} things.",
                    "We say not the product, and important things.",
                ),
                (r"如果你\emph{不是}指两个，那么\frac{1}{2}很重要。", "如果你不是指两个，那么one half很重要。"),
                ("The area πr², 2π and υποτείνουσα", "The area pi r squared, 2 pi and υποτείνουσα"),
                ("Black & white, but R&D.", "Black and white, but R&D."),
                ("Rule #1 takes ~5 steps.", "Rule number 1 takes about 5 steps."),
            ],
        );
    }

    #[test]
    fn numbers_have_their_units_in_words() {
        all(
            "en",
            &[
                ("It is 3 km long.", "It is 3 kilometres long."),
                ("1 m, 1.5 m and 2,000 m", "1 metre, 1.5 metres and 2,000 metres"),
                (
                    "At 100 km/h or 9.81 m/s², (20°C).",
                    "At 100 kilometres per hour or 9.81 metres per second squared, (20 degrees Celsius).",
                ),
                ("90° and 5%, 3–5 kg, 1990–1995", "90 degrees and 5 percent, 3 to 5 kilograms, 1990 to 1995"),
                ("$5, 1 € and £2.50", "5 dollars, 1 euro and 2.50 pounds"),
                (
                    "$5M, $3 billion, US$ 5 and US$2bn",
                    "5 million dollars, 3 billion dollars, 5 US dollars and 2 billion US dollars",
                ),
                (
                    "1.6e-19 C, 6.02E23 and 9.11·10⁻³¹ kg",
                    "1.6 times 10 to the power of minus 19 C, 6.02 times 10 to the power of 23 and 9.11 times 10 to the power of minus 31 kilograms",
                ),
                ("a && b, A ∪ B and ∀x", "a and b, A union B and for all x"),
                ("f⁽ⁿ⁾ of x", "f to the power of (n) of x"),
                // No units: a name, a word, a version, a figure's part.
                ("In 3 months; 4 sides; v2 m; x1 m; 2x and 3mm2", "In 3 months; 4 sides; v2 m; x1 m; 2x and 3mm2"),
            ],
        );
        all(
            "de",
            &[("Das sind 3 km in 1 h, 5 h und 20 %.", "Das sind 3 Kilometer in 1 Stunde, 5 Stunden und 20 Prozent.")],
        );
        all("ru", &[("5 кг и 3 см. См. рис. 2.", "5 килограммов и 3 сантиметра. Смотри рисунок 2.")]);
        all("ru", &[("1 kg, 2 kg, 5 kg, 12 kg", "1 килограмм, 2 килограмма, 5 килограммов, 12 килограммов")]);
        all("fr", &[("1,5 km et 2 km", "1,5 kilomètre et 2 kilomètres")]);
        all("zh", &[("2⁵", "2 的 5 次方")]);
        all("de-AT", &[("12 m² kosten € 3,50.", "12 Quadratmeter kosten 3,50 Euro.")]);
        all("fr", &[("à 90 km/h, 3–5 m", "à 90 kilomètres par heure, 3 à 5 mètres")]);
        all("es", &[("unos 3 km a 20 °C", "unos 3 kilómetros a 20 grados Celsius")]);
        // What is not known is left to the voice.
        all("ja", &[("3 km です。", "3 km です。")]);
    }

    #[test]
    fn abbreviations_are_spoken_out() {
        all(
            "en",
            &[
                (
                    "Fruit, e.g. apples, pears etc. That is all.",
                    "Fruit, for example apples, pears and so on. That is all.",
                ),
                ("I.e. nothing, vs. all, etc.", "That is nothing, versus all, and so on."),
                ("See Fig. 3, Eq. (2) and No. 5. No. Never.", "See Figure 3, Equation (2) and Number 5. No. Never."),
                ("Dr. Who, iff it is; iffy", "Doctor Who, if and only if it is; iffy"),
            ],
        );
        all(
            "de",
            &[
                ("Obst, z. B. Äpfel, d.h. Früchte usw.", "Obst, zum Beispiel Äpfel, das heißt Früchte und so weiter."),
                ("Z.B. Nr. 5, vgl. Abb. 2.", "Zum Beispiel Nummer 5, vergleiche Abbildung 2."),
                (
                    "i.d.R. mind. 3, s. o., o.B.d.A. s. u.",
                    "in der Regel mindestens 3, siehe oben, ohne Beschränkung der Allgemeinheit siehe unten.",
                ),
            ],
        );
        all("fr", &[("Par ex. oui, p. ex. oui, c.-à-d. oui.", "Par exemple oui, par exemple oui, c'est-à-dire oui.")]);
        all("es", &[("p. ej. esto, aprox. 5 m", "por ejemplo esto, aproximadamente 5 metros")]);
    }

    #[test]
    fn addresses_are_read_without_what_is_for_machines() {
        all(
            "en",
            &[
                (
                    "See https://www.example.org/a-b/c_d/?x=1#y, please.",
                    "See example dot org slash a dash b slash c underscore d, please.",
                ),
                ("Write to jo.doe@example.org.", "Write to jo dot doe at example dot org."),
                ("(www.example.org)", "(example dot org)"),
            ],
        );
        all("de", &[("Auf http://example.org/a.", "Auf example Punkt org Schrägstrich a.")]);
    }

    #[test]
    fn an_address_ends_with_its_text_or_is_none() {
        let long = |letters: usize| format!("www.{}", "a".repeat(letters - 4));
        all("en", &[(&long(ADDRESS), &long(ADDRESS)[4..]), (&long(ADDRESS + 1), &long(ADDRESS + 1))]);
    }

    #[test]
    fn emoji_are_not_heard_and_letters_stay_joined() {
        all("en", &[("Hello 👋🏽, world 🌍! 👨\u{200d}👩\u{200d}👧 and 🇦🇹 ❤\u{fe0f}.", "Hello, world! and.")]);
        all("fa", &[("می\u{200c}خواهم न\u{200d}", "می\u{200c}خواهم न\u{200d}")]);
    }

    #[test]
    fn code_is_heard_by_its_names() {
        for (text, said) in [
            ("len(my_list)", "len my list"),
            ("np.array([1, 2])", "np dot array 1, 2"),
            ("x == 3.5", "x equals 3.5"),
            ("a/b.txt", "a slash b dot txt"),
            ("--help", "help"),
            ("i += 1", "i plus equals 1"),
            ("+", "plus"),
            ("{}", "{}"),
            ("word", "word"),
            ("x <- 5", "x gets 5"),
            ("|>", "pipe"),
            ("df %>% head", "df pipe head"),
            ("ls | wc -l", "ls pipe wc l"),
            ("-1", "minus 1"),
            ("x[-1] - y", "x minus 1 minus y"),
            ("my-class", "my class"),
            ("!flag", "not flag"),
            ("println!", "println"),
            ("a / b", "a divided by b"),
            ("1/2 and x", "1 divided by 2 and x"),
            ("1/2/2024", "1 slash 2 slash 2024"),
            ("a || !b && c", "a or not b and c"),
            ("x^2 + y**3", "x squared plus y cubed"),
            ("2 ** n", "2 to the power of n"),
            ("x % 2", "x modulo 2"),
            ("f(*args, **kwargs)", "f args, kwargs"),
            ("2 * x", "2 times x"),
            ("Map<String, List<int>>", "Map String, List int"),
            ("</p>", "p"),
            ("a < b", "a is less than b"),
            ("i<n", "i is less than n"),
            ("x << 4", "x shifted left by 4"),
        ] {
            assert_eq!(code(text, Locale::of("en")), said, "{text}");
        }
        assert_eq!(code("x <- !y", Locale::of("de")), "x gleich nicht y");
        assert_eq!(code("x <= y", Locale::of("de")), "x ist höchstens y");
    }
}
