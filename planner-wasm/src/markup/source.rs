//! A document's text on its way through the passes, which still knows where each part of it stood.

/// A warning of a pass: its code and message, and the byte of the document.
pub(crate) type Remark = (&'static str, String, usize);

/// The first character that stands for a formula, in a private plane of Unicode.
pub(super) const FIRST: u32 = 0xf_0000;

/// Whether a character is of the plane that formulas are written in.
pub(crate) fn is_private(c: char) -> bool {
    (c as u32) >= FIRST
}

/// Text and, for the beginning of each stretch of it, the byte of the document that it comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) text: String,
    /// Byte of the text → byte of the document, ascending in the first.
    origins: Vec<(usize, usize)>,
}

impl Source {
    /// The document itself.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), origins: vec![(0, 0)] }
    }

    /// Words that no document has, put in for what stands at byte `at` of one.
    pub(crate) fn made(text: impl Into<String>, at: usize) -> Self {
        Self { text: text.into(), origins: vec![(0, at)] }
    }

    /// A stretch of it.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Self {
        // As much room as the stretch takes: a document has as many parts as lines.
        let mut part = Rewriter::with_room(self, range.len());
        part.copy(range.clone());
        if part.out.origins.is_empty() {
            part.out.origins.push((0, self.origin(range.start)));
        }
        part.finish()
    }

    /// With something before it.
    pub(crate) fn after(mut self, prefix: &str) -> Self {
        self.origins.iter_mut().for_each(|(at, _)| *at += prefix.len());
        if let Some((_, origin)) = self.origins.first().copied() {
            self.origins.insert(0, (0, origin));
        }
        self.text.insert_str(0, prefix);
        self
    }

    /// Its lines, without what ends them.
    pub(crate) fn lines(&self, from: usize) -> Vec<Self> {
        let mut at = from;
        let line = |line: &str| {
            let begin = at;
            at += line.len();
            self.part(begin..begin + line.trim_end_matches('\n').len())
        };
        self.text[from..].split_inclusive('\n').map(line).collect()
    }

    /// Adds lines at its end.
    pub(crate) fn extend(&mut self, lines: Vec<Self>) {
        for line in lines {
            let begin = self.text.len();
            self.origins.extend(line.origins.iter().map(|(at, origin)| (begin + at, *origin)));
            self.text.push_str(&line.text);
            self.text.push('\n');
        }
    }

    /// The byte of the document at which it begins.
    pub(crate) fn begin(&self) -> usize {
        self.origin(0)
    }

    /// The byte of the document from which the byte `at` comes; what was put in comes from where it was put.
    pub(crate) fn origin(&self, at: usize) -> usize {
        let next = self.origins.partition_point(|(begin, _)| *begin <= at);
        let Some((begin, origin)) = next.checked_sub(1).and_then(|index| self.origins.get(index)) else { return at };
        let there = origin + (at - begin);
        match self.origins.get(next) {
            // Of a stretch that has become longer, the rest stands where the next one begins.
            Some((_, after)) if *after >= *origin => there.min(*after),
            _ => there,
        }
    }
}

/// Where marks next stand in a text. Each is looked for once: who searched for the end of every beginning would read a text of beginnings
/// once for each of them.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// A mark, from where on it was looked for, and the first place of it there.
    known: Vec<(&'static str, usize, Option<usize>)>,
}

impl Ends {
    /// The first place of `mark` at or after byte `from` of the text, which is always the same one; `find` finds it in the rest of it.
    pub(crate) fn next(
        &mut self,
        text: &str,
        from: usize,
        mark: &'static str,
        find: impl Fn(&str, &str) -> Option<usize>,
    ) -> Option<usize> {
        let index = self.known.iter().position(|(known, ..)| *known == mark).unwrap_or_else(|| {
            self.known.push((mark, usize::MAX, None));
            self.known.len() - 1
        });
        let (_, begin, found) = self.known[index];
        if begin <= from && found.is_none_or(|at| at >= from) {
            return found;
        }
        let found = if from < begin && begin < text.len() {
            // A little before what is known.
            let end = text.ceil_char_boundary(begin + mark.len() - 1);
            find(&text[from..end], mark).map(|at| from + at).or(found)
        } else {
            find(&text[from..], mark).map(|at| from + at)
        };
        self.known[index] = (mark, from, found);
        found
    }
}

