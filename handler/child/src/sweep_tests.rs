#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn marks_are_unique_among_running_children_and_are_reused() {
    let mut registry = Registry { own: 4, last: 0, leaders: HashMap::new() };
    assert_eq!(
        [registry.allocate_mark(), registry.allocate_mark(), registry.allocate_mark()],
        [Some(1), Some(2), Some(3)]
    );
    assert_eq!(registry.allocate_mark(), None, "all are taken");
    registry.release(Some(2));
    assert_eq!(registry.allocate_mark(), Some(2));
}

#[test]
fn there_is_no_mark_without_a_free_number_below_our_own_limit() {
    let mut registry = Registry { own: 1, last: 0, leaders: HashMap::new() };
    assert_eq!(registry.allocate_mark(), None);
}

#[test]
fn a_lowered_mark_is_a_stray_and_our_own_limit_is_not() {
    let mut registry = Registry { own: 819_200, last: 6, leaders: HashMap::new() };
    let mark = registry.allocate_mark().unwrap();
    assert_eq!(mark, 7);
    assert!(!registry.matches(SweepTarget::Strays, 7), "of a running child");
    assert!(registry.matches(SweepTarget::Strays, 3), "lowered, or of a child that has ended");
    assert!(!registry.matches(SweepTarget::Strays, 819_200), "of no child");
    registry.release(Some(mark));
    assert!(registry.matches(SweepTarget::Strays, 7));
}

#[test]
fn both_ways_of_finding_children_agree() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let member = Member::read(pid).unwrap();
    assert_eq!((member.pid, member.parent, member.dead, member.threads), (pid, getpid(), false, 1));
    let mut scanned: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for member in numbers("/proc").filter_map(Member::read) {
        scanned.entry(member.parent).or_default().push(member.pid);
    }
    assert!(Tree::Scanned(scanned).children(getpid()).contains(&pid));
    assert!(Tree::here().children(getpid()).contains(&pid));
    child.kill().unwrap();
    assert!(ended(pid).is_some() || Member::read(pid).is_some());
    child.wait().unwrap();
    assert_eq!(Member::read(pid), None);
}
