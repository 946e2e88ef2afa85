//! How commands end when their output is not read or can't be written; and their messages about invalid settings and files.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Output, Stdio};

use crate::harness::{Harness, SMALL, users};

/// A lesson of which `plan` has more to say than a pipe holds.
fn long() -> String {
    let scene = |number: usize| {
        format!("\n## Scene {number}\n\nWords that are spoken in scene {number}.\n\n- shown {number}\n")
    };
    format!("# Long\n{}", (0..200).map(scene).collect::<String>())
}

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe whose reading end is closed.
fn broken() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_no_panic(what: &str, text: &str) {
    for mark in ["panicked", "stack backtrace", "RUST_BACKTRACE", "src/"] {
        assert!(!text.contains(mark), "{what}: {text}");
    }
}

/// Commands whose work is what they say, with the code that they end with.
fn speakers(harness: &Harness) -> Vec<(Vec<String>, i32)> {
    let (lesson, long) = (harness.document("small.md", SMALL), harness.document("long.md", long()));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    vec![
        (words(&["doctor"]), 0),
        (words(&["doctor", "--json"]), 0),
        (words(&["plan", &lesson]), 0),
        (words(&["plan", &long]), 0),
        (words(&["plan", &long, "--json"]), 0),
        (words(&["--help"]), 0),
        (words(&["help", "serve"]), 0),
        (words(&["render", "--help"]), 0),
        (words(&["--version"]), 0),
    ]
}

fn command(harness: &Harness, words: &[String]) -> Command {
    harness.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    for user in users() {
        let harness = Harness::of(user);
        for (words, code) in speakers(&harness) {
            // One that reads a line and leaves, and one that never read.
            let mut child = command(&harness, &words).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.status.code(), said(&output).as_str()), (Some(code), ""), "{words:?} | head -1");
            let output = command(&harness, &words).stdout(broken()).output().unwrap();
            assert_eq!((output.status.code(), said(&output).as_str()), (Some(code), ""), "{words:?} | true");
        }
    }
}

#[test]
fn a_result_that_can_not_be_printed_is_reported() {
    for user in users() {
        let harness = Harness::of(user);
        for (words, _) in speakers(&harness) {
            let output = command(&harness, &words).stdout(full()).output().unwrap();
            let told = said(&output);
            assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{words:?} > /dev/full: {told}");
            assert!(told.contains("standard output") && told.contains("No space left"), "{told}");
        }
    }
}

