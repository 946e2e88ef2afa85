//! The two functions: memory, timeout, layers, settings, concurrency, and what may invoke them.

use serde_json::Value;

use super::{DEPLOY, Finding, Stack};
use crate::aws::{Aws, Refusal};
use crate::config::Config;

/// Below this a function has less than one processor.
const LEAST_MEMORY: u64 = 1769;
/// Clips of a film of an hour in 1080p are about 1 GB.
const LEAST_SCRATCH: u64 = 1024;

/// The function that makes films, and its settings.
pub(super) async fn render(aws: &Aws, stack: &Stack) -> (Vec<Finding>, Option<Value>) {
    let name = stack.function();
    let settings = match aws.lambda(&format!("/2015-03-31/functions/{name}/configuration")).await {
        Ok(settings) => settings,
        Err(Refusal::Missing(_)) => return (vec![Finding::missing("function", name, DEPLOY)], None),
        Err(refusal) => return (vec![Finding::refused("function", refusal, DEPLOY)], None),
    };
    let (reserved, policy, sources, failures) = (
        format!("/2019-09-30/functions/{name}/concurrency"),
        format!("/2015-03-31/functions/{name}/policy"),
        format!("/2015-03-31/event-source-mappings/?FunctionName={name}"),
        format!("/2019-09-25/functions/{name}/event-invoke-config"),
    );
    let (reserved, policy, sources, failures) =
        tokio::join!(aws.lambda(&reserved), aws.lambda(&policy), aws.lambda(&sources), aws.lambda(&failures));
    let mut findings = vec![alive("function", &name, &settings)];
    findings.extend(size(&settings));
    findings.push(layers(&settings, stack));
    findings.push(environment(&settings, stack));
    findings.push(answered("concurrency", reserved, concurrency));
    findings.push(answered("S3 may invoke", policy, s3_may_invoke));
    findings.push(answered("queue's mapping", sources, |found| mapping(found, &stack.arn("sqs", &stack.queue()))));
    let letters = stack.arn("sqs", &stack.dead_letters());
    findings.push(answered("failed events", failures, |found| {
        let to = found["DestinationConfig"]["OnFailure"]["Destination"].as_str().unwrap_or("nowhere").to_owned();
        Finding::is("failed events", to == letters, format!("go to {to}"), DEPLOY)
    }));
    (findings, Some(settings))
}

/// The function of the HTTP interface, and its settings.
pub(super) async fn http(aws: &Aws, stack: &Stack) -> (Vec<Finding>, Option<Value>) {
    let name = stack.http_function();
    let settings = match aws.lambda(&format!("/2015-03-31/functions/{name}/configuration")).await {
        Ok(settings) => settings,
        Err(Refusal::Missing(_)) => return (vec![Finding::missing("HTTP function", name, DEPLOY)], None),
        Err(refusal) => return (vec![Finding::refused("HTTP function", refusal, DEPLOY)], None),
    };
    let url = aws.lambda(&format!("/2021-10-31/functions/{name}/url")).await;
    let token = settings["Environment"]["Variables"]["CHALKREEL_HTTP_TOKEN"].as_str().unwrap_or_default().len();
    let access = answered("HTTP access", url, |found| {
        let (auth, at) = (found["AuthType"].as_str().unwrap_or("NONE"), found["FunctionUrl"].as_str().unwrap_or("?"));
        let text = match auth {
            "AWS_IAM" => format!("{at}, for callers that IAM authorizes"),
            _ if token >= 32 => format!("{at}, for callers with HttpToken"),
            _ => format!("anybody can call {at}"),
        };
        Finding::is("HTTP access", auth == "AWS_IAM" || token >= 32, text, "Set HttpAuth to AWS_IAM, or HttpToken.")
    });
    (vec![alive("HTTP function", &name, &settings), access], Some(settings))
}

/// The finding of a call's answer, or of its failure.
fn answered(part: &'static str, answer: Result<Value, Refusal>, say: impl FnOnce(&Value) -> Finding) -> Finding {
    match answer {
        Ok(found) => say(&found),
        Err(refusal) => Finding::refused(part, refusal, DEPLOY),
    }
}

fn alive(part: &'static str, name: &str, settings: &Value) -> Finding {
    let text = |field: &str| settings[field].as_str().unwrap_or("?").to_owned();
    let (state, update) = (text("State"), text("LastUpdateStatus"));
    let image = settings["PackageType"] == "Image";
    let (runtime, machine) = (text("Runtime"), settings["Architectures"][0].as_str().unwrap_or("x86_64"));
    let what = if image { "an image" } else { &*runtime };
    // Lambda deactivates a function that was not called for weeks, until the next call.
    let lives = ["Active", "Inactive"].contains(&state.as_str()) && update != "Failed";
    let right = lives && machine == "x86_64" && (image || runtime == "provided.al2023");
    Finding::is(part, right, format!("{name}: {what}, {machine}, {state}, last update {update}"), DEPLOY)
}

