//! The engine's configuration: one function, used by the build script, which compiles the built-in planner ahead of time,
//! and by the handler, which loads it. A component compiled under another configuration does not load.

use wasmtime::{Config, Engine, Result};

/// Bytes of stack that a planner may use.
pub const STACK_LIMIT: usize = 1 << 20;

/// An engine for planners. `target` is the triple that code is compiled for: naming one excludes features of the building
/// machine's processor that the running one may lack. None when nothing is compiled. `stack` is what a call may take
/// of it, in bytes; code that is compiled runs under any.
///
/// # Errors
/// When wasmtime does not know the target.
pub fn engine(target: Option<&str>, stack: usize) -> Result<Engine> {
    let mut config = Config::new();
    config.consume_fuel(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(stack);
    // A trap's code is all that is reported; addresses inside of a stripped component are useless, and nothing unwinds through it.
    // Their tables would be a quarter of the compiled code.
    config.wasm_backtrace_max_frames(None);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    // The whole 32-bit address space is reserved for each memory, which costs nothing until it is used, and saves bounds checks.
    config.memory_reservation(4 << 30);
    if let Some(target) = target {
        config.target(target)?;
    }
    Engine::new(&config)
}
