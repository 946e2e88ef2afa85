//! A formula as words, as a teacher reads it aloud, in the lesson's language where that is known here.

mod bars;
mod brackets;
mod fraction;
mod idiom;
mod pairs;
mod row;
mod said;
mod scripts;
mod sign;
mod table;
mod unit;

use ratex_parser::ParseNode;

use self::row::SPEAKER;
use self::said::spoken;
pub(crate) use self::said::tidy;
use super::locale::Locale;
use crate::latex::{self, Row};
use crate::storyboard::SpokenPart;

/// The words of a formula; of one that can't be understood, its letters and numbers, never its markup. A command that is not known is
/// shown and has no words.
pub(crate) fn words(source: &str, locale: &'static Locale) -> String {
    // What it defines and what its commands are called is markup.
    let Ok(row) = latex::parse(source) else { return letters(&without_commands(&latex_reader::written(source))) };
    let said = spoken(&row, locale, SPEAKER);
    // Nothing but what is not known.
    if said.is_empty() { letters(source) } else { said }
}

/// Bytes of a formula whose parts have words, and how many of them: longer ones are lines of a derivation.
const LONGEST_DIVIDED: usize = 1_000;

const MOST_PARTS: usize = 40;

/// How the parts of a formula are read aloud, by the names that a highlight has for them. Those whose words are not among the words of the
/// whole are left out: nobody hears the exponent of "x squared".
pub(crate) fn parts(source: &str, locale: &'static Locale) -> Vec<SpokenPart> {
    if source.len() > LONGEST_DIVIDED {
        return Vec::new();
    }
    let read = latex::read(source);
    let Some(reading) = read.as_ref().as_ref().ok().filter(|reading| reading.faults.is_empty()) else {
        return Vec::new();
    };
    let whole = format!(" {} ", spoken(&latex::row(&reading.nodes), locale, SPEAKER));
    let mut rows: Vec<Row> = Vec::new();
    let names = latex_reader::parts::named(reading.nodes.clone(), &mut |part, nodes: &[ParseNode]| {
        if part < MOST_PARTS {
            rows.resize_with(rows.len().max(part + 1), Row::new);
            rows[part].extend(latex::row(nodes));
        }
    });
    let heard = |(part, row): (String, Row)| {
        let words = spoken(&row, locale, SPEAKER);
        let among = |bare: &str| {
            !bare.is_empty()
                && whole.match_indices(bare).any(|(at, _)| {
                    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                    !letter(whole[..at].chars().next_back()) && !letter(whole[at + bare.len()..].chars().next())
                })
        };
        let bare = words.trim_end_matches([',', '.']).to_owned();
        // A term's sign is an operation in the whole.
        let operation = || {
            let term = bare.strip_prefix(locale.say("minus:sign"))?;
            Some(format!("{}{term}", locale.say("minus"))).filter(|bare| among(bare))
        };
        let words = if among(&bare) { Some(bare) } else { operation() };
        words.map(|words| SpokenPart { part, words })
    };
    names.into_iter().zip(rows).filter_map(heard).collect()
}

/// Bytes of what may be a formula within words.
const LONGEST_IN_WORDS: usize = 400;

/// The words of what may be a formula: its letters and numbers unless all of it is understood.
pub(crate) fn words_if_whole(source: &str, locale: &'static Locale) -> String {
    // Within words nobody writes longer ones, and reading them takes time.
    if source.len() > LONGEST_IN_WORDS {
        return letters(source);
    }
    latex::parse_whole(source).map_or_else(|| letters(source), |row| spoken(&row, locale, SPEAKER))
}

/// Whether all of what may be a formula within words is understood.
pub(crate) fn is_whole(source: &str) -> bool {
    source.len() <= LONGEST_IN_WORDS && latex::parse_whole(source).is_some()
}

