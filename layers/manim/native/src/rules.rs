//! Rules of TeX that RaTeX keeps otherwise, where programs see it: they count pieces of ink, and compare with films that a TeX set.

use formula::tree::{Slot, slots};
use ratex_font::{FontId, get_char_metrics};
use ratex_layout::layout_box::{BoxContent, LayoutBox, VBoxChildKind};
use ratex_layout::{LayoutOptions, layout};
use ratex_parser::parse_node::{AtomFamily, Measurement, Mode};
use ratex_parser::{ParseNode, Parser};
use ratex_types::math_style::MathStyle;

/// Boxes inside of each other that are looked at.
const DEEPEST: usize = 300;

/// `\fontdimen22` of `cmsy`: the axis above the baseline.
const AXIS: f64 = 0.25;
/// `\delimiterfactor` in thousandths, and `\delimitershortfall` at 10 pt.
const FACTOR: f64 = 901.0;
const SHORTFALL: f64 = 0.5;

/// Up to this height TeX has delimiters of one piece.
const SINGLE: f64 = 3.0;
/// Two ends of a delimiter of several pieces, one end, and what is repeated between: `cmex10`.
const ENDS: f64 = 3.6;
const END: f64 = 1.8;
const EXTENSION: f64 = 0.6;
/// A piece of an upright line, and how much higher RaTeX draws `\big|` to `\Bigg|`.
const LINE: f64 = 0.6;
const SIZED: f64 = 1.2;

/// How far below the top of what is high a superscript stands, in all sizes.
const DROP: std::ops::RangeInclusive<f64> = 0.1..=0.4;

/// How deep letters are at 10 pt, and those of `cmr7` and `cmmi7` in their own em: KaTeX has one font for all sizes.
const DESCENDER: f64 = 0.194_44;
const SCRIPT_DESCENDER: f64 = 0.222_22;

/// Delimiters that RaTeX draws as curves when they are high.
const DRAWN: [&str; 12] = ["(", ")", "[", "]", r"\{", r"\}", r"\lfloor", r"\rfloor", r"\lceil", r"\rceil", "|", r"\|"];

/// Scripts at an accent over one letter are those of the letter (The TeXbook, appendix G, rule 12); `\mathop` has its scripts above and
/// below in a displayed formula; letters of `\mathrm` are a word; room beside a sign makes it no other sign.
pub fn adapt(nodes: &mut Vec<ParseNode>) {
    keep_operations(nodes);
    let mut pending: Vec<&mut ParseNode> = nodes.iter_mut().collect();
    while let Some(node) = pending.pop() {
        match node {
            ParseNode::SupSub { mode, base, sup, sub, .. } if matches!(base.as_deref(), Some(ParseNode::Accent { base, .. }) if is_letter(base)) =>
            {
                let mode = *mode;
                let scripts = ParseNode::SupSub { mode, base: None, sup: sup.take(), sub: sub.take(), loc: None };
                if let Some(accent) = base.take() {
                    *node = ParseNode::OrdGroup { mode, body: vec![*accent, scripts], semisimple: None, loc: None };
                }
            }
            ParseNode::Op { limits, always_handle_sup_sub: None, symbol: false, name: None, body: Some(_), .. } => {
                *limits = true;
            }
            ParseNode::Font { font, body, .. } => join(font, body),
            _ => {}
        }
        for slot in slots(node) {
            match slot {
                Slot::List(list) => {
                    keep_operations(list);
                    pending.extend(list.iter_mut());
                }
                Slot::One(one) | Slot::Base(one) => pending.push(one),
            }
        }
    }
}

