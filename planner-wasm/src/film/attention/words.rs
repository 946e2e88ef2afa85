//! Words as they are compared: whole, in small letters, without the endings that a language puts behind them.

use std::collections::HashSet;
use std::sync::OnceLock;

/// Letters of an article.
const LONGEST_ARTICLE: usize = 3;

/// A word, or a part of one that is written with a hyphen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// As it is written, in small letters.
    pub(super) bare: String,
    /// How many bytes of that are left without its ending.
    kept: usize,
    /// Its stem, where that is more than what is left.
    changed: Option<String>,
    /// The letter, when it is one alone.
    pub(super) letter: Option<char>,
    /// Which word it is, as white space divides them, from 0.
    pub(super) at: usize,
    /// Which sentence it is in.
    pub(super) sentence: usize,
    /// Whether a sentence begins with it.
    pub(super) first: bool,
}

impl Word {
    /// What it is compared by.
    pub(super) fn stem(&self) -> &str {
        self.changed.as_deref().unwrap_or(&self.bare[..self.kept])
    }
}

/// A language, for as far as its words are known here.
#[derive(Debug)]
pub(super) struct Tongue {
    endings: &'static [&'static str],
    /// Letters that are left at least when an ending is taken off.
    least: usize,
    /// Words that are in every text.
    small: &'static str,
    /// Those, once they were asked for.
    known: &'static OnceLock<HashSet<&'static str>>,
    /// Stems of `first`, `second`, … and `last`.
    ordinals: &'static [&'static str],
    /// Stems of what things are called that can be counted: see [`Counted`].
    nouns: &'static [(&'static str, Counted)],
    /// Stems of what stands before a letter that names a thing: "node B".
    named: &'static [&'static str],
    /// Letters that are words.
    letters: &'static str,
    /// Whether an article is written to its word: `l'angle`.
    elides: bool,
    /// Whether a letter is doubled before an ending: `slipped`.
    doubles: bool,
}

/// What is counted in "the second row".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Item,
    Row,
    Line,
    Curve,
    Bar,
}

static ENGLISH: Tongue = Tongue {
    endings: &["ings", "ing", "ed", "es", "s", "e"],
    least: 3,
    small: "a about after all also always an and any are around as at be because become becomes been before being \
        between both but by can come comes could did do does down each either else even every few find first for from \
        get gets give gives go goes good had has have he help her here him his how i if in into is it its itself just \
        keep kept know known large last less let like little long look made make makes many may mean means might more \
        most much must need never new next no not nothing now of off often on once one only or other others our out \
        over own part put same say says second see seen set several she should show shown shows since small so some \
        something still such take takes tell than that the their them then there these they thing things this those \
        three through to together too two under until up us use used uses very was way we well were what when where \
        whether which while who why will with without work works would yes yet you your",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "last"],
    nouns: &[
        ("item", Counted::Item),
        ("point", Counted::Item),
        ("step", Counted::Item),
        ("rul", Counted::Item),
        ("row", Counted::Row),
        ("lin", Counted::Line),
        ("curv", Counted::Curve),
        ("bar", Counted::Bar),
    ],
    named: &["nod", "vertex", "point", "stat", "sid", "angl", "edg", "corner", "vertic"],
    letters: "AI",
    elides: false,
    doubles: true,
};

static GERMAN: Tongue = Tongue {
    endings: &["ern", "em", "er", "en", "es", "e", "s", "n"],
    least: 4,
    small: "aber alle allem allen aller alles als also am an auch auf aus bei beide beiden bis da dabei dadurch dafür \
        damit danach dann daran daraus darin das dass davon dazu dem den denn der des deshalb die dies diese diesem \
        diesen dieser dieses doch dort du durch ein eine einem einen einer eines einfach er es etwas fest für gegen \
        ganz gibt gleich haben hat hatte hier ihm ihn ihnen ihr ihre ihren im immer in ins ist jede jedem jeden jeder \
        jedes kann kein keine können kommt man mehr mit muss müssen nach nicht nichts noch nun nur ob oder ohne schon \
        sehr sein seine seinen seiner selbst sich sie sieht sind so soll sondern über um und uns unser unter viel viele \
        vom von vor war was weil weniger wenn wer werden wie wieder will wir wird wo wurde zu zum zur zusammen zwei \
        zwischen macht heißt drei",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &["erst", "zweit", "dritt", "viert", "fünft", "sechst", "siebt", "acht", "neunt", "zehnt", "letzt"],
    nouns: &[
        ("punkt", Counted::Item),
        ("schritt", Counted::Item),
        ("regel", Counted::Item),
        ("zeil", Counted::Line),
        ("kurv", Counted::Curve),
        ("balk", Counted::Bar),
    ],
    named: &["knot", "punkt", "ecke", "seit", "winkel", "kant", "zustand"],
    letters: "",
    elides: false,
    doubles: false,
};

