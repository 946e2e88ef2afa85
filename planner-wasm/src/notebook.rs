//! Jupyter notebooks: Markdown cells are the lesson, code cells are programs with their outputs.
//!
//! In: the JSON of a notebook. Out: its film, by way of the lesson that it is. It never runs anything.

use crate::document::position::Positions;
use crate::document::refusal;
use crate::lecture::json::{self, Kind, Value};
use crate::lesson;
use crate::markup::source::Source;
use crate::storyboard::{Refusal, Storyboard};

/// Lines of an output that are shown; nobody reads more of one.
const MOST_LINES: usize = 20;
/// No program holds as many marks.
const FENCE: &str = "~~~~~~~~";

/// Whether JSON is a notebook.
pub(crate) fn is_notebook(text: &str) -> bool {
    text.contains("\"cells\"") && text.contains("\"nbformat\"")
}

/// Makes a storyboard of a notebook.
///
/// # Errors
/// As those of a lesson; `input.json_invalid`, `input.unknown_format` for JSON that is no notebook.
pub(crate) fn plan(name: &str, text: &str) -> Result<Storyboard, Refusal> {
    let positions = Positions::of(text);
    let (root, _) = json::parse(text).map_err(|error| {
        let message = format!("the notebook is no JSON: {}", error.why);
        refusal("input.json_invalid", &message, "Mend the JSON at that place.", Some(positions.at(error.at)))
    })?;
    // Version 3 has its cells on worksheets.
    let sheets = root.get(&["worksheets"]).map(Value::items).unwrap_or_default();
    let lists = std::iter::once(&root).chain(sheets).filter_map(|sheet| sheet.get(&["cells"])?.list());
    let cells: Vec<&Value> = lists.flatten().collect();
    if cells.is_empty() {
        let message = "the notebook has no list of `cells`: notebooks are read from version 3 on";
        return Err(refusal(
            "input.unknown_format",
            message,
            "Save it in a newer format: `jupyter nbconvert --to notebook`.",
            None,
        ));
    }
    let metadata = root.get(&["metadata"]);
    let kernel = metadata.and_then(|data| data.get(&["kernelspec"])?.get(&["language"])?.text());
    let info = metadata.and_then(|data| data.get(&["languageinfo"])?.get(&["name"])?.text());
    let language = kernel.or(info).unwrap_or_else(|| "python".to_owned()).to_lowercase();
    let mut source = Source::made("", 0);
    let mut left_out = Vec::new();
    for cell in cells {
        let kind = cell.get(&["celltype"]).and_then(Value::text).unwrap_or_default();
        let hidden = cell.get(&["metadata"]).and_then(|data| data.get(&["tags"])).is_some_and(|tags| {
            tags.items()
                .iter()
                .filter_map(|tag| tag.text())
                .any(|tag| ["remove-cell", "hide-cell", "remove_cell", "hide_cell"].contains(&tag.as_str()))
        });
        let mut lines = cell.get(&["source", "input"]).map(lines).unwrap_or_default();
        if hidden || lines.iter().all(|line| line.text.trim().is_empty()) {
            continue;
        }
        match kind.as_str() {
            "markdown" => source.extend(lines),
            "heading" => {
                let level =
                    cell.get(&["level"]).and_then(Value::number).map_or(1, |level| level.clamp(1.0, 6.0) as usize);
                lines.truncate(1);
                source.extend(lines.into_iter().map(|line| line.after(&format!("{} ", "#".repeat(level)))).collect());
            }
            "code" => {
                let at = cell.at;
                source.extend(vec![Source::made(format!("{FENCE}{language}"), at)]);
                source.extend(lines);
                source.extend(vec![Source::made(FENCE, at)]);
                for output in cell.get(&["outputs"]).map(Value::items).unwrap_or_default() {
                    source.extend(shown(output, &mut left_out));
                }
            }
            // A raw cell at the beginning is a front matter, and else for a converter.
            "raw" if source.text.trim().is_empty() && lines.first().is_some_and(|line| line.text.trim() == "---") => {
                source = Source::made("", 0);
                source.extend(lines);
            }
            _ => left_out.push(("plan.left_out", "a raw cell is for a converter; it is left out".to_owned(), cell.at)),
        }
        source.extend(vec![Source::made("", cell.at)]);
    }
    lesson::of_source(name, &source, &positions, left_out)
}

/// The lines of a cell: a list of them, or one string.
fn lines(value: &Value) -> Vec<Source> {
    let parts = match &value.kind {
        Kind::List(items) => items.iter().collect(),
        _ => vec![value],
    };
    let mut out: Vec<Source> = Vec::new();
    let mut open = false;
    for part in parts {
        let Kind::Text(text) = &part.kind else { continue };
        for line in text.split_inclusive('\n') {
            let words = line.trim_end_matches(['\n', '\r']);
            match out.last_mut().filter(|_| open) {
                Some(last) => last.text.push_str(words),
                None => out.push(Source::made(words, part.at)),
            }
            open = !line.ends_with('\n');
        }
    }
    out
}

