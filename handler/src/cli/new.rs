//! `chalkreel new`: a first lesson to change.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::explain;
use super::output::{Text, line, note};
use crate::error::{Code, JobError};

/// The lesson.
const LESSON: &str = include_str!("../../templates/lesson.md");

pub(super) fn run(document: &Path) -> ExitCode {
    match write(document) {
        Ok(()) => {
            let mut text = Text::default();
            line!(text, "{}", document.display());
            let code = text.print(ExitCode::SUCCESS);
            note(format_args!("chalkreel watch {0}    shows it while you change it", document.display()));
            note(format_args!("chalkreel render {0}   makes its film", document.display()));
            code
        }
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

fn write(document: &Path) -> Result<(), JobError> {
    let failed = |error: std::io::Error| {
        let message = format!("can't write {}: {error}", document.display());
        let remedy = match error.kind() {
            ErrorKind::AlreadyExists => "Name another file, or remove that one.",
            _ => "Name a file in a folder that you may write.",
        };
        JobError::new(Code::StoreFile, message).remedy(remedy)
    };
    let mut file = std::fs::File::create_new(document).map_err(failed)?;
    file.write_all(LESSON.as_bytes()).map_err(failed)
}
