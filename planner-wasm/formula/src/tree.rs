//! The children of a node of RaTeX's tree, in the order in which they are written.

use ratex_parser::ParseNode;
use ratex_parser::parse_node::{ArrayTag, ProofBranch};

/// A place in a node that holds other nodes.
pub enum Slot<'a> {
    /// Nodes side by side, between which a marker may be put.
    List(&'a mut Vec<ParseNode>),
    /// One node that stands for itself: a numerator, a script.
    One(&'a mut ParseNode),
    /// One node whose kind decides how the node around it is laid out: the base of a script or of an accent.
    Base(&'a mut ParseNode),
}

/// The places of `node` that hold other nodes.
pub fn slots(node: &mut ParseNode) -> Vec<Slot<'_>> {
    use ParseNode as N;
    use Slot::{Base, List, One};
    match node {
        N::OrdGroup { body, .. }
        | N::OperatorName { body, .. }
        | N::Text { body, .. }
        | N::Color { body, .. }
        | N::Styling { body, .. }
        | N::Sizing { body, .. }
        | N::LeftRight { body, .. }
        | N::Phantom { body, .. }
        | N::MClass { body, .. }
        | N::Href { body, .. }
        | N::HBox { body, .. }
        | N::Pmb { body, .. }
        | N::Html { body, .. } => vec![List(body)],
        N::Op { body: Some(body), .. } => vec![List(body)],
        N::SupSub { base, sup, sub, .. } => base
            .iter_mut()
            .map(|base| Base(base))
            .chain(sup.iter_mut().map(|sup| One(sup)))
            .chain(sub.iter_mut().map(|sub| One(sub)))
            .collect(),
        N::GenFrac { numer, denom, .. } => vec![One(numer), One(denom)],
        N::Sqrt { body, index, .. } => index.iter_mut().map(|index| One(index)).chain([One(body)]).collect(),
        N::Accent { base, .. } | N::AccentUnder { base, .. } => vec![Base(base)],
        N::HorizBrace { base, .. } => vec![One(base)],
        N::Font { body, .. } => vec![Base(body)],
        N::Overline { body, .. }
        | N::Underline { body, .. }
        | N::VPhantom { body, .. }
        | N::Smash { body, .. }
        | N::Enclose { body, .. }
        | N::Lap { body, .. }
        | N::RaiseBox { body, .. }
        | N::VCenter { body, .. } => vec![One(body)],
        N::Array { body, tags, .. } => {
            let cells = body.iter_mut().flatten().map(One);
            let tags = tags.iter_mut().flatten().filter_map(|tag| match tag {
                ArrayTag::Explicit(tag) => Some(List(tag)),
                ArrayTag::Auto(_) => None,
            });
            cells.chain(tags).collect()
        }
        N::MathChoice { display, text, script, scriptscript, .. } => {
            vec![List(display), List(text), List(script), List(scriptscript)]
        }
        N::XArrow { body, below, .. } => {
            [One(body)].into_iter().chain(below.iter_mut().map(|below| One(below))).collect()
        }
        N::Tag { body, tag, .. } => vec![List(body), List(tag)],
        N::HtmlMathMl { html, .. } => vec![List(html)],
        N::CdLabel { label, .. } => vec![One(label)],
        N::CdLabelParent { fragment, .. } => vec![One(fragment)],
        N::CdArrow { label_above, label_below, .. } => {
            label_above.iter_mut().chain(label_below.iter_mut()).map(|label| One(label)).collect()
        }
        N::ProofTree { tree, .. } => branches(tree),
        _ => Vec::new(),
    }
}

fn branches(tree: &mut ProofBranch) -> Vec<Slot<'_>> {
    let mut found: Vec<_> = tree.premises.iter_mut().flat_map(branches).collect();
    found.push(Slot::List(&mut tree.conclusion));
    found.extend(tree.left_label.iter_mut().chain(tree.right_label.iter_mut()).map(Slot::List));
    found
}
