//! Metrics for CloudWatch: a line on standard output in the embedded metric format, which CloudWatch Logs turns into metrics.

use std::io::Write as _;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Notice, Target};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::Stage;
use crate::job::{State, Status};

/// The metrics' namespace, which the template's alarms name.
const NAMESPACE: &str = "Chalkreel";

/// The one dimension, so that two stacks of one account don't trigger each other's alarms.
const DIMENSION: &str = "FunctionName";

#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// The function's name; none where there is no function.
    function: Option<String>,
    /// Its memory, in gigabytes of 1024 megabytes, as AWS bills it; none where nobody says.
    gigabytes: Option<f64>,
}

impl Metrics {
    pub(super) fn of(config: &Config) -> Self {
        let gigabytes = config.function_memory.map(|megabytes| f64::from(megabytes) / 1024.0);
        Self { function: config.function_name.clone(), gigabytes }
    }
}

/// Name and unit of each metric. The alarms of `template.yaml` name some of them.
const METRICS: &[(&str, &str)] = &[
    ("Films", "Count"),
    ("Degraded", "Count"),
    ("Failed", "Count"),
    ("Retried", "Count"),
    ("Seconds", "Seconds"),
    ("FilmSeconds", "Seconds"),
    ("FramesPerSecond", "Count/Second"),
    ("ScenesReplaced", "Count"),
    ("CacheHits", "Count"),
    ("CacheMisses", "Count"),
    ("PaidCharacters", "Count"),
];

/// Seconds times memory, which is what Lambda costs; where the memory is known.
const GIGABYTE_SECONDS: &str = "GigabyteSeconds";

/// Each stage's seconds are a metric of its own.
const STAGES: &[(Stage, &str)] = &[
    (Stage::Intake, "IntakeSeconds"),
    (Stage::Plan, "PlanSeconds"),
    (Stage::Narrate, "NarrateSeconds"),
    (Stage::Render, "RenderSeconds"),
    (Stage::Assemble, "AssembleSeconds"),
    (Stage::Publish, "PublishSeconds"),
];

/// Wall-clock seconds that the job was in a stage. Narration and drawing overlap and count as rendering, except where a state machine
/// does one after the other.
fn seconds(status: &Status, stage: Stage) -> f64 {
    let ran = status.timeline.iter().filter(|ran| ran.stage == stage && ran.scene.is_none());
    ran.filter_map(|ran| Some(ran.to? - ran.from)).sum()
}

/// The line of a job that is over.
fn line(status: &Status, of: &Metrics) -> Value {
    let frames: u64 = status.scenes.iter().map(|scene| scene.frames).sum();
    let rate = if status.cost.seconds > 0.0 { frames as f64 / status.cost.seconds } else { 0.0 };
    let count = |yes: bool| u32::from(yes);
    let stages = STAGES.iter().map(|(_, name)| (*name, "Seconds"));
    let billed = of.gigabytes.map(|_| (GIGABYTE_SECONDS, "None"));
    let metrics = METRICS.iter().copied().chain(stages).chain(billed);
    let metrics: Vec<Value> = metrics.map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
    let dimensions: Vec<&str> = of.function.iter().map(|_| DIMENSION).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": status.updated_at.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics}],
        },
        "job_id": status.job_id,
        "state": status.state,
        "Films": count(status.outputs.contains_key("film")),
        "Degraded": count(status.state == State::Degraded),
        "Failed": count(matches!(status.state, State::Failed | State::TimedOut)),
        "Retried": count(status.attempts > 1),
        "Seconds": status.cost.seconds,
        "FilmSeconds": status.cost.film_seconds,
        "FramesPerSecond": rate,
        "ScenesReplaced": status.scenes.iter().filter(|scene| scene.replaced.is_some()).count(),
        "CacheHits": status.cache.hits,
        "CacheMisses": status.cache.misses,
        "PaidCharacters": status.cost.paid_characters,
    });
    for (stage, name) in STAGES {
        line[name] = json!(seconds(status, *stage));
    }
    if let Some(function) = &of.function {
        line[DIMENSION] = json!(function);
    }
    if let Some(gigabytes) = of.gigabytes {
        line[GIGABYTE_SECONDS] = json!(status.cost.seconds * gigabytes);
    }
    line
}

#[async_trait]
impl Target for Metrics {
    fn name(&self) -> &'static str {
        "CloudWatch"
    }

    fn accepts(&self, state: State) -> bool {
        state.is_final()
    }

    fn counts(&self) -> bool {
        true
    }

    async fn deliver(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
        let line = format!("{}\n", line(&notice.status, self));
        // If standard output is not read, only this thread blocks.
        let written = tokio::task::spawn_blocking(move || std::io::stdout().lock().write_all(line.as_bytes()));
        written.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::status::Ran;

    #[test]
    fn every_declared_metric_has_a_value() {
        let id = "0123456789abcdef01234567".parse().unwrap();
        let mut status = Status::queued(id, String::new(), jiff::Timestamp::now());
        let ran = |stage, scene: Option<&str>, from, to| Ran { stage, scene: scene.map(str::to_owned), from, to };
        status.timeline = vec![
            ran(Stage::Render, None, 1.0, Some(4.5)),
            ran(Stage::Render, Some("one"), 1.0, Some(3.0)),
            ran(Stage::Publish, None, 4.5, None),
        ];
        status.cost.seconds = 20.0;
        let of = Metrics { function: Some("chalkreel".to_owned()), gigabytes: Some(3.0) };
        let line = line(&status, &of);
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&declared["Dimensions"], &line["FunctionName"]), (&json!([["FunctionName"]]), &json!("chalkreel")));
        assert_eq!(line["GigabyteSeconds"], json!(60.0));
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name}");
        }
        assert_eq!((&line["RenderSeconds"], &line["PublishSeconds"]), (&json!(3.5), &json!(0.0)));
        let elsewhere = super::line(&status, &Metrics::default());
        assert_eq!(elsewhere["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert!(elsewhere["GigabyteSeconds"].is_null() && !elsewhere.to_string().contains("Gigabyte"), "{elsewhere}");
        assert!(line["_aws"]["Timestamp"].as_i64().unwrap() > 1_700_000_000_000);
    }
}
