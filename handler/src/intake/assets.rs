//! Files that a document names: pictures, music, clips, what its Manim programs open and import, and what is spoken in a program. They are in the
//! document's own folder, or under its prefix in the bucket, and are fetched from nowhere else.
//!
//! In: a storyboard, and the location of its document. Out: copies in the job's own folder, each with its digest. A file that
//! can't be fetched gives a warning, and is left out. What a program may open is found in its text, so that it need not be there: a
//! program that misses a file says so itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::fs::Permissions;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use storyboard::{Action, ElementKind, Place, Scene, SceneKind, Storyboard, Warning};

use crate::deadline::{Cutoff, Deadline};
use crate::error::WarningCode;
use crate::job::{Source, keys};
use crate::store::cache::digest;
use crate::store::{Store, StoreError};

/// Most files of one document.
const FILES: usize = 200;
/// Largest picture, in bytes.
const PICTURE: u64 = 64 << 20;
/// Largest narration of a program, in bytes.
const NARRATION: u64 = 4 << 20;
/// What programs open: pictures, data, fonts.
const OPENED: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "svg", "csv", "tsv", "json", "txt", "dat", "npy", "npz",
    "yaml", "yml", "xml", "ttf", "otf",
];
/// Modules that programs import and that are not beside them.
const INSTALLED: &[&str] = &[
    "__future__",
    "abc",
    "collections",
    "colorsys",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "itertools",
    "json",
    "manim",
    "manim_slides",
    "manim_voiceover",
    "manimlib",
    "manimpango",
    "math",
    "networkx",
    "numpy",
    "operator",
    "os",
    "pathlib",
    "random",
    "re",
    "scipy",
    "string",
    "sys",
    "time",
    "typing",
];
/// How many modules deep modules are looked for: a program imports one, which imports another, and so on.
const DEPTH: usize = 5;
/// Longest name of such a file, in bytes.
const NAME: usize = 200;
/// Largest sound or clip, in bytes.
const CLIP: u64 = 1 << 30;
/// Most files of a folder that are looked at.
const LISTED: usize = 1_000;
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
    Folder {
        /// The folder.
        path: PathBuf,
        /// The document's name in it.
        document: String,
    },
    /// In a bucket, under a prefix that is empty or ends in `/`.
    Bucket {
        /// The document's own bucket.
        bucket: String,
        /// The document's key up to its last `/`.
        prefix: String,
        /// The rest of its key.
        document: String,
    },
}

impl AssetBase {
    /// The location of a request's document.
    pub fn of(source: &Source) -> Self {
        match source {
            Source::Inline { folder: None, .. } => Self::Nothing,
            Source::Inline { folder: Some(folder), name, .. } => {
                Self::Folder { path: folder.path.clone(), document: name.clone() }
            }
            Source::Object { bucket, key, .. } => {
                let (prefix, document) = key.split_at(key.rfind('/').map_or(0, |slash| slash + 1));
                Self::Bucket { bucket: bucket.clone(), prefix: prefix.to_owned(), document: document.to_owned() }
            }
        }
    }

