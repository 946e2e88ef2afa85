//! What a finished film sounds like, and what is read along with it: loudness, peaks, seams, captions, and who speaks.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Harness, Made, REPOSITORY, SMALL};
use crate::provider::{self, Behaviour, Kind, Provider};
use crate::{tones, witness};

fn tool(program: &str, arguments: &[&str]) -> String {
    let program = Path::new(REPOSITORY).join("target").join(program);
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Integrated loudness in LUFS and true peak in dBTP, as ffmpeg measures them.
fn loudness(film: &Path) -> (f64, f64) {
    let film = film.to_str().unwrap();
    let measure = ["-hide_banner", "-nostats", "-i", film, "-vn", "-af", "ebur128=peak=true", "-f", "null", "-"];
    let measured = tool("layers/bin/ffmpeg", &measure);
    let after = |mark: &str| {
        let (_, rest) = measured.rsplit_once(mark).unwrap();
        rest.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    (after("I:"), after("Peak:"))
}

/// Every word of the storyboard, in order.
fn spoken(made: &Made) -> Vec<String> {
    let storyboard = made.json("storyboard.json");
    let scenes = storyboard["scenes"].as_array().unwrap().iter();
    let beats = scenes.flat_map(|scene| scene["beats"].as_array().unwrap());
    let words = |beat: &Value| -> Vec<String> {
        beat["narration"].as_str().unwrap().split_whitespace().map(str::to_owned).collect()
    };
    beats.flat_map(words).collect()
}

/// The captions as a WebVTT parser reads them: first and last moment in seconds, and text.
fn parsed(captions: &Path) -> Vec<(f64, f64, String)> {
    let program = "import json, sys, webvtt\n\
        captions = webvtt.read(sys.argv[1])\n\
        print(json.dumps([[c.start_in_seconds, c.end_in_seconds, c.start, c.end, c.text] for c in captions]))";
    let read = tool("test-tools/bin/python3", &["-I", "-c", program, captions.to_str().unwrap()]);
    let read: Vec<(f64, f64, String, String, String)> = serde_json::from_str(&read).unwrap();
    let seconds = |clock: &str| clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap());
    let text = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    read.into_iter().map(|(_, _, from, to, words)| (seconds(&from), seconds(&to), text(&words))).collect()
}

/// Where the sound of one beat ends and another begins, or a clip: nothing may jump there.
fn assert_no_seam_is_heard(made: &Made) {
    let sound = witness::samples(&made.out.join("film.mp4"));
    let sync = made.json("sync.json");
    let scenes = sync["ledger"]["scenes"].as_array().unwrap().iter();
    let beats: Vec<&Value> = scenes.flat_map(|scene| scene["beats"].as_array().unwrap()).collect();
    let number = |beat: &Value, what: &str| beat[what].as_u64().unwrap() as usize;
    let jump = |around: &[f32]| around.windows(2).fold(0.0_f32, |most, pair| most.max((pair[1] - pair[0]).abs()));
    let everywhere = jump(&sound);
    assert!(everywhere > 0.02, "nothing is heard");
    for beat in beats {
        let first = number(beat, "first_sample");
        for cut in [first, first + number(beat, "samples")] {
            let around = &sound[cut.saturating_sub(48)..(cut + 48).min(sound.len())];
            // A millisecond on both sides: words have faded by then to a quarter of what they are.
            assert!(jump(around) < 0.02, "{} at {cut}, {everywhere} elsewhere: {beat}", jump(around));
        }
    }
}

#[test]
fn five_films_are_as_loud_as_each_other_and_their_captions_hold_every_word() {
    let lesson = |settings: &str, text: &str| format!("---\n{settings}\n---\n\n# Title & more\n\n{text}\n");
    let films = [
        SMALL.to_owned(),
        lesson(
            "language: de",
            "Neun ist eine Quadratzahl.\n\n## Warum\n\nDrei mal drei ist neun, und 2 < 3 & 3 > 2, also x \\<b und c> d.",
        ),
        lesson("language: zh", "勾股定理很简单，直角三角形斜边上的正方形面积等于另外两边上的正方形面积之和。"),
        lesson("voice: {words_per_minute: 100}", "Slowly.\n\n- one\n- two\n\nAnd then, after a list, more words come."),
        lesson(
            "voice: {words_per_minute: 300}",
            "A very fast voice that says much in a short time. Then: nothing.\n\n---\n",
        ),
    ];
    for (number, document) in films.iter().enumerate() {
        let harness = Harness::new();
        let made = harness.render(&harness.document(&format!("film{number}.md"), document), &[]);
        assert_eq!(made.code(), 0, "{}", made.words());
        let (integrated, peak) = loudness(&made.out.join("film.mp4"));
        eprintln!("film {number}: {integrated} LUFS, {peak} dBTP");
        assert!((integrated + 16.0).abs() <= 1.0, "film {number}: {integrated} LUFS");
        assert!(peak < -1.0, "film {number}: {peak} dBTP");
        assert_no_seam_is_heard(&made);
        let captions = parsed(&made.out.join("captions.vtt"));
        let squeezed = |words: &[String]| words.concat();
        let read: Vec<String> = captions
            .iter()
            .flat_map(|(_, _, text)| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        // Chinese has no spaces at which its lines could end.
        assert_eq!(squeezed(&read), squeezed(&spoken(&made)), "film {number}");
        assert!(number == 2 || read == spoken(&made), "film {number}");
        assert!(captions.iter().all(|(from, to, text)| from < to && text.lines().count() <= 2), "film {number}");
        assert!(captions.windows(2).all(|pair| pair[0].1 <= pair[1].0), "film {number}: {captions:?}");
        for (_, _, text) in &captions {
            let wide = |line: &str| line.chars().map(|c| if c > '\u{2e80}' { 2 } else { 1 }).sum::<usize>();
            assert!(text.lines().all(|line| wide(line) <= 42), "film {number}: {text}");
        }
        // A voice that is too fast to follow leaves no time to read either.
        for (from, to, text) in captions.iter().filter(|_| number != 4) {
            let pace = text.chars().count() as f64 / (to - from);
            assert!(pace <= 25.0, "film {number}: {pace} characters a second: {text}");
        }
        // What is read in the film is what is read beside it.
        let film = made.out.join("film.mp4");
        let embedded = ["-v", "error", "-i", film.to_str().unwrap(), "-map", "0:s:0", "-c", "copy", "-f", "data", "-"];
        let embedded = tool("layers/bin/ffmpeg", &embedded);
        for line in captions.iter().flat_map(|(_, _, text)| text.lines()) {
            assert!(embedded.replace('\u{2060}', "").contains(line), "film {number}: {line} is not in {embedded}");
        }
        harness.assert_clean();
    }
}

/// Where a sound pauses for at least 50 ms, from the first sample of each pause to the last.
fn pauses(sound: &[f32]) -> Vec<(usize, usize)> {
    let mut pauses = Vec::new();
    let mut first = 0;
    for (at, sample) in sound.iter().chain([&1.0]).enumerate() {
        if sample.abs() >= 0.01 {
            if at - first >= 2_400 {
                pauses.push((first, at));
            }
            first = at + 1;
        }
    }
    pauses
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_spoken_in_pieces_has_no_clicks() {
    // It speaks a hundred characters at a time, in a tone that never pauses.
    let provider = Provider::that(Kind::Google, Behaviour::Speaks).await;
    let mut harness = Harness::new().set("VOICE_CHAIN", "gtts");
    harness.settings.extend(provider.settings());
    let sentence =
        |n: usize| format!("This is sentence number {n} of a paragraph, and it goes on for a while before it ends. ");
    let paragraph: String = (0..6).map(sentence).collect();
    let made = harness.render(&harness.document("pieces.md", format!("# Pieces\n\n{paragraph}\n")), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    provider.assert_well_asked();
    assert!(provider.calls().len() >= 6, "{} calls", provider.calls().len());
    assert_no_seam_is_heard(&made);
    let sound = witness::samples(&made.out.join("film.mp4"));
    let pauses = pauses(&sound);
    assert!(pauses.len() >= provider.calls().len(), "{pauses:?}");
    for end in pauses.into_iter().flat_map(|(first, last)| [first, last]) {
        let around = &sound[end.saturating_sub(48)..(end + 48).min(sound.len())];
        let jump = around.windows(2).fold(0.0_f32, |most, pair| most.max((pair[1] - pair[0]).abs()));
        assert!(jump < 0.02, "{jump} at {end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_network_voices_fail_the_local_voice_speaks_the_film_in_time() {
    let refuses = |status: u16, body: &str| Behaviour::Refuses(status, body.to_owned(), None);
    let ways = [
        refuses(500, "oh"),
        Behaviour::Html,
        Behaviour::HalfSound,
        Behaviour::Closes,
        refuses(429, "{}"),
        Behaviour::Hangs,
        Behaviour::Garbage,
        Behaviour::BreaksOff,
        Behaviour::Nothing,
        refuses(503, "oh"),
        Behaviour::HangsMidway,
    ];
    let mut harness =
        Harness::new().set("VOICE_CHAIN", "elevenlabs,polly,gtts,openai,espeak-ng").set("VOICE_TIMEOUT", "2");
    let mut providers = Vec::new();
    for (turn, kind) in Kind::ALL.into_iter().enumerate() {
        let ways = ways.clone();
        // Each begins elsewhere.
        let script = move |number: usize, _: &str| ways[(number + 3 * turn) % ways.len()].clone();
        let provider = Provider::start(kind, script).await;
        harness.settings.extend(provider.settings());
        providers.push(provider);
    }
    let harness = harness.set("JOB_TIMEOUT", "120");
    let scenes: String = (0..4).map(|n| format!("## Part {n}\n\nThis is part {n} of the lesson.\n\n")).collect();
    let made = harness.render(&harness.document("fails.md", format!("# Fails\n\nFour parts.\n\n{scenes}")), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    assert_eq!(status["state"], "succeeded", "{status:#}");
    let voices = status["voices"].as_array().unwrap();
    assert!(voices.len() == 5 && voices.iter().all(|voice| voice["voice"] == "espeak-ng"), "{voices:?}");
    assert!(made.seconds < 120.0, "{} s", made.seconds);
    for provider in &providers {
        provider.assert_well_asked();
        assert!(!provider.calls().is_empty(), "{:?} was not asked", provider.kind);
    }
    harness.assert_clean();
}

#[test]
fn a_voice_may_answer_in_any_format() {
    let mut harness = Harness::new();
    let texts = ["mp3", "wav", "ogg", "flac"].map(|format| format!("## About {format}\n\nThis comes as {format}.\n\n"));
    let document = harness.document("formats.md", format!("# Formats\n\n{}", texts.concat()));
    // Without silence before it MP3 has no room to begin a tone: it rings through all of its first frame.
    harness.settings.extend(tones::voice_after(200));
    let made = harness.render(&document, &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    let voices = status["voices"].as_array().unwrap();
    assert!(voices.len() >= 4, "{voices:?}");
    for voice in voices {
        assert_eq!((&voice["voice"], &voice["tries"]), (&"openai".into(), &1.into()), "{voice}");
    }
    let sync = made.json("sync.json");
    let heard = witness::tones(&made.out.join("film.mp4"));
    let beats = sync["beats"].as_array().unwrap().iter();
    let begins: Vec<f64> =
        beats.filter_map(|beat| Some(beat["measured"]["first_sample"].as_f64()? / 48_000.0)).collect();
    assert_eq!(heard.len(), begins.len());
    // MP3 and Vorbis smear an onset over a few milliseconds; a frame at 60 a second is more.
    for (heard, begin) in heard.iter().zip(&begins) {
        assert!((heard - begin).abs() < 1.0 / 60.0, "{heard} s, {begin} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_voice_fails_midway_the_next_one_speaks_the_whole_film() {
    let quota = r#"{"detail":{"status":"quota_exceeded","message":"x"}}"#;
    let script = |number: usize, _: &str| match number {
        0..3 => Behaviour::Speaks,
        _ => Behaviour::Refuses(401, quota.to_owned(), None),
    };
    let first = Provider::start(Kind::ElevenLabs, script).await;
    let second = Provider::that(Kind::OpenAi, Behaviour::Speaks).await;
    let mut harness = Harness::new().set("VOICE_CHAIN", "elevenlabs,openai");
    harness.settings.extend(first.settings());
    harness.settings.extend(second.settings());
    let scenes: String = (0..4).map(|n| format!("## Part {n}\n\nThis is part {n} of the lesson.\n\n")).collect();
    let made = harness.render(&harness.document("parts.md", format!("# Parts\n\nFour parts.\n\n{scenes}")), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let status = made.status();
    let voices = status["voices"].as_array().unwrap();
    let beats: BTreeSet<&str> = voices.iter().map(|voice| voice["beat"].as_str().unwrap()).collect();
    assert_eq!((beats.len(), voices.len()), (5, 5), "{voices:?}");
    assert!(voices.iter().all(|voice| voice["voice"] == "openai"), "{voices:?}");
    // What was spoken is paid for, used or not. What was refused is not, unless the call had timed out before the refusal came,
    // which happens on a busy machine. A call that was dropped before it reached the provider counts as paid too, since the
    // client can't know how far it came.
    let length = |call: &provider::Call| call.text.chars().count() as u64;
    let (first_calls, second_calls) = (first.calls(), second.calls());
    let asked: u64 = second_calls.iter().map(length).sum();
    let seen = |call: &&provider::Call| first_calls.iter().any(|seen| seen.text == call.text);
    let unseen: u64 = second_calls.iter().filter(|call| !seen(call)).map(length).sum();
    let least = first_calls[..3].iter().map(length).sum::<u64>() + asked;
    let most = first_calls.iter().map(length).sum::<u64>() + unseen + asked;
    let paid = status["cost"]["paid_characters"].as_u64().unwrap();
    let log = std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
    let (refused, late) = (log.contains("quota_exceeded"), log.contains("timed out waiting for"));
    assert!(refused || late, "{log}");
    let most = if refused { most - 1 } else { most };
    assert!((least..=most).contains(&paid), "{paid} characters are paid for, {least} were spoken of {most}: {log}");
    let characters: u64 = voices.iter().map(|voice| voice["characters"].as_u64().unwrap()).sum();
    assert_eq!(characters, asked);
    first.assert_well_asked();
    second.assert_well_asked();
}

#[tokio::test(flavor = "multi_thread")]
async fn consistency_decides_which_scenes_change_voice() {
    // It never speaks the second beat of the second scene.
    let script = |_: usize, text: &str| {
        let refuses = text.starts_with("Here it fails");
        if refuses { Behaviour::Refuses(422, "{}".to_owned(), None) } else { Behaviour::Speaks }
    };
    for (consistency, local) in [("film", 4), ("scene", 2), ("beat", 1)] {
        let provider = Provider::start(Kind::OpenAi, script).await;
        let mut harness = Harness::new().set("VOICE_CHAIN", "openai");
        harness.settings.extend(provider.settings());
        let text = format!(
            "---\nvoice: {{consistency: {consistency}}}\n---\n\n# Voices\n\nThis is the first scene of all.\n\n\
            ## Second\n\nThis one can be spoken.\n\n- a\n\nHere it fails for ever.\n\n## Third\n\nThis is the third scene.\n"
        );
        let made = harness.render(&harness.document("voices.md", text), &[]);
        assert_eq!(made.code(), 0, "{}", made.words());
        let status = made.status();
        let voices = status["voices"].as_array().unwrap();
        assert_eq!(voices.len(), 4, "{voices:?}");
        let by = |name: &str| voices.iter().filter(|voice| voice["voice"] == *name).count();
        assert_eq!((by("espeak-ng"), by("openai")), (local, 4 - local), "{consistency}: {voices:?}");
        // With two voices or one, it is as loud as any other film, without clicks.
        let (integrated, peak) = loudness(&made.out.join("film.mp4"));
        assert!((integrated + 16.0).abs() <= 1.0 && peak < -1.0, "{consistency}: {integrated} LUFS, {peak} dBTP");
        // Every beat keeps to the film's own bounds, whoever speaks it: the limiter takes more of a voice with sharp peaks.
        let sound = witness::samples(&made.out.join("film.mp4"));
        let sync = made.json("sync.json");
        let scenes = sync["ledger"]["scenes"].as_array().unwrap().iter();
        let spoken = scenes.flat_map(|scene| scene["beats"].as_array().unwrap()).filter(|beat| beat["samples"] != 0);
        let levels: Vec<f64> = spoken
            .map(|beat| {
                let first = beat["first_sample"].as_u64().unwrap() as usize;
                let samples = &sound[first..first + beat["samples"].as_u64().unwrap() as usize];
                let mut meter = ebur128::EbuR128::new(1, 48_000, ebur128::Mode::I).unwrap();
                meter.add_frames_f32(samples).unwrap();
                meter.loudness_global().unwrap()
            })
            .collect();
        let (least, most) =
            levels.iter().fold((f64::MAX, f64::MIN), |(least, most), level| (least.min(*level), most.max(*level)));
        assert!(least >= -17.0 && most <= -15.0, "{consistency}: beats from {least} to {most} LUFS");
        eprintln!("{consistency}: beats from {least:.2} to {most:.2} LUFS");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_beyond_max_characters_is_not_made() {
    let provider = Provider::that(Kind::ElevenLabs, Behaviour::Speaks).await;
    let mut harness = Harness::new().set("VOICE_CHAIN", "elevenlabs");
    harness.settings.extend(provider.settings());
    let document = "---\nvoice:\n  max_characters: 60\n---\n\n# Dear\n\nThese are more than forty characters, all told.\n\n\
        ## More\n\nAnd here are forty more, which are too many.\n";
    let made = harness.render(&harness.document("dear.md", document), &[]);
    assert_eq!(made.code(), 1, "{}", made.words());
    let status = made.status();
    assert_eq!(
        (&status["state"], &status["error"]["code"]),
        (&"failed".into(), &"voice.too_dear".into()),
        "{status:#}"
    );
    let asked: usize = provider.calls().iter().map(|call| call.text.chars().count()).sum();
    // The second beat ends the job, perhaps before the first one's call has gone out.
    assert!(asked <= 60, "{asked} characters were asked for");
    harness.assert_clean();
}

/// A film made in process, of still cards and tones: three scenes of two seconds, with what the document brings along.
mod extras {
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use handler::assemble::{Assembler, Extras, Film, FilmParts, Ledger, Prepared, Script};
    use handler::config::Config;
    use handler::deadline::Deadline;
    use handler::intake::assets::Assets;
    use handler::job::Quality;
    use handler::layers::Layers;
    use handler::media::Prober;
    use handler::narrate::Sound;
    use handler::render::{Cards, Film as Look, SceneOrder};
    use storyboard::{Beat, Scene, SceneKind};
    use tempfile::TempDir;

    use super::{loudness, tool};
    use crate::witness;

    const QUALITY: Quality = Quality::Draft;
    /// Frames of each scene, and samples of its words.
    const SCENE: (u64, usize) = (30, 48_000);

    pub struct Workshop {
        pub dir: TempDir,
        config: Config,
        layers: Layers,
    }

    impl Workshop {
        pub fn new() -> Self {
            let layers = Layers::find(Some(&super::Path::new(super::REPOSITORY).join("target/layers"))).unwrap();
            let config = Config::from_lookup(|_| None).unwrap();
            Self { dir: tempfile::tempdir().unwrap(), config, layers }
        }

        /// A user's file, made by ffmpeg of these inputs.
        pub fn made(&self, name: &str, arguments: &[&str]) -> PathBuf {
            let path = self.dir.path().join(name);
            let all = [&["-v", "error"], arguments, &[path.to_str().unwrap()]].concat();
            tool("layers/bin/ffmpeg", &all);
            path
        }

        fn prober(&self) -> Prober {
            Prober::new(&self.layers, &self.config)
        }

        fn assembler(&self) -> Assembler {
            Assembler::new(&self.layers, self.prober(), &self.config)
        }

        pub async fn prepared(&self, extras: &Extras, seconds: u64) -> Prepared {
            let deadline = Deadline::after(Duration::from_secs(seconds));
            self.assembler().prepare(extras, QUALITY, self.dir.path(), deadline).await
        }

        pub async fn film(&self, extras: &Prepared) -> (Film, Ledger) {
            self.film_ahead(extras, None).await
        }

        /// With sound that is made ahead, of a script that is changed so.
        pub async fn film_ahead(&self, extras: &Prepared, change: Option<fn(&mut Script)>) -> (Film, Ledger) {
            let (folder, deadline) = (self.dir.path(), Deadline::after(Duration::from_secs(120)));
            let cards = Cards::new(&self.layers, &self.config);
            let (theme, colours, logo) = (storyboard::Theme::Light, None, None);
            let look = Look { title: "T".into(), theme, colours, logo, language: "en".into(), frame_shape: None };
            let (beats, assets) = ([SCENE.0], Assets::default());
            let scenes: Vec<Scene> = (0..3).map(scene).collect();
            let (mut made, mut words) = (Vec::new(), Vec::new());
            for (number, scene) in scenes.iter().enumerate() {
                let (film, assets, clips) = (&look, &assets, folder);
                let order = SceneOrder { scene, film, assets, quality: QUALITY, beats: &beats, tools: "", clips };
                made.push(cards.clip(order, folder, deadline).await.unwrap().path);
                let step = (400.0 + 150.0 * number as f32) * std::f32::consts::TAU / 48_000.0;
                let tone: Vec<f32> = (0..SCENE.1).map(|n| (n as f32 * step).sin() * 0.3).collect();
                words.push(Sound::write(&folder.join(format!("words{number}")), &tone, &deadline.into()).unwrap());
            }
            let parts = scenes.iter().map(|scene| (scene, &beats[..], vec![SCENE.1]));
            let mut ledger = Ledger::of(QUALITY.fps(), parts);
            let mut ahead = None;
            if let Some(change) = change {
                let mut script = Script { ledger: ledger.clone(), words: words.clone() };
                change(&mut script);
                ahead = Some(self.assembler().soundtrack(script, extras, folder, deadline).await.unwrap());
                std::fs::write(folder.join("mark"), "the sound is there").unwrap();
            }
            let parts = FilmParts { title: "T", language: "en", translations: &[], clips: &made, extras, ahead };
            let film = self.assembler().film(parts, &mut ledger, words, folder, deadline).await.unwrap();
            (film, ledger)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn sound_that_was_made_ahead_is_used_where_it_fits() {
        let is_used = async |change: fn(&mut Script)| {
            let workshop = Workshop::new();
            let prepared = workshop.prepared(&Extras::default(), 60).await;
            let changed = |name: &str| std::fs::metadata(workshop.dir.path().join(name)).unwrap().modified().unwrap();
            let (film, ledger) = workshop.film_ahead(&prepared, Some(change)).await;
            assert_eq!((film.beats.len(), ledger.frames), (3, 90));
            assert!(film.sync.unwrap().worst_frames < 0.1, "{:?}", film.beats);
            changed("narration.m4a") <= changed("mark")
        };
        assert!(is_used(|_| ()).await);
        // A scene was left out, another has other words, or its words come later.
        assert!(!is_used(|script| script.words.swap(0, 1)).await);
        assert!(!is_used(|script| drop(script.ledger.scenes.pop())).await);
        assert!(!is_used(|script| script.ledger.scenes[1].beats[0].first_sample += 1).await);
    }

    fn scene(number: usize) -> Scene {
        let id = format!("s{number}");
        let narration = format!("Words of scene {number}.");
        let (actions, cues, holds) = (vec![], vec![], vec![]);
        let id_of = format!("{id}-1");
        let beat = Beat { id: id_of, narration, pause_ms: 0, actions, estimate_ms: 0, cues, place: None, holds };
        Scene { heading: format!("Scene {number}"), id, kind: SceneKind::Lesson, beats: vec![beat], place: None }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn intro_outro_and_music_are_in_the_film_without_jumps() {
        let workshop = Workshop::new();
        let tone = |pitch: u32, seconds: f64| {
            format!("aevalsrc=0.2*sin({pitch}*2*PI*t)|0.2*sin({pitch}*2*PI*t):s=44100:d={seconds}")
        };
        let picture = "testsrc=s=320x240:r=25:d=2.2";
        let intro = workshop.made("intro.mp4", &["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", &tone(300, 2.2)]);
        // Another codec, another shape, and no sound.
        let silent = ["-f", "lavfi", "-i", "color=c=red:s=200x400:r=10:d=1", "-c:v", "mpeg4"];
        let outro = workshop.made("outro.mkv", &silent);
        let music = workshop.made("music.mp3", &["-f", "lavfi", "-i", &tone(220, 3.0)]);
        let extras = Extras { frame_shape: None, music: Some((music, -20.0)), intro: Some(intro), outro: Some(outro) };
        let prepared = workshop.prepared(&extras, 60).await;
        assert!(prepared.warnings.is_empty(), "{:?}", prepared.warnings);
        let (film, ledger) = workshop.film(&prepared).await;
        // 2.2 s and 1 s at 15 frames a second, around three scenes of two seconds.
        assert_eq!((ledger.intro.unwrap().frames, ledger.outro.unwrap().frames, ledger.frames), (33, 15, 138));
        assert!(film.sync.unwrap().worst_frames < 0.1 && film.beats.len() == 3, "{:?}", film.beats);
        assert_eq!(film.beats[0].planned.first_frame, 33);
        assert!(film.beats.iter().all(|beat| beat.error_frames.is_some()), "{:?}", film.beats);
        let vtt = &film.captions[0].vtt;
        assert!(vtt.contains("00:00:02.200 -->"), "{vtt}");

        // Every picture can be decoded, the intro's are the intro's, and the cards come when the ledger says.
        let pictures = witness::pictures(&film.path);
        assert_eq!(pictures.len(), 138);
        let light = |frame: usize| pictures[frame].1;
        assert!(light(0) < 140.0 && light(32) < 140.0 && light(33) > 200.0 && light(122) > 200.0 && light(123) < 140.0);
        let said = tool("layers/bin/ffmpeg", &["-v", "warning", "-i", film.path.to_str().unwrap(), "-f", "null", "-"]);
        assert!(said.is_empty(), "{said}");
        let chapters = tool("layers/bin/ffprobe", &["-v", "error", "-show_chapters", film.path.to_str().unwrap()]);
        let starts: Vec<&str> = chapters.lines().filter_map(|line| line.strip_prefix("start_time=")).collect();
        assert_eq!(starts, ["0.000000", "2.200000", "4.200000", "6.200000"], "{chapters}");

        let (integrated, peak) = loudness(&film.path);
        eprintln!("with music: {integrated} LUFS, {peak} dBTP");
        assert!((integrated + 16.0).abs() <= 1.0 && peak < -1.0, "{integrated} LUFS, {peak} dBTP");
        let sound = witness::samples(&film.path);
        let heard = |from: f64, to: f64| {
            let part = &sound[(from * 48_000.0) as usize..(to * 48_000.0) as usize];
            (part.iter().map(|sample| sample * sample).sum::<f32>() / part.len() as f32).sqrt()
        };
        // The intro's sound; the music alone, louder than nothing and softer than words; and the outro's silence.
        assert!(heard(0.5, 2.0) > 0.05, "{}", heard(0.5, 2.0));
        let (words, between) = (heard(2.3, 3.1), heard(3.4, 4.0));
        assert!(between > 0.000_5 && between < words / 8.0, "{between} between, {words} with words");
        assert!(heard(8.4, 9.1) < 0.001, "{}", heard(8.4, 9.1));
        // All that is heard are tones: bent no more than so, and a jump would bend it many times more.
        let bend = |part: &[f32]| {
            part.windows(3).fold(0.0_f32, |most, three| most.max((three[2] - 2.0 * three[1] + three[0]).abs()))
        };
        let inside = bend(&sound[7 * 48_000..7 * 48_000 + 20_000]);
        for seam in [2.2, 3.2, 4.2, 5.2, 6.2, 7.2, 8.2] {
            let at = (seam * 48_000.0) as usize;
            let around = bend(&sound[at - 2_000..at + 2_000]);
            assert!(around < 2.0 * inside, "{seam} s: {around}, and {inside} inside of words");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn music_in_any_format_is_used() {
        let workshop = Workshop::new();
        let tone = ["-f", "lavfi", "-i", "sine=f=300:d=2", "-ac"];
        for (name, channels) in [("a.mp3", "1"), ("b.wav", "2"), ("c.ogg", "2"), ("d.flac", "1"), ("e.m4a", "2")] {
            let file = workshop.made(name, &[&tone[..], &[channels]].concat());
            let prepared = workshop
                .prepared(&Extras { frame_shape: None, music: Some((file, -18.0)), ..Extras::default() }, 30)
                .await;
            assert!(prepared.warnings.is_empty(), "{name}: {:?}", prepared.warnings);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn unusable_files_give_a_warning_and_never_fail_the_film() {
        let workshop = Workshop::new();
        let write = |name: &str, bytes: &[u8]| {
            let path = workshop.dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let whole = std::fs::read(workshop.made("whole.mp4", &["-f", "lavfi", "-i", "testsrc=d=1"])).unwrap();
        // It is never written to, so reading it hangs.
        let hangs = workshop.dir.path().join("hangs.mp4");
        nix::unistd::mkfifo(&hangs, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let silence = workshop.made("silence.wav", &["-f", "lavfi", "-i", "anullsrc=d=2"]);
        let bad = [
            write("text.mp4", b"this is no film"),
            write("empty.mp4", b""),
            write("half.mp4", &whole[..whole.len() / 2]),
            workshop.dir.path().join("not-there.mp4"),
            // What it names is not opened.
            write(
                "list.mp4",
                b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
            ),
            silence,
            hangs,
        ];
        for file in bad {
            let extras = Extras {
                frame_shape: None,
                music: Some((file.clone(), -20.0)),
                intro: Some(file.clone()),
                outro: Some(file.clone()),
            };
            let begun = Instant::now();
            let prepared = workshop.prepared(&extras, 4).await;
            assert!(begun.elapsed() < Duration::from_secs(8), "{}: {:?}", file.display(), begun.elapsed());
            let codes: Vec<&str> = prepared.warnings.iter().map(|warning| warning.code.as_str()).collect();
            let all = ["assemble.music_left_out", "assemble.intro_left_out", "assemble.outro_left_out"];
            assert_eq!(codes, all, "{}: {:?}", file.display(), prepared.warnings);
            if file.ends_with("hangs.mp4") {
                let (film, ledger) = workshop.film(&prepared).await;
                assert_eq!((ledger.frames, ledger.intro), (90, None));
                assert!(film.sync.unwrap().worst_frames < 0.1);
            }
        }
    }
}
