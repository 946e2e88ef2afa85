//! `chalkreel mcp`: a server of the Model Context Protocol on standard input and output, for language models that write lessons: how they
//! are written, what is wrong with one, how it looks, and its film.
//!
//! In: JSON-RPC messages, one a line. Out: answers; films below the folder that the command names. Nothing outside of that folder is
//! read or written by a path that a message names.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use storyboard::Document;
use tokio::sync::Semaphore;

use super::check::look;
use super::document::Workshop;
use super::guide;
use super::render::{copy, folder};
use super::signals::Stops;
use super::{explain, read};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::intake;
use crate::intake::MAX_DOCUMENT;
use crate::intake::assets::AssetBase;
use crate::job::log::JobLogs;
use crate::job::{Again, JobId, JobRequest, Quality, Source, Status, keys};
use crate::pipeline;
use crate::plan;
use crate::preview::{Pictures, Preview};
use crate::services::Services;
use crate::store::StoreError;
use crate::write::GUIDE;

/// Longest message, in bytes: a document whose every letter is escaped.
const LINE: usize = 2 * MAX_DOCUMENT as usize + (64 << 10);
/// Calls that are answered at a time; more are refused.
const CALLS: usize = 8;
/// Of them, those that draw.
const DRAWING: usize = 1;
/// Films that may be made or wait at a time.
const FILMS: usize = 8;
/// Films that are remembered after their end.
const REMEMBERED: usize = 200;
/// Time for one call: clients give up after some minutes.
const LONGEST: Duration = Duration::from_secs(180);
/// Pictures of one answer, and their bytes: each goes into the model's context.
const PICTURES: usize = 12;
const LARGEST: usize = 8 << 20;
/// Largest status, in bytes.
const STATUS: u64 = 8 << 20;
/// Time for the films to write their status at the end.
const STOP: Duration = Duration::from_secs(10);

pub(super) async fn run(root: &Path, config: Config, logs: JobLogs) -> ExitCode {
    match serve(root, config, logs).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(root: &Path, config: Config, logs: JobLogs) -> Result<(), JobError> {
    let root = root.canonicalize().ok().filter(|root| root.is_dir()).ok_or_else(|| {
        let error = JobError::new(Code::InputNotFound, format!("{} is no folder", root.display()));
        error.remedy("Name a folder that there is with --root.")
    })?;
    let failed = |error: std::io::Error| JobError::new(Code::StoreFile, format!("standard input and output: {error}"));
    let mut stops = Stops::listen().map_err(failed)?;
    let jobs = config.jobs;
    let workshop = Workshop::open(config, logs).await?;
    let services = workshop.services.clone();
    let desk = Desk(Arc::new(Shared {
        root,
        services: services.clone(),
        calls: Semaphore::new(CALLS),
        drawing: Semaphore::new(DRAWING),
        making: Arc::new(Semaphore::new(jobs)),
        films: Mutex::default(),
    }));
    let stream = |descriptor: std::io::Result<std::os::fd::OwnedFd>| {
        Ok::<_, JobError>(tokio::fs::File::from_std(descriptor.map_err(failed)?.into()))
    };
    let input = stream(std::io::stdin().as_fd().try_clone_to_owned())?;
    let output = stream(std::io::stdout().as_fd().try_clone_to_owned())?;
    let transport = AsyncRwTransport::<RoleServer, _, _>::new(input, output).with_max_line_length(LINE);
    let serving = async {
        // A client that goes away without a word, or speaks another protocol, is no fault of this program.
        match desk.serve(transport).await {
            Ok(running) => _ = running.waiting().await,
            Err(error) => tracing::error!(%error, "the client does not speak the Model Context Protocol"),
        }
    };
    tokio::select! {
        () = serving => {}
        () = stops.next() => {}
    }
    services.interrupt();
    let _ = services.idle(Deadline::after(STOP)).await;
    workshop.close().await;
    Ok(())
}

/// What the tools share.
#[derive(Debug, Clone)]
struct Desk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    services: Arc<Services>,
    calls: Semaphore,
    drawing: Semaphore,
    making: Arc<Semaphore>,
    films: Mutex<BTreeMap<String, Film>>,
}

