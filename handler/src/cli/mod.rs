//! The command line.
//!
//! In: arguments. Out: a film in a folder, or a report on the terminal; exit codes 0 done, 1 failed, 2 usage, 3 degraded,
//! 4 deadline. Results go to standard output, progress and log to standard error.
//!
//! The function on Lambda is built without the feature `local`: it has no embedded store, and of the commands only `plan` and
//! `planner`, the second of which it runs itself.

#[cfg(feature = "local")]
mod cancel;
#[cfg(feature = "local")]
mod check;
#[cfg(feature = "local")]
pub mod doctor;
#[cfg(feature = "local")]
mod document;
#[cfg(feature = "local")]
mod editors;
#[cfg(feature = "local")]
mod guide;
#[cfg(feature = "local")]
mod live;
#[cfg(feature = "local")]
mod mcp;
#[cfg(feature = "local")]
mod new;
pub mod output;
#[cfg(feature = "local")]
mod pages;
mod plan;
mod planner;
#[cfg(feature = "local")]
mod render;
#[cfg(feature = "local")]
mod serve;
mod signals;
#[cfg(feature = "local")]
mod still;
#[cfg(feature = "local")]
mod watch;
#[cfg(feature = "local")]
mod write;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use storyboard::Warning;

use self::output::note;
use self::signals::until_stopped;
use crate::config::Config;
use crate::error::{Code, JobError};
use crate::intake::MAX_DOCUMENT;
use crate::job::log::JobLogs;
#[cfg(feature = "local")]
use crate::job::{JobId, Quality, State};
#[cfg(feature = "local")]
use crate::services;
#[cfg(feature = "local")]
use crate::store::{Embedded, Store};

/// The bucket of the embedded store.
#[cfg(feature = "local")]
const LOCAL_BUCKET: &str = "chalkreel";

/// The page of `chalkreel --help`: the commands by purpose, instead of clap's one list.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\nOptions:\n{options}\n";

/// The commands by purpose, with an example each.
#[cfg(feature = "local")]
const GROUPS: &str = "\
Make films:
  new            Write a first lesson to change
                   chalkreel new lesson.md
  render         Make a film of a document, in a folder of this machine
                   chalkreel render lesson.md --quality draft
  watch          Show a lesson as a filmstrip that follows its file, in the browser
                   chalkreel watch lesson.md
  check          Show what is wrong with documents, without making their films
                   chalkreel check lesson.md
  still          Draw pictures of a film's beats, without making it
                   chalkreel still lesson.md --scene what-it-says
  plan           Show scenes, length and cost of a film, without making it
                   chalkreel plan lesson.md
  serve          Serve web pages and an HTTP API that make films of uploaded documents
                   chalkreel serve --listen 127.0.0.1:8765
  cancel         Cancel a job, in whichever process it runs
                   chalkreel cancel 0123456789abcdef01234567

Have a language model write:
  write          Have the lesson that answers a question written, checked and mended
                   chalkreel write Why-is-the-sky-blue? --out lesson.md
  mcp            Serve the tools that models use by themselves (Model Context Protocol)
                   chalkreel mcp --root lessons
  guide          Print how lessons are written, for a prompt
                   chalkreel guide

Check an installation:
  doctor         Check this machine, or with --aws a stack on AWS, and list the settings
                   chalkreel doctor
                   chalkreel doctor --aws --name chalkreel

Write a planner:
  planner check  Check that a component is a valid planner, and what it uses of each limit
                   chalkreel planner check planner.wasm --document lesson.md

`chalkreel COMMAND --help` explains the options of a command; handler/docs/settings.md lists the settings.";
#[cfg(not(feature = "local"))]
const GROUPS: &str = "\
This build is for AWS Lambda and has these commands alone:
  plan           Show scenes, length and cost of a film, without making it
                   chalkreel plan lesson.md
  planner check  Check that a component is a valid planner, and what it uses of each limit
                   chalkreel planner check planner.wasm --document lesson.md";

