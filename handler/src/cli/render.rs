//! `chalkreel render`: the whole way, on the embedded store or on the one that CHALKREEL_S3_ENDPOINT names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::output::{Text, line as say, note};
use super::planner::component_bytes;
use super::signals::{ENDED, Stops};
use super::{Render, exit_code, explain, read};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError, Stage};
use crate::job::keys;
use crate::job::log::JobLogs;
use crate::job::{Again, Folder, JobRequest, Lease, Source, State, Status};
use crate::pipeline;
use crate::plan::custom;
use crate::publish;
use crate::services::{Claimed, Services};
use crate::store::cache::CacheKey;
use crate::store::{Embedded, Store, StoreError, download};

/// For copying finished files from a store on this machine: a long film at 4k has some gigabytes.
const COPY: Duration = Duration::from_secs(120);
/// What helps when the folder for the film can't be written.
const OUT: &str = "Free space there, make it writable, or name another folder with --out.";
/// For the embedded store to end its last connections.
const CLOSE: Duration = Duration::from_secs(2);

pub(super) async fn run(render: Render, config: Config, logs: JobLogs) -> ExitCode {
    let out = render
        .out
        .clone()
        .unwrap_or_else(|| Path::new("films").join(render.document.file_stem().unwrap_or_else(|| "film".as_ref())));
    let (embedded, made) = film(&render, &out, config, logs).await;
    if let Some(embedded) = embedded {
        embedded.shutdown(Deadline::after(CLOSE)).await;
    }
    let status = match made {
        Ok(status) => status,
        Err(error) => {
            explain(&error);
            return ExitCode::FAILURE;
        }
    };
    if let Some(error) = &status.error {
        explain(error);
    }
    if matches!(status.state, State::Queued | State::Running) {
        note(format_args!(
            "chalkreel: another process is making this film (job {}); its status is in {}",
            status.job_id,
            out.display()
        ));
    }
    let mut text = Text::default();
    if render.json {
        // Plain data without maps that could fail.
        say!(text, "{}", serde_json::to_string_pretty(&status).unwrap_or_default());
    } else if status.outputs.contains_key("film") {
        say!(text, "{}\n{}", out.join("film.mp4").display(), out.join("index.html").display());
    }
    // The film is there, whether or not that can be said.
    text.said();
    exit_code(status.state)
}

async fn film(
    render: &Render,
    out: &Path,
    config: Config,
    logs: JobLogs,
) -> (Option<Embedded>, Result<Status, JobError>) {
    let mut embedded = None;
    let made = async {
        let stops = Stops::listen().map_err(|error| JobError::new(Code::JobInterrupted, error.to_string()))?;
        let (name, bytes) = read(&render.document)?;
        let (server, store) = super::store(&config).await?;
        embedded = server;
        let ends = Deadline::after(config.job_timeout);
        // Whoever types the command decides what it runs.
        let planners = config.planners.clone().or_else(|| Some("planners/".to_owned()));
        let services = Arc::new(Services::open(Config { planners, ..config }, store, logs)?);
        let progress = tokio::spawn(print(services.watch()));
        let signals = tokio::spawn(heed(stops, services.clone()));
        let token = render.again.then(|| format!("again {}", jiff::Timestamp::now()));
        let folder = Some(folder(&render.document, &bytes));
        let planner = match &render.planner {
            Some(component) => Some(lend(component, &services, ends).await?),
            None => None,
        };
        let source = Source::Inline { name, bytes, folder };
        let request = JobRequest { source, quality: render.quality, planner, token };
        let made = async {
            let status = pipeline::film(request.clone(), &services, ends, Again::Failed).boxed().await?;
            match copy(&status, &services.store, out).await {
                // Made earlier, and not whole any more: it is made once more, mostly from the cache.
                Err(Fault::Lost(lost)) if status.has_film() => {
                    let lost = publish::lost(lost);
                    note(format_args!("chalkreel: {}: {}; the film is made anew", lost.code, lost.message));
                    Lease::revoke_film(&services.store, &status.job_id, &lost, ends).await?;
                    let status = pipeline::film(request, &services, ends, Again::Failed).boxed().await?;
                    copy(&status, &services.store, out).await.map_err(JobError::from)?;
                    Ok(status)
                }
                copied => copied.map(|()| status).map_err(JobError::from),
            }
        };
        let made = made.await;
        signals.abort();
        progress.abort();
        services.close().await;
        made
    };
    let made = made.await;
    (embedded, made)
}

