//! `chalkreel watch`: a page that shows a lesson as a filmstrip and follows its file. Each beat has a still, its words, its seconds and what
//! is wrong with it; a scene that changes is drawn again, and played with its sound.
//!
//! In: a document on this machine. Out: a page on loopback, with an editor that saves to the file. Whoever has an editor of their own saves
//! there.

mod board;
mod follow;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH};
use ::http::{HeaderMap, Request, StatusCode};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use futures::stream::{Stream, StreamExt as _, unfold};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use self::board::{Board, SharedBoard};
use self::follow::{ClipMaker, Follower, Stills};
use super::document::{Workshop, document};
use super::output::{Text, line, note};
use super::signals::Stops;
use super::{Watch, explain};
use crate::config::Config;
use crate::connections::{Received, Rules, Server};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::http::{self, Api, Failure, PathParam};
use crate::intake::MAX_DOCUMENT;
use crate::job::log::JobLogs;
use crate::services::Services;
use crate::store::Store;

/// Time for open requests to end.
const CLOSE: Duration = Duration::from_secs(1);
/// Time for keeping what is saved in the store.
const KEEP: Duration = Duration::from_secs(10);
/// How often an empty line is sent, so that a page that has gone is noticed.
const STILL_THERE: Duration = Duration::from_secs(10);

/// What the page may do: its own scripts, styles, pictures and sounds, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn run(watch: Watch, config: Config, logs: JobLogs) -> ExitCode {
    match serve(watch, config, logs).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(watch: Watch, config: Config, logs: JobLogs) -> Result<(), JobError> {
    let Watch { document: path, listen, open } = watch;
    if !listen.ip().is_loopback() {
        let error = JobError::new(
            Code::HttpUnauthorized,
            format!("other machines could reach {listen}, and change {}", path.display()),
        );
        return Err(error.remedy("Listen on 127.0.0.1."));
    }
    // A document that can't be read is an error at once, one that can't be planned is for the page.
    let (opened, _) = document(&path)?;
    // What replaces a file must not replace a link to it.
    let path = path.canonicalize().unwrap_or(path);
    let mut stops = Stops::listen().map_err(|error| JobError::new(Code::JobInterrupted, error.to_string()))?;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        let error = JobError::new(Code::HttpBadRequest, format!("can't listen on {listen}: {error}"));
        error.remedy("Name another address or port with --listen, or stop the process that uses it.")
    })?;
    let address = listener.local_addr().unwrap_or(listen);
    let workshop = Workshop::open(config, logs).await?;
    let services = workshop.services.clone();
    let (desk, following) = Desk::open(opened.name, path, services.clone(), None);
    let api = Api::new(services.store.clone(), None, true);
    let routes = http::guarded(desk.routes(), api);
    let serving = Server::start(listener, Rules::usual(), move |request: Request<Received>| {
        routes.clone().oneshot(request.map(Body::new))
    });
    let url = format!("http://{address}/");
    let mut text = Text::default();
    line!(text, "{url}");
    text.try_print();
    if open {
        super::open_in_browser(&url);
    }
    stops.next().await;
    note(format_args!("chalkreel: stopping"));
    services.interrupt();
    let closing = serving.shutdown(Deadline::after(CLOSE));
    // A job that is told to stop ends at once.
    let _ = Deadline::after(CLOSE).run(closing).await;
    drop(following);
    workshop.close().await;
    Ok(())
}

/// Where what is saved is kept besides: its key, of a document whose file is a copy.
pub(super) type Kept = Option<(Store, String)>;

/// The tasks that follow a document. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Following(JoinHandle<()>, JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
        self.1.abort();
    }
}

/// What the routes share.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    path: PathBuf,
    services: Arc<Services>,
    board: Arc<SharedBoard>,
    stills: Arc<Stills>,
    clips: mpsc::UnboundedSender<String>,
    kept: Kept,
}

impl Desk {
    /// Follows the file at `path`. Must be called inside an async runtime.
    pub(super) fn open(name: String, path: PathBuf, services: Arc<Services>, kept: Kept) -> (Self, Following) {
        let (board, stills) = (Arc::new(SharedBoard::of(name)), Arc::new(Stills::default()));
        let (clips, wanted) = mpsc::unbounded_channel();
        let making = ClipMaker { path: path.clone(), services: services.clone(), board: board.clone() };
        let (at, pages, drawn, asking) = (path.clone(), board.clone(), stills.clone(), clips.clone());
        let follower = Follower { path: at, services: services.clone(), board: pages, stills: drawn, clips: asking };
        let following = Following(tokio::spawn(making.make(wanted)), tokio::spawn(follower.follow()));
        (Self { path, services, board, stills, clips, kept }, following)
    }

    pub(super) fn routes(self) -> Router {
        let file = |kind: &'static str, text: &'static str| {
            get(async move || ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], text))
        };
        Router::new()
            .route("/", file("text/html; charset=utf-8", include_str!("../../../templates/watch.html")))
            .route("/watch.css", file("text/css; charset=utf-8", include_str!("../../../templates/watch.css")))
            .route("/watch.js", file("text/javascript; charset=utf-8", include_str!("../../../templates/watch.js")))
            .route("/state", get(state))
            .route("/events", get(events))
            .route("/source", put(save).get(source).layer(DefaultBodyLimit::max(MAX_DOCUMENT as usize)))
            .route("/still/{key}/{number}", get(still))
            .route("/clip/{name}", get(clip))
            .route("/scenes/{id}/clip", post(make_clip))
            .with_state(self)
    }
}

