//! Status and lease against a small model: random claims, work, ends, deaths and cancellations by two owners, and hand-overs to the
//! tasks of two executions, on a real S3 server. Also what a reader may never see, and what happens to an owner that was taken over.

use std::time::{Duration, Instant};

use handler::deadline::Deadline;
use handler::error::{Code, JobError};
use handler::job::events::JobEvent;
use handler::job::keys;
use handler::job::lease::{Cancellation, FinishError};
use handler::job::{Again, Claim, JobId, Lease, State, Status, Terms, Worker};
use handler::store::{Embedded, Store};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

/// Six heartbeats fit into it: one every tenth of a second.
const TIMEOUT: Duration = Duration::from_millis(600);

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn terms(again: Again) -> Terms<'static> {
    by(Worker::Alone, again)
}

fn by(worker: Worker<'static>, again: Again) -> Terms<'static> {
    Terms { worker, again, timeout: TIMEOUT, ends: Timestamp::now() + SignedDuration::from_secs(60) }
}

struct Rig {
    store: Store,
    _server: Embedded,
    _dir: TempDir,
}

async fn rig() -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let server = Embedded::start(dir.path()).await.unwrap();
    server.create_bucket("jobs").unwrap();
    let store = Store::connect(&server.endpoint(), "jobs").await;
    Rig { store, _server: server, _dir: dir }
}

fn job(number: u64) -> JobId {
    format!("{number:024x}").parse().unwrap()
}

impl Rig {
    async fn stored(&self, id: &JobId) -> Option<Status> {
        let object = self.store.get(&keys::status(id), 1 << 20, soon()).await.ok()?;
        let status: Status = serde_json::from_slice(&object.bytes).unwrap();
        assert!(status.is_consistent(), "{status:?}");
        Some(status)
    }

    /// As if an hour had passed since its owner wrote it.
    async fn age(&self, id: &JobId) {
        let mut status = self.stored(id).await.unwrap();
        status.updated_at -= SignedDuration::from_hours(1);
        let body = serde_json::to_vec(&status).unwrap();
        self.store.put(&keys::status(id), body, "application/json", soon()).await.unwrap();
    }
}

/// How an owner ends a job.
#[derive(Debug, Clone, Copy)]
enum End {
    Film,
    Retryable,
    Hopeless,
    Late,
}

impl End {
    fn apply(self, status: &mut Status) {
        let (state, code) = match self {
            Self::Film => {
                status.outputs.insert("film".to_owned(), "films/x/film.mp4".to_owned());
                (State::Succeeded, None)
            }
            Self::Retryable => (State::Failed, Some(Code::JobInterrupted)),
            Self::Hopeless => (State::Failed, Some(Code::InputNotUtf8)),
            Self::Late => (State::TimedOut, Some(Code::JobDeadline)),
        };
        status.state = state;
        status.error = code.map(|code| JobError::new(code, "as the test wants it"));
    }
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Claim(usize, Worker<'static>),
    Begin(usize),
    Finish(usize, End),
    /// Its process is gone; `true` when an hour passes.
    Die(usize, bool),
    Cancel,
    /// To execution x.
    HandOver(usize),
    /// One of the many tasks of execution x tells something.
    Note,
}

fn op() -> impl Strategy<Value = Op> {
    let end = prop_oneof![Just(End::Film), Just(End::Retryable), Just(End::Hopeless), Just(End::Late)];
    let worker = prop_oneof![
        5 => Just(Worker::Alone),
        2 => Just(Worker::First("x")),
        1 => Just(Worker::First("y")),
        2 => Just(Worker::Next("x")),
        1 => Just(Worker::Next("y")),
    ];
    prop_oneof![
        5 => ((0..2_usize), worker).prop_map(|(owner, worker)| Op::Claim(owner, worker)),
        3 => (0..2_usize).prop_map(Op::HandOver),
        2 => Just(Op::Note),
        3 => (0..2_usize).prop_map(Op::Begin),
        2 => ((0..2_usize), end).prop_map(|(owner, end)| Op::Finish(owner, end)),
        2 => ((0..2_usize), any::<bool>()).prop_map(|(owner, aged)| Op::Die(owner, aged)),
        1 => Just(Op::Cancel),
    ]
}

/// What should be in the store, in the fewest words.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Model {
    state: State,
    generation: u64,
    /// Whether a new delivery begins again.
    free: bool,
    /// Whose tasks make it.
    execution: Option<&'static str>,
    /// Whether it lies between two of them.
    handed_over: bool,
    /// What was told in between.
    notes: u64,
}

