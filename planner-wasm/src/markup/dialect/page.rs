//! Lines for the tools that make pages of a document: tables of contents, imports, templates, comments, page breaks.

use super::rule::{Context, Taken, leading};
use crate::markup::source::{Rewriter, Source};

/// Lines between the two ends of a template's block.
const MOST_LINES: usize = 300;

/// `{% highlight python %}…{% endhighlight %}` and Hugo's `{{< highlight go >}}` are programs; `{% comment %}` is none of the text.
pub(super) fn liquid_block(lines: &[Source], _: &mut Context<'_>) -> Option<Taken> {
    let head = lines[0].text.trim();
    let inside = ["{%", "{{<", "{{%"].iter().find_map(|open| head.strip_prefix(open))?;
    let inside = inside.split(['%', '>']).next()?.trim_start_matches('-').trim();
    let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let ends = [format!("{{%end{name}%}}"), format!("{{{{</{name}>}}}}"), format!("{{{{%/{name}%}}}}")];
    let close = |line: &Source| {
        if !line.text.trim_start().starts_with('{') {
            return false;
        }
        let line: String = line.text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        ends.contains(&line)
    };
    let end = || lines.iter().take(MOST_LINES).position(close);
    let at = lines[0].begin();
    match name {
        "highlight" | "code" | "codeblock" => {
            let end = end()?;
            let language = rest.split_whitespace().next().unwrap_or_default().trim_matches('"');
            let mut out = vec![Source::made(format!("~~~~{language}"), at)];
            out.extend(lines[1..end].iter().cloned());
            out.push(Source::made("~~~~", at));
            Some((end + 1, out))
        }
        "katex" | "math" | "mathjax" if rest.is_empty() || rest.starts_with("display") => {
            let end = end()?;
            let mut out = vec![Source::made("~~~~math", at)];
            out.extend(lines[1..end].iter().cloned());
            out.push(Source::made("~~~~", at));
            Some((end + 1, out))
        }
        "comment" => Some((end()? + 1, Vec::new())),
        _ => None,
    }
}

/// A comment of HTML that begins a line: a speaker's note of a deck, else nothing.
pub(super) fn comment(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let begin = leading(&lines[0].text).1;
    if !lines[0].text[begin..].starts_with("<!--") {
        return None;
    }
    let from = |index: usize| if index == 0 { begin + 4 } else { 0 };
    let end = lines
        .iter()
        .enumerate()
        .find_map(|(index, line)| Some((index, from(index) + line.text[from(index)..].find("-->")?)));
    let (last, end) = end.unwrap_or((lines.len() - 1, lines.last().map_or(0, |line| line.text.len())));
    let mut out = Vec::new();
    if context.deck {
        let mut words: Vec<Source> = (0..=last)
            .map(|index| lines[index].part(from(index)..if index == last { end } else { lines[index].text.len() }))
            .collect();
        let text = words.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join("\n");
        if super::deck::is_note(&text) {
            if let Some(first) = words.iter_mut().find(|line| !line.text.trim().is_empty()) {
                let spoken = super::deck::without_label(first.text.trim());
                let skip = first.text.find(spoken).unwrap_or_default();
                *first = first.part(skip..first.text.len());
            }
            let bare = |line: Source| {
                let begin = leading(&line.text).1;
                line.part(begin..line.text.len())
            };
            let at = lines[0].begin();
            out.push(Source::made("", at));
            out.extend(words.into_iter().map(bare));
            out.push(Source::made("", at));
        }
    }
    let rest = lines[last].part((end + 3).min(lines[last].text.len())..lines[last].text.len());
    if !rest.text.trim().is_empty() {
        out.extend(context.lines(&[rest]));
    }
    Some((last + 1, out))
}

/// `%%` … `%%` over several lines.
pub(super) fn obsidian_comment(lines: &[Source], _: &mut Context<'_>) -> Option<Taken> {
    let rest = lines[0].text.trim().strip_prefix("%%")?;
    if rest.contains("%%") {
        return None;
    }
    let end = lines[1..].iter().position(|line| line.text.contains("%%"))?;
    Some((end + 2, Vec::new()))
}

