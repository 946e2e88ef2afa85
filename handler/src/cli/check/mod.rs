//! `chalkreel check`: plans and lays out documents, and tells what is wrong with them, without making their films.

pub(super) mod door;
mod report;
mod sarif;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};
use serde::Serialize;
use storyboard::Document;

use super::document::{Workshop, document};
use super::output::{Text, line, note};
use super::{Check, explain};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::assets::AssetBase;
use crate::job::Quality;
use crate::job::log::JobLogs;
use crate::preview::{Drawn, Finding, MOST_OF_A_SHEET, Pictures, Preview, Severity};
use crate::services::Services;

/// What was found in one document.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    /// As it was named.
    pub(super) document: String,
    /// Scenes that were drawn.
    pub(super) scenes: usize,
    /// In document order; those without a place first.
    pub(super) findings: Vec<Finding>,
    /// Its text, for showing the lines.
    #[serde(skip)]
    pub(super) text: String,
    /// A picture of each beat.
    #[serde(skip)]
    pub(super) pictures: Vec<(String, Vec<u8>)>,
}

pub(super) async fn run(check: Check, config: Config, logs: JobLogs) -> ExitCode {
    match checked(&check, config, logs).await {
        Ok(checked) => {
            let mut text = Text::default();
            if check.json {
                // Plain data without maps that could fail.
                line!(text, "{}", serde_json::to_string_pretty(&checked).unwrap_or_default());
            } else if check.sarif {
                line!(text, "{:#}", sarif::log(&checked));
            } else {
                report::print(&checked, &mut text);
            }
            text.print(exit_code(&checked))
        }
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

/// 0 without findings, 1 with errors, 3 with warnings alone.
fn exit_code(checked: &[Checked]) -> ExitCode {
    let worst = checked.iter().flat_map(|one| &one.findings).map(|finding| finding.severity).min();
    ExitCode::from(match worst {
        None => 0,
        Some(Severity::Error) => 1,
        Some(Severity::Warning) => 3,
    })
}

async fn checked(check: &Check, config: Config, logs: JobLogs) -> Result<Vec<Checked>, JobError> {
    let documents: Vec<_> = check.documents.iter().map(|path| document(path).map(|one| (path, one))).collect();
    let deadline = Deadline::after(config.job_timeout);
    let workshop = Workshop::open(config, logs).await?;
    let made = async {
        let (services, mut all) = (&workshop.services, Vec::new());
        for opened in documents {
            let (path, (document, base)) = opened?;
            let pictures = if check.sheet.is_some() { Pictures::Beats } else { Pictures::None };
            let mut one = look(document, &base, pictures, services, deadline).await?;
            one.document = path.display().to_string();
            all.push(one);
        }
        if let Some(sheet) = &check.sheet {
            leave_sheet(sheet, &all, services, deadline).await?;
        }
        Ok(all)
    };
    let made = made.await;
    workshop.close().await;
    made
}

/// Checks one document.
///
/// # Errors
/// What keeps anything from being checked at all: a document that is refused is a finding.
pub(super) async fn look(
    document: Document,
    base: &AssetBase,
    pictures: Pictures,
    services: &Services,
    deadline: Deadline,
) -> Result<Checked, JobError> {
    let (name, text) = (document.name.clone(), String::from_utf8_lossy(&document.bytes).into_owned());
    let preview = match Preview::of(document, base, Quality::Draft, services, deadline).await {
        Ok(preview) => preview,
        Err(error) if is_about_the_document(&error) => {
            let findings = vec![Finding::of_error(&error)];
            return Ok(Checked { document: name, scenes: 0, findings, text, pictures: Vec::new() });
        }
        Err(error) => return Err(error),
    };
    let scenes = &preview.storyboard.scenes;
    let mut findings = preview.findings.clone();
    // Boxed: the compiler can't prove that a closure's futures are `Send`.
    let mut drawing = Vec::new();
    for scene in scenes {
        let drawn = preview.scene(scene, pictures, services, deadline);
        drawing.push(async move { (scene, drawn.await) }.boxed());
    }
    // In order, as many at a time as there are processors.
    let mut drawn = stream::iter(drawing).buffered(services.config.parallel);
    let mut shown = Vec::new();
    while let Some((scene, drawn)) = drawn.next().await {
        match drawn {
            Ok(Drawn { pictures, findings: found }) => {
                findings.extend(found);
                let label = |index: usize| format!("{}, beat {}", scene.id, index + 1);
                shown.extend(pictures.into_iter().enumerate().map(|(index, picture)| (label(index), picture)));
            }
            Err(error) => findings.push(preview.failed(scene, &error)),
        }
    }
    findings.sort_by_key(|finding| finding.place.map(|place| (place.line, place.column)));
    let mut seen = Vec::new();
    findings.retain(|finding| {
        let fresh = !seen.contains(finding);
        seen.push(finding.clone());
        fresh
    });
    Ok(Checked { document: name, scenes: scenes.len(), findings, text, pictures: shown })
}

/// Whether the document is to blame, and not this machine.
fn is_about_the_document(error: &JobError) -> bool {
    ["input.", "plan.", "planner."].iter().any(|module| error.code.name().starts_with(module)) && !error.retryable
}

/// Leaves the numbered contact sheet of all documents, and says on standard error what its numbers are.
async fn leave_sheet(sheet: &Path, all: &[Checked], services: &Services, deadline: Deadline) -> Result<(), JobError> {
    let pictures: Vec<(String, &[u8])> = all
        .iter()
        .flat_map(|one| one.pictures.iter().map(|(label, picture)| (format!("{}: {label}", one.document), &**picture)))
        .collect();
    if pictures.is_empty() {
        note(format_args!("chalkreel: there is no picture for {}", sheet.display()));
        return Ok(());
    }
    let bytes =
        Preview::sheet(&pictures.iter().map(|(_, picture)| *picture).collect::<Vec<_>>(), services, deadline).await?;
    tokio::fs::write(sheet, bytes).await.map_err(|error| {
        let error = JobError::new(Code::StoreFile, format!("can't write {}: {error}", sheet.display()));
        error.remedy("Free space there, make it writable, or name another file with --sheet.")
    })?;
    if pictures.len() > MOST_OF_A_SHEET {
        let (shown, all) = (MOST_OF_A_SHEET, pictures.len());
        note(format_args!("chalkreel: {} has the first {shown} of {all} pictures", sheet.display()));
    }
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (label, _)) in pictures.iter().take(MOST_OF_A_SHEET).enumerate() {
        first.entry(label.split(", beat").next().unwrap_or(label)).or_insert(index + 1);
    }
    let mut numbers: Vec<(usize, &str)> = first.into_iter().map(|(scene, number)| (number, scene)).collect();
    numbers.sort_unstable();
    for (number, scene) in numbers {
        note(format_args!("{number:>5}  {scene}"));
    }
    Ok(())
}
