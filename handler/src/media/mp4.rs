//! Checks the bytes of a clip: only the boxes that our encoder and its muxer write, one picture for each expected frame, and the
//! parameter sets that all clips of a film share.
//!
//! A crate for MP4 skips boxes that it does not know; ffmpeg, which joins the clips, may read them. So the list of boxes is closed
//! here, and small enough to be parsed by hand: `chalkreel_stage/frames/clip.py` and
//! `card.rs` have no B-frames, no sound, no edit that moves anything, and no fragments.

use std::io;

use storyboard::FrameShape;

use crate::job::Quality;

/// Boxes' bytes that are read at once: a film of six hours at 60 frames has 5 MB of tables.
const LARGEST_TABLES: u64 = 32 << 20;
/// Ticks of a frame, as in `chalkreel_stage/frames/clip.py`.
const TICKS: u32 = 512;
/// Ticks of a second in the movie header of every muxer of FFmpeg.
const MOVIE_CLOCK: u64 = 1000;
/// The matrix of a picture that is shown as it is.
const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
/// A clip is a single file, so its only data reference is to itself.
const ITSELF: &[u8] = b"\0\0\0\0\0\0\0\x01\0\0\0\x0curl \0\0\0\x01";
/// BT.709 and limited range (ITU-T H.273), as in `clip.py`.
const COLOURS: &[u8] = b"nclx\0\x01\0\x01\0\x01\0";
/// x264 signs its first frame with its settings under this number, in some 700 bytes.
const X264: [u8; 16] = *b"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef";
const LONGEST_SIGNATURE: u32 = 4096;
/// Most units of a frame: its parameter sets and the signature twice, when clips were joined, and its picture.
const UNITS: usize = 7;
/// `frame_num` is counted up to this and begins anew (`log2_max_frame_num` in the parameter sets).
const FRAME_NUMBERS: u32 = 16;

/// What is expected of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Frames per second.
    pub fps: u32,
    /// Frames in all.
    pub frames: u64,
    /// The decoder's configuration (`avcC`, ISO/IEC 14496-15): profile, level and parameter sets.
    pub parameters: &'static [u8],
}

