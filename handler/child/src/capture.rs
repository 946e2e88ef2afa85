//! Drains one pipe into bounded memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc;

use super::outcome::Captured;

/// Longest line that is passed on, in bytes; more of it is cut off.
const MAX_LINE: usize = 8 * 1024;
/// What one read takes at most, in bytes: a pipe holds as much.
const READ: usize = 64 * 1024;

/// The head and the tail of a stream, as it grows.
#[derive(Debug, Default)]
pub(super) struct Capture {
    keep: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Capture {
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.keep - self.head.len()));
        self.head.extend_from_slice(first);
        let (gone, last) = rest.split_at(rest.len() - rest.len().min(self.keep));
        let over = (self.tail.len() + last.len()).saturating_sub(self.keep);
        self.tail.drain(..over);
        self.tail.extend(last);
        self.dropped += (gone.len() + over) as u64;
    }

    pub(super) fn take(&mut self) -> Captured {
        Captured {
            head: std::mem::take(&mut self.head),
            tail: std::mem::take(&mut self.tail).into(),
            dropped: self.dropped,
        }
    }
}

/// Cuts a stream into lines and passes them on, without ever waiting.
#[derive(Debug)]
pub(super) struct Lines {
    sender: mpsc::Sender<String>,
    line: Vec<u8>,
    cut: bool,
}

impl Lines {
    pub(super) fn to(sender: mpsc::Sender<String>) -> Self {
        Self { sender, line: Vec::new(), cut: false }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            let room = MAX_LINE - self.line.len();
            self.cut |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line();
            }
        }
    }

    /// Passes on an unterminated line at the end of the stream.
    fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let mut text = String::from_utf8_lossy(&self.line).into_owned();
        if self.cut {
            text.push('…');
        }
        self.line.clear();
        self.cut = false;
        // Dropped when the queue is full: the pipe must not wait for the reader.
        let _ = self.sender.try_send(text);
    }
}

/// Reads until the last writer has closed the pipe. It is cut off by dropping it; what it read stays in `capture`.
pub(super) async fn drain(mut pipe: Receiver, capture: Rc<RefCell<Capture>>, mut lines: Option<Lines>) {
    let mut buffer = vec![0; READ];
    // A broken pipe reads as its end: there is nothing more to be had.
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        capture.borrow_mut().push(&buffer[..length]);
        if let Some(lines) = &mut lines {
            lines.push(&buffer[..length]);
        }
    }
    if let Some(lines) = &mut lines {
        lines.finish();
    }
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
