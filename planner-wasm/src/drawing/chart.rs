//! The fence `chart`: bars.
//!
//! ````text
//! ```chart
//! title: Votes by party       shown below
//! values: in thousands        what the bars' heights mean
//! Reds: 12
//! Blues: 7.5
//! ```
//! ````

use super::words::{Words, short, statements};
use crate::drawing::expression::ParseError;
use crate::storyboard::{Bar, Chart};

/// More bars are no longer told apart.
pub(crate) const MOST_BARS: usize = 24;

/// Reads the text of a fence.
///
/// # Errors
/// [`ParseError`] with a place in `text`.
pub(crate) fn chart(text: &str) -> Result<Chart, ParseError> {
    let mut chart = Chart { bars: Vec::new(), value_label: String::new(), caption: String::new() };
    statements(text, |words| statement(&mut chart, words))?;
    if chart.bars.is_empty() {
        return Err(ParseError { why: "it has no bar such as `Apples: 3`".to_owned(), at: 0 });
    }
    Ok(chart)
}

fn statement(chart: &mut Chart, words: Words<'_>) -> Result<(), ParseError> {
    // The last sign, for a label may have a colon of its own.
    let Some(sign) = words.text.rfind([':', '=']) else {
        return words.wrong("a bar is written `Apples: 3`");
    };
    let (label, value) = (words.until(sign), words.from(sign + 1));
    if let Some((key, value)) = words.setting() {
        match key.as_str() {
            "title" | "caption" => {
                chart.caption = short(value.text);
                return Ok(());
            }
            "values" | "value label" | "y label" | "ylabel" => {
                chart.value_label = short(value.text);
                return Ok(());
            }
            _ => {}
        }
    }
    if chart.bars.len() == MOST_BARS {
        return words.wrong("a chart has at most 24 bars");
    }
    let number = Words { text: value.text.trim_end_matches('%'), ..value }.trimmed();
    chart.bars.push(Bar { label: short(label.text.trim_matches('"')), value: number.number()? });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_labels_and_values() {
        let read = chart("title: Votes: who won\nvalues: thousand\nReds: 12\nBlues = 7.5%\nRatio 1:2: -1/2").unwrap();
        assert_eq!((read.caption.as_str(), read.value_label.as_str()), ("Votes: who won", "thousand"));
        let bars: Vec<_> = read.bars.iter().map(|bar| (bar.label.as_str(), bar.value)).collect();
        assert_eq!(bars, [("Reds", 12.0), ("Blues", 7.5), ("Ratio 1:2", -0.5)]);
        assert_eq!(chart("A: 1\nB: many").unwrap_err().at, 8);
        assert_eq!(chart("no bar").unwrap_err().at, 0);
        assert!(chart("").is_err() && chart(&"a: 1\n".repeat(25)).is_err());
    }
}
