//! The sandbox: an engine, a component, and one call of it.

use std::hash::{Hash as _, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadline::Deadline;
use sha2::{Digest, Sha256};
use storyboard::check;
use storyboard::{Document, Refusal, Storyboard};
use wasmtime::component::{Component, Linker, types};
use wasmtime::{Engine, Store, Trap, UpdateDeadline};

use super::limits::{Exceeded, Meter};
use super::ticker::Ticker;
use super::{Fault, Limits, PlanError, wasi};

/// After its wall-clock limit a call may still be lifting its result; after this time it is abandoned.
const LIFTING: Duration = Duration::from_secs(1);

/// A planner that can be called.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    component: Component,
    sha256: Arc<str>,
    ticker: Arc<Ticker>,
}

/// A planner's use of resources, with the limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Hex SHA-256 of the component.
    pub sha256: String,
    /// Instructions.
    pub fuel_used: u64,
    /// Instructions allowed.
    pub fuel_limit: u64,
    /// Bytes of linear memory.
    pub memory_used: u64,
    /// Bytes allowed.
    pub memory_limit: u64,
    /// Elements of tables.
    pub table_used: u64,
    /// Elements allowed.
    pub table_limit: u64,
    /// Bytes of the storyboard as JSON.
    pub output_bytes: u64,
    /// Bytes allowed.
    pub output_limit: u64,
}

