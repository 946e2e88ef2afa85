//! The pictures that stand for the film and for its scenes: the poster, and a small one of each scene for the page.
//!
//! Each is the fullest picture of its scene in which nothing moves, as the scene's clip was reported. Calls of ffmpeg make some small
//! ones each: it seeks to each of them, and decodes two seconds of its clip at the most. Four took 0.15 s of a processor at 480 lines.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Ledger;
use super::ledger::SceneEntry;
use crate::deadline::Deadline;
use crate::media::Ffmpeg;
use crate::untrusted_file::UntrustedFile;

/// Widths of the small pictures: of a few scenes, for screens with two pixels to a dot, and of many.
const WIDTHS: (u32, u32) = (320, 160);
/// Scenes that count as few.
const FEW: usize = 48;
/// Bytes of one small picture, and of all of them together: they are part of the page.
const LARGEST: u64 = 64 << 10;
const LARGEST_OF_ALL: usize = 2 << 20;
/// Clips that one call of ffmpeg has open: at 4k each takes some 100 MB.
const AT_ONCE: usize = 8;
/// The share of the remaining time that the small pictures may take.
const SHARE: u32 = 4;

/// The frame of a scene's clip that stands for it: without a report, the middle of its last beat, before anything fades.
fn frame(scene: &SceneEntry) -> u64 {
    let middle = || scene.beats.last().map_or(0, |beat| beat.first_frame - scene.first_frame + beat.frames / 2);
    scene.still.map_or_else(middle, |still| still.frame)
}

/// The moment at which a frame is surely the next one to be shown, in seconds: half a frame before it.
fn moment(frame: u64, fps: u32) -> f64 {
    ((frame as f64 - 0.5) / f64::from(fps)).max(0.0)
}

/// The scene with the fullest picture; where nobody reported any, the longest one.
pub(super) fn fullest(ledger: &Ledger) -> Option<usize> {
    let scenes = || ledger.scenes.iter().enumerate();
    let share = |scene: &SceneEntry| scene.still.map(|still| still.share);
    // Of equals, the first.
    let full =
        scenes().filter_map(|(index, scene)| Some((index, share(scene)?))).rev().max_by(|a, b| a.1.total_cmp(&b.1));
    full.map(|(index, _)| index).or_else(|| scenes().max_by_key(|(_, scene)| scene.frames).map(|(index, _)| index))
}

/// For ffmpeg: the fullest picture of the film, as `poster.jpg`.
pub(super) fn poster_arguments(ledger: &Ledger, clips: &[PathBuf]) -> Vec<OsString> {
    let chosen = fullest(ledger).and_then(|index| Some((ledger.scenes.get(index)?, clips.get(index)?)));
    let Some((scene, clip)) = chosen else { return Vec::new() };
    let mut arguments: Vec<OsString> = vec!["-ss".into(), format!("{:.6}", moment(frame(scene), ledger.fps)).into()];
    arguments.extend(["-f", "mp4", "-protocol_whitelist", "file", "-i"].map(Into::into));
    arguments.push(clip.clone().into_os_string());
    arguments.extend(["-frames:v", "1", "-q:v", "3", "poster.jpg"].map(Into::into));
    arguments
}

/// A small picture of each scene, as JPEG, in film order; none of those that would make the page too large, and none at all when ffmpeg fails
/// or has no time: a page without them is as good as one with some in the wrong place.
pub(super) async fn of_scenes(
    ledger: &Ledger,
    clips: &[PathBuf],
    ffmpeg: &Ffmpeg,
    folder: &Path,
    deadline: Deadline,
) -> Vec<Option<Vec<u8>>> {
    let made = deadline.slice(deadline.left() / SHARE).run(make(ledger, clips, ffmpeg, folder, deadline)).await;
    made.map_err(|_| "there was no time left".to_owned()).flatten().unwrap_or_else(|why| {
        tracing::warn!(why, "the page has no pictures of the scenes");
        Vec::new()
    })
}

