//! What was said of a formula so far, and how words are added to it: phrases of the lesson's language, joined where it joins them.

use super::super::locale::Locale;
use super::pairs::pairs;
use crate::latex::Node;

/// What was said so far, and in which language.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) locale: &'static Locale,
    /// Whether an arrow means that something comes ever closer.
    pub(super) approaches: bool,
    /// Whether events are joined: `P(A ∩ B)` is "P of A and B".
    pub(super) events: bool,
    /// What a bar between two items means.
    pub(super) bar: Bar,
    /// Whether what is said stands side by side in a bracket or an index: `(0,5)` are two numbers in every language.
    pub(super) list: bool,
    /// What is said before the next word, when there is one.
    pub(super) pending: Pending,
    /// Where the last phrase ends; behind a letter, nothing is joined: `a la` may be a variable.
    pub(super) phrase: usize,
    pub(super) speaker: Speaker,
}

/// How rows and single items are said. What says a bracket or a fraction says what is inside by this, for it knows nothing of the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker {
    /// A row of which it is known where its brackets are closed.
    pub(super) row: fn(&[Node], &[Option<usize>], &mut Said),
    pub(super) one: fn(&Node, &mut Said),
}

pub(super) fn say(row: &[Node], out: &mut Said) {
    say_paired(row, &pairs(row), out);
}

/// Says a row of which it is known where its brackets are closed.
pub(super) fn say_paired(row: &[Node], pairs: &[Option<usize>], out: &mut Said) {
    (out.speaker.row)(row, pairs, out);
}

pub(super) fn one(node: &Node, out: &mut Said) {
    (out.speaker.one)(node, out);
}

/// The words of a row.
pub(super) fn spoken(row: &[Node], locale: &'static Locale, speaker: Speaker) -> String {
    let mut said = Said {
        text: String::with_capacity(64),
        locale,
        approaches: false,
        events: false,
        bar: Bar::Plain,
        list: false,
        pending: Pending::Nothing,
        phrase: usize::MAX,
        speaker,
    };
    say(row, &mut said);
    tidy(&said.text)
}

/// Items of a script or note whose meaning is asked for. Those with a meaning of their own are short, and what is longer is said
/// once and not twice: of scripts in scripts, each would double the work.
const MEANT: usize = 8;

/// In English, to see what it is; nothing when it is more than a sign or a word.
pub(super) fn meaning(row: &[Node], speaker: Speaker) -> String {
    if is_short(row, &mut { MEANT }) { spoken(row, Locale::english(), speaker) } else { String::new() }
}

/// Whether a row has no more than `left` items, those inside of others counted.
fn is_short(row: &[Node], left: &mut usize) -> bool {
    row.iter().all(|node| {
        let Some(fewer) = left.checked_sub(1) else { return false };
        *left = fewer;
        match node {
            Node::Char(_) | Node::Big(_) | Node::Number(_) | Node::Text(_) | Node::Symbol(_) | Node::Rare(_) => true,
            Node::Operator(..) | Node::Middle(_) | Node::Space(_) => true,
            Node::Scripts { base: None, below: None, above: None, .. } => true,
            Node::Group(row) | Node::Font(_, row) => is_short(row, left),
            // Nothing that is built of others is a sign or a word.
            _ => false,
        }
    })
}

/// One space between words, and none before a comma or stop.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let mark = word.chars().all(|c| matches!(c, ',' | '.' | ';' | ':' | '!' | '?'));
        let doubled = mark && out.ends_with([',', '.', ';', ':', '!', '?']);
        if doubled || (mark && out.is_empty()) {
            continue;
        }
        if !out.is_empty() && !mark {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// What a bar between two items means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// `a | b`: it divides.
    Plain,
    /// `P(A | B)`: given.
    Given,
}

/// What is said before the next word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    /// A pause, where something is whose end would not be heard otherwise.
    Pause,
    /// "of", behind "the sum".
    Of,
}

/// Says a phrase, given in English.
pub(super) fn put(out: &mut Said, phrase: &'static str) {
    if phrase == "of" && out.pending == Pending::Of {
        out.pending = Pending::Nothing;
    }
    resume(out);
    let locale = out.locale;
    let words = locale.say(phrase);
    let behind_phrase = out.phrase == out.text.len();
    // "The real part of" has said it.
    if phrase == "of" && behind_phrase && ends_with_word(&out.text, words) {
        return;
    }
    match words.split_once('{') {
        None => put_joined(out, words),
        // What goes around others: where those are not known, only what stands before or behind them.
        Some((before, rest)) => {
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            put_as_it_is(out, if before.trim().is_empty() { after.trim() } else { before.trim() });
        }
    }
    out.phrase = out.text.len();
}

/// Says words that may become one with the last phrase.
pub(super) fn put_joined(out: &mut Said, words: &str) {
    resume(out);
    let joined = if out.phrase == out.text.len() { out.locale.joined(&out.text, words) } else { None };
    match joined {
        Some((kept, joined, rest)) => {
            out.text.truncate(kept);
            out.text.push_str(joined);
            out.text.push_str(rest);
        }
        None => put_as_it_is(out, words),
    }
}

/// Says what is the same in every language.
pub(super) fn put_as_it_is(out: &mut Said, words: &str) {
    if !words.is_empty() {
        resume(out);
        out.text.push(' ');
        out.text.push_str(words);
    }
}

/// Says what was to be said before the next word.
pub(super) fn resume(out: &mut Said) {
    match std::mem::replace(&mut out.pending, Pending::Nothing) {
        Pending::Nothing => {}
        Pending::Pause => out.text.push_str(" ,"),
        Pending::Of => put(out, "of"),
    }
}

pub(super) fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|before| before.ends_with(' '))
}

/// Says a phrase and what belongs to it: in most languages behind it, in some within it or before it.
pub(super) fn around(out: &mut Said, phrase: &'static str, inner: impl FnOnce(&mut Said)) {
    match out.locale.around(phrase) {
        Some((before, after)) => {
            put_as_it_is(out, before);
            inner(out);
            out.pending = Pending::Nothing;
            put_as_it_is(out, after);
        }
        None => {
            put(out, phrase);
            inner(out);
        }
    }
}

/// Whether the last word is the "of" of a phrase, or will be.
pub(super) fn says_of(out: &Said) -> bool {
    out.pending == Pending::Of || (out.phrase == out.text.len() && ends_with_word(&out.text, out.locale.say("of")))
}

/// Says something under another meaning of its bars.
pub(super) fn with_bar(out: &mut Said, bar: Bar, inner: impl FnOnce(&mut Said)) {
    let outer = std::mem::replace(&mut out.bar, bar);
    inner(out);
    out.bar = outer;
}

/// Says words before a phrase: "50 percent".
pub(super) fn around_before(out: &mut Said, phrase: &'static str, inner: impl FnOnce(&mut Said)) {
    if out.locale.around(phrase).is_some() {
        around(out, phrase, inner);
    } else {
        inner(out);
        put(out, phrase);
    }
}
