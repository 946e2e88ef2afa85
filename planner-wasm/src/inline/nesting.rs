//! Quotations and lists inside of each other: more than anybody writes are taken for one.
//!
//! A reader of CommonMark looks at every open quotation and list again on every line, so that ten thousand of them, which are one line,
//! cost ten thousand steps a line.

/// Quotations and lists that one line may open or go on with.
const DEEPEST: usize = 100;

/// The text with spaces in place of the marks that open more, byte by byte, so that positions stay, and the first line with some; none
/// when there are none. The front matter, up to `body`, stays as it is.
pub(crate) fn shallow(text: &str, body: usize) -> Option<(String, usize)> {
    let mut out: Option<(Vec<u8>, usize)> = None;
    let mut begin = body;
    for line in text[body..].split_inclusive('\n') {
        for (at, length) in marks(line.as_bytes()).skip(DEEPEST) {
            let (bytes, _) = out.get_or_insert_with(|| (text.as_bytes().to_vec(), begin));
            bytes[begin + at..begin + at + length].fill(b' ');
        }
        begin += line.len();
    }
    // What was replaced is ASCII, so it is text still.
    out.and_then(|(bytes, line)| Some((String::from_utf8(bytes).ok()?, line)))
}

/// Place and length of each mark of a quotation or of an item that a line begins with.
fn marks(line: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let length = mark(&line[at..])?;
        at += length;
        Some((at - length, length))
    })
}

/// Length of the mark that begins here.
fn mark(rest: &[u8]) -> Option<usize> {
    let spaced = |length: usize| matches!(rest.get(length), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
    match rest.first()? {
        b'>' => Some(1),
        b'-' | b'*' | b'+' => spaced(1).then_some(1),
        b'0'..=b'9' => {
            let digits = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
            let item = digits < 10 && matches!(rest.get(digits), Some(b'.' | b')')) && spaced(digits + 1);
            item.then_some(digits + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays_and_what_nobody_does_is_flat() {
        for text in ["> - 1. a\n", "---\n", "- [ ] a\n* * *\n", "", "1.5 is a number\n", &"> ".repeat(100)] {
            assert_eq!(shallow(text, 0), None, "{text}");
        }
        for mark in [">", "> ", "- ", "12) ", "> - "] {
            let text = format!("a\n{}b\n", mark.repeat(300));
            let (flat, line) = shallow(&text, 0).unwrap();
            let deep = marks(&flat.as_bytes()[2..]).count();
            assert_eq!((flat.len(), deep, line), (text.len(), DEEPEST, 2), "{mark}");
        }
    }
}
