//! Files that a document names: pictures, music, clips. They lie beside the document, in its folder or under its bucket's
//! prefix, and are fetched from nowhere else.
//!
//! In: a storyboard, and where its document lies. Out: copies in the job's own folder, each with its digest. A file that can't
//! be had is a warning: whatever wanted it does without.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use storyboard::{Action, ElementKind, Place, Scene, Storyboard, Warning};

use crate::deadline::{Cutoff, Deadline};
use crate::job::Source;
use crate::store::cache::digest;
use crate::store::{Store, StoreError};

/// Most files of one document.
const FILES: usize = 200;
/// Largest picture, in bytes.
const PICTURE: u64 = 64 << 20;
/// Largest sound or clip, in bytes.
const CLIP: u64 = 1 << 30;
/// Files fetched at a time.
const AT_ONCE: usize = 8;
/// What fetching may take of the time that is left: a store that is slow must not cost the film.
const SHARE: u32 = 4;
/// Bytes that are copied between two looks at the clock.
const AT_A_TIME: u64 = 8 << 20;

/// Where the files of a document are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// Nowhere: the document came without a place.
    Nothing,
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket, under a prefix that is empty or ends in `/`.
    Bucket {
        /// The document's own bucket.
        bucket: String,
        /// The document's key up to its last `/`.
        prefix: String,
    },
}

impl Beside {
    /// The place of a request's document.
    pub fn of(source: &Source) -> Self {
        match source {
            Source::Inline { folder: None, .. } => Self::Nothing,
            Source::Inline { folder: Some(folder), .. } => Self::Folder(folder.path.clone()),
            Source::Object { bucket, key, .. } => {
                let prefix = key.rfind('/').map_or("", |slash| &key[..=slash]);
                Self::Bucket { bucket: bucket.clone(), prefix: prefix.to_owned() }
            }
        }
    }
}

/// A copy of a file in the job's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The copy.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// The files of one document, by the name that it gives them.
#[derive(Debug, Clone, Default)]
pub struct Assets(BTreeMap<String, Asset>);

impl Assets {
    /// Fetches all that `storyboard` names to `folder`, and says what could not be had.
    pub async fn fetch(
        storyboard: &Storyboard,
        beside: &Beside,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> (Self, Vec<Warning>) {
        let mut wanted = wanted(storyboard);
        let surplus = wanted.split_off(FILES.min(wanted.len()));
        let (assets, mut warnings) = Self::fetch_all(wanted, beside, store, folder, deadline).await;
        warnings.extend(surplus.iter().map(Want::one_too_many));
        (assets, warnings)
    }

    /// Fetches what one scene of `storyboard` shows: the same as the whole film has of it, no more and no less.
    pub async fn fetch_scene(
        storyboard: &Storyboard,
        scene: &Scene,
        beside: &Beside,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> Self {
        let shown: BTreeSet<&str> = pictures(scene).map(|(source, _)| source).collect();
        let wanted = wanted(storyboard).into_iter().take(FILES).filter(|want| shown.contains(want.source));
        Self::fetch_all(wanted.collect(), beside, store, folder, deadline).await.0
    }

    async fn fetch_all(
        wanted: Vec<Want<'_>>,
        beside: &Beside,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let deadline = deadline.slice(deadline.left() / SHARE);
        // Each in a box: whoever spawns a job must know that they are `Send`, and the compiler can't prove it of closures.
        let mut fetches: Vec<BoxFuture<'_, Result<Asset, String>>> = Vec::new();
        for (number, want) in wanted.iter().enumerate() {
            let path = folder.join(format!("asset-{number}.{}", extension(want.source)));
            fetches.push(Box::pin(want.fetch_by(deadline, beside, store, path)));
        }
        let fetched: Vec<_> = stream::iter(fetches).buffered(AT_ONCE).collect().await;
        let mut assets = BTreeMap::new();
        for (want, made) in wanted.iter().zip(fetched) {
            match made {
                Ok(asset) => _ = assets.insert(want.source.to_owned(), asset),
                Err(why) => warnings.push(want.missing(&why)),
            }
        }
        (Self(assets), warnings)
    }

    /// The copy of a file.
    pub fn get(&self, source: &str) -> Option<&Asset> {
        self.0.get(source)
    }

    /// What a scene shows, by the name that it gives it.
    pub fn of_scene<'a>(&'a self, scene: &'a Scene) -> BTreeMap<&'a str, &'a Asset> {
        pictures(scene).filter_map(|(source, _)| Some((source, self.get(source)?))).collect()
    }
}

/// A copy, at `path`, of the file called `name` beside a document: at most `most` bytes.
///
/// # Errors
/// In words, why it can't be had.
pub async fn fetch(
    name: &str,
    most: u64,
    beside: &Beside,
    store: &Store,
    path: PathBuf,
    deadline: Deadline,
) -> Result<Asset, String> {
    Want { source: name, what: "the file", most, place: None }.fetch_by(deadline, beside, store, path).await
}

/// A file that a storyboard names.
struct Want<'a> {
    source: &'a str,
    what: &'static str,
    most: u64,
    place: Option<Place>,
}

