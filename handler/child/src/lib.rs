//! Processes. In: a [`Spec`] and a [`Deadline`]. Out: an [`Outcome`], which is data whatever the child did.
//!
//! It never waits for a child beyond its deadline, grace and drain, never lets one outlive its end, and never signals
//! a process that it didn't start. This is the only crate with `unsafe`: what runs between `fork` and `exec`, and
//! system calls that have no safe name.
//!
//! - [`Spec`] says what to start, and [`Outcome`] how it ended (`spec`, `outcome`);
//! - `plan` builds everything that a child needs before the fork, since nothing may be allocated after it;
//! - `landlock` and `filter` build the two confinements, `user` chooses whom a child of root runs as, `fork` puts all of it
//!   on, and `trial` is what the child then tries in vain;
//! - `memory` says how much of it a child may have;
//! - `supervisor` is the one thread that forks, and `life` is what it does for each child, from the fork to the end;
//! - `family` finds, kills and reaps what is left of a child, however it hid;
//! - `capture` drains pipes into bounded memory.
//!
//! Why a thread of its own: `PR_SET_PDEATHSIG` kills a child when the *thread* that forked it ends, and the threads of
//! an async runtime come and go. That thread also keeps its time when every other one is stuck in a computation.
//!
//! Why a mark: a process can leave its group and session, change its environment and lose its parent, but it can't
//! raise a hard resource limit. Each child gets a hard limit of its own on the bytes of POSIX message queues, which
//! nobody here uses. All that descends from the child carries it, so an orphan says whose it is.

mod capture;
mod family;
mod filter;
mod fork;
mod landlock;
mod life;
mod memory;
mod outcome;
mod plan;
mod spec;
mod supervisor;
mod system;
mod trial;
mod user;
mod watch;

pub use memory::{limit_memory, share_of_memory};
pub use outcome::{Capabilities, Captured, Ending, Granted, Outcome, StartError};
pub use spec::{Author, Confinement, Limits, Mode, Spec};
pub use supervisor::{Ender, Running};
pub use user::{is_user_of_children, open_to_children};
pub use watch::watched;

use tracing::Instrument as _;

use deadline::Deadline;

/// Runs a child to its end. It returns by `deadline` plus the spec's grace and drain plus 2 s, and dropping the future
/// ends the child.
pub async fn run(spec: Spec, deadline: Deadline) -> Outcome {
    let span = spec.span();
    let outcome = run_within(spec, deadline).instrument(span.clone()).await;
    outcome.told(&span);
    outcome
}

async fn run_within(spec: Spec, deadline: Deadline) -> Outcome {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let asked = supervisor::ask(spec, deadline, move |started| {
        // Nobody waits any more when this fails; the running child is dropped with it, and so ended.
        let _ = sender.send(started);
    });
    let started = match asked {
        Ok(()) => receiver.await.unwrap_or(Err(StartError::NoSupervisor)),
        Err(error) => Err(error),
    };
    match started {
        Ok(running) => running.outcome().await,
        Err(error) => Outcome::not_started(error),
    }
}

/// Starts a child, and gives it back as soon as its program runs. It is supervised from then on, whether or not anybody
/// looks; dropping [`Running`] ends it. The calling thread waits for the `exec`, a few milliseconds.
///
/// # Errors
/// [`StartError`] when the program does not run.
pub fn start(spec: Spec, deadline: Deadline) -> Result<Running, StartError> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    supervisor::ask(spec, deadline, move |started| {
        let _ = sender.send(started);
    })?;
    receiver.recv_timeout(supervisor::LONGEST_ANSWER).unwrap_or(Err(StartError::NoSupervisor))
}

/// What a process that has children does once, at its start: orphans below it come to it, and no child can read its
/// memory or environment through `/proc`. And its own memory stays small over many jobs: threads share two heaps.
pub fn prepare_process() {
    // Both are belts that some sandboxes refuse; `probe` says what was granted.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let _ = nix::sys::prctl::set_dumpable(false);
    // Threads come and go with jobs; with a heap for each, as glibc has it, 200 jobs grew by 8 MB, of which none was lost. And
    // large blocks go back to the kernel at once: without a fixed size glibc keeps ever larger ones.
    // SAFETY: sets numbers in the allocator, which takes its own lock.
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the C library has no safe name for it")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
    }
}

/// Waits until no child is left, neither alive nor being ended, and says whether that came by `deadline`. A process that
/// leaves before would leave behind what has a grace, for the kernel ends only our own children with us.
pub async fn settled(deadline: Deadline) -> bool {
    supervisor::settled(deadline).await
}

/// Kills and reaps whatever a child that has ended left behind, and gives the number of processes found alive. Children
/// that still run, with all below them, and processes that this crate did not start are left alone. It takes a
/// millisecond when nothing is found, and gives up after 2 s.
pub fn sweep() -> usize {
    supervisor::sweep_tree(family::SweepTarget::Strays)
}

/// Kills every child with all below it, at once and without a grace, and gives the number of processes. For a handler
/// that has no time left: what it leaves behind would otherwise outlive it.
pub fn kill_all() -> usize {
    supervisor::sweep_tree(family::SweepTarget::All)
}

/// How children were confined: what was in force for every one that has run; none before the first one.
pub fn granted() -> Option<Granted> {
    supervisor::granted()
}

/// How children are confined here, found by confining one that tries to break out and then runs nothing.
pub fn probe() -> Granted {
    supervisor::probe()
}
