//! Colours by their names and models, as `xcolor` has them.

/// Whose names colours go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// A lesson's: bright enough to be read on a dark ground and dark enough on a light one.
    #[default]
    Legible,
    /// `xcolor`'s own values, as programs for Manim expect them.
    Exact,
}

/// Colours that a document defines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Colours {
    own: Vec<(String, String)>,
}

const MOST: usize = 500;

impl Colours {
    pub(crate) fn define(&mut self, name: &str, model: &str, value: &str) {
        if let Some(code) = modelled(model, value) {
            self.own.retain(|(known, _)| known != name);
            if self.own.len() < MOST {
                self.own.push((name.to_owned(), code));
            }
        }
    }

    /// `\colorlet`: a name for a colour or a mixture. Mixtures are of the colours that can be read on every ground.
    pub(crate) fn name(&mut self, name: &str, written: &str) {
        if let Some(code) = self.find(written, None, Palette::Legible) {
            self.define(name, "HTML", code.trim_start_matches('#'));
        }
    }

    /// Names and codes of a document's own.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.own.iter().map(|(name, code)| (&**name, &**code))
    }

    /// `#rrggbb` of a colour as it is written: a name, a mixture, or a value of `model`. None when it is no colour that is known.
    pub(crate) fn find(&self, written: &str, model: Option<&str>, palette: Palette) -> Option<String> {
        let written = written.trim();
        if let Some(model) = model {
            return modelled(model.trim(), written);
        }
        let code = written.strip_prefix('#').unwrap_or(written);
        if written.starts_with('#') || is_code(code) {
            return hex(code);
        }
        let mut parts = written.split('!');
        let mut mixed = self.named(parts.next()?.trim(), palette)?;
        while let Some(share) = parts.next() {
            let share: f64 = share.trim().parse().ok().filter(|share| (0.0..=100.0).contains(share))?;
            let other = match parts.next() {
                Some(name) => self.named(name.trim(), palette)?,
                None => "#ffffff".to_owned(),
            };
            mixed = mix(&mixed, &other, share / 100.0)?;
        }
        Some(mixed)
    }

    fn named(&self, name: &str, palette: Palette) -> Option<String> {
        if let Some((_, code)) = self.own.iter().find(|(known, _)| known == name) {
            return Some(code.clone());
        }
        // The complement.
        if let Some(of) = name.strip_prefix('-').filter(|of| !of.starts_with('-')) {
            let code = u32::from_str_radix(self.named(of, palette)?.trim_start_matches('#'), 16).ok()?;
            return Some(format!("#{:06x}", 0xff_ffff - code));
        }
        let small = name.to_ascii_lowercase();
        let found = NAMES.iter().find(|(known, ..)| *known == small)?;
        let code = if palette == Palette::Exact { found.1 } else { found.2.unwrap_or(found.1) };
        Some(format!("#{code}"))
    }
}

/// `xcolor`'s own value of a name, or what a code with its `#` says, as `#rrggbb`.
pub fn exact(written: &str) -> Option<String> {
    let written = written.trim();
    match written.strip_prefix('#') {
        Some(code) => hex(code),
        None => Colours::default().named(&written.replace([' ', '-', '_'], ""), Palette::Exact),
    }
}

/// Whether six signs are a code without its `#`, and no name.
fn is_code(written: &str) -> bool {
    let digits = |c: char| c.is_ascii_hexdigit();
    written.len() == 6 && written.chars().all(digits) && written.chars().any(|c| c.is_ascii_digit())
}

fn hex(code: &str) -> Option<String> {
    let full = match code.len() {
        3 => code.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => code.to_owned(),
        _ => return None,
    };
    full.chars().all(|digit| digit.is_ascii_hexdigit()).then(|| format!("#{}", full.to_ascii_lowercase()))
}

fn modelled(model: &str, value: &str) -> Option<String> {
    let numbers = || -> Option<Vec<f64>> { value.split(',').map(|number| number.trim().parse().ok()).collect() };
    let code = |red: f64, green: f64, blue: f64| {
        let byte = |share: f64| (share.clamp(0.0, 1.0) * 255.0).round() as u8;
        Some(format!("#{:02x}{:02x}{:02x}", byte(red), byte(green), byte(blue)))
    };
    match (model, numbers().as_deref()) {
        ("HTML", _) => hex(value.trim_start_matches('#')),
        ("rgb", Some([red, green, blue])) => code(*red, *green, *blue),
        ("RGB", Some([red, green, blue])) => code(red / 255.0, green / 255.0, blue / 255.0),
        ("gray", Some([grey])) => code(*grey, *grey, *grey),
        ("cmyk", Some([cyan, magenta, yellow, black])) => {
            let light = |ink: f64| 1.0 - (ink + black).min(1.0);
            code(light(*cyan), light(*magenta), light(*yellow))
        }
        _ => None,
    }
}

