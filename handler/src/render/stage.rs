//! The stage: a warm worker that imported Manim once and draws each scene in a forked child of its own.
//!
//! It is started when it is first needed (or ahead of that, by [`Stage::warm_up`]), shared by all scenes and jobs of this
//! process, and replaced when it died or its own time is nearly over. Two tasks hold its socket, one for each
//! direction, so that no scene waits for another's line.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use super::protocol::{FailedKind, MESSAGE, Reply, Request, TRACE, plain, report};
use super::{ClipReport, SceneOrder, verify};
use crate::child::{self, Confinement, Limits, Running, Spec};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::layers::Layers;
use crate::media::mp4::WrongClip;
use crate::untrusted_file::{Unfit, UntrustedFolder};

/// Longest line from the stage, in bytes. A report of a scene with 500 beats has some 20 KB.
const MAX_LINE: u64 = 1 << 20;
/// Longest start: Manim's import takes 1 s warm and 3 s without byte code; a machine under load takes many times that.
const START: Duration = Duration::from_secs(60);
/// How long the worker may take to confirm a cancelled scene before the worker itself is ended: it only has to kill a child.
const CANCEL: Duration = Duration::from_millis(1_500);

/// Why a scene was not drawn.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The worker's program did not come up.
    #[error("the stage (Manim worker) could not be started: {0}")]
    CouldNotStart(String),
    /// Manim raised an error.
    #[error("{message}")]
    Failed {
        /// In Manim's words.
        message: String,
        /// The last lines of the traceback, for the log.
        trace: String,
    },
    /// The scene's process, or the worker, died.
    #[error("the process that drew it died: {0}")]
    Crashed(String),
    /// It needed more memory than it may have.
    #[error("drawing it needed more memory than allowed: {0}")]
    OutOfMemory(String),
    /// It took longer than it may.
    #[error("drawing it took longer than {0:.0} s")]
    TimedOut(f64),
    /// It drew no frame for too long.
    #[error("no new frame was drawn for {0:.0} s")]
    Stalled(f64),
    /// The settings forbid it.
    #[error("{0}")]
    Refused(&'static str),
    /// Its clip is missing or invalid.
    #[error("the clip can't be used: {0}")]
    Unfit(#[from] Unfit),
    /// The clip does not have the expected frames.
    #[error("{0}")]
    Wrong(#[from] WrongClip),
    /// Its clip could not be decoded in the time for that, in seconds.
    #[error("decoding its clip took longer than {0:.0} s")]
    SlowClip(f64),
    /// A program filled its folder.
    #[error("{0}")]
    TooMuch(String),
    /// A program started more processes and threads than it may, and was ended for that.
    #[error("it started more processes or threads than it may")]
    TooManyProcesses,
    /// A program ended early.
    #[error("{message}")]
    Program {
        /// What went wrong.
        code: Code,
        /// Its line, and what happened there.
        message: String,
        /// What to do; none for the code's own remedy.
        remedy: Option<String>,
    },
    /// What a program reports of its clip can't be true.
    #[error("the program's report can't be used: {0}")]
    Report(String),
    /// The voice of the film changed while the program ran, or its narration failed.
    #[error("its run was given up")]
    GivenUp,
}

impl StageError {
    /// As the job's error, naming the scene.
    pub fn of_scene(self, scene: &str) -> JobError {
        if let Self::Failed { trace, .. } = &self {
            warn!(scene, trace, "Manim raised an error in the scene");
        }
        let code = match &self {
            Self::CouldNotStart(_) => Code::RenderCouldNotStart,
            Self::Failed { .. } => Code::RenderFailed,
            Self::Crashed(_) => Code::RenderCrashed,
            Self::OutOfMemory(_) => Code::RenderOutOfMemory,
            Self::TimedOut(_) | Self::SlowClip(_) => Code::RenderTimedOut,
            Self::Stalled(_) => Code::RenderStalled,
            Self::Refused(_) => Code::RenderRefused,
            // The disk, not the child: a full one, for example.
            Self::Unfit(Unfit::Io(_)) => Code::ScratchFailed,
            Self::Unfit(_) | Self::Wrong(WrongClip::Form(_)) => Code::RenderWrongClip,
            Self::Wrong(WrongClip::Frames { .. }) => Code::RenderWrongFrames,
            Self::TooMuch(_) => Code::RenderTooManyFiles,
            Self::TooManyProcesses => Code::RenderTooManyProcesses,
            Self::Program { code, .. } => *code,
            Self::Report(_) => Code::ProgramWrongReport,
            Self::GivenUp => Code::VoiceExhausted,
        };
        let error = JobError::new(code, format!("scene {scene}: {self}"));
        match self {
            Self::Program { remedy: Some(remedy), .. } => error.remedy(remedy),
            _ => error,
        }
    }
}

/// The warm worker, shared by clones.
#[derive(Debug, Clone)]
pub struct Stage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    read: Vec<PathBuf>,
    scratch: PathBuf,
    confinement: child::Mode,
    scene_timeout: Duration,
    stall_timeout: Duration,
    lifetime: Duration,
    worker: tokio::sync::Mutex<Option<Arc<Worker>>>,
    next: AtomicU64,
}

type Replies = Arc<Mutex<HashMap<String, mpsc::Sender<Reply>>>>;

#[derive(Debug)]
struct Worker {
    /// Ends the process when it is dropped.
    running: Mutex<Option<Running>>,
    until: Deadline,
    requests: mpsc::UnboundedSender<Vec<u8>>,
    replies: Replies,
    state: watch::Receiver<WorkerState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WorkerState {
    Starting,
    Ready,
    Gone,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept under these locks is changed in single steps, so a panic elsewhere leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// The stage of these layers. Only the stage writes to the folder `scratch`; it may read the folders next to it, where jobs have their
    /// pictures.
    pub fn new(layers: &Layers, config: &Config, scratch: &Path) -> Self {
        Self(Arc::new(Inner {
            program: layers.program("chalkreel-stage"),
            read: layers.read().to_vec(),
            scratch: scratch.to_owned(),
            confinement: config.confinement,
            scene_timeout: config.manim_timeout,
            stall_timeout: config.stall_timeout,
            lifetime: config.subprocess_timeout,
            worker: tokio::sync::Mutex::new(None),
            next: AtomicU64::new(1),
        }))
    }

    /// Starts the worker before the first scene needs it. If that fails, the first scene tries again, and reports the error.
    pub fn warm_up(&self) {
        let stage = self.clone();
        tokio::spawn(async move {
            if let Err(error) = stage.worker(Deadline::after(START)).await {
                debug!(%error, "the stage could not be started ahead of the first scene");
            }
        });
    }

    /// Draws a scene, and leaves its clip at `to` once it was checked.
    ///
    /// # Errors
    /// [`StageError`]; no process of the scene is left afterwards, and other scenes are not affected.
    pub async fn draw(&self, order: SceneOrder<'_>, to: &Path, deadline: Deadline) -> Result<ClipReport, StageError> {
        let deadline = deadline.slice(self.0.scene_timeout);
        let allowed = deadline.left().as_secs_f64();
        let worker = self.worker(deadline).await?;
        let id = self.0.next.fetch_add(1, Ordering::Relaxed).to_string();
        let (sender, mut replies) = mpsc::channel(16);
        locked(&worker.replies).insert(id.clone(), sender);
        let mut pending = Pending { worker: worker.clone(), id: id.clone(), settled: false };
        let name = format!("clip-{id}.mp4");
        let out = Removed(self.0.scratch.join(&name));
        worker.send(order.request(&id, &out.0, allowed));
        // Only a new frame counts as life: a scene that repeats itself draws nothing either.
        let (mut drawn, mut alive) = (0, Deadline::after(self.0.stall_timeout));
        let promised: u64 = order.beats.iter().sum();
        loop {
            let reply = match deadline.min(alive).run(replies.recv()).await {
                Ok(Some(reply)) => reply,
                Ok(None) => {
                    pending.settled = true;
                    return Err(StageError::Crashed("the worker exited".to_owned()));
                }
                Err(_) => {
                    worker.send(Request::Cancel { id: &id });
                    pending.settled = true;
                    let stage = self.clone();
                    let settled = tokio::spawn(async move {
                        // The worker kills the scene and says so; one that doesn't is itself stuck, and ended.
                        let settle = async { while replies.recv().await.is_some_and(|reply| !reply.settles()) {} };
                        if Deadline::after(CANCEL).run(settle).await.is_err() {
                            stage.replace(&pending.worker).await;
                        }
                    });
                    if deadline.passed() {
                        // What comes next has no time to wait for that.
                        return Err(StageError::TimedOut(allowed));
                    }
                    // The next try needs a worker that is well; a task that panicked is no reason to stop.
                    let _ = settled.await;
                    return Err(StageError::Stalled(self.0.stall_timeout.as_secs_f64()));
                }
            };
            pending.settled = reply.settles();
            match reply {
                Reply::Done { beats, audit, beat_audits, warnings, render_s, .. } => {
                    debug!(scene = order.scene.id, render_s, "drawn");
                    let folder = UntrustedFolder::open(&self.0.scratch).map_err(Unfit::Io)?;
                    verify::take(folder, name, order, to, (deadline, allowed)).await?;
                    return Ok(report(beats, audit, beat_audits, warnings));
                }
                Reply::Failed { kind, message, trace, .. } => {
                    return Err(match kind {
                        FailedKind::Error => {
                            StageError::Failed { message: plain(&message, MESSAGE), trace: plain(&trace, TRACE) }
                        }
                        FailedKind::Memory => StageError::OutOfMemory(plain(&message, MESSAGE)),
                        FailedKind::TimedOut => StageError::TimedOut(allowed),
                        FailedKind::Crashed | FailedKind::Cancelled => StageError::Crashed(plain(&message, MESSAGE)),
                    });
                }
                Reply::Frames { frames, .. } if frames > drawn && frames <= promised => {
                    (drawn, alive) = (frames, Deadline::after(self.0.stall_timeout));
                    debug!(scene = order.scene.id, frames, "drawing");
                }
                Reply::Frames { .. } | Reply::Started { .. } | Reply::Ready { .. } | Reply::Refused { .. } => {}
            }
        }
    }

    /// Ends the worker, if there is one, and waits until all of it is gone.
    pub async fn stop(&self) {
        let worker = self.0.worker.lock().await.take();
        if let Some(worker) = worker {
            worker.send(Request::Quit);
            worker.end().await;
        }
    }

    async fn worker(&self, deadline: Deadline) -> Result<Arc<Worker>, StageError> {
        let allowed = deadline.left().as_secs_f64();
        let could_not = |reason: &str| StageError::CouldNotStart(reason.to_owned());
        let mut slot = deadline.run(self.0.worker.lock()).await.map_err(|_| could_not("there was no time left"))?;
        let usable =
            slot.as_ref().filter(|worker| worker.until >= deadline && *worker.state.borrow() != WorkerState::Gone);
        let worker = match usable {
            Some(worker) => worker.clone(),
            None => {
                // The old one, if any, ends when its last scene lets go of it.
                let worker = Arc::new(self.start()?);
                *slot = Some(worker.clone());
                worker
            }
        };
        // Others may queue for the same worker while it starts.
        drop(slot);
        let mut state = worker.state.clone();
        let started = deadline.slice(START).run(state.wait_for(|state| *state != WorkerState::Starting)).await;
        match started.map(|state| state.map(|state| *state)) {
            Ok(Ok(WorkerState::Ready)) => Ok(worker),
            Ok(_) => Err(could_not(&worker.end().await)),
            Err(_) => {
                let stage = self.clone();
                let replaced = tokio::spawn(async move { stage.replace(&worker).await });
                if deadline.passed() {
                    // Its own time to start was longer than what the scene had.
                    return Err(StageError::TimedOut(allowed));
                }
                // The next try needs the place; a task that panicked is no reason to stop.
                let _ = replaced.await;
                Err(could_not("it was not ready in time"))
            }
        }
    }

    /// Detaches a stuck worker, so that the next scene starts another, and ends it in the background.
    async fn replace(&self, worker: &Arc<Worker>) {
        let mut slot = self.0.worker.lock().await;
        if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, worker)) {
            *slot = None;
        }
        drop(slot);
        let worker = worker.clone();
        tokio::spawn(async move { worker.end().await });
    }

    fn start(&self) -> Result<Worker, StageError> {
        let inner = &self.0;
        let mut spec = Spec::new(&inner.program, &inner.scratch);
        let scratch = inner.scratch.as_os_str().to_owned();
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), scratch.clone()),
            ("TMPDIR".into(), scratch),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        spec.channel = true;
        // Each scene has a limit of its own on memory (see `protocol`); this one is for all of them together. And 16 GiB of
        // address space for each: at 4k one scene takes 3 GB of it.
        spec.limits = Limits { memory: Some(child::share_of_memory()), ..Limits::gibibytes(16, 16) };
        let mut read = inner.read.clone();
        read.extend(inner.scratch.parent().map(Path::to_owned));
        spec.confinement = Confinement { read, write: vec![inner.scratch.clone()], mode: inner.confinement };
        let until = Deadline::after(inner.lifetime);
        let mut running = child::start(spec, until).map_err(|error| StageError::CouldNotStart(error.to_string()))?;
        let socket = running.channel().ok_or_else(|| StageError::CouldNotStart("its socket is missing".to_owned()))?;
        Ok(Worker::over(socket, running, until))
    }
}

