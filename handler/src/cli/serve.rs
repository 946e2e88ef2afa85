//! `chalkreel serve`: the HTTP interface, a page, and the embedded store with its trigger, for those without AWS. A document
//! that comes under `incoming/`, over HTTP or over S3, becomes a film here, a bounded number at a time.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use futures::FutureExt as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore, mpsc};
use tracing::{error, info, warn};

use super::live::Live;
use super::{LOCAL_BUCKET, explain};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::http::{self, Api};
use crate::intake;
use crate::job::log::JobLogs;
use crate::job::{Again, JobRequest};
use crate::notify::Notices;
use crate::pipeline;
use crate::publish::keys;
use crate::store::embedded::Sight;
use crate::store::{Embedded, Store, StoreError};
use crate::studio::{self, Studio};

/// The page with all jobs, and a form to drop a document.
#[derive(Template)]
#[template(path = "desk.html")]
struct Desk;

/// The page of one job, live.
#[derive(Template)]
#[template(path = "job.html")]
struct OneJob;

/// Uploads that may wait to be looked at; more are found by looking through `incoming/`.
const WAITING: usize = 1_024;
/// The most documents under `incoming/` that are looked through.
const LOOKED_THROUGH: usize = 100_000;
/// For listing them.
const LOOK: Duration = Duration::from_secs(60);
/// For jobs to write how they stand, once they are told to stop.
const STOP: Duration = Duration::from_secs(10);
/// For open requests to end, and then for those who are told.
const CLOSE: Duration = Duration::from_secs(3);

/// An upload: key and entity tag, without quotes.
type Upload = (String, String);

/// The trigger: what comes under `incoming/` is handed on.
#[derive(Debug)]
struct Trigger {
    bucket: String,
    uploads: mpsc::Sender<Upload>,
    missed: Arc<Missed>,
}

/// Whether an upload could not be handed on.
#[derive(Debug, Default)]
struct Missed {
    some: AtomicBool,
    told: Notify,
}

impl Sight for Trigger {
    fn created(&self, bucket: &str, key: &str, etag: &str) {
        let new = bucket == self.bucket && key.starts_with(keys::INCOMING);
        if new && self.uploads.try_send((key.to_owned(), etag.to_owned())).is_err() {
            self.missed.some.store(true, Ordering::Relaxed);
            self.missed.told.notify_one();
        }
    }
}

