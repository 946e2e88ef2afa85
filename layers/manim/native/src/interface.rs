//! The C interface. Python loads it with `ctypes` before the process is confined, so that it is tied to no version of Python.
#![allow(unsafe_code, reason = "a C interface takes and gives pointers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::typeset::{Answer, Request, typeset};
use crate::{fonts, text_mode};

/// The version of this interface. Python refuses another.
pub const VERSION: u32 = 1;

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
        Ok(request) => match &request.environment {
            Some(environment) => text_mode::typeset(&request, environment),
            None => typeset(&request),
        },
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
