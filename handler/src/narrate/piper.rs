//! Piper: a natural voice that runs here, when a model of one is installed.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::Deserialize;
use storyboard::VoiceSettings;

use super::local::{self, Program};
use super::voice::{Order, Recording, Voice, VoiceError};
use crate::config::Config;
use crate::layers::Layers;

/// Words a minute of its voices at length scale 1.
const PACE: u32 = 165;

/// The voice of one film.
#[derive(Debug)]
pub(super) struct Piper {
    program: Program,
    model: PathBuf,
    pace: Option<u32>,
    lanes: usize,
}

/// What is read of a model's settings, the file beside it.
#[derive(Deserialize)]
struct Model {
    language: Language,
}

#[derive(Deserialize)]
struct Language {
    /// ISO 639-1, for example `en`.
    family: String,
}

impl Piper {
    /// The voice, for lessons in its own language.
    ///
    /// # Errors
    /// In words, why there is none: no model, a model of another language, or no program.
    pub(super) fn new(
        layers: &Layers,
        config: &Config,
        language: &str,
        settings: &VoiceSettings,
    ) -> Result<Self, String> {
        let model = config.voices.piper_voice.clone().filter(|model| model.is_file());
        let model = model.ok_or("PIPER_VOICE names no model")?;
        let model = model.canonicalize().unwrap_or(model);
        // A model speaks one language, and reads every other one as if it were that.
        if let Some(family) = family(&model)
            && !language.split('-').next().unwrap_or(language).eq_ignore_ascii_case(&family)
        {
            return Err(format!("its model speaks `{family}`, and the lesson is in `{language}`"));
        }
        let named = config.voices.piper_program.clone();
        let on_path = || config.voices.path.iter().map(|folder| folder.join("piper")).find(|program| program.is_file());
        let in_layers = || Some(layers.program("piper")).filter(|program| program.is_file());
        let path = named.or_else(in_layers).or_else(on_path).ok_or("Piper is not installed")?;
        let read = model.parent().map(PathBuf::from).into_iter().chain(Layers::of_program(&path)).collect();
        let program = Program::new(path, read, 4, layers, config);
        // One sentence keeps all processors busy.
        Ok(Self { program, model, pace: settings.words_per_minute, lanes: config.parallel.div_ceil(2) })
    }

    /// Its measure of pace: longer is slower.
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
        // A model's name holds its language, voice and quality; its size tells two makings of the same name apart.
        let size = std::fs::metadata(&self.model).map_or(0, |file| file.len());
        Some(format!("{}\n{size}\n{:.3}", self.model.file_name()?.display(), self.scale()))
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn longest(&self) -> usize {
        usize::MAX
    }

    fn pace(&self) -> u32 {
        self.pace.unwrap_or(PACE)
    }

    async fn speak(&self, order: &Order<'_>) -> Result<Recording, VoiceError> {
        let words = local::write(order, order.text).await?;
        let sound = order.scratch.join(format!("{}.wav", order.name));
        let mut args = vec!["--model".into(), self.model.clone().into(), "--input-file".into(), words.into()];
        args.extend(["--output-file".into(), sound.clone().into()]);
        args.extend(["--length-scale".into(), format!("{:.3}", self.scale()).into()]);
        self.program.run(args, order, &[]).await?;
        Ok(Recording::File(local::take(&sound).await?, Vec::new()))
    }
}

/// The language of a model, if its settings say.
fn family(model: &Path) -> Option<String> {
    let mut settings = model.as_os_str().to_owned();
    settings.push(".json");
    let model: Model = serde_json::from_slice(&std::fs::read(settings).ok()?).ok()?;
    Some(model.language.family)
}