/// What a cell put out: a table, text, formulas.
fn shown(output: &Value, left_out: &mut Vec<(&'static str, String, usize)>) -> Vec<Source> {
    let at = output.at;
    let kind = output.get(&["outputtype"]).and_then(Value::text).unwrap_or_default();
    let blank = || Source::made("", at);
    let fenced = |mut lines: Vec<Source>, left_out: &mut Vec<(&'static str, String, usize)>| {
        if lines.len() > MOST_LINES {
            left_out.push((
                "plan.text_cut",
                format!("of an output of {} lines the first {MOST_LINES} are shown", lines.len()),
                at,
            ));
            lines.truncate(MOST_LINES);
        }
        let mut out = vec![blank(), Source::made(format!("{FENCE}text"), at)];
        out.extend(lines);
        out.extend([Source::made(FENCE, at), blank()]);
        out
    };
    let in_blanks = |lines: Vec<Source>| std::iter::once(blank()).chain(lines).chain([blank()]).collect::<Vec<_>>();
    match kind.as_str() {
        "stream" => {
            let error = output.get(&["name"]).and_then(Value::text).is_some_and(|name| name == "stderr");
            match output.get(&["text"]).map(lines) {
                Some(lines) if !error && lines.iter().any(|line| !line.text.trim().is_empty()) => {
                    fenced(lines, left_out)
                }
                _ => Vec::new(),
            }
        }
        "error" => {
            left_out.push(("plan.left_out", "a cell ended with an error; its trace is left out".to_owned(), at));
            Vec::new()
        }
        _ => {
            // Version 3 has the data beside the kind, by shorter names.
            let data = output.get(&["data"]).unwrap_or(output);
            let short = |mime: &'static str| match mime {
                "text/plain" => "text",
                mime => mime.split_once('/').map_or(mime, |(_, short)| short),
            };
            let of = |mime: &'static str| data.get(&[&json::plain(mime), short(mime)]).map(lines);
            let table = of("text/html").filter(|lines| lines.iter().any(|line| line.text.contains("<table")));
            if let Some(lines) = of("text/markdown").or(of("text/latex")).or(table) {
                return in_blanks(lines);
            }
            let picture = |key: &str| key.starts_with("image/") || matches!(key, "png" | "jpeg" | "svg");
            if data.entries().iter().any(|(key, _)| picture(&key.written)) {
                let message = "a picture that a cell put out is not a file beside the document; it is left out";
                left_out.push(("plan.image_not_usable", message.to_owned(), at));
                return Vec::new();
            }
            match of("text/plain") {
                Some(lines) => fenced(lines, left_out),
                None => Vec::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storyboard::{Action, ElementKind};

    #[test]
    fn cells_are_a_lesson_and_programs_with_their_outputs() {
        let notebook = r###"{"nbformat": 4, "metadata": {"kernelspec": {"language": "julia"}}, "cells": [
 {"cell_type": "markdown", "source": ["# Lines\n", "\n", "We fit $y = a x$.\n", "\n", "## Data"]},
 {"cell_type": "code", "source": "x = 1\nx", "outputs": [
   {"output_type": "stream", "name": "stdout", "text": ["one\n"]},
   {"output_type": "execute_result", "data": {"text/html": ["<table><tr><th>a</th><th>b</th></tr>\n", "<tr><td>1</td><td>2</td></tr></table>"], "text/plain": "x"}},
   {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}}]},
 {"cell_type": "markdown", "source": ["That is *it*."]}]}"###;
        let film = plan("a.ipynb", notebook).unwrap();
        assert_eq!((film.title.as_str(), film.scenes.len()), ("Lines", 2));
        assert_eq!(film.scenes[0].beats[0].narration, "We fit y equals a x.");
        let actions = film.scenes[1].beats.iter().flat_map(|beat| &beat.actions);
        let kinds: Vec<String> = actions
            .filter_map(|action| match action {
                Action::Show(element) => Some(match &element.kind {
                    ElementKind::Code(code) => format!("{} {}", code.language, code.text),
                    ElementKind::Table(table) => format!("table {}", table.rows.len()),
                    other => format!("{other:?}"),
                }),
                _ => None,
            })
            .collect();
        assert_eq!(kinds, ["julia x = 1\nx", "text one", "table 1"]);
        assert_eq!(film.scenes[1].beats.last().unwrap().narration, "That is it.");
        let warning = &film.warnings[0];
        assert_eq!((warning.code.as_str(), warning.place.unwrap().line), ("plan.image_not_usable", 6));
        let old = r##"{"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": [
 {"cell_type": "heading", "level": 1, "source": ["Old"]},
 {"cell_type": "code", "language": "python", "input": ["2 + 2"], "outputs": [{"output_type": "pyout", "text": ["4"]}]},
 {"cell_type": "markdown", "source": ["It is four."]}]}]}"##;
        let film = plan("a.ipynb", old).unwrap();
        let shown = format!("{:?}", film.scenes);
        assert!(film.title == "Old" && shown.contains("2 + 2") && shown.contains("\"4\""), "{shown}");
        assert_eq!(plan("a.ipynb", "{\"a\": 1}").unwrap_err().code, "input.unknown_format");
    }
}
