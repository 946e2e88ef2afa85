//! The one thread that forks, and watches every child to its end.

use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{LocalSet, spawn_local};

use super::family::{self, Family, SweepTarget};
use super::life::{EXEC, HUNT, live};
use super::outcome::{Granted, Outcome, StartError};
use super::plan::Plan;
use super::spec::{Limits, Spec};
use super::system;
use deadline::Deadline;

/// After this the supervisor itself must be stuck.
pub(super) const LONGEST_ANSWER: Duration = Duration::from_secs(12);
/// Hears how the start went.
pub(super) type Reply = Box<dyn FnOnce(Granted, Result<Running, StartError>) + Send>;

/// What was in force for every child that has run.
static FOR_ALL: Mutex<Option<Granted>> = Mutex::new(None);

/// What was in force for every child that has run; none before the first.
pub(super) fn granted() -> Option<Granted> {
    *FOR_ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Children that were asked for and have not ended, with all that they left.
static LIVE: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// One of them.
struct Counted;

impl Counted {
    fn new() -> Self {
        LIVE.send_modify(|live| *live += 1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.send_modify(|live| *live -= 1);
    }
}

/// Waits until no child is left, alive or being ended.
pub(super) async fn settled(deadline: Deadline) -> bool {
    // The sender is never dropped.
    deadline.run(LIVE.subscribe().wait_for(|live| *live == 0)).await.is_ok()
}

enum Command {
    Start(Box<Plan>, Orders, Reply, Counted),
    Hunt(SweepTarget, std::sync::mpsc::SyncSender<usize>),
}

/// What the supervisor must know of a spec.
pub(super) struct Orders {
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
    ender: Ender,
    outcome: oneshot::Receiver<Outcome>,
}

/// Ends a child: TERM, grace, KILL.
#[derive(Debug, Clone)]
pub struct Ender(Arc<watch::Sender<bool>>);

impl Ender {
    /// Asks for the end, and returns at once. A child that has ended stays so.
    pub fn end(&self) {
        self.0.send_replace(true);
    }
}

impl Running {
    /// A child that runs, where to hear that it shall end, and where to say how it ended.
    pub(super) fn new(
        pid: Pid,
        channel: Option<UnixStream>,
    ) -> (Self, watch::Receiver<bool>, oneshot::Sender<Outcome>) {
        let (ender, asked) = watch::channel(false);
        let (sender, outcome) = oneshot::channel();
        (Self { pid, channel, ender: Ender(Arc::new(ender)), outcome }, asked, sender)
    }

    /// Its process number, which is also that of its group and session.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// Our end of its channel, once, when the spec asked for one. To be called inside an async runtime.
    pub fn channel(&mut self) -> Option<tokio::net::UnixStream> {
        self.channel.take().and_then(|socket| tokio::net::UnixStream::from_std(socket).ok())
    }

    /// A handle that ends it from elsewhere.
    pub fn ender(&self) -> Ender {
        self.ender.clone()
    }

    /// Waits for its end, which comes by its deadline plus grace, drain and 2 s. Dropping this future ends the child.
    pub async fn outcome(mut self) -> Outcome {
        (&mut self.outcome).await.unwrap_or_else(|_| Outcome::not_started(StartError::NoSupervisor))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ender.end();
    }
}

/// Has a child started. `reply` is called once, on the supervisor's thread.
pub(super) fn ask(
    spec: Spec,
    deadline: Deadline,
    reply: impl FnOnce(Result<Running, StartError>) + Send + 'static,
) -> Result<(), StartError> {
    ask_and_tell(
        spec,
        deadline,
        Box::new(|granted, started| {
            if started.is_ok() {
                let mut all = FOR_ALL.lock().unwrap_or_else(PoisonError::into_inner);
                *all = Some(all.map_or(granted, |others| others.and(granted)));
            }
            reply(started);
        }),
    )
}

fn ask_and_tell(spec: Spec, deadline: Deadline, reply: Reply) -> Result<(), StartError> {
    // Paths are opened here and not on the supervisor's thread: a disk that hangs must not stop its clock.
    let plan = Plan::of(&spec)?;
    let Spec { grace, drain, keep, lines, limits: Limits { processes, memory, .. }, .. } = spec;
    let orders = Orders { deadline, grace, drain, keep, processes, memory, lines };
    supervisor()
        .send(Command::Start(Box::new(plan), orders, reply, Counted::new()))
        .map_err(|_| StartError::NoSupervisor)
}

/// Kills the target, and gives the number of those found alive.
pub(super) fn sweep_tree(target: SweepTarget) -> usize {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    if supervisor().send(Command::Hunt(target, sender)).is_err() {
        return 0;
    }
    receiver.recv_timeout(HUNT * 2).unwrap_or(0)
}

pub(super) fn probe() -> Granted {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    // A device can't be executed, so this child confines itself, says what it tried in vain, and is gone.
    let asked = ask_and_tell(
        Spec::new("/dev/null", "/"),
        Deadline::after(EXEC),
        Box::new(move |granted, _| {
            let _ = sender.send(granted);
        }),
    );
    asked.ok().and_then(|()| receiver.recv_timeout(LONGEST_ANSWER).ok()).unwrap_or_default()
}

/// The way to the supervisor's thread, which is started when it is first needed. A sender whose thread could not be
/// started is closed, and every send on it fails.
fn supervisor() -> mpsc::UnboundedSender<Command> {
    static SENDER: Mutex<Option<mpsc::UnboundedSender<Command>>> = Mutex::new(None);
    // A sender is whole at any time, whoever panicked.
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
    // Orphans are found below us only with this; `probe` says when it was refused.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let family = Rc::new(RefCell::new(Family::new()));
    LocalSet::new().block_on(&runtime, async move {
        while let Some(command) = commands.recv().await {
            let family = family.clone();
            match command {
                Command::Start(plan, orders, reply, counted) => {
                    spawn_local(async move {
                        live(family, *plan, orders, reply).await;
                        drop(counted);
                    });
                }
                Command::Hunt(target, found) => {
                    spawn_local(async move {
                        let swept = family::sweep_tree(&family, target, Instant::now() + HUNT).await;
                        let _ = found.send(swept.members.len());
                    });
                }
            }
        }
    });
}
