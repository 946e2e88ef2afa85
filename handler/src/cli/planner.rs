//! `chalkreel planner check`: whether a component is a valid planner, and what it uses of each limit.
//!
//! The component is compiled as for a job, in a child with limits, and run in this process, in its sandbox.

use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use storyboard::Document;

use super::output::{Text, line, note};
use super::signals::until_stopped;
use super::{explain, not_found, read};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::plan::custom;
use crate::plan::{Fault, Limits, MAX_COMPONENT, PlanError, STACK_LIMIT, Sandbox, Usage, code_of};
use crate::scratch::Scratch;

/// Documents that every planner must answer, with a storyboard or with a refusal: whole, empty, and no text at all.
const SAMPLES: [(&str, &[u8]); 5] = [
    ("lesson.md", b"# Circles\n\nA circle has one radius.\n\n- It is round.\n- It is flat.\n"),
    ("plan.json", br#"{"title": "Circles", "scenes": []}"#),
    ("scene.py", b"from manim import *\n\nclass Circles(Scene):\n    def construct(self):\n        self.wait()\n"),
    ("empty.md", b""),
    ("noise.md", b"\xff\xfe\x00\x80 not text \xc3"),
];

/// The time for all documents, compiling aside; the last one may exceed it. A planner that takes its whole time for each document
/// fails with the first.
const CHECKING: Duration = Duration::from_secs(60);

/// Stacks that are tried to see how much is needed: from the limit down, by halves.
const LEAST_STACK: usize = 8 << 10;

/// The result of one document.
struct Trial {
    name: String,
    /// `storyboard`, or the code that it ended with.
    ending: String,
    well: bool,
    usage: Option<Usage>,
    /// The least of the stacks tried, in bytes, on which it ends alike.
    stack: usize,
    seconds: f64,
}

pub(super) async fn check(component: &Path, document: Option<&Path>, as_json: bool, config: &Config) -> ExitCode {
    // It outlives the children, which write into it.
    let mut scratch = None;
    until_stopped(report(component, document, as_json, config, &mut scratch)).await
}

async fn report(
    component: &Path,
    document: Option<&Path>,
    as_json: bool,
    config: &Config,
    scratch: &mut Option<Scratch>,
) -> ExitCode {
    match trials(component, document, config, scratch).await {
        Ok((sandbox, compiled, trials)) => {
            let well = trials.iter().all(|trial| trial.well);
            let said = said(&sandbox, compiled, &trials, as_json);
            said.print(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => {
            if as_json {
                let mut text = Text::default();
                line!(text, "{:#}", json!({"ok": false, "code": error.code.name(), "message": error.message}));
                text.try_print();
            }
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn trials(
    component: &Path,
    document: Option<&Path>,
    config: &Config,
    scratch: &mut Option<Scratch>,
) -> Result<(Sandbox, f64, Vec<Trial>), JobError> {
    let folder = Scratch::of_process(&config.temp_dir).map_err(|error| {
        JobError::new(
            Code::ScratchFailed,
            format!("can't use the scratch folder {}: {error}", config.temp_dir.display()),
        )
    })?;
    // A copy: what is hashed, compiled and named below is one and the same.
    let copy = scratch.insert(folder).path().join("planner.wasm");
    let written = std::fs::write(&copy, component_bytes(component)?);
    written.map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))?;
    let begun = Instant::now();
    let sandbox = custom::of_file(&copy, config.confinement, Deadline::after(config.job_timeout)).await?;
    let compiled = begun.elapsed().as_secs_f64();
    let documents = match document {
        Some(document) => vec![read(document)?],
        None => SAMPLES.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect(),
    };
    let mut trials = Vec::new();
    let ends = Deadline::after(config.job_timeout.min(CHECKING));
    for (name, bytes) in documents {
        if ends.passed() {
            let ending = format!("skipped: the documents before took longer than {} s", CHECKING.as_secs());
            trials.push(Trial { name, ending, well: false, usage: None, stack: STACK_LIMIT, seconds: 0.0 });
            continue;
        }
        trials.push(trial(&sandbox, name, bytes, document.is_some(), ends).await);
    }
    Ok((sandbox, compiled, trials))
}

/// Plans the document twice. Both results must be equal, to the byte. A refusal is valid too, unless the user named the document.
async fn trial(sandbox: &Sandbox, name: String, bytes: Vec<u8>, asked: bool, ends: Deadline) -> Trial {
    let limits = Limits::default();
    let begun = Instant::now();
    let once = || {
        let document = Document { name: name.clone(), bytes: bytes.clone() };
        sandbox.plan(document, &limits, ends.slice(limits.wall_clock))
    };
    let first = once().await;
    let seconds = begun.elapsed().as_secs_f64();
    let timed_out = |error: &PlanError| matches!(error.fault, Fault::TimedOut(_));
    // A run that took its whole time is not repeated.
    let second = if first.as_ref().is_err_and(timed_out) { first.clone() } else { once().await };
    let alike = match (&first, &second) {
        (Ok(one), Ok(two)) => serde_json::to_vec(&one.storyboard).ok() == serde_json::to_vec(&two.storyboard).ok(),
        (Err(one), Err(two)) => code_of(one) == code_of(two),
        _ => false,
    };
    let (ending, answered, usage) = match first {
        Ok(planned) => ("storyboard".to_owned(), true, Some(planned.usage)),
        Err(error) => {
            let code = code_of(&error);
            let refused = matches!(error.fault, Fault::Refused(_));
            (format!("{}: {error}", code.name()), refused && !asked, error.usage().cloned())
        }
    };
    let well = answered && alike;
    let stack = if well { least_stack(sandbox, &name, &bytes, &ending, ends).await } else { STACK_LIMIT };
    let ending = if alike { ending } else { format!("two runs gave different results; the first: {ending}") };
    Trial { name, ending, well, usage, stack, seconds }
}

/// Halves the stack until the result differs: the use of the stack can't be measured directly.
async fn least_stack(sandbox: &Sandbox, name: &str, bytes: &[u8], ending: &str, ends: Deadline) -> usize {
    let mut least = STACK_LIMIT;
    while least > LEAST_STACK {
        let Ok(narrow) = sandbox.with_stack(least / 2) else { break };
        let limits = Limits::default();
        let document = Document { name: name.to_owned(), bytes: bytes.to_vec() };
        let ended = match narrow.plan(document, &limits, ends.slice(limits.wall_clock)).await {
            Ok(_) => "storyboard".to_owned(),
            Err(error) => format!("{}: {error}", code_of(&error).name()),
        };
        if ended != ending {
            break;
        }
        least /= 2;
    }
    least
}

/// Compiles a planner that a job names; the handler runs this as a child (see `plan::custom`).
pub(super) fn compile(component: &Path, compiled: &Path) -> ExitCode {
    let made = component_bytes(component).and_then(|bytes| Ok(Sandbox::precompile(&bytes)?));
    let written = made.and_then(|code| {
        let fault = |error: std::io::Error| {
            let code = match error.kind() {
                ErrorKind::FileTooLarge => Code::PlannerCompileLimit,
                _ => Code::ScratchFailed,
            };
            JobError::new(code, format!("can't write {}: {error}", compiled.display()))
        };
        std::fs::write(compiled, code).map_err(fault)
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        // The message goes into the job's status.
        Err(error) => {
            note(format_args!("{}", error.message));
            let known = [(Code::PlannerComponentInvalid, 1), (Code::PlannerCompileLimit, custom::TOO_LARGE)];
            let of = known.iter().find(|(code, _)| error.code == *code);
            ExitCode::from(of.and_then(|(_, exit)| u8::try_from(*exit).ok()).unwrap_or(2))
        }
    }
}

/// Reads a component. Only regular files are opened, since reading from a pipe could block for ever.
pub(super) fn component_bytes(path: &Path) -> Result<Vec<u8>, JobError> {
    let fault = |reason: String| not_found(path, &reason);
    if !std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.is_file() {
        return Err(fault("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| fault(error.to_string()))?;
    file.take(MAX_COMPONENT + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > MAX_COMPONENT {
        let message = format!("the planner has more than {MAX_COMPONENT} bytes");
        return Err(JobError::new(Code::PlannerComponentInvalid, message));
    }
    Ok(bytes)
}

fn said(sandbox: &Sandbox, compiled: f64, trials: &[Trial], as_json: bool) -> Text {
    let mut text = Text::default();
    let imports = sandbox.imports();
    if as_json {
        let documents: Vec<Value> = trials.iter().map(of).collect();
        let ok = trials.iter().all(|trial| trial.well);
        let answer = json!({"ok": ok, "sha256": sandbox.sha256(), "compile_seconds": compiled, "imports": imports,
            "documents": documents});
        line!(text, "{answer:#}");
        return text;
    }
    line!(text, "component {}, compiled in {compiled:.1} s", sandbox.sha256());
    line!(text, "imports: {}", if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") });
    line!(
        text,
        "        {:<12} {:>14} {:>16} {:>16} {:>19} {:>18} {:>12}",
        "document",
        "fuel",
        "memory",
        "tables",
        "stack (at most)",
        "output",
        "time"
    );
    for trial in trials {
        let mark = if trial.well { "ok" } else { "FAILED" };
        let usage = trial.usage.clone().unwrap_or_default();
        let fuel = format!("{}M of {}M", usage.fuel_used / 1_000_000, usage.fuel_limit / 1_000_000);
        let memory = format!("{} of {} MiB", usage.memory_used >> 20, usage.memory_limit >> 20);
        let tables = format!("{} of {}", usage.table_used, usage.table_limit);
        let stack = format!("{} of {} KiB", trial.stack >> 10, STACK_LIMIT >> 10);
        let output = format!("{} of {} KiB", usage.output_bytes >> 10, usage.output_limit >> 10);
        let time = format!("{:.3} of {} s", trial.seconds, Limits::default().wall_clock.as_secs());
        line!(
            text,
            "{mark:<7} {:<12} {fuel:>14} {memory:>16} {tables:>16} {stack:>19} {output:>18} {time:>12}",
            trial.name
        );
        line!(text, "        {}", trial.ending);
    }
    text
}

fn of(trial: &Trial) -> Value {
    let usage = trial.usage.clone().unwrap_or_default();
    json!({"name": trial.name, "ok": trial.well, "ending": trial.ending,
        "seconds": {"used": trial.seconds, "limit": Limits::default().wall_clock.as_secs()},
        "fuel": {"used": usage.fuel_used, "limit": usage.fuel_limit},
        "memory": {"used": usage.memory_used, "limit": usage.memory_limit},
        "table": {"used": usage.table_used, "limit": usage.table_limit},
        "stack": {"used": trial.stack, "limit": STACK_LIMIT},
        "output": {"used": usage.output_bytes, "limit": usage.output_limit}})
}
