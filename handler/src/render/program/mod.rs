//! Scenes of Manim programs in documents. A program is played to its end by a process tree of its own, never by the warm stage,
//! since it may do anything to its process. How long it is, which words belong where, and what went wrong is known only afterwards.
//!
//! In: a scene class, and somebody who speaks. Out: a verified clip, and a [`Performance`] that says what is in it.
//!
//! The runner asks over a socket how long words take, and waits; the program's own process can use the same socket. So every line is
//! bounded and checked: frames against the decoded clip, parts against frames, questions against what was really asked.

mod protocol;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use storyboard::ManimScene;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tracing::{debug, warn};

use self::protocol::{Done, Event, Failure, Kind, Request};
use super::folder_limits::FolderLimits;
use super::protocol::{MESSAGE, TRACE, WARNING, ran_out};
use super::verify::{self, Decoder};
use super::{ClipReport, SceneOrder, StageError};
use crate::child::{self, Author, Confinement, Ending, Limits, Mode, Outcome, Running, Spec};
use crate::config::{Config, ManimSource, ManimTex};
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::job::status::Audit;
use crate::layers::Layers;
use crate::media::Still;
use crate::media::mp4::WrongClip;
use crate::scratch::{Scratch, remove_tree};
use crate::untrusted_file::{Unfit, UntrustedFolder};
use crate::untrusted_text::plain;

/// Where TeX keeps its generated formats; its other files are under /usr and /etc.
const TEX: &str = "/var/lib/texmf";

/// The names of the program and of its clip in the program's folder.
const SOURCE: &str = "scene.py";
const CLIP: &str = "clip.mp4";
/// The time between a program's own limit and its end by force, in which the stage finishes the clip of what was drawn.
const FINISH: Duration = Duration::from_secs(10);
/// Most questions of one program, and characters of one; the stage has the same limits.
const QUESTIONS: u32 = 2_000;
const WORDS: usize = 20_000;
/// Most parts of a film, chapters, and captions.
const PARTS: usize = 5_000;
/// Characters of a caption and of a chapter's name.
const CAPTION: usize = 2_000;
const NAME: usize = 200;
/// Most warnings of one program.
const WARNINGS: usize = 100;
/// How long what a dead process has said is read.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long the end of a class's processes, and the removal of its files, may take before its runner is ended instead.
const LEAVING: Duration = Duration::from_secs(5);
/// How long a runner that has played another class may take to begin the next one.
const BEGIN: Duration = Duration::from_secs(20);
/// How long the runner may be silent at its start, while it imports Manim, however short STALL_TIMEOUT is.
const START: Duration = Duration::from_secs(60);

/// Words that a program asks to be spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// 1, 2, …
    pub ask: u32,
    /// What is spoken.
    pub text: String,
    /// Whether the program waits for the end of the words by itself, so that no pause is wanted after them.
    pub is_timed_by_program: bool,
}

/// How long words take.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Seconds, with the pause after them.
    pub seconds: f64,
    /// Where words begin: index of the first character in the text, and seconds.
    pub words: Vec<(usize, f64)>,
}

/// Whoever speaks for a program.
#[async_trait]
pub trait Speaker: Send {
    /// Speaks; none when the run is to be given up.
    async fn say(&mut self, say: Say) -> Option<Said>;
}

/// What a finished program has in its clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Parts, which tile the clip.
    pub parts: Vec<Part>,
    /// Chapters inside of the scene.
    pub chapters: Vec<Chapter>,
    /// Captions that nobody speaks.
    pub captions: Vec<Caption>,
    /// What was measured; none when that was not possible.
    pub audit: Option<Audit>,
    /// Its fullest picture in which nothing moves; none when the program says none.
    #[serde(default)]
    pub still: Option<Still>,
    /// Warnings and findings, with their lines.
    pub warnings: Vec<String>,
    /// Whether words of the document beside the program were not used, since the program has its own.
    pub has_own_words: bool,
    /// What broke the program off, and seconds of film before it. The clip holds those.
    pub broken_off: Option<(JobError, f64)>,
}

