//! The dead-letter queue, for messages that no retry can mend: they go there at once, and say why.

use serde_json::{Value, json};

use crate::aws::{Access, Aws, Refusal};
use crate::deadline::Deadline;
use crate::error::JobError;

/// Characters of a reason that a message bears: its attributes count against its size.
const REASON: usize = 500;

/// The queue's URL.
#[derive(Debug)]
pub(super) struct DeadLetters(pub(super) String);

impl DeadLetters {
    /// Puts a message there as it came, so that it can be sent back, with the attributes `code` and `message`.
    ///
    /// # Errors
    /// What SQS said, in words; then the message must stay where it is.
    pub(super) async fn put(&self, body: &str, why: &JobError, deadline: Deadline) -> Result<(), String> {
        // Made anew each time: nothing is so rare as this.
        let aws = deadline.run(Aws::connect(&Access::default())).await;
        let aws = aws.unwrap_or_else(|_| Err("no credentials were found in time".to_owned()))?.until(deadline);
        let sent = aws.json("sqs", "AmazonSQS.SendMessage", &letter(&self.0, body, why)).await;
        sent.map(drop).map_err(Refusal::reason)
    }
}

fn letter(queue: &str, body: &str, why: &JobError) -> Value {
    // Attributes are text without control characters, and never empty.
    let reason: String = why.message.chars().filter(|c| !c.is_control()).take(REASON).collect();
    let text = |value: &str| json!({"DataType": "String", "StringValue": if value.is_empty() { "?" } else { value }});
    json!({
        "QueueUrl": queue, "MessageBody": body,
        "MessageAttributes": {"code": text(&why.code), "message": text(&reason)},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_letter_is_the_message_and_why_it_can_not_be_read() {
        let why = JobError::new(Code::IntakeUnknownEvent, format!("bell \u{7} and {}", "x".repeat(1000)));
        let letter = letter("https://queue", "not JSON", &why);
        assert_eq!(letter["MessageBody"], "not JSON");
        assert_eq!(letter["MessageAttributes"]["code"]["StringValue"], "intake.unknown_event");
        let reason = letter["MessageAttributes"]["message"]["StringValue"].as_str().unwrap();
        assert!(reason.starts_with("bell  and xxx") && reason.chars().count() == REASON, "{reason}");
    }
}
