//! The template as data.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::process::Command;

use serde_json::Value;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The template as JSON, read by cfn-lint's own parser, with `!Sub` and the like spelled out.
pub fn template() -> Value {
    let script = "import json; from cfnlint.decode.cfn_yaml import load; print(json.dumps(load('template.yaml')))";
    let python = "target/test-tools/bin/python3";
    let mut command = Command::new(format!("{REPOSITORY}/{python}"));
    let output = command.args(["-I", "-c", script]).current_dir(REPOSITORY).output();
    let output = output.unwrap_or_else(|error| panic!("{python}: {error}; run tests/setup.sh"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A value; of a parameter, its default.
pub fn settled(template: &Value, value: &Value) -> Value {
    let parameter = value["Ref"].as_str().and_then(|name| template["Parameters"][name].get("Default"));
    parameter.unwrap_or(value).clone()
}

/// Statements of a role's one policy.
pub fn statements<'a>(template: &'a Value, role: &str) -> &'a [Value] {
    let policy = &template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"];
    policy["Statement"].as_array().unwrap()
}

/// One or many, as IAM has it.
pub fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |many| many.iter().collect())
}

/// What a role may do in the bucket: action, and prefix of the keys, which is empty for the bucket itself.
pub fn in_the_bucket(template: &Value, role: &str) -> Vec<(String, String)> {
    let mut allowed = Vec::new();
    for statement in statements(template, role) {
        for action in each(&statement["Action"]).iter().map(|action| action.as_str().unwrap()) {
            if !action.starts_with("s3:") {
                continue;
            }
            for resource in each(&statement["Resource"]) {
                let arn = resource["Fn::Sub"].as_str().unwrap();
                let prefix = arn.split_once('/').map_or("", |(_, prefix)| prefix.trim_end_matches('*'));
                allowed.push((action.to_owned(), prefix.to_owned()));
            }
        }
    }
    allowed.sort();
    allowed
}
