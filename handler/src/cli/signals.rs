//! The signals that tell a command to stop: interrupt, terminate, and the hang-up of a terminal that was closed.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::signal::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::child;
use crate::deadline::Deadline;

/// A shell's exit code of a command that was ended by an interrupt: 128 plus the signal's number.
pub(super) const ENDED: u8 = 130;
/// How long a stopped command waits for its children. They have a second for an orderly end; most die at once.
const CHILDREN: Duration = Duration::from_secs(2);

/// Runs a command that has nothing to put in order but its children: the first signal drops it, which ends them. None of them is
/// left when this returns.
pub(super) async fn until_stopped(command: impl Future<Output = ExitCode>) -> ExitCode {
    // Without signals to listen to, the default is what it was.
    let Ok(mut stops) = Stops::listen() else { return command.await };
    tokio::select! {
        code = command => return code,
        () = stops.next() => {}
    }
    // The command was dropped with the selection. The kernel would end its children with this process, but only some time after it.
    let _ = child::settled(Deadline::after(CHILDREN)).await;
    ExitCode::from(ENDED)
}

/// Listens for them.
#[derive(Debug)]
pub(super) struct Stops {
    interrupt: Signal,
    terminate: Signal,
    /// None where hang-ups are ignored.
    hang_up: Option<Signal>,
}

impl Stops {
    /// Must be called inside an async runtime.
    ///
    /// # Errors
    /// When the system does not let the process listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // A command started with `nohup` goes on after a hang-up.
            hang_up: if is_ignored(Number::SIGHUP) { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// Ends with the next of them.
    pub(super) async fn next(&mut self) {
        let Self { interrupt, terminate, hang_up } = self;
        let hang_up = async {
            match hang_up {
                Some(signal) => _ = signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = hang_up => {}
        }
    }
}

/// Whether this process was started with the signal ignored, according to the kernel.
fn is_ignored(number: Number) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (number as i32 - 1)) != 0)
}
