//! Custom planners that a job may name: components under the prefix of the bucket that the settings allow.
//!
//! In: a name. Out: a sandbox for its component. Compiling has no bounds of its own, so it happens in a child with
//! limits, once for each component: the result is cached under the component's hash, and stays in memory after its first use,
//! until its object changes. A component is never compiled, and never run, without limits.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::child::{self, Author, Confinement, Ending, Limits, Mode, Spec};
use crate::config::Config;
use crate::deadline::{Deadline, Stopped};
use crate::error::{Code, JobError};
use crate::plan::{MAX_COMPONENT, PlanError, Sandbox};
use crate::store::cache::{CacheKey, digest};
use crate::store::{Cache, ETag, Head, Store, StoreError};
use crate::untrusted_file::UntrustedFile;

/// The folder of compiled components in the cache.
const COMPILED: &str = "planners";
/// The limits of compiling. A component of a few hundred bytes can declare a thousand million items, so only these bound it. Each is a
/// base, plus an amount for each mebibyte of the component, up to a maximum. They are generous estimates: Cranelift takes seconds and
/// some hundred megabytes for a megabyte of component.
const TIME: Allowance = Allowance { base: 20, each: 5, most: 180 };
/// Mebibytes of memory, its program and threads included.
const MEMORY: Allowance = Allowance { base: 1_024, each: 160, most: 6_144 };
/// Mebibytes of code.
const RESULT: Allowance = Allowance { base: 32, each: 16, most: 1_024 };
/// The share of a job's time that compiling may take: the rest is for the film, or for reporting the failure.
const SHARE: u32 = 2;
/// Threads that compile: each has memory of its own, and more gain little.
const THREADS: &str = "4";
/// Most compiled planners that are kept in memory.
const READY: usize = 4;
/// Most characters of a name.
const NAME: usize = 64;

/// The planners that jobs may name.
#[derive(Debug, Clone)]
pub struct Planners {
    prefix: Option<String>,
    store: Store,
    cache: Cache,
    confinement: Mode,
    /// By key and entity tag: an unchanged object is not read again.
    ready: Arc<Mutex<HashMap<(String, ETag), Sandbox>>>,
}

/// Whether a name is valid: it becomes part of a key.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= NAME && name.chars().all(allowed)
}

/// The key of the component of that name.
pub fn key(prefix: &str, name: &str) -> String {
    format!("{prefix}{name}.wasm")
}

impl Planners {
    /// The ones in this store's bucket.
    pub fn new(config: &Config, store: &Store) -> Self {
        Self {
            prefix: config.planners.clone(),
            store: store.clone(),
            cache: Cache::new(store.clone()),
            confinement: config.confinement,
            ready: Arc::default(),
        }
    }

