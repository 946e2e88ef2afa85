//! Captions in several languages, of real films: the words of a document's translations, in step with the film, in every place
//! where a player looks for them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Harness, Made, REPOSITORY};

const LESSON: &str = "---\nlanguage: en\ncaptions: [de, ja, ar]\n---\n\n# The square\n\nNine is a square, and 3 m is its side.\n\n\
    ## Why it is one\n\nThree times three is nine.\n\n- three\n- nine\n\nThat was the whole proof, and there is no other.\n";
const GERMAN: &str = "# Das Quadrat\n\nNeun ist eine Quadratzahl, und 3 m ist seine Seite.\n\n## Warum es eins ist\n\n\
    Drei mal drei ist neun.\n\n- drei\n- neun\n\nDas war der ganze Beweis, und es gibt keinen anderen, so lange man auch sucht.\n";
/// It says in one paragraph of its second scene what the film says in two.
const JAPANESE: &str = "# 平方\n\n九は平方数です。\n\n## なぜ\n\n三かける三は九です。これが証明のすべてであり、ほかにはありません。どれだけ探しても見つかりません。\n";

fn tool(program: &str, arguments: &[&str]) -> String {
    let program = Path::new(REPOSITORY).join("target").join(program);
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The captions as a WebVTT parser reads them: first and last moment in seconds, and text.
fn parsed(captions: &Path) -> Vec<(f64, f64, String)> {
    let program = "import json, sys, webvtt\n\
        captions = webvtt.read(sys.argv[1])\n\
        print(json.dumps([[c.start, c.end, c.text] for c in captions]))";
    let read = tool("test-tools/bin/python3", &["-I", "-c", program, captions.to_str().unwrap()]);
    let read: Vec<(String, String, String)> = serde_json::from_str(&read).unwrap();
    let seconds = |clock: &str| clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap());
    read.into_iter().map(|(from, to, words)| (seconds(&from), seconds(&to), words)).collect()
}

fn read(made: &Made, name: &str) -> String {
    std::fs::read_to_string(made.out.join(name)).unwrap()
}

fn words(captions: &[(f64, f64, String)]) -> String {
    captions.iter().flat_map(|(_, _, text)| text.split_whitespace()).collect::<Vec<_>>().join(" ")
}

fn warnings(made: &Made) -> Vec<(String, String)> {
    let status = made.status();
    let text = |warning: &Value, field: &str| warning[field].as_str().unwrap().to_owned();
    let all = status["warnings"].as_array().unwrap().iter();
    all.map(|warning| (text(warning, "code"), text(warning, "message"))).collect()
}

#[test]
fn a_film_has_captions_in_every_language_that_its_lesson_has() {
    let harness = Harness::new();
    let lesson = harness.document("lesson.md", LESSON);
    harness.document("lesson.captions.de.md", GERMAN);
    harness.document("lesson.captions.ja.md", JAPANESE);
    let made = harness.render(&lesson, &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let (status, sync) = (made.status(), made.json("sync.json"));

    // What is not there is told, and costs nothing but itself; so is what does not go with the film.
    let told = warnings(&made);
    let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["captions.words_differ", "captions.left_out"], "{told:?}");
    assert!(
        told[0].1.contains("lesson.captions.ja.md`, line 5") && told[1].1.contains("lesson.captions.ar.md"),
        "{told:?}"
    );

    // Every word of each, in order; spoken words in its own language too.
    let (english, german, japanese) = (
        parsed(&made.out.join("captions.vtt")),
        parsed(&made.out.join("captions.de.vtt")),
        parsed(&made.out.join("captions.ja.vtt")),
    );
    assert!(words(&english).starts_with("Nine is a square, and 3 metres is its side. Three times"), "{english:?}");
    let expected = "Neun ist eine Quadratzahl, und 3 Meter ist seine Seite. Drei mal drei ist neun. \
        Das war der ganze Beweis, und es gibt keinen anderen, so lange man auch sucht.";
    assert_eq!(words(&german), expected);
    let spaceless = |text: &str| text.split_whitespace().collect::<String>();
    let expected = "九は平方数です。三かける三は九です。これが証明のすべてであり、ほかにはありません。どれだけ探しても見つかりません。";
    assert_eq!(spaceless(&words(&japanese)), expected);

    // In step: the first words of a beat are read when it begins, to the millisecond.
    let beats =
        || sync["ledger"]["scenes"].as_array().unwrap().iter().flat_map(|scene| scene["beats"].as_array().unwrap());
    let begin = |beat: &Value| beat["first_sample"].as_u64().unwrap() * 1000 / 48_000;
    let spoken: Vec<u64> = beats().filter(|beat| beat["samples"] != 0).map(begin).collect();
    assert_eq!(spoken.len(), 3, "{sync}");
    let begins = |captions: &[(f64, f64, String)], start: &str| {
        let cue = captions
            .iter()
            .find(|(_, _, text)| text.starts_with(start))
            .unwrap_or_else(|| panic!("{start}: {captions:?}"));
        (cue.0 * 1000.0).round() as u64
    };
    assert_eq!(["Neun", "Drei", "Das war"].map(|start| begins(&german, start)), spoken[..]);
    assert_eq!([begins(&japanese, "九は"), begins(&japanese, "三か")], spoken[..2]);
    let seconds = status["cost"]["film_seconds"].as_f64().unwrap();
    for captions in [&english, &german, &japanese] {
        assert!(
            captions.iter().all(|(from, to, text)| from < to && *to <= seconds + 0.001 && text.lines().count() <= 2)
        );
        assert!(captions.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{captions:?}");
        assert!(
            captions.iter().all(|(_, _, text)| text.lines().all(|line| line.chars().count() <= 42)),
            "{captions:?}"
        );
    }
    // Wide letters count twice.
    assert!(japanese.iter().all(|(_, _, text)| text.lines().all(|line| line.chars().count() <= 21)), "{japanese:?}");

    // The status tells where they are, and the film has them all, by language.
    let outputs = &status["outputs"];
    for (kind, file) in [
        ("captions_vtt", "captions.vtt"),
        ("captions_vtt_en", "captions.vtt"),
        ("captions_srt_en", "captions.srt"),
        ("captions_vtt_de", "captions.de.vtt"),
        ("captions_srt_ja", "captions.ja.srt"),
    ] {
        assert!(outputs[kind].as_str().is_some_and(|key| key.ends_with(&format!("/{file}"))), "{kind}: {outputs}");
        assert!(!read(&made, file).is_empty());
    }
    assert!(outputs.get("captions_vtt_ar").is_none());
    let film = made.out.join("film.mp4");
    let film = film.to_str().unwrap();
    let streams = tool("layers/bin/ffprobe", &["-v", "error", "-show_streams", "-of", "json", film]);
    let streams: Value = serde_json::from_str(&streams).unwrap();
    let of = |kind: &str| -> Vec<(String, String)> {
        let all = streams["streams"].as_array().unwrap().iter().filter(|stream| stream["codec_type"] == *kind);
        let tag = |stream: &Value| {
            (stream["codec_name"].as_str().unwrap().to_owned(), stream["tags"]["language"].as_str().unwrap().to_owned())
        };
        all.map(tag).collect()
    };
    let track = |language: &str| ("mov_text".to_owned(), language.to_owned());
    assert_eq!(of("subtitle"), [track("eng"), track("deu"), track("jpn")], "{streams}");
    assert_eq!(of("audio"), [("aac".to_owned(), "eng".to_owned())]);
    let embedded = tool("layers/bin/ffmpeg", &["-v", "error", "-i", film, "-map", "0:s:1", "-f", "srt", "-"]);
    let lines = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&embedded), lines(&read(&made, "captions.de.srt")));
    let page = read(&made, "index.html");
    for language in ["en", "de", "ja"] {
        assert_eq!(page.matches(&format!("srclang=\"{language}\"")).count(), 1, "{language}");
    }
    assert!(page.contains("label=\"Deutsch\"") && page.contains("href=\"captions.de.vtt\""), "{page}");
    harness.assert_clean();
}

