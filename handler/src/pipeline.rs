//! The whole story of a job, top to bottom.

use jiff::{SignedDuration, Timestamp};
use planner_wasm::storyboard::Storyboard;
use tracing::{Instrument as _, field::Empty, info, info_span, warn};

use crate::assemble::{Extras, Ledger, Reel};
use crate::assets::{Assets, Beside};
use crate::deadline::Deadline;
use crate::error::{Code, JobError, Stage};
use crate::job::{Again, Claim, JobId, JobRequest, Lease, Quality, Status, Terms};
use crate::publish::{self, Published};
use crate::scratch::Scratch;
use crate::shooting::{self, Budget};
use crate::studio::Studio;
use crate::translations::Library;
use crate::{intake, plan, progress};

/// Makes a film of `request`, or says in the status why there is none. `ends` is when the caller needs an answer.
///
/// # Errors
/// Only when not even a status could be published.
pub async fn film(request: JobRequest, studio: &Studio, ends: Deadline, again: Again) -> Result<Status, JobError> {
    let ends = ends.slice(studio.config.job_timeout);
    // Log and status are written even for a job that came too late.
    let closing = ends.no_sooner_than(publish::LEAST);
    let request = intake::with_translations(request, &studio.store, closing).await?;
    let id = JobId::of(&request, &studio.recipe());
    let span = info_span!("job", job_id = id.as_str(), state = Empty, code = Empty, otel.status_code = Empty);
    let log = studio.logs.begin(id.as_str());
    let _busy = studio.busy();
    let work = async {
        let at = Timestamp::now() + SignedDuration::try_from(ends.left()).unwrap_or(SignedDuration::ZERO);
        let terms = Terms { again, timeout: studio.config.lease_timeout, ends: at };
        let lease = match Lease::claim(&studio.store, &id, terms, closing).await? {
            Claim::Mine(lease) => lease,
            Claim::Done(status) | Claim::Held(status) => return Ok(*status),
        };
        studio.claimed(&lease);
        let until = ends.less(publish::reserve(ends));
        let scratch = studio.job_scratch();
        let made = tokio::select! {
            made = until.run(make(request, &id, studio, &lease, &scratch, until)) => match made {
                Ok(Err(error)) if until.passed() => Err(late(&lease, &error.message)),
                Ok(made) => made,
                Err(_) => Err(late(&lease, "its work was cut off")),
            },
            () = lease.lost() => Err(JobError::new(Code::JobLost, "another worker took the job over")),
            () = studio.interrupted() => Err(JobError::new(Code::JobInterrupted, "the process was told to stop")),
        };
        if let lines @ 1.. = studio.logs.dropped() {
            warn!(lines, "lines of this process did not reach standard error");
        }
        let told =
            publish::outcome(made, lease, &id, &log, &studio.store, closing.no_sooner_than(publish::LEAST)).await;
        if let Ok(scratch) = scratch {
            scratch.clear().await;
        }
        told
    };
    let outcome = work.instrument(span.clone()).await;
    progress::ended(&span, &outcome);
    studio.logs.end(&log);
    outcome
}

async fn make(
    request: JobRequest,
    id: &JobId,
    studio: &Studio,
    lease: &Lease,
    scratch: &Result<Scratch, JobError>,
    ends: Deadline,
) -> Result<Published, JobError> {
    let scratch = scratch.as_ref().map_err(JobError::clone)?;
    let (wanted, named, beside) = (request.quality, request.planner.clone(), Beside::of(&request.source));

    progress::enter(lease, Stage::Intake, 0.0, ends);
    let document = intake::document(request, &studio.store, ends).instrument(info_span!("intake")).await?;
    let name = document.name.clone();

    progress::enter(lease, Stage::Plan, 0.02, ends);
    let limits = plan::Limits::default();
    let sandbox = match named {
        Some(name) => studio.planners.named(&name, scratch.path(), ends).await?,
        None => studio.sandbox.clone(),
    };
    let planned = sandbox.plan(document, &limits, ends.slice(limits.wall_clock)).instrument(info_span!("plan")).await;
    let storyboard = progress::planned(lease, planned)?;
    let quality = wanted.or_else(|| storyboard.quality.as_deref()?.parse().ok()).unwrap_or(Quality::Standard);

    progress::enter(lease, Stage::Render, 0.05, ends);
    let budget = Budget::of(&storyboard, quality, studio.config.parallel, ends);
    let (assets, missing) = Assets::fetch(&storyboard, &beside, &studio.store, scratch.path(), ends).await;
    lease.change(|status| status.warnings.extend(missing));
    let extras = Extras::of(&storyboard, &assets);
    let library = Library { document: &name, beside: &beside, sandbox: &sandbox, store: &studio.store };
    let half = ends.slice(ends.left() / 2);
    let (shots, extras, (translations, untranslated)) = tokio::join!(
        shooting::shoot(&storyboard, quality, studio, lease, scratch.path(), &assets, budget)
            .instrument(info_span!("render")),
        studio.assembler.prepare(&extras, quality, scratch.path(), half),
        library.translations(&storyboard, scratch.path(), half),
    );
    let shots = shots?;
    lease.change(|status| status.warnings.extend(extras.warnings.iter().cloned().chain(untranslated)));

    progress::enter(lease, Stage::Assemble, 0.9, ends);
    let scenes = shots.iter().map(|shot| {
        (shot.scene, &shot.clip.report.beats[..], shot.narrations.iter().map(|beat| beat.sound.samples()).collect())
    });
    let mut ledger = Ledger::of(quality.fps(), scenes);
    let spoken = || shots.iter().flat_map(|shot| &shot.narrations);
    ledger.time(spoken().map(|beat| beat.words.clone()));
    let words = spoken().map(|beat| &beat.sound);
    let clips: Vec<_> = shots.iter().map(|shot| shot.clip.path.clone()).collect();
    let Storyboard { title, language, .. } = &storyboard;
    let reel = Reel { title, language, translations: &translations, clips: &clips, extras: &extras };
    let film = studio.assembler.film(reel, &mut ledger, words, scratch.path(), ends);
    let film = film.instrument(info_span!("assemble")).await?;
    info!(seconds = ledger.seconds(), loudness = film.loudness, "assembled");

    progress::enter(lease, Stage::Publish, 0.97, ends);
    let (status, log) = (lease.status(), studio.logs.so_far(id.as_str()));
    publish::film(&film, &storyboard, &ledger, &status, &log, &studio.store, ends)
        .instrument(info_span!("publish"))
        .await
}

/// Whatever else went wrong: once the deadline has passed, it is what the user has to know.
fn late(lease: &Lease, then: &str) -> JobError {
    let stage = lease.status().stage;
    JobError::new(Code::JobDeadline, format!("the deadline came before the film was ready: {then}")).in_stage(stage)
}
