//! Follows a document: whenever it changes on disk, what changed in it is planned and drawn again, first as stills, then as a clip with its
//! sound.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};
use storyboard::{Document, Scene};
use tracing::warn;

use super::super::document::document;
use super::super::render::folder;
use super::board::{Board, ClipState, ClipView, SharedBoard};
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::keys;
use crate::job::{Again, JobId, JobRequest, Quality, Source};
use crate::pipeline;
use crate::preview::{Drawn, Finding, Pictures, Preview};
use crate::services::Services;

/// How often the document is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Pictures that are kept of scenes that the document has no more: what is undone is there again at once.
const KEPT: usize = 64;
/// Scenes whose clips are made by themselves when they change; more are made when they are asked for.
const CLIPS: usize = 2;
/// The largest clip.
const LARGEST: u64 = 512 << 20;
/// Time for removing what a clip has left in the store.
const TIDY: Duration = Duration::from_secs(10);

/// A followed document.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) path: PathBuf,
    pub(super) services: Arc<Services>,
    pub(super) board: Arc<SharedBoard>,
    pub(super) stills: Arc<Stills>,
    pub(super) clips: tokio::sync::mpsc::UnboundedSender<String>,
}

/// Stills by the key of their scene.
#[derive(Debug, Default)]
pub(super) struct Stills(std::sync::Mutex<HashMap<String, (u64, Arc<Drawn>)>>);

impl Stills {
    pub(super) fn get(&self, key: &str) -> Option<Arc<Drawn>> {
        self.lock().get(key).map(|(_, drawn)| drawn.clone())
    }

    fn keep(&self, key: &str, round: u64, drawn: Arc<Drawn>) {
        self.lock().insert(key.to_owned(), (round, drawn));
    }