/// A part of a performance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Length in frames, at least 1.
    pub frames: u64,
    /// The question whose words are spoken from its first frame on.
    pub ask: Option<u32>,
    /// Its words.
    pub text: String,
    /// What is to be read instead of them.
    pub caption: Option<String>,
}

/// A chapter of a performance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// From the scene's first frame.
    pub first_frame: u64,
    /// Its name.
    pub name: String,
}

/// A caption that is not spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caption {
    /// From the scene's first frame.
    pub first_frame: u64,
    /// Length in frames.
    pub frames: u64,
    /// What is read.
    pub text: String,
}

impl Performance {
    /// Frames of each part.
    pub fn frames(&self) -> Vec<u64> {
        self.parts.iter().map(|part| part.frames).collect()
    }

    /// The report on its clip.
    pub fn report(&self) -> ClipReport {
        let (audit, still, warnings) = (self.audit, self.still, self.warnings.clone());
        ClipReport { beats: self.frames(), audit, beat_audits: Vec::new(), still, warnings }
    }
}

/// Runs `chalkreel-raw`.
#[derive(Debug, Clone)]
pub struct Programs {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
    allowed: ManimSource,
    /// What sets its formulas.
    pub(super) formulas: ManimTex,
    timeout: Duration,
    stall: Duration,
    film: Duration,
    seccomp: OnceLock<bool>,
    decoder: Decoder,
}

/// Where a run's clip goes.
#[derive(Debug, Clone, Copy)]
pub enum Picture<'a> {
    /// To this file, once it was checked and decoded.
    Clip(&'a Path),
    /// There is none: a rehearsal, in a folder below this one, for what is spoken and how long it takes.
    None(&'a Path),
}

impl Picture<'_> {
    /// Where the program's folder is made.
    fn folder(&self) -> &Path {
        match self {
            Self::Clip(to) => to.parent().unwrap_or(Path::new(".")),
            Self::None(folder) => folder,
        }
    }
}

/// A class that is to be played.
#[derive(Debug, Clone, Copy)]
pub struct Play<'a> {
    /// Its scene.
    pub order: SceneOrder<'a>,
    /// The program, and the class's name.
    pub program: &'a ManimScene,
    /// Spoken at its beginning, unless it has words of its own.
    pub words: &'a str,
    /// What is made of it.
    pub picture: Picture<'a>,
}

/// The runners of a document's programs. Each imports Manim once and plays the classes of one file, one after the other: they have one
/// author. A class that is broken off, fails or leaves something running costs its runner, and the next one gets a new one.
#[derive(Debug)]
pub struct Runners {
    ends: Deadline,
    /// By the file's text.
    files: Mutex<HashMap<String, Waiting>>,
}

/// What waits for the next class of a file.
#[derive(Debug, Default)]
struct Waiting {
    /// Classes that have not begun.
    ahead: usize,
    idle: Vec<Runner>,
}

impl Runners {
    /// For these classes. They end with this, and by `ends` at the latest.
    pub fn of<'a>(classes: impl IntoIterator<Item = &'a ManimScene>, ends: Deadline) -> Self {
        let mut files = HashMap::<String, Waiting>::new();
        for class in classes {
            files.entry(class.source.clone()).or_default().ahead += 1;
        }
        Self { ends, files: Mutex::new(files) }
    }

    /// Whether another class of the file is to begin, and what a runner of the file can be kept in until then.
    fn wanted<T>(&self, file: &ManimScene, with: impl FnOnce(&mut Waiting) -> T) -> Option<T> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get_mut(&file.source).filter(|waiting| waiting.ahead > 0).map(with)
    }

    /// A runner for the next class of the file; none when none is idle.
    fn next(&self, file: &ManimScene) -> Option<Runner> {
        self.wanted(file, |waiting| {
            waiting.ahead -= 1;
            let next = waiting.idle.pop();
            if waiting.ahead == 0 {
                waiting.idle.clear();
            }
            next
        })?
    }

    fn is_wanted(&self, file: &ManimScene) -> bool {
        self.wanted(file, |_| ()).is_some()
    }

    fn keep(&self, file: &ManimScene, runner: Runner) {
        self.wanted(file, |waiting| waiting.idle.push(runner));
    }
}

