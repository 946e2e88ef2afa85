//! The built-in planner as part of the program: the build script builds the crate `planner-wasm` for WebAssembly and compiles
//! it ahead of time, with [`engine()`]'s settings.
//!
//! A crate of its own, since its code is written to memory at each start of the program and is compiled for speed.

mod engine;
#[cfg(test)]
mod pack;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;

use rustix::fs::{MemfdFlags, memfd_create};
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

pub use engine::{STACK_LIMIT, engine};

/// What was compiled; with the feature `packed`, in Zstandard's format.
static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/planner.cwasm"));

/// Bytes that are unpacked at once: Zstandard's own largest block.
#[cfg(any(feature = "packed", test))]
const BLOCK: usize = 128 << 10;

/// The component that it was compiled from.
pub static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/planner.wasm"));

/// SHA-256 of the component, in hexadecimal.
pub const SHA256: &str = env!("PLANNER_SHA256");

/// What components are compiled for: any processor of this kind, not only the one that compiles.
pub const TARGET: &str = env!("PLANNER_TARGET");

/// The built-in planner, and an engine of its own that it is loaded into. Nothing is compiled; each call writes it to memory again.
///
/// # Errors
/// When this build is broken.
pub fn planner() -> Result<(Engine, Component)> {
    let engine = engine(None, STACK_LIMIT)?;
    let component = from_memory_file(&engine).or_else(|_| from_bytes(&engine))?;
    Ok((engine, component))
}

/// From a file in memory, of which only the pages that are used are mapped: it takes less time and memory than one large buffer.
/// Some kernels let nobody run what is in such a file.
#[expect(unsafe_code, reason = "loads what the build script compiled; checked nowhere else because it can't be")]
fn from_memory_file(engine: &Engine) -> Result<Component> {
    let mut file = File::from(memfd_create("planner", MemfdFlags::CLOEXEC)?);
    write(&mut file)?;
    // SAFETY: the bytes are executed unchecked, so they must be what wasmtime made: the build script made them with this very
    // version, they are part of this executable, and nobody else has the file.
    unsafe { Component::deserialize_file(engine, format!("/proc/self/fd/{}", file.as_raw_fd())) }
}

#[expect(unsafe_code, reason = "loads what the build script compiled; checked nowhere else because it can't be")]
fn from_bytes(engine: &Engine) -> Result<Component> {
    let mut code = Vec::new();
    write(&mut code)?;
    // SAFETY: as above.
    unsafe { Component::deserialize(engine, &code) }
}

/// Writes what was compiled.
#[cfg(not(feature = "packed"))]
fn write(into: &mut impl Write) -> io::Result<()> {
    into.write_all(CODE)
}

#[cfg(feature = "packed")]
fn write(into: &mut impl Write) -> io::Result<()> {
    unpack(CODE, into)
}

#[cfg(any(feature = "packed", test))]
fn unpack(packed: &[u8], into: &mut impl Write) -> io::Result<()> {
    let mut blocks = io::BufWriter::with_capacity(BLOCK, into);
    io::copy(&mut zstd::stream::read::Decoder::with_buffer(packed)?, &mut blocks)?;
    blocks.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_load_the_planner() {
        let engine = engine(None, STACK_LIMIT).unwrap();
        for load in [from_memory_file, from_bytes] {
            let component = load(&engine).unwrap();
            assert!(component.get_export_index(None, "plan").is_some());
        }
    }

    #[test]
    fn what_is_packed_is_unpacked_to_the_same() {
        let (mut code, mut packed, mut unpacked) = (Vec::new(), Vec::new(), Vec::new());
        write(&mut code).unwrap();
        assert!(code.len() > 8 * BLOCK);
        pack::pack(&code, 1, &mut packed).unwrap();
        unpack(&packed, &mut unpacked).unwrap();
        assert!(packed.len() < code.len() && unpacked == code);
    }
}
