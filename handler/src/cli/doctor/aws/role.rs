//! The permissions of the functions' roles, according to IAM's policy simulator, which includes managed policies and boundaries.

use serde::Deserialize;
use serde_json::Value;

use super::{Finding, Stack};
use crate::aws::{Aws, Refusal};
use crate::job::keys;

/// A permission that a role needs.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// IAM's names of the actions.
    pub actions: &'static [&'static str],
    /// On what.
    pub on: On,
}

/// The resource of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Objects under these prefixes of the bucket; the bucket itself is an empty one.
    Bucket(&'static [&'static str]),
    /// The EventBridge bus.
    Bus,
    /// The queue of lessons.
    Queue,
    /// The dead-letter queue.
    DeadLetters,
    /// The state machine.
    Machine,
    /// Anything, for services without resources.
    Anything,
}

/// A function's role.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    part: &'static str,
    /// What it must be allowed, besides its log.
    pub needs: &'static [Need],
}

/// The role of the function that makes films.
pub const RENDER: Role = Role {
    part: "function's role",
    needs: &[
        Need { actions: &["s3:GetObject"], on: On::Bucket(&[keys::INCOMING, "planners/", keys::FILMS, keys::CACHE]) },
        Need { actions: &["s3:PutObject"], on: On::Bucket(&[keys::FILMS, keys::CACHE]) },
        Need { actions: &["s3:ListBucket"], on: On::Bucket(&[""]) },
        Need { actions: &["polly:SynthesizeSpeech"], on: On::Anything },
        Need { actions: &["events:PutEvents"], on: On::Bus },
        Need { actions: &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], on: On::Queue },
        Need { actions: &["sqs:SendMessage"], on: On::DeadLetters },
        Need { actions: &["states:StartExecution"], on: On::Machine },
    ],
};

/// The role of the HTTP function.
pub const HTTP: Role = Role {
    part: "HTTP function's role",
    needs: &[
        Need { actions: &["s3:GetObject", "s3:PutObject"], on: On::Bucket(&["incoming/http/", keys::FILMS]) },
        Need { actions: &["s3:ListBucket"], on: On::Bucket(&[""]) },
        Need { actions: &["events:PutEvents"], on: On::Bus },
    ],
};

/// Checks each permission that the role of a function with these settings needs.
pub(super) async fn check(aws: &Aws, stack: &Stack, role: &Role, settings: Option<&Value>) -> Option<Finding> {
    let settings = settings?;
    let arn = settings["Role"].as_str()?;
    let bus = settings["Environment"]["Variables"]["CHALKREEL_EVENT_BUS"].as_str().unwrap_or_default();
    let mut denied = Vec::new();
    // A function without an event bus sends no events.
    for need in role.needs.iter().filter(|need| need.on != On::Bus || !bus.is_empty()) {
        match simulate(aws, arn, need, &need.resources(stack, bus)).await {
            Ok(refused) => denied.extend(refused),
            Err(refusal) => {
                return Some(Finding::refused(role.part, refusal, "Deploy the stack again: `make deploy`."));
            }
        }
    }
    let name = arn.rsplit('/').next().unwrap_or(arn);
    if denied.is_empty() {
        return Some(Finding::ok(role.part, format!("{name} has all permissions that its code needs")));
    }
    let remedy =
        "Restore the permissions of template.yaml; a permissions boundary or an organization's policy may deny them.";
    Some(Finding::wrong(role.part, format!("{name} may not {}", denied.join(", ")), remedy))
}

impl Need {
    fn resources(&self, stack: &Stack, bus: &str) -> Vec<String> {
        let bucket = format!("arn:{}:s3:::{}", stack.partition, stack.bucket());
        match self.on {
            On::Bucket(prefixes) => prefixes
                .iter()
                .map(|prefix| if prefix.is_empty() { bucket.clone() } else { format!("{bucket}/{prefix}doctor") })
                .collect(),
            On::Bus => vec![stack.arn("events", &format!("event-bus/{bus}"))],
            On::Queue => vec![stack.arn("sqs", &stack.queue())],
            On::DeadLetters => vec![stack.arn("sqs", &stack.dead_letters())],
            On::Machine => vec![stack.arn("states", &format!("stateMachine:{}", stack.function()))],
            On::Anything => vec!["*".to_owned()],
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simulated {
    simulate_principal_policy_result: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    evaluation_results: Members,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    member: Vec<Evaluation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    eval_action_name: String,
    #[serde(default)]
    eval_resource_name: String,
    eval_decision: String,
}

/// The parts of the permission that IAM would deny.
async fn simulate(aws: &Aws, role: &str, need: &Need, resources: &[String]) -> Result<Vec<String>, Refusal> {
    let mut form = vec![("Action".to_owned(), "SimulatePrincipalPolicy"), ("PolicySourceArn".to_owned(), role)];
    for (index, action) in need.actions.iter().enumerate() {
        form.push((format!("ActionNames.member.{}", index + 1), action));
    }
    for (index, resource) in resources.iter().enumerate() {
        form.push((format!("ResourceArns.member.{}", index + 1), resource));
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer: Simulated = aws.query("iam", "2010-05-08", &form).await?;
    let results = answer.simulate_principal_policy_result.evaluation_results.member;
    if results.is_empty() {
        return Err(Refusal::Other("IAM's simulator gave no result".to_owned()));
    }
    let refused = results.into_iter().filter(|one| one.eval_decision != "allowed");
    Ok(refused.map(|one| format!("{} on {}", one.eval_action_name, one.eval_resource_name)).collect())
}
