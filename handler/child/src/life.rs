//! One child's life, from the fork to the last of its descendants.

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
use super::family::{self, Family, SweepTarget, Swept};
use super::fork;
use super::outcome::{Captured, Ending, Granted, Outcome, StartError};
use super::plan::{ParentEnds, Plan};
use super::spec::Limits;
use super::supervisor::{Orders, Reply, Running};
use super::system::{self, End};

/// Longest wait for a program to be read from its disk and begin; a cold 100 MB binary on a slow disk takes 2 s.
pub(super) const EXEC: Duration = Duration::from_secs(10);
/// Longest sweep_tree for what a child left behind, before it goes on in the background.
pub(super) const HUNT: Duration = Duration::from_secs(1);
/// Longest sweep_tree in the background.
const LONG_HUNT: Duration = Duration::from_secs(60);
/// Longest wait for a killed leader, which dies at once unless it is in an uninterruptible call.
const KILLED: Duration = Duration::from_millis(500);
/// How often a tree is counted. One look takes 0.1 ms; in 50 ms a fork bomb makes some hundred processes, and a program that
/// swells gets some hundred megabytes.
const COUNT: Duration = Duration::from_millis(50);
/// How long a tree is left alone whose memory was measured and found to be within its limit: measuring takes longer.
const MEASURED: Duration = Duration::from_millis(500);
/// How often an old kernel is asked whether a leader has ended.
const ASK: Duration = Duration::from_millis(10);

/// Why a child is to be buried.
enum Why {
    /// It ended by itself.
    Ended(End),
    /// Its deadline passed.
    TimedOut,
    /// It was asked to end.
    Asked,
    /// Its tree has too much of something.
    Exceeded(Excess),
}

/// What a tree has too much of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    Processes,
    Memory,
}

