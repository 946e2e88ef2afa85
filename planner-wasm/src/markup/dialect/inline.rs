//! Marks within a line: links of wikis, templates, attributes, roles, citations, emphasis that CommonMark has no mark for.

use std::borrow::Cow;
use std::cell::RefCell;

use super::rule::Context;
use crate::markup::formulas::{GUARD, is_private};
use crate::markup::labels;
use crate::markup::source::{Ends, Rewriter, Source, near};
use crate::markup::targets;
use crate::symbols;

/// What a rule takes from the rest of a line, and what stands in its place.
type Taken = (usize, String);

/// Where in a line a rule looks.
struct Here<'a, 'e> {
    /// All of the line, and where marks stand in it.
    line: &'a str,
    ends: &'e RefCell<Ends>,
    /// From here to the end of the line.
    rest: &'a str,
    /// The character before.
    before: Option<char>,
    at: usize,
    origin: usize,
}

impl<'a> Here<'a, '_> {
    /// What stands between two marks, the first of them here.
    fn between(&self, open: &'static str, close: &'static str) -> Option<(&'a str, usize)> {
        let inside = self.rest.strip_prefix(open)?;
        let begin = self.at + open.len();
        let find = |text: &str, mark: &str| text.find(mark);
        let end = self.ends.borrow_mut().next(self.line, begin, close, find)? - begin;
        (end + close.len() <= LONGEST).then(|| (&inside[..end], open.len() + end + close.len()))
    }
}

/// Bytes between two marks, with the second of them.
const LONGEST: usize = 1_000;

type InlineRule = fn(&Here<'_, '_>, &mut Context<'_>) -> Option<Taken>;

/// In this order; each by the characters that it can begin with.
const RULES: &[(&str, InlineRule)] = &[
    ("!", embed),
    ("[", wiki_link),
    ("[", numbered_link),
    ("[", citation),
    ("[", bracketed),
    ("]", target),
    ("]", loose_target),
    ("!", picture_of_deck),
    ("!", picture_with_attributes),
    ("!", picture_with_size),
    ("!", media_of_liascript),
    ("%", comment),
    ("-", spoken_by_liascript),
    ("{", criticised),
    ("{", template),
    ("{", role),
    ("{", attribute),
    ("\\", reference),
    ("\\", set_words),
    ("\\", hard_space),
    ("@", macro_of_liascript),
    ("@", cross_reference),
    ("@", cited_by_name),
    ("=", highlighted),
    ("+", inserted),
    ("~", lowered_rule),
    ("^", raised_rule),
    (":", bare_role),
    (":", emoji),
    ("#", tag),
    ("*", loose_bold),
    ("*", bold_beside_letters),
    ("`", computed),
    ("$", computed_amount),
];

const SIGNS: &[char] = &['!', '[', ']', '%', '-', '{', '\\', '@', '=', '+', '~', '^', ':', '#', '*', '`', '$'];

/// A line with the rules applied; none when nothing is left of one that had something.
pub(super) fn rewritten(line: &Source, context: &mut Context<'_>) -> Option<Source> {
    let text = line.text.as_str();
    if !text.contains(SIGNS) {
        return Some(line.clone());
    }
    let mut out = Rewriter::of(line);
    let (mut copied, mut at) = (0, 0);
    let ends = RefCell::default();
    while at < text.len() {
        let Some(next) = text[at..].find(SIGNS) else { break };
        at += next;
        let rest = &text[at..];
        let sign = &rest[..1];
        let here =
            Here { line: text, ends: &ends, rest, before: text[..at].chars().next_back(), at, origin: line.origin(at) };
        let taken = RULES.iter().filter(|(signs, _)| *signs == sign).find_map(|(_, rule)| rule(&here, context));
        match taken {
            Some((length, made)) => {
                // What leaves nothing leaves no gap before a mark either.
                let mark = rest[length..].starts_with(['.', ',', ';', ')']);
                let gap = usize::from(made.is_empty() && mark && text[copied..at].ends_with(' '));
                out.copy(copied..at - gap);
                out.put(&made, at);
                at += length;
                copied = at;
            }
            None => {
                at += match sign {
                    "`" => code_span(rest),
                    "\\" => rest.chars().take(2).map(char::len_utf8).sum(),
                    // Runs of one mark are one mark.
                    "*" | "=" | "-" | ":" | "#" | "~" | "+" => rest.len() - rest.trim_start_matches(sign).len(),
                    _ => 1,
                }
            }
        }
    }
    if copied == 0 {
        return Some(line.clone());
    }
    out.copy(copied..text.len());
    let made = without_gaps(out.finish(), text);
    (!made.text.trim().is_empty() || text.trim().is_empty()).then_some(made)
}

/// Without what is left of brackets and lists of references whose references are gone: `(see )`, ` and )`.
fn without_gaps(made: Source, before: &str) -> Source {
    const GAPS: &[(&str, &str)] = &[
        (" and )", ")"),
        (" and)", ")"),
        (", )", ")"),
        ("; )", ")"),
        ("(see )", ""),
        ("(see also )", ""),
        ("(e.g. )", ""),
        ("(cf. )", ""),
        ("( )", ""),
        ("()", ""),
        ("(Figure )", ""),
        ("(Fig. )", ""),
        ("(Table )", ""),
        ("(Section )", ""),
        ("(see Figure )", ""),
        ("(see Table )", ""),
        ("(Figure)", ""),
        (" .", "."),
        (" ,", ","),
        (",,,", ","),
        (",,", ","),
        (",.", "."),
    ];
    let new = |gap: &str| made.text.contains(gap) && !before.contains(gap);
    if !GAPS.iter().any(|(gap, _)| new(gap)) {
        return made;
    }
    let at = made.begin();
    let mut text = made.text;
    for (gap, without) in GAPS.iter().filter(|(gap, _)| !before.contains(gap)) {
        text = text.replace(gap, without);
    }
    Source::made(text, at)
}

fn code_span(rest: &str) -> usize {
    let rest = near(rest, 2_000);
    let marks = rest.bytes().take_while(|byte| *byte == b'`').count();
    let mut at = marks;
    while let Some(next) = rest[at..].find('`') {
        let length = rest[at + next..].bytes().take_while(|byte| *byte == b'`').count();
        at += next + length;
        if length == marks {
            return at;
        }
    }
    marks
}

/// What stands between two marks at the beginning of `rest`.
fn between<'a>(rest: &'a str, open: &str, close: &str) -> Option<(&'a str, usize)> {
    let inside = rest.strip_prefix(open)?;
    let end = near(inside, LONGEST).find(close)?;
    Some((&inside[..end], open.len() + end + close.len()))
}

