//! What a film would be, and what making it would take, before anything of it is made.

use std::time::Duration;

use serde::Serialize;
use storyboard::Storyboard;

use crate::job::Quality;

/// Seconds of work for a second of film at standard quality on two processors, as measured on the showcase lesson (with
/// some room).
const WORK_PER_SECOND: f64 = 0.5;
/// The processors of that measurement.
const PROCESSORS: f64 = 2.0;

/// What a storyboard comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Scenes.
    pub scenes: usize,
    /// Seconds of film.
    pub seconds: f64,
    /// Frames of film.
    pub frames: f64,
    /// Characters to speak.
    pub characters: usize,
    /// Its quality.
    pub quality: Quality,
    /// Seconds on the wall that one machine would need.
    pub work_seconds: f64,
}

impl Estimate {
    /// Of a film in that quality, made with so many scenes drawn at a time.
    pub fn of(storyboard: &Storyboard, quality: Quality, parallel: usize) -> Self {
        let beats = || storyboard.scenes.iter().flat_map(|scene| &scene.beats);
        let seconds = beats().map(|beat| f64::from(beat.estimate_ms + beat.pause_ms)).sum::<f64>() / 1000.0;
        // Measured on six scenes of 26 s: 3.8, 7.1 and 22 s. A frame of 4k has four times the pixels.
        let weight = match quality {
            Quality::Draft => 0.55,
            Quality::Standard => 1.0,
            Quality::High => 3.1,
            Quality::Uhd => 12.0,
        };
        Self {
            scenes: storyboard.scenes.len(),
            seconds,
            frames: (seconds * f64::from(quality.fps())).round(),
            characters: beats().map(|beat| beat.narration.chars().count()).sum(),
            quality,
            work_seconds: seconds * WORK_PER_SECOND * weight * PROCESSORS / parallel.max(1) as f64,
        }
    }

    /// Whether that is done in time.
    pub fn fits(&self, time: Duration) -> bool {
        self.work_seconds < time.as_secs_f64()
    }
}
