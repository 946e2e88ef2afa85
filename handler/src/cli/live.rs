//! Live updates for the pages of `chalkreel serve`: a server-sent event for each change of a job.
//!
//! In: the status of every job of this process. Out: streams of the changes since the browser connected.
//! A slow reader delays nobody: it misses intermediate changes, and gets the current status.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures::stream::{Stream, StreamExt as _, unfold};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

use crate::http::{self, Api, Failure, PathParam};
use crate::job::Status;
use crate::services::{Claimed, Services};

/// Changes that may be queued for a reader.
const WAITING: usize = 256;
/// The shortest time between two updates of a job, which changes with each of its scenes.
const PACE: Duration = Duration::from_millis(150);
/// How often an empty line is sent, so that proxies keep the connection open.
const STILL_THERE: Duration = Duration::from_secs(15);
/// How long a stream may be open.
const LONGEST: Duration = Duration::from_secs(600);

/// What the streams share.
#[derive(Clone)]
pub(super) struct Live {
    api: Api,
    services: Arc<Services>,
    changes: broadcast::Sender<Arc<Status>>,
}

impl Live {
    /// Follows the services's jobs. Must be called inside an async runtime, before the first job.
    pub(super) fn follow(services: &Arc<Services>, api: Api) -> Self {
        let (changes, _) = broadcast::channel(WAITING);
        tokio::spawn(each(services.watch(), changes.clone()));
        Self { api, services: services.clone(), changes }
    }

    /// `GET /live`, of all jobs in short, and `GET /live/{id}`, of one with all that its status says.
    pub(super) fn routes(self) -> Router {
        Router::new().route("/live", get(all)).route("/live/{id}", get(one)).with_state(self)
    }

    fn stream(
        self,
        say: impl Fn(&Status) -> Option<Value> + Send + 'static,
    ) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
        let changes = self.changes.subscribe();
        let changes = unfold(changes, |mut changes| async move {
            loop {
                match changes.recv().await {
                    Ok(status) => return Some((status, changes)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        // The first event says that the stream is open: a client that reads the status after it misses no change.
        let open = futures::stream::iter([Ok(Event::default().event("open").data("{}"))]);
        let updates = changes.filter_map(move |status| {
            let updates = say(&status).map(|updates| Ok(Event::default().event("job").data(updates.to_string())));
            std::future::ready(updates)
        });
        let services = self.services;
        // A client that still reads reconnects; a forgotten one does not.
        let ends = Box::pin(async move {
            tokio::select! {
                () = services.interrupted() => {}
                () = tokio::time::sleep(LONGEST) => {}
            }
        });
        Sse::new(open.chain(updates).take_until(ends)).keep_alive(KeepAlive::new().interval(STILL_THERE))
    }
}

async fn all(State(live): State<Live>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    live.stream(|status| {
        let Status { job_id, state, stage, progress, title, .. } = status;
        Some(json!({"job_id": job_id, "state": state, "stage": stage, "progress": progress, "title": title}))
    })
}

async fn one(
    State(live): State<Live>,
    PathParam(id): PathParam<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    http::is_job(&live.api, &id).await?;
    Ok(live.stream(move |status| (status.job_id.as_str() == id).then(|| json!(status))))
}

async fn each(mut jobs: mpsc::UnboundedReceiver<Claimed>, changes: broadcast::Sender<Arc<Status>>) {
    while let Some(Claimed { changes: mut job, .. }) = jobs.recv().await {
        let changes = changes.clone();
        tokio::spawn(async move {
            loop {
                let status = job.borrow_and_update().clone();
                let over = status.state.is_final();
                // This fails when there are no readers.
                let _ = changes.send(Arc::new(status));
                if over || job.changed().await.is_err() {
                    break;
                }
                tokio::time::sleep(PACE).await;
            }
        });
    }
}
