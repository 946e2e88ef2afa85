//! The folder on disk. Every change is one rename or one unlink, under a lock that all processes share.
//!
//! ```text
//! <root>/buckets/<bucket>/<name>    objects, each with its metadata
//!        uploads/<id>/              multipart uploads: upload.json, part-00001 ... (stored like objects)
//!        tmp/                       bodies being received
//!        locks/00 ... 3f            one for each sixty-fourth of the keys
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use s3s::dto::ETagCondition;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::keys;
use super::object_meta::{self, ObjectMeta};
use deadline::Deadline;

/// Lock files; more only means that fewer keys share one.
const LOCKS: u8 = 64;
/// The longest wait for a lock. It is held for two system calls; longer means that its holder was stopped.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// The wait between two attempts to take a lock.
const LOCK_POLL: Duration = Duration::from_millis(1);
/// Bodies that no process holds open and that are older than this were left by a crash.
const ABANDONED: Duration = Duration::from_secs(60);

/// The condition of a write on the present object.
#[derive(Debug, Clone, Default)]
pub(super) struct Precondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl Precondition {
    fn check(&self, there: Option<&ObjectMeta>) -> S3Result<()> {
        if let Some(tag) = &self.if_none_match {
            let same = there.is_some_and(|meta| tag.is_any() || names(tag, meta));
            if same {
                return Err(s3_error!(PreconditionFailed, "there is already an object that the condition excludes"));
            }
        }
        if let Some(tag) = &self.if_match {
            let meta = there.ok_or_else(|| s3_error!(NoSuchKey))?;
            if !tag.is_any() && !names(tag, meta) {
                return Err(s3_error!(PreconditionFailed, "the object has another entity tag"));
            }
        }
        Ok(())
    }
}

/// Whether a condition names the object's own entity tag.
pub(super) fn names(tag: &ETagCondition, meta: &ObjectMeta) -> bool {
    tag.as_etag().is_some_and(|tag| tag.value() == meta.etag)
}

/// A folder of buckets. Its methods block.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: Arc<PathBuf>,
}

impl Folder {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        for part in ["buckets", "uploads", "tmp", "locks"] {
            fs::create_dir_all(root.join(part))?;
        }
        // Absolute, so that a later change of the working folder does not move it.
        let folder = Self { root: Arc::new(root.canonicalize()?) };
        folder.sweep()?;
        Ok(folder)
    }

    /// Removes bodies that a crash left half written.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.root.join("tmp"))? {
            let entry = entry?;
            let Ok(file) = File::open(entry.path()) else { continue }; // finished meanwhile
            let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > ABANDONED && file.try_lock().is_ok() {
                let _ = fs::remove_file(entry.path()); // another process may sweep too
            }
        }
        Ok(())
    }

    /// Whether the bucket was made now; false when it was there.
    pub(super) fn create_bucket(&self, bucket: &str) -> io::Result<bool> {
        match fs::create_dir(self.bucket(bucket)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn require_bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let path = self.bucket(bucket);
        if path.is_dir() { Ok(path) } else { Err(s3_error!(NoSuchBucket)) }
    }

    fn bucket(&self, bucket: &str) -> PathBuf {
        // S3's rules for names (checked before we are asked) leave no room for `..` or `/`.
        self.root.join("buckets").join(bucket)
    }

    pub(super) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// A new file for a body, removed unless it is committed. Locked, so that others see it is in use.
    pub(super) fn temporary(&self) -> io::Result<NamedTempFile> {
        let file = NamedTempFile::new_in(self.root.join("tmp"))?;
        file.as_file().lock()?; // it is new: no other process can hold it
        Ok(file)
    }

    /// The object at `key`, open. A read of the open file sees this object, whole, whatever is written meanwhile.
    pub(super) fn get(&self, bucket: &str, key: &str) -> S3Result<(File, ObjectMeta)> {
        let path = self.require_bucket(bucket)?.join(keys::file_name(key));
        self.object(&path, key)?.ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// The object at `path`, if it is that of `key`: a file whose metadata names another key is damaged, and counts as missing.
    fn object(&self, path: &Path, key: &str) -> S3Result<Option<(File, ObjectMeta)>> {
        Ok(self.open_object(path)?.filter(|(_, meta)| meta.key == key))
    }

    pub(super) fn open_object(&self, path: &Path) -> S3Result<Option<(File, ObjectMeta)>> {
        let file = match open_file(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(internal(error)),
        };
        let meta = match &file {
            Some(file) => object_meta::read(file).map_err(internal)?,
            None => None,
        };
        if meta.is_none() {
            tracing::warn!(path = %path.display(), "an object of the embedded store is damaged; it is treated as missing");
        }
        Ok(file.zip(meta))
    }

    /// Puts a finalized file in the place of the object at `key`, if the precondition holds. The rename makes it take effect.
    pub(super) fn commit(
        &self,
        bucket: &str,
        key: &str,
        file: NamedTempFile,
        condition: &Precondition,
    ) -> S3Result<()> {
        let path = self.require_bucket(bucket)?.join(keys::file_name(key));
        if !keys::is_listable(key) {
            return Err(s3_error!(InvalidArgument, "the key has characters that a listing can't express in XML"));
        }
        let lock = self.lock(bucket, key)?;
        condition.check(self.object(&path, key)?.as_ref().map(|(_, meta)| meta))?;
        if is_folder(&path) {
            self.move_away(&path).map_err(internal)?;
        }
        let stored = file.persist(&path).map_err(|error| internal(error.error))?;
        drop(lock);
        drop(stored);
        Ok(())
    }

    /// Removes the object at `key`, if the precondition holds. There may be none.
    pub(super) fn remove(&self, bucket: &str, key: &str, condition: &Precondition) -> S3Result<()> {
        let path = self.require_bucket(bucket)?.join(keys::file_name(key));
        let lock = self.lock(bucket, key)?;
        condition.check(self.object(&path, key)?.as_ref().map(|(_, meta)| meta))?;
        let removed = if is_folder(&path) { self.move_away(&path) } else { fs::remove_file(&path) };
        drop(lock);
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(internal(error)),
            _ => Ok(()),
        }
    }

    /// Moves a folder away that lies where an object belongs, whose place no file can take. What is in it is kept.
    fn move_away(&self, path: &Path) -> io::Result<()> {
        // A folder may take the place of an empty one.
        let aside = tempfile::Builder::new().prefix("folder-").tempdir_in(self.root.join("tmp"))?.keep();
        tracing::warn!(path = %path.display(), to = %aside.display(), "a folder lies where an object of the embedded store belongs; it is moved away");
        fs::rename(path, aside)
    }

    /// Takes the lock that `key` falls under; dropping it frees it, and so does the end of the process.
    fn lock(&self, bucket: &str, key: &str) -> S3Result<File> {
        let shard = Sha256::digest([bucket, "/", key].concat())[0] % LOCKS;
        let path = self.root.join("locks").join(format!("{shard:02x}"));
        let file = File::options().create(true).truncate(false).write(true).open(path).map_err(internal)?;
        let deadline = Deadline::after(LOCK_WAIT);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(internal(error)),
                Err(TryLockError::WouldBlock) if deadline.passed() => {
                    return Err(s3_error!(SlowDown, "another process holds the lock of this key"));
                }
                // `flock` has no wait with a time limit.
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL),
            }
        }
    }
}

