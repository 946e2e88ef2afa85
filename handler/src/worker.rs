//! A warm worker: a child that is started once and then asked many times, over its socket, in lines of JSON.
//!
//! It is started when it is first needed, or ahead of that by [`WarmWorker::warm_up`]; shared by all jobs of this process; and
//! replaced when it died, is stuck, or its own time is nearly over. Two tasks hold its socket, one for each direction, so that no
//! request waits for another's line. A request that is dropped before its last reply is cancelled; a worker that does not confirm
//! that is stuck, and ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

use crate::child::{self, Confinement, Limits, Mode, Running, Spec};
use crate::deadline::Deadline;
use crate::untrusted_text::plain;

/// Longest line of a worker, in bytes. The stage's report of a scene with 500 beats has some 20 KB.
const MAX_LINE: u64 = 1 << 20;
/// Longest start: Manim's import takes 1 s warm and 3 s without byte code; a machine under load takes many times that.
const START: Duration = Duration::from_secs(60);
/// Characters of a worker's words in a message or a log.
const MESSAGE: usize = 2_000;

/// What a worker sends.
pub trait Reply: DeserializeOwned + Send + 'static {
    /// Whom it is for.
    fn addressee(&self) -> Addressee<'_>;

    /// Whether it is the last one to its request.
    fn settles(&self) -> bool;
}

/// Whom a reply is for.
#[derive(Debug)]
pub enum Addressee<'a> {
    /// The worker can be asked from now on; for the log.
    Ready(String),
    /// A request that it could not parse, and why.
    Refused(&'a str),
    /// The request of this id.
    Request(&'a str),
}

/// Why there is no worker.
#[derive(Debug)]
pub enum NotReady {
    /// Its program did not come up.
    CouldNotStart(String),
    /// The caller's time is over.
    TimedOut,
}

/// How one kind of worker is started and treated.
#[derive(Debug)]
pub struct Settings {
    /// Its name in the log.
    pub name: &'static str,
    /// Its program.
    pub program: PathBuf,
    /// Its working folder, the only one that it may write.
    pub folder: PathBuf,
    /// What it may read.
    pub read: Vec<PathBuf>,
    /// How strictly it is confined.
    pub mode: Mode,
    /// What it may use up.
    pub limits: Limits,
    /// How long one process is kept.
    pub lifetime: Duration,
    /// How long it may take to confirm that a request is cancelled.
    pub cancel: Duration,
    /// The line that cancels the request of this id, newline included.
    pub cancel_line: fn(&str) -> Vec<u8>,
    /// The line that ends it.
    pub quit_line: fn() -> Vec<u8>,
}

impl Settings {
    fn spec(&self) -> Spec {
        let folder = self.folder.as_os_str();
        let mut spec = Spec::new(&self.program, &self.folder);
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), folder.to_owned()),
            ("TMPDIR".into(), folder.to_owned()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        spec.channel = true;
        spec.limits = self.limits;
        let write = vec![self.folder.clone()];
        spec.confinement = Confinement { read: self.read.clone(), write, mode: self.mode };
        spec
    }
}

