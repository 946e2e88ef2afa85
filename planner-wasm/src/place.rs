//! From a byte's position to a line and column.

use std::cell::Cell;

use crate::storyboard::Place;

/// Knows where the lines of a text begin.
pub(crate) struct Places<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The last answer: byte and the characters before it in its line. Questions come mostly in order, so that a line
    /// of millions of characters is counted once and not once per question.
    last: Cell<(usize, usize)>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect(), last: Cell::new((0, 0)) }
    }

    /// The place of the character at byte `at`; past the end, that of the end.
    pub(crate) fn at(&self, at: usize) -> Place {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts[line - 1];
        let (known, before) = self.last.get();
        let characters = |from: usize| self.text[from..at].chars().count();
        let column = if (start..=at).contains(&known) { before + characters(known) } else { characters(start) };
        self.last.set((at, column));
        Place { line: small(line), column: small(column + 1) }
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let places = Places::of("añb\nc\n");
        let at = |byte| (places.at(byte).line, places.at(byte).column);
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 3), "ñ is two bytes and one character");
        assert_eq!(at(2), (1, 2), "the middle of a character is the character");
        assert_eq!(at(5), (2, 1));
        assert_eq!(at(1), (1, 2), "backwards too");
        assert_eq!(at(99), (3, 1));
    }
}
