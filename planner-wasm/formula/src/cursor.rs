//! Reading LaTeX's source piece by piece, without expanding anything.

/// One piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// `\name` or `\,`, with its backslash.
    Command(&'a str),
    /// Any other character.
    Letter(char),
}

/// Bytes of an argument that a sign ends.
const LONGEST_ARGUMENT: usize = 2_000;

/// A place in a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { rest: source }
    }

    pub(crate) fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.rest.chars().next()?;
        if first != '\\' {
            self.rest = &self.rest[first.len_utf8()..];
            return Some(Piece::Letter(first));
        }
        let name = &self.rest[1..];
        let letters = name.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '@').unwrap_or(name.len());
        let length = 1 + if letters > 0 { letters } else { name.chars().next().map_or(0, char::len_utf8) };
        let (command, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(Piece::Command(command))
    }

    pub(crate) fn peek(&self) -> Option<Piece<'a>> {
        let mut copy = *self;
        copy.next()
    }

    pub(crate) fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `text` when it comes next.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What stands between `open` and the `close` that belongs to it, when `open` comes next (after spaces).
    pub(crate) fn between(&mut self, open: char, close: char) -> Option<&'a str> {
        let mut copy = *self;
        copy.spaces();
        if !copy.take(open.encode_utf8(&mut [0; 4])) {
            return None;
        }
        let inner = copy.rest;
        let (mut depth, mut braces) = (1usize, 0i32);
        loop {
            let before = copy.rest;
            match copy.next()? {
                Piece::Letter(letter) if letter == open && open != close && (open == '{' || braces == 0) => depth += 1,
                Piece::Letter(letter) if letter == close && (close == '}' || braces == 0) => {
                    depth -= 1;
                    if depth == 0 {
                        self.rest = copy.rest;
                        return Some(&inner[..inner.len() - before.len()]);
                    }
                }
                Piece::Letter('{') => braces += 1,
                Piece::Letter('}') if braces == 0 => return None,
                Piece::Letter('}') => braces -= 1,
                _ => {}
            }
        }
    }

    /// What stands before `end`, which is taken as well, outside of groups.
    pub(crate) fn until(&mut self, end: &str) -> Option<&'a str> {
        let mut copy = *self;
        loop {
            let length = self.rest.len() - copy.rest.len();
            // What ends nowhere is not looked for to the end of the source at each place.
            if length > LONGEST_ARGUMENT {
                return None;
            }
            if copy.take(end) {
                let inner = &self.rest[..length];
                self.rest = copy.rest;
                return Some(inner);
            }
            if copy.rest.starts_with('{') {
                copy.group()?;
            } else {
                copy.next()?;
            }
        }
    }

    /// A group's content.
    pub(crate) fn group(&mut self) -> Option<&'a str> {
        self.between('{', '}')
    }

    /// What stands in brackets.
    pub(crate) fn optional(&mut self) -> Option<&'a str> {
        self.between('[', ']')
    }

    /// An argument: a group's content, or one piece.
    pub(crate) fn argument(&mut self) -> Option<&'a str> {
        if let Some(group) = self.group() {
            return Some(group);
        }
        let mut copy = *self;
        copy.spaces();
        let before = copy.rest;
        match copy.next()? {
            Piece::Letter('{' | '}' | '&') => None,
            _ => {
                self.rest = copy.rest;
                Some(&before[..before.len() - copy.rest.len()])
            }
        }
    }
}
