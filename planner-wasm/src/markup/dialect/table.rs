//! Tables of Markdown whose rows have more cells than their head: Markdown would lose the cells that are too many.

use super::rule::{Context, Taken, leading};
use crate::markup::source::Source;

/// Rows of a table that are looked at.
const MOST_ROWS: usize = 300;
/// Columns of one table: a row with more is cut.
const MOST_COLUMNS: usize = 40;

/// A table with rows that are wider than its head: bars within code belong to the code, and what is too many still gets a column of its own.
pub(super) fn wide_rows(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let columns = delimiters(&lines.get(1)?.text)?;
    // A row that is indented deeper is a program.
    let row = |line: &&Source| line.text.contains('|') && leading(&line.text).0 < 4;
    if !lines[0].text.contains('|') || delimiters(&lines[0].text).is_some() || bars(&lines[0].text).count() != columns {
        return None;
    }
    let body: Vec<&Source> = lines[2..].iter().take(MOST_ROWS).take_while(row).collect();
    if body.iter().all(|line| bars(&line.text).count() <= columns) {
        return None;
    }
    let mut out = vec![lines[0].clone(), lines[1].clone()];
    let mut widest = columns;
    for line in &body {
        let count = bars(&line.text).count();
        let line = if count > columns { escaped(line) } else { (*line).clone() };
        let cells: Vec<&str> = bars(&line.text).collect();
        // Empty cells at the end are no words.
        let count = cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        if count > columns {
            let message =
                format!("a row of the table has {count} cells below a head of {columns}: the head gets empty ones");
            context.warn("plan.cannot_draw", message, line.begin());
        }
        widest = widest.max(count.min(MOST_COLUMNS));
        out.push(line);
    }
    for _ in columns..widest {
        for (line, cell) in out.iter_mut().zip([" |", " --- |"]) {
            let closed = line.text.trim_end().ends_with('|');
            line.text.truncate(line.text.trim_end().len());
            line.text.push_str(if closed { "" } else { " |" });
            line.text.push_str(cell);
        }
    }
    let rewritten = out.iter().filter_map(|line| super::inline::rewritten(line, context)).collect();
    Some((2 + body.len(), rewritten))
}

/// `+---+---+` of Pandoc, with cells of several lines between bars.
pub(super) fn grid(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let rule = |line: &str| {
        let line = line.trim();
        line.len() > 4
            && line.starts_with("+")
            && line.ends_with('+')
            && line.bytes().all(|byte| b"+-=:".contains(&byte))
    };
    if !rule(&lines[0].text) {
        return None;
    }
    let columns = lines[0].text.matches('+').count() - 1;
    let at = lines[0].begin();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = vec![String::new(); columns];
    // Up to the last rule: what follows it belongs to no row.
    let (mut headed, mut length) = (false, 1);
    for (index, line) in lines.iter().enumerate().take(MOST_ROWS).skip(1) {
        let text = line.text.trim();
        if rule(text) {
            headed |= rows.is_empty() && text.contains('=');
            rows.push(std::mem::replace(&mut row, vec![String::new(); columns]));
            length = index + 1;
        } else if text.starts_with('|') && text.ends_with('|') && bars(text).count() == columns {
            for (cell, words) in row.iter_mut().zip(bars(text)) {
                if !cell.is_empty() && !words.trim().is_empty() {
                    cell.push(' ');
                }
                cell.push_str(words.trim());
            }
        } else {
            break;
        }
    }
    if rows.is_empty() {
        return None;
    }
    Some((length, written(rows, headed, at, context)))
}

/// A simple table of Pandoc: a head, rules of dashes under each column, and rows up to an empty line.
pub(super) fn simple(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let groups = |line: &str| -> Option<Vec<usize>> {
        let fits = line.contains("---") && line.bytes().all(|byte| matches!(byte, b'-' | b' '));
        let begins = |(at, _): &(usize, &str)| at.checked_sub(1).is_none_or(|before| line.as_bytes()[before] == b' ');
        let begins: Vec<usize> = line.match_indices('-').filter(begins).map(|(at, _)| at).collect();
        let long = line.split_whitespace().all(|group| group.len() > 2);
        (fits && long && begins.len() > 1).then_some(begins)
    };
    let begins = groups(&lines.get(1)?.text)?;
    let head = &lines[0];
    if head.text.trim().is_empty() || head.text.contains('|') || groups(&head.text).is_some() {
        return None;
    }
    let cells = |line: &str| -> Vec<String> {
        // By characters, as they stand below each other.
        let letters: Vec<char> = line.chars().collect();
        let cell = |column: usize| {
            let from = if column == 0 { 0 } else { begins[column] };
            let end = begins.get(column + 1).copied().unwrap_or(letters.len()).min(letters.len());
            letters.get(from.min(end)..end).map(|letters| letters.iter().collect::<String>().trim().to_owned())
        };
        (0..begins.len()).map(|column| cell(column).unwrap_or_default()).collect()
    };
    let body = lines[2..].iter().take(MOST_ROWS).take_while(|line| !line.text.trim().is_empty()).count();
    let mut rows = vec![cells(&head.text)];
    rows.extend(lines[2..2 + body].iter().filter(|line| groups(&line.text).is_none()).map(|line| cells(&line.text)));
    (rows.len() > 1).then(|| (2 + body, written(rows, true, head.begin(), context)))
}

