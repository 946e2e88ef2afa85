//! Examines a film like a viewer: it knows the film alone, no ledger and no storyboard.

use std::path::Path;
use std::process::{Command, Stdio};

/// Silence of at least this length comes before a tone: 60 ms.
const PAUSE: usize = 48_000 * 60 / 1000;
/// A tone has begun when it is louder than this share of the loudest.
const HEARD: f32 = 0.25;

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers/bin/ffmpeg");
    let mut command = Command::new(program);
    command.args(["-v", "error", "-nostdin"]).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Every picture: when it is shown, in seconds, and its mean luminance, 0 to 255.
pub fn pictures(film: &Path) -> Vec<(f64, f64)> {
    let filter = "scale=64:36:flags=area,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-";
    let printed = ffmpeg(&["-i", film.to_str().unwrap(), "-map", "0:v", "-vf", filter, "-f", "null", "-"]);
    let printed = String::from_utf8(printed).unwrap();
    let after =
        |line: &str, mark: &str| -> Option<f64> { line.split_once(mark)?.1.split_whitespace().next()?.parse().ok() };
    let times = printed.lines().filter_map(|line| after(line, "pts_time:"));
    times.zip(printed.lines().filter_map(|line| after(line, "YAVG="))).collect()
}

/// When a picture is brighter, or darker, than the one before by so much.
pub fn jumps(pictures: &[(f64, f64)], least: f64, both_ways: bool) -> Vec<f64> {
    let before = std::iter::once(0.0).chain(pictures.iter().map(|(_, light)| *light));
    let changed = pictures.iter().zip(before).filter(|((_, light), before)| {
        let change = light - before;
        if both_ways { change.abs() > least } else { change > least }
    });
    changed.map(|((time, _), _)| *time).collect()
}

/// When each tone begins, in seconds.
pub fn tones(film: &Path) -> Vec<f64> {
    let sound = samples(film);
    let loudest = sound.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
    let mut quiet = PAUSE;
    let mut begins = Vec::new();
    for (at, sample) in sound.iter().enumerate() {
        if sample.abs() < HEARD * loudest {
            quiet += 1;
            continue;
        }
        if quiet >= PAUSE {
            begins.push(at as f64 / 48_000.0);
        }
        quiet = 0;
    }
    begins
}

/// The sound as a player plays it: one channel at 48 kHz, beginning with the film's first picture.
pub fn samples(film: &Path) -> Vec<f32> {
    let film = film.to_str().unwrap();
    let from_the_start = "aresample=async=1:first_pts=0";
    let raw = ["-map", "0:a", "-af", from_the_start, "-ac", "1", "-ar", "48000", "-f", "f32le", "-"];
    let bytes = ffmpeg(&[&["-i", film], &raw[..]].concat());
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
