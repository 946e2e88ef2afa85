//! The program: under Lambda it serves invocations, otherwise it is a command line.

use std::process::ExitCode;
use std::time::Duration;

use handler::cli::output::note;
use handler::{child, cli, config::Config, deadline::Deadline, entry::lambda, job::log, telemetry};

/// Time for exporting the last spans.
const SPANS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => {
            note(format_args!("chalkreel: invalid settings: {error}"));
            return ExitCode::from(2);
        }
    };
    child::prepare_process();
    if let Some(megabytes) = config.function_memory {
        child::limit_memory(u64::from(megabytes) << 20);
    }
    let command = match (!config.under_lambda).then(cli::parse).transpose() {
        Ok(command) => command,
        Err(code) => return code,
    };
    for unknown in &config.unknown {
        note(format_args!("chalkreel: {unknown}"));
    }
    let (level, json) = command.as_ref().map_or(("info", true), |command| (command.default_log(), false));
    // Two threads: the work is done by children; what is left here is waiting, hashing and copying.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            note(format_args!("chalkreel: can't start the async runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let spans = telemetry::layer(&config, runtime.handle());
    let (logs, _flush) = log::start(config.log.as_deref().unwrap_or(level), json, spans);
    let code = match command {
        Some(command) => runtime.block_on(cli::run(command, config, logs)),
        None => match runtime.block_on(lambda::serve(config, logs)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(%error, "serving the Lambda runtime failed");
                ExitCode::FAILURE
            }
        },
    };
    runtime.block_on(telemetry::flush(Deadline::after(SPANS)));
    // A blocking task that hangs on a disk must not keep the process from leaving.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}
