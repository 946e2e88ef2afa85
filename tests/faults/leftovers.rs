//! What a process leaves that is not asked before it ends: its folders are swept by the next one; and a terminal that is closed.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::harness::{Harness, SMALL, users};

/// A render, as far as its scenes: it has its folders by then.
fn at_work(harness: &Harness, document: &str) -> Child {
    let out = harness.path("out");
    let mut command =
        harness.command(&["render", document, "--out", out.to_str().unwrap(), "--quality", "draft", "--again"]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("scenes narrated") {
        assert!(progress.read_line(&mut line).unwrap() > 0, "{line}");
    }
    // It goes on writing into a pipe that is read.
    std::thread::spawn(move || std::io::copy(&mut progress, &mut std::io::sink()));
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

fn folders(harness: &Harness) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        std::fs::read_dir(harness.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn folders_of_dead_processes_alone_are_removed() {
    users().into_iter().for_each(sweeps);
}

fn sweeps(user: Option<u32>) {
    let harness = Harness::of(user);
    let document = harness
        .document("small.md", format!("{SMALL}{}", "\n## More\n\nMore to say, and to draw.\n\n- more\n".repeat(6)));
    let mut killed = at_work(&harness, &document);
    send(&killed, Signal::SIGKILL);
    killed.wait().unwrap();
    let left = folders(&harness);
    assert!(!left.is_empty(), "a process that is killed leaves its folder");
    // Of another program, with a name like ours.
    let others = harness.path("tmp/chalkreel-notes");
    std::fs::create_dir(&others).unwrap();

    let mut alive = at_work(&harness, &document);
    let start = Instant::now();
    while left.iter().any(|folder| folder.exists()) {
        assert!(start.elapsed() < Duration::from_secs(10), "{left:?} is not swept");
        std::thread::sleep(Duration::from_millis(20));
    }
    let held = folders(&harness);
    assert!(held.len() == 2 && held.contains(&others), "{held:?}");
    // A third one leaves the second one's alone.
    let other = harness.document("other.md", SMALL.replace("Nine", "Sixteen"));
    let out = harness.path("out-of-the-third");
    let made =
        harness.command(&["render", &other, "--out", out.to_str().unwrap(), "--quality", "draft"]).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(alive.wait().unwrap().success(), "the second one goes on undisturbed");
    assert_eq!(folders(&harness), [others]);
}

#[test]
fn a_closed_terminal_ends_a_job_in_order() {
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    let mut child = at_work(&harness, &document);
    send(&child, Signal::SIGHUP);
    let told = Instant::now();
    let ended = child.wait().unwrap();
    assert!(told.elapsed() < Duration::from_secs(6), "{:?}", told.elapsed());
    let status: Value = serde_json::from_slice(&std::fs::read(harness.path("out/status.json")).unwrap()).unwrap();
    // A signal that came when all was done changes nothing.
    let done = status["state"] == "succeeded" && ended.code() == Some(0);
    assert!(done || (ended.code() == Some(1) && status["error"]["code"] == "job.interrupted"), "{ended}: {status:#}");
    harness.assert_clean();
}

#[test]
fn whoever_ignores_hang_ups_goes_on() {
    let harness = Harness::new();
    let document = harness.document("small.md", SMALL);
    let out = harness.path("out");
    // As `nohup` starts it.
    let mut command = std::process::Command::new("nohup");
    let like = harness.command(&["render", &document, "--out", out.to_str().unwrap(), "--quality", "draft"]);
    command.arg(like.get_program()).args(like.get_args()).env_clear();
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(harness.dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // Which steps it names depends on how quick they are.
    assert!(progress.read_line(&mut line).unwrap() > 0);
    send(&child, Signal::SIGHUP);
    std::io::copy(&mut progress, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    harness.assert_clean();
}

/// A command that makes no film has no status to write, but folders and children like any other.
#[test]
fn a_command_that_is_told_to_stop_leaves_nothing() {
    users().into_iter().for_each(stops);
}

fn stops(user: Option<u32>) {
    let harness = Harness::of(user);
    // A component that takes far longer to compile than the signal takes to come, on a machine with other things to do.
    let long = "local.get 0 i32.mul ".repeat(20_000);
    let functions = format!("(func (param i32) (result i32) local.get 0 {long})").repeat(100);
    let planner = wat::parse_str(format!("(component (core module {functions}))")).unwrap();
    let planner = harness.document("planner.wasm", planner);
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        let mut child = harness.command(&["planner", "check", &planner]).spawn().unwrap();
        let start = Instant::now();
        let compiles = || folders(&harness).iter().any(|folder| folder.join("planner.wasm").exists());
        while !compiles() {
            assert!(start.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none(), "{signal}");
            std::thread::sleep(Duration::from_millis(5));
        }
        send(&child, signal);
        let told = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {output:?}");
        assert!(told.elapsed() < Duration::from_secs(3), "{signal}: {:?}", told.elapsed());
        harness.assert_clean();
    }
    // These may be done before the signal comes.
    let document = harness.document("small.md", SMALL);
    let plan = ["plan", document.as_str()];
    for words in [&["doctor"][..], &plan[..]] {
        for signal in [Signal::SIGHUP, Signal::SIGTERM] {
            let child = harness.command(words).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(30));
            send(&child, signal);
            let ended = child.wait_with_output().unwrap().status;
            assert!(
                matches!(ended.code(), Some(0 | 130)) || ended.signal() == Some(signal as i32),
                "{words:?}: {ended}"
            );
            harness.assert_clean();
        }
    }
}
