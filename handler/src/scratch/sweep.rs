//! Folders of processes that died before they could remove them (`kill -9`, a machine that lost its power).
//!
//! A process holds a lock (flock) on its folder, which the kernel takes away when the process ends, however it ends. So a folder
//! whose lock is free is not in use, even in containers that share it and number their processes on their own. A folder gets its final
//! name only when it is locked, so that no other process sees it unlocked.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PREFIX, remove_tree};
use crate::child;
use crate::deadline::Deadline;

/// What the name of a folder begins with until it is locked.
const UNLOCKED: &str = ".chalkreel-";
/// How old such a folder must be to count as left: it gets its lock at once.
const YOUNG: Duration = Duration::from_secs(60);
/// For one of them: what is left of it waits for the next start, so that one that is endless does not keep the others there.
const EACH: Duration = Duration::from_secs(60);
/// Folders that one start removes. More wait for the next: what a start finds must not keep a disk busy for long.
const MOST: usize = 1_000;

/// A new folder under `parent` with its lock; without one where the file system has none, and then nobody can take it either.
pub(super) fn locked(parent: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let closed = fs::Permissions::from_mode(0o700);
    let unlocked = tempfile::Builder::new().prefix(UNLOCKED).permissions(closed).tempdir_in(parent)?;
    child::open_to_children(unlocked.path())?;
    let lock = open(unlocked.path()).and_then(|folder| folder.lock().map(|()| folder)).ok();
    let name = unlocked.path().file_name().unwrap_or_default().to_string_lossy();
    let named = parent.join(format!("{PREFIX}{}", name.trim_start_matches(UNLOCKED)));
    // The names are random: only a folder of somebody who wants to be in the way has it already, and then this fails.
    fs::rename(unlocked.path(), &named)?;
    // It is not there any more under its first name, under which it would be removed.
    let _ = unlocked.keep();
    Ok((named, lock))
}

/// Removes what was left under `parent`, on a thread that ends with the process.
pub(super) fn begin(parent: &Path) {
    let parent = parent.to_owned();
    let thread = std::thread::Builder::new().name("sweep".to_owned());
    // Without a thread the folders stay until the next start.
    let _ = thread.spawn(move || {
        let removed = sweep(&parent);
        if removed > 0 {
            tracing::info!(folders = removed, "removed scratch folders of dead processes");
        }
    });
}

/// The number of folders that were removed.
fn sweep(parent: &Path) -> usize {
    let Ok(entries) = fs::read_dir(parent) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| is_ours(name)).filter(|name| remove(&parent.join(name)).is_some()).take(MOST).count()
}

/// Whether a folder of that name can be one of ours: the beginning, and six letters or digits.
fn is_ours(name: &str) -> bool {
    let random = name.strip_prefix(PREFIX).or_else(|| name.strip_prefix(UNLOCKED));
    random.is_some_and(|random| random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Removes a folder that no process uses.
fn remove(path: &Path) -> Option<()> {
    // Nothing is followed: a link is no folder.
    let folder = open(path).ok()?;
    let about = folder.metadata().ok()?;
    if about.uid() != nix::unistd::geteuid().as_raw() && !child::is_user_of_children(about.uid()) {
        return None;
    }
    let named = path.file_name()?.to_str()?.starts_with(PREFIX);
    if !named && about.modified().ok()?.elapsed().unwrap_or_default() < YOUNG {
        return None;
    }
    // Whoever else sweeps has the lock meanwhile.
    folder.try_lock().ok()?;
    remove_tree(path, Deadline::after(EACH)).ok().filter(|gone| *gone).map(|_| ())
}

/// A folder itself, not what a link of that name leads to.
fn open(path: &Path) -> io::Result<File> {
    let flags = nix::libc::O_DIRECTORY | nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parent: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_unlocked_folders_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        let (alive, lock) = locked(parent.path()).unwrap();
        for name in ["chalkreel-DeAd01", "chalkreel-notes", "chalkreel-toolong", "other-abcdef", ".chalkreel-young1"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("file"), "x").unwrap();
        }
        fs::create_dir(at("target")).unwrap();
        std::os::unix::fs::symlink(at("target"), at("chalkreel-link01")).unwrap();
        fs::write(at("chalkreel-file01"), "x").unwrap();
        assert_eq!(sweep(parent.path()), 1);
        let alive = alive.file_name().unwrap().to_str().unwrap().to_owned();
        let mut expected = vec![
            ".chalkreel-young1".to_owned(),
            "chalkreel-file01".to_owned(),
            "chalkreel-link01".to_owned(),
            "chalkreel-notes".to_owned(),
            "chalkreel-toolong".to_owned(),
            "other-abcdef".to_owned(),
            "target".to_owned(),
            alive,
        ];
        expected.sort();
        assert_eq!(names(parent.path()), expected);
        drop(lock);
    }

    #[test]
    fn a_folder_is_left_alone_as_long_as_its_lock_is_held() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, lock) = locked(parent.path()).unwrap();
        assert!(folder.file_name().unwrap().to_str().is_some_and(is_ours));
        assert_eq!(sweep(parent.path()), 0);
        drop(lock);
        assert_eq!(sweep(parent.path()), 1);
        assert!(names(parent.path()).is_empty());
    }
}