async fn make(
    ledger: &Ledger,
    clips: &[PathBuf],
    ffmpeg: &Ffmpeg,
    folder: &Path,
    deadline: Deadline,
) -> Result<Vec<Option<Vec<u8>>>, String> {
    let deadline = deadline.slice(deadline.left() / SHARE);
    let width = if ledger.scenes.len() > FEW { WIDTHS.1 } else { WIDTHS.0 };
    let filter = format!("scale={width}:-2:flags=area");
    let scenes: Vec<_> = ledger.scenes.iter().zip(clips).zip(1..).collect();
    for batch in scenes.chunks(AT_ONCE) {
        let (mut arguments, mut outputs) = (Vec::<OsString>::new(), Vec::<OsString>::new());
        for (input, ((scene, clip), number)) in batch.iter().enumerate() {
            let seek = format!("{:.6}", moment(frame(scene), ledger.fps));
            arguments.extend(
                ["-threads", "1", "-ss", &seek, "-f", "mp4", "-protocol_whitelist", "file", "-i"].map(Into::into),
            );
            arguments.push(clip.as_os_str().to_owned());
            let (map, file) = (format!("{input}:v"), format!("scene-{number}.jpg"));
            outputs.extend(["-map", &map, "-frames:v", "1", "-vf", &filter, "-q:v", "5", &file].map(Into::into));
        }
        arguments.extend(outputs);
        ffmpeg.once(&arguments, folder, deadline).await.map_err(|error| error.message)?;
    }
    let (folder, scenes) = (folder.to_owned(), ledger.scenes.len());
    let read = deadline.work(move |cutoff| {
        let mut pictures = Vec::new();
        let mut bytes = 0;
        for number in 1..=scenes {
            cutoff.check().map_err(|passed| passed.to_string())?;
            let file = UntrustedFile::open(&folder.join(format!("scene-{number}.jpg")), LARGEST);
            let picture = file.and_then(|file| file.read()).map_err(|unfit| format!("picture {number}: {unfit}"))?;
            bytes += picture.len();
            pictures.push((bytes <= LARGEST_OF_ALL).then_some(picture));
        }
        Ok(pictures)
    });
    read.await.map_err(|stopped| stopped.to_string())?
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::scene;
    use super::*;
    use crate::media::Still;

    fn ledger(stills: &[Option<(u64, f64)>]) -> Ledger {
        let scenes: Vec<_> = (0..stills.len()).map(|n| scene(&format!("s{n}"), &["a", "b"])).collect();
        let laid = scenes.iter().zip(1_u64..).map(|(scene, n)| (scene, [30, 30 * n]));
        let laid: Vec<_> = laid.collect();
        let mut ledger = Ledger::of(30, laid.iter().map(|(scene, frames)| (*scene, &frames[..], vec![0, 0])));
        for (scene, still) in ledger.scenes.iter_mut().zip(stills) {
            scene.still = still.map(|(frame, share)| Still { frame, share });
        }
        ledger
    }

    #[test]
    fn the_poster_is_the_fullest_picture_and_not_the_longest_scenes() {
        let of = |stills: &[Option<(u64, f64)>]| {
            let ledger = ledger(stills);
            let clips: Vec<PathBuf> = (0..stills.len()).map(|n| format!("{n}.mp4").into()).collect();
            let arguments = poster_arguments(&ledger, &clips);
            let text = |index: usize| arguments[index].to_string_lossy().into_owned();
            (text(7), text(1))
        };
        assert_eq!(of(&[Some((20, 0.3)), Some((50, 0.6)), Some((80, 0.2))]), ("1.mp4".into(), "1.650000".into()));
        // Of equals the first; a scene that nobody reported on only when there is no other.
        assert_eq!(of(&[None, Some((40, 0.5)), Some((80, 0.5)), None]), ("1.mp4".into(), "1.316667".into()));
        // The longest, in the middle of its last beat.
        assert_eq!(of(&[None, None, None]), ("2.mp4".into(), "2.483333".into()));
    }

    #[test]
    fn a_moment_lies_before_its_frame_and_after_the_one_before() {
        for fps in [15, 30, 60] {
            for frame in 0..1000 {
                let written: f64 = format!("{:.6}", moment(frame, fps)).parse().unwrap();
                let place = written * f64::from(fps);
                assert!(place <= frame as f64 && (frame == 0 || place > frame as f64 - 1.0), "{fps} {frame} {place}");
            }
        }
    }
}
