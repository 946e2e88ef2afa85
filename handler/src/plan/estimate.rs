//! Estimates a film's length and the work of making it, before anything of it is made.

use std::time::Duration;

use serde::Serialize;
use storyboard::{Scene, Storyboard};

use crate::job::Quality;

/// Seconds of work for a second of film at standard quality on two processors, as measured on the showcase lesson (with
/// some room).
const WORK_PER_SECOND: f64 = 0.5;
/// The processors of that measurement.
const PROCESSORS: f64 = 2.0;

/// The estimate of a film.
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
    /// Wall-clock seconds that one machine would need.
    pub work_seconds: f64,
}

impl Estimate {
    /// Of a film in that quality, made with so many scenes drawn at a time.
    pub fn of(storyboard: &Storyboard, quality: Quality, parallel: usize) -> Self {
        let beats = || storyboard.scenes.iter().flat_map(|scene| &scene.beats);
        let seconds = storyboard.scenes.iter().flat_map(Scene::planned_ms).sum::<u64>() as f64 / 1000.0;
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

    /// Whether the work fits into that time.
    pub fn fits(&self, time: Duration) -> bool {
        self.work_seconds < time.as_secs_f64()
    }
}
