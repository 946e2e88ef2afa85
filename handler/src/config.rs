//! The settings: read once from the environment, checked once, documented once.
//!
//! In: a look-up of environment variables. Out: [`Config`] or one error that names every setting at fault. No other file
//! reads the environment (`clippy.toml` forbids it).

mod interfaces;
mod log;
mod names;
mod secret;
mod voices;
mod write;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::child::Mode;

pub use interfaces::InterfaceConfig;
pub use secret::Secret;
pub use voices::{ElevenLabsSettings, VOICES, VoiceConfig};
pub use write::WriteConfig;

/// One environment variable, for `docs/settings.md` and `chalkreel doctor`.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is not set.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// All variables that Chalkreel itself reads. The AWS SDK reads its own (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, …).
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "JOB_TIMEOUT",
        default: "1200",
        meaning: "seconds one job may take; what the Lambda context has left counts when that is less",
    },
    Variable { name: "MANIM_TIMEOUT", default: "900", meaning: "seconds one scene may take to render" },
    Variable {
        name: "SUBPROCESS_TIMEOUT",
        default: "1800",
        meaning: "seconds any child process may live; must exceed MANIM_TIMEOUT",
    },
    Variable { name: "VOICE_TIMEOUT", default: "15", meaning: "seconds one call of a voice may take" },
    Variable {
        name: "VOICE_CHAIN",
        default: "elevenlabs (with a key), polly (on AWS), gtts, piper (with a model for the language), espeak-ng",
        meaning: "voices in the order to try them, with commas; also openai and silent. espeak-ng is always the last resort",
    },
    Variable {
        name: "ELEVENLABS_API_KEY",
        default: "none",
        meaning: "key of ElevenLabs; without it that voice is not used",
    },
    Variable {
        name: "ELEVENLABS_VOICE_ID",
        default: "JBFqnCBsd6RMkjVDRZzb",
        meaning: "voice of ElevenLabs, when the lesson names none",
    },
    Variable {
        name: "ELEVENLABS_MODEL_ID",
        default: "eleven_multilingual_v2",
        meaning: "model of ElevenLabs, when the lesson names none",
    },
    Variable { name: "ELEVENLABS_STABILITY", default: "the voice's own", meaning: "0 to 1: how even it speaks" },
    Variable {
        name: "ELEVENLABS_SIMILARITY",
        default: "the voice's own",
        meaning: "0 to 1: how close it keeps to the voice it was made of",
    },
    Variable {
        name: "ELEVENLABS_STYLE",
        default: "the voice's own",
        meaning: "0 to 1: how much it exaggerates its style",
    },
    Variable {
        name: "ELEVENLABS_SPEAKER_BOOST",
        default: "the voice's own",
        meaning: "on or off: whether it sounds still more like the voice it was made of",
    },
    Variable { name: "ELEVENLABS_BASE_URL", default: "https://api.elevenlabs.io", meaning: "where ElevenLabs is" },
    Variable {
        name: "POLLY_VOICE",
        default: "by language",
        meaning: "voice of Amazon Polly, when the lesson names none, for example Joanna",
    },
    Variable { name: "POLLY_ENGINE", default: "neural", meaning: "standard, neural, long-form or generative" },
    Variable { name: "POLLY_BASE_URL", default: "AWS's own", meaning: "where Amazon Polly is" },
    Variable {
        name: "GOOGLE_TTS_LANGUAGE",
        default: "by the lesson's language",
        meaning: "language of Google Translate's speech (gtts), for example pt-PT",
    },
    Variable {
        name: "GOOGLE_TTS_TLD",
        default: "com",
        meaning: "its top-level domain, which gives the accent, for example co.uk",
    },
    Variable {
        name: "GOOGLE_TTS_BASE_URL",
        default: "https://translate.google.<GOOGLE_TTS_TLD>",
        meaning: "where Google Translate is",
    },
    Variable {
        name: "OPENAI_API_KEY",
        default: "none",
        meaning: "key of the OpenAI-compatible voice (openai), which is used only where a chain names it",
    },
    Variable {
        name: "OPENAI_TTS_BASE_URL",
        default: "https://api.openai.com/v1",
        meaning: "where it is; servers of one's own need no key",
    },
    Variable { name: "OPENAI_TTS_MODEL", default: "gpt-4o-mini-tts", meaning: "its model, when the lesson names none" },
    Variable { name: "OPENAI_TTS_VOICE", default: "alloy", meaning: "its voice, when the lesson names none" },
    Variable {
        name: "OPENAI_CHAT_MODEL",
        default: "none",
        meaning: "the language model that writes lessons of questions (`chalkreel write`, `{\"question\": …}`); without one, none are written",
    },
    Variable {
        name: "OPENAI_CHAT_BASE_URL",
        default: "https://api.openai.com/v1",
        meaning: "where it is: any server that has OpenAI's /chat/completions; servers of one's own need no key",
    },
    Variable { name: "OPENAI_CHAT_API_KEY", default: "OPENAI_API_KEY", meaning: "its key" },
    Variable {
        name: "OPENAI_CHAT_PICTURES",
        default: "off",
        meaning: "on or off: whether it takes pictures; then `chalkreel write` shows it those of its lesson",
    },
    Variable {
        name: "WRITE_TIMEOUT",
        default: "600",
        meaning: "seconds that writing one lesson may take, all of its rounds together; of a job, at most half of what is left",
    },
    Variable {
        name: "WRITE_MAX_TOKENS",
        default: "200000",
        meaning: "tokens that writing one lesson may use, those of questions and answers together",
    },
    Variable {
        name: "WRITE_MAX_REQUESTS",
        default: "12",
        meaning: "calls that writing one lesson may make, repeated ones included",
    },
    Variable {
        name: "PIPER_VOICE",
        default: "none",
        meaning: "a voice model of Piper (an .onnx file with its .onnx.json beside it) that comes before those of PIPER_VOICES",
    },
    Variable {
        name: "PIPER_VOICES",
        default: "voices in LAYERS_DIR",
        meaning: "a folder of voice models of Piper: the one in the lesson's language speaks",
    },
    Variable {
        name: "STALL_TIMEOUT",
        default: "60",
        meaning: "seconds without a new frame after which a scene is ended",
    },
    Variable {
        name: "LEASE_TIMEOUT",
        default: "30",
        meaning: "seconds without a heartbeat after which a job's owner counts as gone; heartbeats come six times as often",
    },
    Variable {
        name: "LAYERS_DIR",
        default: "/opt, then target/layers beside the executable's target/release",
        meaning: "where the programs lie: bin/chalkreel-stage, bin/ffmpeg, bin/ffprobe, bin/espeak-ng",
    },
    Variable {
        name: "CHALKREEL_BUCKET",
        default: "chalkreel on the embedded store; required on AWS",
        meaning: "the bucket that films, status and cache are written to",
    },
    Variable {
        name: "CHALKREEL_PLANNERS",
        default: "none",
        meaning: "the prefix in the bucket under which planners lie that a job may name; without it there is the built-in one alone",
    },
    Variable {
        name: "CHALKREEL_S3_ENDPOINT",
        default: "AWS under Lambda, the embedded store on the command line",
        meaning: "URL of any other S3 server",
    },
    Variable {
        name: "CHALKREEL_STORE_DIR",
        default: "$XDG_CACHE_HOME/chalkreel/store, or ~/.cache/chalkreel/store",
        meaning: "folder of the embedded store",
    },
    Variable {
        name: "CHALKREEL_HTTP_TOKEN",
        default: "none",
        meaning: "bearer token that HTTP requests must have, at least 32 bytes; without it IAM, or this machine's loopback, is the guard",
    },
    Variable { name: "CHALKREEL_JOBS", default: "1", meaning: "films that `chalkreel serve` makes at a time" },
    Variable {
        name: "CHALKREEL_EVENT_BUS",
        default: "none",
        meaning: "EventBridge bus that gets a `chalkreel.job.*` event at each state of a job",
    },
    Variable {
        name: "CHALKREEL_STATE_MACHINE",
        default: "none",
        meaning: "ARN of the Step Functions state machine that takes films which don't fit what is left of an invocation",
    },
    Variable { name: "CHALKREEL_STATES_ENDPOINT", default: "AWS's own", meaning: "where Step Functions is" },
    Variable { name: "CHALKREEL_EVENTS_ENDPOINT", default: "AWS's own", meaning: "where EventBridge is" },
    Variable {
        name: "CHALKREEL_WEBHOOK_URL",
        default: "none",
        meaning: "https address that gets a signed POST at each state of a job; never a private one",
    },
    Variable {
        name: "CHALKREEL_WEBHOOK_SECRET",
        default: "none",
        meaning: "what webhooks are signed with, at least 32 bytes",
    },
    Variable {
        name: "CHALKREEL_WEBHOOK_LOOPBACK",
        default: "off",
        meaning: "on or off: whether the webhook may be plain http on this machine's loopback, for trying it out",
    },
    Variable {
        name: "CHALKREEL_DEAD_LETTERS",
        default: "none",
        meaning: "URL of the SQS queue that gets messages which can't be read, with code and reason; without it they fail until their queue's redrive takes them",
    },
    Variable {
        name: "CHALKREEL_METRICS",
        default: "off",
        meaning: "on or off: whether each film's figures are printed in CloudWatch's embedded metric format",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        default: "none",
        meaning: "collector that gets spans of each job, as OTLP over HTTP; OpenTelemetry's other variables are heeded too",
    },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", default: "none", meaning: "the same, with its whole path" },
    Variable {
        name: "OTEL_EXPORTER_OTLP_HEADERS",
        default: "none",
        meaning: "what the collector wants to hear, as name=value with commas, such as a key",
    },
    Variable { name: "OTEL_SERVICE_NAME", default: "chalkreel", meaning: "what the service is called there" },
    Variable { name: "OTEL_SDK_DISABLED", default: "false", meaning: "true: no spans, whatever else is set" },
    Variable {
        name: "TRACEPARENT",
        default: "none",
        meaning: "the trace that a command's spans belong to, as W3C's Trace Context has it; on AWS it is X-Ray's",
    },
    Variable { name: "CHALKREEL_PARALLEL", default: "the number of processors", meaning: "scenes rendered at a time" },
    Variable {
        name: "CONFINEMENT",
        default: "best-effort",
        meaning: "off, best-effort or require: what happens when a part of the confinement of children is missing, which `chalkreel doctor` names",
    },
    Variable {
        name: "MANIM_SOURCE",
        default: "confined",
        meaning: "confined, allow or deny: whether Manim programs in documents are run; confined needs a kernel that can keep them off the network",
    },
    Variable {
        name: "MANIM_TEX",
        default: "native",
        meaning: "native or latex: what sets the formulas of Manim programs; latex needs `latex` and `dvisvgm` under /usr/bin",
    },
    Variable {
        name: "MANIM_MAX_FILM",
        default: "1800",
        meaning: "seconds of film that one scene class of a Manim program may make",
    },
    Variable {
        name: "CHALKREEL_LOG",
        default: "info in log.jsonl and under Lambda, error on the command line",
        meaning: "what is logged: off, error, warn, info, debug or trace, also as target=level, with commas between",
    },
    Variable { name: "TMPDIR", default: "/tmp", meaning: "where scratch folders are made" },
];