/// A process that has imported Manim, or is about to, and the talk with it. Dropping it ends the process.
#[derive(Debug)]
struct Runner {
    conversation: Conversation,
    running: Running,
    limits: FolderLimits,
    /// The folder of the class that it plays, in its own.
    class: Option<Behind>,
    folder: Behind,
}

impl Runner {
    /// Makes a class's folder, and gives its name, which is also the id of the request, and the folder itself.
    ///
    /// All files are written before the folder comes to where a program could write: there, nobody may follow a name. It is made by
    /// us and moved, for what an earlier class has left could otherwise lead us elsewhere.
    async fn open(&mut self, play: Play<'_>, deadline: Deadline) -> std::io::Result<(String, UntrustedFolder)> {
        let Play { order, program, picture, .. } = play;
        let class = Behind(Some(Scratch::under(picture.folder())?));
        order.assets.copy_of_scene(order.scene, class.path(), deadline).await?;
        // Last, so that no file of the document takes its place.
        tokio::fs::write(class.path().join(SOURCE), &program.source).await?;
        child::open_to_program(class.path(), self.folder.path())?;
        let left = UntrustedFolder::open(class.path())?;
        let name = class.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.class = Some(class.moved_to(self.folder.path().join(&name))?);
        Ok((name, left))
    }

    /// Removes the folder of the class that was played, and says whether it is gone.
    async fn clear(&mut self) -> bool {
        let Some(class) = self.class.take() else { return false };
        // If the next one's folder can't be made, it has not begun.
        self.conversation.has_begun = false;
        let path = class.path().to_owned();
        let removed = tokio::task::spawn_blocking(move || remove_tree(&path, Deadline::after(LEAVING)));
        matches!(removed.await, Ok(Ok(true)))
    }
}

fn could_not(error: std::io::Error) -> StageError {
    StageError::CouldNotStart(error.to_string())
}

impl Programs {
    /// The one of these layers.
    pub fn new(layers: &Layers, config: &Config) -> Self {
        Self {
            program: layers.program("chalkreel-raw"),
            read: layers.read().iter().cloned().chain([TEX.into()]).collect(),
            confinement: config.confinement,
            allowed: config.manim_source,
            formulas: config.manim_tex,
            timeout: config.manim_timeout,
            stall: config.stall_timeout,
            film: config.manim_max_film,
            seccomp: OnceLock::new(),
            decoder: Decoder::new(layers, config),
        }
    }

    /// Plays a class to its end, in a folder of its own, by a runner that has played others of its file where there is one.
    ///
    /// # Errors
    /// [`StageError`]; no process of the program is left afterwards.
    pub async fn run(
        &self,
        play: Play<'_>,
        speaker: &mut dyn Speaker,
        deadline: Deadline,
        runners: &Runners,
    ) -> Result<Performance, StageError> {
        if let Some(why) = self.refuses() {
            return Err(StageError::Refused(why));
        }
        let deadline = deadline.slice(self.timeout);
        let mut used = runners.next(play.program);
        loop {
            let is_used = used.is_some();
            let mut runner = match used.take() {
                Some(runner) => runner,
                None => self.start(play.picture.folder(), runners.ends)?,
            };
            let played = self.play(&mut runner, play, speaker, deadline, runners).await;
            match played {
                // Whatever the class before has done to it: this one has not begun.
                Err(_) if is_used && !runner.conversation.has_begun && !deadline.passed() => {
                    debug!("the runner of programs is of no use any more; another one is started");
                }
                Err(error) => return Err(error),
                Ok((performance, is_alone)) => {
                    if is_alone && runner.clear().await {
                        runners.keep(play.program, runner);
                    } else if runners.is_wanted(play.program) {
                        debug!(
                            is_alone,
                            class = play.program.class,
                            "the runner of programs is not kept for the next class"
                        );
                    }
                    return Ok(performance);
                }
            }
        }
    }

