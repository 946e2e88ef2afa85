//! What a document defines for its formulas.
#![allow(clippy::unwrap_used, reason = "tests")]

use formula::{Definitions, Dialect, read, referred, written};

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
fn what_is_referred_to_is_numbered() {
    let document = r"$$a\label{one}$$ $$b \label{two}$$ $$c\label{three}$$ See \eqref{three} and \ref{one}.";
    assert_eq!(referred(document), ["one", "three"]);
    let mut known = Definitions::default();
    for (index, label) in referred(document).iter().enumerate() {
        known.number(label, &(index + 1).to_string());
    }
    assert_eq!(known.resolve(r"c\label{three}").unwrap(), r"c\tag{2}");
    assert_eq!(known.resolve(r"b \label{two}").unwrap(), "b");
    assert_eq!(known.resolve(r"\text{by }\eqref{one}").unwrap(), r"\text{by }\text{(1)}");
    assert!(whole(&known.resolve(r"c\label{three}").unwrap()));
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
