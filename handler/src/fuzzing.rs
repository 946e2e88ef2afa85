//! All parsers of untrusted input, as functions of bytes: children's answers and clips, a stored status, events and HTTP requests. Each
//! returns for any bytes, and panics only on a bug of this program. The targets in `handler/fuzz` call them without end, and the
//! tests below for a while.

use std::sync::LazyLock;

use crate::http::event;
use crate::intake;
use crate::job::{Quality, Status};
use crate::media::mp4;
use crate::render;

/// A clip, which is accepted only for one number of frames.
pub fn clip(bytes: &[u8]) {
    let promise = mp4::promise(Quality::Draft, None, 8);
    let checked = mp4::check(bytes, bytes.len() as u64, &promise);
    let longer = mp4::Promise { frames: 9, ..promise };
    if checked.is_ok() {
        assert!(mp4::check(bytes, bytes.len() as u64, &longer).is_err(), "a clip of two lengths");
    }
}

/// What the stage or a program says, line by line.
pub fn answers(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        for text in render::user_visible(line) {
            assert!(text.chars().count() < 600, "{} characters", text.chars().count());
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
    }
}

/// A status document, which stays what it is when it is written and read again.
pub fn status(bytes: &[u8]) {
    let Ok(status) = serde_json::from_slice::<Status>(bytes) else { return };
    let _ = (status.is_consistent(), status.is_handed_over());
    let written = serde_json::to_vec(&status).unwrap_or_default();
    let read = serde_json::from_slice::<Status>(&written);
    assert!(read.is_ok_and(|read| read == status), "it was written otherwise than it was read");
}

/// An event of Lambda.
pub fn events(bytes: &[u8]) {
    let Ok(event) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let _ = intake::sender(&event);
    if let Err(refusal) = intake::read(event, "own-bucket") {
        assert!(!refusal.message.is_empty());
    }
}

/// A request over HTTP, as Lambda hands it on; what comes over a socket is read by hyper.
pub fn requests(bytes: &[u8]) {
    static RUNTIME: LazyLock<Option<tokio::runtime::Runtime>> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().ok());
    let Ok(event) = serde_json::from_slice(bytes) else { return };
    if let Some(runtime) = &*RUNTIME {
        let answer = runtime.block_on(event::answer(event, axum::Router::new()));
        assert!(answer["statusCode"].as_u64().is_some_and(|code| code >= 400), "{answer}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

    /// Files of a folder of fixtures with that extension.
    fn seeds(folder: &str, extension: &str) -> Vec<Vec<u8>> {
        let files = std::fs::read_dir(format!("{FIXTURES}/{folder}")).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|its| its == extension));
        let seeds: Vec<Vec<u8>> = files.map(|path| std::fs::read(path).unwrap()).collect();
        assert!(!seeds.is_empty());
        seeds
    }

    /// One of them, with some bytes changed, and a piece taken out or doubled.
    fn changed(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        use prop::sample::Index;
        let byte = prop_oneof![any::<u8>(), Just(b'0'), Just(b'9'), Just(b'"'), Just(b'{'), Just(b'['), Just(b'-')];
        let bytes = prop::collection::vec((any::<Index>(), byte), 0..5);
        (prop::sample::select(seeds), bytes, any::<[Index; 2]>(), 0..3).prop_map(|(mut seed, bytes, [a, b], piece)| {
            for (at, byte) in bytes {
                let at = at.index(seed.len());
                seed[at] = byte;
            }
            let (a, b) = (a.index(seed.len()), b.index(seed.len()));
            let (from, to) = (a.min(b), a.max(b));
            match piece {
                0 => drop(seed.drain(from..to)),
                1 => drop(seed.splice(from..from, seed[from..to].to_vec())),
                _ => {}
            }
            seed
        })
    }

    fn try_all(seeds: Vec<Vec<u8>>, target: fn(&[u8])) {
        seeds.iter().for_each(|seed| target(seed));
        let mut runner = prop::test_runner::TestRunner::new(ProptestConfig::with_cases(3_000));
        runner
            .run(&changed(seeds), |bytes| {
                target(&bytes);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn clips() {
        try_all(seeds("clips", "mp4"), clip);
    }

    #[test]
    fn answers_of_children() {
        try_all(seeds("answers", "jsonl"), answers);
    }

    #[test]
    fn status_documents() {
        let seeds = seeds("status", "json");
        assert!(serde_json::from_slice::<Status>(&seeds[0]).unwrap().is_consistent());
        try_all(seeds, status);
    }

    #[test]
    fn events_of_lambda() {
        try_all(seeds("events", "json"), events);
    }

    #[test]
    fn requests_over_http() {
        let mut seeds = seeds("events", "json");
        seeds.retain(|seed| serde_json::from_slice::<serde_json::Value>(seed).unwrap().get("rawPath").is_some());
        try_all(seeds, requests);
    }
}
