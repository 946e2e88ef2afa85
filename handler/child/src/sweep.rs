//! Finds, kills and reaps what is left of a child, however it hid.
//!
//! The handler is a subreaper, so everything that descends from a child stays below the handler, and the mark (see the
//! crate's own page) says to which child it belongs. A group is killed at once and as a whole; what left its group is found by looking
//! through all descendants of the handler, killed, and searched again until nothing is found.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpid};
use rustix::process::pidfd_send_signal;

use super::system;
use deadline::Deadline;

/// The largest mark. The kernel's default limit, which a mark must be below, is 819,200 (`DFLT_QUEUESMAX`).
const LAST_MARK: u64 = 800_000;
/// First and longest pause between two scans, while killed processes die.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// The running children. It belongs to the supervisor's thread, which alone forks, signals and reaps, so that no process number
/// is reused between two steps.
#[derive(Debug)]
pub(super) struct Registry {
    /// The handler's own limit; a process with a lower one belongs to a child.
    own: u64,
    last: u64,
    leaders: HashMap<u64, Option<Pid>>,
}

/// What to sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SweepTarget {
    /// All processes with this mark.
    Of(u64),
    /// All processes whose mark belongs to no running child.
    Strays,
    /// All processes with a mark.
    All,
}

/// A descendant of the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) pid: Pid,
    parent: Pid,
    pub(super) group: Pid,
    dead: bool,
    pub(super) threads: u64,
    /// Pages in memory, those that it shares with others included.
    resident: u64,
    /// In clock ticks since boot: with the number, it names a process for good.
    started: u64,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Running processes.
    pub(super) living: Vec<Member>,
    /// Dead ones that their parents have not reaped.
    pub(super) dead: u64,
    /// Whether dead ones were reaped that no supervisor reaps.
    reaped: bool,
}

impl Registry {
    pub(super) fn new() -> Self {
        Self { own: system::queue_limit(getpid()).unwrap_or(0), last: 0, leaders: HashMap::new() }
    }

    /// A mark for a child that is about to be forked; none when the handler's own limit leaves none free.
    pub(super) fn allocate_mark(&mut self) -> Option<u64> {
        let highest = LAST_MARK.min(self.own.saturating_sub(1));
        let mut marks = (1..=highest).map(|step| (self.last + step - 1) % highest + 1);
        let mark = marks.find(|mark| !self.leaders.contains_key(mark))?;
        self.last = mark;
        self.leaders.insert(mark, None);
        Some(mark)
    }

    pub(super) fn register(&mut self, mark: Option<u64>, leader: Pid) {
        if let Some(mark) = mark {
            self.leaders.insert(mark, Some(leader));
        }
    }

    /// A child has ended: from now on, processes with its mark are strays.
    pub(super) fn release(&mut self, mark: Option<u64>) {
        if let Some(mark) = mark {
            self.leaders.remove(&mark);
        }
    }

    /// The mark of a running child.
    fn mark_of(&self, leader: Pid) -> Option<u64> {
        self.leaders.iter().find(|(_, running)| **running == Some(leader)).map(|(mark, _)| *mark)
    }

    fn matches(&self, target: SweepTarget, mark: u64) -> bool {
        match target {
            SweepTarget::Of(wanted) => mark == wanted,
            SweepTarget::All => mark < self.own,
            SweepTarget::Strays => mark < self.own && !self.leaders.contains_key(&mark),
        }
    }

    /// The processes of the target.
    pub(super) fn scan(&self, target: SweepTarget) -> Scan {
        let tree = Tree::here();
        let us = getpid();
        let mut open = tree.children(us);
        let mut found = Scan::default();
        let mut seen = HashSet::new();
        while let Some(pid) = open.pop() {
            let Some(mark) = system::queue_limit(pid).filter(|_| seen.insert(pid)) else { continue };
            let targeted = self.matches(target, mark);
            if !targeted && mark >= self.own {
                continue;
            }
            let Some(member) = Member::read(pid) else { continue };
            if member.dead && member.parent == us && !self.leaders.values().any(|leader| *leader == Some(pid)) {
                reap(pid);
                found.reaped = true;
            } else if targeted {
                match member.dead {
                    true => found.dead += 1,
                    false => found.living.push(member),
                }
                open.extend(tree.children(pid));
            }
        }
        found
    }