pub(super) async fn run(listen: SocketAddr, config: Config, logs: JobLogs) -> ExitCode {
    match serve(listen, config, logs).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(listen: SocketAddr, config: Config, logs: JobLogs) -> Result<(), JobError> {
    let token = config.doors.http_token.clone();
    if !listen.ip().is_loopback() && token.is_none() {
        let message =
            format!("{listen} can be reached from elsewhere: set CHALKREEL_HTTP_TOKEN, or listen on 127.0.0.1");
        return Err(JobError::new(Code::HttpUnauthorized, message));
    }
    let listener = TcpListener::bind(listen).await;
    let listener =
        listener.map_err(|error| JobError::new(Code::HttpBadRequest, format!("can't listen on {listen}: {error}")))?;
    let address = listener.local_addr().unwrap_or(listen);

    let bucket = config.bucket.clone().unwrap_or_else(|| LOCAL_BUCKET.to_owned());
    let (uploads, arriving) = mpsc::channel(WAITING);
    let missed = Arc::new(Missed::default());
    let (embedded, store) = match studio::endpoint(&config) {
        Some(endpoint) => (None, Store::connect(&endpoint, &bucket).await),
        None => {
            let fault = |error| StoreError::File { path: config.store_dir.clone(), source: error };
            let trigger = Trigger { bucket: bucket.clone(), uploads: uploads.clone(), missed: missed.clone() };
            let server = Embedded::start_seen(&config.store_dir, Arc::new(trigger)).await.map_err(fault)?;
            server.create_bucket(&bucket).map_err(fault)?;
            let store = Store::connect(&server.endpoint(), &bucket).await;
            (Some(server), store)
        }
    };
    let jobs = config.jobs;
    let studio = Arc::new(Studio::open(config, store.clone(), logs)?);
    let notices = Arc::new(Notices::start(&studio));
    let api = Api::new(store, token.clone(), token.is_none()).telling(notices.clone());
    let api = match &embedded {
        // It listens on this machine's loopback alone, which readers may not reach.
        Some(_) => api.passing_on(),
        // Another server's store has no trigger that leads here, so what comes over HTTP is handed on directly.
        None => api.handing_on(uploads),
    };
    let (routes, _) = http::router(api.clone());
    // They hold no values that could fail.
    let (desk, one_job) = (Html(Desk.render().unwrap_or_default()), Html(OneJob.render().unwrap_or_default()));
    let pages = Router::new()
        .route("/", get(async move || desk))
        .route("/watch/{id}", get(async move || one_job))
        .method_not_allowed_fallback(http::wrong_method);
    let routes = routes.merge(http::guarded(Live::follow(&studio).routes(), api)).merge(pages);
    let turns = Arc::new(Semaphore::new(jobs));
    let making = tokio::spawn(make(studio.clone(), notices.clone(), arriving, missed, turns.clone()));

    println!("http://{address}/");
    if let Some(server) = &embedded {
        let endpoint = server.endpoint();
        let (access, secret) = endpoint.credentials.unwrap_or_default();
        eprintln!("S3 at {}, bucket {bucket}, for this run:", endpoint.url.unwrap_or_default());
        eprintln!("  AWS_ACCESS_KEY_ID={access} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION=us-east-1");
    }
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(async move { stopped.notified().await });
    let serving = tokio::spawn(serving.into_future());
    told_to_stop().await?;
    eprintln!("chalkreel: stopping");
    stop.notify_one();
    making.abort();
    studio.interrupt();
    // All turns are free once every job is over and told of.
    if Deadline::after(STOP).run(turns.acquire_many(u32::try_from(jobs).unwrap_or(1))).await.is_err() {
        error!("a job could not write its status before the end");
    }
    let abort = serving.abort_handle();
    if Deadline::after(CLOSE).run(serving).await.is_err() {
        abort.abort();
    }
    notices.flush(Deadline::after(CLOSE)).await;
    studio.close().await;
    if let Some(server) = embedded {
        server.shutdown(Deadline::after(CLOSE)).await;
    }
    Ok(())
}

/// Ends with the first signal to stop; the second ends the process.
async fn told_to_stop() -> Result<(), JobError> {
    let listen = |kind| signal(kind).map_err(|error| JobError::new(Code::JobInterrupted, error.to_string()));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(())
}

/// Makes films of what arrives, and first of what arrived before this process began. A job that is done already says so.
async fn make(
    studio: Arc<Studio>,
    notices: Arc<Notices>,
    mut arriving: mpsc::Receiver<Upload>,
    missed: Arc<Missed>,
    turns: Arc<Semaphore>,
) {
    missed.some.store(true, Ordering::Relaxed);
    missed.told.notify_one();
    loop {
        let uploads = tokio::select! {
            Some(upload) = arriving.recv() => vec![upload],
            () = missed.told.notified() => {
                if !missed.some.swap(false, Ordering::Relaxed) {
                    continue;
                }
                look_through(&studio.store).await
            }
        };
        for (key, etag) in uploads.into_iter().filter(|(key, _)| !intake::is_companion(key)) {
            let request = match intake::upload(studio.store.bucket(), &key, &etag) {
                Ok(request) => request,
                Err(refused) => {
                    warn!(code = refused.code, "{}", refused.message);
                    continue;
                }
            };
            // The semaphore is never closed.
            let Ok(turn) = turns.clone().acquire_owned().await else { return };
            let (studio, notices) = (studio.clone(), notices.clone());
            tokio::spawn(async move {
                film(request, &studio, &notices).await;
                drop(turn);
            });
        }
    }
}

async fn film(request: JobRequest, studio: &Studio, notices: &Notices) {
    let ends = Deadline::after(studio.config.job_timeout);
    match pipeline::film(request, studio, ends, Again::Retryable).boxed().await {
        Ok(status) => {
            info!(job_id = status.job_id.as_str(), state = status.state.name(), "a job is over");
            notices.ended(&status);
        }
        Err(error) => error!(code = error.code, "{}", error.message),
    }
    crate::child::sweep();
}

/// All that lies under `incoming/`.
async fn look_through(store: &Store) -> Vec<Upload> {
    match store.list(keys::INCOMING, LOOKED_THROUGH, Deadline::after(LOOK)).await {
        Ok(entries) => entries
            .into_iter()
            .map(|entry| {
                let etag = entry.etag.map(|etag| etag.as_str().trim_matches('"').to_owned()).unwrap_or_default();
                (entry.key, etag)
            })
            .collect(),
        Err(error) => {
            error!(%error, "what came before can't be listed");
            Vec::new()
        }
    }
}
