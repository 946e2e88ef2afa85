//! Estimates a film's length and the work of making it, before anything of it is made.

use std::time::Duration;

use serde::Serialize;
use storyboard::{ManimScene, Scene, SceneKind, Storyboard};

use crate::job::Quality;

/// Seconds of work for a second of film at standard quality on two processors, as measured on the showcase lesson (with
/// some room).
const WORK_PER_SECOND: f64 = 0.5;
/// The processors of that measurement.
const PROCESSORS: f64 = 2.0;
/// Seconds of one processor for one face of a surface in one frame, at any quality: Manim makes each of them anew (measured: 576 faces in 90
/// frames took 30 s, the same flat ones 0.2 s).
const FACE: f64 = 0.000_6;
/// Manim's surfaces, and the faces of each unless its `resolution` says otherwise.
const SURFACES: &[(&str, f64)] = &[
    ("Surface", 1024.0),
    ("ParametricSurface", 1024.0),
    ("plot_surface", 1024.0),
    ("Cone", 1024.0),
    ("Torus", 576.0),
    ("Cylinder", 576.0),
    ("Sphere", 288.0),
    ("Dot3D", 64.0),
    ("Line3D", 48.0),
    ("Arrow3D", 48.0),
];

/// The estimate of a film.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Scenes.
    pub scenes: usize,
    /// Seconds of film.
    pub seconds: f64,
    /// Frames of film.
    pub frames: f64,
    /// Characters to speak.
    pub characters: usize,
    /// Its quality.
    pub quality: Quality,
    /// Wall-clock seconds that one machine would need.
    pub work_seconds: f64,
    /// Manim programs that draw surfaces in space.
    pub in_space: usize,
    /// Seconds that these surfaces take of the work: a guess from the names in the program, which are not followed through loops.
    pub surface_seconds: f64,
}

impl Estimate {
    /// Of a film in that quality, made with so many scenes drawn at a time.
    pub fn of(storyboard: &Storyboard, quality: Quality, parallel: usize) -> Self {
        let beats = || storyboard.scenes.iter().flat_map(|scene| &scene.beats);
        let seconds = storyboard.scenes.iter().flat_map(Scene::planned_ms).sum::<u64>() as f64 / 1000.0;
        // Measured on six scenes of 26 s: 3.8, 7.1 and 22 s. A frame of 4k has four times the pixels.
        let weight = match quality {
            Quality::Draft => 0.55,
            Quality::Standard => 1.0,
            Quality::High => 3.1,
            Quality::Uhd => 12.0,
        };
        let surfaces: Vec<f64> = storyboard
            .scenes
            .iter()
            .filter_map(|scene| Some((scene, faces(scene)?)))
            .map(|(scene, faces)| {
                let ms: u32 = scene.beats.iter().map(|beat| beat.estimate_ms + beat.pause_ms).sum();
                f64::from(ms) / 1000.0 * f64::from(quality.fps()) * faces * FACE
            })
            .collect();
        let flat = seconds * WORK_PER_SECOND * weight * PROCESSORS / parallel.max(1) as f64;
        // One scene is drawn by one processor.
        let longest = surfaces.iter().copied().fold(0.0, f64::max);
        let surface_seconds = longest.max(surfaces.iter().sum::<f64>() / parallel.max(1) as f64);
        Self {
            in_space: surfaces.len(),
            surface_seconds,
            scenes: storyboard.scenes.len(),
            seconds,
            frames: (seconds * f64::from(quality.fps())).round(),
            characters: beats().map(|beat| beat.narration.chars().count()).sum(),
            quality,
            work_seconds: flat + surface_seconds,
        }
    }

    /// Whether the work fits into that time.
    pub fn fits(&self, time: Duration) -> bool {
        self.work_seconds < time.as_secs_f64()
    }
}

/// Faces of the surfaces that a scene's program names; none when it is not drawn in space.
fn faces(scene: &Scene) -> Option<f64> {
    let SceneKind::Manim(program) = &scene.kind else { return None };
    let body = body(program)?;
    let named = SURFACES.iter().flat_map(|(name, usual)| {
        body.match_indices(name).filter_map(move |(at, _)| {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let arguments = body[at + name.len()..].strip_prefix('(')?;
            (!body[..at].ends_with(is_name)).then(|| resolution(arguments).unwrap_or(*usual))
        })
    });
    let faces: f64 = named.sum();
    (faces > 0.0).then_some(faces)
}

/// The text of the program's class.
fn body(program: &ManimScene) -> Option<&str> {
    let head = format!("class {}(", program.class);
    let at = program.source.find(&head)? + head.len();
    let rest = &program.source[at..];
    let ends = rest.match_indices('\n').find(|(at, _)| {
        rest[at + 1..].starts_with(|c: char| !c.is_whitespace() && !matches!(c, ')' | '#' | ']' | '}'))
    });
    Some(&rest[..ends.map_or(rest.len(), |(at, _)| at)])
}

/// The faces that a surface's arguments name by numbers: `resolution=12`, `resolution=(12, 24)`.
fn resolution(arguments: &str) -> Option<f64> {
    let mut depth = 1_u32;
    let end = arguments.find(|c| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        };
        depth == 0
    });
    let said = arguments[..end.unwrap_or(arguments.len())].split_once("resolution=")?.1.trim_start();
    let number = |text: &str| -> Option<f64> { text.trim().parse().ok() };
    match said.strip_prefix(['(', '[']) {
        Some(pair) => {
            let (u, v) = pair.split_once([')', ']'])?.0.split_once(',')?;
            Some(number(u)? * number(v.trim_end().trim_end_matches(','))?)
        }
        None => number(said.split(|c: char| !c.is_ascii_digit()).next()?).map(|sides| sides * sides),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_are_found_in_their_class_with_their_resolution() {
        let source = "class Flat(Scene):\n    pass\n\nclass Space(ThreeDScene):\n    def construct(self):\n        \
            a = Sphere(radius=f(1), resolution=(10, 20))\n        b = axes.plot_surface(\n            f, resolution=8)\n\
            # Text.\n        c = MySurface(1), Torus(resolution=n), Surface\n\ndef other():\n    Sphere()\n";
        let of = |class: &str| {
            let program = ManimScene { class: class.into(), source: source.into() };
            let (id, heading, beats, place) = ("s".into(), String::new(), Vec::new(), None);
            faces(&Scene { id, heading, kind: SceneKind::Manim(program), beats, place })
        };
        assert_eq!(of("Space"), Some(200.0 + 64.0 + 576.0));
        assert_eq!((of("Flat"), of("Other")), (None, None));
    }
}
