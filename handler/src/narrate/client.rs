//! One voice of the chain, asked with patience: tries, waits between them, and what counts as an answer.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use futures::future::BoxFuture;

use super::decode::{SAMPLE_RATE, decode};
use super::gate::Gate;
use super::reach;
use super::voice::{Order, Recording, Voice, VoiceError, Word};
use crate::deadline::{Deadline, Stopped};

/// Calls for one piece of text, the first included.
const TRIES: u32 = 4;
/// The same, of calls that time out: each has cost a VOICE_TIMEOUT.
const TIMED_OUT_TRIES: u32 = 2;
/// Refusals for being too many at a time are no failures; this many are taken.
const CROWDED_TRIES: u32 = 30;
/// First and longest wait between two tries, before jitter.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// The longest wait of a call that only has to queue.
const QUEUE: Duration = Duration::from_secs(1);
/// Characters of an average English word, its space included.
const LETTERS: f64 = 6.0;

/// What voices that cost money may still speak.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) most: Option<u64>,
    pub(super) spent: AtomicU64,
}

impl Budget {
    /// Takes the characters of one call, which is paid for whether or not its answer arrives, unless it is given back.
    fn spend(&self, characters: u64) -> Result<(), VoiceError> {
        let fits = |spent: u64| Some(spent + characters).filter(|sum| self.most.is_none_or(|most| *sum <= most));
        let spent = self.spent.try_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        let most = self.most.unwrap_or_default();
        spent.map(drop).map_err(|spent| {
            let message = format!("{spent} characters of {most} are spent, and {characters} more are to be spoken");
            VoiceError::TooDear(message)
        })
    }

    /// Gives back what a call did not cost.
    fn give_back(&self, characters: u64) {
        self.spent.fetch_sub(characters, Ordering::Relaxed);
    }
}

/// A piece of text as it sounds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heard {
    /// Mono at 48 kHz, -1 to 1, no silence at its ends.
    pub(super) samples: Vec<f32>,
    /// One entry a word of the piece, counted from the first sample; empty when the voice does not say.
    pub(super) words: Vec<Word>,
    /// As it came, for the cache, with the words' times in it.
    pub(super) file: Option<(Bytes, Vec<Word>)>,
}

/// One voice of the chain.
#[derive(Debug)]
pub(super) struct VoiceClient {
    pub(super) voice: Box<dyn Voice>,
    pub(super) gate: Gate,
    timeout: Duration,
}

impl VoiceClient {
    /// `timeout` is for one call.
    pub(super) fn new(voice: Box<dyn Voice>, timeout: Duration) -> Self {
        Self { gate: Gate::new(voice.lanes(), voice.most_lanes()), voice, timeout }
    }

    /// Closes its gate when its address can't be reached.
    pub(super) async fn look(&self) {
        let Some(address) = self.voice.address() else { return };
        if let Some(reason) = reach::trouble(address).await {
            tracing::warn!(voice = self.voice.name(), reason, "the voice can't be reached");
            self.gate.went_wrong(&VoiceError::Unreachable(reason));
        }
    }

    /// Asks until there is a whole sound, or no use in asking. `calls` counts the calls made.
    ///
    /// # Errors
    /// The last call's [`VoiceError`].
    pub(super) async fn ask(&self, order: &Order<'_>, budget: &Budget, calls: &AtomicU32) -> Result<Heard, VoiceError> {
        let (failed, crowded) = (AtomicU32::new(0), AtomicU32::new(0));
        let call = || async {
            let _place = self.gate.enter(order.deadline).await?;
            let heard = self.call(order, budget, calls).await;
            match &heard {
                Ok(_) => self.gate.went_well(),
                Err(error) => _ = self.gate.went_wrong(error),
            }
            heard
        };
        let wait = |error: &VoiceError, delay: Option<Duration>| {
            let count = |counter: &AtomicU32| counter.fetch_add(1, Ordering::Relaxed) + 1;
            // Full jitter: anything between nothing and the whole wait, so that calls that failed together do not come together.
            let jitter = |wait: Duration| wait.mul_f64(fastrand::f64());
            let wait = match error {
                VoiceError::Busy { crowded: true, after, .. } => {
                    (count(&crowded) < CROWDED_TRIES).then(|| jitter(QUEUE).max(after.unwrap_or_default()))
                }
                VoiceError::Busy { after, .. } => {
                    let delay = delay.filter(|_| count(&failed) < TRIES)?;
                    Some(jitter(delay).max(after.unwrap_or_default()))
                }
                VoiceError::TimedOut(_) => delay.filter(|_| count(&failed) < TIMED_OUT_TRIES).map(jitter),
                _ => delay.filter(|_| count(&failed) < TRIES).map(jitter),
            };
            wait.filter(|wait| *wait < order.deadline.left())
        };
        let backoff = ExponentialBuilder::new().with_min_delay(BACKOFF.0).with_max_delay(BACKOFF.1).without_max_times();
        let asked = call.retry(backoff).when(|error| error.may_pass() && !self.gate.is_closed()).adjust(wait);
        let asked = asked.notify(|error, wait| {
            tracing::info!(voice = self.voice.name(), %error, ?wait, "it is asked again");
        });
        // In a box: the compiler can't prove of its closures' lifetimes what whoever spawns a job must know.
        let asked: BoxFuture<'_, Result<Heard, VoiceError>> = Box::pin(asked.into_future());
        let heard = order.deadline.run(asked).await.unwrap_or(Err(VoiceError::TimedOut("its turn")));
        if let Err(busy @ VoiceError::Busy { .. }) = &heard {
            self.gate.gave_up(busy);
        }
        heard
    }