/// Takes room beside a sign of an operation into the sign: for RaTeX it would end the formula there, and `a +\, b` have a sign of no
/// operation. In TeX room is nothing between which a sign could stand.
fn keep_operations(list: &mut Vec<ParseNode>) {
    let is_sign = |node: &ParseNode| matches!(node, ParseNode::Atom { family: AtomFamily::Bin, mode: Mode::Math, .. });
    let is_room = |node: &ParseNode| matches!(node, ParseNode::SpacingNode { .. } | ParseNode::Kern { .. });
    let other = |node: &ParseNode| !is_sign(node) && !is_room(node);
    // Where there is nothing else it has been done.
    if !list.iter().any(is_sign) || !list.iter().any(is_room) || !list.iter().any(other) {
        return;
    }
    let mut kept: Vec<ParseNode> = Vec::with_capacity(list.len());
    let mut nodes = std::mem::take(list).into_iter().peekable();
    while let Some(node) = nodes.next() {
        if !is_sign(&node) {
            kept.push(node);
            continue;
        }
        let before = kept.iter().rposition(|node| !is_room(node)).map_or(0, |at| at + 1);
        let mut body = kept.split_off(before);
        body.push(node);
        while let Some(room) = nodes.next_if(is_room) {
            body.push(room);
        }
        kept.push(ParseNode::MClass {
            mode: Mode::Math,
            mclass: "mbin".to_owned(),
            body,
            is_character_box: false,
            loc: None,
        });
    }
    *list = kept;
}

/// Sets letters side by side as TeX does within a word: with the font's kerns, and without the italic corrections between them.
fn join(font: &str, body: &mut ParseNode) {
    let (id, bold) = match font.trim_start_matches('\\') {
        "mathrm" | "rm" => (FontId::MainRegular, false),
        "mathbf" | "bf" => (FontId::MainBold, true),
        "mathsf" | "sf" => (FontId::SansSerifRegular, false),
        _ => return,
    };
    let ParseNode::OrdGroup { body, .. } = body else { return };
    let letter = |node: &ParseNode| match node {
        ParseNode::MathOrd { text, .. } | ParseNode::TextOrd { text, .. } if text.len() == 1 => text.chars().next(),
        _ => None,
    };
    let mut set = Vec::with_capacity(body.len());
    let mut nodes = std::mem::take(body).into_iter().peekable();
    while let Some(node) = nodes.next() {
        let pair = letter(&node).zip(nodes.peek().and_then(letter));
        set.push(node);
        if let Some((first, second)) = pair {
            let italic = get_char_metrics(id, u32::from(first)).map_or(0.0, |metrics| metrics.italic);
            let kern =
                if id == FontId::SansSerifRegular { 0.0 } else { crate::words::kern(first, second, bold, false) };
            if kern != italic {
                let dimension = Measurement { number: kern - italic, unit: "em".to_owned() };
                set.push(ParseNode::Kern { mode: Mode::Math, dimension, loc: None });
            }
        }
    }
    *body = set;
}

fn is_letter(node: &ParseNode) -> bool {
    let mut node = node;
    loop {
        node = match node {
            ParseNode::OrdGroup { body, .. } if body.len() == 1 => &body[0],
            ParseNode::Font { body, .. } => body,
            ParseNode::MathOrd { .. } | ParseNode::TextOrd { .. } => return true,
            _ => return false,
        };
    }
}

/// Gives the delimiters of `\left` and `\right` the heights that they have in TeX: RaTeX's are at least as high as what they are around,
/// and grow without steps.
pub fn fit_delimiters(root: &mut LayoutBox) {
    fit(root, 0, false);
}

