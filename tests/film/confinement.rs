//! What a Manim program can do beyond drawing, tried by one through the real binary: as root, and as an unprivileged user.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use nix::unistd::geteuid;
use serde_json::json;

use crate::harness::{Harness, REPOSITORY, users};

/// All that a program may do of what `probe.py` tries, besides its work. Names, sizes and times of files can be seen
/// (Landlock has no right for that), and whether a process is there.
const ALLOWED: &[&str] = &["see-/root", "see-/etc/shadow", "see-/proc/1", "see-outside"];

/// As root where these tests are root, and as an unprivileged user.
fn as_both(run: impl Fn(Harness)) {
    users().into_iter().for_each(|user| run(Harness::of(user)));
}

fn program(name: &str) -> String {
    let path = Path::new(REPOSITORY).join("tests/fixtures/programs").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_confined_program_can_do_what_is_allowed_and_nothing_else() {
    as_both(|harness| {
        let outside = harness.path("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("file"), "secret").unwrap();
        std::os::unix::fs::symlink("file", outside.join("link")).unwrap();
        let _stream = UnixListener::bind(outside.join("stream")).unwrap();
        let _datagrams = UnixDatagram::bind(outside.join("datagrams")).unwrap();
        nix::unistd::mkfifo(&outside.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let all = [
            outside.clone(),
            outside.join("file"),
            outside.join("stream"),
            outside.join("datagrams"),
            outside.join("fifo"),
        ];
        for path in all {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        let made = harness.render(&harness.document("probe.py", program("probe.py")), &[]);
        let status = made.status();
        let said = status["scenes"][0]["replaced"].as_str().unwrap_or_default().to_owned();
        let (tried, found) = said
            .split_once("tried ")
            .and_then(|(_, said)| said.split_once(": "))
            .unwrap_or_else(|| panic!("{said}\n{}", made.words()));
        assert!(tried.parse::<u32>().unwrap() > 150, "{tried} actions were tried");
        let found: Vec<&str> = found.split(" (in `").next().unwrap().split_whitespace().collect();
        let (work, reached): (Vec<&str>, Vec<&str>) = found.iter().partition(|action| action.starts_with("work-"));
        let must: Vec<String> = program("probe.py")
            .lines()
            .filter_map(|line| {
                line.strip_prefix("def work_")?.split('(').next().map(|name| format!("work-{}", name.replace('_', "-")))
            })
            .collect();
        assert_eq!(work, must, "what must work");
        let landlock = !status["confinement"]["landlock"].is_null();
        assert!(landlock, "this kernel has no Landlock: {}", status["confinement"]);
        assert_eq!(reached, ALLOWED, "as user {:?}", harness.user);
        assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "secret");
        harness.assert_clean();
    });
}

#[test]
fn a_scene_that_uses_too_much_memory_fails_alone() {
    let alone = |lines: &str| {
        format!(
            "from manim import *\n\n\nclass Only(Scene):\n    \"\"\"Some words.\"\"\"\n\n    def construct(self):\n{lines}"
        )
    };
    let documents = [
        ("at-once.py", alone("        bytearray(1 << 40)\n")),
        ("slowly.py", alone("        had = []\n        while True:\n            had.append(bytearray(1 << 20))\n")),
        (
            "many.py",
            alone(
                "        import os, time\n        for _ in range(7):\n            os.fork()\n        had = bytearray(b'x') * (60 << 20)\n        time.sleep(600)\n",
            ),
        ),
    ];
    let cases = users().into_iter().flat_map(|user| documents.iter().map(move |document| (user, document)));
    for (user, (name, document)) in cases {
        // As a function with 2 GiB.
        let harness = Harness::of(user).set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048").set("JOB_TIMEOUT", "120");
        let made = harness.render(&harness.document(name, document), &[]);
        let status = made.status();
        assert_eq!(made.code(), 3, "{name}: {status:#}\n{}", made.words());
        let scenes = status["scenes"].as_array().unwrap();
        let replaced = scenes.last().unwrap()["replaced"].as_str().unwrap_or_default();
        assert!(replaced.starts_with("render.out_of_memory"), "{name}: {replaced}");
        assert!(scenes[..scenes.len() - 1].iter().all(|scene| scene["state"] == "rendered"), "{name}: {status:#}");
        harness.assert_told(&made);
        harness.assert_clean();
    }
}

/// What people's programs do in their own folder with modes and times, which the filter refuses.
#[test]
fn a_program_can_copy_and_unpack_files_in_its_own_folder() {
    as_both(|harness| {
        let made = harness.render(&harness.document("copies.py", program("copies.py")), &[]);
        assert_eq!(made.code(), 0, "as {:?}: {:#}\n{}", harness.user, made.status(), made.words());
        harness.assert_clean();
    });
}

#[test]
fn required_confinement_is_complete_or_names_the_missing_part() {
    as_both(|harness| {
        let harness = harness.set("CONFINEMENT", "require");
        let document = harness.document("only.py", program("copies.py"));
        let made = harness.render(&document, &[]);
        assert_eq!(made.code(), 0, "as {:?}: {:#}\n{}", harness.user, made.status(), made.words());
        let confinement = &made.status()["confinement"];
        assert_eq!(confinement["capabilities"], json!([]), "{confinement}");
        assert_eq!(confinement["user"].is_null(), harness.user.is_some() || !geteuid().is_root(), "{confinement}");
        // Where only root may go, a capability is left to root's children.
        if harness.user.is_none() && geteuid().is_root() {
            std::fs::set_permissions(harness.dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
            // Another document, or the film of the first one would be taken.
            let other = harness.document("other.py", program("copies.py") + "\n# other\n");
            let made = harness.render(&other, &[]);
            let status = made.status();
            assert_eq!(made.code(), 0, "{status:#}\n{}", made.words());
            assert_eq!(status["confinement"]["capabilities"], json!(["dac_read_search"]), "{status:#}");
            assert_eq!(status["confinement"]["capabilities_dropped"], false, "{status:#}");
        }
    });
}

#[test]
fn doctor_tells_what_is_in_force() {
    as_both(|harness| {
        let ask = |harness: &Harness| {
            let mut command = harness.command(&["doctor", "--json"]);
            serde_json::from_slice::<serde_json::Value>(&command.output().unwrap().stdout).unwrap()
        };
        let told = ask(&harness);
        assert_eq!(told["confinement_missing"], json!([]), "{told:#}");
        assert_eq!(told["confinement"]["sockets_refused"], true, "{told:#}");
    });
}
