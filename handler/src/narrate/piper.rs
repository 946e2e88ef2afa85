//! Piper: neural voices that run here, where a model for the lesson's language is installed.
//!
//! One warm worker (`layers/voice/neural/chalkreel_voice.py`) speaks for all jobs of this process, one piece after the other: models take
//! a second to load, and a sentence is quick. It tells when each word is spoken.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use storyboard::VoiceSettings;
use tokio::sync::Semaphore;

use super::local;
use super::voice::{Recording, SpeechRequest, Voice, VoiceError, Word};
use crate::child::Limits;
use crate::config::Config;
use crate::layers::Layers;
use crate::untrusted_text::plain;
use crate::worker::{self, Addressee, NotReady, Removed, Settings, WarmWorker};

/// The worker's program, under `bin/` of the layers.
const PROGRAM: &str = "chalkreel-voice";
/// Words a minute of its voices at length scale 1.
const PACE: u32 = 165;
/// Characters of one call: half a minute of speech, which takes one core 4 s.
const MOST: usize = 400;
/// How long the worker may take to confirm that a call is cancelled: it looks after each sentence.
const CANCEL: Duration = Duration::from_secs(15);
/// Silence for words of which nothing can be spoken, such as a dash.
const NOTHING: Duration = Duration::from_millis(300);
/// Changes when the worker's sound for the same request does: it is part of the cache key.
const VERSION: u32 = 2;

/// The neural voices of this machine, and the worker that speaks with them. Starts nothing before the first call.
#[derive(Debug, Clone)]
pub struct NeuralVoices(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    worker: WarmWorker<Reply>,
    /// The worker speaks one piece at a time: a call's time begins when it is its turn.
    turns: Arc<Semaphore>,
    /// The only folder that the worker may write.
    scratch: PathBuf,
    models: Vec<Model>,
    is_installed: bool,
}

/// A voice: an `.onnx` file.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    path: PathBuf,
    /// The file's name without its end, for example `en_US-joe-medium`.
    name: String,
    /// BCP 47, for example `en-US`; none when its settings don't say.
    locale: Option<String>,
}

/// The part of a model's settings file that is read.
#[derive(Deserialize)]
struct ModelSettings {
    language: Option<ModelLanguage>,
    espeak: Option<ModelPhonemes>,
}

#[derive(Deserialize)]
struct ModelLanguage {
    /// For example `en_US`.
    code: String,
}

#[derive(Deserialize)]
struct ModelPhonemes {
    /// For example `en-us`.
    voice: String,
}

impl Model {
    fn of(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut beside = path.as_os_str().to_owned();
        beside.push(".json");
        let settings =
            std::fs::read(beside).ok().and_then(|bytes| serde_json::from_slice::<ModelSettings>(&bytes).ok());
        let locale = settings.and_then(|settings| {
            let phonemes = settings.espeak.map(|phonemes| phonemes.voice);
            settings.language.map(|language| language.code).or(phonemes)
        });
        Self { path, name, locale: locale.map(|locale| locale.replace('_', "-")) }
    }

    fn speaks(&self, language: &str) -> bool {
        // One whose language is not known is taken at its owner's word.
        self.locale.as_ref().is_none_or(|locale| family(locale).eq_ignore_ascii_case(family(language)))
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            || self.name.split('-').nth(1).is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

fn family(locale: &str) -> &str {
    locale.split('-').next().unwrap_or(locale)
}

/// The models in a folder, by name.
fn models_in(folder: &Path) -> Vec<Model> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut models: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "onnx") && path.is_file()).collect();
    models.sort();
    models.into_iter().map(Model::of).collect()
}

impl NeuralVoices {
    /// The voices of these layers and settings. Only the worker writes to the folder `scratch`.
    pub fn new(layers: &Layers, config: &Config, scratch: &Path) -> Self {
        let named = config.voices.piper_voice.clone().filter(|model| model.is_file());
        let folder = config.voices.piper_voices.clone().unwrap_or_else(|| layers.root().join("voices"));
        let models: Vec<Model> = named.map(Model::of).into_iter().chain(models_in(&folder)).collect();
        let program = layers.program(PROGRAM);
        let is_installed = program.is_file();
        let mut read = layers.read().to_vec();
        for model in &models {
            let real = model.path.canonicalize().unwrap_or_else(|_| model.path.clone());
            read.extend([&model.path, &real].into_iter().filter_map(|path| path.parent()).map(Path::to_owned));
        }
        let settings = Settings {
            name: "voice",
            program,
            folder: scratch.to_owned(),
            read,
            mode: config.confinement,
            // It takes 300 MB with one model.
            limits: Limits::gibibytes(4, 1),
            lifetime: config.subprocess_timeout,
            cancel: CANCEL,
            cancel_line: |id| Request::Cancel { id }.line(),
            quit_line: || Request::Quit.line(),
        };
        let (worker, turns) = (WarmWorker::new(settings), Arc::new(Semaphore::new(1)));
        Self(Arc::new(Inner { worker, turns, scratch: scratch.to_owned(), models, is_installed }))
    }

