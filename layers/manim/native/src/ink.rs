//! A tree of boxes → ink in the order in which TeX writes it into a DVI file, and dvisvgm into an SVG.
//!
//! That order is not RaTeX's own (which draws an operator before its upper limit, for example), and programs count on it:
//! `formula[0][3]` means the fourth sign. Places are those of `ratex_layout::to_display`, whose boxes these are.

use ratex_font::FontId;
use ratex_layout::layout_box::{BoxContent, LayoutBox, VBoxChildKind};
use ratex_types::color::Color;
use ratex_types::path_command::PathCommand;

use crate::outline::{Curves, rectangle, stroked};

const SURD: u32 = 0x221A;
/// Parts of KaTeX's font of size 4, of which higher roots are put together as in TeX, and their sizes in em.
const SURD_TIP: u32 = 0xE001;
const SURD_STEM: u32 = 0xE000;
const SURD_FOOT: u32 = 0x23B7;
const SURD_PARTS_WIDTH: f64 = 1.055_56;
const SURD_TOP: f64 = 0.6;
const SURD_PART_FOOT: f64 = -0.005;
const SURD_BOTTOM: f64 = 1.8;
const SURD_FOOT_HEIGHT: f64 = 0.915;
/// Up to this height the root of size 4 serves.
const TALLEST_SURD: f64 = 3.05;

/// Width of lines that are drawn and not filled, as TeX's `\cancel` has them: 0.4 pt at 10 pt.
const LINE: f64 = 0.04;

/// What ink is.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A letter or sign of a font, by its code in that font's metrics.
    Glyph(FontId, u32),
    /// A rule, brace, arrow or line: closed curves in em from the item's place, y upwards.
    Curves(Curves),
}

/// One piece of ink.
#[derive(Debug, Clone, PartialEq)]
pub struct Ink {
    /// What it is.
    pub shape: Shape,
    /// Place in em: to the right from the formula's left edge.
    pub x: f64,
    /// Place in em: upwards from the baseline.
    pub y: f64,
    /// Times the size of the formula: 0.7 in a script.
    pub scale: f64,
    /// The colour of its box.
    pub colour: Color,
    /// Whether the colour is its own: the ground and border of a coloured box.
    pub own: bool,
}

impl Ink {
    /// Whether it is a marker of `formula::parts`: a rule without width and height.
    #[must_use]
    pub fn is_marker(&self) -> bool {
        matches!(&self.shape, Shape::Curves(curves) if curves.is_empty())
    }
}

enum Step<'a> {
    Box { of: &'a LayoutBox, x: f64, y: f64, scale: f64 },
    Ink(Ink),
}

struct Place {
    x: f64,
    y: f64,
    scale: f64,
}

/// All ink of a box whose left end of the baseline is the origin. The walk keeps its own stack: boxes nest as deep as their author
/// likes.
#[must_use]
pub fn ink(root: &LayoutBox) -> Vec<Ink> {
    let mut out = Vec::new();
    // Steps are pushed in order and taken from the end, so each box's own are turned round.
    let mut pending = vec![Step::Box { of: root, x: 0.0, y: 0.0, scale: 1.0 }];
    let mut own = Vec::new();
    while let Some(step) = pending.pop() {
        match step {
            Step::Ink(item) => out.push(item),
            Step::Box { of, x, y, scale } => {
                steps(of, &Place { x, y, scale }, &mut own);
                pending.extend(own.drain(..).rev());
            }
        }
    }
    out
}

fn rule(out: &mut Vec<Step<'_>>, place: &Place, left: f64, bottom: f64, width: f64, height: f64, colour: Color) {
    let curves = if width <= 0.0 && height <= 0.0 {
        Curves::default()
    } else {
        rectangle(left, bottom, left + width, bottom + height)
    };
    out.push(curve(place, curves, colour, false));
}

