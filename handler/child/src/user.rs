//! The users that children run as when the handler is root: unprivileged ones that are otherwise unused.
//!
//! What comes in: a spec. What goes out: the user for its child, once the folders that the child may write are handed to
//! that user; or the reason why it stays the handler's own. A handler that is not root can't change its user, and
//! nothing of this happens.

use std::fs::{self, Metadata, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc;
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, fchown, geteuid};

use super::spec::{Author, Spec};
use super::system;

/// The user of our own tools, and the group of all children. No passwd file names the numbers from 60,578 to 61,183: systemd
/// gives those below to people and containers, and those above to its own services (its page on UIDs and GIDs). Containers
/// with users of their own have 65,536 of them as a rule, so that they exist there too.
const TOOLS: u32 = 60_800;
const GROUP: u32 = TOOLS;
/// The first user of programs, and how many there are. Each program gets the next one, so that programs which run at the
/// same time can't signal each other or write each other's files, even where there is no Landlock.
const PROGRAMS: (u32, u32) = (TOOLS + 1, 256);

/// What a handler needs to give its children another user, and to end them afterwards: `CAP_CHOWN`, `CAP_DAC_OVERRIDE`,
/// `CAP_FOWNER`, `CAP_KILL`, `CAP_SETGID`, `CAP_SETUID`.
const NEEDED: u64 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7;
/// `CAP_DAC_READ_SEARCH`: reading files, and passing folders, that are closed to a user.
pub(super) const READ_SEARCH: u64 = 1 << 2;

/// The user that a child runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The capabilities that it keeps: none, or [`READ_SEARCH`].
    pub(super) keeps: u64,
}

/// The user for a child of `spec`, which gets the folders that it may write. None when the child stays with ours: we are
/// not root, or can't change to it, or the program's file can't be executed by other users.
pub(super) fn of(spec: &Spec, program: &Path) -> Option<User> {
    if !possible() {
        return None;
    }
    let uid = match spec.author {
        Author::Us => TOOLS,
        Author::Somebody => {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            PROGRAMS.0 + NEXT.fetch_add(1, Ordering::Relaxed) % PROGRAMS.1
        }
    };
    let user = User { uid, gid: GROUP, keeps: 0 };
    let real = program.canonicalize().ok()?;
    if real.metadata().is_ok_and(|file| file.is_file() && !user.may(&file, 0o1)) {
        return None;
    }
    for folder in &spec.confinement.write {
        if let Err(error) = hand_over(folder, uid) {
            tracing::warn!(folder = %folder.display(), %error, "can't change the owner of a child's folder; the child runs as the handler's user");
            return None;
        }
    }
    let confinement = &spec.confinement;
    let needed = confinement.read.iter().chain(&confinement.write).chain([&spec.dir, &real]);
    // What we write is as closed as our umask says.
    let closed = umask() & 0o044 != 0 || needed.into_iter().any(|path| !user.reaches(path));
    Some(User { keeps: if closed { READ_SEARCH } else { 0 }, ..user })
}

/// Opens a folder that was just made, and is closed to everybody else, to our own tools for writing, and to programs for
/// passing through. Nothing happens when children have the handler's user.
///
/// # Errors
/// When it can't be opened, or its owner not be changed.
pub fn open_to_children(folder: &Path) -> std::io::Result<()> {
    if possible() { hand_over(folder, TOOLS) } else { Ok(()) }
}

/// Gives a folder that was just made, with the files in it, to the program that already has the folder `like`.
///
/// # Errors
/// As [`open_to_children`].
pub fn open_to_program(folder: &Path, like: &Path) -> std::io::Result<()> {
    match like.symlink_metadata()?.uid() {
        uid if possible() && is_program(uid) => hand_over(folder, uid),
        _ => Ok(()),
    }
}

/// Whether this is a user that children run as. Only of a handler that is root are they.
pub fn is_user_of_children(uid: u32) -> bool {
    possible() && (uid == TOOLS || is_program(uid))
}

/// Whether the handler is root and may do everything that it takes.
pub(super) fn possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let text = |name: &str| fs::read_to_string(format!("/proc/self/{name}"));
        let groups = text("setgroups").map_or(true, |allowed| allowed.trim() == "allow");
        let mapped =
            |name: &str| text(name).map_or(true, |map| maps(&map, TOOLS) && maps(&map, PROGRAMS.0 + PROGRAMS.1));
        geteuid().is_root()
            && system::capabilities() & NEEDED == NEEDED
            && groups
            && mapped("uid_map")
            && mapped("gid_map")
    })
}

/// Whether a map of user_namespaces(7) holds this number.
fn maps(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_ascii_whitespace().map(|number| number.parse::<u64>().unwrap_or(0));
        let (first, _, count) = (numbers.next().unwrap_or(0), numbers.next(), numbers.next().unwrap_or(0));
        (first..first.saturating_add(count)).contains(&u64::from(id))
    })
}

