//! The pages in a real browser: a film's page, opened from a folder on disk, and those of `chalkreel serve`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::process::{Server, free_port};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_chalkreel");
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const LAYERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers");
const LESSON: &str = "---\nquality: draft\n---\n# Squares & \\<roots>\n\n## First chapter\n\nNine is the square of three.\n\n\
    - nine\n\n![a picture that is not there](none.png)\n\n## Second chapter\n\nThree is the root of nine.\n\n- three\n";

/// The program, in a home of its own.
fn program(dir: &Path) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=5", "400", BINARY])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LAYERS_DIR", LAYERS)
        .env("CHALKREEL_STORE_DIR", dir.join("store"))
        .env("HOME", dir)
        .env("VOICE_CHAIN", "espeak-ng")
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .stdin(Stdio::null());
    command
}

fn browser() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders = ["/usr/local/bin", "/usr/bin", "/snap/bin"].map(Path::new);
    let found = names.iter().flat_map(|name| folders.map(|folder| folder.join(name))).find(|path| path.exists());
    found.expect("a browser: run tests/setup.sh")
}

/// What a user of a page sees. Screenshots stay in `target/pages`.
fn browse(arguments: &[&str]) -> Value {
    let pictures = Path::new(REPOSITORY).join("target/pages");
    std::fs::create_dir_all(&pictures).unwrap();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "500"]).arg(format!("{REPOSITORY}/target/test-tools/bin/python3"));
    command.args(["-I", "tests/interfaces/browse.py"]).arg(browser()).arg(pictures).args(arguments);
    let Output { status, stdout, stderr } = command.current_dir(REPOSITORY).stdin(Stdio::null()).output().unwrap();
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn a_lesson_is_seen_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let lesson = dir.path().join("lesson.md");
    std::fs::write(
        &lesson,
        "# Numbers\n\nWords over the title.\n\n## One\n\n- one\n\nThis one changes.\n\n## Two\n\n$$1 + 1 = 2$$\n\nThis one stays.\n",
    )
    .unwrap();
    let address = free_port();
    let mut command = program(dir.path());
    command.arg("watch").arg(&lesson).args(["--listen", &address.to_string()]);
    let mut server = Server::start(&mut command, &dir.path().join("watch.log"), address);
    let seen = browse(&["writing", &format!("http://{address}/"), lesson.to_str().unwrap()]);
    assert_eq!(seen["scenes"], 3);
    // Bounds for a machine that has other things to do too.
    assert!(seen["still"].as_f64().unwrap() < 15.0 && seen["clip"].as_f64().unwrap() < 60.0, "{seen}");
    let films = std::fs::read_dir(dir.path().join("store")).into_iter().flatten().count();
    assert_eq!(server.stop(), Vec::<String>::new());
    assert!(films > 0, "the store is elsewhere");
    let log = server.log();
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
}

/// The benchmark of `make bench`, short, and without its bounds of time: tests run side by side.
#[test]
fn many_changes_of_a_lesson_leave_nothing_behind() {
    let layers = Path::new(LAYERS).canonicalize().unwrap();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "400"]).arg(format!("{REPOSITORY}/target/test-tools/bin/python3"));
    command.args(["-I", "tests/bench/watch.py", BINARY]).arg(layers).arg(browser()).args(["4", "2", "25", "--lenient"]);
    let output = command.current_dir(REPOSITORY).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(&told).unwrap();
    assert!(
        seen["still"]["worst"].as_f64().unwrap() > 0.0 && seen["after"]["processes"].as_u64().unwrap() > 0,
        "{seen}"
    );
}

