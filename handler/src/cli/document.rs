//! A document on this machine, opened for looking at: its bytes, the files beside it, and the services that draw it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use storyboard::Document;

use super::{read, store};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::intake::assets::AssetBase;
use crate::job::log::JobLogs;
use crate::services::Services;
use crate::store::Embedded;

/// Time for the embedded store to close its connections.
const CLOSE: Duration = Duration::from_secs(2);

/// The document of a file.
///
/// # Errors
/// `input.not_found`
pub(super) fn document(path: &Path) -> Result<(Document, AssetBase), JobError> {
    let (name, bytes) = read(path)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let base = AssetBase::Folder { path: folder.to_owned(), document: name.clone() };
    Ok((Document { name, bytes }, base))
}

/// What draws documents, for the length of a command.
#[derive(Debug)]
pub(super) struct Workshop {
    pub(super) services: Arc<Services>,
    embedded: Option<Embedded>,
}

impl Workshop {
    /// Opens the services on the store that the settings name.
    ///
    /// # Errors
    /// When the store can't be used, or the layers are missing.
    pub(super) async fn open(config: Config, logs: JobLogs) -> Result<Self, JobError> {
        let (embedded, store) = store(&config).await?;
        Ok(Self { services: Arc::new(Services::open(config, store, logs)?), embedded })
    }

    /// Ends what is still running.
    pub(super) async fn close(self) {
        self.services.close().await;
        if let Some(embedded) = self.embedded {
            embedded.shutdown(Deadline::after(CLOSE)).await;
        }
    }
}
