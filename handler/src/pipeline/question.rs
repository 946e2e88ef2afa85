//! The lesson of a job that came with a question.

use async_trait::async_trait;
use storyboard::{Document, Place};
use tracing::{Instrument as _, info, info_span};

use super::attempt::Attempt;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::assets::AssetBase;
use crate::intake::{MAX_DOCUMENT, Question};
use crate::job::events::JobEvent;
use crate::job::{Quality, keys};
use crate::plan::{Limits, Sandbox};
use crate::services::Services;
use crate::write::{self, Review, Reviewer, Written};

/// A document that is no question as it is, and in place of a question its lesson; with the quality and the files that go with it.
///
/// # Errors
/// `intake.…`, `input.…` for a question that is wrong; else as for [`lesson`].
pub(super) async fn answered(
    document: Document,
    wanted: Option<Quality>,
    base: AssetBase,
    services: &Services,
    job: &Attempt<'_>,
) -> Result<(Document, Option<Quality>, AssetBase), JobError> {
    let Some(question) = Question::of(&document.name, &document.bytes) else { return Ok((document, wanted, base)) };
    let question = question?;
    let lesson = lesson(&question, services, job).instrument(info_span!("write")).await?;
    // What a model writes names no files of whoever asked.
    Ok((lesson, wanted.or(question.quality), AssetBase::Nothing))
}

/// The lesson: the one of an earlier attempt at this job, or a new one. It is published beside the film.
///
/// # Errors
/// `write.…`, `store.…`
async fn lesson(question: &Question, services: &Services, job: &Attempt<'_>) -> Result<Document, JobError> {
    let key = keys::of(&job.id, keys::LESSON);
    if let Ok(earlier) = services.store.get(&key, MAX_DOCUMENT, job.ends).await {
        info!("the lesson of an earlier attempt is used");
        job.lease.report(JobEvent::Wrote(key));
        return Ok(Document { name: keys::LESSON.to_owned(), bytes: earlier.bytes.to_vec() });
    }
    let planner = Planner(&services.sandbox);
    // The film needs time too.
    let deadline = job.ends.slice(job.ends.left() / 2);
    let Written { lesson, review, tokens, requests, .. } =
        write::lesson(question, &services.config.write, &planner, deadline).await?;
    info!(tokens, requests, findings = review.findings.len(), "the lesson is written");
    if review.errors == 0 {
        services.store.put(&key, lesson.bytes.clone(), "text/markdown; charset=utf-8", job.ends).await?;
        job.lease.report(JobEvent::Wrote(key));
    }
    Ok(lesson)
}

/// What the planner says of a lesson. Nothing is drawn: that would take as long as half of the film.
struct Planner<'s>(&'s Sandbox);

#[async_trait]
impl Reviewer for Planner<'_> {
    async fn review(&self, lesson: &Document, deadline: Deadline) -> Result<Review, JobError> {
        let limits = Limits::default();
        let planned = self.0.plan(lesson.clone(), &limits, deadline.slice(limits.wall_clock)).await;
        let said = |place: Option<Place>, message: &str| match place {
            Some(place) => format!("line {}: {message}", place.line),
            None => message.to_owned(),
        };
        match planned {
            Ok(planned) => {
                let warnings = planned.storyboard.warnings.iter();
                let findings = warnings.map(|warning| said(warning.place, &warning.message)).collect();
                Ok(Review { findings, ..Review::default() })
            }
            Err(error) => match JobError::from(error) {
                error if error.retryable => Err(error),
                error if error.code == Code::JobDeadline => Err(error),
                JobError { place, message, remedy, .. } => {
                    let findings = vec![said(place, &format!("{message}. {remedy}"))];
                    Ok(Review { findings, errors: 1, picture: None })
                }
            },
        }
    }
}
