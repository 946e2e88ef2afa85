//! Connections of an HTTP server whose peers may neither send nor read: each has timeouts, and their number is limited.
//!
//! In: a listener, and a function that answers requests. Out: answers. A connection is closed when its peer keeps it waiting: a request's
//! head that does not arrive in time, a body that arrives too slowly, an answer that is not read. At the limit, the connection that
//! has waited longest for its peer is closed for the next one, so that a new peer is always served; a request that is being answered
//! is never cut off. It knows nothing of what is requested.
//!
//! Why one timer for each connection and not a timeout around each read and write: a body that arrives byte by byte is never late at any
//! read, and yet never complete.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use deadline::Deadline;

/// Descriptors reserved for everything else, an estimate: a child takes six of them, and two films have some ten children at a time.
const KEPT: u64 = 72;
/// Descriptors of one connection while a film goes through it: itself, both ends of a connection to the store, and the film.
const EACH: u64 = 4;
/// The fewest connections that are of use, and the most that are needed on one machine.
const FEWEST: u64 = 8;
const MOST: u64 = 256;
/// The wait after a failed accept (usually no descriptor is free), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Largest head of a request, and what waits to be written, in bytes: all connections together have some megabytes.
const BUFFER: usize = 64 << 10;

/// The answer to a peer above the limit.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How long peers may keep a connection waiting.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Connections at a time.
    pub most: usize,
    /// For a request's head, and between two requests.
    pub head: Duration,
    /// For a body that comes more slowly than `body_rate`.
    pub body: Duration,
    /// Bytes a second of a body that may take as long as it likes.
    pub body_rate: u32,
    /// Without a byte of an answer taken; also for an answer that is taken more slowly than `answer_rate`.
    pub answer: Duration,
    /// Bytes a second of an answer that may take as long as it likes.
    pub answer_rate: u32,
}

impl Rules {
    /// Those of a server whose peers may be anybody. Slower than 16 KiB/s no document is sent on purpose, and a paused player that stops
    /// reading asks again for what it lacks.
    pub fn usual() -> Self {
        Self {
            most: most(),
            head: Duration::from_secs(20),
            body: Duration::from_secs(30),
            body_rate: 16 << 10,
            answer: Duration::from_secs(60),
            answer_rate: 1 << 10,
        }
    }
}

