//! A formula of a document as the storyboard has it: read by the parser that the stage draws it with, so that what can't be drawn is
//! told here, with its place.

use crate::latex;
use crate::storyboard::Formula;

/// Characters of a formula in a warning.
const LONGEST_SHOWN: usize = 80;

/// The formula.
///
/// # Errors
/// In words, why nothing of it can be drawn.
pub(crate) fn formula(source: &str) -> Result<Formula, String> {
    with_faults(source).map(|(formula, _)| formula)
}

/// The formula, and in words what of it could not be read as it stands.
///
/// # Errors
/// In words, why nothing of it can be drawn.
pub(crate) fn with_faults(source: &str) -> Result<(Formula, Vec<String>), String> {
    let read = latex::read(source);
    let reading = read.as_ref().as_ref().map_err(|fault| fault.why.clone())?;
    if reading.nodes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let shown = || latex_reader::written(source).chars().take(LONGEST_SHOWN).collect::<String>();
    let faults = reading.faults.iter().map(|fault| format!("in the formula `{}`: {}", shown(), fault.why));
    Ok((Formula { latex: source.trim().to_owned() }, faults.collect()))
}

#[cfg(test)]
mod tests {
    use super::formula;

    #[test]
    fn what_can_not_be_drawn_says_why() {
        for (source, why) in [
            ("", "empty"),
            ("  ", "empty"),
            (r"\def\a{\a\a}\a", "never end"),
            (&"x".repeat(20_000), "long"),
            (&format!("{}x{}", r"\sqrt{".repeat(60), "}".repeat(60)), "deep"),
        ] {
            let said = formula(source).unwrap_err();
            assert!(said.contains(why), "{source:.40}: {said}");
        }
    }
}
