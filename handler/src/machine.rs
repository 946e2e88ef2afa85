//! The state machine that makes a film on many machines, as seen from one of them: how an execution is started, and how long one
//! may take. Its definition lies in `template.yaml`; what its tasks do, in `tasks`.
//!
//! In: a call sheet's key. Out: the execution's name. It never waits for an execution.

use std::time::Duration;

use serde_json::json;
use tokio::sync::OnceCell;

use crate::aws::{Access, Aws, Refusal};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::job::Status;
use crate::store::CacheKey;

/// The longest execution; the template says the same of its state machine.
pub const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// A state machine of Step Functions.
#[derive(Debug)]
pub struct Machine {
    /// Made on first use: credentials may have to be looked up.
    aws: OnceCell<Aws>,
    access: Access,
    arn: String,
}

impl Machine {
    /// The one that the settings name; what is not on Lambda has all the time that it wants.
    pub fn of(config: &Config) -> Option<Self> {
        if !config.under_lambda {
            return None;
        }
        let access = Access::of(config, config.states_url.as_ref());
        Some(Self { aws: OnceCell::new(), access, arn: config.state_machine.clone()? })
    }

    /// Starts an execution that goes on with the job of `status` from the call sheet under `sheet`, and gives its ARN. A call that
    /// is repeated finds the execution that it started.
    ///
    /// # Errors
    /// What Step Functions said, in words.
    pub async fn start(&self, status: &Status, sheet: &CacheKey, deadline: Deadline) -> Result<String, String> {
        let Status { job_id, generation, owner, .. } = status;
        let input = json!({"job_id": job_id, "sheet": sheet}).to_string();
        let name = format!("{job_id}-{generation}-{owner}");
        let asked = json!({"stateMachineArn": self.arn, "name": name, "input": input});
        let start = async {
            let aws = self.aws.get_or_try_init(|| Aws::connect(&self.access)).await?.clone().until(deadline);
            let started = aws.json("states", "AWSStepFunctions.StartExecution", &asked).await;
            let started = started.map_err(Refusal::reason)?;
            started["executionArn"].as_str().map(str::to_owned).ok_or_else(|| format!("it answered {started}"))
        };
        deadline.run(start).await.unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
    }
}
