//! What every attempt at a job needs, whichever part of it is done: the claim, the log, a scratch folder, the deadline, and a final
//! status, whatever happens.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{Instrument as _, Span, field::Empty, info, info_span, warn};

use crate::aws::state_machine;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::keys;
use crate::job::log::JobLog;
use crate::job::{Again, Claim, JobId, Lease, Status, Terms, Worker};
use crate::plan::Estimate;
use crate::publish::{self, Outcome};
use crate::scenes::Handover;
use crate::scenes::progress;
use crate::scratch::Scratch;
use crate::services::{Busy, Services};
use crate::store::CacheKey;

/// Largest log of an earlier task, in bytes: twice what is kept of one.
const MAX_LOG: u64 = 4 << 20;

/// A job that was claimed here.
#[derive(Debug)]
pub struct Attempt<'s> {
    /// The job.
    pub id: JobId,
    /// The right to work on it.
    pub lease: Lease,
    /// When its work must be done.
    pub ends: Deadline,
    /// Log and status are written even after the job's deadline.
    closing: Deadline,
    scratch: Result<Scratch, JobError>,
    log: Arc<JobLog>,
    span: Span,
    services: &'s Services,
    _busy: Busy<'s>,
}

/// The result of claiming a job.
pub enum AttemptStart<'s> {
    /// The job is worked on here.
    Attempt(Box<Attempt<'s>>),
    /// It is over, or another worker has it: its status.
    NotOurs(Box<Status>),
}

impl<'s> Attempt<'s> {
    /// Claims the job.
    ///
    /// # Errors
    /// When the status can be neither read nor written.
    pub async fn begin(
        id: &JobId,
        worker: Worker<'_>,
        services: &'s Services,
        ends: Deadline,
        again: Again,
    ) -> Result<AttemptStart<'s>, JobError> {
        let ends = ends.slice(services.config.job_timeout);
        let closing = ends.no_sooner_than(publish::LEAST);
        let span = info_span!("job", job_id = id.as_str(), state = Empty, code = Empty, otel.status_code = Empty);
        let log = services.logs.begin(id.as_str());
        let busy = services.busy();
        let at = worker.execution().map_or_else(|| wall_clock(ends), |_| machine_ends());
        let terms = Terms { worker, again, timeout: services.config.lease_timeout, ends: at };
        let claim = Lease::claim(&services.store, id, terms, closing).instrument(span.clone()).await;
        let lease = match claim {
            Ok(Claim::Mine(lease)) => lease,
            Ok(Claim::Done(status) | Claim::Held(status)) => {
                services.logs.end(&log);
                return Ok(AttemptStart::NotOurs(status));
            }
            Err(error) => {
                services.logs.end(&log);
                return Err(error.into());
            }
        };
        services.claimed(&lease);
        // The tasks of an execution write one log.
        if worker != Worker::Alone
            && let Ok(earlier) = services.store.get(&keys::of(id, keys::LOG), MAX_LOG, closing).await
        {
            log.continue_from(&String::from_utf8_lossy(&earlier.bytes));
        }
        let (until, scratch) = (ends.less(publish::reserve(ends)), services.job_scratch());
        let attempt = Self { id: id.clone(), lease, ends: until, closing, scratch, log, span, services, _busy: busy };
        Ok(AttemptStart::Attempt(Box::new(attempt)))
    }

    /// A folder for the attempt's files.
    ///
    /// # Errors
    /// `scratch.failed`
    pub fn scratch(&self) -> Result<&Scratch, JobError> {
        self.scratch.as_ref().map_err(JobError::clone)
    }

    /// Does the work, until the deadline, the loss of the job, or the end of this process.
    ///
    /// # Errors
    /// The work's own; `job.deadline`, `job.lost`, `job.interrupted`.
    pub async fn run(&self, work: impl Future<Output = Result<Outcome, JobError>>) -> Result<Outcome, JobError> {
        let made = async {
            tokio::select! {
                made = self.ends.run(work) => match made {
                    Ok(Err(error)) if self.ends.passed() => Err(self.late(&error.message)),
                    Ok(made) => made,
                    Err(_) => Err(self.late("its work was still running")),
                },
                () = self.lease.lost() => Err(JobError::new(Code::JobLost, "another worker has taken the job over")),
                () = self.services.interrupted() => Err(JobError::new(Code::JobInterrupted, "the process that worked on the job was told to stop")),
            }
        };
        made.instrument(self.span.clone()).await
    }

    /// Writes log and status, and gives the status, and the handover of a job that was handed over.
    ///
    /// # Errors
    /// Only when not even a status could be written.
    pub async fn end(self, made: Result<Outcome, JobError>) -> Result<(Status, Option<CacheKey>), JobError> {
        let Self { id, lease, closing, scratch, log, span, services, .. } = self;
        let publishing = async {
            if let lines @ 1.. = services.logs.dropped() {
                warn!(lines, "log lines were dropped, since standard error was read too slowly");
            }
            let handover = match &made {
                Ok(Outcome::HandedOver { handover, .. }) => Some(handover.clone()),
                _ => None,
            };
            let closing = closing.no_sooner_than(publish::LEAST);
            let published = publish::outcome(made, lease, &id, &log, &services.store, closing).await;
            if let Ok(scratch) = scratch {
                scratch.clear().await;
            }
            Ok((published?, handover))
        };
        let ended = publishing.instrument(span.clone()).await;
        progress::ended(&span, ended.as_ref().map(|(status, _)| status));
        services.logs.end(&log);
        ended
    }

    /// After the deadline, the deadline is the error that the user needs to know, whatever else failed.
    fn late(&self, then: &str) -> JobError {
        let stage = self.lease.status().stage;
        JobError::new(Code::JobDeadline, format!("the job's deadline passed before the film was ready: {then}"))
            .in_stage(stage)
    }

    /// Starts an execution of the state machine, if one is configured, for a film that would not be ready here in time. When that
    /// fails, the film is made here as far as the time allows.
    pub async fn hand_over(&self, handover: &Handover) -> Option<Outcome> {
        let machine = self.services.machine.as_ref()?;
        let estimate = Estimate::of(&handover.storyboard, handover.quality, self.services.config.parallel);
        if estimate.fits(self.ends.left()) {
            return None;
        }
        info!(
            work_s = estimate.work_seconds,
            left_s = self.ends.left().as_secs(),
            "the film takes too long for one process; starting the state machine"
        );
        let started = async {
            let folder = &self.scratch().map_err(|error| error.message)?.work();
            let handover = handover.save(&self.services.renderer.cache, folder, self.ends).await;
            let handover = handover.map_err(|error| error.message)?;
            let execution = machine.start(&self.lease.status(), &handover, self.ends).await?;
            Ok::<_, String>(Outcome::HandedOver { execution, handover, until: machine_ends() })
        };
        let started =
            started.await.inspect_err(|error| warn!(error, "can't start the state machine; the film is made here"));
        started.ok()
    }
}

/// A deadline as wall-clock time, for readers of the status.
fn wall_clock(ends: Deadline) -> Timestamp {
    Timestamp::now() + SignedDuration::try_from(ends.left()).unwrap_or(SignedDuration::ZERO)
}

/// When an execution that begins now must be over.
pub fn machine_ends() -> Timestamp {
    wall_clock(Deadline::after(state_machine::LONGEST))
}

#[cfg(test)]
mod tests;
