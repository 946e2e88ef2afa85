//! The fork, and what the child does to itself before it becomes its program.
//!
//! Everything in [`become_program`] is async-signal-safe: system calls on memory that was built before. The forked
//! child of a process with threads has only the thread that forked; a lock that another one held stays locked for ever.

use std::os::fd::AsRawFd as _;

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{ForkResult, Pid, fork, getpid, gettid};

use super::landlock::{PATH_BENEATH, ReadBeneath};
use super::launch::{CHANNEL, ChildEnds, Facts, Image, Launch, ParentEnds};
use super::outcome::StartError;
use super::report::{
    CAPABILITIES, FAILED_CONFINEMENT, FAILED_EXEC, FAILED_FOLDER, FAILED_SETUP, GRANTED, LANDLOCK, LIMITS,
    NO_NEW_PRIVS, REPORT_BYTES, SECCOMP, USER, WHOLE,
};
use super::self_test::{self, Handler};
use super::system::{self, CapabilityData, capability_header};
use super::user::{READ_SEARCH, User};

/// Where the child keeps its report and its ruleset while it arranges itself; both close on exec.
const REPORT: i32 = 4;
const RULESET: i32 = 5;

/// Forks. The calling thread must be one that lives as long as the process: the child dies with it.
pub(super) fn spawn(launch: Launch, mark: Option<u64>) -> Result<(Pid, ParentEnds, Facts), StartError> {
    let handler = Handler { process: getpid().as_raw(), thread: gettid().as_raw() };
    // A signal that came between the fork and the exec would run our handlers in the child.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    // SAFETY: the child calls nothing but `become_program`, which is async-signal-safe and does not return.
    let forked = unsafe { fork() };
    if let Ok(ForkResult::Child) = forked {
        // SAFETY: this is the forked child, and everything that the launch points to was copied with it.
        unsafe { become_program(&launch.image, &launch.child_ends, handler, mark) }
    }
    if let Ok(before) = before {
        // It can't fail: the set came from the same call.
        let _ = before.thread_set_mask();
    }
    let Launch { facts, parent_ends, .. } = launch;
    match forked {
        Ok(ForkResult::Parent { child }) => Ok((child, parent_ends, facts)),
        Ok(ForkResult::Child) => Err(StartError::NoSupervisor),
        Err(errno) => Err(StartError::Resources(errno.desc().to_owned())),
    }
}

/// Turns the forked child into its program, or reports why not and exits.
///
/// # Safety
/// Only in the child right after a fork, with an image whose pointers are alive. Every call in here is a system call or
/// an async-signal-safe function, and nothing allocates, locks or panics.
unsafe fn become_program(image: &Image, child_ends: &ChildEnds, handler: Handler, mark: Option<u64>) -> ! {
    unsafe {
        reset_signals();
        if libc::setsid() < 0 {
            fail(child_ends.report.as_raw_fd(), FAILED_SETUP, errno());
        }
        die_with(handler);
        arrange_descriptors(image, child_ends);
        if libc::chdir(image.dir.as_ptr()) < 0 {
            fail(REPORT, FAILED_FOLDER, errno());
        }
        let granted = confine(image, handler, mark);
        let capabilities = system::capabilities_held();
        report(REPORT, CAPABILITIES, capabilities);
        let whole = granted & WHOLE == WHOLE && capabilities & !READ_SEARCH == 0;
        if image.required && !whole {
            fail_with(REPORT, FAILED_CONFINEMENT, granted);
        }
        report(REPORT, GRANTED, granted);
        libc::execve(image.program.as_ptr(), image.args.as_ptr(), image.env.as_ptr());
        fail(REPORT, FAILED_EXEC, errno());
    }
}

/// Has the kernel kill the child when the handler dies. If the handler died before this call, the child exits here. A change
/// of user undoes it.
unsafe fn die_with(handler: Handler) {
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != handler.process {
            libc::_exit(127);
        }
    }
}

