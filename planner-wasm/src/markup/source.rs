//! A document's text on its way through the passes, which still knows where each part of it stood.

/// A warning of a pass: its code and message, and the byte of the document.
pub(crate) type Remark = (&'static str, String, usize);

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
        // Room for the stretch alone: a document has many of them.
        let out = Self { text: String::with_capacity(range.len()), origins: Vec::with_capacity(1) };
        let mut part = Rewriter { source: self, out };
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
    pub(crate) fn of(source: &'a Source) -> Self {
        let out = Source { text: String::with_capacity(source.text.len() + 64), origins: Vec::new() };
        Self { source, out }
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