/// Opens what lies at `path`; none when that is no regular file: a folder, a pipe, which would wait for its writer, or a link that leads
/// nowhere.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    match fs::metadata(path) {
        // Who could replace it now is trusted with the store.
        Ok(about) if about.is_file() => File::open(path).map(Some),
        Ok(_) => Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

/// An I/O error as S3 would say it.
pub(super) fn internal(error: io::Error) -> S3Error {
    tracing::warn!(%error, "the embedded store can't read or write its folder (CHALKREEL_STORE_DIR)");
    if error.kind() == io::ErrorKind::StorageFull {
        // A retry does not free disk space, so this must not look like a transient failure.
        let mut full = S3Error::with_message(S3ErrorCode::Custom("DiskFull".into()), "the disk is full");
        full.set_status_code(http::StatusCode::INSUFFICIENT_STORAGE);
        return full;
    }
    S3Error::with_message(S3ErrorCode::InternalError, error.to_string())
}

/// Runs blocking work on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => Err(S3Error::with_message(S3ErrorCode::InternalError, panic.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;

    use super::*;

    fn write(folder: &Folder, key: &str) -> S3Result<()> {
        let mut file = folder.temporary().unwrap();
        file.write_all(b"hello").unwrap();
        let meta = ObjectMeta { key: key.into(), length: 5, etag: "e".into(), ..ObjectMeta::default() };
        object_meta::finalize(&mut file, &meta).unwrap();
        folder.commit("films", key, file, &Precondition::default())
    }

    #[test]
    fn what_lies_where_an_object_belongs_is_damage_and_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        folder.create_bucket("films").unwrap();
        let pipe = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        type Replace = fn(&Path);
        let replace: [(&str, Replace); 5] = [
            ("pipe", pipe),
            ("empty", |path| fs::create_dir(path).unwrap()),
            ("full", |path| fs::create_dir_all(path.join("more/files")).unwrap()),
            ("link", |path| std::os::unix::fs::symlink(path.file_name().unwrap(), path).unwrap()),
            ("nowhere", |path| std::os::unix::fs::symlink("nowhere", path).unwrap()),
        ];
        for (key, replace) in replace {
            let path = home.path().join("buckets/films").join(keys::file_name(key));
            for remove in [false, true] {
                write(&folder, key).unwrap();
                assert!(folder.get("films", key).is_ok());
                fs::remove_file(&path).unwrap();
                replace(&path);
                assert!(folder.get("films", key).is_err(), "{key}");
                if remove {
                    folder.remove("films", key, &Precondition::default()).unwrap();
                    assert!(fs::symlink_metadata(&path).is_err(), "{key}");
                }
                write(&folder, key).unwrap();
                assert!(folder.get("films", key).is_ok(), "{key}");
            }
        }
        // Nothing of what was there is lost.
        let aside = fs::read_dir(home.path().join("tmp"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().join("more/files").is_dir());
        assert_eq!(aside.count(), 2);
    }
}
