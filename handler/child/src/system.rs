//! System calls that have no safe name elsewhere, each with the reason why it is sound.

use std::io;
use std::os::fd::OwnedFd;

use nix::libc;
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

/// A descriptor that names the process itself, so that a later signal can't hit another one with the same number.
pub(super) fn pidfd(pid: Pid) -> io::Result<OwnedFd> {
    Ok(pidfd_open(process(pid)?, PidfdFlags::empty())?)
}

fn process(pid: Pid) -> io::Result<rustix::process::Pid> {
    rustix::process::Pid::from_raw(pid.as_raw()).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// The hard limit of a process on the bytes of its message queues; none when the process is gone.
pub(super) fn queue_limit(pid: Pid) -> Option<u64> {
    // For another user's process, the call needs CAP_SYS_RESOURCE, which root in a container lacks.
    asked_queue_limit(pid).or_else(|| shown_queue_limit(&std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?))
}

/// The same from `/proc/<pid>/limits`, which everybody may read.
fn shown_queue_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max msgqueue size"))?;
    let hard = line.split_ascii_whitespace().nth(1)?;
    if hard == "unlimited" { Some(libc::RLIM_INFINITY) } else { hard.parse().ok() }
}

fn asked_queue_limit(pid: Pid) -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: nothing is set through the null pointer, and `limit` outlives the call that fills it.
    let result = unsafe { libc::prlimit(pid.as_raw(), libc::RLIMIT_MSGQUEUE, std::ptr::null(), &raw mut limit) };
    (result == 0).then_some(limit.rlim_max)
}

/// Undoes an ignored SIGCHLD, which is inherited from the process that started this one: with it, the kernel would forget how children
/// ended, and free their numbers before we have looked. A handler that is in place stays.
pub(super) fn listen_to_children() {
    // SAFETY: all zeros is a valid `sigaction`, and its handler SIG_DFL; both outlive the calls, and none of our code
    // becomes a handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let asked = libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut action);
        if asked == 0 && action.sa_sigaction == libc::SIG_IGN {
            let default: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGCHLD, &raw const default, std::ptr::null_mut());
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With this code.
    Exited(i32),
    /// By this signal. (A number: real-time signals have no name.)
    Signalled(i32),
}

/// How this child of ours ended, and whether to reap it; none while it runs. It never blocks.
pub(super) fn end_of(child: Pid, reap: bool) -> io::Result<Option<End>> {
    let mut options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    options.set(WaitIdOptions::NOWAIT, !reap);
    let Some(status) = waitid(WaitId::Pid(process(child)?), options)? else { return Ok(None) };
    Ok(match status.exit_status() {
        Some(code) => Some(End::Exited(code)),
        None => status.terminating_signal().map(End::Signalled),
    })
}

/// The version of the kernel's Landlock interface; none when it has none.
pub(super) fn landlock_abi() -> Option<u32> {
    const VERSION: libc::c_uint = 1; // LANDLOCK_CREATE_RULESET_VERSION
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag, the call takes no attributes and gives only a number.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

/// The capabilities that this thread may use, one bit each.
pub(super) fn capabilities() -> u64 {
    let mut header = capability_header();
    let mut data = [CapabilityData::default(); 2];
    // SAFETY: version 3 of this call reads one header and fills two sets, which is what it gets.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    if result < 0 { 0 } else { u64::from(data[1].permitted) << 32 | u64::from(data[0].permitted) }
}

/// The capabilities that this thread has in any of its sets, one bit each; all when it can't be told. Async-signal-safe.
pub(super) fn capabilities_held() -> u64 {
    let mut header = capability_header();
    let mut data = [CapabilityData::default(); 2];
    // SAFETY: as in `capabilities`.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    let all = |half: CapabilityData| u64::from(half.effective | half.permitted | half.inheritable);
    if result < 0 { u64::MAX } else { all(data[1]) << 32 | all(data[0]) }
}

/// What `capset` reads first.
#[repr(C)]
pub(super) struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// One half of the three sets.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct CapabilityData {
    pub(super) effective: u32,
    pub(super) permitted: u32,
    pub(super) inheritable: u32,
}

/// Version 3 (64 capabilities), for the calling thread.
pub(super) const fn capability_header() -> CapabilityHeader {
    CapabilityHeader { version: 0x2008_0522, pid: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_read_where_the_call_is_refused() {
        let us = nix::unistd::getpid();
        let shown = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        assert_eq!(shown_queue_limit(&shown), asked_queue_limit(us));
        assert_eq!(
            shown_queue_limit("Max msgqueue size         7                    9                    bytes\n"),
            Some(9)
        );
        assert_eq!(
            shown_queue_limit("Max msgqueue size         unlimited            unlimited            bytes\n"),
            Some(u64::MAX)
        );
    }
}