    /// A runner, which imports Manim meanwhile. It may live until `ends`.
    fn start(&self, parent: &Path, ends: Deadline) -> Result<Runner, StageError> {
        // Its programs may write here and nowhere else: not over the clips of other scenes.
        let folder = Scratch::under(parent).map_err(could_not)?;
        let limits = FolderLimits::of(folder.path());
        let mut running = child::start(self.spec(folder.path(), limits), ends)
            .map_err(|error| StageError::CouldNotStart(error.to_string()))?;
        let socket = running.channel().ok_or_else(|| StageError::CouldNotStart("its socket is missing".to_owned()))?;
        let conversation = Conversation::over(socket, self.stall);
        Ok(Runner { conversation, running, limits, class: None, folder: Behind(Some(folder)) })
    }

    /// What a class has come to, and whether nothing of it is left.
    async fn play(
        &self,
        runner: &mut Runner,
        play: Play<'_>,
        speaker: &mut dyn Speaker,
        deadline: Deadline,
        runners: &Runners,
    ) -> Result<(Performance, bool), StageError> {
        let Play { order, program, words, picture } = play;
        let (name, left) = runner.open(play, deadline).await.map_err(could_not)?;
        let folder = runner.folder.path().join(&name);
        let narration_file = order.assets.narration().map(|name| folder.join(name));
        let allowed = deadline.left();
        let begun = Instant::now();
        let (width, height) = order.size();
        let request = Request::Run {
            id: &name,
            source: &folder.join(SOURCE),
            class: &program.class,
            out: &folder.join(CLIP),
            width,
            height,
            fps: order.quality.fps(),
            theme: order.film.theme.name(),
            background: order.film.colours.as_ref().and_then(|colours| colours.background.as_deref()),
            language: &order.film.language,
            docstring: words,
            narration_file: narration_file.as_deref(),
            draw: matches!(picture, Picture::Clip(_)),
            formulas: self.formulas,
            limits: protocol::Limits {
                film_s: self.film.as_secs_f64(),
                wall_s: allowed.saturating_sub(FINISH).max(allowed / 2).as_secs_f64(),
                stall_s: (self.stall - FINISH.min(self.stall / 4)).as_secs_f64(),
            },
        };
        let most = (self.film.as_secs_f64() * f64::from(order.quality.fps())) as u64;
        let is_used = runner.conversation.is_ready;
        let (stop, limits, root) = (runner.running.stop_handle(), runner.limits, runner.folder.path().to_owned());
        let (talked, outcome) = {
            let mut ended = pin!(runner.running.ended());
            let mut talk = pin!(runner.conversation.hold(&request, &name, most, speaker));
            let last_words = |talked: Result<Talked, _>| talked.unwrap_or(Talked::Broken(Broken::Gone));
            tokio::select! {
                biased;
                talked = &mut talk => (talked, None),
                outcome = &mut ended => {
                    // All of its processes are gone, so what they said last is in the socket, and nothing comes after it.
                    (last_words(Deadline::after(LAST_WORDS).run(&mut talk).await), Some(outcome))
                }
                why = limits.exceeded(&root) => {
                    stop.end();
                    ended.await;
                    return Err(StageError::TooMuch(why));
                }
                _ = deadline.run(std::future::pending::<()>()) => {
                    stop.end();
                    let outcome = Outcome { ending: Ending::TimedOut, ..ended.await };
                    (last_words(Deadline::after(LAST_WORDS).run(&mut talk).await), Some(outcome))
                }
            }
        };
        let is_whole = matches!(&talked, Talked::Done(done) if done.error.is_none());
        // Nothing of it may run on: the clip is read next.
        let is_alone = outcome.is_none()
            && is_whole
            && runners.is_wanted(program)
            && child::alone(&runner.running, Deadline::after(LEAVING)).await;
        let outcome = match outcome {
            None if !is_alone => {
                stop.end();
                Some(runner.running.ended().await)
            }
            outcome => outcome,
        };
        // What it left since the last look.
        if let Ok(Some(why)) = tokio::task::spawn_blocking(move || limits.check(&root)).await {
            return Err(StageError::TooMuch(why));
        }
        let done = match (talked, outcome) {
            (Talked::Done(done), _) => done,
            (Talked::Broken(broken), Some(outcome)) => return Err(self.ended(broken, &outcome, allowed, is_used)),
            (Talked::Broken(_), None) => return Err(StageError::GivenUp),
        };
        let performance = performance(*done, most, runner.conversation.asked, order)?;
        if let Picture::Clip(to) = picture {
            let beats = performance.frames();
            let order = SceneOrder { beats: &beats, ..order };
            let taken = verify::take(left, CLIP.to_owned(), order, to, (deadline, allowed.as_secs_f64())).await;
            taken.map_err(reported)?;
            if let Err(error) = self.decoder.decode(to, order, begun.elapsed(), deadline).await {
                // The clip must not be found later.
                tokio::fs::remove_file(to).await.map_err(Unfit::Io)?;
                return Err(reported(error));
            }
        }
        Ok((performance, is_alone))
    }

