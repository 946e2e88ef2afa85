//! Keys as file names: any key, one safe name, and back.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// What stays as it is. A dot does not, so `.`, `..` and hidden files can't arise; nor does `~`, the mark of a hash.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// The longest name that is written out. Linux takes 255 bytes.
const LONGEST: usize = 240;

/// The file name for `key`: the key itself, escaped, or the mark and a hash when that would be too long.
pub(super) fn file_name(key: &str) -> String {
    let name = utf8_percent_encode(key, ESCAPED).to_string();
    if name.len() <= LONGEST && !name.is_empty() {
        return name;
    }
    format!("~{}", hex::encode(Sha256::digest(key)))
}

/// Whether a listing can tell the key: XML has no way to write the others.
pub(super) fn is_listable(key: &str) -> bool {
    let writable = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    key.chars().all(writable)
}

/// The key that `name` stands for; none for a hash, whose key stands in the file.
pub(super) fn key_of(name: &str) -> Option<String> {
    if name.starts_with('~') {
        return None;
    }
    percent_decode_str(name).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_safe_and_lead_back() {
        let long = "x".repeat(1000);
        for key in [".", "..", "../../etc/passwd", "a/b", "a/b/", "/", "%2F", "~a", "日本 .txt", "a\u{1}b", "+", " "]
        {
            let name = file_name(key);
            assert!(!name.contains('/') && !name.starts_with('.') && name.len() < 256, "{key:?} {name:?}");
            assert_eq!(key_of(&name).unwrap(), key);
        }
        assert_eq!(file_name(&long).len(), 65);
        assert_eq!(key_of(&file_name(&long)), None);
    }

    #[test]
    fn keys_that_look_alike_have_names_of_their_own() {
        let hash = file_name(&"x".repeat(1000));
        assert_ne!(file_name(&hash), hash);
        assert_ne!(file_name("a/b"), file_name("a%2Fb"));
    }
}
