//! Scratch folders: one for the process, one in it for each job. They go away when they are dropped, whatever happened.

use std::io;
use std::path::{Path, PathBuf};

/// A folder that is removed, with all in it, when this is dropped.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// A new folder under `parent`, readable by this user only.
    ///
    /// # Errors
    /// When `parent` is missing, full or can't be written.
    pub fn under(parent: &Path) -> io::Result<Self> {
        tempfile::Builder::new().prefix("chalkreel-").tempdir_in(parent).map(Self)
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