impl Model {
    /// What a claim finds.
    fn claim(now: Option<Self>, worker: Worker<'static>, alive: bool) -> &'static str {
        let next = matches!(worker, Worker::Next(_));
        match now {
            None if next => "nothing",
            None => "mine",
            Some(now) if now.state.is_final() && !now.free => "done",
            Some(now) if now.execution.is_some() && now.execution == worker.execution() => "mine",
            Some(now) if next || (!now.state.is_final() && (now.execution.is_some() || alive)) => "held",
            Some(_) => "mine",
        }
    }

    /// After a claim that succeeded.
    fn claimed(now: Option<Self>, worker: Worker<'static>) -> Self {
        let execution = worker.execution();
        let generation = now.map_or(1, |now| now.generation + 1);
        match now.filter(|now| execution.is_some() && now.execution == execution) {
            Some(now) => {
                let state = if now.state.is_final() { State::Queued } else { now.state };
                Self { state, generation, free: false, handed_over: false, ..now }
            }
            None => Self { state: State::Queued, generation, free: false, execution, handed_over: false, notes: 0 },
        }
    }
}

async fn follow(rig: &Rig, id: &JobId, ops: &[Op]) {
    let mut model: Option<Model> = None;
    let mut leases: [Option<(Lease, u64)>; 2] = [None, None];
    for (index, op) in ops.iter().enumerate() {
        let what = format!("step {index}, {op:?}, of {ops:?}, at {model:?}");
        match *op {
            Op::Claim(owner, worker) if leases[owner].is_none() => {
                let alive =
                    model.is_some_and(|model| leases.iter().flatten().any(|(_, mine)| *mine == model.generation));
                let claim = Lease::claim(&rig.store, id, by(worker, Again::Retryable), soon()).await;
                let expected = Model::claim(model, worker, alive);
                match claim {
                    Err(error) => assert_eq!((expected, error.code()), ("nothing", "store.not_found"), "{what}"),
                    Ok(Claim::Mine(lease)) => {
                        assert_eq!(expected, "mine", "{what}");
                        let claimed = Model::claimed(model, worker);
                        leases[owner] = Some((lease, claimed.generation));
                        model = Some(claimed);
                    }
                    Ok(Claim::Held(_)) => assert_eq!(expected, "held", "{what}"),
                    Ok(Claim::Done(status)) => {
                        assert_eq!(expected, "done", "{what}");
                        assert_eq!(Some(status.state), model.map(|model| model.state), "{what}");
                    }
                }
            }
            Op::Begin(owner) => {
                let Some((lease, mine)) = &leases[owner] else { continue };
                lease.change(|status| status.state = State::Running);
                let Some(now) = &mut model else { unreachable!("a lease without a job") };
                if now.generation == *mine && !now.state.is_final() {
                    now.state = State::Running;
                    // It is written soon.
                    let begun = Instant::now();
                    while rig.stored(id).await.unwrap().state != State::Running {
                        assert!(begun.elapsed() < Duration::from_secs(5), "{what}");
                    }
                }
            }
            Op::Finish(owner, end) => {
                let Some((lease, mine)) = leases[owner].take() else { continue };
                // A job ends as it should only after it began.
                lease.change(|status| status.state = State::Running);
                let finished = lease.finish(|status| end.apply(status), soon()).await;
                let Some(now) = &mut model else { unreachable!("a lease without a job") };
                if now.generation == mine && !now.state.is_final() {
                    let status = finished.unwrap_or_else(|error| panic!("{what}: {error}"));
                    now.state = status.state;
                    now.free = matches!(end, End::Retryable | End::Late);
                } else {
                    assert!(matches!(finished, Err(FinishError::Lost)), "{what}: {finished:?}");
                }
            }
            Op::Die(owner, aged) => {
                let Some((lease, mine)) = leases[owner].take() else { continue };
                drop(lease);
                let current = model.is_some_and(|model| model.generation == mine && !model.state.is_final());
                if current && aged {
                    rig.age(id).await;
                }
            }
            Op::Cancel => match (Lease::cancel(&rig.store, id, soon()).await, &mut model) {
                (Err(_), None) => {}
                (Ok(cancelled), Some(now)) => {
                    // Whoever wrote it knows that it did.
                    let here = matches!(cancelled, Cancellation::Cancelled(_));
                    assert_eq!(here, !now.state.is_final(), "{what}");
                    let (Cancellation::Cancelled(status) | Cancellation::AlreadyOver(status)) = cancelled;
                    if !now.state.is_final() {
                        (now.state, now.generation) = (State::Cancelled, now.generation + 1);
                        now.free = false;
                    }
                    assert_eq!(status.state, now.state, "{what}");
                }
                (found, _) => panic!("{what}: {found:?}"),
            },
            Op::HandOver(owner) => {
                let Some((lease, mine)) = leases[owner].take() else { continue };
                lease.change(|status| status.state = State::Running);
                let over = |status: &mut Status| {
                    status.owner.clear();
                    status.execution = Some("x".to_owned());
                    status.deadline = Timestamp::now() + SignedDuration::from_secs(60);
                };
                let finished = lease.finish(over, soon()).await;
                let Some(now) = &mut model else { unreachable!("a lease without a job") };
                if now.generation == mine && !now.state.is_final() {
                    finished.unwrap_or_else(|error| panic!("{what}: {error}"));
                    (now.state, now.execution, now.handed_over) = (State::Running, Some("x"), true);
                } else {
                    assert!(matches!(finished, Err(FinishError::Lost)), "{what}: {finished:?}");
                }
            }
            Op::Note => {
                let told = Lease::note(&rig.store, id, "x", JobEvent::Paid(1), soon()).await;
                assert_eq!(told.is_ok(), model.is_some(), "{what}: {told:?}");
                if let Some(now) = &mut model
                    && now.handed_over
                    && !now.state.is_final()
                {
                    now.notes += 1;
                }
            }
            Op::Claim(..) => continue,
        }
        let found = rig.stored(id).await;
        let told =
            |status: &Status| (status.state, status.generation, status.execution.clone(), status.cost.paid_characters);
        let expected = |model: Model| (model.state, model.generation, model.execution.map(str::to_owned), model.notes);
        assert_eq!(found.as_ref().map(told), model.map(expected), "{what}");
        if let (Some(found), Some(model)) = (&found, model) {
            let between = model.handed_over && !model.state.is_final();
            assert_eq!(found.waits_for("x"), between, "{what}");
        }
    }
}

#[test]
fn random_operations_on_a_job_agree_with_the_model() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let rig = runtime.block_on(rig());
    let numbers = std::sync::atomic::AtomicU64::new(1);
    // Failures are not kept in a file: the shrunk one is printed, and becomes a test of its own below.
    let config = Config { cases: 40, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(op(), 1..14), |ops| {
        let id = job(numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        runtime.block_on(follow(&rig, &id, &ops));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_lost_its_job_notices_and_writes_nothing_more() {
    let rig = rig().await;
    let id = job(1);
    let Claim::Mine(first) = Lease::claim(&rig.store, &id, terms(Again::Retryable), soon()).await.unwrap() else {
        panic!("a new job is free")
    };
    rig.age(&id).await;
    let Claim::Mine(second) = Lease::claim(&rig.store, &id, terms(Again::Retryable), soon()).await.unwrap() else {
        panic!("its owner looks dead")
    };
    first.change(|status| status.state = State::Running);
    assert!(soon().run(first.lost()).await.is_ok());
    let finished = first.finish(|status| End::Film.apply(status), soon()).await;
    assert!(matches!(finished, Err(FinishError::Lost)), "{finished:?}");
    let status = rig.stored(&id).await.unwrap();
    assert_eq!((status.state, status.generation, status.attempts), (State::Queued, 2, 2));
    drop(second);
}

/// An execution that has died without a word holds the job no longer than it may last.
#[tokio::test(flavor = "multi_thread")]
async fn a_handed_over_job_can_be_claimed_after_the_executions_deadline() {
    let rig = rig().await;
    let id = job(3);
    let Claim::Mine(lease) = Lease::claim(&rig.store, &id, terms(Again::Retryable), soon()).await.unwrap() else {
        panic!("a new job is free")
    };
    lease.change(|status| status.state = State::Running);
    let over = |status: &mut Status| {
        status.owner.clear();
        status.execution = Some("x".to_owned());
        status.deadline = Timestamp::now() + SignedDuration::from_hours(1);
    };
    lease.finish(over, soon()).await.unwrap();
    // However long nobody has written.
    rig.age(&id).await;
    let claim = Lease::claim(&rig.store, &id, terms(Again::Failed), soon()).await.unwrap();
    assert!(matches!(claim, Claim::Held(_)), "{claim:?}");
    let mut status = rig.stored(&id).await.unwrap();
    status.deadline = Timestamp::now() - SignedDuration::from_secs(1);
    let body = serde_json::to_vec(&status).unwrap();
    rig.store.put(&keys::status(&id), body, "application/json", soon()).await.unwrap();
    let claim = Lease::claim(&rig.store, &id, terms(Again::Retryable), soon()).await.unwrap();
    let Claim::Mine(lease) = claim else { panic!("{claim:?}") };
    let status = lease.status();
    assert_eq!((status.generation, status.execution, status.state), (2, None, State::Queued));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_change_of_the_status_is_not_written() {
    let rig = rig().await;
    let id = job(2);
    let Claim::Mine(lease) = Lease::claim(&rig.store, &id, terms(Again::Retryable), soon()).await.unwrap() else {
        panic!("a new job is free")
    };
    lease.change(|status| status.state = State::Running);
    for wrong in [State::Queued, State::Succeeded, State::Degraded, State::Cancelled] {
        lease.change(|status| status.state = wrong);
        assert_eq!(lease.status().state, State::Running);
    }
    lease.change(|status| drop(status.outputs.insert("film".to_owned(), "too early".to_owned())));
    assert!(lease.status().outputs.is_empty());
}
