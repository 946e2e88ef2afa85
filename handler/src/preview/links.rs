//! Links of a Markdown document to files beside it that are not there. Pictures are looked for by whoever fetches them.

use std::path::Path;

use percent_encoding::percent_decode_str;
use storyboard::Place;

use super::finding::Finding;

/// The extensions of documents that have links in this form.
const MARKDOWN: &[&str] = &["md", "markdown", "mdx", "qmd", "Rmd"];
/// Links that are looked at.
const MOST: usize = 1_000;

/// What is wrong with the links of a document in that folder.
pub(super) fn missing(name: &str, text: &str, folder: &Path) -> Vec<Finding> {
    if !name.rsplit_once('.').is_some_and(|(_, extension)| MARKDOWN.contains(&extension)) {
        return Vec::new();
    }
    let mut fence = None;
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        let marks = ['`', '~'].map(|mark| start.chars().take_while(|c| *c == mark).count());
        let mark = if marks[0] >= 3 { Some(('`', marks[0])) } else { (marks[1] >= 3).then_some(('~', marks[1])) };
        match (fence, mark) {
            (None, Some(opened)) => fence = Some(opened),
            (Some((kind, length)), Some((mark, marks))) if kind == mark && marks >= length => fence = None,
            (None, None) => {
                let gone = targets(line).filter(|(_, target)| is_beside(target) && !exists(folder, target));
                findings.extend(gone.map(|(column, target)| {
                    let place = Some(Place { line: number, column });
                    let message = format!("the link leads to `{target}`, and there is no such file");
                    Finding::warning("check.link_missing", message, "Correct the link, or put the file there.", place)
                }));
            }
            _ => {}
        }
        if findings.len() >= MOST {
            break;
        }
    }
    findings
}

/// The targets of a line's links, but not of its pictures, with their columns.
fn targets(line: &str) -> impl Iterator<Item = (u32, &str)> {
    line.match_indices("](").filter_map(move |(at, _)| {
        let target = line.get(at + 2..)?.split([')', ' ']).next()?.trim_matches(['<', '>']);
        let opened = line.get(..at)?.rfind('[')?;
        let is_picture = line.get(..opened)?.ends_with('!');
        let in_code = line.get(..opened)?.matches('`').count() % 2 == 1;
        let column = u32::try_from(line.get(..opened)?.chars().count() + 1).ok()?;
        (!is_picture && !in_code).then_some((column, target))
    })
}

/// Whether a target is the name of a file beside the document or in a folder there: no address, no anchor, no path of a site. What lies
/// elsewhere is not looked for, since the document may be somebody else's, who must not learn what is there.
fn is_beside(target: &str) -> bool {
    let file = target.split(['#', '?']).next().unwrap_or_default();
    let name = file.rsplit('/').next().unwrap_or_default();
    !file.is_empty()
        && !file.starts_with(['/', '@', '{', '$', '\\'])
        && !file.contains(':')
        && !percent_decode_str(file).decode_utf8_lossy().split('/').any(|part| part == "..")
        && name.rsplit_once('.').is_some_and(|(stem, extension)| !stem.is_empty() && extension.len() <= 5)
}

fn exists(folder: &Path, target: &str) -> bool {
    let file = target.split(['#', '?']).next().unwrap_or_default();
    folder.join(&*percent_decode_str(file).decode_utf8_lossy()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_files_that_are_not_there_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a file.md"), "").unwrap();
        let text = "See [one](a%20file.md#part), [two](gone.md), [three](https://example.org/x.md), [four](#here).\n\
                    ![a picture](gone.png) and `[code](gone.c)` and é [five](notes/gone.pdf \"title\").\n\
                    ```text\n[six](gone.txt)\n```\n[seven](mailto:a@b.cd) [eight](/site/page.html) [nine](page) [ten](../gone.md) [eleven](a/%2e./gone.md)\n";
        let found = missing("lesson.md", text, folder.path());
        let places: Vec<_> = found.iter().map(|one| one.place.map(|place| (place.line, place.column))).collect();
        assert_eq!(places, [Some((1, 30)), Some((2, 51))], "{found:?}");
        assert!(found[0].message.contains("`gone.md`") && found[1].message.contains("`notes/gone.pdf`"));
        assert!(missing("plan.json", text, folder.path()).is_empty());
    }
}
