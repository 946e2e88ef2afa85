//! What stands before Markdown: passes that make plain CommonMark of what courses are really written in.
//!
//! In: the text of a document. Out: its text as CommonMark, with a character for each formula, and where every part of it stood. First
//! formulas are taken out, so that no rule of a markup takes them apart; then the dialects' own marks and HTML become Markdown.
//! It never decides what is spoken and what is shown: the lesson's reader does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

mod bare;
mod dialect;
pub(crate) mod formulas;
mod html;
mod labels;
pub(crate) mod source;
mod targets;

use self::formulas::Formulas;
use self::source::{Remark, Source};

/// A lesson's text as CommonMark with a character for each formula; what stands before byte `body` stays.
pub(crate) fn markdown(written: &Source, body: usize, formulas: &mut Formulas) -> (Source, Vec<Remark>) {
    let text = written.text.as_str();
    formulas.begin(text, body);
    let taken = formulas::taken(written, body, formulas);
    let mut context = dialect::context(formulas, &text[..body], &text[body..]);
    let plain = dialect::rewritten(&taken, body, &mut context);
    let mut remarks = context.warnings;
    let markdown = html::rewritten(&plain, body, formulas, &mut remarks);
    (markdown, remarks)
}

/// Of remarks that say the same the first, with how many there are.
pub(crate) fn told_once(remarks: Vec<Remark>) -> Vec<Remark> {
    let mut once: Vec<(Remark, usize)> = Vec::new();
    let mut known: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for remark in remarks {
        match known.entry((remark.0, remark.1.clone())) {
            Entry::Occupied(first) => once[*first.get()].1 += 1,
            Entry::Vacant(none) => {
                none.insert(once.len());
                once.push((remark, 1));
            }
        }
    }
    let told = |((code, message, at), count): (Remark, usize)| {
        (code, if count > 1 { format!("{message} ({count} places, this is the first)") } else { message }, at)
    };
    once.into_iter().map(told).collect()
}