    async fn call(&self, order: &Order<'_>, budget: &Budget, calls: &AtomicU32) -> Result<Heard, VoiceError> {
        let price = if self.voice.paid() { order.text.chars().count() as u64 * self.voice.billed() } else { 0 };
        budget.spend(price)?;
        calls.fetch_add(1, Ordering::Relaxed);
        let deadline: Deadline = order.deadline.slice(self.timeout);
        let spoken = deadline.run(self.voice.speak(&Order { deadline, ..*order })).await;
        let spoken = spoken.unwrap_or(Err(VoiceError::TimedOut("its sound")));
        if spoken.as_ref().is_err_and(VoiceError::is_free) {
            budget.give_back(price);
        }
        self.hear(spoken?, order.text, order.deadline).await
    }

    /// Decodes a recording and looks whether it can be all of `text`.
    ///
    /// # Errors
    /// [`VoiceError::NotDecodable`], [`VoiceError::TimedOut`].
    pub(super) async fn hear(&self, recording: Recording, text: &str, deadline: Deadline) -> Result<Heard, VoiceError> {
        let (file, words) = match recording {
            Recording::File(file, words) => (file, words),
            Recording::Silence(length) => {
                let samples = vec![0.0; (length.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize];
                return Ok(Heard { samples, words: Vec::new(), file: None });
            }
        };
        let characters = text.chars().count() as f64;
        let most = 30.0 + characters / 2.0;
        let kept = file.clone();
        let decoded = match deadline.work(move |cutoff| decode(file, most, cutoff)).await {
            Ok(decoded) => decoded?,
            Err(Stopped::Passed(passed)) => return Err(passed.into()),
            Err(Stopped::Panicked(_)) => return Err(VoiceError::NotDecodable("the decoder gave up".to_owned())),
        };
        let seconds = (decoded.cut + decoded.samples.len()) as f64 / f64::from(SAMPLE_RATE);
        self.plausible(text, seconds, &words).map_err(VoiceError::NotDecodable)?;
        let moved = within(&words, text, decoded.cut, decoded.samples.len());
        Ok(Heard { samples: decoded.samples, words: moved, file: Some((kept, words)) })
    }

    /// Sound that came over the network may be cut off at a place where no format shows it.
    fn plausible(&self, text: &str, seconds: f64, words: &[Word]) -> Result<(), String> {
        let last = words.last().map_or(0.0, |word| f64::from(word.from_ms) / 1000.0);
        if last > seconds + 0.5 {
            return Err(format!("its last word begins at {last:.1} s, but it ends at {seconds:.1} s"));
        }
        // Speech that is faster by three quarters than the voice's pace is no speech. Short texts and texts without
        // letters vary too much.
        let letters = text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).count() as f64;
        let fastest = 1.75 * f64::from(self.voice.pace()) * LETTERS / 60.0;
        if self.voice.is_remote() && letters > 60.0 && letters / seconds > fastest {
            return Err(format!("{letters} letters in {seconds:.1} s: a part is missing"));
        }
        Ok(())
    }
}

/// Moves words to where they are after `cut` samples were cut off, and keeps them inside and in order. Times of another
/// number of words than the text has are none.
fn within(words: &[Word], text: &str, cut: usize, samples: usize) -> Vec<Word> {
    if words.len() != text.split_whitespace().count() {
        return Vec::new();
    }
    let ms = |samples: usize| u32::try_from(samples as u64 * 1000 / u64::from(SAMPLE_RATE)).unwrap_or(u32::MAX);
    let (cut, end) = (ms(cut), ms(samples));
    let mut before = 0;
    let moved = words.iter().map(|word| {
        let from_ms = word.from_ms.saturating_sub(cut).clamp(before, end.max(before));
        before = from_ms;
        Word { from_ms, to_ms: word.to_ms.saturating_sub(cut).clamp(from_ms, end.max(from_ms)) }
    });
    moved.collect()
}
