//! The client of one voice: retries with backoff, a concurrency limit, a circuit breaker, and the check of what comes back.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use futures::future::BoxFuture;

use super::circuit_breaker::CircuitBreaker;
use super::concurrency_limit::{ConcurrencyLimit, Permit};
use super::connectivity;
use super::decode::{SAMPLE_RATE, decode};
use super::voice::{Recording, SpeechRequest, Voice, VoiceError, Word};
use crate::deadline::{Deadline, Stopped};

/// Calls for one piece of text, the first included.
const TRIES: u32 = 4;
/// The same, of calls that time out: each has cost a VOICE_TIMEOUT.
const TIMED_OUT_TRIES: u32 = 2;
/// A refusal because too many calls run at a time is no failure; a call is repeated after this many of them.
const CROWDED_TRIES: u32 = 30;
/// First and longest wait between two tries, before jitter.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// The longest wait of a call that was refused because too many run at a time.
const QUEUE: Duration = Duration::from_secs(1);
/// Characters of an average English word, its space included.
const LETTERS: f64 = 6.0;

/// How many characters paid voices may still speak.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) most: Option<u64>,
    pub(super) spent: AtomicU64,
}

impl Budget {
    /// Reserves the characters of one call. It is billed whether or not its answer arrives, unless they are refunded.
    fn reserve(&self, characters: u64) -> Result<(), VoiceError> {
        let fits = |spent: u64| Some(spent + characters).filter(|sum| self.most.is_none_or(|most| *sum <= most));
        let spent = self.spent.try_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        let most = self.most.unwrap_or_default();
        spent.map(drop).map_err(|spent| {
            let message = format!("this needs {characters} characters of a paid voice, but {spent} of the {most} that `max_characters` allows are used");
            VoiceError::BudgetExceeded(message)
        })
    }

    /// Returns the characters of a call that was not billed.
    fn refund(&self, characters: u64) {
        self.spent.fetch_sub(characters, Ordering::Relaxed);
    }
}

/// A spoken piece of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Speech {
    /// Mono at 48 kHz, -1 to 1, no silence at its ends.
    pub(super) samples: Vec<f32>,
    /// One entry a word of the piece, counted from the first sample; empty when the voice does not say.
    pub(super) words: Vec<Word>,
    /// The sound file as the voice sent it, with its words' times, for the cache.
    pub(super) file: Option<(Bytes, Vec<Word>)>,
}

/// One voice of the chain.
#[derive(Debug)]
pub(super) struct VoiceClient {
    pub(super) voice: Box<dyn Voice>,
    limit: ConcurrencyLimit,
    breaker: CircuitBreaker,
    timeout: Duration,
}

impl VoiceClient {
    /// `timeout` is for one call.
    pub(super) fn new(voice: Box<dyn Voice>, timeout: Duration) -> Self {
        let limit = ConcurrencyLimit::new(voice.concurrency(), voice.max_concurrency());
        Self { voice, limit, breaker: CircuitBreaker::new(), timeout }
    }

    /// Opens the circuit breaker when the voice's address can't be reached.
    pub(super) async fn probe(&self) {
        let Some(address) = self.voice.address() else { return };
        if let Some(reason) = connectivity::probe(address).await {
            tracing::warn!(
                voice = self.voice.name(),
                reason,
                "can't connect to the voice; it is skipped for this film"
            );
            self.breaker.record_failure(&VoiceError::Unreachable(reason));
        }
    }

