//! Events on EventBridge: `chalkreel.job.queued` and the like, from the source `chalkreel`.

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::OnceCell;

use super::{Notice, Target};
use crate::aws::{Access, Aws, Refusal};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::intake::OWN_SOURCE;
use crate::job::State;

pub(super) struct Bus {
    /// Made on first use: credentials may have to be looked up.
    aws: OnceCell<Aws>,
    access: Access,
    name: String,
    bucket: String,
}

impl Bus {
    pub(super) fn new(name: &str, config: &Config, bucket: &str) -> Self {
        let access = Access::of(config, config.doors.events_url.as_ref());
        Self { aws: OnceCell::new(), access, name: name.to_owned(), bucket: bucket.to_owned() }
    }
}

#[async_trait]
impl Target for Bus {
    fn name(&self) -> &'static str {
        "EventBridge"
    }

    fn hears(&self, _: State) -> bool {
        true
    }

    async fn tell(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
        let aws = self.aws.get_or_try_init(|| Aws::connect(&self.access)).await?;
        let entry = json!({
            "EventBusName": self.name,
            "Source": OWN_SOURCE,
            "DetailType": notice.name(),
            "Detail": notice.body(&self.bucket).to_string(),
        });
        let reply = aws.json("events", "AWSEvents.PutEvents", &json!({"Entries": [entry]})).await;
        let reply = reply.map_err(Refusal::reason)?;
        if reply["FailedEntryCount"].as_u64() == Some(0) {
            return Ok(());
        }
        // The call went well, the event did not.
        let text = |name: &str| reply["Entries"][0][name].as_str().unwrap_or_default().to_owned();
        Err(format!("{}: {}", text("ErrorCode"), text("ErrorMessage")))
    }
}
