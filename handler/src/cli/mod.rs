//! The command line.
//!
//! In: arguments. Out: a film in a folder, or words on the terminal; exit codes 0 done, 1 failed, 2 usage, 3 degraded,
//! 4 deadline. Results go to standard output, progress and log to standard error.
//!
//! The function on Lambda is built without the feature `local`: it has no embedded store, and of the commands only `plan` and
//! `planner`, the second of which it runs itself.

#[cfg(feature = "local")]
mod cancel;
#[cfg(feature = "local")]
pub mod doctor;
#[cfg(feature = "local")]
mod live;
pub mod output;
#[cfg(feature = "local")]
mod pages;
mod plan;
mod planner;
#[cfg(feature = "local")]
mod render;
#[cfg(feature = "local")]
mod serve;
#[cfg(feature = "local")]
mod signals;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::output::note;
use crate::config::Config;
use crate::error::{Code, JobError};
use crate::intake::MAX_DOCUMENT;
use crate::job::log::JobLogs;
#[cfg(feature = "local")]
use crate::job::{JobId, Quality, State};
#[cfg(feature = "local")]
use crate::store::{Embedded, Store};
#[cfg(feature = "local")]
use crate::studio;

/// The bucket of the embedded store.
#[cfg(feature = "local")]
const LOCAL_BUCKET: &str = "chalkreel";

