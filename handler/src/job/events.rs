//! The events of a job, and how each changes the job's status.
//!
//! In: an event, and when it happened. Out: the changed [`Status`]. It reads no clock and notifies nobody: the
//! holder of the job's lease does.

use storyboard::{Place, Warning};

use super::status::{Audit, BeatVoice, PlannerUse, Ran, SceneState, SceneStatus, State, Status};
use crate::error::{JobError, Stage, WarningCode};

/// The range of a job's progress that rendering covers.
const RENDERING: (f64, f64) = (0.05, 0.9);

/// Something that happened to a job.
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// A stage begins.
    StageBegan {
        /// Which.
        stage: Stage,
        /// How far the job is then, from 0 to 1.
        progress: f64,
    },
    /// A lesson was written, and is under this key.
    Wrote(String),
    /// The planner has answered or failed; none when it never ran.
    PlannerRan(Option<PlannerUse>),
    /// The film is planned.
    Planned {
        /// The film's title.
        title: String,
        /// Ids of its scenes, in film order.
        scenes: Vec<String>,
        /// The planner's warnings.
        warnings: Vec<Warning>,
    },
    /// Something could not be done as the lesson asked.
    Warned(Vec<Warning>),
    /// Paid voices have spoken so many characters.
    Paid(u64),
    /// A scene is narrated, and is being drawn.
    SceneBegan {
        /// Its id.
        scene: String,
    },
    /// A scene, or a part of it, was replaced.
    SceneReplaced {
        /// Its id.
        scene: String,
        /// Why.
        error: JobError,
        /// The replacement, as a clause.
        instead: String,
    },
    /// A scene has its clip, or is left out of the film when it has none.
    SceneMade {
        /// Its id.
        scene: String,
        /// Its picture.
        clip: Option<SceneClip>,
        /// The voices of its beats.
        voices: Vec<BeatVoice>,
        /// What the kernel granted for children so far.
        confinement: serde_json::Value,
    },
    /// A scene was made again, in another voice: what is known of its picture stays valid.
    SceneRemade {
        /// Its id.
        scene: String,
        /// Its picture.
        clip: SceneClip,
        /// The voices of its beats now.
        voices: Vec<BeatVoice>,
    },
    /// A scene could not be made again in another voice, and keeps the old one.
    SceneKeptVoice {
        /// Its id.
        scene: String,
        /// Where it is in the document.
        place: Option<Place>,
        /// Why.
        why: String,
    },
    /// A task of its own has drawn a scene, or failed to.
    SceneDrawnAlone {
        /// Its id.
        scene: String,
        /// Its picture, or the error.
        clip: Result<SceneClip, JobError>,
        /// Seconds that the task took.
        seconds: f64,
    },
}

/// What a status says of a scene's clip.
#[derive(Debug, Clone)]
pub struct SceneClip {
    /// How it came to be.
    pub origin: ClipOrigin,
    /// Frames in all.
    pub frames: u64,
    /// Warnings of the stage.
    pub warnings: Vec<String>,
    /// What was measured on it; none when nothing was.
    pub audit: Option<Audit>,
    /// The same at the end of each beat; empty for what was not laid out.
    pub beat_audits: Vec<Audit>,
}

/// How a clip came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipOrigin {
    /// The stage drew it now.
    Drawn,
    /// It was drawn earlier, by this job or another.
    Cached,
    /// It is a still card.
    Card,
}

impl Status {
    /// The status after `event`, which happened `at` seconds after the job was claimed.
    pub fn apply(&mut self, event: JobEvent, at: f64) {
        match event {
            JobEvent::StageBegan { stage, progress } => {
                self.state = State::Running;
                self.stage = stage;
                // A scene that another machine has finished stays so.
                self.progress = self.progress.max(progress);
                self.end(None, at);
                self.timeline.push(Ran { stage, scene: None, from: at, to: None });
            }
            JobEvent::Wrote(key) => {
                self.outputs.insert("lesson".to_owned(), key);
            }
            JobEvent::PlannerRan(planner) => self.planner = planner,
            JobEvent::Planned { title, scenes, warnings } => {
                self.title = title;
                self.warnings.extend(warnings);
                self.scenes = scenes.into_iter().map(waiting).collect();
            }
            JobEvent::Warned(warnings) => self.warnings.extend(warnings),
            JobEvent::Paid(characters) => self.cost.paid_characters += characters,
            JobEvent::SceneBegan { scene } => {
                // A scene that a task of its own has drawn is already in the timeline.
                if let Some(found) = self.scene(&scene).filter(|found| found.state != SceneState::Rendered) {
                    found.state = SceneState::Rendering;
                }
                self.timeline.push(Ran { stage: Stage::Render, scene: Some(scene), from: at, to: None });
            }
            JobEvent::SceneReplaced { scene, error, instead } => self.replaced(&scene, &error, &instead),
            JobEvent::SceneMade { scene, clip, voices, confinement } => {
                self.confinement = confinement;
                self.end(Some(&scene), at);
                self.voices.extend(voices);
                self.made(&scene, clip);
            }
            JobEvent::SceneRemade { scene, clip, voices } => {
                self.end(Some(&scene), at);
                self.voices.retain(|old| voices.iter().all(|new| new.beat != old.beat));
                self.voices.extend(voices);
                if let Some(found) = self.scene(&scene) {
                    (found.state, found.frames) = (state_of(clip.origin), clip.frames);
                }
            }
            JobEvent::SceneKeptVoice { scene, place, why } => {
                let message = format!(
                    "scene {scene} has another voice than the film, since it could not be made again in the new one: {why}"
                );
                self.end(Some(&scene), at);
                if let Some(found) = self.scene(&scene) {
                    found.state = SceneState::Rendered;
                }
                self.warnings.push(WarningCode::VoiceMixed.at(place, message));
            }
            JobEvent::SceneDrawnAlone { scene, clip, seconds } => {
                if let Some(found) = self.scene(&scene) {
                    match clip {
                        Ok(clip) => {
                            (found.state, found.frames, found.error) = (state_of(clip.origin), clip.frames, None);
                        }
                        Err(error) => found.error = Some(error),
                    }
                }
                self.stage = Stage::Render;
                self.cost.seconds += seconds;
                self.rendering();
            }
        }
    }