impl Want<'_> {
    async fn fetch_by(
        &self,
        deadline: Deadline,
        beside: &Beside,
        store: &Store,
        path: PathBuf,
    ) -> Result<Asset, String> {
        let made = deadline.run(self.fetch(beside, store, path, deadline)).await;
        made.unwrap_or_else(|_| Err("it could not be fetched in time".to_owned()))
    }

    async fn fetch(&self, beside: &Beside, store: &Store, path: PathBuf, deadline: Deadline) -> Result<Asset, String> {
        match beside {
            Beside::Nothing => {
                return Err("the document came without its files; put both into a folder or a bucket".to_owned());
            }
            Beside::Folder(folder) => {
                let (from, most) = (folder.join(self.source), self.most);
                let (folder, to) = (folder.clone(), path.clone());
                let copied = deadline.work(move |cutoff| copy(&folder, &from, &to, most, cutoff)).await;
                copied.map_err(|stopped| stopped.to_string())??;
            }
            Beside::Bucket { bucket, prefix } => {
                let (store, key) = (store.with_bucket(bucket), format!("{prefix}{}", self.source));
                let told = |error: StoreError| match error {
                    StoreError::NotFound { .. } => format!("s3://{bucket}/{key} is not there"),
                    other => other.to_string(),
                };
                let size = store.head(&key, deadline).await.map_err(told)?.size;
                fits(size, self.most)?;
                store.get_to_file(&key, &path, deadline).await.map_err(told)?;
            }
        }
        let sha256 = digest(&path, deadline).await.map_err(|error| error.to_string())?;
        Ok(Asset { path, sha256 })
    }

    fn missing(&self, why: &str) -> Warning {
        let message = format!("{} `{}` is left out: {why}", self.what, self.source);
        Warning { code: "input.file_missing".to_owned(), message, place: self.place }
    }

    fn one_too_many(&self) -> Warning {
        self.missing(&format!("a document may name {FILES} files"))
    }
}

/// Each file once, in the order of the film.
fn wanted(storyboard: &Storyboard) -> Vec<Want<'_>> {
    let of_film = [
        storyboard.music.as_ref().map(|music| (music.source.as_str(), "the music")),
        storyboard.intro.as_deref().map(|source| (source, "the intro")),
        storyboard.outro.as_deref().map(|source| (source, "the outro")),
    ];
    let of_film = of_film.into_iter().flatten().map(|(source, what)| Want { source, what, most: CLIP, place: None });
    let of_scenes = storyboard.scenes.iter().flat_map(pictures);
    let of_scenes = of_scenes.map(|(source, place)| Want { source, what: "the picture", most: PICTURE, place });
    let mut seen = BTreeSet::new();
    of_film.chain(of_scenes).filter(|want| seen.insert(want.source)).collect()
}

