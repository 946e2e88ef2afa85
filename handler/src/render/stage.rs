//! The stage: a warm worker that imported Manim once and draws each scene in a forked child of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{debug, warn};

use super::protocol::{self, FailedKind, Finding, MESSAGE, Reply, Request, TRACE, Wanted, report};
use super::{ClipReport, SceneOrder, verify};
use crate::child::{self, Limits};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::layers::Layers;
use crate::media::mp4::WrongClip;
use crate::untrusted_file::{Unfit, UntrustedFolder};
use crate::untrusted_text::plain;
use crate::worker::{Call, NotReady, Removed, Settings, WarmWorker};

/// How long the worker may take to confirm a cancelled scene before the worker itself is ended: it only has to kill a child.
const CANCEL: Duration = Duration::from_millis(1_500);

/// How a PNG picture begins, and what it has at most beside its pixels.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_HEAD: u64 = 64 << 10;

/// Why a scene was not drawn.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The worker's program did not come up.
    #[error("the stage (Manim worker) could not be started: {0}")]
    CouldNotStart(String),
    /// Manim raised an error.
    #[error("{message}")]
    Failed {
        /// In Manim's words.
        message: String,
        /// The last lines of the traceback, for the log.
        trace: String,
    },
    /// The scene's process, or the worker, died.
    #[error("the process that drew it died: {0}")]
    Crashed(String),
    /// It needed more memory than it may have.
    #[error("drawing it needed more memory than allowed: {0}")]
    OutOfMemory(String),
    /// It took longer than it may.
    #[error("drawing it took longer than {0:.0} s")]
    TimedOut(f64),
    /// It drew no frame for too long.
    #[error("no new frame was drawn for {0:.0} s")]
    Stalled(f64),
    /// The settings forbid it.
    #[error("{0}")]
    Refused(&'static str),
    /// Its clip is missing or invalid.
    #[error("the clip can't be used: {0}")]
    Unfit(#[from] Unfit),
    /// The clip does not have the expected frames.
    #[error("{0}")]
    Wrong(#[from] WrongClip),
    /// Its clip could not be decoded in the time for that, in seconds.
    #[error("decoding its clip took longer than {0:.0} s")]
    SlowClip(f64),
    /// A program filled its folder.
    #[error("{0}")]
    TooMuch(String),
    /// A program started more processes and threads than it may, and was ended for that.
    #[error("it started more processes or threads than it may")]
    TooManyProcesses,
    /// A program ended early.
    #[error("{message}")]
    Program {
        /// What went wrong.
        code: Code,
        /// Its line, and what happened there.
        message: String,
        /// What to do; none for the code's own remedy.
        remedy: Option<String>,
    },
    /// What a program reports of its clip can't be true.
    #[error("the program's report can't be used: {0}")]
    Report(String),
    /// The voice of the film changed while the program ran, or its narration failed.
    #[error("its run was given up")]
    GivenUp,
}

impl StageError {
    /// As the job's error, naming the scene.
    pub fn of_scene(self, scene: &str) -> JobError {
        if let Self::Failed { trace, .. } = &self {
            warn!(scene, trace, "Manim raised an error in the scene");
        }
        let code = match &self {
            Self::CouldNotStart(_) => Code::RenderCouldNotStart,
            Self::Failed { .. } => Code::RenderFailed,
            Self::Crashed(_) => Code::RenderCrashed,
            Self::OutOfMemory(_) => Code::RenderOutOfMemory,
            Self::TimedOut(_) | Self::SlowClip(_) => Code::RenderTimedOut,
            Self::Stalled(_) => Code::RenderStalled,
            Self::Refused(_) => Code::RenderRefused,
            // The disk, not the child: a full one, for example.
            Self::Unfit(Unfit::Io(_)) => Code::ScratchFailed,
            Self::Unfit(_) | Self::Wrong(WrongClip::Form(_)) => Code::RenderWrongClip,
            Self::Wrong(WrongClip::Frames { .. }) => Code::RenderWrongFrames,
            Self::TooMuch(_) => Code::RenderTooManyFiles,
            Self::TooManyProcesses => Code::RenderTooManyProcesses,
            Self::Program { code, .. } => *code,
            Self::Report(_) => Code::ProgramWrongReport,
            Self::GivenUp => Code::VoiceExhausted,
        };
        let error = JobError::new(code, format!("scene {scene}: {self}"));
        match self {
            Self::Program { remedy: Some(remedy), .. } => error.remedy(remedy),
            _ => error,
        }
    }
}

/// The warm worker, shared by clones.
#[derive(Debug, Clone)]
pub struct Stage {
    worker: WarmWorker<Reply>,
    scratch: PathBuf,
    scene_timeout: Duration,
    stall_timeout: Duration,
}

impl Stage {
    /// The stage of these layers. Only the stage writes to the folder `scratch`; it may read the folders next to it, where jobs have their
    /// pictures.
    pub fn new(layers: &Layers, config: &Config, scratch: &Path) -> Self {
        let mut read = layers.read().to_vec();
        read.extend(scratch.parent().map(Path::to_owned));
        let settings = Settings {
            name: "stage",
            program: layers.program("chalkreel-stage"),
            folder: scratch.to_owned(),
            read,
            mode: config.confinement,
            // Each scene has a limit of its own on memory (see `protocol`); this one is for all of them together. And 16 GiB of
            // address space for each: at 4k one scene takes 3 GB of it.
            limits: Limits { memory: Some(child::share_of_memory()), ..Limits::gibibytes(16, 16) },
            lifetime: config.subprocess_timeout,
            cancel: CANCEL,
            cancel_line: |id| Request::Cancel { id }.line(),
            quit_line: || Request::Quit.line(),
        };
        Self {
            worker: WarmWorker::new(settings),
            scratch: scratch.to_owned(),
            scene_timeout: config.manim_timeout,
            stall_timeout: config.stall_timeout,
        }
    }

    /// Starts the worker before the first scene needs it.
    pub fn warm_up(&self) {
        self.worker.warm_up();
    }

    /// Ends the worker, if there is one, and waits until all of it is gone.
    pub async fn stop(&self) {
        self.worker.stop().await;
    }

    /// Draws a scene, and leaves its clip at `to` once it was checked.
    ///
    /// # Errors
    /// [`StageError`]; no process of the scene is left afterwards, and other scenes are not affected.
    pub async fn draw(&self, order: SceneOrder<'_>, to: &Path, deadline: Deadline) -> Result<ClipReport, StageError> {
        let deadline = deadline.slice(self.scene_timeout);
        let allowed = deadline.left().as_secs_f64();
        let mut call = self.call(deadline).await?;
        let name = format!("clip-{}.mp4", call.id());
        let out = Removed(self.scratch.join(&name));
        call.ask(order.request(call.id(), &out.0, allowed, None).line());
        let (report, _) = self.drawn(call, order, deadline).await?;
        let folder = UntrustedFolder::open(&self.scratch).map_err(Unfit::Io)?;
        verify::take(folder, name, order, to, (deadline, allowed)).await?;
        Ok(report)
    }

    /// Draws a scene, and gives the `wanted` frames of it as PNG, and what the audit found. The order's beats are counted at
    /// `wanted.fps`.
    ///
    /// # Errors
    /// As for [`Stage::draw`].
    pub async fn stills(
        &self,
        order: SceneOrder<'_>,
        wanted: Wanted<'_>,
        deadline: Deadline,
    ) -> Result<(Vec<Vec<u8>>, ClipReport, Vec<Finding>), StageError> {
        let deadline = deadline.slice(self.scene_timeout);
        let mut call = self.call(deadline).await?;
        let name = format!("stills-{}", call.id());
        let pictures: Vec<_> = wanted.frames.iter().map(|number| format!("{name}-{number}.png")).collect();
        let _removed: Vec<_> = pictures.iter().map(|picture| Removed(self.scratch.join(picture))).collect();
        let out = self.scratch.join(name);
        call.ask(order.request(call.id(), &out, deadline.left().as_secs_f64(), Some(wanted)).line());
        let (report, findings) = self.drawn(call, order, deadline).await?;
        let folder = UntrustedFolder::open(&self.scratch).map_err(Unfit::Io)?;
        let (width, height) = order.size();
        // What can't be compressed has the size of its pixels.
        let most = PNG_HEAD + u64::from(width) * u64::from(height) * 4;
        let read = tokio::task::spawn_blocking(move || {
            let read = |picture: &String| folder.file(picture, most)?.read();
            pictures.iter().map(read).collect::<Result<Vec<_>, Unfit>>()
        });
        let pictures = read.await.map_err(|panic| StageError::Crashed(panic.to_string()))??;
        if !pictures.iter().all(|picture| picture.starts_with(PNG)) {
            return Err(WrongClip::Form("a still is no PNG picture".to_owned()).into());
        }
        Ok((pictures, report, findings))
    }

    async fn call(&self, deadline: Deadline) -> Result<Call<Reply>, StageError> {
        let allowed = deadline.left().as_secs_f64();
        self.worker.call(deadline).await.map_err(|error| match error {
            NotReady::CouldNotStart(reason) => StageError::CouldNotStart(reason),
            NotReady::TimedOut => StageError::TimedOut(allowed),
        })
    }

    /// Waits until a scene that was asked for is drawn.
    async fn drawn(
        &self,
        mut call: Call<Reply>,
        order: SceneOrder<'_>,
        deadline: Deadline,
    ) -> Result<(ClipReport, Vec<Finding>), StageError> {
        let allowed = deadline.left().as_secs_f64();
        // Only a new frame counts as life: a scene that repeats itself draws nothing either.
        let (mut drawn, mut alive) = (0, Deadline::after(self.stall_timeout));
        let promised: u64 = order.beats.iter().sum();
        loop {
            let reply = match deadline.min(alive).run(call.reply()).await {
                Ok(Some(reply)) => reply,
                Ok(None) => return Err(StageError::Crashed("the worker exited".to_owned())),
                // What comes next has no time to wait until the worker has killed the scene.
                Err(_) if deadline.passed() => return Err(StageError::TimedOut(allowed)),
                Err(_) => {
                    // The next try needs a worker that is well.
                    call.cancel().await;
                    return Err(StageError::Stalled(self.stall_timeout.as_secs_f64()));
                }
            };
            match reply {
                Reply::Done { beats, audit, beat_audits, used, still, findings, warnings, render_s, .. } => {
                    debug!(scene = order.scene.id, render_s, "drawn");
                    let told = report(beats, audit, beat_audits, used, still, warnings);
                    return Ok((told, protocol::findings(findings)));
                }
                Reply::Failed { kind, message, trace, .. } => {
                    return Err(match kind {
                        FailedKind::Error => {
                            StageError::Failed { message: plain(&message, MESSAGE), trace: plain(&trace, TRACE) }
                        }
                        FailedKind::Memory => StageError::OutOfMemory(plain(&message, MESSAGE)),
                        FailedKind::TimedOut => StageError::TimedOut(allowed),
                        FailedKind::Crashed | FailedKind::Cancelled => StageError::Crashed(plain(&message, MESSAGE)),
                    });
                }
                Reply::Frames { frames, .. } if frames > drawn && frames <= promised => {
                    (drawn, alive) = (frames, Deadline::after(self.stall_timeout));
                    debug!(scene = order.scene.id, frames, "drawing");
                }
                Reply::Frames { .. } | Reply::Started { .. } | Reply::Ready { .. } | Reply::Refused { .. } => {}
            }
        }
    }
}