/// Whether Manim programs in documents may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManimSource {
    /// Only where the kernel can keep them off the network, whatever CONFINEMENT says.
    Confined,
    /// Yes, confined like other children.
    Allow,
    /// No.
    Deny,
}

/// What sets the formulas of Manim programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ManimTex {
    /// The typesetter of the stage.
    Native,
    /// The TeX that is installed.
    Latex,
}

/// The settings of this process.
#[derive(Debug, Clone)]
pub struct Config {
    /// Longest length of a job.
    pub job_timeout: Duration,
    /// Longest rendering of one scene.
    pub manim_timeout: Duration,
    /// Longest life of any child process.
    pub subprocess_timeout: Duration,
    /// Longest call of a voice.
    pub voice_timeout: Duration,
    /// The settings of the voices.
    pub voices: VoiceConfig,
    /// The settings of the language model that writes lessons.
    pub write: WriteConfig,
    /// The settings of the interfaces.
    pub interfaces: InterfaceConfig,
    /// Films that `chalkreel serve` makes at a time, at least 1.
    pub jobs: usize,
    /// Longest time without a new frame.
    pub stall_timeout: Duration,
    /// Longest time without a heartbeat.
    pub lease_timeout: Duration,
    /// `LAYERS_DIR`, when set.
    pub layers_dir: Option<PathBuf>,
    /// Bucket for films, status and cache.
    pub bucket: Option<String>,
    /// Prefix of the planners that a job may name; none when it may name none.
    pub planners: Option<String>,
    /// ARN of the state machine that takes films which are too long for one invocation.
    pub state_machine: Option<String>,
    /// Where Step Functions is; none means AWS's own.
    pub states_url: Option<String>,
    /// URL of an S3 server that is not AWS's.
    pub s3_endpoint: Option<String>,
    /// Region and static credentials for that server, as the AWS SDK's variables give them.
    pub region: Option<String>,
    /// Access key and secret, when both are set.
    pub credentials: Option<(String, String)>,
    /// Folder of the embedded store.
    pub store_dir: PathBuf,
    /// Scenes rendered at a time, at least 1.
    pub parallel: usize,
    /// How children are confined.
    pub confinement: Mode,
    /// Whether Manim programs in documents may run.
    pub manim_source: ManimSource,
    /// What sets the formulas of Manim programs.
    pub manim_tex: ManimTex,
    /// Longest film of one scene class of a Manim program.
    pub manim_max_film: Duration,
    /// Filter directives for the log, when set.
    pub log: Option<String>,
    /// Where scratch folders are made.
    pub temp_dir: PathBuf,
    /// Whether this process runs under the Lambda runtime.
    pub under_lambda: bool,
    /// The function's name, as Lambda says it.
    pub function_name: Option<String>,
    /// The function's memory in megabytes, as Lambda says it.
    pub function_memory: Option<u32>,
    /// A message for each name in the environment that looks like a misspelt setting.
    pub unknown: Vec<String>,
}

