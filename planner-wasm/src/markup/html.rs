//! HTML inside of Markdown: its words stay, what they are becomes Markdown, and tags without words leave nothing.
//!
//! Attributes are read by `html5gum`, as the WHATWG's standard has them. What looks like a tag and is none, such as `vector<int>` or
//! `a<b and c>d`, is text.

use std::collections::BTreeMap;

use html5gum::{Token, Tokenizer};

use super::formulas::{Formulas, Indents, closes, fence_marks, is_private, starts_with, unmarked};
use super::source::{Remark, Rewriter, Source, near, near_end};

/// Elements that begin and end a block.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "html",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];
/// Elements within a line.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em", "font",
    "i", "ins", "kbd", "label", "mark", "meter", "nobr", "output", "q", "rp", "rt", "ruby", "s", "samp", "select",
    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var",
];
/// Elements without content.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose content is no text.
const RAW: &[&str] = &[
    "script", "style", "iframe", "object", "noscript", "template", "canvas", "svg", "video", "audio", "map",
    "textarea", "colgroup", "math",
];

/// A tag as it stands.
struct Tag<'a> {
    /// In lower case.
    name: String,
    closes: bool,
    self_closing: bool,
    source: &'a str,
    attributes: Vec<(String, String)>,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }
}

/// The source from byte `from` on without HTML; what comes before stays.
pub(super) fn rewritten(source: &Source, from: usize, formulas: &Formulas, remarks: &mut Vec<Remark>) -> Source {
    within(source, from, formulas, remarks, 0)
}

/// [`rewritten`], for what stands inside of so many elements that are read for themselves.
fn within(source: &Source, from: usize, formulas: &Formulas, remarks: &mut Vec<Remark>, depth: usize) -> Source {
    let text = source.text.as_str();
    if !text[from..].contains('<') {
        return source.clone();
    }
    let mut pass = Pass {
        text,
        tags: Tags::of(text, from),
        source,
        formulas,
        remarks,
        out: Rewriter::of(source),
        copied: 0,
        at: from,
        lists: Vec::new(),
        heading: None,
        blocks: 0,
        depth,
        indents: Indents::default(),
    };
    pass.run();
    pass.copy_to(text.len());
    pass.out.finish()
}

struct Pass<'a, 'r> {
    text: &'a str,
    tags: Tags,
    source: &'a Source,
    formulas: &'a Formulas,
    remarks: &'r mut Vec<Remark>,
    out: Rewriter<'a>,
    copied: usize,
    at: usize,
    /// The next number of each open list.
    lists: Vec<Option<usize>>,
    /// The heading that is being written: its text is one line.
    heading: Option<String>,
    /// Blocks that are open: what stands in them is not indented.
    blocks: usize,
    /// Elements around it that are read for themselves.
    depth: usize,
    /// What the lines so far say of an indented one.
    indents: Indents,
}