/// Lines that mean something to a tool and nothing to a reader.
pub(super) fn lines_for_tools(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let line = lines[0].text.trim();
    let item = |line: &str| {
        let toc = line.trim_start_matches(['*', '-', '+', '1', '.', ' ']);
        toc.eq_ignore_ascii_case("toc") || toc.eq_ignore_ascii_case("table of contents")
    };
    if item(line) && lines.get(1).is_some_and(|next| next.text.trim().starts_with("{:")) {
        return Some((2, Vec::new()));
    }
    let drop = is_attribute_list(line)
        || is_contents(line)
        || is_command(line)
        || is_module(line)
        || is_label(line)
        || is_tags(line)
        || line == "+++"
        || line.starts_with("+++ {")
        // MyST's comments.
        || (lines[0].text.starts_with("% ") && !line.ends_with('%'))
        || (line.starts_with("::") && line.ends_with("::") && line.len() > 4 && !line.contains(' '));
    if super::fence::is_include(line) {
        let message = format!("`{line}` puts another file here, which is not read; it is left out");
        context.warn("plan.left_out", message, lines[0].begin());
        return Some((1, Vec::new()));
    }
    // What was one paragraph with it is one still.
    drop.then(|| (1, Vec::new()))
}

/// Where a table of contents is to stand.
fn is_contents(line: &str) -> bool {
    // Few lines begin so, and each is looked at.
    line.starts_with(['[', '$', '@', '{'])
        && ["[toc]", "[[toc]]", "[[_toc_]]", "${toc}", "@[toc]", "{{toc}}"].contains(&line.to_lowercase().as_str())
}

/// `{: .lead}`, `{:toc}`, `{.class}`, `{#id}` alone in a line.
fn is_attribute_list(line: &str) -> bool {
    line.starts_with('{') && line.ends_with('}') && super::inline::attributes(line) == Some(line.len())
}

/// Commands of LaTeX for a page.
fn is_command(line: &str) -> bool {
    const COMMANDS: &[&str] = &[
        "\\newpage",
        "\\pause",
        "\\pagebreak",
        "\\clearpage",
        "\\cleardoublepage",
        "\\tableofcontents",
        "\\maketitle",
        "\\noindent",
        "\\centering",
        "\\bigskip",
        "\\medskip",
        "\\smallskip",
        "\\vfill",
        "\\hfill",
        "\\listoffigures",
        "\\listoftables",
        "\\appendix",
        "\\hrule",
        "\\begin{center}",
        "\\end{center}",
        "\\begin{document}",
        "\\end{document}",
        "\\frontmatter",
        "\\mainmatter",
        "\\backmatter",
        "\\printbibliography",
    ];
    const BEGINNINGS: &[&str] = &[
        "\\vspace{",
        "\\vspace*{",
        "\\hspace{",
        "\\usepackage",
        "\\bibliography{",
        "\\setcounter{",
        "\\input{",
        "\\include{",
        "\\documentclass",
        "\\graphicspath{",
        "\\pagestyle{",
        "\\thispagestyle{",
    ];
    line.starts_with('\\') && (COMMANDS.contains(&line) || BEGINNINGS.iter().any(|command| line.starts_with(command)))
}

/// `import A from 'b';` and `export const a = …;` of MDX.
fn is_module(line: &str) -> bool {
    let quoted = |text: &str| text.contains('\'') || text.contains('"');
    let import = line.strip_prefix("import ").is_some_and(|rest| {
        quoted(rest)
            && (rest.contains(" from ") || rest.starts_with(['\'', '"']))
            && rest.trim_end_matches(';').ends_with(['\'', '"'])
    });
    let exports = ["export const ", "export default ", "export function ", "export let ", "export {"];
    import
        || (exports.iter().any(|start| line.starts_with(start))
            && (line.ends_with([';', '{', '}']) || line.contains('=')))
}

/// Lines of an import or export of MDX.
const MOST_LINES_OF_MODULE: usize = 200;

