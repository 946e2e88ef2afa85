//! Turns beats into sound.
//!
//! In: a beat's words. Out: mono samples at 48 kHz in a file, the time of each word, and the voice that spoke. It knows nothing
//! of the picture: a beat lasts as long as its words and the pause that the storyboard asks for.
//!
//! - `voice` is the interface of a voice; `elevenlabs`, `polly`, `gtts`, `openai`, `piper`, `espeak` and `silent` implement it,
//!   and share `http` and `local`; Piper speaks by a warm worker, espeak-ng by a child for each call;
//! - `chain` makes the voices of a film, in the order to try them;
//! - `client` calls one of them, with retries, a `concurrency_limit` and a `circuit_breaker`;
//! - `assignment` says which voice speaks which beats, and `connectivity` whether a host can be reached;
//! - `pieces`, `decode`, `mp3` and `sound` lead from text to samples, and `cache` holds what was spoken before.
//!
//! When a voice fails, the next one in the chain takes over. By default the whole film has one voice, so beats that the failed
//! voice has spoken are spoken again: [`Voices::is_current`] says which.

mod assignment;
mod cache;
mod chain;
mod circuit_breaker;
mod client;
mod concurrency_limit;
mod connectivity;
mod decode;
mod elevenlabs;
mod espeak;
mod gtts;
mod http;
mod local;
mod mp3;
mod openai;
mod pieces;
mod piper;
mod polly;
mod silent;
mod sound;
mod voice;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use futures::future::join_all;
use storyboard::{Beat, Scene, Storyboard, Warning};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError, WarningCode};
use crate::job::status::BeatVoice;
use crate::layers::Layers;
use crate::store::Cache;

use assignment::VoiceAssignment;
use client::{Budget, Speech, VoiceClient};
use voice::SpeechRequest;

pub use decode::SAMPLE_RATE;
pub use piper::NeuralVoices;
pub use sound::Sound;
pub use voice::{VoiceError, Word};

/// Pause between two pieces of a beat that were spoken by separate calls, in samples: after a sentence, and inside one.
const BREATH: (usize, usize) = (SAMPLE_RATE as usize * 300 / 1000, SAMPLE_RATE as usize * 80 / 1000);
/// Fade at the ends of each of those pieces, in samples: 4 ms, so that none begins or ends with a click.
const FADE: usize = SAMPLE_RATE as usize * 4 / 1000;
/// A voice that is not the last one gets one part in so many of the time that is left; the rest is for the voices after it.
const SHARE: u32 = 4;

/// A beat's words as sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Narration {
    /// Its words as sound; empty for a silent beat.
    pub sound: Sound,
    /// When each word (by white space) of the beat is spoken, from the sound's first sample; empty when the voice does
    /// not say.
    pub words: Vec<Word>,
    /// The voice that spoke; none for a silent beat.
    pub voice: Option<BeatVoice>,
    /// Why it is silent although it has words.
    pub unspoken: Option<JobError>,
    /// Its group, and the index of the voice that spoke; none for what stays valid whichever voice speaks the rest.
    assigned: Option<(String, usize)>,
}

impl Narration {
    /// A beat without speech.
    pub fn silent(sound: Sound) -> Self {
        Self { sound, words: Vec::new(), voice: None, unspoken: None, assigned: None }
    }

    /// A beat that `voice` spoke earlier for the same film; or why none did.
    pub fn restored(sound: Sound, words: Vec<Word>, voice: Option<BeatVoice>, unspoken: Option<JobError>) -> Self {
        Self { sound, words, voice, unspoken, assigned: None }
    }
}

/// What the narration of a film costs if the first voice of its chain speaks all of it and nothing is cached.
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
        let neural = NeuralVoices::new(layers, config, &config.temp_dir);
        let (voices, _) = chain::of(storyboard, layers, &neural, config);
        voices.first().map(|voice| match (voice.paid(), voice.price()) {
            (false, _) => Self { voice: voice.name(), paid_characters: 0, dollars: Some(0.0) },
            (true, price) => {
                let characters = characters * voice.billing_factor();
                let dollars = price.map(|price| price * characters as f64 / 1e6);
                Self { voice: voice.name(), paid_characters: characters, dollars }
            }
        })
    }
}

/// The voices of one film, in the order to try them.
#[derive(Debug)]
pub struct Voices {
    clients: Vec<VoiceClient>,
    assignment: VoiceAssignment,
    /// The scenes' places in the film.
    order: HashMap<String, usize>,
    /// Whether the lesson asks for a pace.
    paced: bool,
    language: String,
    cache: Cache,
    budget: Budget,
    /// Done once all hosts were probed; none when a proxy hides them.
    probed: Option<OnceCell<()>>,
}

