//! Supervises one child, from the fork to the end of the last of its descendants.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking, spawn_local};
use tokio::time::{sleep, sleep_until, timeout, timeout_at};

use super::capture::{Capture, Lines, drain};
use super::fork;
use super::launch::{Launch, ParentEnds};
use super::memory::share_of_threads;
use super::outcome::{Captured, Ending, Granted, Outcome, StartError};
use super::report;
use super::running::{Reply, RunOptions, Running};
use super::spec::Limits;
use super::sweep::{self, Registry, Scan, SweepTarget, Swept};
use super::system::{self, End};

/// Longest wait for a program to be read from its disk and begin; a cold 100 MB binary on a slow disk takes 2 s.
pub(super) const EXEC: Duration = Duration::from_secs(10);
/// Longest sweep for what a child left behind, before the sweep goes on in the background.
pub(super) const SWEEP: Duration = Duration::from_secs(1);
/// Longest sweep in the background.
const LONG_SWEEP: Duration = Duration::from_secs(60);
/// Longest wait for the end of a killed leader, which dies at once unless it is in an uninterruptible call.
const KILLED: Duration = Duration::from_millis(500);
/// How often a tree's processes and memory are checked. A check takes 0.1 ms; in 50 ms a fork bomb makes some hundred
/// processes, and a program that leaks gets some hundred megabytes.
const COUNT: Duration = Duration::from_millis(50);
/// Pause after a tree's memory was measured exactly, which takes longer, and was within its limit.
const MEASURED: Duration = Duration::from_millis(500);
/// How often a leader is polled on kernels without pidfd.
const POLL: Duration = Duration::from_millis(10);

/// Why a child is to be reaped.
enum Why {
    /// It ended by itself.
    Ended(End),
    /// Its deadline passed.
    TimedOut,
    /// Its end was requested.
    Requested,
    /// Its tree has too much of something.
    Exceeded(Excess),
}

/// What a tree has too much of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    Processes,
    Memory,
}

/// Starts and supervises a child. `reply` gets the result of the start, and then `Running` gets the outcome.
pub(super) async fn supervise(registry: Rc<RefCell<Registry>>, launch: Launch, options: RunOptions, reply: Reply) {
    if options.deadline.passed() {
        return reply(Granted::default(), Err(StartError::NoTime));
    }
    let began = Instant::now();
    let mark = registry.borrow_mut().allocate_mark();
    let (pid, parent_ends, facts) = match fork::spawn(launch, mark) {
        Ok(forked) => forked,
        Err(error) => {
            registry.borrow_mut().release(mark);
            return reply(Granted::default(), Err(error));
        }
    };
    registry.borrow_mut().register(mark, pid);
    // The child may read this very entry, and no other that the kernel may make for it later (see `fork`).
    let entry = std::fs::File::options().read(true).custom_flags(libc::O_PATH).open(format!("/proc/{pid}")).ok();
    let child = Child { registry, mark, leader: Leader::of(pid), _entry: entry };
    let ParentEnds { stdout, stderr, report, channel } = parent_ends;
    let out = Stream::of(stdout, options.keep, options.lines.map(Lines::to));
    let err = Stream::of(stderr, options.keep, None);

    let (granted, failure) = match timeout_at(options.deadline.slice(EXEC).instant().into(), read_report(report)).await
    {
        Ok(StartReport { steps, capabilities, failure }) => {
            let granted = facts.granted(steps, capabilities, mark.is_some());
            (granted, failure.map(|(step, detail)| facts.failure(step, detail, granted)))
        }
        Err(_) if options.deadline.passed() => (Granted::default(), Some(StartError::NoTime)),
        Err(_) => (Granted::default(), Some(StartError::Slow)),
    };
    if let Some(error) = failure {
        child.reap_tree(false).await;
        let now = Instant::now();
        out.until(now).await;
        err.until(now).await;
        return reply(granted, Err(error));
    }
    let (running, asked, outcome) = Running::new(pid, channel);
    reply(granted, Ok(running));

    let why = tokio::select! {
        biased;
        end = child.leader.end() => Why::Ended(end),
        () = sleep_until(options.deadline.instant().into()) => Why::TimedOut,
        () = stop_requested(asked) => Why::Requested,
        excess = child.exceeds(options.processes, options.memory) => Why::Exceeded(excess),
    };
    let gone = match why {
        Why::Ended(_) => true,
        Why::Exceeded(_) => false,
        Why::TimedOut | Why::Requested => {
            sweep::signal_group(pid, Signal::SIGTERM);
            // A stopped process does not handle TERM.
            sweep::signal_group(pid, Signal::SIGCONT);
            timeout(options.grace, child.leader.end()).await.is_ok()
        }
    };
    // One deadline for both pipes, set once: a writer that is not ours may go on for ever.
    let drained = Instant::now() + options.drain;
    let leaked = child.reap_tree(gone).await;
    let outcome_of = Outcome {
        ending: match why {
            Why::Ended(End::Exited(code)) => Ending::Exited(code),
            Why::Ended(End::Signalled(signal)) => Ending::Signalled(signal),
            Why::TimedOut => Ending::TimedOut,
            Why::Requested => Ending::Ended,
            Why::Exceeded(_) => Ending::Signalled(Signal::SIGKILL as i32),
        },
        leaked,
        too_many_processes: matches!(why, Why::Exceeded(Excess::Processes)),
        too_much_memory: matches!(why, Why::Exceeded(Excess::Memory)),
        stdout: out.until(drained).await,
        stderr: err.until(drained).await,
        elapsed: began.elapsed(),
        confinement: granted,
    };
    // This fails when `Running` was dropped.
    let _ = outcome.send(outcome_of);
}

