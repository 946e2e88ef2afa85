//! The file confinement (Landlock): what a child may read and write, built before the fork as one descriptor.
//!
//! The crate's own `restrict_self` allocates, and a forked child of a process with threads must not. So only the
//! ruleset is made with it; the child itself makes the one system call that puts it on.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};

use super::spec::Confinement;

/// The newest interface that this was tested with (Linux 6.15). Older kernels get what they know of it.
const TESTED: ABI = ABI::V7;

/// What every program needs: the C library and its loader, and devices that hold nothing. `/proc` as a whole, since a
/// child's own folder in it has no name before the fork; Landlock itself closes what other processes keep there
/// (memory, environment, descriptors) to a confined process.
const ALWAYS_READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
];
const ALWAYS_WRITE: &[&str] = &["/dev/null"];

/// A ruleset, ready to be put on.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) ruleset: OwnedFd,
    /// The version of the interface in use.
    pub(super) abi: u32,
}

/// The version of the interface that this kernel and this room both know; none without Landlock.
fn abi() -> Option<u32> {
    super::system::landlock_abi().map(|abi| abi.min(TESTED as u32))
}

/// Whether signals to processes outside are refused.
pub(super) fn scopes_signals(abi: u32) -> bool {
    abi >= ABI::V6 as u32
}

/// The ruleset for this confinement and program; none without Landlock.
pub(super) fn ready(confinement: &Confinement, program: &[PathBuf]) -> Option<Ready> {
    let abi = abi()?;
    // Only a kernel that says one thing and does another fails here; that is as good as no Landlock.
    let ruleset =
        ruleset(confinement, program).inspect_err(|error| tracing::warn!(%error, "no Landlock ruleset")).ok()?;
    Some(Ready { ruleset: Option::<OwnedFd>::from(ruleset)?, abi })
}

fn ruleset(confinement: &Confinement, program: &[PathBuf]) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(TESTED);
    let look = AccessFs::ReadFile | AccessFs::ReadDir;
    let kept: BitFlags<AccessFs> = AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock;
    let write = AccessFs::from_all(TESTED) & !kept;
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
        .add_rules(path_beneath_rules(program, read))?
        .add_rules(path_beneath_rules(&confinement.read, read))?
        .add_rules(path_beneath_rules(ALWAYS_WRITE, write))?
        .add_rules(path_beneath_rules(&confinement.write, write))
}