    /// The planner of that name, ready to be called. `folder` is the job's own.
    ///
    /// # Errors
    /// `planner.not_found`, `planner.component_invalid`, `planner.compile_limit`, `store.…`
    pub async fn named(&self, name: &str, folder: &Path, deadline: Deadline) -> Result<Sandbox, JobError> {
        let not_found = |why: String| JobError::new(Code::PlannerNotFound, why);
        let prefix = self.prefix.as_deref();
        let prefix = prefix
            .ok_or_else(|| not_found("jobs may not name a planner, since CHALKREEL_PLANNERS is not set".to_owned()))?;
        if !is_name(name) {
            let message = format!(
                "`{name:.80}` is not a valid planner name: it may have letters, digits, `-`, `_` and `.`, at most {NAME} characters"
            );
            return Err(not_found(message));
        }
        let (key, component) = (key(prefix, name), folder.join("planner.wasm"));
        let described = |error: StoreError| match error {
            StoreError::NotFound { .. } => {
                not_found(format!("the planner `{name}` does not exist: {key} is not in the bucket"))
            }
            other => other.into(),
        };
        let Head { size, etag, .. } = self.store.head(&key, deadline).await.map_err(described)?;
        if let Some(sandbox) = self.ready().get(&(key.clone(), etag)) {
            return Ok(sandbox.clone());
        }
        if size > MAX_COMPONENT {
            let message = format!("planner `{name}` has {size} bytes, more than the {MAX_COMPONENT} allowed");
            return Err(JobError::new(Code::PlannerComponentInvalid, message));
        }
        let etag = self.store.get_to_file(&key, &component, deadline).await.map_err(described)?.etag;
        let sha256 = digest(&component, deadline).await;
        let sha256 = sha256.map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))?;
        let compiled = self.compiled(&component, &sha256, deadline).await?;
        let sandbox = load(compiled, sha256, deadline).await?;
        let mut ready = self.ready();
        // Each keeps its code mapped, so their number is bounded.
        if ready.len() >= READY {
            ready.clear();
        }
        ready.insert((key, etag), sandbox.clone());
        drop(ready);
        Ok(sandbox)
    }

    fn ready(&self) -> MutexGuard<'_, HashMap<(String, ETag), Sandbox>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The compiled component, from the cache or from a child.
    async fn compiled(&self, component: &Path, sha256: &str, deadline: Deadline) -> Result<PathBuf, JobError> {
        let compiled = component.with_extension("cwasm");
        let key = CacheKey::of("compiled planner, version 1").part("component", sha256);
        let key = key.part("engine", Sandbox::compatibility()?).finish();
        match self.cache.fetch_file(COMPILED, &key, &compiled, deadline).await {
            Ok(true) => return Ok(compiled),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "can't read the cache of compiled planners; the planner is compiled again")
            }
        }
        compile(component, &compiled, self.confinement, deadline).await?;
        if let Err(error) = self.cache.store_file(COMPILED, &key, &compiled, "application/octet-stream", deadline).await
        {
            tracing::warn!(%error, "can't write the compiled planner to the cache; it is used, but not cached");
        }
        Ok(compiled)
    }
}

/// A planner from a file of this machine, compiled like one that a job names. Temporary files go into the file's own folder.
///
/// # Errors
/// `planner.component_invalid`, `planner.compile_limit`.
pub async fn of_file(component: &Path, confinement: Mode, deadline: Deadline) -> Result<Sandbox, JobError> {
    let sha256 = digest(component, deadline).await;
    let sha256 = sha256.map_err(|error| JobError::new(Code::ScratchFailed, error.to_string()))?;
    let compiled = component.with_extension("cwasm");
    compile(component, &compiled, confinement, deadline).await?;
    load(compiled, sha256, deadline).await
}

/// A limit: a base, an amount for each mebibyte of the component, and a maximum.
struct Allowance {
    base: u64,
    each: u64,
    most: u64,
}

impl Allowance {
    fn of(&self, bytes: u64) -> u64 {
        (self.base + (self.each * bytes).div_ceil(1 << 20)).min(self.most)
    }
}

