//! `chalkreel serve`: the HTTP interface, web pages, and the embedded store with its trigger, without AWS. A document that is
//! stored under `incoming/`, over HTTP or S3, becomes a film, a bounded number at a time.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::http::Request;
use axum::body::Body;
use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc};
use tower::ServiceExt as _;
use tracing::{error, info, warn};

use super::editors::Editors;
use super::live::Live;
use super::output::{Text, line, note};
use super::signals::{ENDED, Stops};
use super::{LOCAL_BUCKET, check, explain, pages, unusable};
use crate::config::Config;
use crate::connections::{Received, Rules, Server};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::http::{self, Api};
use crate::intake;
use crate::job::keys;
use crate::job::log::JobLogs;
use crate::job::{Again, JobRequest, Lease};
use crate::notify::Notices;
use crate::pipeline;
use crate::publish;
use crate::services::{self, Services};
use crate::store::embedded::StoreObserver;
use crate::store::{Embedded, Entry, Store, StoreError};

/// Uploads that may be queued; more are found by listing `incoming/`.
const WAITING: usize = 1_024;
/// The most documents under `incoming/` that are listed.
const LOOKED_THROUGH: usize = 100_000;
/// The wait before uploads that could not be processed are listed again.
const AGAIN: Duration = Duration::from_secs(10);
/// Time for listing them.
const LOOK: Duration = Duration::from_secs(60);
/// Time for interrupted jobs to write their status.
const STOP: Duration = Duration::from_secs(10);
/// Time for open requests to end, and then for notifications.
const CLOSE: Duration = Duration::from_secs(3);

/// An upload: key and entity tag, without quotes.
type Upload = (String, String);

/// The trigger: queues each upload under `incoming/`.
#[derive(Debug)]
struct Trigger {
    bucket: String,
    uploads: mpsc::Sender<Upload>,
    missed: Arc<Missed>,
}

impl http::UploadQueue for Trigger {
    fn enqueue(&self, key: &str) {
        self.uploaded(key, "");
    }
}

/// Whether an upload could not be queued.
#[derive(Debug, Default)]
struct Missed {
    some: AtomicBool,
    requested: Notify,
}

impl Missed {
    /// Requests that `incoming/` is listed.
    fn request_listing(&self) {
        self.some.store(true, Ordering::Relaxed);
        self.requested.notify_one();
    }

    /// The same, after a pause for a failing store to recover.
    async fn request_listing_later(&self) {
        tokio::time::sleep(AGAIN).await;
        self.request_listing();
    }
}

impl Trigger {
    /// Queues an upload, or remembers that one could not be.
    fn uploaded(&self, key: &str, etag: &str) {
        if self.uploads.try_send((key.to_owned(), etag.to_owned())).is_err() {
            self.missed.request_listing();
        }
    }
}