    /// The names that the narration of the document may have, if it is a Manim program.
    fn narrations(&self) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Folder { document, .. } | Self::Bucket { document, .. } => keys::narrations(document),
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

/// The files of one document.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// By the name that the document gives them.
    named: BTreeMap<String, Asset>,
    /// Modules beside its programs, and what they open.
    modules: BTreeMap<String, Asset>,
    /// What is spoken in its program, with the name of the file.
    narration: Option<(String, Asset)>,
    /// The name of the logo.
    logo: Option<String>,
}

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
        let programs = storyboard.scenes.iter().any(is_program).then_some(storyboard);
        let (mut assets, mut warnings) = Self::fetch_all(wanted, programs, asset_base, store, folder, deadline).await;
        assets.logo.clone_from(&storyboard.logo);
        warnings.extend(surplus.iter().map(AssetRequest::one_too_many));
        (assets, warnings)
    }

    /// Fetches what some scenes of `storyboard` show: the same as the whole film has of them, no more and no less.
    pub async fn fetch_scenes(
        storyboard: &Storyboard,
        scenes: &[&Scene],
        asset_base: &AssetBase,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> Self {
        let mut shown: BTreeSet<&str> = scenes.iter().flat_map(|scene| files(scene)).map(|file| file.source).collect();
        shown.extend(storyboard.logo.as_deref().filter(|_| scenes.iter().any(|scene| shows_logo(scene))));
        let wanted = wanted(storyboard).into_iter().take(FILES).filter(|want| shown.contains(want.source));
        let programs = scenes.iter().any(|scene| is_program(scene)).then_some(storyboard);
        let mut assets = Self::fetch_all(wanted.collect(), programs, asset_base, store, folder, deadline).await.0;
        assets.logo.clone_from(&storyboard.logo);
        assets
    }

    async fn fetch_all(
        wanted: Vec<AssetRequest<'_>>,
        programs: Option<&Storyboard>,
        asset_base: &AssetBase,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let narrations = if programs.is_some() { asset_base.narrations() } else { Vec::new() };
        let narrations = narrations
            .iter()
            .map(|source| AssetRequest { is_optional: true, ..AssetRequest::of(source, "the narration", NARRATION) });
        let (files, wanted) = (wanted.len(), wanted.into_iter().chain(narrations).collect::<Vec<_>>());
        let deadline = deadline.slice(deadline.left() / SHARE);
        let fetched = fetch_each(&wanted, "asset", asset_base, store, folder, deadline).await;
        let mut assets = Self::default();
        for (number, (want, made)) in wanted.iter().zip(fetched).enumerate() {
            let name = want.source.to_owned();
            match made {
                Ok(asset) if number < files => _ = assets.named.insert(name, asset),
                Ok(asset) => match &assets.narration {
                    None => assets.narration = Some((name, asset)),
                    Some((first, _)) => {
                        let message = format!("the narration `{name}` is not spoken: `{first}` is");
                        warnings.push(WarningCode::InputFileUnused.at(None, message));
                    }
                },
                Err(why) if why.is_absent && want.is_optional => {}
                Err(why) => warnings.push(want.missing(&why.why)),
            }
        }
        if let Some(storyboard) = programs {
            warnings.extend(assets.fetch_modules(storyboard, asset_base, store, folder, deadline).await);
        }
        (assets, warnings)
    }

    /// Fetches the modules beside the programs of `storyboard`, what those import, and what they open.
    async fn fetch_modules(
        &mut self,
        storyboard: &Storyboard,
        asset_base: &AssetBase,
        store: &Store,
        folder: &Path,
        deadline: Deadline,
    ) -> Vec<Warning> {
        let programs = storyboard.scenes.iter().filter_map(|scene| match &scene.kind {
            SceneKind::Manim(program) => Some(program.source.clone()),
            _ => None,
        });
        // What the programs themselves open was fetched.
        let mut beside = Beside { opens: false, ..Beside::of(programs) };
        let mut warnings = Vec::new();
        while let Some(mut names) = beside.next() {
            names.retain(|name| !self.named.contains_key(name));
            let request = |name| AssetRequest { is_optional: true, ..AssetRequest::of(name, "the file", PICTURE) };
            let wanted: Vec<_> = names.iter().map(|name| request(name)).collect();
            let prefix = format!("module-{}", beside.depth);
            let fetched = fetch_each(&wanted, &prefix, asset_base, store, folder, deadline).await;
            for (want, made) in wanted.iter().zip(fetched) {
                match made {
                    Ok(asset) => {
                        if is_module(want.source)
                            && let Ok(source) = tokio::fs::read(&asset.path).await
                        {
                            beside.sources.insert(String::from_utf8_lossy(&source).into_owned());
                        }
                        self.modules.insert(want.source.to_owned(), asset);
                    }
                    Err(why) if why.is_absent => {}
                    Err(why) => warnings.push(want.missing(&why.why)),
                }
            }
        }
        warnings
    }

    /// The copy of a file.
    pub fn get(&self, source: &str) -> Option<&Asset> {
        self.named.get(source)
    }

    /// What a scene shows or opens, by the name that it gives it; of a program also what it imports, and its narration.
    pub fn of_scene<'a>(&'a self, scene: &'a Scene) -> BTreeMap<&'a str, &'a Asset> {
        let named = files(scene).into_iter().filter_map(|file| Some((file.source, self.get(file.source)?)));
        let narration = self.narration.as_ref().map(|(name, asset)| (name.as_str(), asset));
        let modules = self.modules.iter().map(|(name, asset)| (name.as_str(), asset));
        let logo = self.logo.as_deref().filter(|_| shows_logo(scene)).and_then(|name| Some((name, self.get(name)?)));
        named.chain(logo).chain(modules.chain(narration).filter(|_| is_program(scene))).collect()
    }

    /// The name of the file with what is spoken in the document's program.
    pub fn narration(&self) -> Option<&str> {
        self.narration.as_ref().map(|(name, _)| name.as_str())
    }

    /// Copies what a scene shows or opens into `folder`, under the names that it gives it, for other users to read.
    ///
    /// # Errors
    /// When the folder can't be written, or the deadline passes.
    pub async fn copy_of_scene(&self, scene: &Scene, folder: &Path, deadline: Deadline) -> io::Result<()> {
        for (name, asset) in self.of_scene(scene) {
            let (folder, to) = (folder.to_owned(), folder.join(name));
            let Asset { path: from, .. } = asset.clone();
            let copied = deadline.work(move |cutoff| {
                // Other users pass through these folders, whatever our umask is.
                let folders = to.ancestors().skip(1).take_while(|above| **above != folder).collect::<Vec<_>>();
                for above in folders.into_iter().rev() {
                    match std::fs::create_dir(above) {
                        Ok(()) => std::fs::set_permissions(above, Permissions::from_mode(0o755))?,
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                        Err(error) => return Err(error),
                    }
                }
                let home = from.parent().unwrap_or(Path::new("/"));
                copy(home, &from, &to, CLIP, cutoff).map_err(|error| io::Error::other(error.why))?;
                std::fs::set_permissions(&to, Permissions::from_mode(0o644))
            });
            copied.await.map_err(|stopped| io::Error::other(stopped.to_string()))??;
        }
        Ok(())
    }
}

