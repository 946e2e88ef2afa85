//! Files that a document names: pictures, sounds and clips that lie beside it, and never anywhere else.

use crate::check::is_asset;

/// Longer is no file name.
const LONGEST: usize = 500;

/// The path of a file beside the document, without `.` parts.
///
/// # Errors
/// In words, why it is none.
pub(crate) fn path(source: &str) -> Result<String, String> {
    let decoded = decoded(source.trim());
    let decoded = decoded.as_str();
    let scheme = decoded.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    let why = if decoded.is_empty() {
        "no file is named"
    } else if decoded.len() > LONGEST {
        "the file's name is too long"
    } else if scheme || decoded.starts_with("//") {
        "an address is not fetched; put the file beside the document and name it"
    } else if decoded.starts_with('/') || decoded.contains('\\') {
        "the path must be relative to the document, with `/` between folders"
    } else if decoded.split('/').any(|part| part == "..") {
        "the path must not lead out of the document's folder"
    } else if decoded.chars().any(char::is_control) {
        "the file's name has control characters"
    } else {
        let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let path = parts.join("/");
        if path.is_empty() {
            "no file is named"
        } else if is_asset(&path) {
            return Ok(path);
        } else {
            "the path must hold no `:`, and not begin with `-` or `~`"
        }
    };
    Err(why.to_owned())
}

/// Whether a path names a picture that can be drawn.
pub(crate) fn is_picture(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg" | "svg"))
}

/// The path of a sound beside the document.
///
/// # Errors
/// In words, why it is none.
pub(crate) fn sound(source: &str) -> Result<String, String> {
    const SOUNDS: &[&str] = &["mp3", "wav", "ogg", "oga", "flac", "m4a", "aac", "opus"];
    let path = path(source)?;
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    if SOUNDS.contains(&extension.as_str()) { Ok(path) } else { Err("it is not a sound file".to_owned()) }
}

/// The path of a picture beside the document.
///
/// # Errors
/// In words, why it is none.
pub(crate) fn picture(source: &str) -> Result<String, String> {
    let path = path(source)?;
    if is_picture(&path) { Ok(path) } else { Err("a picture is a PNG, JPEG or SVG file".to_owned()) }
}

/// `%20` as a space. What is no such code stays.
fn decoded(source: &str) -> String {
    let mut bytes = Vec::with_capacity(source.len());
    let mut rest = source.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| source.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_beside_the_document_are_named() {
        assert_eq!(path("./pictures/a%20b.png").as_deref(), Ok("pictures/a b.png"));
        assert_eq!(path("größe.svg").as_deref(), Ok("größe.svg"));
        assert_eq!(path("a/50%.png").as_deref(), Ok("a/50%.png"));
        for bad in [
            "",
            " ",
            "./",
            "https://example.org/a.png",
            "HTTP://x",
            "//example.org/a.png",
            "data:image/png;base64,AAAA",
            "file:///etc/passwd",
            "s3://bucket/key",
            "C:\\a.png",
            "c:a.png",
            "/etc/passwd",
            "../a.png",
            "a/../../b.png",
            "a/%2e%2e/b.png",
            "%2e%2e%2fb.png",
            "a\\b.png",
            "a\u{0}.png",
            "a%0Ab.png",
            "a/b:c.png",
            "~a.png",
            "./~/a.png",
            "-a.png",
            ".//-a.png",
        ] {
            assert!(path(bad).is_err(), "{bad:?}");
        }
        assert!(path(&"a".repeat(501)).is_err());
    }
}
