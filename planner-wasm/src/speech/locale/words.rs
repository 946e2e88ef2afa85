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
    /// Whether a comma parts the digits of a number.
    pub(super) decimal_comma: bool,
    /// A word, how the next phrase begins, and what is said for both: `de` and `le` are `du`.
    pub(super) joins: &'static [(&'static str, &'static str, &'static str)],
    /// Units as formulas of this language write them, and as `units` does.
    pub(super) aliases: &'static [(&'static str, &'static str)],
    /// What is said before `n` and `k` of `C_n^k`; nothing where it is not the number of combinations.
    pub(super) combinations: &'static str,
    /// Whether a range is said before what it is of.
    pub(super) ranges_first: bool,
    /// The form of a unit behind a number, of its forms for one and for many.
    pub(super) counted: fn(&str, &str, &str) -> String,
}

/// One of it, or many.
pub(super) fn one_or_many(number: &str, one: &str, many: &str) -> String {
    if number == "1" { one } else { many }.to_owned()
}

/// French and Portuguese have many from two on: "1,5 kilogramme".
pub(super) fn below_two(number: &str, one: &str, many: &str) -> String {
    let whole = number.split([',', '.']).next().unwrap_or(number);
    let fraction = number.len() > whole.len();
    if whole == "1" || (whole == "0" && fraction) { one } else { many }.to_owned()
}
