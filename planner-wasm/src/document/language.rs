//! The language that a text is written in, when nobody says: by its script first, then by its words.
//!
//! Scripts that one language has to itself name it. Of the languages that share one, `whatlang` tells them apart by their trigrams; of short
//! texts and of those full of names it is not believed, and English is taken.

use whatlang::{Detector, Lang};

/// Letters that are looked at: more say the same, and a lesson may have megabytes.
const MOST: usize = 6_000;
/// Letters of the Latin script below which trigrams say nothing.
const LEAST_LATIN: usize = 60;
/// Letters of any other script that are a text, and not a term.
const LEAST: usize = 8;
/// Of how many words of an English text at least one is one of these: a tenth, measured on course notes.
const ENGLISH: &[&str] = &[
    "the", "of", "and", "is", "to", "in", "that", "for", "with", "are", "this", "it", "we", "you", "as", "by", "on",
    "an",
];

/// Words of English that short texts have as well.
const SHORT_ENGLISH: &[&str] =
    &["a", "not", "or", "from", "at", "be", "have", "has", "its", "let", "then", "if", "do", "one", "so"];
/// Words that nearly every sentence of a language has: of texts that are too short for trigrams they tell it. Single letters are
/// formulas as often as words.
const FREQUENT: &[(&str, &[&str])] = &[
    (
        "de",
        &[
            "der", "die", "das", "und", "ist", "nicht", "ein", "eine", "einen", "einer", "mit", "für", "von", "den",
            "dem", "im", "auf", "wird", "sind", "wir", "zu", "des", "sich", "werden", "oder", "durch", "bei", "es",
            "aus", "zum",
        ],
    ),
    (
        "fr",
        &[
            "le", "la", "les", "des", "est", "et", "une", "un", "dans", "du", "que", "qui", "pour", "par", "sur",
            "nous", "avec", "sont", "au", "ce", "cette", "ou", "de", "on", "pas", "aux", "ces",
        ],
    ),
    (
        "es",
        &[
            "el", "la", "los", "las", "es", "una", "un", "de", "del", "que", "en", "por", "para", "con", "se", "son",
            "al", "como", "su", "esta", "este", "cada", "si",
        ],
    ),
    (
        "pt",
        &[
            "os", "uma", "um", "de", "do", "da", "que", "em", "para", "com", "não", "dos", "das", "no", "na", "são",
            "ao", "por", "se", "cada", "esta", "este", "pela", "pelo", "é",
        ],
    ),
    (
        "it",
        &[
            "il", "la", "le", "gli", "è", "una", "un", "di", "del", "della", "che", "per", "con", "nel", "non", "si",
            "sono", "ad", "ogni", "lo", "dei", "delle", "da", "questo", "questa", "al",
        ],
    ),
    (
        "nl",
        &[
            "de", "het", "een", "van", "en", "is", "niet", "met", "voor", "wordt", "dat", "zijn", "op", "te", "aan",
            "om",
        ],
    ),
];

/// Languages of the Latin script that a voice is found for, with their tags.
const LATIN: &[(Lang, &str)] = &[
    (Lang::Eng, "en"),
    (Lang::Deu, "de"),
    (Lang::Fra, "fr"),
    (Lang::Spa, "es"),
    (Lang::Por, "pt"),
    (Lang::Ita, "it"),
    (Lang::Nld, "nl"),
    (Lang::Pol, "pl"),
    (Lang::Ces, "cs"),
    (Lang::Slk, "sk"),
    (Lang::Hun, "hu"),
    (Lang::Ron, "ro"),
    (Lang::Swe, "sv"),
    (Lang::Dan, "da"),
    (Lang::Nob, "nb"),
    (Lang::Fin, "fi"),
    (Lang::Est, "et"),
    (Lang::Lit, "lt"),
    (Lang::Lav, "lv"),
    (Lang::Hrv, "hr"),
    (Lang::Slv, "sl"),
    (Lang::Tur, "tr"),
    (Lang::Vie, "vi"),
    (Lang::Ind, "id"),
    (Lang::Cat, "ca"),
    (Lang::Epo, "eo"),
];
const CYRILLIC: &[(Lang, &str)] =
    &[(Lang::Rus, "ru"), (Lang::Ukr, "uk"), (Lang::Bul, "bg"), (Lang::Srp, "sr"), (Lang::Mkd, "mk"), (Lang::Bel, "be")];
const ARABIC: &[(Lang, &str)] = &[(Lang::Ara, "ar"), (Lang::Pes, "fa"), (Lang::Urd, "ur")];
const DEVANAGARI: &[(Lang, &str)] = &[(Lang::Hin, "hi"), (Lang::Mar, "mr"), (Lang::Nep, "ne")];

/// Scripts, by the first and last character of their blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Han,
    /// A script that one language has to itself.
    Of(&'static str),
}

