//! The bucket: does it exist, is it private and encrypted, do old objects expire, and does it trigger the function?

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{Builder, timeout::TimeoutConfig};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{ExpirationStatus, FilterRuleName, LifecycleRule, NotificationConfigurationFilter};

use super::{DEPLOY, Finding, Stack};
use crate::aws::{Aws, Refusal};
use crate::job::keys;

/// All findings about the bucket, or that it can't be read.
pub(super) async fn check(aws: &Aws, stack: &Stack) -> Vec<Finding> {
    let limits = TimeoutConfig::builder().operation_timeout(std::time::Duration::from_secs(10)).build();
    // Servers other than AWS have no host names for buckets.
    let config = Builder::from(&aws.sdk).timeout_config(limits).force_path_style(aws.sdk.endpoint_url().is_some());
    let (client, bucket) = (Client::from_conf(config.build()), stack.bucket());
    // Another account may own a bucket of that name: then it is not this stack's.
    let owner = &stack.account;
    if let Err(error) = client.head_bucket().bucket(&bucket).expected_bucket_owner(owner).send().await {
        let moved = error.raw_response().is_some_and(|reply| reply.status().as_u16() == 301);
        if moved {
            return vec![Finding::wrong("bucket", format!("{bucket} is in another region"), DEPLOY)];
        }
        return vec![match refusal(error) {
            Refusal::Missing(_) => Finding::missing("bucket", bucket, DEPLOY),
            refusal => Finding::refused("bucket", refusal, DEPLOY),
        }];
    }
    let (encryption, access, lifecycle, trigger) = tokio::join!(
        client.get_bucket_encryption().bucket(&bucket).expected_bucket_owner(owner).send(),
        client.get_public_access_block().bucket(&bucket).expected_bucket_owner(owner).send(),
        client.get_bucket_lifecycle_configuration().bucket(&bucket).expected_bucket_owner(owner).send(),
        client.get_bucket_notification_configuration().bucket(&bucket).expected_bucket_owner(owner).send(),
    );
    let encryption = encryption.map(|reply| {
        let rules = reply.server_side_encryption_configuration.map(|found| found.rules).unwrap_or_default();
        let by_default = rules.into_iter().find_map(|rule| rule.apply_server_side_encryption_by_default);
        let found = by_default.map(|found| found.sse_algorithm.to_string());
        let text = found.clone().unwrap_or_else(|| "objects are not encrypted by default".to_owned());
        Finding::is("bucket's encryption", found.is_some(), text, DEPLOY)
    });
    let access = access.map(|reply| {
        let whole = reply.public_access_block_configuration().is_some_and(|block| {
            let (acls, policy) = (block.block_public_acls, block.block_public_policy);
            [acls, policy, block.ignore_public_acls, block.restrict_public_buckets]
                .iter()
                .all(|flag| *flag == Some(true))
        });
        let text = if whole { "all public access is blocked" } else { "some public access is not blocked" };
        Finding::is("bucket's privacy", whole, text, DEPLOY)
    });
    vec![
        Finding::ok("bucket", &*bucket),
        encryption.unwrap_or_else(|error| Finding::refused("bucket's encryption", refusal(error), DEPLOY)),
        access.unwrap_or_else(|error| Finding::refused("bucket's privacy", refusal(error), DEPLOY)),
        match lifecycle {
            Ok(reply) => tidy(reply.rules()),
            Err(error) => Finding::refused("bucket's lifecycle", refusal(error), DEPLOY),
        },
        match trigger {
            Ok(reply) => trigger_of(&reply, stack),
            Err(error) => Finding::refused("bucket's trigger", refusal(error), DEPLOY),
        },
    ]
}

/// Unfinished uploads and old clips cost money until they expire.
fn tidy(rules: &[LifecycleRule]) -> Finding {
    let enabled = || rules.iter().filter(|rule| rule.status == ExpirationStatus::Enabled);
    #[expect(deprecated, reason = "the template, and many a bucket, says it that way")]
    let prefix = |rule: &LifecycleRule| {
        let filter = rule.filter.as_ref().and_then(|filter| filter.prefix.clone());
        filter.or_else(|| rule.prefix.clone()).unwrap_or_default()
    };
    let unfinished = |rule: &LifecycleRule| rule.abort_incomplete_multipart_upload.is_some() && prefix(rule).is_empty();
    let expires = |rule: &LifecycleRule| rule.expiration.is_some() && prefix(rule) == keys::CACHE;
    let mut lacks = Vec::new();
    if !enabled().any(unfinished) {
        lacks.push("unfinished uploads never expire");
    }
    if !enabled().any(expires) {
        lacks.push("the cache never expires");
    }
    let text = if lacks.is_empty() { "unfinished uploads and the cache expire".to_owned() } else { lacks.join(", ") };
    Finding::is("bucket's lifecycle", lacks.is_empty(), text, DEPLOY)
}

/// Uploads under `incoming/` must trigger the function, directly or through the queue; other objects must not.
fn trigger_of(notifications: &GetBucketNotificationConfigurationOutput, stack: &Stack) -> Finding {
    let function = stack.arn("lambda", &format!("function:{}", stack.function()));
    let queue = stack.arn("sqs", &stack.queue());
    let direct = notifications
        .lambda_function_configurations()
        .iter()
        .map(|one| (&one.lambda_function_arn, &one.events, &one.filter));
    let queued = notifications.queue_configurations().iter().map(|one| (&one.queue_arn, &one.events, &one.filter));
    let ours: Vec<_> = direct.chain(queued).filter(|(to, ..)| **to == function || **to == queue).collect();
    let made =
        ours.iter().filter(|(_, events, _)| events.iter().any(|event| event.as_str().starts_with("s3:ObjectCreated:")));
    let prefixes: Vec<String> = made.map(|(.., filter)| prefix(filter.as_ref())).collect();
    match &prefixes[..] {
        [] if notifications.event_bridge_configuration().is_some() => {
            Finding::ok("bucket's trigger", "through EventBridge; its rule must match incoming/ alone")
        }
        [] => Finding::missing("bucket's trigger", "an upload triggers nothing", DEPLOY),
        all if all.iter().all(|prefix| prefix.starts_with(keys::INCOMING)) => {
            Finding::ok("bucket's trigger", format!("uploads under {}", prefixes.join(", ")))
        }
        _ => {
            let text = format!(
                "it triggers on `{}`, where films are written too: each film would start a job",
                prefixes.join("`, `")
            );
            Finding::wrong("bucket's trigger", text, "Limit its prefix to incoming/.")
        }
    }
}

fn prefix(filter: Option<&NotificationConfigurationFilter>) -> String {
    let rules = filter.and_then(|filter| filter.key()).map(|key| key.filter_rules()).unwrap_or_default();
    let prefix = rules.iter().find(|rule| {
        let name = rule.name.as_ref().map_or("", FilterRuleName::as_str);
        name.eq_ignore_ascii_case("prefix")
    });
    prefix.and_then(|rule| rule.value.clone()).unwrap_or_default()
}

fn refusal<E: ProvideErrorMetadata>(error: SdkError<E, HttpResponse>) -> Refusal {
    let status = error.raw_response().map_or(0, |reply| reply.status().as_u16());
    let service = error.as_service_error();
    let code = service.and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let message = service.and_then(ProvideErrorMetadata::message).unwrap_or_default();
    if status == 0 { Refusal::Other("S3 did not answer".to_owned()) } else { Refusal::of(status, code, message) }
}