/// A copy, at `path`, of the file called `name` in a document's folder: at most `most` bytes.
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
    let request = AssetRequest::of(name, "the file", most);
    request.fetch_by(deadline, asset_base, store, path).await.map_err(|unavailable| unavailable.why)
}

/// The names of the files in a folder beside the document, in their order, as the document would name them: at most [`LISTED`].
///
/// # Errors
/// Why there are none.
pub async fn list(
    folder: &str,
    asset_base: &AssetBase,
    store: &Store,
    deadline: Deadline,
) -> Result<Vec<String>, String> {
    let mut names = match asset_base {
        AssetBase::Nothing => return Err("the document was sent inline, without files".to_owned()),
        AssetBase::Folder { path, .. } => {
            let (base, wanted) = (path.clone(), path.join(folder));
            let read = deadline.work(move |_| {
                let real = wanted.canonicalize().map_err(|_| format!("{} does not exist", wanted.display()))?;
                if !real.starts_with(base.canonicalize().map_err(|error| error.to_string())?) {
                    return Err(format!("{} is a link to outside of the document's folder", wanted.display()));
                }
                let entries = std::fs::read_dir(&real).map_err(|error| format!("{}: {error}", wanted.display()))?;
                let files = entries.flatten().filter(|entry| entry.path().is_file());
                Ok(files.filter_map(|entry| entry.file_name().into_string().ok()).take(LISTED).collect::<Vec<_>>())
            });
            read.await.map_err(|stopped| stopped.to_string())??
        }
        AssetBase::Bucket { bucket, prefix, .. } => {
            let under = format!("{prefix}{folder}/");
            let listed = store.with_bucket(bucket).list(&under, LISTED, deadline).await;
            let listed = listed.map_err(|error| error.to_string())?;
            let names = listed.iter().filter_map(|entry| entry.key.strip_prefix(&under));
            names.filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned).collect()
        }
    };
    if names.is_empty() {
        return Err("the folder has no files".to_owned());
    }
    names.sort();
    Ok(names.iter().map(|name| format!("{folder}/{name}")).collect())
}

/// Fetches files to `folder`, some at a time; the results have their order. The copies' names begin with `prefix`.
async fn fetch_each(
    wanted: &[AssetRequest<'_>],
    prefix: &str,
    asset_base: &AssetBase,
    store: &Store,
    folder: &Path,
    deadline: Deadline,
) -> Vec<Result<Asset, Unavailable>> {
    // Boxed: the compiler can't prove that the closures' futures are `Send`.
    let mut fetches: Vec<BoxFuture<'_, Result<Asset, Unavailable>>> = Vec::new();
    for (number, want) in wanted.iter().enumerate() {
        let path = folder.join(format!("{prefix}-{number}.{}", extension(want.source)));
        fetches.push(Box::pin(want.fetch_by(deadline, asset_base, store, path)));
    }
    stream::iter(fetches).buffered(AT_ONCE).collect().await
}

/// Why a file can't be fetched.
#[derive(Debug)]
struct Unavailable {
    why: String,
    /// Whether there is none of that name.
    is_absent: bool,
}

impl From<String> for Unavailable {
    fn from(why: String) -> Self {
        Self { why, is_absent: false }
    }
}

/// A file that a storyboard names.
struct AssetRequest<'a> {
    source: &'a str,
    what: &'static str,
    most: u64,
    place: Option<Place>,
    /// Whether it may be missing without a word.
    is_optional: bool,
}

