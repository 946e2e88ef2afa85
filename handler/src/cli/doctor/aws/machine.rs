//! The state machine of films that are too long for one invocation.

use serde_json::{Value, json};

use super::{DEPLOY, Finding, Stack};
use crate::aws::{Aws, Refusal};

const PART: &str = "state machine";

/// Whether it exists, and whether the function with these `settings` starts it and no other.
pub(super) async fn check(aws: &Aws, stack: &Stack, settings: Option<&Value>) -> Finding {
    let arn = stack.arn("states", &format!("stateMachine:{}", stack.machine()));
    let asked = json!({ "stateMachineArn": arn });
    let found = match aws.json("states", "AWSStepFunctions.DescribeStateMachine", &asked).await {
        Ok(found) => found,
        Err(Refusal::Missing(_)) => return Finding::missing(PART, stack.machine(), DEPLOY),
        Err(refusal) => return Finding::refused(PART, refusal, DEPLOY),
    };
    let status = found["status"].as_str().unwrap_or("?");
    if status != "ACTIVE" {
        return Finding::wrong(PART, format!("{}: {status}", stack.machine()), DEPLOY);
    }
    let started = settings.map(|settings| &settings["Environment"]["Variables"]["CHALKREEL_STATE_MACHINE"]);
    match started.map(Value::as_str) {
        Some(Some(started)) if started != arn => Finding::wrong(
            PART,
            format!("the function starts {started}"),
            "Set CHALKREEL_STATE_MACHINE to the ARN of the stack's own state machine.",
        ),
        Some(None) => {
            let text = format!(
                "{}: {status}, but the function does not use it: films too long for one invocation fail",
                stack.machine()
            );
            Finding::wrong(PART, text, "Set CHALKREEL_STATE_MACHINE to its ARN.")
        }
        _ => Finding::ok(PART, format!("{}: {status}", stack.machine())),
    }
}