/// A formula without the names of its commands, and of its environments.
fn without_commands(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        out.push(' ');
        let name = &rest[at + 1..];
        let letters = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
        rest = &name[letters..];
        if matches!(&name[..letters], "begin" | "end") {
            rest = rest.split_once('}').map_or("", |(_, rest)| rest);
        }
    }
    out.push_str(rest);
    out
}

/// What is left of a formula without its markup.
fn letters(source: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '.' | ',') { c } else { ' ' };
    tidy(&source.chars().map(keep).collect::<String>())
}

#[cfg(test)]
mod heard;

#[cfg(test)]
mod tests {
    use super::super::locale::Locale;
    use super::{parts, words};

    #[test]
    fn parts_have_the_words_that_are_heard_of_them() {
        let heard = |source: &str| {
            let parts = parts(source, Locale::english());
            parts.into_iter().map(|part| format!("{}: {}", part.part, part.words)).collect::<Vec<_>>()
        };
        assert_eq!(
            heard(r"x^2 + \frac{a+b}{c} = \sqrt{y}"),
            [
                "side 1: x squared plus a plus b, all over c",
                "term 1: x squared",
                "term 2: plus a plus b, all over c",
                "fraction 1: a plus b, all over c",
                "numerator 1: a plus b",
                "term 3: a",
                "term 4: plus b",
                "denominator 1: c",
                "side 2: the square root of y",
                "root 1: the square root of y",
                "radicand 1: y",
            ]
        );
        // Its author's name; what can't be read has no words.
        assert!(heard(r"a + \htmlId{here}{b c}").contains(&"here: b c".to_owned()));
        assert!(heard(r"a + \nosuch b").is_empty());
        assert!(heard("x").is_empty());
    }

    #[test]
    fn a_condition_in_words_is_said_once() {
        let cases = r"\begin{cases} x & \text{if } x \ge 0 \\ -x & \text{otherwise} \\ 1 & x = 3 \end{cases}";
        let said = "x if x is at least 0, minus x otherwise, 1 if x equals 3";
        assert_eq!(words(cases, Locale::english()), said);
    }

    #[test]
    fn no_command_is_heard_of_what_can_not_be_read() {
        assert_eq!(words(r"\def\a{\a\a} x \a", Locale::english()), "x");
    }

    #[test]
    fn formulas_are_read_as_a_teacher_reads_them() {
        for (source, said) in [
            ("a^2 + b^2 = c^2", "a squared plus b squared equals c squared"),
            (r"\frac{1}{2}", "one half"),
            (r"\frac34", "three quarters"),
            (r"\frac{x}{y}", "x over y"),
            (r"\frac{a+b}{c}", "a plus b, all over c"),
            (r"\sqrt{x+1}", "the square root of x plus 1"),
            (r"\sqrt[3]{8}", "the cube root of 8"),
            (r"2 \times 3 = 6", "2 times 3 equals 6"),
            (r"\sum_{k=1}^{n} k", "the sum from k equals 1 to n of k"),
            (r"\int_0^1 x^2 \, dx", "the integral from 0 to 1 of x squared d x"),
            (r"\lim_{x \to 0} \frac{\sin x}{x}", "the limit as x goes to 0 of sine x over x"),
            (r"\alpha + \beta \leq \pi", "alpha plus beta is at most pi"),
            ("x_1 + x_2", "x sub 1 plus x sub 2"),
            ("f(x) = 2x", "f of x equals 2 x"),
            ("(a+b)^2", "the quantity a plus b, all squared"),
            ("2(a+b)", "2 times the quantity a plus b"),
            ("f'(x)", "f prime of x"),
            (r"\frac{dy}{dx}", "d y by d x"),
            ("|x|", "the absolute value of x"),
            ("90^\\circ", "90 degrees"),
            (r"\binom{n}{k}", "n choose k"),
            (r"\log_2 n", "log base 2 of n"),
            (r"\vec{v}", "the vector v"),
            (r"x^{n+1}", "x to the power of n plus 1"),
            (r"n!", "n factorial"),
            ("-1", "minus 1"),
            ("e^{i\\pi} = -1", "e to the power of i pi equals minus 1"),
            // Names of functions without their backslash.
            ("exp(x) + sin(2x)", "the exponential of x plus sine of 2 x"),
            ("log_2(n)", "log base 2 of n"),
            ("sinus(x)", "s i n u s of x"),
            (r"(f \circ g)(x)", "f composed with g of x"),
            (r"(f + g)(x)", "the quantity f plus g, of x"),
            (r"a \equiv b \pmod{n}", "a is congruent to b modulo n"),
        ] {
            assert_eq!(words(source, Locale::of("en")), said, "{source}");
        }
    }