/// `import {` or `export const a = (` over several lines: up to the last bracket that it opens.
pub(super) fn module(lines: &[Source], _: &mut Context<'_>) -> Option<Taken> {
    let first = lines[0].text.trim_end();
    let import = first.starts_with("import {") && !first.contains('}');
    let export = ["export const ", "export default ", "export function "].iter().any(|start| first.starts_with(start));
    if !(import || export && first.ends_with(['{', '(', '[', '>', '='])) {
        return None;
    }
    let mut depth = 0_i64;
    for (index, line) in lines.iter().enumerate().take(MOST_LINES_OF_MODULE) {
        // What nothing closes ends before the next one.
        if index > 0 && (line.text.starts_with("export ") || line.text.starts_with("import ")) {
            return None;
        }
        for byte in line.text.bytes() {
            depth += i64::from(matches!(byte, b'{' | b'(' | b'[')) - i64::from(matches!(byte, b'}' | b')' | b']'));
        }
        if index > 0 && depth <= 0 {
            return Some((index + 1, Vec::new()));
        }
    }
    None
}

/// `{/* … */}` of MDX over several lines.
pub(super) fn remark(lines: &[Source], _: &mut Context<'_>) -> Option<Taken> {
    let rest = lines[0].text.trim().strip_prefix("{/*")?;
    if rest.contains("*/}") {
        return None;
    }
    let end = lines.iter().take(MOST_LINES).skip(1).position(|line| line.text.trim_end().ends_with("*/}"))?;
    Some((end + 2, Vec::new()))
}

/// `*[HTML]: Hypertext Markup Language`: what a page shows beside the pointer.
pub(super) fn abbreviation(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let (short, long) = lines[0].text.strip_prefix("*[")?.split_once("]:")?;
    if short.is_empty() || short.contains(['[', ']']) {
        return None;
    }
    let message = format!("`{short}` stands for `{}` where a page is pointed at; that is left out", long.trim());
    context.warn("plan.left_out", message, lines[0].begin());
    Some((1, Vec::new()))
}

/// Lines of a table of contents.
const MOST_LINES_OF_CONTENTS: usize = 60;

/// A table of contents that somebody wrote out: a list of nothing but links to headings of the same document.
pub(super) fn contents(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let entry = |line: &Source| {
        let text = line.text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let mark =
            if digits > 0 { text[digits..].strip_prefix(['.', ')']) } else { text.strip_prefix(['-', '*', '+']) };
        let link = mark.map(str::trim_start).filter(|rest| rest.starts_with('['));
        link.and_then(|link| link.split_once("](#"))
            .is_some_and(|(_, target)| target.strip_suffix(')').is_some_and(|target| !target.contains(['(', ')', ' '])))
    };
    if !entry(&lines[0]) {
        return None;
    }
    let mut length = 1;
    let mut entries = 1;
    for (index, line) in lines.iter().enumerate().take(MOST_LINES_OF_CONTENTS).skip(1) {
        if entry(line) {
            entries += 1;
            length = index + 1;
        } else if !line.text.trim().is_empty() {
            // Among other items it is one of them.
            let item = line.text.trim_start().starts_with(['-', '*', '+']) || line.text.starts_with([' ', '\t']);
            if item {
                return None;
            }
            break;
        }
    }
    if entries < 3 {
        return None;
    }
    let message = format!("a table of contents with {entries} entries is left out");
    context.warn("plan.left_out", message, lines[0].begin());
    Some((length, vec![Source::made("", lines[0].begin())]))
}

/// `(label)=` of MyST.
fn is_label(line: &str) -> bool {
    line.strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(")="))
        .is_some_and(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_:. ".contains(c)))
}

/// Nothing but tags of Obsidian.
fn is_tags(line: &str) -> bool {
    let tag = |word: &str| word.strip_prefix('#').is_some_and(super::inline::is_tag);
    !line.is_empty() && line.split_whitespace().all(tag)
}

/// Lines of words in brackets.
const MOST_LINES_OF_BRACKETS: usize = 8;