/// A film that was asked for.
#[derive(Debug, Clone)]
struct Film {
    /// When it was asked for, counted.
    number: usize,
    out: PathBuf,
    /// None while it is made.
    ended: Option<Result<Status, JobError>>,
}

/// A document by its place, or as text.
#[derive(Debug, Deserialize)]
struct Named {
    path: Option<PathBuf>,
    text: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuideCall {
    #[serde(default)]
    plan: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckCall {
    path: Option<PathBuf>,
    text: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StillCall {
    path: Option<PathBuf>,
    text: Option<String>,
    name: Option<String>,
    scene: Option<String>,
    beat: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RenderCall {
    path: Option<PathBuf>,
    text: Option<String>,
    name: Option<String>,
    quality: Option<Quality>,
    #[serde(default)]
    scenes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusCall {
    job_id: JobId,
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("chalkreel", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "Turns lessons into narrated films. Read `guide`, write a lesson, mend what `check` finds, look at it with `still`, \
                 then `render` it and ask `status` until the film is there.",
            )
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(call.arguments.unwrap_or_default());
        let answer = match self.0.calls.try_acquire() {
            Ok(_permit) => {
                let deadline = Deadline::after(LONGEST.min(self.0.services.config.job_timeout));
                let answer = self.answer(&call.name, arguments, deadline);
                let late =
                    || JobError::new(Code::JobDeadline, format!("the call took longer than {} s", LONGEST.as_secs()));
                match deadline.run(answer).await {
                    Ok(Some(answer)) => answer,
                    Ok(None) => {
                        return Err(ErrorData::invalid_params(format!("there is no tool `{}`", call.name), None));
                    }
                    Err(_) => Err(late()),
                }
            }
            Err(_) => Err(JobError::new(Code::HttpBusy, format!("{CALLS} calls are being answered"))),
        };
        let result = match answer {
            Ok(content) => CallToolResult::success(content),
            Err(JobError { code, message, remedy, place, .. }) => {
                let place = place.map(|place| format!(" (line {})", place.line)).unwrap_or_default();
                CallToolResult::error(vec![ContentBlock::text(format!("{code}: {message}{place}\n{remedy}"))])
            }
        };
        Ok(result.into())
    }
}

type Content = Result<Vec<ContentBlock>, JobError>;

impl Desk {
    /// None when there is no such tool.
    async fn answer(&self, tool: &str, arguments: Value, deadline: Deadline) -> Option<Content> {
        // Boxed, since their futures are large.
        Some(match tool {
            "guide" => parsed(arguments).map(|GuideCall { plan }| text(if plan { guide::PLAN } else { GUIDE })),
            "check" => self.check(arguments, deadline).boxed().await,
            "still" => self.still(arguments, deadline).boxed().await,
            "render" => self.render(arguments, deadline).boxed().await,
            "status" => self.status(arguments, deadline).boxed().await,
            _ => return None,
        })
    }

    async fn check(&self, arguments: Value, deadline: Deadline) -> Content {
        let CheckCall { path, text: words, name } = parsed(arguments)?;
        let (document, base) = self.document(Named { path, text: words, name }).await?;
        let _turn = self.turn().await?;
        let checked = look(document, &base, Pictures::None, &self.0.services, deadline).await?;
        Ok(text(&serde_json::to_string_pretty(&checked).unwrap_or_default()))
    }

    async fn still(&self, arguments: Value, deadline: Deadline) -> Content {
        let StillCall { path, text: words, name, scene, beat } = parsed(arguments)?;
        let bad = |message: String| JobError::new(Code::IntakeBadRequest, message);
        let (document, base) = self.document(Named { path, text: words, name }).await?;
        let (_turn, services) = (self.turn().await?, &*self.0.services);
        let Some(scene) = scene else {
            if beat.is_some() {
                return Err(bad("`beat` counts the beats of one scene".to_owned()).remedy("Name it with `scene`."));
            }
            let checked = look(document, &base, Pictures::Beats, services, deadline).await?;
            if checked.pictures.is_empty() {
                let why = checked.findings.first().map_or_else(String::new, |finding| format!(": {}", finding.message));
                return Err(
                    bad(format!("the document has no picture{why}")).remedy("Ask `check` what is wrong with it.")
                );
            }
            let pictures: Vec<&[u8]> = checked.pictures.iter().map(|(_, picture)| &**picture).collect();
            let sheet = Preview::sheet(&pictures, services, deadline).await?;
            let labels = checked.pictures.iter().enumerate();
            let labels: String = labels.map(|(index, (label, _))| format!("{}: {label}\n", index + 1)).collect();
            return Ok([picture(&sheet)?, text(&labels)].concat());
        };
        let preview = Preview::of(document, &base, Quality::Draft, services, deadline).await?;
        let scene = plan::scene(&preview.storyboard, &scene)?;
        let wanted = match beat {
            None => Pictures::Beats,
            Some(beat) if (1..=scene.beats.len()).contains(&beat) => Pictures::Beat(beat - 1),
            Some(beat) => {
                let message = format!("the scene `{}` has no beat {beat}", scene.id);
                return Err(bad(message).remedy(format!("Name one from 1 to {}.", scene.beats.len())));
            }
        };
        let drawn = preview.scene(scene, wanted, services, deadline).await?;
        let mut content = Vec::new();
        for one in drawn.pictures.iter().take(PICTURES) {
            content.extend(picture(one)?);
        }
        if let Some(more) = drawn.pictures.len().checked_sub(PICTURES).filter(|more| *more > 0) {
            content.extend(text(&format!("{more} more beats: name one with `beat`")));
        }
        Ok(content)
    }

    /// Begins a film, or gives where it is being made.
    async fn render(&self, arguments: Value, deadline: Deadline) -> Content {
        let RenderCall { path, text: words, name, quality, scenes } = parsed(arguments)?;
        let (Document { name, bytes }, base) = self.document(Named { path, text: words, name }).await?;
        let beside = match &base {
            AssetBase::Folder { path, document } => Some(folder(&path.join(document), &bytes)),
            _ => None,
        };
        let out = self.out(&name)?;
        let services = &self.0.services;
        let source = Source::Inline { name, bytes, folder: beside };
        let request = JobRequest { quality, scenes, ..JobRequest::of(source) };
        let request = intake::with_companions(request, &services.store, deadline).await?;
        let id = JobId::of(&request, &services.recipe());
        {
            let mut films = self.films();
            let making = films.values().filter(|film| film.ended.is_none()).count();
            let running = films.get(id.as_str()).is_some_and(|film| film.ended.is_none());
            if !running && making >= FILMS {
                return Err(JobError::new(Code::HttpBusy, format!("{FILMS} films are being made or wait")));
            }
            if !running {
                let number = films.values().map(|film| film.number + 1).max().unwrap_or_default();
                films.insert(id.as_str().to_owned(), Film { number, out: out.clone(), ended: None });
                let ended = films.iter().filter(|(_, film)| film.ended.is_some());
                let oldest = ended.min_by_key(|(_, film)| film.number).map(|(id, _)| id.clone());
                if let Some(oldest) = oldest.filter(|_| films.len() > REMEMBERED) {
                    films.remove(&oldest);
                }
                tokio::spawn(self.clone().film(id.clone(), request, out.clone()));
            }
        }
        let answer = json!({
            "job_id": id, "folder": self.shown(&out), "film": self.shown(&out.join(keys::FILM)),
            "next": "ask `status` until its state is no longer `queued` or `running`",
        });
        Ok(text(&format!("{answer:#}")))
    }

    /// Makes a film to its end.
    async fn film(self, id: JobId, request: JobRequest, out: PathBuf) {
        let services = &self.0.services;
        let made = async {
            let _turn = tokio::select! {
                // It is never closed.
                turn = self.0.making.acquire() => turn.ok(),
                () = services.interrupted() => {
                    return Err(JobError::new(Code::JobInterrupted, "the server is stopping"));
                }
            };
            let ends = Deadline::after(services.config.job_timeout);
            let status = pipeline::film(request, services, ends, Again::Failed).boxed().await?;
            copy(&status, &services.store, &out).await.map_err(JobError::from)?;
            Ok(status)
        };
        let ended = made.await;
        if let Some(film) = self.films().get_mut(id.as_str()) {
            film.ended = Some(ended);
        }
    }

    async fn status(&self, arguments: Value, deadline: Deadline) -> Content {
        let StatusCall { job_id } = parsed(arguments)?;
        let unknown = || {
            let error = JobError::new(Code::JobNotFound, format!("no film with the id `{job_id}` was asked for here"));
            error.remedy("Name the `job_id` that `render` gave.")
        };
        let film = self.films().get(job_id.as_str()).cloned().ok_or_else(unknown)?;
        let status = match film.ended {
            Some(ended) => ended?,
            None => match self.0.services.store.get(&keys::status(&job_id), STATUS, deadline).await {
                Ok(object) => serde_json::from_slice(&object.bytes)
                    .map_err(|error| JobError::new(Code::StoreDamaged, error.to_string()))?,
                // It waits for its turn.
                Err(StoreError::NotFound { .. }) => {
                    return Ok(text(&format!("{:#}", json!({"job_id": job_id, "state": "queued"}))));
                }
                Err(error) => return Err(error.into()),
            },
        };
        let names = status.outputs.values().map(|key| key.rsplit('/').next().unwrap_or(key));
        let files: Vec<String> = names.map(|name| self.shown(&film.out.join(name))).collect();
        let answer = json!({
            "job_id": job_id, "state": status.state, "stage": status.stage, "progress": status.progress,
            "title": status.title, "warnings": status.warnings, "error": status.error, "files": files,
        });
        Ok(text(&format!("{answer:#}")))
    }

    /// A document of the root, or one that came as text; the files that it names are then looked for in the root.
    async fn document(&self, Named { path, text, name }: Named) -> Result<(Document, AssetBase), JobError> {
        let bad = |message: &str| JobError::new(Code::IntakeBadRequest, message);
        let root = &self.0.root;
        match (path, text) {
            (Some(path), None) if name.is_none() => {
                let outside = || {
                    let error =
                        JobError::new(Code::InputNotFound, format!("there is no {} in the folder", path.display()));
                    error.remedy("Name a file below the folder that --root names.")
                };
                let root = root.clone();
                let asked = path.clone();
                let opened = tokio::task::spawn_blocking(move || {
                    // Links are followed first, so that none leads out.
                    let path = root.join(&asked).canonicalize().ok().filter(|path| path.starts_with(&root))?;
                    Some(read(&path).map(|(name, bytes)| (path, name, bytes)))
                });
                let opened = opened.await.ok().flatten().ok_or_else(outside)?;
                let (path, name, bytes) = opened?;
                let folder = path.parent().unwrap_or(&path).to_owned();
                let base = AssetBase::Folder { path: folder, document: name.clone() };
                within_limit(bytes.len())?;
                Ok((Document { name, bytes }, base))
            }
            (None, Some(text)) => {
                within_limit(text.len())?;
                let name = name.unwrap_or_else(|| "lesson.md".to_owned());
                let plain = !name.contains(['/', '\\', '\0']) && !name.starts_with('.') && name.len() <= 120;
                if !plain {
                    return Err(bad("`name` must be the name of a file, without a folder"));
                }
                let base = AssetBase::Folder { path: root.clone(), document: name.clone() };
                Ok((Document { name, bytes: text.into_bytes() }, base))
            }
            _ => Err(bad("name the document with `path`, or send it as `text`, with a `name` if it is no lesson")),
        }
    }

    /// The folder for a film, below the root whatever links are there.
    fn out(&self, name: &str) -> Result<PathBuf, JobError> {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
        let stem: String = stem.chars().take(60).map(plain).collect();
        let out = self.0.root.join("films").join(if stem.is_empty() { "film" } else { &stem });
        let failed = |reason: String| {
            let error = JobError::new(Code::StoreFile, format!("can't write {}: {reason}", out.display()));
            error.remedy("Make `films` in the folder a folder that you may write.")
        };
        // Of what is there already, nothing may be a link that leads out.
        for folder in [self.0.root.join("films"), out.clone()] {
            match std::fs::create_dir(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(failed(error.to_string()));
                }
                _ => {}
            }
            let there = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
            if there != folder {
                return Err(failed("it is a link".to_owned()));
            }
        }
        Ok(out)
    }

    /// A path as clients know it: from the root.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.0.root).unwrap_or(path).display().to_string()
    }

    fn films(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Film>> {
        self.0.films.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to draw.
    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, JobError> {
        // It is never closed.
        self.0.drawing.acquire().await.map_err(|error| JobError::new(Code::JobInterrupted, error.to_string()))
    }
}

fn within_limit(bytes: usize) -> Result<(), JobError> {
    if bytes as u64 <= MAX_DOCUMENT {
        return Ok(());
    }
    Err(JobError::new(Code::InputTooLarge, format!("the document has more than {} MiB", MAX_DOCUMENT >> 20)))
}

fn parsed<T: DeserializeOwned>(arguments: Value) -> Result<T, JobError> {
    serde_json::from_value(arguments).map_err(|error| {
        let error = JobError::new(Code::IntakeBadRequest, format!("the arguments: {error}"));
        error.remedy("Correct what the message names; `tools/list` describes the arguments.")
    })
}

fn text(text: &str) -> Vec<ContentBlock> {
    vec![ContentBlock::text(text)]
}

fn picture(png: &[u8]) -> Content {
    if png.len() > LARGEST {
        let error = JobError::new(Code::StoreTooLarge, format!("the picture has more than {} MiB", LARGEST >> 20));
        return Err(error.remedy("Name one scene with `scene`."));
    }
    Ok(vec![ContentBlock::image(BASE64_STANDARD.encode(png), "image/png")])
}

/// The tools as clients see them.
fn tools() -> Vec<Tool> {
    let document = || {
        json!({
            "path": {"type": "string", "description": "A document in the server's folder, such as lesson.md"},
            "text": {"type": "string", "description": "The document itself, instead of a path"},
            "name": {"type": "string", "description": "With text: its file name, whose extension decides the format (.md a lesson, .json a plan, .py a Manim program); the default is lesson.md"},
        })
    };
    let tool =
        |name: &'static str, description: &'static str, mut properties: Value, more: Value, required: &[&str]| {
            if let (Some(all), Value::Object(more)) = (properties.as_object_mut(), more) {
                all.extend(more);
            }
            let schema = json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            });
            let schema = schema.as_object().cloned().unwrap_or_default();
            Tool::new(name, description, Arc::new(schema))
        };
    vec![
        tool(
            "guide",
            "How lessons are written. Read it before you write one.",
            json!({"plan": {"type": "boolean", "description": "The JSON Schema of lecture plans instead"}}),
            json!({}),
            &[],
        ),
        tool(
            "check",
            "What is wrong with a document, with lines and remedies, as JSON. Takes seconds; makes no film.",
            document(),
            json!({}),
            &[],
        ),
        tool(
            "still",
            "Pictures of the screen as it stands at the end of each passage: of all scenes in one numbered sheet, or of one scene.",
            document(),
            json!({
                "scene": {"type": "string", "description": "Only this scene, by its id"},
                "beat": {"type": "integer", "minimum": 1, "description": "Only this passage of the scene; the first is 1"},
            }),
            &[],
        ),
        tool(
            "render",
            "Begins to make the film of a document, and answers at once with the job's id and where the film will be.",
            document(),
            json!({
                "quality": {"type": "string", "enum": ["draft", "standard", "high", "4k"], "description": "Instead of the document's own"},
                "scenes": {"type": "array", "items": {"type": "string"}, "description": "Only these scenes, by their ids"},
            }),
            &[],
        ),
        tool(
            "status",
            "How far a film is, what was wrong with it, and its files.",
            json!({"job_id": {"type": "string", "description": "As render gave it"}}),
            json!({}),
            &["job_id"],
        ),
    ]
}
