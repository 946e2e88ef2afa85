//! What a confined child can't reach, as tables of actions and their results. Run as root, each is run once more as an
//! unprivileged user.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt as _;

use handler::child::{Author, Capabilities};
use nix::unistd::{Gid, Uid, geteuid};

use super::*;

const DONE: &str = "done";
const REFUSED: &str = "Operation not permitted";
const CLOSED: &str = "Permission denied";
const UNKNOWN: &str = "Function not implemented";
/// An unused user: between people's and services' numbers, and none of those that children get.
const NOBODY: u32 = 61_180;

/// Compares the child's result of each action with the expected one; none may be missing.
fn assert_said(outcome: &Outcome, expected: &[(&str, &str)]) {
    let said = said(outcome);
    let found: Vec<(&str, &str)> = said.lines().filter_map(|line| line.rsplit_once(": ")).collect();
    assert!(outcome.ending == Ending::Exited(0), "{outcome:?}");
    for (action, result) in expected {
        let found = found.iter().find(|(name, _)| name == action).map(|(_, result)| *result);
        assert_eq!(found, Some(*result), "{action}\n{said}");
    }
    assert_eq!(found.len(), expected.len(), "{said}");
}

fn all<'a>(actions: &[&'a str], result: &'a str) -> Vec<(&'a str, &'a str)> {
    actions.iter().map(|action| (*action, result)).collect()
}

/// A folder outside that everybody may write, with a file in it.
fn outside() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    (folder, file)
}

#[test]
fn rights_owners_times_and_attributes_of_files_are_out_of_reach() {
    let case = Case::new();
    let (_folder, file) = outside();
    let before = file.metadata().unwrap();
    let outcome = case.fault(&["metadata", file.to_str().unwrap()], LATE);
    let refused = [
        "chmod",
        "chmod own",
        "chmod by descriptor",
        "chmod of a link's target",
        "fchmodat2",
        "chown",
        "lchown",
        "chown by descriptor",
        "utime",
        "utime by descriptor",
        "setxattr",
        "setxattr of a link",
        "setxattr by descriptor",
        "setxattrat",
        "removexattr",
        "removexattrat",
        "file_setattr",
        "ioctl for flags",
        "ioctl for project",
        "ioctl for version",
        "a file that runs as its owner",
        "one without a name",
        "one by mknod",
    ];
    let mut expected = all(&refused, REFUSED);
    expected.push(("openat2", UNKNOWN));
    assert_said(&outcome, &expected);
    let after = file.metadata().unwrap();
    let of = |file: &fs::Metadata| (file.mode(), file.uid(), file.gid(), file.mtime(), file.ctime(), file.ctime_nsec());
    assert_eq!(of(&after), of(&before));
    assert!(outcome.confinement.metadata_refused, "{outcome:?}");
}

#[test]
fn no_socket_leads_anywhere() {
    let mut case = Case::new();
    let (folder, _file) = outside();
    let listener = UnixListener::bind(folder.path().join("stream")).unwrap();
    let datagrams = UnixDatagram::bind(folder.path().join("datagrams")).unwrap();
    for name in ["stream", "datagrams"] {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    listener.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    case.descriptors = descriptors();
    let outcome = case.fault(&["sockets", folder.path().to_str().unwrap()], LATE);
    let refused = [
        "stream",
        "datagram",
        "packets",
        "no name",
        "family 2",
        "family 10",
        "family 16",
        "family 38",
        "family 40",
        "pair of datagrams",
        "pair of packets",
        "send to an address",
        "larger buffer",
        "larger buffer for what comes",
        "bind",
        "connect a pair",
        "listen",
        "accept",
    ];
    let mut expected = all(&refused, REFUSED);
    expected.extend([
        ("pair", DONE),
        ("pair that does not block", DONE),
        // The kernel's own words: the other end is known already.
        ("message to an address", "Transport endpoint is already connected"),
    ]);
    assert_said(&outcome, &expected);
    assert!(listener.accept().is_err(), "somebody came");
    assert!(datagrams.recv(&mut [0; 9]).is_err(), "something came");
    assert!(outcome.confinement.sockets_refused, "{outcome:?}");
}

#[test]
fn nothing_outlives_it_in_the_kernel() {
    let case = Case::new();
    let before = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let outcome = case.fault(&["leavings"], LATE);
    let refused = ["shared memory", "queue", "semaphores", "named queue", "life after the handler"];
    assert_said(&outcome, &[all(&refused, REFUSED), vec![("memory of its own", DONE)]].concat());
    assert_eq!(fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default(), before);
    assert!(outcome.confinement.shared_memory_refused, "{outcome:?}");
}

#[test]
fn the_handlers_priorities_stay() {
    let case = Case::new();
    let outcome = case.fault(&["priorities"], LATE);
    let refused = [
        "nice",
        "nice of a user",
        "nice of a group",
        "processors",
        "class",
        "parameters",
        "attributes",
        "disk",
        "limits",
    ];
    let own = ["own nice", "own processors", "own limits"];
    assert_said(&outcome, &[all(&refused, REFUSED), all(&own, DONE)].concat());
    assert!(outcome.confinement.priorities_kept, "{outcome:?}");
}

#[test]
fn it_sees_itself_and_no_others() {
    let case = Case::new();
    let outcome = case.fault(&["looks"], LATE);
    let granted = outcome.confinement;
    // Without Landlock, `/proc` and `/etc` are as open as their files are.
    let closed = if granted.landlock.is_some() { CLOSED } else { DONE };
    let refused = [
        "program by descriptor",
        "watch",
        "watch all",
        "signal by descriptor",
        "personality",
        "pages into a pipe",
        "fcntl for owner",
        "fcntl for signal",
        "fcntl for owner, more",
        "fcntl for lease",
        "fcntl for notice",
        "ioctl for input",
    ];
    let own = ["own command line", "own descriptors", "own threads", "processors", "users"];
    let expected = [
        all(&["command line", "state", "all processes", "name of the machine"], closed),
        all(&["passwords"], CLOSED),
        all(&refused, REFUSED),
        all(&own, DONE),
        all(&["file in memory", "a call of tomorrow"], UNKNOWN),
    ];
    assert_said(&outcome, &expected.concat());
    assert_eq!(granted.processes_hidden, granted.landlock.is_some());
    assert!(granted.memory_files_refused, "{granted:?}");
}

fn line<'a>(said: &'a str, name: &str) -> &'a str {
    said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in\n{said}")).trim()
}