impl StoreObserver for Trigger {
    fn created(&self, bucket: &str, key: &str, etag: &str) {
        if bucket == self.bucket && key.starts_with(keys::INCOMING) {
            self.uploaded(key, etag);
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
    let token = config.interfaces.http_token.clone();
    if !listen.ip().is_loopback() && token.is_none() {
        let message = format!("other machines can reach {listen}, and CHALKREEL_HTTP_TOKEN is not set");
        let error = JobError::new(Code::HttpUnauthorized, message);
        return Err(error.remedy("Set CHALKREEL_HTTP_TOKEN to at least 32 random bytes, or listen on 127.0.0.1."));
    }
    // From here on a signal shuts it down in order.
    let stops = Stops::listen().map_err(|error| JobError::new(Code::JobInterrupted, error.to_string()))?;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| {
        let error = JobError::new(Code::HttpBadRequest, format!("can't listen on {listen}: {error}"));
        error.remedy("Name another address or port with --listen, or stop the process that uses it.")
    })?;
    let address = listener.local_addr().unwrap_or(listen);

    let bucket = config.bucket.clone().unwrap_or_else(|| LOCAL_BUCKET.to_owned());
    let (uploads, arriving) = mpsc::channel(WAITING);
    let missed = Arc::new(Missed::default());
    let trigger = Arc::new(Trigger { bucket: bucket.clone(), uploads, missed: missed.clone() });
    let (embedded, store) = match services::endpoint(&config) {
        Some(endpoint) => (None, Store::connect(&endpoint, &bucket).await),
        None => {
            let fault = |error| unusable(&config, &error);
            let server = Embedded::start_observed(&config.store_dir, trigger.clone()).await.map_err(fault)?;
            server.create_bucket(&bucket).map_err(fault)?;
            let store = Store::connect(&server.endpoint(), &bucket).await;
            (Some(server), store)
        }
    };
    let jobs = config.jobs;
    let services = Arc::new(Services::open(config, store.clone(), logs)?);
    let notices = Arc::new(Notices::start(&services));
    let api = Api::new(store, token.clone(), token.is_none()).notifying(notices.clone());
    let api = match &embedded {
        // The embedded store listens on loopback alone, which clients may not reach.
        Some(_) => api.proxying_store(),
        // Another store has no trigger for this process, so uploads over HTTP are queued directly.
        None => api.with_queue(trigger),
    };
    let (routes, _) = http::router(api.clone());
    let live = http::guarded(Live::follow(&services, api.clone()).routes(), api.clone());
    let editors = http::guarded(Editors::new(services.clone(), api.clone()).routes(), api.clone());
    let checks = http::guarded(check::door::routes(services.clone()), api.clone());
    let routes = routes.merge(live).merge(checks).merge(editors).merge(http::open(pages::routes(), api));
    let permits = Arc::new(Semaphore::new(jobs));
    let making = tokio::spawn(make(services.clone(), notices.clone(), arriving, missed, permits.clone()));

    let mut text = Text::default();
    line!(text, "http://{address}/");
    // It serves, whether or not its address could be printed.
    text.try_print();
    if let Some(server) = &embedded {
        let endpoint = server.endpoint();
        let (access, secret) = endpoint.credentials.unwrap_or_default();
        note(format_args!("S3 at {}, bucket {bucket}; credentials for this run:", endpoint.url.unwrap_or_default()));
        note(format_args!("  AWS_ACCESS_KEY_ID={access} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION=us-east-1"));
    }
    let serving = Server::start(listener, Rules::usual(), move |request: Request<Received>| {
        routes.clone().oneshot(request.map(Body::new))
    });
    stop_signal(stops).await;
    note(format_args!("chalkreel: stopping; a second signal ends it at once"));
    // New connections are refused, instead of being accepted and left waiting.
    let closing = tokio::spawn(serving.shutdown(Deadline::after(STOP + CLOSE)));
    making.abort();
    services.interrupt();
    // All permits are free once every job has ended and its notifications are queued.
    if Deadline::after(STOP).run(permits.acquire_many(u32::try_from(jobs).unwrap_or(1))).await.is_err() {
        error!("a job did not write its final status in time; it is taken over after LEASE_TIMEOUT");
    }
    let abort = closing.abort_handle();
    if Deadline::after(CLOSE).run(closing).await.is_err() {
        abort.abort();
    }
    notices.flush(Deadline::after(CLOSE)).await;
    services.close().await;
    if let Some(server) = embedded {
        server.shutdown(Deadline::after(CLOSE)).await;
    }
    Ok(())
}

/// Waits for the first signal to stop; the second ends the process.
async fn stop_signal(mut stops: Stops) {
    stops.next().await;
    tokio::spawn(async move {
        stops.next().await;
        std::process::exit(ENDED.into());
    });
}

/// Makes films of uploads, first of those from before this process began. Jobs that are done already end at once.
async fn make(
    services: Arc<Services>,
    notices: Arc<Notices>,
    mut arriving: mpsc::Receiver<Upload>,
    missed: Arc<Missed>,
    permits: Arc<Semaphore>,
) {
    missed.request_listing();
    loop {
        let (uploads, resent) = tokio::select! {
            Some(upload) = arriving.recv() => (vec![upload], true),
            () = missed.requested.notified() => {
                if !missed.some.swap(false, Ordering::Relaxed) {
                    continue;
                }
                match list_uploads(&services.store).await {
                    Ok(uploads) => (uploads, false),
                    Err(error) => {
                        error!(%error, "can't list the uploads under incoming/; trying again");
                        let missed = missed.clone();
                        tokio::spawn(async move { missed.request_listing_later().await });
                        continue;
                    }
                }
            }
        };
        for (key, etag) in uploads.into_iter().filter(|(key, _)| !intake::is_companion(key)) {
            let request = match intake::upload(services.store.bucket(), &key, &etag) {
                Ok(request) => request,
                Err(refused) => {
                    warn!(code = refused.code.name(), "an upload is refused: {}", refused.message);
                    continue;
                }
            };
            // The semaphore is never closed.
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let (services, notices, missed) = (services.clone(), notices.clone(), missed.clone());
            tokio::spawn(async move {
                let later = film(request, resent, &services, &notices).await;
                drop(permit);
                if later {
                    missed.request_listing_later().await;
                }
            });
        }
    }
}

/// Makes the film of a document; when the document was sent again (`resent`) and the store has lost the film meanwhile, it is made
/// again. Gives whether the job must be tried again later, since its status could be neither read nor written.
async fn film(request: JobRequest, resent: bool, services: &Services, notices: &Notices) -> bool {
    let (ends, begun) = (Deadline::after(services.config.job_timeout), Timestamp::now());
    let mut made = pipeline::film(request.clone(), services, ends, Again::Retryable).boxed().await;
    if let Ok(status) = &made
        && resent
        && status.has_film()
        && status.updated_at < begun
        && let Err(lost) = publish::whole(status, &services.store, ends).await
    {
        match Lease::revoke_film(&services.store, &status.job_id, &lost, ends).await {
            Ok(_) => made = pipeline::film(request, services, ends, Again::Retryable).boxed().await,
            Err(error) => made = Err(error.into()),
        }
    }
    let later = made.as_ref().is_err_and(|error| error.retryable);
    match made {
        Ok(status) => {
            info!(job_id = status.job_id.as_str(), state = status.state.name(), "the job has ended");
            notices.ended(&status);
        }
        Err(error) => {
            error!(code = error.code.name(), "an upload's job can't read or write its status: {}", error.message)
        }
    }
    crate::child::sweep();
    later
}

/// All uploads under `incoming/`.
async fn list_uploads(store: &Store) -> Result<Vec<Upload>, StoreError> {
    let entries = store.list(keys::INCOMING, LOOKED_THROUGH, Deadline::after(LOOK)).await?;
    let upload = |entry: Entry| {
        let etag = entry.etag.map(|etag| etag.as_str().trim_matches('"').to_owned()).unwrap_or_default();
        (entry.key, etag)
    };
    Ok(entries.into_iter().map(upload).collect())
}
