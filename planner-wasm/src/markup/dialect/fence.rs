//! Fences that are no programs, or say how a program is shown: chunks of R Markdown and Quarto, directives of MyST, call-outs of Obsidian.

use super::admonition::{named, without_options};
use super::rule::{Context, Division, Taken, callout, capital, division, is_callout, leading};
use crate::markup::formulas;
use crate::markup::labels;
use crate::markup::source::Source;

/// Languages whose chunks are run; other names in braces are directives.
const ENGINES: &[&str] = &[
    "r",
    "python",
    "julia",
    "bash",
    "sh",
    "zsh",
    "sql",
    "stan",
    "js",
    "javascript",
    "ojs",
    "css",
    "c",
    "cpp",
    "rcpp",
    "rust",
    "go",
    "perl",
    "ruby",
    "octave",
    "matlab",
    "haskell",
    "scala",
    "java",
    "powershell",
    "awk",
    "sed",
    "dot",
    "mermaid",
    "node",
    "webr",
    "pyodide",
    "ts",
    "webr-r",
    "pyodide-python",
    "stata",
    "sas",
    "fortran",
    "asis",
    "cat",
    "html",
    "latex",
    "tikz",
    "observable",
    "shell",
    "console",
];
/// Directives that are lists for a site or a book, and hold nothing to read.
const FOR_TOOLS: &[&str] = &[
    "toctree",
    "tableofcontents",
    "contents",
    "bibliography",
    "index",
    "only",
    "glue",
    "glue:figure",
    "include",
    "literalinclude",
    "autoclass",
    "automodule",
    "raw",
    "nb-exec-table",
];

/// Fences of Obsidian and of static sites that a plug-in fills in.
const QUERIES: &[&str] = &[
    "dataview",
    "dataviewjs",
    "query",
    "tasks",
    "button",
    "excalidraw",
    "toc",
    "table-of-contents",
    "leaflet",
    "kanban",
];

/// Fences that are call-outs and no programs, by their names alone: `smart header="Why"` of javascript.info.
const CALL_OUTS: &[&str] = &["smart", "warn", "ad", "quote", "compare", "summary", "note", "tip", "info", "warning"];

/// The title of a call-out that stands in a fence of backticks, by what is behind its marks.
fn call_out(info: &str) -> Option<String> {
    let (name, options) = info.split_once(' ').unwrap_or((info, ""));
    if !CALL_OUTS.contains(&name) || !(options.is_empty() || options.contains("=\"")) {
        return None;
    }
    let value = |key: &str| {
        let (_, value) = options.split_once(key)?;
        // A title may hold quotes of its own.
        let end = value.find("\" ").or_else(|| value.rfind('"')).unwrap_or(value.len());
        Some(value[..end].replace("\\\"", "\""))
    };
    let kind = if matches!(name, "smart" | "ad" | "compare") { String::new() } else { capital(name) };
    Some(value("header=\"").or_else(|| value("author=\"")).unwrap_or(kind))
}

