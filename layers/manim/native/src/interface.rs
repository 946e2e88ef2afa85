//! The C interface. Python loads it with `ctypes` before the process is confined, so that it is tied to no version of Python.
#![allow(unsafe_code, reason = "a C interface takes and gives pointers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::fonts;
use crate::pixels::{self, PIXEL, Plane};
use crate::typeset::{self, Answer, Request};

/// The version of this interface. Python refuses another.
pub const VERSION: u32 = 2;

/// The version of this interface.
#[unsafe(no_mangle)]
pub extern "C" fn chalkreel_version() -> u32 {
    VERSION
}

/// Sets a formula: `Request` as JSON → `Answer` as JSON.
///
/// # Safety
/// `request` points to `length` bytes and `answered` to a place for a length. The answer is to be given back to [`chalkreel_free`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chalkreel_typeset(request: *const u8, length: usize, answered: *mut usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let request = unsafe { std::slice::from_raw_parts(request, length) };
    let answer = catch_unwind(AssertUnwindSafe(|| match serde_json::from_slice::<Request>(request) {
        Ok(request) => typeset::answered(&request),
        Err(error) => failed(format!("the request is no request: {error}")),
    }));
    let answer = answer.unwrap_or_else(|_| failed("the typesetter failed".to_owned()));
    // SAFETY: the caller's promise.
    unsafe { give(serde_json::to_vec(&answer).unwrap_or_default(), answered) }
}

fn failed(why: String) -> Answer {
    Answer { error: Some(why), ..Answer::default() }
}

/// The outline of a letter: cubic curves, eight 64-bit little-endian numbers each (anchor, handle, handle, anchor; x and y in em).
/// Nothing when no font has the letter.
///
/// # Safety
/// `answered` points to a place for a length in bytes. The answer is to be given back to [`chalkreel_free`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chalkreel_outline(font: u32, code: u32, answered: *mut usize) -> *mut u8 {
    let curves = catch_unwind(|| {
        let font = *fonts::FONTS.get(font as usize)?;
        fonts::outline(font, code)
    });
    let curves = curves.ok().flatten().unwrap_or_default();
    // SAFETY: the caller's promise.
    unsafe { give(curves.points().iter().flat_map(|value| value.to_le_bytes()).collect(), answered) }
}

/// Names the fonts of the system, best first, for letters that KaTeX's lack: paths as a list in JSON. Tells how many they are.
///
/// # Safety
/// `paths` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chalkreel_fonts(paths: *const u8, length: usize) -> usize {
    // SAFETY: the caller's promise.
    let paths = unsafe { std::slice::from_raw_parts(paths, length) };
    catch_unwind(|| {
        let paths: Vec<PathBuf> = serde_json::from_slice(paths).unwrap_or_default();
        let count = paths.len();
        fonts::use_system(paths);
        count
    })
    .unwrap_or(0)
}

/// The rows in which two pictures of RGBA pixels differ, as `first << 32 | end`; 0 when they are equal.
///
/// # Safety
/// `now` and `before` point to `width * height` pixels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chalkreel_changed(now: *const u8, before: *const u8, width: u32, height: u32) -> u64 {
    let bytes = PIXEL * width as usize * height as usize;
    // SAFETY: the caller's promise.
    let (now, before) = unsafe { (std::slice::from_raw_parts(now, bytes), std::slice::from_raw_parts(before, bytes)) };
    let rows = catch_unwind(|| pixels::changed_rows(now, before, width as usize)).ok().flatten();
    rows.map_or(0, |(first, end)| (first as u64) << 32 | end as u64)
}

/// Converts rows of RGBA pixels to BT.709, and copies them to `copy`. Tells whether that worked.
///
/// # Safety
/// `rows` and `copy` point to `width * height` pixels and do not overlap; the planes point to `height` rows of their stride, those of Cb
/// and Cr to half as many. `width` and `height` are even.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chalkreel_convert(
    rows: *const u8,
    copy: *mut u8,
    width: u32,
    height: u32,
    planes: *const [*mut u8; 3],
    strides: *const [u32; 3],
) -> bool {
    let bytes = PIXEL * width as usize * height as usize;
    // SAFETY: the caller's promise.
    let (rows, copy) =
        unsafe { (std::slice::from_raw_parts(rows, bytes), std::slice::from_raw_parts_mut(copy, bytes)) };
    // SAFETY: the caller's promise.
    let ([y, u, v], strides) = unsafe { (*planes, *strides) };
    let converted = catch_unwind(AssertUnwindSafe(|| {
        copy.copy_from_slice(rows);
        let plane = |start: *mut u8, stride: u32, height: u32| {
            // SAFETY: the caller's promise.
            let bytes = unsafe { std::slice::from_raw_parts_mut(start, stride as usize * height as usize) };
            Plane { bytes, stride }
        };
        let [ys, us, vs] = strides;
        pixels::convert(rows, width, height, [plane(y, ys, height), plane(u, us, height / 2), plane(v, vs, height / 2)])
    }));
    matches!(converted, Ok(Ok(())))
}

unsafe fn give(bytes: Vec<u8>, answered: *mut usize) -> *mut u8 {
    let bytes = bytes.into_boxed_slice();
    // SAFETY: the caller's promise.
    unsafe { *answered = bytes.len() };
    Box::into_raw(bytes).cast()
}

/// Takes back what another function gave.
///
/// # Safety
/// `bytes` and `length` are what one call gave, and are given back once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chalkreel_free(bytes: *mut u8, length: usize) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes, length)) });
}
