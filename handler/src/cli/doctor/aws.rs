//! `chalkreel doctor --aws`: which parts of a stack are there, and whether they are right.
//!
//! In: the stack's `Name`, and whatever credentials the AWS SDK finds. Out: a [`Finding`] for each part. It reads and asks; it
//! never changes anything, and what it may not see it says it can't tell.
//!
//! S3 is asked through its SDK, which is in the program anyhow; the others through `crate::aws`.

mod bucket;
mod function;
mod machine;
mod queue;
mod role;
mod stack;

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

pub use self::role::{HTTP, Need, On, RENDER, Role};
pub use self::stack::Stack;
use crate::aws::{Access, Aws, Refusal};
use crate::cli::output::{Text, line};
use crate::deadline::Deadline;

/// For everything. Each part takes less than a second.
const ALL: Duration = Duration::from_secs(60);

/// How a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Wrong,
    Missing,
    /// The caller may not see it, or AWS did not answer.
    CantTell,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "WRONG",
            Self::Missing => "MISSING",
            Self::CantTell => "can't tell",
        }
    }
}

/// One part of the stack.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    part: &'static str,
    verdict: Verdict,
    /// What was seen.
    found: String,
    /// What to do, when it is not right.
    remedy: Option<String>,
}

impl Finding {
    fn ok(part: &'static str, found: impl Into<String>) -> Self {
        Self { part, verdict: Verdict::Ok, found: found.into(), remedy: None }
    }

    fn wrong(part: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { part, verdict: Verdict::Wrong, found: found.into(), remedy: Some(remedy.to_owned()) }
    }

    fn missing(part: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { part, verdict: Verdict::Missing, found: found.into(), remedy: Some(remedy.to_owned()) }
    }

    /// Right, or wrong with a remedy.
    fn is(part: &'static str, right: bool, found: impl Into<String>, remedy: &str) -> Self {
        if right { Self::ok(part, found) } else { Self::wrong(part, found, remedy) }
    }

    /// What a call that was not answered says of a part: it is missing, or nobody can tell.
    fn refused(part: &'static str, refusal: Refusal, remedy: &str) -> Self {
        match refusal {
            Refusal::Missing(found) => Self::missing(part, found, remedy),
            Refusal::Denied(found) => Self {
                part,
                verdict: Verdict::CantTell,
                found,
                remedy: Some("Ask with credentials that may read this.".to_owned()),
            },
            Refusal::Other(found) => Self {
                part,
                verdict: Verdict::CantTell,
                found,
                remedy: Some("Try again; check region and network.".to_owned()),
            },
        }
    }
}

/// What to do about a part that the stack should have made.
const DEPLOY: &str = "Deploy the stack again: `make deploy`. With another Name, say it with --name; check the region.";

/// Looks at the stack of that name. Exit code 0: all is right; 1: something is wrong or missing; 3: nothing is, but not all
/// could be seen.
pub(in crate::cli) async fn run(name: &str, as_json: bool) -> ExitCode {
    let deadline = Deadline::after(ALL);
    let (caller, findings) = match look(name, deadline).await {
        Ok((stack, findings)) => (Some(stack), findings),
        Err(finding) => (None, vec![finding]),
    };
    let mut text = Text::default();
    if as_json {
        line!(text, "{:#}", json!({"stack": caller, "checks": findings}));
    } else {
        if let Some(stack) = &caller {
            line!(
                text,
                "stack {}, account {}, region {}, as {}",
                stack.name,
                stack.account,
                stack.region,
                stack.caller
            );
        }
        for Finding { part, verdict, found, remedy } in &findings {
            line!(text, "{:<10} {part:<22} {found}", verdict.name());
            if let Some(remedy) = remedy {
                line!(text, "{:33} → {remedy}", "");
            }
        }
    }
    let any = |verdict: Verdict| findings.iter().any(|finding| finding.verdict == verdict);
    text.say(ExitCode::from(match (any(Verdict::Wrong) || any(Verdict::Missing), any(Verdict::CantTell)) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }))
}

async fn look(name: &str, deadline: Deadline) -> Result<(Stack, Vec<Finding>), Finding> {
    const CREDENTIALS: &str = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION.";
    let found = deadline.run(async {
        let aws = Aws::connect(&Access::default()).await?.until(deadline);
        aws.credentials().await?;
        Ok(aws)
    });
    let aws = found.await.unwrap_or_else(|_| Err("no credentials were found in time".to_owned()));
    let aws = aws.map_err(|reason| Finding::wrong("caller", reason, CREDENTIALS))?;
    let stack = match aws.caller().await {
        Ok((account, caller)) => Stack::new(name, &account, aws.region(), &caller),
        Err(Refusal::Denied(reason)) => return Err(Finding::wrong("caller", reason, CREDENTIALS)),
        Err(refusal) => return Err(Finding::refused("caller", refusal, CREDENTIALS)),
    };
    let (bucket, queues, (render, settings), http) = tokio::join!(
        bucket::look(&aws, &stack),
        queue::look(&aws, &stack),
        function::render(&aws, &stack),
        function::http(&aws, &stack),
    );
    let timeout = settings.as_ref().and_then(|settings| settings["Timeout"].as_u64());
    let hidden = queue::hides_long_enough(&queues, timeout);
    let machine = machine::look(&aws, &stack, settings.as_ref()).await;
    let role = role::look(&aws, &stack, &RENDER, settings.as_ref()).await;
    let (http, settings) = http;
    let http_role = role::look(&aws, &stack, &HTTP, settings.as_ref()).await;
    let queues = queues.findings.into_iter().chain(hidden);
    let all = bucket.into_iter().chain(queues).chain(render).chain([machine]).chain(role).chain(http).chain(http_role);
    Ok((stack, all.collect()))
}
