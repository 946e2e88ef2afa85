//! Which voice of the chain speaks which beats, and which beats fall back together when a voice fails.

use std::collections::HashMap;

use storyboard::Consistency;
use tokio::sync::watch;

/// The current voice of each group of beats, as its index in the chain.
#[derive(Debug)]
pub(super) struct VoiceAssignment {
    consistency: Consistency,
    voices: watch::Sender<HashMap<String, usize>>,
}

impl VoiceAssignment {
    /// What falls back together; none means the whole film, so that it never has two voices.
    pub(super) fn new(consistency: Option<Consistency>) -> Self {
        let consistency = consistency.unwrap_or(Consistency::Film);
        Self { consistency, voices: watch::Sender::new(HashMap::new()) }
    }

    /// The group of a beat.
    pub(super) fn group(&self, scene: &str, beat: &str) -> String {
        match self.consistency {
            Consistency::Film => String::new(),
            Consistency::Scene => scene.to_owned(),
            Consistency::Beat => beat.to_owned(),
        }
    }

    /// The index of the group's current voice.
    pub(super) fn current(&self, group: &str) -> usize {
        self.voices.borrow().get(group).copied().unwrap_or(0)
    }

    /// Voice number `failed` can't speak for the group: the next one takes over, unless it already has.
    pub(super) fn advance(&self, group: &str, failed: usize) {
        self.voices.send_if_modified(|voices| {
            let now = voices.entry(group.to_owned()).or_insert(0);
            let advances = *now == failed;
            *now += usize::from(advances);
            advances
        });
    }

    /// Waits until the group's voice is no longer number `index`.
    pub(super) async fn changed(&self, group: &str, index: usize) {
        // The sender lives in `self`, so this can't fail.
        let _ = self.voices.subscribe().wait_for(|voices| voices.get(group).copied().unwrap_or(0) != index).await;
    }
}
