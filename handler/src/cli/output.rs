//! What commands say: results on standard output, all else on standard error. The one place that prints.
//!
//! Whoever reads may leave at any time: a closed pipe ends the saying quietly, and the exit code is still the command's own. A standard
//! output that fails otherwise (a full disk) is told on standard error. Nothing here panics, as `println!` would.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

/// A result on its way to standard output.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Adds a line. Use it through [`line!`].
    pub(super) fn push(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string fails only where a value's own formatting does.
        let _ = fmt::Write::write_fmt(&mut self.0, line);
        self.0.push('\n');
    }

    /// Says it all. `code` is the command's own; it becomes a failure when what was said is the command's whole work and could
    /// not be said, but for a reader that has left.
    pub(super) fn say(&self, code: ExitCode) -> ExitCode {
        if self.said() { code } else { ExitCode::FAILURE }
    }

    /// Says it all, and whether it reached standard output, or a reader that has left. Anything else is told.
    pub(super) fn said(&self) -> bool {
        let mut stdout = io::stdout().lock();
        arrived(stdout.write_all(self.0.as_bytes()).and_then(|()| stdout.flush()))
    }
}

/// Adds a formatted line to a [`Text`].
macro_rules! line {
    ($text:expr, $($rest:tt)*) => { $text.push(format_args!($($rest)*)) };
}
pub(super) use line;

fn arrived(written: io::Result<()>) -> bool {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            note(format_args!("chalkreel: standard output can't be written: {error}"));
            false
        }
        _ => true,
    }
}

/// A line on standard error. Where nobody can read it, it is lost: there is no other place to tell that.
pub fn note(line: fmt::Arguments<'_>) {
    // One write, so that lines of several processes stay whole.
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Says help, version, or what is wrong with the arguments, as clap words it. Gives the exit code: 2 for wrong usage.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if error.use_stderr() {
        return ExitCode::from(2);
    }
    if arrived(printed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
