//! Scratch folders: one for the process, one in it for each job. They are removed when they are dropped; those of
//! processes that died before are removed when the next one starts.

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

/// How long a folder's removal may go on in the background: longer than ending any child takes, and than a million files take.
const LONGEST: Duration = Duration::from_secs(60);
/// The wait between two tries.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a job waits for the removal at its end.
const PATIENCE: Duration = Duration::from_millis(500);

/// A job's folder for its children, and the one for verified clips.
const WORK: &str = "work";
const CLIPS: &str = "clips";

/// The folder for verified clips, next to the folder of a job's children, none of which can change them there.
pub fn clips_beside(work: &Path) -> PathBuf {
    work.with_file_name(CLIPS)
}

/// The prefix of our folders' names.
const PREFIX: &str = "chalkreel-";

/// A folder that is removed, with all in it, when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// Locked as long as the folder is in use.
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

    /// The same for a whole process, with a lock that shows that it is alive. On a thread of its own, it also removes the folders of dead
    /// processes of this user under `parent`.
    ///
    /// # Errors
    /// As [`Scratch::under`].
    pub fn of_process(parent: &Path) -> io::Result<Self> {
        let (folder, lock) = sweep::locked(parent)?;
        sweep::begin(parent);
        Ok(Self { folder, _lock: lock })
    }

    /// Moves it to `path`, on the same file system.
    ///
    /// # Errors
    /// When something is there.
    pub fn moved_to(mut self, path: PathBuf) -> io::Result<Self> {
        std::fs::rename(&self.folder, &path)?;
        self.folder = path;
        Ok(self)
    }

    /// Removes it, even while a child that is being ended writes into it. When that takes long, it continues in the background.
    pub async fn clear(mut self) {
        discard(std::mem::take(&mut self.folder)).await;
    }

    /// The folder for a job's children; it exists after [`Scratch::divide`].
    pub fn work(&self) -> PathBuf {
        self.path().join(WORK)
    }

    /// Makes the two folders of a job: one for its children, and one for verified clips, which they can't write.
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
            tracing::warn!("can't remove {}; the next process removes it", self.folder.display());
        }
    }
}

/// Removes `folder` on another thread, and waits half a second for that. After that the removal goes on for up to a minute, and a
/// failure is logged.
pub async fn discard(folder: PathBuf) {
    let removed = tokio::task::spawn_blocking(move || {
        let deadline = Deadline::after(LONGEST);
        loop {
            match remove_tree(&folder, deadline) {
                Ok(true) => return,
                // A child that is still being ended may hold on to something.
                Err(_) if !deadline.passed() => std::thread::sleep(AGAIN),
                Ok(false) => {
                    return tracing::warn!("can't remove {} within a minute: it has too many files", folder.display());
                }
                Err(error) => return tracing::warn!(%error, "can't remove {}", folder.display()),
            }
        }
    });
    // What is not done by then goes on.
    let _ = tokio::time::timeout(PATIENCE, removed).await;
}