    /// Forgets all but those of `current`, and the newest of the others.
    fn prune(&self, current: &[String], round: u64) {
        let mut kept = self.lock();
        for key in current {
            if let Some((last, _)) = kept.get_mut(key) {
                *last = round;
            }
        }
        let mut old: Vec<u64> = kept.values().map(|(last, _)| *last).filter(|last| *last < round).collect();
        old.sort_unstable();
        if let Some(oldest) = old.len().checked_sub(KEPT).and_then(|index| old.get(index)).copied() {
            kept.retain(|_, (last, _)| *last >= oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (u64, Arc<Drawn>)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Follower {
    /// Follows it until it is dropped.
    pub(super) async fn follow(self) {
        let (mut round, mut before) = (0, None);
        loop {
            let seen = state(&self.path);
            round += 1;
            let drawn = self.draw(round, &mut before);
            // A change while it is drawn makes the drawing worthless.
            tokio::select! {
                () = drawn => changed(&self.path, &seen).await,
                () = changed(&self.path, &seen) => {}
            }
        }
    }

    /// Plans and draws what is new. `before` are the keys of the document that was drawn last.
    async fn draw(&self, round: u64, before: &mut Option<Vec<String>>) {
        let deadline = Deadline::after(self.services.config.job_timeout);
        let (source, preview) = match self.plan(deadline).await {
            Ok(planned) => planned,
            Err(error) => return self.board.refuse(Finding::of_error(&error)),
        };
        let scenes = &preview.storyboard.scenes;
        let keys: Vec<String> = scenes.iter().map(|scene| preview.key(scene, &self.services)).collect();
        self.board.plan(source, &preview, &keys);
        let mut missing = Vec::new();
        for (scene, key) in scenes.iter().zip(&keys) {
            match self.stills.get(key) {
                Some(drawn) => self.board.draw(key, &drawn),
                None => missing.push((scene, key)),
            }
        }
        let changed = changed_scenes(scenes, &keys, before.as_deref());
        for scene in changed.iter().take(CLIPS).filter(|_| changed.len() <= CLIPS) {
            // The receiver lives as long as the page.
            let _ = self.clips.send(scene.clone());
        }
        let mut drawing = Vec::new();
        for (scene, key) in missing {
            let drawn = preview.scene(scene, Pictures::Beats, &self.services, deadline);
            drawing.push(async move { (key, scene, drawn.await) }.boxed());
        }
        let mut drawing = stream::iter(drawing).buffer_unordered(self.services.config.parallel);
        while let Some((key, scene, drawn)) = drawing.next().await {
            match drawn {
                Ok(drawn) => {
                    let drawn = Arc::new(drawn);
                    self.stills.keep(key, round, drawn.clone());
                    self.board.draw(key, &drawn);
                }
                Err(error) => self.board.fail(key, preview.failed(scene, &error)),
            }
        }
        drop(drawing);
        self.stills.prune(&keys, round);
        *before = Some(keys);
    }

    async fn plan(&self, deadline: Deadline) -> Result<(Arc<Vec<u8>>, Preview), JobError> {
        let (document, base) = document(&self.path)?;
        let source = Arc::new(document.bytes.clone());
        Ok((source, Preview::of(document, &base, Quality::Draft, &self.services, deadline).await?))
    }
}

/// The ids of the scenes that were not in the document before; none when there was none before.
fn changed_scenes(scenes: &[Scene], keys: &[String], before: Option<&[String]>) -> Vec<String> {
    let Some(before) = before else { return Vec::new() };
    let new = scenes.iter().zip(keys).filter(|(_, key)| !before.contains(key));
    new.map(|(scene, _)| scene.id.clone()).collect()
}

/// What changes whenever the document or a file that it names is written; none while it can't be read.
fn state(path: &Path) -> Option<String> {
    let (document, _) = document(path).ok()?;
    let about = std::fs::metadata(path).ok()?;
    let changed = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", about.len(), changed.as_nanos(), folder(path, &document.bytes).version))
}

/// Waits until the document's state is another one.
async fn changed(path: &Path, seen: &Option<String>) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let now = state(path);
        // An editor that replaces the file takes it away for a moment.
        if now.is_some() && now != *seen {
            return;
        }
    }
}

/// Makes the clips of scenes that are asked for, one at a time, the last one asked for first.
#[derive(Debug)]
pub(super) struct ClipMaker {
    pub(super) path: PathBuf,
    pub(super) services: Arc<Services>,
    pub(super) board: Arc<SharedBoard>,
}

impl ClipMaker {
    /// Makes them until nobody can ask any more.
    pub(super) async fn make(self, mut wanted: tokio::sync::mpsc::UnboundedReceiver<String>) {
        let mut number = 0_u64;
        while let Some(first) = wanted.recv().await {
            // Of those that came meanwhile too, each once, the newest last.
            let mut scenes = vec![first];
            while let Ok(more) = wanted.try_recv() {
                scenes.push(more);
            }
            let mut seen = Vec::new();
            for scene in scenes.into_iter().rev() {
                if seen.contains(&scene) {
                    continue;
                }
                seen.push(scene.clone());
                number += 1;
                self.one(&scene, number).await;
            }
        }
    }

    async fn one(&self, scene: &str, number: u64) {
        // Words and key of the same moment: the file may be newer already.
        let Board { document: name, scenes, source, .. } = self.board.now();
        let Some(key) = scenes.iter().find(|view| view.id == scene).map(|view| view.key.clone()) else { return };
        let document = Document { name, bytes: source.to_vec() };
        let view = |state, path, error| ClipView { key: key.clone(), state, path, error };
        self.board.film(scene, view(ClipState::Making, None, None), None);
        match self.film(document, scene, number).await {
            Ok(film) => {
                let path = format!("clip/{number}.mp4");
                self.board.film(scene, view(ClipState::Made, Some(path), None), Some(film));
            }
            Err(error) => self.board.film(scene, view(ClipState::Failed, None, Some(error.message)), None),
        }
    }

    /// The film of one scene: a job like any other, whose files are not kept.
    async fn film(&self, document: Document, scene: &str, number: u64) -> Result<Bytes, JobError> {
        let ends = Deadline::after(self.services.config.job_timeout);
        let folder = Some(folder(&self.path, &document.bytes));
        let source = Source::Inline { name: document.name, bytes: document.bytes, folder };
        // A job of its own each time, so that none finds what another has removed.
        let token = Some(format!("watch {} {number} {}", std::process::id(), jiff::Timestamp::now()));
        let quality = Some(Quality::Draft);
        let request = JobRequest { quality, token, scenes: vec![scene.to_owned()], ..JobRequest::of(source) };
        let id = JobId::of(&request, &self.services.recipe());
        let made = async {
            let status = pipeline::film(request, &self.services, ends, Again::Failed).boxed().await?;
            match (&status.error, status.outputs.get("film")) {
                (None, Some(film)) => Ok(self.services.store.get(film, LARGEST, ends).await?.bytes),
                (Some(error), _) => Err(error.clone()),
                (None, None) => Err(JobError::new(Code::JobInterrupted, "the clip was not finished")),
            }
        };
        let made = made.await;
        self.tidy(&id).await;
        made
    }

    async fn tidy(&self, id: &JobId) {
        let (store, deadline) = (&self.services.store, Deadline::after(TIDY));
        let removed = async {
            for entry in store.list(&keys::of(id, ""), 1_000, deadline).await? {
                store.delete(&entry.key, deadline).await?;
            }
            Ok::<_, crate::store::StoreError>(())
        };
        if let Err(error) = removed.await {
            warn!(%error, "can't remove the files of a clip");
        }
    }
}