/// Rows as a table of Markdown.
fn written(rows: Vec<Vec<String>>, headed: bool, at: usize, context: &mut Context<'_>) -> Vec<Source> {
    let columns = rows.first().map_or(0, Vec::len);
    let line = |cells: &[String]| {
        let cells = cells.iter().map(|cell| cell.replace("\\|", "|").replace('|', "\\|"));
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut rows = rows.into_iter();
    let head = if headed { rows.next() } else { None }.unwrap_or_else(|| vec![String::new(); columns]);
    let mut out = vec![Source::made("", at), Source::made(line(&head), at)];
    out.push(Source::made(format!("|{}", " --- |".repeat(columns)), at));
    out.extend(rows.map(|row| Source::made(line(&row), at)));
    let mut out: Vec<Source> = out.iter().filter_map(|line| super::inline::rewritten(line, context)).collect();
    out.push(Source::made("", at));
    out
}

/// How many columns a line of delimiters has: `| --- | :-: |`; none of any other line.
fn delimiters(line: &str) -> Option<usize> {
    let bare = line.trim();
    let fits = bare.contains('-') && bare.contains('|') && bare.bytes().all(|byte| b"|-: \t".contains(&byte));
    fits.then(|| bars(bare).count())
}

/// The cells of a row, as Markdown parts them: at every bar that no backslash stands before.
fn bars(line: &str) -> impl Iterator<Item = &str> {
    let bare = line.trim();
    let bare = bare.strip_prefix('|').unwrap_or(bare);
    let bare = bare.strip_suffix('|').filter(|inside| !inside.ends_with('\\')).unwrap_or(bare);
    let mut before = ' ';
    bare.split(move |c| {
        let parts = c == '|' && before != '\\';
        before = c;
        parts
    })
}

/// A row whose bars within code have backslashes.
fn escaped(line: &Source) -> Source {
    let mut text = String::with_capacity(line.text.len() + 8);
    let mut code = false;
    let mut rest = line.text.as_str();
    while let Some(at) = rest.find(['`', '|']) {
        text.push_str(&rest[..at]);
        let marks = rest[at..].bytes().take_while(|byte| *byte == b'`').count();
        if marks == 0 {
            text.push_str(if code && !text.ends_with('\\') { "\\|" } else { "|" });
            rest = &rest[at + 1..];
            continue;
        }
        // Code that nothing closes is none.
        let after = &rest[at + marks..];
        code = !code && after.contains(&rest[at..at + marks]);
        text.push_str(&rest[at..at + marks]);
        rest = after;
    }
    text.push_str(rest);
    Source::made(text, line.begin())
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;

    #[test]
    fn tables_of_pandoc_are_tables() {
        for (text, made) in [
            (
                "+------+------+\n| A    | B    |\n+======+======+\n| 1 *x*| 2    |\n| more |      |\n+------+------+\n\nC",
                "| A | B |\n| --- | --- |\n| 1 *x* more | 2 |\n\nC",
            ),
            ("+---+---+\n| a | b |\n+---+---+\nC", "|  |  |\n| --- | --- |\n| a | b |\n\nC"),
            (
                " Simple   Table\n-------- -------\n 1        2\n ä        three\n\nC",
                "| Simple | Table |\n| --- | --- |\n| 1 | 2 |\n| ä | three |\n\nC",
            ),
            ("Words\n---\nA --- B", "Words\n---\nA --- B"),
            ("+ one\n+ two", "+ one\n+ two"),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
    }

    #[test]
    fn no_cell_of_a_row_is_lost() {
        for (text, made) in [
            (
                "| code | words |\n| --- | --- |\n| `a|b` | keep |\n| 1 | 2 |\n\nA.",
                "| code | words |\n| --- | --- |\n| `a\\|b` | keep |\n| 1 | 2 |\n\nA.",
            ),
            ("a | b\n--- | ---\n1 | 2 | 3", "a | b | |\n--- | --- | --- |\n1 | 2 | 3"),
            ("| a | b |\n|---|---|\n| 1 | 2 | |\n| `x` |", "| a | b |\n|---|---|\n| 1 | 2 | |\n| `x` |"),
            ("| $|x|$ | b |\n|---|---|\n| 1 \\| 2 | ==3== |", "| $|x|$ | b |\n|---|---|\n| 1 \\| 2 | *3* |"),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
    }
}
