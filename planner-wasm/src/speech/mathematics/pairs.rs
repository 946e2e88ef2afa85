//! Where the brackets of a row are closed.

use crate::latex::Node;

/// Brackets inside of each other that are told apart; the same depth as that of groups in `latex`.
const DEEPEST: usize = 40;

/// For each item of `row` that opens a bracket without scripts, how many items on it is closed; the closing one may carry scripts.
/// Found for all of them at once: one by one, each would look through the whole rest. Pairs deeper than any that is heard are none,
/// which bounds the stack.
pub(super) fn pairs(row: &[Node]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; row.len()];
    let (mut open, mut braces) = (Vec::new(), Vec::new());
    for (index, node) in row.iter().enumerate() {
        let (sign, alone) = match node {
            Node::Scripts { base: Some(base), .. } => (&**base, false),
            node => (node, true),
        };
        match sign {
            Node::Char('(' | '[') | Node::Big('(' | '[') => {
                open.push((index, alone && open.len() + braces.len() < DEEPEST));
            }
            Node::Char('{') | Node::Big('{') => braces.push((index, alone && open.len() + braces.len() < DEEPEST)),
            Node::Char('}') | Node::Big('}') => {
                if let Some((begin, true)) = braces.pop() {
                    pairs[begin] = Some(index - begin);
                }
            }
            Node::Char(')' | ']') | Node::Big(')' | ']') => {
                if let Some((begin, true)) = open.pop() {
                    pairs[begin] = Some(index - begin);
                }
            }
            _ => {}
        }
    }
    pairs
}