    /// Waits until a call may start.
    ///
    /// # Errors
    /// [`VoiceError::Denied`] once the circuit breaker is open; [`VoiceError::Busy`] as for [`ConcurrencyLimit::acquire`].
    async fn permit(&self, scene: usize, deadline: Deadline) -> Result<Permit<'_>, VoiceError> {
        tokio::select! {
            biased;
            reason = self.breaker.opened() => Err(VoiceError::Denied(reason)),
            permit = self.limit.acquire(scene, deadline) => permit,
        }
    }

    /// Calls the voice until it gives a whole sound or a retry can't help. `calls` counts the calls made.
    ///
    /// # Errors
    /// The last call's [`VoiceError`].
    pub(super) async fn call_with_retries(
        &self,
        request: &SpeechRequest<'_>,
        budget: &Budget,
        calls: &AtomicU32,
    ) -> Result<Speech, VoiceError> {
        let (failed, crowded) = (AtomicU32::new(0), AtomicU32::new(0));
        let call = || async {
            let _permit = self.permit(request.scene, request.deadline).await?;
            let speech = self.call(request, budget, calls).await;
            match &speech {
                Ok(_) => {
                    self.breaker.record_success();
                    self.limit.record_success();
                }
                Err(error) => {
                    self.limit.record_failure(error);
                    self.breaker.record_failure(error);
                }
            }
            speech
        };
        let wait = |error: &VoiceError, delay: Option<Duration>| {
            let count = |counter: &AtomicU32| counter.fetch_add(1, Ordering::Relaxed) + 1;
            // Full jitter: between nothing and the whole wait, so that calls that failed together are not repeated together.
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
            wait.filter(|wait| *wait < request.deadline.left())
        };
        let backoff = ExponentialBuilder::new().with_min_delay(BACKOFF.0).with_max_delay(BACKOFF.1).without_max_times();
        let retried = call.retry(backoff).when(|error| error.is_retryable() && !self.breaker.is_open()).adjust(wait);
        let retried = retried.notify(|error, wait| {
            tracing::info!(voice = self.voice.name(), %error, ?wait, "the call of the voice failed; it is repeated after the wait");
        });
        // Boxed: the compiler can't prove that the future is `Send` for all lifetimes of its closures, which spawning a job needs.
        let retried: BoxFuture<'_, Result<Speech, VoiceError>> = Box::pin(retried.into_future());
        let speech = request
            .deadline
            .run(retried)
            .await
            .unwrap_or(Err(VoiceError::TimedOut("a free slot among the calls of this voice")));
        if let Err(busy @ VoiceError::Busy { .. }) = &speech {
            self.breaker.record_abandoned(busy);
        }
        speech
    }

    async fn call(
        &self,
        request: &SpeechRequest<'_>,
        budget: &Budget,
        calls: &AtomicU32,
    ) -> Result<Speech, VoiceError> {
        let price =
            if self.voice.paid() { request.text.chars().count() as u64 * self.voice.billing_factor() } else { 0 };
        budget.reserve(price)?;
        calls.fetch_add(1, Ordering::Relaxed);
        let _turn = match self.voice.turns() {
            // It is never closed.
            Some(turns) => request.deadline.run(turns.acquire_owned()).await?.ok(),
            None => None,
        };
        let deadline: Deadline = request.deadline.slice(self.timeout);
        let spoken = deadline.run(self.voice.speak(&SpeechRequest { deadline, ..*request })).await;
        let spoken = spoken.unwrap_or(Err(VoiceError::TimedOut("the voice's answer")));
        if spoken.as_ref().is_err_and(VoiceError::is_unbilled) {
            budget.refund(price);
        }
        self.check(spoken?, request.text, request.deadline).await
    }

    /// Decodes a recording and checks that it can be all of `text`.
    ///
    /// # Errors
    /// [`VoiceError::NotDecodable`], [`VoiceError::TimedOut`].
    pub(super) async fn check(
        &self,
        recording: Recording,
        text: &str,
        deadline: Deadline,
    ) -> Result<Speech, VoiceError> {
        let (file, words) = match recording {
            Recording::File(file, words) => (file, words),
            Recording::Silence(length) => {
                let samples = vec![0.0; (length.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize];
                return Ok(Speech { samples, words: Vec::new(), file: None });
            }
        };
        let characters = text.chars().count() as f64;
        let most = 30.0 + characters / 2.0;
        let kept = file.clone();
        let decoded = match deadline.work(move |cutoff| decode(file, most, cutoff)).await {
            Ok(decoded) => decoded?,
            Err(Stopped::Passed(passed)) => return Err(passed.into()),
            Err(Stopped::Panicked(_)) => return Err(VoiceError::NotDecodable("the decoder crashed".to_owned())),
        };
        let seconds = (decoded.cut + decoded.samples.len()) as f64 / f64::from(SAMPLE_RATE);
        self.check_length(text, seconds, &words).map_err(VoiceError::NotDecodable)?;
        let moved = within(&words, text, decoded.cut, decoded.samples.len());
        Ok(Speech { samples: decoded.samples, words: moved, file: Some((kept, words)) })
    }

    /// Refuses sound that is too short for its text: a transfer may be cut off where the file format does not show it.
    fn check_length(&self, text: &str, seconds: f64, words: &[Word]) -> Result<(), String> {
        let last = words.last().map_or(0.0, |word| f64::from(word.from_ms) / 1000.0);
        if last > seconds + 0.5 {
            return Err(format!("its last word begins at {last:.1} s, after the sound's end at {seconds:.1} s"));
        }
        // Sound that is shorter than at 1.75 times the voice's pace lacks a part. Short texts and texts without letters vary too
        // much for this check.
        let letters = text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).count() as f64;
        let fastest = 1.75 * f64::from(self.voice.pace()) * LETTERS / 60.0;
        if self.voice.is_remote() && letters > 60.0 && letters / seconds > fastest {
            return Err(format!(
                "{letters} letters in {seconds:.1} s are faster than speech: a part of the sound is missing"
            ));
        }
        Ok(())
    }
}

/// Moves words to where they are after `cut` samples were cut off, and keeps them inside and in order. Gives no
/// times when their number differs from that of the text's words.
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::silent::Silent;
    use super::super::voice::MAX_CONCURRENCY;
    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(10))
    }

    fn client() -> VoiceClient {
        VoiceClient::new(Box::new(Silent { pace: None }), Duration::from_secs(10))
    }

    #[tokio::test]
    async fn a_waiting_call_ends_when_the_circuit_breaker_opens() {
        let client = client();
        let mut permits = Vec::new();
        for _ in 0..MAX_CONCURRENCY {
            permits.push(client.permit(0, soon()).await.unwrap());
        }
        let waiting = async { client.permit(0, soon()).await.map(drop) };
        let opening = async { client.breaker.record_failure(&VoiceError::Unreachable("no route".to_owned())) };
        let (waited, ()) = tokio::join!(waiting, opening);
        assert!(matches!(waited, Err(VoiceError::Denied(_))), "{waited:?}");
    }

    #[tokio::test]
    async fn beats_that_were_given_up_for_a_long_wait_open_the_circuit_breaker() {
        let client = client();
        let after = Some(Duration::from_secs(3_600));
        client.limit.record_failure(&VoiceError::Busy { reason: String::new(), after, crowded: false });
        let begun = Instant::now();
        let mut abandoned = 0;
        while !client.breaker.is_open() {
            let error = client.permit(0, soon()).await.map(drop).unwrap_err();
            assert!(matches!(error, VoiceError::Busy { after: Some(_), .. }), "{error}");
            client.breaker.record_abandoned(&error);
            abandoned += 1;
        }
        assert!(abandoned > 1 && begun.elapsed() < Duration::from_secs(5));
    }
}
