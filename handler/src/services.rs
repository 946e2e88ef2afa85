//! The services that all jobs of a process share: settings, store, planner, stage, encoder. Made once for a process.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::assemble::Assembler;
use crate::aws::state_machine::Machine;
use crate::child;
use crate::config::{Config, ManimTex};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::log::JobLogs;
use crate::job::{Lease, Status};
use crate::layers::Layers;
use crate::media::Prober;
use crate::narrate::NeuralVoices;
use crate::plan::Sandbox;
use crate::plan::custom::Planners;
use crate::render::{Cards, Programs, Renderer, Stage};
use crate::scratch::{Scratch, remove_tree};
use crate::store::{Cache, Endpoint, Store};

/// Grace and drain time of a child, and a margin.
const SETTLE: Duration = Duration::from_secs(4);
/// The workers' own folders in the scratch folder.
const STAGE: &str = "stage";
const VOICE: &str = "voice";
/// Time for removing the scratch folder at the end, less than the two seconds by which any deadline may be overrun.
const TIDY: Duration = Duration::from_millis(1_500);

/// A job that this process has claimed.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its status when it was claimed.
    pub status: Status,
    /// Its changes.
    pub changes: watch::Receiver<Status>,
}

/// Everything that jobs share.
#[derive(Debug)]
pub struct Services {
    /// The settings.
    pub config: Config,
    /// The programs.
    pub layers: Layers,
    /// The bucket.
    pub store: Store,
    /// The built-in planner's sandbox.
    pub sandbox: Sandbox,
    /// Planners that a job may name.
    pub planners: Planners,
    /// The voices that run here, and their warm worker.
    pub neural_voices: NeuralVoices,
    /// Stage and clip cache.
    pub renderer: Renderer,
    /// The state machine for films too long for one invocation; none when none is configured.
    pub machine: Option<Machine>,
    /// ffmpeg.
    pub assembler: Assembler,
    /// The logs of running jobs.
    pub logs: JobLogs,
    /// The parent of the jobs' scratch folders; or the error, which each job reports in its status.
    scratch: Result<Scratch, JobError>,
    stop: watch::Sender<bool>,
    busy: watch::Sender<usize>,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Claimed>>>,
}

impl Services {
    /// Opens the services on `store`, and begins to warm up the stage. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the layers are missing, or the planner can't be loaded.
    pub fn open(config: Config, store: Store, logs: JobLogs) -> Result<Self, JobError> {
        let layers = Layers::find(config.layers_dir.as_deref())
            .map_err(|missing| JobError::new(Code::RenderCouldNotStart, missing.to_string()))?;
        let scratch = Scratch::of_process(&config.temp_dir).map_err(|error| {
            JobError::new(
                Code::ScratchFailed,
                format!("can't use the scratch folder {}: {error}", config.temp_dir.display()),
            )
        });
        let scratch = scratch.and_then(|scratch: Scratch| {
            let made = [STAGE, VOICE].iter().try_for_each(|name| std::fs::create_dir(scratch.file(name)));
            made.map(|()| scratch).map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))
        });
        let folder =
            |name: &str| scratch.as_ref().map_or_else(|_| config.temp_dir.clone(), |scratch| scratch.file(name));
        let stage = folder(STAGE);
        let neural_voices = NeuralVoices::new(&layers, &config, &folder(VOICE));
        let stage = Stage::new(&layers, &config, &stage);
        if scratch.is_ok() {
            stage.warm_up();
        }
        let sandbox = Sandbox::new()?;
        let assembler = Assembler::new(&layers, Prober::new(&layers, &config), &config);
        let renderer = Renderer {
            stage,
            programs: Programs::new(&layers, &config),
            cards: Cards::new(&layers, &config),
            cache: Cache::new(store.clone()),
        };
        let planners = Planners::new(&config, &store);
        let machine = Machine::of(&config);
        let (stop, busy) = (watch::Sender::new(false), watch::Sender::new(0));
        Ok(Self {
            config,
            layers,
            store,
            sandbox,
            planners,
            neural_voices,
            renderer,
            machine,
            assembler,
            logs,
            scratch,
            stop,
            busy,
            watchers: Mutex::default(),
        })
    }

    /// A folder for one job.
    ///
    /// # Errors
    /// `scratch.failed`
    pub fn job_scratch(&self) -> Result<Scratch, JobError> {
        let scratch = self.scratch.as_ref().map_err(JobError::clone)?;
        Scratch::under(scratch.path())
            .and_then(Scratch::divide)
            .map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))
    }

    /// The versions of program and tools: others make other films of the same document.
    pub fn recipe(&self) -> String {
        let tex = if self.config.manim_tex == ManimTex::Latex { " latex" } else { "" };
        format!("{} {} {}{tex}", env!("CARGO_PKG_VERSION"), self.sandbox.sha256(), self.layers.versions_sha256())
    }

    /// Hands out the status of each job that is claimed from now on, as it changes.
    pub fn watch(&self) -> mpsc::UnboundedReceiver<Claimed> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// A job was claimed: notifies all watchers.
    pub fn claimed(&self, lease: &Lease) {
        // Watchers that have gone are removed.
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.send(Claimed { status: lease.status(), changes: lease.follow() }).is_ok());
    }

    /// Counts a job as running until it is dropped.
    pub fn busy(&self) -> Busy<'_> {
        self.busy.send_modify(|jobs| *jobs += 1);
        Busy(self)
    }

    /// Waits until no job runs any more, and says whether that came by `deadline`.
    pub async fn idle(&self, deadline: Deadline) -> bool {
        // The sender lives in `self`, so the wait itself can't fail.
        deadline.run(self.busy.subscribe().wait_for(|jobs| *jobs == 0)).await.is_ok()
    }

    /// Tells every job to stop, and to publish its status.
    pub fn interrupt(&self) {
        self.stop.send_replace(true);
    }

    /// Ends once [`Services::interrupt`] was called.
    pub async fn interrupted(&self) {
        // The sender lives in `self`, so this can't fail.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Ends what is still running, and removes the scratch folder: under Lambda the process is killed right after this, without
    /// dropping anything.
    pub async fn close(&self) {
        tokio::join!(self.renderer.stage.stop(), self.neural_voices.stop());
        // Children whose futures were dropped are still being ended.
        if !child::settled(Deadline::after(SETTLE)).await {
            tracing::warn!("a child process could not be ended in time; the kernel ends it with this process");
        }
        child::sweep();
        if let Ok(scratch) = &self.scratch {
            // The next process removes what is left.
            let folder = scratch.path().to_owned();
            let removed = tokio::task::spawn_blocking(move || remove_tree(&folder, Deadline::after(TIDY)));
            if !matches!(removed.await, Ok(Ok(true))) {
                tracing::warn!("can't remove {} in time; the next process removes it", scratch.path().display());
            }
        }
    }
}

/// Counts a job as running.
#[must_use]
#[derive(Debug)]
pub struct Busy<'a>(&'a Services);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.send_modify(|jobs| *jobs -= 1);
    }
}

/// The S3 server that the settings name; none for AWS itself.
pub fn endpoint(config: &Config) -> Option<Endpoint> {
    config.s3_endpoint.clone().map(|url| Endpoint {
        url: Some(url),
        region: config.region.clone(),
        credentials: config.credentials.clone(),
        path_style: true,
    })
}

#[cfg(test)]
pub(crate) mod testing;
