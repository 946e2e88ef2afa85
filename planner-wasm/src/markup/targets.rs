//! What references to figures, tables and sections stand for: a number, or the words of a heading. Formulas have numbers of their own
//! (`labels`).
//!
//! Labels are those of Quarto (`{#fig-x}`, `#| label: fig-x`), of MyST (`(x)=`, `:name: x`) and of d2l (`` :label:`fig_x` ``). What stands in
//! another file is not known.

use std::collections::BTreeMap;

use super::source::near;
use crate::document::language;

/// Labels of one document that are looked at, and bytes of one of them.
const MOST: usize = 2_000;
const LONGEST: usize = 200;
/// Bytes of a document by which its language is noticed.
const MOST_WORDS: usize = 30_000;

/// Marks of references, without which nothing is looked for.
const REFERENCES: &[&str] = &[
    "@fig-", "@tbl-", "@sec-", "@lst-", "@thm-", "@lem-", "@def-", "@exm-", "@exr-", "@cor-", "@prp-", "@ref(",
    "numref", "ref}`", "ref{", "[](#", ":ref:",
];

/// The labels of one document.
#[derive(Debug, Default)]
pub(super) struct Targets {
    all: BTreeMap<String, Target>,
    language: &'static str,
}

/// What one label stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// The words of a heading.
    Title(String),
    /// The number of a figure, a table or a program, by its order among those with a label.
    Number(Kind, usize),
}

/// What a label names, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Figure,
    Table,
    Listing,
    Other,
}

impl Kind {
    fn of(label: &str) -> Self {
        match label.split(['-', '_', ':', '.']).next().unwrap_or_default() {
            "fig" | "img" | "figure" => Self::Figure,
            "tbl" | "tab" | "table" => Self::Table,
            "lst" | "code" | "listing" => Self::Listing,
            _ => Self::Other,
        }
    }

    /// What a directive of MyST shows.
    fn of_directive(name: &str) -> Option<Self> {
        match name {
            "figure" | "image" | "figure-md" => Some(Self::Figure),
            "table" | "list-table" | "csv-table" => Some(Self::Table),
            "code-block" | "code-cell" | "code" => Some(Self::Listing),
            _ => None,
        }
    }

    fn word(self, language: &str) -> &'static str {
        let words = match language {
            "de" => ["Abbildung", "Tabelle", "Listing"],
            "fr" => ["figure", "tableau", "listing"],
            "es" => ["figura", "tabla", "listado"],
            "pt" => ["figura", "tabela", "listagem"],
            "it" => ["figura", "tabella", "listato"],
            "ru" => ["рисунок", "таблица", "листинг"],
            "zh" => ["图", "表", "代码"],
            "ja" => ["図", "表", "コード"],
            "tr" => ["şekil", "tablo", "kod"],
            "vi" => ["hình", "bảng", "mã"],
            _ => ["figure", "table", "listing"],
        };
        match self {
            Self::Figure => words[0],
            Self::Table => words[1],
            Self::Listing => words[2],
            Self::Other => "",
        }
    }
}

impl Targets {
    /// Those of a document, if it refers to anything.
    pub(super) fn of(text: &str) -> Self {
        let mut targets = Self::default();
        if !REFERENCES.iter().any(|mark| text.contains(mark)) {
            return targets;
        }
        targets.language = language::detected(near(text, MOST_WORDS)).unwrap_or("en");
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        // The words of the heading before this line, and the label that stands for the next one.
        let (mut heading, mut waiting) = ("", None);
        // What the directive that was opened last shows.
        let mut directive = None;
        for line in text.lines() {
            let bare = line.trim();
            if bare.is_empty() {
                continue;
            }
            if let Some(name) = bare.trim_start_matches(['`', ':']).strip_prefix('{') {
                directive = Kind::of_directive(name.split('}').next().unwrap_or_default());
            }
            let title = bare.trim_start_matches('#');
            let title = title.strip_prefix(' ').filter(|_| title.len() < bare.len());
            let words = title.map(|title| title.split(" {").next().unwrap_or(title).trim());
            let label = label_of(bare);
            if let (Some(words), Some(label)) = (words, waiting.take()) {
                targets.insert(label, Target::Title(words.to_owned()));
            }
            if let Some(label) = label {
                let option = bare.starts_with(":name:") || bare.starts_with(":label: ");
                let kind = match Kind::of(label) {
                    Kind::Other if option => directive.unwrap_or(Kind::Other),
                    kind => kind,
                };
                match words.or(Some(heading).filter(|words| !words.is_empty())) {
                    _ if kind != Kind::Other => {
                        let number = counts.entry(kind).or_default();
                        *number += usize::from(!targets.all.contains_key(label));
                        let number = *number;
                        targets.insert(label, Target::Number(kind, number));
                    }
                    Some(words) => targets.insert(label, Target::Title(words.to_owned())),
                    None if option => {}
                    // `(label)=` stands before its heading.
                    None => waiting = Some(label),
                }
            }
            // A label may stand in the line below its heading.
            heading = words.unwrap_or_default();
        }
        targets
    }

