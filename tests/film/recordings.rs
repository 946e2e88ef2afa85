//! The author's own recordings in the finished film: where they are heard, to the sample, and what becomes of those that can't be used.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Harness, Made, REPOSITORY};
use crate::witness;

const LESSON: &str = "\
---
voice: {recording: narration/}
---

# Squares

Squares have four sides.

## Nine

Nine is a square, as everybody knows who has ever laid out stones. Three rows of three stones make nine of them.

$$3^2 = 9$$

It is the third one of all.

## Sixteen

![voice](sixteen.ogg)

Sixteen is a square too, and the next one after nine.

- sixteen

No one has recorded these words about it.
";

fn ffmpeg(arguments: &[&str], out: &Path) {
    std::fs::create_dir_all(out.parent().unwrap()).unwrap();
    let program = Path::new(REPOSITORY).join("target/layers/bin/ffmpeg");
    let output =
        Command::new(program).args(["-v", "error", "-y"]).args(arguments).arg(out).stdin(Stdio::null()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A tone in bursts of a second, with pauses of 250 ms, softly recorded.
fn tone(hertz: u32, seconds: f64, out: &Path) {
    let sound = format!("aevalsrc=0.03*sin(2*PI*{hertz}*t)*lt(mod(t\\,1.25)\\,1):s=44100:d={seconds}");
    ffmpeg(&["-f", "lavfi", "-i", &sound], out);
}

/// How strong a frequency is in a stretch of sound (Goertzel), against all of it: 1 for that tone alone.
fn strength(sound: &[f32], hertz: u32) -> f64 {
    let turn = 2.0 * std::f64::consts::PI * f64::from(hertz) / 48_000.0;
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 1e-12);
    for (index, sample) in sound.iter().enumerate() {
        let (s, c) = (turn * index as f64).sin_cos();
        (sine, cosine) = (sine + f64::from(*sample) * s, cosine + f64::from(*sample) * c);
        power += f64::from(sample * sample);
    }
    2.0 * (sine * sine + cosine * cosine) / (power * sound.len() as f64)
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number")) as usize
}

/// The beats with words of each scene.
fn beats(made: &Made) -> Vec<Vec<Value>> {
    let sync = made.json("sync.json");
    let scenes = sync["ledger"]["scenes"].as_array().unwrap().iter();
    let spoken = |scene: &Value| {
        let all = scene["beats"].as_array().unwrap().iter();
        all.filter(|beat| !beat["text"].as_str().unwrap().is_empty()).cloned().collect()
    };
    scenes.map(spoken).collect()
}

fn warned(made: &Made, code: &str) -> Vec<String> {
    let status = made.status();
    let all = status["warnings"].as_array().unwrap().iter().filter(|warning| warning["code"] == code);
    all.map(|warning| warning["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn recordings_are_heard_to_the_sample_and_the_voice_speaks_the_rest() {
    let harness = Harness::new();
    tone(400, 2.5, &harness.path("narration/01.wav"));
    tone(600, 11.25, &harness.path("narration/2 - nine, second take.flac"));
    tone(900, 5.0, &harness.path("sixteen.ogg"));
    let made = harness.render(&harness.document("squares.md", LESSON), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    assert_eq!(status["state"], "succeeded");
    let sound = witness::samples(&made.out.join("film.mp4"));
    let scenes = beats(&made);
    let voice = |beat: &Value| {
        let voices = status["voices"].as_array().unwrap().iter();
        voices
            .filter(|voice| voice["beat"] == beat["id"])
            .map(|voice| voice["voice"].as_str().unwrap())
            .collect::<String>()
    };
    let heard = |beat: &Value, hertz: u32| {
        let first = number(&beat["first_sample"]);
        strength(&sound[first..first + number(&beat["samples"])], hertz)
    };
    for (scene, hertz, seconds) in
        [(&scenes[0][..], 400, 2.5), (&scenes[1][..], 600, 11.25), (&scenes[2][..1], 900, 5.0)]
    {
        assert!(scene.iter().all(|beat| voice(beat) == "recording"), "{scene:?} {}", status["voices"]);
        // A fifth of it is silence.
        assert!(scene.iter().all(|beat| heard(beat, hertz) > 0.6), "{scene:?}");
        // Not a sample more or less, and no gap between the parts.
        let samples: usize = scene.iter().map(|beat| number(&beat["samples"])).sum();
        assert!(samples.abs_diff((seconds * 48_000.0) as usize) <= 64, "{samples} samples of {seconds} s");
        for pair in scene.windows(2) {
            let end = number(&pair[0]["first_sample"]) + number(&pair[0]["samples"]);
            assert_eq!(end, number(&pair[1]["first_sample"]), "{pair:?}");
            // It is cut where nothing is heard.
            let around = &sound[end - 480..end + 480];
            assert!(around.iter().all(|sample| sample.abs() < 0.02), "{pair:?}");
        }
    }
    assert_eq!((scenes[1].len(), scenes[2].len()), (2, 2), "{scenes:?}");
    assert_eq!(voice(&scenes[2][1]), "espeak-ng");
    assert!(heard(&scenes[2][1], 900) < 0.2);
    // All of it at the film's loudness: a tone of -33 dB was recorded.
    let loud = |beat: &Value| {
        let first = number(&beat["first_sample"]);
        sound[first..first + 40_000].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
    };
    assert!(loud(&scenes[0][0]) > 0.1 && loud(&scenes[2][0]) > 0.1);
    let captions = std::fs::read_to_string(made.out.join("captions.srt")).unwrap();
    assert!(
        captions.contains("It is the third one of all.") && captions.contains("Sixteen is a square too"),
        "{captions}"
    );
    assert_eq!(
        warned(&made, "voice.recording_left_out"),
        ["there is no recording in `narration` for scene 3 (`sixteen`): the film's voice speaks there"]
    );
    assert_eq!(warned(&made, "voice.recording_length"), Vec::<String>::new());

    // Another recording is another film, though the document is the same.
    tone(500, 2.5, &harness.path("narration/01.wav"));
    let again = harness.render(&harness.document("squares.md", LESSON), &[]);
    let sound = witness::samples(&again.out.join("film.mp4"));
    let first = &beats(&again)[0][0];
    let begin = number(&first["first_sample"]);
    assert!(strength(&sound[begin..begin + number(&first["samples"])], 500) > 0.6);
}

#[test]
fn recordings_that_can_not_be_used_are_told_and_the_voice_speaks_their_words() {
    let harness = Harness::new();
    std::fs::create_dir(harness.path("narration")).unwrap();
    std::fs::write(harness.path("narration/01.wav"), b"This is a text.").unwrap();
    ffmpeg(&["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "5"], &harness.path("narration/02.wav"));
    ffmpeg(
        &["-f", "lavfi", "-i", "color=c=red:s=64x64:d=1", "-frames:v", "1", "-c:v", "png", "-f", "image2"],
        &harness.path("p.png"),
    );
    std::fs::rename(harness.path("p.png"), harness.path("narration/03.mp3")).unwrap();
    ffmpeg(&["-f", "lavfi", "-i", "sine=r=8000", "-t", "605", "-b:a", "16k"], &harness.path("narration/04.mp3"));
    tone(400, 20.0, &harness.path("narration/05.wav"));
    let scenes = ["One", "Two", "Three", "Four"].map(|name| format!("## {name}\n\nWords of this scene.\n\n- {name}\n"));
    let lesson = format!(
        "---\nvoice: {{recording: narration}}\n---\n\n# Title\n\nThe first words.\n\n{}\n## Last\n\n![voice](gone.wav)\n\nNobody has these.\n\n- last\n",
        scenes.join("\n")
    );
    let made = harness.render(&harness.document("bad.md", &lesson), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let left_out = warned(&made, "voice.recording_left_out");
    let why = |file: &str| {
        left_out.iter().find(|message| message.contains(file)).unwrap_or_else(|| panic!("{file}: {left_out:?}"))
    };
    assert!(why("01.wav").contains("Invalid data"), "{left_out:?}");
    assert!(why("02.wav").ends_with("its sound is silent"), "{left_out:?}");
    assert!(why("03.mp3").contains("ffmpeg failed"), "{left_out:?}");
    assert!(why("04.mp3").ends_with("it lasts longer than 10 minutes"), "{left_out:?}");
    assert!(why("gone.wav").contains("does not exist"), "{left_out:?}");
    let far = warned(&made, "voice.recording_length");
    assert!(
        far.len() == 1 && far[0].contains("`narration/05.wav` lasts 20.0 s, but its words would take about"),
        "{far:?}"
    );
    let status = made.status();
    let voices: Vec<&str> =
        status["voices"].as_array().unwrap().iter().map(|one| one["voice"].as_str().unwrap()).collect();
    assert_eq!(voices.iter().filter(|voice| **voice == "recording").count(), 1, "{voices:?}");
    assert!(voices.iter().filter(|voice| **voice == "espeak-ng").count() >= 5, "{voices:?}");
}
