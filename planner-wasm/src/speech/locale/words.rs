//! The shape of a language's file.

/// What a language's file has.
#[derive(Debug)]
pub(super) struct Words {
    /// English → this language.
    pub(super) phrases: &'static [(&'static str, &'static str)],
    /// Units: as written, one of them, several.
    pub(super) units: &'static [(&'static str, &'static str, &'static str)],
    /// What is written, and what is said. A stop may have a space after it; `#` stands for a number that must follow.
    pub(super) abbreviations: &'static [(&'static str, &'static str)],
}