/// `[words]{.example` whose attributes go on in the lines below, as in Pandoc: what is on a page where, or where it leads, is none of the
/// film's business.
pub(super) fn long_attributes(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    const MOST_LINES: usize = 4;
    let text = lines[0].text.as_str();
    let open = text.rfind("]{")? + 1;
    if text[open..].contains('}') {
        return None;
    }
    let close = 1 + lines[1..].iter().take(MOST_LINES).position(|line| line.text.contains('}'))?;
    let after = lines[close].text.find('}')? + 1;
    let mut first = Rewriter::of(&lines[0]);
    first.copy(0..open);
    first.put("{.long}", open);
    let rest = lines[close].part(after..lines[close].text.len());
    Some((close + 1, context.lines(&[first.finish(), rest])))
}

/// `[words]{.class}` of Pandoc over several lines: one line, as the rule for it wants them.
pub(super) fn brackets(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let first = &lines[0].text;
    if !first.starts_with('[') || first.contains(']') {
        return None;
    }
    let more = lines.iter().take(MOST_LINES_OF_BRACKETS).skip(1).take_while(|line| !line.text.trim().is_empty());
    let end = 1 + more.into_iter().position(|line| line.text.contains([']', '[']))?;
    let (_, list) = lines[end].text.split_once(']')?;
    super::inline::attributes(list)?;
    let mut whole = lines[0].clone();
    for line in &lines[1..=end] {
        whole.text.push(' ');
        whole.text.push_str(line.text.trim());
    }
    Some((end + 1, super::inline::rewritten(&whole, context).into_iter().collect()))
}

/// Lines between the two ends of a tab.
const MOST_LINES_OF_TAB: usize = 400;

/// `` :begin_tab:`pytorch` `` … `:end_tab:` of d2l: a label, and what stands below it. A table of contents is for the site.
pub(super) fn d2l_tab(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let rest = lines[0].text.trim().strip_prefix(":begin_tab:")?;
    let end = lines.iter().take(MOST_LINES_OF_TAB).position(|line| line.text.trim() == ":end_tab:")?;
    let at = lines[0].begin();
    if rest == "toc" {
        context.warn("plan.left_out", "a table of contents is left out", at);
        return Some((end + 1, Vec::new()));
    }
    let mut out = vec![Source::made("", at), Source::made(format!("#### {}", rest.trim_matches('`')), at)];
    out.push(Source::made("", at));
    out.extend(context.lines(&lines[1..end]));
    out.push(Source::made("", at));
    Some((end + 1, out))
}

