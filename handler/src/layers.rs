//! The layers: folders with the programs that the handler runs but does not contain, found once at start.
//!
//! In: `LAYERS_DIR` and the place of this executable. Out: paths of programs, what they may read, and a hash of their
//! versions for cache keys. It never runs any of them.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Programs that must be there, under `bin/`.
pub const PROGRAMS: &[&str] = &["chalkreel-stage", "ffmpeg", "ffprobe", "espeak-ng"];

/// A tree of layers.
#[derive(Debug, Clone)]
pub struct Layers {
    root: PathBuf,
    versions: serde_json::Value,
    versions_sha256: String,
    read: Vec<PathBuf>,
}

/// The layers are not where they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{missing} not found under {tried}. `make tools` builds the layers; LAYERS_DIR names another folder")]
pub struct LayersMissing {
    /// The first program that is missing.
    pub missing: String,
    /// The folders that were looked at.
    pub tried: String,
}

impl Layers {
    /// Looks in `configured`, or else in `/opt` and `target/layers` next to the executable's own `target/release`.
    ///
    /// # Errors
    /// [`LayersMissing`] when no folder has every program.
    pub fn find(configured: Option<&Path>) -> Result<Self, LayersMissing> {
        let candidates = configured.map_or_else(
            || {
                let near = std::env::current_exe().ok().and_then(|executable| {
                    // target/release/chalkreel → target/layers; tests run from target/release/deps.
                    executable.ancestors().find(|folder| folder.ends_with("target")).map(|target| target.join("layers"))
                });
                std::iter::once(PathBuf::from("/opt")).chain(near).collect()
            },
            |folder| vec![folder.to_owned()],
        );
        let there = |folder: &&PathBuf| PROGRAMS.iter().filter(|name| folder.join("bin").join(name).is_file()).count();
        // The first of the fullest: a program that is missing is found out by the job that needs it, which has a status to say so.
        let fullest = candidates.iter().rev().max_by_key(there).filter(|folder| there(folder) > 0);
        fullest.map(|root| Self::open(root)).ok_or_else(|| LayersMissing {
            missing: PROGRAMS.iter().map(|name| format!("bin/{name}")).collect::<Vec<_>>().join(", "),
            tried: candidates.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Programs that are not there.
    pub fn missing(&self) -> Vec<PathBuf> {
        PROGRAMS.iter().map(|name| self.program(name)).filter(|program| !program.is_file()).collect()
    }

    fn open(root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let bytes = std::fs::read(root.join("versions.json")).unwrap_or_default();
        let versions_sha256 = hex::encode(Sha256::digest(&bytes));
        let versions = serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null);
        let mut read: Vec<PathBuf> = vec![root.clone()];
        read.extend(["manim", "neural"].iter().filter_map(|environment| python_of(&root.join(environment))));
        Self { root, versions, versions_sha256, read }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A program by its name.
    pub fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    /// The content of `versions.json`; null when it is missing.
    pub fn versions(&self) -> &serde_json::Value {
        &self.versions
    }

    /// Hex SHA-256 of `versions.json`: other tools make other clips.
    pub fn versions_sha256(&self) -> &str {
        &self.versions_sha256
    }

    /// Folders that the programs must be able to read.
    pub fn read(&self) -> &[PathBuf] {
        &self.read
    }
}

/// The Python that a virtual environment is based on: it may be anywhere.
fn python_of(environment: &Path) -> Option<PathBuf> {
    let settings = std::fs::read_to_string(environment.join("pyvenv.cfg")).ok()?;
    let home = settings.lines().find_map(|line| line.strip_prefix("home")?.trim_start().strip_prefix('='))?;
    Path::new(home.trim()).parent().map(Path::to_owned)
}
