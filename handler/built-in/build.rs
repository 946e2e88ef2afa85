//! Builds the built-in planner: the guest crate for WebAssembly, made into a component that imports nothing, compiled ahead of
//! time. Leaves `planner.wasm` and `planner.cwasm` in `OUT_DIR`.
//!
//! Two profiles of the workspace build the guest: `guest` in seconds for every day, `guest-shipped` in minutes for what is
//! deployed. `CHALKREEL_GUEST_PROFILE` chooses. What is made is stored next to the folders of the build scripts, for cargo runs this
//! program once for itself and once for clippy.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]

use std::error::Error;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use sha2::{Digest as _, Sha256};
use wit_bindgen_core::{Files, WorldGenerator as _, wit_parser::Resolve};
use wit_bindgen_rust::{Opts, WithOption};
use wit_component::ComponentEncoder;

#[path = "src/engine.rs"]
mod engine;
#[cfg(feature = "packed")]
#[path = "src/pack.rs"]
mod pack;

const GUEST_TARGET: &str = "wasm32-wasip1";
const GUEST_PROFILE: &str = "CHALKREEL_GUEST_PROFILE";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    // Not all of planner-wasm: fuzzing writes there too.
    let planner = [
        "planner-wasm/src",
        "planner-wasm/formula",
        "planner-wasm/storyboard",
        "planner-wasm/wit",
        "planner-wasm/Cargo.toml",
        "planner-wasm/wasi-nothing.wasm",
        "layers/manim/fonts.txt",
    ];
    let others = [
        "Cargo.toml",
        "Cargo.lock",
        "handler/built-in/src/engine.rs",
        "handler/built-in/src/pack.rs",
        "handler/built-in/build.rs",
    ];
    for watched in planner.iter().chain(&others) {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-env-changed={GUEST_PROFILE}");
    // OUT_DIR is <profile>/build/<package>/out.
    let kept = out.ancestors().nth(3).unwrap_or(&out).join("guest");
    fs::create_dir_all(&kept)?;
    let module = guest(&root, &kept, &world(&root, &kept)?)?;
    let component = ComponentEncoder::default()
        .module(&fs::read(module)?)?
        .adapter("wasi_snapshot_preview1", &fs::read(root.join("planner-wasm/wasi-nothing.wasm"))?)?
        .validate(true)
        .encode()?;
    fs::write(out.join("planner.wasm"), &component)?;
    let (target, sha256) = (env::var("TARGET")?, hex::encode(Sha256::digest(&component)));
    let code = compiled(&component, &sha256, &target, &kept)?;
    let file = out.join("planner.cwasm");
    // The most effort that needs no more memory where it is unpacked: seconds.
    #[cfg(feature = "packed")]
    pack::pack(&code, 19, fs::File::create(file)?)?;
    #[cfg(not(feature = "packed"))]
    fs::write(file, code)?;
    println!("cargo::rustc-env=PLANNER_TARGET={target}");
    println!("cargo::rustc-env=PLANNER_SHA256={sha256}");
    Ok(())
}

/// The component's code for `target`: compiled, or as it was compiled before from the same bytes by the same engine.
fn compiled(component: &[u8], sha256: &str, target: &str, kept: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let engine = engine::engine(Some(target), engine::STACK_LIMIT)?;
    let mut compiler = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compiler);
    let path = kept.join(format!("{sha256}-{:x}.cwasm", compiler.finish()));
    if let Ok(code) = fs::read(&path) {
        return Ok(code);
    }
    let code = engine.precompile_component(component)?;
    for entry in fs::read_dir(kept)? {
        let old = entry?.path();
        if old.extension().is_some_and(|extension| extension == "cwasm") {
            fs::remove_file(old)?;
        }
    }
    // Another of these programs may read it: it appears whole.
    let part = kept.join(format!("{}.part", std::process::id()));
    fs::write(&part, &code)?;
    fs::rename(part, path)?;
    Ok(code)
}

/// Writes the guest's side of the WIT world, whose types are the storyboard's own.
fn world(root: &Path, kept: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root.join("planner-wasm/wit"))?;
    let world = resolve.select_world(&[package], Some("planner"))?;
    let storyboard = WithOption::Path("crate::storyboard".to_owned());
    let with = vec![("chalkreel:planner/storyboard@0.1.0".to_owned(), storyboard)];
    let mut files = Files::default();
    Opts { with, ..Opts::default() }.build().generate(&mut resolve, world, &mut files)?;
    let (_, source) = files.iter().next().ok_or("no bindings were made")?;
    let path = kept.join("world.rs");
    // The guest is compiled again when the file is newer than it.
    if fs::read(&path).ok().as_deref() != Some(source) {
        fs::write(&path, source)?;
    }
    Ok(path)
}

/// Builds the guest crate with a cargo of its own, in a target folder of its own: the outer cargo holds the lock of its
/// own.
fn guest(root: &Path, target: &Path, world: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let profile = env::var(GUEST_PROFILE).unwrap_or_else(|_| "guest".to_owned());
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(root).args(["rustc", "--package", "planner-wasm", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--locked", "--profile", &profile, "--target", GUEST_TARGET, "--target-dir"]).arg(target);
    // Flags, linkers and wrappers of the outer build are for another machine, or for clippy.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let kept = ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_MAKEFLAGS"].contains(&&*text);
        let others = ["CC", "CFLAGS", "AR", "TARGET", "HOST"].contains(&&*text);
        if text.starts_with("CARGO_") && !kept || text.starts_with("RUSTC") || text == "RUSTFLAGS" || others {
            cargo.env_remove(&name);
        }
    }
    cargo.env("PLANNER_WORLD", world);
    if !cargo.status()?.success() {
        let message = format!(
            "the planner could not be built for {GUEST_TARGET}. If that target is missing: rustup target add {GUEST_TARGET}"
        );
        println!("cargo::error={message}");
        return Err(message.into());
    }
    Ok(target.join(GUEST_TARGET).join(profile).join("planner_wasm.wasm"))
}
