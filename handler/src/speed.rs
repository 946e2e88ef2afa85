//! The current speed of this machine, measured on work that is done anyway, which corrects time estimates made on another machine.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Time that bringing a second of speech to its loudness takes on the machine on which the other times were measured: 4 ms, with three
/// rounds, and twice that on the wall, for scenes are drawn on all processors meanwhile.
const REFERENCE: Duration = Duration::from_millis(8);
/// Sounds that are shorter say little.
const LEAST: Duration = Duration::from_millis(500);
/// What is believed: no machine is that much slower, but for a moment.
const SLOWEST: f64 = 8.0;
/// The share of the newest measurement.
const NEWEST: f64 = 0.2;

/// This process's machine.
static HERE: Speed = Speed(AtomicU32::new(0));

/// Normalizing a sound of that length took so long.
pub fn measured(length: Duration, took: Duration) {
    HERE.measured(length, took);
}

/// How many times longer everything takes than it was measured: 1 to 8; 1 before anything was measured.
pub fn slowness() -> f64 {
    HERE.slowness()
}

/// How many times longer things take, in thousandths; 0 before the first measurement.
struct Speed(AtomicU32);

impl Speed {
    fn measured(&self, length: Duration, took: Duration) {
        if length < LEAST {
            return;
        }
        let usual = REFERENCE.as_secs_f64() * length.as_secs_f64();
        let now = (took.as_secs_f64() / usual).clamp(1.0, SLOWEST);
        let _ = self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
            let before = f64::from(before) / 1000.0;
            let mean = if before == 0.0 { now } else { before + (now - before) * NEWEST };
            Some((mean * 1000.0).round() as u32)
        });
    }

    fn slowness(&self) -> f64 {
        (f64::from(self.0.load(Ordering::Relaxed)) / 1000.0).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_machine_is_noticed_and_one_outlier_is_not() {
        let (speed, second) = (Speed(AtomicU32::new(0)), Duration::from_secs(1));
        assert!((speed.slowness() - 1.0).abs() < 0.001);
        for _ in 0..50 {
            speed.measured(second, 4 * REFERENCE);
        }
        assert!((3.9..=4.1).contains(&speed.slowness()), "{}", speed.slowness());
        speed.measured(second, Duration::from_secs(60));
        assert!(speed.slowness() <= 5.0, "{}", speed.slowness());
        speed.measured(Duration::from_millis(10), Duration::from_secs(60));
        for _ in 0..50 {
            speed.measured(second, REFERENCE / 2);
        }
        assert!(speed.slowness() < 1.1, "{}", speed.slowness());
    }
}
