//! Divides what is left of a job's time among its steps.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use storyboard::{Beat, Scene, Storyboard};

use crate::assemble;
use crate::deadline::Deadline;
use crate::job::Quality;
use crate::narrate::SAMPLE_RATE;
use crate::render::Cards;
use crate::speed;

/// What is left of a job's time, divided: a step that ends early leaves more to the later ones.
#[derive(Debug)]
pub struct Budget {
    /// When the film must be complete.
    pub ends: Deadline,
    /// The film's length in milliseconds, estimated for what was not spoken yet.
    length: AtomicI64,
    /// The most that joining may take.
    assembly: Duration,
    /// What one still card takes, over all processors.
    card: Duration,
    /// The most that all cards together may take.
    cards: Duration,
}

impl Budget {
    /// All of the time, for a task that only narrates.
    pub(super) fn of_voices(ends: Deadline) -> Self {
        let none = Duration::ZERO;
        Self { ends, length: AtomicI64::new(0), assembly: none, card: none, cards: none }
    }

    /// For this storyboard. Joining gets no more than half of the time, and cards no more than a third, so that a short time is
    /// divided too.
    pub fn of(storyboard: &Storyboard, quality: Quality, parallel: usize, ends: Deadline) -> Self {
        let planned: u64 = storyboard.scenes.iter().flat_map(Scene::planned_ms).sum();
        let length = i64::try_from(planned).unwrap_or(i64::MAX);
        let card = Cards::cost(quality) / u32::try_from(parallel).unwrap_or(1).max(1);
        let left = ends.left();
        Self { ends, length: AtomicI64::new(length), assembly: left / 2, card, cards: left / 3 }
    }

    /// A beat was spoken, so many samples long: its length replaces the estimate.
    pub(super) fn record_spoken(&self, beat: &Beat, samples: usize) {
        let ms = samples as u64 * 1000 / u64::from(SAMPLE_RATE);
        self.record_length(u64::from(beat.estimate_ms), ms);
    }

    /// A scene turned out so many milliseconds long, in place of an estimate.
    pub(super) fn record_length(&self, estimate_ms: u64, ms: u64) {
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        self.length.fetch_add(signed(ms).saturating_sub(signed(estimate_ms)), Ordering::Relaxed);
    }

    /// The time that joining takes at this machine's measured speed.
    fn assembly(&self) -> Duration {
        let ms = u64::try_from(self.length.load(Ordering::Relaxed)).unwrap_or_default();
        assemble::cost(Duration::from_millis(ms)).mul_f64(speed::slowness()).min(self.assembly)
    }

    /// Until when scenes may be drawn while so many have no clip yet: after that there is just time for their cards.
    pub(super) fn drawing(&self, missing: u32) -> Deadline {
        let cards = (self.card * missing + Duration::from_secs(2)).min(self.cards);
        self.ends.less(self.assembly() + cards)
    }

    /// Until when a card may be made.
    pub(super) fn cards(&self) -> Deadline {
        self.ends.less(self.assembly())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a film of a second.
    fn budget(seconds: u64, card: Duration) -> Budget {
        let ends = Deadline::after(Duration::from_secs(seconds));
        let left = ends.left();
        Budget { ends, length: AtomicI64::new(1_000), assembly: left / 2, card, cards: left / 3 }
    }

    fn beat(estimate_ms: u32) -> Beat {
        let (id, narration) = ("b".to_owned(), "w".to_owned());
        let (actions, cues, holds) = (Vec::new(), Vec::new(), Vec::new());
        Beat { id, narration, pause_ms: 0, actions, estimate_ms, cues, place: None, holds }
    }

    #[test]
    fn drawing_ends_in_time_for_the_cards_of_all_missing_scenes() {
        let budget = budget(100, Duration::from_millis(400));
        let (few, many) = (budget.drawing(1), budget.drawing(50));
        assert!(many < few && few < budget.cards() && budget.cards() < budget.ends);
        let apart = few.left() - many.left();
        assert!((19_000..20_000).contains(&apart.as_millis()), "49 cards take {apart:?}");
    }

    #[test]
    fn joining_and_cards_take_no_more_than_their_shares() {
        let budget = budget(30, Duration::from_secs(1));
        budget.record_spoken(&beat(0), 48_000 * 10_000);
        let left = budget.drawing(1_000).left();
        assert!((4_000..5_100).contains(&left.as_millis()), "a sixth is left to draw: {left:?}");
    }

    #[test]
    fn the_spoken_length_replaces_the_estimate() {
        let budget = budget(600, Duration::ZERO);
        let before = budget.cards().left();
        budget.record_spoken(&beat(2_000), 48_000 * 502);
        let longer = before - budget.cards().left();
        assert!(longer > Duration::from_secs(5), "joining 500 s more takes {longer:?} more");
        budget.record_spoken(&beat(400_000), 48_000);
        assert!(budget.cards().left() > before - longer, "a beat shorter than its estimate gives time back");
    }
}
