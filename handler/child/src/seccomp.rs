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
    // A descriptor of `/proc/<number>` names a process as well, and no filter sees which. Nobody here needs the call.
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Another view of the file system, or of the machine.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
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
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
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
    // Mode, owner, times and attributes of files, for which Landlock has no right: a child could change those of any file
    // that its user owns, anywhere.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    // Sockets by address: a path leads to Docker, to an agent of SSH, to D-Bus. Pairs and what is inherited remain; to
    // those, the kernel itself sends nothing with an address (EISCONN).
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Memory, queues and semaphores that outlive their creator.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmdt,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // Programs in anonymous files, and watching other processes' use of files.
    libc::SYS_execveat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_inotify_init,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    // Needed by the Dirty Pipe exploit (CVE-2022-0847).
    libc::SYS_vmsplice,
];

/// Calls that have no name in `libc` yet, by the numbers that they have on every processor
/// (`scripts/syscall.tbl` of Linux 6.18).
const FCHMODAT2: libc::c_long = 452;
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;
const OPEN_TREE_ATTR: libc::c_long = 467;
const FILE_SETATTR: libc::c_long = 469;
/// The first number that Linux 6.18 did not have. What came later looks unknown to a child: `fchmodat2` was such a
/// newcomer once, and so was io_uring.
const UNKNOWN: u32 = 470;

/// Calls that look unknown (ENOSYS) rather than forbidden, so that the C library takes another way. `clone3` and `openat2`
/// have their flags in memory, where no filter looks. Bytes in `memfd_create`'s file could be an executable outside of any folder.
const HIDDEN: &[libc::c_long] = &[libc::SYS_clone3, libc::SYS_openat2, libc::SYS_memfd_create, libc::SYS_memfd_secret];

/// The commands of `ioctl` that are let through: those that say what a descriptor is, and set its two flags. All others are
/// for devices, terminals and file systems (`FS_IOC_SETFLAGS`, `FS_IOC_FSSETXATTR`, `TIOCSTI`).
const IOCTLS: &[u64] = &[
    0x5401,      // TCGETS (this and the next: asm-generic/ioctls.h)
    0x540f,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x802c_542a, // TCGETS2, which newer C libraries ask instead of TCGETS
];

/// The commands of `fcntl` that reach others: signals for them, and holds on files that they open.
const FCNTLS: &[i64] = &[
    8,    // F_SETOWN (this and the next two: asm-generic/fcntl.h)
    10,   // F_SETSIG
    15,   // F_SETOWN_EX
    1024, // F_SETLEASE (this and the next: linux/fcntl.h)
    1026, // F_NOTIFY
];

