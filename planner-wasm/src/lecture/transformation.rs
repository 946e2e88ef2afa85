//! An element of a plan that changes another one: `transform`, whatever a language model calls its two ends.

use super::parameters::Parameters;

/// What changes, and what it becomes.
#[derive(Debug, Clone)]
pub(super) struct Transformation {
    /// The name of what changes; empty means what was shown last.
    pub(super) from: String,
    /// The name of another element of the scene, or the new content itself.
    pub(super) into: String,
}

impl Transformation {
    pub(super) fn of(parameters: &Parameters<'_>) -> Self {
        let target = parameters.words(&["target", "targetid", "targetelement", "element", "elementid", "object"]);
        let from = parameters.words(&["from", "source", "sourceid", "start", "original", "mobject", "old"]);
        let into = parameters.words(&["to", "into", "end", "result", "replacement", "with", "newcontent", "new"]);
        // A target is what changes. Where that is said otherwise, it is what comes of it, as in Manim's own `Transform`.
        let (from, target) = if from.is_some() { (from, target) } else { (target, None) };
        let text = parameters.text();
        // `"content": "first -> second"`
        let both = text.as_deref().filter(|_| from.is_none() && into.is_none()).and_then(|text| {
            let (from, into) = ["->", "→", "=>"].iter().find_map(|arrow| text.split_once(arrow))?;
            let names = (from.trim().to_owned(), into.trim().to_owned());
            [&names.0, &names.1].iter().all(|name| !name.is_empty() && !name.contains(' ')).then_some(names)
        });
        if let Some((from, into)) = both {
            return Self { from, into };
        }
        let into = into.or(target).or(text);
        Self { from: from.unwrap_or_default(), into: into.unwrap_or_default() }
    }
}
