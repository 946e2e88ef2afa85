//! The course of a job, from request to film, from top to bottom.

mod attempt;
mod question;
pub mod tasks;

use futures::FutureExt as _;
use storyboard::Storyboard;
use tokio::sync::oneshot;
use tracing::{Instrument as _, info, info_span};

use self::attempt::{Attempt, AttemptStart, machine_ends};
use crate::assemble::{Extras, FilmParts};
use crate::deadline::Deadline;
use crate::error::{JobError, Stage};
use crate::intake::assets::{AssetBase, Assets};
use crate::job::events::JobEvent;
use crate::job::{Again, JobId, JobRequest, Quality, Status, Worker};
use crate::plan::translations::Library;
use crate::publish::{self, Outcome};
use crate::scenes::progress;
use crate::scenes::{self, Budget, Handover};
use crate::services::Services;
use crate::store::CacheKey;
use crate::{intake, plan};

/// Where a job, or a part of it, begins.
#[derive(Debug)]
pub enum Origin {
    /// With a request.
    Request(JobRequest),
    /// With a handover that another machine has stored in the cache.
    Handover(CacheKey),
}

/// Makes a film of `request`, or says in the status why there is none. `ends` is when the caller needs an answer.
///
/// # Errors
/// Only when not even a status could be published.
pub async fn film(request: JobRequest, services: &Services, ends: Deadline, again: Again) -> Result<Status, JobError> {
    let closing = ends.slice(services.config.job_timeout).no_sooner_than(publish::LEAST);
    let request = intake::with_companions(request, &services.store, closing).await?;
    let id = JobId::of(&request, &services.recipe());
    let ended = part(Origin::Request(request), &id, Worker::Alone, services, ends, again).await;
    ended.map(|(status, _)| status)
}

/// Does `worker`'s part of a job: all of it, unless that takes too long; the part up to the narration; or the rest from there.
/// Gives the status, and the handover of a job that was handed over.
///
/// # Errors
/// Only when not even a status could be published.
pub async fn part(
    origin: Origin,
    id: &JobId,
    worker: Worker<'_>,
    services: &Services,
    ends: Deadline,
    again: Again,
) -> Result<(Status, Option<CacheKey>), JobError> {
    match Attempt::begin(id, worker, services, ends, again).await? {
        AttemptStart::Attempt(attempt) => {
            let made = attempt.run(make(origin, worker, services, &attempt)).await;
            attempt.end(made).await
        }
        AttemptStart::NotOurs(status) => Ok((*status, None)),
    }
}

async fn make(origin: Origin, worker: Worker<'_>, services: &Services, job: &Attempt<'_>) -> Result<Outcome, JobError> {
    let (lease, folder, ends) = (&job.lease, &*job.scratch()?.work(), job.ends);
    let handover = match origin {
        Origin::Request(request) => plan_film(request, services, job).await?,
        Origin::Handover(key) => {
            let handover = Handover::fetch(&services.renderer.cache, &key, folder, ends).await?;
            lease.report(JobEvent::Warned(handover.storyboard.warnings.clone()));
            handover
        }
    };
    if worker == Worker::Alone
        && let Some(handed_over) = job.hand_over(&handover).await
    {
        return Ok(handed_over);
    }
    let handover = scenes::prepared(handover, worker, services, lease, folder, ends).await;
    if let Worker::First(execution) = worker {
        progress::enter(lease, Stage::Narrate, 0.05, ends);
        let handover = scenes::narrate(handover, services, lease, folder, ends).await?;
        let handover = handover.save(&services.renderer.cache, folder, ends).await?;
        return Ok(Outcome::HandedOver { execution: execution.to_owned(), handover, until: machine_ends() });
    }
    let Handover { storyboard, translations, quality, asset_base, .. } = &handover;

    progress::enter(lease, Stage::Render, 0.05, ends);
    let budget = Budget::of(storyboard, *quality, services.config.parallel, ends);
    let (assets, missing) = Assets::fetch(storyboard, asset_base, &services.store, folder, ends).await;
    lease.report(JobEvent::Warned(missing));
    let extras = Extras::of(storyboard, &assets);
    let (spoken, script) = oneshot::channel();
    let (rendered, (extras, ahead)) = tokio::try_join!(
        scenes::make(&handover, services, lease, folder, &assets, budget, spoken).instrument(info_span!("render")),
        services.assembler.prepare_all(&extras, *quality, script, folder, ends).map(Ok),
    )?;
    lease.report(JobEvent::Warned(extras.warnings.clone()));

    progress::enter(lease, Stage::Assemble, 0.9, ends);
    let mut ledger = scenes::ledger(&rendered, *quality);
    let words = rendered.iter().flat_map(|made| &made.narrations).map(|beat| beat.sound.clone());
    let clips: Vec<_> = rendered.iter().map(|made| made.clip.path.clone()).collect();
    let Storyboard { title, language, .. } = storyboard;
    let parts = FilmParts { title, language, translations, clips: &clips, extras: &extras, ahead };
    let film = services.assembler.film(parts, &mut ledger, words.collect(), folder, ends);
    let film = film.instrument(info_span!("assemble")).await?;
    info!(seconds = ledger.seconds(), loudness = film.loudness, "the film is assembled");
    lease.report(JobEvent::Warned(film.warnings()));

    progress::enter(lease, Stage::Publish, 0.97, ends);
    let (status, log) = (lease.status(), services.logs.so_far(job.id.as_str()));
    let published = publish::film(&film, storyboard, &ledger, &status, &log, &services.store, ends);
    published.instrument(info_span!("publish")).await.map(Outcome::Published)
}

/// Reads the document and plans the film.
async fn plan_film(request: JobRequest, services: &Services, job: &Attempt<'_>) -> Result<Handover, JobError> {
    let (lease, ends, asset_base) = (&job.lease, job.ends, AssetBase::of(&request.source));
    let (wanted, named, scenes) = (request.quality, request.planner.clone(), request.scenes.clone());

    progress::enter(lease, Stage::Intake, 0.0, ends);
    let document = intake::document(request, &services.store, ends).instrument(info_span!("intake")).await?;

    progress::enter(lease, Stage::Plan, 0.02, ends);
    let (document, wanted, asset_base) = question::answered(document, wanted, asset_base, services, job).await?;
    let name = document.name.clone();
    let limits = plan::Limits::default();
    let sandbox = match named {
        Some(name) => services.planners.named(&name, &job.scratch()?.work(), ends).await?,
        None => services.sandbox.clone(),
    };
    let planned = sandbox.plan(document, &limits, ends.slice(limits.wall_clock)).instrument(info_span!("plan")).await;
    let storyboard = progress::planned(lease, planned, &scenes)?;
    let quality = wanted.or(storyboard.quality.map(Quality::from)).unwrap_or(Quality::Standard);
    // Captions in other languages are planned like the film itself, which costs little.
    let library = Library { document: &name, asset_base: &asset_base, sandbox: &sandbox, store: &services.store };
    let work = job.scratch()?.work();
    let translated = library.translations(&storyboard, &work, ends.slice(ends.left() / 4));
    let (translations, untranslated) = translated.instrument(info_span!("translate")).await;
    lease.report(JobEvent::Warned(untranslated));
    Ok(Handover::of(storyboard, translations, quality, asset_base))
}