/// Fits what is inside of a box, and the box's own size where it follows from that. Gives how much wider the box has become.
fn fit(of: &mut LayoutBox, depth: usize, inside: bool) -> f64 {
    if depth > DEEPEST {
        return 0.0;
    }
    let below = depth + 1;
    let wider = match &mut of.content {
        BoxContent::HBox(children) => {
            let (high, deep) = extent(children.iter());
            let wider = children.iter_mut().map(|child| fit(child, below, inside)).sum();
            let (higher, deeper) = extent(children.iter());
            // A box that has a size of its own keeps it.
            if same(of.height, high) {
                of.height = higher;
            }
            if same(of.depth, deep) {
                of.depth = deeper;
            }
            wider
        }
        BoxContent::LeftRight { left, right, inner } => {
            if matches!(inner.content, BoxContent::Fraction { .. }) {
                // Those of `\binom` have a height of their own.
                return fit(inner, below, inside);
            }
            let (_, drawn) = heights(inner);
            let mut wider = fit(inner, below, true);
            let (needed, _) = heights(inner);
            if let BoxContent::HBox(children) = &mut inner.content {
                for line in children.iter_mut().filter(|child| is_line(child)) {
                    if let Some(fitted) = fitted(line, needed, drawn) {
                        *line = fitted;
                    }
                }
                let lines = children.iter().filter(|child| is_line(child));
                let (high, deep) = lines
                    .fold((0.0, 0.0), |(high, deep): (f64, f64), line| (high.max(line.height), deep.max(line.depth)));
                if high > 0.0 {
                    let (own, below) = extent(children.iter().filter(|child| !is_line(child)));
                    (inner.height, inner.depth) = (own.max(high), below.max(deep));
                }
            }
            for side in [&mut *left, &mut *right] {
                if let Some(fitted) = fitted(side, needed, drawn) {
                    wider += fitted.width - side.width;
                    **side = fitted;
                }
            }
            of.height = left.height.max(right.height).max(inner.height);
            of.depth = left.depth.max(right.depth).max(inner.depth);
            wider
        }
        BoxContent::SupSub { base, sup, sub, center_scripts, sup_shift, sub_shift, .. } => {
            for script in [&mut *sup, &mut *sub].into_iter().flatten() {
                fit(script, below, inside);
            }
            let (high, deep) = (base.height, base.depth);
            let wider = fit(base, below, inside);
            // Scripts hang from the corners of what is high.
            if sup.is_some() && DROP.contains(&(high - *sup_shift)) {
                *sup_shift -= high - base.height;
                of.height -= high - base.height;
            }
            if sub.is_some() && DROP.contains(&(*sub_shift - deep + DROP.start())) {
                *sub_shift -= deep - base.depth;
                of.depth -= deep - base.depth;
            }
            if *center_scripts { 0.0 } else { wider }
        }
        BoxContent::Radical { body, .. }
        | BoxContent::Overline { body, .. }
        | BoxContent::Underline { body, .. }
        | BoxContent::Framed { body, .. }
        | BoxContent::Angl { body, .. }
        | BoxContent::Accent { base: body, .. } => fit(body, below, inside),
        BoxContent::RaiseBox { body, .. } => {
            let (high, deep) = (body.height, body.depth);
            let wider = fit(body, below, inside);
            of.height -= high - body.height;
            of.depth -= deep - body.depth;
            wider
        }
        BoxContent::Scaled { body, child_scale } => *child_scale * fit(body, below, inside),
        BoxContent::VBox(children) => {
            for child in children {
                if let VBoxChildKind::Box(child) = &mut child.kind {
                    fit(child, below, inside);
                }
            }
            0.0
        }
        BoxContent::Fraction { numer, denom, .. } => {
            fit(numer, below, inside);
            fit(denom, below, inside);
            0.0
        }
        BoxContent::OpLimits { base, sup, sub, base_shift, sup_kern, sub_kern, sup_scale, sub_scale, .. } => {
            if let Some(sup) = sup {
                let ink = base.height - *base_shift + *sup_kern + *sup_scale * (sup.height + sup.depth);
                of.height -= strut(of.height - ink);
                fit(sup, below, inside);
            }
            if let Some(sub) = sub {
                let ink = base.depth + *base_shift + *sub_kern + *sub_scale * (sub.height + sub.depth);
                of.depth -= strut(of.depth - ink);
                if *sub_scale < 1.0 && (sub.depth - DESCENDER).abs() < 1e-3 {
                    of.depth += *sub_scale * (SCRIPT_DESCENDER - DESCENDER);
                }
                fit(sub, below, inside);
            }
            fit(base, below, inside);
            0.0
        }
        BoxContent::Array { cells, .. } => {
            for cell in cells.iter_mut().flatten() {
                fit(cell, below, inside);
            }
            0.0
        }
        BoxContent::ProofTree { children, .. } => {
            for child in children {
                fit(&mut child.box_, below, inside);
            }
            0.0
        }
        BoxContent::SvgPath { .. } => {
            lower_line(of, inside);
            0.0
        }
        _ => 0.0,
    };
    of.width += wider;
    wider
}

