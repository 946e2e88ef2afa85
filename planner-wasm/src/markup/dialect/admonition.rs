//! Call-outs and tabs: MkDocs (`!!!`, `???`, `===`), Docusaurus, Pandoc, Quarto and MyST (`:::`), Obsidian (`> [!type] Title`).

use super::rule::{Context, Division, Taken, callout, capital, division, indented, is_callout, leading};
use crate::markup::source::Source;

/// `!!! note "Title"` and `??? note`, with a body that is indented.
fn indented_block(lines: &[Source]) -> Option<(usize, String, Vec<Source>)> {
    let line = lines[0].text.trim_end();
    let indent = leading(line).0;
    let head = line.trim_start();
    let rest = ["!!!", "???+", "???"].iter().find_map(|mark| head.strip_prefix(mark))?;
    if !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim();
    let (kind, title) = match rest.find(['"', '“']) {
        Some(open) => (rest[..open].trim(), rest[open..].trim_matches(['"', '“', '”']).to_owned()),
        None => (rest, String::new()),
    };
    let kind = kind.split_whitespace().next().unwrap_or("note");
    if !kind.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        return None;
    }
    let untitled = rest.ends_with("\"\"");
    let title = if title.is_empty() && !untitled { capital(kind) } else { title };
    let (length, body) = indented(&lines[1..], indent + 4);
    // Some indent by less.
    let (length, body) = if length == 0 { indented(&lines[1..], indent + 2) } else { (length, body) };
    Some((length + 1, title, body))
}

pub(super) fn admonition(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let (length, title, body) = indented_block(lines)?;
    let body = context.lines(&body);
    Some((length, callout(&title, body, lines[0].begin())))
}

/// `=== "Tab"`: a label, and what stands below it.
pub(super) fn tabs(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let head = lines[0].text.trim();
    let rest = head.strip_prefix("===")?.trim_start_matches(['!', '+']).trim();
    let label = rest.strip_prefix('"')?.strip_suffix('"')?;
    let indent = leading(&lines[0].text).0;
    let (length, body) = indented(&lines[1..], indent + 4);
    let at = lines[0].begin();
    let mut out = vec![Source::made("", at), Source::made(format!("#### {label}"), at), Source::made("", at)];
    out.extend(context.lines(&body));
    out.push(Source::made("", at));
    Some((length + 1, out))
}

/// Lines of a block between slashes.
const MOST_LINES: usize = 150;

/// `/// note | Title` … `///` of PyMdown; in place of the kind stand `details`, `tab`, `html` and others too.
pub(super) fn slashes(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let head = lines[0].text.trim();
    let marks = head.bytes().take_while(|byte| *byte == b'/').count();
    let info = head[marks..].strip_prefix(' ').filter(|_| marks >= 3)?;
    let (kind, title) = info.split_once('|').unwrap_or((info, ""));
    let kind = kind.trim().to_lowercase();
    if kind.is_empty() || !kind.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        return None;
    }
    let closes = |line: &Source| {
        let line = line.text.trim();
        line.len() == marks && line.bytes().all(|byte| byte == b'/')
    };
    let end = lines.iter().take(MOST_LINES).skip(1).position(closes)? + 1;
    let at = lines[0].begin();
    // Its settings are indented, and come first.
    let setting = |line: &&Source| leading(&line.text).0 >= 4 && line.text.contains(':');
    let settings = lines[1..end].iter().take_while(setting).count();
    let body = context.lines(&lines[1 + settings..end]);
    let title = title.trim();
    let out = match kind.as_str() {
        "details" | "tab" | "html" | "define" | "caption" | "figure-caption" => {
            let mut out = vec![Source::made("", at)];
            if !title.is_empty() && kind != "html" {
                out.extend([Source::made(format!("#### {title}"), at), Source::made("", at)]);
            }
            out.extend(body);
            out.push(Source::made("", at));
            out
        }
        _ => callout(if title.is_empty() { capital(&kind) } else { title.to_owned() }.as_str(), body, at),
    };
    Some((end + 1, out))
}