    fn scene(&mut self, id: &str) -> Option<&mut SceneStatus> {
        self.scenes.iter_mut().find(|scene| scene.id == id)
    }

    /// Ends the running entry of the scene, or of the job itself, at `at` seconds.
    fn end(&mut self, scene: Option<&str>, at: f64) {
        let open = self.timeline.iter_mut().filter(|ran| ran.to.is_none() && ran.scene.as_deref() == scene);
        open.for_each(|ran| ran.to = Some(at));
    }

    fn replaced(&mut self, scene: &str, error: &JobError, instead: &str) {
        let message = format!("{}; {instead}", error.message);
        if let Some(found) = self.scene(scene) {
            // Many beats of one scene fail for the same reason.
            found.replaced.get_or_insert_with(|| format!("{}: {message}", error.code));
        }
        self.warnings.push(Warning { code: error.code.name().to_owned(), message, place: error.place });
    }

    fn made(&mut self, scene: &str, clip: Option<SceneClip>) {
        let Some(clip) = clip else {
            if let Some(found) = self.scene(scene) {
                found.state = SceneState::LeftOut;
            }
            self.rendering();
            return;
        };
        if let Some(found) = self.scene(scene) {
            // A task of its own has drawn it for this film, and left it in the cache.
            let drawn = found.state == SceneState::Rendered;
            found.state =
                if drawn && clip.origin == ClipOrigin::Cached { SceneState::Rendered } else { state_of(clip.origin) };
            found.frames = clip.frames;
            found.warnings.clone_from(&clip.warnings);
            found.audits = clip.beat_audits;
            match found.state {
                SceneState::Rendered => self.cache.misses += 1,
                SceneState::Cached => self.cache.hits += 1,
                _ => {}
            }
        }
        self.rendering();
        match (&mut self.audit, clip.audit) {
            (Some(sum), Some(of_clip)) => sum.add(of_clip),
            (sum @ None, of_clip @ Some(_)) => *sum = of_clip,
            (_, None) => self.unmeasured_scenes += 1,
        }
        let warning = |message: &String| WarningCode::RenderWarning.at(None, format!("scene {scene}: {message}"));
        self.warnings.extend(clip.warnings.iter().map(warning));
    }

    /// Progress grows with the scenes that are done.
    fn rendering(&mut self) {
        let done = self.scenes.iter().filter(|scene| scene.state.is_done()).count();
        let part = done as f64 / self.scenes.len().max(1) as f64;
        self.progress = self.progress.max(RENDERING.0 + (RENDERING.1 - RENDERING.0) * part);
    }
}

fn waiting(id: String) -> SceneStatus {
    SceneStatus {
        id,
        state: SceneState::Waiting,
        frames: 0,
        warnings: Vec::new(),
        audits: Vec::new(),
        replaced: None,
        error: None,
    }
}