#[test]
fn it_has_no_rights_of_root() {
    let case = Case::new();
    for author in [Author::Us, Author::Somebody] {
        let mut spec = case.spec(&["identity"]);
        spec.author = author;
        let outcome = case.run(spec, LATE);
        let (said, granted) = (said(&outcome), outcome.confinement);
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(line(&said, set), "0000000000000000", "{said}");
        }
        assert_eq!(line(&said, "say it by name:"), DONE);
        assert!(
            granted.not_root && granted.capabilities_dropped && granted.capabilities == Capabilities(0),
            "{granted:?}"
        );
        let user = granted.user.unwrap_or_else(|| geteuid().as_raw()).to_string();
        assert_eq!(line(&said, "users"), [&*user; 3].join(" "));
        assert_eq!(granted.user.is_some(), geteuid().is_root(), "{granted:?}");
        assert!(granted.missing().is_empty() || granted.landlock.is_none(), "{granted:?}");
        let made = case.scratch.path().join("made");
        assert_eq!(made.metadata().unwrap().uid().to_string(), user);
        fs::remove_file(made).unwrap();
    }
}

#[test]
fn each_program_is_another_user_and_none_is_that_of_our_tools() {
    if !geteuid().is_root() {
        return;
    }
    let case = Case::new();
    let user = |author| {
        let mut spec = case.spec(&["identity"]);
        spec.author = author;
        case.run(spec, LATE).confinement.user.unwrap()
    };
    let (tool, again) = (user(Author::Us), user(Author::Us));
    let (one, two) = (user(Author::Somebody), user(Author::Somebody));
    assert!(tool == again && one != two && one != tool && two != tool, "{tool} {again} {one} {two}");
    // These numbers are unused.
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    assert!([tool, one, two].iter().all(|user| !passwd.contains(&format!(":{user}:"))));
}

/// A checkout below root's own folder is common in containers.
#[test]
fn what_lies_where_only_root_may_go_costs_one_capability_and_it_is_told() {
    if !geteuid().is_root() {
        return;
    }
    let case = Case::new();
    let closed = tempfile::tempdir().unwrap();
    let (allowed, other) = (closed.path().join("allowed"), closed.path().join("other"));
    for path in [&allowed, &other] {
        fs::write(path, "words").unwrap();
    }
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut spec = case.spec(&["read", allowed.to_str().unwrap(), other.to_str().unwrap()]);
    spec.confinement.read.push(allowed.clone());
    let outcome = case.run(spec, LATE);
    let granted = outcome.confinement;
    let beyond = if granted.landlock.is_some() { CLOSED } else { DONE };
    assert_said(&outcome, &[(allowed.to_str().unwrap(), DONE), (other.to_str().unwrap(), beyond)]);
    assert_eq!((granted.capabilities, granted.capabilities_dropped), (Capabilities(1 << 2), false));
    assert!(granted.not_root && granted.user.is_some(), "{granted:?}");
    assert_eq!(serde_json::to_value(granted).unwrap()["capabilities"], serde_json::json!(["dac_read_search"]));
    // Landlock says what it may read, so it is confined all the same; without Landlock it is not.
    assert_eq!(granted.missing().is_empty(), granted.landlock.is_some(), "{granted:?}");
    let mut spec = case.spec(&["read", allowed.to_str().unwrap()]);
    spec.confinement.read.push(allowed);
    spec.confinement.mode = Mode::Require;
    let ending = case.run(spec, LATE).ending;
    assert_eq!(ending == Ending::Exited(0), granted.landlock.is_some(), "{ending:?}");
}

