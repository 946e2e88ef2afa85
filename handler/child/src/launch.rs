//! Everything that a child needs, built before the fork: after it, nothing may be allocated.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Gid, Uid};
use seccompiler::BpfProgram;

use super::outcome::{Capabilities, Granted, StartError};
use super::spec::{Author, Limits, Mode, Spec};
use super::user::User;
use super::{landlock, report};

/// The child's descriptor of its channel.
pub(super) const CHANNEL: i32 = 3;
/// Capabilities that a child keeps when root can't give it another user: those for reading and writing files
/// (`CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH`), so that it can read what root can. Landlock says which files.
const KEPT_CAPABILITIES: u64 = 1 << 1 | 1 << 2;

/// Arrays of strings as `execve` wants them, and the strings themselves.
pub(super) struct Strings {
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

// SAFETY: the pointers point into the heap blocks of `_strings`, which move with it and are never changed.
unsafe impl Send for Strings {}

impl Strings {
    fn of(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Self { _strings: strings, pointers }
    }

    /// Ends with a null pointer.
    pub(super) fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// A child, ready to be forked.
pub(super) struct Launch {
    pub(super) facts: Facts,
    pub(super) image: Image,
    pub(super) parent_ends: ParentEnds,
    pub(super) child_ends: ChildEnds,
}

/// What the handler needs to know about a child after the fork.
pub(super) struct Facts {
    path: PathBuf,
    dir: PathBuf,
    landlock: Option<u32>,
    user: Option<User>,
}

/// What the child applies to itself.
pub(super) struct Image {
    pub(super) program: CString,
    pub(super) args: Strings,
    pub(super) env: Strings,
    pub(super) dir: CString,
    /// What is set, hard and soft alike; the mark comes with the fork.
    pub(super) limits: Vec<(libc::__rlimit_resource_t, u64)>,
    /// Whom it runs as; none for our own user.
    pub(super) user: Option<User>,
    /// The capabilities that it keeps of ours; none to keep all.
    pub(super) capabilities: Option<u64>,
    /// Whether it is confined at all, and tries whether it is.
    pub(super) confined: bool,
    /// Two files of the handler's in `/proc`, which it tries to read.
    pub(super) command_line: CString,
    pub(super) environment: CString,
    pub(super) ruleset: Option<OwnedFd>,
    pub(super) filter: Option<BpfProgram>,
    pub(super) required: bool,
}

/// The handler's ends. The pipes never block.
pub(super) struct ParentEnds {
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) report: OwnedFd,
    pub(super) channel: Option<UnixStream>,
}

/// The child's ends, all of them above the numbers that it arranges them on.
pub(super) struct ChildEnds {
    pub(super) null: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) report: OwnedFd,
    pub(super) channel: Option<OwnedFd>,
}

impl Launch {
    pub(super) fn of(spec: &Spec) -> Result<Self, StartError> {
        let path = resolve(spec)?;
        let confined = spec.confinement.mode != Mode::Off;
        let required = spec.confinement.mode == Mode::Require;
        let real: Vec<PathBuf> = path.canonicalize().into_iter().collect();
        let user = if confined { super::user::of(spec, &path) } else { None };
        let ruleset = confined.then(|| landlock::ready(&spec.confinement, &real)).flatten();
        let filter = confined.then(super::seccomp::program).flatten();
        if required && ruleset.is_none() {
            return Err(StartError::Unconfined("Landlock"));
        }
        if required && filter.is_none() {
            return Err(StartError::Unconfined("seccomp"));
        }
        let args = std::iter::once(path.as_os_str()).chain(spec.args.iter().map(OsString::as_os_str));
        let mut env: Vec<OsString> = spec.env.iter().map(|(name, value)| join(name, value)).collect();
        if spec.channel {
            env.push(join("CHALKREEL_STAGE_FD".as_ref(), CHANNEL.to_string().as_ref()));
        }
        let (stdout, stderr, report) = (pipe()?, pipe()?, pipe()?);
        let (our_channel, their_channel) = spec.channel.then(channel).transpose()?.unzip();
        if let Some(user) = user {
            // A program may open its own output once more, by its name.
            for end in [&stdout.1, &stderr.1] {
                nix::unistd::fchown(end, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)))
                    .map_err(|error| resources(&error.into()))?;
            }
        }
        let null =
            std::fs::File::options().read(true).write(true).open("/dev/null").map_err(|error| resources(&error))?;
        Ok(Self {
            image: Image {
                program: string(path.as_os_str())?,
                args: Strings::of(args.map(string).collect::<Result<_, _>>()?),
                env: Strings::of(env.iter().map(|variable| string(variable)).collect::<Result<_, _>>()?),
                dir: string(spec.dir.as_os_str())?,
                limits: limits(&spec.limits, spec.author == Author::Somebody && user.is_none()),
                capabilities: confined.then(|| {
                    let kept = user.map_or(KEPT_CAPABILITIES, |user| user.keeps);
                    super::system::capabilities() & kept
                }),
                user,
                confined,
                command_line: of_handler("cmdline")?,
                environment: of_handler("environ")?,
                filter,
                required,
                ruleset: None,
            }
            .under(ruleset.as_ref())?,
            parent_ends: ParentEnds { stdout: stdout.0, stderr: stderr.0, report: report.0, channel: our_channel },
            child_ends: ChildEnds {
                null: high(&null)?,
                stdout: stdout.1,
                stderr: stderr.1,
                report: report.1,
                channel: their_channel,
            },
            facts: Facts { path, dir: spec.dir.clone(), landlock: ruleset.map(|ready| ready.abi), user },
        })
    }
}