/// The name that is read of a page: its last part, or what stands behind a bar.
fn page(inside: &str) -> &str {
    match inside.rsplit_once('|') {
        Some((_, name)) if !name.is_empty() => name,
        _ => {
            let name = inside.trim_end_matches(['|', '\\']);
            let name = name.rsplit(['#', '^']).next().filter(|part| !part.is_empty()).unwrap_or(name);
            name.rsplit('/').next().unwrap_or(name)
        }
    }
}

/// `![[picture.png|400]]` of Obsidian.
fn embed(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = here.between("![[", "]]")?;
    let path = inside.split('|').next().unwrap_or(inside).trim();
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
    if ["png", "jpg", "jpeg", "svg", "gif", "webp", "bmp"].contains(&extension.as_str()) {
        let alt = inside.split('|').skip(1).map(str::trim).find(|part| !is_size(part));
        return Some((length, format!("![{}](<{path}>)", alt.unwrap_or_default())));
    }
    context.warn(
        "plan.left_out",
        format!("`{path}` stands in another file, which is not read; its name is spoken"),
        here.origin,
    );
    Some((length, page(inside).to_owned()))
}

/// Whether a word is how large a picture is: `400`, `100x80`.
fn is_size(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit() || c == 'x')
}

/// `![words|400](a.png)` of Obsidian.
fn picture_with_size(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let (alt, length) = here.between("![", "](")?;
    let (words, size) = alt.rsplit_once('|')?;
    (!words.contains(['[', ']']) && is_size(size.trim())).then(|| (length, format!("![{}](", words.trim())))
}

/// `!?[A film](a.mp4)` of LiaScript: its words are a link's.
fn media_of_liascript(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    here.rest.starts_with("!?[").then(|| (2, String::new()))
}

/// `[words]{.class}` of Pandoc.
fn bracketed(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    const MOST_BRACKETS: usize = 8;
    let (inside, length) = here.between("[", "]").filter(|(inside, _)| !inside.is_empty())?;
    if !inside.contains('[') {
        let list = attributes(&here.rest[length..])?;
        return Some((length + list, inside.to_owned()));
    }
    // Of brackets within it, the last one is the end.
    let mut depth = 0_usize;
    let text = near(here.rest, LONGEST);
    let mut signs = text.char_indices().filter(|(_, c)| matches!(c, '[' | ']')).take(2 * MOST_BRACKETS);
    let end = signs.find_map(|(at, c)| {
        depth = if c == '[' { depth + 1 } else { depth - 1 };
        (depth == 0).then_some(at)
    })?;
    let list = attributes(&here.rest[end + 1..])?;
    let words = rewritten(&Source::made(&here.rest[1..end], here.origin), context);
    Some((end + 1 + list, words.map(|words| words.text).unwrap_or_default()))
}

/// `![](a.svg){alt='Words'}` and `fig-alt` of Quarto: words of a picture that has none otherwise.
fn picture_with_attributes(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let (target, length) = here.between("![](", ")")?;
    let list = attributes(&here.rest[length..])?;
    let inside = &here.rest[length..length + list];
    let (_, value) = inside.split_once("alt=")?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (alt, _) = value[1..].split_once(quote)?;
    Some((length + list, format!("![{}]({target})", alt.replace(['[', ']'], ""))))
}

/// CriticMarkup: what is added, highlighted or put in another's place is read, what is taken out and remarked is not; `{/* … */}` is a
/// remark of MDX.
fn criticised(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    if let Some((inside, length)) = here.between("{++", "++}").or_else(|| here.between("{==", "==}")) {
        return Some((length, inside.to_owned()));
    }
    if let Some((inside, length)) = here.between("{~~", "~~}") {
        return inside.split_once("~>").map(|(_, new)| (length, new.to_owned()));
    }
    let (_, length) =
        here.between("{--", "--}").or_else(|| here.between("{>>", "<<}")).or_else(|| here.between("{/*", "*/}"))?;
    Some((length, String::new()))
}

/// `Fig.\ 3`, as Pandoc has a space that no line ends at.
fn hard_space(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let fits = here.before.is_some_and(|c| matches!(c, '.' | ')') || is_private(c));
    (fits && here.rest.len() > 2 && here.rest.starts_with("\\ ")).then(|| (2, " ".to_owned()))
}

/// `[[a/b|c]]`, and what LiaScript asks.
fn wiki_link(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    if here.rest.starts_with("[[") {
        let (inside, length) = here.between("[[", "]]")?;
        // A choice of LiaScript: `[[X]] answer`, `[[ ]] answer`.
        if matches!(inside.trim(), "" | "X" | "x" | "?") {
            return Some((length, if here.at < 6 { "- ".to_owned() } else { String::new() }));
        }
        // `[[(right)|wrong]]` is to be chosen from.
        let chosen = |part: &str| part.trim().starts_with('(') && part.trim().ends_with(')');
        if inside.contains('|') && inside.split('|').any(chosen) {
            let words = |part: &str| part.trim().trim_matches(['(', ')']).to_owned();
            return Some((length, inside.split('|').map(words).collect::<Vec<_>>().join(" / ")));
        }
        return (!inside.contains('[')).then(|| (length, page(inside).trim().to_owned()));
    }
    let (inside, length) = here.between("[(", ")]")?;
    (matches!(inside.trim(), "" | "X" | "x") && here.at < 6).then(|| (length, "- ".to_owned()))
}

