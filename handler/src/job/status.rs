//! `status.json`: one document with everything about a job.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storyboard::Warning;

use super::JobId;
use crate::error::{JobError, Stage};

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Claimed, nothing done yet.
    Queued,
    /// A worker is making it.
    Running,
    /// The film is complete.
    Succeeded,
    /// The film is complete, with replacements that `scenes` lists.
    Degraded,
    /// There is no film; `error` says why.
    Failed,
    /// It was cancelled on request.
    Cancelled,
    /// The deadline passed first.
    TimedOut,
}

impl State {
    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Whether `self` may become `next`, as [`MOVES`] says. A state always stays itself within one generation.
    pub fn may_become(self, next: Self, new_generation: bool) -> bool {
        let same = self == next && !new_generation;
        same || MOVES.iter().any(|step| (step.from, step.to, step.new_generation) == (self, next, new_generation))
    }

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

/// An allowed change of a job's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
    /// Whether the generation grows, which fences off the previous owner.
    pub new_generation: bool,
    /// When it happens.
    pub when: &'static str,
}

/// The allowed state changes, as shown in `docs/status.md`. No other is ever written.
pub const MOVES: &[Step] = {
    const fn within(from: State, to: State, when: &'static str) -> Step {
        Step { from, to, new_generation: false, when }
    }
    const fn fenced(from: State, to: State, when: &'static str) -> Step {
        Step { from, to, new_generation: true, when }
    }
    use State::{Cancelled, Degraded, Failed, Queued, Running, Succeeded, TimedOut};
    &[
        within(Queued, Running, "its owner begins"),
        within(Queued, Failed, "it failed before it began"),
        within(Queued, TimedOut, "its deadline came before it began"),
        within(Running, Succeeded, "the film is there, as planned"),
        within(Running, Degraded, "the film is there, with replacements"),
        within(Running, Failed, "there is no film; `error` says why"),
        within(Running, TimedOut, "the deadline came before the film"),
        fenced(Queued, Cancelled, "it is cancelled on request"),
        fenced(Running, Cancelled, "it is cancelled on request"),
        fenced(Queued, Queued, "its owner has died, another takes over"),
        fenced(Running, Queued, "its owner has died, another takes over"),
        fenced(Running, Running, "the next task of its state machine goes on"),
        fenced(Succeeded, Failed, "what it published is lost or damaged"),
        fenced(Degraded, Failed, "what it published is lost or damaged"),
        fenced(Failed, Queued, "it is sent again, and a retry can help or is asked for"),
        fenced(TimedOut, Queued, "it is sent again"),
        fenced(Cancelled, Queued, "it is asked for again"),
    ]
};

/// The status of one scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SceneStatus {
    /// The scene's id in the storyboard.
    pub id: String,
    /// Its state.
    pub state: SceneState,
    /// Frames of its clip; 0 until it is rendered.
    pub frames: u64,
    /// What the stage could not do as the lesson asked.
    pub warnings: Vec<String>,
    /// What was measured on the screen at the end of each beat; empty for a scene that was not laid out here.
    #[serde(default)]
    pub audits: Vec<Audit>,
    /// Why it was replaced, and by what; none when it is as planned.
    pub replaced: Option<String>,
    /// Why a task of its own could not draw it: the task that joins the film does not try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}

/// The state of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SceneState {
    /// Planned.
    Waiting,
    /// Narrated, and being drawn.
    Rendering,
    /// Its clip was drawn by this job.
    Rendered,
    /// Its clip came from the cache.
    Cached,
    /// Replaced by a still card.
    Still,
    /// It is not in the film.
    LeftOut,
}

/// The planner's warning of a script for which there is no font: its letters are shown as boxes.
const NO_FONT: &str = "plan.no_font";

impl SceneState {
    /// Whether nothing more happens to it.
    pub fn is_done(self) -> bool {
        !matches!(self, Self::Waiting | Self::Rendering)
    }
}

/// What the planner used, against what it may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlannerUse {
    /// Of the component.
    pub sha256: String,
    /// Instructions.
    pub fuel_used: u64,
    /// Instructions allowed.
    pub fuel_limit: u64,
    /// Bytes.
    pub memory_used: u64,
    /// Bytes allowed.
    pub memory_limit: u64,
    /// Bytes of the storyboard.
    pub output_bytes: u64,
}