    #[test]
    fn units_are_whole_however_they_are_written() {
        for (source, said) in [
            (r"9.81\,\mathrm{m/s^2}", "9.81 metres per second squared"),
            (r"9.8\,\mathrm{m\,s^{-2}}", "9.8 metres per second squared"),
            (r"\SI{9.81}{\meter\per\second\squared}", "9.81 metres per second squared"),
            (r"\qty{8.314}{\joule\per\mol\per\kelvin}", "8.314 joules per mole per kelvin"),
            (r"\SI{5}{\kilo\gram}", "5 kilograms"),
            (r"m = 3\text{ kg}, t = 2\,\mathrm{s}", "m equals 3 kilograms, t equals 2 seconds"),
            (r"2\,\mathrm{N}\,\mathbf{x}", "2 newtons x"),
            (r"9{,}81\,\mathrm{m}", "9,81 metres"),
        ] {
            assert_eq!(words(source, Locale::of("en")), said, "{source}");
        }
        let german = "9,81 Meter pro Sekunde zum Quadrat";
        assert_eq!(words(r"9{,}81\,\mathrm{m}\,\mathrm{s}^{-2}", Locale::of("de")), german);
    }

    #[test]
    fn formulas_are_read_in_the_lessons_language() {
        for (source, german, french, spanish) in [
            (
                "a^2 + b^2 = c^2",
                "a Quadrat plus b Quadrat gleich c Quadrat",
                "a au carré plus b au carré égale c au carré",
                "a al cuadrado más b al cuadrado es igual a c al cuadrado",
            ),
            (r"\frac{3}{4}", "drei Viertel", "trois quarts", "tres cuartos"),
            (
                r"\sqrt[5]{x} \leq \pi",
                "die 5-te Wurzel aus x ist höchstens Pi",
                "la racine 5-ième de x est au plus pi",
                "la raíz 5-ésima de x es como mucho pi",
            ),
            (
                r"\lim_{x \to 0} \frac{\sin x}{x}",
                "der Grenzwert für x gegen 0 von Sinus x durch x",
                "la limite quand x tend vers 0 de sinus x sur x",
                "el límite cuando x tiende a 0 de seno x sobre x",
            ),
            (
                r"\sum_{k=1}^{n} k",
                "die Summe von k gleich 1 bis n von k",
                "la somme de k égale 1 à n de k",
                "la suma desde k es igual a 1 hasta n de k",
            ),
        ] {
            for (language, said) in [("de", german), ("fr-CA", french), ("es", spanish)] {
                assert_eq!(words(source, Locale::of(language)), said, "{language}: {source}");
            }
        }
    }

    #[test]
    fn no_markup_is_ever_spoken() {
        for source in include_str!("../../../../tests/fixtures/formulas.txt").lines() {
            let said = words(source, Locale::of("en"));
            assert!(!said.contains(['\\', '{', '}', '^', '_', '$', '&', '#']), "{source}: {said}");
            assert!(said.chars().any(char::is_alphanumeric), "{source}: {said}");
            // Whatever is known in English has words in the other languages: none of its own is left.
            let german = format!(" {} ", words(source, Locale::of("de")));
            let english = [" the ", " of ", " is ", " squared ", " equals ", " to ", " times ", " over ", " and "];
            let shown = source.contains("text");
            assert!(shown || english.iter().all(|word| !german.contains(word)), "{source}: {german}");
        }
    }
}
