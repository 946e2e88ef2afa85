//! The codes of the program's own warnings: something of the document is not in the film as it was meant, and the film is made all the
//! same. The planner has codes of its own; a scene that something stands in for has the code of its error.

use storyboard::{Place, Warning};

macro_rules! codes {
    ($($variant:ident $code:literal $meaning:literal;)*) => {
        /// Every code that a warning of this program can have. The names are stable; `docs/errors.md` lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is documented by its meaning")]
        pub enum WarningCode { $($variant,)* }

        impl WarningCode {
            /// All of them, in the order of `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as users see it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it means, in one clause.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    InputFileMissing "input.file_missing" "a file that the document names can't be used; it is left out";
    InputFileUnused "input.file_unused" "a file beside the document is not used, since another one takes its place";
    CaptionsLeftOut "captions.left_out" "there are no captions in a language that the document names";
    CaptionsAnotherLanguage "captions.another_language" "a translation names another language than the one of its file name";
    CaptionsScenesDiffer "captions.scenes_differ" "a translation has other scenes than the film; those without a counterpart have no captions";
    CaptionsWordsDiffer "captions.words_differ" "a translation of a scene has more or fewer passages than the scene";
    VoiceNotAvailable "voice.not_available" "a voice that was asked for can't be used; the next one speaks";
    VoiceOwnPace "voice.own_pace" "a voice ignores `words_per_minute`";
    VoiceRecordingLeftOut "voice.recording_left_out" "a recording of the author's own can't be used; the film's voice speaks its words";
    VoiceRecordingLength "voice.recording_length" "a recording is far shorter or longer than its words would take";
    VoiceMixed "voice.mixed" "a scene has another voice than the rest of the film";
    RenderWarning "render.warning" "something in a scene is not shown as it was meant";
    AssembleMusicLeftOut "assemble.music_left_out" "the film has no music: its file can't be used";
    AssembleIntroLeftOut "assemble.intro_left_out" "the film has no intro: its file can't be used";
    AssembleOutroLeftOut "assemble.outro_left_out" "the film has no outro: its file can't be used";
    AssembleLoudness "assemble.loudness" "the film is louder or quieter than it should be";
    AssembleUnheard "assemble.unheard" "words were not recognised at their place in the film";
    AssembleNotMeasured "assemble.not_measured" "the synchronisation of sound and picture was not measured";
}

impl WarningCode {
    /// A warning of this code. `place` is where in the document.
    pub fn at(self, place: Option<Place>, message: impl Into<String>) -> Warning {
        Warning { code: self.name().to_owned(), message: message.into(), place }
    }
}
