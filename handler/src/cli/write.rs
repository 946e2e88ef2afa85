//! `chalkreel write`: has a language model write the lesson that answers a question, and mend what `chalkreel check` finds in it.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use async_trait::async_trait;
use storyboard::Document;

use super::check::{Checked, look};
use super::document::Workshop;
use super::output::{Text, line, note};
use super::{Write, explain};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::Question;
use crate::intake::assets::AssetBase;
use crate::job::log::JobLogs;
use crate::preview::{Finding, Pictures, Preview, Severity};
use crate::services::Services;
use crate::write::{self, Review, Reviewer, Written};

pub(super) async fn run(write: Write, config: Config, logs: JobLogs) -> ExitCode {
    match written(&write, config, logs).await {
        Ok(Written { review, tokens, requests, stopped, .. }) => {
            for finding in &review.findings {
                note(format_args!("still wrong: {finding}"));
            }
            if let Some(error) = &stopped {
                explain(error);
            }
            let calls = if requests == 1 { "call" } else { "calls" };
            note(format_args!("{requests} {calls}, some {tokens} tokens"));
            let mut text = Text::default();
            line!(text, "{}", write.out.display());
            let code = match (review.errors, review.findings.len()) {
                (0, 0) => 0,
                (0, _) => 3,
                _ => 1,
            };
            let code = text.print(ExitCode::from(code));
            note(format_args!("chalkreel watch {}    shows it while you change it", write.out.display()));
            code
        }
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn written(write: &Write, config: Config, logs: JobLogs) -> Result<Written, JobError> {
    let Write { question, language, minutes, out } = write;
    let (question, language) = (question.clone(), language.clone());
    let question = Question { question, language, minutes: *minutes, quality: None }.checked()?;
    if config.write.model.is_none() {
        return Err(JobError::new(Code::WriteNotConfigured, "no language model is named"));
    }
    // Before anything is paid for.
    if out.exists() {
        return Err(unwritable(out, &ErrorKind::AlreadyExists.into()));
    }
    let (model, deadline) = (config.write.clone(), Deadline::after(config.write.timeout));
    let workshop = Workshop::open(config, logs).await?;
    let reviewer = Whole { services: &workshop.services, pictures: model.pictures };
    let written = write::lesson(&question, &model, &reviewer, deadline).await;
    workshop.close().await;
    let written = written?;
    let saved = std::fs::File::create_new(out).and_then(|mut file| file.write_all(&written.lesson.bytes));
    saved.map_err(|error| unwritable(out, &error))?;
    Ok(written)
}

fn unwritable(out: &Path, error: &std::io::Error) -> JobError {
    let remedy = match error.kind() {
        ErrorKind::AlreadyExists => "Name another file with --out, or remove that one.",
        _ => "Name a file in a folder that you may write with --out.",
    };
    JobError::new(Code::StoreFile, format!("can't write {}: {error}", out.display())).remedy(remedy)
}

/// All that `chalkreel check` finds, and its sheet of pictures.
struct Whole<'s> {
    services: &'s Services,
    pictures: bool,
}

#[async_trait]
impl Reviewer for Whole<'_> {
    async fn review(&self, lesson: &Document, deadline: Deadline) -> Result<Review, JobError> {
        let pictures = if self.pictures { Pictures::Beats } else { Pictures::None };
        // It has no files: it may name none of whoever asked.
        let checked = look(lesson.clone(), &AssetBase::Nothing, pictures, self.services, deadline).await?;
        let Checked { mut findings, pictures, .. } = checked;
        findings.sort_by_key(|finding| finding.severity);
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let drawn: Vec<&[u8]> = pictures.iter().map(|(_, picture)| &**picture).collect();
        let worth_it = !findings.is_empty() && !drawn.is_empty();
        let picture = if worth_it { Preview::sheet(&drawn, self.services, deadline).await.ok() } else { None };
        Ok(Review { findings: findings.iter().map(said).collect(), errors, picture })
    }

    fn told(&self, step: &str) {
        note(format_args!("chalkreel: {step}"));
    }
}

/// A finding on one line, for a model.
pub(super) fn said(finding: &Finding) -> String {
    let place = finding.place.map(|place| format!("line {}: ", place.line)).unwrap_or_default();
    let remedy = finding.remedy.as_ref().map(|remedy| format!(". {remedy}")).unwrap_or_default();
    format!("{place}{}{remedy}", finding.message)
}
