//! The output of commands: results on standard output, all else on standard error. The only module that prints.
//!
//! A reader may close the pipe at any time: the output then ends quietly, and the exit code is still the command's own. Other failures
//! of standard output (a full disk) are reported on standard error. Nothing here panics, as `println!` would.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

/// A result for standard output.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Adds a line. Use it through [`line!`].
    pub(super) fn push(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string fails only where a value's own formatting does.
        let _ = fmt::Write::write_fmt(&mut self.0, line);
        self.0.push('\n');
    }

    /// Prints it. `code` is the command's own; it becomes a failure when the text can't be written, unless the reader has closed the
    /// pipe.
    pub(super) fn print(&self, code: ExitCode) -> ExitCode {
        if self.try_print() { code } else { ExitCode::FAILURE }
    }

    /// Prints it, and gives false when that failed, which is reported. A closed pipe is no failure.
    pub(super) fn try_print(&self) -> bool {
        let mut stdout = io::stdout().lock();
        is_written(stdout.write_all(self.0.as_bytes()).and_then(|()| stdout.flush()))
    }
}

/// Adds a formatted line to a [`Text`].
macro_rules! line {
    ($text:expr, $($rest:tt)*) => { $text.push(format_args!($($rest)*)) };
}
pub(super) use line;

fn is_written(written: io::Result<()>) -> bool {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            note(format_args!("chalkreel: can't write to standard output: {error}"));
            false
        }
        _ => true,
    }
}

/// Prints a line on standard error. If that fails, the line is lost: there is no other place to report it.
pub fn note(line: fmt::Arguments<'_>) {
    // One write, so that lines of several processes are not mixed.
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Prints help, version, or what is wrong with the arguments, as clap words it. Gives the exit code: 2 for wrong usage.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if error.use_stderr() {
        return ExitCode::from(2);
    }
    if is_written(printed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
