//! The one thread that forks, and supervises every child to its end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{LocalSet, spawn_local};

use super::launch::Launch;
use super::lifecycle::{EXEC, SWEEP, supervise};
use super::outcome::{Granted, StartError};
use super::running::{Reply, RunOptions, Running};
use super::spec::{Limits, Spec};
use super::sweep::{self, Registry, SweepTarget};
use super::system;
use deadline::Deadline;

/// Longest wait for the supervisor's answer; after it, the supervisor itself must be stuck.
pub(super) const LONGEST_ANSWER: Duration = Duration::from_secs(12);

/// What was in force for every child that has run.
static GRANTED: Mutex<Option<Granted>> = Mutex::new(None);

/// What was in force for every child that has run; none before the first.
pub(super) fn granted() -> Option<Granted> {
    *GRANTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Number of children that were requested and have not ended, with all their descendants.
static RUNNING: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// Counts one of them as long as it exists.
struct Counted;

impl Counted {
    fn new() -> Self {
        RUNNING.send_modify(|count| *count += 1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        RUNNING.send_modify(|count| *count -= 1);
    }
}

/// Waits until no child is left, alive or being ended.
pub(super) async fn settled(deadline: Deadline) -> bool {
    // The sender is never dropped.
    deadline.run(RUNNING.subscribe().wait_for(|count| *count == 0)).await.is_ok()
}

enum Command {
    Start(Box<Launch>, RunOptions, Reply, Counted),
    Sweep(SweepTarget, std::sync::mpsc::SyncSender<usize>),
    Alone(Pid, Deadline, oneshot::Sender<bool>),
}

/// Requests the start of a child. `reply` is called once, on the supervisor's thread.
pub(super) fn request_start(
    spec: Spec,
    deadline: Deadline,
    reply: impl FnOnce(Result<Running, StartError>) + Send + 'static,
) -> Result<(), StartError> {
    submit(
        spec,
        deadline,
        Box::new(|granted, started| {
            if started.is_ok() {
                let mut all = GRANTED.lock().unwrap_or_else(PoisonError::into_inner);
                *all = Some(all.map_or(granted, |others| others.and(granted)));
            }
            reply(started);
        }),
    )
}

fn submit(spec: Spec, deadline: Deadline, reply: Reply) -> Result<(), StartError> {
    // Paths are opened here and not on the supervisor's thread, which a hanging disk must not block.
    let launch = Launch::of(&spec)?;
    let Spec { grace, drain, keep, lines, limits: Limits { processes, memory, .. }, .. } = spec;
    let options = RunOptions { deadline, grace, drain, keep, processes, memory, lines };
    supervisor()
        .send(Command::Start(Box::new(launch), options, reply, Counted::new()))
        .map_err(|_| StartError::NoSupervisor)
}

/// Asks whether a running child's first process is all that is left of it by `deadline`. False when nobody will answer.
pub(super) fn request_alone(leader: Pid, deadline: Deadline, answer: oneshot::Sender<bool>) -> bool {
    supervisor().send(Command::Alone(leader, deadline, answer)).is_ok()
}

/// Kills the target, and gives the number of those found alive.
pub(super) fn sweep_tree(target: SweepTarget) -> usize {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    if supervisor().send(Command::Sweep(target, sender)).is_err() {
        return 0;
    }
    receiver.recv_timeout(SWEEP * 2).unwrap_or(0)
}

pub(super) fn probe() -> Granted {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    // A device can't be executed: this child confines itself, reports the result of its self-test, and exits.
    let asked = submit(
        Spec::new("/dev/null", "/"),
        Deadline::after(EXEC),
        Box::new(move |granted, _| {
            let _ = sender.send(granted);
        }),
    );
    asked.ok().and_then(|()| receiver.recv_timeout(LONGEST_ANSWER).ok()).unwrap_or_default()
}

/// The sender to the supervisor's thread, which is started on first use. If the thread can't be started, the channel is closed and
/// every send fails.
fn supervisor() -> mpsc::UnboundedSender<Command> {
    static SENDER: Mutex<Option<mpsc::UnboundedSender<Command>>> = Mutex::new(None);
    // A panic elsewhere leaves the sender intact.
    let mut slot = SENDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = slot.as_ref().filter(|sender| !sender.is_closed()) {
        return sender.clone();
    }
    let (sender, commands) = mpsc::unbounded_channel();
    // Without a thread the receiver is dropped with the closure.
    let _ = std::thread::Builder::new().name("children".to_owned()).spawn(move || serve(commands));
    *slot = Some(sender.clone());
    sender
}

fn serve(mut commands: mpsc::UnboundedReceiver<Command>) {
    system::listen_to_children();
    // Only with this do orphans become our children; `probe` says when it was refused.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let registry = Rc::new(RefCell::new(Registry::new()));
    LocalSet::new().block_on(&runtime, async move {
        while let Some(command) = commands.recv().await {
            let registry = registry.clone();
            match command {
                Command::Start(launch, options, reply, counted) => {
                    spawn_local(async move {
                        supervise(registry, *launch, options, reply).await;
                        drop(counted);
                    });
                }
                Command::Sweep(target, found) => {
                    spawn_local(async move {
                        let swept = sweep::sweep_tree(&registry, target, Instant::now() + SWEEP).await;
                        let _ = found.send(swept.members.len());
                    });
                }
                Command::Alone(leader, deadline, answer) => {
                    spawn_local(async move {
                        let _ = answer.send(sweep::alone(&registry, leader, deadline).await);
                    });
                }
            }
        }
    });
}
