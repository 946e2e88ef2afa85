//! Builds the built-in planner: the guest crate for WebAssembly, made into a component that imports nothing, compiled ahead of
//! time. Leaves `planner.wasm` and `planner.cwasm` in `OUT_DIR`.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use wit_component::ComponentEncoder;

#[path = "src/plan/engine.rs"]
mod engine;

const GUEST_TARGET: &str = "wasm32-wasip1";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    // Not all of planner-wasm: fuzzing writes beside it.
    let planner = ["planner-wasm/src", "planner-wasm/wit", "planner-wasm/Cargo.toml", "planner-wasm/wasi-nothing.wat"];
    let others = ["Cargo.toml", "Cargo.lock", "handler/src/plan/engine.rs", "handler/build.rs"];
    for watched in planner.iter().chain(&others) {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let module = guest(&root, &out)?;
    let nothing = wat::parse_file(root.join("planner-wasm/wasi-nothing.wat"))?;
    let component = ComponentEncoder::default()
        .module(&fs::read(module)?)?
        .adapter("wasi_snapshot_preview1", &nothing)?
        .validate(true)
        .encode()?;
    fs::write(out.join("planner.wasm"), &component)?;
    let target = env::var("TARGET")?;
    let engine = engine::engine(Some(&target), engine::STACK_LIMIT)?;
    fs::write(out.join("planner.cwasm"), engine.precompile_component(&component)?)?;
    println!("cargo::rustc-env=PLANNER_TARGET={target}");
    println!("cargo::rustc-env=PLANNER_SHA256={}", sha256(&component));
    Ok(())
}

/// Builds the guest crate with a cargo of its own, in a target folder of its own: the outer cargo holds the lock of its
/// own.
fn guest(root: &Path, out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let target = out.join("guest");
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(root).args(["build", "--package", "planner-wasm", "--lib", "--profile", "guest"]);
    cargo.args(["--target", GUEST_TARGET, "--target-dir"]).arg(&target);
    // Flags, linkers and wrappers of the outer build are for another machine.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let of_outer_build = text.starts_with("CARGO_") && !["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&&*text)
            || ["RUSTFLAGS", "RUSTC", "RUSTC_WRAPPER", "RUSTC_LINKER", "CC", "CFLAGS", "AR", "TARGET", "HOST"]
                .contains(&&*text);
        if of_outer_build {
            cargo.env_remove(&name);
        }
    }
    if !cargo.status()?.success() {
        let message = format!(
            "the planner could not be built for {GUEST_TARGET}. If that target is missing: rustup target add {GUEST_TARGET}"
        );
        println!("cargo::error={message}");
        return Err(message.into());
    }
    Ok(target.join(GUEST_TARGET).join("guest/planner_wasm.wasm"))
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
