//! A formula within another: its tokens in LaTeX, as far as one stands in the other.

/// Most tokens that are compared.
const MOST: usize = 400;

/// Tokens of a formula: commands, letters, numbers and signs, without braces and what only makes room.
pub(super) fn tokens(latex: &str) -> Vec<&str> {
    const NOTHING: &[&str] = &[
        "\\,",
        "\\;",
        "\\:",
        "\\!",
        "\\ ",
        "\\quad",
        "\\qquad",
        "\\left",
        "\\right",
        "\\displaystyle",
        "\\limits",
        "{",
        "}",
        "&",
        "~",
    ];
    let mut tokens = Vec::new();
    let mut rest = latex;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\\' => {
                let name = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
                1 + name.max(rest[1..].chars().next().filter(|_| name == 0).map_or(0, char::len_utf8))
            }
            '0'..='9' => rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !token.trim().is_empty() && !NOTHING.contains(&token) && tokens.len() < MOST {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// Whether `part` stands in `whole` once, and is not all of it.
pub(super) fn is_once_in(part: &str, whole: &str) -> bool {
    let (part, whole) = (tokens(part), tokens(whole));
    if part.is_empty() || part.len() >= whole.len() {
        return false;
    }
    let bare = part.iter().all(|token| is_sign(token));
    !bare && whole.windows(part.len()).enumerate().filter(|(at, window)| *window == part && ends(&whole, *at, part.len())).count() == 1
        // The sign alone is looked for when it is drawn: it must not stand elsewhere, with an index or without.
        && whole.windows(part.len()).filter(|window| *window == part).count() == 1
}

/// Whether what stands there is no piece of a larger name, as `x` of `x_1` and `d` of `\mathrm{d}`.
fn ends(whole: &[&str], at: usize, length: usize) -> bool {
    let after = whole.get(at + length);
    let before = at.checked_sub(1).map(|at| whole[at]);
    after.is_none_or(|token| *token != "_")
        && before.is_none_or(|token| !matches!(token, "_" | "\\text" | "\\begin" | "\\end"))
}

fn is_sign(token: &str) -> bool {
    matches!(token, "+" | "-" | "=" | "<" | ">" | "(" | ")" | "," | "." | "^" | "_" | "/" | "|" | "\\cdot" | "\\times")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_formula_stands_in_it_once() {
        let whole = r"a^2 + b^{2} = c^2";
        for part in ["c^2", "c^{2}", "a", r"a^2 + b^2", "b^ 2"] {
            assert!(is_once_in(part, whole), "{part}");
        }
        for part in ["2", "d", "=", "", whole, "^2"] {
            assert!(!is_once_in(part, whole), "{part}");
        }
        assert!(is_once_in(r"\frac{1}{2}", r"E = \frac{1}{2} m v^2"));
        assert!(!is_once_in("x", r"x_1 + 2"));
        assert!(!is_once_in("x", r"x^2 + 2x"));
        assert!(is_once_in(r"\gamma", r"\gamma = \alpha"));
    }
}
