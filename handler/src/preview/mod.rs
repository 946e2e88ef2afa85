//! A document as its film will look, without making the film: stills of each beat, and what is wrong with them.
//!
//! In: a document. Out: its storyboard; for each scene the pictures that were asked for, and [`Finding`]s with their places in the
//! document. Nobody speaks: beats have the lengths that the planner estimates. Nothing is encoded but Manim programs, whose pictures are
//! taken out of their clips.

mod finding;
mod links;
mod pictures;
mod program;

use std::path::PathBuf;

use storyboard::{Document, ManimScene, Scene, SceneKind, Storyboard};

use crate::assemble::ledger::beat_frames;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::intake::assets::{AssetBase, Assets};
use crate::job::Quality;
use crate::plan::Limits;
use crate::render::{Film, Runners, SceneOrder, Wanted};
use crate::scratch::{Scratch, clips_beside};
use crate::services::Services;

pub use finding::{Finding, Severity};
pub use pictures::MOST as MOST_OF_A_SHEET;

/// Frames per second of what is drawn for its stills at the ends of beats alone.
const FPS: u32 = 4;
/// Samples of a millisecond.
const SAMPLES: usize = 48;

/// What pictures of a scene are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pictures {
    /// None: what is wrong with it is all.
    None,
    /// One for each beat, as it stands at its end.
    Beats,
    /// One for this beat, as it stands at its end; the first has number 0.
    Beat(usize),
    /// One, so many seconds after the scene's beginning.
    At(f64),
}

/// A document that was planned, with the files that it names.
#[derive(Debug)]
pub struct Preview {
    /// The film as planned.
    pub storyboard: Storyboard,
    /// Size of the pictures.
    pub quality: Quality,
    /// Findings that need no picture: the planner's warnings, files that are missing, words without a picture.
    pub findings: Vec<Finding>,
    film: Film,
    /// Whether the document is a Manim program.
    is_program: bool,
    assets: Assets,
    /// They may use folders below `scratch`, and so go before it.
    runners: Runners,
    scratch: Scratch,
}

