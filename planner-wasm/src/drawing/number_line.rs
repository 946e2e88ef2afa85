//! The fence `numberline`: a line with marks.
//!
//! ````text
//! ```numberline
//! x: -3..3 step 1
//! label: temperature
//! mark: 2 freezing          a place, and what is there
//! mark: pi/2
//! ```
//! ````

use super::words::{Range, Words, short, statements};
use crate::drawing::axis;
use crate::drawing::expression::ParseError;
use crate::storyboard::{Mark, NumberLine};

/// More marks cover each other.
const MOST_MARKS: usize = 20;

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn line(text: &str) -> Result<NumberLine, ParseError> {
    let (mut range, mut label, mut marks) = (None, String::new(), Vec::new());
    statements(text, |words| {
        let Some((key, value)) = words.setting() else { return words.wrong("a statement is written `mark: 2`") };
        match key.as_str() {
            "x" | "range" => range = Some(value.range()?),
            "label" | "title" | "x label" => label = short(value.text),
            "mark" | "dot" | "point" => {
                if marks.len() == MOST_MARKS {
                    return words.wrong("a number line has at most 20 marks");
                }
                marks.push(mark(value)?);
            }
            _ => return words.wrong("this setting of a number line is not known"),
        }
        Ok(())
    })?;
    if range.is_none() && marks.is_empty() {
        return Err(ParseError { why: "it has neither a range nor a mark".to_owned(), at: 0 });
    }
    Ok(settled(range, label, marks))
}

/// A line that holds its marks.
pub(crate) fn settled(range: Option<Range>, label: String, marks: Vec<Mark>) -> NumberLine {
    let positions: Vec<f64> = marks.iter().map(|mark| mark.at).collect();
    let axis = match (range, axis::range_of(&positions)) {
        (Some(range), _) => axis::exactly(range.min, range.max, range.step, label),
        (None, Some((low, high))) => axis::around(low.min(0.0), high.max(0.0), label),
        (None, None) => axis::exactly(-5.0, 5.0, None, label),
    };
    let marks = marks.into_iter().filter(|mark| (axis.min..=axis.max).contains(&mark.at)).collect();
    NumberLine { axis, marks }
}

fn mark(value: Words<'_>) -> Result<Mark, ParseError> {
    let (at, rest) = value.leading_number()?;
    Ok(Mark { at, label: short(rest.text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_lie_on_the_line() {
        let read = line("x: -3..3 step 1\nlabel: t\nmark: 2 freezing\nmark: pi/2\nmark: 9 beyond").unwrap();
        assert_eq!((read.axis.min, read.axis.max, read.axis.step, read.marks.len()), (-3.0, 3.0, 1.0, 2));
        assert_eq!((read.marks[0].at, read.marks[0].label.as_str()), (2.0, "freezing"));
        assert_eq!(line("mark: 8").unwrap().axis.max, 8.0);
        assert_eq!(line("mark: foo").unwrap_err().at, 6);
        assert!(line("").is_err());
    }
}