impl Image {
    fn under(self, ruleset: Option<&landlock::Ready>) -> Result<Self, StartError> {
        Ok(Self { ruleset: ruleset.map(|ready| high(&ready.ruleset)).transpose()?, ..self })
    }
}

impl Facts {
    /// What `steps`, the bits that the child reported, and the capabilities that it has left amount to.
    pub(super) fn granted(&self, steps: u64, capabilities: u64, marked: bool) -> Granted {
        let has = |step: u64| steps & step != 0;
        let landlock = self.landlock.filter(|_| has(report::LANDLOCK) && has(report::FILES));
        Granted {
            landlock,
            signals_scoped: has(report::SIGNALS),
            seccomp: has(report::SECCOMP),
            no_new_privs: has(report::NO_NEW_PRIVS),
            user: self.user.filter(|_| has(report::USER)).map(|user| user.uid),
            not_root: has(report::USER),
            capabilities: Capabilities(capabilities),
            capabilities_dropped: capabilities == 0,
            limits: has(report::LIMITS),
            swept: marked && nix::sys::prctl::get_child_subreaper().unwrap_or(false),
            handler_hidden: has(report::HANDLER),
            processes_hidden: has(report::PROCESSES),
            metadata_refused: has(report::METADATA),
            sockets_refused: has(report::SOCKETS),
            shared_memory_refused: has(report::SHARED),
            memory_files_refused: has(report::MEMORY_FILES),
            priorities_kept: has(report::PRIORITY),
        }
    }

    /// What a failure means that the child reported.
    pub(super) fn failure(&self, step: u8, detail: u64, granted: Granted) -> StartError {
        let errno = i32::try_from(detail).unwrap_or_default();
        match step {
            report::FAILED_EXEC => exec_error(&self.path, errno),
            report::FAILED_FOLDER => StartError::Folder(self.dir.clone(), reason(errno)),
            report::FAILED_CONFINEMENT => {
                StartError::Unconfined(granted.missing().first().copied().unwrap_or("the confinement"))
            }
            _ => StartError::Other { step: "the child could not be set up", reason: reason(errno) },
        }
    }
}

/// A file of the handler's in `/proc`.
fn of_handler(name: &str) -> Result<CString, StartError> {
    string(format!("/proc/{}/{name}", std::process::id()).as_ref())
}

/// The program's path: as it is when it has a slash, otherwise through the `PATH` that the child gets.
fn resolve(spec: &Spec) -> Result<PathBuf, StartError> {
    if spec.program.as_os_str().as_bytes().contains(&b'/') {
        return Ok(spec.program.clone());
    }
    let paths = spec.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone()).unwrap_or_default();
    std::env::split_paths(&paths)
        .map(|folder| folder.join(&spec.program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| StartError::Missing(spec.program.clone()))
}