/// A storyboard that the host checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The storyboard.
    pub storyboard: Storyboard,
    /// The use of resources.
    pub usage: Usage,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// The built-in planner: loaded, not compiled, in some milliseconds.
    ///
    /// # Errors
    /// [`Fault::ComponentInvalid`] when this build is broken.
    pub fn new() -> Result<Self, PlanError> {
        let (engine, component) = built_in::planner().map_err(invalid)?;
        Ok(Self { engine, component, sha256: built_in::SHA256.into(), ticker: Arc::default() })
    }

    /// Any planner, compiled here and now. Compiling has no limits: this is for a supervised child process and for
    /// tests, never for the handler's own threads.
    ///
    /// # Errors
    /// [`Fault::ComponentInvalid`].
    pub fn compile(component: &[u8]) -> Result<Self, PlanError> {
        let engine = built_in::engine(None, built_in::STACK_LIMIT).map_err(invalid)?;
        let sha256 = hex::encode(Sha256::digest(component));
        let component = Component::new(&engine, component).map_err(invalid)?;
        Ok(Self { engine, component, sha256: sha256.into(), ticker: Arc::default() })
    }

    /// Compiles a component to what [`Sandbox::load`] loads. As unbounded as [`Sandbox::compile`].
    ///
    /// # Errors
    /// [`Fault::ComponentInvalid`].
    pub fn precompile(component: &[u8]) -> Result<Vec<u8>, PlanError> {
        Ok(built_in::engine(Some(built_in::TARGET), built_in::STACK_LIMIT)
            .map_err(invalid)?
            .precompile_component(component)
            .map_err(invalid)?)
    }

    /// Loads what [`Sandbox::precompile`] made of the component with that hash.
    ///
    /// # Safety
    /// The file is executed unchecked: it must come from [`Sandbox::precompile`], unchanged.
    ///
    /// # Errors
    /// [`Fault::ComponentInvalid`] when another version of this program made it.
    #[expect(unsafe_code, reason = "the caller vouches for the file, as wasmtime asks")]
    pub unsafe fn load(compiled: &Path, sha256: &str) -> Result<Self, PlanError> {
        let engine = built_in::engine(None, built_in::STACK_LIMIT).map_err(invalid)?;
        // SAFETY: see above.
        let component = unsafe { Component::deserialize_file(&engine, compiled) }.map_err(invalid)?;
        Ok(Self { engine, component, sha256: sha256.into(), ticker: Arc::default() })
    }

    /// The same planner with another stack size: how much a call takes can only be found by trying.
    ///
    /// # Errors
    /// [`Fault::ComponentInvalid`].
    pub fn with_stack(&self, bytes: usize) -> Result<Self, PlanError> {
        let engine = built_in::engine(None, bytes).map_err(invalid)?;
        let code = self.component.serialize().map_err(invalid)?;
        // SAFETY: the bytes must be what wasmtime made, and it made them in the line above.
        #[expect(unsafe_code, reason = "moves a component from one engine to another")]
        let component = unsafe { Component::deserialize(&engine, &code) }.map_err(invalid)?;
        Ok(Self { engine, component, sha256: Arc::clone(&self.sha256), ticker: Arc::default() })
    }

    /// Changes when what was compiled can't be loaded any more: with wasmtime's version and the settings.
    ///
    /// # Errors
    /// [`Fault::ComponentInvalid`] when this build is broken.
    pub fn compatibility() -> Result<String, PlanError> {
        let engine = built_in::engine(Some(built_in::TARGET), built_in::STACK_LIMIT).map_err(invalid)?;
        let mut digest = Hashed(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut digest);
        Ok(hex::encode(digest.0.finalize()))
    }

    /// Hex SHA-256 of the component.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The component's imports, without interfaces that have types alone.
    pub fn imports(&self) -> Vec<String> {
        let kind = self.component.component_type();
        let asks = |item: &types::ComponentItem| match item {
            types::ComponentItem::Type(_) => false,
            types::ComponentItem::ComponentInstance(instance) => {
                instance.exports(&self.engine).any(|(_, item)| !matches!(item.ty, types::ComponentItem::Type(_)))
            }
            _ => true,
        };
        kind.imports(&self.engine).filter(|(_, item)| asks(&item.ty)).map(|(name, _)| name.to_owned()).collect()
    }

    /// Plans a document on a thread of its own, and checks what comes back.
    ///
    /// # Errors
    /// [`PlanError`]: a refusal, or the limit that was exceeded. It returns by the earlier of `deadline` and the wall-clock
    /// limit, plus one second.
    pub async fn plan(&self, document: Document, limits: &Limits, deadline: Deadline) -> Result<Planned, PlanError> {
        let allowed = deadline.slice(limits.wall_clock);
        let seconds = allowed.left().as_secs_f64();
        let (sandbox, limits) = (self.clone(), *limits);
        let call = tokio::task::spawn_blocking(move || sandbox.call(document, limits, allowed.instant()));
        match Deadline::at(allowed.instant() + LIFTING).run(call).await {
            Ok(Ok(planned)) => planned,
            Ok(Err(panic)) => Err(Fault::Trapped(panic.to_string()).into()),
            Err(_) => Err(Fault::TimedOut(seconds).into()),
        }
    }

    fn call(&self, document: Document, limits: Limits, until: Instant) -> Result<Planned, PlanError> {
        let begun = Instant::now();
        let ticking = self.ticker.tick(&self.engine);
        let _ticking =
            ticking.map_err(|error| Fault::Trapped(format!("the timer thread could not be started: {error}")))?;
        let mut store = Store::new(&self.engine, Meter::new(limits));
        store.limiter(|meter| meter);
        store.set_hostcall_fuel(limits.output as usize);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if Instant::now() < until { Ok(UpdateDeadline::Continue(1)) } else { Err(Exceeded::Time.into()) }
        });
        let fault = |error: wasmtime::Error| self.fault(&error, limits, begun);
        store.set_fuel(limits.fuel).map_err(fault)?;
        let answer = self.answer(&mut store, document);
        if !store.data().said.is_empty() {
            tracing::debug!(output = %String::from_utf8_lossy(&store.data().said), "output of the planner");
        }
        let mut usage = Usage {
            sha256: self.sha256.to_string(),
            fuel_used: limits.fuel - store.get_fuel().unwrap_or(limits.fuel).min(limits.fuel),
            fuel_limit: limits.fuel,
            memory_used: store.data().memory,
            memory_limit: limits.memory,
            table_used: store.data().table,
            table_limit: limits.table,
            output_bytes: 0,
            output_limit: limits.output,
        };
        let with = |fault: Fault, usage: Usage| PlanError { fault, usage: Some(Box::new(usage)) };
        let storyboard = match answer {
            Ok(storyboard) => storyboard,
            Err(error) => return Err(with(fault(error), usage)),
        };
        let mut count = Counting(0);
        // Counting can't fail, and the types have nothing that JSON lacks but numbers that are none, which become null.
        let _ = serde_json::to_writer(&mut count, &storyboard);
        usage.output_bytes = count.0;
        if usage.output_bytes > limits.output {
            return Err(with(Fault::OutputLimit(limits.output), usage));
        }
        match check::check(&storyboard) {
            Ok(()) => Ok(Planned { storyboard, usage }),
            Err(broken) => Err(with(Fault::StoryboardInvalid(broken), usage)),
        }
    }

    fn answer(&self, store: &mut Store<Meter>, document: Document) -> wasmtime::Result<Storyboard> {
        if let Some(import) = self.imports().into_iter().find(|import| !wasi::granted(import)) {
            return Err(NotGranted(import).into());
        }
        let mut linker = Linker::new(&self.engine);
        wasi::link(&mut linker, &self.engine, &self.component)?;
        let instance = linker.instantiate(&mut *store, &self.component)?;
        let plan = instance
            .get_typed_func::<(Document,), (Result<Storyboard, Refusal>,)>(&mut *store, "plan")
            .map_err(|error| NotThePlanner(format!("{error:#}")))?;
        let (planned,) = plan.call(store, (document,))?;
        planned.map_err(|refusal| Refused(refusal).into())
    }

    fn fault(&self, error: &wasmtime::Error, limits: Limits, begun: Instant) -> Fault {
        if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
            return match *exceeded {
                Exceeded::Memory { wanted } => Fault::MemoryLimit { wanted, limit: limits.memory },
                Exceeded::Table { wanted } => Fault::TableLimit { wanted, limit: limits.table },
                Exceeded::Time => Fault::TimedOut(begun.elapsed().as_secs_f64()),
            };
        }
        if let Some(Refused(refusal)) = error.downcast_ref() {
            let sound = check::refusal(refusal).map_err(Fault::StoryboardInvalid);
            return sound.err().unwrap_or_else(|| Fault::Refused(refusal.clone()));
        }
        if let Some(NotGranted(import)) = error.downcast_ref() {
            return Fault::ImportsNotGranted(import.clone());
        }
        if let Some(NotThePlanner(why)) = error.downcast_ref() {
            return Fault::ComponentInvalid(why.clone());
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Fault::OutOfFuel(limits.fuel),
            Some(Trap::StackOverflow) => Fault::StackOverflow,
            Some(Trap::Interrupt) => Fault::TimedOut(begun.elapsed().as_secs_f64()),
            Some(trap) => Fault::Trapped(trap.to_string()),
            // What remains are errors of lifting: too much, or invalid values. Wasmtime does not export the type of the first, so only
            // here the message is matched; the test with a huge output fails when it changes.
            None => {
                let words = format!("{error:#}");
                let too_much = words.contains("fuel allocated for hostcalls");
                if too_much { Fault::OutputLimit(limits.output) } else { Fault::Trapped(words) }
            }
        }
    }
}

/// The planner's own refusal.
#[derive(Debug, thiserror::Error)]
#[error("the planner refused the document")]
struct Refused(Refusal);

#[derive(Debug, thiserror::Error)]
#[error("it imports {0}")]
struct NotGranted(String);

#[derive(Debug, thiserror::Error)]
#[error("it does not export `plan` as the planner world says: {0}")]
struct NotThePlanner(String);

fn invalid(error: wasmtime::Error) -> Fault {
    Fault::ComponentInvalid(error.to_string())
}

/// A hash that is the same in every process.
struct Hashed(Sha256);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Nobody asks for it: the digest is taken whole.
    fn finish(&self) -> u64 {
        0
    }
}

/// Counts what is written.
struct Counting(u64);

impl std::io::Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    // The usual one goes around a loop for each comma.
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0 += bytes.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