impl<'a> Pass<'a, '_> {
    fn copy_to(&mut self, end: usize) {
        self.out.copy(self.copied..end.max(self.copied));
        self.copied = end.max(self.copied);
    }

    /// Puts `words` in place of the next `length` bytes.
    fn replace(&mut self, words: &str, length: usize) {
        self.copy_to(self.at);
        self.out.put(words, self.at);
        self.at += length;
        self.copied = self.at;
    }

    fn run(&mut self) {
        let mut line_begins = true;
        while self.at < self.text.len() {
            if std::mem::take(&mut line_begins) && self.line_begin() {
                line_begins = true;
                continue;
            }
            let Some(next) = self.text[self.at..].find(['\n', '<', '`', '\\']) else { break };
            self.at += next;
            let rest = &self.text[self.at..];
            match rest.as_bytes()[0] {
                b'\n' => {
                    line_begins = true;
                    if self.heading.is_some() {
                        self.replace(" ", 1);
                    } else {
                        self.at += 1;
                    }
                }
                b'`' => self.at += code_span(rest),
                b'\\' => self.at += rest.chars().take(2).map(char::len_utf8).sum::<usize>(),
                _ => self.angle(rest),
            }
        }
    }

    /// A fence is copied; within a block, lines lose their indent. Whether a line was taken whole.
    fn line_begin(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let line = rest.split('\n').next().unwrap_or_default();
        if let Some(marks) = fence_marks(line) {
            let indent = line.len() - line.trim_start().len();
            // Within a block it is as far to the left as the words there.
            let indent = if self.blocks > 0 && self.lists.is_empty() { indent } else { 0 };
            let mut length = 0;
            for (index, line) in rest.split_inclusive('\n').enumerate() {
                let spaces = (line.len() - line.trim_start_matches(' ').len()).min(indent);
                if spaces > 0 {
                    self.at += length;
                    self.replace("", spaces);
                    self.at -= length + spaces;
                }
                length += line.len();
                if index > 0 && closes(line, marks) {
                    break;
                }
            }
            self.at += length;
            return true;
        }
        let indent = line.len() - line.trim_start().len();
        let shallow = indent > 0 && (self.blocks > 0 && self.lists.is_empty());
        // An indented line that begins with a tag is no program.
        let tag = indent > 0
            && line.trim_start().starts_with('<')
            && self.tag(self.at + indent, line.trim_start()).is_some()
            && self.lists.is_empty();
        let program = self.indents.is_program(line);
        if (shallow || tag) && !line.trim().is_empty() && !line.trim_start().starts_with(['-', '*', '+']) {
            self.replace("", indent);
        } else if program && self.blocks == 0 && self.lists.is_empty() && self.heading.is_none() {
            // Nothing in a program is HTML.
            self.at += (line.len() + 1).min(rest.len());
            return true;
        }
        false
    }

    fn angle(&mut self, rest: &'a str) {
        if rest.starts_with("<!--") {
            let length = rest.find("-->").map_or(rest.len(), |end| end + 3);
            return self.replace("", length);
        }
        // `![alt](<a file.png>)`
        if is_address(rest) || self.text[..self.at].ends_with("](") {
            self.at += near(rest, LONGEST_ADDRESS).find('>').map_or(1, |end| end + 1);
            return;
        }
        match self.tag(self.at, rest) {
            Some(tag) => self.element(&tag, rest),
            None => {
                let looks = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
                self.replace(if looks { "\\<" } else { "<" }, 1);
            }
        }
    }

    /// The tag that `rest` begins with, which stands at byte `at`; none of text that looks like one.
    fn tag(&self, at: usize, rest: &'a str) -> Option<Tag<'a>> {
        let inside = rest.strip_prefix('<')?;
        let closes = inside.starts_with('/');
        let inside = inside.trim_start_matches('/');
        let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':' | '.'))?;
        let written = &inside[..end];
        if !written.starts_with(|c: char| c.is_ascii_alphabetic())
            || !inside[end..].starts_with([' ', '\n', '\t', '/', '>'])
        {
            return None;
        }
        let length = tag_length(rest)?;
        let source = &rest[..length];
        let (mut attributes, mut self_closing) = (Vec::new(), source.ends_with("/>"));
        // JSX has words in braces too: `title={"Words"}`.
        let quoted = source.contains("={\"").then(|| source.replace("={\"", "=\"").replace("\"}", "\""));
        for Ok(token) in Tokenizer::new(quoted.as_deref().unwrap_or(source)) {
            if let Token::StartTag(tag) = token {
                self_closing |= tag.self_closing;
                let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                attributes.extend(tag.attributes.iter().map(|(name, value)| (word(name), word(value))));
            }
        }
        let tag = Tag { name: written.to_ascii_lowercase(), closes, self_closing, source, attributes };
        self.is_tag(&tag, written, at, rest).then_some(tag)
    }

    /// Whether it is a tag: by its name, by where it stands and by what closes it.
    fn is_tag(&self, tag: &Tag<'_>, written: &str, at: usize, rest: &str) -> bool {
        let name = tag.name.as_str();
        let before = self.text[..self.at].chars().next_back();
        let glued = before.is_some_and(|c| c.is_alphanumeric());
        let line = near_end(&self.text[..self.at], 400).rsplit('\n').next().unwrap_or_default();
        let first = line.trim_matches([' ', '\t', '>']).is_empty();
        let bare = tag.attributes.iter().any(|(_, value)| value.is_empty());
        let after = &rest[tag.source.len()..];
        let closed = || self.tags.closed(at, name).is_some_and(|(_, end)| end <= at + rest.len());
        let opened = || self.tags.opened(self.at, name).is_some();
        let known = |names: &[&str]| names.contains(&name);
        if known(VOID) {
            return match name {
                _ if tag.closes => true,
                "br" | "hr" | "wbr" => true,
                "img" => tag.attribute("src").is_some() || tag.attribute("data-src").is_some(),
                _ => first || !tag.attributes.is_empty(),
            };
        }
        if known(RAW) {
            return tag.closes || closed() || tag.self_closing;
        }
        if known(INLINE) {
            // `a<b and c>d`
            return if tag.closes { opened() } else { !(glued && bare) && (closed() || tag.self_closing) };
        }
        if known(BLOCKS) {
            return if tag.closes {
                first || opened()
            } else {
                (first && !(glued && bare)) || closed() || !tag.attributes.is_empty()
            };
        }
        if glued && !tag.closes {
            return false;
        }
        // Nobody writes a word in angle brackets with attributes.
        let valued = !bare && !tag.attributes.is_empty() && tag.source.contains('=');
        if valued || (tag.closes && self.component_opened(name)) {
            return true;
        }
        // Components of MDX, and elements of somebody's own.
        let component = written.starts_with(|c: char| c.is_ascii_uppercase()) || written.contains(['-', ':']);
        let whole = first && {
            let end = after.find('\n').unwrap_or(after.len());
            after[..end].trim_start().trim_start_matches(|c| c != '<').is_empty() && after[..end].trim().is_empty()
        };
        // `<kdb>Ctrl</kdb>`: whoever closes in one line what no browser knows has written an element.
        let in_line = |span: std::ops::Range<usize>| !self.text[span].contains('\n');
        let paired = if tag.closes {
            self.tags.opened(self.at, name).is_some_and(|begin| in_line(begin..self.at))
        } else {
            self.tags.closed(at, name).is_some_and(|(_, end)| in_line(at..end))
        };
        if paired {
            return true;
        }
        if tag.closes {
            return component && (opened() || whole);
        }
        // Icons of Slidev and MkDocs, such as `<carbon:arrow-right />`.
        let icon = tag.self_closing && written.contains([':', '-']);
        component
            && (closed()
                || icon
                || (tag.self_closing && (whole || !tag.attributes.is_empty()))
                || (whole && !tag.attributes.is_empty()))
    }

    /// Whether an element of somebody's own was opened with attributes before this place.
    fn component_opened(&self, name: &str) -> bool {
        let tag = self.tags.opened(self.at, name).map(|at| &self.text[at..self.at]);
        tag.and_then(|tag| Some(tag[..tag_length(tag)?].contains('='))).unwrap_or(false)
    }

    fn element(&mut self, tag: &Tag<'_>, rest: &'a str) {
        let length = tag.source.len();
        let name = tag.name.as_str();
        // Where its content ends, and what closes it, from the end of the tag on.
        let begin = self.at + length;
        let closing = self.tags.closed(self.at, name).filter(|_| !tag.closes);
        let closing = closing.and_then(|(inside, end)| Some((inside.checked_sub(begin)?, end.checked_sub(begin)?)));
        if RAW.contains(&name) {
            let end = closing.filter(|_| !tag.closes && !tag.self_closing);
            let length = end.map_or(length, |(_, end)| length + end);
            if !matches!(name, "script" | "style" | "template" | "noscript" | "colgroup" | "map") && !tag.closes {
                self.warn(&format!("`<{name}>` can't be shown; it is left out"));
            }
            return self.replace("", length);
        }
        // `<Figure src="a.png" />` is a component, whatever HTML has by its name.
        let pascal = rest[1..].starts_with(|c: char| c.is_ascii_uppercase())
            && rest[2..].starts_with(|c: char| c.is_ascii_lowercase());
        if pascal && tag.self_closing && BLOCKS.contains(&name) && !tag.attributes.is_empty() {
            let words = self.words_of_component(tag, true);
            return self.replace(&format!("\n\n{words}\n\n"), length);
        }
        match name {
            "img" | "hr" | "input" | "source" if tag.closes => self.replace("", length),
            "sup" | "sub" if !tag.closes => {
                if let Some((inside, end)) = closing {
                    let words = words_of(&rest[length..length + inside]);
                    // `<sub>a</sub><sup>b</sup>`, and whole sentences set small, are what they are.
                    let made = match name {
                        _ if words.chars().count() > 15 => words.clone(),
                        "sup" => super::dialect::raised(&words).into_owned(),
                        _ => super::dialect::lowered(&words).into_owned(),
                    };
                    return self.replace(&made, length + end);
                }
                self.replace("", length);
            }
            "b" | "strong" => self.mark("**", tag, closing, rest),
            "i" | "em" | "cite" | "dfn" | "var" | "mark" | "ins" | "u" => self.mark("*", tag, closing, rest),
            "s" | "strike" | "del" => self.mark("~~", tag, closing, rest),
            "code" | "kbd" | "samp" | "tt" if !tag.closes => {
                if let Some((inside, end)) = closing {
                    let words = words_of(&rest[length..length + inside]);
                    let words = self.formulas.restored(&words).into_owned();
                    let made =
                        if words.contains('`') || words.trim().is_empty() { words } else { format!("`{words}`") };
                    return self.replace(&made, length + end);
                }
                self.replace("", length);
            }
            "pre" if !tag.closes => {
                if let Some((inside, end)) = closing {
                    let content = &rest[length..length + inside];
                    let language = content
                        .split_once("language-")
                        .map(|(_, rest)| rest.split(['"', '\'', ' ', '>']).next().unwrap_or_default());
                    let words = self.formulas.restored(&words_of(content)).into_owned();
                    let words = words.trim_matches('\n').to_owned();
                    let made = format!("\n\n~~~~{}\n{words}\n~~~~\n\n", language.unwrap_or_default());
                    return self.replace(&made, length + end);
                }
                self.replace("", length);
            }
            "table" if !tag.closes => {
                let end = closing.map_or(rest.len() - length, |(_, end)| end);
                let made = table(&rest[length..length + end], self.formulas, self.depth);
                self.replace(&format!("\n\n{made}\n\n"), length + end);
            }
            "br" if self.heading.is_some() || self.is_of_one_line(rest) => {
                let after = rest[length..].len() - rest[length..].trim_start_matches(' ').len();
                self.replace(if self.text[..self.at].ends_with(' ') { "" } else { " " }, length + after);
            }
            "br" => self.replace("\n", length),
            "hr" => self.replace("\n\n---\n\n", length),
            "img" => {
                let source = tag.attribute("src").or_else(|| tag.attribute("data-src")).unwrap_or_default().to_owned();
                let alt = tag
                    .attribute("alt")
                    .or_else(|| tag.attribute("title"))
                    .unwrap_or_default()
                    .replace(['[', ']', '\n'], " ");
                let fetched = source.contains("://") || source.starts_with("//") || source.starts_with("data:");
                if fetched && alt.trim().is_empty() {
                    self.warn("a picture at an address, without words for it, is left out");
                    return self.replace("", length);
                }
                self.replace(&format!("![{alt}](<{source}>)"), length);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                if tag.closes {
                    self.heading = None;
                    self.replace("\n\n", length);
                } else {
                    let level = name[1..].parse().unwrap_or(1);
                    self.heading = closing.map(|_| name.to_owned());
                    let space = rest[length..].len() - rest[length..].trim_start().len();
                    self.replace(&format!("\n\n{} ", "#".repeat(level)), length + space);
                }
            }
            "summary" => {
                let space = rest[length..].len() - rest[length..].trim_start().len();
                self.replace(if tag.closes { "**\n\n" } else { "\n\n**" }, length + space);
            }
            "ul" | "ol" => {
                if tag.closes {
                    self.lists.pop();
                } else {
                    let start = tag.attribute("start").and_then(|start| start.parse().ok()).unwrap_or(1);
                    self.lists.push((name == "ol").then_some(start));
                }
                self.replace(if self.lists.len() <= 1 { "\n\n" } else { "" }, length);
            }
            "li" if !tag.closes => {
                let indent = "    ".repeat(self.lists.len().saturating_sub(1).min(DEEPEST_LIST));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                let space = rest[length..].len() - rest[length..].trim_start().len();
                self.replace(&format!("\n{indent}{mark}"), length + space);
            }
            "li" => {
                let space = rest[length..].len() - rest[length..].trim_start().len();
                self.replace("", length + space);
            }
            "dt" | "dd" | "td" | "th" | "tr" | "caption" | "figcaption" | "legend" => self.replace("\n\n", length),
            _ if BLOCKS.contains(&name) => {
                self.blocks = if tag.closes { self.blocks.saturating_sub(1) } else { self.blocks + 1 };
                let inside = !self.lists.is_empty() || self.heading.is_some();
                self.replace(if inside { " " } else { "\n\n" }, length);
            }
            _ if INLINE.contains(&name) || VOID.contains(&name) => self.replace("", length),
            // A component: what it says in its own words stays.
            _ => {
                if tag.closes {
                    self.blocks = self.blocks.saturating_sub(1);
                } else if closing.is_some() {
                    self.blocks += 1;
                }
                let made = if tag.closes {
                    String::new()
                } else {
                    self.words_of_component(tag, self.stands_alone(rest, length))
                };
                // One within a line is no block.
                let made = match made.as_str() {
                    "" if !self.stands_alone(rest, length) => String::new(),
                    words => format!("\n\n{words}\n\n"),
                };
                self.replace(&made, length);
            }
        }
    }

    /// What a component says in its attributes: its picture, its title, its sentences, and choices as a list. Others that read like
    /// sentences are told, and so is what a component within a line of words has.
    fn words_of_component(&mut self, tag: &Tag<'_>, alone: bool) -> String {
        const TITLES: &[&str] = &["label", "title", "heading", "name"];
        const SENTENCES: &[&str] = &[
            "question",
            "prompt",
            "text",
            "description",
            "summary",
            "content",
            "caption",
            "alt",
            "hint",
            "explanation",
        ];
        const CHOICES: &[&str] = &["choice", "option"];
        let mut parts: Vec<String> = Vec::new();
        let picture = tag.attribute("src").or_else(|| tag.attribute("image")).filter(|path| {
            let path = path.to_ascii_lowercase();
            [".png", ".jpg", ".jpeg", ".svg"].iter().any(|end| path.ends_with(end)) && !path.contains("://")
        });
        if let Some(path) = picture {
            let value = |name| tag.attribute(name).map(|words| words.replace(['[', ']', '\n'], " "));
            let caption = value("caption").or_else(|| value("title"));
            parts.push(match (value("alt"), caption) {
                (Some(alt), Some(caption)) => format!("![{alt}](<{path}> \"{}\")", caption.replace('"', "'")),
                (alt, caption) => format!("![{}](<{path}>)", alt.or(caption).unwrap_or_default()),
            });
        }
        let mut left_out = Vec::new();
        let mut list = String::new();
        for (name, value) in &tag.attributes {
            let value = value.trim();
            let known = |names: &[&str]| names.contains(&name.as_str());
            let sentence =
                value.split_whitespace().filter(|word| word.chars().all(|c| c.is_alphabetic() || ",.?!'’".contains(c)));
            let words = value.split_whitespace().collect::<Vec<_>>().join(" ").replace('<', "\\<");
            if value.is_empty()
                || value.starts_with(['{', '['])
                || !value.contains(|c: char| c.is_alphanumeric() || is_private(c))
            {
                continue;
            } else if CHOICES.iter().any(|choice| {
                name.strip_prefix(choice).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            }) {
                list.push_str(&format!("- {words}\n"));
            } else if picture.is_some() && known(&["alt", "caption", "title"]) {
                // The picture has them.
            } else if known(TITLES) && (name != "name" || words.contains(' ')) {
                parts.push(format!("**{words}**"));
            } else if known(SENTENCES) && alone {
                parts.push(words);
            } else if sentence.count() > 2 && !known(&["class", "classname", "style", "href", "d", "allow", "sizes"]) {
                left_out.push(name.as_str());
            }
        }
        for name in left_out {
            self.warn(&format!("the words in `{name}` of the component `<{}>` are left out", tag.name));
        }
        if !list.is_empty() {
            parts.push(list);
        }
        parts.join("\n\n")
    }

    /// Whether the line that goes on with `rest` is a heading or the row of a table, which end with their line.
    fn is_of_one_line(&self, rest: &str) -> bool {
        let before = near_end(&self.text[..self.at], LONGEST_ROW).rsplit('\n').next().unwrap_or_default();
        let after = near(rest, LONGEST_ROW).split('\n').next().unwrap_or_default();
        let heading = unmarked(before).trim_start_matches('#').starts_with(' ') && unmarked(before).starts_with('#');
        heading || before.contains('|') || after.contains('|')
    }

    /// Whether nothing else stands in the line of the tag of `length` bytes that `rest` begins with.
    fn stands_alone(&self, rest: &str, length: usize) -> bool {
        let before = near_end(&self.text[..self.at], 400).rsplit('\n').next().unwrap_or_default();
        let after = near(&rest[length..], 400).split('\n').next().unwrap_or_default();
        let blank = |text: &str| text.trim_matches([' ', '\t', '>']).is_empty();
        blank(before) && blank(after)
    }

    /// A mark of emphasis, which must not stand beside a space inside of it.
    fn mark(&mut self, mark: &str, tag: &Tag<'_>, closing: Option<(usize, usize)>, rest: &'a str) {
        let length = tag.source.len();
        if tag.closes {
            return self.replace("", length);
        }
        match closing {
            Some((inside, end)) => {
                let content = &rest[length..length + inside];
                let trimmed = content.trim();
                let begin = self.at + length;
                let block = content.contains("\n\n") || self.tags.block_within(begin..begin + inside);
                if trimmed.is_empty() || block || trimmed.contains('*') {
                    // What it holds is read for itself.
                    self.replace("", length);
                    return;
                }
                let (front, back) =
                    (content.len() - content.trim_start().len(), content.len() - content.trim_end().len());
                let words = words_in_line(trimmed, self.formulas, self.depth);
                let glued = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                let guard =
                    if glued(self.text[..self.at].chars().next_back()) || glued(rest[length + end..].chars().next()) {
                        super::formulas::GUARD.to_string()
                    } else {
                        String::new()
                    };
                let made = format!(
                    "{}{mark}{guard}{words}{guard}{mark}{}",
                    &content[..front],
                    &content[content.len() - back..]
                );
                self.replace(&made, length + end);
            }
            None => self.replace("", length),
        }
    }

    fn warn(&mut self, message: &str) {
        self.remarks.push(("plan.cannot_draw", message.to_owned(), self.source.origin(self.at)));
    }
}