/// What stands in place of a fence: `lines` are all of it, and the last one closes it when `closed`.
pub(super) fn rewritten(lines: &[Source], closed: bool, context: &mut Context<'_>) -> Vec<Source> {
    let first = &lines[0].text;
    let Some(open) = first.find(['`', '~']) else { return lines.to_vec() };
    let sign = first[open..].chars().next().unwrap_or('`');
    let marks = first[open..].chars().take_while(|c| *c == sign).count();
    let info = first[open + marks..].trim().to_owned();
    let body = &lines[1..if closed { lines.len() - 1 } else { lines.len() }];
    if QUERIES.contains(&info.split([' ', '{']).next().unwrap_or_default()) {
        let message = format!("`{info}` asks a tool for what stands elsewhere; it is left out");
        context.warn("plan.left_out", message, lines[0].begin());
        return Vec::new();
    }
    if let Some(line) = body.iter().find(|line| is_include(&line.text)) {
        let message = format!("`{}` puts another file here, which is not read; it is left out", line.text.trim());
        context.warn("plan.left_out", message, line.begin());
        let kept: Vec<Source> = lines.iter().filter(|line| !is_include(&line.text)).cloned().collect();
        let empty = kept.len() < 2 + usize::from(closed)
            || kept[1..kept.len() - usize::from(closed)].iter().all(|line| line.text.trim().is_empty());
        return if empty { Vec::new() } else { rewritten(&kept, closed, context) };
    }
    if sign == '`'
        && let Some(title) = call_out(&info)
    {
        return callout(&title, of_lines(body, lines[0].begin(), context), lines[0].begin());
    }
    if let Some(kind) = info.strip_prefix("ad-") {
        return obsidian(kind, body, lines[0].begin(), context);
    }
    if !info.starts_with('{') || info.starts_with("{.") || info.starts_with("{#") || info.starts_with("{:") {
        return lines.to_vec();
    }
    let inside = info[1..].split('}').next().unwrap_or_default();
    let name = inside.split([' ', ',', '=']).next().unwrap_or_default().to_lowercase();
    if name.is_empty() || name.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return lines.to_vec();
    }
    if ENGINES.contains(&name.as_str()) && !info.contains("}:") {
        return chunk(lines, (open, marks), inside, &name, closed, context);
    }
    directive(&name, &info, body, lines[0].begin(), context)
}

/// `--8<-- "a.cpp:core"` of MkDocs, which stands for a part of another file.
pub(super) fn is_include(line: &str) -> bool {
    line.trim_start()
        .trim_start_matches(';')
        .strip_prefix("--8<--")
        .is_some_and(|rest| rest.trim().starts_with(['"', '\'']))
}

/// A chunk is shown as the program it is, unless it says that it is not to be seen.
fn chunk(
    lines: &[Source],
    (open, marks): (usize, usize),
    options: &str,
    name: &str,
    closed: bool,
    context: &mut Context<'_>,
) -> Vec<Source> {
    let bare: String = options.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let mut hidden = ["INCLUDE=FALSE", "INCLUDE=F,", "ECHO=FALSE", "ECHO=F,"]
        .iter()
        .any(|option| format!("{bare},").contains(option));
    let mut out = vec![Source::made(format!("{}{}", &lines[0].text[..open + marks], name), lines[0].begin())];
    for line in &lines[1..] {
        let option = ["#|", "//|", "--|", "%%|"].iter().find_map(|mark| line.text.trim_start().strip_prefix(mark));
        match option {
            Some(option) => {
                let bare: String = option.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
                hidden |= matches!(bare.as_str(), "include:false" | "echo:false");
            }
            None => out.push(line.clone()),
        }
    }
    if hidden {
        context.warn(
            "plan.left_out",
            "the document hides this program from readers; it is not shown",
            lines[0].begin(),
        );
        return Vec::new();
    }
    // A chunk of options alone has nothing to show.
    let body = &out[1..if closed { out.len() - 1 } else { out.len() }];
    if body.iter().all(|line| line.text.trim().is_empty()) { Vec::new() } else { out }
}

/// `:::{figure} a.png` of MyST: directives between colons that are the same as in a fence. Others are divisions.
pub(super) fn between_colons(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    const SAME: &[&str] = &[
        "figure",
        "image",
        "figure-md",
        "math",
        "list-table",
        "csv-table",
        "code-cell",
        "code-block",
        "code",
        "sourcecode",
        "mermaid",
        "video",
        "youtube",
        "iframe",
        "toctree",
        "tableofcontents",
        "bibliography",
        "include",
        "literalinclude",
        "raw",
        "glue",
    ];
    let head = lines[0].text.trim();
    let info = head.strip_prefix(":::")?.trim_start_matches(':').trim_start();
    // `{.figure}` is a class.
    if !info.strip_prefix('{')?.starts_with(char::is_alphabetic) {
        return None;
    }
    let (name, _) = named(info);
    if !SAME.contains(&name.as_str()) {
        return None;
    }
    let Division { info, end, length } = division(lines)?;
    Some((length, directive(&name, info, &lines[1..end.max(1)], lines[0].begin(), context)))
}