fn state_of(origin: ClipOrigin) -> SceneState {
    match origin {
        ClipOrigin::Drawn => SceneState::Rendered,
        ClipOrigin::Cached => SceneState::Cached,
        ClipOrigin::Card => SceneState::Still,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn status() -> Status {
        let id = "0123456789abcdef01234567".parse().unwrap();
        let mut status = Status::queued(id, "owner".to_owned(), jiff::Timestamp::now());
        let scenes = ["a", "b"].map(str::to_owned).to_vec();
        status.apply(JobEvent::Planned { title: "T".to_owned(), scenes, warnings: Vec::new() }, 0.5);
        status.apply(JobEvent::StageBegan { stage: Stage::Render, progress: 0.05 }, 1.0);
        status
    }

    fn clip(origin: ClipOrigin) -> SceneClip {
        let audit = Audit { overlaps: 1, ..Audit::default() };
        SceneClip { origin, frames: 30, warnings: vec!["w".to_owned()], audit: Some(audit), beat_audits: vec![audit] }
    }

    fn made(scene: &str, clip: Option<SceneClip>) -> JobEvent {
        let voice = BeatVoice { beat: format!("{scene}.1"), voice: "v".to_owned(), tries: 1, characters: 5 };
        JobEvent::SceneMade { scene: scene.to_owned(), clip, voices: vec![voice], confinement: serde_json::json!(true) }
    }

    #[test]
    fn progress_grows_with_each_scene_and_never_shrinks() {
        let mut status = status();
        let mut before = status.progress;
        for (scene, at) in [("a", 2.0), ("b", 3.0)] {
            status.apply(JobEvent::SceneBegan { scene: scene.to_owned() }, at);
            assert_eq!(status.scene(scene).unwrap().state, SceneState::Rendering);
            status.apply(made(scene, Some(clip(ClipOrigin::Drawn))), at + 0.5);
            assert!(status.progress > before, "{before} → {}", status.progress);
            before = status.progress;
        }
        assert_eq!(status.progress, RENDERING.1);
        status.apply(JobEvent::StageBegan { stage: Stage::Plan, progress: 0.02 }, 4.0);
        assert_eq!(status.progress, RENDERING.1);
        assert_eq!((status.cache.misses, status.cache.hits, status.audit.unwrap().overlaps), (2, 0, 2));
        let warnings: Vec<&str> = status.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(warnings, ["scene a: w", "scene b: w"]);
    }

    #[test]
    fn a_stage_ends_when_the_next_begins() {
        let mut status = status();
        status.apply(JobEvent::SceneBegan { scene: "a".to_owned() }, 2.0);
        status.apply(made("a", None), 3.0);
        status.apply(JobEvent::StageBegan { stage: Stage::Assemble, progress: 0.9 }, 4.0);
        let ran: Vec<_> =
            status.timeline.iter().map(|ran| (ran.stage, ran.scene.as_deref(), ran.from, ran.to)).collect();
        let scene = (Stage::Render, Some("a"), 2.0, Some(3.0));
        let stages = [(Stage::Render, None, 1.0, Some(4.0)), (Stage::Assemble, None, 4.0, None)];
        assert_eq!(ran, [stages[0], scene, stages[1]]);
        assert_eq!(status.scene("a").unwrap().state, SceneState::LeftOut);
    }

    #[test]
    fn a_scene_drawn_by_a_task_counts_as_drawn_by_this_job() {
        let mut status = status();
        let failed = JobError::new(Code::RenderCrashed, "it died");
        for clip in [Err(failed), Ok(clip(ClipOrigin::Drawn))] {
            status.apply(JobEvent::SceneDrawnAlone { scene: "a".to_owned(), clip, seconds: 2.0 }, 2.0);
        }
        let scene = status.scene("a").unwrap();
        assert!(scene.error.is_none() && scene.frames == 30);
        assert_eq!(status.cost.seconds, 4.0);
        status.apply(JobEvent::SceneBegan { scene: "a".to_owned() }, 5.0);
        status.apply(made("a", Some(clip(ClipOrigin::Cached))), 6.0);
        status.apply(made("b", Some(clip(ClipOrigin::Cached))), 6.0);
        let states: Vec<SceneState> = status.scenes.iter().map(|scene| scene.state).collect();
        assert_eq!(states, [SceneState::Rendered, SceneState::Cached]);
        assert_eq!((status.cache.misses, status.cache.hits), (1, 1));
    }

    #[test]
    fn the_first_reason_for_a_replacement_is_kept_and_each_is_a_warning() {
        let mut status = status();
        for message in ["one", "two"] {
            let error = JobError::new(Code::VoiceExhausted, message);
            let instead = "its words are captions".to_owned();
            status.apply(JobEvent::SceneReplaced { scene: "a".to_owned(), error, instead }, 2.0);
        }
        let replaced = status.scene("a").unwrap().replaced.clone().unwrap();
        assert_eq!(replaced, "voice.exhausted: one; its words are captions");
        assert_eq!(status.warnings.len(), 2);
    }

    #[test]
    fn a_scene_in_another_voice_is_spoken_by_that_voice_alone() {
        let mut status = status();
        status.apply(made("a", Some(clip(ClipOrigin::Drawn))), 2.0);
        let voice = BeatVoice { beat: "a.1".to_owned(), voice: "other".to_owned(), tries: 1, characters: 5 };
        let remade = SceneClip { frames: 40, ..clip(ClipOrigin::Cached) };
        status.apply(JobEvent::SceneRemade { scene: "a".to_owned(), clip: remade, voices: vec![voice] }, 3.0);
        let voices: Vec<&str> = status.voices.iter().map(|voice| voice.voice.as_str()).collect();
        assert_eq!(voices, ["other"]);
        assert_eq!(status.scene("a").unwrap().frames, 40);
        let kept = JobEvent::SceneKeptVoice { scene: "b".to_owned(), place: None, why: "no time".to_owned() };
        status.apply(kept, 4.0);
        assert_eq!(status.warnings.last().unwrap().code, "voice.mixed");
    }
}
