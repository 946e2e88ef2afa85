//! `chalkreel cancel JOB`: one conditional write, which its worker runs into.

use std::process::ExitCode;
use std::time::Duration;

use super::explain;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::job::{JobId, Lease, State};
use crate::notify::Notices;

/// For a few small calls.
const WAIT: Duration = Duration::from_secs(20);

pub(super) async fn run(job: &JobId, json: bool, config: &Config) -> ExitCode {
    let deadline = Deadline::after(WAIT);
    let cancelled = async {
        let (server, store) = super::store(config).await?;
        let status = Lease::cancel(&store, job, deadline).await.map_err(JobError::from);
        if let Ok(Ok(cancelled)) = &status {
            // Who cancels a job tells it.
            let notices = Notices::without_studio(config, store.bucket());
            notices.wrote(cancelled);
            notices.flush(deadline).await;
        }
        if let Some(server) = server {
            server.shutdown(deadline).await;
        }
        status
    };
    match cancelled.await {
        Ok(Ok(status) | Err(status)) => {
            if json {
                // Plain data without maps that could fail.
                println!("{}", serde_json::to_string_pretty(&status).unwrap_or_default());
            } else {
                println!("job {job} is {}", status.state.name());
            }
            if status.state == State::Cancelled { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}