/// The expectation of a clip of so many frames. The decoder's configurations are those that x264 makes of the settings in
/// `chalkreel_stage/frames/clip.py` and `card.rs`; all versions that are used here make the same.
pub fn promise(quality: Quality, shape: Option<FrameShape>, frames: u64) -> Promise {
    use FrameShape::{Portrait, Square};
    let parameters: &[u8] = match (quality, shape) {
        (Quality::Draft, None) => {
            b"\x01\x64\x00\x1e\xff\xe1\x00\x1b\x67\x64\x00\x1e\xac\xb4\x06\xc1\xef\x37\x35\x01\x01\x01\x40\x00\x00\x03\
            \x00\x40\x00\x00\x07\xa3\xc5\x8b\xa8\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Draft, Some(Portrait)) => {
            b"\x01\x64\x00\x1e\xff\xe1\x00\x1b\x67\x64\x00\x1e\xac\xb4\x0f\x03\x6f\xcd\x35\x01\x01\x01\x40\x00\x00\x03\
            \x00\x40\x00\x00\x07\xa3\xc5\x8b\xa8\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Draft, Some(Square)) => {
            b"\x01\x64\x00\x16\xff\xe1\x00\x1b\x67\x64\x00\x16\xac\xb4\x0f\x07\xb4\xd4\x04\x04\x05\x00\x00\x03\x00\x01\
            \x00\x00\x03\x00\x1e\x8f\x16\x2e\xa0\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Standard, None) => {
            b"\x01\x64\x00\x1f\xff\xe1\x00\x1c\x67\x64\x00\x1f\xac\xb4\x02\x80\x2d\xd3\x50\x10\x10\x14\x00\x00\x03\x00\
            \x04\x00\x00\x03\x00\xf2\x3c\x60\xca\x80\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Standard, Some(Portrait)) => {
            b"\x01\x64\x00\x1f\xff\xe1\x00\x1c\x67\x64\x00\x1f\xac\xb4\x05\xa0\x50\xd3\x50\x10\x10\x14\x00\x00\x03\x00\
            \x04\x00\x00\x03\x00\xf2\x3c\x60\xca\x80\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Standard, Some(Square)) => {
            b"\x01\x64\x00\x1f\xff\xe1\x00\x1b\x67\x64\x00\x1f\xac\xb4\x05\xa0\xb7\x4d\x40\x40\x40\x50\x00\x00\x03\x00\
            \x10\x00\x00\x03\x03\xc8\xf1\x83\x2a\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::High, None) => {
            b"\x01\x64\x00\x2a\xff\xe1\x00\x1d\x67\x64\x00\x2a\xac\xb4\x03\xc0\x11\x3f\x2c\xd4\x04\x04\x05\x00\x00\x03\
            \x00\x01\x00\x00\x03\x00\x78\x8f\x18\x32\xa0\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::High, Some(Portrait)) => {
            b"\x01\x64\x00\x2a\xff\xe1\x00\x1d\x67\x64\x00\x2a\xac\xb4\x02\x20\x1e\x3c\xbc\xd4\x04\x04\x05\x00\x00\x03\
            \x00\x01\x00\x00\x03\x00\x78\x8f\x18\x32\xa0\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::High, Some(Square)) => {
            b"\x01\x64\x00\x2a\xff\xe1\x00\x1c\x67\x64\x00\x2a\xac\xb4\x02\x20\x11\x3c\xb2\xcd\x40\x40\x40\x50\x00\x00\
            \x03\x00\x10\x00\x00\x07\x88\xf1\x83\x2a\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Uhd, None) => {
            b"\x01\x64\x00\x34\xff\xe1\x00\x1b\x67\x64\x00\x34\xac\xb4\x01\xe0\x02\x1f\x4d\x40\x40\x40\x50\x00\x00\x03\
            \x00\x10\x00\x00\x07\x88\xf1\x83\x2a\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Uhd, Some(Portrait)) => {
            b"\x01\x64\x00\x34\xff\xe1\x00\x1b\x67\x64\x00\x34\xac\xb4\x01\x0e\x03\xc3\x4d\x40\x40\x40\x50\x00\x00\x03\
            \x00\x10\x00\x00\x07\x88\xf1\x83\x2a\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
        (Quality::Uhd, Some(Square)) => {
            b"\x01\x64\x00\x34\xff\xe1\x00\x1b\x67\x64\x00\x34\xac\xb4\x01\x0e\x02\x1f\x4d\x40\x40\x40\x50\x00\x00\x03\
            \x00\x10\x00\x00\x07\x88\xf1\x83\x2a\x01\x00\x04\x68\xee\x3c\xb0\xfd\xf8\xf8\x00"
        }
    };
    Promise { size: quality.size(shape), fps: quality.fps(), frames, parameters }
}

/// Why a clip fails the check.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongClip {
    /// It has so many frames.
    #[error("the clip has {counted} frames instead of {promised}")]
    Frames {
        /// Frames in it.
        counted: u64,
        /// Frames that it should have.
        promised: u64,
    },
    /// It is no clip of our encoder.
    #[error("the clip was not made by our encoder: {0}")]
    Form(String),
}

type Result<T = ()> = std::result::Result<T, WrongClip>;

/// Where a clip's bytes come from.
pub trait Bytes {
    /// Fills `buffer` from there on.
    ///
    /// # Errors
    /// When they can't be read, or end too soon.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;
}

impl Bytes for std::fs::File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, at)
    }
}

impl Bytes for [u8] {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..)?.get(..buffer.len()));
        buffer.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Checks all of a clip of so many bytes. It reads the tables and the head of each frame, and allocates no more than these.
