//! Synchronisation, measured independently: a voice that speaks a tone at the start of each beat, pictures that flash at the start
//! of each beat, and a finished film that is decoded to measure whether they coincide.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Harness, Made, REPOSITORY};
use crate::{tones, witness};

/// Seconds that a tone's first samples may take to be loud enough to be heard: words fade in over 4 ms. Far below a frame even at
/// 60 a second.
const RISE: f64 = 0.004;

/// Scenes of two beats and of one, in turn. What is shown in a beat's turn is `actions` of its number in the scene.
fn film_of(scenes: usize, actions: impl Fn(usize) -> Value) -> Value {
    let beat = |scene: usize, beat: usize| {
        json!({
            "id": format!("s{scene}-b{beat}"), "narration": format!("Tone {beat} of {scene}."), "estimate_ms": 200,
            // Beats of any length, none of them a whole number of frames.
            "pause_ms": 101 + (scene * 37 + beat * 11) % 60, "actions": actions(beat), "place": null,
        })
    };
    let scene = |number: usize| {
        let beats: Vec<Value> = (0..1 + number % 2).map(|other| beat(number, other)).collect();
        json!({"id": format!("s{number}"), "kind": "lesson", "heading": "", "beats": beats, "place": null})
    };
    let voice = json!({"chain": [], "name": null, "words_per_minute": null, "model": null, "consistency": null,
        "max_characters": null});
    json!({
        "title": "Tones and flashes", "language": "en", "theme": "dark", "quality": null, "on_failure": "fail",
        "voice": voice, "music": null, "intro": null, "outro": null, "warnings": [],
        "scenes": (0..scenes).map(scene).collect::<Vec<_>>(),
    })
}

fn rendered(harness: &Harness, document: &Value, quality: &str) -> Made {
    let document = harness.document("tones.storyboard.json", document.to_string());
    let out = harness.path("out");
    let mut command = harness.command(&["render", &document, "--out", out.to_str().unwrap(), "--quality", quality]);
    let output = command.output().unwrap();
    let made = Made { output, out, seconds: 0.0 };
    assert_eq!(made.code(), 0, "{}", made.words());
    made
}

/// Every tone has its flash, within a frame and `most` seconds, and the last ones are as exact as the first. Gives by how much
/// tones come later than flashes, in seconds.
fn together(flashes: &[f64], tones: &[f64], beats: usize, fps: f64, most: f64) -> Vec<f64> {
    assert_eq!((flashes.len(), tones.len()), (beats, beats));
    let late: Vec<f64> = tones.iter().zip(flashes).map(|(tone, flash)| tone - flash).collect();
    let worst = late.iter().fold(0.0_f64, |worst, late| worst.max(late.abs()));
    assert!(worst <= 1.0 / fps, "{worst} s at {fps} frames a second");
    assert!(worst <= most, "{worst} s");
    let part = (beats / 5).max(1);
    let mean = |late: &[f64]| late.iter().sum::<f64>() / late.len() as f64;
    let growth = mean(&late[beats - part..]) - mean(&late[..part]);
    // A few beats differ by chance: tones of other pitches rise at other times.
    assert!(growth.abs() < if beats < 100 { 0.003 } else { 0.001 }, "it grows by {growth} s");
    eprintln!("{fps} fps: {beats} beats, worst {:.2} ms, growth {:.3} ms", worst * 1000.0, growth * 1000.0);
    late
}

/// What the film's own `sync.json` says is what was seen and heard, to `most` seconds.
fn told(made: &Made, flashes: &[f64], tones: &[f64], fps: f64, most: f64) {
    let sync = made.json("sync.json");
    let beats = sync["beats"].as_array().unwrap();
    assert_eq!(beats.len(), flashes.len());
    for ((beat, flash), tone) in beats.iter().zip(flashes).zip(tones) {
        let number = |of: &str, what: &str| beat[of][what].as_f64().unwrap_or_else(|| panic!("{of} {what}: {beat}"));
        assert!((number("measured", "first_frame") / fps - flash).abs() < 0.001, "{flash}: {beat}");
        assert!((number("measured", "first_sample") / 48_000.0 - tone).abs() < most, "{tone}: {beat}");
        assert!((number("planned", "first_frame") / fps - flash).abs() < 0.001, "{flash}: {beat}");
        let error = beat["error_frames"].as_f64().unwrap();
        assert!(error.abs() < 0.1, "{beat}");
    }
    let worst = made.status()["sync"]["worst_frames"].as_f64().unwrap();
    assert_eq!(worst, sync["measured"]["worst_frames"].as_f64().unwrap());
    assert!(worst < 0.1, "{worst}");
}

/// So many scenes that flash, and what is heard after so many milliseconds of silence in each of the voice's sounds.
fn scenes_at(scenes: usize, quality: &str, fps: f64, silence: u32, most: f64) {
    let python = Path::new(REPOSITORY).canonicalize().unwrap().join("target/layers/manim/bin/python3");
    let stage = Path::new(REPOSITORY).canonicalize().unwrap().join("tests/film/stage.py");
    let script = format!("exec {} -I -B {}", python.display(), stage.display());
    // Its program is outside of its layers.
    let mut harness = Harness::new().with_program("chalkreel-stage", &script).set("CONFINEMENT", "off");
    harness.settings.extend(tones::voice_after(silence));
    let made = rendered(&harness, &film_of(scenes, |_| json!([])), quality);
    let film = made.out.join("film.mp4");
    let flashes = witness::jumps(&witness::pictures(&film), 60.0, false);
    let heard = witness::tones(&film);
    together(&flashes, &heard, scenes + scenes / 2, fps, most);
    told(&made, &flashes, &heard, fps, most);
}