/// `[@knuth1984, p. 12]`
fn citation(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = here.between("[", "]")?;
    let key = |part: &str| {
        let key = part.trim().trim_start_matches('-').split([',', ' ']).find(|word| word.starts_with(['@', '-']));
        key.is_some_and(|key| key.len() > 1)
    };
    let cites =
        inside.starts_with(['@', '-']) && inside.contains('@') || inside.contains(" @") && inside.split(';').all(key);
    // A target of a link has no spaces.
    let target =
        here.rest[length..].strip_prefix('(').map(|rest| near(rest, LONGEST).split(')').next().unwrap_or(rest));
    let free = !here.rest[length..].starts_with('[') && target.is_none_or(|target| target.contains(' '));
    // What stands before a key, as in `[see @a]`, are words.
    if !(cites && free) {
        return None;
    }
    let keys = inside.split('@').skip(1).map(labels::quarto);
    let keys: Vec<&str> = keys.map(|key| key.trim_end_matches(['-', ':', '.'])).collect();
    if keys.iter().all(|key| is_cross_reference(key)) {
        let made = keys.iter().map(|key| refer(key, here, context)).collect::<Vec<_>>();
        return Some((length, made.join(", ")));
    }
    let words = inside.split('@').next().unwrap_or_default().trim_matches(['-', ' ']);
    let made = cited(&keys.join(","), here, context);
    Some((length, if words.is_empty() { made } else { words.to_owned() }))
}

/// A link's target may be made by a template, which is no part of its path.
fn target(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let inside = near(here.rest.strip_prefix("](")?, 1_000);
    let end = end_of_target(inside).filter(|end| inside[..*end].contains("{{") || inside[..*end].contains("{%"))?;
    let mut path = inside[..end].to_owned();
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        while let Some(begin) = path.find(open) {
            let length = path[begin..].find(close).map_or(path.len() - begin, |end| end + close.len());
            path.replace_range(begin..begin + length, "");
        }
    }
    let path = path.trim().trim_matches(['\'', '"']).to_owned();
    let path = if path.is_empty() { "#".to_owned() } else { path.replace(' ', "%20") };
    Some((2 + end + 1, format!("]({path})")))
}

/// `](my notes.pdf)`, `](a.png =300x)` and `](some words)`, in which CommonMark sees no link: what looks like a path is one, and other words
/// stand in brackets behind what they are about.
fn loose_target(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let inside = near(here.rest.strip_prefix("](")?, 1_000);
    let mut depth = 0_usize;
    let closes = |(at, c): (usize, char)| {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
        None
    };
    let address = inside.starts_with("http://") || inside.starts_with("https://");
    let balanced = inside.char_indices().find_map(closes);
    let end = match balanced {
        Some(end) => end,
        // A bracket of an address that is closed as `%29`.
        None if address => inside.split(char::is_whitespace).next()?.rfind(')')?,
        None => return None,
    };
    let target = inside[..end].trim();
    let (path, rest) = target.split_once(char::is_whitespace).unwrap_or((target, ""));
    let rest = rest.trim();
    let title = ['"', '\'', '('].iter().any(|quote| rest.starts_with(*quote)) && rest.ends_with(['"', '\'', ')']);
    if target.starts_with('<') || (balanced.is_some() && (rest.is_empty() || title)) {
        return None;
    }
    // The bracket that it begins with: what stands at a word, as in `a[i](x, y)`, is none.
    let open = here.line[..here.at].rfind('[')?;
    if here.line[..open].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ')' | ']')) {
        return None;
    }
    let size = rest.strip_prefix('=').is_some_and(|size| {
        !size.is_empty() && size.chars().all(|c| c.is_ascii_digit() || matches!(c, 'x' | '%' | 'p' | '*'))
    });
    if size {
        return Some((2 + end + 1, format!("]({path})")));
    }
    let file = target.rsplit_once('.').is_some_and(|(_, extension)| {
        (1..=5).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if address || file || target.contains('/') || target.starts_with('#') {
        let path = target.replace(' ', "%20").replace('(', "%28").replace(')', "%29");
        return Some((2 + end + 1, format!("]({path})")));
    }
    Some((2 + end + 1, format!("](#) ({target})")))
}

/// The byte of the bracket that ends a link's target: the first one that stands in no template.
fn end_of_target(inside: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = inside[at..].find(['{', ')']) {
        at += next;
        let rest = &inside[at..];
        let close = if rest.starts_with("{{") {
            "}}"
        } else if rest.starts_with("{%") {
            "%}"
        } else if rest.starts_with(')') {
            return Some(at);
        } else {
            at += 1;
            continue;
        };
        at += rest.find(close)? + close.len();
    }
    None
}

/// `![bg right:40%](a.png)` and `![w:300](a.png)` of Marp: how a picture is set is not what it shows.
fn picture_of_deck(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let (alt, length) = here.between("![", "](").filter(|_| context.deck)?;
    let words = ["bg", "left", "right", "fit", "cover", "contain", "auto", "vertical", "invert", "inline", "center"];
    let setting = |word: &&str| {
        let key = word.split(':').next().unwrap_or(word);
        words.contains(&key)
            || [
                "w",
                "h",
                "width",
                "height",
                "blur",
                "brightness",
                "opacity",
                "sepia",
                "grayscale",
                "drop-shadow",
                "contrast",
                "saturate",
                "hue-rotate",
            ]
            .contains(&key)
            || word.ends_with('%')
    };
    let rest: Vec<&str> = alt.split_whitespace().filter(|word| !setting(word)).collect();
    (rest.len() < alt.split_whitespace().count()).then(|| (length, format!("![{}](", rest.join(" "))))
}

/// `%%…%%` of Obsidian.
fn comment(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    here.between("%%", "%%").filter(|(inside, _)| !inside.is_empty()).map(|(_, length)| (length, String::new()))
}

/// `--{{1}}--` before what LiaScript speaks.
fn spoken_by_liascript(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    here.between("--{{", "}}--").map(|(_, length)| (length, String::new()))
}

/// `{{ … }}`, `{% … %}` and `{{< … >}}`: what a template would put there is not known.
fn template(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    if let Some((inside, length)) = here.between("{{<", ">}}").or_else(|| here.between("{{%", "%}}")) {
        let inside = inside.trim();
        if inside.starts_with("figure") || inside.starts_with("img") {
            let value =
                |key: &str| inside.split_once(&format!("{key}=\"")).and_then(|(_, rest)| rest.split('"').next());
            if let Some(source) = value("src") {
                let alt = value("alt").or_else(|| value("caption")).or_else(|| value("title")).unwrap_or_default();
                return Some((length, format!("![{alt}](<{source}>)")));
            }
        }
        return Some((length, String::new()));
    }
    if let Some((inside, length)) = here.between("{%", "%}") {
        let plain = inside.trim_matches(['-', ' ']);
        if let Some(picture) = included_picture(plain) {
            return Some((length, picture));
        }
        let known = plain.starts_with("raw") || plain.starts_with("endraw");
        if !known && !plain.starts_with("end") {
            context.warn("plan.left_out", "a template's tag such as `{% … %}` is not run; it is left out", here.origin);
        }
        return Some((length, String::new()));
    }
    let (inside, length) = here.between("{{", "}}")?;
    // Animations of LiaScript, `{{1-2}}`, mean nothing here.
    if !inside.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ' | '|' | '>')) {
        context.warn(
            "plan.left_out",
            format!("`{{{{{}}}}}` is filled in by another program; it is left out", inside.trim()),
            here.origin,
        );
    }
    Some((length, String::new()))
}

