//! What tells others how jobs stand: events on EventBridge, a webhook, figures for CloudWatch, and the list of jobs by time.
//!
//! In: each job's status, as it changes. Out: messages. It never delays a job and never fails one: every target has a queue of
//! its own that drops what does not fit, and whoever ends waits for it a bounded time only.

mod address;
mod bus;
mod listing;
mod metrics;
mod webhook;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use crate::config::Config;
use crate::deadline::Deadline;
use crate::job::{JobId, State, Status};
use crate::services::{Claimed, Services};

/// Messages that may wait for one target.
const QUEUE: usize = 256;
/// For all that one target does with one message, retries included.
pub const DELIVERY: Duration = Duration::from_secs(20);

/// A job came into a state.
#[derive(Debug)]
struct Notice {
    state: State,
    status: Status,
}

impl Notice {
    /// The same for the same news, so that whoever accepts it twice can tell.
    fn id(&self) -> String {
        format!("{}-{}-{}", self.status.job_id, self.status.generation, self.state.name())
    }

    /// `chalkreel.job.succeeded` and the like.
    fn name(&self) -> String {
        format!("chalkreel.job.{}", self.state.name())
    }

    /// What is told: the status in short. `bucket` is where its outputs lie.
    fn body(&self, bucket: &str) -> Value {
        let Status { job_id, stage, progress, title, attempts, generation, created_at, updated_at, .. } = &self.status;
        json!({
            "id": self.id(), "job_id": job_id, "state": self.state, "stage": stage, "progress": progress,
            "title": title, "attempts": attempts, "generation": generation, "created_at": created_at,
            "updated_at": updated_at, "bucket": bucket, "outputs": self.status.outputs, "error": self.status.error,
            "film_seconds": self.status.cost.film_seconds, "seconds": self.status.cost.seconds,
        })
    }
}

/// Somebody who is told.
#[async_trait]
trait Target: Send + Sync {
    /// In logs.
    fn name(&self) -> &'static str;
    /// Whether it wants to hear of that state.
    fn accepts(&self, state: State) -> bool;
    /// Whether it counts what was done here, whoever ended it, instead of hearing what is new.
    fn counts(&self) -> bool {
        false
    }
    /// Tells it, with retries of its own; `deadline` is when nobody waits any more.
    async fn tell(&self, notice: &Notice, deadline: Deadline) -> Result<(), String>;
}

/// The way from jobs to all who are told.
#[derive(Debug)]
pub struct Notices {
    news: mpsc::UnboundedSender<News>,
    pending: watch::Sender<usize>,
}

/// What is told from outside of a job's own changes.
enum News {
    /// A job is over here.
    Ended(Status),
    /// A state was written here without a claim.
    Wrote(Status),
}

impl Notices {
    /// Begins to tell of the services's jobs whoever the settings name. Must be called inside a tokio runtime, once.
    pub fn start(services: &Services) -> Self {
        let config = &services.config;
        let mut targets = others(config, services.store.bucket());
        targets.push(Box::new(listing::Listing::new(services.store.clone())));
        if config.interfaces.metrics {
            targets.push(Box::new(metrics::Metrics::of(config)));
        }
        Self::to(targets, services.watch())
    }

    /// The same where no films are made: what is written there, such as that a job is cancelled, is told too. `bucket` is where
    /// outputs lie.
    pub fn without_services(config: &Config, bucket: &str) -> Self {
        let (_, nothing) = mpsc::unbounded_channel();
        Self::to(others(config, bucket), nothing)
    }

    fn to(targets: Vec<Box<dyn Target>>, jobs: mpsc::UnboundedReceiver<Claimed>) -> Self {
        let pending = watch::Sender::new(0);
        let (news, told) = mpsc::unbounded_channel();
        let subscribers = targets.into_iter().map(|target| Subscriber::open(target, pending.clone())).collect();
        tokio::spawn(follow(jobs, told, subscribers, pending.clone()));
        Self { news, pending }
    }

    /// A job is over here, as `status` says: of one that was handed over, the end is told by the task that comes to it. Jobs that
    /// were not worked on here are not told of: their owner does that. Nor is it told here that somebody cancelled a job: who
    /// does so tells it.
    pub fn ended(&self, status: &Status) {
        self.put(News::Ended(status.clone()));
    }

    /// A state was written here by somebody who has not claimed the job: who cancels it.
    pub fn wrote(&self, status: &Status) {
        self.put(News::Wrote(status.clone()));
    }