/// Invalid settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`] with one sentence for each setting at fault.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(&std::env::vars_os().collect())
    }

    /// Reads settings from environment variables, which may be any bytes.
    ///
    /// # Errors
    /// As [`Config::from_lookup`]; a setting that is not UTF-8 is at fault too: taken as not set, it would mean its default.
    pub fn from_variables(variables: &HashMap<OsString, OsString>) -> Result<Self, ConfigError> {
        // What is read is known only by reading it: those settings too that are none of ours alone, such as AWS_REGION.
        let broken = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            let value = variables.get(OsStr::new(name))?;
            match value.to_str() {
                Some(text) => Some(text.to_owned()),
                // Every process has it, whether or not it is used here.
                None if name == "PATH" => Some(value.to_string_lossy().into_owned()),
                None => {
                    broken.borrow_mut().insert(name.to_owned());
                    None
                }
            }
        };
        let read = Self::from_lookup(lookup);
        // Other libraries read some of them on their own.
        for Variable { name, .. } in VARIABLES {
            lookup(name);
        }
        let broken: Vec<String> =
            broken.into_inner().into_iter().map(|name| format!("{name} is not UTF-8 text; set it again")).collect();
        match read {
            Ok(config) if broken.is_empty() => {
                Ok(Self { unknown: names::unknown(variables.keys().filter_map(|name| name.to_str())), ..config })
            }
            Ok(_) => Err(ConfigError(broken)),
            Err(ConfigError(faults)) => Err(ConfigError([broken, faults].concat())),
        }
    }

    /// Reads settings through `lookup`; an empty value counts as not set.
    ///
    /// # Errors
    /// [`ConfigError`] with one sentence for each setting at fault.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut faults = Vec::new();
        let mut seconds = |name: &str, default: f64| {
            let given = get(name).map_or(Ok(default), |text| text.trim().parse::<f64>());
            match given {
                // A day is longer than any job that makes sense, and keeps sums far from overflow.
                Ok(value) if value > 0.0 && value <= 86_400.0 => Duration::from_secs_f64(value),
                _ => {
                    faults.push(format!("{name} must be a number of seconds above 0 and at most 86400"));
                    Duration::from_secs_f64(default)
                }
            }
        };
        let job_timeout = seconds("JOB_TIMEOUT", 1200.0);
        let manim_timeout = seconds("MANIM_TIMEOUT", 900.0);
        let manim_max_film = seconds("MANIM_MAX_FILM", 1800.0);
        let subprocess_timeout = seconds("SUBPROCESS_TIMEOUT", 1800.0);
        let voice_timeout = seconds("VOICE_TIMEOUT", 15.0);
        let stall_timeout = seconds("STALL_TIMEOUT", 60.0);
        let lease_timeout = seconds("LEASE_TIMEOUT", 30.0);
        let write_timeout = seconds("WRITE_TIMEOUT", 600.0);
        if subprocess_timeout <= manim_timeout {
            faults.push(format!(
                "SUBPROCESS_TIMEOUT ({} s) must exceed MANIM_TIMEOUT ({} s)",
                subprocess_timeout.as_secs_f64(),
                manim_timeout.as_secs_f64()
            ));
        }
        let voices = VoiceConfig::from_lookup(&get, &mut faults);
        let write = WriteConfig::from_lookup(&get, write_timeout, &mut faults);
        let interfaces = InterfaceConfig::from_lookup(&get, &mut faults);
        let jobs = match get("CHALKREEL_JOBS").map(|text| text.trim().parse::<usize>()) {
            None => 1,
            Some(Ok(value)) if (1..=16).contains(&value) => value,
            Some(_) => {
                faults.push("CHALKREEL_JOBS must be a whole number from 1 to 16".to_owned());
                1
            }
        };
        let confinement = match get("CONFINEMENT").as_deref() {
            None | Some("best-effort") => Mode::BestEffort,
            Some("off") => Mode::Off,
            Some("require") => Mode::Require,
            Some(other) => {
                faults.push(format!("CONFINEMENT is `{other}`; it must be off, best-effort or require"));
                Mode::BestEffort
            }
        };
        let manim_source = match get("MANIM_SOURCE").as_deref() {
            None | Some("confined") => ManimSource::Confined,
            Some("allow") => ManimSource::Allow,
            Some("deny") => ManimSource::Deny,
            Some(other) => {
                faults.push(format!("MANIM_SOURCE is `{other}`; it must be confined, allow or deny"));
                ManimSource::Deny
            }
        };
        let manim_tex = match get("MANIM_TEX").as_deref() {
            None | Some("native") => ManimTex::Native,
            Some("latex") => ManimTex::Latex,
            Some(other) => {
                faults.push(format!("MANIM_TEX is `{other}`; it must be native or latex"));
                ManimTex::Native
            }
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let parallel = match get("CHALKREEL_PARALLEL").map(|text| text.trim().parse::<usize>()) {
            None => processors,
            Some(Ok(value)) if (1..=64).contains(&value) => value,
            Some(_) => {
                faults.push("CHALKREEL_PARALLEL must be a whole number from 1 to 64".to_owned());
                processors
            }
        };
        faults.extend(get("CHALKREEL_LOG").and_then(|directives| log::fault(&directives)));
        let mut url = |name: &str| {
            let url = get(name).map(|url| url.trim().to_owned());
            faults.extend(url.as_ref().and_then(|url| url_fault(name, url)));
            url
        };
        let (s3_endpoint, states_url) = (url("CHALKREEL_S3_ENDPOINT"), url("CHALKREEL_STATES_ENDPOINT"));
        let bucket = get("CHALKREEL_BUCKET").map(|name| name.trim().to_owned());
        if let Some(name) = bucket.as_ref().filter(|name| !is_bucket(name)) {
            faults.push(format!(
                "CHALKREEL_BUCKET is `{name}`; a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens"
            ));
        }
        let temp_dir = get("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        let cache_home = get("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| get("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .unwrap_or_else(|| temp_dir.clone());
        let config = Self {
            job_timeout,
            manim_timeout,
            subprocess_timeout,
            voice_timeout,
            voices,
            write,
            interfaces,
            jobs,
            stall_timeout,
            lease_timeout,
            layers_dir: get("LAYERS_DIR").map(PathBuf::from),
            bucket,
            planners: get("CHALKREEL_PLANNERS").map(|prefix| format!("{}/", prefix.trim().trim_end_matches('/'))),
            state_machine: get("CHALKREEL_STATE_MACHINE"),
            states_url,
            s3_endpoint,
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            credentials: get("AWS_ACCESS_KEY_ID").zip(get("AWS_SECRET_ACCESS_KEY")),
            store_dir: get("CHALKREEL_STORE_DIR").map_or_else(|| cache_home.join("chalkreel/store"), PathBuf::from),
            parallel,
            confinement,
            manim_source,
            manim_tex,
            manim_max_film,
            log: get("CHALKREEL_LOG"),
            temp_dir,
            under_lambda: get("AWS_LAMBDA_RUNTIME_API").is_some(),
            function_name: get("AWS_LAMBDA_FUNCTION_NAME"),
            function_memory: get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.trim().parse().ok()),
            unknown: Vec::new(),
        };
        if faults.is_empty() { Ok(config) } else { Err(ConfigError(faults)) }
    }
}