/// `include figure.html src="a.png" caption="Words"` of Jekyll.
fn included_picture(inside: &str) -> Option<String> {
    let (file, options) = inside.strip_prefix("include")?.trim_start().split_once(' ')?;
    let picture = ["figure", "image", "img", "picture"].iter().any(|word| file.to_lowercase().contains(word));
    let value = |keys: &[&str]| {
        let value = |key: &&str| {
            let (_, after) = options.split_once(&format!("{key}="))?;
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            after[1..].split_once(quote).map(|(value, _)| value.replace(['[', ']'], ""))
        };
        keys.iter().find_map(value).filter(|value| !value.is_empty())
    };
    let source = value(&["src", "image_path", "path", "url", "file", "image"]).filter(|_| picture)?;
    let words = value(&["caption", "alt", "description", "title"]).unwrap_or_default();
    Some(format!("![{words}](<{source}>)"))
}

/// `` {ref}`words <label>` `` of MyST.
fn role(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let (name, length) = here.between("{", "}`")?;
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':')) {
        return None;
    }
    let inside = near(&here.rest[length..], 1_000);
    let end = inside.find('`')?;
    let text = &inside[..end];
    let words = text.split_once('<').map_or(text, |(words, _)| words).trim();
    let bare = !text.contains('<');
    let made = match name.rsplit(':').next().unwrap_or(name) {
        "code" | "kbd" | "file" | "guilabel" | "func" | "class" | "meth" | "mod" | "py" | "command" | "program" => {
            format!("`{words}`")
        }
        "sub" => lowered(words).into_owned(),
        "sup" => raised(words).into_owned(),
        "eq" => referred(labels::of_role(text), true, here, context),
        "numref" => {
            // `Figure %s <x>` has the number in words of its own.
            let label = labels::of_role(text);
            let number = context.targets.words(label, true);
            let target = refer(label, here, context);
            match number {
                _ if bare || !words.contains(['%', '{']) => target,
                Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    words.replace("%s", &number).replace("{number}", &number)
                }
                Some(title) => title,
                None => context.targets.unnumbered(words),
            }
        }
        "cite" | "footcite" | "p" | "ps" if bare => cited(text, here, context),
        "t" | "ts" if bare => text.split(',').map(|key| author(key.trim())).collect::<Vec<_>>().join(", "),
        "index" | "download" | "fnote" | "footnote" if bare => String::new(),
        // A label is no word.
        "ref" | "any" if bare && context.targets.words(words, true).is_some() => refer(words, here, context),
        "ref" | "any" if bare && text.contains(['-', '_', '/', ':']) => refer(words, here, context),
        "doc" if bare => targets::in_words(text.trim()),
        _ => words.to_owned(),
    };
    Some((length + end + 1, made))
}

/// `` :numref:`fig_x` `` of reStructuredText, as d2l has it.
fn bare_role(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    const LONGEST_NAME: usize = 20;
    let (name, rest) = near(here.rest, LONGEST_NAME)[1..].split_once(":`")?;
    if rest.starts_with('`') || name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return None;
    }
    let begin = name.len() + 3;
    let (inside, length) = between(&here.rest[begin - 1..], "`", "`")?;
    let label = labels::of_role(inside);
    let words = inside.split_once('<').map_or(inside, |(words, _)| words).trim();
    let made = match name {
        "label" | "eqlabel" | "width" | "height" => String::new(),
        "numref" | "ref" if !inside.contains('<') => refer(label, here, context),
        "eqref" => referred(label, true, here, context),
        "cite" | "citep" => cited(inside, here, context),
        "citet" => inside.split(',').map(|key| author(key.trim())).collect::<Vec<_>>().join(", "),
        "doc" if !inside.contains('<') => targets::in_words(label),
        "bdg" | "math" | "eq" => return None,
        "sub" => lowered(words).into_owned(),
        "sup" => raised(words).into_owned(),
        "code" | "func" | "class" | "meth" | "mod" | "kbd" | "file" => format!("`{words}`"),
        _ => words.to_owned(),
    };
    // Before the first mark stands a colon.
    Some((begin - 1 + length, made))
}

/// What a reference to a figure, a table or a section is read as; of what is not in the document, the words of its label.
fn refer(label: &str, here: &Here<'_, '_>, context: &mut Context<'_>) -> String {
    const KINDS: &[&str] = &[
        "figure",
        "fig",
        "figs",
        "figures",
        "table",
        "tab",
        "tables",
        "listing",
        "abbildung",
        "abb",
        "tabelle",
        "figura",
        "tableau",
        "tabla",
        "tabela",
        "tabella",
        "рис",
        "рисунок",
        "таблица",
        "图",
        "表",
        "図",
    ];
    let before = here.line[..here.at].trim_end_matches([' ', '~', '.', '\u{a0}', '(']);
    let word = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let named = KINDS.contains(&word.to_lowercase().as_str()) || before.ends_with(['图', '表', '図']);
    // A sentence begins with a capital.
    let begins = before.trim_start_matches(['-', '*', '>', ' ']).is_empty() || here.line[..here.at].ends_with(". ");
    let begun = |words: String| if begins { super::rule::capital(&words) } else { words };
    if let Some(words) = context.targets.words(label, named) {
        return begun(words);
    }
    let words = if named { String::new() } else { begun(context.targets.unknown(label)) };
    let message = match words.as_str() {
        "" => format!("nothing in this document has the label `{label}`: the reference is left out"),
        words => format!("nothing in this document has the label `{label}`: the reference is read as `{words}`"),
    };
    context.warn("plan.left_out", message, here.origin);
    words
}