    fn put(&self, news: News) {
        self.pending.send_modify(|pending| *pending += 1);
        if self.news.send(news).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// Waits until everybody has been told, and says whether that came by `deadline`.
    pub async fn flush(&self, deadline: Deadline) -> bool {
        // The sender lives in `self`, so the wait itself can't fail.
        let told = deadline.run(self.pending.subscribe().wait_for(|pending| *pending == 0)).await.is_ok();
        if !told {
            warn!("not everybody could be told how the job ended");
        }
        told
    }
}

/// Those elsewhere whom the settings name.
fn others(config: &Config, bucket: &str) -> Vec<Box<dyn Target>> {
    let mut targets: Vec<Box<dyn Target>> = Vec::new();
    if let Some(bus) = &config.interfaces.event_bus {
        targets.push(Box::new(bus::Bus::new(bus, config, bucket)));
    }
    if let Some((url, secret)) = &config.interfaces.webhook {
        targets.push(Box::new(webhook::Webhook::new(url, secret, config.interfaces.webhook_loopback, bucket)));
    }
    targets
}

/// A target's queue.
struct Subscriber {
    queue: mpsc::Sender<Arc<Notice>>,
    counts: bool,
    accepts: Box<dyn Fn(State) -> bool + Send + Sync>,
    name: &'static str,
    pending: watch::Sender<usize>,
}

impl Subscriber {
    fn open(target: Box<dyn Target>, pending: watch::Sender<usize>) -> Self {
        let (queue, mut notices) = mpsc::channel::<Arc<Notice>>(QUEUE);
        let target: Arc<dyn Target> = target.into();
        let (name, counts, asked) = (target.name(), target.counts(), target.clone());
        let told = pending.clone();
        tokio::spawn(async move {
            while let Some(notice) = notices.recv().await {
                let deadline = Deadline::after(DELIVERY);
                match deadline.run(target.tell(&notice, deadline)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(reason)) => error!(target = name, notice = notice.id(), "could not be told: {reason}"),
                    Err(_) => error!(target = name, notice = notice.id(), "could not be told in time"),
                }
                told.send_modify(|pending| *pending -= 1);
            }
        });
        Self { queue, counts, accepts: Box::new(move |state| asked.accepts(state)), name, pending }
    }

    fn put(&self, notice: &Arc<Notice>) {
        if !(self.accepts)(notice.state) {
            return;
        }
        self.pending.send_modify(|pending| *pending += 1);
        if self.queue.try_send(notice.clone()).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
            error!(target = self.name, notice = notice.id(), "so much waits to be told that this is not");
        }
    }
}

/// A job that is worked on here.
struct Known {
    owner: String,
    running_told: bool,
}

