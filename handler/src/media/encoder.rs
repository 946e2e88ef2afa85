//! The settings of libx264 for everything that becomes a part of the film. Clips can be joined by stream copy when they share their
//! parameter sets, so the stage reads the same file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    /// What decides the parameter sets.
    stream: String,
    drawn: BTreeMap<String, String>,
    filmed: BTreeMap<String, String>,
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let settings = include_str!("../../../layers/manim/stage/chalkreel_stage/frames/encoder.json");
    #[expect(clippy::expect_used, reason = "the file is a part of the program, and read by every test of a card")]
    serde_json::from_str(settings).expect("encoder.json has other fields")
});

/// Arguments of ffmpeg for pictures that are drawn, with the longest distance of two keyframes in frames.
pub fn drawn(keyframes: u64) -> Vec<String> {
    arguments(&SETTINGS.drawn, keyframes)
}

/// Arguments of ffmpeg for pictures that were filmed, which have more in them than drawings.
pub fn filmed(keyframes: u64) -> Vec<String> {
    arguments(&SETTINGS.filmed, keyframes)
}

fn arguments(settings: &BTreeMap<String, String>, keyframes: u64) -> Vec<String> {
    let settings = settings.iter().flat_map(|(name, value)| [format!("-{name}"), value.clone()]);
    let more = ["-g".to_owned(), keyframes.to_string(), "-x264-params".to_owned(), SETTINGS.stream.clone()];
    ["-c:v", "libx264"].map(str::to_owned).into_iter().chain(settings).chain(more).collect()
}
