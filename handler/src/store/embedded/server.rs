//! Accepts connections and ends them.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::service::S3Service;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::deadline::Deadline;

/// Time for a request's head once its first byte is there, and between requests of one connection.
const HEAD: Duration = Duration::from_secs(60);
/// The wait after a failed accept (usually no descriptor is free), lest the loop spins.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The accepting task and the way to stop it.
#[derive(Debug)]
pub(super) struct Server {
    stop: Option<oneshot::Sender<Deadline>>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(super) fn start(listener: TcpListener, service: S3Service) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop: Some(stop), accepting: tokio::spawn(accept(listener, service, stopped)) }
    }

    pub(super) async fn shutdown(mut self, deadline: Deadline) {
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

async fn accept(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<Deadline>) {
    let mut connections = JoinSet::new();
    let graceful = GracefulShutdown::new();
    let deadline = loop {
        tokio::select! {
            deadline = &mut stopped => break deadline.unwrap_or(Deadline::after(Duration::ZERO)),
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let _ = socket.set_nodelay(true); // without it small replies are late, no more
                    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
                    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
                    let connection = http.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
                    let connection = graceful.watch(connection);
                    connections.spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "connection to the embedded store broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the embedded store can't accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    };
    drop(listener);
    if deadline.run(graceful.shutdown()).await.is_err() {
        tracing::debug!("the embedded store ends open requests");
    }
    connections.shutdown().await;
}
