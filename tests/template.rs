//! The template against the code: its settings, its trigger and its role say what the handler does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;

use handler::config::{Config, VARIABLES};
use handler::publish::keys;
use serde_json::Value;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The template as JSON, read by cfn-lint's own parser, with `!Sub` and the like spelled out.
fn template() -> Value {
    let script = "import json; from cfnlint.decode.cfn_yaml import load; print(json.dumps(load('template.yaml')))";
    let python = "target/test-tools/bin/python3";
    let mut command = Command::new(format!("{REPOSITORY}/{python}"));
    let output = command.args(["-I", "-c", script]).current_dir(REPOSITORY).output();
    let output = output.unwrap_or_else(|error| panic!("{python}: {error}; run tests/setup.sh"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_functions_settings_are_ones_that_the_handler_takes() {
    let template = template();
    let function = &template["Resources"]["RenderFunction"]["Properties"];
    let variables = function["Environment"]["Variables"].as_object().unwrap();
    for name in variables.keys() {
        assert!(VARIABLES.iter().any(|variable| variable.name == name), "{name} is no setting");
    }
    let read = |name: &str| {
        let value = variables.get(name)?;
        Some(value.as_str().map_or_else(|| "bucket".to_owned(), str::to_owned))
    };
    let config = Config::from_lookup(read).unwrap();
    assert!(config.bucket.is_some());
    let timeout = Duration::from_secs(function["Timeout"].as_u64().unwrap());
    assert!(config.job_timeout < timeout, "a job must end before its function is killed");
    assert!(config.manim_timeout < config.job_timeout && config.subprocess_timeout < timeout);
}

#[test]
fn the_trigger_watches_one_prefix_and_the_service_writes_to_others() {
    let template = template();
    let resources = &template["Resources"];
    let rules =
        &resources["RenderFunction"]["Properties"]["Events"]["Lesson"]["Properties"]["Filter"]["S3Key"]["Rules"];
    assert_eq!(rules, &serde_json::json!([{"Name": "prefix", "Value": keys::INCOMING}]));
    assert!(!keys::is_own(keys::INCOMING));

    let statements = &resources["RenderRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let resources_of = |sid: &str| -> Vec<String> {
        let statement = statements.as_array().unwrap().iter().find(|statement| statement["Sid"] == sid).unwrap();
        let prefix =
            |arn: &Value| arn["Fn::Sub"].as_str().unwrap().split_once('/').unwrap().1.trim_end_matches('*').to_owned();
        statement["Resource"].as_array().unwrap().iter().map(prefix).collect()
    };
    assert_eq!(resources_of("ReadLessonsAndOwnWork"), [keys::INCOMING, keys::FILMS, keys::CACHE]);
    assert_eq!(resources_of("WriteOwnWork"), [keys::FILMS, keys::CACHE]);

    let lifecycle = resources["FilmBucket"]["Properties"]["LifecycleConfiguration"]["Rules"].as_array().unwrap();
    let cache = lifecycle.iter().find(|rule| rule["Id"] == "cache").unwrap();
    assert_eq!(cache["Prefix"], keys::CACHE);
}
