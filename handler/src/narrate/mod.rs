//! Beats become sound.
//!
//! In: a beat's words. Out: mono samples at 48 kHz in a file, when each word is spoken, and who spoke. It never looks at
//! the screen: how long a beat lasts is the words' own length and the pause that the storyboard asks for.
//!
//! - `voice` says what a voice is; `elevenlabs`, `polly`, `gtts`, `openai`, `piper`, `espeak` and `silent` are one each,
//!   with what they share in `http` and `local`;
//! - `chain` makes the voices of a film, in the order to try them;
//! - `line` asks one of them with patience, and `gate` holds how many calls run, and whether it is asked at all;
//! - `casting` holds who speaks what, and `reach` whether there is a network;
//! - `pieces`, `decode`, `mp3` and `sound` are the way from text to samples, and `keep` is the cache.
//!
//! A voice that fails leaves its turn to the next one in the chain. By default the whole film has one voice, so what it
//! spoke before is void then: [`Voices::still_speaks`] says what has to be asked for again.

mod casting;
mod chain;
mod decode;
mod elevenlabs;
mod espeak;
mod gate;
mod gtts;
mod http;
mod keep;
mod line;
mod local;
mod mp3;
mod openai;
mod pieces;
mod piper;
mod polly;
mod reach;
mod silent;
mod sound;
mod voice;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use futures::future::join_all;
use storyboard::{Beat, Scene, Storyboard, Warning};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::job::status::BeatVoice;
use crate::layers::Layers;
use crate::store::Cache;

use casting::Casting;
use line::{Budget, Heard, Line};
use voice::Order;

pub use decode::SAMPLE_RATE;
pub use sound::Sound;
pub use voice::{VoiceError, Word};

/// Between two pieces of a beat that had to be asked for one by one: a breath after a sentence, less inside one.
const BREATH: (usize, usize) = (SAMPLE_RATE as usize * 300 / 1000, SAMPLE_RATE as usize * 80 / 1000);
/// At the ends of each of those pieces: 4 ms, so that none begins or ends with a click.
const FADE: usize = SAMPLE_RATE as usize * 4 / 1000;
/// What a voice that may fail gets of the time that is left; the rest is for those after it, and for the film.
const SHARE: u32 = 4;

/// A beat's words as sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Narration {
    /// Its words as sound; empty for a silent beat.
    pub sound: Sound,
    /// When each word (by white space) of the beat is spoken, from the sound's first sample; empty when the voice does
    /// not say.
    pub words: Vec<Word>,
    /// Who spoke; none for a silent beat.
    pub voice: Option<BeatVoice>,
    /// Why it is silent although it has words.
    pub unspoken: Option<JobError>,
    /// What falls back together with it, and whose turn it was; none for what stays whoever speaks the rest.
    cast: Option<(String, usize)>,
}

impl Narration {
    /// A beat that nobody speaks.
    pub fn silent(sound: Sound) -> Self {
        Self { sound, words: Vec::new(), voice: None, unspoken: None, cast: None }
    }

    /// A beat that was spoken earlier, for the same film, by `voice`; or why it was not.
    pub fn kept(sound: Sound, words: Vec<Word>, voice: Option<BeatVoice>, unspoken: Option<JobError>) -> Self {
        Self { sound, words, voice, unspoken, cast: None }
    }
}

/// What speaking a film would cost if the first voice of its chain speaks all of it, and nothing of it is cached.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// That voice's name.
    pub voice: &'static str,
    /// Characters that cost money.
    pub paid_characters: u64,
    /// US dollars at list price; none when the price is not known.
    pub dollars: Option<f64>,
}

impl Quote {
    /// For `characters` to speak.
    pub fn of(storyboard: &Storyboard, characters: u64, layers: &Layers, config: &Config) -> Option<Self> {
        let (voices, _) = chain::of(storyboard, layers, config);
        voices.first().map(|voice| match (voice.paid(), voice.price()) {
            (false, _) => Self { voice: voice.name(), paid_characters: 0, dollars: Some(0.0) },
            (true, price) => {
                let characters = characters * voice.billed();
                let dollars = price.map(|price| price * characters as f64 / 1e6);
                Self { voice: voice.name(), paid_characters: characters, dollars }
            }
        })
    }
}

/// The voices of one film, in the order to try them.
#[derive(Debug)]
pub struct Voices {
    lines: Vec<Line>,
    casting: Casting,
    /// Whether the lesson asks for a pace.
    paced: bool,
    language: String,
    cache: Cache,
    budget: Budget,
    /// Whether hosts can be looked at directly, and whether they have been.
    reached: Option<OnceCell<()>>,
}

