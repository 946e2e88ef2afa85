//! `chalkreel still`: pictures of a document's beats, without making its film.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use storyboard::Scene;

use super::document::{Workshop, document};
use super::output::{Text, line, note};
use super::{Still, explain};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::log::JobLogs;
use crate::plan;
use crate::preview::{Drawn, Finding, Pictures, Preview, Severity};
use crate::services::Services;

pub(super) async fn run(still: Still, config: Config, logs: JobLogs) -> ExitCode {
    let made = async {
        let (document, base) = document(&still.document)?;
        let deadline = Deadline::after(config.job_timeout);
        let workshop = Workshop::open(config, logs).await?;
        let made = async {
            let services = &workshop.services;
            let preview = Preview::of(document, &base, still.quality, services, deadline).await?;
            stills(&still, &preview, services, deadline).await
        };
        let made = made.await;
        workshop.close().await;
        made
    };
    match made.await {
        Ok((paths, findings)) => {
            for finding in &findings {
                tell(finding);
            }
            let mut text = Text::default();
            for path in &paths {
                line!(text, "{}", path.display());
            }
            let code = if findings.iter().any(|finding| finding.severity == Severity::Error) { 3 } else { 0 };
            text.print(ExitCode::from(code))
        }
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Draws the wanted pictures, and gives where they are.
async fn stills(
    still: &Still,
    preview: &Preview,
    services: &Services,
    deadline: Deadline,
) -> Result<(Vec<PathBuf>, Vec<Finding>), JobError> {
    let out = still.out.clone().unwrap_or_else(|| {
        Path::new("films").join(still.document.file_stem().unwrap_or_else(|| "film".as_ref())).join("stills")
    });
    std::fs::create_dir_all(&out).map_err(|error| unwritable(&out, &error))?;
    let (mut paths, mut findings) = (Vec::new(), preview.findings.clone());
    for (scene, pictures) in wanted(still, preview)? {
        let Drawn { pictures: drawn, findings: found } = match preview.scene(scene, pictures, services, deadline).await
        {
            Ok(drawn) => drawn,
            // The other scenes are still worth seeing.
            Err(error) => {
                findings.push(preview.failed(scene, &error));
                continue;
            }
        };
        findings.extend(found);
        for (index, picture) in drawn.iter().enumerate() {
            let name = match pictures {
                Pictures::At(seconds) => format!("{}-at-{seconds:.2}s.png", scene.id),
                Pictures::Beat(beat) => format!("{}-{}.png", scene.id, beat + 1),
                _ => format!("{}-{}.png", scene.id, index + 1),
            };
            let path = out.join(name);
            tokio::fs::write(&path, picture).await.map_err(|error| unwritable(&path, &error))?;
            paths.push(path);
        }
    }
    Ok((paths, findings))
}

/// Which scenes are drawn, and which of their pictures.
fn wanted<'p>(still: &Still, preview: &'p Preview) -> Result<Vec<(&'p Scene, Pictures)>, JobError> {
    let scenes = &preview.storyboard.scenes;
    let wrong = |message: String, remedy: String| JobError::new(Code::IntakeBadRequest, message).remedy(remedy);
    let chosen: Vec<&Scene> = match &still.scene {
        None => scenes.iter().collect(),
        Some(id) => vec![plan::scene(&preview.storyboard, id)?],
    };
    match (still.beat, still.at) {
        (Some(beat), _) => {
            let [scene] = chosen[..] else {
                return Err(wrong(
                    "--beat counts the beats of one scene".to_owned(),
                    "Name it with --scene.".to_owned(),
                ));
            };
            if beat == 0 || beat > scene.beats.len() {
                let remedy = format!("Name one from 1 to {}.", scene.beats.len());
                return Err(wrong(format!("the scene `{}` has no beat {beat}", scene.id), remedy));
            }
            Ok(vec![(scene, Pictures::Beat(beat - 1))])
        }
        (None, Some(at)) if still.scene.is_some() => {
            Ok(chosen.into_iter().map(|scene| (scene, Pictures::At(at))).collect())
        }
        (None, Some(at)) => {
            let begins = preview.begins();
            let (index, from) = begins.iter().enumerate().rev().find(|(_, from)| **from <= at).unwrap_or((0, &0.0));
            match scenes.get(index) {
                Some(scene) if at >= 0.0 => Ok(vec![(scene, Pictures::At(at - from))]),
                _ => {
                    let length = begins.last().copied().unwrap_or(0.0);
                    let remedy = format!("Name a time up to {length:.1}: so long is it estimated to be.");
                    Err(wrong(format!("the film has no picture at {at} s"), remedy))
                }
            }
        }
        (None, None) => Ok(chosen.into_iter().map(|scene| (scene, Pictures::Beats)).collect()),
    }
}

fn tell(finding: &Finding) {
    let kind = if finding.severity == Severity::Error { "error" } else { "warning" };
    let place = finding.place.map(|place| format!("line {}: ", place.line)).unwrap_or_default();
    note(format_args!("{kind}: {place}{}", finding.message));
}

fn unwritable(path: &Path, error: &std::io::Error) -> JobError {
    let error = JobError::new(Code::StoreFile, format!("can't write {}: {error}", path.display()));
    error.remedy("Free space there, make it writable, or name another folder with --out.")
}