    /// Kills these. The mark is read again through a descriptor that names the process itself, since a process that is
    /// not a direct child may be gone, and its number reused.
    fn kill(&self, target: SweepTarget, members: &[Member]) {
        let us = getpid();
        for member in members {
            // Errors mean that it is gone already, or about to be: the next scan tells.
            if member.parent == us {
                let _ = kill(member.pid, Signal::SIGKILL);
            } else if let Ok(pidfd) = system::pidfd(member.pid)
                && system::queue_limit(member.pid).is_some_and(|mark| self.matches(target, mark))
            {
                let _ = pidfd_send_signal(&pidfd, rustix::process::Signal::KILL);
            }
        }
    }
}

/// The result of a sweep.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// The processes that were found running, each once.
    pub(super) members: HashMap<(Pid, u64), Member>,
    /// Whether none is left.
    pub(super) clean: bool,
}

impl Swept {
    pub(super) fn add(&mut self, living: &[Member]) {
        self.members.extend(living.iter().map(|member| ((member.pid, member.started), *member)));
    }
}

/// Kills the target until nothing is found, twice in a row once there was something, or until `until`.
pub(super) async fn sweep_tree(registry: &Rc<RefCell<Registry>>, target: SweepTarget, until: Instant) -> Swept {
    let mut swept = Swept::default();
    let (mut pause, mut clean, mut found) = (PAUSES.0, 0, false);
    loop {
        let Scan { living, reaped, .. } = registry.borrow().scan(target);
        // A process that died during the scan may have left us its children after ours were listed, so one scan without
        // running processes proves nothing.
        clean = if living.is_empty() && !reaped { clean + 1 } else { 0 };
        found |= clean == 0;
        swept.clean = clean == 2 || (clean == 1 && !found);
        registry.borrow().kill(target, &living);
        swept.add(&living);
        if swept.clean || Instant::now() >= until {
            return swept;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Scans until twice in a row nothing is found of a running child but its leader, nor anything that could be hidden from it: strays
/// may have been its own. False when `deadline` comes first.
pub(super) async fn alone(registry: &Rc<RefCell<Registry>>, leader: Pid, deadline: Deadline) -> bool {
    let (mut pause, mut clean) = (PAUSES.0, 0);
    loop {
        let is_alone = {
            let registry = registry.borrow();
            let Some(mark) = registry.mark_of(leader) else { return false };
            let scans = [SweepTarget::Of(mark), SweepTarget::Strays].map(|target| registry.scan(target));
            let mut living = scans.iter().flat_map(|scan| &scan.living);
            living.all(|member| member.pid == leader) && scans.iter().all(|scan| scan.dead == 0 && !scan.reaped)
        };
        // As in a sweep, one scan proves nothing.
        clean = if is_alone { clean + 1 } else { 0 };
        if clean == 2 {
            return true;
        }
        if deadline.passed() {
            return false;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Signals the whole group of a leader. It must not have been reaped: until then, its number can't be reused.
pub(super) fn signal_group(leader: Pid, signal: Signal) {
    // It fails when only dead processes are left in the group.
    let _ = killpg(leader, signal);
}

/// How a leader ended; none while it runs. It is not reaped, so that its number is not reused.
pub(super) fn ended(leader: Pid) -> Option<system::End> {
    // It is ours to wait for; if other code has reaped it, it is gone all the same.
    system::end_of(leader, false).unwrap_or(Some(system::End::Exited(127)))
}

/// Reaps a child of ours, if it is dead.
pub(super) fn reap(pid: Pid) {
    let _ = system::end_of(pid, true);
}

impl Member {
    /// Bytes of memory in use, each counted in every process that has it.
    pub(super) fn resident(&self) -> u64 {
        self.resident * page()
    }

    /// The same, but what several processes share is divided among them; as before when it can't be told. It waits for the
    /// process's own memory lock, and takes a tenth of a second for some gigabytes.
    pub(super) fn share(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        kilobytes.map_or_else(|| self.resident(), |kilobytes| kilobytes * 1024)
    }

    /// Open descriptors, as the kernel (6.2) or a list of them says.
    pub(super) fn descriptors(&self) -> u64 {
        let folder = format!("/proc/{}/fd", self.pid);
        match fs::metadata(&folder).map_or(0, |about| about.len()) {
            0 => fs::read_dir(&folder).map_or(0, |entries| entries.count() as u64),
            count => count,
        }
    }

    /// The numbers of its sockets; none when they can't be listed.
    fn sockets(&self) -> Option<Vec<String>> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid)).ok()?;
        let targets =
            entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()?.into_os_string().into_string().ok());
        Some(targets.filter(|target| target.starts_with("socket:")).collect())
    }

    /// From `/proc/<pid>/stat`, the one file there that never waits for the process's own memory lock.
    fn read(pid: Pid) -> Option<Self> {
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        // The second field is a name in brackets that may hold anything, brackets too; proc(5) counts from one.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let process = |field: usize| fields.get(field - 3)?.parse().ok().map(Pid::from_raw);
        Some(Self {
            pid,
            parent: process(4)?,
            group: process(5)?,
            dead: matches!(fields.first(), Some(&"Z" | &"X")),
            threads: number(20)?,
            resident: number(24)?,
            started: number(22)?,
        })
    }
}

/// Bytes that the sockets of these processes may hold in the kernel, each counted once. Where they can't be listed, any descriptor may be
/// one.
pub(super) fn socket_buffers(members: &[Member]) -> u64 {
    let (mut sockets, mut unknown) = (HashSet::new(), 0);
    for member in members {
        match member.sockets() {
            Some(numbers) => sockets.extend(numbers),
            None => unknown += member.descriptors(),
        }
    }
    (sockets.len() as u64 + unknown) * socket_buffer()
}

/// Bytes that one socket can have sent before they are read: the default, and the message that exceeds it (measured: 234 KB of 213).
/// A child can't ask for more (see `seccomp`).
pub(super) fn socket_buffer() -> u64 {
    /// `SK_WMEM_DEFAULT` on x86-64 (`net/core/sock.c`).
    const USUAL: u64 = 212_992;
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/net/core/wmem_default").unwrap_or_default();
        text.trim().parse().unwrap_or(USUAL) / 4 * 5
    })
}

/// Bytes of a page.
fn page() -> u64 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}

/// The parents of all processes, now.
enum Tree {
    /// The kernel lists the children of each thread.
    Listed,
    /// It doesn't, so all processes were read once.
    Scanned(HashMap<Pid, Vec<Pid>>),
}

impl Tree {
    fn here() -> Self {
        if fs::exists("/proc/thread-self/children").unwrap_or(false) {
            return Self::Listed;
        }
        let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
        for member in numbers("/proc").filter_map(Member::read) {
            children.entry(member.parent).or_default().push(member.pid);
        }
        Self::Scanned(children)
    }

    fn children(&self, of: Pid) -> Vec<Pid> {
        match self {
            Self::Scanned(children) => children.get(&of).cloned().unwrap_or_default(),
            Self::Listed => numbers(&format!("/proc/{of}/task"))
                .filter_map(|thread| fs::read_to_string(format!("/proc/{of}/task/{thread}/children")).ok())
                .flat_map(|list| {
                    list.split(' ').filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect::<Vec<_>>()
                })
                .collect(),
        }
    }
}

/// The entries of a folder that are numbers.
fn numbers(folder: &str) -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