impl Voices {
    /// The voices that a storyboard asks for, and a warning for each that is not available.
    pub fn of(
        storyboard: &Storyboard,
        layers: &Layers,
        neural: &NeuralVoices,
        config: &Config,
        cache: &Cache,
    ) -> (Self, Vec<Warning>) {
        let (voices, warnings) = chain::of(storyboard, layers, neural, config);
        let settings = &storyboard.voice;
        let all = Self {
            clients: voices.into_iter().map(|voice| VoiceClient::new(voice, config.voice_timeout)).collect(),
            assignment: VoiceAssignment::new(settings.consistency),
            order: storyboard.scenes.iter().map(|scene| scene.id.clone()).zip(0..).collect(),
            paced: settings.words_per_minute.is_some(),
            language: storyboard.language.clone(),
            cache: cache.clone(),
            budget: Budget { most: settings.max_characters.map(u64::from), spent: AtomicU64::new(0) },
            probed: (!config.voices.proxied).then(OnceCell::new),
        };
        (all, warnings)
    }

    /// Speaks a beat, by the first voice that can. `scratch` is a folder for its files, which must stay as long as the
    /// narration is used.
    ///
    /// # Errors
    /// `voice.exhausted` when no voice could speak it, `voice.not_decodable` when none gave a sound that is one,
    /// `voice.too_dear` when it exceeds the lesson's `max_characters`, `scratch.failed`.
    pub async fn speak(
        &self,
        beat: &Beat,
        scene: &str,
        scratch: &Path,
        deadline: Deadline,
    ) -> Result<Narration, JobError> {
        let group = self.assignment.group(scene, &beat.id);
        let text = pieces::normalised(&beat.narration);
        if text.is_empty() {
            return Ok(Narration::silent(Sound::default()));
        }
        let tries = AtomicU32::new(0);
        let mut errors: Vec<(&str, VoiceError)> = Vec::new();
        loop {
            let index = self.assignment.current(&group);
            let Some(client) = self.clients.get(index) else { return Err(exhausted(beat, &errors)) };
            let name = format!("{}.{index}", beat.id);
            let last = index + 1 == self.clients.len();
            let share = if last { deadline } else { deadline.slice(deadline.left() / SHARE) };
            let turn = self.order.get(scene).copied().unwrap_or_default();
            let request = SpeechRequest { text: &text, name: &name, scene: turn, scratch, deadline: share };
            let spoken = tokio::select! {
                spoken = self.spoken(client, &request, &tries) => spoken,
                // Another beat of the group has given this voice up.
                () = self.assignment.changed(&group, index) => continue,
            };
            let error = match spoken {
                Ok((_, characters)) if self.assignment.current(&group) != index => {
                    tracing::debug!(
                        beat = beat.id,
                        characters,
                        "the beat is spoken again: its voice was given up meanwhile"
                    );
                    continue;
                }
                Ok((speech, characters)) => {
                    let words = speech.words;
                    let path = scratch.join(format!("{name}.s16le"));
                    let written = deadline.work(move |cutoff| Sound::write(&path, &speech.samples, cutoff)).await;
                    let sound = written.map_err(std::io::Error::from).flatten().map_err(|error| {
                        let code = match error.kind() {
                            std::io::ErrorKind::TimedOut => Code::VoiceExhausted,
                            _ => Code::ScratchFailed,
                        };
                        JobError::new(code, format!("the sound of beat {} can't be written: {error}", beat.id))
                    })?;
                    let voice = BeatVoice {
                        beat: beat.id.clone(),
                        voice: client.voice.name().to_owned(),
                        tries: tries.into_inner(),
                        characters,
                    };
                    let assigned = Some((group, index));
                    return Ok(Narration { sound, words, voice: Some(voice), unspoken: None, assigned });
                }
                Err(error) => error,
            };
            if let VoiceError::BudgetExceeded(message) = error {
                return Err(JobError::new(Code::VoiceTooDear, message).at(beat.place));
            }
            tracing::warn!(beat = beat.id, voice = client.voice.name(), %error, "the voice could not speak the beat");
            errors.push((client.voice.name(), error));
            if last {
                // The last voice is kept: one beat that it can't speak does not silence the others.
                return Err(exhausted(beat, &errors));
            }
            self.assignment.advance(&group, index);
        }
    }

    /// Speaks all beats of a scene, each by its group's current voice, but for those that the author has `recorded`.
    ///
    /// # Errors
    /// As for [`Voices::speak`].
    pub async fn scene(
        &self,
        scene: &Scene,
        recorded: &HashMap<String, Narration>,
        scratch: &Path,
        deadline: Deadline,
    ) -> Result<Vec<Narration>, JobError> {
        let mut said: Vec<Narration> = Vec::new();
        while let Some(beat) = scene.beats.get(said.len()) {
            said.push(match recorded.get(&beat.id) {
                Some(recorded) => recorded.clone(),
                None => self.speak(beat, &scene.id, scratch, deadline).await?,
            });
            if !self.all_current(&said) {
                said.clear();
            }
        }
        Ok(said)
    }

    /// Whether all of them were spoken by their group's current voice.
    pub fn all_current(&self, narrations: &[Narration]) -> bool {
        narrations.iter().all(|narration| self.is_current(narration))
    }

