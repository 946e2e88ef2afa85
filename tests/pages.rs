//! A film's page in a real browser, opened from a folder on disk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");
const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
const LESSON: &str = "# Squares & \\<roots>\n\n## First chapter\n\nNine is the square of three.\n\n- nine\n\n\
    ## Second chapter\n\nThree is the root of nine.\n\n- three\n";

/// Runs to its end within `seconds`.
fn within(seconds: u32, program: &Path, arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg(seconds.to_string()).arg(program).args(arguments);
    command
        .env("LAYERS_DIR", LAYERS)
        .env("CHALKREEL_STORE_DIR", dir.join("store"))
        .env("HOME", dir)
        .env("VOICE_CHAIN", "espeak-ng")
        .env("XDG_CACHE_HOME", dir.join("cache"));
    command.output().unwrap()
}

fn browser() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders = ["/usr/local/bin", "/usr/bin", "/snap/bin"].map(Path::new);
    let found = names.iter().flat_map(|name| folders.map(|folder| folder.join(name))).find(|path| path.exists());
    found.expect("a browser: run tests/setup.sh")
}

/// What stands between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} in {rest}")).0
}

#[test]
fn the_page_plays_the_film_and_lists_its_chapters() {
    let dir = tempfile::tempdir().unwrap();
    let (lesson, out) = (dir.path().join("lesson.md"), dir.path().join("out"));
    std::fs::write(&lesson, LESSON).unwrap();
    let arguments =
        ["render", lesson.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quality", "draft", "--json"];
    let made = within(240, Path::new(BINARY), &arguments, dir.path());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let status: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(status["state"], "succeeded", "{status}");

    let screenshot = dir.path().join("page.png");
    let page = format!("file://{}", out.join("index.html").display());
    let (profile, picture) = (
        format!("--user-data-dir={}", dir.path().join("profile").display()),
        format!("--screenshot={}", screenshot.display()),
    );
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,1600",
        &profile,
    ];
    let shown = within(90, &browser(), &[&flags[..], &["--dump-dom", &picture, &page]].concat(), dir.path());
    let dom = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success() && dom.contains("</html>"), "{}", String::from_utf8_lossy(&shown.stderr));
    assert!(!dom.contains("data-error"), "{dom}");

    // The browser itself knows the film's length: it has opened it.
    let ready: f64 = between(&dom, "data-ready=\"", "\"").parse().unwrap();
    let seconds = status["cost"]["film_seconds"].as_f64().unwrap();
    assert!((ready - seconds).abs() < 0.1, "the player says {ready} s, the status {seconds} s");
    assert_eq!(between(&dom, "<title>", "</title>"), "Squares &amp; &lt;roots&gt;");
    assert!(between(&dom, "<video", "</video>").contains("kind=\"captions\""), "{dom}");
    let chapters = between(&dom, "class=\"chapters\"", "</ol>");
    let [first, second] = ["First chapter", "Second chapter"].map(|heading| chapters.find(heading));
    assert!(first.is_some() && first < second, "{chapters}");
    assert!(chapters.contains("Three is the root of nine."), "{chapters}");
    assert!(std::fs::metadata(&screenshot).unwrap().len() > 10_000, "an empty picture");
}
