//! The built-in planner as part of the program: the build script builds the crate `planner-wasm` for WebAssembly and compiles
//! it ahead of time, with [`engine()`]'s settings.
//!
//! A crate of its own, since its code is unpacked at each start of the program and is optimized for that.

mod engine;

use std::ptr::NonNull;
use std::sync::OnceLock;

use wasmtime::component::Component;
use wasmtime::{Engine, Error, Result};

pub use engine::{STACK_LIMIT, engine};

/// What was compiled, as an LZ4 block with its size before it: half as large, and read in as many milliseconds as it takes to unpack.
static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/planner.cwasm.lz4"));

/// The component that it was compiled from.
pub static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/planner.wasm"));

/// SHA-256 of the component, in hexadecimal.
pub const SHA256: &str = env!("PLANNER_SHA256");

/// What components are compiled for: any processor of this kind, not only the one that compiles.
pub const TARGET: &str = env!("PLANNER_TARGET");

/// Larger than the pages of any processor that this is built for.
const PAGE: usize = 1 << 16;

/// The built-in planner and the engine that it is loaded into, once for the process. Nothing is compiled: it takes as long as
/// unpacking does.
///
/// # Errors
/// When this build is broken.
pub fn planner() -> Result<(Engine, Component)> {
    static LOADED: OnceLock<(Engine, Component)> = OnceLock::new();
    if let Some(loaded) = LOADED.get() {
        return Ok(loaded.clone());
    }
    let engine = engine(None, STACK_LIMIT)?;
    let (size, packed) = lz4_flex::block::uncompressed_size(CODE).map_err(Error::new)?;
    // Unpacked to where it is run, since a copy would cost as much again.
    let memory = vec![0; size + PAGE].leak();
    let start = memory.as_ptr().align_offset(PAGE);
    let code = &mut memory[start..start + size];
    lz4_flex::decompress_into(packed, code).map_err(Error::new)?;
    // SAFETY: the bytes are executed unchecked, so they must be what wasmtime made: the build script made them
    // with this very version, and they are part of this executable. They stay for ever, and nobody else knows of them.
    #[expect(unsafe_code, reason = "loads what the build script compiled; checked nowhere else because it can't be")]
    let component = unsafe { Component::deserialize_raw(&engine, NonNull::from(code)) }?;
    Ok(LOADED.get_or_init(|| (engine, component)).clone())
}