fn mix(one: &str, other: &str, share: f64) -> Option<String> {
    let byte = |code: &str, at: usize| u8::from_str_radix(code.get(at..at + 2)?, 16).ok().map(f64::from);
    let mut out = String::from("#");
    for at in [1, 3, 5] {
        let value = byte(one, at)? * share + byte(other, at)? * (1.0 - share);
        out.push_str(&format!("{:02x}", value.round() as u8));
    }
    Some(out)
}

/// Name, `xcolor`'s value, and the one that can be read on every ground where that differs.
const NAMES: &[(&str, &str, Option<&str>)] = &[
    ("red", "ff0000", Some("e5534b")),
    ("green", "00ff00", Some("3fa45b")),
    ("blue", "0000ff", Some("4c8fe8")),
    ("cyan", "00ffff", Some("2aa5b5")),
    ("magenta", "ff00ff", Some("b07be0")),
    ("yellow", "ffff00", Some("d9a514")),
    ("black", "000000", None),
    ("white", "ffffff", None),
    ("gray", "808080", Some("8a8f98")),
    ("grey", "808080", Some("8a8f98")),
    ("darkgray", "404040", Some("8a8f98")),
    ("lightgray", "bfbfbf", Some("8a8f98")),
    ("brown", "bf8040", Some("b0793f")),
    ("lime", "bfff00", Some("3fa45b")),
    ("olive", "808000", Some("3fa45b")),
    ("orange", "ff8000", Some("e8833a")),
    ("pink", "ffbfbf", Some("e0699f")),
    ("purple", "bf0040", Some("b07be0")),
    ("teal", "008080", Some("2aa5b5")),
    ("violet", "800080", Some("b07be0")),
    ("navy", "000080", Some("4c8fe8")),
    ("fuchsia", "ff00ff", Some("b07be0")),
    ("aqua", "00ffff", Some("2aa5b5")),
    ("gold", "ffd700", Some("d9a514")),
    ("maroon", "af3235", Some("e5534b")),
    ("crimson", "dc143c", Some("e5534b")),
    ("darkred", "8b0000", Some("e5534b")),
    ("darkblue", "00008b", Some("4c8fe8")),
    ("darkgreen", "006400", Some("3fa45b")),
    ("lightblue", "add8e6", Some("4c8fe8")),
    ("steelblue", "4682b4", Some("4c8fe8")),
    ("dodgerblue", "1e90ff", Some("4c8fe8")),
    ("royalblue", "0071bc", Some("4c8fe8")),
    ("cornflowerblue", "41b0e4", Some("4c8fe8")),
    ("navyblue", "006eb8", Some("4c8fe8")),
    ("midnightblue", "006795", Some("4c8fe8")),
    ("processblue", "00b0f0", Some("4c8fe8")),
    ("cerulean", "00a2e3", Some("4c8fe8")),
    ("skyblue", "46c5dd", Some("4c8fe8")),
    ("turquoise", "00b4ce", Some("2aa5b5")),
    ("tealblue", "00aeb3", Some("2aa5b5")),
    ("forestgreen", "009b55", Some("3fa45b")),
    ("limegreen", "8dc73e", Some("3fa45b")),
    ("olivegreen", "3c8031", Some("3fa45b")),
    ("pinegreen", "008b72", Some("3fa45b")),
    ("seagreen", "3fbc9d", Some("3fa45b")),
    ("springgreen", "c6dc67", Some("3fa45b")),
    ("yellowgreen", "98cc70", Some("3fa45b")),
    ("emerald", "00a99d", Some("3fa45b")),
    ("junglegreen", "00a99a", Some("3fa45b")),
    ("brickred", "b6321c", Some("e5534b")),
    ("redorange", "f26035", Some("e8833a")),
    ("orangered", "ed135a", Some("e5534b")),
    ("burntorange", "f7921d", Some("e8833a")),
    ("bittersweet", "c04f17", Some("e8833a")),
    ("dandelion", "fdbc42", Some("d9a514")),
    ("goldenrod", "ffdf42", Some("d9a514")),
    ("salmon", "f69289", Some("e5534b")),
    ("rubinered", "ed017d", Some("e0699f")),
    ("wildstrawberry", "ee2967", Some("e0699f")),
    ("carnationpink", "f282b4", Some("e0699f")),
    ("rhodamine", "ef559f", Some("e0699f")),
    ("plum", "92268f", Some("b07be0")),
    ("orchid", "af72b0", Some("b07be0")),
    ("mulberry", "a93c93", Some("b07be0")),
    ("royalpurple", "613f99", Some("b07be0")),
    ("blueviolet", "473992", Some("b07be0")),
    ("periwinkle", "7977b8", Some("b07be0")),
    ("sepia", "671800", Some("b0793f")),
    ("rawsienna", "974006", Some("b0793f")),
    ("tan", "da9d76", Some("b0793f")),
    ("mahogany", "a9341f", Some("e5534b")),
];
