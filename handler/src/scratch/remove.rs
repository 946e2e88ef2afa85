//! Removes a folder that an untrusted program could fill: endlessly nested folders, a million files, folders without permissions.
//!
//! Nothing here recurses, and no more than four descriptors are open at a time: a folder that is not empty gives its own folders
//! to the top of the tree, and is then empty. No link is followed, and nothing outside of the tree is touched, even when a
//! process that is still alive changes the tree meanwhile.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::deadline::Deadline;

/// Names that are read of a folder at a time: their memory is bounded, whatever lies there.
const BATCH: usize = 512;
/// Names that are tried for a folder that moves to the top: each is random, so that a second one is hardly ever needed.
const NAMES: u32 = 16;

/// Removes the folder `path` with all in it, and says whether it is gone; `false` when `deadline` came first. What is not there
/// is gone. It blocks, on some disks for 3 ms a folder,
/// so it belongs on a thread that may wait.
///
/// # Errors
/// What this user may not remove: something mounted there, a file system that became read-only.
pub fn remove_tree(path: &Path, deadline: Deadline) -> io::Result<bool> {
    loop {
        let folder = match open_folder(AT_FDCWD, path) {
            Ok(folder) => folder,
            Err(Errno::ENOENT) => return Ok(true),
            // Not a folder, but perhaps a link or a file.
            Err(Errno::ENOTDIR | Errno::ELOOP) => return Ok(remove(AT_FDCWD, path)?),
            Err(error) => return Err(error.into()),
        };
        if !empty(&folder, &folder, deadline)? {
            return Ok(false);
        }
        // Something that is still alive may have put a file there since; then it is emptied once more.
        if remove(AT_FDCWD, path)? {
            return Ok(true);
        }
    }
}

/// Empties `folder`, whose folders go to `top` when they have something in them; false when `deadline` came first.
fn empty(folder: &OwnedFd, top: &OwnedFd, deadline: Deadline) -> nix::Result<bool> {
    let is_top = folder.as_raw_fd() == top.as_raw_fd();
    loop {
        let names = names(folder)?;
        if names.is_empty() {
            return Ok(true);
        }
        for name in &names {
            if deadline.passed() {
                return Ok(false);
            }
            if remove(folder, name.as_c_str())? {
                continue;
            }
            if !is_top {
                to_the_top(folder, name, top)?;
                continue;
            }
            // One level below the top, and no deeper: what lies further down comes up first.
            match open_folder(top, name.as_c_str()) {
                Ok(inner) if !empty(&inner, top, deadline)? => return Ok(false),
                // It is gone, or has become something else: the next round sees.
                Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
                Err(error) => return Err(error),
            }
            remove(top, name.as_c_str())?;
        }
    }
}

/// Some of the names in a folder.
fn names(folder: &OwnedFd) -> nix::Result<Vec<CString>> {
    let mut dir = Dir::openat(folder, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut names = Vec::new();
    for entry in dir.iter() {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
        if names.len() == BATCH {
            break;
        }
    }
    Ok(names)
}

/// Removes a file, a link or an empty folder; false when it is a folder with something in it.
fn remove<P: ?Sized + nix::NixPath>(folder: impl AsFd, name: &P) -> nix::Result<bool> {
    match unlinkat(&folder, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => return Ok(true),
        // Of a folder Linux says the first, POSIX the second.
        Err(Errno::EISDIR | Errno::EPERM) => {}
        Err(error) => return Err(error),
    }
    match unlinkat(&folder, name, UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(true),
        Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

fn to_the_top(folder: &OwnedFd, name: &CStr, top: &OwnedFd) -> nix::Result<()> {
    // Whoever moves a folder must be able to write it, for its own `..` changes. What can't be opened is seen in the next round.
    drop(open_folder(folder, name));
    for _ in 0..NAMES {
        let to = format!(".removed-{:016x}", fastrand::u64(..));
        match renameat(folder, name, top, to.as_str()) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(Errno::EEXIST | Errno::ENOTEMPTY | Errno::ENOTDIR) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Errno::EEXIST)
}

/// A folder as a place for names, which its owner can read and change from now on.
fn open_folder<P: ?Sized + nix::NixPath>(parent: impl AsFd, name: &P) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let folder = openat(parent, name, flags, Mode::empty())?;
    let mode = fstat(&folder)?.st_mode;
    if mode & 0o700 != 0o700 {
        // By its descriptor: a name could be another file's by now. When it is refused, so is what comes next.
        let itself = format!("/proc/self/fd/{}", folder.as_raw_fd());
        let _ = std::fs::set_permissions(itself, std::fs::Permissions::from_mode(0o700));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    /// In memory where there is such a place: some disks take 3 ms to remove a folder.
    fn home() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
    }

    /// A chain of folders, made from the inside out, as no path is long enough for it.
    fn nest(top: &Path, depth: usize) {
        let top = nix::fcntl::open(top, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        nix::sys::stat::mkdirat(&top, "chain", Mode::S_IRWXU).unwrap();
        for level in 0..depth {
            let (inner, outer) = if level % 2 == 0 { ("chain", "other") } else { ("other", "chain") };
            nix::sys::stat::mkdirat(&top, outer, Mode::S_IRWXU).unwrap();
            let into = openat(&top, outer, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
            renameat(&top, inner, &into, "d").unwrap();
        }
    }

    #[test]
    fn deeply_nested_folders_are_removed_with_few_descriptors() {
        let home = home();
        let top = home.path().join("top");
        std::fs::create_dir(&top).unwrap();
        nest(&top, 30_000);
        assert!(remove_tree(&top, soon()).unwrap());
        assert!(!top.exists());
    }

    #[test]
    fn many_files_and_folders_without_permissions_are_removed() {
        let home = home();
        let top = home.path().join("top");
        for branch in 0..20 {
            let deep = top.join(format!("{branch}/a/b"));
            std::fs::create_dir_all(&deep).unwrap();
            for file in 0..200 {
                std::fs::write(deep.join(file.to_string()), "x").unwrap();
            }
            std::fs::set_permissions(deep.parent().unwrap(), std::fs::Permissions::from_mode(0o0)).unwrap();
        }
        std::fs::set_permissions(&top, std::fs::Permissions::from_mode(0o0)).unwrap();
        assert!(remove_tree(&top, soon()).unwrap());
        assert!(!top.exists());
    }

    #[test]
    fn targets_of_links_are_not_removed() {
        let home = home();
        let (top, other) = (home.path().join("top"), home.path().join("other"));
        std::fs::create_dir_all(top.join("inner")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("precious"), "x").unwrap();
        for link in ["link", "inner/link"] {
            std::os::unix::fs::symlink(&other, top.join(link)).unwrap();
        }
        std::os::unix::fs::symlink(&other, home.path().join("itself")).unwrap();
        assert!(remove_tree(&home.path().join("itself"), soon()).unwrap());
        assert!(remove_tree(&top, soon()).unwrap());
        assert!(!top.exists() && other.join("precious").exists());
    }

    #[test]
    fn a_deadline_stops_it_and_another_call_continues() {
        let home = home();
        let top = home.path().join("top");
        std::fs::create_dir(&top).unwrap();
        nest(&top, 1_000);
        assert!(!remove_tree(&top, Deadline::after(Duration::ZERO)).unwrap());
        assert!(top.exists());
        assert!(remove_tree(&top, soon()).unwrap());
        assert!(remove_tree(&top, soon()).unwrap(), "what is gone is gone");
    }
}
