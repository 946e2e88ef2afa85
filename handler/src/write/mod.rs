//! A question becomes a lesson, by a language model.
//!
//! In: a question. Out: a lesson, which is a document like any other: nothing in it is trusted, and it is planned in the sandbox. The model
//! gets the guide, and what is wrong with its lesson up to three times. It never sees a file, a setting or a film.

mod chat;
mod lesson;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use storyboard::Document;
use tracing::{info, warn};

use self::chat::{Chat, Ending};
use crate::config::WriteConfig;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake::Question;

/// How lessons are written. A test holds it to the planner: whatever it shows is understood.
pub const GUIDE: &str = include_str!("../../../planner-wasm/docs/guide.md");

/// How often what is wrong with a lesson goes back to the model.
const ROUNDS: u32 = 3;
/// Findings that go back at a time: they are mended one after the other.
const FINDINGS: usize = 40;
/// Longest of them, in characters: a message may quote the lesson.
const LONGEST: usize = 600;
/// Largest picture that goes back, in bytes.
const LARGEST: usize = 4 << 20;

/// What is wrong with a lesson.
#[derive(Debug, Default)]
pub struct Review {
    /// One by one, for the model. Those that keep the film from being made come first.
    pub findings: Vec<String>,
    /// How many of them do.
    pub errors: usize,
    /// A picture of the whole (PNG), for models that take pictures.
    pub picture: Option<Vec<u8>>,
}

/// What says what is wrong with a lesson.
#[async_trait]
pub trait Reviewer: Sync {
    /// What is wrong with it.
    ///
    /// # Errors
    /// What keeps it from being checked at all; what is wrong with the lesson is a finding.
    async fn review(&self, lesson: &Document, deadline: Deadline) -> Result<Review, JobError>;

    /// How far it is, for people.
    fn told(&self, _step: &str) {}
}

/// A lesson that was written.
#[derive(Debug)]
pub struct Written {
    /// The lesson.
    pub lesson: Document,
    /// What is still wrong with it.
    pub review: Review,
    /// Tokens that it took, as the server counts them, or as estimated where it does not.
    pub tokens: u64,
    /// Calls that it took.
    pub requests: u64,
    /// Why it was not mended further although something is wrong with it; none when there were no rounds left.
    pub stopped: Option<JobError>,
}

/// Has the lesson of a question written.
///
/// # Errors
/// `write.…` when there is no lesson; what the reviewer says.
pub async fn lesson(
    question: &Question,
    config: &WriteConfig,
    reviewer: &dyn Reviewer,
    deadline: Deadline,
) -> Result<Written, JobError> {
    let deadline = deadline.slice(config.timeout);
    let mut chat = Chat::new(config, deadline)?;
    let opening =
        vec![json!({"role": "system", "content": GUIDE}), json!({"role": "user", "content": asked(question)})];
    let mut messages = opening.clone();
    let mut best: Option<(Document, Review)> = None;
    let mut stopped = None;
    for round in 0..=ROUNDS {
        reviewer.told(if round == 0 { "the model writes" } else { "the model mends" });
        let answer = match chat.ask(&messages).await {
            Ok(answer) => answer,
            // A lesson that is not mended is better than none.
            Err(error) if best.is_some() => {
                warn!(code = error.code.name(), "the lesson is not mended further: {}", error.message);
                stopped = Some(error);
                break;
            }
            Err(error) => return Err(error),
        };
        let text = lesson::lesson(&answer.text);
        let fault = match answer.ending {
            Ending::CutOff => Some("Your answer was cut off before its end. Write a shorter lesson, whole."),
            Ending::Whole if text.is_empty() => Some("Your answer has no lesson. Answer with the lesson alone."),
            Ending::Whole => None,
        };
        let (review, picture) = if let Some(fault) = fault {
            (Review { findings: vec![fault.to_owned()], errors: usize::MAX, picture: None }, None)
        } else {
            let written = Document { name: "lesson.md".to_owned(), bytes: text.clone().into_bytes() };
            let mut review = reviewer.review(&written, deadline).await?;
            let picture = review.picture.take().filter(|picture| config.pictures && picture.len() <= LARGEST);
            let (findings, errors) = (review.findings.clone(), review.errors);
            let better = |old: &Review| (review.errors, review.findings.len()) <= (old.errors, old.findings.len());
            if best.as_ref().is_none_or(|(_, old)| better(old)) {
                best = Some((written, review));
            }
            (Review { findings, errors, picture: None }, picture)
        };
        info!(round, findings = review.findings.len(), "the model has written");
        if review.findings.is_empty() || round == ROUNDS {
            break;
        }
        let count = review.findings.len();
        reviewer
            .told(&format!("{count} {} back to the model", if count == 1 { "finding goes" } else { "findings go" }));
        // The last lesson alone goes back: earlier ones would cost tokens, and are of no use.
        messages.clone_from(&opening);
        messages.push(json!({"role": "assistant", "content": if text.is_empty() { "(nothing)" } else { &text }}));
        messages.push(back(&review.findings, picture));
    }
    let Some((lesson, review)) = best else {
        return Err(JobError::new(Code::WriteNoLesson, format!("{} answers of the model had no lesson", ROUNDS + 1)));
    };
    Ok(Written { lesson, review, tokens: chat.tokens(), requests: chat.requests(), stopped })
}

/// The question as the model gets it. It is somebody's words, and may not pass for the guide.
fn asked(question: &Question) -> String {
    let Question { question, language, minutes, .. } = question;
    let language = match language {
        Some(language) => format!("The lesson's language is {language}."),
        None => "The lesson's language is that of the question.".to_owned(),
    };
    let minutes = minutes.map(|minutes| format!(" Its film takes about {minutes} minutes.")).unwrap_or_default();
    format!(
        "Write the lesson that answers the question below. {language}{minutes} Name no files: there are none. Answer with the lesson \
         alone.\n\nThe question:\n\n{question}"
    )
}

/// What is wrong, as the model gets it.
fn back(findings: &[String], picture: Option<Vec<u8>>) -> Value {
    let mut text = String::from("This is wrong with your lesson:\n\n");
    for finding in findings.iter().take(FINDINGS) {
        text.push_str("- ");
        text.extend(finding.chars().take(LONGEST));
        text.push('\n');
    }
    if let Some(more) = findings.len().checked_sub(FINDINGS).filter(|more| *more > 0) {
        text.push_str(&format!("- and {more} more\n"));
    }
    text.push_str("\nAnswer with the whole lesson, mended, and nothing else.");
    match picture {
        None => json!({"role": "user", "content": text}),
        Some(picture) => {
            text.push_str(" The picture shows the screen at the end of each passage, in order, with its number.");
            let url = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(picture));
            json!({"role": "user", "content": [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]})
        }
    }
}
