//! Where a service is, and which region its calls are signed for.

use aws_types::service_config::ServiceConfigKey;

use super::Aws;

impl Aws {
    /// Scheme and host of a service. Other servers than AWS's are named by Chalkreel's settings or AWS's own
    /// (`AWS_ENDPOINT_URL_POLLY`, `AWS_ENDPOINT_URL`, `endpoint_url` of a profile).
    pub(super) fn endpoint(&self, service: &str) -> String {
        let own = || self.configured(service).or_else(|| self.sdk.endpoint_url().map(str::to_owned));
        match self.url.clone().or_else(own) {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("https://{}", host(service, &self.region, self.sdk.use_fips() == Some(true))),
        }
    }

    /// What AWS's settings say of that service alone.
    fn configured(&self, service: &str) -> Option<String> {
        let id = match service {
            "events" => "EventBridge",
            "iam" => "IAM",
            "lambda" => "Lambda",
            "polly" => "Polly",
            "sqs" => "SQS",
            "states" => "SFN",
            "sts" => "STS",
            _ => return None,
        };
        let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        self.sdk.service_config()?.load_config(key.ok()?)
    }

    /// Which region a service's calls are signed for.
    pub(super) fn scope(&self, service: &str) -> &str {
        match service {
            "iam" if self.region.starts_with("cn-") => "cn-north-1",
            "iam" if self.region.starts_with("us-gov-") => "us-gov-west-1",
            "iam" => "us-east-1",
            _ => &self.region,
        }
    }
}

/// AWS's own host. IAM is at one place for all regions; in GovCloud most hosts are FIPS endpoints by their usual names.
fn host(service: &str, region: &str, fips: bool) -> String {
    let (china, government) = (region.starts_with("cn-"), region.starts_with("us-gov-"));
    let other_name = fips && !china && (!government || ["lambda", "polly"].contains(&service));
    let suffix = if other_name { "-fips" } else { "" };
    match service {
        "iam" if china => "iam.cn-north-1.amazonaws.com.cn".to_owned(),
        "iam" if government => "iam.us-gov.amazonaws.com".to_owned(),
        "iam" => format!("iam{suffix}.amazonaws.com"),
        _ if china => format!("{service}.{region}.amazonaws.com.cn"),
        _ => format!("{service}{suffix}.{region}.amazonaws.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts_are_those_of_awss_own_rules() {
        for (service, region, fips, expected) in [
            ("events", "eu-central-1", false, "events.eu-central-1.amazonaws.com"),
            ("states", "cn-northwest-1", false, "states.cn-northwest-1.amazonaws.com.cn"),
            ("polly", "us-west-2", true, "polly-fips.us-west-2.amazonaws.com"),
            ("polly", "us-gov-west-1", true, "polly-fips.us-gov-west-1.amazonaws.com"),
            ("sqs", "us-gov-west-1", true, "sqs.us-gov-west-1.amazonaws.com"),
            ("iam", "eu-central-1", false, "iam.amazonaws.com"),
            ("iam", "us-gov-east-1", false, "iam.us-gov.amazonaws.com"),
            ("iam", "cn-north-1", true, "iam.cn-north-1.amazonaws.com.cn"),
        ] {
            assert_eq!(host(service, region, fips), expected, "{service} in {region}");
        }
    }
}
