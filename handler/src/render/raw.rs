//! Scenes of somebody's own Manim program: drawn by a process tree of their own, never by the warm stage, since a program may
//! do to its process whatever it likes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use storyboard::ManimScene;

use super::bounds::Bounds;
use super::protocol::{self, FailedKind, MESSAGE, Reply, TRACE, plain, report_of_program};
use super::verify::{self, Decoder};
use super::{ClipReport, SceneOrder, StageError};
use crate::child::{self, Author, Confinement, Ending, Limits, Mode, Outcome, Spec};
use crate::config::{Config, ManimSource};
use crate::deadline::Deadline;
use crate::layers::Layers;
use crate::scratch::Scratch;
use crate::untrusted_file::{Unfit, UntrustedFolder};

/// Where a TeX keeps the formats that it was set up with; all else of it lies under /usr and /etc.
const TEX: &str = "/var/lib/texmf";

/// The name of the clip in the program's folder.
const CLIP: &str = "clip.mp4";

/// Runs `chalkreel-raw`.
#[derive(Debug, Clone)]
pub struct Raw {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    allowed: ManimSource,
    timeout: Duration,
    stall: Duration,
    seccomp: OnceLock<bool>,
    decoder: Decoder,
}

impl Raw {
    /// The one of these layers.
    pub fn new(layers: &Layers, config: &Config) -> Self {
        Self {
            program: layers.program("chalkreel-raw"),
            read: layers.read().iter().cloned().chain([TEX.into()]).collect(),
            confinement: config.confinement,
            allowed: config.manim_source,
            timeout: config.manim_timeout,
            stall: config.stall_timeout,
            seccomp: OnceLock::new(),
            decoder: Decoder::new(layers, config),
        }
    }

    /// Draws the class `scene` in a folder of its own, and leaves its clip at `to` once it was checked and decoded.
    ///
    /// # Errors
    /// [`StageError`]; whatever it is, nothing of the program runs on afterwards.
    pub async fn draw(
        &self,
        order: SceneOrder<'_>,
        scene: &ManimScene,
        to: &Path,
        deadline: Deadline,
    ) -> Result<ClipReport, StageError> {
        if let Some(why) = self.refuses() {
            return Err(StageError::Refused(why));
        }
        let could_not = |error: std::io::Error| StageError::CouldNotStart(error.to_string());
        // The program may write here and nowhere else: not over the clips of other scenes.
        let folder = Scratch::under(to.parent().unwrap_or(Path::new("."))).map_err(could_not)?;
        // It is emptied behind everybody's back, whatever comes of the scene.
        let folder = Behind(Some(folder));
        let folder = folder.path();
        let left = UntrustedFolder::open(folder).map_err(could_not)?;
        let bounds = Bounds::of(folder);
        let (source, clip) = (folder.join("scene.py"), folder.join(CLIP));
        tokio::fs::write(&source, &scene.source).await.map_err(could_not)?;
        let mut spec = Spec::new(&self.program, folder);
        spec.args = arguments(order, &source, &scene.class, &clip);
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), folder.into()),
            ("TMPDIR".into(), folder.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        spec.author = Author::Somebody;
        // At 4k one scene takes 3 GB of address space.
        spec.limits = Limits { file_size: Some(bounds.bytes), ..Limits::gibibytes(8, 16) };
        // It has nothing to put in order, and may go on filling the disk meanwhile.
        spec.grace = Duration::ZERO;
        let write = vec![folder.to_owned()];
        let mode = if self.allowed == ManimSource::Confined {
            self.confinement.max(Mode::BestEffort)
        } else {
            self.confinement
        };
        spec.confinement = Confinement { read: self.read.clone(), write, mode };
        let deadline = deadline.slice(self.timeout);
        let allowed = deadline.left().as_secs_f64();
        let (mut drawn, promised) = (0, order.beats.iter().sum::<u64>());
        let news = |line: &str| match serde_json::from_str(line) {
            Ok(Reply::Frames { frames, .. }) if frames > drawn && frames <= promised => {
                drawn = frames;
                true
            }
            _ => false,
        };
        let outcome = tokio::select! {
            outcome = child::watched(spec, self.stall, deadline, news) => outcome,
            // The child is ended as nobody waits for it any more.
            why = bounds.exceeded(folder) => return Err(StageError::TooMuch(why)),
        };
        // What it left since the last look.
        let path = folder.to_owned();
        let looked = tokio::task::spawn_blocking(move || bounds.look(&path)).await;
        if let Ok(Some(why)) = looked {
            return Err(StageError::TooMuch(why));
        }
        let warnings = told(outcome.ok_or(StageError::Stalled(self.stall.as_secs_f64()))?, allowed)?;
        verify::take(left, CLIP.to_owned(), order, to).await?;
        if let Err(error) = self.decoder.decode(to, order, deadline).await {
            // Whoever is asked for the clip later must not find it.
            tokio::fs::remove_file(to).await.map_err(Unfit::Io)?;
            return Err(error);
        }
        Ok(report_of_program(order.beats, warnings))
    }

    /// Looked up once: it takes a child that confines itself and runs nothing.
    fn can_confine(&self) -> bool {
        *self.seccomp.get_or_init(|| tokio::task::block_in_place(|| child::probe().seccomp))
    }

    /// Why programs are not run here; none when they are.
    fn refuses(&self) -> Option<&'static str> {
        match self.allowed {
            ManimSource::Deny => Some("MANIM_SOURCE=deny: Manim programs are not run here"),
            // Without the filter a program could speak to the network with whatever it finds.
            ManimSource::Confined if !self.can_confine() => {
                Some("this kernel can't confine a Manim program; MANIM_SOURCE=allow runs it nevertheless")
            }
            ManimSource::Confined | ManimSource::Allow => None,
        }
    }
}