/// The beginning of a text, at most so many bytes of it: what is looked for behind a mark is near, or a document of marks alone would be
/// searched to its end for each of them.
pub(crate) fn near(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The end of a text, at most so many bytes of it.
pub(crate) fn near_end(text: &str, bytes: usize) -> &str {
    let mut begin = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    &text[begin..]
}

/// Writes what a pass makes of a source.
pub(crate) struct Rewriter<'a> {
    source: &'a Source,
    out: Source,
}

impl<'a> Rewriter<'a> {
    /// For about as many bytes as the source has.
    pub(crate) fn of(source: &'a Source) -> Self {
        Self::with_room(source, source.text.len() + 64)
    }

    fn with_room(source: &'a Source, bytes: usize) -> Self {
        Self { source, out: Source { text: String::with_capacity(bytes), origins: Vec::with_capacity(1) } }
    }

    /// Copies a stretch of the source.
    pub(crate) fn copy(&mut self, range: std::ops::Range<usize>) {
        if range.is_empty() {
            return;
        }
        let begin = self.out.text.len();
        self.origin(begin, self.source.origin(range.start));
        let origins = &self.source.origins;
        let first = origins.partition_point(|(at, _)| *at <= range.start);
        for (at, origin) in origins[first..].iter().take_while(|(at, _)| *at < range.end) {
            self.origin(begin + at - range.start, *origin);
        }
        self.out.text.push_str(&self.source.text[range]);
    }

    /// Puts words in, for what stands at byte `at` of the source.
    pub(crate) fn put(&mut self, words: &str, at: usize) {
        if !words.is_empty() {
            self.origin(self.out.text.len(), self.source.origin(at));
            self.out.text.push_str(words);
        }
    }

    fn origin(&mut self, at: usize, origin: usize) {
        match self.out.origins.last_mut() {
            Some((last, known)) if *last == at => *known = origin,
            // It goes on as it did.
            Some((last, known)) if *known + (at - *last) == origin => {}
            _ => self.out.origins.push((at, origin)),
        }
    }

    pub(crate) fn finish(self) -> Source {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_no_more_room_than_it_is_long() {
        let source = Source::of(&"a: 1\n".repeat(1_000));
        let lines = source.lines(0);
        assert_eq!(lines.len(), 1_000);
        assert!(lines.iter().all(|line| line.text.capacity() <= 8 && line.origins.capacity() <= 4), "{:?}", lines[0]);
    }

    #[test]
    fn ends_are_found_wherever_they_are_looked_for() {
        let text = "a]] ä]]] b]";
        let mut ends = Ends::default();
        for from in [0, 1, 2, 0, 3, 6, 4, 8, 7, 1, 12] {
            let found = text.get(from..).and_then(|rest| rest.find("]]")).map(|at| from + at);
            assert_eq!(ends.next(text, from, "]]", |text, mark| text.find(mark)), found, "{from}");
        }
    }

    #[test]
    fn places_are_kept_through_several_passes() {
        let source = Source::of("one two three");
        let mut pass = Rewriter::of(&source);
        pass.copy(0..4);
        pass.put("2222222", 4);
        pass.copy(7..13);
        let second = pass.finish();
        assert_eq!(second.text, "one 2222222 three");
        let at = |source: &Source, word: &str| source.origin(source.text.find(word).unwrap());
        assert_eq!((at(&second, "one"), at(&second, "2222222"), at(&second, "three")), (0, 4, 8));
        assert!(second.origin(10) <= 7, "the end of what was put in");
        let mut pass = Rewriter::of(&second);
        pass.put("> ", 0);
        pass.copy(4..second.text.len());
        let third = pass.finish();
        assert_eq!(third.text, "> 2222222 three");
        assert_eq!((at(&third, "2222222"), at(&third, "three")), (4, 8));
    }
}