/// As many connections as the process's descriptors allow.
fn most() -> usize {
    let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(1_024, |(soft, _)| soft);
    let most = (descriptors.saturating_sub(KEPT) / EACH).clamp(FEWEST, MOST);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// The accepting task and the way to stop it. Dropping it ends it and all connections at once.
#[derive(Debug)]
pub struct Server {
    stop: Option<oneshot::Sender<Deadline>>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Answers what comes to `listener` with `answer`. Must be called inside an async runtime.
    pub fn start<F, B, E>(
        listener: TcpListener,
        rules: Rules,
        answer: impl Fn(Request<Received>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Fault>,
        E: Into<Fault> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { stop: Some(stop), accepting: tokio::spawn(accept(listener, rules, answer, stopped)) }
    }

    /// Takes no more connections, lets requests that were begun end until the deadline, ends the rest, and returns when all sockets are
    /// closed.
    pub async fn shutdown(mut self, deadline: Deadline) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(deadline); // the task has ended already: nothing is left to stop
        }
        // The task itself keeps to the deadline.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    // The task owns its connections, so they end with it.
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<F, B, E>(
    listener: TcpListener,
    rules: Rules,
    answer: impl Fn(Request<Received>) -> F + Clone + Send + Sync + 'static,
    mut stopped: oneshot::Receiver<Deadline>,
) where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Fault>,
    E: Into<Fault> + Send + 'static,
{
    let open = Open::default();
    let mut connections = JoinSet::new();
    let graceful = GracefulShutdown::new();
    let deadline = loop {
        tokio::select! {
            deadline = &mut stopped => break deadline.unwrap_or(Deadline::after(Duration::ZERO)),
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    while connections.len() >= rules.most && open.make_room() {
                        // A connection that is told to leave closes at once.
                        connections.join_next().await;
                    }
                    if connections.len() >= rules.most {
                        let _ = socket.try_write(FULL); // a peer that does not get it sees a closed connection
                        continue;
                    }
                    let connection = open.new_connection(rules);
                    let served = serve(socket, connection.clone(), answer.clone(), graceful.watcher());
                    connections.spawn(async move {
                        tokio::select! {
                            () = served => {}
                            () = connection.too_slow() => tracing::debug!("closing a connection: its peer is too slow"),
                            () = connection.leave.notified() => tracing::debug!("closing the connection that has waited longest: the limit is reached"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    open.make_room();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    };
    drop(listener);
    if deadline.run(graceful.shutdown()).await.is_err() {
        tracing::debug!("the time to shut down is over: open requests are cut off");
    }
    connections.shutdown().await;
}

/// Serves one connection.
fn serve<F, B, E>(
    socket: TcpStream,
    connection: Arc<Connection>,
    answer: impl Fn(Request<Received>) -> F + Clone + Send + Sync + 'static,
    graceful: Watcher,
) -> impl Future<Output = ()> + Send
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Fault>,
    E: Into<Fault> + Send + 'static,
{
    let _ = socket.set_nodelay(true); // without it small replies are late, no more
    // A peer that disappeared acknowledges nothing: the kernel notices, since streams send something now and then.
    let gone = u32::try_from(connection.rules.answer.as_millis()).unwrap_or(u32::MAX);
    let _ = setsockopt(&socket, TcpUserTimeout, &gone);
    let socket = TokioIo::new(Counted { socket, connection: connection.clone() });
    let service = service_fn(move |request: Request<Incoming>| {
        let connection = connection.clone();
        connection.enter(if request.body().is_end_stream() { Phase::Work } else { Phase::Body });
        let received = connection.clone();
        let answering = answer(request.map(|body| Received { body, connection: received }));
        async move {
            let response = answering.await?;
            let stream = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
            connection.enter(if stream { Phase::Stream } else { Phase::Answer });
            Ok::<_, E>(response.map(|body| Sent { body: Box::pin(body), connection }))
        }
    });
    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
    http.http1().max_buf_size(BUFFER).header_read_timeout(None::<Duration>);
    let served = graceful.watch(http.serve_connection(socket, service).into_owned());
    async move {
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection failed");
        }
    }
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// For a request of its peer. These are closed first.
    Head,
    /// For its peer to read a stream of events.
    Stream,
    /// For the body of a request.
    Body,
    /// For its peer to read an answer.
    Answer,
    /// For the server. These are never closed.
    Work,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// When the last byte moved.
    moved_at: Instant,
    /// Bytes in this phase.
    moved: u64,
}

#[derive(Debug)]
struct Connection {
    rules: Rules,
    state: Mutex<State>,
    /// The phase has changed.
    changed: Notify,
    /// Another connection needs its place.
    leave: Notify,
}

impl Connection {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let now = Instant::now();
        *self.state() = State { phase, since: now, moved_at: now, moved: 0 };
        self.changed.notify_one();
    }

    /// Bytes went the way that this phase is about.
    fn moved(&self, bytes: usize) {
        let mut state = self.state();
        state.moved += bytes as u64;
        state.moved_at = Instant::now();
    }

    /// When its peer will have kept it waiting too long; none while the server is at work.
    fn ends(&self) -> Option<Instant> {
        let (rules, state) = (&self.rules, self.state());
        let earned = |rate: u32| Duration::from_secs_f64(state.moved as f64 / f64::from(rate.max(1)));
        match state.phase {
            Phase::Head => Some(state.since + rules.head),
            Phase::Body => Some(state.since + rules.body + earned(rules.body_rate)),
            Phase::Answer => {
                let slow = state.since + rules.answer + earned(rules.answer_rate);
                Some(slow.min(state.moved_at + rules.answer))
            }
            Phase::Stream => Some(state.moved_at + rules.answer),
            Phase::Work => None,
        }
    }

    /// Ends when its peer has kept it waiting too long.
    async fn too_slow(&self) {
        loop {
            let ends = self.ends();
            if ends.is_some_and(|ends| ends <= Instant::now()) {
                return;
            }
            let late = async {
                match ends {
                    Some(ends) => tokio::time::sleep_until(ends.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = late => {}
                () = self.changed.notified() => {}
            }
        }
    }
}

/// The connections that are open.
#[derive(Debug, Clone, Default)]
struct Open(Arc<Mutex<Vec<std::sync::Weak<Connection>>>>);

impl Open {
    fn all(&self) -> MutexGuard<'_, Vec<std::sync::Weak<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_connection(&self, rules: Rules) -> Arc<Connection> {
        let now = Instant::now();
        let state = State { phase: Phase::Head, since: now, moved_at: now, moved: 0 };
        let connection =
            Arc::new(Connection { rules, state: Mutex::new(state), changed: Notify::new(), leave: Notify::new() });
        let mut all = self.all();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&connection));
        connection
    }

    /// Closes the connection that has waited longest for its peer; false when all are being answered.
    fn make_room(&self) -> bool {
        let mut all = self.all();
        let waiting = all.iter().enumerate().filter_map(|(index, one)| {
            let one = one.upgrade()?;
            let state = one.state();
            (state.phase != Phase::Work).then_some(((state.phase, state.since), index))
        });
        let Some((_, index)) = waiting.min() else { return false };
        if let Some(connection) = all.swap_remove(index).upgrade() {
            connection.leave.notify_one();
        }
        true
    }
}

/// A socket whose writes are counted.
struct Counted {
    socket: TcpStream,
    connection: Arc<Connection>,
}

impl Counted {
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            let answering = matches!(self.connection.state().phase, Phase::Answer | Phase::Stream);
            if answering {
                self.connection.moved(*bytes);
            }
        }
        written
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// The body of a request, counted while it arrives.
#[derive(Debug)]
pub struct Received {
    body: Incoming,
    connection: Arc<Connection>,
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            if let Some(Ok(frame)) = frame {
                self.connection.moved(frame.data_ref().map_or(0, Bytes::len));
            }
            let whole = !matches!(frame, Some(Ok(_))) || self.body.is_end_stream();
            let waited = self.connection.state().phase == Phase::Body;
            if whole && waited {
                self.connection.enter(Phase::Work);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, counted while it is sent.
struct Sent<B> {
    body: Pin<Box<B>>,
    connection: Arc<Connection>,
}

impl<B: Body> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Sent<B> {
    // It was sent, or can't be: what comes next is the peer's.
    fn drop(&mut self) {
        self.connection.enter(Phase::Head);
    }
}

#[cfg(test)]
mod tests;