/// A child's whole life. `reply` hears of its start, and then its `Running` hears of its end.
pub(super) async fn live(family: Rc<RefCell<Family>>, plan: Plan, orders: Orders, reply: Reply) {
    if orders.deadline.passed() {
        return reply(Granted::default(), Err(StartError::NoTime));
    }
    let began = Instant::now();
    let mark = family.borrow_mut().enroll();
    let (pid, ours, facts) = match fork::spawn(plan, mark) {
        Ok(forked) => forked,
        Err(error) => {
            family.borrow_mut().dismiss(mark);
            return reply(Granted::default(), Err(error));
        }
    };
    family.borrow_mut().forked(mark, pid);
    // What the child may see of itself is this entry, and no other that the kernel may make of it later (see `fork`).
    let entry = std::fs::File::options().read(true).custom_flags(libc::O_PATH).open(format!("/proc/{pid}")).ok();
    let child = Child { family, mark, leader: Leader::of(pid), _entry: entry };
    let ParentEnds { stdout, stderr, report, channel } = ours;
    let out = Stream::of(stdout, orders.keep, orders.lines.map(Lines::to));
    let err = Stream::of(stderr, orders.keep, None);

    let (granted, failure) = match timeout_at(orders.deadline.slice(EXEC).instant().into(), reported(report)).await {
        Ok(Told { steps, capabilities, failure }) => {
            let granted = facts.granted(steps, capabilities, mark.is_some());
            (granted, failure.map(|(step, detail)| facts.failure(step, detail, granted)))
        }
        Err(_) if orders.deadline.passed() => (Granted::default(), Some(StartError::NoTime)),
        Err(_) => (Granted::default(), Some(StartError::Slow)),
    };
    if let Some(error) = failure {
        child.bury(false).await;
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
        () = sleep_until(orders.deadline.instant().into()) => Why::TimedOut,
        () = asked_to_end(asked) => Why::Asked,
        excess = child.exceeds(orders.processes, orders.memory) => Why::Exceeded(excess),
    };
    let obeyed = match why {
        Why::Ended(_) => true,
        Why::Exceeded(_) => false,
        Why::TimedOut | Why::Asked => {
            family::signal_group(pid, Signal::SIGTERM);
            // One that was stopped could not obey.
            family::signal_group(pid, Signal::SIGCONT);
            timeout(orders.grace, child.leader.end()).await.is_ok()
        }
    };
    // One deadline for both pipes, set once: a writer that we can't reach may go on for ever.
    let drained = Instant::now() + orders.drain;
    let leaked = child.bury(obeyed).await;
    let outcome_of = Outcome {
        ending: match why {
            Why::Ended(End::Exited(code)) => Ending::Exited(code),
            Why::Ended(End::Signalled(signal)) => Ending::Signalled(signal),
            Why::TimedOut => Ending::TimedOut,
            Why::Asked => Ending::Ended,
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
    // Nobody listens when `Running` was dropped.
    let _ = outcome.send(outcome_of);
}

/// Ends when the child is asked to end, or nobody is left who could ask.
async fn asked_to_end(mut asked: watch::Receiver<bool>) {
    let _ = asked.wait_for(|asked| *asked).await;
}

/// What a child says of itself until its program begins.
struct Told {
    steps: u64,
    capabilities: u64,
    /// The step that failed, and with what.
    failure: Option<(u8, u64)>,
}

/// Reads that, until the program begins, which closes the pipe.
async fn reported(report: OwnedFd) -> Told {
    let mut bytes = Vec::new();
    // What can't be read was not granted, and the child's end will say the rest.
    if let Ok(mut pipe) = Receiver::from_owned_fd(report) {
        let _ = pipe.read_to_end(&mut bytes).await;
    }
    let mut told = Told { steps: 0, capabilities: u64::MAX, failure: None };
    for [what, a, b, c, d, e, f, g, h] in bytes.as_chunks::<{ fork::REPORT_BYTES }>().0 {
        let detail = u64::from_ne_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
        match *what {
            fork::GRANTED => told.steps = detail,
            fork::CAPABILITIES => told.capabilities = detail,
            fork::FAILED_CONFINEMENT => (told.steps, told.failure) = (detail, Some((*what, detail))),
            failed => told.failure = Some((failed, detail)),
        }
    }
    told
}

struct Child {
    family: Rc<RefCell<Family>>,
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
        loop {
            sleep(COUNT).await;
            let (living, _) = self.family.borrow().look(SweepTarget::Of(mark));
            let threads: u64 = living.iter().map(|member| member.threads).sum();
            if living.len() as u64 > most || threads > most.saturating_mul(Limits::THREADS) {
                return Excess::Processes;
            }
            if living.iter().map(family::Member::resident).sum::<u64>() > memory {
                // Forked processes share most of what they have. On another thread, since it waits for the process itself.
                let shares = spawn_blocking(move || living.iter().map(family::Member::share).sum::<u64>());
                if shares.await.is_ok_and(|bytes| bytes > memory) {
                    return Excess::Memory;
                }
                sleep(MEASURED).await;
            }
        }
    }

    /// Kills the group, then everything else of the child, and reaps it. `gone` says whether the leader has ended.
    /// Gives the number of those who outlived it.
    async fn bury(self, gone: bool) -> usize {
        let pid = self.leader.pid;
        let mut swept = Swept::default();
        if let Some(mark) = self.mark.filter(|_| gone) {
            // Before the kill, or nobody would know.
            swept.add(&self.family.borrow().look(SweepTarget::Of(mark)).0);
        }
        // The group, even when its leader has gone: whoever ignored TERM is still in it.
        family::signal_group(pid, Signal::SIGKILL);
        if !gone {
            let _ = timeout(KILLED, self.leader.end()).await;
        }
        let mut clean = true;
        if let Some(mark) = self.mark {
            let hunted = family::sweep_tree(&self.family, SweepTarget::Of(mark), Instant::now() + HUNT).await;
            clean = hunted.clean;
            swept.members.extend(hunted.members);
        }
        family::reap(pid);
        self.family.borrow_mut().dismiss(self.mark);
        if !clean {
            let family = self.family.clone();
            // Whoever is in an uninterruptible call dies when that returns, and is reaped then.
            spawn_local(
                async move { family::sweep_tree(&family, SweepTarget::Strays, Instant::now() + LONG_HUNT).await },
            );
        }
        // Those who were killed together with the leader did not outlive it.
        let outlived = |member: &&family::Member| member.pid != pid && (gone || member.group != pid);
        swept.members.values().filter(outlived).count()
    }
}

/// The child's first process, which is reaped at its burial and not before.
struct Leader {
    pid: Pid,
    pidfd: Option<AsyncFd<OwnedFd>>,
}

impl Leader {
    fn of(pid: Pid) -> Self {
        // Kernels before 5.3 have none; they are asked again and again instead.
        // SAFETY: an `OwnedFd` stays open, and the same, as long as the `AsyncFd` owns it.
        let watched = |pidfd| unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }.ok();
        let pidfd = system::pidfd(pid).ok().and_then(watched);
        Self { pid, pidfd }
    }

    async fn end(&self) -> End {
        loop {
            if let Some(end) = family::ended(self.pid) {
                return end;
            }
            match &self.pidfd {
                Some(pidfd) => {
                    if let Ok(mut ready) = pidfd.readable().await
                        && family::ended(self.pid).is_none()
                    {
                        ready.clear_ready();
                    }
                }
                None => sleep(ASK).await,
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

    /// What came until the last writer was gone, or until `at`.
    async fn until(mut self, at: Instant) -> Captured {
        if timeout_at(at.into(), &mut self.task).await.is_err() {
            self.task.abort();
            // Until it is really gone, and the pipe closed with it.
            let _ = (&mut self.task).await;
        }
        self.capture.borrow_mut().take()
    }
}
