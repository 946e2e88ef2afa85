//! The log: every line goes to standard error and, when it belongs to a job, to that job's `log.jsonl`. Neither
//! blocks: standard error is written by a thread of its own behind a bounded queue, a job's lines are kept in bounded memory.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, fmt, util::SubscriberInitExt as _};

use crate::OWN_TARGETS;

/// Longest field of a line, in bytes; the rest is cut and counted.
const MAX_FIELD: usize = 8 << 10;
/// Longest line on standard error, in bytes.
const MAX_LINE: usize = 32 << 10;
/// Lines that may be queued for standard error; when the queue is full, lines are dropped and counted.
const QUEUE: usize = 4_096;
/// Bytes kept from the beginning of a job's log, and as many from its end.
const KEPT: usize = 1 << 20;

/// The lines of one job, as JSON, bounded: the first and the last mebibyte, and a count of the lines dropped between.
#[derive(Debug, Default)]
pub struct JobLog(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    head: Vec<u8>,
    tail: VecDeque<String>,
    tail_bytes: usize,
    dropped: u64,
}

impl JobLog {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        // A line is pushed whole or not at all, so a panic elsewhere leaves the log intact.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: String) {
        let mut lines = self.lines();
        if lines.tail.is_empty() && lines.head.len() + line.len() < KEPT {
            lines.head.extend_from_slice(line.as_bytes());
            lines.head.push(b'\n');
            return;
        }
        lines.tail_bytes += line.len() + 1;
        lines.tail.push_back(line);
        while lines.tail_bytes > KEPT {
            let Some(oldest) = lines.tail.pop_front() else { break };
            lines.tail_bytes -= oldest.len() + 1;
            lines.dropped += 1;
        }
    }

    /// Continues the log of an earlier part of the job.
    pub fn continue_from(&self, earlier: &str) {
        earlier.lines().for_each(|line| self.push(line.to_owned()));
    }

    /// The log so far as JSON lines. A line `{"dropped": n}` stands where lines were dropped.
    pub fn bytes(&self) -> Vec<u8> {
        let lines = self.lines();
        let mut bytes = lines.head.clone();
        if lines.dropped > 0 {
            bytes.extend_from_slice(format!("{{\"dropped\":{}}}\n", lines.dropped).as_bytes());
        }
        for line in &lines.tail {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }
}

/// The logs of the jobs that are running, by job id.
#[derive(Debug, Clone, Default)]
pub struct JobLogs {
    running: Arc<Mutex<Running>>,
    /// Lines dropped because standard error was too slow.
    dropped: Option<ErrorCounter>,
}

type Running = Vec<(String, Arc<JobLog>)>;