fn script(c: char) -> Option<Script> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        // Greek letters are formulas as often as words; Greek words have many.
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Of("el"),
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        '\u{531}'..='\u{587}' => Script::Of("hy"),
        '\u{591}'..='\u{5f4}' => Script::Of("he"),
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' => {
            Script::Arabic
        }
        '\u{900}'..='\u{97f}' => Script::Devanagari,
        '\u{980}'..='\u{9ff}' => Script::Of("bn"),
        '\u{a00}'..='\u{a7f}' => Script::Of("pa"),
        '\u{a80}'..='\u{aff}' => Script::Of("gu"),
        '\u{b00}'..='\u{b7f}' => Script::Of("or"),
        '\u{b80}'..='\u{bff}' => Script::Of("ta"),
        '\u{c00}'..='\u{c7f}' => Script::Of("te"),
        '\u{c80}'..='\u{cff}' => Script::Of("kn"),
        '\u{d00}'..='\u{d7f}' => Script::Of("ml"),
        '\u{d80}'..='\u{dff}' => Script::Of("si"),
        '\u{e00}'..='\u{e7f}' => Script::Of("th"),
        '\u{e80}'..='\u{eff}' => Script::Of("lo"),
        '\u{1000}'..='\u{109f}' => Script::Of("my"),
        '\u{10a0}'..='\u{10ff}' => Script::Of("ka"),
        '\u{1200}'..='\u{139f}' => Script::Of("am"),
        '\u{1780}'..='\u{17ff}' => Script::Of("km"),
        '\u{3040}'..='\u{30ff}' => Script::Of("ja"),
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' => Script::Of("ko"),
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
            Script::Han
        }
        _ => return None,
    })
}

/// The language of `text`, which holds no programs, formulas and addresses; none when it is too short to tell.
pub(crate) fn detected(text: &str) -> Option<&'static str> {
    let mut counts: Vec<(Script, usize)> = Vec::new();
    let mut letters = 0;
    // Most letters are of these, and this looks at thousands.
    let mut plain = 0;
    let seen = |c: char| {
        let of_latin = c.is_ascii_alphabetic();
        plain += usize::from(of_latin);
        if of_latin { Some(None) } else { script(c).map(Some) }
    };
    for found in text.chars().filter_map(seen).take(MOST).flatten() {
        // A sign of Chinese is a syllable, and most of a word.
        let weight = if matches!(found, Script::Han | Script::Of("ja" | "ko")) { 3 } else { 1 };
        letters += weight;
        match counts.iter_mut().find(|(script, _)| *script == found) {
            Some((_, count)) => *count += weight,
            None => counts.push((found, weight)),
        }
    }
    if plain > 0 {
        letters += plain;
        match counts.iter_mut().find(|(script, _)| *script == Script::Latin) {
            Some((_, count)) => *count += plain,
            None => counts.push((Script::Latin, plain)),
        }
    }
    let count = |wanted: Script| counts.iter().find(|(script, _)| *script == wanted).map_or(0, |(_, count)| *count);
    // Japanese is written in Han and kana: a few of the latter tell it.
    let (kana, han) = (count(Script::Of("ja")), count(Script::Han));
    if 2 * (kana + han) > letters && kana + han >= LEAST {
        return Some(if 12 * kana > han { "ja" } else { "zh" });
    }
    let (first, most) = counts.iter().max_by_key(|(_, count)| *count).copied()?;
    if first == Script::Latin {
        return latin(text, most);
    }
    if 2 * most <= letters || most < LEAST {
        return latin(text, count(Script::Latin));
    }
    match first {
        Script::Cyrillic => of(text, CYRILLIC).or(Some("ru")),
        Script::Arabic => of(text, ARABIC).or(Some("ar")),
        Script::Devanagari => of(text, DEVANAGARI).or(Some("hi")),
        Script::Of(tag) => Some(tag),
        Script::Latin | Script::Han => None,
    }
}

fn latin(text: &str, letters: usize) -> Option<&'static str> {
    let head: String = text.chars().take(MOST).collect();
    let words: Vec<String> =
        head.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    if letters < LEAST_LATIN {
        return frequent(&words);
    }
    let english = words.iter().filter(|word| ENGLISH.contains(&word.as_str())).count();
    if english * 8 >= words.len() {
        return Some("en");
    }
    let detector = Detector::with_allowlist(LATIN.iter().map(|(lang, _)| *lang).collect());
    let found = detector.detect(&head)?;
    // In a long text even a small lead is one.
    let sure = found.is_reliable() || (letters >= 400 && found.confidence() > 0.3 && english * 20 < words.len());
    let tag = LATIN.iter().find(|(lang, _)| *lang == found.lang()).map(|(_, tag)| *tag).filter(|_| sure);
    tag.or_else(|| frequent(&words))
}