fn code_span(rest: &str) -> usize {
    let rest = near(rest, 2_000);
    let marks = rest.bytes().take_while(|byte| *byte == b'`').count();
    let mut at = marks;
    while let Some(next) = rest[at..].find(['`', '\n']) {
        let length = rest[at + next..].bytes().take_while(|byte| *byte == b'`').count();
        at += next + length.max(1);
        if length == marks {
            return at;
        }
        if rest[at..].starts_with('\n') {
            break;
        }
    }
    marks
}

/// `<https://example.org>` and `<a@example.org>` of CommonMark.
fn is_address(rest: &str) -> bool {
    // It holds neither spaces nor brackets: a text of brackets is not read to its end for each of them.
    let ends = |c: char| matches!(c, '<' | '>') || c.is_whitespace();
    let inside = near(&rest[1..], LONGEST_ADDRESS);
    let Some(end) = inside.find(ends).filter(|end| inside[*end..].starts_with('>')) else { return false };
    let inside = &inside[..end];
    let scheme = inside.split_once(':').is_some_and(|(scheme, rest)| {
        (2..=32).contains(&scheme.len())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && rest.len() > 1
    });
    scheme || (inside.contains('@') && !inside.starts_with('@') && inside.contains('.'))
}

/// The length of the tag that `rest` begins with: up to the first `>` that no quotes are around.
fn tag_length(rest: &str) -> Option<usize> {
    let mut quote = None;
    let (mut braces, mut within) = (0_usize, 0_usize);
    for (at, byte) in rest.bytes().enumerate().skip(1).take(4_000) {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => braces += 1,
            (None, b'}') => braces = braces.saturating_sub(1),
            (None, b'>') if braces == 0 => return Some(at + 1),
            (None, b'<') if braces == 0 || within == MOST_IN_BRACES => return None,
            (None, b'<') => within += 1,
            _ => {}
        }
    }
    None
}