impl JobLogs {
    fn all(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines of this process that were dropped because standard error was too slow.
    pub fn dropped(&self) -> usize {
        self.dropped.as_ref().map_or(0, ErrorCounter::dropped_lines)
    }

    /// Begins the log of a job: what is logged inside a span named `job` with this `job_id` goes there.
    pub fn begin(&self, job_id: &str) -> Arc<JobLog> {
        let log = Arc::new(JobLog::default());
        self.all().push((job_id.to_owned(), log.clone()));
        log
    }

    /// Ends it; later lines of the job are no longer kept.
    pub fn end(&self, log: &Arc<JobLog>) {
        self.all().retain(|(_, other)| !Arc::ptr_eq(other, log));
    }

    /// The log of a job that runs here, so far.
    pub fn so_far(&self, job_id: &str) -> Vec<u8> {
        self.of(job_id).map(|log| log.bytes()).unwrap_or_default()
    }

    fn of(&self, job_id: &str) -> Option<Arc<JobLog>> {
        self.all().iter().rev().find(|(id, _)| id == job_id).map(|(_, log)| log.clone())
    }
}

/// A writer that cuts what is too long. The subscriber gives it one line at a time.
struct Bounded<W>(W);

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if line.len() <= MAX_LINE {
            self.0.write_all(line)?;
        } else {
            // A character may be cut in two here.
            self.0.write_all(&line[..MAX_LINE])?;
            writeln!(self.0, " … ({} bytes cut)", line.len() - MAX_LINE)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Keeps the writer's thread; what is still queued is written when it is dropped.
#[must_use]
#[derive(Debug)]
pub struct LogGuard(#[expect(dead_code, reason = "held for its drop")] tracing_appender::non_blocking::WorkerGuard);

/// A layer that exports spans.
pub type Spans = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging for this process. `directives` filters standard error; jobs keep `info` and above of ours and `warn` of
/// other crates. `json` is for machines that read standard error (CloudWatch), else it is for people. `spans` exports spans.
pub fn start(directives: &str, json: bool, spans: Option<Spans>) -> (JobLogs, LogGuard) {
    let (writer, guard) =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).finish(Bounded(std::io::stderr()));
    let dropped = writer.error_counter();
    let logs = JobLogs { dropped: Some(dropped), ..JobLogs::default() };
    let stderr = if json {
        fmt::layer().with_writer(writer).json().flatten_event(true).boxed()
    } else {
        fmt::layer().with_writer(writer).without_time().with_target(false).boxed()
    };
    let registry = tracing_subscriber::registry()
        .with(spans)
        // The embedded store's protocol logs each missing object as an error, which its caller handles.
        .with(stderr.with_filter(filter(&format!("s3s=off,{directives}"))))
        .with(JobLayer(logs.clone()).with_filter(filter(&of_jobs())));
    // A second start in one process (tests) keeps the first one's subscriber.
    let _ = registry.try_init();
    (logs, LogGuard(guard))
}

/// Reads directives as `CHALKREEL_LOG` has them. What none of them names is not logged.
fn filter(directives: &str) -> Targets {
    // An empty directive would be taken for everything.
    let said: Vec<&str> = directives.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    said.join(",").parse().unwrap_or_else(|_| Targets::new().with_default(Level::WARN))
}

/// What a job's log keeps.
fn of_jobs() -> String {
    OWN_TARGETS.iter().fold("warn".to_owned(), |filter, target| format!("{filter},{target}=info"))
}

struct JobLayer(JobLogs);

/// The fields that a span adds to the lines inside it.
struct SpanFields(Map<String, Value>);

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = value.to_owned();
        if text.len() > MAX_FIELD {
            let end = text.floor_char_boundary(MAX_FIELD);
            let cut = text.len() - end;
            text.truncate(end);
            let _ = write!(text, " … ({cut} bytes cut)");
        }
        self.0.insert(field.name().to_owned(), Value::String(text));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), json!(value));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JobLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("time".to_owned(), json!(Timestamp::now()));
        line.insert("level".to_owned(), json!(event.metadata().level().as_str().to_ascii_lowercase()));
        let mut log = None;
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get::<SpanFields>() {
                for (name, value) in fields {
                    line.entry(name.clone()).or_insert_with(|| value.clone());
                }
                if log.is_none() && span.name() == "job" {
                    log = fields.get("job_id").and_then(Value::as_str).and_then(|id| self.0.of(id));
                }
            }
        }
        let Some(log) = log else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        line.extend(fields.0);
        log.push(Value::Object(line).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_both_ends_and_counts_the_middle() {
        let log = JobLog::default();
        for number in 0..60_000 {
            log.push(format!("{{\"number\":{number},\"padding\":\"{}\"}}", "x".repeat(80)));
        }
        let bytes = log.bytes();
        assert!(bytes.len() <= 2 * KEPT + 64);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("{\"number\":0,") && text.contains("\"number\":59999,"));
        let dropped = text.lines().find_map(|line| line.strip_prefix("{\"dropped\":")?.strip_suffix('}')).unwrap();
        let kept = text.lines().count() - 1;
        assert_eq!(dropped.parse::<usize>().unwrap() + kept, 60_000);
    }

    #[test]
    fn a_line_of_200_megabytes_is_cut_on_its_way_to_standard_error() {
        let mut out = Vec::new();
        let line = vec![b'x'; 200 << 20];
        assert_eq!(Bounded(&mut out).write(&line).unwrap(), line.len());
        assert!(out.len() < MAX_LINE + 64 && out.ends_with(b" bytes cut)\n"), "{}", out.len());
    }

    #[test]
    fn a_reader_that_has_stopped_costs_lines_and_no_time() {
        let (reader, writer) = std::io::pipe().unwrap();
        let (mut slow, guard) =
            NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).finish(Bounded(writer));
        let begun = std::time::Instant::now();
        for _ in 0..100_000 {
            slow.write_all(&[b'x'; 200]).unwrap();
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(slow.error_counter().dropped_lines() > 90_000);
        // The writer's thread blocks in a write until the reading end is closed.
        drop(reader);
        drop(guard);
    }

    #[test]
    fn directives_decide_by_target_and_level() {
        let filter = filter("s3s=off, warn,handler=debug,");
        for (target, level, logged) in [
            ("s3s::http", Level::ERROR, false),
            ("hyper", Level::WARN, true),
            ("hyper", Level::INFO, false),
            ("handler::job", Level::DEBUG, true),
            ("handler::job", Level::TRACE, false),
        ] {
            assert_eq!(filter.would_enable(target, &level), logged, "{target} {level}");
        }
    }

    #[test]
    fn lines_reach_the_log_of_their_own_job() {
        let logs = JobLogs::default();
        let (one, two) = (logs.begin("one"), logs.begin("two"));
        let subscriber = tracing_subscriber::registry().with(JobLayer(logs.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let job = tracing::info_span!("job", job_id = "two").entered();
            tracing::info_span!("scene", scene = "s1").in_scope(|| tracing::info!(frames = 3, "drawn"));
            drop(job);
            tracing::info!("outside of any job");
        });
        assert!(one.bytes().is_empty());
        let line: Value = serde_json::from_slice(&two.bytes()).unwrap();
        assert_eq!((&line["scene"], &line["frames"], &line["message"]), (&json!("s1"), &json!(3), &json!("drawn")));
    }
}
