//! Turns any event into [`JobRequest`]s, and reads a request's document.
//!
//! In: a Lambda event as JSON. Out: requests, each with its own identity. It never parses a document: the sandbox
//! alone does.

pub mod assets;
mod events;
mod question;

use storyboard::Document;

use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::keys;
use crate::job::{JobRequest, Source};
use crate::store::{Store, StoreError};

pub use events::{
    Asked, Batch, Message, OWN_SOURCE, Read, Sender, Subject, Task, TaskError, is_companion, read, sender, upload,
};
pub use question::{QUESTION, Question};

/// Largest document, in bytes. A lesson of a thousand pages is about 3 MB.
pub const MAX_DOCUMENT: u64 = 8 << 20;

/// Translations of one document that its identity looks at: more than a document may name.
const MOST_TRANSLATIONS: u16 = 100;

/// Reads the document that a request names.
///
/// # Errors
/// `input.not_found`, `input.too_large`, `store.…`
pub async fn document(request: JobRequest, store: &Store, deadline: Deadline) -> Result<Document, JobError> {
    match request.source {
        Source::Inline { name, bytes, .. } => {
            if bytes.len() as u64 > MAX_DOCUMENT {
                Err(too_large())
            } else {
                Ok(Document { name, bytes })
            }
        }
        Source::Object { bucket, key, .. } => {
            let object =
                store.with_bucket(&bucket).get(&key, MAX_DOCUMENT, deadline).await.map_err(|error| match error {
                    StoreError::TooLarge { .. } => too_large(),
                    StoreError::NotFound { .. } => {
                        JobError::new(Code::InputNotFound, format!("s3://{bucket}/{key} does not exist"))
                    }
                    other => JobError::from(other),
                })?;
            let name = key.rsplit('/').next().unwrap_or(&key).to_owned();
            Ok(Document { name, bytes: object.bytes.to_vec() })
        }
    }
}

/// The request, with the translations of its document, or the narration of its program, in its version: others make another film. A
/// request with a token stays as it is, since the token alone decides its identity.
///
/// # Errors
/// What the store says.
pub async fn with_companions(
    mut request: JobRequest,
    store: &Store,
    deadline: Deadline,
) -> Result<JobRequest, JobError> {
    if let (Source::Object { bucket, key, version }, None) = (&mut request.source, &request.token)
        && bucket == store.bucket()
    {
        let (found, _) = store.page(&keys::translations(key), None, MOST_TRANSLATIONS, deadline).await?;
        let translations = found.into_iter().filter(|other| keys::is_translation(other));
        for other in translations.chain(keys::narrations(key)) {
            let tag = match store.head(&other, deadline).await {
                Ok(head) => head.etag,
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let known = version.get_or_insert_default();
            known.push_str(&format!(" {other} {}", tag.as_str()));
        }
    }
    Ok(request)
}

fn too_large() -> JobError {
    JobError::new(Code::InputTooLarge, format!("the document has more than {} MiB", MAX_DOCUMENT >> 20))
}