/// Bytes of a heading or of a table's row that are looked at around a tag.
const LONGEST_ROW: usize = 1_000;
/// Bytes of a link's target, and of a tag's name.
const LONGEST_ADDRESS: usize = 2_000;
const LONGEST_NAME: usize = 60;
/// Nobody nests elements of one name so deep, and who does is not followed.
const DEEPEST_ELEMENT: usize = 30;
/// Marks of emphasis and tables inside of each other that are read; of deeper ones the words are.
const DEEPEST: usize = 8;
/// Lists inside of each other that are indented.
const DEEPEST_LIST: usize = 20;
/// Tags in the braces of one tag.
const MOST_IN_BRACES: usize = 20;

/// Bytes of an element.
fn reach(name: &str) -> usize {
    if INLINE.contains(&name) { 2_000 } else { 20_000 }
}

/// Where the tags of a text stand. All are found at once: who looked for the end of each would read a page of tags that nothing closes
/// once for each of them.
#[derive(Default)]
struct Tags {
    /// By their names, where elements are opened.
    opened: BTreeMap<String, Vec<usize>>,
    /// By where an element is opened, where its closing tag begins and ends.
    closed: BTreeMap<usize, (usize, usize)>,
    /// Where blocks are opened.
    blocks: Vec<usize>,
}

