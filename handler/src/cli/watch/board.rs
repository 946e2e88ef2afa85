//! What the page of `chalkreel watch` shows: the document's last good state, and what has become of it since.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use storyboard::Place;
use tokio::sync::watch;

use crate::preview::{Drawn, Finding, Preview, seconds};

/// The page's state, as JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Board {
    /// Grows with each change.
    pub(super) version: u64,
    /// The document's file name.
    pub(super) document: String,
    /// The film's title.
    pub(super) title: String,
    /// Why the document can't be planned as it is now; the scenes are then those of the last one that could.
    pub(super) problem: Option<Finding>,
    /// What is wrong, but for what belongs to a scene.
    pub(super) findings: Vec<Finding>,
    /// In film order.
    pub(super) scenes: Vec<SceneView>,
    /// The document of these scenes.
    #[serde(skip)]
    pub(super) source: Arc<Vec<u8>>,
}

/// A scene on the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SceneView {
    pub(super) id: String,
    pub(super) heading: String,
    pub(super) place: Option<Place>,
    pub(super) beats: Vec<BeatView>,
    pub(super) findings: Vec<Finding>,
    /// What its pictures are kept under; another one when it has changed.
    pub(super) key: String,
    pub(super) state: Drawing,
    pub(super) clip: Option<ClipView>,
}

/// Whether the pictures of a scene are those of its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Drawing {
    /// They are being drawn; what is shown is what there was before.
    Waiting,
    Drawn,
    /// They can't be drawn: a finding says why.
    Failed,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct BeatView {
    pub(super) narration: String,
    pub(super) seconds: f64,
    pub(super) place: Option<Place>,
    /// The path of its picture, from the page's own.
    pub(super) still: Option<String>,
}

/// A scene's clip with its sound.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ClipView {
    /// The scene's key when it was made.
    pub(super) key: String,
    pub(super) state: ClipState,
    /// Its path from the page's own, when it is made.
    pub(super) path: Option<String>,
    /// Why there is none.
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClipState {
    Making,
    Made,
    Failed,
}

/// The board, shared by whoever changes and shows it.
#[derive(Debug)]
pub(super) struct SharedBoard {
    board: Mutex<(Board, Vec<(String, Bytes)>)>,
    version: watch::Sender<u64>,
}

impl SharedBoard {
    pub(super) fn of(document: String) -> Self {
        let board = Board { document, ..Board::default() };
        Self { board: Mutex::new((board, Vec::new())), version: watch::Sender::new(0) }
    }

    /// As it is now.
    pub(super) fn now(&self) -> Board {
        self.lock().0.clone()
    }

    /// Its versions from now on.
    pub(super) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The clip under that path.
    pub(super) fn clip(&self, path: &str) -> Option<Bytes> {
        self.lock().1.iter().find(|(kept, _)| kept == path).map(|(_, clip)| clip.clone())
    }

    /// The document can't be planned.
    pub(super) fn refuse(&self, why: Finding) {
        self.change(|board| board.problem = Some(why));
    }

    /// The document was planned. Until its scenes are drawn, their old pictures stand.
    pub(super) fn plan(&self, source: Arc<Vec<u8>>, preview: &Preview, keys: &[String]) {
        self.change(|board| {
            board.problem = None;
            board.source = source;
            board.title.clone_from(&preview.storyboard.title);
            board.findings.clone_from(&preview.findings);
            let before = std::mem::take(&mut board.scenes);
            board.scenes = preview
                .storyboard
                .scenes
                .iter()
                .zip(keys)
                .map(|(scene, key)| {
                    let old = before.iter().find(|old| old.id == scene.id);
                    let lengths = scene.beats.iter().zip(seconds(scene)).enumerate();
                    let beats = lengths.map(|(index, (beat, seconds))| BeatView {
                        narration: beat.narration.clone(),
                        seconds,
                        place: beat.place.or(scene.place),
                        still: old.and_then(|old| old.beats.get(index)).and_then(|old| old.still.clone()),
                    });
                    SceneView {
                        id: scene.id.clone(),
                        heading: scene.heading.clone(),
                        place: scene.place,
                        beats: beats.collect(),
                        findings: Vec::new(),
                        key: key.clone(),
                        state: Drawing::Waiting,
                        clip: old.and_then(|old| old.clip.clone()),
                    }
                })
                .collect();
        });
    }

    /// A scene was drawn.
    pub(super) fn draw(&self, key: &str, drawn: &Drawn) {
        self.change(|board| {
            for scene in board.scenes.iter_mut().filter(|scene| scene.key == key) {
                scene.state = Drawing::Drawn;
                scene.findings.clone_from(&drawn.findings);
                for (index, beat) in scene.beats.iter_mut().enumerate() {
                    // A Manim program says itself what parts it has.
                    let last = drawn.pictures.len().saturating_sub(1);
                    beat.still = (!drawn.pictures.is_empty()).then(|| format!("still/{key}/{}", index.min(last)));
                }
            }
        });
    }

    /// A scene can't be drawn.
    pub(super) fn fail(&self, key: &str, why: Finding) {
        self.change(|board| {
            for scene in board.scenes.iter_mut().filter(|scene| scene.key == key) {
                scene.state = Drawing::Failed;
                scene.findings = vec![why.clone()];
            }
        });
    }

    /// A scene's clip is being made, was made, or can't be. Clips that no scene has any more are forgotten.
    pub(super) fn film(&self, scene: &str, clip: ClipView, film: Option<Bytes>) {
        let mut locked = self.lock();
        let (board, films) = &mut *locked;
        if let (Some(path), Some(film)) = (&clip.path, film) {
            films.push((path.clone(), film));
        }
        for view in board.scenes.iter_mut().filter(|view| view.id == scene) {
            view.clip = Some(clip.clone());
        }
        let shown: Vec<&String> =
            board.scenes.iter().filter_map(|view| view.clip.as_ref()).filter_map(|clip| clip.path.as_ref()).collect();
        films.retain(|(path, _)| shown.contains(&path));
        drop(locked);
        self.change(|_| {});
    }

    fn change(&self, change: impl FnOnce(&mut Board)) {
        let mut locked = self.lock();
        change(&mut locked.0);
        locked.0.version += 1;
        let version = locked.0.version;
        drop(locked);
        self.version.send_replace(version);
    }

    fn lock(&self) -> MutexGuard<'_, (Board, Vec<(String, Bytes)>)> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
