//! Files that children have written. Under an expected name there may be a link to anywhere, a pipe without a writer, a device, or a
//! sparse file of terabytes.
//!
//! In: a folder that a child could write, and the name of a file in it. Out: the file's bytes, or a copy of it where no child can
//! write. A file is opened once, by its folder's descriptor and without following links; whatever is asked of it afterwards is
//! asked of that descriptor. So the file can't be replaced between two operations. These functions block.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::libc;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::unistd::{Whence, lseek};

/// Why a child's file is not read.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// There is no such file.
    #[error("it does not exist")]
    Missing,
    /// Its mode, or that of its folder, keeps us out.
    #[error("its permissions don't allow reading it")]
    Closed,
    /// Something else has its name: `a link`, `a pipe`.
    #[error("it is {0}, not a regular file")]
    Kind(&'static str),
    /// It has other hard links, so that it may be another user's file.
    #[error("it has {0} hard links instead of one")]
    Names(u64),
    /// It is larger than it can be.
    #[error("it has {size} bytes, more than the {most} allowed")]
    TooLarge {
        /// Its bytes.
        size: u64,
        /// Those that it may have.
        most: u64,
    },
    /// Parts of it were never written.
    #[error("it is a sparse file")]
    Sparse,
    /// It can't be read, or the copy not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A folder that a child may write.
#[derive(Debug)]
pub struct UntrustedFolder(OwnedFd);

impl UntrustedFolder {
    /// Opens it. To be done before the child starts, when its name can't lead elsewhere yet; or the folder above is one that no
    /// child can write.
    ///
    /// # Errors
    /// When it is no folder, or a link to one.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(Self(nix::fcntl::open(path, flags, Mode::empty())?))
    }

    /// Opens the file of that name in it: a name, not a path. It may have `most` bytes.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn file(&self, name: &str, most: u64) -> Result<UntrustedFile, Unfit> {
        // A pipe would wait for its writer, and a terminal become ours.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let resolve =
            ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let opened = match openat2(&self.0, name, OpenHow::new().flags(flags).resolve(resolve)) {
            // Before Linux 5.6, or refused by a sandbox that does not know it. Of a single name this is as strict.
            Err(Errno::ENOSYS | Errno::EPERM) if !name.contains('/') => openat(&self.0, name, flags, Mode::empty()),
            opened => opened,
        };
        let file = File::from(opened.map_err(|error| match error {
            Errno::ENOENT => Unfit::Missing,
            Errno::EACCES => Unfit::Closed,
            Errno::ELOOP | Errno::EXDEV => Unfit::Kind("a link"),
            // Of a device without a driver, and of a socket.
            Errno::ENXIO | Errno::ENODEV => Unfit::Kind("a device or a socket"),
            error => Unfit::Io(error.into()),
        })?);
        let stat = fstat(&file).map_err(io::Error::from)?;
        if let Some(kind) = other_kind(&stat) {
            return Err(Unfit::Kind(kind));
        }
        #[allow(clippy::useless_conversion, reason = "narrower on some targets")]
        if u64::from(stat.st_nlink) != 1 {
            return Err(Unfit::Names(stat.st_nlink.into()));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > most {
            return Err(Unfit::TooLarge { size, most });
        }
        // File systems that can't tell say that there is none before the end.
        let hole = lseek(&file, 0, Whence::SeekHole).unwrap_or(stat.st_size);
        if size > 0 && hole < stat.st_size {
            return Err(Unfit::Sparse);
        }
        lseek(&file, 0, Whence::SeekSet).map_err(io::Error::from)?;
        Ok(UntrustedFile { file, size })
    }
}

fn other_kind(stat: &FileStat) -> Option<&'static str> {
    match SFlag::from_bits_truncate(stat.st_mode & libc::S_IFMT) {
        SFlag::S_IFREG => None,
        SFlag::S_IFDIR => Some("a folder"),
        SFlag::S_IFIFO => Some("a pipe"),
        SFlag::S_IFLNK => Some("a link"),
        SFlag::S_IFSOCK => Some("a socket"),
        _ => Some("a device"),
    }
}

impl AsFd for UntrustedFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A regular file of a sane size that a child left, and may still change.
#[derive(Debug)]
pub struct UntrustedFile {
    file: File,
    size: u64,
}