impl Tags {
    /// Those of `text` from byte `from` on.
    fn of(text: &str, from: usize) -> Self {
        let mut tags = Self::default();
        // By name, the elements that are open, and how deep elements of their name are nested in each.
        let mut open: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for (at, _) in text[from..].match_indices('<').map(|(at, sign)| (from + at, sign)) {
            let rest = &text[at + 1..];
            let (inside, closes) = rest.strip_prefix('/').map_or((rest, false), |inside| (inside, true));
            let head = near(inside, LONGEST_NAME);
            let Some(end) = head.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':' | '.')) else {
                continue;
            };
            if end == 0 || !head[end..].starts_with(['>', ' ', '\n', '\t', '/']) {
                continue;
            }
            let name = head[..end].to_ascii_lowercase();
            if !closes {
                if BLOCKS.contains(&name.as_str()) {
                    tags.blocks.push(at);
                }
                open.entry(name.clone()).or_default().push((at, 0));
                tags.opened.entry(name).or_default().push(at);
                continue;
            }
            let Some(stack) = open.get_mut(&name) else { continue };
            let Some((begin, nested)) = stack.pop() else { continue };
            if let Some((_, around)) = stack.last_mut() {
                *around = (*around).max(nested + 1);
            }
            if let Some(end) = near(rest, LONGEST_ADDRESS).find('>').filter(|_| nested <= DEEPEST_ELEMENT) {
                tags.closed.insert(begin, (at, at + end + 2));
            }
        }
        tags
    }

    /// Where the element that is opened at byte `at` is closed: the byte of its closing tag, and the one after it.
    fn closed(&self, at: usize, name: &str) -> Option<(usize, usize)> {
        self.closed.get(&at).copied().filter(|(_, end)| end - at <= reach(name))
    }

    /// Where an element of that name was last opened before byte `at`.
    fn opened(&self, at: usize, name: &str) -> Option<usize> {
        let all = self.opened.get(name)?;
        let last = all[..all.partition_point(|begin| *begin < at)].last().copied()?;
        (at - last <= reach(name)).then_some(last)
    }

    /// Whether a block is opened in a stretch of the text.
    fn block_within(&self, range: std::ops::Range<usize>) -> bool {
        self.blocks.get(self.blocks.partition_point(|at| *at < range.start)).is_some_and(|at| *at < range.end)
    }
}

