//! Voices that fail in every way, and films that get narrated all the same. The providers are fakes that speak the real ones'
//! protocols; espeak-ng is real.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use futures::stream::{self, StreamExt as _};
use handler::config::Config;
use handler::deadline::Deadline;
use handler::error::JobError;
use handler::layers::Layers;
use handler::narrate::{Narration, NeuralVoices, Quote, Voices};
use handler::store::{Cache, Embedded, Store};
use serde_json::{Value, json};
use storyboard::{Beat, Consistency, Scene, SceneKind, Storyboard, Theme, VoiceSettings, Warning};
use tempfile::TempDir;

use crate::provider::{Behaviour, KEY, Kind, Provider, Request};

const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
const LOCAL: &str = "espeak-ng";
const TEXT: &str =
    "Every right triangle hides one simple rule about the lengths of its three sides, and it has been known for long.";

/// A store, a scratch folder and settings.
struct Harness {
    dir: TempDir,
    _server: Embedded,
    cache: Cache,
    settings: Vec<(&'static str, String)>,
    layers: PathBuf,
    /// The worker of the neural voices; as in the program, one for all films.
    neural: OnceLock<NeuralVoices>,
}

impl Harness {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Embedded::start(&dir.path().join("store")).await.unwrap();
        server.create_bucket("lessons").unwrap();
        let store = Store::connect(&server.endpoint(), "lessons").await;
        let (settings, layers) = (vec![("VOICE_TIMEOUT", "5".to_owned())], PathBuf::from(LAYERS));
        Self { dir, _server: server, cache: Cache::new(store), settings, layers, neural: OnceLock::new() }
    }