/// The author and the year that a key of a bibliography begins with, as `knuth1984` does; none of a key without a year.
fn author_and_year(key: &str) -> Option<String> {
    let key = key.trim_start_matches(['@', '-', '*']);
    let at = key.find(|c: char| c.is_ascii_digit())?;
    let (name, rest) = key.split_at(at);
    let year = rest.get(..4).filter(|year| year.parse().is_ok_and(|year: u16| (1500..2100).contains(&year)))?;
    let name = name.split(['_', ':', '.', '-', '/']).next().filter(|name| name.len() > 1)?;
    (!rest[4..].starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(char::is_alphabetic))
        .then(|| format!("{} {year}", super::rule::capital(name)))
}

/// Who is cited by a key: the author and the year, or the words of the key.
fn author(key: &str) -> String {
    author_and_year(key).unwrap_or_else(|| targets::in_words(key.trim_start_matches(['@', '-'])))
}

/// Keys of a bibliography beside a claim are not read, unless a sentence would have a hole there: `as shown in [@knuth1984]`.
fn cited(keys: &str, here: &Here<'_, '_>, context: &mut Context<'_>) -> String {
    const PREPOSITIONS: &[&str] = &[
        "in",
        "by",
        "from",
        "of",
        "see",
        "to",
        "with",
        "at",
        "per",
        "following",
        "von",
        "bei",
        "nach",
        "siehe",
        "aus",
        "mit",
        "dans",
        "par",
        "de",
        "voir",
        "selon",
        "en",
        "por",
        "ver",
        "según",
        "em",
        "da",
        "di",
        "secondo",
    ];
    let before = here.line[..here.at].trim_end();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if PREPOSITIONS.contains(&word.to_lowercase().as_str()) {
        return keys.split([',', ';']).map(|key| author(key.trim())).collect::<Vec<_>>().join(", ");
    }
    let message = "citations are left out: the bibliography is another file, which is not read";
    context.warn("plan.left_out", message, here.origin);
    String::new()
}

/// `@knuth1984` in a sentence.
fn cited_by_name(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    if here.before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '/' | '@')) {
        return None;
    }
    let name = labels::quarto(&here.rest[1..]);
    author_and_year(name).map(|words| (name.len() + 1, words))
}

/// `@LIA.eval(…)` and `@config.semester`: macros of a course of LiaScript, which its own player fills in.
fn macro_of_liascript(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    if !context.liascript || here.before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '@' | '/' | '.')) {
        return None;
    }
    let inside = near(&here.rest[1..], LONGEST);
    let end = inside.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_')).unwrap_or(inside.len());
    let name = inside[..end].trim_end_matches('.');
    if !name.starts_with(char::is_alphabetic) {
        return None;
    }
    let known = context.macros.iter().any(|known| known == name);
    let after = &inside[name.len()..];
    // What its brackets hold is for the macro, or is what it sets.
    let arguments = if after.starts_with('(') { closing_bracket(after)? } else { 0 };
    let alone = here.line.trim().len() == name.len() + 1;
    if !known && arguments == 0 && !name.contains('.') && !alone {
        return None;
    }
    let message = format!("the macro `@{name}` is filled in by LiaScript; it is left out");
    context.warn("plan.left_out", message, here.origin);
    Some((1 + name.len() + arguments, String::new()))
}

/// Bytes up to the bracket that closes the first one of `text`; marks of code are no brackets.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut code) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'`' => code = !code,
            b'(' if !code => depth += 1,
            b')' if !code => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// `{: .x}`, `{.class}`, `{#id}`, `{ .annotate }`, `{width=50%}` after what they are about.
fn attribute(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    attributes(here.rest).map(|length| (length, String::new()))
}

/// The length of an attribute list that `rest` begins with.
pub(super) fn attributes(rest: &str) -> Option<usize> {
    let (inside, length) = between(rest, "{", "}")?;
    let bare = inside.trim();
    // An author's cue, which is read where the line is.
    if bare == "show" || bare.starts_with("show=") {
        return None;
    }
    let words = bare.strip_prefix(':').unwrap_or(bare);
    let mut quote = None;
    let parts: Vec<&str> = words
        .split(|c: char| {
            match quote {
                Some(open) if open == c => quote = None,
                None if matches!(c, '"' | '\'') => quote = Some(c),
                _ => {}
            }
            c == ' ' && quote.is_none()
        })
        .filter(|part| !part.is_empty())
        .collect();
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_alphabetic())
            && text.chars().all(|c| c.is_alphanumeric() || "-_:./".contains(c))
    };
    let part = |part: &&str| {
        let class = part.strip_prefix(['.', '#']).is_some_and(name);
        class || part.split_once('=').is_some_and(|(key, value)| name(key) && !value.is_empty())
    };
    let kramdown = bare.starts_with(':') && !bare.starts_with("::");
    let toc = matches!(words.trim(), "toc" | "no_toc" | ".no_toc" | "-" | ".unnumbered" | "off");
    let fits = (!parts.is_empty() && parts.iter().all(part)) || toc || (kramdown && !words.is_empty());
    (fits && !bare.is_empty()).then_some(length)
}