/// `:::note Title`, `::: {.callout-tip title="…"}`, `:::{note}`: a call-out; other divisions leave their content.
pub(super) fn colons(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let Division { info, end, length } = division(lines)?;
    if info.is_empty() {
        // What closes nothing shows nothing.
        return Some((1, Vec::new()));
    }
    let at = lines[0].begin();
    let (name, title) = named(info);
    let body = without_options(&lines[1..end.max(1)]);
    if ["content-hidden", "hidden"].contains(&name.as_str()) {
        context.warn("plan.left_out", "the document hides this part from readers; it is left out", at);
        return Some((length, Vec::new()));
    }
    if is_callout(&name) {
        // Quarto has its title as a heading inside of it.
        let first = body.iter().position(|line| !line.text.trim().is_empty());
        let heading = first.and_then(|index| {
            let text = body[index].text.trim();
            let words = text.trim_start_matches('#');
            (words.len() < text.len() && words.starts_with(' ')).then(|| (index, words.trim()))
        });
        let (title, body) = match heading {
            Some((index, words)) if title.is_empty() => (without_list(words).to_owned(), &body[index + 1..]),
            _ => (title, body),
        };
        let title = if title.is_empty() { capital(kind_of(&name)) } else { title };
        let body = context.lines(body);
        return Some((length, callout(&title, body, at)));
    }
    let body = context.lines(body);
    let mut out = vec![Source::made("", at)];
    // `{grid} 2` says how many stand side by side.
    if title.contains(char::is_alphabetic) {
        out.extend([Source::made(format!("#### {title}"), at), Source::made("", at)]);
    }
    out.extend(body);
    out.push(Source::made("", at));
    Some((length, out))
}

/// Words without the attributes after them.
fn without_list(words: &str) -> &str {
    words.split(" {").next().unwrap_or(words).trim()
}

/// What a call-out is called: `callout-tip` is a tip, and `thm` a theorem.
fn kind_of(name: &str) -> &str {
    match name.trim_start_matches("callout-") {
        "thm" => "theorem",
        "lem" => "lemma",
        "cor" => "corollary",
        "prp" => "proposition",
        "def" => "definition",
        "exm" => "example",
        "exr" => "exercise",
        "sol" => "solution",
        "rem" => "remark",
        name => name,
    }
}

/// The name and title of a division: `note Title`, `note[Title]`, `{.note title="Title"}`, `{note} Title`, `{.theorem #id name="Title"}`.
pub(super) fn named(info: &str) -> (String, String) {
    let quoted = |key: &str| {
        let (_, after) = info.split_once(&format!("{key}="))?;
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        after[1..].split_once(quote).map(|(title, _)| title.to_owned())
    };
    // What stands behind the braces may be a path, such as `./a.png`.
    let braces = info.split('}').next().unwrap_or_default();
    let attributes = info.starts_with('{')
        && (info.starts_with("{.") || info.starts_with("{#") || braces.contains('=') || braces.contains(" ."));
    if attributes {
        let inside = info.trim_start_matches('{').split('}').next().unwrap_or_default();
        let classes: Vec<&str> = inside.split_whitespace().filter_map(|word| word.strip_prefix('.')).collect();
        let of_id = inside.split_whitespace().find_map(|word| word.strip_prefix('#')?.split('-').next());
        let name = classes.iter().find(|class| is_callout(class)).or(classes.first()).copied();
        let name = name.or(of_id.filter(|id| is_callout(id))).unwrap_or_default().to_lowercase();
        let title = quoted("title").or_else(|| quoted("name")).or_else(|| quoted("caption")).unwrap_or_default();
        return (name, title);
    }
    let bare = info.trim_start_matches('{');
    let end = bare.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | ':')).unwrap_or(bare.len());
    let (name, rest) = bare.split_at(end);
    let rest = rest.trim_start_matches('}').trim();
    let title = match rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        Some((title, _)) => title,
        None => rest.split('{').next().unwrap_or_default().trim(),
    };
    (name.to_lowercase().trim_end_matches(':').to_owned(), title.trim().to_owned())
}

/// Without the options of a directive: `:label: x` lines, or what stands between two `---`.
pub(super) fn without_options(body: &[Source]) -> &[Source] {
    let option = |line: &Source| {
        let text = line.text.trim();
        text.strip_prefix(':').and_then(|rest| rest.split_once(':')).is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        })
    };
    if body.first().is_some_and(|line| line.text.trim() == "---")
        && let Some(end) = body[1..].iter().position(|line| line.text.trim() == "---")
    {
        return &body[end + 2..];
    }
    &body[body.iter().take_while(|line| option(line)).count()..]
}

