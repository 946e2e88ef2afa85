//! Scenes of Manim programs: they are run, since nothing else says what they show.

use async_trait::async_trait;
use storyboard::{ManimScene, Place, Scene};

use super::finding::Finding;
use super::{Drawn, Pictures, Preview, numbers, pictures};
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::render::{Performance, Picture, Play, Said, Say, Speaker};
use crate::services::Services;

/// Characters that a voice speaks in a second.
const SPOKEN: f64 = 14.0;

/// Nobody speaks: how long words take is estimated.
struct Silent;

#[async_trait]
impl Speaker for Silent {
    async fn say(&mut self, say: Say) -> Option<Said> {
        Some(Said { seconds: say.text.chars().count() as f64 / SPOKEN, words: Vec::new() })
    }
}

impl Preview {
    pub(super) async fn program(
        &self,
        scene: &Scene,
        program: &ManimScene,
        pictures: Pictures,
        services: &Services,
        deadline: Deadline,
    ) -> Result<Drawn, JobError> {
        let order = self.order(scene, &[], services);
        let clip = self.clips().join(format!("preview-{}.mp4", scene.id));
        let work = self.scratch.work();
        // What is not drawn is not measured.
        let picture = Picture::Clip(&clip);
        let words: Vec<&str> = scene.beats.iter().map(|beat| beat.narration.as_str()).collect();
        let play = Play { order, program, words: &words.join(" "), picture };
        let run = services.renderer.programs.run(play, &mut Silent, deadline, &self.runners).await;
        let performance = run.map_err(|error| error.of_scene(&scene.id))?;
        let wanted = numbers(&performance.frames(), self.quality.fps(), pictures);
        let pictures = pictures::of_clip(&clip, &wanted, services, &work, deadline).await?;
        Ok(Drawn { pictures, findings: self.told(scene, &performance) })
    }

    fn told(&self, scene: &Scene, performance: &Performance) -> Vec<Finding> {
        let told =
            performance.warnings.iter().map(|message| Finding::warning("render.warning", message.clone(), "", None));
        let broken = performance.broken_off.iter().map(|(error, _)| Finding::of_error(error));
        broken.chain(told).map(|finding| self.at_its_line(finding).in_scene(scene)).collect()
    }

    /// In a document that is a program, its lines are the document's.
    pub(super) fn at_its_line(&self, finding: Finding) -> Finding {
        if self.is_program { Finding { place: line(&finding.message).or(finding.place), ..finding } } else { finding }
    }
}

/// The line that a message of a program names, as in `line 7: …`.
fn line(message: &str) -> Option<Place> {
    let after = message.split("line ").nth(1)?;
    let line = after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(Place { line, column: 1 })
}