/// Turns a lesson into a narrated Manim film.
#[derive(Debug, Parser)]
#[command(name = "chalkreel", version)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a film of a document.
    #[cfg(feature = "local")]
    Render(Render),
    /// Say what a film of a document would be, without making it.
    Plan {
        /// The document.
        document: PathBuf,
        /// Print the storyboard and the estimates as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Planners of your own.
    Planner {
        #[command(subcommand)]
        action: PlannerAction,
    },
    /// End a job, wherever it runs: its worker hears of it within seconds, and stops.
    #[cfg(feature = "local")]
    Cancel {
        /// The job's id, as `status.json` and the log have it.
        job: JobId,
        /// Print status.json on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Serve the HTTP interface and a page, and make films of what comes in.
    #[cfg(feature = "local")]
    Serve {
        /// Address and port. Beyond this machine only with CHALKREEL_HTTP_TOKEN.
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8765")]
        listen: std::net::SocketAddr,
    },
    /// Say what is here and what is missing.
    #[cfg(feature = "local")]
    Doctor {
        /// Look at the stack on AWS instead of this machine.
        #[arg(long)]
        aws: bool,
        /// The stack's parameter Name.
        #[arg(long, value_name = "NAME", default_value = "chalkreel", requires = "aws")]
        name: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum PlannerAction {
    /// Say whether a component keeps the contract, and what it uses of each limit.
    Check {
        /// The component (.wasm).
        component: PathBuf,
        /// Plan this document instead of the built-in samples; a refusal then counts as a failure.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compile a component; the program itself calls this.
    #[command(hide = true)]
    Compile {
        /// The component (.wasm).
        component: PathBuf,
        /// Where the code goes.
        compiled: PathBuf,
    },
}

#[cfg(feature = "local")]
#[derive(Debug, clap::Args)]
struct Render {
    /// The document: a lesson (.md), a lecture plan or storyboard (.json), or Manim scenes (.py).
    document: PathBuf,
    /// Where the film goes; the default is ./films/<name of the document>.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overrides the document's own quality.
    #[arg(long)]
    quality: Option<Quality>,
    /// Plan the film with this component (.wasm) instead of the built-in planner.
    #[arg(long, value_name = "COMPONENT")]
    planner: Option<PathBuf>,
    /// Make the film anew even if it is there; rendered scenes are still taken from the cache.
    #[arg(long)]
    again: bool,
    /// Print the final status.json on standard output.
    #[arg(long)]
    json: bool,
}

/// Reads the arguments.
///
/// # Errors
/// The exit code of what ends here: 0 after help and version, 2 after wrong usage, 1 when even that could not be said.
pub fn parse() -> Result<Command, ExitCode> {
    Command::try_parse().map_err(|error| output::usage(&error))
}

/// Runs a command.
#[cfg_attr(not(feature = "local"), expect(unused_variables, reason = "the commands that are left keep no log"))]
pub async fn run(command: Command, config: Config, logs: JobLogs) -> ExitCode {
    match command.action {
        #[cfg(feature = "local")]
        Action::Render(render) => {
            let span = tracing::info_span!("command");
            crate::telemetry::follow(&span, config.doors.traceparent.as_deref());
            tracing::Instrument::instrument(render::run(render, config, logs), span).await
        }
        Action::Plan { document, json } => plan::run(&document, json, &config).await,
        Action::Planner { action: PlannerAction::Check { component, document, json } } => {
            planner::check(&component, document.as_deref(), json, &config).await
        }
        Action::Planner { action: PlannerAction::Compile { component, compiled } } => {
            planner::compile(&component, &compiled)
        }
        #[cfg(feature = "local")]
        Action::Cancel { job, json } => cancel::run(&job, json, &config).await,
        #[cfg(feature = "local")]
        Action::Serve { listen } => serve::run(listen, config, logs).await,
        #[cfg(feature = "local")]
        Action::Doctor { aws: true, name, json } => doctor::aws::run(&name, json).await,
        #[cfg(feature = "local")]
        Action::Doctor { aws: false, json, .. } => doctor::run(json, &config),
    }
}

/// The store that the settings name; the embedded one, which runs as long as it is held, when they name none.
#[cfg(feature = "local")]
async fn store(config: &Config) -> Result<(Option<Embedded>, Store), JobError> {
    let bucket = config.bucket.as_deref().unwrap_or(LOCAL_BUCKET);
    if let Some(endpoint) = studio::endpoint(config) {
        return Ok((None, Store::connect(&endpoint, bucket).await));
    }
    let server = Embedded::start(&config.store_dir).await.map_err(|error| unusable(config, &error))?;
    server.create_bucket(bucket).map_err(|error| unusable(config, &error))?;
    let store = Store::connect(&server.endpoint(), bucket).await;
    Ok((Some(server), store))
}

/// The folder of the embedded store can't be used.
#[cfg(feature = "local")]
fn unusable(config: &Config, error: &std::io::Error) -> JobError {
    let error = JobError::new(Code::StoreFile, format!("{}: {error}", config.store_dir.display()));
    error.remedy("Free space there, make it writable, or name another folder with CHALKREEL_STORE_DIR.")
}

/// Reads a document from disk: its name and its bytes, one more than may be read at the most. Only regular files are
/// opened, for a pipe could keep us waiting for ever.
fn read(document: &Path) -> Result<(String, Vec<u8>), JobError> {
    let fault = |reason: String| not_found(document, &reason);
    let metadata = std::fs::metadata(document).map_err(|error| fault(error.to_string()))?;
    if !metadata.is_file() {
        return Err(fault("not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(document).map_err(|error| fault(error.to_string()))?;
    file.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
    let name = document.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((name, bytes))
}

/// A file that is named on the command line can't be read.
fn not_found(path: &Path, reason: &str) -> JobError {
    let error = JobError::new(Code::InputNotFound, format!("{}: {reason}", path.display()));
    error.remedy("Check the path, and that it is a file which you may read.")
}

/// Tells a person what went wrong and what they can do.
fn explain(error: &JobError) {
    let place = error.place.map(|place| format!(" (line {}, column {})", place.line, place.column)).unwrap_or_default();
    note(format_args!("chalkreel: {}: {}{place}", error.code, error.message));
    note(format_args!("           {}", error.remedy));
}

#[cfg(feature = "local")]
fn exit_code(state: State) -> ExitCode {
    ExitCode::from(match state {
        State::Succeeded => 0,
        State::Degraded => 3,
        State::TimedOut => 4,
        State::Queued | State::Running | State::Failed | State::Cancelled => 1,
    })
}