    /// Whether the voice that spoke it is still the current one of its film, scene or beat. If not, the beat is to be spoken
    /// again: it would be the only one in that voice.
    pub fn is_current(&self, narration: &Narration) -> bool {
        narration.assigned.as_ref().is_none_or(|(group, index)| self.assignment.current(group) == *index)
    }

    /// Characters that paid voices may bill so far. Those of refused calls are not counted; those of a voice that bills words'
    /// times like sound count twice.
    pub fn paid_characters(&self) -> u64 {
        self.budget.spent.load(Ordering::Relaxed)
    }

    /// Warnings about the narration of a film: one for each voice in it that ignores the lesson's pace.
    pub fn warnings<'a>(&self, said: impl Iterator<Item = &'a Narration>) -> Vec<Warning> {
        let spoke: HashSet<&str> =
            said.filter_map(|narration| narration.voice.as_ref()).map(|voice| &*voice.voice).collect();
        let own = self.clients.iter().map(|client| &client.voice).filter(|voice| self.paced && !voice.follows_pace());
        let own = own.filter(|voice| spoke.contains(voice.name())).map(|voice| {
            let message = format!("the voice `{}` ignores `words_per_minute`: its pace can't be set", voice.name());
            WarningCode::VoiceOwnPace.at(None, message)
        });
        own.collect()
    }

    /// All pieces of a text by one voice, and the characters that were not in the cache.
    async fn spoken(
        &self,
        client: &VoiceClient,
        request: &SpeechRequest<'_>,
        tries: &AtomicU32,
    ) -> Result<(Speech, u64), VoiceError> {
        let mut whole = Speech { samples: Vec::new(), words: Vec::new(), file: None };
        let mut characters = 0;
        let mut timed = true;
        let pieces = pieces::pieces(request.text, client.voice.max_characters());
        for (number, text) in pieces.iter().enumerate() {
            let name = format!("{}.{number}", request.name);
            let piece = SpeechRequest { text, name: &name, ..*request };
            let (mut speech, cached) = self.piece(client, &piece, tries).await?;
            if pieces.len() > 1 {
                fade(&mut speech.samples);
            }
            characters += if cached { 0 } else { text.chars().count() as u64 };
            if number > 0 {
                let sentence = pieces[number - 1].ends_with(['.', '?', '!', '…', ':', '。', '！', '？']);
                let breath = if sentence { BREATH.0 } else { BREATH.1 };
                whole.samples.resize(whole.samples.len() + breath, 0.0);
            }
            let shift = u32::try_from(whole.samples.len() as u64 * 1000 / u64::from(SAMPLE_RATE)).unwrap_or(u32::MAX);
            timed &= !speech.words.is_empty();
            let moved = |word: Word| Word { from_ms: word.from_ms + shift, to_ms: word.to_ms + shift };
            whole.words.extend(speech.words.into_iter().map(moved));
            whole.samples.extend(speech.samples);
        }
        // A word that was split over two pieces makes one too many.
        if !timed || whole.words.len() != request.text.split_whitespace().count() {
            whole.words.clear();
        }
        Ok((whole, characters))
    }

    /// One piece, from the cache or from the voice, and whether it was cached.
    async fn piece(
        &self,
        client: &VoiceClient,
        request: &SpeechRequest<'_>,
        tries: &AtomicU32,
    ) -> Result<(Speech, bool), VoiceError> {
        let key = cache::key(&*client.voice, &self.language, request.text);
        let path = request.scratch.join(format!("{}.kept", request.name));
        if let Some(key) = &key
            && let Some(recording) = cache::fetch(&self.cache, key, &path, request.deadline).await
            && let Ok(speech) = client.check(recording, request.text, request.deadline).await
        {
            return Ok((speech, true));
        }
        if client.voice.is_remote() {
            self.probe_hosts().await;
        }
        let mut speech = client.call_with_retries(request, &self.budget, tries).await?;
        if let (Some(key), Some((bytes, words))) = (&key, speech.file.take()) {
            cache::store(&self.cache, key, &bytes, &words, &path, request.deadline).await;
        }
        Ok((speech, false))
    }

    /// Connects to the hosts of all voices, once for a film and only before the first call over the network. Voices that can't
    /// be reached are never called, so that a machine without network does not wait for each of them.
    async fn probe_hosts(&self) {
        let Some(probed) = &self.probed else { return };
        let probe = || async {
            join_all(self.clients.iter().map(VoiceClient::probe)).await;
        };
        probed.get_or_init(probe).await;
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
        // Other beats of the film have tried them.
        [] => "every voice of the chain has failed for other beats; the log says why".to_owned(),
        errors => errors.iter().map(|(name, error)| format!("{name}: {error}")).collect::<Vec<_>>().join("; "),
    };
    JobError::new(code, format!("beat {}: {said}", beat.id)).at(beat.place)
}
