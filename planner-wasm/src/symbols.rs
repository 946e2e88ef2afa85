//! The signs of LaTeX mathematics: which character they are, and how they are spoken in English.

/// A sign.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// Its command, without the backslash.
    pub(crate) name: &'static str,
    /// Its character.
    pub(crate) sign: char,
    /// Its words.
    pub(crate) words: &'static str,
}

/// The sign of that command.
pub(crate) fn find(name: &str) -> Option<&'static Symbol> {
    SYMBOLS.iter().find(|symbol| symbol.name == name)
}

/// The sign that is that character.
pub(crate) fn of_char(sign: char) -> Option<&'static Symbol> {
    SYMBOLS.iter().find(|symbol| symbol.sign == sign)
}

/// The words of all signs.
#[cfg(test)]
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    SYMBOLS.iter().map(|symbol| symbol.words)
}

/// Small signs above the line, by the usual ones.
const RAISED: &[(char, char)] = &[
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('+', '⁺'),
    ('-', '⁻'),
    ('=', '⁼'),
    ('(', '⁽'),
    (')', '⁾'),
    ('n', 'ⁿ'),
    ('i', 'ⁱ'),
    ('x', 'ˣ'),
    ('T', 'ᵀ'),
    ('a', 'ᵃ'),
    ('b', 'ᵇ'),
    ('c', 'ᶜ'),
    ('k', 'ᵏ'),
    ('m', 'ᵐ'),
    ('t', 'ᵗ'),
];
/// Small signs below the line, by the usual ones.
const LOWERED: &[(char, char)] = &[
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('+', '₊'),
    ('-', '₋'),
    ('=', '₌'),
    ('(', '₍'),
    (')', '₎'),
    ('a', 'ₐ'),
    ('e', 'ₑ'),
    ('h', 'ₕ'),
    ('i', 'ᵢ'),
    ('j', 'ⱼ'),
    ('k', 'ₖ'),
    ('l', 'ₗ'),
    ('m', 'ₘ'),
    ('n', 'ₙ'),
    ('o', 'ₒ'),
    ('p', 'ₚ'),
    ('r', 'ᵣ'),
    ('s', 'ₛ'),
    ('t', 'ₜ'),
    ('u', 'ᵤ'),
    ('v', 'ᵥ'),
    ('x', 'ₓ'),
];

/// Accents of words by their commands: each letter, and the letter with the accent.
const ACCENTED: &[(&str, &str)] = &[
    ("\\\"", "aäeëhḧiïoötẗuüwẅyÿAÄEËHḦIÏOÖUÜWẄYŸаӓеёиӥоӧуӱАӒЕЁИӤОӦУӰıï"),
    ("\\'", "aácćeégǵiíkḱlĺnńoórŕsśuúwẃyýzźAÁCĆEÉGǴIÍKḰLĹNŃOÓRŔSŚUÚWẂYÝZŹıí"),
    ("\\`", "aàeèiìnǹoòuùwẁyỳAÀEÈIÌNǸOÒUÙWẀYỲеѐиѝЕЀИЍıì"),
    ("\\^", "aâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷzẑAÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶZẐıî"),
    ("\\~", "aãeẽiĩnñoõuũyỹAÃEẼIĨNÑOÕUŨYỸıĩ"),
    ("\\r", "aåuůwẘyẙAÅUŮ"),
    ("\\v", "aǎcčeěgǧhȟiǐjǰkǩlľnňoǒrřsštťuǔzžAǍCČEĚGǦHȞIǏKǨLĽNŇOǑRŘSŠTŤUǓZŽıǐ"),
    ("\\u", "aăeĕgğiĭoŏuŭAĂEĔGĞIĬOŎUŬаӑеӗийуўАӐЕӖИЙУЎıĭ"),
    ("\\=", "aāeēgḡiīoōuūyȳAĀEĒGḠIĪOŌUŪYȲиӣуӯИӢУӮıī"),
    ("\\.", "aȧcċeėgġhḣnṅoȯrṙsṡtṫwẇyẏzżAȦCĊEĖGĠHḢIİNṄOȮRṘSṠTṪWẆYẎZŻ"),
    ("\\H", "oőuűOŐUŰуӳУӲ"),
    ("\\c", "cçeȩgģhḩkķlļnņrŗsştţCÇEȨGĢHḨKĶLĻNŅRŖSŞTŢ"),
];

