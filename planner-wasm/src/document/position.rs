//! From a byte's position to a line and column.

use std::cell::{Cell, OnceCell};

use crate::storyboard::Place;

/// Bytes that are counted for one answer at the most, but for what is counted once.
const BLOCK: usize = 4_096;

/// Knows where the lines of a text begin.
pub(crate) struct Positions<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The last answer: byte and the characters before it in its line. Questions come mostly close to each other.
    last: Cell<(usize, usize)>,
    /// The characters before each block: a line of millions of characters is counted once, and not once per question.
    blocks: OnceCell<Vec<usize>>,
}

impl<'a> Positions<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(after).collect();
        Self { text, starts, last: Cell::new((0, 0)), blocks: OnceCell::new() }
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
        let column = if (start..=at).contains(&known) && at - known <= BLOCK {
            before + self.characters(known, at)
        } else if at - start <= BLOCK {
            self.characters(start, at)
        } else {
            self.before(at) - self.before(start)
        };
        self.last.set((at, column));
        Place { line: small(line), column: small(column + 1) }
    }

    /// Characters that begin between two bytes.
    fn characters(&self, from: usize, to: usize) -> usize {
        // All bytes of a character but its first are from 0x80 to 0xbf.
        self.text.as_bytes()[from..to].iter().filter(|byte| !(0x80..0xc0).contains(*byte)).count()
    }

    /// Characters that begin before a byte.
    fn before(&self, at: usize) -> usize {
        let blocks = self.blocks.get_or_init(|| {
            let mut before = 0;
            let ends = (0..=self.text.len() / BLOCK).map(|block| block * BLOCK);
            ends.map(|end| {
                before += self.characters(end.saturating_sub(BLOCK), end);
                before
            })
            .collect()
        });
        let block = at / BLOCK;
        blocks[block] + self.characters(block * BLOCK, at)
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
        let positions = Positions::of("añb\nc\n");
        let at = |byte| (positions.at(byte).line, positions.at(byte).column);
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 3), "ñ is two bytes and one character");
        assert_eq!(at(2), (1, 2), "the middle of a character is the character");
        assert_eq!(at(5), (2, 1));
        assert_eq!(at(1), (1, 2), "backwards too");
        assert_eq!(at(99), (3, 1));
    }

    #[test]
    fn places_in_a_long_line_are_right_in_any_order() {
        let text = format!("a\n{}", "añ勾".repeat(5_000));
        let positions = Positions::of(&text);
        for character in [14_999, 3, 9_000, 9_001, 8_999, 0, 12_345, 5_000] {
            let at = 2 + text[2..].char_indices().nth(character).unwrap().0;
            assert_eq!((positions.at(at).line, positions.at(at).column), (2, character as u32 + 1));
        }
    }
}