fn a_hundred_scenes_at(quality: &str, fps: f64) {
    scenes_at(100, quality, fps, 0, RISE);
}

#[test]
fn leading_silence_of_a_voice_does_not_break_sync() {
    scenes_at(20, "high", 60.0, 200, 1.0 / 60.0);
}

#[test]
fn tones_and_flashes_are_in_sync_over_a_hundred_scenes_at_15_fps() {
    a_hundred_scenes_at("draft", 15.0);
}

#[test]
fn tones_and_flashes_are_in_sync_over_a_hundred_scenes_at_30_fps() {
    a_hundred_scenes_at("standard", 30.0);
}

#[test]
fn tones_and_flashes_are_in_sync_over_a_hundred_scenes_at_60_fps() {
    a_hundred_scenes_at("high", 60.0);
}

#[test]
fn scenes_of_the_real_stage_are_in_sync_with_their_words() {
    // The first beat of a scene brings a bright plate, the second one takes it away.
    let plate = json!({
        "id": "plate", "kind": {"drawing": {"shapes": [{
            "kind": {"rectangle": {"center": {"x": 0, "y": 0}, "width": 12, "height": 6}}, "label": "",
            "style": {"colour": "#ffffff", "fill": "#ffffff", "opacity": 1, "scale": null},
        }]}},
        "placement": null, "style": null, "place": null,
        "timing": {"start_ms": 0, "duration_ms": null, "easing": null, "entrance": "none", "exit": "none"},
    });
    let actions = |beat: usize| if beat == 0 { json!([{"show": plate}]) } else { json!([{"remove": "plate"}]) };
    let mut document = film_of(16, actions);
    // Scenes of one beat would end as bright as the next one begins.
    document["scenes"].as_array_mut().unwrap().retain(|scene| scene["beats"].as_array().unwrap().len() == 2);
    let mut harness = Harness::new();
    harness.settings.extend(tones::voice());
    let made = rendered(&harness, &document, "draft");
    let film = made.out.join("film.mp4");
    let flashes = witness::jumps(&witness::pictures(&film), 25.0, true);
    let heard = witness::tones(&film);
    together(&flashes, &heard, 16, 15.0, RISE);
    told(&made, &flashes, &heard, 15.0, RISE);
}

/// A film of one scene in which words, each as long as the others, speak of a bar halfway; without the cue nothing changes then.
fn spoken_of_halfway(cues: Value) -> Value {
    let bars = json!([{"label": "one", "value": 1.0}, {"label": "two", "value": 9.0}]);
    // All of it comes at once, so that it stands when it is spoken of.
    let chart = json!({"id": "chart", "kind": {"chart": {"bars": bars, "value_label": "", "caption": ""}},
        "timing": {"start_ms": 0}});
    let mut document = film_of(1, |_| json!([{"show": chart}]));
    let beat = &mut document["scenes"][0]["beats"][0];
    beat["narration"] = json!(vec!["words"; 40].join(" "));
    beat["pause_ms"] = json!(0);
    beat["cues"] = cues;
    document["voice"]["chain"] = json!(["silent"]);
    document
}

fn pointed_at_with_its_word_at(quality: &str, fps: f64) {
    let harness = Harness::new();
    let lights = |cues: Value| {
        let made = rendered(&harness, &spoken_of_halfway(cues), quality);
        witness::pictures(&made.out.join("film.mp4"))
    };
    // The other bar, which is far larger, steps back.
    let cue = json!([{"target": "chart", "part": "bar 1", "kind": "point", "word": 20, "words": 1}]);
    let (with, without) = (lights(cue), lights(json!([])));
    assert_eq!(with.len(), without.len());
    let darker = |((_, one), (_, other)): &(&(f64, f64), &(f64, f64))| other - one > 0.15;
    let begins = with.iter().zip(&without).find(darker).map(|((time, _), _)| *time).expect("nothing was pointed at");
    let length = with.len() as f64 / fps;
    assert!((begins - length / 2.0).abs() <= 1.0 / fps + 0.001, "{begins} s, and the word at {} s", length / 2.0);
}

#[test]
fn a_thing_is_pointed_at_with_its_word_at_15_fps() {
    pointed_at_with_its_word_at("draft", 15.0);
}

#[test]
fn a_thing_is_pointed_at_with_its_word_at_30_fps() {
    pointed_at_with_its_word_at("standard", 30.0);
}

#[test]
fn a_thing_is_pointed_at_with_its_word_at_60_fps() {
    pointed_at_with_its_word_at("high", 60.0);
}

#[test]
fn the_witness_would_notice() {
    // A film made by hand, whose tones come 40 ms after its flashes, and one whose tones drift by a thousandth.
    let harness = Harness::new();
    for (name, filter) in [("late", "adelay=40"), ("drifts", "asetrate=48048,aresample=48000")] {
        let film = harness.path(name).with_extension("mp4");
        let program = Path::new(REPOSITORY).join("target/layers/bin/ffmpeg");
        let picture = "color=c=black:s=64x36:r=25:d=100,drawbox=c=white:t=fill:enable='lt(mod(n,25),2)'";
        let sound = format!("aevalsrc='0.4*sin(5000*t)*lt(mod(t,1),0.2)':s=48000:d=100,{filter}");
        let output = std::process::Command::new(program)
            .args(["-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", &sound])
            .args(["-c:v", "libx264", "-bf", "0", "-c:a", "aac", film.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let flashes = witness::jumps(&witness::pictures(&film), 60.0, false);
        let heard = witness::tones(&film);
        assert_eq!(flashes.len(), 100, "{name}");
        let noticed = std::panic::catch_unwind(|| together(&flashes, &heard, 100, 25.0, RISE));
        assert!(noticed.is_err(), "{name}: {noticed:?}");
    }
}