/// Ignored signals stay ignored across `exec` (Rust ignores SIGPIPE), and so does the mask that `spawn` set. The C
/// library would refuse to touch its own two signals, 32 and 33, so this goes by it.
unsafe fn reset_signals() {
    const SET_BYTES: usize = 8;
    // Handler SIG_DFL, no flags, empty mask: all zeros on every processor.
    let default = [0_u64; 4];
    unsafe {
        for signal in 1..=64 {
            // KILL and STOP refuse, and need no reset.
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), std::ptr::null::<u64>(), SET_BYTES);
        }
        let (none, how) = (0_u64, libc::SIG_SETMASK);
        libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const none, std::ptr::null::<u64>(), SET_BYTES);
    }
}

/// 0 reads nothing, 1 and 2 are the pipes, 3 is the channel; all others close.
unsafe fn arrange_descriptors(image: &Image, child_ends: &ChildEnds) {
    unsafe {
        let standard = [&child_ends.null, &child_ends.stdout, &child_ends.stderr];
        for (number, descriptor) in (0..).zip(standard) {
            if libc::dup2(descriptor.as_raw_fd(), number) < 0 {
                fail(child_ends.report.as_raw_fd(), FAILED_SETUP, errno());
            }
        }
        match &child_ends.channel {
            Some(channel) => libc::dup2(channel.as_raw_fd(), CHANNEL),
            None => libc::close(CHANNEL),
        };
        if libc::dup3(child_ends.report.as_raw_fd(), REPORT, libc::O_CLOEXEC) < 0 {
            fail(child_ends.report.as_raw_fd(), FAILED_SETUP, errno());
        }
        match &image.ruleset {
            Some(ruleset) => libc::dup3(ruleset.as_raw_fd(), RULESET, libc::O_CLOEXEC),
            None => libc::close(RULESET),
        };
        let first = RULESET + 1;
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) < 0 {
            // Kernels before 5.9: one by one, as far as descriptors can be numbered.
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
            for descriptor in first..limit.rlim_cur.min(1 << 20) as i32 {
                libc::close(descriptor);
            }
        }
    }
}

/// Applies everything that the kernel grants, and reports what. The filter comes last, since it denies some of the rest.
unsafe fn confine(image: &Image, handler: Handler, mark: Option<u64>) -> u64 {
    unsafe {
        let mut granted = LIMITS;
        for (resource, value) in &image.limits {
            if !limit(*resource, *value) {
                granted &= !LIMITS;
            }
        }
        if let Some(mark) = mark
            && !limit(libc::RLIMIT_MSGQUEUE, mark)
        {
            granted &= !LIMITS;
        }
        if let Some(user) = image.user {
            become_user(user);
            die_with(handler);
        }
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if let Some(kept) = image.capabilities {
            keep_capabilities(kept, image.user.is_some());
        }
        if image.ruleset.is_some() {
            see_itself();
            if libc::syscall(libc::SYS_landlock_restrict_self, RULESET, 0) == 0 {
                granted |= LANDLOCK;
            }
        }
        if let Some(filter) = &image.filter {
            // The crate's own instruction has the kernel's layout (`repr(C)`, the same four fields).
            let program = libc::sock_fprog {
                len: filter.len() as u16,
                filter: filter.as_ptr().cast_mut().cast::<libc::sock_filter>(),
            };
            let mode = libc::SECCOMP_MODE_FILTER as libc::c_ulong;
            // The mode afterwards proves nothing: this process may have inherited a filter (Docker has one).
            if libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) == 0 {
                granted |= SECCOMP;
            }
        }
        if libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 {
            granted |= NO_NEW_PRIVS;
        }
        if is_user(image.user) {
            granted |= USER;
        }
        if image.confined { granted | self_test::tried(image, handler) } else { granted }
    }
}

