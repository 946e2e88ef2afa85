//! Scratch folders: one for the process, one in it for each job. They go away when they are dropped, whatever happened; and those of
//! processes that could not do that any more, when the next one starts.

mod remove;
mod sweep;

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child;
use crate::deadline::Deadline;

pub use remove::remove_tree;

/// How long a folder's removal may go on behind a job: longer than any child takes to be ended, and than a million files take.
const LONGEST: Duration = Duration::from_secs(60);
/// The wait between two tries.
const AGAIN: Duration = Duration::from_millis(50);
/// What a job waits for that at its end.
const PATIENCE: Duration = Duration::from_millis(500);

/// The folder of a job that its children write, and the one of clips that were checked.
const WORK: &str = "work";
const CLIPS: &str = "clips";

/// Where the clips lie that were checked, beside the folder in which a job's children work: none of them can change a clip after that.
pub fn clips_beside(work: &Path) -> PathBuf {
    work.with_file_name(CLIPS)
}

/// What the names of our folders begin with.
const PREFIX: &str = "chalkreel-";

/// A folder that is removed, with all in it, when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// Held as long as the folder is in use.
    _lock: Option<File>,
}

impl Scratch {
    /// A new folder under `parent`, readable by this user only, and by the users of our children when this one is root.
    ///
    /// # Errors
    /// When `parent` is missing, full or can't be written.
    pub fn under(parent: &Path) -> io::Result<Self> {
        let closed = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(PREFIX).permissions(closed).tempdir_in(parent)?;
        child::open_to_children(folder.path())?;
        // Its own way of removal recurses, with a descriptor for each level.
        Ok(Self { folder: folder.keep(), _lock: None })
    }

    /// The same for a whole process, which others see to be alive; and what dead processes of this user left under `parent` begins to
    /// be removed, on a thread of its own.
    ///
    /// # Errors
    /// As [`Scratch::under`].
    pub fn of_process(parent: &Path) -> io::Result<Self> {
        let (folder, lock) = sweep::locked(parent)?;
        sweep::begin(parent);
        Ok(Self { folder, _lock: lock })
    }

    /// Removes it, although a child that is being ended may still write into it. It goes on behind the caller's back when
    /// that takes long; nothing can come back into a folder that is gone.
    pub async fn clear(mut self) {
        discard(std::mem::take(&mut self.folder)).await;
    }

    /// Where a job's children work. It is there after [`Scratch::divide`].
    pub fn work(&self) -> PathBuf {
        self.path().join(WORK)
    }

    /// Makes the two folders of a job: one that its children write, and one beside it that none of them can.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn divide(self) -> io::Result<Self> {
        for folder in [self.work(), clips_beside(&self.work())] {
            std::fs::create_dir(&folder)?;
            // Our own tools read it as another user, whatever the umask says; the folder above is closed to all others.
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(self)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// A file of that name in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left then is swept by the next process. One that was cleared has no path any more.
        let gone = self.folder.as_os_str().is_empty();
        if !gone && !remove_tree(&self.folder, Deadline::after(PATIENCE)).unwrap_or(false) {
            tracing::warn!("{} is left", self.folder.display());
        }
    }
}

/// Removes `folder` on another thread, and waits half a second for that. What takes longer goes on for a minute, and what is left
/// then is told.
pub async fn discard(folder: PathBuf) {
    let removed = tokio::task::spawn_blocking(move || {
        let deadline = Deadline::after(LONGEST);
        loop {
            match remove_tree(&folder, deadline) {
                Ok(true) => return,
                // A child that is still being ended may hold on to something.
                Err(_) if !deadline.passed() => std::thread::sleep(AGAIN),
                Ok(false) => return tracing::warn!("{} is left: it holds too much", folder.display()),
                Err(error) => return tracing::warn!(%error, "{} can't be removed", folder.display()),
            }
        }
    });
    // What is not done by then goes on.
    let _ = tokio::time::timeout(PATIENCE, removed).await;
}