    fn spec(&self, folder: &Path, folder_limits: FolderLimits) -> Spec {
        let mut spec = Spec::new(&self.program, folder);
        spec.args = vec!["--channel".into()];
        spec.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), folder.into()),
            ("TMPDIR".into(), folder.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        spec.author = Author::Somebody;
        spec.channel = true;
        // At 4k one scene takes 3 GB of address space.
        spec.limits = Limits { file_size: Some(folder_limits.bytes), ..Limits::gibibytes(8, 16) };
        // It has nothing to put in order, and may go on filling the disk meanwhile.
        spec.grace = Duration::ZERO;
        let write = vec![folder.to_owned()];
        let mode = if self.allowed == ManimSource::Confined {
            self.confinement.max(Mode::BestEffort)
        } else {
            self.confinement
        };
        spec.confinement = Confinement { read: self.read.clone(), write, mode };
        spec
    }

    /// Why there is no clip. `is_used`: what was printed first is another class's.
    fn ended(&self, ended: Broken, outcome: &Outcome, allowed: Duration, is_used: bool) -> StageError {
        let words = outcome.stderr.text_lossy();
        let own = if is_used { last(&words) } else { words.to_string() };
        let too_much = outcome.too_much_memory || ran_out(&own);
        match ended {
            Broken::Failed(failure) if failure.kind == Kind::Crashed && too_much => {
                StageError::OutOfMemory(failure.told())
            }
            Broken::Failed(failure) => broken(&failure),
            Broken::Stalled => StageError::Stalled(self.stall.as_secs_f64()),
            Broken::GivenUp => StageError::GivenUp,
            Broken::OtherVersion(version) => StageError::CouldNotStart(format!(
                "the layers speak version {version} of the protocol of programs, and this is for version {}; `make tools` makes the same",
                protocol::VERSION
            )),
            Broken::Gone if too_much => StageError::OutOfMemory(last(&words)),
            Broken::Gone if outcome.too_many_processes => StageError::TooManyProcesses,
            Broken::Gone => match &outcome.ending {
                Ending::TimedOut => StageError::TimedOut(allowed.as_secs_f64()),
                Ending::CouldNotStart(error) => StageError::CouldNotStart(error.to_string()),
                // It closed the socket, and was ended for that.
                Ending::Ended => StageError::Crashed(format!("it closed its connection to us: {}", last(&words))),
                ending => StageError::Crashed(format!("{ending}: {}", last(&words))),
            },
        }
    }

    /// Found once, by a child that confines itself and runs nothing.
    fn can_confine(&self) -> bool {
        *self.seccomp.get_or_init(|| tokio::task::block_in_place(|| child::probe().seccomp))
    }

    /// Why programs may not run here; none when they may.
    fn refuses(&self) -> Option<&'static str> {
        match self.allowed {
            ManimSource::Deny => Some("Manim programs may not run here, since MANIM_SOURCE is deny"),
            // Without the filter a program could speak to the network with whatever it finds.
            ManimSource::Confined if !self.can_confine() => {
                Some("this kernel can't confine Manim programs; MANIM_SOURCE=allow runs them unconfined")
            }
            ManimSource::Confined | ManimSource::Allow => None,
        }
    }
}

