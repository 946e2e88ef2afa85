//! Verifies clips. A clip is moved to where its child can't write, and its bytes are checked; a clip of a program is decoded too.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SceneOrder, StageError};
use crate::child::{self, Confinement, Ending, Limits, Mode, Spec};
use crate::config::Config;
use crate::deadline::{Cutoff, Deadline, Stopped};
use crate::layers::Layers;
use crate::media::mp4::{self, Bytes, Promise, WrongClip, promise};
use crate::untrusted_file::{Unfit, UntrustedFolder};

/// What x264 makes of white noise at our settings is half a byte a pixel, measured; with noise in the colours too, less than one.
const BYTES_PER_PIXEL: u64 = 1;
/// The tables of a clip, and its head.
const TABLES: u64 = 1 << 20;
/// What a decoder may take at least: a start on a machine under load, and for each second so many pixels. It decodes 800 million a
/// second on two quiet processors.
const DECODER_START: Duration = Duration::from_secs(20);
const DECODER_PACE: u64 = 50_000_000;

impl SceneOrder<'_> {
    fn promise(&self) -> Promise {
        promise(self.quality, self.film.frame_shape, self.beats.iter().sum())
    }

    /// Pixels of all its frames.
    fn pixels(&self) -> u64 {
        let (width, height) = self.size();
        u64::from(width) * u64::from(height) * self.beats.iter().sum::<u64>()
    }

    /// Bytes that a clip of it may have.
    pub(super) fn most_bytes(&self) -> u64 {
        TABLES + self.pixels() * BYTES_PER_PIXEL
    }
}

/// A clip's mode: ffmpeg, which joins clips, may run as another user.
fn readable() -> Permissions {
    Permissions::from_mode(0o644)
}

/// Moves the clip that a child wrote as `name` in its folder to `path`, and checks all of it there: gigabytes take seconds. A clip that
/// fails the check is removed. `allowed` is how many seconds the scene had until `deadline`.
pub(super) async fn take(
    folder: UntrustedFolder,
    name: String,
    order: SceneOrder<'_>,
    path: &Path,
    (deadline, allowed): (Deadline, f64),
) -> Result<(), StageError> {
    let (path, promise, most) = (path.to_owned(), order.promise(), order.most_bytes());
    let taken = deadline.work(move |cutoff| {
        // It has another name until it is checked: when that comes too late, there is a card at its place.
        let unchecked = path.with_extension("unchecked");
        let copied = copy(&folder, &name, most, &promise, &unchecked, cutoff).and_then(|()| {
            cutoff.check().map_err(|_| StageError::TimedOut(allowed))?;
            std::fs::rename(&unchecked, &path).map_err(Unfit::Io)?;
            Ok(())
        });
        copied.map_err(|error| {
            // What can't be removed goes with the job's folder.
            let _ = std::fs::remove_file(&unchecked);
            // What is read too late can't be read, and says nothing about the clip.
            if cutoff.check().is_err() { StageError::TimedOut(allowed) } else { error }
        })
    });
    match taken.await {
        Ok(taken) => taken,
        Err(Stopped::Passed(_)) => Err(StageError::TimedOut(allowed)),
        Err(Stopped::Panicked(panic)) => Err(StageError::Crashed(panic)),
    }
}

/// Copies a child's clip to `path`, and checks the copy.
fn copy(
    folder: &UntrustedFolder,
    name: &str,
    most: u64,
    promise: &Promise,
    path: &Path,
    cutoff: &Cutoff,
) -> Result<(), StageError> {
    let clip = folder.file(name, most)?.copy_to(path)?;
    let size = clip.metadata().map_err(Unfit::Io)?.len();
    clip.set_permissions(readable()).map_err(Unfit::Io)?;
    Ok(mp4::check(&Until { clip: &clip, cutoff }, size, promise)?)
}

/// A clip that is read until the cutoff: it may have millions of units, each of which is read by itself.
struct Until<'a> {
    clip: &'a File,
    cutoff: &'a Cutoff,
}

impl Bytes for Until<'_> {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.cutoff.check()?;
        self.clip.read_at(buffer, at)
    }
}

/// Checks a clip in a folder that no child can write.
pub(super) async fn check(path: &Path, order: SceneOrder<'_>) -> Result<(), WrongClip> {
    let (path, promise) = (path.to_owned(), order.promise());
    let looked = tokio::task::spawn_blocking(move || {
        let unread = |error: std::io::Error| WrongClip::Form(error.to_string());
        let clip = std::fs::File::open(path).map_err(unread)?;
        let size = clip.metadata().map_err(unread)?.len();
        clip.set_permissions(readable()).map_err(unread)?;
        mp4::check(&clip, size, &promise)
    });
    looked.await.unwrap_or_else(|panic| Err(WrongClip::Form(panic.to_string())))
}

/// The time for decoding so many pixels. No clip of ours takes as long to decode as to draw and encode, however slow the machine is.
fn time_to_decode(pixels: u64, drawn: Duration) -> Duration {
    DECODER_START.max(drawn) + Duration::from_secs(pixels / DECODER_PACE)
}

/// Decodes clips of programs: their boxes may be valid and their pictures corrupt.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    program: PathBuf,
    read: Vec<PathBuf>,
    confinement: Mode,
}

