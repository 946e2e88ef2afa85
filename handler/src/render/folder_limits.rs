//! Limits on what a program may write to its folder while it runs, so that it can't fill the disk, or make a tree that takes minutes to
//! remove.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::dir::{Dir, OwningIter};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::sys::statvfs::statvfs;

use crate::untrusted_file::UntrustedFolder;

/// Files and folders. Manim leaves some dozens; a document of formulas set by TeX, with its caches, some hundreds.
const ENTRIES: u64 = 20_000;
/// Depth of nested folders. TeX's caches have 9.
const DEPTH: usize = 32;
/// Bytes, and what part of the free room: four programs may run at a time.
const BYTES: u64 = 4 << 30;
const PART: u64 = 4;
/// From one look to the next: at least this, and at least so many times what the look took, so that a busy folder costs two
/// percent of a processor.
const PAUSE: Duration = Duration::from_millis(100);
const RESTS: u32 = 50;

/// The limits of one program's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FolderLimits {
    /// Bytes on the disk, of all files together, and so of each.
    pub(super) bytes: u64,
}

impl FolderLimits {
    /// For a folder that is still empty.
    pub(super) fn of(folder: &Path) -> Self {
        let free = statvfs(folder).map_or(BYTES, |disk| disk.blocks_available() * disk.fragment_size());
        Self { bytes: BYTES.min(free / PART) }
    }

    /// Checks the folder periodically until a limit is exceeded, and says which.
    pub(super) async fn exceeded(self, path: &Path) -> String {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let path = path.to_owned();
            let looked = tokio::task::spawn_blocking(move || {
                let began = Instant::now();
                (self.check(&path), began.elapsed())
            });
            match looked.await {
                Ok((Some(why), _)) => return why,
                Ok((None, took)) => pause = PAUSE.max(took * RESTS),
                // The runtime ends.
                Err(_) => return std::future::pending().await,
            }
        }
    }

    /// One check, which ends at the first limit exceeded. Files that change meanwhile may be missed. It blocks.
    pub(super) fn check(self, path: &Path) -> Option<String> {
        let folder = UntrustedFolder::open(path).ok()?;
        let (mut entries, mut bytes) = (0, 0_u64);
        // Two descriptors for each level, of which there are few.
        let mut levels = vec![open(&folder, c".").ok()?];
        loop {
            let depth = levels.len();
            let (level, names) = levels.last_mut()?;
            let Some(Ok(entry)) = names.next() else {
                levels.pop();
                continue;
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            entries += 1;
            if entries > ENTRIES {
                return Some(format!("it wrote more than {ENTRIES} files and folders"));
            }
            let Ok(file) = fstatat(&level, name, AtFlags::AT_SYMLINK_NOFOLLOW) else { continue };
            // In units of 512 bytes, whatever the file system's own are.
            bytes += u64::try_from(file.st_blocks).unwrap_or(0) * 512;
            if bytes > self.bytes {
                return Some(format!("it wrote more than {} MB", self.bytes >> 20));
            }
            if SFlag::from_bits_truncate(file.st_mode & SFlag::S_IFMT.bits()) != SFlag::S_IFDIR {
                continue;
            }
            if depth >= DEPTH {
                return Some(format!("it nested more than {DEPTH} folders"));
            }
            match open(&level, name) {
                Ok(inner) => levels.push(inner),
                // It is gone, or another kind of thing by now.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
                Err(_) => return Some("it made a folder that can't be read".to_owned()),
            }
        }
    }
}

/// A folder, and the names in it.
fn open(folder: impl AsFd, name: &CStr) -> nix::Result<(OwnedFd, OwningIter)> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let folder = openat(folder, name, flags, Mode::empty())?;
    let names = Dir::openat(&folder, c".", flags, Mode::empty())?;
    Ok((folder, names.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(bytes: u64, fill: impl FnOnce(&Path)) -> Option<String> {
        let home = tempfile::tempdir().unwrap();
        fill(home.path());
        FolderLimits { bytes }.check(home.path())
    }

    #[test]
    fn a_folder_is_bounded_in_files_folders_and_bytes() {
        let write = |name: &'static str, bytes: usize| {
            move |home: &Path| std::fs::write(home.join(name), vec![1; bytes]).unwrap()
        };
        assert_eq!(checked(1 << 20, |_| ()), None);
        assert_eq!(checked(1 << 20, write("a", 1 << 19)), None);
        assert!(checked(1 << 20, write("a", 1 << 21)).unwrap().contains("1 MB"));
        let nest = |depth: usize| move |home: &Path| std::fs::create_dir_all(home.join("d/".repeat(depth))).unwrap();
        assert_eq!(checked(1 << 30, nest(DEPTH - 1)), None);
        assert!(checked(1 << 30, nest(DEPTH + 1)).unwrap().contains("folders"));
        let many = |home: &Path| {
            (0..=ENTRIES).for_each(|file| drop(std::fs::File::create(home.join(file.to_string())).unwrap()))
        };
        assert!(checked(1 << 30, many).unwrap().contains("files"));
    }

    #[test]
    fn links_are_not_followed() {
        let link = |home: &Path| std::os::unix::fs::symlink("/usr", home.join("link")).unwrap();
        assert_eq!(checked(1 << 20, link), None);
        let itself = |home: &Path| std::os::unix::fs::symlink(".", home.join("link")).unwrap();
        assert_eq!(checked(1 << 20, itself), None);
    }
}