/// Becomes this user, in no group but its own; exits when that fails. By system calls alone: the C library's functions would
/// have every thread of the process do the same, and the others were not forked.
unsafe fn become_user(user: User) {
    unsafe {
        if user.keeps != 0 {
            libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0);
        }
        let (uid, gid) = (user.uid, user.gid);
        if libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()) < 0
            || libc::syscall(libc::SYS_setresgid, gid, gid, gid) < 0
            || libc::syscall(libc::SYS_setresuid, uid, uid, uid) < 0
        {
            fail(REPORT, FAILED_SETUP, errno());
        }
    }
}

/// Whether all of its ids are those of `user`; or for none, whether it is not root.
unsafe fn is_user(user: Option<User>) -> bool {
    let (mut uids, mut gids) = ([0_u32; 3], [0_u32; 3]);
    unsafe {
        let [real, effective, saved] = &mut uids;
        libc::getresuid(real, effective, saved);
        let [real, effective, saved] = &mut gids;
        libc::getresgid(real, effective, saved);
        match user {
            Some(user) => {
                uids == [user.uid; 3] && gids == [user.gid; 3] && libc::getgroups(0, std::ptr::null_mut()) == 0
            }
            None => !uids.contains(&0),
        }
    }
}

/// Gives up all capabilities but these. Another user than root loses even those with `exec`, unless they are made ambient.
unsafe fn keep_capabilities(kept: u64, ambient: bool) {
    let header = capability_header();
    let half = |bits: u64| CapabilityData {
        effective: bits as u32,
        permitted: bits as u32,
        inheritable: if ambient { bits as u32 } else { 0 },
    };
    let data = [half(kept & 0xffff_ffff), half(kept >> 32)];
    unsafe {
        libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr());
        for capability in 0..64_u64 {
            if ambient && kept >> capability & 1 == 1 {
                libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, capability, 0, 0);
            }
        }
    }
}

/// Adds the child's own entry in `/proc` to its ruleset. Without it the child can't look at itself, and nothing else is lost.
unsafe fn see_itself() {
    unsafe {
        let folder = libc::open(c"/proc/self".as_ptr(), libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC);
        if folder >= 0 {
            let beneath = ReadBeneath::of(folder);
            libc::syscall(libc::SYS_landlock_add_rule, RULESET, PATH_BENEATH, &raw const beneath, 0);
            // It stays open until the program begins: the rule is about this very entry, which the kernel may forget and
            // make again while nothing holds it open. The handler holds it from now on (see `lifecycle`).
        }
    }
}

/// Lowers a limit, hard and soft; one that is lower already stays.
unsafe fn limit(resource: libc::__rlimit_resource_t, value: u64) -> bool {
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(resource, &raw mut limit) < 0 {
            return false;
        }
        limit.rlim_max = limit.rlim_max.min(value);
        limit.rlim_cur = limit.rlim_max.min(value);
        let set = libc::setrlimit(resource, &raw const limit) == 0;
        let mut now = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        libc::getrlimit(resource, &raw mut now);
        set && now.rlim_max <= value
    }
}

unsafe fn errno() -> i32 {
    unsafe { *libc::__errno_location() }
}

unsafe fn report(descriptor: i32, what: u8, detail: u64) {
    let [a, b, c, d, e, f, g, h] = detail.to_ne_bytes();
    let bytes = [what, a, b, c, d, e, f, g, h];
    unsafe {
        libc::write(descriptor, bytes.as_ptr().cast(), REPORT_BYTES);
    }
}

/// Reports an error number, and exits.
unsafe fn fail(descriptor: i32, what: u8, errno: i32) -> ! {
    unsafe { fail_with(descriptor, what, u64::from(errno.unsigned_abs())) }
}

unsafe fn fail_with(descriptor: i32, what: u8, detail: u64) -> ! {
    unsafe {
        report(descriptor, what, detail);
        libc::_exit(127)
    }
}
