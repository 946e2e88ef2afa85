//! What could not be honoured, collected while a document is read.

use crate::storyboard::{Place, Warning};
use crate::text::one_line;

/// More warnings than an author reads.
const MOST_WARNINGS: usize = 100;

/// Characters of a warning: more is not read, and may be a whole document.
const LONGEST_WARNING: usize = 500;

/// What could not be honoured, up to as many as an author reads.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(crate) fn add(&mut self, code: &str, message: impl AsRef<str>, place: Place) {
        let message = one_line(message.as_ref(), LONGEST_WARNING);
        self.push(Warning { code: code.to_owned(), message, place: Some(place) });
    }

    pub(crate) fn push(&mut self, warning: Warning) {
        match self.0.len() {
            MOST_WARNINGS => {
                let (code, message) =
                    ("plan.more_warnings".to_owned(), "there are more warnings than these".to_owned());
                self.0.push(Warning { code, message, place: warning.place });
            }
            count if count < MOST_WARNINGS => self.0.push(warning),
            _ => {}
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Warning> {
        self.0
    }
}