/// Puts every state of every job on all subscribers, each once and in order.
async fn follow(
    mut jobs: mpsc::UnboundedReceiver<Claimed>,
    mut news: mpsc::UnboundedReceiver<News>,
    subscribers: Vec<Subscriber>,
    pending: watch::Sender<usize>,
) {
    let tell_those = |who: fn(&&Subscriber) -> bool, state: State, status: Status| {
        let notice = Arc::new(Notice { state, status });
        subscribers.iter().filter(who).for_each(|subscriber| subscriber.put(&notice));
    };
    let tell = |state: State, status: Status| tell_those(|_| true, state, status);
    let mut known: HashMap<JobId, Known> = HashMap::new();
    let (began, mut begins) = mpsc::unbounded_channel::<Status>();
    loop {
        tokio::select! {
            // In this order: an end that is here has its claim here too.
            biased;
            Some(Claimed { status, changes: mut job }) = jobs.recv() => {
                // The next task of a state machine goes on with a job that was told of before.
                let goes_on = status.state != State::Queued;
                known.insert(status.job_id.clone(), Known { owner: status.owner.clone(), running_told: goes_on });
                if !goes_on {
                    tell(State::Queued, status);
                }
                let began = began.clone();
                tokio::spawn(async move {
                    // An error means that the job has ended: then its end is told.
                    if let Ok(status) = job.wait_for(|status| status.state != State::Queued).await {
                        let _ = began.send(status.clone());
                    }
                });
            }
            Some(status) = begins.recv() => {
                let known = known.get_mut(&status.job_id).filter(|known| known.owner == status.owner);
                if let Some(known) = known && !known.running_told {
                    known.running_told = true;
                    tell(State::Running, status);
                }
            }
            told = news.recv() => {
                let status = match told {
                    None => return,
                    Some(News::Wrote(status)) => {
                        tell_those(|subscriber| !subscriber.counts, status.state, status);
                        pending.send_modify(|pending| *pending -= 1);
                        continue;
                    }
                    Some(News::Ended(status)) => status,
                };
                let handed_over = status.is_handed_over() && status.owner.is_empty();
                if known.get(&status.job_id).is_some_and(|known| handed_over || known.owner == status.owner) {
                    let told = known.remove(&status.job_id).is_some_and(|known| known.running_told);
                    // Past the first stage it must have been running.
                    if !told && status.progress > 0.0 {
                        tell(State::Running, Status { updated_at: Timestamp::now(), ..status.clone() });
                    }
                    if status.state == State::Cancelled {
                        tell_those(|subscriber| subscriber.counts, status.state, status);
                    } else if !handed_over {
                        tell(status.state, status);
                    }
                }
                pending.send_modify(|pending| *pending -= 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Heard = Arc<Mutex<Vec<String>>>;

    struct Ear(Heard, Duration);

    /// As the figures for CloudWatch do.
    struct Counter(Heard);

    #[async_trait]
    impl Target for Counter {
        fn name(&self) -> &'static str {
            "counter"
        }

        fn accepts(&self, state: State) -> bool {
            state.is_final()
        }

        fn counts(&self) -> bool {
            true
        }

        async fn tell(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
            self.0.lock().unwrap().push(notice.name());
            Ok(())
        }
    }

    #[async_trait]
    impl Target for Ear {
        fn name(&self) -> &'static str {
            "ear"
        }

        fn accepts(&self, _: State) -> bool {
            true
        }

        async fn tell(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
            tokio::time::sleep(self.1).await;
            self.0.lock().unwrap().push(notice.name());
            Ok(())
        }
    }

    fn status(owner: &str) -> Status {
        Status::queued("0123456789abcdef01234567".parse().unwrap(), owner.to_owned(), Timestamp::now())
    }

    fn claimed(job: &watch::Sender<Status>) -> Claimed {
        Claimed { status: job.borrow().clone(), changes: job.subscribe() }
    }

    #[tokio::test]
    async fn each_state_is_told_once_and_in_order() {
        let heard = Heard::default();
        let (jobs, watched) = mpsc::unbounded_channel();
        let notices = Notices::to(vec![Box::new(Ear(heard.clone(), Duration::ZERO))], watched);
        let mine = watch::Sender::new(status("me"));
        jobs.send(claimed(&mine)).unwrap();
        mine.send_modify(|status| (status.state, status.progress) = (State::Running, 0.1));
        let ended = Status { state: State::Succeeded, ..mine.borrow().clone() };
        notices.ended(&ended);
        // Delivered again: it was somebody else's by then.
        notices.ended(&ended);
        notices.ended(&Status { owner: "another".to_owned(), ..ended });
        assert!(notices.flush(Deadline::after(Duration::from_secs(5))).await);
        let told = heard.lock().unwrap().clone();
        assert_eq!(told, ["chalkreel.job.queued", "chalkreel.job.running", "chalkreel.job.succeeded"]);
    }

    /// Whoever cancels a job tells it, whether somebody works on it or not; whoever worked on it only counts it.
    #[tokio::test]
    async fn a_cancelled_job_is_told_once_by_whoever_cancelled_it() {
        let (heard, counted) = (Heard::default(), Heard::default());
        let (jobs, watched) = mpsc::unbounded_channel();
        let ear = |heard: &Heard| -> Box<dyn Target> { Box::new(Ear(heard.clone(), Duration::ZERO)) };
        let worker = Notices::to(vec![ear(&heard), Box::new(Counter(counted.clone()))], watched);
        let mine = watch::Sender::new(status("me"));
        jobs.send(claimed(&mine)).unwrap();
        mine.send_modify(|status| (status.state, status.progress) = (State::Running, 0.1));
        let cancelled = Status { state: State::Cancelled, generation: 2, ..mine.borrow().clone() };
        worker.ended(&cancelled);
        assert!(worker.flush(Deadline::after(Duration::from_secs(5))).await);
        assert_eq!(heard.lock().unwrap().clone(), ["chalkreel.job.queued", "chalkreel.job.running"]);

        let (_, nothing) = mpsc::unbounded_channel();
        let interface = Notices::to(vec![ear(&heard), Box::new(Counter(counted.clone()))], nothing);
        interface.wrote(&cancelled);
        assert!(interface.flush(Deadline::after(Duration::from_secs(5))).await);
        assert_eq!(heard.lock().unwrap().last().unwrap(), "chalkreel.job.cancelled");
        assert_eq!(counted.lock().unwrap().clone(), ["chalkreel.job.cancelled"]);
    }

    #[tokio::test]
    async fn who_does_not_listen_delays_nobody_beyond_the_deadline() {
        let heard = Heard::default();
        let (jobs, watched) = mpsc::unbounded_channel();
        let deaf = Ear(heard.clone(), Duration::from_secs(3600));
        let notices = Notices::to(vec![Box::new(deaf)], watched);
        let mine = watch::Sender::new(status("me"));
        jobs.send(claimed(&mine)).unwrap();
        notices.ended(&Status { state: State::Failed, ..mine.borrow().clone() });
        let start = std::time::Instant::now();
        assert!(!notices.flush(Deadline::after(Duration::from_millis(100))).await);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(heard.lock().unwrap().is_empty());
    }
}