#[test]
fn a_changed_translation_changes_the_captions_alone() {
    let harness = Harness::new();
    let lesson = harness.document("lesson.md", LESSON.replace("[de, ja, ar]", "[de]"));
    harness.document("lesson.captions.de.md", GERMAN);
    let first = harness.render(&lesson, &[]);
    assert_eq!(first.code(), 0, "{}", first.words());
    let (first, text) = (first.status(), read(&first, "captions.de.vtt"));
    let again = harness.render(&lesson, &[]);
    assert_eq!((&again.status()["job_id"], again.status()["attempts"].as_u64()), (&first["job_id"], Some(1)));

    harness.document("lesson.captions.de.md", GERMAN.replace("Neun ist", "Ja, neun ist"));
    let changed = harness.render(&lesson, &[]);
    assert_eq!(changed.code(), 0, "{}", changed.words());
    assert_ne!(changed.status()["job_id"], first["job_id"]);
    let german = read(&changed, "captions.de.vtt");
    assert!(german.contains("Ja, neun ist") && !text.contains("Ja, neun ist"), "{german}");
    // Nothing was drawn again.
    let cache = &changed.status()["cache"];
    assert_eq!((cache["misses"].as_u64(), &cache["hits"]), (Some(0), &first["cache"]["misses"]), "{cache}");
}

#[test]
fn translations_of_a_plan_are_matched_by_scene_id() {
    let harness = Harness::new();
    let scene = |id: &str, words: &str| serde_json::json!({"id": id, "title": id, "voiceover": words, "elements": []});
    let plan =
        |captions: &[&str], scenes: &[Value]| serde_json::json!({"captions": captions, "scenes": scenes}).to_string();
    let scenes = [scene("first", "This comes first."), scene("second", "And this is the second one.")];
    let document = harness.document("plan.json", plan(&["de", "fr"], &scenes));
    let scenes = [scene("second", "Und das als zweites."), scene("first", "Das kommt zuerst.")];
    harness.document("plan.captions.de.json", plan(&[], &scenes));
    // One that nobody can plan.
    harness.document("plan.captions.fr.json", "{\"scenes\": 5}");
    let made = harness.render(&document, &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    assert_eq!(words(&parsed(&made.out.join("captions.de.vtt"))), "Das kommt zuerst. Und das als zweites.");
    let told = warnings(&made);
    let left_out = told.iter().find(|(code, _)| code == "captions.left_out").unwrap_or_else(|| panic!("{told:?}"));
    assert!(left_out.1.contains("plan.captions.fr.json"), "{told:?}");
    assert!(!made.out.join("captions.fr.vtt").exists());
}