    /// Ends the worker, if it runs, and waits until all of it is gone.
    pub async fn stop(&self) {
        self.0.worker.stop().await;
    }

    /// The names of the installed voices.
    pub fn names(&self) -> Vec<&str> {
        self.0.models.iter().filter(|_| self.0.is_installed).map(|model| &*model.name).collect()
    }

    /// Whether there is a program to speak, and no model.
    pub(super) fn lacks_models(&self) -> bool {
        self.0.is_installed && self.0.models.is_empty()
    }

    /// The voice for lessons in `language`.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn voice(&self, config: &Config, language: &str, settings: &VoiceSettings) -> Result<Piper, String> {
        if !self.0.is_installed {
            return Err(format!("`{PROGRAM}` is not installed in the layers; `make tools` installs it"));
        }
        let speaking: Vec<&Model> = self.0.models.iter().filter(|model| model.speaks(language)).collect();
        let named = settings.name.as_deref().and_then(|name| speaking.iter().find(|model| model.is_named(name)));
        let is_exact = |model: &Model| model.locale.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(language));
        let set = speaking.first().filter(|model| config.voices.piper_voice.as_ref() == Some(&model.path));
        let chosen = named.or(set).or_else(|| speaking.iter().find(|model| is_exact(model))).or(speaking.first());
        let Some(model) = chosen else {
            return Err(match &self.0.models[..] {
                [] => "there is no model: put one (.onnx with its .onnx.json) into the folder PIPER_VOICES".to_owned(),
                models => {
                    let installed: Vec<&str> = models.iter().map(|model| &*model.name).collect();
                    format!("no installed model speaks `{language}` (there are {})", installed.join(", "))
                }
            });
        };
        Ok(Piper { of: self.clone(), model: (*model).clone(), pace: settings.words_per_minute })
    }
}

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Piper {
    of: NeuralVoices,
    model: Model,
    pace: Option<u32>,
}

impl Piper {
    /// Its setting of the pace: a larger one is slower.
    fn scale(&self) -> f64 {
        self.pace.map_or(1.0, |pace| (f64::from(PACE) / f64::from(pace)).clamp(0.4, 2.5))
    }
}

#[async_trait]
impl Voice for Piper {
    fn name(&self) -> &'static str {
        "piper"
    }

    fn recipe(&self) -> Option<String> {
        // A model's name holds its language, voice and quality; its size tells two files of the same name apart.
        let size = std::fs::metadata(&self.model.path).map_or(0, |file| file.len());
        Some(format!("{}\n{size}\n{:.3}\n{VERSION}", self.model.name, self.scale()))
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn max_concurrency(&self) -> usize {
        1
    }

    fn turns(&self) -> Option<Arc<Semaphore>> {
        Some(self.of.0.turns.clone())
    }

    fn max_characters(&self) -> usize {
        MOST
    }

    fn pace(&self) -> u32 {
        self.pace.unwrap_or(PACE)
    }

    async fn speak(&self, request: &SpeechRequest<'_>) -> Result<Recording, VoiceError> {
        let inner = &self.of.0;
        let mut call = inner.worker.call(request.deadline).await.map_err(|error| match error {
            NotReady::CouldNotStart(reason) => VoiceError::Failed(format!("its worker could not be started: {reason}")),
            NotReady::TimedOut => VoiceError::TimedOut("the start of its worker"),
        })?;
        let sound = Removed(inner.scratch.join(format!("{}.wav", call.id())));
        let (model, text, out) = (&*self.model.path, request.text, &*sound.0);
        call.ask(Request::Speak { id: call.id(), model, text, length_scale: self.scale(), out }.line());
        loop {
            match call.reply().await {
                Some(Reply::Done { seconds, words, .. }) => {
                    if seconds == 0.0 {
                        return Ok(Recording::Silence(NOTHING));
                    }
                    let words = words.into_iter().map(|(from_ms, to_ms)| Word { from_ms, to_ms }).collect();
                    return Ok(Recording::File(local::take(&sound.0).await?, words));
                }
                Some(Reply::Failed { message, .. }) => return Err(VoiceError::Failed(plain(&message, 500))),
                Some(Reply::Ready { .. } | Reply::Refused { .. }) => {}
                None => return Err(VoiceError::Failed("its worker exited".to_owned())),
            }
        }
    }
}