fn curve<'a>(place: &Place, curves: Curves, colour: Color, own: bool) -> Step<'a> {
    Step::Ink(Ink { shape: Shape::Curves(curves), x: place.x, y: place.y, scale: place.scale, colour, own })
}

/// The font of a letter. That of bold italic letters has digits in the old style: a bold 0 is upright, and no small o.
fn upright(font: FontId, code: u32) -> FontId {
    let is_digit = (u32::from('0')..=u32::from('9')).contains(&code);
    if font == FontId::MathBoldItalic && is_digit { FontId::MainBold } else { font }
}

fn steps<'a>(of: &'a LayoutBox, place: &Place, out: &mut Vec<Step<'a>>) {
    let Place { x, y, scale } = *place;
    let put = |of: &'a LayoutBox, dx: f64, dy: f64, times: f64| Step::Box {
        of,
        x: x + dx * scale,
        y: y + dy * scale,
        scale: scale * times,
    };
    match &of.content {
        BoxContent::HBox(children) => {
            let mut at = 0.0;
            for child in children {
                out.push(put(child, at, 0.0, 1.0));
                at += child.width;
            }
        }
        BoxContent::VBox(children) => {
            let mut at = of.height;
            for child in children {
                match &child.kind {
                    VBoxChildKind::Box(inner) => {
                        at -= inner.height;
                        out.push(put(inner, child.shift, at, 1.0));
                        at -= inner.depth;
                    }
                    VBoxChildKind::Kern(kern) => at -= kern,
                }
            }
        }
        BoxContent::Glyph { font_id, char_code } => {
            let shape = Shape::Glyph(upright(*font_id, *char_code), *char_code);
            out.push(Step::Ink(Ink { shape, x, y, scale, colour: of.color, own: false }));
        }
        BoxContent::GlyphRun { glyphs } => {
            for glyph in glyphs {
                let shape = Shape::Glyph(upright(glyph.font_id, glyph.char_code), glyph.char_code);
                out.push(Step::Ink(Ink { shape, x: x + glyph.x * scale, y, scale, colour: of.color, own: false }));
            }
        }
        BoxContent::Rule { thickness, raise } => rule(out, place, 0.0, *raise, of.width, *thickness, of.color),
        BoxContent::Fraction { numer, denom, numer_shift, denom_shift, bar_thickness, numer_scale, denom_scale } => {
            out.push(put(numer, (of.width - numer.width * numer_scale) / 2.0, *numer_shift, *numer_scale));
            if *bar_thickness > 0.0 {
                let axis = ratex_font::get_global_metrics(0).axis_height;
                rule(out, place, 0.0, axis - bar_thickness / 2.0, of.width, *bar_thickness, of.color);
            }
            out.push(put(denom, (of.width - denom.width * denom_scale) / 2.0, -denom_shift, *denom_scale));
        }
        BoxContent::SupSub {
            base,
            sup,
            sub,
            sup_shift,
            sub_shift,
            sup_scale,
            sub_scale,
            center_scripts,
            italic_correction,
            sub_h_kern,
        } => {
            let left = if *center_scripts { (of.width - base.width) / 2.0 } else { 0.0 };
            let beside = |script: &LayoutBox, times: f64, kern: f64| {
                if *center_scripts { (of.width - script.width * times) / 2.0 } else { left + base.width + kern }
            };
            let above =
                sup.as_ref().map(|sup| put(sup, beside(sup, *sup_scale, *italic_correction), *sup_shift, *sup_scale));
            let base = put(base, left, 0.0, 1.0);
            if *center_scripts {
                // What stands above a brace is an upper limit in TeX, and those are written first.
                out.extend(above);
                out.push(base);
            } else {
                out.push(base);
                out.extend(above);
            }
            if let Some(sub) = sub {
                out.push(put(sub, beside(sub, *sub_scale, *sub_h_kern), -sub_shift, *sub_scale));
            }
        }
        BoxContent::Radical { body, index, index_offset, index_scale, rule_thickness, inner_height } => {
            let sign = of.width - index_offset - body.width;
            if let Some(index) = index {
                // KaTeX's root: 5 mu to the right of the sign's left edge, raised by 0.6 of height less depth.
                out.push(put(index, index_offset + 5.0 / 18.0, 0.6 * (of.height - of.depth), *index_scale));
            }
            let font = ratex_layout::surd::surd_font_for_inner_height(*inner_height);
            let tall =
                ratex_font::get_char_metrics(font, SURD).map_or(of.height - rule_thickness, |metrics| metrics.height);
            let up = of.height - rule_thickness - tall;
            let top = of.height - rule_thickness;
            let mut sign_part = |code: u32, right: f64, up: f64| {
                out.push(Step::Ink(Ink {
                    shape: Shape::Glyph(font, code),
                    x: x + right * scale,
                    y: y + up * scale,
                    scale,
                    colour: of.color,
                    own: false,
                }));
            };
            let needed = top + body.depth;
            if font == FontId::Size4Regular && needed > TALLEST_SURD {
                let repeated = ((needed - SURD_TOP - SURD_BOTTOM) / SURD_TOP).ceil().max(0.0);
                let left = index_offset + sign - SURD_PARTS_WIDTH;
                for part in 0..=repeated as usize {
                    let code = if part == 0 { SURD_TIP } else { SURD_STEM };
                    sign_part(code, left, top - SURD_TOP * (part + 1) as f64 + SURD_PART_FOOT);
                }
                sign_part(SURD_FOOT, left, top - SURD_TOP * (repeated + 1.0) - SURD_FOOT_HEIGHT);
            } else {
                sign_part(SURD, *index_offset, up);
            }
            rule(out, place, index_offset + sign, up + tall - rule_thickness, body.width, *rule_thickness, of.color);
            out.push(put(body, index_offset + sign, 0.0, 1.0));
        }
        BoxContent::OpLimits { base, sup, sub, base_shift, sup_kern, sub_kern, slant, sup_scale, sub_scale } => {
            if let Some(sup) = sup {
                let right = (of.width - sup.width * sup_scale) / 2.0 + slant / 2.0;
                let up = base.height - base_shift + sup_kern + sup.depth * sup_scale;
                out.push(put(sup, right, up, *sup_scale));
            }
            out.push(put(base, (of.width - base.width) / 2.0, -base_shift, 1.0));
            if let Some(sub) = sub {
                let right = (of.width - sub.width * sub_scale) / 2.0 - slant / 2.0;
                let down = base.depth + base_shift + sub_kern + sub.height * sub_scale;
                out.push(put(sub, right, -down, *sub_scale));
            }
        }
        BoxContent::Accent { base, accent, clearance, skew, is_below, under_gap_em } => {
            let middle = (base.width - accent.width) / 2.0;
            let base = put(base, 0.0, 0.0, 1.0);
            if *is_below {
                let down = of_depth(&base) + under_gap_em + accent.height;
                out.push(base);
                out.push(put(accent, middle, -down, 1.0));
            } else {
                // An accent that is drawn hangs below its own baseline, one that is a letter stands on it.
                let up = if accent.height <= 0.001 {
                    clearance + accent.depth
                } else {
                    clearance - (accent.height - 0.35_f64.min(accent.height))
                };
                out.push(put(accent, middle + skew, up, 1.0));
                out.push(base);
            }
        }
        BoxContent::LeftRight { left, right, inner } => {
            out.push(put(left, 0.0, 0.0, 1.0));
            out.push(put(inner, left.width, 0.0, 1.0));
            out.push(put(right, left.width + inner.width, 0.0, 1.0));
        }
        BoxContent::Array { .. } => array(of, place, out),
        BoxContent::SvgPath { commands, fill } => {
            let curves = if *fill { Curves::filled(commands) } else { stroked(commands, LINE) };
            out.push(curve(place, curves, of.color, false));
        }
        BoxContent::Framed { body, padding, border_thickness, has_border, bg_color, border_color } => {
            let (right, top, bottom) = (of.width, of.height, -of.depth);
            if let Some(ground) = bg_color {
                out.push(curve(place, rectangle(0.0, bottom, right, top), *ground, true));
            }
            let line = *border_thickness;
            let border = |left: f64, low: f64, to: f64, high: f64| {
                has_border.then(|| curve(place, rectangle(left, low, to, high), *border_color, true))
            };
            out.extend(border(0.0, top - line, right, top));
            out.extend(border(0.0, bottom + line, line, top - line));
            out.push(put(body, padding + border_thickness, 0.0, 1.0));
            out.extend(border(right - line, bottom + line, right, top - line));
            out.extend(border(0.0, bottom, right, bottom + line));
        }
        BoxContent::RaiseBox { body, shift } => out.push(put(body, 0.0, *shift, 1.0)),
        BoxContent::Scaled { body, child_scale } => out.push(put(body, 0.0, 0.0, *child_scale)),
        BoxContent::Angl { path_commands, body } => {
            out.push(curve(place, stroked(path_commands, LINE), of.color, false));
            out.push(put(body, 0.0, 0.0, 1.0));
        }
        BoxContent::Overline { body, rule_thickness, offset } => {
            let low = body.height + offset - rule_thickness / 2.0;
            rule(out, place, 0.0, low, of.width, *rule_thickness, of.color);
            out.push(put(body, 0.0, 0.0, 1.0));
        }
        BoxContent::Underline { body, rule_thickness, offset } => {
            out.push(put(body, 0.0, 0.0, 1.0));
            let low = -(body.depth + offset) - rule_thickness / 2.0;
            rule(out, place, 0.0, low, of.width, *rule_thickness, of.color);
        }
        BoxContent::ProofTree { children, rules } => {
            for child in children {
                out.push(put(&child.box_, child.x, of.height - child.baseline_y, 1.0));
            }
            for line in rules {
                let low = of.height - line.y - line.thickness / 2.0;
                if line.dashed {
                    dashes(out, place, line.x, low, line.width, line.thickness, of.color);
                } else {
                    rule(out, place, line.x, low, line.width, line.thickness, of.color);
                }
            }
        }
        BoxContent::Kern | BoxContent::Empty => {}
    }
}

