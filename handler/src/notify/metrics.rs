//! Figures for CloudWatch: a line on standard output in the embedded metric format, which CloudWatch Logs makes metrics of.

use std::io::Write as _;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Notice, Target};
use crate::deadline::Deadline;
use crate::job::{State, Status};

/// The metrics' namespace, which the template's alarms name.
const NAMESPACE: &str = "Chalkreel";

pub(super) struct Metrics;

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

/// The line of a job that is over.
fn line(status: &Status) -> Value {
    let frames: u64 = status.scenes.iter().map(|scene| scene.frames).sum();
    let rate = if status.cost.seconds > 0.0 { frames as f64 / status.cost.seconds } else { 0.0 };
    let count = |yes: bool| u32::from(yes);
    let metrics: Vec<Value> = METRICS.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
    json!({
        "_aws": {
            "Timestamp": status.updated_at.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics}],
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
    })
}

#[async_trait]
impl Target for Metrics {
    fn name(&self) -> &'static str {
        "CloudWatch"
    }

    fn hears(&self, state: State) -> bool {
        state.is_final()
    }

    async fn tell(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
        let line = format!("{}\n", line(&notice.status));
        // A reader that does not read holds this thread, and nothing else.
        let written = tokio::task::spawn_blocking(move || std::io::stdout().lock().write_all(line.as_bytes()));
        written.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_announced_has_a_figure() {
        let id = "0123456789abcdef01234567".parse().unwrap();
        let line = line(&Status::queued(id, String::new(), jiff::Timestamp::now()));
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name}");
        }
        assert!(line["_aws"]["Timestamp"].as_i64().unwrap() > 1_700_000_000_000);
    }
}
