//! Pixels: RGBA rows → planes of Y, Cb and Cr (BT.709, limited range, 4:2:0), and which rows of a picture differ from the one before.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvError, YuvPlanarImageMut, YuvRange, YuvStandardMatrix, rgba_to_yuv420,
};

/// Bytes of a pixel.
pub const PIXEL: usize = 4;

/// A plane that is written: bytes, and bytes from one row to the next.
pub struct Plane<'a> {
    /// From its first row on.
    pub bytes: &'a mut [u8],
    /// At least its width.
    pub stride: u32,
}

/// The rows in which two pictures of this width differ: the first, and the one after the last; none when they are equal. Both numbers are
/// even, as chroma has one row for two.
pub fn changed_rows(now: &[u8], before: &[u8], width: usize) -> Option<(usize, usize)> {
    let two = 2 * PIXEL * width;
    let differs = |(one, other): (&[u8], &[u8])| one != other;
    let first = now.chunks(two).zip(before.chunks(two)).position(differs)?;
    let last = now.chunks(two).zip(before.chunks(two)).rposition(differs)?;
    Some((2 * first, 2 * last + 2))
}

/// Converts rows of RGBA pixels, an even number of an even width; alpha means nothing.
///
/// # Errors
/// [`YuvError`] when a plane is too small.
pub fn convert(rows: &[u8], width: u32, height: u32, [y, u, v]: [Plane<'_>; 3]) -> Result<(), YuvError> {
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y.bytes),
        y_stride: y.stride,
        u_plane: BufferStoreMut::Borrowed(u.bytes),
        u_stride: u.stride,
        v_plane: BufferStoreMut::Borrowed(v.bytes),
        v_stride: v.stride,
        width,
        height,
    };
    let (matrix, mode) = (YuvStandardMatrix::Bt709, YuvConversionMode::Balanced);
    rgba_to_yuv420(&mut image, rows, width * PIXEL as u32, YuvRange::Limited, matrix, mode)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(rows: &[u8], width: usize, height: usize) -> [Vec<u8>; 3] {
        let mut planes = [vec![0; width * height], vec![0; width * height / 4], vec![0; width * height / 4]];
        let [y, u, v] = &mut planes;
        let stride = |half| (width / half) as u32;
        let to = [
            Plane { bytes: y, stride: stride(1) },
            Plane { bytes: u, stride: stride(2) },
            Plane { bytes: v, stride: stride(2) },
        ];
        convert(rows, width as u32, height as u32, to).unwrap();
        planes
    }

    /// ITU-R BT.709, limited range, of the mean of four pixels.
    fn exact(pixels: [[u8; 4]; 4]) -> ([f64; 4], f64, f64) {
        let luma = |[r, g, b]: [f64; 3]| 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let colour = |pixel: [u8; 4]| [pixel[0], pixel[1], pixel[2]].map(|value| f64::from(value) / 255.0);
        let mean = [0, 1, 2].map(|at| pixels.iter().map(|pixel| colour(*pixel)[at]).sum::<f64>() / 4.0);
        let chroma = |value: f64, by: f64| 128.0 + 224.0 * (value - luma(mean)) / by;
        (pixels.map(|pixel| 16.0 + 219.0 * luma(colour(pixel))), chroma(mean[2], 1.8556), chroma(mean[0], 1.5748))
    }

    proptest! {
        #[test]
        fn colours_are_those_of_bt_709(pixels in any::<[[u8; 4]; 4]>()) {
            let [y, u, v] = converted(pixels.as_flattened(), 2, 2);
            let (luma, cb, cr) = exact(pixels);
            for (have, want) in y.iter().zip(luma).chain([(&u[0], cb), (&v[0], cr)]) {
                prop_assert!((f64::from(*have) - want).abs() < 1.6, "{have} for {want} of {pixels:?}");
            }
        }

        #[test]
        fn a_part_of_the_rows_is_converted_as_the_whole(seed in any::<u64>(), from in 0_usize..8) {
            let (width, height) = (854, 16);
            let mut state = seed;
            let pixels: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .take(PIXEL * width * height)
            .collect();
            let whole = converted(&pixels, width, height);
            let part = converted(&pixels[PIXEL * width * 2 * from..], width, height - 2 * from);
            for (plane, (all, some)) in whole.iter().zip(&part).enumerate() {
                prop_assert!(all.ends_with(some), "plane {plane}");
            }
        }

        #[test]
        fn rows_that_differ_are_found(at in proptest::collection::vec(0_usize..12 * 7, 0..4)) {
            let before = vec![7_u8; PIXEL * 12 * 7 * 2];
            let mut now = before.clone();
            for pixel in &at {
                now[PIXEL * pixel + 1] = 8;
            }
            let rows: Vec<usize> = at.iter().map(|pixel| pixel / 12).collect();
            let wanted = rows.iter().min().zip(rows.iter().max()).map(|(first, last)| (first & !1, (last & !1) + 2));
            prop_assert_eq!(changed_rows(&now, &before, 12), wanted);
        }
    }
}
