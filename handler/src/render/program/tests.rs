use serde_json::json;
use storyboard::{Beat, Scene, SceneKind};

use super::*;
use crate::error::Code;
use crate::intake::assets::Assets;
use crate::job::Quality;
use crate::render::Film;

fn with_order<T>(check: impl FnOnce(SceneOrder<'_>) -> T) -> T {
    let beats = Vec::<Beat>::new();
    let kind = SceneKind::Lesson;
    let scene = Scene { id: "one".into(), kind, heading: String::new(), beats, place: None };
    let film = Film {
        title: "T".into(),
        theme: storyboard::Theme::Dark,
        colours: None,
        logo: None,
        language: "en".into(),
        frame_shape: None,
    };
    let (assets, quality) = (Assets::default(), Quality::Draft);
    let clips = Path::new("/nowhere");
    check(SceneOrder { scene: &scene, film: &film, assets: &assets, quality, beats: &[], tools: "", clips })
}

fn reported(done: serde_json::Value, asked: u32) -> Result<Performance, StageError> {
    with_order(|order| performance(serde_json::from_value(done).unwrap(), 1_000, asked, order))
}

fn segment(first_frame: u64, frames: u64, ask: Option<u32>) -> serde_json::Value {
    json!({"first_frame": first_frame, "frames": frames, "ask": ask, "text": "Some words.", "kind": "say"})
}

#[test]
fn a_report_whose_parts_tile_the_film_is_used() {
    let done = json!({
        "id": "run", "frames": 30, "narration": "comment",
        "segments": [segment(0, 10, None), segment(10, 20, Some(1))],
        "chapters": [{"first_frame": 10, "name": "Second\u{202e}"}, {"first_frame": 90, "name": "outside"}],
        "captions": [{"first_frame": 25, "frames": 100, "text": "read\nme"}],
        "audit": {"measured": true, "overlaps": 2, "outside": 0, "too_small": 1, "too_short": 3},
        "findings": [{"kind": "overlap", "text": "“a” and “b”", "line": 7}],
        "warnings": [{"text": "w"}],
        "error": {"kind": "error", "message": "ValueError: no", "line": 9, "line_text": " x = 1 ", "seconds": 1.5,
                  "remedy": "Mend it."},
    });
    let told = reported(done, 1).unwrap();
    assert_eq!((told.frames(), told.has_own_words), (vec![10, 20], true));
    assert_eq!(told.chapters, [Chapter { first_frame: 10, name: "Second".into() }]);
    assert_eq!(told.captions, [Caption { first_frame: 25, frames: 5, text: "read me".into() }]);
    let audit = told.audit.unwrap();
    assert_eq!((audit.overlaps, audit.too_small, audit.too_short), (2, 1, Some(3)));
    assert_eq!(told.warnings, ["w", "line 7: words cover each other: “a” and “b”"]);
    let (error, seconds) = told.broken_off.unwrap();
    assert_eq!((error.code, seconds), (Code::ProgramError, 1.5));
    assert_eq!(error.message, "scene one: line 9: ValueError: no (in `x = 1`)");
    assert_eq!(error.remedy, "Mend it.");
}

#[test]
fn what_was_not_measured_is_not_told_as_nothing_found() {
    let of = |audit| json!({"id": "run", "frames": 30, "segments": [segment(0, 30, None)], "audit": audit});
    assert_eq!(reported(of(json!({"measured": false, "reason": "why"})), 0).unwrap().audit, None);
    assert_eq!(reported(of(json!({})), 0).unwrap().audit, None);
}

#[test]
fn a_report_that_can_not_be_true_is_refused() {
    let of =
        |frames: u64, segments: Vec<serde_json::Value>| json!({"id": "run", "frames": frames, "segments": segments});
    let wrong = [
        of(0, vec![]),
        of(30, vec![]),
        of(2_000, vec![segment(0, 2_000, None)]),
        of(30, vec![segment(1, 29, None)]),
        of(30, vec![segment(0, 29, None)]),
        of(30, vec![segment(0, 31, None)]),
        of(30, vec![segment(0, 0, None), segment(0, 30, None)]),
        of(30, vec![segment(0, 10, None), segment(10, u64::MAX, None)]),
        of(30, vec![segment(0, 30, Some(2))]),
        of(30, vec![segment(0, 30, Some(0))]),
        of(30, vec![segment(0, 10, Some(1)), segment(10, 20, Some(1))]),
        of(900, (0..900).map(|n| segment(n, 1, None)).chain([segment(900, 1, None)]).collect()),
    ];
    for done in wrong {
        let refused = reported(done.clone(), 1);
        assert!(matches!(refused, Err(StageError::Report(_))), "{done}: {refused:?}");
    }
}

struct Voice(Vec<String>);

#[async_trait]
impl Speaker for Voice {
    async fn say(&mut self, say: Say) -> Option<Said> {
        self.0.push(say.text);
        (self.0.len() < 3).then_some(Said { seconds: 1.0, words: vec![(0, 0.0)] })
    }
}

/// A run of a class.
fn request() -> Request<'static> {
    let limits = protocol::Limits { film_s: 1.0, wall_s: 1.0, stall_s: 1.0 };
    let path = Path::new("scene.py");
    let (width, height, fps) = (854, 480, 15);
    Request::Run {
        id: "run",
        source: path,
        class: "One",
        out: path,
        width,
        height,
        fps,
        theme: "dark",
        background: None,
        language: "en",
        docstring: "",
        narration_file: None,
        draw: true,
        formulas: ManimTex::Latex,
        limits,
    }
}