/// Terms and their definitions, as Pandoc, kramdown and Markdown Extra have them: a list.
pub(super) fn definitions(lines: &[Source], context: &mut Context<'_>) -> Option<Taken> {
    let meaning = |line: &Source| {
        let (columns, begin) = leading(&line.text);
        let rest = line.text[begin..].strip_prefix([':', '~'])?;
        let inside = rest.len() - rest.trim_start().len();
        (columns < 4 && inside > 0 && !rest.trim().is_empty()).then_some(begin + 1 + inside)
    };
    let is_term = |line: &Source| {
        let text = line.text.trim_start();
        let block = text.starts_with(['#', '>', '|', '-', '*', '+', '`', '~', '<', '!', ':']);
        !text.is_empty() && !block && leading(&line.text).0 < 4 && meaning(line).is_none()
    };
    let mut out: Vec<Source> = Vec::new();
    let mut at = 0;
    while lines.get(at).is_some_and(is_term) {
        let gap = usize::from(lines.get(at + 1).is_some_and(|line| line.text.trim().is_empty()));
        if lines.get(at + 1 + gap).and_then(meaning).is_none() {
            break;
        }
        let term = &lines[at];
        let begin = leading(&term.text).1;
        let mut item = term.part(begin..term.text.trim_end().len()).after("- **");
        item.text.push_str("**:");
        at += 1 + gap;
        let mut first = true;
        while let Some(begin) = lines.get(at).and_then(meaning) {
            let words = lines[at].part(begin..lines[at].text.len());
            item.text.push_str(if first { " " } else { "; " });
            first = false;
            item.text.push_str(words.text.trim_end().trim_end_matches(';'));
            at += 1;
            while lines.get(at).is_some_and(|line| {
                leading(&line.text).0 >= 2 && !line.text.trim().is_empty() && meaning(line).is_none()
            }) {
                item.text.push(' ');
                item.text.push_str(lines[at].text.trim());
                at += 1;
            }
            if lines.get(at).is_some_and(|line| line.text.trim().is_empty())
                && lines.get(at + 1).and_then(meaning).is_some()
            {
                at += 1;
            }
        }
        out.extend(super::inline::rewritten(&item, context));
        // Another term may follow after an empty line.
        let next = at + usize::from(lines.get(at).is_some_and(|line| line.text.trim().is_empty()));
        let follows = lines.get(next).is_some_and(is_term) && lines.get(next + 1).and_then(meaning).is_some();
        if follows {
            at = next;
        }
    }
    if out.is_empty() {
        return None;
    }
    let place = lines[0].begin();
    out.insert(0, Source::made("", place));
    out.push(Source::made("", place));
    Some((at, out))
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;

    #[test]
    fn what_is_for_tools_is_not_for_readers() {
        for (text, made) in [
            ("* TOC\n{:toc}\n\nA.", "A."),
            ("[TOC]\n\nA.", "A."),
            ("## Base pairs\n{: #bases .fs-6 }\n\nA.", "## Base pairs\n\nA."),
            ("{% include toc.html %}\n\nA.", "A."),
            ("{% highlight python %}\nx = {1}\n{% endhighlight %}", "~~~~python\nx = {1}\n~~~~"),
            ("{% comment %}\nB\n{% endcomment %}\nA.", "A."),
            ("\\newpage\n\nA.\n\n\\pause", "A."),
            ("--8<-- \"a.md\"\n\nA.", "A."),
            ("[From an idea\nof *mine*]{.credits list=\"no\"}\n\nA.", "From an idea of *mine*\n\nA."),
            ("[One\ntwo](a.md) {.x}", "[One\ntwo](a.md)"),
            ("\nauthor: a, b\n\nA.\n\nauthor: me", "A.\n\nauthor: me"),
            ("{{< katex >}}\nx^2\n{{< /katex >}}", "~~~~math\nx^2\n~~~~"),
            ("import {A,\n  B} from './x';\n\nA.", "A."),
            ("export const C = ({a}) => (\n  <b\n    style={{x: 1}}>\n    {a}\n  </b>\n);\n\nA.", "A."),
            ("export const x = [\n\nno end", "no end"),
            ("{/* one\ntwo */}\n\nA {/* b */}.", "A."),
            ("*[HTML]: Markup\n\nHTML.", "HTML."),
            ("+++ {\"a\": 1}\nA.", "A."),
            ("- [A](#a)\n  - [B](#b)\n- [C](#c)\n\nA.", "A."),
            ("- [A](#a)\n- [B](b.md)\n- [C](#c)", "- [A](#a)\n- [B](b.md)\n- [C](#c)"),
            ("import Tabs from '@theme/Tabs';\nexport const a = 1;\n\nA.", "A."),
            ("We import goods from 'abroad' daily.", "We import goods from 'abroad' daily."),
            ("(my-label)=\n# A", "# A"),
            ("#analysis #week3\n\nA.", "A."),
            ("<!-- more -->\n\nA.<!-- b -->", "A.<!-- b -->"),
            ("%%\nsecret\n%%\nA.", "A."),
            ("Term\n: Its definition.\n\nOther\n: One\n: Two", "- **Term**: Its definition.\n- **Other**: One; Two"),
            ("He said:\n\nwords : so", "He said:\n\nwords : so"),
            (":begin_tab:toc\n - [A](a.html)\n:end_tab:\n\nA.", "A."),
            (":begin_tab:`mxnet, jax`\nIt is *so*.\n:end_tab:\nA.", "#### mxnet, jax\n\nIt is *so*.\n\nA."),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
    }
}
