#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn captured(keep: usize, pieces: &[&[u8]]) -> Captured {
    let mut capture = Capture::new(keep);
    pieces.iter().for_each(|piece| capture.push(piece));
    capture.take()
}

#[test]
fn a_short_stream_is_kept_whole() {
    let kept = captured(4, &[b"ab", b"cdef"]);
    assert_eq!((kept.text_lossy().as_str(), kept.dropped), ("abcdef", 0));
}

#[test]
fn a_long_stream_keeps_its_head_and_its_tail_however_it_is_cut() {
    let bytes: Vec<u8> = (b'a'..=b'z').collect();
    for size in 1..=bytes.len() {
        let kept = captured(4, &bytes.chunks(size).collect::<Vec<_>>());
        assert_eq!(
            (&kept.head[..], &kept.tail[..], kept.dropped),
            (&b"abcd"[..], &b"wxyz"[..], 18),
            "in pieces of {size}"
        );
    }
}

#[test]
fn a_character_across_the_seam_survives() {
    assert_eq!(captured(1, &["é".as_bytes()]).text_lossy(), "é");
}

#[test]
fn nothing_is_kept_when_nothing_may_be() {
    assert_eq!(captured(0, &[b"abc"]).dropped, 3);
}

#[test]
fn lines_are_cut_and_dropped_but_never_waited_for() {
    let (sender, mut receiver) = mpsc::channel(3);
    let mut lines = Lines::to(sender);
    lines.push(b"one\ntw");
    lines.push(b"o\n");
    lines.push(&vec![b'x'; 3 * MAX_LINE]);
    lines.push(b"\ndropped\nlast");
    assert_eq!(receiver.try_recv().unwrap(), "one");
    assert_eq!(receiver.try_recv().unwrap(), "two");
    assert_eq!(receiver.try_recv().unwrap(), format!("{}…", "x".repeat(MAX_LINE)));
    lines.finish();
    assert_eq!(receiver.try_recv().unwrap(), "last");
}
