//! What went wrong, as data: a stable code, the stage, the place in the document, whether a retry can help, and what
//! the user can do. Rooms have their own errors; at the border each becomes a [`JobError`].

use serde::{Deserialize, Serialize};
use storyboard::Place;

/// The part of a job in which something happened, in the order of a job's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// An event becomes a job, and its document is read.
    Intake,
    /// The document becomes a storyboard.
    Plan,
    /// Beats become sound.
    Narrate,
    /// Scenes become clips.
    Render,
    /// Clips and sound become the film.
    Assemble,
    /// The results are written to the store.
    Publish,
}

impl Stage {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Plan => "plan",
            Self::Narrate => "narrate",
            Self::Render => "render",
            Self::Assemble => "assemble",
            Self::Publish => "publish",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $stage:ident $retryable:literal $meaning:literal $remedy:literal;)*) => {
        /// Every code that a job can end with. The names are stable; the README lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is documented by its meaning and remedy")]
        pub enum Code { $($variant,)* }

        impl Code {
            /// All of them, in the README's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as users see it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Where it usually happens.
            pub fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)* }
            }

            /// Whether the same job can succeed when it is tried again.
            pub fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)* }
            }

            /// What it means, in one clause.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What the user can do.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    IntakeUnknownEvent "intake.unknown_event" Intake false "the event has no shape that is known here" "Send an S3 notification, or {\"document\": {\"name\", \"text\"}}, or {\"source\": \"s3://bucket/key\"}.";
    IntakeBadRequest "intake.bad_request" Intake false "the event has a known shape, but a field of it is wrong" "Mend the field that the message names.";
    IntakeOwnOutput "intake.own_output" Intake false "the event is about an object that the service wrote itself" "Point the trigger at incoming/ alone.";
    HttpUnauthorized "http.unauthorized" Intake false "the request has no right to be here" "Send the bearer token, or sign the request.";
    HttpForbiddenOrigin "http.forbidden_origin" Intake false "the request comes from another site's page" "Open the page that this program serves itself.";
    HttpNoSuchPath "http.no_such_path" Intake false "nothing is served under that path" "Read /openapi.json.";
    HttpWrongMethod "http.wrong_method" Intake false "the path does not take that method" "Read /openapi.json.";
    HttpBadRequest "http.bad_request" Intake false "the request can't be understood" "Mend what the message names; /openapi.json tells what is expected.";
    HttpNoSuchRange "http.no_such_range" Intake false "the file has no such bytes" "Ask for bytes within its length.";
    HttpTooLarge "http.too_large" Intake false "the request's body is larger than it may be" "Split the lesson.";
    HttpKeyReused "http.key_reused" Intake false "the Idempotency-Key was used for another document" "Take a new Idempotency-Key.";
    JobNotFound "job.not_found" Intake false "there is no job of that id" "Check the id; in a bucket, old jobs go with its lifecycle rules.";
    JobNotReady "job.not_ready" Publish true "the job has not made that yet" "Ask again when the job is over; its status says whether it will come.";
    InputNotFound "input.not_found" Intake false "the document is not where the job says" "Check that the file or object is still there, and its path, or bucket and key.";
    InputTooLarge "input.too_large" Intake false "the document is larger than 8 MiB" "Split the lesson, or take out what isn't text.";
    InputEmpty "input.empty" Plan false "the document has no content" "Write a heading and a paragraph.";
    InputNotUtf8 "input.not_utf8" Plan false "the document is not UTF-8 text" "Save it as UTF-8.";
    InputUnknownFormat "input.unknown_format" Plan false "the document's extension is not one that is read here" "Name it .md (a lesson), .json (a lecture plan or a storyboard) or .py (Manim scenes).";
    InputJsonInvalid "input.json_invalid" Plan false "the file is no JSON that can be understood, even with the usual slips mended" "Mend the place that the message names.";
    InputStoryboardInvalid "input.storyboard_invalid" Plan false "the JSON file is meant as a storyboard and is none" "Compare it with planner-wasm/schema/storyboard.json.";
    InputNoSceneClass "input.no_scene_class" Plan false "the Python file has no Manim scene class" "Write `class Name(Scene):` with a `construct` method.";
    InputFrontMatterInvalid "input.front_matter_invalid" Plan false "the front matter is no YAML, or has a value that can't be" "Mend the line that the message names.";
    InputNoHeading "input.no_heading" Plan false "the lesson has no heading" "Begin it with `# Title` and each scene with `## Heading`.";
    InputNothingToShow "input.nothing_to_show" Plan false "the lesson has headings, but nothing to say or show" "Write paragraphs, which are spoken, and lists, formulas, code or plots, which are shown.";
    PlanTooLarge "plan.too_large" Plan false "the document makes more scenes, beats or elements than one film may have" "Split the lesson.";
    PlanRefused "plan.refused" Plan false "the planner refused the document for a reason of its own" "Read the message; it comes from the planner.";
    PlannerOutOfFuel "planner.out_of_fuel" Plan false "the planner used up its instructions" "Split the document; a planner of your own may be in a loop.";
    PlannerTimedOut "planner.timed_out" Plan false "the planner ran past its wall-clock limit" "Split the document; a planner of your own may be in a loop.";
    PlannerMemoryLimit "planner.memory_limit" Plan false "the planner asked for more memory than it may have" "Split the document.";
    PlannerTableLimit "planner.table_limit" Plan false "the planner asked for larger tables than it may have" "Mend the planner.";
    PlannerStackOverflow "planner.stack_overflow" Plan false "the planner recursed too deep" "Nest less deeply.";
    PlannerOutputLimit "planner.output_limit" Plan false "the planner's storyboard is too large" "Split the document.";
    PlannerTrapped "planner.trapped" Plan false "the planner crashed" "Mend the planner; if it is the built-in one, report the document.";
    PlannerNotFound "planner.not_found" Plan false "the job names a planner that is not there, or may not name one" "Put the component under the prefix that CHALKREEL_PLANNERS names, or render with `--planner FILE`.";
    PlannerCompileLimit "planner.compile_limit" Plan false "compiling the planner takes more time, memory or room than its size allows" "Make the component smaller; nest no components or instances in each other many times over.";
    PlannerComponentInvalid "planner.component_invalid" Plan false "the planner is no component of the planner world" "Build it against planner-wasm/wit/planner.wit.";
    PlannerImportsNotGranted "planner.imports_not_granted" Plan false "the planner imports something that it isn't given" "Build it without those imports.";
    PlannerStoryboardInvalid "planner.storyboard_invalid" Plan false "the planner's storyboard breaks a rule of the host's own check" "Mend the planner; if it is the built-in one, report the document.";
    VoiceExhausted "voice.exhausted" Narrate true "no voice could speak a beat" "See the log for each voice's own error; `chalkreel doctor` tells whether the local voice is there.";
    VoiceNotDecodable "voice.not_decodable" Narrate true "a voice returned sound that can't be decoded" "Try again, or another voice.";
    VoiceTooDear "voice.too_dear" Narrate false "voices that cost money would speak more characters than the lesson allows" "Raise `max_characters` under `voice`, shorten the lesson, or put a voice that costs nothing first.";
    RenderCouldNotStart "render.could_not_start" Render true "the stage could not be started" "Run `chalkreel doctor`; `make tools` builds what is missing.";
    RenderTimedOut "render.timed_out" Render true "a scene took longer to render than it may" "Simplify the scene, or raise MANIM_TIMEOUT.";
    RenderStalled "render.stalled" Render true "a scene made no frame for STALL_TIMEOUT" "Simplify the scene; try again.";
    RenderRefused "render.refused" Render false "Manim programs are not run here" "Set MANIM_SOURCE, or use a kernel that can confine them.";
    RenderCrashed "render.crashed" Render true "the process that rendered a scene died" "Try again; see the log for its last words.";
    RenderOutOfMemory "render.out_of_memory" Render false "a scene needed more memory than it may have" "Simplify the scene, lower the quality, or give the machine or the function more memory.";
    RenderFailed "render.failed" Render false "Manim raised an error in a scene" "See the message; simplify the scene.";
    RenderTooManyFiles "render.too_many_files" Render false "a Manim program left more files, folders or bytes than it may" "Write less beside the picture: 20,000 files, 32 folders in each other, and a quarter of the free disk, 4 GiB at the most.";
    RenderWrongClip "render.wrong_clip" Render false "a clip is not as our encoder makes it" "Leave writing the clip to Manim; if it is no Manim program, run `make tools`, for layers and program must be of one version.";
    RenderWrongFrames "render.wrong_frames" Render true "a clip does not have the frames that were promised" "Try again.";
    AssembleFailed "assemble.failed" Assemble true "ffmpeg could not join clips and sound" "See the log for ffmpeg's last words.";
    AssembleTimedOut "assemble.timed_out" Assemble true "ffmpeg took longer than it may" "Try again with more time.";
    AssembleStalled "assemble.stalled" Assemble true "ffmpeg made no progress for STALL_TIMEOUT, twice" "Try again.";
    AssembleWrongFilm "assemble.wrong_film" Assemble true "the joined film does not have the length that was promised" "Try again.";
    StoreNotFound "store.not_found" Publish false "an object that must be there is missing" "Send the document again; in a bucket, check the lifecycle rules.";
    StoreNoBucket "store.no_bucket" Publish false "the bucket is missing" "Check CHALKREEL_BUCKET.";
    StoreDenied "store.denied" Publish false "S3 refused access" "Check the credentials, and on AWS the role's policy.";
    StoreTimedOut "store.timed_out" Publish true "S3 did not answer in time" "Try again.";
    StoreUnavailable "store.unavailable" Publish true "S3 could not be reached, or answered with an error" "Try again.";
    StoreTooLarge "store.too_large" Publish false "an object is larger than it may be" "Split the lesson.";
    StoreDamaged "store.damaged" Publish true "an object arrived other than its checksum says" "Send the document again: what is damaged is made anew.";
    StoreRefused "store.refused" Publish false "S3 refused a call as it stands" "Read the message; a server of your own may not be a full S3.";
    StoreFile "store.file" Publish true "a local file could not be read or written" "Free space where the message says, or make it writable.";
    JobDeadline "job.deadline" Publish true "the job's deadline came before its film" "Give it more time (JOB_TIMEOUT, the function's timeout), or split the lesson.";
    JobLost "job.lost" Publish false "another worker took the job over" "Nothing: the other one goes on with it.";
    JobCancelled "job.cancelled" Publish false "somebody asked for the job's end" "Nothing; send the document again to begin anew.";
    JobCrashed "job.crashed" Publish true "the function died while it worked on the job, more than once" "See the log of the process that died; give it more memory, and send the document again.";
    JobInterrupted "job.interrupted" Publish true "the process was told to stop" "Send the document again: what was finished is kept.";
    ScratchFailed "scratch.failed" Intake true "the scratch folder can't be written" "Free space where TMPDIR is, or make it writable; on Lambda give the function more ephemeral storage.";
}

