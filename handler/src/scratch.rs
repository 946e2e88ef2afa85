//! Scratch folders: one for the process, one in it for each job. They go away when they are dropped, whatever happened.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child;

/// Times that a folder's removal is tried, and the wait between: longer than any child takes to be ended.
const TRIES: u32 = 100;
const AGAIN: Duration = Duration::from_millis(50);
/// What a job waits for that at its end.
const PATIENCE: Duration = Duration::from_millis(500);

/// A folder that is removed, with all in it, when this is dropped.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// A new folder under `parent`, readable by this user only, and by the users of our children when this one is root.
    ///
    /// # Errors
    /// When `parent` is missing, full or can't be written.
    pub fn under(parent: &Path) -> io::Result<Self> {
        let closed = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("chalkreel-").permissions(closed).tempdir_in(parent)?;
        child::open_to_children(folder.path())?;
        Ok(Self(folder))
    }

    /// Removes it, although a child that is being ended may still write into it. It goes on behind the caller's back when
    /// that takes long; nothing can come back into a folder that is gone.
    pub async fn clear(self) {
        let cleared = tokio::spawn(async move {
            let path = self.path();
            for _ in 0..TRIES {
                match tokio::fs::remove_dir_all(path).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => tokio::time::sleep(AGAIN).await,
                    _ => return,
                }
            }
            tracing::warn!("{} can't be removed", path.display());
        });
        // What is not done by then goes on, and a task that panicked has dropped the folder.
        let _ = tokio::time::timeout(PATIENCE, cleared).await;
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file of that name in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
