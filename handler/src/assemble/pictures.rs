//! The pictures that stand for the film and for its scenes: the poster, and a small one of each scene for the page.
//!
//! Each is the fullest picture of its scene in which nothing moves, as the scene's clip was reported. One call of ffmpeg makes all small ones:
//! it seeks to each of them, and decodes two seconds of a clip at the most.

use std::ffi::OsString;
use std::fmt::Write as _;
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
    let mut list = String::from("ffconcat version 1.0\n");
    for (scene, clip) in ledger.scenes.iter().zip(clips) {
        let (from, to) = (moment(frame(scene), ledger.fps), moment(frame(scene) + 1, ledger.fps));
        // Writing to a string can't fail.
        let _ = writeln!(list, "file '{}'\ninpoint {from:.6}\noutpoint {to:.6}", clip.display());
    }
    tokio::fs::write(folder.join("pictures.ffconcat"), list).await.map_err(|error| error.to_string())?;
    let width = if ledger.scenes.len() > FEW { WIDTHS.1 } else { WIDTHS.0 };
    // What ffmpeg decodes on its way from the keyframe before is left out by `concatdec_select`.
    let filter = format!("select=concatdec_select,scale={width}:-2:flags=area");
    let arguments = [
        ["-f", "concat", "-safe", "0", "-segment_time_metadata", "1", "-i", "pictures.ffconcat"].as_slice(),
        &["-vf", &filter, "-fps_mode", "passthrough", "-q:v", "5", "-f", "image2", "scene-%d.jpg"],
    ];
    let arguments: Vec<OsString> = arguments.concat().into_iter().map(Into::into).collect();
    ffmpeg.once(&arguments, folder, deadline).await.map_err(|error| error.message)?;
    let (folder, scenes) = (folder.to_owned(), ledger.scenes.len());
    let read = deadline.work(move |cutoff| {
        // One picture more or less, and all others would stand at the wrong scene.
        if folder.join(format!("scene-{}.jpg", scenes + 1)).exists() {
            return Err(format!("ffmpeg made more than {scenes} pictures of {scenes} scenes"));
        }
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