/// Room beyond a limit that RaTeX has and TeX hasn't: two rules, in addition to what TeX has there (`\fontdimen13` of `cmex`).
fn strut(beyond: f64) -> f64 {
    match beyond {
        0.16..0.195 => 0.08,
        0.22..0.35 => 0.098,
        _ => 0.0,
    }
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// The height and depth of boxes side by side.
fn extent<'a>(boxes: impl Iterator<Item = &'a LayoutBox>) -> (f64, f64) {
    boxes.fold((0.0, 0.0), |(high, deep): (f64, f64), next| (high.max(next.height), deep.max(next.depth)))
}

/// Whether a box is one of the upright lines that RaTeX draws: of `\big|`, `\left|` or `\middle|`.
fn is_line(of: &LayoutBox) -> bool {
    matches!(of.content, BoxContent::SvgPath { .. }) && (same(of.width, 0.333) || same(of.width, 0.556))
}

/// How high a delimiter around a box must be in TeX, and how high RaTeX makes it. `\middle|` grows with them.
fn heights(inner: &LayoutBox) -> (f64, f64) {
    let (height, depth) = match &inner.content {
        BoxContent::HBox(children) if children.iter().any(is_line) => {
            extent(children.iter().filter(|child| !is_line(child)))
        }
        _ => (inner.height, inner.depth),
    };
    let reach = (height - AXIS).max(depth + AXIS);
    let needed = (reach / 500.0 * FACTOR).max(2.0 * reach - SHORTFALL);
    (needed, needed.max(height + depth))
}

/// The delimiter as TeX has it; none where it is the same already, or isn't known.
fn fitted(side: &LayoutBox, needed: f64, drawn: f64) -> Option<LayoutBox> {
    if same(needed, drawn) && drawn <= SINGLE {
        return None;
    }
    let delimiter = match &side.content {
        BoxContent::Glyph { char_code, .. } => of_code(*char_code)?,
        BoxContent::Kern | BoxContent::Empty => return None,
        _ => {
            let is_it = |known: &&&str| made(known, drawn, side).is_some_and(|made| alike(core(side), core(&made)));
            (*DRAWN.iter().find(is_it)?).to_owned()
        }
    };
    let grown = |ends: f64| ends + EXTENSION * ((needed - ends) / EXTENSION - 1e-6).ceil().max(0.0);
    let height = match delimiter.as_str() {
        _ if needed <= SINGLE => needed,
        "(" | ")" | "[" | "]" | r"\{" | r"\}" => grown(ENDS),
        r"\lfloor" | r"\rfloor" | r"\lceil" | r"\rceil" => grown(END),
        _ => needed,
    };
    made(&delimiter, height, side)
}

fn of_code(code: u32) -> Option<String> {
    let letter = char::from_u32(code)?;
    Some(match letter {
        '{' | '}' => format!("\\{letter}"),
        '⌊' => r"\lfloor".to_owned(),
        '⌋' => r"\rfloor".to_owned(),
        '⌈' => r"\lceil".to_owned(),
        '⌉' => r"\rceil".to_owned(),
        '∥' | '‖' => r"\|".to_owned(),
        '∣' => "|".to_owned(),
        '⟨' => r"\langle".to_owned(),
        '⟩' => r"\rangle".to_owned(),
        '\\' => r"\backslash".to_owned(),
        '(' | ')' | '[' | ']' | '|' | '/' => letter.to_string(),
        _ => return None,
    })
}