/// A letter with the accent of that command, where there is such a letter.
pub(crate) fn accented(command: &str, letter: char) -> Option<char> {
    let (_, pairs) = ACCENTED.iter().find(|(known, _)| *known == command)?;
    let mut pairs = pairs.chars();
    while let (Some(bare), Some(accented)) = (pairs.next(), pairs.next()) {
        if bare == letter {
            return Some(accented);
        }
    }
    None
}

/// A sign as a small one above the line, where there is such a one.
pub(crate) fn raised(usual: char) -> Option<char> {
    small(usual, RAISED)
}

/// A sign as a small one below the line, where there is such a one.
pub(crate) fn lowered(usual: char) -> Option<char> {
    small(usual, LOWERED)
}

/// The usual sign of a small one that stands above the line.
pub(crate) fn of_raised(small: char) -> Option<char> {
    usual(small, RAISED)
}

/// The usual sign of a small one that stands below the line.
pub(crate) fn of_lowered(small: char) -> Option<char> {
    usual(small, LOWERED)
}

fn small(usual: char, table: &[(char, char)]) -> Option<char> {
    // Dashes are written for minus signs.
    let usual = if matches!(usual, '−' | '–') { '-' } else { usual };
    table.iter().find(|(known, _)| *known == usual).map(|(_, small)| *small)
}

fn usual(small: char, table: &[(char, char)]) -> Option<char> {
    table.iter().find(|(_, known)| *known == small).map(|(usual, _)| *usual)
}

/// The character of a delimiter's command.
pub(crate) fn delimiter(name: &str) -> Option<char> {
    Some(match name {
        "{" | "lbrace" => '{',
        "}" | "rbrace" => '}',
        "|" | "Vert" | "lVert" | "rVert" => '‖',
        "vert" | "lvert" | "rvert" => '|',
        "langle" => '⟨',
        "rangle" => '⟩',
        "lfloor" => '⌊',
        "rfloor" => '⌋',
        "lceil" => '⌈',
        "rceil" => '⌉',
        "lbrack" => '[',
        "rbrack" => ']',
        "uparrow" => '↑',
        "downarrow" => '↓',
        "backslash" => '\\',
        _ => return None,
    })
}

/// The name of an operator, and whether its scripts stand above and below it.
pub(crate) fn operator(name: &str) -> Option<(&str, bool)> {
    Some(match name {
        "liminf" => ("lim inf", true),
        "limsup" => ("lim sup", true),
        "lim" | "max" | "min" | "sup" | "inf" | "det" | "gcd" | "Pr" | "argmax" | "argmin" => (name, true),
        "sin" | "cos" | "tan" | "cot" | "sec" | "csc" | "arcsin" | "arccos" | "arctan" | "sinh" | "cosh" | "tanh"
        | "coth" | "exp" | "ln" | "log" | "lg" | "arg" | "deg" | "dim" | "hom" | "ker" | "lcm" => (name, false),
        _ => return None,
    })
}

macro_rules! symbols {
    ($($name:literal $sign:literal $words:literal;)*) => {
        const SYMBOLS: &[Symbol] = &[$(Symbol { name: $name, sign: $sign, words: $words },)*];
    };
}

