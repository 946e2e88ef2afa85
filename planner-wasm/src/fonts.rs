//! Scripts that the stage's fonts have no letters of. What is shown in one is boxes, which a warning tells.
//!
//! In: a storyboard, and the list of fonts that `layers/manim` installs. Out: a warning for each script. A font that is added to that list
//! ends its script's warning.

use std::ops::RangeInclusive;

use crate::storyboard::{Action, Element, Place, Storyboard, Warning};

/// The fonts that the stage draws with.
const FONTS: &str = include_str!("../../layers/manim/fonts.txt");

/// A script: its name, its blocks of Unicode, and the family of Noto that has its letters. Latin, Greek and Cyrillic are in the fonts of
/// all words, and the scripts of Chinese, Japanese and Korean in one of their own.
struct Script(&'static str, &'static [RangeInclusive<char>], &'static str);

const SCRIPTS: &[Script] = &[
    Script("Armenian", &['\u{531}'..='\u{58f}'], "Armenian"),
    Script("Hebrew", &['\u{591}'..='\u{5f4}'], "Hebrew"),
    Script("Arabic", &['\u{600}'..='\u{6ff}', '\u{750}'..='\u{77f}'], "Arabic"),
    Script("Syriac", &['\u{700}'..='\u{74f}'], "Syriac"),
    Script("Thaana", &['\u{780}'..='\u{7bf}'], "Thaana"),
    Script("N’Ko", &['\u{7c0}'..='\u{7ff}'], "NKo"),
    Script("Devanagari", &['\u{900}'..='\u{97f}'], "Devanagari"),
    Script("Bengali", &['\u{980}'..='\u{9ff}'], "Bengali"),
    Script("Gurmukhi", &['\u{a00}'..='\u{a7f}'], "Gurmukhi"),
    Script("Gujarati", &['\u{a80}'..='\u{aff}'], "Gujarati"),
    Script("Oriya", &['\u{b00}'..='\u{b7f}'], "Oriya"),
    Script("Tamil", &['\u{b80}'..='\u{bff}'], "Tamil"),
    Script("Telugu", &['\u{c00}'..='\u{c7f}'], "Telugu"),
    Script("Kannada", &['\u{c80}'..='\u{cff}'], "Kannada"),
    Script("Malayalam", &['\u{d00}'..='\u{d7f}'], "Malayalam"),
    Script("Sinhala", &['\u{d80}'..='\u{dff}'], "Sinhala"),
    Script("Thai", &['\u{e00}'..='\u{e7f}'], "Thai"),
    Script("Lao", &['\u{e80}'..='\u{eff}'], "Lao"),
    Script("Tibetan", &['\u{f00}'..='\u{fff}'], "Tibetan"),
    Script("Burmese", &['\u{1000}'..='\u{109f}'], "Myanmar"),
    Script("Georgian", &['\u{10a0}'..='\u{10ff}'], "Georgian"),
    Script("Ethiopic", &['\u{1200}'..='\u{139f}'], "Ethiopic"),
    Script("Cherokee", &['\u{13a0}'..='\u{13ff}'], "Cherokee"),
    Script("Canadian syllabic", &['\u{1400}'..='\u{167f}'], "CanadianAboriginal"),
    Script("Khmer", &['\u{1780}'..='\u{17ff}'], "Khmer"),
    Script("Mongolian", &['\u{1800}'..='\u{18af}'], "Mongolian"),
    Script("Javanese", &['\u{a980}'..='\u{a9df}'], "Javanese"),
    Script("Tifinagh", &['\u{2d30}'..='\u{2d7f}'], "Tifinagh"),
];

/// The first letter of all these scripts.
const FIRST: char = '\u{531}';

/// Adds a warning for each script of which `storyboard` shows letters that no font has; `text` is the document that it was made of.
pub(crate) fn tell(text: &str, storyboard: &mut Storyboard) {
    // Looking through all that is shown takes longer than planning it, and few documents need it. JSON may write letters by number.
    let by_number = text.contains("\\u");
    if !by_number && beyond(text).next().is_none() {
        return;
    }
    let lacks: Vec<&Script> = SCRIPTS.iter().filter(|script| !has_font(FONTS, script)).collect();
    if !by_number && !beyond(text).any(|c| lacks.iter().any(|script| script.holds(c))) {
        return;
    }
    for script in lacks {
        let Some(place) = first(storyboard, script) else { continue };
        let message = format!("the stage has no font with {} letters: they are shown as boxes", script.0);
        storyboard.warnings.push(Warning { code: "plan.no_font".to_owned(), message, place });
    }
}

/// Its characters from about the first letter on, found by their first bytes: this looks at all of every document.
fn beyond(text: &str) -> impl Iterator<Item = char> {
    const BEGINS: u8 = 0xd4;
    let at = text.bytes().enumerate().filter(|(_, byte)| *byte >= BEGINS).map(|(at, _)| at);
    at.filter_map(|at| text.get(at..)?.chars().next()).filter(|c| *c >= FIRST)
}

impl Script {
    fn holds(&self, c: char) -> bool {
        self.1.iter().any(|block| block.contains(&c))
    }
}

fn has_font(fonts: &str, script: &Script) -> bool {
    fonts.lines().any(|line| line.strip_prefix("Noto").is_some_and(|font| font.contains(&format!("{}-", script.2))))
}

/// Where a script is first shown.
fn first(storyboard: &Storyboard, script: &Script) -> Option<Option<Place>> {
    let within = |element: &Element| {
        // Whatever of it is shown, in any of its fields.
        serde_json::to_string(element).is_ok_and(|json| json.chars().any(|c| script.holds(c)))
    };
    storyboard.scenes.iter().find_map(|scene| {
        if scene.heading.chars().any(|c| script.holds(c)) {
            return Some(scene.place);
        }
        let actions = scene.beats.iter().flat_map(|beat| &beat.actions);
        let elements = actions.filter_map(|action| match action {
            Action::Show(element) => Some(element),
            Action::Transform(transform) => Some(&transform.into),
            _ => None,
        });
        elements.into_iter().find(|element| within(element)).map(|element| element.place.or(scene.place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storyboard::Document;

    #[test]
    fn a_script_is_known_by_its_font() {
        let telugu = SCRIPTS.iter().find(|script| script.0 == "Telugu").unwrap();
        assert!(!has_font("Inter-Bold.ttf\nNotoSansTamil-Regular.ttf\n", telugu));
        assert!(has_font("NotoSansTelugu-Regular.ttf\n", telugu));
        let missing: Vec<&str> = SCRIPTS.iter().filter(|script| !has_font(FONTS, script)).map(|one| one.0).collect();
        for covered in ["Hebrew", "Arabic", "Devanagari", "Tamil", "Thai"] {
            assert!(!missing.contains(&covered), "{covered}");
        }
        assert!(missing.contains(&"Cherokee"), "{missing:?}");
    }

    #[test]
    fn letters_that_no_font_has_are_told_where_they_are_shown() {
        let told = |name: &str, text: &str| -> Vec<(String, u64)> {
            let document = Document { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
            let warnings = crate::plan(&document).unwrap().warnings;
            let told = warnings.into_iter().filter(|warning| warning.code == "plan.no_font");
            told.map(|one| (one.message, u64::from(one.place.unwrap().line))).collect()
        };
        let message = "the stage has no font with Cherokee letters: they are shown as boxes".to_owned();
        assert_eq!(told("a.md", "# A\n\n## B\n\n- one\n\nWords.\n\n- ᏣᎳᎩ\n\nᎣᏏᏲ.\n"), [(message.clone(), 9)]);
        assert_eq!(told("a.md", "# A\n\n## ᏣᎳᎩ\n\nWords.\n\n- ᏣᎳᎩ\n"), [(message.clone(), 3)]);
        let plan = r#"{"scenes": [{"voiceover": "Hi.", "elements": [{"type": "text", "content": "\u13a0"}]}]}"#;
        assert_eq!(told("a.json", plan), [(message, 1)]);
        // What is only spoken needs no font.
        assert_eq!(told("a.md", "# A\n\n## B\n\n- one\n\nThis is ᏣᎳᎩ.\n\n- שלום नमस्ते 中文\n"), []);
    }
}