impl Worker {
    fn over(socket: UnixStream, running: Running, until: Deadline) -> Self {
        let (read, write) = socket.into_split();
        let (requests, queue) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(WorkerState::Starting);
        let replies = Replies::default();
        tokio::spawn(write_requests(write, queue));
        tokio::spawn(read_replies(read, replies.clone(), state_sender));
        Self { running: Mutex::new(Some(running)), until, requests, replies, state }
    }

    fn send(&self, request: Request<'_>) {
        // A closed queue means that the worker has died; its scenes get that through their reply channels.
        let _ = self.requests.send(request.line());
    }

    /// Ends the process and gives its last output.
    async fn end(&self) -> String {
        let running = locked(&self.running).take();
        let Some(running) = running else { return "it had been ended".to_owned() };
        running.stop_handle().end();
        let outcome = running.outcome().await;
        let words = outcome.stderr.text_lossy();
        let last: Vec<&str> = words.lines().rev().take(3).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join(" / ");
        format!("{}: {}", outcome.ending, plain(&last, MESSAGE))
    }
}

/// A file of the stage's that goes with its scene, whatever came of it.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // There is none when nothing was drawn.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A scene that the worker has not finished: when its future is dropped, the scene is cancelled.
struct Pending {
    worker: Arc<Worker>,
    id: String,
    settled: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        locked(&self.worker.replies).remove(&self.id);
        if !self.settled {
            self.worker.send(Request::Cancel { id: &self.id });
        }
    }
}

