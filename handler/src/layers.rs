//! The layers: programs that the handler runs but does not contain, found once at start.
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
#[error("{missing} not found under {tried}. `make tools` builds the layers; LAYERS_DIR names another place")]
pub struct LayersMissing {
    /// The first program that is missing.
    pub missing: String,
    /// The folders that were looked at.
    pub tried: String,
}

impl Layers {
    /// Looks in `configured`, or else in `/opt` and `target/layers` beside the executable's own `target/release`.
    ///
    /// # Errors
    /// [`LayersMissing`] when no folder has every program.
    pub fn find(configured: Option<&Path>) -> Result<Self, LayersMissing> {
        let candidates = configured.map_or_else(
            || {
                let beside = std::env::current_exe().ok().and_then(|executable| {
                    // target/release/chalkreel → target/layers; tests run from target/release/deps.
                    executable.ancestors().find(|folder| folder.ends_with("target")).map(|target| target.join("layers"))
                });
                std::iter::once(PathBuf::from("/opt")).chain(beside).collect()
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
        read.extend(python_of(&root.join("manim")));
        Self { root, versions, versions_sha256, read }
    }

    /// What a program that is no part of the layers must be able to read: the folder in which it really lies, and when that is
    /// in a virtual environment of Python, the whole of it and the Python that it stands on.
    pub fn of_program(program: &Path) -> Vec<PathBuf> {
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        let Some(folder) = real.parent() else { return Vec::new() };
        let environment = folder.parent().filter(|parent| parent.join("pyvenv.cfg").is_file());
        let own = environment.unwrap_or(folder).to_owned();
        std::iter::once(own).chain(environment.and_then(python_of)).collect()
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A program by its name.
    pub fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    /// What their `versions.json` says; null when it is missing.
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

/// The Python that a virtual environment stands on: it may lie anywhere.
fn python_of(environment: &Path) -> Option<PathBuf> {
    let settings = std::fs::read_to_string(environment.join("pyvenv.cfg")).ok()?;
    let home = settings.lines().find_map(|line| line.strip_prefix("home")?.trim_start().strip_prefix('='))?;
    Path::new(home.trim()).parent().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_somebodys_own_may_read_its_own_folder_or_environment() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["bin", "venv/bin"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("venv/bin/piper"), "").unwrap();
        std::fs::write(root.join("bin/alone"), "").unwrap();
        assert_eq!(Layers::of_program(&root.join("bin/alone")), [root.join("bin")]);
        std::fs::write(root.join("venv/pyvenv.cfg"), "home = /opt/python/bin\nversion = 3.12\n").unwrap();
        std::os::unix::fs::symlink(root.join("venv/bin/piper"), root.join("bin/piper")).unwrap();
        let expected = [root.join("venv"), PathBuf::from("/opt/python")];
        assert_eq!(Layers::of_program(&root.join("bin/piper")), expected);
    }
}
