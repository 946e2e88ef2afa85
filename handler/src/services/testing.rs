//! Services for unit tests: a store of their own, silence for a voice, and layers in which no program can be started.

use std::time::Duration;

use jiff::Timestamp;
use storyboard::{Document, Storyboard};
use tempfile::TempDir;

use super::Services;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::job::log::JobLogs;
use crate::job::{Again, Claim, JobId, Lease, Terms, Worker};
use crate::plan::Limits;
use crate::store::{Embedded, Store};

/// Longer than any test takes.
pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// The job of these tests.
pub(crate) fn job() -> JobId {
    "0123456789abcdef01234567".parse().unwrap()
}

/// The services, and what they stand on.
pub(crate) struct Rig {
    pub(crate) services: Services,
    _server: Embedded,
    _dir: TempDir,
}

impl Rig {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layers = dir.path().join("layers");
        std::fs::create_dir_all(layers.join("bin")).unwrap();
        // Files, but no programs.
        for name in ["chalkreel-stage", "ffmpeg"] {
            std::fs::write(layers.join("bin").join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        let folder = dir.path().to_owned();
        let config = Config::from_lookup(|name| {
            let value = match name {
                "LAYERS_DIR" => layers.display().to_string(),
                "TMPDIR" => folder.join("tmp").display().to_string(),
                "VOICE_CHAIN" => "silent".to_owned(),
                "LEASE_TIMEOUT" => "3".to_owned(),
                _ => return None,
            };
            Some(value)
        });
        let server = Embedded::start(&dir.path().join("store")).await.unwrap();
        server.create_bucket("films").unwrap();
        let store = Store::connect(&server.endpoint(), "films").await;
        let services = Services::open(config.unwrap(), store, JobLogs::default()).unwrap();
        Self { services, _server: server, _dir: dir }
    }

    /// The job, claimed.
    pub(crate) async fn claim(&self) -> Lease {
        let timeout = self.services.config.lease_timeout;
        let terms = Terms { worker: Worker::Alone, again: Again::Failed, timeout, ends: Timestamp::now() };
        match Lease::claim(&self.services.store, &job(), terms, soon()).await.unwrap() {
            Claim::Mine(lease) => lease,
            other => panic!("{other:?}"),
        }
    }

    /// What the built-in planner makes of a lesson.
    pub(crate) async fn plan(&self, lesson: &str) -> Storyboard {
        let document = Document { name: "lesson.md".to_owned(), bytes: lesson.as_bytes().to_vec() };
        self.services.sandbox.plan(document, &Limits::default(), soon()).await.unwrap().storyboard
    }
}