    fn set(mut self, settings: Vec<(&'static str, String)>) -> Self {
        self.settings.extend(settings);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.settings.retain(|(key, _)| *key != name);
        self
    }

    fn with(self, name: &'static str, value: &str) -> Self {
        self.set(vec![(name, value.to_owned())])
    }

    fn config(&self) -> Config {
        // The last one counts.
        let value =
            |name: &str| self.settings.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        Config::from_lookup(value).unwrap()
    }

    fn voices(&self, storyboard: &Storyboard) -> (Voices, Vec<Warning>) {
        let (layers, config) = (Layers::find(Some(&self.layers)).unwrap(), self.config());
        let folder = self.dir.path().join("voice");
        let neural = self.neural.get_or_init(|| {
            std::fs::create_dir(&folder).unwrap();
            NeuralVoices::new(&layers, &config, &folder)
        });
        Voices::of(storyboard, &layers, neural, &config, &self.cache)
    }

    /// Narrates as the pipeline does: all scenes at a time, their beats one by one, and again what became void.
    async fn narrate(&self, storyboard: &Storyboard, seconds: u64) -> Result<Vec<Vec<Narration>>, JobError> {
        let (voices, _) = self.voices(storyboard);
        let scratch = self.dir.path();
        let deadline = Deadline::after(Duration::from_secs(seconds));
        let mut film: Vec<Vec<Narration>> = vec![Vec::new(); storyboard.scenes.len()];
        let stands = |said: &Vec<Narration>| !said.is_empty() && voices.all_current(said);
        while !film.iter().all(stands) {
            let void = storyboard.scenes.iter().zip(&mut film).filter(|(_, said)| !stands(said));
            let again = void.map(async |(scene, said)| {
                *said = voices.scene(scene, &std::collections::HashMap::new(), scratch, deadline).await?;
                Ok::<(), JobError>(())
            });
            try_join_all(again).await?;
        }
        Ok(film)
    }
}

fn storyboard(chain: &[&str], scenes: usize, beats: usize) -> Storyboard {
    let beat = |scene: usize, beat: usize| Beat {
        id: format!("s{scene}-b{beat}"),
        narration: format!("Scene {scene}, step {beat}. {TEXT} So much for {scene} and {beat}."),
        pause_ms: 300,
        actions: Vec::new(),
        estimate_ms: 0,
        cues: Vec::new(),
        holds: Vec::new(),
        place: None,
    };
    let scene = |number: usize| Scene {
        id: format!("s{number}"),
        kind: SceneKind::Lesson,
        heading: String::new(),
        beats: (0..beats).map(|other| beat(number, other)).collect(),
        place: None,
    };
    let voice =
        VoiceSettings { chain: chain.iter().map(|name| (*name).to_owned()).collect(), ..VoiceSettings::default() };
    Storyboard {
        title: String::new(),
        language: "en".to_owned(),
        theme: Theme::Dark,
        colours: None,
        quality: None,
        frame_shape: None,
        on_failure: None,
        voice,
        music: None,
        intro: None,
        outro: None,
        logo: None,
        recordings: Vec::new(),
        captions: Vec::new(),
        scenes: (0..scenes).map(scene).collect(),
        warnings: Vec::new(),
    }
}

fn voice_of(beat: &Narration) -> &str {
    &beat.voice.as_ref().unwrap().voice
}

/// All beats are spoken, by `voice` alone.
fn assert_one_voice(film: &[Vec<Narration>], voice: &str, what: &str) {
    for beat in film.iter().flatten() {
        assert_eq!(voice_of(beat), voice, "{what}");
        assert!(beat.sound.samples() > 48_000, "{what}: {} samples", beat.sound.samples());
        let peak = beat.sound.read().unwrap().iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.05..1.0).contains(&peak), "{what}: {peak}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_each_provider_follow_its_documentation() {
    for kind in Kind::ALL {
        let provider = Provider::that(kind, Behaviour::Speaks).await;
        let harness = Harness::new().await.set(provider.settings());
        let lesson = storyboard(&[kind.voice()], 2, 2);
        let film = harness.narrate(&lesson, 30).await.unwrap();
        provider.assert_well_asked();
        assert_one_voice(&film, kind.voice(), kind.voice());
        let pieces = if kind == Kind::Google { 2 } else { 1 };
        assert_eq!(provider.calls().len(), 4 * pieces * kind.calls(), "{kind:?}");
        for (beat, said) in lesson.scenes.iter().flat_map(|scene| &scene.beats).zip(film.iter().flatten()) {
            let characters = beat.narration.chars().count();
            let voice = said.voice.as_ref().unwrap();
            assert_eq!((&voice.beat, voice.tries as usize), (&beat.id, pieces));
            // A space between two pieces is not spoken.
            assert_eq!(voice.characters as usize, characters - (pieces - 1));
            let seconds = said.sound.samples() as f64 / 48_000.0;
            assert!((seconds - characters as f64 / 15.0).abs() < 0.5, "{kind:?}: {seconds} s");
            // Those that tell when words are spoken are believed.
            let words = beat.narration.split_whitespace().count();
            let told = matches!(kind, Kind::ElevenLabs | Kind::Polly);
            assert_eq!(said.words.len(), if told { words } else { 0 });
            if told {
                assert!(said.words.is_sorted_by_key(|word| (word.from_ms, word.to_ms)), "{:?}", said.words);
                assert!(said.words.iter().all(|word| u64::from(word.to_ms) <= said.sound.samples() as u64 / 48 + 1));
                assert!(said.words[words / 2].from_ms > 2_000, "{:?}", said.words);
            }
        }
        // What every call says: the texts, whole.
        let asked: String = provider.calls().iter().map(|call| call.text.clone()).collect();
        assert!(
            lesson
                .scenes
                .iter()
                .flat_map(|scene| &scene.beats)
                .all(|beat| { pieces > 1 || asked.contains(&beat.narration) })
        );
    }
}

/// What goes wrong, how many calls one piece may take then, and the seconds until the film has its other voice.
fn faults() -> Vec<(&'static str, Behaviour, usize, f64)> {
    let refuses = |status: u16, body: &str| Behaviour::Refuses(status, body.to_owned(), None);
    let with_wait = |wait: &str| Behaviour::Refuses(429, "{}".to_owned(), Some(wait.to_owned()));
    let quota = r#"{"detail":{"status":"quota_exceeded","message":"x"},"error":{"code":"insufficient_quota"}}"#;
    vec![
        ("hangs before its head", Behaviour::Hangs, 2, 10.0),
        ("hangs in its body", Behaviour::HangsMidway, 2, 10.0),
        ("closes before its head", Behaviour::Closes, 4, 12.0),
        ("breaks off", Behaviour::BreaksOff, 4, 12.0),
        ("429", refuses(429, "{}"), 4, 12.0),
        ("429, a second", with_wait("1"), 4, 12.0),
        ("429, an hour", with_wait("3600"), 1, 3.0),
        ("400", refuses(400, "{}"), 1, 3.0),
        ("401", refuses(401, r#"{"detail":{"status":"invalid_api_key","message":"x"}}"#), 1, 3.0),
        ("403", refuses(403, "{}"), 1, 3.0),
        ("422", refuses(422, r#"{"detail":[{"loc":["body"],"msg":"x","type":"y"}]}"#), 1, 3.0),
        ("quota", refuses(401, quota), 1, 3.0),
        ("500", refuses(500, "oh"), 4, 12.0),
        ("503", refuses(503, "oh"), 4, 12.0),
        ("redirect", refuses(302, ""), 1, 3.0),
        ("html", Behaviour::Html, 4, 12.0),
        ("empty", Behaviour::Nothing, 4, 12.0),
        ("half a sound", Behaviour::HalfSound, 4, 12.0),
        ("garbage", Behaviour::Garbage, 4, 12.0),
        ("a told flood", Behaviour::Floods { told: true }, 1, 4.0),
        ("an untold flood", Behaviour::Floods { told: false }, 1, 6.0),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_provider_does_one_voice_narrates_the_film_in_time() {
    let kinds = Kind::ALL.into_iter().flat_map(|kind| faults().into_iter().map(move |fault| (kind, fault)));
    let trial = async |(kind, (name, action, tries, seconds)): (Kind, (&str, Behaviour, usize, f64))| {
        let what = format!("{kind:?}: {name}");
        let provider = Provider::that(kind, action.clone()).await;
        let harness = Harness::new().await.with("VOICE_TIMEOUT", "3").set(provider.settings());
        let begun = Instant::now();
        let film = harness.narrate(&storyboard(&[kind.voice()], 2, 1), 60).await.unwrap();
        let took = begun.elapsed().as_secs_f64();
        provider.assert_well_asked();
        assert_one_voice(&film, LOCAL, &what);
        // Two beats at a time.
        let calls = provider.calls().len();
        assert!(calls <= 2 * tries * kind.calls(), "{what}: {calls} calls");
        assert!(calls > 0, "{what}: it was not asked");
        // The machine has other tests to run.
        assert!(took < 2.0 * seconds, "{what}: {took} s");
        if let Behaviour::Floods { .. } = action {
            assert!(provider.sent() < (30 << 20) * calls as u64, "{what}: {} bytes were taken", provider.sent());
        }
    };
    // More at a time would measure this machine.
    stream::iter(kinds.map(trial)).buffer_unordered(10).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_failure_costs_a_retry_and_not_the_voice() {
    let refuses =
        |status: u16, after: Option<&str>| Behaviour::Refuses(status, "{}".to_owned(), after.map(str::to_owned));
    for kind in Kind::ALL {
        let passing = [
            refuses(500, None),
            refuses(429, None),
            Behaviour::HalfSound,
            Behaviour::Nothing,
            Behaviour::BreaksOff,
            Behaviour::Closes,
        ];
        let trials = passing.into_iter().map(async |action| {
            let faulty = action.clone();
            let script = move |number: usize, _: &str| if number == 0 { faulty.clone() } else { Behaviour::Speaks };
            let provider = Provider::start(kind, script).await;
            let harness = Harness::new().await.set(provider.settings());
            let film = harness.narrate(&storyboard(&[kind.voice()], 1, 2), 40).await.unwrap();
            assert_one_voice(&film, kind.voice(), &format!("{kind:?}: {action:?}"));
            let tries: u32 = film[0].iter().map(|beat| beat.voice.as_ref().unwrap().tries).sum();
            let pieces = if kind == Kind::Google { 2 } else { 1 };
            assert_eq!(tries, 2 * pieces + 1, "{kind:?}: {action:?}");
        });
        join_all(trials).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_retry_after_is_respected() {
    let date = || {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
        at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    let seconds = || "2".to_owned();
    for (wait, least) in [(&seconds as &dyn Fn() -> String, 2.0), (&date, 1.9)] {
        let wait = wait();
        let script = move |number: usize, _: &str| match number {
            0 => Behaviour::Refuses(429, "{}".to_owned(), Some(wait.clone())),
            _ => Behaviour::Speaks,
        };
        let provider = Provider::start(Kind::OpenAi, script).await;
        let harness = Harness::new().await.set(provider.settings());
        let film = harness.narrate(&storyboard(&["openai"], 3, 1), 40).await.unwrap();
        assert_one_voice(&film, "openai", "a wait");
        let calls = provider.calls();
        let first = calls[0].at;
        // The others, asked at the same time, may have gone out before the answer came.
        let again = calls.iter().filter(|call| call.text == calls[0].text).nth(1).unwrap();
        let waited = (again.at - first).as_secs_f64();
        assert!((least..6.0).contains(&waited), "{waited} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_adapts_to_the_provider() {
    let slowly = Behaviour::SpeaksLate(Duration::from_millis(150));
    let provider = Provider::that(Kind::ElevenLabs, slowly).await.with_lanes(2);
    let harness = Harness::new().await.set(provider.settings());
    let film = harness.narrate(&storyboard(&["elevenlabs"], 12, 1), 60).await.unwrap();
    assert_one_voice(&film, "elevenlabs", "crowded");
    assert_eq!(provider.most_at_a_time(), 2);
    let refused = provider.calls().len() - 12;
    assert!((1..=24).contains(&refused), "{refused} calls were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn consistency_decides_which_beats_change_voice() {
    // It never speaks the third beat of the second scene.
    let script = |_: usize, text: &str| {
        let refuses = text.starts_with("Scene 1, step 2.");
        if refuses { Behaviour::Refuses(422, "{}".to_owned(), None) } else { Behaviour::Speaks }
    };
    for (consistency, local) in [(None, 9), (Some("film"), 9), (Some("scene"), 3), (Some("beat"), 1)] {
        let provider = Provider::start(Kind::OpenAi, script).await;
        let harness = Harness::new().await.set(provider.settings());
        let mut lesson = storyboard(&["openai"], 3, 3);
        lesson.voice.consistency = consistency.and_then(Consistency::named);
        let film = harness.narrate(&lesson, 60).await.unwrap();
        let spoken: Vec<&str> = film.iter().flatten().map(voice_of).collect();
        assert_eq!(spoken.iter().filter(|voice| **voice == LOCAL).count(), local, "{consistency:?}: {spoken:?}");
        assert_eq!(voice_of(&film[1][2]), LOCAL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_that_fails_midway_is_not_heard_in_the_film() {
    let script = |number: usize, _: &str| match number {
        0..7 => Behaviour::Speaks,
        _ => Behaviour::Refuses(401, r#"{"detail":{"status":"quota_exceeded","message":"x"}}"#.to_owned(), None),
    };
    let first = Provider::start(Kind::ElevenLabs, script).await;
    let second = Provider::that(Kind::OpenAi, Behaviour::Speaks).await;
    let harness = Harness::new().await.set(first.settings()).set(second.settings());
    let film = harness.narrate(&storyboard(&["elevenlabs", "openai"], 4, 3), 60).await.unwrap();
    assert_one_voice(&film, "openai", "it died midway");
    // Only calls that were running when the quota ended.
    assert!(first.calls().len() <= 7 + 4, "{} calls", first.calls().len());
    assert_eq!(second.calls().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_network_the_local_voice_speaks_within_two_seconds() {
    // A port without a listener, and one whose listener never accepts: its queue is full.
    let closed = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = socket.listen(1).unwrap();
    let address = silent.local_addr().unwrap();
    let connect = || tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address));
    let filling: Vec<_> = join_all((0..4).map(|_| connect())).await;
    assert!(filling.iter().any(Result::is_err), "the queue is not full");
    // Speaking takes its own time, so the network's part is what it takes longer than without one. Other tests run beside
    // this one and may slow down either half: the quickest of a few tries counts.
    let mut asked = Duration::MAX;
    for _ in 0..4 {
        let harness = Harness::new()
            .await
            .set(Kind::ElevenLabs.settings(&format!("http://{address}")))
            .set(Kind::Google.settings("http://nowhere.invalid"))
            .set(Kind::OpenAi.settings(&format!("http://{address}")))
            .set(Kind::Polly.settings(&format!("http://{closed}")));
        let begun = Instant::now();
        let film = harness.narrate(&storyboard(&["espeak"], 3, 2), 60).await.unwrap();
        let local = begun.elapsed();
        assert_one_voice(&film, LOCAL, "local");
        let begun = Instant::now();
        let film = harness.narrate(&storyboard(&["elevenlabs", "openai", "gtts", "polly"], 3, 2), 60).await.unwrap();
        asked = asked.min(begun.elapsed().saturating_sub(local));
        assert_one_voice(&film, LOCAL, "no network");
        if asked < Duration::from_secs(2) {
            return;
        }
    }
    panic!("{asked:?} longer than without asking");
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_speech_is_not_paid_for_again() {
    let provider = Provider::that(Kind::ElevenLabs, Behaviour::Speaks).await;
    let harness = Harness::new().await.set(provider.settings());
    let mut lesson = storyboard(&["elevenlabs"], 2, 2);
    let first = harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 4);
    // White space is not spoken.
    lesson.scenes[0].beats[0].narration = lesson.scenes[0].beats[0].narration.replace(' ', "\n ");
    let again = harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 4);
    for (first, again) in first.iter().flatten().zip(again.iter().flatten()) {
        assert_eq!((&first.words, first.sound.samples()), (&again.words, again.sound.samples()));
        let voice = again.voice.as_ref().unwrap();
        assert_eq!((voice.tries, voice.characters), (0, 0));
    }
    lesson.scenes[1].beats[1].narration.push_str(" And this is new.");
    harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 5);
    // Another pace is another sound, and so is another manner; and what is there needs no network.
    lesson.voice.words_per_minute = Some(180);
    harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 9);
    lesson.voice.words_per_minute = None;
    let harness = harness.with("ELEVENLABS_STYLE", "0.5");
    harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 13);
    let harness = harness.without("ELEVENLABS_STYLE");
    let offline = harness.with("ELEVENLABS_BASE_URL", &provider.url);
    drop(provider);
    let film = offline.narrate(&lesson, 30).await.unwrap();
    assert_one_voice(&film, "elevenlabs", "from the cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_never_mixes_up_sounds_and_times() {
    let provider = Provider::that(Kind::ElevenLabs, Behaviour::Speaks).await;
    let harness = Harness::new().await.set(provider.settings());
    let mut lesson = storyboard(&["elevenlabs"], 1, 2);
    lesson.scenes[0].beats[1].narration = "A short one.".to_owned();
    let first = harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 2);
    // A store that mixes two sounds up, whole and sound as each of them is: the embedded one has a file for each object.
    let folder = harness.dir.path().join("store/buckets/lessons");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let kept: Vec<_> = files.filter(|path| name(path).starts_with("cache%2Fvoices%2F")).collect();
    let sounds: Vec<_> = kept.iter().filter(|path| !name(path).ends_with("json")).collect();
    assert_eq!((sounds.len(), kept.len()), (2, 4), "{kept:?}");
    let aside = folder.join("aside");
    for (from, to) in [(sounds[0], &aside), (sounds[1], sounds[0]), (&aside, sounds[1])] {
        std::fs::rename(from, to).unwrap();
    }
    let again = harness.narrate(&lesson, 30).await.unwrap();
    assert_eq!(provider.calls().len(), 4, "what was mixed up was believed");
    for (first, again) in first.iter().flatten().zip(again.iter().flatten()) {
        assert_eq!((&first.words, first.sound.samples()), (&again.words, again.sound.samples()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_provider_is_retried_and_one_without_credit_is_not() {
    let says =
        |code: &str| Behaviour::Refuses(429, json!({"detail": {"status": code, "message": "x"}}).to_string(), None);
    for (code, voice, most) in [("system_busy", "elevenlabs", 3), ("too_many_concurrent_requests", "elevenlabs", 3)]
        .into_iter()
        .chain([("quota_exceeded", LOCAL, 1)])
    {
        let refusal = says(code);
        let script = move |number: usize, _: &str| if number == 0 { refusal.clone() } else { Behaviour::Speaks };
        let provider = Provider::start(Kind::ElevenLabs, script).await;
        let harness = Harness::new().await.set(provider.settings());
        let film = harness.narrate(&storyboard(&["elevenlabs"], 1, 2), 40).await.unwrap();
        assert_one_voice(&film, voice, code);
        assert_eq!(provider.calls().len(), most, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_stops_before_it_exceeds_max_characters() {
    let provider = Provider::that(Kind::ElevenLabs, Behaviour::Speaks).await;
    let harness = Harness::new().await.set(provider.settings());
    let mut lesson = storyboard(&["elevenlabs"], 3, 1);
    let one = lesson.scenes[0].beats[0].narration.chars().count() as u32;
    lesson.voice.max_characters = Some(2 * one + one / 2);
    let error = harness.narrate(&lesson, 30).await.unwrap_err();
    assert_eq!((error.code.name(), error.retryable), ("voice.too_dear", false), "{error}");
    let asked: usize = provider.calls().iter().map(|call| call.text.chars().count()).sum();
    assert!(asked as u32 <= 2 * one + one / 2, "{asked} characters were asked for");
    // A voice that costs nothing may speak as much as it likes.
    lesson.voice.chain = vec!["espeak".to_owned()];
    assert_one_voice(&harness.narrate(&lesson, 30).await.unwrap(), LOCAL, "free");
}

/// The characters paid for one beat, spoken by the first voice that can, and that voice.
async fn paid(harness: &Harness, lesson: &Storyboard) -> (u64, String) {
    let (voices, _) = harness.voices(lesson);
    let deadline = Deadline::after(Duration::from_secs(30));
    let said = voices.speak(&lesson.scenes[0].beats[0], "s0", harness.dir.path(), deadline).await.unwrap();
    (voices.paid_characters(), voice_of(&said).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_paid_for() {
    let refuses =
        |status: u16, after: Option<&str>| Behaviour::Refuses(status, "{}".to_owned(), after.map(str::to_owned));
    for kind in [Kind::ElevenLabs, Kind::Polly, Kind::OpenAi] {
        let mut lesson = storyboard(&[kind.voice()], 1, 1);
        let one = lesson.scenes[0].beats[0].narration.chars().count() as u64 * kind.calls() as u64;
        // Without speech nothing is paid.
        for action in [refuses(401, None), refuses(422, None), refuses(429, Some("3600"))] {
            let provider = Provider::that(kind, action.clone()).await;
            let harness = Harness::new().await.set(provider.settings());
            assert_eq!(paid(&harness, &lesson).await, (0, LOCAL.to_owned()), "{kind:?}: {action:?}");
        }
        // What fails otherwise may have been spoken.
        for (action, calls) in [(refuses(429, None), 1), (refuses(500, None), 2), (Behaviour::HalfSound, 2)] {
            let faulty = action.clone();
            let script = move |number: usize, _: &str| if number == 0 { faulty.clone() } else { Behaviour::Speaks };
            let provider = Provider::start(kind, script).await;
            let harness = Harness::new().await.set(provider.settings());
            lesson.voice.max_characters = Some((calls * one) as u32);
            let paid = paid(&harness, &lesson).await;
            assert_eq!(paid, (calls * one, kind.voice().to_owned()), "{kind:?}: {action:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_what_is_billed() {
    let layers = Layers::find(Some(Path::new(LAYERS))).unwrap();
    for (kind, paid, dollars) in [
        (Kind::Google, 0, 0.0),
        (Kind::ElevenLabs, 1_000, 0.1),
        (Kind::Polly, 2_000, 0.032),
        (Kind::OpenAi, 1_000, -1.0),
    ] {
        let harness = Harness::new().await.set(kind.settings("http://127.0.0.1:9"));
        let quote = Quote::of(&storyboard(&[kind.voice()], 1, 1), 1_000, &layers, &harness.config()).unwrap();
        let dollars = Some(dollars).filter(|dollars| *dollars >= 0.0);
        assert_eq!((quote.voice, quote.paid_characters, quote.dollars), (kind.voice(), paid, dollars));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_of_an_hour_delays_no_film() {
    let script = |_: usize, _: &str| Behaviour::Refuses(429, "{}".to_owned(), Some("3600".to_owned()));
    for consistency in ["beat", "scene"] {
        let provider = Provider::start(Kind::OpenAi, script).await;
        let harness = Harness::new().await.set(provider.settings());
        let mut lesson = storyboard(&["openai"], 3, 4);
        lesson.voice.consistency = Consistency::named(consistency);
        let begun = Instant::now();
        let film = harness.narrate(&lesson, 120).await.unwrap();
        assert_one_voice(&film, LOCAL, consistency);
        // A share of the time that is left would be 30 s, for each beat.
        assert!(begun.elapsed() < Duration::from_secs(15), "{consistency}: {:?}", begun.elapsed());
        assert!(provider.calls().len() <= 3, "{consistency}: {} calls", provider.calls().len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_hangs_leaves_time_for_the_others() {
    for kind in Kind::ALL {
        let provider = Provider::that(kind, Behaviour::Hangs).await;
        let harness = Harness::new().await.with("VOICE_TIMEOUT", "15").set(provider.settings());
        let begun = Instant::now();
        let film = harness.narrate(&storyboard(&[kind.voice()], 1, 1), 6).await.unwrap();
        assert_one_voice(&film, LOCAL, "it hangs");
        assert!(begun.elapsed() < Duration::from_secs(6), "{kind:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ignores_a_slow_pace_is_accepted() {
    for kind in [Kind::ElevenLabs, Kind::OpenAi] {
        let provider = Provider::that(kind, Behaviour::Speaks).await;
        let harness = Harness::new().await.set(provider.settings());
        let mut lesson = storyboard(&[kind.voice()], 1, 1);
        lesson.voice.words_per_minute = Some(70);
        let film = harness.narrate(&lesson, 30).await.unwrap();
        assert_one_voice(&film, kind.voice(), "slow");
        assert_eq!(provider.calls().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_that_ignores_the_pace_gives_a_warning() {
    for kind in Kind::ALL {
        let provider = Provider::that(kind, Behaviour::Speaks).await;
        let harness = Harness::new().await.set(provider.settings());
        let mut lesson = storyboard(&[kind.voice()], 1, 2);
        let film = harness.narrate(&lesson, 30).await.unwrap();
        assert_eq!(harness.voices(&lesson).0.warnings(film.iter().flatten()), []);
        lesson.voice.words_per_minute = Some(140);
        let told = harness.voices(&lesson).0.warnings(film.iter().flatten());
        let codes: Vec<&str> = told.iter().map(|warning| &*warning.code).collect();
        let own = matches!(kind, Kind::Polly | Kind::Google);
        assert_eq!(codes, if own { &["voice.own_pace"][..] } else { &[] }, "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_polly_says_is_understood() {
    let says =
        |status: u16, code: &str| Behaviour::Refuses(status, json!({"__type": code, "message": "x"}).to_string(), None);
    let lesson = storyboard(&["polly"], 1, 1);
    for (action, calls, voice) in [
        (says(400, "ThrottlingException"), 3, "polly"),
        (says(429, "TooManyRequestsException"), 3, "polly"),
        (says(500, "ServiceFailureException"), 3, "polly"),
        (says(400, "TextLengthExceededException"), 1, LOCAL),
        (says(400, "EngineNotSupportedException"), 1, LOCAL),
        (says(403, "AccessDeniedException"), 1, LOCAL),
    ] {
        let first = action.clone();
        let script = move |number: usize, _: &str| if number == 0 { first.clone() } else { Behaviour::Speaks };
        let provider = Provider::start(Kind::Polly, script).await;
        let harness = Harness::new().await.set(provider.settings());
        let film = harness.narrate(&lesson, 30).await.unwrap();
        assert_one_voice(&film, voice, &format!("{action:?}"));
        assert_eq!(provider.calls().len(), calls, "{action:?}");
    }
    // The times of words are worth less than a sound that is paid for.
    for action in [says(500, "ServiceFailureException"), Behaviour::Nothing, Behaviour::Closes, Behaviour::Hangs] {
        let second = action.clone();
        let script = move |number: usize, _: &str| if number == 1 { second.clone() } else { Behaviour::Speaks };
        let provider = Provider::start(Kind::Polly, script).await;
        let harness = Harness::new().await.set(provider.settings());
        let film = harness.narrate(&lesson, 30).await.unwrap();
        assert_one_voice(&film, "polly", &format!("no marks: {action:?}"));
        let said = &film[0][0];
        assert_eq!((said.words.len(), said.voice.as_ref().unwrap().tries), (0, 1), "{action:?}");
        assert_eq!(provider.calls().len(), 2, "{action:?}");
    }
}

/// Where a setting is found in what a provider is asked: the line, a header, or a value of the body.
fn asked(kind: Kind, request: &Request, place: &str) -> String {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match place {
        "line" => request.line.clone(),
        "x-amz-security-token" => request.header(place).to_owned(),
        _ if kind == Kind::Google => text(&request.of_google().unwrap()[1]),
        _ => text(&request.json()[place]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_carries_its_settings() {
    let voice = "/v1/text-to-speech/abcdefghij0123456789/with-timestamps";
    for (kind, name, value, place, there) in [
        (Kind::ElevenLabs, "ELEVENLABS_VOICE_ID", "abcdefghij0123456789", "line", voice),
        (Kind::ElevenLabs, "ELEVENLABS_MODEL_ID", "eleven_flash_v2_5", "model_id", "eleven_flash_v2_5"),
        (Kind::ElevenLabs, "ELEVENLABS_MODEL_ID", "eleven_flash_v2_5", "language_code", "en"),
        (Kind::ElevenLabs, "ELEVENLABS_MODEL_ID", "eleven_v3", "language_code", "en"),
        // This one speaks English alone, and refuses a language.
        (Kind::ElevenLabs, "ELEVENLABS_MODEL_ID", "eleven_turbo_v2", "language_code", ""),
        (Kind::ElevenLabs, "ELEVENLABS_STABILITY", "0.25", "voice_settings", r#"{"stability":0.25}"#),
        (Kind::ElevenLabs, "ELEVENLABS_SIMILARITY", "1", "voice_settings", r#"{"similarity_boost":1.0}"#),
        (Kind::ElevenLabs, "ELEVENLABS_STYLE", "0", "voice_settings", r#"{"style":0.0}"#),
        (Kind::ElevenLabs, "ELEVENLABS_SPEAKER_BOOST", "off", "voice_settings", r#"{"use_speaker_boost":false}"#),
        (Kind::ElevenLabs, "ELEVENLABS_MODEL_ID", "eleven_multilingual_v2", "voice_settings", ""),
        (Kind::Google, "GOOGLE_TTS_LANGUAGE", "fr", "language", "fr"),
        (Kind::Polly, "POLLY_VOICE", "Matthew", "VoiceId", "Matthew"),
        (Kind::Polly, "POLLY_ENGINE", "generative", "Engine", "generative"),
        (Kind::Polly, "AWS_SESSION_TOKEN", "a-token", "x-amz-security-token", "a-token"),
        (Kind::OpenAi, "OPENAI_TTS_VOICE", "nova", "voice", "nova"),
        (Kind::OpenAi, "OPENAI_TTS_MODEL", "tts-1-hd", "model", "tts-1-hd"),
    ] {
        let provider = Provider::that(kind, Behaviour::Speaks).await.easy();
        let harness = Harness::new().await.set(provider.settings()).with(name, value);
        let film = harness.narrate(&storyboard(&[kind.voice()], 1, 1), 30).await.unwrap();
        provider.assert_well_asked();
        assert_one_voice(&film, kind.voice(), name);
        for call in provider.calls() {
            let is = asked(kind, &call.request, place);
            assert!(if place == "line" { is.contains(there) } else { is == there }, "{name}: {place} is `{is}`");
        }
    }
    let harness = Harness::new().await.with("GOOGLE_TTS_TLD", "de");
    assert_eq!(harness.config().voices.google_url, "https://translate.google.de");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_comes_from_the_lesson_or_the_settings_or_the_default() {
    let harness = Harness::new().await;
    let mut lesson = storyboard(&["elevenlabs", "hal", "piper", "silent"], 1, 1);
    lesson.language = "ru".to_owned();
    let (_, warnings) = harness.voices(&lesson);
    let told: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(
        told.len() == 3 && told[0].contains("ELEVENLABS_API_KEY") && told[1].contains("no voice of that name"),
        "{told:?}"
    );
    assert!(told[2].contains("no installed model speaks `ru`"), "{told:?}");
    assert!(harness.voices(&storyboard(&[], 1, 1)).1.is_empty());
    let harness = harness.with("VOICE_CHAIN", "silent");
    let film = harness.narrate(&storyboard(&[], 1, 1), 30).await.unwrap();
    let beat = &film[0][0];
    assert_eq!(voice_of(beat), "silent");
    let seconds = beat.sound.samples() as f64 / 48_000.0;
    assert!((5.0..12.0).contains(&seconds), "{seconds} s of silence");
    assert!(beat.sound.read().unwrap().iter().all(|sample| *sample == 0.0));
}

#[test]
fn a_key_stands_in_no_log() {
    let config = Config::from_lookup(|name| (name == "ELEVENLABS_API_KEY").then(|| KEY.to_owned())).unwrap();
    assert!(!format!("{config:?}").contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_voice_speaks_unknown_languages_too() {
    let harness = Harness::new().await;
    for language in ["de-AT", "zh-CN", "en-US", "tlh", "pt-BR"] {
        let mut lesson = storyboard(&["espeak"], 1, 1);
        lesson.language = language.to_owned();
        assert_one_voice(&harness.narrate(&lesson, 30).await.unwrap(), LOCAL, language);
    }
    // A name that is another provider's does not keep it from speaking.
    let mut lesson = storyboard(&["espeak"], 1, 1);
    lesson.voice.name = Some("JBFqnCBsd6RMkjVDRZzb".to_owned());
    assert_one_voice(&harness.narrate(&lesson, 30).await.unwrap(), LOCAL, "another's name");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_neural_voice_speaks_within_its_confines_and_says_when_each_word_is_heard() {
    // Where the kernel can't confine it, it would not be run at all.
    let harness = Harness::new().await.with("CONFINEMENT", "require").with("VOICE_TIMEOUT", "60");
    let mut lesson = storyboard(&["piper"], 1, 2);
    let (_, warnings) = harness.voices(&lesson);
    assert!(warnings.is_empty(), "{warnings:?}");
    let film = harness.narrate(&lesson, 120).await.unwrap();
    assert_one_voice(&film, "piper", "piper");
    for (said, beat) in film.iter().flatten().zip(&lesson.scenes[0].beats) {
        // Its sounds have 22,050 samples a second. Heard as 48,000 they would last half as long; as 16,000, half again.
        let words = beat.narration.split_whitespace().count();
        let ms = said.sound.samples() as f64 / 48.0;
        let pace = words as f64 / (ms / 60_000.0);
        assert!((120.0..230.0).contains(&pace), "{pace} words a minute");
        assert_eq!((said.voice.as_ref().unwrap().tries, said.words.len()), (1, words));
        assert!(said.words.windows(2).all(|pair| pair[0].from_ms <= pair[1].from_ms), "{:?}", said.words);
        let (first, last) = (said.words[0], said.words[words - 1]);
        assert!(first.from_ms < 120 && f64::from(last.from_ms) < ms - 100.0, "{first:?} {last:?} in {ms} ms");
    }
    // The pace has an effect; a lesson in another language gets another voice.
    lesson.voice.words_per_minute = Some(100);
    let slow = harness.narrate(&lesson, 120).await.unwrap();
    let (usual, slow) = (film[0][0].sound.samples() as f64, slow[0][0].sound.samples() as f64);
    assert!((1.4..2.0).contains(&(slow / usual)), "{slow} samples, {usual} at its own pace");
    lesson.language = "de-AT".to_owned();
    let (_, warnings) = harness.voices(&lesson);
    assert!(warnings.iter().any(|warning| warning.message.contains("speaks `de-AT`")), "{warnings:?}");
    assert_one_voice(&harness.narrate(&lesson, 60).await.unwrap(), LOCAL, "German");
    harness.neural.get().unwrap().stop().await;
}

/// Words begin where they are heard: between words with a pause before them there is silence up to the time that is told.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_neural_voice_begin_within_80_ms_of_where_they_are_heard() {
    let harness = Harness::new().await.with("VOICE_TIMEOUT", "60");
    let mut lesson = storyboard(&["piper"], 1, 1);
    let mut off: Vec<(i64, String)> = Vec::new();
    for sentence in [
        "Triangle. Square. Number. Circle. Point.",
        "Consider a. Beautiful. Gradient. Descent. Today.",
        "Ten. Twenty. Thirty. Forty. Fifty.",
        "Derivative. Continuous. Discrete. Binary. Decimal.",
        "Photosynthesis. Bacteria. Chlorophyll. Glucose. Carbon.",
        "Demand. Supply. Price. Cost. Tax.",
        "Paris. Berlin. Kyoto. Toronto. Dakar.",
        "Proton. Neutron. Electron. Quark. Photon.",
        "Mean. Median. Deviation. Quartile. Percent.",
        "Begin. Repeat. Continue. Break. Terminate.",
    ] {
        lesson.scenes[0].beats[0].narration = sentence.to_owned();
        let said = &harness.narrate(&lesson, 60).await.unwrap()[0][0];
        assert_eq!(voice_of(said), "piper");
        let samples = said.sound.read().unwrap();
        for (word, text) in said.words.iter().zip(sentence.split(' ')).skip(1).filter(|(_, text)| *text != "a.") {
            // The first loud 10 ms after a pause of at least 120 ms, around the time that is told.
            let loud = |block: usize| {
                let begin = block * 480;
                samples.get(begin..begin + 480).is_some_and(|block| block.iter().any(|sample| sample.abs() > 0.02))
            };
            let told = word.from_ms as usize / 10;
            let onsets = (told.saturating_sub(30)..told + 30)
                .filter(|block| *block >= 12 && loud(*block) && (1..=12).all(|before| !loud(block - before)));
            let Some(heard) = onsets.min_by_key(|block| block.abs_diff(told)) else { continue };
            let by = (heard * 10) as i64 - i64::from(word.from_ms);
            off.push((by.abs(), format!("`{text}` is told at {} ms and heard at {} ms", word.from_ms, heard * 10)));
        }
    }
    off.sort();
    println!("{} words, the last of them: {:?}", off.len(), &off[off.len().saturating_sub(3)..]);
    assert!(off.len() >= 30, "only {} words have a pause before them", off.len());
    // The voice speaks each time a little differently: of 40 words one may breathe in first.
    assert!(off[off.len() - 2].0 <= 80 && off[off.len() - 1].0 <= 120, "{:?}", &off[off.len() - 3..]);
    harness.neural.get().unwrap().stop().await;
}

/// A worker in the voice's place that does as `script` says with each request; `ask` is the request, `tell` answers.
fn layers_with_worker(dir: &Path, script: &str) -> PathBuf {
    let layers = dir.join("layers");
    for folder in ["bin", "voices"] {
        std::fs::create_dir_all(layers.join(folder)).unwrap();
    }
    std::fs::write(layers.join("voices/en_US-fake-low.onnx"), "").unwrap();
    std::fs::write(layers.join("voices/en_US-fake-low.onnx.json"), r#"{"language": {"code": "en_US"}}"#).unwrap();
    let real = Path::new(LAYERS).canonicalize().unwrap();
    std::os::unix::fs::symlink(real.join("bin/espeak-ng").canonicalize().unwrap(), layers.join("bin/espeak-ng"))
        .unwrap();
    let worker = format!(
        r#"#!/usr/bin/python3
import json, os, socket, sys, time, wave
peer = socket.socket(fileno=int(os.environ["CHALKREEL_STAGE_FD"]))
def tell(**answer): peer.sendall(json.dumps(answer).encode() + b"\n")
def sound(out, seconds):
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(b"\x00\x40\x00\xc0" * int(11025 * seconds))
BEFORE = None
{script}
if BEFORE: BEFORE()
tell(event="ready", piper="fake", import_s=0.0)
for line in peer.makefile("rb"):
    ask = json.loads(line)
    if ask["op"] == "speak": spoken(ask)
    if ask["op"] == "quit": break
"#
    );
    let program = layers.join("bin/chalkreel-voice");
    std::fs::write(&program, worker).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    layers
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_neural_voices_worker_does_the_film_is_spoken_in_one_voice() {
    let whole = "sound(ask['out'], len(ask['text']) / 15)";
    let done = "tell(event='done', id=ask['id'], seconds=1.0, words=[])";
    let piper = "piper";
    let cases = [
        ("speaks", format!("def spoken(ask): {whole}; {done}"), piper),
        (
            "tells of more words than there are",
            format!("def spoken(ask): {whole}; tell(event='done', id=ask['id'], seconds=1.0, words=[[0, 10]] * 500)"),
            piper,
        ),
        (
            "floods",
            format!(
                "def spoken(ask):\n    for i in range(5000): tell(event='done', id='other', seconds=1.0, words=[])\n    peer.sendall(b'x' * 500 + b'\\n'); {whole}; {done}"
            ),
            piper,
        ),
        ("never begins", "def BEFORE(): time.sleep(3600)\ndef spoken(ask): pass".to_owned(), LOCAL),
        ("never answers", "def spoken(ask): pass".to_owned(), LOCAL),
        ("hangs", "def spoken(ask): time.sleep(3600)".to_owned(), LOCAL),
        ("dies", "def spoken(ask): os.abort()".to_owned(), LOCAL),
        ("dies before it is ready", "def BEFORE(): sys.exit(3)\ndef spoken(ask): pass".to_owned(), LOCAL),
        ("sends a line without end", "def spoken(ask): peer.sendall(b'x' * (3 << 20))".to_owned(), LOCAL),
        ("fails", "def spoken(ask): tell(event='failed', id=ask['id'], kind='error', message='no')".to_owned(), LOCAL),
        ("writes nothing", format!("def spoken(ask): {done}"), LOCAL),
        ("writes a link", format!("def spoken(ask): os.symlink('/etc/passwd', ask['out']); {done}"), LOCAL),
        ("writes a pipe", format!("def spoken(ask): os.mkfifo(ask['out']); {done}"), LOCAL),
        ("writes noise", format!("def spoken(ask): open(ask['out'], 'wb').write(os.urandom(50000)); {done}"), LOCAL),
        ("writes far too much", format!("def spoken(ask): sound(ask['out'], 900); {done}"), LOCAL),
        (
            "tells a time after the end",
            format!(
                "def spoken(ask): {whole}; tell(event='done', id=ask['id'], seconds=1.0, words=[[9e5, 9e5]] * len(ask['text'].split()))"
            ),
            LOCAL,
        ),
    ];
    let all = stream::iter(cases).map(async |(name, script, expected)| {
        let mut harness = Harness::new().await.with("VOICE_TIMEOUT", "2");
        harness.layers = layers_with_worker(harness.dir.path(), &script);
        let begun = Instant::now();
        let film = harness.narrate(&storyboard(&["piper"], 2, 2), 60).await;
        assert_one_voice(&film.unwrap_or_else(|error| panic!("{name}: {error}")), expected, name);
        assert!(begun.elapsed() < Duration::from_secs(30), "{name}: {:?}", begun.elapsed());
        // No process and no file is left.
        let stopping = Instant::now();
        harness.neural.get().unwrap().stop().await;
        assert!(stopping.elapsed() < Duration::from_secs(5), "{name}");
        let left: Vec<_> = std::fs::read_dir(harness.dir.path().join("voice")).unwrap().collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    });
    all.buffer_unordered(4).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neural_voice_whose_model_has_gone_is_told() {
    let mut harness = Harness::new().await;
    harness.layers = layers_with_worker(harness.dir.path(), "def spoken(ask): pass");
    let (_, warnings) = harness.voices(&storyboard(&[], 1, 1));
    assert!(warnings.is_empty(), "{warnings:?}");
    let mut harness = Harness::new().await;
    harness.layers = layers_with_worker(harness.dir.path(), "def spoken(ask): pass");
    std::fs::remove_file(harness.layers.join("voices/en_US-fake-low.onnx")).unwrap();
    let (_, warnings) = harness.voices(&storyboard(&[], 1, 1));
    let told = warnings.first().map(|warning| &*warning.message).unwrap_or_default();
    assert!(told.contains("neural voice") && told.contains("PIPER_VOICES"), "{warnings:?}");
}
