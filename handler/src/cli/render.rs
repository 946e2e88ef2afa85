//! `chalkreel render`: makes a film, on the embedded store or on the one that CHALKREEL_S3_ENDPOINT names.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tokio::sync::mpsc;

use super::output::{Text, line as say, note};
use super::planner::component_bytes;
use super::signals::{ENDED, Stops};
use super::{Render, exit_code, explain, read, warn};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError, Stage};
use crate::intake::assets::beside_program;
use crate::job::keys;
use crate::job::log::JobLogs;
use crate::job::{Again, Folder, JobRequest, Lease, Source, State, Status};
use crate::pipeline;
use crate::plan::custom;
use crate::publish;
use crate::services::{Claimed, Services};
use crate::store::cache::CacheKey;
use crate::store::{Embedded, Store, StoreError, download};

/// Warnings that are printed.
const WARNINGS: usize = 20;
/// Time for copying the files from a store on this machine: a long film at 4k has some gigabytes.
const COPY: Duration = Duration::from_secs(120);
/// The remedy when the folder for the film can't be written.
const OUT: &str = "Free space there, make it writable, or name another folder with --out.";
/// Steps of the bar of progress, and how often its clock is shown.
const BAR: u64 = 1_000;
const TICK: Duration = Duration::from_millis(200);
/// Time for the embedded store to close its connections.
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
    let (told, rest) = status.warnings.split_at(status.warnings.len().min(WARNINGS));
    warn(told);
    if !rest.is_empty() {
        note(format_args!("and {} more warnings, in {}", rest.len(), out.join(keys::STATUS).display()));
    }
    if matches!(status.state, State::Queued | State::Running) {
        note(format_args!(
            "chalkreel: another process is already making this film (job {}); its current status was copied to {}",
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
    // The exit code is the film's, whether or not its path could be printed.
    text.try_print();
    if render.open && status.outputs.contains_key("film") {
        super::open_in_browser(&out.join("index.html").to_string_lossy());
    }
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
        // The user of the command decides which planner it runs.
        let planners = config.planners.clone().or_else(|| Some("planners/".to_owned()));
        let services = Arc::new(Services::open(Config { planners, ..config }, store, logs)?);
        let progress = tokio::spawn(show_progress(services.watch()));
        let signals = tokio::spawn(handle_signals(stops, services.clone()));
        let token = render.again.then(|| format!("again {}", jiff::Timestamp::now()));
        let folder = Some(folder(&render.document, &bytes));
        let planner = match &render.planner {
            Some(component) => Some(store_planner(component, &services, ends).await?),
            None => None,
        };
        let source = Source::Inline { name, bytes, folder };
        let scenes = render.scene.clone();
        let request = JobRequest { source, quality: render.quality, planner, token, scenes };
        let made = async {
            let status = pipeline::film(request.clone(), &services, ends, Again::Failed).boxed().await?;
            match copy(&status, &services.store, out).await {
                // Made earlier, and damaged since: it is made again, mostly from the cache.
                Err(Fault::Lost(lost)) if status.has_film() => {
                    let lost = publish::lost(lost);
                    note(format_args!("chalkreel: {}: {}; the film is made again", lost.code, lost.message));
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

/// Stores a component where jobs look for planners, and gives its name there, which is a hash of its content.
async fn store_planner(component: &Path, services: &Services, deadline: Deadline) -> Result<String, JobError> {
    let bytes = component_bytes(component)?;
    let name = CacheKey::of("lent planner").part("component", &bytes).finish().to_string();
    let prefix = services.config.planners.as_deref().unwrap_or_default();
    services.store.put(&custom::key(prefix, &name), bytes, "application/wasm", deadline).await?;
    Ok(name)
}

/// The folder of a document, with a version that changes with each file that a word of the document may name.
pub(super) fn folder(document: &Path, bytes: &[u8]) -> Folder {
    let path = document.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let text = String::from_utf8_lossy(bytes);
    let words = text.split(|c: char| c.is_whitespace() || "()[]<>\"'`,".contains(c));
    let named: BTreeSet<&str> = words.filter(|word| word.contains('.') && word.len() < 500).collect();
    let state = |word: &&str| {
        let about = std::fs::metadata(path.join(word)).ok().filter(std::fs::Metadata::is_file)?;
        let changed = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(format!("{word} {} {}\n", about.len(), changed.as_nanos()))
    };
    // Recordings are found by their folder.
    let recordings = text
        .lines()
        .filter(|line| line.contains("recording"))
        .flat_map(|line| line.split([' ', '"', '\'', '}', ',', ':']));
    let inside = recordings.filter(|word| !word.is_empty() && !word.contains("..") && !word.starts_with('/')).flat_map(
        |folder| {
            let names = std::fs::read_dir(path.join(folder)).into_iter().flatten();
            names.filter_map(move |entry| Some(format!("{folder}/{}", entry.ok()?.file_name().to_str()?)))
        },
    );
    let inside: BTreeSet<String> = inside.collect();
    // Captions in other languages are files that no word of the document names.
    let translations = std::fs::read_dir(&path).into_iter().flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        keys::is_translation(&name).then_some(name)
    });
    let name = document.file_name().unwrap_or_default().to_string_lossy();
    let (own, narrations) = (keys::translations(&name), keys::narrations(&name));
    let translations: BTreeSet<String> = translations.filter(|name| name.starts_with(&own)).collect();
    let modules = beside_program(&text, |name| std::fs::read_to_string(path.join(name)).ok());
    let beside = translations.iter().chain(&narrations).chain(&modules).chain(&inside).map(String::as_str);
    let all = named.iter().copied().chain(beside).collect::<BTreeSet<&str>>();
    let version = all.iter().filter_map(state).collect();
    Folder { path, version }
}

/// The first signal interrupts the job; the second ends the process.
async fn handle_signals(mut stops: Stops, services: Arc<Services>) {
    stops.next().await;
    note(format_args!("chalkreel: stopping; a second signal ends it at once"));
    services.interrupt();
    stops.next().await;
    std::process::exit(ENDED.into());
}

/// Why a job's files can't be copied.
pub(super) enum Fault {
    /// The store has lost a file.
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

/// Copies the files of a job to `out`; its status last, so that there too it never names a missing file.
pub(super) async fn copy(status: &Status, store: &Store, out: &Path) -> Result<(), Fault> {
    let deadline = Deadline::after(COPY);
    let fault = |path: PathBuf| {
        move |error: std::io::Error| {
            let error = JobError::new(Code::StoreFile, format!("can't write {}: {error}", path.display()));
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

/// Shows progress: a bar on a terminal, else a line for each step.
async fn show_progress(mut jobs: mpsc::UnboundedReceiver<Claimed>) {
    while let Some(Claimed { changes: mut job, .. }) = jobs.recv().await {
        let bar = std::io::stderr().is_terminal().then(bar);
        let (mut last, begun) = (String::new(), Instant::now());
        loop {
            let status = job.borrow_and_update().clone();
            match &bar {
                Some(bar) => {
                    bar.set_position((status.progress * BAR as f64) as u64);
                    bar.set_message(format!("{}{}", step(&status), pace(&status, begun.elapsed())));
                }
                None => {
                    let line = format!("[{:3.0} %] {}", status.progress * 100.0, step(&status));
                    if line != last {
                        note(format_args!("{line}"));
                        last = line;
                    }
                }
            }
            if job.changed().await.is_err() {
                break;
            }
        }
    }
}

/// It goes when it is dropped, so that nothing is written over it.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(BAR).with_finish(ProgressFinish::AndClear);
    // A template that is wrong shows the usual bar.
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {elapsed}, {eta} left  {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// How fast pictures are drawn; nothing before the first scene is ready.
fn pace(status: &Status, time: Duration) -> String {
    let frames: u64 = status.scenes.iter().filter(|scene| scene.state.is_done()).map(|scene| scene.frames).sum();
    match frames as f64 / time.as_secs_f64() {
        pace if pace >= 1.0 => format!(", {pace:.0} frames a second"),
        _ => String::new(),
    }
}

fn step(status: &Status) -> String {
    match status.stage {
        _ if status.state == State::Queued => "claimed".to_owned(),
        Stage::Intake => "reading the document".to_owned(),
        Stage::Plan => "planning".to_owned(),
        Stage::Narrate | Stage::Render => {
            let ready = status.scenes.iter().filter(|scene| scene.state.is_done()).count();
            format!("{ready} of {} scenes narrated and drawn", status.scenes.len())
        }
        Stage::Assemble => "joining picture and sound".to_owned(),
        Stage::Publish => "publishing".to_owned(),
    }
}
