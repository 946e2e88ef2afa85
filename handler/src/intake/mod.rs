//! Any event becomes [`JobRequest`]s, and a request's document is read.
//!
//! In: a Lambda event as JSON. Out: requests, each with its own identity. It never looks into a document: the sandbox
//! alone does.

mod events;

use storyboard::Document;

use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::{JobRequest, Source};
use crate::publish::keys;
use crate::store::{Store, StoreError};

pub use events::{
    Asked, Batch, Message, OWN_SOURCE, Read, Sender, Subject, Task, TaskError, is_companion, read, sender, upload,
};

/// Largest document, in bytes. A lesson of a thousand pages is about 3 MB.
pub const MAX_DOCUMENT: u64 = 8 << 20;

/// Translations of one document that its identity looks at: more than a document may name.
const MOST_TRANSLATIONS: u16 = 100;

/// Reads the document that a request names.
///
/// # Errors
/// `input.not_found`, `input.too_large`, or what the store says.
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
                        JobError::new(Code::InputNotFound, format!("s3://{bucket}/{key} is not there"))
                    }
                    other => JobError::from(other),
                })?;
            let name = key.rsplit('/').next().unwrap_or(&key).to_owned();
            Ok(Document { name, bytes: object.bytes.to_vec() })
        }
    }
}

/// The request with the translations that lie beside its document in its version: other words make other captions. Of what came
/// with a token of its own, the token alone decides.
///
/// # Errors
/// What the store says.
pub async fn with_translations(
    mut request: JobRequest,
    store: &Store,
    deadline: Deadline,
) -> Result<JobRequest, JobError> {
    if let (Source::Object { bucket, key, version }, None) = (&mut request.source, &request.token)
        && bucket == store.bucket()
    {
        let (found, _) = store.page(&keys::translations(key), None, MOST_TRANSLATIONS, deadline).await?;
        for other in found.iter().filter(|other| keys::is_translation(other)) {
            let tag = store.head(other, deadline).await?.etag;
            let known = version.get_or_insert_default();
            known.push_str(&format!(" {other} {}", tag.0));
        }
    }
    Ok(request)
}

fn too_large() -> JobError {
    JobError::new(Code::InputTooLarge, format!("the document has more than {} MiB", MAX_DOCUMENT >> 20))
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        let code = Code::from_name(error.code()).unwrap_or(Code::StoreUnavailable);
        let told = Self { retryable: error.retryable(), ..Self::new(code, error.to_string()) };
        match error {
            // As the embedded store says it, and others.
            StoreError::Refused { status: 507, .. } => told.remedy("Free space on the store's disk."),
            _ => told,
        }
    }
}