impl Voices {
    /// The voices that a storyboard asks for, and a warning for each that isn't there.
    pub fn of(storyboard: &Storyboard, layers: &Layers, config: &Config, cache: &Cache) -> (Self, Vec<Warning>) {
        let (lines, warnings) = chain::of(storyboard, layers, config);
        let settings = &storyboard.voice;
        let voices = Self {
            lines: lines.into_iter().map(|voice| Line::new(voice, config.voice_timeout)).collect(),
            casting: Casting::new(settings.consistency),
            paced: settings.words_per_minute.is_some(),
            language: storyboard.language.clone(),
            cache: cache.clone(),
            budget: Budget { most: settings.max_characters.map(u64::from), spent: AtomicU64::new(0) },
            reached: (!config.voices.proxied).then(OnceCell::new),
        };
        (voices, warnings)
    }

    /// Speaks a beat, by the first voice that can. `scratch` is a folder for its files, which must stay as long as the
    /// narration is used.
    ///
    /// # Errors
    /// `voice.exhausted` when no voice could speak it, `voice.not_decodable` when none gave a sound that is one,
    /// `voice.too_dear` when it would cost more than the film may, `scratch.failed`.
    pub async fn speak(
        &self,
        beat: &Beat,
        scene: &str,
        scratch: &Path,
        deadline: Deadline,
    ) -> Result<Narration, JobError> {
        let group = self.casting.group(scene, &beat.id);
        let text = pieces::normalised(&beat.narration);
        if text.is_empty() {
            return Ok(Narration::silent(Sound::default()));
        }
        let tries = AtomicU32::new(0);
        let mut errors: Vec<(&str, VoiceError)> = Vec::new();
        loop {
            let turn = self.casting.turn(&group);
            let Some(line) = self.lines.get(turn) else { return Err(exhausted(beat, &errors)) };
            let name = format!("{}.{turn}", beat.id);
            let last = turn + 1 == self.lines.len();
            let share = if last { deadline } else { deadline.slice(deadline.left() / SHARE) };
            let order = Order { text: &text, name: &name, scratch, deadline: share };
            let spoken = tokio::select! {
                spoken = self.spoken(line, &order, &tries) => spoken,
                // Another beat of the group found that this voice can't speak.
                () = self.casting.left(&group, turn) => continue,
            };
            let error = match spoken {
                Ok((_, characters)) if self.casting.turn(&group) != turn => {
                    tracing::debug!(beat = beat.id, characters, "spoken by a voice that has left meanwhile");
                    continue;
                }
                Ok((heard, characters)) => {
                    let words = heard.words;
                    let path = scratch.join(format!("{name}.s16le"));
                    let kept = deadline.work(move |cutoff| Sound::keep(&path, &heard.samples, cutoff)).await;
                    let sound = kept.map_err(std::io::Error::from).flatten().map_err(|error| {
                        let code = match error.kind() {
                            std::io::ErrorKind::TimedOut => Code::VoiceExhausted,
                            _ => Code::ScratchFailed,
                        };
                        JobError::new(code, format!("the sound of beat {}: {error}", beat.id))
                    })?;
                    let voice = BeatVoice {
                        beat: beat.id.clone(),
                        voice: line.voice.name().to_owned(),
                        tries: tries.into_inner(),
                        characters,
                    };
                    let cast = Some((group, turn));
                    return Ok(Narration { sound, words, voice: Some(voice), unspoken: None, cast });
                }
                Err(error) => error,
            };
            if let VoiceError::TooDear(message) = error {
                return Err(JobError::new(Code::VoiceTooDear, message).at(beat.place));
            }
            tracing::warn!(beat = beat.id, voice = line.voice.name(), %error, "the voice failed");
            errors.push((line.voice.name(), error));
            if last {
                // Whoever stands at the end stays: one beat that can't be spoken does not silence the others.
                return Err(exhausted(beat, &errors));
            }
            self.casting.leave(&group, turn);
        }
    }

    /// Speaks all beats of a scene, so that they stand together.
    ///
    /// # Errors
    /// As for [`Voices::speak`].
    pub async fn scene(&self, scene: &Scene, scratch: &Path, deadline: Deadline) -> Result<Vec<Narration>, JobError> {
        let mut said: Vec<Narration> = Vec::new();
        while let Some(beat) = scene.beats.get(said.len()) {
            said.push(self.speak(beat, &scene.id, scratch, deadline).await?);
            if !self.stand(&said) {
                said.clear();
            }
        }
        Ok(said)
    }

    /// Whether all of them still have the right voice.
    pub fn stand(&self, narrations: &[Narration]) -> bool {
        narrations.iter().all(|narration| self.still_speaks(narration))
    }

    /// Whether the voice that spoke it still speaks for its film, scene or beat. When not, the beat has to be asked for
    /// again, for it would be the only one in that voice.
    pub fn still_speaks(&self, narration: &Narration) -> bool {
        narration.cast.as_ref().is_none_or(|(group, turn)| self.casting.turn(group) == *turn)
    }

    /// Characters that voices which cost money may bill so far: those of calls that were refused are none, and those of a voice
    /// whose words' times cost as much as its sound count twice.
    pub fn paid_characters(&self) -> u64 {
        self.budget.spent.load(Ordering::Relaxed)
    }