/// Ends when the child's end is requested, or no handle is left that could request it.
async fn stop_requested(mut asked: watch::Receiver<bool>) {
    let _ = asked.wait_for(|asked| *asked).await;
}

/// What a child reports until its program begins.
struct StartReport {
    steps: u64,
    capabilities: u64,
    /// The step that failed, and with what.
    failure: Option<(u8, u64)>,
}

/// Reads the report, until the start of the program closes the pipe.
async fn read_report(report: OwnedFd) -> StartReport {
    let mut bytes = Vec::new();
    // What can't be read counts as not granted; the child's outcome says the rest.
    if let Ok(mut pipe) = Receiver::from_owned_fd(report) {
        let _ = pipe.read_to_end(&mut bytes).await;
    }
    let mut start = StartReport { steps: 0, capabilities: u64::MAX, failure: None };
    for [what, a, b, c, d, e, f, g, h] in bytes.as_chunks::<{ report::REPORT_BYTES }>().0 {
        let detail = u64::from_ne_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
        match *what {
            report::GRANTED => start.steps = detail,
            report::CAPABILITIES => start.capabilities = detail,
            report::FAILED_CONFINEMENT => (start.steps, start.failure) = (detail, Some((*what, detail))),
            failed => start.failure = Some((failed, detail)),
        }
    }
    start
}

struct Child {
    registry: Rc<RefCell<Registry>>,
    mark: Option<u64>,
    leader: Leader,
    /// Its entry in `/proc`, held open as long as it lives.
    _entry: Option<std::fs::File>,
}

impl Child {
    /// Ends when the tree has more processes, threads or memory than it may.
    async fn exceeds(&self, processes: Option<u64>, memory: Option<u64>) -> Excess {
        let Some(mark) = self.mark else { return std::future::pending().await };
        let (most, memory) = (processes.unwrap_or(u64::MAX), memory.unwrap_or(u64::MAX));
        let most_threads = most.saturating_mul(Limits::THREADS).min(share_of_threads());
        loop {
            sleep(COUNT).await;
            let Scan { living, dead, .. } = self.registry.borrow().scan(SweepTarget::Of(mark));
            // Dead ones that nobody reaps keep their numbers, and each scan reads them.
            let threads: u64 = dead + living.iter().map(|member| member.threads).sum::<u64>();
            if dead + living.len() as u64 > most || threads > most_threads {
                return Excess::Processes;
            }
            // What waits in a socket is in no process's memory, but in the kernel's.
            let most_of = |member: &sweep::Member| member.resident() + member.descriptors() * sweep::socket_buffer();
            if living.iter().map(most_of).sum::<u64>() > memory {
                // Forked processes share most of what they have. On another thread, since it waits for the process itself.
                let used = spawn_blocking(move || {
                    living.iter().map(sweep::Member::share).sum::<u64>() + sweep::socket_buffers(&living)
                });
                if used.await.is_ok_and(|bytes| bytes > memory) {
                    return Excess::Memory;
                }
                sleep(MEASURED).await;
            }
        }
    }

