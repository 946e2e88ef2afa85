//! Outlines of letters: by KaTeX's fonts, which are in the library, and by fonts of the system for letters that those lack.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, RwLock};

use ratex_font::FontId;
use ratex_layout::FallbackGlyphMetrics;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::outline::Curves;

/// The fonts of the library, by number. The numbers are part of the interface.
pub const FONTS: [FontId; 20] = [
    FontId::MainRegular,
    FontId::MainBold,
    FontId::MainItalic,
    FontId::MainBoldItalic,
    FontId::MathItalic,
    FontId::MathBoldItalic,
    FontId::AmsRegular,
    FontId::CaligraphicRegular,
    FontId::FrakturRegular,
    FontId::FrakturBold,
    FontId::SansSerifRegular,
    FontId::SansSerifBold,
    FontId::SansSerifItalic,
    FontId::ScriptRegular,
    FontId::Size1Regular,
    FontId::Size2Regular,
    FontId::Size3Regular,
    FontId::Size4Regular,
    FontId::TypewriterRegular,
    // Letters of other scripts: by the system's fonts.
    FontId::CjkRegular,
];

/// Where a letter is looked for when its own font lacks it.
const OTHERS: [FontId; 4] = [FontId::MainRegular, FontId::AmsRegular, FontId::Size1Regular, FontId::Size2Regular];

/// The number of a font.
#[must_use]
pub fn number(font: FontId) -> usize {
    FONTS.iter().position(|known| *known == font).unwrap_or(FONTS.len() - 1)
}

struct SystemFont {
    path: PathBuf,
    /// Read when the first letter is looked for in it; none when it can't be read.
    bytes: OnceLock<Option<Vec<u8>>>,
}

static SYSTEM: RwLock<Vec<Arc<SystemFont>>> = RwLock::new(Vec::new());

/// Names the fonts of the system in which letters are looked for that KaTeX's fonts lack, best first.
pub fn use_system(paths: Vec<PathBuf>) {
    let fonts = paths.into_iter().map(|path| Arc::new(SystemFont { path, bytes: OnceLock::new() })).collect();
    *SYSTEM.write().unwrap_or_else(std::sync::PoisonError::into_inner) = fonts;
}

fn embedded(font: FontId) -> Option<Cow<'static, [u8]>> {
    ratex_katex_fonts::ttf_bytes(&format!("KaTeX_{font}.ttf"))
}

/// Calls `with` with the face and glyph of a letter in the first font of the system that has it.
fn in_system<T>(letter: char, with: impl FnOnce(&Face<'_>, GlyphId) -> T) -> Option<T> {
    let fonts = SYSTEM.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    for font in fonts {
        let Some(bytes) = font.bytes.get_or_init(|| std::fs::read(&font.path).ok()) else { continue };
        let Ok(face) = Face::parse(bytes, 0) else { continue };
        if let Some(glyph) = face.glyph_index(letter).filter(|glyph| glyph.0 != 0) {
            return Some(with(&face, glyph));
        }
    }
    None
}

struct Builder {
    curves: Curves,
    em: f64,
}

impl OutlineBuilder for Builder {
    fn move_to(&mut self, x: f32, y: f32) {
        self.curves.move_to(f64::from(x) / self.em, f64::from(y) / self.em);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.curves.line_to(f64::from(x) / self.em, f64::from(y) / self.em);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let em = self.em;
        self.curves.quad_to(f64::from(x1) / em, f64::from(y1) / em, f64::from(x) / em, f64::from(y) / em);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let em = self.em;
        self.curves.cubic_to(
            f64::from(x1) / em,
            f64::from(y1) / em,
            f64::from(x2) / em,
            f64::from(y2) / em,
            f64::from(x) / em,
            f64::from(y) / em,
        );
    }
    fn close(&mut self) {
        self.curves.close();
    }
}

fn drawn(face: &Face<'_>, glyph: GlyphId) -> Curves {
    let mut builder = Builder { curves: Curves::default(), em: f64::from(face.units_per_em()) };
    // A glyph without an outline is a space, or a picture.
    let _ = face.outline_glyph(glyph, &mut builder);
    builder.curves
}

fn in_font(font: FontId, code: u32) -> Option<Curves> {
    let bytes = embedded(font)?;
    let face = Face::parse(&bytes, 0).ok()?;
    let glyph = face.glyph_index(ratex_font::katex_ttf_glyph_char(font, code)).filter(|glyph| glyph.0 != 0)?;
    Some(drawn(&face, glyph))
}

/// The outline of a letter in em, its place on the baseline at the origin. None when no font has it.
#[must_use]
pub fn outline(font: FontId, code: u32) -> Option<Curves> {
    in_font(font, code)
        .or_else(|| OTHERS.into_iter().find_map(|other| in_font(other, code)))
        .or_else(|| in_system(char::from_u32(code)?, drawn))
}

/// Whether some font of the library has metrics of a letter.
fn is_known(letter: char) -> bool {
    let code = u32::from(letter);
    FONTS.iter().any(|font| ratex_font::get_char_metrics(*font, code).is_some())
        || ratex_font::font_and_metric_for_mathematical_alphanumeric(code).is_some()
}

/// Sizes of the letters of a source that KaTeX's fonts lack, as the system's fonts draw them.
#[must_use]
pub fn measured(source: &str) -> HashMap<char, FallbackGlyphMetrics> {
    let mut found = HashMap::new();
    for letter in source.chars().filter(|letter| !letter.is_ascii() && !formula::parts::is_special(*letter)) {
        if found.contains_key(&letter) || is_known(letter) {
            continue;
        }
        let metrics = in_system(letter, |face, glyph| {
            let em = f64::from(face.units_per_em());
            let ink = face.glyph_bounding_box(glyph);
            FallbackGlyphMetrics {
                width: face.glyph_hor_advance(glyph).map_or(0.5, |advance| f64::from(advance) / em),
                height: ink.map_or(0.0, |ink| f64::from(ink.y_max) / em).max(0.0),
                depth: ink.map_or(0.0, |ink| -f64::from(ink.y_min) / em).max(0.0),
            }
        });
        if let Some(metrics) = metrics {
            found.insert(letter, metrics);
        }
    }
    found
}
