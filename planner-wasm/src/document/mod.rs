//! From a document's bytes to its text and format, or a refusal that says where it went wrong.

pub(crate) mod asset;
pub(crate) mod front_matter;
pub(crate) mod language;
pub(crate) mod position;
pub(crate) mod settings;

use std::borrow::Cow;

use crate::storyboard::{Document, Place, Refusal};

/// What a document is, as its name and its beginning tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `.md`, `.markdown`
    Lesson,
    /// `.json`: a lecture plan, or a storyboard.
    Json,
    /// `.storyboard.json`
    Storyboard,
    /// `.ipynb`
    Notebook,
    /// `.py`
    Manim,
}

/// Larger documents are refused; the same bound as that of the intake, in bytes.
const LARGEST: usize = 8 << 20;

/// Characters of what a refusal says: more is not read, and may be a whole document.
const LONGEST_MESSAGE: usize = 500;

/// The format and text of a document, without a byte order mark and control characters.
pub(crate) fn read(document: &Document) -> Result<(Format, Cow<'_, str>), Refusal> {
    let name = document.name.to_ascii_lowercase();
    let format = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("md" | "markdown" | "mdx" | "qmd" | "rmd") => Format::Lesson,
        Some("json")
            if name.ends_with(".storyboard.json")
                || name.ends_with("/storyboard.json")
                || name == "storyboard.json" =>
        {
            Format::Storyboard
        }
        Some("json") => Format::Json,
        Some("ipynb") => Format::Notebook,
        Some("py") => Format::Manim,
        extension => {
            let message = match extension {
                Some(extension) if document.name.len() < 300 => {
                    format!("`{}` ends in `.{extension}`, which is not a format that is read here", document.name)
                }
                _ => "the document's name has no extension that tells its format".to_owned(),
            };
            let remedy = "Name a Markdown lesson `.md`, a lecture plan or storyboard `.json`, a notebook `.ipynb`, a Manim program `.py`.";
            return Err(refusal("input.unknown_format", &message, remedy, None));
        }
    };
    if document.bytes.len() > LARGEST {
        let message = format!("the document has {} bytes; at most {LARGEST} are read", document.bytes.len());
        return Err(refusal("input.too_large", &message, "Split the lesson, or take out what isn't text.", None));
    }
    let bytes = document.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&document.bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if text.trim().is_empty() {
        let remedy = match format {
            Format::Lesson => "Write `# Title`, then `## Heading` and a paragraph for each scene.",
            Format::Json | Format::Storyboard => "Write `{\"scenes\": [{\"voiceover\": \"…\", \"elements\": []}]}`.",
            Format::Notebook => "Save the notebook with at least one Markdown cell.",
            Format::Manim => "Write `class Name(Scene):` with a method `construct`.",
        };
        return Err(refusal("input.empty", "the document has no content", remedy, None));
    }
    Ok(match format {
        Format::Lesson | Format::Json | Format::Notebook => (format, visible(text)),
        Format::Storyboard => (format, Cow::Borrowed(text)),
        // Python takes every other character.
        Format::Manim if text.contains('\0') => (format, Cow::Owned(text.replace('\0', " "))),
        Format::Manim => (format, Cow::Borrowed(text)),
    })
}

/// The text with white space in place of control characters, byte by byte, so that positions stay; lines end in `\n`. Overrides of
/// the direction go too: they show letters in another order than they are read and spoken.
fn visible(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    // By bytes, as this looks at all of every document: two begin the other controls, three an override.
    let unwanted = |(at, byte): (usize, &u8)| match byte {
        b'\n' | b'\t' => false,
        ..b' ' | 0x7f => true,
        0xc2 => matches!(bytes.get(at + 1), Some(0x80..=0x9f)),
        0xe2 => matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xad | 0xae])),
        _ => false,
    };
    if !bytes.iter().enumerate().any(unwanted) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        out.push(match c {
            '\n' | '\t' => c,
            '\r' if characters.peek() != Some(&'\n') => '\n',
            // Those beyond ASCII are two bytes long, as this space is.
            c if c.is_control() => {
                if c.len_utf8() == 2 {
                    '\u{a0}'
                } else {
                    ' '
                }
            }
            '\u{202d}' | '\u{202e}' => '\u{200b}',
            c => c,
        });
    }
    Cow::Owned(out)
}

/// A refusal; `place` is where in the document.
pub(crate) fn refusal(code: &str, message: &str, remedy: &str, place: Option<Place>) -> Refusal {
    // What a message quotes may be anything.
    let message = crate::text::one_line(message, LONGEST_MESSAGE);
    Refusal { code: code.to_owned(), message, remedy: remedy.to_owned(), place }
}

fn not_utf8(bytes: &[u8], good: usize) -> Refusal {
    let before = String::from_utf8_lossy(&bytes[..good]);
    let place = position::Positions::of(&before).at(good);
    let byte = bytes.get(good).copied().unwrap_or_default();
    let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let kind = if utf16 { "; it looks like UTF-16" } else { "" };
    let message = format!("the byte 0x{byte:02x} at position {good} is not UTF-8{kind}");
    refusal("input.not_utf8", &message, "Save the document as UTF-8.", Some(place))
}