#[test]
fn the_page_plays_the_film_and_shows_how_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let (lesson, out) = (dir.path().join("lesson.md"), dir.path().join("out"));
    std::fs::write(&lesson, LESSON).unwrap();
    let mut command = program(dir.path());
    let made = command.arg("render").arg(&lesson).arg("--out").arg(&out).arg("--json").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let status: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(status["state"], "succeeded", "{status}");

    let page = format!("file://{}", out.join("index.html").display());
    let seen = browse(&["film", &page]);
    // The browser itself knows the film's length: it has opened it.
    let seconds = status["cost"]["film_seconds"].as_f64().unwrap();
    assert!((seen["seconds"].as_f64().unwrap() - seconds).abs() < 0.1, "{seen}: {seconds} s");
    assert_eq!(seen["title"], "Squares & <roots>");
    let chapters = texts(&seen["chapters"]);
    let [first, second] =
        ["First chapter", "Second chapter"].map(|heading| chapters.iter().position(|one| *one == heading));
    assert!(first.is_some() && first < second, "{chapters:?}");
    assert!(texts(&seen["cues"]).join(" ").contains("Three is the root of nine."), "{seen}");

    // What ran when: each stage once, each scene, and as long as the status says.
    let ran = texts(&seen["ran"]);
    for stage in ["intake", "plan", "render", "assemble"] {
        assert_eq!(ran.iter().filter(|one| **one == stage).count(), 1, "{stage}: {ran:?}");
    }
    assert!(ran.contains(&"First chapter") && ran.contains(&"Second chapter"), "{ran:?}");
    let timeline = status["timeline"].as_array().unwrap();
    assert_eq!(timeline.last().unwrap()["stage"], "publish");
    for ran in timeline {
        let (from, to) = (ran["from"].as_f64().unwrap(), ran["to"].as_f64().unwrap());
        assert!(from <= to && to <= status["cost"]["seconds"].as_f64().unwrap(), "{ran}");
    }
    // The picture that is not there, with its place in the lesson.
    let line = 1 + LESSON.lines().position(|line| line.contains("none.png")).unwrap();
    let warnings = texts(&seen["warnings"]);
    assert!(warnings.iter().any(|one| one.starts_with(&format!("line {line}: "))), "{warnings:?}");
    assert_eq!(texts(&seen["audit"]).len(), 5, "{seen}");
    assert!(
        texts(&seen["log"]).iter().any(|one| one.contains("begins") && one.contains("stage=assemble")),
        "{}",
        seen["log"]
    );
}

/// A lesson that puts a script wherever words can be.
const HOSTILE: &str = r##"---
quality: draft
title: "</script><script>document.documentElement.dataset.xss='title'</script><img src=x onerror=\"document.documentElement.dataset.xss='title2'\">"
---

# <img src=x onerror="document.documentElement.dataset.xss='h1'">

Hello \<script>document.documentElement.dataset.xss='words'\</script> there --> <!-- ]]> `</script><script>document.documentElement.dataset.xss='code'</script>`

## "><svg onload="document.documentElement.dataset.xss='h2'"> \</style>\<script>document.documentElement.dataset.xss='h2b'\</script>

![\<img src=x onerror=alert(1)>](a"><img%20src=x%20onerror=document.documentElement.dataset.xss='img'>.png "c\"><script>document.documentElement.dataset.xss='cap'</script>")

Look: [here](javascript:document.documentElement.dataset.xss=1).

```plot
y = <script>document.documentElement.dataset.xss='plot'</script>
```

Words.
"##;

