//! How Computer Modern sets words: its spaces, and what it adds between two letters. KaTeX's fonts, which have its letters, lack both.

use formula::tree::{Slot, slots};
use ratex_parser::ParseNode;
use ratex_parser::parse_node::Measurement;

/// A space of `cmr10`, in em; and of its bold, italic and typewriter kin.
const SPACE: f64 = 0.333_33;
const BOLD_SPACE: f64 = 0.383_33;
const ITALIC_SPACE: f64 = 0.357_77;
const TYPEWRITER_SPACE: f64 = 0.525;

/// Gives spaces of words their width, also those that a backslash makes in mathematics: RaTeX's are a quarter of an em.
pub fn widen_spaces(nodes: &mut [ParseNode]) {
    let mut pending: Vec<(&mut ParseNode, f64)> = nodes.iter_mut().map(|node| (node, SPACE)).collect();
    while let Some((node, mut width)) = pending.pop() {
        match node {
            ParseNode::SpacingNode { mode, text, .. }
                if matches!(text.as_str(), " " | "~" | "\\ " | "\\space" | "\\nobreakspace") =>
            {
                let mode = *mode;
                let dimension = Measurement { number: width, unit: "em".to_owned() };
                *node = ParseNode::Kern { mode, dimension, loc: None };
                continue;
            }
            ParseNode::Text { font: Some(font), .. } => {
                width = match font.trim_start_matches('\\') {
                    "textbf" => BOLD_SPACE,
                    "textit" | "emph" => ITALIC_SPACE,
                    "texttt" => TYPEWRITER_SPACE,
                    "textrm" | "textsf" | "textnormal" => SPACE,
                    _ => width,
                };
            }
            _ => {}
        }
        for slot in slots(node) {
            match slot {
                Slot::List(list) => pending.extend(list.iter_mut().map(|node| (node, width))),
                Slot::One(one) | Slot::Base(one) => pending.push((one, width)),
            }
        }
    }
}

/// Unit of the kerns of `cmr10` and `cmbx10`, and of `cmti10`, in em: all of them are multiples of it.
const ROMAN: f64 = 0.027_78;
const BOLD: f64 = 0.031_94;
const ITALIC: f64 = 0.025_55;

/// What is added between two letters of a word, in em: the kerns of `cmr10.tfm`, `cmbx10.tfm` and `cmti10.tfm`. An `f` and what
/// makes a ligature with it are as wide together as the ligature.
#[must_use]
pub fn kern(first: char, second: char, bold: bool, italic: bool) -> f64 {
    let unit = match (bold, italic) {
        (_, true) => ITALIC,
        (true, false) => BOLD,
        _ => ROMAN,
    };
    let found = if italic { ITALIC_KERNS } else { ROMAN_KERNS };
    let kern = found
        .iter()
        .find(|(firsts, seconds, _)| firsts.contains(first) && seconds.contains(second))
        .map_or(0, |(.., kern)| *kern);
    f64::from(kern) * unit
}

/// First letters, second letters, and how many units are added between them.
type Kerns = &'static [(&'static str, &'static str, i8)];

const ROMAN_KERNS: Kerns = &[
    ("f", "fil", -1),
    ("f", "?!)]", 3),
    ("A", "tCOGUQ", -1),
    ("A", "TY", -3),
    ("A", "VW", -4),
    ("DO", "XWAVY", -1),
    ("F", "oeura", -3),
    ("F", "A", -4),
    ("F", "OCGQ", -1),
    ("I", "I", 1),
    ("K", "OCGQ", -1),
    ("L", "TY", -3),
    ("L", "VW", -4),
    ("P", "A.,", -3),
    ("P", "oea", -1),
    ("R", "tCOGUQ", -1),
    ("R", "TY", -3),
    ("R", "VW", -4),
    ("T", "y", -1),
    ("T", "eoraAu", -3),
    ("VW", "oeura", -3),
    ("VW", "A", -4),
    ("VW", "OCGQ", -1),
    ("X", "OCGQ", -1),
    ("Y", "eoraAu", -3),
    ("a", "vyw", -1),
    ("a", "j", 2),
    ("bop", "eodcq", 1),
    ("bop", "xvyw", -1),
    ("bop", "j", 2),
    ("c", "hk", -1),
    ("g", "j", 1),
    ("hmn", "tubyvw", -1),
    ("k", "aeoc", -1),
    ("t", "yw", -1),
    ("u", "w", -1),
    ("vw", "aeoc", -1),
    ("y", "oea", -1),
    ("y", ".,", -3),
];

const ITALIC_KERNS: Kerns = &[
    ("f", "?!)]", 4),
    ("AR", "nlrumtiCOGhbUkvwQ", -1),
    ("ALR", "TY", -3),
    ("ALR", "VW", -4),
    ("ALR", "eaodcgq", -2),
    ("DO", "XWAVY", -1),
    ("F", "oeura", -3),
    ("F", "A", -4),
    ("F", "OCGQ", -1),
    ("KX", "OCGQ", -1),
    ("P", "A", -3),
    ("T", "yeorauA", -3),
    ("V", "oeura", -3),
    ("V", "A", -4),
    ("V", "OCGQ", -1),
    ("W", "A", -3),
    ("Y", "eorauA", -3),
    ("bceopr", "eaodcgq", -2),
    ("dlw", "l", 2),
];
