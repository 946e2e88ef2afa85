//! Servers that a test starts: own log, own end.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use handler::store::Endpoint;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A free port of loopback.
pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Asks again and again, until `ready` or `limit` has passed; whether it became ready.
fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if ready() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server and whatever it starts. What is still running when it is dropped is killed.
pub struct Server {
    child: Child,
    log: PathBuf,
}

/// One process for the whole of its life: ids come back, but not with the same start.
#[derive(Clone)]
struct Running {
    pid: i32,
    parent: i32,
    start: u64,
    name: String,
}

impl Server {
    /// Starts it and waits until `address` takes connections.
    pub fn start(command: &mut Command, log: &Path, address: SocketAddr) -> Self {
        let output = File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        let mut server = Self { child, log: log.to_owned() };
        let listens = wait_until(Duration::from_secs(20), || {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", server.log());
            TcpStream::connect(address).is_ok()
        });
        assert!(listens, "nothing listens on {address}:\n{}", server.log());
        server
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its S3 interface, as it has printed it for any client.
    pub fn s3(&self) -> Endpoint {
        let log = self.log();
        let after = |mark: &str| log.split_once(mark).unwrap().1.split([' ', ',', '\n']).next().unwrap().to_owned();
        Endpoint {
            url: Some(after("S3 at ")),
            region: Some("us-east-1".to_owned()),
            credentials: Some((after("AWS_ACCESS_KEY_ID="), after("AWS_SECRET_ACCESS_KEY="))),
            path_style: true,
        }
    }

    /// Itself and all that descend from it.
    fn processes(&self) -> Vec<Running> {
        let all = running();
        let root = i32::try_from(self.child.id()).unwrap();
        let mut family: Vec<Running> = all.iter().filter(|one| one.pid == root).cloned().collect();
        let mut next = 0;
        while let Some(parent) = family.get(next).map(|one| one.pid) {
            family.extend(all.iter().filter(|one| one.parent == parent).cloned());
            next += 1;
        }
        family
    }

    /// Kills those of its processes that have this name, and says how many.
    pub fn kill(&self, name: &str) -> usize {
        let named: Vec<_> = self.processes().into_iter().filter(|one| one.name == name).collect();
        named.iter().filter(|one| kill(Pid::from_raw(one.pid), Signal::SIGKILL).is_ok()).count()
    }

    /// Tells it to end; gives the names of processes that were still there ten seconds later, and kills those.
    pub fn stop(&mut self) -> Vec<String> {
        let family = self.processes();
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
        let left = || {
            let now = running();
            let alive = |one: &&Running| now.iter().any(|other| other.pid == one.pid && other.start == one.start);
            family.iter().filter(alive).cloned().collect::<Vec<_>>()
        };
        wait_until(Duration::from_secs(10), || {
            let _ = self.child.try_wait();
            left().is_empty()
        });
        let survivors = left();
        for survivor in &survivors {
            let _ = kill(Pid::from_raw(survivor.pid), Signal::SIGKILL);
        }
        let _ = self.child.wait();
        survivors.into_iter().map(|one| one.name).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
        if std::thread::panicking() {
            eprintln!("---- {}\n{}", self.log.display(), self.log());
        }
    }
}

/// Every process that is not a zombie.
fn running() -> Vec<Running> {
    let numbered = std::fs::read_dir("/proc").unwrap().flatten();
    numbered
        .filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // `pid (name) state parent …`; the name may have blanks and brackets of its own.
            let (pid, rest) = stat.split_once(" (")?;
            let (name, rest) = rest.rsplit_once(") ")?;
            let fields: Vec<&str> = rest.split(' ').collect();
            (fields[0] != "Z").then_some(Running {
                pid: pid.parse().ok()?,
                parent: fields[1].parse().ok()?,
                start: fields[19].parse().ok()?,
                name: name.to_owned(),
            })
        })
        .collect()
}