/// A file of a worker's that goes with its request, whatever came of it.
#[derive(Debug)]
pub struct Removed(pub PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // There is none when the request failed, or the file was taken.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A worker that is kept, shared by clones.
#[derive(Debug)]
pub struct WarmWorker<R>(Arc<Inner<R>>);

impl<R> Clone for WarmWorker<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Inner<R> {
    settings: Settings,
    slot: tokio::sync::Mutex<Option<Arc<Worker<R>>>>,
    next: AtomicU64,
}

type Replies<R> = Arc<Mutex<HashMap<String, mpsc::Sender<R>>>>;

#[derive(Debug)]
struct Worker<R> {
    /// Ends the process when it is dropped.
    running: Mutex<Option<Running>>,
    until: Deadline,
    requests: mpsc::UnboundedSender<Vec<u8>>,
    replies: Replies<R>,
    state: watch::Receiver<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    Gone,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept under these locks is changed in single steps, so a panic elsewhere leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Reply> WarmWorker<R> {
    /// Starts nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, slot: tokio::sync::Mutex::new(None), next: AtomicU64::new(1) }))
    }

    /// Starts the worker before the first request needs it. If that fails, the first request tries again, and reports the error.
    pub fn warm_up(&self) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(error) = this.ready(Deadline::after(START)).await {
                debug!(
                    worker = this.0.settings.name,
                    ?error,
                    "the worker could not be started ahead of its first request"
                );
            }
        });
    }

    /// A place for one request to a worker that is ready.
    ///
    /// # Errors
    /// [`NotReady`].
    pub async fn call(&self, deadline: Deadline) -> Result<Call<R>, NotReady> {
        let worker = self.ready(deadline).await?;
        let id = self.0.next.fetch_add(1, Ordering::Relaxed).to_string();
        let (sender, replies) = mpsc::channel(16);
        locked(&worker.replies).insert(id.clone(), sender);
        // One that has died meanwhile clears its list once: what comes after that is never answered.
        if *worker.state.borrow() == State::Gone {
            locked(&worker.replies).remove(&id);
        }
        Ok(Call { of: self.clone(), worker, id, replies: Some(replies), asked: false, settled: false })
    }

    /// Ends the worker, if there is one, and waits until all of it is gone.
    pub async fn stop(&self) {
        let worker = self.0.slot.lock().await.take();
        if let Some(worker) = worker {
            worker.send((self.0.settings.quit_line)());
            worker.end().await;
        }
    }

    async fn ready(&self, deadline: Deadline) -> Result<Arc<Worker<R>>, NotReady> {
        let could_not = |reason: &str| NotReady::CouldNotStart(reason.to_owned());
        let mut slot = deadline.run(self.0.slot.lock()).await.map_err(|_| could_not("there was no time left"))?;
        let usable = slot.as_ref().filter(|worker| worker.until >= deadline && *worker.state.borrow() != State::Gone);
        let worker = match usable {
            Some(worker) => worker.clone(),
            None => {
                // The old one, if any, ends when its last request lets go of it.
                let worker = Arc::new(self.start()?);
                *slot = Some(worker.clone());
                worker
            }
        };
        // Others may queue for the same worker while it starts.
        drop(slot);
        let mut state = worker.state.clone();
        let started = deadline.slice(START).run(state.wait_for(|state| *state != State::Starting)).await;
        match started.map(|state| state.map(|state| *state)) {
            Ok(Ok(State::Ready)) => Ok(worker),
            Ok(_) => Err(could_not(&worker.end().await)),
            Err(_) => {
                let this = self.clone();
                let replaced = tokio::spawn(async move { this.replace(&worker).await });
                if deadline.passed() {
                    // Its own time to start was longer than what the caller had.
                    return Err(NotReady::TimedOut);
                }
                // The next try needs the place; a task that panicked is no reason to stop.
                let _ = replaced.await;
                Err(could_not("it was not ready in time"))
            }
        }
    }

    /// Detaches a stuck worker, so that the next request starts another, and ends it in the background.
    async fn replace(&self, worker: &Arc<Worker<R>>) {
        let mut slot = self.0.slot.lock().await;
        if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, worker)) {
            *slot = None;
        }
        drop(slot);
        let worker = worker.clone();
        tokio::spawn(async move { worker.end().await });
    }

    fn start(&self) -> Result<Worker<R>, NotReady> {
        let settings = &self.0.settings;
        let until = Deadline::after(settings.lifetime);
        let mut running =
            child::start(settings.spec(), until).map_err(|error| NotReady::CouldNotStart(error.to_string()))?;
        let socket = running.channel().ok_or_else(|| NotReady::CouldNotStart("its socket is missing".to_owned()))?;
        Ok(Worker::over(settings.name, socket, running, until))
    }
}

impl<R: Reply> Worker<R> {
    fn over(name: &'static str, socket: UnixStream, running: Running, until: Deadline) -> Self {
        let (read, write) = socket.into_split();
        let (requests, queue) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(State::Starting);
        let replies = Replies::default();
        tokio::spawn(write_requests(write, queue));
        tokio::spawn(read_replies(name, read, replies.clone(), state_sender));
        Self { running: Mutex::new(Some(running)), until, requests, replies, state }
    }

