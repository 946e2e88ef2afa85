//! Finds misspelt names of settings in the environment.

use super::VARIABLES;

/// The prefix of settings that are this program's alone.
const PREFIX: &str = "CHALKREEL_";
/// Set for our own children and by our own tests.
const INTERNAL: &[&str] = &["CHALKREEL_STAGE_", "CHALKREEL_TEST_"];
/// How many letters a misspelt name may differ in from the setting that was meant.
const SLIPS: usize = 2;
/// Letters that one name must have to be looked for within another.
const PART: usize = 3;

/// A message for each name that is close to a setting's and is none.
pub(super) fn unknown<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut messages: Vec<String> = names
        .filter(|name| !INTERNAL.iter().any(|prefix| name.starts_with(prefix)))
        .filter_map(|name| closest(name).map(|meant| format!("{name} is not a setting; did you mean {meant}?")))
        .collect();
    messages.sort_unstable();
    messages
}

/// Whether one name is a part of the other.
fn is_part(one: &str, other: &str) -> bool {
    one.len() >= PART && other.contains(one)
}

fn closest(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let own = upper.strip_prefix(PREFIX)?;
    if VARIABLES.iter().any(|variable| variable.name == name) {
        return None;
    }
    let settings = VARIABLES.iter().filter_map(|variable| Some((variable.name, variable.name.strip_prefix(PREFIX)?)));
    let ours = settings.map(|(whole, part)| (whole, part, strsim::osa_distance(own, part)));
    let close = ours.filter(|(_, part, slips)| *slips <= SLIPS || is_part(own, part) || is_part(part, own));
    // Settings of others' that are written with our prefix by mistake.
    let bare = || VARIABLES.iter().find(|variable| variable.name == own).map(|variable| variable.name);
    close.min_by_key(|(.., slips)| *slips).map(|(whole, ..)| whole).or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_reported_with_the_setting_meant() {
        for (name, meant) in [
            ("CHALKREEL_JOB", "CHALKREEL_JOBS"),
            ("CHALKREEL_BUKCET", "CHALKREEL_BUCKET"),
            ("CHALKREEL_STORE", "CHALKREEL_STORE_DIR"),
            ("CHALKREEL_TOKEN", "CHALKREEL_HTTP_TOKEN"),
            ("chalkreel_log", "CHALKREEL_LOG"),
            ("CHALKREEL_MANIM_SOURCE", "MANIM_SOURCE"),
        ] {
            let messages = unknown([name].into_iter());
            assert_eq!(messages, [format!("{name} is not a setting; did you mean {meant}?")]);
        }
        for other in ["CHALKREEL_JOBS", "CHALKREEL_STAGE_FD", "CHALKREEL_WEATHER", "CHALK_JOB", "JOB_TIMEOUT", "PATH"] {
            assert!(unknown([other].into_iter()).is_empty(), "{other}");
        }
    }
}