/// The last lines of an output.
fn last(words: &str) -> String {
    let last: Vec<&str> = words.lines().rev().take(3).collect();
    plain(&last.into_iter().rev().collect::<Vec<_>>().join(" / "), MESSAGE)
}

fn broken(failure: &Failure) -> StageError {
    if !failure.trace.is_empty() {
        debug!(trace = plain(&failure.trace, TRACE), "Python's traceback");
    }
    StageError::Program { code: failure.kind.code(), message: failure.told(), remedy: failure.remedy() }
}

/// What a runner has come to.
enum Talked {
    Done(Box<Done>),
    Broken(Broken),
}

/// Why it has no clip.
enum Broken {
    Failed(Failure),
    /// No frame and no question for too long.
    Stalled,
    /// The socket is closed.
    Gone,
    /// Nobody speaks any more.
    GivenUp,
    OtherVersion(u32),
}

/// The caller's side of the talk with a runner.
#[derive(Debug)]
struct Conversation {
    read: Lines,
    write: tokio::net::unix::OwnedWriteHalf,
    stall: Duration,
    /// Whether the runner has imported Manim.
    is_ready: bool,
    /// Whether it has begun with the present class.
    has_begun: bool,
    /// Questions of the present class so far.
    asked: u32,
}

impl Conversation {
    fn over(socket: UnixStream, stall: Duration) -> Self {
        let (read, write) = socket.into_split();
        Self { read: Lines::of(read), write, stall, is_ready: false, has_begun: false, asked: 0 }
    }

    /// Sends the request, whose id is `run`, and answers questions until the run is over. It may have `most` frames.
    async fn hold(&mut self, request: &Request<'_>, run: &str, most: u64, speaker: &mut dyn Speaker) -> Talked {
        (self.has_begun, self.asked) = (false, 0);
        let mut drawn = 0;
        let mut alive = Deadline::after(self.stall.max(START));
        if self.is_ready {
            self.read.forget();
            alive = Deadline::after(BEGIN);
            if !self.send(request, alive).await {
                return Talked::Broken(Broken::Gone);
            }
        }
        loop {
            let line = match alive.run(self.read.next()).await {
                Ok(Some(line)) => line,
                Ok(None) => return Talked::Broken(Broken::Gone),
                Err(_) => return Talked::Broken(Broken::Stalled),
            };
            // Anything else is the program's, and means nothing.
            let Ok(event) = serde_json::from_slice::<Event>(line) else { continue };
            match event {
                Event::Ready { protocol: protocol::VERSION } if !self.is_ready => {
                    self.is_ready = true;
                    alive = Deadline::after(self.stall);
                    if !self.send(request, alive).await {
                        return Talked::Broken(Broken::Gone);
                    }
                }
                Event::Ready { protocol } if !self.is_ready => return Talked::Broken(Broken::OtherVersion(protocol)),
                Event::Started { id } if self.is_ready && id == run && !self.has_begun => {
                    (self.has_begun, alive) = (true, Deadline::after(self.stall));
                }
                Event::Refused { message } => {
                    warn!(message = plain(&message, MESSAGE), "the runner of programs could not parse a request");
                }
                // What comes before the beginning was said by an earlier class.
                _ if !self.has_begun => {}
                Event::Frames { id, frames } if id == run && frames > drawn && frames <= most => {
                    (drawn, alive) = (frames, Deadline::after(self.stall));
                    debug!(frames, "drawing");
                }
                Event::Say { id, ask, text, source, .. }
                    if id == run && ask == self.asked + 1 && ask <= QUESTIONS && !text.trim().is_empty() =>
                {
                    self.asked = ask;
                    let text = words(&text, WORDS);
                    // While we speak, the program waits for us.
                    let say = Say { ask, text, is_timed_by_program: source == "voiceover" };
                    let Some(said) = speaker.say(say).await else { return Talked::Broken(Broken::GivenUp) };
                    alive = Deadline::after(self.stall);
                    let answer =
                        Request::Said { id: run, ask, seconds: Some(said.seconds), words: &said.words, error: None };
                    if !self.send(&answer, alive).await {
                        return Talked::Broken(Broken::Gone);
                    }
                }
                Event::Done(done) if done.id == run => return Talked::Done(done),
                Event::Failed(failure) if failure.id == run => return Talked::Broken(Broken::Failed(failure)),
                Event::Ready { .. }
                | Event::Started { .. }
                | Event::Frames { .. }
                | Event::Say { .. }
                | Event::Done(_)
                | Event::Failed(_) => {}
            }
        }
    }

