//! The queue of lessons, its dead-letter queue, and the messages there.

use serde_json::{Value, json};

use super::{DEPLOY, Finding, Stack};
use crate::aws::{Aws, Refusal};

/// Lambda's advice: a message must stay hidden for six times as long as the function may take.
const TIMES: u64 = 6;

/// Both queues.
pub(super) struct Queues {
    pub(super) findings: Vec<Finding>,
    /// Seconds that a message of the first one is hidden.
    visibility: Option<u64>,
}

/// The settings of both queues.
pub(super) async fn check(aws: &Aws, stack: &Stack) -> Queues {
    let (lessons, letters) = (stack.queue(), stack.dead_letters());
    let (queue, dead) = tokio::join!(attributes(aws, &lessons), attributes(aws, &letters));
    let mut findings = Vec::new();
    let mut visibility = None;
    match queue {
        Ok(found) => {
            visibility = number(&found, "VisibilityTimeout");
            findings.push(Finding::ok("queue", &*lessons));
            findings.push(encrypted("queue's encryption", &found));
            findings.push(redrive(&found, &stack.arn("sqs", &letters)));
        }
        Err(refusal) => findings.push(Finding::refused("queue", named(refusal, &lessons), DEPLOY)),
    }
    match dead {
        Ok(found) => {
            findings.push(Finding::ok("dead-letter queue", &*letters));
            findings.push(waiting(&found));
        }
        Err(refusal) => findings.push(Finding::refused("dead-letter queue", named(refusal, &letters), DEPLOY)),
    }
    Queues { findings, visibility }
}

/// Whether a message stays hidden while its film is made, whose function may take `timeout` seconds.
pub(super) fn hides_long_enough(queues: &Queues, timeout: Option<u64>) -> Option<Finding> {
    let (hidden, timeout) = queues.visibility.zip(timeout)?;
    let text = format!("a received message stays hidden for {hidden} s; the function may take {timeout} s");
    let remedy =
        format!("Set VisibilityTimeout to {}: with less, a film may be made twice at the same time.", TIMES * timeout);
    Some(Finding::is("queue's visibility", hidden >= TIMES * timeout, text, &remedy))
}

async fn attributes(aws: &Aws, queue: &str) -> Result<Value, Refusal> {
    let url = aws.json("sqs", "AmazonSQS.GetQueueUrl", &json!({"QueueName": queue})).await?;
    let all = json!({"QueueUrl": url["QueueUrl"], "AttributeNames": ["All"]});
    let found = aws.json("sqs", "AmazonSQS.GetQueueAttributes", &all).await?;
    Ok(found["Attributes"].clone())
}

/// Adds the queue's name, which SQS's message lacks.
fn named(refusal: Refusal, queue: &str) -> Refusal {
    match refusal {
        Refusal::Missing(_) => Refusal::Missing(queue.to_owned()),
        other => other,
    }
}

/// SQS gives numbers as text.
fn number(attributes: &Value, name: &str) -> Option<u64> {
    attributes[name].as_str()?.parse().ok()
}

fn encrypted(part: &'static str, attributes: &Value) -> Finding {
    let by = [("SqsManagedSseEnabled", "by SQS"), ("KmsMasterKeyId", "by KMS")];
    let by = by
        .iter()
        .find(|(name, _)| attributes[*name].as_str().is_some_and(|value| value != "false" && !value.is_empty()));
    Finding::is(part, by.is_some(), by.map_or("messages are not encrypted", |(_, by)| by), DEPLOY)
}

/// A message that keeps failing must end in the dead-letter queue.
fn redrive(attributes: &Value, letters: &str) -> Finding {
    const PART: &str = "queue's redrive";
    let policy = attributes["RedrivePolicy"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(policy) = policy else {
        return Finding::missing(PART, "a message that keeps failing is retried until it expires", DEPLOY);
    };
    let (to, most) = (policy["deadLetterTargetArn"].as_str().unwrap_or_default(), &policy["maxReceiveCount"]);
    // AWS gives a number; some give it as text.
    let most = most.as_u64().or_else(|| most.as_str()?.parse().ok()).unwrap_or(0);
    let text = format!("after {most} attempts to {to}");
    Finding::is(PART, to == letters && most >= 2, text, DEPLOY)
}

fn waiting(attributes: &Value) -> Finding {
    let count = number(attributes, "ApproximateNumberOfMessages").unwrap_or(0)
        + number(attributes, "ApproximateNumberOfMessagesNotVisible").unwrap_or(0);
    let text = if count == 0 { "no messages".to_owned() } else { format!("{count} messages") };
    let remedy = "Read \"A message is in the dead-letter queue\" in handler/docs/operations.md; the messages' ids and error codes are \
                  in the function's log.";
    Finding::is("dead letters", count == 0, text, remedy)
}
