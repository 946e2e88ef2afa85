//! The file confinement (Landlock): what a child may read and write, built before the fork as one descriptor.
//!
//! The crate's own `restrict_self` allocates, and a forked child of a process with threads must not. So only the
//! ruleset is made with it; the child itself makes the one system call that puts it on.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};

use nix::libc;

use super::spec::Confinement;

/// The newest interface that this was tested with (Linux 6.15). Older kernels get what they know of it.
const TESTED: ABI = ABI::V7;

/// What every program needs: the C library and its loader, what `/proc` says of the machine, and devices that hold nothing.
/// Of processes `/proc` shows a child its own entry alone, which has no name before the fork and is added after it (see
/// `fork`): the command lines of others name files and addresses.
const ALWAYS_READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
];
const ALWAYS_WRITE: &[&str] = &["/dev/null"];
/// Settings that libraries read, all of which everybody may read by nature. What else lies in `/etc` (keys, passwords,
/// addresses) is nobody's here. TeX's, Ghostscript's and Python's own settings lie here on Debian.
const SETTINGS: &[&str] = &[
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/ghostscript",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/papersize",
    "/etc/passwd",
    "/etc/python3",
    "/etc/ssl/openssl.cnf",
    "/etc/texmf",
    "/etc/timezone",
];

/// A ruleset, ready to be put on.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) ruleset: OwnedFd,
    /// The version of the interface in use.
    pub(super) abi: u32,
}

/// The version of the interface that this kernel and this module both know; none without Landlock.
fn abi() -> Option<u32> {
    super::system::landlock_abi().map(|abi| abi.min(TESTED as u32))
}

/// The ruleset for this confinement and program; none without Landlock.
pub(super) fn ready(confinement: &Confinement, program: &[PathBuf]) -> Option<Ready> {
    let abi = abi()?;
    // Only a kernel that says one thing and does another fails here; that is as good as no Landlock.
    let ruleset = ruleset(confinement, program)
        .inspect_err(|error| tracing::warn!(%error, "can't build the Landlock ruleset; children run without Landlock"))
        .ok()?;
    Some(Ready { ruleset: Option::<OwnedFd>::from(ruleset)?, abi })
}

fn ruleset(confinement: &Confinement, program: &[PathBuf]) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(TESTED);
    let look = AccessFs::ReadFile | AccessFs::ReadDir;
    let kept: BitFlags<AccessFs> = AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock;
    let write = AccessFs::from_all(TESTED) & !kept;
    // An administrator may have closed one; root would open it all the same.
    let open = |path: &&PathBuf| path.metadata().is_ok_and(|file| file.mode() & 0o004 != 0);
    let settings: Vec<PathBuf> = SETTINGS.iter().map(PathBuf::from).chain(pythons()).collect();
    let (always, looked): (Vec<&str>, Vec<&str>) =
        ALWAYS_READ.iter().partition(|path| !["/proc", "/sys", "/dev"].iter().any(|root| path.starts_with(root)));
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(AccessNet::from_all(TESTED))?
        .scope(Scope::from_all(TESTED))?
        .create()?
        .add_rules(path_beneath_rules(always, read))?
        .add_rules(path_beneath_rules(looked, look))?
        .add_rules(path_beneath_rules(settings.iter().filter(open), look))?
        .add_rules(path_beneath_rules(program, read))?
        .add_rules(path_beneath_rules(&confinement.read, read))?
        .add_rules(path_beneath_rules(ALWAYS_WRITE, write))?
        .add_rules(path_beneath_rules(&confinement.write, write))
}

/// The settings of each Python of Debian (`/etc/python3.11`): its `sitecustomize` is a link into it.
fn pythons() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/etc").into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().as_bytes().starts_with(b"python3."));
    named.map(|entry| entry.path()).collect()
}

/// What a child adds to its ruleset by itself: reading beneath a folder. The layout is that of the kernel's
/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
pub(super) struct ReadBeneath {
    allowed: u64,
    folder: i32,
}

/// The number of `LANDLOCK_RULE_PATH_BENEATH`.
pub(super) const PATH_BENEATH: libc::c_int = 1;

impl ReadBeneath {
    /// Of this descriptor.
    pub(super) const fn of(folder: i32) -> Self {
        // LANDLOCK_ACCESS_FS_READ_FILE and LANDLOCK_ACCESS_FS_READ_DIR
        Self { allowed: 1 << 2 | 1 << 3, folder }
    }
}
