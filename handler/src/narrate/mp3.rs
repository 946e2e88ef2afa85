//! Whether an MP3 file is complete. A decoder drops a truncated last frame silently.

use super::voice::VoiceError;

/// kbit/s of layer III by the header's index: MPEG 1, then MPEG 2 and 2.5 (ISO 11172-3 and 13818-3).
const BIT_RATES: [[usize; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
/// Hz by the header's index, for MPEG 1; halved for MPEG 2, and again for 2.5.
const SAMPLE_RATES: [usize; 3] = [44_100, 48_000, 32_000];

/// Refuses MP3 that ends in the middle of a frame. Anything that isn't MP3 layer III passes: the decoder checks it.
///
/// # Errors
/// [`VoiceError::NotDecodable`].
pub(super) fn whole(bytes: &[u8]) -> Result<(), VoiceError> {
    let mut at = after_id3(bytes);
    if frame(&bytes[at.min(bytes.len())..]).is_none() {
        return Ok(());
    }
    while at < bytes.len() {
        let rest = &bytes[at..];
        match frame(rest) {
            Some(length) if length <= rest.len() => at += length,
            Some(length) => {
                let reason = format!("its last frame has {} of {length} bytes", rest.len());
                return Err(VoiceError::NotDecodable(reason));
            }
            // Tags and padding may follow; four bytes make a header.
            None if rest.len() < 4 && rest[0] == 0xff => {
                return Err(VoiceError::NotDecodable("it ends inside a header".to_owned()));
            }
            // Two files in a row, with tags between them.
            None => match rest.windows(4).position(|window| window[0] == 0xff && frame(window).is_some()) {
                Some(skip) if rest.starts_with(b"ID3") => at += skip.max(1),
                _ => return Ok(()),
            },
        }
    }
    Ok(())
}

/// Where the first frame may begin.
fn after_id3(bytes: &[u8]) -> usize {
    match bytes {
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => {
            10 + [a, b, c, d].iter().fold(0, |size, byte| (size << 7) | usize::from(**byte & 0x7f))
        }
        _ => 0,
    }
}

/// The length of the frame that begins here; none when there is no frame.
fn frame(bytes: &[u8]) -> Option<usize> {
    let &[0xff, second, third, ..] = bytes else { return None };
    let (version, layer) = ((second >> 3) & 3, (second >> 1) & 3);
    if second >> 5 != 7 || version == 1 || layer != 1 {
        return None;
    }
    let first = version == 3;
    let bit_rate = *BIT_RATES[usize::from(!first)].get(usize::from(third >> 4))? * 1000;
    let sample_rate = SAMPLE_RATES.get(usize::from((third >> 2) & 3))? / [4, 1, 2, 1][usize::from(version)];
    let padding = usize::from((third >> 1) & 1);
    // 1,152 samples a frame in MPEG 1, 576 in the others; eight bits a byte.
    (bit_rate > 0).then(|| if first { 144 } else { 72 } * bit_rate / sample_rate + padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of MPEG 2 at 24 kHz and 64 kbit/s: 192 bytes each.
    fn frames(count: usize) -> Vec<u8> {
        let mut frame = [0_u8; 192];
        frame[..4].copy_from_slice(&[0xff, 0xf3, 0x84, 0xc4]);
        frame.repeat(count)
    }

    #[test]
    fn a_file_that_ends_inside_a_frame_is_refused() {
        assert_eq!(frame(&frames(1)), Some(192));
        let file = frames(10);
        assert!(whole(&file).is_ok());
        for missing in [1, 100, 189, 190, 191] {
            assert!(whole(&file[..file.len() - missing]).is_err(), "{missing}");
        }
        let tagged = [b"ID3\x04\0\0\0\0\0\x05hello".as_slice(), &file].concat();
        assert!(whole(&tagged).is_ok() && whole(&tagged[..tagged.len() - 50]).is_err());
        let ended = [file.as_slice(), b"TAG", &[0; 125]].concat();
        assert!(whole(&ended).is_ok());
    }

    #[test]
    fn other_formats_pass() {
        for bytes in [&b""[..], b"RIFF", b"<html>", b"ID3", &[0xff; 40]] {
            assert!(whole(bytes).is_ok());
        }
    }
}