/// Where the cell `name` of a table that was opened before `text` is closed: the byte of its closing tag, and the one after it.
fn closing(text: &str, name: &str) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    // No element of a lesson is longer; a page of them that nothing closes is not searched again and again.
    let text = near(text, reach(name));
    for (at, _) in text.match_indices('<') {
        let rest = &text[at + 1..];
        let (inside, closes) = rest.strip_prefix('/').map_or((rest, false), |inside| (inside, true));
        let named = starts_with(inside, name) && inside[name.len()..].starts_with(['>', ' ', '\n', '\t', '/']);
        match (named, closes) {
            (true, false) if depth == DEEPEST_ELEMENT => return None,
            (true, false) => depth += 1,
            (true, true) if depth == 0 => return Some((at, at + rest.find('>')? + 2)),
            (true, true) => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The words of a piece of HTML, without its tags and with its entities read.
fn words_of(html: &str) -> String {
    let mut out = String::new();
    let (mut raw, mut row) = (0_usize, false);
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::String(words) if raw == 0 => out.push_str(&String::from_utf8_lossy(&words)),
            Token::StartTag(tag) => match &**tag.name {
                b"br" => out.push(' '),
                b"script" | b"style" => raw += 1,
                b"img" => {
                    let alt = tag.attributes.iter().find(|(name, _)| name.as_slice() == b"alt");
                    out.push_str(
                        &alt.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default(),
                    );
                }
                b"p" | b"div" | b"li" => {
                    if row {
                        out.push(' ');
                    }
                    row = true;
                }
                _ => {}
            },
            Token::EndTag(tag) if matches!(&**tag.name, b"script" | b"style") => raw = raw.saturating_sub(1),
            _ => {}
        }
    }
    out
}