/// Puts a component where jobs look for planners, and says its name there, which is its content's.
async fn lend(component: &Path, services: &Services, deadline: Deadline) -> Result<String, JobError> {
    let bytes = component_bytes(component)?;
    let name = CacheKey::of("lent planner").part("component", &bytes).finish().to_string();
    let prefix = services.config.planners.as_deref().unwrap_or_default();
    services.store.put(&custom::key(prefix, &name), bytes, "application/wasm", deadline).await?;
    Ok(name)
}

/// The folder of a document, and in its version the state of each file that a word of the document may name.
fn folder(document: &Path, bytes: &[u8]) -> Folder {
    let path = document.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let text = String::from_utf8_lossy(bytes);
    let words = text.split(|c: char| c.is_whitespace() || "()[]<>\"'`,".contains(c));
    let named: BTreeSet<&str> = words.filter(|word| word.contains('.') && word.len() < 500).collect();
    let state = |word: &&str| {
        let about = std::fs::metadata(path.join(word)).ok().filter(std::fs::Metadata::is_file)?;
        let changed = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(format!("{word} {} {}\n", about.len(), changed.as_nanos()))
    };
    // The same document in other languages is named by no word of it.
    let translations = std::fs::read_dir(&path).into_iter().flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        keys::is_translation(&name).then_some(name)
    });
    let own = keys::translations(&document.file_name().unwrap_or_default().to_string_lossy());
    let translations: BTreeSet<String> = translations.filter(|name| name.starts_with(&own)).collect();
    let all = named.iter().copied().chain(translations.iter().map(String::as_str)).collect::<BTreeSet<&str>>();
    let version = all.iter().filter_map(state).collect();
    Folder { path, version }
}

/// The first signal ends the job in order; the second ends the process.
async fn heed(mut stops: Stops, services: Arc<Services>) {
    stops.next().await;
    note(format_args!("chalkreel: stopping"));
    services.interrupt();
    stops.next().await;
    std::process::exit(ENDED);
}

/// Why files can't be copied.
enum Fault {
    /// The store has lost one.
    Lost(StoreError),
    Other(JobError),
}

impl From<Fault> for JobError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(error) => error.into(),
            Fault::Other(error) => error,
        }
    }
}

/// Copies what a job published to `out`; its status last, so that there too it speaks of what is there.
async fn copy(status: &Status, store: &Store, out: &Path) -> Result<(), Fault> {
    let deadline = Deadline::after(COPY);
    let fault = |path: PathBuf| {
        move |error: std::io::Error| {
            let error = JobError::new(Code::StoreFile, format!("{}: {error}", path.display()));
            Fault::Other(error.remedy(OUT))
        }
    };
    tokio::fs::create_dir_all(out).await.map_err(fault(out.to_owned()))?;
    download::sweep(out);
    for key in status.outputs.values().collect::<BTreeSet<_>>() {
        let name = key.rsplit('/').next().unwrap_or(key);
        store.get_to_file(key, &out.join(name), deadline).await.map_err(|error| match error {
            error if error.is_lost() => Fault::Lost(error),
            error @ StoreError::File { .. } => Fault::Other(JobError::from(error).remedy(OUT)),
            error => Fault::Other(error.into()),
        })?;
    }
    let path = out.join(keys::STATUS);
    let body = serde_json::to_vec_pretty(status).unwrap_or_default();
    tokio::fs::write(&path, body).await.map_err(fault(path.clone()))
}

/// Prints a line whenever the job has come further.
async fn print(mut jobs: mpsc::UnboundedReceiver<Claimed>) {
    while let Some(Claimed { changes: mut job, .. }) = jobs.recv().await {
        let mut last = String::new();
        loop {
            let line = line(&job.borrow_and_update());
            if line != last {
                note(format_args!("{line}"));
                last = line;
            }
            if job.changed().await.is_err() {
                break;
            }
        }
    }
}

fn line(status: &Status) -> String {
    let what = match status.stage {
        _ if status.state == State::Queued => "claimed".to_owned(),
        Stage::Intake => "reading the document".to_owned(),
        Stage::Plan => "planning".to_owned(),
        Stage::Narrate | Stage::Render => {
            let ready = status.scenes.iter().filter(|scene| scene.state.is_done()).count();
            format!("{ready} of {} scenes narrated and drawn", status.scenes.len())
        }
        Stage::Assemble => "joining picture and sound".to_owned(),
        Stage::Publish => "publishing".to_owned(),
    };
    format!("[{:3.0} %] {what}", status.progress * 100.0)
}