/// Turns a lesson into a narrated Manim film.
#[derive(Debug, Parser)]
#[command(name = "chalkreel", version, help_template = TEMPLATE, after_help = GROUPS)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

impl Command {
    /// What is logged on standard error when CHALKREEL_LOG says nothing.
    pub fn default_log(&self) -> &'static str {
        match self.action {
            // It tells by itself why there is no film.
            #[cfg(feature = "local")]
            Action::Render(_) | Action::Watch(_) => "error,handler::publish=off",
            _ => "error",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a film of a document.
    #[cfg(feature = "local")]
    Render(Render),
    /// Write a first lesson to change.
    #[cfg(feature = "local")]
    New {
        /// The file, which must not exist.
        #[arg(default_value = "lesson.md")]
        document: PathBuf,
    },
    /// Print how lessons are written, for a language model's prompt.
    #[cfg(feature = "local")]
    Guide {
        /// Print the JSON Schema of lecture plans instead.
        #[arg(long)]
        plan: bool,
    },
    /// Have a language model write the lesson that answers a question, and mend what `check` finds in it. Exit code 0 when nothing is wrong
    /// with it, 1 when it can't be filmed, 3 with warnings.
    #[cfg(feature = "local")]
    Write(Write),
    /// Serve guide, check, still, render and status to a language model, by the Model Context Protocol on standard input and output.
    #[cfg(feature = "local")]
    Mcp {
        /// The folder of the documents and films. Nothing else is read or written for a client.
        #[arg(long, value_name = "DIR", default_value = ".")]
        root: PathBuf,
    },
    /// Show a lesson as a filmstrip that follows its file, in the browser.
    #[cfg(feature = "local")]
    Watch(Watch),
    /// Show what is wrong with documents, without making their films. Exit code 0 without findings, 1 with errors, 3 with warnings alone.
    #[cfg(feature = "local")]
    Check(Check),
    /// Draw pictures of a film's beats, without making it.
    #[cfg(feature = "local")]
    Still(Still),
    /// Show what a film of a document would be, without making it.
    Plan {
        /// The document.
        document: PathBuf,
        /// Print the storyboard and the estimates as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check planners of your own.
    Planner {
        #[command(subcommand)]
        action: PlannerAction,
    },
    /// Cancel a job, in whichever process it runs: its worker stops within seconds.
    #[cfg(feature = "local")]
    Cancel {
        /// The job's id, as in `status.json` and the log.
        job: JobId,
        /// Print status.json on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Serve web pages and the HTTP interface, and make films of uploaded documents.
    #[cfg(feature = "local")]
    Serve {
        /// Address and port. An address that other machines can reach needs CHALKREEL_HTTP_TOKEN.
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8765")]
        listen: std::net::SocketAddr,
    },
    /// Check this machine or a stack on AWS: what is there, and what is missing.
    #[cfg(feature = "local")]
    Doctor {
        /// Check the stack on AWS instead of this machine.
        #[arg(long)]
        aws: bool,
        /// The stack's parameter Name.
        #[arg(long, value_name = "NAME", default_value = "chalkreel", requires = "aws")]
        name: String,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum PlannerAction {
    /// Check whether a component is a valid planner, and what it uses of each limit.
    Check {
        /// The component (.wasm).
        component: PathBuf,
        /// Plan this document instead of the built-in samples; a refusal then counts as a failure.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compile a component (for internal use).
    #[command(hide = true)]
    Compile {
        /// The component (.wasm).
        component: PathBuf,
        /// The file for the compiled code.
        compiled: PathBuf,
    },
}

#[cfg(feature = "local")]
#[derive(Debug, clap::Args)]
struct Render {
    /// The document: a lesson (.md), a lecture plan or storyboard (.json), or Manim scenes (.py).
    document: PathBuf,
    /// The folder for the film; the default is ./films/<name of the document>.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overrides the document's own quality.
    #[arg(long)]
    quality: Option<Quality>,
    /// Plan the film with this component (.wasm) instead of the built-in planner.
    #[arg(long, value_name = "COMPONENT")]
    planner: Option<PathBuf>,
    /// Only this scene, by its id (`chalkreel plan` lists them). May be repeated.
    #[arg(long, value_name = "ID")]
    scene: Vec<String>,
    /// Open the film's page in the browser when it is made.
    #[arg(long, conflicts_with = "json")]
    open: bool,
    /// Make the film again even if it exists; unchanged scenes still come from the cache.
    #[arg(long)]
    again: bool,
    /// Print the final status.json on standard output.
    #[arg(long)]
    json: bool,
}

#[cfg(feature = "local")]
#[derive(Debug, clap::Args)]
struct Watch {
    /// The document.
    document: PathBuf,
    /// Address and port of the page, which this machine alone may reach.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = watch::ADDRESS)]
    listen: std::net::SocketAddr,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
}

#[cfg(feature = "local")]
#[derive(Debug, clap::Args)]
struct Write {
    /// The question.
    question: String,
    /// The file for the lesson, which must not exist.
    #[arg(long, value_name = "FILE", default_value = "lesson.md")]
    out: PathBuf,
    /// The lesson's language, such as `en` or `pt-BR`; the default is the question's own.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Minutes that its film should take.
    #[arg(long)]
    minutes: Option<f64>,
}

#[cfg(feature = "local")]
#[derive(Debug, clap::Args)]
struct Check {
    /// The documents.
    #[arg(required = true)]
    documents: Vec<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Print the findings as SARIF, which code hosts and editors read.
    #[arg(long)]
    sarif: bool,
    /// Leave a picture of all beats there, with numbers (PNG).
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

#[cfg(feature = "local")]
#[derive(Debug, clap::Args)]
struct Still {
    /// The document.
    document: PathBuf,
    /// Only this scene, by its id (`chalkreel plan` lists them).
    #[arg(long, value_name = "ID")]
    scene: Option<String>,
    /// Only this beat of the scene, as it stands at its end; the first is 1.
    #[arg(long, value_name = "NUMBER", conflicts_with = "at")]
    beat: Option<usize>,
    /// Only the picture so many seconds after the beginning of the film, or of the scene when one is named. The time is estimated, since
    /// nobody speaks.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    at: Option<f64>,
    /// Size of the pictures.
    #[arg(long, default_value = "standard")]
    quality: Quality,
    /// The folder for the pictures; the default is ./films/<name of the document>/stills.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Reads the arguments.
///
/// # Errors
/// The exit code: 0 after help and version, 2 after wrong usage, 1 when nothing could be printed.
pub fn parse() -> Result<Command, ExitCode> {
    Command::try_parse().map_err(|error| output::usage(&error))
}

/// Runs a command.
#[cfg_attr(not(feature = "local"), expect(unused_variables, reason = "the remaining commands keep no log"))]
pub async fn run(command: Command, config: Config, logs: JobLogs) -> ExitCode {
    match command.action {
        #[cfg(feature = "local")]
        Action::Render(render) => {
            let span = tracing::info_span!("command");
            crate::telemetry::follow(&span, config.interfaces.traceparent.as_deref());
            tracing::Instrument::instrument(render::run(render, config, logs), span).await
        }
        #[cfg(feature = "local")]
        Action::New { document } => new::run(&document),
        #[cfg(feature = "local")]
        Action::Guide { plan } => guide::run(plan),
        #[cfg(feature = "local")]
        Action::Write(write) => until_stopped(write::run(write, config, logs)).await,
        #[cfg(feature = "local")]
        Action::Mcp { root } => mcp::run(&root, config, logs).await,
        #[cfg(feature = "local")]
        Action::Watch(watch) => watch::run(watch, config, logs).await,
        #[cfg(feature = "local")]
        Action::Check(check) => until_stopped(check::run(check, config, logs)).await,
        #[cfg(feature = "local")]
        Action::Still(still) => until_stopped(still::run(still, config, logs)).await,
        Action::Plan { document, json } => until_stopped(plan::run(&document, json, &config)).await,
        Action::Planner { action: PlannerAction::Check { component, document, json } } => {
            planner::check(&component, document.as_deref(), json, &config).await
        }
        Action::Planner { action: PlannerAction::Compile { component, compiled } } => {
            planner::compile(&component, &compiled)
        }
        #[cfg(feature = "local")]
        Action::Cancel { job, json } => until_stopped(cancel::run(&job, json, &config)).await,
        #[cfg(feature = "local")]
        Action::Serve { listen } => serve::run(listen, config, logs).await,
        #[cfg(feature = "local")]
        Action::Doctor { aws: true, name, json } => until_stopped(doctor::aws::run(&name, json)).await,
        #[cfg(feature = "local")]
        Action::Doctor { aws: false, json, .. } => {
            // It blocks, so it is on a thread of its own; one that was told to stop is waited for at the end of `main`.
            let checked = tokio::task::spawn_blocking(move || doctor::run(json, &config));
            until_stopped(async { checked.await.unwrap_or(ExitCode::FAILURE) }).await
        }
    }
}

/// The store that the settings name; the embedded one, which runs as long as it is held, when they name none.
#[cfg(feature = "local")]
async fn store(config: &Config) -> Result<(Option<Embedded>, Store), JobError> {
    let bucket = config.bucket.as_deref().unwrap_or(LOCAL_BUCKET);
    if let Some(endpoint) = services::endpoint(config) {
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
    let error =
        JobError::new(Code::StoreFile, format!("can't use the store's folder {}: {error}", config.store_dir.display()));
    error.remedy("Free space there, make it writable, or name another folder with CHALKREEL_STORE_DIR.")
}

/// Reads a document from disk: its name and its bytes, one more than may be read at the most. Only regular files are
/// opened, since reading from a pipe could block for ever.
fn read(document: &Path) -> Result<(String, Vec<u8>), JobError> {
    let fault = |reason: String| not_found(document, &reason);
    let metadata = std::fs::metadata(document).map_err(|error| fault(error.to_string()))?;
    if !metadata.is_file() {
        return Err(fault("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(document).map_err(|error| fault(error.to_string()))?;
    file.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
    let name = document.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((name, bytes))
}

/// Opens a page or a file in the browser. If that fails, it is said where it is.
#[cfg(feature = "local")]
fn open_in_browser(what: &str) {
    if let Err(error) = open::that_detached(what) {
        note(format_args!("chalkreel: can't open {what} in a browser: {error}"));
    }
}

/// The error for a file named on the command line that can't be read.
fn not_found(path: &Path, reason: &str) -> JobError {
    let error = JobError::new(Code::InputNotFound, format!("can't read {}: {reason}", path.display()));
    error.remedy("Check that the path is right, and that it is a file that you may read.")
}

/// Prints what went wrong and what the user can do.
fn explain(error: &JobError) {
    let place = error.place.map(|place| format!(" (line {}, column {})", place.line, place.column)).unwrap_or_default();
    note(format_args!("chalkreel: {}: {}{place}", error.code, error.message));
    note(format_args!("           {}", error.remedy));
}

/// Tells warnings, each with its line.
fn warn(warnings: &[Warning]) {
    for Warning { message, place, .. } in warnings {
        let place = place.map(|place| format!("line {}: ", place.line)).unwrap_or_default();
        note(format_args!("warning: {place}{message}"));
    }
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_help_page_names_every_command_with_an_example_that_parses() {
        let help = Command::command().render_help().to_string();
        for command in Command::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let listed = help
                .lines()
                .any(|line| line.strip_prefix("  ").is_some_and(|line| line.starts_with(command.get_name())));
            assert!(listed, "{}: {help}", command.get_name());
            let example = format!("chalkreel {} ", command.get_name());
            assert!(help.lines().any(|line| format!("{} ", line.trim()).starts_with(&example)), "{example}: {help}");
        }
        for example in help.lines().map(str::trim).filter(|line| line.starts_with("chalkreel ")) {
            Command::try_parse_from(example.split_whitespace()).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
}