impl Code {
    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// A failure as the user gets it, in `status.json` and on the terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, utoipa::ToSchema)]
#[error("{code}: {message}")]
pub struct JobError {
    /// Stable, for example `planner.out_of_fuel`.
    pub code: String,
    /// Where in the job's way.
    pub stage: Stage,
    /// What happened, for the user.
    pub message: String,
    /// What the user can do.
    pub remedy: String,
    /// Where in the document.
    #[schema(value_type = Option<Object>)]
    pub place: Option<Place>,
    /// Whether the same job can succeed when it is tried again.
    pub retryable: bool,
}

impl JobError {
    /// A failure with the code's own stage, remedy and retryability.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.name().to_owned(),
            stage: code.stage(),
            message: message.into(),
            remedy: code.remedy().to_owned(),
            place: None,
            retryable: code.retryable(),
        }
    }

    /// The same, in another stage than the code's usual one.
    #[must_use]
    pub fn in_stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// The same, with what helps where this happened, instead of what helps with the code anywhere.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// The same, with a place in the document.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place.or(self.place);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        for (index, code) in Code::ALL.iter().enumerate() {
            let name = code.name();
            let well_formed = name.split('.').count() == 2
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '_');
            assert!(well_formed, "{name}");
            assert!(Code::ALL[index + 1..].iter().all(|other| other.name() != name), "{name} stands twice");
            assert_eq!(Code::from_name(name), Some(*code));
            assert!(code.remedy().ends_with('.') && !code.meaning().ends_with('.'), "{name}");
        }
    }
}
