//! The template against the code: its settings, its trigger and its role say what the handler does.

use std::time::Duration;

use crate::read::{each, in_the_bucket, settled, statements, template};
use handler::config::{Config, VARIABLES};
use handler::error::Code;
use handler::job::keys;
use serde_json::Value;

#[test]
fn the_functions_environment_has_only_known_settings() {
    let template = template();
    for name in ["RenderFunction", "HttpFunction"] {
        let function = &template["Resources"][name]["Properties"];
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        for name in variables.keys() {
            assert!(VARIABLES.iter().any(|variable| variable.name == name), "{name} is no setting");
        }
        let read = |name: &str| {
            let value = settled(&template, variables.get(name)?);
            Some(value.as_str().map_or_else(|| "bucket".to_owned(), str::to_owned))
        };
        let config = Config::from_lookup(read).unwrap();
        assert!(config.bucket.is_some());
        if name == "RenderFunction" {
            let timeout = Duration::from_secs(settled(&template, &function["Timeout"]).as_u64().unwrap());
            assert!(config.job_timeout < timeout, "a job must end before its function is killed");
            assert!(config.manim_timeout < config.job_timeout && config.subprocess_timeout < timeout);
            assert!(
                config.interfaces.metrics
                    && config.interfaces.event_bus.is_some()
                    && config.interfaces.webhook.is_none()
            );
        }
    }
}

/// What must not be read in a console or a log.
#[test]
fn secrets_are_not_echoed() {
    let template = template();
    let parameters = template["Parameters"].as_object().unwrap();
    for (name, parameter) in parameters {
        let secret = ["Key", "Token", "Secret"].iter().any(|word| name.ends_with(word));
        assert_eq!(parameter["NoEcho"] == true, secret, "{name}");
        // A pattern must let through what says where a secret is.
        if let Some(pattern) = parameter["AllowedPattern"].as_str().filter(|_| secret) {
            assert_eq!(pattern, r"(.{32,}|\{\{resolve:secretsmanager:.+\}\})?", "{name}");
        }
    }
}

/// The alarms watch figures that are really printed.
#[test]
fn alarms_watch_what_there_is() {
    let template = template();
    let metrics = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/notify/metrics.rs")).unwrap();
    let mut ours = 0;
    for (name, resource) in template["Resources"].as_object().unwrap() {
        let alarm = &resource["Properties"];
        if resource["Type"] != "AWS::CloudWatch::Alarm" || alarm["Namespace"] != "Chalkreel" {
            continue;
        }
        ours += 1;
        let metric = alarm["MetricName"].as_str().unwrap();
        assert!(metrics.contains(&format!("(\"{metric}\", \"Count\")")), "{name} watches {metric}");
        // Of this stack alone.
        let whose = &alarm["Dimensions"][0];
        assert_eq!(whose, &serde_json::json!({"Name": "FunctionName", "Value": {"Ref": "RenderFunction"}}), "{name}");
        assert!(metrics.contains("DIMENSION: &str = \"FunctionName\""));
    }
    for function in ["RenderFunction", "HttpFunction"] {
        let watched = template["Resources"].as_object().unwrap().values().any(|alarm| {
            let alarm = &alarm["Properties"];
            alarm["MetricName"] == "Errors" && alarm["Dimensions"][0]["Value"]["Ref"] == function
        });
        assert!(watched, "nobody is told when {function} fails");
    }
    assert!(ours >= 2 && metrics.contains("NAMESPACE: &str = \"Chalkreel\""));
}

