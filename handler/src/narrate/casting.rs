//! Who speaks what, and what falls back together when a voice fails.

use std::collections::HashMap;

use storyboard::Consistency;
use tokio::sync::watch;

/// The place in the chain of whoever speaks each group of beats.
#[derive(Debug)]
pub(super) struct Casting {
    consistency: Consistency,
    turns: watch::Sender<HashMap<String, usize>>,
}

impl Casting {
    /// What falls back together; none means the whole film, for nobody wants two voices in one film.
    pub(super) fn new(consistency: Option<Consistency>) -> Self {
        let consistency = consistency.unwrap_or(Consistency::Film);
        Self { consistency, turns: watch::Sender::new(HashMap::new()) }
    }

    /// The group of a beat.
    pub(super) fn group(&self, scene: &str, beat: &str) -> String {
        match self.consistency {
            Consistency::Film => String::new(),
            Consistency::Scene => scene.to_owned(),
            Consistency::Beat => beat.to_owned(),
        }
    }

    /// Whose turn it is in that group.
    pub(super) fn turn(&self, group: &str) -> usize {
        self.turns.borrow().get(group).copied().unwrap_or(0)
    }

    /// The voice of `turn` can't speak for the group: the next one does, unless it has the turn already.
    pub(super) fn leave(&self, group: &str, turn: usize) {
        self.turns.send_if_modified(|turns| {
            let now = turns.entry(group.to_owned()).or_insert(0);
            let leaves = *now == turn;
            *now += usize::from(leaves);
            leaves
        });
    }

    /// Waits until the turn is another's.
    pub(super) async fn left(&self, group: &str, turn: usize) {
        // The sender lives in `self`, so this can't fail.
        let _ = self.turns.subscribe().wait_for(|turns| turns.get(group).copied().unwrap_or(0) != turn).await;
    }
}
