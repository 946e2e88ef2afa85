//! The self-test of a child, once it is confined and before its program begins: it tries actions that must fail. So the report
//! on the confinement says what holds, and not what was requested.
//!
//! Each action has no effect when it succeeds: a signal 0, a priority that is the old one, a null path. Everything in
//! here runs between the fork and the exec, and is async-signal-safe (see `fork`).

use nix::libc;

use super::launch::Image;
use super::report::{FILES, HANDLER, MEMORY_FILES, METADATA, PRIORITY, PROCESSES, SHARED, SIGNALS, SOCKETS};

/// Who forks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handler {
    pub(super) process: libc::pid_t,
    /// The thread that forks, which is not the process's first one.
    pub(super) thread: libc::pid_t,
}

/// The actions that failed as they must, one bit each.
///
/// # Safety
/// Only in the forked child, with an image whose pointers are alive.
pub(super) unsafe fn tried(image: &Image, handler: Handler) -> u64 {
    const NOTHING: *const libc::c_char = std::ptr::null();
    const NOWHERE: i32 = -1;
    let here = libc::AT_FDCWD;
    let mut held = 0;
    let mut hold = |what: u64, vain: bool| held |= if vain { what } else { 0 };
    // SAFETY: every pointer is null or into the image; the kernel looks at null pointers itself and answers EFAULT, where
    // the filter does not answer before (EPERM).
    unsafe {
        let refused = |result: libc::c_long| result < 0 && *libc::__errno_location() == libc::EPERM;
        let closed = |path: *const libc::c_char, flags: i32| {
            let descriptor = libc::open(path, flags | libc::O_RDONLY | libc::O_CLOEXEC);
            if descriptor >= 0 {
                libc::close(descriptor);
            }
            descriptor < 0
        };
        // No child may read "/" itself, whatever is allowed below.
        hold(FILES, closed(c"/".as_ptr(), libc::O_DIRECTORY));
        hold(
            METADATA,
            refused(libc::syscall(libc::SYS_fchmodat, here, NOTHING, 0))
                && refused(libc::syscall(libc::SYS_fchownat, here, NOTHING, 0, 0, 0))
                && refused(libc::syscall(libc::SYS_utimensat, here, NOTHING, NOTHING, 0))
                && refused(libc::syscall(libc::SYS_setxattr, NOTHING, NOTHING, NOTHING, 0, 0)),
        );
        let socket = |family: i32| {
            let socket = libc::syscall(libc::SYS_socket, family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            let none = refused(socket);
            if socket >= 0 {
                libc::syscall(libc::SYS_close, socket);
            }
            none
        };
        hold(
            SOCKETS,
            socket(libc::AF_UNIX)
                && socket(libc::AF_INET)
                && refused(libc::syscall(libc::SYS_connect, NOWHERE, NOTHING, 0))
                && refused(libc::syscall(libc::SYS_bind, NOWHERE, NOTHING, 0)),
        );
        // None of these sizes can be had.
        hold(
            SHARED,
            refused(libc::syscall(libc::SYS_shmget, libc::IPC_PRIVATE, 0, 0))
                && refused(libc::syscall(libc::SYS_semget, libc::IPC_PRIVATE, -1, 0))
                && refused(libc::syscall(libc::SYS_mq_open, NOTHING, 0, 0, 0)),
        );
        // The call itself gives 20 less the nice value, so that it is never negative.
        let nice = 20 - libc::syscall(libc::SYS_getpriority, libc::PRIO_PROCESS, handler.process);
        hold(PRIORITY, libc::syscall(libc::SYS_setpriority, libc::PRIO_PROCESS, handler.process, nice) < 0);
        hold(SIGNALS, libc::kill(handler.process, 0) < 0 && libc::kill(handler.thread, 0) < 0);
        hold(PROCESSES, closed(image.command_line.as_ptr(), 0));
        hold(HANDLER, closed(image.environment.as_ptr(), 0));
        let file = libc::syscall(libc::SYS_memfd_create, c"".as_ptr(), libc::MFD_CLOEXEC);
        hold(MEMORY_FILES, file < 0);
        if file >= 0 {
            libc::syscall(libc::SYS_close, file);
        }
    }
    held
}
