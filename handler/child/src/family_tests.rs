#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn marks_are_unique_among_the_living_and_come_round() {
    let mut family = Family { own: 4, last: 0, leaders: HashMap::new() };
    assert_eq!([family.enroll(), family.enroll(), family.enroll()], [Some(1), Some(2), Some(3)]);
    assert_eq!(family.enroll(), None, "all are taken");
    family.dismiss(Some(2));
    assert_eq!(family.enroll(), Some(2));
}

#[test]
fn without_room_below_our_own_limit_there_is_no_mark() {
    let mut family = Family { own: 1, last: 0, leaders: HashMap::new() };
    assert_eq!(family.enroll(), None);
}

#[test]
fn a_mark_that_was_lowered_is_a_stray_and_ours_is_not() {
    let mut family = Family { own: 819_200, last: 6, leaders: HashMap::new() };
    let mark = family.enroll().unwrap();
    assert_eq!(mark, 7);
    assert!(!family.hunts(SweepTarget::Strays, 7), "a living child's");
    assert!(family.hunts(SweepTarget::Strays, 3), "lowered, or of a child that has ended");
    assert!(!family.hunts(SweepTarget::Strays, 819_200), "not a child's at all");
    family.dismiss(Some(mark));
    assert!(family.hunts(SweepTarget::Strays, 7));
}

#[test]
fn a_process_is_read_and_both_ways_of_finding_children_agree() {
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
