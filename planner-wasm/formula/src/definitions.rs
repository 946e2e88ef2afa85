//! Macros that a document defines, for all its formulas.

/// Names with their backslash, and what they stand for: `#1` to `#9` are arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    macros: Vec<(String, String)>,
}

impl Definitions {
    /// Defines a macro anew.
    pub fn set(&mut self, name: &str, body: &str) {
        self.macros.retain(|(known, _)| known != name);
        self.macros.push((name.to_owned(), body.to_owned()));
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.macros.iter().map(|(name, body)| (&**name, &**body))
    }
}
