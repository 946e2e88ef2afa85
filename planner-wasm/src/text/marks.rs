//! Marks in words that are to be spoken: where a formula, a piece of a program or an author's cue stands among them, and its source.
//!
//! They are characters of a plane that is taken out of what people write, so that words can be cut and joined with them. Whoever
//! makes a beat takes them out again: [`taken`].

/// What is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A formula of the line, in LaTeX.
    Math,
    /// A piece of a program.
    Code,
    /// Words at which its author wants something pointed at: the name of it, or nothing when the words say it.
    Show,
}

/// Words with a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) kind: Kind,
    pub(crate) source: String,
    /// The first word, counted from 0, as white space divides them, and how many there are.
    pub(crate) word: usize,
    pub(crate) words: usize,
}

const OPEN: [(char, Kind); 3] = [('\u{10fd00}', Kind::Math), ('\u{10fd01}', Kind::Code), ('\u{10fd02}', Kind::Show)];
const SOURCE_ENDS: char = '\u{10fd0e}';
const CLOSE: char = '\u{10fd0f}';
const BYTE: u32 = 0x0010_fe00;
/// Bytes of a source; longer ones point at nothing small.
const LONGEST: usize = 120;

/// Whether a character is part of a mark.
pub(crate) fn is_mark(c: char) -> bool {
    c >= OPEN[0].0
}

/// Opens a mark; false, and nothing is written, when its source is too long.
pub(crate) fn open(kind: Kind, source: &str, out: &mut String) -> bool {
    if source.len() > LONGEST {
        return false;
    }
    out.extend(OPEN.iter().find(|(_, one)| *one == kind).map(|(c, _)| *c));
    out.extend(source.bytes().filter_map(|byte| char::from_u32(BYTE + u32::from(byte))));
    out.push(SOURCE_ENDS);
    true
}

/// Closes the mark that was opened last.
pub(crate) fn close(out: &mut String) {
    out.push(CLOSE);
}

/// Words without their marks.
pub(crate) fn without(words: &str) -> String {
    words.chars().filter(|c| !is_mark(*c)).collect()
}

/// Words without their marks, and the marks in the order in which they begin. One that is open at the end goes to the end.
pub(crate) fn taken(words: String) -> (String, Vec<Marked>) {
    if !words.contains(is_mark) {
        return (words, Vec::new());
    }
    let mut bare = String::with_capacity(words.len());
    let mut marks: Vec<(Kind, Vec<u8>, usize, Option<usize>)> = Vec::new();
    let mut in_source = false;
    for c in words.chars() {
        if let Some((_, kind)) = OPEN.iter().find(|(one, _)| *one == c) {
            marks.push((*kind, Vec::new(), bare.len(), None));
            in_source = true;
        } else if c == SOURCE_ENDS {
            in_source = false;
        } else if c == CLOSE {
            if let Some(open) = marks.iter_mut().rev().find(|mark| mark.3.is_none()) {
                open.3 = Some(bare.len());
            }
        } else if !is_mark(c) {
            bare.push(c);
        } else if in_source && let Some(mark) = marks.last_mut() {
            mark.1.extend(u8::try_from(u32::from(c) - BYTE).ok());
        }
    }
    let spans: Vec<(usize, usize)> = bare.split_whitespace().map(|word| span(&bare, word)).collect();
    let marked = |(kind, source, from, to): (Kind, Vec<u8>, usize, Option<usize>)| {
        let to = to.unwrap_or(bare.len());
        let word = spans.iter().position(|(_, end)| *end > from)?;
        let words = spans[word..].iter().take_while(|(begin, _)| *begin < to).count();
        (words > 0).then(|| Marked { kind, source: String::from_utf8_lossy(&source).into_owned(), word, words })
    };
    let marked = marks.into_iter().filter_map(marked).collect();
    (bare, marked)
}

/// The bytes of `text` between which `part`, a slice of it, stands.
fn span(text: &str, part: &str) -> (usize, usize) {
    let begin = part.as_ptr() as usize - text.as_ptr() as usize;
    (begin, begin + part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_out_and_know_their_words() {
        let mut said = "The ".to_owned();
        assert!(open(Kind::Show, "Höhe", &mut said));
        said.push_str("height h");
        close(&mut said);
        said.push_str(", and (");
        assert!(open(Kind::Math, "c^2", &mut said));
        said.push_str("c squared");
        close(&mut said);
        said.push_str(").");
        let mark = |kind, source: &str, word, words| Marked { kind, source: source.to_owned(), word, words };
        let (bare, marks) = taken(said.clone());
        assert_eq!(bare, "The height h, and (c squared).");
        assert_eq!(marks, [mark(Kind::Show, "Höhe", 1, 2), mark(Kind::Math, "c^2", 4, 2)]);
        assert_eq!(without(&said), bare);
        // One that is cut off in the middle goes to the end of what is there.
        let cut = said.split_once("squared").map(|(before, _)| before.to_owned()).unwrap_or_default();
        assert_eq!(taken(cut).1[1], mark(Kind::Math, "c^2", 4, 1));
        assert_eq!(taken("no marks".to_owned()), ("no marks".to_owned(), Vec::new()));
        assert!(!open(Kind::Math, &"x".repeat(LONGEST + 1), &mut String::new()));
    }
}
