//! Labels of formulas and what refers to them: of LaTeX, Quarto (`$$…$$ {#eq-x}`, `@eq-x`) and MyST (`:label: x`, `$$…$$ (x)`,
//! `` {eq}`x` ``, `[](#x)`).

use std::collections::BTreeSet;

use super::source::near;

/// Labels of one document that are looked at, and bytes of one of them.
const MOST: usize = 2_000;
const LONGEST: usize = 200;

/// What stands before a label that is referred to, and after it.
const REFERENCES: &[(&str, char)] = &[
    ("\\ref{", '}'),
    ("\\eqref{", '}'),
    ("\\autoref{", '}'),
    ("\\cref{", '}'),
    ("\\Cref{", '}'),
    ("{eq}`", '`'),
    ("](#", ')'),
];

/// The labels that something in a document refers to, in the order in which they are set: a lecturer numbers what is referred to.
pub(super) fn referred(text: &str) -> Vec<String> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    for (open, close) in REFERENCES {
        let labels = text.match_indices(open).filter_map(|(at, _)| ended(&text[at + open.len()..], *close));
        wanted.extend(labels.map(of_role).take(MOST));
    }
    wanted.extend(text.match_indices("@eq-").map(|(at, _)| quarto(&text[at + 1..])).take(MOST));
    // Most documents refer to nothing.
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut set: Vec<(usize, &str)> = Vec::new();
    let labels =
        text.match_indices("\\label{").filter_map(|(at, open)| Some((at, ended(&text[at + open.len()..], '}')?)));
    set.extend(labels.take(MOST));
    let after = text.match_indices("$$").filter_map(|(at, _)| Some((at, after_formula(&text[at + 2..])?.0)));
    set.extend(after.take(MOST));
    let options =
        text.match_indices(":label:").filter(|(at, _)| text[..*at].trim_end_matches([' ', '\t']).ends_with('\n'));
    set.extend(options.map(|(at, open)| (at, option(&text[at + open.len()..]))).take(MOST));
    set.sort_unstable();
    let mut numbered: Vec<String> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (_, label) in set {
        if wanted.contains(label) && known.insert(label) {
            numbered.push(label.to_owned());
        }
    }
    numbered
}

/// The label of `$$…$$ {#eq-x}` or `$$…$$ (x)`, of which `rest` is what stands behind the dollar signs; and how many bytes of it are to be
/// left out with it. Attributes are left out by their own rule.
pub(super) fn after_formula(rest: &str) -> Option<(&str, usize)> {
    let line = near(rest, LONGEST).lines().next()?;
    let spaces = line.len() - line.trim_start().len();
    let inside = &line[spaces..];
    if let Some(label) = inside.strip_prefix("{#").filter(|label| label.starts_with("eq-")) {
        return Some((quarto(label), 0));
    }
    let (label, after) = inside.strip_prefix('(')?.split_once(')')?;
    let name = |c: char| c.is_alphanumeric() || "-_:.".contains(c);
    let named = label.starts_with(|c: char| c.is_alphabetic()) && label.chars().all(name);
    (named && after.trim().is_empty()).then_some((label, spaces + label.len() + 2))
}

/// The label of an option `:label: x`, of which `rest` is what stands behind its name.
pub(super) fn option(rest: &str) -> &str {
    near(rest, LONGEST).lines().next().unwrap_or_default().trim()
}

/// `eq-name`, from its beginning on.
pub(super) fn quarto(rest: &str) -> &str {
    let rest = near(rest, LONGEST);
    let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_')).unwrap_or(rest.len());
    &rest[..end]
}

/// The label of a role: `x`, or `words <x>`.
pub(super) fn of_role(inside: &str) -> &str {
    let label = inside.rsplit_once('<').and_then(|(_, label)| label.strip_suffix('>'));
    label.unwrap_or(inside).trim()
}

fn ended(rest: &str, close: char) -> Option<&str> {
    near(rest, LONGEST + 1).split_once(close).map(|(label, _)| label.trim()).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::referred;
    use crate::markup::formulas::Formulas;
    use crate::markup::source::Source;

    #[test]
    fn what_is_referred_to_is_numbered_in_the_order_of_the_document() {
        let document = r"$$a\label{one}$$ $$b \label{two}$$ $$c\label{three}$$ See \eqref{three} and \ref{one}.";
        assert_eq!(referred(document), ["one", "three"]);
        let quarto = "$$\na\n$$ {#eq-a}\n\n$$ b $$ {#eq-b}\n\nBy @eq-b, not @fig-a.";
        assert_eq!(referred(quarto), ["eq-b"]);
        let myst =
            "```{math}\n:label: a\nx\n```\n\n$$ y $$ (b)\n\n$$ z $$ (c)\n\nSee {eq}`b`, {eq}`this one <a>` and [](#c).";
        assert_eq!(referred(myst), ["a", "b", "c"]);
        assert!(referred("$$ x $$ (a)\n\nNobody refers to it.").is_empty());
    }

    #[test]
    fn references_are_the_numbers_of_formulas() {
        let text = "$$ a $$ {#eq-a}\n\n$$ b $$ (b)\n\n```{math}\n:label: c\nx\n```\n\n\
                    See @eq-a, {eq}`b`, {eq}`c` and [](#b), not @eq-d.\n\n$$ d $$ (one)";
        let mut formulas = Formulas::default();
        let (made, remarks) = super::super::markdown(&Source::of(text), 0, &mut formulas);
        let shown: Vec<&str> = made.text.chars().filter_map(|c| Some(&*formulas.of(c)?.latex)).collect();
        assert_eq!(shown, [r"a\tag{1}", r"b\tag{2}", "d"]);
        assert!(made.text.contains("See (1), (2), (3) and (2), not."), "{}", made.text);
        assert!(made.text.contains("x\n\\label{c}") && !made.text.contains("(b)"), "{}", made.text);
        // What nobody refers to stays as it is written.
        assert!(made.text.contains("(one)"));
        let told: Vec<&str> = remarks.iter().map(|remark| &*remark.1).collect();
        assert_eq!(told, ["no formula has the label `eq-d`: the reference is left out"]);
    }
}
