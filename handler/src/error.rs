//! Errors as data: a stable code, the stage, the place in the document, whether a retry can help, and what the user can do.
//! Modules have their own errors, which become a [`JobError`] at their border.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::StoreError;
use storyboard::Place;

pub use warning::WarningCode;

mod warning;

/// A stage of a job, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// An event becomes a job, and its document is read.
    Intake,
    /// The document becomes a storyboard.
    Plan,
    /// Beats are turned into sound.
    Narrate,
    /// Scenes are turned into clips.
    Render,
    /// Clips and sound are joined into the film.
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
        /// Every code that a job can end with. The names are stable; `docs/errors.md` lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is documented by its meaning and remedy")]
        pub enum Code { $($variant,)* }

        impl Code {
            /// All of them, in the order of `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as users see it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The stage in which it usually happens.
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
    IntakeUnknownEvent "intake.unknown_event" Intake false "the event has no known format" "Send an S3 notification, or {\"document\": {\"name\", \"text\"}}, {\"source\": \"s3://bucket/key\"} or {\"question\": \"…\"}.";
    IntakeBadRequest "intake.bad_request" Intake false "the event has a known format, but a field of it is wrong" "Correct the field that the message names.";
    IntakeOwnOutput "intake.own_output" Intake false "the event is about an object that the service wrote itself" "Limit the trigger to the prefix incoming/.";
    HttpUnauthorized "http.unauthorized" Intake false "the request is not authorized" "Send the bearer token, or sign the request.";
    HttpForbiddenOrigin "http.forbidden_origin" Intake false "the request comes from a page of another site" "Use the pages that this server serves itself.";
    HttpNoSuchPath "http.no_such_path" Intake false "there is nothing under that path" "See /openapi.json for all paths.";
    HttpWrongMethod "http.wrong_method" Intake false "the path does not support that method" "See /openapi.json for the methods of each path.";
    HttpBadRequest "http.bad_request" Intake false "the request is not valid" "Correct what the message names; /openapi.json describes valid requests.";
    HttpNoSuchRange "http.no_such_range" Intake false "the requested range is outside of the file" "Request bytes within its length.";
    HttpTooLarge "http.too_large" Intake false "the request's body is larger than allowed" "Split the lesson.";
    HttpKeyReused "http.key_reused" Intake false "the Idempotency-Key was used for another document" "Use a new Idempotency-Key.";
    HttpBusy "http.busy" Intake true "as many requests of that kind are being answered as can be at a time" "Try again in some seconds.";
    JobNotFound "job.not_found" Intake false "there is no job with that id" "Check the id; a bucket's lifecycle rules remove old jobs.";
    JobNotReady "job.not_ready" Publish true "the job has not made that file yet" "Try again when the job has ended; its status says whether it has the file.";
    InputNotFound "input.not_found" Intake false "the document does not exist where the job names it" "Check the path, or bucket and key, and that the file or object still exists.";
    InputTooLarge "input.too_large" Intake false "the document is larger than 8 MiB" "Split the lesson, or remove what isn't text.";
    InputEmpty "input.empty" Plan false "the document has no content" "Write a heading and a paragraph.";
    InputNotUtf8 "input.not_utf8" Plan false "the document is not UTF-8 text" "Save it as UTF-8.";
    InputUnknownFormat "input.unknown_format" Plan false "the document's file extension is not supported" "Name it .md, .mdx, .qmd or .Rmd (a lesson), .ipynb (a notebook), .json (a lecture plan or a storyboard) or .py (Manim scenes).";
    InputJsonInvalid "input.json_invalid" Plan false "the file is not valid JSON, even after correcting common mistakes" "Correct the place that the message names.";
    InputStoryboardInvalid "input.storyboard_invalid" Plan false "the JSON file looks like a storyboard, but is not a valid one" "Compare it with planner-wasm/schema/storyboard.json.";
    InputNoSceneClass "input.no_scene_class" Plan false "the Python file has no Manim scene class" "Write `class Name(Scene):` with a `construct` method.";
    InputNothingToShow "input.nothing_to_show" Plan false "the lesson has headings, but nothing to say or show" "Write paragraphs, which are spoken, and lists, formulas, code or plots, which are shown.";
    PlanTooLarge "plan.too_large" Plan false "the document has more scenes, beats or elements than one film may have" "Split the lesson.";
    PlanRefused "plan.refused" Plan false "the planner refused the document for a reason of its own" "Follow the message, which comes from the planner.";
    PlannerOutOfFuel "planner.out_of_fuel" Plan false "the planner used up its limit of instructions" "Split the document; a custom planner may be in an endless loop.";
    PlannerTimedOut "planner.timed_out" Plan false "the planner exceeded its time limit" "Split the document; a custom planner may be in an endless loop.";
    PlannerMemoryLimit "planner.memory_limit" Plan false "the planner requested more memory than allowed" "Split the document.";
    PlannerTableLimit "planner.table_limit" Plan false "the planner requested larger tables than allowed" "Correct the planner.";
    PlannerStackOverflow "planner.stack_overflow" Plan false "the planner overflowed its stack" "Nest the document's elements less deeply; a custom planner may recurse without end.";
    PlannerOutputLimit "planner.output_limit" Plan false "the planner's storyboard is larger than allowed" "Split the document.";
    PlannerTrapped "planner.trapped" Plan false "the planner crashed" "Correct the planner; if it is the built-in one, please report the document.";
    PlannerNotFound "planner.not_found" Plan false "the job names a planner that does not exist, or may not name one" "Upload the component under the prefix in CHALKREEL_PLANNERS, or render with `--planner FILE`.";
    PlannerCompileLimit "planner.compile_limit" Plan false "compiling the planner takes more time, memory or disk space than its size allows" "Make the component smaller; avoid many nested components or instances.";
    PlannerComponentInvalid "planner.component_invalid" Plan false "the planner is not a component of the planner world" "Build it against planner-wasm/wit/planner.wit.";
    PlannerImportsNotGranted "planner.imports_not_granted" Plan false "the planner imports something that planners don't get" "Build it without those imports.";
    PlannerStoryboardInvalid "planner.storyboard_invalid" Plan false "the planner's storyboard does not pass the host's check" "Correct the planner; if it is the built-in one, please report the document.";
    WriteNotConfigured "write.not_configured" Plan false "a question came, and no language model is named that could write a lesson" "Set OPENAI_CHAT_MODEL, and OPENAI_CHAT_BASE_URL and a key where they are needed.";
    WriteDenied "write.denied" Plan false "the language model's server refuses the key, or its account has nothing left" "Check OPENAI_CHAT_API_KEY and OPENAI_CHAT_BASE_URL, and the account.";
    WriteRefused "write.refused" Plan false "the language model's server refuses the request, or the model refuses the question" "See the message; check OPENAI_CHAT_MODEL and OPENAI_CHAT_BASE_URL, or ask differently.";
    WriteUnavailable "write.unavailable" Plan true "the language model's server could not be reached, was busy, or broke off, several times" "Try again later.";
    WriteTimedOut "write.timed_out" Plan true "the language model did not answer in time" "Try again, or raise WRITE_TIMEOUT.";
    WriteBudget "write.budget" Plan false "writing the lesson would take more tokens or calls than allowed" "Raise WRITE_MAX_TOKENS or WRITE_MAX_REQUESTS, or ask for less.";
    WriteNoLesson "write.no_lesson" Plan false "the language model answered, but never with a lesson" "Ask differently, or name another model with OPENAI_CHAT_MODEL.";
    VoiceExhausted "voice.exhausted" Narrate true "no voice could speak a beat" "See the log for the error of each voice; `chalkreel doctor` says whether the local voice is installed.";
    VoiceNotDecodable "voice.not_decodable" Narrate true "a voice returned sound that can't be decoded" "Try again, or use another voice.";
    VoiceTooDear "voice.too_dear" Narrate false "paid voices would speak more characters than the lesson allows" "Raise `max_characters` under `voice`, shorten the lesson, or put a free voice first.";
    RenderCouldNotStart "render.could_not_start" Render true "the stage (Manim worker) could not be started" "Run `chalkreel doctor`; `make tools` builds what is missing.";
    RenderTimedOut "render.timed_out" Render true "rendering a scene took longer than allowed" "Simplify the scene, or raise MANIM_TIMEOUT.";
    RenderStalled "render.stalled" Render true "a scene produced no new frame for STALL_TIMEOUT" "Simplify the scene; try again.";
    RenderRefused "render.refused" Render false "Manim programs may not run here" "Set MANIM_SOURCE to allow them, or use a kernel that can confine them.";
    RenderCrashed "render.crashed" Render true "the process that rendered a scene died" "Try again; see the log for its last output.";
    RenderOutOfMemory "render.out_of_memory" Render false "a scene needed more memory than allowed" "Simplify the scene, lower the quality, or give the machine or the function more memory.";
    RenderFailed "render.failed" Render false "Manim raised an error in a scene" "Simplify or correct the scene; the message is Manim's.";
    ProgramError "program.error" Render false "a Manim program raised an error" "Correct the line that the message names.";
    ProgramUnreadable "program.unreadable" Render false "a Manim program is no valid Python" "Correct the line that the message names.";
    ProgramNoSceneClass "program.no_scene_class" Render false "a Manim program does not define the scene class that the document names" "Define the class at the top level of the program.";
    ProgramOtherManim "program.other_manim" Render false "a program is written for another Manim than the Community Edition" "Change the names that the message lists; `from manim import *` takes the place of `from manimlib import *`.";
    ProgramOpengl "program.opengl" Render false "a Manim program uses classes that only OpenGL can draw" "Use the classes without OpenGL in their names.";
    ProgramInput "program.input" Render false "a Manim program asks for input, and nobody is there to answer" "Write the value into the program.";
    ProgramFilmLimit "program.film_limit" Render false "a Manim program makes a longer film than MANIM_MAX_FILM" "Shorten the program, or raise MANIM_MAX_FILM.";
    ProgramWrongReport "program.wrong_report" Render false "a Manim program's clip is not what the program reported" "Let Manim write the clip: the program changed Manim's own parts, or what connects them to Chalkreel.";
    RenderTooManyFiles "render.too_many_files" Render false "a Manim program wrote more files, nested folders or bytes than allowed" "Write fewer files: the limits are 20,000 files, 32 nested folders, and a quarter of the free disk space, at most 4 GiB.";
    RenderTooManyProcesses "render.too_many_processes" Render false "a Manim program started more processes or threads than allowed" "Start fewer: the limits are 256 processes at a time, those that ended and were not waited for included, and 8,192 threads, or fewer where the machine has fewer.";
    RenderWrongClip "render.wrong_clip" Render false "a clip was not made by our encoder" "In a Manim program, let Manim write the clip; otherwise run `make tools`, since layers and program must have the same version.";
    RenderWrongFrames "render.wrong_frames" Render true "a clip does not have the expected number of frames" "Try again.";
    AssembleFailed "assemble.failed" Assemble true "ffmpeg could not join clips and sound" "See the log for ffmpeg's last output.";
    AssembleTimedOut "assemble.timed_out" Assemble true "ffmpeg took longer than allowed" "Try again with more time.";
    AssembleStalled "assemble.stalled" Assemble true "ffmpeg made no progress for STALL_TIMEOUT, twice" "Try again.";
    AssembleWrongFilm "assemble.wrong_film" Assemble true "the joined film does not have the expected length, or is out of sync" "Try again.";
    StoreNotFound "store.not_found" Publish false "a required object is missing" "Send the document again; in a bucket, check the lifecycle rules.";
    StoreNoBucket "store.no_bucket" Publish false "the bucket does not exist" "Check CHALKREEL_BUCKET.";
    StoreDenied "store.denied" Publish false "S3 refused access" "Check the credentials, and on AWS the role's policy.";
    StoreTimedOut "store.timed_out" Publish true "S3 did not answer in time" "Try again.";
    StoreUnavailable "store.unavailable" Publish true "S3 could not be reached, or answered with an error" "Try again.";
    StoreTooLarge "store.too_large" Publish false "an object is larger than allowed" "Split the lesson.";
    StoreDamaged "store.damaged" Publish true "an object does not match its checksum" "Send the document again: damaged files are made again.";
    StoreRefused "store.refused" Publish false "S3 refused a call" "See the message; an S3 server other than AWS may not support the call.";
    StoreFile "store.file" Publish true "a local file could not be read or written" "Free space where the message says, or make it writable.";
    JobDeadline "job.deadline" Publish true "the job's deadline passed before its film was ready" "Give it more time (JOB_TIMEOUT, the function's timeout), or split the lesson.";
    JobLost "job.lost" Publish false "another worker has taken the job over" "Nothing: the other worker continues the job.";
    JobCancelled "job.cancelled" Publish false "the job was cancelled on request" "Nothing; send the document again to start it again.";
    JobCrashed "job.crashed" Publish true "the function crashed more than once while it worked on the job" "See the function's log; give it more memory, and send the document again.";
    JobInterrupted "job.interrupted" Publish true "the process that worked on the job was told to stop" "Send the document again: finished parts are cached.";
    JobUnknownCode "job.unknown_code" Publish false "the job ended with a code of another version of this program" "See the message, or read the status with the version that wrote it.";
    ScratchFailed "scratch.failed" Intake true "the scratch folder can't be written" "Free space where TMPDIR is, or make it writable; on Lambda give the function more ephemeral storage.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    /// An unknown code becomes [`Code::JobUnknownCode`]: during a deployment, old and new versions read each other's status.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Ok(Self::from_name(&name).unwrap_or(Self::JobUnknownCode))
    }
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
    #[schema(value_type = String)]
    pub code: Code,
    /// The stage in which it happened.
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
            code,
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

    /// The same, with a remedy for this case instead of the code's general one.
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

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        let code = Code::from_name(error.code()).unwrap_or(Code::StoreUnavailable);
        let failed = Self { retryable: error.retryable(), ..Self::new(code, error.to_string()) };
        match error {
            // The status for a full disk, of the embedded store and of others.
            StoreError::Refused { status: 507, .. } => failed.remedy("Free space on the store's disk."),
            _ => failed,
        }
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
            assert!(Code::ALL[index + 1..].iter().all(|other| other.name() != name), "{name} is not unique");
            assert_eq!(Code::from_name(name), Some(*code));
            assert!(code.remedy().ends_with('.') && !code.meaning().ends_with('.'), "{name}");
        }
    }
}
