//! Pictures by ffmpeg: out of clips, and into contact sheets.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::deadline::Deadline;
use crate::error::{Code, JobError};
use crate::media::Ffmpeg;
use crate::services::Services;
use crate::untrusted_file::{Unfit, UntrustedFolder};

/// Pictures in a row of a sheet, and their width in pixels.
const COLUMNS: usize = 4;
const WIDTH: u32 = 480;
/// The tallest picture beside those of other shapes: the width of two.
const TALLEST: u32 = 2 * WIDTH;
/// Most pictures of one sheet; more are left out. Its height is then that of the largest picture that browsers show.
pub const MOST: usize = 400;
/// The largest picture, in bytes: what 4k has when nothing of it can be compressed.
const LARGEST: u64 = 40 << 20;
/// The largest sheet.
const LARGEST_SHEET: u64 = 1 << 30;
/// The font of its numbers, in the layers.
const FONT: &str = "fonts/Inter-SemiBold.otf";

/// These frames of a clip as PNG. `numbers` are ascending; a frame that is named twice is given twice. Clips whose frames are taken at the
/// same time have names of their own.
pub(super) async fn of_clip(
    clip: &Path,
    numbers: &[u64],
    services: &Services,
    folder: &Path,
    deadline: Deadline,
) -> Result<Vec<Vec<u8>>, JobError> {
    let mut wanted = numbers.to_vec();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = String::from("select=");
    for (index, number) in wanted.iter().enumerate() {
        // Writing to a string can't fail.
        let _ = write!(select, "{}eq(n\\,{number})", if index == 0 { "" } else { "+" });
    }
    let stem = clip.file_stem().unwrap_or_default().to_string_lossy();
    let out = format!("{stem}-%d.png");
    let mut arguments = ["-f", "mp4", "-protocol_whitelist", "file", "-i"].map(OsString::from).to_vec();
    arguments.push(clip.as_os_str().to_owned());
    arguments.extend(["-vf", &select, "-fps_mode", "passthrough", "-c:v", "png", &out].map(OsString::from));
    ffmpeg(services).run(&arguments, folder, deadline).await?;
    let names = (1..=wanted.len()).map(|index| format!("{stem}-{index}.png")).collect();
    let pictures = read(folder, names, LARGEST).await?;
    let of = |number| wanted.iter().position(|one| one == number).and_then(|index| pictures.get(index)).cloned();
    Ok(numbers.iter().filter_map(of).collect())
}

/// One PNG picture of many, each with its number, the first with 1.
pub(super) async fn sheet(
    pictures: &[&[u8]],
    services: &Services,
    folder: &Path,
    deadline: Deadline,
) -> Result<Vec<u8>, JobError> {
    let shapes: Vec<(u32, u32)> = pictures.iter().take(MOST).map(|picture| shape(picture)).collect();
    let mut kinds = shapes.clone();
    kinds.sort_unstable();
    kinds.dedup();
    if let [_] = kinds[..] {
        for (index, picture) in pictures.iter().take(MOST).enumerate() {
            write(folder, &format!("sheet-{}.png", index + 1), picture).await?;
        }
    } else {
        // ffmpeg begins a new sheet where the shape changes, so those of one shape are first brought into cells that fit all.
        let height = kinds.iter().map(|(width, height)| (WIDTH * height / width.max(&1)).min(TALLEST)).max();
        let height = height.unwrap_or(TALLEST).next_multiple_of(2);
        for (number, kind) in kinds.iter().enumerate() {
            let same: Vec<usize> = (0..shapes.len()).filter(|index| shapes[*index] == *kind).collect();
            for (index, at) in same.iter().enumerate() {
                write(folder, &format!("kind-{number}-{}.png", index + 1), pictures[*at]).await?;
            }
            let fit = format!(
                "scale={WIDTH}:{height}:force_original_aspect_ratio=decrease,pad={WIDTH}:{height}:(ow-iw)/2:(oh-ih)/2:color=gray"
            );
            let (from, to) = (format!("kind-{number}-%d.png"), format!("cell-{number}-%d.png"));
            let arguments = ["-framerate", "1", "-f", "image2", "-i", &from, "-vf", &fit, "-c:v", "png", &to];
            ffmpeg(services).run(&arguments.map(OsString::from), folder, deadline).await?;
            for (index, at) in same.iter().enumerate() {
                let (cell, name) = (format!("cell-{number}-{}.png", index + 1), format!("sheet-{}.png", at + 1));
                let moved = tokio::fs::rename(folder.join(cell), folder.join(&name)).await;
                moved.map_err(|error| scratch(&name, &error))?;
            }
        }
    }
    let count = pictures.len().min(MOST);
    let (columns, rows) = (COLUMNS.min(count), count.div_ceil(COLUMNS));
    let font = services.layers.root().join(FONT);
    let font = font.display();
    let filter = format!(
        "scale={WIDTH}:-2,drawtext=fontfile={font}:text='%{{eif\\:n+1\\:d}}':x=8:y=h-th-8:fontsize=28:fontcolor=white:box=1:\
         boxcolor=black@0.7:boxborderw=6,tile={columns}x{rows}:padding=6:margin=6:color=gray"
    );
    let arguments = ["-framerate", "1", "-f", "image2", "-i", "sheet-%d.png", "-vf", &filter, "-frames:v", "1"];
    let arguments: Vec<OsString> = arguments.into_iter().chain(["-c:v", "png", "sheet.png"]).map(Into::into).collect();
    ffmpeg(services).run(&arguments, folder, deadline).await?;
    let sheet = read(folder, vec!["sheet.png".to_owned()], LARGEST_SHEET).await?;
    Ok(sheet.into_iter().next().unwrap_or_default())
}

async fn write(folder: &Path, name: &str, picture: &[u8]) -> Result<(), JobError> {
    tokio::fs::write(folder.join(name), picture).await.map_err(|error| scratch(name, &error))
}

/// Width and height of a PNG picture, as its head says them.
fn shape(picture: &[u8]) -> (u32, u32) {
    let number = |at: usize| picture.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    (number(16).unwrap_or_default(), number(20).unwrap_or_default())
}

fn ffmpeg(services: &Services) -> Ffmpeg {
    Ffmpeg::new(&services.layers, &services.config)
}

async fn read(folder: &Path, names: Vec<String>, most: u64) -> Result<Vec<Vec<u8>>, JobError> {
    let folder = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let folder = UntrustedFolder::open(&folder)?;
        names.iter().map(|name| folder.file(name, most)?.read()).collect::<Result<Vec<_>, Unfit>>()
    });
    let read = read.await.map_err(|panic| JobError::new(Code::AssembleFailed, panic.to_string()))?;
    read.map_err(|unfit| JobError::new(Code::AssembleFailed, format!("ffmpeg wrote no usable picture: {unfit}")))
}

fn scratch(name: &str, error: &io::Error) -> JobError {
    JobError::new(Code::ScratchFailed, format!("can't write {name}: {error}"))
}