/// Runs `chalkreel planner compile` as a child that can read the component and its own folder, with the limits for a component of that
/// size.
async fn compile(component: &Path, compiled: &Path, mode: Mode, deadline: Deadline) -> Result<(), JobError> {
    let could_not = |why: String| JobError::new(Code::PlannerTrapped, format!("the planner can't be compiled: {why}"));
    let bytes = tokio::fs::metadata(component).await.map_err(|error| could_not(error.to_string()))?.len();
    let too_much = |what: String| {
        let message = format!("compiling the planner of {bytes} bytes takes more than the allowed {what}");
        JobError::new(Code::PlannerCompileLimit, message)
    };
    let deadline = deadline.slice((deadline.left() / SHARE).min(Duration::from_secs(TIME.of(bytes))));
    let (memory, result) = (MEMORY.of(bytes), RESULT.of(bytes));
    let program = std::env::current_exe().map_err(|error| could_not(error.to_string()))?;
    let folder = component.parent().unwrap_or(Path::new("."));
    let own = tempfile::Builder::new().prefix("compile-").tempdir_in(folder);
    let own = own.map_err(|error| could_not(error.to_string()))?;
    let made = own.path().join("planner.cwasm");
    let mut spec = Spec::new(program, own.path());
    spec.args = ["planner", "compile"].map(OsString::from).into();
    spec.args.extend([component.as_os_str().to_owned(), made.as_os_str().to_owned()]);
    spec.env = vec![("TMPDIR".into(), own.path().into()), ("LANG".into(), "C.UTF-8".into())];
    spec.author = Author::Somebody;
    // Address space is limited: as few threads and heaps as possible.
    let few = [("RAYON_NUM_THREADS", THREADS), ("TOKIO_WORKER_THREADS", "1"), ("MALLOC_ARENA_MAX", "2")];
    spec.env.extend(few.map(|(name, value)| (name.into(), value.into())));
    spec.limits = Limits { address_space: Some(memory << 20), file_size: Some(result << 20), ..Limits::default() };
    let (read, write) = (vec![component.to_owned()], vec![own.path().to_owned()]);
    spec.confinement = Confinement { read, write, mode };
    let seconds = deadline.left().as_secs_f64();
    let outcome = child::run(spec, deadline).await;
    let words = outcome.stderr.text_lossy().trim().to_owned();
    match outcome.ending {
        Ending::Exited(0) => {}
        Ending::Exited(1) => return Err(JobError::new(Code::PlannerComponentInvalid, words)),
        Ending::Exited(TOO_LARGE) => return Err(too_much(format!("{result} MiB of code"))),
        Ending::TimedOut => return Err(too_much(format!("{seconds:.0} s"))),
        Ending::Signalled(libc::SIGXFSZ) => return Err(too_much(format!("{result} MiB of code"))),
        // A failed allocation ends it from within; so does a failed start of a thread, whose stack is memory.
        Ending::Signalled(_) | Ending::Exited(_) if outcome.too_much_memory || out_of_memory(&words) => {
            return Err(too_much(format!("{memory} MiB of memory")));
        }
        ending => return Err(could_not(format!("{ending}: {words}"))),
    }
    let compiled = compiled.to_owned();
    let taken = tokio::task::spawn_blocking(move || UntrustedFile::open(&made, result << 20)?.copy_to(&compiled));
    match taken.await {
        Ok(taken) => taken.map(drop).map_err(|error| could_not(error.to_string())),
        Err(panic) => Err(could_not(panic.to_string())),
    }
}

/// The exit code of `planner compile` when its result is too large.
pub const TOO_LARGE: i32 = 3;

/// Whether a compiler that died says that there was no memory.
fn out_of_memory(words: &str) -> bool {
    let words = words.to_lowercase();
    [
        "memory allocation",
        "out of memory",
        "cannot allocate",
        "resource temporarily unavailable",
        "overflowed its stack",
    ]
    .iter()
    .any(|said| words.contains(said))
}

/// Loads what `compile` made of the component with that hash.
async fn load(compiled: PathBuf, sha256: String, deadline: Deadline) -> Result<Sandbox, JobError> {
    let late = |stopped: Stopped| {
        JobError::new(Code::PlannerCompileLimit, format!("the compiled planner can't be loaded: {stopped}"))
    };
    Ok(deadline.work(move |_| mapped(&compiled, &sha256)).await.map_err(late)??)
}

#[expect(unsafe_code, reason = "loads what our own child compiled; wasmtime checks the version and settings alone")]
fn mapped(compiled: &Path, sha256: &str) -> Result<Sandbox, PlanError> {
    // SAFETY: the file is what `compile` made in its child, or what it made earlier and the cache kept with its hash; nobody but
    // the service itself may write there.
    unsafe { Sandbox::load(compiled, sha256) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_grow_with_the_component_up_to_a_maximum() {
        let of = |bytes: u64| (TIME.of(bytes), MEMORY.of(bytes), RESULT.of(bytes));
        assert_eq!(of(0), (20, 1_024, 32));
        assert_eq!(of(727), (21, 1_025, 33));
        assert_eq!(of(MAX_COMPONENT), (180, 6_144, 1_024));
        // Python's interpreter gets more than it takes: 60 s, 2.2 GB and 120 MB.
        let (seconds, memory, result) = of(35 << 20);
        assert!(seconds >= 120 && memory >= 4_096 && result >= 400, "{seconds} {memory} {result}");
    }

    #[test]
    fn a_name_can_not_escape_the_prefix() {
        for name in ["geometry", "a", "v1.2_final-3"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "..", ".hidden", "a/b", "../films/x", "a b", "-x", "ü", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(key("planners/", "a"), "planners/a.wasm");
    }
}