impl Decoder {
    /// The ffmpeg of these layers.
    pub(super) fn new(layers: &Layers, config: &Config) -> Self {
        let (program, read) = (layers.program("ffmpeg"), layers.read().to_vec());
        Self { program, read, confinement: config.confinement }
    }

    /// Decodes a clip whose bytes were checked, and which was `drawn` in that time.
    pub(super) async fn decode(
        &self,
        clip: &Path,
        order: SceneOrder<'_>,
        drawn: Duration,
        deadline: Deadline,
    ) -> Result<(), StageError> {
        let folder = clip.parent().unwrap_or(Path::new("/"));
        let mut spec = Spec::new(&self.program, folder);
        spec.args =
            ["-hide_banner", "-nostdin", "-v", "error", "-xerror", "-err_detect", "explode"].map(Into::into).into();
        spec.args.extend(["-f", "mp4", "-protocol_whitelist", "file", "-i"].map(Into::into));
        spec.args.push(clip.into());
        spec.args.extend(
            ["-map", "0:v", "-fps_mode", "passthrough", "-progress", "pipe:1", "-f", "null", "-"].map(Into::into),
        );
        spec.env = vec![("PATH".into(), "/usr/bin:/bin".into()), ("LANG".into(), "C.UTF-8".into())];
        // At 4k it takes 0.5 GB.
        spec.limits = Limits::gibibytes(4, 1);
        let mut read = self.read.clone();
        read.push(folder.to_owned());
        spec.confinement = Confinement { read, write: Vec::new(), mode: self.confinement };
        let deadline = deadline.slice(time_to_decode(order.pixels(), drawn));
        let allowed = deadline.left().as_secs_f64();
        let outcome = child::run(spec, deadline).await;
        let wrong = |why: String| Err(StageError::Wrong(WrongClip::Form(why)));
        let words = outcome.stderr.text_lossy();
        match outcome.ending {
            Ending::Exited(0) if words.trim().is_empty() => {}
            Ending::CouldNotStart(error) => return Err(StageError::CouldNotStart(error.to_string())),
            // Whether it is the clip or the machine can't be told.
            Ending::TimedOut | Ending::Ended => return Err(StageError::SlowClip(allowed)),
            ending => {
                let first = words.lines().next().unwrap_or_default();
                return wrong(format!("it can't be decoded: {ending}: {}", crate::untrusted_text::plain(first, 200)));
            }
        }
        let said = outcome.stdout.text_lossy();
        let decoded: u64 =
            said.lines().rev().find_map(|line| line.strip_prefix("frame=")?.trim().parse().ok()).unwrap_or(0);
        let promised: u64 = order.beats.iter().sum();
        if decoded == promised {
            return Ok(());
        }
        Err(StageError::Wrong(WrongClip::Frames { counted: decoded, promised }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use storyboard::{Scene, SceneKind};

    use super::*;
    use crate::intake::assets::Assets;
    use crate::job::Quality;
    use crate::render::Film;

    const CLIP: &[u8] = include_bytes!("../../../tests/fixtures/clips/stage.mp4");

    /// What comes of a clip that is taken in so much time, and whether anything is left where it belongs.
    async fn taken(time: Duration) -> (Result<(), StageError>, bool) {
        let home = tempfile::tempdir().unwrap();
        let (child, clips) = (home.path().join("child"), home.path().join("clips"));
        for folder in [&child, &clips] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(child.join("clip.mp4"), CLIP).unwrap();
        let scene =
            Scene { heading: "One".into(), id: "one".into(), kind: SceneKind::Lesson, beats: vec![], place: None };
        let film = Film {
            title: "T".into(),
            theme: storyboard::Theme::Dark,
            colours: None,
            logo: None,
            language: "en".into(),
            frame_shape: None,
        };
        let (assets, beats) = (Assets::default(), [8]);
        let (scene, film, assets, quality) = (&scene, &film, &assets, Quality::Draft);
        let order = SceneOrder { scene, film, assets, quality, beats: &beats, tools: "", clips: &clips };
        let folder = UntrustedFolder::open(&child).unwrap();
        let to = clips.join("scene-one.mp4");
        let begun = Instant::now();
        let taken = take(folder, "clip.mp4".to_owned(), order, &to, (Deadline::after(time), 7.0)).await;
        assert!(begun.elapsed() < Duration::from_secs(20));
        (taken, to.exists())
    }

    #[tokio::test]
    async fn a_clip_that_is_checked_too_late_is_not_taken() {
        assert!(matches!(taken(Duration::from_secs(60)).await, (Ok(()), true)));
        assert!(matches!(taken(Duration::ZERO).await, (Err(StageError::TimedOut(_)), false)));
    }

    #[test]
    fn a_slow_machine_gets_as_long_for_decoding_as_it_took_to_draw() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert_eq!(time_to_decode(0, second), DECODER_START);
        assert_eq!(time_to_decode(0, minute), minute);
        // Ten minutes at 1080p60.
        let pixels = 1920 * 1080 * 60 * 600;
        assert_eq!(time_to_decode(pixels, second), DECODER_START + Duration::from_secs(1_492));
    }
}
