//! The names that `template.yaml` derives from its parameter `Name`.

use serde::Serialize;

/// A stack, and the identity that checks it.
#[derive(Debug, Clone, Serialize)]
pub struct Stack {
    /// The template's parameter `Name`.
    pub name: String,
    /// The account's number.
    pub account: String,
    /// Where it is.
    pub region: String,
    /// Who asks, as an ARN.
    pub caller: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
}

impl Stack {
    /// The stack `name` of whoever `caller` is.
    pub fn new(name: &str, account: &str, region: &str, caller: &str) -> Self {
        let partition = caller.split(':').nth(1).unwrap_or("aws");
        let own = str::to_owned;
        Self {
            name: own(name),
            account: own(account),
            region: own(region),
            caller: own(caller),
            partition: own(partition),
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> String {
        format!("{}-{}-{}", self.name, self.account, self.region)
    }

    /// The function that makes films.
    pub fn function(&self) -> String {
        self.name.clone()
    }

    /// The function of the HTTP interface.
    pub fn http_function(&self) -> String {
        format!("{}-http", self.name)
    }

    /// The queue of lessons.
    pub fn queue(&self) -> String {
        format!("{}-lessons", self.name)
    }

    /// The dead-letter queue.
    pub fn dead_letters(&self) -> String {
        format!("{}-failed-events", self.name)
    }

    /// The state machine of long films.
    pub fn machine(&self) -> String {
        self.name.clone()
    }

    /// The layers of the function that makes films.
    pub fn layers(&self) -> [String; 3] {
        ["manim", "ffmpeg", "voice"].map(|layer| format!("{}-{layer}", self.name))
    }

    /// The name of anything of this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }
}