    /// False when it can't be sent: nobody reads it.
    async fn send(&mut self, request: &Request<'_>, until: Deadline) -> bool {
        matches!(until.run(self.write.write_all(&request.line())).await, Ok(Ok(())))
    }
}

/// Lines from a socket; those that are too long are skipped.
#[derive(Debug)]
struct Lines {
    socket: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
    /// Whether `line` was given out, and is to be emptied.
    is_given: bool,
    /// Whether the line that is being read is longer than allowed.
    is_too_long: bool,
}

impl Lines {
    fn of(socket: OwnedReadHalf) -> Self {
        Self {
            socket: BufReader::with_capacity(64 << 10, socket),
            line: Vec::new(),
            is_given: false,
            is_too_long: false,
        }
    }

    /// Drops what has come, the beginning of a line included. Whoever goes on sending meanwhile is not waited for.
    fn forget(&mut self) {
        (self.is_given, self.is_too_long) = (false, false);
        self.line.clear();
        let buffered = self.socket.buffer().len();
        self.socket.consume(buffered);
        let mut dropped = [0; 64 << 10];
        // More than its buffer holds.
        for _ in 0..16 {
            if !matches!(self.socket.get_ref().try_read(&mut dropped), Ok(1..)) {
                return;
            }
        }
    }

    /// The next line, without its newline; none at the end. It can be cancelled and called again.
    async fn next(&mut self) -> Option<&[u8]> {
        if std::mem::take(&mut self.is_given) {
            self.line.clear();
        }
        loop {
            let read = self.socket.fill_buf().await.ok().filter(|read| !read.is_empty())?;
            let end = read.iter().position(|byte| *byte == b'\n');
            let (part, consumed) = (&read[..end.unwrap_or(read.len())], end.map_or(read.len(), |end| end + 1));
            self.is_too_long |= self.line.len() + part.len() > protocol::MAX_LINE;
            if !self.is_too_long {
                self.line.extend_from_slice(part);
            }
            self.socket.consume(consumed);
            if end.is_none() {
                continue;
            }
            if !std::mem::take(&mut self.is_too_long) {
                self.is_given = true;
                return Some(&self.line);
            }
            self.line.clear();
        }
    }
}

