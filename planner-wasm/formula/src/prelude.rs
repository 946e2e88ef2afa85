//! Macros that people use and RaTeX does not have, from the packages that lecturers load: name and body, with `#1` for an argument.

use std::collections::HashMap;
use std::sync::LazyLock;

use ratex_parser::Parser;
use ratex_parser::macro_expander::MacroExpander;

use crate::cursor::{Cursor, Piece};

/// A name and its body.
type Macro = (&'static str, &'static str);

static BY_NAME: LazyLock<HashMap<&str, &Macro>> =
    LazyLock::new(|| MACROS.iter().map(|known| (known.0, known)).collect());

/// Those that RaTeX knows by another body: its own macros may expand to their names.
static REPLACED: LazyLock<Vec<&Macro>> = LazyLock::new(|| {
    let ratex = Parser::new("").gullet;
    MACROS.iter().filter(|known| ratex.is_defined(known.0)).collect()
});

/// The macros that sources can expand to, for the parser that is to read them: to set all of them takes several times as long as to read a
/// usual formula.
pub(crate) fn reached<'a>(
    sources: impl IntoIterator<Item = &'a str>,
    ratex: &MacroExpander<'_>,
) -> Vec<&'static Macro> {
    let mut reached: Vec<&Macro> = Vec::new();
    let mut expands = false;
    let mut waiting: Vec<&str> = sources.into_iter().collect();
    while let Some(source) = waiting.pop() {
        let mut cursor = Cursor::new(source);
        while let Some(piece) = cursor.next() {
            let (known, may_expand) = match piece {
                Piece::Command(name) => (BY_NAME.get(name), !expands && ratex.get_macro(name).is_some()),
                Piece::Letter(letter) => (None, !expands && may_expand(letter)),
            };
            expands |= may_expand;
            let replaced = if may_expand { REPLACED.as_slice() } else { &[] };
            for known in known.into_iter().chain(replaced) {
                if !reached.iter().any(|other| std::ptr::eq(*other, *known)) {
                    reached.push(known);
                    waiting.push(known.1);
                }
            }
        }
    }
    reached
}

/// Whether a letter may be a macro of RaTeX.
fn may_expand(letter: char) -> bool {
    letter == '~' || !letter.is_ascii()
}

