//! A picture of a clip in which nothing moves.

use serde::{Deserialize, Serialize};

/// Where such a picture is, and how full it is, as a child process reports it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Still {
    /// The frame, from the clip's first.
    pub frame: u64,
    /// The share of the picture that has ink, from 0 to 1.
    pub share: f64,
}

impl Still {
    /// The same, if it can be true of a clip of so many frames.
    pub fn within(self, frames: u64) -> Option<Self> {
        (self.frame < frames && (0.0..=1.0).contains(&self.share)).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_true_is_dropped() {
        for (frame, share, fits) in
            [(0, 0.0, true), (9, 1.0, true), (10, 0.5, false), (3, 1.01, false), (3, f64::NAN, false)]
        {
            assert_eq!(Still { frame, share }.within(10).is_some(), fits, "{frame} {share}");
        }
    }
}