impl UntrustedFile {
    /// Opens the file at `path`, in a folder that a child could write below folders that none could.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn open(path: &Path, most: u64) -> Result<Self, Unfit> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(Unfit::Missing)?;
        UntrustedFolder::open(path.parent().unwrap_or(Path::new(".")))?.file(name, most)
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When it can't be read, or has become shorter since it was opened.
    pub fn read(&self) -> Result<Vec<u8>, Unfit> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        (&self.file).take(self.size).read_to_end(&mut bytes)?;
        self.whole(bytes.len() as u64).map(|()| bytes)
    }

    /// Copies it to `path`, in a folder that no child can write, and gives the copy. Where the file system can, the bytes are shared,
    /// and not copied.
    ///
    /// # Errors
    /// When there is no room, or it has become shorter since it was opened.
    pub fn copy_to(&self, path: &Path) -> Result<File, Unfit> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut copy = tempfile::NamedTempFile::new_in(folder)?;
        let copied = io::copy(&mut (&self.file).take(self.size), copy.as_file_mut())?;
        self.whole(copied)?;
        Ok(copy.persist(path).map_err(|error| error.error)?)
    }

    fn whole(&self, read: u64) -> Result<(), Unfit> {
        let short = || io::Error::new(io::ErrorKind::UnexpectedEof, "it was truncated while it was read");
        if read == self.size { Ok(()) } else { Err(Unfit::Io(short())) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;

    use super::*;

    fn refused(prepare: impl FnOnce(&Path)) -> Unfit {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("child");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(home.path().join("secret"), "private").unwrap();
        prepare(&folder);
        UntrustedFolder::open(&folder).unwrap().file("clip", 1 << 20).unwrap_err()
    }

    #[test]
    fn only_a_regular_file_with_one_link_is_opened() {
        let kind = |unfit: Unfit| match unfit {
            Unfit::Kind(kind) => kind,
            other => panic!("{other}"),
        };
        assert!(matches!(refused(|_| ()), Unfit::Missing));
        let links = ["/proc/self/cwd/Cargo.toml", "../secret", "clip", "/etc/hostname", "/proc/self/fd/0", "nowhere"];
        for link in links {
            assert_eq!(kind(refused(|folder| symlink(link, folder.join("clip")).unwrap())), "a link", "{link}");
        }
        assert_eq!(kind(refused(|folder| std::fs::create_dir(folder.join("clip")).unwrap())), "a folder");
        let pipe = |folder: &Path| nix::unistd::mkfifo(&folder.join("clip"), Mode::S_IRWXU).unwrap();
        assert_eq!(kind(refused(pipe)), "a pipe");
        let socket = |folder: &Path| drop(std::os::unix::net::UnixListener::bind(folder.join("clip")).unwrap());
        assert!(kind(refused(socket)).contains("socket"));
        let hard = |folder: &Path| std::fs::hard_link(folder.join("../secret"), folder.join("clip")).unwrap();
        assert!(matches!(refused(hard), Unfit::Names(2)));
        let sparse = |size| move |folder: &Path| File::create(folder.join("clip")).unwrap().set_len(size).unwrap();
        assert!(matches!(refused(sparse(16 << 30)), Unfit::TooLarge { .. }));
        assert!(matches!(refused(sparse(1 << 19)), Unfit::Sparse));
    }

    #[test]
    fn a_link_to_a_folder_is_refused() {
        let home = tempfile::tempdir().unwrap();
        symlink("/etc", home.path().join("child")).unwrap();
        assert!(UntrustedFolder::open(&home.path().join("child")).is_err());
    }

    #[test]
    fn a_child_can_not_change_the_copy() {
        let home = tempfile::tempdir().unwrap();
        let (theirs, ours) = (home.path().join("theirs"), home.path().join("ours"));
        std::fs::write(&theirs, "as it was checked").unwrap();
        let file = UntrustedFile::open(&theirs, 1 << 20).unwrap();
        // Another file under its name changes nothing any more.
        std::fs::rename(&theirs, home.path().join("moved")).unwrap();
        symlink("/etc/passwd", &theirs).unwrap();
        std::fs::write(&ours, "an older one").unwrap();
        file.copy_to(&ours).unwrap();
        std::fs::write(home.path().join("moved"), "changed later").unwrap();
        assert_eq!(std::fs::read_to_string(&ours).unwrap(), "as it was checked");
    }

    #[test]
    fn a_file_that_is_truncated_meanwhile_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let theirs = home.path().join("theirs");
        std::fs::write(&theirs, "a clip").unwrap();
        let file = UntrustedFile::open(&theirs, 100).unwrap();
        File::options().write(true).open(&theirs).unwrap().set_len(2).unwrap();
        assert!(matches!(file.copy_to(&home.path().join("ours")), Err(Unfit::Io(_))));
        assert!(!home.path().join("ours").exists());
    }
}
