//! A job's own planner: a Python one makes a film, is compiled once, in a child; one that is not there, misbehaves or takes too
//! long to compile ends the job with its own code, in time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Harness, Made, REPOSITORY, users};
use crate::hostile::hostile;

const LINES: &str = "The sine of a sum.\n\nTwo waves meet.\n";

/// The planner in Python, as componentize-py builds it: once for all tests of this file.
fn python() -> String {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.wasm");
        let mut command = Command::new(Path::new(REPOSITORY).join("target/test-tools/bin/componentize-py"));
        command.arg("-d").arg(Path::new(REPOSITORY).join("planner-wasm/wit")).args(["-w", "planner"]);
        command
            .args(["componentize", "app", "-p"])
            .arg(Path::new(REPOSITORY).join("tests/fixtures/planners/python"))
            .arg("-o")
            .arg(&path);
        let made = command.stdin(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        (folder, path)
    });
    path.to_str().unwrap().to_owned()
}

fn titles(made: &Made) -> Vec<String> {
    let storyboard = made.json("storyboard.json");
    storyboard["scenes"].as_array().unwrap().iter().map(|scene| scene["heading"].as_str().unwrap().to_owned()).collect()
}

fn compiled(harness: &Harness) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(harness.path("store").join("buckets/chalkreel")).unwrap();
    let kept = folder.map(|entry| entry.unwrap().path());
    kept.filter(|path| path.to_string_lossy().contains("cache%2Fplanners")).collect()
}

#[test]
fn a_planner_in_python_makes_a_film_and_is_compiled_once() {
    let harness = Harness::new();
    let (document, planner) = (harness.document("lines.txt", LINES), python());
    let first = harness.render(&document, &["--planner", &planner]);
    assert_eq!(first.code(), 0, "{}", first.words());
    harness.assert_told(&first);
    harness.assert_clean();
    assert_eq!(titles(&first), ["Line 1", "Line 2"]);
    let sha256 = first.status()["planner"]["sha256"].as_str().unwrap().to_owned();
    let kept = compiled(&harness);
    assert!(!kept.is_empty());
    let written = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
    let times: Vec<_> = kept.iter().map(written).collect();

    // Another process, the same store: what was compiled is loaded, and says the same.
    let again = harness.render(&document, &["--planner", &planner, "--again"]);
    assert_eq!(again.code(), 0, "{}", again.words());
    assert_eq!(again.json("storyboard.json"), first.json("storyboard.json"));
    assert_eq!(again.status()["planner"]["sha256"], sha256.as_str());
    assert_eq!(compiled(&harness), kept);
    assert_eq!(kept.iter().map(written).collect::<Vec<_>>(), times);
    assert!(again.seconds < first.seconds / 2.0, "{} s, and {} s with compiling", again.seconds, first.seconds);

    // The built-in planner's film of the same document is another job.
    let own = harness.render(&document, &[]);
    assert_ne!(own.status()["planner"]["sha256"], sha256.as_str());
}

#[test]
fn a_planner_that_takes_too_long_to_compile_is_ended() {
    let harness = Harness::new().set("JOB_TIMEOUT", "6");
    let document = harness.document("lines.txt", LINES);
    let made = harness.render(&document, &["--planner", &python()]);
    assert!(made.seconds < 8.0, "{} s", made.seconds);
    harness.assert_told(&made);
    harness.assert_clean();
    let status = made.status();
    let code = status["error"]["code"].as_str().unwrap();
    assert!(["planner.compile_limit", "job.deadline"].contains(&code), "{status:#}");
    assert!(compiled(&harness).is_empty());

    // So is one under `planner check`.
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chalkreel"));
    let output = command.args(["planner", "check", "--json", &python()]).env("JOB_TIMEOUT", "3").output().unwrap();
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["code"]), (Some(1), &"planner.compile_limit".into()), "{answer:#}");
}

#[test]
fn a_closed_terminal_ends_the_check_of_a_planner_that_never_ends() {
    let harness = Harness::new();
    let endless = harness.document("endless.wasm", hostile("endless-loop"));
    let mut command = harness.command(&["planner", "check", &endless]);
    let mut checking = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while std::fs::read_dir(harness.path("tmp")).unwrap().next().is_none() {
        assert!(begun.elapsed().as_secs() < 10, "it has made no folder");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    kill(Pid::from_raw(i32::try_from(checking.id()).unwrap()), Signal::SIGHUP).unwrap();
    let told = Instant::now();
    assert_eq!(checking.wait().unwrap().code(), Some(130));
    assert!(told.elapsed().as_secs() < 4, "{:?}", told.elapsed());
    harness.assert_clean();
}

/// Components that are small and ask for much: `count` levels of components, each with eight instances of the one before.
fn instances(count: usize, innermost: &str) -> Vec<u8> {
    let level = |n: usize| {
        let before = format!("(alias outer $all $c{} (component $before))", n - 1);
        format!("(component $c{n} {before} {})", "(instance (instantiate $before))".repeat(8))
    };
    let levels: String = (1..=count).map(level).collect();
    wat::parse_str(format!("(component $all (component $c0 {innermost}) {levels} (instance (instantiate $c{count})))"))
        .unwrap()
}

/// A core module in a component.
fn of_module(fields: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {fields}))")).unwrap()
}