/// The state machine's tasks are tried again when their error says that it can help, and last as long as the function may.
#[test]
fn the_state_machine_follows_the_codes() {
    let template = template();
    let machine = &template["Resources"]["FilmMachine"]["Properties"];
    let definition = &machine["Definition"];
    let function = &template["Resources"]["RenderFunction"]["Properties"];
    let longest = template["Parameters"]["Timeout"]["MaxValue"].as_u64().unwrap();
    // Those of HTTP are no job's.
    let of_jobs = Code::ALL.iter().filter(|code| code.retryable() && !code.name().starts_with("http."));
    let mut codes: Vec<&str> = of_jobs.map(|code| code.name()).collect();
    codes.sort_unstable();
    let mut tasks = 0;
    let states = definition["States"].as_object().unwrap().iter();
    let inside = definition["States"]["Scenes"]["ItemProcessor"]["States"].as_object().unwrap().iter();
    for (name, state) in states.chain(inside).filter(|(_, state)| state["Type"] == "Task") {
        tasks += 1;
        let retries = state["Retry"].as_array().unwrap();
        let names = |retry: &Value| -> Vec<String> {
            retry["ErrorEquals"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let all: Vec<String> = retries.iter().flat_map(names).collect();
        let mut ours: Vec<&str> =
            all.iter().map(String::as_str).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect();
        ours.sort_unstable();
        assert_eq!(ours, codes, "{name}");
        assert!(all.iter().any(|name| name == "Lambda.TooManyRequestsException"), "{name}");
        assert!(all.iter().any(|name| name == "Runtime.ExitError"), "{name}");
        assert_eq!(state["Catch"][0]["ErrorEquals"], serde_json::json!(["States.ALL"]), "{name}");
        assert!(state["TimeoutSeconds"].as_u64().unwrap() > longest, "{name}");
    }
    assert_eq!(tasks, 4);
    assert_eq!(definition["TimeoutSeconds"].as_u64().unwrap(), handler::aws::state_machine::LONGEST.as_secs());
    // Its environment names the machine.
    let arn = function["Environment"]["Variables"]["CHALKREEL_STATE_MACHINE"]["Fn::Sub"].as_str().unwrap();
    assert!(arn.ends_with(":stateMachine:${Name}") && machine["StateMachineName"]["Ref"] == "Name", "{arn}");
    let hand_over = statements(&template, "RenderRole").iter().find(|one| one["Sid"] == "HandOver").unwrap();
    assert_eq!(hand_over["Resource"]["Fn::Sub"], arn);
    let told = &function["Events"]["Stopped"]["Properties"]["Pattern"]["detail"]["stateMachineArn"];
    assert_eq!(told[0]["Fn::Sub"], arn);
    // It may invoke that one function, and nothing else but write its log.
    let may: Vec<&str> = statements(&template, "MachineRole")
        .iter()
        .flat_map(|one| each(&one["Action"]))
        .map(|action| action.as_str().unwrap())
        .filter(|action| !action.starts_with("logs:"))
        .collect();
    assert_eq!(may, ["lambda:InvokeFunction"]);
    let most = template["Parameters"]["ScenesAtATime"]["MaxValue"].as_u64().unwrap();
    assert!(most <= 40, "an inline map does no more than 40 at a time");
}

/// The queue hides a message as long as its film may take, and its function reports failures one by one.
#[test]
fn the_queue_waits_for_its_films() {
    let template = template();
    let function = &template["Resources"]["RenderFunction"]["Properties"];
    let queue = &template["Resources"]["Lessons"]["Properties"];
    let timeout = settled(&template, &function["Timeout"]).as_u64().unwrap();
    assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * timeout);
    // Lambda's advice: what it has no room for comes back, and counts as a try.
    assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() >= 5);
    let source = &function["Events"]["Message"]["Properties"];
    let most = settled(&template, &source["ScalingConfig"]["MaximumConcurrency"]).as_u64().unwrap();
    assert!(most < settled(&template, &template["Parameters"]["Concurrency"]["Default"]).as_u64().unwrap());
    assert_eq!(function["Environment"]["Variables"]["CHALKREEL_DEAD_LETTERS"]["Ref"], "FailedEvents");
    assert_eq!(source["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]));
}

/// S3, SNS and EventBridge may send to the queue, for this account alone.
#[test]
fn who_may_send_to_the_queue() {
    let template = template();
    let policy = &template["Resources"]["LessonsPolicy"]["Properties"];
    assert_eq!(policy["Queues"], serde_json::json!([{"Ref": "Lessons"}]));
    let mut senders = Vec::new();
    for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
        assert_eq!((&statement["Effect"], &statement["Action"]), (&"Allow".into(), &"sqs:SendMessage".into()));
        assert_eq!(statement["Resource"]["Fn::GetAtt"][0], "Lessons");
        let condition = statement["Condition"].to_string();
        assert!(condition.contains("AWS::AccountId"), "{condition}");
        senders.push(statement["Principal"]["Service"].as_str().unwrap());
    }
    assert_eq!(senders, ["s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com"]);
}

#[test]
fn the_trigger_watches_a_prefix_that_the_service_does_not_write() {
    let template = template();
    let resources = &template["Resources"];
    let rules =
        &resources["RenderFunction"]["Properties"]["Events"]["Lesson"]["Properties"]["Filter"]["S3Key"]["Rules"];
    assert_eq!(rules, &serde_json::json!([{"Name": "prefix", "Value": keys::INCOMING}]));
    assert!(!keys::is_own(keys::INCOMING));

    let may = |action: &str| -> Vec<String> {
        let all = in_the_bucket(&template, "RenderRole").into_iter();
        all.filter(|(name, _)| name == action).map(|(_, prefix)| prefix).collect()
    };
    assert_eq!(may("s3:GetObject"), [keys::CACHE, keys::FILMS, keys::INCOMING, "planners/"]);
    assert_eq!(may("s3:PutObject"), [keys::CACHE, keys::FILMS]);

    let lifecycle = resources["FilmBucket"]["Properties"]["LifecycleConfiguration"]["Rules"].as_array().unwrap();
    let cache = lifecycle.iter().find(|rule| rule["Id"] == "cache").unwrap();
    assert_eq!(cache["Prefix"], keys::CACHE);
}