/// The options of a socket that enlarge its buffers.
const BUFFERS: &[libc::c_int] = &[libc::SO_SNDBUF, libc::SO_RCVBUF, libc::SO_SNDBUFFORCE, libc::SO_RCVBUFFORCE];

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

    // Pairs of streams alone: one of a pair of datagrams can send to any path.
    let stream = libc::SOCK_STREAM;
    let flags = [0, libc::SOCK_CLOEXEC, libc::SOCK_NONBLOCK, libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK];
    let none = flags.map(|flags| when(1, Op::Ne, (stream | flags).into()));
    let none = none.into_iter().collect::<Result<Vec<_>, _>>()?;
    let pairs = vec![rule(when(0, Op::Ne, libc::AF_UNIX.into())?)?, SeccompRule::new(none)?];
    rules.insert(libc::SYS_socketpair, pairs);
    rules.insert(libc::SYS_sendto, vec![rule(SeccompCondition::new(4, Len::Qword, Op::Ne, 0)?)?]);

    // Buffers of sockets are the kernel's memory: larger ones than usual can't be had (see `sweep`).
    let larger = BUFFERS.iter().map(|option| {
        SeccompRule::new(vec![when(1, Op::Eq, libc::SOL_SOCKET.into())?, when(2, Op::Eq, (*option).into())?])
    });
    rules.insert(libc::SYS_setsockopt, larger.collect::<Result<_, _>>()?);

    let passed = IOCTLS.iter().map(|command| SeccompCondition::new(1, Len::Dword, Op::Ne, *command));
    rules.insert(libc::SYS_ioctl, vec![SeccompRule::new(passed.collect::<Result<_, _>>()?)?]);
    let fcntl = FCNTLS.iter().map(|command| rule(when(1, Op::Eq, *command)?));
    rules.insert(libc::SYS_fcntl, fcntl.collect::<Result<_, _>>()?);

    // Set-user-id files can't even be created. Only a call that makes a file has a mode.
    let has = |argument: u8, bits: libc::c_int| when(argument, Op::MaskedEq(u64::from(bits as u32)), bits.into());
    let (set_uid, set_gid) = (libc::S_ISUID as libc::c_int, libc::S_ISGID as libc::c_int);
    // O_TMPFILE holds the bits of O_DIRECTORY too.
    let makes = [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY];
    let made = |flags: Option<u8>, mode: u8| -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        let mut rules = Vec::new();
        for bit in [set_uid, set_gid] {
            match flags {
                None => rules.push(rule(has(mode, bit)?)?),
                Some(flags) => {
                    for make in makes {
                        rules.push(SeccompRule::new(vec![has(flags, make)?, has(mode, bit)?])?);
                    }
                }
            }
        }
        Ok(rules)
    };
    rules.insert(libc::SYS_openat, made(Some(2), 3)?);
    rules.insert(libc::SYS_mknodat, made(None, 2)?);
    #[cfg(target_arch = "x86_64")]
    {
        rules.insert(libc::SYS_open, made(Some(1), 2)?);
        rules.insert(libc::SYS_creat, made(None, 1)?);
        rules.insert(libc::SYS_mknod, made(None, 1)?);
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

    // Limits: never another process's, and never the mark (see `family`).
    let mark = i64::from(libc::RLIMIT_MSGQUEUE);
    let sets = SeccompCondition::new(2, Len::Qword, Op::Ne, 0)?;
    let marks = SeccompRule::new(vec![when(1, Op::Eq, mark)?, sets])?;
    rules.insert(libc::SYS_prlimit64, vec![rule(when(0, Op::Ne, 0)?)?, marks]);
    rules.insert(libc::SYS_setrlimit, vec![rule(when(0, Op::Eq, mark)?)?]);

    // Its own scheduling priority (0 is the calling thread), and no other process's.
    for call in
        [libc::SYS_sched_setaffinity, libc::SYS_sched_setscheduler, libc::SYS_sched_setparam, libc::SYS_sched_setattr]
    {
        rules.insert(call, vec![rule(when(0, Op::Ne, 0)?)?]);
    }
    const IOPRIO_WHO_PROCESS: i64 = 1; // linux/ioprio.h
    for (call, process) in
        [(libc::SYS_setpriority, i64::from(libc::PRIO_PROCESS)), (libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS)]
    {
        rules.insert(call, vec![rule(when(0, Op::Ne, process)?)?, rule(when(1, Op::Ne, 0)?)?]);
    }

    // It dies with the handler, and can't decide otherwise.
    let dies = SeccompRule::new(vec![
        when(0, Op::Eq, libc::PR_SET_PDEATHSIG.into())?,
        when(1, Op::Ne, libc::SIGKILL.into())?,
    ])?;
    rules.insert(libc::SYS_prctl, vec![dies]);
    // 0xffffffff asks; all else changes, among others whether data can be executed.
    rules.insert(libc::SYS_personality, vec![rule(when(0, Op::Ne, 0xffff_ffff)?)?]);
    Ok(rules)
}

/// What the crate can't say: calls that must look unknown (ENOSYS) instead of forbidden.
fn prologue() -> BpfProgram {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    // Among the numbers that are too high are the x32 calls: the same kernel functions under numbers that the rules don't name.
    let mut steps = vec![step(LOAD, 0, 0, 0), step(AT_LEAST, 0, 1, UNKNOWN), step(RETURN, 0, 0, unknown)];
    for call in HIDDEN {
        steps.extend([step(EQUAL, 0, 1, *call as u32), step(RETURN, 0, 0, unknown)]);
    }
    steps
}