fn directive(name: &str, info: &str, body: &[Source], at: usize, context: &mut Context<'_>) -> Vec<Source> {
    let (_, title) = named(info);
    let indent = body.iter().filter(|line| !line.text.trim().is_empty()).map(|line| leading(&line.text).1).min();
    let indent = indent.unwrap_or_default();
    let body: Vec<Source> = body.iter().map(|line| line.part(indent.min(line.text.len())..line.text.len())).collect();
    let label =
        body.iter().find_map(|line| line.text.strip_prefix(":label:")).map(|label| labels::option(label).to_owned());
    let value = |key: &str| {
        let option =
            body.iter().take_while(|line| line.text.starts_with(':')).find_map(|line| line.text.strip_prefix(key));
        option.map(|value| value.trim().replace(['[', ']'], ""))
    };
    let alt = value(":alt:");
    let body = without_options(&body);
    let kind = name.rsplit(':').next().unwrap_or(name).trim_start_matches("prf-");
    let text = |context: &mut Context<'_>| of_lines(body, at, context);
    match kind {
        "code-block" | "code-cell" | "code" | "sourcecode" | "highlight" | "exec" | "jupyter-execute" | "ipython" => {
            let language = title.split_whitespace().next().unwrap_or_default();
            let language = language.replace("ipython3", "python");
            fenced(&language, body, at)
        }
        "math" => {
            let label = label.filter(|label| context.formulas.definitions.numbered(label).is_some());
            let label = label.map(|label| Source::made(format!("\\label{{{label}}}"), at));
            let body: Vec<Source> = body.iter().cloned().chain(label).collect();
            fenced("math", &body, at)
        }
        "list-table" => list_table(&title, body, at, context),
        "csv-table" => {
            let rows: Vec<Vec<Source>> =
                body.iter().filter(|line| !line.text.trim().is_empty()).map(cells_of).collect();
            table_of(&title, rows, at, context)
        }
        "eval-rst" => {
            context.warn("plan.left_out", "reStructuredText inside of the lesson is not read; it is left out", at);
            Vec::new()
        }
        // It names the exercise that it solves.
        "solution" => callout("Solution", text(context), at),
        "mermaid" => fenced("mermaid", body, at),
        "figure" | "image" | "figure-md" => {
            let lines = body.iter().map(|line| line.text.trim()).filter(|line| *line != "---");
            let caption = lines.collect::<Vec<_>>().join(" ");
            let caption = caption.trim().replace(['[', ']'], "");
            // What a cell put out has no file.
            if title.is_empty() || title.starts_with('#') || title.contains(' ') {
                let mut out = vec![Source::made("", at)];
                out.extend(text(context));
                context.warn(
                    "plan.image_not_usable",
                    "a figure names no file beside the document; its words are read",
                    at,
                );
                out.push(Source::made("", at));
                return out;
            }
            let picture = match alt.filter(|alt| !alt.is_empty()) {
                Some(alt) if caption.is_empty() => format!("![{alt}]({title})"),
                Some(alt) => format!("![{alt}]({title} \"{}\")", caption.replace('"', "'")),
                None => format!("![{caption}]({title})"),
            };
            vec![Source::made("", at), Source::made(picture, at), Source::made("", at)]
        }
        "video" | "youtube" | "iframe" => {
            context.warn("plan.left_out", format!("the {kind} `{title}` is not played; it is left out"), at);
            text(context)
        }
        "include" | "literalinclude" | "glue" | "figure:glue" | "autoclass" | "automodule" if !title.is_empty() => {
            let message = format!("what `{{{name}}} {title}` would bring is not in the document; it is left out");
            context.warn("plan.left_out", message, at);
            Vec::new()
        }
        _ if FOR_TOOLS.contains(&name) => Vec::new(),
        _ if is_callout(kind) => {
            let title = if title.is_empty() { capital(kind) } else { title };
            callout(&title, text(context), at)
        }
        _ => {
            let mut out = vec![Source::made("", at)];
            if !title.is_empty() && !title.contains('/') {
                out.extend([Source::made(format!("**{title}**"), at), Source::made("", at)]);
            }
            out.extend(text(context));
            out
        }
    }
}

