//! Files that a document names: pictures, music, clips. They are in the document's own folder, or
//! under its prefix in the bucket, and are fetched from nowhere else.
//!
//! In: a storyboard, and the location of its document. Out: copies in the job's own folder, each with its digest. A file that
//! can't be fetched gives a warning, and is left out.

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
/// The share of the remaining time that fetching may take: a slow store must not cost the film.
const SHARE: u32 = 4;
/// Bytes that are copied between two checks of the deadline.
const AT_A_TIME: u64 = 8 << 20;

/// Where the files of a document are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetBase {
    /// Nowhere: the document came inline.
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

impl AssetBase {
    /// The location of a request's document.
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
    /// Fetches all files that `storyboard` names to `folder`, with a warning for each that can't be fetched.
    pub async fn fetch(
        storyboard: &Storyboard,
        asset_base: &AssetBase,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> (Self, Vec<Warning>) {
        let mut wanted = wanted(storyboard);
        let surplus = wanted.split_off(FILES.min(wanted.len()));
        let (assets, mut warnings) = Self::fetch_all(wanted, asset_base, store, folder, deadline).await;
        warnings.extend(surplus.iter().map(AssetRequest::one_too_many));
        (assets, warnings)
    }

    /// Fetches what one scene of `storyboard` shows: the same as the whole film has of it, no more and no less.
    pub async fn fetch_scene(
        storyboard: &Storyboard,
        scene: &Scene,
        asset_base: &AssetBase,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> Self {
        let shown: BTreeSet<&str> = pictures(scene).map(|(source, _)| source).collect();
        let wanted = wanted(storyboard).into_iter().take(FILES).filter(|want| shown.contains(want.source));
        Self::fetch_all(wanted.collect(), asset_base, store, folder, deadline).await.0
    }

    async fn fetch_all(
        wanted: Vec<AssetRequest<'_>>,
        asset_base: &AssetBase,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let deadline = deadline.slice(deadline.left() / SHARE);
        // Boxed: the compiler can't prove that the closures' futures are `Send`.
        let mut fetches: Vec<BoxFuture<'_, Result<Asset, String>>> = Vec::new();
        for (number, want) in wanted.iter().enumerate() {
            let path = folder.join(format!("asset-{number}.{}", extension(want.source)));
            fetches.push(Box::pin(want.fetch_by(deadline, asset_base, store, path)));
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
/// Why it can't be fetched.
pub async fn fetch(
    name: &str,
    most: u64,
    asset_base: &AssetBase,
    store: &Store,
    path: PathBuf,
    deadline: Deadline,
) -> Result<Asset, String> {
    AssetRequest { source: name, what: "the file", most, place: None }.fetch_by(deadline, asset_base, store, path).await
}

/// A file that a storyboard names.
struct AssetRequest<'a> {
    source: &'a str,
    what: &'static str,
    most: u64,
    place: Option<Place>,
}

impl AssetRequest<'_> {
    async fn fetch_by(
        &self,
        deadline: Deadline,
        asset_base: &AssetBase,
        store: &Store,
        path: PathBuf,
    ) -> Result<Asset, String> {
        let made = deadline.run(self.fetch(asset_base, store, path, deadline)).await;
        made.unwrap_or_else(|_| Err("fetching it took too long".to_owned()))
    }

    async fn fetch(
        &self,
        asset_base: &AssetBase,
        store: &Store,
        path: PathBuf,
        deadline: Deadline,
    ) -> Result<Asset, String> {
        match asset_base {
            AssetBase::Nothing => {
                return Err(
                    "the document was sent inline, without files; put document and files into a folder or a bucket"
                        .to_owned(),
                );
            }
            AssetBase::Folder(folder) => {
                let (from, most) = (folder.join(self.source), self.most);
                let (folder, to) = (folder.clone(), path.clone());
                let copied = deadline.work(move |cutoff| copy(&folder, &from, &to, most, cutoff)).await;
                copied.map_err(|stopped| stopped.to_string())??;
            }
            AssetBase::Bucket { bucket, prefix } => {
                let (store, key) = (store.with_bucket(bucket), format!("{prefix}{}", self.source));
                let describe = |error: StoreError| match error {
                    StoreError::NotFound { .. } => format!("s3://{bucket}/{key} does not exist"),
                    other => other.to_string(),
                };
                let size = store.head(&key, deadline).await.map_err(describe)?.size;
                fits(size, self.most)?;
                store.get_to_file(&key, &path, deadline).await.map_err(describe)?;
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
fn wanted(storyboard: &Storyboard) -> Vec<AssetRequest<'_>> {
    let of_film = [
        storyboard.music.as_ref().map(|music| (music.source.as_str(), "the music")),
        storyboard.intro.as_deref().map(|source| (source, "the intro")),
        storyboard.outro.as_deref().map(|source| (source, "the outro")),
    ];
    let of_film =
        of_film.into_iter().flatten().map(|(source, what)| AssetRequest { source, what, most: CLIP, place: None });
    let of_scenes = storyboard.scenes.iter().flat_map(pictures);
    let of_scenes = of_scenes.map(|(source, place)| AssetRequest { source, what: "the picture", most: PICTURE, place });
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
    if size > most { Err(format!("it has {} MB, more than the {} MB allowed", size >> 20, most >> 20)) } else { Ok(()) }
}

/// Copies a regular file that lies in `folder`; a link that leads out of it, a pipe or a device is none.
fn copy(folder: &Path, from: &Path, to: &Path, most: u64, cutoff: &Cutoff) -> Result<(), String> {
    let describe = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("{} does not exist", from.display()),
        _ => format!("{}: {error}", from.display()),
    };
    let (home, real) = (folder.canonicalize().map_err(describe)?, from.canonicalize().map_err(describe)?);
    if !real.starts_with(&home) {
        return Err(format!("{} is a link to outside of the document's folder", from.display()));
    }
    let about = std::fs::metadata(&real).map_err(describe)?;
    if !about.is_file() {
        return Err(format!("{} is not a regular file", from.display()));
    }
    fits(about.len(), most)?;
    let (from, mut to) = (File::open(&real).map_err(describe)?, File::create(to).map_err(describe)?);
    // No more than was found above, should it grow meanwhile.
    let mut from = from.take(about.len());
    while from.limit() > 0 {
        cutoff.check().map_err(|passed| passed.to_string())?;
        if io::copy(&mut (&mut from).take(AT_A_TIME), &mut to).map_err(describe)? == 0 {
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
            ("pictures/a.png", "more than"),
            ("gone.png", "does not exist"),
            ("link.png", "outside"),
            ("../secret", "outside"),
            ("pipe.png", "not a regular file"),
            ("pictures", "not a regular file"),
        ] {
            let said = take(name, 2).unwrap_err();
            assert!(said.contains(why), "{name}: {said}");
        }
    }

    #[test]
    fn a_keys_assets_are_under_its_own_prefix() {
        let asset_base =
            |key: &str| AssetBase::of(&Source::Object { bucket: "b".into(), key: key.into(), version: None });
        let bucket = |prefix: &str| AssetBase::Bucket { bucket: "b".into(), prefix: prefix.into() };
        assert_eq!(asset_base("incoming/a/lesson.md"), bucket("incoming/a/"));
        assert_eq!(asset_base("lesson.md"), bucket(""));
        assert_eq!(
            (extension("a/b.PNG"), extension("a/b"), extension("x.p g")),
            ("png".into(), "".into(), "pg".into())
        );
    }
}