    /// What is to be told of a film that was `said` so: each voice in it that took no notice of the lesson's pace.
    pub fn warnings<'a>(&self, said: impl Iterator<Item = &'a Narration>) -> Vec<Warning> {
        let spoke: HashSet<&str> =
            said.filter_map(|narration| narration.voice.as_ref()).map(|voice| &*voice.voice).collect();
        let own = self.lines.iter().map(|line| &line.voice).filter(|voice| self.paced && !voice.paces());
        let own = own.filter(|voice| spoke.contains(voice.name())).map(|voice| Warning {
            code: "voice.own_pace".to_owned(),
            message: format!("`words_per_minute` is not heard: the voice `{}` has a pace of its own", voice.name()),
            place: None,
        });
        own.collect()
    }

    /// All pieces of a text by one voice, and the characters that were not in the cache.
    async fn spoken(&self, line: &Line, order: &Order<'_>, tries: &AtomicU32) -> Result<(Heard, u64), VoiceError> {
        let mut whole = Heard { samples: Vec::new(), words: Vec::new(), file: None };
        let mut characters = 0;
        let mut timed = true;
        let pieces = pieces::pieces(order.text, line.voice.longest());
        for (number, text) in pieces.iter().enumerate() {
            let name = format!("{}.{number}", order.name);
            let piece = Order { text, name: &name, ..*order };
            let (mut heard, cached) = self.piece(line, &piece, tries).await?;
            if pieces.len() > 1 {
                fade(&mut heard.samples);
            }
            characters += if cached { 0 } else { text.chars().count() as u64 };
            if number > 0 {
                let sentence = pieces[number - 1].ends_with(['.', '?', '!', '…', ':', '。', '！', '？']);
                let breath = if sentence { BREATH.0 } else { BREATH.1 };
                whole.samples.resize(whole.samples.len() + breath, 0.0);
            }
            let shift = u32::try_from(whole.samples.len() as u64 * 1000 / u64::from(SAMPLE_RATE)).unwrap_or(u32::MAX);
            timed &= !heard.words.is_empty();
            let moved = |word: Word| Word { from_ms: word.from_ms + shift, to_ms: word.to_ms + shift };
            whole.words.extend(heard.words.into_iter().map(moved));
            whole.samples.extend(heard.samples);
        }
        // A word that was split over two pieces makes one too many.
        if !timed || whole.words.len() != order.text.split_whitespace().count() {
            whole.words.clear();
        }
        Ok((whole, characters))
    }

    /// One piece, from the cache or from the voice, and whether it was cached.
    async fn piece(&self, line: &Line, order: &Order<'_>, tries: &AtomicU32) -> Result<(Heard, bool), VoiceError> {
        let key = keep::key(&*line.voice, &self.language, order.text);
        let path = order.scratch.join(format!("{}.kept", order.name));
        if let Some(key) = &key
            && let Some(recording) = keep::fetch(&self.cache, key, &path, order.deadline).await
            && let Ok(heard) = line.hear(recording, order.text, order.deadline).await
        {
            return Ok((heard, true));
        }
        if line.voice.is_remote() {
            self.look_at_the_network().await;
        }
        let mut heard = line.ask(order, &self.budget, tries).await?;
        if let (Some(key), Some((bytes, words))) = (&key, heard.file.take()) {
            keep::store(&self.cache, key, &bytes, &words, &path, order.deadline).await;
        }
        Ok((heard, false))
    }

    /// Once for a film, and only when something has to be asked over the network: voices that can't be reached are not
    /// asked at all, so that a machine without network does not wait for each of them.
    async fn look_at_the_network(&self) {
        let Some(reached) = &self.reached else { return };
        let look = || async {
            join_all(self.lines.iter().map(Line::look)).await;
        };
        reached.get_or_init(look).await;
    }
}

/// Fades the ends of a piece.
fn fade(samples: &mut [f32]) {
    let last = samples.len().saturating_sub(1);
    let ends = (0..samples.len().min(FADE)).chain(samples.len().saturating_sub(FADE).max(FADE)..samples.len());
    for at in ends {
        samples[at] *= (at.min(last - at) as f32 / FADE as f32).min(1.0);
    }
}

fn exhausted(beat: &Beat, errors: &[(&str, VoiceError)]) -> JobError {
    let no_sound = |(_, error): &(&str, VoiceError)| matches!(error, VoiceError::NotDecodable(_));
    let code =
        if !errors.is_empty() && errors.iter().all(no_sound) { Code::VoiceNotDecodable } else { Code::VoiceExhausted };
    let said = match errors {
        // Other beats of the film found it out.
        [] => "no voice is left".to_owned(),
        errors => errors.iter().map(|(name, error)| format!("{name}: {error}")).collect::<Vec<_>>().join("; "),
    };
    JobError::new(code, format!("beat {}: {said}", beat.id)).at(beat.place)
}