///
/// # Errors
/// [`WrongClip`]
pub fn check(clip: &(impl Bytes + ?Sized), bytes: u64, promise: &Promise) -> Result {
    let (media, tables) = layout(clip, bytes)?;
    let samples = movie(&tables, promise)?;
    let (mut end, mut turn) = (media.from, 0);
    for (number, sample) in samples.iter().enumerate() {
        if sample.from < end || u64::from(sample.bytes) > media.to.saturating_sub(sample.from) {
            return wrong(format!("frame {number} lies outside of its place"));
        }
        end = sample.from + u64::from(sample.bytes);
        turn = if sample.key { 0 } else { (turn + 1) % FRAME_NUMBERS };
        picture(clip, (number, turn), sample, promise.parameters)?;
    }
    Ok(())
}

/// A part of the file.
struct Range {
    from: u64,
    to: u64,
}

/// A frame's place in the file.
struct Sample {
    from: u64,
    bytes: u32,
    /// Whether decoding can begin here.
    key: bool,
}

fn wrong<T>(why: impl Into<String>) -> Result<T> {
    Err(WrongClip::Form(why.into()))
}

fn unread(error: io::Error) -> WrongClip {
    WrongClip::Form(format!("it can't be read: {error}"))
}

/// The pictures' place, and the tables.
fn layout(clip: &(impl Bytes + ?Sized), bytes: u64) -> Result<(Range, Vec<u8>)> {
    let (mut at, mut media, mut tables) = (0, None, None);
    while at < bytes {
        let mut head = [0; 16];
        let known = &mut head[..16.min(usize::try_from(bytes - at).unwrap_or(16))];
        clip.read_at(known, at).map_err(unread)?;
        let kind = [head[4], head[5], head[6], head[7]];
        let (skip, size) = match u32_at(&head, 0).unwrap_or(0) {
            1 if &kind == b"mdat" => (16, u64::from_be_bytes(std::array::from_fn(|n| head[8 + n]))),
            size => (8, u64::from(size)),
        };
        if size < skip || size > bytes - at {
            return wrong("a box of it is cut off");
        }
        let inside = Range { from: at + skip, to: at + size };
        match &kind {
            b"ftyp" if at == 0 && size <= 64 => {}
            b"free" if at > 0 && size <= 64 => {}
            b"mdat" if at > 0 && media.is_none() => media = Some(inside),
            b"moov" if at > 0 && tables.is_none() && size <= LARGEST_TABLES => {
                let mut read = vec![0; usize::try_from(size - skip).unwrap_or(0)];
                clip.read_at(&mut read, inside.from).map_err(unread)?;
                tables = Some(read);
            }
            kind => return wrong(format!("there is a box `{}` at byte {at}", kind.escape_ascii())),
        }
        at += size;
    }
    match (media, tables) {
        (Some(media), Some(tables)) => Ok((media, tables)),
        _ => wrong("it is no MP4 file"),
    }
}

/// The boxes in a box.
struct Boxes<'a> {
    of: &'static str,
    all: Vec<([u8; 4], &'a [u8])>,
}

impl<'a> Boxes<'a> {
    /// Splits a box, in which there may be these, each once at the most.
    fn of(of: &'static str, mut bytes: &'a [u8], may: &[&[u8; 4]]) -> Result<Self> {
        let mut all: Vec<([u8; 4], &[u8])> = Vec::new();
        while !bytes.is_empty() {
            let size = usize::try_from(u32_at(bytes, 0).unwrap_or(0)).unwrap_or(0);
            let kind = bytes.get(4..8).and_then(|kind| <[u8; 4]>::try_from(kind).ok());
            let (Some(kind), Some(inside)) = (kind, bytes.get(8..size)) else {
                return wrong(format!("a box in `{of}` is cut off"));
            };
            if !may.contains(&&kind) || all.iter().any(|(other, _)| *other == kind) {
                return wrong(format!("there is a box `{}` in `{of}`", kind.escape_ascii()));
            }
            all.push((kind, inside));
            bytes = &bytes[size..];
        }
        Ok(Self { of, all })
    }