static FRENCH: Tongue = Tongue {
    endings: &["es", "s", "x", "e"],
    least: 3,
    small: "a à au aucun aussi autre autres aux avec beaucoup bien c car ce ceci cela celle celles celui ces cet cette \
        ceux chaque comme comment dans de des deux donc dont du elle elles en encore est et être eu fait faire font il \
        ils je l la là le les leur leurs lui mais même mêmes moins mon ne ni non nos notre nous on ont ou où par parce \
        pas pendant peu peut peuvent plus pour pourquoi puis qu quand que quel quelle qui quoi sa sans se sera ses si son \
        sont sous sur ta te tous tout toute toutes très trois tu un une vers voici vos votre vous y",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &[
        "premièr",
        "deuxièm",
        "troisièm",
        "quatrièm",
        "cinquièm",
        "sixièm",
        "septièm",
        "huitièm",
        "neuvièm",
        "dixièm",
        "dernier",
    ],
    nouns: &[
        ("point", Counted::Item),
        ("étap", Counted::Item),
        ("règl", Counted::Item),
        ("lign", Counted::Line),
        ("courb", Counted::Curve),
        ("barr", Counted::Bar),
    ],
    named: &["sommet", "point", "côté", "angl", "nœud", "arêt", "état"],
    letters: "AY",
    elides: true,
    doubles: false,
};

static SPANISH: Tongue = Tongue {
    endings: &["ar", "er", "ir", "es", "os", "as", "s", "o", "a", "e"],
    least: 3,
    small: "a al algo alguna algunas alguno algunos ante antes aquel aquella aquí así aun aunque cada como con cual \
        cuando de del desde después donde dos e el ella ellas ellos en entonces entre era es esa esas ese eso esos esta \
        está están estas este esto estos fue ha hace hacer hacia han hasta hay la las le les lo los luego más me menos \
        mi mientras misma mismo mucho muy nada ni no nos nuestra nuestro o otra otras otro otros para pero poco por \
        porque puede pueden pues que qué quien se sea según ser si sí sin sino sobre solo son su sus también tan tanto \
        te tiene tienen toda todas todo todos tres tu un una unas uno unos y ya yo",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &["primer", "segund", "tercer", "cuart", "quint", "sext", "séptim", "octav", "noven", "décim", "últim"],
    nouns: &[
        ("punt", Counted::Item),
        ("pas", Counted::Item),
        ("regl", Counted::Item),
        ("fil", Counted::Row),
        ("líne", Counted::Line),
        ("curv", Counted::Curve),
        ("barr", Counted::Bar),
    ],
    named: &["vértic", "punt", "lad", "ángul", "nod", "arist", "estad"],
    letters: "AEOUY",
    elides: false,
    doubles: false,
};

static RUSSIAN: Tongue = Tongue {
    endings: &[
        "ями", "ами", "ого", "его", "ому", "ему", "ыми", "ими", "ость", "ости", "ая", "яя", "ое", "ее", "ые", "ие",
        "ый", "ий", "ой", "ую", "юю", "ом", "ем", "ам", "ям", "ах", "ях", "ов", "ев", "ей", "ию", "ия", "ии", "ы", "и",
        "а", "я", "о", "е", "у", "ю", "ь", "й",
    ],
    least: 3,
    small: "а без более больше бы был была были было быть в вам вас весь во вот все всё всегда всего всех вы где да даже \
        два для до если есть ещё же за здесь и из или им их к как какой когда которая которого которой которые который \
        которых кто ли между меня мне много может можно мы на над нам нас не него нет ни них но ну о об один она они оно \
        от очень по под после потом потому при про с сам себя со так такой также там тем то тогда того тоже той только \
        том тот три ту ты у уже чем что чтобы эта эти этих это этого этой этом этот я",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &["перв", "втор", "трет", "четвёрт", "пят", "шест", "седьм", "восьм", "девят", "десят", "последн"],
    nouns: &[
        ("пункт", Counted::Item),
        ("шаг", Counted::Item),
        ("правил", Counted::Item),
        ("строк", Counted::Line),
        ("крив", Counted::Curve),
        ("столбец", Counted::Bar),
    ],
    named: &["вершин", "точк", "сторон", "угол", "узел", "ребр"],
    letters: "АВИКОСУЯ",
    elides: false,
    doubles: false,
};

