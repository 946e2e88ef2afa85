//! `chalkreel doctor`: what is there and what is missing, on this machine or, with `--aws`, in a stack ([`aws`]).

pub mod aws;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::output::{Text, line};
use crate::child;
use crate::config::{Config, VARIABLES};
use crate::layers::Layers;
use crate::narrate::NeuralVoices;
use crate::plan::Sandbox;
use crate::scratch::Scratch;

pub(super) fn run(as_json: bool, config: &Config) -> ExitCode {
    let layers = Layers::find(config.layers_dir.as_deref());
    let sandbox = Sandbox::new();
    let scratch = Scratch::under(&config.temp_dir);
    let store = std::fs::create_dir_all(&config.store_dir);
    let checks = [
        ("layers", layers.as_ref().map_err(ToString::to_string).and_then(whole)),
        ("planner", sandbox.as_ref().map(|sandbox| sandbox.sha256().to_owned()).map_err(ToString::to_string)),
        ("scratch", scratch.as_ref().map(|_| config.temp_dir.display().to_string()).map_err(ToString::to_string)),
        ("store", store.as_ref().map(|()| config.store_dir.display().to_string()).map_err(ToString::to_string)),
    ];
    let well = checks.iter().all(|(_, check)| check.is_ok());
    let voices = layers.as_ref().map_or_else(
        |_| Vec::new(),
        |layers| {
            let neural = NeuralVoices::new(layers, config, &config.temp_dir);
            neural.names().into_iter().map(str::to_owned).collect::<Vec<_>>()
        },
    );
    let versions = layers.as_ref().map_or(Value::Null, |found| found.versions().clone());
    // The result of a child's self-test, not what was requested.
    let granted = child::probe();
    let missing = granted.missing();
    let confinement = serde_json::to_value(granted).unwrap_or_default();
    let mut text = Text::default();
    if as_json {
        let checks: serde_json::Map<String, Value> = checks
            .iter()
            .map(|(name, check)| match check {
                Ok(found) => ((*name).to_owned(), json!({"ok": true, "found": found})),
                Err(missing) => ((*name).to_owned(), json!({"ok": false, "missing": missing})),
            })
            .collect();
        line!(
            text,
            "{:#}",
            json!({"checks": checks, "neural_voices": voices, "versions": versions, "confinement": confinement, "confinement_missing": missing})
        );
    } else {
        for (name, check) in &checks {
            match check {
                Ok(found) => line!(text, "ok       {name:<9} {found}"),
                Err(missing) => line!(text, "MISSING  {name:<9} {missing}"),
            }
        }
        let named = if voices.is_empty() {
            "none; espeak-ng speaks where no service does".to_owned()
        } else {
            voices.join(", ")
        };
        line!(text, "neural voices: {named}");
        line!(text, "confinement of child processes: {confinement}");
        if !granted.capabilities_dropped && missing.is_empty() {
            line!(
                text,
                "  children keep a capability, since TMPDIR or the layers are in a folder that only root may enter: open it with chmod o+x"
            );
        }
        for part in missing {
            line!(text, "  missing: {part}");
        }
        line!(text, "versions: {versions}");
        line!(text, "settings:");
        for variable in VARIABLES {
            line!(text, "  {:<22} {} (default: {})", variable.name, variable.meaning, variable.default);
        }
    }
    text.print(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The layers' folder, when every program is in it.
fn whole(layers: &Layers) -> Result<String, String> {
    let missing: Vec<String> = layers.missing().iter().map(|program| program.display().to_string()).collect();
    if missing.is_empty() {
        return Ok(layers.root().display().to_string());
    }
    Err(format!("{}; `make tools` builds the layers", missing.join(", ")))
}