/// Talks with somebody who sends these bytes, and gives what it came to, what was spoken, and what was answered.
async fn talk(sent: Vec<u8>, stall: Duration) -> (Talked, Vec<String>, String) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (mut theirs, mut voice) = (theirs, Voice(Vec::new()));
    let request = request();
    let other = tokio::spawn(async move {
        let _ = theirs.write_all(&sent).await;
        let (read, write) = theirs.into_split();
        // Half closed: it says nothing more, and still reads.
        drop(write);
        let mut heard = String::new();
        let _ = tokio::io::AsyncReadExt::read_to_string(&mut BufReader::new(read), &mut heard).await;
        heard
    });
    let talked = {
        let mut conversation = Conversation::over(ours, stall);
        conversation.hold(&request, "run", 100, &mut voice).await
    };
    (talked, voice.0, other.await.unwrap())
}

fn lines(events: &[serde_json::Value]) -> Vec<u8> {
    events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect()
}

fn ready() -> serde_json::Value {
    json!({"event": "ready", "protocol": 2})
}

fn started(id: &str) -> serde_json::Value {
    json!({"event": "started", "id": id, "pid": 7})
}

fn done() -> serde_json::Value {
    json!({"event": "done", "id": "run", "frames": 30, "segments": [segment(0, 30, None)]})
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_is_no_event_of_the_run_means_nothing() {
    let mut sent = lines(&[
        json!({"event": "done", "id": "run", "frames": 1}),
        ready(),
        started("another"),
        json!({"event": "say", "id": "run", "ask": 1, "text": "before it has begun"}),
        done(),
        started("run"),
        json!({"event": "done", "id": "another", "frames": 1}),
        json!({"event": "failed", "id": "another", "kind": "error"}),
        json!({"event": "say", "id": "run", "ask": 2, "text": "out of order"}),
        json!({"event": "say", "id": "another", "ask": 1, "text": "for nobody"}),
        json!({"event": "say", "id": "run", "ask": 1, "text": "The first\nwords.", "source": "voiceover"}),
        json!({"event": "say", "id": "run", "ask": 1, "text": "again"}),
        json!({"event": "frames", "id": "run", "frames": 1_u64 << 60}),
        json!({"event": "unheard-of"}),
        json!([7]),
    ]);
    sent.extend(b"\xff\xfe no JSON\n\n");
    // A line without end, and then the end.
    sent.extend(vec![b'x'; protocol::MAX_LINE + 10]);
    sent.push(b'\n');
    sent.extend(lines(&[done()]));
    let (talked, spoken, answered) = talk(sent, LONG).await;
    assert!(matches!(talked, Talked::Done(done) if done.frames == 30));
    assert_eq!(spoken, ["The first words."]);
    let answered: Vec<serde_json::Value> = answered.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answered.len(), 2, "{answered:?}");
    assert_eq!((&answered[0]["op"], &answered[0]["class"]), (&json!("run"), &json!("One")));
    assert_eq!(answered[1], json!({"op": "said", "id": "run", "ask": 1, "seconds": 1.0, "words": [[0, 0.0]]}));
}