/// Obsidian's `> [!theorem]- Title`; GitHub's five without a title are Markdown's own.
pub(super) fn quoted(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let head = lines[0].text.trim_start().strip_prefix('>')?.trim_start();
    let (kind, rest) = head.strip_prefix("[!")?.split_once(']')?;
    let title = rest.trim_start_matches(['-', '+']).trim();
    let github = ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"].contains(&kind.to_uppercase().as_str());
    if github && title.is_empty() && rest.is_empty() {
        return None;
    }
    let quoted = |line: &&Source| line.text.trim_start().starts_with('>');
    let body: Vec<Source> = lines[1..]
        .iter()
        .take_while(quoted)
        .map(|line| {
            let mark = line.text.find('>').unwrap_or_default() + 1;
            let space = usize::from(line.text[mark..].starts_with(' '));
            line.part(mark + space..line.text.len())
        })
        .collect();
    let length = body.len() + 1;
    let kind = kind.split('|').next().unwrap_or(kind);
    let title = if title.is_empty() { capital(&kind.to_lowercase()) } else { title.to_owned() };
    let body = context.lines(&body);
    Some((length, callout(&title, body, lines[0].begin())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;

    #[test]
    fn call_outs_of_all_dialects_are_quotations_with_titles() {
        for (text, made) in [
            (
                "!!! note \"Remember\"\n    One **same** number.\n\n    It is.\n\nAfter.",
                "> **Remember:**\n> One **same** number.\n>\n> It is.\n\nAfter.",
            ),
            ("??? tip\n    1. Take $x$.\n    2. Go.", "> **Tip:**\n>\n> 1. Take $x$.\n> 2. Go."),
            ("!!! note \"\"\n    Words.", "> Words."),
            ("=== \"Method A\"\n\n    Do it.\n\n=== \"B\"\n    Or so.", "#### Method A\n\nDo it.\n\n#### B\n\nOr so."),
            (":::info Units\nVolts.\n:::", "> **Units:**\n> Volts."),
            (":::danger[Careful]\n\nNever.\n\n:::\nAfter.", "> **Careful:**\n> Never.\n\nAfter."),
            ("::: {.callout-note}\nWords.\n:::", "> **Note:**\n> Words."),
            ("::: {.callout-tip title=\"A way\"}\nWords.\n:::", "> **A way:**\n> Words."),
            ("::: {#thm-line .theorem name=\"Line\"}\nWords.\n:::", "> **Line:**\n> Words."),
            (":::{admonition} My title\n:class: tip\nWords.\n:::", "> **My title:**\n> Words."),
            ("::: columns\n:::: column\nOne.\n::::\n:::: column\nTwo.\n::::\n:::", "One.\n\nTwo."),
            ("/// note | Some title\nWords *here*.\n///\nAfter.", "> **Some title:**\n> Words *here*.\n\nAfter."),
            ("/// details | More\n    type: warning\nWords.\n///", "#### More\n\nWords."),
            ("/// and so on", "/// and so on"),
            ("::: {.callout-warning collapse=\"true\"}\n## My title {.x}\n\nBody.\n:::", "> **My title:**\n> Body."),
            ("::: {#thm-a}\nIt holds.\n:::", "> **Theorem:**\n> It holds."),
            ("::::{grid} 2\n:::{grid-item-card} Card\nWords.\n:::\n::::", "#### Card\n\nWords."),
            ("> [!theorem] Mean value\n> Let $f$ be.\n>\n> So.", "> **Mean value:**\n> Let $f$ be.\n>\n> So."),
            ("> [!example]- Folded\n> - one", "> **Folded:**\n>\n> - one"),
            ("> [!question] Why?\n> Words.", "> **Why?**\n> Words."),
            (
                ":::{figure} ./a.png\n:alt: A cat\n:width: 50%\n\nA *sleeping* cat\n:::\nB.",
                "![A cat](./a.png \"A *sleeping* cat\")\n\nB.",
            ),
            (":::{image} a.png\n:alt: A cat\n:::", "![A cat](a.png)"),
            (":::{math}\n:label: x\na = b\n:::", "~~~~math\na = b\n~~~~"),
            (":::{code-cell} python\nx = 1\n:::", "~~~~python\nx = 1\n~~~~"),
            (":::{list-table} T\n* - A\n  - B\n* - 1\n  - 2\n:::", "T\n\n| A | B |\n| --- | --- |\n| 1 | 2 |"),
            (":::{video} a.mp4\n:::\nB.", "B."),
            (":::{figure} #cell\nWords.\n:::", "Words."),
            ("!!! note\n    !!! tip\n        Deep.", "> **Note:**\n>\n> > **Tip:**\n> > Deep."),
            ("Wow!!! note this", "Wow!!! note this"),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
    }
}