/// What is drawn, without the shift to the axis.
fn core(of: &LayoutBox) -> &BoxContent {
    let mut content = &of.content;
    while let BoxContent::RaiseBox { body, .. } = content {
        content = &body.content;
    }
    content
}

/// Whether two delimiters are of one kind and height.
fn alike(one: &BoxContent, other: &BoxContent) -> bool {
    use ratex_types::path_command::PathCommand as P;
    match (one, other) {
        (BoxContent::SvgPath { commands, .. }, BoxContent::SvgPath { commands: others, .. }) => {
            let near = |(x, y): (f64, f64), (a, b): (f64, f64)| (x - a).abs() < 1e-6 && (y - b).abs() < 1e-6;
            commands.len() == others.len()
                && commands.iter().zip(others).all(|pair| match pair {
                    (P::MoveTo { x, y }, P::MoveTo { x: a, y: b }) | (P::LineTo { x, y }, P::LineTo { x: a, y: b }) => {
                        near((*x, *y), (*a, *b))
                    }
                    (P::CubicTo { x, y, .. }, P::CubicTo { x: a, y: b, .. })
                    | (P::QuadTo { x, y, .. }, P::QuadTo { x: a, y: b, .. }) => near((*x, *y), (*a, *b)),
                    (P::Close, P::Close) => true,
                    _ => false,
                })
        }
        (BoxContent::Glyph { char_code, .. }, BoxContent::Glyph { char_code: other, .. }) => char_code == other,
        (BoxContent::VBox(children), BoxContent::VBox(others)) => {
            children.len() == others.len()
                && children.iter().zip(others).all(|(child, other)| match (&child.kind, &other.kind) {
                    (VBoxChildKind::Box(child), VBoxChildKind::Box(other)) => alike(core(child), core(other)),
                    (VBoxChildKind::Kern(_), VBoxChildKind::Kern(_)) => true,
                    _ => false,
                })
        }
        _ => false,
    }
}

/// RaTeX's delimiter of a height, in the colour of another one.
fn made(delimiter: &str, height: f64, like: &LayoutBox) -> Option<LayoutBox> {
    let down = height / 2.0 - AXIS;
    let source = format!(r"\left{delimiter}\rule[{:.9}em]{{0em}}{{{height:.9}em}}\right.", -down);
    let nodes = Parser::new(&source).parse().ok()?;
    let options = LayoutOptions { style: MathStyle::Display, color: like.color, ..LayoutOptions::default() };
    let mut found = layout(&nodes, &options);
    loop {
        found = match found.content {
            BoxContent::HBox(children) => children.into_iter().next()?,
            BoxContent::LeftRight { left, .. } => return Some(*left),
            _ => return None,
        };
    }
}

/// The lines of `\big|` to `\Bigg|` are two to five pieces high, as in TeX. `inside`: of `\left`, whose `\middle|` may be as high as
/// the highest of them.
fn lower_line(of: &mut LayoutBox, inside: bool) {
    let pieces = (of.height + of.depth) / LINE;
    let sizes = if inside { 2..=4 } else { 2..=5 };
    let sized = sizes.into_iter().any(|count| (f64::from(count) * SIZED - pieces).abs() < 0.01);
    if !is_line(of) || !sized {
        return;
    }
    let BoxContent::SvgPath { commands, .. } = &mut of.content else { return };
    use ratex_types::path_command::PathCommand as P;
    // Down is positive in a path.
    let lower = |y: &mut f64| *y = (*y + AXIS) / SIZED - AXIS;
    for command in commands {
        match command {
            P::MoveTo { y, .. } | P::LineTo { y, .. } => lower(y),
            P::QuadTo { y1, y, .. } => {
                lower(y1);
                lower(y);
            }
            P::CubicTo { y1, y2, y, .. } => {
                lower(y1);
                lower(y2);
                lower(y);
            }
            P::Close => {}
        }
    }
    (of.height, of.depth) = ((of.height - AXIS) / SIZED + AXIS, (of.depth + AXIS) / SIZED - AXIS);
}
