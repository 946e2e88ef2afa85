//! How long the beats of a scene last: their words, their pauses, and the silence in which what they hold can be read.

use crate::{Beat, Scene};

/// Lengthens `beats`, so many units of time long each and so many units to a second, until what they hold has stood long enough.
pub fn hold(beats: &[Beat], lengths: &mut [u64], per_second: u64) {
    for (at, beat) in beats.iter().enumerate() {
        for hold in &beat.holds {
            let since = beats[..=at].iter().rposition(|earlier| earlier.id == hold.since).unwrap_or(at);
            let Some(stood) = lengths.get(since..=at).map(|lengths| lengths.iter().sum::<u64>()) else { return };
            let least = (u64::from(hold.ms) * per_second).div_ceil(1000);
            lengths[at] += least.saturating_sub(stood);
        }
    }
}

impl Scene {
    /// How long each of its beats is planned to last, in milliseconds.
    pub fn planned_ms(&self) -> Vec<u64> {
        let planned = |beat: &Beat| u64::from(beat.estimate_ms) + u64::from(beat.pause_ms);
        let mut lengths: Vec<u64> = self.beats.iter().map(planned).collect();
        hold(&self.beats, &mut lengths, 1000);
        lengths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hold;

    #[test]
    fn the_last_beat_of_what_is_read_is_held() {
        let beat = |id: &str, holds: &[(&str, u32)]| Beat {
            id: id.to_owned(),
            narration: String::new(),
            pause_ms: 0,
            actions: Vec::new(),
            estimate_ms: 0,
            cues: Vec::new(),
            place: None,
            holds: holds.iter().map(|(since, ms)| Hold { since: (*since).to_owned(), ms: *ms }).collect(),
        };
        let beats = [beat("a", &[]), beat("b", &[("a", 3000), ("b", 1500)]), beat("c", &[("c", 100), ("b", 2000)])];
        let held = |lengths: [u64; 3]| {
            let mut lengths = lengths;
            hold(&beats, &mut lengths, 30);
            lengths
        };
        // In frames: 90 from `a` on, 45 of `b`, and 60 from `b` on.
        assert_eq!(held([30, 30, 1]), [30, 60, 3]);
        assert_eq!(held([80, 30, 1]), [80, 45, 15]);
        assert_eq!(held([100, 100, 100]), [100, 100, 100]);
    }
}
