//! The whole story of a job, top to bottom.

use storyboard::Storyboard;
use tracing::{Instrument as _, info, info_span};

use crate::assemble::{Extras, Reel};
use crate::assets::{Assets, Beside};
use crate::attempt::{Attempt, machine_ends};
use crate::deadline::Deadline;
use crate::error::{JobError, Stage};
use crate::job::{Again, JobId, JobRequest, Quality, Status, Worker};
use crate::publish::{self, Made};
use crate::shooting::{self, Budget, CallSheet};
use crate::store::CacheKey;
use crate::studio::Studio;
use crate::translations::Library;
use crate::{intake, plan, progress};

/// Where the way begins.
#[derive(Debug)]
pub enum Origin {
    /// With a request.
    Request(JobRequest),
    /// With a call sheet that another machine has left in the cache.
    Sheet(CacheKey),
}

/// Makes a film of `request`, or says in the status why there is none. `ends` is when the caller needs an answer.
///
/// # Errors
/// Only when not even a status could be published.
pub async fn film(request: JobRequest, studio: &Studio, ends: Deadline, again: Again) -> Result<Status, JobError> {
    let closing = ends.slice(studio.config.job_timeout).no_sooner_than(publish::LEAST);
    let request = intake::with_translations(request, &studio.store, closing).await?;
    let id = JobId::of(&request, &studio.recipe());
    let ended = part(Origin::Request(request), &id, Worker::Alone, studio, ends, again).await;
    ended.map(|(status, _)| status)
}

/// Goes the part of the way that is `worker`'s: all of it, unless that takes too long; as far as the film is spoken; or from
/// there to its end. Gives the status, and the call sheet of a job that was handed over.
///
/// # Errors
/// Only when not even a status could be published.
pub async fn part(
    origin: Origin,
    id: &JobId,
    worker: Worker<'_>,
    studio: &Studio,
    ends: Deadline,
    again: Again,
) -> Result<(Status, Option<CacheKey>), JobError> {
    match Attempt::begin(id, worker, studio, ends, again).await? {
        Ok(attempt) => {
            let made = attempt.run(make(origin, worker, studio, &attempt)).await;
            attempt.end(made).await
        }
        Err(status) => Ok((status, None)),
    }
}

async fn make(origin: Origin, worker: Worker<'_>, studio: &Studio, job: &Attempt<'_>) -> Result<Made, JobError> {
    let (lease, folder, ends) = (&job.lease, &*job.scratch()?.work(), job.ends);
    let sheet = match origin {
        Origin::Request(request) => planned(request, studio, job).await?,
        Origin::Sheet(key) => {
            let sheet = CallSheet::fetch(&studio.renderer.cache, &key, folder, ends).await?;
            lease.change(|status| status.warnings.extend(sheet.storyboard.warnings.iter().cloned()));
            sheet
        }
    };
    if worker == Worker::Alone
        && let Some(handed_over) = job.hand_over(&sheet).await
    {
        return Ok(handed_over);
    }
    if let Worker::First(execution) = worker {
        progress::enter(lease, Stage::Narrate, 0.05, ends);
        let sheet = shooting::narrate(sheet, studio, lease, folder, ends).await?;
        let sheet = sheet.keep(&studio.renderer.cache, folder, ends).await?;
        return Ok(Made::HandedOver { execution: execution.to_owned(), sheet, until: machine_ends() });
    }
    let CallSheet { storyboard, translations, quality, beside, .. } = &sheet;

    progress::enter(lease, Stage::Render, 0.05, ends);
    let budget = Budget::of(storyboard, *quality, studio.config.parallel, ends);
    let (assets, missing) = Assets::fetch(storyboard, beside, &studio.store, folder, ends).await;
    lease.change(|status| status.warnings.extend(missing));
    let extras = Extras::of(storyboard, &assets);
    let (shots, extras) = tokio::join!(
        shooting::shoot(&sheet, studio, lease, folder, &assets, budget).instrument(info_span!("render")),
        studio.assembler.prepare(&extras, *quality, folder, ends.slice(ends.left() / 2)),
    );
    let shots = shots?;
    lease.change(|status| status.warnings.extend(extras.warnings.iter().cloned()));

    progress::enter(lease, Stage::Assemble, 0.9, ends);
    let mut ledger = shooting::ledger(&shots, *quality);
    let words = shots.iter().flat_map(|shot| &shot.narrations).map(|beat| &beat.sound);
    let clips: Vec<_> = shots.iter().map(|shot| shot.clip.path.clone()).collect();
    let Storyboard { title, language, .. } = storyboard;
    let reel = Reel { title, language, translations, clips: &clips, extras: &extras };
    let film = studio.assembler.film(reel, &mut ledger, words, folder, ends);
    let film = film.instrument(info_span!("assemble")).await?;
    info!(seconds = ledger.seconds(), loudness = film.loudness, "assembled");
    lease.change(|status| status.warnings.extend(film.warnings()));

    progress::enter(lease, Stage::Publish, 0.97, ends);
    let (status, log) = (lease.status(), studio.logs.so_far(job.id.as_str()));
    let published = publish::film(&film, storyboard, &ledger, &status, &log, &studio.store, ends);
    published.instrument(info_span!("publish")).await.map(Made::Published)
}

/// What the film is to be.
async fn planned(request: JobRequest, studio: &Studio, job: &Attempt<'_>) -> Result<CallSheet, JobError> {
    let (lease, ends, beside) = (&job.lease, job.ends, Beside::of(&request.source));
    let (wanted, named) = (request.quality, request.planner.clone());

    progress::enter(lease, Stage::Intake, 0.0, ends);
    let document = intake::document(request, &studio.store, ends).instrument(info_span!("intake")).await?;
    let name = document.name.clone();

    progress::enter(lease, Stage::Plan, 0.02, ends);
    let limits = plan::Limits::default();
    let sandbox = match named {
        Some(name) => studio.planners.named(&name, &job.scratch()?.work(), ends).await?,
        None => studio.sandbox.clone(),
    };
    let planned = sandbox.plan(document, &limits, ends.slice(limits.wall_clock)).instrument(info_span!("plan")).await;
    let storyboard = progress::planned(lease, planned)?;
    let quality = wanted.or(storyboard.quality.map(Quality::from)).unwrap_or(Quality::Standard);
    // Captions are planned like the film itself, and cost little.
    let library = Library { document: &name, beside: &beside, sandbox: &sandbox, store: &studio.store };
    let work = job.scratch()?.work();
    let translated = library.translations(&storyboard, &work, ends.slice(ends.left() / 4));
    let (translations, untranslated) = translated.instrument(info_span!("translate")).await;
    lease.change(|status| status.warnings.extend(untranslated));
    Ok(CallSheet { storyboard, translations, quality, beside, takes: Vec::new() })
}
