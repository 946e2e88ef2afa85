//! What is left of a job's time, and who may take how much of it.

use std::time::Duration;

use planner_wasm::storyboard::Storyboard;

use crate::deadline::Deadline;
use crate::job::Quality;
use crate::render::Cards;

/// What is left of a job's time, cut up: whoever is early leaves more to those after.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// When the film must be joined.
    pub ends: Deadline,
    /// What joining takes.
    assembly: Duration,
    /// What one still card takes, over all processors.
    card: Duration,
    /// The most that all cards together may take.
    cards: Duration,
}

impl Budget {
    /// All of the time, for who only speaks.
    pub(super) fn of_voices(ends: Deadline) -> Self {
        Self { ends, assembly: Duration::ZERO, card: Duration::ZERO, cards: Duration::ZERO }
    }

    /// Of a film of about this length. Nothing gets more than a third, so that a short time is cut up too.
    pub fn of(storyboard: &Storyboard, quality: Quality, parallel: usize, ends: Deadline) -> Self {
        let beats = storyboard.scenes.iter().flat_map(|scene| &scene.beats);
        let seconds = beats.map(|beat| f64::from(beat.estimate_ms + beat.pause_ms) / 1000.0).sum::<f64>();
        // Measured: 0.8 s and a hundredth of the film's length at 720p, on two quiet processors. Threefold.
        let assembly = Duration::from_secs_f64(2.0 + seconds * 0.03).min(ends.left() / 3);
        let card = Cards::cost(quality) / u32::try_from(parallel).unwrap_or(1).max(1);
        Self { ends, assembly, card, cards: ends.left() / 3 }
    }

    /// Until when a scene may be drawn while so many have no clip: after that there is just time for their cards.
    pub(super) fn drawing(&self, missing: u32) -> Deadline {
        let cards = (self.card * missing + Duration::from_secs(2)).min(self.cards);
        self.ends.less(self.assembly + cards)
    }

    /// Until when a card may be made.
    pub(super) fn cards(&self) -> Deadline {
        self.ends.less(self.assembly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(seconds: u64, card: Duration) -> Budget {
        let ends = Deadline::after(Duration::from_secs(seconds));
        Budget { ends, assembly: Duration::from_secs(2), card, cards: ends.left() / 3 }
    }

    #[test]
    fn drawing_ends_in_time_for_the_cards_of_all_that_is_missing() {
        let budget = budget(100, Duration::from_millis(400));
        let (few, many) = (budget.drawing(1).left(), budget.drawing(50).left());
        assert!(few > Duration::from_secs(95) && few < Duration::from_millis(95_700), "{few:?}");
        assert!(many > Duration::from_secs(75) && many < Duration::from_millis(76_100), "{many:?}");
        assert!(budget.drawing(50) < budget.cards() && budget.cards() < budget.ends);
    }

    #[test]
    fn cards_never_take_more_than_a_third() {
        let budget = budget(30, Duration::from_secs(1));
        assert!(budget.drawing(1_000).left() > Duration::from_secs(17));
    }
}