/// References of LaTeX and bookdown: the numbers of formulas, and others, which are not known here.
fn reference(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    if let Some((label, length)) = here.between("\\@ref(", ")") {
        let label = label.trim();
        if label.starts_with("eq:") {
            return Some((length, referred(label, true, here, context)));
        }
        return Some((length, refer(label, here, context)));
    }
    const COMMANDS: &[&str] = &[
        "\\eqref{",
        "\\ref{",
        "\\cref{",
        "\\Cref{",
        "\\autoref{",
        "\\label{",
        "\\cite{",
        "\\citep{",
        "\\citet{",
        "\\pageref{",
        "\\index{",
        "\\footcite{",
        "\\hypertarget{",
    ];
    let command = COMMANDS.iter().find(|command| here.rest.starts_with(**command))?;
    let (label, length) = here.between(command, "}")?;
    let made = match *command {
        "\\eqref{" => referred(label, true, here, context),
        "\\ref{" | "\\cref{" | "\\Cref{" | "\\autoref{" => match context.formulas.definitions.numbered(label) {
            Some(number) => number.to_owned(),
            None => refer(label, here, context),
        },
        "\\cite{" | "\\citep{" => cited(label, here, context),
        "\\citet{" => label.split(',').map(|key| author(key.trim())).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    };
    Some((length, made))
}

/// `\emph{words}` between words: LaTeX's commands for how words are set.
fn set_words(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    const COMMANDS: &[(&str, &str)] = &[
        ("\\emph{", "*"),
        ("\\textit{", "*"),
        ("\\textbf{", "**"),
        ("\\underline{", "*"),
        ("\\textsc{", ""),
        ("\\textrm{", ""),
        ("\\textsf{", ""),
    ];
    let (command, mark) = COMMANDS.iter().find(|(command, _)| here.rest.starts_with(command))?;
    let (inside, length) = here.between(command, "}")?;
    if inside.contains(['{', '\\', '*', '_']) || inside.trim() != inside || inside.is_empty() {
        return None;
    }
    let inside = rewritten(&Source::made(inside, here.origin), context)?.text;
    Some((length, if mark.is_empty() { inside } else { format!("{mark}{GUARD}{inside}{GUARD}{mark}") }))
}

/// The number of the formula that something refers to; what refers to none is told, for then words are missing.
fn referred(label: &str, bracketed: bool, here: &Here<'_, '_>, context: &mut Context<'_>) -> String {
    match context.formulas.definitions.numbered(label) {
        Some(number) if bracketed => format!("({number})"),
        Some(number) => number.to_owned(),
        None => {
            let message = format!("no formula has the label `{}`: the reference is left out", label.trim());
            context.warn("plan.left_out", message, here.origin);
            String::new()
        }
    }
}

/// `[](#label)` of MyST, which stands for the number of a formula.
fn numbered_link(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    // `![](#x)` is a picture.
    let (label, length) = here.between("[](", ")").filter(|_| here.before != Some('!'))?;
    let Some(label) = label.strip_prefix('#') else {
        // The title of another file is not known.
        let page = [".md", ".ipynb"].iter().any(|end| label.ends_with(end));
        return page.then(|| (length, targets::in_words(label)));
    };
    let number = context.formulas.definitions.numbered(label).map(|number| format!("({number})"));
    Some((length, number.unwrap_or_else(|| refer(label, here, context))))
}

fn is_cross_reference(label: &str) -> bool {
    const KINDS: &[&str] =
        &["fig-", "tbl-", "eq-", "sec-", "thm-", "lem-", "def-", "lst-", "exr-", "exm-", "cor-", "prp-"];
    KINDS.iter().any(|kind| label.starts_with(kind))
}

/// `@fig-plot` and `@eq-mean` of Quarto: formulas have numbers, others are not known here.
fn cross_reference(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let name = here.rest.strip_prefix('@').filter(|name| is_cross_reference(name))?;
    let label = labels::quarto(name);
    let made =
        if label.starts_with("eq-") { referred(label, true, here, context) } else { refer(label, here, context) };
    Some((label.len() + 1, made))
}

/// What stands between two doubled marks with no space inside of them.
fn doubled<'a>(here: &Here<'a, '_>, mark: &'static str) -> Option<(&'a str, usize)> {
    let (inside, length) = here.between(mark, mark)?;
    let sign = mark.chars().next()?;
    let tight = !inside.is_empty() && !inside.starts_with([' ', sign]) && !inside.ends_with([' ', sign]);
    let free =
        !here.before.is_some_and(|c| c == sign || c.is_ascii_alphanumeric()) && !here.rest[length..].starts_with(sign);
    (tight && free).then_some((inside, length))
}

/// `==words==`
fn highlighted(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    emphasised(doubled(here, "==")?, context)
}

/// Bytes of a line whose marks of bold words are counted.
const LONGEST_LINE: usize = 4_000;

/// `** words**`, which its author means as bold, and CommonMark reads as signs.
fn loose_bold(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = here.between("**", "**")?;
    let words = inside.trim();
    // With a space on each side it multiplies or raises.
    let loose = inside.starts_with(' ') != inside.ends_with(' ');
    let opens = || here.line[..here.at].matches("**").count().is_multiple_of(2);
    let bold = loose
        && !here.before.is_some_and(char::is_alphanumeric)
        // The second one of `2 ** 3 or a**b` ends nothing either.
        && !here.rest[length..].starts_with(|c: char| c.is_ascii_alphanumeric())
        && !words.contains(['*', '`'])
        && words.contains(char::is_alphabetic)
        && here.line.len() <= LONGEST_LINE
        && opens();
    bold.then(|| (length, format!("**{words}**")))
}

/// `++words++`
fn inserted(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    emphasised(doubled(here, "++")?, context)
}

fn emphasised((inside, length): (&str, usize), _: &mut Context<'_>) -> Option<Taken> {
    let made = if inside.contains(['*', '_']) { inside.to_owned() } else { format!("*{inside}*") };
    Some((length, made))
}

/// `H~2~O`
fn lowered_rule(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = script(here, "~")?;
    Some((length, lowered(inside).into_owned()))
}

/// `x^2^`, a note `^[…]` of Pandoc, and Obsidian's names of blocks.
fn raised_rule(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    if let Some((inside, length)) = here.between("^[", "]") {
        return Some((length, format!(" ({inside})")));
    }
    if let Some((inside, length)) = script(here, "^") {
        return Some((length, raised(inside).into_owned()));
    }
    // It ends its line, and is near: a line of marks is not read to its end for each of them.
    let id = near(&here.rest[1..], LONGEST_TAGS).trim_end();
    let name = !id.is_empty() && id.len() < 40 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let alone = here.before.is_none_or(char::is_whitespace);
    let last = here.rest.len() <= LONGEST_TAGS;
    (name && alone && last).then(|| (here.rest.len(), String::new()))
}