#[test]
fn compiling_that_uses_too_much_memory_has_its_own_code() {
    let module = "(core module $m (memory 100)) (core instance (instantiate $m))";
    let bombs = [
        ("instances of modules", instances(8, module)),
        ("instances of nothing", instances(8, "")),
        (
            "one long function",
            of_module(&format!(
                "(func (param i32) (result i32) local.get 0 {})",
                "local.get 0 i32.mul ".repeat(400_000)
            )),
        ),
        ("one deep function", of_module(&format!("(func {} {})", "block ".repeat(50_000), "end ".repeat(50_000)))),
        ("many functions", of_module(&"(func (param i64) (result i64) local.get 0 i64.popcnt)".repeat(100_000))),
        ("many memories and tables", of_module(&"(memory 1) (table 9000 funcref)".repeat(90))),
        ("much data", of_module(&format!("(memory 1000) (data (i32.const 0) \"{}\")", "x".repeat(20 << 20)))),
    ];
    let [first, ..] = &bombs;
    // The limits are the kernel's: as another user than root's children, one is enough.
    let others = users().into_iter().flatten().map(|user| (Some(user), first));
    for (user, (what, component)) in bombs.iter().map(|bomb| (None, bomb)).chain(others) {
        let harness = Harness::of(user).set("JOB_TIMEOUT", "60");
        let (document, planner) = (harness.document("lines.txt", LINES), harness.document("planner.wasm", component));
        let made = harness.render(&document, &["--planner", &planner]);
        let code = made.status()["error"]["code"].as_str().unwrap().to_owned();
        eprintln!("{what}, {} bytes: {code} after {:.1} s", component.len(), made.seconds);
        // What can be compiled in time is no planner.
        let small = component.len() < 100_000;
        let known = code == "planner.compile_limit"
            || (!small || what.contains("nothing") || what.contains("memories")) && code == "planner.component_invalid";
        assert!(known, "{what}: {code}\n{}", made.words());
        assert!(made.seconds < 32.0, "{what}: {} s", made.seconds);
        harness.assert_told(&made);
        harness.assert_clean();
    }
    // So does one under `planner check`, with a remedy.
    let harness = Harness::new();
    let planner = harness.document("planner.wasm", instances(8, module));
    let begun = Instant::now();
    let output = harness.command(&["planner", "check", "--json", &planner]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["code"]), (Some(1), &"planner.compile_limit".into()), "{answer:#}");
    assert!(begun.elapsed().as_secs() < 25, "{:?}", begun.elapsed());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("Make the component smaller"), "{words}");
}

#[test]
fn a_misbehaving_planner_fails_its_job_alone() {
    for (component, code) in [
        ("memory-bomb", "planner.memory_limit"),
        ("trap", "planner.trapped"),
        ("own-refusal", "plan.refused"),
        ("another-world", "planner.component_invalid"),
        ("empty-storyboard", "planner.storyboard_invalid"),
    ] {
        let harness = Harness::new();
        let (document, planner) =
            (harness.document("lines.txt", LINES), harness.document("planner.wasm", hostile(component)));
        let made = harness.render(&document, &["--planner", &planner]);
        assert_eq!(made.code(), 1, "{component}: {}", made.words());
        assert_eq!(made.status()["error"]["code"], code, "{component}");
        harness.assert_told(&made);
        harness.assert_clean();
    }
    let harness = Harness::new();
    let (document, planner) = (harness.document("lines.txt", LINES), harness.document("planner.wasm", "no component"));
    let made = harness.render(&document, &["--planner", &planner]);
    assert_eq!(made.status()["error"]["code"], "planner.component_invalid", "{}", made.words());
    let made = harness.render(&document, &["--planner", "/nowhere/at/all.wasm"]);
    assert_eq!(made.code(), 1);
    assert!(made.words().contains("/nowhere/at/all.wasm"), "{}", made.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_only_name_planners_under_the_prefix() {
    use handler::config::Config;
    use handler::deadline::Deadline;
    use handler::job::log::JobLogs;
    use handler::job::{Again, JobRequest, Source};
    use handler::pipeline;
    use handler::services::Services;
    use handler::store::{Embedded, Store};

    let harness = Harness::new();
    let soon = || Deadline::after(std::time::Duration::from_secs(60));
    let server = Embedded::start(&harness.path("store")).await.unwrap();
    server.create_bucket("chalkreel").unwrap();
    let store = Store::connect(&server.endpoint(), "chalkreel").await;
    let component = hostile("own-refusal");
    store.put("planners/mine.wasm", component.clone(), "application/wasm", soon()).await.unwrap();
    store.put("elsewhere/mine.wasm", component, "application/wasm", soon()).await.unwrap();
    for (prefix, name, code) in [
        (Some("planners"), "not-there", "planner.not_found"),
        (Some("planners"), "../elsewhere/mine", "planner.not_found"),
        (Some("planners"), "", "planner.not_found"),
        (None, "mine", "planner.not_found"),
    ] {
        let config = Config::from_lookup(|variable| match variable {
            "CHALKREEL_PLANNERS" => prefix.map(str::to_owned),
            "LAYERS_DIR" => Some(harness.layers.to_str().unwrap().to_owned()),
            _ => None,
        });
        let services = Arc::new(Services::open(config.unwrap(), store.clone(), JobLogs::default()).unwrap());
        let source = Source::Inline { name: "lines.txt".to_owned(), bytes: LINES.as_bytes().to_vec(), folder: None };
        let request = JobRequest { planner: Some(name.to_owned()), ..JobRequest::of(source) };
        let begun = Instant::now();
        let status = pipeline::film(request, &services, soon(), Again::Failed).await.unwrap();
        let error = status.error.unwrap();
        assert_eq!(error.code.name(), code, "{prefix:?} {name}: {}", error.message);
        assert!(begun.elapsed().as_secs() < 10);
    }
}