/// Neither a lesson's text nor script inserted into the page later runs, from a disk or from the server.
#[test]
fn only_the_pages_own_script_runs() {
    let (dir, address) = (tempfile::tempdir().unwrap(), free_port());
    let (lesson, out) = (dir.path().join("hostile.md"), dir.path().join("out"));
    std::fs::write(&lesson, HOSTILE).unwrap();
    let made = program(dir.path()).arg("render").arg(&lesson).arg("--out").arg(&out).output().unwrap();
    assert!(matches!(made.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&made.stderr));
    let page = out.join("index.html");
    let seen = browse(&["hostile", &format!("file://{}", page.display())]);
    assert_eq!((&seen["ran"], &seen["pictures"], &seen["scripts"]), (&Value::Null, &1.into(), &1.into()), "{seen}");
    // Escaped, it gives the policy nothing to refuse; and the page's own script has run.
    assert!(seen["refused"].as_array().unwrap().is_empty() && seen["ready"].is_string(), "{seen}");
    assert!(seen["text"].as_str().unwrap().contains("<script>"), "{seen}");

    // As if something had not been escaped.
    let text = std::fs::read_to_string(&page).unwrap();
    let injected = "<script>document.documentElement.dataset.xss='inline'</script>\
                    <img src=x onerror=\"document.documentElement.dataset.xss='onerror'\">\
                    <p style=\"position:fixed\">x</p><a href=\"javascript:document.documentElement.dataset.xss='link'\">y</a>\
                    <script src=\"data:text/javascript,document.documentElement.dataset.xss='data'\"></script></main>";
    std::fs::write(&page, text.replace("</main>", injected)).unwrap();
    let seen = browse(&["hostile", &format!("file://{}", page.display())]);
    assert_eq!((&seen["ran"], &seen["pictures"]), (&Value::Null, &2.into()), "{seen}");
    assert!(seen["refused"].as_array().unwrap().len() >= 4 && seen["ready"].is_string(), "{seen}");

    let mut command = program(dir.path());
    command.args(["serve", "--listen", &address.to_string()]);
    let mut server = Server::start(&mut command, &dir.path().join("serve.log"), address);
    let sent = std::process::Command::new("curl")
        .args(["-sS", "--data-binary", &format!("@{}", lesson.display()), "-H", "content-type: text/markdown"])
        .arg(format!("http://{address}/jobs?name=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.md"))
        .output()
        .unwrap();
    let status: Value = serde_json::from_slice(&sent.stdout).unwrap();
    let watched = format!("http://{address}/watch/{}", status["job_id"].as_str().unwrap());
    let ended = browse(&["watched", &watched, "succeeded"]);
    assert!(ended["text"].as_str().unwrap().contains("<img src=x"), "{ended}");
    // A film's page has a picture of each scene, and the list has a poster of each film.
    let film = format!("/jobs/{}/page", status["job_id"].as_str().unwrap());
    for (path, pictures) in [(film, 1), ("/".to_owned(), 1)] {
        let seen = browse(&["hostile", &format!("http://{address}{path}")]);
        assert_eq!((&seen["ran"], &seen["pictures"]), (&Value::Null, &pictures.into()), "{path}: {seen}");
        assert!(seen["refused"].as_array().unwrap().is_empty(), "{path}: {seen}");
    }
    assert!(server.stop().is_empty());
}

#[test]
fn a_lesson_dropped_on_the_page_is_shown_until_its_film_is_ready() {
    let (dir, address) = (tempfile::tempdir().unwrap(), free_port());
    let lesson = dir.path().join("lesson.md");
    // Long enough to be watched.
    let more = "\n## More\n\nThis takes a while to say, and longer to draw.\n\n- more\n".repeat(8);
    std::fs::write(&lesson, format!("{LESSON}{more}")).unwrap();
    let mut command = program(dir.path());
    command.args(["serve", "--listen", &address.to_string()]);
    let mut server = Server::start(&mut command, &dir.path().join("serve.log"), address);
    let seen = browse(&["jobs", &format!("http://{address}/"), lesson.to_str().unwrap()]);
    let captions = format!("http://{address}/jobs/{}/captions", seen["edited"].as_str().unwrap());
    let captions = Command::new("curl").args(["-sS", &captions]).output().unwrap();
    assert!(String::from_utf8_lossy(&captions.stdout).contains("Everybody knows"), "{captions:?}");
    let scenes = texts(&seen["scenes"]);
    assert!(scenes.len() >= 2 && scenes.iter().all(|scene| scene.contains("rendered, ")), "{seen}");
    let watched =
        browse(&["watched", &format!("http://{address}/watch/{}", seen["job"].as_str().unwrap()), "succeeded"]);
    let text = watched["text"].as_str().unwrap();
    assert!(text.contains("Squares & <roots>") && text.contains("Warnings"), "{text}");
    let left: Vec<String> = server.stop();
    assert!(left.is_empty(), "{left:?}");

    // The same films, for a user who needs a token: links and player work without it.
    let (token, address) = ("0123456789abcdef0123456789abcdef", free_port());
    let mut command = program(dir.path());
    command.args(["serve", "--listen", &address.to_string()]).env("CHALKREEL_HTTP_TOKEN", token);
    let mut server = Server::start(&mut command, &dir.path().join("guarded.log"), address);
    let seen = browse(&["guest", &format!("http://{address}/"), token]);
    assert!(seen["seconds"].as_f64().unwrap() > 1.0 && seen["log"].as_str().unwrap().contains("job_id"), "{seen}");
    assert!(server.stop().is_empty());
}