/// The program's folder, which may take long to remove.
struct Behind(Option<Scratch>);

impl Behind {
    fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new("/"), Scratch::path)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        if let Some(folder) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(folder.clear());
        }
    }
}

fn arguments(order: SceneOrder<'_>, source: &Path, class: &str, out: &Path) -> Vec<OsString> {
    let (width, height) = order.quality.size();
    let frames: Vec<String> = order.beats.iter().map(u64::to_string).collect();
    let pairs: [(&str, OsString); 8] = [
        ("--source", source.into()),
        ("--class", class.into()),
        ("--out", out.into()),
        ("--width", width.to_string().into()),
        ("--height", height.to_string().into()),
        ("--fps", order.quality.fps().to_string().into()),
        ("--frames", frames.join(",").into()),
        ("--theme", order.film.theme.clone().into()),
    ];
    pairs.into_iter().flat_map(|(name, value)| [name.into(), value]).collect()
}

/// What it said last decides, and gives its warnings: a program may also leave with any exit code it likes.
fn told(outcome: Outcome, allowed: f64) -> Result<Vec<String>, StageError> {
    let said = outcome.stdout.text_lossy();
    let last = said.lines().rev().find_map(|line| serde_json::from_str::<Reply>(line).ok());
    let words = || {
        let words = outcome.stderr.text_lossy();
        let last: Vec<&str> = words.lines().rev().take(3).collect();
        plain(&last.into_iter().rev().collect::<Vec<_>>().join(" / "), MESSAGE)
    };
    let ran_out = || outcome.too_much_memory || protocol::ran_out(&outcome.stderr.text_lossy());
    match (&outcome.ending, last) {
        (Ending::Exited(0), Some(Reply::Done { warnings, .. })) => Ok(warnings),
        // Its last line is cut; what it left will show whether it was done.
        (Ending::Exited(0), _) if outcome.stdout.dropped > 0 => Ok(vec!["more than can be told".to_owned()]),
        (Ending::Exited(_), Some(Reply::Failed { kind: FailedKind::Memory, message, .. })) => {
            Err(StageError::OutOfMemory(plain(&message, MESSAGE)))
        }
        (Ending::Exited(_), Some(Reply::Failed { kind: FailedKind::Error, message, trace, .. })) => {
            Err(StageError::Failed { message: plain(&message, MESSAGE), trace: plain(&trace, TRACE) })
        }
        (Ending::TimedOut | Ending::Ended, _) => Err(StageError::TimedOut(allowed)),
        (Ending::CouldNotStart(error), _) => Err(StageError::CouldNotStart(error.to_string())),
        (Ending::Signalled(_) | Ending::Exited(1..), _) if ran_out() => Err(StageError::OutOfMemory(words())),
        (ending, _) => Err(StageError::Crashed(format!("{ending}: {}", words()))),
    }
}
