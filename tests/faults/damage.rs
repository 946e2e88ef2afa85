//! A disk that flips bits: damaged files are made again.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Harness, Made, SMALL, users};

/// The files of the embedded store whose names hold `part`; the store writes a key's dots as `%2E`.
fn stored(harness: &Harness, part: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(harness.path("store/buckets/chalkreel")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().contains(part)).collect()
}

/// Flips one bit of each, at the byte that `at` says of their length.
fn flip(paths: &[PathBuf], at: impl Fn(usize) -> usize) {
    assert!(!paths.is_empty());
    for path in paths {
        let mut bytes = std::fs::read(path).unwrap();
        let place = at(bytes.len());
        bytes[place] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
}

fn assert_made(harness: &Harness, made: &Made, what: &str) {
    assert_eq!((made.code(), &made.status()["state"]), (0, &"succeeded".into()), "{what}: {}", made.words());
    harness.assert_told(made);
    let film = std::fs::read(made.out.join("film.mp4")).unwrap();
    assert_eq!(&film[4..8], b"ftyp", "{what}");
    harness.assert_clean();
}

/// Where a bit is flipped, of a file of so many bytes.
type Place = fn(usize) -> usize;

#[test]
fn whatever_the_store_has_lost_is_made_again() {
    users().into_iter().for_each(damages);
}

fn damages(user: Option<u32>) {
    let harness = Harness::of(user);
    let document = harness.document("small.md", SMALL);
    let first = harness.render(&document, &[]);
    assert_made(&harness, &first, "at first");
    let generation = |made: &Made| made.status()["generation"].as_u64().unwrap();
    assert_eq!(generation(&harness.render(&document, &[])), generation(&first), "unchanged it is not made again");
    let film = first.json("sync.json")["ledger"].clone();

    // Anywhere in the body, and in what the store itself keeps at the end of a file.
    let places: [(&str, Place); 6] = [
        ("the first byte", |_| 0),
        ("the middle", |length| length / 3),
        ("the checksums", |length| length - 120),
        ("the seal", |length| length - 60),
        ("its length", |length| length - 12),
        ("the mark", |length| length - 1),
    ];
    let others = ["index%2Ehtml", "captions%2Evtt", "poster%2Ejpg", "log%2Ejsonl"].map(|file| (file, places[1]));
    let all = ["status%2Ejson", "film%2Emp4"].into_iter().flat_map(|file| places.map(|place| (file, place)));
    for (file, (place, at)) in all.chain(others) {
        flip(&stored(&harness, file), at);
        let what = format!("{file}, {place}");
        let made = harness.render(&document, &[]);
        assert_made(&harness, &made, &what);
        assert_eq!(made.json("sync.json")["ledger"], film, "{what}");
        // And then it is whole.
        let again = harness.render(&document, &[]);
        assert_eq!((again.code(), generation(&again)), (0, generation(&made)), "{what}");
    }
    // What is gone altogether, or no status at all.
    for (file, bytes) in [("film%2Emp4", None), ("status%2Ejson", Some("")), ("status%2Ejson", Some("{}"))] {
        let paths = stored(&harness, file);
        for path in &paths {
            match bytes {
                None => std::fs::remove_file(path).unwrap(),
                Some(text) => std::fs::write(path, text).unwrap(),
            }
        }
        assert_made(&harness, &harness.render(&document, &[]), file);
    }
}

/// A folder, or a link that leads nowhere, at the place of each kind of object.
#[test]
fn what_lies_in_an_objects_place_is_replaced() {
    type Replace = fn(&Path);
    let replace: [(&str, Replace); 3] = [
        ("a folder", |path| std::fs::create_dir_all(path.join("more")).unwrap()),
        ("a link to itself", |path| std::os::unix::fs::symlink(path.file_name().unwrap(), path).unwrap()),
        ("an empty file", |path| std::fs::write(path, "").unwrap()),
    ];
    for (what, replace) in replace {
        let harness = Harness::new();
        let document = harness.document("small.md", SMALL);
        assert_made(&harness, &harness.render(&document, &[]), "at first");
        for part in ["status%2Ejson", "film%2Emp4", "log%2Ejsonl", "cache%2F"] {
            let paths = stored(&harness, part);
            assert!(!paths.is_empty(), "{part}");
            for path in paths {
                std::fs::remove_file(&path).unwrap();
                replace(&path);
            }
            let more: &[&str] = if part == "cache%2F" { &["--again"] } else { &[] };
            assert_made(&harness, &harness.render(&document, more), &format!("{part}: {what}"));
        }
    }
}

#[test]
fn a_damaged_film_is_made_again_as_a_new_generation() {
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    let first = harness.render(&document, &[]).status();
    flip(&stored(&harness, "film%2Emp4"), |length| length / 2);
    let made = harness.render(&document, &[]);
    assert_made(&harness, &made, "a damaged film");
    let number = |status: &Value, name: &str| status[name].as_u64().unwrap();
    let status = made.status();
    assert!(number(&status, "generation") > number(&first, "generation"), "{status:#}");
    assert_eq!(status["job_id"], first["job_id"]);
    assert!(made.words().contains("made again"), "{}", made.words());
}

#[test]
fn a_damaged_cache_only_costs_time() {
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    assert_made(&harness, &harness.render(&document, &[]), "at first");
    for (place, at) in [("body", (|length| length / 3) as fn(usize) -> usize), ("seal", |length| length - 60)] {
        flip(&stored(&harness, "cache%2F"), at);
        let made = harness.render(&document, &["--again"]);
        assert_made(&harness, &made, place);
        assert_eq!(made.status()["cache"]["hits"], 0, "{place}");
    }
    let made = harness.render(&document, &["--again"]);
    assert_eq!(made.status()["cache"]["misses"], 0, "what was made anew is kept");
    assert!(Path::new(&document).is_file());
}
