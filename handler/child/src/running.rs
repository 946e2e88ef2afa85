//! A child that runs, as its owner holds it, and what its supervisor needs to know.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::Pid;
use tokio::sync::{mpsc, oneshot, watch};

use super::outcome::{Granted, Outcome, StartError};
use deadline::Deadline;

/// Called with the result of the start.
pub(super) type Reply = Box<dyn FnOnce(Granted, Result<Running, StartError>) + Send>;

/// The part of a spec that the supervisor needs.
pub(super) struct RunOptions {
    pub(super) deadline: Deadline,
    pub(super) grace: Duration,
    pub(super) drain: Duration,
    pub(super) keep: usize,
    pub(super) processes: Option<u64>,
    pub(super) memory: Option<u64>,
    pub(super) lines: Option<mpsc::Sender<String>>,
}

/// A child that runs. Dropping it ends the child.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    channel: Option<UnixStream>,
    stop_handle: StopHandle,
    outcome: oneshot::Receiver<Outcome>,
}

/// Ends a child: TERM, grace, KILL.
#[derive(Debug, Clone)]
pub struct StopHandle(Arc<watch::Sender<bool>>);

impl StopHandle {
    /// Requests the end, and returns at once. It has no effect on a child that has ended.
    pub fn end(&self) {
        self.0.send_replace(true);
    }
}

impl Running {
    /// A running child, the receiver of requests to end it, and the sender of its outcome.
    pub(super) fn new(
        pid: Pid,
        channel: Option<UnixStream>,
    ) -> (Self, watch::Receiver<bool>, oneshot::Sender<Outcome>) {
        let (stop_handle, asked) = watch::channel(false);
        let (sender, outcome) = oneshot::channel();
        (Self { pid, channel, stop_handle: StopHandle(Arc::new(stop_handle)), outcome }, asked, sender)
    }

    /// Its process number, which is also that of its group and session.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// Our end of its channel, once, when the spec requested one. To be called inside an async runtime.
    pub fn channel(&mut self) -> Option<tokio::net::UnixStream> {
        self.channel.take().and_then(|socket| tokio::net::UnixStream::from_std(socket).ok())
    }

    /// A handle by which others can end it.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop_handle.clone()
    }

    /// Waits for its end, which comes by its deadline plus grace, drain and 2 s. Dropping this future ends the child.
    pub async fn outcome(mut self) -> Outcome {
        self.ended().await
    }

    /// The same, once; dropping this future leaves the child running.
    pub async fn ended(&mut self) -> Outcome {
        (&mut self.outcome).await.unwrap_or_else(|_| Outcome::not_started(StartError::NoSupervisor))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_handle.end();
    }
}