/// The language whose frequent words a short text has: at least two different ones, a fifth of all words, and more than of any other
/// language.
fn frequent(words: &[String]) -> Option<&'static str> {
    let count = |known: &dyn Fn(&str) -> bool| words.iter().filter(|word| known(word)).count();
    let english = count(&|word| ENGLISH.contains(&word) || SHORT_ENGLISH.contains(&word));
    let mut counts: Vec<(usize, &str, &[&str])> =
        FREQUENT.iter().map(|(tag, known)| (count(&|word| known.contains(&word)), *tag, *known)).collect();
    counts.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    let [(most, tag, known), (second, ..), ..] = counts[..] else { return None };
    let different = known.iter().filter(|known| words.iter().any(|word| word == *known)).count();
    (different >= 2 && most > second && most > english && most * 5 >= words.len()).then_some(tag)
}

fn of(text: &str, languages: &[(Lang, &'static str)]) -> Option<&'static str> {
    let head: String = text.chars().take(MOST).collect();
    let detector = Detector::with_allowlist(languages.iter().map(|(lang, _)| *lang).collect());
    let found = detector.detect(&head).filter(|found| found.is_reliable() || found.confidence() > 0.5)?;
    languages.iter().find(|(lang, _)| *lang == found.lang()).map(|(_, tag)| *tag)
}

/// Whether a text in `detected` is read wrongly by a voice for `named`: by another script, or another language altogether.
pub(crate) fn differs(named: &str, detected: &str) -> bool {
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let (named, detected) = (primary(named), primary(detected));
    let alike: &[&[&str]] = &[
        &["zh", "yue", "cmn", "ja"],
        &["nb", "no", "nn", "da"],
        &["hr", "sr", "bs", "sl"],
        &["id", "ms"],
        &["cs", "sk"],
        &["ca", "es", "gl", "pt"],
        &["hi", "mr", "ne"],
        &["ru", "uk", "bg", "be", "mk", "sr"],
    ];
    named != detected
        && !alike.iter().any(|group| group.contains(&named.as_str()) && group.contains(&detected.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_script_and_words() {
        for (text, language) in [
            ("Сила тока прямо пропорциональна напряжению и обратно пропорциональна сопротивлению.", Some("ru")),
            ("Закон Ома", Some("ru")),
            ("直角三角形才适用。斜边的平方等于两直角边的平方和。", Some("zh")),
            ("これは日本語の授業です。三角形の面積を計算します。", Some("ja")),
            ("피타고라스의 정리는 매우 중요합니다.", Some("ko")),
            ("נלמד יחידות מידה בסיסיות.", Some("he")),
            ("పైథాగరస్ సిద్ధాంతం చాలా ముఖ్యమైనది.", Some("te")),
            ("Το θεώρημα του Πυθαγόρα", Some("el")),
            ("ทฤษฎีบทพีทาโกรัส", Some("th")),
            (
                "Heute lernen wir den Satz des Pythagoras kennen, der für jedes rechtwinklige Dreieck gilt und sehr nützlich ist.",
                Some("de"),
            ),
            (
                "Aujourd'hui nous allons étudier le théorème de Pythagore, qui relie les trois côtés d'un triangle rectangle.",
                Some("fr"),
            ),
            (
                "Hoje vamos estudar o teorema de Pitágoras, que relaciona os três lados de um triângulo retângulo qualquer.",
                Some("pt"),
            ),
            (
                "Hoy vamos a estudiar el teorema de Pitágoras, que relaciona los tres lados de un triángulo rectángulo.",
                Some("es"),
            ),
            (
                "Oggi studiamo il teorema di Pitagora, che mette in relazione i tre lati di un triangolo rettangolo qualsiasi.",
                Some("it"),
            ),
            (
                "Every right triangle hides one simple rule about its three sides, and the Chinese call it 勾股定理.",
                Some("en"),
            ),
            ("Gauss, Euler, Lagrange, Cauchy, Riemann, Weierstrass, Dirichlet", None),
            ("Words.", None),
            ("Légende\ntension\ncourant\nLe courant est donné par la loi.", Some("fr")),
            ("Una funzione associa ad ogni x un y.", Some("it")),
            ("Die Summe ist der Rest.", Some("de")),
            ("La suma de los ángulos es constante.", Some("es")),
            ("A soma dos ângulos não é uma constante.", Some("pt")),
            ("De Morgan's law: not A or B", None),
            ("La Place and de Moivre", None),
            ("Let x be in A.", None),
            ("del, die, case, van", None),
            ("α β γ", None),
            ("", None),
        ] {
            let found = detected(text);
            assert!(found == language || (language.is_none() && found == Some("en")), "{text}: {found:?}");
        }
        assert!(differs("en", "ru") && !differs("pt-BR", "pt") && !differs("zh-TW", "ja"));
    }
}