static ITALIAN: Tongue = Tongue {
    endings: &["hi", "he", "i", "e", "a", "o"],
    least: 3,
    small: "a ad ai al alla alle allo anche ancora che chi ci come con così cui da dai dal dalla de degli dei del della \
        delle di dove due e ed è era essere fra gli ha hanno i il in io la le lo loro ma mentre molto ne nei nel nella \
        non o ogni per perché più poi può quale quando quella quelle quello questa queste questi questo se sempre si \
        sia solo sono su sua sui sul sulla suo tra tre tutti tutto un una uno",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &[],
    nouns: &[],
    named: &["vertic", "punt", "lat", "angol", "nod"],
    letters: "AEIO",
    elides: true,
    doubles: false,
};

static PORTUGUESE: Tongue = Tongue {
    endings: &["es", "os", "as", "s", "o", "a", "e"],
    least: 3,
    small: "a ao aos as assim até cada com como da das de depois do dois dos e é ela elas ele eles em entre era essa \
        esse esta está este eu foi há isso isto já lhe mais mas me menos mesmo muito na não nas nem no nos o onde os \
        ou para pela pelas pelo pelos por porque qual quando que quem se sem ser seu seus só são sua suas também tem \
        toda todas todo todos três um uma você",
    known: {
        static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
        &KNOWN
    },
    ordinals: &[],
    nouns: &[],
    named: &["vértic", "pont", "lad", "ângul", "nó"],
    letters: "AEO",
    elides: false,
    doubles: false,
};

impl Tongue {
    /// The language of a BCP 47 tag; none of one whose words are not known here, or not divided by spaces: in it, nobody is sure what
    /// a word is.
    pub(super) fn of(language: &str) -> Option<&'static Self> {
        let primary = language.split('-').next().unwrap_or(language).to_ascii_lowercase();
        Some(match primary.as_str() {
            "en" => &ENGLISH,
            "de" => &GERMAN,
            "fr" => &FRENCH,
            "es" => &SPANISH,
            "ru" => &RUSSIAN,
            "it" => &ITALIAN,
            "pt" => &PORTUGUESE,
            _ => return None,
        })
    }

    /// A text's words.
    pub(super) fn words(&self, text: &str) -> Vec<Word> {
        self.divided(text, |bare| self.stem(bare))
    }

    /// A text's words, which are compared as they are written.
    pub(super) fn exact(&self, text: &str) -> Vec<Word> {
        self.divided(text, |bare| (bare.len(), None))
    }

    fn divided(&self, text: &str, stem: impl Fn(&str) -> (usize, Option<String>)) -> Vec<Word> {
        let mut words = Vec::new();
        let (mut sentence, mut first) = (0, true);
        for (at, written) in text.split_whitespace().enumerate() {
            let mut add = |piece: &str| {
                let mut letters = piece.chars();
                let letter = letters.next().filter(|_| letters.next().is_none());
                let bare = lowered(piece);
                let (kept, changed) = stem(&bare);
                words.push(Word { bare, kept, changed, letter, at, sentence, first });
                first = false;
            };
            // Nearly all words are letters and nothing else, and end no sentence.
            if written.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                add(written);
                continue;
            }
            let part = |c: char| matches!(c, '-' | '–' | '—' | '/' | '·' | '_' | '=' | '+' | '(' | ')');
            for piece in written.split(part) {
                let mut piece = piece.trim_matches(|c: char| !c.is_alphanumeric());
                if self.elides
                    && let Some((article, rest)) = piece.split_once(['\'', '’'])
                    && article.chars().count() <= 2
                {
                    piece = rest;
                }
                if !piece.is_empty() {
                    add(piece.strip_suffix("'s").or_else(|| piece.strip_suffix("’s")).unwrap_or(piece));
                }
            }
            let end = written.trim_end_matches(['"', '\'', '”', '’', ')', '»']);
            if end.ends_with(['.', '?', '!', '…', ':', ';', '。', '？', '！']) {
                sentence += 1;
                first = true;
            }
        }
        words
    }

    /// How many bytes of a word are its stem, and the stem itself where it is another word.
    fn stem(&self, bare: &str) -> (usize, Option<String>) {
        if bare.bytes().any(|byte| byte.is_ascii_digit()) {
            return (bare.len(), None);
        }
        let count = bare.chars().count();
        let fits = |ending: &&&str| {
            let double = **ending == "s" && bare.ends_with("ss");
            !double && bare.ends_with(**ending) && count >= self.least + ending.chars().count()
        };
        let cut = self.endings.iter().find(fits).map_or(bare, |ending| &bare[..bare.len() - ending.len()]);
        // `energies` and `energy`.
        let changed = match cut.strip_suffix('i') {
            Some(rest) if rest.chars().count() >= 3 && cut.len() < bare.len() => Some(format!("{rest}y")),
            _ => None,
        };
        let stem = changed.as_deref().unwrap_or(cut);
        // `slipped` and `slip`.
        let mut last = stem.chars().rev();
        if self.doubles
            && cut.len() + 2 <= bare.len()
            && let (Some(a), Some(b)) = (last.next(), last.next())
            && a == b
            && !"lsfz".contains(a)
            && a.is_alphabetic()
            && stem.chars().count() > 3
        {
            let kept = stem.len() - a.len_utf8();
            return (kept.min(cut.len()), changed.map(|stem| stem[..kept].to_owned()));
        }
        (cut.len(), changed)
    }

    /// Whether a word says something of its own.
    pub(super) fn is_content(&self, word: &Word) -> bool {
        let long = word.bare.chars().count() >= 3 || word.bare.contains(|c: char| c.is_ascii_digit());
        long && !self.is_small(word)
    }

    /// Whether a word is in every text.
    pub(super) fn is_small(&self, word: &Word) -> bool {
        self.known.get_or_init(|| self.small.split_whitespace().collect()).contains(&*word.bare)
    }

    /// Whether a word is an article, or as short as one.
    pub(super) fn is_article(&self, word: &Word) -> bool {
        word.bare.chars().count() <= LONGEST_ARTICLE && self.is_small(word)
    }

    /// Whether it has a word for one of those that are counted.
    pub(super) fn counts(&self, counted: Counted) -> bool {
        self.nouns.iter().any(|(_, one)| *one == counted)
    }

    /// Whether a letter alone is a word.
    pub(super) fn is_word(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    /// Whether a letter behind this word is a thing's name.
    pub(super) fn names(&self, word: &Word) -> bool {
        self.named.contains(&word.stem())
    }

    /// Which one a word counts, from 1; 0 is the last one.
    pub(super) fn ordinal(&self, word: &Word) -> Option<usize> {
        let at = self.ordinals.iter().position(|one| *one == word.stem())?;
        Some(if at + 1 == self.ordinals.len() { 0 } else { at + 1 })
    }

    /// What a word counts.
    pub(super) fn counted(&self, word: &Word) -> Option<Counted> {
        self.nouns.iter().find(|(noun, _)| *noun == word.stem()).map(|(_, counted)| *counted)
    }
}

