//! Loops over samples: loudness, limiting, correlation.
//!
//! In: samples, -1 to 1, at 48 kHz. Out: samples and numbers. It never opens a file, and never waits. Callers pass long
//! sounds a second at a time, or say with `check` whether there is time to go on.
//!
//! A crate of its own, as it is compiled for speed and the handler for size: the same loops were measured to take up to 2.7 times as
//! long there. Generic code would be compiled with its caller, so nothing public is generic.

mod correlation;
mod limiter;
mod loudness;
mod mixdown;
mod normalize;

pub use correlation::{STEP, best_match, envelope};
pub use limiter::{CEILING, LOOK_AHEAD};
pub use loudness::Meter;
pub use mixdown::Mixdown;
pub use normalize::normalized;

/// One frame of sound: its sample on the left and on the right.
pub type StereoFrame = [f32; 2];

/// Of all sound here: 15, 30 and 60 frames per second divide it.
pub const SAMPLE_RATE: u32 = 48_000;
/// Integrated loudness of every film, in LUFS: what streaming services and classrooms expect of speech.
pub const LOUDNESS: f64 = -16.0;
/// Samples that are worked on at a time: a second.
pub const BLOCK: usize = SAMPLE_RATE as usize;

/// The factor that makes a sound so many decibels louder.
pub fn factor(decibels: f64) -> f32 {
    10_f64.powf(decibels / 20.0) as f32
}

/// Little-endian 16-bit samples as numbers; a byte too many is left out.
pub fn samples(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<2>().0.iter().map(|pair| of_bytes(*pair)).collect()
}

/// Interleaved little-endian 16-bit samples of one or two channels as frames, as far as there are any; one channel is heard on both
/// sides.
pub fn stereo_frames(bytes: &[u8], channels: usize, out: &mut [StereoFrame]) {
    if channels == 1 {
        for (frame, pair) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *frame = [of_bytes(*pair); 2];
        }
    } else {
        for (frame, four) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *frame = [of_bytes([four[0], four[1]]), of_bytes([four[2], four[3]])];
        }
    }
}

/// Samples as they are heard on both sides, times `factor`.
pub fn mono_to_stereo(samples: &[f32], factor: f32) -> Vec<StereoFrame> {
    samples.iter().map(|sample| [sample * factor; 2]).collect()
}

fn of_bytes(pair: [u8; 2]) -> f32 {
    f32::from(i16::from_le_bytes(pair)) / 32_767.0
}

fn to_bytes(sample: f32) -> [u8; 2] {
    ((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).to_le_bytes()
}