const MACROS: &[(&str, &str)] = &[
    // TeX has three signs here, and programs for Manim count them.
    ("\\ldots", "\\mathinner{\\ldotp\\ldotp\\ldotp}"),
    ("\\cdots", "\\mathinner{\\cdotp\\cdotp\\cdotp}"),
    ("\\hdots", "\\ldots"),
    // amsmath, mathtools, amssymb.
    ("\\dddot", "\\overset{\\raisebox{-0.1ex}{$\\scriptstyle\\ldotp\\!\\ldotp\\!\\ldotp$}}{#1}"),
    ("\\ddddot", "\\overset{\\raisebox{-0.1ex}{$\\scriptstyle\\ldotp\\!\\ldotp\\!\\ldotp\\!\\ldotp$}}{#1}"),
    ("\\widebar", "\\overline{#1}"),
    ("\\vv", "\\overrightarrow{#1}"),
    ("\\wideparen", "\\overgroup{#1}"),
    ("\\overarc", "\\overgroup{#1}"),
    ("\\arc", "\\overgroup{#1}"),
    ("\\uline", "\\underline{#1}"),
    ("\\toprule", "\\hline"),
    ("\\midrule", "\\hline"),
    ("\\bottomrule", "\\hline"),
    ("\\iddots", "⋰"),
    ("\\adots", "⋰"),
    ("\\argmax", "\\operatorname*{arg\\,max}"),
    ("\\argmin", "\\operatorname*{arg\\,min}"),
    ("\\lcm", "\\operatorname{lcm}"),
    ("\\sgn", "\\operatorname{sgn}"),
    ("\\sign", "\\operatorname{sign}"),
    ("\\diag", "\\operatorname{diag}"),
    ("\\Var", "\\operatorname{Var}"),
    ("\\Cov", "\\operatorname{Cov}"),
    ("\\rank", "\\operatorname{rank}"),
    ("\\erf", "\\operatorname{erf}"),
    ("\\tr", "\\operatorname{tr}"),
    ("\\Tr", "\\operatorname{Tr}"),
    ("\\Res", "\\operatorname{Res}"),
    ("\\asin", "\\operatorname{asin}"),
    ("\\acos", "\\operatorname{acos}"),
    ("\\atan", "\\operatorname{atan}"),
    ("\\sech", "\\operatorname{sech}"),
    ("\\csch", "\\operatorname{csch}"),
    ("\\arccot", "\\operatorname{arccot}"),
    ("\\arcsec", "\\operatorname{arcsec}"),
    ("\\arccsc", "\\operatorname{arccsc}"),
    ("\\arcsinh", "\\operatorname{arcsinh}"),
    ("\\arccosh", "\\operatorname{arccosh}"),
    ("\\arctanh", "\\operatorname{arctanh}"),
    ("\\arsinh", "\\operatorname{arsinh}"),
    ("\\arcosh", "\\operatorname{arcosh}"),
    ("\\artanh", "\\operatorname{artanh}"),
    ("\\bbR", "\\mathbb{R}"),
    ("\\bbN", "\\mathbb{N}"),
    ("\\bbZ", "\\mathbb{Z}"),
    ("\\bbQ", "\\mathbb{Q}"),
    ("\\bbC", "\\mathbb{C}"),
    ("\\bbE", "\\mathbb{E}"),
    ("\\bbP", "\\mathbb{P}"),
    ("\\Q", "\\mathbb{Q}"),
    ("\\C", "\\mathbb{C}"),
    ("\\dotsint", "\\int\\!\\cdots\\!\\int"),
    ("\\idotsint", "\\int\\!\\cdots\\!\\int"),
    ("\\newline", "\\\\"),
    ("\\shortparallel", "\\parallel"),
    ("\\ointctrclockwise", "\\oint"),
    ("\\ointclockwise", "\\oint"),
    ("\\varointclockwise", "\\oint"),
    ("\\bigint", "\\int"),
    ("\\fint", "{\\mathrel{\\rlap{\\;-}}\\!\\!\\int}"),
    ("\\dashint", "{\\mathrel{\\rlap{\\;-}}\\!\\!\\int}"),
    ("\\independent", "\\mathrel{\\perp\\!\\!\\!\\perp}"),
    ("\\indep", "\\mathrel{\\perp\\!\\!\\!\\perp}"),
    ("\\Perp", "\\mathrel{\\perp\\!\\!\\!\\perp}"),
    ("\\slashed", "\\cancel{#1}"),
    ("\\mathpzc", "\\mathcal{#1}"),
    ("\\mathup", "\\mathrm{#1}"),
    ("\\mathbold", "\\boldsymbol{#1}"),
    ("\\mathbfit", "\\boldsymbol{#1}"),
    ("\\mathbfcal", "\\boldsymbol{\\mathcal{#1}}"),
    ("\\symbf", "\\mathbf{#1}"),
    ("\\symup", "\\mathrm{#1}"),
    ("\\symit", "\\mathit{#1}"),
    ("\\symcal", "\\mathcal{#1}"),
    ("\\symfrak", "\\mathfrak{#1}"),
    ("\\symsf", "\\mathsf{#1}"),
    ("\\bs", "\\boldsymbol{#1}"),
    ("\\bold", "\\mathbf{#1}"),
    ("\\vec*", "\\vec{#1}"),
    // Signs in words and of units.
    ("\\euro", "\\text{€}"),
    ("\\texteuro", "\\text{€}"),
    ("\\EUR", "\\text{€}"),
    ("\\cent", "\\text{¢}"),
    ("\\textcent", "\\text{¢}"),
    ("\\textyen", "\\text{¥}"),
    ("\\degree", "\\TextOrMath{\\text{°}}{{^\\circ}}"),
    ("\\textdegree", "\\text{°}"),
    ("\\celsius", "{^\\circ\\mathrm{C}}"),
    ("\\degreeCelsius", "{^\\circ\\mathrm{C}}"),
    ("\\ohm", "\\mathrm{\\Omega}"),
    ("\\micro", "\\mathrm{\\mu}"),
    ("\\upmu", "\\mathrm{\\mu}"),
    ("\\textmu", "\\text{µ}"),
    ("\\permil", "\\text{‰}"),
    ("\\perthousand", "\\text{‰}"),
    ("\\textperthousand", "\\text{‰}"),
    ("\\textonehalf", "\\text{½}"),
    ("\\textbullet", "\\bullet"),
    ("\\textperiodcentered", "\\cdot"),
    ("\\textgreater", "\\text{>}"),
    ("\\textless", "\\text{<}"),
    ("\\textquoteright", "\\text{'}"),
    ("\\textquotesingle", "\\text{'}"),
    ("\\guillemotleft", "\\text{«}"),
    ("\\guillemotright", "\\text{»}"),
    ("\\LaTeXe", "\\LaTeX"),
    ("\\xspace", ""),
    ("\\textsuperscript", "\\TextOrMath{$^{\\text{#1}}$}{{}^{\\text{#1}}}"),
    ("\\textsubscript", "\\TextOrMath{$_{\\text{#1}}$}{{}_{\\text{#1}}}"),
    ("\\cmark", "\\text{✓}"),
    ("\\xmark", "\\text{✗}"),
    ("\\female", "\\text{♀}"),
    ("\\male", "\\text{♂}"),
    ("\\lightning", "\\text{↯}"),
    // Upright Greek.
    ("\\upalpha", "\\mathrm{\\alpha}"),
    ("\\upbeta", "\\mathrm{\\beta}"),
    ("\\upgamma", "\\mathrm{\\gamma}"),
    ("\\updelta", "\\mathrm{\\delta}"),
    ("\\uppi", "\\mathrm{\\pi}"),
    ("\\uptau", "\\mathrm{\\tau}"),
    ("\\upomega", "\\mathrm{\\omega}"),
    // physics.
    ("\\vdot", "\\boldsymbol{\\cdot}"),
    ("\\vectordot", "\\boldsymbol{\\cdot}"),
    ("\\cp", "\\times"),
    ("\\cross", "\\times"),
    ("\\crossproduct", "\\times"),
    ("\\pv", "\\mathcal{P}"),
    ("\\principalvalue", "\\mathcal{P}"),
    ("\\qand", "\\quad\\text{and}\\quad "),
    ("\\qor", "\\quad\\text{or}\\quad "),
    ("\\qif", "\\quad\\text{if}\\quad "),
    ("\\qthen", "\\quad\\text{then}\\quad "),
    ("\\qwhere", "\\quad\\text{where}\\quad "),
    ("\\qfor", "\\quad\\text{for}\\quad "),
    ("\\qas", "\\quad\\text{as}\\quad "),
    ("\\qcc", "\\quad\\text{c.c.}\\quad "),
    ("\\qc", ",\\quad "),
    ("\\qcomma", ",\\quad "),
    ("\\hc", "\\text{h.c.}"),
    ("\\qelse", "\\quad\\text{else}\\quad "),
    ("\\qotherwise", "\\quad\\text{otherwise}\\quad "),
    ("\\qunless", "\\quad\\text{unless}\\quad "),
    ("\\qgiven", "\\quad\\text{given}\\quad "),
    ("\\qusing", "\\quad\\text{using}\\quad "),
    ("\\qassume", "\\quad\\text{assume}\\quad "),
    ("\\qsince", "\\quad\\text{since}\\quad "),
    ("\\qlet", "\\quad\\text{let}\\quad "),
    ("\\qall", "\\quad\\text{all}\\quad "),
    ("\\qeven", "\\quad\\text{even}\\quad "),
    ("\\qodd", "\\quad\\text{odd}\\quad "),
    ("\\qinteger", "\\quad\\text{integer}\\quad "),
    ("\\qin", "\\quad\\text{in}\\quad "),
    ("\\dotproduct", "\\boldsymbol{\\cdot}"),
    ("\\exponential", "\\exp"),
    ("\\logarithm", "\\log"),
    ("\\naturallogarithm", "\\ln"),
    ("\\determinant", "\\det"),
    ("\\probability", "\\Pr"),
    ("\\imaginary", "\\Im"),
    ("\\PV", "\\operatorname{P.V.}"),
    ("\\acsc", "\\operatorname{acsc}"),
    ("\\asec", "\\operatorname{asec}"),
    ("\\acot", "\\operatorname{acot}"),
    // mathtools, amsmath, amssymb.
    ("\\splitfrac", "\\genfrac{}{}{0pt}{1}{#1\\quad}{\\quad #2}"),
    ("\\splitdfrac", "\\genfrac{}{}{0pt}{0}{#1\\quad}{\\quad #2}"),
    ("\\nuparrow", "\\mathrel{\\cancel{\\uparrow}}"),
    ("\\ndownarrow", "\\mathrel{\\cancel{\\downarrow}}"),
    ("\\bigtimes", "\\mathop{\\vcenter{\\Large\\times}}"),
    ("\\bigsqcap", "\\mathop{\\vcenter{\\Large\\sqcap}}"),
    ("\\underoverset", "\\overset{#2}{\\underset{#1}{#3}}"),
    ("\\lefteqn", "{#1}"),
    ("\\iiiint", "\\mathop{\\iint\\!\\!\\!\\iint}"),
    ("\\sumint", "\\mathop{\\mathrlap{\\,\\int}\\sum}"),
    ("\\intlimits", "\\int\\limits"),
    ("\\dasharrow", "\\dashrightarrow"),
    ("\\arrowvert", "\\vert"),
    ("\\Arrowvert", "\\Vert"),
    ("\\bracevert", "\\vert"),
    ("\\mapsfrom", "\\mathrel{\\text{↤}}"),
    ("\\longmapsfrom", "\\mathrel{\\text{⟻}}"),
    ("\\diameter", "\\text{⌀}"),
    ("\\overparen", "\\overgroup{#1}"),
    ("\\underparen", "\\undergroup{#1}"),
    ("\\undertilde", "\\utilde{#1}"),
    ("\\ubar", "\\underline{#1}"),
    ("\\uuline", "\\underline{\\underline{#1}}"),
    ("\\faktor", "{\\raisebox{0.2em}{$#1$}\\!/\\!\\raisebox{-0.2em}{$#2$}}"),
    ("\\nicefrac", "{{}^{#1}\\!/\\!{}_{#2}}"),
    ("\\sfrac", "{{}^{#1}\\!/\\!{}_{#2}}"),
    ("\\mathlarger", "{\\large #1}"),
    ("\\mathsmaller", "{\\small #1}"),
    ("\\circled", "\\text{\\textcircled{#1}}"),
    ("\\texttrademark", "\\text{™}"),
    ("\\textellipsis", "\\ldots "),
    ("\\textendash", "\\text{–}"),
    ("\\textemdash", "\\text{—}"),
    ("\\oldstylenums", "{#1}"),
    // bm, mhchem.
    ("\\hm", "\\boldsymbol{#1}"),
    ("\\mathbfsf", "\\boldsymbol{\\mathsf{#1}}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of a source, with some macros set.
    fn tree(source: &str, macros: &[&Macro]) -> String {
        let mut parser = Parser::new(source);
        for (name, body) in macros {
            parser.gullet.set_text_macro(name, body);
        }
        format!("{:?}", parser.parse().map_err(|error| error.message))
    }

    #[test]
    fn macros_that_are_not_set_would_change_nothing() {
        let formulas = include_str!("../../../tests/fixtures/formulas.txt").lines().map(str::to_owned);
        let each = MACROS
            .iter()
            .flat_map(|(name, body)| [format!("a {name}{{b}} c"), format!("\\text{{{name} x}}"), (*body).to_owned()]);
        // What RaTeX expands to names that have another body here.
        let expanding = [
            "a\\dots+b",
            "a,\\dots,b",
            "\\dotsb",
            "\\dotsx",
            "\\dotsi",
            "\\int\\dots\\int",
            "a…b",
            "\\ce{H2O ... x}",
            "x~y",
            "x²",
        ];
        let expanding = expanding.map(str::to_owned);
        let all: Vec<&Macro> = MACROS.iter().collect();
        for source in formulas.chain(each).chain(expanding) {
            let reached = reached([&*source], &Parser::new("").gullet);
            assert_eq!(tree(&source, &reached), tree(&source, &all), "{source}");
        }
    }

    #[test]
    fn a_formula_of_letters_and_functions_needs_no_macros() {
        let reached = |source| reached([source], &Parser::new("").gullet).len();
        assert_eq!(reached("x_{1}^2 + \\frac{a}{b} = \\sqrt{1}"), 0);
        assert_eq!(reached("\\bbR"), 1);
        assert!(reached("\\dots") > 1);
    }

    #[test]
    fn no_letter_of_ascii_but_the_tie_is_a_macro() {
        let ratex = Parser::new("").gullet;
        for letter in (0..128_u8).map(char::from) {
            assert!(may_expand(letter) || ratex.get_macro(letter.encode_utf8(&mut [0; 4])).is_none(), "{letter}");
        }
    }
}
