//! What a child reports of itself, between its fork and its program: the words of the pipe that both sides know.

/// What is in force, one bit each, as the child reports it: not what was requested, but what the kernel says afterwards. The bits
/// from [`FIRST`] on are the results of the self-test.
pub(super) const NO_NEW_PRIVS: u64 = 1;
pub(super) const LIMITS: u64 = 2;
pub(super) const LANDLOCK: u64 = 4;
pub(super) const SECCOMP: u64 = 8;
/// It is not root, and when it has a user of its own, it is that one.
pub(super) const USER: u64 = 16;

/// The first bit of the self-test.
pub(super) const FIRST: u64 = 1 << 8;
/// A folder outside can't be opened.
pub(super) const FILES: u64 = FIRST;
/// Mode, owner, times and attributes of files can't be changed.
pub(super) const METADATA: u64 = FIRST << 1;
/// Sockets can't be made.
pub(super) const SOCKETS: u64 = FIRST << 2;
/// Neither can shared memory, semaphores and queues that would outlive it.
pub(super) const SHARED: u64 = FIRST << 3;
/// The handler's priority can't be set.
pub(super) const PRIORITY: u64 = FIRST << 4;
/// A thread of the handler can't be signalled.
pub(super) const SIGNALS: u64 = FIRST << 5;
/// The handler's command line can't be read.
pub(super) const PROCESSES: u64 = FIRST << 6;
/// Its environment can't be read.
pub(super) const HANDLER: u64 = FIRST << 7;
/// Files without a folder, which could be executed, can't be made.
pub(super) const MEMORY_FILES: u64 = FIRST << 8;

/// All bits, when no capability is left.
pub(super) const WHOLE: u64 = NO_NEW_PRIVS | LIMITS | LANDLOCK | SECCOMP | USER | ((MEMORY_FILES << 1) - FIRST);

/// A child's report: one byte that says of what, and a number. Written as one, it arrives as one.
pub(super) const GRANTED: u8 = 0;
pub(super) const FAILED_SETUP: u8 = 1;
pub(super) const FAILED_FOLDER: u8 = 2;
pub(super) const FAILED_CONFINEMENT: u8 = 3;
pub(super) const FAILED_EXEC: u8 = 4;
/// The capabilities that are left, one bit each.
pub(super) const CAPABILITIES: u8 = 5;
pub(super) const REPORT_BYTES: usize = 9;
