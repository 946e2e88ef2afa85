//! Notifications about jobs: events on EventBridge, a webhook, metrics for CloudWatch, and the list of jobs by time.
//!
//! In: each job's status, as it changes. Out: messages. It never delays a job and never fails one: every target has a bounded queue
//! of its own that drops messages when it is full, and a process that exits waits a bounded time only.

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

/// Messages that may be queued for one target.
const QUEUE: usize = 256;
/// Time for the delivery of one message to one target, retries included.
pub const DELIVERY: Duration = Duration::from_secs(20);

/// A job entered a state.
#[derive(Debug)]
struct Notice {
    state: State,
    status: Status,
}

impl Notice {
    /// The same for the same state change, so that a receiver can recognise a repeated delivery.
    fn id(&self) -> String {
        format!("{}-{}-{}", self.status.job_id, self.status.generation, self.state.name())
    }

    /// `chalkreel.job.succeeded` and the like.
    fn name(&self) -> String {
        format!("chalkreel.job.{}", self.state.name())
    }

    /// The message: a summary of the status. `bucket` is where its outputs are.
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

/// A receiver of notifications.
#[async_trait]
trait Target: Send + Sync {
    /// Its name in logs.
    fn name(&self) -> &'static str;
    /// Whether it is notified of that state.
    fn accepts(&self, state: State) -> bool;
    /// Whether it counts the work done by this process, whichever process ended the job, instead of each state change once.
    fn counts(&self) -> bool {
        false
    }
    /// Delivers a notice, with retries of its own, until `deadline`.
    async fn deliver(&self, notice: &Notice, deadline: Deadline) -> Result<(), String>;
}

/// Notifies all targets of the states of jobs.
#[derive(Debug)]
pub struct Notices {
    changes: mpsc::UnboundedSender<Change>,
    pending: watch::Sender<usize>,
}

/// A change that does not come from a lease of this process.
enum Change {
    /// A job has ended in this process.
    Ended(Status),
    /// This process wrote a state without a claim.
    Wrote(Status),
}

impl Notices {
    /// Starts to notify the targets that the settings name of all jobs of `services`. Must be called inside a tokio runtime, once.
    pub fn start(services: &Services) -> Self {
        let config = &services.config;
        let mut targets = configured(config, services.store.bucket());
        targets.push(Box::new(listing::Listing::new(services.store.clone())));
        if config.interfaces.metrics {
            targets.push(Box::new(metrics::Metrics::of(config)));
        }
        Self::to(targets, services.watch())
    }

    /// The same for a process that makes no films, but writes states, such as a cancellation. `bucket` is where outputs are.
    pub fn without_services(config: &Config, bucket: &str) -> Self {
        let (_, nothing) = mpsc::unbounded_channel();
        Self::to(configured(config, bucket), nothing)
    }

    fn to(targets: Vec<Box<dyn Target>>, jobs: mpsc::UnboundedReceiver<Claimed>) -> Self {
        let pending = watch::Sender::new(0);
        let (changes, received) = mpsc::unbounded_channel();
        let subscribers = targets.into_iter().map(|target| Subscriber::open(target, pending.clone())).collect();
        tokio::spawn(dispatch(jobs, received, subscribers, pending.clone()));
        Self { changes, pending }
    }

    /// A job has ended in this process, as `status` says. When it was handed over, the task that ends it notifies. Jobs of other
    /// processes are ignored, since their owner notifies; so are cancellations, since the process that cancels notifies.
    pub fn ended(&self, status: &Status) {
        self.put(Change::Ended(status.clone()));
    }

    /// This process wrote a state without a claim on the job: a cancellation.
    pub fn wrote(&self, status: &Status) {
        self.put(Change::Wrote(status.clone()));
    }