/// A request to the worker.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Request<'a> {
    Speak { id: &'a str, model: &'a Path, text: &'a str, length_scale: f64, out: &'a Path },
    Cancel { id: &'a str },
    Quit,
}

impl Request<'_> {
    /// As a line, newline included.
    fn line(&self) -> Vec<u8> {
        // Plain data: only a path that is no Unicode can't be written, and the worker refuses the empty line.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// A reply of the worker.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Reply {
    /// It can speak.
    Ready { piper: String, import_s: f64 },
    /// The sound is written.
    Done {
        id: String,
        seconds: f64,
        /// Milliseconds at which each word begins and ends.
        words: Vec<(u32, u32)>,
    },
    /// It is not.
    Failed { id: String, message: String },
    /// A request could not be parsed.
    Refused { message: String },
}

impl worker::Reply for Reply {
    fn addressee(&self) -> Addressee<'_> {
        match self {
            Self::Ready { piper, import_s } => Addressee::Ready(format!("Piper {piper}, imported in {import_s} s")),
            Self::Done { id, .. } | Self::Failed { id, .. } => Addressee::Request(id),
            Self::Refused { message } => Addressee::Refused(message),
        }
    }

    fn settles(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers with the program and models of these names and locales.
    fn voices(models: &[(&str, &str)], settings: &[(&str, &str)]) -> (tempfile::TempDir, NeuralVoices, Config) {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["bin", "voices"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for program in ["chalkreel-stage", PROGRAM] {
            std::fs::write(dir.path().join("bin").join(program), "").unwrap();
        }
        for (name, code) in models {
            std::fs::write(dir.path().join(format!("voices/{name}.onnx")), "").unwrap();
            let settings = format!(r#"{{"language": {{"code": "{code}"}}, "audio": {{}}}}"#);
            std::fs::write(dir.path().join(format!("voices/{name}.onnx.json")), settings).unwrap();
        }
        let layers = Layers::find(Some(dir.path())).unwrap();
        let value = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let config = Config::from_lookup(value).unwrap();
        let voices = NeuralVoices::new(&layers, &config, dir.path());
        (dir, voices, config)
    }

    fn chosen(voices: &NeuralVoices, config: &Config, language: &str, name: Option<&str>) -> Result<String, String> {
        let settings = VoiceSettings { name: name.map(str::to_owned), ..VoiceSettings::default() };
        voices.voice(config, language, &settings).map(|voice| voice.model.name)
    }

    #[test]
    fn the_model_is_that_of_the_lessons_language() {
        let models = [("en_GB-alba-medium", "en_GB"), ("en_US-joe-medium", "en_US"), ("de_DE-thorsten-low", "de_DE")];
        let (_dir, voices, config) = voices(&models, &[]);
        for (language, name, expected) in [
            ("en-US", None, "en_US-joe-medium"),
            ("en", None, "en_GB-alba-medium"),
            ("en-AU", None, "en_GB-alba-medium"),
            ("en", Some("joe"), "en_US-joe-medium"),
            ("en", Some("en_US-joe-medium"), "en_US-joe-medium"),
            // Another language's, and another provider's.
            ("en", Some("thorsten"), "en_GB-alba-medium"),
            ("de-AT", Some("JBFqnCBsd6RMkjVDRZzb"), "de_DE-thorsten-low"),
        ] {
            assert_eq!(chosen(&voices, &config, language, name).as_deref(), Ok(expected), "{language} {name:?}");
        }
        let error = chosen(&voices, &config, "ru", None).unwrap_err();
        assert!(error.contains("`ru`") && error.contains("en_US-joe-medium"), "{error}");
    }

    #[test]
    fn a_model_that_is_set_comes_first_and_without_any_it_is_said_where_they_go() {
        let (dir, without, config) = voices(&[], &[]);
        assert!(without.lacks_models());
        assert!(chosen(&without, &config, "en", None).unwrap_err().contains("PIPER_VOICES"));
        let own = dir.path().join("own.onnx");
        std::fs::write(&own, "").unwrap();
        let (_dir, with, config) = voices(&[("en_US-joe-medium", "en_US")], &[("PIPER_VOICE", own.to_str().unwrap())]);
        assert_eq!(chosen(&with, &config, "en-US", None).as_deref(), Ok("own"));
        assert_eq!(with.names(), ["own", "en_US-joe-medium"]);
    }
}