/// Words as they are spoken and shown: bounded, on one line, without control characters.
fn words(text: &str, most: usize) -> String {
    plain(text, most).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A clip has as many frames as its program said, or what it said is wrong.
fn reported(error: StageError) -> StageError {
    match error {
        StageError::Wrong(wrong @ WrongClip::Frames { .. }) => StageError::Report(wrong.to_string()),
        other => other,
    }
}

/// What a program reports, as far as it can be true.
fn performance(done: Done, most: u64, asked: u32, order: SceneOrder<'_>) -> Result<Performance, StageError> {
    let untrue = |what: String| StageError::Report(what);
    if done.frames == 0 || done.frames > most {
        return Err(untrue(format!("it says that its clip has {} frames", done.frames)));
    }
    if done.segments.len() > PARTS {
        return Err(untrue(format!("it says that its clip has {} parts", done.segments.len())));
    }
    let mut next = 0_u64;
    let mut seen = HashSet::new();
    let mut parts = Vec::new();
    for segment in &done.segments {
        if segment.first_frame != next || segment.frames == 0 || segment.frames > done.frames - next {
            return Err(untrue(format!("its parts do not follow each other at frame {next}")));
        }
        next += segment.frames;
        if segment.ask.is_some_and(|ask| ask == 0 || ask > asked || !seen.insert(ask)) {
            return Err(untrue("it says that words were spoken which were not, or twice".to_owned()));
        }
        let caption =
            segment.caption.as_ref().map(|caption| words(caption, WORDS)).filter(|caption| !caption.is_empty());
        parts.push(Part { frames: segment.frames, ask: segment.ask, text: words(&segment.text, WORDS), caption });
    }
    if next != done.frames {
        return Err(untrue(format!("its parts end at frame {next} of {}", done.frames)));
    }
    let within = |first_frame: u64| first_frame < done.frames;
    let chapters = done
        .chapters
        .iter()
        .filter(|chapter| within(chapter.first_frame))
        .take(PARTS)
        .map(|chapter| Chapter { first_frame: chapter.first_frame, name: words(&chapter.name, NAME) });
    let captions =
        done.captions.iter().filter(|caption| within(caption.first_frame)).take(PARTS).map(|caption| Caption {
            first_frame: caption.first_frame,
            frames: caption.frames.clamp(1, done.frames - caption.first_frame),
            text: words(&caption.text, CAPTION),
        });
    let told = done.warnings.iter().chain(&done.findings);
    let mut warnings: Vec<String> = told.take(WARNINGS).map(protocol::Note::told).collect();
    let more = (done.warnings.len() + done.findings.len()).saturating_sub(WARNINGS);
    if more > 0 {
        warnings.push(format!("{more} more warnings are not shown"));
    }
    let audit = done.audit.measured.then_some(Audit {
        overlaps: done.audit.overlaps,
        outside: done.audit.outside,
        too_small: done.audit.too_small,
        too_short: Some(done.audit.too_short),
        low_contrast: None,
        still_ms: None,
        used_percent: None,
    });
    let broken_off = done.error.map(|failure| {
        let seconds = failure.seconds.filter(|seconds| seconds.is_finite()).unwrap_or_default().max(0.0);
        (broken(&failure).of_scene(&order.scene.id), seconds)
    });
    Ok(Performance {
        parts,
        chapters: chapters.filter(|chapter| !chapter.name.is_empty()).collect(),
        captions: captions.filter(|caption| !caption.text.is_empty()).collect(),
        audit,
        still: done.still.and_then(|still| still.within(done.frames)),
        warnings,
        has_own_words: !matches!(done.narration.as_str(), "docstring" | ""),
        broken_off,
    })
}

/// The program's folder, which may take long to remove: it is emptied behind everybody's back, whatever comes of the scene.
#[derive(Debug)]
struct Behind(Option<Scratch>);

impl Behind {
    fn moved_to(mut self, path: PathBuf) -> std::io::Result<Self> {
        Ok(Self(self.0.take().map(|folder| folder.moved_to(path)).transpose()?))
    }

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

/// All text of a line that users see.
pub(super) fn user_visible(line: &[u8]) -> Vec<String> {
    match serde_json::from_slice(line) {
        Ok(Event::Say { text, caption, .. }) => {
            [Some(text), caption].into_iter().flatten().map(|text| words(&text, WARNING)).collect()
        }
        Ok(Event::Done(done)) => {
            let notes = done.warnings.iter().chain(&done.findings).map(protocol::Note::told);
            let names = done.chapters.iter().map(|chapter| words(&chapter.name, NAME));
            notes.chain(names).chain(done.error.iter().map(Failure::told)).map(|text| plain(&text, WARNING)).collect()
        }
        Ok(Event::Failed(failure)) => {
            std::iter::once(failure.told()).chain(failure.remedy()).map(|text| plain(&text, WARNING)).collect()
        }
        Ok(Event::Refused { message }) => vec![plain(&message, WARNING)],
        Ok(Event::Ready { .. } | Event::Started { .. } | Event::Frames { .. }) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
