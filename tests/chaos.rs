//! The handler is killed with KILL at random moments, over repeated deliveries of one job. In the end its film is that of an
//! undisturbed run, nothing that had reached the cache was made again, and its status never went back. `CHAOS_KILLS` says how often
//! (`make chaos`: 100), `CHAOS_SEED` from which seed.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![expect(clippy::disallowed_methods, reason = "how long the storm lasts is the caller's choice")]

#[path = "film/harness.rs"]
mod harness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use harness::Harness;
use serde_json::Value;

const LESSON: &str = "# Squares\n\nNine is a square.\n\n## Why\n\nThree times three is nine.\n\n$$3^2 = 9$$\n\n\
    ## More\n\nFour times four is sixteen.\n\n- one\n- four\n- nine\n\n## Code\n\nAnd so says the machine.\n\n\
    ```python\nprint(3 ** 2)\n```\n";

/// Numbers that look random and are the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The file of every object of the store whose key begins so, with the time of its last write.
fn objects(harness: &Harness, prefix: &str) -> BTreeMap<PathBuf, SystemTime> {
    let folder = harness.path("store").join("buckets/chalkreel");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix)
            && let Ok(written) = entry.metadata().and_then(|data| data.modified())
        {
            found.insert(entry.path(), written);
        }
    }
    found
}

/// The clips that have reached the cache: those with the side-car that is written after them.
fn clips(harness: &Harness) -> BTreeMap<PathBuf, SystemTime> {
    let all = objects(harness, "cache%2Fclips");
    let whole = |path: &PathBuf| all.contains_key(&PathBuf::from(format!("{}%2Ejson", path.display())));
    all.iter().filter(|(path, _)| whole(path)).map(|(path, written)| (path.clone(), *written)).collect()
}

fn status(harness: &Harness) -> Option<Value> {
    let (path, _) =
        objects(harness, "films%2F").into_iter().find(|(path, _)| path.to_string_lossy().ends_with("status.json"))?;
    let bytes = std::fs::read(path).ok()?;
    // The store seals its files; the document is the JSON object in it.
    let text = String::from_utf8_lossy(&bytes);
    let (begin, end) = (text.find("{\n")?, text.rfind("\n}")?);
    serde_json::from_str(&text[begin..end + 2]).ok()
}

/// Hashes of the decoded pictures and of the decoded sound.
fn decoded(film: &Path) -> (String, String) {
    let hash = |stream: &str| {
        let output = Command::new("/usr/bin/ffmpeg")
            .args(["-v", "error", "-i", film.to_str().unwrap(), "-map", stream, "-f", "hash", "-hash", "sha256", "-"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    (hash("0:v"), hash("0:a"))
}

#[test]
fn a_handler_that_is_killed_again_and_again_still_makes_the_same_film() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("CHAOS_KILLS").unwrap_or(12);
    let seed = number("CHAOS_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64);
    println!("CHAOS_SEED={seed}");
    let mut dice = Dice(seed);

    let calm = Harness::new();
    let begun = Instant::now();
    let made = calm.render(&calm.document("lesson.md", LESSON), &[]);
    let whole = begun.elapsed();
    assert_eq!(made.code(), 0, "{}", made.words());
    let wanted = decoded(&made.out.join("film.mp4"));

    // A lease that is over as soon as its owner is dead: the next delivery need not wait long.
    let mut harness = Harness::new().set("LEASE_TIMEOUT", "1.2");
    let document = harness.document("lesson.md", LESSON);
    let out = harness.path("out");
    let arguments = ["render", &document, "--out", out.to_str().unwrap(), "--quality", "draft"];
    let mut cached: BTreeMap<PathBuf, SystemTime> = BTreeMap::new();
    let (mut last, mut finished, mut killed) = ((0, 0), 0, 0);
    while killed < kills {
        let mut child = harness.command(&arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        // A takeover waits for the lease's end first.
        let span = (whole + Duration::from_millis(1_200)).as_millis() as u64;
        let until = Instant::now() + Duration::from_millis(dice.roll() % span);
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break Some(ended);
            }
            if Instant::now() >= until {
                break None;
            }
            // Every state that a reader can see in between is looked at.
            if let Some(status) = status(&harness) {
                let now = (status["generation"].as_u64().unwrap(), rank(&status));
                assert!(now >= last, "the status went back from {last:?} to {now:?}: {status:#}");
                last = now;
                let film = status["outputs"].get("film").is_some();
                assert_eq!(film, status["state"] == "succeeded", "{status:#}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        match ended {
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
            }
            Some(ended) => {
                assert_eq!(ended.code(), Some(0), "seed {seed}");
                finished += 1;
                assert_eq!(decoded(&out.join("film.mp4")), wanted, "seed {seed}");
                // Another job of the same scenes, from an empty cache every other time.
                std::fs::remove_dir_all(harness.path("store")).unwrap();
                (last, cached) = ((0, 0), BTreeMap::new());
            }
        }
        let now = clips(&harness);
        for (path, written) in &cached {
            assert_eq!(now.get(path), Some(written), "{} was made again; seed {seed}", path.display());
        }
        cached = now;
    }
    // The last delivery is left alone.
    let made = harness.render(&document, &[]);
    assert_eq!(made.code(), 0, "seed {seed}: {}", made.words());
    assert_eq!(decoded(&made.out.join("film.mp4")), wanted, "seed {seed}");
    let now = clips(&harness);
    assert!(cached.iter().all(|(path, written)| now.get(path) == Some(written)), "seed {seed}");
    println!("{killed} kills, {finished} films in between, {} attempts at the last", made.status()["attempts"]);
    harness.settings.clear();
}

/// How far a state is within its generation.
fn rank(status: &Value) -> u64 {
    match status["state"].as_str().unwrap() {
        "queued" => 0,
        "running" => 1,
        _ => 2,
    }
}