/// A scene that was drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawn {
    /// PNG, in film order.
    pub pictures: Vec<Vec<u8>>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Preview {
    /// Plans `document`, and fetches the files that it names.
    ///
    /// # Errors
    /// `input.…`, `plan.…`, `planner.…` when it is refused; `scratch.failed`.
    pub async fn of(
        document: Document,
        base: &AssetBase,
        quality: Quality,
        services: &Services,
        deadline: Deadline,
    ) -> Result<Self, JobError> {
        let (scratch, limits) = (services.job_scratch()?, Limits::default());
        let is_program = document.name.ends_with(".py");
        let links = match base {
            AssetBase::Folder { path, .. } => {
                links::missing(&document.name, &String::from_utf8_lossy(&document.bytes), path)
            }
            _ => Vec::new(),
        };
        let planned = services.sandbox.plan(document, &limits, deadline.slice(limits.wall_clock)).await?;
        let storyboard = planned.storyboard;
        let work = scratch.work();
        let (assets, missing) = Assets::fetch(&storyboard, base, &services.store, &work, deadline).await;
        let mut findings: Vec<Finding> = storyboard.warnings.iter().chain(&missing).map(Finding::of_warning).collect();
        findings.extend(links);
        findings.extend(storyboard.scenes.iter().flat_map(finding::words_without_a_picture));
        let film = Film::of(&storyboard);
        let runners = Runners::of(storyboard.scenes.iter().filter_map(program), deadline);
        Ok(Self { storyboard, quality, findings, film, is_program, assets, runners, scratch })
    }

    /// When each scene begins, in seconds of film, and when the film ends.
    pub fn begins(&self) -> Vec<f64> {
        let mut at = 0.0;
        let begins = self.storyboard.scenes.iter().map(|scene| {
            let begins = at;
            at += seconds(scene).iter().sum::<f64>();
            begins
        });
        let mut begins: Vec<f64> = begins.collect();
        begins.push(at);
        begins
    }

    /// What changes whenever the pictures of a scene do: not its place in the document.
    pub fn key(&self, scene: &Scene, services: &Services) -> String {
        let beats = frames(scene, FPS);
        self.order(scene, &beats, services).key().to_string()
    }

    /// Draws a scene of the storyboard.
    ///
    /// # Errors
    /// `render.…` and `program.…` when it can't be drawn.
    pub async fn scene(
        &self,
        scene: &Scene,
        pictures: Pictures,
        services: &Services,
        deadline: Deadline,
    ) -> Result<Drawn, JobError> {
        let drawn = match &scene.kind {
            SceneKind::Manim(program) => Box::pin(self.program(scene, program, pictures, services, deadline)).await,
            _ => self.stills(scene, pictures, services, deadline).await,
        };
        drawn.map_err(|error| error.at(scene.place))
    }

    async fn stills(
        &self,
        scene: &Scene,
        pictures: Pictures,
        services: &Services,
        deadline: Deadline,
    ) -> Result<Drawn, JobError> {
        // In the midst of a movement, it counts how smooth the way is.
        let fps = if matches!(pictures, Pictures::At(_)) { self.quality.fps() } else { FPS };
        let beats = frames(scene, fps);
        let wanted = Wanted { fps, frames: &numbers(&beats, fps, pictures) };
        let order = self.order(scene, &beats, services);
        let drawn = services.renderer.stage.stills(order, wanted, deadline).await;
        let (pictures, report, found) = drawn.map_err(|error| error.of_scene(&scene.id))?;
        Ok(Drawn { pictures, findings: finding::of_picture(scene, &report, &found) })
    }

    /// Why a scene can't be drawn.
    pub fn failed(&self, scene: &Scene, error: &JobError) -> Finding {
        let finding = Finding::of_error(error);
        // The scene's own place says less than its line.
        let finding = if self.is_program { Finding { place: None, ..finding } } else { finding };
        self.at_its_line(finding).in_scene(scene)
    }

    /// One PNG picture of many, each with its number, the first with 1; of more than [`MOST_OF_A_SHEET`], of the first.
    ///
    /// # Errors
    /// `assemble.…` when ffmpeg fails, `scratch.failed`.
    pub async fn sheet(all: &[&[u8]], services: &Services, deadline: Deadline) -> Result<Vec<u8>, JobError> {
        pictures::sheet(all, services, &services.job_scratch()?.work(), deadline).await
    }

    fn order<'o>(&'o self, scene: &'o Scene, beats: &'o [u64], services: &'o Services) -> SceneOrder<'o> {
        let (film, assets, quality, tools) =
            (&self.film, &self.assets, self.quality, services.layers.versions_sha256());
        SceneOrder { scene, film, assets, quality, beats, tools, clips: self.scratch.path() }
    }

    fn clips(&self) -> PathBuf {
        clips_beside(&self.scratch.work())
    }
}

/// Seconds that each beat of a scene is estimated to take, with its pause.
pub fn seconds(scene: &Scene) -> Vec<f64> {
    scene.planned_ms().into_iter().map(|ms| ms as f64 / 1000.0).collect()
}

fn frames(scene: &Scene, fps: u32) -> Vec<u64> {
    beat_frames(scene, scene.beats.iter().map(|beat| beat.estimate_ms as usize * SAMPLES), fps)
}

fn program(scene: &Scene) -> Option<&ManimScene> {
    match &scene.kind {
        SceneKind::Manim(program) => Some(program),
        _ => None,
    }
}

/// The numbers of the wanted frames of beats of these lengths.
fn numbers(beats: &[u64], fps: u32, pictures: Pictures) -> Vec<u64> {
    // A scene fades out in its last frame.
    let last = beats.iter().sum::<u64>().saturating_sub(2);
    let mut at = 0;
    let ends = beats.iter().map(|frames| {
        at += frames;
        (at - 1).min(last)
    });
    let ends: Vec<u64> = ends.collect();
    match pictures {
        Pictures::None => Vec::new(),
        Pictures::Beats => ends,
        Pictures::Beat(number) => ends.get(number).copied().into_iter().collect(),
        Pictures::At(seconds) => vec![((seconds.max(0.0) * f64::from(fps)) as u64).min(last)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_seen_at_its_end_and_the_last_one_before_the_scene_fades() {
        assert_eq!(numbers(&[4, 1, 8], 4, Pictures::Beats), [3, 4, 11]);
        assert_eq!(numbers(&[4, 1, 8], 4, Pictures::Beat(1)), [4]);
        assert!(numbers(&[4], 4, Pictures::Beat(1)).is_empty());
        assert_eq!(numbers(&[1], 4, Pictures::Beats), [0]);
        assert_eq!(numbers(&[15, 30], 15, Pictures::At(2.0)), [30]);
        assert_eq!(numbers(&[15, 30], 15, Pictures::At(9.0)), [43]);
    }
}