    fn send(&self, line: Vec<u8>) {
        // A closed queue means that the worker has died; its requests get that through their replies.
        let _ = self.requests.send(line);
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

/// One request to a worker. When it is dropped before its last reply, it is cancelled.
#[derive(Debug)]
pub struct Call<R: Reply> {
    of: WarmWorker<R>,
    worker: Arc<Worker<R>>,
    id: String,
    replies: Option<mpsc::Receiver<R>>,
    asked: bool,
    settled: bool,
}

impl<R: Reply> Call<R> {
    /// Its id in the protocol.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sends it: a line, newline included.
    pub fn ask(&mut self, line: Vec<u8>) {
        self.asked = true;
        self.worker.send(line);
    }

    /// The next reply; none when the worker has died.
    pub async fn reply(&mut self) -> Option<R> {
        let reply = match &mut self.replies {
            Some(replies) => replies.recv().await,
            None => None,
        };
        self.settled = self.settled || reply.as_ref().is_none_or(Reply::settles);
        reply
    }

    /// Cancels it, and waits until the worker has confirmed that, or is replaced.
    pub async fn cancel(mut self) {
        if let Some(cancelling) = self.give_up() {
            // A task that panicked is no reason to stop.
            let _ = cancelling.await;
        }
    }

    /// Cancels it in a task of its own, which goes on when its owner is dropped. None when there is nothing to cancel.
    fn give_up(&mut self) -> Option<JoinHandle<()>> {
        let replies = self.replies.take()?;
        if self.settled || !self.asked {
            locked(&self.worker.replies).remove(&self.id);
            return None;
        }
        let settings = &self.of.0.settings;
        self.worker.send((settings.cancel_line)(&self.id));
        let cancelling = Cancelling { replies, of: self.of.clone(), worker: self.worker.clone(), id: self.id.clone() };
        match Handle::try_current() {
            Ok(runtime) => Some(runtime.spawn(cancelling.settle())),
            // Everything ends.
            Err(_) => None,
        }
    }
}

impl<R: Reply> Drop for Call<R> {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// A cancelled request whose worker has not confirmed that yet.
struct Cancelling<R: Reply> {
    replies: mpsc::Receiver<R>,
    of: WarmWorker<R>,
    worker: Arc<Worker<R>>,
    id: String,
}

impl<R: Reply> Cancelling<R> {
    async fn settle(mut self) {
        let replies = &mut self.replies;
        let settle = async { while replies.recv().await.is_some_and(|reply| !reply.settles()) {} };
        let settled = Deadline::after(self.of.0.settings.cancel).run(settle).await;
        locked(&self.worker.replies).remove(&self.id);
        if settled.is_err() {
            warn!(
                worker = self.of.0.settings.name,
                "the worker does not end a request that is cancelled; it is replaced"
            );
            self.of.replace(&self.worker).await;
        }
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

async fn read_replies<R: Reply>(
    name: &'static str,
    socket: OwnedReadHalf,
    replies: Replies<R>,
    state: watch::Sender<State>,
) {
    let mut socket = BufReader::new(socket);
    loop {
        let mut line = Vec::new();
        let read = (&mut socket).take(MAX_LINE).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(bytes) if bytes > 0) || !line.ends_with(b"\n") {
            break;
        }
        let reply = match serde_json::from_slice::<R>(&line) {
            Ok(reply) => reply,
            Err(error) => {
                warn!(worker = name, %error, "the worker sent a line that is not a valid reply");
                continue;
            }
        };
        let sender = match reply.addressee() {
            Addressee::Ready(with) => {
                info!(worker = name, with = plain(&with, 200), "the worker is ready");
                let _ = state.send(State::Ready);
                continue;
            }
            Addressee::Refused(message) => {
                warn!(worker = name, message = plain(message, MESSAGE), "the worker could not parse a request");
                continue;
            }
            Addressee::Request(id) => locked(&replies).get(id).cloned(),
        };
        // A request reads its replies all the time; only a dropped one has none to read them.
        if let Some(sender) = sender {
            let _ = sender.send(reply).await;
        }
    }
    let _ = state.send(State::Gone);
    // Dropping the senders ends the wait of every request.
    locked(&replies).clear();
}
