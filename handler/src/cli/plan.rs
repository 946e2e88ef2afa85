//! `chalkreel plan`: scenes, length and cost of a film, without making it.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use storyboard::{Document, SceneKind, Storyboard};

use super::output::{Text, line};
use super::{explain, read, warn};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::job::Quality;
use crate::layers::Layers;
use crate::narrate::Quote;
use crate::plan::{Estimate, Limits, Sandbox};

/// The function's memory in megabytes, as `template.yaml` has it by default.
const FUNCTION_MEMORY: u32 = 3008;

/// US dollars that AWS Lambda asks for a gigabyte for a second on x86-64 in most regions, as of 2026.
const GIGABYTE_SECOND: f64 = 0.000_016_666_7;

/// What a film would cost.
struct Cost {
    /// None without the layers, which decide what voices are available.
    speech: Option<Quote>,
    /// US dollars for the work on AWS Lambda.
    compute: f64,
}

pub(super) async fn run(document: &Path, as_json: bool, config: &Config) -> ExitCode {
    match plan(document).await {
        Ok(storyboard) => say(&storyboard, as_json, config),
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn plan(document: &Path) -> Result<Storyboard, JobError> {
    let (name, bytes) = read(document)?;
    let limits = Limits::default();
    let planned = Sandbox::new()?.plan(Document { name, bytes }, &limits, Deadline::after(limits.wall_clock)).await?;
    Ok(planned.storyboard)
}

/// Of a film in the quality that it names.
fn estimate(storyboard: &Storyboard, config: &Config) -> Estimate {
    let quality = storyboard.quality.map_or(Quality::Standard, Quality::from);
    Estimate::of(storyboard, quality, config.parallel)
}

impl Cost {
    fn of(storyboard: &Storyboard, config: &Config) -> Self {
        let estimate = estimate(storyboard, config);
        let layers = Layers::find(config.layers_dir.as_deref()).ok();
        let quote = |layers: Layers| Quote::of(storyboard, estimate.characters as u64, &layers, config);
        let compute = estimate.work_seconds * f64::from(FUNCTION_MEMORY) / 1024.0 * GIGABYTE_SECOND;
        Self { speech: layers.and_then(quote), compute }
    }
}

fn say(storyboard: &Storyboard, as_json: bool, config: &Config) -> ExitCode {
    let mut text = Text::default();
    let (of, cost) = (estimate(storyboard, config), Cost::of(storyboard, config));
    let fits = of.fits(config.job_timeout);
    let programs = storyboard.scenes.iter().filter(|scene| matches!(scene.kind, SceneKind::Manim(_))).count();
    if as_json {
        let speech = cost.speech.as_ref().map(
            |quote| json!({"voice": quote.voice, "paid_characters": quote.paid_characters, "dollars": quote.dollars}),
        );
        let estimate = json!({"scenes": of.scenes, "programs": programs, "seconds": of.seconds, "frames": of.frames,
            "characters": of.characters, "quality": of.quality, "work_seconds": of.work_seconds, "fits_deadline": fits,
            "programs_in_space": of.in_space, "surface_seconds": of.surface_seconds,
            "cost": {"speech": speech, "compute_dollars": cost.compute}});
        line!(text, "{:#}", json!({"estimate": estimate, "storyboard": storyboard}));
        return text.print(ExitCode::SUCCESS);
    }
    line!(text, "{}", storyboard.title);
    for scene in &storyboard.scenes {
        let ms: u64 = scene.planned_ms().iter().sum();
        line!(text, "  {:>5.1} s  {:<24} {}", ms as f64 / 1000.0, scene.id, scene.heading);
    }
    if programs > 0 {
        line!(text, "{programs} of them Manim programs, whose length is a guess: it is known when they have run");
    }
    if of.in_space > 0 {
        let (programs, seconds) = (of.in_space, of.surface_seconds);
        line!(
            text,
            "{programs} of them {} surfaces in space, which take long: about {seconds:.0} s of the work; fewer faces (`resolution=`) take less",
            if programs == 1 { "draws" } else { "draw" }
        );
    }
    let (seconds, frames, quality) = (of.seconds, of.frames, of.quality);
    line!(text, "{} scenes, about {seconds:.0} s of film, {frames} frames at {quality}", of.scenes);
    line!(text, "{} characters to speak; {}", of.characters, spoken(cost.speech.as_ref()));
    let (verdict, deadline) = (if fits { "fits" } else { "does not fit" }, config.job_timeout.as_secs_f64());
    line!(
        text,
        "about {:.0} s of work, which {verdict} the deadline of {deadline:.0} s (JOB_TIMEOUT)",
        of.work_seconds
    );
    line!(text, "on AWS Lambda about ${:.4} for the work", cost.compute);
    warn(&storyboard.warnings);
    text.print(ExitCode::SUCCESS)
}

/// The cost of speech, as text.
fn spoken(quote: Option<&Quote>) -> String {
    match quote {
        None => "their cost is not known, since the layers that hold the voices are missing (`make tools` builds them)"
            .to_owned(),
        Some(Quote { voice, paid_characters: 0, .. }) => format!("{voice} costs nothing"),
        Some(Quote { voice, dollars: Some(dollars), .. }) => format!("{voice} costs about ${dollars:.2} at list price"),
        Some(Quote { voice, dollars: None, .. }) => format!("{voice} is a paid voice whose price is not known here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_memory_is_the_templates() {
        let template = include_str!("../../../template.yaml");
        assert!(template.contains(&format!("Memory:\n    Type: Number\n    Default: {FUNCTION_MEMORY}\n")));
    }
}