    fn put(&self, change: Change) {
        self.pending.send_modify(|pending| *pending += 1);
        if self.changes.send(change).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// Waits until all notices are delivered or dropped, and says whether that came by `deadline`.
    pub async fn flush(&self, deadline: Deadline) -> bool {
        // The sender lives in `self`, so the wait itself can't fail.
        let delivered = deadline.run(self.pending.subscribe().wait_for(|pending| *pending == 0)).await.is_ok();
        if !delivered {
            warn!("not all notifications were delivered before the process had to go on; undelivered ones may be lost");
        }
        delivered
    }
}

/// The external targets that the settings name.
fn configured(config: &Config, bucket: &str) -> Vec<Box<dyn Target>> {
    let mut targets: Vec<Box<dyn Target>> = Vec::new();
    if let Some(bus) = &config.interfaces.event_bus {
        targets.push(Box::new(bus::Bus::new(bus, config, bucket)));
    }
    if let Some((url, secret)) = &config.interfaces.webhook {
        targets.push(Box::new(webhook::Webhook::new(url, secret, config.interfaces.webhook_loopback, bucket)));
    }
    targets
}

/// The queue of a target.
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
        let undelivered = pending.clone();
        tokio::spawn(async move {
            while let Some(notice) = notices.recv().await {
                let deadline = Deadline::after(DELIVERY);
                match deadline.run(target.deliver(&notice, deadline)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(reason)) => error!(
                        target = name,
                        notice = notice.id(),
                        event = notice.name(),
                        "can't deliver the event to {name}: {reason}"
                    ),
                    Err(_) => error!(
                        target = name,
                        notice = notice.id(),
                        event = notice.name(),
                        "can't deliver the event to {name}: it timed out"
                    ),
                }
                undelivered.send_modify(|pending| *pending -= 1);
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
            let (target, event) = (self.name, notice.name());
            error!(
                target = target,
                notice = notice.id(),
                "the queue of notifications for {target} is full ({QUEUE}): event {event} is dropped"
            );
        }
    }
}

/// A job of this process.
struct Known {
    owner: String,
    running_notified: bool,
}

/// Queues a notice of every state of every job for all subscribers, each once and in order.
async fn dispatch(
    mut jobs: mpsc::UnboundedReceiver<Claimed>,
    mut changes: mpsc::UnboundedReceiver<Change>,
    subscribers: Vec<Subscriber>,
    pending: watch::Sender<usize>,
) {
    let notify_some = |who: fn(&&Subscriber) -> bool, state: State, status: Status| {
        let notice = Arc::new(Notice { state, status });
        subscribers.iter().filter(who).for_each(|subscriber| subscriber.put(&notice));
    };
    let notify = |state: State, status: Status| notify_some(|_| true, state, status);
    let mut known: HashMap<JobId, Known> = HashMap::new();
    let (began, mut begins) = mpsc::unbounded_channel::<Status>();
    loop {
        tokio::select! {
            // In this order: a job's claim is received before its end.
            biased;
            Some(Claimed { status, changes: mut job }) = jobs.recv() => {
                // A later task of a state machine continues a job whose start was notified before.
                let continues = status.state != State::Queued;
                known.insert(status.job_id.clone(), Known { owner: status.owner.clone(), running_notified: continues });
                if !continues {
                    notify(State::Queued, status);
                }
                let began = began.clone();
                tokio::spawn(async move {
                    // An error means that the job has ended: then its end is notified.
                    if let Ok(status) = job.wait_for(|status| status.state != State::Queued).await {
                        let _ = began.send(status.clone());
                    }
                });
            }
            Some(status) = begins.recv() => {
                let known = known.get_mut(&status.job_id).filter(|known| known.owner == status.owner);
                if let Some(known) = known && !known.running_notified {
                    known.running_notified = true;
                    notify(State::Running, status);
                }
            }
            change = changes.recv() => {
                let status = match change {
                    None => return,
                    Some(Change::Wrote(status)) => {
                        notify_some(|subscriber| !subscriber.counts, status.state, status);
                        pending.send_modify(|pending| *pending -= 1);
                        continue;
                    }
                    Some(Change::Ended(status)) => status,
                };
                let handed_over = status.is_handed_over() && status.owner.is_empty();
                if known.get(&status.job_id).is_some_and(|known| handed_over || known.owner == status.owner) {
                    let notified = known.remove(&status.job_id).is_some_and(|known| known.running_notified);
                    // A job with progress must have been running.
                    if !notified && status.progress > 0.0 {
                        notify(State::Running, Status { updated_at: Timestamp::now(), ..status.clone() });
                    }
                    if status.state == State::Cancelled {
                        notify_some(|subscriber| subscriber.counts, status.state, status);
                    } else if !handed_over {
                        notify(status.state, status);
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

    type Received = Arc<Mutex<Vec<String>>>;

    struct Recorder(Received, Duration);

    /// As the metrics for CloudWatch do.
    struct Counter(Received);

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

        async fn deliver(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
            self.0.lock().unwrap().push(notice.name());
            Ok(())
        }
    }

    #[async_trait]
    impl Target for Recorder {
        fn name(&self) -> &'static str {
            "recorder"
        }

        fn accepts(&self, _: State) -> bool {
            true
        }

        async fn deliver(&self, notice: &Notice, _: Deadline) -> Result<(), String> {
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
    async fn each_state_is_notified_once_and_in_order() {
        let received = Received::default();
        let (jobs, watched) = mpsc::unbounded_channel();
        let notices = Notices::to(vec![Box::new(Recorder(received.clone(), Duration::ZERO))], watched);
        let mine = watch::Sender::new(status("me"));
        jobs.send(claimed(&mine)).unwrap();
        mine.send_modify(|status| (status.state, status.progress) = (State::Running, 0.1));
        let ended = Status { state: State::Succeeded, ..mine.borrow().clone() };
        notices.ended(&ended);
        // Delivered again: another process had the job by then.
        notices.ended(&ended);
        notices.ended(&Status { owner: "another".to_owned(), ..ended });
        assert!(notices.flush(Deadline::after(Duration::from_secs(5))).await);
        let events = received.lock().unwrap().clone();
        assert_eq!(events, ["chalkreel.job.queued", "chalkreel.job.running", "chalkreel.job.succeeded"]);
    }

    /// The process that cancels a job notifies, whether a worker has it or not; the worker only counts it.
    #[tokio::test]
    async fn a_cancellation_is_notified_once_by_the_process_that_cancels() {
        let (received, counted) = (Received::default(), Received::default());
        let (jobs, watched) = mpsc::unbounded_channel();
        let recorder =
            |received: &Received| -> Box<dyn Target> { Box::new(Recorder(received.clone(), Duration::ZERO)) };
        let worker = Notices::to(vec![recorder(&received), Box::new(Counter(counted.clone()))], watched);
        let mine = watch::Sender::new(status("me"));
        jobs.send(claimed(&mine)).unwrap();
        mine.send_modify(|status| (status.state, status.progress) = (State::Running, 0.1));
        let cancelled = Status { state: State::Cancelled, generation: 2, ..mine.borrow().clone() };
        worker.ended(&cancelled);
        assert!(worker.flush(Deadline::after(Duration::from_secs(5))).await);
        assert_eq!(received.lock().unwrap().clone(), ["chalkreel.job.queued", "chalkreel.job.running"]);

        let (_, nothing) = mpsc::unbounded_channel();
        let interface = Notices::to(vec![recorder(&received), Box::new(Counter(counted.clone()))], nothing);
        interface.wrote(&cancelled);
        assert!(interface.flush(Deadline::after(Duration::from_secs(5))).await);
        assert_eq!(received.lock().unwrap().last().unwrap(), "chalkreel.job.cancelled");
        assert_eq!(counted.lock().unwrap().clone(), ["chalkreel.job.cancelled"]);
    }

    #[tokio::test]
    async fn a_target_that_does_not_answer_delays_nobody_beyond_the_deadline() {
        let received = Received::default();
        let (jobs, watched) = mpsc::unbounded_channel();
        let slow = Recorder(received.clone(), Duration::from_secs(3600));
        let notices = Notices::to(vec![Box::new(slow)], watched);
        let mine = watch::Sender::new(status("me"));
        jobs.send(claimed(&mine)).unwrap();
        notices.ended(&Status { state: State::Failed, ..mine.borrow().clone() });
        let start = std::time::Instant::now();
        assert!(!notices.flush(Deadline::after(Duration::from_millis(100))).await);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(received.lock().unwrap().is_empty());
    }
}
