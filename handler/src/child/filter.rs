//! The system call filter (seccomp): what no child of ours has a reason to do fails with EPERM.
//!
//! It lists what is denied. A list of what is allowed would break with each new version of Python or glibc, and a film
//! that fails for that is worse than a new harmless call that passes.

use std::collections::BTreeMap;

use nix::libc;
use nix::unistd::{getpgrp, getpid};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};

/// Denied whatever the arguments.
const DENIED: &[libc::c_long] = &[
    // Other processes' memory and descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Another view of the file system, or of the machine.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // The kernel itself.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    // Keys, which belong to the user and not to the process.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Its operations (sockets among them) pass by every filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// Flags of `clone` that make namespaces, in which a process gets back what was taken from it.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The filter for children of this process; none on processors that it was not written for.
pub(super) fn program() -> Option<BpfProgram> {
    let filter = SeccompFilter::new(
        rules().ok()?,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        std::env::consts::ARCH.try_into().ok()?,
    );
    let mut program = prologue();
    program.extend(BpfProgram::try_from(filter.ok()?).ok()?);
    Some(program)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules() -> Result<Rules, seccompiler::BackendError> {
    let when = |argument: u8, operation: Op, value: i64| {
        // Conditions compare 32 bits: all of these arguments are C integers.
        SeccompCondition::new(argument, Len::Dword, operation, u64::from(value as u32))
    };
    let rule = |condition| SeccompRule::new(vec![condition]);
    let mut rules: Rules = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, vec![rule(when(0, Op::Ne, libc::AF_UNIX.into())?)?]);
    }
    let mut clone = Vec::new();
    for flag in NAMESPACES {
        clone.push(rule(when(0, Op::MaskedEq(u64::from(flag.unsigned_abs())), (*flag).into())?)?);
    }
    rules.insert(libc::SYS_clone, clone);

    // The handler itself, where Landlock can't scope signals: by its number, by its group, or among all.
    let (handler, group) = (i64::from(getpid().as_raw()), i64::from(getpgrp().as_raw()));
    let mut kill = vec![rule(when(0, Op::Eq, handler)?)?, rule(when(0, Op::Eq, -1)?)?];
    if group > 1 {
        kill.push(rule(when(0, Op::Eq, -group)?)?);
    }
    rules.insert(libc::SYS_kill, kill);
    for call in [libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
        rules.insert(call, vec![rule(when(0, Op::Eq, handler)?)?]);
    }
    rules.insert(libc::SYS_pidfd_open, vec![rule(when(0, Op::Eq, handler)?)?]);

    // Limits: never the handler's, and never the mark (see `family`).
    let mark = i64::from(libc::RLIMIT_MSGQUEUE);
    let sets = SeccompCondition::new(2, Len::Qword, Op::Ne, 0)?;
    let marks = SeccompRule::new(vec![when(1, Op::Eq, mark)?, sets])?;
    rules.insert(libc::SYS_prlimit64, vec![rule(when(0, Op::Eq, handler)?)?, marks]);
    rules.insert(libc::SYS_setrlimit, vec![rule(when(0, Op::Eq, mark)?)?]);
    Ok(rules)
}

/// What the crate can't say: two calls that must look unknown (ENOSYS) instead of forbidden.
fn prologue() -> BpfProgram {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let mut steps = vec![step(LOAD, 0, 0, 0)];
    if cfg!(target_arch = "x86_64") {
        // The x32 calls: the same kernel functions under numbers that the rules don't name.
        steps.extend([step(AT_LEAST, 0, 1, 0x4000_0000), step(RETURN, 0, 0, unknown)]);
    }
    // `clone3` has its flags in memory, where no filter looks. glibc then falls back to `clone`.
    steps.extend([step(EQUAL, 0, 1, libc::SYS_clone3 as u32), step(RETURN, 0, 0, unknown)]);
    steps
}
