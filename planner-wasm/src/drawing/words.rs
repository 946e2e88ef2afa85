//! Statements of a drawing language: parts of a fence's text that know where they stand.

use crate::drawing::axis;
use crate::drawing::expression::{self, ParseError};
use crate::storyboard::{Expression, Point, Point3};

/// Samples of a curve from which ranges are found; odd, so that the middle is one.
pub(super) const SAMPLES: usize = 401;
/// Further out, floating-point numbers lose the picture.
pub(crate) const FURTHEST: f64 = 1e12;

/// Reads the statements of `text` one after another: lines, or parts of a line between `;`. What follows a `#` at a
/// line's beginning is a remark.
pub(super) fn statements(
    text: &str,
    mut read: impl FnMut(Words<'_>) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with('#') {
            let mut start = at;
            for statement in line.split(';') {
                let words = Words { text: statement, at: start }.trimmed();
                if !words.text.is_empty() {
                    read(words)?;
                }
                start += statement.len() + 1;
            }
        }
        at += line.len();
    }
    Ok(())
}

/// A part of the fence's text, and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn trimmed(self) -> Self {
        let text = self.text.trim_start();
        Self { at: self.at + self.text.len() - text.len(), text: text.trim_end() }
    }

    pub(super) fn from(self, start: usize) -> Self {
        Self { text: &self.text[start..], at: self.at + start }.trimmed()
    }

    pub(super) fn until(self, end: usize) -> Self {
        Self { text: &self.text[..end], at: self.at }.trimmed()
    }

    pub(super) fn wrong<T>(self, why: &str) -> Result<T, ParseError> {
        Err(ParseError { why: why.to_owned(), at: self.at })
    }

    pub(super) fn expression(self, variables: &[&str]) -> Result<Expression, ParseError> {
        expression::parse(self.text, variables).map_err(|error| ParseError { at: self.at + error.at, ..error })
    }

    /// What stands before the first `:`, in lower case with spaces between words, and what stands after it.
    pub(super) fn setting(self) -> Option<(String, Self)> {
        let colon = self.text.find(':')?;
        Some((self.until(colon).text.to_lowercase().replace(['-', '_'], " "), self.from(colon + 1)))
    }

    /// The first word, in lower case, and what stands after it.
    pub(super) fn first(self) -> (String, Self) {
        let end = self.text.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(self.text.len());
        (self.text[..end].to_lowercase(), self.from(end))
    }

    /// What stands between the brackets that this begins with, cut at commas, and what stands after them.
    pub(super) fn tuple(self) -> Result<(Vec<Self>, Self), ParseError> {
        if !self.text.starts_with(['(', '[']) {
            return self.wrong("a bracket such as `(1, 2)` is missing");
        }
        let (mut depth, mut start, mut parts) = (0_usize, 1, Vec::new());
        for (at, c) in self.text.char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 || (depth == 1 && c == ',') {
                parts.push(Words { text: &self.text[start..at], at: self.at + start }.trimmed());
                start = at + 1;
            }
            if depth == 0 {
                return Ok((parts, self.from(start)));
            }
        }
        self.wrong("a bracket is never closed")
    }

    /// A point in the plane, and what stands after it.
    pub(super) fn point(self) -> Result<(Point, Self), ParseError> {
        let (parts, rest) = self.tuple()?;
        let [x, y] = parts[..] else { return self.wrong("a point needs two numbers") };
        Ok((Point { x: x.number()?, y: y.number()? }, rest))
    }

    /// A point in space, and what stands after it.
    pub(super) fn point3(self) -> Result<(Point3, Self), ParseError> {
        let (parts, rest) = self.tuple()?;
        let [x, y, z] = parts[..] else { return self.wrong("a point in space needs three numbers") };
        Ok((Point3 { x: x.number()?, y: y.number()?, z: z.number()? }, rest))
    }

    /// Two expressions in brackets.
    pub(super) fn pair(self, variables: &[&str]) -> Result<(Expression, Expression), ParseError> {
        let (parts, rest) = self.tuple()?;
        let [x, y] = parts[..] else { return self.wrong("a field needs two expressions, such as `(-y, x)`") };
        if !rest.text.is_empty() {
            return rest.wrong("something is left over");
        }
        Ok((x.expression(variables)?, y.expression(variables)?))
    }

    /// The number that this begins with, up to white space or a word, and what stands after it.
    pub(super) fn leading_number(self) -> Result<(f64, Self), ParseError> {
        let signed = |(at, c): (usize, char)| c.is_whitespace() || (c == ',' && at > 0);
        let end = self.text.char_indices().find(|one| signed(*one)).map_or(self.text.len(), |(at, _)| at);
        Ok((self.until(end).number()?, self.from(end)))
    }

    pub(super) fn number(self) -> Result<f64, ParseError> {
        let constant =
            expression::parse(self.text, &[]).map_err(|error| ParseError { at: self.at + error.at, ..error })?;
        let value = expression::value(&constant, f64::NAN);
        if value.is_finite() && value.abs() <= FURTHEST {
            Ok(value)
        } else {
            self.wrong("it is not a number that can be drawn")
        }
    }

    /// `-3..3`, `-3 to 3` or `[-3, 3]`, with an optional `step 1`.
    pub(super) fn range(self) -> Result<Range, ParseError> {
        let (ends, step) = match self.text.find(" step ") {
            Some(at) => (self.until(at), Some(self.from(at + 6).number()?)),
            None => (self, None),
        };
        let bracketed = ends.text.starts_with('[') && ends.text.ends_with(']');
        let ends = if bracketed { ends.until(ends.text.len() - 1).from(1) } else { ends };
        let found = ["..", " to ", ","].iter().find_map(|mark| Some((ends.text.find(mark)?, mark.len())));
        let Some((at, length)) = found else { return ends.wrong("it is no range such as `-3..3`") };
        let (min, max) = (ends.until(at).number()?, ends.from(at + length).number()?);
        if min >= max {
            return ends.wrong("the range must begin before it ends");
        }
        if !axis::is_wide(min, max) {
            return ends.wrong("the range is too narrow to be divided");
        }
        Ok(Range { min, max, step })
    }
}

/// From where to where, and how far apart ticks are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) step: Option<f64>,
}

impl Range {
    /// [`SAMPLES`] values from end to end.
    pub(crate) fn samples(self) -> impl Iterator<Item = f64> {
        let span = self.max - self.min;
        (0..SAMPLES).map(move |index| self.min + span * index as f64 / (SAMPLES - 1) as f64)
    }
}

/// Labels longer than a line are cut.
pub(super) fn short(text: &str) -> String {
    crate::text::one_line(text, 80)
}

/// `yes`, `on`, `true` and nothing at all mean yes.
pub(super) fn yes(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "" | "yes" | "on" | "true")
}
