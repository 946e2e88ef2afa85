//! `chalkreel plan`: what a film would be.

use std::path::Path;
use std::process::ExitCode;

use planner_wasm::storyboard::{Document, Storyboard};
use serde_json::json;

use super::{explain, read};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::JobError;
use crate::job::Quality;
use crate::plan::{Estimate, Limits, Sandbox};

pub(super) async fn run(document: &Path, as_json: bool, config: &Config) -> ExitCode {
    match plan(document).await {
        Ok(storyboard) => {
            say(&storyboard, as_json, config);
            ExitCode::SUCCESS
        }
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

fn say(storyboard: &Storyboard, as_json: bool, config: &Config) {
    let quality = storyboard.quality.as_deref().and_then(|text| text.parse().ok()).unwrap_or(Quality::Standard);
    let estimate = Estimate::of(storyboard, quality, config.parallel);
    let Estimate { scenes, seconds, frames, characters, work_seconds: work, .. } = estimate;
    let fits = estimate.fits(config.job_timeout);
    if as_json {
        let estimate = json!({"scenes": scenes, "seconds": seconds, "frames": frames,
            "characters": characters, "quality": quality, "work_seconds": work, "fits_deadline": fits});
        println!("{:#}", json!({"estimate": estimate, "storyboard": storyboard}));
        return;
    }
    println!("{}", storyboard.title);
    for scene in &storyboard.scenes {
        let ms: u32 = scene.beats.iter().map(|beat| beat.estimate_ms + beat.pause_ms).sum();
        println!("  {:>5.1} s  {:<24} {}", f64::from(ms) / 1000.0, scene.id, scene.heading);
    }
    println!("{scenes} scenes, about {seconds:.0} s of film, {frames} frames at {quality}");
    println!("{characters} characters to speak; the local voice costs nothing");
    let verdict = if fits { "fits" } else { "does not fit" };
    println!("about {work:.0} s of work, which {verdict} the deadline of {:.0} s", config.job_timeout.as_secs_f64());
    for warning in &storyboard.warnings {
        let place = warning.place.map(|place| format!("line {}: ", place.line)).unwrap_or_default();
        eprintln!("warning: {place}{}", warning.message);
    }
}