symbols! {
    "alpha" 'α' "alpha"; "beta" 'β' "beta"; "gamma" 'γ' "gamma"; "delta" 'δ' "delta"; "epsilon" 'ϵ' "epsilon";
    "varepsilon" 'ε' "epsilon"; "zeta" 'ζ' "zeta"; "eta" 'η' "eta"; "theta" 'θ' "theta"; "vartheta" 'ϑ' "theta";
    "iota" 'ι' "iota"; "kappa" 'κ' "kappa"; "lambda" 'λ' "lambda"; "mu" 'μ' "mu"; "nu" 'ν' "nu"; "xi" 'ξ' "xi";
    "pi" 'π' "pi"; "varpi" 'ϖ' "pi"; "rho" 'ρ' "rho"; "varrho" 'ϱ' "rho"; "sigma" 'σ' "sigma"; "varsigma" 'ς' "sigma";
    "tau" 'τ' "tau"; "upsilon" 'υ' "upsilon"; "phi" 'ϕ' "phi"; "varphi" 'φ' "phi"; "chi" 'χ' "chi"; "psi" 'ψ' "psi";
    "omega" 'ω' "omega"; "Gamma" 'Γ' "capital gamma"; "Delta" 'Δ' "delta"; "Theta" 'Θ' "capital theta";
    "Lambda" 'Λ' "capital lambda"; "Xi" 'Ξ' "capital xi"; "Pi" 'Π' "capital pi"; "Sigma" 'Σ' "capital sigma";
    "Upsilon" 'Υ' "capital upsilon"; "Phi" 'Φ' "capital phi"; "Psi" 'Ψ' "capital psi"; "Omega" 'Ω' "capital omega";
    "times" '×' "times"; "cdot" '⋅' "times"; "ast" '∗' "star"; "star" '⋆' "star"; "div" '÷' "divided by";
    "pm" '±' "plus or minus"; "mp" '∓' "minus or plus"; "circ" '∘' "composed with"; "bullet" '•' "dot";
    "oplus" '⊕' "direct sum"; "ominus" '⊖' "circled minus"; "otimes" '⊗' "tensor"; "odot" '⊙' "circled dot";
    "dagger" '†' "dagger"; "ddagger" '‡' "double dagger"; "wedge" '∧' "and"; "land" '∧' "and"; "vee" '∨' "or";
    "lor" '∨' "or"; "cap" '∩' "intersect"; "cup" '∪' "union"; "setminus" '∖' "without"; "sqcup" '⊔' "square cup";
    "neq" '≠' "is not equal to"; "ne" '≠' "is not equal to"; "leq" '≤' "is at most"; "le" '≤' "is at most";
    "geq" '≥' "is at least"; "ge" '≥' "is at least"; "leqslant" '⩽' "is at most"; "geqslant" '⩾' "is at least";
    "lt" '<' "is less than"; "gt" '>' "is greater than"; "ll" '≪' "is much less than"; "gg" '≫' "is much greater than";
    "approx" '≈' "is approximately"; "sim" '∼' "is similar to"; "simeq" '≃' "is asymptotic to";
    "cong" '≅' "is congruent to"; "equiv" '≡' "is equivalent to"; "propto" '∝' "is proportional to";
    "prec" '≺' "precedes"; "succ" '≻' "succeeds"; "perp" '⟂' "is perpendicular to"; "parallel" '∥' "is parallel to";
    "mid" '∣' "given"; "nmid" '∤' "does not divide"; "in" '∈' "in"; "ni" '∋' "contains"; "notin" '∉' "not in";
    "subset" '⊂' "is a subset of"; "subseteq" '⊆' "is a subset of"; "supset" '⊃' "is a superset of";
    "supseteq" '⊇' "is a superset of"; "subsetneq" '⊊' "is a proper subset of"; "emptyset" '∅' "the empty set";
    "varnothing" '∅' "the empty set"; "forall" '∀' "for all"; "exists" '∃' "there exists";
    "nexists" '∄' "there does not exist"; "neg" '¬' "not"; "lnot" '¬' "not"; "top" '⊤' "true"; "bot" '⊥' "bottom";
    "vdash" '⊢' "proves"; "models" '⊨' "models"; "therefore" '∴' "therefore"; "because" '∵' "because";
    "to" '→' "to"; "rightarrow" '→' "to"; "leftarrow" '←' "gets"; "gets" '←' "gets"; "leftrightarrow" '↔' "if and only if";
    "Rightarrow" '⇒' "implies"; "implies" '⟹' "implies"; "Longrightarrow" '⟹' "implies"; "Leftarrow" '⇐' "is implied by";
    "impliedby" '⟸' "is implied by"; "Leftrightarrow" '⇔' "if and only if"; "iff" '⟺' "if and only if";
    "Longleftrightarrow" '⟺' "if and only if"; "longrightarrow" '⟶' "to"; "longleftarrow" '⟵' "gets"; "mapsto" '↦' "maps to";
    "longmapsto" '⟼' "maps to"; "uparrow" '↑' "up"; "downarrow" '↓' "down"; "hookrightarrow" '↪' "embeds in";
    "rightharpoonup" '⇀' "to"; "rightleftharpoons" '⇌' "in equilibrium with"; "nearrow" '↗' "rises to";
    "searrow" '↘' "falls to"; "sum" '∑' "the sum"; "prod" '∏' "the product"; "coprod" '∐' "the coproduct";
    "int" '∫' "the integral"; "iint" '∬' "the double integral"; "iiint" '∭' "the triple integral";
    "oint" '∮' "the contour integral"; "bigcup" '⋃' "the union"; "bigcap" '⋂' "the intersection";
    "bigoplus" '⨁' "the direct sum"; "bigotimes" '⨂' "the tensor product"; "bigwedge" '⋀' "the conjunction";
    "bigvee" '⋁' "the disjunction"; "infty" '∞' "infinity"; "partial" '∂' "partial"; "nabla" '∇' "nabla";
    "hbar" 'ℏ' "h bar"; "ell" 'ℓ' "l"; "Re" 'ℜ' "the real part of"; "Im" 'ℑ' "the imaginary part of"; "aleph" 'ℵ' "aleph";
    "wp" '℘' "p"; "imath" 'ı' "i"; "jmath" 'ȷ' "j"; "prime" '′' "prime"; "degree" '°' "degrees"; "angle" '∠' "angle";
    "measuredangle" '∡' "angle"; "triangle" '△' "triangle"; "square" '□' "square"; "Box" '□' "square";
    "blacksquare" '■' "square"; "checkmark" '✓' "check"; "ldots" '…' "and so on"; "dots" '…' "and so on";
    "cdots" '⋯' "and so on"; "dotsb" '⋯' "and so on"; "dotsc" '…' "and so on"; "vdots" '⋮' "and so on";
    "ddots" '⋱' "and so on"; "langle" '⟨' ""; "rangle" '⟩' ""; "lfloor" '⌊' "the floor of"; "rfloor" '⌋' "";
    "lceil" '⌈' "the ceiling of"; "rceil" '⌉' ""; "lbrace" '{' ""; "rbrace" '}' ""; "vert" '|' ""; "lvert" '|' "";
    "rvert" '|' ""; "Vert" '‖' ""; "lVert" '‖' ""; "rVert" '‖' ""; "backslash" '\\' "backslash"; "colon" ':' "";
    "iddots" '⋰' "and so on"; "nleq" '≰' "is not at most"; "ngeq" '≱' "is not at least"; "nless" '≮' "is not less than";
    "ngtr" '≯' "is not greater than"; "nsubseteq" '⊈' "is not a subset of"; "nsupseteq" '⊉' "is not a superset of";
    "nsim" '≁' "is not similar to"; "ncong" '≇' "is not congruent to"; "nparallel" '∦' "is not parallel to";
    "nRightarrow" '⇏' "does not imply"; "nLeftrightarrow" '⇎' "is not equivalent to"; "preceq" '⪯' "precedes or equals";
    "succeq" '⪰' "succeeds or equals"; "preccurlyeq" '≼' "precedes or equals"; "succcurlyeq" '≽' "succeeds or equals";
    "lesssim" '≲' "is at most about"; "gtrsim" '≳' "is at least about"; "triangleq" '≜' "is defined as";
    "coloneqq" '≔' "is defined as"; "asymp" '≍' "is asymptotic to"; "rightsquigarrow" '⇝' "to"; "leadsto" '⇝' "to";
    "euro" '€' "euro"; "pounds" '£' "pounds"; "copyright" '©' "copyright"; "S" '§' "section"; "complement" '∁' "complement";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once() {
        for (index, symbol) in SYMBOLS.iter().enumerate() {
            assert!(SYMBOLS[index + 1..].iter().all(|other| other.name != symbol.name), "{}", symbol.name);
        }
    }
}
