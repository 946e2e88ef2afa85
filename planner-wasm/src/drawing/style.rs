//! Colours: names that people and language models use become those that the stage knows.

use crate::storyboard::Style;

/// The names that the stage knows.
const COLOURS: &[&str] = &[
    "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "gray", "white", "black", "gold", "maroon",
    "brown", "cyan", "magenta",
];

/// The colour as the storyboard writes it: one of the stage's names or `#rrggbb`; none when it is no colour. Manim's
/// own names such as `BLUE_C` and `LIGHT_GRAY` are known by their plain ones.
pub(crate) fn colour(written: &str) -> Option<String> {
    let name = written.trim().trim_matches(['"', '\'']).to_lowercase();
    if let Some(code) = name.strip_prefix('#').or_else(|| name.strip_prefix("0x")) {
        let six: String = match code.len() {
            3 => code.chars().flat_map(|c| [c, c]).collect(),
            6 | 8 => code.chars().take(6).collect(),
            _ => return None,
        };
        return six.chars().all(|c| c.is_ascii_hexdigit()).then(|| format!("#{six}"));
    }
    let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
    let name = match name.strip_suffix(['a', 'b', 'c', 'd', 'e']) {
        Some(base) => base.strip_suffix(['_', '-']).map_or(name.clone(), str::to_owned),
        None => name,
    };
    let plain = ["light", "dark", "pure", "medium", "bright", "pale", "deep"];
    let words: Vec<&str> = name.split(['_', '-', ' ']).filter(|word| !plain.contains(word)).collect();
    let last = match words.as_slice() {
        [one] => one.trim_start_matches("light").trim_start_matches("dark"),
        [.., last] => last,
        [] => return None,
    };
    let known = match last {
        "grey" | "silver" => "gray",
        "violet" | "indigo" | "lavender" => "purple",
        "aqua" | "turquoise" => "cyan",
        "fuchsia" => "magenta",
        "crimson" | "scarlet" | "tomato" => "red",
        "navy" | "skyblue" | "royalblue" => "blue",
        "lime" | "olive" => "green",
        "amber" => "gold",
        "coral" | "salmon" => "pink",
        other => other,
    };
    COLOURS.contains(&known).then(|| known.to_owned())
}

/// No style of its own.
pub(crate) fn unstyled() -> Style {
    Style { colour: None, fill: None, opacity: None, scale: None }
}

/// None when nothing of it is set.
pub(crate) fn or_none(style: Style) -> Option<Style> {
    (style != unstyled()).then_some(style)
}

#[cfg(test)]
mod tests {
    use super::colour;

    #[test]
    fn colours_have_one_way_to_be_written() {
        for (written, colour_of) in [
            ("Red", Some("red")),
            ("BLUE_C", Some("blue")),
            ("LIGHT_GRAY", Some("gray")),
            ("lightblue", Some("blue")),
            ("PURE_GREEN", Some("green")),
            ("manim.YELLOW", Some("yellow")),
            ("dark slate grey", Some("gray")),
            ("#1aF", Some("#11aaff")),
            ("#12345678", Some("#123456")),
            ("#12x456", None),
            ("orange", Some("orange")),
            ("none", None),
            ("", None),
        ] {
            assert_eq!(colour(written).as_deref(), colour_of, "{written}");
        }
    }
}
