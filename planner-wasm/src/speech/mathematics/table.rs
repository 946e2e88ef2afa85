//! Matrices, cases and lines below each other.

use super::said::{Said, put, say};
use super::sign::is_dots;
use crate::latex::{Kind, Node, Row, Table};

/// Whether words stand first, which say themselves that it is a condition.
pub(super) fn begins_with_words(row: &[Node]) -> bool {
    match row.iter().find(|node| !matches!(node, Node::Space(_))) {
        Some(Node::Text(_)) => true,
        Some(Node::Group(inner)) => begins_with_words(inner),
        _ => false,
    }
}

/// Whether a cell leaves out what is in it.
pub(super) fn only_dots(cell: &Row) -> bool {
    match cell.as_slice() {
        [Node::Group(inner)] => only_dots(inner),
        [node] => is_dots(node),
        _ => false,
    }
}

pub(super) fn rows(table: &Table, out: &mut Said) {
    let (matrix, cases) = (table.kind == Kind::Matrix, table.kind == Kind::Cases);
    if matrix {
        put(out, "the matrix with rows");
    }
    for (index, row) in table.rows.iter().enumerate() {
        let begins_with_dots = row.first().is_some_and(only_dots);
        if index > 0 {
            out.text.push_str(if matrix || cases { " ," } else { " ." });
            put(out, if matrix && !begins_with_dots { "and" } else { "" });
        }
        // A row of nothing but dots is heard as one.
        let row = if begins_with_dots && row.iter().all(only_dots) { &row[..1] } else { row };
        for (cell, content) in row.iter().enumerate() {
            if cell > 0 && matrix {
                out.text.push_str(" ,");
            } else if cell > 0 && cases && !begins_with_words(content) {
                put(out, "if");
            }
            say(content, out);
        }
    }
}