fn script<'a>(here: &Here<'a, '_>, mark: &'static str) -> Option<(&'a str, usize)> {
    let (inside, length) = here.between(mark, mark)?;
    let stands = here.before.is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | ']') || is_private(c));
    let short = (1..=12).contains(&inside.chars().count()) && !inside.contains([' ', '[', ']', '(']);
    (stands && short && !here.rest[length..].starts_with(mark)).then_some((inside, length))
}

fn small(text: &str, sign: impl Fn(char) -> Option<char>) -> Option<Cow<'_, str>> {
    text.chars().map(sign).collect::<Option<String>>().map(Cow::Owned)
}

/// A power: in small signs where there are such; endings of numbers, as in `1st`, as they are.
pub(in crate::markup) fn raised(text: &str) -> Cow<'_, str> {
    let ending = text.len() <= 4
        && text.chars().all(char::is_alphabetic)
        && ["st", "nd", "rd", "th", "er", "re", "e", "ème", "o", "ª", "º", "TM"].contains(&text);
    if ending {
        return Cow::Borrowed(text);
    }
    small(text.trim(), symbols::raised).unwrap_or_else(|| Cow::Owned(format!("^({})", text.trim())))
}

/// An index.
pub(in crate::markup) fn lowered(text: &str) -> Cow<'_, str> {
    small(text.trim(), symbols::lowered).unwrap_or_else(|| Cow::Owned(format!("_{}", text.trim())))
}

/// `:rocket:` is nothing to say, and nothing to learn.
fn emoji(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = here.between(":", ":")?;
    let name = inside.len() > 1
        && inside.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+'))
        && inside.contains(|c: char| c.is_ascii_lowercase());
    let free = here.before.is_none_or(|c| !c.is_alphanumeric() && c != ':')
        && here.rest[length..].chars().next().is_none_or(|c| !c.is_alphanumeric() && c != ':' && c != '`');
    (name && free).then(|| (length, String::new()))
}

/// Whether a word can be a tag: `week3`, `a/b`, and neither a number nor a colour.
pub(super) fn is_tag(word: &str) -> bool {
    let colour = matches!(word.len(), 3 | 6 | 8) && word.chars().all(|c| c.is_ascii_hexdigit());
    let letters = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/'));
    word.starts_with(char::is_alphabetic) && letters && !colour && word != "include" && word != "define"
}

/// Bytes of the tags at the end of a line.
const LONGEST_TAGS: usize = 400;

/// Tags at the end of a line.
fn tag(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let follows = here.at > 0 && here.before.is_some_and(char::is_whitespace);
    if !follows || here.rest.len() > LONGEST_TAGS {
        return None;
    }
    let tags = here.rest.split_whitespace().all(|word| word.strip_prefix('#').is_some_and(is_tag));
    (tags && !here.rest.trim().is_empty()).then(|| (here.rest.len(), String::new()))
}

/// Bytes of the marks of quotations and lists before a line's words.
const LONGEST_MARK: usize = 40;

/// A mark of emphasis between a letter and a mark, where words have no spaces between them: `**注意：**直角`. CommonMark sees no end there.
fn bold_beside_letters(here: &Here<'_, '_>, _: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = here.between("**", "**").filter(|(inside, _)| !inside.is_empty())?;
    // What stands between the end of one and the beginning of the next is not bold.
    if here.line.len() > LONGEST_LINE || !here.line[..here.at].matches("**").count().is_multiple_of(2) {
        return None;
    }
    // `** Words **` alone in its line is meant as bold.
    let alone = here.at < LONGEST_MARK
        && here.line[..here.at].trim_matches([' ', '-', '>', '+']).is_empty()
        && here.rest[length..].trim().is_empty();
    if alone && inside.starts_with(' ') && inside.ends_with(' ') && inside.contains(char::is_alphabetic) {
        return Some((length, format!("**{}**", inside.trim())));
    }
    let tight =
        !inside.starts_with([' ', '*']) && !inside.ends_with([' ', '*', '\\']) && !here.rest[length..].starts_with('*');
    let letter = |c: char| c.is_alphanumeric();
    let mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !is_private(c);
    let closes = inside.ends_with(mark) && here.rest[length..].starts_with(letter);
    let opens = inside.starts_with(mark) && here.before.is_some_and(letter);
    (tight && (closes || opens) && !inside.contains('`')).then(|| {
        let guard = GUARD;
        let inside = inside.strip_prefix(guard).unwrap_or(inside);
        (length, format!("**{guard}{inside}{guard}**"))
    })
}

/// `` `r mean(x)` `` of R Markdown, and `` `{python} x` `` of Quarto: the value is not known.
fn computed(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let (inside, length) = here.between("`", "`")?;
    let program =
        ["r ", "{r} ", "{python} ", "{julia} ", "{ojs} ", "python "].iter().any(|start| inside.starts_with(start));
    program.then(|| {
        context.warn("plan.left_out", "a value that a program would compute is not known; it is left out", here.origin);
        (length, String::new())
    })
}