fn pictures(scene: &Scene) -> impl Iterator<Item = (&str, Option<Place>)> {
    let actions = scene.beats.iter().flat_map(|beat| beat.actions.iter().map(|action| (action, beat.place)));
    let shown = actions.filter_map(|(action, place)| match action {
        Action::Show(element) => Some((element, place)),
        Action::Transform(transform) => Some((&transform.into, place)),
        _ => None,
    });
    shown.filter_map(|(element, place)| match &element.kind {
        ElementKind::Image(image) => Some((image.source.as_str(), element.place.or(place))),
        _ => None,
    })
}

/// The stage tells pictures apart by it.
fn extension(source: &str) -> String {
    let extension = Path::new(source).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    extension.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_ascii_lowercase()
}

fn fits(size: u64, most: u64) -> Result<(), String> {
    if size > most { Err(format!("it has {} MB; at most {} are read", size >> 20, most >> 20)) } else { Ok(()) }
}

/// Copies a regular file that lies in `folder`; a link that leads out of it, a pipe or a device is none.
fn copy(folder: &Path, from: &Path, to: &Path, most: u64, cutoff: &Cutoff) -> Result<(), String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("{} is not there", from.display()),
        _ => format!("{}: {error}", from.display()),
    };
    let (home, real) = (folder.canonicalize().map_err(told)?, from.canonicalize().map_err(told)?);
    if !real.starts_with(&home) {
        return Err(format!("{} leads out of the document's folder", from.display()));
    }
    let about = std::fs::metadata(&real).map_err(told)?;
    if !about.is_file() {
        return Err(format!("{} is no file", from.display()));
    }
    fits(about.len(), most)?;
    let (from, mut to) = (File::open(&real).map_err(told)?, File::create(to).map_err(told)?);
    // No more than was found above, should it grow meanwhile.
    let mut from = from.take(about.len());
    while from.limit() > 0 {
        cutoff.check().map_err(|passed| passed.to_string())?;
        if io::copy(&mut (&mut from).take(AT_A_TIME), &mut to).map_err(told)? == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cache::digest_of;

    #[test]
    fn a_folder_gives_its_own_files_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, to) = (dir.path().join("lesson"), dir.path().join("copy"));
        std::fs::create_dir_all(folder.join("pictures")).unwrap();
        std::fs::write(folder.join("pictures/a.png"), b"abc").unwrap();
        std::fs::write(dir.path().join("secret"), b"secret").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), folder.join("link.png")).unwrap();
        nix::unistd::mkfifo(&folder.join("pipe.png"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let soon: Cutoff = Deadline::after(std::time::Duration::from_secs(60)).into();
        let take = |name: &str, most| copy(&folder, &folder.join(name), &to, most, &soon);
        take("pictures/a.png", 3).unwrap();
        assert_eq!(digest_of(&to, &soon).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let passed = Deadline::after(std::time::Duration::ZERO).into();
        assert!(copy(&folder, &folder.join("pictures/a.png"), &to, 3, &passed).unwrap_err().contains("deadline"));
        for (name, why) in [
            ("pictures/a.png", "at most"),
            ("gone.png", "is not there"),
            ("link.png", "leads out"),
            ("../secret", "leads out"),
            ("pipe.png", "is no file"),
            ("pictures", "is no file"),
        ] {
            let said = take(name, 2).unwrap_err();
            assert!(said.contains(why), "{name}: {said}");
        }
    }

    #[test]
    fn a_key_has_its_neighbours_in_its_own_prefix() {
        let beside = |key: &str| Beside::of(&Source::Object { bucket: "b".into(), key: key.into(), version: None });
        let bucket = |prefix: &str| Beside::Bucket { bucket: "b".into(), prefix: prefix.into() };
        assert_eq!(beside("incoming/a/lesson.md"), bucket("incoming/a/"));
        assert_eq!(beside("lesson.md"), bucket(""));
        assert_eq!(
            (extension("a/b.PNG"), extension("a/b"), extension("x.p g")),
            ("png".into(), "".into(), "pg".into())
        );
    }
}
