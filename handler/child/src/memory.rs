//! How much memory there is and how many threads there may be, and how much of that a child may have.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limit that was set from outside, in bytes.
static OUTER_LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Sets the memory that this process and its children together get, in bytes, as AWS Lambda does in a setting.
pub fn limit_memory(bytes: u64) {
    OUTER_LIMIT.fetch_min(bytes, Ordering::Relaxed);
}

/// Bytes of memory that one child, with all below it, may have: three quarters of what this machine, this control group
/// and this function have, whichever is least. The rest is for the handler (60 MB), its buffers, and the system.
pub fn share_of_memory() -> u64 {
    // The quarter first: a machine without a limit has more than three times fits.
    machine().min(OUTER_LIMIT.load(Ordering::Relaxed)) / 4 * 3
}

/// The machine's memory, or that of the control groups that this process is in.
fn machine() -> u64 {
    static MACHINE: OnceLock<u64> = OnceLock::new();
    *MACHINE.get_or_init(|| {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total = total(&meminfo).unwrap_or(u64::MAX);
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        total.min(MEMORY.least(&groups, Path::new(GROUPS)))
    })
}

/// Threads that one child, with all below it, may have: a quarter of what the control groups of this process may have. The rest is for
/// the handler and its other children, which can't start without.
pub(super) fn share_of_threads() -> u64 {
    static SHARE: OnceLock<u64> = OnceLock::new();
    *SHARE.get_or_init(|| {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        THREADS.least(&groups, Path::new(GROUPS)) / 4
    })
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// A limit of control groups: its controller, and the files that hold it in version 2 and in version 1.
struct GroupLimit {
    controller: &'static str,
    files: [&'static str; 2],
}

const MEMORY: GroupLimit = GroupLimit { controller: "memory", files: ["memory.max", "memory.limit_in_bytes"] };
const THREADS: GroupLimit = GroupLimit { controller: "pids", files: ["pids.max", "pids.max"] };

impl GroupLimit {
    /// The least of it of these control groups (in the words of `/proc/self/cgroup`) and those above them.
    fn least(&self, groups: &str, root: &Path) -> u64 {
        let of = |file: &Path| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
        let mut least = u64::MAX;
        for group in groups.lines() {
            // Version 2 is `0::/path`; of version 1, `4:memory:/path` is of interest.
            let mut parts = group.splitn(3, ':');
            let (_, controllers, path) =
                (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let (root, file) = match controllers {
                "" => (root.to_owned(), self.files[0]),
                named if named.split(',').any(|name| name == self.controller) => {
                    (root.join(self.controller), self.files[1])
                }
                _ => continue,
            };
            // In a container the path may name a folder that is not shown there; the root's own file then counts.
            for above in Path::new(path.trim_start_matches('/')).ancestors() {
                least = least.min(of(&root.join(above).join(file)).unwrap_or(u64::MAX));
            }
        }
        least
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_machine_says_what_it_has() {
        assert_eq!(total("MemTotal:        3027456 kB\nMemFree: 1 kB\n"), Some(3_027_456 * 1024));
        assert_eq!(total("nothing"), None);
        let share = share_of_memory();
        assert!((64 << 20..1 << 50).contains(&share), "{share}");
    }

    #[test]
    fn the_least_limit_of_the_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/memory.max", "2000000\n");
        write("a/b/memory.max", "max\n");
        write("memory/c/memory.limit_in_bytes", "1000000\n");
        for (groups, least) in [
            ("0::/a/b\n", 2_000_000),
            ("0::/elsewhere\n", u64::MAX),
            ("5:cpu,memory:/c/d\n0::/a\n", 1_000_000),
            ("5:cpu:/c\n", u64::MAX),
        ] {
            assert_eq!(MEMORY.least(groups, root.path()), least, "{groups}");
        }
        write("a/pids.max", "512\n");
        write("pids/c/pids.max", "100\n");
        let threads = |groups: &str| THREADS.least(groups, root.path());
        assert_eq!([threads("0::/a/b\n"), threads("3:pids:/c\n0::/a\n"), threads("0::/\n")], [512, 100, u64::MAX]);
    }
}