/// In small letters; digits without what groups them.
fn lowered(piece: &str) -> String {
    if piece.starts_with(|c: char| c.is_ascii_digit()) && piece.contains(',') {
        let groups: Vec<&str> = piece.split(',').collect();
        if groups[1..].iter().all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit())) {
            return groups.concat();
        }
    }
    if piece.is_ascii() { piece.to_ascii_lowercase() } else { piece.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_have_one_stem() {
        for (language, forms) in [
            ("en", &["rise rises rising", "energy energies", "slip slipped slips", "leg legs", "enzyme enzymes"][..]),
            ("de", &["Kathete Katheten", "Winkel Winkels Winkeln", "Schritt Schritte Schritten"]),
            ("fr", &["hypoténuse hypoténuses l'hypoténuse", "côté côtés"]),
            ("es", &["cateto catetos", "hipotenusa hipotenusas"]),
            ("ru", &["катет катета катеты катетов", "гипотенуза гипотенузы гипотенузу"]),
        ] {
            let tongue = Tongue::of(language).unwrap();
            for words in forms {
                let stems: Vec<String> = tongue.words(words).iter().map(|word| word.stem().to_owned()).collect();
                assert!(stems.iter().all(|stem| *stem == stems[0]), "{language}: {stems:?}");
            }
        }
        for (language, words) in
            [("en", "mass mast"), ("en", "lever level"), ("de", "Seite Saite"), ("ru", "сила село")]
        {
            let words = Tongue::of(language).unwrap().words(words);
            assert_ne!(words[0].stem(), words[1].stem());
        }
    }

    #[test]
    fn words_know_their_place_and_sentence() {
        let words = ENGLISH.words("Newton's second-order law: 1,538 (K). So be it!");
        let seen: Vec<_> = words.iter().map(|word| (word.bare.as_str(), word.at, word.sentence, word.first)).collect();
        assert_eq!(
            seen,
            [
                ("newton", 0, 0, true),
                ("second", 1, 0, false),
                ("order", 1, 0, false),
                ("law", 2, 0, false),
                ("1538", 3, 1, true),
                ("k", 4, 1, false),
                ("so", 5, 2, true),
                ("be", 6, 2, false),
                ("it", 7, 2, false),
            ]
        );
    }
}
