//! The errors of the store, and how the SDK's errors map to them.

use std::path::PathBuf;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A call on the store that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No object has the key.
    #[error("there is no object {key:?} in the store")]
    NotFound {
        /// The key that was asked for.
        key: String,
    },
    /// No such bucket.
    #[error("there is no bucket {bucket:?}")]
    NoBucket {
        /// The bucket that was asked for.
        bucket: String,
    },
    /// The object is larger than the caller takes.
    #[error("the object {key:?} has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The object's key.
        key: String,
        /// Its size in bytes.
        size: u64,
        /// The caller's limit in bytes.
        limit: u64,
    },
    /// Credentials or permissions do not allow the call.
    #[error("the store denied access to {key:?}: {message}")]
    Denied {
        /// The key.
        key: String,
        /// What the store said.
        message: String,
    },
    /// The deadline passed, or every attempt ran into its own time limit. A put may have been applied all the same.
    #[error("the store did not answer in time for {key:?}")]
    TimedOut {
        /// The key.
        key: String,
    },
    /// The store can't be reached or fails, after all retries. A put may have been applied all the same.
    #[error("the store could not be reached or failed, for {key:?}: {message}")]
    Unavailable {
        /// The key.
        key: String,
        /// What happened.
        message: String,
    },
    /// What arrived does not match its checksum.
    #[error("the object {key:?} arrived damaged: {message}")]
    Damaged {
        /// The key.
        key: String,
        /// What does not agree.
        message: String,
    },
    /// The store refuses the call as it stands.
    #[error("the store refused the call for {key:?} (HTTP {status}): {message}")]
    Refused {
        /// The key.
        key: String,
        /// HTTP status, 0 when the request was never sent.
        status: u16,
        /// What the store said.
        message: String,
    },
    /// A local file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "store.not_found",
            Self::NoBucket { .. } => "store.no_bucket",
            Self::TooLarge { .. } => "store.too_large",
            Self::Denied { .. } => "store.denied",
            Self::TimedOut { .. } => "store.timed_out",
            Self::Unavailable { .. } => "store.unavailable",
            Self::Damaged { .. } => "store.damaged",
            Self::Refused { .. } => "store.refused",
            Self::File { .. } => "store.file",
        }
    }

    /// Whether what was asked for is lost, so that only making it anew helps.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Damaged { .. })
    }

    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        // A damaged object stays damaged, but the job that is run again makes it anew.
        matches!(self, Self::TimedOut { .. } | Self::Unavailable { .. } | Self::Damaged { .. })
    }

    pub(super) fn timed_out(key: &str) -> Self {
        Self::TimedOut { key: key.to_owned() }
    }

    pub(super) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// The HTTP status of a reply that is an error; 0 when there was no reply.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |reply| reply.status().as_u16())
}

/// Maps an SDK error to a [`StoreError`].
pub(super) fn classify<E>(error: SdkError<E, HttpResponse>, bucket: &str, key: &str) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let status = status(&error);
    let key = key.to_owned();
    let said = |error: &SdkError<E, HttpResponse>| match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => chain(error),
    };
    match &error {
        SdkError::TimeoutError(_) => StoreError::TimedOut { key },
        SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreError::TimedOut { key },
        // The SDK reports missing credentials as a failure to dispatch; only its message tells them apart.
        SdkError::DispatchFailure(failure)
            if failure.is_other() && failure.as_other().is_none() && chain(&error).contains("credential") =>
        {
            StoreError::Denied { key, message: said(&error) }
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            StoreError::Refused { key, status, message: said(&error) }
        }
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            StoreError::Unavailable { key, message: said(&error) }
        }
        SdkError::ConstructionFailure(_) => StoreError::Refused { key, status, message: said(&error) },
        _ => match (status, error.code()) {
            (_, Some("NoSuchBucket")) => StoreError::NoBucket { bucket: bucket.to_owned() },
            (404, _) => StoreError::NotFound { key },
            (401 | 403, _) => StoreError::Denied { key, message: said(&error) },
            (409 | 429 | 500 | 502..=504, _) | (_, Some("RequestTimeout" | "SlowDown")) => {
                StoreError::Unavailable { key, message: said(&error) }
            }
            _ => StoreError::Refused { key, status, message: said(&error) },
        },
    }
}

/// An error and what caused it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}