    fn insert(&mut self, label: &str, target: Target) {
        // Formulas have been taken out of the text that it would be put into.
        let formula = matches!(&target, Target::Title(words) if words.contains(['$', '\\']));
        if self.all.len() < MOST && !formula {
            self.all.entry(label.to_owned()).or_insert(target);
        }
    }

    /// What a reference to `label` is read as; none when nothing here has it. `named` says that a word such as "Figure" stands before it.
    pub(super) fn words(&self, label: &str, named: bool) -> Option<String> {
        match self.all.get(label)? {
            Target::Title(words) => Some(words.clone()),
            Target::Number(_, number) if named => Some(number.to_string()),
            Target::Number(kind, number) => Some(format!("{} {number}", kind.word(self.language))),
        }
    }

    /// The words of a reference that has a place for a number, `Figure %s`, without the number.
    pub(super) fn unnumbered(&self, words: &str) -> String {
        let bare = words.replace("%s", "").replace("{number}", "");
        let bare = bare.trim();
        if self.language == "en" && !bare.is_empty() { format!("the {}", bare.to_lowercase()) } else { bare.to_owned() }
    }

    /// What a reference to something that is not here is read as, so that its sentence has no hole: what it is, or the words of its label.
    pub(super) fn unknown(&self, label: &str) -> String {
        match Kind::of(label) {
            Kind::Other => in_words(label),
            kind if self.language == "en" => format!("the {}", kind.word("en")),
            kind => kind.word(self.language).to_owned(),
        }
    }
}

/// A label without its kind and its marks: `sec_linear_regression` as "linear regression".
pub(super) fn in_words(label: &str) -> String {
    const KINDS: &[&str] = &[
        "sec",
        "chap",
        "ch",
        "chapter",
        "section",
        "subsec",
        "subsection",
        "thm",
        "lem",
        "def",
        "exr",
        "exm",
        "cor",
        "prp",
        "eq",
    ];
    let name = label.rsplit('/').next().unwrap_or(label);
    let name = name.strip_suffix(".md").or_else(|| name.strip_suffix(".ipynb")).unwrap_or(name);
    let marks = ['-', '_', ':', '.'];
    let bare = name.split_once(marks).filter(|(kind, rest)| KINDS.contains(kind) && !rest.is_empty());
    let words = bare.map_or(name, |(_, rest)| rest);
    words.split(marks).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The label that a line sets.
fn label_of(line: &str) -> Option<&str> {
    let line_end = |rest: &'static str| line.starts_with('(').then_some(rest);
    let name = |label: &str| {
        !label.is_empty()
            && label.len() <= LONGEST
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/'))
    };
    let label = if let Some(inside) = line_end(")=").and_then(|end| line[1..].strip_suffix(end)) {
        inside
    } else if let Some(inside) =
        line.strip_prefix(":label:`").or_else(|| line.split_once(" :label:`").map(|(_, rest)| rest))
    {
        inside.split('`').next()?
    } else if let Some(rest) = [":name:", ":label: ", "#| label:"].iter().find_map(|option| line.strip_prefix(option)) {
        rest.trim()
    } else {
        let (_, rest) = line.split_once("{#")?;
        rest.split(['}', ' ']).next()?
    };
    name(label).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_numbers_or_the_words_of_their_heading() {
        let text = "# Sampling {#sec-s}\n\n![A](a.png){#fig-a}\n\n![B](b.png)\n:label:`fig_b`\n\n(next)=\n## Next *one*\n\n\
                    ## Linear regression\n:label:`sec_lr`\n\n```{figure} c.png\n:name: fig-c\nC\n```\n\n\
                    :::{figure} d.png\n:label: cat\n:::\n\n: T {#tbl-t}\n\nSee @fig-a.";
        let targets = Targets::of(text);
        for (label, words) in [
            ("sec-s", "Sampling"),
            ("fig-a", "figure 1"),
            ("fig_b", "figure 2"),
            ("fig-c", "figure 3"),
            ("cat", "figure 4"),
            ("tbl-t", "table 1"),
            ("next", "Next *one*"),
            ("sec_lr", "Linear regression"),
        ] {
            assert_eq!(targets.words(label, false).as_deref(), Some(words), "{label}");
        }
        assert_eq!(targets.words("fig-c", true).as_deref(), Some("3"));
        assert_eq!(targets.words("sec_x", false), None);
        assert_eq!((targets.unknown("sec_x_y"), targets.unknown("fig_z")), ("x y".to_owned(), "the figure".to_owned()));
        assert_eq!(in_words("../a/dark-matter.md"), "dark matter");
    }
}