/// The voice of a beat in the film: a beat that was spoken again by another voice has an entry for that one alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BeatVoice {
    /// The beat's id.
    pub beat: String,
    /// The voice's name, as in `voice.chain`.
    pub voice: String,
    /// Calls made for it, those to voices that failed before included; 0 when all of it came from the cache.
    pub tries: u32,
    /// Characters that its voice was asked to speak; those that came from the cache don't count.
    pub characters: u64,
}

/// What the stage measured on the laid-out scenes, over the whole film.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Audit {
    /// Pairs of elements that cover each other.
    pub overlaps: u32,
    /// Elements that leave the frame.
    pub outside: u32,
    /// Texts under the legible floor.
    pub too_small: u32,
    /// Texts that are gone before they can be read; none where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_short: Option<u32>,
    /// Words whose colour does not stand out from what is behind them (4.5 to 1); none where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_contrast: Option<u32>,
    /// Longest time in which nothing on the screen changes while words are spoken, in milliseconds; none where that was not
    /// measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_ms: Option<u32>,
    /// Percent of the room beside the heading that the fullest picture of a scene takes, and of a film that of the emptiest of
    /// its scenes; none where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<u32>,
}

impl Audit {
    /// Adds what was measured elsewhere in the film.
    pub fn add(&mut self, other: Self) {
        self.overlaps = self.overlaps.saturating_add(other.overlaps);
        self.outside = self.outside.saturating_add(other.outside);
        self.too_small = self.too_small.saturating_add(other.too_small);
        let both = |one: Option<u32>, other: Option<u32>, of: fn(u32, u32) -> u32| match (one, other) {
            (Some(one), Some(other)) => Some(of(one, other)),
            (one, other) => one.or(other),
        };
        self.too_short = both(self.too_short, other.too_short, u32::saturating_add);
        self.low_contrast = both(self.low_contrast, other.low_contrast, u32::saturating_add);
        self.still_ms = both(self.still_ms, other.still_ms, u32::max);
        self.used_percent = both(self.used_percent, other.used_percent, u32::min);
    }
}

/// Sound against picture, as measured on the finished film.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sync {
    /// The largest error at any beat, in frames.
    pub worst_frames: f64,
}

/// Hits and misses of the clip cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CacheUse {
    /// Clips found.
    pub hits: u32,
    /// Clips made.
    pub misses: u32,
}

/// What the job cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cost {
    /// Seconds from claim to end, over this attempt; of a state machine's film, those of all its tasks.
    pub seconds: f64,
    /// Seconds of film.
    pub film_seconds: f64,
    /// Characters spoken by paid voices.
    pub paid_characters: u64,
}

/// A stage or a scene's drawing, in seconds since the job was claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ran {
    /// The stage.
    pub stage: Stage,
    /// The scene, when it is one scene's drawing.
    pub scene: Option<String>,
    /// Its beginning.
    pub from: f64,
    /// Its end; none while it runs.
    pub to: Option<f64>,
}

/// The whole document. Times are UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Status {
    /// The job's name.
    #[schema(value_type = String, example = "0123456789abcdef01234567")]
    pub job_id: JobId,
    /// Its state.
    pub state: State,
    /// Where it is, or where it ended.
    pub stage: Stage,
    /// 0 to 1.
    pub progress: f64,
    /// First claim.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Last write; the heartbeat.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When the job ends, whatever happens.
    #[schema(value_type = String, format = DateTime)]
    pub deadline: Timestamp,
    /// Grows with every claim; the fencing token against an old owner.
    pub generation: u64,
    /// Its owner: a random name of one attempt. Empty between two tasks of a state machine.
    pub owner: String,
    /// The Step Functions execution whose tasks make the film; none when one process makes it.
    #[serde(default)]
    pub execution: Option<String>,
    /// Claims so far; the next task of the same execution does not count.
    pub attempts: u32,
    /// The film's title, once planned.
    pub title: String,
    /// One for each scene, in film order.
    pub scenes: Vec<SceneStatus>,
    /// None until planned.
    pub planner: Option<PlannerUse>,
    /// One for each spoken beat.
    pub voices: Vec<BeatVoice>,
    /// Over the scenes that could be measured; none before the first one.
    pub audit: Option<Audit>,
    /// Scenes that could not be measured, still cards among them.
    #[serde(default)]
    pub unmeasured_scenes: u32,
    /// None until assembled.
    pub sync: Option<Sync>,
    /// Of clips.
    pub cache: CacheUse,
    /// What the kernel granted for children; null until the first one started.
    #[schema(value_type = Object)]
    pub confinement: serde_json::Value,
    /// What was used.
    pub cost: Cost,
    /// What was published: kind (`film`, `captions_vtt`, …) → key in the bucket.
    pub outputs: BTreeMap<String, String>,
    /// What ran when, in the order of beginnings: each stage, and the drawing of each scene.
    #[serde(default)]
    pub timeline: Vec<Ran>,
    /// What could not be done as the lesson asked.
    #[schema(value_type = Vec<Object>)]
    pub warnings: Vec<Warning>,
    /// Why there is no (whole) film.
    pub error: Option<JobError>,
}