impl<'a> AssetRequest<'a> {
    /// For a file that must be there.
    fn of(source: &'a str, what: &'static str, most: u64) -> Self {
        Self { source, what, most, place: None, is_optional: false }
    }

    async fn fetch_by(
        &self,
        deadline: Deadline,
        asset_base: &AssetBase,
        store: &Store,
        path: PathBuf,
    ) -> Result<Asset, Unavailable> {
        let made = deadline.run(self.fetch(asset_base, store, path, deadline)).await;
        made.unwrap_or_else(|_| Err("fetching it took too long".to_owned().into()))
    }

    async fn fetch(
        &self,
        asset_base: &AssetBase,
        store: &Store,
        path: PathBuf,
        deadline: Deadline,
    ) -> Result<Asset, Unavailable> {
        match asset_base {
            AssetBase::Nothing => {
                return Err(Unavailable {
                    why:
                        "the document was sent inline, without files; put document and files into a folder or a bucket"
                            .to_owned(),
                    is_absent: true,
                });
            }
            AssetBase::Folder { path: folder, .. } => {
                let (from, most) = (folder.join(self.source), self.most);
                let (folder, to) = (folder.clone(), path.clone());
                let copied = deadline.work(move |cutoff| copy(&folder, &from, &to, most, cutoff)).await;
                copied.map_err(|stopped| stopped.to_string())??;
            }
            AssetBase::Bucket { bucket, prefix, .. } => {
                let (store, key) = (store.with_bucket(bucket), format!("{prefix}{}", self.source));
                let describe = |error: StoreError| match error {
                    StoreError::NotFound { .. } => {
                        Unavailable { why: format!("s3://{bucket}/{key} does not exist"), is_absent: true }
                    }
                    other => other.to_string().into(),
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
        WarningCode::InputFileMissing.at(self.place, message)
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
    let of_film = of_film.into_iter().flatten().map(|(source, what)| AssetRequest::of(source, what, CLIP));
    let logo = storyboard.logo.as_deref().map(|source| AssetRequest::of(source, "the logo", PICTURE));
    let of_film = of_film.chain(logo);
    let mut seen = BTreeSet::new();
    of_film.chain(storyboard.scenes.iter().flat_map(files)).filter(|want| seen.insert(want.source)).collect()
}

/// What a scene shows, or may open.
fn files(scene: &Scene) -> Vec<AssetRequest<'_>> {
    match &scene.kind {
        SceneKind::Manim(program) => {
            let request = |source| AssetRequest {
                place: scene.place,
                is_optional: true,
                ..AssetRequest::of(source, "the file", PICTURE)
            };
            opened(&program.source).map(request).collect()
        }
        _ => {
            let request = |(source, place)| AssetRequest { place, ..AssetRequest::of(source, "the picture", PICTURE) };
            pictures(scene).map(request).collect()
        }
    }
}

/// A card is the title's alone, and a program has its own picture.
fn shows_logo(scene: &Scene) -> bool {
    matches!(scene.kind, SceneKind::Lesson)
}

fn is_program(scene: &Scene) -> bool {
    matches!(scene.kind, SceneKind::Manim(_))
}

/// Names of files in the strings of a Python program. It is not parsed: a string that is taken for a name costs a look for the file.
fn opened(source: &str) -> impl Iterator<Item = &str> {
    let quoted = source.lines().flat_map(|line| line.split(['"', '\'']));
    quoted.map(|name| name.strip_prefix("./").unwrap_or(name)).filter(|name| {
        let has_ending = name.rsplit_once('.').is_some_and(|(stem, ending)| {
            !stem.is_empty() && OPENED.iter().any(|one| ending.eq_ignore_ascii_case(one))
        });
        let is_plain = name.chars().all(|c| c.is_alphanumeric() || " ._-/()+@".contains(c));
        // Below its own folder: `a//b`, `../a` and `/a` are not.
        let is_below = name.split('/').all(|part| !part.trim().is_empty() && part != ".." && part != ".");
        has_ending && is_plain && is_below && name.len() <= NAME
    })
}

/// Follows what Python programs import and open, from module to module.
struct Beside {
    /// Texts that are read next.
    sources: BTreeSet<String>,
    /// Names that were given out.
    seen: BTreeSet<String>,
    depth: usize,
    /// Whether files that the texts open are wanted too; from the second time on they are.
    opens: bool,
}

impl Beside {
    fn of(sources: impl IntoIterator<Item = String>) -> Self {
        Self { sources: sources.into_iter().collect(), seen: BTreeSet::new(), depth: 0, opens: true }
    }

    /// Names of files to look for, each once. Whoever finds a module puts its text into `sources`.
    fn next(&mut self) -> Option<Vec<String>> {
        if self.sources.is_empty() || self.depth == DEPTH {
            return None;
        }
        let mut names = Vec::new();
        for source in std::mem::take(&mut self.sources) {
            let opens = opened(&source).filter(|_| self.opens).map(str::to_owned);
            names.extend(imported(&source).into_iter().chain(opens));
        }
        names.retain(|name| self.seen.len() < FILES && self.seen.insert(name.clone()));
        (self.depth, self.opens) = (self.depth + 1, true);
        Some(names)
    }
}

fn is_module(name: &str) -> bool {
    extension(name) == "py"
}

/// The modules beside a Python program that it imports, those that they import, and what all of them open: whatever a change of would make
/// another film. `read` gives a file's text, and none when there is no such file.
pub fn beside_program(source: &str, read: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let (mut names, mut beside) = (BTreeSet::new(), Beside::of([source.to_owned()]));
    while let Some(wanted) = beside.next() {
        for name in wanted {
            if is_module(&name) {
                let Some(module) = read(&name) else { continue };
                beside.sources.insert(module);
            }
            names.insert(name);
        }
    }
    names
}

/// Files of the modules that a Python program imports, as they would lie beside it. It is not parsed: a line in a string that looks like
/// an import costs a look for the file.
fn imported(source: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let is_name = |name: &&str| name.len() <= NAME / 4 && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut module = |path: &str| {
        let parts: Vec<&str> = path.split('.').collect();
        if INSTALLED.contains(&parts[0]) || !parts.iter().all(|part| !part.is_empty() && is_name(part)) {
            return;
        }
        for depth in 1..=parts.len() {
            let path = parts[..depth].join("/");
            files.extend([format!("{path}.py"), format!("{path}/__init__.py")]);
        }
    };
    let names = |list: &str| -> Vec<String> {
        let list = list.trim_matches(['(', ')', '\\', ' ']).to_owned();
        list.split(',').filter_map(|name| name.split_whitespace().next().map(str::to_owned)).collect()
    };
    for line in source.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if let Some(list) = line.strip_prefix("import ") {
            names(list).iter().for_each(|name| module(name));
        } else if let Some((from, list)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) {
            let from = from.trim();
            module(from);
            // A name may be a module of a package.
            names(list).iter().filter(|name| *name != "*").for_each(|name| module(&format!("{from}.{name}")));
        }
    }
    files
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

fn fits(size: u64, most: u64) -> Result<(), Unavailable> {
    let (mb, allowed) = (size >> 20, most >> 20);
    if size > most { Err(format!("it has {mb} MB, more than the {allowed} MB allowed").into()) } else { Ok(()) }
}

/// Copies a regular file inside `folder`; links to outside, pipes and devices are refused.
fn copy(folder: &Path, from: &Path, to: &Path, most: u64, cutoff: &Cutoff) -> Result<(), Unavailable> {
    let describe = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unavailable { why: format!("{} does not exist", from.display()), is_absent: true },
        _ => format!("{}: {error}", from.display()).into(),
    };
    let (home, real) = (folder.canonicalize().map_err(describe)?, from.canonicalize().map_err(describe)?);
    if !real.starts_with(&home) {
        return Err(format!("{} is a link to outside of the document's folder", from.display()).into());
    }
    let about = std::fs::metadata(&real).map_err(describe)?;
    if !about.is_file() {
        return Err(format!("{} is not a regular file", from.display()).into());
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
        let late = copy(&folder, &folder.join("pictures/a.png"), &to, 3, &passed).unwrap_err();
        assert!(late.why.contains("deadline"), "{late:?}");
        for (name, why) in [
            ("pictures/a.png", "more than"),
            ("gone.png", "does not exist"),
            ("link.png", "outside"),
            ("../secret", "outside"),
            ("pipe.png", "not a regular file"),
            ("pictures", "not a regular file"),
        ] {
            let said = take(name, 2).unwrap_err();
            assert!(said.why.contains(why) && said.is_absent == (name == "gone.png"), "{name}: {said:?}");
        }
    }

    #[test]
    fn modules_beside_a_program_are_found_in_its_imports() {
        let of = |source: &str| imported(source).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(of("import colours\n"), "colours.py colours/__init__.py");
        assert_eq!(of("from colours import *  # ours"), "colours.py colours/__init__.py");
        assert_eq!(
            of("    from my.parts import (Wheel,"),
            "my.py my/__init__.py my/parts.py my/parts/Wheel.py my/parts/Wheel/__init__.py my/parts/__init__.py"
        );
        assert_eq!(of("import a as b, c"), "a.py a/__init__.py c.py c/__init__.py");
        for nothing in [
            "from manim import *",
            "import numpy as np",
            "import manim.utils.rate_functions as rates",
            "# import colours",
            "important = 1",
            "from .. import secret",
            "import ../secret",
            "import /etc/passwd",
            "we import",
        ] {
            assert_eq!(of(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn a_program_depends_on_its_modules_and_what_they_open() {
        let files = [
            ("parts/one.py", "import two\nimport numpy\n"),
            ("two.py", "from parts.one import x\nopen('data.csv')\n"),
            ("three.py", ""),
        ];
        let read = |name: &str| files.iter().find(|file| file.0 == name).map(|file| file.1.to_owned());
        let names = beside_program("from parts.one import x\nopen('a.png')\n", read);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a.png", "data.csv", "parts/one.py", "two.py"]);
    }

    #[test]
    fn names_of_files_are_found_in_a_programs_strings() {
        let source = r#"
logo = ImageMobject("pictures/logo.png").scale(0.5)  # says "it's", and no more
SVGMobject('./a b.svg'), open(f"data/{name}.csv"), open('data/points (1).csv')
np.load("../secret.npy"), open("/etc/passwd.txt"), Text("Nothing. At all"), Text("3.14"), ".png", "a//b.png", "C:\a.png"
"""A docstring of measured.png, not in quotes of its own."""
"#;
        assert_eq!(opened(source).collect::<Vec<_>>(), ["pictures/logo.png", "a b.svg", "data/points (1).csv"]);
        let long = format!("'{}.png'", "a".repeat(NAME));
        assert_eq!(opened(&long).next(), None);
    }

    #[tokio::test]
    async fn a_program_finds_its_files_in_its_own_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("asset-0.png"), dir.path().join("program"));
        std::fs::write(&from, b"abc").unwrap();
        std::fs::create_dir(&to).unwrap();
        let asset = Asset { path: from, sha256: "0".to_owned() };
        let assets = Assets {
            named: [("a/b/c.png".to_owned(), asset.clone()), ("other.png".to_owned(), asset.clone())].into(),
            modules: [("parts/b.py".to_owned(), asset.clone())].into(),
            narration: Some(("x.narration.md".to_owned(), asset)),
            logo: None,
        };
        let program = storyboard::ManimScene { class: "A".into(), source: "open('a/b/c.png')".into() };
        let scene = Scene {
            id: "s".into(),
            kind: SceneKind::Manim(program),
            heading: String::new(),
            beats: Vec::new(),
            place: None,
        };
        let soon = Deadline::after(std::time::Duration::from_secs(60));
        assets.copy_of_scene(&scene, &to, soon).await.unwrap();
        assert_eq!(std::fs::read(to.join("a/b/c.png")).unwrap(), b"abc");
        assert_eq!(std::fs::read(to.join("x.narration.md")).unwrap(), b"abc");
        assert_eq!(std::fs::read(to.join("parts/b.py")).unwrap(), b"abc");
        assert!(!to.join("other.png").exists());
        assert_eq!(std::fs::metadata(to.join("a/b")).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_keys_assets_are_under_its_own_prefix() {
        let asset_base =
            |key: &str| AssetBase::of(&Source::Object { bucket: "b".into(), key: key.into(), version: None });
        let bucket = |prefix: &str| AssetBase::Bucket {
            bucket: "b".into(),
            prefix: prefix.into(),
            document: "lesson.md".into(),
        };
        assert_eq!(asset_base("incoming/a/lesson.md"), bucket("incoming/a/"));
        assert_eq!(asset_base("lesson.md"), bucket(""));
        assert_eq!(asset_base("a/b.py").narrations(), ["b.narration.md", "b.narration.json"]);
        assert_eq!(
            (extension("a/b.PNG"), extension("a/b"), extension("x.p g")),
            ("png".into(), "".into(), "pg".into())
        );
    }
}