/// `` $`r mean(x)`\,\$$ `` of R Markdown: of a formula with a value that is not known, its unit is left.
fn computed_amount(here: &Here<'_, '_>, context: &mut Context<'_>) -> Option<Taken> {
    let (_, value) = here.between("$`r ", "`")?;
    let rest = &here.rest[value..];
    let end = rest.match_indices('$').map(|(at, _)| at).find(|at| !rest[..*at].ends_with('\\'))?;
    let unit = rest[..end].replace("\\,", " ").replace('\\', "");
    context.warn("plan.left_out", "a value that a program would compute is not known; it is left out", here.origin);
    Some((value + end + 1, unit.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::plain;
    use super::*;

    #[test]
    fn marks_of_dialects_become_markdown_or_nothing() {
        for (text, made) in [
            (
                "** Variant 1** and **two **, or a ** b ** c, **x** y,**z**.",
                "**Variant 1** and **two**, or a ** b ** c, **x** y,**z**.",
            ),
            (
                "See [[Rolle's theorem]] and [[a/Derivative|the derivative]] %%to do%% now.",
                "See Rolle's theorem and the derivative  now.",
            ),
            ("![[mvt-picture.png|400]]", "![](<mvt-picture.png>)"),
            ("needs ==both== ++now++. ^key-point", "needs *both* *now*."),
            ("- [x] draw it #todo", "- [x] draw it"),
            ("西瓜书[@xu2013survey](multi-view learning) 融入", "西瓜书(multi-view learning) 融入"),
            ("- ** Load it: **", "- **Load it:**"),
            ("[**双曲 (a) 関数**] し、区間 (**-1 と 1**) の", "[**双曲 (a) 関数**] し、区間 (**-1 と 1**) の"),
            ("The [notes](a/My notes.pdf) and [b](<c d.pdf>)", "The [notes](a/My%20notes.pdf) and [b](<c d.pdf>)"),
            ("![](https://a.org/b.png =500x)", "![](https://a.org/b.png)"),
            ("[Xu 2013](multi-view learning) and a[i](x, y)", "[Xu 2013](#) (multi-view learning) and a[i](x, y)"),
            (
                "[A](b.html \"Title\") [C](https://d.org/e_(f%29): g",
                "[A](b.html \"Title\") [C](https://d.org/e_%28f%29): g",
            ),
            ("2 ** 3 ** 4", "2 ** 3 ** 4"),
            ("It is $`r round(x[1], 2)`\\,\\$$ or 5 $.", "It is $ or 5 $."),
            ("H~2~O and x^2^ but ~~no~~", "H₂O and x² but ~~no~~"),
            (":rocket: Go :smile:", "Go"),
            ("so [@knuth1984, p. 12] and [see @a].", "so  and see."),
            ("# Sampling {#sampling}", "# Sampling"),
            ("# The interval {.tabset .x}", "# The interval"),
            ("DNA. {: .lead}", "DNA."),
            ("That is all. { .annotate }", "That is all."),
            ("![Helix]({{ site.baseurl }}/assets/dna.png){: width=\"300\" }", "![Helix](/assets/dna.png)"),
            ("[Next]({% post_url 2020-01-01-rna %})\n{: .btn }", "[Next](#)"),
            ("{{ page.date | date: \"%Y\" }} is it.", "is it."),
            (
                "see {ref}`the chapter <ch-1>` and {numref}`fig-1` {kbd}`Ctrl`.",
                "see the chapter and the figure `Ctrl`.",
            ),
            ("as in \\eqref{eq:quad} (Figure \\@ref(fig:hist))", "as in"),
            ("so (see Figure \\@ref(fig:hist) and [@student1908]).", "so."),
            ("see @fig-plot now", "see the figure now"),
            ("@fig-plot is so. @tbl-b too ![](#x).", "The figure is so. The table too ![](#x)."),
            ("The advice in @sec-good-names, we.", "The advice in good names, we."),
            (
                "# S {#sec-s}\n\n![A](a.png){#fig-a}\n\nIn @sec-s, Figure @fig-a and [@fig-a].",
                "# S\n\n![A](a.png)\n\nIn S, Figure 1 and figure 1.",
            ),
            (
                "As @knuth1984 and @lecun2015deep say in [@xu_2013; @ng2001].",
                "As Knuth 1984 and Lecun 2015 say in Xu 2013, Ng 2001.",
            ),
            (
                "# Nets\n:label:`sec_nets`\n\nSee :numref:`sec_nets`, :numref:`sec_linear_models`:cite:`A.B.2001`.",
                "# Nets\n\nSee Nets, linear models.",
            ),
            (
                "![A](a.png)\n:width:`400px`\n:label:`fig_a`\n\nIn :numref:`fig_a` :citet:`Ng.2001`.",
                "![A](a.png)\n\nIn figure 1 Ng 2001.",
            ),
            (
                "(a)=\n## B\n\n{ref}`a`, {numref}`Figure %s <x>`, [](#a), [](c/dark-matter.md) {doc}`../big-data`",
                "## B\n\nB, the figure, B, dark matter big data",
            ),
            ("it is 10:30:`x`, @home and a@b.de", "it is 10:30:`x`, @home and a@b.de"),
            (
                r"推荐\emph{The Book}这本书 and \textbf{bold} \textsc{Name} \emph{a \b{c}}",
                r"推荐*The Book*这本书 and **bold** Name \emph{a \b{c}}",
            ),
            ("The mean is `r round(x, 1)`.", "The mean is."),
            ("--{{1}}--\nSpoken.", "Spoken."),
            ("a^[A note.] b", "a (A note.) b"),
            ("{{< youtube abc >}}\n\nA.", "A."),
            ("A wave {{< ref \"a.md\" >}}, it is.", "A wave, it is."),
            (
                "Read [this]({{ site.url }}{{ page.next }}) and [that]({% link _posts/a.md %}) (now).",
                "Read [this](#) and [that](#) (now).",
            ),
            ("![A map|100x80](a.png) ![[b.svg|A graph|300]]", "![A map](a.png) ![A graph](<b.svg>)"),
            ("![](a.svg){alt='A line graph, of the mean.' width=\"50%\"}", "![A line graph, of the mean.](a.svg)"),
            ("[a {[1,2] or b}]{.x k=\"v w\"} c", "a {[1,2] or b} c"),
            ("[small]{.smallcaps} and [red]{style=\"color:red\"} [x] {y}", "small and red [x] {y}"),
            ("{++new++} {--old--} {~~a~>b~~}{>>why<<} {/* no */} here", "new  b  here"),
            ("Fig.\\ 3 and C:\\ drive", "Fig. 3 and C:\\ drive"),
            ("It is [[(red)|blue]].", "It is red / blue."),
            ("{% include figure.html src=\"a.png\" caption='The [map]' %}", "![The map](<a.png>)"),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
        let mut formulas = crate::markup::formulas::Formulas::default();
        let mut context = super::super::context(&mut formulas, "", "");
        let line = Source::of("**注意：**直角三角形。这是**“重要”**的概念");
        let guarded = rewritten(&line, &mut context).unwrap().text.replace(GUARD, "|");
        assert_eq!(guarded, "**|注意：|**直角三角形。这是**|“重要”|**的概念");
    }
}