/// The words of a cell or of an emphasis, in one line, with the marks that are theirs.
fn words_in_line(html: &str, formulas: &Formulas, depth: usize) -> String {
    if depth == DEEPEST {
        return words_of(html).split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if !html.contains('<') {
        return html.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let source = Source::of(html);
    let made = within(&source, 0, formulas, &mut Vec::new(), depth + 1);
    made.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A table of HTML as one of Markdown.
fn table(html: &str, formulas: &Formulas, depth: usize) -> String {
    let mut rows: Vec<(Vec<String>, bool)> = Vec::new();
    let mut caption = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let Some(length) = tag_length(rest) else {
            rest = &rest[1..];
            continue;
        };
        let named = |name: &str| {
            starts_with(&rest[1..], name) && rest[1 + name.len()..].starts_with(['>', ' ', '\n', '\t', '/'])
        };
        if named("tr") {
            rows.push((Vec::new(), true));
        } else if named("td") || named("th") || named("caption") {
            let name = &rest[1..if named("caption") { 8 } else { 3 }];
            let after = &rest[length..];
            // A cell that nothing closes ends where the next one begins.
            let next = after.find("<t").or_else(|| after.find("</t")).unwrap_or(after.len());
            let (inside, end) = closing(after, name).unwrap_or((next, next));
            let words = words_in_line(&after[..inside], formulas, depth).replace("\\|", "|").replace('|', "\\|");
            if name.eq_ignore_ascii_case("caption") {
                caption = words;
            } else {
                if rows.is_empty() {
                    rows.push((Vec::new(), true));
                }
                let head = name.eq_ignore_ascii_case("th");
                let tag = &rest[..length];
                let span = tag.split_once("colspan=").and_then(|(_, span)| {
                    span.trim_matches(['"', '\'']).split(['"', '\'', ' ', '>']).next()?.parse::<usize>().ok()
                });
                if let Some((cells, heads)) = rows.last_mut() {
                    *heads &= head;
                    cells.push(words);
                    cells.extend(std::iter::repeat_n(String::new(), span.unwrap_or(1).clamp(1, 40) - 1));
                }
            }
            rest = &after[end.min(after.len())..];
            continue;
        }
        rest = &rest[length..];
    }
    rows.retain(|(cells, _)| !cells.is_empty());
    // One that only places things on the page has a single cell in each row.
    let columns = rows.iter().map(|(cells, _)| cells.len()).max().unwrap_or_default();
    // What a row has not is empty anyhow: rows of one cell below one of thousands would be thousands of cells each.
    let line = |cells: &[String], columns: usize| {
        let none = std::iter::repeat_n("", columns.saturating_sub(cells.len()));
        format!("| {} |\n", cells.iter().map(String::as_str).chain(none).collect::<Vec<_>>().join(" | "))
    };
    if columns <= 1 {
        return rows.iter().flat_map(|(cells, _)| cells).map(|cell| format!("{cell}\n\n")).collect();
    }
    let mut out = if caption.is_empty() { String::new() } else { format!("{caption}\n\n") };
    let headed = rows.first().is_some_and(|(_, heads)| *heads) && rows.len() > 1;
    let none = Vec::new();
    out.push_str(&line(if headed { &rows[0].0 } else { &none }, columns));
    out.push_str(&format!("|{}\n", " --- |".repeat(columns)));
    for (cells, _) in &rows[usize::from(headed)..] {
        out.push_str(&line(cells, 0));
    }
    // Characters of formulas stay what they are.
    debug_assert!(
        out.chars().filter(|c| is_private(*c)).count()
            <= html.chars().filter(|c| is_private(*c)).count() + 2 * rows.len()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markdown(text: &str) -> String {
        let formulas = Formulas::default();
        let out = rewritten(&Source::of(text), 0, &formulas, &mut Vec::new());
        let text = formulas.restored(&out.text).into_owned();
        let mut short = String::new();
        for line in text.lines() {
            if !(line.trim().is_empty() && (short.is_empty() || short.ends_with("\n\n"))) {
                short.push_str(line.trim_end());
                short.push('\n');
            }
        }
        short.trim().to_owned()
    }

    #[test]
    fn elements_are_what_they_are() {
        for (html, made) in [
            ("6.02 × 10<sup>23</sup> of H<sub>2</sub>O, the 1<sup>st</sup>", "6.02 × 10²³ of H₂O, the 1st"),
            ("SO<sub>4</sub><sup>2-</sup>", "SO₄²⁻"),
            ("<h1 align=\"center\">Electric\ncircuits</h1>\n\nA.", "# Electric circuits\n\nA."),
            ("<p align=\"center\">\n  <img src=\"logo.png\" width=\"200\">\n</p>", "![](<logo.png>)"),
            ("<center><b>The sum is zero.</b></center>", "**The sum is zero.**"),
            ("A <img src=\"a.png\" alt=\"plot\"></img> B", "A ![plot](<a.png>) B"),
            (
                "Press <kdb>Ctrl</kdb> or <Kdb>A</Kdb>, <name> or vector<int>.",
                "Press Ctrl or A, \\<name> or vector\\<int>.",
            ),
            ("<details>\n  <summary> More of it </summary>\n\nA.\n</details>", "**More of it **\n\nA."),
            ("One.<br/>Two.", "One.\nTwo."),
            ("# A long <br> title\n\n> ## B<br/>C", "# A long title\n\n> ## B C"),
            ("| a<br>b | c |\n| --- | --- |\n| 1 | 2<br>3 |\nA", "| a b | c |\n| --- | --- |\n| 1 | 2 3 |\nA"),
            ("a | b<br>c\n--- | ---\n1<br>2 | 3", "a | b c\n--- | ---\n1 2 | 3"),
            ("<script>a < b</script>\n<style>p {}</style>\nA.", "A."),
            ("<iframe src=\"x\"></iframe>\n\nA.", "A."),
            (
                "<table>\n<tr><th>Law</th><th>Meaning</th></tr>\n<tr><td>KCL</td><td>a | <b>b</b></td></tr>\n</table>",
                "| Law | Meaning |\n| --- | --- |\n| KCL | a \\| **b** |",
            ),
            ("<table><tr><td>1<td>2</table>", "|  |  |\n| --- | --- |\n| 1 | 2 |"),
            ("<ul>\n  <li>one</li>\n  <li>two</li>\n</ul>", "- one\n- two"),
            ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
            ("<details>\n<summary>Answer</summary>\n\nIt is.\n\n</details>", "**Answer**\n\nIt is."),
            ("<pre><code class=\"language-py\">x &lt; 1\n</code></pre>", "~~~~py\nx < 1\n~~~~"),
            ("Press <kbd>Ctrl</kbd> <a href=\"x\">here</a> <em>now</em>", "Press `Ctrl` here *now*"),
            ("<Tabs>\n<TabItem value=\"si\" label=\"SI\">\n\nWords.\n\n</TabItem>\n</Tabs>", "**SI**\n\nWords."),
            ("<div>\n    Indented words.\n</div>", "Indented words."),
            (
                "<Question\n  question=\"What is it?\"\n  choice1=\"A cat\"\n  choice2={\"A <b>\"}\n  answer={2}\n/>\n\nA.",
                "What is it?\n\n- A cat\n- A \\<b>\n\nA.",
            ),
            ("<Figure src=\"a.png\" alt=\"A cat\" />\n\nA.", "![A cat](<a.png>)\n\nA."),
            ("<Pic src=\"a.png\" alt=\"A\" caption=\"B\" />", "![A](<a.png> \"B\")"),
            ("A <Tip text=\"What is said of it\">word</Tip> here.", "A word here."),
            (
                "A.\n\n    i<fact.size() && `a<b`\n\n    b<c>\n\nB.",
                "A.\n\n    i<fact.size() && `a<b`\n\n    b<c>\n\nB.",
            ),
            ("- A\n\n    a x<y\n\nB", "- A\n\n    a x\\<y\n\nB"),
            ("a <!-- b --> c", "a  c"),
            ("Docs are <Colour name=\"red\">green</Colour> here.", "Docs are green here."),
            ("Go on <carbon:arrow-right /> now", "Go on  now"),
            (
                "<Tab name=\"a\">\n\n    Words.\n\n    ```js\n    x\n      y\n    ```\n\n</Tab>\n\nZ",
                "Words.\n\n```js\nx\n  y\n```\n\nZ",
            ),
            ("<math><mi>x</mi></math>\n\nA.", "A."),
            ("<arrow x1=\"350\" v-click=\"[4, 5]\" />\n\nIt.", "It."),
        ] {
            assert_eq!(markdown(html), made, "{html}");
        }
    }

    #[test]
    fn what_looks_like_a_tag_and_is_none_is_text() {
        for (text, made) in [
            ("a vector<int> or List<String> and x<y and y>z", "a vector\\<int> or List\\<String> and x\\<y and y>z"),
            (
                "In HTML, <p> makes a paragraph and <img> an image. Press <Enter>.",
                "In HTML, \\<p> makes a paragraph and \\<img> an image. Press \\<Enter>.",
            ),
            ("so a<b and c>d is", "so a\\<b and c>d is"),
            ("`<b>` and ``<i>`` and \\<b>", "`<b>` and ``<i>`` and \\<b>"),
            ("See <https://example.org> or <a@example.org>.", "See <https://example.org> or <a@example.org>."),
            ("1 < 2 and 3<4", "1 < 2 and 3<4"),
            ("```html\n<b>x</b>\n```", "```html\n<b>x</b>\n```"),
        ] {
            assert_eq!(markdown(text), made, "{text}");
        }
    }
}