/// `shares_user` says that the child is not ours, and has the handler's own user.
fn limits(limits: &Limits, shares_user: bool) -> Vec<(libc::__rlimit_resource_t, u64)> {
    // A core dump of a child would fill the disk with a copy of its memory.
    let mut set = vec![(libc::RLIMIT_CORE, 0)];
    set.extend(limits.memory.map(|bytes| (libc::RLIMIT_DATA, bytes)));
    set.extend(limits.address_space.map(|bytes| (libc::RLIMIT_AS, bytes)));
    set.extend(limits.cpu_seconds.map(|seconds| (libc::RLIMIT_CPU, seconds)));
    set.extend(limits.file_size.map(|bytes| (libc::RLIMIT_FSIZE, bytes)));
    set.extend(limits.open_files.map(|files| (libc::RLIMIT_NOFILE, files)));
    // The kernel counts all threads of the user, so those that exist now come on top. It is a backstop only: the
    // supervisor counts the tree itself.
    set.extend(limits.processes.map(|processes| {
        let (now, most) = (threads(), processes * Limits::THREADS);
        let allowed = if shares_user { share(process_limit(), now) } else { u64::MAX };
        (libc::RLIMIT_NPROC, allowed.min(now + most))
    }));
    set
}

/// Of a user's limit on threads, what a child may use that has the same user: a quarter of what is free stays for the handler and its
/// other children. `now` is how many threads there are.
fn share(limit: u64, now: u64) -> u64 {
    limit - limit.saturating_sub(now) / 4
}

/// How many threads the handler's user may have, as far as the kernel limits that.
fn process_limit() -> u64 {
    getrlimit(Resource::RLIMIT_NPROC).map_or(u64::MAX, |(soft, _)| soft)
}

/// Threads of this machine, as `/proc/loadavg` counts them in its fourth field.
fn threads() -> u64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let total = load.split(' ').nth(3).and_then(|field| field.split('/').nth(1)).and_then(|total| total.parse().ok());
    // Some sandboxes show no such file; then this many is more than any Lambda environment has.
    total.unwrap_or(4096)
}

fn join(name: &OsStr, value: &OsStr) -> OsString {
    let mut variable = name.to_owned();
    variable.push("=");
    variable.push(value);
    variable
}

fn string(text: &OsStr) -> Result<CString, StartError> {
    CString::new(text.as_bytes()).map_err(|_| StartError::Arguments("one of them holds a zero byte".to_owned()))
}

fn resources(error: &std::io::Error) -> StartError {
    StartError::Resources(error.to_string())
}

/// A copy above the descriptors that the child arranges (0 to 5), closed on exec.
fn high(descriptor: &impl std::os::fd::AsFd) -> Result<OwnedFd, StartError> {
    use std::os::fd::FromRawFd as _;
    let copy = fcntl(descriptor.as_fd(), FcntlArg::F_DUPFD_CLOEXEC(10)).map_err(|error| resources(&error.into()))?;
    // SAFETY: the kernel just gave us this descriptor, and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// A pipe: our end, which never blocks, and the child's.
fn pipe() -> Result<(OwnedFd, OwnedFd), StartError> {
    let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(|error| resources(&error.into()))?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| resources(&error.into()))?;
    Ok((ours, high(&theirs)?))
}

fn channel() -> Result<(UnixStream, OwnedFd), StartError> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| resources(&error))?;
    ours.set_nonblocking(true).map_err(|error| resources(&error))?;
    Ok((ours, high(&theirs)?))
}

/// What an `exec` that failed means, in the program's terms.
fn exec_error(path: &Path, errno: i32) -> StartError {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path.to_owned();
    let metadata = path.metadata();
    match errno {
        libc::ENOENT if metadata.is_ok() => StartError::InterpreterMissing(path),
        libc::ENOENT | libc::ENOTDIR => StartError::Missing(path),
        libc::EACCES => match metadata {
            Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => StartError::Refused(path),
            Ok(_) => StartError::NotExecutable(path),
            Err(_) => StartError::Refused(path),
        },
        libc::ENOEXEC | libc::ELIBBAD if is_elf(&path) => StartError::WrongArchitecture(path),
        libc::ENOEXEC | libc::ELIBBAD => StartError::NotAProgram(path),
        libc::E2BIG => StartError::Arguments("they are too long".to_owned()),
        libc::ENOMEM | libc::EAGAIN | libc::EMFILE | libc::ENFILE => StartError::Resources(reason(errno)),
        _ => StartError::Other { step: "the program could not be executed", reason: reason(errno) },
    }
}

fn is_elf(path: &Path) -> bool {
    use std::io::Read as _;
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && &magic == b"\x7fELF"
}

/// The system's words for an error number.
fn reason(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_with_our_user_leaves_us_a_quarter_of_the_free_threads() {
        assert_eq!([share(400, 200), share(200, 200), share(100, 200)], [350, 200, 100]);
    }
}