fn of_depth(step: &Step<'_>) -> f64 {
    match step {
        Step::Box { of, .. } => of.depth,
        Step::Ink(_) => 0.0,
    }
}

/// A dashed line as one piece of ink: dashes and gaps of four times its thickness, as RaTeX's upright ones.
fn dashes(out: &mut Vec<Step<'_>>, place: &Place, left: f64, low: f64, width: f64, thickness: f64, colour: Color) {
    let dash = (4.0 * thickness).max(width / MOST_DASHES);
    let mut curves = Curves::default();
    let mut at = 0.0;
    while at < width && dash > 0.0 {
        curves.extend(&rectangle(left + at, low, left + (at + dash).min(width), low + thickness));
        at += 2.0 * dash;
    }
    out.push(curve(place, curves, colour, false));
}

/// Dashes of one line at most, however long it is.
const MOST_DASHES: f64 = 500.0;

/// Rows in order, each with the lines before it and between its cells: TeX writes an upright line row by row.
fn array<'a>(of: &'a LayoutBox, place: &Place, out: &mut Vec<Step<'a>>) {
    let BoxContent::Array {
        cells,
        col_widths,
        col_aligns,
        row_heights,
        row_depths,
        col_gaps,
        offset,
        content_x_offset,
        col_separators,
        hlines_before_row,
        rule_thickness,
        double_rule_sep,
        array_inner_width,
        tag_gap_em,
        tag_col_width,
        row_tags,
        ..
    } = &of.content
    else {
        return;
    };
    let (x, y, scale) = (place.x, place.y, place.scale);
    let put = |of: &'a LayoutBox, dx: f64, dy: f64| Step::Box { of, x: x + dx * scale, y: y + dy * scale, scale };
    let line = *rule_thickness;
    let across = |out: &mut Vec<Step<'a>>, row: usize, boundary: f64| {
        let lines = hlines_before_row.get(row).map_or(&[][..], |lines| lines);
        // Room for several lines is above the row, but for the first row, where it is within.
        let above = if row == 0 { 0.0 } else { lines.len().saturating_sub(1) as f64 * (line + double_rule_sep) };
        for (index, dashed) in lines.iter().enumerate() {
            let low = boundary + above - index as f64 * (line + double_rule_sep) - line / 2.0;
            if *dashed {
                dashes(out, place, 0.0, low, *array_inner_width, line, of.color);
            } else {
                rule(out, place, 0.0, low, *array_inner_width, line, of.color);
            }
        }
    };
    let separator_at = |boundary: usize| {
        let widths: f64 = col_widths[..boundary].iter().sum();
        let gaps: f64 = col_gaps[..boundary.saturating_sub(1).min(col_gaps.len())].iter().sum();
        if boundary == 0 {
            0.0
        } else if boundary >= col_widths.len() {
            *array_inner_width
        } else {
            content_x_offset + widths + gaps + col_gaps.get(boundary - 1).copied().unwrap_or(0.0) / 2.0
        }
    };
    let mut boundary = *offset;
    for (row, row_cells) in cells.iter().enumerate() {
        across(out, row, boundary);
        let (high, deep) = (row_heights[row], row_depths[row]);
        let baseline = boundary - high;
        let upright = |out: &mut Vec<Step<'a>>, at: usize| {
            let Some(Some(dashed)) = col_separators.get(at) else { return };
            let left = separator_at(at) - line / 2.0;
            if *dashed {
                let dash = (4.0 * line).max((high + deep) / MOST_DASHES);
                let mut curves = Curves::default();
                let mut from = 0.0;
                while from < high + deep && dash > 0.0 {
                    let to = (from + dash).min(high + deep);
                    curves.extend(&rectangle(left, boundary - to, left + line, boundary - from));
                    from += 2.0 * dash;
                }
                out.push(curve(place, curves, of.color, false));
            } else {
                rule(out, place, left, baseline - deep, line, high + deep, of.color);
            }
        };
        let mut at = *content_x_offset;
        for (column, cell) in row_cells.iter().enumerate() {
            upright(out, column);
            let width = col_widths.get(column).copied().unwrap_or(cell.width);
            let left = match col_aligns.get(column) {
                Some(b'l') => at,
                Some(b'r') => at + width - cell.width,
                _ => at + (width - cell.width) / 2.0,
            };
            out.push(put(cell, left, baseline));
            at += width + col_gaps.get(column).copied().unwrap_or(0.0);
        }
        upright(out, row_cells.len());
        if let Some(Some(tag)) = row_tags.get(row).filter(|_| *tag_col_width > 0.0) {
            out.push(put(tag, array_inner_width + tag_gap_em + tag_col_width - tag.width, baseline));
        }
        boundary = baseline - deep;
    }
    across(out, cells.len(), boundary);
}

/// The curves of a path of RaTeX, whose y points down.
impl Curves {
    /// Closed curves that are filled.
    #[must_use]
    pub fn filled(commands: &[PathCommand]) -> Self {
        let mut curves = Self::default();
        for command in commands {
            match *command {
                PathCommand::MoveTo { x, y } => curves.move_to(x, -y),
                PathCommand::LineTo { x, y } => curves.line_to(x, -y),
                PathCommand::QuadTo { x1, y1, x, y } => curves.quad_to(x1, -y1, x, -y),
                PathCommand::CubicTo { x1, y1, x2, y2, x, y } => curves.cubic_to(x1, -y1, x2, -y2, x, -y),
                PathCommand::Close => curves.close(),
            }
        }
        curves.close();
        curves
    }
}