#[test]
fn a_program_writes_its_own_folder_and_not_the_one_above() {
    let case = Case::new();
    let job = tempfile::tempdir().unwrap();
    handler::child::open_to_children(job.path()).unwrap();
    let own = job.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(job.path().join("clip"), "another scene's").unwrap();
    let (above, sibling) = (job.path().join("new"), job.path().join("clip"));
    let mut spec =
        case.spec(&["write", own.join("mine").to_str().unwrap(), above.to_str().unwrap(), sibling.to_str().unwrap()]);
    spec.author = Author::Somebody;
    spec.confinement.write = vec![own.clone()];
    spec.dir.clone_from(&own);
    let outcome = case.run(spec, LATE);
    // A handler without root has Landlock alone for that.
    let beyond = if outcome.confinement.landlock.is_some() || geteuid().is_root() { CLOSED } else { DONE };
    let expected = [
        (own.join("mine").to_str().unwrap().to_owned(), DONE),
        (above.to_str().unwrap().to_owned(), beyond),
        (sibling.to_str().unwrap().to_owned(), beyond),
    ];
    let expected: Vec<(&str, &str)> = expected.iter().map(|(name, result)| (&**name, *result)).collect();
    assert_said(&outcome, &expected);
}

#[test]
fn memory_that_a_process_takes_is_limited() {
    let case = Case::new();
    let mut spec = case.spec(&["memory"]);
    spec.limits.memory = Some(512 << 20);
    let outcome = case.run(spec, LATE);
    assert_eq!((&outcome.ending, outcome.too_much_memory), (&Ending::Exited(1), false));
    assert!(outcome.stderr.text_lossy().contains("MemoryError"), "{outcome:?}");
}

#[test]
fn a_tree_that_swells_is_ended() {
    let case = Case::new();
    let mut spec = case.spec(&["swell", "4", "150"]);
    spec.limits.memory = Some(400 << 20);
    let outcome = case.run(spec, LATE);
    assert_eq!((&outcome.ending, outcome.too_much_memory), (&Ending::Signalled(9), true), "{outcome:?}");
    assert!(!outcome.too_many_processes && outcome.elapsed < Duration::from_secs(10), "{outcome:?}");
}

/// A few processes of little memory, and hundreds of megabytes in the kernel.
#[test]
fn what_waits_in_sockets_is_counted() {
    let case = Case::new();
    let mut spec = case.spec(&["fill", "400"]);
    spec.limits.memory = Some(100 << 20);
    let outcome = case.run(spec, LATE);
    assert_eq!((&outcome.ending, outcome.too_much_memory), (&Ending::Signalled(9), true), "{outcome:?}");
    // Those of an ordinary program are no reason to end it.
    let mut spec = case.spec(&["fill", "20"]);
    spec.limits.memory = Some(100 << 20);
    let outcome = case.run(spec, Duration::from_secs(2));
    assert_eq!((&outcome.ending, said(&outcome).as_str()), (&Ending::TimedOut, "filled\n"), "{outcome:?}");
}

#[test]
fn what_processes_share_is_counted_once() {
    let case = Case::new();
    let mut spec = case.spec(&["share", "100", "8"]);
    spec.limits.memory = Some(400 << 20);
    let outcome = case.run(spec, LATE);
    assert_eq!((said(&outcome).as_str(), outcome.too_much_memory), ("shared\n", false), "{outcome:?}");
}

/// Once more, in a process of its own.
#[test]
fn all_of_it_holds_for_a_handler_that_is_not_root() {
    if !geteuid().is_root() {
        return;
    }
    let case = Case::new();
    let folder = tempfile::tempdir().unwrap();
    nix::unistd::chown(folder.path(), Some(Uid::from_raw(NOBODY)), Some(Gid::from_raw(NOBODY))).unwrap();
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["confinement::", "--test-threads=1"]).env("TMPDIR", folder.path()).uid(NOBODY).gid(NOBODY);
    let again = again.output().unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && !said.contains("running 0 tests"), "{said}");
    case.nothing_is_left();
}

/// Root in a container lacks the capabilities by which it could ask for another user's limits, and so for the mark.
#[test]
fn root_in_a_container_finds_its_children_of_another_user() {
    if !geteuid().is_root() {
        return;
    }
    let case = Case::new();
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["double_fork", "orphan_in_disguise", "the_mark", "fork_bomb", "no_rights_of_root", "--test-threads=1"]);
    // CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_SYS_RESOURCE, of which an exec gives no more than this set holds.
    #[expect(unsafe_code, reason = "nix has no name for it")]
    let drop_capabilities = || {
        for capability in [19, 21, 24] {
            // SAFETY: the call takes integers alone.
            if unsafe { nix::libc::prctl(nix::libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes system calls, and allocates nothing.
    #[expect(unsafe_code, reason = "a container with fewer capabilities")]
    unsafe {
        again.pre_exec(drop_capabilities)
    };
    let again = again.output().unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("fork_bomb") && said.contains("no_rights_of_root"), "{said}");
    case.nothing_is_left();
}