fn size(settings: &Value) -> [Finding; 3] {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let (memory, timeout) = (number(&settings["MemorySize"]), number(&settings["Timeout"]));
    let scratch = number(&settings["EphemeralStorage"]["Size"]);
    [
        Finding::is(
            "memory",
            memory >= LEAST_MEMORY,
            format!("{memory} MB"),
            "Set Memory to 1769 or more: with less, the function has less than one processor.",
        ),
        Finding::is("timeout", timeout >= 60, format!("{timeout} s"), "Set Timeout to 60 or more (900 at most)."),
        Finding::is(
            "scratch",
            scratch >= LEAST_SCRATCH,
            format!("{scratch} MB under /tmp"),
            "Set Scratch to 1024 or more: with less, long films run out of disk space.",
        ),
    ]
}

fn layers(settings: &Value, stack: &Stack) -> Finding {
    if settings["PackageType"] == "Image" {
        return Finding::ok("layers", "contained in the image");
    }
    let attached: Vec<&str> =
        settings["Layers"].as_array().into_iter().flatten().filter_map(|layer| layer["Arn"].as_str()).collect();
    let wanted = stack.layers();
    let lacks: Vec<&str> = wanted
        .iter()
        .filter(|name| !attached.iter().any(|arn| arn.split(':').nth(6) == Some(name.as_str())))
        .map(String::as_str)
        .collect();
    if lacks.is_empty() {
        return Finding::ok(
            "layers",
            attached.iter().filter_map(|arn| arn.split(":layer:").nth(1)).collect::<Vec<_>>().join(", "),
        );
    }
    Finding::missing("layers", lacks.join(", "), "Build the layers (`make layers`), and deploy the stack again.")
}

/// The settings are read as the function itself reads them.
fn environment(settings: &Value, stack: &Stack) -> Finding {
    const PART: &str = "settings";
    let variables = &settings["Environment"]["Variables"];
    let config = match Config::from_lookup(|name| variables[name].as_str().map(str::to_owned)) {
        Ok(config) => config,
        Err(faults) => {
            return Finding::wrong(PART, faults.to_string(), "Correct the function's environment variables.");
        }
    };
    let timeout = settings["Timeout"].as_u64().unwrap_or(0);
    let job = config.job_timeout.as_secs();
    if config.bucket.as_deref() != Some(&*stack.bucket()) {
        let text = format!("CHALKREEL_BUCKET is {}", config.bucket.as_deref().unwrap_or("not set"));
        return Finding::wrong(PART, text, "Set it to the stack's bucket.");
    }
    let text = format!("JOB_TIMEOUT is {job} s, the function's own timeout {timeout} s");
    let remedy = "Set JOB_TIMEOUT below the function's timeout: a job needs time to write its final status.";
    Finding::is(PART, job < timeout, text, remedy)
}

fn concurrency(found: &Value) -> Finding {
    const PART: &str = "concurrency";
    match found["ReservedConcurrentExecutions"].as_u64() {
        Some(0) => Finding::wrong(
            PART,
            "the reserved concurrency is 0: every call is refused",
            "Set Concurrency to 1 or more.",
        ),
        Some(count) => Finding::ok(PART, format!("{count} films at a time (reserved)")),
        None => Finding::ok(PART, "none is reserved: it shares the account's concurrency"),
    }
}

fn s3_may_invoke(found: &Value) -> Finding {
    let policy: Value = found["Policy"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let may =
        statements.iter().any(|one| one["Principal"]["Service"] == "s3.amazonaws.com" && one["Effect"] == "Allow");
    let text = if may { "yes" } else { "no statement of the function's policy allows it" };
    Finding::is("S3 may invoke", may, text, DEPLOY)
}

fn mapping(found: &Value, queue: &str) -> Finding {
    const PART: &str = "queue's mapping";
    let all = found["EventSourceMappings"].as_array().cloned().unwrap_or_default();
    let Some(ours) = all.iter().find(|one| one["EventSourceArn"] == queue) else {
        return Finding::missing(PART, "no function takes messages from the queue", DEPLOY);
    };
    let state = ours["State"].as_str().unwrap_or("?");
    let partial = ours["FunctionResponseTypes"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == "ReportBatchItemFailures"));
    let text = if partial {
        state.to_owned()
    } else {
        format!("{state}, without ReportBatchItemFailures: one failed message fails its whole batch")
    };
    let works = ["Enabled", "Enabling", "Creating", "Updating"].contains(&state);
    Finding::is(PART, works && partial, text, "Enable the mapping, or deploy the stack again.")
}