#[tokio::test]
async fn a_runner_of_another_version_a_closed_socket_and_an_end_of_speech_are_told_apart() {
    let other = lines(&[json!({"event": "ready", "protocol": 3})]);
    assert!(matches!(talk(other, LONG).await.0, Talked::Broken(Broken::OtherVersion(3))));
    assert!(matches!(talk(lines(&[ready()]), LONG).await.0, Talked::Broken(Broken::Gone)));
    let say = |ask: u32| json!({"event": "say", "id": "run", "ask": ask, "text": "words"});
    let (talked, spoken, _) = talk(lines(&[ready(), started("run"), say(1), say(2), say(3), done()]), LONG).await;
    assert!(matches!(talked, Talked::Broken(Broken::GivenUp)) && spoken.len() == 3);
    let failed = json!({"event": "failed", "id": "run", "kind": "opengl", "message": "OpenGL"});
    assert!(matches!(
        talk(lines(&[ready(), started("run"), failed]), LONG).await.0,
        Talked::Broken(Broken::Failed(failure)) if failure.kind == Kind::Opengl
    ));
}

#[tokio::test]
async fn frames_that_do_not_grow_are_no_progress() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (_read, mut write) = theirs.into_split();
    let repeats = tokio::spawn(async move {
        let frames = lines(&[json!({"event": "frames", "id": "run", "frames": 1})]);
        let _ = write.write_all(&lines(&[ready(), started("run")])).await;
        while write.write_all(&frames).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let request = request();
    let mut conversation = Conversation::over(ours, Duration::from_millis(300));
    let talked = conversation.hold(&request, "run", 100, &mut Voice(Vec::new())).await;
    assert!(matches!(talked, Talked::Broken(Broken::Stalled)));
    drop(conversation);
    repeats.await.unwrap();
}

#[tokio::test]
async fn a_second_class_believes_nothing_that_was_said_before_it_began() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut conversation = Conversation::over(ours, LONG);
    let (read, mut write) = theirs.into_split();
    let mut read = tokio::io::BufReader::new(read).lines();
    let (request, mut voice) = (request(), Voice(Vec::new()));
    let other = tokio::spawn(async move {
        let say = |id: &str| json!({"event": "say", "id": id, "ask": 1, "text": id});
        let of = |id: &str| json!({"event": "done", "id": id, "frames": 30, "segments": [segment(0, 30, None)]});
        let first = [ready(), started("one"), say("one"), of("one"), say("two"), of("two"), of("one")];
        // Half a line, which the next one would be a part of.
        let first = [lines(&first), b"{\"event\": \"done\", ".to_vec()].concat();
        write.write_all(&first).await.unwrap();
        for _ in 0..3 {
            read.next_line().await.unwrap().unwrap();
        }
        write.write_all(&lines(&[started("two"), of("one"), say("two"), of("two")])).await.unwrap();
        (read, write)
    });
    let talked = conversation.hold(&request, "one", 100, &mut voice).await;
    assert!(matches!(talked, Talked::Done(done) if done.id == "one"));
    let talked = conversation.hold(&request, "two", 100, &mut voice).await;
    assert!(matches!(talked, Talked::Done(done) if done.id == "two") && conversation.has_begun);
    assert_eq!((voice.0.as_slice(), conversation.asked), (["one".to_owned(), "two".to_owned()].as_slice(), 1));
    drop(other.await.unwrap());
    let talked = conversation.hold(&request, "three", 100, &mut voice).await;
    assert!(matches!(talked, Talked::Broken(Broken::Gone)) && !conversation.has_begun);
}