    fn get(&self, kind: &[u8; 4]) -> Option<&'a [u8]> {
        self.all.iter().find(|(other, _)| other == kind).map(|(_, inside)| *inside)
    }

    fn must(&self, kind: &[u8; 4]) -> Result<&'a [u8]> {
        self.get(kind).map_or_else(|| wrong(format!("`{}` has no `{}`", self.of, kind.escape_ascii())), Ok)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}

/// A box of 32-bit numbers, all of them.
fn words(name: &str, bytes: &[u8]) -> Result<Vec<u32>> {
    let (words, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() { Ok(words.iter().map(|word| u32::from_be_bytes(*word)).collect()) } else { short(name) }
}

fn short<T>(name: &str) -> Result<T> {
    wrong(format!("`{name}` is too short or too long"))
}

/// A list of `WIDTH` numbers each, after a version that must be 0 and their count.
fn list<const WIDTH: usize>(name: &str, bytes: &[u8]) -> Result<Vec<[u32; WIDTH]>> {
    match &*words(name, bytes)? {
        [0, count, entries @ ..] if entries.len() as u64 == u64::from(*count) * WIDTH as u64 => {
            Ok(entries.as_chunks::<WIDTH>().0.to_vec())
        }
        _ => short(name),
    }
}

/// Checks everything that says how the pictures are shown, and gives their places.
fn movie(tables: &[u8], promise: &Promise) -> Result<Vec<Sample>> {
    let movie = Boxes::of("moov", tables, &[b"mvhd", b"trak", b"udta"])?;
    if let Some(user) = movie.get(b"udta") {
        signature(user)?;
    }
    let track = Boxes::of("trak", movie.must(b"trak")?, &[b"tkhd", b"edts", b"mdia"])?;
    let media = Boxes::of("mdia", track.must(b"mdia")?, &[b"mdhd", b"hdlr", b"minf"])?;
    let kind = media.must(b"hdlr")?;
    if kind.get(8..12) != Some(&b"vide"[..]) {
        return wrong("its track is no video");
    }
    let inner = Boxes::of("minf", media.must(b"minf")?, &[b"vmhd", b"dinf", b"stbl"])?;
    let data = Boxes::of("dinf", inner.must(b"dinf")?, &[b"dref"])?;
    if data.must(b"dref")? != ITSELF {
        return wrong("its pictures lie in another file");
    }
    let may: [&[u8; 4]; 6] = [b"stsd", b"stts", b"stss", b"stsc", b"stsz", b"stco"];
    let table = Boxes::of("stbl", inner.must(b"stbl")?, &may)?;
    description(table.must(b"stsd")?, promise)?;
    let sizes = sizes(table.must(b"stsz")?, promise.frames)?;
    times(&movie, &track, &media, &table, promise)?;
    places(&table, &sizes)
}

/// FFmpeg writes its version here, and others would write words.
fn signature(user: &[u8]) -> Result {
    let meta = Boxes::of("udta", user, &[b"meta"])?.must(b"meta")?;
    let inside = Boxes::of("meta", meta.get(4..).unwrap_or(meta), &[b"hdlr", b"ilst"])?;
    let tool = Boxes::of("ilst", inside.must(b"ilst")?, &[b"\xa9too"])?.must(b"\xa9too")?;
    let data = Boxes::of("too", tool, &[b"data"])?.must(b"data")?;
    if user.len() <= 128 && data.get(8..).is_some_and(|text| text.starts_with(b"Lavf")) {
        return Ok(());
    }
    wrong("it was written by another program")
}

/// Codec, size and parameter sets.
fn description(bytes: &[u8], promise: &Promise) -> Result {
    let (Some([0, 0, 0, 0, 0, 0, 0, 1]), Some(entry)) = (bytes.get(..8), bytes.get(8..)) else { return short("stsd") };
    let entry = Boxes::of("stsd", entry, &[b"avc1"])?.must(b"avc1")?;
    let (Some(head), Some(more)) = (entry.get(..78), entry.get(78..)) else { return short("avc1") };
    let number = |at: usize| u32::from(u16::from_be_bytes([head[at], head[at + 1]]));
    if (number(24), number(26)) != promise.size {
        return wrong(format!("its pictures have {}x{} pixels", number(24), number(26)));
    }
    // Its own data, one picture a sample, 24 bits a pixel.
    if (number(6), number(40), number(74)) != (1, 1, 24) {
        return wrong("its pictures are described otherwise");
    }
    let more = Boxes::of("avc1", more, &[b"avcC", b"colr", b"btrt"])?;
    if more.must(b"avcC")? != promise.parameters {
        return wrong("its parameter sets are others; layers and program must be of one version");
    }
    match more.get(b"colr") {
        Some(colours) if colours != COLOURS => wrong("its colours are others"),
        _ => Ok(()),
    }
}

/// Every frame lasts as long as every other, and nothing moves, turns or delays them.
fn times(
    movie: &Boxes<'_>,
    track: &Boxes<'_>,
    media: &Boxes<'_>,
    table: &Boxes<'_>,
    Promise { size, fps, frames, .. }: &Promise,
) -> Result {
    let ticks = frames * u64::from(TICKS);
    let near = |length: u32| {
        // Rounded up by one version, and down by another.
        (u64::from(length) * u64::from(*fps)).abs_diff(frames * MOVIE_CLOCK) <= u64::from(*fps)
    };
    let header = words("mvhd", movie.must(b"mvhd")?)?;
    let shown = words("tkhd", track.must(b"tkhd")?)?;
    let clock = words("mdhd", media.must(b"mdhd")?)?;
    let (Some(matrix), 25) = (header.get(9..18), header.len()) else { return short("mvhd") };
    if header[0] != 0 || u64::from(header[3]) != MOVIE_CLOCK || !near(header[4]) || matrix != UPRIGHT {
        return wrong("its movie header says something else");
    }
    let (Some(matrix), 21) = (shown.get(10..19), shown.len()) else { return short("tkhd") };
    // Version 0, enabled and in the movie; 16.16 fixed point.
    if shown[0] != 3 || !near(shown[5]) || matrix != UPRIGHT || (shown[19], shown[20]) != (size.0 << 16, size.1 << 16) {
        return wrong("its track header says something else");
    }
    let (Some(rate), 6) = (clock.get(3), clock.len()) else { return short("mdhd") };
    if clock[0] != 0 || *rate != fps * TICKS || u64::from(clock[4]) != ticks {
        return wrong(format!("it has {rate} ticks a second and lasts {}", clock[4]));
    }
    if let Some(edits) = track.get(b"edts") {
        let edits = list::<3>("elst", Boxes::of("edts", edits, &[b"elst"])?.must(b"elst")?)?;
        let whole = matches!(&*edits, [[length, 0, 0x1_0000]] if near(*length));
        if !whole {
            return wrong("an edit list moves its pictures");
        }
    }
    let durations = list::<2>("stts", table.must(b"stts")?)?;
    match &*durations {
        [[count, TICKS]] if u64::from(*count) == *frames => Ok(()),
        _ => wrong("its frames last differently"),
    }
}

/// The frames' sizes in bytes.
fn sizes(bytes: &[u8], promised: u64) -> Result<Vec<u32>> {
    let numbers = words("stsz", bytes)?;
    let [0, size, count, sizes @ ..] = &*numbers else { return short("stsz") };
    let counted = u64::from(*count);
    if counted != promised {
        return Err(WrongClip::Frames { counted, promised });
    }
    // All of one size; no more than the promise says, which is the caller's.
    match size {
        0 if sizes.len() as u64 == counted => Ok(sizes.to_vec()),
        size if sizes.is_empty() && *size > 0 => {
            Ok(vec![*size; usize::try_from(counted.min(LARGEST_TABLES)).unwrap_or(0)])
        }
        _ => short("stsz"),
    }
}

/// The frames' places.
fn places(table: &Boxes<'_>, sizes: &[u32]) -> Result<Vec<Sample>> {
    let runs = list::<3>("stsc", table.must(b"stsc")?)?;
    let chunks = list::<1>("stco", table.must(b"stco")?)?;
    let keys = table.get(b"stss").map(|keys| list::<1>("stss", keys)).transpose()?;
    let sorted = |[a, b]: &[[u32; 1]; 2]| a < b;
    if let Some(keys) = &keys
        && (keys.first() != Some(&[1]) || !keys.array_windows().all(sorted))
    {
        return wrong("it does not begin with a keyframe");
    }
    let mut keys = keys.map(|keys| keys.into_iter().flatten().peekable());
    let (mut samples, mut runs) = (Vec::with_capacity(sizes.len()), runs.into_iter().peekable());
    let (mut sizes, mut per_chunk) = (sizes.iter(), 0);
    for (chunk, [offset]) in (1_u32..).zip(chunks) {
        if let Some([_, samples, description]) = runs.next_if(|[first, ..]| *first == chunk) {
            per_chunk = if description == 1 { samples } else { 0 };
        }
        let mut from = u64::from(offset);
        for size in sizes.by_ref().take(usize::try_from(per_chunk).unwrap_or(0)) {
            let number = samples.len() as u32 + 1;
            let key = keys.as_mut().is_none_or(|keys| keys.next_if_eq(&number).is_some());
            samples.push(Sample { from, bytes: *size, key });
            from += u64::from(*size);
        }
    }
    if sizes.next().is_some() || runs.next().is_some() || keys.is_some_and(|mut keys| keys.next().is_some()) {
        return wrong("its tables contradict each other");
    }
    Ok(samples)
}

/// A frame is one picture in one slice, whose turn it is; before a keyframe there may be the encoder's signature.
fn picture(clip: &(impl Bytes + ?Sized), (number, turn): (usize, u32), sample: &Sample, parameters: &[u8]) -> Result {
    let (mut at, end, mut last) = (sample.from, sample.from + u64::from(sample.bytes), None);
    let mut units = 0;
    while at < end {
        units += 1;
        if units > UNITS {
            return wrong(format!("frame {number} has more than {UNITS} units"));
        }
        let mut head = [0; 64];
        let known = &mut head[..64.min(usize::try_from(end - at).unwrap_or(64))];
        clip.read_at(known, at).map_err(unread)?;
        let length = u32_at(&head, 0).unwrap_or(0);
        if length < 4 || u64::from(length) > (end - at).saturating_sub(4) {
            return wrong(format!("frame {number} is cut off"));
        }
        // With the bit that must be 0, and without how much others need it.
        let kind = head[4] & 0x9f;
        let fits = match kind {
            // User data, unregistered; before the number their size, in a byte for each 255 of it.
            6 => {
                let of_x264 = head[5] == 5 && head[7..].windows(X264.len()).take(4).any(|bytes| bytes == X264);
                sample.key && last.is_none() && of_x264 && length <= LONGEST_SIGNATURE
            }
            // Joining clips repeats the parameter sets before keyframes.
            7 | 8 => {
                let set = usize::try_from(length).ok().and_then(|length| head.get(2..4 + length));
                last.is_none() && set.is_some_and(|set| parameters.windows(set.len()).any(|known| known == set))
            }
            1 | 5 => {
                let is_first = last.is_none() && (kind == 5) == sample.key;
                last = slice(&head[5..], sample.key);
                // Decoders conceal what a gap in the numbers seems to have lost.
                is_first && last == Some(turn)
            }
            _ => false,
        };
        if !fits {
            return wrong(format!("frame {number} holds a unit of kind {kind} that our encoder does not write there"));
        }
        at += 4 + u64::from(length);
    }
    if last.is_some() { Ok(()) } else { wrong(format!("frame {number} has no picture")) }
}

/// The `frame_num` of a slice, when its header (7.3.3 in ITU-T H.264) begins as ours do: the whole picture, I or P, the only parameter
/// set.
fn slice(header: &[u8], key: bool) -> Option<u32> {
    // After two zero bytes, a byte 3 (emulation prevention) is not part of the data.
    let mut zeros = 0;
    let bytes = header.iter().filter(move |byte| {
        let data = zeros < 2 || **byte != 3;
        zeros = if **byte == 0 { zeros + 1 } else { 0 };
        data
    });
    let mut bits = bytes.flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let fixed = |bits: &mut dyn Iterator<Item = u8>, count| {
        bits.take(count).fold(0_u32, |rest, bit| rest << 1 | u32::from(bit))
    };
    let mut number = || {
        let zeros = bits.by_ref().take_while(|bit| *bit == 0).take(17).count();
        let rest = fixed(&mut bits, zeros);
        (zeros < 17).then(|| (1 << zeros) - 1 + rest)
    };
    let (first, kind, set) = (number()?, number()?, number()?);
    let intra = matches!(kind, 2 | 7);
    let is_ours = first == 0 && set == 0 && (intra || (!key && matches!(kind, 0 | 5)));
    is_ours.then(|| fixed(&mut bits, FRAME_NUMBERS.ilog2() as usize))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Eight frames of the stage at draft quality, and one of `card.rs`.
    const STAGE: &[u8] = include_bytes!("../../../tests/fixtures/clips/stage.mp4");
    const CARD: &[u8] = include_bytes!("../../../tests/fixtures/clips/card.mp4");
    /// A card of 45 frames, which is one of 30 joined to itself.
    const JOINED: &[u8] = include_bytes!("../../../tests/fixtures/clips/joined.mp4");

    fn promise(frames: u64) -> Promise {
        super::promise(crate::job::Quality::Draft, None, frames)
    }

    fn checked(clip: &[u8], frames: u64) -> Result {
        check(clip, clip.len() as u64, &promise(frames))
    }

    /// The clip with these bytes in place of those, which occur once in it.
    fn with(clip: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
        let at: Vec<usize> =
            clip.windows(old.len()).enumerate().filter(|(_, bytes)| *bytes == old).map(|(at, _)| at).collect();
        assert_eq!(at.len(), 1, "{}", old.escape_ascii());
        [&clip[..at[0]], new, &clip[at[0] + old.len()..]].concat()
    }

    #[test]
    fn clips_of_the_stage_and_cards_are_as_promised() {
        assert_eq!(checked(STAGE, 8), Ok(()));
        assert_eq!(checked(CARD, 1), Ok(()));
        assert_eq!(checked(JOINED, 45), Ok(()));
    }

    #[test]
    fn other_lengths_and_sizes_are_told() {
        assert_eq!(checked(STAGE, 9), Err(WrongClip::Frames { counted: 8, promised: 9 }));
        let other = Promise { size: (1280, 720), ..promise(8) };
        let WrongClip::Form(why) = check(STAGE, STAGE.len() as u64, &other).unwrap_err() else { panic!() };
        assert!(why.contains("854x480"), "{why}");
    }

    #[test]
    fn each_thing_that_is_not_ours_is_refused() {
        // The first slice of the stage's clip and its signature, as they are in it.
        let media = STAGE.windows(4).position(|bytes| bytes == b"mdat").unwrap() + 4;
        let signature = u32_at(STAGE, media).unwrap() as usize;
        let slice = media + 4 + signature;
        // The next frame's: `frame_num` has the last bit of its third byte and the first three of its fourth.
        let next = slice + 4 + u32_at(STAGE, slice).unwrap() as usize;
        let at = |at: usize, bytes: &[u8]| [&STAGE[..at], bytes, &STAGE[at + bytes.len()..]].concat();
        let cases = [
            ("no file", Vec::new()),
            ("a playlist", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n".to_vec()),
            ("a list of files", b"ffconcat version 1.0\nfile 'scene-one.mp4'\n".to_vec()),
            ("cut off", STAGE[..STAGE.len() - 1].to_vec()),
            ("half", STAGE[..STAGE.len() / 2].to_vec()),
            ("something behind it", [STAGE, b"\0\0\0\x09junkx"].concat()),
            ("fragments", [STAGE, b"\0\0\0\x08moof"].concat()),
            ("twice", [STAGE, STAGE].concat()),
            ("another codec", with(STAGE, b"avc1\0\0\0\0", b"mp4v\0\0\0\0")),
            ("another level", with(STAGE, b"avcC\x01\x64\0\x1e", b"avcC\x01\x64\0\x33")),
            ("a sound", with(STAGE, b"vide\0", b"soun\0")),
            ("another file", with(STAGE, b"url \0\0\0\x01", b"url \0\0\0\0")),
            ("metadata", with(STAGE, b"\xa9too", b"\xa9nam")),
            ("words", with(STAGE, b"Lavf", b"<b>!")),
            ("an unknown box", with(STAGE, b"btrt", b"uuid")),
            ("a delay", with(STAGE, b"stss\0", b"ctts\0")),
            ("slow frames", with(STAGE, b"\0\0\0\x08\0\0\x02\0", b"\0\0\0\x08\0\0\x04\0")),
            ("a unit that is too long", at(slice, b"\x7f")),
            ("a unit of nothing", at(slice, b"\0\0\0\0")),
            ("parameter sets among frames", at(slice + 4, b"\x67")),
            ("a slice further down", at(slice + 5, b"\x40")),
            ("a B slice", at(slice + 5, b"\xff")),
            ("a gap in the numbers of the frames", at(next + 6, &[STAGE[next + 6] ^ 0x60])),
            ("a forbidden bit", at(slice + 4, b"\xe5")),
            ("another's signature", at(media + 9, b"somebody else did this")),
        ];
        for (what, clip) in cases {
            assert!(matches!(checked(&clip, 8), Err(WrongClip::Form(_))), "{what}");
        }
        // The picture is turned.
        let matrix = [1_u32 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30].map(u32::to_be_bytes).concat();
        let places = STAGE.windows(matrix.len()).enumerate().filter(|(_, bytes)| *bytes == matrix).map(|(at, _)| at);
        assert_eq!(places.map(|place| assert!(checked(&at(place, b"\0\0"), 8).is_err())).count(), 2);
    }

    #[test]
    fn a_frame_of_endless_units_is_refused() {
        let set = b"\0\0\0\x04\x68\xee\x3c\xb0";
        let why = |count: usize| {
            let frame = set.repeat(count);
            let sample = Sample { from: 0, bytes: frame.len() as u32, key: true };
            picture(&frame[..], (0, 0), &sample, promise(8).parameters).unwrap_err().to_string()
        };
        assert!(why(4).contains("no picture"), "{}", why(4));
        assert!(why(UNITS + 1).contains("units"), "{}", why(UNITS + 1));
    }

    #[test]
    fn a_second_track_is_refused() {
        let track = STAGE.windows(4).position(|bytes| bytes == b"trak").unwrap() - 4;
        let movie = STAGE.windows(4).position(|bytes| bytes == b"moov").unwrap() - 4;
        let size = u32_at(STAGE, track).unwrap() as usize;
        let mut two = [&STAGE[..track], &STAGE[track..track + size], &STAGE[track..]].concat();
        two[movie..movie + 4].copy_from_slice(&(u32_at(STAGE, movie).unwrap() + size as u32).to_be_bytes());
        let why = checked(&two, 8).unwrap_err().to_string();
        assert!(why.contains("`trak` in `moov`"), "{why}");
    }

    proptest! {
        // Also run without end by `make fuzz`.
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        /// Whatever is changed in a clip, it is checked to the end and not further, and what is accepted has the promised frames.
        #[test]
        fn no_bytes_confuse_it(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>(), whole in any::<bool>()) {
            let mut clip = STAGE.to_vec();
            for (at, byte) in changes {
                let at = at.index(clip.len());
                clip[at] = byte;
            }
            if !whole {
                clip.truncate(cut.index(clip.len()));
            }
            let _ = checked(&clip, 8);
            prop_assert!(checked(&clip, 7).is_err());
        }
    }
}
