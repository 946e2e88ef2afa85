//! Observers of the embedded store: the trigger of `chalkreel serve`, and tests that compare policies with the calls made.

use std::fmt;
use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

/// Is told what happens in an embedded store. It is called in the middle of a request, so it must not block.
pub trait StoreObserver: fmt::Debug + Send + Sync + 'static {
    /// A call that may be made begins: its name as S3 has it (`GetObject`), and its key, if it has one.
    fn called(&self, operation: &str, key: Option<&str>) {
        let _ = (operation, key);
    }

    /// An object was created or replaced. `etag` has no quotes.
    fn created(&self, bucket: &str, key: &str, etag: &str) {
        let _ = (bucket, key, etag);
    }
}

/// Observes nothing.
#[derive(Debug)]
pub(super) struct NoObserver;

impl StoreObserver for NoObserver {}

/// Allows signed requests, and reports them to the observer.
pub(super) struct AccessCheck(pub(super) Arc<dyn StoreObserver>);

#[async_trait::async_trait]
impl S3Access for AccessCheck {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        let key = match context.s3_path() {
            S3Path::Object { key, .. } => Some(&**key),
            _ => None,
        };
        self.0.called(context.s3_op().name(), key);
        Ok(())
    }
}
