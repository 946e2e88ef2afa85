//! A root that has what Lambda's has, or less: glibc 2.31, a shell, the layers at /opt, the function, a user who may nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::rig::{repository, tool};

/// The C library, and nothing that is not part of it. provided.al2023 has bash as its /bin/sh.
const SYSTEM: &[&str] = &[
    "lib/x86_64-linux-gnu/libc.so.6",
    "lib/x86_64-linux-gnu/libm.so.6",
    "lib/x86_64-linux-gnu/libdl.so.2",
    "lib/x86_64-linux-gnu/librt.so.1",
    "lib/x86_64-linux-gnu/libutil.so.1",
    "lib/x86_64-linux-gnu/libpthread.so.0",
    "lib/x86_64-linux-gnu/libresolv.so.2",
    "lib/x86_64-linux-gnu/libnss_files.so.2",
    "lib/x86_64-linux-gnu/libnss_dns.so.2",
    "bin/sh",
];

/// What Lambda sets. Children get none of it.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
    ("LAMBDA_TASK_ROOT", "/var/task"),
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
];

pub struct Bare {
    dir: TempDir,
}

impl Bare {
    /// With the three layers laid over each other, as Lambda does it.
    pub fn new() -> Self {
        let built = repository().join("target/lambda");
        assert!(built.join("function/bootstrap").is_file(), "nothing is built: run make layers");
        // AssetBase them, so that links will do.
        let dir = tempfile::tempdir_in(&built).unwrap();
        for folder in ["opt", "tmp", "etc"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for layer in ["manim", "ffmpeg", "voice"] {
            let from = built.join("layers").join(layer).join(".");
            let copied =
                Command::new("cp").args(["--recursive", "--link"]).arg(from).arg(dir.path().join("opt")).status();
            assert!(copied.unwrap().success(), "{layer}");
        }
        let user = "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n";
        std::fs::write(dir.path().join("etc/passwd"), user).unwrap();
        Self { dir }
    }

    /// Its /tmp, from outside.
    pub fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.path().join("emulator.log")
    }

    /// The sandbox, up to the program that runs in it.
    fn sandbox(&self, settings: &[(&str, String)]) -> Command {
        let (built, root) = (repository().join("target/lambda"), "build/root");
        let mut command = Command::new("bwrap");
        command.args(["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]);
        command.args(["--uid", "993", "--gid", "990", "--clearenv", "--chdir", "/var/task"]);
        // Debian 11 has it as a link to an absolute path, which is another file outside of its root.
        let loader = built.join(root).join("lib/x86_64-linux-gnu/ld-2.31.so");
        command.arg("--ro-bind").arg(loader).arg("/lib64/ld-linux-x86-64.so.2");
        for file in SYSTEM {
            command.arg("--ro-bind").arg(built.join(root).join(file)).arg(Path::new("/").join(file));
        }
        let mut bind = |how: &str, from: PathBuf, to: &str| {
            command.arg(how).arg(from).arg(to);
        };
        bind("--ro-bind", self.dir.path().join("opt"), "/opt");
        bind("--ro-bind", self.dir.path().join("etc"), "/etc");
        bind("--bind", self.tmp(), "/tmp");
        bind("--ro-bind", built.join("function"), "/var/task");
        bind("--ro-bind", tool("aws-lambda-rie"), "/rie");
        bind("--ro-bind", repository().join("tests"), "/tests");
        for device in ["null", "zero", "random", "urandom"] {
            let device = format!("/dev/{device}");
            bind("--dev-bind", device.clone().into(), &device);
        }
        command.args(["--dir", "/usr", "--proc", "/proc", "--remount-ro", "/"]);
        let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in ENVIRONMENT.iter().copied().chain(settings) {
            command.args(["--setenv", name, value]);
        }
        command
    }

    /// A program of the layers.
    pub fn run(&self, program: &str) -> Command {
        let mut command = self.sandbox(&[]);
        command.arg(program);
        command
    }

    /// A line of shell.
    pub fn shell(&self, line: &str) -> Command {
        let mut command = self.run("/bin/sh");
        command.args(["-c", line]);
        command
    }

    /// AWS's Runtime Interface Emulator, with the settings of the template.
    pub fn emulator(&self, timeout: u32, store: &[(&str, String)]) -> Command {
        let template = [
            ("LAYERS_DIR", "/opt".to_owned()),
            ("VOICE_CHAIN", "espeak-ng".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", "chalkreel".to_owned()),
            ("AWS_LAMBDA_FUNCTION_TIMEOUT", timeout.to_string()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3008".to_owned()),
        ];
        let settings: Vec<_> = template.into_iter().chain(store.iter().cloned()).collect();
        let mut command = self.sandbox(&settings);
        command.arg("/rie");
        command
    }
}
