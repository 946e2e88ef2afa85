//! The client: one bucket, bounded attempts, every call under a deadline.

use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::error::{classify, status};
use super::{ETag, Endpoint, Entry, Head, StoreError};
use deadline::Deadline;

/// Time for a TCP and TLS connection: a few round trips; S3's own guidance is to retry early.
const CONNECT: Duration = Duration::from_secs(3);
/// Time for one attempt up to its reply's head, in addition to the time for its body.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The slowest upload, in bytes a second, that is still given time within one attempt.
const SLOWEST_UPLOAD: u64 = 512 * 1024;
/// Attempts of one call, the first included.
pub(super) const ATTEMPTS: u32 = 4;
/// First and longest wait between attempts.
pub(super) const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// S3, bound to one bucket. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) client: Client,
    pub(super) bucket: String,
}

impl Store {
    /// A client of `bucket` at `endpoint`. Nothing is sent; when credentials are given, nothing is looked up either.
    pub async fn connect(endpoint: &Endpoint, bucket: &str) -> Self {
        let plain = endpoint.url.as_deref().is_some_and(|url| url.starts_with("http://"));
        let http = aws_smithy_http_client::Builder::new();
        let http =
            if plain { http.build_http() } else { http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https() };
        let mut builder = match &endpoint.credentials {
            Some((access, secret)) => {
                let region = endpoint.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
                Builder::new()
                    .behavior_version(BehaviorVersion::latest())
                    .http_client(http)
                    .region(Region::new(region))
                    .credentials_provider(Credentials::new(access, secret, None, None, "chalkreel"))
            }
            None => {
                let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
                if let Some(region) = &endpoint.region {
                    loader = loader.region(Region::new(region.clone()));
                }
                let found = loader.load().await;
                let mut builder = Builder::from(&found);
                if found.region().is_none() && endpoint.url.is_some() {
                    // Servers other than AWS take any region, but the SDK signs with none.
                    builder = builder.region(Region::new("us-east-1"));
                }
                builder
            }
        };
        builder = builder
            .timeout_config(attempt_limit(0))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(BACKOFF.0)
                    .with_max_backoff(BACKOFF.1),
            )
            .force_path_style(endpoint.path_style);
        if let Some(url) = &endpoint.url {
            builder = builder.endpoint_url(url);
        }
        Self { client: Client::from_conf(builder.build()), bucket: bucket.to_owned() }
    }

    /// The same client on another bucket.
    #[must_use]
    pub fn with_bucket(&self, bucket: &str) -> Self {
        Self { client: self.client.clone(), bucket: bucket.to_owned() }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Makes the bucket, unless this account already has it. For servers of one's own: on AWS the template makes it.
    ///
    /// # Errors
    /// `store.refused` when the name is not allowed or taken; else as for every call.
    pub async fn create_bucket(&self, deadline: Deadline) -> Result<(), StoreError> {
        let call = self.client.create_bucket().bucket(&self.bucket).send();
        match within(deadline, "", call).await? {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) => Err(classify(error, &self.bucket, "")),
        }
    }

    /// What is known of the object at `key`.
    ///
    /// # Errors
    /// `store.not_found`, and what every call may meet: `store.denied`, `store.timed_out`, `store.unavailable`.
    pub async fn head(&self, key: &str, deadline: Deadline) -> Result<Head, StoreError> {
        let call = self.client.head_object().bucket(&self.bucket).key(key).send();
        let reply = self.done(within(deadline, key, call).await?, key)?;
        Ok(Head {
            size: reply.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag: ETag(reply.e_tag.unwrap_or_default()),
            content_type: reply.content_type,
            version_id: reply.version_id,
            metadata: reply.metadata.unwrap_or_default(),
        })
    }

    /// Whether an object has the key.
    ///
    /// # Errors
    /// What every call may meet.
    pub async fn exists(&self, key: &str, deadline: Deadline) -> Result<bool, StoreError> {
        match self.head(key, deadline).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The first `limit` objects whose keys begin with `prefix`, in the order of their keys' bytes.
    ///
    /// # Errors
    /// What every call may meet.
    pub async fn list(&self, prefix: &str, limit: usize, deadline: Deadline) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        let mut token = None;
        while entries.len() < limit {
            let page = i32::try_from((limit - entries.len()).min(1000)).unwrap_or(1000); // 1000 is S3's own maximum
            let call = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .max_keys(page)
                .set_continuation_token(token)
                .send();
            let reply = self.done(within(deadline, prefix, call).await?, prefix)?;
            entries.extend(reply.contents.unwrap_or_default().into_iter().filter_map(|object| {
                Some(Entry {
                    key: object.key?,
                    size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                    etag: object.e_tag.map(ETag),
                })
            }));
            token = reply.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        entries.truncate(limit);
        Ok(entries)
    }

    /// Removes the object at `key`; nothing happens when there is none.
    ///
    /// # Errors
    /// What every call may meet.
    pub async fn delete(&self, key: &str, deadline: Deadline) -> Result<(), StoreError> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key).send();
        match within(deadline, key, call).await? {
            Err(error) if status(&error) == 404 && error.code() != Some("NoSuchBucket") => Ok(()),
            reply => self.done(reply, key).map(drop),
        }
    }

    pub(super) fn done<T, E>(&self, reply: Result<T, SdkError<E, HttpResponse>>, key: &str) -> Result<T, StoreError>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        reply.map_err(|error| classify(error, &self.bucket, key))
    }
}

/// Waits for a call, but no longer than the deadline. A call whose deadline has passed is not begun.
pub(super) async fn within<F: Future>(deadline: Deadline, key: &str, call: F) -> Result<F::Output, StoreError> {
    if deadline.passed() {
        return Err(StoreError::timed_out(key));
    }
    // Boxed: the SDK's futures hold tens of kilobytes.
    deadline.run(Box::pin(call)).await.map_err(|_| StoreError::timed_out(key))
}

/// The time limits of one attempt that sends `size` bytes.
pub(super) fn attempt_limit(size: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT + Duration::from_secs(size / SLOWEST_UPLOAD))
        .build()
}
