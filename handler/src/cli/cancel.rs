//! `chalkreel cancel JOB`: one conditional write, after which the worker's own next write fails.

use std::process::ExitCode;
use std::time::Duration;

use super::explain;
use super::output::{Text, line};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::lease::Cancellation;
use crate::job::{JobId, Lease, State};
use crate::notify::Notices;
use crate::store::StoreError;

/// For a few small calls.
const WAIT: Duration = Duration::from_secs(20);

pub(super) async fn run(job: &JobId, json: bool, config: &Config) -> ExitCode {
    let deadline = Deadline::after(WAIT);
    let cancelled = async {
        let (server, store) = super::store(config).await?;
        let status = Lease::cancel(&store, job, deadline).await.map_err(|error| match error {
            StoreError::NotFound { .. } => {
                let missing = JobError::new(Code::JobNotFound, format!("the store has no job {job}"));
                let asked = "CHALKREEL_S3_ENDPOINT and CHALKREEL_BUCKET, or CHALKREEL_STORE_DIR";
                missing.remedy(format!("Check the id, and the settings of the store: {asked}."))
            }
            error => error.into(),
        });
        if let Ok(Cancellation::Cancelled(cancelled)) = &status {
            // The process that cancels a job sends the notifications.
            let notices = Notices::without_services(config, store.bucket());
            notices.wrote(cancelled);
            notices.flush(deadline).await;
        }
        if let Some(server) = server {
            server.shutdown(deadline).await;
        }
        status
    };
    match cancelled.await {
        Ok(Cancellation::Cancelled(status) | Cancellation::AlreadyOver(status)) => {
            let mut text = Text::default();
            if json {
                // Plain data without maps that could fail.
                line!(text, "{}", serde_json::to_string_pretty(&status).unwrap_or_default());
            } else {
                line!(text, "job {job} is {}", status.state.name());
            }
            text.print(if status.state == State::Cancelled { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}