async fn state(State(desk): State<Desk>) -> Json<Board> {
    Json(desk.board.now())
}

/// An event with its number for each version of the board; a slow reader misses some.
async fn events(State(desk): State<Desk>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let versions = unfold((desk.board.versions(), true), |(mut versions, first)| async move {
        if !first && versions.changed().await.is_err() {
            return None;
        }
        let version = *versions.borrow_and_update();
        Some((Ok(Event::default().data(version.to_string())), (versions, false)))
    });
    let services = desk.services.clone();
    let ends = Box::pin(async move { services.interrupted().await });
    Sse::new(versions.take_until(ends)).keep_alive(KeepAlive::new().interval(STILL_THERE))
}

async fn still(State(desk): State<Desk>, PathParam((key, number)): PathParam<(String, usize)>) -> Response {
    let drawn = desk.stills.get(&key);
    match drawn.as_ref().and_then(|drawn| drawn.pictures.get(number)) {
        // The key changes with the picture.
        Some(picture) => {
            ([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "private, max-age=3600, immutable")], picture.clone())
                .into_response()
        }
        None => Failure::new(Code::HttpNoSuchPath, "that picture is no longer there").into_response(),
    }
}

async fn clip(State(desk): State<Desk>, PathParam(name): PathParam<String>, headers: HeaderMap) -> Response {
    match desk.board.clip(&format!("clip/{name}")) {
        Some(clip) => ranged(clip, &headers),
        None => Failure::new(Code::HttpNoSuchPath, "that clip is no longer there").into_response(),
    }
}

/// The part of a clip that a player asks for: browsers seek by ranges.
fn ranged(clip: Bytes, headers: &HeaderMap) -> Response {
    use ::http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
    let kind = [(CONTENT_TYPE, "video/mp4"), (ACCEPT_RANGES, "bytes")];
    let asked = headers.get(RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let Some((from, to)) = asked.and_then(|asked| asked.split_once('-')) else {
        return (kind, clip).into_response();
    };
    let last = clip.len().saturating_sub(1);
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), to) => (from, to.unwrap_or(last).min(last)),
        (Err(_), Ok(tail)) => (clip.len().saturating_sub(tail), last),
        (Err(_), Err(_)) => (0, last),
    };
    if from > to || from >= clip.len() {
        return Failure::new(Code::HttpNoSuchRange, "the clip has no such bytes").into_response();
    }
    let range = format!("bytes {from}-{to}/{}", clip.len());
    (StatusCode::PARTIAL_CONTENT, kind, [(CONTENT_RANGE, range)], clip.slice(from..=to)).into_response()
}

async fn make_clip(State(desk): State<Desk>, PathParam(id): PathParam<String>) -> Response {
    if !desk.board.now().scenes.iter().any(|scene| scene.id == id) {
        return Failure::new(Code::HttpNoSuchPath, "the document has no such scene").into_response();
    }
    // The receiver lives as long as the page.
    let _ = desk.clips.send(id);
    StatusCode::ACCEPTED.into_response()
}

/// The document's text, and what it is known by.
async fn source(State(desk): State<Desk>) -> Result<Response, Failure> {
    let (document, _) = document(&desk.path).map_err(failure)?;
    let tag = tag(&document.bytes);
    Ok(([(ETAG, tag), (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned())], document.bytes).into_response())
}

/// Writes the document, unless somebody else has written it since the page read it.
async fn save(State(desk): State<Desk>, headers: HeaderMap, text: Bytes) -> Result<Response, Failure> {
    let (document, _) = document(&desk.path).map_err(failure)?;
    let known = headers.get(IF_MATCH).and_then(|known| known.to_str().ok());
    if known != Some(&tag(&document.bytes)) {
        let message = "the file was changed by another program since this page read it";
        return Ok((StatusCode::PRECONDITION_FAILED, message).into_response());
    }
    if let Some((store, key)) = &desk.kept {
        store.put(key, text.to_vec(), "application/octet-stream", Deadline::after(KEEP)).await?;
    }
    let (path, written) = (desk.path.clone(), text.clone());
    let saved = tokio::task::spawn_blocking(move || replace(&path, &written)).await;
    match saved.map_err(std::io::Error::other).and_then(|saved| saved) {
        Ok(()) => Ok(([(ETAG, tag(&text))], StatusCode::NO_CONTENT).into_response()),
        Err(error) => Err(Failure::new(Code::StoreFile, format!("can't write {}: {error}", desk.path.display()))),
    }
}

/// Writes a file whole: whoever reads it meanwhile sees the old one or the new one. It keeps its mode.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions();
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.as_file().set_permissions(mode)?;
    file.persist(path)?;
    Ok(())
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(bytes)[..12]))
}

fn failure(error: JobError) -> Failure {
    Failure::new(error.code, error.message)
}

/// Where the page is served by default.
pub(super) const ADDRESS: &str = "127.0.0.1:8766";