/// `* - A` begins a row, and `  - B` the next cell of it.
fn list_table(title: &str, body: &[Source], at: usize, context: &mut Context<'_>) -> Vec<Source> {
    let mut rows: Vec<Vec<Source>> = Vec::new();
    for line in body.iter().filter(|line| !line.text.trim().is_empty()) {
        let (_, begin) = leading(&line.text);
        let bare = &line.text[begin..];
        let whole = line.text.len();
        if bare.starts_with("* -") || bare.starts_with("- -") || bare.starts_with("- *") {
            rows.push(vec![line.part((begin + 3).min(whole)..whole)]);
            continue;
        }
        let Some(row) = rows.last_mut() else { continue };
        match row.last_mut() {
            Some(cell) if !bare.starts_with(['-', '*']) => {
                cell.text.push(' ');
                cell.text.push_str(bare);
            }
            _ => row.push(line.part((begin + 1).min(whole)..whole)),
        }
    }
    table_of(title, rows, at, context)
}

/// The cells of a line of CSV; commas in quotes part nothing.
fn cells_of(line: &Source) -> Vec<Source> {
    let text = line.text.as_str();
    let (mut quoted, mut begin) = (false, 0);
    let mut cells = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                cells.push(line.part(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    cells.push(line.part(begin..text.len()));
    for cell in &mut cells {
        cell.text = cell.text.trim().trim_matches('"').to_owned();
    }
    cells
}

/// A table of Markdown, whose first row is its head, below its title.
fn table_of(title: &str, rows: Vec<Vec<Source>>, at: usize, context: &mut Context<'_>) -> Vec<Source> {
    let columns = rows.first().map_or(0, Vec::len);
    if columns == 0 {
        return Vec::new();
    }
    let mut out = vec![Source::made("", at)];
    if !title.is_empty() {
        out.extend([Source::made(title, at), Source::made("", at)]);
    }
    for (index, row) in rows.into_iter().enumerate() {
        let begin = row.first().map_or(at, Source::begin);
        let cells = row.iter().map(|cell| cell.text.trim().replace('|', "\\|"));
        let line = Source::made(format!("| {} |", cells.collect::<Vec<_>>().join(" | ")), begin);
        out.extend(super::inline::rewritten(&line, context));
        if index == 0 {
            out.push(Source::made(format!("|{}", " --- |".repeat(columns)), at));
        }
    }
    out.push(Source::made("", at));
    out
}

fn fenced(language: &str, body: &[Source], at: usize) -> Vec<Source> {
    let mut out = vec![Source::made(format!("~~~~{language}"), at)];
    out.extend(body.iter().cloned());
    out.push(Source::made("~~~~", at));
    out
}

/// The admonition plug-in: `title: …` lines, and the body.
fn obsidian(kind: &str, body: &[Source], at: usize, context: &mut Context<'_>) -> Vec<Source> {
    let mut title = capital(kind);
    let mut rest = body;
    while let Some((key, value)) = rest.first().and_then(|line| line.text.split_once(':')) {
        match key.trim() {
            "title" => title = value.trim().to_owned(),
            "collapse" | "icon" | "color" => {}
            _ => break,
        }
        rest = &rest[1..];
    }
    callout(&title, of_lines(rest, at, context), at)
}

/// The text that stands in a fence, where no formulas were looked for.
fn of_lines(body: &[Source], at: usize, context: &mut Context<'_>) -> Vec<Source> {
    let mut whole = Source::made("", at);
    whole.extend(body.to_vec());
    // Only its lines are kept while those inside of it are read.
    let lines = formulas::taken(&whole, 0, context.formulas).lines(0);
    drop(whole);
    context.lines(&lines)
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;

    #[test]
    fn chunks_are_programs_and_directives_are_what_they_say() {
        for (text, made) in [
            ("```{r setup, include=FALSE}\nlibrary(x)\n```\nA.", "A."),
            ("```{r, echo = FALSE, fig.cap=\"A\"}\nhist(x)\n```\nA.", "A."),
            ("```{r}\nmean(x)\n```", "```r\nmean(x)\n```"),
            ("```{python}\n#| label: fig-a\n#| echo: true\nx = 1\n```", "```python\nx = 1\n```"),
            ("```{python}\n#| include: false\nx = 1\n```\nA.", "A."),
            ("```{note} My title\nWords with $x$.\n```", "> **My title:**\n> Words with $x$."),
            ("```{warning}\n:class: x\nWords.\n```", "> **Warning:**\n> Words."),
            ("```{code-cell} ipython3\n:tags: [a]\nx = 1\n```", "~~~~python\nx = 1\n~~~~"),
            ("```{math}\n:label: eq\nx = 1\n```", "~~~~math\nx = 1\n~~~~"),
            ("```{figure} a/b.png\n:width: 50%\nThe caption.\n```", "![The caption.](a/b.png)"),
            ("```{figure} ./a/b.png\n---\nname: x\n---\nThe caption.\n```", "![The caption.](./a/b.png)"),
            ("```{image} a.png\n:alt: A [cat]\n```", "![A cat](a.png)"),
            ("```{toctree}\na\nb\n```\nA.", "A."),
            (
                "```{list-table} Prices\n:header-rows: 1\n\n* - Fruit\n  - Price\n* - Apple | pear\n  - 1\n    or 2\n```",
                "Prices\n\n| Fruit | Price |\n| --- | --- |\n| Apple \\| pear | 1 or 2 |",
            ),
            ("```{csv-table}\na,\"b, c\"\n1,2\n```", "| a | b, c |\n| --- | --- |\n| 1 | 2 |"),
            ("```cpp\n--8<-- \"a.cpp:core\"\n```\nA.", "A."),
            ("```cpp\nint a;\n--8<-- \"a.cpp\"\n```", "```cpp\nint a;\n```"),
            ("```dataview\nTABLE x\n```\nA.", "A."),
            ("```{solution} ex-1\n:class: x\nSolved.\n```", "> **Solution:**\n> Solved."),
            ("```{prf:theorem} Line\n:label: x\nWords.\n```", "> **Line:**\n> Words."),
            ("````{note}\n```python\nx = 1\n```\n````", "> **Note:**\n>\n> ```python\n> x = 1\n> ```"),
            ("```ad-tip\ntitle: Do it\nWords.\n```", "> **Do it:**\n> Words."),
            ("```python {1,3}\nx\n```", "```python {1,3}\nx\n```"),
            (
                "```smart header=\"About `let`\"\nWords with `x`.\n```\nA.",
                "> **About `let`:**\n> Words with `x`.\n\nA.",
            ),
            ("```warn header=\"It is `\\\"a\\\"`\"\nWords.\n```", "> **It is `\"a\"`:**\n> Words."),
            ("````warn\nOne.\n\n```js\nlet a;\n```\n````", "> **Warn:**\n> One.\n>\n> ```js\n> let a;\n> ```"),
            ("```smart\nWords.\n```", "> Words."),
            ("```info = 1\nx\n```", "```info = 1\nx\n```"),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
    }
}