/// What is wrong with the address of a server; none when it names one.
fn url_fault(name: &str, url: &str) -> Option<String> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Some(format!("{name} is `{}`; it must begin with http:// or https://", shortened(url)));
    }
    let named = url.parse::<reqwest::Url>().is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    (!named).then(|| format!("{name} is `{}`, which is no address of a server", shortened(url)))
}

/// As much of a value as fits into a message, on one line.
fn shortened(value: &str) -> String {
    /// Characters.
    const LONGEST: usize = 100;
    let end = if value.chars().count() > LONGEST { "…" } else { "" };
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    value.chars().take(LONGEST).map(plain).collect::<String>() + end
}

/// Whether S3 can have a bucket of that name; access points are named by their ARN.
fn is_bucket(name: &str) -> bool {
    let letters = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-');
    name.starts_with("arn:") || ((3..=63).contains(&name.len()) && name.chars().all(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = read(&[]).unwrap();
        for (name, value) in [
            ("JOB_TIMEOUT", config.job_timeout),
            ("MANIM_TIMEOUT", config.manim_timeout),
            ("SUBPROCESS_TIMEOUT", config.subprocess_timeout),
            ("VOICE_TIMEOUT", config.voice_timeout),
            ("STALL_TIMEOUT", config.stall_timeout),
            ("LEASE_TIMEOUT", config.lease_timeout),
            ("WRITE_TIMEOUT", config.write.timeout),
        ] {
            let documented = VARIABLES.iter().find(|variable| variable.name == name).unwrap().default;
            assert_eq!(documented, value.as_secs().to_string(), "{name}");
        }
    }

    #[test]
    fn a_contradiction_names_both_settings() {
        let fault = read(&[("MANIM_TIMEOUT", "900"), ("SUBPROCESS_TIMEOUT", "900")]).unwrap_err().to_string();
        assert!(fault.contains("SUBPROCESS_TIMEOUT") && fault.contains("MANIM_TIMEOUT"), "{fault}");
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let faults = read(&[("JOB_TIMEOUT", "soon"), ("VOICE_TIMEOUT", "-1"), ("CONFINEMENT", "maybe")]).unwrap_err().0;
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(read(&[("JOB_TIMEOUT", "NaN")]).is_err());
    }

    #[test]
    fn a_setting_that_is_not_utf_8_is_a_fault_and_not_its_default() {
        use std::os::unix::ffi::OsStringExt as _;
        let text = |text: &str| OsString::from(text);
        for Variable { name, .. } in VARIABLES {
            let variables = HashMap::from([(text(name), OsString::from_vec(b"deny\xff".to_vec()))]);
            let fault = Config::from_variables(&variables).expect_err(name).to_string();
            assert!(fault.contains(name) && fault.contains("UTF-8"), "{fault}");
        }
        let others = HashMap::from([
            (text("PATH"), OsString::from_vec(b"/bin:/\xff".to_vec())),
            (text("LS_COLORS"), OsString::from_vec(b"\xff".to_vec())),
            (text("MANIM_SOURCE"), text("deny")),
        ]);
        assert_eq!(Config::from_variables(&others).unwrap().manim_source, ManimSource::Deny);
    }

    #[test]
    fn a_secret_that_no_header_can_carry_is_a_fault_and_is_not_printed() {
        for name in ["ELEVENLABS_API_KEY", "OPENAI_API_KEY", "OPENAI_CHAT_API_KEY", "CHALKREEL_HTTP_TOKEN"] {
            for wrong in ["0123456789abcdef\n0123456789abcdef", "0123456789abcdef0123456789abcd\u{e9}f"] {
                let fault = read(&[(name, wrong)]).expect_err(name).to_string();
                assert!(fault.contains(name) && !fault.contains("0123"), "{fault}");
            }
            assert!(read(&[(name, "0123456789abcdef0123456789abcdef\n")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_long_value_is_cut_and_stays_on_its_line() {
        let fault = read(&[("CHALKREEL_S3_ENDPOINT", &format!("x\n{}", "y".repeat(70_000)))]).unwrap_err().to_string();
        assert!(fault.len() < 400 && fault.lines().count() == 1, "{fault}");
    }

    #[test]
    fn addresses_buckets_and_levels_are_checked() {
        for (name, value) in [
            ("CHALKREEL_LOG", "inof"),
            ("CHALKREEL_S3_ENDPOINT", "localhost:9000"),
            ("CHALKREEL_STATES_ENDPOINT", "ftp://example.org"),
            ("CHALKREEL_EVENTS_ENDPOINT", "example.org"),
            ("OTEL_SDK_DISABLED", "maybe"),
            ("CHALKREEL_BUCKET", "My Films"),
            ("CHALKREEL_S3_ENDPOINT", "http://"),
            ("CHALKREEL_STATES_ENDPOINT", "http://user:pass@"),
            ("ELEVENLABS_BASE_URL", "https://:443"),
            ("OPENAI_CHAT_BASE_URL", "localhost:8080/v1"),
            ("OPENAI_CHAT_PICTURES", "yes"),
            ("WRITE_MAX_TOKENS", "0"),
            ("WRITE_MAX_REQUESTS", "many"),
            ("GOOGLE_TTS_TLD", "com/../x"),
            ("GOOGLE_TTS_LANGUAGE", "de\u{fc}"),
        ] {
            let fault = read(&[(name, value)]).expect_err(name).to_string();
            assert!(fault.contains(name) && fault.contains(value), "{fault}");
        }
    }
}