/// Gives a folder to `uid`, its group leave to pass through, and others nothing. No link is followed at its end. Folders that others can
/// write, as `/tmp`, or that belong to another user are left as they are.
fn hand_over(folder: &Path, uid: u32) -> std::io::Result<()> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let folder = match OpenOptions::new().read(true).custom_flags(flags).open(folder) {
        Ok(folder) => folder,
        // A file, a link, or nothing: there is nothing to give.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTDIR | libc::ELOOP | libc::ENOENT)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let before = folder.metadata()?;
    let ours = before.uid() == 0 || before.uid() == TOOLS || is_program(before.uid());
    if !ours
        || before.mode() & 0o022 != 0
        || (before.uid() == uid && before.gid() == GROUP && before.mode() & 0o777 == 0o710)
    {
        return Ok(());
    }
    fchown(&folder, Some(Uid::from_raw(uid)), Some(Gid::from_raw(GROUP)))?;
    fchmod(&folder, Mode::from_bits_truncate(0o710))?;
    hand_over_files(&folder, uid)
}

/// Gives the existing files of a folder that are ours to `uid`, which may want to rewrite them. Links are left alone,
/// and files that have another name elsewhere.
fn hand_over_files(folder: &fs::File, uid: u32) -> std::io::Result<()> {
    let folder = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    for entry in fs::read_dir(&folder)?.flatten() {
        // A pipe must not keep us waiting.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(folder.join(entry.file_name())) else {
            continue;
        };
        if file.metadata().is_ok_and(|about| about.is_file() && about.uid() == 0 && about.nlink() == 1) {
            fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(GROUP)))?;
        }
    }
    Ok(())
}

fn is_program(uid: u32) -> bool {
    (PROGRAMS.0..PROGRAMS.0 + PROGRAMS.1).contains(&uid)
}

/// The bits that files made by this process lack. (`umask` itself can't be asked without being set.)
fn umask() -> u32 {
    static UMASK: OnceLock<u32> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0)
    })
}

impl User {
    /// Whether these bits of `rwx` are set for it.
    fn may(self, file: &Metadata, bits: u32) -> bool {
        let shift = if file.uid() == self.uid {
            6
        } else if file.gid() == self.gid {
            3
        } else {
            0
        };
        file.mode() >> shift & bits == bits
    }

    /// Whether it can read this file or folder, as far as that can be told without looking into the folder: it may pass
    /// through all folders above it. What isn't there is no obstacle.
    fn reaches(self, path: &Path) -> bool {
        let Ok(real) = path.canonicalize() else { return true };
        let Ok(metadata) = real.metadata() else { return true };
        let own = match metadata.is_dir() {
            // A folder that was handed over is closed for looking on purpose; its files have known names.
            true if metadata.gid() == self.gid => 0o1,
            true => 0o5,
            false => 0o4,
        };
        let above: Vec<PathBuf> = real.ancestors().skip(1).map(Path::to_owned).collect();
        let passes = |folder: &PathBuf| folder.metadata().map_or(true, |metadata| self.may(&metadata, 0o1));
        self.may(&metadata, own) && above.iter().all(passes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SOMEBODY: User = User { uid: TOOLS, gid: GROUP, keeps: 0 };

    #[test]
    fn a_map_of_users_holds_what_it_says() {
        let whole = "         0          0 4294967295\n";
        let rootless = "         0       1000          1\n         1     100000      65536\n";
        let alone = "         0       1000          1\n";
        assert_eq!([whole, rootless, alone].map(|map| maps(map, TOOLS)), [true, true, false]);
    }

    #[test]
    fn what_lies_below_a_closed_folder_is_not_reached() {
        let dir = tempfile::tempdir().unwrap();
        let closed = dir.path().join("closed");
        let file = closed.join("file");
        fs::create_dir(&closed).unwrap();
        fs::write(&file, "").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(dir.path(), 0o711);
        for (folder, mode, reached) in
            [(0o755, 0o644, true), (0o711, 0o644, true), (0o711, 0o600, false), (0o700, 0o644, false)]
        {
            set(&closed, folder);
            set(&file, mode);
            assert_eq!(SOMEBODY.reaches(&file), reached, "{folder:o} {mode:o}");
        }
        assert!(SOMEBODY.reaches(Path::new("/no/such/file")));
    }

    #[test]
    fn only_a_closed_folder_of_ours_is_handed_over() {
        if !possible() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let owner = |name: &str| dir.path().join(name).symlink_metadata().unwrap().uid();
        for (name, mode) in [("mine", 0o700), ("open", 0o1777), ("target", 0o700)] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        std::os::unix::fs::symlink(dir.path().join("target"), dir.path().join("link")).unwrap();
        for name in ["mine", "open", "link", "missing"] {
            hand_over(&dir.path().join(name), TOOLS).unwrap();
        }
        assert_eq!([owner("mine"), owner("open"), owner("target"), owner("link")], [TOOLS, 0, 0, 0]);
        assert_eq!(dir.path().join("mine").metadata().unwrap().mode() & 0o777, 0o710);
    }
}