#[test]
fn a_failing_standard_error_changes_nothing_else() {
    for user in users() {
        let harness = Harness::of(user);
        let (lesson, none) = (harness.document("small.md", SMALL), harness.path("none.md").display().to_string());
        for (words, code) in [
            (vec!["plan", &lesson], 0),
            (vec!["plan", &none], 1),
            (vec!["plan"], 2),
            (vec!["nothing"], 2),
            (vec!["render", &none], 1),
            (vec!["cancel", "0123456789abcdef01234567"], 1),
        ] {
            for stderr in [broken(), full().into()] {
                let output = harness.command(&words).stderr(stderr).output().unwrap();
                assert_eq!(output.status.code(), Some(code), "{words:?}");
            }
            let output = harness.command(&words).stdout(broken()).stderr(broken()).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{words:?}");
        }
        // An invalid setting, with standard error closed.
        let output = harness.command(&["doctor"]).env("JOB_TIMEOUT", "soon").stderr(broken()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_finished_film_is_reported_even_when_its_reader_has_gone() {
    for user in users() {
        let harness = Harness::of(user);
        let document = harness.document("small.md", SMALL);
        let ways: [(&str, Stdio, Stdio); 4] = [
            ("closed pipes", broken(), broken()),
            ("a full disk", full().into(), full().into()),
            ("a full disk, and somebody who reads", full().into(), Stdio::piped()),
            ("a closed pipe, and somebody who reads", broken(), Stdio::piped()),
        ];
        for (what, stdout, stderr) in ways {
            let mut streams = Some((stdout, stderr));
            let made = harness.render_under(&document, &[], |command| {
                let (stdout, stderr) = streams.take().unwrap();
                command.stdout(stdout).stderr(stderr);
            });
            assert_eq!((made.code(), &made.status()["state"]), (0, &"succeeded".into()), "{what}: {}", made.words());
            assert_no_panic(what, &made.words());
            harness.assert_told(&made);
            harness.assert_clean();
        }
    }
}

#[test]
fn an_invalid_setting_is_named_and_ends_the_command() {
    for user in users() {
        let harness = Harness::of(user);
        let text = |text: &str| std::ffi::OsString::from(text);
        let stray = |text: &str| std::ffi::OsString::from_vec([text.as_bytes(), b"\xff"].concat());
        for (name, value, told) in [
            ("MANIM_SOURCE", stray("deny"), "UTF-8"),
            ("CONFINEMENT", stray("require"), "UTF-8"),
            ("CHALKREEL_HTTP_TOKEN", stray("0123456789abcdef0123456789abcdef"), "UTF-8"),
            ("CHALKREEL_LOG", stray("info"), "UTF-8"),
            ("TMPDIR", stray("/tmp/"), "UTF-8"),
            ("HOME", stray("/home/"), "UTF-8"),
            ("CHALKREEL_LOG", text("loud"), "debug"),
            ("CHALKREEL_LOG", text("handler=loud"), "debug"),
            ("MANIM_SOURCE", text("never"), "deny"),
            ("CHALKREEL_S3_ENDPOINT", text("localhost:9000"), "http://"),
            ("CHALKREEL_BUCKET", text("My Films"), "lower-case"),
        ] {
            let output = harness.command(&["doctor"]).env(name, &value).output().unwrap();
            let said = said(&output);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}={value:?}: {said}");
            assert!(
                said.contains(name) && said.contains(told) && said.lines().count() == 1,
                "{name}={value:?}: {said}"
            );
        }
        // A misspelt name only gives a warning: another program may use it.
        let output = harness.command(&["--version"]).env("CHALKREEL_JOB", "2").output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let output = harness
            .command(&["plan", &harness.document("small.md", SMALL)])
            .env("CHALKREEL_JOB", "2")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(
            said(&output).contains("CHALKREEL_JOB is not a setting; did you mean CHALKREEL_JOBS?"),
            "{}",
            said(&output)
        );
    }
}

/// Arguments, variables of the environment, and what is said of them.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str, &'a str);

/// For users without AWS: remedies must not speak of buckets.
#[test]
fn remedies_of_the_command_line_do_not_speak_of_aws() {
    for user in users() {
        let harness = Harness::of(user);
        let lesson = harness.document("small.md", SMALL);
        let file = harness.document("file", "");
        let none = harness.path("none.md").display().to_string();
        let inside = format!("{file}/store");
        let out = format!("{file}/out");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let own: &[(&str, &str)] = &[("CHALKREEL_STORE_DIR", &inside)];
        let cases: &[Case<'_>] = &[
            (&["plan", &none], &[], "input.not_found", "path"),
            (&["render", &none], &[], "input.not_found", "path"),
            (&["render", "/"], &[], "input.not_found", "path"),
            (&["planner", "check", &none], &[], "input.not_found", "path"),
            (&["render", &lesson, "--planner", &none], &[], "input.not_found", "path"),
            (&["render", &lesson, "--out", &out], &[], "store.file", "--out"),
            (&["render", &lesson], own, "store.file", "CHALKREEL_STORE_DIR"),
            (&["cancel", "0123456789abcdef01234567"], &[], "job.not_found", "CHALKREEL_STORE_DIR"),
            (&["serve", "--listen", &address], &[], "http.bad_request", "--listen"),
            (&["serve", "--listen", "0.0.0.0:0"], &[], "http.unauthorized", "CHALKREEL_HTTP_TOKEN"),
        ];
        for (words, settings, code, remedy) in cases {
            let mut command = harness.command(words);
            let output = command.envs(settings.iter().copied()).output().unwrap();
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
            let (message, told) =
                said.rsplit_once('\n').map_or(("", ""), |(lines, _)| lines.rsplit_once('\n').unwrap_or(("", lines)));
            assert!(message.contains(code) && told.contains(remedy), "{words:?}: {said}");
            for wrong in ["bucket", "lifecycle", "TMPDIR", "openapi"] {
                assert!(!told.contains(wrong), "{words:?}: {told}");
            }
        }
    }
}
