//! Chemistry (`\ce`, `\pu`) → LaTeX. RaTeX reads it with some eighty patterns, which takes more time than all else in a formula, and a
//! planner reads each formula several times: to draw it, to say it, to say its parts. So each text is read once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ratex_parser::mhchem::chem_parse_str;

/// Texts that are remembered; a course has fewer.
const MOST: usize = 500;

/// What texts are in LaTeX, by their command and themselves; none of one that can't be read.
type Known = BTreeMap<(String, String), Option<String>>;

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(BTreeMap::new()) };
}

/// What stands for `\ce{text}` or `\pu{text}`; none when it can't be read.
pub(crate) fn expanded(command: &str, text: &str) -> Option<String> {
    let key = (command.to_owned(), text.to_owned());
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).cloned()) {
        return known;
    }
    let made = chem_parse_str(text, command).ok();
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, made.clone());
    });
    made
}

#[cfg(test)]
mod tests {
    use ratex_parser::parse;

    use super::expanded;

    #[test]
    fn it_is_what_the_parser_itself_makes_of_it() {
        // Without the places in the source.
        let bare = |piece: &str| {
            let rest = piece.strip_prefix("None").or_else(|| piece.split_once(')').map(|(_, rest)| rest));
            rest.unwrap_or(piece).to_owned()
        };
        let tree = |source: &str| -> Vec<String> {
            format!("{:?}", parse(source).unwrap()).split("loc: ").map(bare).collect()
        };
        for text in ["H2O", "2H2 + O2 -> 2H2O", "SO4^2-", "CO2 + C ->[\\Delta] 2CO", "Zn^2+ <=>[+ 2OH-] Zn(OH)2 v"] {
            // Read, and remembered.
            for _ in 0..2 {
                let made = expanded("ce", text).unwrap();
                assert_eq!(tree(&made), tree(&format!("\\ce{{{text}}}")), "{text}");
            }
        }
        assert!(expanded("pu", "123 kJ/mol").is_some());
    }
}