    /// Kills the group, then all other descendants, and reaps the child. `gone` says whether the leader has ended.
    /// Gives the number of processes that outlived it.
    async fn reap_tree(self, gone: bool) -> usize {
        let pid = self.leader.pid;
        let mut swept = Swept::default();
        if let Some(mark) = self.mark.filter(|_| gone) {
            // Counted before the kill, after which they can't be told from those that ended with the leader.
            swept.add(&self.registry.borrow().scan(SweepTarget::Of(mark)).living);
        }
        // The group, even when its leader has gone: processes that ignored TERM are still in it.
        sweep::signal_group(pid, Signal::SIGKILL);
        if !gone {
            let _ = timeout(KILLED, self.leader.end()).await;
        }
        let mut clean = true;
        if let Some(mark) = self.mark {
            let found = sweep::sweep_tree(&self.registry, SweepTarget::Of(mark), Instant::now() + SWEEP).await;
            clean = found.clean;
            swept.members.extend(found.members);
        }
        sweep::reap(pid);
        self.registry.borrow_mut().release(self.mark);
        if !clean {
            let registry = self.registry.clone();
            // A process in an uninterruptible call dies when the call returns, and is reaped then.
            spawn_local(
                async move { sweep::sweep_tree(&registry, SweepTarget::Strays, Instant::now() + LONG_SWEEP).await },
            );
        }
        // Those that were killed together with the leader did not outlive it.
        let outlived = |member: &&sweep::Member| member.pid != pid && (gone || member.group != pid);
        swept.members.values().filter(outlived).count()
    }
}

/// The child's first process, which only `reap_tree` reaps.
struct Leader {
    pid: Pid,
    pidfd: Option<AsyncFd<OwnedFd>>,
}

impl Leader {
    fn of(pid: Pid) -> Self {
        // Kernels before 5.3 have none: there the leader is polled.
        // SAFETY: an `OwnedFd` stays open, and the same, as long as the `AsyncFd` owns it.
        let register = |pidfd| unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }.ok();
        let pidfd = system::pidfd(pid).ok().and_then(register);
        Self { pid, pidfd }
    }

    async fn end(&self) -> End {
        loop {
            if let Some(end) = sweep::ended(self.pid) {
                return end;
            }
            match &self.pidfd {
                Some(pidfd) => {
                    if let Ok(mut ready) = pidfd.readable().await
                        && sweep::ended(self.pid).is_none()
                    {
                        ready.clear_ready();
                    }
                }
                None => sleep(POLL).await,
            }
        }
    }
}

/// A pipe that is being drained.
struct Stream {
    capture: Rc<RefCell<Capture>>,
    task: JoinHandle<()>,
}

impl Stream {
    fn of(pipe: OwnedFd, keep: usize, lines: Option<Lines>) -> Self {
        let capture = Rc::new(RefCell::new(Capture::new(keep)));
        let (kept, pipe) = (capture.clone(), Receiver::from_owned_fd(pipe));
        let task = spawn_local(async move {
            // It is a pipe and it doesn't block, so this fails only when no more descriptors can be watched.
            if let Ok(pipe) = pipe {
                drain(pipe, kept, lines).await;
            }
        });
        Self { capture, task }
    }

    /// What was written until the last writer closed the pipe, or until `at`.
    async fn until(mut self, at: Instant) -> Captured {
        if timeout_at(at.into(), &mut self.task).await.is_err() {
            self.task.abort();
            // Waits until the task has ended, and the pipe is closed.
            let _ = (&mut self.task).await;
        }
        self.capture.borrow_mut().take()
    }
}