impl Status {
    /// A job that was claimed just now, for the first time.
    pub fn queued(job_id: JobId, owner: String, deadline: Timestamp) -> Self {
        let now = Timestamp::now();
        Self {
            job_id,
            state: State::Queued,
            stage: Stage::Intake,
            progress: 0.0,
            created_at: now,
            updated_at: now,
            deadline,
            generation: 1,
            owner,
            execution: None,
            attempts: 1,
            title: String::new(),
            scenes: Vec::new(),
            planner: None,
            voices: Vec::new(),
            audit: None,
            unmeasured_scenes: 0,
            sync: None,
            cache: CacheUse::default(),
            confinement: serde_json::Value::Null,
            cost: Cost::default(),
            outputs: BTreeMap::new(),
            timeline: Vec::new(),
            warnings: Vec::new(),
            error: None,
        }
    }

    /// The next attempt at the same job, by another owner.
    #[must_use]
    pub fn claimed_again(&self, owner: String, deadline: Timestamp) -> Self {
        Self {
            created_at: self.created_at,
            generation: self.generation + 1,
            attempts: self.attempts + 1,
            ..Self::queued(self.job_id.clone(), owner, deadline)
        }
    }

    /// The next task of the same execution, by another owner. What is known of the film stays; warnings are
    /// collected again.
    #[must_use]
    pub fn resumed(&self, owner: String) -> Self {
        let over = self.state.is_final();
        let scene = |scene: &SceneStatus| SceneStatus {
            state: if scene.state == SceneState::Rendered { SceneState::Rendered } else { SceneState::Waiting },
            warnings: Vec::new(),
            audits: Vec::new(),
            replaced: None,
            ..scene.clone()
        };
        Self {
            state: if over { State::Queued } else { self.state },
            stage: self.stage,
            progress: if over { 0.0 } else { self.progress },
            execution: self.execution.clone(),
            attempts: self.attempts + u32::from(!self.owner.is_empty()),
            title: self.title.clone(),
            scenes: self.scenes.iter().map(scene).collect(),
            planner: self.planner.clone(),
            cost: self.cost,
            ..self.claimed_again(owner, self.deadline)
        }
    }

    /// Whether a state machine has it and its time is not over.
    pub fn is_handed_over(&self) -> bool {
        self.execution.is_some() && !self.state.is_final() && Timestamp::now() < self.deadline
    }

    /// Whether there is a film.
    pub fn has_film(&self) -> bool {
        matches!(self.state, State::Succeeded | State::Degraded)
    }

    /// Whether the film shows and says all that the document has: no scene, or part of one, was replaced, and all letters have a font.
    pub fn is_whole(&self) -> bool {
        let replaced = self.scenes.iter().any(|scene| scene.replaced.is_some());
        !replaced && self.warnings.iter().all(|warning| warning.code != NO_FONT)
    }

    /// Whether its fields agree with its state. A document that does not is never written.
    pub fn is_consistent(&self) -> bool {
        let film = self.outputs.contains_key("film");
        match self.state {
            State::Succeeded => film && self.error.is_none(),
            State::Degraded => film && !self.is_whole(),
            State::Failed | State::TimedOut | State::Cancelled => self.error.is_some() && !film,
            State::Queued | State::Running => self.error.is_none() && !film,
        }
    }
}
