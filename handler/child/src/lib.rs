//! Processes. In: a [`Spec`] and a [`Deadline`]. Out: an [`Outcome`], which is data whatever the child did.
//!
//! It never waits for a child beyond its deadline, grace and drain times, never leaves one running, and never signals
//! a process that it didn't start. `unsafe` is what runs between `fork` and `exec`, and system calls that have no safe
//! name; elsewhere only the planner's compiled code is loaded so.
//!
//! - [`Spec`] says what to start, and [`Outcome`] how it ended (`spec`, `outcome`);
//! - `launch` builds everything that a child needs before the fork, since nothing may be allocated after it;
//! - `landlock` and `seccomp` build the two confinements, `user` chooses the user of a child when the handler is root, `fork`
//!   applies all of it, and `self_test` has the child try what must fail;
//! - `memory` says how much memory a child may have, and how many threads;
//! - `report` is what the child reports of itself before its program begins;
//! - `supervisor` is the one thread that forks, and `lifecycle` supervises each child, from the fork to the end, and `running` is
//!   the child in the hands of its owner;
//! - `sweep` finds, kills and reaps what is left of a child, however it hid;
//! - `watchdog` ends a child that is silent for too long;
//! - `capture` drains pipes into bounded memory.
//!
//! Why a thread of its own: `PR_SET_PDEATHSIG` kills a child when the *thread* that forked it ends, and the threads of
//! an async runtime come and go. That thread also keeps its time when every other one is stuck in a computation.
//!
//! Why a mark: a process can leave its group and session, change its environment and lose its parent, but it can't
//! raise a hard resource limit. Each child gets a hard limit of its own on the bytes of POSIX message queues, which
//! are not used here. All that descends from the child carries it, so that an orphan can be told to which child it belongs.

#![expect(unsafe_code, reason = "between fork and exec, and system calls that no library names")]

mod capture;
mod fork;
mod landlock;
mod launch;
mod lifecycle;
mod memory;
mod outcome;
mod report;
mod running;
mod seccomp;
mod self_test;
mod spec;
mod supervisor;
mod sweep;
mod system;
mod user;
mod watchdog;

pub use memory::{limit_memory, share_of_memory};
pub use outcome::{Capabilities, Captured, Ending, Granted, Outcome, StartError};
pub use running::{Running, StopHandle};
pub use spec::{Author, Confinement, Limits, Mode, Spec};
pub use user::{is_user_of_children, open_to_children, open_to_program};
pub use watchdog::run_with_watchdog;

use tracing::Instrument as _;

use deadline::Deadline;

/// Runs a child to its end. It returns by `deadline` plus the spec's grace and drain plus 2 s, and dropping the future
/// ends the child.
pub async fn run(spec: Spec, deadline: Deadline) -> Outcome {
    let span = spec.span();
    let outcome = run_within(spec, deadline).instrument(span.clone()).await;
    outcome.record_in(&span);
    outcome
}

async fn run_within(spec: Spec, deadline: Deadline) -> Outcome {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let requested = supervisor::request_start(spec, deadline, move |started| {
        // When this fails, the caller has gone; the running child is dropped with it, and so ended.
        let _ = sender.send(started);
    });
    let started = match requested {
        Ok(()) => receiver.await.unwrap_or(Err(StartError::NoSupervisor)),
        Err(error) => Err(error),
    };
    match started {
        Ok(running) => running.outcome().await,
        Err(error) => Outcome::not_started(error),
    }
}

/// Starts a child, and returns as soon as its program runs. It is supervised from then on; dropping [`Running`] ends it. The calling thread waits for the `exec`, a few milliseconds.
///
/// # Errors
/// [`StartError`] when the program does not run.
pub fn start(spec: Spec, deadline: Deadline) -> Result<Running, StartError> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    supervisor::request_start(spec, deadline, move |started| {
        let _ = sender.send(started);
    })?;
    receiver.recv_timeout(supervisor::LONGEST_ANSWER).unwrap_or(Err(StartError::NoSupervisor))
}

/// Waits until nothing of a child is left but its first process, and says whether that came by `deadline`. Never where children
/// have no mark.
pub async fn alone(running: &Running, deadline: Deadline) -> bool {
    let (sender, found) = tokio::sync::oneshot::channel();
    let leader = nix::unistd::Pid::from_raw(running.pid().cast_signed());
    supervisor::request_alone(leader, deadline, sender) && found.await.unwrap_or(false)
}

/// What a process that has children does once, at its start: orphans below it come to it, and no child can read its
/// memory or environment through `/proc`. And its own memory stays small over many jobs: threads share two heaps.
pub fn prepare_process() {
    // Both are additional measures that some sandboxes refuse; `probe` says what was granted.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let _ = nix::sys::prctl::set_dumpable(false);
    // Threads come and go with jobs. With a heap for each thread, which is glibc's default, the process grew by 8 MB in 200 jobs
    // although nothing leaked. Large blocks go back to the kernel at once: without a fixed threshold glibc keeps ever larger ones.
    // SAFETY: sets numbers in the allocator, which takes its own lock.
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the C library has no safe name for it")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
    }
}

/// Waits until no child is left, neither running nor being ended, and says whether that came by `deadline`. A process that
/// exits earlier would leave behind descendants in their grace time: the kernel ends only its direct children with it.
pub async fn settled(deadline: Deadline) -> bool {
    supervisor::settled(deadline).await
}

/// Kills and reaps whatever a child that has ended left behind, and gives the number of processes found alive. Children
/// that still run, with all below them, and processes that this crate did not start are left alone. It takes a
/// millisecond when nothing is found, and gives up after 2 s.
pub fn sweep() -> usize {
    supervisor::sweep_tree(sweep::SweepTarget::Strays)
}

/// Kills every child with all below it, at once and without a grace, and gives the number of processes. For a handler
/// that has no time left, whose children would otherwise outlive it.
pub fn kill_all() -> usize {
    supervisor::sweep_tree(sweep::SweepTarget::All)
}

/// How children were confined: what was in force for each one that has run; none before the first one.
pub fn granted() -> Option<Granted> {
    supervisor::granted()
}

/// How children are confined here, found by confining one that tries to break out and then runs nothing.
pub fn probe() -> Granted {
    supervisor::probe()
}