impl Reply {
    fn settles(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed { .. })
    }
}

async fn write_requests(mut socket: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    // Ends when the worker's handle is dropped, or the process closes its end.
    while let Some(line) = queue.recv().await {
        if socket.write_all(&line).await.is_err() {
            return;
        }
    }
}

async fn read_replies(socket: OwnedReadHalf, replies: Replies, state: watch::Sender<WorkerState>) {
    let mut socket = BufReader::new(socket);
    loop {
        let mut line = Vec::new();
        let read = (&mut socket).take(MAX_LINE).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(bytes) if bytes > 0) || !line.ends_with(b"\n") {
            break;
        }
        match serde_json::from_slice::<Reply>(&line) {
            Ok(Reply::Ready { manim, import_s }) => {
                info!(manim = plain(&manim, 100), import_s, "the stage is ready");
                let _ = state.send(WorkerState::Ready);
            }
            Ok(Reply::Refused { message }) => {
                warn!(message = plain(&message, MESSAGE), "the stage could not parse a request")
            }
            Ok(reply) => {
                let sender = reply.id().and_then(|id| locked(&replies).get(id).cloned());
                // A scene reads its replies all the time; only a dropped one has none to read them.
                if let Some(sender) = sender {
                    let _ = sender.send(reply).await;
                }
            }
            Err(error) => warn!(%error, "the stage sent a line that is not a valid reply"),
        }
    }
    let _ = state.send(WorkerState::Gone);
    // Dropping the senders ends the wait of every scene.
    locked(&replies).clear();
}
