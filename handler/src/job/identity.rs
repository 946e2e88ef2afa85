//! Events arrive at least once; the job id derives from what identifies the input, so the second delivery finds the
//! first one's job.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{JobRequest, Source};
use crate::store::cache::CacheKey;

/// Digits of an id.
const LENGTH: usize = 24;

/// A job's name, and its folder in the bucket: 24 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobId(String);

impl JobId {
    /// The same request always gives the same id. A caller's token alone decides when there is one; an S3 object is known by
    /// bucket, key and version; an inline document by its name and bytes. `recipe` holds the versions of program and tools: a new
    /// recipe makes a new film of the same inline document, while a delivered event stays the same job.
    pub fn of(request: &JobRequest, recipe: &str) -> Self {
        let quality = request.quality.map(|quality| quality.to_string()).unwrap_or_default();
        let planned_by = request.planner.as_deref().unwrap_or_default();
        let key = match (&request.token, &request.source) {
            (Some(token), _) => CacheKey::of("job by token").part("token", token),
            (None, Source::Object { bucket, key, version }) => CacheKey::of("job by object")
                .part("bucket", bucket)
                .part("key", key)
                .part("version", version.as_deref().unwrap_or_default())
                .part("quality", &quality)
                .part("planner", planned_by),
            (None, Source::Inline { name, bytes, folder }) => CacheKey::of("job by document")
                .part("name", name)
                .part("bytes", bytes)
                .part("files", folder.as_ref().map_or("", |folder| &folder.version))
                .part("quality", &quality)
                .part("planner", planned_by)
                .part("recipe", recipe),
        };
        // Without any, the ids of whole films stay as they were.
        let key = request.scenes.iter().fold(key, |key, scene| key.part("scene", scene));
        // 96 bits: a collision is unlikely among a hundred million million jobs.
        Self(key.finish().as_str().chars().take(LENGTH).collect())
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let well_formed = text.len() == LENGTH && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        well_formed.then(|| Self(text.to_owned())).ok_or_else(|| format!("a job id has {LENGTH} hexadecimal digits"))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Quality;

    fn object(key: &str, version: &str) -> JobRequest {
        let source = Source::Object { bucket: "b".into(), key: key.into(), version: Some(version.into()) };
        JobRequest::of(source)
    }

    #[test]
    fn the_same_delivery_is_the_same_job_and_another_version_is_another() {
        assert_eq!(JobId::of(&object("k", "1"), "r1"), JobId::of(&object("k", "1"), "r2"));
        assert_ne!(JobId::of(&object("k", "1"), "r"), JobId::of(&object("k", "2"), "r"));
        // Different parts must never join to the same bytes.
        assert_ne!(JobId::of(&object("k1", ""), "r"), JobId::of(&object("k", "1"), "r"));
    }

    #[test]
    fn some_scenes_are_another_film_than_all() {
        let some = |scenes: &[&str]| {
            let scenes = scenes.iter().map(|scene| (*scene).to_owned()).collect();
            JobId::of(&JobRequest { scenes, ..object("k", "1") }, "r")
        };
        assert_ne!(some(&[]), some(&["one"]));
        assert_ne!(some(&["one"]), some(&["one", "two"]));
    }

    #[test]
    fn a_token_alone_decides_the_id() {
        let mut one = object("a", "1");
        let mut two = object("b", "2");
        one.token = Some("t".into());
        two.token = Some("t".into());
        two.quality = Some(Quality::High);
        assert_eq!(JobId::of(&one, "r"), JobId::of(&two, "r"));
    }
}
