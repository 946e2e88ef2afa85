//! What a document defines for its formulas.
#![allow(clippy::unwrap_used, reason = "tests")]

use formula::{Definitions, Dialect, read, written};

/// A formula as it is read without its document, and whether nothing had to be mended.
fn whole(source: &str) -> bool {
    read(source, &Definitions::default(), Dialect { lines: true, ..Dialect::default() })
        .is_ok_and(|reading| reading.faults.is_empty())
}

#[test]
fn macros_of_one_formula_hold_for_those_that_follow() {
    let mut known = Definitions::default();
    known.take("---\nheader-includes:\n  - \\newcommand{\\Hom}{\\operatorname{Hom}}\n---\n");
    let first = "\\newcommand{\\R}{\\mathbb{R}}\n\\newcommand{\\vect}[1]{\\mathbf{#1}}";
    assert_eq!(known.resolve(first), None);
    let used = known.resolve(r"\vect{x} \in \R, \Hom(\vect{x})").unwrap();
    assert!(whole(&used), "{used}");
    assert_eq!(written(&used), r"\vect{x} \in \R, \Hom(\vect{x})");
    // What is not used is not carried along.
    assert_eq!(known.resolve("x + y").unwrap(), "x + y");
    // One that has a macro's macro has both.
    known.take(r"\newcommand{\Rn}{\R^n}");
    assert!(whole(&known.resolve(r"f : \Rn \to \R").unwrap()));
}

#[test]
fn labels_become_tags_and_references_numbers() {
    let mut known = Definitions::default();
    known.number("one", "1");
    known.number("three", "2");
    assert_eq!(known.resolve(r"c\label{three}").unwrap(), r"c\tag{2}");
    assert_eq!(known.resolve(r"b \label{two}").unwrap(), "b");
    assert_eq!(known.resolve(r"\text{by }\eqref{one}").unwrap(), r"\text{by }\text{(1)}");
    assert!(whole(&known.resolve(r"c\label{three}").unwrap()));
}

#[test]
fn arguments_are_read_however_a_macro_wants_them() {
    for (definition, use_) in [
        (r"\def\pair(#1,#2){\langle #1|#2\rangle}", r"\pair(a,b_{1})"),
        (r"\def\half#1.{\frac{#1}{2}}", r"\half x. + 1"),
        (r"\newcommand{\R}[1][n]{\mathbb{R}^{#1}}", r"\R \R[m]"),
        (r"\NewDocumentCommand{\f}{O{n} m}{#1_{#2}}", r"\f{1} \f[m]{2}"),
        (r"\DeclarePairedDelimiter{\br}{\langle}{\rangle}", r"\br{x} \br*{x} \br[\big]{x}"),
        (r"\DeclarePairedDelimiterX\ip[2]{\langle}{\rangle}{#1\,\delimsize\vert\,#2}", r"\ip{a}{b} \ip*{a}{b}"),
        (r"\DeclarePairedDelimiterXPP{\Pro}[1]{\mathbb{P}}{(}{)}{}{#1}", r"\Pro*{A}"),
        (
            r"\newenvironment{sys}[1][c]{\left\{\begin{array}{#1}}{\end{array}\right.}",
            r"\begin{sys}[l] a \\ b \end{sys}",
        ),
        (r"\DeclareMathOperator*{\am}{arg\,max}", r"\am_x f"),
        (r"\DeclareSIUnit\mph{mi/h}", r"\SI{3}{\mph}"),
        (r"\colorlet{mine}{red!50!blue}", r"\textcolor{mine}{x}"),
    ] {
        // In a formula of its own, and in one after it.
        assert!(whole(&format!("{definition} {use_}")), "{definition} {use_}");
        let mut known = Definitions::default();
        assert_eq!(known.resolve(definition), None);
        let alone = known.resolve(use_).unwrap();
        assert!(whole(&alone), "{alone}");
        assert_eq!(written(&alone), use_);
    }
}

#[test]
fn faults_name_what_they_are_about() {
    let dialect = Dialect { lines: true, ..Dialect::default() };
    for (source, about) in [
        (r"\nosuch{x}", r"\nosuch"),
        (r"\begin{nosuch} x \end{nosuch}", "nosuch"),
        (r"\left( x", r"\left"),
        ("a}", "}"),
        (r"\SI{3}{\nounit}", r"\nounit"),
        (r"\textcolor{nocolour}{x}", r"\color"),
        (r"\eqref{nowhere}", r"\eqref"),
    ] {
        let reading = read(source, &Definitions::default(), dialect).unwrap();
        assert!(reading.faults.iter().any(|fault| fault.about == about), "{source}: {:?}", reading.faults);
        assert!(!reading.nodes.is_empty());
    }
}
